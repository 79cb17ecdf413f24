package catalog

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/money"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/text"
)

// Grid is a product's variants with everything that is set for each of them, as a table is edited.
type Grid struct {
	Lists    []PriceList
	Currency string           // of unit costs: the shop's first
	PPM      map[string]int64 // the rates of tax classes where the shop's first location is
	Rows     []GridRow
}

// PriceList is prices in a currency, with tax or without.
type PriceList struct {
	ID          int64
	Currency    string
	TaxIncluded bool
}

// GridRow is one variant. Prices are the regular ones, by price list.
type GridRow struct {
	ID          int64
	Options     []string
	Active      bool
	SKU         string
	Code        string // a GTIN as it is printed, or one of the retailer's own codes
	TaxClass    string
	UnitCost    *int64
	Grams       int
	Content     string // decimal, without zeros at its end; empty: none
	ContentUnit string
	Picture     int64 // 0: the product's first
	OnHand      int
	Prices      map[int64]GridPrice
}

// GridPrice is a price in minor units with the recommended one, the lowest of the last 30 days, and the sale that runs
// or is planned.
type GridPrice struct {
	Amount    int64     `json:"amount"`
	CompareAt *int64    `json:"compare_at"`
	Lowest    int64     `json:"lowest"`
	Sale      *GridSale `json:"sale"`
}

// GridSale is a sale that runs or is planned.
type GridSale struct {
	Amount int64     `json:"amount"`
	From   time.Time `json:"from"`
	Until  time.Time `json:"until"`
}

// ContentUnits in which a price per unit can be told.
var ContentUnits = []string{"kg", "l", "m", "m2", "item"}

// PriceLists there are.
func PriceLists(into *[]PriceList) pg.Question {
	return pg.All(into, `SELECT id, currency::text, tax_included FROM price_list ORDER BY id`)
}

// ReadGrid reads a product's grid.
func ReadGrid(ctx context.Context, db pg.DB, productID int64) (g Grid, err error) {
	err = pg.Ask(ctx, db, GridOf(productID, &g))
	return g, err
}

// GridOf is a product's grid.
func GridOf(productID int64, g *Grid) pg.Question {
	return func(batch *pgx.Batch) { queueGrid(batch, productID, g) }
}

func queueGrid(batch *pgx.Batch, productID int64, g *Grid) {
	PriceLists(&g.Lists)(batch)
	batch.Queue(`SELECT coalesce((SELECT currency::text FROM location ORDER BY id LIMIT 1), 'GBP')`).
		QueryRow(func(row pgx.Row) error { return row.Scan(&g.Currency) })
	batch.Queue(`
		SELECT coalesce(json_object_agg(r.tax_class, r.ppm), '{}')
		FROM (SELECT country, region FROM location ORDER BY id LIMIT 1) l
		JOIN tax_rate r ON r.country = l.country AND r.region = l.region`).
		QueryRow(func(row pgx.Row) error { return row.Scan(&g.PPM) })
	batch.Queue(`
		SELECT v.id, v.options, v.active, v.sku, coalesce(
				(SELECT min(gtin) FROM barcode WHERE variant_id = v.id),
				(SELECT min(code) FROM own_code WHERE variant_id = v.id), '') AS code,
			v.tax_class, v.unit_cost, v.grams,
			CASE WHEN v.content > 0 THEN trim_scale(v.content)::text ELSE '' END AS content, v.content_unit,
			coalesce(v.picture_id, 0) AS picture,
			coalesce((SELECT sum(on_hand) FROM stock_level WHERE variant_id = v.id AND condition = 'sellable'),
				0)::int AS on_hand,
			coalesce((
				SELECT json_object_agg(p.price_list_id, json_build_object('amount', p.amount, 'compare_at',
					p.compare_at, 'lowest', (
						SELECT min(b.amount)
						FROM price b
						WHERE b.variant_id = v.id AND b.price_list_id = p.price_list_id
							AND b.valid && tstzrange(now() - interval '30 days', now(), '[]')),
					'sale', (
						SELECT json_build_object('amount', s.amount, 'from', lower(s.valid), 'until', upper(s.valid))
						FROM price s
						WHERE s.variant_id = v.id AND s.price_list_id = p.price_list_id AND s.sale
							AND upper(s.valid) > statement_timestamp()
						ORDER BY lower(s.valid)
						LIMIT 1)))
				FROM price p
				WHERE p.variant_id = v.id AND upper_inf(p.valid)), '{}') AS prices
		FROM variant v
		WHERE v.product_id = $1
		ORDER BY v.active DESC, v.position, v.id`, productID).Query(func(rows pgx.Rows) (err error) {
		g.Rows, err = pgx.CollectRows(rows, pgx.RowToStructByName[GridRow])
		for i := range g.Rows {
			g.Rows[i].Code = Printed(g.Rows[i].Code)
		}
		return err
	})
}

