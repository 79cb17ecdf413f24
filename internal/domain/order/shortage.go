package order

import (
	"context"
	"counterpart/internal/platform/pg"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Shortage is a line of which nothing was found, while its shopper chooses what becomes of it.
type Shortage struct {
	ID           int64
	LineID       int64
	FulfilmentID int64
	LocationID   int64 // where it was not found
	VariantID    int64
	Title        string
	Options      string
	Quantity     int
	DecideBy     time.Time
	Paid         bool // the order is paid, or a gateway has promised it
	Split        bool // the rest of the line was found
}

// OfferChoice takes units that were not found out of what is picked, to wait for a choice: their part where there is
// nothing else in it, else a part of their own. Of a line of which the rest was found they become a line of their own.
// It answers the line that waits; 0 where the order is not one that can choose, or has fewer open. The order is locked.
func OfferChoice(ctx context.Context, tx pgx.Tx, f *Fulfilment, orderLineID int64, quantity int) (waiting int64,
	err error) {
	var open int
	var may, gone, alone bool
	err = tx.QueryRow(ctx, `
		SELECT count(*) FILTER (WHERE u.state = 'open'), o.state = 'confirmed' AND NOT l.without_stock,
			count(*) FILTER (WHERE u.state NOT IN ('open', 'cancelled')) > 0,
			NOT EXISTS (SELECT FROM order_line WHERE fulfilment_id = l.fulfilment_id AND id <> l.id)
		FROM order_line l
		JOIN orders o ON o.id = l.order_id
		JOIN order_unit u ON u.order_line_id = l.id
		WHERE l.id = $1
		GROUP BY o.id, l.id`, orderLineID).Scan(&open, &may, &gone, &alone)
	if err != nil {
		return 0, fmt.Errorf("offer a choice: %w", err)
	}
	if !may || open < quantity {
		return 0, nil
	}
	whole := open == quantity && !gone
	if !whole {
		if orderLineID, err = split(ctx, tx, orderLineID, quantity); err != nil {
			return 0, err
		}
	}
	batch := &pgx.Batch{}
	if whole && alone {
		batch.Queue(`
			UPDATE fulfilment
			SET state = 'undecided', code = NULL, token = NULL, ready_at = NULL, ready_associate_id = NULL, place = '',
				hold_until = NULL, reminded = 0, extended_at = NULL
			WHERE id = $1`, f.ID)
		batch.Queue(`
			UPDATE order_line
			SET picked = 0
			WHERE id = $1`, orderLineID)
	} else {
		batch.Queue(`
			WITH part AS (
				INSERT INTO fulfilment (order_id, method, location_id, state)
				VALUES ($1, 'pickup', $2, 'undecided')
				RETURNING id)
			UPDATE order_line
			SET fulfilment_id = part.id, picked = 0
			FROM part
			WHERE order_line.id = $3`, f.OrderID, f.LocationID, orderLineID)
	}
	batch.Queue(`
		INSERT INTO shortage (order_id, order_line_id, fulfilment_id, location_id, quantity, decide_by)
		SELECT order_id, id, fulfilment_id, $2, $3, now() + make_interval(hours => (SELECT shortage_hours FROM shop))
		FROM order_line
		WHERE id = $1`, orderLineID, f.LocationID, quantity)
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return 0, fmt.Errorf("offer a choice: %w", err)
	}
	return orderLineID, nil
}

// split makes the last open units of a line a line of their own: with what was paid for them, and under the numbers
// that documents know them by.
func split(ctx context.Context, tx pgx.Tx, orderLineID int64, quantity int) (id int64, err error) {
	err = tx.QueryRow(ctx, `
		WITH moved AS (
			SELECT n, tax, discount
			FROM order_unit
			WHERE order_line_id = @line AND state = 'open'
			ORDER BY n DESC
			LIMIT @quantity),
		sum AS (
			SELECT sum(tax)::bigint AS tax, sum(discount)::bigint AS discount
			FROM moved),
		made AS (
			INSERT INTO order_line (order_id, fulfilment_id, position, variant_id, sku, title, options, quantity,
				unit_price, list_price, amount, discount, tax_name, tax_ppm, tax, gift, note,
				without_stock, split_from)
			SELECT l.order_id, l.fulfilment_id, (SELECT max(position) + 1 FROM order_line WHERE order_id = l.order_id),
				l.variant_id, l.sku, l.title, l.options, @quantity, l.unit_price,
				l.list_price, @quantity * l.unit_price, sum.discount, l.tax_name, l.tax_ppm, sum.tax, l.gift, l.note,
					l.without_stock, coalesce(l.split_from, l.id)
			FROM order_line l
			CROSS JOIN sum
			WHERE l.id = @line
			RETURNING id),
		rest AS (
			UPDATE order_line l
			SET quantity = l.quantity - @quantity, picked = least(l.picked, l.quantity - @quantity),
				amount = (l.quantity - @quantity) * l.unit_price, discount = l.discount - sum.discount,
				tax = l.tax - sum.tax
			FROM sum
			WHERE l.id = @line),
		units AS (
			UPDATE order_unit u
			SET order_line_id = made.id
			FROM made
			WHERE u.order_line_id = @line AND u.n IN (SELECT n FROM moved)),
		shares AS (
			UPDATE order_share s
			SET order_line_id = made.id
			FROM made
			WHERE s.order_line_id = @line AND s.n IN (SELECT n FROM moved))
		SELECT id
		FROM made`, pgx.NamedArgs{"line": orderLineID, "quantity": quantity}).Scan(&id)
	if err != nil {
		return 0, fmt.Errorf("split a line: %w", err)
	}
	return id, nil
}

