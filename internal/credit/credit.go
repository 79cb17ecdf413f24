// Package credit is what the shop owes a customer, to be spent with the shop.
package credit

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Give adds an amount to what a customer may spend, in minor units, for a cause of the ledger: given, restored, refunded.
func Give(ctx context.Context, tx pgx.Tx, customerID int64, currency string, amount int64, cause string, orderID, associateID int64) error {
	_, err := tx.Exec(ctx, `
		WITH account AS (
			INSERT INTO credit AS c (customer_id, currency, balance)
			VALUES ($1, $2, $3)
			ON CONFLICT (customer_id, currency) DO UPDATE SET balance = c.balance + excluded.balance
			RETURNING customer_id, currency)
		INSERT INTO credit_entry (customer_id, currency, delta, cause, order_id, associate_id)
		SELECT customer_id, currency, $3, $4, nullif($5::bigint, 0), nullif($6::bigint, 0)
		FROM account`, customerID, currency, amount, cause, orderID, associateID)
	if err != nil {
		return fmt.Errorf("give credit: %w", err)
	}
	return nil
}

// QueueSpend takes an amount, in a batch that the caller sends. Where there is less, gone is called, and the transaction must not be kept.
func QueueSpend(batch *pgx.Batch, customerID int64, currency string, amount, orderID int64, gone func()) {
	batch.Queue(`
		WITH account AS (
			UPDATE credit
			SET balance = balance - $3
			WHERE customer_id = $1 AND currency = $2 AND balance >= $3
			RETURNING customer_id, currency)
		INSERT INTO credit_entry (customer_id, currency, delta, cause, order_id)
		SELECT customer_id, currency, -$3, 'spent', $4
		FROM account`, customerID, currency, amount, orderID).Exec(func(tag pgconn.CommandTag) error {
		if tag.RowsAffected() == 0 {
			gone()
		}
		return nil
	})
}
