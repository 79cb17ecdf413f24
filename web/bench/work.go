package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"counterpart/internal/domain/recommend"
	"counterpart/internal/platform/files"
	"counterpart/internal/platform/pg"
	"counterpart/internal/proof/audit"
	"counterpart/internal/proof/demo"
	"counterpart/web/static"
)

type bench struct {
	db           *pgxpool.Pool
	database     string
	server, bare *child
	company      *child // which takes payments
	postgres     int    // process id of the database's server
	variants     []int64
	waiting      []waiting    // carts to be ordered
	carts        atomic.Int64 // pairs of them that were used
}

// waiting is a cart with one line, and what that costs.
type waiting struct {
	N      int
	CartID int64
	Price  int64
}

// A workload is what one client does again and again; it answers how many bytes came back.
type workload struct {
	name        string
	ours, bare  func(c *client) (int64, error)
	connections []int
}

type client struct {
	*http.Client
	b *bench
	n int
}

func prepare(ctx context.Context) (*bench, error) {
	address := os.Getenv("TEST_DATABASE_URL")
	if address == "" {
		return nil, errors.New("run make bench: it brings a Postgres")
	}
	if _, err := pg.Migrate(address); err != nil {
		return nil, err
	}
	pool, err := pg.Open(ctx, address)
	if err != nil {
		return nil, err
	}
	b := &bench{db: pool, database: address}
	dir, err := os.MkdirTemp("", "counterpart-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	store, err := files.Open(dir)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	if _, err := demo.Load(ctx, pool, store, static.Objects(), func(float64) {}); err != nil {
		return nil, err
	}
	fmt.Printf("the demo loaded in %.1f s\n", time.Since(began).Seconds())
	// Room for every order that is going to be placed, with its line in the ledger; and carts that wait to be ordered.
	for _, statement := range []string{
		`UPDATE stock_level SET on_hand = on_hand + 1000000 WHERE location_id = 2 AND condition = 'sellable'`,
		`INSERT INTO stock_move (variant_id, location_id, delta, cause, channel) SELECT variant_id, 2, 1000000, 'receipt', 'api' FROM stock_level WHERE location_id = 2 AND condition = 'sellable'`,
	} {
		if _, err := pool.Exec(ctx, statement); err != nil {
			return nil, err
		}
	}
	if err := pool.QueryRow(ctx,
		`SELECT array_agg(variant_id ORDER BY variant_id) FROM stock_level WHERE location_id = 2`).Scan(&b.variants); err != nil {
		return nil, err
	}
	if err := b.fill(ctx, 60_000); err != nil {
		return nil, err
	}
	if err := b.run(ctx, catalogueOf(5000, "generated")); err != nil {
		return nil, err
	}
	if err := recommend.Rebuild(ctx, pool); err != nil {
		return nil, err
	}
	if b.postgres, err = postmaster(ctx, pool); err != nil {
		return nil, err
	}
	if b.company, err = startChild(address, "company", ""); err != nil {
		return nil, err
	}
	if b.server, err = startChild(address, "shop", b.company.base); err != nil {
		return nil, err
	}
	if b.bare, err = startChild(address, "bare", ""); err != nil {
		return nil, err
	}
	return b, nil
}

func (b *bench) close() {
	b.server.stop()
	b.company.stop()
	b.bare.stop()
	b.db.Close()
}

