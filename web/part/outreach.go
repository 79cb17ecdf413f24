package part

import (
	"context"

	"counterpart/internal/domain/outreach"
	"counterpart/internal/platform/text"
	"counterpart/internal/query/profile"
)

// Outreach is a kind of message in words.
func Outreach(ctx context.Context, kind string) string {
	switch kind {
	case outreach.Back:
		return text.T(ctx, "Back in stock")
	case outreach.Price:
		return text.T(ctx, "Price drop")
	}
	return text.T(ctx, "Message from our staff")
}

// WhySent says why a message went, or why it did not.
func WhySent(ctx context.Context, m profile.Message) string {
	if m.State == "sent" {
		if m.AskedAt != nil {
			return text.T(ctx, "Sent: you asked on {day}.", text.Args{"day": text.Date(*m.AskedAt)})
		}
		return text.T(ctx, "Sent: {associate} wrote it, and you agreed to be written to.", text.Args{"associate": m.Associate})
	}
	return HeldBecause(ctx, m.Reason)
}

// HeldBecause says why a message waits or was not sent.
func HeldBecause(ctx context.Context, reason string) string {
	switch reason {
	case "":
		return text.T(ctx, "On its way.")
	case outreach.NoConsent:
		return text.T(ctx, "Not sent: there’s no consent for it.")
	case outreach.NotTheirs:
		return text.T(ctx, "Not sent: the address isn’t confirmed.")
	case outreach.Gone:
		return text.T(ctx, "Not sent: the account is closed.")
	case outreach.Complaint:
		return text.T(ctx, "Waiting: something is still to be put right.")
	case outreach.Bought:
		return text.T(ctx, "Not sent: bought in the meantime.")
	case outreach.Returned:
		return text.T(ctx, "Not sent: it was returned.")
	case outreach.Quiet:
		return text.T(ctx, "Waiting until morning.")
	case outreach.Often:
		return text.T(ctx, "Waiting: another message was sent lately.")
	}
	if reason == outreach.Failed {
		return text.T(ctx, "Not sent: no mail server or text service took it.")
	}
	return text.T(ctx, "Waiting: sending failed, and is tried again.")
}
