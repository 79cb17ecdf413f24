package settle_test

import (
	"crypto/rand"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"counterpart/internal/adapter/sandbox/sandboxtest"
	"counterpart/internal/domain/cart"
	"counterpart/internal/domain/credit"
	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/payment"
	"counterpart/internal/domain/promotion"
	"counterpart/internal/domain/quote"
	"counterpart/internal/flow/cancellation"
	"counterpart/internal/flow/checkout"
	"counterpart/internal/flow/dispatch"
	"counterpart/internal/flow/pickup"
	"counterpart/internal/flow/returns"
	"counterpart/internal/flow/settle"
	"counterpart/internal/flow/shopping"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/pg"
	"counterpart/internal/query/basket"
)

// mixed is an order of a mug to collect and a coat to be sent, promised by card.
func (w *world) mixed() (placed checkout.Placed, mug, coat int64) {
	w.t.Helper()
	ada := w.Ada(w.t, w.db, w.Mug, 1, w.HarbourStreet)
	w.add(ada, w.Coat, 1, w.HarbourStreet)
	w.ship(ada, w.Coat)
	placed = w.place(ada, payment.Card)
	w.pay(placed.PaymentID, sandboxtest.Good)
	part := `SELECT id FROM fulfilment WHERE order_id = $1 AND method = $2`
	return placed, one[int64](w, part, placed.ID, "pickup"), one[int64](w, part, placed.ID, "ship")
}

// drop is the company giving a promise up by itself.
func (w *world) drop(paymentID int64) {
	w.t.Helper()
	require.NoError(w.t, w.office.Gateway.Void(ctx, one[string](w, `SELECT reference FROM payment WHERE id = $1`,
		paymentID), rand.Text()))
}

func (w *world) states(orderID int64) string {
	w.t.Helper()
	return one[string](w, `SELECT state || ' ' || payment_state FROM orders WHERE id = $1`, orderID)
}

func (w *world) collect(part int64, paid settle.CounterPayment) {
	w.t.Helper()
	require.NoError(w.t, pickup.Ready(ctx, w.db, w.desk(), part, "A1"))
	_, err := pickup.HandOver(ctx, w.db, w.desk(), part, one[string](w, `SELECT code FROM fulfilment WHERE id = $1`,
		part), paid)
	require.NoError(w.t, err)
}

// A promise that lapsed is paid once more, online, at a counter, or with the first part that is handed over: and always
// for all of the order.
func TestALostPromiseIsPaidAgain(t *testing.T) {
	for name, again := range map[string]func(w *world, placed checkout.Placed, mug, coat int64){
		"online": func(w *world, placed checkout.Placed, mug, coat int64) {
			second, err := w.office.Retry(ctx, placed.ID, "")
			require.NoError(t, err)
			w.pay(second, sandboxtest.Secure)
			require.Equal(t, "confirmed authorised", w.states(placed.ID))
			w.sound()
			require.NoError(t, dispatch.Send(ctx, w.db, w.desk(), coat, "Parcel Post", ""))
			w.transfers()
		},
		"at a counter": func(w *world, placed checkout.Placed, mug, coat int64) {
			change, err := settle.Charge(ctx, w.db, w.desk(), placed.ID,
				settle.CounterPayment{Kind: payment.Cash, Given: 25000})
			require.NoError(t, err)
			require.Equal(t, int64(25000-1200-18900-395), change.Minor)
			_, err = settle.Charge(ctx, w.db, w.desk(), placed.ID, settle.CounterPayment{Kind: payment.Terminal})
			require.True(t, fault.Is(err, fault.Conflict), "once")
			require.NoError(t, dispatch.Send(ctx, w.db, w.desk(), coat, "Parcel Post", ""))
		},
		"with the mug": func(w *world, placed checkout.Placed, mug, coat int64) {
			w.collect(mug, settle.CounterPayment{Kind: payment.Terminal})
			require.NoError(t, dispatch.Send(ctx, w.db, w.desk(), coat, "Parcel Post", ""))
		},
		"at a counter while the page is open": func(w *world, placed checkout.Placed, mug, coat int64) {
			second, err := w.office.Retry(ctx, placed.ID, "")
			require.NoError(t, err)
			page, err := w.office.Page(ctx, second)
			require.NoError(t, err)
			_, err = settle.Charge(ctx, w.db, w.desk(), placed.ID, settle.CounterPayment{Kind: payment.Terminal})
			require.NoError(t, err)
			w.company.Pay(page, sandboxtest.Good)
			require.NoError(t, w.office.Settle(ctx, second))
			w.transfers()
			require.Equal(t, "void", one[string](w, `SELECT state FROM payment WHERE id = $1`, second),
				"nobody pays twice")
			require.NoError(t, dispatch.Send(ctx, w.db, w.desk(), coat, "Parcel Post", ""))
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := open(t)
			placed, mug, coat := w.mixed()
			w.drop(placed.PaymentID)
			require.NoError(t, w.office.Settle(ctx, placed.PaymentID))
			require.Equal(t, "confirmed due", w.states(placed.ID))
			require.Equal(t, 1, one[int](w,
				`SELECT count(*) FROM river_job WHERE kind = 'order_mail' AND args ->> 'mail' = 'pay_again'`))
			require.True(t, fault.Is(dispatch.Send(ctx, w.db, w.desk(), coat, "Parcel Post", ""), fault.Conflict),
				"what is not paid is not sent")
			w.sound()

			again(w, placed, mug, coat)

			require.Equal(t, "confirmed paid", w.states(placed.ID))
			require.Equal(t, int64(20495), one[int64](w, `SELECT sum(captured) FROM tender WHERE order_id = $1`,
				placed.ID))
			w.sound()
		})
	}
}

