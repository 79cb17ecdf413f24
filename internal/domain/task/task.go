// Package task is what a store has to do: one list, whatever part of the software it comes from.
package task

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/live"
	"counterpart/internal/platform/pg"
)

// Kinds of task.
const (
	Restock = "restock" // put what nobody collected back on the shelf
	Recount = "recount" // count a shelf that had less than it should
)

// New is a task to be written. Cause names what it is about, as fulfilment:12; while one of its kind is open for a
// cause, a second is not made.
type New struct {
	LocationID int64
	Kind       string
	Cause      string
	OrderID    int64 // 0: none
	VariantID  int64 // 0: none
	DueAt      time.Time
}

// Queue writes a task in a batch that the caller sends.
func (n New) Queue(batch *pgx.Batch) {
	batch.Queue(`
		INSERT INTO task (location_id, kind, cause, order_id, variant_id, due_at)
		VALUES ($1, $2, $3, nullif($4::bigint, 0), nullif($5::bigint, 0), $6)
		ON CONFLICT (location_id, kind, cause) WHERE done_at IS NULL DO NOTHING`, n.LocationID, n.Kind, n.Cause,
		n.OrderID, n.VariantID, n.DueAt)
}

// Add writes a task.
func Add(ctx context.Context, tx pgx.Tx, n New) error {
	batch := &pgx.Batch{}
	n.Queue(batch)
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("write a task: %w", err)
	}
	return nil
}

// Take says who does a task. Whoever took it may take it again; from somebody else it is not taken away.
func Take(ctx context.Context, db pg.DB, id, locationID, associateID int64) error {
	return move(ctx, db, id, locationID, associateID, `
		UPDATE task
		SET taken_by = $3, taken_at = coalesce(taken_at, now())
		WHERE id = $1 AND location_id = $2 AND done_at IS NULL AND coalesce(taken_by, $3) = $3`)
}

// Done says that a task is done, whoever had taken it.
func Done(ctx context.Context, db pg.DB, id, locationID, associateID int64) error {
	return move(ctx, db, id, locationID, associateID, `
		UPDATE task
		SET done_by = $3, done_at = now()
		WHERE id = $1 AND location_id = $2 AND done_at IS NULL`)
}

// move changes a task under the statement's guard, and wakes the store's screens.
func move(ctx context.Context, db pg.DB, id, locationID, associateID int64, statement string) error {
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, statement, id, locationID, associateID)
		if err != nil {
			return fmt.Errorf("change a task: %w", err)
		}
		if tag.RowsAffected() == 0 {
			return gone(ctx, tx, id, locationID)
		}
		return live.Notify(ctx, tx, live.Queue(locationID))
	})
}

// gone is why a task cannot be taken or finished: it is not this store's, it is done, or somebody else has it.
func gone(ctx context.Context, db pg.DB, id, locationID int64) error {
	var done bool
	err := db.QueryRow(ctx, `SELECT done_at IS NOT NULL FROM task WHERE id = $1 AND location_id = $2`, id,
		locationID).Scan(&done)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return fault.New(fault.NotFound, "We can’t find that task at this store.")
	case err != nil:
		return fmt.Errorf("read a task: %w", err)
	case done:
		return fault.New(fault.Conflict, "A colleague has just done this.")
	}
	return fault.New(fault.Conflict, "A colleague is doing this already.")
}
