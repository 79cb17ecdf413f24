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

// Reasons for which something comes back, and grades in which it does.
var (
	Reasons = []string{"changed_mind", "too_small", "too_large", "not_as_described", "damaged", "faulty", "late",
		"other", "unknown"}
	Grades = []string{"sellable", "on_hold", "damaged"}
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
	Form     string
	OrderID  int64
	Wants    []ReturnLine
	AsCredit bool // the customer takes credit instead of money
	Exchange []ExchangeLine
	Pay      string // cash or terminal, where what they take instead costs more
	Given    int64  // the cash that was laid down, minor units
	Sure     bool   // more cash than anybody would lay down is what was meant
	MayAlone bool   // the associate needs nobody's word
	Word     *staff.Approval
	Seen     string // Result.Figures of the look that was confirmed; empty: nobody looked
}

// ExchangeLine is what they take for what came back.
type ExchangeLine struct {
	VariantID int64
	Quantity  int
}

// Result is what a return comes to. Amounts are minor units.
type Result struct {
	Number      int64
	Currency    string
	Goods       int64
	Delivery    int64
	PointsBack  int64 // that were spent
	PointsValue int64
	PointsTaken int64 // that were earned
	Shortfall   int64 // the worth of earned points that were spent already
	Refund      int64 // in money and what is like it, with what pays the exchange
	Refunds     []payment.Refund
	Order       string      // public id of the order of what they take instead
	Costs       int64       // of that
	Due         int64       // what they pay for it beyond what came back
	Change      money.Money // of the cash that was laid down
	NeedsWord   bool        // a manager's
	Late        bool        // the return window is closed: the associate decides
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
		r.MayAlone, r.Given, r.Sure, r.Pay, r.Seen = true, money.MaxUnit, true, payment.Cash, ""
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
	if r.Word != nil {
		if err := staff.Approve(ctx, db, *r.Word, at.LocationID, at.DeviceID); err != nil {
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
	pieces []piece
	ticket int64
	// by variant, what one of the exchange costs because as much was paid for what comes back
	agreed   map[int64]int64
	again    basket.ReturnedPoints // what goes back in points and pays for the exchange
	rest     int64                 // of the exchange, what points do not pay
	makes    int64                 // points that the exchange earns
	same     int64                 // points that the units earned which are exchanged for the same
	owed     int64                 // of the earned points that were spent already, those that the exchange earns again
	foreign  bool                  // the drawer here holds another currency
	nameless bool                  // nobody could find this customer again
}

type piece struct {
	LineID, VariantID int64
	N                 int
	Paid, Tax         int64
	Listed            int64 // its price when it was sold, before promotions
	Points            int64
	Card              bool // a gift card
	Late              bool
	want              ReturnLine
}

func take(ctx context.Context, tx pgx.Tx, at origin.Origin, r Request) (*Result, error) {
	t := &taking{at: at, Request: r, Result: &Result{}, tx: tx}
	for _, step := range []func(context.Context) error{t.lock, t.choose, t.book, t.giveBack, t.shelve, t.tell} {
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
		SELECT o.customer_id, here.takes_returns, here.currency <> o.currency, NOT EXISTS (
			SELECT
			FROM customer c
			JOIN identity i ON i.customer_id = c.id
			WHERE (c.id = o.customer_id OR c.merged_into = o.customer_id OR c.id = (SELECT merged_into FROM customer
				WHERE id = o.customer_id)) AND i.kind IN ('email', 'phone', 'card'))
		FROM orders o
		JOIN location here ON here.id = $2
		WHERE o.id = $1`, t.OrderID, t.at.LocationID).Scan(&customerID, &takes, &t.foreign, &t.nameless)
	if errors.Is(err, pgx.ErrNoRows) {
		return fault.New(fault.NotFound, "We can’t find that order.")
	}
	if err != nil {
		return fmt.Errorf("find an order to return of: %w", err)
	}
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
	var made bool
	if err := t.tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM return_ticket WHERE form = $1)`,
		t.Form).Scan(&made); err != nil {
		return fmt.Errorf("look for a return: %w", err)
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

// choose picks the units: of every line the first that were handed over and are not back.
func (t *taking) choose(ctx context.Context) error {
	var form fault.Form
	total := 0
	for _, w := range t.Wants {
		field := fmt.Sprintf("quantity-%d", w.LineID)
		if w.Quantity == 0 {
			continue
		}
		if w.Quantity < 0 || w.Quantity > 99 {
			form.Add(field, "Choose how many to return.")
			continue
		}
		if !slices.Contains(Reasons, w.Reason) || !slices.Contains(Grades, w.Grade) {
			form.Add(field, "Choose a reason and a condition.")
			continue
		}
		rows, err := t.tx.Query(ctx, `
			SELECT l.id, l.variant_id, u.n, u.paid, u.tax, coalesce(nullif(l.list_price, 0), l.unit_price), u.points,
				f.method = 'mail',
				coalesce(f.collected_at, f.shipped_at) < now() - make_interval(days => (SELECT return_days FROM shop))
			FROM order_line l
			JOIN fulfilment f ON f.id = l.fulfilment_id
			JOIN order_unit u ON u.order_line_id = l.id
			WHERE l.id = $1 AND l.order_id = $2 AND u.state IN ('collected', 'carried_out', 'shipped')
				AND NOT EXISTS (SELECT FROM returned_unit r WHERE r.order_line_id = l.id AND r.n = u.n)
			ORDER BY EXISTS (SELECT FROM gift_card g WHERE g.order_line_id = l.id AND g.n = u.n
				AND g.balance < g.issued), u.n
			LIMIT $3`, w.LineID, t.OrderID, w.Quantity)
		if err != nil {
			return fmt.Errorf("choose pieces: %w", err)
		}
		found, p := 0, piece{want: w}
		_, err = pgx.ForEachRow(rows, []any{&p.LineID, &p.VariantID, &p.N, &p.Paid, &p.Tax, &p.Listed, &p.Points,
			&p.Card, &p.Late}, func() error {
			t.pieces, found, t.Late = append(t.pieces, p), found+1, t.Late || p.Late
			return nil
		})
		if err != nil {
			return fmt.Errorf("choose pieces: %w", err)
		}
		if found < w.Quantity {
			form.Add(field, "Only {n} of this item can be returned.", text.Args{"n": found})
		}
		total += found
	}
	if err := form.Err(); err != nil {
		return err
	}
	if total == 0 {
		return fault.New(fault.Invalid, "Choose at least one item to return.")
	}
	return nil
}

// book writes the ticket and what its units are worth: what was frozen when they were sold, never computed again.
func (t *taking) book(ctx context.Context) error {
	earned := int64(0)
	for _, p := range t.pieces {
		t.Goods += p.Paid
		earned += p.Points
	}
	taken, err := loyalty.Deduct(ctx, t.tx, t.person, earned, t.OrderID)
	if err != nil {
		return err
	}
	rates, err := loyalty.RatesOf(ctx, t.tx)
	if err != nil {
		return err
	}
	t.PointsTaken = taken
	err = t.tx.QueryRow(ctx, `
		INSERT INTO return_ticket (form, order_id, location_id, channel, associate_id, approved_by, goods, points_taken,
			refund)
		VALUES (@form, @order, @location, @channel, @associate, nullif(@approved::bigint, 0), @goods, @taken, 0)
		RETURNING id, number`, pgx.NamedArgs{"form": t.Form, "order": t.OrderID, "location": t.at.LocationID,
		"channel": t.at.Channel, "associate": t.at.AssociateID, "approved": t.approver(), "goods": t.Goods,
		"taken": taken}).
		Scan(&t.ticket, &t.Number)
	if err != nil {
		return fmt.Errorf("write a return: %w", err)
	}
	batch := &pgx.Batch{}
	for _, p := range t.pieces {
		batch.Queue(`
			INSERT INTO returned_unit (order_line_id, n, return_id, reason, grade, restocked)
			VALUES ($1, $2, $3, $4, $5, $6)`, p.LineID, p.N, t.ticket, p.want.Reason, p.want.Grade, p.want.Restock &&
			!p.Card)
	}
	if err := t.tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("write what returned: %w", err)
	}
	if t.Delivery, err = order.RefundDelivery(ctx, t.tx, t.OrderID); err != nil {
		return err
	}
	inMoney, again, err := t.comesBack(ctx)
	if err != nil {
		return err
	}
	if len(t.instead()) > 0 {
		t.again = again
		if err := t.price(ctx); err != nil {
			return err
		}
	}
	// Points that were earned and spent already are kept from the refund, as far as there is one in money. What the
	// exchange earns makes up for them first: an even exchange leaves everybody where they were.
	// points are rounded by the order: the same unit alone may earn one less
	t.owed = min(earned-taken, max(t.makes, t.same))
	t.Shortfall = min(rates.Value(earned-taken-t.owed, t.Currency), inMoney)
	_, err = t.tx.Exec(ctx, `
		UPDATE return_ticket
		SET delivery = $2, shortfall = $3
		WHERE id = $1`, t.ticket, t.Delivery, t.Shortfall)
	if err != nil {
		return fmt.Errorf("write a return: %w", err)
	}
	return t.allowed(ctx, inMoney-t.Shortfall)
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
	if t.Word == nil {
		return 0
	}
	return t.Word.ManagerID
}

// allowed asks for somebody's word above the limit. What went back of the order today without one counts: three small
// returns are one large one.
func (t *taking) allowed(ctx context.Context, amount int64) error {
	var limit, today int64
	err := t.tx.QueryRow(ctx, `
		SELECT refund_limit, coalesce((SELECT sum(refund) FROM return_ticket WHERE order_id = $1 AND approved_by IS NULL
			AND at > now() - interval '1 day' AND id <> $2), 0)::bigint
		FROM shop`, t.OrderID, t.ticket).Scan(&limit, &today)
	if err != nil {
		return fmt.Errorf("read the limit of refunds: %w", err)
	}
	// The limit is in hundredths of a whole unit; a currency may have other parts.
	for range money.Exponent(t.Currency) {
		limit *= 10
	}
	limit /= 100
	t.NeedsWord = amount+today > limit
	if t.NeedsWord && !t.MayAlone && t.Word == nil {
		return fault.Field("pin", "Refunds above {limit} need a manager’s approval.",
			text.Args{"limit": money.New(limit, t.Currency)})
	}
	if t.Word == nil {
		return nil
	}
	return staff.Log(ctx, t.tx, staff.Entry{AssociateID: t.at.AssociateID, ApprovedBy: t.Word.ManagerID,
		Action: "return.approved", Subject: "order", SubjectID: t.OrderID, LocationID: t.at.LocationID,
		Reason: t.Word.Reason})
}

// giveBack takes what they want instead first, because what came back pays it, and gives back the rest.
func (t *taking) giveBack(ctx context.Context) error {
	for _, p := range t.pieces {
		if !p.Card {
			continue
		}
		void, err := giftcard.Void(ctx, t.tx, p.LineID, p.N, t.OrderID)
		if err != nil {
			return err
		}
		if !void {
			return fault.Field(fmt.Sprintf("quantity-%d", p.LineID),
				"Some of this gift card has already been spent, so it can’t be returned.")
		}
	}
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
		back.Exchange = min(inMoney, t.rest)
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
	var exchangeID int64
	if len(t.instead()) > 0 {
		if exchangeID, err = t.sell(ctx, back.Exchange); err != nil {
			return err
		}
		more, err := loyalty.Deduct(ctx, t.tx, t.person, t.owed, t.OrderID)
		if err != nil {
			return err
		}
		t.PointsTaken += more
	}
	_, err = t.tx.Exec(ctx, `
		UPDATE return_ticket
		SET refund = $2, points_back = $3, exchange_id = nullif($4::bigint, 0), points_taken = $5
		WHERE id = $1`, t.ticket, t.Refund, t.PointsBack, exchangeID, t.PointsTaken)
	if err != nil {
		return fmt.Errorf("write a return: %w", err)
	}
	return nil
}

// shelve puts back what is put back here, in the order of locks.
func (t *taking) shelve(ctx context.Context) error {
	type shelf struct {
		line, variant int64
		grade, reason string
	}
	var order []shelf
	count := map[shelf]int{}
	for _, p := range t.pieces {
		if p.Card || !p.want.Restock {
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
		LocationID: t.at.LocationID, OrderID: t.OrderID, Quantity: len(t.pieces), AssociateID: t.at.AssociateID}
	if err := customer.Record(ctx, t.tx, fact); err != nil {
		return err
	}
	if err := live.Notify(ctx, t.tx, live.Customer(t.h.CustomerID)); err != nil {
		return err
	}
	if t.h.Email == "" {
		return nil
	}
	return jobs.Insert(ctx, t.tx, message.OrderMail{OrderID: t.OrderID, Mail: message.MailReturned, Line: t.ticket})
}
