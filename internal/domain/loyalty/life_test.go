package loyalty_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/loyalty"
	"counterpart/internal/domain/origin"
	"counterpart/internal/flow/person"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/pg/pgtest"
	"counterpart/internal/proof/audit"
	"counterpart/internal/proof/sample"
)

func programme(t *testing.T, db *pgxpool.Pool, change func(p *loyalty.Programme)) {
	t.Helper()
	p, err := loyalty.ReadProgramme(ctx, db)
	require.NoError(t, err)
	change(&p)
	require.NoError(t, pg.InTx(ctx, db, func(tx pgx.Tx) error { return loyalty.SaveProgramme(ctx, tx, p) }))
}

func sound(t *testing.T, db *pgxpool.Pool) {
	t.Helper()
	found, err := audit.Run(ctx, db)
	require.NoError(t, err)
	require.Empty(t, found)
}

// lot is what a lot should be.
type lot struct {
	left  int64
	last  time.Time // day
	ended time.Time
	gone  int64 // that ended
}

// Three years of a simulated calendar, day by day, with a leap day and daylight saving: points are given, spent, end a year
// after they could be spent, and are brought back by a visit within the time of grace. A model of lots in a list comes to
// the same each day.
func TestYearsOfPoints(t *testing.T) {
	db, _ := pgtest.Database(t)
	c := sample.Load(t, db)
	ada, _ := sample.Account(t, db, "Ada", "ada@example.com")
	other, _ := sample.Account(t, db, "Ada too", "ada.too@example.com")
	programme(t, db, func(p *loyalty.Programme) { p.Expiry, p.ExpiryMonths, p.GraceDays = loyalty.ExpireLot, 12, 20 })
	london, err := time.LoadLocation("Europe/London")
	require.NoError(t, err)
	begin := time.Date(2027, 2, 20, 0, 0, 0, 0, london)
	_, err = db.Exec(ctx, `UPDATE programme SET expiry_since = $1`, begin)
	require.NoError(t, err)

	r := rand.New(rand.NewPCG(19, 29))
	var model []lot
	days, warned, merged := 3*366, 0, false
	if testing.Short() {
		days = 420
	}
	for day := range days {
		today := begin.AddDate(0, 0, day)
		now := today.Add(30 * time.Minute) // half past midnight, where the shop is
		require.NoError(t, loyalty.Daily(ctx, db, now))
		for i := range model {
			if l := &model[i]; l.left > 0 && l.last.Before(today) {
				l.gone, l.ended, l.left = l.left, now, 0
			}
		}
		now = today.Add(time.Duration(10+r.IntN(10)) * time.Hour)
		who := ada
		if merged && r.IntN(2) == 0 {
			who = other // It is hers as well now.
		}
		switch r.IntN(14) {
		case 0, 1:
			points := int64(1 + r.IntN(300))
			require.NoError(t, pg.InTx(ctx, db, func(tx pgx.Tx) error {
				return loyalty.Give(ctx, tx, loyalty.Grant{CustomerID: who, Points: points, Cause: "given", AssociateID: c.Bea.ID,
					Vests: now, At: now})
			}))
			model = append(model, lot{left: points, last: yearLater(today)})
		case 2:
			have := int64(0)
			for _, l := range model {
				have += l.left
			}
			points := -int64(r.IntN(200))
			var taken int64
			require.NoError(t, pg.InTx(ctx, db, func(tx pgx.Tx) (err error) {
				taken, err = loyalty.Adjust(ctx, tx, loyalty.Grant{CustomerID: ada, Points: points, AssociateID: c.Bea.ID})
				return err
			}))
			require.Equal(t, -min(have, -points), taken)
			for i, rest := 0, -taken; rest > 0; i++ {
				part := min(rest, model[i].left)
				model[i].left, rest = model[i].left-part, rest-part
			}
		case 3:
			back := int64(0)
			for i := range model {
				if l := &model[i]; l.gone > 0 && l.ended.After(now.AddDate(0, 0, -20)) {
					back, l.gone = back+l.gone, 0
				}
			}
			require.NoError(t, pg.InTx(ctx, db, func(tx pgx.Tx) error {
				points, err := loyalty.Revive(ctx, tx, ada, now)
				require.Equal(t, back, points)
				return err
			}))
			if back > 0 {
				model = append(model, lot{left: back, last: yearLater(today)})
			}
		}
		if day == days/3 {
			_, err := person.Merge(ctx, db, origin.Origin{Channel: origin.Counter, AssociateID: c.Bea.ID},
				customer.Merge{SurvivorID: ada, AbsorbedID: other, Proof: customer.ByCode})
			require.NoError(t, err)
			merged = true
		}
		var want, ending int64
		var first time.Time
		for _, l := range model {
			want += l.left
			if l.left > 0 && (first.IsZero() || l.last.Before(first)) {
				first, ending = l.last, 0
			}
			if l.left > 0 && l.last.Equal(first) {
				ending += l.left
			}
		}
		b, err := loyalty.BalanceOf(ctx, db, ada)
		require.NoError(t, err)
		require.Equal(t, []int64{want, ending}, []int64{b.Spendable + b.Pending, b.Ending}, "day %s", today.Format(time.DateOnly))
		if !first.IsZero() {
			require.Equal(t, first.Format(time.DateOnly), b.EndsOn.Format(time.DateOnly))
		}
	}
	require.NoError(t, db.QueryRow(ctx, `SELECT count(*) FROM points_warning`).Scan(&warned))
	require.Greater(t, warned, 10)
	var twice int
	require.NoError(t, db.QueryRow(ctx, `
		SELECT count(*) FROM (SELECT ends_on FROM points_warning GROUP BY ends_on HAVING count(*) > 2) more`).Scan(&twice))
	require.Zero(t, twice)
	sound(t, db)
}