// The company lets a promise go at the very moment at which it is to keep it: the goods are gone, so the order says
// that it is to be paid, and can be.
func TestAPromiseThatIsNotKeptIsOwed(t *testing.T) {
	w := open(t)
	placed, mug, _ := w.mixed()
	w.drop(placed.PaymentID)
	w.collect(mug, settle.CounterPayment{})
	w.transfers()

	require.Equal(t, "confirmed due", w.states(placed.ID))
	require.Equal(t, 1, one[int](w, `SELECT count(*) FROM difference WHERE kind = 'captured' AND closed_at IS NULL`),
		"and somebody looks at it")
	_, err := w.db.Exec(ctx, `UPDATE difference SET closed_at = now()`)
	require.NoError(t, err)
	second, err := w.office.Retry(ctx, placed.ID, "")
	require.NoError(t, err)
	w.pay(second, sandboxtest.Good)
	w.transfers()
	require.Equal(t, "confirmed paid", w.states(placed.ID), "goods are gone already, so it is taken at once")
	w.sound()
}

func TestWhatIsSetAsidePaysTheRest(t *testing.T) {
	w := open(t)
	ada := w.Ada(t, w.db, w.Mug, 2, w.HarbourStreet)
	require.NoError(t, shopping.UseGiftCard(ctx, w.db, shopping.Shopper{Person: ada}, w.card(1200), "GBP"))
	placed := w.place(ada, payment.Card)
	w.pay(placed.PaymentID, sandboxtest.Good)
	part := one[int64](w, `SELECT id FROM fulfilment WHERE order_id = $1`, placed.ID)
	require.NoError(t, pickup.NotFound(ctx, w.db, w.desk(), part, w.lines(placed.ID)[0], 1))
	w.refundShort(placed.ID)
	w.collect(part, settle.CounterPayment{})
	w.transfers()

	require.Equal(t, "confirmed paid", w.states(placed.ID))
	require.Equal(t, "void", one[string](w, `SELECT state FROM sandbox.payment`),
		"the gift card paid all that was left")
	w.sound()
}

