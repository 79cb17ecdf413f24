// Package inventory is the shelves: what is on hand where, what of it is promised, and the ledger that explains every
// figure.
package inventory

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"counterpart/internal/domain/origin"
	"counterpart/internal/platform/pg"
)

// Reservation is stock of one variant at one location that an order line wants to own. ExpiresAt is set only while the
// order is not confirmed.
type Reservation struct {
	OrderLineID int64
	VariantID   int64
	LocationID  int64
	Quantity    int
	ExpiresAt   *time.Time
	Claimed     int64 // the reservation that ReserveBatched made; 0: none
}

// Reserve claims everything or says which claims found too little; then nothing must be kept, so the caller returns an
// error from its transaction. Stock is the last thing a transaction touches, in (variant, location) order, in one round
// trip: two checkouts never deadlock and the hot row is held for as short as can be. Statements that the caller still
// has to send go before it in the same round trip; nil when there are none.
func Reserve(ctx context.Context, tx pgx.Tx, before *pgx.Batch, claims []Reservation) (short []Reservation, err error) {
	if before == nil {
		before = &pgx.Batch{}
	}
	short, err = claim(ctx, tx, before, inOrder(claims))
	if err != nil || len(short) == 0 {
		return nil, err
	}
	// Correctness never waits for a sweeper: what expired on these shelves is given back, and they are asked once more.
	for _, c := range short {
		if err := releaseExpired(ctx, tx, c.VariantID, c.LocationID); err != nil {
			return nil, err
		}
	}
	return claim(ctx, tx, &pgx.Batch{}, short)
}

func inOrder(claims []Reservation) []Reservation {
	sorted := slices.Clone(claims)
	slices.SortFunc(sorted, func(a, b Reservation) int {
		return cmp.Or(cmp.Compare(a.VariantID, b.VariantID), cmp.Compare(a.LocationID, b.LocationID))
	})
	return sorted
}

func claim(ctx context.Context, tx pgx.Tx, batch *pgx.Batch, claims []Reservation) (short []Reservation, err error) {
	for _, c := range claims {
		missed := func(tag pgconn.CommandTag) error {
			if tag.RowsAffected() == 0 {
				c.Claimed = 0
				short = append(short, c)
			}
			return nil
		}
		if c.Claimed != 0 {
			batch.Queue(`
				UPDATE reservation
				SET order_line_id = $2, expires_at = $3
				WHERE id = $1 AND order_line_id IS NULL AND released_at IS NULL`, c.Claimed, c.OrderLineID,
				c.ExpiresAt).Exec(missed)
			continue
		}
		defer trackWaiting(c)()
		// The reservation is written only if the guard held, in the same statement.
		batch.Queue(`
			WITH level AS (
				UPDATE stock_level
				SET reserved = reserved + @quantity
				WHERE variant_id = @variant AND location_id = @location AND condition = 'sellable'
					AND `+Available("stock_level")+` >= @quantity
				RETURNING variant_id)
			INSERT INTO reservation (order_line_id, variant_id, location_id, quantity, expires_at)
			SELECT @line, variant_id, @location, @quantity, @expires
			FROM level`, pgx.NamedArgs{"line": c.OrderLineID, "variant": c.VariantID, "location": c.LocationID,
			"quantity": c.Quantity, "expires": c.ExpiresAt}).
			Exec(missed)
	}
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return nil, fmt.Errorf("reserve stock: %w", err)
	}
	return short, nil
}

func releaseExpired(ctx context.Context, tx pgx.Tx, variantID, locationID int64) error {
	_, err := tx.Exec(ctx, `
		WITH expired AS (
			UPDATE reservation
			SET released_at = now(), release = 'expired'
			WHERE variant_id = $1 AND location_id = $2 AND released_at IS NULL AND expires_at <= now()
			RETURNING quantity)
		UPDATE stock_level
		SET reserved = reserved - (SELECT sum(quantity) FROM expired)
		WHERE variant_id = $1 AND location_id = $2 AND condition = 'sellable' AND EXISTS (SELECT FROM expired)`,
		variantID, locationID)
	if err != nil {
		return fmt.Errorf("release what expired: %w", err)
	}
	return nil
}

// SweepExpired releases every expired reservation, level by level: for a job, so that pages show what is free.
func SweepExpired(ctx context.Context, db pg.DB) error {
	rows, err := db.Query(ctx, `
		SELECT DISTINCT variant_id, location_id
		FROM reservation
		WHERE released_at IS NULL AND expires_at <= now()
		ORDER BY variant_id, location_id`)
	if err != nil {
		return err
	}
	type level struct{ VariantID, LocationID int64 }
	levels, err := pgx.CollectRows(rows, pgx.RowToStructByPos[level])
	if err != nil {
		return err
	}
	for _, l := range levels {
		err := pg.InTx(ctx, db, func(tx pgx.Tx) error { return releaseExpired(ctx, tx, l.VariantID, l.LocationID) })
		if err != nil {
			return err
		}
	}
	return nil
}

// A hold is what one order line still owns on a shelf.
type hold struct {
	ID          int64
	OrderLineID int64
	VariantID   int64
	LocationID  int64
	Quantity    int
}

// Release gives up what lines own, because they were cancelled.
func Release(ctx context.Context, tx pgx.Tx, orderLines []int64) error {
	return release(ctx, tx, orderLines, 0)
}

// ReleaseUnits gives up so many units of what a line owns, because they were cancelled or come from elsewhere.
func ReleaseUnits(ctx context.Context, tx pgx.Tx, orderLine int64, quantity int) error {
	return release(ctx, tx, []int64{orderLine}, quantity)
}

