package order

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Fulfilment states.
const (
	ToPick    = "to_pick"
	Ready     = "ready"
	Collected = "collected"
	Gone      = "cancelled"
)

// Fulfilment is a part of an order as a verb needs it, held until the transaction ends.
type Fulfilment struct {
	ID         int64
	OrderID    int64
	CustomerID int64
	LocationID int64
	State      string
	Code       string
	Token      string
	Currency   string
	Due        int64   // what its pieces cost that are neither collected nor cancelled, minor units
	OpenLines  []int64 // lines with such pieces
}

// LockFulfilment locks the order and reads one of its parts at a location. Nil when there is no such part there.
func LockFulfilment(ctx context.Context, tx pgx.Tx, id, locationID int64) (*Fulfilment, error) {
	// The order's row first, by itself: what is read next must be as it is once we hold the lock.
	var orderID int64
	err := tx.QueryRow(ctx, `
		SELECT o.id
		FROM orders o
		WHERE o.id = (SELECT order_id FROM fulfilment WHERE id = $1 AND location_id = $2)
		FOR UPDATE`, id, locationID).Scan(&orderID)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("lock an order: %w", err)
	}
	var f Fulfilment
	err = tx.QueryRow(ctx, `
		SELECT f.id, f.order_id, o.customer_id, f.location_id, f.state, coalesce(f.code, ''), coalesce(f.token, ''), o.currency::text,
			coalesce(sum(u.paid) FILTER (WHERE u.state = 'open'), 0)::bigint,
			coalesce(array_agg(DISTINCT l.id) FILTER (WHERE u.state = 'open'), '{}')
		FROM fulfilment f
		JOIN orders o ON o.id = f.order_id
		JOIN order_line l ON l.fulfilment_id = f.id
		JOIN order_unit u ON u.order_line_id = l.id
		WHERE f.id = $1
		GROUP BY f.id, o.id`, id).Scan(&f.ID, &f.OrderID, &f.CustomerID, &f.LocationID, &f.State, &f.Code, &f.Token, &f.Currency, &f.Due, &f.OpenLines)
	if err != nil {
		return nil, fmt.Errorf("read a fulfilment: %w", err)
	}
	return &f, nil
}

// MarkReady says that a part is staged at a place; it is kept until the given time. False when it is not to be picked any more.
func MarkReady(ctx context.Context, tx pgx.Tx, id, associateID int64, place string, holdUntil time.Time) (bool, error) {
	tag, err := tx.Exec(ctx, `
		UPDATE fulfilment
		SET state = 'ready', ready_at = now(), ready_associate_id = $2, place = $3, hold_until = $4
		WHERE id = $1 AND state = 'to_pick'`, id, associateID, place, holdUntil)
	return tag.RowsAffected() == 1, err
}

// MarkCollected says that the open pieces of a ready part were handed over. False when it is not ready any more.
func MarkCollected(ctx context.Context, tx pgx.Tx, id, associateID int64, proof string) (bool, error) {
	tag, err := tx.Exec(ctx, `
		WITH handed AS (
			UPDATE fulfilment
			SET state = 'collected', collected_at = now(), collected_associate_id = $2, proof = $3
			WHERE id = $1 AND state = 'ready'
			RETURNING id)
		UPDATE order_unit u
		SET state = 'collected'
		FROM order_line l, handed
		WHERE l.fulfilment_id = handed.id AND u.order_line_id = l.id AND u.state = 'open'`, id, associateID, proof)
	return tag.RowsAffected() > 0, err
}

// CancelUnits takes the last open pieces of a line back, and answers how many there were. What the line's part and order
// are after that, Settle says.
func CancelUnits(ctx context.Context, tx pgx.Tx, orderLineID int64, quantity int) (cancelled int64, err error) {
	tag, err := tx.Exec(ctx, `
		UPDATE order_unit
		SET state = 'cancelled'
		WHERE order_line_id = $1 AND n IN (
			SELECT n
			FROM order_unit
			WHERE order_line_id = $1 AND state = 'open'
			ORDER BY n DESC
			LIMIT $2)`, orderLineID, quantity)
	if err != nil {
		return 0, fmt.Errorf("cancel pieces: %w", err)
	}
	return tag.RowsAffected(), nil
}

// Settle derives the states of an order's parts and of the order from its pieces: a part with nothing but cancelled
// pieces is cancelled, an order with nothing but cancelled parts is. It is the one writer of those two facts.
func Settle(ctx context.Context, tx pgx.Tx, orderID int64) (cancelled bool, err error) {
	_, err = tx.Exec(ctx, `
		UPDATE fulfilment f
		SET state = 'cancelled', cancelled_at = now()
		WHERE f.order_id = $1 AND f.state IN ('to_pick', 'ready') AND NOT EXISTS (
			SELECT
			FROM order_line l
			JOIN order_unit u ON u.order_line_id = l.id
			WHERE l.fulfilment_id = f.id AND u.state <> 'cancelled')`, orderID)
	if err != nil {
		return false, fmt.Errorf("settle an order's parts: %w", err)
	}
	tag, err := tx.Exec(ctx, `
		UPDATE orders o
		SET state = 'cancelled', cancelled_at = now()
		WHERE o.id = $1 AND o.state <> 'cancelled' AND NOT EXISTS (
			SELECT
			FROM fulfilment f
			WHERE f.order_id = o.id AND f.state <> 'cancelled')`, orderID)
	if err != nil {
		return false, fmt.Errorf("settle an order: %w", err)
	}
	return tag.RowsAffected() == 1, nil
}

// MarkPaid says that an order's tenders cover what it costs.
func MarkPaid(ctx context.Context, tx pgx.Tx, orderID int64) error {
	_, err := tx.Exec(ctx, `
		UPDATE orders
		SET payment_state = 'paid'
		WHERE id = $1 AND payment_state = 'due'`, orderID)
	if err != nil {
		return fmt.Errorf("mark an order paid: %w", err)
	}
	return nil
}
