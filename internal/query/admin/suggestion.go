package admin

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/figure"
	"counterpart/internal/platform/pg"
)

// SuggestionRow is a reason for suggestions at the counter with what became of those of the last 90 days. Bought is how
// many were followed by an order of what they named, or of anything where they name nothing, within a week.
type SuggestionRow struct {
	Reason                              string
	Active                              bool
	Weight                              int // per cent
	Shown, Used, Later, Refused, Bought int
	Margin                              int64 // of what it named, within a week, minor units of Currency
	Currency                            string
	People, Held                        int     // of whom it was said, and of whom it would have been but for the holdout
	Each, EachHeld                      float64 // margin of one of them within a week, of everything
}

// Enough people are needed on either side before two averages are compared.
const Enough = 30

// Compared says whether there are enough people to compare.
func (r SuggestionRow) Compared() bool { return r.People >= Enough && r.Held >= Enough }

// margin of unit u of variant v, without tax; figure.UnknownMargin of what nobody said the cost of.
var margin = `(u.paid - u.allowed - u.tax + u.allowed_tax) - coalesce(v.unit_cost,
						round((u.paid - u.allowed - u.tax + u.allowed_tax) * (1 - ` + fmt.Sprint(figure.UnknownMargin) + `)))`

// Suggestions are the figures of reasons, in the order in which they are given.
func Suggestions(ctx context.Context, db pg.DB, reasons []string) ([]SuggestionRow, error) {
	rows, err := db.Query(ctx, `
		SELECT r.reason, coalesce(s.active, true) AS active, coalesce(s.weight, 100) AS weight, h.shown, h.used, h.later,
			h.refused, h.bought, h.margin, home.currency::text AS currency, each.people, each.held, each.each, each.each_held
		FROM unnest($1::text[]) WITH ORDINALITY AS r (reason, n)
		LEFT JOIN hint_reason s ON s.reason = r.reason
		CROSS JOIN home_location(NULL, NULL) home
		CROSS JOIN LATERAL (
			SELECT count(*)::int AS shown, count(*) FILTER (WHERE mark = 'used')::int AS used,
				count(*) FILTER (WHERE mark = 'later')::int AS later, count(*) FILTER (WHERE mark = 'no')::int AS refused,
				count(*) FILTER (WHERE EXISTS (
					SELECT
					FROM orders o
					JOIN order_line l ON l.order_id = o.id
					JOIN variant v ON v.id = l.variant_id
					WHERE o.customer_id IN (SELECT id FROM customer WHERE hint.customer_id IN (id, merged_into))
						AND o.state <> 'cancelled' AND o.placed_at BETWEEN hint.shown_at AND hint.shown_at + interval '7 days'
						AND (hint.product_id = 0 OR v.product_id = hint.product_id)))::int AS bought,
				coalesce(sum((
					SELECT sum(`+margin+`)
					FROM orders o
					JOIN order_line l ON l.order_id = o.id
					JOIN order_unit u ON u.order_line_id = l.id AND u.state <> 'cancelled'
					JOIN variant v ON v.id = l.variant_id AND v.product_id = hint.product_id
					WHERE o.customer_id IN (SELECT id FROM customer WHERE hint.customer_id IN (id, merged_into))
						AND o.state <> 'cancelled' AND o.currency = home.currency
						AND o.placed_at BETWEEN hint.shown_at AND hint.shown_at + interval '7 days')), 0)::bigint AS margin
			FROM hint
			WHERE hint.reason = r.reason AND NOT hint.held AND hint.shown_at > now() - interval '90 days') h
		CROSS JOIN LATERAL (
			SELECT count(*) FILTER (WHERE NOT held)::int AS people, count(*) FILTER (WHERE held)::int AS held,
				coalesce(avg(earned) FILTER (WHERE NOT held), 0)::float8 AS each,
				coalesce(avg(earned) FILTER (WHERE held), 0)::float8 AS each_held
			FROM (
				SELECT first.held, coalesce((
					SELECT sum(`+margin+`)
					FROM orders o
					JOIN order_line l ON l.order_id = o.id
					JOIN order_unit u ON u.order_line_id = l.id AND u.state <> 'cancelled'
					JOIN variant v ON v.id = l.variant_id
					WHERE o.customer_id IN (SELECT id FROM customer WHERE first.customer_id IN (id, merged_into))
						AND o.state <> 'cancelled' AND o.currency = home.currency
						AND o.placed_at BETWEEN first.at AND first.at + interval '7 days'), 0) AS earned
				FROM (
					SELECT customer_id, held, min(shown_at) AS at
					FROM hint
					WHERE reason = r.reason AND shown_at > now() - interval '90 days'
					GROUP BY customer_id, held) first) each) each
		ORDER BY r.n`, reasons)
	if err != nil {
		return nil, fmt.Errorf("read suggestions: %w", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[SuggestionRow])
	if err != nil {
		return nil, fmt.Errorf("read suggestions: %w", err)
	}
	return all, nil
}
