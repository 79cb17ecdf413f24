package journey

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"counterpart/internal/domain/cart"
	"counterpart/internal/domain/figure"
	"counterpart/internal/domain/order"
	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/payment"
	"counterpart/internal/domain/segment"
	"counterpart/internal/flow/drafting"
	"counterpart/internal/flow/pickup"
	"counterpart/internal/flow/settings"
)

var widths = []struct{ width, height int64 }{{390, 844}, {1280, 800}, {1920, 1080}}

// A page of the site, and who sees it.
type page struct {
	name, path, who string
}

// pages are every page with something on it, made ready by stage.
func stage(t *testing.T, p *place) (pages []page, people map[string]*person) {
	t.Helper()
	require.Eventually(t, func() bool {
		var left int
		require.NoError(t, p.DB.QueryRow(context.Background(),
			`SELECT count(*) FROM picture WHERE key IS NULL AND failed IS NULL`).Scan(&left))
		return left == 0
	}, 2*time.Minute, 200*time.Millisecond, "the pictures are drawn")

	people = map[string]*person{"stranger": p.person(t, 1280, 800), "shopper": p.person(t, 1280, 800),
		"associate": p.person(t, 1280, 800), "admin": p.person(t, 1280, 800), "member": p.person(t, 1280, 800),
		"newcomer": p.person(t, 1280, 800)}
	shopper := people["shopper"]
	shopper.visit("/stores")
	shopper.click(`form[action="/stores/leeds/choose"] button`)
	link := buy(shopper, "morning-mug", "Ada Fairweather-Cholmondeley", "ada@example.com")
	shopper.visit("/p/morning-mug")
	shopper.click("#add button")
	short := buy(shopper, "morning-mug", "Ada Fairweather-Cholmondeley", "ada@example.com")
	for _, slug := range []string{"fell-coat", "bear", "kitchen-radio"} {
		shopper.visit("/p/" + slug)
		shopper.click("#add button")
	}
	people["associate"].signIn(p.Accounts["Priya"])
	people["admin"].signIn(p.Accounts["Imogen"])
	people["member"].signIn(p.Accounts["Ada"])
	people["newcomer"].visit("/p/bear")
	people["newcomer"].click(`[formaction="/list"]`)
	people["newcomer"].sees("Added to your list")

	one := func(query string) (id int64) {
		require.NoError(t, p.DB.QueryRow(context.Background(), query).Scan(&id), query)
		return id
	}
	text := func(query string) (s string) {
		require.NoError(t, p.DB.QueryRow(context.Background(), query).Scan(&s), query)
		return s
	}
	ada := one(`SELECT customer_id FROM password`)
	double := one(fmt.Sprintf(`SELECT b.customer_id FROM identity a JOIN identity b ON b.value = a.value AND b.kind = 'phone' AND b.customer_id <> a.customer_id WHERE a.customer_id = %d`, ada))
	leeds := one(`SELECT id FROM location WHERE code = 'LDS'`)
	at := func(state string) int64 {
		return one(fmt.Sprintf(`SELECT id FROM fulfilment WHERE state = '%s' AND location_id = %d ORDER BY id DESC LIMIT 1`, state, leeds))
	}
	shortPart := one(fmt.Sprintf(`SELECT f.id FROM fulfilment f JOIN orders o ON o.id = f.order_id WHERE o.public_id = '%s'`, short[len("/orders/"):][:26]))
	require.NoError(t, pickup.NotFound(context.Background(), p.DB,
		origin.Origin{Channel: origin.Counter, LocationID: leeds, AssociateID: one(`SELECT min(id) FROM associate`),
			Language: "en"}, shortPart,
		one(fmt.Sprintf(`SELECT id FROM order_line WHERE fulfilment_id = %d`, shortPart)), 1))
	draft, sent := drafts(t, p, ada, leeds)
	paid := text(`SELECT public_id FROM orders WHERE payment_state = 'paid' ORDER BY id DESC LIMIT 1`)
	return []page{
		{"home", "/", "stranger"}, {"home-with-store", "/", "shopper"}, {"department", "/d/clothing",
			"shopper"}, {"department-narrow", "/d/clothing?o.Colour=Moss&stock=1&sort=price", "shopper"},
		{"department-none", "/d/clothing?min=5000", "stranger"}, {"search", "/search?q=wool",
			"shopper"}, {"search-misspelt", "/search?q=teepott", "stranger"}, {"search-none", "/search?q=zzzzqqq",
			"stranger"},
		{"product", "/p/fell-coat", "shopper"}, {"product-no-store", "/p/harbour-teapot?near=LS6",
			"stranger"}, {"product-unknown-place", "/p/harbour-teapot?near=Atlantis", "stranger"},
		{"stores", "/stores?near=York", "stranger"}, {"stores-member", "/stores", "member"}, {"store", "/stores/leeds",
			"shopper"}, {"cart", "/cart", "shopper"}, {"cart-empty", "/cart", "stranger"},
		{"checkout", "/checkout", "shopper"}, {"order", link, "stranger"}, {"order-choice", short,
			"stranger"}, {"counter-choice", fmt.Sprintf("/counter/pickups/%d", shortPart), "associate"},
		{"not-found", "/p/nothing", "stranger"}, {"sign-in", "/staff/sign-in", "stranger"}, {"mail", "/dev/mail",
			"stranger"},
		{"counter-queue", "/counter", "associate"}, {"counter-pick", fmt.Sprintf("/counter/pickups/%d", at("to_pick")),
			"associate"}, {"counter-ready", fmt.Sprintf("/counter/pickups/%d", at("ready")), "associate"},
		{"counter-collected", fmt.Sprintf("/counter/pickups/%d", at("collected")), "associate"}, {"counter-customer",
			fmt.Sprintf("/counter/customers/%d", one(`SELECT customer_id FROM cart WHERE state = 'open' LIMIT 1`)),
			"associate"},
		{"counter-member", fmt.Sprintf("/counter/customers/%d", ada), "associate"}, {"counter-compare",
			fmt.Sprintf("/counter/customers/%d/merge/%d", ada, double), "associate"},
		{"counter-new", fmt.Sprintf("/counter/customers/%d", double), "associate"}, {"staff-pin", "/staff/pin",
			"associate"}, {"staff-second", "/staff/second", "associate"}, {"staff-machine", "/staff/machine", "admin"},
		{"customer-sign-in", "/sign-in", "stranger"}, {"register", "/register", "stranger"}, {"forgotten", "/forgotten",
			"stranger"}, {"check-mail", "/check-your-mail", "stranger"}, {"dead-link", "/reset/AAAAAAAA", "stranger"},
		{"list-empty", "/list", "stranger"}, {"list-new", "/list", "newcomer"}, {"list", "/list", "member"}, {"account",
			"/account", "member"}, {"account-details", "/account/details", "member"},
		{"account-addresses", "/account/addresses", "member"}, {"account-privacy", "/account/privacy",
			"member"}, {"account-activity", "/account/activity", "member"}, {"member-cart", "/cart", "member"},
		{"admin-customers", "/admin/customers", "admin"}, {"admin-segment", "/admin/customers?orders=3&account=1",
			"admin"}, {"admin-nobody", "/admin/customers?q=zzzz", "admin"}, {"admin-customer",
			fmt.Sprintf("/admin/customers/%d", ada), "admin"},
		{"admin-staff", "/admin/staff", "admin"}, {"admin-associate",
			fmt.Sprintf("/admin/staff/%d", one(`SELECT id FROM associate WHERE role = 'manager'`)),
			"admin"}, {"admin-devices", "/admin/devices", "admin"}, {"admin-trail", "/admin/trail", "admin"},
		{"counter-article", "/counter/articles/AF102-01", "associate"}, {"counter-store", "/staff/store", "admin"},
		{"admin-orders", "/admin/orders", "admin"}, {"admin-orders-none", "/admin/orders?q=zzzz", "admin"},
		{"admin-drafts", "/admin/orders/drafts", "admin"}, {"admin-draft", fmt.Sprintf("/admin/orders/drafts/%d?find=mug", draft),
			"admin"}, {"admin-order-link", fmt.Sprintf("/admin/orders/%d", sent), "admin"}, {"order-link",
			"/orders/" + text(fmt.Sprintf(`SELECT public_id FROM orders WHERE id = %d`, sent)), "stranger"},
		{"admin-order",
			fmt.Sprintf("/admin/orders/%d", one(`SELECT max(id) FROM orders WHERE payment_state = 'paid'`)), "admin"},
		{"admin-products", "/admin/products", "admin"}, {"admin-products-none", "/admin/products?q=zzzz", "admin"},
		{"admin-product-new", "/admin/products/new", "admin"}, {"admin-departments", "/admin/departments?department=1",
			"admin"}, {"admin-product",
			fmt.Sprintf("/admin/products/%d", one(`SELECT id FROM product WHERE slug = 'quiet-headphones'`)),
			"admin"}, {"admin-stock", "/admin/stock?at=LDS", "admin"},
		{"admin-promotions", "/admin/promotions", "admin"}, {"admin-promotion-new", "/admin/promotions/new", "admin"},
		{"admin-promotion", fmt.Sprintf("/admin/promotions/%d?cart=%s",
			one(`SELECT id FROM promotion WHERE title LIKE 'Buy two mugs%'`),
			text(`SELECT code FROM cart WHERE state = 'open' ORDER BY id LIMIT 1`)), "admin"},
		{"admin-payments", "/admin/payments", "admin"}, {"admin-settings", "/admin/settings?delivery=1", "admin"},
		{"admin-suggestions", "/admin/suggestions", "admin"}, {"admin-points", "/admin/points", "admin"}, {"admin-tier", "/admin/tiers/1", "admin"}, {"admin-tier-new", "/admin/tiers/new", "admin"}, {"account-points", "/account/points", "member"}, {"admin-slot", "/admin/suggestions/places/product", "admin"}, {"admin-segments", "/admin/segments", "admin"}, {"admin-messages", "/admin/messages", "admin"}, {"admin-product-figures", "/admin/products/1/figures", "admin"},
		{"counter-book", "/counter/book", "associate"}, {"counter-history", fmt.Sprintf("/counter/customers/%d/history", ada), "associate"},
		{"counter-history-orders", fmt.Sprintf("/counter/customers/%d/history?part=orders", double), "associate"},
		{"admin-segment-new", "/admin/segments/new", "admin"}, {"admin-segment-edit", fmt.Sprintf("/admin/segments/%d", segmentOf(t, p, leeds)), "admin"}, {"admin-home", "/admin", "admin"}, {"admin-find", "/admin/find?q=mug", "admin"},
		{"admin-places", "/admin/places", "admin"}, {"admin-place", fmt.Sprintf("/admin/places/%d",
			one(`SELECT id FROM location WHERE code = 'LDS'`)), "admin"}, {"admin-place-new", "/admin/places/new", "admin"},
		{"admin-gift-cards", "/admin/gift-cards", "admin"}, {"admin-customer-new", "/admin/customers/new", "admin"},
		{"admin-jobs", "/admin/jobs", "admin"}, {"admin-stock-everywhere", "/admin/stock", "admin"},
		{"admin-look", "/admin/look", "admin"}, {"admin-pages", "/admin/pages", "admin"},
		{"admin-page-new", "/admin/pages/new?kind=faq", "admin"}, {"admin-page", fmt.Sprintf("/admin/pages/%d",
			one(`SELECT id FROM page WHERE kind = 'terms'`)), "admin"}, {"page", "/pages/terms", "stranger"},
		{"order-paid", "/orders/" + paid, "stranger"}, {"receipt", "/orders/" + paid + "/receipt",
			"stranger"}, {"counter-order", fmt.Sprintf("/counter/orders/%d",
			one(`SELECT max(id) FROM orders WHERE payment_state = 'paid'`)), "associate"},
		{"counter-return", fmt.Sprintf("/counter/orders/%d/return",
			one(`SELECT max(id) FROM orders WHERE payment_state = 'paid'`)), "associate"}, {"counter-due", fmt.Sprintf("/counter/orders/%d", one(`SELECT max(id) FROM orders WHERE payment_state = 'due'`)), "associate"},
		{"sale", fmt.Sprintf("/counter/sales/%d", ada), "associate"}, {"gift-cards", "/gift-cards",
			"stranger"}, {"gift-card", "/p/gift-card", "stranger"},
		{"admin-ledger", fmt.Sprintf("/admin/stock/LDS/%d",
			one(`SELECT variant_id FROM reservation WHERE released_at IS NULL AND location_id = (SELECT id FROM location WHERE code = 'LDS') ORDER BY id LIMIT 1`)), "admin"},
	}, people
}

