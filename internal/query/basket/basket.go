// Package basket reads a cart as a page or a checkout needs it: lines, prices, promotions, delivery and what pays for
// it, in one round trip, and a second one for what few carts have.
package basket

import (
	"strings"
	"time"

	"counterpart/internal/domain/delivery"
	"counterpart/internal/domain/giftcard"
	"counterpart/internal/domain/location"
	"counterpart/internal/domain/loyalty"
	"counterpart/internal/domain/quote"
	"counterpart/internal/domain/tax"
	"counterpart/internal/platform/money"
	"counterpart/internal/platform/text"
)

// Basket is a customer's open cart, priced. Store is where it will be collected; until somebody chose one it is nil and
// the prices are those of the chain's first store.
type Basket struct {
	CartID   int64
	Code     string
	Store    *location.Location
	Home     location.Location            // whose currency, tax mode and clock hold
	Stores   map[int64]*location.Location // of every line
	Lines    []Line
	Gifts    []Line // what promotions add: Quote.Lines after Lines, in that order
	Quote    quote.Quote
	Now      time.Time
	CarryOut bool

	Country   string   // where it is delivered to
	Countries []string // where it could be
	Region    string
	From      *location.Location // which sends it
	Ways      []Way              // in which it can be sent, cheapest first
	Way       *Way               // the chosen one

	Member    bool
	Language  string   // that the customer is written to in
	Codes     []string // that were typed
	Points    loyalty.Balance
	Rates     loyalty.Rates
	Spend     int64 // points that the shopper means to spend
	Credit    int64 // what the shop owes them, in this currency
	UseCredit bool
	Cards     []giftcard.Card
	again     ReturnedPoints
}

// Way is a delivery that carries this cart: what it costs and when it arrives.
type Way struct {
	delivery.Method
	Charge   int64
	From, By time.Time
}

// Line is a cart line with what is known of it now. Gone means that it cannot be sold any more, at any quantity.
type Line struct {
	ID         int64
	VariantID  int64
	ProductID  int64
	Slug       string
	SKU        string
	Title      string
	Options    []string
	Picture    string // key of the drawn sizes, or empty
	Quantity   int
	Min, Max   int
	Gone       bool
	Method     string // pickup, ship, carry_out; mail for a gift card
	LocationID int64  // where it is handed over or sent from; 0: not known yet
	Available  int    // there, or at the best place
	Elsewhere  bool   // it can be had, though not this way
	UnitPrice  int64  // of the price list
	Breaks     []quote.Break
	Categories []int64
	Tags       []string
	Grams      int
	GiftCard   bool
	Note       string
	Rate       tax.Rate
	Agreed     bool // its price was agreed before: no promotion applies to it again
	Untaxed    bool // there is no tax rate for it where it changes hands: it cannot be sold there
	Untracked  bool // no stock is kept of it: there is always one
	BackOrder  bool // it is sold when there is none, and comes later
	NoPickup   bool // it cannot be collected
	NoShip     bool // it cannot be delivered
	levels     []level
}

// Unpriced says that it cannot be had because it has no price where the cart is.
func (l Line) Unpriced() bool { return l.Gone && l.UnitPrice == 0 }

// At is how many are free at a location.
func (l Line) At(locationID int64) int {
	for _, at := range l.levels {
		if at.Location == locationID {
			return at.Available
		}
	}
	return 0
}

// WithoutStock says that nothing is reserved for the line: no stock is kept of it, or there is too little and it comes
// later.
func (l Line) WithoutStock() bool {
	return l.Method != Mail && l.Method != quote.CarryOut && (l.Untracked || l.BackOrder && l.Available < l.Quantity)
}

type level struct {
	Location  int64 `json:"l"`
	Available int   `json:"a"`
}

// Mail is the method of what is sent by mail alone: gift cards.
const Mail = "mail"

// Choice is how a person names the variant: “White, large”.
func (l Line) Choice() string { return strings.Join(l.Options, ", ") }

// Enough says whether there are as many as the line wants, in the way it wants them. What somebody carries in their
// hand is there.
func (l Line) Enough() bool {
	return !l.Gone && (l.Method == Mail || l.Method == quote.CarryOut || l.Untracked || l.BackOrder ||
		l.Available >= l.Quantity)
}

// Fits says whether the quantity is one that is sold.
func (l Line) Fits() bool { return l.Quantity >= l.Min && l.Quantity <= l.Max }

