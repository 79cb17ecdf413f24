package part

import (
	"context"
	"slices"
	"strings"
	"time"

	"counterpart/internal/domain/location"
	"counterpart/internal/domain/quote"
	"counterpart/internal/platform/money"
	"counterpart/internal/platform/text"
	"counterpart/internal/query/shop"
)

// Day is “today”, “tomorrow” or the weekday and date, as a store's clock has it.
func Day(ctx context.Context, t, now time.Time) string {
	now = now.In(t.Location())
	days := int(midnight(t).Sub(midnight(now)).Round(24*time.Hour).Hours() / 24)
	switch days {
	case 0:
		return text.T(ctx, "today")
	case 1:
		return text.T(ctx, "tomorrow")
	case -1:
		return text.T(ctx, "yesterday")
	}
	return text.Say(ctx, text.Day(t))
}

func midnight(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
}

// Promise is “ready today from 14:10”.
func Promise(ctx context.Context, readyBy, now time.Time) string {
	return text.T(ctx, "ready {day} from {time}", text.Args{"day": Day(ctx, readyBy, now),
		"time": text.Clock(readyBy)})
}

// Open is “open until 18:00”, “opens tomorrow at 09:00”.
func Open(ctx context.Context, l *location.Location, now time.Time) string {
	open, changes := l.OpenNow(now)
	switch {
	case changes.IsZero():
		return text.T(ctx, "closed")
	case open:
		return text.T(ctx, "open until {time}", text.Args{"time": text.Clock(changes)})
	}
	return text.T(ctx, "opens {day} at {time}", text.Args{"day": Day(ctx, changes, now),
		"time": text.Clock(changes)})
}

// Distance is how far, as a country measures it.
func Distance(ctx context.Context, kilometres float64, country string) string {
	return text.Say(ctx, text.Distance{Kilometres: kilometres, Country: country})
}

// Clock is a promise as a queue shows it: “in 12 min”, “8 min late”.
func Clock(ctx context.Context, promise, now time.Time) (words string, late bool) {
	left := promise.Sub(now).Round(time.Minute)
	if left < 0 {
		return text.T(ctx, "{time} late", text.Args{"time": span(ctx, -left)}), true
	}
	return text.T(ctx, "in {time}", text.Args{"time": span(ctx, left)}), false
}

func span(ctx context.Context, d time.Duration) string {
	switch {
	case d < time.Hour:
		return text.T(ctx, "{n} min", text.Args{"n": int(d.Minutes())})
	case d < 48*time.Hour:
		return text.T(ctx, "{n} h", text.Args{"n": int(d.Hours() + 0.5)})
	}
	return text.T(ctx, "{n} days", text.Args{"n": int(d.Hours()/24 + 0.5)})
}

// Days is when something arrives: one day, or from one to another.
func Days(ctx context.Context, from, by, now time.Time) string {
	// A date has no zone; it is read as the one that the clock is in.
	now = time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, from.Location())
	if from.Equal(by) {
		return Day(ctx, from, now)
	}
	return text.T(ctx, "{from} to {by}", text.Args{"from": Day(ctx, from, now), "by": Day(ctx, by, now)})
}

// Free is an amount, or that there is none.
func Free(ctx context.Context, m money.Money) string {
	if m.Minor == 0 {
		return text.T(ctx, "Free")
	}
	return m.In(text.Language(ctx))
}

// Named is a promotion's title with the code that opened it.
func Named(title, code string) string {
	if code == "" {
		return title
	}
	return title + " (" + code + ")"
}

// TenderDetail is a way of paying with what tells it from another.
func TenderDetail(ctx context.Context, t shop.Tender) string {
	switch {
	case t.Ends != "":
		return text.T(ctx, "Gift card {ends}", text.Args{"ends": t.Ends})
	case t.Points > 0:
		return text.N(ctx, int(t.Points), "{n} point", "{n} points")
	}
	return TenderName(ctx, t.Kind)
}

// pending is 1 where a tender was promised and not taken yet.
func pending(t shop.Tender) int64 {
	if t.Captured == 0 {
		return 1
	}
	return 0
}

// unneeded is what of an authorised tender will not be taken, because units were cancelled since: cards are charged last,
// and the last of them least.
func unneeded(o *shop.Order, of shop.Tender) int64 {
	left := o.Total - o.Missing()
	for _, t := range o.Tenders {
		left -= t.Captured + t.Authorised*pending(t)
	}
	for _, t := range slices.Backward(o.Tenders) {
		part := min(max(-left, 0), t.Authorised*pending(t))
		if t == of {
			return part
		}
		left += part
	}
	return 0
}

// named leaves out what has no rate: a gift card is no supply, and some places have no tax.
func named(taxes []quote.TaxLine) (all []quote.TaxLine) {
	for _, t := range taxes {
		if t.Name != "" {
			all = append(all, t)
		}
	}
	return all
}

// givenUp is what became of a tender of an order that was called off before anything was taken.
func givenUp(ctx context.Context, o *shop.Order, t shop.Tender) string {
	args := text.Args{"amount": o.Money(t.Authorised)}
	switch t.Kind {
	case "gift_card":
		return text.T(ctx, "{amount} back on the gift card", args)
	case "credit", "points":
		return text.T(ctx, "{amount} back in your account", args)
	}
	return text.T(ctx, "{amount} not charged", args)
}

// offerWhy says why a unit costs less than the price list says.
func offerWhy(ctx context.Context, o shop.Offer) string {
	why := o.Why
	if o.Member {
		why = append([]string{text.T(ctx, "Members’ price")}, why...)
	}
	if o.Own {
		why = append([]string{text.T(ctx, "Your price")}, why...)
	}
	return strings.Join(why, " · ")
}
