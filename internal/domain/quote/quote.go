// Package quote is what a cart costs: one pure function for the shop, the counter and whoever asks.
package quote

import (
	"math"
	"slices"
	"strings"
	"time"

	"counterpart/internal/domain/tax"
	"counterpart/internal/platform/money"
	"counterpart/internal/platform/text"
)

// Methods by which goods reach a person.
const (
	Pickup   = "pickup"
	Ship     = "ship"
	CarryOut = "carry_out"
)

// Input is everything that a price depends on. Nothing else does: no clock, no database, no channel.
type Input struct {
	Place      Place
	Now        time.Time
	Shopper    Shopper
	Items      []Item
	Deliveries []Delivery
	Promotions []Promotion // automatic ones, and one for each code that was typed
	Gifts      []Item      // what promotions can add for nothing; Quantity is how many there are
}

// Place is where the goods change hands: it decides the currency, whether prices include tax, and what day it is.
type Place struct {
	Currency    string
	TaxIncluded bool
	Zone        *time.Location // nil: UTC
}

// Shopper is what promotions may ask of whoever buys.
type Shopper struct {
	Member   bool // has an account
	Tags     []string
	Segments []int64
	Tier     string
	Returned bool // has ordered before
}

// Item is a line to be priced. UnitPrice is what the price list says, in minor units, with or without tax as the place
// has it.
type Item struct {
	VariantID  int64
	ProductID  int64
	Categories []int64 // with their parents
	Tags       []string
	Quantity   int
	UnitPrice  int64
	Breaks     []Break
	Rate       tax.Rate
	Method     string
	LocationID int64
	LikeMoney  bool // a gift card: never reduced, never earns
	// its price was agreed before, promotions and all: an exchange for the same. None applies to it again
	Settled bool
}

// Break is a better price from a quantity on, or for members, those of a tier, or the people in a segment.
type Break struct {
	From    int
	Members bool
	Tier    string // empty: of any or none
	Segment int64  // 0: in any or none
	Amount  int64
}

// Delivery is the charge of a part that is sent, before promotions.
type Delivery struct {
	Charge int64
	Rate   tax.Rate
}

// Unit is one unit: what is paid for it with everything, the tax in that, and what was taken off.
type Unit struct{ Paid, Tax, Discount int64 }

// Line is a priced item. Amount is quantity × unit price; Amount − Discount, with tax where that comes on top, is what
// its units sum to.
type Line struct {
	Item
	ListPrice int64 // of one, before a break
	Gift      bool
	Amount    int64
	Discount  int64
	Tax       int64
	Times     int // its points are multiplied by it
	Units     []Unit
}

// Shipped is a priced delivery.
type Shipped struct {
	Delivery
	Discount int64
	Paid     int64 // with tax
	Tax      int64
}

// Discount is a promotion that applied, and what each unit got of it.
type Discount struct {
	Promotion *Promotion
	Level     Level
	Amount    int64
	Shares    []Share
}

// Share is what one unit of a line got of a discount; of a delivery's discount it is the delivery's place in the quote.
type Share struct {
	Line   int
	N      int // from 0
	Amount int64
}

// Miss is a promotion that did not apply, and why. Near says that the shopper can still change that.
type Miss struct {
	Promotion *Promotion
	Why       text.Message
	Near      bool
}

// TaxLine is the tax of one rate, as a receipt shows it, and the amount it is of, without it.
type TaxLine struct {
	Name   string
	PPM    int64
	Net    int64
	Amount int64
}

// Quote is the priced cart. Lines begin with the items in their order; gifts follow.
type Quote struct {
	Place
	Lines      []Line
	Deliveries []Shipped
	Discounts  []Discount
	Missed     []Miss
	Sum        int64 // of the lines' amounts
	Discount   int64 // of the lines
	Shipping   int64 // after what was taken off
	Tax        int64 // contained in Total when prices include it, else a part of it that came on top
	Taxes      []TaxLine
	Total      int64
}

// Price computes a quote. Promotions apply by level (line, order, shipping), then priority, then age, so the order in
// which codes were typed says nothing. What is divided over units is divided by largest remainder over what is still to
// be paid for them. Tax is rounded once a line.
func Price(in Input) Quote {
	w := lay(in)
	for _, p := range inOrder(in.Promotions) {
		w.try(p)
	}
	return w.sum()
}

// In is an amount of this quote as money.
func (q *Quote) In(minor int64) money.Money { return money.New(minor, q.Currency) }

// work is a quote being made. Pieces of all lines lie in one row, so that a discount can be divided over any of them.
type work struct {
	in     Input
	q      Quote
	lines  []Line
	first  []int // of a line's units in left
	left   []int64
	before []int64 // left, as it was when this level began: what thresholds are measured by
	level  Level
	ships  []Shipped
}

