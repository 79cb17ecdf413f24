package quote

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"counterpart/internal/platform/money"
	"counterpart/internal/platform/text"
)

// Level is when a promotion has its turn. A later one sees what the earlier ones left.
type Level string

const (
	LineLevel     Level = "line"
	OrderLevel    Level = "order"
	ShippingLevel Level = "shipping"
)

var levels = []Level{LineLevel, OrderLevel, ShippingLevel}

// Promotion is a rule of the shop: to whom and when it applies, and what it does.
type Promotion struct {
	ID        int64
	Title     string // as the shopper reads it
	Priority  int    // the higher one has its turn first
	Group     string // of those with the same, the first that applies is the only one
	With      []Level
	Starts    time.Time // zero: always
	Ends      time.Time // zero: never
	NeedsCode bool
	Code      string // as it was typed, where one opened it
	CouponID  int64
	Barred    text.Message // why it is out of reach for this shopper whatever is in the cart: used up, withdrawn
	Budget    int64        // what it may still give away, in minor units; below zero: no end
	Rule
}

// Rule is the part of a promotion that an admin writes as a sentence. Amounts are minor units of Currency.
type Rule struct {
	Currency   string   `json:"currency,omitempty"` // of its amounts; none: it has none and holds in every currency
	Products   []int64  `json:"products,omitempty"`
	Categories []int64  `json:"categories,omitempty"`
	Tags       []string `json:"tags,omitempty"`
	Quantity   int      `json:"quantity,omitempty"`    // at least so many of the chosen goods
	Subtotal   int64    `json:"subtotal,omitempty"`    // of the chosen goods, at least
	Segments   []string `json:"segments,omitempty"`    // tags of the customer, one of them
	InSegments []int64  `json:"in_segments,omitempty"` // one of which the customer is in
	Tiers      []string `json:"tiers,omitempty"`
	FirstOrder bool     `json:"first_order,omitempty"`
	Locations  []int64  `json:"locations,omitempty"`
	Methods    []string `json:"methods,omitempty"`
	Weekdays   []int    `json:"weekdays,omitempty"` // Monday is 1
	From       int      `json:"from,omitempty"`     // minutes after midnight
	Until      int      `json:"until,omitempty"`    // 0: to the end of the day
	Effect     Effect   `json:"effect"`
}

// Kinds of effect.
const (
	Percent      = "percent"       // off the chosen goods, or off everything
	Amount       = "amount"        // off in total
	FixedPrice   = "fixed_price"   // each of the chosen goods costs so much
	BuyGet       = "buy_get"       // of every Buy + Get units the cheapest Get are Percent off
	CheapestFree = "cheapest_free" // the cheapest of the chosen goods
	// Pieces of the chosen goods together, or one of each product where Pieces is 0, for Amount
	Bundle          = "bundle"
	TieredSpend     = "tiered_spend" // the more, the more
	CheaperDelivery = "delivery"     // Percent off the delivery; 100 is free
	Gift            = "gift"         // one of a variant for nothing
	Points          = "points"       // points times so many
)

// Kinds are all of them. What a new one needs is listed in docs/howto.md.
var Kinds = []string{Percent, Amount, FixedPrice, BuyGet, CheapestFree, Bundle, TieredSpend, CheaperDelivery, Gift,
	Points}

// Effect is what a promotion does. Percent is in hundredths of a percent: 12.5 % is 1250.
type Effect struct {
	Kind    string `json:"kind"`
	Percent int64  `json:"percent,omitempty"`
	Amount  int64  `json:"amount,omitempty"`
	Buy     int    `json:"buy,omitempty"`
	Get     int    `json:"get,omitempty"`
	Pieces  int    `json:"pieces,omitempty"`
	Steps   []Step `json:"steps,omitempty"`
	Variant int64  `json:"variant,omitempty"`
	Times   int    `json:"times,omitempty"`
}

// Step of a tiered spend: from an amount on, a percentage or an amount is taken off.
type Step struct {
	From    int64 `json:"from"`
	Percent int64 `json:"percent,omitempty"`
	Amount  int64 `json:"amount,omitempty"`
}