// Cell is the name of a variant's field in the form of a grid.
func Cell(name string, variantID int64) string { return name + "." + strconv.FormatInt(variantID, 10) }

// PriceCell is the name of a price's field.
func PriceCell(name string, variantID, listID int64) string {
	return Cell(name, variantID) + "." + strconv.FormatInt(listID, 10)
}

// Fields are the grid as a form has it.
func (g Grid) Fields() map[string]string {
	f := map[string]string{}
	for _, r := range g.Rows {
		f[Cell("on", r.ID)], f[Cell("sku", r.ID)], f[Cell("code", r.ID)] = flag(r.Active), r.SKU, r.Code
		f[Cell("class", r.ID)], f[Cell("grams", r.ID)] = r.TaxClass, strconv.Itoa(r.Grams)
		f[Cell("content", r.ID)], f[Cell("unit", r.ID)] = r.Content, r.ContentUnit
		f[Cell("cost", r.ID)], f[Cell("picture", r.ID)] = "", ""
		if r.UnitCost != nil {
			f[Cell("cost", r.ID)] = money.New(*r.UnitCost, g.Currency).Plain()
		}
		if r.Picture != 0 {
			f[Cell("picture", r.ID)] = strconv.FormatInt(r.Picture, 10)
		}
		for _, list := range g.Lists {
			price, rrp := PriceCell("price", r.ID, list.ID), PriceCell("rrp", r.ID, list.ID)
			f[price], f[rrp] = "", ""
			if p, ok := r.Prices[list.ID]; ok {
				f[price] = money.New(p.Amount, list.Currency).Plain()
				if p.CompareAt != nil {
					f[rrp] = money.New(*p.CompareAt, list.Currency).Plain()
				}
			}
		}
	}
	return f
}

// SaveGrid writes the rows of a grid whose fields changed, and says of each what is wrong with it. Nothing is written
// then.
func SaveGrid(ctx context.Context, tx pgx.Tx, productID int64, before Grid, f map[string]string,
	associateID int64) error {
	classes, pictures, err := known(ctx, tx, productID)
	if err != nil {
		return err
	}
	was := before.Fields()
	var form fault.Form
	for _, r := range before.Rows {
		changed := func(name string) bool { return f[Cell(name, r.ID)] != was[Cell(name, r.ID)] }
		in := gridForm{f: f, id: r.ID, currency: before.Currency, form: &form}
		next := in.read(classes, pictures)
		// What is wrong anywhere is wanted at once; nothing is kept then.
		if changed("code") {
			if err := setCode(ctx, tx, r, f[Cell("code", r.ID)], &form); err != nil {
				return err
			}
		}
		if slices.ContainsFunc([]string{"on", "sku", "class", "grams", "content", "unit", "cost", "picture"}, changed) && !in.wrongs {
			if err := next.save(ctx, tx, &form); err != nil {
				return err
			}
		}
		if err := savePrices(ctx, tx, before.Lists, r, f, associateID, &form); err != nil {
			return err
		}
	}
	if err := form.Err(); err != nil {
		return err
	}
	return Index(ctx, tx, productID)
}

func known(ctx context.Context, tx pgx.Tx, productID int64) (classes []string, pictures []int64, err error) {
	err = tx.QueryRow(ctx, `
		SELECT ARRAY(SELECT code FROM tax_class), ARRAY(SELECT id FROM picture WHERE product_id = $1)`,
		productID).Scan(&classes, &pictures)
	if err != nil {
		return nil, nil, fmt.Errorf("read tax classes and pictures: %w", err)
	}
	return classes, pictures, nil
}

