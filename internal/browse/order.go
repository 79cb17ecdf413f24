package browse

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/location"
	"counterpart/internal/money"
	"counterpart/internal/pg"
)

// Order is an order as its owner and the counter see it.
type Order struct {
	ID           int64
	Number       int64
	PublicID     string
	CustomerID   int64
	Channel      string
	State        string
	PaymentState string
	Currency     string
	TaxIncluded  bool
	Language     string
	Sum          int64
	Tax          int64
	Total        int64
	Name         string
	Email        string
	Phone        string
	PlacedAt     time.Time
	Store        location.Location
	Fulfilment   Fulfilment
	Lines        []OrderLine
	Tenders      []Tender
}

// Fulfilment of an order, as pages show it. Times are zero where they have not come.
type Fulfilment struct {
	ID          int64      `json:"id"`
	State       string     `json:"state"`
	Code        string     `json:"code"`
	Token       string     `json:"token"`
	ReadyBy     *time.Time `json:"ready_by"`
	ReadyAt     *time.Time `json:"ready_at"`
	Place       string     `json:"place"`
	HoldUntil   *time.Time `json:"hold_until"`
	CollectedAt *time.Time `json:"collected_at"`
}

// OrderLine with how its pieces stand.
type OrderLine struct {
	ID        int64  `json:"id"`
	SKU       string `json:"sku"`
	Title     string `json:"title"`
	Options   string `json:"options"`
	Slug      string `json:"slug"`
	Picture   string `json:"picture"`
	Quantity  int    `json:"quantity"`
	UnitPrice int64  `json:"unit_price"`
	Amount    int64  `json:"amount"`
	TaxName   string `json:"tax_name"`
	TaxPPM    int64  `json:"tax_ppm"`
	Tax       int64  `json:"tax"`
	Open      int    `json:"open"`
	Collected int    `json:"collected"`
	Cancelled int    `json:"cancelled"`
	Due       int64  `json:"due"`  // of its open pieces
	Kept      int64  `json:"kept"` // what its pieces cost that are not cancelled
	Barcode   string `json:"barcode"`
	OnHand    int    `json:"on_hand"`
	KeptTax   int64  `json:"kept_tax"`
	NotFound  bool   `json:"not_found"` // its cancelled pieces were not on the shelf
}

// Tender of an order.
type Tender struct {
	Kind     string `json:"kind"`
	Captured int64  `json:"captured"`
	Given    int64  `json:"given"` // cash laid down, or 0
}

func (o *Order) Money(minor int64) money.Money { return money.New(minor, o.Currency) }

// Due is what is to be paid at pickup.
func (o *Order) Due() (due int64) {
	for _, line := range o.Lines {
		due += line.Due
	}
	return due
}

// Change is the cash that was laid down and what of it was given back.
func (o *Order) Change() (given, change int64) {
	for _, tender := range o.Tenders {
		if tender.Given > 0 {
			given, change = given+tender.Given, change+tender.Given-tender.Captured
		}
	}
	return given, change
}

// KeptTax is the tax of what was not taken back.
func (o *Order) KeptTax() (tax int64) {
	for _, line := range o.Lines {
		tax += line.KeptTax
	}
	return tax
}

// Missing is what was taken back from the order, in money: what could not be found.
func (o *Order) Missing() (missing int64) {
	for _, line := range o.Lines {
		missing += line.Kept
	}
	return o.Total - missing
}

