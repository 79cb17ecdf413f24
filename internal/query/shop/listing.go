package shop

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"unicode"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/catalog"
	"counterpart/internal/domain/inventory"
	"counterpart/internal/domain/promotion"
	"counterpart/internal/platform/pg"
	"counterpart/internal/query/reference"
)

// Card is a product in a list. From and To are its cheapest and dearest variant in the visit's currency.
type Card struct {
	Slug      string `json:"slug"`
	Title     string `json:"title"`
	Brand     string `json:"brand"`
	Picture   string `json:"picture"`
	From      int64  `json:"from"`
	To        int64  `json:"to"`
	Was       int64  `json:"was"`        // lowest price of the 30 days before a reduction, else 0
	Available int    `json:"available"`  // units at the visit's store
	Elsewhere bool   `json:"elsewhere"`  // another store has it
	ByMail    bool   `json:"by_mail"`    // a gift card: it is never out of stock
	BackOrder bool   `json:"back_order"` // a variant of it is sold when there is none, and comes later
	Variant   int64  `json:"variant"`    // the cheapest
	Priced    priced `json:"priced"`
	Offer     Offer  `json:"-"` // of the cheapest
}

// Facet is an option people filter by, with how many products of the list have each value.
type Facet struct {
	Name   string  `json:"name"`
	Values []Value `json:"values"`
}

// Value of an option.
type Value struct {
	Value string `json:"value"`
	Count int    `json:"count"`
}

// Filter is what was chosen on a list. Empty parts do not restrict.
type Filter struct {
	Category string
	Words    string
	Code     bool                // the words are a SKU or barcode, of more than one product
	Options  map[string][]string // by name: any of the values
	Min, Max int64               // minor units of the visit's currency; 0: no bound
	InStock  bool                // at the visit's store
	Sort     string              // popular, new, price, price-down
	Page     int                 // from 1
}

// Narrow says whether anything but the page restricts the list.
func (f Filter) Narrow() bool {
	return len(f.Options) > 0 || f.Min > 0 || f.Max > 0 || f.InStock
}

// PerPage is how many cards a page has: full rows of 2, 3 and 4.
const PerPage = 24

// Listing is one page of a department or a search.
type Listing struct {
	Visit
	Filter Filter
	Title  string       // of the category
	Parent *Department  // above it
	Below  []Department // its own categories
	Cards  []Card
	Facets []Facet
	Total  int  // of products that fit, as far as the list looked
	Capped bool // there are more
	Fuzzy  bool // nothing had these words; these are spelt alike
	open   []promotion.Promotion
}

// most is how many candidates a list looks at. One that nobody narrowed needs its first pages only, and its facets
// speak of those; one that is narrowed, sorted by price or paged far must look at all, up to a number at which nobody
// pages on.
func (f Filter) most() int {
	switch {
	case f.Narrow() || f.Sort == "price" || f.Sort == "price-down" || f.Page*PerPage > 480:
		return 5000
	case f.Page*PerPage > 96:
		return 480
	}
	return 96
}

// limit is one more than most, to see that there are more. It stands in the statement as a figure: a planner that knows
// it walks an index and stops, one that does not reads the table.
func (f Filter) limit() string {
	switch f.most() {
	case 5000:
		return "\n LIMIT 5001"
	case 480:
		return "\n LIMIT 481"
	}
	return "\n LIMIT 97"
}

// Category reads one page of a department or of a category in it. Nil when there is none.
func Category(ctx context.Context, db pg.DB, who Visitor, f Filter) (*Listing, error) {
	return page(ctx, db, who, func(who Visitor) (*Listing, error) { return categoryPage(ctx, db, who, f) })
}

