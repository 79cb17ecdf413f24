// Package reference keeps in the process what every page needs and hardly anything changes: the shop, its locations
// with their hours, departments, live promotions, delivery methods. It is loaded whole and replaced whole.
//
// Its tables count their changes in one row, reference_version. Whoever reads a page's own rows reads that count in the
// same statement: where it is another than the one that was loaded, the page is read again with what holds now. So no
// notification can be lost, and two processes agree at the next request.
package reference

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/singleflight"

	"counterpart/internal/domain/delivery"
	"counterpart/internal/domain/editorial"
	"counterpart/internal/domain/location"
	"counterpart/internal/domain/promotion"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/text"
)

// Data is everything, as of a version. It is shared: nobody may change it.
type Data struct {
	Version     int64
	Shop        *location.Shop      // nil: nobody has set it up
	Locations   []location.Location // stores before warehouses, by name
	PriceLists  map[int64]int64     // by location
	Categories  []Category
	Departments []Category            // those at the top, for the menu
	Promotions  []promotion.Promotion // live, without those that need a code
	Limited     []int64               // promotions of which uses or amounts are limited: they change with every order
	Personal    []int64               // promotions that one person may use only so often
	ByCategory  bool                  // some live promotion names categories
	Deliveries  []delivery.Method
	Pages       []editorial.Page
	Theme       location.Theme
	loaded      time.Time
	last        bool // changes come faster than pages: what was loaded for this one is new enough
	byCode      map[string]*location.Location
	bySlug      map[string]*Category
	byID        map[int64]*Category
	first       *location.Location // the chain's first store
}

// Category of the catalogue.
type Category struct {
	ID       int64             `json:"id"`
	ParentID int64             `json:"parent"` // 0: it is a department
	Slug     string            `json:"slug"`
	InMenu   bool              `json:"in_menu"`
	Names    map[string]string `json:"names"` // by language
}

// Name in a language, or else in English, or else in some.
func (c *Category) Name(language string) string {
	if name := cmp.Or(c.Names[language], c.Names[text.Source]); name != "" || len(c.Names) == 0 {
		return name
	}
	return c.Names[slices.Sorted(maps.Keys(c.Names))[0]]
}

// Category is the one with a slug, or nil.
func (d *Data) Category(slug string) *Category { return d.bySlug[slug] }

// CategoryAt is the one with an id, or nil.
func (d *Data) CategoryAt(id int64) *Category { return d.byID[id] }

// Below are the categories of a category, in their order.
func (d *Data) Below(id int64) (all []*Category) {
	for i := range d.Categories {
		if d.Categories[i].ParentID == id {
			all = append(all, &d.Categories[i])
		}
	}
	return all
}

// Above are categories with all that they are in.
func (d *Data) Above(ids []int64) (all []int64) {
	for _, id := range ids {
		for c := d.byID[id]; c != nil && !slices.Contains(all, c.ID); c = d.byID[c.ParentID] {
			all = append(all, c.ID)
		}
	}
	return all
}

// Home is the store with a code, else the chain's first; nil where there is none. chosen says whether it is the one
// with the code, or the only one: then there is nothing to choose.
func (d *Data) Home(code string) (home *location.Location, chosen bool) {
	if home, chosen = d.byCode[code]; chosen {
		return home, true
	}
	return d.first, len(d.byCode) == 1
}

// At is the location with an id, or nil.
func (d *Data) At(id int64) *location.Location {
	for i := range d.Locations {
		if d.Locations[i].ID == id {
			return &d.Locations[i]
		}
	}
	return nil
}

// StoresLike are the stores whose prices are in a store's currency and with its kind of tax.
func (d *Data) StoresLike(id int64) (all []location.Location) {
	home := d.At(id)
	for _, l := range d.Locations {
		if home != nil && l.Kind == "store" && l.Currency == home.Currency && l.TaxIncluded == home.TaxIncluded {
			all = append(all, l)
		}
	}
	return all
}

