// Package returns is goods coming back over a counter, of any order from any channel and store: graded, put back or
// not, and what was paid for them given back.
package returns

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/giftcard"
	"counterpart/internal/domain/inventory"
	"counterpart/internal/domain/loyalty"
	"counterpart/internal/domain/message"
	"counterpart/internal/domain/order"
	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/payment"
	"counterpart/internal/domain/policy"
	"counterpart/internal/domain/rma"
	"counterpart/internal/domain/staff"
	"counterpart/internal/flow/settle"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/jobs"
	"counterpart/internal/platform/live"
	"counterpart/internal/platform/money"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/text"
	"counterpart/internal/query/basket"
)

// ReturnLine is what of a line comes back.
type ReturnLine struct {
	LineID   int64
	Quantity int
	Reason   string
	Grade    string
	Restock  bool // here
}

// Request is a return as it stands at the counter. Form names it, so that one sent twice returns once.
type Request struct {
	Form         string
	OrderID      int64
	Wants        []ReturnLine
	AsCredit     bool // the customer takes credit instead of money
	Exchange     []ExchangeLine
	Pay          string // cash or terminal, where what they take instead costs more
	Given        int64  // the cash that was laid down, minor units
	Sure         bool   // more cash than anybody would lay down is what was meant
	SelfApproves bool   // the associate needs nobody's word
	Approval     *staff.Approval
	Seen         string // Result.Amounts of the look that was confirmed; empty: nobody looked
}

// ExchangeLine is what they take for what came back.
type ExchangeLine struct {
	VariantID int64
	Quantity  int
}

// Result is what a return comes to. Amounts are minor units.
type Result struct {
	Number        int64
	Currency      string
	Goods         int64
	Delivery      int64
	PointsBack    int64 // that were spent
	PointsValue   int64
	PointsTaken   int64 // that were earned
	Shortfall     int64 // the worth of earned points that were spent already
	PointsOwed    int64 // the same as points, where the shop lets them be owed
	Refund        int64 // in money and what is like it, with what pays the exchange
	Refunds       []payment.Refund
	Order         string      // public id of the order of what they take instead
	Costs         int64       // of that
	Due           int64       // what they pay for it beyond what came back
	Change        money.Money // of the cash that was laid down
	NeedsApproval bool        // a manager's
	Late          bool        // the return window is closed: the associate decides
}

// To is how a part of the refund goes back, and how much of it.
func (r *Result) To(how string) (amount int64) {
	for _, refund := range r.Refunds {
		if refund.How == how {
			amount += refund.Amount
		}
	}
	return amount
}

// Amounts are what somebody agrees to when they confirm a return.
func (r *Result) Amounts() string {
	return fmt.Sprintf("%s %d %d %d %d %d %d %d", r.Currency, r.Goods, r.Delivery, r.PointsBack, r.PointsTaken,
		r.Shortfall, r.Refund, r.Due)
}

var errLook = errors.New("it was only looked at")

// Preview says what a return would come to. It is done, and taken back: what is shown is what will be.
func Preview(ctx context.Context, db pg.DB, at origin.Origin, r Request) (result *Result, err error) {
	err = pg.InTx(ctx, db, func(tx pgx.Tx) error {
		r.SelfApproves, r.Given, r.Sure, r.Pay, r.Seen = true, money.MaxUnit, true, payment.Cash, ""
		if result, err = take(ctx, tx, at, r); err != nil {
			return err
		}
		return errLook
	})
	if errors.Is(err, errLook) {
		err = nil
	}
	return result, err
}

// Make takes the goods back. Above the shop's limit somebody has to agree who may.
func Make(ctx context.Context, db pg.DB, at origin.Origin, r Request) (result *Result, err error) {
	if r.Approval != nil {
		if err := staff.Approve(ctx, db, *r.Approval, at.LocationID, at.DeviceID); err != nil {
			return nil, err
		}
	}
	err = pg.InTx(ctx, db, func(tx pgx.Tx) error {
		result, err = take(ctx, tx, at, r)
		return err
	})
	return result, err
}

// taking is a return being made.
type taking struct {
	Request
	*Result
	at     origin.Origin
	tx     pgx.Tx
	h      *order.Held
	person int64
	units  []unit
	ticket int64
	// by variant, what one of the exchange costs because as much was paid for what comes back
	agreed    map[int64]int64
	earned    int64                 // points that the units earned
	inMoney   int64                 // what goes back otherwise than in points, before what is kept from it
	again     basket.ReturnedPoints // what goes back in points and pays for the exchange
	exchanged int64                 // of what goes back in money, what pays for the exchange
	exchange  int64                 // the order of what they take instead
	rest      int64                 // of the exchange, what points do not pay
	makes     int64                 // points that the exchange earns
	same      int64                 // points that the units earned which are exchanged for the same
	owed      int64                 // of the earned points that were spent already, those that the exchange earns again
	foreign   bool                  // the drawer here holds another currency
	nameless  bool                  // nobody could find this customer again
}

