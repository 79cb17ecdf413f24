package journey

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"counterpart/internal/adapter/sandbox/sandboxtest"
	"counterpart/internal/domain/giftcard"
	"counterpart/internal/domain/loyalty"
	"counterpart/internal/platform/pg"
)

// giftCard is one with an amount on it: its code.
func (p *place) giftCard(t *testing.T, amount int64) (code string) {
	t.Helper()
	ctx := context.Background()
	require.NoError(t, pg.InTx(ctx, p.DB, func(tx pgx.Tx) error {
		id, err := giftcard.Make(ctx, tx, giftcard.New{Currency: "GBP", Amount: amount})
		require.NoError(t, err)
		code, err = giftcard.Code(ctx, tx, id)
		return err
	}))
	return code
}

// one reads a single figure or word.
func one[T any](t *testing.T, p *place, query string, args ...any) (value T) {
	t.Helper()
	require.NoError(t, p.DB.QueryRow(context.Background(), query, args...).Scan(&value))
	return value
}

// look takes a picture where they are wanted.
func (p *person) look(name string) {
	if pictures := pictures(); pictures != "" {
		for _, size := range widths {
			p.resize(size.width, size.height)
			p.shot(fmt.Sprintf("%s/%s-%d.png", pictures, name, size.width))
		}
		p.resize(widths[0].width, widths[0].height)
	}
}

// payWith types a card on the gateway's page and answers the bank.
func (p *person) payWith(card string) {
	p.t.Helper()
	p.write("#number", card)
	p.click("main form button")
	if card == sandboxtest.Secure {
		p.sees("Your bank needs to check")
		p.click(`button[value="yes"]`)
	}
}

