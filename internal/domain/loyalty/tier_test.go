package loyalty_test

import (
	"math/rand/v2"
	"sync"
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
	"counterpart/internal/proof/sample"
)

func tier(t *testing.T, db *pgxpool.Pool, made loyalty.Tier) int64 {
	t.Helper()
	require.NoError(t, pg.InTx(ctx, db, func(tx pgx.Tx) error { return loyalty.SaveTier(ctx, tx, &made) }))
	return made.ID
}

// stands is a person's tier, as customers have it, and how far the next is.
func stands(t *testing.T, db *pgxpool.Pool, who int64, now time.Time) (title string, gap int64) {
	t.Helper()
	require.NoError(t, loyalty.Stand(ctx, db, []int64{who}, now))
	s, err := loyalty.StandingOf(ctx, db, who)
	require.NoError(t, err)
	require.NotNil(t, s)
	require.NoError(t, db.QueryRow(ctx, `SELECT tier FROM customer WHERE id = $1`, who).Scan(&title))
	require.Equal(t, s.Title, title)
	return title, s.Gap
}

func everybody(t *testing.T, db *pgxpool.Pool) (all []string) {
	t.Helper()
	rows, err := db.Query(ctx, `
		SELECT (s.customer_id, s.tier_id, s.kept_until, s.ends_on, s.granted, s.next_id, s.gap, s.gap_by, c.tier)::text
		FROM standing s
		JOIN customer c ON c.id = s.customer_id AND c.merged_into IS NULL
		ORDER BY s.customer_id`)
	require.NoError(t, err)
	all, err = pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	return all
}

// A tier is reached at once by what was kept in twelve months, is kept for twelve months after the last order that reached
// it and a month of grace, and is lost when what reached it comes back.
func TestTiersAreReachedAndKept(t *testing.T) {
	db, _ := pgtest.Database(t)
	s := sample.Stocked(t, db, 3)
	ada, _ := sample.Account(t, db, "Ada", "ada@example.com")
	tier(t, db, loyalty.Tier{Title: "Silver", Position: 1, Counts: loyalty.BySpend, Threshold: 2500, Currency: "GBP"})
	tier(t, db, loyalty.Tier{Title: "Gold", Position: 2, Counts: loyalty.BySpend, Threshold: 6000, Currency: "GBP", Benefit: "delivery is free"})
	vip := tier(t, db, loyalty.Tier{Title: "Friend of the house", Position: 3, Counts: loyalty.ByGrant})
	now := time.Now()
	at := func(days int) string {
		t.Helper()
		title, _ := stands(t, db, ada, time.Now().AddDate(0, 0, days))
		return title
	}
	s.Buy(t, ada, true, 0)
	title, gap := stands(t, db, ada, time.Now())
	require.Equal(t, "", title)
	require.EqualValues(t, 1500, gap)
	s.Buy(t, ada, true, 0, 1)
	title, gap = stands(t, db, ada, time.Now())
	require.Equal(t, "Silver", title)
	require.EqualValues(t, 3000, gap, "to Gold")
	last := s.Buy(t, ada, true, 0, 1, 2)
	require.Equal(t, "Gold", at(1))
	s.Bring(t, last, rand.New(rand.NewPCG(1, 1)))
	require.Equal(t, "Silver", at(1), "what reached it came back")

	require.Equal(t, "Silver", at(364))
	kept, err := loyalty.StandingOf(ctx, db, ada)
	require.NoError(t, err)
	require.Equal(t, now.AddDate(1, 0, 0).Format(time.DateOnly), kept.KeptUntil.Format(time.DateOnly))
	var warned int
	require.NoError(t, db.QueryRow(ctx, `SELECT count(*) FROM river_job WHERE kind = 'tier_warning'`).Scan(&warned))
	require.Equal(t, 1, warned)
	require.Equal(t, "Silver", at(363), "and is warned once")
	require.NoError(t, db.QueryRow(ctx, `SELECT count(*) FROM river_job WHERE kind = 'tier_warning'`).Scan(&warned))
	require.Equal(t, 1, warned)
	require.Equal(t, "Silver", at(366+20), "in the month of grace")
	require.Equal(t, "", at(366+40))

	// Staff give one, with an end.
	tomorrow := time.Now().AddDate(0, 0, 1)
	require.NoError(t, pg.InTx(ctx, db, func(tx pgx.Tx) error { return loyalty.GrantTier(ctx, tx, ada, vip, s.Bea.ID, &tomorrow) }))
	require.Equal(t, "Friend of the house", at(0))
	require.Equal(t, "Silver", at(3))
	require.NoError(t, pg.InTx(ctx, db, func(tx pgx.Tx) error { return loyalty.GrantTier(ctx, tx, ada, 0, s.Bea.ID, nil) }))
	require.Equal(t, "Silver", at(0))
	require.Error(t, pg.InTx(ctx, db, func(tx pgx.Tx) error { return loyalty.GrantTier(ctx, tx, ada, 999, s.Bea.ID, nil) }))

	// A tier gives the days to return of those below it, at least.
	tier(t, db, loyalty.Tier{Title: "Bronze", Position: 1, Counts: loyalty.BySpend, Threshold: 100, Currency: "GBP", ReturnDays: 40})
	require.Equal(t, "Silver", at(0))
	var days, all int
	require.NoError(t, db.QueryRow(ctx, `SELECT return_days_of($1), return_days + 40 FROM shop`, ada).Scan(&days, &all))
	require.Equal(t, all, days)
	// Whoever was forgotten stands nowhere.
	_, err = db.Exec(ctx, `UPDATE customer SET erased_at = now(), tier = '' WHERE id = $1`, ada)
	require.NoError(t, err)
	_, err = db.Exec(ctx, `DELETE FROM standing`)
	require.NoError(t, err)
	require.NoError(t, loyalty.StandAll(ctx, db, time.Now()))
	require.Empty(t, everybody(t, db))
	_, err = db.Exec(ctx, `UPDATE customer SET erased_at = NULL WHERE id = $1`, ada)
	require.NoError(t, err)

	// One that is gone is held by nobody.
	require.NoError(t, pg.InTx(ctx, db, func(tx pgx.Tx) error {
		all, err := loyalty.Tiers(ctx, tx)
		require.NoError(t, err)
		for _, one := range all {
			if one.Position == 1 {
				if err := loyalty.ArchiveTier(ctx, tx, one.ID); err != nil {
					return err
				}
			}
		}
		return nil
	}))
	require.Equal(t, "", at(0))
	for field, wrong := range map[string]loyalty.Tier{"title": {Position: 1, Counts: loyalty.ByGrant},
		"threshold": {Title: "x", Position: 1, Counts: loyalty.ByPoints}, "counts": {Title: "x", Position: 1, Counts: "luck"},
		"position": {Title: "x", Counts: loyalty.ByGrant},
		"currency": {Title: "x", Position: 1, Counts: loyalty.BySpend, Threshold: 1, Currency: "XXX"}, "twice": {Title: "gold", Position: 1, Counts: loyalty.ByGrant}} {
		require.Error(t, pg.InTx(ctx, db, func(tx pgx.Tx) error { return loyalty.SaveTier(ctx, tx, &wrong) }), field)
	}
	sound(t, db)
}

