package settle_test

import (
	"crypto/rand"
	"fmt"
	mrand "math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"counterpart/internal/adapter/sandbox/sandboxtest"
	"counterpart/internal/domain/inventory"
	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/payment"
	"counterpart/internal/flow/cancellation"
	"counterpart/internal/flow/checkout"
	"counterpart/internal/flow/pickup"
	"counterpart/internal/flow/returns"
	"counterpart/internal/flow/settle"
	"counterpart/internal/flow/shopping"
	"counterpart/internal/flow/shortage"
	"counterpart/internal/platform/pg"
)

// The model is what somebody with a notebook would write down about one store: shelves, orders, a gift card. It knows
// nothing of tables, locks or gateways.
type model struct {
	onHand, reserved map[int64]int64
	card             int64 // left on the gift card
	orders           []*noted
}

// noted is an order in the notebook. Its units are all of one variant and price.
type noted struct {
	checkout.Placed
	variant, price                 int64
	open, handed, returned, called int64 // units
	state, payment                 string
	ready                          bool
	promised                       int64 // of the gift card, while it is not taken
	byCard, otherwise              int64 // taken
}

func (o *noted) cost() int64 { return (o.open + o.handed) * o.price }

// paid takes what the order costs: from the gift card first.
func (m *model) paid(o *noted) {
	o.byCard = min(o.promised, o.cost())
	m.card += o.promised - o.byCard
	o.otherwise, o.promised, o.payment = o.cost()-o.byCard, 0, "paid"
}

// even gives back what a paid order took beyond its cost: what was paid last goes first.
func (m *model) even(o *noted) {
	back := o.byCard + o.otherwise - o.cost()
	other := min(back, o.otherwise)
	o.otherwise -= other
	o.byCard -= back - other
	m.card += back - other
}

// gone are units that will not be handed over.
func (m *model) gone(o *noted, pieces int64) {
	o.open, o.called = o.open-pieces, o.called+pieces
	switch {
	case o.payment == "paid":
		m.even(o)
	case o.open+o.handed == 0:
		m.card += o.promised
		o.promised, o.payment = 0, "void"
	}
	if o.open+o.handed+o.returned == 0 {
		o.state = "cancelled"
	}
}

func (m *model) some(r *mrand.Rand, fits func(*noted) bool) *noted {
	var all []*noted
	for _, o := range m.orders {
		if fits(o) {
			all = append(all, o)
		}
	}
	if len(all) == 0 {
		return nil
	}
	return all[r.IntN(len(all))]
}

// P3: verbs in any order, and after each of them the tables say what the notebook says.
func TestModelOfOrdersStockAndMoney(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	if given := os.Getenv("SEED"); given != "" {
		seed, _ = strconv.ParseUint(given, 10, 64)
	}
	steps := rounds(400, 10_000)
	fmt.Printf("model of orders, stock and money: %d steps, SEED=%d\n", steps, seed)
	r := mrand.New(mrand.NewPCG(seed, 0))
	w := open(t)
	code := w.card(20_000)
	m := &model{onHand: map[int64]int64{}, reserved: map[int64]int64{}, card: 20_000}
	price := map[int64]int64{w.Mug: 1200, w.BlueMug: 1250}
	for variant := range price {
		m.onHand[variant] = one[int64](w, `SELECT on_hand FROM stock_level WHERE variant_id = $1 AND location_id = $2`,
			variant, w.HarbourStreet.ID)
	}
	variants := []int64{w.Mug, w.BlueMug}
	slices.Sort(variants)
	did := map[string]int{}
	all := []string{"place", "too few", "pay", "declined", "over", "hand over", "not found", "call off", "return",
		"receive"}
	missing := func(name string) bool { return did[name] == 0 }
	// A rare thing may not have come up yet by then: the walk goes on until it has.
	for step := 0; step < steps || slices.ContainsFunc(all, missing) && step < 10*steps; step++ {
		name := w.step(r, m, variants[r.IntN(2)], price, code)
		did[name]++
		if name != "" {
			w.agree(m, fmt.Sprintf("step %d of SEED=%d: %s", step, seed, name))
		}
		if step%100 == 99 {
			w.sound()
			// What is over does not change any more.
			m.orders = slices.DeleteFunc(m.orders, func(o *noted) bool { return o.open+o.handed == 0 })
		}
	}
	w.sound()
	for _, name := range all {
		require.Positive(t, did[name], "%s happened: SEED=%d", name, seed)
	}
	t.Log(did)
}

