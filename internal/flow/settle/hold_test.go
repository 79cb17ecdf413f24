package settle_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"counterpart/internal/adapter/sandbox/sandboxtest"
	"counterpart/internal/domain/cart"
	"counterpart/internal/domain/inventory"
	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/payment"
	"counterpart/internal/domain/promotion"
	"counterpart/internal/domain/quote"
	"counterpart/internal/domain/task"
	"counterpart/internal/flow/cancellation"
	"counterpart/internal/flow/checkout"
	"counterpart/internal/flow/pickup"
	"counterpart/internal/flow/settle"
	"counterpart/internal/flow/shopping"
	"counterpart/internal/flow/shortage"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/postal"
	"counterpart/internal/query/basket"
)

// staged is an order paid by card, staged and waiting.
func (w *world) staged() (placed checkout.Placed, part int64) {
	w.t.Helper()
	placed = w.place(w.Ada(w.t, w.db, w.Mug, 1, w.HarbourStreet), payment.Card)
	w.pay(placed.PaymentID, sandboxtest.Good)
	part = one[int64](w, `SELECT id FROM fulfilment WHERE order_id = $1`, placed.ID)
	require.NoError(w.t, pickup.Ready(ctx, w.db, w.desk(), part, "A1"))
	return placed, part
}

// holdFor moves the end of a hold, as if time had gone by.
func (w *world) holdFor(part int64, left time.Duration) {
	w.t.Helper()
	_, err := w.db.Exec(ctx,
		`UPDATE fulfilment SET hold_until = now() + $2, ready_at = now() - interval '3 days' WHERE id = $1`, part, left)
	require.NoError(w.t, err)
}

func (w *world) mails(kind string) int {
	w.t.Helper()
	return one[int](w, `SELECT count(*)::int FROM river_job WHERE kind = 'order_mail' AND args ->> 'mail' = $1`, kind)
}

func TestAStagedPickupEnds(t *testing.T) {
	w := open(t)
	w.promote(promotion.Promotion{Title: "Once", MaxUses: new(1),
		Rule: quote.Rule{Effect: quote.Effect{Kind: quote.Percent, Percent: 1000}}}, "ONCE")
	ada := w.Ada(t, w.db, w.Mug, 1, w.HarbourStreet)
	w.points(ada, 500)
	require.NoError(t, cart.SpendPoints(ctx, w.db, ada, 300, false))
	require.NoError(t, cart.AddCode(ctx, w.db, ada, "ONCE"))
	placed := w.place(ada, payment.Card)
	w.pay(placed.PaymentID, sandboxtest.Good)
	part := one[int64](w, `SELECT id FROM fulfilment WHERE order_id = $1`, placed.ID)
	require.NoError(t, pickup.Ready(ctx, w.db, w.desk(), part, "A1"))

	for _, step := range []struct {
		left  time.Duration
		mails int
	}{{25 * time.Hour, 0}, {23 * time.Hour, 1}, {22 * time.Hour, 1}, {3 * time.Hour, 2}, {time.Hour, 2}} {
		w.holdFor(part, step.left)
		require.NoError(t, pickup.Remind(ctx, w.db))
		require.NoError(t, pickup.Expire(ctx, w.db))
		require.Equal(t, step.mails, w.mails("hold"), "%s before the end", step.left)
		require.Equal(t, "ready", one[string](w, `SELECT state FROM fulfilment WHERE id = $1`, part))
	}
	w.holdFor(part, -time.Minute)
	require.NoError(t, pickup.Expire(ctx, w.db))
	require.NoError(t, pickup.Expire(ctx, w.db))
	w.transfers()

	require.Equal(t, []string{"cancelled", "cancelled", "void"},
		[]string{one[string](w, `SELECT state FROM fulfilment`), one[string](w, `SELECT state FROM orders`),
			one[string](w, `SELECT payment_state FROM orders`)})
	require.Equal(t, 1, one[int](w, `SELECT count(*)::int FROM fulfilment WHERE expired_at IS NOT NULL`), "a no-show")
	require.Equal(t, int64(500), one[int64](w, `SELECT sum(remaining)::bigint FROM points_lot`), "points are back")
	require.Zero(t, one[int](w, `SELECT used FROM promotion`), "and so is the code")
	require.Zero(t, one[int](w, `SELECT reserved FROM stock_level WHERE variant_id = $1 AND location_id = $2`, w.Mug,
		w.HarbourStreet.ID))
	require.Equal(t, 1, w.mails("expired"))
	require.Equal(t, 1, one[int](w, `SELECT count(*)::int FROM task WHERE kind = 'restock' AND done_at IS NULL`),
		"somebody puts it back")
	w.sound()
}

