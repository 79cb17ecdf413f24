// Package admin reads what the admin's pages show: products, prices with their history, stock and the ledger behind it.
package admin

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/catalog"
	"counterpart/internal/domain/location"
	"counterpart/internal/domain/tax"
	"counterpart/internal/platform/pg"
)

// PerPage rows of a table.
const PerPage = 50

// ProductRow is a line of the product table.
type ProductRow struct {
	ID     int64
	Slug   string
	Title  string
	Brand  string
	Status string
	// PublishAt is when a draft goes on sale by itself.
	PublishAt *time.Time
	Picture   string
	Variants  int
	OnHand    int
	Reserved  int
}

// ProductFilter narrows the list of products.
type ProductFilter struct {
	Words      string  // of title or brand, or a SKU or barcode
	Status     string  // empty: any
	Department int64   // 0: any
	Empty      bool    // nothing on hand anywhere
	Places     []int64 // whose stock is counted; nil: all
}

// skuBegins is the condition that a SKU begins with what was typed, as its index is asked: a pattern that is an argument
// asks none.
const skuBegins = `(upper(sku) ~>=~ upper(@typed) AND upper(sku) ~<~ (upper(@typed) || chr(1114111)))`

// where is the statement's conditions: only those of fields that are set.
func (f ProductFilter) where() (c conditions, args pgx.NamedArgs) {
	args = pgx.NamedArgs{"places": f.Places, "everywhere": f.Places == nil}
	if words := strings.TrimSpace(f.Words); words != "" {
		scan := catalog.Scan(words)
		args["like"], args["prefix"], args["typed"] = "%"+pg.Literal(words)+"%", pg.Literal(words)+"%", words
		args["gtins"], args["key"] = scan.GTINs, scan.Key
		c.addBoth(`p.id IN (
			SELECT product_id FROM product_text WHERE lower(title) LIKE lower(@like)
			UNION
			SELECT id FROM product WHERE lower(brand) LIKE lower(@like)
			UNION
			SELECT product_id FROM variant WHERE `+skuBegins+`
			UNION
			SELECT product_id FROM variant WHERE id IN (`+catalog.ByCode+`))`,
			`(EXISTS (SELECT FROM product_text w WHERE w.product_id = p.id AND lower(w.title) LIKE lower(@like))
			OR lower(p.brand) LIKE lower(@like) OR EXISTS (SELECT FROM variant v WHERE v.product_id = p.id
				AND (`+skuBegins+` OR v.id IN (`+catalog.ByCode+`))))`)
	}
	c.add(`NOT (p.sample AND p.status = 'archived')`)
	if slices.Contains(catalog.Statuses, f.Status) {
		c.add(`p.status = '` + f.Status + `'`)
	}
	if f.Department != 0 {
		args["department"] = f.Department
		c.addBoth(`p.id IN (SELECT product_id FROM product_category WHERE category_id = @department)`,
			`EXISTS (SELECT FROM product_category WHERE product_id = p.id AND category_id = @department)`)
	}
	if f.Empty {
		c.addBoth(`p.id NOT IN (SELECT v.product_id FROM stock_level s JOIN variant v ON v.id = s.variant_id
			WHERE s.on_hand > 0 AND (@everywhere OR s.location_id = ANY (@places)))`,
			`NOT EXISTS (SELECT FROM variant v JOIN stock_level s ON s.variant_id = v.id
			WHERE v.product_id = p.id AND s.on_hand > 0 AND (@everywhere OR s.location_id = ANY (@places)))`)
	}
	return c, args
}

