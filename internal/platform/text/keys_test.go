package text

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// speaks are the functions that take a sentence, and which of their arguments it is: one, or one and the plural.
var speaks = map[string][]int{
	"text.T": {1}, "text.M": {0}, "text.S": {2}, "text.N": {2, 3}, "text.P": {1, 2},
	"fault.New": {1}, "fault.Field": {1}, "form.Add": {1}, "g.wrong": {1}, "say": {0}, "M": {0},
}

// key is a sentence somewhere in the source.
type key struct {
	at      string
	one     string
	plural  string
	given   []string // names of its arguments; nil: they are not written beside it
	counted bool
}

var placeholder = regexp.MustCompile(`\{(\w+)\}`)

func names(sentence string) (all []string) {
	for _, m := range placeholder.FindAllStringSubmatch(sentence, -1) {
		all = append(all, m[1])
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// source finds every sentence of internal and web. What a sentence is glued from is an error.
func source(t *testing.T) (all []key) {
	t.Helper()
	for _, root := range []string{"../../../internal", "../../../web"} {
		require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() && (d.Name() == "node_modules" || d.Name() == "bench") {
				if d != nil && d.IsDir() && err == nil {
					return fs.SkipDir
				}
				return err
			}
			if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") ||
				strings.HasPrefix(path, "../../../internal/platform/text") && !strings.HasSuffix(path, "when.go") {
				return nil
			}
			files := token.NewFileSet()
			file, err := parser.ParseFile(files, path, nil, 0)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok {
					return true
				}
				if nameOf(call.Fun) == "add" && strings.Contains(path, "/postal/") {
					for _, at := range []int{2, 5} { // what the postcode and the region are called in a country
						literal := call.Args[0].(*ast.CompositeLit).Elts[at].(*ast.BasicLit)
						if name, err := strconv.Unquote(literal.Value); err == nil && name != "" {
							all = append(all, key{at: fmt.Sprint(files.Position(call.Pos())), one: name})
						}
					}
				}
				if strings.HasSuffix(strings.ToLower(nameOf(call.Fun)), "frame") { // the title of a page
					for _, arg := range call.Args {
						if literal, ok := arg.(*ast.BasicLit); ok {
							assert.NotRegexp(t, `"[A-Z][a-z]`, literal.Value, "%s: a title is not in the text layer",
								files.Position(call.Pos()))
						}
					}
				}
				where, ok := speaks[nameOf(call.Fun)]
				if !ok || len(call.Args) <= where[len(where)-1] {
					return true
				}
				k := key{at: fmt.Sprint(files.Position(call.Pos())), counted: len(where) == 2}
				for i, at := range where {
					literal, isLiteral := call.Args[at].(*ast.BasicLit)
					if !isLiteral {
						_, glued := call.Args[at].(*ast.BinaryExpr)
						assert.False(t, glued, "%s: a sentence is glued from fragments", k.at)
						return true
					}
					sentence, err := strconv.Unquote(literal.Value)
					require.NoError(t, err)
					if i == 0 {
						k.one = sentence
					} else {
						k.plural = sentence
					}
				}
				if name := nameOf(call.Fun); name == "say" || name == "M" {
					// A mail’s closure adds the shop, the code and the like; a moment has the same arguments in every form.
				} else if len(call.Args) == where[len(where)-1]+1 {
					k.given = []string{}
				} else if args, ok := call.Args[len(call.Args)-1].(*ast.CompositeLit); ok {
					k.given = []string{}
					for _, e := range args.Elts {
						if pair, ok := e.(*ast.KeyValueExpr); ok {
							if name, ok := pair.Key.(*ast.BasicLit); ok {
								word, _ := strconv.Unquote(name.Value)
								k.given = append(k.given, word)
							}
						}
					}
				}
				all = append(all, k)
				return true
			})
			return nil
		}))
	}
	return all
}

func nameOf(f ast.Expr) string {
	switch f := f.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		if x, ok := f.X.(*ast.Ident); ok {
			return x.Name + "." + f.Sel.Name
		}
	}
	return ""
}

