package web_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"counterpart/internal/adapter/gateway"
	"counterpart/internal/adapter/sandbox/sandboxtest"
	"counterpart/internal/domain/inventory"
	"counterpart/internal/flow/settle"
	"counterpart/internal/platform/files"
	"counterpart/internal/platform/live"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/pg/pgtest"
	"counterpart/internal/proof/sample"
	"counterpart/web"
)

// weather is what a network does, as toxiproxy says it. None: nobody is there.
var weather = []struct{ name, toxic string }{
	{"gone", ""},
	{"answers come ten seconds late", `{"type":"latency","attributes":{"latency":10000}}`},
	{"silent", `{"type":"timeout","attributes":{"timeout":0}}`},
	{"hangs up", `{"type":"reset_peer","attributes":{"timeout":100}}`},
	{"breaks off within an answer", `{"type":"limit_data","attributes":{"bytes":300}}`},
	{"comes in crumbs", `{"type":"slicer","attributes":{"average_size":64,"size_variation":32,"delay":400000}}`},
	{"is slow, three seconds a word", `{"type":"latency","attributes":{"latency":3000}}`},
	{"trickles", `{"type":"bandwidth","attributes":{"rate":0}}`},
	{"questions are lost", `{"type":"timeout","stream":"upstream","attributes":{"timeout":0}}`},
}

// atMost is how long anybody waits for a page.
const atMost = 6 * time.Second

// line is a way through toxiproxy.
type line struct {
	t     testing.TB
	proxy *toxiproxy.Proxy
}

func dial(t testing.TB, to string) *line {
	t.Helper()
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(prometheus.NewRegistry()), zerolog.Nop())
	l := &line{t, toxiproxy.NewProxy(server, name(), "127.0.0.1:0", to)}
	require.NoError(t, l.proxy.Start())
	t.Cleanup(l.proxy.Stop)
	return l
}

var names atomic.Int64

func name() string { return fmt.Sprint("line-", names.Add(1)) }

func (l *line) bad(toxic string) {
	l.t.Helper()
	if toxic == "" {
		l.proxy.Stop()
		return
	}
	_, err := l.proxy.Toxics.AddToxicJson(strings.NewReader(toxic))
	require.NoError(l.t, err)
}

// good again. Connections that were caught in the bad weather do not come back: they are cut, as they would be.
func (l *line) good() {
	l.t.Helper()
	l.proxy.Stop()
	l.proxy.Toxics.ResetToxics(ctx)
	require.NoError(l.t, l.proxy.Start())
}

// relay leads TCP to the socket on which the embedded Postgres listens.
func relay(t testing.TB, config *pgx.ConnConfig) (address string) {
	t.Helper()
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
			for _, way := range [][2]net.Conn{{in, out}, {out, in}} {
				go func() {
					_, _ = io.Copy(way[0], way[1])
					in.Close()
					out.Close()
				}()
			}
		}
	}()
	return listener.Addr().String()
}

// storm is a shop whose way to its database, and to the payment company, is not to be relied on.
type storm struct {
	*place
	company       *sandboxtest.Company
	office        *settle.Payments // over good ways
	books, charge *line
}