func categoryPage(ctx context.Context, db pg.DB, who Visitor, f Filter) (*Listing, error) {
	l := &Listing{Filter: f}
	found := false
	batch := &pgx.Batch{}
	// Two texts and not one with a CASE, so that each can walk its index and stop at the cap.
	candidates := inCategory + `
		ORDER BY p.popularity DESC, p.id DESC`
	if f.Sort == "new" {
		candidates = inCategory + `
		ORDER BY p.id DESC`
	}
	queueListing(batch, who, l, candidates+f.limit(), pgx.NamedArgs{"category": f.Category})
	batch.Queue(`
		SELECT t.name, coalesce((
				SELECT json_build_object('slug', parent.slug, 'name', pt.name)
				FROM category parent
				CROSS JOIN LATERAL (
					SELECT name FROM category_text
					WHERE category_id = parent.id
					ORDER BY language = $2 DESC, language = 'en' DESC
					LIMIT 1) pt
				WHERE parent.id = c.parent_id), 'null'),
			coalesce((
				SELECT json_agg(json_build_object('slug', child.slug, 'name', ct.name) ORDER BY child.position)
				FROM category child
				CROSS JOIN LATERAL (
					SELECT name FROM category_text
					WHERE category_id = child.id
					ORDER BY language = $2 DESC, language = 'en' DESC
					LIMIT 1) ct
				WHERE child.parent_id = c.id), '[]')
		FROM category c
		CROSS JOIN LATERAL (
			SELECT name FROM category_text
			WHERE category_id = c.id
			ORDER BY language = $2 DESC, language = 'en' DESC
			LIMIT 1) t
		WHERE c.slug = $1`, f.Category, who.Language).Query(func(rows pgx.Rows) error {
		for rows.Next() {
			found = true
			if err := rows.Scan(&l.Title, asJSON(&l.Parent), asJSON(&l.Below)); err != nil {
				return err
			}
		}
		return rows.Err()
	})
	if err := send(ctx, db, batch, who, &l.Visit, true); err != nil || !found {
		return nil, err
	}
	l.quoteCards(l.Cards, l.open)
	return l, nil
}

const inCategory = `
		SELECT p.id, p.popularity::double precision AS score
		FROM product p
		WHERE p.status = 'active' AND EXISTS (
			SELECT
			FROM product_category pc
			WHERE pc.product_id = p.id AND pc.category_id = (SELECT id FROM category WHERE slug = @category))`

// Search reads one page of what has the words, the last of them perhaps unfinished. Where nothing has them, each is
// taken for the word of the catalogue that is spelt most alike, and where that finds nothing either, titles are
// compared as a whole.
func Search(ctx context.Context, db pg.DB, who Visitor, f Filter) (*Listing, error) {
	return page(ctx, db, who, func(who Visitor) (*Listing, error) { return searchPage(ctx, db, who, f) })
}

func searchPage(ctx context.Context, db pg.DB, who Visitor, f Filter) (*Listing, error) {
	l := &Listing{Filter: f}
	batch := &pgx.Batch{}
	if f.Code {
		scan := catalog.Scan(f.Words)
		queueListing(batch, who, l, codeMatch+f.limit(), pgx.NamedArgs{"gtins": scan.GTINs, "key": scan.Key})
		err := send(ctx, db, batch, who, &l.Visit, true)
		l.quoteCards(l.Cards, l.open)
		return l, err
	}
	query := tsQuery(f.Words)
	if query != "" {
		queueListing(batch, who, l, wordsMatch+f.limit(), pgx.NamedArgs{"query": query})
	}
	if err := send(ctx, db, batch, who, &l.Visit, true); err != nil {
		return nil, err
	}
	l.quoteCards(l.Cards, l.open)
	if l.Total > 0 || query == "" || f.Narrow() {
		return l, nil
	}
	l.Fuzzy = true
	meant, err := spelling(ctx, db, f.Words)
	if err != nil {
		return nil, err
	}
	batch = &pgx.Batch{}
	if meant != "" {
		queueListing(batch, who, l, wordsMatch+f.limit(), pgx.NamedArgs{"query": tsQuery(meant)})
	} else {
		queueListing(batch, who, l, titleAlike+f.limit(), pgx.NamedArgs{"words": f.Words})
	}
	err = db.SendBatch(ctx, batch).Close()
	l.quoteCards(l.Cards, l.open)
	return l, err
}

