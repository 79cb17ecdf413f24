package cart

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/origin"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/pg"
)

// Lists of things that somebody wants, but not now.
const (
	WishList = "wish"
	Later    = "later"
)

// MaxWishes keeps a list one that can be looked through.
const MaxWishes = 200

var errListFull = fault.New(fault.Conflict, "We can’t save this: it’s no longer available, or the list is full.")

// Wish puts a variant on a list. What is on it already stays as it was.
func Wish(ctx context.Context, tx pgx.Tx, customerID, variantID int64, list string, channel origin.Channel) error {
	tag, err := tx.Exec(ctx, `
		INSERT INTO wish AS w (customer_id, list, variant_id, channel)
		SELECT $1, $2, v.id, $4
		FROM variant v
		JOIN product p ON p.id = v.product_id
		WHERE v.id = $3 AND v.active AND p.status = 'active' AND (SELECT count(*) FROM wish WHERE customer_id = $1
			AND list = $2) < $5
		ON CONFLICT (customer_id, list, variant_id) DO UPDATE SET channel = w.channel`, customerID, list, variantID,
		channel, MaxWishes)
	if err != nil {
		return fmt.Errorf("wish for something: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return errListFull
	}
	return nil
}

// Unwish takes a variant off a list.
func Unwish(ctx context.Context, db pg.DB, customerID, variantID int64, list string) error {
	_, err := db.Exec(ctx, `
		DELETE FROM wish
		WHERE customer_id = $1 AND list = $2 AND variant_id = $3`, customerID, list, variantID)
	if err != nil {
		return fmt.Errorf("take off a list: %w", err)
	}
	return nil
}

// SaveForLater moves lines of the customer's open cart to the list of what is kept for later. A line that is not theirs
// is not found.
func SaveForLater(ctx context.Context, tx pgx.Tx, customerID int64, lines ...int64) error {
	tag, err := tx.Exec(ctx, `
		WITH line AS (
			DELETE FROM cart_line
			WHERE id = ANY($2) AND cart_id = (SELECT id FROM cart WHERE customer_id = $1 AND state = 'open')
			RETURNING variant_id, quantity, channel)
		INSERT INTO wish AS w (customer_id, list, variant_id, quantity, channel)
		SELECT $1, 'later', variant_id, quantity, channel
		FROM line
		ON CONFLICT (customer_id, list, variant_id) DO UPDATE SET quantity = least(w.quantity + excluded.quantity, 99)`,
		customerID, lines)
	if err != nil {
		return fmt.Errorf("save for later: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return fault.New(fault.NotFound, "That item is no longer in the cart.")
	}
	return nil
}

// FromList moves a variant from a list into the customer's open cart; from the wish list it is copied.
func FromList(ctx context.Context, tx pgx.Tx, customerID, variantID int64, list string, channel origin.Channel) error {
	var quantity int
	err := tx.QueryRow(ctx, `
		SELECT coalesce((SELECT quantity FROM wish WHERE customer_id = $1 AND list = $2 AND variant_id = $3 FOR UPDATE),
			0)`, customerID, list, variantID).Scan(&quantity)
	if err != nil {
		return fmt.Errorf("read a list: %w", err)
	}
	if quantity == 0 {
		return fault.New(fault.NotFound, "That’s no longer on the list.")
	}
	cartID, err := Open(ctx, tx, customerID, 0, channel)
	if err != nil {
		return err
	}
	if err := Add(ctx, tx, cartID, NewLine{VariantID: variantID, Quantity: quantity, Channel: channel}); err != nil {
		return err
	}
	if list == Later {
		return Unwish(ctx, tx, customerID, variantID, list)
	}
	return nil
}

// WishMove is a row of a list that a merge gave to somebody else, or took away because they had it too.
type WishMove struct {
	ID        int64
	Dropped   bool
	List      string
	VariantID int64
	Quantity  int
	Channel   origin.Channel
	AddedAt   time.Time
}

// MoveWishes gives the lists of one customer to another.
func MoveWishes(ctx context.Context, tx pgx.Tx, from, into int64) ([]WishMove, error) {
	rows, err := tx.Query(ctx, `
		WITH both_have AS (
			DELETE FROM wish w
			WHERE w.customer_id = $1 AND EXISTS (SELECT FROM wish o WHERE o.customer_id = $2 AND o.list = w.list
				AND o.variant_id = w.variant_id)
			RETURNING *),
		moved AS (
			UPDATE wish w
			SET customer_id = $2
			WHERE w.customer_id = $1 AND NOT EXISTS (SELECT FROM wish o WHERE o.customer_id = $2 AND o.list = w.list
				AND o.variant_id = w.variant_id)
			RETURNING *)
		SELECT id, true AS dropped, list, variant_id, quantity, channel, added_at FROM both_have
		UNION ALL
		SELECT id, false, list, variant_id, quantity, channel, added_at FROM moved`, from, into)
	if err != nil {
		return nil, fmt.Errorf("move lists: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[WishMove])
}

// ReturnWishes takes MoveWishes back. What was taken off the list meanwhile stays off.
func ReturnWishes(ctx context.Context, tx pgx.Tx, from, into int64, moves []WishMove) error {
	batch := &pgx.Batch{}
	for _, m := range moves {
		if !m.Dropped {
			batch.Queue(`
				UPDATE wish
				SET customer_id = $3
				WHERE id = $1 AND customer_id = $2`, m.ID, from, into)
			continue
		}
		batch.Queue(`
			INSERT INTO wish (id, customer_id, list, variant_id, quantity, channel, added_at)
			OVERRIDING SYSTEM VALUE
			SELECT $1, $2, $3, $4, $5, $6, $7
			ON CONFLICT DO NOTHING`, m.ID, into, m.List, m.VariantID, m.Quantity, m.Channel, m.AddedAt)
	}
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("return lists: %w", err)
	}
	return nil
}

// Forget takes the lists and open carts of customers away. A cart that made an order names nobody and stays with it.
func Forget(ctx context.Context, tx pgx.Tx, customers []int64) error {
	batch := &pgx.Batch{}
	batch.Queue(`DELETE FROM wish WHERE customer_id = ANY($1)`, customers)
	batch.Queue(`DELETE FROM cart WHERE customer_id = ANY($1) AND state <> 'ordered'`, customers)
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("forget carts: %w", err)
	}
	return nil
}
