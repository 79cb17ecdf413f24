// Package catalog is what the shop sells: products with their texts and pictures, variants with their barcodes and
// prices.
package catalog

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/platform/pg"
)

// Product as a feed, a form or the demo describes it. A nil text or list keeps what is there already.
type Product struct {
	Slug        string
	Title       string
	Language    string
	Brand       *string
	Description *string // plain text, paragraphs parted by an empty line
	Status      *string // draft, active, archived
	Categories  []Category
	Tags        []string
	Options     []string // names, in the order of Variant.Options
	Variants    []Variant
	Pictures    []Picture
	AgeDays     int // how long ago it was new; only the demo tells stories about the past
}

// Category is a path of names from the department down, with the slug of its last one.
type Category struct {
	Path []string
	Slug string
}

// Variant is what is sold. It is found again by its SKU, in any case.
type Variant struct {
	SKU      string
	Options  []string
	GTIN     string // 14 digits, or empty
	Code     string // one of the retailer's own, in any spelling, or empty
	TaxClass string
	UnitCost *int64 // minor units of the shop's first currency
	Grams    int
	Prices   []Price
	Picture  string // the Source of one of the product's pictures
	// How it is sold when the shelf is empty; nil keeps what is there. See Rule.
	Tracked, BackOrder *bool
}

// Price on the list of a currency and tax mode, in minor units. CompareAt is the maker's recommended price, or nil.
type Price struct {
	Currency    string
	TaxIncluded bool
	Amount      int64
	CompareAt   *int64
}

// Picture is an original in the file store. Source is where it came from; it names the picture within its product.
type Picture struct {
	Source   string
	Original string
	Tint     string // six hex digits: the colour of a cut-out that stands for a variant
	Alt      string
}

// Outcome is what a Put did.
type Outcome struct {
	ProductID int64
	Created   bool
	Changed   bool             // anything at all
	Variants  map[string]int64 // by SKU as given
	New       map[string]bool  // variants that did not exist before
	Undrawn   []int64          // pictures that wait for their sizes
}

// ErrTaken says that a SKU or barcode is another product's.
var ErrTaken = errors.New("already used by another product")

// Put writes a product, or brings the one with its slug to this state; a second Put of the same changes no row.
// Variants and pictures that are not named are left alone.
func Put(ctx context.Context, tx pgx.Tx, p Product) (Outcome, error) {
	out := Outcome{Variants: map[string]int64{}, New: map[string]bool{}}
	for _, step := range []func(context.Context, pgx.Tx, Product, *Outcome) error{
		putProduct, putCategories, putText, putPictures, putVariants, putPrices,
	} {
		if err := step(ctx, tx, p, &out); err != nil {
			return out, fmt.Errorf("put product %s: %w", p.Slug, err)
		}
	}
	return out, nil
}

func putProduct(ctx context.Context, tx pgx.Tx, p Product, out *Outcome) error {
	return tx.QueryRow(ctx, `
		WITH put AS (
			INSERT INTO product AS p (slug, brand, status, options, tags, created_at)
			VALUES (@slug, coalesce(@brand, ''), coalesce(@status, 'active'), coalesce(@options::text[], '{}'),
				coalesce(@tags::text[], '{}'), now() - @age * interval '1 day')
			ON CONFLICT (slug) DO UPDATE
			SET brand = coalesce(@brand, p.brand), status = coalesce(@status, p.status), options = coalesce(@options,
				p.options), tags = coalesce(@tags, p.tags)
			WHERE (p.brand, p.status, p.options, p.tags) IS DISTINCT FROM
				(coalesce(@brand, p.brand), coalesce(@status, p.status), coalesce(@options, p.options), coalesce(@tags,
					p.tags))
			RETURNING id, xmax = 0 AS created)
		SELECT id, created, true FROM put
		UNION ALL
		SELECT id, false, false FROM product WHERE slug = @slug AND NOT EXISTS (SELECT FROM put)`,
		pgx.NamedArgs{"slug": p.Slug, "brand": p.Brand, "status": p.Status, "options": p.Options, "tags": p.Tags,
			"age": p.AgeDays}).
		Scan(&out.ProductID, &out.Created, &out.Changed)
}

