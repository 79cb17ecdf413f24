package cart

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/origin"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/pg"
)

var errLineGone = fault.New(fault.NotFound, "That item is no longer in the cart.")

// Way is how a line is to be had.
type Way struct {
	Method     string // ship or pickup
	LocationID int64  // where it is collected; 0: at the cart's own store, of a sale: carried out
	SoldAt     int64  // the counter where the sale is made, or 0
}

// SetWay says how a line of the customer's open cart is to be had. A line that is not theirs is not found, nor one
// of a sale that is made at another counter.
func SetWay(ctx context.Context, db pg.DB, customerID, lineID int64, w Way) error {
	if w.Method != "ship" && w.Method != "pickup" {
		return fault.New(fault.Invalid, "Choose collection or delivery.")
	}
	tag, err := db.Exec(ctx, `
		WITH open AS (
			UPDATE cart
			SET updated_at = now()
			WHERE customer_id = $1 AND state = 'open' AND id = (SELECT cart_id FROM cart_line WHERE id = $2
				AND coalesce(sold_at, 0) = $5)
			RETURNING id),
		told AS (
			SELECT pg_notify('counterpart', 'customer:' || $1::bigint) FROM open)
		UPDATE cart_line
		SET method = $3, location_id = CASE WHEN $3 = 'pickup' THEN (SELECT id FROM location WHERE id = $4
			AND kind = 'store') END
		WHERE id = $2 AND cart_id = (SELECT id FROM open) AND (SELECT count(*) FROM told) = 1
			AND ($4::bigint = 0 OR $4 = $5 OR EXISTS ( -- where prices or taxes are others, it would be another sale
				SELECT
				FROM cart c
				CROSS JOIN LATERAL home_location(c.location_id, $5::bigint) home
				JOIN location at ON at.id = $4 AND at.kind = 'store' AND at.pickup AND at.currency = home.currency
					AND at.tax_included = home.tax_included
				WHERE c.id = (SELECT id FROM open)))`, customerID, lineID, w.Method, w.LocationID, w.SoldAt)
	if err != nil {
		return fmt.Errorf("choose how to have a line: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return errLineGone
	}
	return nil
}

// SetDelivery has the line of a variant sent.
func SetDelivery(ctx context.Context, tx pgx.Tx, cartID, variantID int64) error {
	_, err := tx.Exec(ctx, sendLine+`$1`, cartID, variantID)
	if err != nil {
		return fmt.Errorf("have a line sent: %w", err)
	}
	return nil
}

// QueueDelivery is SetDelivery in a customer's open cart, in a batch that the caller sends.
func QueueDelivery(batch *pgx.Batch, customerID, variantID int64) {
	batch.Queue(sendLine+`(SELECT id FROM cart WHERE customer_id = $1 AND state = 'open')`, customerID, variantID)
}

const sendLine = `
	UPDATE cart_line
	SET method = 'ship', location_id = NULL
	WHERE variant_id = $2 AND sold_at IS NULL AND cart_id = `

// SetNote writes what somebody wants said about a line; of a gift card whom it is mailed to.
func SetNote(ctx context.Context, db pg.DB, customerID, lineID int64, note string) error {
	if utf8.RuneCountInString(note) > 300 {
		return fault.New(fault.Invalid, "That note is too long. Use up to 300 characters.")
	}
	tag, err := db.Exec(ctx, `
		UPDATE cart_line
		SET note = $3
		WHERE id = $2 AND cart_id = (SELECT id FROM cart WHERE customer_id = $1 AND state = 'open')`, customerID,
		lineID, note)
	if err != nil {
		return fmt.Errorf("write a note on a line: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return errLineGone
	}
	return nil
}

// MaxCodes are typed into one cart.
const MaxCodes = 10

// AddCode keeps a code with the customer's open cart. Whether it opens something is asked before.
func AddCode(ctx context.Context, db pg.DB, customerID int64, code string) error {
	tag, err := db.Exec(ctx, `
		INSERT INTO cart_code (cart_id, code)
		SELECT id, $2
		FROM cart
		WHERE customer_id = $1 AND state = 'open' AND (SELECT count(*) FROM cart_code WHERE cart_id = cart.id) < $3
		ON CONFLICT (cart_id, code) DO UPDATE SET code = excluded.code`, customerID, code, MaxCodes)
	if err != nil {
		return fmt.Errorf("keep a code: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return fault.Field("code", "Too many codes. Remove one first.")
	}
	return nil
}

// RemoveCode takes a code out of the customer's open cart.
func RemoveCode(ctx context.Context, db pg.DB, customerID int64, code string) error {
	_, err := db.Exec(ctx, `
		DELETE FROM cart_code
		WHERE code = $2 AND cart_id = (SELECT id FROM cart WHERE customer_id = $1 AND state = 'open')`, customerID,
		code)
	return err
}

// DeliverTo says where and how the customer's open cart is sent; 0: any way that fits.
func DeliverTo(ctx context.Context, db pg.DB, customerID int64, country, region string, deliveryID int64) error {
	_, err := db.Exec(ctx, `
		UPDATE cart
		SET country = CASE WHEN $2 ~ '^[A-Z]{2}$' THEN $2::char(2) ELSE country END, region = left($3, 60),
			delivery_id = coalesce((SELECT id FROM delivery WHERE id = $4), delivery_id), updated_at = now()
		WHERE customer_id = $1 AND state = 'open'`, customerID, country, region, deliveryID)
	if err != nil {
		return fmt.Errorf("choose where a cart is sent: %w", err)
	}
	return nil
}

// AddGiftCard puts a card towards the customer's open cart.
func AddGiftCard(ctx context.Context, db pg.DB, customerID, cardID int64) error {
	tag, err := db.Exec(ctx, `
		INSERT INTO cart_gift_card (cart_id, gift_card_id)
		SELECT id, $2
		FROM cart
		WHERE customer_id = $1 AND state = 'open' AND (SELECT count(*) FROM cart_gift_card WHERE cart_id = cart.id) < $3
		ON CONFLICT DO NOTHING`, customerID, cardID, MaxCodes)
	if err == nil && tag.RowsAffected() == 0 {
		return nil // It is there already, or there are ten.
	}
	return err
}

// RemoveGiftCard takes a card out of the customer's open cart again.
func RemoveGiftCard(ctx context.Context, db pg.DB, customerID, cardID int64) error {
	_, err := db.Exec(ctx, `
		DELETE FROM cart_gift_card
		WHERE gift_card_id = $2 AND cart_id = (SELECT id FROM cart WHERE customer_id = $1 AND state = 'open')`,
		customerID, cardID)
	return err
}

// MaxPoints that anybody could mean to spend at once.
const MaxPoints = 1_000_000_000

// SpendPoints says how many points, and whether store credit, the customer means to put towards the open cart.
func SpendPoints(ctx context.Context, db pg.DB, customerID, points int64, credit bool) error {
	if points < 0 || points > MaxPoints {
		return fault.Field("points", "Enter a whole number of points.")
	}
	_, err := db.Exec(ctx, `
		UPDATE cart
		SET points = $2, credit = $3, updated_at = now()
		WHERE customer_id = $1 AND state = 'open'`, customerID, points, credit)
	if err != nil {
		return fmt.Errorf("put points towards a cart: %w", err)
	}
	return nil
}

// Share gives the word in the link under which whoever has it can copy the customer's open cart: a message to a friend,
// or staff to a phone.
func Share(ctx context.Context, db pg.DB, customerID int64) (word string, err error) {
	err = db.QueryRow(ctx, `
		UPDATE cart
		SET opens_for = coalesce(opens_for, $2)
		WHERE customer_id = $1 AND state = 'open'
		RETURNING opens_for`, customerID, rand.Text()).Scan(&word)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", fault.New(fault.Conflict, "The cart is empty.")
	}
	if err != nil {
		return "", fmt.Errorf("share a cart: %w", err)
	}
	return word, nil
}

// Shared is the cart that a link opens; 0 where it opens none.
func Shared(ctx context.Context, db pg.DB, word string) (cartID, customerID int64, err error) {
	err = db.QueryRow(ctx, `
		SELECT id, customer_id
		FROM cart
		WHERE opens_for = $1 AND state IN ('open', 'ordered')`, word).Scan(&cartID, &customerID)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, 0, nil
	}
	return cartID, customerID, err
}

// Copy puts the lines of a cart into another, without its codes: those are somebody's own. Quantities of the same
// variant add up.
func Copy(ctx context.Context, tx pgx.Tx, from, into int64, channel origin.Channel) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO cart_line AS l (cart_id, variant_id, quantity, channel, method)
		SELECT $2, cl.variant_id, cl.quantity, $3, cl.method
		FROM cart_line cl
		JOIN variant v ON v.id = cl.variant_id AND v.active
		JOIN product p ON p.id = v.product_id AND p.status = 'active'
		WHERE cl.cart_id = $1 AND cl.sold_at IS NULL
		ORDER BY cl.variant_id
		ON CONFLICT (cart_id, variant_id, (coalesce(sold_at, 0))) DO UPDATE
			SET quantity = least(l.quantity + excluded.quantity, $4)`, from, into, channel, MaxQuantity)
	if err != nil {
		return fmt.Errorf("copy a cart: %w", err)
	}
	return nil
}

// Again puts what an order was made of into an open cart, as far as it is still sold.
func Again(ctx context.Context, tx pgx.Tx, orderID, into int64, channel origin.Channel) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO cart_line AS l (cart_id, variant_id, quantity, channel, method)
		SELECT $2, ol.variant_id, least(sum(ol.quantity), $4), $3, min(CASE f.method WHEN 'ship' THEN 'ship'
			ELSE 'pickup' END)
		FROM order_line ol
		JOIN fulfilment f ON f.id = ol.fulfilment_id
		JOIN variant v ON v.id = ol.variant_id AND v.active
		JOIN product p ON p.id = v.product_id AND p.status = 'active'
		WHERE ol.order_id = $1 AND NOT ol.gift
		GROUP BY ol.variant_id
		ORDER BY ol.variant_id
		ON CONFLICT (cart_id, variant_id, (coalesce(sold_at, 0))) DO UPDATE
			SET quantity = least(l.quantity + excluded.quantity, $4)`, orderID, into, channel, MaxQuantity)
	if err != nil {
		return fmt.Errorf("fill a cart from an order: %w", err)
	}
	return nil
}

