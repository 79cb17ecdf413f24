package figure

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/platform/pg"
)

// weeks brings what became of products from a week on in line with what is there. Sold is counted in the week of the
// order, less what was cancelled; returned in that of the return; views of devices as long as they are kept.
const weeks = `
	WITH counted AS (
		SELECT v.product_id, f.location_id, date_trunc('week', o.placed_at AT TIME ZONE 'UTC')::date AS week, 1 AS sold,
			u.paid - u.allowed AS revenue, 0 AS returned, 0 AS looks
		FROM orders o
		JOIN order_line l ON l.order_id = o.id
		JOIN fulfilment f ON f.id = l.fulfilment_id
		JOIN order_unit u ON u.order_line_id = l.id AND u.state <> 'cancelled'
		JOIN variant v ON v.id = l.variant_id
		WHERE o.state = 'confirmed' AND o.placed_at >= @since::date::timestamp AT TIME ZONE 'UTC'
		UNION ALL
		SELECT v.product_id, t.location_id, date_trunc('week', t.at AT TIME ZONE 'UTC')::date, 0, 0, 1, 0
		FROM return_ticket t
		JOIN returned_unit r ON r.return_id = t.id
		JOIN order_line l ON l.id = r.order_line_id
		JOIN variant v ON v.id = l.variant_id
		WHERE t.at >= @since::date::timestamp AT TIME ZONE 'UTC'
		UNION ALL
		SELECT e.product_id, 0, date_trunc('week', e.at AT TIME ZONE 'UTC')::date, 0, 0, 0, 1
		FROM browse_event e
		WHERE e.kind = 'viewed' AND e.at >= @since::date::timestamp AT TIME ZONE 'UTC'),
	now AS MATERIALIZED (
		SELECT product_id, location_id, week, sum(sold)::int AS sold, sum(revenue)::bigint AS revenue,
			sum(returned)::int AS returned, sum(looks)::int AS looks
		FROM counted
		GROUP BY product_id, location_id, week),
	gone AS (
		DELETE FROM product_week w
		WHERE week >= @since::date AND NOT EXISTS (
			SELECT FROM now n WHERE n.product_id = w.product_id AND n.location_id = w.location_id AND n.week = w.week)
			-- Views older than they are kept stay counted.
			AND (w.location_id <> 0 OR w.week > (now() - interval '5 months')::date))
	INSERT INTO product_week AS w (product_id, location_id, week, sold, revenue, returned, looks)
	SELECT product_id, location_id, week, sold, revenue, returned, looks FROM now
	ON CONFLICT (product_id, location_id, week) DO UPDATE SET sold = excluded.sold, revenue = excluded.revenue,
		returned = excluded.returned, looks = greatest(excluded.looks,
			CASE WHEN w.week <= (now() - interval '5 months')::date THEN w.looks ELSE 0 END)
		WHERE (w.sold, w.revenue, w.returned, w.looks) IS DISTINCT FROM (excluded.sold, excluded.revenue, excluded.returned,
			excluded.looks)`

// recent is how far back products are counted by the hour; what changes further back is counted at night.
const recent = 5 * 7 * 24 * time.Hour

// CountWeeks counts what became of products lately, or ever where all says so.
func CountWeeks(ctx context.Context, db pg.DB, now time.Time, all bool) error {
	since := now.Add(-recent)
	if all {
		since = time.Date(2000, 1, 3, 0, 0, 0, 0, time.UTC)
	}
	since = since.AddDate(0, 0, -(int(since.Weekday())+6)%7) // Monday
	err := pg.InTx(ctx, db, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SET LOCAL statement_timeout = '10min'; SET LOCAL work_mem = '64MB';
			SELECT pg_advisory_xact_lock(hashtext('product_week'))`); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, weeks, pgx.NamedArgs{"since": since})
		return err
	})
	if err != nil {
		return fmt.Errorf("count what became of products: %w", err)
	}
	return nil
}
