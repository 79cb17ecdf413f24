package journey

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/chromedp/chromedp"

	"counterpart/internal/adapter/sandbox/sandboxtest"
)

// TestAnOrderByPhone takes an order for somebody who rings up: found, priced, sent as a link and paid on their phone;
// then something is added to it, a part of its price goes back, and the rest of it is called off.
func TestAnOrderByPhone(t *testing.T) {
	p := open(t)
	office, buyer := p.person(t, 1280, 800), p.person(t, 390, 844)
	office.signIn(p.Accounts["Imogen"])
	ada := one[int64](t, p,
		`SELECT coalesce(c.merged_into, c.id) FROM identity i JOIN customer c ON c.id = i.customer_id WHERE i.kind = 'email' AND i.value = $1 AND i.verified_at IS NOT NULL`, p.Accounts["Ada"].Email)
	own := one[int](t, p, `SELECT count(*)::int FROM cart_line WHERE cart_id = (SELECT id FROM cart WHERE customer_id = $1
		AND state = 'open')`, ada)

	office.visit("/admin/customers/" + fmt.Sprint(ada))
	office.click(`form[action="/admin/orders/drafts"] button`)
	office.sees("Nothing yet")
	office.write("#f-find", "AF130-01")
	office.click(`button[value="find"]`)
	office.click(`.draft-found button`)
	office.sees("Fell coat")
	office.eventually(`(document.querySelector(".draft-how select").value = "ship") === "ship"`)
	office.write("#f-name", "Ada Byron")
	office.click(`#total button[value="save"]`)
	office.sees("Deliver to")
	office.eventually(fmt.Sprintf(`(document.querySelector("#f-store").value = "%d") !== ""`,
		one[int64](t, p, `SELECT id FROM location WHERE code = 'LDS'`)))
	office.write("#f-lines", "12 Chapel Walk")
	office.write("#f-town", "Sheffield")
	office.write("#f-postcode", "nowhere")
	office.click(`button[value="send"]`)
	office.sees("That isn’t a valid postcode")
	office.look("draft-error")
	require.Equal(t, "12 Chapel Walk", office.value("#f-lines"), "what was typed is kept")
	office.write("#f-postcode", "s1 2pd")
	office.click(`button[value="send"]`)
	office.sees("Waiting for payment by link")
	order := one[int64](t, p, `SELECT max(id) FROM orders`)
	link := one[string](t, p, `SELECT public_id FROM orders WHERE id = $1`, order)
	require.Equal(t, own, one[int](t, p, `SELECT count(*)::int FROM cart_line WHERE cart_id = (SELECT id FROM cart
		WHERE customer_id = $1 AND state = 'open')`, ada), "their own cart is as it was")

	// It is their store's, though a warehouse sends it: its manager finds it.
	manager := p.person(t, 1280, 800)
	manager.signIn(p.Accounts["Tomasz"])
	manager.visit("/admin/orders/" + fmt.Sprint(order))
	manager.sees("Waiting for payment by link")
	manager.sees("Leeds")

	buyer.visit("/orders/" + link)
	buyer.sees("Your order is ready to pay")
	buyer.sees("By paying, you agree to")
	buyer.click(`.pay-order button`)
	buyer.payWith(sandboxtest.Good)
	buyer.sees("We’re packing it")
	require.Equal(t, "terms", one[string](t, p, `SELECT g.kind FROM orders o JOIN page_version v ON v.id = o.terms_id
		JOIN page g ON g.id = v.page_id WHERE o.id = $1`, order), "what they agreed to")

	// A mug more, in the same parcel.
	office.visit("/admin/orders/" + fmt.Sprint(order))
	office.click(`form[action="/admin/orders/drafts"] button`)
	office.sees("Add to order")
	office.write("#f-find", "AF102")
	office.click(`button[value="find"]`)
	office.click(`.draft-found button`)
	office.sees("It goes with order")
	office.click(`button[value="send"]`)
	office.sees("Added to order")

	// It is called off, with why.
	office.do(chromedp.Click(chromedp.CSS(`summary:has(+ form[action$="/cancel"])`)))
	office.click(`form[action$="/cancel"] button`)
	office.sees("Say why")
	office.look("order-cancel-error")
	office.write("#f-cancel-reason", "they changed their mind")
	office.click(`form[action$="/cancel"] button`)
	office.sees("they changed their mind")

	// Somebody's parcel came late: a part of what they paid goes back.
	office.visit(fmt.Sprintf("/admin/orders/%d", one[int64](t, p, `SELECT max(o.id) FROM orders o JOIN tender t ON t.order_id = o.id
		WHERE o.payment_state = 'paid' AND t.kind = 'terminal' AND o.total > 500`)))
	office.do(chromedp.Click(chromedp.CSS(`summary:has(+ form[action$="/refund"])`)))
	office.write("#f-amount", "a lot")
	office.write("#f-refund-reason", "came late")
	office.click(`form[action$="/refund"] button`)
	office.sees("Enter an amount above zero")
	office.write("#f-amount", "2.50")
	office.click(`form[action$="/refund"] button`)
	office.sees("£2.50 refunded")
	clean(t, p)
}
