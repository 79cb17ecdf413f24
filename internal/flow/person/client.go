package person

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/clientele"
	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/staff"
	"counterpart/internal/platform/live"
	"counterpart/internal/platform/pg"
)

// TakeClient makes somebody the client of whoever stands at a counter, or lets them go.
func TakeClient(ctx context.Context, db pg.DB, at origin.Origin, person int64, take bool) error {
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		if err := customer.LockActive(ctx, tx, person); err != nil {
			return err
		}
		change := clientele.Leave
		if take {
			change = clientele.Take
		}
		if err := change(ctx, tx, person, at.AssociateID); err != nil {
			return err
		}
		return live.Notify(ctx, tx, live.Customer(person))
	})
}

// Remind writes down what an associate wants to be reminded of.
func Remind(ctx context.Context, db pg.DB, at origin.Origin, f clientele.FollowUp, today time.Time) error {
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		if err := customer.LockActive(ctx, tx, f.Person); err != nil {
			return err
		}
		return clientele.Remind(ctx, tx, f, at.AssociateID, today)
	})
}

// DoneReminding ends a reminder of theirs.
func DoneReminding(ctx context.Context, db pg.DB, at origin.Origin, id int64) error {
	return pg.InTx(ctx, db, func(tx pgx.Tx) error { return clientele.Done(ctx, tx, id, at.AssociateID) })
}

// HandOver gives an associate's clients to another.
func HandOver(ctx context.Context, db pg.DB, at origin.Origin, from, to int64) (people int, err error) {
	err = pg.InTx(ctx, db, func(tx pgx.Tx) error {
		if people, err = clientele.HandOver(ctx, tx, from, to); err != nil {
			return err
		}
		return staff.Log(ctx, tx, staff.Entry{AssociateID: at.AssociateID, Action: "staff.handover", Subject: "associate",
			SubjectID: from, After: map[string]any{"to": to, "people": people}})
	})
	return people, err
}