func openInStorm(t *testing.T) *storm {
	t.Helper()
	direct, address := pgtest.Database(t)
	s := &storm{place: &place{Chain: sample.Load(t, direct), db: direct}}
	require.NoError(t, pgx.BeginFunc(ctx, direct, func(tx pgx.Tx) error {
		return inventory.Receive(ctx, tx, []inventory.Move{{VariantID: s.Mug, LocationID: s.HarbourStreet.ID,
			Delta: 50}}, inventory.Reason{Channel: "api"})
	}))
	s.company = sandboxtest.Start(t, address, "")
	s.books = dial(t, relay(t, direct.Config().ConnConfig))
	company, err := url.Parse(s.company.URL)
	require.NoError(t, err)
	s.charge = dial(t, company.Host)

	config, err := pg.Config(address)
	require.NoError(t, err)
	host, port, err := net.SplitHostPort(s.books.proxy.Listen)
	require.NoError(t, err)
	config.ConnConfig.Host = host
	_, err = fmt.Sscan(port, &config.ConnConfig.Port)
	require.NoError(t, err)
	config.ConnConfig.Fallbacks = nil
	pg.AsServer(config)
	pool, err := pgxpool.NewWithConfig(ctx, config)
	require.NoError(t, err)
	t.Cleanup(func() { go pool.Close() })
	store, err := files.Open(t.TempDir())
	require.NoError(t, err)
	far := s.company.GatewayAt("http://" + s.charge.proxy.Listen)
	far.Client = gateway.Patient()
	s.office = &settle.Payments{DB: direct, Gateway: s.company.Gateway()}
	server := httptest.NewUnstartedServer(nil)
	base := "http://" + server.Listener.Addr().String()
	listening, stop := context.WithCancel(ctx)
	t.Cleanup(stop)
	s.site = web.Site{DB: pool, Files: store, Live: live.Listen(listening, address), BaseURL: base,
		Draining: &atomic.Bool{}, Payments: &settle.Payments{DB: pool, Gateway: far, Base: base, PayAt: s.company.URL}}
	server.Config.Handler = s.site.Handler()
	server.Start()
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

// errand is something that somebody wants done when the weather turns bad.
type errand struct {
	name string
	do   func() (status int, body, to string)
}

// errands are prepared while all is well. Those of money go to the payment company, too.
func (s *storm) errands(t testing.TB) (plain, money []errand) {
	bea := s.visitor(t)
	bea.signIn(s.Bea.Email)
	get := func(v *visitor, path string) errand {
		return errand{"GET " + path, func() (int, string, string) { return v.get(path) }}
	}
	for _, path := range []string{"/", "/search?q=mug", "/stores", "/cart", "/checkout", "/gift-cards"} {
		v := s.visitor(t)
		v.fill(s.place, s.Mug)
		plain = append(plain, get(v, path))
	}
	plain = append(plain, get(bea, "/counter"))
	buyer := s.visitor(t)
	form := buyer.fill(s.place, s.Mug)
	plain = append(plain, errand{"POST /checkout, to pay at pickup",
		func() (int, string, string) { return buyer.post("/checkout", form) }})
	adder := s.visitor(t)
	plain = append(plain, errand{"POST /cart", func() (int, string, string) {
		return adder.post("/cart", url.Values{"variant": {fmt.Sprint(s.Mug)}, "quantity": {"1"}})
	}})

	byCard := func() (*visitor, url.Values) {
		v := s.visitor(t)
		form := v.fill(s.place, s.Mug)
		form.Set("pay", "card")
		return v, form
	}
	payer, card := byCard()
	money = append(money, errand{"POST /checkout, by card", func() (int, string,
		string) {
		return payer.post("/checkout", card)
	}})
	paid, other := byCard()
	_, _, page := paid.post("/checkout", other)
	require.Contains(t, page, s.company.URL, "to the payment page")
	s.company.Pay(page, sandboxtest.Good)
	var link string
	require.NoError(t, s.db.QueryRow(ctx,
		`SELECT o.public_id FROM orders o JOIN payment p ON p.order_id = o.id WHERE p.page = $1`, page).Scan(&link))
	money = append(money, errand{"GET /orders/…/paid", func() (int, string,
		string) {
		return paid.get("/orders/" + link + "/paid")
	}})

	// What staff do: take money, hand over, send, take back. They are told, and it is done once.
	_, err := s.db.Exec(ctx, `UPDATE location SET takes_returns = true`)
	require.NoError(t, err)
	part := func(v *visitor) (order, part, line int64, code, link string) {
		_, _, to := v.post("/checkout", v.fill(s.place, s.Mug))
		link = strings.TrimPrefix(to, "/orders/")
		require.NoError(t, s.db.QueryRow(ctx,
			`SELECT o.id, f.id, l.id, f.code FROM orders o JOIN fulfilment f ON f.order_id = o.id JOIN order_line l ON l.order_id = o.id WHERE o.public_id = $1`, link).Scan(&order, &part, &line, &code))
		return order, part, line, code, link
	}
	ready := func(part int64) {
		status, _, _ := bea.post(fmt.Sprintf("/counter/pickups/%d/ready", part), url.Values{"place": {"A1"}})
		require.Equal(t, http.StatusSeeOther, status)
	}
	once := func(name, path string, form url.Values) errand {
		done := false
		return errand{"POST " + name, func() (int, string, string) {
			status, body, to := bea.post(path, form)
			// Sent again, it says that it was done already, or does it now.
			if status == http.StatusConflict && done {
				status = http.StatusOK
			}
			done = true
			return status, body, to
		}}
	}
	_, toHand, _, code, shown := part(s.visitor(t))
	ready(toHand)
	plain = append(plain, once("a hand-over", fmt.Sprintf("/counter/pickups/%d/handover", toHand),
		url.Values{"code": {code}, "kind": {"terminal"}}), get(s.visitor(t), "/orders/"+shown))
	toPay, _, _, _, _ := part(s.visitor(t))
	plain = append(plain, once("a payment at the counter", fmt.Sprintf("/counter/orders/%d/pay", toPay),
		url.Values{"kind": {"terminal"}}))
	back, backPart, line, code, _ := part(s.visitor(t))
	ready(backPart)
	status, _, _ := bea.post(fmt.Sprintf("/counter/pickups/%d/handover", backPart),
		url.Values{"code": {code}, "kind": {"terminal"}})
	require.Equal(t, http.StatusSeeOther, status)
	plain = append(plain, once("a return", fmt.Sprintf("/counter/orders/%d/return", back),
		url.Values{"form": {fmt.Sprintf("%026d", back)}, "confirm": {"1"}, fmt.Sprintf("quantity-%d", line): {"1"},
			fmt.Sprintf("reason-%d", line): {"other"}, fmt.Sprintf("grade-%d", line): {"sellable"}}))
	return plain, money
}

// Whatever the way to the database or to the payment company is like, everybody hears within six seconds, in words,
// what is the matter; afterwards everything works again, what was asked for twice is there once, and the books agree
// with the company's.
func TestFaultMatrix(t *testing.T) {
	zerolog.SetGlobalLevel(zerolog.Disabled)
	for _, w := range weather {
		t.Run("the database "+w.name, func(t *testing.T) {
			t.Parallel()
			s := openInStorm(t)
			plain, money := s.errands(t)
			s.endure(t, s.books, w.toxic, append(plain, money...))
		})
		t.Run("the payment company "+w.name, func(t *testing.T) {
			t.Parallel()
			s := openInStorm(t)
			_, money := s.errands(t)
			s.endure(t, s.charge, w.toxic, money)
		})
	}
}

func (s *storm) endure(t *testing.T, on *line, toxic string, errands []errand) {
	on.bad(toxic)
	var bitten atomic.Int64
	var all sync.WaitGroup
	for _, e := range errands {
		all.Go(func() {
			begin := time.Now()
			status, body, where := e.do()
			took := time.Since(begin)
			t.Logf("%s: %d after %.1f s", e.name, status, took.Seconds())
			assert.Less(t, took, atMost, e.name)
			if status >= 400 || took > time.Second || strings.Contains(where, "pay=later") {
				bitten.Add(1)
			}
			switch status {
			case http.StatusOK, http.StatusSeeOther:
			case http.StatusConflict, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
				assert.Contains(t, body, "<h1>", e.name)
			default:
				assert.Fail(t, "neither served nor told", "%s: %d %s %s", e.name, status, where, body)
			}
		})
	}
	all.Wait()
	assert.Positive(t, bitten.Load(), "the weather was felt")
	on.good()
	for _, e := range errands {
		// Lines that were caught in it are let go of one by one, so it may take a moment.
		var status int
		var body string
		assert.Eventually(t, func() bool {
			status, body, _ = e.do()
			return status == http.StatusOK || status == http.StatusSeeOther
		}, 20*time.Second, 100*time.Millisecond, "%s, afterwards", e.name)
		if status >= 400 {
			t.Log(status, body)
		}
	}
	require.NoError(t, s.office.Reconcile(ctx))
	var twice, differences, unheard int
	require.NoError(t, s.db.QueryRow(ctx, `
		SELECT (SELECT count(*) FROM (SELECT FROM orders GROUP BY cart_id HAVING count(*) > 1) c), (SELECT count(*)
			FROM difference),
			(SELECT count(*) FROM orders o JOIN payment p ON p.order_id = o.id JOIN sandbox.payment s
				ON s.id = p.reference WHERE s.state = 'authorised' AND o.state <> 'confirmed')`).
		Scan(&twice, &differences, &unheard))
	require.Equal(t, []int{0, 0, 0}, []int{twice, differences, unheard})
	s.sound(t)
}
