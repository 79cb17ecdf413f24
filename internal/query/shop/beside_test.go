package shop_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"counterpart/internal/domain/browsing"
	"counterpart/internal/domain/catalog"
	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/figure"
	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/recommend"
	"counterpart/internal/flow/person"
	"counterpart/internal/flow/settings"
	"counterpart/internal/flow/shopping"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/pg/pgtest"
	"counterpart/internal/proof/audit"
	"counterpart/internal/proof/sample"
	"counterpart/internal/query/advice"
	"counterpart/internal/query/reference"
	"counterpart/internal/query/shop"
)

// beside is a shop in which thing 0 was often bought with others, and a way to look at its page.
type beside struct {
	*sample.Shelf
	t *testing.T
}

func neighbours(t *testing.T) *beside {
	db, _ := pgtest.Database(t)
	b := &beside{sample.Stocked(t, db, 8), t}
	for range 4 {
		b.Buy(t, 0, true, 0, 1, 2, 3, 4, 5)
	}
	b.Buy(t, 0, true, 0, 1)
	for range 3 {
		b.Buy(t, 0, true, 0, 1, 2)
	}
	require.NoError(t, recommend.Rebuild(t.Context(), db))
	return b
}

func (b *beside) visitor(session string) shop.Visitor {
	return shop.Visitor{Language: "en", StoreCode: b.HarbourStreet.Code, At: time.Now(), Session: session,
		Reference: &reference.Keeper{DB: b.DB}}
}

// page are the neighbours of thing 0, by slug.
func (b *beside) page(session string) string {
	b.t.Helper()
	p, err := shop.ProductPage(b.t.Context(), b.DB, b.visitor(session), "thing-0", "", nil)
	require.NoError(b.t, err)
	return slugs(p.Beside.Related)
}

// cart are those of what lies in their cart.
func (b *beside) cart(session string) string {
	b.t.Helper()
	who := b.visitor(session)
	who.Taste = true
	v, err := shop.VisitOf(b.t.Context(), b.DB, who)
	require.NoError(b.t, err)
	_, goes, err := shop.BesideCart(b.t.Context(), b.DB, v, "en")
	require.NoError(b.t, err)
	return slugs(goes)
}

// product is the id of a thing.
func (b *beside) product(thing int) (id int64) {
	b.t.Helper()
	require.NoError(b.t, b.DB.QueryRow(b.t.Context(), `SELECT product_id FROM variant WHERE id = $1`, b.Variants[thing]).Scan(&id))
	return id
}

func slugs(all []shop.Neighbour) string {
	var said []string
	for _, n := range all {
		said = append(said, strings.TrimPrefix(n.Slug, "thing-"))
	}
	return strings.Join(said, " ")
}

func (b *beside) set(place string, change func(s *recommend.Slot)) error {
	b.t.Helper()
	s, err := recommend.SlotAt(b.t.Context(), b.DB, place)
	require.NoError(b.t, err)
	change(s)
	return settings.SetSlot(b.t.Context(), b.DB, origin.Origin{AssociateID: b.Bea.ID}, *s)
}

func (b *beside) consent(who int64, purpose string, given bool) {
	b.t.Helper()
	require.NoError(b.t, person.RecordConsent(b.t.Context(), b.DB, who, customer.ConsentEntry{Purpose: purpose,
		Medium: customer.InShop, Given: given, Source: "web"}))
}

