package cart

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/origin"
)

// Joined is what a cart took in from another: enough to give it back.
type Joined struct {
	From, Into int64 // carts; 0 where there was nothing to take
	Made       bool  // the cart was made for it
	Lines      []JoinedLine
}

// JoinedLine is how many units of a variant were added. Over MaxQuantity units of one thing are not: nobody meant that.
type JoinedLine struct {
	VariantID int64
	Added     int
}

// Join puts the lines of one customer's open cart into another's: quantities of the same variant add up, no line is
// lost, and the emptied cart is closed with its lines in it. It does not ask the shelves; checkout does.
func Join(ctx context.Context, tx pgx.Tx, from, into int64, channel origin.Channel) (Joined, error) {
	var j Joined
	// Both carts in the order of their ids, so that two joins never wait for each other.
	rows, err := tx.Query(ctx, `
		SELECT id, customer_id, coalesce(location_id, 0)
		FROM cart
		WHERE customer_id IN ($1, $2) AND state = 'open'
		ORDER BY id
		FOR UPDATE`, from, into)
	if err != nil {
		return j, fmt.Errorf("lock two carts: %w", err)
	}
	var cartID, owner, place, wanted int64
	_, err = pgx.ForEachRow(rows, []any{&cartID, &owner, &place}, func() error {
		if owner == from {
			j.From, wanted = cartID, place
		} else {
			j.Into = cartID
		}
		return nil
	})
	if err != nil || j.From == 0 {
		return Joined{}, err
	}
	j.Made = j.Into == 0
	if j.Into, err = Open(ctx, tx, into, wanted, channel); err != nil {
		return j, err
	}
	lines, err := tx.Query(ctx, `
		WITH before AS (
			SELECT variant_id, quantity
			FROM cart_line
			WHERE cart_id = $2 AND sold_at IS NULL),
		taken AS (
			INSERT INTO cart_line AS l (cart_id, variant_id, quantity, channel, added_at, method, location_id, note,
				sold_at)
			SELECT $2, variant_id, quantity, channel, added_at, method, location_id, note, sold_at
			FROM cart_line
			WHERE cart_id = $1
			ORDER BY variant_id
			ON CONFLICT (cart_id, variant_id, (coalesce(sold_at, 0))) DO UPDATE
				SET quantity = least(l.quantity + excluded.quantity, $3)
			RETURNING variant_id, quantity, sold_at),
		codes AS (
			INSERT INTO cart_code (cart_id, code)
			SELECT $2, code
			FROM cart_code
			WHERE cart_id = $1
			ON CONFLICT DO NOTHING),
		cards AS (
			INSERT INTO cart_gift_card (cart_id, gift_card_id)
			SELECT $2, gift_card_id
			FROM cart_gift_card
			WHERE cart_id = $1
			ON CONFLICT DO NOTHING),
		closed AS (
			UPDATE cart
			SET state = 'joined', updated_at = now()
			WHERE id = $1)
		SELECT t.variant_id, t.quantity - coalesce(b.quantity, 0)
		FROM taken t
		LEFT JOIN before b ON b.variant_id = t.variant_id
		WHERE t.sold_at IS NULL
		ORDER BY t.variant_id`, j.From, j.Into, MaxQuantity)
	if err != nil {
		return j, fmt.Errorf("join two carts: %w", err)
	}
	j.Lines, err = pgx.CollectRows(lines, pgx.RowToStructByPos[JoinedLine])
	return j, err
}

