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
	StillOpens bool // for MailShort: something of the order is left
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
		subject = say("Order {number} is reserved at {store}", number)
		add(say("we have put these aside for you. They will be ready by {time}; we write again as soon as they are.", number), "")
		add(a.Lines...)
		add("", say("Total: {total}, to pay when you collect.", number), "", address, "", say("Your order: {link}", text.Args{"link": a.Link}))
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
		add(say("order {number} at {store} is cancelled. You pay nothing.", number), "", say("Your order: {link}", text.Args{"link": a.Link}))
	case MailCollected:
		subject = say("Order {number} was collected", number)
		add(say("thank you for coming to {store}. This is what you took home:", number), "")
		add(a.Lines...)
		add("", say("Paid: {total}.", number), "", say("Your order: {link}", text.Args{"link": a.Link}))
	}
	add("", a.Shop)
	return subject, strings.Join(lines, "\n") + "\n"
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
