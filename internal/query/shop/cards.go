package shop

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/catalog"
	"counterpart/internal/domain/location"
	"counterpart/internal/platform/pg"
	"counterpart/internal/query/reference"
)

// A source is where a list takes its products from: rows k with the columns product_id, cheapest, dearest and facets,
// in an order. Its text knows the arguments that queueListing has, and those of its own.
type source struct {
	from, where, order string
	always             string   // says of a row that some variant of it is always there
	most               int      // products that are looked at, where it has more of them than a page needs; 0: as many as it takes
	args               []string // of its own
}

// holds says of a row of product_card or category_card that its prices are those of now.
func holds(row string) string {
	return row + `.since <= statement_timestamp() AND ` + row + `.until > statement_timestamp()`
}

const ofList = `k.price_list_id = @list AND `

// inCategory walks an index, in whichever order.
var inCategory = source{from: `category_card k`, where: `k.category_id = @category AND ` + ofList + holds("k"),
	order: `k.popularity DESC, k.product_id DESC`, always: `k.always`, args: []string{"category"}}

// sorted is the source in the order that was chosen; its own stands behind it.
func (s source) sorted(by string) source {
	switch by {
	case "new":
		s.order = `k.product_id DESC`
	case "price":
		s.order = `k.cheapest, ` + s.order
	case "price-down":
		s.order = `k.cheapest DESC, ` + s.order
	}
	return s
}

// onCards are products that something else names.
func onCards(found, order string, args ...string) source {
	return source{from: found + `
			JOIN product_card k ON k.product_id = found.product_id AND ` + ofList + holds("k"), where: `true`,
		order: order, always: `cardinality(k.always) > 0`, most: 1000, args: args}
}

// hasCard says of a product that it has a price on the list.
var hasCard = `(SELECT true FROM product_card k WHERE k.product_id = product.id AND ` + ofList + holds("k") + ` LIMIT 1)`

var (
	// worded looks at a thousand products that have the words.
	worded = onCards(`(
				SELECT product_id, max(rank) AS rank
				FROM (
					SELECT product_id, ts_rank(words, query) AS rank
					FROM to_tsquery('english', @query) AS query, product_text
					WHERE words @@ query
					LIMIT 1000) ranked
				GROUP BY product_id) found`,
		`found.rank + k.popularity / 1e6 DESC, k.product_id DESC`, "query")
	coded = onCards(`(
				SELECT DISTINCT product_id
				FROM variant
				WHERE active AND id IN (`+catalog.ByCode+`)) found`, `k.product_id`, "gtins", "key")
	alike = onCards(`(
				SELECT product_id, max(word_similarity(lower(@words), lower(title))) AS score
				FROM product_text
				WHERE lower(@words) <% lower(title)
				GROUP BY product_id) found`, `found.score DESC, k.popularity DESC, k.product_id DESC`, "words")
	newest = onCards(`(
				SELECT id AS product_id, created_at
				FROM product
				WHERE status = 'active' AND `+hasCard+`
				ORDER BY created_at DESC, id DESC
				LIMIT 8) found`, `found.created_at DESC, k.product_id DESC`)
	mostPopular = onCards(`(
				SELECT id AS product_id
				FROM product
				WHERE status = 'active' AND `+hasCard+`
				ORDER BY popularity DESC, id DESC
				LIMIT 8) found`, `k.popularity DESC, k.product_id DESC`)
)

// How many products a list looks at: to say how many there are, and how many have which options. Figures and not
// arguments: a planner that knows them walks an index and stops, one that does not reads the table.
const (
	few     = 96    // whose options are counted, where nobody narrows
	some    = 240   // ten pages, where somebody does
	several = 480   // twenty, where nobody does
	plenty  = 1200  // fifty, of those whose variants are looked at
	many    = 5000  // at which nobody pages on
	far     = 20000 // of which those are sought that something narrows
)

func (s source) atMost(most int) int {
	if s.most > 0 {
		return min(most, s.most)
	}
	return most
}

// walk is the statement of a source's first products.
func (s source) walk(columns string, most int) string {
	return s.sift(columns, "", "", most)
}

