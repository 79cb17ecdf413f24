package admin

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/platform/pg"
)

// SuggestionRow is a reason for suggestions at the counter with what became of those of the last 90 days. Bought is how
// many were followed by an order of what they named, or of anything where they name nothing, within a week.
type SuggestionRow struct {
	Reason                              string
	Active                              bool
	Weight                              int // per cent
	Shown, Used, Later, Refused, Bought int
}

// Suggestions are the figures of reasons, in the order in which they are given.
func Suggestions(ctx context.Context, db pg.DB, reasons []string) ([]SuggestionRow, error) {
	rows, err := db.Query(ctx, `
		SELECT r.reason, coalesce(s.active, true) AS active, coalesce(s.weight, 100) AS weight, h.shown, h.used, h.later,
			h.refused, h.bought
		FROM unnest($1::text[]) WITH ORDINALITY AS r (reason, n)
		LEFT JOIN hint_reason s ON s.reason = r.reason
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
						AND (hint.product_id = 0 OR v.product_id = hint.product_id)))::int AS bought
			FROM hint
			WHERE hint.reason = r.reason AND hint.shown_at > now() - interval '90 days') h
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
