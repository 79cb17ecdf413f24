// Package checkout turns a cart into an order, whoever asks: the shopper in the browser or the associate at the counter.
package checkout

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/basket"
	"counterpart/internal/cart"
	"counterpart/internal/customer"
	"counterpart/internal/fault"
	"counterpart/internal/inventory"
	"counterpart/internal/jobs"
	"counterpart/internal/live"
	"counterpart/internal/message"
	"counterpart/internal/order"
	"counterpart/internal/payment"
	"counterpart/internal/pg"
	"counterpart/internal/text"
)

// Request is what a checkout form says. CartID makes it safe to send twice; Expected is the total the person saw.
type Request struct {
	CustomerID  int64
	CartID      int64
	Expected    int64 // minor units
	Name        string
	Email       string
	Phone       string
	Channel     string
	AssociateID int64
	At          int64 // the store of the counter that sends it; 0: the one the cart chose
	Language    string
}

// Place makes the order of a cart and answers with its public id; the same cart sent again gets the same answer. What
// can go wrong for a person is a fault, and then nothing has happened: the cart is as it was.
func Place(ctx context.Context, db pg.DB, r Request) (publicID string, err error) {
	for attempt := 1; ; attempt++ {
		publicID, err = place(ctx, db, r)
		if attempt == 5 || !order.CodeTaken(err) {
			return publicID, err
		}
	}
}

func place(ctx context.Context, db pg.DB, r Request) (publicID string, err error) {
	err = pg.InTx(ctx, db, func(tx pgx.Tx) error {
		b, err := basket.Lock(ctx, tx, r.CustomerID, r.At, r.Language)
		if err != nil {
			return err
		}
		if b == nil || b.CartID != r.CartID {
			if publicID, err = order.OfCart(ctx, tx, r.CustomerID, r.CartID); err != nil || publicID != "" {
				return err
			}
			return fault.New(fault.Conflict, "This cart was changed in another window. Look at it once more.")
		}
		contact, err := checkContact(r, b)
		if err != nil {
			return err
		}
		if err := check(b, r.Expected); err != nil {
			return err
		}
		written, rest, err := write(ctx, tx, r, contact, b)
		if err != nil {
			return err
		}
		publicID = written.PublicID
		return reserve(ctx, tx, rest, b, written)
	})
	return publicID, err
}

type contact struct{ name, email, phone string }

func checkContact(r Request, b *basket.Basket) (contact, error) {
	var form fault.Form
	c := contact{name: strings.Join(strings.Fields(r.Name), " ")}
	switch {
	case c.name == "":
		form.Add("name", "Who will collect it? Write a name.")
	case utf8.RuneCountInString(c.name) > 100:
		form.Add("name", "That name is longer than we can print. Use up to 100 letters.")
	case !utf8.ValidString(c.name) || strings.ContainsRune(c.name, 0):
		form.Add("name", "That name has a sign in it that we cannot write.")
	}
	ok := true
	if strings.TrimSpace(r.Email) != "" {
		if c.email, ok = customer.NormalEmail(r.Email); !ok {
			form.Add("email", "That does not look like an email address, such as ada@example.com.")
		}
	} else if r.AssociateID == 0 {
		form.Add("email", "Where shall we write when it is ready? Give an email address.")
	}
	if strings.TrimSpace(r.Phone) != "" {
		country := "GB"
		if b != nil && b.Store != nil {
			country = b.Store.Country
		}
		if c.phone, ok = customer.NormalPhone(r.Phone, country); !ok {
			form.Add("phone", "That does not look like a phone number, such as 0113 496 0999.")
		}
	} else if strings.TrimSpace(r.Email) == "" && r.AssociateID != 0 {
		form.Add("phone", "Take an email address or a phone number, so that we can say when it is ready.")
	}
	return c, form.Err()
}

func check(b *basket.Basket, expected int64) error {
	switch {
	case b == nil || len(b.Lines) == 0:
		return fault.New(fault.Conflict, "The cart is empty.")
	case b.Store == nil:
		return fault.New(fault.Conflict, "Choose the store where you want to collect it.")
	case !b.Store.Pickup:
		return fault.New(fault.Conflict, "{store} has no collection desk. Choose another store.", text.Args{"store": b.Store.Name})
	}
	for _, line := range b.Lines {
		if line.Gone {
			return fault.New(fault.Conflict, "{title} is not sold any more. Take it out of the cart to go on.", text.Args{"title": line.Title})
		}
	}
	if b.Quote.Total != expected {
		return fault.New(fault.Conflict, "A price changed while you were deciding. The total is now {total}; it was {before}.",
			text.Args{"total": b.Quote.In(b.Quote.Total), "before": b.Quote.In(expected)})
	}
	return nil
}

