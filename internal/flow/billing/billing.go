// Package billing keeps an order's documents in step with it: an invoice when it is paid, a credit note for whatever of
// that came back or was cancelled.
package billing

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/document"
	"counterpart/internal/domain/location"
	"counterpart/internal/domain/order"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/postal"
)

// unit is what a document speaks of: a unit of a line, or a delivery.
type piece struct {
	Ref                 [2]int64
	Line                int64
	Title               string
	SKU                 string
	Paid                int64
	Tax                 int64
	Allowed, AllowedTax int64 // of that, what went back before in price allowances
	Name                string
	PPM                 int64
	Kept                bool     // neither cancelled nor returned
	Sold                bool     // not cancelled
	Of                  [2]int64 // what a price was reduced of; zero: it is a unit or a delivery itself
}

// reduced says that a piece is a price allowance.
func (p piece) reduced() bool { return p.Of != [2]int64{} }

// IssueDocuments issues what is missing. It can be repeated: what a document speaks of already is not spoken of again.
func IssueDocuments(ctx context.Context, db pg.DB, orderID int64) error {
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		h, err := order.LockOrder(ctx, tx, orderID)
		if err != nil || h == nil || h.PaymentState != order.Paid {
			return err
		}
		issued, err := document.OfOrder(ctx, tx, orderID)
		if err != nil {
			return err
		}
		pieces, err := all(ctx, tx, orderID)
		if err != nil {
			return err
		}
		invoiced, credited := map[[2]int64]bool{}, map[[2]int64]bool{}
		number := int64(0)
		for _, d := range issued {
			for _, line := range d.Body.Lines {
				for _, ref := range line.Refs {
					if d.Series == document.Invoice {
						invoiced[ref], number = true, d.Number
					} else {
						credited[ref] = true
					}
				}
			}
		}
		if len(issued) == 0 {
			sold := slices.DeleteFunc(slices.Clone(pieces), func(p piece) bool { return !p.Sold || p.reduced() })
			for _, p := range sold {
				invoiced[p.Ref] = true
			}
			if number, err = issue(ctx, tx, h, document.Document{Series: document.Invoice,
				Cause: fmt.Sprintf("order:%d", h.ID)}, sold); err != nil {
				return err
			}
		}
		back := slices.DeleteFunc(pieces, func(p piece) bool {
			return p.Kept || !invoiced[p.Ref] && !invoiced[p.Of] || credited[p.Ref]
		})
		for i := range back {
			back[i].Paid, back[i].Tax = back[i].Paid-back[i].Allowed, back[i].Tax-back[i].AllowedTax
		}
		_, err = issue(ctx, tx, h, document.Document{Series: document.CreditNote,
			Cause: fmt.Sprintf("order:%d:%d", h.ID, len(issued)), Body: document.Body{Corrects: number}}, back)
		return err
	})
}