// TestAMixedOrderFromTheCartToTheReturn is the whole money path in a browser: pickup and delivery in one cart, a
// promotion, a code, a gift card, points and a card with 3-D Secure; then collected, sent, partly returned at another
// store and exchanged.
func TestAMixedOrderFromTheCartToTheReturn(t *testing.T) {
	p := open(t)
	ctx := context.Background()
	shopper, associate := p.person(t, 390, 844), p.person(t, 1280, 800)
	shopper.signIn(p.Accounts["Ada"])
	ada := one[int64](t, p,
		`SELECT coalesce(c.merged_into, c.id) FROM identity i JOIN customer c ON c.id = i.customer_id WHERE i.kind = 'email' AND i.value = $1 AND i.verified_at IS NOT NULL`, p.Accounts["Ada"].Email)
	require.NoError(t, pg.InTx(ctx, p.DB, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx,
			`DELETE FROM cart_line WHERE cart_id IN (SELECT id FROM cart WHERE customer_id = $1 AND state = 'open')`,
			ada)
		require.NoError(t, err)
		return loyalty.Give(ctx, tx, loyalty.Grant{CustomerID: ada, Points: 1000, Cause: "given",
			Vests: time.Now().Add(-time.Hour)})
	}))
	code := p.giftCard(t, 2500)

	// Three mugs to collect at Leeds, a coat to be sent.
	shopper.visit("/p/morning-mug")
	shopper.sees("Collect at Leeds")
	shopper.write("#f-quantity", "3")
	shopper.look("product")
	shopper.click("#add .button")
	shopper.sees("Buy two mugs, get a third half price")
	shopper.visit("/p/fell-coat")
	shopper.do(chromedp.Click(chromedp.CSS(`input[name="way"][value="ship"]`)))
	shopper.click("#add .button")
	shopper.sees("Standard delivery")
	shopper.write("#f-code", "fern5")
	shopper.click(".code-entry button")
	shopper.sees("FERN5")
	shopper.look("cart-mixed")

	// At the checkout: the address, a gift card, points, and the rest by card.
	shopper.click(`a[href="/checkout"]`)
	shopper.write("#f-lines", "12 Chapel Walk")
	shopper.write("#f-town", "Sheffield")
	shopper.write("#f-postcode", "s1 2pd")
	shopper.do(chromedp.Click(chromedp.CSS(`details.towards:nth-of-type(2) summary`)))
	shopper.write("#f-gift_card", "ABCD-EFGH-JKLM-NPQR")
	shopper.click(`button[value="gift-card"]`)
	shopper.sees("We can’t find a gift card with that code")
	require.Equal(t, "12 Chapel Walk", shopper.value("#f-lines"), "what was typed is kept")
	shopper.write("#f-gift_card", code)
	shopper.click(`button[value="gift-card"]`)
	shopper.sees("Card ending in " + code[len(code)-4:])
	shopper.do(chromedp.Click(chromedp.CSS(`details.towards:nth-of-type(3) summary`)))
	shopper.write("#f-points", "1000")
	shopper.click(`button[value="points"]`)
	shopper.sees("1000 points")
	shopper.do(chromedp.Click(chromedp.CSS(`input[name="pay"][value="card"]`)))
	shopper.look("checkout-mixed")
	shopper.accessible("checkout")
	if pictures() != "" {
		shopper.dark(true)
		shopper.look("checkout-mixed-dark")
		shopper.dark(false)
	}
	shopper.click(`button[name="place"]`)

	// Declined, then tried again with a card whose bank asks.
	shopper.sees("Sandbox: no real money moves here")
	shopper.look("gateway")
	shopper.payWith(sandboxtest.Declined)
	shopper.sees("Payment unsuccessful")
	shopper.look("order-declined")
	shopper.accessible("declined order")
	shopper.click(".pay-order button")
	shopper.payWith(sandboxtest.Secure)
	shopper.sees("Thank you. We’re on it.")
	shopper.look("order-mixed")
	shopper.accessible("mixed order")
	link := shopper.location()[len(p.URL):]
	orderID := one[int64](t, p, `SELECT id FROM orders WHERE public_id = $1`, strings.TrimPrefix(link, "/orders/"))
	total := one[int64](t, p, `SELECT total FROM orders WHERE id = $1`, orderID)
	p.mailed(t, p.Accounts["Ada"].Email, "is confirmed", "12 Chapel Walk")

	// The mugs are fetched and collected, with nothing to pay; the coat is packed and sent where it lies.
	associate.signIn(p.Accounts["Tomasz"])
	associate.visit("/counter")
	pick := one[int64](t, p, `SELECT id FROM fulfilment WHERE order_id = $1 AND method = 'pickup'`, orderID)
	associate.visit(fmt.Sprintf("/counter/pickups/%d", pick))
	associate.write("#f-place", "Shelf A1")
	associate.pickAll()
	associate.click(".pickup-do .is-large")
	pickup := one[string](t, p, `SELECT code FROM fulfilment WHERE id = $1`, pick)
	associate.search(pickup)
	associate.sees("Already paid")
	associate.click(".pickup-do .is-large")
	associate.sees("Handed over")
	shopper.sees("Collected. Enjoy!")
	require.Eventually(t, func() bool {
		return one[string](t, p, `SELECT payment_state FROM orders WHERE id = $1`, orderID) == "paid"
	}, 20*time.Second, 50*time.Millisecond, "the money is taken when the first goods are handed over")
	parcel := one[int64](t, p, `SELECT id FROM fulfilment WHERE order_id = $1 AND method = 'ship'`, orderID)
	packer := p.person(t, 1280, 800)
	packer.signIn(p.Accounts["Imogen"])
	packer.visit("/staff/store")
	packer.click(fmt.Sprintf(`button[value="%s"]`, one[string](t, p,
		`SELECT l.code FROM fulfilment f JOIN location l ON l.id = f.location_id WHERE f.id = $1`, parcel)))
	packer.visit(fmt.Sprintf("/counter/pickups/%d", parcel))
	packer.sees("12 Chapel Walk")
	packer.lookAt("counter-pack")
	packer.accessible("pack")
	packer.write("#f-tracking", "PP 1234 5678 9GB")
	packer.pickAll()
	packer.click(".pickup-do .is-large")
	packer.sees("We’ve told the customer")
	shopper.sees("On its way to you")
	p.mailed(t, p.Accounts["Ada"].Email, "is on its way", "PP 1234 5678 9GB")

	// One mug comes back at York, and is exchanged for another colour there.
	associate.visit("/staff/store")
	associate.click(`button[value="YRK"]`)
	associate.visit("/counter")
	associate.search(fmt.Sprint(one[int64](t, p, `SELECT number FROM orders WHERE id = $1`, orderID)))
	associate.lookAt("counter-order")
	associate.click(`a[href$="/return"]`)
	line := one[int64](t, p, `SELECT id FROM order_line WHERE order_id = $1 ORDER BY position LIMIT 1`, orderID)
	associate.write(fmt.Sprintf("#f-quantity-%d", line), "1")
	associate.write("#f-article", "AF102-02")
	associate.click(`.return-sum .is-secondary`)
	associate.sees("towards the exchange")
	associate.lookAt("counter-return")
	associate.accessible("return")
	associate.click(`button[name="confirm"]`)
	associate.sees("Returned.")
	associate.lookAt("counter-returned")
	shopper.visit(link)
	shopper.sees("Returned")
	shopper.look("order-returned")
	require.Equal(t, total, one[int64](t, p, `
		SELECT sum(u.paid)::bigint + (SELECT sum(paid) FROM fulfilment WHERE order_id = $1)::bigint
		FROM order_unit u
		JOIN order_line l ON l.id = u.order_line_id
		WHERE l.order_id = $1`, orderID))
	clean(t, p)
}

