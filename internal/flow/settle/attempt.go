package settle

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/message"
	"counterpart/internal/domain/order"
	"counterpart/internal/domain/payment"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/jobs"
	"counterpart/internal/platform/live"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/text"
)

// Payments is where payments are settled: the database and the gateway. Base is the shop's address, to which shoppers
// come back.
type Payments struct {
	DB      pg.DB
	Gateway payment.Gateway // nil: there are no cards
	Base    string
	PayAt   string // the origin of the gateway's page
}

// Takes says whether the shop takes cards.
func (o *Payments) Takes() bool { return o != nil && o.Gateway != nil }

// gateway is the one of an attempt. An attempt from before another one was configured is nobody's now.
func (o *Payments) gateway(name string) (payment.Gateway, error) {
	if !o.Takes() || o.Gateway.Name() != name {
		return nil, fmt.Errorf("the gateway %q is not configured", name)
	}
	return o.Gateway, nil
}

var errNothingToPay = fault.New(fault.Conflict, "There’s nothing left to pay on this order.")

var errUnreachable = fault.New(fault.Conflict,
	"We can’t reach the payment page at the moment. Your order is saved: try again in a minute.")

// pageLife is how long after its attempt began a gateway's page is asked to stay open at most: Stripe closes one after
// 24 hours.
const pageLife = 23 * time.Hour

// unopened is how long an attempt may wait for its page to be opened. A link to pay may be opened days later: then
// another attempt is begun, whose page lives its full time.
const unopened = 30 * time.Minute

// Page opens the gateway's page for an attempt and answers with its address. It can be asked again: the attempt's id is
// the key, so there is one page.
func (o *Payments) Page(ctx context.Context, paymentID int64) (string, error) {
	a, err := payment.AttemptByID(ctx, o.DB, paymentID)
	if err != nil || a == nil {
		return "", err
	}
	if a.Page != "" || a.State != payment.Started {
		return a.Page, nil
	}
	gateway, err := o.gateway(a.Gateway)
	if err != nil {
		return "", err
	}
	b := payment.Begin{Key: a.Key(), Method: a.Method, Amount: a.Amount, Currency: a.Currency}
	var publicID string
	var until *time.Time
	err = o.DB.QueryRow(ctx, `
		SELECT number::text, public_id, email, language, hold_until
		FROM orders
		WHERE id = $1`, a.OrderID).Scan(&b.Order, &publicID, &b.Email, &b.Language, &until)
	if err != nil {
		return "", fmt.Errorf("read an order to pay: %w", err)
	}
	b.Return = o.Base + "/orders/" + publicID + "/paid"
	if until == nil {
		// It was confirmed, and its promise was lost since: its goods are kept, and there is no hurry.
		later := a.CreatedAt.Add(time.Hour)
		until = &later
	}
	if time.Now().After(*until) {
		return "", fault.New(fault.Conflict,
			"The time to pay for this order has run out. Your items are back in your cart.")
	}
	// By what is written down alone: the same key asks for the same page, however often.
	b.Expires = *until
	if last := a.CreatedAt.Add(pageLife); b.Expires.After(last) {
		b.Expires = last
	}
	begun, err := gateway.Begin(ctx, b)
	if why, refused := payment.IsRefused(err); refused {
		// Somebody else may have opened it meanwhile: then there is a page, and it is the one to pay on.
		if now, again := payment.AttemptByID(ctx, o.DB, a.ID); again != nil || now.Page != "" {
			return now.Page, again
		}
		if err := o.settle(ctx, a, payment.Status{State: payment.Declined, Amount: a.Amount, Currency: a.Currency,
			Declined: why}); err != nil {
			return "", err
		}
		return "", fault.New(fault.Conflict, "Payment declined: {why} Try another payment method.",
			text.Args{"why": why})
	}
	if err != nil {
		return "", errors.Join(errUnreachable, err)
	}
	return begun.Page, payment.Opened(ctx, o.DB, a.ID, begun)
}