// SetPicked says how many units of a line that is picked lie ready to be staged. The order is locked. False where the
// line has fewer open.
func SetPicked(ctx context.Context, tx pgx.Tx, orderLineID int64, picked int) (bool, error) {
	tag, err := tx.Exec(ctx, `
		UPDATE order_line
		SET picked = $2
		WHERE id = $1 AND $2 BETWEEN 0 AND (SELECT count(*) FROM order_unit WHERE order_line_id = $1 AND state = 'open')`, orderLineID, picked)
	if err != nil {
		return false, fmt.Errorf("pick a line: %w", err)
	}
	return tag.RowsAffected() == 1, nil
}

// Shortages of an order that wait for a choice.
func Shortages(ctx context.Context, db pg.DB, orderID int64) ([]Shortage, error) {
	rows, err := db.Query(ctx, `
		SELECT s.id, s.order_line_id AS line_id, s.fulfilment_id, s.location_id, l.variant_id, l.title, l.options,
			s.quantity,
			s.decide_by, o.payment_state IN ('paid', 'authorised') AS paid, l.split_from IS NOT NULL AS split
		FROM shortage s
		JOIN order_line l ON l.id = s.order_line_id
		JOIN orders o ON o.id = s.order_id
		WHERE s.order_id = $1 AND s.decided_at IS NULL
		ORDER BY s.id`, orderID)
	if err != nil {
		return nil, fmt.Errorf("list shortages: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[Shortage])
}

// DecideShortage writes down what was chosen. False where somebody chose before.
func DecideShortage(ctx context.Context, tx pgx.Tx, id int64, choice, by string) (bool, error) {
	tag, err := tx.Exec(ctx, `
		UPDATE shortage
		SET choice = $2, decided_by = $3, decided_at = now()
		WHERE id = $1 AND decided_at IS NULL`, id, choice, by)
	if err != nil {
		return false, fmt.Errorf("decide a shortage: %w", err)
	}
	return tag.RowsAffected() == 1, nil
}

// errNotUndecided is a mistake of ours: an open shortage whose part does not wait for a choice.
var errNotUndecided = errors.New("the part is not undecided")

// MoveToStore has an undecided part collected at another store.
func MoveToStore(ctx context.Context, tx pgx.Tx, fulfilmentID, locationID int64, readyBy time.Time) error {
	tag, err := tx.Exec(ctx, `
		UPDATE fulfilment
		SET location_id = $2, state = 'to_pick', ready_by = $3, code = $4, token = $5
		WHERE id = $1 AND state = 'undecided'`, fulfilmentID, locationID, readyBy, newCode(), rand.Text())
	if err == nil && tag.RowsAffected() != 1 {
		err = errNotUndecided
	}
	if err != nil {
		return fmt.Errorf("collect at another store: %w", err)
	}
	return nil
}

// Delivery is how a fulfilment is sent that was to be collected.
type Delivery struct {
	FulfilmentID int64
	LocationID   int64 // that sends it
	DeliveryID   int64 // its method
	To           Address
	From, By     time.Time // when it arrives
}

// MoveToDelivery has an undecided part sent, at no charge: it is not the shopper's doing.
func MoveToDelivery(ctx context.Context, tx pgx.Tx, d Delivery) error {
	tag, err := tx.Exec(ctx, `
		UPDATE fulfilment f
		SET method = 'ship', location_id = @location, state = 'to_pick', delivery_id = d.id, carrier = d.carrier,
			name = @name, lines = @lines, town = @town, region = @region,
			postcode = @postcode, country = @country, arrives_from = @from::date, arrives_by = @by::date
		FROM delivery d
		WHERE f.id = @id AND f.state = 'undecided' AND d.id = @delivery`, pgx.NamedArgs{"id": d.FulfilmentID,
		"location": d.LocationID, "delivery": d.DeliveryID, "name": d.To.Name, "lines": d.To.Lines, "town": d.To.Town,
		"region": d.To.Region, "postcode": d.To.Postcode, "country": d.To.Country,
		"from": d.From.Format(time.DateOnly), "by": d.By.Format(time.DateOnly)})
	if err == nil && tag.RowsAffected() != 1 {
		err = errNotUndecided
	}
	if err != nil {
		return fmt.Errorf("send instead: %w", err)
	}
	return nil
}

// VariantOf is what a line is about.
func VariantOf(ctx context.Context, db pg.DB, orderLineID int64) (variantID int64, err error) {
	err = db.QueryRow(ctx, `SELECT variant_id FROM order_line WHERE id = $1`, orderLineID).Scan(&variantID)
	if err != nil {
		return 0, fmt.Errorf("read a line: %w", err)
	}
	return variantID, nil
}