// lookAt takes one picture, of a page at the counter.
func (p *person) lookAt(name string) {
	if pictures := pictures(); pictures != "" {
		p.shot(fmt.Sprintf("%s/%s.png", pictures, name))
	}
}

func pictures() string { return os.Getenv("SHOTS") }

// TestAnOrderIsCalledOff pays by card and cancels: the promise is given up, and the goods are free again.
func TestAnOrderIsCalledOff(t *testing.T) {
	p := open(t)
	shopper := p.person(t, 390, 844)
	shopper.visit("/p/morning-mug")
	shopper.click(`form[action="/stores/leeds/choose"] button`)
	shopper.click("#add .button")
	shopper.click(`a[href="/checkout"]`)
	shopper.write("#f-email", "una@example.com")
	shopper.write("#f-name", "Una Quill")
	shopper.do(chromedp.Click(chromedp.CSS(`input[name="pay"][value="card"]`)))
	shopper.click(`button[name="place"]`)
	shopper.payWith(sandboxtest.Good)
	shopper.sees("Reserved. We’re setting it aside.")
	shopper.do(chromedp.Click(chromedp.CSS(".order-do summary")))
	shopper.click(".order-do .is-danger")
	shopper.sees("This order is cancelled")
	require.Eventually(t, func() bool { return one[string](t, p, `SELECT state FROM sandbox.payment`) == "void" },
		20*time.Second, 50*time.Millisecond)
	clean(t, p)
}

// TestACounterSellsWhatSomebodyHolds scans, attaches the customer, takes cash and gives change.
func TestACounterSellsWhatSomebodyHolds(t *testing.T) {
	p := open(t)
	associate := p.person(t, 1280, 800)
	associate.signIn(p.Accounts["Priya"])
	associate.visit("/counter")
	associate.click(".counter-sale button")
	associate.lookAt("sale-empty")
	associate.write("#f-article", "AF102-01")
	associate.click(".add-article button")
	associate.write("#f-who", p.Accounts["Ada"].Email)
	associate.click(`.sale-who form button`)
	associate.sees("Ada")
	associate.lookAt("sale")
	associate.accessible("sale")
	associate.do(chromedp.Click(chromedp.CSS(`.tenders label:has([value="cash"])`)))
	associate.write("#f-given", "20")
	associate.click(`.sale-pay form[action$="/pay"] .is-large`)
	associate.sees("Sold and paid.")
	associate.sees("change")
	associate.lookAt("sale-done")
	associate.accessible("sold")
	clean(t, p)
}

// TestALostPromiseIsPaidAgain: the bank lets go of what it promised, the shopper is told, and pays once more.
func TestALostPromiseIsPaidAgain(t *testing.T) {
	p := open(t)
	shopper := p.person(t, 390, 844)
	shopper.visit("/p/morning-mug")
	shopper.click(`form[action="/stores/leeds/choose"] button`)
	shopper.click("#add .button")
	shopper.click(`a[href="/checkout"]`)
	shopper.write("#f-email", "una@example.com")
	shopper.write("#f-name", "Una Quill")
	shopper.do(chromedp.Click(chromedp.CSS(`input[name="pay"][value="card"]`)))
	shopper.click(`button[name="place"]`)
	shopper.payWith(sandboxtest.Good)
	shopper.sees("Reserved. We’re setting it aside.")
	require.NoError(t, p.Company.Gateway().Void(context.Background(),
		one[string](t, p, `SELECT id FROM sandbox.payment`), "let go"))
	shopper.sees("Your payment authorisation expired")
	p.mailed(t, "una@example.com", "please pay again")
	shopper.look("order-lost")
	shopper.accessible("order that is to be paid again")
	associate := p.person(t, 1280, 800)
	associate.signIn(p.Accounts["Priya"])
	associate.visit(fmt.Sprintf("/counter/orders/%d", one[int64](t, p, `SELECT max(id) FROM orders`)))
	associate.sees("To pay")
	associate.lookAt("counter-due")
	associate.accessible("order to be paid at the counter")
	shopper.click(".pay-order button")
	shopper.payWith(sandboxtest.Secure)
	shopper.sees("Reserved. We’re setting it aside.")
	require.Equal(t, "authorised", one[string](t, p, `SELECT payment_state FROM orders ORDER BY id DESC LIMIT 1`))
	clean(t, p)
}
