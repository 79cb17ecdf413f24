package inventory_test

import (
	"context"
	"testing"

	"counterpart/internal/domain/inventory"
	"counterpart/internal/domain/origin"
	"counterpart/internal/platform/pg/pgtest"
	"counterpart/internal/proof/sample"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

var ctx = context.Background()

// level reads on hand and reserved of the mug at Harbour Street.
func level(t *testing.T, tx pgx.Tx, c *sample.Chain) [2]int {
	t.Helper()
	l, err := inventory.LevelOf(ctx, tx, c.Mug, c.HarbourStreet.ID)
	require.NoError(t, err)
	return [2]int{l.OnHand, l.Reserved}
}

func TestAReservationTakesWhatIsAvailableOrNothing(t *testing.T) {
	tx := pgtest.Tx(t)
	c := sample.Load(t, tx)
	placed := c.Order(t, tx, c.Mug, 3, c.HarbourStreet)
	require.Equal(t, [2]int{10, 3}, level(t, tx, c))

	short, err := inventory.Reserve(ctx, tx, nil, []inventory.Reservation{{OrderLineID: placed.Line, VariantID: c.Mug,
		LocationID: c.HarbourStreet.ID, Quantity: 8}})
	require.NoError(t, err)
	require.Len(t, short, 1, "eight of seven")
	require.Equal(t, [2]int{10, 3}, level(t, tx, c), "nothing of it is kept")

	_, err = tx.Exec(ctx, `UPDATE stock_level SET safety = 5 WHERE variant_id = $1 AND location_id = $2`, c.Mug,
		c.HarbourStreet.ID)
	require.NoError(t, err)
	free, err := inventory.AvailableByLocation(ctx, tx, c.Mug)
	require.NoError(t, err)
	require.Equal(t, 2, free[c.HarbourStreet.ID], "on hand less reserved less safety stock")
}

func TestWhatExpiredIsAvailableBeforeAJobSweepsIt(t *testing.T) {
	tx := pgtest.Tx(t)
	c := sample.Load(t, tx)
	placed := c.Order(t, tx, c.Mug, 9, c.HarbourStreet)
	_, err := tx.Exec(ctx, `UPDATE reservation SET expires_at = now() - interval '1 minute'`)
	require.NoError(t, err)

	short, err := inventory.Reserve(ctx, tx, nil, []inventory.Reservation{{OrderLineID: placed.Line, VariantID: c.Mug,
		LocationID: c.HarbourStreet.ID, Quantity: 10}})
	require.NoError(t, err)
	require.Empty(t, short)
	require.Equal(t, [2]int{10, 10}, level(t, tx, c))
}

func TestHandingOverAndReleasing(t *testing.T) {
	tx := pgtest.Tx(t)
	c := sample.Load(t, tx)
	gone, back := c.Order(t, tx, c.Mug, 2, c.HarbourStreet), c.Order(t, tx, c.Mug, 3, c.HarbourStreet)
	why := inventory.Reason{Channel: origin.Counter, AssociateID: c.Bea.ID}

	require.NoError(t, inventory.HandOver(ctx, tx, []int64{gone.Line}, why))
	require.Equal(t, [2]int{8, 3}, level(t, tx, c))
	require.NoError(t, inventory.HandOver(ctx, tx, []int64{gone.Line}, why), "what is gone is not taken again")
	require.NoError(t, inventory.Release(ctx, tx, []int64{back.Line}))
	require.Equal(t, [2]int{8, 0}, level(t, tx, c))

	done, err := inventory.AdjustOnHand(ctx, tx, inventory.Move{VariantID: c.Mug, LocationID: c.HarbourStreet.ID,
		Delta: -9, Cause: "count"}, why)
	require.NoError(t, err)
	require.False(t, done, "there are eight")
}
