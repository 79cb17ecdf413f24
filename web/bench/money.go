package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/inventory"
	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/payment"
	"counterpart/internal/domain/quote"
	"counterpart/internal/domain/tax"
	"counterpart/internal/flow/checkout"
	"counterpart/internal/flow/returns"
	"counterpart/internal/flow/shopping"
	"counterpart/internal/query/basket"
)

// money measures what a price, a rush, a card and a return cost.
func (b *bench) money(ctx context.Context) error {
	quotes()
	if err := b.reservations(ctx); err != nil {
		return err
	}
	if err := b.returned(ctx); err != nil {
		return err
	}
	if err := b.promoted(ctx); err != nil {
		return err
	}
	fmt.Println()
	for _, connections := range []int{1, 16} {
		if err := b.measure(ctx, workload{"promoted, by card", payByCard, barePost("/order", false), nil},
			connections); err != nil {
			return err
		}
	}
	return b.sound(ctx)
}

// quotes says what the pure price of a large cart costs, in a shop that has far too many promotions.
func quotes() {
	vat := tax.Rate{Name: "VAT", PPM: 200_000}
	r := rand.New(rand.NewPCG(1, 1))
	with := quote.Input{Place: quote.Place{Currency: "GBP", TaxIncluded: true}, Now: time.Now()}
	for i := range 50 {
		with.Items = append(with.Items, quote.Item{VariantID: int64(i), ProductID: int64(i),
			Categories: []int64{int64(i % 10)}, Quantity: 1 + i%3, UnitPrice: 500 + r.Int64N(9500), Rate: vat,
			Method: quote.Pickup, LocationID: 1})
	}
	all := []quote.Level{quote.LineLevel, quote.OrderLevel, quote.ShippingLevel}
	for i := range 200 {
		p := quote.Promotion{ID: int64(i + 1), Title: "Promotion", With: all, Budget: -1}
		switch i % 4 {
		case 0: // applies
			p.Rule = quote.Rule{Categories: []int64{int64(i % 10)},
				Effect: quote.Effect{Kind: quote.Percent, Percent: 100}}
		case 1: // is for somebody else
			p.Rule = quote.Rule{Tiers: []string{"Gold"}, Effect: quote.Effect{Kind: quote.Amount, Amount: 500}}
		case 2: // is nearly reached
			p.Rule = quote.Rule{Subtotal: 100_000_00, Effect: quote.Effect{Kind: quote.Amount, Amount: 500}}
		case 3: // is about other goods
			p.Rule = quote.Rule{Products: []int64{int64(1000 + i)},
				Effect: quote.Effect{Kind: quote.BuyGet, Buy: 2, Get: 1, Percent: 10_000}}
		}
		with.Promotions = append(with.Promotions, p)
	}
	applied := len(quote.Price(with).Discounts)
	result := testing.Benchmark(func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			quote.Price(with)
		}
	})
	fmt.Printf("\nquote of 50 lines, 100 pieces, with 200 live promotions of which %d apply: %.0f µs, %d allocations, %d KB\n",
		applied, float64(result.NsPerOp())/1000, result.AllocsPerOp(), result.AllocedBytesPerOp()/1024)
}

