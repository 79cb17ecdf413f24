package part

import (
	"context"

	"counterpart/internal/domain/loyalty"
	"counterpart/internal/platform/text"
)

// PointsEnd says how many of somebody's points end first, and on what day they can be spent last; empty: none do.
func PointsEnd(ctx context.Context, b loyalty.Balance) string {
	if b.EndsOn == nil || b.Ending == 0 {
		return ""
	}
	return text.N(ctx, int(b.Ending), "{n} point expires after {day}", "{n} points expire after {day}",
		text.Args{"day": text.Date(*b.EndsOn)})
}

// PointsCause says what a line of a statement is about.
func PointsCause(ctx context.Context, cause string) string {
	switch cause {
	case "earned":
		return text.T(ctx, "Earned with order")
	case "spent":
		return text.T(ctx, "Spent on order")
	case "restored":
		return text.T(ctx, "Returned from order")
	case "taken_back":
		return text.T(ctx, "Taken back for a return of order")
	case "given", "adjusted":
		return text.T(ctx, "Changed by our staff")
	case "expired":
		return text.T(ctx, "Expired")
	case "revived":
		return text.T(ctx, "Brought back")
	case "debt":
		return text.T(ctx, "Paid for points spent before, with order")
	}
	return cause
}
