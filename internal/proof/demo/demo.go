// Package demo is Aldous & Fern, a department store that we invented: its shops, what they sell, and a year of its
// customers.
package demo

import (
	"context"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"strings"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/catalog"
	"counterpart/internal/domain/gallery"
	"counterpart/internal/domain/inventory"
	"counterpart/internal/domain/location"
	"counterpart/internal/domain/staff"
	"counterpart/internal/domain/tax"
	"counterpart/internal/platform/files"
	"counterpart/internal/platform/jobs"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/secret"
)

// Name of the demo's chain.
const Name = "Aldous & Fern"

// Account is a demo sign-in. Its password is made at random when the demo is loaded. PIN is an associate's.
type Account struct {
	Name, Email, Role, Password, PIN string
	Stores                           []string
}

// Load fills an empty database. It is one transaction: an interrupted load leaves nothing. Progress is told as a share
// of one.
func Load(ctx context.Context, db pg.DB, store *files.Store, objects fs.FS, progress func(float64)) (accounts []Account,
	err error) {
	err = pg.InTx(ctx, db, func(tx pgx.Tx) error {
		// The usual limits are for pages; this is one long unit of work.
		if _, err := tx.Exec(ctx, `SET LOCAL statement_timeout = '60s'`); err != nil {
			return err
		}
		if fresh, err := location.CreateShop(ctx, tx, location.Shop{Name: Name, Languages: []string{"en", "lv"},
			Demo: true}); err != nil || !fresh {
			return err
		}
		l := &loader{tx: tx, store: store, objects: objects, originals: map[string]string{}, progress: progress}
		for _, step := range []func(context.Context) error{l.places, l.people, l.pages, l.assortment, l.trade, l.history} {
			if err := step(ctx); err != nil {
				return err
			}
		}
		accounts = l.accounts
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("load the demo: %w", err)
	}
	progress(1)
	return accounts, nil
}

type loader struct {
	tx        pgx.Tx
	store     *files.Store
	objects   fs.FS
	originals map[string]string // rendering → key in the store
	progress  func(float64)

	locations []location.Location
	rates     []tax.Rate
	accounts  []Account
	card      string           // code of a gift card to try with
	staff     map[string]int64 // by store code: somebody who works there
	variants  []variant
}

// A variant of the assortment, with its price in pence.
type variant struct {
	id                  int64
	sku, title, options string
	pence               int64
}

func (l *loader) places(ctx context.Context) error {
	l.rates = []tax.Rate{
		{Country: "GB", Class: "standard", Name: "VAT 20%", PPM: 200_000},
		{Country: "LV", Class: "standard", Name: "PVN 21%", PPM: 210_000},
		{Country: "US", Region: "NY", Class: "standard", Name: "Sales tax 8.875%", PPM: 88_750},
		// Where it delivers: the countries' standard rates as of November 2026, and some states nearby.
		{Country: "IE", Class: "standard", Name: "VAT 23%", PPM: 230_000},
		{Country: "DE", Class: "standard", Name: "MwSt. 19%", PPM: 190_000},
		{Country: "FR", Class: "standard", Name: "TVA 20%", PPM: 200_000},
		{Country: "NL", Class: "standard", Name: "Btw 21%", PPM: 210_000},
		{Country: "LT", Class: "standard", Name: "PVM 21%", PPM: 210_000},
		{Country: "EE", Class: "standard", Name: "Käibemaks 24%", PPM: 240_000},
		{Country: "PL", Class: "standard", Name: "VAT 23%", PPM: 230_000},
		{Country: "FI", Class: "standard", Name: "ALV 25.5%", PPM: 255_000},
		{Country: "US", Region: "NJ", Class: "standard", Name: "Sales tax 6.625%", PPM: 66_250},
		{Country: "US", Region: "CT", Class: "standard", Name: "Sales tax 6.35%", PPM: 63_500},
		{Country: "US", Region: "MA", Class: "standard", Name: "Sales tax 6.25%", PPM: 62_500},
		{Country: "US", Region: "PA", Class: "standard", Name: "Sales tax 6%", PPM: 60_000},
	}
	for _, rate := range l.rates {
		l.rates = append(l.rates, tax.Rate{Country: rate.Country, Region: rate.Region, Class: "zero",
			Name: "Zero rate"})
	}
	for _, rate := range l.rates {
		if err := tax.Set(ctx, l.tx, rate); err != nil {
			return err
		}
	}
	l.locations = stores()
	for i := range l.locations {
		if err := location.Create(ctx, l.tx, &l.locations[i]); err != nil {
			return err
		}
		if err := catalog.OpenPriceList(ctx, l.tx, l.locations[i].Currency, l.locations[i].TaxIncluded); err != nil {
			return err
		}
	}
	// One business in each country; the names are made up, and so are the numbers.
	if err := location.SetSeller(ctx, l.tx, 0, location.Seller{LegalName: "Aldous & Fern Limited",
		Address: "3 Cloth Hall Yard\nLeeds LS1 2EF\nUnited Kingdom", CompanyNumber: "09999901",
		VATNumber: "GB999999901"}); err != nil {
		return err
	}
	for _, place := range l.locations {
		abroad, ok := sellersAbroad[place.Country]
		if !ok {
			continue
		}
		if err := location.SetSeller(ctx, l.tx, place.ID, abroad); err != nil {
			return err
		}
	}
	return nil
}

var sellersAbroad = map[string]location.Seller{
	"LV": {LegalName: "Aldous & Fern SIA", Address: "Meistaru iela 12\nRīga LV-1050\nLatvia",
		CompanyNumber: "49999999901", VATNumber: "LV49999999901"},
	"US": {LegalName: "Aldous & Fern Inc.", Address: "88 Wharf Street\nNew York, NY 10013\nUnited States"},
}

func (l *loader) people(ctx context.Context) error {
	l.staff = map[string]int64{}
	l.accounts = []Account{
		{Name: "Imogen Aldous", Email: "imogen@aldousfern.example", Role: staff.RoleAdmin},
		{Name: "Tomasz Wren", Email: "tomasz@aldousfern.example", Role: staff.RoleManager,
			Stores: []string{"LDS", "YRK"}},
		{Name: "Priya Nair", Email: "priya@aldousfern.example", Role: staff.RoleAssociate, Stores: []string{"LDS"}},
		{Name: "Owen Pryce", Email: "owen@aldousfern.example", Role: staff.RoleAssociate,
			Stores: []string{"LDN", "BRS", "CDF"}},
		{Name: "Līga Kalniņa", Email: "liga@aldousfern.example", Role: staff.RoleAssociate, Stores: []string{"RIX"}},
		{Name: "Marcus Bell", Email: "marcus@aldousfern.example", Role: staff.RoleStock,
			Stores: []string{"WH1", "LDN"}},
		{Name: "Noor Haddad", Email: "noor@aldousfern.example", Role: staff.RoleMarketing},
	}
	for i := range l.accounts {
		account := &l.accounts[i]
		account.Password = strings.ToLower(secret.NewToken()[:16])
		a := staff.Associate{Name: account.Name, Email: account.Email, Role: account.Role}
		for _, code := range account.Stores {
			a.Locations = append(a.Locations, l.location(code).ID)
		}
		if err := staff.Create(ctx, l.tx, &a, account.Password); err != nil {
			return err
		}
		for _, place := range l.locations {
			if a.WorksAt(place.ID) {
				l.staff[place.Code] = a.ID
			}
		}
	}
	return l.pins(ctx)
}

func (l *loader) location(code string) *location.Location {
	for i := range l.locations {
		if l.locations[i].Code == code {
			return &l.locations[i]
		}
	}
	panic("demo: no location " + code)
}

func (l *loader) assortment(ctx context.Context) error {
	var undrawn []int64
	for n, i := range items {
		product, err := l.product(n, i)
		if err != nil {
			return err
		}
		put, err := catalog.Put(ctx, l.tx, product)
		if err != nil {
			return err
		}
		undrawn = append(undrawn, put.Undrawn...)
		for _, v := range product.Variants {
			l.variants = append(l.variants, variant{put.Variants[v.SKU], v.SKU, product.Title,
				strings.Join(v.Options, ", "), v.Prices[0].Amount})
		}
		l.progress(0.5 * float64(n+1) / float64(len(items)))
	}
	for _, id := range undrawn {
		if err := jobs.Insert(ctx, l.tx, gallery.Job{PictureID: id}); err != nil {
			return err
		}
	}
	for name, translated := range latvian {
		if err := catalog.TranslateCategory(ctx, l.tx, name, "lv", translated); err != nil {
			return err
		}
	}
	return l.reduce(ctx)
}

func (l *loader) product(n int, i item) (catalog.Product, error) {
	original, err := l.original(i.Object)
	if err != nil {
		return catalog.Product{}, err
	}
	names, values := i.axes()
	p := catalog.Product{
		Slug: i.Slug, Title: i.Title, Language: "en", Brand: &i.Brand, Description: &i.Text, Status: new("active"),
		Categories: []catalog.Category{{Path: []string{i.Department,
			i.Section}}}, Options: names, Tags: []string{}, AgeDays: int(pick(400, "age", i.Slug)),
	}
	if names == nil {
		p.Options = []string{}
	}
	pictured := map[string]bool{}
	for k, combination := range combinations(values) {
		tint, source := "", i.Object
		for _, value := range combination {
			if tints[value] != "" {
				tint, source = tints[value], i.Object+"-"+strings.ToLower(value)
			}
		}
		if !pictured[source] {
			pictured[source] = true
			alt := i.Title
			if tint != "" {
				alt += ", " + strings.ToLower(combination[0])
			}
			p.Pictures = append(p.Pictures, catalog.Picture{Source: source, Original: original, Tint: tint, Alt: alt})
		}
		p.Variants = append(p.Variants, catalog.Variant{
			SKU: fmt.Sprintf("AF%03d-%02d", n+101,
				k+1), Options: combination, TaxClass: "standard", Picture: source, Grams: int(min(120+i.Pence/8,
				18_000)),
			GTIN: catalog.WithCheckDigit(fmt.Sprintf("02%06d%05d", n+1, k+1)), UnitCost: new(i.Pence * 45 / 100),
			Prices: []catalog.Price{
				{Currency: "GBP", TaxIncluded: true, Amount: i.Pence},
				{Currency: "EUR", TaxIncluded: true, Amount: round50(i.Pence * 119 / 100)},
				{Currency: "USD", Amount: round50(i.Pence * 112 / 100)},
			},
		})
	}
	return p, nil
}

func round50(minor int64) int64 { return (minor + 25) / 50 * 50 }

func (l *loader) original(object string) (string, error) {
	if key, ok := l.originals[object]; ok {
		return key, nil
	}
	file, err := l.objects.Open(object + ".webp")
	if err != nil {
		return "", fmt.Errorf("the demo's renderings are not built in (%w): run `make build`", err)
	}
	defer file.Close()
	body, err := io.ReadAll(file)
	if err != nil {
		return "", err
	}
	key, err := gallery.StoreOriginal(l.store, body)
	l.originals[object] = key
	return key, err
}

// reduce takes every eleventh product down by a fifth, three days ago, so that pages have reductions with a true
// history.
func (l *loader) reduce(ctx context.Context) error {
	_, err := l.tx.Exec(ctx, `
		UPDATE price
		SET valid = tstzrange(now() - interval '400 days', NULL)`)
	if err != nil {
		return err
	}
	_, err = l.tx.Exec(ctx, `
		WITH closed AS (
			UPDATE price p
			SET valid = tstzrange(lower(valid), date_trunc('hour', now()) - interval '3 days')
			FROM variant v
			WHERE v.id = p.variant_id AND v.product_id % 11 = 3
			RETURNING p.variant_id, p.price_list_id, p.amount, upper(p.valid) AS since)
		INSERT INTO price (variant_id, price_list_id, amount, valid)
		SELECT variant_id, price_list_id, amount * 8 / 1000 * 100, tstzrange(since, NULL)
		FROM closed`)
	return err
}

// onShelf is how many of a variant a place has in the end: most have some, some have one, some have none.
func onShelf(place *location.Location, sku string) int {
	roll := pick(100, place.Code, sku)
	switch {
	case place.Kind == "warehouse":
		return 20 + int(roll)
	case place.Code == "LUD":
		if roll < 70 {
			return 0
		}
		return 1 + int(roll%3)
	case roll < 18:
		return 0
	case roll < 30:
		return 1
	}
	return 2 + int(roll%11)
}

// pick is a number below n that depends on the words and nothing else: the demo is the same everywhere.
func pick(n uint64, words ...string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(strings.Join(words, "|")))
	sum := h.Sum64()
	// FNV's low bits are weak for short words; fold the high ones in.
	return (sum ^ sum>>29) * 0x9E3779B97F4A7C15 >> 20 % n
}

