// Package cart is what somebody means to buy: one open cart a customer, the same in the browser and at the counter.
package cart

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"counterpart/internal/domain/origin"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/pg"
)

// MaxQuantity of one variant in a cart.
const MaxQuantity = 99

// MaxLines keeps a cart a cart.
const MaxLines = 100

// Open gives the customer's open cart, making it where there is none; the two who race for that get the same one. The
// row is locked, so what follows sees no other change. Somebody who became part of another profile has no cart of their
// own: the customer's row is held against that.
func Open(ctx context.Context, tx pgx.Tx, customerID, locationID int64, channel origin.Channel) (id int64, err error) {
	batch := &pgx.Batch{}
	QueueOpen(batch, customerID, locationID, channel, &id)
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return 0, fmt.Errorf("open a cart: %w", err)
	}
	if id == 0 {
		return 0, ErrNoCustomer
	}
	return id, nil
}

// ErrNoCustomer says that whoever should have a cart is nobody any more.
var ErrNoCustomer = fault.New(fault.NotFound, "This customer no longer exists. Search for them again.")

// QueueOpen is Open in a batch that the caller sends. The id stays 0 where there is no such customer.
func QueueOpen(batch *pgx.Batch, customerID, locationID int64, channel origin.Channel, id *int64) {
	batch.Queue(`
		INSERT INTO cart AS c (customer_id, code, channel, location_id)
		SELECT id, $2, $3, nullif($4::bigint, 0)
		FROM customer
		WHERE id = $1 AND merged_into IS NULL AND erased_at IS NULL
		FOR KEY SHARE
		ON CONFLICT (customer_id) WHERE state = 'open' DO UPDATE
		SET updated_at = now(), location_id = coalesce(c.location_id, excluded.location_id)
		RETURNING id`, customerID, NewCode(), channel, locationID).QueryRow(func(row pgx.Row) error {
		if err := row.Scan(id); !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		return nil
	})
}

// NewCode is eight characters that are hard to mistake for one another, 40 bits: enough with counted tries.
func NewCode() string {
	const letters = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ" // 32 of them: no 0, 1, I, O
	b := make([]byte, 8)
	rand.Read(b)
	for i := range b {
		b[i] = letters[b[i]%32]
	}
	return string(b)
}

// ReadCode is a cart code as it is stored, from how it is typed or read aloud. False when it cannot be one.
func ReadCode(typed string) (string, bool) {
	code := strings.ToUpper(strings.NewReplacer(" ", "", "-", "").Replace(strings.TrimSpace(typed)))
	if len(code) != 8 || strings.Trim(code, "23456789ABCDEFGHJKLMNPQRSTUVWXYZ") != "" {
		return "", false
	}
	return code, true
}

// NewLine is what is added to a cart. SoldAt is the location at whose counter it lies; 0: it is none.
type NewLine struct {
	VariantID int64
	Quantity  int
	Channel   origin.Channel
	SoldAt    int64
}

// Add puts units of a variant into a cart. What is there already is added to, up to MaxQuantity. What somebody holds in
// their hand at a counter is a line of its own: it is sold there, and waits for nothing. soldAt is that counter's
// location; 0: there is none.
func Add(ctx context.Context, tx pgx.Tx, cartID int64, l NewLine) error {
	batch, added := &pgx.Batch{}, false
	l.queue(batch, `c.id = $1`, cartID, &added)
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("add to a cart: %w", err)
	}
	if !added {
		return ErrNotAdded
	}
	return nil
}

// ErrNotAdded says that a line could not be put into a cart.
var ErrNotAdded = fault.New(fault.Conflict, "We can’t add this: it’s no longer available, or the cart is full.")

// QueueAdd is Add to a customer's open cart, in a batch that the caller sends.
func QueueAdd(batch *pgx.Batch, customerID int64, l NewLine, added *bool) {
	l.queue(batch, `c.customer_id = $1`, customerID, added)
}

func (l NewLine) queue(batch *pgx.Batch, which string, id int64, added *bool) {
	batch.Queue(`
		INSERT INTO cart_line AS l (cart_id, variant_id, quantity, channel, sold_at, method)
		SELECT c.id, v.id, $3, $4, nullif($7::bigint, 0), CASE WHEN p.pickup OR $7 <> 0 THEN 'pickup' ELSE 'ship' END
		FROM cart c, variant v
		JOIN product p ON p.id = v.product_id
		WHERE `+which+` AND c.state = 'open' AND v.id = $2 AND v.active AND p.status = 'active'
			AND ((SELECT count(*) FROM cart_line WHERE cart_id = c.id) < $6 OR EXISTS (SELECT FROM cart_line
				WHERE cart_id = c.id AND variant_id = v.id))
		ON CONFLICT (cart_id, variant_id, (coalesce(sold_at, 0))) DO UPDATE
			SET quantity = least(l.quantity + excluded.quantity, $5)`,
		id, l.VariantID, l.Quantity, l.Channel, MaxQuantity, MaxLines, l.SoldAt).Exec(func(tag pgconn.CommandTag) error {
		*added = tag.RowsAffected() == 1
		return nil
	})
}

