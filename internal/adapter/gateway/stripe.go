package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/stripe/stripe-go/v85"

	"counterpart/internal/domain/payment"
	"counterpart/internal/platform/money"
)

// StripePage is the origin of the pages on which shoppers pay at Stripe.
const StripePage = "https://checkout.stripe.com"

// Stripe speaks with Stripe, over its own client: the shopper pays on Stripe's page, the card is authorised there and
// captured by us later. A reference is the id of a Checkout Session.
type Stripe struct {
	client  *stripe.Client
	secrets []string
	account string
}

// NewStripe is a gateway for a secret key. Secrets are those of the webhook endpoint, two while one is changed. Account
// sets this shop's keys apart from those of others that share its Stripe account. URL is empty but in tests.
func NewStripe(key string, secrets []string, account, url string) *Stripe {
	config := &stripe.BackendConfig{
		HTTPClient: Patient(), EnableTelemetry: stripe.Bool(false),
		LeveledLogger:     &stripe.LeveledLogger{Level: stripe.LevelNull},
		MaxNetworkRetries: stripe.Int64(0), // a job asks again, under the same key; a shopper does not wait for three
	}
	if url != "" {
		config.URL = stripe.String(url)
	}
	return &Stripe{client: stripe.NewClient(key, stripe.WithBackends(stripe.NewBackendsWithConfig(config))),
		secrets: secrets, account: account}
}

func (s *Stripe) Name() string { return "stripe" }

// What Stripe calls our key, in its metadata.
const stripeKey = "counterpart"

func (s *Stripe) ours(key string) string { return s.account + "/" + key }

// longer than the order is kept: Stripe refuses a page of less than half an hour, and the order's end closes it anyway.
// It is counted from the order's end, not from now, because the same key has to come with the same figures.
const longer = 31 * time.Minute

func (s *Stripe) Begin(ctx context.Context, b payment.Begin) (payment.Begun, error) {
	amount, err := toStripe(b.Amount, b.Currency)
	if err != nil {
		return payment.Begun{}, err
	}
	method := "card"
	if b.Method == payment.PayLater {
		method = "klarna"
	}
	p := &stripe.CheckoutSessionCreateParams{
		Mode: stripe.String("payment"), PaymentMethodTypes: []*string{stripe.String(method)},
		ClientReferenceID: stripe.String(s.ours(b.Key)), Metadata: map[string]string{stripeKey: s.ours(b.Key)},
		SuccessURL: stripe.String(b.Return), CancelURL: stripe.String(b.Return),
		ExpiresAt: stripe.Int64(b.Expires.Add(longer).Unix()),
		LineItems: []*stripe.CheckoutSessionCreateLineItemParams{{Quantity: stripe.Int64(1),
			PriceData: &stripe.CheckoutSessionCreateLineItemPriceDataParams{
				Currency: stripe.String(strings.ToLower(b.Currency)), UnitAmount: stripe.Int64(amount),
				ProductData: &stripe.CheckoutSessionCreateLineItemPriceDataProductDataParams{Name: stripe.String("Order " +
					b.Order)}}}},
		PaymentIntentData: &stripe.CheckoutSessionCreatePaymentIntentDataParams{
			CaptureMethod: stripe.String("manual"), Description: stripe.String("Order " +
				b.Order), Metadata: map[string]string{stripeKey: s.ours(b.Key)}},
	}
	if b.Email != "" {
		p.CustomerEmail = stripe.String(b.Email)
	}
	p.SetIdempotencyKey(s.ours(b.Key))
	session, err := s.client.V1CheckoutSessions.Create(ctx, p)
	if err != nil {
		return payment.Begun{}, said(err)
	}
	return payment.Begun{Reference: session.ID, Page: session.URL}, nil
}

func (s *Stripe) session(ctx context.Context, reference string) (*stripe.CheckoutSession, error) {
	p := &stripe.CheckoutSessionRetrieveParams{}
	p.AddExpand("payment_intent.latest_charge")
	session, err := s.client.V1CheckoutSessions.Retrieve(ctx, reference, p)
	return session, said(err)
}

func (s *Stripe) Fetch(ctx context.Context, reference string) (payment.Status, error) {
	session, err := s.session(ctx, reference)
	if err != nil {
		return payment.Status{}, err
	}
	key, _ := strings.CutPrefix(session.ClientReferenceID, s.account+"/")
	currency := strings.ToUpper(string(session.Currency))
	status := payment.Status{State: payment.Started, Currency: currency,
		Amount: fromStripe(session.AmountTotal, currency), Key: key}
	if session.Status == stripe.CheckoutSessionStatusExpired {
		status.State = payment.Voided
	}
	intent := session.PaymentIntent
	if intent == nil {
		return status, nil
	}
	switch intent.Status {
	case stripe.PaymentIntentStatusRequiresCapture:
		status.State = payment.Authorised
	case stripe.PaymentIntentStatusSucceeded:
		status.State = payment.Captured
	case stripe.PaymentIntentStatusCanceled:
		status.State = payment.Voided
	}
	status.Captured = fromStripe(intent.AmountReceived, currency)
	if charge := intent.LatestCharge; charge != nil {
		// What was not captured of a promise counts as refunded at Stripe.
		status.Refunded = max(fromStripe(charge.AmountRefunded-(charge.Amount-charge.AmountCaptured), currency), 0)
		if details := charge.PaymentMethodDetails; details != nil && details.Card != nil &&
			details.Card.CaptureBefore > 0 {
			status.Lapses = time.Unix(details.Card.CaptureBefore, 0)
		}
	}
	return status, nil
}

