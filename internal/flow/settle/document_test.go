package settle_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"counterpart/internal/domain/document"
	"counterpart/internal/domain/payment"
	"counterpart/internal/flow/billing"
)

// C18: orders are paid and come back at once; every one has one invoice, numbers have no gap, and what came back has
// its credit note.
func TestDocumentsHaveNoGaps(t *testing.T) {
	w := open(t)
	var orders []int64
	for range rounds(12, 200) {
		orders = append(orders, w.sell(w.Ada(t, w.db, w.Mug, 2, w.HarbourStreet), payment.Terminal, 0).ID)
	}
	atOnce(3*len(orders), func(i int) { require.NoError(t, billing.IssueDocuments(ctx, w.db, orders[i/3])) })
	w.giveBack(orders[0], w.HarbourStreet.ID, want(w.lines(orders[0])[0], 1))
	atOnce(4, func(int) { require.NoError(t, billing.IssueDocuments(ctx, w.db, orders[0])) })
	w.giveBack(orders[0], w.HarbourStreet.ID, want(w.lines(orders[0])[0], 1))
	require.NoError(t, billing.IssueDocuments(ctx, w.db, orders[0]))

	require.Equal(t, len(orders), one[int](w, `SELECT count(*) FROM document WHERE series = 'invoice'`))
	all, err := document.OfOrder(ctx, w.db, orders[0])
	require.NoError(t, err)
	require.Len(t, all, 3)
	require.Equal(t, []int64{2400, 1200, 1200}, []int64{all[0].Total, all[1].Total, all[2].Total})
	require.Equal(t, all[0].Number, all[2].Body.Corrects)
	journal, err := document.Journal(ctx, w.db, all[0].Day, all[0].Day)
	require.NoError(t, err)
	require.Equal(t, []int64{400, int64(400 * len(orders))}, []int64{journal[0].Tax, journal[1].Tax},
		"credit notes, then invoices")
	w.sound()
}
