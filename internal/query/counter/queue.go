// Package counter reads what the counter shows: the pickup queue, whoever stands there, and where a thing is.
package counter

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/cart"
	"counterpart/internal/domain/catalog"
	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/inventory"
	"counterpart/internal/domain/origin"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/phone"
)

// Waiting is a row of the pickup queue.
type Waiting struct {
	FulfilmentID int64
	Number       int64
	Name         string
	Pieces       int
	First        string // title of its first line
	Method       string // pickup or ship
	State        string
	Channel      origin.Channel
	ReadyBy      time.Time // of a parcel: when it has to leave
	HoldUntil    *time.Time
	Place        string
	OrderID      int64
	Held         bool // staff keep it: it is not to be prepared
}

// Queue reads what is to be picked or packed and what waits to be collected at a store, the most urgent first.
func Queue(ctx context.Context, db pg.DB, locationID int64) ([]Waiting, error) {
	rows, err := db.Query(ctx, `
		SELECT f.id AS fulfilment_id, o.number, o.name, count(*) FILTER (WHERE u.state = 'open')::int AS pieces,
			(array_agg(l.title
			ORDER BY l.position))[1] AS first, f.method, f.state, o.channel,
			coalesce(f.ready_by, o.placed_at + interval '24 hours') AS ready_by, f.hold_until, f.place, o.id AS order_id,
			o.held_at IS NOT NULL AS held
		FROM fulfilment f
		JOIN orders o ON o.id = f.order_id
		JOIN order_line l ON l.fulfilment_id = f.id
		JOIN order_unit u ON u.order_line_id = l.id
		WHERE f.location_id = $1 AND f.state IN ('to_pick', 'ready') AND f.method IN ('pickup', 'ship', 'carry_out')
		GROUP BY f.id, o.id
		ORDER BY f.state = 'ready', coalesce(f.hold_until, f.ready_by, o.placed_at + interval '24 hours'), f.id
		LIMIT 500`, locationID)
	if err != nil {
		return nil, fmt.Errorf("read the queue: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[Waiting])
}

// Task is what this store has to do.
type Task struct {
	ID        int64
	Kind      string
	Order     int64 // its number; 0: none
	Article   string
	SKU       string
	DueAt     time.Time
	TakenBy   int64
	TakenName string
}

// Tasks of a store that are not done, the most urgent first.
func Tasks(ctx context.Context, db pg.DB, locationID int64) ([]Task, error) {
	rows, err := db.Query(ctx, `
		SELECT t.id, t.kind, coalesce(o.number, 0) AS order, coalesce(
				(SELECT title || coalesce(', ' || nullif(array_to_string(v.options, ', '), ''), '') FROM product_text
					WHERE product_id = v.product_id AND language = 'en'),
				(SELECT string_agg(l.title, ', ' ORDER BY l.position) FROM order_line l JOIN fulfilment f
					ON f.id = l.fulfilment_id WHERE t.kind = 'restock' AND 'fulfilment:' || f.id = t.cause),
						'') AS article,
			coalesce(v.sku, '') AS sku, t.due_at, coalesce(t.taken_by, 0) AS taken_by, coalesce(a.name,
				'') AS taken_name
		FROM task t
		LEFT JOIN orders o ON o.id = t.order_id
		LEFT JOIN variant v ON v.id = t.variant_id
		LEFT JOIN associate a ON a.id = t.taken_by
		WHERE t.location_id = $1 AND t.done_at IS NULL
		ORDER BY t.due_at, t.id
		LIMIT 100`, locationID)
	if err != nil {
		return nil, fmt.Errorf("list tasks: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[Task])
}

// ReceiptPrefix stands before an order's public id in the square of its receipt.
const ReceiptPrefix = "RECEIPT:"

// Hit is one answer of the counter's search box.
type Hit struct {
	Kind    string // pickup, order, customer, product
	ID      int64  // fulfilment, order, customer or variant
	SKU     string // of a product
	Title   string
	Detail  string
	State   string
	Article *Shelf // of a product
}

// Shelf is what the counter says of an article in a list: what it costs here, how many are free here, and how many in
// all other places.
type Shelf struct {
	Slug, Picture   string
	Price           *int64 // minor units of this store's currency; nil: it is not sold here
	Here, Elsewhere int
	Untracked       bool // no stock is kept of it
}

// MostHits is how much a search shows: who finds so many looks for more than they typed.
const MostHits = 30

// CountedSearch says what the words could have been, if they were a code: whoever types codes is counted.
func CountedSearch(words string) bool {
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

// sought is what words typed at the counter can be, each empty where they cannot be that.
type sought struct {
	plain, code, email, phone, number, token, card, receipt string
	scan                                                    catalog.Scanned
	// text queries for a product’s words and its title, where there is a letter
	article, title string
	// up to three words of a name as patterns, the last repeated; the longest has three letters or more
	names []string
	mail  string // a part of an email, with its @
	// a name's beginning, where no word is long enough to be looked for inside
	begin string
}

// Names says whether words name one person, if they name anybody: a whole email, a whole number or a card.
func Names(words string) bool {
	s := read(words)
	return s.email != "" || s.card != "" || digits(strings.TrimPrefix(words, "+")) >= 9
}

func read(words string) sought {
	s := sought{plain: strings.NewReplacer(" ", "", "-", "").Replace(words)}
	s.code, _ = cart.ReadCode(words)
	s.scan = catalog.Scan(words)
	s.email, _ = customer.NormalEmail(words)
	s.card, _ = customer.NormalCard(words)
	s.number = strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, words)
	if n := digits(strings.TrimPrefix(words, "+")); n >= 4 && n <= 15 {
		s.phone = strings.TrimPrefix(s.number, "0")
	}
	// A number that names its country is read whole: +44 (0)113 …, 0044 113 ….
	if number, ok := phone.Read(words, ""); ok {
		s.phone = number
	}
	if digits(strings.TrimPrefix(words, "#")) < 0 || len(s.number) > 12 {
		s.number = ""
	}
	if s.email == "" && strings.Contains(words, "@") && len(s.plain) > 3 {
		s.mail = pg.Literal(strings.ToLower(strings.TrimSpace(words)))
		return s
	}
	_, s.token, _ = strings.Cut(strings.ToUpper(s.plain), "PICKUP:")
	_, s.receipt, _ = strings.Cut(strings.ToUpper(s.plain), ReceiptPrefix)
	if strings.IndexFunc(words, unicode.IsLetter) >= 0 && s.email == "" {
		s.article, s.title = articleQuery(words)
		all := strings.Fields(words)
		slices.SortStableFunc(all, func(a,
			b string) int {
			return utf8.RuneCountInString(b) - utf8.RuneCountInString(a)
		})
		// The index is of groups of three letters: a word of two alone would have every name read.
		if utf8.RuneCountInString(all[0]) < 3 {
			s.begin = strings.Join(strings.Fields(words), " ")
			return s
		}
		for _, word := range all[:min(3, len(all))] {
			s.names = append(s.names, "%"+pg.Literal(word)+"%")
		}
	}
	for len(s.names) > 0 && len(s.names) < 3 {
		s.names = append(s.names, s.names[len(s.names)-1])
	}
	return s
}

// articleQuery asks for all the words, each perhaps unfinished, and titleQuery for one of them in the title: a
// description has every word. Letters and digits only: nothing a person types is an operator.
func articleQuery(words string) (all, inTitle string) {
	each := strings.FieldsFunc(strings.ToLower(words), func(r rune) bool {
		return !unicode.IsLetter(r) &&
			!unicode.IsDigit(r)
	})
	each = each[:min(len(each), 8)]
	titled := make([]string, len(each))
	for i, word := range each {
		each[i], titled[i] = word+":*", word+":*A"
	}
	return strings.Join(each, " & "), strings.Join(titled, " | ")
}

// Search finds whatever the words can be: a pickup code or order of this store, a cart's code, a barcode or SKU, a
// loyalty card, an email, a phone number or a part of one, a person's name, a product's name. Only where nothing has
// the words is a name looked for that is spelt nearly so. Customers are people: who is part of another is found as that
// one.
func Search(ctx context.Context, db pg.DB, words string, locationID int64) ([]Hit, error) {
	words = strings.TrimSpace(words)
	if words == "" || len(words) > 200 {
		return nil, nil
	}
	s := read(words)
	rows, err := db.Query(ctx, `
		WITH named AS MATERIALIZED (
			SELECT c.id, c.name, c.merged_into
			FROM customer c
			WHERE @name AND plain_name(c.name) LIKE plain_name(@w1) AND plain_name(c.name) LIKE plain_name(@w2)
				AND plain_name(c.name) LIKE plain_name(@w3) AND c.erased_at IS NULL
			LIMIT 30),
		articled AS MATERIALIZED (
			SELECT t.product_id, t.title, ts_rank(t.words, to_tsquery('english', @article))::real AS score
			FROM product_text t
			JOIN product p ON p.id = t.product_id AND p.status = 'active'
			WHERE @article <> '' AND t.language = 'en' AND t.words @@ to_tsquery('english', @article)
				AND t.words @@ to_tsquery('english', @title)
			ORDER BY p.popularity DESC, p.id DESC
			LIMIT 8),
		misspelt AS MATERIALIZED (
			SELECT c.id, c.name, c.merged_into, strict_word_similarity(plain_name(@words), plain_name(c.name)) AS score
			FROM customer c
			WHERE @name AND NOT EXISTS (SELECT FROM named) AND NOT EXISTS (SELECT FROM articled)
				AND plain_name(c.name) %>> plain_name(@words) AND c.erased_at IS NULL
			ORDER BY 4 DESC
			LIMIT 20),
		known AS MATERIALIZED (
			SELECT i.customer_id, i.value
			FROM identity i
			WHERE @email <> '' AND i.value = @email AND i.kind = 'email' OR @card <> '' AND i.value = @card
				AND i.kind = 'card'
			LIMIT 30),
		phoned AS MATERIALIZED (
			SELECT i.customer_id, i.value
			FROM identity i
			WHERE @phone <> '' AND i.kind = 'phone' AND i.value LIKE '%' || @phone || '%'
			LIMIT 30),
		mailed AS MATERIALIZED (
			SELECT i.customer_id, i.value
			FROM identity i
			WHERE @mail <> '' AND i.kind = 'email' AND i.value LIKE '%' || @mail || '%'
			LIMIT 30),
		beginning AS MATERIALIZED (
			SELECT c.id
			FROM customer c
			WHERE @begin <> '' AND plain_name(c.name) ~>=~ plain_name(@begin)
				AND plain_name(c.name) ~<~ (plain_name(@begin) || chr(1114111)) AND c.erased_at IS NULL
			LIMIT 30),
		people AS (
			SELECT customer_id, value AS detail, 3 AS rank, 1::real AS score FROM known
			UNION ALL SELECT customer_id, value, 3, 1 FROM phoned
			UNION ALL SELECT customer_id, value, 3, 1 FROM mailed
			UNION ALL SELECT id, '', 4, 1 FROM named
			UNION ALL SELECT id, '', 4, 1 FROM beginning
			UNION ALL SELECT id, '', 5, score FROM misspelt)
		SELECT kind, id, sku, title, detail, state
		FROM (
			SELECT 0 AS rank, 'pickup' AS kind, f.id, '' AS sku, o.name AS title, '#' || o.number AS detail, f.state,
				1::real AS score
			FROM fulfilment f
			JOIN orders o ON o.id = f.order_id
			WHERE f.location_id = @location AND f.method IN ('pickup', 'ship') AND f.id IN (
				-- Each by its own index: a store has many parts.
				SELECT id FROM fulfilment WHERE location_id = @location AND code = @plain AND state IN ('to_pick',
					'ready')
				UNION ALL
				SELECT id FROM fulfilment WHERE token = @token
				UNION ALL
				SELECT id FROM fulfilment WHERE order_id = (SELECT id FROM orders WHERE number = nullif(@number,
					'')::bigint))
			UNION ALL
			SELECT 0, 'order', o.id, '', o.name, '#' || o.number, '', 1
			FROM orders o
			WHERE o.id IN (
				SELECT id FROM orders WHERE number = nullif(@number, '')::bigint
				UNION ALL
				SELECT id FROM orders WHERE public_id = @receipt)
				AND NOT EXISTS (SELECT FROM fulfilment WHERE order_id = o.id AND location_id = @location
					AND method IN ('pickup', 'ship') AND @receipt = '')
			UNION ALL
			SELECT 1, 'customer', c.id, '', c.name, cart.code, '', 1
			FROM cart
			JOIN customer c ON c.id = cart.customer_id
			WHERE cart.code = @code AND cart.state = 'open'
			UNION ALL
			SELECT 2, 'product', v.id, v.sku, t.title, array_to_string(v.options, ', '), '', 1
			FROM variant v
			JOIN product_text t ON t.product_id = v.product_id AND t.language = 'en'
			WHERE v.id IN (`+catalog.ByCode+`)
			UNION ALL
			SELECT 4, 'product', v.id, v.sku, a.title, array_to_string(v.options, ', '), '', a.score
			FROM articled a
			JOIN variant v ON v.product_id = a.product_id AND v.active
			UNION ALL
			SELECT p.rank, 'customer', root.id, '', root.name,
				coalesce(nullif(p.detail, ''), (SELECT value FROM identity WHERE customer_id = root.id
					AND kind IN ('email', 'phone') ORDER BY kind, id LIMIT 1), ''), '', p.score
			FROM people p
			JOIN customer c ON c.id = p.customer_id
			JOIN customer root ON root.id = coalesce(c.merged_into, c.id) AND root.erased_at IS NULL) hit
		ORDER BY rank, score DESC, title, id
		LIMIT 30`, pgx.NamedArgs{
		"location": locationID, "plain": s.plain, "token": s.token, "receipt": s.receipt, "number": s.number,
		"code": s.code, "words": words, "gtins": s.scan.GTINs, "key": s.scan.Key, "article": s.article,
		"title": s.title, "email": s.email, "phone": s.phone, "card": s.card,
		"name": len(s.names) > 0, "begin": s.begin, "mail": s.mail, "w1": at(s.names, 0), "w2": at(s.names,
			1), "w3": at(s.names, 2)})
	if err != nil {
		return nil, fmt.Errorf("search at the counter: %w", err)
	}
	hits, err := collect(rows)
	if err != nil {
		return nil, fmt.Errorf("search at the counter: %w", err)
	}
	hits = distinct(hits)
	return hits, shelve(ctx, db, hits, locationID)
}

func collect(rows pgx.Rows) (hits []Hit, err error) {
	var h Hit
	_, err = pgx.ForEachRow(rows, []any{&h.Kind, &h.ID, &h.SKU, &h.Title, &h.Detail, &h.State}, func() error {
		hits = append(hits, h)
		return nil
	})
	return hits, err
}

// shelve says of the articles among the hits what they cost at a store and where they are.
func shelve(ctx context.Context, db pg.DB, hits []Hit, locationID int64) error {
	at := map[int64]int{}
	var variants []int64
	for i, h := range hits {
		if h.Kind == "product" {
			at[h.ID], variants = i, append(variants, h.ID)
		}
	}
	if len(variants) == 0 {
		return nil
	}
	rows, err := db.Query(ctx, `
		SELECT v.id, p.slug, coalesce(pic.key, ''), price.amount,
			coalesce((SELECT `+inventory.Available("stock_level")+` FROM stock_level WHERE variant_id = v.id AND location_id = $2
				AND condition = 'sellable'), 0),
			coalesce((SELECT sum(greatest(`+inventory.Available("stock_level")+`, 0)) FROM stock_level WHERE variant_id = v.id
				AND location_id <> $2 AND condition = 'sellable'), 0)::int,
			NOT v.tracked OR v.gift_card
		FROM variant v
		JOIN product p ON p.id = v.product_id
		JOIN location here ON here.id = $2
		LEFT JOIN price_list list ON list.currency = here.currency
			AND list.tax_included = here.tax_included`+catalog.NowOn+`
		LEFT JOIN picture pic ON pic.id = coalesce(v.picture_id, (SELECT id FROM picture WHERE product_id = p.id
			ORDER BY position LIMIT 1))
		WHERE v.id = ANY ($1)`, variants, locationID)
	if err != nil {
		return fmt.Errorf("read where articles are: %w", err)
	}
	var id int64
	var s Shelf
	_, err = pgx.ForEachRow(rows, []any{&id, &s.Slug, &s.Picture, &s.Price, &s.Here, &s.Elsewhere, &s.Untracked},
		func() error {
			one := s
			hits[at[id]].Article = &one
			return nil
		})
	if err != nil {
		return fmt.Errorf("read where articles are: %w", err)
	}
	return nil
}

func at(all []string, i int) string {
	if i < len(all) {
		return all[i]
	}
	return ""
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
	Price     *int64 // minor units of the store's currency; nil: it is not sold there
	Untracked bool   // no stock is kept of it
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

// FindArticle reads an article by its SKU for a store's counter. Nil when there is none.
func FindArticle(ctx context.Context, db pg.DB, sku string, locationID int64) (*Article, error) {
	rows, err := db.Query(ctx, `
		SELECT v.id AS variant_id, v.sku, t.title, array_to_string(v.options, ', ') AS choice, p.slug,
			coalesce(pic.key, '') AS picture, price.amount AS price, NOT v.tracked AS untracked,
			(SELECT coalesce(jsonb_agg(jsonb_build_object('location', l.name, 'kind', l.kind, 'here', l.id = $2,
				'on_hand', s.on_hand, 'reserved', s.reserved,
				'free', `+inventory.Available("s")+`) ORDER BY l.id <> $2, l.kind,
					`+inventory.Available("s")+` DESC), '[]')
			FROM stock_level s
			JOIN location l ON l.id = s.location_id
			WHERE s.variant_id = v.id AND s.condition = 'sellable' AND (s.on_hand > 0 OR l.id = $2)) AS stores
		FROM variant v
		JOIN product p ON p.id = v.product_id
		JOIN product_text t ON t.product_id = p.id AND t.language = 'en'
		JOIN location here ON here.id = $2
		LEFT JOIN price_list list ON list.currency = here.currency
			AND list.tax_included = here.tax_included`+catalog.NowOn+`
		LEFT JOIN picture pic ON pic.id = coalesce(v.picture_id, (SELECT id FROM picture WHERE product_id = p.id
			ORDER BY position LIMIT 1))
		WHERE upper(v.sku) = upper($1)`, sku, locationID)
	if err != nil {
		return nil, fmt.Errorf("look an article up: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToAddrOfStructByName[Article])
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}

// skuStart is what was typed, where it can be the beginning of a SKU: three letters or more, one of them a figure, and no
// space.
func skuStart(words string) string {
	if len(words) < 3 || !strings.ContainsAny(words, "0123456789") || strings.ContainsFunc(words, unicode.IsSpace) {
		return ""
	}
	return words
}

// Articles finds variants for a cart at the counter: by any code, else by the words of their product, misspelt too.
func Articles(ctx context.Context, db pg.DB, words string, locationID int64) (hits []Hit, err error) {
	words = strings.TrimSpace(words)
	if words == "" || len(words) > 200 {
		return nil, nil
	}
	scan := catalog.Scan(words)
	rows, err := db.Query(ctx, `
		WITH coded AS (`+catalog.ByCode+`
			UNION (
				-- or what begins like a SKU: letters alone are words
				SELECT id
				FROM variant
				WHERE @begins <> '' AND upper(sku) ~>=~ upper(@begins) AND upper(sku) ~<~ (upper(@begins) || chr(1114111))
				ORDER BY upper(sku) USING ~<~
				LIMIT 12))
		SELECT 'product', v.id, v.sku, t.title, array_to_string(v.options, ', '), ''
		FROM product_text t
		JOIN product p ON p.id = t.product_id AND p.status = 'active'
		JOIN variant v ON v.product_id = p.id AND v.active
		WHERE t.language = 'en' AND (v.id IN (SELECT * FROM coded) OR NOT EXISTS (SELECT FROM coded)
			AND (t.words @@ plainto_tsquery('english', @words) OR lower(@words) <% lower(t.title)))
		ORDER BY word_similarity(lower(@words), lower(t.title)) DESC, p.popularity DESC, v.product_id, v.position
		LIMIT 12`, pgx.NamedArgs{"gtins": scan.GTINs, "key": scan.Key, "words": words, "begins": skuStart(words)})
	if err != nil {
		return nil, fmt.Errorf("find articles: %w", err)
	}
	if hits, err = collect(rows); err != nil {
		return nil, fmt.Errorf("find articles: %w", err)
	}
	return hits, shelve(ctx, db, hits, locationID)
}

// KindsHere are the variants of a product that are on a shelf here, named in a language.
func KindsHere(ctx context.Context, db pg.DB, productID, locationID int64, language string) ([]Hit, error) {
	rows, err := db.Query(ctx, `
		SELECT 'product', v.id, v.sku, t.title, array_to_string(v.options, ', '), ''
		FROM variant v
		JOIN product p ON p.id = v.product_id AND p.status = 'active'
		JOIN in_stock s ON s.product_id = p.id AND s.location_id = $2 AND s.variant_id = v.id
		CROSS JOIN LATERAL (
			SELECT title
			FROM product_text
			WHERE product_id = p.id
			ORDER BY language = $3 DESC, language = 'en' DESC
			LIMIT 1) t
		WHERE p.id = $1 AND v.active
		ORDER BY v.position, v.id`, productID, locationID, language)
	if err != nil {
		return nil, fmt.Errorf("find kinds of a product: %w", err)
	}
	hits, err := collect(rows)
	if err != nil {
		return nil, fmt.Errorf("find kinds of a product: %w", err)
	}
	return hits, shelve(ctx, db, hits, locationID)
}

// ArticleByID reads one article that is on sale. Nil when there is none.
func ArticleByID(ctx context.Context, db pg.DB, variantID int64) (*Hit, error) {
	rows, err := db.Query(ctx, `
		SELECT 'product', v.id, v.sku, t.title, array_to_string(v.options, ', '), ''
		FROM variant v
		JOIN product p ON p.id = v.product_id AND p.status = 'active'
		JOIN product_text t ON t.product_id = p.id AND t.language = 'en'
		WHERE v.id = $1 AND v.active`, variantID)
	if err != nil {
		return nil, fmt.Errorf("read an article: %w", err)
	}
	hits, err := collect(rows)
	if err != nil || len(hits) == 0 {
		return nil, err
	}
	return &hits[0], nil
}

// Sale is whose sale a counter is asked to show. A walk-in's belongs to the store that began it.
type Sale struct {
	Name   string // of the customer; empty: nobody is attached
	Nobody bool   // there is no way to find them again
}

// SaleAt reads whose sale it is, at a store. Nil where there is no such customer, or where the sale is another store's.
func SaleAt(ctx context.Context, db pg.DB, customerID, locationID int64) (*Sale, error) {
	var s Sale
	var here bool
	err := db.QueryRow(ctx, `
		SELECT coalesce(nullif(c.name, ''), (SELECT value FROM identity WHERE customer_id = $1 AND kind IN ('email',
			'phone') ORDER BY id LIMIT 1), ''),
			`+customer.WalkIn+`,
			coalesce((SELECT location_id FROM cart WHERE customer_id = $1 ORDER BY id DESC LIMIT 1), $2) = $2
		FROM customer c
		WHERE c.id = $1 AND c.merged_into IS NULL AND c.erased_at IS NULL`, customerID, locationID).Scan(&s.Name,
		&s.Nobody, &here)
	if errors.Is(err, pgx.ErrNoRows) || err == nil && s.Nobody && !here {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read whose sale it is: %w", err)
	}
	return &s, nil
}

// CartOwner is whose open cart has a code; 0 where none has.
func CartOwner(ctx context.Context, db pg.DB, typed string) (customerID int64, err error) {
	code, ok := cart.ReadCode(typed)
	if !ok {
		return 0, nil
	}
	err = db.QueryRow(ctx, `SELECT coalesce((SELECT customer_id FROM cart WHERE code = $1 AND state = 'open'), 0)`,
		code).Scan(&customerID)
	if err != nil {
		return 0, fmt.Errorf("find a cart: %w", err)
	}
	return customerID, nil
}

// ByEmail is who has proven an address; 0 where nobody has.
func ByEmail(ctx context.Context, db pg.DB, typed string) (customerID int64, err error) {
	email, ok := customer.NormalEmail(typed)
	if !ok {
		return 0, nil
	}
	return customer.ByVerified(ctx, db, customer.Email, email)
}

// ChangeOfExchange is the change to give from the newest exchange of an order at a store: of the cash that was laid
// down for what they took instead.
func ChangeOfExchange(ctx context.Context, db pg.DB, orderID, locationID int64) (change int64, err error) {
	err = db.QueryRow(ctx, `
		SELECT coalesce((
			SELECT sum(t.given - t.captured)
			FROM tender t
			WHERE t.kind = 'cash' AND t.order_id = (
				SELECT exchange_id
				FROM return_ticket
				WHERE order_id = $1 AND location_id = $2
				ORDER BY id DESC
				LIMIT 1)), 0)::bigint`, orderID, locationID).Scan(&change)
	if err != nil {
		return 0, fmt.Errorf("read the change of an exchange: %w", err)
	}
	return change, nil
}

// mostPlaces is how many free places a picker is offered.
const mostPlaces = 8

// FreePlaces are shelves and boxes of a store where something was put in the last three months and nothing waits now:
// those used most, by name.
func FreePlaces(ctx context.Context, db pg.DB, locationID int64) ([]string, error) {
	rows, err := db.Query(ctx, `
		SELECT place
		FROM (
			SELECT place
			FROM fulfilment
			WHERE location_id = $1 AND method = 'pickup' AND place <> '' AND ready_at > now() - interval '90 days'
			GROUP BY place
			HAVING count(*) FILTER (WHERE state = 'ready') = 0
			ORDER BY count(*) DESC, place
			LIMIT $2) free
		ORDER BY place`, locationID, mostPlaces)
	if err != nil {
		return nil, fmt.Errorf("list free places: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}
