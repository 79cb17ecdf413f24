package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"counterpart/internal/platform/pg/pgtest"
	"counterpart/internal/proof/sample"
)

// TestWhatIsUnderWayIsAnswered sends SIGTERM while a checkout waits for a row that somebody else holds: readiness goes
// off, streams end with a word, and the checkout is answered in full once the row is free.
func TestWhatIsUnderWayIsAnswered(t *testing.T) {
	pool, address := pgtest.Database(t)
	chain := sample.Load(t, pool)
	base, server := start(t, build(t), address)
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	client := &http.Client{Jar: jar, Timeout: 15 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	post := func(path string, form url.Values) *http.Response {
		answer, err := client.PostForm(base+path, form)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		return answer
	}
	post("/stores/harbour-street/choose", nil)
	post("/cart", url.Values{"variant": {fmt.Sprint(chain.Mug)}, "quantity": {"1"}})
	answer, err := client.Get(base + "/checkout")
	require.NoError(t, err)
	page, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	cart, total := cartField.FindSubmatch(page), totalField.FindSubmatch(page)
	require.NotNil(t, cart)
	stream, err := client.Get(base + "/cart/events")
	require.NoError(t, err)
	defer stream.Body.Close()

	held, err := pool.Begin(t.Context())
	require.NoError(t, err)
	_, err = held.Exec(t.Context(), `SELECT FROM stock_level WHERE variant_id = $1 FOR UPDATE`, chain.Mug)
	require.NoError(t, err)
	var buying sync.WaitGroup
	buying.Go(func() {
		answer, err := client.PostForm(base+"/checkout", url.Values{"cart": {string(cart[1])},
			"total": {string(total[1])}, "name": {"Ada"}, "email": {"ada@example.com"}, "pay": {"pay_at_pickup"}})
		if assert.NoError(t, err) {
			assert.Equal(t, http.StatusSeeOther, answer.StatusCode)
			assert.True(t, strings.HasPrefix(answer.Header.Get("Location"), "/orders/"))
			answer.Body.Close()
		}
	})
	waits := `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
	require.Eventually(t, func() bool {
		var n int
		return pool.QueryRow(t.Context(), waits).Scan(&n) == nil && n > 0
	}, 10*time.Second, 5*time.Millisecond, "the checkout waits")

	require.NoError(t, server.Process.Signal(syscall.SIGTERM))
	require.Eventually(t, func() bool {
		answer, err := http.Get(base + "/readyz")
		if err != nil {
			return false
		}
		answer.Body.Close()
		return answer.StatusCode == http.StatusServiceUnavailable
	}, 5*time.Second, 5*time.Millisecond, "readiness goes first, while the door is open")
	require.Eventually(t, func() bool {
		_, err := http.Get(base + "/livez")
		return err != nil
	}, 10*time.Second, 10*time.Millisecond, "then nobody new comes in")
	require.NoError(t, held.Rollback(t.Context()))
	buying.Wait()
	lines := bufio.NewScanner(stream.Body)
	var last string
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "event:") {
			last = lines.Text()
		}
	}
	require.Equal(t, "event: goodbye", last)
	require.NoError(t, server.Wait(), "it stops by itself, and well")
	var orders int
	require.NoError(t, pool.QueryRow(t.Context(), `SELECT count(*) FROM orders`).Scan(&orders))
	require.Equal(t, 1, orders)
}
