package shortage

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/inventory"
	"counterpart/internal/domain/order"
	"counterpart/internal/domain/origin"
)

// ReduceReservations shortens promises of a variant at a location until no more than so many units are promised there:
// the youngest that are not picked first, or, when all are, the youngest. Their shoppers are told. Orders are locked
// before shelves, so the caller looks at the shelf afterwards, and calls again should new promises have appeared.
func ReduceReservations(ctx context.Context, tx pgx.Tx, at origin.Origin, variantID, locationID int64, most int) error {
	cuts, err := youngest(ctx, tx, variantID, locationID, most)
	if err != nil || len(cuts) == 0 {
		return err
	}
	// Every order before the first shelf, in one order.
	slices.SortFunc(cuts, func(a, b cut) int { return cmp.Compare(a.Order, b.Order) })
	held := map[int64]*order.Fulfilment{}
	for _, c := range cuts {
		if held[c.Fulfilment], err = order.LockFulfilment(ctx, tx, c.Fulfilment, locationID); err != nil {
			return err
		}
	}
	// What changed while we waited for the orders has changed for the better: then there is less to take.
	still, err := youngest(ctx, tx, variantID, locationID, most)
	if err != nil {
		return err
	}
	still = slices.DeleteFunc(still, func(c cut) bool { return held[c.Fulfilment] == nil })
	for _, c := range still {
		if err := MarkShort(ctx, tx, at, held[c.Fulfilment], c.Line, c.Pieces); err != nil {
			return err
		}
	}
	for _, c := range still {
		if err := inventory.ReduceReservation(ctx, tx, c.Line, c.Pieces); err != nil {
			return err
		}
	}
	return nil
}

// cut is what an order loses.
type cut struct {
	Line, Fulfilment, Order int64
	Pieces                  int
}

// youngest are the promises that go first, until at most so many units are promised.
func youngest(ctx context.Context, tx pgx.Tx, variantID, locationID int64, most int) ([]cut, error) {
	rows, err := tx.Query(ctx, `
		SELECT line, fulfilment, order_id, least(quantity, over)::int
		FROM (
			SELECT r.order_line_id AS line, l.fulfilment_id AS fulfilment, f.order_id, r.quantity,
				sum(r.quantity) OVER () - $3 - coalesce(sum(r.quantity) OVER (
					ORDER BY f.state IN ('waiting', 'to_pick') DESC, r.id DESC ROWS BETWEEN UNBOUNDED PRECEDING
						AND 1 PRECEDING), 0) AS over
			FROM reservation r
			JOIN order_line l ON l.id = r.order_line_id
			JOIN fulfilment f ON f.id = l.fulfilment_id
			WHERE r.variant_id = $1 AND r.location_id = $2 AND r.released_at IS NULL) promised
		WHERE over > 0`, variantID, locationID, most)
	if err != nil {
		return nil, fmt.Errorf("find promises to shorten: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[cut])
}

// SellInHand takes goods off the shelf that somebody has in their hand. It is never refused: what the books do not have
// is counted in first, and promises that cannot be kept any more are shortened.
func SellInHand(ctx context.Context, tx pgx.Tx, s inventory.Sale, why inventory.Reason) error {
	for range 20 {
		level, err := inventory.LevelOf(ctx, tx, s.VariantID, s.LocationID)
		if err != nil {
			return err
		}
		// What is staged lies on a shelf with a name on it: it is not what somebody has in their hand.
		staged, err := order.CountStaged(ctx, tx, s.VariantID, s.LocationID)
		if err != nil {
			return err
		}
		if level.OnHand-level.Reserved < s.Quantity {
			if err := ReduceReservations(ctx, tx, origin.Origin{Channel: why.Channel, LocationID: s.LocationID,
				AssociateID: why.AssociateID}, s.VariantID, s.LocationID, max(level.OnHand-s.Quantity, staged)); err != nil {
				return err
			}
		}
		if level, err = inventory.LockLevel(ctx, tx, s.VariantID, s.LocationID); err != nil {
			return err
		}
		if missing := s.Quantity - (level.OnHand - level.Reserved); missing > 0 {
			if level.OnHand >= s.Quantity && level.Reserved > staged {
				continue // Promises came in meanwhile.
			}
			move := inventory.Move{VariantID: s.VariantID, LocationID: s.LocationID, Delta: missing, Cause: "count"}
			if _, err := inventory.AdjustOnHand(ctx, tx, move,
				inventory.Reason{Channel: why.Channel, Reason: "was in a customer's hand",
					AssociateID: why.AssociateID}); err != nil {
				return err
			}
		}
		done, err := inventory.SellUnreserved(ctx, tx, s, why)
		if err != nil || done {
			return err
		}
	}
	return errors.New("carry out: promises kept coming in")
}

// HandOverStock takes what is handed over off the books: what was reserved for it, and what was sold without stock and
// is there now. It is the last thing a transaction does.
func HandOverStock(ctx context.Context, tx pgx.Tx, f *order.Fulfilment, loose []order.UnreservedLine,
	why inventory.Reason) error {
	for _, l := range loose {
		if err := SellInHand(ctx, tx, inventory.Sale{OrderLineID: l.LineID, VariantID: l.VariantID,
			LocationID: f.LocationID, Quantity: l.Quantity}, why); err != nil {
			return err
		}
	}
	return inventory.HandOver(ctx, tx, f.OpenLines, why)
}