// write makes the order and its mail, and answers with what is still to be written, which travels with the claim on the stock.
func write(ctx context.Context, tx pgx.Tx, r Request, c contact, b *basket.Basket) (order.Written, *pgx.Batch, error) {
	readyBy, open := b.Store.ReadyBy(time.Now())
	if !open {
		return order.Written{}, nil, fault.New(fault.Conflict, "{store} is not open on any day. Choose another store.", text.Args{"store": b.Store.Name})
	}
	written, err := order.CreatePickup(ctx, tx, order.New{
		CartID: b.CartID, CustomerID: r.CustomerID, Channel: r.Channel, LocationID: b.Store.ID, AssociateID: r.AssociateID,
		Currency: b.Quote.Currency, TaxIncluded: b.Quote.TaxIncluded, Language: r.Language, Lines: lines(b),
		Sum: b.Quote.Sum, Tax: b.Quote.Tax, Total: b.Quote.Total, Name: c.name, Email: c.email, Phone: c.phone, ReadyBy: readyBy,
	})
	if err != nil {
		return order.Written{}, nil, err
	}
	if c.email != "" {
		if err := jobs.Insert(ctx, tx, message.OrderMail{OrderID: written.ID, Mail: message.MailConfirmed}); err != nil {
			return order.Written{}, nil, err
		}
	}
	batch := &pgx.Batch{}
	customer.QueueContact(batch, r.CustomerID, c.name, c.email, c.phone, r.Channel)
	customer.Fact{CustomerID: r.CustomerID, Kind: customer.Bought, Channel: r.Channel, LocationID: b.Store.ID, OrderID: written.ID}.Queue(batch)
	payment.QueuePromise(batch, written.ID, b.Quote.Total)
	cart.QueueOrdered(batch, b.CartID)
	live.QueueNotify(batch, live.Queue(b.Store.ID), live.Customer(r.CustomerID))
	return written, batch, nil
}

func lines(b *basket.Basket) []order.NewLine {
	all := make([]order.NewLine, len(b.Lines))
	for i, line := range b.Lines {
		priced := b.Quote.Lines[i]
		all[i] = order.NewLine{
			VariantID: line.VariantID, SKU: line.SKU, Title: line.Title, Options: line.Choice(), Quantity: line.Quantity,
			UnitPrice: line.UnitPrice, Amount: priced.Amount, Tax: priced.Tax, TaxName: line.Rate.Name, TaxPPM: line.Rate.PPM,
		}
		for _, unit := range priced.Units {
			all[i].UnitPaid, all[i].UnitTax = append(all[i].UnitPaid, unit.Paid), append(all[i].UnitTax, unit.Tax)
		}
	}
	return all
}

// ErrShort is in the chain of the fault that says that the shelves have too little.
var ErrShort = errors.New("not enough on the shelf")

func reserve(ctx context.Context, tx pgx.Tx, rest *pgx.Batch, b *basket.Basket, written order.Written) error {
	claims := make([]inventory.Claim, len(b.Lines))
	for i, line := range b.Lines {
		claims[i] = inventory.Claim{OrderLineID: written.Lines[i], VariantID: line.VariantID, LocationID: b.Store.ID, Quantity: line.Quantity}
	}
	short, err := inventory.Reserve(ctx, tx, rest, claims)
	if err != nil || len(short) == 0 {
		return err
	}
	level, err := inventory.Lock(ctx, tx, short[0].VariantID, short[0].LocationID)
	if err != nil {
		return err
	}
	for _, line := range b.Lines {
		if line.VariantID != short[0].VariantID {
			continue
		}
		args := text.Args{"title": line.Title, "n": max(level.OnHand-level.Reserved-level.Safety, 0), "store": b.Store.Name}
		if args["n"] == 0 {
			return errors.Join(fault.New(fault.Conflict, "Someone just bought the last {title} at {store}. Your cart is kept: choose another store or take it out.", args), ErrShort)
		}
		return errors.Join(fault.New(fault.Conflict, "Only {n} of {title} are left at {store}. Change the quantity or choose another store.", args), ErrShort)
	}
	return ErrShort
}