// intent is the payment behind a page, or "" while nobody has paid on it.
func (s *Stripe) intent(ctx context.Context, reference string) (id string, open bool, err error) {
	session, err := s.session(ctx, reference)
	if err != nil {
		return "", false, err
	}
	if session.PaymentIntent != nil {
		id = session.PaymentIntent.ID
	}
	return id, session.Status == stripe.CheckoutSessionStatusOpen, nil
}

func (s *Stripe) ClosePage(ctx context.Context, reference, key string) error {
	p := &stripe.CheckoutSessionExpireParams{}
	p.SetIdempotencyKey(s.ours(key))
	_, err := s.client.V1CheckoutSessions.Expire(ctx, reference, p)
	return said(err)
}

func (s *Stripe) Capture(ctx context.Context, reference, key string, amount int64) error {
	session, err := s.session(ctx, reference)
	if err != nil {
		return err
	}
	if session.PaymentIntent == nil {
		return &payment.Refused{Why: "nobody has paid"}
	}
	minor, err := toStripe(amount, string(session.Currency))
	if err != nil {
		return err
	}
	p := &stripe.PaymentIntentCaptureParams{AmountToCapture: stripe.Int64(minor)}
	p.SetIdempotencyKey(s.ours(key))
	_, err = s.client.V1PaymentIntents.Capture(ctx, session.PaymentIntent.ID, p)
	return said(err)
}

func (s *Stripe) Void(ctx context.Context, reference, key string) error {
	intent, open, err := s.intent(ctx, reference)
	if err != nil {
		return err
	}
	if open {
		return s.ClosePage(ctx, reference, key)
	}
	if intent == "" {
		return nil // the page is over and nobody paid: there is nothing to give up
	}
	p := &stripe.PaymentIntentCancelParams{}
	p.SetIdempotencyKey(s.ours(key))
	_, err = s.client.V1PaymentIntents.Cancel(ctx, intent, p)
	return said(err)
}

// Refund asks first whether it was made before: Stripe forgets a key after a day, and a refund must not be made twice
// because a gateway was away for two.
func (s *Stripe) Refund(ctx context.Context, reference, key string, amount int64) error {
	session, err := s.session(ctx, reference)
	if err != nil {
		return err
	}
	if session.PaymentIntent == nil {
		return &payment.Refused{Why: "nobody has paid"}
	}
	intent := stripe.String(session.PaymentIntent.ID)
	for made, err := range s.client.V1Refunds.List(ctx, &stripe.RefundListParams{PaymentIntent: intent}).All(ctx) {
		if err != nil {
			return said(err)
		}
		if made.Metadata[stripeKey] == s.ours(key) {
			return nil
		}
	}
	minor, err := toStripe(amount, string(session.Currency))
	if err != nil {
		return err
	}
	p := &stripe.RefundCreateParams{PaymentIntent: intent, Amount: stripe.Int64(minor),
		Metadata: map[string]string{stripeKey: s.ours(key)}}
	p.SetIdempotencyKey(s.ours(key))
	_, err = s.client.V1Refunds.Create(ctx, p)
	return said(err)
}

// VerifyWebhook answers with the id of a session, or with the key of an attempt where the message is about what is behind one.
// Messages about what is not this shop's name neither.
func (s *Stripe) VerifyWebhook(header http.Header, body []byte, _ time.Time) (payment.Event, error) {
	signed := header.Values("Stripe-Signature")
	if len(signed) != 1 {
		return payment.Event{}, payment.ErrForged
	}
	failed := payment.ErrForged
	for _, secret := range s.secrets {
		message, err := stripe.ConstructEvent(body, signed[0], secret, stripe.WithTolerance(Tolerance),
			stripe.WithIgnoreAPIVersionMismatch())
		if err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		e := payment.Event{ID: message.ID, Kind: string(message.Type)}
		var about struct {
			ID       string
			Object   string
			Metadata map[string]string
		}
		if message.Data == nil {
			return e, nil
		}
		if err := json.Unmarshal(message.Data.Raw, &about); err != nil {
			return payment.Event{}, errors.Join(payment.ErrForged, err)
		}
		key, mine := strings.CutPrefix(about.Metadata[stripeKey], s.account+"/")
		switch {
		case !mine:
		case about.Object == "checkout.session":
			e.Reference = about.ID
		default:
			e.Reference = key
		}
		return e, nil
	}
	return payment.Event{}, failed
}

// said sorts an error of Stripe's: what would be answered the same again is a refusal, the rest can be asked again.
func said(err error) error {
	var told *stripe.Error
	if !errors.As(err, &told) {
		return err
	}
	switch told.HTTPStatusCode {
	case http.StatusBadRequest, http.StatusPaymentRequired, http.StatusNotFound:
		return &payment.Refused{Why: told.Msg}
	}
	return fmt.Errorf("stripe answered %d: %w", told.HTTPStatusCode, err)
}

// scale is by how much Stripe's units differ from the minor units of ISO 4217: it knows cents of the króna and the
// shilling, and none of the ariary. Source: Stripe's page on supported currencies.
func scale(currency string) (times, by int64) {
	switch strings.ToUpper(currency) {
	case "ISK", "UGX":
		return 100, 1
	case "MGA":
		return 1, 100
	}
	return 1, 1
}

func toStripe(minor int64, currency string) (int64, error) {
	times, by := scale(currency)
	// Where there are three decimals, Stripe takes two.
	if minor%by != 0 || money.Exponent(strings.ToUpper(currency)) == 3 && minor%10 != 0 {
		return 0, &payment.Refused{Why: "this amount cannot be paid by card: " +
			money.New(minor, strings.ToUpper(currency)).String()}
	}
	return minor * times / by, nil
}

func fromStripe(amount int64, currency string) int64 {
	times, by := scale(currency)
	return amount * by / times
}
