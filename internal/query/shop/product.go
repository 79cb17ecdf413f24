package shop

import (
	"context"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/delivery"
	"counterpart/internal/domain/inventory"
	"counterpart/internal/domain/location"
	"counterpart/internal/domain/promotion"
	"counterpart/internal/domain/quote"
	"counterpart/internal/domain/recommend"
	"counterpart/internal/platform/geo"
	"counterpart/internal/platform/pg"
	"counterpart/internal/query/reference"
)

// Product is a product's page: its variants, the one that is looked at, and where that one is.
type Product struct {
	Visit
	ID                       int64
	Slug                     string
	Title                    string
	Brand                    string
	Description              string
	Options                  []string
	Tags                     []string
	Category                 *Department
	Pictures                 []Picture
	Variants                 []Variant
	Chosen                   int // index of the variant that is looked at; -1 when none is on sale
	Stores                   []StoreStock
	Delivery                 *Sent // how it could be sent at best; nil: not at all
	Pickup                   bool  // it can be collected
	Ship                     bool  // it can be delivered
	MinimumAge               int   // 0: none
	Beside                   Beside
	SEOTitle, SEODescription string // for search engines; empty: title and description
	open                     []promotion.Promotion
	priced                   priced
	home                     int64 // whose prices and stock the variants show
}

// Beside is what only some products have.
type Beside struct {
	Attributes []Attribute `json:"attributes"`
	Files      []File      `json:"files"`
	Related    []Neighbour `json:"related"`
}

// Attribute is what is said of a product: a number with its unit, yes or no, or words.
type Attribute struct {
	Name  string `json:"name"`
	Kind  string `json:"kind"`
	Value string `json:"value"`
	Unit  string `json:"unit"`
}

// File to read beside a product.
type File struct {
	ID    int64  `json:"id"`
	Title string `json:"title"`
	Bytes int    `json:"bytes"`
}

// Picture of a product.
type Picture struct {
	ID  int64  `json:"id"`
	Key string `json:"key"`
	Alt string `json:"alt"`
}

// Variant of a product with what it costs at the visit's store. Was is the lowest price of the 30 days before a
// reduction.
type Variant struct {
	ID        int64         `json:"id"`
	SKU       string        `json:"sku"`
	Options   []string      `json:"options"`
	GTIN      string        `json:"gtin"`
	Grams     int           `json:"grams"`
	Picture   int64         `json:"picture"`
	Amount    int64         `json:"amount"`
	CompareAt int64         `json:"compare_at"`
	Was       int64         `json:"was"`
	Available int           `json:"available"` // at the visit's store
	Anywhere  int           `json:"anywhere"`  // in all stores
	GiftCard  bool          `json:"gift_card"`
	Untracked bool          `json:"untracked"`  // no stock is kept of it: there is always one
	BackOrder bool          `json:"back_order"` // it is sold when there is none, and comes later
	Content   float64       `json:"content"`    // how much is in one, in Unit; 0: no price per unit is shown
	Unit      string        `json:"unit"`
	Breaks    []quote.Break `json:"breaks"` // from one unit on
	Offer     Offer         `json:"-"`
	Sendable  int           `json:"sendable"` // at the place that has most of what can be sent
}

// Sent is the cheapest way to have something delivered.
type Sent struct {
	delivery.Method
	Charge int64   `json:"charge"`
	From   []int64 `json:"from"` // places that send
	Zone   string  `json:"zone"`
}

// Days on which it arrives, if it is ordered now. store is the visit's: its bank holidays are those of whoever sends
// and brings it.
func (s *Sent) Days(now time.Time, store *location.Location) (from, by time.Time) {
	zone, err := time.LoadLocation(s.Zone)
	if err != nil {
		zone = time.UTC
	}
	return s.Method.Arrives(now.In(zone), store.Shut)
}

// StoreStock is one store and how many of the chosen variant it has.
type StoreStock struct {
	location.Location
	Available  int
	Kilometres float64 // from where the shopper said they are; below 0: they did not
}

// ReadyBy is the promise of a store that has it.
func (s *StoreStock) ReadyBy(now time.Time) (time.Time, bool) {
	if s.Available <= 0 || !s.Pickup {
		return time.Time{}, false
	}
	return s.Location.ReadyBy(now)
}

// What strangers are asked for, and whoever is known.
var productStatements = map[bool]pg.Statement{false: productFor(false), true: productFor(true)}

