package message

import (
	"fmt"
	"strings"
	"time"

	"counterpart/internal/money"
	"counterpart/internal/text"
)

// About is an order as its mails speak of it. Times are in the store's zone already.
type About struct {
	Language   string
	Shop       string
	Number     int64
	Name       string
	Link       string
	Code       string
	Store      string
	Street     string
	Town       string
	ReadyBy    time.Time
	HoldUntil  time.Time
	Lines      []string
	Missing    string // what could not be found, for MailShort
	Total      money.Money
	Due        money.Money
	StillOpens bool // something of the order is left
	Parts      []AboutPart
	Paid       bool         // it is paid, or a gateway has promised it
	Promised   bool         // a gateway has promised it: nothing is taken yet
	Delivery   *money.Money // its charge, where something is sent
	Carrier    string       // for MailShipped
	Tracking   string
	Arrives    string      // the days, for MailShipped
	Refund     money.Money // for MailRefunded and MailReturned
	Points     int64       // for MailReturned: that went back
	Exchanged  bool
}

// AboutPart is one part of an order in a mail: how it is handed over, and what is in it.
type AboutPart struct {
	Method  string
	Store   string
	ReadyBy time.Time
	Arrives string
	Address []string
	Lines   []string
}

// Compose writes the mail of a kind.
func Compose(kind string, a About) (subject, body string) {
	say := func(key string, args ...text.Args) string { return text.M(key, args...).In(a.Language) }
	number := text.Args{"number": a.Number, "store": a.Store, "shop": a.Shop, "missing": a.Missing, "time": When(a.ReadyBy), "until": When(a.HoldUntil), "total": a.Total, "due": a.Due, "code": Grouped(a.Code), "name": a.Name}
	var lines []string
	add := func(all ...string) { lines = append(lines, all...) }
	add(say("Hello {name},", number), "")
	address := fmt.Sprintf("%s\n%s, %s", a.Store, a.Street, a.Town)
	switch kind {
	case MailConfirmed:
		if len(a.Parts) == 1 && a.Parts[0].Method == "pickup" {
			subject = say("Order {number} is reserved at {store}", number)
			add(say("we have put these aside for you. They will be ready by {time}; we write again as soon as they are.", number), "")
			add(a.Lines...)
			add("", totalLine(say, a, number), "", address, "", say("Your order: {link}", text.Args{"link": a.Link}))
			break
		}
		subject = say("Order {number} is confirmed", number)
		add(say("thank you for your order.", number), "")
		for _, part := range a.Parts {
			about := text.Args{"store": part.Store, "time": When(part.ReadyBy), "arrives": part.Arrives}
			switch part.Method {
			case "pickup":
				add(say("To collect at {store}, ready by {time}:", about))
			case "ship":
				add(say("To be delivered {arrives}:", about))
				for _, line := range part.Address {
					add("  " + line)
				}
				add("")
			case "mail":
				add(say("By mail, in a moment:", about))
			default:
				add(say("Taken home from {store}:", about))
			}
			add(part.Lines...)
			add("")
		}
		if a.Delivery != nil {
			add(say("Delivery: {charge}", text.Args{"charge": *a.Delivery}))
		}
		add(totalLine(say, a, number), "", say("Your order: {link}", text.Args{"link": a.Link}))
	case MailReady:
		subject = say("Order {number} is ready at {store}", number)
		add(say("your order is ready. Say this code at the counter:", number), "", "    "+Grouped(a.Code), "")
		add(say("We keep it for you until {until}. To pay: {due}.", number), "", address, "", say("Directions, hours and the code to scan: {link}", text.Args{"link": a.Link}))
	case MailShort:
		subject = say("Order {number}: one thing is missing", number)
		add(say("we are sorry: {missing} was not on the shelf at {store} when we went to fetch it. You pay nothing for it.", number), "")
		if a.StillOpens {
			add(say("Everything else in your order stays as it was.", number), "")
		} else {
			add(say("That was the whole order, so there is nothing left to collect.", number), "")
		}
		add(say("Other stores may have it: {link}", text.Args{"link": a.Link}))
	case MailCancelled:
		subject = say("Order {number} is cancelled", number)
		if a.StillOpens {
			add(say("what you were to collect at {store} of order {number} is cancelled. Everything else in your order stays as it was.", number), "", say("Your order: {link}", text.Args{"link": a.Link}))
			subject = say("A part of order {number} is cancelled", number)
		} else if a.Paid {
			add(say("order {number} is cancelled. What you paid goes back the way it came.", number), "", say("Your order: {link}", text.Args{"link": a.Link}))
		} else {
			add(say("order {number} at {store} is cancelled. You pay nothing.", number), "", say("Your order: {link}", text.Args{"link": a.Link}))
		}
	case MailShipped:
		subject = say("Order {number} is on its way", number)
		add(say("your parcel left today, with {carrier}. It arrives {arrives}.", text.Args{"carrier": a.Carrier, "arrives": a.Arrives}), "")
		if a.Tracking != "" {
			add(say("Tracking number: {tracking}", text.Args{"tracking": a.Tracking}), "")
		}
		add(a.Lines...)
		add("", say("Your order: {link}", text.Args{"link": a.Link}))
	case MailUnpaid:
		subject = say("Order {number} was not paid", number)
		add(say("order {number} was not paid in time, or its goods went while you paid. You are charged nothing, and what was in it is in your cart again.", number), "", say("Your order: {link}", text.Args{"link": a.Link}))
	case MailPayAgain:
		subject = say("Order {number}: please pay once more", number)
		add(say("your bank let go of the payment for order {number} before we took it. Nothing was charged, and what you ordered is kept for you. Please pay {due} once more: {link}",
			text.Args{"number": a.Number, "due": a.Due, "link": a.Link}), "", say("You can also pay at the counter of any of our stores.", number))
	case MailRefunded:
		subject = say("{refund} are on their way back to you", text.Args{"refund": a.Refund})
		add(say("we have asked for {refund} of order {number} to go back the way you paid. It takes a few days until you see it.", text.Args{"refund": a.Refund, "number": a.Number}), "", say("Your order: {link}", text.Args{"link": a.Link}))
	case MailReturned:
		subject = say("What you returned of order {number}", number)
		add(say("thank you for bringing it back. This goes back to you: {refund}.", text.Args{"refund": a.Refund}), "")
		if a.Points > 0 {
			add(say("With it {points} points that you had spent.", text.Args{"points": a.Points}), "")
		}
		if a.Exchanged {
			add(say("A part of it paid what you took instead.", number), "")
		}
		add(say("Your order: {link}", text.Args{"link": a.Link}))
	case MailCollected:
		subject = say("Order {number} was collected", number)
		add(say("thank you for coming to {store}. This is what you took home:", number), "")
		add(a.Lines...)
		add("", say("Paid: {total}.", number), "", say("Your order: {link}", text.Args{"link": a.Link}))
	}
	add("", a.Shop)
	return subject, strings.Join(lines, "\n") + "\n"
}

func totalLine(say func(string, ...text.Args) string, a About, args text.Args) string {
	if a.Promised {
		return say("Total: {total}. You pay when you collect it, or when it leaves us: the payment is arranged.", args)
	}
	if a.Paid {
		return say("Total: {total}, paid.", args)
	}
	return say("Total: {total}, to pay when you collect.", args)
}

// ComposeGiftCard writes the mail that brings a gift card.
func ComposeGiftCard(language, shop, link, code string, amount money.Money) (subject, body string) {
	say := func(key string) string {
		return text.M(key, text.Args{"shop": shop, "amount": amount, "code": code, "link": link}).In(language)
	}
	lines := []string{
		say("Hello,"), "", say("here is a gift card of {shop} worth {amount}. Whoever has this code can spend it, online and in every store:"), "", "    " + code, "",
		say("What is left on it: {link}"), "", shop,
	}
	return say("A gift card worth {amount}"), strings.Join(lines, "\n") + "\n"
}

// Grouped writes a code in groups of three, as it is read aloud.
func Grouped(code string) string {
	if len(code) != 6 {
		return code
	}
	return code[:3] + " " + code[3:]
}

// When is a day and a time for a person: Saturday 21 November, 14:10.
func When(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format("Monday 2 January, 15:04")
}
