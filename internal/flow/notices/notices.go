// Package notices tells people what they asked to be told, and what an associate writes to them.
package notices

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"counterpart/internal/domain/cart"
	"counterpart/internal/domain/catalog"
	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/message"
	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/outreach"
	"counterpart/internal/flow/account"
	"counterpart/internal/flow/shopping"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/jobs"
	"counterpart/internal/platform/money"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/text"
)

// Wish is what somebody wants to be told, as they typed it. Medium is empty for mail.
type Wish struct {
	VariantID, LocationID int64
	Kind, Medium, Email   string
}

// proven is what the link to an address keeps.
type proven struct {
	Watch int64 `json:"watch"`
}

// Ask writes it down for whoever is looking, who becomes a guest where they were nobody; then newToken is a new cookie.
// An address that is not proven to be theirs gets a link first: sent says so.
func Ask(ctx context.Context, db pg.DB, at origin.Origin, who shopping.Shopper, b account.Browser, w Wish) (newToken string,
	sent bool, err error) {
	if w.Kind != outreach.Back && w.Kind != outreach.Price {
		return "", false, fault.New(fault.Invalid, "Choose from the list.")
	}
	if w.Email != "" {
		email, ok := customer.NormalEmail(w.Email)
		if !ok {
			return "", false, errEmail
		}
		w.Email = email
		if err := account.MayAsk(ctx, db, b, "watch", email); err != nil {
			return "", false, err
		}
	}
	newToken, err = shopping.Become(ctx, db, at, who, func(ctx context.Context, tx pgx.Tx, person int64) error {
		sent, err = ask(ctx, tx, person, w)
		return err
	})
	return newToken, sent, err
}

var errEmail = fault.Field("email", "Enter a valid email address, such as ada@example.com.")

func ask(ctx context.Context, tx pgx.Tx, person int64, w Wish) (sent bool, err error) {
	email, phone, err := outreach.Media(ctx, tx, person)
	if err != nil {
		return false, err
	}
	watch := outreach.Watch{CustomerID: person, VariantID: w.VariantID, Kind: w.Kind, Medium: customer.ByMail, Target: email,
		LocationID: w.LocationID, Proven: true}
	switch {
	case w.Medium == customer.BySMS && phone == "":
		return false, fault.Field("medium", "Add your mobile number to your account first, or choose email.")
	case w.Medium == customer.BySMS:
		watch.Medium, watch.Target = customer.BySMS, phone
	case w.Email != "":
		watch.Target, watch.Proven = w.Email, w.Email == email
	case email == "":
		return false, errEmail
	}
	id, fresh, err := outreach.Ask(ctx, tx, watch)
	if err != nil || !fresh {
		return false, err
	}
	payload, err := json.Marshal(proven{Watch: id})
	if err != nil {
		return false, err
	}
	link, err := customer.Ask(ctx, tx, customer.OneTime{Purpose: customer.ToWatch, CustomerID: person, Target: watch.Target,
		Payload: payload}, outreach.Unproven)
	if err != nil {
		return false, err
	}
	return true, jobs.Insert(ctx, tx, message.AccountMail{OneTimeID: link})
}

// Prove opens the link to an address.
func Prove(ctx context.Context, db pg.DB, token string) error {
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		link, err := customer.Use(ctx, tx, customer.ToWatch, token)
		if err != nil {
			return err
		}
		var p proven
		if err := json.Unmarshal(link.Payload, &p); err != nil {
			return err
		}
		return outreach.Prove(ctx, tx, p.Watch, link.Target)
	})
}

// Withdraw ends what a person asked for.
func Withdraw(ctx context.Context, db pg.DB, person, id int64) error {
	return pg.InTx(ctx, db, func(tx pgx.Tx) error { return outreach.Withdraw(ctx, tx, person, id) })
}

// Tools are what messages are sent with.
type Tools struct {
	Sender message.Sender
	Base   string
	Now    func() time.Time // nil: time.Now
}

// budget is how long one run sends: the rest is sent a minute later.
const budget = 80 * time.Second

// Send finds what is to be told and sends what is due, in one process at a time. One that dies while a server takes a
// message sends it again after some minutes, with the same id.
func Send(ctx context.Context, pool *pgxpool.Pool, t Tools) error {
	if t.Now == nil {
		t.Now = time.Now
	}
	t.Sender.Now = t.Now
	_, err := pg.Alone(ctx, pool, "notices", func(ctx context.Context) error {
		found := outreach.Find(ctx, pool)
		until := time.Now().Add(budget)
		for time.Now().Before(until) {
			more, err := t.one(ctx, pool)
			if err != nil || !more {
				return errors.Join(found, err)
			}
		}
		return found
	})
	return err
}

func (t Tools) one(ctx context.Context, db pg.DB) (more bool, err error) {
	w, err := outreach.Next(ctx, db, t.Now())
	if err != nil || w == nil {
		return false, err
	}
	if !w.Stands {
		return true, w.Hold(ctx, db, outreach.Verdict{Reason: outreach.Outdated})
	}
	m := message.Mail{ID: fmt.Sprintf("outreach-%d@counterpart", w.ID), Purpose: message.OfNews, Medium: w.Medium,
		Person: w.Person, To: w.Target, WatchID: w.WatchID, Products: w.Products, Since: w.AskedAt}
	if w.WatchID != 0 {
		m.Purpose = message.OfAsked
	}
	m.Subject, m.Text = t.compose(w)
	sending, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	var held *outreach.Held
	if err := t.Sender.Send(sending, db, m); errors.As(err, &held) {
		return true, w.Hold(ctx, db, held.Verdict)
	} else if err != nil {
		slog.WarnContext(ctx, "a message was not taken", "message", w.ID, "error", err)
		return true, w.Failed(ctx, db, t.Now())
	}
	if err := w.Sent(ctx, db, t.Now()); err != nil {
		return false, err
	}
	if err := pg.InTx(ctx, db, func(tx pgx.Tx) error {
		return customer.Record(ctx, tx, customer.Fact{CustomerID: w.Person, Kind: customer.Contacted, Channel: origin.Web,
			Detail: w.Kind})
	}); err != nil {
		// It went, and is not sent again for that.
		slog.WarnContext(ctx, "a message is not on the timeline", "message", w.ID, "error", err)
	}
	return true, nil
}