func productFor(known bool) pg.Statement {
	return pg.Named(`
	SELECT p.id, t.title, p.brand, t.description, t.seo_title, t.seo_description, p.options, p.tags, p.pickup, p.ship,
		p.minimum_age,
		json_build_object('attributes', (
				SELECT json_agg(json_build_object('name', a.name, 'kind', a.kind, 'value', said.value, 'unit', a.unit)
					ORDER BY a.position, a.id)
				FROM product_attribute said
				JOIN attribute a ON a.id = said.attribute_id
				WHERE said.product_id = p.id),
			'files', (
				SELECT json_agg(json_build_object('id', id, 'title', title, 'bytes', bytes) ORDER BY id)
				FROM product_file
				WHERE product_id = p.id),
			'related', (
				SELECT json_agg(json_build_object('id', id, 'slug', slug, 'title', title, 'picture', picture, 'why', why,
					'score', score, 'categories', categories, 'comes', comes, 'sizes', sizes, 'fewest', fewest, 'most', most,
					'owned_days', owned_days))
				FROM (`+near(recommend.OnProduct, "p.id", known)+`) near)) AS beside,
		coalesce((
			SELECT json_agg(json_build_object('id', pic.id, 'key', coalesce(pic.key, ''), 'alt', pic.alt)
				ORDER BY pic.position)
			FROM picture pic
			WHERE pic.product_id = p.id AND pic.failed IS NULL), '[]') AS pictures,
		coalesce((
			SELECT json_agg(json_build_object('id', v.id, 'sku', v.sku, 'options', v.options, 'grams', v.grams,
				'picture', coalesce(v.picture_id, 0), 'gift_card', v.gift_card, 'untracked', NOT v.tracked,
				'back_order', v.back_order, 'content', v.content, 'unit', v.content_unit, 'breaks', `+breaks("v.id", "@list")+`,
				'gtin', coalesce((SELECT min(gtin) FROM barcode WHERE variant_id = v.id), ''),
				'amount', priced.amount, 'compare_at', priced.recommended, 'was', priced.lowest)
				ORDER BY v.position, v.id)
			FROM product_card card
			CROSS JOIN LATERAL unnest(card.variants, card.amounts, card.lowests, card.recommended)
				AS priced (id, amount, lowest, recommended)
			JOIN variant v ON v.id = priced.id
			WHERE card.product_id = p.id AND card.price_list_id = @list AND `+holds("card")+`), '[]') AS variants,
		stock.locations AS shelf_locations, stock.variants AS shelf_variants, stock.free AS shelf_free,
		`+reference.Columns+`,
		ARRAY(SELECT category_id FROM product_category WHERE product_id = p.id ORDER BY category_id) AS categories
	FROM product p
	JOIN LATERAL (
		SELECT title, description, seo_title, seo_description
		FROM product_text
		WHERE product_id = p.id
		ORDER BY language = @language DESC, language = 'en' DESC
		LIMIT 1) t ON true
	CROSS JOIN LATERAL (
		SELECT array_agg(s.location_id) AS locations, array_agg(s.variant_id) AS variants,
			array_agg(`+inventory.Available("s")+`) AS free
		FROM variant v
		JOIN stock_level s ON s.variant_id = v.id AND s.condition = 'sellable' AND `+inventory.Available("s")+` > 0
		WHERE v.product_id = p.id) stock
	WHERE p.slug = @slug AND p.status = 'active'`, "list", "limited", "zone", "language", "slug", "store")
}

type productRow struct {
	reference.Row
	SEOTitle, SEODescription      string
	Pickup, Ship                  bool
	MinimumAge                    int
	Beside                        Beside
	ID                            int64
	Title, Brand, Description     string
	Options, Tags                 []string
	Pictures                      []Picture
	Variants                      []Variant
	Categories                    []int64
	ShelfLocations, ShelfVariants []int64
	ShelfFree                     []int
}

// ProductPage reads a product by its slug, and the variant with this SKU or else the first that is on a shelf. Nil when
// it is not on sale.
func ProductPage(ctx context.Context, db pg.DB, who Visitor, slug, sku string, near *geo.Place) (*Product, error) {
	return page(ctx, db, who, func(who Visitor) (*Product, error) { return productPage(ctx, db, who, slug, sku, near) })
}

