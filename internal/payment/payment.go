// Package payment is how an order is paid: tenders, each a way of paying a part of it.
package payment

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Kinds of tender.
const (
	PayAtPickup = "pay_at_pickup"
	Cash        = "cash"
	Terminal    = "terminal"
)

// QueuePromise writes, in a batch that the caller sends, that an order will be paid when it is collected.
func QueuePromise(batch *pgx.Batch, orderID, amount int64) {
	batch.Queue(`
		INSERT INTO tender (order_id, kind, authorised)
		VALUES ($1, 'pay_at_pickup', $2)`, orderID, amount)
}

// Take records money that was taken at the counter, and that the promise is kept. Amounts in minor units; given is the cash that
// was laid down, or 0.
func Take(ctx context.Context, tx pgx.Tx, orderID int64, kind string, amount, given, associateID int64) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO tender (order_id, kind, authorised, captured, given, associate_id)
		VALUES ($1, $2, $3, $3, nullif($4::bigint, 0), $5)`, orderID, kind, amount, given, associateID)
	if err != nil {
		return fmt.Errorf("take a payment: %w", err)
	}
	return EndPromise(ctx, tx, orderID)
}

// EndPromise says that nothing is to be paid at pickup any more.
func EndPromise(ctx context.Context, tx pgx.Tx, orderID int64) error {
	_, err := tx.Exec(ctx, `
		UPDATE tender
		SET settled_at = now()
		WHERE order_id = $1 AND kind = 'pay_at_pickup' AND settled_at IS NULL`, orderID)
	if err != nil {
		return fmt.Errorf("end a promise to pay: %w", err)
	}
	return nil
}
