// Package stocktake is putting the books right: goods that arrived, and figures that a count corrects.
package stocktake

import (
	"context"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/inventory"
	"counterpart/internal/domain/origin"
	"counterpart/internal/flow/shortage"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/live"
	"counterpart/internal/platform/pg"
)

// Change is what somebody says of one shelf.
type Change struct {
	VariantID  int64
	LocationID int64
	Quantity   int // received, or counted
	Reason     string
	Form       string // names a form, so that one sent twice books once
}

// Max is how many of one thing a shelf can hold.
const Max = 1_000_000

// Receive books goods that arrived.
func Receive(ctx context.Context, db pg.DB, at origin.Origin, c Change) error {
	var form fault.Form
	if c.Quantity < 1 || c.Quantity > Max {
		form.Add("quantity", "Enter how many arrived: a whole number from 1 to a million.")
	}
	c.Reason = strings.TrimSpace(c.Reason)
	if !note(c.Reason) {
		form.Add("reason", "That note is too long. Use up to 200 characters.")
	}
	if err := form.Err(); err != nil {
		return err
	}
	err := pg.InTx(ctx, db, func(tx pgx.Tx) error {
		move := inventory.Move{VariantID: c.VariantID, LocationID: c.LocationID, Delta: c.Quantity, Form: c.Form}
		return inventory.Receive(ctx, tx, []inventory.Move{move},
			inventory.Reason{Channel: at.Channel, Reason: c.Reason, AssociateID: at.AssociateID})
	})
	if inventory.Booked(err) {
		return nil
	}
	return err
}

func note(s string) bool {
	return utf8.RuneCountInString(s) <= 200 && utf8.ValidString(s) && !strings.ContainsRune(s, 0)
}

// Count says what is on a shelf. It is never refused: where more is promised than is there, the youngest orders that
// are not picked yet lose their claim first, and their shoppers are told.
func Count(ctx context.Context, db pg.DB, at origin.Origin, c Change) error {
	var form fault.Form
	if c.Quantity < 0 || c.Quantity > Max {
		form.Add("quantity", "Enter how many there are: a whole number from 0 to a million.")
	}
	c.Reason = strings.TrimSpace(c.Reason)
	if c.Reason == "" || !note(c.Reason) {
		form.Add("reason", "Enter a reason for the stock ledger.")
	}
	if err := form.Err(); err != nil {
		return err
	}
	// Orders are locked before shelves, so the promises that have to go are found first. Should new ones appear
	// meanwhile, we look again.
	for range 20 {
		done, err := count(ctx, db, at, c)
		if err != nil || done {
			return err
		}
	}
	return fault.New(fault.Conflict, "Orders came in while you were counting. Please try again.")
}

func count(ctx context.Context, db pg.DB, at origin.Origin, c Change) (done bool, err error) {
	err = pg.InTx(ctx, db, func(tx pgx.Tx) error {
		if err := shortage.ReduceReservations(ctx, tx, at, c.VariantID, c.LocationID, c.Quantity); err != nil {
			return err
		}
		level, err := inventory.LockLevel(ctx, tx, c.VariantID, c.LocationID)
		if err != nil {
			return err
		}
		if level.OnHand == c.Quantity {
			done = true
			return nil
		}
		move := inventory.Move{VariantID: c.VariantID, LocationID: c.LocationID, Delta: c.Quantity - level.OnHand,
			Cause: "count"}
		done, err = inventory.AdjustOnHand(ctx, tx, move, inventory.Reason{Channel: at.Channel, Reason: c.Reason,
			AssociateID: at.AssociateID})
		if err != nil {
			return err
		}
		return live.Notify(ctx, tx, live.Queue(c.LocationID))
	})
	return done, err
}