func all(ctx context.Context, tx pgx.Tx, orderID int64) ([]piece, error) {
	rows, err := tx.Query(ctx, `
		SELECT ARRAY[coalesce(l.split_from, l.id), u.n::bigint] AS ref, coalesce(l.split_from, l.id) AS line,
			l.title || coalesce(', ' || nullif(l.options, ''), '') AS title, l.sku, u.paid, u.tax, u.allowed,
			u.allowed_tax, l.tax_name AS name, l.tax_ppm AS ppm,
			u.state <> 'cancelled' AND NOT EXISTS (SELECT FROM returned_unit r WHERE r.order_line_id = l.id
				AND r.n = u.n) AS kept, u.state <> 'cancelled' AS sold, ARRAY[0, 0]::bigint[] AS of
		FROM order_line l
		JOIN order_unit u ON u.order_line_id = l.id
		WHERE l.order_id = $1
		UNION ALL
		SELECT ARRAY[0, f.id], 0, coalesce(d.name, 'Delivery'), '', f.paid, f.tax, f.allowed, f.allowed_tax, f.tax_name,
			f.tax_ppm, f.state <> 'cancelled' AND NOT f.refunded, f.state <> 'cancelled', ARRAY[0, 0]::bigint[]
		FROM fulfilment f
		LEFT JOIN delivery d ON d.id = f.delivery_id
		WHERE f.order_id = $1 AND f.paid > 0
		UNION ALL
		SELECT ARRAY[-1, s.id], coalesce(s.order_line_id, 0), coalesce(l.title || coalesce(', ' || nullif(l.options,
			''), ''), d.name, 'Delivery'), coalesce(l.sku, ''), s.amount, s.tax, 0, 0, coalesce(l.tax_name, f.tax_name),
			coalesce(l.tax_ppm, f.tax_ppm), false, true, ARRAY[coalesce(s.order_line_id, 0), coalesce(s.n::bigint,
			s.fulfilment_id)]
		FROM allowance a
		JOIN allowance_share s ON s.allowance_id = a.id
		LEFT JOIN order_line l ON l.id = s.order_line_id
		LEFT JOIN fulfilment f ON f.id = s.fulfilment_id
		LEFT JOIN delivery d ON d.id = f.delivery_id
		WHERE a.order_id = $1
		ORDER BY 2 DESC, 1`, orderID)
	if err != nil {
		return nil, fmt.Errorf("list what a document speaks of: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[piece])
}

// issue writes a document about units. None is written about nothing.
func issue(ctx context.Context, tx pgx.Tx, h *order.Held, d document.Document, pieces []piece) (number int64,
	err error) {
	if len(pieces) == 0 {
		return d.Body.Corrects, nil
	}
	d.OrderID, d.Currency = h.ID, h.Currency
	returned := slices.ContainsFunc(pieces, func(p piece) bool { return !p.Kept && p.Sold && !p.reduced() })
	if err := address(ctx, tx, h.ID, returned, &d); err != nil {
		return 0, err
	}
	for _, p := range pieces {
		d.Total += p.Paid
		add(&d.Body, p)
	}
	return document.Issue(ctx, tx, d)
}

// add puts a unit on the row of its line, and its tax to its rate's.
func add(b *document.Body, p piece) {
	i := slices.IndexFunc(b.Lines, func(l document.Line) bool {
		return l.SKU == p.SKU && l.Title == p.Title && l.TaxPPM == p.PPM && p.Line == l.Of && p.Line != 0 &&
			p.reduced() == l.Reduced
	})
	if i < 0 {
		i, b.Lines = len(b.Lines), append(b.Lines, document.Line{Title: p.Title, SKU: p.SKU, TaxName: p.Name,
			TaxPPM: p.PPM, Of: p.Line, Reduced: p.reduced()})
	}
	l := &b.Lines[i]
	l.Quantity, l.Paid, l.Tax, l.Refs = l.Quantity+1, l.Paid+p.Paid, l.Tax+p.Tax, append(l.Refs, p.Ref)
	k := slices.IndexFunc(b.Taxes, func(t document.Tax) bool { return t.Name == p.Name && t.PPM == p.PPM })
	if k < 0 {
		k, b.Taxes = len(b.Taxes), append(b.Taxes, document.Tax{Name: p.Name, PPM: p.PPM})
	}
	b.Taxes[k].Net, b.Taxes[k].Tax = b.Taxes[k].Net+p.Paid-p.Tax, b.Taxes[k].Tax+p.Tax
}

// address writes who sells, who buys and which day it is there.
func address(ctx context.Context, tx pgx.Tx, orderID int64, returned bool, d *document.Document) error {
	// The day of an invoice is that on which goods were handed over, of a credit note that on which they came back, by
	// the store's clock; where no goods moved, it is today.
	row, err := pg.Row[struct {
		postal.Address // that it is sent to

		Shop, Store, Street, StoreTown, StorePostcode, StoreCountry, TimeZone, Buyer, VATNumber string

		LocationID, Number int64
		TaxIncluded        bool
		Day                time.Time
	}](tx.Query(ctx, `
		SELECT shop.name AS shop, l.name AS store, l.street, l.town AS store_town, l.postcode AS store_postcode,
			l.country::text AS store_country, l.time_zone, l.id AS location_id, o.number, o.tax_included,
			o.name AS buyer, o.vat_number,
			coalesce(f.name, '') AS name, coalesce(f.lines, '') AS lines, coalesce(f.town, '') AS town,
			coalesce(f.region, '') AS region, coalesce(f.postcode, '') AS postcode,
			coalesce(f.country::text, '') AS country,
			coalesce(CASE
				WHEN @series = 'invoice' THEN (SELECT min(coalesce(collected_at, shipped_at)) FROM fulfilment
					WHERE order_id = o.id)
				WHEN @returned THEN (SELECT max(at) FROM return_ticket WHERE order_id = o.id) END, now()) AS day
		FROM orders o
		CROSS JOIN shop
		JOIN location l ON l.id = o.location_id
		LEFT JOIN fulfilment f ON f.order_id = o.id AND f.method = 'ship'
		WHERE o.id = @order
		LIMIT 1`, pgx.NamedArgs{"order": orderID, "series": d.Series, "returned": returned}))
	if err != nil {
		return fmt.Errorf("read who sells and buys: %w", err)
	}
	if row == nil {
		return nil
	}
	at, err := time.LoadLocation(row.TimeZone)
	if err != nil {
		at = time.UTC
	}
	d.Day = row.Day.In(at)
	seller, err := location.SellerAt(ctx, tx, row.LocationID)
	if err != nil {
		return err
	}
	d.Body.Shop, d.Body.Order = row.Shop, row.Number
	d.Body.TaxIncluded, d.Body.BuyerVAT = row.TaxIncluded, row.VATNumber
	d.Body.Store = postal.Address{Name: row.Shop + " " + row.Store, Lines: row.Street, Town: row.StoreTown,
		Postcode: row.StorePostcode, Country: row.StoreCountry}.Label()
	d.Body.Seller, d.Body.Company, d.Body.VAT = seller.Label(), seller.CompanyNumber, seller.VATNumber
	if seller.LegalName == "" {
		d.Body.Seller, d.Body.Store = d.Body.Store, nil // Nobody has said who sells yet: the store does.
	}
	d.Body.Buyer = []string{row.Buyer}
	if row.Country != "" {
		d.Body.Buyer = row.Address.Label()
	}
	return nil
}