func productPage(ctx context.Context, db pg.DB, who Visitor, slug, sku string, near *geo.Place) (*Product, error) {
	p := &Product{Slug: slug}
	home, list := who.home()
	who.Taste = true
	batch := &pgx.Batch{}
	productStatements[!who.stranger()].Queue(batch, pgx.NamedArgs{"list": list, "store": home, "limited": who.reference.Limited, "zone": who.zone(),
		"language": who.Language, "slug": slug}).
		Query(func(rows pgx.Rows) error {
			row, err := pg.Row[productRow](rows, nil)
			if err != nil || row == nil {
				return err
			}
			if err := who.reference.Check(row.Version); err != nil {
				return err
			}
			p.open = who.reference.Open(who.At, row.Uses)
			p.ID, p.Title, p.Brand, p.Description = row.ID, row.Title, row.Brand, row.Description
			p.Options, p.Tags, p.Pictures, p.Variants = row.Options, row.Tags, row.Pictures, row.Variants
			p.Category, p.priced.Categories = narrowest(who, row.Categories), who.reference.Above(row.Categories)
			p.SEOTitle, p.SEODescription = row.SEOTitle, row.SEODescription
			p.Pickup, p.Ship, p.MinimumAge, p.Beside = row.Pickup, row.Ship, row.MinimumAge, row.Beside
			shelf := shelf{row.ShelfLocations, row.ShelfVariants, row.ShelfFree}
			p.home = home
			if p.Ship {
				p.Delivery = delivered(who.reference, home, p.Variants)
			}
			stores := who.reference.StoresLike(home)
			p.stock(stores, shelf)
			p.choose(sku)
			p.place(stores, shelf)
			return nil
		})
	if err := send(ctx, db, batch, who, &p.Visit, true); err != nil {
		return nil, err
	}
	if p.ID == 0 { // What is not on sale says no version.
		return nil, send(ctx, db, &pgx.Batch{}, who, &p.Visit, false)
	}
	p.Beside.Related = p.suggested(p.Beside.Related)
	p.priced.Product, p.priced.Tags = p.ID, p.Tags
	for i := range p.Variants {
		one := &p.Variants[i]
		p.priced.Breaks = one.Breaks
		if i > 0 && one.Amount == p.Variants[i-1].Amount && one.GiftCard == p.Variants[i-1].GiftCard &&
			slices.Equal(one.Breaks, p.Variants[i-1].Breaks) {
			one.Offer = p.Variants[i-1].Offer // Promotions name products, never one of their variants.
			continue
		}
		one.Offer = p.quoteOne(one.ID, one.Amount, one.GiftCard, p.priced, p.open)
	}
	p.sortStores(near)
	return p, nil
}

// narrowest is the first category that is in another, or else the first.
func narrowest(who Visitor, ids []int64) *Department {
	var first *reference.Category
	for _, id := range ids {
		if c := who.reference.CategoryAt(id); c != nil && (first == nil || first.ParentID == 0 && c.ParentID != 0) {
			first = c
		}
	}
	if first == nil {
		return nil
	}
	return &Department{first.Slug, first.Name(who.Language)}
}

// delivered is the cheapest way to send what weighs as much as the heaviest variant from a store's country; nil: none.
func delivered(data *reference.Data, home int64, variants []Variant) (best *Sent) {
	at := data.At(home)
	if at == nil {
		return nil
	}
	grams := 0
	for _, v := range variants {
		grams = max(grams, v.Grams)
	}
	for _, m := range data.Deliveries {
		if m.Currency != at.Currency || !slices.Contains(m.Countries, at.Country) {
			continue
		}
		if charge, ok := m.Charge(grams, 0); ok && (best == nil || charge < best.Charge) {
			best = &Sent{Method: m, Charge: charge, Zone: at.TimeZone}
		}
	}
	if best != nil {
		for _, l := range data.Locations {
			if l.Ship && l.Currency == at.Currency {
				best.From = append(best.From, l.ID)
			}
		}
	}
	return best
}

// always is how many there are of what no stock is kept of: more than one order takes.
const always = 999

// A shelf is how many of which variant are free where, as three lists of one length.
type shelf struct {
	locations, variants []int64
	free                []int
}

