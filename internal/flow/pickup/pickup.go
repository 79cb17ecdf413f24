// Package pickup is the way of an order over the counter: fetched from the shelf, staged, and handed to whoever can
// prove it is theirs.
package pickup

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/inventory"
	"counterpart/internal/domain/location"
	"counterpart/internal/domain/message"
	"counterpart/internal/domain/order"
	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/payment"
	"counterpart/internal/domain/quote"
	"counterpart/internal/domain/task"
	"counterpart/internal/flow/settle"
	"counterpart/internal/flow/shortage"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/jobs"
	"counterpart/internal/platform/limit"
	"counterpart/internal/platform/live"
	"counterpart/internal/platform/money"
	"counterpart/internal/platform/pg"
)

var (
	// One sentence for every reason why a code is wrong.
	errCode = fault.Field("code", "That code doesn’t match this order. Ask for it again, or scan it.")
)

// Ready says that everything open of an order is staged at a place; the shopper is told.
func Ready(ctx context.Context, db pg.DB, at origin.Origin, fulfilmentID int64, place string) error {
	place = strings.Join(strings.Fields(place), " ")
	if place == "" || utf8.RuneCountInString(place) > 40 || strings.ContainsRune(place, 0) || !utf8.ValidString(place) {
		return fault.Field("place", "Enter the shelf or box, up to 40 characters.")
	}
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		f, err := lock(ctx, tx, at, fulfilmentID)
		if err != nil {
			return err
		}
		if err := f.Stopped(); err != nil {
			return err
		}
		store, err := location.ByID(ctx, tx, at.LocationID)
		if err != nil {
			return err
		}
		done, err := order.MarkReady(ctx, tx, f.ID, at.AssociateID, place, store.KeepUntil(time.Now(), order.HoldDays))
		if err != nil {
			return fmt.Errorf("mark an order ready: %w", err)
		}
		if !done {
			return alreadyDone(f)
		}
		return settle.Tell(ctx, tx, at, f, customer.Contacted,
			message.OrderMail{OrderID: f.OrderID, Mail: message.MailReady, FulfilmentID: f.ID})
	})
}

// Pick says how many units of a line were fetched. Every till of the store sees it.
func Pick(ctx context.Context, db pg.DB, at origin.Origin, fulfilmentID, orderLineID int64, picked int) error {
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		f, err := lock(ctx, tx, at, fulfilmentID)
		if err != nil {
			return err
		}
		if f.State != order.ToPick {
			return alreadyDone(f)
		}
		if !slices.Contains(f.OpenLines, orderLineID) {
			return order.ErrNotHere
		}
		done, err := order.SetPicked(ctx, tx, orderLineID, picked)
		if err != nil {
			return err
		}
		if !done {
			return fault.New(fault.Conflict, "There are fewer of this item to pick now. The page shows how it stands.")
		}
		return live.Notify(ctx, tx, live.Queue(at.LocationID))
	})
}

// NotFound says that some units of a line are not on the shelf: the shopper is told and pays nothing for them, the
// claim is given up and the difference booked.
func NotFound(ctx context.Context, db pg.DB, at origin.Origin, fulfilmentID, orderLineID int64, quantity int) error {
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		f, err := lock(ctx, tx, at, fulfilmentID)
		if err != nil {
			return err
		}
		if f.State != order.ToPick {
			return alreadyDone(f)
		}
		if !slices.Contains(f.OpenLines, orderLineID) {
			return order.ErrNotHere
		}
		variantID, err := order.VariantOf(ctx, tx, orderLineID)
		if err != nil {
			return err
		}
		if err := shortage.MarkShort(ctx, tx, at, f, orderLineID, quantity); err != nil {
			return err
		}
		if err := recount(ctx, tx, at.LocationID, f.OrderID, variantID); err != nil {
			return err
		}
		return inventory.NotFound(ctx, tx, orderLineID, quantity,
			inventory.Reason{Channel: at.Channel, Reason: "not found", AssociateID: at.AssociateID})
	})
}

// Cancel puts an order back on the shelves: the shopper does not want it, or never came.
func Cancel(ctx context.Context, db pg.DB, at origin.Origin, fulfilmentID int64) error {
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		f, err := lock(ctx, tx, at, fulfilmentID)
		if err != nil {
			return err
		}
		if f.State != order.ToPick && f.State != order.Ready {
			return alreadyDone(f)
		}
		for _, line := range f.OpenLines {
			if _, err := order.CancelUnits(ctx, tx, line, 1<<30); err != nil {
				return err
			}
		}
		if _, err := settle.RefundCancelled(ctx, tx, f.OrderID); err != nil {
			return err
		}
		if err := settle.Tell(ctx, tx, at, f, customer.Cancelled,
			message.OrderMail{OrderID: f.OrderID, Mail: message.MailCancelled, FulfilmentID: f.ID}); err != nil {
			return err
		}
		return inventory.Release(ctx, tx, f.OpenLines)
	})
}

