// Package admin reads what the admin's pages show: products, prices with their history, stock and the ledger behind it.
package admin

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/catalog"
	"counterpart/internal/domain/inventory"
	"counterpart/internal/domain/tax"
	"counterpart/internal/platform/pg"
)

// PerPage rows of a table.
const PerPage = 50

// ProductRow is a line of the product table.
type ProductRow struct {
	ID       int64
	Slug     string
	Title    string
	Brand    string
	Status   string
	Picture  string
	Variants int
	OnHand   int
	Reserved int
}

// Products lists products by title, those with the words in their title or brand, or with a SKU or barcode that they
// are. The second value is how many there are.
func Products(ctx context.Context, db pg.DB, words string, page int) (rows []ProductRow, total int, err error) {
	batch := &pgx.Batch{}
	const where = `
		FROM product p
		JOIN product_text t ON t.product_id = p.id AND t.language = 'en'
		WHERE @words = '' OR t.title ILIKE '%' || @words || '%' OR p.brand ILIKE '%' || @words || '%' OR EXISTS (
			SELECT
			FROM variant v
			WHERE v.product_id = p.id AND (upper(v.sku) LIKE upper(@words) || '%' OR v.id IN (` + catalog.ByCode + `)))`
	args := found(words, page)
	batch.Queue(`SELECT count(*)`+where, args).QueryRow(func(row pgx.Row) error { return row.Scan(&total) })
	batch.Queue(`
		SELECT page.id, page.slug, page.title, page.brand, page.status, coalesce((SELECT key FROM picture
			WHERE product_id = page.id ORDER BY position LIMIT 1), '') AS picture,
			(SELECT count(*) FROM variant WHERE product_id = page.id)::int AS variants,
			coalesce(stock.on_hand, 0)::int AS on_hand, coalesce(stock.reserved, 0)::int AS reserved
		FROM (
			SELECT p.id, p.slug, t.title, p.brand, p.status`+where+`
			ORDER BY t.title, p.id
			OFFSET @skip LIMIT @take) page
		LEFT JOIN LATERAL (
			SELECT sum(on_hand) AS on_hand, sum(reserved) AS reserved
			FROM variant v
			JOIN stock_level s ON s.variant_id = v.id
			WHERE v.product_id = page.id) stock ON true
		ORDER BY page.title, page.id`, args).Query(func(found pgx.Rows) (err error) {
		rows, err = pgx.CollectRows(found, pgx.RowToStructByName[ProductRow])
		return err
	})
	if err := db.SendBatch(ctx, batch).Close(); err != nil {
		return nil, 0, fmt.Errorf("list products: %w", err)
	}
	return rows, total, nil
}

// found are the arguments of a list's page: what was typed, as words and as a code.
func found(words string, page int) pgx.NamedArgs {
	scan := catalog.Scan(words)
	return pgx.NamedArgs{"words": pg.Literal(words), "gtins": scan.GTINs, "key": scan.Key, "skip": (page - 1) * PerPage,
		"take": PerPage}
}

// Product is a product's page: variants with the prices that hold now, and the newest of the history.
type Product struct {
	ID       int64
	Slug     string
	Title    string
	Brand    string
	Status   string
	Variants []Variant
	History  []PriceRow
}

// Variant of a product with its price on each list.
type Variant struct {
	ID      int64   `json:"id"`
	SKU     string  `json:"sku"`
	Choice  string  `json:"choice"`
	Barcode string  `json:"barcode"`
	OnHand  int     `json:"on_hand"`
	Prices  []Price `json:"prices"`

	Min       int     `json:"min"`
	Max       int     `json:"max"`
	GiftCard  bool    `json:"gift_card"`
	Tracked   bool    `json:"tracked"`
	BackOrder bool    `json:"back_order"`
	Breaks    []Break `json:"breaks"`
}

// Break is a better price that holds now.
type Break struct {
	Currency string `json:"currency"`
	From     int    `json:"from"`
	Members  bool   `json:"members"`
	Amount   int64  `json:"amount"`
}

// Price of a variant that holds now; nil parts where there is none.
type Price struct {
	Currency    string     `json:"currency"`
	TaxIncluded bool       `json:"tax_included"`
	Amount      *int64     `json:"amount"`
	Since       *time.Time `json:"since"`
}