func TestAHoldIsExtendedOnce(t *testing.T) {
	w := open(t)
	placed, part := w.staged()
	w.holdFor(part, 2*time.Hour)
	_, err := w.db.Exec(ctx, `UPDATE payment SET lapses_at = now() + interval '40 days'`)
	require.NoError(t, err)
	before := one[time.Time](w, `SELECT hold_until FROM fulfilment WHERE id = $1`, part)

	until, err := pickup.Extend(ctx, w.db, placed.ID, part)
	require.NoError(t, err)
	require.Greater(t, until.Sub(before), 48*time.Hour)
	_, err = pickup.Extend(ctx, w.db, placed.ID, part)
	require.True(t, fault.Is(err, fault.Conflict), "once: %v", err)
	_, err = pickup.Extend(ctx, w.db, placed.ID, part+1)
	require.True(t, fault.Is(err, fault.NotFound), "no other part: %v", err)

	second, other := w.staged()
	w.holdFor(other, 2*time.Hour)
	_, err = w.db.Exec(ctx, `UPDATE payment SET lapses_at = now() + interval '5 hours', warned_at = now()`)
	require.NoError(t, err)
	until, err = pickup.Extend(ctx, w.db, second.ID, other)
	require.NoError(t, err)
	require.WithinDuration(t, time.Now().Add(4*time.Hour), until, 2*time.Minute, "never past the authorisation")

	third, late := w.staged()
	w.holdFor(late, 2*time.Hour)
	_, err = w.db.Exec(ctx, `UPDATE payment SET lapses_at = now() + interval '150 minutes'`)
	require.NoError(t, err)
	_, err = pickup.Extend(ctx, w.db, third.ID, late)
	require.True(t, fault.Is(err, fault.Conflict), "there is no time left to give: %v", err)
	w.holdFor(late, -time.Second)
	_, err = pickup.Extend(ctx, w.db, third.ID, late)
	require.True(t, fault.Is(err, fault.Conflict), "it is over: %v", err)
}

// TestAHoldEndsOneWay races the end of a hold with everything else that can happen to it at that moment.
func TestAHoldEndsOneWay(t *testing.T) {
	w := open(t)
	for round := range rounds(4, 60) {
		placed, part := w.staged()
		_, err := w.db.Exec(ctx, `UPDATE payment SET lapses_at = now() + interval '40 days'`)
		require.NoError(t, err)
		code := one[string](w, `SELECT code FROM fulfilment WHERE id = $1`, part)
		w.holdFor(part, 20*time.Millisecond)
		var won atomic.Int32
		atOnce(6, func(i int) {
			var err error
			switch i {
			case 0, 1:
				time.Sleep(20 * time.Millisecond)
				err = pickup.Expire(ctx, w.db)
			case 2:
				_, err = pickup.HandOver(ctx, w.db, w.desk(), part, code, settle.CounterPayment{})
			case 3:
				if round%2 == 0 {
					_, err = pickup.Extend(ctx, w.db, placed.ID, part)
				}
			case 4:
				if round%2 == 1 {
					err = pickup.Cancel(ctx, w.db, w.desk(), part)
				}
			case 5:
				err = pickup.Remind(ctx, w.db)
			}
			if told(t, err) {
				won.Add(1)
			}
		})
		w.transfers()
		state := one[string](w, `SELECT state FROM fulfilment WHERE id = $1`, part)
		require.Contains(t, []string{"ready", "collected", "cancelled"}, state)
		if state == "ready" {
			require.True(t, one[bool](w, `SELECT extended_at IS NOT NULL FROM fulfilment WHERE id = $1`, part),
				"only what was extended still waits")
			require.NoError(t, pickup.Cancel(ctx, w.db, w.desk(), part))
			w.transfers()
		}
		require.LessOrEqual(t, one[int](w, `SELECT count(*)::int FROM task WHERE order_id = $1`, placed.ID), 1)
	}
	w.sound()
}

