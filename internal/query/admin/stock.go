package admin

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/catalog"
	"counterpart/internal/domain/inventory"
	"counterpart/internal/platform/pg"
)

// StockFilter narrows the list of stock.
type StockFilter struct {
	Location int64 // 0: all places beside each other
	Places   []int64
	Words    string
	Low      bool // none is left to sell, or no more than is kept back
}

// StockRow is one variant: at one place, or in each of several.
type StockRow struct {
	VariantID int64
	SKU       string
	Title     string
	Choice    string
	OnHand    int
	Reserved  int
	Safety    int
	Free      int
	Bin       string
	At        map[int64]StockAt // by place, where several are shown
}

// StockAt is what one place has of a variant.
type StockAt struct {
	OnHand int `json:"on_hand"`
	Free   int `json:"free"`
}

// Name is the article as a person calls it: “Morning mug, Chalk”.
func (r StockRow) Name() string {
	if r.Choice == "" {
		return r.Title
	}
	return r.Title + ", " + r.Choice
}

func (f StockFilter) where() (c conditions, args pgx.NamedArgs) {
	c.add("v.active")
	args = pgx.NamedArgs{"location": f.Location, "places": f.Places}
	if words := strings.TrimSpace(f.Words); words != "" {
		scan := catalog.Scan(words)
		args["like"], args["prefix"], args["typed"] = "%"+pg.Literal(words)+"%", pg.Literal(words)+"%", words
		args["gtins"], args["key"] = scan.GTINs, scan.Key
		c.addBoth(`v.id IN (
			SELECT id FROM variant WHERE product_id IN (SELECT product_id FROM product_text
				WHERE lower(title) LIKE lower(@like))
			UNION
			SELECT id FROM variant WHERE `+skuBegins+`
			UNION
			SELECT id FROM variant WHERE id IN (`+catalog.ByCode+`)
			UNION
			SELECT variant_id FROM bin WHERE name ILIKE @prefix AND location_id = ANY (@places))`,
			`(lower(t.title) LIKE lower(@like) OR `+skuBegins+` OR v.id IN (`+catalog.ByCode+`)
			OR EXISTS (SELECT FROM bin WHERE variant_id = v.id AND name ILIKE @prefix AND location_id = ANY (@places)))`)
	}
	if f.Low {
		at := `s.location_id = ANY (@places)`
		if f.Location != 0 {
			at = `s.location_id = @location`
		}
		c.addBoth(`v.tracked AND NOT v.gift_card AND v.product_id IN (SELECT id FROM product WHERE status = 'active')
			AND v.id IN (SELECT s.variant_id FROM stock_level s WHERE s.condition = 'sellable' AND `+at+` AND `+Low("s")+`)`,
			`v.tracked AND NOT v.gift_card AND p.status = 'active' AND EXISTS (
			SELECT FROM stock_level s WHERE s.variant_id = v.id AND s.condition = 'sellable' AND `+at+` AND `+Low("s")+`)`)
	}
	return c, args
}

// Stock lists what places have, by title, and how many variants that is, counted to CountUpTo.
func Stock(ctx context.Context, db pg.DB, f StockFilter, page Page) (rows []StockRow, total int, err error) {
	c, args := f.where()
	found, total, err := matching(ctx, db, "v.id", "variant v WHERE "+all(c.find), args)
	if err != nil {
		return nil, 0, fmt.Errorf("find stock: %w", err)
	}
	if total == 0 {
		return nil, 0, nil
	}
	where := all(c.walk)
	if found != nil {
		where, args["found"] = "v.id = ANY (@found)", found
	}
	const edge = `
			FROM variant v
			JOIN product_text t ON t.product_id = v.product_id AND t.language = 'en'
			WHERE v.id = @edge)`
	walk, direction := page.ascending("(t.title, t.product_id, v.position, v.id)",
		`(SELECT t.title, t.product_id, v.position, v.id`+edge, args)
	if walk != "" {
		// The index of titles begins where the page does.
		compare := map[string]string{"ASC": ">=", "DESC": "<="}[direction]
		walk += " AND (t.title, t.product_id) " + compare + " (SELECT t.title, t.product_id" + edge
	}
	err = pg.Ask(ctx, db,
		pg.All(&rows, `
			SELECT page.variant_id, page.sku, page.title, array_to_string(page.options, ', ') AS choice,
				coalesce(s.on_hand, 0) AS on_hand, coalesce(s.reserved, 0) AS reserved, coalesce(s.safety, 0) AS safety,
				coalesce(`+inventory.Available("s")+`, 0) AS free, coalesce(b.name, '') AS bin,
				CASE WHEN @location = 0 THEN coalesce((
					SELECT json_object_agg(l.location_id, json_build_object('on_hand', l.on_hand, 'free',
						`+inventory.Available("l")+`))
					FROM stock_level l
					WHERE l.variant_id = page.variant_id AND l.condition = 'sellable' AND l.location_id = ANY (@places)),
					'{}') END AS at
			FROM (
				SELECT v.id AS variant_id, v.sku, t.title, v.options, v.position, t.product_id AS id
				FROM product_text t
				JOIN product p ON p.id = t.product_id
				JOIN variant v ON v.product_id = t.product_id
				WHERE t.language = 'en' AND `+where+walk+`
				ORDER BY t.title `+direction+`, t.product_id `+direction+`, v.position `+direction+`, v.id `+direction+`
				`+page.limit()+`) page
			LEFT JOIN stock_level s ON s.variant_id = page.variant_id AND s.location_id = @location
				AND s.condition = 'sellable'
			LEFT JOIN bin b ON b.variant_id = page.variant_id AND b.location_id = @location
			ORDER BY page.title, page.id, page.position, page.variant_id`, args))
	if err != nil {
		return nil, 0, fmt.Errorf("list stock: %w", err)
	}
	return rows, total, nil
}

