package order

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/platform/pg"
)

// Draft is an order that staff prepare for somebody: a cart of its own, and whom and where it goes to.
type Draft struct {
	ID         int64
	CustomerID int64 // whom it was begun for; they may be part of another profile since
	CartID     int64
	LocationID int64 // the store whose prices hold; 0: the chain's first
	AddsTo     int64 // the order that its units are added to; 0: none
	OrderID    int64 // what it became; 0: nothing yet
	Version    int64 // changes with every change of it: microseconds
	DraftContact
}

// DraftContact is whom a draft is for.
type DraftContact struct{ Name, Email, Phone, Lines, Town, Region, Postcode string }

// NewDraft begins one with an empty cart of somebody.
func NewDraft(ctx context.Context, tx pgx.Tx, d Draft, associateID int64) (id int64, err error) {
	err = tx.QueryRow(ctx, `
		INSERT INTO draft_order (customer_id, cart_id, associate_id, adds_to, name, email, phone, lines, town, region,
			postcode)
		VALUES ($1, $2, $3, nullif($4::bigint, 0), $5, $6, $7, $8, $9, $10, $11)
		RETURNING id`, d.CustomerID, d.CartID, associateID, d.AddsTo, d.Name, d.Email, d.Phone, d.Lines, d.Town, d.Region,
		d.Postcode).Scan(&id)
	if err != nil {
		return 0, fmt.Errorf("begin a draft: %w", err)
	}
	return id, nil
}

// DraftByID reads a draft; nil where there is none.
func DraftByID(ctx context.Context, db pg.DB, id int64) (*Draft, error) {
	return draft(ctx, db, id, "")
}

// LockDraft reads a draft and holds it until the transaction ends.
func LockDraft(ctx context.Context, tx pgx.Tx, id int64) (*Draft, error) {
	return draft(ctx, tx, id, " FOR UPDATE OF d")
}

func draft(ctx context.Context, db pg.DB, id int64, lock string) (*Draft, error) {
	d, err := pg.Row[Draft](db.Query(ctx, `
		SELECT d.id, d.customer_id, d.cart_id, coalesce(c.location_id, 0) AS location_id, coalesce(d.adds_to, 0) AS adds_to,
			coalesce(d.order_id, 0) AS order_id,
			(extract(epoch FROM d.updated_at) * 1000000)::bigint AS version, d.name, d.email, d.phone, d.lines, d.town,
			d.region, d.postcode
		FROM draft_order d
		JOIN cart c ON c.id = d.cart_id
		WHERE d.id = $1`+lock, id))
	if err != nil {
		return nil, fmt.Errorf("read a draft: %w", err)
	}
	return d, nil
}

// SetDraftContact says whom a draft is for.
func SetDraftContact(ctx context.Context, tx pgx.Tx, id int64, c DraftContact) error {
	_, err := tx.Exec(ctx, `
		UPDATE draft_order
		SET name = $2, email = $3, phone = $4, lines = $5, town = $6, region = $7, postcode = $8,
			updated_at = greatest(clock_timestamp(), updated_at + interval '1 microsecond')
		WHERE id = $1`, id, c.Name, c.Email, c.Phone, c.Lines, c.Town, c.Region, c.Postcode)
	if err != nil {
		return fmt.Errorf("change a draft: %w", err)
	}
	return nil
}

// DraftBecame says which order a draft became, once.
func DraftBecame(ctx context.Context, tx pgx.Tx, id, orderID int64) error {
	_, err := tx.Exec(ctx, `
		UPDATE draft_order
		SET order_id = $2, updated_at = now()
		WHERE id = $1 AND order_id IS NULL`, id, orderID)
	if err != nil {
		return fmt.Errorf("close a draft: %w", err)
	}
	return nil
}

// DropDraft removes a draft that did not become an order, with its cart.
func DropDraft(ctx context.Context, tx pgx.Tx, d *Draft) error {
	for _, statement := range []string{`DELETE FROM draft_order WHERE cart_id = $1 AND order_id IS NULL`,
		`DELETE FROM cart WHERE id = $1 AND state = 'draft'`} {
		if _, err := tx.Exec(ctx, statement, d.CartID); err != nil {
			return fmt.Errorf("drop a draft: %w", err)
		}
	}
	return nil
}

// Prepared says whether an order was prepared by staff, and whether it still waits to be paid by its link.
func Prepared(ctx context.Context, tx pgx.Tx, orderID int64) (prepared, waits bool, err error) {
	err = tx.QueryRow(ctx, `
		SELECT d.id IS NOT NULL, d.id IS NOT NULL AND coalesce(o.hold_until > now(), false)
		FROM orders o
		LEFT JOIN draft_order d ON d.order_id = o.id
		WHERE o.id = $1`, orderID).Scan(&prepared, &waits)
	if err != nil {
		return false, false, fmt.Errorf("look who prepared an order: %w", err)
	}
	return prepared, waits, nil
}

// DropDraftsOf removes the drafts of customers that did not become orders. Their carts are the cart's to forget.
func DropDraftsOf(ctx context.Context, tx pgx.Tx, customers []int64) error {
	_, err := tx.Exec(ctx, `
		DELETE FROM draft_order
		WHERE customer_id = ANY ($1) AND order_id IS NULL`, customers)
	if err != nil {
		return fmt.Errorf("drop somebody's drafts: %w", err)
	}
	return nil
}

// Companion is a part of an order that something else can travel with: it has not left yet.
type Companion struct {
	DraftContact
	Country    string
	Method     string
	LocationID int64
	StoreID    int64 // where the order was placed, or the warehouse that sends it
	DeliveryID int64
	CustomerID int64
	Number     int64
}

// CompanionOf is the first part of an order that waits to be staged or sent; nil where none does.
func CompanionOf(ctx context.Context, db pg.DB, orderID int64) (*Companion, error) {
	c, err := pg.Row[Companion](db.Query(ctx, `
		SELECT o.name, o.email, o.phone, f.lines, f.town, f.region, f.postcode, coalesce(f.country::text, '') AS country,
			f.method, f.location_id, o.location_id AS store_id, coalesce(f.delivery_id, 0) AS delivery_id,
			o.customer_id, o.number
		FROM orders o
		JOIN fulfilment f ON f.order_id = o.id
		WHERE o.id = $1 AND o.state = 'confirmed' AND f.state IN ('to_pick', 'ready') AND f.method IN ('ship', 'pickup')
		ORDER BY f.method = 'ship' DESC, f.id
		LIMIT 1`, orderID))
	if err != nil {
		return nil, fmt.Errorf("read what goes with an order: %w", err)
	}
	return c, nil
}

// LinkLives is how long a link to pay is good for, by choice.
var LinkLives = []time.Duration{24 * time.Hour, 3 * 24 * time.Hour, 7 * 24 * time.Hour}

// Agree keeps which version of the terms was on the page when somebody paid an order by its link; the first one stays.
func Agree(ctx context.Context, db pg.DB, orderID, termsID int64) error {
	_, err := db.Exec(ctx, `
		UPDATE orders
		SET terms_id = (SELECT v.id FROM page_version v JOIN page p ON p.id = v.page_id AND p.kind = 'terms' WHERE v.id = $2)
		WHERE id = $1 AND terms_id IS NULL`, orderID, termsID)
	if err != nil {
		return fmt.Errorf("keep the terms of an order: %w", err)
	}
	return nil
}