// Open are the promotions that apply by themselves at a time. uses are the counts of the limited ones as they stand.
func (d *Data) Open(now time.Time, uses map[int64]Uses) []promotion.Promotion {
	var open []promotion.Promotion
	for _, p := range d.Promotions {
		if p.StartsAt != nil && p.StartsAt.After(now) || p.EndsAt != nil && !p.EndsAt.After(now) {
			continue
		}
		of, limited := uses[p.ID]
		if limited {
			p.Used, p.Spent = of.Used, of.Spent
		}
		if (p.MaxUses == nil || p.Used < *p.MaxUses) && (p.MaxPerDay == nil || of.Today < *p.MaxPerDay) {
			open = append(open, p)
		}
	}
	return open
}

// Uses are how often a promotion was used, today and in all, and what it cost so far.
type Uses struct {
	Used  int   `json:"used"`
	Spent int64 `json:"spent"`
	Today int   `json:"today"`
}

// Version is an SQL expression: the count of changes, to be read beside a page's own rows.
const Version = `(SELECT n FROM reference_version)`

// LimitedUses is an SQL expression: the uses of promotions whose ids are the argument @limited, as JSON. Days are those
// of the argument @zone.
const LimitedUses = `CASE WHEN cardinality(@limited::bigint[]) > 0 THEN (
		SELECT json_object_agg(p.id, json_build_object('used', p.used, 'spent', p.spent, 'today', coalesce((
			SELECT c.used
			FROM promotion_counter c
			WHERE c.promotion_id = p.id AND c.key = 'day:' || (now() AT TIME ZONE @zone)::date), 0)))
		FROM promotion p
		WHERE p.id = ANY (@limited)) END`

// Columns of a Row, for a page's own statement.
const Columns = Version + ` AS version, ` + LimitedUses + ` AS uses`

// Row is what a page reads beside its own rows to know that the data still holds.
type Row struct {
	Version int64
	Uses    map[int64]Uses
}

// ErrStale says that something changed since the data was loaded.
var ErrStale = errors.New("the reference data has changed")

// Check compares a version that was read beside a page's rows.
func (d *Data) Check(version int64) error {
	if version != d.Version && !d.last {
		return ErrStale
	}
	return nil
}

// Keeper keeps the data of one database.
type Keeper struct {
	DB      pg.DB
	loading singleflight.Group
	data    atomic.Pointer[Data]
	failed  atomic.Int64 // when the last load failed, in Unix milliseconds
}

const (
	// age after which it is loaded again although nothing changed: special days are read some weeks ahead.
	age = time.Hour
	// patience with a load that many wait for, and the pause after one that failed.
	patience = 2 * time.Second
	pause    = time.Second
)

// Get is the data as it was last loaded.
func (k *Keeper) Get(ctx context.Context) (*Data, error) {
	data := k.data.Load()
	if data != nil && time.Since(data.loaded) < age {
		return data, nil
	}
	loaded, err := k.load(ctx)
	if err != nil && data != nil {
		return data, nil // The page's own statement says whether it still holds.
	}
	return loaded, err
}

// Peek is the data as it was last loaded, however old. Nil where it never was and cannot be at the moment.
func (k *Keeper) Peek(ctx context.Context) *Data {
	if data := k.data.Load(); data != nil {
		return data
	}
	data, _ := k.load(ctx) // What is wrong, the page says.
	return data
}

var errAway = errors.New("reference data could not be loaded a moment ago")

// load loads the data anew, once for all who want it at the same time.
func (k *Keeper) load(ctx context.Context) (*Data, error) {
	if time.Since(time.UnixMilli(k.failed.Load())) < pause {
		return nil, errAway
	}
	loaded, err, _ := k.loading.Do("", func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer cancel()
		data, err := Load(ctx, k.DB)
		if err == nil {
			k.data.Store(data)
		} else {
			k.failed.Store(time.Now().UnixMilli())
		}
		return data, err
	})
	data, _ := loaded.(*Data)
	return data, err
}

// tries of a page. The last takes what was loaded for it, so that a page comes however fast things change.
const tries = 3

// Read has a page read with the data, again where something of it changed meanwhile. A nil keeper keeps nothing: the
// data is loaded from db for this page.
func (k *Keeper) Read(ctx context.Context, db pg.DB, page func(data *Data) error) error {
	for try := 1; ; try++ {
		var data *Data
		var err error
		switch {
		case k == nil:
			data, err = Load(ctx, db)
		case try == 1:
			data, err = k.Get(ctx)
		default:
			data, err = k.load(ctx)
		}
		if err != nil {
			return err
		}
		if try == tries {
			final := *data
			final.last, data = true, &final
		}
		if err := page(data); try == tries || !errors.Is(err, ErrStale) {
			return err
		}
	}
}