// Unjoin takes back what Join did: units that are still there return to the reopened cart, what was added since stays.
// Where the cart was ordered meanwhile, its lines went with the order and nothing returns.
func Unjoin(ctx context.Context, tx pgx.Tx, owner int64, j Joined) error {
	var open bool
	err := tx.QueryRow(ctx, `
		SELECT state = 'open'
		FROM cart
		WHERE id = $1
		FOR UPDATE`, j.Into).Scan(&open)
	if errors.Is(err, pgx.ErrNoRows) || err == nil && !open {
		return nil
	}
	if err != nil {
		return fmt.Errorf("lock a cart: %w", err)
	}
	variants, added := make([]int64, len(j.Lines)), make([]int, len(j.Lines))
	for i, line := range j.Lines {
		variants[i], added[i] = line.VariantID, line.Added
	}
	// What came together at MaxQuantity was cut; the reopened cart keeps its own figure where everything is still
	// there.
	_, err = tx.Exec(ctx, `
		WITH log AS (
			SELECT *
			FROM unnest($3::bigint[], $4::int[]) AS l (variant_id, added)),
		back AS (
			SELECT log.variant_id, log.added, least(coalesce(line.quantity, 0), log.added) AS there
			FROM log
			LEFT JOIN cart_line line ON line.cart_id = $2 AND line.variant_id = log.variant_id
				AND line.sold_at IS NULL),
		gone AS (
			DELETE FROM cart_line l
			USING back b
			WHERE l.cart_id = $2 AND l.variant_id = b.variant_id AND l.sold_at IS NULL AND l.quantity <= b.there
				AND b.there > 0),
		fewer AS (
			UPDATE cart_line l
			SET quantity = l.quantity - b.there
			FROM back b
			WHERE l.cart_id = $2 AND l.variant_id = b.variant_id AND l.sold_at IS NULL AND l.quantity > b.there
				AND b.there > 0),
		kept AS (
			UPDATE cart_line l
			SET quantity = CASE WHEN b.there = b.added THEN l.quantity ELSE b.there END
			FROM back b
			WHERE l.cart_id = $1 AND l.variant_id = b.variant_id AND l.sold_at IS NULL AND (b.there > 0
				OR b.added = 0)),
		lost AS (
			DELETE FROM cart_line l
			USING back b
			WHERE l.cart_id = $1 AND l.variant_id = b.variant_id AND l.sold_at IS NULL AND b.there = 0 AND b.added > 0)
		UPDATE cart
		SET state = 'open', updated_at = now()
		WHERE id = $1 AND state = 'joined' AND customer_id = $5`, j.From, j.Into, variants, added, owner)
	if err != nil {
		return fmt.Errorf("part two carts: %w", err)
	}
	if j.Made {
		_, err = tx.Exec(ctx, `
			DELETE FROM cart
			WHERE id = $1 AND state = 'open' AND NOT EXISTS (SELECT FROM cart_line WHERE cart_id = $1)`, j.Into)
	}
	return err
}

// Refill puts what was in a cart that came to nothing into an open one, with its codes and how it was to be had.
// Quantities of the same variant add up.
func Refill(ctx context.Context, tx pgx.Tx, from, into int64) error {
	batch := &pgx.Batch{}
	batch.Queue(`
		INSERT INTO cart_line AS l (cart_id, variant_id, quantity, channel, method, location_id, note, sold_at)
		SELECT $2, variant_id, quantity, channel, method, location_id, note, sold_at
		FROM cart_line
		WHERE cart_id = $1
		ORDER BY variant_id
		ON CONFLICT (cart_id, variant_id, (coalesce(sold_at, 0))) DO UPDATE
			SET quantity = least(l.quantity + excluded.quantity, $3)`, from, into, MaxQuantity)
	batch.Queue(`
		INSERT INTO cart_code (cart_id, code)
		SELECT $2, code
		FROM cart_code
		WHERE cart_id = $1
		ON CONFLICT DO NOTHING`, from, into)
	batch.Queue(`
		INSERT INTO cart_gift_card (cart_id, gift_card_id)
		SELECT $2, gift_card_id
		FROM cart_gift_card
		WHERE cart_id = $1
		ON CONFLICT DO NOTHING`, from, into)
	batch.Queue(`
		UPDATE cart AS c
		SET location_id = coalesce(old.location_id, c.location_id), delivery_id = old.delivery_id,
			country = old.country, region = old.region, points = old.points, credit = old.credit, updated_at = now()
		FROM cart old
		WHERE c.id = $2 AND old.id = $1`, from, into)
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("fill a cart again: %w", err)
	}
	return nil
}
