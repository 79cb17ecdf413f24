package part

import (
	"context"
	"strings"
	"time"

	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/outreach"
	"counterpart/internal/platform/text"
	"counterpart/internal/query/profile"
)

// Happened is a fact in words.
func Happened(ctx context.Context, f profile.Fact) string {
	args := text.Args{"n": f.Quantity, "number": f.Number, "what": What(ctx, f.Detail)}
	switch f.Kind {
	case customer.Added:
		return text.N(ctx, f.Quantity, "Added to cart:", "{n} added to cart:")
	case customer.Bought:
		return text.T(ctx, "Order {number} placed", args)
	case customer.Collected:
		return text.T(ctx, "Order {number} collected", args)
	case customer.Cancelled:
		if f.Quantity > 0 {
			return text.N(ctx, f.Quantity, "1 unit of order {number} cancelled", "{n} units of order {number} cancelled", args)
		}
		return text.T(ctx, "Order {number} cancelled", args)
	case customer.Contacted:
		switch f.Detail {
		case outreach.Back, outreach.Price, outreach.Personal:
			return text.T(ctx, "Message: {what}", text.Args{"what": Outreach(ctx, f.Detail)})
		}
		if f.Number == 0 {
			return text.T(ctx, "Contacted")
		}
		return text.T(ctx, "Contacted about order {number}", args)
	case customer.Joined:
		return text.T(ctx, "The cart on a device was added to yours")
	case customer.Registered:
		return text.T(ctx, "Account created")
	case customer.SignedIn:
		return text.T(ctx, "Signed in")
	case customer.SignedOut:
		return text.T(ctx, "Signed out")
	case customer.Verified:
		return text.T(ctx, "Confirmed: {what}", args)
	case customer.Removed:
		return text.T(ctx, "Removed: {what}", args)
	case customer.Secured:
		return text.T(ctx, "Changed: {what}", args)
	case customer.Agreed:
		return text.T(ctx, "Agreed: {what}", args)
	case customer.Withdrew:
		return text.T(ctx, "Withdrawn: {what}", args)
	case customer.Wished:
		return text.T(ctx, "Added to list:")
	case customer.Noted:
		return text.T(ctx, "Staff added a note")
	case customer.Opened:
		return text.T(ctx, "Staff viewed the profile")
	case customer.Merged:
		return text.T(ctx, "Two profiles merged")
	case customer.Unmerged:
		return text.T(ctx, "Two profiles separated")
	case customer.Exported:
		return text.T(ctx, "Copy of data requested")
	case customer.Disabled:
		return text.T(ctx, "Account suspended")
	case customer.Enabled:
		return text.T(ctx, "Account reactivated")
	}
	return f.Kind
}

// What is the detail of a fact in words.
func What(ctx context.Context, detail string) string {
	for _, c := range customer.Choices {
		if detail == c.Purpose+" "+c.Medium {
			return text.T(ctx, c.Title)
		}
	}
	switch detail {
	case customer.Email:
		return text.T(ctx, "email address")
	case customer.Phone:
		return text.T(ctx, "phone number")
	case customer.Passkey:
		return text.T(ctx, "passkey")
	case "password":
		return text.T(ctx, "password")
	}
	return detail
}

// where is through which channel, at which store and by whom something happened.
func where(ctx context.Context, f profile.Fact) string {
	parts := []string{Channel(ctx, f.Channel)}
	if f.Kind == customer.Opened && f.Store == "" {
		parts[0] = text.T(ctx, "Head office")
	}
	if f.Store != "" {
		parts = append(parts, f.Store)
	}
	if f.Associate != "" {
		parts = append(parts, f.Associate)
	}
	return strings.Join(parts, " · ")
}

func sameDay(a, b time.Time, zone *time.Location) bool {
	return a.In(zone).Format(time.DateOnly) == b.In(zone).Format(time.DateOnly)
}