// yearLater is the same day a year later; of a leap day the 28th.
func yearLater(day time.Time) time.Time {
	if day.Month() == time.February && day.Day() == 29 {
		day = day.AddDate(0, 0, -1)
	}
	return day.AddDate(1, 0, 0)
}

// What somebody does keeps all of their points alive, where the rule is inactivity.
func TestPointsOfWhoeverIsActive(t *testing.T) {
	db, _ := pgtest.Database(t)
	s := sample.Stocked(t, db, 2)
	ada, _ := sample.Account(t, db, "Ada", "ada@example.com")
	bob, _ := sample.Account(t, db, "Bob", "bob@example.com")
	programme(t, db, func(p *loyalty.Programme) { p.Expiry, p.ExpiryMonths = loyalty.ExpireInactivity, 6 })
	_, err := db.Exec(ctx, `UPDATE programme SET expiry_since = '2020-01-01'`)
	require.NoError(t, err)
	long := time.Now().AddDate(-1, 0, 0)
	for _, who := range []int64{ada, bob} {
		require.NoError(t, pg.InTx(ctx, db, func(tx pgx.Tx) error {
			return loyalty.Give(ctx, tx, loyalty.Grant{CustomerID: who, Points: 500, Cause: "given", AssociateID: s.Bea.ID, Vests: long, At: long})
		}))
	}
	s.Buy(t, ada, true, 0)
	require.NoError(t, loyalty.Daily(ctx, db, time.Now()))
	hers, err := loyalty.BalanceOf(ctx, db, ada)
	require.NoError(t, err)
	his, err := loyalty.BalanceOf(ctx, db, bob)
	require.NoError(t, err)
	require.EqualValues(t, 500, hers.Spendable)
	require.Zero(t, his.Spendable)
	// He comes back within the time of grace, and buys.
	s.Buy(t, bob, true, 1)
	his, err = loyalty.BalanceOf(ctx, db, bob)
	require.NoError(t, err)
	require.EqualValues(t, 500, his.Spendable)
	sound(t, db)
}

