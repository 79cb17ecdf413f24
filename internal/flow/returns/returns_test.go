package returns_test

import (
	"context"
	"testing"

	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/payment"
	"counterpart/internal/flow/pickup"
	"counterpart/internal/flow/returns"
	"counterpart/internal/flow/settle"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/pg/pgtest"
	"counterpart/internal/proof/sample"

	"github.com/stretchr/testify/require"
)

var ctx = context.Background()

func TestAReturnIsMadeOnceAndAsItWasShown(t *testing.T) {
	tx := pgtest.Tx(t)
	c := sample.Load(t, tx)
	placed := c.Order(t, tx, c.Mug, 2, c.HarbourStreet)
	here := origin.Origin{Channel: origin.Counter, LocationID: c.HarbourStreet.ID, AssociateID: c.Bea.ID,
		Language: "en"}
	_, err := tx.Exec(ctx, `UPDATE location SET takes_returns = true`)
	require.NoError(t, err)
	request := returns.Request{Form: "a form that is sent twice", OrderID: placed.Order, SelfApproves: true,
		Wants: []returns.ReturnLine{{LineID: placed.Line, Quantity: 1, Reason: "changed_mind", Grade: "sellable",
			Restock: true}}}
	_, err = returns.Preview(ctx, tx, here, request)
	require.Error(t, err, "nothing was handed over yet")
	require.NoError(t, pickup.Ready(ctx, tx, here, placed.Fulfilment, "A1"))
	var code string
	require.NoError(t, tx.QueryRow(ctx, `SELECT code FROM fulfilment`).Scan(&code))
	_, err = pickup.HandOver(ctx, tx, here, placed.Fulfilment, code,
		settle.CounterPayment{Kind: payment.Cash, Given: 2400})
	require.NoError(t, err)

	shown, err := returns.Preview(ctx, tx, here, request)
	require.NoError(t, err)
	require.Equal(t, int64(1200), shown.Refund)
	count := func() (n int) {
		require.NoError(t, tx.QueryRow(ctx, `SELECT count(*) FROM return_ticket`).Scan(&n))
		return n
	}
	require.Zero(t, count(), "a preview keeps nothing")
	made, err := returns.Make(ctx, tx, here, request)
	require.NoError(t, err)
	require.Equal(t, shown.Amounts(), made.Amounts())
	_, err = returns.Make(ctx, tx, here, request)
	require.True(t, fault.Is(err, fault.Conflict), "a form that is sent twice returns once")
	require.Equal(t, 1, count())
	request.Form, request.Wants[0].Quantity = "another form of the same", 2
	_, err = returns.Make(ctx, tx, here, request)
	require.NotNil(t, fault.As(err), "one is left")
}
