package catalog

import (
	"context"
	"fmt"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/text"
)

// SellingRule is how a variant is sold: from how many to how many at a time, whether it is money in another form, and what
// happens when the shelf is empty.
type SellingRule struct {
	Min, Max  int
	GiftCard  bool // no stock is kept of it, nothing is taken off it, it earns nothing and is mailed
	Untracked bool // no stock is kept of it: there is always one
	BackOrder bool // it is sold when there is none, and comes later
}

// SetSellingRule changes how a variant is sold, for carts from now on.
func SetSellingRule(ctx context.Context, tx pgx.Tx, variantID int64, r SellingRule) error {
	if r.Min < 1 || r.Max < r.Min || r.Max > 99 {
		return fault.New(fault.Invalid, "Enter the minimum and maximum per order, from 1 to 99.")
	}
	if err := holdVariant(ctx, tx, variantID); err != nil {
		return err
	}
	tag, err := tx.Exec(ctx, `
		UPDATE variant
		SET min_quantity = $2, max_quantity = $3, gift_card = $4, tracked = $5, back_order = $6
		WHERE id = $1`, variantID, r.Min, r.Max, r.GiftCard, !r.Untracked, r.BackOrder)
	if err != nil {
		return fmt.Errorf("change how a variant is sold: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return fault.New(fault.NotFound, "We can’t find that variant.")
	}
	return nil
}

// Break is a better price: from a number of units on, for members, those of a tier or the people in a segment, or several
// of these. Amount is minor units; 0 ends the one that holds.
type Break struct {
	Currency    string
	TaxIncluded bool
	From        int
	Members     bool
	Tier        string // of members; empty: of any or none
	Segment     int64  // 0: in any or none
	Amount      int64
}

// SetBreak changes a better price from now on; the one that held stays in the history.
func SetBreak(ctx context.Context, tx pgx.Tx, variantID int64, b Break, associateID int64) error {
	if b.From < 1 || b.From > 99 || b.From == 1 && !b.Members && b.Segment == 0 {
		return fault.New(fault.Invalid, "Enter a minimum quantity: 2 or more, or 1 for members or a segment.")
	}
	if b.Tier = text.Clean(b.Tier, 31); b.Tier != "" && (!b.Members || utf8.RuneCountInString(b.Tier) > 30) {
		return fault.New(fault.Invalid, "A tier’s price is for members: tick members, and use up to 30 characters for the tier.")
	}
	// The variant's row is the lock, as it is for its price.
	if err := holdVariant(ctx, tx, variantID); err != nil {
		return err
	}
	var known bool
	if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM price_list WHERE currency = $1 AND tax_included = $2)`, b.Currency,
		b.TaxIncluded).Scan(&known); err != nil {
		return fmt.Errorf("read a price list: %w", err)
	}
	if !known {
		return fault.New(fault.Invalid, "Choose a price list.")
	}
	args := pgx.NamedArgs{"variant": variantID, "currency": b.Currency, "included": b.TaxIncluded, "from": b.From,
		"members": b.Members, "tier": b.Tier, "segment": b.Segment, "amount": b.Amount, "associate": associateID}
	batch := &pgx.Batch{}
	batch.Queue(`
		UPDATE price_break
		SET valid = tstzrange(lower(valid), greatest(clock_timestamp(), lower(valid) + interval '1 microsecond'))
		WHERE variant_id = @variant AND from_quantity = @from AND members = @members
			AND lower(tier) = lower(@tier) AND coalesce(segment_id, 0) = @segment AND upper_inf(valid)
			AND price_list_id = (SELECT id FROM price_list WHERE currency = @currency AND tax_included = @included)`,
		args)
	batch.Queue(`
		INSERT INTO price_break (variant_id, price_list_id, from_quantity, members, tier, segment_id, amount, valid, associate_id)
		SELECT @variant, id, @from, @members, @tier, nullif(@segment::bigint, 0), @amount,
			tstzrange(clock_timestamp() + interval '2 microseconds', NULL), nullif(@associate::bigint, 0)
		FROM price_list
		WHERE currency = @currency AND tax_included = @included AND @amount::bigint > 0`, args)
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("change a better price: %w", err)
	}
	return nil
}
