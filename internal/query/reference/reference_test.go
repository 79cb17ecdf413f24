package reference_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"counterpart/internal/platform/pg/pgtest"
	"counterpart/internal/proof/sample"
	"counterpart/internal/query/reference"
	"counterpart/internal/query/shop"
)

var ctx = context.Background()

// Two processes, each with a keeper of its own: what one changes, the other shows at its next page.
func TestAChangeShowsOnEveryProcessAtTheNextPage(t *testing.T) {
	db, _ := pgtest.Database(t)
	c := sample.Load(t, db)
	one, other := &reference.Keeper{DB: db}, &reference.Keeper{DB: db}
	visit := func(k *reference.Keeper) *shop.Visit {
		t.Helper()
		v, err := shop.VisitOf(ctx, db, shop.Visitor{StoreCode: c.HarbourStreet.Code, Language: "en", At: time.Now(),
			Reference: k})
		require.NoError(t, err)
		return v
	}
	require.Equal(t, "Harbour Street", visit(one).Store.Name)
	require.Equal(t, "Harbour Street", visit(other).Store.Name)
	for statement, seen := range map[string]func(v *shop.Visit) bool{
		`UPDATE location SET name = 'Quay Street' WHERE code = 'HAR'`: func(v *shop.Visit) bool {
			return v.Store.Name == "Quay Street"
		},
		`UPDATE shop SET name = 'Another shop'`: func(v *shop.Visit) bool { return v.Shop == "Another shop" },
		`UPDATE category_text SET name = 'Everything else' WHERE category_id = (SELECT min(id) FROM category)`: func(v *shop.Visit) bool {
			for _, d := range v.Departments {
				if d.Name == "Everything else" {
					return true
				}
			}
			return false
		},
		`DELETE FROM opening`: func(v *shop.Visit) bool { return len(v.Store.Hours) == 0 },
	} {
		_, err := db.Exec(ctx, statement)
		require.NoError(t, err)
		require.True(t, seen(visit(one)), statement)
		require.True(t, seen(visit(other)), statement)
	}
}

// A page that is read while what it is read with changes is read again, and not more often than somebody waits for.
func TestAPageIsReadAgainWhereItsDataChanged(t *testing.T) {
	db, _ := pgtest.Database(t)
	sample.Load(t, db)
	k := &reference.Keeper{DB: db}
	times := 0
	require.NoError(t, k.Read(ctx, db, func(data *reference.Data) error {
		times++
		if times == 1 {
			_, err := db.Exec(ctx, `UPDATE shop SET name = 'Another shop'`)
			require.NoError(t, err)
		}
		var version int64
		require.NoError(t, db.QueryRow(ctx, `SELECT `+reference.Version).Scan(&version))
		if err := data.Check(version); err != nil {
			return err
		}
		require.Equal(t, "Another shop", data.Shop.Name)
		return nil
	}))
	require.Equal(t, 2, times)
	// Where it changes all the time, a page comes all the same, with what was loaded for it.
	times = 0
	require.NoError(t, k.Read(ctx, db, func(data *reference.Data) error { times++; return data.Check(-1) }))
	require.Equal(t, 3, times)
}

// Orders count what they use of a promotion; that is no change of what every process keeps.
func TestOrdersDoNotChangeTheVersion(t *testing.T) {
	db, _ := pgtest.Database(t)
	sample.Load(t, db)
	version := func() (n int64) {
		require.NoError(t, db.QueryRow(ctx, `SELECT `+reference.Version).Scan(&n))
		return n
	}
	_, err := db.Exec(ctx, `INSERT INTO promotion (title, state, rule) VALUES ('One', 'live', '{}')`)
	require.NoError(t, err)
	before := version()
	_, err = db.Exec(ctx, `UPDATE promotion SET used = used + 1, spent = spent + 1`)
	require.NoError(t, err)
	require.Equal(t, before, version())
	_, err = db.Exec(ctx, `UPDATE promotion SET state = 'paused'`)
	require.NoError(t, err)
	require.Greater(t, version(), before)
}

// A change that is not committed yet holds nobody up: neither another change nor an order that uses a promotion.
func TestAChangeUnderWayHoldsNobodyUp(t *testing.T) {
	db, _ := pgtest.Database(t)
	sample.Load(t, db)
	_, err := db.Exec(ctx,
		`INSERT INTO promotion (title, state, rule) VALUES ('One', 'live', '{}'), ('Two', 'live', '{}')`)
	require.NoError(t, err)
	long, err := db.Begin(ctx)
	require.NoError(t, err)
	defer func() { _ = long.Rollback(ctx) }()
	_, err = long.Exec(ctx,
		`UPDATE category_text SET name = name || '.'; UPDATE promotion SET state = 'paused' WHERE title = 'One'`)
	require.NoError(t, err)
	for _, statement := range []string{`UPDATE promotion SET state = 'paused' WHERE title = 'Two'`,
		`UPDATE promotion SET used = used + 1 WHERE title = 'Two'`, `UPDATE shop SET name = name || '.'`} {
		_, err := db.Exec(ctx, `SET lock_timeout = '500ms'; `+statement)
		require.NoError(t, err, statement)
	}
	require.NoError(t, long.Commit(ctx))
}

// A count that is gone is no count: what would be missed is refused.
func TestAChangeThatCannotBeCountedIsRefused(t *testing.T) {
	db, _ := pgtest.Database(t)
	sample.Load(t, db)
	_, err := db.Exec(ctx, `DELETE FROM reference_version`)
	require.NoError(t, err)
	_, err = db.Exec(ctx, `UPDATE shop SET name = 'Another'`)
	require.ErrorContains(t, err, "reference_version has no row")
}

// What a promotion was used for today and in all is read beside the page, never kept.
func TestAPromotionUsedUpIsNotOpen(t *testing.T) {
	tx := pgtest.Tx(t)
	sample.Load(t, tx)
	_, err := tx.Exec(ctx, `
		INSERT INTO promotion (title, state, rule, max_per_day, max_uses)
		VALUES ('Once a day', 'live', '{}', 1, NULL), ('Once', 'live', '{}', NULL, 1), ('Always', 'live', '{}', NULL, NULL)`)
	require.NoError(t, err)
	data, err := reference.Load(ctx, tx)
	require.NoError(t, err)
	require.Len(t, data.Limited, 2)
	open := func() (titles []string) {
		t.Helper()
		var uses map[int64]reference.Uses
		require.NoError(t, tx.QueryRow(ctx, `SELECT `+reference.LimitedUses,
			pgx.NamedArgs{"limited": data.Limited, "zone": "Europe/London"}).Scan(&uses))
		for _, p := range data.Open(time.Now(), uses) {
			titles = append(titles, p.Title)
		}
		return titles
	}
	require.Equal(t, []string{"Once a day", "Once", "Always"}, open())
	_, err = tx.Exec(ctx, `
		INSERT INTO promotion_counter (promotion_id, key, used)
		SELECT id, 'day:' || (now() AT TIME ZONE 'Europe/London')::date, 1 FROM promotion WHERE title = 'Once a day'`)
	require.NoError(t, err)
	require.Equal(t, []string{"Once", "Always"}, open())
	_, err = tx.Exec(ctx, `UPDATE promotion SET used = 1 WHERE title = 'Once'`)
	require.NoError(t, err)
	require.Equal(t, []string{"Always"}, open())
}
