package part

import (
	"context"
	"strings"

	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/message"
	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/staff"
	"counterpart/internal/domain/task"
	"counterpart/internal/platform/postal"
	"counterpart/internal/platform/text"
)

// Country is a country's name.
func Country(ctx context.Context, code string) string {
	return text.Say(ctx, text.Country{Code: code, English: postal.Of(code).Name})
}

// OrderStateName is how an order stands.
func OrderStateName(ctx context.Context, state string) string {
	switch state {
	case "placed":
		return text.T(ctx, "Awaiting payment")
	case "cancelled":
		return text.T(ctx, "Cancelled")
	}
	return text.T(ctx, "Confirmed")
}

// PaymentState is how the payment of an order stands.
func PaymentState(ctx context.Context, state string) string {
	switch state {
	case "due":
		return text.T(ctx, "To pay in store")
	case "pending":
		return text.T(ctx, "Awaiting payment")
	case "authorised":
		return text.T(ctx, "Authorised")
	case "void":
		return text.T(ctx, "Not charged")
	}
	return text.T(ctx, "Paid")
}

// FulfilmentState is how a part of an order stands.
func FulfilmentState(ctx context.Context, state string) string {
	switch state {
	case "waiting":
		return text.T(ctx, "Awaiting payment")
	case "to_pick":
		return text.T(ctx, "To pick")
	case "ready":
		return text.T(ctx, "Ready")
	case "undecided":
		return text.T(ctx, "Customer to choose")
	case "collected":
		return text.T(ctx, "Collected")
	case "shipped":
		return text.T(ctx, "Sent")
	case "carried_out":
		return text.T(ctx, "Taken in store")
	}
	return text.T(ctx, "Cancelled")
}

// OrderMail is what a mail about an order said.
func OrderMail(ctx context.Context, kind string) string {
	kind, _, _ = strings.Cut(kind, ":")
	switch kind {
	case message.MailConfirmed:
		return text.T(ctx, "Confirmation")
	case message.MailReady:
		return text.T(ctx, "Ready to collect")
	case message.MailShort:
		return text.T(ctx, "An item wasn’t found")
	case message.MailTakenOff:
		return text.T(ctx, "An item was taken off")
	case message.MailCancelled:
		return text.T(ctx, "Cancellation")
	case message.MailCollected:
		return text.T(ctx, "Collected")
	case message.MailShipped:
		return text.T(ctx, "On its way")
	case message.MailUnpaid:
		return text.T(ctx, "Not paid in time")
	case message.MailPayAgain:
		return text.T(ctx, "Please pay again")
	case message.MailPayLink:
		return text.T(ctx, "Link to pay")
	case message.MailHold:
		return text.T(ctx, "Reminder to collect")
	case message.MailExpired:
		return text.T(ctx, "Not collected in time")
	case message.MailInstead:
		return text.T(ctx, "Changed as the customer chose")
	case message.MailReduced, message.MailRefunded:
		return text.T(ctx, "Refund")
	case message.MailReturned:
		return text.T(ctx, "Return")
	case message.MailChanged:
		return text.T(ctx, "Order changed")
	}
	return kind
}

// The names of what tables hold as a word, each said in one place.

// Difference is how a payment differs from its order.
func Difference(ctx context.Context, kind string) string {
	switch kind {
	case "amount":
		return text.T(ctx, "Amount differs from the order")
	case "captured":
		return text.T(ctx, "Captured amount differs")
	case "refunded":
		return text.T(ctx, "Refund differs, or was refused")
	case "unknown":
		return text.T(ctx, "Unknown payment")
	case "lapsed":
		return text.T(ctx, "Authorisation expired: to be paid again")
	case "lapses":
		return text.T(ctx, "Authorisation expires soon: hand over to capture it")
	case "late":
		return text.T(ctx, "Authorised for an order that was cancelled")
	}
	return kind
}

// Role of somebody on the staff, with what it opens.
func Role(ctx context.Context, role string) string {
	switch role {
	case staff.RoleAssociate:
		return text.T(ctx, "Associate: counter")
	case staff.RoleManager:
		return text.T(ctx, "Store manager: counter, stock, customers, devices")
	case staff.RoleStock:
		return text.T(ctx, "Stock keeper: stock")
	case staff.RoleMarketing:
		return text.T(ctx, "Marketing: customers")
	}
	return text.T(ctx, "Admin: everything")
}

// Movement is why stock changed.
func Movement(ctx context.Context, cause string) string {
	switch cause {
	case "receipt":
		return text.T(ctx, "Received")
	case "sale":
		return text.T(ctx, "Sold")
	case "return":
		return text.T(ctx, "Returned")
	case "count":
		return text.T(ctx, "Corrected")
	case "transfer":
		return text.T(ctx, "Transferred")
	case "damage":
		return text.T(ctx, "Damaged")
	case "condition":
		return text.T(ctx, "Condition changed")
	case "write_off":
		return text.T(ctx, "Written off")
	}
	return cause
}

