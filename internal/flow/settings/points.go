package settings

import (
	"context"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/loyalty"
	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/staff"
	"counterpart/internal/platform/pg"
)

// SetProgramme changes how points live.
func SetProgramme(ctx context.Context, db pg.DB, at origin.Origin, p loyalty.Programme) error {
	return change(ctx, db, at, func(tx pgx.Tx) (staff.Entry, error) {
		return staff.Entry{Action: "programme.set", Subject: "shop", After: map[string]any{"vesting": p.Vesting, "expiry": p.Expiry,
			"expiry_months": p.ExpiryMonths, "warn_first": p.WarnFirst, "warn_last": p.WarnLast, "grace_days": p.GraceDays,
			"adjust_limit": p.AdjustLimit, "debt": p.Debt}}, loyalty.SaveProgramme(ctx, tx, p)
	})
}

// SaveTier writes a tier of the programme.
func SaveTier(ctx context.Context, db pg.DB, at origin.Origin, t *loyalty.Tier) error {
	return change(ctx, db, at, func(tx pgx.Tx) (staff.Entry, error) {
		err := loyalty.SaveTier(ctx, tx, t)
		return staff.Entry{Action: "tier.kept", Subject: "tier", SubjectID: t.ID, After: map[string]any{"title": t.Title,
			"counts": t.Counts, "threshold": t.Threshold, "return_days": t.ReturnDays}}, err
	})
}

// ArchiveTier takes a tier out of the programme.
func ArchiveTier(ctx context.Context, db pg.DB, at origin.Origin, id int64) error {
	return change(ctx, db, at, func(tx pgx.Tx) (staff.Entry, error) {
		return staff.Entry{Action: "tier.archived", Subject: "tier", SubjectID: id}, loyalty.ArchiveTier(ctx, tx, id)
	})
}
