package order

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/postal"
	"counterpart/internal/platform/text"
)

// Contact is how whoever ordered is reached, and whom the goods are handed to.
type Contact struct{ Name, Email, Phone string }

// Fields are a contact's as a form has them.
func (c Contact) Fields() map[string]string {
	return map[string]string{"name": c.Name, "email": c.Email, "phone": c.Phone}
}

// ContactOf is that of an order which is locked.
func ContactOf(ctx context.Context, tx pgx.Tx, orderID int64) (c Contact, err error) {
	err = tx.QueryRow(ctx, `SELECT name, email, phone FROM orders WHERE id = $1`, orderID).Scan(&c.Name, &c.Email,
		&c.Phone)
	if err != nil {
		return c, fmt.Errorf("read an order's contact: %w", err)
	}
	return c, nil
}

// SetContact changes whom an order is handed to and how they are reached. Whose order it is does not change.
func SetContact(ctx context.Context, tx pgx.Tx, orderID int64, c Contact) error {
	_, err := tx.Exec(ctx, `UPDATE orders SET name = $2, email = $3, phone = $4 WHERE id = $1`, orderID, c.Name, c.Email,
		c.Phone)
	if err != nil {
		return fmt.Errorf("change an order's contact: %w", err)
	}
	return nil
}

// Part is a fulfilment of a locked order, as amendments look at it.
type Part struct {
	ID         int64
	Method     string
	State      string
	LocationID int64
	Carrier    string
	Tracking   string
	postal.Address
}

// PartOf is a part of an order; nil where it has none with this id.
func PartOf(ctx context.Context, tx pgx.Tx, orderID, fulfilmentID int64) (*Part, error) {
	p, err := pg.Row[Part](tx.Query(ctx, `
		SELECT id, method, state, location_id, carrier, tracking, name, lines, town, region, postcode,
			coalesce(country::text, '') AS country
		FROM fulfilment
		WHERE id = $2 AND order_id = $1`, orderID, fulfilmentID))
	if err != nil {
		return nil, fmt.Errorf("read a part: %w", err)
	}
	return p, nil
}

// SetAddress changes where a part is sent. False where it left already.
func SetAddress(ctx context.Context, tx pgx.Tx, fulfilmentID int64, to postal.Address) (bool, error) {
	tag, err := tx.Exec(ctx, `
		UPDATE fulfilment
		SET name = $2, lines = $3, town = $4, region = $5, postcode = $6
		WHERE id = $1 AND method = 'ship' AND state IN ('waiting', 'to_pick')`, fulfilmentID, to.Name, to.Lines, to.Town,
		to.Region, to.Postcode)
	if err != nil {
		return false, fmt.Errorf("change a delivery address: %w", err)
	}
	return tag.RowsAffected() == 1, nil
}

// SetTracking corrects the carrier and the number of a parcel that was sent. False where it was not.
func SetTracking(ctx context.Context, tx pgx.Tx, fulfilmentID int64, carrier, tracking string) (bool, error) {
	tag, err := tx.Exec(ctx, `
		UPDATE fulfilment
		SET carrier = $2, tracking = $3
		WHERE id = $1 AND method = 'ship' AND state = 'shipped'`, fulfilmentID, carrier, tracking)
	if err != nil {
		return false, fmt.Errorf("correct a tracking number: %w", err)
	}
	return tag.RowsAffected() == 1, nil
}

// MaxParcels of a fulfilment, its first among them.
const MaxParcels = 20

// AddParcel adds another parcel to a part that was sent. False where it was not, or where it has as many as it may.
func AddParcel(ctx context.Context, tx pgx.Tx, fulfilmentID int64, carrier, tracking string) (bool, error) {
	tag, err := tx.Exec(ctx, `
		INSERT INTO parcel (fulfilment_id, carrier, tracking)
		SELECT id, $2, $3
		FROM fulfilment f
		WHERE id = $1 AND method = 'ship' AND state = 'shipped' AND tracking <> $3
			AND (SELECT count(*) FROM parcel WHERE fulfilment_id = f.id) < $4 - 1
		ON CONFLICT (fulfilment_id, tracking) DO UPDATE SET carrier = excluded.carrier`, fulfilmentID, carrier, tracking,
		MaxParcels)
	if err != nil {
		return false, fmt.Errorf("add a parcel: %w", err)
	}
	return tag.RowsAffected() == 1, nil
}

