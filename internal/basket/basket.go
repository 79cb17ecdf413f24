// Package basket reads a cart as a page or a checkout needs it: lines, prices, tax and what its store has, in one round trip.
package basket

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/cart"
	"counterpart/internal/catalog"
	"counterpart/internal/location"
	"counterpart/internal/money"
	"counterpart/internal/pg"
	"counterpart/internal/quote"
	"counterpart/internal/tax"
)

// Basket is a customer's open cart, priced. Store is where it will be collected; until somebody chose one it is nil and
// the prices are those of the chain's first store.
type Basket struct {
	CartID int64
	Code   string
	Store  *location.Location
	Lines  []Line
	Quote  quote.Quote
}

// Line is a cart line with what is known of it now. Gone means that it cannot be sold any more, at any quantity.
type Line struct {
	ID        int64
	VariantID int64
	Slug      string
	SKU       string
	Title     string
	Options   []string
	Picture   string // key of the drawn sizes, or empty
	Quantity  int
	Gone      bool
	Available int // at the chosen store, or at the best one
	UnitPrice int64
	Rate      tax.Rate
}

// Choice is how a person names the variant: “White, large”.
func (l Line) Choice() string { return strings.Join(l.Options, ", ") }

// Enough says whether the chosen store has as many as the line wants.
func (l Line) Enough() bool { return !l.Gone && l.Available >= l.Quantity }

// Pieces in the cart.
func (b *Basket) Pieces() (n int) {
	if b == nil {
		return 0
	}
	for _, line := range b.Lines {
		n += line.Quantity
	}
	return n
}

// Ready says whether everything can be had at the chosen store.
func (b *Basket) Ready() bool {
	for _, line := range b.Lines {
		if !line.Enough() {
			return false
		}
	}
	return b.Store != nil && b.Store.Pickup && len(b.Lines) > 0
}

// Amount of a line as the quote has it.
func (b *Basket) Amount(i int) money.Money { return b.Quote.In(b.Quote.Lines[i].Amount) }

// Load reads the customer's open cart. Nil when there is none.
func Load(ctx context.Context, db pg.DB, customerID int64, language string) (*Basket, error) {
	return LoadAt(ctx, db, customerID, 0, language)
}

// LoadAt reads the cart as if it were to be collected at another store: the counter's where the customer stands. 0: the
// cart's own.
func LoadAt(ctx context.Context, db pg.DB, customerID, locationID int64, language string) (*Basket, error) {
	return load(ctx, db, &pgx.Batch{}, customerID, locationID, language)
}

// Lock is LoadAt that holds the cart until the transaction ends. Each statement of the round trip sees what was committed when it
// began, so what is read after the lock is as it is under it.
func Lock(ctx context.Context, tx pgx.Tx, customerID, locationID int64, language string) (*Basket, error) {
	batch := &pgx.Batch{}
	cart.QueueLock(batch, customerID)
	return load(ctx, tx, batch, customerID, locationID, language)
}

func load(ctx context.Context, db pg.DB, batch *pgx.Batch, customerID, locationID int64, language string) (*Basket, error) {
	var b Basket
	var place quote.Place
	batch.Queue(`
		SELECT c.id, c.code, home.currency::text, home.tax_included
		FROM cart c
		JOIN location home ON home.id = coalesce(nullif($2::bigint, 0), c.location_id, (SELECT min(id) FROM location WHERE kind = 'store'))
		WHERE c.customer_id = $1 AND c.state = 'open'`, customerID, locationID).
		QueryRow(func(row pgx.Row) error {
			return row.Scan(&b.CartID, &b.Code, &place.Currency, &place.TaxIncluded)
		})
	batch.Queue(`
		SELECT `+location.Columns+`
		FROM location l
		JOIN cart c ON l.id = coalesce(nullif($2::bigint, 0), c.location_id)
		WHERE c.customer_id = $1 AND c.state = 'open'`, customerID, locationID).Query(func(rows pgx.Rows) (err error) {
		b.Store, err = pgx.CollectExactlyOneRow(rows, pgx.RowToAddrOfStructByPos[location.Location])
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		return err
	})
	batch.Queue(`
		SELECT cl.id, v.id, product.slug, v.sku, t.title, v.options, coalesce(pic.key, ''), cl.quantity,
			NOT v.active OR product.status <> 'active' OR price.amount IS NULL,
			coalesce(CASE WHEN at.id IS NULL
				THEN (SELECT max(on_hand - reserved - safety) FROM stock_level WHERE variant_id = v.id AND condition = 'sellable')
				ELSE (SELECT on_hand - reserved - safety FROM stock_level WHERE variant_id = v.id AND location_id = at.id AND condition = 'sellable')
			END, 0),
			coalesce(price.amount, 0), home.country::text, home.region, v.tax_class, coalesce(rate.name, ''), coalesce(rate.ppm, 0)
		FROM cart c
		LEFT JOIN location at ON at.id = coalesce(nullif($3::bigint, 0), c.location_id)
		JOIN location home ON home.id = coalesce(at.id, (SELECT min(id) FROM location WHERE kind = 'store'))
		JOIN cart_line cl ON cl.cart_id = c.id
		JOIN variant v ON v.id = cl.variant_id
		JOIN product ON product.id = v.product_id
		JOIN LATERAL (
			SELECT title
			FROM product_text
			WHERE product_id = product.id
			ORDER BY language = $2 DESC, language = 'en' DESC
			LIMIT 1) t ON true
		LEFT JOIN picture pic ON pic.id = coalesce(v.picture_id, (SELECT id FROM picture WHERE product_id = product.id ORDER BY position LIMIT 1))
		JOIN price_list list ON list.currency = home.currency AND list.tax_included = home.tax_included`+catalog.NowOn+`
		LEFT JOIN tax_rate rate ON rate.country = home.country AND rate.region = home.region AND rate.tax_class = v.tax_class
		WHERE c.customer_id = $1 AND c.state = 'open'
		ORDER BY cl.added_at, cl.id`, customerID, language, locationID).Query(func(rows pgx.Rows) error {
		for rows.Next() {
			var l Line
			if err := rows.Scan(&l.ID, &l.VariantID, &l.Slug, &l.SKU, &l.Title, &l.Options, &l.Picture, &l.Quantity, &l.Gone, &l.Available,
				&l.UnitPrice, &l.Rate.Country, &l.Rate.Region, &l.Rate.Class, &l.Rate.Name, &l.Rate.PPM); err != nil {
				return err
			}
			l.Available = max(l.Available, 0)
			b.Lines = append(b.Lines, l)
		}
		return rows.Err()
	})
	err := db.SendBatch(ctx, batch).Close()
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read a cart: %w", err)
	}
	b.Quote = quote.Price(place, b.items())
	return &b, nil
}

func (b *Basket) items() []quote.Item {
	items := make([]quote.Item, len(b.Lines))
	for i, line := range b.Lines {
		items[i] = quote.Item{VariantID: line.VariantID, Quantity: line.Quantity, UnitPrice: line.UnitPrice, Rate: line.Rate}
	}
	return items
}