func TestPointsPayForTheirUnitsOnly(t *testing.T) {
	w := open(t)
	ada := w.Ada(t, w.db, w.Mug, 2, w.HarbourStreet)
	w.points(ada, 1000)
	require.NoError(t, cart.SpendPoints(ctx, w.db, ada, 1000, false))
	placed := w.place(ada, payment.PayAtPickup)
	part := one[int64](w, `SELECT id FROM fulfilment WHERE order_id = $1`, placed.ID)
	require.NoError(t, pickup.NotFound(ctx, w.db, w.desk(), part, w.lines(placed.ID)[0], 1))
	w.refundShort(placed.ID)
	w.collect(part, settle.CounterPayment{Kind: payment.Terminal})

	require.Equal(t, int64(700), one[int64](w, `SELECT captured FROM tender WHERE order_id = $1 AND kind = 'terminal'`,
		placed.ID), "a mug of £12, of which £5 are points")
	require.Equal(t, int64(500), one[int64](w, `SELECT sum(remaining) FROM points_lot WHERE vests_at <= now()`))
	w.sound()
}

// Credit is the person's, whichever of the customers they were it was given to.
func TestCreditIsThePersons(t *testing.T) {
	w := open(t)
	ada, guest := w.Ada(t, w.db, w.Mug, 2, w.HarbourStreet), w.Ada(t, w.db, w.Coat, 1, w.HarbourStreet)
	require.NoError(t, pg.InTx(ctx, w.db, func(tx pgx.Tx) error {
		require.NoError(t, credit.Give(ctx, tx, credit.Grant{CustomerID: guest, Currency: "GBP", Amount: 1500,
			Cause: "given"}))
		require.NoError(t, credit.Give(ctx, tx, credit.Grant{CustomerID: ada, Currency: "GBP", Amount: 500,
			Cause: "given"}))
		_, err := tx.Exec(ctx, `UPDATE cart SET state = 'joined' WHERE customer_id = $1`, guest)
		require.NoError(t, err)
		_, err = tx.Exec(ctx, `UPDATE customer SET merged_into = $2 WHERE id = $1`, guest, ada)
		return err
	}))
	require.NoError(t, cart.SpendPoints(ctx, w.db, ada, 0, true))
	require.Equal(t, int64(2000), w.basket(ada).Tenders().Credit)

	placed := w.place(ada, payment.Card)
	require.Equal(t, int64(0), one[int64](w, `SELECT sum(balance) FROM credit`))
	require.NoError(t, cancellation.Order(ctx, w.db, origin.Origin{Channel: origin.Web, Language: "en"}, placed.ID))
	require.Equal(t, int64(2000), one[int64](w, `SELECT sum(balance) FROM credit`))
	w.transfers()
}

func TestAReturnIsWhatWasShown(t *testing.T) {
	w := open(t)
	placed := w.sell(w.Ada(t, w.db, w.Mug, 3, w.HarbourStreet), payment.Terminal, 0)
	line := w.lines(placed.ID)[0]
	r := returns.Request{Form: rand.Text(), OrderID: placed.ID, SelfApproves: true,
		Wants: []returns.ReturnLine{want(line, 1)}}
	looked, err := returns.Preview(ctx, w.db, w.desk(), r)
	require.NoError(t, err)

	r.Seen, r.Wants = looked.Amounts(), []returns.ReturnLine{want(line, 3)}
	_, err = returns.Make(ctx, w.db, w.desk(), r)
	require.True(t, fault.Is(err, fault.Conflict), "what was confirmed is one mug, not three")
	r.Wants = []returns.ReturnLine{want(line, 1)}
	_, err = returns.Make(ctx, w.db, w.desk(), r)
	require.NoError(t, err)
	w.sound()
}

func TestSmallReturnsAddUpToALargeOne(t *testing.T) {
	w := open(t)
	_, err := w.db.Exec(ctx,
		`INSERT INTO refund_limit VALUES ('GBP', 3000) ON CONFLICT (currency) DO UPDATE SET amount = 3000`)
	require.NoError(t, err)
	placed := w.sell(w.Ada(t, w.db, w.Mug, 4, w.HarbourStreet), payment.Terminal, 0)
	line := w.lines(placed.ID)[0]
	for n := range 3 {
		_, err = returns.Make(ctx, w.db, w.desk(), returns.Request{Form: rand.Text(), OrderID: placed.ID,
			Wants: []returns.ReturnLine{want(line, 1)}})
		if n < 2 {
			require.NoError(t, err)
		}
	}
	require.Contains(t, fault.As(err).Fields, "pin")
	w.sound()
}