const orderColumns = `
	o.id, o.number, o.public_id, o.customer_id, o.channel, o.state, o.payment_state, o.currency::text, o.tax_included, o.language, o.lines, o.tax, o.total,
	o.name, o.email, o.phone, o.placed_at,
	(SELECT json_build_object('id', f.id, 'state', f.state, 'code', f.code, 'token', f.token, 'ready_by', f.ready_by, 'ready_at', f.ready_at,
		'place', f.place, 'hold_until', f.hold_until, 'collected_at', f.collected_at)
	FROM fulfilment f
	WHERE f.order_id = o.id
	ORDER BY f.id
	LIMIT 1),
	(SELECT coalesce(json_agg(json_build_object('id', ol.id, 'sku', ol.sku, 'title', ol.title, 'options', ol.options, 'slug', p.slug, 'picture', coalesce(pic.key, ''),
		'quantity', ol.quantity, 'unit_price', ol.unit_price, 'amount', ol.amount, 'tax_name', ol.tax_name, 'tax_ppm', ol.tax_ppm, 'tax', ol.tax,
		'open', unit.open, 'collected', unit.collected, 'cancelled', unit.cancelled, 'due', unit.due, 'kept', unit.kept, 'kept_tax', unit.kept_tax,
		'not_found', EXISTS (SELECT FROM reservation WHERE order_line_id = ol.id AND release = 'short'),
		'barcode', coalesce((SELECT min(gtin) FROM barcode WHERE variant_id = v.id), ''),
		'on_hand', coalesce((SELECT on_hand FROM stock_level WHERE variant_id = v.id AND location_id = o.location_id AND condition = 'sellable'), 0)) ORDER BY ol.position), '[]')
	FROM order_line ol
	JOIN variant v ON v.id = ol.variant_id
	JOIN product p ON p.id = v.product_id
	LEFT JOIN picture pic ON pic.id = coalesce(v.picture_id, (SELECT id FROM picture WHERE product_id = p.id ORDER BY position LIMIT 1))
	CROSS JOIN LATERAL (
		SELECT count(*) FILTER (WHERE state = 'open') AS open, count(*) FILTER (WHERE state IN ('collected', 'carried_out')) AS collected,
			count(*) FILTER (WHERE state = 'cancelled') AS cancelled, coalesce(sum(paid) FILTER (WHERE state = 'open'), 0) AS due,
			coalesce(sum(paid) FILTER (WHERE state <> 'cancelled'), 0) AS kept,
			coalesce(sum(tax) FILTER (WHERE state <> 'cancelled'), 0) AS kept_tax
		FROM order_unit
		WHERE order_line_id = ol.id) unit
	WHERE ol.order_id = o.id),
	(SELECT coalesce(json_agg(json_build_object('kind', kind, 'captured', captured, 'given', coalesce(given, 0)) ORDER BY id) FILTER (WHERE kind <> 'pay_at_pickup'), '[]')
	FROM tender
	WHERE order_id = o.id),
	` + location.Columns

func scanOrder(row pgx.Row) (*Order, error) {
	var o Order
	s := &o.Store
	err := row.Scan(&o.ID, &o.Number, &o.PublicID, &o.CustomerID, &o.Channel, &o.State, &o.PaymentState, &o.Currency, &o.TaxIncluded, &o.Language, &o.Sum, &o.Tax, &o.Total,
		&o.Name, &o.Email, &o.Phone, &o.PlacedAt, asJSON(&o.Fulfilment), asJSON(&o.Lines), asJSON(&o.Tenders),
		&s.ID, &s.Code, &s.Slug, &s.Kind, &s.Name, &s.Street, &s.Town, &s.Postcode, &s.Country, &s.Region, &s.Phone, &s.Latitude, &s.Longitude,
		&s.TimeZone, &s.Currency, &s.TaxIncluded, &s.Pickup, &s.Ship, &s.TakesReturns, &s.Hours)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read an order: %w", err)
	}
	return &o, nil
}

// OrderByLink reads an order by its unguessable id. Nil when there is none.
func OrderByLink(ctx context.Context, db pg.DB, publicID string) (*Order, error) {
	return scanOrder(db.QueryRow(ctx, `
		SELECT `+orderColumns+`
		FROM orders o
		JOIN location l ON l.id = o.location_id
		WHERE o.public_id = $1`, publicID))
}

// OrderByID reads an order for a job.
func OrderByID(ctx context.Context, db pg.DB, id int64) (*Order, error) {
	return scanOrder(db.QueryRow(ctx, `
		SELECT `+orderColumns+`
		FROM orders o
		JOIN location l ON l.id = o.location_id
		WHERE o.id = $1`, id))
}

// OrderAt reads the order of a fulfilment at a location, for that store's counter. Nil when it is not theirs.
func OrderAt(ctx context.Context, db pg.DB, fulfilmentID, locationID int64) (*Order, error) {
	return scanOrder(db.QueryRow(ctx, `
		SELECT `+orderColumns+`
		FROM orders o
		JOIN location l ON l.id = o.location_id
		WHERE o.id = (SELECT order_id FROM fulfilment WHERE id = $1 AND location_id = $2)`, fulfilmentID, locationID))
}
