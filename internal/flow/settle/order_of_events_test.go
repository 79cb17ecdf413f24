package settle_test

import (
	"crypto/rand"
	"errors"
	"fmt"
	mrand "math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"counterpart/internal/adapter/sandbox"
	"counterpart/internal/adapter/sandbox/sandboxtest"
	"counterpart/internal/domain/cart"
	"counterpart/internal/domain/inventory"
	"counterpart/internal/domain/loyalty"
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
	"counterpart/internal/flow/stocktake"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/pg"
	"counterpart/internal/query/basket"
)

// inTurn runs two verbs in an order that is known: both wait for the row that is locked here, one behind the other, and
// go on when it is free.
func (w *world) inTurn(lock string, args []any, first, second func() error) (errs [2]error) {
	w.t.Helper()
	tx, err := w.db.Begin(ctx)
	require.NoError(w.t, err)
	tag, err := tx.Exec(ctx, lock, args...)
	require.NoError(w.t, err)
	require.NotZero(w.t, tag.RowsAffected(), "something is locked")
	var both sync.WaitGroup
	for i, do := range []func() error{first, second} {
		both.Go(func() { errs[i] = do() })
		require.Eventually(w.t, func() bool {
			return one[int](w, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`) == i+1
		}, 5*time.Second, time.Millisecond, "it waits")
	}
	require.NoError(w.t, tx.Rollback(ctx))
	both.Wait()
	for _, err := range errs {
		require.True(w.t, err == nil || fault.As(err) != nil, "%v", err)
	}
	return errs
}

// Each pair of verbs that want the same thing, in either order, step by step: the one that comes second sees what the
// first did.
func TestOrderOfEvents(t *testing.T) {
	const person, stock, order = `SELECT FROM customer WHERE id = $1 FOR UPDATE`, `SELECT FROM stock_level WHERE variant_id = $1 AND location_id = $2 FOR UPDATE`, `SELECT FROM orders WHERE id = $1 FOR UPDATE`
	place := func(w *world, r checkout.Request) func() error {
		return func() error {
			_, err := checkout.Place(ctx, w.db, origin.Origin{Channel: origin.Web, Language: "en"}, r)
			return err
		}
	}
	conflict := func(t *testing.T, err error) {
		t.Helper()
		require.NotNil(t, fault.As(err), "%v", err)
		require.Equal(t, fault.Conflict, fault.As(err).Kind)
	}
	// Where a foreign key looks at the locked row first, both are let go together: one of them has it.
	oneOf := func(t *testing.T, errs [2]error) {
		t.Helper()
		require.NotEqual(t, errs[0] == nil, errs[1] == nil, "%v", errs)
		conflict(t, errors.Join(errs[:]...))
	}
	t.Run("C1: two want the last one", func(t *testing.T) {
		w := open(t)
		a, b := w.request(w.Ada(t, w.db, w.Coat, 1, w.HarbourStreet),
			payment.PayAtPickup), w.request(w.Ada(t, w.db, w.Coat, 1, w.HarbourStreet), payment.PayAtPickup)
		_, err := w.db.Exec(ctx,
			`UPDATE stock_level SET safety = on_hand - reserved - 1 WHERE variant_id = $1 AND location_id = $2`, w.Coat,
			w.HarbourStreet.ID)
		require.NoError(t, err)
		errs := w.inTurn(stock, []any{w.Coat, w.HarbourStreet.ID}, place(w, a), place(w, b))
		require.NoError(t, errs[0])
		conflict(t, errs[1])
		require.ErrorIs(t, errs[1], checkout.ErrShort)
		w.sound()
	})
	t.Run("C4: the shelf is counted to nothing before the last one is sold", func(t *testing.T) {
		w := open(t)
		r := w.request(w.Ada(t, w.db, w.Coat, 1, w.HarbourStreet), payment.PayAtPickup)
		count := func() error {
			return stocktake.Count(ctx, w.db, origin.Origin{Channel: origin.Counter, AssociateID: w.Bea.ID},
				stocktake.Change{VariantID: w.Coat, LocationID: w.HarbourStreet.ID, Quantity: 0, Reason: "stocktake",
					Form: rand.Text()})
		}
		errs := w.inTurn(stock, []any{w.Coat, w.HarbourStreet.ID}, count, place(w, r))
		require.NoError(t, errs[0])
		conflict(t, errs[1])
		w.sound()
	})
	t.Run("C6: two settle one payment", func(t *testing.T) {
		w := open(t)
		ada := w.Ada(t, w.db, w.Mug, 1, w.HarbourStreet)
		placed := w.place(ada, payment.Card)
		page, err := w.office.Page(ctx, placed.PaymentID)
		require.NoError(t, err)
		w.company.Pay(page, sandboxtest.Good)
		settles := func() error { return w.office.Settle(ctx, placed.PaymentID) }
		errs := w.inTurn(person, []any{ada}, settles, settles)
		require.Equal(t, [2]error{}, errs)
		require.Equal(t, 1, one[int](w, `SELECT count(*) FROM tender`))
		w.sound()
	})
	for name, other := range map[string]func(w *world, pick, ship int64) error{
		"staged": func(w *world, pick, _ int64) error { return pickup.Ready(ctx, w.db, w.desk(), pick, "A1") },
		"sent": func(w *world, _, ship int64) error {
			return dispatch.Send(ctx, w.db, w.desk(), ship, "Parcel Post", "")
		},
		"not found": func(w *world, pick, _ int64) error {
			return pickup.NotFound(ctx, w.db, w.desk(), pick,
				one[int64](w, `SELECT id FROM order_line WHERE fulfilment_id = $1`, pick), 1)
		},
	} {
		for _, first := range []bool{true, false} {
			t.Run(fmt.Sprintf("C14: called off and %s, called off first: %v", name, first), func(t *testing.T) {
				w := open(t)
				placed, pick, ship := w.mixed()
				off := func() error {
					return cancellation.Order(ctx, w.db, origin.Origin{Channel: origin.Web, Language: "en"}, placed.ID)
				}
				do := func() error { return other(w, pick, ship) }
				var errs [2]error
				if first {
					errs = w.inTurn(order, []any{placed.ID}, off, do)
				} else {
					errs = w.inTurn(order, []any{placed.ID}, do, off)
				}
				w.transfers()
				require.NoError(t, errs[0], "whoever came first did it")
				if name == "not found" && !first {
					require.NoError(t, errs[1], "the rest can still be called off")
				} else {
					conflict(t, errs[1])
				}
				require.Equal(t, first || name == "not found",
					one[string](w, `SELECT state FROM orders`) == "cancelled")
				w.sound()
			})
		}
	}
	t.Run("C7: two counters take the same piece back", func(t *testing.T) {
		w := open(t)
		placed := w.sell(w.Ada(t, w.db, w.Mug, 1, w.HarbourStreet), payment.Terminal, 0)
		take := func() error {
			_, err := returns.Make(ctx, w.db, w.desk(), returns.Request{Form: rand.Text(), OrderID: placed.ID,
				Wants: []returns.ReturnLine{want(w.lines(placed.ID)[0], 1)}, SelfApproves: true})
			return err
		}
		errs := w.inTurn(order, []any{placed.ID}, take, take)
		require.NoError(t, errs[0])
		require.NotNil(t, fault.As(errs[1]))
		w.sound()
	})
	t.Run("C8: two carts spend one gift card", func(t *testing.T) {
		w := open(t)
		code := w.card(1000)
		var requests [2]checkout.Request
		for i := range requests {
			who := w.Ada(t, w.db, w.Mug, 1, w.HarbourStreet)
			require.NoError(t, shopping.UseGiftCard(ctx, w.db, shopping.Shopper{Person: who}, code, "GBP"))
			requests[i] = w.request(who, payment.PayAtPickup)
		}
		oneOf(t, w.inTurn(`SELECT FROM gift_card FOR UPDATE`, nil, place(w, requests[0]), place(w, requests[1])))
		w.sound()
	})
	t.Run("C8: two carts use the last of a code", func(t *testing.T) {
		w := open(t)
		w.promote(promotion.Promotion{Title: "One only", MaxUses: new(1),
			Rule: quote.Rule{Effect: quote.Effect{Kind: quote.Percent, Percent: 1000}}}, "ONE")
		var requests [2]checkout.Request
		for i := range requests {
			who := w.Ada(t, w.db, w.Mug, 1, w.HarbourStreet)
			require.NoError(t, shopping.UseCode(ctx, w.db, shopping.Shopper{Person: who}, "ONE"))
			requests[i] = w.request(who, payment.PayAtPickup)
		}
		oneOf(t, w.inTurn(`SELECT FROM promotion FOR UPDATE`, nil, place(w, requests[0]), place(w, requests[1])))
		w.sound()
	})
	t.Run("C10: the time to pay ends before the payment is settled", func(t *testing.T) {
		w := open(t)
		ada := w.Ada(t, w.db, w.Mug, 1, w.HarbourStreet)
		placed := w.place(ada, payment.Card)
		page, err := w.office.Page(ctx, placed.PaymentID)
		require.NoError(t, err)
		w.company.Pay(page, sandboxtest.Good)
		_, err = w.db.Exec(ctx, `UPDATE orders SET hold_until = now() - interval '1 second' WHERE id = $1`, placed.ID)
		require.NoError(t, err)
		errs := w.inTurn(person, []any{ada}, func() error { return w.office.Sweep(ctx) },
			func() error { return w.office.Settle(ctx, placed.PaymentID) })
		require.Equal(t, [2]error{}, errs)
		require.Equal(t, "confirmed", one[string](w, `SELECT state FROM orders`), "who paid in time has it")
		w.sound()
	})
	t.Run("C11: points are spent elsewhere before they are taken back", func(t *testing.T) {
		w := open(t)
		ada := w.Ada(t, w.db, w.Mug, 3, w.HarbourStreet)
		sold := w.sell(ada, payment.Terminal, 0)
		_, err := w.db.Exec(ctx, `UPDATE points_lot SET vests_at = now() - interval '1 second'`)
		require.NoError(t, err)
		earned, err := loyalty.BalanceOf(ctx, w.db, ada)
		require.NoError(t, err)
		w.points(ada, 100)
		w.add(ada, w.BlueMug, 2, w.HarbourStreet)
		require.NoError(t, cart.SpendPoints(ctx, w.db, ada, earned.Spendable+100, false))
		spend := place(w, w.request(ada, payment.PayAtPickup))
		back := func() error {
			_, err := returns.Make(ctx, w.db, w.desk(), returns.Request{Form: rand.Text(), OrderID: sold.ID,
				Wants: []returns.ReturnLine{want(w.lines(sold.ID)[0], 3)}, SelfApproves: true})
			return err
		}
		errs := w.inTurn(person, []any{ada}, spend, back)
		require.Equal(t, [2]error{}, errs)
		balance, err := loyalty.BalanceOf(ctx, w.db, ada)
		require.NoError(t, err)
		require.GreaterOrEqual(t, balance.Spendable, int64(0))
		require.Less(t, one[int64](w, `SELECT refund FROM return_ticket`), int64(3600),
			"what was spent already is kept from the refund")
		w.sound()
	})
}

// C2: everything that can be done to one shelf, at random and at once: the ledger adds up to what is there.
func TestEverythingOnOneStockLevel(t *testing.T) {
	w := open(t)
	var customers []int64
	for range 8 {
		customers = append(customers, w.Ada(t, w.db, w.BlueMug, 1, w.HarbourStreet))
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	var done [6]atomic.Int64
	until := time.Now().Add(time.Duration(rounds(3, 60)) * time.Second)
	atOnce(len(customers), func(i int) {
		r := mrand.New(mrand.NewPCG(seed, uint64(i)))
		var mine []checkout.Placed
		for time.Now().Before(until) {
			var err error
			k := r.IntN(6)
			switch {
			case k < 2:
				k = 0
				var placed checkout.Placed
				b, failed := basket.Load(ctx, w.db, customers[i], "en")
				assert.NoError(t, failed)
				if b == nil || len(b.Lines) == 0 {
					err = shopping.AddFor(ctx, w.db, origin.Origin{Channel: origin.Web, Language: "en"}, customers[i],
						shopping.Item{VariantID: w.BlueMug, Quantity: 1, LocationID: w.HarbourStreet.ID})
				} else if placed, err = checkout.Place(ctx, w.db, origin.Origin{Channel: origin.Web,
					Language: "en"}, w.request(customers[i], payment.PayAtPickup)); err == nil {
					mine = append(mine, placed)
				}
			case k == 2 && len(mine) > 0:
				err = cancellation.Order(ctx, w.db, origin.Origin{Channel: origin.Web, Language: "en"}, mine[0].ID)
				mine = mine[1:]
			case k == 3 && len(mine) > 0:
				part := one[int64](w, `SELECT id FROM fulfilment WHERE order_id = $1`, mine[0].ID)
				if err = pickup.Ready(ctx, w.db, w.desk(), part, "A1"); err != nil {
					break
				}
				_, err = pickup.HandOver(ctx, w.db, w.desk(), part,
					one[string](w, `SELECT coalesce(code, '') FROM fulfilment WHERE id = $1`, part),
					settle.CounterPayment{Kind: payment.Terminal})
				mine = mine[1:]
			case k == 4:
				err = pg.InTx(ctx, w.db, func(tx pgx.Tx) error {
					return inventory.Receive(ctx, tx, []inventory.Move{{VariantID: w.BlueMug,
						LocationID: w.HarbourStreet.ID, Delta: 1 + r.IntN(3)}}, inventory.Reason{Channel: "api"})
				})
			case k == 5 && r.IntN(4) == 0:
				err = stocktake.Count(ctx, w.db, origin.Origin{Channel: origin.Counter, AssociateID: w.Bea.ID},
					stocktake.Change{VariantID: w.BlueMug, LocationID: w.HarbourStreet.ID, Quantity: r.IntN(12),
						Reason: "stocktake", Form: rand.Text()})
			default:
				k = 1
			}
			if told(t, err) {
				done[k].Add(1)
			}
		}
	})
	for _, k := range []int{0, 2, 3, 4, 5} {
		require.Positive(t, done[k].Load(), "verb %d succeeded", k)
	}
	require.Zero(t, one[int](w, `SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`))
	w.sound()
}

// C19: several workers at the same refunds and messages; each has its effect once.
func TestManyWorkersOneEffect(t *testing.T) {
	w := open(t)
	var transfers, events []int64
	for range rounds(5, 120) {
		placed := w.place(w.Ada(t, w.db, w.BlueMug, 1, w.HarbourStreet), payment.Card)
		w.pay(placed.PaymentID, sandboxtest.Good)
		require.NoError(t, pg.InTx(ctx, w.db, func(tx pgx.Tx) error {
			return settle.CapturePayment(ctx, tx,
				placed.ID)
		}))
		w.transfers()
		require.NoError(t, cancellation.Order(ctx, w.db, origin.Origin{Channel: origin.Web, Language: "en"}, placed.ID))
		transfers = append(transfers, one[int64](w, `SELECT max(id) FROM transfer`))
		header, body := w.message(sandbox.Message{ID: rand.Text(), Kind: "payment.capture",
			Payment: one[string](w, `SELECT reference FROM payment WHERE id = $1`,
				placed.PaymentID)}, w.company.Secret(), time.Now())
		require.NoError(t, w.office.Receive(ctx, "sandbox", header, body))
		events = append(events, one[int64](w, `SELECT max(id) FROM payment_event`))
	}
	atOnce(4, func(int) {
		for i := range transfers {
			assert.NoError(t, errors.Join(w.office.Transfer(ctx, transfers[i]), w.office.Event(ctx, events[i], false)))
		}
	})
	require.Equal(t, len(transfers), one[int](w, `SELECT count(*) FROM sandbox.entry WHERE kind = 'refund'`))
	require.Equal(t, len(transfers), one[int](w, `SELECT count(*) FROM refund WHERE state = 'done'`))
	w.sound()
}

// W7: a burst of messages: every one is kept before it is acknowledged, and dealt with once.
func TestWebhookBurst(t *testing.T) {
	w := open(t)
	placed := w.place(w.Ada(t, w.db, w.Mug, 1, w.HarbourStreet), payment.Card)
	w.pay(placed.PaymentID, sandboxtest.Good)
	reference, many := one[string](w, `SELECT reference FROM payment`), rounds(200, 5000)
	atOnce(32, func(k int) {
		for i := k; i < many; i += 32 {
			header, body := w.message(sandbox.Message{ID: rand.Text(), Kind: "payment.authorise", Payment: reference},
				w.company.Secret(), time.Now())
			assert.NoError(t, w.office.Receive(ctx, "sandbox", header, body))
		}
	})
	require.Equal(t, []int{many, many}, []int{one[int](w, `SELECT count(*) FROM payment_event`),
		one[int](w, `SELECT count(*) FROM river_job WHERE kind = 'payment_event'`)})
	w.sound()
}
