package journey

import (
	"bytes"
	"encoding/base32"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"counterpart/internal/domain/staff"
	"counterpart/internal/platform/pg/pgtest"
)

// TestADayFromTheEmptyShop is a retailer's first day: the shop is opened, filled, priced, stocked and sold from in the
// browser alone, and at the end its papers are read back.
func TestADayFromTheEmptyShop(t *testing.T) {
	pool, address := pgtest.Database(t)
	p := serve(t, pool, address, t.TempDir(), "the-one-time-link")
	began := time.Now()
	boss := p.person(t, 1280, 800)
	boss.openShop()
	boss.visit("/admin")
	boss.lookAt("day-empty-home")
	boss.sees("left until your shop can sell")

	// A store with hours and a holiday, a tax rate now and one to come, and the pages that a checkout names.
	boss.visit("/admin/places")
	boss.click(".table tbody a")
	boss.fill("form.two", map[string]string{"code": "HAR", "day1": "09:00–13:00, 14:00–18:00", "day7": "", "preparation": "90"})
	boss.click("form.two .is-large")
	boss.sees("Saved.")
	boss.write("#f-day", "12252031")
	boss.write("#f-day_name", "Christmas Day")
	boss.click(`form[action$="/days"] button`)
	boss.sees("25 December 2031")
	boss.visit("/admin/settings")
	boss.fill(`form[action="/admin/settings/tax"]`, map[string]string{"country": "GB", "percent": "20", "tax_name": "VAT 20%"})
	boss.click(`form[action="/admin/settings/tax"] .button`)
	boss.fill(`form[action="/admin/settings/tax"]`, map[string]string{"country": "GB", "percent": "22", "tax_name": "VAT 22%", "from": "2031-01-01"})
	boss.click(`form[action="/admin/settings/tax"] .button`)
	boss.sees("22 % from 1 January 2031")
	for _, kind := range []string{"terms", "privacy"} {
		boss.visit("/admin/pages/new?kind=" + kind)
		boss.fill("form.two", map[string]string{"body": "## Fair\n\nWe sell things, and take them back for **30 days**."})
		boss.click("form.two .is-large")
		boss.sees("Saved.")
	}
	boss.visit("/admin/look")
	boss.fill(`form[action="/admin/look"]`, map[string]string{"accent": "#ffee00"})
	boss.click(`form[action="/admin/look"] .button`)
	boss.sees("can’t be read well")
	require.Equal(t, "#ffee00", boss.value("#f-accent"), "what was typed is kept")
	boss.lookAt("day-look-refused")
	boss.fill(`form[action="/admin/look"]`, map[string]string{"accent": "#7a1f4b"})
	boss.click(`form[action="/admin/look"] .button`)
	boss.sees("Saved.")

	// A product with nine variants and two pictures, priced, and received.
	boss.visit("/admin/departments")
	boss.fill(`form[action="/admin/departments"]`, map[string]string{"name_en": "Knitwear"})
	boss.click(`form[action="/admin/departments"] .button`)
	boss.sees("Knitwear")
	boss.visit("/admin/products/new")
	boss.fill(`form[action="/admin/products"]`, map[string]string{"title": "Harbour jumper", "description": "Warm, **even** in the wind.",
		"option1": "Colour", "values1": "Navy, Oat, Rust", "option2": "Size", "values2": "S, M, L"})
	boss.fill(`form[action="/admin/products"]`, map[string]string{fmt.Sprintf("price_%d", one[int64](t, p, `SELECT id FROM price_list ORDER BY id LIMIT 1`)): "64.00"})
	boss.click(`form[action="/admin/products"] .is-large`)
	boss.sees("Saved as a draft")
	require.Equal(t, 9, one[int](t, p, `SELECT count(*)::int FROM variant`))
	boss.upload(t, "#f-pictures", "navy.png", "oat.png")
	require.Eventually(t, func() bool { return one[int](t, p, `SELECT count(*)::int FROM picture WHERE key IS NOT NULL`) == 2 },
		patience, 50*time.Millisecond, "the pictures are drawn")
	product := one[int64](t, p, `SELECT id FROM product`)
	boss.visit(fmt.Sprintf("/admin/products/%d", product))
	boss.lookAt("day-product")
	variant := one[int64](t, p, `SELECT id FROM variant ORDER BY position, id LIMIT 1`)
	boss.fill(`form[action$="/variants"]`, map[string]string{fmt.Sprintf("sku.%d", variant): "JUMPER-NAVY-S"})
	boss.click(`form[action$="/variants"] .button`)
	boss.sees("Saved.")
	boss.fill("#details form", map[string]string{"status": "active"})
	boss.script(`document.querySelector('#details input[name="categories"]').checked = true`)
	boss.click("#details form .button")
	boss.sees("On sale")
	ledger := fmt.Sprintf("/admin/stock/HAR/%d", variant)
	boss.visit(ledger)
	boss.fill(`form[action$="/receive"]`, map[string]string{"quantity": "12", "reason": "Delivery note 1"})
	boss.click(`form[action$="/receive"] .button`)
	boss.sees("Booked in.")

	// A promotion: ten percent off everything, seen in the shop at once.
	boss.visit("/admin/promotions/new")
	boss.fill("form.builder", map[string]string{"title": "Opening week", "kind": "percent", "percent": "10"})
	boss.click("form.builder .is-large")
	boss.sees("Saved.")
	boss.do(chromedp.Click(chromedp.CSS(".card-do summary")))
	boss.click(`.card-do .is-danger[value="live"]`)
	boss.sees("Live")

	// Somebody orders three, to collect; the terms are named, and the order keeps which.
	shopper := p.person(t, 390, 844)
	shopper.visit("/p/harbour-jumper")
	shopper.sees("Warm, even in the wind.")
	shopper.lookAt("day-shop-product")
	shopper.click("#add .button")
	shopper.click(`button[aria-label^="Increase quantity"]`)
	shopper.click(`button[aria-label^="Increase quantity"]`)
	shopper.sees("£172.80")
	shopper.click(`a[href="/checkout"]`)
	shopper.sees("Terms and conditions")
	shopper.write("#f-name", "Una Quill")
	shopper.write("#f-email", "una@example.com")
	shopper.click(`button[name="place"]`)
	shopper.sees("Reserved. We’re setting it aside.")
	t.Logf("the first sale came %v after the shop was opened", time.Since(began).Round(time.Second))
	link := shopper.location()
	order := one[int64](t, p, `SELECT id FROM orders`)
	require.Equal(t, "terms", one[string](t, p, `SELECT p.kind FROM orders o JOIN page_version v ON v.id = o.terms_id JOIN page p ON p.id = v.page_id`))

	// The order is edited and a unit cancelled; the shopper's page says so.
	boss.visit(fmt.Sprintf("/admin/orders/%d", order))
	boss.lookAt("day-order")
	boss.sees("Terms and conditions")
	boss.script(`document.querySelectorAll("main details").forEach(d => d.open = true)`)
	boss.fill(`form[action$="/contact"]`, map[string]string{"phone": "+441134960123"})
	boss.click(`form[action$="/contact"] .button`)
	boss.script(`document.querySelectorAll("main details").forEach(d => d.open = true)`)
	boss.fill(`#lines form[action$="/cancel"]`, map[string]string{"quantity": "1", "reason": "The customer changed their mind"})
	boss.click(`#lines form[action$="/cancel"] .button`)
	boss.sees("£115.20")
	shopper.visit(strings.TrimPrefix(link, p.URL))
	shopper.sees("£115.20")
	require.Equal(t, 10, one[int](t, p, fmt.Sprintf(`SELECT (on_hand - reserved)::int FROM stock_level WHERE variant_id = %d`, variant)))

	// It is picked and handed over; one comes back; the shelf is counted.
	associate := boss
	associate.visit("/counter")
	associate.openRow("Una Quill")
	associate.write("#f-place", "Shelf B2")
	associate.pickAll()
	associate.click(".pickup-do .is-large")
	shopper.sees("Ready for you")
	code := strings.ReplaceAll(shopper.text(".pickup-code .code"), " ", "")
	associate.search(code)
	associate.do(chromedp.Click(chromedp.CSS(`.tenders label:has([value="cash"])`)))
	associate.write("#f-given", "120.00")
	associate.click(".pickup-do .is-large")
	associate.sees("Give £4.80 change")
	associate.visit(fmt.Sprintf("/counter/orders/%d/return", order))
	associate.write(fmt.Sprintf("#f-quantity-%d", one[int64](t, p, `SELECT id FROM order_line`)), "1")
	associate.click(`.return-sum .is-secondary`)
	associate.click(`button[name="confirm"]`)
	associate.sees("Returned.")
	boss.visit(ledger)
	boss.fill(`form[action$="/count"]`, map[string]string{"quantity": "10", "reason": "One was torn"})
	boss.click(`form[action$="/count"] .button`)
	boss.sees("with the reason in the ledger")
	boss.lookAt("day-ledger")
	require.Equal(t, 10, one[int](t, p, fmt.Sprintf(`SELECT on_hand::int FROM stock_level WHERE variant_id = %d`, variant)))

	// The papers: an invoice of what was sold, a credit note of what came back; and the start page's figures.
	require.Eventually(t, func() bool { return one[int](t, p, `SELECT count(*)::int FROM document`) >= 2 }, patience,
		50*time.Millisecond, "a job writes the papers")
	boss.visit(fmt.Sprintf("/admin/orders/%d", order))
	boss.sees("Credit note")
	boss.lookAt("day-order-done")
	boss.click(`a[href*="/documents/"]`)
	boss.sees("Fold & Co Ltd")
	boss.sees("VAT 20%")
	boss.lookAt("day-invoice")
	boss.visit("/admin")
	boss.sees("1 order")
	boss.lookAt("day-home")
	for _, name := range []string{"/admin", fmt.Sprintf("/admin/products/%d", product), fmt.Sprintf("/admin/orders/%d", order), ledger} {
		boss.visit(name)
		boss.accessible(name)
	}
	clean(t, p)
}

