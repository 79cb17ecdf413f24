package web_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"counterpart/internal/adapter/sandbox/sandboxtest"
	"counterpart/internal/domain/inventory"
	"counterpart/internal/flow/settle"
	"counterpart/internal/platform/pg/pgtest"
	"counterpart/internal/proof/sample"
)

// moment is when the server dies, with kill -9, on the way of an order's money. It is known by what the server says to
// the database or to the payment company, so that the server itself has no hooks for it.
type moment struct {
	name string
	step string // of the shopper or the associate, during which it is
	// In the database: a statement in whose transaction the commit is caught. Of the company: the end of a path.
	statement, call string
	after           bool // it was done, and the answer is lost
}

var moments = []moment{
	{"the order is written, not committed", "order", "INSERT INTO orders", "", false},
	{"the order is committed, nobody heard", "order", "INSERT INTO orders", "", true},
	{"committed, the company not called", "order", "", "/v1/payments", false},
	{"the company called, its answer lost", "order", "", "/v1/payments", true},
	{"its answer heard, not written", "order", "SET reference = $2, page = $3", "", false},
	{"paid, settling, not committed", "pay", "SET state = $2, declined = $3", "", false},
	{"paid and settled, nobody heard", "pay", "SET state = $2, declined = $3", "", true},
	{"a message received, not committed", "message", "INSERT INTO payment_event", "", false},
	{"captured, its answer lost", "collect", "", "/capture", true},
	{"given back, its answer lost", "return", "", "/refunds", true},
}

// mortal is a shop whose server is a process that can be killed, between relays that know when.
type mortal struct {
	*place
	company *sandboxtest.Company
	office  *settle.Payments
	env     []string
	mu      sync.Mutex
	server  *exec.Cmd
	armed   *moment
	died    chan struct{}
}

func openMortal(t *testing.T) *mortal {
	t.Helper()
	direct, address := pgtest.Database(t)
	m := &mortal{place: &place{Chain: sample.Load(t, direct), db: direct}, died: make(chan struct{}, 1)}
	require.NoError(t, pgx.BeginFunc(ctx, direct, func(tx pgx.Tx) error {
		return inventory.Receive(ctx, tx, []inventory.Move{{VariantID: m.Mug, LocationID: m.HarbourStreet.ID,
			Delta: 1000}}, inventory.Reason{Channel: "api"})
	}))
	own := free(t)
	m.url = "http://" + own
	m.company = sandboxtest.Start(t, address, m.url)
	m.office = &settle.Payments{DB: direct, Gateway: m.company.Gateway()}
	config := direct.Config().ConnConfig
	m.env = append(os.Environ(), "COUNTERPART_ADDR="+own, "COUNTERPART_DATA="+t.TempDir(),
		"COUNTERPART_PAYMENTS=sandbox",
		"DATABASE_URL="+fmt.Sprintf("postgres://%s@%s/%s?sslmode=disable", config.User, m.books(t, config),
			config.Database),
		"COUNTERPART_SANDBOX_URL="+m.calls(t), "COUNTERPART_SANDBOX_KEY="+m.company.Key(), "COUNTERPART_SANDBOX_SECRET="+m.company.Secret())
	m.start(t)
	t.Cleanup(m.kill)
	return m
}

func free(t testing.TB) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	return listener.Addr().String()
}

func (m *mortal) start(t testing.TB) {
	t.Helper()
	server := exec.Command(sandboxtest.Binary(t), "serve")
	server.Env, server.Stderr = m.env, io.Discard
	require.NoError(t, server.Start())
	m.mu.Lock()
	m.server = server
	m.mu.Unlock()
	require.Eventually(t, func() bool {
		answer, err := http.Get(m.url + "/readyz")
		if err != nil {
			return false
		}
		answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	}, 30*time.Second, 20*time.Millisecond)
}

func (m *mortal) kill() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.server != nil {
		_ = m.server.Process.Kill()
		_ = m.server.Wait()
		m.server = nil
	}
}

func (m *mortal) arm(at moment) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.armed = &at
}

// dies kills the server if this is the moment.
func (m *mortal) dies(is func(moment) bool) bool {
	m.mu.Lock()
	if m.armed == nil || !is(*m.armed) {
		m.mu.Unlock()
		return false
	}
	m.armed = nil
	m.mu.Unlock()
	m.kill()
	m.died <- struct{}{}
	return true
}

// waiting is the moment that is armed.
func (m *mortal) waiting() (at moment, armed bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.armed == nil {
		return moment{}, false
	}
	return *m.armed, true
}

