package settle_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"counterpart/internal/adapter/sandbox/sandboxtest"
	"counterpart/internal/domain/cart"
	"counterpart/internal/domain/delivery"
	"counterpart/internal/domain/message"
	"counterpart/internal/domain/order"
	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/payment"
	"counterpart/internal/flow/amendment"
	"counterpart/internal/flow/drafting"
	"counterpart/internal/flow/shopping"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/pg"
)

// byPhone is an associate who takes an order.
func (w *world) byPhone() origin.Origin {
	return origin.Origin{Channel: origin.Phone, AssociateID: w.Bea.ID, Language: "en"}
}

var adasHome = order.DraftContact{Name: "Ada Byron", Email: "ada@example.com", Phone: "0113 496 0999",
	Lines: "1 Orchard Street", Town: "Leeds", Postcode: "LS1 4DY"}

// begin is a draft for somebody with mugs in it, to be sent to them.
func (w *world) begin(b drafting.Beginning, mugs int) int64 {
	w.t.Helper()
	if b.AddsTo == 0 {
		b.Contact, b.Country = adasHome, "GB"
	}
	b.Stores = []int64{w.HarbourStreet.ID, w.MillLane.ID}
	id, err := drafting.Begin(ctx, w.db, w.byPhone(), b)
	require.NoError(w.t, err)
	w.change(id, drafting.Change{Add: w.Mug})
	w.change(id, drafting.Change{Lines: []drafting.LineChange{{LineID: w.look(id).Basket.Lines[0].ID, Quantity: mugs,
		Way: cart.Way{Method: "ship"}}}})
	return id
}

func (w *world) change(id int64, c drafting.Change) {
	w.t.Helper()
	v := w.look(id)
	c.DraftContact, c.Country = v.DraftContact, v.Basket.Country
	require.NoError(w.t, drafting.Save(ctx, w.db, w.byPhone(), id, c))
}

func (w *world) look(id int64) *drafting.View {
	w.t.Helper()
	v, err := drafting.Look(ctx, w.db, id, "en")
	require.NoError(w.t, err)
	return v
}

func (w *world) send(id int64) (int64, error) {
	w.t.Helper()
	return drafting.Send(ctx, w.db, w.byPhone(), id, drafting.Sending{Expected: w.look(id).Basket.Quote.Total,
		Pay: payment.Card, Gateway: "sandbox", Lives: 3 * 24 * time.Hour})
}

func (w *world) attempt(orderID int64) int64 {
	w.t.Helper()
	id, err := w.office.Retry(ctx, orderID, payment.Card)
	require.NoError(w.t, err)
	return id
}

func TestADraftIsPaidByItsLinkAndTheCustomersOwnCartStays(t *testing.T) {
	w := open(t)
	ada := w.Ada(t, w.db, w.Coat, 1, w.HarbourStreet)
	own := w.basket(ada).CartID
	id := w.begin(drafting.Beginning{CustomerID: ada}, 2)
	require.Equal(t, own, w.basket(ada).CartID, "their own cart is as it was")
	require.Len(t, w.basket(ada).Lines, 1)

	v := w.look(id)
	require.Equal(t, int64(2*1200+395), v.Basket.Quote.Total)
	_, err := drafting.Send(ctx, w.db, w.byPhone(), id, drafting.Sending{Expected: 1, Pay: payment.Card, Gateway: "sandbox"})
	require.NotNil(t, fault.As(err), "another total than was shown")
	placed, err := w.send(id)
	require.NoError(t, err)
	require.Equal(t, "placed pending", w.states(placed))
	require.Equal(t, 1, w.mails(message.MailPayLink))
	require.Equal(t, 2, one[int](w, `SELECT sum(quantity)::int FROM reservation WHERE released_at IS NULL`))
	w.sound()

	// The gateway's page is opened, left, and closed by it: the link opens another.
	first := w.attempt(placed)
	_, err = w.office.Page(ctx, first)
	require.NoError(t, err)
	w.drop(first)
	require.NoError(t, w.office.Settle(ctx, first))
	require.Equal(t, "placed pending", w.states(placed), "there are days left")
	second := w.attempt(placed)
	require.NotEqual(t, first, second)
	w.pay(second, sandboxtest.Good)
	require.Equal(t, "confirmed authorised", w.states(placed))
	require.Equal(t, 1, w.mails(message.MailConfirmed))
	require.Equal(t, own, w.basket(ada).CartID)
	w.sound()

	// What is added goes in the same parcel.
	more := w.begin(drafting.Beginning{AddsTo: placed}, 1)
	require.Equal(t, int64(1200), w.look(more).Basket.Quote.Total, "its delivery is paid")
	require.NoError(t, pg.InTx(ctx, w.db, func(tx pgx.Tx) error {
		return delivery.Save(ctx, tx, &delivery.Method{Name: "Express", Countries: []string{"GB"}, Currency: "GBP",
			Carrier: "Fast Post", MinDays: 1, MaxDays: 1, Cutoff: 840, Active: true,
			Rates: []delivery.Rate{{MaxGrams: 30_000, Charge: 795}}})
	}))
	express := one[int64](w, `SELECT id FROM delivery WHERE name = 'Express'`)
	w.change(more, drafting.Change{DeliveryID: express})
	require.Equal(t, int64(1200+795), w.look(more).Basket.Quote.Total, "faster is another parcel")
	w.change(more, drafting.Change{DeliveryID: one[int64](w, `SELECT id FROM delivery WHERE name = 'Standard'`)})
	other := w.look(more)
	other.DraftContact.Postcode = "LS2 7EW"
	require.NoError(t, drafting.Save(ctx, w.db, w.byPhone(), more, drafting.Change{DraftContact: other.DraftContact,
		Country: "GB"}))
	require.Equal(t, int64(1200+395), w.look(more).Basket.Quote.Total, "somewhere else it is another parcel")
	w.sound()
}

