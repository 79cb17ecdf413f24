package settle_test

import (
	"crypto/rand"
	mrand "math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"counterpart/internal/adapter/sandbox/sandboxtest"
	"counterpart/internal/domain/cart"
	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/loyalty"
	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/payment"
	"counterpart/internal/domain/promotion"
	"counterpart/internal/domain/quote"
	"counterpart/internal/domain/tax"
	"counterpart/internal/flow/checkout"
	"counterpart/internal/flow/dispatch"
	"counterpart/internal/flow/returns"
	"counterpart/internal/flow/settle"
	"counterpart/internal/flow/shopping"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/pg"
	"counterpart/internal/query/basket"
)

// sell is a sale at the counter, carried out and paid.
func (w *world) sell(customer int64, pay string, given int64) checkout.Placed {
	w.t.Helper()
	here := basket.SaleContext{LocationID: w.HarbourStreet.ID, CarryOut: true}
	require.NoError(w.t, cart.TakeInHand(ctx, w.db, customer, 0, w.HarbourStreet.ID))
	b, err := basket.LoadAt(ctx, w.db, customer, here, "en")
	require.NoError(w.t, err)
	placed, err := checkout.Place(ctx, w.db, origin.Origin{Channel: origin.Counter, AssociateID: w.Bea.ID,
		Language: "en"}, checkout.Request{CustomerID: customer, CartID: b.CartID, Expected: b.Quote.Total, Pay: pay,
		Given: given, Sure: true, Here: here})
	require.NoError(w.t, err)
	return placed
}

func (w *world) lines(orderID int64) (lines []int64) {
	w.t.Helper()
	return one[[]int64](w, `SELECT array_agg(id ORDER BY position) FROM order_line WHERE order_id = $1`, orderID)
}

func (w *world) giveBack(orderID int64, at int64, wants ...returns.ReturnLine) *returns.Result {
	w.t.Helper()
	r := returns.Request{Form: rand.Text(), OrderID: orderID, Wants: wants, SelfApproves: true}
	here := origin.Origin{Channel: origin.Counter, LocationID: at, AssociateID: w.Bea.ID, Language: "en"}
	looked, err := returns.Preview(ctx, w.db, here, r)
	require.NoError(w.t, err)
	made, err := returns.Make(ctx, w.db, here, r)
	require.NoError(w.t, err)
	require.Equal(w.t, []int64{looked.Goods, looked.Refund, looked.PointsBack, looked.Shortfall},
		[]int64{made.Goods, made.Refund, made.PointsBack, made.Shortfall}, "what was shown is what was done")
	w.transfers()
	w.sound()
	return made
}

// complete hands over what an order has to collect, and sends what it has to send.
func (w *world) complete(orderID int64) {
	w.t.Helper()
	for _, method := range []string{"pickup", "ship"} {
		part := one[int64](w, `SELECT id FROM fulfilment WHERE order_id = $1 AND method = $2`, orderID, method)
		if method == "ship" {
			require.NoError(w.t, dispatch.Send(ctx, w.db, w.desk(), part, "Parcel Post", "PP123"))
		} else {
			w.collect(part, settle.CounterPayment{})
		}
		w.transfers()
	}
}

func want(line int64, quantity int) returns.ReturnLine {
	return returns.ReturnLine{LineID: line, Quantity: quantity, Reason: "changed_mind", Grade: "sellable",
		Restock: true}
}

func TestACounterSaleIsTheSameCheckout(t *testing.T) {
	w := open(t)
	ada := w.Ada(t, w.db, w.Mug, 3, w.HarbourStreet)

	placed := w.sell(ada, payment.Cash, 5000)

	require.Equal(t, int64(1400), placed.Change.Minor)
	require.Equal(t, []string{"confirmed", "paid"}, []string{one[string](w, `SELECT state FROM orders`),
		one[string](w, `SELECT payment_state FROM orders`)})
	require.Equal(t, 7, one[int](w, `SELECT on_hand FROM stock_level WHERE variant_id = $1 AND location_id = $2`, w.Mug,
		w.HarbourStreet.ID))
	require.Equal(t, int64(36), one[int64](w, `SELECT remaining FROM points_lot`))
	w.sound()
}

