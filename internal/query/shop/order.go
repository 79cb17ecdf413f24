package shop

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/catalog"
	"counterpart/internal/domain/location"
	"counterpart/internal/domain/order"
	"counterpart/internal/domain/origin"
	"counterpart/internal/platform/money"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/postal"
	"counterpart/internal/query/reference"
)

// Order is an order as its owner and the counter see it. Store and Fulfilment are those of the part that is looked at:
// at a counter the one that was asked for, else the first.
type Order struct {
	ID           int64
	Number       int64
	PublicID     string
	CustomerID   int64
	HomeID       int64 // the location whose order it is
	Channel      origin.Channel
	State        string
	PaymentState string
	Currency     string
	TaxIncluded  bool
	Language     string
	Sum          int64
	Discount     int64
	Shipping     int64
	Tax          int64
	Total        int64
	Name         string
	Email        string
	Phone        string
	PlacedAt     time.Time
	HoldUntil    *time.Time        // while it is not paid
	HoldReason   string            // why staff keep it; empty: they do not
	ToPay        int64             // at the counter, of the whole order
	Earns        int64             // points, for the units that were neither cancelled nor returned
	Store        location.Location `db:"-"`
	Fulfilment   Fulfilment        `db:"-"`
	Parts        []Fulfilment
	Lines        []OrderLine
	Discounts    []OrderDiscount
	Tenders      []Tender
	Attempt      *Attempt
	Documents    []Document
	Returns      []Return
	Prepared     bool      // by staff: not paid yet, its customer pays it by its link
	AddsTo       *Related  // the order that this one was added to
	Added        []Related // what was added to this one
}

// Related is an order that another one goes with.
type Related struct {
	ID       int64  `json:"id"`
	Number   int64  `json:"number"`
	PublicID string `json:"public_id"`
	State    string `json:"state"`
}

// Fulfilment is a part of an order, as pages show it. Times are zero where they have not come.
type Fulfilment struct {
	ID          int64      `json:"id"`
	Method      string     `json:"method"`
	LocationID  int64      `json:"location_id"`
	State       string     `json:"state"`
	Code        string     `json:"code"`
	Token       string     `json:"token"`
	ReadyBy     *time.Time `json:"ready_by"`
	ReadyAt     *time.Time `json:"ready_at"`
	Place       string     `json:"place"`
	HoldUntil   *time.Time `json:"hold_until"`
	ExtendedAt  *time.Time `json:"extended_at"` // the hold, by the shopper
	ExpiredAt   *time.Time `json:"expired_at"`  // nobody came
	DecideBy    *time.Time `json:"decide_by"`   // of a part that waits for a choice
	CollectedAt *time.Time `json:"collected_at"`
	ShippedAt   *time.Time `json:"shipped_at"`
	ArrivesFrom string     `json:"arrives_from"`
	ArrivesBy   string     `json:"arrives_by"`
	Carrier     string     `json:"carrier"`
	Tracking    string     `json:"tracking"`
	Paid        int64      `json:"paid"` // for the delivery
	Tax         int64      `json:"tax"`  // of that
	TaxName     string     `json:"tax_name"`
	Name        string     `json:"name"`
	Lines       string     `json:"lines"`
	Town        string     `json:"town"`
	Region      string     `json:"region"`
	Postcode    string     `json:"postcode"`
	Country     string     `json:"country"`
	Store       *location.Location
}

// Address of a part that is sent.
func (f *Fulfilment) Address() postal.Address {
	return postal.Address{Name: f.Name, Lines: f.Lines, Town: f.Town, Region: f.Region, Postcode: f.Postcode,
		Country: f.Country}
}

// Days on which a part arrives. False where it is not sent.
func (f *Fulfilment) Days() (from, by time.Time, ok bool) {
	from, err := time.Parse(time.DateOnly, f.ArrivesFrom)
	if err != nil {
		return from, by, false
	}
	by, err = time.Parse(time.DateOnly, f.ArrivesBy)
	return from, by, err == nil
}

