package shop

import (
	"context"
	"strings"
	"unicode"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/catalog"
	"counterpart/internal/domain/promotion"
	"counterpart/internal/platform/pg"
	"counterpart/internal/query/advice"
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
	Here      bool   `json:"here"`       // the visit's store has it
	Elsewhere bool   `json:"elsewhere"`  // another store has it, and this one not
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

// Value of an option. Count is 0 where it was chosen and none of those counted has it.
type Value struct {
	Value string `json:"value"`
	Count int    `json:"count"`
}

// Filter is what was chosen on a list. Empty parts do not restrict.
type Filter struct {
	Category string
	Words    string
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
	Filter  Filter
	Title   string       // of the category
	Parent  *Department  // above it
	Below   []Department // its own categories
	Cards   []Card
	Facets  []Facet
	Total   int     // of products that fit, as far as the list looked
	Capped  bool    // there are more
	Counted int     // products whose options the facets count: where there are more, the first
	Fuzzy   bool    // nothing had these words; these are spelt alike
	Codes   []Coded // of what was searched by its code; one alone is what was meant
	open    []promotion.Promotion
	unsure  bool // what was not looked at may belong before what is shown
	deep    bool // as many as a list ever looks at are
}

// Category reads one page of a department or of a category in it. Nil when there is none.
func Category(ctx context.Context, db pg.DB, who Visitor, f Filter) (*Listing, error) {
	return page(ctx, db, who, func(who Visitor) (*Listing, error) { return categoryPage(ctx, db, who, f) })
}

func categoryPage(ctx context.Context, db pg.DB, who Visitor, f Filter) (*Listing, error) {
	l := &Listing{Filter: f}
	batch := &pgx.Batch{}
	var own pgx.NamedArgs
	category := who.reference.Category(f.Category)
	if category != nil {
		l.Title = category.Name(who.Language)
		if parent := who.reference.CategoryAt(category.ParentID); parent != nil {
			l.Parent = &Department{parent.Slug, parent.Name(who.Language)}
		}
		for _, below := range who.reference.Below(category.ID) {
			l.Below = append(l.Below, Department{below.Slug, below.Name(who.Language)})
		}
		own = pgx.NamedArgs{"category": category.ID}
		queueListing(batch, who, l, inCategory, own)
	}
	// Of a category that is not there no row says whether the data still holds: then the visit asks.
	if err := send(ctx, db, batch, who, &l.Visit, category != nil); err != nil || category == nil {
		return nil, err
	}
	if err := l.settle(ctx, db, who, inCategory, own); err != nil {
		return nil, err
	}
	l.quoteCards(l.Cards, l.open)
	return l, nil
}

// Search reads one page of what has the words, the last of them perhaps unfinished. Where nothing has them, each is
// taken for the word of the catalogue that is spelt most alike, and where that finds nothing either, titles are
// compared as a whole.
func Search(ctx context.Context, db pg.DB, who Visitor, f Filter) (*Listing, error) {
	return page(ctx, db, who, func(who Visitor) (*Listing, error) { return searchPage(ctx, db, who, f) })
}

func searchPage(ctx context.Context, db pg.DB, who Visitor, f Filter) (*Listing, error) {
	l := &Listing{Filter: f}
	batch := &pgx.Batch{}
	l.queueCode(batch)
	query := tsQuery(f.Words)
	if query != "" {
		queueListing(batch, who, l, worded, pgx.NamedArgs{"query": query})
	}
	if err := send(ctx, db, batch, who, &l.Visit, query != ""); err != nil {
		return nil, err
	}
	if len(l.Codes) == 1 {
		l.quoteCards(l.Cards, l.open)
		return l, nil
	}
	if len(l.Codes) > 1 {
		scan := catalog.Scan(f.Words)
		batch = &pgx.Batch{}
		queueListing(batch, who, l, coded, pgx.NamedArgs{"gtins": scan.GTINs, "key": scan.Key})
		err := db.SendBatch(ctx, batch).Close()
		l.quoteCards(l.Cards, l.open)
		return l, err
	}
	if err := l.settle(ctx, db, who, worded, pgx.NamedArgs{"query": query}); err != nil {
		return nil, err
	}
	l.quoteCards(l.Cards, l.open)
	if l.Total > 0 || query == "" {
		return l, nil
	}
	if f.Narrow() { // What was chosen may be all that nothing fits.
		var known bool
		if err := db.QueryRow(ctx, `SELECT EXISTS (SELECT FROM product_text WHERE words @@ to_tsquery('english', $1))`,
			query).Scan(&known); err != nil || known {
			return l, err
		}
	}
	l.Fuzzy = true
	meant, err := spelling(ctx, db, f.Words)
	if err != nil {
		return nil, err
	}
	batch = &pgx.Batch{}
	if meant != "" {
		queueListing(batch, who, l, worded, pgx.NamedArgs{"query": tsQuery(meant)})
	} else {
		queueListing(batch, who, l, alike, pgx.NamedArgs{"words": f.Words})
	}
	err = db.SendBatch(ctx, batch).Close()
	l.quoteCards(l.Cards, l.open)
	return l, err
}

// Coded is what a scanned or typed code names: a product and the SKU of its variant.
type Coded struct{ Slug, SKU string }

var codeStatement = pg.Named(`
	SELECT p.slug, v.sku
	FROM variant v
	JOIN product p ON p.id = v.product_id
	WHERE p.status = 'active' AND v.active AND v.id IN (`+catalog.ByCode+`)
	LIMIT 50`, "gtins", "key")

// queueCode asks what is on sale under a SKU, a barcode or a code of the retailer's own, however it is spelt. Words with
// a space that have no digit are no code, and are not looked up.
func (l *Listing) queueCode(batch *pgx.Batch) {
	words := l.Filter.Words
	if words == "" || strings.ContainsFunc(words, unicode.IsSpace) && !strings.ContainsFunc(words, unicode.IsDigit) {
		return
	}
	scan := catalog.Scan(words)
	codeStatement.Queue(batch, pgx.NamedArgs{"gtins": scan.GTINs, "key": scan.Key}).Query(func(rows pgx.Rows) (err error) {
		l.Codes, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Coded])
		return err
	})
}

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

