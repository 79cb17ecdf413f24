package journey

import (
	"testing"

	"github.com/stretchr/testify/require"

	"counterpart/internal/platform/pg/pgtest"
)

// TestSampleProducts fills an empty shop to try it, orders one of them, and takes them away again.
func TestSampleProducts(t *testing.T) {
	pool, address := pgtest.Database(t)
	p := serve(t, pool, address, t.TempDir(), "the-one-time-link")
	boss, shopper := p.person(t, 1280, 800), p.person(t, 390, 844)
	boss.openShop()
	boss.visit("/admin")
	boss.click(`button[value="add"]`)
	boss.sees("There are sample products in your shop")
	boss.sees("Put the first product on sale") // which is still to be done
	boss.lookAt("day-sample-home")
	boss.visit("/admin/products")
	boss.sees("Harbour teapot")

	// The first order, to collect: the store has hours from the set-up.
	link := buy(shopper, "sample-morning-mug", "Ada Byron", "ada@example.com")
	shopper.visit("/p/sample-bear")
	shopper.click("#add button")

	for range 2 { // pressed twice it is taken away once
		boss.visit("/admin")
		if one[bool](t, p, `SELECT EXISTS (SELECT FROM product WHERE sample AND status <> 'archived')`) {
			boss.click(`button[value="remove"]`)
		}
	}
	boss.sees("Add sample products")
	boss.visit("/admin/products")
	boss.sees("No products yet")
	shopper.visit("/cart")
	shopper.sees("Your cart is empty")
	shopper.visit(link)
	shopper.sees("Reserved") // what was ordered stays ordered
	require.Zero(t, one[int](t, p, `SELECT count(*)::int FROM category`))
	require.Equal(t, 1, one[int](t, p, `SELECT sum(on_hand)::int FROM stock_level`), "but for what is reserved")
	boss.visit("/admin")
	boss.click(`button[value="add"]`)
	boss.sees("There are sample products in your shop")
	clean(t, p)
}