// sift is the statement of a source's first products for which something holds. What is known of a source's rows alone
// stands within, where an index may know it; what costs more is asked of one row after the other in their order, until
// there are enough of them.
func (s source) sift(columns, known, asked string, most int) string {
	most = s.atMost(most)
	if asked == "" {
		return fmt.Sprintf(`
			SELECT k.product_id AS id%s
			FROM %s
			WHERE %s%s
			ORDER BY %s
			LIMIT %d`, columns, s.from, s.where, known, s.order, most+1)
	}
	return fmt.Sprintf(`
			SELECT k.product_id AS id%s
			FROM (
				SELECT k.*
				FROM %s
				WHERE %s%s
				ORDER BY %s
				LIMIT %d) k
			WHERE true%s
			LIMIT %d`, columns, s.from, s.where, known, s.order, far, asked, most+1)
}

// queueListing asks for a page of cards and the facets of a list. What a variant must be to count (options, price, on
// the shelf) it must be all at once.
func queueListing(batch *pgx.Batch, who Visitor, l *Listing, s source, own pgx.NamedArgs) {
	f := l.Filter
	s = s.sorted(f.Sort)
	home, list := who.home()
	args := pgx.NamedArgs{"home": home, "list": list, "stores": storeIDs(who.reference.StoresLike(home)), "limited": who.reference.Limited,
		"zone": who.zone(), "language": who.Language, "offset": (f.Page - 1) * PerPage,
		"min": f.Min, "max": f.Max}
	maps.Copy(args, own)
	for i, name := range slices.Sorted(maps.Keys(f.Options)) {
		var group []string
		for _, value := range f.Options[name] {
			group = append(group, name+between+value)
		}
		args[fmt.Sprint("group", i)] = group
	}
	listStatement(s, l).Queue(batch, args).Query(func(rows pgx.Rows) error {
		row, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[struct {
			reference.Row
			Total      int
			Seen       int
			Sure       *int
			Capped     bool
			Cards      []Card
			Facets     []string
			FacetCount []int
		}])
		if err != nil {
			return err
		}
		l.Total, l.Capped, l.Cards = row.Total, row.Capped, row.Cards
		l.Facets = facets(f, row.Facets, row.FacetCount)
		l.Counted = 0
		if most := s.counted(f); row.Seen > most {
			l.Counted = most
		}
		l.unsure = row.Capped && !l.deep && row.Sure != nil && f.Page*PerPage > *row.Sure
		l.open = who.reference.Open(who.At, row.Uses)
		if who.reference.ByCategory {
			for i := range l.Cards {
				c := &l.Cards[i]
				c.Priced.Categories = who.reference.Above(c.Priced.Categories)
			}
		}
		return who.reference.Check(row.Version)
	})
}

func storeIDs(stores []location.Location) []int64 {
	ids := []int64{}
	for _, at := range stores {
		ids = append(ids, at.ID)
	}
	return ids
}

// settle reads a list again that was sorted by what fits of its products, where too few of them are sure to stand where
// they do.
func (l *Listing) settle(ctx context.Context, db pg.DB, who Visitor, s source, own pgx.NamedArgs) error {
	if !l.unsure {
		return nil
	}
	l.deep = true
	batch := &pgx.Batch{}
	queueListing(batch, who, l, s, own)
	return db.SendBatch(ctx, batch).Close()
}

// between parts the name of an option or attribute from its value in the database.
const between = "\x1f"

// facets groups what was counted by its name, the most frequent values first. What somebody chose is there, uncounted
// where none of those counted has it: else it could not be taken back.
func facets(f Filter, counted []string, counts []int) (all []Facet) {
	values := map[string][]Value{}
	for name, chosen := range f.Options {
		for _, value := range chosen {
			if !slices.Contains(counted, name+between+value) {
				values[name] = append(values[name], Value{Value: value})
			}
		}
	}
	for i, one := range counted {
		name, value, _ := strings.Cut(one, between)
		values[name] = append(values[name], Value{value, counts[i]})
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		slices.SortFunc(values[name], func(a, b Value) int {
			return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Value, b.Value))
		})
		all = append(all, Facet{name, values[name]})
	}
	return all
}