// calls is the way to the payment company.
func (m *mortal) calls(t testing.TB) string {
	to, err := url.Parse(m.company.URL)
	require.NoError(t, err)
	is := func(r *http.Request, after bool) bool {
		return m.dies(func(at moment) bool {
			return at.call != "" && at.after == after && r.Method == http.MethodPost &&
				strings.HasSuffix(r.URL.Path, at.call)
		})
	}
	proxy := httputil.NewSingleHostReverseProxy(to)
	proxy.ModifyResponse = func(answer *http.Response) error {
		if is(answer.Request, true) {
			return io.ErrUnexpectedEOF
		}
		return nil
	}
	proxy.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) }
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !is(r, false) {
			proxy.ServeHTTP(w, r)
		}
	})}
	go server.Serve(listener) // It ends with Close.
	t.Cleanup(func() { server.Close() })
	return "http://" + listener.Addr().String()
}

// books is the way to the database: it reads along what the server says, message by message.
func (m *mortal) books(t testing.TB, config *pgx.ConnConfig) (address string) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { listener.Close() })
	network, to := pgconn.NetworkAddress(config.Host, config.Port)
	go func() {
		for {
			in, err := listener.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial(network, to)
			if err != nil {
				in.Close()
				continue
			}
			committed := make(chan struct{}, 1)
			go func() { m.listen(in, out, committed); in.Close(); out.Close() }()
			go func() { m.answer(in, out, committed); in.Close(); out.Close() }()
		}
	}()
	return listener.Addr().String()
}

// listen passes on what the server says. In a transaction with the statement of the moment it catches the commit.
func (m *mortal) listen(in, out net.Conn, committed chan<- struct{}) {
	within := false
	for first := true; ; first = false {
		head := make([]byte, 5)
		if first {
			head = head[:4] // the message that opens a connection has no kind
		}
		if _, err := io.ReadFull(in, head); err != nil {
			return
		}
		size := binary.BigEndian.Uint32(head[len(head)-4:])
		body := make([]byte, size-4)
		if _, err := io.ReadFull(in, body); err != nil {
			return
		}
		at, armed := m.waiting()
		if armed && at.statement != "" && !first {
			if head[0] == 'P' && bytes.Contains(body, []byte(at.statement)) {
				within = true
			}
			// What is one statement on its own commits by itself: then it dies with it.
			ends := head[0] == 'Q' && strings.EqualFold(strings.Trim(string(body), "\x00; "), "commit") || within &&
				at.statement == "SET reference = $2, page = $3"
			if within && ends {
				if !at.after {
					m.dies(func(moment) bool { return true })
					return
				}
				committed <- struct{}{}
			}
		}
		if _, err := out.Write(append(head, body...)); err != nil {
			return
		}
	}
}

