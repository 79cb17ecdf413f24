package settings

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/hint"
	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/recommend"
	"counterpart/internal/domain/staff"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/pg"
	"counterpart/internal/query/advice"
)

// SetSuggestion switches a reason for suggestions on or off, and says how much it counts.
func SetSuggestion(ctx context.Context, db pg.DB, at origin.Origin, s hint.Setting) error {
	if !slices.Contains(advice.Reasons(), s.Reason) {
		return fault.New(fault.NotFound, "There is no such kind of suggestion.")
	}
	return change(ctx, db, at, func(tx pgx.Tx) (staff.Entry, error) {
		return staff.Entry{Action: "suggestion.set", Subject: "shop", After: map[string]any{"reason": s.Reason,
			"on": s.Active, "weight": s.Weight}}, hint.Set(ctx, tx, s)
	})
}

// SetSlot changes the rules of a place in which products are suggested.
func SetSlot(ctx context.Context, db pg.DB, at origin.Origin, s recommend.Slot) error {
	return change(ctx, db, at, func(tx pgx.Tx) (staff.Entry, error) {
		return staff.Entry{Action: "slot.set", Subject: "shop", After: map[string]any{"place": s.Place, "on": s.Active,
			"fewest": s.Fewest, "most": s.Most, "owned_days": s.OwnedDays, "in_store": s.InStore, "only_in": s.OnlyIn,
			"never_in": s.NeverIn, "sources": s.Sources}}, recommend.SaveSlot(ctx, tx, s)
	})
}