// counted is of how many products a list counts the options.
func (s source) counted(f Filter) int {
	switch {
	case f.Narrow():
		return s.atMost(some)
	case s.most > 0: // They were found already.
		return s.atMost(several)
	}
	return few
}

// shape is what the text of a list's statement depends on.
type shape struct {
	from, order, sort       string
	groups, most            int
	min, max, stock, narrow bool
}

var listStatements sync.Map // by shape

// listStatement writes the statement of a list, once for each shape.
func listStatement(s source, l *Listing) pg.Statement {
	f, most := l.Filter, several
	further := many
	if f.Narrow() {
		most, further = some, plenty
	}
	switch {
	case l.deep:
		most = many
	case f.Page*PerPage > most:
		most = further
	}
	key := shape{s.from, s.order, "", len(f.Options), most, f.Min > 0, f.Max > 0, f.InStock, f.Narrow()}
	if key.narrow {
		key.sort = f.Sort
	}
	if known, ok := listStatements.Load(key); ok {
		return known.(pg.Statement)
	}
	text, names := broadList(s, most), []string{"home", "list", "stores", "limited", "zone", "language", "offset"}
	if key.narrow {
		text = narrowList(s, key)
		for i := range key.groups {
			names = append(names, fmt.Sprint("group", i))
		}
		if key.min {
			names = append(names, "min")
		}
		if key.max {
			names = append(names, "max")
		}
	}
	names = slices.Compact(slices.Sorted(slices.Values(append(names, s.args...))))
	known, _ := listStatements.LoadOrStore(key, pg.Named(text, names...))
	return known.(pg.Statement)
}

// onPage takes 24 of the rows of a list that are numbered n.
var onPage = fmt.Sprintf(`n > @offset AND n <= @offset::bigint + %d`, PerPage)

// here says whether something of a product can be had at the visit's store. Not EXISTS: that would have the stock of the
// whole store read into a hash table.
func here(product, variants string) string {
	return `(SELECT true FROM in_stock s WHERE s.product_id = ` + product + ` AND s.location_id = @home AND ` + variants + ` LIMIT 1)`
}

// broadList is the statement of a list that nobody narrows: the order is that of its source, and every card is what
// product_card says.
func broadList(s source, most int) string {
	walk, count, seen := `
			SELECT id, @offset + row_number() OVER () AS n
			FROM (
				SELECT id
				FROM (`+s.walk("", most)+`) walk
				OFFSET @offset
				LIMIT `+fmt.Sprint(PerPage)+`) walk`, `(`+s.walk("", most)+`) walk`, `(`+s.walk(", k.facets", few)+`) seen`
	with := `
		WITH`
	if s.most > 0 { // Finding them is what takes time, not walking through them.
		with += ` found AS MATERIALIZED (
			SELECT id, facets, row_number() OVER () AS n
			FROM (` + s.walk(", k.facets", most) + `) found),`
		walk, count, seen = `
			SELECT id, n
			FROM found
			WHERE `+onPage, `found`, `found`
	}
	return with + `
		page AS (
			SELECT walk.id, walk.n, c.cheapest, c.dearest, c.lowest, c.variant_id, c.breaks, c.picture, c.back_order,
				c.always <> '{}' OR ` + here("walk.id", "s.variant_id = ANY (c.variants)") + ` IS NOT NULL AS here
			FROM (` + walk + `) walk
			JOIN product_card c ON c.product_id = walk.id AND c.price_list_id = @list AND ` + holds("c") + `)` +
		ending{all: count, walked: count, seen: seen, sure: `NULL::int`, facets: `
				SELECT facet, count(*) AS n
				FROM (SELECT facets FROM ` + seen + ` LIMIT ` + fmt.Sprint(s.counted(Filter{})) + `) first
				CROSS JOIN LATERAL unnest(facets) AS facet
				GROUP BY facet`}.text(s.atMost(most))
}

