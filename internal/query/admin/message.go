package admin

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/platform/pg"
)

// MessageRow is a message that was not owed, with why it went or did not.
type MessageRow struct {
	Kind, Medium, State, Reason string
	CustomerID                  int64
	Customer, Title, Associate  string
	MadeAt                      time.Time
}

// MessageCount is how many messages are in a state for a reason.
type MessageCount struct {
	State, Reason string
	N             int
}

// Messages are the latest, and how many of the last 30 days went or did not, and why.
func Messages(ctx context.Context, db pg.DB) (rows []MessageRow, counts []MessageCount, waiting int, err error) {
	batch := &pgx.Batch{}
	pg.All(&rows, `
		SELECT o.kind, o.medium, o.state, o.reason, p.id AS customer_id, p.name AS customer, coalesce(t.title, '') AS title,
			coalesce(a.name, '') AS associate, o.made_at
		FROM outreach o
		JOIN customer c ON c.id = o.customer_id
		JOIN customer p ON p.id = coalesce(c.merged_into, c.id)
		LEFT JOIN product_text t ON t.product_id = o.products[1] AND t.language = 'en'
		LEFT JOIN associate a ON a.id = o.associate_id
		ORDER BY o.id DESC
		LIMIT 50`)(batch)
	pg.All(&counts, `
		SELECT state, reason, count(*)::int AS n
		FROM outreach
		WHERE made_at > now() - interval '30 days'
		GROUP BY state, reason
		ORDER BY n DESC`)(batch)
	batch.Queue(`SELECT count(*) FROM watch WHERE ended_at IS NULL AND proven_at IS NOT NULL`).QueryRow(func(row pgx.Row) error {
		return row.Scan(&waiting)
	})
	if err := db.SendBatch(ctx, batch).Close(); err != nil {
		return nil, nil, 0, fmt.Errorf("read messages: %w", err)
	}
	return rows, counts, waiting, nil
}