func TestWhatIsInTheirHandIsNeverRefused(t *testing.T) {
	w := open(t)
	// All ten mugs are promised to somebody who has not come yet.
	online := w.place(w.Ada(t, w.db, w.Mug, 10, w.HarbourStreet), payment.PayAtPickup)
	walkIn := w.Ada(t, w.db, w.Mug, 4, w.HarbourStreet)

	w.sell(walkIn, payment.Terminal, 0)

	require.Equal(t, 6, one[int](w,
		`SELECT count(*) FROM order_unit u JOIN order_line l ON l.id = u.order_line_id JOIN fulfilment f ON f.id = l.fulfilment_id WHERE l.order_id = $1 AND u.state = 'open' AND f.state = 'to_pick'`, online.ID), "the youngest promise is short")
	require.Equal(t, 4, one[int](w, `SELECT quantity FROM shortage WHERE order_id = $1`, online.ID),
		"and what becomes of the rest is their choice")
	w.sound()
	// And more than the books have is counted in first.
	w.sell(w.Ada(t, w.db, w.Mug, 9, w.HarbourStreet), payment.Terminal, 0)
	require.Equal(t, 0, one[int](w, `SELECT on_hand FROM stock_level WHERE variant_id = $1 AND location_id = $2`, w.Mug,
		w.HarbourStreet.ID))
	w.sound()
}

func TestPartsOfAMixedOrderComeBackAnywhereToThePenny(t *testing.T) {
	w := open(t)
	w.promote(promotion.Promotion{Title: "A third", Rule: quote.Rule{Effect: quote.Effect{Kind: quote.Percent,
		Percent: 3333}}}, "")
	ada := w.Ada(t, w.db, w.Mug, 3, w.HarbourStreet)
	w.add(ada, w.Coat, 1, w.HarbourStreet)
	w.ship(ada, w.Coat)
	w.points(ada, 777)
	require.NoError(t, shopping.UseGiftCard(ctx, w.db, shopping.Shopper{Person: ada}, w.card(1999), "GBP"))
	require.NoError(t, cart.SpendPoints(ctx, w.db, ada, 777, false))
	total := w.basket(ada).Quote.Total
	placed := w.place(ada, payment.Card)
	w.pay(placed.PaymentID, sandboxtest.Good)
	w.complete(placed.ID)
	earned, err := loyalty.BalanceOf(ctx, w.db, ada)
	require.NoError(t, err)
	require.Positive(t, earned.Pending)
	w.sound()

	back, points := int64(0), int64(0)
	lines := w.lines(placed.ID)
	for _, r := range []returns.ReturnLine{want(lines[0], 1), want(lines[1], 1), want(lines[0], 2)} {
		made := w.giveBack(placed.ID, w.MillLane.ID, r)
		back, points = back+made.Refund+made.PointsValue, points+made.PointsBack
	}

	require.Equal(t, total, back, "everything that was paid, with the delivery")
	require.Equal(t, int64(777), points)
	balance, err := loyalty.BalanceOf(ctx, w.db, ada)
	require.NoError(t, err)
	require.Equal(t, loyalty.Balance{Spendable: 777}, balance)
	require.Equal(t, one[int64](w, `SELECT captured FROM sandbox.payment`),
		one[int64](w, `SELECT refunded FROM sandbox.payment`))
	require.Equal(t, 1, one[int](w, `SELECT on_hand FROM stock_level WHERE variant_id = $1 AND location_id = $2`,
		w.Coat, w.MillLane.ID), "it is restocked where it came back")
}