// short is an order of mugs of which one was not found.
func (w *world) short(pay string, of int) (placed checkout.Placed, missing int64) {
	w.t.Helper()
	placed = w.place(w.Ada(w.t, w.db, w.Mug, of, w.HarbourStreet), pay)
	if pay == payment.Card {
		w.pay(placed.PaymentID, sandboxtest.Good)
	}
	part := one[int64](w, `SELECT id FROM fulfilment WHERE order_id = $1`, placed.ID)
	require.NoError(w.t, pickup.NotFound(ctx, w.db, w.desk(), part, w.lines(placed.ID)[0], 1))
	w.sound()
	return placed, one[int64](w, `SELECT id FROM shortage WHERE order_id = $1 AND decided_at IS NULL`, placed.ID)
}

// refundShort has the shopper want their money back for what was not found.
func (w *world) refundShort(orderID int64) {
	w.t.Helper()
	require.NoError(w.t, shortage.Decide(ctx, w.db, origin.Origin{Channel: origin.Web, Language: "en"},
		shortage.Choice{OrderID: orderID, ShortageID: one[int64](w,
			`SELECT id FROM shortage WHERE order_id = $1 AND decided_at IS NULL`, orderID), What: "refund", By: "shopper"}))
}

func TestWhatIsNotFoundIsTheShoppersChoice(t *testing.T) {
	w := open(t)
	onHand := one[int](w, `SELECT on_hand FROM stock_level WHERE variant_id = $1 AND location_id = $2`, w.Mug,
		w.HarbourStreet.ID)
	placed, missing := w.short(payment.Card, 1)
	require.Equal(t, onHand-1, one[int](w, `SELECT on_hand FROM stock_level WHERE variant_id = $1 AND location_id = $2`,
		w.Mug, w.HarbourStreet.ID), "the difference is booked")
	require.Equal(t, 1, one[int](w, `SELECT count(*)::int FROM task WHERE kind = 'recount'`))
	require.Equal(t, "confirmed authorised", w.states(placed.ID), "nothing is given back before they chose")
	options, err := shortage.OptionsOf(ctx, w.db, placed.ID)
	require.NoError(t, err)
	require.Len(t, options, 1)
	require.Equal(t, []int64{w.MillLane.ID}, []int64{options[0].Stores[0].ID}, "Broadway has other prices")
	require.True(t, options[0].MayShip)

	choose := func(placed checkout.Placed, missing int64, what string, store int64) error {
		return shortage.Decide(ctx, w.db, origin.Origin{Channel: origin.Web, Language: "en"},
			shortage.Choice{OrderID: placed.ID, ShortageID: missing, What: what, LocationID: store, By: "shopper",
				To: postal.Address{Name: "Ada", Lines: "1 Mill Lane", Town: "Leeds", Postcode: "LS1 6QD"}})
	}
	require.Error(t, choose(placed, missing, "store", w.Broadway.ID))
	require.NoError(t, choose(placed, missing, "store", w.MillLane.ID))
	require.True(t, fault.Is(choose(placed, missing, "refund", 0), fault.Conflict), "it is decided once")
	w.sound()
	part := one[int64](w, `SELECT id FROM fulfilment WHERE order_id = $1`, placed.ID)
	mill := origin.Origin{Channel: origin.Counter, LocationID: w.MillLane.ID, AssociateID: w.Bea.ID, Language: "en"}
	require.NoError(t, pickup.Ready(ctx, w.db, mill, part, "B2"))
	_, err = pickup.HandOver(ctx, w.db, mill, part, one[string](w, `SELECT code FROM fulfilment WHERE id = $1`, part),
		settle.CounterPayment{})
	require.NoError(t, err)
	w.transfers()
	require.Equal(t, "confirmed paid", w.states(placed.ID))
	w.sound()

	sent, missing := w.short(payment.Card, 1)
	var wrong = shortage.Decide(ctx, w.db, origin.Origin{Channel: origin.Web, Language: "en"},
		shortage.Choice{OrderID: sent.ID, ShortageID: missing, What: "ship", By: "shopper"})
	require.Contains(t, fault.As(wrong).Fields, "postcode", "an address is asked for")
	require.NoError(t, choose(sent, missing, "ship", 0))
	require.Equal(t, "ship to_pick 0", one[string](w,
		`SELECT method || ' ' || state || ' ' || paid FROM fulfilment WHERE order_id = $1`, sent.ID), "at no charge")
	w.sound()

	back, missing := w.short(payment.Card, 1)
	require.NoError(t, choose(back, missing, "refund", 0))
	w.transfers()
	require.Equal(t, "cancelled void", w.states(back.ID))
	w.sound()

	unpaid, _ := w.short(payment.PayAtPickup, 1)
	options, err = shortage.OptionsOf(ctx, w.db, unpaid.ID)
	require.NoError(t, err)
	require.False(t, options[0].MayShip, "what is not paid is not sent")
	require.NoError(t, shortage.DecideOverdue(ctx, w.db), "not before its time")
	require.Equal(t, "confirmed due", w.states(unpaid.ID))
	_, err = w.db.Exec(ctx, `UPDATE shortage SET decide_by = now() - interval '1 minute' WHERE decided_at IS NULL`)
	require.NoError(t, err)
	require.NoError(t, shortage.DecideOverdue(ctx, w.db))
	require.Equal(t, "cancelled void", w.states(unpaid.ID))
	require.Equal(t, "time", one[string](w, `SELECT decided_by FROM shortage WHERE order_id = $1`, unpaid.ID))
	w.sound()
}

