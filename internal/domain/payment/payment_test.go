package payment_test

import (
	"context"
	"testing"

	"counterpart/internal/domain/payment"
	"counterpart/internal/platform/pg/pgtest"
	"counterpart/internal/proof/sample"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

var ctx = context.Background()

func TestARefundIsNeverMoreThanWasCaptured(t *testing.T) {
	tx := pgtest.Tx(t)
	c := sample.Load(t, tx)
	order := c.Order(t, tx, c.Mug, 1, c.HarbourStreet).Order
	batch := &pgx.Batch{}
	payment.Queue(batch, order, payment.New{Kind: payment.Cash, Amount: 1200, Captured: true, Given: 2000,
		AssociateID: c.Bea.ID})
	require.NoError(t, tx.SendBatch(ctx, batch).Close())
	tenders, err := payment.Tenders(ctx, tx, order)
	require.NoError(t, err)
	require.Len(t, tenders, 1, "a promise to pay at pickup is none")

	refund := payment.Refund{TenderID: tenders[0].ID, How: payment.Cash, Amount: 700, AssociateID: c.Bea.ID}
	transfer, err := refund.Give(ctx, tx)
	require.NoError(t, err)
	require.Zero(t, transfer, "cash asks no gateway")
	_, err = refund.Give(ctx, tx)
	require.Error(t, err, "1,400 of 1,200")
	refund.Amount = 500
	_, err = refund.Give(ctx, tx)
	require.NoError(t, err)
	tenders, err = payment.Tenders(ctx, tx, order)
	require.NoError(t, err)
	require.Equal(t, []int64{1200, 1200}, []int64{tenders[0].Captured, tenders[0].Refunded})
}

func TestAnAttemptIsCapturedOnce(t *testing.T) {
	tx := pgtest.Tx(t)
	c := sample.Load(t, tx)
	order := c.Order(t, tx, c.Mug, 1, c.HarbourStreet).Order
	id, err := payment.StartAttempt(ctx, tx, payment.NewAttempt{OrderID: order, Gateway: "sandbox",
		Method: payment.Card, Currency: "GBP", Amount: 1200})
	require.NoError(t, err)
	attempt, err := payment.LastAttempt(ctx, tx, order)
	require.NoError(t, err)
	require.Equal(t, id, attempt.ID)
	require.NotEqual(t, attempt.Key(), (&payment.Transfer{ID: id}).Key(), "no two calls share an idempotency key")
	require.NoError(t, payment.Opened(ctx, tx, id, payment.Begun{Reference: "sb_1", Page: "https://example.com/pay"}))
	found, err := payment.AttemptAt(ctx, tx, "sandbox", "sb_1")
	require.NoError(t, err)
	require.Equal(t, id, found.ID)
	none, err := payment.AttemptAt(ctx, tx, "stripe", "sb_1")
	require.NoError(t, err)
	require.Nil(t, none, "a reference is its gateway's own")
}