// PriceRow is a line of the history.
type PriceRow struct {
	SKU      string     `json:"sku"`
	Currency string     `json:"currency"`
	Amount   int64      `json:"amount"`
	From     time.Time  `json:"from"`
	To       *time.Time `json:"to"`
	By       string     `json:"by"`
}

// ProductPage reads one. Nil when there is none.
func ProductPage(ctx context.Context, db pg.DB, id int64) (*Product, error) {
	rows, err := db.Query(ctx, `
		SELECT p.id, p.slug, t.title, p.brand, p.status,
			(SELECT coalesce(jsonb_agg(jsonb_build_object('id', v.id, 'sku', v.sku, 'choice', array_to_string(v.options,
				', '),
				'barcode', coalesce((SELECT min(gtin) FROM barcode WHERE variant_id = v.id), ''),
				'on_hand', (SELECT coalesce(sum(on_hand), 0) FROM stock_level WHERE variant_id = v.id),
				'prices', (
					SELECT jsonb_agg(jsonb_build_object('currency', list.currency, 'tax_included', list.tax_included,
						'amount', price.amount,
						'since', price.since) ORDER BY list.id)
					FROM price_list list`+catalog.NowOn+`),
				'min', v.min_quantity, 'max', v.max_quantity, 'gift_card', v.gift_card, 'tracked', v.tracked,
					'back_order', v.back_order,
				'breaks', (
					SELECT coalesce(jsonb_agg(jsonb_build_object('currency', list.currency, 'from', b.from_quantity,
						'members', b.members, 'amount', b.amount) ORDER BY list.id, b.from_quantity, b.members), '[]')
					FROM price_break b
					JOIN price_list list ON list.id = b.price_list_id
					WHERE b.variant_id = v.id AND b.valid @> now())) ORDER BY v.position), '[]')
			FROM variant v
			WHERE v.product_id = p.id) AS variants,
			(SELECT coalesce(jsonb_agg(h), '[]')
			FROM (
				SELECT v.sku, list.currency, price.amount, lower(price.valid) AS from, upper(price.valid) AS to,
					coalesce(a.name, '') AS by
				FROM variant v
				JOIN price ON price.variant_id = v.id
				JOIN price_list list ON list.id = price.price_list_id
				LEFT JOIN associate a ON a.id = price.associate_id
				WHERE v.product_id = p.id
				ORDER BY lower(price.valid) DESC, v.position, list.id
				LIMIT 30) h) AS history
		FROM product p
		JOIN product_text t ON t.product_id = p.id AND t.language = 'en'
		WHERE p.id = $1`, id)
	if err != nil {
		return nil, fmt.Errorf("read a product: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToAddrOfStructByName[Product])
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}

// ProductOfVariant is whose variant it is; 0 where there is none.
func ProductOfVariant(ctx context.Context, db pg.DB, variantID int64) (id int64, err error) {
	err = db.QueryRow(ctx, `SELECT coalesce((SELECT product_id FROM variant WHERE id = $1), 0)`, variantID).Scan(&id)
	if err != nil {
		return 0, fmt.Errorf("find a variant's product: %w", err)
	}
	return id, nil
}

// StockRow is one variant at one location.
type StockRow struct {
	VariantID int64
	SKU       string
	Title     string
	Choice    string
	OnHand    int
	Reserved  int
	Safety    int
	Free      int
}

// Name is the article as a person calls it: “Morning mug, Chalk”.
func (r StockRow) Name() string {
	if r.Choice == "" {
		return r.Title
	}
	return r.Title + ", " + r.Choice
}

// Stock lists what a location has of what the words name.
func Stock(ctx context.Context, db pg.DB, locationID int64, words string, page int) (rows []StockRow, total int,
	err error) {
	batch := &pgx.Batch{}
	const from = `
		FROM variant v
		JOIN product_text t ON t.product_id = v.product_id AND t.language = 'en'
		LEFT JOIN stock_level s ON s.variant_id = v.id AND s.location_id = @location AND s.condition = 'sellable'
		WHERE @words = '' OR t.title ILIKE '%' || @words || '%' OR upper(v.sku) LIKE upper(@words) || '%' OR v.id IN (` + catalog.ByCode + `)`
	args := found(words, page)
	args["location"] = locationID
	batch.Queue(`SELECT count(*)`+from, args).QueryRow(func(row pgx.Row) error { return row.Scan(&total) })
	batch.Queue(`
		SELECT v.id AS variant_id, v.sku, t.title, array_to_string(v.options, ', ') AS choice, coalesce(s.on_hand,
			0) AS on_hand, coalesce(s.reserved, 0) AS reserved,
			coalesce(s.safety, 0) AS safety,
			coalesce(`+inventory.Available("s")+`, 0) AS free`+from+`
		ORDER BY t.title, v.position, v.id
		OFFSET @skip LIMIT @take`, args).Query(func(found pgx.Rows) (err error) {
		rows, err = pgx.CollectRows(found, pgx.RowToStructByName[StockRow])
		return err
	})
	if err := db.SendBatch(ctx, batch).Close(); err != nil {
		return nil, 0, fmt.Errorf("list stock: %w", err)
	}
	return rows, total, nil
}

// Ledger is one shelf: its figures, who has claims on it, and the moves that made them.
type Ledger struct {
	StockRow
	Location string
	Zone     string
	Moves    []Move
	Claims   []Claim
}

// Move is a line of the ledger, with what was on hand after it.
type Move struct {
	At     time.Time `json:"at"`
	Delta  int       `json:"delta"`
	After  int       `json:"after"`
	Cause  string    `json:"cause"`
	Reason string    `json:"reason"`
	Order  int64     `json:"order"`
	By     string    `json:"by"`
}

// Claim is a reservation that holds.
type Claim struct {
	Order    int64     `json:"order"`
	Name     string    `json:"name"`
	Quantity int       `json:"quantity"`
	At       time.Time `json:"at"`
}

// LedgerPage reads a shelf with its newest moves. Nil when there is no such variant or location.
func LedgerPage(ctx context.Context, db pg.DB, variantID, locationID int64) (*Ledger, error) {
	l, err := pg.Row[Ledger](db.Query(ctx, `
		SELECT v.id AS variant_id, v.sku, t.title, array_to_string(v.options, ', ') AS choice,
			coalesce(s.on_hand, 0) AS on_hand, coalesce(s.reserved, 0) AS reserved, coalesce(s.safety, 0) AS safety,
			coalesce(`+inventory.Available("s")+`, 0) AS free, at.name AS location, at.time_zone AS zone,
			(SELECT coalesce(jsonb_agg(m), '[]')
			FROM (
				SELECT m.at, m.delta, m.cause, m.reason, coalesce(o.number, 0) AS order, coalesce(a.name, '') AS by,
					sum(m.delta) OVER (ORDER BY m.id) AS after
				FROM stock_move m
				LEFT JOIN order_line ol ON ol.id = m.order_line_id
				LEFT JOIN orders o ON o.id = ol.order_id
				LEFT JOIN associate a ON a.id = m.associate_id
				WHERE m.variant_id = v.id AND m.location_id = at.id AND m.condition = 'sellable'
				ORDER BY m.id DESC
				LIMIT 200) m) AS moves,
			(SELECT coalesce(jsonb_agg(jsonb_build_object('order', o.number, 'name', o.name, 'quantity', r.quantity,
				'at', r.created_at) ORDER BY r.id), '[]')
			FROM reservation r
			JOIN order_line ol ON ol.id = r.order_line_id
			JOIN orders o ON o.id = ol.order_id
			WHERE r.variant_id = v.id AND r.location_id = at.id AND r.released_at IS NULL) AS claims
		FROM variant v
		JOIN product_text t ON t.product_id = v.product_id AND t.language = 'en'
		JOIN location at ON at.id = $2
		LEFT JOIN stock_level s ON s.variant_id = v.id AND s.location_id = at.id AND s.condition = 'sellable'
		WHERE v.id = $1`, variantID, locationID))
	if err != nil {
		return nil, fmt.Errorf("read a ledger: %w", err)
	}
	return l, nil
}

// ProductOf is the product of a variant that can have a price on this list; 0 when there is none.
func ProductOf(ctx context.Context, db pg.DB, variantID int64, currency string, taxIncluded bool) (productID int64,
	err error) {
	err = db.QueryRow(ctx, `
		SELECT coalesce((
			SELECT v.product_id
			FROM variant v, price_list list
			WHERE v.id = $1 AND list.currency = $2 AND list.tax_included = $3), 0)`, variantID, currency,
		taxIncluded).Scan(&productID)
	if err != nil {
		return 0, fmt.Errorf("find a variant: %w", err)
	}
	return productID, nil
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
