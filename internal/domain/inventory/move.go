package inventory

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/pg"
)

// Move is one line of the ledger.
type Move struct {
	VariantID   int64
	LocationID  int64
	Delta       int
	Cause       string
	OrderLineID int64
	Form        string // of a form that may be sent twice
}

// Booked says that an error is this form having been booked before.
func Booked(err error) bool { return pg.Violates(err, "stock_move_form_key") }

func queueMove(batch *pgx.Batch, m Move, why Reason) {
	batch.Queue(`
		INSERT INTO stock_move (variant_id, location_id, delta, cause, reason, channel, order_line_id, associate_id,
			form)
		VALUES (@variant, @location, @delta, @cause, @reason, @channel, nullif(@line::bigint, 0),
			nullif(@associate::bigint, 0), nullif(@form, ''))`, pgx.NamedArgs{
		"variant": m.VariantID, "location": m.LocationID, "delta": m.Delta, "cause": m.Cause, "reason": why.Reason,
		"channel": why.Channel, "line": m.OrderLineID, "associate": why.AssociateID, "form": m.Form})
}

// errTooMany is more than a shelf's column holds: about two thousand million.
var errTooMany = fault.Field("quantity", "That would be more than one store can hold. Check the quantity.")

// Receive books goods that arrived. Deltas are above zero.
func Receive(ctx context.Context, tx pgx.Tx, moves []Move, why Reason) error {
	batch := &pgx.Batch{}
	for _, m := range moves {
		m.Cause = "receipt"
		batch.Queue(`
			INSERT INTO stock_level AS l (variant_id, location_id, on_hand)
			VALUES ($1, $2, $3)
			ON CONFLICT (variant_id, location_id, condition) DO UPDATE SET on_hand = l.on_hand + excluded.on_hand`,
			m.VariantID, m.LocationID, m.Delta)
		queueMove(batch, m, why)
	}
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		if pg.TooLarge(err) {
			return errTooMany
		}
		return fmt.Errorf("receive stock: %w", err)
	}
	return nil
}

// AdjustOnHand changes what is on hand for a reason. It answers false, and does nothing, where more is promised than
// would be left.
func AdjustOnHand(ctx context.Context, tx pgx.Tx, m Move, why Reason) (bool, error) {
	if m.Delta > 0 {
		_, err := tx.Exec(ctx, `
			INSERT INTO stock_level (variant_id, location_id)
			VALUES ($1, $2)
			ON CONFLICT DO NOTHING`, m.VariantID, m.LocationID)
		if err != nil {
			return false, fmt.Errorf("correct stock: %w", err)
		}
	}
	tag, err := tx.Exec(ctx, `
		UPDATE stock_level
		SET on_hand = on_hand + $3
		WHERE variant_id = $1 AND location_id = $2 AND condition = 'sellable' AND on_hand + $3 >= reserved`,
		m.VariantID, m.LocationID, m.Delta)
	if pg.TooLarge(err) {
		return false, errTooMany
	}
	if err != nil || tag.RowsAffected() == 0 {
		return false, err
	}
	batch := &pgx.Batch{}
	queueMove(batch, m, why)
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return false, fmt.Errorf("correct stock: %w", err)
	}
	return true, nil
}

// Level is what a shelf holds.
type Level struct{ OnHand, Reserved, Safety int }

// LockLevel reads a level and keeps it until the transaction ends.
func LockLevel(ctx context.Context, tx pgx.Tx, variantID, locationID int64) (Level, error) {
	var l Level
	err := tx.QueryRow(ctx, `
		SELECT on_hand, reserved, safety
		FROM stock_level
		WHERE variant_id = $1 AND location_id = $2 AND condition = 'sellable'
		FOR NO KEY UPDATE`, variantID, locationID).Scan(&l.OnHand, &l.Reserved, &l.Safety)
	if err == pgx.ErrNoRows {
		return Level{}, nil
	}
	return l, err
}

// Sale is what is taken off the shelf for an order line.
type Sale struct {
	OrderLineID, VariantID, LocationID int64
	Quantity                           int
}

// SellUnreserved takes unpromised goods off the shelf for good, for an order line. False where there are fewer.
func SellUnreserved(ctx context.Context, tx pgx.Tx, s Sale, why Reason) (bool, error) {
	tag, err := tx.Exec(ctx, `
		UPDATE stock_level
		SET on_hand = on_hand - $3
		WHERE variant_id = $1 AND location_id = $2 AND condition = 'sellable' AND on_hand - reserved >= $3`,
		s.VariantID,
		s.LocationID, s.Quantity)
	if err != nil {
		return false, fmt.Errorf("take goods out: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return false, nil
	}
	batch := &pgx.Batch{}
	queueMove(batch, Move{VariantID: s.VariantID, LocationID: s.LocationID, Delta: -s.Quantity, Cause: "sale",
		OrderLineID: s.OrderLineID}, why)
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return false, fmt.Errorf("take goods out: %w", err)
	}
	return true, nil
}

// Returned is units of an order line that came back, in the condition in which they are kept: sellable, on hold or
// damaged.
type Returned struct {
	ReturnID    int64
	OrderLineID int64
	VariantID   int64
	LocationID  int64
	Condition   string
	Quantity    int
}

