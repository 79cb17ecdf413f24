package shop

import (
	"context"
	"slices"
	"time"

	"counterpart/internal/domain/location"
	"counterpart/internal/platform/text"
)

// weekdayName of 1, Monday, to 7.
func weekdayName(ctx context.Context, weekday int) string {
	monday := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	return text.Say(ctx, text.Weekday(monday.AddDate(0, 0, weekday-1)))
}

// intervals are the times of a day, one after another: 12:00 – 15:00, 17:00 – 21:00.
func intervals(ctx context.Context, open []location.Hours) string {
	if len(open) == 0 {
		return text.T(ctx, "closed")
	}
	var all []string
	for _, h := range open {
		all = append(all, text.T(ctx, "{from} – {to}",
			text.Args{"from": text.Minute(h.Opens), "to": text.Minute(h.Closes)}))
	}
	return text.Say(ctx, text.List(all))
}

func ofWeekday(l *location.Location, weekday int) []location.Hours {
	return slices.DeleteFunc(slices.Clone(l.Hours), func(h location.Hours) bool { return h.Weekday != weekday })
}

func hoursOf(ctx context.Context, l *location.Location, weekday int) string {
	return intervals(ctx, ofWeekday(l, weekday))
}

// upcoming are the special days from today on.
func upcoming(l *location.Location, now time.Time) []location.Special {
	today := now.In(l.Zone()).Format(time.DateOnly)
	return slices.DeleteFunc(slices.Clone([]location.Special(l.Special)),
		func(s location.Special) bool { return s.Day < today })
}

// specialDay is a special day as people write it.
func specialDay(ctx context.Context, s location.Special) string {
	day, err := time.Parse(time.DateOnly, s.Day)
	if err != nil {
		return s.Day
	}
	return text.Say(ctx, text.Day(day))
}

func preparationOf(ctx context.Context, l *location.Location, weekday int) string {
	open := ofWeekday(l, weekday)
	if len(open) == 0 || !l.Pickup {
		return ""
	}
	switch minutes := open[0].Preparation; {
	case minutes >= 24*60:
		return text.N(ctx, minutes/60/24, "ready in {n} day", "ready in {n} days")
	case minutes%60 == 0:
		return text.N(ctx, minutes/60, "ready in {n} hour", "ready in {n} hours")
	default:
		return text.N(ctx, minutes, "ready in {n} minute", "ready in {n} minutes")
	}
}
