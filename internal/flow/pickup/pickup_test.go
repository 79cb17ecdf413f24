package pickup_test

import (
	"context"
	"testing"

	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/payment"
	"counterpart/internal/flow/pickup"
	"counterpart/internal/flow/settle"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/pg/pgtest"
	"counterpart/internal/proof/sample"

	"github.com/stretchr/testify/require"
)

var ctx = context.Background()

func TestAPickupIsStagedOnceAndHandedOverAgainstItsCode(t *testing.T) {
	tx := pgtest.Tx(t)
	c := sample.Load(t, tx)
	placed := c.Order(t, tx, c.Mug, 2, c.HarbourStreet)
	here := origin.Origin{Channel: origin.Counter, LocationID: c.HarbourStreet.ID, AssociateID: c.Bea.ID,
		Language: "en"}
	there := here
	there.LocationID = c.MillLane.ID
	terminal := settle.CounterPayment{Kind: payment.Terminal}
	code := func() (code string) {
		require.NoError(t, tx.QueryRow(ctx, `SELECT code FROM fulfilment WHERE id = $1`, placed.Fulfilment).Scan(&code))
		return code
	}

	_, err := pickup.HandOver(ctx, tx, here, placed.Fulfilment, code(), terminal)
	require.True(t, fault.Is(err, fault.Conflict), "it is not staged yet")
	require.True(t, fault.Is(pickup.Pick(ctx, tx, there, placed.Fulfilment, placed.Line, 1), fault.NotFound))
	require.NoError(t, pickup.Pick(ctx, tx, here, placed.Fulfilment, placed.Line, 2))
	require.True(t, fault.Is(pickup.Pick(ctx, tx, here, placed.Fulfilment, placed.Line, 3), fault.Conflict))
	require.NoError(t, pickup.Ready(ctx, tx, here, placed.Fulfilment, "A1"))
	require.True(t, fault.Is(pickup.Ready(ctx, tx, here, placed.Fulfilment, "A2"), fault.Conflict))
	_, err = pickup.HandOver(ctx, tx, here, placed.Fulfilment, "no code", terminal)
	require.Error(t, err)
	_, err = pickup.HandOver(ctx, tx, here, placed.Fulfilment, code(), terminal)
	require.NoError(t, err)
	_, err = pickup.HandOver(ctx, tx, here, placed.Fulfilment, code(), terminal)
	require.True(t, fault.Is(err, fault.Conflict), "once")
}