// Front is the home page.
type Front struct {
	Visit
	Departments []FrontDepartment
	New         []Card
	Popular     []Card
	For         []advice.Hint // what is suggested to whoever is looking
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
	fresh, popular := &Listing{Filter: Filter{Page: 1}}, &Listing{Filter: Filter{Page: 1}}
	batch := &pgx.Batch{}
	queueListing(batch, who, fresh, newest, pgx.NamedArgs{})
	queueListing(batch, who, popular, mostPopular, pgx.NamedArgs{})
	_, list := who.home()
	batch.Queue(`
		SELECT coalesce(json_agg(json_build_object('slug', c.slug, 'name', t.name, 'picture', coalesce(best.picture, ''),
			'product', coalesce(best.slug, '')) ORDER BY c.position), '[]')
		FROM category c
		CROSS JOIN LATERAL (
			SELECT name FROM category_text
			WHERE category_id = c.id
			ORDER BY language = $1 DESC, language = 'en' DESC
			LIMIT 1) t
		LEFT JOIN LATERAL (
			SELECT card.slug, card.picture
			FROM category_card k
			JOIN product_card card ON card.product_id = k.product_id AND card.price_list_id = k.price_list_id
				AND card.until = k.until
			WHERE k.category_id = c.id AND k.price_list_id = $2 AND `+holds("k")+`
			ORDER BY k.popularity DESC, k.product_id DESC
			LIMIT 1) best ON true
		WHERE c.parent_id IS NULL`,
		who.Language, list).QueryRow(func(row pgx.Row) error { return row.Scan(asJSON(&f.Departments)) })
	if err := send(ctx, db, batch, who, &f.Visit, true); err != nil {
		return nil, err
	}
	f.quoteCards(fresh.Cards, fresh.open)
	f.quoteCards(popular.Cards, popular.open)
	f.New, f.Popular = fresh.Cards, popular.Cards
	if err := f.advise(ctx, db, who.Language, &f.For); err != nil {
		return nil, err
	}
	return f, nil
}
