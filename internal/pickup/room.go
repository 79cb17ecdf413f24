package pickup

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/inventory"
	"counterpart/internal/order"
)

// KeepAtMost shortens promises of a variant at a location until no more than so many pieces are promised there: the youngest that are not picked first, or, when all
// are, the youngest. Their shoppers are told. Orders are locked before shelves, so the caller looks at the shelf afterwards, and calls again should new promises have appeared.
func KeepAtMost(ctx context.Context, tx pgx.Tx, variantID, locationID int64, most int) error {
	for {
		var promised int
		err := tx.QueryRow(ctx, `
			SELECT coalesce(sum(quantity), 0)::int
			FROM reservation
			WHERE variant_id = $1 AND location_id = $2 AND released_at IS NULL AND order_line_id IS NOT NULL`, variantID, locationID).Scan(&promised)
		if err != nil {
			return fmt.Errorf("count what is promised: %w", err)
		}
		if promised <= most {
			return nil
		}
		if err := shorten(ctx, tx, variantID, locationID, promised-most); err != nil {
			return err
		}
	}
}

func shorten(ctx context.Context, tx pgx.Tx, variantID, locationID int64, n int) error {
	var line, fulfilment int64
	var quantity int
	err := tx.QueryRow(ctx, `
		SELECT r.order_line_id, r.quantity, l.fulfilment_id
		FROM reservation r
		JOIN order_line l ON l.id = r.order_line_id
		JOIN fulfilment f ON f.id = l.fulfilment_id
		WHERE r.variant_id = $1 AND r.location_id = $2 AND r.released_at IS NULL
		ORDER BY f.state IN ('waiting', 'to_pick') DESC, r.id DESC
		LIMIT 1`, variantID, locationID).Scan(&line, &quantity, &fulfilment)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("find a promise to shorten: %w", err)
	}
	f, err := order.LockFulfilment(ctx, tx, fulfilment, locationID)
	if err != nil || f == nil {
		return err
	}
	pieces := min(n, quantity)
	if err := Shorten(ctx, tx, f, line, pieces); err != nil {
		return err
	}
	return inventory.Shorten(ctx, tx, line, pieces)
}

// CarryOut takes goods off the shelf that somebody has in their hand. It is never refused: what the books do not have is counted in first, and promises
// that cannot be kept any more are shortened.
func CarryOut(ctx context.Context, tx pgx.Tx, orderLineID, variantID, locationID int64, quantity int, why inventory.Cause) error {
	for range 20 {
		level, err := inventory.Read(ctx, tx, variantID, locationID)
		if err != nil {
			return err
		}
		if level.OnHand-level.Reserved < quantity {
			if err := KeepAtMost(ctx, tx, variantID, locationID, max(level.OnHand-quantity, 0)); err != nil {
				return err
			}
		}
		if level, err = inventory.Lock(ctx, tx, variantID, locationID); err != nil {
			return err
		}
		if missing := quantity - (level.OnHand - level.Reserved); missing > 0 {
			if level.OnHand >= quantity && level.Reserved > 0 {
				continue // Promises came in meanwhile.
			}
			move := inventory.Move{VariantID: variantID, LocationID: locationID, Delta: missing, Cause: "count"}
			if _, err := inventory.Correct(ctx, tx, move, inventory.Cause{Channel: why.Channel, Reason: "was in a customer's hand", AssociateID: why.AssociateID}); err != nil {
				return err
			}
		}
		done, err := inventory.TakeOut(ctx, tx, orderLineID, variantID, locationID, quantity, why)
		if err != nil || done {
			return err
		}
	}
	return errors.New("carry out: promises kept coming in")
}
