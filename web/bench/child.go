package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/a-h/templ"
	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"counterpart/internal/adapter/gateway"
	"counterpart/internal/adapter/sandbox"
	"counterpart/internal/domain/browsing"
	"counterpart/internal/flow/settle"
	"counterpart/internal/platform/files"
	"counterpart/internal/platform/live"
	"counterpart/internal/platform/pg"
	"counterpart/web"
)

// A child is a server process of its own, so that its memory and processor time are its own.
type child struct {
	base    string
	process *exec.Cmd
	started time.Duration // to the first product page
}

// startChild starts the shop, the bare baseline or the company that takes payments. The shop is told where the company
// is.
func startChild(database, role, company string) (*child, error) {
	c := &child{process: exec.Command(os.Args[0], "child")}
	c.process.Env = append(os.Environ(), "BENCH_DATABASE="+database, "BENCH_ROLE="+role, "BENCH_COMPANY="+company)
	c.process.Stderr = os.Stderr
	out, err := c.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	if err := c.process.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("a server did not start: %w", err)
	}
	c.base = strings.TrimSpace(line)
	answer, err := http.Get(c.base + "/p/morning-mug")
	if err != nil {
		return nil, err
	}
	answer.Body.Close()
	c.started = time.Since(began)
	return c, nil
}

func (c *child) stop() {
	c.process.Process.Kill()
	c.process.Wait()
}

// memory is what the process has resident, in MB.
func (c *child) memory() int {
	body, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.process.Process.Pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(body)) {
		if kb, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			n, _ := strconv.Atoi(strings.Fields(kb)[0]) // The kernel writes a number.
			return n / 1024
		}
	}
	return 0
}

// cpu is the processor time the process has used.
func (c *child) cpu() time.Duration {
	stat, err := processStat(c.process.Process.Pid)
	if err != nil {
		return 0
	}
	return ticks(stat, 11, 12)
}

func (c *child) statements() float64 {
	answer, err := http.Get(c.base + "/bench/statements")
	if err != nil {
		return 0
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0
	}
	n, _ := strconv.ParseFloat(string(body), 64)
	return n
}

// counted counts what goes to the database.
type counted struct{ n atomic.Int64 }

func (c *counted) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	c.n.Add(1)
	return ctx
}
func (c *counted) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}
func (c *counted) TraceBatchStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceBatchStartData) context.Context {
	return ctx
}
func (c *counted) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) { c.n.Add(1) }
func (c *counted) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData)     {}

const companyKey, companySecret = "bench", "bench-secret"

