package live

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/pg/pgtest"
)

func woken(t *testing.T, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(10 * time.Second):
		require.Fail(t, "nobody said anything")
	}
}

func TestPagesAreToldAgainAfterTheConnectionWasCut(t *testing.T) {
	pool, address := pgtest.Database(t)
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	hub := Listen(ctx, address)
	mine, leave := hub.Subscribe(Queue(1))
	defer leave()
	other, leaveToo := hub.Subscribe(Queue(2))
	defer leaveToo()
	woken(t, mine) // it listens
	woken(t, other)

	notify := func() {
		require.NoError(t, pg.InTx(ctx, pool, func(tx pgx.Tx) error { return Notify(ctx, tx, Queue(1)) }))
	}
	notify()
	woken(t, mine)
	require.Empty(t, other)

	_, err := pool.Exec(ctx,
		`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = current_database()`)
	require.NoError(t, err)
	woken(t, mine) // told to look again, because something may have been missed
	woken(t, other)
	notify()
	woken(t, mine)
}
