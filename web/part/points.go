package part

import (
	"context"

	"counterpart/internal/domain/loyalty"
	"counterpart/internal/platform/money"
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

// TierProgress says how far the next tier is, until when, and what it brings; empty: there is none to reach.
func TierProgress(ctx context.Context, s *loyalty.Stands) string {
	if s == nil || s.Next == "" {
		return ""
	}
	args := text.Args{"tier": s.Next, "gives": s.NextGives, "gap": s.Gap}
	by := s.GapBy != nil
	if by {
		args["day"] = text.Date(*s.GapBy)
	}
	n := int(s.Gap)
	switch gives := s.NextGives != ""; {
	case s.NextCounts == loyalty.BySpend:
		args["gap"] = money.New(s.Gap, s.Currency)
		switch {
		case by && gives:
			return text.T(ctx, "{gap} to {tier} by {day}: then {gives}", args)
		case by:
			return text.T(ctx, "{gap} to {tier} by {day}", args)
		case gives:
			return text.T(ctx, "{gap} to {tier}: then {gives}", args)
		}
		return text.T(ctx, "{gap} to {tier}", args)
	case s.NextCounts == loyalty.ByVisits:
		switch {
		case by && gives:
			return text.N(ctx, n, "{n} more visit to {tier} by {day}: then {gives}", "{n} more visits to {tier} by {day}: then {gives}", args)
		case by:
			return text.N(ctx, n, "{n} more visit to {tier} by {day}", "{n} more visits to {tier} by {day}", args)
		case gives:
			return text.N(ctx, n, "{n} more visit to {tier}: then {gives}", "{n} more visits to {tier}: then {gives}", args)
		}
		return text.N(ctx, n, "{n} more visit to {tier}", "{n} more visits to {tier}", args)
	case by && gives:
		return text.N(ctx, n, "{n} point to {tier} by {day}: then {gives}", "{n} points to {tier} by {day}: then {gives}", args)
	case by:
		return text.N(ctx, n, "{n} point to {tier} by {day}", "{n} points to {tier} by {day}", args)
	case gives:
		return text.N(ctx, n, "{n} point to {tier}: then {gives}", "{n} points to {tier}: then {gives}", args)
	}
	return text.N(ctx, n, "{n} point to {tier}", "{n} points to {tier}", args)
}

// TierKept says until when a tier is kept; empty: there is none, or it has no end.
func TierKept(ctx context.Context, s *loyalty.Stands) string {
	if s == nil || s.Title == "" || s.KeptUntil == nil {
		return ""
	}
	return text.T(ctx, "until {day}", text.Args{"day": text.Date(*s.KeptUntil)})
}
