package amendment_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"counterpart/internal/domain/inventory"
	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/staff"
	"counterpart/internal/flow/amendment"
	"counterpart/internal/flow/cancellation"
	"counterpart/internal/flow/pickup"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/merge"
	"counterpart/internal/platform/pg/pgtest"
	"counterpart/internal/proof/audit"
	"counterpart/internal/proof/sample"
)

var ctx = context.Background()

// shop is a chain with stock in two stores, and an admin.
func shop(t *testing.T) (*pgxpool.Pool, *sample.Chain, origin.Origin) {
	t.Helper()
	db, _ := pgtest.Database(t)
	c := sample.Load(t, db)
	boss := staff.Associate{Name: "Ida", Email: "ida@example.com", Role: staff.RoleAdmin}
	require.NoError(t, pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		if err := staff.Create(ctx, tx, &boss, sample.Password); err != nil {
			return err
		}
		return inventory.Receive(ctx, tx, []inventory.Move{{VariantID: c.Mug, LocationID: c.HarbourStreet.ID, Delta: 50},
			{VariantID: c.Mug, LocationID: c.MillLane.ID, Delta: 50}}, inventory.Reason{Channel: origin.API})
	}))
	return db, c, origin.Origin{Channel: origin.Counter, AssociateID: boss.ID, Language: "en"}
}

func sound(t *testing.T, db *pgxpool.Pool) {
	t.Helper()
	findings, err := audit.Run(ctx, db)
	require.NoError(t, err)
	require.Empty(t, findings)
}

func states(t *testing.T, db *pgxpool.Pool, orderID int64) (open, cancelled int, reserved map[int64]int) {
	t.Helper()
	require.NoError(t, db.QueryRow(ctx, `
		SELECT count(*) FILTER (WHERE u.state = 'open'), count(*) FILTER (WHERE u.state = 'cancelled')
		FROM order_unit u JOIN order_line l ON l.id = u.order_line_id WHERE l.order_id = $1`, orderID).Scan(&open,
		&cancelled))
	reserved = map[int64]int{}
	rows, err := db.Query(ctx, `
		SELECT r.location_id, sum(r.quantity)
		FROM reservation r JOIN order_line l ON l.id = r.order_line_id
		WHERE l.order_id = $1 AND r.released_at IS NULL
		GROUP BY 1`, orderID)
	require.NoError(t, err)
	var at int64
	var n int
	_, err = pgx.ForEachRow(rows, []any{&at, &n}, func() error { reserved[at] = n; return nil })
	require.NoError(t, err)
	return open, cancelled, reserved
}

func TestUnitsAreCancelledAndTheirStockIsFree(t *testing.T) {
	db, c, at := shop(t)
	o := c.Order(t, db, c.Mug, 3, c.HarbourStreet)
	require.NotNil(t, fault.As(amendment.CancelUnits(ctx, db, at, o.Order, o.Line, 1, " ")), "why has to be said")
	require.NotNil(t, fault.As(amendment.CancelUnits(ctx, db, at, o.Order, o.Line, 4, "four")), "there are three")
	require.NotNil(t, fault.As(amendment.CancelUnits(ctx, db, at, o.Order, o.Line, 0, "none")))
	require.NoError(t, amendment.CancelUnits(ctx, db, at, o.Order, o.Line, 1, "ordered one too many"))
	open, cancelled, reserved := states(t, db, o.Order)
	require.Equal(t, []any{2, 1, map[int64]int{c.HarbourStreet.ID: 2}}, []any{open, cancelled, reserved})
	sound(t, db)

	require.NoError(t, amendment.CancelUnits(ctx, db, at, o.Order, o.Line, 2, "all of it"))
	var state string
	require.NoError(t, db.QueryRow(ctx, `SELECT state FROM orders WHERE id = $1`, o.Order).Scan(&state))
	require.Equal(t, "cancelled", state)
	sound(t, db)
}

func TestALineIsCollectedAtAnotherStore(t *testing.T) {
	db, c, at := shop(t)
	o := c.Order(t, db, c.Mug, 3, c.HarbourStreet)
	move := func(n int, to int64) error {
		return amendment.MoveLine(ctx, db, at, o.Order, amendment.Move{LineID: o.Line, Quantity: n, LocationID: to})
	}
	require.NotNil(t, fault.As(move(1, c.HarbourStreet.ID)), "it is there already")
	require.NotNil(t, fault.As(move(9, c.MillLane.ID)))
	require.NotNil(t, fault.As(move(1, 0)))
	require.NotNil(t, fault.As(amendment.MoveLine(ctx, db, at, o.Order, amendment.Move{LineID: o.Line, Quantity: 1,
		LocationID: c.MillLane.ID, Ship: true})), "what is paid in store is not sent")

	require.NoError(t, move(1, c.MillLane.ID))
	open, _, reserved := states(t, db, o.Order)
	require.Equal(t, []any{3, map[int64]int{c.HarbourStreet.ID: 2, c.MillLane.ID: 1}}, []any{open, reserved})
	sound(t, db)
	require.NoError(t, move(2, c.MillLane.ID))
	_, _, reserved = states(t, db, o.Order)
	require.Equal(t, map[int64]int{c.MillLane.ID: 3}, reserved)
	var waiting int
	require.NoError(t, db.QueryRow(ctx, `SELECT count(*) FROM fulfilment WHERE order_id = $1 AND location_id = $2`, o.Order,
		c.HarbourStreet.ID).Scan(&waiting))
	require.Zero(t, waiting, "nothing of it waits where it was")
	sound(t, db)
}

