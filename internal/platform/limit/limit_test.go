package limit

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/pg/pgtest"
)

func TestRateLimitHoldsUnderConcurrency(t *testing.T) {
	ctx := context.Background()
	pool, _ := pgtest.Database(t)
	rule := Rule{Max: 5, Window: time.Hour}

	var allowed atomic.Int32
	var wg sync.WaitGroup
	for range 40 {
		wg.Go(func() {
			if err := Attempt(ctx, pool, "code", rule); err == nil {
				allowed.Add(1)
			} else {
				require.True(t, fault.Is(err, fault.TooMany))
			}
		})
	}
	wg.Wait()

	require.Equal(t, int32(5), allowed.Load())
	require.Error(t, Check(ctx, pool, "code", rule))
	require.NoError(t, Return(ctx, pool, "code"))
	require.NoError(t, Check(ctx, pool, "code", rule))
	require.NoError(t, Attempt(ctx, pool, "code", rule))
	require.NoError(t, Attempt(ctx, pool, "another", rule))
	_, err := pool.Exec(ctx, `UPDATE try SET expires_at = now() - interval '1 second'`)
	require.NoError(t, err)
	require.NoError(t, Attempt(ctx, pool, "code", rule), "a window that is over begins anew")
}

// TestStrangersDoNotLockAnAccountThatKnowsThePlace uses up every try that strangers have, and finds the owner's own
// untouched.
func TestStrangersDoNotLockAnAccountThatKnowsThePlace(t *testing.T) {
	ctx := context.Background()
	pool, _ := pgtest.Database(t)
	at := func(network, device string) Place {
		return Place{Account: "shopper:ada", Network: network, Devices: []string{device}, Here: Rule{3, time.Hour},
			Address: Rule{5, time.Hour}, Everyone: Rule{8, time.Hour}}
	}
	require.NoError(t, at("home", "phone").Proven(ctx, pool))

	spent := 0
	for i := range 20 {
		known, err := at([]string{"a", "b", "c", "d"}[i%4], "").Try(ctx, pool)
		require.False(t, known)
		if fault.Is(err, fault.TooMany) {
			spent++
		}
	}
	require.Equal(t, 12, spent, "eight from everywhere together")
	for _, mine := range []Place{at("home", ""), at("a", "phone")} {
		known, err := mine.Try(ctx, pool)
		require.NoError(t, err)
		require.True(t, known)
	}
	for range 3 {
		_, err := at("home", "").Try(ctx, pool)
		if err != nil {
			require.True(t, fault.Is(err, fault.TooMany), "a known place has its own tries, and no more")
		}
	}
	_, err := at("home", "").Try(ctx, pool)
	require.True(t, fault.Is(err, fault.TooMany))
	_, err = pool.Exec(ctx, `UPDATE known_place SET seen_at = now() - interval '91 days'`)
	require.NoError(t, err)
	require.NoError(t, Sweep(ctx, pool))
	known, err := Known(ctx, pool, "shopper:ada", "home")
	require.NoError(t, err)
	require.Empty(t, known, "a place is forgotten")
}
