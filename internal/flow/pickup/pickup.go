// Package pickup is the way of an order over the counter: fetched from the shelf, staged, and handed to whoever can prove it is theirs.
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
	"counterpart/internal/domain/payment"
	"counterpart/internal/domain/quote"
	"counterpart/internal/flow/settle"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/jobs"
	"counterpart/internal/platform/limit"
	"counterpart/internal/platform/live"
	"counterpart/internal/platform/money"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/text"
)

// Desk is where something is done and by whom. Name counts its tries: whoever signs in again goes on where they were.
type Desk struct {
	LocationID  int64
	AssociateID int64
	Name        string
}

// KeepDays is how long a ready order is kept: to the end of the third day.
const KeepDays = 3

const channel = "counter"

var (
	errGone = fault.New(fault.NotFound, "We can’t find that order at this store.")
	// One sentence for every reason why a code is wrong.
	errCode = fault.Field("code", "That code doesn’t match this order. Ask for it again, or scan it.")
)

// Ready says that everything open of an order is staged at a place; the shopper is told.
func Ready(ctx context.Context, db pg.DB, desk Desk, fulfilmentID int64, place string) error {
	place = strings.Join(strings.Fields(place), " ")
	if place == "" || utf8.RuneCountInString(place) > 40 || strings.ContainsRune(place, 0) || !utf8.ValidString(place) {
		return fault.Field("place", "Enter the shelf or box, up to 40 characters.")
	}
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		f, err := lock(ctx, tx, desk, fulfilmentID)
		if err != nil {
			return err
		}
		store, err := location.ByID(ctx, tx, desk.LocationID)
		if err != nil {
			return err
		}
		done, err := order.MarkReady(ctx, tx, f.ID, desk.AssociateID, place, store.KeepUntil(time.Now(), KeepDays))
		if err != nil {
			return fmt.Errorf("mark an order ready: %w", err)
		}
		if !done {
			return alreadyDone(f)
		}
		return tell(ctx, tx, f, channel, customer.Contacted, message.OrderMail{OrderID: f.OrderID, Mail: message.MailReady, Line: f.ID})
	})
}

// Pick says how many units of a line were fetched. Every till of the store sees it.
func Pick(ctx context.Context, db pg.DB, desk Desk, fulfilmentID, orderLineID int64, picked int) error {
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		f, err := lock(ctx, tx, desk, fulfilmentID)
		if err != nil {
			return err
		}
		if f.State != order.ToPick {
			return alreadyDone(f)
		}
		if !slices.Contains(f.OpenLines, orderLineID) {
			return errGone
		}
		done, err := order.Pick(ctx, tx, orderLineID, picked)
		if err != nil {
			return err
		}
		if !done {
			return fault.New(fault.Conflict, "There are fewer of this item to pick now. The page shows how it stands.")
		}
		return live.Notify(ctx, tx, live.Queue(desk.LocationID))
	})
}

// NotFound says that some pieces of a line are not on the shelf: the shopper is told and pays nothing for them, the claim
// is given up and the difference booked.
func NotFound(ctx context.Context, db pg.DB, desk Desk, fulfilmentID, orderLineID int64, quantity int) error {
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		f, err := lock(ctx, tx, desk, fulfilmentID)
		if err != nil {
			return err
		}
		if f.State != order.ToPick {
			return alreadyDone(f)
		}
		if !slices.Contains(f.OpenLines, orderLineID) {
			return errGone
		}
		variantID, err := order.VariantOf(ctx, tx, orderLineID)
		if err != nil {
			return err
		}
		if err := Shorten(ctx, tx, f, orderLineID, quantity); err != nil {
			return err
		}
		if err := recount(ctx, tx, desk.LocationID, f.OrderID, variantID); err != nil {
			return err
		}
		return inventory.NotFound(ctx, tx, orderLineID, quantity, inventory.Cause{Channel: channel, Reason: "not found", AssociateID: desk.AssociateID})
	})
}

// Shorten says that units of an order that is locked are not there, and tells the shopper: of a pickup they choose what becomes of them, of what is sent they are taken out and
// given back. The shelf is the caller's, last.
func Shorten(ctx context.Context, tx pgx.Tx, f *order.Fulfilment, orderLineID int64, quantity int) error {
	if quantity > 0 {
		offered, err := offer(ctx, tx, f, orderLineID, quantity)
		if err != nil || offered {
			return err
		}
	}
	cancelled, err := order.CancelUnits(ctx, tx, orderLineID, quantity)
	if err != nil {
		return err
	}
	if cancelled < int64(quantity) || quantity < 1 {
		return fault.Field("quantity", "Only {n} of this item still to pick.", text.Args{"n": cancelled})
	}
	if _, err := settle.Cancelled(ctx, tx, f.OrderID); err != nil {
		return err
	}
	return tell(ctx, tx, f, channel, customer.Contacted, message.OrderMail{OrderID: f.OrderID, Mail: message.MailShort, Line: orderLineID})
}

