// Package order is what was agreed: lines, what was paid for each unit, and how and where the goods are handed over.
package order

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/origin"
	"counterpart/internal/platform/pg"
)

// Order states. Payment and fulfilment have axes of their own.
const (
	Placed    = "placed" // its money is under way
	Confirmed = "confirmed"
	Cancelled = "cancelled"
)

// Payment states.
const (
	Pending    = "pending"
	Due        = "due" // at pickup
	Authorised = "authorised"
	Paid       = "paid"
	Void       = "void"
)

// New is an order to be written, as a quote froze it. Amounts are minor units.
type New struct {
	CartID       int64
	CustomerID   int64
	Channel      origin.Channel
	LocationID   int64 // where it is counted: the first part's
	AssociateID  int64
	Currency     string
	TaxIncluded  bool
	Language     string
	PaymentState string
	HoldUntil    *time.Time // while it is placed and not confirmed
	Parts        []NewFulfilment
	Lines        []NewLine
	Discounts    []Discount
	Sum          int64
	Discount     int64
	Shipping     int64
	Tax          int64
	Total        int64
	Name         string
	Email        string
	Phone        string
	VATNumber    string    // the buyer's, where they buy for a business
	TermsID      int64     // the version of the terms that it is placed under; 0: none was shown
	PlacedAt     time.Time // zero: now; only the demo tells stories about the past
}

// NewFulfilment is what is handed over in one way from one place.
type NewFulfilment struct {
	Method     string
	LocationID int64
	ReadyBy    *time.Time // pickup
	DeliveryID int64
	To         Address
	Charge     int64 // of a delivery, before what was taken off
	Discount   int64
	Paid       int64 // with tax
	Tax        int64
	TaxName    string
	TaxPPM     int64
	Carrier    string
	From, By   *time.Time // the days on which it arrives
}

// Address is where something is sent. Lines is street, flat, whatever the country writes, one a line.
type Address struct{ Name, Lines, Town, Region, Postcode, Country string }

// NewLine freezes what was shown and what each unit costs.
type NewLine struct {
	Part      int // its place in Parts
	VariantID int64
	SKU       string
	Title     string
	Options   string
	Quantity  int
	UnitPrice int64
	ListPrice int64
	Amount    int64
	Discount  int64
	Tax       int64
	TaxName   string
	TaxPPM    int64
	Gift      bool
	Note      string
	// WithoutStock says that nothing is reserved for it: it is not tracked, or comes later.
	WithoutStock bool
	Units        []Unit
}

// Unit freezes one unit.
type Unit struct{ Paid, Tax, Discount, ByPoints, Points int64 }

// Discount is a promotion's part in an order. Shares name a line by its place in Lines and a unit from 0; a delivery's
// discount has none.
type Discount struct {
	PromotionID int64
	Level       string
	Title       string
	Code        string
	Amount      int64
	Shares      []Share
}

type Share struct {
	Line, N int
	Amount  int64
}

// CreatedOrder is what the database made of it. Lines and Parts are the ids in the order given.
type CreatedOrder struct {
	ID       int64
	Number   int64
	PublicID string
	Parts    []int64
	Lines    []int64
}

