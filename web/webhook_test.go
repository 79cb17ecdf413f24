package web_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"counterpart/internal/adapter/sandbox"
	"counterpart/internal/adapter/sandbox/sandboxtest"
	"counterpart/internal/flow/settle"
	"counterpart/internal/platform/files"
	"counterpart/internal/platform/live"
	"counterpart/internal/platform/pg/pgtest"
	"counterpart/internal/proof/sample"
	"counterpart/web"
)

// told sends a message as the company would, signed with a secret.
func (s *storm) told(t testing.TB, m sandbox.Message, secret string) (status int) {
	body, err := json.Marshal(m)
	assert.NoError(t, err)
	r, err := http.NewRequest(http.MethodPost, s.url+"/webhooks/sandbox", bytes.NewReader(body))
	assert.NoError(t, err)
	r.Header.Set("Sandbox-Signature", sandbox.Sign(secret, time.Now(), body))
	answer, err := (&http.Client{Transport: transport}).Do(r)
	if !assert.NoError(t, err) {
		return 0
	}
	answer.Body.Close()
	return answer.StatusCode
}

// W1, W2, W4, W5 and W7 as the company sees them: what is forged is refused, what is signed is kept once, however often
// it comes; when it cannot be kept it is refused with a status on which it is sent again.
func TestWebhooksOverHTTP(t *testing.T) {
	s := openInStorm(t)
	kept := func() (n int) {
		require.NoError(t, s.db.QueryRow(ctx, `SELECT count(*) FROM payment_event`).Scan(&n))
		return n
	}
	m := sandbox.Message{ID: "ev_one", Kind: "payment.authorise", Payment: "sb_1"}
	require.Equal(t, http.StatusBadRequest, s.told(t, m, "somebody else's"))
	require.Zero(t, kept())
	pgtest.AtOnce(100, func(int) { assert.Equal(t, http.StatusOK, s.told(t, m, s.company.Secret())) })
	require.Equal(t, 1, kept())
	require.Equal(t, http.StatusOK, s.told(t, sandbox.Message{ID: "ev_two", Kind: "payment.weather_changed",
		Payment: "sb_2"}, s.company.Secret()), "a kind that nobody knows")
	require.Equal(t, 2, kept())

	later := sandbox.Message{ID: "ev_three", Kind: "payment.capture", Payment: "sb_1"}
	s.books.bad("")
	require.GreaterOrEqual(t, s.told(t, later, s.company.Secret()), 500, "it is to be sent again")
	s.books.good()
	require.Eventually(t, func() bool { return s.told(t, later, s.company.Secret()) == http.StatusOK }, 10*time.Second,
		50*time.Millisecond)
	require.Equal(t, 3, kept())

	var took []time.Duration
	var mu sync.Mutex
	n := pgtest.Rounds(200, 5000)
	pgtest.AtOnce(32, func(i int) {
		for k := i; k < n; k += 32 {
			at := time.Now()
			assert.Equal(t, http.StatusOK, s.told(t, sandbox.Message{ID: "ev_burst_" +
				string(rune('a'+i)) + time.Now().String(), Kind: "payment.capture",
				Payment: "sb_1"}, s.company.Secret()))
			mu.Lock()
			took = append(took, time.Since(at))
			mu.Unlock()
		}
	})
	require.Equal(t, 3+n, kept())
	slices.Sort(took)
	t.Logf("a burst of %d: half within %v, 99 %% within %v", n, took[len(took)/2], took[len(took)*99/100])
}

// The company's messages never come, come late, twice or are somebody else's: the order is confirmed once all the same,
// by whoever hears of it first.
func TestUnreliableWebhooks(t *testing.T) {
	direct, address := pgtest.Database(t)
	p := &place{Chain: sample.Load(t, direct), db: direct}
	server := httptest.NewUnstartedServer(nil)
	p.url = "http://" + server.Listener.Addr().String()
	company := sandboxtest.Start(t, address, p.url)
	store, err := files.Open(t.TempDir())
	require.NoError(t, err)
	listening, stop := context.WithCancel(ctx)
	t.Cleanup(stop)
	office := &settle.Payments{DB: pgtest.Server(t, address), Gateway: company.Gateway(), Base: p.url,
		PayAt: company.URL}
	server.Config.Handler = web.Site{DB: pgtest.Server(t, address), Files: store, Live: live.Listen(listening, address),
		BaseURL: p.url, Draining: &atomic.Bool{}, Payments: office}.Handler()
	server.Start()
	t.Cleanup(server.Close)
	for _, fault := range []string{"never", "late", "twice", "forged", ""} {
		v := p.visitor(t)
		form := v.fill(p, p.BlueMug)
		form.Set("pay", "card")
		_, _, page := v.post("/checkout", form)
		if fault != "" {
			company.Plant("webhook", fault, 1)
		}
		company.Pay(page, sandboxtest.Good) // and the browser never comes back
		state := func() (state string) {
			require.NoError(t, direct.QueryRow(ctx,
				`SELECT o.state FROM orders o JOIN payment p ON p.order_id = o.id WHERE p.page = $1`,
				page).Scan(&state))
			return state
		}
		heard := func() bool {
			rows, err := direct.Query(ctx, `SELECT id FROM payment_event WHERE applied_at IS NULL`)
			require.NoError(t, err)
			var id int64
			var ids []int64
			for rows.Next() {
				require.NoError(t, rows.Scan(&id))
				ids = append(ids, id)
			}
			require.NoError(t, rows.Err())
			for _, id := range ids {
				require.NoError(t, office.Event(ctx, id, false))
			}
			return state() == "confirmed"
		}
		switch fault {
		case "never", "forged":
			require.Never(t, heard, 400*time.Millisecond, 50*time.Millisecond, fault)
			_, err := direct.Exec(ctx, `UPDATE payment SET created_at = created_at - interval '1 minute'`)
			require.NoError(t, err)
			require.NoError(t, office.Poll(ctx))
			require.Equal(t, "confirmed", state(), "whoever does not hear asks")
		default:
			require.Eventually(t, heard, 10*time.Second, 50*time.Millisecond, fault)
		}
	}
	var mails, confirmed int
	require.NoError(t, direct.QueryRow(ctx,
		`SELECT count(*), count(DISTINCT args ->> 'order_id') FROM river_job WHERE kind = 'order_mail' AND args ->> 'mail' = 'confirmed'`).Scan(&mails, &confirmed))
	require.Equal(t, []int{5, 5}, []int{mails, confirmed}, "each order is confirmed once")
	p.sound(t)
}
