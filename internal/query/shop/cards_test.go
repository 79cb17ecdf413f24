package shop_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"counterpart/internal/domain/catalog"
	"counterpart/internal/platform/pg/pgtest"
	"counterpart/internal/proof/audit"
	"counterpart/internal/proof/sample"
	"counterpart/internal/query/reference"
	"counterpart/internal/query/shop"
)

var ctx = context.Background()

func sound(t *testing.T, db *pgxpool.Pool) {
	t.Helper()
	findings, err := audit.Run(ctx, db)
	require.NoError(t, err)
	require.Empty(t, findings)
}

// kitchen reads the cards of a department as one of several processes does.
func kitchen(t *testing.T, db *pgxpool.Pool, keeper *reference.Keeper, f shop.Filter) map[string]shop.Card {
	t.Helper()
	f.Category, f.Page = "kitchen", 1
	l, err := shop.Category(ctx, db, shop.Visitor{StoreCode: "HAR", Language: "en", At: time.Now(), Reference: keeper}, f)
	require.NoError(t, err)
	require.NotNil(t, l)
	cards := map[string]shop.Card{}
	for _, c := range l.Cards {
		cards[c.Slug] = c
	}
	return cards
}

func pounds(amount int64) catalog.Price {
	return catalog.Price{Currency: "GBP", TaxIncluded: true, Amount: amount}
}

// A price that one process sets is on the next page of another; so are a name, a picture that is gone and a product that
// is off sale.
func TestAChangeOfAProductIsInListsOfEveryProcessAtOnce(t *testing.T) {
	db, address := pgtest.Database(t)
	c := sample.Load(t, db)
	elsewhere, err := pgxpool.New(ctx, address)
	require.NoError(t, err)
	t.Cleanup(elsewhere.Close)
	one, other := &reference.Keeper{DB: db}, &reference.Keeper{DB: elsewhere}
	both := func(holds func(map[string]shop.Card) bool, what string) {
		t.Helper()
		require.True(t, holds(kitchen(t, db, one, shop.Filter{})), what)
		require.True(t, holds(kitchen(t, elsewhere, other, shop.Filter{})), what)
		require.True(t, holds(kitchen(t, elsewhere, other, shop.Filter{Min: 1})), what)
	}
	both(func(all map[string]shop.Card) bool { return all["mug"].From == 1200 }, "as it was")

	_, err = catalog.SetPrice(ctx, db, c.Mug, pounds(777), nil, 0)
	require.NoError(t, err)
	both(func(all map[string]shop.Card) bool {
		return all["mug"].From == 777 && all["mug"].Offer.Pays == 777 && all["mug"].Was == 1200
	}, "another price")
	_, err = db.Exec(ctx, `UPDATE product_text SET title = 'Tankard' WHERE title = 'Stoneware mug'`)
	require.NoError(t, err)
	both(func(all map[string]shop.Card) bool { return all["mug"].Title == "Tankard" }, "another name")
	_, err = db.Exec(ctx, `UPDATE product SET status = 'archived' WHERE slug = 'mug'`)
	require.NoError(t, err)
	both(func(all map[string]shop.Card) bool { _, there := all["mug"]; return !there }, "off sale")
	sound(t, db)
}

// A planned price begins and ends by the clock: no job has to run.
func TestAPlannedPriceBeginsAndEndsInListsByItself(t *testing.T) {
	db, _ := pgtest.Database(t)
	c := sample.Load(t, db)
	_, err := db.Exec(ctx, `
		WITH closed AS (
			UPDATE price
			SET valid = tstzrange(lower(valid), now() + interval '1 second')
			WHERE variant_id = $1 AND upper_inf(valid)
			RETURNING variant_id, price_list_id, amount)
		INSERT INTO price (variant_id, price_list_id, amount, valid, sale)
		SELECT variant_id, price_list_id, 500, tstzrange(now() + interval '1 second', now() + interval '2 seconds'), true
		FROM closed
		UNION ALL
		SELECT variant_id, price_list_id, amount, tstzrange(now() + interval '2 seconds', NULL), false
		FROM closed`, c.Mug)
	require.NoError(t, err)
	began := time.Now()
	keeper := &reference.Keeper{DB: db}
	shown := map[int64]bool{}
	for time.Since(began) < 2500*time.Millisecond {
		card := kitchen(t, db, keeper, shop.Filter{})["mug"]
		if card.From == 500 {
			require.Equal(t, int64(1200), card.Was)
		}
		shown[card.From] = true
		time.Sleep(50 * time.Millisecond)
	}
	require.Equal(t, map[int64]bool{1200: true, 500: true}, shown)
	require.Equal(t, int64(1200), kitchen(t, db, keeper, shop.Filter{})["mug"].From, "and then it is over")
	sound(t, db)
}

