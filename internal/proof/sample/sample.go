// Package sample is one small chain, told as data, that the tests share: two stores in Britain, one in New York, a mug
// and a coat.
package sample

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"counterpart/internal/domain/catalog"
	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/inventory"
	"counterpart/internal/domain/location"
	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/payment"
	"counterpart/internal/domain/session"
	"counterpart/internal/domain/staff"
	"counterpart/internal/domain/tax"
	"counterpart/internal/flow/checkout"
	"counterpart/internal/flow/shopping"
	"counterpart/internal/platform/pg"
	"counterpart/internal/query/basket"
)

// Chain is who and what there is. Harbour Street has ten mugs, Mill Lane two, and one coat each.
type Chain struct {
	HarbourStreet, MillLane, Broadway location.Location
	Mug, BlueMug, Coat                int64 // variants
	Bea                               staff.Associate
}

// Password of every associate of the chain.
const Password = "a sentence to remember"

// Load writes the chain.
func Load(t testing.TB, db pg.DB) *Chain {
	t.Helper()
	ctx := context.Background()
	var c Chain
	err := pg.InTx(ctx, db, func(tx pgx.Tx) error {
		_, err := location.CreateShop(ctx, tx, location.Shop{Name: "Sample", Languages: []string{"en"}})
		require.NoError(t, err)
		for _, rate := range []tax.Rate{{Country: "GB", Class: "standard", Name: "VAT 20%", PPM: 200_000},
			{Country: "US", Region: "NY", Class: "standard", Name: "Sales tax", PPM: 88_750},
			{Country: "GB", Class: "zero", Name: "Zero rate"}, {Country: "US", Region: "NY", Class: "zero",
				Name: "Zero rate"}} {
			require.NoError(t, tax.Set(ctx, tx, rate))
		}
		c.HarbourStreet = store("HAR", "harbour-street", "Harbour Street",
			place{"GB", "", "Europe/London", "GBP", true})
		c.MillLane = store("MIL", "mill-lane", "Mill Lane", place{"GB", "", "Europe/London", "GBP", true})
		c.Broadway = store("BWY", "broadway", "Broadway", place{"US", "NY", "America/New_York", "USD", false})
		for _, l := range []*location.Location{&c.HarbourStreet, &c.MillLane, &c.Broadway} {
			require.NoError(t, location.Create(ctx, tx, l))
			require.NoError(t, catalog.OpenPriceList(ctx, tx, l.Currency, l.TaxIncluded))
		}
		c.Bea = staff.Associate{Name: "Bea Quill", Email: "bea@example.com", Role: staff.RoleManager,
			Locations: []int64{c.HarbourStreet.ID}}
		require.NoError(t, staff.Create(ctx, tx, &c.Bea, Password))

		prices := func(gbp, usd int64) []catalog.Price {
			return []catalog.Price{{Currency: "GBP", TaxIncluded: true, Amount: gbp}, {Currency: "USD", Amount: usd}}
		}
		mug, err := catalog.Put(ctx, tx, catalog.Product{Slug: "mug", Title: "Stoneware mug", Language: "en",
			Options: []string{"Colour"}, Categories: []catalog.Category{{Path: []string{"Kitchen"}}},
			Variants: []catalog.Variant{
				{SKU: "MUG-W", Options: []string{"White"}, TaxClass: "standard", GTIN: "04006381333931",
					Prices: prices(1200, 1500)},
				{SKU: "MUG-B", Options: []string{"Blue"}, TaxClass: "standard", Prices: prices(1250, 1550)},
			}})
		require.NoError(t, err)
		coat, err := catalog.Put(ctx, tx, catalog.Product{Slug: "coat", Title: "Harbour coat", Language: "en",
			Categories: []catalog.Category{{Path: []string{"Clothing"}}}, Variants: []catalog.Variant{
				{SKU: "COAT", TaxClass: "standard", Prices: prices(18900, 21900)},
			}})
		require.NoError(t, err)
		c.Mug, c.BlueMug, c.Coat = mug.Variants["MUG-W"], mug.Variants["MUG-B"], coat.Variants["COAT"]
		return inventory.Receive(ctx, tx, []inventory.Move{
			{VariantID: c.Mug, LocationID: c.HarbourStreet.ID, Delta: 10}, {VariantID: c.BlueMug,
				LocationID: c.HarbourStreet.ID, Delta: 10}, {VariantID: c.Mug, LocationID: c.MillLane.ID, Delta: 2},
			{VariantID: c.Coat, LocationID: c.HarbourStreet.ID, Delta: 1}, {VariantID: c.Mug, LocationID: c.Broadway.ID,
				Delta: 5},
		}, inventory.Reason{Channel: "api", Reason: "opening stock"})
	})
	require.NoError(t, err)
	return &c
}

