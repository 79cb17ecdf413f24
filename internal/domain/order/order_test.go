package order_test

import (
	"context"
	"testing"

	"counterpart/internal/domain/order"
	"counterpart/internal/platform/pg/pgtest"
	"counterpart/internal/proof/sample"

	"github.com/stretchr/testify/require"
)

var ctx = context.Background()

func TestUnitsAreCancelledFromTheLastAndStatesFollow(t *testing.T) {
	tx := pgtest.Tx(t)
	c := sample.Load(t, tx)
	placed := c.Order(t, tx, c.Mug, 3, c.HarbourStreet)
	h, err := order.LockOrder(ctx, tx, placed.Order)
	require.NoError(t, err)
	require.Equal(t, "confirmed", h.State)
	owed, points, err := order.AmountOwed(ctx, tx, placed.Order)
	require.NoError(t, err)
	require.Equal(t, []int64{3600, 0}, []int64{owed, points})

	n, err := order.CancelUnits(ctx, tx, placed.Line, 1)
	require.NoError(t, err)
	require.Equal(t, int64(1), n)
	cancelled, err := order.Settle(ctx, tx, placed.Order)
	require.NoError(t, err)
	require.False(t, cancelled)
	due, err := order.AmountDue(ctx, tx, placed.Order)
	require.NoError(t, err)
	require.Equal(t, int64(2400), due)

	n, err = order.CancelUnits(ctx, tx, placed.Line, 9)
	require.NoError(t, err)
	require.Equal(t, int64(2), n, "no more than there are")
	cancelled, err = order.Settle(ctx, tx, placed.Order)
	require.NoError(t, err)
	require.True(t, cancelled)
	gone, err := order.LockOrder(ctx, tx, 1<<40)
	require.NoError(t, err)
	require.Nil(t, gone)
}

func TestASplitKeepsWhatWasPaid(t *testing.T) {
	tx := pgtest.Tx(t)
	c := sample.Load(t, tx)
	placed := c.Order(t, tx, c.Mug, 3, c.HarbourStreet)
	f, err := order.LockFulfilment(ctx, tx, placed.Fulfilment, c.HarbourStreet.ID)
	require.NoError(t, err)
	elsewhere, err := order.LockFulfilment(ctx, tx, placed.Fulfilment, c.MillLane.ID)
	require.NoError(t, err)
	require.Nil(t, elsewhere, "another store has no such fulfilment")

	waiting, err := order.OfferChoice(ctx, tx, f, placed.Line, 2)
	require.NoError(t, err)
	require.NotZero(t, waiting)
	require.NotEqual(t, placed.Line, waiting)
	var lines []string
	require.NoError(t, tx.QueryRow(ctx, `
		SELECT array_agg(l.quantity || ' ' || l.amount || ' ' || (SELECT sum(paid) FROM order_unit
			WHERE order_line_id = l.id)
			ORDER BY l.position)
		FROM order_line l`).Scan(&lines))
	require.Equal(t, []string{"1 1200 1200", "2 2400 2400"}, lines)
	none, err := order.OfferChoice(ctx, tx, f, placed.Line, 2)
	require.NoError(t, err)
	require.Zero(t, none, "there is one left")
}
