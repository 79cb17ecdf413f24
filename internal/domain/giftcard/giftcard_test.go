package giftcard_test

import (
	"context"
	"testing"

	"counterpart/internal/domain/giftcard"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/pg/pgtest"
	"counterpart/internal/platform/text"
	"counterpart/internal/proof/sample"

	"github.com/stretchr/testify/require"
)

var ctx = context.Background()

func TestACardIsSpentToItsLastPennyAndNoFurther(t *testing.T) {
	tx := pgtest.Tx(t)
	c := sample.Load(t, tx)
	order := c.Order(t, tx, c.Mug, 1, c.HarbourStreet).Order
	id, err := giftcard.Make(ctx, tx, giftcard.New{Currency: "GBP", Amount: 2000})
	require.NoError(t, err)
	first, err := giftcard.Code(ctx, tx, id)
	require.NoError(t, err)
	code, err := giftcard.Code(ctx, tx, id)
	require.NoError(t, err)

	for _, wrong := range []string{"", "nonsense", first} {
		card, err := giftcard.Find(ctx, tx, wrong, "GBP")
		require.NoError(t, err)
		require.Nil(t, card, "%q", wrong)
	}
	card, err := giftcard.Find(ctx, tx, code, "EUR")
	require.NoError(t, err)
	require.Nil(t, card, "another currency")
	card, err = giftcard.Find(ctx, tx, " "+code+" ", "GBP")
	require.NoError(t, err)
	require.Equal(t, int64(2000), card.Balance)

	spend := func(amount int64) (gone bool) {
		var w pg.Work
		giftcard.Spend(&w, text.M("the card"), id, amount, order)
		require.NoError(t, tx.SendBatch(ctx, &w.Batch).Close())
		_, gone = w.Missed()
		return gone
	}
	require.False(t, spend(1999))
	require.True(t, spend(2), "there is one left")
	require.False(t, spend(1))
	late, err := giftcard.Code(ctx, tx, id)
	require.NoError(t, err)
	require.Empty(t, late, "a card that was spent from keeps its code")
	require.NoError(t, giftcard.Restore(ctx, tx, id, 500, order))
	var balance, ledger int64
	require.NoError(t, tx.QueryRow(ctx, `SELECT balance, (SELECT sum(delta) FROM gift_card_entry
		WHERE gift_card_id = g.id)
		FROM gift_card g WHERE id = $1`, id).Scan(&balance, &ledger))
	require.Equal(t, []int64{500, 500}, []int64{balance, ledger})
}
