package person

import (
	"context"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/session"
	"counterpart/internal/domain/staff"
	"counterpart/internal/platform/live"
	"counterpart/internal/platform/pg"
)

// SetDisabled shuts a person's account, or opens it again. Shut is at once: every session ends.
func SetDisabled(ctx context.Context, db pg.DB, at origin.Origin, person int64, shut bool, reason string) error {
	kind := customer.Enabled
	if shut {
		kind = customer.Disabled
	}
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		if err := customer.LockActive(ctx, tx, person); err != nil {
			return err
		}
		if err := customer.SetDisabled(ctx, tx, person, shut); err != nil {
			return err
		}
		if shut {
			if _, err := session.EndShopper(ctx, tx, person, ""); err != nil {
				return err
			}
		}
		fact := customer.Fact{CustomerID: person, Kind: kind, Channel: at.Channel, LocationID: at.LocationID,
			AssociateID: at.AssociateID}
		if err := customer.Record(ctx, tx, fact); err != nil {
			return err
		}
		line := entry(at, "customer."+kind, person)
		line.Reason = reason
		if err := staff.Log(ctx, tx, line); err != nil {
			return err
		}
		return live.Notify(ctx, tx, live.Customer(person))
	})
}

// SetTier gives somebody a tier, or takes it away where it is empty.
func SetTier(ctx context.Context, db pg.DB, at origin.Origin, person int64, tier string) error {
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		if err := customer.SetTier(ctx, tx, person, tier); err != nil {
			return err
		}
		line := entry(at, "customer.tier", person)
		line.LocationID, line.After = 0, map[string]any{"tier": tier}
		return staff.Log(ctx, tx, line)
	})
}
