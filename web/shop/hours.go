package shop

import (
	"context"
	"fmt"
	"time"

	"counterpart/internal/location"
	"counterpart/internal/text"
)

func weekdayName(weekday int) string { return time.Weekday(weekday % 7).String() }

func hoursOf(ctx context.Context, l *location.Location, weekday int) string {
	for _, h := range l.Hours {
		if h.Weekday == weekday {
			return fmt.Sprintf("%02d:%02d – %02d:%02d", h.Opens/60, h.Opens%60, h.Closes/60, h.Closes%60)
		}
	}
	return text.T(ctx, "closed")
}

func preparationOf(ctx context.Context, l *location.Location, weekday int) string {
	for _, h := range l.Hours {
		switch {
		case h.Weekday != weekday || !l.Pickup:
		case h.Preparation >= 24*60:
			return text.N(ctx, h.Preparation/60/24, "ready in {n} day", "ready in {n} days")
		case h.Preparation%60 == 0:
			return text.N(ctx, h.Preparation/60, "ready in {n} hour", "ready in {n} hours")
		default:
			return text.N(ctx, h.Preparation, "ready in {n} minute", "ready in {n} minutes")
		}
	}
	return ""
}
