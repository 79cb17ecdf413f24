package catalog

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/platform/pg"
)

// mark notes a product as being changed, as the triggers do, before anything of it is locked. Whoever changes a product
// has its mark first and its rows, variants and prices behind it: else two who wait for each other would have one of
// them begin again.
func mark(ctx context.Context, tx pgx.Tx, product string, id int64) error {
	_, err := tx.Exec(ctx, `INSERT INTO product_changed `+product+` ON CONFLICT DO NOTHING`, id)
	if err != nil {
		return fmt.Errorf("note that a product changes: %w", err)
	}
	return nil
}

// holdVariant locks a variant until the transaction ends.
func holdVariant(ctx context.Context, tx pgx.Tx, variantID int64) error {
	if err := mark(ctx, tx, `SELECT product_id FROM variant WHERE id = $1`, variantID); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `SELECT FROM variant WHERE id = $1 FOR NO KEY UPDATE`, variantID); err != nil {
		return fmt.Errorf("hold a variant: %w", err)
	}
	return nil
}

// RewriteCards writes the rows that lists are read from anew for all products, a thousand in a transaction, and answers
// how many products that were. Where something is in stock it writes anew too, and holds up changes of stock for as
// long. The database keeps those rows whenever a product, its texts, variants, pictures, prices or stock change
// (migrations 68 and 70); this is for whoever changed them behind its back.
func RewriteCards(ctx context.Context, db pg.DB) (products int, err error) {
	for last := int64(0); ; {
		var n int
		err := db.QueryRow(ctx, `
			WITH batch AS (SELECT id FROM product WHERE id > $1 ORDER BY id LIMIT 1000),
			changed AS (INSERT INTO product_changed SELECT id FROM batch ORDER BY id ON CONFLICT DO NOTHING)
			SELECT count(*), coalesce(max(id), 0) FROM batch`, last).Scan(&n, &last)
		if err != nil {
			return products, fmt.Errorf("rewrite the rows of lists: %w", err)
		}
		if n == 0 {
			break
		}
		products += n
	}
	return products, pg.InTx(ctx, db, func(tx pgx.Tx) error {
		for _, statement := range []string{`LOCK TABLE stock_level IN SHARE MODE`, `DELETE FROM in_stock`, `
			INSERT INTO in_stock
			SELECT v.product_id, s.location_id, s.variant_id
			FROM stock_level s
			JOIN variant v ON v.id = s.variant_id
			WHERE s.condition = 'sellable' AND s.on_hand - s.reserved - s.safety > 0`} {
			if _, err := tx.Exec(ctx, statement); err != nil {
				return fmt.Errorf("rewrite where things are in stock: %w", err)
			}
		}
		return nil
	})
}