func TestPointsThatWereSpentAlreadyAreKeptFromTheRefund(t *testing.T) {
	w := open(t)
	_, err := w.db.Exec(ctx, `UPDATE shop SET points_rate = 10, return_days = 0`)
	require.NoError(t, err)
	ada := w.Ada(t, w.db, w.Coat, 1, w.HarbourStreet)
	first := w.sell(ada, payment.Terminal, 0)
	require.Equal(t, int64(1890), one[int64](w, `SELECT remaining FROM points_lot`))
	w.add(ada, w.Mug, 2, w.HarbourStreet)
	require.NoError(t, cart.SpendPoints(ctx, w.db, ada, 1000, false))
	w.sell(ada, payment.Terminal, 0)
	_, err = w.db.Exec(ctx, `UPDATE shop SET return_days = 30`)
	require.NoError(t, err)

	made := w.giveBack(first.ID, w.HarbourStreet.ID, want(w.lines(first.ID)[0], 1))

	// 1,890 earned by the coat, 140 by the mugs, 1,000 spent: 860 are missing, worth £8.60, and nobody has less than
	// nothing.
	require.Equal(t, []int64{1030, 860, 18040}, []int64{made.PointsTaken, made.Shortfall, made.Refund})
	balance, err := loyalty.BalanceOf(ctx, w.db, ada)
	require.NoError(t, err)
	require.Equal(t, loyalty.Balance{}, balance)
}

// The same where the shop lets them be owed: what is earned next pays them, and nobody has less than nothing.
func TestPointsThatWereSpentAlreadyAreOwed(t *testing.T) {
	w := open(t)
	_, err := w.db.Exec(ctx, `UPDATE shop SET points_rate = 10, return_days = 0; UPDATE programme SET debt = 'owe'`)
	require.NoError(t, err)
	ada := w.Ada(t, w.db, w.Coat, 1, w.HarbourStreet)
	require.NoError(t, pg.InTx(ctx, w.db, func(tx pgx.Tx) error {
		return customer.Identify(ctx, tx, ada, customer.Identity{Kind: customer.Email, Value: "ada.owes@example.com", Source: "counter"})
	}))
	first := w.sell(ada, payment.Terminal, 0)
	w.add(ada, w.Mug, 2, w.HarbourStreet)
	require.NoError(t, cart.SpendPoints(ctx, w.db, ada, 1000, false))
	w.sell(ada, payment.Terminal, 0)
	_, err = w.db.Exec(ctx, `UPDATE shop SET return_days = 30`)
	require.NoError(t, err)
	made := w.giveBack(first.ID, w.HarbourStreet.ID, want(w.lines(first.ID)[0], 1))
	require.Equal(t, []int64{1030, 860, 0, 18900}, []int64{made.PointsTaken, made.PointsOwed, made.Shortfall, made.Refund})
	owes := func() [2]int64 {
		t.Helper()
		owed := one[int64](w, `SELECT coalesce(sum(points), 0)::bigint FROM points_debt`)
		balance, err := loyalty.BalanceOf(ctx, w.db, ada)
		require.NoError(t, err)
		w.sound()
		return [2]int64{owed, balance.Spendable + balance.Pending}
	}
	require.Equal(t, [2]int64{860, 0}, owes())
	// What came back counts for no tier, whatever could be taken back of its points.
	require.NoError(t, pg.InTx(ctx, w.db, func(tx pgx.Tx) error {
		return loyalty.SaveTier(ctx, tx, &loyalty.Tier{Title: "Collector", Position: 1, Counts: loyalty.ByPoints, Threshold: 200})
	}))
	require.NoError(t, loyalty.Stand(ctx, w.db, []int64{ada}, time.Now()))
	require.Equal(t, int64(60), one[int64](w, `SELECT gap FROM standing`), "two mugs earned 140")
	w.add(ada, w.Mug, 2, w.HarbourStreet)
	w.sell(ada, payment.Terminal, 0)
	require.Equal(t, [2]int64{620, 0}, owes(), "240 of them are paid")
	w.add(ada, w.Mug, 6, w.HarbourStreet)
	last := w.sell(ada, payment.Terminal, 0)
	require.Equal(t, [2]int64{0, 100}, owes(), "720 earned, 620 owed")
	// What paid them comes back: they are owed again.
	made = w.giveBack(last.ID, w.HarbourStreet.ID, want(w.lines(last.ID)[0], 6))
	require.Equal(t, []int64{100, 620}, []int64{made.PointsTaken, made.PointsOwed})
	require.Equal(t, [2]int64{620, 0}, owes())
}