// Settle asks the gateway what became of an attempt and brings the order in line with the answer. The browser that
// comes back, the message, the poller and the hourly look all end here; it can be repeated, and it only goes forward.
func (o *Payments) Settle(ctx context.Context, paymentID int64) error {
	a, err := payment.AttemptByID(ctx, o.DB, paymentID)
	if err != nil || a == nil || a.Reference == "" {
		return err
	}
	gateway, err := o.gateway(a.Gateway)
	if err != nil {
		return err
	}
	status, err := gateway.Fetch(ctx, a.Reference)
	if err != nil {
		return fmt.Errorf("look at payment %d: %w", a.ID, err)
	}
	return o.settle(ctx, a, status)
}

func (o *Payments) settle(ctx context.Context, a *payment.Attempt, s payment.Status) error {
	if s.Currency != a.Currency || s.Amount != a.Amount || s.Key != "" && s.Key != a.Key() {
		return payment.Difference{Kind: "amount", PaymentID: a.ID, Reference: a.Reference, Ours: a.Amount,
			Theirs: s.Amount, Detail: s.Currency}.Note(ctx, o.DB)
	}
	for attempt := 1; ; attempt++ {
		err := pg.InTx(ctx, o.DB, func(tx pgx.Tx) error { return apply(ctx, tx, a, s) })
		if attempt == 5 || !order.CodeTaken(err) {
			return err
		}
	}
}

// apply moves an attempt, and what hangs on it, to where the gateway is.
func apply(ctx context.Context, tx pgx.Tx, a *payment.Attempt, s payment.Status) error {
	h, err := hold(ctx, tx, a.OrderID)
	if err != nil {
		return err
	}
	if s.State == payment.Captured || s.State == payment.Authorised {
		moved, err := payment.SetAttemptState(ctx, tx, a.ID,
			payment.Status{State: payment.Authorised, Lapses: s.Lapses})
		if err != nil {
			return err
		}
		if moved {
			if err := promised(ctx, tx, h, a); err != nil {
				return err
			}
		}
	}
	switch s.State {
	case payment.Captured:
		return captured(ctx, tx, h, a, s)
	case payment.Declined:
		_, err = payment.SetAttemptState(ctx, tx, a.ID, s)
		return err
	case payment.Voided:
		moved, err := payment.SetAttemptState(ctx, tx, a.ID, s)
		if err != nil || !moved {
			return err
		}
		return given(ctx, tx, h, a)
	}
	return nil
}

// hold locks an order's customer and then the order, in the one order of locks.
func hold(ctx context.Context, tx pgx.Tx, orderID int64) (*order.Held, error) {
	var customerID int64
	if err := tx.QueryRow(ctx, `SELECT customer_id FROM orders WHERE id = $1`, orderID).Scan(&customerID); err != nil {
		return nil, fmt.Errorf("find an order's customer: %w", err)
	}
	if err := customer.Occupy(ctx, tx, customerID); err != nil {
		return nil, err
	}
	return order.LockOrder(ctx, tx, orderID)
}

// promised is what follows when a gateway promises an order's money: it is confirmed, where its goods can still be had.
// An order that is gone gives the promise back, and says so.
func promised(ctx context.Context, tx pgx.Tx, h *order.Held, a *payment.Attempt) error {
	if h.State == order.Confirmed && h.PaymentState == order.Due {
		due, err := order.AmountDue(ctx, tx, h.ID)
		if err != nil {
			return err
		}
		if a.Amount >= due {
			return promisedAgain(ctx, tx, h, a)
		}
	}
	if h.State != order.Placed {
		if err := (payment.Difference{Kind: "late", PaymentID: a.ID, Reference: a.Reference, Ours: 0, Theirs: a.Amount,
			Detail: h.State}).Note(ctx, tx); err != nil {
			return err
		}
		return ask(ctx, tx, payment.Transfer{PaymentID: a.ID, Kind: payment.ToVoid, Amount: a.Amount})
	}
	kept, err := keep(ctx, tx, h)
	if err != nil {
		return err
	}
	if !kept {
		return CancelUnpaid(ctx, tx, h)
	}
	batch := &pgx.Batch{}
	payment.Queue(batch, h.ID, payment.New{Kind: a.Method, Amount: a.Amount, PaymentID: a.ID})
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("write a tender: %w", err)
	}
	if _, err := order.Confirm(ctx, tx, h.ID, order.Authorised); err != nil {
		return err
	}
	h.State, h.PaymentState = order.Confirmed, order.Authorised
	return Confirmed(ctx, tx, h)
}