// drafts are an order that staff prepare for somebody, and one that waits to be paid by its link.
func drafts(t *testing.T, p *place, customerID, store int64) (draft, sent int64) {
	t.Helper()
	ctx := context.Background()
	var by int64
	require.NoError(t, p.DB.QueryRow(ctx, `SELECT min(id) FROM associate`).Scan(&by))
	at := origin.Origin{Channel: origin.Phone, AssociateID: by, Language: "en"}
	to := order.DraftContact{Name: "Ada Fairweather-Cholmondeley", Email: "ada@example.com", Phone: "0113 496 0999",
		Lines: "Flat 2\n17 Orchard Street", Town: "Leeds", Postcode: "LS1 4DY"}
	var ids []int64
	for _, slugs := range [][]string{{"fell-coat", "morning-mug", "bear"}, {"harbour-teapot"}} {
		id, err := drafting.Begin(ctx, p.DB, at, drafting.Beginning{CustomerID: customerID, Stores: []int64{store}, Contact: to,
			Country: "GB"})
		require.NoError(t, err)
		for _, slug := range slugs {
			var variant int64
			require.NoError(t, p.DB.QueryRow(ctx, `SELECT v.id FROM variant v JOIN product p ON p.id = v.product_id
				WHERE p.slug = $1 AND v.active ORDER BY v.position LIMIT 1`, slug).Scan(&variant))
			require.NoError(t, drafting.Save(ctx, p.DB, at, id, drafting.Change{DraftContact: to, Country: "GB", Add: variant}))
		}
		v, err := drafting.Look(ctx, p.DB, id, "en")
		require.NoError(t, err)
		require.NoError(t, drafting.Save(ctx, p.DB, at, id, drafting.Change{DraftContact: to, Country: "GB",
			Lines: []drafting.LineChange{{LineID: v.Basket.Lines[0].ID, Quantity: 1, Way: cart.Way{Method: "ship"}}}}))
		ids = append(ids, id)
	}
	v, err := drafting.Look(ctx, p.DB, ids[1], "en")
	require.NoError(t, err)
	sent, err = drafting.Send(ctx, p.DB, at, ids[1], drafting.Sending{Expected: v.Basket.Quote.Total, Pay: payment.Card,
		Gateway: "sandbox"})
	require.NoError(t, err)
	return ids[0], sent
}