// Create writes an order in one statement: header, parts, lines, a row for every unit, and the discounts with their
// shares. With HoldUntil it is placed and its parts wait for the payment; without, it is confirmed.
func Create(ctx context.Context, tx pgx.Tx, n New) (CreatedOrder, error) {
	w := CreatedOrder{PublicID: rand.Text()}
	err := tx.QueryRow(ctx, `
		WITH o AS (
			INSERT INTO orders (public_id, cart_id, customer_id, channel, location_id, associate_id, currency,
				tax_included, language, state, payment_state, hold_until,
				lines, discount, shipping, tax, total, name, email, phone, vat_number, placed_at,
				terms_id)
			VALUES (@public_id, nullif(@cart::bigint, 0), @customer, @channel, @location, nullif(@associate::bigint, 0),
				@currency, @included, @language,
				CASE WHEN @hold::timestamptz IS NULL THEN 'confirmed' ELSE 'placed' END, @payment, @hold::timestamptz,
				@sum, @discount, @shipping, @tax, @total, @name, @email, @phone, @vat, coalesce(@placed::timestamptz,
					now()), (SELECT id FROM page_version WHERE id = @terms))
			RETURNING id, number),
		f AS (
			INSERT INTO fulfilment (order_id, method, location_id, state, code, token, ready_by, delivery_id, name,
				lines, town, region, postcode, country,
				charge, discount, paid, tax, tax_name, tax_ppm, carrier, arrives_from, arrives_by)
			SELECT o.id, part.method, part.location, CASE WHEN @hold::timestamptz IS NULL THEN 'to_pick'
				ELSE 'waiting' END, nullif(part.code, ''), nullif(part.token, ''), part.ready_by,
				nullif(part.delivery, 0), part.name, part.lines, part.town, part.region, part.postcode,
					nullif(part.country, ''),
				part.charge, part.discount, part.paid, part.tax, part.tax_name, part.tax_ppm, part.carrier,
					part.arrives_from, part.arrives_by
			FROM o, jsonb_to_recordset(@parts::jsonb) AS part (n integer, method text, location bigint, code text,
				token text, ready_by timestamptz, delivery bigint,
				name text, lines text, town text, region text, postcode text, country text, charge bigint,
					discount bigint, paid bigint, tax bigint, tax_name text, tax_ppm integer,
				carrier text, arrives_from date, arrives_by date)
			ORDER BY part.n
			RETURNING id),
		part AS (
			SELECT id, row_number() OVER (ORDER BY id) - 1 AS n
			FROM f),
		l AS (
			INSERT INTO order_line (order_id, fulfilment_id, position, variant_id, sku, title, options, quantity,
				unit_price, list_price, amount, discount, tax_name, tax_ppm, tax, gift, note, without_stock)
			SELECT o.id, part.id, line.n, variant, sku, title, options, quantity, price, list, amount, discount,
				tax_name, ppm, tax, gift, note, without_stock
			FROM o, unnest(@line_parts::bigint[], @variants::bigint[], @skus::text[], @titles::text[], @options::text[],
				@quantities::bigint[], @prices::bigint[], @lists::bigint[], @amounts::bigint[],
				@discounts::bigint[], @tax_names::text[], @ppms::bigint[], @taxes::bigint[], @gifts::boolean[],
					@notes::text[], @without_stock::boolean[]) WITH ORDINALITY
				AS line (part, variant, sku, title, options, quantity, price, list, amount, discount, tax_name, ppm,
					tax, gift, note, without_stock, n)
			JOIN part ON part.n = line.part
			RETURNING id, position),
		u AS (
			INSERT INTO order_unit (order_line_id, n, paid, tax, discount, by_points, points)
			SELECT l.id, unit.n, unit.paid, unit.tax, unit.discount, unit.by_points, unit.points
			FROM unnest(@unit_lines::bigint[], @unit_ns::bigint[], @unit_paid::bigint[], @unit_tax::bigint[],
				@unit_discounts::bigint[], @unit_by_points::bigint[], @unit_points::bigint[])
				AS unit (line, n, paid, tax, discount, by_points, points)
			JOIN l ON l.position = unit.line),
		d AS (
			INSERT INTO order_discount (order_id, promotion_id, level, title, code, amount)
			SELECT o.id, promotion, level, title, code, amount
			FROM o, unnest(@promotions::bigint[], @levels::text[], @discount_titles::text[], @codes::text[],
				@discount_amounts::bigint[]) AS d (promotion, level, title, code, amount)
			RETURNING id, promotion_id),
		s AS (
			INSERT INTO order_share (order_discount_id, order_line_id, n, amount)
			SELECT d.id, l.id, share.n, share.amount
			FROM unnest(@share_promotions::bigint[], @share_lines::bigint[], @share_ns::bigint[],
				@share_amounts::bigint[]) AS share (promotion, line, n, amount)
			JOIN d ON d.promotion_id = share.promotion
			JOIN l ON l.position = share.line)
		SELECT o.id, o.number, (SELECT array_agg(id ORDER BY id) FROM f), (SELECT array_agg(l.id ORDER BY l.position)
			FROM l)
		FROM o`, n.args(w.PublicID)).Scan(&w.ID, &w.Number, &w.Parts, &w.Lines)
	if err != nil {
		return CreatedOrder{}, fmt.Errorf("write an order: %w", err)
	}
	return w, nil
}

// part is a Part as the statement takes it.
type part struct {
	N           int        `json:"n"`
	Method      string     `json:"method"`
	Location    int64      `json:"location"`
	Code        string     `json:"code"`
	Token       string     `json:"token"`
	ReadyBy     *time.Time `json:"ready_by"`
	Delivery    int64      `json:"delivery"`
	Name        string     `json:"name"`
	Lines       string     `json:"lines"`
	Town        string     `json:"town"`
	Region      string     `json:"region"`
	Postcode    string     `json:"postcode"`
	Country     string     `json:"country"`
	Charge      int64      `json:"charge"`
	Discount    int64      `json:"discount"`
	Paid        int64      `json:"paid"`
	Tax         int64      `json:"tax"`
	TaxName     string     `json:"tax_name"`
	TaxPPM      int64      `json:"tax_ppm"`
	Carrier     string     `json:"carrier"`
	ArrivesFrom *string    `json:"arrives_from"`
	ArrivesBy   *string    `json:"arrives_by"`
}

