package gateway_test

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"counterpart/internal/adapter/gateway/stripetest"
	"counterpart/internal/domain/payment"
)

var ctx = context.Background()

func begin(key string, amount int64, currency string) payment.Begin {
	return payment.Begin{Key: key, Method: payment.Card, Amount: amount, Currency: currency, Order: "1001",
		Email: "ada@example.com", Language: "en", Return: "https://shop.example/orders/x/paid",
		Expires: time.Now().Add(20 * time.Minute).Truncate(time.Second)}
}

// The whole life of a payment; every call on the way is one that Stripe's published interface takes.
func TestAPaymentAtStripe(t *testing.T) {
	company := stripetest.Start(t)
	g := company.Gateway()
	b := begin("payment-1", 4200, "GBP")
	page, err := g.Begin(ctx, b)
	require.NoError(t, err)
	again, err := g.Begin(ctx, b)
	require.NoError(t, err)
	require.Equal(t, page, again, "one key, one page")

	look := func() payment.Status {
		s, err := g.Fetch(ctx, page.Reference)
		require.NoError(t, err)
		return s
	}
	require.Equal(t, payment.Status{State: payment.Started, Amount: 4200, Currency: "GBP", Key: "payment-1"}, look())
	refused(t, g.Capture(ctx, page.Reference, "transfer-1", 4200))
	company.Pay(page.Reference)
	s := look()
	require.Equal(t, payment.Authorised, s.State)
	require.WithinDuration(t, time.Now().Add(7*24*time.Hour), s.Lapses, time.Minute)
	require.Zero(t, s.Refunded)
	refused(t, g.ClosePage(ctx, page.Reference, "payment-1-over"))

	require.NoError(t, g.Capture(ctx, page.Reference, "transfer-2", 4000))
	require.NoError(t, g.Capture(ctx, page.Reference, "transfer-2", 4000), "again, under its key")
	refused(t, g.Capture(ctx, page.Reference, "transfer-3", 4000))
	s = look()
	require.Equal(t, payment.Captured, s.State)
	require.EqualValues(t, 4000, s.Captured)
	require.Zero(t, s.Refunded, "what was let go is not a refund")

	for range 2 {
		require.NoError(t, g.Refund(ctx, page.Reference, "transfer-4", 1500))
	}
	require.NoError(t, g.Refund(ctx, page.Reference, "transfer-5", 2500))
	refused(t, g.Refund(ctx, page.Reference, "transfer-6", 1))
	require.EqualValues(t, 4000, look().Refunded)
	refused(t, g.Void(ctx, page.Reference, "transfer-7"))
}

// A refund that was made is not made again when Stripe has forgotten its key.
func TestARefundIsLookedForBeforeItIsMade(t *testing.T) {
	company := stripetest.Start(t)
	g := company.Gateway()
	page, err := g.Begin(ctx, begin("payment-1", 1000, "EUR"))
	require.NoError(t, err)
	company.Pay(page.Reference)
	require.NoError(t, g.Capture(ctx, page.Reference, "transfer-1", 1000))
	require.NoError(t, g.Refund(ctx, page.Reference, "transfer-2", 400))
	calls := len(company.Calls)
	require.NoError(t, g.Refund(ctx, page.Reference, "transfer-2", 400))
	require.Len(t, company.Calls, calls, "nothing was asked for")
}

func TestAnOpenPageAndAPromiseAreGivenUp(t *testing.T) {
	company := stripetest.Start(t)
	g := company.Gateway()
	for i, pay := range []bool{false, true} {
		page, err := g.Begin(ctx, begin([]string{"payment-1", "payment-2"}[i], 1000, "EUR"))
		require.NoError(t, err)
		if pay {
			company.Pay(page.Reference)
		}
		require.NoError(t, g.Void(ctx, page.Reference, []string{"transfer-1", "transfer-2"}[i]))
		s, err := g.Fetch(ctx, page.Reference)
		require.NoError(t, err)
		require.Equal(t, payment.Voided, s.State)
	}
}

// Stripe does not count everywhere as ISO 4217 does.
func TestAmountsInStripesUnits(t *testing.T) {
	company := stripetest.Start(t)
	g := company.Gateway()
	for _, c := range []struct {
		currency string
		amount   int64
		taken    bool
	}{{"JPY", 500, true}, {"ISK", 500, true}, {"KWD", 1230, true}, {"KWD", 1234, false}, {"MGA", 1200, true}, {"MGA",
		1250, false}} {
		page, err := g.Begin(ctx, begin(c.currency+time.Now().String(), c.amount, c.currency))
		if !c.taken {
			refused(t, err)
			continue
		}
		require.NoError(t, err)
		s, err := g.Fetch(ctx, page.Reference)
		require.NoError(t, err)
		require.Equal(t, c.amount, s.Amount, c.currency)
		require.Equal(t, c.currency, s.Currency)
	}
}

func TestMessagesOfStripe(t *testing.T) {
	company := stripetest.Start(t)
	g := company.Gateway()
	page, err := g.Begin(ctx, begin("payment-7", 1000, "GBP"))
	require.NoError(t, err)
	_, body := company.Message("checkout.session.completed", page.Reference)
	_, behind := company.Message("payment_intent.canceled", page.Reference)
	now := time.Now()

	e, err := g.VerifyWebhook(stripetest.Sign(body, stripetest.Secret, now), body, now)
	require.NoError(t, err)
	require.Equal(t, payment.Event{ID: "evt_1", Kind: "checkout.session.completed", Reference: page.Reference}, e)
	e, err = g.VerifyWebhook(stripetest.Sign(behind, stripetest.OldSecret, now), behind, now)
	require.NoError(t, err, "the old secret holds while it is changed")
	require.Equal(t, "payment-7", e.Reference, "what is behind a page is found by our key")

	foreign, err := json.Marshal(map[string]any{"id": "evt_9", "object": "event", "type": "charge.succeeded",
		"data": map[string]any{"object": map[string]any{"id": "ch_1", "object": "charge",
			"metadata": map[string]string{"counterpart": "other.example/payment-7"}}}})
	require.NoError(t, err)
	e, err = g.VerifyWebhook(stripetest.Sign(foreign, stripetest.Secret, now), foreign, now)
	require.NoError(t, err)
	require.Empty(t, e.Reference, "another shop's, on the same account")

	forged := map[string]http.Header{
		"not signed":      {},
		"another secret":  stripetest.Sign(body, "whsec_guessed", now),
		"too old":         stripetest.Sign(body, stripetest.Secret, now.Add(-301*time.Second)),
		"of another body": stripetest.Sign(behind, stripetest.Secret, now),
		"signed twice over": {"Stripe-Signature": append(stripetest.Sign(body, "whsec_guessed",
			now)["Stripe-Signature"], stripetest.Sign(body, stripetest.Secret, now)["Stripe-Signature"]...)},
	}
	for what, header := range forged {
		_, err := g.VerifyWebhook(header, body, now)
		require.ErrorIs(t, err, payment.ErrForged, what)
	}
	_, err = g.VerifyWebhook(stripetest.Sign(body, stripetest.Secret, now.Add(-290*time.Second)), body, now)
	require.NoError(t, err, "late, but in time")
}

func refused(t *testing.T, err error) {
	t.Helper()
	why, no := payment.IsRefused(err)
	require.True(t, no, "%v", err)
	require.NotEmpty(t, why)
}
