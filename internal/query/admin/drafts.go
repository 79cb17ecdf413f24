package admin

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/platform/pg"
)

// DraftRow is an order that staff prepare and have not sent yet.
type DraftRow struct {
	ID        int64
	Name      string
	Units     int
	Store     string
	By        string
	UpdatedAt time.Time
	AddsTo    int64 // the number of the order that it adds to; 0: none
}

// Drafts lists what staff prepare, the last one changed first; of the given places only, nil for all of them.
func Drafts(ctx context.Context, db pg.DB, stores []int64) (rows []DraftRow, err error) {
	found, err := db.Query(ctx, `
		SELECT d.id, coalesce(nullif(d.name, ''), c.name) AS name, coalesce(at.name, '') AS store, a.name AS by,
			d.updated_at, coalesce(x.number, 0) AS adds_to,
			(SELECT coalesce(sum(quantity), 0) FROM cart_line WHERE cart_id = cart.id)::int AS units
		FROM draft_order d
		JOIN cart ON cart.id = d.cart_id
		JOIN customer c ON c.id = d.customer_id
		JOIN associate a ON a.id = d.associate_id
		LEFT JOIN location at ON at.id = cart.location_id
		LEFT JOIN orders x ON x.id = d.adds_to
		WHERE d.order_id IS NULL AND ($1::bigint[] IS NULL OR cart.location_id = ANY ($1))
		ORDER BY d.id DESC
		LIMIT 200`, stores)
	if err != nil {
		return nil, fmt.Errorf("list drafts: %w", err)
	}
	return pgx.CollectRows(found, pgx.RowToStructByName[DraftRow])
}

// StoreOf is the code of the store that somebody calls theirs, else of that where they last ordered; empty where there is
// neither.
func StoreOf(ctx context.Context, db pg.DB, person int64) (code string, err error) {
	err = db.QueryRow(ctx, `
		SELECT coalesce((SELECT l.code FROM customer c JOIN location l ON l.id = c.location_id WHERE c.id = $1), (
			SELECT l.code
			FROM orders o
			JOIN location l ON l.id = o.location_id AND l.kind = 'store' AND l.closed_at IS NULL
			WHERE o.customer_id IN (SELECT member FROM person_members($1) AS member)
			ORDER BY o.id DESC
			LIMIT 1), '')`, person).Scan(&code)
	if err != nil {
		return "", fmt.Errorf("look where somebody buys: %w", err)
	}
	return code, nil
}