func serve(ctx context.Context, role string) error {
	database := os.Getenv("BENCH_DATABASE")
	tracer := &counted{}
	config, err := pg.Config(database)
	if err != nil {
		return err
	}
	config.ConnConfig.Tracer = tracer
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	base := "http://" + listener.Addr().String()
	handler := bareHandler(pool)
	switch role {
	case "company":
		company := &sandbox.Server{DB: pool, Base: base, Key: companyKey, Secret: companySecret}
		if err := company.Open(ctx); err != nil {
			return err
		}
		handler = company.Handler()
	case "shop":
		dir, err := os.MkdirTemp("", "counterpart-bench-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		store, err := files.Open(dir)
		if err != nil {
			return err
		}
		company := os.Getenv("BENCH_COMPANY")
		office := &settle.Payments{DB: pool, Base: base, PayAt: company,
			Gateway: &gateway.Sandbox{Base: company, Key: companyKey, Secrets: []string{companySecret},
				Client: gateway.Patient()}}
		handler = web.Site{DB: pool, Files: store, Live: live.Listen(ctx, database), BaseURL: base,
			Trail: browsing.New(ctx, pool), Payments: office}.Handler()
	}
	outer := http.NewServeMux()
	outer.HandleFunc("/bench/statements", func(w http.ResponseWriter,
		_ *http.Request) {
		fmt.Fprint(w, tracer.n.Load())
	})
	outer.Handle("/", handler)
	fmt.Println(base)
	return http.Serve(listener, outer)
}

// bareHandler is as little as a page or an order can be: chi, one select by primary key and a component of the same
// bytes; the same order rows in one round trip.
func bareHandler(pool *pgxpool.Pool) http.Handler {
	r := chi.NewRouter()
	r.Use(middleware.Compress(4, "text/html"))
	r.Get("/livez", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	pages := map[string]templ.Component{}
	r.Post("/page/{name}", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), 500)
			return
		}
		pages[chi.URLParam(r, "name")] = templ.Raw(string(body))
	})
	r.Get("/page/{name}", func(w http.ResponseWriter, r *http.Request) {
		var slug string
		if err := pool.QueryRow(r.Context(), `SELECT slug FROM product WHERE id = 1`).Scan(&slug); err != nil {
			http.Error(w, err.Error(), 500)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		pages[chi.URLParam(r, "name")].Render(r.Context(), w)
	})
	r.Post("/order", func(w http.ResponseWriter, r *http.Request) {
		variant, _ := strconv.ParseInt(r.FormValue("variant"), 10, 64)
		if err := bareOrder(r.Context(), pool, variant); err != nil {
			http.Error(w, err.Error(), 500)
			return
		}
		http.Redirect(w, r, "/", http.StatusSeeOther)
	})
	r.Post("/order-by-steps", func(w http.ResponseWriter, r *http.Request) {
		variant, _ := strconv.ParseInt(r.FormValue("variant"), 10, 64)
		if err := bareSteps(r.Context(), pool, variant); err != nil {
			http.Error(w, err.Error(), 500)
			return
		}
		http.Redirect(w, r, "/", http.StatusSeeOther)
	})
	r.Post("/cart", func(w http.ResponseWriter, r *http.Request) {
		variant, _ := strconv.ParseInt(r.FormValue("variant"), 10, 64)
		batch := &pgx.Batch{}
		batch.Queue(`WITH c AS (INSERT INTO customer (channel) VALUES ('web') RETURNING id),
			k AS (INSERT INTO cart (customer_id, code, channel) SELECT id, substr(md5(random()::text), 1, 16), 'web'
			FROM c RETURNING id)
			INSERT INTO cart_line (cart_id, variant_id, quantity, channel) SELECT id, $1, 1, 'web' FROM k`, variant)
		if err := pool.SendBatch(r.Context(), batch).Close(); err != nil {
			http.Error(w, err.Error(), 500)
			return
		}
		http.Redirect(w, r, "/", http.StatusSeeOther)
	})
	return r
}

// bareOrder writes the rows of an order of one unit, claims the stock last, and commits, in one round trip.
func bareOrder(ctx context.Context, pool *pgxpool.Pool, variant int64) error {
	batch := &pgx.Batch{}
	batch.Queue(`
		WITH o AS (
			INSERT INTO orders (public_id, customer_id, channel, location_id, currency, tax_included, state,
				payment_state, lines, tax, total, name, email)
			VALUES (md5(random()::text || clock_timestamp()), 1, 'web', 2, 'GBP', true, 'confirmed', 'due', 1000, 167,
				1000, 'Ada', 'ada@example.com')
			RETURNING id),
		f AS (
			INSERT INTO fulfilment (order_id, method, location_id, state) SELECT id, 'carry_out', 2, 'to_pick' FROM o
			RETURNING id),
		l AS (
			INSERT INTO order_line (order_id, fulfilment_id, position, variant_id, sku, title, quantity, unit_price,
				amount, tax_name, tax_ppm, tax)
			SELECT o.id, f.id, 1, $1, 'X', 'X', 1, 1000, 1000, 'VAT', 200000, 167 FROM o, f
			RETURNING id, order_id),
		u AS (INSERT INTO order_unit (order_line_id, n, paid, tax) SELECT id, 1, 1000, 167 FROM l),
		t AS (INSERT INTO tender (order_id, kind, authorised) SELECT order_id, 'pay_at_pickup', 1000 FROM l),
		e AS (INSERT INTO timeline (customer_id, kind, channel, order_id) SELECT 1, 'bought', 'web', order_id FROM l),
		j AS (INSERT INTO river_job (kind, max_attempts, args, queue, state) SELECT 'bare', 1, '{}', 'bare',
			'completed'::river_job_state FROM l WHERE false)
		INSERT INTO reservation (order_line_id, variant_id, location_id, quantity) SELECT id, $1, 2, 1 FROM l`, variant)
	batch.Queue(`UPDATE stock_level SET reserved = reserved + 1 WHERE variant_id = $1 AND location_id = 2 AND condition = 'sellable' AND on_hand - reserved - safety >= 1`, variant)
	return pool.SendBatch(ctx, batch).Close()
}

