package basket

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/inventory"
	"counterpart/internal/domain/quote"
	"counterpart/internal/platform/pg"
)

// Wanted is what of a cart is wanted from contended stock levels. Of what is sent it takes the first of them.
func Wanted(ctx context.Context, db pg.DB, customerID, cartID int64, here SaleContext,
	contended map[int64][]int64) (wanted []inventory.Reservation, err error) {
	rows, err := db.Query(ctx, `
		SELECT cl.method, cl.variant_id, coalesce(nullif($3::bigint, 0), cl.location_id, c.location_id, 0), cl.quantity
		FROM cart c
		JOIN cart_line cl ON cl.cart_id = c.id
		WHERE c.id = $1 AND c.customer_id = $2 AND c.state = 'open' AND cl.sold_at IS NULL AND cl.variant_id = ANY ($4)
		ORDER BY cl.variant_id`, cartID, customerID, here.LocationID, slices.Collect(maps.Keys(contended)))
	if err != nil {
		return nil, fmt.Errorf("read what is wanted: %w", err)
	}
	var method string
	var c inventory.Reservation
	_, err = pgx.ForEachRow(rows, []any{&method, &c.VariantID, &c.LocationID, &c.Quantity}, func() error {
		at := contended[c.VariantID]
		if method == quote.Ship {
			c.LocationID = slices.Min(at)
		}
		if slices.Contains(at, c.LocationID) {
			wanted = append(wanted, c)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read what is wanted: %w", err)
	}
	return wanted, nil
}

// has counts what was claimed ahead as there.
func (l *loading) has(c inventory.Reservation) {
	for i := range l.Lines {
		line := &l.Lines[i]
		if line.VariantID != c.VariantID {
			continue
		}
		k := slices.IndexFunc(line.levels, func(at level) bool { return at.Location == c.LocationID })
		if k < 0 {
			k, line.levels = len(line.levels), append(line.levels, level{Location: c.LocationID})
		}
		line.levels[k].Available += c.Quantity
	}
}