// fill makes customers with a cookie, a cart and one line: the odd ones of many variants, the even ones of a single
// one.
func (b *bench) fill(ctx context.Context, n int) error {
	conn, err := b.db.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	for _, statement := range []string{
		`SET statement_timeout = '5min'`,
		`CREATE TABLE bench_cart AS
			SELECT n, nextval(pg_get_serial_sequence('customer', 'id')) AS customer_id,
				nextval(pg_get_serial_sequence('cart', 'id')) AS cart_id,
				CASE WHEN n % 2 = 0 THEN ($1::bigint[])[1]
					ELSE ($1::bigint[])[2 + n % (cardinality($1::bigint[]) - 1)] END AS variant_id
			FROM generate_series(1, $2::int) n`,
		`INSERT INTO customer (id, channel) OVERRIDING SYSTEM VALUE SELECT customer_id, 'web' FROM bench_cart`,
		`INSERT INTO identity (customer_id, kind, value, source, verified_at) SELECT customer_id, 'device', encode(sha256(convert_to('bench-' || n, 'UTF8')), 'hex'), 'web', now() FROM bench_cart`,
		`INSERT INTO cart (id, customer_id, code, channel, location_id) OVERRIDING SYSTEM VALUE SELECT cart_id, customer_id, 'B' || lpad(n::text, 9, '0'), 'web', 2 FROM bench_cart`,
		`INSERT INTO cart_line (cart_id, variant_id, quantity, channel) SELECT cart_id, variant_id, 1, 'web' FROM bench_cart`,
		`ALTER TABLE bench_cart ADD PRIMARY KEY (n)`, `ANALYZE`,
	} {
		var args []any
		if strings.Contains(statement, "$1") {
			args = []any{b.variants, n}
		}
		if _, err := conn.Exec(ctx, statement, args...); err != nil {
			return err
		}
	}
	if _, err = conn.Exec(ctx, `RESET statement_timeout`); err != nil {
		return err
	}
	rows, err := conn.Query(ctx, `
		SELECT n, cart_id, amount
		FROM bench_cart
		JOIN price ON price.variant_id = bench_cart.variant_id AND upper_inf(valid) AND price_list_id = 1
		ORDER BY n`)
	if err != nil {
		return err
	}
	b.waiting, err = pgx.CollectRows(rows, pgx.RowToStructByPos[waiting])
	return err
}

// next is a cart that nobody ordered yet: one of many variants, or, hot, all of the same one.
func (b *bench) next(hot bool) (waiting, error) {
	i := 2 * int(b.carts.Add(1)-1)
	if hot {
		i++
	}
	if i >= len(b.waiting) {
		return waiting{}, errors.New("no cart is left")
	}
	return b.waiting[i], nil
}

func (b *bench) workloads() []workload {
	few := []int{1, 16}
	list := func(name, path string) workload { return workload{name, get(path), b.barePage(name, path), few} }
	const department = "/d/clothing"
	return []workload{
		list("product page", "/p/morning-mug"),
		list("department page", department),
		{"pages 1 to 20", oneOfTwenty(department), b.barePage("pages 1 to 20", department), few},
		list("sorted by price", department+"?sort=price"),
		list("narrowed", department+"?o.Colour=Moss&stock=1"),
		list("search, few", "/search?q=wool"),
		list("search, many", "/search?q=kettle"),
		{"add to cart", addToCart, barePost("/cart", false), few},
		{"place order", placeOrder(false), barePost("/order", false), few},
		{"order, by steps", placeOrder(false), barePost("/order-by-steps", false), few},
		{"flash sale", placeOrder(true), barePost("/order", true), []int{1, 16, 64}},
		{"whole checkout", wholeCheckout, barePost("/order", false), few},
	}
}

var shop = http.Cookie{Name: "store", Value: "LDS"}

func (c *client) fetch(base, method, path string, form url.Values, cookies ...*http.Cookie) (*http.Response, []byte,
	error) {
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r, err := http.NewRequest(method, base+path, body)
	if err != nil {
		return nil, nil, err
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.Header.Set("Accept-Encoding", "gzip") // By ourselves, so that the bytes stay packed and can be counted.
	for _, cookie := range cookies {
		r.AddCookie(cookie)
	}
	answer, err := c.Do(r)
	if err != nil {
		return nil, nil, err
	}
	defer answer.Body.Close()
	read, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, nil, err
	}
	if answer.StatusCode >= 400 {
		return nil, nil, fmt.Errorf("%s %s: %d", method, path, answer.StatusCode)
	}
	return answer, read, nil
}