// TestAShortageIsDecidedOnce has the shopper choose in two windows while the time runs out and the owner calls it off.
func TestAShortageIsDecidedOnce(t *testing.T) {
	w := open(t)
	_, err := w.db.Exec(ctx,
		`UPDATE stock_level SET on_hand = on_hand + 200; INSERT INTO stock_move (variant_id, location_id, condition, delta, cause, channel) SELECT variant_id, location_id, condition, 200, 'receipt', 'api' FROM stock_level`)
	require.NoError(t, err)
	for round := range rounds(4, 60) {
		placed, missing := w.short(payment.Card, 1+round%2)
		_, err := w.db.Exec(ctx, `UPDATE shortage SET decide_by = now() WHERE id = $1`, missing)
		require.NoError(t, err)
		atOnce(5, func(i int) {
			var err error
			switch i {
			case 0, 1:
				err = shortage.Decide(ctx, w.db, origin.Origin{Channel: origin.Web, Language: "en"},
					shortage.Choice{OrderID: placed.ID, ShortageID: missing, What: "store", LocationID: w.MillLane.ID,
						By: "shopper"})
			case 2:
				err = shortage.Decide(ctx, w.db, origin.Origin{Channel: origin.Web, Language: "en"},
					shortage.Choice{OrderID: placed.ID, ShortageID: missing, What: "ship", By: "shopper",
						To: postal.Address{Name: "Ada", Lines: "1 Mill Lane", Town: "Leeds", Postcode: "LS1 6QD"}})
			case 3:
				err = shortage.DecideOverdue(ctx, w.db)
			case 4:
				err = cancellation.Order(ctx, w.db, origin.Origin{Channel: origin.Web, Language: "en"}, placed.ID)
			}
			told(t, err)
		})
		w.transfers()
	}
	w.sound()
}

// TestATaskIsOnePersons has two associates take and finish one task at once, and somebody of another store try.
func TestATaskIsOnePersons(t *testing.T) {
	w := open(t)
	rita := w.associate("rita@example.com")
	for range rounds(4, 60) {
		require.NoError(t, pg.InTx(ctx, w.db, func(tx pgx.Tx) error {
			n := task.New{LocationID: w.HarbourStreet.ID, Kind: task.Recount, Cause: "variant:1", DueAt: time.Now()}
			if err := task.Add(ctx, tx, n); err != nil {
				return err
			}
			return task.Add(ctx, tx, n) // while one is open there is no second
		}))
		id := one[int64](w, `SELECT id FROM task WHERE done_at IS NULL`)
		var took, did atomic.Int32
		atOnce(8, func(i int) {
			if told(t, task.Take(ctx, w.db, id, w.HarbourStreet.ID, []int64{w.Bea.ID, rita}[i%2])) {
				took.Add(1)
			}
		})
		require.Equal(t, int32(4), took.Load(), "whoever has it may take it again, nobody else")
		require.True(t, fault.Is(task.Done(ctx, w.db, id, w.MillLane.ID, rita), fault.NotFound),
			"it is another store's")
		atOnce(4, func(int) {
			if told(t, task.Done(ctx, w.db, id, w.HarbourStreet.ID, rita)) {
				did.Add(1)
			}
		})
		require.Equal(t, int32(1), did.Load())
	}
}

func (w *world) associate(email string) int64 {
	w.t.Helper()
	return one[int64](w, `INSERT INTO associate (name, email, role, password_hash) VALUES ('Rita', $1, 'associate', '') RETURNING id`, email)
}