func TestALinkThatNobodyPaysEndsWithItsTime(t *testing.T) {
	w := open(t)
	ada := w.Ada(t, w.db, w.Coat, 1, w.HarbourStreet)
	placed, err := w.send(w.begin(drafting.Beginning{CustomerID: ada}, 1))
	require.NoError(t, err)
	_, err = w.office.Page(ctx, w.attempt(placed))
	require.NoError(t, err)
	_, err = w.db.Exec(ctx, `UPDATE orders SET hold_until = now() - interval '1 minute' WHERE id = $1`, placed)
	require.NoError(t, err)
	require.NoError(t, w.office.Sweep(ctx))
	require.Equal(t, "cancelled void", w.states(placed))
	require.Len(t, w.basket(ada).Lines, 1, "it was never in their cart")
	require.Equal(t, w.Coat, w.basket(ada).Lines[0].VariantID)
	w.sound()

	// One that staff cancel is over at once, whether its page was opened or not.
	for _, opened := range []bool{true, false} {
		placed, err = w.send(w.begin(drafting.Beginning{CustomerID: ada}, 1))
		require.NoError(t, err)
		if opened {
			_, err = w.office.Page(ctx, w.attempt(placed))
			require.NoError(t, err)
		}
		require.NoError(t, amendment.Cancel(ctx, w.db, w.byPhone(), placed, "changed their mind"))
		w.transfers()
		require.Equal(t, "cancelled void", w.states(placed))
		_, err = w.office.Retry(ctx, placed, payment.Card)
		require.NotNil(t, fault.As(err))
		w.sound()
	}
}

// TestALinkIsOpenedDaysLaterAndTwiceAtOnce asks for the gateway's page from two tabs, the first time after a day.
func TestALinkIsOpenedDaysLaterAndTwiceAtOnce(t *testing.T) {
	w := open(t)
	ada := w.Ada(t, w.db, w.Coat, 1, w.HarbourStreet)
	placed, err := w.send(w.begin(drafting.Beginning{CustomerID: ada}, 2))
	require.NoError(t, err)
	_, err = w.db.Exec(ctx, `UPDATE payment SET created_at = now() - interval '25 hours'`)
	require.NoError(t, err)
	pages := make([]string, 6)
	atOnce(len(pages), func(i int) {
		id, err := w.office.Retry(ctx, placed, payment.Card)
		if assert.NoError(t, err) {
			pages[i], err = w.office.Page(ctx, id)
			assert.NoError(t, err)
		}
	})
	for _, page := range pages {
		require.Equal(t, pages[0], page)
		require.NotEmpty(t, page)
	}
	require.NotNil(t, fault.As(amendment.CancelUnits(ctx, w.db, w.byPhone(), placed, w.lines(placed)[0], 1, "one too many")),
		"they are asked for the whole amount")
	w.pay(w.attempt(placed), sandboxtest.Good)
	require.Equal(t, "confirmed authorised", w.states(placed))
	require.Equal(t, 1, one[int](w, `SELECT count(*)::int FROM sandbox.payment WHERE state = 'authorised'`))
	w.sound()
}