// A new rule takes nothing away before a whole period of it is over; a longer one begins nothing anew.
func TestANewRuleBeginsToday(t *testing.T) {
	db, _ := pgtest.Database(t)
	c := sample.Load(t, db)
	ada, _ := sample.Account(t, db, "Ada", "ada@example.com")
	long := time.Now().AddDate(-5, 0, 0)
	require.NoError(t, pg.InTx(ctx, db, func(tx pgx.Tx) error {
		return loyalty.Give(ctx, tx, loyalty.Grant{CustomerID: ada, Points: 500, Cause: "given", AssociateID: c.Bea.ID, Vests: long, At: long})
	}))
	at := func(change func(p *loyalty.Programme)) string {
		t.Helper()
		programme(t, db, change)
		b, err := loyalty.BalanceOf(ctx, db, ada)
		require.NoError(t, err)
		if b.EndsOn == nil {
			return ""
		}
		return b.EndsOn.Format(time.DateOnly)
	}
	in := func(months int) (day string) {
		require.NoError(t, db.QueryRow(ctx, `
			SELECT ((now() AT TIME ZONE 'Europe/London')::date + make_interval(months => $1))::date::text`, months).Scan(&day))
		return day
	}
	require.Equal(t, "", at(func(p *loyalty.Programme) {}))
	require.Equal(t, in(24), at(func(p *loyalty.Programme) { p.Expiry = loyalty.ExpireLot }))
	_, err := db.Exec(ctx, `UPDATE programme SET expiry_since = expiry_since - 100`)
	require.NoError(t, err)
	require.NotEqual(t, in(36), at(func(p *loyalty.Programme) { p.ExpiryMonths = 36 }), "it counts from when the rule began")
	require.Equal(t, in(12), at(func(p *loyalty.Programme) { p.ExpiryMonths = 12 }), "a shorter one begins today")
	require.Equal(t, "", at(func(p *loyalty.Programme) { p.Expiry = loyalty.ExpireNever }))

	p, err := loyalty.ReadProgramme(ctx, db)
	require.NoError(t, err)
	for field, wrong := range map[string]func(p *loyalty.Programme){
		"expiry_months": func(p *loyalty.Programme) { p.ExpiryMonths = 0 }, "warn_last": func(p *loyalty.Programme) { p.WarnLast = p.WarnFirst },
		"grace_days": func(p *loyalty.Programme) { p.GraceDays = 366 }, "debt": func(p *loyalty.Programme) { p.Debt = "" },
		"adjust_limit": func(p *loyalty.Programme) { p.AdjustLimit = -1 }, "vesting": func(p *loyalty.Programme) { p.Vesting = "soon" },
		"expiry": func(p *loyalty.Programme) { p.Expiry = "soon" }, "warn_first": func(p *loyalty.Programme) { p.WarnFirst = 91 }} {
		bad := p
		wrong(&bad)
		require.Error(t, pg.InTx(ctx, db, func(tx pgx.Tx) error { return loyalty.SaveProgramme(ctx, tx, bad) }), field)
	}
}

// Twenty who bring one person's points back, and spend them, at once: they come back once, and are spent once.
func TestPointsComeBackOnce(t *testing.T) {
	db, _ := pgtest.Database(t)
	c := sample.Load(t, db)
	order := c.Order(t, db, c.Mug, 1, c.HarbourStreet)
	ada, _ := sample.Account(t, db, "Ada", "ada.two@example.com")
	programme(t, db, func(p *loyalty.Programme) { p.Expiry = loyalty.ExpireLot })
	_, err := db.Exec(ctx, `UPDATE programme SET expiry_since = '2015-01-01'`)
	require.NoError(t, err)
	for round := range pgtest.Rounds(3, 20) {
		long := time.Now().AddDate(-5, 0, round)
		require.NoError(t, pg.InTx(ctx, db, func(tx pgx.Tx) error {
			return loyalty.Give(ctx, tx, loyalty.Grant{CustomerID: ada, Points: 300, Cause: "given", AssociateID: c.Bea.ID, Vests: long, At: long})
		}))
		_, err = db.Exec(ctx, `UPDATE programme SET swept_on = NULL`)
		require.NoError(t, err)
		var all sync.WaitGroup
		var back, spent atomic.Int64
		for i := range 20 {
			all.Go(func() {
				if i%4 == 0 {
					assert.NoError(t, loyalty.Daily(ctx, db, time.Now()))
				}
				assert.NoError(t, pg.InTx(ctx, db, func(tx pgx.Tx) error {
					if _, err := tx.Exec(ctx, `SELECT FROM customer WHERE id = $1 FOR UPDATE`, ada); err != nil {
						return err
					}
					points, err := loyalty.Revive(ctx, tx, ada, time.Now())
					back.Add(points)
					if err != nil {
						return err
					}
					if i%2 == 0 {
						return nil
					}
					taken, err := loyalty.Adjust(ctx, tx, loyalty.Grant{CustomerID: ada, Points: -300, AssociateID: c.Bea.ID})
					spent.Add(-taken)
					return err
				}))
			})
		}
		all.Wait()
		require.LessOrEqual(t, back.Load(), int64(300))
		b, err := loyalty.BalanceOf(ctx, db, ada)
		require.NoError(t, err)
		require.EqualValues(t, 300, spent.Load()+b.Spendable, fmt.Sprint("round ", round))
		require.NoError(t, pg.InTx(ctx, db, func(tx pgx.Tx) error {
			_, err := loyalty.Adjust(ctx, tx, loyalty.Grant{CustomerID: ada, Points: -300, AssociateID: c.Bea.ID})
			return err
		}))
	}
	require.NotZero(t, order.Order)
	sound(t, db)
}