// putCategories makes the categories of the paths that are missing. A product joins each; it leaves none.
func putCategories(ctx context.Context, tx pgx.Tx, p Product, out *Outcome) error {
	for _, category := range p.Categories {
		var parent *int64
		for depth := range category.Path {
			id, err := putCategory(ctx, tx, category, depth, parent, p.Language)
			if err != nil {
				return err
			}
			parent = &id
			tag, err := tx.Exec(ctx, `
				INSERT INTO product_category (category_id, product_id)
				VALUES ($1, $2)
				ON CONFLICT DO NOTHING`, id, out.ProductID)
			if err != nil {
				return err
			}
			out.Changed = out.Changed || tag.RowsAffected() > 0
		}
	}
	return nil
}

func putCategory(ctx context.Context, tx pgx.Tx, category Category, depth int, parent *int64,
	language string) (id int64, err error) {
	slug := Slug(strings.Join(category.Path[:depth+1], " "))
	if depth == len(category.Path)-1 && category.Slug != "" {
		slug = category.Slug
	}
	err = tx.QueryRow(ctx, `
		WITH put AS (
			INSERT INTO category (parent_id, slug, position)
			VALUES ($1, $2, (SELECT count(*) FROM category))
			ON CONFLICT (slug) DO NOTHING
			RETURNING id)
		SELECT id FROM put
		UNION ALL
		SELECT id FROM category WHERE slug = $2
		LIMIT 1`, parent, slug).Scan(&id)
	if err != nil {
		return 0, err
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO category_text (category_id, language, name)
		VALUES ($1, $2, $3)
		ON CONFLICT DO NOTHING`, id, language, category.Path[depth])
	return id, err
}

// TranslateCategory names the categories with an English name in another language.
func TranslateCategory(ctx context.Context, tx pgx.Tx, english, language, name string) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO category_text (category_id, language, name)
		SELECT category_id, $2, $3
		FROM category_text
		WHERE language = 'en' AND name = $1
		ON CONFLICT (category_id, language) DO UPDATE SET name = EXCLUDED.name`, english, language, name)
	return err
}

func putText(ctx context.Context, tx pgx.Tx, p Product, out *Outcome) error {
	tag, err := tx.Exec(ctx, `
		INSERT INTO product_text AS t (product_id, language, title, description, keywords)
		VALUES (@product, @language, @title, coalesce(@description, ''), @keywords)
		ON CONFLICT (product_id, language) DO UPDATE
		SET title = @title, description = coalesce(@description, t.description), keywords = @keywords
		WHERE (t.title, t.description, t.keywords) IS DISTINCT FROM (@title, coalesce(@description, t.description),
			@keywords)`,
		pgx.NamedArgs{"product": out.ProductID, "language": p.Language, "title": p.Title, "description": p.Description,
			"keywords": keywords(p)})
	if err != nil || tag.RowsAffected() == 0 {
		return err
	}
	out.Changed = true
	// In order, so that two imports at once do not wait for each other in a circle.
	_, err = tx.Exec(ctx, `
		INSERT INTO search_word (word)
		SELECT DISTINCT word
		FROM regexp_split_to_table(lower($1), '[^[:alnum:]]+') AS word
		WHERE length(word) BETWEEN 3 AND 40
		ORDER BY word
		ON CONFLICT DO NOTHING`, p.Title+" "+keywords(p))
	return err
}

// keywords are what people also type: maker, categories, tags, colours and sizes, SKUs.
func keywords(p Product) string {
	seen, words := map[string]bool{}, []string{}
	add := func(all ...string) {
		for _, word := range all {
			if word != "" && !seen[word] {
				seen[word] = true
				words = append(words, word)
			}
		}
	}
	if p.Brand != nil {
		add(*p.Brand)
	}
	for _, category := range p.Categories {
		add(category.Path...)
	}
	add(p.Tags...)
	for _, variant := range p.Variants {
		add(variant.Options...)
	}
	return strings.Join(words, " ")
}

