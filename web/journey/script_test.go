package journey

import (
	"context"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// payloads are what somebody writes who wants a colleague's browser to do something.
var payloads = []string{
	`<script>window.pwned=1</script>`, `"><img src=x onerror="window.pwned=1">`, `'><svg onload=window.pwned=1>`,
	`</textarea><script>window.pwned=1</script>`, `</title><script>window.pwned=1</script>`,
	`javascript:window.pwned=1`, `" autofocus onfocus="window.pwned=1" x="`,
	`{{constructor.constructor('window.pwned=1')()}}`, `<iframe srcdoc="<script>parent.pwned=1</script>">`,
	`<a href="javascript:window.pwned=1">x</a>`,
	`<style>*{background:url(//evil.example)}</style>`, `<form action=//evil.example><button>x`,
	`<meta http-equiv=refresh content="0;url=//evil.example">`, "\u202e<b hx-get=/ hx-trigger=load>",
}

// TestStoredXSSIsRefused writes every payload into every column in which people's words are kept, and looks at
// every page as everybody who sees it: nothing runs, nothing is asked for elsewhere, and the policy for scripts has
// nothing to refuse.
func TestStoredXSSIsRefused(t *testing.T) {
	p := open(t)
	ctx := context.Background()
	pages, people := stage(t, p)
	for _, who := range people {
		who.do(func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
			_, err := cdp.Call(ctx, t, cdppage.AddScriptToEvaluateOnNewDocument,
				cdppage.AddScriptToEvaluateOnNewDocumentParams{
					Source: `window.refused = []; document.addEventListener("securitypolicyviolation", (e) => window.refused.push(e.violatedDirective + " " + e.blockedURI + " " + e.sample))`})
			return chromedp.Void{}, err
		})
	}
	all := strings.Join(payloads, " ")
	var written int64
	for _, statement := range []string{
		`UPDATE customer SET name = $1`, `UPDATE associate SET name = $1`, `UPDATE note SET body = $1`,
		`INSERT INTO customer_tag (customer_id, tag) SELECT id, $1 FROM customer WHERE registered_at IS NOT NULL`,
		`UPDATE preference SET name = left($1, 400), value = $1`,
		`UPDATE address SET name = $1, lines = $1, town = $1, region = $1, postcode = $1`,
		`UPDATE browse_event SET words = $1 WHERE kind = 'searched'`,
		`UPDATE orders SET name = $1`, `UPDATE order_line SET title = $1, options = $1`,
		`UPDATE fulfilment SET place = $1`, `UPDATE session SET agent = $1`,
		`UPDATE product_text SET title = $1, description = $1`, `UPDATE product SET brand = $1`,
		`INSERT INTO device (token_hash, name, location_id, registered_by) SELECT 'x', $1, min(l.id), min(a.id) FROM location l, associate a`,
		`INSERT INTO merge (survivor_id, absorbed_id, proof, reason) SELECT min(id), max(id), 'manager', $1 FROM customer`,
		`INSERT INTO audit_entry (action, subject, subject_id, reason, after) SELECT 'customer.merged', 'customer', 1, $1, jsonb_build_object('said', $1::text)`,
		`INSERT INTO identity (customer_id, kind, value, source) SELECT id, 'email', $1, 'counter' FROM customer WHERE registered_at IS NOT NULL`,
	} {
		tag, err := p.DB.Exec(ctx, statement, all)
		require.NoError(t, err, statement)
		require.NotZero(t, tag.RowsAffected(), statement)
		written += tag.RowsAffected()
	}
	seen := 0
	for _, page := range pages {
		who := people[page.who]
		who.visit(page.path)
		state, err := chromedp.Run(who.ctx,
			chromedp.Evaluate[string](`String(window.pwned) + " " + window.refused.join("; ") + " " + [...document.querySelectorAll("iframe, form[action^='//'], a[href^='javascript'], meta[http-equiv=refresh]")].map(e => e.outerHTML).join(" ")`))
		require.NoError(t, err)
		assert.Equal(t, "undefined", strings.TrimSpace(state), page.name)
		if text := who.text("body"); strings.Contains(text, "window.pwned=1") {
			seen++
		}
	}
	require.Greater(t, seen, 15, "the words were on the pages")
	t.Logf("%d payloads in %d rows, on %d of %d pages", len(payloads), written, seen, len(pages))
}
