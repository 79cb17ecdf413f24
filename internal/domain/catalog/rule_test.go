package catalog_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"counterpart/internal/domain/catalog"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/pg/pgtest"
	"counterpart/internal/proof/sample"
)

// Better prices have a history without gap or overlap, however many people change one at once; what is ended is ended.
func TestBetterPricesAreKeptInTheirHistory(t *testing.T) {
	ctx := context.Background()
	db, _ := pgtest.Database(t)
	c := sample.Load(t, db)
	set := func(b catalog.Break) error {
		return pg.InTx(ctx, db, func(tx pgx.Tx) error { return catalog.SetBreak(ctx, tx, c.Mug, b, 0) })
	}
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			require.NoError(t, set(catalog.Break{Currency: "GBP", TaxIncluded: true, From: 6, Amount: int64(900 + i)}))
		})
	}
	all.Wait()
	require.NoError(t, set(catalog.Break{Currency: "GBP", TaxIncluded: true, From: 1, Members: true, Amount: 1100}))
	count := func(where string) (n int) {
		require.NoError(t, db.QueryRow(ctx, `SELECT count(*) FROM price_break WHERE `+where).Scan(&n))
		return n
	}
	require.Equal(t, []int{2, 9}, []int{count(`upper_inf(valid)`), count(`true`)})
	require.NoError(t, set(catalog.Break{Currency: "GBP", TaxIncluded: true, From: 6}))
	require.Equal(t, 1, count(`upper_inf(valid)`))
	require.Error(t, set(catalog.Break{Currency: "GBP", TaxIncluded: true, From: 1, Amount: 100}), "one is not many")
	require.Error(t, pg.InTx(ctx, db, func(tx pgx.Tx) error {
		return catalog.SetSellingRule(ctx, tx, c.Mug,
			catalog.SellingRule{Min: 5, Max: 4})
	}))
	require.NoError(t, pg.InTx(ctx, db, func(tx pgx.Tx) error {
		return catalog.SetSellingRule(ctx, tx, c.Mug,
			catalog.SellingRule{Min: 2, Max: 6})
	}))
}

// C16: two people have the same price before them. The second is shown what the first made of it.
func TestTheSecondWhoChangesAPriceIsTold(t *testing.T) {
	ctx := context.Background()
	db, _ := pgtest.Database(t)
	c := sample.Load(t, db)
	for range pgtest.Rounds(5, 50) {
		var before int64
		require.NoError(t, db.QueryRow(ctx,
			`SELECT amount FROM price WHERE variant_id = $1 AND upper_inf(valid) AND price_list_id = (SELECT id FROM price_list WHERE currency = 'GBP')`, c.Mug).Scan(&before))
		var told, done atomic.Int64
		pgtest.AtOnce(2, func(i int) {
			_, err := catalog.SetPrice(ctx, db, c.Mug, catalog.Price{Currency: "GBP", TaxIncluded: true,
				Amount: before + int64(i) + 1}, &before, 0)
			if fault.Is(err, fault.Conflict) {
				told.Add(1)
			} else if err == nil {
				done.Add(1)
			}
		})
		require.Equal(t, []int64{1, 1}, []int64{done.Load(), told.Load()})
	}
}