// OrderLine with how its units stand.
type OrderLine struct {
	ID        int64  `json:"id"`
	PartID    int64  `json:"part_id"`
	VariantID int64  `json:"variant_id"`
	SKU       string `json:"sku"`
	Title     string `json:"title"`
	Options   string `json:"options"`
	Slug      string `json:"slug"`
	ProductID int64  `json:"product_id"`
	Picture   string `json:"picture"`
	Quantity  int    `json:"quantity"`
	UnitPrice int64  `json:"unit_price"`
	ListPrice int64  `json:"list_price"`
	Amount    int64  `json:"amount"`
	Discount  int64  `json:"discount"`
	TaxName   string `json:"tax_name"`
	TaxPPM    int64  `json:"tax_ppm"`
	Tax       int64  `json:"tax"`
	Gift      bool   `json:"gift"`
	Note      string `json:"note"`
	Open      int    `json:"open"`
	Collected int    `json:"collected"` // handed over in any way
	Cancelled int    `json:"cancelled"`
	Returned  int    `json:"returned"`
	Kept      int64  `json:"kept"` // what its units cost that are not cancelled
	Barcode   string `json:"barcode"`
	OnHand    int    `json:"on_hand"`
	KeptTax   int64  `json:"kept_tax"`
	Picked    int    `json:"picked"`
	NotFound  bool   `json:"not_found"` // its cancelled units were not on the shelf
}

// OrderDiscount is a promotion's part in an order.
type OrderDiscount struct {
	Title  string `json:"title"`
	Code   string `json:"code"`
	Level  string `json:"level"`
	Amount int64  `json:"amount"`
}

// Tender of an order.
type Tender struct {
	Kind       string `json:"kind"`
	Authorised int64  `json:"authorised"`
	Captured   int64  `json:"captured"`
	Refunded   int64  `json:"refunded"`
	Given      int64  `json:"given"` // cash laid down, or 0
	Points     int64  `json:"points"`
	Ends       string `json:"ends"` // of a gift card's code
}

// Attempt is the last one to pay through a gateway.
type Attempt struct {
	ID       int64  `json:"id"`
	State    string `json:"state"`
	Method   string `json:"method"`
	Amount   int64  `json:"amount"`
	Declined string `json:"declined"`
}

// Document that was issued about an order.
type Document struct {
	Series string `json:"series"`
	Number int64  `json:"number"`
	Total  int64  `json:"total"`
}

// Return of goods of an order.
type Return struct {
	Number     int64     `json:"number"`
	At         time.Time `json:"at"`
	Store      string    `json:"store"`
	Refund     int64     `json:"refund"`
	PointsBack int64     `json:"points_back"`
	Exchange   string    `json:"exchange"` // public id of what was taken instead
	ExchangeID int64     `json:"exchange_id"`
}

func (o *Order) Money(minor int64) money.Money { return money.New(minor, o.Currency) }

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
	for _, part := range o.Parts {
		if part.State != "cancelled" {
			tax += part.Tax
		}
	}
	return tax
}

// Missing is what was taken back from the order, in money: what could not be found, with the delivery of parts that are
// not sent.
func (o *Order) Missing() int64 {
	kept := int64(0)
	for _, line := range o.Lines {
		kept += line.Kept
	}
	for _, part := range o.Parts {
		if part.State != "cancelled" {
			kept += part.Paid
		}
	}
	return o.Total - kept
}

// LinesOf a part.
func (o *Order) LinesOf(part int64) (lines []OrderLine) {
	for _, line := range o.Lines {
		if line.PartID == part {
			lines = append(lines, line)
		}
	}
	return lines
}

// Refunded is what went back so far, in every way but points.
func (o *Order) Refunded() (refunded int64) {
	for _, tender := range o.Tenders {
		refunded += tender.Refunded
	}
	return refunded
}

// CanCancel says whether its owner may still call it off: nothing was handed over, sent or staged.
func (o *Order) CanCancel() bool {
	if o.State == "cancelled" {
		return false
	}
	for _, part := range o.Parts {
		if part.State != "to_pick" && part.State != "waiting" && part.State != "undecided" &&
			part.State != "cancelled" {
			return false
		}
	}
	return true
}

