// Package markup makes HTML of what people write in Markdown: paragraphs, headings, lists, emphasis, links, tables.
// Whatever else stands there is shown as it is written, or left out; nothing of it can run.
package markup

import (
	"bytes"
	"html"
	"strings"
	"sync"

	"github.com/microcosm-cc/bluemonday"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
)

var (
	parser = goldmark.New(goldmark.WithExtensions(extension.Table, extension.Strikethrough))
	allow  = policy()
)

func policy() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements("p", "br", "h2", "h3", "h4", "ul", "ol", "li", "strong", "em", "del", "blockquote", "hr", "code",
		"table", "thead", "tbody", "tr", "th", "td")
	p.AllowStandardURLs()
	p.AllowAttrs("href").OnElements("a")
	p.RequireNoFollowOnFullyQualifiedLinks(true)
	return p
}

// kept are texts that were made into HTML before: the same descriptions and pages are shown again and again.
var kept = struct {
	sync.Mutex
	html map[string]string
}{html: map[string]string{}}

const mostKept = 2000

// HTML of a text. One without any mark of Markdown is its paragraphs.
func HTML(written string) string {
	if plain(written) {
		return paragraphs(written)
	}
	kept.Lock()
	made, ok := kept.html[written]
	kept.Unlock()
	if ok {
		return made
	}
	var out bytes.Buffer
	if err := parser.Convert([]byte(written), &out); err != nil {
		return paragraphs(written)
	}
	// The page has a first heading of its own.
	made = allow.Sanitize(strings.NewReplacer("<h1>", "<h2>", "</h1>", "</h2>").Replace(out.String()))
	kept.Lock()
	defer kept.Unlock()
	if len(kept.html) >= mostKept {
		clear(kept.html)
	}
	kept.html[written] = made
	return made
}

// plain says that nothing in a text is a mark of Markdown: neither within its lines nor where one begins.
func plain(written string) bool {
	if strings.ContainsAny(written, "*_[]<>`\\|~") {
		return false
	}
	for line := range strings.Lines(written) {
		if line = strings.TrimSpace(line); line != "" && strings.ContainsRune("-+#=0123456789", rune(line[0])) {
			return false
		}
	}
	return true
}

func paragraphs(written string) string {
	var b strings.Builder
	for paragraph := range strings.SplitSeq(written, "\n\n") {
		if paragraph = strings.TrimSpace(paragraph); paragraph != "" {
			b.WriteString("<p>" + html.EscapeString(paragraph) + "</p>\n")
		}
	}
	return b.String()
}