// Ledger is one shelf: its figures in each condition, who has claims on it, and the moves that made them.
type Ledger struct {
	StockRow
	ProductID int64
	Location  string
	Zone      string
	InHold    int
	Damaged   int
	Moves     []Move
	Claims    []Claim
}

// Move is a line of the ledger, with what was on hand in its condition after it.
type Move struct {
	ID        int64
	At        time.Time
	Delta     int
	After     int
	Cause     string
	Condition string
	Reason    string
	Order     int64
	OrderID   int64
	By        string
}

// Claim is a reservation that holds.
type Claim struct {
	Order    int64     `json:"order"`
	OrderID  int64     `json:"order_id"`
	Name     string    `json:"name"`
	Quantity int       `json:"quantity"`
	At       time.Time `json:"at"`
}

// Causes of a ledger's lines.
var Causes = []string{"receipt", "sale", "return", "transfer", "count", "damage", "condition", "write_off"}

// LedgerPage reads a shelf with a page of its moves, the newest first, of one cause or of all (empty). Nil when there is
// no such variant or location.
func LedgerPage(ctx context.Context, db pg.DB, variantID, locationID int64, cause string, page Page) (*Ledger, error) {
	var l *Ledger
	var moves []Move
	args := pgx.NamedArgs{"variant": variantID, "location": locationID, "cause": cause}
	walk, direction := page.walk("m.id", "@edge", args)
	err := pg.Ask(ctx, db,
		func(batch *pgx.Batch) {
			batch.Queue(`
			SELECT v.id AS variant_id, v.sku, t.title, array_to_string(v.options, ', ') AS choice, v.product_id,
				coalesce(s.on_hand, 0) AS on_hand, coalesce(s.reserved, 0) AS reserved, coalesce(s.safety, 0) AS safety,
				coalesce(`+inventory.Available("s")+`, 0) AS free, at.name AS location, at.time_zone AS zone,
				coalesce(b.name, '') AS bin, NULL::json AS at, NULL::json AS moves,
				coalesce((SELECT on_hand FROM stock_level WHERE variant_id = v.id AND location_id = at.id
					AND condition = 'on_hold'), 0) AS in_hold,
				coalesce((SELECT on_hand FROM stock_level WHERE variant_id = v.id AND location_id = at.id
					AND condition = 'damaged'), 0) AS damaged,
				(SELECT coalesce(jsonb_agg(jsonb_build_object('order', o.number, 'order_id', o.id, 'name', o.name,
					'quantity', r.quantity, 'at', r.created_at) ORDER BY r.id), '[]')
				FROM reservation r
				JOIN order_line ol ON ol.id = r.order_line_id
				JOIN orders o ON o.id = ol.order_id
				WHERE r.variant_id = v.id AND r.location_id = at.id AND r.released_at IS NULL) AS claims
			FROM variant v
			JOIN product_text t ON t.product_id = v.product_id AND t.language = 'en'
			JOIN location at ON at.id = @location
			LEFT JOIN stock_level s ON s.variant_id = v.id AND s.location_id = at.id AND s.condition = 'sellable'
			LEFT JOIN bin b ON b.variant_id = v.id AND b.location_id = at.id
			WHERE v.id = @variant`, args).Query(func(rows pgx.Rows) (err error) {
				l, err = pg.Row[Ledger](rows, nil)
				return err
			})
		},
		pg.All(&moves, `
			SELECT m.id, m.at, m.delta, m.after, m.cause, m.condition, m.reason, coalesce(o.number, 0) AS order, coalesce(o.id, 0) AS order_id, coalesce(a.name, '') AS by
			FROM (
				SELECT m.id, m.at, m.delta, m.after, m.cause, m.condition, m.reason, m.order_line_id, m.associate_id
				FROM (
					SELECT m.*, sum(m.delta) OVER (PARTITION BY m.condition ORDER BY m.id)::int AS after
					FROM stock_move m
					WHERE m.variant_id = @variant AND m.location_id = @location) m
				WHERE (@cause = '' OR m.cause = @cause)`+walk+`
				ORDER BY m.id `+direction+`
				`+page.limit()+`) m
			LEFT JOIN order_line ol ON ol.id = m.order_line_id
			LEFT JOIN orders o ON o.id = ol.order_id
			LEFT JOIN associate a ON a.id = m.associate_id
			ORDER BY m.id DESC`, args))
	if err != nil {
		return nil, fmt.Errorf("read a ledger: %w", err)
	}
	if l != nil {
		l.Moves = moves
	}
	return l, nil
}