const whole = 10_000 // 100 % in hundredths of a percent

// Level of a promotion follows from what it does to what.
func (p *Promotion) Level() Level {
	switch p.Effect.Kind {
	case Percent, Amount:
		if !p.selects() {
			return OrderLevel
		}
	case TieredSpend, Points:
		return OrderLevel
	case CheaperDelivery:
		return ShippingLevel
	}
	return LineLevel
}

func (r *Rule) selects() bool { return len(r.Products)+len(r.Categories)+len(r.Tags) > 0 }

// Everything says whether a rule takes money off whatever is in the shop: it names no goods.
func (r *Rule) Everything() bool {
	off := slices.Contains([]string{Percent, Amount, BuyGet, CheapestFree, TieredSpend}, r.Effect.Kind)
	return off && !r.selects()
}

// inOrder is the one order in which promotions have their turns.
func inOrder(all []Promotion) []*Promotion {
	sorted := make([]*Promotion, len(all))
	for i := range all {
		sorted[i] = &all[i]
	}
	slices.SortFunc(sorted, func(a, b *Promotion) int {
		return cmp.Or(cmp.Compare(slices.Index(levels, a.Level()), slices.Index(levels, b.Level())),
			cmp.Compare(b.Priority, a.Priority),
			cmp.Compare(a.ID, b.ID), cmp.Compare(a.Code, b.Code))
	})
	return sorted
}

// try lets one promotion have its turn, and writes down what came of it.
func (w *work) try(p *Promotion) {
	if level := p.Level(); level != w.level {
		w.level, w.before = level, slices.Clone(w.left)
	}
	if why := w.closed(p); !why.IsZero() {
		w.miss(p, why, false)
		return
	}
	pieces := w.chosen(p)
	if why, near := w.short(p, pieces); !why.IsZero() {
		w.miss(p, why, near)
		return
	}
	for _, d := range w.q.Discounts {
		if p.ID == d.Promotion.ID {
			w.miss(p, text.M("Already discounted with {code}",
				text.Args{"code": cmp.Or(d.Promotion.Code, d.Promotion.Title)}), false)
			return
		}
		if !Together(p, d.Promotion) {
			w.miss(p, text.M("Can’t be combined with {other}",
				text.Args{"other": cmp.Or(d.Promotion.Code, d.Promotion.Title)}), false)
			return
		}
	}
	w.apply(p, pieces)
}

// Together says whether two promotions can apply to one cart: they are of different groups, and each goes with the
// other's level.
func Together(a, b *Promotion) bool {
	if a.Group != "" && a.Group == b.Group {
		return false
	}
	return slices.Contains(a.With, b.Level()) && slices.Contains(b.With, a.Level())
}

func (w *work) miss(p *Promotion, why text.Message, near bool) {
	w.q.Missed = append(w.q.Missed, Miss{p, why, near})
}

