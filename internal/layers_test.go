package internal

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A package's folder says who may import it: what stands further left. Adapters and queries do not know each other.
var folders = []string{"platform", "domain", "adapter", "query", "flow", "proof", "work"}

// Inside these a package imports only names to its left.
var order = map[string][]string{
	"domain": strings.Fields("origin browsing policy editorial location tax customer hint clientele staff session delivery quote catalog outreach message gallery inventory promotion giftcard credit loyalty task cart order payment rma document history recommend figure predict segment"),
	"query":  strings.Fields("reference basket profile advice shop counter admin"),
	"flow":   strings.Fields("settle billing shortage vouchers pickup cancellation dispatch checkout shopping stocktake returns amendment drafting setup intake person account notices privacy staffadmin promote settings assortment"),
}

func TestFoldersImportLeft(t *testing.T) {
	audiences := []string{"shop", "counter", "admin", "staff", "dev"}
	blind := []string{"ui", "part", "layout"}
	for _, p := range list(t) {
		at, inside := placeOf(p.ImportPath)
		if inside && at.folder != "platform" && at.folder != "adapter" && at.folder != "proof" && at.folder != "work" {
			require.Contains(t, order[at.folder], at.name, "%s has no place in the order of its folder", p.ImportPath)
		}
		window, _ := strings.CutPrefix(p.ImportPath, "counterpart/web/")
		for _, imported := range p.Imports {
			of, ours := placeOf(imported)
			if inside {
				require.False(t, strings.HasPrefix(imported, "counterpart/web"), "%s knows of browsers: %s",
					p.ImportPath, imported)
				require.False(t, ours && !at.mayImport(of), "%s imports to the right: %s", p.ImportPath, imported)
			}
			if slices.Contains(blind, window) {
				require.NotEqual(t, "counterpart/internal/platform/pg", imported, "views cannot query: %s",
					p.ImportPath)
				require.False(t, strings.HasPrefix(imported, "github.com/jackc/pgx"), "views cannot query: %s",
					p.ImportPath)
			}
			if other, ok := strings.CutPrefix(imported, "counterpart/web/"); ok {
				require.False(t, slices.Contains(audiences, window) && slices.Contains(audiences, other) &&
					window != other, "audiences never import each other: %s, %s", p.ImportPath, imported)
				require.False(t, window == "ui" && other != "static", "ui knows no other package: %s", imported)
			}
			require.False(t, window == "ui" && ours && of.name != "text", "ui knows no domain package: %s", imported)
		}
	}
}

// Call sites name a package by its last element, so there is one of each.
func TestNoTwoPackagesShareAName(t *testing.T) {
	seen := map[string]string{}
	for _, p := range list(t) {
		if !strings.HasPrefix(p.ImportPath, "counterpart/internal/") {
			continue
		}
		name := path.Base(p.ImportPath)
		require.Empty(t, seen[name], "%s and %s", seen[name], p.ImportPath)
		seen[name] = p.ImportPath
	}
}

// place is where a package of internal stands. Helpers below a package stand where it does.
type place struct{ folder, name string }

func placeOf(importPath string) (p place, inside bool) {
	below, inside := strings.CutPrefix(importPath, "counterpart/internal/")
	parts := strings.Split(below, "/")
	p.folder = parts[0]
	if len(parts) > 1 {
		p.name = parts[1]
	}
	return p, inside
}

func (p place) mayImport(other place) bool {
	from, to := slices.Index(folders, p.folder), slices.Index(folders, other.folder)
	if p.folder == other.folder && order[p.folder] != nil {
		return p.name == other.name || slices.Index(order[p.folder], other.name) < slices.Index(order[p.folder], p.name)
	}
	return to >= 0 && to <= from && !(p.folder == "query" && other.folder == "adapter")
}

type listed struct {
	ImportPath string
	Imports    []string
}

func list(t *testing.T) (all []listed) {
	t.Helper()
	command := exec.Command("go", "list", "-json=ImportPath,Imports", "counterpart/...")
	out, err := command.Output()
	require.NoError(t, err)
	decoder := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p listed
		if err := decoder.Decode(&p); err == io.EOF {
			return all
		} else {
			require.NoError(t, err)
		}
		all = append(all, p)
	}
}

// A handler reads a request and calls one command or query: what belongs in one transaction is a command's.
func TestNoHandlerOpensATransaction(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "web", "*", "*.go"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") || strings.Contains(file, "bench") {
			continue
		}
		source, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, call := range []string{"pg.InTx(", "pgx.BeginFunc(", "staff.Log("} {
			require.NotContains(t, string(source), call, "%s", file)
		}
	}
}

// A row of more than five columns is read by the names of its columns: one that is added in the middle moves no value
// into another's place.
func TestWideRowsAreReadByName(t *testing.T) {
	require.NoError(t, filepath.WalkDir(".", func(file string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return err
		}
		set := token.NewFileSet()
		source, err := parser.ParseFile(set, file, nil, 0)
		require.NoError(t, err)
		ast.Inspect(source, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok {
				method, ok := call.Fun.(*ast.SelectorExpr)
				require.False(t, ok && method.Sel.Name == "Scan" && len(call.Args) > 5,
					"%s reads a wide row by position", set.Position(call.Pos()))
			}
			return true
		})
		return nil
	}))
}

// What posts is in one package, and what it has to ask before is there too: nothing is sent around it.
func TestOnePackagePosts(t *testing.T) {
	for _, p := range list(t) {
		for _, imported := range p.Imports {
			if strings.Contains(imported, "go-mail") || imported == "net/smtp" {
				require.Equal(t, "counterpart/internal/domain/message", p.ImportPath, "posts by itself")
			}
		}
	}
	require.NoError(t, filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") ||
			strings.Contains(path, "domain/message") || strings.Contains(path, "node_modules") {
			return err
		}
		body, err := os.ReadFile(path)
		require.NoError(t, err)
		require.NotContains(t, string(body), "SMS.Send(", "%s sends a text around Sender.Send", path)
		return nil
	}))
}
