package main

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/figure"
	"counterpart/internal/domain/predict"
	"counterpart/internal/domain/segment"
	"counterpart/internal/platform/pg"
)

// segments adds up a million people with a million orders and two million views, and counts segments of them.
func (b *bench) segments(ctx context.Context) error {
	if err := b.buyers(ctx); err != nil {
		return err
	}
	began := time.Now()
	if err := figure.Rebuild(ctx, b.db); err != nil {
		return err
	}
	fmt.Printf("figures of everybody added up in %.0f s\n", time.Since(began).Seconds())
	if err := b.run(ctx, []string{`UPDATE figuring SET timeline_to = coalesce((SELECT max(id) FROM timeline), 0), customer_to = (SELECT max(id) FROM customer)`,
		`TRUNCATE figure_changed`, `INSERT INTO figure_changed SELECT id FROM bench_buyer WHERE n % 2000 = 0`, `VACUUM ANALYZE figure`}); err != nil {
		return err
	}
	began = time.Now()
	changed, err := figure.Update(ctx, b.db)
	if err != nil {
		return err
	}
	fmt.Printf("figures of %d whom something happened with: %.2f s\n", len(changed), time.Since(began).Seconds())
	began = time.Now()
	if err := predict.Learn(ctx, b.db, time.Now()); err != nil {
		return err
	}
	fmt.Printf("what is expected of everybody: %.0f s\n\n", time.Since(began).Seconds())
	if err := b.run(ctx, []string{`VACUUM ANALYZE prediction`}); err != nil {
		return err
	}
	var products []int64
	if err := b.db.QueryRow(ctx, `SELECT ARRAY(SELECT DISTINCT product_id FROM variant ORDER BY product_id LIMIT 1)`).Scan(&products); err != nil {
		return err
	}
	at := func(field string, n int64) segment.Condition {
		return segment.Condition{Field: field, Compare: segment.AtLeast, Number: n}
	}
	for _, s := range []struct {
		name string
		all  []segment.Condition
	}{
		{"spent £100 or more", []segment.Condition{at("spent", 10000)}},
		{"spent, lately, with consent", []segment.Condition{at("spent", 10000), {Field: "last", Compare: segment.AtMost, Number: 90},
			{Field: "consent", Compare: segment.Is, Text: "marketing:mail"}}},
		{"expected to spend £50", []segment.Condition{at("expected_spend", 5000)}},
		{"bought a product in a year", []segment.Condition{{Field: "bought", Compare: segment.Is, IDs: products, Days: 365}}},
		{"bought from a department", []segment.Condition{{Field: "department", Compare: segment.Is, IDs: []int64{1, 2, 3, 4}}}},
		{"viewed three times, not bought", []segment.Condition{{Field: "looked", Compare: segment.Is, IDs: products, Number: 1, Days: 30}}},
	} {
		t := segment.Tree{Currency: "GBP", Groups: []segment.Group{{Match: segment.All, Conditions: s.all}}}
		var took result
		var n, estimate int
		for range 5 {
			began := time.Now()
			if n, _, _, err = segment.Sample(ctx, b.db, t, 8); err != nil {
				return err
			}
			took.latencies = append(took.latencies, time.Since(began))
		}
		if estimate, err = segment.Estimate(ctx, b.db, t); err != nil {
			return err
		}
		fmt.Printf("%-34s %8d people (estimate %8d): median %6.0f ms, slowest %6.0f ms\n", s.name, n, estimate, took.at(.5), took.at(1))
	}
	living := segment.Segment{Title: "bench", Living: true, Tree: segment.Tree{Currency: "GBP", Groups: []segment.Group{{
		Match: segment.All, Conditions: []segment.Condition{at("spent", 10000)}}}}}
	began = time.Now()
	if err := pg.InTx(ctx, b.db, func(tx pgx.Tx) error { return segment.Save(ctx, tx, &living, 0) }); err != nil {
		return err
	}
	fmt.Printf("a living segment of %d people written in %.1f s", living.Members, time.Since(began).Seconds())
	began = time.Now()
	if err := segment.Refresh(ctx, b.db, changed, false); err != nil {
		return err
	}
	fmt.Printf(", asked again about %d in %.0f ms\n", len(changed), float64(time.Since(began).Microseconds())/1000)
	return b.advised(ctx)
}

