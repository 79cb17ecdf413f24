package recommend_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"counterpart/internal/domain/catalog"
	"counterpart/internal/domain/inventory"
	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/payment"
	"counterpart/internal/domain/recommend"
	"counterpart/internal/flow/cancellation"
	"counterpart/internal/flow/checkout"
	"counterpart/internal/flow/returns"
	"counterpart/internal/flow/shopping"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/pg/pgtest"
	"counterpart/internal/proof/audit"
	"counterpart/internal/proof/sample"
	"counterpart/internal/query/basket"
)

var ctx = context.Background()

// shelf is a chain with a number of things on a shelf of its first store.
type shelf struct {
	*sample.Chain
	db       *pgxpool.Pool
	variants []int64
	at       origin.Origin
}

func stocked(t *testing.T, db *pgxpool.Pool, n int) *shelf {
	t.Helper()
	s := &shelf{Chain: sample.Load(t, db), db: db}
	s.at = origin.Origin{Channel: origin.Counter, AssociateID: s.Bea.ID, LocationID: s.HarbourStreet.ID, Language: "en"}
	_, err := db.Exec(ctx, `UPDATE location SET takes_returns = true`)
	require.NoError(t, err)
	require.NoError(t, pg.InTx(ctx, db, func(tx pgx.Tx) error {
		for i := range n {
			sku := fmt.Sprintf("THING-%d", i)
			made, err := catalog.Put(ctx, tx, catalog.Product{Slug: fmt.Sprintf("thing-%d", i), Title: "A thing", Language: "en",
				Categories: []catalog.Category{{Path: []string{"Kitchen"}}}, Variants: []catalog.Variant{{SKU: sku,
					TaxClass: "standard", Prices: []catalog.Price{{Currency: "GBP", TaxIncluded: true, Amount: 1000}}}}})
			require.NoError(t, err)
			s.variants = append(s.variants, made.Variants[sku])
			require.NoError(t, inventory.Receive(ctx, tx, []inventory.Move{{VariantID: made.Variants[sku],
				LocationID: s.HarbourStreet.ID, Delta: 500}}, inventory.Reason{Channel: "api", Reason: "opening stock"}))
		}
		return nil
	}))
	return s
}

