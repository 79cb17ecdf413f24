package order

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/platform/money"
)

// Reducible is a unit or a delivery of an order that stays with the customer, and what of it may still go back in money.
type Reducible struct {
	LineID       int64 // 0: it is a delivery
	Ordered      int64 // the line as it was ordered, before it was split
	N            int
	FulfilmentID int64 // of a delivery
	Paid, Tax    int64
	Allowed      int64
	AllowedTax   int64
	Most         int64
}

// Reducibles are the units and deliveries of a locked order whose price may be reduced. What was paid in points is not
// money and stays; a gift card is worth what was paid for it.
func Reducibles(ctx context.Context, tx pgx.Tx, orderID int64) ([]Reducible, error) {
	rows, err := tx.Query(ctx, `
		SELECT l.id AS line_id, coalesce(l.split_from, l.id) AS ordered, u.n, 0::bigint AS fulfilment_id, u.paid, u.tax,
			u.allowed, u.allowed_tax, u.paid - u.by_points - u.allowed AS most
		FROM order_line l
		JOIN fulfilment f ON f.id = l.fulfilment_id
		JOIN order_unit u ON u.order_line_id = l.id
		WHERE l.order_id = $1 AND f.method <> 'mail' AND u.state <> 'cancelled' AND u.paid - u.by_points > u.allowed
			AND NOT EXISTS (SELECT FROM returned_unit r WHERE r.order_line_id = u.order_line_id AND r.n = u.n)
		UNION ALL
		SELECT 0, 0, 0, id, paid, tax, allowed, allowed_tax, paid - allowed
		FROM fulfilment
		WHERE order_id = $1 AND state <> 'cancelled' AND NOT refunded AND paid > allowed
		ORDER BY 1, 3, 4`, orderID)
	if err != nil {
		return nil, fmt.Errorf("list what a price can be reduced of: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[Reducible])
}

// Allow reduces what units and deliveries of a locked order cost by an amount, each in proportion to what may go back of
// it. They have to hold as much.
func Allow(ctx context.Context, tx pgx.Tx, orderID, associateID, amount int64, of []Reducible) error {
	var id int64
	if err := tx.QueryRow(ctx, `
		INSERT INTO allowance (order_id, amount, associate_id)
		VALUES ($1, $2, $3)
		RETURNING id`, orderID, amount, associateID).Scan(&id); err != nil {
		return fmt.Errorf("write an allowance: %w", err)
	}
	batch := &pgx.Batch{}
	weights := make([]int64, len(of))
	for i, r := range of {
		weights[i] = r.Most
	}
	for i, share := range money.Split(amount, weights) {
		r := of[i]
		if share == 0 {
			continue
		}
		// The tax of what is left stays in proportion to it.
		tax := r.Tax - r.AllowedTax - money.Split(r.Tax, []int64{r.Paid - r.Allowed - share, r.Allowed + share})[0]
		batch.Queue(`
			INSERT INTO allowance_share (allowance_id, order_line_id, n, fulfilment_id, amount, tax)
			VALUES ($1, nullif($2::bigint, 0), nullif($3::integer, 0), nullif($4::bigint, 0), $5, $6)`, id, r.Ordered,
			r.N, r.FulfilmentID, share, tax)
		if r.LineID != 0 {
			batch.Queue(`
				UPDATE order_unit
				SET allowed = allowed + $3, allowed_tax = allowed_tax + $4
				WHERE order_line_id = $1 AND n = $2`, r.LineID, r.N, share, tax)
		} else {
			batch.Queue(`
				UPDATE fulfilment
				SET allowed = allowed + $2, allowed_tax = allowed_tax + $3
				WHERE id = $1`, r.FulfilmentID, share, tax)
		}
	}
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("reduce a price: %w", err)
	}
	return nil
}