func (n New) args(publicID string) pgx.NamedArgs {
	parts := make([]part, len(n.Parts))
	for i, p := range n.Parts {
		parts[i] = part{N: i, Method: p.Method, Location: p.LocationID, ReadyBy: p.ReadyBy, Delivery: p.DeliveryID,
			Name: p.To.Name, Lines: p.To.Lines, Town: p.To.Town, Region: p.To.Region,
			Postcode: p.To.Postcode, Country: p.To.Country, Charge: p.Charge, Discount: p.Discount, Paid: p.Paid,
			Tax: p.Tax, TaxName: p.TaxName, TaxPPM: p.TaxPPM, Carrier: p.Carrier,
			ArrivesFrom: day(p.From), ArrivesBy: day(p.By)}
		if p.Method == "pickup" {
			parts[i].Token = rand.Text()
			if n.HoldUntil == nil {
				parts[i].Code = newCode() // Six digits are few: an order that is not confirmed yet holds none.
			}
		}
	}
	var (
		lineParts, variants, quantities, prices, lists, amounts, discounts, taxes, ppms []int64
		unitLines, unitNs, unitPaid, unitTax, unitDiscounts, unitByPoints, unitPoints   []int64
		promotions, discountAmounts, sharePromotions, shareLines, shareNs, shareAmounts []int64
		skus, titles, options, taxNames, notes, levels, discountTitles, codes           []string
		gifts, withoutStock                                                             []bool
	)
	for i, line := range n.Lines {
		lineParts, variants, skus, titles = append(lineParts, int64(line.Part)), append(variants,
			line.VariantID), append(skus, line.SKU), append(titles, line.Title)
		options, quantities, prices, lists = append(options, line.Options), append(quantities,
			int64(line.Quantity)), append(prices, line.UnitPrice), append(lists, line.ListPrice)
		amounts, discounts, taxes = append(amounts, line.Amount), append(discounts, line.Discount), append(taxes,
			line.Tax)
		taxNames, ppms, gifts, notes = append(taxNames, line.TaxName), append(ppms, line.TaxPPM), append(gifts,
			line.Gift), append(notes, line.Note)
		withoutStock = append(withoutStock, line.WithoutStock)
		for k, unit := range line.Units {
			unitLines, unitNs, unitPaid, unitTax = append(unitLines, int64(i+1)), append(unitNs,
				int64(k+1)), append(unitPaid, unit.Paid), append(unitTax, unit.Tax)
			unitDiscounts, unitByPoints, unitPoints = append(unitDiscounts, unit.Discount), append(unitByPoints,
				unit.ByPoints), append(unitPoints, unit.Points)
		}
	}
	for _, d := range n.Discounts {
		promotions, levels, discountTitles = append(promotions, d.PromotionID), append(levels,
			d.Level), append(discountTitles, d.Title)
		codes, discountAmounts = append(codes, d.Code), append(discountAmounts, d.Amount)
		for _, s := range d.Shares {
			sharePromotions, shareLines = append(sharePromotions, d.PromotionID), append(shareLines, int64(s.Line+1))
			shareNs, shareAmounts = append(shareNs, int64(s.N+1)), append(shareAmounts, s.Amount)
		}
	}
	var placed *time.Time
	if !n.PlacedAt.IsZero() {
		placed = &n.PlacedAt
	}
	return pgx.NamedArgs{
		"public_id": publicID, "cart": n.CartID, "customer": n.CustomerID, "channel": n.Channel,
		"location": n.LocationID, "associate": n.AssociateID,
		"currency": n.Currency, "included": n.TaxIncluded, "language": n.Language, "payment": n.PaymentState,
		"hold": n.HoldUntil,
		"sum":  n.Sum, "discount": n.Discount, "shipping": n.Shipping, "tax": n.Tax, "total": n.Total, "name": n.Name,
		"email": n.Email, "phone": n.Phone, "vat": n.VATNumber, "terms": n.TermsID, "placed": placed,
		"parts": parts, "line_parts": lineParts, "variants": variants, "skus": skus, "titles": titles,
		"options": options, "quantities": quantities, "prices": prices, "lists": lists,
		"amounts": amounts, "discounts": discounts, "tax_names": taxNames, "ppms": ppms, "taxes": taxes, "gifts": gifts,
		"notes": notes, "without_stock": withoutStock,
		"unit_lines": unitLines, "unit_ns": unitNs, "unit_paid": unitPaid, "unit_tax": unitTax,
		"unit_discounts": unitDiscounts, "unit_by_points": unitByPoints, "unit_points": unitPoints,
		"promotions": promotions, "levels": levels, "discount_titles": discountTitles, "codes": codes,
		"discount_amounts": discountAmounts,
		"share_promotions": sharePromotions, "share_lines": shareLines, "share_ns": shareNs,
		"share_amounts": shareAmounts,
	}
}

