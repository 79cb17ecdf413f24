// Package stocktake is putting the books right: goods that arrived, and figures that a count corrects.
package stocktake

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/inventory"
	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/staff"
	"counterpart/internal/flow/shortage"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/live"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/text"
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

// Transfer of units from one condition to another, or off the books.
type Transfer struct {
	VariantID  int64
	LocationID int64
	From       string
	To         string // empty: they are written off
	Quantity   int
	Reason     string
	Form       string // names a form, so that one sent twice books once
	Unlimited  bool   // whoever does it may write off any number
}

// Move changes the condition of units, or writes them off. Units that are promised to somebody stay sellable.
func Move(ctx context.Context, db pg.DB, at origin.Origin, t Transfer) error {
	var form fault.Form
	if t.Quantity < 1 || t.Quantity > Max {
		form.Add("quantity", "Enter how many: a whole number from 1 to a million.")
	}
	t.Reason = strings.TrimSpace(t.Reason)
	if t.Reason == "" || !note(t.Reason) {
		form.Add("reason", "Enter a reason for the stock ledger.")
	}
	if !slices.Contains(inventory.Conditions, t.From) || t.To != "" && !slices.Contains(inventory.Conditions, t.To) ||
		t.From == t.To {
		form.Add("to", "Choose from the list.")
	}
	if err := form.Err(); err != nil {
		return err
	}
	err := pg.InTx(ctx, db, func(tx pgx.Tx) error {
		if err := limited(ctx, tx, t); err != nil {
			return err
		}
		m := inventory.Move{VariantID: t.VariantID, LocationID: t.LocationID, Cause: "condition", Form: t.Form}
		if t.To == "" {
			m.Cause = "write_off"
		}
		why := inventory.Reason{Channel: at.Channel, Reason: t.Reason, AssociateID: at.AssociateID}
		if err := inventory.LockShelf(ctx, tx, t.VariantID, t.LocationID); err != nil {
			return err
		}
		done, err := inventory.Take(ctx, tx, m, t.From, t.Quantity, why)
		if err != nil {
			return err
		}
		if !done {
			return fault.Field("quantity", "There aren’t that many that nobody has been promised.")
		}
		if t.To == "" {
			return nil
		}
		m.Form = ""
		return inventory.Put(ctx, tx, m, t.To, t.Quantity, why)
	})
	if inventory.Booked(err) {
		return nil
	}
	return err
}

// limited refuses to write off more than somebody may.
func limited(ctx context.Context, tx pgx.Tx, t Transfer) error {
	if t.To != "" || t.Unlimited {
		return nil
	}
	var limit int
	if err := tx.QueryRow(ctx, `SELECT write_off_limit FROM shop`).Scan(&limit); err != nil {
		return fmt.Errorf("read the limit of write-offs: %w", err)
	}
	if t.Quantity > limit {
		return fault.Field("quantity", "You can write off up to {most} at a time. Ask an admin.",
			text.Args{"most": limit})
	}
	return nil
}

// Shelf is how a place keeps a variant: how many it holds back, and where they lie.
type Shelf struct {
	VariantID  int64
	LocationID int64
	Safety     int
	Bin        string
}

// SetShelf says how a place keeps a variant.
func SetShelf(ctx context.Context, db pg.DB, at origin.Origin, s Shelf) error {
	var form fault.Form
	if s.Safety < 0 || s.Safety > Max {
		form.Add("safety", "Enter how many to keep back: a whole number from 0 to a million.")
	}
	if s.Bin = text.Clean(s.Bin, 41); len([]rune(s.Bin)) > 40 {
		form.Add("bin", "That’s too long. Use up to {most} characters.", text.Args{"most": 40})
	}
	if err := form.Err(); err != nil {
		return err
	}
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		if err := inventory.SetSafety(ctx, tx, s.VariantID, s.LocationID, s.Safety); err != nil {
			return err
		}
		if err := inventory.SetBin(ctx, tx, s.VariantID, s.LocationID, s.Bin); err != nil {
			return err
		}
		return staff.Log(ctx, tx, staff.Entry{AssociateID: at.AssociateID, Action: "stock.shelf", Subject: "variant",
			SubjectID: s.VariantID, LocationID: s.LocationID, After: map[string]any{"safety": s.Safety, "bin": s.Bin}})
	})
}