// Three people look at one product and their carts side by side: each is shown what they have not, and what comes in
// their size; who did not agree is shown what everybody is.
func TestThreePeopleSideBySide(t *testing.T) {
	ctx := t.Context()
	b := neighbours(t)
	ada, adas := sample.Account(t, b.DB, "Ada", "ada@example.com")
	bob, bobs := sample.Account(t, b.DB, "Bob", "bob@example.com")
	b.Buy(t, ada, true, 1)
	everybody := "1 2 3 4"
	require.Equal(t, everybody, b.page(""))
	require.Equal(t, everybody, b.page(adas), "she did not agree that we remember it")
	b.consent(ada, customer.Personalisation, true)
	require.Equal(t, "2 3 4 5", b.page(adas), "what she has is left out")
	require.Equal(t, everybody, b.page(bobs))

	// Thing 3 comes in sizes, and none of Bob's is left.
	require.NoError(t, pg.InTx(ctx, b.DB, func(tx pgx.Tx) error {
		_, err := catalog.Put(ctx, tx, catalog.Product{Slug: "thing-3", Title: "A thing", Language: "en", Options: []string{"Size"},
			Categories: []catalog.Category{{Path: []string{"Kitchen"}}}, Variants: []catalog.Variant{
				{SKU: "THING-3", TaxClass: "standard", Options: []string{"L"},
					Prices: []catalog.Price{{Currency: "GBP", TaxIncluded: true, Amount: 1000}}},
				{SKU: "THING-3-S", TaxClass: "standard", Options: []string{"S"},
					Prices: []catalog.Price{{Currency: "GBP", TaxIncluded: true, Amount: 1000}}}}})
		if err != nil {
			return err
		}
		return customer.Prefer(ctx, tx, bob, "Size", "S", "web")
	}))
	b.consent(bob, customer.Personalisation, true)
	require.NoError(t, figure.Rebuild(ctx, b.DB))
	require.Equal(t, "1 2 4 5", b.page(bobs), "there is none of 3 in his size")
	require.Equal(t, "2 3 4 5", b.page(adas))
	require.Equal(t, everybody, b.page(""))

	for _, who := range []int64{ada, bob} {
		require.NoError(t, shopping.AddFor(ctx, b.DB, origin.Origin{Channel: origin.Web, Language: "en"}, who,
			shopping.Item{VariantID: b.Variants[0], Quantity: 1, LocationID: b.HarbourStreet.ID}))
	}
	require.Equal(t, "2 3 4 5", b.cart(adas))
	require.Equal(t, "1 2 4 5", b.cart(bobs))

	// A search without a result shows what goes with what they looked at, where the cart is empty.
	search := func() string {
		goes, err := shop.BesideSearch(ctx, b.DB, b.visitor(adas), "en")
		require.NoError(t, err)
		return slugs(goes)
	}
	require.Equal(t, "2 3 4 5", search(), "with the cart")
	_, err := b.DB.Exec(ctx, `DELETE FROM cart_line`)
	require.NoError(t, err)
	require.Equal(t, "", search())
	require.NoError(t, pg.InTx(ctx, b.DB, func(tx pgx.Tx) error {
		return customer.Identify(ctx, tx, ada, customer.Identity{Kind: customer.Device, Value: customer.DeviceValue("hers"), Source: "web",
			Verified: true})
	}))
	require.NoError(t, browsing.Write(ctx, b.DB, []browsing.Event{{Device: customer.DeviceValue("hers"), At: time.Now(), ProductID: b.product(0)}}))
	require.Equal(t, "2 3 4 5", search())
	b.consent(ada, customer.Objection, true)
	require.Equal(t, "", search(), "she objects")
	b.consent(ada, customer.Objection, false)

	// Who objects to profiling, or no longer agrees, is shown what everybody is, at once.
	b.consent(ada, customer.Objection, true)
	require.Equal(t, everybody, b.page(adas))
	b.consent(bob, customer.Personalisation, false)
	require.Equal(t, everybody, b.page(bobs))
	found, err := audit.Run(ctx, b.DB)
	require.NoError(t, err)
	require.Empty(t, found)
}