// Points that ended were not spent: what earned them comes back late, and nothing is kept from the refund.
func TestPointsThatEndedAreNotKeptFromTheRefund(t *testing.T) {
	w := open(t)
	_, err := w.db.Exec(ctx, `UPDATE shop SET points_rate = 10, return_days = 0`)
	require.NoError(t, err)
	ada := w.Ada(t, w.db, w.Mug, 3, w.HarbourStreet)
	first := w.sell(ada, payment.Terminal, 0)
	_, err = w.db.Exec(ctx, `
		UPDATE programme SET expiry = 'lot', expiry_months = 1, expiry_since = '2020-01-01';
		UPDATE points_lot SET vests_at = now() - interval '2 months'`)
	require.NoError(t, err)
	require.NoError(t, loyalty.Daily(ctx, w.db, time.Now()))
	require.Equal(t, int64(360), one[int64](w, `SELECT expired FROM points_lot`))
	for range 3 {
		made := w.giveBack(first.ID, w.HarbourStreet.ID, want(w.lines(first.ID)[0], 1))
		require.Equal(t, []int64{120, 0, 1200}, []int64{made.PointsTaken, made.Shortfall, made.Refund})
	}
	require.Equal(t, int64(0), one[int64](w, `SELECT expired FROM points_lot`))
	require.NoError(t, pg.InTx(ctx, w.db, func(tx pgx.Tx) error {
		points, err := loyalty.Revive(ctx, tx, ada, time.Now())
		require.Zero(t, points, "there is nothing left to bring back")
		return err
	}))
}

func TestAnExchangeIsOneTicket(t *testing.T) {
	for name, c := range map[string]struct {
		bought, instead int64
		due, refund     int64
	}{"dearer": {1200, 1250, 50, 0}, "cheaper": {1250, 1200, 0, 50}} {
		w := open(t)
		from, into := w.Mug, w.BlueMug
		if c.bought > c.instead {
			from, into = into, from
		}
		ada := w.Ada(t, w.db, from, 1, w.HarbourStreet)
		placed := w.sell(ada, payment.Terminal, 0)
		w.add(ada, w.Coat, 1, w.HarbourStreet)
		r := returns.Request{Form: rand.Text(), OrderID: placed.ID,
			Wants: []returns.ReturnLine{want(w.lines(placed.ID)[0], 1)}, SelfApproves: true,
			Exchange: []returns.ExchangeLine{{VariantID: into, Quantity: 1}}, Pay: payment.Cash, Given: 100}

		made, err := returns.Make(ctx, w.db, w.desk(), r)

		require.NoError(t, err, name)
		require.Equal(t, c.due, made.Due, name)
		require.Equal(t, c.refund, made.To(payment.Terminal), name)
		require.NotEmpty(t, made.Order)
		require.Equal(t, 1, w.basket(ada).Units(), "the customer's own cart is as it was")
		w.sound()

		_, err = returns.Make(ctx, w.db, w.desk(), r)
		require.True(t, fault.Is(err, fault.Conflict), "one form returns once")
		// And what was taken instead can come back too: what came back for it becomes credit.
		second := one[int64](w, `SELECT exchange_id FROM return_ticket`)
		again := w.giveBack(second, w.HarbourStreet.ID, want(w.lines(second)[0], 1))
		require.Equal(t, c.instead, again.Refund, name)
	}
}