// unit is one that comes back, with what was said about it.
type unit struct {
	rma.Unit
	want ReturnLine
}

func take(ctx context.Context, tx pgx.Tx, at origin.Origin, r Request) (*Result, error) {
	t := &taking{at: at, Request: r, Result: &Result{}, tx: tx}
	for _, step := range []func(context.Context) error{
		t.lock, t.chooseUnits, t.open, t.quoteExchange, t.adjust, t.approve, t.voidGiftCards, t.refund, t.sellExchange,
		t.close,
		t.restock, t.tell,
	} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	if r.Seen != "" && r.Seen != t.Amounts() {
		return nil, fault.New(fault.Conflict,
			"The refund has changed since it was shown. Please check it again, then confirm.")
	}
	return t.Result, nil
}

// lock holds the customer and the order, in this order, and says whether something of it can come back here.
func (t *taking) lock(ctx context.Context) error {
	var customerID int64
	var takes bool
	err := t.tx.QueryRow(ctx, `
		SELECT o.customer_id, here.takes_returns, here.currency <> o.currency
		FROM orders o
		JOIN location here ON here.id = $2
		WHERE o.id = $1`, t.OrderID, t.at.LocationID).Scan(&customerID, &takes, &t.foreign)
	if errors.Is(err, pgx.ErrNoRows) {
		return fault.New(fault.NotFound, "We can’t find that order.")
	}
	if err != nil {
		return fmt.Errorf("find an order to return of: %w", err)
	}
	found, err := customer.CanBeFound(ctx, t.tx, customerID)
	if err != nil {
		return err
	}
	t.nameless = !found
	if t.person, err = customer.Root(ctx, t.tx, customerID); err != nil {
		return err
	}
	if err := customer.Occupy(ctx, t.tx, t.person); err != nil {
		return err
	}
	if t.h, err = order.LockOrder(ctx, t.tx, t.OrderID); err != nil {
		return err
	}
	t.Currency, t.Change = t.h.Currency, money.New(0, t.h.Currency)
	made, err := rma.Exists(ctx, t.tx, t.Form)
	if err != nil {
		return err
	}
	switch {
	case made:
		return fault.New(fault.Conflict, "This return has already been made.")
	case !takes:
		return fault.New(fault.Conflict, "This store doesn’t take returns. Send them to one that does.")
	case t.h.PaymentState == order.Authorised:
		return fault.New(fault.Conflict, "The payment is being taken right now. Try again in a minute.")
	case t.h.PaymentState == order.Due:
		return fault.New(fault.Conflict,
			"This order isn’t paid. Take payment on the order page first, then make the return; items not handed over can be cancelled.")
	case t.h.PaymentState != order.Paid:
		return fault.New(fault.Conflict,
			"Nothing in this order has been handed over and paid for, so there’s nothing to return. It can be cancelled.")
	}
	return nil
}

// chooseUnits picks the units: of every line the first that were handed over and are not back.
func (t *taking) chooseUnits(ctx context.Context) error {
	var form fault.Form
	for _, w := range t.Wants {
		field := fmt.Sprintf("quantity-%d", w.LineID)
		if w.Quantity == 0 {
			continue
		}
		if w.Quantity < 0 || w.Quantity > 99 {
			form.Add(field, "Choose how many to return.")
			continue
		}
		if !slices.Contains(rma.Reasons, w.Reason) || !slices.Contains(rma.Grades, w.Grade) {
			form.Add(field, "Choose a reason and a condition.")
			continue
		}
		found, err := rma.Returnable(ctx, t.tx, t.OrderID, w.LineID, w.Quantity)
		if err != nil {
			return err
		}
		for _, u := range found {
			t.units, t.Late = append(t.units, unit{u, w}), t.Late || u.Late
		}
		if len(found) < w.Quantity {
			form.Add(field, "Only {n} of this item can be returned.", text.Args{"n": len(found)})
		}
	}
	if err := form.Err(); err != nil {
		return err
	}
	if len(t.units) == 0 {
		return fault.New(fault.Invalid, "Choose at least one item to return.")
	}
	return nil
}