func (t Tools) compose(w *outreach.Waiting) (subject, body string) {
	args := text.Args{"title": w.Title, "choice": w.Choice, "store": w.Store, "name": w.Name, "associate": w.Associate,
		"price": money.New(w.Price, w.Currency), "was": money.New(w.Was, w.Currency), "day": text.Date(w.AskedAt),
		"body": w.Body}
	say := func(key string) string { return text.M(key, args).In(w.Language) }
	// Only who is written to by an associate is greeted by name: what somebody calls themselves is not to be sent about.
	hello := say("Hello,")
	if w.Name != "" && w.Kind == outreach.Personal {
		hello = say("Hello {name},")
	}
	link := t.Base + "/p/" + w.Slug + "?" + url.Values{"v": {w.SKU}}.Encode()
	title := say("{title}")
	if w.Choice != "" {
		title = say("{title}, {choice}")
	}
	args["title"] = title
	switch w.Kind {
	case outreach.Back:
		subject = say("{title} is back in stock")
		body = hello + "\n\n" + say("{title} is back in stock. You asked us on {day} to let you know.")
	case outreach.Price:
		subject = say("{title} now costs {price}")
		body = hello + "\n\n" + say("{title} now costs {price}. It was {was} when you asked us on {day} to let you know.")
	default:
		subject = say("A message from {associate} at {store}")
		body = hello + "\n\n" + w.Body + "\n\n" + say("{associate}, {store}")
		if w.Link != "" {
			body += "\n\n" + say("What {associate} picked out for you:") + "\n\n    " + t.Base + "/carts/" + w.Link
		}
		return subject, body + "\n\n" + say("You can stop these messages under Privacy in your account:") + "\n\n    " + t.Base + "/account/privacy\n"
	}
	if w.Medium == customer.BySMS {
		return "", subject + " " + link
	}
	return subject, body + "\n\n    " + link + "\n\n" + say("This is the only message you’ll get about it.") + "\n"
}

// Letter is what an associate writes to somebody, with what becomes a cart they can open.
type Letter struct {
	Body, Medium string
	Form         string // of the page
	SKUs         []string
}

// longest body of a message, in letters.
const longest = 1000

// Write queues a message of an associate. It goes as soon as it may: the answer is why it has to wait, or cannot go.
func Write(ctx context.Context, db pg.DB, at origin.Origin, person int64, l Letter, now time.Time) (v outreach.Verdict, err error) {
	l.Body = strings.TrimSpace(l.Body)
	if l.Body == "" || utf8.RuneCountInString(l.Body) > longest {
		return v, fault.Field("body", "Write a message, up to 1,000 characters.")
	}
	if len(l.SKUs) > 20 {
		return v, fault.Field("products", "Choose up to 20 products.")
	}
	err = pg.InTx(ctx, db, func(tx pgx.Tx) error {
		if err := customer.LockActive(ctx, tx, person); err != nil {
			return err
		}
		email, phone, err := outreach.Media(ctx, tx, person)
		if err != nil {
			return err
		}
		target := email
		if l.Medium == customer.BySMS {
			target = phone
		}
		agreed, err := customer.Consented(ctx, tx, person, customer.Marketing, l.Medium)
		if err != nil {
			return err
		}
		if target == "" || !agreed {
			return fault.Field("medium", "They haven’t agreed to be written to this way, or have no confirmed address for it.")
		}
		products, link, err := pick(ctx, tx, at, l.SKUs)
		if err != nil {
			return err
		}
		if err := outreach.Write(ctx, tx, outreach.Waiting{Person: person, Medium: l.Medium, Target: target, Products: products,
			Body: l.Body, Link: link}, at.AssociateID, at.LocationID, l.Form); err != nil {
			return err
		}
		v, err = outreach.May(ctx, tx, outreach.Letter{Person: person, Medium: l.Medium, To: target, Products: products, Since: now}, now)
		return err
	})
	return v, err
}

// pick puts variants into a cart of its own and answers with its word and the products.
func pick(ctx context.Context, tx pgx.Tx, at origin.Origin, skus []string) (products []int64, word string, err error) {
	if len(skus) == 0 {
		return []int64{}, "", nil
	}
	sold, missing, err := catalog.BySKU(ctx, tx, skus)
	if err != nil {
		return nil, "", err
	}
	if missing != "" {
		return nil, "", fault.Field("products", "We can’t find {name}.", text.Args{"name": missing})
	}
	carrier, err := customer.Create(ctx, tx, "", at.Language, at.Channel)
	if err != nil {
		return nil, "", err
	}
	for _, one := range sold {
		if err := shopping.AddFor(ctx, tx, at, carrier, shopping.Item{VariantID: one.VariantID, Quantity: 1,
			LocationID: at.LocationID}); err != nil {
			return nil, "", err
		}
		if !slices.Contains(products, one.ProductID) {
			products = append(products, one.ProductID)
		}
	}
	word, err = cart.Share(ctx, tx, carrier)
	return products, word, err
}