// Credit is for somebody who can be found again; whoever cannot is not left without.
func TestNobodyIsGivenCreditThatIsLost(t *testing.T) {
	w := open(t)
	placed := w.sell(w.Ada(t, w.db, w.Mug, 1, w.HarbourStreet), payment.Cash, 1200)
	line := w.lines(placed.ID)[0]
	r := returns.Request{Form: rand.Text(), OrderID: placed.ID, SelfApproves: true, AsCredit: true,
		Wants: []returns.ReturnLine{want(line, 1)}}
	_, err := returns.Make(ctx, w.db, w.desk(), r)
	require.Contains(t, fault.As(err).Fields, "credit")

	owner := one[int64](w, `SELECT customer_id FROM orders WHERE id = $1`, placed.ID)
	require.NoError(t, pg.InTx(ctx, w.db, func(tx pgx.Tx) error {
		return customer.Verify(ctx, tx, owner, customer.Email, "ada@example.com", "counter")
	}))
	made, err := returns.Make(ctx, w.db, w.desk(), r)
	require.NoError(t, err)
	require.Equal(t, int64(1200), made.To(payment.Credit))
	w.sound()
}

// The delivery goes back when nothing stays, in whichever order things come back and are called off.
func TestTheDeliveryGoesBackWithTheLastOfIt(t *testing.T) {
	w := open(t)
	placed, mug, coat := w.mixed()
	require.NoError(t, dispatch.Send(ctx, w.db, w.desk(), coat, "Parcel Post", ""))
	w.transfers()
	line := one[int64](w, `SELECT id FROM order_line WHERE fulfilment_id = $1`, coat)
	back := w.giveBack(placed.ID, w.HarbourStreet.ID, want(line, 1))
	require.Equal(t, int64(18900), back.Refund, "the mug is still to come")

	require.NoError(t, pickup.Cancel(ctx, w.db, w.desk(), mug))
	w.transfers()
	require.Equal(t, int64(20495), one[int64](w, `SELECT refunded FROM sandbox.payment`))
	w.sound()
}

func TestADrawerHoldsOneCurrency(t *testing.T) {
	w := open(t)
	placed := w.sell(w.Ada(t, w.db, w.Mug, 1, w.HarbourStreet), payment.Cash, 1200)
	r := returns.Request{Form: rand.Text(), OrderID: placed.ID, SelfApproves: true,
		Wants: []returns.ReturnLine{want(w.lines(placed.ID)[0], 1)}}
	_, err := returns.Make(ctx, w.db, origin.Origin{Channel: origin.Counter, LocationID: w.Broadway.ID,
		AssociateID: w.Bea.ID, Language: "en"}, r)
	require.ErrorContains(t, err, "GBP")
	w.sound()
}

// Whoever used something up under the same mailbox, on another device, sees the price that holds for them, and can
// order at that.
func TestWhoUsedItUpOrdersWithout(t *testing.T) {
	w := open(t)
	w.promote(promotion.Promotion{Title: "Once each", MaxPerCustomer: new(1),
		Rule: quote.Rule{Currency: "GBP", Effect: quote.Effect{Kind: quote.Amount, Amount: 200}}}, "")
	w.promote(promotion.Promotion{Title: "For new ones", Rule: quote.Rule{FirstOrder: true, Currency: "GBP",
		Effect: quote.Effect{Kind: quote.Amount, Amount: 100}}}, "")
	first := w.place(w.Ada(t, w.db, w.Mug, 1, w.HarbourStreet), payment.PayAtPickup)
	require.Equal(t, int64(900), one[int64](w, `SELECT total FROM orders WHERE id = $1`, first.ID))

	again := w.Ada(t, w.db, w.Mug, 1, w.HarbourStreet)
	r := w.request(again, payment.PayAtPickup)
	require.Equal(t, int64(900), r.Expected, "nobody knows yet who this is")
	_, err := checkout.Place(ctx, w.db, origin.Origin{Channel: origin.Web, Language: "en"}, r)
	require.True(t, fault.Is(err, fault.Conflict))
	b, err := basket.LoadAt(ctx, w.db, again, basket.SaleContext{Email: r.Email}, "en")
	require.NoError(t, err)
	require.Equal(t, int64(1200), b.Quote.Total)
	r.Expected, r.Rest = b.Quote.Total, nil
	_, err = checkout.Place(ctx, w.db, origin.Origin{Channel: origin.Web, Language: "en"}, r)
	require.NoError(t, err)
	w.sound()
}