// promisedAgain is what follows when the money of an order whose promise was lost is promised once more. Where goods of
// it are gone already, it is taken.
func promisedAgain(ctx context.Context, tx pgx.Tx, h *order.Held, a *payment.Attempt) error {
	if err := payment.EndPayAtPickup(ctx, tx, h.ID); err != nil {
		return err
	}
	batch := &pgx.Batch{}
	payment.Queue(batch, h.ID, payment.New{Kind: a.Method, Amount: a.Amount, PaymentID: a.ID})
	live.QueueNotify(batch, live.Customer(h.CustomerID))
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("write a tender: %w", err)
	}
	if err := order.SetPayment(ctx, tx, h.ID, order.Authorised); err != nil {
		return err
	}
	h.PaymentState = order.Authorised
	handed, err := order.HandedOver(ctx, tx, h.ID)
	if err != nil || !handed {
		return err
	}
	return CapturePayment(ctx, tx, h.ID)
}

// captured is what follows when a gateway took the money.
func captured(ctx context.Context, tx pgx.Tx, h *order.Held, a *payment.Attempt, s payment.Status) error {
	moved, err := payment.SetAttemptState(ctx, tx, a.ID, payment.Status{State: payment.Captured, Lapses: s.Lapses})
	if err != nil || !moved {
		return err
	}
	tenders, err := payment.Tenders(ctx, tx, h.ID)
	if err != nil {
		return err
	}
	rest, byPoints, err := order.AmountOwed(ctx, tx, h.ID)
	if err != nil {
		return err
	}
	took := false
	for i, t := range tenders {
		if t.PaymentID == a.ID {
			if err := payment.Capture(ctx, tx, t.ID, s.Captured); err != nil {
				return err
			}
			tenders[i].Captured, rest, took = s.Captured, rest-s.Captured, true
		}
	}
	if !took {
		// Money for an order that never became one: it is somebody's task.
		return payment.Difference{Kind: "captured", PaymentID: a.ID, Reference: a.Reference, Theirs: s.Captured,
			Detail: h.State}.Note(ctx, tx)
	}
	if err := SetPaid(ctx, tx, h, tenders, parts(only(tenders), max(rest, byPoints), byPoints)); err != nil {
		return err
	}
	if err := endTransfer(ctx, tx, a.ID, payment.ToCapture); err != nil {
		return err
	}
	_, err = RefundExcess(ctx, tx, h, Back{})
	return err
}

// only keeps what was set aside, in its place: the gateway's part is taken.
func only(tenders []payment.Tender) []payment.Tender {
	all := make([]payment.Tender, len(tenders))
	for i, t := range tenders {
		if held(t.Kind) {
			all[i] = t
		}
	}
	return all
}

// given is what follows when a gateway gave a promise up: an unpaid order is lost; one that was to be handed over is to
// be paid when it is collected.
func given(ctx context.Context, tx pgx.Tx, h *order.Held, a *payment.Attempt) error {
	if err := endTransfer(ctx, tx, a.ID, payment.ToVoid); err != nil {
		return err
	}
	if err := payment.CloseLateAuthorisation(ctx, tx, a.ID); err != nil {
		return err
	}
	switch {
	case h.State == order.Placed:
		// The gateway's page does not live as long as a link to pay: it opens another one.
		if _, waits, err := order.Prepared(ctx, tx, h.ID); err != nil || waits {
			return err
		}
		return CancelUnpaid(ctx, tx, h)
	case h.State == order.Confirmed && h.PaymentState == order.Authorised:
		if err := (payment.Difference{Kind: "lapsed", PaymentID: a.ID, Reference: a.Reference, Ours: a.Amount,
			Detail: h.State}).Note(ctx, tx); err != nil {
			return err
		}
		return lapse(ctx, tx, h, a)
	}
	return nil
}

