// Package history is what a retailer sold before this shop: lines by day, without channel, store or payment.
package history

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/platform/pg"
)

// Sale is what one receipt says of one code.
type Sale struct {
	Receipt   string
	Code      string // upper case; a variant's SKU where there is one
	Day       time.Time
	Person    string // as the other system numbers them; empty: nobody is known
	Goods     bool   // false: carriage, a voucher
	Quantity  int
	Amount    int64 // minor units, for all of the quantity
	Cancelled int   // of the quantity, on the same day
	Returned  int   // of the quantity, later
}

// Write keeps sales of a source in one transaction. What is there already is brought in line with them, so that a file
// can be imported again after it was interrupted. It answers how many rows are new and how many were changed.
func Write(ctx context.Context, db pg.DB, source, currency string, sales []Sale) (written, changed int, err error) {
	err = pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `
			CREATE TEMP TABLE IF NOT EXISTS arriving (LIKE past_sale INCLUDING DEFAULTS) ON COMMIT DROP;
			TRUNCATE arriving`); err != nil {
			return err
		}
		_, err := tx.CopyFrom(ctx, pgx.Identifier{"arriving"}, []string{"source", "receipt", "code", "day", "person",
			"goods", "currency", "quantity", "amount", "cancelled", "returned"},
			pgx.CopyFromSlice(len(sales), func(i int) ([]any, error) {
				s := &sales[i]
				return []any{source, s.Receipt, s.Code, s.Day, s.Person, s.Goods, currency, s.Quantity, s.Amount,
					s.Cancelled, s.Returned}, nil
			}))
		if err != nil {
			return err
		}
		return tx.QueryRow(ctx, `
			WITH kept AS (
				INSERT INTO past_sale AS p (source, receipt, code, day, person, goods, currency, quantity, amount,
					cancelled, returned)
				SELECT source, receipt, code, day, person, goods, currency, quantity, amount, cancelled, returned
				FROM arriving
				ON CONFLICT (source, receipt, day, code) DO UPDATE
					SET person = excluded.person, goods = excluded.goods,
						currency = excluded.currency, quantity = excluded.quantity, amount = excluded.amount,
						cancelled = excluded.cancelled, returned = excluded.returned
					WHERE (p.person, p.goods, p.currency, p.quantity, p.amount, p.cancelled, p.returned)
						IS DISTINCT FROM (excluded.person, excluded.goods, excluded.currency,
						excluded.quantity, excluded.amount, excluded.cancelled, excluded.returned)
				RETURNING xmax = 0 AS fresh)
			SELECT count(*) FILTER (WHERE fresh), count(*) FILTER (WHERE NOT fresh)
			FROM kept`).Scan(&written, &changed)
	})
	if err != nil {
		return 0, 0, fmt.Errorf("keep past sales: %w", err)
	}
	return written, changed, nil
}

// Known says how many different codes of goods a source has, and how many of them are SKUs of this shop.
func Known(ctx context.Context, db pg.DB, source string) (codes, sold int, err error) {
	err = db.QueryRow(ctx, `
		SELECT count(*), count(*) FILTER (WHERE EXISTS (SELECT FROM variant v WHERE sku_key(v.sku) = sku_key(c.code)))
		FROM (SELECT DISTINCT code FROM past_sale WHERE source = $1 AND goods) c`, source).Scan(&codes, &sold)
	if err != nil {
		return 0, 0, fmt.Errorf("count codes of past sales: %w", err)
	}
	return codes, sold, nil
}
