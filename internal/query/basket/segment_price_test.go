package basket_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"counterpart/internal/domain/catalog"
	"counterpart/internal/domain/figure"
	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/segment"
	"counterpart/internal/flow/assortment"
	"counterpart/internal/flow/settings"
	"counterpart/internal/flow/shopping"
	"counterpart/internal/platform/pg/pgtest"
	"counterpart/internal/proof/audit"
	"counterpart/internal/proof/sample"
	"counterpart/internal/query/basket"
	"counterpart/internal/query/reference"
	"counterpart/internal/query/shop"
)

// A price for a segment is on the product's page, on cards and in the cart of whoever is in it, and nobody else's.
func TestAPriceForASegment(t *testing.T) {
	ctx := context.Background()
	db, _ := pgtest.Database(t)
	c := sample.Load(t, db)
	ada, adas := sample.Account(t, db, "Ada", "ada@example.com")
	bob, bobs := sample.Account(t, db, "Bob", "bob@example.com")
	by := origin.Origin{AssociateID: c.Bea.ID}
	named := segment.Segment{Title: "Harbour friends", Living: true, Tree: segment.Tree{Groups: []segment.Group{
		{Match: segment.All, Conditions: []segment.Condition{{Field: "tag", Compare: segment.Is, Text: "friend"}}}}}}
	_, err := db.Exec(ctx, `INSERT INTO customer_tag (customer_id, tag) VALUES ($1, 'friend')`, ada)
	require.NoError(t, err)
	require.NoError(t, figure.Rebuild(ctx, db))
	require.NoError(t, settings.SaveSegment(ctx, db, by, &named))
	require.Equal(t, 1, named.Members)
	price := func(amount int64) error {
		return assortment.SetBreak(ctx, db, by, c.Coat, catalog.Break{Currency: "GBP", TaxIncluded: true, From: 1,
			Segment: named.ID, Amount: amount})
	}
	require.NoError(t, price(15000))
	var slug string
	var listed int64
	require.NoError(t, db.QueryRow(ctx, `
		SELECT p.slug, price.amount
		FROM product p
		JOIN variant v ON v.product_id = p.id
		JOIN price ON price.variant_id = v.id AND upper_inf(price.valid)
		JOIN price_list l ON l.id = price.price_list_id AND l.currency = 'GBP'
		WHERE v.id = $1`, c.Coat).Scan(&slug, &listed))
	keeper := &reference.Keeper{DB: db}
	pays := func(session string, customer int64) (all [3]int64) {
		who := shop.Visitor{Language: "en", StoreCode: c.HarbourStreet.Code, At: time.Now(), Reference: keeper, Session: session}
		page, err := shop.ProductPage(ctx, db, who, slug, "", nil)
		require.NoError(t, err)
		list, err := shop.Search(ctx, db, who, shop.Filter{Words: "coat", Page: 1})
		require.NoError(t, err)
		all = [3]int64{page.Variants[0].Offer.Pays, list.Cards[0].Offer.Pays, page.Variants[0].Offer.Pays}
		require.Zero(t, page.Variants[0].Offer.Members, "it is not what members pay")
		if customer != 0 {
			b, err := basket.Load(ctx, db, customer, "en")
			require.NoError(t, err)
			all[2] = b.Quote.Sum - b.Quote.Discount
		}
		return all
	}
	for _, who := range []int64{ada, bob} {
		require.NoError(t, shopping.AddFor(ctx, db, origin.Origin{Channel: origin.Web, Language: "en"}, who,
			shopping.Item{VariantID: c.Coat, Quantity: 1, LocationID: c.HarbourStreet.ID}))
	}
	require.Equal(t, [3]int64{15000, 15000, 15000}, pays(adas, ada))
	require.Equal(t, [3]int64{listed, listed, listed}, pays(bobs, bob))
	require.Equal(t, [3]int64{listed, listed, listed}, pays("", 0))

	require.ErrorContains(t, settings.ArchiveSegment(ctx, db, by, named.ID), "is for this segment")
	found, err := audit.Run(ctx, db)
	require.NoError(t, err)
	require.Empty(t, found)

	require.NoError(t, price(0))
	require.Equal(t, [3]int64{listed, listed, listed}, pays(adas, ada))

	// Who archives it and who prices by it come one after the other.
	for range pgtest.Rounds(5, 50) {
		again := segment.Segment{Title: "Again", Living: true, Tree: named.Tree}
		require.NoError(t, settings.SaveSegment(ctx, db, by, &again))
		var both sync.WaitGroup
		var archived, priced error
		both.Go(func() { archived = settings.ArchiveSegment(ctx, db, by, again.ID) })
		both.Go(func() {
			priced = assortment.SetBreak(ctx, db, by, c.Coat, catalog.Break{Currency: "GBP", TaxIncluded: true, From: 1,
				Segment: again.ID, Amount: 14000})
		})
		both.Wait()
		assert.True(t, (archived == nil) != (priced == nil), "%v, %v", archived, priced)
		if priced == nil {
			require.NoError(t, assortment.SetBreak(ctx, db, by, c.Coat, catalog.Break{Currency: "GBP", TaxIncluded: true, From: 1,
				Segment: again.ID}))
			require.NoError(t, settings.ArchiveSegment(ctx, db, by, again.ID))
		}
	}
}
