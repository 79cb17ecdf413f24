package main

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/recommend"
	"counterpart/internal/platform/pg"
	"counterpart/internal/query/advice"
)

// learn counts what goes with what of a million receipts of one to four of 105,000 products, what a few orders more
// cost, and how long it takes to find what is worth saying to somebody with much of everything.
func (b *bench) learn(ctx context.Context) error {
	if err := b.run(ctx, []string{`
		INSERT INTO past_sale (source, receipt, code, day, goods, currency, quantity, amount)
		SELECT DISTINCT ON (receipt, v.sku) 'bench', receipt::text, v.sku, date '2025-01-01' + receipt % 365, true, 'GBP', 1, 1000
		FROM (
			-- Half of what is bought is of a hundredth of the range.
			SELECT receipt, CASE WHEN random() < 0.5 THEN floor(random() * 1050) ELSE floor(random() * 105000) END::int AS n
			FROM generate_series(1, 1000000) AS receipt, generate_series(1, 1 + receipt % 4)) bought
		JOIN (SELECT sku, row_number() OVER (ORDER BY id) AS n FROM variant) v USING (n)`, `ANALYZE`}); err != nil {
		return err
	}
	var receipts, lines int
	if err := b.db.QueryRow(ctx, `SELECT count(DISTINCT receipt), count(*) FROM past_sale`).Scan(&receipts, &lines); err != nil {
		return err
	}
	began := time.Now()
	if err := recommend.Rebuild(ctx, b.db); err != nil {
		return err
	}
	first := time.Since(began)
	began = time.Now()
	if err := recommend.Rebuild(ctx, b.db); err != nil {
		return err
	}
	again := time.Since(began)
	if err := b.run(ctx, []string{`INSERT INTO basket_changed SELECT id FROM orders ORDER BY id LIMIT 20`,
		`UPDATE basket SET products = '{}' WHERE order_id IN (SELECT order_id FROM basket_changed)`}); err != nil {
		return err
	}
	began = time.Now()
	changed, err := recommend.Update(ctx, b.db)
	if err != nil {
		return err
	}
	fmt.Printf("\nwhat goes with what, of %d receipts with %d lines: counted %.1f s, counted again %.1f s, %d changed orders %.2f s\n",
		receipts, lines, first.Seconds(), again.Seconds(), changed, time.Since(began).Seconds())
	return b.advised(ctx)
}

// advised times the statement that finds what is worth saying, of the member with most orders, who looked at much.
func (b *bench) advised(ctx context.Context) error {
	var person, at int64
	err := b.db.QueryRow(ctx, `
		SELECT c.id, l.id
		FROM customer c, location l
		WHERE c.registered_at IS NOT NULL AND l.code = 'LDS'
		ORDER BY (SELECT count(*) FROM orders WHERE customer_id = c.id) DESC, c.id
		LIMIT 1`).Scan(&person, &at)
	if err != nil {
		return err
	}
	if err := b.run(ctx, []string{
		fmt.Sprintf(`INSERT INTO consent (customer_id, purpose, medium, given, wording, source)
			SELECT %d, purpose, 'shop', true, 1, 'web' FROM unnest('{personalisation,clienteling}'::text[]) AS purpose`, person),
		fmt.Sprintf(`INSERT INTO identity (customer_id, kind, value, source, verified_at) VALUES (%d, 'device', 'bench-advice', 'web', now())`, person),
		`INSERT INTO browse_event (device, at, kind, product_id)
			SELECT 'bench-advice', now() - n * interval '1 minute', 'viewed', 1 + n % 40 FROM generate_series(1, 400) AS n`,
		`ANALYZE browse_event`}); err != nil {
		return err
	}
	var took result
	var hints []advice.Hint
	for range 200 {
		began := time.Now()
		batch := &pgx.Batch{}
		advice.Queue(batch, person, at, "en", &hints)
		if err := pg.InTx(ctx, b.db, func(tx pgx.Tx) error { return tx.SendBatch(ctx, batch).Close() }); err != nil {
			return err
		}
		took.latencies = append(took.latencies, time.Since(began))
	}
	fmt.Printf("what is worth saying to them: %d hints, median %.1f ms, p95 %.1f ms, begin and commit included\n", len(hints),
		took.at(.5), took.at(.95))
	return nil
}
