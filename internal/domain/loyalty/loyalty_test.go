package loyalty_test

import (
	"context"
	"testing"
	"time"

	"counterpart/internal/domain/loyalty"
	"counterpart/internal/platform/pg/pgtest"
	"counterpart/internal/proof/sample"

	"github.com/stretchr/testify/require"
)

var ctx = context.Background()

func TestPointsVestAreSpentOldestFirstAndNeverBelowZero(t *testing.T) {
	tx := pgtest.Tx(t)
	c := sample.Load(t, tx)
	placed := c.Order(t, tx, c.Mug, 1, c.HarbourStreet)
	ada := placed.Customer
	give := func(points int64, vests time.Time) {
		require.NoError(t, loyalty.Give(ctx, tx, loyalty.Grant{CustomerID: ada, Points: points, Cause: "given",
			AssociateID: c.Bea.ID, Vests: vests}))
	}
	give(100, time.Now().Add(-time.Hour))
	give(50, time.Now().Add(-time.Minute))
	give(70, time.Now().Add(time.Hour))
	balance := func() loyalty.Balance {
		b, err := loyalty.BalanceOf(ctx, tx, ada)
		require.NoError(t, err)
		return b
	}
	require.Equal(t, loyalty.Balance{Spendable: 150, Pending: 70}, balance())

	require.NoError(t, loyalty.Spend(ctx, tx, ada, 120, placed.Order))
	require.Equal(t, loyalty.Balance{Spendable: 30, Pending: 70}, balance())
	var first int64
	require.NoError(t, tx.QueryRow(ctx, `SELECT remaining FROM points_lot ORDER BY id LIMIT 1`).Scan(&first))
	require.Zero(t, first, "the oldest went first")

	taken, err := loyalty.Deduct(ctx, tx, ada, 500, placed.Order)
	require.NoError(t, err)
	require.Equal(t, int64(100), taken, "pending ones too, and no more than there are")
	require.Equal(t, loyalty.Balance{}, balance())
	require.ErrorIs(t, loyalty.Spend(ctx, tx, ada, 1, placed.Order), loyalty.ErrFew)
}

func TestPointsAreWorthWhatThePolicySays(t *testing.T) {
	tx := pgtest.Tx(t)
	sample.Load(t, tx)
	rates, err := loyalty.RatesOf(ctx, tx)
	require.NoError(t, err)
	points := rates.For(10_000, "GBP")
	require.Positive(t, points)
	require.LessOrEqual(t, rates.Value(points, "GBP"), int64(10_000), "nobody earns more than they pay")
	require.Zero(t, rates.For(0, "GBP"))
}