// Units in the cart.
func (b *Basket) Units() (n int) {
	if b == nil {
		return 0
	}
	for _, line := range b.Lines {
		n += line.Quantity
	}
	return n
}

// Has says whether something goes this way.
func (b *Basket) Has(method string) bool {
	for _, line := range b.Lines {
		if line.Method == method {
			return true
		}
	}
	return false
}

// Problem is why the cart cannot be ordered as it is, or nothing.
func (b *Basket) Problem() text.Message {
	if blocked := b.Blocked(); !blocked.IsZero() {
		return blocked
	}
	for _, line := range b.Lines {
		args := text.Args{"title": line.Title, "n": line.Available}
		switch {
		case line.Enough():
		case line.Method == quote.Ship && line.Available <= 0:
			return text.M("{title} is out of stock for delivery. Remove it, or collect it in store.", args)
		case line.Method == quote.Ship:
			return text.M("We can only deliver {n} of {title}. Reduce the quantity, or collect in store.", args)
		default:
			args["store"] = b.Stores[line.LocationID].Name
			if args["n"] == 0 {
				return text.M("{title} is out of stock at {store}. Choose another store, have it delivered or remove it.", args)
			}
			return text.M("Only {n} {title} left at {store}. Reduce the quantity, choose another store or have it delivered.", args)
		}
	}
	return text.Message{}
}

// Blocked is why the cart cannot be ordered whatever the shelves hold, or nothing. What they hold, only a claim on them
// says.
func (b *Basket) Blocked() text.Message {
	why, _ := b.blocked()
	return why
}

// Misdirected says that all that is wrong is where it is to be sent: the checkout asks for another place.
func (b *Basket) Misdirected() bool {
	_, place := b.blocked()
	return place
}

func (b *Basket) blocked() (why text.Message, place bool) {
	if b == nil || len(b.Lines) == 0 {
		return text.M("The cart is empty."), false
	}
	for _, line := range b.Lines {
		args := text.Args{"title": line.Title, "min": line.Min, "max": line.Max}
		store := b.Stores[line.LocationID]
		if store != nil {
			args["store"] = store.Name
		}
		switch {
		case line.Gone:
			return text.M("{title} is no longer available. Remove it from the cart to continue.", args), false
		case !line.Fits():
			return text.M("You can buy {min} to {max} of {title} at a time. Change the quantity to continue.",
				args), false
		case line.Method == quote.Pickup && line.NoPickup:
			return text.M("{title} can’t be collected in store. Have it delivered, or remove it.", args), false
		case line.Method == quote.Ship && line.NoShip:
			return text.M("{title} can’t be delivered. Collect it in store, or remove it.", args), false
		case line.Method == quote.Pickup && store == nil:
			return text.M("Choose a store to collect from."), false
		case line.Method == quote.Pickup && !store.Pickup:
			return text.M("{store} doesn’t offer collection. Choose another store.", args), false
		case line.Untaxed && line.Method == quote.Ship:
			return text.M("We can’t deliver {title} to that address yet. Choose another country or state, or collect in store.", args), true
		case line.Untaxed:
			return text.M("{title} can’t be sold at {store} yet: its tax rate isn’t set up. Please tell us, or choose another store.", args), false
		case line.Method == quote.Ship && b.Way == nil:
			return text.M("We don’t deliver this to that country. Choose another country, or collect in store."), true
		}
	}
	return text.Message{}, false
}

// Ready says whether the cart can be ordered as it is.
func (b *Basket) Ready() bool { return b.Problem().IsZero() }

// Amount of a line as the quote has it, before what was taken off.
func (b *Basket) Amount(i int) money.Money { return b.Quote.In(b.Quote.Lines[i].Amount) }

// Paid is what a line costs with everything.
func (b *Basket) Paid(i int) money.Money {
	return b.Quote.In(b.Quote.Lines[i].Amount - b.Quote.Lines[i].Discount)
}

// Tenders are how the total is paid: what the shopper put towards it, and the rest.
type Tenders struct {
	Points      int64
	PointsValue int64
	Cards       []CardPart
	Credit      int64
	Rest        int64
}

// CardPart is what a gift card pays.
type CardPart struct {
	Card   giftcard.Card
	Amount int64
}

