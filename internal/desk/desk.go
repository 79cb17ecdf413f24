// Package desk reads what the counter shows: the pickup queue, whoever stands there, and where a thing is.
package desk

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/basket"
	"counterpart/internal/cart"
	"counterpart/internal/catalog"
	"counterpart/internal/customer"
	"counterpart/internal/pg"
)

// Waiting is a row of the pickup queue.
type Waiting struct {
	FulfilmentID int64
	Number       int64
	Name         string
	Pieces       int
	First        string // title of its first line
	State        string
	Channel      string
	ReadyBy      time.Time
	HoldUntil    *time.Time
	Place        string
}

// Queue reads what is to be picked and what waits to be collected at a store, the most urgent first.
func Queue(ctx context.Context, db pg.DB, locationID int64) ([]Waiting, error) {
	rows, err := db.Query(ctx, `
		SELECT f.id, o.number, o.name, count(*) FILTER (WHERE u.state = 'open')::int, min(l.title) FILTER (WHERE l.position = 1), f.state, o.channel, f.ready_by, f.hold_until, f.place
		FROM fulfilment f
		JOIN orders o ON o.id = f.order_id
		JOIN order_line l ON l.fulfilment_id = f.id
		JOIN order_unit u ON u.order_line_id = l.id
		WHERE f.location_id = $1 AND f.state IN ('to_pick', 'ready') AND f.method = 'pickup'
		GROUP BY f.id, o.id
		ORDER BY f.state = 'ready', coalesce(f.hold_until, f.ready_by), f.id
		LIMIT 500`, locationID)
	if err != nil {
		return nil, fmt.Errorf("read the queue: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Waiting])
}

// Person is a customer as the counter sees them.
type Person struct {
	ID         int64
	Name       string
	Since      time.Time
	Emails     []string
	Phones     []string
	Placed     int // orders, without those that were cancelled
	Orders     []PersonOrder
	Basket     *basket.Basket
	LastChange *time.Time // of the cart
	CartFrom   string     // channel of the cart's last line
}

// PersonOrder is one of their purchases, in any channel and store.
type PersonOrder struct {
	ID           int64     `json:"id"`
	Number       int64     `json:"number"`
	Channel      string    `json:"channel"`
	Store        string    `json:"store"`
	LocationID   int64     `json:"location_id"`
	FulfilmentID int64     `json:"fulfilment_id"`
	State        string    `json:"state"`
	Currency     string    `json:"currency"`
	Total        int64     `json:"total"`
	PlacedAt     time.Time `json:"placed_at"`
	Pieces       int       `json:"pieces"`
	What         string    `json:"what"`
}

// Profile reads a customer with the live cart and the latest orders. Nil when there is none.
func Profile(ctx context.Context, db pg.DB, customerID, locationID int64, language string) (*Person, error) {
	p := &Person{}
	found := false
	batch := &pgx.Batch{}
	batch.Queue(`
		SELECT c.id, c.name, c.created_at,
			ARRAY(SELECT value FROM identity WHERE customer_id = c.id AND kind = 'email' ORDER BY id),
			ARRAY(SELECT value FROM identity WHERE customer_id = c.id AND kind = 'phone' ORDER BY id),
			(SELECT count(*) FROM orders WHERE customer_id = c.id AND state <> 'cancelled')::int,
			(SELECT updated_at FROM cart WHERE customer_id = c.id AND state = 'open'),
			coalesce((
				SELECT cl.channel
				FROM cart
				JOIN cart_line cl ON cl.cart_id = cart.id
				WHERE cart.customer_id = c.id AND cart.state = 'open'
				ORDER BY cl.added_at DESC
				LIMIT 1), ''),
			(SELECT coalesce(jsonb_agg(recent), '[]')
			FROM (
				SELECT o.id, o.number, o.channel, l.name AS store, l.id AS location_id, f.id AS fulfilment_id, f.state, o.currency, o.total, o.placed_at,
					(SELECT sum(quantity) FROM order_line WHERE order_id = o.id) AS pieces, (SELECT string_agg(concat_ws(', ', title, nullif(options, '')), ' · ' ORDER BY position) FROM order_line WHERE order_id = o.id) AS what
				FROM orders o
				JOIN location l ON l.id = o.location_id
				JOIN fulfilment f ON f.order_id = o.id
				WHERE o.customer_id = c.id
				ORDER BY o.id DESC
				LIMIT 20) recent)
		FROM customer c
		WHERE c.id = $1`, customerID).Query(func(rows pgx.Rows) error {
		for rows.Next() {
			found = true
			if err := rows.Scan(&p.ID, &p.Name, &p.Since, &p.Emails, &p.Phones, &p.Placed, &p.LastChange, &p.CartFrom, &p.Orders); err != nil {
				return err
			}
		}
		return rows.Err()
	})
	if err := db.SendBatch(ctx, batch).Close(); err != nil || !found {
		return nil, err
	}
	var err error
	p.Basket, err = basket.LoadAt(ctx, db, customerID, locationID, language)
	return p, err
}

// Hit is one answer of the counter's search box.
type Hit struct {
	Kind   string // pickup, customer, product
	ID     int64  // fulfilment or customer
	SKU    string // of a product
	Title  string
	Detail string
	State  string
}

// Tried says what the words could have been, if they were a code: whoever types codes is counted.
func Tried(words string) bool {
	_, isCart := cart.ReadCode(words)
	return isCart || digits(words) == 6 || strings.HasPrefix(strings.ToUpper(words), "PICKUP:")
}

func digits(s string) (n int) {
	for _, r := range s {
		switch {
		case unicode.IsDigit(r):
			n++
		case r != ' ' && r != '-':
			return -1
		}
	}
	return n
}

// Search finds whatever the words can be: a pickup code or order of this store, a cart's code, a barcode or SKU, an email, a
// phone number or a part of one, a name also when it is misspelt.
func Search(ctx context.Context, db pg.DB, words string, locationID int64) ([]Hit, error) {
	words = strings.TrimSpace(words)
	if words == "" || len(words) > 200 {
		return nil, nil
	}
	plain := strings.NewReplacer(" ", "", "-", "").Replace(words)
	code, _ := cart.ReadCode(words)
	gtin, _ := catalog.GTIN(plain)
	email, _ := customer.NormalEmail(words)
	phone, number := "", strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, words)
	if n := digits(strings.TrimPrefix(words, "+")); n >= 4 && n <= 15 {
		phone = strings.TrimPrefix(number, "0")
	}
	if digits(strings.TrimPrefix(words, "#")) < 0 || len(number) > 12 {
		number = ""
	}
	_, token, _ := strings.Cut(strings.ToUpper(plain), "PICKUP:")
	rows, err := db.Query(ctx, `
		SELECT kind, id, sku, title, detail, state
		FROM (
			SELECT 0 AS rank, 'pickup' AS kind, f.id, '' AS sku, o.name AS title, '#' || o.number AS detail, f.state, 1::real AS score
			FROM fulfilment f
			JOIN orders o ON o.id = f.order_id
			WHERE f.location_id = @location AND (
				f.code = @plain AND f.state IN ('to_pick', 'ready') OR f.token = @token OR o.number = nullif(@number, '')::bigint)
			UNION ALL
			SELECT 1, 'customer', c.id, '', coalesce(nullif(c.name, ''), ''), cart.code, '', 1
			FROM cart
			JOIN customer c ON c.id = cart.customer_id
			WHERE cart.code = @code AND cart.state = 'open'
			UNION ALL
			SELECT 2, 'product', v.id, v.sku, t.title, array_to_string(v.options, ', '), '', 1
			FROM variant v
			JOIN product_text t ON t.product_id = v.product_id AND t.language = 'en'
			WHERE upper(v.sku) = upper(@words) OR v.id = (SELECT variant_id FROM barcode WHERE gtin = @gtin)
			UNION ALL
			SELECT 3, 'customer', c.id, '', c.name, i.value, '', 1
			FROM identity i
			JOIN customer c ON c.id = i.customer_id
			WHERE (@email <> '' AND i.value = @email AND i.kind = 'email') OR (@phone <> '' AND i.kind = 'phone' AND i.value LIKE '%' || @phone || '%')
			UNION ALL
			(SELECT 4, 'customer', c.id, '', c.name, coalesce((SELECT value FROM identity WHERE customer_id = c.id AND kind IN ('email', 'phone') ORDER BY kind LIMIT 1), ''), '',
				similarity(lower(c.name), lower(@words))
			FROM customer c
			WHERE @name AND lower(c.name) % lower(@words)
			ORDER BY 8 DESC
			LIMIT 20)) hit
		ORDER BY rank, score DESC, title, id
		LIMIT 30`, pgx.NamedArgs{
		"location": locationID, "plain": plain, "token": token, "number": number, "code": code, "words": words, "gtin": gtin, "email": email, "phone": phone,
		"name": strings.IndexFunc(words, unicode.IsLetter) >= 0})
	if err != nil {
		return nil, fmt.Errorf("search at the counter: %w", err)
	}
	hits, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Hit])
	return distinct(hits), err
}

