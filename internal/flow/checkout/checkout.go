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
	Pay        string         // how the rest is paid that points, gift cards and credit leave: a kind of tender
	Given      int64          // the cash that was laid down; what is missing goes on the terminal where Split says so
	Split      bool
	Sure       bool               // more cash than anybody would lay down is what was meant
	Here       basket.SaleContext // the counter that sends it
	Gateway    string             // the name of the one that takes cards; none: there are no cards
	Hold       time.Duration      // 0: Hold
	Exchange   int64              // what a return pays of it, in minor units

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

func within(ctx context.Context, tx pgx.Tx, r Request) (Placed, error) {
	r.Here.Email = r.Email
	b, err := basket.LockCart(ctx, tx, r.CustomerID, r.Here, r.ahead, r.at.Language)
	if err != nil {
		return Placed{}, err
	}
	if b == nil || b.CartID != r.CartID {
		return before(ctx, tx, r)
	}
	who, err := checkContact(r, b)
	if err != nil {
		return Placed{}, err
	}
	if err := check(b, r); err != nil {
		return Placed{}, err
	}
	if who.name == "" {
		if who.name, err = customer.Name(ctx, tx, r.CustomerID); err != nil {
			return Placed{}, err
		}
	}
	tenders, err := pay(b, r)
	if err != nil {
		return Placed{}, err
	}
	return write(ctx, tx, r, who, b, tenders)
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

// written is an order on its way into the tables.
type written struct {
	order.CreatedOrder
	n       order.New
	tenders tenders
}

// write makes the order and all that hangs on it. What can run out goes last, in the one order of locks: points, gift
// cards, credit, promotions, and the shelves at the very end.
func write(ctx context.Context, tx pgx.Tx, r Request, who contact, b *basket.Basket, t tenders) (Placed, error) {
	w, err := create(ctx, tx, r, who, b, t)
	if err != nil {
		return Placed{}, err
	}
	placed := Placed{ID: w.ID, PublicID: w.PublicID, Change: b.Quote.In(t.change)}
	if t.attempt != 0 {
		if placed.PaymentID, err = payment.StartAttempt(ctx, tx, w.ID, r.Gateway, r.Pay, b.Quote.Currency,
			t.attempt); err != nil {
			return placed, err
		}
	}
	batch, gone := &pgx.Batch{}, []string{}
	confirmed := w.n.HoldUntil == nil
	if confirmed && who.email != "" {
		if err := jobs.Queue(batch, message.OrderMail{OrderID: w.ID, Mail: message.MailConfirmed}); err != nil {
			return placed, err
		}
	}
	if t.state == order.Paid {
		if err := jobs.Queue(batch, settle.DocumentsJob{OrderID: w.ID}); err != nil {
			return placed, err
		}
	}
	if t.parts.Points > 0 {
		if err := loyalty.Spend(ctx, tx, r.CustomerID, t.parts.Points, w.ID); errors.Is(err, loyalty.ErrFew) {
			return placed, fault.New(fault.Conflict,
				"Some of your points have since been spent. Please check the new total.")
		} else if err != nil {
			return placed, err
		}
	}
	w.queue(batch, r, b, &gone)
	customer.QueueContact(batch, r.CustomerID, who.name, who.email, who.phone, r.at.Channel)
	if confirmed {
		customer.Fact{CustomerID: r.CustomerID, Kind: customer.Bought, Channel: r.at.Channel,
			LocationID: w.n.LocationID, OrderID: w.ID}.Queue(batch)
		for _, part := range w.n.Parts {
			live.QueueNotify(batch, live.Queue(part.LocationID))
		}
	}
	cart.QueueOrdered(batch, b.CartID, r.Here.Sale())
	live.QueueNotify(batch, live.Customer(r.CustomerID))
	if err := w.shelves(ctx, tx, r, b, batch, &gone); err != nil {
		return placed, err
	}
	return placed, w.handOver(ctx, tx, r)
}

// queue writes the tenders and takes from what can run out.
func (w *written) queue(batch *pgx.Batch, r Request, b *basket.Basket, gone *[]string) {
	lost := func(what string) func() { return func() { *gone = append(*gone, what) } }
	for _, n := range w.tenders.all {
		payment.Queue(batch, w.ID, n)
	}
	cards := slices.SortedFunc(slices.Values(w.tenders.parts.Cards),
		func(a, b basket.CardPart) int { return cmp.Compare(a.Card.ID, b.Card.ID) })
	for _, part := range cards {
		giftcard.QueueSpend(batch, part.Card.ID, part.Amount, w.ID, lost("The gift card ending in "+part.Card.Ends))
	}
	if w.tenders.parts.Credit > 0 {
		credit.QueueSpend(batch, r.CustomerID, b.Quote.Currency, w.tenders.parts.Credit, w.ID,
			lost("Your store credit"))
	}
	for _, d := range inOrder(b.Quote.Discounts) {
		promotion.QueueClaim(batch, promotion.Use{OrderID: w.ID, PromotionID: d.Promotion.ID,
			CouponID: d.Promotion.CouponID, Amount: d.Amount, Person: r.CustomerID, Email: w.n.Email,
			Day: b.Now.In(b.Home.Zone())},
			func(promotion.Use) { *gone = append(*gone, nameOf(d)) })
	}
}

// shelves sends the batch with the claims on stock as its last statements. Goods that are carried out are there: they
// leave the books after it.
func (w *written) shelves(ctx context.Context, tx pgx.Tx, r Request, b *basket.Basket, batch *pgx.Batch,
	gone *[]string) error {
	var claims []inventory.Reservation
	for i, line := range w.n.Lines {
		part := w.n.Parts[line.Part]
		if (part.Method == quote.Pickup || part.Method == quote.Ship) && !line.WithoutStock {
			claim := inventory.Reservation{OrderLineID: w.Lines[i], VariantID: line.VariantID,
				LocationID: part.LocationID, Quantity: line.Quantity, ExpiresAt: w.n.HoldUntil}
			if k := slices.IndexFunc(r.ahead, claim.Same); k >= 0 && !line.Gift {
				claim.Claimed = r.ahead[k].Claimed
			}
			claims = append(claims, claim)
		}
	}
	short, err := inventory.Reserve(ctx, tx, batch, claims)
	if err != nil {
		return err
	}
	if len(*gone) > 0 {
		return errors.Join(fault.New(fault.Conflict, "{what} has since been used up. Please check the new total.",
			text.Args{"what": (*gone)[0]}), promotion.ErrGone)
	}
	if len(short) > 0 {
		return tooFew(ctx, tx, b, short[0])
	}
	return nil
}

// handOver is what happens at once: goods that leave with the customer, gift cards that are paid.
func (w *written) handOver(ctx context.Context, tx pgx.Tx, r Request) error {
	if w.n.HoldUntil != nil {
		return nil
	}
	for k, part := range w.n.Parts {
		switch part.Method {
		case quote.CarryOut:
			if _, err := order.MarkCarriedOut(ctx, tx, w.Parts[k], r.at.AssociateID); err != nil {
				return err
			}
			if err := settle.HandedOver(ctx, tx, w.ID, w.Parts[k], r.CustomerID); err != nil {
				return err
			}
			fact := customer.Fact{CustomerID: r.CustomerID, Kind: customer.Collected, Channel: r.at.Channel,
				LocationID: part.LocationID, OrderID: w.ID}
			if err := customer.Record(ctx, tx, fact); err != nil {
				return err
			}
		case basket.Mail:
			h, err := order.LockOrder(ctx, tx, w.ID)
			if err != nil {
				return err
			}
			if err := settle.MailCards(ctx, tx, h); err != nil {
				return err
			}
		}
	}
	// The shelves in the one order of locks.
	byShelf := make([]int, len(w.n.Lines))
	for i := range byShelf {
		byShelf[i] = i
	}
	slices.SortStableFunc(byShelf, func(a, b int) int {
		return cmp.Compare(w.n.Lines[a].VariantID,
			w.n.Lines[b].VariantID)
	})
	for _, i := range byShelf {
		line := w.n.Lines[i]
		if part := w.n.Parts[line.Part]; part.Method == quote.CarryOut {
			if err := shortage.SellInHand(ctx, tx, w.Lines[i], line.VariantID, part.LocationID, line.Quantity,
				inventory.Reason{Channel: r.at.Channel, AssociateID: r.at.AssociateID}); err != nil {
				return err
			}
		}
	}
	return nil
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
		args := text.Args{"title": line.Title, "n": max(level.OnHand-level.Reserved-level.Safety, 0),
			"store": b.Stores[line.LocationID].Name}
		f := fault.New(fault.Conflict, "Only {n} {title} left at {store}. Reduce the quantity or choose another store.",
			args)
		if args["n"] == 0 {
			f = fault.New(fault.Conflict,
				"Someone just bought the last {title} at {store}. Your cart is saved: choose another store or remove it.", args)
		}
		return errors.Join(f, ErrShort)
	}
	return ErrShort
}