func day(t *time.Time) *string {
	if t == nil {
		return nil
	}
	s := t.Format(time.DateOnly)
	return &s
}

// CodeTaken says that the drawn pickup code is another open order's in that store: run the transaction again for a new
// one.
func CodeTaken(err error) bool { return pg.Violates(err, "fulfilment_open_code") }

// newCode is six digits to be said aloud at a counter, where tries are counted.
func newCode() string {
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		panic(err) // crypto/rand does not fail on a machine that works.
	}
	return fmt.Sprintf("%06d", n)
}

// OfCart is the order that a customer's cart made, or nothing: the answer to a checkout that was sent twice.
func OfCart(ctx context.Context, db pg.DB, customerID, cartID int64) (*ExistingOrder, error) {
	rows, err := db.Query(ctx, `
		SELECT id, public_id, number, EXISTS (SELECT FROM cart_line WHERE cart_id = orders.cart_id
			AND sold_at IS NOT NULL)
		FROM orders
		WHERE customer_id = $1 AND cart_id = $2`, customerID, cartID)
	if err != nil {
		return nil, fmt.Errorf("find a cart's order: %w", err)
	}
	m, err := pgx.CollectExactlyOneRow(rows, pgx.RowToAddrOfStructByPos[ExistingOrder])
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	return m, err
}

// ExistingOrder is the order that a cart became.
type ExistingOrder struct {
	ID       int64
	PublicID string
	Number   int64
	Sold     bool // at a counter
}

// SetEmailOnce says where messages about an order go. False where that was said before.
func SetEmailOnce(ctx context.Context, tx pgx.Tx, orderID int64, email string) (bool, error) {
	tag, err := tx.Exec(ctx, `
		UPDATE orders
		SET email = $2
		WHERE id = $1 AND email = ''`, orderID, email)
	if err != nil {
		return false, fmt.Errorf("give an order an email address: %w", err)
	}
	return tag.RowsAffected() == 1, nil
}

// CountWaiting is how many orders of these customers are still to be collected.
func CountWaiting(ctx context.Context, tx pgx.Tx, customers []int64) (n int, err error) {
	err = tx.QueryRow(ctx, `
		SELECT count(*)
		FROM orders o
		JOIN fulfilment f ON f.order_id = o.id
		WHERE o.customer_id = ANY($1) AND f.state IN ('waiting', 'undecided', 'to_pick', 'ready')`, customers).Scan(&n)
	return n, err
}

// Forget takes the names, addresses and numbers of customers out of their orders; what was bought and paid stays.
func Forget(ctx context.Context, tx pgx.Tx, customers []int64) error {
	_, err := tx.Exec(ctx, `
		UPDATE orders
		SET name = '', email = '', phone = '', vat_number = '', hold_reason = ''
		WHERE customer_id = ANY($1)`, customers)
	if err != nil {
		return fmt.Errorf("forget names on orders: %w", err)
	}
	_, err = tx.Exec(ctx, `
		UPDATE fulfilment
		SET name = '', lines = '', town = '', region = '', postcode = ''
		WHERE method = 'ship' AND order_id IN (SELECT id FROM orders WHERE customer_id = ANY($1))`, customers)
	if err != nil {
		return fmt.Errorf("forget addresses on orders: %w", err)
	}
	_, err = tx.Exec(ctx, `
		UPDATE order_line
		SET note = ''
		WHERE note <> '' AND order_id IN (SELECT id FROM orders WHERE customer_id = ANY($1))`, customers)
	if err != nil {
		return fmt.Errorf("forget notes on orders: %w", err)
	}
	_, err = tx.Exec(ctx, `
		UPDATE draft_order
		SET name = '', email = '', phone = '', lines = '', town = '', region = '', postcode = ''
		WHERE customer_id = ANY($1)`, customers)
	if err != nil {
		return fmt.Errorf("forget whom drafts were for: %w", err)
	}
	for _, table := range []string{"order_note", "order_tag"} {
		_, err := tx.Exec(ctx, "DELETE FROM "+table+" WHERE order_id IN (SELECT id FROM orders WHERE customer_id = ANY($1))",
			customers)
		if err != nil {
			return fmt.Errorf("forget what staff wrote on orders: %w", err)
		}
	}
	return nil
}