// buy puts the first variant of a product into the cart and reserves it; the answer is the order's address.
func buy(who *person, slug, name, email string) string {
	who.t.Helper()
	who.visit("/p/" + slug)
	who.click("#add button")
	who.click(`a[href="/checkout"]`)
	who.write("#f-name", name)
	who.write("#f-email", email)
	who.click(`button[name="place"]`)
	return who.location()[len(who.url):]
}

// TestEveryPage brings every page of the shop, the counter and the admin about once, and looks at all of them.
func TestEveryPage(t *testing.T) {
	p := open(t)
	pages, people := stage(t, p)
	t.Run("is accessible", func(t *testing.T) { accessible(t, pages, people) })
	t.Run("speaks through the text layer", func(t *testing.T) { pseudo(t, p, pages, people) })
	clean(t, p)
}

// accessible asks axe about every page on a phone and on a tablet, and about its dark colours: the people look at their
// pages side by side.
func accessible(t *testing.T, pages []page, people map[string]*person) {
	t.Run("as", func(t *testing.T) {
		for name, person := range people {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				who := *person
				who.t = t
				for _, page := range pages {
					if page.who != name {
						continue
					}
					who.dark(false)
					who.resize(widths[1].width, widths[1].height)
					who.visit(page.path)
					who.accessible(page.name + " on a tablet")
					who.resize(widths[0].width, widths[0].height)
					who.accessible(page.name + " on a phone")
					who.dark(true) // The same page in other colours, which no width changes.
					who.ask(page.name+" in the dark", `["color-contrast"]`)
				}
			})
		}
	})
}

