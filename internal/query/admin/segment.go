package admin

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/segment"
	"counterpart/internal/platform/pg"
)

// Resolve fills in what the words of a tree name: products of a SKU, a department with those below it, a point of a
// postcode, a town or a store. What is not found stays empty, and the tree is refused.
func Resolve(ctx context.Context, db pg.DB, t *segment.Tree) error {
	for g := range t.Groups {
		for i := range t.Groups[g].Conditions {
			c := &t.Groups[g].Conditions[i]
			f, _ := segment.FieldOf(c.Field)
			if c.Place > 0 {
				var there bool
				if err := db.QueryRow(ctx, `SELECT EXISTS (SELECT FROM location WHERE id = $1)`, c.Place).Scan(&there); err != nil {
					return fmt.Errorf("read what a segment names: %w", err)
				}
				if !there {
					c.Place = -1
				}
			}
			var err error
			switch {
			case c.Field == "department":
				err = db.QueryRow(ctx, `
					WITH RECURSIVE below AS (
						SELECT id FROM category WHERE slug = $1
						UNION
						SELECT c.id FROM category c JOIN below ON c.parent_id = below.id)
					SELECT ARRAY(SELECT id FROM below ORDER BY id)`, c.Text).Scan(&c.IDs)
			case f.Kind == segment.Bought || f.Kind == segment.Looked:
				err = db.QueryRow(ctx, `
					SELECT coalesce(array_agg(p.id), '{}'), coalesce(min(t.title), '')
					FROM product p
					JOIN product_text t ON t.product_id = p.id AND t.language = 'en'
					WHERE p.slug = lower($1) OR p.id IN (SELECT product_id FROM variant WHERE upper(sku) = upper($1))`,
					strings.TrimSpace(c.Text)).Scan(&c.IDs, &c.Label)
			case f.Kind == segment.Nearby:
				err = place(ctx, db, c)
			}
			if err != nil {
				return fmt.Errorf("read what a segment names: %w", err)
			}
		}
	}
	return nil
}

// place finds where words are: a postcode as a whole, its first part, a town in the shop's country first, a store.
func place(ctx context.Context, db pg.DB, c *segment.Condition) error {
	c.Latitude, c.Longitude = 0, 0
	err := db.QueryRow(ctx, `
		SELECT latitude, longitude
		FROM (
			SELECT latitude, longitude, CASE WHEN kind = 'postcode' THEN 0 ELSE 1 END AS rank,
				country = (SELECT country FROM home_location(NULL, NULL)) AS own
			FROM place
			WHERE kind = 'postcode' AND key IN (upper(replace($1, ' ', '')), upper(split_part($1, ' ', 1)))
				OR kind = 'town' AND key = upper($1)
			UNION ALL
			SELECT latitude, longitude, 2, true FROM location WHERE lower(name) = lower($1) OR lower(code) = lower($1)) p
		ORDER BY own DESC, rank
		LIMIT 1`, strings.TrimSpace(c.Text)).Scan(&c.Latitude, &c.Longitude)
	if err == pgx.ErrNoRows {
		return nil
	}
	return err
}

// SegmentPerson is one of a sample.
type SegmentPerson struct {
	ID       int64
	Name     string
	Orders   int
	Spent    int64
	Currency string
}

// SegmentSample are some people of a segment.
func SegmentSample(ctx context.Context, db pg.DB, ids []int64) ([]SegmentPerson, error) {
	rows, err := db.Query(ctx, `
		SELECT c.id, c.name, f.orders, f.spent, f.currency
		FROM customer c
		JOIN figure f ON f.customer_id = c.id
		WHERE c.id = ANY ($1)
		ORDER BY lower(c.name), c.id`, ids)
	if err != nil {
		return nil, fmt.Errorf("read some people of a segment: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[SegmentPerson])
}

// Located is how exact “near” is: addresses of customers, and those whose postcode or town the list of places has.
func Located(ctx context.Context, db pg.DB) (places, addresses, found int, err error) {
	err = db.QueryRow(ctx, `
		SELECT (SELECT count(*) FROM place), count(*), count(*) FILTER (WHERE EXISTS (
			SELECT FROM place p WHERE p.country = a.country AND (p.kind = 'postcode' AND p.key IN (
				upper(replace(a.postcode, ' ', '')), upper(split_part(a.postcode, ' ', 1))) OR p.kind = 'town' AND p.key = upper(a.town))))
		FROM address a`).Scan(&places, &addresses, &found)
	if err != nil {
		return 0, 0, 0, fmt.Errorf("count located addresses: %w", err)
	}
	return places, addresses, found, nil
}
