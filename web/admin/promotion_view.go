package admin

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"counterpart/internal/domain/quote"
	"counterpart/internal/platform/money"
	"counterpart/internal/platform/text"
	"counterpart/web/ui"
)

func (v promotionView) address(rest string) string {
	if v.ID == 0 {
		return "/admin/promotions"
	}
	return fmt.Sprintf("/admin/promotions/%d%s", v.ID, rest)
}

// text is what stands in a field of the form: what was typed, else what the promotion says.
func (v promotionView) text(name string) string {
	if v.Typed != nil {
		if typed := v.Typed[name]; len(typed) > 0 {
			return typed[0]
		}
		return ""
	}
	r, e := &v.Rule, &v.Rule.Effect
	amount := func(minor int64) string {
		if minor == 0 {
			return ""
		}
		return money.New(minor, r.Currency).Plain()
	}
	number := func(n int) string {
		if n == 0 {
			return ""
		}
		return fmt.Sprint(n)
	}
	limit := func(n *int) string {
		if n == nil {
			return ""
		}
		return fmt.Sprint(*n)
	}
	when := func(t *time.Time) string {
		if t == nil {
			return ""
		}
		return t.In(v.clock()).Format(text.LocalTime)
	}
	hour := func(minute int) string {
		if minute == 0 {
			return ""
		}
		return text.Minute(minute).Plain()
	}
	switch name {
	case "title":
		return v.Title
	case "kind":
		return e.Kind
	case "percent":
		return strings.TrimSuffix(strings.TrimSuffix(amountOfPercent(e.Percent), "0"), ".0")
	case "amount":
		return amount(e.Amount)
	case "currency":
		return r.Currency
	case "buy":
		return number(e.Buy)
	case "get":
		return number(e.Get)
	case "pieces":
		return number(e.Pieces)
	case "times":
		return number(e.Times)
	case "steps":
		return v.steps()
	case "gift":
		return v.Names.Gift
	case "products":
		return strings.Join(namesOf(r.Products, v.Names.Products), ", ")
	case "tags":
		return strings.Join(r.Tags, ", ")
	case "segments":
		return strings.Join(r.Segments, ", ")
	case "tiers":
		return strings.Join(r.Tiers, ", ")
	case "quantity":
		return number(r.Quantity)
	case "subtotal":
		return amount(r.Subtotal)
	case "starts":
		return when(v.StartsAt)
	case "ends":
		return when(v.EndsAt)
	case "from":
		return hour(r.From)
	case "until":
		return hour(r.Until)
	case "max_uses":
		return limit(v.MaxUses)
	case "max_per_customer":
		return limit(v.MaxPerCustomer)
	case "max_per_day":
		return limit(v.MaxPerDay)
	case "priority":
		return number(v.Priority)
	case "exclusion":
		return v.Exclusion
	case "budget":
		if v.Budget != nil {
			return amount(*v.Budget)
		}
	}
	return ""
}

func amountOfPercent(hundredths int64) string {
	if hundredths == 0 {
		return ""
	}
	return fmt.Sprintf("%d.%02d", hundredths/100, hundredths%100)
}

func namesOf(ids []int64, names map[int64]string) (all []string) {
	for _, id := range ids {
		all = append(all, names[id])
	}
	return all
}

func (v promotionView) steps() string {
	var all []string
	for _, s := range v.Rule.Effect.Steps {
		off := money.New(s.Amount, v.Rule.Currency).Plain()
		if s.Percent > 0 {
			off = amountOfPercent(s.Percent) + "%"
		}
		all = append(all, money.New(s.From, v.Rule.Currency).Plain()+" = "+off)
	}
	return strings.Join(all, "; ")
}

// has says whether a box is ticked.
func (v promotionView) has(name, value string) bool {
	if v.Typed != nil {
		return slices.Contains(v.Typed[name], value)
	}
	switch name {
	case "category":
		return slices.Contains(namesOf(v.Rule.Categories, v.Names.Categories), value)
	case "location":
		return slices.ContainsFunc(v.Rule.Locations, func(id int64) bool { return fmt.Sprint(id) == value })
	case "in_segment":
		return slices.ContainsFunc(v.Rule.InSegments, func(id int64) bool { return fmt.Sprint(id) == value })
	case "method":
		return slices.Contains(v.Rule.Methods, value)
	case "weekday":
		return slices.ContainsFunc(v.Rule.Weekdays, func(day int) bool { return fmt.Sprint(day) == value })
	case "combines":
		return slices.Contains(v.Combines, quote.Level(value))
	case "first_order":
		return v.Rule.FirstOrder
	case "needs_code":
		return v.NeedsCode
	}
	return false
}

// opens says whether one of these fields holds something, or is wrong: then what hides it is open.
func (v promotionView) opens(names ...string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return v.text(name) != "" || !v.Fields[name].IsZero() })
}

// clock is the first store's.

func (v promotionView) clock() *time.Location {
	for _, s := range v.Stores {
		if s.Kind == "store" {
			first := s
			for _, other := range v.Stores {
				if other.Kind == "store" && other.ID < first.ID {
					first = other
				}
			}
			return first.Zone()
		}
	}
	return time.UTC
}

func kinds(ctx context.Context) []ui.Option {
	return []ui.Option{
		{Value: quote.Percent, Name: text.T(ctx, "Percentage off")}, {Value: quote.Amount,
			Name: text.T(ctx, "Amount off")}, {Value: quote.FixedPrice, Name: text.T(ctx, "Fixed price each")},
		{Value: quote.BuyGet, Name: text.T(ctx, "Buy some, get some at a discount")}, {Value: quote.CheapestFree,
			Name: text.T(ctx, "Cheapest free")},
		{Value: quote.Bundle, Name: text.T(ctx, "Set price for several")}, {Value: quote.TieredSpend,
			Name: text.T(ctx, "Spend more, save more")},
		{Value: quote.CheaperDelivery, Name: text.T(ctx, "Percentage off delivery")}, {Value: quote.Gift,
			Name: text.T(ctx, "Free gift")}, {Value: quote.Points, Name: text.T(ctx, "Extra points")},
	}
}

func currencies(ctx context.Context, all []string) []ui.Option {
	var options []ui.Option
	if len(all) != 1 {
		options = append(options, ui.Option{Name: text.T(ctx, "No currency")})
	}
	for _, c := range all {
		options = append(options, ui.Option{Value: c, Name: c})
	}
	return options
}

func weekday(ctx context.Context, day int) string {
	return text.T(ctx, time.Weekday(day%7).String())
}