// Tenders parts the total: points first, because they pay goods only, then gift cards and credit, then the rest. A gift
// card does not buy gift cards.
func (b *Basket) Tenders() (t Tenders) {
	t.Rest = b.Quote.Total
	payable := b.Quote.PayableByPoints()
	if b.Spend > 0 && b.Rates.Rate > 0 && b.Points.Spendable >= int64(b.Rates.Minimum) {
		t.Points = min(b.Spend, b.Points.Spendable, b.Rates.For(payable, b.Quote.Currency))
		t.PointsValue = min(b.Rates.Value(t.Points, b.Quote.Currency), payable)
		if t.Points < int64(b.Rates.Minimum) && t.PointsValue < payable || t.PointsValue == 0 {
			t.Points, t.PointsValue = 0, 0
		}
		t.Rest -= t.PointsValue
	}
	if again := b.again; again.Points > 0 && payable > 0 {
		t.PointsValue = min(again.Value, payable)
		// In proportion, rounded up: what is left over of a point stays with whoever owes it.
		t.Points = (again.Points*t.PointsValue + again.Value - 1) / again.Value
		t.Rest = b.Quote.Total - t.PointsValue
	}
	likeMoney := int64(0)
	for _, line := range b.Quote.Lines {
		if line.LikeMoney {
			likeMoney += line.Amount
		}
	}
	open := t.Rest - likeMoney
	for _, card := range b.Cards {
		if part := min(card.Balance, open); part > 0 {
			t.Cards = append(t.Cards, CardPart{card, part})
			t.Rest, open = t.Rest-part, open-part
		}
	}
	if b.UseCredit {
		t.Credit = min(b.Credit, t.Rest)
		t.Rest -= t.Credit
	}
	return t
}

// Earns is how many points the cart earns when it was handed over.
func (b *Basket) Earns() (points int64) {
	_, earned := b.Quote.AllocatePoints(b.Tenders().PointsValue, b.Rates.Rate)
	for _, line := range earned {
		for _, n := range line {
			points += n
		}
	}
	return points
}

// Prepaid says that nothing of it can be paid when it is collected: something is sent, or is like money, or is
// collected in more than one store.
func (b *Basket) Prepaid() bool {
	stores := map[int64]bool{}
	for _, line := range b.Lines {
		if line.Method != quote.Pickup {
			return true
		}
		stores[line.LocationID] = true
	}
	return len(stores) > 1
}

// PartTotal is what goes one way costs, with its tax and delivery.
type PartTotal struct {
	Method string
	Amount int64
}

// PartTotals says what is collected costs and what is delivered, where a cart goes more than one way.
func (b *Basket) PartTotals() (all []PartTotal) {
	at := map[string]int{}
	add := func(method string, amount int64) {
		i, ok := at[method]
		if !ok {
			i, at[method] = len(all), len(all)
			all = append(all, PartTotal{Method: method})
		}
		all[i].Amount += amount
	}
	for _, line := range b.Quote.Lines {
		for _, unit := range line.Units {
			add(line.Method, unit.Paid)
		}
	}
	for _, d := range b.Quote.Deliveries {
		add(quote.Ship, d.Paid)
	}
	if len(all) < 2 {
		return nil
	}
	return all
}

// WhyNot is why a typed code takes nothing off. False when it does.
func (b *Basket) WhyNot(code string) (why text.Message, missed bool) {
	for _, m := range b.Quote.Missed {
		if m.Promotion.Code == code {
			return m.Why, true
		}
	}
	return text.Message{}, false
}

// Near are promotions that would apply with a little more in the cart.
func (b *Basket) Near() (near []quote.Miss) {
	for _, m := range b.Quote.Missed {
		if m.Near && m.Promotion.Code == "" && len(near) < 3 {
			near = append(near, m)
		}
	}
	return near
}

// Savings is what a promotion took off a line.
type Savings struct {
	Title  string
	Amount int64
}

// TakenOff lists what was taken off a line, and why.
func (b *Basket) TakenOff(line int) (all []Savings) {
	for _, d := range b.Quote.Discounts {
		if d.Level != quote.LineLevel {
			continue
		}
		amount := int64(0)
		for _, s := range d.Shares {
			if s.Line == line {
				amount += s.Amount
			}
		}
		if amount > 0 {
			all = append(all, Savings{d.Promotion.Title, amount})
		}
	}
	return all
}