// Whatever happens, in whatever order: counted person by person as it happens, and counted anew of everybody, is the same.
func TestTiersCountedAnewAreTheSame(t *testing.T) {
	db, _ := pgtest.Database(t)
	s := sample.Stocked(t, db, 4)
	tier(t, db, loyalty.Tier{Title: "Points", Position: 1, Counts: loyalty.ByPoints, Threshold: 30})
	tier(t, db, loyalty.Tier{Title: "Visits", Position: 2, Counts: loyalty.ByVisits, Threshold: 4})
	tier(t, db, loyalty.Tier{Title: "Spend", Position: 3, Counts: loyalty.BySpend, Threshold: 9000, Currency: "GBP"})
	given := tier(t, db, loyalty.Tier{Title: "Given", Position: 4, Counts: loyalty.ByGrant})
	var people []int64
	for _, name := range []string{"one", "two", "three", "four"} {
		id, _ := sample.Account(t, db, name, name+"@example.com")
		people = append(people, id)
	}
	r := rand.New(rand.NewPCG(5, 7))
	now := time.Now()
	var orders []int64
	for range 25 {
		who := people[r.IntN(len(people))]
		switch n := r.IntN(10); {
		case n < 6:
			id := s.Buy(t, who, true, r.Perm(4)[:1+r.IntN(3)]...)
			orders = append(orders, id)
			// It was some time ago.
			_, err := db.Exec(ctx, `UPDATE orders SET placed_at = placed_at - make_interval(days => $2) WHERE id = $1`, id, r.IntN(700))
			require.NoError(t, err)
		case n < 8 && len(orders) > 0:
			s.Bring(t, orders[r.IntN(len(orders))], r)
			who = 0
		default:
			until := now.AddDate(0, 0, r.IntN(60)-30)
			id := given
			if r.IntN(2) == 0 {
				id = 0
			}
			require.NoError(t, pg.InTx(ctx, db, func(tx pgx.Tx) error { return loyalty.GrantTier(ctx, tx, who, id, s.Bea.ID, &until) }))
		}
		if who == 0 {
			require.NoError(t, loyalty.Stand(ctx, db, people, now))
		} else {
			require.NoError(t, loyalty.Stand(ctx, db, []int64{who}, now))
		}
	}
	_, err := person.Merge(ctx, db, origin.Origin{Channel: origin.Counter, AssociateID: s.Bea.ID},
		customer.Merge{SurvivorID: people[0], AbsorbedID: people[1], Proof: customer.ByCode})
	require.NoError(t, err)
	require.NoError(t, loyalty.Stand(ctx, db, people[:1], now))
	require.NoError(t, loyalty.Stand(ctx, db, people[2:], now))
	incremental := everybody(t, db)
	_, err = db.Exec(ctx, `DELETE FROM standing; UPDATE customer SET tier = ''`)
	require.NoError(t, err)
	require.NoError(t, loyalty.StandAll(ctx, db, now))
	anew := everybody(t, db)
	for _, line := range incremental {
		require.Contains(t, anew, line)
	}
	var held int
	require.NoError(t, db.QueryRow(ctx, `SELECT count(DISTINCT tier_id) FROM standing`).Scan(&held))
	require.Positive(t, held)

	// From twenty sides at once, it comes to the same.
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			if i%5 == 0 {
				assert.NoError(t, loyalty.StandAll(ctx, db, now))
				return
			}
			assert.NoError(t, loyalty.Stand(ctx, db, []int64{people[(i*i)%4], people[i%4]}, now))
		})
	}
	all.Wait()
	require.NoError(t, loyalty.StandAll(ctx, db, now))
	for _, line := range incremental {
		require.Contains(t, everybody(t, db), line)
	}
	sound(t, db)
}