var (
	perDesk  = limit.Rule{Max: 20, Window: 15 * time.Minute}
	perOrder = limit.Rule{Max: 5, Window: 15 * time.Minute}
)

// HandOver checks the code, records the money and gives the goods away. The answer is the change to give.
func HandOver(ctx context.Context, db pg.DB, at origin.Origin, fulfilmentID int64, code string,
	paid settle.CounterPayment) (change money.Money, err error) {
	// The tries are counted outside the transaction, which a wrong code rolls back.
	if err := limit.Attempt(ctx, db, orderScope(fulfilmentID), perOrder); err != nil {
		return money.Money{}, err
	}
	if err := CountCodeAttempt(ctx, db, at); err != nil {
		return money.Money{}, err
	}
	err = pg.InTx(ctx, db, func(tx pgx.Tx) error {
		f, err := lock(ctx, tx, at, fulfilmentID)
		if err != nil {
			return err
		}
		if f.State != order.Ready {
			return alreadyDone(f)
		}
		proof, ok := matches(f, code)
		if !ok {
			return errCode
		}
		if err := f.Stopped(); err != nil {
			return err
		}
		if err := decidedBeforePaid(ctx, tx, f); err != nil {
			return err
		}
		if change, err = paid.Check(f.Due, f.Currency); err != nil {
			return err
		}
		return handOver(ctx, tx, at, f, proof, paid)
	})
	if err != nil && !wrongCode(err) {
		// The code was right, or was never looked at: the try is not held against anybody. Should that fail, a try is
		// lost for a quarter of an hour, which is less than what went wrong already.
		_ = limit.Return(ctx, db, orderScope(fulfilmentID))
		_ = ReturnCodeAttempt(ctx, db, at)
	}
	if err != nil {
		return money.Money{}, err
	}
	return change, ReturnCodeAttempt(ctx, db, at)
}

// decidedBeforePaid refuses to take money for units that were not found while their shopper has not said what they want
// instead.
func decidedBeforePaid(ctx context.Context, tx pgx.Tx, f *order.Fulfilment) error {
	if f.Due == 0 {
		return nil
	}
	open, err := order.Shortages(ctx, tx, f.OrderID)
	if err == nil && len(open) > 0 {
		err = fault.New(fault.Conflict,
			"Something in this order wasn’t found. Ask what they’d like instead, then take the payment.")
	}
	return err
}

func wrongCode(err error) bool {
	f := fault.As(err)
	return f != nil && !f.Fields["code"].IsZero()
}

// CountCodeAttempt counts one try of a code at a desk, wherever it was typed.
func CountCodeAttempt(ctx context.Context, db pg.DB, at origin.Origin) error {
	return limit.Attempt(ctx, db, deskScope(at), perDesk)
}

// MayOpen refuses, like HandOver, an order whose code was tried too often, so that no other box says whether a code is
// right.
func MayOpen(ctx context.Context, db pg.DB, fulfilmentID int64) error {
	return limit.Check(ctx, db, orderScope(fulfilmentID), perOrder)
}

// deskScope is one associate at one counter.
func deskScope(at origin.Origin) string {
	return fmt.Sprintf("code:desk:%d:%d", at.LocationID, at.AssociateID)
}

func orderScope(fulfilmentID int64) string { return fmt.Sprintf("code:fulfilment:%d", fulfilmentID) }

// ReturnCodeAttempt gives the try back: the code was one.
func ReturnCodeAttempt(ctx context.Context, db pg.DB, at origin.Origin) error {
	return limit.Return(ctx, db, deskScope(at))
}

func matches(f *order.Fulfilment, typed string) (proof string, ok bool) {
	typed = strings.ToUpper(strings.NewReplacer(" ", "", "-", "").Replace(strings.TrimSpace(typed)))
	if subtle.ConstantTimeCompare([]byte(typed), []byte(f.Code)) == 1 {
		return "code", true
	}
	if _, token, found := strings.Cut(typed, ScanPrefix); found &&
		subtle.ConstantTimeCompare([]byte(token), []byte(f.Token)) == 1 {
		return "scan", true
	}
	return "", false
}

// ScanPrefix stands before the token in a pickup's QR code, so that a scanner's line tells what it is.
const ScanPrefix = "PICKUP:"

