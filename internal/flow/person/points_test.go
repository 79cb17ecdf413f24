package person_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"counterpart/internal/domain/loyalty"
	"counterpart/internal/domain/origin"
	"counterpart/internal/flow/person"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/pg/pgtest"
	"counterpart/internal/proof/audit"
	"counterpart/internal/proof/sample"
)

// Staff give and take points with a reason, up to a limit in a day; a page that twenty send is done once.
func TestStaffGiveAndTakePoints(t *testing.T) {
	db, _ := pgtest.Database(t)
	c := sample.Load(t, db)
	ada, _ := sample.Account(t, db, "Ada", "ada@example.com")
	at := origin.Origin{Channel: origin.Counter, AssociateID: c.Bea.ID, LocationID: c.HarbourStreet.ID}
	give := func(points int64, form string, manager bool) (int64, error) {
		return person.AdjustPoints(ctx, db, at, person.Adjustment{Person: ada, Points: points, Reason: "their parcel was late", Form: form,
			Manager: manager})
	}
	balance := func() int64 {
		t.Helper()
		b, err := loyalty.BalanceOf(ctx, db, ada)
		require.NoError(t, err)
		return b.Spendable
	}
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			_, err := give(300, "one page", false)
			assert.NoError(t, err)
		})
	}
	all.Wait()
	require.EqualValues(t, 300, balance(), "once")
	_, err := give(201, "another", false)
	require.ErrorContains(t, err, "up to 500 points", "300 were given today")
	_, err = give(5000, "a third", true)
	require.NoError(t, err, "a manager has no limit")
	require.EqualValues(t, 5300, balance())
	taken, err := give(-9000, "a fourth", true)
	require.NoError(t, err)
	require.EqualValues(t, -5300, taken, "nobody has less than none")
	_, err = give(-5, "a fifth", true)
	require.Error(t, err)
	for _, wrong := range []person.Adjustment{{Person: ada, Points: 5}, {Person: ada, Reason: "x"}, {Person: ada, Points: 2_000_000, Reason: "x"},
		{Person: 9999, Points: 5, Reason: "x"}} {
		_, err = person.AdjustPoints(ctx, db, at, wrong)
		require.Error(t, err, wrong)
	}

	// From twenty sides under the limit: together they keep to it.
	_, err = db.Exec(ctx, `UPDATE points_entry SET at = at - interval '2 days'`)
	require.NoError(t, err)
	for i := range 20 {
		all.Go(func() { _, _ = give(100, strings.Repeat("x", i+1), false) })
	}
	all.Wait()
	require.EqualValues(t, 500, balance())
	var logged int
	require.NoError(t, db.QueryRow(ctx, `
		SELECT count(*) FROM audit_entry WHERE action = 'points.adjusted' AND reason = 'their parcel was late'`).Scan(&logged))
	require.Equal(t, 8, logged)
	found, err := audit.Run(ctx, db)
	require.NoError(t, err)
	require.Empty(t, found)
}

// What somebody owes is paid once by what they earn from twenty sides.
func TestDebtIsPaidOnce(t *testing.T) {
	db, _ := pgtest.Database(t)
	s := sample.Stocked(t, db, 1)
	ada, _ := sample.Account(t, db, "Ada", "ada@example.com")
	first := s.Buy(t, ada, true, 0)
	require.NoError(t, pg.InTx(ctx, db, func(tx pgx.Tx) error { return loyalty.Owe(ctx, tx, ada, 1000, first) }))
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			assert.NoError(t, pg.InTx(ctx, db, func(tx pgx.Tx) error { return loyalty.Earn(ctx, tx, ada, 90, first) }))
		})
	}
	all.Wait()
	var owed int
	require.NoError(t, db.QueryRow(ctx, `SELECT points FROM points_debt WHERE customer_id = $1`, ada).Scan(&owed))
	b, err := loyalty.BalanceOf(ctx, db, ada)
	require.NoError(t, err)
	require.Zero(t, owed)
	require.EqualValues(t, 10+20*90-1000, b.Spendable+b.Pending)
	// What staff give pays first, too: nobody owes points and has some to spend.
	require.NoError(t, pg.InTx(ctx, db, func(tx pgx.Tx) error { return loyalty.Owe(ctx, tx, ada, 100, first) }))
	_, err = person.AdjustPoints(ctx, db, s.At, person.Adjustment{Person: ada, Points: 300, Reason: "sorry"})
	require.NoError(t, err)
	require.NoError(t, db.QueryRow(ctx, `SELECT points FROM points_debt WHERE customer_id = $1`, ada).Scan(&owed))
	require.Zero(t, owed)
	b, err = loyalty.BalanceOf(ctx, db, ada)
	require.NoError(t, err)
	require.EqualValues(t, 200, b.Spendable)
	var wrong int
	require.NoError(t, db.QueryRow(ctx, `
		SELECT count(*) FROM points_lot l WHERE remaining <> (SELECT sum(delta) FROM points_entry WHERE lot_id = l.id)`).Scan(&wrong))
	require.Zero(t, wrong)
}
