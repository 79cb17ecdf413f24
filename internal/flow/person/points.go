package person

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/loyalty"
	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/staff"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/live"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/text"
)

// RevivePoints brings back what ended lately: they are here, or staff see that they are.
func RevivePoints(ctx context.Context, db pg.DB, at origin.Origin, person int64) (points int64, err error) {
	err = pg.InTx(ctx, db, func(tx pgx.Tx) error {
		if err := customer.LockActive(ctx, tx, person); err != nil {
			return err
		}
		if points, err = loyalty.Revive(ctx, tx, person, time.Now()); err != nil || points == 0 {
			return err
		}
		if at.AssociateID != 0 {
			line := entry(at, "points.revived", person)
			line.After = map[string]any{"points": points}
			if err := staff.Log(ctx, tx, line); err != nil {
				return err
			}
		}
		return live.Notify(ctx, tx, live.Customer(person))
	})
	return points, err
}

// Adjustment is points that staff give or take, with the reason. Form is of the page: sent twice, it is done once. Manager
// says that whoever does it may do so above the programme's limit.
type Adjustment struct {
	Person, Points int64
	Reason, Form   string
	Manager        bool
}

// AdjustPoints gives or takes points on the word of somebody on the staff. It answers how many they were: nobody has less
// than none.
func AdjustPoints(ctx context.Context, db pg.DB, at origin.Origin, a Adjustment) (points int64, err error) {
	if a.Reason = text.Clean(a.Reason, 200); a.Reason == "" {
		return 0, fault.Field("reason", "Enter a reason.")
	}
	if a.Points == 0 || a.Points < -1_000_000 || a.Points > 1_000_000 {
		return 0, fault.Field("points", "Enter how many points to add, or with a minus to take away.")
	}
	err = pg.InTx(ctx, db, func(tx pgx.Tx) error {
		// One after the other: the limit, and a page that is sent twice.
		if err := customer.LockRow(ctx, tx, a.Person); err != nil {
			return err
		}
		if err := customer.LockActive(ctx, tx, a.Person); err != nil {
			return err
		}
		programme, err := loyalty.ReadProgramme(ctx, tx)
		if err != nil {
			return err
		}
		given, again, err := loyalty.Adjusted(ctx, tx, a.Person, at.AssociateID, a.Form)
		if err != nil {
			return err
		}
		if again {
			return nil
		}
		if limit := int64(programme.AdjustLimit); !a.Manager && max(a.Points, -a.Points)+given > limit {
			return fault.Field("points", "You can add or take up to {n} points for a customer in a day. Ask a manager.",
				text.Args{"n": programme.AdjustLimit})
		}
		points, err = loyalty.Adjust(ctx, tx, loyalty.Grant{CustomerID: a.Person, Points: a.Points, AssociateID: at.AssociateID,
			Form: a.Form})
		if err != nil {
			return err
		}
		if points == 0 {
			return fault.Field("points", "They have no points to take away.")
		}
		line := entry(at, "points.adjusted", a.Person)
		line.Reason, line.After = a.Reason, map[string]any{"points": points}
		if err := staff.Log(ctx, tx, line); err != nil {
			return err
		}
		return live.Notify(ctx, tx, live.Customer(a.Person))
	})
	return points, err
}