// Return puts a unit that came back on a shelf: sellable, on hold or damaged. It is a line of the ledger of its own for
// the return that brought it.
func Return(ctx context.Context, tx pgx.Tx, r Returned, why Reason) error {
	_, err := tx.Exec(ctx, `
		WITH level AS (
			INSERT INTO stock_level AS l (variant_id, location_id, condition, on_hand)
			VALUES (@variant, @location, @condition, @quantity)
			ON CONFLICT (variant_id, location_id, condition) DO UPDATE SET on_hand = l.on_hand + excluded.on_hand)
		INSERT INTO stock_move (variant_id, location_id, condition, delta, cause, reason, channel, order_line_id,
			associate_id, return_id)
		VALUES (@variant, @location, @condition, @quantity, 'return', @reason, @channel, @line,
			nullif(@associate::bigint, 0), @return)`, pgx.NamedArgs{"variant": r.VariantID, "location": r.LocationID,
		"condition": r.Condition, "quantity": r.Quantity, "reason": why.Reason, "channel": why.Channel,
		"line": r.OrderLineID, "associate": why.AssociateID, "return": r.ReturnID})
	if err != nil {
		return fmt.Errorf("put back what returned: %w", err)
	}
	return nil
}

// Conditions of units: only sellable ones are sold.
const (
	Sellable = "sellable"
	OnHold   = "on_hold"
	Damaged  = "damaged"
)

// Conditions there are.
var Conditions = []string{Sellable, OnHold, Damaged}

// Take takes units in a condition off a shelf, for a cause. False where there are fewer, or where they are promised.
func Take(ctx context.Context, tx pgx.Tx, m Move, condition string, quantity int, why Reason) (bool, error) {
	tag, err := tx.Exec(ctx, `
		UPDATE stock_level
		SET on_hand = on_hand - $4
		WHERE variant_id = $1 AND location_id = $2 AND condition = $3 AND on_hand - reserved >= $4`, m.VariantID,
		m.LocationID, condition, quantity)
	if err != nil || tag.RowsAffected() == 0 {
		return false, err
	}
	m.Delta = -quantity
	return true, book(ctx, tx, m, condition, why)
}

// LockShelf locks what a place has of a variant, in every condition: whoever moves units from one to another holds both
// before the first changes.
func LockShelf(ctx context.Context, tx pgx.Tx, variantID, locationID int64) error {
	_, err := tx.Exec(ctx, `
		SELECT
		FROM stock_level
		WHERE variant_id = $1 AND location_id = $2
		ORDER BY condition
		FOR UPDATE`, variantID, locationID)
	if err != nil {
		return fmt.Errorf("lock a shelf: %w", err)
	}
	return nil
}

// Put puts units in a condition on a shelf, for a cause.
func Put(ctx context.Context, tx pgx.Tx, m Move, condition string, quantity int, why Reason) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO stock_level AS l (variant_id, location_id, condition, on_hand)
		VALUES ($1, $2, $3, $4)
		ON CONFLICT (variant_id, location_id, condition) DO UPDATE SET on_hand = l.on_hand + excluded.on_hand`,
		m.VariantID, m.LocationID, condition, quantity)
	if pg.TooLarge(err) {
		return errTooMany
	}
	if err != nil {
		return fmt.Errorf("put goods on a shelf: %w", err)
	}
	m.Delta = quantity
	return book(ctx, tx, m, condition, why)
}

// book writes a line of the ledger of a condition.
func book(ctx context.Context, tx pgx.Tx, m Move, condition string, why Reason) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO stock_move (variant_id, location_id, condition, delta, cause, reason, channel, associate_id, form)
		VALUES ($1, $2, $3, $4, $5, $6, $7, nullif($8::bigint, 0), nullif($9, ''))`, m.VariantID, m.LocationID, condition,
		m.Delta, m.Cause, why.Reason, why.Channel, why.AssociateID, m.Form)
	if err != nil {
		return fmt.Errorf("write in the ledger: %w", err)
	}
	return nil
}

// SetSafety says how many units of a variant a place keeps back: the web shop does not sell them.
func SetSafety(ctx context.Context, tx pgx.Tx, variantID, locationID int64, safety int) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO stock_level (variant_id, location_id, safety)
		VALUES ($1, $2, $3)
		ON CONFLICT (variant_id, location_id, condition) DO UPDATE SET safety = excluded.safety`, variantID, locationID,
		safety)
	if err != nil {
		return fmt.Errorf("set safety stock: %w", err)
	}
	return nil
}

// SetBin says where a variant lies in a place; an empty name forgets it.
func SetBin(ctx context.Context, tx pgx.Tx, variantID, locationID int64, name string) error {
	statement := `
		INSERT INTO bin (variant_id, location_id, name)
		VALUES ($1, $2, $3)
		ON CONFLICT (variant_id, location_id) DO UPDATE SET name = excluded.name`
	if name == "" {
		statement = `DELETE FROM bin WHERE variant_id = $1 AND location_id = $2 AND $3 = ''`
	}
	if _, err := tx.Exec(ctx, statement, variantID, locationID, name); err != nil {
		return fmt.Errorf("set a bin: %w", err)
	}
	return nil
}