// What a customer holds in their hand is sold; what lies in their online cart stays there, unless they say that they
// have that, too.
func TestASaleLeavesTheOnlineCart(t *testing.T) {
	w := open(t)
	ada := w.Ada(t, w.db, w.Coat, 1, w.HarbourStreet)
	w.add(ada, w.Mug, 2, w.HarbourStreet)
	w.add(ada, w.BlueMug, 1, w.HarbourStreet)
	stranger, err := shopping.WalkIn(ctx, w.db, origin.Origin{Channel: origin.Counter, LocationID: w.HarbourStreet.ID,
		Language: "en"})
	require.NoError(t, err)
	require.NoError(t, shopping.AddFor(ctx, w.db, origin.Origin{Channel: origin.Counter, Language: "en"}, stranger,
		shopping.Item{VariantID: w.Mug, Quantity: 1, LocationID: w.HarbourStreet.ID, InHand: true}))
	require.NoError(t, shopping.Attach(ctx, w.db, origin.Origin{Channel: origin.Counter, Language: "en"}, stranger,
		ada))
	here := basket.SaleContext{LocationID: w.HarbourStreet.ID, CarryOut: true}
	b, err := basket.LoadAt(ctx, w.db, ada, here, "en")
	require.NoError(t, err)
	require.Equal(t, 1, b.Units())
	require.Equal(t, 4, w.basket(ada).Units(), "a mug in the hand is not one of the two in the cart")
	require.NoError(t, cart.TakeInHand(ctx, w.db, ada, w.basket(ada).Lines[2].ID, w.HarbourStreet.ID))

	b, err = basket.LoadAt(ctx, w.db, ada, here, "en")
	require.NoError(t, err)
	placed, err := checkout.Place(ctx, w.db, origin.Origin{Channel: origin.Counter, AssociateID: w.Bea.ID,
		Language: "en"}, checkout.Request{CustomerID: ada, CartID: b.CartID, Expected: b.Quote.Total,
		Pay: payment.Terminal, Here: here})
	require.NoError(t, err)

	require.Equal(t, int64(1200+1250), one[int64](w, `SELECT total FROM orders WHERE id = $1`, placed.ID))
	require.Equal(t, 3, w.basket(ada).Units())
	online := w.place(ada, payment.PayAtPickup)
	require.Equal(t, int64(18900+2400), one[int64](w, `SELECT total FROM orders WHERE id = $1`, online.ID))
	w.sound()
}

// A promotion is tried on what was ordered before it was there: then, and now, say why.
func TestAPastOrderIsTried(t *testing.T) {
	w := open(t)
	ada := w.Ada(t, w.db, w.Mug, 2, w.HarbourStreet)
	w.add(ada, w.Coat, 1, w.HarbourStreet)
	w.ship(ada, w.Coat)
	placed := w.place(ada, payment.Card)
	number := one[int64](w, `SELECT number FROM orders WHERE id = $1`, placed.ID)
	w.promote(promotion.Promotion{Title: "Three mugs", Rule: quote.Rule{Quantity: 4,
		Effect: quote.Effect{Kind: quote.Percent, Percent: 1000}}}, "")
	p := quote.Promotion{ID: 99, Title: "Free delivery", With: []quote.Level{quote.LineLevel, quote.OrderLevel,
		quote.ShippingLevel}, Budget: -1, Rule: quote.Rule{Effect: quote.Effect{Kind: quote.CheaperDelivery,
		Percent: 10000}}}

	b, err := basket.SimulateOrder(ctx, w.db, number, p)
	require.NoError(t, err)
	require.Equal(t, one[int64](w, `SELECT total FROM orders WHERE id = $1`, placed.ID)-395, b.Quote.Total)
	require.Equal(t, "Add 1 more", b.Quote.Missed[0].Why.In("en"))
	b, err = basket.SimulateOrder(ctx, w.db, number+1, p)
	require.NoError(t, err)
	require.Nil(t, b)
}
