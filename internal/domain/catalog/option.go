package catalog

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/text"
)

// Option is what a shopper chooses of a product: a name, and the values in the order in which they are shown.
type Option struct {
	Name   string
	Values []string
}

// MaxOptions of a product, and MaxCombinations of their values.
const (
	MaxOptions      = 3
	MaxCombinations = 100
)

// ReadOptions reads up to three options from a form's fields option1, values1 and so on; values are parted by commas or
// lines.
func ReadOptions(f map[string]string, form *fault.Form) (options []Option) {
	combinations := 1
	for i := range MaxOptions {
		field := fmt.Sprintf("values%d", i+1)
		o := Option{Name: text.Clean(f[fmt.Sprintf("option%d", i+1)], 41)}
		for value := range strings.FieldsFuncSeq(f[field], func(r rune) bool { return r == ',' || r == '\n' }) {
			if value = text.Clean(value, 81); value == "" {
				continue
			}
			if slices.ContainsFunc(o.Values, func(v string) bool { return strings.EqualFold(v, value) }) {
				form.Add(field, "“{value}” is there twice.", text.Args{"value": value})
			}
			o.Values = append(o.Values, value)
		}
		switch {
		case o.Name == "" && len(o.Values) == 0:
			continue
		case o.Name == "" || len([]rune(o.Name)) > 40:
			form.Add(fmt.Sprintf("option%d", i+1), "Enter what the customer chooses, such as Size, up to 40 characters.")
		case len(o.Values) == 0:
			form.Add(field, "Enter the values to choose from, such as Small, Medium, Large.")
		case slices.ContainsFunc(o.Values, func(v string) bool { return len([]rune(v)) > 80 }):
			form.Add(field, "Use up to 80 characters for each value.")
		case slices.ContainsFunc(options, func(other Option) bool { return strings.EqualFold(other.Name, o.Name) }):
			form.Add(fmt.Sprintf("option%d", i+1), "“{value}” is there twice.", text.Args{"value": o.Name})
		}
		combinations *= len(o.Values)
		if combinations > MaxCombinations {
			form.Add(field, "That makes more than {most} variants. Split the product, or use fewer values.",
				text.Args{"most": MaxCombinations})
			combinations = 1
		}
		options = append(options, o)
	}
	return options
}

// OptionsOf are a product's options with the values of the variants that are on sale, in their order.
func OptionsOf(ctx context.Context, db pg.DB, productID int64) ([]Option, error) {
	_, names, variants, err := variantsOf(ctx, db, productID)
	if err != nil {
		return nil, err
	}
	return optionsOf(names, variants), nil
}

// Options of a grid's product, by the names of its options.
func (g Grid) Options(names []string) []Option {
	var variants []optioned
	for _, r := range g.Rows {
		variants = append(variants, optioned{r.ID, r.Options, r.Active})
	}
	return optionsOf(names, variants)
}

func optionsOf(names []string, variants []optioned) []Option {
	options := make([]Option, len(names))
	for i, name := range names {
		options[i].Name = name
		for _, v := range variants {
			if v.Active && i < len(v.Options) && !slices.Contains(options[i].Values, v.Options[i]) {
				options[i].Values = append(options[i].Values, v.Options[i])
			}
		}
	}
	return options
}

// optioned is a variant with the values it has.
type optioned struct {
	ID      int64
	Options []string
	Active  bool
}

func variantsOf(ctx context.Context, db pg.DB, productID int64) (slug string, names []string, variants []optioned,
	err error) {
	batch := &pgx.Batch{}
	batch.Queue(`SELECT slug, options FROM product WHERE id = $1`, productID).
		QueryRow(func(row pgx.Row) error { return row.Scan(&slug, &names) })
	batch.Queue(`SELECT id, options, active FROM variant WHERE product_id = $1 ORDER BY position, id`, productID).
		Query(func(rows pgx.Rows) (err error) {
			variants, err = pgx.CollectRows(rows, pgx.RowToStructByName[optioned])
			return err
		})
	if err := db.SendBatch(ctx, batch).Close(); err != nil {
		return "", nil, nil, fmt.Errorf("read a product's variants: %w", err)
	}
	return slug, names, variants, nil
}

// SetOptions makes a product's variants those of every combination of its options. A variant that has a combination
// stays, with its SKU, prices and stock; one whose combination is gone goes off sale and keeps its history; a new one
// is like the first. A value that took another's place, where nothing else changed, is that value under a new name. It
// answers the new variants.
func SetOptions(ctx context.Context, tx pgx.Tx, productID int64, options []Option) (created []int64, err error) {
	slug, names, variants, err := variantsOf(ctx, tx, productID)
	if err != nil {
		return nil, err
	}
	before, err := OptionsOf(ctx, tx, productID)
	if err != nil {
		return nil, err
	}
	reshape(variants, names, before, options)
	batch := &pgx.Batch{}
	batch.Queue(`UPDATE product SET options = $2 WHERE id = $1`, productID, optionNames(options))
	batch.Queue(`UPDATE variant SET active = false WHERE product_id = $1`, productID)
	taken := map[int64]bool{}
	for n, values := range combinations(options) {
		i := slices.IndexFunc(variants, func(v optioned) bool {
			return !taken[v.ID] && slices.Equal(v.Options, values)
		})
		if i >= 0 {
			taken[variants[i].ID] = true
			batch.Queue(`UPDATE variant SET active = true, position = $2, options = $3 WHERE id = $1`, variants[i].ID,
				n+1, values)
			continue
		}
		queueVariant(batch, productID, n+1, SKUFor(slug, values), values, &created)
	}
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return nil, fmt.Errorf("make a product's variants: %w", err)
	}
	return created, Index(ctx, tx, productID)
}