// TestAnEvenExchangeIsEven buys units in any mixture of tenders, with and without a promotion that may be over since,
// where prices include tax and where it is added, spends what they earned, and exchanges one for the same: nobody pays
// and nobody is paid.
func TestAnEvenExchangeIsEven(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	if given := os.Getenv("SEED"); given != "" {
		seed, _ = strconv.ParseUint(given, 10, 64)
	}
	t.Logf("SEED=%d", seed)
	r := mrand.New(mrand.NewPCG(seed, 6))
	for range rounds(25, 1000) {
		w := open(t)
		store, currency := w.HarbourStreet, "GBP"
		if r.IntN(3) == 0 {
			store, currency = w.Broadway, "USD"
		}
		_, err := w.db.Exec(ctx,
			`UPDATE location SET takes_returns = true; UPDATE stock_level SET on_hand = on_hand + 50; INSERT INTO stock_move (variant_id, location_id, condition, delta, cause, channel) SELECT variant_id, location_id, condition, 50, 'receipt', 'api' FROM stock_level`)
		require.NoError(t, err)
		_, err = w.db.Exec(ctx, `UPDATE price SET amount = $1 WHERE upper_inf(valid)`, 1+r.IntN(4000))
		require.NoError(t, err)
		if r.IntN(2) == 0 {
			w.promote(promotion.Promotion{Title: "Off", Rule: quote.Rule{Effect: quote.Effect{Kind: quote.Percent,
				Percent: int64(1 + r.IntN(9000))}}}, "")
		}
		ada := w.Ada(t, w.db, w.Mug, 1+r.IntN(4), store)
		if r.IntN(2) == 0 {
			w.points(ada, int64(100+r.IntN(2000)))
			require.NoError(t, cart.SpendPoints(ctx, w.db, ada, int64(100+r.IntN(900)), r.IntN(2) == 0))
		}
		if r.IntN(2) == 0 && currency == "GBP" {
			require.NoError(t, shopping.UseGiftCard(ctx, w.db, shopping.Shopper{Person: ada}, w.card(1+r.Int64N(3000)),
				currency))
		}
		here := basket.SaleContext{LocationID: store.ID, CarryOut: true}
		require.NoError(t, cart.TakeInHand(ctx, w.db, ada, 0, store.ID))
		b, err := basket.LoadAt(ctx, w.db, ada, here, "en")
		require.NoError(t, err)
		bought, err := checkout.Place(ctx, w.db, origin.Origin{Channel: origin.Counter, AssociateID: w.Bea.ID,
			Language: "en"}, checkout.Request{CustomerID: ada, CartID: b.CartID, Expected: b.Quote.Total,
			Pay: payment.Terminal, Here: here})
		require.NoError(t, err)
		if r.IntN(2) == 0 {
			_, err = w.db.Exec(ctx, `UPDATE promotion SET state = 'ended'`)
			require.NoError(t, err)
		}
		if r.IntN(2) == 0 {
			// Everything that it earned is spent before it comes back.
			_, err = w.db.Exec(ctx, `
				WITH gone AS (UPDATE points_lot SET remaining = 0 WHERE remaining > 0 RETURNING id, customer_id, points)
				INSERT INTO points_entry (lot_id, customer_id, delta, cause)
				SELECT lot_id, customer_id, -sum(delta), 'given' FROM points_entry WHERE lot_id IN (SELECT id FROM gone)
					GROUP BY 1, 2 HAVING sum(delta) > 0`)
			require.NoError(t, err)
		}
		line := w.lines(bought.ID)[0]
		made, err := returns.Make(ctx, w.db, origin.Origin{Channel: origin.Counter, LocationID: store.ID,
			AssociateID: w.Bea.ID, Language: "en"}, returns.Request{Form: rand.Text(), OrderID: bought.ID,
			SelfApproves: true,
			Wants:        []returns.ReturnLine{want(line, 1)}, Exchange: []returns.ExchangeLine{{VariantID: w.Mug,
				Quantity: 1}}, Pay: payment.Terminal})
		require.NoError(t, err)
		if w.exact(line, currency) {
			require.Zero(t, made.Due, "they pay nothing: %+v in %s", made, currency)
			require.Zero(t, made.Shortfall)
			require.Equal(t, made.Refund, made.To(payment.Exchange), "and are paid nothing")
			require.Equal(t, made.Goods, made.Costs)
		}
		w.transfers()
		w.sound()
	}
}

// exact says whether a price of the list comes to what was paid for the line's first unit: where tax is added, some
// totals none does.
func (w *world) exact(line int64, currency string) bool {
	if currency == "GBP" {
		return true
	}
	paid, taxed := one[int64](w, `SELECT paid FROM order_unit WHERE order_line_id = $1 AND n = 1`, line), one[int64](w,
		`SELECT tax FROM order_unit WHERE order_line_id = $1 AND n = 1`, line)
	rate := tax.Rate{PPM: one[int64](w, `SELECT tax_ppm FROM order_line WHERE id = $1`, line)}
	for price := paid - taxed - 1; price <= paid-taxed+1; price++ {
		if price >= 0 && price+rate.OnTop(price) == paid {
			return true
		}
	}
	return false
}

