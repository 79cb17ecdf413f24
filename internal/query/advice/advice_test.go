package advice_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"counterpart/internal/domain/browsing"
	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/hint"
	"counterpart/internal/domain/inventory"
	"counterpart/internal/domain/location"
	"counterpart/internal/domain/origin"
	"counterpart/internal/flow/person"
	"counterpart/internal/flow/shopping"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/pg/pgtest"
	"counterpart/internal/proof/audit"
	"counterpart/internal/proof/sample"
	"counterpart/internal/query/admin"
	"counterpart/internal/query/advice"
)

var ctx = context.Background()

// desk is a counter with somebody in front of it.
type desk struct {
	*sample.Chain
	db     *pgxpool.Pool
	at     origin.Origin
	who    int64
	device string
}

func open(t *testing.T) *desk {
	t.Helper()
	db, _ := pgtest.Database(t)
	d := &desk{Chain: sample.Load(t, db), db: db, device: customer.DeviceValue("her phone")}
	d.at = origin.Origin{Channel: origin.Counter, AssociateID: d.Bea.ID, LocationID: d.HarbourStreet.ID, Language: "en"}
	d.who, _ = sample.Account(t, db, "Ada", "ada@example.com")
	require.NoError(t, pg.InTx(ctx, db, func(tx pgx.Tx) error {
		require.NoError(t, inventory.SetBin(ctx, tx, d.Coat, d.HarbourStreet.ID, "A3-12"))
		return customer.Identify(ctx, tx, d.who, customer.Identity{Kind: customer.Device, Value: d.device, Source: "web", Verified: true})
	}))
	return d
}

func (d *desk) agree(t *testing.T, purpose string, given bool) {
	t.Helper()
	require.NoError(t, person.RecordConsent(ctx, d.db, d.who, customer.ConsentEntry{Purpose: purpose, Medium: customer.InShop,
		Given: given, Source: "web"}))
}

func (d *desk) look(t *testing.T, times int) {
	t.Helper()
	var coat int64
	require.NoError(t, d.db.QueryRow(ctx, `SELECT product_id FROM variant WHERE id = $1`, d.Coat).Scan(&coat))
	for range times {
		require.NoError(t, browsing.Write(ctx, d.db, []browsing.Event{{Device: d.device, At: time.Now(), ProductID: coat}}))
	}
}

func (d *desk) hints(t *testing.T) (hints []advice.Hint, said []string) {
	t.Helper()
	batch := &pgx.Batch{}
	advice.Queue(batch, d.who, d.HarbourStreet.ID, "en", &hints)
	require.NoError(t, d.db.SendBatch(ctx, batch).Close())
	for _, h := range hints {
		said = append(said, h.Why.In("en")+" / "+h.Do.In("en"))
	}
	return hints, said
}

func TestWhatTheyLookedAtOftenIsSaidWhereItIsThere(t *testing.T) {
	d := open(t)
	d.agree(t, customer.Personalisation, true)
	d.look(t, 4)
	_, said := d.hints(t)
	require.Empty(t, said, "they did not agree that staff see it")
	d.agree(t, customer.Clienteling, true)
	hints, said := d.hints(t)
	require.Equal(t, []string{"Looked at Harbour coat 4 times today / 1 here, at A3-12"}, said)

	var store location.Location = d.HarbourStreet
	for range 2 {
		require.NoError(t, person.RecordShown(ctx, d.db, d.at, d.who, &store, hints))
	}
	require.NoError(t, person.MarkHint(ctx, d.db, d.at, d.who, hints[0].Subject, hint.Later))
	_, said = d.hints(t)
	require.Empty(t, said, "it comes another time")
	require.NoError(t, person.MarkHint(ctx, d.db, d.at, d.who, hints[0].Subject, hint.Used))
	require.Error(t, person.MarkHint(ctx, d.db, d.at, d.who, hints[0].Subject, "perhaps"))
	require.Error(t, person.MarkHint(ctx, d.db, d.at, d.who, hint.Subject{Reason: "viewed", ProductID: 999}, hint.No))
	require.NoError(t, hint.Learn(ctx, d.db))
	var shown, used int
	require.NoError(t, d.db.QueryRow(ctx, `SELECT shown, used FROM hint_reason WHERE reason = 'viewed'`).Scan(&shown, &used))
	require.Equal(t, []int{1, 1}, []int{shown, used}, "shown twice a day is shown once")

	_, err := d.db.Exec(ctx, `UPDATE hint SET marked_at = now() - interval '31 days', shown_at = now() - interval '31 days'`)
	require.NoError(t, err)
	_, said = d.hints(t)
	require.Len(t, said, 1)
	d.agree(t, customer.Personalisation, false)
	_, said = d.hints(t)
	require.Empty(t, said, "a consent that is withdrawn empties it at once")
	found, err := audit.Run(ctx, d.db)
	require.NoError(t, err)
	require.Empty(t, found)
}

