package settle_test

import (
	mrand "math/rand/v2"
	"net/http"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"counterpart/internal/adapter/gateway/stripetest"
	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/payment"
	"counterpart/internal/flow/cancellation"
	"counterpart/internal/flow/checkout"
	"counterpart/internal/flow/settle"
	"counterpart/internal/platform/pg"
	"counterpart/internal/proof/audit"
)

// An order that is paid at Stripe goes the same way as one at the sandbox: its messages come in any order, thrice, and
// behind the events that they are about.
func TestAnOrderIsPaidAtStripe(t *testing.T) {
	w := open(t)
	company := stripetest.Start(t)
	w.office.Gateway = company.Gateway()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := mrand.New(mrand.NewPCG(seed, 0))
	for range rounds(3, 40) {
		request := w.request(w.Ada(t, w.db, w.BlueMug, 2, w.HarbourStreet), payment.Card)
		request.Gateway = "stripe"
		placed, err := checkout.Place(ctx, w.db, origin.Origin{Channel: origin.Web, Language: "en"}, request)
		require.NoError(t, err)
		_, err = w.office.Page(ctx, placed.PaymentID)
		require.NoError(t, err)
		reference := one[string](w, `SELECT reference FROM payment WHERE id = $1`, placed.PaymentID)
		type message struct {
			header http.Header
			body   []byte
		}
		var late []message
		say := func(kinds ...string) {
			for _, kind := range kinds {
				header, body := company.Message(kind, reference)
				for range 3 {
					late = append(late, message{header, body})
				}
			}
			r.Shuffle(len(late), func(i, j int) { late[i], late[j] = late[j], late[i] })
			some := r.IntN(len(late) + 1)
			for _, m := range late[:some] {
				require.NoError(t, w.office.Receive(ctx, "stripe", m.header, m.body))
				require.NoError(t, w.office.Event(ctx, one[int64](w, `SELECT max(id) FROM payment_event`), false))
			}
			late = late[some:]
		}
		company.Pay(reference)
		say("checkout.session.completed", "payment_intent.amount_capturable_updated")
		require.NoError(t, w.office.Poll(ctx))
		require.NoError(t, w.office.Settle(ctx, placed.PaymentID))
		require.Equal(t, "authorised", one[string](w, `SELECT payment_state FROM orders WHERE id = $1`, placed.ID))
		require.True(t, one[time.Time](w, `SELECT lapses_at FROM payment WHERE id = $1`,
			placed.PaymentID).After(time.Now().Add(6*24*time.Hour)))

		require.NoError(t, pg.InTx(ctx, w.db, func(tx pgx.Tx) error {
			return settle.CapturePayment(ctx, tx,
				placed.ID)
		}))
		w.transfers()
		say("payment_intent.succeeded", "charge.captured")
		require.NoError(t, cancellation.Order(ctx, w.db, origin.Origin{Channel: origin.Web, Language: "en"}, placed.ID))
		w.transfers()
		say("charge.refunded", "refund.created", "checkout.session.expired")
		require.Equal(t, []string{"cancelled", "paid", "captured"},
			[]string{one[string](w, `SELECT state FROM orders WHERE id = $1`, placed.ID),
				one[string](w, `SELECT payment_state FROM orders WHERE id = $1`, placed.ID), one[string](w,
					`SELECT state FROM payment WHERE id = $1`, placed.PaymentID)})
		status, err := w.office.Gateway.Fetch(ctx, reference)
		require.NoError(t, err)
		require.Equal(t, []int64{status.Amount, status.Amount}, []int64{status.Captured, status.Refunded})
	}
	agrees(w)
}

// What nobody pays is closed at Stripe before the order is lost; a promise that Stripe drops becomes one to pay at
// pickup.
func TestAPageAtStripeIsClosedAndAPromiseLapses(t *testing.T) {
	w := open(t)
	company := stripetest.Start(t)
	w.office.Gateway = company.Gateway()
	var orders []int64
	for i := range 2 {
		request := w.request(w.Ada(t, w.db, w.BlueMug, 1, w.HarbourStreet), payment.Card)
		request.Gateway = "stripe"
		placed, err := checkout.Place(ctx, w.db, origin.Origin{Channel: origin.Web, Language: "en"}, request)
		require.NoError(t, err)
		_, err = w.office.Page(ctx, placed.PaymentID)
		require.NoError(t, err)
		orders = append(orders, placed.ID)
		reference := one[string](w, `SELECT reference FROM payment WHERE id = $1`, placed.PaymentID)
		if i == 0 {
			_, err = w.db.Exec(ctx, `UPDATE orders SET hold_until = now() - interval '1 minute' WHERE id = $1`,
				placed.ID)
			require.NoError(t, err)
			require.NoError(t, w.office.Sweep(ctx))
			continue
		}
		company.Pay(reference)
		require.NoError(t, w.office.Settle(ctx, placed.PaymentID))
		company.Drop(reference)
		require.NoError(t, w.office.Reconcile(ctx))
	}
	require.Equal(t, "cancelled void", one[string](w,
		`SELECT o.state || ' ' || p.state FROM orders o JOIN payment p ON p.order_id = o.id WHERE o.id = $1`,
		orders[0]))
	require.Equal(t, "confirmed due void", one[string](w,
		`SELECT o.state || ' ' || o.payment_state || ' ' || p.state FROM orders o JOIN payment p ON p.order_id = o.id WHERE o.id = $1`, orders[1]))
	agrees(w)
}

// agrees says that the books are sound, and the same as the gateway's.
func agrees(w *world) {
	w.t.Helper()
	findings, err := audit.Run(ctx, w.db)
	require.NoError(w.t, err)
	require.Empty(w.t, findings)
	require.NoError(w.t, w.office.Reconcile(ctx))
	require.Zero(w.t, one[int](w,
		`SELECT count(*) FROM difference WHERE kind IN ('amount', 'captured', 'refunded', 'unknown')`))
}
