package browsing_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"counterpart/internal/domain/browsing"
	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/origin"
	"counterpart/internal/flow/person"
	"counterpart/internal/flow/shopping"
	"counterpart/internal/platform/pg/pgtest"
	"counterpart/internal/proof/sample"
)

var ctx = context.Background()

// TestATrailIsKeptOnlyWithConsent notes what two devices look at, of which one agreed, and forgets it when they take it
// back.
func TestATrailIsKeptOnlyWithConsent(t *testing.T) {
	db, _ := pgtest.Database(t)
	c := sample.Load(t, db)
	agreed, err := shopping.AddAsDevice(ctx, db, origin.Origin{Channel: origin.Web, Language: "en"}, "", 0,
		shopping.Item{VariantID: c.Mug, Quantity: 1})
	require.NoError(t, err)
	silent, err := shopping.AddAsDevice(ctx, db, origin.Origin{Channel: origin.Web, Language: "en"}, "", 0,
		shopping.Item{VariantID: c.Mug, Quantity: 1})
	require.NoError(t, err)
	who, err := customer.ByDevice(ctx, db, agreed)
	require.NoError(t, err)
	say := func(given bool) {
		require.NoError(t, person.RecordConsent(ctx, db, who,
			customer.ConsentEntry{Purpose: customer.Personalisation, Medium: customer.InShop, Given: given,
				Source: "web"}))
	}
	say(true)
	look := func() (n int) {
		writing, stop := context.WithCancel(ctx)
		trail := browsing.New(writing, db)
		for _, device := range []string{agreed, silent, "nobody's"} {
			for i := range 700 {
				trail.Note(browsing.Event{Device: customer.DeviceValue(device), At: time.Now(),
					Words: fmt.Sprint("mugs ", i)})
			}
		}
		stop()
		trail.Wait()
		require.NoError(t, db.QueryRow(ctx, `SELECT count(*) FROM browse_event`).Scan(&n))
		return n
	}

	require.Equal(t, 700, look())
	say(false)
	var left int
	require.NoError(t, db.QueryRow(ctx, `SELECT count(*) FROM browse_event`).Scan(&left))
	require.Zero(t, left, "taken back is deleted")
	require.Zero(t, look())
}

// TestMonthsComeAndGo makes the months ahead, again without harm, and drops those that are too old with what is in
// them.
func TestMonthsComeAndGo(t *testing.T) {
	db, _ := pgtest.Database(t)
	old := time.Now().AddDate(0, -browsing.KeepMonths-1, 0)
	_, err := db.Exec(ctx, `SELECT browse_event_month($1)`, old)
	require.NoError(t, err)
	_, err = db.Exec(ctx, `INSERT INTO browse_event (device, at, kind, words) VALUES ('x', $1, 'searched', 'mugs')`,
		old)
	require.NoError(t, err)

	var wg sync.WaitGroup
	for range 5 {
		wg.Go(func() { assert.NoError(t, browsing.TurnMonths(ctx, db, time.Now())) })
	}
	wg.Wait()

	rows, err := db.Query(ctx,
		`SELECT c.relname::text FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'browse_event'::regclass ORDER BY 1`)
	require.NoError(t, err)
	months, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	first := time.Now().AddDate(0, 0, 1-time.Now().Day())
	require.Equal(t, []string{"browse_event_" + first.Format("200601"), "browse_event_" +
		first.AddDate(0, 1, 0).Format("200601")}, months)
}

// TestCardsHaveCheckDigits takes cards as they are typed and refuses a slip of one figure, or of two neighbours that
// differ by other than five.
func TestCardsHaveCheckDigits(t *testing.T) {
	tx := pgtest.Tx(t)
	id, err := customer.Create(ctx, tx, "Ada", "en", "counter")
	require.NoError(t, err)
	card, err := customer.IssueCard(ctx, tx, id)
	require.NoError(t, err)
	again, err := customer.IssueCard(ctx, tx, id)
	require.NoError(t, err)
	require.Equal(t, card, again, "one card a customer")

	read, ok := customer.NormalCard(" " + card[:1] + " " + card[1:7] + "-" + card[7:])
	require.True(t, ok)
	require.Equal(t, card, read)
	for i := range card {
		slip := []byte(card)
		slip[i] = '0' + (slip[i]-'0'+1)%10
		_, ok := customer.NormalCard(string(slip))
		require.False(t, ok, "%s for %s", slip, card)
	}
}

// TestTwoWhoWriteAtOnceBothKeepWhatTheyWrote has twenty colleagues write a note about one customer.
func TestTwoWhoWriteAtOnceBothKeepWhatTheyWrote(t *testing.T) {
	db, _ := pgtest.Database(t)
	c := sample.Load(t, db)
	ada := c.Ada(t, db, c.Mug, 1, c.HarbourStreet)
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			assert.NoError(t, person.AddNote(ctx, db, origin.Origin{Channel: origin.Counter, AssociateID: c.Bea.ID,
				LocationID: c.HarbourStreet.ID}, ada, "note", fmt.Sprint("note ", i)))
		})
	}
	wg.Wait()
	var notes int
	require.NoError(t, db.QueryRow(ctx, `SELECT count(DISTINCT body) FROM note WHERE customer_id = $1`,
		ada).Scan(&notes))
	require.Equal(t, 20, notes)
}

// TestWishesAreKeptOnce wishes for the same thing from many tabs, and for more than a list holds.
func TestWishesAreKeptOnce(t *testing.T) {
	db, _ := pgtest.Database(t)
	c := sample.Load(t, db)
	ada := c.Ada(t, db, c.Mug, 1, c.HarbourStreet)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			_, err := shopping.Wish(ctx, db, origin.Origin{Channel: origin.Web, Language: "en"},
				shopping.Shopper{Person: ada}, c.Coat)
			assert.NoError(t, err)
		})
	}
	wg.Wait()
	var wishes int
	require.NoError(t, db.QueryRow(ctx, `SELECT count(*) FROM wish WHERE customer_id = $1`, ada).Scan(&wishes))
	require.Equal(t, 1, wishes)
}
