// Package assortment is what the admin decides about one variant; each change is in the audit trail.
package assortment

import (
	"context"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/catalog"
	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/segment"
	"counterpart/internal/domain/staff"
	"counterpart/internal/platform/pg"
)

// SetSellingRule decides in which quantities a variant is sold, and whether it is a gift card.
func SetSellingRule(ctx context.Context, db pg.DB, at origin.Origin, variantID int64, rule catalog.SellingRule) error {
	after := map[string]any{"min": rule.Min, "max": rule.Max, "gift_card": rule.GiftCard, "tracked": !rule.Untracked,
		"back_order": rule.BackOrder}
	return change(ctx, db, staff.Entry{AssociateID: at.AssociateID, Action: "variant.sold", Subject: "variant",
		SubjectID: variantID, After: after}, func(tx pgx.Tx) error {
		return catalog.SetSellingRule(ctx, tx, variantID, rule)
	})
}

// SetBreak writes a better price of a variant, by quantity or for some people, or ends the one it has.
func SetBreak(ctx context.Context, db pg.DB, at origin.Origin, variantID int64, b catalog.Break) error {
	after := map[string]any{"currency": b.Currency, "from": b.From, "members": b.Members, "tier": b.Tier,
		"segment": b.Segment, "amount": b.Amount}
	return change(ctx, db, staff.Entry{AssociateID: at.AssociateID, Action: "price.break", Subject: "variant",
		SubjectID: variantID, After: after}, func(tx pgx.Tx) error {
		if b.Segment != 0 && b.Amount != 0 {
			if err := segment.Hold(ctx, tx, b.Segment); err != nil {
				return err
			}
		}
		return catalog.SetBreak(ctx, tx, variantID, b, at.AssociateID)
	})
}

func change(ctx context.Context, db pg.DB, entry staff.Entry, write func(tx pgx.Tx) error) error {
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		if err := write(tx); err != nil {
			return err
		}
		return staff.Log(ctx, tx, entry)
	})
}
