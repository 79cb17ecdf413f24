// Build puts together what a browser loads: our styles and scripts in one file each, fonts, icons and pictures, named
// by their content.
package main

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"counterpart/internal/proof/demo"
)

const (
	modules = "web/node_modules"
	source  = "web/static"
	target  = "web/static/dist"
)

// Fonts by subset: Latin for Britain, its extension for Riga, Cyrillic for the languages to come.
var fonts = []string{
	"@fontsource-variable/inter/files/inter-latin-wght-normal.woff2",
	"@fontsource-variable/inter/files/inter-latin-ext-wght-normal.woff2",
	"@fontsource-variable/inter/files/inter-cyrillic-wght-normal.woff2",
	"@fontsource-variable/source-serif-4/files/source-serif-4-latin-wght-normal.woff2",
	"@fontsource-variable/source-serif-4/files/source-serif-4-latin-ext-wght-normal.woff2",
	"@fontsource-variable/source-serif-4/files/source-serif-4-cyrillic-wght-normal.woff2",
}

// printFonts are the same letters for PDFs, which are not served.
var printFonts = []string{"@expo-google-fonts/inter/400Regular/Inter_400Regular.ttf",
	"@expo-google-fonts/inter/600SemiBold/Inter_600SemiBold.ttf"}

func main() {
	log.SetFlags(0)
	if err := run(); err != nil {
		log.Fatal("build: ", err)
	}
}

func run() error {
	if err := clean(); err != nil {
		return err
	}
	names := map[string]string{}
	for _, font := range fonts {
		body, err := os.ReadFile(filepath.Join(modules, font))
		if err != nil {
			return fmt.Errorf("%w: run npm ci in web first", err)
		}
		if err := put(names, filepath.Base(font), body, false); err != nil {
			return err
		}
	}
	for _, font := range printFonts {
		body, err := os.ReadFile(filepath.Join(modules, font))
		if err != nil {
			return fmt.Errorf("%w: run npm ci in web first", err)
		}
		if err := put(names, filepath.Base(font), body, false); err != nil {
			return err
		}
	}
	images, err := filepath.Glob(filepath.Join(source, "img", "*"))
	if err != nil {
		return err
	}
	for _, image := range images {
		body, err := os.ReadFile(image)
		if err != nil {
			return err
		}
		if err := put(names, filepath.Base(image), body, strings.HasSuffix(image, ".svg")); err != nil {
			return err
		}
	}
	for name, make := range map[string]func(map[string]string) ([]byte, error){"icons.svg": icons, "app.css": styles,
		"app.js": scripts} {
		body, err := make(names)
		if err != nil {
			return err
		}
		if err := put(names, name, body, true); err != nil {
			return err
		}
	}
	if err := objects(); err != nil {
		return err
	}
	list, err := json.MarshalIndent(names, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(target, "manifest.json"), list, 0o644)
}

func clean() error {
	old, err := filepath.Glob(filepath.Join(target, "*"))
	if err != nil {
		return err
	}
	for _, name := range old {
		if err := os.RemoveAll(name); err != nil {
			return err
		}
	}
	return os.MkdirAll(filepath.Join(target, "objects"), 0o755)
}

// put writes a file under a name with its hash, and compressed beside it where that helps.
func put(names map[string]string, name string, body []byte, compress bool) error {
	sum := sha256.Sum256(body)
	extension := filepath.Ext(name)
	hashed := strings.TrimSuffix(name, extension) + "." + hex.EncodeToString(sum[:5]) + extension
	names[name] = hashed
	if err := os.WriteFile(filepath.Join(target, hashed), body, 0o644); err != nil || !compress {
		return err
	}
	var packed bytes.Buffer
	w, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := w.Write(body); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(target, hashed+".gz"), packed.Bytes(), 0o644)
}

var (
	assetURL = regexp.MustCompile(`url\("([^"/:]+)"\)`)
	comments = regexp.MustCompile(`(?s)/\*.*?\*/`)
	spaces   = regexp.MustCompile(`\s*\n\s*`)
)

// styles joins our files in the order of their names; the first declares the layers.
func styles(names map[string]string) ([]byte, error) {
	files, err := filepath.Glob(filepath.Join(source, "css", "*.css"))
	if err != nil {
		return nil, err
	}
	slices.Sort(files)
	var all bytes.Buffer
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		all.Write(body)
		all.WriteByte('\n')
	}
	css := spaces.ReplaceAll(comments.ReplaceAll(all.Bytes(), nil), []byte("\n"))
	var missing error
	css = assetURL.ReplaceAllFunc(css, func(found []byte) []byte {
		name := string(assetURL.FindSubmatch(found)[1])
		if names[name] == "" {
			missing = fmt.Errorf("the styles name %s, which is not built", name)
		}
		return []byte(`url("/static/` + names[name] + `")`)
	})
	return css, missing
}

func scripts(map[string]string) ([]byte, error) {
	var all bytes.Buffer
	for _, file := range []string{filepath.Join(modules, "htmx.org/dist/htmx.min.js"),
		filepath.Join(source, "js/app.js")} {
		body, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		all.Write(regexp.MustCompile(`(?m)^//# sourceMappingURL=.*$`).ReplaceAll(body, nil))
		all.WriteString("\n;\n")
	}
	return all.Bytes(), nil
}

var (
	iconUse  = regexp.MustCompile(`ui\.Icon\("([a-z0-9-]+)"|@?Icon\("([a-z0-9-]+)"|IconName:\s*"([a-z0-9-]+)"`)
	iconBody = regexp.MustCompile(`(?s)<svg[^>]*>(.*)</svg>`)
)

// icons is one sprite of the icons that our templates use, and no other.
func icons(map[string]string) ([]byte, error) {
	templates, err := filepath.Glob("web/*/*.templ")
	if err != nil {
		return nil, err
	}
	used := map[string]bool{}
	for _, template := range templates {
		body, err := os.ReadFile(template)
		if err != nil {
			return nil, err
		}
		for _, found := range iconUse.FindAllSubmatch(body, -1) {
			used[string(found[1])+string(found[2])+string(found[3])] = true
		}
	}
	names := make([]string, 0, len(used))
	for name := range used {
		names = append(names, name)
	}
	slices.Sort(names)
	var sprite bytes.Buffer
	sprite.WriteString(`<svg xmlns="http://www.w3.org/2000/svg">`)
	for _, name := range names {
		body, err := os.ReadFile(filepath.Join(modules, "lucide-static/icons", name+".svg"))
		if err != nil {
			return nil, fmt.Errorf("icon %s: %w", name, err)
		}
		inner := iconBody.FindSubmatch(body)
		if inner == nil {
			return nil, fmt.Errorf("icon %s is not an svg", name)
		}
		fmt.Fprintf(&sprite, `<symbol id="%s" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round">%s</symbol>`,
			name, spaces.ReplaceAll(bytes.TrimSpace(inner[1]), nil))
	}
	sprite.WriteString(`</svg>`)
	return sprite.Bytes(), nil
}

// objects are the renderings that the demo shop's pictures are composed from.
func objects() error {
	for _, object := range demo.Objects() {
		body, err := os.ReadFile(filepath.Join(modules, "@lobehub/fluent-emoji-3d/assets", object+".webp"))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(target, "objects", object+".webp"), body, 0o644); err != nil {
			return err
		}
	}
	return nil
}
