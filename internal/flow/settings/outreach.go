package settings

import (
	"context"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/outreach"
	"counterpart/internal/domain/staff"
	"counterpart/internal/platform/pg"
)

// SetOutreach decides when, and how often, people are written to about what is not owed.
func SetOutreach(ctx context.Context, db pg.DB, at origin.Origin, r outreach.Rule) error {
	return change(ctx, db, at, func(tx pgx.Tx) (staff.Entry, error) {
		return staff.Entry{Action: "message.rule", Subject: "shop", After: map[string]any{"quiet_from": r.QuietFrom,
			"quiet_until": r.QuietUntil, "most": r.Most, "days": r.Days}}, outreach.SetRule(ctx, tx, r)
	})
}