// Cancel puts an order back on the shelves: the shopper does not want it, or never came.
func Cancel(ctx context.Context, db pg.DB, desk Desk, fulfilmentID int64) error {
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		f, err := lock(ctx, tx, desk, fulfilmentID)
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
		if _, err := settle.Cancelled(ctx, tx, f.OrderID); err != nil {
			return err
		}
		if err := tell(ctx, tx, f, channel, customer.Cancelled, message.OrderMail{OrderID: f.OrderID, Mail: message.MailCancelled, Line: f.ID}); err != nil {
			return err
		}
		return inventory.Release(ctx, tx, f.OpenLines)
	})
}

// CallOff cancels a whole order for its owner, while nothing of it is staged, handed over or sent. What was paid goes back.
func CallOff(ctx context.Context, db pg.DB, orderID int64, channel string) error {
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		h, err := order.Lock(ctx, tx, orderID)
		if err != nil {
			return err
		}
		begun, err := order.Begun(ctx, tx, orderID)
		if err != nil {
			return err
		}
		if h == nil || begun || h.State == order.Cancelled {
			return fault.New(fault.Conflict, "This order can’t be cancelled any more: it’s ready, on its way or already cancelled. You can return it to any store.")
		}
		lines, err := order.OpenLines(ctx, tx, orderID)
		if err != nil {
			return err
		}
		for _, line := range lines {
			if _, err := order.CancelUnits(ctx, tx, line, 1<<30); err != nil {
				return err
			}
		}
		if _, err := settle.Cancelled(ctx, tx, orderID); err != nil {
			return err
		}
		f := &order.Fulfilment{OrderID: orderID, CustomerID: h.CustomerID, LocationID: h.LocationID}
		if err := tell(ctx, tx, f, channel, customer.Cancelled, message.OrderMail{OrderID: orderID, Mail: message.MailCancelled}); err != nil {
			return err
		}
		return inventory.Release(ctx, tx, lines)
	})
}

// Payment is what was taken at the counter. Given is what cash was laid down; a terminal takes the exact amount.
type Payment struct {
	Kind  string
	Given int64 // minor units
	Wrong bool  // what was typed is not an amount
	Sure  bool  // more cash than anybody would lay down is what was meant
}

var (
	perDesk  = limit.Rule{Max: 20, Window: 15 * time.Minute}
	perOrder = limit.Rule{Max: 5, Window: 15 * time.Minute}
)

// HandOver checks the code, records the money and gives the goods away. The answer is the change to give.
func HandOver(ctx context.Context, db pg.DB, desk Desk, fulfilmentID int64, code string, paid Payment) (change money.Money, err error) {
	// The tries are counted outside the transaction, which a wrong code rolls back.
	if err := limit.Take(ctx, db, orderScope(fulfilmentID), perOrder); err != nil {
		return money.Money{}, err
	}
	if err := TryCode(ctx, db, desk); err != nil {
		return money.Money{}, err
	}
	err = pg.InTx(ctx, db, func(tx pgx.Tx) error {
		f, err := lock(ctx, tx, desk, fulfilmentID)
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
		if err := decidedBeforePaid(ctx, tx, f); err != nil {
			return err
		}
		if change, err = checkPayment(f, paid); err != nil {
			return err
		}
		return handOver(ctx, tx, desk, f, proof, paid)
	})
	if err != nil && !wrongCode(err) {
		// The code was right, or was never looked at: the try is not held against anybody. Should that fail, a try is lost for a quarter of an
		// hour, which is less than what went wrong already.
		_ = limit.GiveBack(ctx, db, orderScope(fulfilmentID))
		_ = GoodTry(ctx, db, desk)
	}
	if err != nil {
		return money.Money{}, err
	}
	return change, GoodTry(ctx, db, desk)
}

// decidedBeforePaid refuses to take money for units that were not found while their shopper has not said what they want instead.
func decidedBeforePaid(ctx context.Context, tx pgx.Tx, f *order.Fulfilment) error {
	if f.Due == 0 {
		return nil
	}
	open, err := order.Shortages(ctx, tx, f.OrderID)
	if err == nil && len(open) > 0 {
		err = fault.New(fault.Conflict, "Something in this order wasn’t found. Ask what they’d like instead, then take the payment.")
	}
	return err
}

func wrongCode(err error) bool {
	f := fault.As(err)
	return f != nil && !f.Fields["code"].IsZero()
}

