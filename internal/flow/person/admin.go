package person

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/loyalty"
	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/session"
	"counterpart/internal/domain/staff"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/live"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/text"
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

// GrantTier gives somebody a tier up to and including a day, where it has an end; 0 takes away what staff gave.
func GrantTier(ctx context.Context, db pg.DB, at origin.Origin, person, tierID int64, until *time.Time, reason string) error {
	if reason = text.Clean(reason, 200); reason == "" {
		return fault.Field("reason", "Enter a reason.")
	}
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		if err := customer.LockRow(ctx, tx, person); err != nil {
			return err
		}
		if err := customer.LockActive(ctx, tx, person); err != nil {
			return err
		}
		if err := loyalty.GrantTier(ctx, tx, person, tierID, at.AssociateID, until); err != nil {
			return err
		}
		line := entry(at, "customer.tier", person)
		line.LocationID, line.Reason, line.After = 0, reason, map[string]any{"tier": tierID}
		return staff.Log(ctx, tx, line)
	})
}
