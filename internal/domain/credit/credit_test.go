package credit_test

import (
	"context"
	"testing"

	"counterpart/internal/domain/credit"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/pg/pgtest"
	"counterpart/internal/platform/text"
	"counterpart/internal/proof/sample"

	"github.com/stretchr/testify/require"
)

var ctx = context.Background()

func TestCreditIsSpentOverAllOfAPersonsProfiles(t *testing.T) {
	tx := pgtest.Tx(t)
	c := sample.Load(t, tx)
	placed := c.Order(t, tx, c.Mug, 1, c.HarbourStreet)
	var other int64
	require.NoError(t, tx.QueryRow(ctx, `INSERT INTO customer (channel, merged_into) VALUES ('web', $1) RETURNING id`,
		placed.Customer).Scan(&other))
	require.NoError(t, credit.Give(ctx, tx, credit.Grant{CustomerID: placed.Customer, Currency: "GBP", Amount: 300,
		Cause: "given", AssociateID: c.Bea.ID}))
	require.NoError(t, credit.Give(ctx, tx, credit.Grant{CustomerID: other, Currency: "GBP", Amount: 200,
		Cause: "given", AssociateID: c.Bea.ID}))
	require.NoError(t, credit.Give(ctx, tx, credit.Grant{CustomerID: other, Currency: "EUR", Amount: 900,
		Cause: "given", AssociateID: c.Bea.ID}))
	spend := func(amount int64) (gone bool) {
		var w pg.Work
		credit.Spend(&w, text.M("the credit"), placed.Customer, "GBP", amount, placed.Order)
		require.NoError(t, tx.SendBatch(ctx, &w.Batch).Close())
		_, gone = w.Missed()
		return gone
	}

	require.True(t, spend(501), "euros are not pounds")
	require.False(t, spend(400))
	require.False(t, spend(100))
	require.True(t, spend(1))
	var pounds, ledger int64
	require.NoError(t, tx.QueryRow(ctx, `SELECT sum(balance) FROM credit WHERE currency = 'GBP'`).Scan(&pounds))
	require.NoError(t, tx.QueryRow(ctx, `SELECT sum(delta) FROM credit_entry WHERE currency = 'GBP'`).Scan(&ledger))
	require.Equal(t, []int64{0, 0}, []int64{pounds, ledger})
}
