package settings_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"counterpart/internal/domain/editorial"
	"counterpart/internal/domain/location"
	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/staff"
	"counterpart/internal/domain/tax"
	"counterpart/internal/flow/settings"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/merge"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/pg/pgtest"
	"counterpart/internal/proof/audit"
	"counterpart/internal/proof/sample"
)

var ctx = context.Background()

func shop(t *testing.T) (*pgxpool.Pool, origin.Origin) {
	t.Helper()
	db, _ := pgtest.Database(t)
	sample.Load(t, db)
	boss := staff.Associate{Name: "Ida", Email: "ida@example.com", Role: staff.RoleAdmin}
	require.NoError(t, pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error { return staff.Create(ctx, tx, &boss, sample.Password) }))
	t.Cleanup(func() {
		findings, err := audit.Run(ctx, db)
		require.NoError(t, err)
		require.Empty(t, findings)
	})
	return db, origin.Origin{Channel: origin.Counter, AssociateID: boss.ID, Language: "en"}
}

// TestAPageKeepsEveryVersion writes a page again and again, by many at once: each version stays as it was, and what two
// changed at the same time is asked.
func TestAPageKeepsEveryVersion(t *testing.T) {
	db, at := shop(t)
	write := func(id int64, was, mine map[string]string) (int64, error) {
		return settings.SavePage(ctx, db, at, id, editorial.Terms, "en", merge.Edit{Was: was, Mine: mine})
	}
	_, err := write(0, nil, map[string]string{"title": "", "body": ""})
	require.Len(t, fault.As(err).Fields, 3, "title, body, and an address that is made of the title")
	first := map[string]string{"title": "Terms", "body": "Fair ones.", "slug": "", "in_footer": "1"}
	id, err := write(0, nil, first)
	require.NoError(t, err)
	_, err = write(0, nil, first)
	require.NotNil(t, fault.As(err), "there is one of a kind")

	was := map[string]string{"title": "Terms", "body": "Fair ones.", "slug": "terms", "in_footer": "1"}
	var saved, asked atomic.Int64
	pgtest.AtOnce(8, func(i int) {
		_, err := write(id, was, map[string]string{"title": "Terms", "body": fmt.Sprintf("Fairer ones, %d.", i), "slug": "terms",
			"in_footer": "1"})
		switch f := fault.As(err); {
		case err == nil:
			saved.Add(1)
		case f != nil && f.Kind == fault.Conflict && f.Now["body"] != "":
			asked.Add(1)
		default:
			t.Errorf("neither saved nor asked: %v", err)
		}
	})
	require.Equal(t, []int64{1, 7}, []int64{saved.Load(), asked.Load()})
	var versions []editorial.Version
	require.NoError(t, pg.Ask(ctx, db, editorial.VersionsOf(id, "en", &versions)))
	require.Len(t, versions, 2)
	old, err := editorial.VersionByID(ctx, db, versions[1].ID)
	require.NoError(t, err)
	require.Equal(t, "Fair ones.", old.Body)
	_, err = db.Exec(ctx, `SET ROLE counterpart_server; UPDATE page_version SET body = 'Unfair ones.'; RESET ROLE`)
	require.Error(t, err, "the server cannot rewrite what was agreed to")
}

// TestAPlannedTaxRateHoldsFromItsTime plans rates, and applies those whose time has come, once, by many at once.
func TestAPlannedTaxRateHoldsFromItsTime(t *testing.T) {
	db, at := shop(t)
	rate := tax.Rate{Country: "GB", Class: "standard", Name: "VAT 22%", PPM: 220_000}
	require.NotNil(t, fault.As(settings.PlanTaxRate(ctx, db, at, rate, "2020-01-01", time.UTC)), "that day is over")
	require.NotNil(t, fault.As(settings.PlanTaxRate(ctx, db, at, rate, "soon", time.UTC)))
	require.NoError(t, settings.PlanTaxRate(ctx, db, at, rate, "2031-01-01", time.UTC))
	ppm := func() (n int64) {
		require.NoError(t, db.QueryRow(ctx, `SELECT ppm FROM tax_rate WHERE country = 'GB' AND tax_class = 'standard'`).Scan(&n))
		return n
	}
	before := ppm()
	require.NoError(t, tax.ApplyPlans(ctx, db))
	require.Equal(t, before, ppm(), "its time has not come")
	_, err := db.Exec(ctx, `UPDATE tax_plan SET starts_at = now() - interval '1 second'`)
	require.NoError(t, err)
	pgtest.AtOnce(4, func(int) {
		if err := tax.ApplyPlans(ctx, db); err != nil {
			t.Error(err)
		}
	})
	require.EqualValues(t, 220_000, ppm())
	var plans []tax.Planned
	require.NoError(t, pg.Ask(ctx, db, tax.Plans(&plans)))
	require.Empty(t, plans)
}

// TestColoursThatCannotBeReadAreRefused checks contrast, and that links stay where they say.
func TestColoursThatCannotBeReadAreRefused(t *testing.T) {
	good := map[string]string{"text_font": "sans", "display_font": "serif"}
	for field, value := range map[string]string{"accent": "#ffee00", "ink": "#999999", "ground": "#333333", "text_font": "comic",
		"header_links": "Evil | //evil.example", "footer_links": "Evil | javascript:alert(1)"} {
		f := map[string]string{}
		for k, v := range good {
			f[k] = v
		}
		f[field] = value
		var form fault.Form
		location.ReadTheme(f, &form)
		require.Contains(t, fault.As(form.Err()).Fields, field, value)
	}
	for _, address := range []string{"/\t/evil.example/x", `/\evil.example`, "https://", "http://plain.example", "/ x"} {
		var form fault.Form
		f := map[string]string{"text_font": "sans", "display_font": "serif", "header_links": "Journal | " + address}
		location.ReadTheme(f, &form)
		require.Error(t, form.Err(), "%q", address)
	}
	var form fault.Form
	theme := location.ReadTheme(map[string]string{"accent": "#7A1F4B", "text_font": "sans", "display_font": "serif",
		"header_links": "Journal | /pages/journal\nMakers | https://makers.example/all"}, &form)
	require.NoError(t, form.Err())
	require.Equal(t, "7a1f4b", theme.Accent)
	require.Len(t, theme.HeaderLinks, 2)
}