// Two who change one product at once: the rows of lists know of both.
func TestTwoChangesOfOneProductAtOnceAreBothInLists(t *testing.T) {
	db, _ := pgtest.Database(t)
	c := sample.Load(t, db)
	for round := range pgtest.Rounds(10, 200) {
		amounts := []int64{int64(2000 + round), int64(3000 + round)}
		pgtest.AtOnce(4, func(i int) {
			switch i {
			case 0:
				_, err := catalog.SetPrice(ctx, db, c.Mug, pounds(amounts[0]), nil, 0)
				require.NoError(t, err)
			case 1:
				_, err := catalog.SetPrice(ctx, db, c.BlueMug, pounds(amounts[1]), nil, 0)
				require.NoError(t, err)
			case 2:
				_, err := db.Exec(ctx, `UPDATE product_text SET title = $1 WHERE language = 'en' AND product_id = (
					SELECT product_id FROM variant WHERE id = $2)`, fmt.Sprint("Mug ", round), c.Mug)
				require.NoError(t, err)
			case 3:
				_, err := db.Exec(ctx, `UPDATE product SET popularity = $1`, round)
				require.NoError(t, err)
			}
		})
		card := kitchen(t, db, nil, shop.Filter{})["mug"]
		require.Equal(t, []any{amounts[0], amounts[1], fmt.Sprint("Mug ", round)}, []any{card.From, card.To, card.Title})
	}
	sound(t, db)
}

// Whoever changes rows behind the program's back can have the lists written anew.
func TestListsCanBeWrittenAnew(t *testing.T) {
	db, _ := pgtest.Database(t)
	sample.Load(t, db)
	_, err := db.Exec(ctx, `
		SET session_replication_role = replica;
		UPDATE price SET amount = amount + 1;
		SET session_replication_role = origin`)
	require.NoError(t, err)
	findings, err := audit.Run(ctx, db)
	require.NoError(t, err)
	require.NotEmpty(t, findings)

	n, err := catalog.RewriteCards(ctx, db)

	require.NoError(t, err)
	require.Positive(t, n)
	require.Equal(t, int64(1201), kitchen(t, db, nil, shop.Filter{})["mug"].From)
	sound(t, db)
}