// segmentOf makes a segment with one of every kind of condition.
func segmentOf(t *testing.T, p *place, store int64) int64 {
	s := segment.Segment{Title: "Tea drinkers of Leeds who have not come for long", Living: true, Tree: segment.Tree{Currency: "GBP",
		Groups: []segment.Group{{Match: segment.All, Conditions: []segment.Condition{
			{Field: "spent", Compare: segment.AtLeast, Number: 5000}, {Field: "last", Compare: segment.AtMost, Number: 365},
			{Field: "account", Compare: segment.Is, Text: "yes"}}},
			{Match: segment.Any, Conditions: []segment.Condition{
				{Field: "bought", Compare: segment.Is, Text: "harbour-teapot", Days: 400, Place: store},
				{Field: "department", Compare: segment.Is, Text: "kitchen-table"}, {Field: "looked", Compare: segment.Is,
					Text: "morning-mug", Number: 3, Days: 30}}},
			{Match: segment.None, Conditions: []segment.Condition{{Field: "tag", Compare: segment.Is, Text: "trade"}}}}}}
	require.NoError(t, figure.Rebuild(context.Background(), p.DB))
	require.NoError(t, settings.SaveSegment(context.Background(), p.DB, origin.Origin{AssociateID: 1}, &s))
	return s.ID
}
