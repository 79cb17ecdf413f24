package catalog

import (
	"context"
	"fmt"

	"counterpart/internal/platform/pg"
)

// RewriteCards writes the rows that lists are read from anew for all products, a thousand in a transaction, and answers
// how many products that were. The database keeps those rows whenever a product, its texts, variants, pictures or
// prices change (migration 68); this is for whoever changed them behind its back.
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
			return products, nil
		}
		products += n
	}
}
