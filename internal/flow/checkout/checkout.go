// Package checkout turns a cart into an order, whoever asks: the shopper in the browser or the associate at the
// counter.
package checkout

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/cart"
	"counterpart/internal/domain/credit"
	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/giftcard"
	"counterpart/internal/domain/inventory"
	"counterpart/internal/domain/loyalty"
	"counterpart/internal/domain/message"
	"counterpart/internal/domain/order"
	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/payment"
	"counterpart/internal/domain/promotion"
	"counterpart/internal/domain/quote"
	"counterpart/internal/flow/settle"
	"counterpart/internal/flow/shortage"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/jobs"
	"counterpart/internal/platform/live"
	"counterpart/internal/platform/money"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/postal"
	"counterpart/internal/platform/text"
	"counterpart/internal/query/basket"
)

// Hold is how long goods wait for a payment that is under way.
const Hold = 15 * time.Minute

// Request is what a checkout form says. CartID makes it safe to send twice; Expected is the total the person saw.
type Request struct {
	CustomerID int64
	CartID     int64
	Expected   int64  // minor units
	Rest       *int64 // of that, what was left to pay beside points, gift cards and credit; nil: nobody was shown it
	Name       string
	Email      string
	Phone      string
	VATNumber  string         // of a business that buys; empty: a person does
	To         postal.Address // where something is sent
	TermsID    int64          // the version of the terms that was shown; 0: none
	Pay        string         // how the rest is paid that points, gift cards and credit leave: a kind of tender
	Given      int64          // the cash that was laid down; what is missing goes on the terminal where Split says so
	Split      bool
	Sure       bool               // more cash than anybody would lay down is what was meant
	Here       basket.SaleContext // the counter that sends it
	Gateway    string             // the name of the one that takes cards; none: there are no cards
	Hold       time.Duration      // 0: Hold
	Exchange   int64              // what a return pays of it, in minor units
	Store      int64              // that staff prepare it for, whose order it is; 0: the customer orders for themselves

	at    origin.Origin
	ahead []inventory.Reservation // what was claimed before the order is written, because many want it
}

// Placed is the answer: the order's public id, the attempt to be paid where a gateway has to be asked, and the change
// to give.
type Placed struct {
	ID        int64
	PublicID  string
	PaymentID int64
	Change    money.Money
}

// Place makes the order of a cart; the same cart sent again gets the same answer. What can go wrong for a person is a
// fault, and then nothing has happened: the cart is as it was.
func Place(ctx context.Context, db pg.DB, at origin.Origin, r Request) (placed Placed, err error) {
	r.at = at
	for attempt := 1; ; attempt++ {
		placed, err = place(ctx, db, r)
		if attempt == 5 || !order.CodeTaken(err) {
			return placed, err
		}
	}
}

func place(ctx context.Context, db pg.DB, r Request) (placed Placed, err error) {
	ahead, done, err := reserveAhead(ctx, db, r)
	defer done()
	if err != nil {
		return Placed{}, err
	}
	r.ahead = ahead
	err = pg.InTx(ctx, db, func(tx pgx.Tx) error {
		placed, err = within(ctx, tx, r)
		return err
	})
	if err != nil {
		return Placed{}, err
	}
	return placed, nil
}

// PlaceInTx is Place inside a transaction that does more: an exchange.
func PlaceInTx(ctx context.Context, tx pgx.Tx, at origin.Origin, r Request) (Placed, error) {
	r.at = at
	return within(ctx, tx, r)
}

// placing is a cart on its way to an order. What a step reads or makes is here for the next.
type placing struct {
	Request
	tx      pgx.Tx
	basket  *basket.Basket
	contact contact
	tenders tenders
	order.CreatedOrder
	n      order.New
	work   pg.Work // in one round trip, with stock as its last statements
	placed Placed
}

// errMade ends a checkout that was sent twice: its cart is an order already, and that is the answer.
var errMade = errors.New("the cart is an order already")