// reservations asks one shelf for one unit, again and again, from many sides: the bare guarded update in a transaction
// of its own, beside the claim that is made together with the others. All in this process. The bare one has a table of
// its own: it writes no reservation, and the books are to agree.
func (b *bench) reservations(ctx context.Context) error {
	_, err := b.db.Exec(ctx, `
		DROP TABLE IF EXISTS bench_level;
		CREATE TABLE bench_level (LIKE stock_level INCLUDING ALL) WITH (fillfactor = 70);
		INSERT INTO bench_level SELECT * FROM stock_level WHERE location_id = 2;
		CREATE TABLE IF NOT EXISTS bench_ticket (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, form text UNIQUE,
			order_id bigint NOT NULL REFERENCES orders);
		CREATE TABLE IF NOT EXISTS bench_returned (ticket bigint NOT NULL REFERENCES bench_ticket,
			line bigint REFERENCES order_line, PRIMARY KEY (ticket, line));
		CREATE TABLE IF NOT EXISTS bench_move (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
			variant_id bigint REFERENCES variant, location_id bigint REFERENCES location, delta integer);
		CREATE TABLE IF NOT EXISTS bench_refund (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
			ticket bigint REFERENCES bench_ticket, amount bigint);
		CREATE TABLE IF NOT EXISTS bench_fact (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
			order_id bigint REFERENCES orders)`)
	if err != nil {
		return err
	}
	hot := b.variants[2]
	var claimed sync.Map
	ways := []struct {
		name string
		do   func() error
	}{
		{"bare guarded update", func() error {
			tag, err := b.db.Exec(ctx,
				`UPDATE bench_level SET reserved = reserved + 1 WHERE variant_id = $1 AND location_id = 2 AND condition = 'sellable' AND on_hand - reserved - safety >= 1`, hot)
			if err == nil && tag.RowsAffected() != 1 {
				err = errors.New("nothing was left")
			}
			return err
		}},
		{"claimed together", func() error {
			c, err := inventory.ReserveBatched(ctx, b.db, inventory.Reservation{VariantID: hot, LocationID: 2,
				Quantity: 1})
			if err == nil && c.Claimed == 0 {
				err = errors.New("nothing was left")
			}
			claimed.Store(c.Claimed, c)
			return err
		}},
	}
	fmt.Printf("\n%-34s", "one shelf, per second, in process")
	for _, w := range ways {
		fmt.Printf(" %20s", w.name)
	}
	fmt.Printf(" %7s\n", "share")
	for _, clients := range []int{1, 16, 64} {
		rates := make([][]float64, len(ways))
		for range rounds {
			for i, w := range ways {
				rate, err := b.together(clients, w.do)
				if err != nil {
					return err
				}
				rates[i] = append(rates[i], rate)
			}
		}
		fmt.Printf("%31d   ", clients)
		for i := range ways {
			slices.Sort(rates[i])
			fmt.Printf(" %20.0f", rates[i][rounds/2])
		}
		fmt.Printf(" %6.0f%%\n", 100*rates[1][rounds/2]/rates[0][rounds/2])
	}
	var all []inventory.Reservation
	claimed.Range(func(_, c any) bool { all = append(all, c.(inventory.Reservation)); return true })
	for part := range slices.Chunk(all, 500) {
		if err := inventory.ReleaseBatched(ctx, b.db, part); err != nil {
			return err
		}
	}
	return nil
}

// together has so many do the same for one turn, and answers how often it was done in a second.
func (b *bench) together(clients int, do func() error) (rate float64, err error) {
	var done atomic.Int64
	var failed atomic.Pointer[error]
	began := time.Now()
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			for time.Since(began) < turn && failed.Load() == nil {
				if err := do(); err != nil {
					failed.Store(&err)
					return
				}
				done.Add(1)
			}
		})
	}
	all.Wait()
	if p := failed.Load(); p != nil {
		return 0, *p
	}
	return float64(done.Load()) / time.Since(began).Seconds(), nil
}

// promoted makes the shop give something away, and puts a code into the carts that are paid by card.
func (b *bench) promoted(ctx context.Context) error {
	_, err := b.db.Exec(ctx, `
		INSERT INTO promotion (title, state, priority, combines, rule) VALUES
			('A tenth off', 'live', 2, '{line,order,shipping}', '{"effect": {"kind": "percent", "percent": 1000}}');
		INSERT INTO promotion (title, state, priority, combines, needs_code, rule, max_uses) VALUES
			('A pound off', 'live', 1, '{line,order,shipping}', true,
				'{"currency": "GBP", "effect": {"kind": "amount", "amount": 100}}', 1000000);
		INSERT INTO coupon (promotion_id, code, max_uses) SELECT id, 'BENCH', 1000000 FROM promotion
			WHERE title = 'A pound off';
		INSERT INTO cart_code (cart_id, code) SELECT cart_id, 'BENCH' FROM bench_cart JOIN cart ON cart.id = cart_id
			WHERE cart.state = 'open'`)
	return err
}