func get(path string) func(*client) (int64, error) {
	return func(c *client) (int64, error) {
		_, body, err := c.fetch(c.b.server.base, http.MethodGet, path, nil, &shop)
		return int64(len(body)), err
	}
}

// oneOfTwenty asks for a department's pages, one after the other.
func oneOfTwenty(path string) func(*client) (int64, error) {
	return func(c *client) (int64, error) {
		c.n++
		return get(fmt.Sprintf("%s?page=%d", path, 1+c.n%20))(c)
	}
}

// barePage gives the baseline the same bytes to serve.
func (b *bench) barePage(name, path string) func(*client) (int64, error) {
	var once sync.Once
	return func(c *client) (n int64, err error) {
		once.Do(func() {
			r, _ := http.NewRequest(http.MethodGet, b.server.base+path, nil) // The address is ours.
			r.AddCookie(&shop)
			var answer *http.Response
			if answer, err = http.DefaultClient.Do(r); err == nil {
				defer answer.Body.Close()
				_, err = http.Post(b.bare.base+"/page/"+name, "text/html", answer.Body)
			}
		})
		if err != nil {
			return 0, err
		}
		_, body, err := c.fetch(b.bare.base, http.MethodGet, "/page/"+name, nil)
		return int64(len(body)), err
	}
}

func barePost(path string, hot bool) func(*client) (int64, error) {
	return func(c *client) (int64, error) {
		c.n++
		variant := c.b.variants[0]
		if !hot {
			variant = c.b.variants[1+int(c.b.carts.Add(0)+int64(c.n*7919))%(len(c.b.variants)-1)]
		}
		_, _, err := c.fetch(c.b.bare.base, http.MethodPost, path, url.Values{"variant": {fmt.Sprint(variant)}})
		return 0, err
	}
}

func addToCart(c *client) (int64, error) {
	c.n++
	_, _, err := c.fetch(c.b.server.base, http.MethodPost, "/cart",
		url.Values{"variant": {fmt.Sprint(c.b.variants[c.n%len(c.b.variants)])}, "quantity": {"1"}}, &shop)
	return 0, err
}

// placeOrder sends the checkout of a cart that waits.
func placeOrder(hot bool) func(*client) (int64, error) {
	return func(c *client) (int64, error) {
		w, err := c.b.next(hot)
		if err != nil {
			return 0, err
		}
		answer, _, err := c.fetch(c.b.server.base, http.MethodPost, "/checkout", w.form(w.Price, "pay_at_pickup"),
			w.device(), &shop)
		if err == nil && !strings.HasPrefix(answer.Header.Get("Location"), "/orders/") {
			err = errors.New("no order: " + answer.Header.Get("Location"))
		}
		return 0, err
	}
}

func (w waiting) form(total int64, pay string) url.Values {
	return url.Values{"cart": {fmt.Sprint(w.CartID)}, "total": {fmt.Sprint(total)}, "name": {"Ada"},
		"email": {"ada@example.com"}, "pay": {pay}}
}

func (w waiting) device() *http.Cookie {
	return &http.Cookie{Name: "device", Value: fmt.Sprintf("bench-%d", w.N)}
}

var cartField, totalField = regexp.MustCompile(`name="cart" value="(\d+)"`), regexp.MustCompile(`name="total" value="(\d+)"`)

