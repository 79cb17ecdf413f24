package work

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/giftcard"
	"counterpart/internal/domain/location"
	"counterpart/internal/domain/message"
	"counterpart/internal/flow/settle"
	"counterpart/internal/platform/money"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/secret"
	"counterpart/internal/query/shop"
)

// orderMail posts a mail about an order, once: a job that runs again after it was posted finds it recorded. Between the
// posting and the record there is a moment in which a crash sends a second copy, with the same Message-ID.
func orderMail(ctx context.Context, t Tools, args message.OrderMail) error {
	o, err := shop.OrderForMail(ctx, t.DB, args.OrderID)
	if err != nil {
		return err
	}
	if o == nil || o.Email == "" {
		return nil // There is nobody to write to: the counter has their phone number.
	}
	if args.Mail == message.MailPayLink && o.State != "placed" {
		return nil // It was paid or cancelled meanwhile.
	}
	if args.Mail == message.MailHold && !waits(&o.Order, args.FulfilmentID) {
		return nil // It was collected or cancelled meanwhile.
	}
	a := about(o, t.BaseURL, args)
	kind := args.Once()
	if a.Choose {
		kind += ":" + strconv.FormatInt(a.HoldUntil.Unix(), 10) // each time there is something to choose
	}
	if slices.Contains(o.Sent, kind) {
		return nil
	}
	if err := aboutMoney(ctx, t.DB, &a, &o.Order, args); err != nil {
		return err
	}
	subject, body := message.Compose(args.Mail, a)
	mail := message.Mail{Purpose: message.OfOrder, ID: fmt.Sprintf("%s-%s@counterpart", o.PublicID, kind), To: o.Email,
		From: &location.Sender{Name: o.SenderName, ReplyTo: o.ReplyTo}, Subject: subject, Text: body}
	if err := t.Sender.Send(ctx, t.DB, mail); err != nil {
		return err
	}
	return message.Record(ctx, t.DB, o.ID, kind)
}

// waits says whether a part is staged and waits to be collected.
func waits(o *shop.Order, part int64) bool {
	return slices.ContainsFunc(o.Parts, func(f shop.Fulfilment) bool { return f.ID == part && f.State == "ready" })
}

// ofPart are the mails about one part of an order.
var ofPart = []string{message.MailShipped, message.MailReady, message.MailCollected, message.MailCancelled,
	message.MailHold, message.MailExpired, message.MailInstead}

func about(mailed *shop.MailOrder, base string, args message.OrderMail) message.About {
	o, shopName := &mailed.Order, mailed.Shop
	f := o.Fulfilment
	for _, part := range o.Parts {
		if part.ID == args.FulfilmentID && slices.Contains(ofPart, args.Mail) {
			f = part
		}
	}
	zone := f.Store.Zone()
	a := message.About{
		Language: o.Language, Shop: shopName, Number: o.Number, Name: o.Name, Link: base + "/orders/" +
			o.PublicID, Code: f.Code,
		Store: shopName + " " +
			f.Store.Name, Street: f.Store.Street, Town: f.Store.Town, Total: o.Money(o.Total - o.Missing()),
		Due:        o.Money(o.ToPay),
		StillOpens: o.State != "cancelled", Paid: o.PaymentState == "paid" ||
			o.PaymentState == "authorised", Promised: o.PaymentState == "authorised", Carrier: f.Carrier,
		Tracking: f.Tracking, Arrives: arrives(f),
	}
	if f.ReadyBy != nil {
		a.ReadyBy = f.ReadyBy.In(zone)
	}
	a.MayExtend = f.ExtendedAt == nil
	if f.HoldUntil != nil {
		a.HoldUntil = f.HoldUntil.In(zone)
	}
	a.Prepared = o.Prepared
	if o.HoldUntil != nil {
		a.PayBy = o.HoldUntil.In(o.Store.Zone())
	}
	for _, part := range o.Parts {
		p := message.AboutPart{Method: part.Method, Store: shopName + " " + part.Store.Name, Arrives: arrives(part),
			Lines: lines(o, part.ID)}
		if part.ReadyBy != nil {
			p.ReadyBy = part.ReadyBy.In(part.Store.Zone())
		}
		if part.Method == "ship" {
			p.Address, a.Delivery = part.Address().Label(), new(o.Money(part.Paid))
		}
		if len(p.Lines) > 0 {
			a.Parts = append(a.Parts, p)
		}
	}
	a.Lines = lines(o, f.ID)
	for _, part := range o.Parts {
		a.More = a.More || part.ID != f.ID && part.Method == "pickup" &&
			(part.State == "to_pick" || part.State == "ready")
	}
	for _, l := range o.Lines {
		if l.ID == args.LineID && args.Mail == message.MailTakenOff {
			a.Missing = fmt.Sprintf("%d × %s", l.Quantity, named(l))
			for _, part := range o.Parts {
				if part.ID == l.PartID {
					a.Store = shopName + " " + part.Store.Name
				}
			}
		}
		if l.ID == args.LineID && args.Mail == message.MailShort {
			a.Missing, a.Link = named(l), base+"/p/"+l.Slug
			for _, part := range o.Parts {
				if part.ID == l.PartID && part.State == "undecided" && part.DecideBy != nil {
					a.Missing = fmt.Sprintf("%d × %s", l.Quantity, named(l))
					a.Choose, a.Link, a.HoldUntil, a.Store = true, base+"/orders/"+o.PublicID, part.DecideBy.In(part.Store.Zone()), shopName+" "+part.Store.Name
				}
			}
		}
	}
	return a
}

