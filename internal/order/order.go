// Package order is what was agreed: lines, what was paid for each piece, and how and where the goods are handed over.
package order

import (
	"context"
	"crypto/rand"
	"fmt"
	"math/big"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/pg"
)

// Order states. Payment and fulfilment have axes of their own.
const (
	Confirmed = "confirmed"
	Cancelled = "cancelled"
)

// New is an order to be written: one part, one fulfilment, for now.
type New struct {
	CartID      int64
	CustomerID  int64
	Channel     string
	LocationID  int64
	AssociateID int64
	Currency    string
	TaxIncluded bool
	Language    string
	Lines       []NewLine
	Sum         int64
	Tax         int64
	Total       int64
	Name        string
	Email       string
	Phone       string
	ReadyBy     time.Time
	PlacedAt    time.Time // zero: now; only the demo tells stories about the past
}

// NewLine freezes what was shown and what each piece costs.
type NewLine struct {
	VariantID int64
	SKU       string
	Title     string
	Options   string
	Quantity  int
	UnitPrice int64
	Amount    int64
	Tax       int64
	TaxName   string
	TaxPPM    int64
	UnitPaid  []int64
	UnitTax   []int64
}

// Written is what the database made of it. Lines are the ids in the order given.
type Written struct {
	ID           int64
	Number       int64
	PublicID     string
	FulfilmentID int64
	Lines        []int64
}

// CreatePickup writes a confirmed order that is collected at one location, in one statement: header, fulfilment, lines and a row for
// every piece.
func CreatePickup(ctx context.Context, tx pgx.Tx, n New) (Written, error) {
	var (
		variants, quantities, prices, amounts, taxes, ppms, unitLines, unitNs, unitPaid, unitTax []int64
		skus, titles, options, taxNames                                                          []string
	)
	for i, line := range n.Lines {
		variants, skus, titles, options = append(variants, line.VariantID), append(skus, line.SKU), append(titles, line.Title), append(options, line.Options)
		quantities, prices = append(quantities, int64(line.Quantity)), append(prices, line.UnitPrice)
		amounts, taxes = append(amounts, line.Amount), append(taxes, line.Tax)
		taxNames, ppms = append(taxNames, line.TaxName), append(ppms, line.TaxPPM)
		for k := range line.UnitPaid {
			unitLines, unitNs = append(unitLines, int64(i+1)), append(unitNs, int64(k+1))
			unitPaid, unitTax = append(unitPaid, line.UnitPaid[k]), append(unitTax, line.UnitTax[k])
		}
	}
	var placed *time.Time
	if !n.PlacedAt.IsZero() {
		placed = &n.PlacedAt
	}
	w := Written{PublicID: rand.Text()}
	err := tx.QueryRow(ctx, `
		WITH o AS (
			INSERT INTO orders (public_id, cart_id, customer_id, channel, location_id, associate_id, currency, tax_included, language, state, payment_state,
				lines, tax, total, name, email, phone, placed_at)
			VALUES (@public_id, nullif(@cart::bigint, 0), @customer, @channel, @location, nullif(@associate::bigint, 0), @currency, @included, @language, 'confirmed', 'due',
				@sum, @tax, @total, @name, @email, @phone, coalesce(@placed::timestamptz, now()))
			RETURNING id, number),
		f AS (
			INSERT INTO fulfilment (order_id, method, location_id, state, code, token, ready_by)
			SELECT id, 'pickup', @location, 'to_pick', @code, @token, @ready_by
			FROM o
			RETURNING id),
		l AS (
			INSERT INTO order_line (order_id, fulfilment_id, position, variant_id, sku, title, options, quantity, unit_price, amount, tax_name, tax_ppm, tax)
			SELECT o.id, f.id, line.n, variant, sku, title, options, quantity, price, amount, tax_name, ppm, tax
			FROM o, f, unnest(@variants::bigint[], @skus::text[], @titles::text[], @options::text[], @quantities::bigint[], @prices::bigint[], @amounts::bigint[],
				@tax_names::text[], @ppms::bigint[], @taxes::bigint[]) WITH ORDINALITY AS line (variant, sku, title, options, quantity, price, amount, tax_name, ppm, tax, n)
			RETURNING id, position),
		u AS (
			INSERT INTO order_unit (order_line_id, n, paid, tax)
			SELECT l.id, unit.n, unit.paid, unit.tax
			FROM unnest(@unit_lines::bigint[], @unit_ns::bigint[], @unit_paid::bigint[], @unit_tax::bigint[]) AS unit (line, n, paid, tax)
			JOIN l ON l.position = unit.line)
		SELECT o.id, o.number, f.id, (SELECT array_agg(l.id ORDER BY l.position) FROM l)
		FROM o, f`, pgx.NamedArgs{
		"public_id": w.PublicID, "cart": n.CartID, "customer": n.CustomerID, "channel": n.Channel, "location": n.LocationID, "associate": n.AssociateID,
		"currency": n.Currency, "included": n.TaxIncluded, "language": n.Language, "sum": n.Sum, "tax": n.Tax, "total": n.Total, "name": n.Name, "email": n.Email,
		"phone": n.Phone, "placed": placed, "code": newCode(), "token": rand.Text(), "ready_by": n.ReadyBy, "variants": variants, "skus": skus, "titles": titles,
		"options": options, "quantities": quantities, "prices": prices, "amounts": amounts, "tax_names": taxNames, "ppms": ppms, "taxes": taxes,
		"unit_lines": unitLines, "unit_ns": unitNs, "unit_paid": unitPaid, "unit_tax": unitTax,
	}).Scan(&w.ID, &w.Number, &w.FulfilmentID, &w.Lines)
	if err != nil {
		return Written{}, fmt.Errorf("write an order: %w", err)
	}
	return w, nil
}

// CodeTaken says that the drawn pickup code is another open order's in that store: run the transaction again for a new one.
func CodeTaken(err error) bool { return pg.Violates(err, "fulfilment_open_code") }

// newCode is six digits to be said aloud at a counter, where tries are counted.
func newCode() string {
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		panic(err) // crypto/rand does not fail on a machine that works.
	}
	return fmt.Sprintf("%06d", n)
}

// OfCart is the order that a customer's cart made, or "" — the answer to a checkout that was sent twice.
func OfCart(ctx context.Context, db pg.DB, customerID, cartID int64) (publicID string, err error) {
	err = db.QueryRow(ctx, `
		SELECT coalesce((SELECT public_id FROM orders WHERE customer_id = $1 AND cart_id = $2), '')`, customerID, cartID).Scan(&publicID)
	if err != nil {
		return "", fmt.Errorf("find a cart's order: %w", err)
	}
	return publicID, nil
}

// Waiting is how many orders of these customers are still to be collected.
func Waiting(ctx context.Context, tx pgx.Tx, customers []int64) (n int, err error) {
	err = tx.QueryRow(ctx, `
		SELECT count(*)
		FROM orders o
		JOIN fulfilment f ON f.order_id = o.id
		WHERE o.customer_id = ANY($1) AND f.state IN ('to_pick', 'ready')`, customers).Scan(&n)
	return n, err
}

// Forget takes the names, addresses and numbers of customers out of their orders; what was bought and paid stays.
func Forget(ctx context.Context, tx pgx.Tx, customers []int64) error {
	_, err := tx.Exec(ctx, `
		UPDATE orders
		SET name = '', email = '', phone = ''
		WHERE customer_id = ANY($1)`, customers)
	if err != nil {
		return fmt.Errorf("forget names on orders: %w", err)
	}
	return nil
}
