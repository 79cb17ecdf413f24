package catalog

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/money"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/text"
)

// OpenPriceList makes sure that the list of a currency and tax mode exists.
func OpenPriceList(ctx context.Context, tx pgx.Tx, currency string, taxIncluded bool) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO price_list (currency, tax_included)
		VALUES ($1, $2)
		ON CONFLICT DO NOTHING`, currency, taxIncluded)
	return err
}

// closeAndOpen is the one way a price changes: the open one gets an end, the new one begins there. Nothing happens
// where amount and recommended price are the same already, or where a sale is running or planned: then the price stands
// on both sides of it, see setAroundSale.
const closeAndOpen = `
	WITH list AS (
		SELECT id
		FROM price_list
		WHERE currency = @currency AND tax_included = @included),
	open AS (
		SELECT p.id, p.amount, p.compare_at, lower(p.valid) AS since
		FROM price p
		JOIN list ON p.price_list_id = list.id
		WHERE p.variant_id = @variant AND upper_inf(p.valid)),
	differs AS (
		SELECT NOT EXISTS (SELECT FROM open WHERE (amount, compare_at) IS NOT DISTINCT FROM (@amount,
			@compare_at::bigint)) AS other, EXISTS (SELECT FROM open WHERE since > clock_timestamp()) AS planned)`

func putPrices(ctx context.Context, tx pgx.Tx, p Product, out *Outcome) error {
	for _, v := range p.Variants {
		for _, price := range v.Prices {
			changed, err := setPrice(ctx, tx, out.Variants[v.SKU], price, 0)
			if err != nil {
				return fmt.Errorf("price of %s: %w", v.SKU, err)
			}
			out.Changed = out.Changed || changed
		}
	}
	return nil
}

// SetPrice changes a price from now on and keeps the old one as history. Was is the amount that whoever changes it had
// before them; nil: they did not look. It answers whether there was anything to change.
func SetPrice(ctx context.Context, db pg.DB, variantID int64, price Price, was *int64, associateID int64) (changed bool,
	err error) {
	err = pg.InTx(ctx, db, func(tx pgx.Tx) error {
		// The variant's row is the lock: two people who change one price at once do so one after the other.
		if err := holdVariant(ctx, tx, variantID); err != nil {
			return err
		}
		if err := unchanged(ctx, tx, variantID, price, was); err != nil {
			return err
		}
		changed, err = setPrice(ctx, tx, variantID, price, associateID)
		return err
	})
	return changed, err
}

// unchanged refuses a price for one that somebody else set meanwhile: they have not seen it.
func unchanged(ctx context.Context, tx pgx.Tx, variantID int64, price Price, was *int64) error {
	if was == nil {
		return nil
	}
	var now int64
	err := tx.QueryRow(ctx, `
		SELECT coalesce((
			SELECT amount
			FROM price
			WHERE variant_id = $1 AND price_list_id = (SELECT id FROM price_list WHERE currency = $2
				AND tax_included = $3) AND upper_inf(valid)), 0)`, variantID, price.Currency,
		price.TaxIncluded).Scan(&now)
	if err != nil {
		return fmt.Errorf("read the price that holds: %w", err)
	}
	if now != *was && now != price.Amount {
		return fault.New(fault.Conflict,
			"Someone else changed this to {price} while you were editing. You entered {mine}: check both, then set the right price.",
			text.Args{"price": money.New(now, price.Currency), "mine": money.New(price.Amount, price.Currency)})
	}
	return nil
}

var errNoPriceList = errors.New("the shop has no price list for this currency")

func setPrice(ctx context.Context, tx pgx.Tx, variantID int64, price Price, associateID int64) (bool, error) {
	args := pgx.NamedArgs{"variant": variantID, "currency": price.Currency, "included": price.TaxIncluded,
		"amount": price.Amount, "compare_at": price.CompareAt, "associate": associateID}
	var lists int
	var differs, around bool
	batch := &pgx.Batch{}
	// clock_timestamp, not now(): who waited for the lock must not begin before the price they waited for.
	batch.Queue(closeAndOpen+`
		UPDATE price
		SET valid = tstzrange(lower(valid), greatest(clock_timestamp(), lower(valid) + interval '1 microsecond'))
		FROM open, differs
		WHERE price.id = open.id AND differs.other AND NOT differs.planned`, args)
	batch.Queue(closeAndOpen+`
		INSERT INTO price (variant_id, price_list_id, amount, compare_at, valid, associate_id)
		SELECT @variant, list.id, @amount, @compare_at, tstzrange(coalesce((
			SELECT max(upper(valid))
			FROM price
			WHERE variant_id = @variant AND price_list_id = list.id), clock_timestamp()), NULL),
				nullif(@associate::bigint, 0)
		FROM list, differs
		WHERE differs.other AND NOT differs.planned`, args).Exec(func(tag pgconn.CommandTag) error {
		differs = tag.RowsAffected() == 1
		return nil
	})
	batch.Queue(closeAndOpen+`
		SELECT (SELECT count(*) FROM list), other AND planned
		FROM differs`, args).QueryRow(func(row pgx.Row) error { return row.Scan(&lists, &around) })
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return false, err
	}
	if lists == 0 {
		return false, errNoPriceList
	}
	if around {
		return true, setAroundSale(ctx, tx, variantID, price, associateID)
	}
	return differs, nil
}

// NowOn joins the price that holds now for variant v on price list `list`. The statement's clock, not the
// transaction's: a price set a moment ago in the same transaction counts already.
const NowOn = `
	LEFT JOIN LATERAL (
		SELECT p.amount, p.compare_at, lower(p.valid) AS since
		FROM price p
		WHERE p.variant_id = v.id AND p.price_list_id = list.id AND lower(p.valid) <= statement_timestamp()
			AND (upper_inf(p.valid) OR upper(p.valid) > statement_timestamp())
		ORDER BY lower(p.valid) DESC
		LIMIT 1) price ON true`

// LikeMoney says that a variant is a gift card: no stock is kept of it, nothing is taken off it, and it earns nothing.
func LikeMoney(ctx context.Context, tx pgx.Tx, variantID int64) error {
	_, err := tx.Exec(ctx, `
		UPDATE variant
		SET gift_card = true
		WHERE id = $1`, variantID)
	return err
}

// Categories of product, with those above them, as an array.
const Categories = `
			ARRAY(
				WITH RECURSIVE up AS (
					SELECT category_id AS id FROM product_category WHERE product_id = product.id
					UNION
					SELECT category.parent_id FROM category JOIN up ON up.id = category.id
						WHERE category.parent_id IS NOT NULL)
				SELECT id FROM up)`
