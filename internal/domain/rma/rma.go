// Package rma is a return that was made (the trade says return merchandise authorisation): which units came back, why and in which condition, and what was given back
// for them. Amounts are minor units of the order's currency.
package rma

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/origin"
	"counterpart/internal/platform/pg"
)

// Reasons for which something comes back, and grades in which it does.
var (
	Reasons = []string{"changed_mind", "too_small", "too_large", "not_as_described", "damaged", "faulty", "late",
		"other", "unknown"}
	Grades = []string{"sellable", "on_hold", "damaged"}
)

// Unit is one that was handed over and is not back.
type Unit struct {
	LineID    int64
	VariantID int64
	N         int
	Paid      int64
	Tax       int64
	Listed    int64 // its price when it was sold, before promotions
	Points    int64
	Allowed   int64 // of its price, went back before
	GiftCard  bool
	Late      bool // the return window is closed
}

// Returnable are the units of an order's line that can come back, at most so many. Of gift cards, those that nobody
// spent of come first.
func Returnable(ctx context.Context, tx pgx.Tx, orderID, lineID int64, most int) ([]Unit, error) {
	rows, err := tx.Query(ctx, `
		SELECT l.id AS line_id, l.variant_id, u.n, u.paid - u.allowed AS paid, u.tax - u.allowed_tax AS tax,
			coalesce(nullif(l.list_price, 0), l.unit_price) AS listed, u.points, u.allowed, f.method = 'mail' AS gift_card,
			coalesce(f.collected_at, f.shipped_at) < now() - make_interval(days => (
				SELECT return_days_of(customer_id) FROM orders WHERE id = l.order_id)) AS late
		FROM order_line l
		JOIN fulfilment f ON f.id = l.fulfilment_id
		JOIN order_unit u ON u.order_line_id = l.id
		WHERE l.id = $1 AND l.order_id = $2 AND u.state IN ('collected', 'carried_out', 'shipped')
			AND NOT EXISTS (SELECT FROM returned_unit r WHERE r.order_line_id = l.id AND r.n = u.n)
		ORDER BY EXISTS (SELECT FROM gift_card g WHERE g.order_line_id = l.id AND g.n = u.n
			AND g.balance < g.issued), u.n
		LIMIT $3`, lineID, orderID, most)
	if err != nil {
		return nil, fmt.Errorf("find units to return: %w", err)
	}
	units, err := pgx.CollectRows(rows, pgx.RowToStructByName[Unit])
	if err != nil {
		return nil, fmt.Errorf("find units to return: %w", err)
	}
	return units, nil
}

// Exists says whether the return that a form names was made already.
func Exists(ctx context.Context, db pg.DB, form string) (made bool, err error) {
	if err = db.QueryRow(ctx, `SELECT EXISTS (SELECT FROM return_ticket WHERE form = $1)`,
		form).Scan(&made); err != nil {
		return false, fmt.Errorf("look for a return: %w", err)
	}
	return made, nil
}

// Returned is a unit as it comes back.
type Returned struct {
	Unit
	Reason    string
	Grade     string
	Restocked bool
}

// New is a return to be written. Form names it, so that one sent twice is made once.
type New struct {
	Form        string
	OrderID     int64
	ApprovedBy  int64
	Goods       int64
	PointsTaken int64
	Units       []Returned
}

// Open writes a return with its units. What is given back for them is not known yet.
func Open(ctx context.Context, tx pgx.Tx, at origin.Origin, n New) (id, number int64, err error) {
	err = tx.QueryRow(ctx, `
		INSERT INTO return_ticket (form, order_id, location_id, channel, associate_id, approved_by, goods, points_taken,
			refund)
		VALUES (@form, @order, @location, @channel, @associate, nullif(@approved::bigint, 0), @goods, @taken, 0)
		RETURNING id, number`, pgx.NamedArgs{"form": n.Form, "order": n.OrderID, "location": at.LocationID,
		"channel": at.Channel, "associate": at.AssociateID, "approved": n.ApprovedBy, "goods": n.Goods,
		"taken": n.PointsTaken}).Scan(&id, &number)
	if err != nil {
		return 0, 0, fmt.Errorf("write a return: %w", err)
	}
	batch := &pgx.Batch{}
	for _, u := range n.Units {
		batch.Queue(`
			INSERT INTO returned_unit (order_line_id, n, return_id, reason, grade, restocked)
			VALUES ($1, $2, $3, $4, $5, $6)`, u.LineID, u.N, id, u.Reason, u.Grade, u.Restocked)
	}
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return 0, 0, fmt.Errorf("write the units of a return: %w", err)
	}
	return id, number, nil
}

// Adjust writes what is added to the worth of the goods, and what is kept from it.
func Adjust(ctx context.Context, tx pgx.Tx, id, delivery, shortfall int64) error {
	_, err := tx.Exec(ctx, `
		UPDATE return_ticket
		SET delivery = $2, shortfall = $3
		WHERE id = $1`, id, delivery, shortfall)
	if err != nil {
		return fmt.Errorf("write a return: %w", err)
	}
	return nil
}

// Outcome is what was given back, and for what.
type Outcome struct {
	Refund      int64
	PointsBack  int64 // that were spent
	PointsTaken int64 // that were earned
	ExchangeID  int64 // the order of what they took instead
}

// Close writes what was given back.
func Close(ctx context.Context, tx pgx.Tx, id int64, o Outcome) error {
	_, err := tx.Exec(ctx, `
		UPDATE return_ticket
		SET refund = $2, points_back = $3, exchange_id = nullif($4::bigint, 0), points_taken = $5
		WHERE id = $1`, id, o.Refund, o.PointsBack, o.ExchangeID, o.PointsTaken)
	if err != nil {
		return fmt.Errorf("write a return: %w", err)
	}
	return nil
}

// RefundedUnapproved is what was given back of an order within a day without anybody's approval, but for one return:
// three small returns are one large one.
func RefundedUnapproved(ctx context.Context, db pg.DB, orderID, except int64) (amount int64, err error) {
	err = db.QueryRow(ctx, `
		SELECT coalesce(sum(refund), 0)::bigint
		FROM return_ticket
		WHERE order_id = $1 AND approved_by IS NULL AND at > now() - interval '1 day' AND id <> $2`, orderID,
		except).Scan(&amount)
	if err != nil {
		return 0, fmt.Errorf("read the refunds of an order: %w", err)
	}
	return amount, nil
}
