package settle_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"counterpart/internal/adapter/sandbox/sandboxtest"
	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/payment"
	"counterpart/internal/flow/cancellation"
)

// Called off while the payment page is open: the page closes with it.
func TestAPageClosesWithItsOrder(t *testing.T) {
	w := open(t)
	placed := w.place(w.Ada(t, w.db, w.Mug, 1, w.HarbourStreet), payment.Card)
	page, err := w.office.Page(ctx, placed.PaymentID)
	require.NoError(t, err)
	require.NoError(t, cancellation.Order(ctx, w.db, origin.Origin{Channel: origin.Web, Language: "en"}, placed.ID))
	w.transfers()
	require.Equal(t, "void", one[string](w, `SELECT state FROM sandbox.payment`))
	require.Equal(t, "void", one[string](w, `SELECT state FROM payment`))
	_ = page
	w.sound()
}

// Paid in the moment between the two: the promise is given back without anybody's doing, and what was noted about it is
// closed.
func TestWhatIsPaidForACancelledOrderGoesBack(t *testing.T) {
	w := open(t)
	placed := w.place(w.Ada(t, w.db, w.Mug, 1, w.HarbourStreet), payment.Card)
	page, err := w.office.Page(ctx, placed.PaymentID)
	require.NoError(t, err)
	require.NoError(t, cancellation.Order(ctx, w.db, origin.Origin{Channel: origin.Web, Language: "en"}, placed.ID))
	w.company.Pay(page, sandboxtest.Good)
	require.NoError(t, w.office.Settle(ctx, placed.PaymentID))
	w.transfers()
	require.Equal(t, "void", one[string](w, `SELECT state FROM sandbox.payment`))
	require.Equal(t, "late", one[string](w, `SELECT kind FROM difference WHERE closed_at IS NOT NULL AND note <> ''`))
	w.sound()
}