func TestWhatIsWrongWithADraftIsSaidAndTheRestIsKept(t *testing.T) {
	w := open(t)
	ada := w.Ada(t, w.db, w.Coat, 1, w.HarbourStreet)
	id := w.begin(drafting.Beginning{CustomerID: ada}, 1)
	line := w.look(id).Basket.Lines[0].ID
	contact := adasHome
	contact.Name = "Ada Lovelace"
	f := fault.As(drafting.Save(ctx, w.db, w.byPhone(), id, drafting.Change{DraftContact: contact, Country: "GB",
		Code: "NOSUCH", LocationID: 1 << 40, Add: 1 << 40, Lines: []drafting.LineChange{{LineID: line, Quantity: 100},
			{LineID: line + 1000, Quantity: 1}}}))
	require.NotNil(t, f)
	require.Len(t, f.Fields, 5)
	require.Equal(t, "Ada Lovelace", w.look(id).Name)
	require.Equal(t, 1, w.look(id).Basket.Lines[0].Quantity)
	contact.Email = ""
	require.NoError(t, drafting.Save(ctx, w.db, w.byPhone(), id, drafting.Change{DraftContact: contact, Country: "GB"}))
	_, err := w.send(id)
	require.NotEmpty(t, fault.As(err).Fields["email"], "a link has to go somewhere")
	require.NoError(t, drafting.Drop(ctx, w.db, w.byPhone(), id))
	_, err = drafting.Look(ctx, w.db, id, "en")
	require.True(t, fault.Is(err, fault.NotFound))
	w.sound()
}

// TestADraftOfTwoTabs keeps what the second did not see, and what staff write of an order out of the profile.
func TestADraftOfTwoTabs(t *testing.T) {
	w := open(t)
	ada := w.Ada(t, w.db, w.Coat, 1, w.HarbourStreet)
	id := w.begin(drafting.Beginning{CustomerID: ada}, 1)
	seen := w.look(id).Version
	save := func(town string, version int64) error {
		contact := adasHome
		contact.Town = town
		return drafting.Save(ctx, w.db, w.byPhone(), id, drafting.Change{DraftContact: contact, Country: "GB", Version: version})
	}
	require.NoError(t, save("Harrogate", seen))
	require.True(t, fault.Is(save("York", seen), fault.Conflict), "somebody else saved meanwhile")
	require.Equal(t, "Harrogate", w.look(id).Town)
	require.NoError(t, save("York", w.look(id).Version))

	name := one[string](w, `SELECT name FROM customer WHERE id = $1`, ada)
	placed, err := w.send(id)
	require.NoError(t, err)
	require.Equal(t, name, one[string](w, `SELECT name FROM customer WHERE id = $1`, ada), "Ada Byron is who gets this one")
	require.Zero(t, one[int](w, `SELECT count(*)::int FROM identity WHERE customer_id = $1 AND value = 'ada@example.com'`, ada))
	require.Equal(t, w.HarbourStreet.ID, one[int64](w, `SELECT location_id FROM orders WHERE id = $1`, placed))
	w.sound()
}

// TestADraftRacesEverybody has a draft changed, sent, dropped and looked at while its customer shops.
func TestADraftRacesEverybody(t *testing.T) {
	w := open(t)
	for range 4 {
		ada := w.Ada(t, w.db, w.Coat, 1, w.HarbourStreet)
		own := w.basket(ada).CartID
		id := w.begin(drafting.Beginning{CustomerID: ada}, 1)
		line, total := w.look(id).Basket.Lines[0].ID, w.look(id).Basket.Quote.Total
		acts := []func() error{
			func() error {
				_, err := drafting.Send(ctx, w.db, w.byPhone(), id, drafting.Sending{Expected: total, Pay: payment.Card,
					Gateway: "sandbox"})
				return err
			},
			func() error {
				return drafting.Save(ctx, w.db, w.byPhone(), id, drafting.Change{DraftContact: adasHome, Country: "GB",
					Lines: []drafting.LineChange{{LineID: line, Quantity: 1, Way: cart.Way{Method: "ship"}}}})
			},
			func() error { _, err := drafting.Look(ctx, w.db, id, "en"); return err },
			func() error {
				return shopping.AddFor(ctx, w.db, origin.Origin{Channel: origin.Web, Language: "en"}, ada,
					shopping.Item{VariantID: w.Coat, Quantity: 1, LocationID: w.HarbourStreet.ID})
			},
			func() error { return drafting.Drop(ctx, w.db, w.byPhone(), id) },
		}
		atOnce(15, func(i int) {
			if err := acts[i%len(acts)](); err != nil {
				assert.NotNil(t, fault.As(err), err)
			}
		})
		require.Equal(t, own, w.basket(ada).CartID, "nobody else's cart is theirs")
		require.Equal(t, 4, w.basket(ada).Lines[0].Quantity, "and nothing of it is lost")
		require.LessOrEqual(t, one[int](w, `SELECT count(*)::int FROM orders WHERE customer_id = $1`, ada), 1)
		w.sound()
	}
}