// gridForm is a row of the grid as it was typed.
type gridForm struct {
	f        map[string]string
	id       int64
	currency string
	form     *fault.Form
	wrongs   bool // something of the row cannot be used
}

func (g gridForm) get(name string) string { return text.Clean(g.f[Cell(name, g.id)], 200) }

func (g *gridForm) wrong(name, sentence string, args ...text.Args) {
	g.wrongs = true
	g.form.Add(Cell(name, g.id), sentence, args...)
}

func (g *gridForm) read(classes []string, pictures []int64) GridRow {
	r := GridRow{ID: g.id, Active: g.get("on") == "1", SKU: g.get("sku"), TaxClass: g.get("class"),
		ContentUnit: g.get("unit"), Content: strings.Replace(g.get("content"), ",", ".", 1)}
	if r.SKU == "" || utf8.RuneCountInString(r.SKU) > 60 {
		g.wrong("sku", "Enter a SKU, up to 60 characters.")
	}
	if !slices.Contains(classes, r.TaxClass) {
		g.wrong("class", "Choose from the list.")
	}
	if grams := g.get("grams"); grams != "" {
		var err error
		if r.Grams, err = strconv.Atoi(grams); err != nil || r.Grams < 0 || r.Grams > 10_000_000 {
			g.wrong("grams", "Enter the weight in whole grams, such as 350.")
		}
	}
	if cost := g.get("cost"); cost != "" {
		amount, err := money.Parse(cost, g.currency)
		if err != nil || amount.Minor < 0 || amount.Minor > money.MaxUnit {
			g.wrong("cost", "Enter an amount such as 12.50, or leave it empty.")
		}
		r.UnitCost = &amount.Minor
	}
	if r.Content != "" {
		n, err := strconv.ParseFloat(r.Content, 64)
		if err != nil || !(n > 0.0001) || n > 99_999 || !slices.Contains(ContentUnits, r.ContentUnit) {
			g.wrong("content", "Enter how much is in one, such as 0.35, and choose its unit. Leave both empty for none.")
		}
	} else if r.ContentUnit != "" {
		g.wrong("content", "Enter how much is in one, such as 0.35, and choose its unit. Leave both empty for none.")
	}
	if picture := g.get("picture"); picture != "" {
		n, err := strconv.ParseInt(picture, 10, 64)
		if err != nil || !slices.Contains(pictures, n) {
			g.wrong("picture", "Choose from the list.")
		}
		r.Picture = n
	}
	return r
}