// distinct keeps the first of several hits on one thing: somebody found by phone and by name is one person.
func distinct(hits []Hit) []Hit {
	seen := map[string]bool{}
	var kept []Hit
	for _, h := range hits {
		key := fmt.Sprint(h.Kind, h.ID)
		if !seen[key] {
			seen[key] = true
			kept = append(kept, h)
		}
	}
	return kept
}

// Article is a variant as the counter looks it up: what it costs here, and where it is.
type Article struct {
	VariantID int64
	SKU       string
	Title     string
	Choice    string
	Slug      string
	Picture   string
	Price     int64
	Stores    []ArticleStock
}

// ArticleStock is what one location has of it.
type ArticleStock struct {
	Location string `json:"location"`
	Kind     string `json:"kind"`
	Here     bool   `json:"here"`
	OnHand   int    `json:"on_hand"`
	Reserved int    `json:"reserved"`
	Free     int    `json:"free"`
}

// Look reads an article by its SKU for a store's counter. Nil when there is none.
func Look(ctx context.Context, db pg.DB, sku string, locationID int64) (*Article, error) {
	rows, err := db.Query(ctx, `
		SELECT v.id, v.sku, t.title, array_to_string(v.options, ', '), p.slug, coalesce(pic.key, ''), coalesce(price.amount, 0),
			(SELECT coalesce(jsonb_agg(jsonb_build_object('location', l.name, 'kind', l.kind, 'here', l.id = $2, 'on_hand', s.on_hand, 'reserved', s.reserved,
				'free', s.on_hand - s.reserved - s.safety) ORDER BY l.id <> $2, l.kind, s.on_hand - s.reserved - s.safety DESC), '[]')
			FROM stock_level s
			JOIN location l ON l.id = s.location_id
			WHERE s.variant_id = v.id AND s.condition = 'sellable' AND (s.on_hand > 0 OR l.id = $2))
		FROM variant v
		JOIN product p ON p.id = v.product_id
		JOIN product_text t ON t.product_id = p.id AND t.language = 'en'
		JOIN location here ON here.id = $2
		JOIN price_list list ON list.currency = here.currency AND list.tax_included = here.tax_included`+catalog.NowOn+`
		LEFT JOIN picture pic ON pic.id = coalesce(v.picture_id, (SELECT id FROM picture WHERE product_id = p.id ORDER BY position LIMIT 1))
		WHERE upper(v.sku) = upper($1)`, sku, locationID)
	if err != nil {
		return nil, fmt.Errorf("look an article up: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToAddrOfStructByPos[Article])
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}

// Articles finds variants on sale by the words of their product, for a cart at the counter.
func Articles(ctx context.Context, db pg.DB, words string) ([]Hit, error) {
	rows, err := db.Query(ctx, `
		SELECT 'product', v.id, v.sku, t.title, array_to_string(v.options, ', '), ''
		FROM product_text t
		JOIN product p ON p.id = t.product_id AND p.status = 'active'
		JOIN variant v ON v.product_id = p.id AND v.active
		WHERE t.language = 'en' AND (t.words @@ plainto_tsquery('english', $1) OR lower($1) <% lower(t.title))
		ORDER BY word_similarity(lower($1), lower(t.title)) DESC, p.popularity DESC, v.product_id, v.position
		LIMIT 12`, words)
	if err != nil {
		return nil, fmt.Errorf("find articles: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Hit])
}