// stock says of each variant how many the visit's store has, and all stores together. Warehouses do not count: nobody
// collects there.
func (p *Product) stock(stores []location.Location, s shelf) {
	isStore := map[int64]bool{}
	for _, l := range stores {
		isStore[l.ID] = true
	}
	at := map[int64]*Variant{}
	for i := range p.Variants {
		at[p.Variants[i].ID] = &p.Variants[i]
	}
	for i, id := range s.variants {
		v := at[id]
		if v != nil && p.Delivery != nil && slices.Contains(p.Delivery.From, s.locations[i]) {
			v.Sendable = max(v.Sendable, s.free[i])
		}
		if v == nil || !isStore[s.locations[i]] {
			continue
		}
		v.Anywhere += s.free[i]
		if s.locations[i] == p.home {
			v.Available += s.free[i]
		}
	}
	for i := range p.Variants {
		if v := &p.Variants[i]; v.Untracked {
			v.Available, v.Anywhere, v.Sendable = always, always, always
		}
	}
}

// choose takes the variant that was asked for, else the first on a shelf here, else anywhere, else the first.
func (p *Product) choose(sku string) {
	p.Chosen = -1
	best := -1
	for i, v := range p.Variants {
		if strings.EqualFold(v.SKU, sku) {
			p.Chosen = i
			return
		}
		rank := 0
		if v.Available > 0 {
			rank = 2
		} else if v.Anywhere > 0 {
			rank = 1
		}
		if rank > best {
			best, p.Chosen = rank, i
		}
	}
}

func (p *Product) place(stores []location.Location, s shelf) {
	free := map[int64]int{}
	for i, id := range s.variants {
		if p.Chosen >= 0 && id == p.Variants[p.Chosen].ID {
			free[s.locations[i]] += s.free[i]
		}
	}
	if v := p.Variant(); v != nil && v.Untracked {
		for _, l := range stores {
			free[l.ID] = always
		}
	}
	for _, l := range stores {
		p.Stores = append(p.Stores, StoreStock{Location: l, Kilometres: -1, Available: free[l.ID]})
	}
}

// sortStores puts the chosen store first, then those that have it, nearest first. Where nobody said where they are,
// near is the chosen store; where none is chosen, stores go by name.
func (p *Product) sortStores(near *geo.Place) {
	var from *geo.Point
	switch {
	case near != nil:
		from = &near.Point
	case p.Visit.Chosen:
		from = new(p.Store.Point())
	}
	for i := range p.Stores {
		if from != nil {
			p.Stores[i].Kilometres = from.Kilometres(p.Stores[i].Point())
		}
	}
	sort.SliceStable(p.Stores, func(i, j int) bool {
		a, b := &p.Stores[i], &p.Stores[j]
		mineA, mineB := p.Visit.Chosen && a.ID == p.Store.ID, p.Visit.Chosen && b.ID == p.Store.ID
		hasA, hasB := a.Available > 0 && a.Pickup, b.Available > 0 && b.Pickup
		switch {
		case mineA != mineB:
			return mineA
		case hasA != hasB:
			return hasA
		case a.Kilometres != b.Kilometres:
			return a.Kilometres < b.Kilometres
		}
		return a.Name < b.Name
	})
}

// Mine is the visit's store among the stores, when one was chosen.
func (p *Product) Mine() *StoreStock {
	if len(p.Stores) > 0 && p.Visit.Chosen && p.Stores[0].ID == p.Store.ID {
		return &p.Stores[0]
	}
	return nil
}

// Variant is the one that is looked at; nil when none is on sale.
func (p *Product) Variant() *Variant {
	if p.Chosen < 0 {
		return nil
	}
	return &p.Variants[p.Chosen]
}

// With is the variant that differs from the chosen one in one option only, or else the first with that value. Nil:
// none.
func (p *Product) With(option int, value string) *Variant {
	var fallback *Variant
	for i := range p.Variants {
		v := &p.Variants[i]
		if option >= len(v.Options) || v.Options[option] != value {
			continue
		}
		same := true
		for k, other := range v.Options {
			if k != option && p.Chosen >= 0 && k < len(p.Variants[p.Chosen].Options) &&
				other != p.Variants[p.Chosen].Options[k] {
				same = false
			}
		}
		if same {
			return v
		}
		if fallback == nil {
			fallback = v
		}
	}
	return fallback
}

// Values of an option, in the variants' order.
func (p *Product) Values(option int) []string {
	var values []string
	seen := map[string]bool{}
	for _, v := range p.Variants {
		if option < len(v.Options) && !seen[v.Options[option]] {
			seen[v.Options[option]] = true
			values = append(values, v.Options[option])
		}
	}
	return values
}