// step does one thing, in the shop and in the notebook, and says which; nothing where there was no order for it.
func (w *world) step(r *mrand.Rand, m *model, variant int64, price map[int64]int64, code string) string {
	t := w.t
	// What was not found and given back is a part of its own, which is over.
	part := func(o *noted) int64 {
		return one[int64](w, `SELECT id FROM fulfilment WHERE order_id = $1 AND state <> 'cancelled' ORDER BY id LIMIT 1`, o.ID)
	}
	line := func(o *noted) int64 { return w.lines(o.ID)[0] }
	switch r.IntN(9) {
	case 0, 1:
		quantity := int64(1 + r.IntN(3))
		ada := w.Ada(t, w.db, variant, int(quantity), w.HarbourStreet)
		o := &noted{variant: variant, price: price[variant], open: quantity, state: "confirmed", payment: "due"}
		if r.IntN(2) == 0 && m.card > 0 {
			require.NoError(t, shopping.UseGiftCard(ctx, w.db, shopping.Shopper{Person: ada}, code, "GBP"))
			o.promised = min(m.card, o.cost())
		}
		how := payment.PayAtPickup
		if r.IntN(2) == 0 {
			how = payment.Card
		}
		var err error
		if o.Placed, err = checkout.Place(ctx, w.db, origin.Origin{Channel: origin.Web, Language: "en"},
			w.request(ada, how)); m.onHand[variant]-m.reserved[variant] < quantity {
			require.ErrorIs(t, err, checkout.ErrShort)
			return "too few"
		}
		require.NoError(t, err)
		m.card -= o.promised
		m.reserved[variant] += quantity
		if o.promised == o.cost() {
			m.paid(o)
		} else if how == payment.Card {
			o.state, o.payment = "placed", "pending"
		}
		m.orders = append(m.orders, o)
		return "place"
	case 2, 3:
		o := m.some(r, func(o *noted) bool { return o.state == "placed" })
		if o == nil {
			return ""
		}
		attempt, err := w.office.Retry(ctx, o.ID, "")
		require.NoError(t, err)
		if r.IntN(4) == 0 {
			w.pay(attempt, sandboxtest.Declined)
			return "declined"
		}
		w.pay(attempt, []string{sandboxtest.Good, sandboxtest.Secure}[r.IntN(2)])
		o.state, o.payment = "confirmed", "authorised"
		return "pay"
	case 4:
		o := m.some(r, func(o *noted) bool { return o.state == "placed" })
		if o == nil {
			return ""
		}
		_, err := w.db.Exec(ctx, `UPDATE orders SET hold_until = now() - interval '1 second' WHERE id = $1`, o.ID)
		require.NoError(t, err)
		require.NoError(t, w.office.Sweep(ctx))
		m.reserved[o.variant] -= o.open
		m.gone(o, o.open)
		return "over"
	case 5:
		o := m.some(r, func(o *noted) bool { return o.state == "confirmed" && o.open > 0 })
		if o == nil {
			return ""
		}
		if !o.ready && r.IntN(3) == 0 {
			require.NoError(t, pickup.NotFound(ctx, w.db, w.desk(), part(o), line(o), 1))
			// The shopper of whose line nothing is there takes their money back at once.
			_, err := w.db.Exec(ctx, `UPDATE shortage SET decide_by = now() WHERE decided_at IS NULL`)
			require.NoError(t, err)
			require.NoError(t, shortage.DecideOverdue(ctx, w.db))
			m.onHand[o.variant]--
			m.reserved[o.variant]--
			m.gone(o, 1)
			w.transfers()
			return "not found"
		}
		w.collect(part(o), settle.CounterPayment{Kind: payment.Terminal})
		w.transfers()
		m.onHand[o.variant] -= o.open
		m.reserved[o.variant] -= o.open
		o.handed, o.open = o.handed+o.open, 0
		if o.payment != "paid" {
			m.paid(o)
		}
		return "hand over"
	case 6:
		o := m.some(r, func(o *noted) bool { return o.open > 0 && o.state == "confirmed" })
		if o == nil {
			return ""
		}
		require.NoError(t, cancellation.Order(ctx, w.db, origin.Origin{Channel: origin.Web, Language: "en"}, o.ID))
		w.transfers()
		m.reserved[o.variant] -= o.open
		m.gone(o, o.open)
		return "call off"
	case 7:
		o := m.some(r, func(o *noted) bool { return o.handed > 0 })
		if o == nil {
			return ""
		}
		n := 1 + r.Int64N(o.handed)
		made, err := returns.Make(ctx, w.db, w.desk(), returns.Request{Form: rand.Text(), OrderID: o.ID,
			SelfApproves: true,
			Wants:        []returns.ReturnLine{want(line(o), int(n))}})
		require.NoError(t, err)
		require.Equal(t, n*o.price, made.Refund)
		w.transfers()
		m.onHand[o.variant] += n
		o.handed, o.returned = o.handed-n, o.returned+n
		m.even(o)
		return "return"
	}
	if r.IntN(3) > 0 {
		return ""
	}
	require.NoError(t, pg.InTx(ctx, w.db, func(tx pgx.Tx) error {
		return inventory.Receive(ctx, tx, []inventory.Move{{VariantID: variant, LocationID: w.HarbourStreet.ID,
			Delta: 1}}, inventory.Reason{Channel: "api"})
	}))
	m.onHand[variant]++
	return "receive"
}

// agree compares the tables with the notebook.
func (w *world) agree(m *model, when string) {
	w.t.Helper()
	for variant, onHand := range m.onHand {
		require.Equal(w.t, []int64{onHand, m.reserved[variant]},
			one[[]int64](w, `SELECT ARRAY[on_hand, reserved] FROM stock_level WHERE variant_id = $1 AND location_id = $2 AND condition = 'sellable'`, variant, w.HarbourStreet.ID), when)
	}
	for _, o := range m.orders {
		require.Equal(w.t, o.state+" "+o.payment, w.states(o.ID), when)
		require.Equal(w.t, []int64{o.open, o.handed, o.returned, o.called, o.byCard, o.otherwise}, one[[]int64](w, `
			SELECT ARRAY[
				count(*) FILTER (WHERE u.state = 'open'), count(*) FILTER (WHERE u.state = 'collected' AND r.n IS NULL),
					count(r.n), count(*) FILTER (WHERE u.state = 'cancelled'),
				(SELECT coalesce(sum(captured - refunded) FILTER (WHERE kind = 'gift_card'), 0)::bigint FROM tender
					WHERE order_id = $1),
				(SELECT coalesce(sum(captured - refunded) FILTER (WHERE kind <> 'gift_card'), 0)::bigint FROM tender
					WHERE order_id = $1)]
			FROM order_line l
			JOIN order_unit u ON u.order_line_id = l.id
			LEFT JOIN returned_unit r ON r.order_line_id = u.order_line_id AND r.n = u.n
			WHERE l.order_id = $1`, o.ID), when)
	}
	require.Equal(w.t, m.card, one[int64](w, `SELECT balance FROM gift_card`), when)
}