// TestASaleIsPaidOnTheCustomersPhone sells at the counter what the gateway takes, and gives it out when it is paid.
func TestASaleIsPaidOnTheCustomersPhone(t *testing.T) {
	w := open(t)
	begin := func(method string) (placed checkout.Placed, customer int64) {
		id, err := shopping.WalkIn(ctx, w.db, origin.Origin{Channel: origin.Counter, LocationID: w.HarbourStreet.ID,
			Language: "en"})
		require.NoError(t, err)
		require.NoError(t, shopping.AddFor(ctx, w.db, origin.Origin{Channel: origin.Counter, Language: "en"}, id,
			shopping.Item{VariantID: w.Mug, Quantity: 1, LocationID: w.HarbourStreet.ID, InHand: true}))
		here := basket.SaleContext{LocationID: w.HarbourStreet.ID, CarryOut: true}
		b, err := basket.LoadAt(ctx, w.db, id, here, "en")
		require.NoError(t, err)
		placed, err = checkout.Place(ctx, w.db, origin.Origin{Channel: origin.Counter, AssociateID: w.Bea.ID,
			Language: "en"}, checkout.Request{CustomerID: id, CartID: b.CartID, Expected: b.Quote.Total, Pay: method,
			Gateway: "sandbox", Here: here})
		require.NoError(t, err)
		return placed, id
	}
	for _, method := range []string{payment.Card, payment.PayLater} {
		placed, _ := begin(method)
		part := one[int64](w, `SELECT id FROM fulfilment WHERE order_id = $1`, placed.ID)
		require.Error(t, pickup.HandOverSale(ctx, w.db, w.desk(), part), "not before it is paid")
		w.pay(placed.PaymentID, map[string]string{payment.Card: sandboxtest.Good, payment.PayLater: "agree"}[method])
		mill := origin.Origin{Channel: origin.Counter, LocationID: w.MillLane.ID, AssociateID: w.Bea.ID, Language: "en"}
		require.Error(t, pickup.HandOverSale(ctx, w.db, mill, part), "another store has not got it")
		w.sound()
		var won atomic.Int32
		atOnce(3, func(int) {
			if told(t, pickup.HandOverSale(ctx, w.db, w.desk(), part)) {
				won.Add(1)
			}
		})
		require.Equal(t, int32(1), won.Load(), "it leaves once")
		w.transfers()
		require.Equal(t, "confirmed paid", w.states(placed.ID))
		w.sound()
	}

	placed, customer := begin(payment.Card)
	require.NoError(t, w.office.ExpireOrder(ctx, placed.ID))
	require.Equal(t, "cancelled void", w.states(placed.ID))
	b, err := basket.LoadAt(ctx, w.db, customer, basket.SaleContext{LocationID: w.HarbourStreet.ID, CarryOut: true},
		"en")
	require.NoError(t, err)
	require.Len(t, b.Lines, 1, "it lies on the counter again")
	w.sound()
}

