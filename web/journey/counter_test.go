package journey

import (
	"context"
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"counterpart/internal/adapter/sandbox/sandboxtest"
)

// TestNothingIsSpentThatNobodyPressedFor orders as a member with points, who touches nothing on the way.
func TestNothingIsSpentThatNobodyPressedFor(t *testing.T) {
	p := open(t)
	ada := p.person(t, 390, 844)
	ada.signIn(p.Accounts["Ada"])
	spendable := `SELECT coalesce(sum(remaining), 0)::bigint FROM points_lot WHERE customer_id = (SELECT customer_id FROM password ORDER BY customer_id LIMIT 1)`
	before := one[int64](t, p, spendable)
	require.Positive(t, before, "she has points")
	orders := one[int64](t, p, `SELECT count(*) FROM orders`)
	ada.visit("/p/morning-mug")
	ada.click("#add .button")
	ada.click(`a[href="/checkout"]`)
	ada.do(chromedp.Click(chromedp.CSS(`input[name="pay"][value="pay_at_pickup"]`)))
	ada.click(`button[name="place"]`)
	ada.sees("Reserved")
	require.Equal(t, orders+1, one[int64](t, p, `SELECT count(*) FROM orders`))
	require.Zero(t, one[int64](t, p,
		`SELECT count(*) FROM tender WHERE kind = 'points' AND order_id = (SELECT max(id) FROM orders)`))
	require.Equal(t, before, one[int64](t, p, spendable))
	clean(t, p)
}

// TestPickingIsTickedAndKeysWork picks an order by scan and by tap, puts it on a free shelf, and finds its way by keys.
func TestPickingIsTickedAndKeysWork(t *testing.T) {
	p := open(t)
	ctx := context.Background()
	associate := p.person(t, 1280, 800)
	associate.signIn(p.Accounts["Priya"])
	part := one[int64](t, p, `
		SELECT f.id
		FROM fulfilment f
		JOIN location l ON l.id = f.location_id AND l.code = 'LDS'
		WHERE f.state = 'to_pick' AND f.method = 'pickup'
		ORDER BY (SELECT sum(quantity) FROM order_line WHERE fulfilment_id = f.id) DESC, f.id
		LIMIT 1`)
	pieces := one[int64](t, p, fmt.Sprintf(`SELECT sum(quantity) FROM order_line WHERE fulfilment_id = %d`, part))
	sku := one[string](t, p,
		fmt.Sprintf(`SELECT sku FROM order_line WHERE fulfilment_id = %d ORDER BY position LIMIT 1`, part))
	_, err := p.DB.Exec(ctx,
		`UPDATE fulfilment SET place = 'Box 9' WHERE id = (SELECT f.id FROM fulfilment f JOIN location l ON l.id = f.location_id AND l.code = 'LDS' WHERE f.state = 'collected' AND f.method = 'pickup' ORDER BY f.ready_at DESC NULLS LAST LIMIT 1)`)
	require.NoError(t, err)
	associate.visit(fmt.Sprintf("/counter/pickups/%d", part))
	associate.sees(fmt.Sprintf("0 of %d picked", pieces))
	other := p.person(t, 1280, 800)
	other.signIn(p.Accounts["Priya"])
	other.visit(fmt.Sprintf("/counter/pickups/%d", part))
	other.sees(fmt.Sprintf("0 of %d picked", pieces))
	associate.write("#q", sku)
	associate.script(`document.querySelector(".counter-search").requestSubmit()`)
	associate.sees(fmt.Sprintf("1 of %d picked", pieces))
	require.Equal(t, fmt.Sprintf("/counter/pickups/%d", part), associate.location()[len(p.URL):],
		"a scan of what is picked is no search")
	other.sees(fmt.Sprintf("1 of %d picked", pieces)) // at another till
	for n := int64(2); n <= pieces; n++ {
		associate.do(chromedp.Click(chromedp.CSS(`.tick:not([aria-pressed="true"])`)))
		associate.sees(fmt.Sprintf("%d of %d picked", n, pieces))
	}
	associate.lookAt("picked")
	associate.accessible("picked")
	associate.click(`.places button[value="Box 9"]`)
	associate.sees("We’ve told the customer")
	require.Equal(t, "ready Box 9", one[string](t, p,
		fmt.Sprintf(`SELECT state || ' ' || place FROM fulfilment WHERE id = %d`, part)))

	press := func(key string) {
		associate.script(fmt.Sprintf(`document.activeElement.blur(); document.body.dispatchEvent(new KeyboardEvent("keydown", {key: %q, bubbles: true, cancelable: true}))`, key))
	}
	press("?")
	associate.eventually(`document.querySelector("[data-keys]").open`)
	associate.lookAt("keys")
	associate.script(`document.querySelector("[data-keys]").close()`)
	press("ArrowDown")
	associate.eventually(`document.activeElement.matches("a.row")`)
	press("n")
	associate.eventually(`location.pathname.startsWith("/counter/sales/")`)

	// The caret is where the error is.
	associate.visit("/counter/pickups/" + fmt.Sprint(part))
	associate.write("#f-code", "000000")
	if associate.text(".tenders") != "" {
		associate.do(chromedp.Click(chromedp.CSS(`.tenders label:has([value="terminal"])`)))
	}
	associate.click(".pickup-do .is-large")
	associate.eventually(`document.activeElement.id === "f-code"`)
	clean(t, p)
}

// TestAStockKeeperPacksAndSends sends from the warehouse what it has.
func TestAStockKeeperPacksAndSends(t *testing.T) {
	p := open(t)
	shopper := p.person(t, 390, 844)
	shopper.visit("/p/fell-coat")
	shopper.click(`form[action="/stores/leeds/choose"] button`)
	shopper.do(chromedp.Click(chromedp.CSS(`input[name="way"][value="ship"]`)))
	shopper.click("#add .button")
	shopper.click(`a[href="/checkout"]`)
	shopper.write("#f-name", "Una Quill")
	shopper.write("#f-email", "una@example.com")
	shopper.write("#f-lines", "12 Chapel Walk")
	shopper.write("#f-town", "Sheffield")
	shopper.write("#f-postcode", "s1 2pd")
	shopper.do(chromedp.Click(chromedp.CSS(`input[name="pay"][value="card"]`)))
	shopper.click(`button[name="place"]`)
	shopper.payWith(sandboxtest.Good)
	shopper.sees("Order again")

	keeper := p.person(t, 1280, 800)
	keeper.signIn(p.Accounts["Marcus"])
	keeper.visit("/staff/store")
	keeper.click(`button[name="store"][value="WH1"]`)
	keeper.eventually(`location.pathname === "/counter" && document.readyState === "complete"`)
	part := one[int64](t, p,
		`SELECT f.id FROM fulfilment f JOIN location l ON l.id = f.location_id AND l.code = 'WH1' WHERE f.method = 'ship' AND f.state = 'to_pick' ORDER BY f.id LIMIT 1`)
	keeper.lookAt("stockroom")
	keeper.visit(fmt.Sprintf("/counter/pickups/%d", part))
	keeper.lookAt("stockroom-pack")
	keeper.accessible("packing")
	keeper.write("#f-tracking", "PP123456789GB")
	keeper.pickAll()
	keeper.click(".pickup-do .is-large")
	require.Equal(t, "shipped PP123456789GB", one[string](t, p,
		fmt.Sprintf(`SELECT state || ' ' || tracking FROM fulfilment WHERE id = %d`, part)))
	clean(t, p)
}
