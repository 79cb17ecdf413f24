package limit

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"counterpart/internal/fault"
	"counterpart/internal/pg/pgtest"
)

func TestNobodyGetsOneTryMore(t *testing.T) {
	ctx := context.Background()
	pool, _ := pgtest.Database(t)
	rule := Rule{Max: 5, Window: time.Hour}

	var allowed atomic.Int32
	var wg sync.WaitGroup
	for range 40 {
		wg.Go(func() {
			if err := Take(ctx, pool, "code", rule); err == nil {
				allowed.Add(1)
			} else {
				require.True(t, fault.Is(err, fault.TooMany))
			}
		})
	}
	wg.Wait()

	require.Equal(t, int32(5), allowed.Load())
	require.Error(t, Check(ctx, pool, "code", rule))
	require.NoError(t, GiveBack(ctx, pool, "code"))
	require.NoError(t, Check(ctx, pool, "code", rule))
	require.NoError(t, Take(ctx, pool, "code", rule))
	require.NoError(t, Take(ctx, pool, "another", rule))
	_, err := pool.Exec(ctx, `UPDATE try SET expires_at = now() - interval '1 second'`)
	require.NoError(t, err)
	require.NoError(t, Take(ctx, pool, "code", rule), "a window that is over begins anew")
}