// Coded is what a scanned or typed code names: a product and the SKU of its variant.
type Coded struct{ Slug, SKU string }

// ByCode finds what is on sale under a SKU, a barcode or a code of the retailer's own, however it is spelt. Words with
// a space that have no digit are no code, and are not looked up.
func ByCode(ctx context.Context, db pg.DB, words string) ([]Coded, error) {
	if words == "" || strings.ContainsFunc(words, unicode.IsSpace) && !strings.ContainsFunc(words, unicode.IsDigit) {
		return nil, nil
	}
	scan := catalog.Scan(words)
	rows, err := db.Query(ctx, `
		SELECT p.slug, v.sku
		FROM variant v
		JOIN product p ON p.id = v.product_id
		WHERE p.status = 'active' AND v.active AND v.id IN (`+catalog.ByCode+`)
		LIMIT 50`, pgx.NamedArgs{"gtins": scan.GTINs, "key": scan.Key})
	if err != nil {
		return nil, fmt.Errorf("look a code up: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Coded])
}

const codeMatch = `
	SELECT p.id, 1::double precision AS score
	FROM product p
	WHERE p.status = 'active' AND p.id IN (SELECT product_id FROM variant WHERE active
		AND id IN (` + catalog.ByCode + `))
	ORDER BY p.id`

const wordsMatch = `
	SELECT id, score
	FROM (
		SELECT p.id, ts_rank(t.words, q.query) + p.popularity / 1e6 AS score, p.id AS newest
		FROM (SELECT to_tsquery('english', @query) AS query) q,
			LATERAL (SELECT product_id, words FROM product_text WHERE words @@ q.query LIMIT 1000) t
		JOIN product p ON p.id = t.product_id
		WHERE p.status = 'active') hit
	ORDER BY CASE WHEN @sort = 'new' THEN newest END DESC, score DESC, id DESC`

const titleAlike = `
	SELECT p.id, word_similarity(lower(@words), lower(t.title))::double precision AS score
	FROM product_text t
	JOIN product p ON p.id = t.product_id
	WHERE lower(@words) <% lower(t.title) AND p.status = 'active'
	ORDER BY score DESC, p.popularity DESC, p.id DESC`

// spelling replaces each word by the catalogue's nearest: one letter off in a short word, two in a longer one, which is
// also what two swapped letters count. Empty where nothing is near.
func spelling(ctx context.Context, db pg.DB, typed string) (meant string, err error) {
	err = db.QueryRow(ctx, `
		SELECT coalesce(string_agg(near.word, ' ' ORDER BY n), '')
		FROM unnest($1::text[]) WITH ORDINALITY AS typed (word, n)
		JOIN LATERAL (
			SELECT word
			FROM search_word
			WHERE length(word) BETWEEN length(typed.word) - 2 AND length(typed.word) + 2
				AND levenshtein_less_equal(word, typed.word, 2) <= CASE WHEN length(typed.word) <= 4 THEN 1 ELSE 2 END
			ORDER BY levenshtein_less_equal(word, typed.word, 2), similarity(word, typed.word) DESC, word
			LIMIT 1) near ON true`, plainWords(typed)).Scan(&meant)
	return meant, err
}

// plainWords are the letters and digits of what was typed, at most twelve words of forty.
func plainWords(typed string) []string {
	words := strings.FieldsFunc(strings.ToLower(typed), func(r rune) bool {
		return !unicode.IsLetter(r) &&
			!unicode.IsDigit(r)
	})
	if len(words) > 12 {
		words = words[:12]
	}
	for i, word := range words {
		if runes := []rune(word); len(runes) > 40 {
			words[i] = string(runes[:40])
		}
	}
	return words
}

// tsQuery asks for all the words, and for anything that begins with the last. Letters and digits only: nothing a person
// types is an operator.
func tsQuery(typed string) string {
	words := plainWords(typed)
	if len(words) == 0 {
		return ""
	}
	return strings.Join(words, " & ") + ":*"
}

// queueListing asks for a page of cards and the facets of a list of candidates. What a variant must be to count
// (options, price, on the shelf) it must be all at once.
func queueListing(batch *pgx.Batch, who Visitor, l *Listing, candidates string, args pgx.NamedArgs) {
	f := l.Filter
	home, list := who.home()
	groups := make([][]string, 0, len(f.Options))
	for _, values := range f.Options {
		groups = append(groups, values)
	}
	chosen, err := json.Marshal(groups)
	if err != nil {
		panic(err) // Strings always marshal.
	}
	for name, value := range map[string]any{
		"home": home, "list": list, "limited": who.reference.Limited, "zone": who.zone(),
		"by_category": who.reference.ByCategory,
		"language":    who.Language, "cap": f.most(), "groups": string(chosen), "min": f.Min,
		"max": f.Max, "in_stock": f.InStock,
		"sort": f.Sort, "offset": (f.Page - 1) * PerPage, "limit": PerPage,
	} {
		args[name] = value
	}
	s := stockOf(f)
	batch.Queue(`
		WITH`+homeStore+`,
		candidate AS MATERIALIZED (`+candidates+`),
		offer AS MATERIALIZED (
			SELECT c.id, c.score, v.id AS variant_id, v.options, v.picture_id, price.amount, price.since, v.tracked,
				`+s.offered+` AS available, v.back_order
			FROM candidate c
			JOIN variant v ON v.product_id = c.id AND v.active
			CROSS JOIN (SELECT @list::bigint AS id) list`+catalog.NowOn+s.level+`
			WHERE price.amount IS NOT NULL
				AND (@min = 0 OR price.amount >= @min) AND (@max = 0 OR price.amount <= @max)`+s.only+`),
		fit AS MATERIALIZED (
			SELECT id, max(score) AS score, min(amount) AS cheapest, max(amount) AS dearest, max(since) AS since,
				`+s.fits+` AS available, bool_or(back_order) AS back_order,
				(array_agg(variant_id ORDER BY amount, variant_id))[1] AS variant_id,
				(array_agg(picture_id ORDER BY available > 0 DESC, amount))[1] AS picture_id
			FROM offer
			WHERE @groups = '[]' OR (
				SELECT bool_and((offer.options || (SELECT facet_values FROM product WHERE id = offer.id))
					&& ARRAY(SELECT jsonb_array_elements_text(choice)))
				FROM jsonb_array_elements(@groups::jsonb) AS choice)
			GROUP BY id),
		page AS (
			SELECT fit.*, row_number() OVER (
				ORDER BY CASE WHEN @sort = 'price' THEN cheapest END, CASE WHEN @sort = 'price-down' THEN -cheapest END,
					CASE WHEN @sort = 'new' THEN -id END, score DESC, id DESC) AS n
			FROM fit
			ORDER BY n
			OFFSET @offset LIMIT @limit),
		shelf AS (`+s.shelf+`)
		SELECT (SELECT count(*) FROM fit) AS total, (SELECT count(*) FROM candidate) > @cap AS capped,
			coalesce((
				SELECT json_agg(json_build_object('slug', p.slug, 'title', t.title, 'brand', p.brand, 'picture',
					coalesce(pic.key, ''),
					'from', page.cheapest, 'to', page.dearest, 'was', coalesce(cut.lowest, 0), 'available',
						shelf.available,
					'elsewhere', shelf.available = 0 AND EXISTS (
						SELECT
						FROM variant v
						JOIN stock_level s ON s.variant_id = v.id AND s.condition = 'sellable'
						JOIN location at ON at.id = s.location_id AND at.kind = 'store'
						WHERE v.product_id = p.id AND v.active AND `+inventory.Available("s")+` > 0),
					'by_mail', EXISTS (SELECT FROM variant WHERE product_id = p.id AND gift_card),
					'back_order', page.back_order, 'variant', page.variant_id, 'priced', json_build_object('product',
						p.id, 'tags', p.tags,
						'categories', CASE WHEN @by_category THEN `+catalog.Categories+` ELSE '{}' END,
						'breaks', `+breaks("page.variant_id", "(SELECT list_id FROM home)")+`)) ORDER BY page.n)
				FROM page
				JOIN shelf ON shelf.id = page.id
				JOIN product ON product.id = page.id
				CROSS JOIN LATERAL (SELECT product.*) p
				JOIN LATERAL (
					SELECT title
					FROM product_text
					WHERE product_id = p.id
					ORDER BY language = @language DESC, language = 'en' DESC
					LIMIT 1) t ON true
				LEFT JOIN LATERAL (
					SELECT key
					FROM picture
					WHERE product_id = p.id
					ORDER BY @groups <> '[]' AND id = page.picture_id DESC,
						position -- who asked for moss sees it in moss
					LIMIT 1) pic ON true`+reduction+`), '[]') AS cards,
			coalesce((
				SELECT json_agg(json_build_object('name', name, 'values', vals) ORDER BY name)
				FROM (
					SELECT name, json_agg(json_build_object('value', value, 'count', n) ORDER BY n DESC, value) AS vals
					FROM (
						SELECT o.name, o.value, count(DISTINCT offer.id) AS n
						FROM offer
						JOIN product p ON p.id = offer.id
						CROSS JOIN LATERAL (
							SELECT * FROM unnest(p.options, offer.options)
							UNION ALL
							SELECT * FROM unnest(p.facet_names, p.facet_values)) AS o (name, value)
						WHERE o.name IS NOT NULL AND o.value IS NOT NULL
						GROUP BY 1, 2) counted
					GROUP BY name) grouped), '[]') AS facets,
			`+reference.Columns, args).
		Query(func(rows pgx.Rows) error {
			row, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[struct {
				reference.Row
				Total  int
				Capped bool
				Cards  []Card
				Facets []Facet
			}])
			if err != nil {
				return err
			}
			l.Total, l.Capped, l.Cards, l.Facets = row.Total, row.Capped, row.Cards, row.Facets
			l.open = who.reference.Open(who.At, row.Uses)
			return who.reference.Check(row.Version)
		})
}

// listStock is where a list asks for stock: of every variant, where that decides what is shown, else of those on the page.
type listStock struct{ offered, level, only, fits, shelf string }

const unitsOf = `CASE WHEN tracked THEN coalesce(%s, 0) ELSE 999 END`

func stockOf(f Filter) listStock {
	level := `
			LEFT JOIN stock_level level ON level.variant_id = %s AND level.location_id = @home
				AND level.condition = 'sellable'`
	available := inventory.Available("level")
	if len(f.Options) == 0 && !f.InStock {
		return listStock{offered: `NULL::int`, fits: `NULL::int`, shelf: `
			SELECT page.id, sum(greatest(` + fmt.Sprintf(unitsOf, available) + `, 0))::int AS available
			FROM page
			JOIN offer ON offer.id = page.id` + fmt.Sprintf(level, "offer.variant_id") + `
			GROUP BY page.id`}
	}
	s := listStock{offered: fmt.Sprintf(unitsOf, available), level: fmt.Sprintf(level, "v.id"),
		fits: `sum(greatest(available, 0))::int`, shelf: `SELECT id, available FROM page`}
	if f.InStock {
		s.only = `
				AND (NOT v.tracked OR ` + available + ` > 0)`
	}
	return s
}

// breaks are a variant's quantity and member prices that hold for one unit on a price list.
func breaks(variant, list string) string {
	return `coalesce((
						SELECT json_agg(json_build_object('From', b.from_quantity, 'Members', b.members, 'Tier', b.tier,
							'Amount', b.amount))
						FROM price_break b
						WHERE b.variant_id = ` + variant + ` AND b.price_list_id = ` + list +
		` AND b.from_quantity = 1 AND b.valid @> statement_timestamp()), '[]')`
}

// reduction finds, for a page's product p, whether its cheapest variant costs less than in the 30 days before its price
// began, and that lowest price: what directive 98/6/EC, article 6a, wants shown. A reduction is news for 60 days.
const reduction = `
	LEFT JOIN LATERAL (
		SELECT min(before.amount) AS lowest
		FROM home, variant v
		JOIN price cut ON cut.variant_id = v.id AND cut.valid @> statement_timestamp()
		JOIN price before ON before.variant_id = v.id AND before.price_list_id = cut.price_list_id
			AND before.valid && tstzrange(lower(cut.valid) - interval '30 days', lower(cut.valid))
		-- page.since is known already: most prices are older, and then nothing more is read.
		WHERE page.since > statement_timestamp() - interval '60 days'
			AND v.product_id = p.id AND v.active AND cut.price_list_id = home.list_id AND cut.amount = page.cheapest
			AND lower(cut.valid) > statement_timestamp() - interval '60 days'
		HAVING min(before.amount) > page.cheapest) cut ON true`

// Front is the home page.
type Front struct {
	Visit
	Departments []FrontDepartment
	New         []Card
	Popular     []Card
}

// FrontDepartment has the picture of its most popular product.
type FrontDepartment struct {
	Slug    string `json:"slug"`
	Name    string `json:"name"`
	Picture string `json:"picture"`
	Product string `json:"product"` // slug: the picture's ground
}

// Home reads the front page: departments, what is new, what is popular.
func Home(ctx context.Context, db pg.DB, who Visitor) (*Front, error) {
	return page(ctx, db, who, func(who Visitor) (*Front, error) { return homePage(ctx, db, who) })
}

func homePage(ctx context.Context, db pg.DB, who Visitor) (*Front, error) {
	f := &Front{}
	fresh, popular := &Listing{Filter: Filter{Page: 1, Sort: "new"}}, &Listing{Filter: Filter{Page: 1}}
	batch := &pgx.Batch{}
	queueListing(batch, who, fresh, `
		SELECT id, 0::double precision AS score FROM product WHERE status = 'active' ORDER BY created_at DESC, id DESC
			LIMIT 8`, pgx.NamedArgs{})
	queueListing(batch, who, popular, `
		SELECT id, popularity::double precision AS score FROM product WHERE status = 'active' ORDER BY popularity DESC,
			id DESC LIMIT 8`, pgx.NamedArgs{})
	batch.Queue(`
		SELECT coalesce(json_agg(json_build_object('slug', c.slug, 'name', t.name, 'picture', coalesce(best.key, ''),
			'product', coalesce(best.slug, '')) ORDER BY c.position), '[]')
		FROM category c
		CROSS JOIN LATERAL (
			SELECT name FROM category_text
			WHERE category_id = c.id
			ORDER BY language = $1 DESC, language = 'en' DESC
			LIMIT 1) t
		LEFT JOIN LATERAL (
			SELECT p.slug, pic.key
			FROM (
				SELECT p.id, p.slug
				FROM product p
				JOIN product_category pc ON pc.product_id = p.id AND pc.category_id = c.id
				WHERE p.status = 'active'
				ORDER BY p.popularity DESC, p.id DESC
				LIMIT 1) p
			JOIN picture pic ON pic.product_id = p.id
			ORDER BY pic.position
			LIMIT 1) best ON true
		WHERE c.parent_id IS NULL`,
		who.Language).QueryRow(func(row pgx.Row) error { return row.Scan(asJSON(&f.Departments)) })
	if err := send(ctx, db, batch, who, &f.Visit, true); err != nil {
		return nil, err
	}
	f.quoteCards(fresh.Cards, fresh.open)
	f.quoteCards(popular.Cards, popular.open)
	f.New, f.Popular = fresh.Cards, popular.Cards
	return f, nil
}
