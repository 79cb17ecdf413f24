package admin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/delivery"
	"counterpart/internal/domain/promotion"
	"counterpart/internal/domain/quote"
	"counterpart/internal/platform/pg"
)

// PromotionRow is a promotion with what came of it so far. Cost is by currency, in minor units.
type PromotionRow struct {
	promotion.Promotion
	Uses  int
	Cost  []Sum
	Codes int
}

// Sum is an amount in a currency.
type Sum struct {
	Currency string `json:"currency"`
	Amount   int64  `json:"amount"`
}

const promotionFigures = `
	(SELECT count(*)::int FROM promotion_use WHERE promotion_id = p.id AND released_at IS NULL) AS uses,
	coalesce((
		SELECT json_agg(json_build_object('currency', c.currency, 'amount', c.amount) ORDER BY c.currency)
		FROM (
			SELECT o.currency, sum(u.amount) AS amount
			FROM promotion_use u
			JOIN orders o ON o.id = u.order_id
			WHERE u.promotion_id = p.id AND u.released_at IS NULL
			GROUP BY o.currency) c), '[]') AS cost,
	(SELECT count(*)::int FROM coupon WHERE promotion_id = p.id AND disabled_at IS NULL) AS codes`

// Promotions lists all of them, those that run first.
func Promotions(ctx context.Context, db pg.DB) ([]PromotionRow, error) {
	rows, err := db.Query(ctx, `
		SELECT `+promotion.Columns+`,`+promotionFigures+`
		FROM promotion p
		ORDER BY array_position(ARRAY['live', 'paused', 'draft', 'ended'], p.state), p.priority DESC, p.id DESC
		LIMIT 500`)
	if err != nil {
		return nil, fmt.Errorf("list promotions: %w", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[PromotionRow])
	if err != nil {
		return nil, fmt.Errorf("list promotions: %w", err)
	}
	return all, nil
}

// PromotionPage is a promotion with its codes, and the names of what its rule speaks of.
type PromotionPage struct {
	PromotionRow
	Coupons []promotion.Coupon
	Names   Names
}

// Names are what the ids of a rule are called.
type Names struct {
	Products   map[int64]string // slug
	Categories map[int64]string
	Locations  map[int64]string
	Gift       string // SKU
}

// PromotionByID reads a promotion's page. Nil when there is none.
func PromotionByID(ctx context.Context, db pg.DB, id int64) (*PromotionPage, error) {
	p := &PromotionPage{}
	batch := &pgx.Batch{}
	batch.Queue(`
		SELECT `+promotion.Columns+`,`+promotionFigures+`
		FROM promotion p
		WHERE p.id = $1`, id).Query(func(rows pgx.Rows) (err error) {
		p.PromotionRow, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[PromotionRow])
		return err
	})
	batch.Queue(`
		SELECT id, promotion_id, code, batch, coalesce(customer_id, 0) AS customer_id, max_uses, used,
			disabled_at IS NOT NULL AS disabled
		FROM coupon
		WHERE promotion_id = $1
		ORDER BY id DESC
		LIMIT 200`, id).Query(func(rows pgx.Rows) (err error) {
		p.Coupons, err = pgx.CollectRows(rows, pgx.RowToStructByName[promotion.Coupon])
		return err
	})
	err := db.SendBatch(ctx, batch).Close()
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read a promotion: %w", err)
	}
	p.Names, err = NamesOf(ctx, db, p.Rule)
	return p, err
}

// NamesOf reads what the ids of a rule are called.
func NamesOf(ctx context.Context, db pg.DB, r quote.Rule) (n Names, err error) {
	n = Names{Products: map[int64]string{}, Categories: map[int64]string{}, Locations: map[int64]string{}}
	rows, err := db.Query(ctx, `
		SELECT 'product', id, slug FROM product WHERE id = ANY ($1)
		UNION ALL
		SELECT 'category', id, slug FROM category WHERE id = ANY ($2)
		UNION ALL
		SELECT 'location', id, name FROM location WHERE id = ANY ($3)
		UNION ALL
		SELECT 'gift', id, sku FROM variant WHERE id = $4`, r.Products, r.Categories, r.Locations, r.Effect.Variant)
	if err != nil {
		return n, fmt.Errorf("read the names of a rule: %w", err)
	}
	var kind, name string
	var id int64
	_, err = pgx.ForEachRow(rows, []any{&kind, &id, &name}, func() error {
		switch kind {
		case "product":
			n.Products[id] = name
		case "category":
			n.Categories[id] = name
		case "location":
			n.Locations[id] = name
		default:
			n.Gift = name
		}
		return nil
	})
	return n, err
}