// place is what a store's country decides.
type place struct {
	country, region, zone, currency string
	taxIncluded                     bool
}

// store is open all week around the clock but for a minute, so that tests do not depend on when they run.
func store(code, slug, name string, at place) location.Location {
	l := location.Location{Code: code, Slug: slug, Kind: "store", Name: name, Country: at.country, Region: at.region,
		Latitude: 53.8, Longitude: -1.55, TimeZone: at.zone, Currency: at.currency, TaxIncluded: at.taxIncluded,
		Pickup: true}
	for weekday := 1; weekday <= 7; weekday++ {
		l.Hours = append(l.Hours, location.Hours{Weekday: weekday, Opens: 0, Closes: 23*60 + 59, Preparation: 60})
	}
	return l
}

// Ada makes a customer with some of a variant in the cart, to be collected at a store.
func (c *Chain) Ada(t testing.TB, db pg.DB, variant int64, quantity int, at location.Location) (customerID int64) {
	t.Helper()
	ctx := context.Background()
	err := pg.InTx(ctx, db, func(tx pgx.Tx) (err error) {
		customerID, err = customer.Create(ctx, tx, "Ada", "en", "web")
		return err
	})
	require.NoError(t, err)
	require.NoError(t, shopping.AddFor(ctx, db, origin.Origin{Channel: origin.Web, Language: "en"}, customerID,
		shopping.Item{VariantID: variant, Quantity: quantity, LocationID: at.ID}))
	return customerID
}

// Account makes a customer with an account that is signed in: a proven email, a card, and the secret of a session.
func Account(t testing.TB, db pg.DB, name, email string) (customerID int64, token string) {
	t.Helper()
	ctx := context.Background()
	require.NoError(t, pg.InTx(ctx, db, func(tx pgx.Tx) (err error) {
		if customerID, err = customer.Create(ctx, tx, name, "en", "web"); err != nil {
			return err
		}
		if err := customer.Verify(ctx, tx, customerID, customer.Email, email, "web"); err != nil {
			return err
		}
		if err := customer.Register(ctx, tx, customerID, name); err != nil {
			return err
		}
		if _, err := customer.IssueCard(ctx, tx, customerID); err != nil {
			return err
		}
		token, err = session.BeginShopper(ctx, tx, customerID, session.ByLink, "Firefox, Linux")
		return err
	}))
	return customerID, token
}

// Placed is an order that a person placed online, to be collected and paid at a store.
type Placed struct{ Customer, Order, Line, Fulfilment int64 }

// Order places one of a variant for Ada.
func (c *Chain) Order(t testing.TB, db pg.DB, variant int64, quantity int, at location.Location) (p Placed) {
	t.Helper()
	ctx := context.Background()
	p.Customer = c.Ada(t, db, variant, quantity, at)
	b, err := basket.Load(ctx, db, p.Customer, "en")
	require.NoError(t, err)
	placed, err := checkout.Place(ctx, db, origin.Origin{Channel: origin.Web, Language: "en"}, checkout.Request{
		CustomerID: p.Customer, CartID: b.CartID, Expected: b.Quote.Total, Name: "Ada", Email: "ada@example.com",
		Pay: payment.PayAtPickup})
	require.NoError(t, err)
	p.Order = placed.ID
	require.NoError(t, db.QueryRow(ctx, `SELECT id, fulfilment_id FROM order_line WHERE order_id = $1`, p.Order).
		Scan(&p.Line, &p.Fulfilment))
	return p
}