// narrowList is the statement of a list that something narrows. What is asked of a product must be true of one of its
// variants at once, so where more than one thing is asked the variants are looked at before a product counts.
func narrowList(s source, key shape) string {
	with := `
		WITH`
	bound := `k.cheapest`
	if key.sort == "price-down" { // What fits of it costs no more than its dearest.
		bound = `k.dearest`
		s.order = strings.Replace(s.order, `k.cheapest DESC`, `k.dearest DESC`, 1)
	}
	if s.most > 0 { // Finding them is what takes time, not walking through them.
		with += ` found AS MATERIALIZED (
			SELECT k.product_id, k.cheapest, k.dearest, k.facets, k.always, row_number() OVER (ORDER BY ` + s.order + `) AS n
			FROM ` + s.from + `
			WHERE ` + s.where + `),`
		s.from, s.where, s.order = `found k`, `true`, `k.n`
	}
	var known, asked, wanted, chosen strings.Builder
	var fits []string // of variant v of card c
	if key.min {
		known.WriteString(` AND k.dearest >= @min`)
		fits = append(fits, `v.amount >= @min`)
	}
	if key.max {
		known.WriteString(` AND k.cheapest <= @max`)
		fits = append(fits, `v.amount <= @max`)
	}
	if key.stock {
		asked.WriteString(` AND (` + s.always + ` OR ` + here("k.product_id", "true") + `)`)
		fits = append(fits, `(v.id = ANY (c.always) OR `+here("c.product_id", "s.variant_id = v.id")+`)`)
	}
	for i := range key.groups {
		fmt.Fprintf(&chosen, ` AND k.facets && @group%d::text[]`, i)
		fmt.Fprintf(&wanted, ` AND string_to_array(v.choices, chr(30)) && @group%d::text[]`, i)
	}
	fit := strings.Join(append([]string{`true`}, fits...), " AND ")
	one := func(more string) string {
		return ` AND (
				SELECT true
				FROM product_card c
				CROSS JOIN LATERAL unnest(c.variants, c.amounts, c.lowests, c.choices) AS v (id, amount, lowest, choices)
				WHERE c.product_id = k.product_id AND c.price_list_id = @list AND ` + holds("c") + ` AND ` + fit + more + `
				LIMIT 1)`
	}
	hit, seen := asked.String()+chosen.String(), asked.String()
	// A variant that is not on sale may be in stock too: where stock is asked for, the variants are always looked at.
	if key.stock || len(fits) > 1 {
		seen += one("")
	}
	if key.stock || len(fits)+key.groups > 1 {
		hit += one(wanted.String())
	}
	offers := func(of string) string {
		return `
			SELECT ` + of + `.id, ` + of + `.n, c.variant_id AS first, c.picture, c.breaks, c.back_order, c.always,
				v.id AS variant_id, v.amount, v.lowest, v.choices
			FROM (SELECT id, row_number() OVER () AS n FROM ` + of + `) ` + of + `
			JOIN product_card c ON c.product_id = ` + of + `.id AND c.price_list_id = @list AND ` + holds("c") + `
			CROSS JOIN LATERAL unnest(c.variants, c.amounts, c.lowests, c.choices) AS v (id, amount, lowest, choices)
			WHERE ` + fit
	}
	// The first by their cheapest are not the first by what fits of them costs: sure are those that nothing that was not
	// looked at can stand before.
	order, sure := `min(n)`, `NULL::int`
	switch {
	case key.sort == "price":
		order, sure = `min(amount), min(n)`, `(SELECT count(*) FROM fit WHERE cheapest <= (SELECT max(bound) FROM hit))::int`
	case key.sort == "price-down":
		order, sure = `min(amount) DESC, min(n)`, `(SELECT count(*) FROM fit WHERE cheapest >= (SELECT min(bound) FROM hit))::int`
	}
	picture := `picture`
	if key.groups > 0 { // Who asked for moss sees it in moss.
		picture = `coalesce((
					SELECT pic.key
					FROM unnest(fit.variants) AS one
					JOIN variant v ON v.id = one
					JOIN picture pic ON pic.id = v.picture_id
					ORDER BY ` + here("fit.id", "s.variant_id = one") + ` IS NOT NULL DESC, one = fit.variant_id DESC, one
					LIMIT 1), picture)`
	}
	counted, looked := `offer`, `hit`
	text := with + `
		hit AS MATERIALIZED (` + s.sift(`, `+bound+` AS bound`, known.String(), hit, key.most) + `),`
	if key.groups > 0 { // Then the options that were not chosen are counted too.
		text += `
		seen AS MATERIALIZED (` + s.sift("", known.String(), seen, some) + `),`
		counted, looked = `(`+offers("seen")+`) offer`, `seen`
	}
	return text + `
		offer AS MATERIALIZED (` + offers("hit") + wanted.String() + `),
		fit AS MATERIALIZED (
			SELECT id, row_number() OVER (ORDER BY ` + order + `) AS n, min(amount) AS cheapest, max(amount) AS dearest,
				(array_agg(variant_id ORDER BY amount, variant_id))[1] AS variant_id, array_agg(variant_id) AS variants,
				min(first) AS first, min(picture) AS picture, (array_agg(breaks))[1] AS breaks,
				bool_or(back_order) AS back_order, (array_agg(lowest ORDER BY amount, nullif(lowest, 0)))[1] AS lowest,
				bool_or(variant_id = ANY (always)) AS always
			FROM offer
			GROUP BY id),
		page AS (
			SELECT id, n, cheapest, dearest, lowest, variant_id, CASE WHEN variant_id = first THEN breaks
				ELSE ` + breaks("fit.variant_id", "@list") + `::jsonb END AS breaks, ` + picture + ` AS picture,
				back_order AND EXISTS (
					SELECT FROM variant v WHERE v.id = ANY (fit.variants) AND v.back_order) AS back_order,
				always OR ` + here("fit.id", "s.variant_id = ANY (fit.variants)") + ` IS NOT NULL AS here
			FROM fit
			WHERE ` + onPage + `)` + ending{all: `fit`, walked: `hit`, seen: looked, sure: sure, facets: `
				SELECT facet, count(DISTINCT id) AS n
				FROM ` + counted + `
				CROSS JOIN LATERAL unnest(string_to_array(choices, chr(30))) AS facet
				WHERE n <= ` + fmt.Sprint(s.atMost(some)) + `
				GROUP BY facet`}.text(s.atMost(key.most))
}