func TestWhatIsOnHoldIsNeitherStagedNorHandedOver(t *testing.T) {
	db, c, at := shop(t)
	o := c.Order(t, db, c.Mug, 1, c.HarbourStreet)
	require.NoError(t, amendment.Hold(ctx, db, at, o.Order, "address looks odd"))
	require.NotNil(t, fault.As(amendment.Hold(ctx, db, at, o.Order, "again")), "it is already")
	counter := at
	counter.LocationID = c.HarbourStreet.ID
	require.ErrorContains(t, pickup.Ready(ctx, db, counter, o.Fulfilment, "A1"), "on hold")
	require.NoError(t, amendment.Release(ctx, db, at, o.Order))
	require.NoError(t, pickup.Ready(ctx, db, counter, o.Fulfilment, "A1"))
	sound(t, db)
}

func TestTwoPeopleChangeWhomAnOrderGoesTo(t *testing.T) {
	db, c, at := shop(t)
	o := c.Order(t, db, c.Mug, 1, c.HarbourStreet)
	was := map[string]string{"name": "Ada", "email": "ada@example.com", "phone": ""}
	edit := func(field, value string) error {
		return amendment.SetContact(ctx, db, at, o.Order, merge.Edit{Was: was, Mine: map[string]string{field: value}})
	}
	require.NoError(t, edit("name", "Ben"))
	require.NoError(t, edit("phone", "0113 496 0000"), "another field")
	f := fault.As(edit("name", "Cora"))
	require.NotNil(t, f)
	require.Equal(t, map[string]string{"name": "Ben"}, f.Now)
	require.NotNil(t, fault.As(edit("email", "")), "mails have to go somewhere")
	sound(t, db)
}

// Everything that can happen to an order happens to a few of them at once: whatever wins, units, stock and money agree.
func TestEverythingHappensToAnOrderAtOnce(t *testing.T) {
	db, c, at := shop(t)
	counter := at
	counter.LocationID = c.HarbourStreet.ID
	there := at
	there.LocationID = c.MillLane.ID
	for round := range 6 {
		o := c.Order(t, db, c.Mug, 4, c.HarbourStreet)
		acts := []func() error{
			func() error { return amendment.CancelUnits(ctx, db, at, o.Order, o.Line, 1, "race") },
			func() error {
				return amendment.MoveLine(ctx, db, at, o.Order, amendment.Move{LineID: o.Line, Quantity: 1,
					LocationID: c.MillLane.ID})
			},
			func() error { return pickup.Pick(ctx, db, counter, o.Fulfilment, o.Line, 2) },
			func() error { return pickup.Ready(ctx, db, counter, o.Fulfilment, fmt.Sprint("A", round)) },
			func() error { return pickup.NotFound(ctx, db, counter, o.Fulfilment, o.Line, 1) },
			func() error { return amendment.Cancel(ctx, db, at, o.Order, "race") },
			func() error { return amendment.Hold(ctx, db, at, o.Order, "race") },
			func() error { return amendment.Release(ctx, db, at, o.Order) },
			func() error { return cancellation.Order(ctx, db, origin.Origin{Channel: origin.Web}, o.Order) },
			func() error { return amendment.SetTags(ctx, db, at, o.Order, "race, "+fmt.Sprint(round)) },
			func() error { return pickup.Cancel(ctx, db, there, o.Fulfilment) },
		}
		var racing sync.WaitGroup
		for range 3 {
			for _, i := range rand.Perm(len(acts)) {
				racing.Go(func() {
					if err := acts[i](); err != nil {
						assert.NotNil(t, fault.As(err), "act %d: %v", i, err)
					}
				})
			}
		}
		racing.Wait()
		sound(t, db)
	}
}

// TestAFormSentTwiceCancelsOnce presses the button as often as an impatient finger does, at the same time.
func TestAFormSentTwiceCancelsOnce(t *testing.T) {
	db, c, at := shop(t)
	o := c.Order(t, db, c.Mug, 5, c.HarbourStreet)
	at.Form = "one-form"
	pgtest.AtOnce(6, func(int) {
		assert.NoError(t, amendment.CancelUnits(ctx, db, at, o.Order, o.Line, 1, "ordered one too many"))
	})
	_, cancelled, _ := states(t, db, o.Order)
	require.Equal(t, 1, cancelled)
	at.Form = "another"
	require.NoError(t, amendment.CancelUnits(ctx, db, at, o.Order, o.Line, 1, "and one more"))
	_, cancelled, _ = states(t, db, o.Order)
	require.Equal(t, 2, cancelled, "another form is another wish")
	sound(t, db)
}
