// Package credit is what the shop owes a customer, to be spent with the shop.
package credit

import (
	"context"
	"fmt"

	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/text"

	"github.com/jackc/pgx/v5"
)

// Grant is an amount, in minor units, that a customer may spend with the shop, for a cause of the ledger: given,
// restored, refunded.
type Grant struct {
	CustomerID  int64
	Currency    string
	Amount      int64
	Cause       string
	OrderID     int64
	AssociateID int64
}

// Give adds a grant to what a customer has.
func Give(ctx context.Context, tx pgx.Tx, g Grant) error {
	_, err := tx.Exec(ctx, `
		WITH account AS (
			INSERT INTO credit AS c (customer_id, currency, balance)
			VALUES ($1, $2, $3)
			ON CONFLICT (customer_id, currency) DO UPDATE SET balance = c.balance + excluded.balance
			RETURNING customer_id, currency)
		INSERT INTO credit_entry (customer_id, currency, delta, cause, order_id, associate_id)
		SELECT customer_id, currency, $3, $4, nullif($5::bigint, 0), nullif($6::bigint, 0)
		FROM account`, g.CustomerID, g.Currency, g.Amount, g.Cause, g.OrderID,
		g.AssociateID)
	if err != nil {
		return fmt.Errorf("give credit: %w", err)
	}
	return nil
}

// Spend takes an amount from what a person has: from all the customers that they are together, the oldest first. Where
// there is less, the work says so by what.
func Spend(w *pg.Work, what text.Message, person int64, currency string, amount, orderID int64) {
	w.Guard(what, `
		WITH mine AS (
			SELECT customer_id, balance
			FROM credit
			WHERE customer_id IN (SELECT member FROM person_members($1) AS member) AND currency = $2
			ORDER BY customer_id
			FOR UPDATE),
		part AS (
			SELECT customer_id, least(balance, greatest(0,
				$3::bigint - (sum(balance) OVER (ORDER BY customer_id) - balance)))::bigint AS amount,
				sum(balance) OVER () AS total
			FROM mine),
		spent AS (
			UPDATE credit c
			SET balance = c.balance - part.amount
			FROM part
			WHERE c.customer_id = part.customer_id AND c.currency = $2 AND part.amount > 0 AND part.total >= $3
			RETURNING c.customer_id, part.amount)
		INSERT INTO credit_entry (customer_id, currency, delta, cause, order_id)
		SELECT customer_id, $2, -amount, 'spent', $4
		FROM spent`, person, currency, amount, orderID)
}