// ending is the end of either statement: how many products there are and were looked at, of how many the options were
// counted, how many are sure to stand where they do, and the facets.
type ending struct{ all, walked, seen, sure, facets string }

func (e ending) text(most int) string {
	return fmt.Sprintf(`
		SELECT (SELECT count(*) FROM %s) AS total, (SELECT count(*) FROM %s) > %d AS capped,
			(SELECT count(*) FROM %s) AS seen, %s AS sure, coalesce((
				SELECT json_agg(json_build_object('slug', c.slug, 'title', coalesce(c.titles ->> @language, c.title),
					'brand', c.brand, 'picture', page.picture, 'from', page.cheapest, 'to', page.dearest,
					'was', page.lowest, 'here', page.here,
					'elsewhere', NOT page.here AND EXISTS (
						SELECT
						FROM in_stock s
						WHERE s.product_id = c.product_id AND s.location_id = ANY (@stores)
							AND s.variant_id = ANY (c.variants)),
					'by_mail', c.gift_card, 'back_order', page.back_order, 'variant', page.variant_id,
					'priced', json_build_object('product', c.product_id, 'tags', c.tags, 'categories', c.categories,
						'breaks', page.breaks)) ORDER BY page.n)
				FROM page
				JOIN product_card c ON c.product_id = page.id AND c.price_list_id = @list AND %s), '[]') AS cards,
			counted.facets, counted.n AS facet_count, `+reference.Columns+`
		FROM (
			SELECT coalesce(array_agg(facet), '{}') AS facets, coalesce(array_agg(n), '{}') AS n
			FROM (%s) counted
			WHERE facet <> '') counted`, e.all, e.walked, most, e.seen, e.sure, holds("c"), e.facets)
}

// breaks are a variant's quantity and member prices that hold for one unit on a price list.
func breaks(variant, list string) string {
	return `coalesce((
						SELECT json_agg(json_build_object('From', b.from_quantity, 'Members', b.members, 'Tier', b.tier,
							'Segment', coalesce(b.segment_id, 0), 'Amount', b.amount))
						FROM price_break b
						WHERE b.variant_id = ` + variant + ` AND b.price_list_id = ` + list +
		` AND b.from_quantity = 1 AND b.valid @> statement_timestamp()), '[]')`
}
