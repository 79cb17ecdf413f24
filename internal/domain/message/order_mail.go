package message

import (
	"fmt"
	"strings"
	"time"

	"counterpart/internal/platform/money"
	"counterpart/internal/platform/text"
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
	PayBy      time.Time // of a link to pay
	Prepared   bool      // by staff, and sent as a link
	Lines      []string
	Missing    string // what could not be found, for MailShort
	Total      money.Money
	Due        money.Money
	Choose     bool // the shopper chooses what becomes of it, by HoldUntil
	MayExtend  bool // the hold has not been extended yet
	StillOpens bool // something of the order is left
	More       bool // other parts of the order wait at other stores
	Parts      []AboutPart
	Paid       bool         // it is paid, or a gateway has promised it
	Promised   bool         // a gateway has promised it: nothing is taken yet
	Delivery   *money.Money // its charge, where something is sent
	Carrier    string       // for MailShipped
	Tracking   string
	Arrives    Days        // for MailShipped
	Refund     money.Money // for MailRefunded and MailReturned
	Points     int64       // for MailReturned: that went back
	Exchanged  bool
}

// AboutPart is one part of an order in a mail: how it is handed over, and what is in it.
type AboutPart struct {
	Method  string
	Store   string
	ReadyBy time.Time
	Arrives Days
	Address []string
	Lines   []string
}