func TestALargeRefundAsksAManager(t *testing.T) {
	w := open(t)
	placed := w.sell(w.Ada(t, w.db, w.Coat, 1, w.HarbourStreet), payment.Terminal, 0)

	_, err := returns.Make(ctx, w.db, w.desk(), returns.Request{Form: rand.Text(), OrderID: placed.ID,
		Wants: []returns.ReturnLine{want(w.lines(placed.ID)[0], 1)}})

	require.Contains(t, fault.As(err).Fields, "pin")
	w.sound()
}

// TestAnyRowOfReturnsGivesBackWhatWasPaid sells random carts with everything in them and brings them back unit by unit,
// in any order.
func TestAnyRowOfReturnsGivesBackWhatWasPaid(t *testing.T) {
	w := open(t)
	seed := uint64(time.Now().UnixNano())
	r := mrand.New(mrand.NewPCG(seed, 0))
	t.Logf("seed %d", seed)
	w.promote(promotion.Promotion{Title: "Buy two, the third half price",
		Rule: quote.Rule{Effect: quote.Effect{Kind: quote.BuyGet, Buy: 2, Get: 1, Percent: 5000}}}, "")
	w.promote(promotion.Promotion{Title: "Odd per cent", Rule: quote.Rule{Effect: quote.Effect{Kind: quote.Percent,
		Percent: 1731}}}, "")
	for range 25 {
		ada := w.Ada(t, w.db, w.Mug, 1+r.IntN(5), w.HarbourStreet)
		w.add(ada, w.BlueMug, 1+r.IntN(5), w.HarbourStreet)
		w.points(ada, 1000)
		require.NoError(t, cart.SpendPoints(ctx, w.db, ada, int64(100+r.IntN(900)), false))
		require.NoError(t, shopping.UseGiftCard(ctx, w.db, shopping.Shopper{Person: ada}, w.card(1+r.Int64N(3000)),
			"GBP"))
		placed := w.sell(ada, payment.Terminal, 0)
		total, back := one[int64](w, `SELECT total FROM orders WHERE id = $1`, placed.ID), int64(0)
		for back < total {
			var wants []returns.ReturnLine
			for _, line := range w.lines(placed.ID) {
				left := one[int](w, `SELECT count(*) FROM order_unit u WHERE order_line_id = $1 AND NOT EXISTS (SELECT FROM returned_unit r WHERE r.order_line_id = $1 AND r.n = u.n)`, line)
				if n := r.IntN(left + 1); n > 0 {
					wants = append(wants, want(line, n))
				}
			}
			if len(wants) == 0 {
				continue
			}
			made, err := returns.Make(ctx, w.db, w.desk(), returns.Request{Form: rand.Text(), OrderID: placed.ID,
				Wants: wants, SelfApproves: true})
			require.NoError(t, err)
			back += made.Refund + made.PointsValue
		}
		require.Equal(t, total, back)
		balance, err := loyalty.BalanceOf(ctx, w.db, ada)
		require.NoError(t, err)
		require.Equal(t, loyalty.Balance{Spendable: 1000}, balance)
	}
	w.sound()
}

// A cart that was ordered online meanwhile is not sold again at the counter: nobody says “paid” of what is still to be
// paid.
func TestACartThatWasOrderedIsNotSold(t *testing.T) {
	w := open(t)
	ada := w.Ada(t, w.db, w.Mug, 1, w.HarbourStreet)
	placed := w.place(ada, payment.PayAtPickup)
	cartID := one[int64](w, `SELECT cart_id FROM orders WHERE id = $1`, placed.ID)
	_, err := checkout.Place(ctx, w.db, origin.Origin{Channel: origin.Counter, AssociateID: w.Bea.ID, Language: "en"},
		checkout.Request{CustomerID: ada, CartID: cartID, Expected: 1200, Pay: payment.Cash, Given: 2000,
			Here: basket.SaleContext{LocationID: w.HarbourStreet.ID, CarryOut: true}})
	require.Equal(t, fault.Conflict, fault.As(err).Kind)
	require.Contains(t, fault.As(err).Error(), "Nothing was charged here")
	w.sound()
}