// TryCode counts one try of a code at a desk, wherever it was typed.
func TryCode(ctx context.Context, db pg.DB, desk Desk) error {
	return limit.Take(ctx, db, "code:desk:"+desk.Name, perDesk)
}

// MayOpen refuses, like HandOver, an order whose code was tried too often, so that no other box says whether a code is right.
func MayOpen(ctx context.Context, db pg.DB, fulfilmentID int64) error {
	return limit.Check(ctx, db, orderScope(fulfilmentID), perOrder)
}

func orderScope(fulfilmentID int64) string { return fmt.Sprintf("code:fulfilment:%d", fulfilmentID) }

// GoodTry gives the try back: the code was one.
func GoodTry(ctx context.Context, db pg.DB, desk Desk) error {
	return limit.GiveBack(ctx, db, "code:desk:"+desk.Name)
}

func matches(f *order.Fulfilment, typed string) (proof string, ok bool) {
	typed = strings.ToUpper(strings.NewReplacer(" ", "", "-", "").Replace(strings.TrimSpace(typed)))
	if subtle.ConstantTimeCompare([]byte(typed), []byte(f.Code)) == 1 {
		return "code", true
	}
	if _, token, found := strings.Cut(typed, ScanPrefix); found && subtle.ConstantTimeCompare([]byte(token), []byte(f.Token)) == 1 {
		return "scan", true
	}
	return "", false
}

// ScanPrefix stands before the token in a pickup's QR code, so that a scanner's line tells what it is.
const ScanPrefix = "PICKUP:"

func checkPayment(f *order.Fulfilment, paid Payment) (change money.Money, err error) {
	due := money.New(f.Due, f.Currency)
	if f.Due == 0 {
		return money.New(0, f.Currency), nil // It is paid, or the gateway has promised it.
	}
	if paid.Wrong {
		return change, fault.Field("given", "Enter an amount, such as {due}.", text.Args{"due": due.Plain()})
	}
	switch paid.Kind {
	case payment.Terminal:
		return money.New(0, f.Currency), nil
	case payment.Cash:
		if paid.Given < f.Due {
			return change, fault.Field("given", "{missing} short: {due} is due.", text.Args{"missing": money.New(f.Due-paid.Given, f.Currency), "due": due})
		}
		if paid.Given > money.MaxUnit {
			return change, fault.Field("given", "That amount is too high. Please check it.")
		}
		if !paid.Sure && !money.Likely(paid.Given, f.Due, f.Currency) {
			return change, fault.Field("sure", "That would be {change} change. Did they really give you {given}?",
				text.Args{"change": money.New(paid.Given-f.Due, f.Currency), "given": money.New(paid.Given, f.Currency)})
		}
		return money.New(paid.Given-f.Due, f.Currency), nil
	}
	return change, fault.Field("kind", "Choose a payment method: cash or card terminal.")
}

// HandOverSale gives what was sold at this counter to whoever has paid it on their own phone. It leaves the store now.
func HandOverSale(ctx context.Context, db pg.DB, desk Desk, fulfilmentID int64) error {
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		f, err := lock(ctx, tx, desk, fulfilmentID)
		if err != nil {
			return err
		}
		if f.State != order.ToPick || f.Method != quote.CarryOut || f.PaymentState != order.Authorised && f.PaymentState != order.Paid {
			return alreadyDone(f)
		}
		loose, err := order.WithoutStock(ctx, tx, f.OpenLines)
		if err != nil {
			return err
		}
		done, err := order.MarkCarriedOut(ctx, tx, f.ID, desk.AssociateID)
		if err != nil || !done {
			return errors.Join(err, alreadyDone(f))
		}
		if err := settle.HandedOver(ctx, tx, f.OrderID, f.ID, f.CustomerID); err != nil {
			return err
		}
		if err := customer.Record(ctx, tx, customer.Fact{CustomerID: f.CustomerID, Kind: customer.Collected, Channel: channel, LocationID: f.LocationID, OrderID: f.OrderID}); err != nil {
			return err
		}
		if err := live.Notify(ctx, tx, live.Queue(f.LocationID), live.Customer(f.CustomerID)); err != nil {
			return err
		}
		return Leave(ctx, tx, f, loose, inventory.Cause{Channel: channel, AssociateID: desk.AssociateID})
	})
}

