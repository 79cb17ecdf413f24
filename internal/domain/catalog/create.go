package catalog

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/platform/pg"
)

// Begin writes a new product as a draft, with a variant for every combination of its options. Where its address is
// taken, it has the next free one like it.
func Begin(ctx context.Context, tx pgx.Tx, h Head, options []Option, class string) (id int64, err error) {
	if h.Slug == "" {
		h.Slug = Slug(h.Title)
	}
	if h.Slug == "" {
		h.Slug = "item"
	}
	if h.Slug, err = freeSlug(ctx, tx, h.Slug); err != nil {
		return 0, err
	}
	err = tx.QueryRow(ctx, `INSERT INTO product (slug, status) VALUES ($1, 'draft') RETURNING id`, h.Slug).Scan(&id)
	if err != nil {
		return 0, slugFault(err, "begin a product")
	}
	h.Status, h.Pickup, h.Ship = "draft", true, true
	h.Tags = emptyNotNil(h.Tags)
	if h.Categories == nil {
		h.Categories = []int64{}
	}
	if err := SaveHead(ctx, tx, id, "en", h); err != nil {
		return 0, err
	}
	if _, err := SetOptions(ctx, tx, id, options); err != nil {
		return 0, err
	}
	if _, err := tx.Exec(ctx, `UPDATE variant SET tax_class = $2 WHERE product_id = $1`, id, class); err != nil {
		return 0, fmt.Errorf("tax class of a product: %w", err)
	}
	return id, nil
}

// freeSlug is an address that no product has, nor had: the one that is wanted, or the next like it.
func freeSlug(ctx context.Context, db pg.DB, wanted string) (slug string, err error) {
	err = db.QueryRow(ctx, `
		SELECT free.slug
		FROM (SELECT $1 || CASE n WHEN 1 THEN '' ELSE '-' || n END AS slug, n FROM generate_series(1, 1000) n) free
		WHERE NOT EXISTS (SELECT FROM product WHERE slug = free.slug)
			AND NOT EXISTS (SELECT FROM former_slug WHERE kind = 'product' AND slug = free.slug)
		ORDER BY n
		LIMIT 1`, wanted).Scan(&slug)
	if err != nil {
		return "", fmt.Errorf("find a free address: %w", err)
	}
	return slug, nil
}

// SetAllPrices gives every variant of a product the same prices.
func SetAllPrices(ctx context.Context, tx pgx.Tx, productID int64, prices []Price, associateID int64) error {
	rows, err := tx.Query(ctx, `SELECT id FROM variant WHERE product_id = $1 AND active ORDER BY id`, productID)
	if err != nil {
		return fmt.Errorf("list variants: %w", err)
	}
	variants, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return fmt.Errorf("list variants: %w", err)
	}
	for _, id := range variants {
		for _, price := range prices {
			if _, err := setPrice(ctx, tx, id, price, associateID); err != nil {
				return fmt.Errorf("set a price: %w", err)
			}
		}
	}
	return nil
}

// Duplicate makes a draft like a product: texts, departments, options, prices, pictures; not stock, codes or sales. 0
// where there is no such product.
func Duplicate(ctx context.Context, tx pgx.Tx, productID int64, title string) (id int64, err error) {
	var slug string
	err = tx.QueryRow(ctx, `SELECT slug FROM product WHERE id = $1`, productID).Scan(&slug)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read a product: %w", err)
	}
	if slug, err = freeSlug(ctx, tx, slug); err != nil {
		return 0, err
	}
	err = tx.QueryRow(ctx, `
		INSERT INTO product (slug, brand, status, options, tags, minimum_age, pickup, ship, origin_country,
			customs_code, facet_names, facet_values)
		SELECT $2, brand, 'draft', options, tags, minimum_age, pickup, ship, origin_country, customs_code, facet_names,
			facet_values
		FROM product
		WHERE id = $1
		RETURNING id`, productID, slug).Scan(&id)
	if err != nil {
		return 0, slugFault(err, "duplicate a product")
	}
	batch := &pgx.Batch{}
	for _, statement := range []string{`
		INSERT INTO product_text (product_id, language, title, description, keywords, seo_description)
		SELECT $2, language, CASE language WHEN 'en' THEN $3 ELSE title END, description, keywords, seo_description
		FROM product_text
		WHERE product_id = $1 AND $3 <> ''`, `
		INSERT INTO product_category (product_id, category_id)
		SELECT $2, category_id
		FROM product_category
		WHERE product_id = $1 AND $3 <> ''`, `
		INSERT INTO product_attribute (product_id, attribute_id, value)
		SELECT $2, attribute_id, value
		FROM product_attribute
		WHERE product_id = $1 AND $3 <> ''`, `
		INSERT INTO picture (product_id, position, alt, source, original, tint, crop_left, crop_top, crop_width)
		SELECT $2, position, alt, source, original, tint, crop_left, crop_top, crop_width
		FROM picture
		WHERE product_id = $1 AND failed IS NULL AND $3 <> ''`, `
		WITH original AS (
			SELECT v.*, row_number() OVER (ORDER BY v.position, v.id) AS n, pic.source AS picture
			FROM variant v
			LEFT JOIN picture pic ON pic.id = v.picture_id
			WHERE v.product_id = $1 AND v.active AND $3 <> ''),
		made AS (
			INSERT INTO variant (product_id, position, sku, options, tax_class, unit_cost, grams, picture_id,
				min_quantity, max_quantity, tracked, back_order, gift_card, content, content_unit)
			SELECT $2, o.n, (
					SELECT free.sku
					FROM (SELECT left(o.sku, 50) || '-' || n AS sku, n FROM generate_series(2, 1000) n) free
					WHERE NOT EXISTS (SELECT FROM variant WHERE upper(sku) = upper(free.sku))
					ORDER BY n
					LIMIT 1), o.options, o.tax_class, o.unit_cost, o.grams, (SELECT id FROM picture
						WHERE product_id = $2 AND source = o.picture), o.min_quantity, o.max_quantity, o.tracked,
				o.back_order, o.gift_card, o.content, o.content_unit
			FROM original o
			RETURNING id, position)
		INSERT INTO price (variant_id, price_list_id, amount, compare_at, valid)
		SELECT made.id, p.price_list_id, p.amount, p.compare_at, tstzrange(clock_timestamp(), NULL)
		FROM made
		JOIN original o ON o.n = made.position
		JOIN price p ON p.variant_id = o.id AND upper_inf(p.valid)`} {
		batch.Queue(statement, productID, id, title)
	}
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return 0, fmt.Errorf("duplicate a product: %w", err)
	}
	return id, Index(ctx, tx, id)
}