func (l *loader) receive(ctx context.Context, sold map[[2]int64]int) error {
	var moves []inventory.Move
	for i := range l.locations {
		place := &l.locations[i]
		for _, v := range l.variants {
			if n := onShelf(place, v.sku) + sold[[2]int64{v.id, place.ID}]; n > 0 {
				moves = append(moves, inventory.Move{VariantID: v.id, LocationID: place.ID, Delta: n})
			}
		}
	}
	if err := inventory.Receive(ctx, l.tx, moves, inventory.Reason{Channel: "api", Reason: "opening stock"}); err != nil {
		return err
	}
	// An aisle for each department, a bay for each product.
	_, err := l.tx.Exec(ctx, `
		INSERT INTO bin (variant_id, location_id, name)
		SELECT v.id, s.location_id, chr(64 + coalesce(aisle.n, 26)::int) || lpad((1 + v.product_id % 30)::text, 2, '0')
		FROM stock_level s
		JOIN location l ON l.id = s.location_id AND l.kind = 'store'
		JOIN variant v ON v.id = s.variant_id
		LEFT JOIN LATERAL (
			SELECT min(1 + category_id % 25) AS n FROM product_category WHERE product_id = v.product_id) aisle ON true
		WHERE s.condition = 'sellable'`)
	return err
}