// A list sorted by price is in the order of the prices that it shows, narrowed or not, and every page follows the one
// before it.
func TestListsAreInTheOrderOfWhatTheyShow(t *testing.T) {
	db, _ := pgtest.Database(t)
	sample.Load(t, db)
	_, err := db.Exec(ctx, `
		WITH p AS (
			INSERT INTO product (slug, status, options, popularity)
			SELECT 'made-' || n, 'active', '{Colour}', n % 7 FROM generate_series(1, 120) n
			RETURNING id, slug),
		t AS (INSERT INTO product_text (product_id, language, title) SELECT id, 'en', 'Made ' || slug FROM p),
		k AS (INSERT INTO product_category (product_id, category_id) SELECT p.id, c.id FROM p, category c WHERE c.slug = 'kitchen'),
		v AS (
			INSERT INTO variant (product_id, position, sku, options)
			SELECT id, n, slug || '-' || n, ARRAY[(ARRAY['Red', 'Green'])[n]] FROM p, generate_series(1, 2) n
			RETURNING id, sku)
		INSERT INTO price (variant_id, price_list_id, amount)
		SELECT v.id, l.id, 100 + abs(hashint8(v.id)) % 900 FROM v, price_list l WHERE l.currency = 'GBP'`)
	require.NoError(t, err)
	for _, f := range []shop.Filter{{}, {Min: 1}, {Options: map[string][]string{"Colour": {"Green"}}}} {
		for _, sort := range []string{"", "price", "price-down", "new"} {
			f.Category, f.Sort = "kitchen", sort
			var all []shop.Card
			seen := map[string]bool{}
			for f.Page = 1; f.Page <= 6; f.Page++ {
				l, err := shop.Category(ctx, db, shop.Visitor{StoreCode: "HAR", Language: "en", At: time.Now()}, f)
				require.NoError(t, err)
				require.GreaterOrEqual(t, l.Total, 120)
				for _, c := range l.Cards {
					require.False(t, seen[c.Slug], c.Slug)
					seen[c.Slug] = true
				}
				all = append(all, l.Cards...)
			}
			require.GreaterOrEqual(t, len(all), 120)
			for i := 1; i < len(all); i++ {
				switch sort {
				case "price":
					require.LessOrEqual(t, all[i-1].From, all[i].From)
				case "price-down":
					require.GreaterOrEqual(t, all[i-1].From, all[i].From)
				}
			}
		}
	}
}

// made adds products to the kitchen, each with variants of these colours and prices; what is listed in stocked can be had
// at Harbour Street. The first are the most popular.
func made(t *testing.T, db *pgxpool.Pool, c *sample.Chain, name string, n, popularity int, prices map[string]int64, stocked ...string) {
	t.Helper()
	for colour, amount := range prices {
		_, err := db.Exec(ctx, `
			WITH p AS (
				INSERT INTO product (slug, status, options, popularity)
				SELECT $1 || '-' || n, 'active', '{Colour}', $3 FROM generate_series(1, $2::int) n
				ON CONFLICT (slug) DO UPDATE SET popularity = excluded.popularity
				RETURNING id, slug),
			t AS (INSERT INTO product_text (product_id, language, title) SELECT id, 'en', slug FROM p ON CONFLICT DO NOTHING),
			k AS (
				INSERT INTO product_category (product_id, category_id)
				SELECT p.id, c.id FROM p, category c WHERE c.slug = 'kitchen'
				ON CONFLICT DO NOTHING),
			v AS (
				INSERT INTO variant (product_id, position, sku, options)
				SELECT id, 1, slug || $4, ARRAY[$4] FROM p
				RETURNING id),
			moved AS (
				INSERT INTO stock_move (variant_id, location_id, delta, cause, channel)
				SELECT id, $6, 1, 'receipt', 'api' FROM v WHERE $7),
			s AS (INSERT INTO stock_level (variant_id, location_id, on_hand) SELECT id, $6, 1 FROM v WHERE $7)
			INSERT INTO price (variant_id, price_list_id, amount)
			SELECT v.id, l.id, $5::bigint FROM v, price_list l WHERE l.currency = 'GBP'`, name, n, popularity, colour, amount,
			c.HarbourStreet.ID, slices.Contains(stocked, colour))
		require.NoError(t, err)
	}
}