// SetQuantity changes a line of the customer's open cart; zero takes it out. A line that is not theirs is not found,
// nor one of a sale that is made at another counter than soldAt (0: at none).
func SetQuantity(ctx context.Context, db pg.DB, customerID, lineID int64, quantity int, soldAt int64) error {
	tag, err := db.Exec(ctx, `
		WITH open AS (
			UPDATE cart
			SET updated_at = now()
			WHERE customer_id = $1 AND state = 'open' AND id = (SELECT cart_id FROM cart_line WHERE id = $2
				AND coalesce(sold_at, 0) = $4)
			RETURNING id),
		gone AS (
			DELETE FROM cart_line
			WHERE id = $2 AND $3 = 0 AND cart_id = (SELECT id FROM open)),
		kept AS (
			UPDATE cart_line
			SET quantity = $3
			WHERE id = $2 AND $3 > 0 AND cart_id = (SELECT id FROM open)),
		told AS (
			SELECT pg_notify('counterpart', 'customer:' || $1::bigint))
		SELECT (SELECT count(*) FROM told) FROM open`, customerID, lineID, quantity, soldAt)
	if err != nil {
		return fmt.Errorf("change a cart: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return fault.New(fault.NotFound, "That item is no longer in the cart.")
	}
	return nil
}

// CollectAt says at which store the customer's open cart will be collected.
func CollectAt(ctx context.Context, db pg.DB, customerID, locationID int64) error {
	_, err := db.Exec(ctx, `
		UPDATE cart
		SET location_id = $2, updated_at = now()
		WHERE customer_id = $1 AND state = 'open' AND location_id IS DISTINCT FROM $2`, customerID, locationID)
	if err != nil {
		return fmt.Errorf("choose the cart's store: %w", err)
	}
	return nil
}

// QueueLock holds the customer and their open cart, in this order, until the transaction ends, in a batch that the
// caller sends.
func QueueLock(batch *pgx.Batch, customerID int64) {
	batch.Queue(`
		SELECT id
		FROM customer
		WHERE id = $1
		FOR NO KEY UPDATE`, customerID)
	batch.Queue(`
		SELECT id
		FROM cart
		WHERE customer_id = $1 AND state = 'open'
		FOR UPDATE`, customerID)
}

// QueueOrdered closes a cart in a batch that the caller sends: it made its order, of what was sold at a counter or,
// with 0, of what was sold at none. The rest goes on in a cart of its own.
func QueueOrdered(batch *pgx.Batch, cartID, soldAt int64) {
	batch.Queue(`
		UPDATE cart
		SET state = 'ordered', updated_at = now()
		WHERE id = $1 AND state = 'open'`, cartID)
	batch.Queue(`
		WITH next AS (
			INSERT INTO cart (customer_id, code, channel, location_id, country, region, delivery_id)
			SELECT customer_id, $3, channel, location_id, country, region, delivery_id
			FROM cart
			WHERE id = $1 AND EXISTS (SELECT FROM cart_line WHERE cart_id = $1 AND coalesce(sold_at, 0) <> $2)
			RETURNING id)
		UPDATE cart_line
		SET cart_id = next.id
		FROM next
		WHERE cart_line.cart_id = $1 AND coalesce(sold_at, 0) <> $2`, cartID, soldAt, NewCode())
}

// TakeInHand moves lines of the customer's open cart into the sale at a counter; 0: all of them.
func TakeInHand(ctx context.Context, db pg.DB, customerID, lineID, soldAt int64) error {
	_, err := db.Exec(ctx, `
		WITH taken AS (
			DELETE FROM cart_line
			WHERE ($2 = 0 OR id = $2) AND sold_at IS NULL AND cart_id = (SELECT id FROM cart WHERE customer_id = $1
				AND state = 'open' FOR UPDATE)
			RETURNING *)
		INSERT INTO cart_line AS l (cart_id, variant_id, quantity, channel, added_at, note, sold_at)
		SELECT cart_id, variant_id, quantity, channel, added_at, note, $4
		FROM taken
		ORDER BY variant_id
		ON CONFLICT (cart_id, variant_id, (coalesce(sold_at, 0))) DO UPDATE
			SET quantity = least(l.quantity + excluded.quantity, $3)`, customerID, lineID, MaxQuantity, soldAt)
	if err != nil {
		return fmt.Errorf("take lines into a sale: %w", err)
	}
	return nil
}
