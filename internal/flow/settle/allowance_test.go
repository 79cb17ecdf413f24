package settle_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"counterpart/internal/adapter/sandbox/sandboxtest"
	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/payment"
	"counterpart/internal/flow/amendment"
	"counterpart/internal/flow/billing"
	"counterpart/internal/flow/returns"
	"counterpart/internal/platform/fault"
)

// reduce gives a part of an order's price back from the admin.
func (w *world) reduce(orderID int64, r amendment.Refund) error {
	w.t.Helper()
	r.Reason, r.Unlimited = "box was scratched", true
	return amendment.GiveBack(ctx, w.db, origin.Origin{Channel: origin.Counter, AssociateID: w.Bea.ID, Language: "en"},
		orderID, r)
}

// documents are what was invoiced and what was credited of it.
func (w *world) documents(orderID int64) (invoiced, credited int64) {
	w.t.Helper()
	require.NoError(w.t, billing.IssueDocuments(ctx, w.db, orderID))
	sum := `SELECT coalesce(sum(total), 0)::bigint FROM document WHERE order_id = $1 AND series = $2`
	return one[int64](w, sum, orderID, "invoice"), one[int64](w, sum, orderID, "credit_note")
}

func TestAPriceIsReducedAndAReturnGivesBackTheRest(t *testing.T) {
	w := open(t)
	ada := w.Ada(t, w.db, w.Mug, 2, w.HarbourStreet)
	w.add(ada, w.Coat, 1, w.HarbourStreet)
	w.ship(ada, w.Coat)
	total := w.basket(ada).Quote.Total
	placed := w.place(ada, payment.Card)
	require.NotNil(t, fault.As(w.reduce(placed.ID, amendment.Refund{Amount: "1"})), "nothing was taken yet")
	w.pay(placed.PaymentID, sandboxtest.Good)
	w.complete(placed.ID)
	mugs := w.lines(placed.ID)[0]
	refunded := func() int64 {
		w.transfers()
		w.sound()
		return one[int64](w, `SELECT refunded FROM sandbox.payment`)
	}
	invoiced, credited := w.documents(placed.ID)
	require.Equal(t, []int64{total, 0}, []int64{invoiced, credited})

	for _, wrong := range []amendment.Refund{{Amount: "0"}, {Amount: "-3"}, {Amount: "three"}, {Amount: "24.01",
		LineID: mugs}, {Amount: "99999"}, {Amount: "1", LineID: 1 << 40}} {
		f := fault.As(w.reduce(placed.ID, wrong))
		require.NotNil(t, f, wrong)
		require.NotEmpty(t, f.Fields["amount"], wrong)
	}
	require.NoError(t, w.reduce(placed.ID, amendment.Refund{Amount: "3.33", LineID: mugs}))
	require.Equal(t, int64(333), refunded(), "to the card")
	charge := one[int64](w, `SELECT paid FROM fulfilment WHERE order_id = $1 AND method = 'ship'`, placed.ID)
	require.NoError(t, w.reduce(placed.ID, amendment.Refund{Amount: "1", Delivery: true}))
	require.NoError(t, w.reduce(placed.ID, amendment.Refund{Amount: "5.01"}))
	require.Equal(t, int64(934), refunded())
	_, credited = w.documents(placed.ID)
	require.Equal(t, int64(934), credited)
	require.Positive(t, charge)

	coat := w.lines(placed.ID)[1]
	for _, r := range []returns.ReturnLine{want(mugs, 1), want(coat, 1), want(mugs, 1)} {
		w.giveBack(placed.ID, w.MillLane.ID, r)
	}
	require.Equal(t, total, refunded(), "no more and no less than was paid")
	invoiced, credited = w.documents(placed.ID)
	require.Equal(t, []int64{total, total}, []int64{invoiced, credited})
	require.Equal(t, one[int64](w, `SELECT sum(t.tax) FILTER (WHERE d.series = 'invoice')::bigint FROM document d
		JOIN document_tax t ON t.document_id = d.id`), one[int64](w, `SELECT sum(t.tax) FILTER (WHERE d.series =
		'credit_note')::bigint FROM document d JOIN document_tax t ON t.document_id = d.id`), "and its tax")
	require.NotNil(t, fault.As(w.reduce(placed.ID, amendment.Refund{Amount: "0.01"})), "nothing is left")
	w.sound()
}