// lapse turns a promise that a gateway dropped into one to pay at the counter, or again online: the shopper is told.
func lapse(ctx context.Context, tx pgx.Tx, h *order.Held, a *payment.Attempt) error {
	batch := &pgx.Batch{}
	batch.Queue(`
		UPDATE tender
		SET authorised = 0, settled_at = now()
		WHERE payment_id = $1`, a.ID)
	payment.Queue(batch, h.ID, payment.New{Kind: payment.PayAtPickup, Amount: a.Amount})
	live.QueueNotify(batch, live.Customer(h.CustomerID))
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("let a promise lapse: %w", err)
	}
	if err := order.SetPayment(ctx, tx, h.ID, order.Due); err != nil {
		return err
	}
	return tell(ctx, tx, h, message.MailPayAgain)
}

func endTransfer(ctx context.Context, tx pgx.Tx, paymentID int64, kind string) error {
	_, err := tx.Exec(ctx, `
		UPDATE transfer
		SET state = 'done', settled_at = now()
		WHERE payment_id = $1 AND kind = $2 AND state = 'asked'`, paymentID, kind)
	return err
}

// Transfer carries out what was written down, and settles by the answer. An answer that was lost is asked again under
// the same key.
func (o *Payments) Transfer(ctx context.Context, id int64) error {
	t, err := payment.TransferByID(ctx, o.DB, id)
	if err != nil || t == nil || t.State != "asked" {
		return err
	}
	a, err := payment.AttemptByID(ctx, o.DB, t.PaymentID)
	if err != nil {
		return err
	}
	gateway, err := o.gateway(a.Gateway)
	if err != nil {
		return err
	}
	switch t.Kind {
	case payment.ToCapture:
		err = gateway.Capture(ctx, a.Reference, t.Key(), t.Amount)
	case payment.ToVoid:
		err = gateway.Void(ctx, a.Reference, t.Key())
	case payment.ToRefund:
		err = gateway.Refund(ctx, a.Reference, t.Key(), t.Amount)
	}
	why, refused := payment.IsRefused(err)
	if err != nil && !refused {
		return fmt.Errorf("transfer %d: %w", t.ID, err)
	}
	if t.Kind != payment.ToRefund && !refused {
		return o.Settle(ctx, a.ID)
	}
	return o.end(ctx, a, t, why)
}

// end writes down a refund that was made, or any transfer that was refused; somebody has to look at those.
func (o *Payments) end(ctx context.Context, a *payment.Attempt, t *payment.Transfer, why string) error {
	err := pg.InTx(ctx, o.DB, func(tx pgx.Tx) error {
		h, err := hold(ctx, tx, a.OrderID)
		if err != nil {
			return err
		}
		ended, err := payment.EndTransfer(ctx, tx, t.ID, why)
		if err != nil || !ended {
			return err
		}
		if why != "" {
			kind := map[string]string{payment.ToCapture: "captured", payment.ToRefund: "refunded",
				payment.ToVoid: "late"}[t.Kind]
			return payment.Difference{Kind: kind, PaymentID: a.ID, Reference: fmt.Sprintf("%s/%d", a.Reference, t.ID),
				Ours: t.Amount, Detail: why}.Note(ctx, tx)
		}
		if h.Email == "" {
			return nil
		}
		return jobs.Insert(ctx, tx, refundMail(h, t))
	})
	if err != nil || why == "" {
		return err
	}
	// What was refused may have been done before: the gateway's state says.
	if err := o.Settle(ctx, a.ID); err != nil || t.Kind != payment.ToCapture {
		return err
	}
	return pg.InTx(ctx, o.DB, func(tx pgx.Tx) error {
		h, err := hold(ctx, tx, a.OrderID)
		if err != nil || h.PaymentState != order.Authorised {
			return err
		}
		// A promise that is not kept is none: it is given back, and the order is to be paid another way.
		return ask(ctx, tx, payment.Transfer{PaymentID: a.ID, Kind: payment.ToVoid, Amount: a.Amount})
	})
}