// closed says why a promotion is not open to this shopper, here and now, whatever is in the cart.
func (w *work) closed(p *Promotion) text.Message {
	now := w.in.Now.In(w.in.Place.Zone)
	minute, day := now.Hour()*60+now.Minute(), now
	closed := minute < p.From || p.Until > 0 && minute >= p.Until
	if p.Until > 0 && p.Until < p.From {
		// It goes past midnight: what is left of it in the morning belongs to the day before.
		closed = minute < p.From && minute >= p.Until
		if minute < p.Until {
			day = now.AddDate(0, 0, -1)
		}
	}
	switch {
	case !p.Barred.IsZero():
		return p.Barred
	case !p.Starts.IsZero() && now.Before(p.Starts):
		return text.M("Starts {day}", text.Args{"day": w.day(p.Starts)})
	case !p.Ends.IsZero() && !now.Before(p.Ends):
		return text.M("Ended {day}", text.Args{"day": w.day(p.Ends)})
	case p.NeedsCode && p.Code == "":
		return text.M("Needs a code")
	case p.Currency != "" && p.Currency != w.in.Place.Currency:
		return text.M("Only in stores with prices in {currency}", text.Args{"currency": p.Currency})
	case len(p.Tiers) > 0 && !slices.ContainsFunc(p.Tiers, func(t string) bool {
		return strings.EqualFold(t,
			w.in.Shopper.Tier)
	}):
		return text.M("Only for {tiers} members", text.Args{"tiers": list(p.Tiers)})
	case len(p.Segments) > 0 && !slices.ContainsFunc(p.Segments,
		func(s string) bool { return slices.Contains(w.in.Shopper.Tags, strings.ToLower(s)) }):
		return text.M("Only for selected customers")
	case len(p.InSegments) > 0 && !slices.ContainsFunc(p.InSegments,
		func(id int64) bool { return slices.Contains(w.in.Shopper.Segments, id) }):
		return text.M("Only for selected customers")
	case p.FirstOrder && w.in.Shopper.Returned:
		return text.M("First order only")
	case len(p.Weekdays) > 0 && !slices.Contains(p.Weekdays, isoWeekday(day)):
		return text.M("Only on {days}", text.Args{"days": days(p.Weekdays)})
	case closed:
		return text.M("Only from {from} to {until}", text.Args{"from": text.Minute(p.From),
			"until": text.Minute(cmp.Or(p.Until, 24*60))})
	}
	return text.Message{}
}

// chosen are the units that a promotion is about, where something is still to be paid for them.
func (w *work) chosen(p *Promotion) (pieces []int) {
	for i := range w.lines {
		line := &w.lines[i]
		if line.Gift || line.LikeMoney || line.Settled || !p.about(&line.Item) {
			continue
		}
		for k := range line.Quantity {
			if w.left[w.first[i]+k] > 0 {
				pieces = append(pieces, w.first[i]+k)
			}
		}
	}
	return pieces
}

// About says whether a promotion names goods, and an item is among them.
func (p *Promotion) About(item *Item) bool { return p.selects() && p.about(item) }

func (p *Promotion) about(item *Item) bool {
	if len(p.Locations) > 0 && !slices.Contains(p.Locations, item.LocationID) || len(p.Methods) > 0 &&
		!slices.Contains(p.Methods, item.Method) {
		return false
	}
	return !p.selects() || slices.Contains(p.Products, item.ProductID) ||
		slices.ContainsFunc(p.Categories, func(id int64) bool { return slices.Contains(item.Categories, id) }) ||
		slices.ContainsFunc(p.Tags, func(tag string) bool { return slices.Contains(item.Tags, tag) })
}

// short says what of the chosen goods is missing. Thresholds are measured at what was to be paid when this level began.
func (w *work) short(p *Promotion, pieces []int) (why text.Message, near bool) {
	if len(pieces) == 0 {
		if len(w.lines) > 0 && !p.selects() {
			return text.M("Not available at this store, or for this delivery method"), false
		}
		return text.M("No eligible items in the cart"), false
	}
	need := p.Quantity
	switch p.Effect.Kind {
	case BuyGet:
		need = max(need, p.Effect.Buy+p.Effect.Get)
	case Bundle:
		need = max(need, p.Effect.Pieces)
	}
	if missing := need - len(pieces); missing > 0 {
		return text.M("Add {n} more", text.Args{"n": missing}), true
	}
	if p.Effect.Kind == Bundle && p.Effect.Pieces == 0 && len(w.sets(p, pieces)) == 0 {
		return text.M("Add the rest of the set"), true
	}
	total := int64(0)
	for _, piece := range pieces {
		total += w.before[piece]
	}
	floor := p.Subtotal
	if p.Effect.Kind == TieredSpend && len(p.Effect.Steps) > 0 {
		floor = max(floor, p.Effect.Steps[0].From)
	}
	if total < floor {
		return text.M("Spend {amount} more", text.Args{"amount": money.New(floor-total, w.in.Place.Currency)}), true
	}
	return text.Message{}, false
}

func isoWeekday(t time.Time) int {
	if t.Weekday() == time.Sunday {
		return 7
	}
	return int(t.Weekday())
}