// Identity is a kind of contact or proof.
func Identity(ctx context.Context, kind string) string {
	switch kind {
	case customer.Email:
		return text.T(ctx, "Email")
	case customer.Phone:
		return text.T(ctx, "Phone")
	case customer.Card:
		return text.T(ctx, "Card")
	case customer.Passkey:
		return text.T(ctx, "Passkey")
	}
	return text.T(ctx, "Other")
}

// Proof is how a merge was confirmed.
func Proof(ctx context.Context, proof string) string {
	switch proof {
	case customer.ByCode:
		return text.T(ctx, "confirmed by code")
	case customer.ByManager:
		return text.T(ctx, "approved by a manager")
	}
	return text.T(ctx, "verified by the customer")
}

// Task is what is to be done in a store.
func Task(ctx context.Context, kind string) string {
	if kind == task.Restock {
		return text.T(ctx, "Put back on the shelf")
	}
	return text.T(ctx, "Count this shelf")
}

// Note is the kind of a note about a customer.
func Note(ctx context.Context, kind string) string {
	switch kind {
	case "visit":
		return text.T(ctx, "Visit")
	case "call":
		return text.T(ctx, "Call")
	case "alert":
		return text.T(ctx, "Alert")
	}
	return text.T(ctx, "Note")
}

// ReturnReason is why something came back.
func ReturnReason(ctx context.Context, reason string) string {
	switch reason {
	case "changed_mind":
		return text.T(ctx, "Changed their mind")
	case "too_small":
		return text.T(ctx, "Too small")
	case "too_large":
		return text.T(ctx, "Too large")
	case "not_as_described":
		return text.T(ctx, "Not as described")
	case "damaged":
		return text.T(ctx, "Arrived damaged")
	case "faulty":
		return text.T(ctx, "Faulty")
	case "late":
		return text.T(ctx, "Arrived too late")
	case "other":
		return text.T(ctx, "Other")
	}
	return text.T(ctx, "Not given")
}

// Condition of what came back.
func Condition(ctx context.Context, grade string) string {
	switch grade {
	case "sellable":
		return text.T(ctx, "As new")
	case "on_hold":
		return text.T(ctx, "To be inspected")
	}
	return text.T(ctx, "Damaged")
}

// RefundTo is where a refund goes.
func RefundTo(ctx context.Context, how string) string {
	switch how {
	case "card":
		return text.T(ctx, "to their card")
	case "pay_later":
		return text.T(ctx, "off their pay-later balance")
	case "gift_card":
		return text.T(ctx, "to the gift card")
	case "credit":
		return text.T(ctx, "as store credit")
	case "points":
		return text.T(ctx, "as points")
	case "cash":
		return text.T(ctx, "in cash, from the till")
	case "terminal":
		return text.T(ctx, "by card terminal")
	}
	return text.T(ctx, "towards the exchange")
}

// TenderName is what a way of paying is called.
func TenderName(ctx context.Context, kind string) string {
	switch kind {
	case "cash":
		return text.T(ctx, "Paid in cash")
	case "terminal":
		return text.T(ctx, "Paid by card at the counter")
	case "card":
		return text.T(ctx, "Card")
	case "pay_later":
		return text.T(ctx, "Pay later")
	case "gift_card":
		return text.T(ctx, "Gift card")
	case "credit":
		return text.T(ctx, "Store credit")
	case "points":
		return text.T(ctx, "Points")
	case "exchange":
		return text.T(ctx, "Paid by exchange")
	}
	return text.T(ctx, "Pay on collection")
}

// Channel is how something came about, in words.
func Channel(ctx context.Context, channel origin.Channel) string {
	switch channel {
	case origin.Web:
		return text.T(ctx, "Online")
	case origin.Counter:
		return text.T(ctx, "At the counter")
	case origin.Phone:
		return text.T(ctx, "By phone")
	case origin.Kiosk:
		return text.T(ctx, "At a kiosk in store")
	case origin.Scan:
		return text.T(ctx, "Scan and go")
	case origin.Chat:
		return text.T(ctx, "In a chat")
	case origin.API:
		return text.T(ctx, "Automatically")
	}
	return string(channel)
}

// Method is how something reaches a person, in words.
func Method(ctx context.Context, method string) string {
	switch method {
	case "ship":
		return text.S(ctx, "way", "Delivered")
	case "mail":
		return text.T(ctx, "By email")
	case "carry_out":
		return text.T(ctx, "Taken in store")
	}
	return text.S(ctx, "way", "Collected")
}

// DocumentName of a series.
func DocumentName(ctx context.Context, series string) string {
	if series == "credit_note" {
		return text.T(ctx, "Credit note")
	}
	return text.T(ctx, "Invoice")
}

// ContentUnit is the unit in which a price per unit is told.
func ContentUnit(ctx context.Context, unit string) string {
	switch unit {
	case "kg":
		return text.T(ctx, "kg")
	case "l":
		return text.T(ctx, "litre")
	case "m":
		return text.T(ctx, "metre")
	case "m2":
		return text.T(ctx, "m²")
	}
	return text.T(ctx, "item")
}