// TestOneTicketForEveryWay sells what is carried out, what another store has and what is sent in one ticket.
func TestOneTicketForEveryWay(t *testing.T) {
	w := open(t)
	ada := w.Ada(t, w.db, w.Mug, 1, w.HarbourStreet)
	w.add(ada, w.BlueMug, 1, w.HarbourStreet)
	w.add(ada, w.Coat, 1, w.HarbourStreet)
	require.NoError(t, cart.TakeInHand(ctx, w.db, ada, 0, w.HarbourStreet.ID))
	here := basket.SaleContext{LocationID: w.HarbourStreet.ID, CarryOut: true}
	load := func() *basket.Basket {
		b, err := basket.LoadAt(ctx, w.db, ada, here, "en")
		require.NoError(t, err)
		return b
	}
	line := func(variant int64) int64 {
		for _, l := range load().Lines {
			if l.VariantID == variant {
				return l.ID
			}
		}
		return 0
	}
	require.NoError(t, cart.SetWay(ctx, w.db, ada, line(w.Mug),
		cart.Way{Method: "pickup", LocationID: w.MillLane.ID, SoldAt: w.HarbourStreet.ID}))
	require.NoError(t, cart.SetWay(ctx, w.db, ada, line(w.Coat), cart.Way{Method: "ship", SoldAt: w.HarbourStreet.ID}))
	require.True(t, fault.Is(cart.SetWay(ctx, w.db, ada, line(w.Coat), cart.Way{Method: "ship", SoldAt: w.MillLane.ID}),
		fault.NotFound),
		"another store's sale it is not")
	b := load()
	require.ElementsMatch(t, []string{quote.Pickup, quote.CarryOut, quote.Ship},
		[]string{b.Lines[0].Method, b.Lines[1].Method, b.Lines[2].Method})
	request := checkout.Request{CustomerID: ada, CartID: b.CartID, Expected: b.Quote.Total, Pay: payment.Terminal,
		Here: here}
	_, err := checkout.Place(ctx, w.db, w.desk(), request)
	require.Contains(t, fault.As(err).Fields, "name", "somebody collects it")
	require.Contains(t, fault.As(err).Fields, "postcode")
	request.Name, request.Phone, request.To = "Ada Bray", "0113 496 0999", postal.Address{Lines: "1 Mill Lane",
		Town: "Leeds", Postcode: "LS1 6QD"}
	placed, err := checkout.Place(ctx, w.db, w.desk(), request)
	require.NoError(t, err)

	require.Equal(t, "carry_out:collected pickup:to_pick ship:to_pick",
		one[string](w, `SELECT string_agg(method || ':' || state, ' ' ORDER BY method) FROM fulfilment WHERE order_id = $1`, placed.ID))
	require.Equal(t, "confirmed paid", w.states(placed.ID))
	require.Equal(t, 1, one[int](w, `SELECT reserved FROM stock_level WHERE variant_id = $1 AND location_id = $2`,
		w.Mug, w.MillLane.ID))
	w.sound()
}

func TestWhatIsSoldWithoutStock(t *testing.T) {
	w := open(t)
	_, err := w.db.Exec(ctx, `UPDATE variant SET tracked = false WHERE id = $1`, w.Coat)
	require.NoError(t, err)
	_, err = w.db.Exec(ctx, `UPDATE variant SET back_order = true WHERE id = $1`, w.BlueMug)
	require.NoError(t, err)
	ada := w.Ada(t, w.db, w.Coat, 3, w.MillLane) // which has none
	w.add(ada, w.BlueMug, 20, w.MillLane)
	b := w.basket(ada)
	require.True(t, b.Ready(), b.Problem().In("en"))
	placed := w.place(ada, payment.Card)
	w.pay(placed.PaymentID, sandboxtest.Good)
	require.Equal(t, 2, one[int](w, `SELECT count(*)::int FROM order_line WHERE without_stock`))
	require.Greater(t, time.Until(one[time.Time](w, `SELECT ready_by FROM fulfilment`)), 13*24*time.Hour,
		"what comes later is promised for later")
	w.sound()

	// The goods come, and are handed over.
	require.NoError(t, pg.InTx(ctx, w.db, func(tx pgx.Tx) error {
		return inventory.Receive(ctx, tx, []inventory.Move{{VariantID: w.BlueMug, LocationID: w.MillLane.ID,
			Delta: 25}}, inventory.Reason{Channel: "api"})
	}))
	part := one[int64](w, `SELECT id FROM fulfilment`)
	mill := origin.Origin{Channel: origin.Counter, LocationID: w.MillLane.ID, AssociateID: w.Bea.ID, Language: "en"}
	require.NoError(t, pickup.Ready(ctx, w.db, mill, part, "B2"))
	_, err = pickup.HandOver(ctx, w.db, mill, part, one[string](w, `SELECT code FROM fulfilment`),
		settle.CounterPayment{})
	require.NoError(t, err)
	w.transfers()
	require.Equal(t, 5, one[int](w, `SELECT on_hand FROM stock_level WHERE variant_id = $1 AND location_id = $2`,
		w.BlueMug, w.MillLane.ID))
	w.sound()
}

