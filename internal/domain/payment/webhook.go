package payment

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/text"
)

// Receive keeps a message of a gateway. 0 when it came before. What a gateway signed may still hold what no column
// takes.
func Receive(ctx context.Context, tx pgx.Tx, gateway string, e Event) (id int64, err error) {
	e = Event{ID: text.Clean(e.ID, 200), Kind: text.Clean(e.Kind, 200), Reference: text.Clean(e.Reference, 200)}
	if e.ID == "" {
		return 0, ErrForged
	}
	err = tx.QueryRow(ctx, `
		INSERT INTO payment_event (gateway, event, kind, reference)
		VALUES ($1, $2, $3, $4)
		ON CONFLICT (gateway, event) DO NOTHING
		RETURNING id`, gateway, e.ID, e.Kind, e.Reference).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("keep a gateway's message: %w", err)
	}
	return id, nil
}

// EventByID is what a kept message is about, and whether it was dealt with.
func EventByID(ctx context.Context, db pg.DB, id int64) (gateway string, e Event, applied bool, err error) {
	err = db.QueryRow(ctx, `
		SELECT gateway, event, kind, reference, applied_at IS NOT NULL
		FROM payment_event
		WHERE id = $1`, id).Scan(&gateway, &e.ID, &e.Kind, &e.Reference, &applied)
	if err != nil {
		return "", e, false, fmt.Errorf("read a gateway's message: %w", err)
	}
	return gateway, e, applied, nil
}

// MarkEventApplied says that a message was dealt with, and how.
func MarkEventApplied(ctx context.Context, db pg.DB, id int64, outcome string) error {
	_, err := db.Exec(ctx, `
		UPDATE payment_event
		SET applied_at = now(), outcome = $2
		WHERE id = $1 AND applied_at IS NULL`, id, outcome)
	return err
}
