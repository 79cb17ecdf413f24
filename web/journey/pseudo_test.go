package journey

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"counterpart/internal/flow/setup"
	"counterpart/internal/platform/postal"
	"counterpart/internal/platform/text"
)

// words are what a page says, a line each: its text, and what is said to those who do not see it.
const words = `[...document.querySelectorAll("body *")].filter(e => !e.matches("script, style, noscript, kbd, code, svg *, [lang]"))
	.flatMap(e => [...[...e.childNodes].filter(n => n.nodeType === 3).map(n => n.textContent), e.getAttribute("aria-label"), e.getAttribute("alt"), e.getAttribute("title")])
	.filter(Boolean).map(s => s.trim()).filter(Boolean).join("\n") + "\n" + document.title`

// pseudo goes through all pages in the pseudo-language, on a phone: what is plain on them is not in the text layer, and
// what is wider than the window breaks in a longer language.
func pseudo(t *testing.T, p *place, pages []page, people map[string]*person) {
	data := kept(t, p)
	plain := regexp.MustCompile(`[\pL][\pL’'-]+`)
	for _, who := range people {
		who.t = t
		who.dark(false)
		who.visit("/robots.txt")
		who.script(`document.cookie = "language=` + text.Pseudo + `; path=/"`)
		who.resize(widths[0].width, widths[0].height)
	}
	for _, page := range pages {
		if page.name == "mail" {
			continue // A mail is in its customer's language, not in that of whoever reads it here.
		}
		who := people[page.who]
		who.visit(page.path)
		said, err := chromedp.Run(who.ctx, chromedp.Evaluate[string](words))
		require.NoError(t, err)
		var left []string
		for _, line := range strings.Split(said, "\n") {
			for _, word := range plain.FindAllString(line, -1) {
				if !data[strings.ToLower(word)] && text.Plain(word) &&
					word != strings.ToUpper(word) { // A code is no word.
					left = append(left, fmt.Sprintf("%s in %.80q", word, line))
				}
			}
		}
		slices.Sort(left)
		left = slices.Compact(left)
		assert.Empty(t, left, "%s has plain words", page.name)
		who.fits(page.name + " in the pseudo-language")
	}
}

// kept are the words of what the shop keeps: names, titles, addresses. Nobody translates those.
func kept(t *testing.T, p *place) map[string]bool {
	t.Helper()
	ctx := context.Background()
	all := map[string]bool{"counterpart": true, "kg": true, "teepott": true, "zzzzqqq": true, "zzzz": true,
		"atlantis": true, "latviešu": true}
	for _, l := range setup.Languages { // A language is named in itself.
		all[strings.ToLower(l.Name)] = true
	}
	for month := time.January; month <= time.December; month++ { // Dates are written as in English.
		all[strings.ToLower(month.String())], all[strings.ToLower(month.String()[:3])] = true, true
	}
	for _, country := range postal.Known() { // So are countries.
		for word := range strings.FieldsSeq(strings.ToLower(country.Name)) {
			all[word] = true
		}
	}
	for day := time.Sunday; day <= time.Saturday; day++ {
		all[strings.ToLower(day.String())], all[strings.ToLower(day.String()[:3])] = true, true
	}
	rows, err := p.DB.Query(ctx, `
		SELECT table_name, column_name
		FROM information_schema.columns
		WHERE table_schema = 'public' AND data_type IN ('text', 'ARRAY', 'jsonb', 'character')
			AND table_name NOT LIKE 'river%'`)
	require.NoError(t, err)
	var queries []string
	for rows.Next() {
		var table, column string
		require.NoError(t, rows.Scan(&table, &column))
		queries = append(queries,
			fmt.Sprintf(`SELECT DISTINCT w FROM %q, regexp_split_to_table(lower(%q::text), '[^[:alpha:]’''-]+') w WHERE w <> ''`, table, column))
	}
	rows.Close()
	require.NoError(t, rows.Err())
	for _, query := range queries {
		rows, err := p.DB.Query(ctx, query)
		require.NoError(t, err)
		for rows.Next() {
			var word string
			require.NoError(t, rows.Scan(&word))
			all[word] = true
		}
		rows.Close()
		require.NoError(t, rows.Err())
	}
	return all
}