// orderHead is an order with its parts, as pages and mails need them.
const orderHead = `
	o.id, o.number, o.public_id, o.customer_id, o.location_id AS home_id, o.channel, o.state, o.payment_state, o.currency::text, o.tax_included,
	o.language, o.lines AS sum, o.discount, o.shipping, o.tax, o.total,
	o.name, o.email, o.phone, o.hold_reason, o.placed_at, o.hold_until,` + order.ToPay + ` AS to_pay,
	EXISTS (SELECT FROM draft_order WHERE order_id = o.id) AS prepared,
	(SELECT json_agg(json_build_object('id', f.id, 'method', f.method, 'location_id', f.location_id, 'state', f.state,
		'code', coalesce(f.code, ''), 'token', coalesce(f.token, ''), 'ready_by', f.ready_by,
		'ready_at', f.ready_at, 'place', f.place, 'hold_until', f.hold_until, 'extended_at', f.extended_at,
			'expired_at', f.expired_at,
		'decide_by', CASE WHEN f.state = 'undecided' THEN (SELECT max(decide_by) FROM shortage
			WHERE fulfilment_id = f.id) END, 'collected_at', f.collected_at, 'shipped_at', f.shipped_at, 'arrives_from',
			coalesce(f.arrives_from::text, ''),
		'arrives_by', coalesce(f.arrives_by::text, ''), 'carrier', f.carrier, 'tracking', f.tracking, 'paid', f.paid,
			'tax', f.tax, 'tax_name', f.tax_name, 'name', f.name, 'lines', f.lines, 'town', f.town, 'region', f.region,
		'postcode', f.postcode, 'country', coalesce(f.country::text, '')) ORDER BY f.id)
	FROM fulfilment f
	WHERE f.order_id = o.id) AS parts`

const orderColumns = orderHead + `,
	coalesce((
		SELECT sum(u.points)
		FROM order_line ol
		JOIN order_unit u ON u.order_line_id = ol.id
		WHERE ol.order_id = o.id AND u.state <> 'cancelled' AND NOT EXISTS (SELECT FROM returned_unit r
			WHERE r.order_line_id = u.order_line_id AND r.n = u.n)), 0)::bigint AS earns,
	(SELECT coalesce(json_agg(json_build_object('id', ol.id, 'part_id', ol.fulfilment_id, 'variant_id', ol.variant_id,
		'sku', ol.sku, 'title', ol.title, 'options', ol.options, 'slug', p.slug, 'product_id', p.id, 'picture', coalesce(pic.key, ''),
		'quantity', ol.quantity, 'unit_price', ol.unit_price, 'list_price', ol.list_price, 'amount', ol.amount,
			'discount', ol.discount, 'tax_name', ol.tax_name, 'tax_ppm', ol.tax_ppm, 'tax', ol.tax, 'gift', ol.gift,
			'note', ol.note,
		'open', unit.open, 'collected', unit.collected, 'cancelled', unit.cancelled, 'kept', unit.kept, 'kept_tax',
			unit.kept_tax,
		'returned', (SELECT count(*) FROM returned_unit WHERE order_line_id = ol.id),
		'not_found', EXISTS (SELECT FROM reservation WHERE order_line_id = ol.id AND release = 'short')
			OR EXISTS (SELECT FROM shortage WHERE order_line_id = ol.id),
		'picked', ol.picked, 'barcode', coalesce((SELECT min(gtin) FROM barcode WHERE variant_id = v.id), ''),
		'on_hand', coalesce((SELECT on_hand FROM stock_level WHERE variant_id = v.id AND location_id = o.location_id
			AND condition = 'sellable'), 0)) ORDER BY ol.position), '[]')
	FROM order_line ol
	JOIN variant v ON v.id = ol.variant_id
	JOIN product p ON p.id = v.product_id
	LEFT JOIN picture pic ON pic.id = coalesce(v.picture_id, (SELECT id FROM picture WHERE product_id = p.id
		ORDER BY position LIMIT 1))
	CROSS JOIN LATERAL (
		SELECT count(*) FILTER (WHERE state = 'open') AS open, count(*) FILTER (WHERE state IN ('collected',
			'carried_out', 'shipped')) AS collected,
			count(*) FILTER (WHERE state = 'cancelled') AS cancelled,
			coalesce(sum(paid) FILTER (WHERE state <> 'cancelled'), 0) AS kept,
			coalesce(sum(tax) FILTER (WHERE state <> 'cancelled'), 0) AS kept_tax
		FROM order_unit
		WHERE order_line_id = ol.id) unit
	WHERE ol.order_id = o.id) AS lines,
	(SELECT coalesce(json_agg(json_build_object('title', title, 'code', code, 'level', level, 'amount', amount)
		ORDER BY id), '[]')
	FROM order_discount
	WHERE order_id = o.id) AS discounts,
	(SELECT coalesce(json_agg(json_build_object('kind', t.kind, 'authorised', t.authorised, 'captured', t.captured,
		'refunded', t.refunded, 'given', coalesce(t.given, 0), 'points', coalesce(t.points, 0),
		'ends', coalesce(g.ends, '')) ORDER BY t.id) FILTER (WHERE t.kind <> 'pay_at_pickup'), '[]')
	FROM tender t
	LEFT JOIN gift_card g ON g.id = t.gift_card_id
	WHERE t.order_id = o.id) AS tenders,
	(SELECT json_build_object('id', id, 'state', state, 'method', method, 'amount', amount, 'declined', declined)
	FROM payment
	WHERE order_id = o.id
	ORDER BY id DESC
	LIMIT 1) AS attempt,
	(SELECT coalesce(json_agg(json_build_object('series', series, 'number', number, 'total', total) ORDER BY id), '[]')
	FROM document
	WHERE order_id = o.id) AS documents,
	(SELECT coalesce(json_agg(json_build_object('number', r.number, 'at', r.at, 'store', at.name, 'refund', r.refund,
		'points_back', r.points_back, 'exchange', coalesce(x.public_id, ''), 'exchange_id', coalesce(x.id, 0))
		ORDER BY r.id), '[]')
	FROM return_ticket r
	JOIN location at ON at.id = r.location_id
	LEFT JOIN orders x ON x.id = r.exchange_id
	WHERE r.order_id = o.id) AS returns,
	(SELECT json_build_object('id', x.id, 'number', x.number, 'public_id', x.public_id, 'state', x.state)
	FROM draft_order d
	JOIN orders x ON x.id = d.adds_to
	WHERE d.order_id = o.id) AS adds_to,
	(SELECT coalesce(json_agg(json_build_object('id', x.id, 'number', x.number, 'public_id', x.public_id, 'state', x.state) ORDER BY x.id),
		'[]')
	FROM draft_order d
	JOIN orders x ON x.id = d.order_id
	WHERE d.adds_to = o.id AND x.state <> 'cancelled') AS added`