// order places one of each, carried out and paid in cash, or to be collected.
func (s *shelf) order(t *testing.T, carried bool, things ...int) (id int64) {
	t.Helper()
	person := s.Ada(t, s.db, s.Mug, 1, s.HarbourStreet)
	require.NoError(t, pg.InTx(ctx, s.db, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM cart_line WHERE cart_id IN (SELECT id FROM cart WHERE customer_id = $1)`, person)
		return err
	}))
	at := origin.Origin{Channel: origin.Web, Language: "en"}
	here, pay := basket.SaleContext{}, payment.PayAtPickup
	if carried {
		at, here, pay = s.at, basket.SaleContext{LocationID: s.HarbourStreet.ID, CarryOut: true}, payment.Cash
	}
	for _, thing := range things {
		require.NoError(t, shopping.AddFor(ctx, s.db, at, person, shopping.Item{VariantID: s.variants[thing], Quantity: 1,
			LocationID: s.HarbourStreet.ID, InHand: carried}))
	}
	b, err := basket.LoadAt(ctx, s.db, person, here, "en")
	require.NoError(t, err)
	placed, err := checkout.Place(ctx, s.db, at, checkout.Request{CustomerID: person, CartID: b.CartID,
		Expected: b.Quote.Total, Name: "Ada", Email: "ada@example.com", Pay: pay, Given: b.Quote.Total, Here: here})
	require.NoError(t, err)
	return placed.ID
}

// bring one unit of a random line back.
func (s *shelf) bring(t *testing.T, order int64, r *rand.Rand) {
	t.Helper()
	lines, err := pgx.CollectRows(must(s.db.Query(ctx, `
		SELECT l.id
		FROM order_line l
		JOIN order_unit u ON u.order_line_id = l.id AND u.state = 'carried_out'
		WHERE l.order_id = $1 AND NOT EXISTS (SELECT FROM returned_unit WHERE order_line_id = l.id)
		ORDER BY l.id`, order)), pgx.RowTo[int64])
	require.NoError(t, err)
	if len(lines) == 0 {
		return
	}
	_, err = returns.Make(ctx, s.db, s.at, returns.Request{Form: fmt.Sprint(order, r.Int64()), OrderID: order, SelfApproves: true,
		Wants: []returns.ReturnLine{{LineID: lines[r.IntN(len(lines))], Quantity: 1, Reason: "other", Grade: "sellable",
			Restock: true}}})
	require.NoError(t, err)
}

func must(rows pgx.Rows, err error) pgx.Rows {
	if err != nil {
		panic(err)
	}
	return rows
}

// counted is everything that was counted, as text.
func (s *shelf) counted(t *testing.T) (all []string) {
	t.Helper()
	for _, table := range []string{"basket", "bought", "bought_with",
		"(SELECT product_id, other_id, why, score, baskets, position FROM goes_with WHERE why = 'bought')"} {
		rows, err := pgx.CollectRows(must(s.db.Query(ctx, `SELECT r::text FROM `+table+` r ORDER BY 1`)), pgx.RowTo[string])
		require.NoError(t, err)
		all = append(all, rows...)
	}
	return all
}

func TestWhatIsCountedAsItComesIsWhatIsCountedAnew(t *testing.T) {
	db, _ := pgtest.Database(t)
	s := stocked(t, db, 8)
	r := rand.New(rand.NewPCG(7, 7))
	var web, till []int64
	for step := range 60 {
		switch n := r.IntN(10); {
		case n < 6:
			carried := r.IntN(2) == 0
			id := s.order(t, carried, r.Perm(8)[:1+r.IntN(4)]...)
			if carried {
				till = append(till, id)
			} else {
				web = append(web, id)
			}
		case n < 8 && len(web) > 0:
			k := r.IntN(len(web))
			require.NoError(t, cancellation.Order(ctx, db, origin.Origin{Channel: origin.Web}, web[k]))
			web = append(web[:k], web[k+1:]...)
		case len(till) > 0:
			s.bring(t, till[r.IntN(len(till))], r)
		}
		if step%5 == 4 {
			_, err := recommend.Update(ctx, db)
			require.NoError(t, err)
		}
	}
	_, err := recommend.Update(ctx, db)
	require.NoError(t, err)
	incremental := s.counted(t)
	require.Greater(t, len(incremental), 60)
	require.NoError(t, recommend.Rebuild(ctx, db))
	require.Equal(t, s.counted(t), incremental)
	n, err := recommend.Update(ctx, db)
	require.NoError(t, err)
	require.Zero(t, n, "nothing is left to count")
	found, err := audit.Run(ctx, db)
	require.NoError(t, err)
	require.Empty(t, found)
}

func TestTwoWhoCountCountOnce(t *testing.T) {
	db, _ := pgtest.Database(t)
	s := stocked(t, db, 4)
	for range 6 {
		s.order(t, true, 0, 1, 2)
	}
	var group sync.WaitGroup
	for i := range 6 {
		group.Go(func() {
			if i == 3 {
				assert.NoError(t, recommend.Rebuild(ctx, db))
				return
			}
			_, err := recommend.Update(ctx, db)
			assert.NoError(t, err)
		})
	}
	group.Wait()
	together := s.counted(t)
	require.NoError(t, recommend.Rebuild(ctx, db))
	require.Equal(t, s.counted(t), together)
	var best, why string
	require.NoError(t, db.QueryRow(ctx, `
		SELECT string_agg(p.slug, ' ' ORDER BY g.position), min(g.why)
		FROM goes_with g
		JOIN product p ON p.id = g.other_id
		WHERE g.why = 'bought' AND g.product_id = (SELECT id FROM product WHERE slug = 'thing-0')`).Scan(&best, &why))
	require.Equal(t, "thing-1 thing-2", best)
	var alike int
	require.NoError(t, db.QueryRow(ctx, `
		SELECT count(*)
		FROM goes_with
		WHERE why = 'alike' AND product_id = (SELECT id FROM product WHERE slug = 'thing-3')`).Scan(&alike))
	require.Equal(t, 4, alike, "what nobody bought goes with what is in its category")
}

// A change that is under way while others count is counted when it is done.
func TestAChangeUnderWayIsNotForgotten(t *testing.T) {
	db, _ := pgtest.Database(t)
	s := stocked(t, db, 3)
	first := s.order(t, true, 0, 1, 2)
	_, err := recommend.Update(ctx, db)
	require.NoError(t, err)
	s.bring(t, first, rand.New(rand.NewPCG(1, 1)))

	under, err := db.Begin(ctx)
	require.NoError(t, err)
	defer under.Rollback(ctx)
	_, err = under.Exec(ctx, `
		INSERT INTO return_ticket (form, order_id, location_id, channel, goods, refund) VALUES ('x', $1, $2, 'counter', 0, 0)`, first,
		s.HarbourStreet.ID)
	require.NoError(t, err)
	_, err = under.Exec(ctx, `
		INSERT INTO returned_unit (order_line_id, n, return_id, reason, grade, restocked)
		SELECT u.order_line_id, u.n, (SELECT max(id) FROM return_ticket), 'other', 'sellable', false
		FROM order_unit u
		JOIN order_line l ON l.id = u.order_line_id AND l.order_id = $1
		WHERE NOT EXISTS (SELECT FROM returned_unit r WHERE r.order_line_id = u.order_line_id AND r.n = u.n)
		LIMIT 1`, first)
	require.NoError(t, err)
	n, err := recommend.Update(ctx, db)
	require.NoError(t, err)
	require.Equal(t, 1, n, "what came back before")
	require.NoError(t, under.Commit(ctx))
	n, err = recommend.Update(ctx, db)
	require.NoError(t, err)
	require.Equal(t, 1, n, "what came back meanwhile")
	var kept int
	require.NoError(t, db.QueryRow(ctx, `SELECT cardinality(products) FROM basket WHERE order_id = $1`, first).Scan(&kept))
	require.Equal(t, 1, kept)
}

// While everything is counted, orders go on; another who would count does nothing.
func TestCountingHoldsNobodyUp(t *testing.T) {
	db, _ := pgtest.Database(t)
	s := stocked(t, db, 3)
	first, second := s.order(t, false, 0, 1, 2), s.order(t, true, 0, 1)
	counting, err := db.Begin(ctx)
	require.NoError(t, err)
	defer counting.Rollback(ctx)
	require.NoError(t, recommend.Rebuild(ctx, counting))

	began := time.Now()
	require.NoError(t, cancellation.Order(ctx, db, origin.Origin{Channel: origin.Web}, first))
	s.bring(t, second, rand.New(rand.NewPCG(1, 1)))
	s.order(t, true, 1, 2)
	require.NoError(t, recommend.Keep(ctx, db, time.Now()))
	require.Less(t, time.Since(began), 2*time.Second, "a lock is waited for so long")
	require.NoError(t, counting.Commit(ctx))

	_, err = recommend.Update(ctx, db)
	require.NoError(t, err)
	now := s.counted(t)
	require.NoError(t, recommend.Rebuild(ctx, db))
	require.Equal(t, s.counted(t), now)
}