func TestEveryReasonIsSaid(t *testing.T) {
	d := open(t)
	d.agree(t, customer.Clienteling, true)
	d.agree(t, customer.Personalisation, true)
	web := origin.Origin{Channel: origin.Web, Language: "en"}
	_, err := d.db.Exec(ctx, `UPDATE variant SET unit_cost = 18000 WHERE id = $1`, d.Coat)
	require.NoError(t, err)
	require.NoError(t, shopping.AddFor(ctx, d.db, web, d.who, shopping.Item{VariantID: d.Mug, Quantity: 1, LocationID: d.HarbourStreet.ID}))
	_, err = shopping.Wish(ctx, d.db, web, shopping.Shopper{Person: d.who}, d.Coat)
	require.NoError(t, err)
	_, said := d.hints(t)
	require.Equal(t, []string{"On their wish list: Harbour coat / 1 here, at A3-12", "In their cart: Stoneware mug / 10 here in the store"}, said,
		"a coat that earns £9 one time in five before a mug that earns £4.80 one time in three")

	// Its price comes down.
	_, err = d.db.Exec(ctx, `
		UPDATE wish SET added_at = now() - interval '1 day';
		UPDATE price SET valid = tstzrange(now() - interval '2 days', now()) WHERE variant_id = (SELECT variant_id FROM wish) AND price_list_id = 1;
		INSERT INTO price (variant_id, price_list_id, amount, valid) SELECT variant_id, 1, 15900, tstzrange(now(), NULL) FROM wish;
		UPDATE variant SET unit_cost = 10000 WHERE id = (SELECT variant_id FROM wish)`)
	require.NoError(t, err)
	_, said = d.hints(t)
	require.Equal(t, "On their wish list, and £30.00 less than when they added it: Harbour coat / 1 here, at A3-12", said[0])

	_, err = d.db.Exec(ctx, `
		INSERT INTO points_lot (customer_id, points, remaining, vests_at) VALUES ($1, 700, 700, now())`, d.who)
	require.NoError(t, err)
	_, said = d.hints(t)
	require.Contains(t, said, "Their 700 points pay £7.00 of what’s in their cart / Offer to use them in the sale")

	_, err = d.db.Exec(ctx, `INSERT INTO hint_reason (reason, active) VALUES ('points', false), ('cart', false), ('wish', false)`)
	require.NoError(t, err)
	_, said = d.hints(t)
	require.Empty(t, said, "what the retailer switched off is not said")
}

func TestAnEmptyShelfIsNotPraised(t *testing.T) {
	d := open(t)
	d.agree(t, customer.Clienteling, true)
	d.agree(t, customer.Personalisation, true)
	d.look(t, 5)
	d.Order(t, d.db, d.Coat, 1, d.HarbourStreet)
	_, said := d.hints(t)
	require.Empty(t, said, "the only one is somebody else's")
}

// The shop says it to the person themselves, by another consent and in other words, and says why.
func TestTheShopSaysItToThem(t *testing.T) {
	d := open(t)
	own := func() (said []string) {
		var hints []advice.Hint
		batch := &pgx.Batch{}
		advice.QueueOwn(batch, d.who, d.HarbourStreet.ID, "en", &hints)
		require.NoError(t, d.db.SendBatch(ctx, batch).Close())
		for _, h := range hints {
			said = append(said, h.Why.In("en")+" / "+h.Do.In("en"))
		}
		return said
	}
	d.agree(t, customer.Clienteling, true)
	require.NoError(t, shopping.AddFor(ctx, d.db, origin.Origin{Channel: origin.Web, Language: "en"}, d.who,
		shopping.Item{VariantID: d.Mug, Quantity: 1, LocationID: d.HarbourStreet.ID}))
	require.Empty(t, own(), "they did not agree to be remembered")
	d.agree(t, customer.Personalisation, true)
	d.look(t, 4)
	require.Equal(t, []string{"Still thinking about it? / " +
		"You’ve looked at it 4 times today, and agreed that we save what you view."}, own(), "what is in their cart they know")
	_, at := d.hints(t)
	require.NotEmpty(t, at)
	d.agree(t, customer.Objection, true)
	require.Empty(t, own(), "who objects to profiling is suggested nothing")
	_, at = d.hints(t)
	require.Empty(t, at)
}

// One person in ten is in the holdout, and stays in it: of them it is kept what would have been said, and nothing learned.
func TestTheHoldout(t *testing.T) {
	held := 0
	for person := range int64(100_000) {
		if hint.Held(person) {
			held++
		}
	}
	require.InDelta(t, 10_000, held, 300)
	d := open(t)
	d.agree(t, customer.Clienteling, true)
	d.agree(t, customer.Personalisation, true)
	d.look(t, 4)
	hints, _ := d.hints(t)
	require.NotEmpty(t, hints)
	store := d.HarbourStreet
	// The same person under a number that is in the holdout.
	id := int64(1000)
	for !hint.Held(id) {
		id++
	}
	_, err := d.db.Exec(ctx, `
		INSERT INTO customer (id, name, channel) OVERRIDING SYSTEM VALUE VALUES ($1, 'Held', 'web')`, id)
	require.NoError(t, err)
	require.NoError(t, person.RecordConsent(ctx, d.db, id, customer.ConsentEntry{Purpose: customer.Clienteling, Medium: customer.InShop,
		Given: true, Source: "web"}))
	require.NoError(t, person.RecordShown(ctx, d.db, d.at, id, &store, hints))
	require.NoError(t, person.RecordShown(ctx, d.db, d.at, d.who, &store, hints))
	require.Error(t, person.MarkHint(ctx, d.db, d.at, id, hints[0].Subject, hint.Used))
	require.NoError(t, hint.Learn(ctx, d.db))
	var shown int
	require.NoError(t, d.db.QueryRow(ctx, `SELECT shown FROM hint_reason WHERE reason = 'viewed'`).Scan(&shown))
	require.Equal(t, 1, shown)
	rows, err := admin.Suggestions(ctx, d.db, advice.Reasons())
	require.NoError(t, err)
	for _, row := range rows {
		if row.Reason == "viewed" {
			require.Equal(t, []int{1, 1, 1}, []int{row.Shown, row.People, row.Held})
			require.False(t, row.Compared())
		}
	}
}