func TestRulesOfAPlace(t *testing.T) {
	ctx := t.Context()
	b := neighbours(t)
	var kitchen, kettles int64
	require.NoError(t, b.DB.QueryRow(ctx, `
		SELECT category_id FROM product_category WHERE product_id = (SELECT id FROM product WHERE slug = 'thing-0')`).Scan(&kitchen))
	require.NoError(t, b.DB.QueryRow(ctx, `
		INSERT INTO category (slug, parent_id) VALUES ('kettles', $1) RETURNING id`, kitchen).Scan(&kettles))
	_, err := b.DB.Exec(ctx, `
		INSERT INTO category_text (category_id, language, name) VALUES ($1, 'en', 'Kettles')`, kettles)
	require.NoError(t, err)
	_, err = b.DB.Exec(ctx, `
		UPDATE product_category SET category_id = $1
		WHERE product_id IN (SELECT id FROM product WHERE slug IN ('thing-1', 'thing-3', 'thing-5'))`, kettles)
	require.NoError(t, err)
	_, err = b.DB.Exec(ctx, `UPDATE product SET popularity = popularity`)
	require.NoError(t, err)
	at := func(change func(s *recommend.Slot)) string {
		t.Helper()
		require.NoError(t, b.set(recommend.OnProduct, func(s *recommend.Slot) {
			*s = recommend.Slot{Place: s.Place, Version: s.Version, Active: true, Fewest: 3, Most: 4, OwnedDays: 365,
				Sources: recommend.Sources}
			change(s)
		}))
		return b.page("")
	}
	require.Equal(t, "1 2 3 4", at(func(s *recommend.Slot) {}))
	require.Equal(t, "", at(func(s *recommend.Slot) { s.Active = false }))
	require.Equal(t, "1 3 5", at(func(s *recommend.Slot) { s.OnlyIn = []int64{kettles} }))
	require.Equal(t, "1 2 3 4", at(func(s *recommend.Slot) { s.OnlyIn = []int64{kitchen} }), "with what is below it")
	require.Equal(t, "", at(func(s *recommend.Slot) { s.OnlyIn, s.Fewest = []int64{kettles}, 4 }), "too few")
	require.Equal(t, "2 4 6 7", at(func(s *recommend.Slot) { s.NeverIn = []int64{kettles} }), "and what is alike")
	require.Equal(t, "2 4", at(func(s *recommend.Slot) {
		s.NeverIn, s.Fewest, s.Sources = []int64{kettles}, 1, []string{recommend.Bought}
	}))
	require.Equal(t, "1 2", at(func(s *recommend.Slot) { s.Fewest, s.Most = 1, 2 }))
	_, err = b.DB.Exec(ctx, `UPDATE stock_level SET on_hand = 0 WHERE variant_id = $1`, b.Variants[2])
	require.NoError(t, err)
	require.Equal(t, "1 3 4 5", at(func(s *recommend.Slot) { s.InStore = true }))

	require.ErrorContains(t, b.set(recommend.OnProduct, func(s *recommend.Slot) { s.Fewest, s.Most = 5, 4 }), "maximum")
	require.Error(t, b.set(recommend.OnProduct, func(s *recommend.Slot) { s.Sources = nil }))
	require.Error(t, b.set(recommend.OnProduct, func(s *recommend.Slot) { s.OwnedDays = 366 }))

	// Of several who change it at once, one does.
	var all sync.WaitGroup
	var changed, told atomic.Int32
	now, err := recommend.SlotAt(ctx, b.DB, recommend.InCart)
	require.NoError(t, err)
	for i := range 6 {
		all.Go(func() {
			mine := *now
			mine.Most = 5 + i
			if settings.SetSlot(ctx, b.DB, origin.Origin{AssociateID: b.Bea.ID}, mine) == nil {
				changed.Add(1)
			} else {
				told.Add(1)
			}
		})
	}
	all.Wait()
	require.Equal(t, []int32{1, 5}, []int32{changed.Load(), told.Load()})
}

