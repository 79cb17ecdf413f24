package catalog

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/money"
	"counterpart/internal/platform/text"
)

// Sale is a reduced price for a time. The price that holds otherwise stands before it and after it.
type Sale struct {
	Currency    string
	TaxIncluded bool
	Amount      int64 // minor units
	From, Until time.Time
}

// timeline is a variant's price on one list from now on: what holds, and what is planned.
type timeline struct {
	variantID   int64
	listID      int64
	associateID int64
	now         time.Time
	held        []held
	batch       *pgx.Batch
}

// held is a price that holds, or will.
type held struct {
	ID        int64
	Amount    int64
	CompareAt *int64
	Sale      bool
	Since     time.Time
	Until     *time.Time
}

// holdPrices locks a variant and reads its price on a list from now on.
func holdPrices(ctx context.Context, tx pgx.Tx, variantID int64, currency string, taxIncluded bool,
	associateID int64) (*timeline, error) {
	if err := holdVariant(ctx, tx, variantID); err != nil {
		return nil, err
	}
	l := &timeline{variantID: variantID, associateID: associateID, batch: &pgx.Batch{}}
	batch := &pgx.Batch{}
	batch.Queue(`
		SELECT coalesce((SELECT id FROM price_list WHERE currency = $1 AND tax_included = $2), 0), clock_timestamp()`,
		currency, taxIncluded).QueryRow(func(row pgx.Row) error { return row.Scan(&l.listID, &l.now) })
	batch.Queue(`
		SELECT p.id, p.amount, p.compare_at, p.sale, lower(p.valid) AS since, upper(p.valid) AS until
		FROM price p
		JOIN price_list list ON list.id = p.price_list_id AND list.currency = $2 AND list.tax_included = $3
		WHERE p.variant_id = $1 AND (upper_inf(p.valid) OR upper(p.valid) > clock_timestamp())
		ORDER BY 5`, variantID, currency, taxIncluded).Query(func(rows pgx.Rows) (err error) {
		l.held, err = pgx.CollectRows(rows, pgx.RowToStructByName[held])
		return err
	})
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return nil, fmt.Errorf("read a variant's prices: %w", err)
	}
	if l.listID == 0 {
		return nil, fault.Field("sale_list", "Choose from the list.")
	}
	return l, nil
}

// end closes a price at a time, or calls it off where it has not begun by then.
func (l *timeline) end(h held, at time.Time) {
	if h.Since.Before(at) {
		l.batch.Queue(`UPDATE price SET valid = tstzrange(lower(valid), $2) WHERE id = $1`, h.ID, at)
		return
	}
	l.batch.Queue(`UPDATE price SET withdrawn = valid, valid = 'empty' WHERE id = $1`, h.ID)
}

// begin adds a price.
func (l *timeline) begin(h held) {
	l.batch.Queue(`
		INSERT INTO price (variant_id, price_list_id, amount, compare_at, sale, valid, associate_id)
		VALUES ($1, $2, $3, $4, $5, tstzrange($6, $7), nullif($8::bigint, 0))`, l.variantID, l.listID, h.Amount,
		h.CompareAt, h.Sale, h.Since, h.Until, l.associateID)
}

func (l *timeline) write(ctx context.Context, tx pgx.Tx) error {
	if err := tx.SendBatch(ctx, l.batch).Close(); err != nil {
		return fmt.Errorf("write a variant's prices: %w", err)
	}
	return nil
}

// setAroundSale changes the price that stands before and after a sale, and leaves the sale.
func setAroundSale(ctx context.Context, tx pgx.Tx, variantID int64, price Price, associateID int64) error {
	l, err := holdPrices(ctx, tx, variantID, price.Currency, price.TaxIncluded, associateID)
	if err != nil {
		return err
	}
	for _, h := range l.held {
		if h.Sale {
			continue
		}
		since := h.Since
		if since.Before(l.now) {
			since = l.now
		}
		l.end(h, l.now)
		l.begin(held{Amount: price.Amount, CompareAt: price.CompareAt, Since: since, Until: h.Until})
	}
	return l.write(ctx, tx)
}

// EndSale ends a variant's sale, or calls it off, and answers whether there was one.
func EndSale(ctx context.Context, tx pgx.Tx, variantID int64, currency string, taxIncluded bool,
	associateID int64) (bool, error) {
	l, err := holdPrices(ctx, tx, variantID, currency, taxIncluded, associateID)
	if err != nil {
		return false, err
	}
	if !l.flatten() {
		return false, nil
	}
	return true, l.write(ctx, tx)
}

// flatten takes every sale out: the price that stands otherwise holds from now on. False where there is none.
func (l *timeline) flatten() bool {
	found := false
	for _, h := range l.held {
		found = found || h.Sale
	}
	if !found {
		return false
	}
	last := l.held[len(l.held)-1]
	for _, h := range l.held {
		l.end(h, l.now)
	}
	l.begin(held{Amount: last.Amount, CompareAt: last.CompareAt, Since: l.now})
	return true
}

// PlanSale reduces a variant's price for a time, in the place of any sale that it has or was to have.
func PlanSale(ctx context.Context, tx pgx.Tx, variantID int64, s Sale, associateID int64) error {
	l, err := holdPrices(ctx, tx, variantID, s.Currency, s.TaxIncluded, associateID)
	if err != nil {
		return err
	}
	if s.From.Before(l.now) {
		s.From = l.now
	}
	if !s.Until.After(s.From) {
		return fault.Field("sale_until", "Choose an end after the beginning, and not in the past.")
	}
	if len(l.held) == 0 {
		return fault.Field("sale_price", "Set the regular price first.")
	}
	regular := l.held[len(l.held)-1]
	if s.Amount < 1 || s.Amount >= regular.Amount {
		return fault.Field("sale_price", "Enter a price below the regular {price}.",
			text.Args{"price": money.New(regular.Amount, s.Currency)})
	}
	if len(l.held) == 1 && regular.Since.Before(l.now) {
		l.end(regular, s.From)
	} else {
		for _, h := range l.held {
			l.end(h, l.now)
		}
		if s.From.After(l.now) {
			l.begin(held{Amount: regular.Amount, CompareAt: regular.CompareAt, Since: l.now, Until: &s.From})
		}
	}
	l.begin(held{Amount: s.Amount, CompareAt: regular.CompareAt, Sale: true, Since: s.From, Until: &s.Until})
	l.begin(held{Amount: regular.Amount, CompareAt: regular.CompareAt, Since: s.Until})
	return l.write(ctx, tx)
}