// ForgetNotes takes out what customers wrote on the lines of their carts.
func ForgetNotes(ctx context.Context, tx pgx.Tx, customers []int64) error {
	_, err := tx.Exec(ctx, `
		UPDATE cart_line
		SET note = ''
		WHERE note <> '' AND cart_id IN (SELECT id FROM cart WHERE customer_id = ANY($1))`, customers)
	if err != nil {
		return fmt.Errorf("forget notes in carts: %w", err)
	}
	return nil
}

// SetAside takes a customer's open cart out of the way, in a transaction that makes an order of another one and calls
// Return before it ends.
func SetAside(ctx context.Context, tx pgx.Tx, customerID int64) (there bool, err error) {
	tag, err := tx.Exec(ctx, `
		UPDATE cart
		SET state = 'aside'
		WHERE customer_id = $1 AND state = 'open'`, customerID)
	if err != nil {
		return false, fmt.Errorf("put a cart aside: %w", err)
	}
	return tag.RowsAffected() == 1, nil
}

// BringBack brings back the cart that Aside put out of the way.
func BringBack(ctx context.Context, tx pgx.Tx, customerID int64) error {
	_, err := tx.Exec(ctx, `
		UPDATE cart
		SET state = 'open'
		WHERE customer_id = $1 AND state = 'aside'`, customerID)
	if err != nil {
		return fmt.Errorf("bring a cart back: %w", err)
	}
	return nil
}

// OpenDraft makes a draft the open cart of its customer, whose own stands aside, in a transaction that calls CloseDraft
// before it ends. False where it is no draft any more.
func OpenDraft(ctx context.Context, tx pgx.Tx, cartID, customerID int64) (there bool, err error) {
	tag, err := tx.Exec(ctx, `
		UPDATE cart
		SET state = 'open', customer_id = $2
		WHERE id = $1 AND state = 'draft'`, cartID, customerID)
	if err != nil {
		return false, fmt.Errorf("open a draft: %w", err)
	}
	return tag.RowsAffected() == 1, nil
}

// CloseDraft makes an open cart a draft. One that became an order stays what it is.
func CloseDraft(ctx context.Context, tx pgx.Tx, cartID int64) error {
	_, err := tx.Exec(ctx, `
		UPDATE cart
		SET state = 'draft'
		WHERE id = $1 AND state = 'open'`, cartID)
	if err != nil {
		return fmt.Errorf("close a draft: %w", err)
	}
	return nil
}
