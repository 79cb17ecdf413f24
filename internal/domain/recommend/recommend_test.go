package recommend_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/recommend"
	"counterpart/internal/flow/cancellation"
	"counterpart/internal/platform/pg/pgtest"
	"counterpart/internal/proof/audit"
	"counterpart/internal/proof/sample"
)

var ctx = context.Background()

func must(rows pgx.Rows, err error) pgx.Rows {
	if err != nil {
		panic(err)
	}
	return rows
}

// counted is everything that was counted, as text.
func counted(t *testing.T, s *sample.Shelf) (all []string) {
	t.Helper()
	for _, table := range []string{"basket", "bought", "bought_with",
		"(SELECT product_id, other_id, why, score, baskets, position FROM goes_with WHERE why = 'bought')"} {
		rows, err := pgx.CollectRows(must(s.DB.Query(ctx, `SELECT r::text FROM `+table+` r ORDER BY 1`)), pgx.RowTo[string])
		require.NoError(t, err)
		all = append(all, rows...)
	}
	return all
}

func TestWhatIsCountedAsItComesIsWhatIsCountedAnew(t *testing.T) {
	db, _ := pgtest.Database(t)
	s := sample.Stocked(t, db, 8)
	r := rand.New(rand.NewPCG(7, 7))
	var web, till []int64
	for step := range 60 {
		switch n := r.IntN(10); {
		case n < 6:
			carried := r.IntN(2) == 0
			id := s.Buy(t, 0, carried, r.Perm(8)[:1+r.IntN(4)]...)
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
			s.Bring(t, till[r.IntN(len(till))], r)
		}
		if step%5 == 4 {
			_, err := recommend.Update(ctx, db)
			require.NoError(t, err)
		}
	}
	_, err := recommend.Update(ctx, db)
	require.NoError(t, err)
	incremental := counted(t, s)
	require.Greater(t, len(incremental), 60)
	require.NoError(t, recommend.Rebuild(ctx, db))
	require.Equal(t, counted(t, s), incremental)
	n, err := recommend.Update(ctx, db)
	require.NoError(t, err)
	require.Zero(t, n, "nothing is left to count")
	found, err := audit.Run(ctx, db)
	require.NoError(t, err)
	require.Empty(t, found)
}

func TestTwoWhoCountCountOnce(t *testing.T) {
	db, _ := pgtest.Database(t)
	s := sample.Stocked(t, db, 4)
	for range 6 {
		s.Buy(t, 0, true, 0, 1, 2)
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
	together := counted(t, s)
	require.NoError(t, recommend.Rebuild(ctx, db))
	require.Equal(t, counted(t, s), together)
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
	s := sample.Stocked(t, db, 3)
	first := s.Buy(t, 0, true, 0, 1, 2)
	_, err := recommend.Update(ctx, db)
	require.NoError(t, err)
	s.Bring(t, first, rand.New(rand.NewPCG(1, 1)))

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
	s := sample.Stocked(t, db, 3)
	first, second := s.Buy(t, 0, false, 0, 1, 2), s.Buy(t, 0, true, 0, 1)
	counting, err := db.Begin(ctx)
	require.NoError(t, err)
	defer counting.Rollback(ctx)
	require.NoError(t, recommend.Rebuild(ctx, counting))

	began := time.Now()
	require.NoError(t, cancellation.Order(ctx, db, origin.Origin{Channel: origin.Web}, first))
	s.Bring(t, second, rand.New(rand.NewPCG(1, 1)))
	s.Buy(t, 0, true, 1, 2)
	require.NoError(t, recommend.Keep(ctx, db, time.Now()))
	require.Less(t, time.Since(began), 2*time.Second, "a lock is waited for so long")
	require.NoError(t, counting.Commit(ctx))

	_, err = recommend.Update(ctx, db)
	require.NoError(t, err)
	now := counted(t, s)
	require.NoError(t, recommend.Rebuild(ctx, db))
	require.Equal(t, counted(t, s), now)
}