// open writes the ticket and what its units are worth: what was frozen when they were sold, never computed again.
func (t *taking) open(ctx context.Context) (err error) {
	n := rma.New{Form: t.Form, OrderID: t.OrderID, ApprovedBy: t.approver()}
	for _, u := range t.units {
		t.Goods, t.earned = t.Goods+u.Paid, t.earned+u.Points
		n.Units = append(n.Units, rma.Returned{Unit: u.Unit, Reason: u.want.Reason, Grade: u.want.Grade,
			Restocked: u.want.Restock && !u.GiftCard})
	}
	if t.PointsTaken, err = loyalty.Deduct(ctx, t.tx, t.person, t.earned, t.OrderID); err != nil {
		return err
	}
	n.Goods, n.PointsTaken = t.Goods, t.PointsTaken
	if t.ticket, t.Number, err = rma.Open(ctx, t.tx, t.at, n); err != nil {
		return err
	}
	if t.Delivery, err = order.RefundDelivery(ctx, t.tx, t.OrderID); err != nil {
		return err
	}
	t.inMoney, t.again, err = t.comesBack(ctx)
	return err
}

// quoteExchange asks what they take instead comes to.
func (t *taking) quoteExchange(ctx context.Context) error {
	if len(t.instead()) == 0 {
		t.again = basket.ReturnedPoints{}
		return nil
	}
	return t.price(ctx)
}

// adjust keeps from the refund, as far as there is one in money, the worth of points that were earned and spent
// already. What the exchange earns makes up for them first: an even exchange leaves everybody where they were. Points
// are rounded by the order, so the same unit alone may earn one less.
func (t *taking) adjust(ctx context.Context) error {
	rates, err := loyalty.RatesOf(ctx, t.tx)
	if err != nil {
		return err
	}
	t.owed = min(t.earned-t.PointsTaken, max(t.makes, t.same))
	spent := t.earned - t.PointsTaken - t.owed
	programme, err := loyalty.ReadProgramme(ctx, t.tx)
	if err != nil {
		return err
	}
	// Whoever nobody could find again could not pay what they owe.
	if programme.Debt == loyalty.DebtOwe && !t.nameless {
		t.PointsOwed = spent
		if err := loyalty.Owe(ctx, t.tx, t.person, spent, t.OrderID); err != nil {
			return err
		}
		return rma.Adjust(ctx, t.tx, t.ticket, t.Delivery, 0)
	}
	t.Shortfall = min(rates.Value(spent, t.Currency), t.inMoney)
	return rma.Adjust(ctx, t.tx, t.ticket, t.Delivery, t.Shortfall)
}

// comesBack is what goes back otherwise than in points, and what in points, as the ticket stands.
func (t *taking) comesBack(ctx context.Context) (inMoney int64, inPoints basket.ReturnedPoints, err error) {
	owing, byPoints, err := order.AmountOwed(ctx, t.tx, t.OrderID)
	if err != nil {
		return 0, inPoints, err
	}
	tenders, err := payment.Tenders(ctx, t.tx, t.OrderID)
	if err != nil {
		return 0, inPoints, err
	}
	planned, err := settle.Plan(tenders, owing, byPoints, settle.Back{})
	for _, r := range planned {
		if r.How == payment.Points {
			inPoints.Points, inPoints.Value = inPoints.Points+r.Points, inPoints.Value+r.Amount
		} else {
			inMoney += r.Amount
		}
	}
	return inMoney, inPoints, err
}

func (t *taking) approver() int64 {
	if t.Approval == nil {
		return 0
	}
	return t.Approval.ManagerID
}

// approve asks for a manager's word above the limit.
func (t *taking) approve(ctx context.Context) error {
	limit, err := policy.RefundLimit(ctx, t.tx, t.Currency)
	if err != nil {
		return err
	}
	today, err := rma.RefundedUnapproved(ctx, t.tx, t.OrderID, t.ticket)
	if err != nil {
		return err
	}
	t.NeedsApproval = t.inMoney-t.Shortfall+today > limit.Minor
	if t.NeedsApproval && !t.SelfApproves && t.Approval == nil {
		return fault.Field("pin", "Refunds above {limit} need a manager’s approval.", text.Args{"limit": limit})
	}
	if t.Approval == nil {
		return nil
	}
	return staff.Log(ctx, t.tx, staff.Entry{AssociateID: t.at.AssociateID, ApprovedBy: t.Approval.ManagerID,
		Action: "return.approved", Subject: "order", SubjectID: t.OrderID, LocationID: t.at.LocationID,
		Reason: t.Approval.Reason})
}

