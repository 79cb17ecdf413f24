// Package payment is how an order is paid: tenders, each a way of paying a part of it, and attempts at a gateway.
package payment

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Kinds of tender, and ways of giving back.
const (
	PayAtPickup = "pay_at_pickup"
	Cash        = "cash"
	Terminal    = "terminal"
	Card        = "card"
	PayLater    = "pay_later"
	GiftCard    = "gift_card"
	Credit      = "credit"
	Points      = "points"
	Exchange    = "exchange"
)

// New is a tender to be written. Amounts are minor units.
type New struct {
	Kind        string
	Amount      int64
	Captured    bool // it is here already
	PaymentID   int64
	GiftCardID  int64
	Points      int64
	Given       int64 // cash that was laid down, or 0
	AssociateID int64
}

// Queue writes a tender of an order, in a batch that the caller sends.
func Queue(batch *pgx.Batch, orderID int64, n New) {
	batch.Queue(`
		INSERT INTO tender (order_id, kind, authorised, captured, payment_id, gift_card_id, points, given, associate_id)
		VALUES (@order, @kind, @amount, CASE WHEN @captured THEN @amount ELSE 0::bigint END, nullif(@payment::bigint,
			0), nullif(@card::bigint, 0), nullif(@points::integer, 0),
			nullif(@given::bigint, 0), nullif(@associate::bigint, 0))`, pgx.NamedArgs{"order": orderID, "kind": n.Kind,
		"amount": n.Amount, "captured": n.Captured, "payment": n.PaymentID,
		"card": n.GiftCardID, "points": n.Points, "given": n.Given, "associate": n.AssociateID})
}

// Tender is a way in which a part of an order is paid.
type Tender struct {
	ID         int64
	Kind       string
	Authorised int64
	Captured   int64
	Refunded   int64
	PaymentID  int64
	GiftCardID int64
	Points     int64
	PointsBack int64
}

// Tenders of an order, oldest first, but for promises to pay at pickup.
func Tenders(ctx context.Context, tx pgx.Tx, orderID int64) ([]Tender, error) {
	rows, err := tx.Query(ctx, `
		SELECT id, kind, authorised, captured, refunded, coalesce(payment_id, 0) AS payment_id, coalesce(gift_card_id,
			0) AS gift_card_id,
			coalesce(points, 0) AS points, points_back
		FROM tender
		WHERE order_id = $1 AND kind <> 'pay_at_pickup'
		ORDER BY id`, orderID)
	if err != nil {
		return nil, fmt.Errorf("list tenders: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[Tender])
}

// Capture says how much of a tender was taken. What was authorised beyond that is let go.
func Capture(ctx context.Context, tx pgx.Tx, tenderID, amount int64) error {
	_, err := tx.Exec(ctx, `
		UPDATE tender
		SET captured = $2
		WHERE id = $1 AND captured = 0`, tenderID, amount)
	if err != nil {
		return fmt.Errorf("capture a tender: %w", err)
	}
	return nil
}

// EndPayAtPickup says that nothing is to be paid at pickup any more.
func EndPayAtPickup(ctx context.Context, tx pgx.Tx, orderID int64) error {
	_, err := tx.Exec(ctx, `
		UPDATE tender
		SET settled_at = now()
		WHERE order_id = $1 AND kind = 'pay_at_pickup' AND settled_at IS NULL`, orderID)
	if err != nil {
		return fmt.Errorf("end a promise to pay: %w", err)
	}
	return nil
}

// Refund is what goes back of a tender.
type Refund struct {
	TenderID    int64
	ReturnID    int64 // 0: units were cancelled
	How         string
	Amount      int64
	Points      int64 // of a tender in points
	PaymentID   int64 // through whose gateway, or 0
	AssociateID int64
}

// Give counts a refund against its tender, which refuses what it does not have, and writes it down: asked where a
// gateway has to do it, done where it is done by being written. It answers the transfer that is to be made, or 0.
func (r Refund) Give(ctx context.Context, tx pgx.Tx) (transferID int64, err error) {
	tag, err := tx.Exec(ctx, `
		UPDATE tender
		SET refunded = refunded + $2, points_back = points_back + $3
		WHERE id = $1 AND refunded + $2 <= captured`, r.TenderID, r.Amount, r.Points)
	if err != nil {
		return 0, fmt.Errorf("count a refund: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return 0, fmt.Errorf("refund %d of tender %d: it has less", r.Amount, r.TenderID)
	}
	if r.PaymentID != 0 {
		if transferID, err = RequestTransfer(ctx, tx, Transfer{PaymentID: r.PaymentID, TenderID: r.TenderID,
			Kind: ToRefund, Amount: r.Amount}); err != nil {
			return 0, err
		}
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO refund (tender_id, return_id, transfer_id, how, amount, state, settled_at, associate_id)
		VALUES (@tender, nullif(@return::bigint, 0), nullif(@transfer::bigint, 0), @how, @amount, CASE
			WHEN @transfer::bigint = 0 THEN 'done' ELSE 'asked' END,
			CASE WHEN @transfer::bigint = 0 THEN now() END, nullif(@associate::bigint, 0))`,
		pgx.NamedArgs{"tender": r.TenderID, "return": r.ReturnID, "transfer": transferID, "how": r.How,
			"amount": r.Amount, "associate": r.AssociateID})
	if err != nil {
		return 0, fmt.Errorf("write a refund: %w", err)
	}
	return transferID, nil
}

// PointsBack counts points that went back of a tender that was not taken, or not wholly.
func PointsBack(ctx context.Context, tx pgx.Tx, tenderID, points int64) error {
	_, err := tx.Exec(ctx, `
		UPDATE tender
		SET points_back = points_back + $2
		WHERE id = $1`, tenderID, points)
	if err != nil {
		return fmt.Errorf("count points that go back: %w", err)
	}
	return nil
}