// openShop sets an empty shop up, and signs its first admin in, with a second step.
func (p *person) openShop() {
	p.t.Helper()
	p.visit("/setup?token=the-one-time-link")
	p.fill(`form[action="/setup"]`, map[string]string{"shop": "Fold & Co", "store": "Harbour Street", "street": "1 Harbour Street",
		"town": "Leeds", "postcode": "LS1 6QD", "country": "GB", "rate": "20", "legal_name": "Fold & Co Ltd",
		"seller_address": "1 Harbour Street\nLeeds", "name": "Ilze Vanaga", "email": "ilze@example.com",
		"password": "Jumpers by the harbour, twelve of them"})
	p.click(`form[action="/setup"] .is-large`)
	p.write("#f-email", "ilze@example.com")
	p.write("#f-password", "Jumpers by the harbour, twelve of them")
	p.click(`form[action$="sign-in"]:not([role]) button`)
	p.click(`form[action="/staff/second/begin"] button`)
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(p.text(".secret"))
	require.NoError(p.t, err)
	p.write("#f-code", staff.TOTPCode(key, time.Now()))
	p.click(`form[action="/staff/second/code"] button`)
}

// fill sets fields of a form as its user would, by their names.
func (p *person) fill(form string, fields map[string]string) {
	p.t.Helper()
	for name, value := range fields {
		found, err := chromedp.Run(p.ctx, chromedp.Evaluate[bool](fmt.Sprintf(`(() => {
			const field = document.querySelector(%q)?.querySelector('[name="' + CSS.escape(%q) + '"]:not([type="hidden"])');
			if (!field) return false;
			field.value = %q;
			field.dispatchEvent(new Event("input", { bubbles: true }));
			field.dispatchEvent(new Event("change", { bubbles: true }));
			return true;
		})()`, form, name, value)))
		require.NoError(p.t, err)
		require.True(p.t, found, "%s has no %s on %s:\n%s", form, name, p.location(), p.text("body"))
	}
}

// upload chooses pictures that were made here, and sends them.
func (p *person) upload(t *testing.T, field string, names ...string) {
	t.Helper()
	var paths []string
	for i, name := range names {
		picture := image.NewRGBA(image.Rect(0, 0, 400, 500))
		for x := range 400 {
			for y := range 500 {
				picture.Set(x, y, color.RGBA{uint8(40 * i), uint8(x / 2), uint8(y / 2), 255})
			}
		}
		var out bytes.Buffer
		require.NoError(t, png.Encode(&out, picture))
		path := filepath.Join(t.TempDir(), name)
		require.NoError(t, os.WriteFile(path, out.Bytes(), 0o644))
		paths = append(paths, path)
	}
	p.script(`window.stillHere = true`)
	p.do(chromedp.SetUploadFiles(chromedp.CSS(field), paths))
	p.eventually("window.stillHere !== true && document.readyState === 'complete'")
}