// voidGiftCards takes back gift cards that nobody spent of.
func (t *taking) voidGiftCards(ctx context.Context) error {
	for _, u := range t.units {
		if !u.GiftCard {
			continue
		}
		void, err := giftcard.Void(ctx, t.tx, u.LineID, u.N, t.OrderID)
		if err != nil {
			return err
		}
		if !void {
			return fault.Field(fmt.Sprintf("quantity-%d", u.LineID),
				"Some of this gift card has already been spent, so it can’t be returned.")
		}
	}
	return nil
}

// refund gives back what does not pay for the exchange.
func (t *taking) refund(ctx context.Context) error {
	if t.AsCredit && t.nameless {
		return fault.Field("credit",
			"This customer couldn’t use the credit later. Add their email, phone or card first, or refund the money.")
	}
	back := settle.Back{ReturnID: t.ticket, AssociateID: t.at.AssociateID, AsCredit: t.AsCredit, Nameless: t.nameless}
	if len(t.instead()) > 0 {
		inMoney, _, err := t.comesBack(ctx)
		if err != nil {
			return err
		}
		t.exchanged = min(inMoney, t.rest)
		back.Exchange = t.exchanged
	}
	refunds, err := settle.RefundExcess(ctx, t.tx, t.h, back)
	if err != nil {
		return err
	}
	t.Refunds = refunds
	for _, r := range refunds {
		if t.foreign && (r.How == payment.Cash || r.How == payment.Terminal) {
			return fault.New(fault.Conflict,
				"It was paid in {currency}, which this store doesn’t take. Refund it as store credit, or send them to a store that does.", text.Args{"currency": t.Currency})
		}
		if r.How == payment.Points {
			t.PointsBack, t.PointsValue = t.PointsBack+r.Points, t.PointsValue+r.Amount
		} else {
			t.Refund += r.Amount
		}
	}
	return nil
}

// sellExchange makes the order of what they take instead, and takes the points that it makes up for.
func (t *taking) sellExchange(ctx context.Context) (err error) {
	if len(t.instead()) == 0 {
		return nil
	}
	if t.exchange, err = t.sell(ctx, t.exchanged); err != nil {
		return err
	}
	more, err := loyalty.Deduct(ctx, t.tx, t.person, t.owed, t.OrderID)
	t.PointsTaken += more
	return err
}

// close writes what was given back, and for what.
func (t *taking) close(ctx context.Context) error {
	if err := loyalty.Moved(ctx, t.tx, t.person); err != nil {
		return err
	}
	return rma.Close(ctx, t.tx, t.ticket, rma.Outcome{Refund: t.Refund, PointsBack: t.PointsBack,
		PointsTaken: t.PointsTaken, ExchangeID: t.exchange})
}

// restock puts back what is put back here, in the order of locks.
func (t *taking) restock(ctx context.Context) error {
	type shelf struct {
		line, variant int64
		grade, reason string
	}
	var order []shelf
	count := map[shelf]int{}
	for _, p := range t.units {
		if p.GiftCard || !p.want.Restock {
			continue
		}
		s := shelf{p.LineID, p.VariantID, p.want.Grade, p.want.Reason}
		if count[s] == 0 {
			order = append(order, s)
		}
		count[s]++
	}
	slices.SortFunc(order, func(a, b shelf) int { return int(a.variant - b.variant) })
	for _, s := range order {
		why := inventory.Reason{Channel: t.at.Channel, Reason: s.reason, AssociateID: t.at.AssociateID}
		if err := inventory.Return(ctx, t.tx, inventory.Returned{ReturnID: t.ticket, OrderLineID: s.line,
			VariantID: s.variant, LocationID: t.at.LocationID, Condition: s.grade,
			Quantity: count[s]}, why); err != nil {
			return err
		}
	}
	return nil
}

func (t *taking) tell(ctx context.Context) error {
	fact := customer.Fact{CustomerID: t.h.CustomerID, Kind: customer.Returned, Channel: t.at.Channel,
		LocationID: t.at.LocationID, OrderID: t.OrderID, Quantity: len(t.units), AssociateID: t.at.AssociateID}
	if err := customer.Record(ctx, t.tx, fact); err != nil {
		return err
	}
	if err := live.Notify(ctx, t.tx, live.Customer(t.h.CustomerID)); err != nil {
		return err
	}
	if t.h.Email == "" {
		return nil
	}
	return jobs.Insert(ctx, t.tx, message.OrderMail{OrderID: t.OrderID, Mail: message.MailReturned, ReturnID: t.ticket})
}