// buyers makes a million people with an order each and some who came often.
func (b *bench) buyers(ctx context.Context) error {
	began := time.Now()
	if err := b.run(ctx, []string{
		`SET statement_timeout = '20min'`,
		`CREATE TABLE bench_buyer AS SELECT n, nextval(pg_get_serial_sequence('customer', 'id')) AS id FROM generate_series(1, 1000000) n`,
		`INSERT INTO customer (id, name, channel, registered_at) OVERRIDING SYSTEM VALUE
			SELECT id, 'Buyer ' || n, 'web', CASE WHEN n % 2 = 0 THEN now() END FROM bench_buyer`,
		`INSERT INTO identity (customer_id, kind, value, source, verified_at)
			SELECT id, 'email', 'buyer' || n || '@example.com', 'web', now() FROM bench_buyer`,
		`INSERT INTO identity (customer_id, kind, value, source, verified_at)
			SELECT id, 'device', 'bench-' || n, 'web', now() FROM bench_buyer WHERE n % 5 = 0`,
		`INSERT INTO consent (customer_id, purpose, medium, given, wording, source)
			SELECT id, 'marketing', 'mail', n % 3 = 0, 1, 'web' FROM bench_buyer WHERE n % 2 = 0`,
		// Some come often, most once.
		`INSERT INTO orders (public_id, customer_id, channel, location_id, currency, tax_included, state, payment_state, lines, tax, total, name, email, placed_at)
			SELECT 'bench-' || g.n, buyer.id, (ARRAY['web', 'counter'])[1 + g.n % 2], s.id, s.currency, s.tax_included, 'confirmed', 'paid',
				1000 + g.n % 30000, 0, 1000 + g.n % 30000, 'Buyer', '', now() - random() * interval '700 days'
			FROM generate_series(1, 1000000) AS g (n)
			JOIN bench_buyer buyer ON buyer.n = CASE WHEN g.n % 2 = 0 THEN g.n ELSE 1 + g.n % 50000 END
			JOIN LATERAL (SELECT id, currency, tax_included FROM location WHERE kind = 'store' AND tax_included ORDER BY id OFFSET g.n % 8 LIMIT 1) s ON true`,
		`INSERT INTO fulfilment (order_id, method, location_id, state, collected_at)
			SELECT id, 'carry_out', location_id, 'collected', placed_at FROM orders WHERE public_id LIKE 'bench-%'`,
		`ANALYZE orders, fulfilment, variant`,
		`INSERT INTO order_line (order_id, fulfilment_id, position, variant_id, sku, title, quantity, unit_price, amount, tax_name, tax_ppm, tax)
			SELECT f.order_id, f.id, 1, v.id, v.sku, 'A thing', 1, o.lines, o.lines, 'VAT', 0, 0
			FROM fulfilment f
			JOIN orders o ON o.id = f.order_id AND o.public_id LIKE 'bench-%'
			JOIN (SELECT id, sku, row_number() OVER (ORDER BY id) AS k FROM variant) v ON v.k = 1 + o.id % 4000`,
		`INSERT INTO order_unit (order_line_id, n, paid, tax, state)
			SELECT l.id, 1, l.amount, 0, 'carried_out' FROM order_line l JOIN orders o ON o.id = l.order_id AND o.public_id LIKE 'bench-%'`,
		`INSERT INTO browse_event (device, at, kind, product_id)
			SELECT 'bench-' || 5 * (1 + floor(random() * 199999))::int, now() - random() * interval '20 hours', 'viewed', 1 + n % 4000
			FROM generate_series(1, 2000000) n`,
		`ANALYZE`}); err != nil {
		return err
	}
	fmt.Printf("\n1,000,000 people, 1,000,000 orders and 2,000,000 views made in %.0f s\n", time.Since(began).Seconds())
	return nil
}