// payByCard orders a cart with a promotion and a code, pays on the page of the payment company, and comes back.
func payByCard(c *client) (int64, error) {
	w, err := c.b.next(false)
	if err != nil {
		return 0, err
	}
	total := w.Price - (w.Price+5)/10
	total -= min(total, 100)
	answer, _, err := c.fetch(c.b.server.base, http.MethodPost, "/checkout", w.form(total, "card"), w.device(), &shop)
	if err != nil {
		return 0, err
	}
	page, err := answer.Location()
	if err != nil || page.Path == "/checkout" {
		return 0, fmt.Errorf("no page to pay on: %v", page)
	}
	paid, _, err := c.fetch("", http.MethodPost, page.String(), url.Values{"number": {"4242424242424242"}})
	if err != nil {
		return 0, err
	}
	back, err := paid.Location()
	if err != nil {
		return 0, err
	}
	_, body, err := c.fetch("", http.MethodGet, back.String(), nil, w.device(), &shop)
	return int64(len(body)), err
}

// returned sells three lines over the counter and takes one of each back, beside the same rows written by hand.
func (b *bench) returned(ctx context.Context) error {
	var associate, person int64
	if err := b.db.QueryRow(ctx, `SELECT min(id) FROM associate`).Scan(&associate); err != nil {
		return err
	}
	if err := b.db.QueryRow(ctx,
		`SELECT customer_id FROM bench_cart ORDER BY n DESC LIMIT 1`).Scan(&person); err != nil {
		return err
	}
	here := basket.SaleContext{LocationID: 2, CarryOut: true}
	const sold = 600
	var waiting []returns.Request
	for i := range sold {
		if _, err := b.db.Exec(ctx,
			`DELETE FROM cart_line USING cart WHERE cart.id = cart_id AND customer_id = $1 AND state = 'open'`,
			person); err != nil {
			return err
		}
		for k := range 3 {
			if err := shopping.AddFor(ctx, b.db, origin.Origin{Channel: origin.Counter, Language: "en"}, person,
				shopping.Item{VariantID: b.variants[(3*i+k)%len(b.variants)], Quantity: 1, LocationID: 2,
					InHand: true}); err != nil {
				return err
			}
		}
		cart, err := basket.LoadAt(ctx, b.db, person, here, "en")
		if err != nil {
			return err
		}
		placed, err := checkout.Place(ctx, b.db, origin.Origin{Channel: origin.Counter, AssociateID: associate,
			Language: "en"}, checkout.Request{CustomerID: person, CartID: cart.CartID, Expected: cart.Quote.Total,
			Pay: payment.Terminal, Here: here})
		if err != nil {
			return err
		}
		r := returns.Request{Form: fmt.Sprint("bench-", i), OrderID: placed.ID, SelfApproves: true}
		rows, err := b.db.Query(ctx, `SELECT id FROM order_line WHERE order_id = $1`, placed.ID)
		if err != nil {
			return err
		}
		lines, err := pgx.CollectRows(rows, pgx.RowTo[int64])
		if err != nil {
			return err
		}
		for _, line := range lines {
			r.Wants = append(r.Wants, returns.ReturnLine{LineID: line, Quantity: 1, Reason: "changed_mind",
				Grade: "sellable", Restock: true})
		}
		waiting = append(waiting, r)
	}
	// In turns, so that noise is everybody's. The baseline writes as many rows, with their keys, into tables beside
	// ours.
	var ours, bare []time.Duration
	for _, r := range waiting {
		at := time.Now()
		if _, err := returns.Make(ctx, b.db, origin.Origin{Channel: origin.Counter, LocationID: 2,
			AssociateID: associate, Language: "en"}, r); err != nil {
			return err
		}
		ours = append(ours, time.Since(at))
		at = time.Now()
		if err := b.bareReturn(ctx, r); err != nil {
			return err
		}
		bare = append(bare, time.Since(at))
	}
	slices.Sort(ours)
	slices.Sort(bare)
	fmt.Printf("\nreturn of three lines, %d in turns with the same rows in one round trip: ours p50 %.2f ms, p95 %.2f ms; bare p50 %.2f ms: %.0f%%\n", sold,
		ms(ours[sold/2]), ms(ours[sold*95/100]), ms(bare[sold/2]), 100*float64(bare[sold/2])/float64(ours[sold/2]))
	return nil
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func (b *bench) bareReturn(ctx context.Context, r returns.Request) error {
	batch := &pgx.Batch{}
	batch.Queue(`
		WITH t AS (INSERT INTO bench_ticket (form, order_id) VALUES ($1, $2) RETURNING id),
		u AS (INSERT INTO bench_returned (ticket, line) SELECT id, line FROM t, unnest($3::bigint[]) AS line),
		m AS (INSERT INTO bench_move (variant_id, location_id, delta) SELECT variant_id, 2, 1 FROM order_line
			WHERE id = ANY ($3))
		INSERT INTO bench_refund (ticket, amount) SELECT id, 100 FROM t`, "bare-"+r.Form, r.OrderID, lineIDs(r))
	batch.Queue(`UPDATE bench_level SET on_hand = on_hand + 1 WHERE location_id = 2 AND variant_id IN (SELECT variant_id FROM order_line WHERE id = ANY ($1))`, lineIDs(r))
	batch.Queue(`INSERT INTO bench_fact (order_id) VALUES ($1)`, r.OrderID)
	return b.db.SendBatch(ctx, batch).Close()
}

func lineIDs(r returns.Request) (ids []int64) {
	for _, w := range r.Wants {
		ids = append(ids, w.LineID)
	}
	return ids
}

// lastFifty lets two hundred shoppers order the last fifty of one variant at the same moment, in five rounds.
func (b *bench) lastFifty(ctx context.Context) error {
	const buyers, left = 200, 50
	var all []time.Duration
	sold := []int{}
	for range 5 {
		if _, err := b.db.Exec(ctx, `
			UPDATE stock_level
			SET safety = on_hand - reserved - $2
			WHERE variant_id = $1 AND location_id = 2 AND condition = 'sellable'`, b.variants[0], left); err != nil {
			return err
		}
		transport := &http.Transport{MaxIdleConnsPerHost: buyers, DisableCompression: true}
		begin := make(chan struct{})
		took, placed := make([]time.Duration, buyers), make([]bool, buyers)
		errs := make([]error, buyers)
		var shoppers sync.WaitGroup
		b.rest()
		for i := range buyers {
			w, err := b.next(true)
			if err != nil {
				return err
			}
			shoppers.Go(func() {
				c := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error {
					return http.ErrUseLastResponse
				}}
				r, err := http.NewRequest(http.MethodPost, b.server.base+"/checkout",
					strings.NewReader(w.form(w.Price, "pay_at_pickup").Encode()))
				if err != nil {
					errs[i] = err
					return
				}
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				r.AddCookie(w.device())
				r.AddCookie(&shop)
				<-begin
				began := time.Now()
				answer, err := c.Do(r)
				if err != nil {
					errs[i] = err
					return
				}
				_, errs[i] = io.Copy(io.Discard, answer.Body)
				answer.Body.Close()
				took[i], placed[i] = time.Since(began), answer.StatusCode == http.StatusSeeOther
				if answer.StatusCode >= 500 {
					errs[i] = fmt.Errorf("answered %d", answer.StatusCode)
				}
			})
		}
		close(begin)
		shoppers.Wait()
		if err := errors.Join(errs...); err != nil {
			return err
		}
		n := 0
		for _, one := range placed {
			if one {
				n++
			}
		}
		all, sold = append(all, took...), append(sold, n)
	}
	r := result{latencies: all}
	fmt.Printf("\n%d shoppers for the last %d, five times: sold %v; ms p50 %.0f, p95 %.0f, p99 %.0f\n", buyers, left, sold,
		r.at(.5), r.at(.95), r.at(.99))
	_, err := b.db.Exec(ctx, `UPDATE stock_level SET safety = 0 WHERE variant_id = $1 AND location_id = 2`, b.variants[0])
	return err
}