// wholeCheckout is a new shopper: three things into the cart, the checkout's page, the order, and its page.
func wholeCheckout(c *client) (int64, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return 0, err
	}
	own := &client{Client: &http.Client{Transport: c.Transport, Jar: jar, CheckRedirect: c.CheckRedirect}, b: c.b}
	base := c.b.server.base
	for range 3 {
		c.n++
		variant := c.b.variants[c.n*31%len(c.b.variants)]
		if _, _, err := own.fetch(base, http.MethodPost, "/cart",
			url.Values{"variant": {fmt.Sprint(variant)}, "quantity": {"1"}}, &shop); err != nil {
			return 0, err
		}
	}
	r, err := http.NewRequest(http.MethodGet, base+"/checkout", nil)
	if err != nil {
		return 0, err
	}
	r.AddCookie(&shop)
	answer, err := own.Do(r)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	page, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, err
	}
	cart, total := cartField.FindSubmatch(page), totalField.FindSubmatch(page)
	if cart == nil || total == nil {
		return 0, errors.New("the checkout has no form")
	}
	placed, _, err := own.fetch(base, http.MethodPost, "/checkout",
		url.Values{"cart": {string(cart[1])}, "total": {string(total[1])}, "name": {"Ada"},
			"email": {"ada@example.com"}, "pay": {"pay_at_pickup"}}, &shop)
	if err != nil {
		return 0, err
	}
	_, body, err := own.fetch(base, http.MethodGet, placed.Header.Get("Location"), nil, &shop)
	return int64(len(body)), err
}

// turn lets so many clients work for one turn.
func (b *bench) turn(ctx context.Context, do func(*client) (int64, error), connections int) (result, error) {
	transport := &http.Transport{MaxIdleConnsPerHost: connections, DisableCompression: true}
	defer transport.CloseIdleConnections()
	var r result
	var mu sync.Mutex
	var failed error
	b.rest()
	cpu, stmts, database := b.server.cpu(), b.server.statements(), b.databaseCPU()
	began := time.Now()
	stop := began.Add(turn)
	var clients sync.WaitGroup
	for i := range connections {
		clients.Go(func() {
			c := &client{Client: &http.Client{Transport: transport,
				CheckRedirect: func(*http.Request,
					[]*http.Request) error {
					return http.ErrUseLastResponse
				}}, b: b, n: i * 1000}
			var latencies []time.Duration
			var bytes int64
			for time.Now().Before(stop) {
				at := time.Now()
				n, err := do(c)
				if err != nil {
					mu.Lock()
					failed = err
					mu.Unlock()
					return
				}
				latencies, bytes = append(latencies, time.Since(at)), bytes+n
			}
			mu.Lock()
			defer mu.Unlock()
			r.done, r.bytes, r.latencies = r.done+len(latencies), r.bytes+bytes, append(r.latencies, latencies...)
		})
	}
	clients.Wait()
	r.took, r.cpu, r.stmts = time.Since(began), b.server.cpu()-cpu, b.server.statements()-stmts
	r.database = b.databaseCPU() - database
	return r, failed
}

// weights says what a first visit loads, how soon a server answers, and what it takes up.
func (b *bench) weights(ctx context.Context) error {
	c := &client{Client: &http.Client{Transport: &http.Transport{DisableCompression: true}}, b: b}
	_, html, err := c.fetch(b.server.base, http.MethodGet, "/p/morning-mug", nil)
	if err != nil {
		return err
	}
	sizes := map[string]int{}
	for _, name := range []string{"app.css", "app.js", "icons.svg"} {
		_, body, err := c.fetch(b.server.base, http.MethodGet, static.Path(name), nil)
		if err != nil {
			return err
		}
		sizes[name] = len(body)
	}
	fmt.Printf("first product page, compressed: %.1f KB of HTML, %.1f KB of script, %.1f KB of style, %.1f KB of icons; 4 requests beside pictures and fonts\n",
		float64(len(html))/1000, float64(sizes["app.js"])/1000, float64(sizes["app.css"])/1000, float64(sizes["icons.svg"])/1000)
	fmt.Printf("start to first product page %d ms; memory idle %d MB\n", b.server.started.Milliseconds(),
		b.server.memory())
	return nil
}

func (b *bench) sound(ctx context.Context) error {
	findings, err := audit.Run(ctx, b.db)
	if err != nil {
		return err
	}
	fmt.Printf("audit: %d findings\n", len(findings))
	if len(findings) > 0 {
		return fmt.Errorf("the books do not agree: %v", findings[0])
	}
	return nil
}
