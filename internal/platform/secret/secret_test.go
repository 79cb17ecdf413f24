package secret

import (
	"context"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestCommonPasswordsAreRefused(t *testing.T) {
	for _, common := range []string{"passwordpassword", "Password123456789", "123456789012345", "111111111111111",
		"qwertyuiopasdfghjkl", "P4ssw0rd!P4ssw0rd!", "iloveyouiloveyou", "abcdefghijklmnop", "letmeinletmein1",
		"                    ", "abababababababab", "Summer2026Summer2026"} {
		require.NotEmpty(t, Weak(common), common)
	}
	for _, good := range []string{"a sentence to remember", "the heron stood on Wharf Street",
		"nine mugs and a teapot, blue", "как хорошо в деревне летом", "zsK4-9dmw-Qp71-xx8v"} {
		require.Empty(t, Weak(good), good)
	}
	require.NotEmpty(t, Weak("short"))
}

func TestTheSameLettersAreOnePassword(t *testing.T) {
	ctx := context.Background()
	hash, err := HashPassword(ctx, "caf\u00e9 au lait s'il vous plaît")
	require.NoError(t, err)

	same, err := Matches(ctx, "cafe\u0301 au lait s'il vous plaît", hash)
	require.NoError(t, err)
	require.True(t, same)
	same, err = Matches(ctx, "nobody has this password", "")
	require.NoError(t, err)
	require.False(t, same, "an account that does not exist has no password")
}

func TestCodesAreSixFigures(t *testing.T) {
	for range 100 {
		require.Regexp(t, regexp.MustCompile(`^[0-9]{6}$`), NewCode())
	}
}

// TestWhoIsKnownGoesFirst fills both lanes while both slots are taken: whoever has no room is told at once, and the
// first lane is served first.
func TestWhoIsKnownGoesFirst(t *testing.T) {
	l := lanes{free: 1, room: [2]int{2, 2}}
	require.NoError(t, l.take(context.Background()))
	known := First(context.Background())
	served := make(chan string, 4)
	var wg sync.WaitGroup
	wait := func(ctx context.Context, who string, lane, place int) {
		wg.Go(func() {
			if l.take(ctx) == nil {
				served <- who
				l.leave()
			}
		})
		require.Eventually(t, func() bool {
			l.mu.Lock()
			defer l.mu.Unlock()
			return len(l.waiting[lane]) == place
		}, 10*time.Second, time.Millisecond)
	}
	wait(context.Background(), "stranger", 1, 1)
	wait(context.Background(), "stranger", 1, 2)
	wait(known, "known", 0, 1)
	wait(known, "known", 0, 2)
	require.ErrorIs(t, l.take(context.Background()), ErrBusy)
	require.ErrorIs(t, l.take(known), ErrBusy)
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	l.leave()
	wg.Wait()
	require.Equal(t, []string{"known", "known", "stranger", "stranger"},
		[]string{<-served, <-served, <-served, <-served})
	require.NoError(t, l.take(context.Background()))
	require.ErrorIs(t, l.take(gone), context.Canceled)
	require.Empty(t, l.waiting[1], "whoever left does not wait")
	l.leave()
	require.Equal(t, 1, l.free)
}
