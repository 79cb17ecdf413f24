package settle

import (
	"context"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/location"
	"counterpart/internal/domain/message"
	"counterpart/internal/domain/order"
	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/payment"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/jobs"
	"counterpart/internal/platform/live"
	"counterpart/internal/platform/money"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/text"
)

// CounterPayment is what was taken at the counter. Given is what cash was laid down; a terminal takes the exact amount.
type CounterPayment struct {
	Kind  string
	Given int64 // minor units
	Wrong bool  // what was typed is not an amount
	Sure  bool  // more cash than anybody would lay down is what was meant
}

// Check says whether it pays what is due, and what change to give.
func (paid CounterPayment) Check(minor int64, currency string) (change money.Money, err error) {
	due := money.New(minor, currency)
	if minor == 0 {
		return money.New(0, currency), nil // It is paid, or the gateway has promised it.
	}
	if paid.Wrong {
		return change, fault.Field("given", "Enter an amount, such as {due}.", text.Args{"due": due.Plain()})
	}
	switch paid.Kind {
	case payment.Terminal:
		return money.New(0, currency), nil
	case payment.Cash:
		if paid.Given < minor {
			return change, fault.Field("given", "{missing} short: {due} is due.",
				text.Args{"missing": money.New(minor-paid.Given, currency), "due": due})
		}
		if paid.Given > money.MaxUnit {
			return change, fault.Field("given", "That amount is too high. Please check it.")
		}
		if !paid.Sure && !money.Likely(paid.Given, minor, currency) {
			return change, fault.Field("sure", "That would be {change} change. Did they really give you {given}?",
				text.Args{"change": money.New(paid.Given-minor, currency), "given": money.New(paid.Given, currency)})
		}
		return money.New(paid.Given-minor, currency), nil
	}
	return change, fault.Field("kind", "Choose a payment method: cash or card terminal.")
}

// Charge takes the money of an order that is to be paid at a counter, without handing anything over: at any store that
// deals in its currency. The answer is the change to give.
func Charge(ctx context.Context, db pg.DB, at origin.Origin, orderID int64, paid CounterPayment) (change money.Money,
	err error) {
	err = pg.InTx(ctx, db, func(tx pgx.Tx) error {
		h, err := order.LockOrder(ctx, tx, orderID)
		if err != nil {
			return err
		}
		if h == nil {
			return order.ErrNotHere
		}
		store, err := location.ByID(ctx, tx, at.LocationID)
		if err != nil {
			return err
		}
		if store.Currency != h.Currency {
			return fault.New(fault.Conflict, "This order is in {currency}, which this store doesn’t take.",
				text.Args{"currency": h.Currency})
		}
		due, err := order.AmountDue(ctx, tx, orderID)
		if err != nil {
			return err
		}
		if due == 0 {
			return fault.New(fault.Conflict, "There’s nothing left to pay on this order.")
		}
		if change, err = paid.Check(due, h.Currency); err != nil {
			return err
		}
		if err := RecordTender(ctx, tx, orderID, payment.New{Kind: paid.Kind, Amount: due, Given: paid.Given,
			AssociateID: at.AssociateID}); err != nil {
			return err
		}
		return live.Notify(ctx, tx, live.Queue(h.LocationID), live.Customer(h.CustomerID))
	})
	if err != nil {
		return money.Money{}, err
	}
	return change, nil
}

// Tell writes what happened on the timeline, wakes the pages that show it, and lets the shopper know.
func Tell(ctx context.Context, tx pgx.Tx, at origin.Origin, f *order.Fulfilment, fact string,
	mail message.OrderMail) error {
	if err := customer.Record(ctx, tx, customer.Fact{CustomerID: f.CustomerID, Kind: fact, Channel: at.Channel,
		LocationID: f.LocationID, OrderID: f.OrderID}); err != nil {
		return err
	}
	if err := live.Notify(ctx, tx, live.Queue(f.LocationID), live.Customer(f.CustomerID)); err != nil {
		return err
	}
	return jobs.Insert(ctx, tx, mail)
}