// within places the order. What can run out goes last, in the one order of locks: points, gift cards, credit,
// promotions, and stock at the very end.
func within(ctx context.Context, tx pgx.Tx, r Request) (Placed, error) {
	p := &placing{Request: r, tx: tx}
	for _, step := range []func(context.Context) error{
		p.lock, p.compare, p.enough, p.address, p.tender, p.create, p.claim, p.notify, p.reserve, p.handOver} {
		if err := step(ctx); errors.Is(err, errMade) {
			break
		} else if err != nil {
			return Placed{}, err
		}
	}
	return p.placed, nil
}

// lock holds the customer and the cart until the transaction ends, and prices the cart under it.
func (p *placing) lock(ctx context.Context) (err error) {
	p.Here.Email = p.Email
	p.basket, err = basket.LockCart(ctx, p.tx, p.CustomerID, p.Here, p.ahead, p.at.Language)
	if err != nil {
		return err
	}
	if p.basket == nil || p.basket.CartID != p.CartID {
		if p.placed, err = before(ctx, p.tx, p.Request); err == nil {
			err = errMade
		}
	}
	return err
}

// compare holds what was shown beside what it costs now.
func (p *placing) compare(context.Context) (err error) {
	if p.contact, err = checkContact(p.Request, p.basket); err != nil {
		return err
	}
	return check(p.basket, p.Request)
}

// enough says at once, before anything is written, that somebody comes too late for what many want. Where what others
// left reserved has expired, the claim itself finds out, as it does everywhere else.
func (p *placing) enough(ctx context.Context) error {
	contended := inventory.Contended()
	for _, line := range p.basket.Lines {
		at := inventory.Reservation{VariantID: line.VariantID, LocationID: line.LocationID, Quantity: line.Quantity}
		if !slices.Contains(contended[line.VariantID], line.LocationID) || line.Enough() || line.WithoutStock() ||
			slices.ContainsFunc(p.ahead, at.Same) {
			continue
		}
		expired, err := inventory.Expired(ctx, p.tx, line.VariantID, line.LocationID)
		if err != nil {
			return err
		}
		if !expired {
			return tooFewOf(p.basket, line, line.Available)
		}
	}
	return nil
}

// address says whom the order is for where the form did not.
func (p *placing) address(ctx context.Context) (err error) {
	if p.contact.name == "" {
		p.contact.name, err = customer.Name(ctx, p.tx, p.CustomerID)
	}
	return err
}

// tender parts the total among means of payment.
func (p *placing) tender(context.Context) (err error) {
	p.tenders, err = pay(p.basket, p.Request)
	return err
}

// create writes the order, and the attempt to be paid where a gateway has to be asked.
func (p *placing) create(ctx context.Context) (err error) {
	if p.n, err = frozen(p.Request, p.contact, p.basket, p.tenders); err != nil {
		return err
	}
	if p.CreatedOrder, err = order.Create(ctx, p.tx, p.n); err != nil {
		return err
	}
	p.placed = Placed{ID: p.ID, PublicID: p.PublicID, Change: p.basket.Quote.In(p.tenders.change)}
	if p.tenders.attempt != 0 {
		p.placed.PaymentID, err = payment.StartAttempt(ctx, p.tx,
			payment.NewAttempt{OrderID: p.ID, Gateway: p.Gateway, Method: p.Pay, Currency: p.basket.Quote.Currency,
				Amount: p.tenders.attempt})
	}
	return err
}

// before answers a checkout that was sent twice with the order that its cart made.
func before(ctx context.Context, tx pgx.Tx, r Request) (Placed, error) {
	made, err := order.OfCart(ctx, tx, r.CustomerID, r.CartID)
	if err != nil {
		return Placed{}, err
	}
	if made == nil {
		return Placed{}, fault.New(fault.Conflict, "This cart was changed in another window. Please check it again.")
	}
	if made.Sold != r.Here.CarryOut {
		// What was sold one way is not paid for by having been ordered the other way.
		return Placed{}, fault.New(fault.Conflict,
			"This cart has already become order {number}. Nothing was charged here: open the order to continue.",
			text.Args{"number": made.Number})
	}
	p := Placed{ID: made.ID, PublicID: made.PublicID}
	a, err := payment.LastAttempt(ctx, tx, p.ID)
	if a != nil && a.State == payment.Started {
		p.PaymentID = a.ID
	}
	return p, err
}