// Found are the ids of what was named, and which names were not found.
type Found struct {
	IDs     []int64
	Unknown []string
}

// Goods finds products by their address or a SKU, categories by their address, or a variant by its SKU.
func Goods(ctx context.Context, db pg.DB, kind string, names []string) (f Found, err error) {
	query := map[string]string{
		"product":  `SELECT coalesce((SELECT id FROM product WHERE slug = lower(n)), (SELECT product_id FROM variant WHERE upper(sku) = upper(n)), 0) FROM unnest($1::text[]) WITH ORDINALITY AS names (n, i) ORDER BY i`,
		"category": `SELECT coalesce((SELECT id FROM category WHERE slug = lower(n)), 0) FROM unnest($1::text[]) WITH ORDINALITY AS names (n, i) ORDER BY i`,
		"variant":  `SELECT coalesce((SELECT id FROM variant WHERE upper(sku) = upper(n)), 0) FROM unnest($1::text[]) WITH ORDINALITY AS names (n, i) ORDER BY i`,
	}[kind]
	rows, err := db.Query(ctx, query, names)
	if err != nil {
		return f, fmt.Errorf("find goods: %w", err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return f, fmt.Errorf("find goods: %w", err)
	}
	for i, id := range ids {
		if id == 0 {
			f.Unknown = append(f.Unknown, names[i])
		} else {
			f.IDs = append(f.IDs, id)
		}
	}
	return f, nil
}

// Category is one that a promotion can be about.
type Category struct {
	ID   int64
	Slug string
	Name string
}

// Categories lists all of them, departments first.
func Categories(ctx context.Context, db pg.DB) ([]Category, error) {
	rows, err := db.Query(ctx, `
		SELECT c.id, c.slug, coalesce(parent.name || ' › ', '') || t.name
		FROM category c
		JOIN category_text t ON t.category_id = c.id AND t.language = 'en'
		LEFT JOIN category_text parent ON parent.category_id = c.parent_id AND parent.language = 'en'
		ORDER BY 3`)
	if err != nil {
		return nil, fmt.Errorf("list categories: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Category])
}

// Deliveries lists the ways of sending, those that are offered first.
func Deliveries(ctx context.Context, db pg.DB) ([]delivery.Method, error) {
	rows, err := db.Query(ctx, `
		SELECT `+delivery.Columns+`
		FROM delivery d
		ORDER BY d.active DESC, d.position, d.id`)
	if err != nil {
		return nil, fmt.Errorf("list deliveries: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[delivery.Method])
}

// Difference is where a payment company's book and ours do not agree, or will not for long.
type Difference struct {
	ID        int64
	Kind      string
	PaymentID int64
	OrderID   int64
	Number    int64
	Currency  string
	Reference string
	Ours      int64
	Theirs    int64
	Detail    string
	FoundAt   time.Time
	ClosedAt  *time.Time
	ClosedBy  string
	Note      string
	Refused   bool // a refund, which can be asked for again
}

// Differences lists them, open ones first.
func Differences(ctx context.Context, db pg.DB) ([]Difference, error) {
	rows, err := db.Query(ctx, `
		SELECT d.id, d.kind, coalesce(d.payment_id, 0) AS payment_id, coalesce(o.id, 0) AS order_id, coalesce(o.number,
			0) AS number,
			coalesce(o.currency::text, '') AS currency, d.reference, d.ours, d.theirs, d.detail, d.found_at,
				d.closed_at,
			coalesce(a.name, '') AS closed_by, d.note,
			d.kind = 'refunded' AND EXISTS (SELECT FROM refund r JOIN transfer x ON x.id = r.transfer_id
				WHERE x.payment_id = d.payment_id AND r.state = 'failed') AS refused
		FROM difference d
		LEFT JOIN payment p ON p.id = d.payment_id
		LEFT JOIN orders o ON o.id = p.order_id
		LEFT JOIN associate a ON a.id = d.closed_by
		ORDER BY d.closed_at IS NOT NULL, d.id DESC
		LIMIT 200`)
	if err != nil {
		return nil, fmt.Errorf("list differences: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[Difference])
}
