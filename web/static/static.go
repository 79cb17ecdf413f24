// Package static serves what a browser loads beside the page; a file's name carries its hash, so it is fetched once.
package static

import (
	"embed"
	"encoding/json"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"sync"
)

//go:embed all:dist
var dist embed.FS

var names = sync.OnceValue(func() map[string]string {
	all := map[string]string{}
	if body, err := dist.ReadFile("dist/manifest.json"); err == nil {
		if err := json.Unmarshal(body, &all); err != nil {
			panic(err) // Our own build wrote it.
		}
	}
	return all
})

// Built says whether the binary was made with its assets, which `make build` does.
func Built() bool { return len(names()) > 0 }

// Path is the address of an asset by the name it has in the project.
func Path(name string) string { return "/static/" + names()[name] }

// Objects are the renderings of the demo shop.
func Objects() fs.FS {
	sub, err := fs.Sub(dist, "dist/objects")
	if err != nil {
		panic(err) // The path is constant and well formed.
	}
	return sub
}

// Font is one that PDFs are printed with.
func Font(name string) ([]byte, error) { return dist.ReadFile("dist/" + names()[name]) }

// Serve answers /static/…: for a year, and packed where the browser can unpack it.
func Serve(w http.ResponseWriter, r *http.Request) {
	name := path.Join("dist", path.Base(r.URL.Path))
	body, err := dist.ReadFile(name)
	if err != nil || strings.HasSuffix(name, "manifest.json") || strings.HasPrefix(path.Base(name), ".") {
		http.NotFound(w, r)
		return
	}
	header := w.Header()
	header.Set("Cache-Control", "public, max-age=31536000, immutable")
	header.Set("Content-Type", contentType(name))
	if packed, err := dist.ReadFile(name + ".gz"); err == nil {
		header.Set("Vary", "Accept-Encoding")
		if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			header.Set("Content-Encoding", "gzip")
			body = packed
		}
	}
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // The browser may have gone; there is nobody to tell.
	}
}

func contentType(name string) string {
	switch path.Ext(name) {
	case ".woff2":
		return "font/woff2"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".webmanifest":
		return "application/manifest+json"
	}
	return mime.TypeByExtension(path.Ext(name))
}
