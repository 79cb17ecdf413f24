// Package document is what a shop writes about money for its customers and the state: invoices and credit notes,
// numbered without gaps and never changed.
package document

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/platform/pg"
)

// Series of numbers.
const (
	Invoice    = "invoice"
	CreditNote = "credit_note"
)

// Document as it was issued. Amounts are minor units of its currency.
type Document struct {
	ID       int64
	Series   string
	Number   int64
	OrderID  int64
	Cause    string // issued once for each
	Currency string
	Total    int64
	Day      time.Time
	Body     Body
	IssuedAt time.Time
}

// Body is what it says, frozen.
type Body struct {
	Shop        string   `json:"shop"`
	Seller      []string `json:"seller"` // legal name and registered address
	Store       []string `json:"store,omitempty"`
	Company     string   `json:"company,omitempty"` // the seller's company number
	VAT         string   `json:"vat,omitempty"`     // the seller's VAT number
	Buyer       []string `json:"buyer"`
	BuyerVAT    string   `json:"buyer_vat,omitempty"`
	Order       int64    `json:"order"`
	TaxIncluded bool     `json:"tax_included"`
	Lines       []Line   `json:"lines"`
	Taxes       []Tax    `json:"taxes"`
	Corrects    int64    `json:"corrects,omitempty"` // the invoice that a credit note is about
}

// Line is a row of it. Refs name the units: an order line and a number, 0 and a fulfilment for its delivery, or -1 and a
// share of an allowance.
type Line struct {
	Title    string     `json:"title"`
	SKU      string     `json:"sku"`
	Quantity int        `json:"quantity"`
	Paid     int64      `json:"paid"` // with tax, after what was taken off
	Tax      int64      `json:"tax"`
	TaxName  string     `json:"tax_name"`
	TaxPPM   int64      `json:"tax_ppm"`
	Refs     [][2]int64 `json:"refs"`
	Reduced  bool       `json:"reduced,omitempty"` // its price was reduced, and the goods stay
	Of       int64      `json:"-"`                 // the order line, while it is written
}

// Tax of one rate.
type Tax struct {
	Name string `json:"name"`
	PPM  int64  `json:"ppm"`
	Net  int64  `json:"net"`
	Tax  int64  `json:"tax"`
}

// Issue gives a document the next number of its series and writes it. The series is held until the transaction ends, so
// that there is no gap and no number twice; it belongs into a short transaction of its own. A cause that has its
// document already gets no second one: then the answer is 0.
func Issue(ctx context.Context, tx pgx.Tx, d Document) (number int64, err error) {
	err = tx.QueryRow(ctx, `
		WITH next AS (
			UPDATE document_series
			SET last = last + 1
			WHERE series = @series AND NOT EXISTS (SELECT FROM document WHERE series = @series AND cause = @cause)
			RETURNING last),
		d AS (
			INSERT INTO document (series, number, order_id, cause, currency, total, day, body)
			SELECT @series, last, @order, @cause, @currency, @total, @day, @body
			FROM next
			RETURNING id, number),
		t AS (
			INSERT INTO document_tax (document_id, name, ppm, net, tax)
			SELECT d.id, tax.name, tax.ppm, tax.net, tax.tax
			FROM d, jsonb_to_recordset(@body::jsonb -> 'taxes') AS tax (name text, ppm integer, net bigint, tax bigint))
		SELECT number
		FROM d`, pgx.NamedArgs{"series": d.Series, "cause": d.Cause, "order": d.OrderID, "currency": d.Currency,
		"total": d.Total, "day": d.Day.Format(time.DateOnly), "body": d.Body}).Scan(&number)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("issue a document: %w", err)
	}
	return number, nil
}

const columns = `d.id, d.series, d.number, d.order_id, d.cause, d.currency::text, d.total, d.day, d.body, d.issued_at`

// OfOrder lists an order's documents, oldest first.
func OfOrder(ctx context.Context, db pg.DB, orderID int64) ([]Document, error) {
	rows, err := db.Query(ctx, `
		SELECT `+columns+`
		FROM document d
		WHERE d.order_id = $1
		ORDER BY d.id`, orderID)
	if err != nil {
		return nil, fmt.Errorf("list documents: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[Document])
}

// JournalRow is a day's tax of one rate, by what was invoiced and what was taken back.
type JournalRow struct {
	Day      time.Time
	Series   string
	Currency string
	Name     string
	PPM      int
	Count    int
	Net      int64
	Tax      int64
}

// Journal adds documents up, by day, series and rate, for the days from and to, both included.
func Journal(ctx context.Context, db pg.DB, from, to time.Time) ([]JournalRow, error) {
	rows, err := db.Query(ctx, `
		SELECT d.day, d.series, d.currency::text, t.name, t.ppm, count(*)::int AS count, sum(t.net)::bigint AS net,
			sum(t.tax)::bigint AS tax
		FROM document d
		JOIN document_tax t ON t.document_id = d.id
		WHERE d.day BETWEEN $1 AND $2
		GROUP BY 1, 2, 3, 4, 5
		ORDER BY 1, 2, 3, 5 DESC, 4`, from.Format(time.DateOnly), to.Format(time.DateOnly))
	if err != nil {
		return nil, fmt.Errorf("add up documents: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[JournalRow])
}