// save writes a row. A SKU that another variant has is said beside it.
func (r GridRow) save(ctx context.Context, tx pgx.Tx, form *fault.Form) error {
	var taken bool
	err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM variant WHERE upper(sku) = upper($1) AND id <> $2)`, r.SKU,
		r.ID).Scan(&taken)
	if err != nil {
		return fmt.Errorf("ask who has a SKU: %w", err)
	}
	if taken {
		form.Add(Cell("sku", r.ID), "Another variant has this SKU already.")
		return nil
	}
	_, err = tx.Exec(ctx, `
		UPDATE variant
		SET sku = @sku, active = @active, tax_class = @class, unit_cost = @cost, grams = @grams,
			picture_id = nullif(@picture, 0), content = coalesce(nullif(@content, '')::numeric, 0),
			content_unit = CASE WHEN @content = '' THEN '' ELSE @unit END
		WHERE id = @id`, pgx.NamedArgs{"id": r.ID, "sku": r.SKU, "active": r.Active, "class": r.TaxClass,
		"cost": r.UnitCost, "grams": r.Grams, "picture": r.Picture, "content": r.Content, "unit": r.ContentUnit})
	var violated *pgconn.PgError
	if errors.As(err, &violated) && violated.ConstraintName == "variant_sku" {
		return fault.Field(Cell("sku", r.ID), "Another variant has this SKU already.")
	}
	if err != nil {
		return fmt.Errorf("save a variant: %w", err)
	}
	return nil
}

// setCode gives a variant a code in the place of the one that is shown; an empty one takes it away.
func setCode(ctx context.Context, tx pgx.Tx, r GridRow, typed string, form *fault.Form) error {
	typed = text.Clean(typed, 81)
	gtin, isGTIN := GTIN(typed)
	key := Key(typed)
	field := Cell("code", r.ID)
	if typed != "" && !isGTIN && (key == "" || len(key) > 80) {
		form.Add(field, "Enter a barcode, up to 80 characters, or leave it empty.")
		return nil
	}
	if n := len(key); typed != "" && !isGTIN && strings.Trim(key, "0123456789") == "" && (n == 8 || n == 12 || n == 13 || n == 14) {
		form.Add(field, "That barcode has a wrong digit. Scan or type it again.")
		return nil
	}
	old, _ := GTIN(r.Code)
	batch := &pgx.Batch{}
	batch.Queue(`DELETE FROM barcode WHERE variant_id = $1 AND gtin = $2`, r.ID, old)
	batch.Queue(`DELETE FROM own_code WHERE variant_id = $1 AND code = $2`, r.ID, Key(r.Code))
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("take a code away: %w", err)
	}
	if typed == "" {
		return nil
	}
	put, value := `INSERT INTO own_code (code, variant_id) VALUES ($1, $2) ON CONFLICT DO NOTHING`, key
	if isGTIN {
		put, value = `INSERT INTO barcode (gtin, variant_id) VALUES ($1, $2) ON CONFLICT DO NOTHING`, gtin
	}
	tag, err := tx.Exec(ctx, put, value, r.ID)
	if err != nil {
		return fmt.Errorf("give a variant a code: %w", err)
	}
	if tag.RowsAffected() == 0 {
		form.Add(field, "Another variant has this barcode already.")
	}
	return nil
}

// savePrices writes the prices of a row that changed, from now on.
func savePrices(ctx context.Context, tx pgx.Tx, lists []PriceList, r GridRow, f map[string]string, associateID int64,
	form *fault.Form) error {
	for _, list := range lists {
		field, rrp := PriceCell("price", r.ID, list.ID), PriceCell("rrp", r.ID, list.ID)
		was := r.Prices[list.ID]
		price, ok := readPrice(list, f[field], f[rrp], field, rrp, form)
		if was.Amount != 0 && strings.TrimSpace(f[field]) == "" {
			form.Add(field, "A price can’t be taken away. Take the variant off sale instead.")
		}
		if !ok || price.Amount == was.Amount && same(price.CompareAt, was.CompareAt) {
			continue
		}
		if _, err := setPrice(ctx, tx, r.ID, price, associateID); err != nil {
			return fmt.Errorf("price of %s: %w", r.SKU, err)
		}
	}
	return nil
}

func same(a, b *int64) bool { return a == nil && b == nil || a != nil && b != nil && *a == *b }

// readPrice reads a price with the recommended one; false where there is none, or it is wrong.
func readPrice(list PriceList, typed, typedRRP, field, rrp string, form *fault.Form) (p Price, ok bool) {
	p = Price{Currency: list.Currency, TaxIncluded: list.TaxIncluded}
	if strings.TrimSpace(typed) == "" {
		if strings.TrimSpace(typedRRP) != "" {
			form.Add(field, "Enter a price, too.")
		}
		return p, false
	}
	amount, err := money.Parse(text.Clean(typed, 40), list.Currency)
	if err != nil || amount.Minor < 1 || amount.Minor > money.MaxUnit {
		form.Add(field, "Enter a price above zero and up to {most}, such as 12.50.",
			text.Args{"most": money.New(money.MaxUnit, list.Currency)})
		return p, false
	}
	p.Amount = amount.Minor
	if strings.TrimSpace(typedRRP) != "" {
		recommended, err := money.Parse(text.Clean(typedRRP, 40), list.Currency)
		if err != nil || recommended.Minor <= amount.Minor || recommended.Minor > money.MaxUnit {
			form.Add(rrp, "Enter a recommended price above the price, or leave it empty.")
			return p, false
		}
		p.CompareAt = &recommended.Minor
	}
	return p, true
}
