package shop

import (
	"context"
	"time"

	"counterpart/internal/text"
	"counterpart/web/part"
)

func (v *orderView) zoned(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.In(v.Store.Zone())
}

func (v *orderView) headline(ctx context.Context) string {
	switch v.Fulfilment.State {
	case "ready":
		return text.T(ctx, "Ready for you at {store}", text.Args{"store": v.Store.Name})
	case "collected":
		return text.T(ctx, "Collected. Enjoy it.")
	case "cancelled":
		return text.T(ctx, "This order is cancelled")
	}
	return text.T(ctx, "Reserved. We are putting it aside.")
}

func (v *orderView) sentence(ctx context.Context) string {
	f := v.Fulfilment
	switch f.State {
	case "ready":
		until := v.zoned(f.HoldUntil)
		return text.T(ctx, "We keep it until {day}, {time}.", text.Args{"day": part.Day(ctx, until, v.Visit.At), "time": until.Format("15:04")})
	case "collected":
		at := v.zoned(f.CollectedAt)
		return text.T(ctx, "Handed over {day} at {time}.", text.Args{"day": part.Day(ctx, at, v.Visit.At), "time": at.Format("15:04")})
	case "cancelled":
		return text.T(ctx, "You pay nothing.")
	}
	by := v.zoned(f.ReadyBy)
	if by.Before(v.Visit.At) {
		return text.T(ctx, "It takes longer than we promised, and we are sorry. We write as soon as it is ready.")
	}
	return text.T(ctx, "Ready {day} by {time}. We write to {email} as soon as it is.", text.Args{"day": part.Day(ctx, by, v.Visit.At), "time": by.Format("15:04"), "email": v.mailOrPhone()})
}

func (v *orderView) mailOrPhone() string {
	if v.Email != "" {
		return v.Email
	}
	return v.Phone
}

type step struct {
	Name, When string
	Done       bool
}

func (v *orderView) steps(ctx context.Context) []step {
	if v.Fulfilment.State == "cancelled" {
		return nil
	}
	when := func(t *time.Time) string {
		at := v.zoned(t)
		if at.IsZero() {
			return ""
		}
		return part.Day(ctx, at, v.Visit.At) + ", " + at.Format("15:04")
	}
	f := v.Fulfilment
	return []step{
		{text.T(ctx, "Reserved"), when(&v.PlacedAt), true},
		{text.T(ctx, "Ready"), when(f.ReadyAt), f.ReadyAt != nil},
		{text.T(ctx, "Collected"), when(f.CollectedAt), f.CollectedAt != nil},
	}
}
