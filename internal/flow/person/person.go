// Package person makes one person of several profiles, and parts them again; and what a person says of themselves.
package person

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/browsing"
	"counterpart/internal/domain/cart"
	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/hint"
	"counterpart/internal/domain/loyalty"
	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/predict"
	"counterpart/internal/domain/session"
	"counterpart/internal/domain/staff"
	"counterpart/internal/platform/live"
	"counterpart/internal/platform/pg"
	"counterpart/internal/query/advice"
)

// Merge makes the absorbed profile part of the survivor. Its orders, timeline and consents stay its own and are read
// through the person; its open cart, lists and addresses move. Everything that moved is logged, so that Unmerge can
// take it back.
func Merge(ctx context.Context, db pg.DB, at origin.Origin, m customer.Merge) (id int64, err error) {
	err = pg.InTx(ctx, db, func(tx pgx.Tx) error {
		if id, err = customer.BeginMerge(ctx, tx, m); err != nil {
			return err
		}
		joined, err := cart.Join(ctx, tx, m.AbsorbedID, m.SurvivorID, at.Channel)
		if err != nil {
			return err
		}
		wishes, err := cart.MoveWishes(ctx, tx, m.AbsorbedID, m.SurvivorID)
		if err != nil {
			return err
		}
		moves, err := log(joined, wishes)
		if err != nil {
			return err
		}
		if err := customer.LogMoves(ctx, tx, id, moves); err != nil {
			return err
		}
		if err := loyalty.Moved(ctx, tx, m.SurvivorID); err != nil {
			return err
		}
		return said(ctx, tx, at, m, customer.Merged)
	})
	return id, err
}

// Unmerge takes a merge back. What came later stays with the survivor, but for ways in: whoever signed in as the two is
// signed out, and a passkey that was added meanwhile opens neither, because nobody knows any more which of them added
// it.
func Unmerge(ctx context.Context, db pg.DB, at origin.Origin, mergeID int64, reason string) (m customer.Merge,
	err error) {
	err = pg.InTx(ctx, db, func(tx pgx.Tx) error {
		var moves []customer.Moved
		if m, moves, err = customer.UndoMerge(ctx, tx, mergeID, at.AssociateID); err != nil {
			return err
		}
		for _, side := range []int64{m.SurvivorID, m.AbsorbedID} {
			if err := shutOut(ctx, tx, side, m.At); err != nil {
				return err
			}
		}
		joined, wishes, err := read(moves)
		if err != nil {
			return err
		}
		if joined.From != 0 {
			if err := cart.Unjoin(ctx, tx, m.AbsorbedID, joined); err != nil {
				return err
			}
		}
		if err := cart.ReturnWishes(ctx, tx, m.SurvivorID, m.AbsorbedID, wishes); err != nil {
			return err
		}
		m.AssociateID, m.Reason, m.ApprovedBy = at.AssociateID, reason, 0
		for _, side := range []int64{m.SurvivorID, m.AbsorbedID} {
			if err := loyalty.Moved(ctx, tx, side); err != nil {
				return err
			}
		}
		return said(ctx, tx, at, m, customer.Unmerged)
	})
	return m, err
}

func shutOut(ctx context.Context, tx pgx.Tx, person int64, since time.Time) error {
	if _, err := session.EndShopper(ctx, tx, person, ""); err != nil {
		return err
	}
	if err := customer.DropPasskeys(ctx, tx, person, since); err != nil {
		return err
	}
	return customer.Revoke(ctx, tx, person, customer.ToSignIn, customer.ToReset, customer.ToClaim, customer.OldEmail,
		customer.NewEmail)
}

// said writes a merge or its undoing where people look: both timelines, the audit trail, the pages that are open.
func said(ctx context.Context, tx pgx.Tx, at origin.Origin, m customer.Merge, kind string) error {
	batch := &pgx.Batch{}
	for _, id := range []int64{m.SurvivorID, m.AbsorbedID} {
		customer.Fact{CustomerID: id, Kind: kind, Channel: at.Channel, LocationID: at.LocationID,
			AssociateID: m.AssociateID, Detail: m.Proof}.Queue(batch)
	}
	live.QueueNotify(batch, live.Customer(m.SurvivorID), live.Customer(m.AbsorbedID))
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("say that profiles were %s: %w", kind, err)
	}
	entry := staff.Entry{
		AssociateID: m.AssociateID, ApprovedBy: m.ApprovedBy, Action: "customer." +
			kind, Subject: "customer", SubjectID: m.SurvivorID, LocationID: at.LocationID, Reason: m.Reason,
		After: map[string]any{"absorbed": m.AbsorbedID, "proof": m.Proof},
	}
	return staff.Log(ctx, tx, entry)
}

