package main

import (
	"context"
	"fmt"
	"time"

	"counterpart/internal/domain/loyalty"
)

// points measures what a million members with points cost at night: a day on which a tenth of the points ends and tiers are
// counted of everybody, and the day after.
func (b *bench) points(ctx context.Context) error {
	if err := b.buyers(ctx); err != nil {
		return err
	}
	if err := b.run(ctx, []string{
		`SET statement_timeout = '20min'`,
		`INSERT INTO points_lot (customer_id, order_id, points, remaining, vests_at, at)
			SELECT customer_id, id, 1 + lines / 100, 1 + lines / 100, placed_at + interval '30 days', placed_at FROM orders WHERE public_id LIKE 'bench-%'`,
		`INSERT INTO points_entry (lot_id, customer_id, delta, cause, order_id, at)
			SELECT id, customer_id, points, 'earned', order_id, at FROM points_lot WHERE order_id IS NOT NULL`,
		`UPDATE programme SET expiry = 'lot', expiry_months = 20, expiry_since = '2020-01-01', swept_on = NULL`,
		`INSERT INTO tier (title, position, counts, threshold, currency) VALUES ('Often', 3, 'visits', 10, NULL)`,
		`VACUUM ANALYZE points_lot, points_entry, orders, order_line, order_unit, customer`}); err != nil {
		return err
	}
	for _, day := range []int{0, 1} {
		began := time.Now()
		if err := loyalty.Daily(ctx, b.db, time.Now().AddDate(0, 0, day)); err != nil {
			return err
		}
		var ended, held, warned int
		if err := b.db.QueryRow(ctx, `
			SELECT (SELECT count(*) FROM points_entry WHERE cause = 'expired'), (SELECT count(*) FROM standing WHERE tier_id IS NOT NULL),
				(SELECT count(*) FROM points_warning)`).Scan(&ended, &held, &warned); err != nil {
			return err
		}
		fmt.Printf("day %d: %.0f s; %d lots ended, %d hold a tier, %d warned so far\n", day+1, time.Since(began).Seconds(), ended, held, warned)
	}
	began := time.Now()
	if err := loyalty.StandAll(ctx, b.db, time.Now()); err != nil {
		return err
	}
	fmt.Printf("tiers alone: %.0f s\n", time.Since(began).Seconds())
	return nil
}