func putPictures(ctx context.Context, tx pgx.Tx, p Product, out *Outcome) error {
	if len(p.Pictures) == 0 {
		return nil
	}
	var sources, originals, tints, alts []string
	for _, picture := range p.Pictures {
		sources, originals = append(sources, picture.Source), append(originals, picture.Original)
		tints, alts = append(tints, picture.Tint), append(alts, picture.Alt)
	}
	rows, err := tx.Query(ctx, `
		INSERT INTO picture AS p (product_id, position, source, original, tint, alt)
		SELECT $1, n, source, original, tint, alt
		FROM unnest($2::text[], $3::text[], $4::text[], $5::text[]) WITH ORDINALITY AS given (source, original, tint,
			alt, n)
		ON CONFLICT (product_id, source) DO UPDATE
		SET original = excluded.original, tint = excluded.tint, alt = excluded.alt, key = NULL, failed = NULL
		WHERE (p.original, p.tint, p.alt) IS DISTINCT FROM (excluded.original, excluded.tint, excluded.alt)
		RETURNING id`, out.ProductID, sources, originals, tints, alts)
	if err != nil {
		return err
	}
	out.Undrawn, err = pgx.CollectRows(rows, pgx.RowTo[int64])
	out.Changed = out.Changed || len(out.Undrawn) > 0
	return err
}

func putVariants(ctx context.Context, tx pgx.Tx, p Product, out *Outcome) error {
	batch := &pgx.Batch{}
	for i, v := range p.Variants {
		batch.Queue(`
			WITH put AS (
				INSERT INTO variant AS v (product_id, position, sku, options, tax_class, unit_cost, grams, picture_id,
					tracked, back_order)
				VALUES (@product, @position, @sku, @options, @tax_class, @unit_cost, @grams, (SELECT id FROM picture
					WHERE product_id = @product AND source = @picture),
					coalesce(@tracked, true), coalesce(@back_order, false))
				ON CONFLICT (upper(sku)) DO UPDATE
				SET position = excluded.position, options = excluded.options, tax_class = excluded.tax_class,
					unit_cost = coalesce(excluded.unit_cost, v.unit_cost),
					grams = excluded.grams, picture_id = coalesce(excluded.picture_id, v.picture_id),
						tracked = coalesce(@tracked, v.tracked), back_order = coalesce(@back_order, v.back_order)
				WHERE v.product_id = @product AND (v.position, v.options, v.tax_class, v.unit_cost, v.grams,
					v.picture_id, v.tracked, v.back_order) IS DISTINCT FROM
					(excluded.position, excluded.options, excluded.tax_class, coalesce(excluded.unit_cost, v.unit_cost),
						excluded.grams, coalesce(excluded.picture_id, v.picture_id),
					coalesce(@tracked, v.tracked), coalesce(@back_order, v.back_order))
				RETURNING id, product_id, xmax = 0 AS created)
			SELECT id, product_id, created, true FROM put
			UNION ALL
			SELECT id, product_id, false, false FROM variant WHERE upper(sku) = upper(@sku) AND NOT EXISTS (SELECT
				FROM put)`,
			pgx.NamedArgs{"product": out.ProductID, "position": i + 1, "sku": v.SKU, "options": emptyNotNil(v.Options),
				"tax_class": v.TaxClass, "unit_cost": v.UnitCost, "grams": v.Grams, "picture": v.Picture,
				"tracked": v.Tracked, "back_order": v.BackOrder})
	}
	results := tx.SendBatch(ctx, batch)
	defer results.Close()
	for _, v := range p.Variants {
		var id, owner int64
		var created, changed bool
		if err := results.QueryRow().Scan(&id, &owner, &created, &changed); err != nil {
			return fmt.Errorf("variant %s: %w", v.SKU, err)
		}
		if owner != out.ProductID {
			return fmt.Errorf("SKU %s: %w", v.SKU, ErrTaken)
		}
		out.Variants[v.SKU], out.New[v.SKU] = id, created
		out.Changed = out.Changed || changed
	}
	if err := results.Close(); err != nil {
		return err
	}
	return putBarcodes(ctx, tx, p, out)
}

func putBarcodes(ctx context.Context, tx pgx.Tx, p Product, out *Outcome) error {
	for _, v := range p.Variants {
		for _, code := range []struct{ value, put string }{
			{v.GTIN, `
				WITH put AS (
					INSERT INTO barcode (gtin, variant_id)
					VALUES ($1, $2)
					ON CONFLICT DO NOTHING
					RETURNING variant_id)
				SELECT variant_id, true FROM put
				UNION ALL
				SELECT variant_id, false FROM barcode WHERE gtin = $1
				LIMIT 1`},
			{Key(v.Code), `
				WITH put AS (
					INSERT INTO own_code (code, variant_id)
					VALUES ($1, $2)
					ON CONFLICT DO NOTHING
					RETURNING variant_id)
				SELECT variant_id, true FROM put
				UNION ALL
				SELECT variant_id, false FROM own_code WHERE code = $1
				LIMIT 1`},
		} {
			if code.value == "" {
				continue
			}
			var owner int64
			var created bool
			if err := tx.QueryRow(ctx, code.put, code.value, out.Variants[v.SKU]).Scan(&owner, &created); err != nil {
				return err
			}
			if owner != out.Variants[v.SKU] {
				return fmt.Errorf("barcode %s: %w", code.value, ErrTaken)
			}
			out.Changed = out.Changed || created
		}
	}
	return nil
}