// EmailReceipt sends what was bought to an address that the customer says now, where the order has none yet.
func EmailReceipt(ctx context.Context, db pg.DB, desk Desk, orderID int64, typed string) error {
	email, ok := customer.NormalEmail(typed)
	if !ok {
		return fault.Field("email", "Enter a valid email address, such as ada@example.com.")
	}
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		h, err := order.Lock(ctx, tx, orderID)
		if err != nil {
			return err
		}
		if h == nil {
			return errGone
		}
		done, err := order.GiveEmail(ctx, tx, orderID, email)
		if err != nil {
			return err
		}
		if !done {
			return fault.New(fault.Conflict, "This order already has an email address. Its receipt was sent there.")
		}
		return jobs.Insert(ctx, tx, message.OrderMail{OrderID: orderID, Mail: message.MailConfirmed})
	})
}

// Charge takes the money of an order that is to be paid at a counter, without handing anything over: at any store that deals in its currency. The answer is the
// change to give.
func Charge(ctx context.Context, db pg.DB, desk Desk, orderID int64, paid Payment) (change money.Money, err error) {
	err = pg.InTx(ctx, db, func(tx pgx.Tx) error {
		h, err := order.Lock(ctx, tx, orderID)
		if err != nil {
			return err
		}
		if h == nil {
			return errGone
		}
		store, err := location.ByID(ctx, tx, desk.LocationID)
		if err != nil {
			return err
		}
		if store.Currency != h.Currency {
			return fault.New(fault.Conflict, "This order is in {currency}, which this store doesn’t take.", text.Args{"currency": h.Currency})
		}
		due, err := order.DueNow(ctx, tx, orderID)
		if err != nil {
			return err
		}
		if due == 0 {
			return fault.New(fault.Conflict, "There’s nothing left to pay on this order.")
		}
		if change, err = checkPayment(&order.Fulfilment{Due: due, Currency: h.Currency}, paid); err != nil {
			return err
		}
		if err := settle.Take(ctx, tx, orderID, payment.New{Kind: paid.Kind, Amount: due, Given: paid.Given, AssociateID: desk.AssociateID}); err != nil {
			return err
		}
		return live.Notify(ctx, tx, live.Queue(h.LocationID), live.Customer(h.CustomerID))
	})
	if err != nil {
		return money.Money{}, err
	}
	return change, nil
}

func handOver(ctx context.Context, tx pgx.Tx, desk Desk, f *order.Fulfilment, proof string, paid Payment) error {
	loose, err := order.WithoutStock(ctx, tx, f.OpenLines)
	if err != nil {
		return err
	}
	done, err := order.MarkCollected(ctx, tx, f.ID, desk.AssociateID, proof)
	if err != nil {
		return fmt.Errorf("mark an order collected: %w", err)
	}
	if !done {
		return alreadyDone(f)
	}
	if f.PaymentState == order.Due {
		if err := settle.Take(ctx, tx, f.OrderID, payment.New{Kind: paid.Kind, Amount: f.Due, Given: paid.Given, AssociateID: desk.AssociateID}); err != nil {
			return err
		}
	}
	if err := settle.HandedOver(ctx, tx, f.OrderID, f.ID, f.CustomerID); err != nil {
		return err
	}
	if err := tell(ctx, tx, f, channel, customer.Collected, message.OrderMail{OrderID: f.OrderID, Mail: message.MailCollected, Line: f.ID}); err != nil {
		return err
	}
	return Leave(ctx, tx, f, loose, inventory.Cause{Channel: channel, AssociateID: desk.AssociateID})
}

// Leave takes what is handed over off the books: what was reserved for it, and what was sold without stock and is there now. It is the last thing a transaction does.
func Leave(ctx context.Context, tx pgx.Tx, f *order.Fulfilment, loose []order.Loose, why inventory.Cause) error {
	for _, l := range loose {
		if err := CarryOut(ctx, tx, l.LineID, l.VariantID, f.LocationID, l.Quantity, why); err != nil {
			return err
		}
	}
	return inventory.HandOver(ctx, tx, f.OpenLines, why)
}

func lock(ctx context.Context, tx pgx.Tx, desk Desk, fulfilmentID int64) (*order.Fulfilment, error) {
	f, err := order.LockFulfilment(ctx, tx, fulfilmentID, desk.LocationID)
	if err == nil && f == nil {
		err = errGone
	}
	return f, err
}

// tell writes what happened on the timeline, wakes the pages that show it, and lets the shopper know.
func tell(ctx context.Context, tx pgx.Tx, f *order.Fulfilment, channel, fact string, mail message.OrderMail) error {
	if err := customer.Record(ctx, tx, customer.Fact{CustomerID: f.CustomerID, Kind: fact, Channel: channel, LocationID: f.LocationID, OrderID: f.OrderID}); err != nil {
		return err
	}
	if err := live.Notify(ctx, tx, live.Queue(f.LocationID), live.Customer(f.CustomerID)); err != nil {
		return err
	}
	return jobs.Insert(ctx, tx, mail)
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
