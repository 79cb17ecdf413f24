package person

import (
	"context"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/session"
	"counterpart/internal/domain/staff"
	"counterpart/internal/platform/live"
	"counterpart/internal/platform/pg"
)

// Shut shuts a person's account, or opens it again. Shut is at once: every session ends.
func Shut(ctx context.Context, db pg.DB, person int64, shut bool, reason string, at At) error {
	kind := customer.Enabled
	if shut {
		kind = customer.Disabled
	}
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		if err := customer.Hold(ctx, tx, person); err != nil {
			return err
		}
		if err := customer.Disable(ctx, tx, person, shut); err != nil {
			return err
		}
		if shut {
			if _, err := session.EndShopper(ctx, tx, person, ""); err != nil {
				return err
			}
		}
		fact := customer.Fact{CustomerID: person, Kind: kind, Channel: channel, LocationID: at.LocationID, AssociateID: at.AssociateID}
		if err := customer.Record(ctx, tx, fact); err != nil {
			return err
		}
		entry := at.entry("customer."+kind, person)
		entry.Reason = reason
		if err := staff.Log(ctx, tx, entry); err != nil {
			return err
		}
		return live.Notify(ctx, tx, live.Customer(person))
	})
}

// Undo takes a merge back on a manager's or admin's decision.
func Undo(ctx context.Context, db pg.DB, mergeID int64, reason string, at At) (customer.Merge, error) {
	return Unmerge(ctx, db, mergeID, staff.Entry{AssociateID: at.AssociateID, LocationID: at.LocationID, Reason: reason}, channel)
}