// readOrder reads an order by a condition on o that takes one argument, with the stores of its parts; part is the one
// that is looked at, or 0. Stores that the process knows are not read.
func readOrder(ctx context.Context, db pg.DB, where string, arg any, part int64, known *reference.Data) (*Order, error) {
	var o Order
	var stores []location.Location
	batch := &pgx.Batch{}
	batch.Queue(`
		SELECT `+orderColumns+`
		FROM orders o
		WHERE `+where, arg).Query(func(rows pgx.Rows) (err error) {
		o, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Order])
		return err
	})
	if known == nil {
		batch.Queue(`
			SELECT `+location.Columns+`
			FROM location l
			WHERE l.id IN (SELECT f.location_id FROM fulfilment f JOIN orders o ON o.id = f.order_id WHERE `+where+`)`,
			arg).Query(func(rows pgx.Rows) (err error) {
			stores, err = pgx.CollectRows(rows, pgx.RowToStructByName[location.Location])
			return err
		})
	}
	err := db.SendBatch(ctx, batch).Close()
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read an order: %w", err)
	}
	if known != nil {
		stores = known.Locations
	}
	if !o.at(stores, part) {
		// It went to another store between the two statements, or is at one that has closed: it is read as it stands.
		return readOrder(ctx, db, where, arg, part, nil)
	}
	return &o, nil
}

// at has each part of an order know its store, and the order the part that is looked at. False where a store is none of
// these.
func (o *Order) at(stores []location.Location, part int64) bool {
	for i := range o.Parts {
		k := slices.IndexFunc(stores, func(l location.Location) bool { return l.ID == o.Parts[i].LocationID })
		if k < 0 {
			return false
		}
		o.Parts[i].Store = &stores[k]
		if i == 0 || o.Parts[i].ID == part {
			o.Fulfilment, o.Store = o.Parts[i], stores[k]
		}
	}
	return true
}

// MailOrder is an order as a mail about it needs it: its lines have what they are, how many are kept and what those
// cost.
type MailOrder struct {
	Order
	Shop       string
	SenderName string
	ReplyTo    string
	Sent       []string // kinds of mails that were posted about it
	Stores     []location.Location
}