// log is what cart moved, as lines of a merge's log.
func log(joined cart.Joined, wishes []cart.WishMove) (moves []customer.Moved, err error) {
	if joined.From != 0 {
		moves = append(moves, customer.Moved{What: customer.ClosedCart, RowID: joined.From},
			customer.Moved{What: customer.MovedCart, RowID: joined.Into, Data: map[string]any{"made": joined.Made}})
		for _, line := range joined.Lines {
			moves = append(moves, customer.Moved{What: customer.MovedLine, RowID: line.VariantID,
				Data: map[string]any{"added": line.Added}})
		}
	}
	for _, w := range wishes {
		what := customer.MovedWish
		if w.Dropped {
			what = customer.DroppedWish
		}
		raw, err := json.Marshal(w)
		if err != nil {
			return nil, err
		}
		moves = append(moves, customer.Moved{What: what, RowID: w.ID,
			Data: map[string]any{"wish": json.RawMessage(raw)}})
	}
	return moves, nil
}

// read is log backwards.
func read(moves []customer.Moved) (joined cart.Joined, wishes []cart.WishMove, err error) {
	for _, m := range moves {
		switch m.What {
		case customer.ClosedCart:
			joined.From = m.RowID
		case customer.MovedCart:
			joined.Into = m.RowID
			joined.Made, _ = m.Data["made"].(bool)
		case customer.MovedLine:
			added, _ := m.Data["added"].(float64)
			joined.Lines = append(joined.Lines, cart.JoinedLine{VariantID: m.RowID, Added: int(added)})
		case customer.MovedWish, customer.DroppedWish:
			raw, err := json.Marshal(m.Data["wish"])
			if err != nil {
				return joined, nil, err
			}
			var w cart.WishMove
			if err := json.Unmarshal(raw, &w); err != nil {
				return joined, nil, fmt.Errorf("read a merge's log: %w", err)
			}
			wishes = append(wishes, w)
		}
	}
	return joined, wishes, nil
}

// RecordConsent gives or withdraws one consent. Whoever takes back that we remember what they look at is forgotten in
// that at once.
func RecordConsent(ctx context.Context, db pg.DB, person int64, a customer.ConsentEntry) error {
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		// Whoever writes down at this moment what needs the consent is waited for.
		if err := customer.LockRow(ctx, tx, person); err != nil {
			return err
		}
		if err := customer.LockActive(ctx, tx, person); err != nil {
			return err
		}
		if err := customer.RecordConsent(ctx, tx, person, a); err != nil {
			return err
		}
		if a.AssociateID != 0 {
			entry := staff.Entry{AssociateID: a.AssociateID, LocationID: a.LocationID, Action: "customer.consent",
				Subject: "customer", SubjectID: person, After: map[string]any{"purpose": a.Purpose, "medium": a.Medium,
					"given": a.Given}}
			if err := staff.Log(ctx, tx, entry); err != nil {
				return err
			}
		}
		if a.Purpose == customer.Personalisation && !a.Given {
			if err := browsing.Forget(ctx, tx, person); err != nil {
				return err
			}
			if err := hint.Forget(ctx, tx, person, advice.FromViews); err != nil {
				return err
			}
		}
		if a.Purpose == customer.Objection && a.Given {
			if err := predict.Forget(ctx, tx, person); err != nil {
				return err
			}
		}
		if a.Purpose == customer.Clienteling && !a.Given || a.Purpose == customer.Objection && a.Given {
			if err := hint.Forget(ctx, tx, person, advice.Reasons()...); err != nil {
				return err
			}
		}
		return live.Notify(ctx, tx, live.Customer(person))
	})
}
