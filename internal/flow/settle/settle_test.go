package settle_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"counterpart/internal/adapter/sandbox/sandboxtest"
	"counterpart/internal/domain/cart"
	"counterpart/internal/domain/delivery"
	"counterpart/internal/domain/giftcard"
	"counterpart/internal/domain/location"
	"counterpart/internal/domain/loyalty"
	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/payment"
	"counterpart/internal/domain/promotion"
	"counterpart/internal/domain/quote"
	"counterpart/internal/flow/cancellation"
	"counterpart/internal/flow/checkout"
	"counterpart/internal/flow/pickup"
	"counterpart/internal/flow/settle"
	"counterpart/internal/flow/shopping"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/pg/pgtest"
	"counterpart/internal/platform/postal"
	"counterpart/internal/proof/audit"
	"counterpart/internal/proof/sample"
	"counterpart/internal/query/basket"
)

var ctx = context.Background()

// world is a chain that delivers, gives things away and takes cards.
type world struct {
	*sample.Chain
	t       testing.TB
	db      *pgxpool.Pool
	url     string
	company *sandboxtest.Company
	office  *settle.Payments
}

func open(t testing.TB) *world {
	t.Helper()
	w := &world{t: t}
	w.db, w.url = pgtest.Database(t)
	w.Chain = sample.Load(t, w.db)
	w.company = sandboxtest.Start(t, w.url, "")
	w.office = &settle.Payments{DB: w.db, Gateway: w.company.Gateway(), Base: "http://shop.example"}
	require.NoError(t, pg.InTx(ctx, w.db, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE location SET ship = true, takes_returns = true`)
		require.NoError(t, err)
		return delivery.Save(ctx, tx, &delivery.Method{Name: "Standard", Countries: []string{"GB"}, Currency: "GBP",
			Carrier: "Parcel Post", MinDays: 2, MaxDays: 3, Cutoff: 840, Active: true,
			Rates: []delivery.Rate{{MaxGrams: 30_000, Charge: 395}}})
	}))
	return w
}

// promote makes a promotion live, with a code where one is given.
func (w *world) promote(p promotion.Promotion, code string) int64 {
	w.t.Helper()
	if p.Combines == nil {
		p.Combines = []quote.Level{quote.LineLevel, quote.OrderLevel, quote.ShippingLevel}
	}
	p.NeedsCode = code != ""
	require.NoError(w.t, pg.InTx(ctx, w.db, func(tx pgx.Tx) error {
		if err := promotion.Save(ctx, tx, &p, 0); err != nil {
			return err
		}
		if code != "" {
			if err := promotion.AddCode(ctx, tx, promotion.Coupon{PromotionID: p.ID, Code: code}); err != nil {
				return err
			}
		}
		return promotion.Move(ctx, tx, p.ID, promotion.Live)
	}))
	return p.ID
}

// card is a gift card with an amount on it, and its code.
func (w *world) card(amount int64) (code string) {
	w.t.Helper()
	require.NoError(w.t, pg.InTx(ctx, w.db, func(tx pgx.Tx) error {
		id, err := giftcard.Make(ctx, tx, giftcard.New{Currency: "GBP", Amount: amount})
		require.NoError(w.t, err)
		code, err = giftcard.Code(ctx, tx, id)
		return err
	}))
	return code
}

func (w *world) points(customer, points int64) {
	w.t.Helper()
	require.NoError(w.t, pg.InTx(ctx, w.db, func(tx pgx.Tx) error {
		return loyalty.Give(ctx, tx, loyalty.Grant{CustomerID: customer, Points: points, Cause: "given",
			Vests: time.Now().Add(-time.Hour)})
	}))
}

func (w *world) add(customer, variant int64, quantity int, at location.Location) {
	w.t.Helper()
	require.NoError(w.t, shopping.AddFor(ctx, w.db, origin.Origin{Channel: origin.Web, Language: "en"}, customer,
		shopping.Item{VariantID: variant, Quantity: quantity, LocationID: at.ID}))
}

func (w *world) basket(customer int64) *basket.Basket {
	w.t.Helper()
	b, err := basket.Load(ctx, w.db, customer, "en")
	require.NoError(w.t, err)
	require.NotNil(w.t, b)
	return b
}

// ship has a line of a variant delivered.
func (w *world) ship(customer, variant int64) {
	w.t.Helper()
	for _, line := range w.basket(customer).Lines {
		if line.VariantID == variant {
			require.NoError(w.t, cart.SetWay(ctx, w.db, customer, line.ID, cart.Way{Method: "ship"}))
		}
	}
}

func (w *world) request(customer int64, pay string) checkout.Request {
	w.t.Helper()
	b := w.basket(customer)
	return checkout.Request{CustomerID: customer, CartID: b.CartID, Expected: b.Quote.Total,
		Rest: new(b.Tenders().Rest), Name: "Ada Bray", Email: "ada@example.com", Pay: pay,
		Gateway: "sandbox", To: postal.Address{Lines: "1 Mill Lane", Town: "Leeds", Postcode: "LS1 6QD", Country: "GB"}}
}

func (w *world) place(customer int64, pay string) checkout.Placed {
	w.t.Helper()
	placed, err := checkout.Place(ctx, w.db, origin.Origin{Channel: origin.Web, Language: "en"},
		w.request(customer, pay))
	require.NoError(w.t, err)
	return placed
}

// pay is the shopper on the gateway's page, coming back.
func (w *world) pay(paymentID int64, card string) {
	w.t.Helper()
	page, err := w.office.Page(ctx, paymentID)
	require.NoError(w.t, err)
	w.company.Pay(page, card)
	require.NoError(w.t, w.office.Settle(ctx, paymentID))
}

// transfers carries out what was asked of the gateway, as the jobs do.
func (w *world) transfers() {
	w.t.Helper()
	rows, err := w.db.Query(ctx, `SELECT id FROM transfer WHERE state = 'asked' ORDER BY id`)
	require.NoError(w.t, err)
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	require.NoError(w.t, err)
	for _, id := range ids {
		require.NoError(w.t, w.office.Transfer(ctx, id))
	}
}

// one reads a single figure or word.
func one[T any](w *world, query string, args ...any) (value T) {
	w.t.Helper()
	require.NoError(w.t, w.db.QueryRow(ctx, query, args...).Scan(&value))
	return value
}

// sound says that our books agree with themselves and with the gateway's.
func (w *world) sound() {
	w.t.Helper()
	findings, err := audit.Run(ctx, w.db)
	require.NoError(w.t, err)
	require.Empty(w.t, findings)
	require.NoError(w.t, w.office.Reconcile(ctx))
	rows, err := w.db.Query(ctx,
		`SELECT kind || ' ' || reference || ' ' || detail FROM difference WHERE closed_at IS NULL AND kind IN ('amount', 'captured', 'refunded', 'unknown')`)
	require.NoError(w.t, err)
	differences, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(w.t, err)
	require.Empty(w.t, differences)
	var stray int
	require.NoError(w.t, w.db.QueryRow(ctx, `
		SELECT count(*)
		FROM sandbox.payment s
		FULL JOIN (
			SELECT p.reference, p.state, p.amount, coalesce(t.captured, 0) AS captured, coalesce((SELECT sum(amount)
				FROM transfer WHERE payment_id = p.id AND kind = 'refund' AND state = 'done'), 0) AS refunded
			FROM payment p
			LEFT JOIN tender t ON t.payment_id = p.id
			WHERE p.reference IS NOT NULL) p ON p.reference = s.id
		WHERE (CASE s.state WHEN 'open' THEN 'started' WHEN 'secure' THEN 'started' ELSE s.state END, s.amount,
			s.captured, s.refunded) IS DISTINCT FROM (p.state, p.amount, p.captured, p.refunded::bigint)`).Scan(&stray))
	require.Zero(w.t, stray,
		"every charge of the company is one of ours, with the same figures, and the other way round")
}

func (w *world) desk() origin.Origin {
	return origin.Origin{Channel: origin.Counter, LocationID: w.HarbourStreet.ID, AssociateID: w.Bea.ID, Language: "en"}
}

func TestAMixedOrderIsPaidInEveryWayAtOnce(t *testing.T) {
	w := open(t)
	w.promote(promotion.Promotion{Title: "Ten per cent off coats",
		Rule: quote.Rule{Products: []int64{one[int64](w, `SELECT product_id FROM variant WHERE id = $1`, w.Coat)},
			Effect: quote.Effect{Kind: quote.Percent, Percent: 1000}}}, "")
	w.promote(promotion.Promotion{Title: "Five pounds", Rule: quote.Rule{Currency: "GBP", Subtotal: 5000,
		Effect: quote.Effect{Kind: quote.Amount, Amount: 500}}}, "FIVE")
	ada := w.Ada(t, w.db, w.Mug, 2, w.HarbourStreet)
	w.add(ada, w.Coat, 1, w.HarbourStreet)
	w.ship(ada, w.Coat)
	w.points(ada, 500)
	require.NoError(t, shopping.UseCode(ctx, w.db, shopping.Shopper{Person: ada}, "five"))
	require.NoError(t, shopping.UseGiftCard(ctx, w.db, shopping.Shopper{Person: ada}, w.card(2000), "GBP"))
	require.NoError(t, cart.SpendPoints(ctx, w.db, ada, 500, false))

	b := w.basket(ada)
	// 2 × 12.00 + 189.00 − 18.90 − 5.00 + 3.95
	require.Equal(t, int64(19305), b.Quote.Total)
	tenders := b.Tenders()
	require.Equal(t, []int64{500, 2000, 16805}, []int64{tenders.PointsValue, tenders.Cards[0].Amount, tenders.Rest})
	placed := w.place(ada, payment.Card)
	require.Equal(t, "placed", one[string](w, `SELECT state FROM orders WHERE id = $1`, placed.ID))
	w.pay(placed.PaymentID, sandboxtest.Secure)

	require.Equal(t, "authorised", one[string](w, `SELECT payment_state FROM orders WHERE id = $1`, placed.ID))
	require.Equal(t, 2, one[int](w, `SELECT count(*) FROM fulfilment WHERE order_id = $1 AND state = 'to_pick'`,
		placed.ID))
	w.sound()

	// The mugs are collected: the whole order is captured, the coat is still to be sent.
	part := one[int64](w, `SELECT id FROM fulfilment WHERE order_id = $1 AND method = 'pickup'`, placed.ID)
	require.NoError(t, pickup.Ready(ctx, w.db, w.desk(), part, "A1"))
	_, err := pickup.HandOver(ctx, w.db, w.desk(), part, one[string](w, `SELECT code FROM fulfilment WHERE id = $1`,
		part), settle.CounterPayment{})
	require.NoError(t, err)
	w.transfers()

	require.Equal(t, "paid", one[string](w, `SELECT payment_state FROM orders WHERE id = $1`, placed.ID))
	require.Equal(t, int64(16805), one[int64](w, `SELECT captured FROM sandbox.payment`))
	w.sound()
}

func TestADeclinedCardCanBeTriedAgainAndThenTheOrderIsLost(t *testing.T) {
	w := open(t)
	ada := w.Ada(t, w.db, w.Mug, 2, w.HarbourStreet)
	placed := w.place(ada, payment.Card)
	w.pay(placed.PaymentID, sandboxtest.Declined)
	require.Equal(t, "declined", one[string](w, `SELECT state FROM payment WHERE id = $1`, placed.PaymentID))
	w.sound()

	again, err := w.office.Retry(ctx, placed.ID, "")
	require.NoError(t, err)
	require.NotEqual(t, placed.PaymentID, again)
	_, err = w.office.Page(ctx, again)
	require.NoError(t, err)
	_, err = w.db.Exec(ctx, `UPDATE orders SET hold_until = now() - interval '1 second'`)
	require.NoError(t, err)
	require.NoError(t, w.office.Sweep(ctx))

	require.Equal(t, []string{"cancelled", "void"}, []string{one[string](w, `SELECT state FROM orders WHERE id = $1`,
		placed.ID), one[string](w, `SELECT payment_state FROM orders WHERE id = $1`, placed.ID)})
	require.Equal(t, 2, w.basket(ada).Units(), "what was in it is in the cart again")
	require.Equal(t, 0, one[int](w, `SELECT reserved FROM stock_level WHERE variant_id = $1 AND location_id = $2`,
		w.Mug, w.HarbourStreet.ID))
	w.sound()
}

func TestACancelledOrderGivesEverythingBack(t *testing.T) {
	for _, captured := range []bool{false, true} {
		w := open(t)
		p := w.promote(promotion.Promotion{Title: "Five pounds", MaxUses: new(1),
			Rule: quote.Rule{Currency: "GBP", Effect: quote.Effect{Kind: quote.Amount, Amount: 500}}}, "FIVE")
		ada := w.Ada(t, w.db, w.Mug, 4, w.HarbourStreet)
		w.points(ada, 300)
		code := w.card(1000)
		require.NoError(t, shopping.UseCode(ctx, w.db, shopping.Shopper{Person: ada}, "FIVE"))
		require.NoError(t, shopping.UseGiftCard(ctx, w.db, shopping.Shopper{Person: ada}, code, "GBP"))
		require.NoError(t, cart.SpendPoints(ctx, w.db, ada, 300, false))
		placed := w.place(ada, payment.Card)
		w.pay(placed.PaymentID, sandboxtest.Good)
		if captured {
			require.NoError(t, pg.InTx(ctx, w.db, func(tx pgx.Tx) error {
				return settle.CapturePayment(ctx, tx,
					placed.ID)
			}))
			w.transfers()
			require.Equal(t, "paid", one[string](w, `SELECT payment_state FROM orders`))
		}

		require.NoError(t, cancellation.Order(ctx, w.db, origin.Origin{Channel: origin.Web, Language: "en"}, placed.ID))
		w.transfers()

		found, err := giftcard.Find(ctx, w.db, code, "GBP")
		require.NoError(t, err)
		require.Equal(t, int64(1000), found.Balance)
		balance, err := loyalty.BalanceOf(ctx, w.db, ada)
		require.NoError(t, err)
		require.Equal(t, int64(300), balance.Spendable)
		require.Equal(t, 0, one[int](w, `SELECT used FROM promotion WHERE id = $1`, p))
		if captured {
			require.Equal(t, one[int64](w, `SELECT captured FROM sandbox.payment`),
				one[int64](w, `SELECT refunded FROM sandbox.payment`))
		} else {
			require.Equal(t, "void", one[string](w, `SELECT state FROM sandbox.payment`))
		}
		w.sound()
	}
}