func TestSentencesHaveTheArgumentsThatTheyName(t *testing.T) {
	all := source(t)
	require.Greater(t, len(all), 2000)
	for _, k := range all {
		if k.given == nil {
			continue
		}
		given := k.given
		if k.counted {
			given = append(slices.Clone(given), "n")
		}
		for _, name := range names(k.one + k.plural) {
			assert.Contains(t, given, name, "%s: %q has no %s", k.at, k.one, name)
		}
		for _, name := range k.given {
			assert.Contains(t, names(k.one+k.plural), name, "%s: %q does not say %s", k.at, k.one, name)
		}
	}
}

// A translation of a sentence that nobody says any more is dead, and one that names other arguments is wrong.
func TestTranslationsAreOfSentencesThatAreSaid(t *testing.T) {
	said := map[string]bool{}
	for _, k := range source(t) {
		said[k.one] = true
	}
	for language, c := range catalogs() {
		for id, translation := range c.said {
			if id == "" {
				continue
			}
			assert.True(t, said[id], "%s: nobody says %q", language, id)
			for n, words := range translation.Trs {
				want := names(id + translation.PluralID)
				for _, name := range names(words) {
					assert.Contains(t, want, name, "%s: form %d of %q", language, n, id)
				}
				if translation.PluralID == "" && words != "" {
					assert.Equal(t, want, names(words), "%s: %q", language, id)
				}
			}
		}
	}
}

// layout finds a time that is written by a format of its own, not by the language.
var layout = regexp.MustCompile(`\.Format\("`)

// The words of a page stand between its tags and in four of its attributes.
var (
	chunk     = regexp.MustCompile(`WriteString\(templ_\w+, \d+, "((?:[^"\\]|\\.)*)"`)
	between   = regexp.MustCompile(`>([^<>]*)<`)
	attribute = regexp.MustCompile(`(?:alt|title|placeholder|aria-label)="([^"]*)"`)
	word      = regexp.MustCompile(`\pL{2,}`)
	entity    = regexp.MustCompile(`&\w+;`)
	flag      = regexp.MustCompile(`^ (checked|selected|open|hidden|disabled|required|autofocus|novalidate|data-[a-z-]+)$`)
)

// The product's name, two keys, and an example of a postcode are the same in every language.
var international = []string{"Counterpart", "Enter", "Esc", "LS6"}

func TestPagesHaveNoWordsOfTheirOwn(t *testing.T) {
	files := 0
	require.NoError(t, filepath.WalkDir("../../../web", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_templ.go") {
			return err
		}
		files++
		source, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, m := range chunk.FindAllStringSubmatch(string(source), -1) {
			html, err := strconv.Unquote(`"` + m[1] + `"`)
			require.NoError(t, err)
			if flag.MatchString(html) {
				continue
			}
			var words []string
			for _, found := range between.FindAllStringSubmatch(">"+html+"<", -1) {
				words = append(words, found[1])
			}
			for _, found := range attribute.FindAllStringSubmatch(html, -1) {
				words = append(words, found[1])
			}
			for _, plain := range words {
				plain = strings.TrimSpace(entity.ReplaceAllString(plain, ""))
				// What begins or ends inside a tag is the tag's.
				if strings.Contains(plain, "=") || strings.HasPrefix(plain, `"`) ||
					slices.Contains(international, plain) {
					continue
				}
				assert.False(t, word.MatchString(plain), "%s: %q is not in the text layer", path, plain)
			}
		}
		return nil
	}))
	require.Greater(t, files, 20)
}

func TestTimesAreWrittenByTheLanguage(t *testing.T) {
	for _, root := range []string{"../../../internal", "../../../web"} {
		require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if d.IsDir() && (d.Name() == "node_modules" || d.Name() == "text") {
				return fs.SkipDir
			}
			if !strings.HasSuffix(path, ".templ") && (!strings.HasSuffix(path, ".go") ||
				strings.HasSuffix(path, "_test.go")) {
				return nil
			}
			source, err := os.ReadFile(path)
			assert.NotRegexp(t, layout, string(source), path)
			return err
		}))
	}
}
