package order

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/pg"
)

// ErrNotHere says that there is no such order where somebody looked for it.
var ErrNotHere = fault.New(fault.NotFound, "We can’t find that order at this store.")

// HoldDays is how long a staged pickup is kept for its customer: to the end of the third day.
const HoldDays = 3

// Hold is how long a staged part is kept.
type Hold struct {
	State      string
	LocationID int64
	Until      time.Time
	Extended   bool
	Lapses     *time.Time // of the card's authorisation; nil: it holds no money, or there is none
	TimeZone   string
}

// Zone is where the store's clocks are.
func (h *Hold) Zone() *time.Location {
	zone, err := time.LoadLocation(h.TimeZone)
	if err != nil {
		return time.UTC
	}
	return zone
}

// HoldOf reads a part of an order that is locked. Nil when there is no such part, or it was never staged.
func HoldOf(ctx context.Context, tx pgx.Tx, orderID, fulfilmentID int64) (*Hold, error) {
	h, err := pg.Row[Hold](tx.Query(ctx, `
		SELECT f.state, f.location_id, f.hold_until AS until, f.extended_at IS NOT NULL AS extended,
			(SELECT min(lapses_at) FROM payment WHERE order_id = f.order_id AND state = 'authorised') AS lapses, l.time_zone
		FROM fulfilment f
		JOIN location l ON l.id = f.location_id
		WHERE f.id = $1 AND f.order_id = $2 AND f.hold_until IS NOT NULL`, fulfilmentID, orderID))
	if err != nil {
		return nil, fmt.Errorf("read a hold: %w", err)
	}
	return h, nil
}

// ExtendHold moves the end of a hold, once. False when it was extended before, is over, or is not waiting any more.
func ExtendHold(ctx context.Context, tx pgx.Tx, fulfilmentID int64, until time.Time) (bool, error) {
	tag, err := tx.Exec(ctx, `
		UPDATE fulfilment
		SET hold_until = $2, extended_at = now(), reminded = 0
		WHERE id = $1 AND state = 'ready' AND extended_at IS NULL AND hold_until > now() AND hold_until < $2`,
		fulfilmentID, until)
	if err != nil {
		return false, fmt.Errorf("extend a hold: %w", err)
	}
	return tag.RowsAffected() == 1, nil
}

// HoldEnded says whether a part's hold is over while it still waits.
func HoldEnded(ctx context.Context, tx pgx.Tx, fulfilmentID int64) (over bool, err error) {
	err = tx.QueryRow(ctx,
		`SELECT EXISTS (SELECT FROM fulfilment WHERE id = $1 AND state = 'ready' AND hold_until <= now())`,
		fulfilmentID).Scan(&over)
	return over, err
}

// NoShow marks a part that is cancelled because nobody came.
func NoShow(ctx context.Context, tx pgx.Tx, fulfilmentID int64) error {
	_, err := tx.Exec(ctx, `
		UPDATE fulfilment
		SET expired_at = now()
		WHERE id = $1 AND state = 'cancelled'`, fulfilmentID)
	if err != nil {
		return fmt.Errorf("mark a no-show: %w", err)
	}
	return nil
}

// Reminded notes that a shopper is told for the nth time that a hold ends. It answers the order; 0 where they were told
// already or there is nothing to tell.
func Reminded(ctx context.Context, tx pgx.Tx, fulfilmentID int64, nth int) (orderID int64, err error) {
	err = tx.QueryRow(ctx, `
		UPDATE fulfilment
		SET reminded = $2
		WHERE id = $1 AND state = 'ready' AND reminded < $2 AND hold_until > now()
		RETURNING order_id`, fulfilmentID, nth).Scan(&orderID)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, nil
	}
	return orderID, err
}
