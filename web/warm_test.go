package web_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/pg/pgtest"
	"counterpart/internal/proof/sample"
	"counterpart/web"
)

// A shop that is not set up has no pages to plan; one that is keeps what it warmed, and never all of a small pool.
func TestWarmingLeavesConnectionsForPages(t *testing.T) {
	ctx := context.Background()
	db, address := pgtest.Database(t)
	require.NotNil(t, fault.As(web.Warm(ctx, db)))
	sample.Load(t, db)
	config, err := pgxpool.ParseConfig(address)
	require.NoError(t, err)
	config.MaxConns = 3
	pool, err := pgxpool.NewWithConfig(ctx, config)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	require.NoError(t, web.Warm(ctx, pool))
	require.Zero(t, pool.Stat().AcquiredConns())
	require.EqualValues(t, 1, pool.Stat().TotalConns(), "half of three")
}