func check(b *basket.Basket, r Request) error {
	if blocked := b.Blocked(); !blocked.IsZero() {
		return &fault.Fault{Kind: fault.Conflict, Message: blocked}
	}
	if b.Quote.Total != r.Expected {
		return fault.New(fault.Conflict, "Something has changed. The total is now {total}; it was {before}.",
			text.Args{"total": b.Quote.In(b.Quote.Total), "before": b.Quote.In(r.Expected)})
	}
	return nil
}

// claim writes the tenders and takes from what can run out.
func (p *placing) claim(ctx context.Context) error {
	parts := p.tenders.parts
	if parts.Points > 0 {
		if err := loyalty.Spend(ctx, p.tx, p.CustomerID, parts.Points, p.ID); errors.Is(err, loyalty.ErrFew) {
			return fault.New(fault.Conflict, "Some of your points have since been spent. Please check the new total.")
		} else if err != nil {
			return err
		}
	}
	for _, n := range p.tenders.all {
		payment.Queue(&p.work.Batch, p.ID, n)
	}
	cards := slices.SortedFunc(slices.Values(parts.Cards),
		func(a, b basket.CardPart) int { return cmp.Compare(a.Card.ID, b.Card.ID) })
	for _, c := range cards {
		giftcard.Spend(&p.work, text.M("The gift card ending in {ends}", text.Args{"ends": c.Card.Ends}), c.Card.ID,
			c.Amount, p.ID)
	}
	if parts.Credit > 0 {
		credit.Spend(&p.work, text.M("Your store credit"), p.CustomerID, p.basket.Quote.Currency, parts.Credit, p.ID)
	}
	for _, d := range inOrder(p.basket.Quote.Discounts) {
		promotion.Claim(&p.work, nameOf(d), promotion.Use{OrderID: p.ID, PromotionID: d.Promotion.ID,
			CouponID: d.Promotion.CouponID, Amount: d.Amount, Person: p.CustomerID, Email: p.n.Email,
			Day: p.basket.Now.In(p.basket.Home.Zone())})
	}
	return nil
}

// notify tells whom it concerns: the customer by email, the timeline, the pages that are open, the stores.
func (p *placing) notify(context.Context) error {
	batch, confirmed := &p.work.Batch, p.n.HoldUntil == nil
	topics := []string{live.Customer(p.CustomerID)}
	if confirmed && p.contact.email != "" {
		if err := jobs.Queue(batch, message.OrderMail{OrderID: p.ID, Mail: message.MailConfirmed}); err != nil {
			return err
		}
	}
	if p.tenders.state == order.Paid {
		if err := jobs.Queue(batch, settle.DocumentsJob{OrderID: p.ID}); err != nil {
			return err
		}
	}
	// What staff write on an order is about the order, not about the profile.
	if p.Store == 0 {
		customer.QueueContact(batch, p.CustomerID, p.contact.name, p.contact.email, p.contact.phone, p.at.Channel)
	}
	if confirmed {
		customer.Fact{CustomerID: p.CustomerID, Kind: customer.Bought, Channel: p.at.Channel,
			LocationID: p.n.LocationID, OrderID: p.ID}.Queue(batch)
		for _, part := range p.n.Parts {
			topics = append(topics, live.Queue(part.LocationID))
		}
	}
	cart.QueueOrdered(batch, p.CartID, p.Here.Sale())
	live.QueueNotify(batch, topics...)
	return nil
}