func TestWhatWasPaidInStoreBecomesCreditOfSomebodyWhoCanBeFound(t *testing.T) {
	w := open(t)
	ada := w.Ada(t, w.db, w.Mug, 2, w.HarbourStreet)
	placed := w.sell(ada, payment.Cash, 5000)
	require.NotNil(t, fault.As(w.reduce(placed.ID, amendment.Refund{Amount: "2"})), "credit would be lost")
	_, err := w.db.Exec(ctx, `INSERT INTO identity (customer_id, kind, value, source) VALUES ($1, 'phone',
		'+441134960999', 'counter')`, ada)
	require.NoError(t, err)
	require.NoError(t, w.reduce(placed.ID, amendment.Refund{Amount: "2"}))
	require.Equal(t, int64(200), one[int64](w, `SELECT balance FROM credit WHERE customer_id = $1`, ada))
	w.sound()
}

// TestAReducedPriceIsNotThatOfAnother exchanges a scratched mug, of which a part went back, for one that is whole.
func TestAReducedPriceIsNotThatOfAnother(t *testing.T) {
	w := open(t)
	ada := w.Ada(t, w.db, w.Mug, 1, w.HarbourStreet)
	_, err := w.db.Exec(ctx, `INSERT INTO identity (customer_id, kind, value, source) VALUES ($1, 'phone', '+441134960999',
		'counter')`, ada)
	require.NoError(t, err)
	placed := w.sell(ada, payment.Cash, 5000)
	line := w.lines(placed.ID)[0]
	require.NoError(t, w.reduce(placed.ID, amendment.Refund{Amount: "9", LineID: line}))
	here := origin.Origin{Channel: origin.Counter, LocationID: w.HarbourStreet.ID, AssociateID: w.Bea.ID, Language: "en"}
	r := returns.Request{Form: "swap", OrderID: placed.ID, Wants: []returns.ReturnLine{want(line, 1)}, SelfApproves: true,
		Exchange: []returns.ExchangeLine{{VariantID: w.Mug, Quantity: 1}}, Pay: payment.Terminal}
	looked, err := returns.Preview(ctx, w.db, here, r)
	require.NoError(t, err)
	require.Equal(t, int64(900), looked.Due, "what went back is to be paid for one without a scratch")
	_, err = returns.Make(ctx, w.db, here, r)
	require.NoError(t, err)
	w.sound()
}

// TestReductionsRaceReturnsAndEachOther gives back of one order as much as possible at once: never more than was paid.
func TestReductionsRaceReturnsAndEachOther(t *testing.T) {
	w := open(t)
	ada := w.Ada(t, w.db, w.Mug, 3, w.HarbourStreet)
	placed := w.sell(ada, payment.Terminal, 0)
	line := w.lines(placed.ID)[0]
	here := origin.Origin{Channel: origin.Counter, LocationID: w.HarbourStreet.ID, AssociateID: w.Bea.ID, Language: "en"}
	atOnce(12, func(i int) {
		var err error
		if i%4 == 0 {
			_, err = returns.Make(ctx, w.db, here, returns.Request{Form: fmt.Sprint("race", i), OrderID: placed.ID,
				Wants: []returns.ReturnLine{want(line, 1)}, SelfApproves: true})
		} else {
			err = w.reduce(placed.ID, amendment.Refund{Amount: "5", LineID: line})
		}
		if err != nil {
			assert.NotNil(t, fault.As(err), err)
		}
	})
	w.sound()
	require.LessOrEqual(t, one[int64](w, `SELECT sum(refunded)::bigint FROM tender`), int64(3600))
	require.Equal(t, one[int64](w, `SELECT sum(refunded)::bigint FROM tender`),
		one[int64](w, `SELECT coalesce(sum(amount), 0)::bigint FROM refund`))
}
