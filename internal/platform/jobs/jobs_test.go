package jobs_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"counterpart/internal/platform/jobs"
	"counterpart/internal/platform/pg/pgtest"
)

type errand struct {
	OrderID int64 `json:"order_id"`
}

func (errand) Kind() string { return "errand" }

func TestAQueuedJobIsTheRowThatRiverWrites(t *testing.T) {
	ctx := context.Background()
	tx := pgtest.Tx(t)

	require.NoError(t, jobs.Insert(ctx, tx, errand{7}))
	batch := &pgx.Batch{}
	require.NoError(t, jobs.Queue(batch, errand{7}))
	require.NoError(t, tx.SendBatch(ctx, batch).Close())

	var kinds, rows int
	require.NoError(t, tx.QueryRow(ctx, `
		SELECT count(DISTINCT to_jsonb(j) - 'id' - 'created_at' - 'scheduled_at'),
			count(*) FILTER (WHERE scheduled_at <= clock_timestamp())
		FROM river_job j
		WHERE kind = 'errand'`).Scan(&kinds, &rows))
	require.Equal(t, []int{1, 2}, []int{kinds, rows})
}