func TestWhereThereIsNoRateNothingIsSold(t *testing.T) {
	w := open(t)
	_, err := w.db.Exec(ctx, `UPDATE delivery SET countries = '{GB,NL}'`)
	require.NoError(t, err)
	ada := w.Ada(t, w.db, w.Mug, 1, w.HarbourStreet)
	w.ship(ada, w.Mug)
	require.NoError(t, cart.DeliverTo(ctx, w.db, ada, "NL", "", 0))
	b := w.basket(ada)
	require.Contains(t, b.Blocked().In("en"), "can’t deliver")
	require.Nil(t, b.Way, "nor is its delivery taxed")
	request := w.request(ada, payment.Card)
	request.To = postal.Address{Lines: "Damrak 1", Town: "Amsterdam", Postcode: "1012 AB", Country: "NL"}
	_, err = checkout.Place(ctx, w.db, origin.Origin{Channel: origin.Web, Language: "en"}, request)
	require.True(t, fault.Is(err, fault.Conflict), "%v", err)

	_, err = w.db.Exec(ctx,
		`INSERT INTO tax_rate (country, region, tax_class, name, ppm) VALUES ('NL', '', 'standard', 'Outside tax', 0)`)
	require.NoError(t, err)
	require.True(t, w.basket(ada).Blocked().IsZero(), "0 % is a rate that somebody wrote")

	_, err = w.db.Exec(ctx, `DELETE FROM tax_rate WHERE country = 'GB'`)
	require.NoError(t, err)
	require.NoError(t, cart.SetWay(ctx, w.db, ada, w.basket(ada).Lines[0].ID, cart.Way{Method: "pickup"}))
	require.Contains(t, w.basket(ada).Blocked().In("en"), "tax rate isn’t set up")
}

func TestOncePerPersonNeedsAPerson(t *testing.T) {
	w := open(t)
	w.promote(promotion.Promotion{Title: "Once each", MaxPerCustomer: new(1),
		Rule: quote.Rule{Effect: quote.Effect{Kind: quote.Percent, Percent: 5000}}}, "ONCE")
	id, err := shopping.WalkIn(ctx, w.db, origin.Origin{Channel: origin.Counter, LocationID: w.HarbourStreet.ID,
		Language: "en"})
	require.NoError(t, err)
	require.NoError(t, shopping.AddFor(ctx, w.db, origin.Origin{Channel: origin.Counter, Language: "en"}, id,
		shopping.Item{VariantID: w.Mug, Quantity: 1, LocationID: w.HarbourStreet.ID, InHand: true}))
	require.NoError(t, cart.AddCode(ctx, w.db, id, "ONCE"))
	here := basket.SaleContext{LocationID: w.HarbourStreet.ID, CarryOut: true}
	b, err := basket.LoadAt(ctx, w.db, id, here, "en")
	require.NoError(t, err)
	require.Equal(t, int64(1200), b.Quote.Total)
	why, missed := b.WhyNot("ONCE")
	require.True(t, missed)
	require.Contains(t, why.In("en"), "add the customer")
	require.Zero(t, b.Earns(), "and nobody is promised points")

	ada := w.Ada(t, w.db, w.BlueMug, 1, w.HarbourStreet)
	require.NoError(t, shopping.Attach(ctx, w.db, origin.Origin{Channel: origin.Counter, Language: "en"}, id, ada))
	b, err = basket.LoadAt(ctx, w.db, ada, here, "en")
	require.NoError(t, err)
	require.Equal(t, int64(600), b.Quote.Total)
	require.Positive(t, b.Earns())
}

// TestTheGiftIsTheirOwnFirst gives an article with another one to whoever has both in the cart.
func TestTheGiftIsTheirOwnFirst(t *testing.T) {
	w := open(t)
	product := func(variant int64) int64 {
		return one[int64](w, `SELECT product_id FROM variant WHERE id = $1`, variant)
	}
	_, err := w.db.Exec(ctx,
		`UPDATE price SET amount = CASE variant_id WHEN $1 THEN 1750 ELSE 400 END WHERE upper_inf(valid)`, w.Coat)
	require.NoError(t, err)
	w.promote(promotion.Promotion{Title: "A mug with the coat",
		Rule: quote.Rule{Products: []int64{product(w.Coat)},
			Effect: quote.Effect{Kind: quote.Gift, Variant: w.Mug}}}, "")
	ada := w.Ada(t, w.db, w.Coat, 1, w.HarbourStreet)
	require.Len(t, w.basket(ada).Gifts, 1, "who has none is given one")
	w.add(ada, w.Mug, 1, w.HarbourStreet)

	b := w.basket(ada)
	require.Empty(t, b.Gifts)
	require.Equal(t, int64(1750), b.Quote.Total)
	w.promote(promotion.Promotion{Title: "A fifth off", Rule: quote.Rule{Effect: quote.Effect{Kind: quote.Percent,
		Percent: 2000}}}, "")
	require.Equal(t, int64(1400), w.basket(ada).Quote.Total)
	w.pay(w.place(ada, payment.Card).PaymentID, sandboxtest.Good)
	w.sound()
}