// answer passes on what the database says; the server does not live to hear of the commit.
func (m *mortal) answer(in, out net.Conn, committed <-chan struct{}) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := out.Read(buffer)
		if n > 0 {
			select {
			case <-committed:
				m.dies(func(moment) bool { return true })
				return
			default:
			}
			if _, err := in.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// patient is a person who sends a form again when nothing came back.
func (m *mortal) patient(t testing.TB, do func() (*http.Response, error)) (status int, to string) {
	t.Helper()
	for range 3 {
		answer, err := do()
		if err == nil {
			answer.Body.Close()
		}
		if err == nil && answer.StatusCode < 500 {
			return answer.StatusCode, answer.Header.Get("Location")
		}
		select {
		case <-m.died:
			m.start(t)
		case <-time.After(2 * time.Second):
		}
	}
	require.Fail(t, "nothing came back")
	return 0, ""
}

func (m *mortal) person(t testing.TB) *visitor {
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return &visitor{t, m.url, &http.Client{Jar: jar, Transport: &http.Transport{DisableKeepAlives: true},
		Timeout: 20 * time.Second, CheckRedirect: func(*http.Request,
			[]*http.Request) error {
			return http.ErrUseLastResponse
		}}}
}

// live is one order from the cart to the shelf, with the server dying once on the way.
func (m *mortal) live(t *testing.T, at moment) {
	v := m.person(t)
	form := v.fill(m.place, m.Mug)
	form.Set("pay", "card")
	during := func(step string) {
		if at.step == step {
			m.arm(at)
		}
	}
	died := func() {
		t.Helper()
		select {
		case <-m.died:
			m.start(t)
		case <-time.After(20 * time.Second):
			require.Fail(t, "it did not die")
		}
	}
	during("order")
	status, to := m.patient(t, func() (*http.Response, error) { return v.client.PostForm(m.url+"/checkout", form) })
	require.Equal(t, http.StatusSeeOther, status)
	if strings.HasPrefix(to, "/orders/") {
		link, _, _ := strings.Cut(to, "?")
		status, to = m.patient(t, func() (*http.Response, error) { return v.client.PostForm(m.url+link+"/pay", nil) })
		require.Equal(t, http.StatusSeeOther, status)
	}
	require.Contains(t, to, m.company.URL)
	var orderID, part int64
	var link string
	require.NoError(t, m.db.QueryRow(ctx,
		`SELECT o.id, o.public_id, f.id FROM orders o JOIN payment p ON p.order_id = o.id JOIN fulfilment f ON f.order_id = o.id WHERE p.page = $1`, to).
		Scan(&orderID, &link, &part))
	during("pay")
	during("message")
	m.company.Pay(to, sandboxtest.Good)
	if at.step == "message" {
		died()
	}
	status, _ = m.patient(t, func() (*http.Response, error) {
		return v.client.Get(m.url + "/orders/" + link +
			"/paid")
	})
	require.Equal(t, http.StatusSeeOther, status)
	state := func(query string) (s string) {
		require.NoError(t, m.db.QueryRow(ctx, query, orderID).Scan(&s))
		return s
	}
	require.Equal(t, "confirmed", state(`SELECT state FROM orders WHERE id = $1`))

	bea := m.person(t)
	bea.signIn(m.Bea.Email)
	_, err := m.db.Exec(ctx, `UPDATE location SET takes_returns = true`)
	require.NoError(t, err)
	status, _, _ = bea.post(fmt.Sprintf("/counter/pickups/%d/ready", part), url.Values{"place": {"A1"}})
	require.Equal(t, http.StatusSeeOther, status)
	during("collect")
	status, _, _ = bea.post(fmt.Sprintf("/counter/pickups/%d/handover", part),
		url.Values{"code": {state(`SELECT code FROM fulfilment WHERE order_id = $1`)}})
	require.Equal(t, http.StatusSeeOther, status)
	if at.step == "collect" {
		died()
	}
	require.Eventually(t, func() bool { return state(`SELECT payment_state FROM orders WHERE id = $1`) == "paid" },
		100*time.Second, 50*time.Millisecond)

	during("return")
	if at.step == "return" {
		status, _, _ = bea.post(fmt.Sprintf("/counter/orders/%d/return", orderID),
			url.Values{"form": {fmt.Sprintf("%026d", orderID)}, "confirm": {"1"},
				fmt.Sprintf("quantity-%d", m.line(t, orderID)): {"1"}, fmt.Sprintf("reason-%d",
					m.line(t, orderID)): {"other"}, fmt.Sprintf("grade-%d", m.line(t, orderID)): {"sellable"}})
		require.Equal(t, http.StatusSeeOther, status)
		died()
		require.Eventually(t, func() bool {
			return state(`SELECT string_agg(r.state, ' ') FROM refund r JOIN tender t ON t.id = r.tender_id WHERE t.order_id = $1`) == "done"
		}, 100*time.Second, 50*time.Millisecond)
	}
	_, armed := m.waiting()
	require.False(t, armed, "it died on the way")
}

func (m *mortal) line(t testing.TB, orderID int64) (id int64) {
	require.NoError(t, m.db.QueryRow(ctx, `SELECT id FROM order_line WHERE order_id = $1`, orderID).Scan(&id))
	return id
}

// Whenever the server is killed, an order is paid once or not at all, and whoever sends their form again gets where
// they were going.
func TestCrashAtEveryStep(t *testing.T) {
	each := pgtest.Rounds(1, 25)
	for _, at := range moments {
		t.Run(at.name, func(t *testing.T) {
			t.Parallel()
			m := openMortal(t)
			for range each {
				m.live(t, at)
			}
			m.kill()
			require.NoError(t, m.office.Reconcile(ctx))
			var stray int
			require.NoError(t, m.db.QueryRow(ctx, `
				SELECT count(*)
				FROM sandbox.payment s
				FULL JOIN (
					SELECT p.reference, p.amount, coalesce(t.captured, 0) AS captured, coalesce(t.refunded,
						0) AS refunded
					FROM payment p
					LEFT JOIN tender t ON t.payment_id = p.id
					WHERE p.reference IS NOT NULL) p ON p.reference = s.id
				WHERE (s.amount, s.captured, s.refunded) IS DISTINCT FROM (p.amount, p.captured, p.refunded)`).Scan(&stray))
			require.Zero(t, stray, "the company's book is ours")
			var orders, paid, charged, differences int
			require.NoError(t, m.db.QueryRow(ctx, `SELECT (SELECT count(*) FROM orders), (SELECT count(*) FROM orders
				WHERE payment_state = 'paid'),
				(SELECT count(*) FROM sandbox.payment WHERE captured > 0), (SELECT count(*) FROM difference)`).Scan(&orders, &paid, &charged, &differences))
			require.Equal(t, []int{each, each, each, 0}, []int{orders, paid, charged, differences})
			m.sound(t)
		})
	}
}