// RemoveParcel takes one away that was added.
func RemoveParcel(ctx context.Context, tx pgx.Tx, orderID, parcelID int64) error {
	tag, err := tx.Exec(ctx, `
		DELETE FROM parcel
		WHERE id = $2 AND fulfilment_id IN (SELECT id FROM fulfilment WHERE order_id = $1)`, orderID, parcelID)
	if err != nil {
		return fmt.Errorf("remove a parcel: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return ErrNotHere
	}
	return nil
}

// SetHold puts an order on hold, or with an empty reason releases it. False where it is so already, or is over.
func SetHold(ctx context.Context, tx pgx.Tx, orderID int64, reason string) (bool, error) {
	tag, err := tx.Exec(ctx, `
		UPDATE orders
		SET held_at = CASE WHEN $2 <> '' THEN now() END, hold_reason = $2
		WHERE id = $1 AND (held_at IS NULL) = ($2 <> '') AND state <> 'cancelled'`, orderID, reason)
	if err != nil {
		return false, fmt.Errorf("hold an order: %w", err)
	}
	return tag.RowsAffected() == 1, nil
}

// AddNote writes something down about an order, for staff.
func AddNote(ctx context.Context, tx pgx.Tx, orderID, associateID int64, body string) error {
	if body = text.Clean(body, 2001); body == "" || len([]rune(body)) > 2000 {
		return fault.Field("note", "Enter a note, up to {most} characters.", text.Args{"most": 2000})
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO order_note (order_id, associate_id, body)
		SELECT $1, $2, $3
		WHERE (SELECT count(*) FROM order_note WHERE order_id = $1) < 500`, orderID, associateID, body)
	if err != nil {
		return fmt.Errorf("write a note: %w", err)
	}
	return nil
}

// SetTags gives an order its tags.
func SetTags(ctx context.Context, tx pgx.Tx, orderID int64, tags []string) error {
	batch := &pgx.Batch{}
	batch.Queue(`DELETE FROM order_tag WHERE order_id = $1 AND NOT tag = ANY ($2)`, orderID, tags)
	batch.Queue(`INSERT INTO order_tag (order_id, tag) SELECT $1, unnest($2::text[]) ON CONFLICT DO NOTHING`, orderID,
		tags)
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("tag an order: %w", err)
	}
	return nil
}

// ReadTags reads tags parted by commas.
func ReadTags(typed string) ([]string, error) {
	tags := []string{}
	for tag := range strings.SplitSeq(typed, ",") {
		if tag = text.Clean(tag, 41); tag == "" {
			continue
		}
		if len([]rune(tag)) > 40 || len(tags) == 20 {
			return nil, fault.Field("tags", "Use up to 20 tags of up to 40 characters each.")
		}
		tags = append(tags, tag)
	}
	return tags, nil
}

// Target is another way of getting goods: collected at a store, or sent from a place.
type Target struct {
	Method     string // pickup or ship
	LocationID int64
	ReadyBy    time.Time // of a pickup
	DeliveryID int64     // of what is sent: its method
	To         postal.Address
	From, By   time.Time // when it arrives
}

// Movable is a line whose goods can be got another way.
type Movable struct {
	VariantID    int64
	Title        string
	FulfilmentID int64
	LocationID   int64
	Method       string
	Open         int
	WithoutStock bool
	Alone        bool // nothing else is in its part
	Whole        bool // nothing of it was handed over
}

// LineToMove is an open line of a locked order whose part is still to be picked; nil where there is none.
func LineToMove(ctx context.Context, tx pgx.Tx, orderID, orderLineID int64) (*Movable, error) {
	m, err := pg.Row[Movable](tx.Query(ctx, `
		SELECT l.variant_id, l.title, f.id AS fulfilment_id, f.location_id, f.method,
			count(*) FILTER (WHERE u.state = 'open')::int AS open, l.without_stock,
			NOT EXISTS (SELECT FROM order_line WHERE fulfilment_id = f.id AND id <> l.id) AS alone,
			count(*) FILTER (WHERE u.state NOT IN ('open', 'cancelled')) = 0 AS whole
		FROM order_line l
		JOIN fulfilment f ON f.id = l.fulfilment_id
		JOIN order_unit u ON u.order_line_id = l.id
		WHERE l.id = $2 AND l.order_id = $1 AND f.state = 'to_pick' AND f.method IN ('pickup', 'ship')
		GROUP BY l.id, f.id`, orderID, orderLineID))
	if err != nil {
		return nil, fmt.Errorf("read a line: %w", err)
	}
	return m, nil
}

// MoveLine has open units of a line got another way: with their part where there is nothing else in it, else in a part
// of their own. It answers the line that they are now. What is reserved for them is the caller's.
func MoveLine(ctx context.Context, tx pgx.Tx, orderID, orderLineID int64, m *Movable, quantity int,
	to Target) (moved int64, err error) {
	moved = orderLineID
	whole := quantity == m.Open && m.Whole
	if !whole {
		if moved, err = split(ctx, tx, orderLineID, quantity); err != nil {
			return 0, err
		}
	}
	args := pgx.NamedArgs{"order": orderID, "part": m.FulfilmentID, "line": moved, "method": to.Method,
		"location": to.LocationID, "ready_by": nil, "code": nil, "token": nil, "delivery": nil, "name": to.To.Name,
		"lines": to.To.Lines, "town": to.To.Town, "region": to.To.Region, "postcode": to.To.Postcode,
		"country": nil, "from": nil, "by": nil}
	if to.Method == "pickup" {
		args["ready_by"], args["code"], args["token"] = to.ReadyBy, newCode(), rand.Text()
	} else {
		args["delivery"], args["country"] = to.DeliveryID, to.To.Country
		args["from"], args["by"] = to.From.Format(time.DateOnly), to.By.Format(time.DateOnly)
	}
	statement := `
		WITH part AS (
			INSERT INTO fulfilment (order_id, method, location_id, state, ready_by, code, token, delivery_id, carrier,
				name, lines, town, region, postcode, country, arrives_from, arrives_by)
			SELECT @order, @method, @location, 'to_pick', @ready_by::timestamptz, @code, @token, @delivery::bigint,
				coalesce((SELECT carrier FROM delivery WHERE id = @delivery::bigint), ''), @name, @lines, @town,
				@region, @postcode, @country, @from::date, @by::date
			RETURNING id)
		UPDATE order_line
		SET fulfilment_id = part.id, picked = 0
		FROM part
		WHERE order_line.id = @line`
	if whole && m.Alone {
		statement = `
		WITH part AS (
			UPDATE fulfilment
			SET method = @method, location_id = @location, ready_by = @ready_by::timestamptz, code = @code,
				token = @token, delivery_id = @delivery::bigint,
				carrier = coalesce((SELECT carrier FROM delivery WHERE id = @delivery::bigint), ''), name = @name,
				lines = @lines, town = @town, region = @region, postcode = @postcode, country = @country,
				arrives_from = @from::date, arrives_by = @by::date
			WHERE id = @part AND order_id = @order
			RETURNING id)
		UPDATE order_line
		SET picked = 0
		FROM part
		WHERE order_line.id = @line`
	}
	tag, err := tx.Exec(ctx, statement, args)
	if err == nil && tag.RowsAffected() != 1 {
		err = errors.New("the line is gone")
	}
	if err != nil {
		return 0, fmt.Errorf("move a line: %w", err)
	}
	return moved, nil
}