func named(l shop.OrderLine) string {
	if l.Options == "" {
		return l.Title
	}
	return l.Title + " (" + l.Options + ")"
}

// lines of a part that are not cancelled.
func lines(o *shop.Order, part int64) (all []string) {
	for _, l := range o.LinesOf(part) {
		if kept := l.Quantity - l.Cancelled; kept > 0 {
			all = append(all, fmt.Sprintf("  %d × %s, %s", kept, named(l), o.Money(l.Kept).In(o.Language)))
		}
	}
	return all
}

func arrives(f shop.Fulfilment) (days message.Days) {
	if from, by, ok := f.Days(); ok {
		days = message.Days{From: from, By: by}
	}
	return days
}

// aboutMoney reads what goes back, for the mails that are about that.
func aboutMoney(ctx context.Context, db pg.DB, a *message.About, o *shop.Order, args message.OrderMail) error {
	var query string
	var id int64
	switch args.Mail {
	case message.MailRefunded:
		query, id = `SELECT amount, 0, false FROM transfer WHERE id = $1`, args.TransferID
	case message.MailReduced:
		query, id = `SELECT amount, 0, false FROM allowance WHERE order_id = $1 ORDER BY id DESC LIMIT 1`, args.OrderID
	case message.MailReturned:
		query, id = `SELECT refund, points_back, exchange_id IS NOT NULL FROM return_ticket WHERE id = $1`, args.ReturnID
	default:
		return nil
	}
	var amount int64
	if err := db.QueryRow(ctx, query, id).Scan(&amount, &a.Points, &a.Exchanged); err != nil {
		return fmt.Errorf("read what goes back: %w", err)
	}
	a.Refund = o.Money(amount)
	return nil
}

// cardMail draws a gift card's code and mails it. Should the job run again after the mail went out, the second code is
// the one that works.
func cardMail(ctx context.Context, t Tools, args settle.CardMail) error {
	var to, currency, language string
	var amount int64
	var customerID int64
	err := t.DB.QueryRow(ctx, `
		SELECT g.recipient, g.currency::text, g.issued, coalesce(c.language, 'en'), coalesce(g.customer_id, 0)
		FROM gift_card g
		LEFT JOIN customer c ON c.id = g.customer_id
		WHERE g.id = $1`, args.CardID).Scan(&to, &currency, &amount, &language, &customerID)
	if err != nil {
		return fmt.Errorf("read a gift card: %w", err)
	}
	to, ok := customer.NormalEmail(to)
	if !ok {
		return nil // It was bought for nobody's address; the counter can have it sent again.
	}
	shop, err := location.ShopOf(ctx, t.DB)
	if err != nil {
		return err
	}
	code, err := giftcard.Code(ctx, t.DB, args.CardID)
	if err != nil || code == "" {
		return err
	}
	subject, body := message.ComposeGiftCard(language, shop.Name, t.BaseURL+"/gift-cards", code,
		money.New(amount, currency))
	m := message.Mail{Purpose: message.OfOrder, ID: fmt.Sprintf("gift-card-%d-%s@counterpart", args.CardID,
		secret.NewCode()), To: to, Person: customerID, Subject: subject, Text: body}
	return t.Sender.Send(ctx, t.DB, m)
}

// Sweeps of what is paid by others, and how often.
const (
	often  = 20 * time.Second
	hourly = time.Hour
)

type (
	sweepPayments     struct{}
	reconcilePayments struct{}
)

func (sweepPayments) Kind() string     { return "sweep_payments" }
func (reconcilePayments) Kind() string { return "reconcile_payments" }