// queueVariant adds a variant that is like the product's first, prices included, with the SKU or the next free one
// like it.
func queueVariant(batch *pgx.Batch, productID int64, position int, sku string, values []string, created *[]int64) {
	batch.Queue(`
		WITH first AS (
			SELECT *
			FROM variant
			WHERE product_id = $1
			ORDER BY position, id
			LIMIT 1),
		made AS (
			INSERT INTO variant (product_id, position, sku, options, tax_class, unit_cost, grams, tracked, back_order,
				gift_card, content, content_unit)
			SELECT $1, $2, (
				SELECT free.sku
				FROM (SELECT $3 || CASE n WHEN 1 THEN '' ELSE '-' || n END AS sku, n FROM generate_series(1, 500) n) free
				WHERE NOT EXISTS (SELECT FROM variant WHERE upper(sku) = upper(free.sku))
				ORDER BY n
				LIMIT 1), $4, coalesce(first.tax_class, 'standard'), first.unit_cost, coalesce(first.grams, 0),
				coalesce(first.tracked, true), coalesce(first.back_order, false), coalesce(first.gift_card, false),
				coalesce(first.content, 0), coalesce(first.content_unit, '')
			FROM (SELECT) one
			LEFT JOIN first ON true
			RETURNING id)
		INSERT INTO price (variant_id, price_list_id, amount, compare_at, valid)
		SELECT made.id, p.price_list_id, p.amount, p.compare_at, tstzrange(clock_timestamp(), NULL)
		FROM made
		CROSS JOIN first
		JOIN price p ON p.variant_id = first.id AND NOT p.sale AND upper_inf(p.valid)`, productID, position, sku, values)
	batch.Queue(`SELECT id FROM variant WHERE product_id = $1 AND position = $2 AND active ORDER BY id DESC LIMIT 1`,
		productID, position).QueryRow(func(row pgx.Row) error {
		var id int64
		err := row.Scan(&id)
		*created = append(*created, id)
		return err
	})
}

// reshape gives variants the shape of new options: values under a new name, options that came or went.
func reshape(variants []optioned, names []string, before, options []Option) {
	for i := range variants {
		old := variants[i].Options
		variants[i].Options = make([]string, len(options))
		for k, o := range options {
			at := slices.Index(names, o.Name)
			if at < 0 && len(names) == len(options) {
				at = k // The option has a new name.
			}
			switch {
			case at >= 0 && at < len(old):
				variants[i].Options[k] = renamed(before[at].Values, o.Values, old[at])
			case len(o.Values) > 0:
				variants[i].Options[k] = o.Values[0] // It is new, and what there is has its first value.
			}
		}
	}
}

// renamed is what a value is called now: where a list stayed as long as it was and something unknown stands in its
// place, that.
func renamed(before, after []string, value string) string {
	i := slices.Index(before, value)
	if i < 0 || len(before) != len(after) || slices.Contains(after, value) || slices.Contains(before, after[i]) {
		return value
	}
	return after[i]
}

func optionNames(options []Option) []string {
	names := []string{}
	for _, o := range options {
		names = append(names, o.Name)
	}
	return names
}

// combinations of the options' values, the first option's slowest. Without options there is one, of nothing.
func combinations(options []Option) [][]string {
	all := [][]string{{}}
	for _, o := range options {
		var next [][]string
		for _, head := range all {
			for _, value := range o.Values {
				next = append(next, append(slices.Clone(head), value))
			}
		}
		all = next
	}
	return all
}

// SKUFor suggests a SKU: “MORNING-MUG-MOSS” of a product's address and a variant's values.
func SKUFor(slug string, values []string) string {
	short := func(s string, most int) string {
		s = strings.ToUpper(Slug(s))
		s = strings.Map(func(r rune) rune {
			if r > unicode.MaxASCII {
				return -1
			}
			return r
		}, s)
		if len(s) > most {
			s = strings.TrimRight(s[:most], "-")
		}
		return strings.Trim(s, "-")
	}
	parts := []string{}
	for i, s := range append([]string{slug}, values...) {
		if s = short(s, map[bool]int{true: 24, false: 10}[i == 0]); s != "" {
			parts = append(parts, s)
		}
	}
	if len(parts) == 0 {
		return "ITEM"
	}
	return strings.Join(parts, "-")
}