// Products lists products by title, and how many there are, counted to CountUpTo.
func Products(ctx context.Context, db pg.DB, f ProductFilter, page Page) (rows []ProductRow, total int, err error) {
	c, args := f.where()
	found, total, err := matching(ctx, db, "p.id", "product p WHERE "+all(c.find), args)
	if err != nil {
		return nil, 0, fmt.Errorf("find products: %w", err)
	}
	if total == 0 {
		return nil, 0, nil
	}
	where := all(c.walk)
	if found != nil {
		where, args["found"] = "t.product_id = ANY (@found)", found
	}
	// The list ascends: what is behind a row has a greater title.
	walk, direction := page.ascending("(t.title, t.product_id)",
		`((SELECT title FROM product_text WHERE product_id = @edge AND language = 'en'), @edge)`, args)
	err = pg.Ask(ctx, db,
		pg.All(&rows, `
			SELECT page.id, page.slug, page.title, page.brand, page.status, page.publish_at,
				coalesce((SELECT key FROM picture WHERE product_id = page.id ORDER BY position LIMIT 1), '') AS picture,
				(SELECT count(*) FROM variant WHERE product_id = page.id AND active)::int AS variants,
				coalesce(stock.on_hand, 0)::int AS on_hand, coalesce(stock.reserved, 0)::int AS reserved
			FROM (
				SELECT p.id, p.slug, t.title, p.brand, p.status, p.publish_at
				FROM product_text t
				JOIN product p ON p.id = t.product_id
				WHERE t.language = 'en' AND `+where+walk+`
				ORDER BY t.title `+direction+`, t.product_id `+direction+`
				`+page.limit()+`) page
			LEFT JOIN LATERAL (
				SELECT sum(on_hand) AS on_hand, sum(reserved) AS reserved
				FROM variant v
				JOIN stock_level s ON s.variant_id = v.id
				WHERE v.product_id = page.id AND (@everywhere OR s.location_id = ANY (@places))) stock ON true
			ORDER BY page.title, page.id`, args))
	if err != nil {
		return nil, 0, fmt.Errorf("list products: %w", err)
	}
	return rows, total, nil
}

// Product is a product's page: everything that is edited of it.
type Product struct {
	Row         ProductHead
	Head        catalog.Head // with its texts in the language that is edited
	Grid        catalog.Grid
	Rules       []VariantRule
	Pictures    []Picture
	Departments []catalog.Department
	Attributes  []catalog.AttributeValue
	Files       []catalog.File
	Related     []catalog.Related
	Classes     []tax.Class
	Segments    []SegmentName
	History     []PriceRow
	Languages   []string
}

// ProductHead is what of a product is not edited as a field.
type ProductHead struct {
	ID      int64
	Title   string // in English
	Options []string
	Sold    int // units in the last 90 days
}

// Title of a product, in English.
func (p *Product) Title() string { return p.Row.Title }

// VariantRule is how a variant is sold, with its better prices.
type VariantRule struct {
	ID        int64
	SKU       string
	Min       int
	Max       int
	GiftCard  bool
	Tracked   bool
	BackOrder bool
	Breaks    []Break
}

// SegmentName is a segment that a price can be for.
type SegmentName struct {
	ID    int64
	Title string
}

// Break is a better price that holds now.
type Break struct {
	Currency string `json:"currency"`
	From     int    `json:"from"`
	Members  bool   `json:"members"`
	Tier     string `json:"tier"`
	Segment  string `json:"segment"` // title; empty: in any or none
	Amount   int64  `json:"amount"`
}

// Picture of a product as it is edited.
type Picture struct {
	ID     int64
	Key    string // empty: it is not drawn yet
	Alt    string
	Failed string // why it cannot be drawn
	Photo  bool   // a part of it can be chosen
	catalog.Crop
}

// PriceRow is a line of the history.
type PriceRow struct {
	SKU      string
	Currency string
	Amount   int64
	Sale     bool
	From     time.Time
	To       *time.Time
	By       string
}