// Compose writes the mail of a kind.
func Compose(kind string, a About) (subject, body string) {
	say := func(key string, args ...text.Args) string { return text.M(key, args...).In(a.Language) }
	number := text.Args{"number": a.Number, "store": a.Store, "shop": a.Shop, "missing": a.Missing,
		"time": When(a.ReadyBy), "until": When(a.HoldUntil), "total": a.Total, "due": a.Due, "code": Grouped(a.Code),
		"name": a.Name}
	var lines []string
	add := func(all ...string) { lines = append(lines, all...) }
	add(say("Hello {name},", number), "")
	address := fmt.Sprintf("%s\n%s, %s", a.Store, a.Street, a.Town)
	switch kind {
	case MailConfirmed:
		if len(a.Parts) == 1 && a.Parts[0].Method == "pickup" {
			subject = say("Order {number} is reserved at {store}", number)
			add(say("We’re setting these aside for you. They’ll be ready by {time}, and we’ll email you as soon as they are.", number), "")
			add(a.Lines...)
			add("", totalLine(say, a, number), "", address, "", say("Your order: {link}", text.Args{"link": a.Link}))
			break
		}
		subject = say("Order {number} is confirmed", number)
		add(say("Thank you for your order.", number), "")
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
				add(say("By email, within a minute:", about))
			default:
				add(say("Bought at {store}:", about))
			}
			add(part.Lines...)
			add("")
		}
		if a.Delivery != nil {
			add(deliveryLine(say, *a.Delivery))
		}
		add(totalLine(say, a, number), "", say("Your order: {link}", text.Args{"link": a.Link}))
	case MailReady:
		subject = say("Order {number} is ready at {store}", number)
		add(say("Your order is ready. Show this code at the counter:", number), "", "    "+Grouped(a.Code), "")
		switch {
		case a.Due.Minor == 0:
			add(say("We’ll keep it for you until {until}.", number))
		case a.More:
			add(say("We’ll keep it for you until {until}. To pay, for the whole order: {due}.", number))
		default:
			add(say("We’ll keep it for you until {until}. To pay: {due}.", number))
		}
		add("", address, "",
			say("Directions, opening hours and your QR code: {link}", text.Args{"link": a.Link}))
	case MailShort:
		subject = say("Order {number}: an item is unavailable", number)
		if a.Choose {
			add(say("We’re sorry: we couldn’t find {missing} at {store} when we went to pick it.", number), "",
				say("Choose what you’d like instead by {until}: {link}",
					text.Args{"until": When(a.HoldUntil), "link": a.Link}), "",
				say("If we don’t hear from you by then, we’ll take it off your order, and refund anything you’ve paid for it.", number))
			break
		}
		add(say("We’re sorry: we couldn’t find {missing} at {store} when we went to pick it. You won’t be charged for it.", number), "")
		if a.StillOpens {
			add(say("The rest of your order is unchanged.", number), "")
		} else {
			add(say("That was everything in your order, so there’s nothing left to collect.", number), "")
		}
		add(say("See if another store has it: {link}", text.Args{"link": a.Link}))
	case MailTakenOff:
		subject = say("Order {number}: an item was taken off", number)
		add(say("We’ve taken {missing} off your order, because we couldn’t find it at {store}. You won’t be charged for it, and anything you’ve paid for it will be refunded.", number), "")
		if a.StillOpens {
			add(say("The rest of your order is unchanged.", number), "")
		}
		add(say("Your order: {link}", text.Args{"link": a.Link}))
	case MailChanged:
		subject = say("Order {number} has changed", number)
		add(say("We’ve changed your order, as agreed with you. This is how it stands now:", number), "")
		for _, part := range a.Parts {
			add(part.Lines...)
		}
		add("", totalLine(say, a, number))
		if a.Paid {
			add(say("Anything you’ve paid beyond that is on its way back to you.", number))
		}
		add("", say("If this isn’t what you expected, reply to this email or ask in any store.", number), "",
			say("Your order: {link}", text.Args{"link": a.Link}))
	case MailCancelled:
		subject = say("Order {number} is cancelled", number)
		if a.StillOpens {
			add(say("The items to collect at {store} from order {number} have been cancelled. The rest of your order is unchanged.", number), "", say("Your order: {link}", text.Args{"link": a.Link}))
			subject = say("Part of order {number} is cancelled", number)
		} else if a.Paid {
			add(say("Order {number} is cancelled. Anything you’ve paid will be refunded to your original payment method.", number), "", say("Your order: {link}", text.Args{"link": a.Link}))
		} else {
			add(say("Order {number} at {store} is cancelled. You won’t be charged.", number), "",
				say("Your order: {link}", text.Args{"link": a.Link}))
		}
	case MailShipped:
		subject = say("Order {number} is on its way", number)
		add(say("Your parcel left today with {carrier}. It’ll arrive {arrives}.",
			text.Args{"carrier": a.Carrier, "arrives": a.Arrives}), "")
		if a.Tracking != "" {
			add(say("Tracking number: {tracking}", text.Args{"tracking": a.Tracking}), "")
		}
		add(a.Lines...)
		add("", say("Your order: {link}", text.Args{"link": a.Link}))
	case MailHold:
		subject = say("Order {number}: collect it by {until}", number)
		add(say("Your order is still waiting at {store}. We can hold it until {until}. Show this code at the counter:",
			number), "", "    "+Grouped(a.Code), "", address, "")
		if a.MayExtend {
			add(say("Need more time? You can extend it once: {link}", text.Args{"link": a.Link}))
		} else {
			add(say("Your order: {link}", text.Args{"link": a.Link}))
		}
	case MailExpired:
		subject = say("Order {number} wasn’t collected", number)
		add(say("We held your order at {store} until {until}, and then put it back. Anything you’ve paid will be refunded to your original payment method.", number), "", say("Your order: {link}", text.Args{"link": a.Link}))
	case MailInstead:
		subject = say("Order {number}: we’ve changed it", number)
		if !a.Arrives.By.IsZero() {
			add(say("We’re sending it to you. It’ll arrive {arrives}.", text.Args{"arrives": a.Arrives}), "")
		} else {
			add(say("You can now collect it at {store}. It’ll be ready by {time}, and we’ll email you as soon as it is.", number), "")
		}
		add(a.Lines...)
		add("", say("Your order: {link}", text.Args{"link": a.Link}))
	case MailUnpaid:
		subject = say("Order {number} was not paid", number)
		if a.Prepared {
			add(say("Order {number} wasn’t paid in time, so it’s cancelled. You haven’t been charged. If you’d still like it, reply to this email or ask in any store.", number))
			break
		}
		add(say("Order {number} wasn’t paid in time, or an item sold out while you were paying. You haven’t been charged, and your items are back in your cart.", number), "", say("Your order: {link}", text.Args{"link": a.Link}))
	case MailPayAgain:
		subject = say("Order {number}: please pay again", number)
		add(say("The authorisation for order {number} expired before we took payment. You haven’t been charged, and your items are still reserved. Please pay {due} again: {link}",
			text.Args{"number": a.Number, "due": a.Due,
				"link": a.Link}), "", say("You can also pay at any of our stores.", number))
	case MailPayLink:
		subject = say("Your order {number}, ready to pay", number)
		add(say("We’ve put this order together for you:", number), "")
		for _, part := range a.Parts {
			if part.Method == "ship" {
				add(say("To be delivered to:"))
				for _, line := range part.Address {
					add("  " + line)
				}
				add("")
			} else if part.Method == "pickup" {
				add(say("To collect at {store}:", text.Args{"store": part.Store}))
			}
			add(part.Lines...)
			add("")
		}
		if a.Delivery != nil {
			add(deliveryLine(say, *a.Delivery))
		}
		add(say("Total: {total}", number), "", say("Check it and pay here: {link}", text.Args{"link": a.Link}), "",
			say("We’ll keep everything for you until {until}. If you don’t want it, there’s nothing to do.",
				text.Args{"until": When(a.PayBy)}))
	case MailReduced:
		subject = say("We’ve refunded {refund} of order {number}", text.Args{"refund": a.Refund, "number": a.Number})
		add(say("We’ve refunded {refund} of what you paid for order {number}. It’s yours as store credit or on the gift card you used, to spend online or in any store.",
			text.Args{"refund": a.Refund, "number": a.Number}), "", say("Your order: {link}", text.Args{"link": a.Link}))
	case MailRefunded:
		subject = say("Your refund of {refund} is on its way", text.Args{"refund": a.Refund})
		add(say("We’ve requested a refund of {refund} for order {number} to your original payment method. It can take a few days to reach you.", text.Args{"refund": a.Refund, "number": a.Number}), "", say("Your order: {link}", text.Args{"link": a.Link}))
	case MailReturned:
		subject = say("Your return from order {number}", number)
		add(say("Thank you, we’ve received your return. Your refund: {refund}.", text.Args{"refund": a.Refund}), "")
		if a.Points > 0 {
			add(say("We’ve also given you back {points} points.", text.Args{"points": a.Points}), "")
		}
		if a.Exchanged {
			add(say("Part of it went towards your exchange.", number), "")
		}
		add(say("Your order: {link}", text.Args{"link": a.Link}))
	case MailCollected:
		subject = say("Order {number} was collected", number)
		add(say("Thank you for shopping at {store}. You took home:", number), "")
		add(a.Lines...)
		add("", say("Paid: {total}.", number), "", say("Your order: {link}", text.Args{"link": a.Link}))
	}
	add("", a.Shop)
	return subject, strings.Join(lines, "\n") + "\n"
}

func deliveryLine(say func(string, ...text.Args) string, charge money.Money) string {
	if charge.Minor == 0 {
		return say("Delivery: free")
	}
	return say("Delivery: {charge}", text.Args{"charge": charge})
}

func totalLine(say func(string, ...text.Args) string, a About, args text.Args) string {
	if a.Promised {
		return say("Total: {total}. We’ll charge you when you collect, or when we dispatch it.", args)
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
		say("Hello,"), "", say("Here’s a {shop} gift card worth {amount}. Anyone with this code can spend it, online or in any store:"), "", "    " + code, "",
		say("Check the balance: {link}"), "", shop,
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

// Days is when a parcel arrives: one day, or from one to another.
type Days struct{ From, By time.Time }

// In says the days in a language.
func (d Days) In(language string) string {
	if d.From.Equal(d.By) {
		return text.Day(d.By).In(language)
	}
	return text.M("from {from} to {by}", text.Args{"from": text.Day(d.From), "by": text.Day(d.By)}).In(language)
}

// When is a day and a time for a person: Saturday 21 November, 14:10.
func When(t time.Time) text.Moment { return text.DayTime(t) }