// release gives up a quantity of what each of some lines owns; 0: all of it.
func release(ctx context.Context, tx pgx.Tx, orderLines []int64, quantity int) error {
	return let(ctx, tx, orderLines, "cancelled", quantity, func(batch *pgx.Batch, h hold) {
		units := h.Quantity
		if quantity > 0 {
			units = min(units, quantity)
		}
		batch.Queue(`
			UPDATE stock_level
			SET reserved = reserved - $3
			WHERE variant_id = $1 AND location_id = $2 AND condition = 'sellable'`, h.VariantID, h.LocationID, units)
	})
}

// Expired says whether something is still reserved on a level that nobody waits for any more: the next claim that finds
// too little releases it.
func Expired(ctx context.Context, db pg.DB, variantID, locationID int64) (expired bool, err error) {
	err = db.QueryRow(ctx, `
		SELECT EXISTS (
			SELECT
			FROM reservation
			WHERE variant_id = $1 AND location_id = $2 AND released_at IS NULL AND expires_at <= now())`, variantID,
		locationID).Scan(&expired)
	if err != nil {
		return false, fmt.Errorf("look for what expired: %w", err)
	}
	return expired, nil
}

// Reason explains a move: who, through which channel, why.
type Reason struct {
	Channel     origin.Channel
	Reason      string
	AssociateID int64
}

// HandOver takes what lines own off the shelf for good: on hand falls, and the ledger says that it was a sale.
func HandOver(ctx context.Context, tx pgx.Tx, orderLines []int64, why Reason) error {
	return let(ctx, tx, orderLines, "collected", 0, func(batch *pgx.Batch, h hold) {
		batch.Queue(`
			UPDATE stock_level
			SET on_hand = on_hand - $3, reserved = reserved - $3
			WHERE variant_id = $1 AND location_id = $2 AND condition = 'sellable'`, h.VariantID, h.LocationID,
			h.Quantity)
		queueMove(batch, Move{VariantID: h.VariantID, LocationID: h.LocationID, Delta: -h.Quantity, Cause: "sale",
			OrderLineID: h.OrderLineID}, why)
	})
}

// NotFound gives up some units of a line because the shelf does not have them; the difference is booked as a count.
func NotFound(ctx context.Context, tx pgx.Tx, orderLine int64, quantity int, why Reason) error {
	return let(ctx, tx, []int64{orderLine}, "short", quantity, func(batch *pgx.Batch, h hold) {
		lost := min(quantity, h.Quantity)
		batch.Queue(`
			UPDATE stock_level
			SET on_hand = on_hand - $3, reserved = reserved - $3
			WHERE variant_id = $1 AND location_id = $2 AND condition = 'sellable'`, h.VariantID, h.LocationID, lost)
		queueMove(batch, Move{VariantID: h.VariantID, LocationID: h.LocationID, Delta: -lost, Cause: "count",
			OrderLineID: h.OrderLineID}, why)
	})
}

// ReduceReservation gives up some units of a line while the shelf keeps its figure: a count is about to correct it.
func ReduceReservation(ctx context.Context, tx pgx.Tx, orderLine int64, quantity int) error {
	return let(ctx, tx, []int64{orderLine}, "short", quantity, func(batch *pgx.Batch, h hold) {
		batch.Queue(`
			UPDATE stock_level
			SET reserved = reserved - $3
			WHERE variant_id = $1 AND location_id = $2 AND condition = 'sellable'`, h.VariantID, h.LocationID,
			min(quantity, h.Quantity))
	})
}

// let closes the open reservations of lines and applies what follows to their levels, in the one order of locks. With a
// quantity only so many units are let go: the rest is claimed by a new row, because reservations are never rewritten.
func let(ctx context.Context, tx pgx.Tx, orderLines []int64, release string, quantity int,
	apply func(*pgx.Batch, hold)) error {
	rows, err := tx.Query(ctx, `
		UPDATE reservation
		SET released_at = now(), release = $2
		WHERE order_line_id = ANY ($1) AND released_at IS NULL
		RETURNING id, order_line_id, variant_id, location_id, quantity`, orderLines, release)
	if err != nil {
		return fmt.Errorf("release reservations: %w", err)
	}
	holds, err := pgx.CollectRows(rows, pgx.RowToStructByPos[hold])
	if err != nil {
		return fmt.Errorf("release reservations: %w", err)
	}
	slices.SortFunc(holds, func(a, b hold) int {
		return cmp.Or(cmp.Compare(a.VariantID, b.VariantID), cmp.Compare(a.LocationID, b.LocationID),
			cmp.Compare(a.ID, b.ID))
	})
	batch := &pgx.Batch{}
	for _, h := range holds {
		if quantity > 0 && h.Quantity > quantity {
			batch.Queue(`
				INSERT INTO reservation (order_line_id, variant_id, location_id, quantity)
				VALUES ($1, $2, $3, $4)`, h.OrderLineID, h.VariantID, h.LocationID, h.Quantity-quantity)
		}
		apply(batch, h)
	}
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("release stock: %w", err)
	}
	return nil
}

// ConfirmReservations takes the end off the claims of lines: their order is confirmed.
func ConfirmReservations(ctx context.Context, tx pgx.Tx, orderLines []int64) error {
	_, err := tx.Exec(ctx, `
		UPDATE reservation
		SET expires_at = NULL
		WHERE order_line_id = ANY ($1) AND released_at IS NULL AND expires_at IS NOT NULL`, orderLines)
	if err != nil {
		return fmt.Errorf("keep reservations: %w", err)
	}
	return nil
}
