package cart_test

import (
	"context"
	"strings"
	"testing"

	"counterpart/internal/domain/cart"
	"counterpart/internal/domain/origin"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/pg/pgtest"
	"counterpart/internal/proof/sample"

	"github.com/stretchr/testify/require"
)

var ctx = context.Background()

func TestALineHoldsNinetyNineAndACartIsOne(t *testing.T) {
	tx := pgtest.Tx(t)
	c := sample.Load(t, tx)
	ada := c.Ada(t, tx, c.Mug, 90, c.HarbourStreet)
	id, err := cart.Open(ctx, tx, ada, 0, origin.Web)
	require.NoError(t, err)
	require.NoError(t, cart.Add(ctx, tx, id, cart.NewLine{VariantID: c.Mug, Quantity: 20, Channel: origin.Counter}))
	quantity := func(customer int64) (n int) {
		require.NoError(t, tx.QueryRow(ctx, `SELECT coalesce(sum(l.quantity), 0) FROM cart c JOIN cart_line l
			ON l.cart_id = c.id
			WHERE c.customer_id = $1 AND c.state = 'open'`, customer).Scan(&n))
		return n
	}
	require.Equal(t, cart.MaxQuantity, quantity(ada), "the same thing is one line, from any channel")

	again, err := cart.Open(ctx, tx, ada, c.MillLane.ID, origin.Counter)
	require.NoError(t, err)
	require.Equal(t, id, again)
	require.True(t, fault.Is(cart.SetQuantity(ctx, tx, ada, 1<<40, 1, 0), fault.NotFound), "a line that is not theirs")
}

func TestJoiningTakesEverythingAndUnjoiningBringsItBack(t *testing.T) {
	tx := pgtest.Tx(t)
	c := sample.Load(t, tx)
	ada, guest := c.Ada(t, tx, c.Mug, 2, c.HarbourStreet), c.Ada(t, tx, c.Mug, 3, c.HarbourStreet)
	lines := func(customer int64) (n int) {
		require.NoError(t, tx.QueryRow(ctx, `SELECT coalesce(sum(l.quantity), 0) FROM cart c JOIN cart_line l
			ON l.cart_id = c.id
			WHERE c.customer_id = $1 AND c.state = 'open'`, customer).Scan(&n))
		return n
	}
	joined, err := cart.Join(ctx, tx, guest, ada, origin.Web)
	require.NoError(t, err)
	require.Equal(t, []int{5, 0}, []int{lines(ada), lines(guest)})
	require.NoError(t, cart.Unjoin(ctx, tx, guest, joined))
	require.Equal(t, []int{2, 3}, []int{lines(ada), lines(guest)})
}

func TestACodeIsReadAsItIsSaid(t *testing.T) {
	code := cart.NewCode()
	read, ok := cart.ReadCode(" " + strings.ToLower(code[:4]) + "-" + code[4:])
	require.True(t, ok)
	require.Equal(t, code, read)
	_, ok = cart.ReadCode("short")
	require.False(t, ok)
}