// OrderForMail reads an order for the job that writes about it. Nil when there is none.
func OrderForMail(ctx context.Context, db pg.DB, id int64) (*MailOrder, error) {
	rows, err := db.Query(ctx, `
		SELECT `+orderHead+`,
			(SELECT coalesce(json_agg(json_build_object('id', ol.id, 'part_id', ol.fulfilment_id, 'title', ol.title,
				'options', ol.options, 'slug', p.slug, 'quantity', ol.quantity, 'cancelled', unit.cancelled,
				'kept', unit.kept) ORDER BY ol.position), '[]')
			FROM order_line ol
			JOIN variant v ON v.id = ol.variant_id
			JOIN product p ON p.id = v.product_id
			CROSS JOIN LATERAL (
				SELECT count(*) FILTER (WHERE state = 'cancelled') AS cancelled,
					coalesce(sum(paid) FILTER (WHERE state <> 'cancelled'), 0) AS kept
				FROM order_unit
				WHERE order_line_id = ol.id) unit
			WHERE ol.order_id = o.id) AS lines,
			coalesce(shop.name, '') AS shop, coalesce(nullif(shop.sender_name, ''), shop.name, '') AS sender_name,
			coalesce(shop.reply_to, '') AS reply_to,
			(SELECT coalesce(array_agg(kind), '{}') FROM message WHERE order_id = o.id) AS sent,
			(SELECT json_agg(json_build_object('id', l.id, 'name', l.name, 'street', l.street, 'town', l.town,
				'timezone', l.time_zone))
			FROM location l
			WHERE l.id IN (SELECT location_id FROM fulfilment WHERE order_id = o.id)) AS stores
		FROM orders o
		LEFT JOIN shop ON true
		WHERE o.id = $1`, id)
	if err != nil {
		return nil, fmt.Errorf("read an order for a mail: %w", err)
	}
	o, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByNameLax[MailOrder])
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read an order for a mail: %w", err)
	}
	o.at(o.Stores, 0)
	return &o, nil
}

// OrderByLink reads an order by its unguessable id; known is what the process knows of stores, or nil. Nil when there is
// no such order.
func OrderByLink(ctx context.Context, db pg.DB, publicID string, known *reference.Data) (*Order, error) {
	return readOrder(ctx, db, `o.public_id = $1`, publicID, 0, known)
}

// OrderByID reads an order for a job or an office.
func OrderByID(ctx context.Context, db pg.DB, id int64) (*Order, error) {
	return readOrder(ctx, db, `o.id = $1`, id, 0, nil)
}

// OrderAt reads the order of a fulfilment at a location, for that store's counter. Nil when it is not theirs.
func OrderAt(ctx context.Context, db pg.DB, fulfilmentID, locationID int64) (*Order, error) {
	o, err := readOrder(ctx, db, `o.id = (SELECT order_id FROM fulfilment WHERE id = $1)`, fulfilmentID, fulfilmentID, nil)
	if err != nil || o == nil || o.Fulfilment.LocationID != locationID {
		return nil, err
	}
	return o, nil
}

// SharedLine is a line of a cart that somebody shows to somebody else.
type SharedLine struct {
	Slug, SKU, Title, Options, Picture string
	Quantity                           int
	UnitPrice                          money.Money
	Sold                               bool // it has a price where the cart is
}

// SharedCart is what lies in the cart behind a link, and whose it is; 0 where the link opens none.
func SharedCart(ctx context.Context, db pg.DB, word, language string) (owner int64, lines []SharedLine, err error) {
	rows, err := db.Query(ctx, `
		SELECT c.customer_id, product.slug, v.sku, t.title, array_to_string(v.options, ', '), coalesce(pic.key, ''),
			cl.quantity, coalesce(price.amount, 0), home.currency::text, price.amount IS NOT NULL
		FROM cart c
		CROSS JOIN LATERAL home_location(c.location_id, 0) home
		JOIN cart_line cl ON cl.cart_id = c.id AND cl.sold_at IS NULL -- what lies on a counter is for those who stand there
		JOIN variant v ON v.id = cl.variant_id AND v.active
		JOIN product ON product.id = v.product_id AND product.status = 'active'
		JOIN LATERAL (
			SELECT title
			FROM product_text
			WHERE product_id = product.id
			ORDER BY language = $2 DESC, language = 'en' DESC
			LIMIT 1) t ON true
		LEFT JOIN picture pic ON pic.id = coalesce(v.picture_id, (SELECT id FROM picture WHERE product_id = product.id
			ORDER BY position LIMIT 1))
		LEFT JOIN price_list list ON list.currency = home.currency
			AND list.tax_included = home.tax_included`+catalog.NowOn+`
		WHERE c.opens_for = $1 AND c.state IN ('open', 'ordered')
		ORDER BY cl.added_at, cl.id`, word, language)
	if err != nil {
		return 0, nil, fmt.Errorf("read a shared cart: %w", err)
	}
	var l SharedLine
	_, err = pgx.ForEachRow(rows, []any{&owner, &l.Slug, &l.SKU, &l.Title, &l.Options, &l.Picture, &l.Quantity,
		&l.UnitPrice.Minor, &l.UnitPrice.Currency, &l.Sold}, func() error {
		lines = append(lines, l)
		return nil
	})
	return owner, lines, err
}