func lay(in Input) *work {
	if in.Place.Zone == nil {
		in.Place.Zone = time.UTC
	}
	w := &work{in: in, q: Quote{Place: in.Place}, lines: make([]Line, 0, len(in.Items)+1),
		first: make([]int, 0, len(in.Items)+1)}
	w.in.Gifts = slices.Clone(in.Gifts)
	pieces := 0
	for _, item := range in.Items {
		pieces += item.Quantity
	}
	w.left = make([]int64, 0, pieces)
	for _, item := range in.Items {
		w.add(item, false)
	}
	for _, d := range in.Deliveries {
		w.ships = append(w.ships, Shipped{Delivery: d})
	}
	return w
}

// add lays a line's units down at the best price that holds for them.
func (w *work) add(item Item, gift bool) int {
	line := Line{Item: item, ListPrice: item.UnitPrice, Gift: gift, Times: 1}
	for _, b := range item.Breaks {
		if item.Quantity >= b.From && (!b.Members || w.in.Shopper.Member) &&
			(b.Tier == "" || strings.EqualFold(b.Tier, w.in.Shopper.Tier)) &&
			(b.Segment == 0 || slices.Contains(w.in.Shopper.Segments, b.Segment)) {
			line.UnitPrice = min(line.UnitPrice, b.Amount)
		}
	}
	line.Amount = line.UnitPrice * int64(item.Quantity)
	w.lines, w.first = append(w.lines, line), append(w.first, len(w.left))
	for range item.Quantity {
		w.left = append(w.left, line.UnitPrice)
	}
	return len(w.lines) - 1
}

// sum adds tax, line by line, and everything together.
func (w *work) sum() Quote {
	q := &w.q
	for i := range w.lines {
		line := &w.lines[i]
		left := w.left[w.first[i] : w.first[i]+line.Quantity]
		paid := int64(0)
		for _, l := range left {
			paid += l
		}
		line.Discount = line.Amount - paid
		line.Tax = w.tax(line.Rate, paid)
		line.Units = make([]Unit, len(left))
		for k, share := range money.Split(line.Tax, left) {
			line.Units[k] = Unit{Paid: left[k], Tax: share, Discount: line.UnitPrice - left[k]}
			if !q.TaxIncluded {
				line.Units[k].Paid += share
			}
		}
		q.Sum, q.Discount = q.Sum+line.Amount, q.Discount+line.Discount
		q.addTax(line.Rate, paid, line.Tax)
	}
	for i := range w.ships {
		s := &w.ships[i]
		charge := s.Charge - s.Discount
		s.Tax = w.tax(s.Rate, charge)
		s.Paid = charge
		if !q.TaxIncluded {
			s.Paid += s.Tax
		}
		q.Shipping += charge
		q.addTax(s.Rate, charge, s.Tax)
	}
	q.Lines, q.Deliveries = w.lines, w.ships
	q.Total = q.Sum - q.Discount + q.Shipping
	if !q.TaxIncluded {
		q.Total += q.Tax
	}
	return *q
}

func (w *work) tax(rate tax.Rate, amount int64) int64 {
	if w.in.Place.TaxIncluded {
		return rate.Contained(amount)
	}
	return rate.OnTop(amount)
}

func (q *Quote) addTax(rate tax.Rate, amount, taxed int64) {
	q.Tax += taxed
	if amount == 0 && taxed == 0 {
		return
	}
	if q.TaxIncluded {
		amount -= taxed
	}
	for i := range q.Taxes {
		if q.Taxes[i].Name == rate.Name && q.Taxes[i].PPM == rate.PPM {
			q.Taxes[i].Net += amount
			q.Taxes[i].Amount += taxed
			return
		}
	}
	q.Taxes = append(q.Taxes, TaxLine{rate.Name, rate.PPM, amount, taxed})
}

// PayableByPoints is what points can pay of a quote: the goods, but neither gift cards nor delivery.
func (q *Quote) PayableByPoints() (payable int64) {
	for _, line := range q.Lines {
		if !line.LikeMoney {
			for _, unit := range line.Units {
				payable += unit.Paid
			}
		}
	}
	return payable
}

// AllocatePoints says for every unit what of it is paid by points, in minor units, and how many points it earns: the rate for
// each whole unit of the currency that is paid otherwise, rounded down once for the quote. ByPoints must not be more
// than PayableByPoints.
func (q *Quote) AllocatePoints(byPoints int64, rate int) (paid, earned [][]int64) {
	var weights []int64
	for _, line := range q.Lines {
		for _, unit := range line.Units {
			weight := unit.Paid
			if line.LikeMoney {
				weight = 0
			}
			weights = append(weights, weight)
		}
	}
	parts := money.Split(byPoints, weights)
	rest, i := int64(0), 0
	for _, line := range q.Lines {
		for range line.Units {
			weights[i] = (weights[i] - parts[i]) * int64(line.Times)
			rest += weights[i]
			i++
		}
	}
	one := int64(1)
	for range money.Exponent(q.Currency) {
		one *= 10
	}
	// One order earns no more than its columns hold.
	points := money.Split(min(rest/one*int64(rate)+rest%one*int64(rate)/one, math.MaxInt32), weights)
	for _, line := range q.Lines {
		n := len(line.Units)
		paid, earned = append(paid, parts[:n:n]), append(earned, points[:n:n])
		parts, points = parts[n:], points[n:]
	}
	return paid, earned
}