// ProductPage reads one, with its texts in a language. Nil when there is none.
func ProductPage(ctx context.Context, db pg.DB, id int64, language string) (*Product, error) {
	var p Product
	var row *ProductHead
	var head *catalog.Head
	err := pg.Ask(ctx, db,
		pg.One(&row, `
			SELECT p.id, coalesce(t.title, p.slug) AS title, p.options, p.popularity AS sold
			FROM product p
			LEFT JOIN product_text t ON t.product_id = p.id AND t.language = 'en'
			WHERE p.id = $1`, id),
		catalog.HeadOf(id, language, &head), catalog.GridOf(id, &p.Grid), catalog.Departments(&p.Departments),
		catalog.AttributesOf(id, &p.Attributes), catalog.FilesOf(id, &p.Files), catalog.RelatedTo(id, &p.Related),
		tax.AllClasses(&p.Classes), pg.All(&p.Segments, `
			SELECT id, title FROM segment WHERE archived_at IS NULL ORDER BY lower(title)`),
		location.Languages(&p.Languages),
		pg.All(&p.Pictures, `
			SELECT id, coalesce(key, '') AS key, alt, coalesce(failed, '') AS failed, tint = '' AS photo, crop_left,
				crop_top, crop_width
			FROM picture
			WHERE product_id = $1
			ORDER BY position, id`, id),
		pg.All(&p.Rules, `
			SELECT v.id, v.sku, v.min_quantity AS min, v.max_quantity AS max, v.gift_card, v.tracked, v.back_order, (
					SELECT coalesce(jsonb_agg(jsonb_build_object('currency', list.currency, 'from', b.from_quantity,
						'members', b.members, 'tier', b.tier, 'segment', coalesce(s.title, ''), 'amount', b.amount)
						ORDER BY list.id, b.from_quantity, b.members, b.tier, s.title), '[]')
					FROM price_break b
					JOIN price_list list ON list.id = b.price_list_id
					LEFT JOIN segment s ON s.id = b.segment_id
					WHERE b.variant_id = v.id AND b.valid @> now()) AS breaks
			FROM variant v
			WHERE v.product_id = $1 AND v.active
			ORDER BY v.position, v.id`, id),
		pg.All(&p.History, `
			SELECT v.sku, list.currency::text, price.amount, price.sale, lower(price.valid) AS from,
				upper(price.valid) AS to, coalesce(a.name, '') AS by
			FROM variant v
			JOIN price ON price.variant_id = v.id AND NOT isempty(price.valid)
			JOIN price_list list ON list.id = price.price_list_id
			LEFT JOIN associate a ON a.id = price.associate_id
			WHERE v.product_id = $1
			ORDER BY lower(price.valid) DESC, v.position, list.id
			LIMIT 30`, id))
	if err != nil || row == nil {
		return nil, err
	}
	p.Row, p.Head = *row, *head
	return &p, nil
}

// ProductOfVariant is whose variant it is; 0 where there is none.
func ProductOfVariant(ctx context.Context, db pg.DB, variantID int64) (id int64, err error) {
	err = db.QueryRow(ctx, `SELECT coalesce((SELECT product_id FROM variant WHERE id = $1), 0)`, variantID).Scan(&id)
	if err != nil {
		return 0, fmt.Errorf("find a variant's product: %w", err)
	}
	return id, nil
}

// Untaxed are the places that the shop serves and the classes of goods that it sells there, for which nobody has
// written a tax rate. Nothing of that class can be sold there.
func Untaxed(ctx context.Context, db pg.DB) ([]tax.Missing, error) {
	rows, err := db.Query(ctx, `
		WITH place AS (
			SELECT country::text, region FROM location WHERE kind = 'store' OR pickup
			UNION
			SELECT unnest(countries)::text, '' FROM delivery WHERE active),
		class AS (
			SELECT DISTINCT v.tax_class AS code
			FROM variant v
			JOIN product p ON p.id = v.product_id AND p.status = 'active'
			WHERE v.active
			UNION
			SELECT 'standard' FROM delivery WHERE active)
		SELECT place.country, place.region, class.code
		FROM place
		CROSS JOIN class
		WHERE NOT EXISTS (
			SELECT
			FROM tax_rate r
			WHERE r.country = place.country AND r.tax_class = class.code AND (r.region IN (place.region, '')
				OR place.region = ''))
		ORDER BY 1, 2, 3`)
	if err != nil {
		return nil, fmt.Errorf("list places without a tax rate: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[tax.Missing])
}
