package settle_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"counterpart/internal/adapter/sandbox/sandboxtest"
	"counterpart/internal/domain/document"
	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/payment"
	"counterpart/internal/domain/promotion"
	"counterpart/internal/domain/quote"
	"counterpart/internal/flow/billing"
	"counterpart/internal/flow/dispatch"
	"counterpart/internal/flow/pickup"
	"counterpart/internal/flow/settle"
	"counterpart/internal/flow/shortage"
)

// Three mugs with a discount that does not divide, invoiced before two of them are not found: one choice is made for
// two, then one of these is not found either.
func TestPartOfALineIsTheShoppersChoice(t *testing.T) {
	w := open(t)
	w.promote(promotion.Promotion{Title: "A pound off", Rule: quote.Rule{Currency: "GBP",
		Effect: quote.Effect{Kind: quote.Amount, Amount: 100}}}, "")
	ada := w.Ada(t, w.db, w.Mug, 3, w.HarbourStreet)
	w.add(ada, w.Coat, 1, w.HarbourStreet)
	w.ship(ada, w.Coat)
	placed := w.place(ada, payment.Card)
	w.pay(placed.PaymentID, sandboxtest.Good)
	part := func(method, state string) int64 {
		return one[int64](w, `SELECT id FROM fulfilment WHERE order_id = $1 AND method = $2 AND state = $3`, placed.ID,
			method, state)
	}
	require.NoError(t, dispatch.Send(ctx, w.db, w.desk(), part("ship", "to_pick"), "Parcel Post", ""))
	w.transfers()
	require.NoError(t, billing.IssueDocuments(ctx, w.db, placed.ID))
	mugs := one[int64](w, `SELECT id FROM order_line WHERE order_id = $1 AND variant_id = $2`, placed.ID, w.Mug)
	paid := one[int64](w, `SELECT sum(paid) FROM order_unit WHERE order_line_id = $1`, mugs)
	fell := one[int64](w, `SELECT sum(paid) FROM order_unit WHERE order_line_id = $1 AND n > 1`, mugs)
	third := one[int64](w, `SELECT paid FROM order_unit WHERE order_line_id = $1 AND n = 3`, mugs)

	require.NoError(t, pickup.NotFound(ctx, w.db, w.desk(), part("pickup", "to_pick"), mugs, 2))
	w.sound()
	options, err := shortage.OptionsOf(ctx, w.db, placed.ID)
	require.NoError(t, err)
	require.Len(t, options, 1)
	require.Equal(t, []any{2, true}, []any{options[0].Quantity, options[0].Split})
	require.Equal(t, paid-fell, one[int64](w, `SELECT amount - discount FROM order_line WHERE id = $1`, mugs),
		"each line keeps what was paid for its units")
	require.Equal(t, "confirmed paid", w.states(placed.ID), "nothing is given back before they chose")

	require.NoError(t, shortage.Decide(ctx, w.db, origin.Origin{Channel: origin.Web, Language: "en"},
		shortage.Choice{OrderID: placed.ID, ShortageID: options[0].ID, What: "store", LocationID: w.MillLane.ID,
			By: "shopper"}))
	w.sound()
	mill := origin.Origin{Channel: origin.Counter, LocationID: w.MillLane.ID, AssociateID: w.Bea.ID, Language: "en"}
	there := one[int64](w, `SELECT id FROM fulfilment WHERE order_id = $1 AND location_id = $2`, placed.ID,
		w.MillLane.ID)
	require.NoError(t, pickup.NotFound(ctx, w.db, mill, there, options[0].LineID, 1))
	w.sound()
	options, err = shortage.OptionsOf(ctx, w.db, placed.ID)
	require.NoError(t, err)
	require.Len(t, options, 1)
	require.NoError(t, shortage.Decide(ctx, w.db, origin.Origin{Channel: origin.Web, Language: "en"},
		shortage.Choice{OrderID: placed.ID, ShortageID: options[0].ID, What: "refund", By: "shopper"}))
	w.transfers()
	w.sound()

	w.collect(part("pickup", "to_pick"), settle.CounterPayment{})
	require.Equal(t, int64(1), one[int64](w,
		`SELECT count(*) FROM fulfilment WHERE order_id = $1 AND state = 'to_pick'`,
		placed.ID), "the other store's is a pickup of its own")
	require.NoError(t, pickup.Ready(ctx, w.db, mill, there, "B2"))
	_, err = pickup.HandOver(ctx, w.db, mill, there, one[string](w, `SELECT code FROM fulfilment WHERE id = $1`, there),
		settle.CounterPayment{})
	require.NoError(t, err)
	require.NoError(t, billing.IssueDocuments(ctx, w.db, placed.ID))
	w.sound()
	all, err := document.OfOrder(ctx, w.db, placed.ID)
	require.NoError(t, err)
	require.Len(t, all, 2, "one invoice, and one credit note for the one that was refunded")
	require.Equal(t, third, all[1].Total)
	require.Equal(t, [][2]int64{{mugs, 3}}, all[1].Body.Lines[0].Refs, "under the number that the invoice gave it")
	require.Equal(t, []string{"refund", "store"}, []string{one[string](w,
		`SELECT choice FROM shortage ORDER BY id DESC LIMIT 1`), one[string](w,
		`SELECT choice FROM shortage ORDER BY id LIMIT 1`)})
}

// Two tills tick what is picked while a third says that some of it is not there, and a fourth stages it.
func TestPickingRacesWithNotFound(t *testing.T) {
	w := open(t)
	_, err := w.db.Exec(ctx,
		`UPDATE stock_level SET on_hand = on_hand + 200; INSERT INTO stock_move (variant_id, location_id, condition, delta, cause, channel) SELECT variant_id, location_id, condition, 200, 'receipt', 'api' FROM stock_level`)
	require.NoError(t, err)
	for range rounds(4, 60) {
		placed := w.place(w.Ada(t, w.db, w.Mug, 2, w.HarbourStreet), payment.PayAtPickup)
		part, line := one[int64](w, `SELECT id FROM fulfilment WHERE order_id = $1`, placed.ID), w.lines(placed.ID)[0]
		atOnce(6, func(i int) {
			var err error
			switch i {
			case 0, 1, 2:
				err = pickup.Pick(ctx, w.db, w.desk(), part, line, i)
			case 3:
				err = pickup.NotFound(ctx, w.db, w.desk(), part, line, 1)
			case 4:
				err = pickup.Ready(ctx, w.db, w.desk(), part, "A1")
			case 5:
				err = pickup.Pick(ctx, w.db, w.desk(), part, line, 3)
			}
			told(t, err)
		})
		require.LessOrEqual(t, one[int](w, `SELECT max(picked - quantity) FROM order_line`), 0)
	}
	w.sound()
}