// Owner is the variant that has a SKU, a GTIN or a code of the retailer's own already, and the product it belongs to.
type Owner struct{ Slug, SKU string }

// Owners are those of what a product is about to be called: by the SKU in upper case, the GTIN, the key of the own
// code. What nobody has is absent.
func Owners(ctx context.Context, db pg.DB, skus, gtins, keys []string) (map[string]Owner, error) {
	rows, err := db.Query(ctx, `
		SELECT taken.name, p.slug, v.sku
		FROM (
			SELECT 'sku:' || upper(sku) AS name, id AS variant_id FROM variant WHERE upper(sku) = ANY ($1)
			UNION ALL
			SELECT 'gtin:' || gtin, variant_id FROM barcode WHERE gtin = ANY ($2)
			UNION ALL
			SELECT 'own:' || code, variant_id FROM own_code WHERE code = ANY ($3)) taken
		JOIN variant v ON v.id = taken.variant_id
		JOIN product p ON p.id = v.product_id`, skus, gtins, keys)
	if err != nil {
		return nil, fmt.Errorf("ask who has a code: %w", err)
	}
	owners := map[string]Owner{}
	var name string
	var owner Owner
	_, err = pgx.ForEachRow(rows, []any{&name, &owner.Slug, &owner.SKU}, func() error {
		owners[name] = owner
		return nil
	})
	return owners, err
}

func emptyNotNil(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

// Grounds is how many tints a product's picture can stand on; the stylesheet has as many.
const Grounds = 8

// Ground is the tint of a product, the same for all its variants and at every run.
func Ground(slug string) int {
	h := fnv.New32a()
	h.Write([]byte(slug))
	return int(h.Sum32() % Grounds)
}

// Slug makes the part of an address from a name: letters and digits of any script, dashes between.
func Slug(name string) string {
	var b strings.Builder
	dash := false
	for _, r := range strings.ToLower(name) {
		letter := r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r > 0x7f &&
			!strings.ContainsRune("–—’‘“”…™®\u00a0", r) && r != '\ufffd'
		if letter && b.Len() < 120 {
			if dash && b.Len() > 0 {
				b.WriteByte('-')
			}
			b.WriteRune(r)
			dash = false
		} else {
			dash = true
		}
	}
	return b.String()
}

// CountPopular refreshes what “popular” means: units ordered in the last 90 days, in any channel. Each thousand products
// are a transaction of their own: lists are written anew for them.
func CountPopular(ctx context.Context, db pg.DB) error {
	rows, err := db.Query(ctx, `
		SELECT p.id, coalesce(sold.units, 0)::bigint
		FROM product p
		LEFT JOIN (
			SELECT v.product_id, sum(l.quantity) AS units
			FROM orders o
			JOIN order_line l ON l.order_id = o.id
			JOIN variant v ON v.id = l.variant_id
			WHERE o.placed_at > now() - interval '90 days' AND o.state <> 'cancelled'
			GROUP BY v.product_id) sold ON sold.product_id = p.id
		WHERE p.popularity <> coalesce(sold.units, 0)
		ORDER BY p.id`)
	if err != nil {
		return fmt.Errorf("count what is popular: %w", err)
	}
	changed, err := pgx.CollectRows(rows, pgx.RowToStructByPos[struct{ ProductID, Units int64 }])
	if err != nil {
		return fmt.Errorf("count what is popular: %w", err)
	}
	for some := range slices.Chunk(changed, 1000) {
		var ids, units []int64
		for _, one := range some {
			ids, units = append(ids, one.ProductID), append(units, one.Units)
		}
		if _, err := db.Exec(ctx, `
			UPDATE product p
			SET popularity = new.units
			FROM unnest($1::bigint[], $2::bigint[]) AS new (id, units)
			WHERE p.id = new.id`, ids, units); err != nil {
			return fmt.Errorf("write down what is popular: %w", err)
		}
	}
	return nil
}