// Load reads everything. The version comes first: what changes while the rest is read is found at the next request.
func Load(ctx context.Context, db pg.DB) (*Data, error) {
	d := &Data{loaded: time.Now()}
	batch := &pgx.Batch{}
	batch.Queue(`SELECT n FROM reference_version`).QueryRow(func(row pgx.Row) error { return row.Scan(&d.Version) })
	batch.Queue(`
		SELECT ` + location.Columns + `
		FROM location l
		WHERE l.closed_at IS NULL
		ORDER BY l.kind, l.name`).Query(func(rows pgx.Rows) (err error) {
		d.Locations, err = pgx.CollectRows(rows, pgx.RowToStructByName[location.Location])
		return err
	})
	batch.Queue(`
		SELECT coalesce(json_object_agg(l.id, list.id), '{}')
		FROM location l
		JOIN price_list list ON list.currency = l.currency AND list.tax_included = l.tax_included`).
		QueryRow(func(row pgx.Row) error { return row.Scan(&d.PriceLists) })
	batch.Queue(`
		SELECT coalesce(json_agg(json_build_object('id', c.id, 'parent', coalesce(c.parent_id, 0), 'slug', c.slug,
			'in_menu', c.in_menu, 'names', (
			SELECT json_object_agg(t.language, t.name) FROM category_text t WHERE t.category_id = c.id))
			ORDER BY c.position, c.id), '[]')
		FROM category c`).QueryRow(func(row pgx.Row) error { return row.Scan(&d.Categories) })
	batch.Queue(`
		SELECT ` + promotion.Columns + `
		FROM promotion p
		WHERE p.state = 'live'
		ORDER BY p.id`).Query(func(rows pgx.Rows) (err error) {
		d.Promotions, err = pgx.CollectRows(rows, pgx.RowToStructByName[promotion.Promotion])
		return err
	})
	batch.Queue(`
		SELECT ` + delivery.Columns + `
		FROM delivery d
		WHERE d.active
		ORDER BY d.position, d.id`).Query(func(rows pgx.Rows) (err error) {
		d.Deliveries, err = pgx.CollectRows(rows, pgx.RowToStructByName[delivery.Method])
		return err
	})
	editorial.All(&d.Pages)(batch)
	location.ThemeOf(&d.Theme)(batch)
	if err := db.SendBatch(ctx, batch).Close(); err != nil {
		return nil, fmt.Errorf("load reference data: %w", err)
	}
	var err error
	if d.Shop, err = location.ShopOf(ctx, db); err != nil {
		return nil, err
	}
	d.index()
	return d, nil
}

func (d *Data) index() {
	d.byCode, d.bySlug, d.byID = map[string]*location.Location{}, map[string]*Category{}, map[int64]*Category{}
	for i := range d.Locations {
		l := &d.Locations[i]
		if l.Kind != "store" {
			continue
		}
		d.byCode[l.Code] = l
		if d.first == nil || l.ID < d.first.ID {
			d.first = l
		}
	}
	for i := range d.Categories {
		c := &d.Categories[i]
		d.bySlug[c.Slug], d.byID[c.ID] = c, c
		if c.ParentID == 0 && c.InMenu {
			d.Departments = append(d.Departments, *c)
		}
	}
	for _, p := range d.Promotions {
		d.ByCategory = d.ByCategory || len(p.Rule.Categories) > 0
	}
	d.Promotions = slices.DeleteFunc(d.Promotions, func(p promotion.Promotion) bool { return p.NeedsCode })
	d.Limited, d.Personal = []int64{}, []int64{}
	for _, p := range d.Promotions {
		if p.MaxPerCustomer != nil {
			d.Personal = append(d.Personal, p.ID)
		}
		if p.MaxUses != nil || p.MaxPerDay != nil || p.Budget != nil {
			d.Limited = append(d.Limited, p.ID)
		}
	}
}