// What three devices looked at on a day of theirs goes with what few have bought; what two did says who they were.
func TestWhatWasViewedTogether(t *testing.T) {
	ctx := t.Context()
	b := neighbours(t)
	var ids [8]int64
	for i := range 8 {
		require.NoError(t, b.DB.QueryRow(ctx, `SELECT id FROM product WHERE slug = $1`, fmt.Sprintf("thing-%d", i)).Scan(&ids[i]))
	}
	look := func(device int, things ...int) {
		value := customer.DeviceValue(fmt.Sprint("device ", device))
		who := b.Ada(t, b.DB, b.Mug, 1, b.HarbourStreet)
		b.consent(who, customer.Personalisation, true)
		require.NoError(t, pg.InTx(ctx, b.DB, func(tx pgx.Tx) error {
			return customer.Identify(ctx, tx, who, customer.Identity{Kind: customer.Device, Value: value, Source: "web", Verified: true})
		}))
		for _, thing := range things {
			require.NoError(t, browsing.Write(ctx, b.DB, []browsing.Event{{Device: value, At: time.Now(), ProductID: ids[thing]}}))
		}
	}
	for device := range 3 {
		look(device, 6, 7)
	}
	look(4, 6, 5)
	look(5, 6, 5)
	require.NoError(t, recommend.Rebuild(ctx, b.DB))
	of := func(thing int) (said string) {
		require.NoError(t, b.DB.QueryRow(ctx, `
			SELECT coalesce(string_agg(right(p.slug, 1) || ' ' || g.why, ', ' ORDER BY g.position), '')
			FROM goes_with g
			JOIN product p ON p.id = g.other_id
			WHERE g.product_id = $1 AND g.why <> 'alike'`, ids[thing]).Scan(&said))
		return said
	}
	require.Equal(t, "7 viewed", of(6))
	require.Equal(t, "6 viewed", of(7))
	for range 3 {
		b.Buy(t, 0, true, 6, 7)
	}
	_, err := recommend.Update(ctx, b.DB)
	require.NoError(t, err)
	require.Equal(t, "7 bought", of(6), "what was bought together says more")
	_, err = b.DB.Exec(ctx, `DELETE FROM browse_event`)
	require.NoError(t, err)
	require.NoError(t, recommend.Rebuild(ctx, b.DB))
	require.Equal(t, "7 bought", of(6))
}

// At the counter it is what is on a shelf there, without what a customer has who agreed that staff see it.
func TestWhatGoesWithASale(t *testing.T) {
	ctx := context.Background()
	b := neighbours(t)
	ada, _ := sample.Account(t, b.DB, "Ada", "ada@example.com")
	b.Buy(t, ada, true, 1)
	near := func(who int64) (said []string) {
		var all []advice.Beside
		batch := &pgx.Batch{}
		product := int64(0)
		require.NoError(t, b.DB.QueryRow(ctx, `SELECT product_id FROM variant WHERE id = $1`, b.Variants[0]).Scan(&product))
		advice.QueueSale(batch, []int64{product}, who, b.HarbourStreet.ID, "en", &all)
		require.NoError(t, b.DB.SendBatch(ctx, batch).Close())
		for _, h := range all {
			said = append(said, h.SKU+": "+h.Why.In("en")+" / "+h.Do.In("en")+" / "+h.Price.In("en"))
		}
		return said
	}
	require.Equal(t, []string{"THING-1: Goes with A thing / 491 here in the store / £10.00",
		"THING-2: Goes with A thing / 493 here in the store / £10.00",
		"THING-3: Goes with A thing / 496 here in the store / £10.00"}, near(ada))
	b.consent(ada, customer.Clienteling, true)
	require.Contains(t, near(ada)[0], "THING-2: ")
	b.consent(ada, customer.Objection, true)
	require.Contains(t, near(ada)[0], "THING-1: ")
	require.NoError(t, b.set(recommend.InSale, func(s *recommend.Slot) { s.Fewest, s.Most = 12, 12 }))
	require.Empty(t, near(ada), "there are fewer")
	require.NoError(t, b.set(recommend.InSale, func(s *recommend.Slot) { s.Fewest, s.Most = 1, 1 }))
	require.Len(t, near(ada), 1)
	require.NoError(t, pg.InTx(ctx, b.DB, func(tx pgx.Tx) error {
		return catalog.SetBreak(ctx, tx, b.Variants[1], catalog.Break{Currency: "GBP", TaxIncluded: true, From: 1, Members: true,
			Amount: 750}, b.Bea.ID)
	}))
	require.Contains(t, near(ada)[0], "£7.50", "what she pays, as a member")
	require.Contains(t, near(b.Ada(t, b.DB, b.Mug, 1, b.HarbourStreet))[0], "£10.00")
	require.NoError(t, b.set(recommend.InSale, func(s *recommend.Slot) { s.Active = false }))
	require.Empty(t, near(ada))
}