// reserve sends the work with the reservations of stock as its last statements. What is carried out leaves stock after
// it.
func (p *placing) reserve(ctx context.Context) error {
	var wanted []inventory.Reservation
	for i, line := range p.n.Lines {
		part := p.n.Parts[line.Part]
		if (part.Method == quote.Pickup || part.Method == quote.Ship) && !line.WithoutStock {
			one := inventory.Reservation{OrderLineID: p.Lines[i], VariantID: line.VariantID,
				LocationID: part.LocationID, Quantity: line.Quantity, ExpiresAt: p.n.HoldUntil}
			if k := slices.IndexFunc(p.ahead, one.Same); k >= 0 && !line.Gift {
				one.Claimed = p.ahead[k].Claimed
			}
			wanted = append(wanted, one)
		}
	}
	short, err := inventory.Reserve(ctx, p.tx, &p.work.Batch, wanted)
	if err != nil {
		return err
	}
	if what, missed := p.work.Missed(); missed {
		return errors.Join(fault.New(fault.Conflict, "{what} has since been used up. Please check the new total.",
			text.Args{"what": what}), promotion.ErrGone)
	}
	if len(short) > 0 {
		return tooFew(ctx, p.tx, p.basket, short[0])
	}
	return nil
}

// handOver is what happens at once: goods that leave with the customer, gift cards that are paid.
func (p *placing) handOver(ctx context.Context) error {
	if p.n.HoldUntil != nil {
		return nil
	}
	for k, part := range p.n.Parts {
		switch part.Method {
		case quote.CarryOut:
			if err := p.carryOut(ctx, p.Parts[k], part.LocationID); err != nil {
				return err
			}
		case basket.Mail:
			h, err := order.LockOrder(ctx, p.tx, p.ID)
			if err != nil {
				return err
			}
			if err := settle.MailCards(ctx, p.tx, h); err != nil {
				return err
			}
		}
	}
	// Stock in the one order of locks.
	lines := make([]int, len(p.n.Lines))
	for i := range lines {
		lines[i] = i
	}
	slices.SortStableFunc(lines, func(a, b int) int {
		return cmp.Compare(p.n.Lines[a].VariantID, p.n.Lines[b].VariantID)
	})
	why := inventory.Reason{Channel: p.at.Channel, AssociateID: p.at.AssociateID}
	for _, i := range lines {
		line := p.n.Lines[i]
		part := p.n.Parts[line.Part]
		if part.Method != quote.CarryOut {
			continue
		}
		if err := shortage.SellInHand(ctx, p.tx, inventory.Sale{OrderLineID: p.Lines[i], VariantID: line.VariantID,
			LocationID: part.LocationID, Quantity: line.Quantity}, why); err != nil {
			return err
		}
	}
	return nil
}

// carryOut says that a fulfilment left the store with whoever bought it.
func (p *placing) carryOut(ctx context.Context, fulfilmentID, locationID int64) error {
	if _, err := order.MarkCarriedOut(ctx, p.tx, fulfilmentID, p.at.AssociateID); err != nil {
		return err
	}
	if err := settle.HandedOver(ctx, p.tx, p.ID, fulfilmentID, p.CustomerID); err != nil {
		return err
	}
	return customer.Record(ctx, p.tx, customer.Fact{CustomerID: p.CustomerID, Kind: customer.Collected,
		Channel: p.at.Channel, LocationID: locationID, OrderID: p.ID})
}

// ErrShort is in the chain of the fault that says that the shelves have too little.
var ErrShort = errors.New("not enough on the shelf")

func tooFew(ctx context.Context, tx pgx.Tx, b *basket.Basket, short inventory.Reservation) error {
	level, err := inventory.LockLevel(ctx, tx, short.VariantID, short.LocationID)
	if err != nil {
		return err
	}
	for _, line := range append(b.Lines, b.Gifts...) {
		if line.VariantID != short.VariantID || line.LocationID != short.LocationID {
			continue
		}
		return tooFewOf(b, line, level.OnHand-level.Reserved-level.Safety)
	}
	return ErrShort
}

func tooFewOf(b *basket.Basket, line basket.Line, left int) error {
	args := text.Args{"title": line.Title, "n": max(left, 0), "store": b.Stores[line.LocationID].Name}
	f := fault.New(fault.Conflict, "Only {n} {title} left at {store}. Reduce the quantity or choose another store.", args)
	if args["n"] == 0 {
		f = fault.New(fault.Conflict,
			"Someone just bought the last {title} at {store}. Your cart is saved: choose another store or remove it.", args)
	}
	return errors.Join(f, ErrShort)
}
