package basket_test

import (
	"context"
	"testing"

	"counterpart/internal/domain/cart"
	"counterpart/internal/platform/pg/pgtest"
	"counterpart/internal/proof/sample"
	"counterpart/internal/query/basket"

	"github.com/stretchr/testify/require"
)

var ctx = context.Background()

func TestACartIsPricedWithWhatEachStoreHas(t *testing.T) {
	tx := pgtest.Tx(t)
	c := sample.Load(t, tx)
	ada := c.Ada(t, tx, c.Mug, 11, c.HarbourStreet)

	b, err := basket.Load(ctx, tx, ada, "en")
	require.NoError(t, err)
	require.Equal(t, int64(11*1200), b.Quote.Total)
	require.Equal(t, 11, b.Units())
	require.False(t, b.Lines[0].Enough(), "ten are there")
	require.False(t, b.Ready())

	require.NoError(t, cart.SetQuantity(ctx, tx, ada, b.Lines[0].ID, 10, 0))
	b, err = basket.Load(ctx, tx, ada, "en")
	require.NoError(t, err)
	require.True(t, b.Ready(), "%s", b.Blocked().In("en"))

	nobody, err := basket.Load(ctx, tx, 1<<40, "en")
	require.NoError(t, err)
	require.Nil(t, nobody)
}
