// Package promote is what the admin does with promotions and their codes; each change is in the audit trail.
package promote

import (
	"context"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/promotion"
	"counterpart/internal/domain/segment"
	"counterpart/internal/domain/staff"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/pg"
)

func log(ctx context.Context, tx pgx.Tx, at origin.Origin, action string, promotionID int64,
	after map[string]any) error {
	return staff.Log(ctx, tx, staff.Entry{AssociateID: at.AssociateID, Action: "promotion." + action,
		Subject: "promotion", SubjectID: promotionID, After: after})
}

// Save writes a promotion; one without an id is a new one.
func Save(ctx context.Context, db pg.DB, at origin.Origin, p *promotion.Promotion) error {
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		action := "changed"
		if p.ID == 0 {
			action = "written"
		}
		if err := segment.Hold(ctx, tx, p.Rule.InSegments...); err != nil {
			return err
		}
		if err := promotion.Save(ctx, tx, p, at.AssociateID); err != nil {
			return err
		}
		return log(ctx, tx, at, action, p.ID, map[string]any{"title": p.Title})
	})
}

// Move takes a promotion live, pauses it or ends it. One for everything in the shop goes live only when somebody is sure.
func Move(ctx context.Context, db pg.DB, at origin.Origin, id int64, to string, sure bool) error {
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		if to == promotion.Live {
			p, err := promotion.ByID(ctx, tx, id)
			if err != nil {
				return err
			}
			if p != nil {
				if err := segment.Hold(ctx, tx, p.Rule.InSegments...); err != nil {
					return err
				}
			}
			if !sure && p != nil && p.Rule.Everything() {
				return fault.Field("sure",
					"This promotion applies to everything in the shop. Confirm that it should go live.")
			}
		}
		if err := promotion.Move(ctx, tx, id, to); err != nil {
			return err
		}
		return log(ctx, tx, at, to, id, nil)
	})
}

// Copy makes a draft of a promotion, and answers its id.
func Copy(ctx context.Context, db pg.DB, at origin.Origin, id int64) (copied int64, err error) {
	err = pg.InTx(ctx, db, func(tx pgx.Tx) error {
		if copied, err = promotion.Copy(ctx, tx, id, at.AssociateID); err != nil {
			return err
		}
		return log(ctx, tx, at, "copied", copied, map[string]any{"from": id})
	})
	return copied, err
}

// AddCode gives a promotion a code of the shop's choosing.
func AddCode(ctx context.Context, db pg.DB, at origin.Origin, c promotion.Coupon) error {
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		if err := promotion.AddCode(ctx, tx, c); err != nil {
			return err
		}
		return log(ctx, tx, at, "code_added", c.PromotionID, map[string]any{"code": c.Code})
	})
}

// AddCodes makes a batch of codes that work once each.
func AddCodes(ctx context.Context, db pg.DB, at origin.Origin, id int64, prefix string, n int) error {
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		if err := promotion.AddBatch(ctx, tx, id, prefix, prefix, n); err != nil {
			return err
		}
		return log(ctx, tx, at, "codes_added", id, map[string]any{"prefix": prefix, "count": n})
	})
}

// DisableCode takes a code out of use, for new orders.
func DisableCode(ctx context.Context, db pg.DB, at origin.Origin, id, couponID int64) error {
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		if err := promotion.DisableCode(ctx, tx, id, couponID); err != nil {
			return err
		}
		return log(ctx, tx, at, "code_disabled", id, map[string]any{"coupon": couponID})
	})
}
