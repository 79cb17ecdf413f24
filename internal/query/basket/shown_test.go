package basket_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"counterpart/internal/domain/cart"
	"counterpart/internal/platform/pg/pgtest"
	"counterpart/internal/proof/sample"
	"counterpart/internal/query/basket"
	"counterpart/internal/query/reference"
	"counterpart/internal/query/shop"
)

// TestAPageShowsWhatTheCartCharges compares the price of one unit on a product's page and card with a cart of one, for
// a stranger and for a member, under promotions of every kind that lowers a price. Both are served by one process, and
// what that knows is of use to either, or of another time: a cart is priced the same.
func TestAPageShowsWhatTheCartCharges(t *testing.T) {
	ctx := context.Background()
	db, _ := pgtest.Database(t)
	c := sample.Load(t, db)
	ada, token := sample.Account(t, db, "Ada", "ada@example.com")
	guest := c.Ada(t, db, c.Coat, 1, c.HarbourStreet)
	_, err := db.Exec(ctx, `DELETE FROM cart_line`)
	require.NoError(t, err)
	for _, customer := range []int64{ada, guest} {
		require.NoError(t, pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
			_, err := cart.Open(ctx, tx, customer, c.HarbourStreet.ID, "web")
			return err
		}))
	}
	_, err = db.Exec(ctx, `UPDATE cart SET location_id = $1`, c.HarbourStreet.ID)
	require.NoError(t, err)
	_, err = db.Exec(ctx, `
		INSERT INTO cart_line (cart_id, variant_id, quantity, method, location_id, channel)
		SELECT id, $1, 1, 'pickup', $2, 'web' FROM cart`, c.Coat, c.HarbourStreet.ID)
	require.NoError(t, err)
	_, err = db.Exec(ctx, `
		INSERT INTO price_break (variant_id, price_list_id, from_quantity, members, tier, amount, valid)
		SELECT p.variant_id, p.price_list_id, 1, true, t.tier, p.amount - t.off, tstzrange(now() - interval '1 day', NULL)
		FROM price p JOIN price_list l ON l.id = p.price_list_id AND l.currency = 'GBP',
			(VALUES ('', 2500), ('gold', 4000)) t (tier, off) WHERE p.variant_id = $1`,
		c.Coat)
	require.NoError(t, err)

	var product int64
	var slug string
	require.NoError(t, db.QueryRow(ctx,
		`SELECT p.id, p.slug FROM product p JOIN variant v ON v.product_id = p.id WHERE v.id = $1`,
		c.Coat).Scan(&product, &slug))
	keeper := &reference.Keeper{DB: db}
	stale := keeper.Peek(ctx)
	require.NotNil(t, stale)
	visitor := shop.Visitor{Language: "en", StoreCode: c.HarbourStreet.Code, At: time.Now(), Reference: keeper}
	member := visitor
	member.Session = token
	charges := func(customer int64) int64 {
		b, err := basket.Load(ctx, db, customer, "en")
		require.NoError(t, err)
		for _, known := range []*reference.Data{stale, keeper.Peek(ctx)} {
			same, err := basket.LoadAt(ctx, db, customer, basket.SaleContext{Known: known}, "en")
			require.NoError(t, err)
			require.Equal(t, []any{b.Quote.Sum, b.Quote.Discount, b.Quote.Total, b.Store.Name},
				[]any{same.Quote.Sum, same.Quote.Discount, same.Quote.Total, same.Store.Name})
		}
		return b.Quote.Sum - b.Quote.Discount
	}
	less := 0
	silver := int64(0)
	for name, rule := range map[string]string{
		"nothing": "", "ten off this": fmt.Sprintf(`{"products": [%d], "effect": {"kind": "percent", "percent": 1000}}`,
			product), "a tenth off everything": `{"effect": {"kind": "percent", "percent": 1000}}`,
		"five pounds": `{"currency": "GBP", "effect": {"kind": "amount", "amount": 500}}`,
		"at a price":  fmt.Sprintf(`{"currency": "GBP", "products": [%d], "effect": {"kind": "fixed_price", "amount": 9900}}`, product),
		"first order": `{"first_order": true, "effect": {"kind": "percent", "percent": 500}}`,
		"for gold":    `{"tiers": ["gold"], "effect": {"kind": "percent", "percent": 500}}`,
		"in another store": fmt.Sprintf(`{"locations": [%d], "effect": {"kind": "percent", "percent": 500}}`,
			c.MillLane.ID), "two for one": fmt.Sprintf(`{"products": [%d], "effect": {"kind": "buy_get", "buy": 1, "get": 1, "percent": 10000}}`, product),
		"by department": `{"categories": [1], "effect": {"kind": "percent", "percent": 1000}}`,
		"spend more":    `{"currency": "GBP", "effect": {"kind": "tiered_spend", "steps": [{"from": 100, "percent": 1000}]}}`,
	} {
		_, err := db.Exec(ctx, `DELETE FROM promotion`)
		require.NoError(t, err)
		if rule != "" {
			_, err = db.Exec(ctx, `INSERT INTO promotion (title, state, rule) VALUES ($1, 'live', $2)`, name, rule)
			require.NoError(t, err)
		}
		_, err = db.Exec(ctx, `UPDATE location SET name = 'Harbour Street, ' || $1 WHERE id = $2`, name, c.HarbourStreet.ID)
		require.NoError(t, err)
		// The member is of no tier, then of one that pays less.
		for _, who := range []*shop.Visitor{&visitor, &member, &member} {
			customer, tier := ada, ""
			if who == &visitor {
				customer = guest
			} else if silver != 0 {
				tier = "Gold"
			}
			_, err = db.Exec(ctx, `UPDATE customer SET tier = $2 WHERE id = $1`, ada, tier)
			require.NoError(t, err)
			page, err := shop.ProductPage(ctx, db, *who, slug, "", nil)
			require.NoError(t, err)
			var offer shop.Offer
			for _, v := range page.Variants {
				if v.ID == c.Coat {
					offer = v.Offer
				}
			}
			require.Equal(t, charges(customer), offer.Pays, name)
			switch {
			case tier != "" && name != "at a price":
				require.Less(t, offer.Pays, silver, "%s: a tier's price", name)
				silver = 0
			case who == &member && name != "at a price":
				silver = offer.Pays
			default:
				silver = 0
			}
			if offer.Less() {
				less++
				require.True(t, offer.Member || len(offer.Why) > 0, "%s: it says why", name)
			}
			list, err := shop.Search(ctx, db, *who, shop.Filter{Words: "coat", Page: 1})
			require.NoError(t, err)
			require.NotEmpty(t, list.Cards)
			require.Equal(t, page.Variants[0].Offer.Pays, list.Cards[0].Offer.Pays, "%s: a card shows the same", name)
			if name == "two for one" {
				require.Equal(t, []string{name}, offer.More)
			}
			if who == &visitor && name != "at a price" {
				require.Positive(t, offer.Members, "%s: what a member would pay is shown to whoever is none", name)
			}
		}
	}
	require.Greater(t, less, 10)
}