// bareSteps is what a shop without a line of logic does: it reads the customer, the variant, its price and the shelf,
// and writes the same rows as bareOrder, each statement in a round trip of its own.
func bareSteps(ctx context.Context, pool *pgxpool.Pool, variant int64) error {
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		var id, fulfilment, line, price int64
		for _, read := range []string{
			`SELECT id FROM customer WHERE id = 1 AND $1::bigint > 0`, `SELECT product_id FROM variant WHERE id = $1`,
			`SELECT amount FROM price WHERE variant_id = $1 AND price_list_id = 1 AND upper_inf(valid)`,
			`SELECT on_hand FROM stock_level WHERE variant_id = $1 AND location_id = 2 AND condition = 'sellable'`} {
			if err := tx.QueryRow(ctx, read, variant).Scan(&price); err != nil {
				return err
			}
		}
		if err := tx.QueryRow(ctx, `
			INSERT INTO orders (public_id, customer_id, channel, location_id, currency, tax_included, state,
				payment_state, lines, tax, total, name, email)
			VALUES (md5(random()::text || clock_timestamp()), 1, 'web', 2, 'GBP', true, 'confirmed', 'due', 1000, 167,
				1000, 'Ada', 'ada@example.com')
			RETURNING id`).Scan(&id); err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, `
			INSERT INTO fulfilment (order_id, method, location_id, state) VALUES ($1, 'carry_out', 2, 'to_pick')
			RETURNING id`, id).Scan(&fulfilment); err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, `
			INSERT INTO order_line (order_id, fulfilment_id, position, variant_id, sku, title, quantity, unit_price,
				amount, tax_name, tax_ppm, tax)
			VALUES ($1, $2, 1, $3, 'X', 'X', 1, 1000, 1000, 'VAT', 200000, 167)
			RETURNING id`, id, fulfilment, variant).Scan(&line); err != nil {
			return err
		}
		for _, write := range []struct {
			sql  string
			args []any
		}{
			{`INSERT INTO order_unit (order_line_id, n, paid, tax) VALUES ($1, 1, 1000, 167)`, []any{line}},
			{`INSERT INTO tender (order_id, kind, authorised) VALUES ($1, 'pay_at_pickup', 1000)`, []any{id}},
			{`INSERT INTO timeline (customer_id, kind, channel, order_id) VALUES (1, 'bought', 'web', $1)`, []any{id}},
			{`INSERT INTO reservation (order_line_id, variant_id, location_id, quantity) VALUES ($1, $2, 2, 1)`,
				[]any{line, variant}},
			{`UPDATE stock_level SET reserved = reserved + 1 WHERE variant_id = $1 AND location_id = 2
				AND condition = 'sellable' AND on_hand - reserved - safety >= 1`, []any{variant}},
		} {
			if _, err := tx.Exec(ctx, write.sql, write.args...); err != nil {
				return err
			}
		}
		return nil
	})
}