// What is asked of a list is asked of every product that it looks at, not of the first that may fit.
func TestANarrowedListFindsWhatIsFarDown(t *testing.T) {
	db, _ := pgtest.Database(t)
	c := sample.Load(t, db)
	made(t, db, c, "common", 300, 50, map[string]int64{"Red": 100, "Green": 9000}, "Red")
	made(t, db, c, "rare", 30, 10, map[string]int64{"Red": 300, "Green": 200}, "Green")
	list := func(f shop.Filter) *shop.Listing {
		t.Helper()
		f.Category = "kitchen"
		l, err := shop.Category(ctx, db, shop.Visitor{StoreCode: "HAR", Language: "en", At: time.Now()}, f)
		require.NoError(t, err)
		return l
	}
	green := map[string][]string{"Colour": {"Green"}}

	l := list(shop.Filter{Page: 1})
	require.Equal(t, 96, l.Counted)
	require.Equal(t, []shop.Facet{{Name: "Colour", Values: []shop.Value{{Value: "Green", Count: 96}, {Value: "Red", Count: 96}}}},
		l.Facets, "as many as the page says")
	l = list(shop.Filter{Options: map[string][]string{"Colour": {"Red"}}, Page: 1})
	require.Equal(t, []any{240, 240}, []any{l.Counted, l.Facets[0].Values[0].Count})
	l = list(shop.Filter{Options: green, InStock: true, Page: 1})
	require.Equal(t, 30, l.Total)
	require.False(t, l.Capped)
	for _, card := range l.Cards {
		require.True(t, card.Here)
		require.Equal(t, int64(200), card.From)
	}
	l = list(shop.Filter{Options: green, Sort: "price", Page: 1})
	require.Equal(t, int64(200), l.Cards[0].From, "the cheapest of what was asked for, whatever else the product comes in")
	require.Equal(t, int64(9000), list(shop.Filter{Options: green, Sort: "price", Page: 3}).Cards[0].From)
	require.Equal(t, int64(9000), list(shop.Filter{Options: green, Sort: "price-down", Page: 1}).Cards[0].From)
	require.Equal(t, 30, list(shop.Filter{Min: 150, Max: 250, Page: 1}).Total, "one variant within both bounds")
	require.Equal(t, int64(9000), list(shop.Filter{Min: 8000, Sort: "price", Page: 1}).Cards[0].From)
	sound(t, db)
}

// What is off sale is nowhere in stock, and what comes later is said of the variant that does.
func TestACardSpeaksOfWhatIsOnSale(t *testing.T) {
	db, _ := pgtest.Database(t)
	c := sample.Load(t, db)
	_, err := db.Exec(ctx, `UPDATE variant SET back_order = true WHERE id = $1`, c.Mug)
	require.NoError(t, err)
	_, err = db.Exec(ctx, `UPDATE stock_level SET safety = on_hand WHERE variant_id = $1`, c.BlueMug)
	require.NoError(t, err)
	blue := shop.Filter{Options: map[string][]string{"Colour": {"Blue"}}}
	require.False(t, kitchen(t, db, nil, blue)["mug"].BackOrder)
	require.True(t, kitchen(t, db, nil, shop.Filter{})["mug"].Here)
	_, err = db.Exec(ctx, `UPDATE variant SET active = false WHERE id = $1`, c.Mug)
	require.NoError(t, err)
	mug := kitchen(t, db, nil, shop.Filter{})["mug"]
	require.False(t, mug.Here || mug.Elsewhere)
	require.NotContains(t, kitchen(t, db, nil, shop.Filter{InStock: true}), "mug")
	sound(t, db)
}

// A price, an option and a variant's row are changed at once, again and again: nobody waits for somebody who waits.
func TestChangesOfOneProductDoNotWaitInACircle(t *testing.T) {
	db, _ := pgtest.Database(t)
	c := sample.Load(t, db)
	var product int64
	require.NoError(t, db.QueryRow(ctx, `SELECT product_id FROM variant WHERE id = $1`, c.Mug).Scan(&product))
	for round := range pgtest.Rounds(20, 300) {
		pgtest.AtOnce(4, func(i int) {
			var err error
			switch i {
			case 0, 1:
				_, err = catalog.SetPrice(ctx, db, []int64{c.Mug, c.BlueMug}[i], pounds(int64(2000+round)), nil, 0)
			default:
				err = pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error { // not tried again
					if _, err := catalog.Hold(ctx, tx, product); err != nil {
						return err
					}
					_, err := tx.Exec(ctx, `UPDATE product SET options = options WHERE id = $1`, product)
					if err == nil {
						_, err = tx.Exec(ctx, `UPDATE variant SET grams = $2 WHERE product_id = $1`, product, round)
					}
					return err
				})
			}
			require.NoError(t, err)
		})
	}
	sound(t, db)
}