// HandOverSale gives what was sold at this counter to whoever has paid it on their own phone. It leaves the store now.
func HandOverSale(ctx context.Context, db pg.DB, at origin.Origin, fulfilmentID int64) error {
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		f, err := lock(ctx, tx, at, fulfilmentID)
		if err != nil {
			return err
		}
		if f.State != order.ToPick || f.Method != quote.CarryOut || f.PaymentState != order.Authorised &&
			f.PaymentState != order.Paid {
			return alreadyDone(f)
		}
		loose, err := order.UnreservedLines(ctx, tx, f.OpenLines)
		if err != nil {
			return err
		}
		done, err := order.MarkCarriedOut(ctx, tx, f.ID, at.AssociateID)
		if err != nil || !done {
			return errors.Join(err, alreadyDone(f))
		}
		if err := settle.HandedOver(ctx, tx, f.OrderID, f.ID, f.CustomerID); err != nil {
			return err
		}
		if err := customer.Record(ctx, tx, customer.Fact{CustomerID: f.CustomerID, Kind: customer.Collected,
			Channel: at.Channel, LocationID: f.LocationID, OrderID: f.OrderID}); err != nil {
			return err
		}
		if err := live.Notify(ctx, tx, live.Queue(f.LocationID), live.Customer(f.CustomerID)); err != nil {
			return err
		}
		return shortage.HandOverStock(ctx, tx, f, loose, inventory.Reason{Channel: at.Channel,
			AssociateID: at.AssociateID})
	})
}

// EmailReceipt sends what was bought to an address that the customer says now, where the order has none yet.
func EmailReceipt(ctx context.Context, db pg.DB, at origin.Origin, orderID int64, typed string) error {
	email, ok := customer.NormalEmail(typed)
	if !ok {
		return fault.Field("email", "Enter a valid email address, such as ada@example.com.")
	}
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		h, err := order.LockOrder(ctx, tx, orderID)
		if err != nil {
			return err
		}
		if h == nil {
			return order.ErrNotHere
		}
		done, err := order.SetEmailOnce(ctx, tx, orderID, email)
		if err != nil {
			return err
		}
		if !done {
			return fault.New(fault.Conflict, "This order already has an email address. Its receipt was sent there.")
		}
		return jobs.Insert(ctx, tx, message.OrderMail{OrderID: orderID, Mail: message.MailConfirmed})
	})
}

func handOver(ctx context.Context, tx pgx.Tx, at origin.Origin, f *order.Fulfilment, proof string,
	paid settle.CounterPayment) error {
	loose, err := order.UnreservedLines(ctx, tx, f.OpenLines)
	if err != nil {
		return err
	}
	done, err := order.MarkCollected(ctx, tx, f.ID, at.AssociateID, proof)
	if err != nil {
		return fmt.Errorf("mark an order collected: %w", err)
	}
	if !done {
		return alreadyDone(f)
	}
	if f.PaymentState == order.Due {
		if err := settle.RecordTender(ctx, tx, f.OrderID, payment.New{Kind: paid.Kind, Amount: f.Due, Given: paid.Given,
			AssociateID: at.AssociateID}); err != nil {
			return err
		}
	}
	if err := settle.HandedOver(ctx, tx, f.OrderID, f.ID, f.CustomerID); err != nil {
		return err
	}
	if err := settle.Tell(ctx, tx, at, f, customer.Collected,
		message.OrderMail{OrderID: f.OrderID, Mail: message.MailCollected, FulfilmentID: f.ID}); err != nil {
		return err
	}
	return shortage.HandOverStock(ctx, tx, f, loose, inventory.Reason{Channel: at.Channel, AssociateID: at.AssociateID})
}

func lock(ctx context.Context, tx pgx.Tx, at origin.Origin, fulfilmentID int64) (*order.Fulfilment, error) {
	f, err := order.LockFulfilment(ctx, tx, fulfilmentID, at.LocationID)
	if err == nil && f == nil {
		err = order.ErrNotHere
	}
	return f, err
}

func alreadyDone(f *order.Fulfilment) error {
	switch f.State {
	case order.Collected, order.Shipped:
		return fault.New(fault.Conflict, "This order has already been handed over.")
	case order.Unpaid:
		return fault.New(fault.Conflict, "This order is not paid yet.")
	case order.Gone:
		return fault.New(fault.Conflict, "This order was cancelled.")
	case order.Ready:
		return fault.New(fault.Conflict, "This order is already marked ready.")
	}
	return fault.New(fault.Conflict, "This order is not ready yet.")
}

// recount asks a store to count a shelf that had less than it should.
func recount(ctx context.Context, tx pgx.Tx, locationID, orderID, variantID int64) error {
	return task.Add(ctx, tx, task.New{LocationID: locationID, Kind: task.Recount,
		Cause: fmt.Sprintf("variant:%d", variantID), OrderID: orderID, VariantID: variantID,
		DueAt: time.Now().Add(48 * time.Hour)})
}
