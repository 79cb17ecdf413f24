package work

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"counterpart/internal/domain/loyalty"
	"counterpart/internal/domain/message"
	"counterpart/internal/domain/message/catcher"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/pg/pgtest"
	"counterpart/internal/proof/sample"
)

// Two warnings go to a member whose points end, and none of points that were spent meanwhile; a year's days are lived
// through by the clock that the job is given.
func TestAMemberIsWarnedTwice(t *testing.T) {
	ctx := context.Background()
	db, _ := pgtest.Database(t)
	c := sample.Load(t, db)
	mails, err := catcher.Start()
	require.NoError(t, err)
	t.Cleanup(func() { _ = mails.Close() })
	tools := Tools{DB: db, BaseURL: "http://localhost", Sender: message.Sender{Host: "127.0.0.1", Port: mails.Port,
		From: "Sample <shop@example.com>"}}
	ada, _ := sample.Account(t, db, "Ada", "ada@example.com")
	_, err = db.Exec(ctx, `
		UPDATE programme SET expiry = 'lot', expiry_months = 1, warn_first = 10, warn_last = 2, grace_days = 14, expiry_since = '2020-01-01'`)
	require.NoError(t, err)
	begin := time.Now()
	require.NoError(t, pg.InTx(ctx, db, func(tx pgx.Tx) error {
		return loyalty.Give(ctx, tx, loyalty.Grant{CustomerID: ada, Points: 250, Cause: "given", AssociateID: c.Bea.ID, Vests: begin})
	}))
	last, err := loyalty.BalanceOf(ctx, db, ada)
	require.NoError(t, err)
	for day := range 40 {
		require.NoError(t, loyalty.Daily(ctx, db, begin.AddDate(0, 0, day)))
	}
	rows, err := db.Query(ctx, `SELECT customer_id, ends_on::text, last FROM points_warning ORDER BY last`)
	require.NoError(t, err)
	warnings, err := pgx.CollectRows(rows, pgx.RowToStructByPos[loyalty.Warning])
	require.NoError(t, err)
	require.Len(t, warnings, 2)
	var queued int
	require.NoError(t, db.QueryRow(ctx, `SELECT count(*) FROM river_job WHERE kind = 'points_warning'`).Scan(&queued))
	require.Equal(t, 2, queued)
	// Its points are over by now: whoever comes late with a warning says nothing.
	require.NoError(t, warnOfPoints(ctx, tools, warnings[0]))
	require.Empty(t, mails.Mails())
	var ended int
	require.NoError(t, db.QueryRow(ctx, `SELECT sum(expired) FROM points_lot`).Scan(&ended))
	require.Equal(t, 250, ended)

	_, err = db.Exec(ctx, `UPDATE points_lot SET remaining = expired, expired = 0, expired_at = NULL; DELETE FROM points_entry WHERE cause = 'expired'`)
	require.NoError(t, err)
	for _, w := range warnings {
		require.NoError(t, warnOfPoints(ctx, tools, w))
	}
	require.Len(t, mails.Mails(), 2)
	day := last.EndsOn.Format("2 January 2006")
	require.Contains(t, mails.Mails()[0].Text, "You can spend 250 points, worth £2.50, up to and including "+day)
	require.Contains(t, mails.Mails()[0].Text, "a visit within 14 days afterwards brings them back")
	require.Contains(t, mails.Mails()[0].Subject, "Last chance: 250 points", "the youngest is first")
	require.NotContains(t, mails.Mails()[1].Subject, "Last chance")
	require.Equal(t, "ada@example.com", mails.Mails()[0].To)
}
