// Package drafting is the orders that staff prepare for somebody who is on the phone or writes: a cart beside the
// customer's own, priced and placed by the same checkout, and paid by a link.
package drafting

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/cart"
	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/location"
	"counterpart/internal/domain/message"
	"counterpart/internal/domain/order"
	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/payment"
	"counterpart/internal/domain/quote"
	"counterpart/internal/domain/staff"
	"counterpart/internal/flow/checkout"
	"counterpart/internal/flow/shopping"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/jobs"
	"counterpart/internal/platform/limit"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/postal"
	"counterpart/internal/platform/text"
	"counterpart/internal/query/basket"
)

// ErrGone says that a draft is none any more.
var ErrGone = fault.New(fault.NotFound, "This draft no longer exists.")

var errSent = fault.New(fault.Conflict, "This draft has already become an order.")

// Beginning is a draft to be begun.
type Beginning struct {
	CustomerID int64
	AddsTo     int64   // the order that its units are added to; 0: none
	Stores     []int64 // whose prices may hold: the first, or that of the order that it adds to
	Contact    order.DraftContact
	Country    string
}

// Begin makes an empty draft for somebody; 0 where the form was sent before. One that adds to an order goes the way of
// what of that has not left yet.
func Begin(ctx context.Context, db pg.DB, at origin.Origin, b Beginning) (id int64, err error) {
	err = pg.InTx(ctx, db, func(tx pgx.Tx) error {
		if first, err := limit.Once(ctx, tx, fmt.Sprint(at.AssociateID, "draft", b.CustomerID, b.AddsTo), at.Form); err != nil ||
			!first {
			return err
		}
		if len(b.Stores) == 0 {
			return fault.New(fault.Conflict, "Open a store first: an order is priced by one.")
		}
		delivery, store := int64(0), b.Stores[0]
		if b.AddsTo != 0 {
			with, err := order.CompanionOf(ctx, tx, b.AddsTo)
			if err != nil {
				return err
			}
			if with == nil {
				return fault.New(fault.Conflict, "This order has left or is closed, so nothing can be added to it. Make a new order instead.")
			}
			b.CustomerID, b.Contact, b.Country, delivery = with.CustomerID, with.DraftContact, with.Country, with.DeliveryID
			for _, place := range []int64{with.StoreID, with.LocationID} {
				if slices.Contains(b.Stores, place) {
					store = place
				}
			}
		}
		if b.CustomerID, err = customer.Root(ctx, tx, b.CustomerID); err != nil {
			return err
		}
		if err := customer.LockActive(ctx, tx, b.CustomerID); err != nil {
			return err
		}
		d := order.Draft{CustomerID: b.CustomerID, AddsTo: b.AddsTo, DraftContact: b.Contact}
		if d.CartID, err = standIn(ctx, tx, b.CustomerID, func() (int64, error) {
			cartID, err := cart.Open(ctx, tx, b.CustomerID, store, at.Channel)
			if err != nil || b.Country == "" {
				return cartID, err
			}
			return cartID, cart.DeliverTo(ctx, tx, b.CustomerID, b.Country, postal.State(b.Country, b.Contact.Region),
				delivery)
		}); err != nil {
			return err
		}
		id, err = order.NewDraft(ctx, tx, d, at.AssociateID)
		return err
	})
	return id, err
}

// standIn sets somebody's own open cart aside while another one is opened and something is done with it; then that is a
// draft again, unless it became an order, and theirs is back.
func standIn(ctx context.Context, tx pgx.Tx, person int64, do func() (cartID int64, err error)) (cartID int64, err error) {
	if _, err := cart.SetAside(ctx, tx, person); err != nil {
		return 0, err
	}
	if cartID, err = do(); err != nil {
		return 0, err
	}
	if err := cart.CloseDraft(ctx, tx, cartID); err != nil {
		return 0, err
	}
	return cartID, cart.BringBack(ctx, tx, person)
}

// opened is a draft whose cart is its customer's open one until the transaction ends.
type opened struct {
	*order.Draft
	tx     pgx.Tx
	person int64
	with   *order.Companion // what of the order that it adds to has not left
}

// open runs something with a draft's cart in the place of its customer's own, so that whatever can be done with a cart
// can be done with a draft. The customer is locked first, as everywhere.
func open(ctx context.Context, tx pgx.Tx, id int64, do func(o *opened) error) error {
	d, err := order.DraftByID(ctx, tx, id)
	if err != nil {
		return err
	}
	if d == nil {
		return ErrGone
	}
	o := &opened{tx: tx}
	if o.person, err = customer.Root(ctx, tx, d.CustomerID); err != nil {
		return err
	}
	if err := customer.LockRow(ctx, tx, o.person); err != nil {
		return err
	}
	if err := customer.LockActive(ctx, tx, o.person); err != nil {
		return err
	}
	if o.Draft, err = order.LockDraft(ctx, tx, id); err != nil {
		return err
	}
	switch {
	case o.Draft == nil:
		return ErrGone
	case o.OrderID != 0:
		return errSent
	}
	if o.AddsTo != 0 {
		if o.with, err = order.CompanionOf(ctx, tx, o.AddsTo); err != nil {
			return err
		}
	}
	_, err = standIn(ctx, tx, o.person, func() (int64, error) {
		there, err := cart.OpenDraft(ctx, tx, o.CartID, o.person)
		if err != nil {
			return 0, err
		}
		if !there {
			return 0, ErrGone
		}
		return o.CartID, do(o)
	})
	return err
}

// context is how the draft is priced: what travels with an order that has not left pays no second delivery.
func (o *opened) context() basket.SaleContext {
	here := basket.SaleContext{Email: o.Email}
	if o.together() {
		here.Together = basket.Parcel{DeliveryID: o.with.DeliveryID, LocationID: o.with.LocationID, Country: o.with.Country}
	}
	return here
}

// together says whether it goes to where a parcel of the order that it adds to goes.
func (o *opened) together() bool {
	return o.with != nil && o.with.Method == quote.Ship && o.with.Lines == o.Lines && o.with.Town == o.Town &&
		o.with.Region == o.Region && o.with.Postcode == o.Postcode
}

func (o *opened) load(ctx context.Context, language string) (*basket.Basket, error) {
	return basket.LoadAt(ctx, o.tx, o.person, o.context(), language)
}

// View is a draft as it stands.
type View struct {
	*order.Draft
	Person int64
	Basket *basket.Basket
	With   *order.Companion
}

var errLook = errors.New("it was only looked at")

// Look prices a draft. Its cart is opened for it and closed again, and nothing is written.
func Look(ctx context.Context, db pg.DB, id int64, language string) (v *View, err error) {
	err = pg.InTx(ctx, db, func(tx pgx.Tx) error {
		err := open(ctx, tx, id, func(o *opened) (err error) {
			v = &View{Draft: o.Draft, Person: o.person, With: o.with}
			v.Basket, err = o.load(ctx, language)
			return err
		})
		if err == nil {
			err = errLook
		}
		return err
	})
	if errors.Is(err, errLook) {
		err = nil
	}
	return v, err
}

// LineChange is what a form says of a line: how many, and how they are had.
type LineChange struct {
	LineID   int64
	Quantity int
	Way      cart.Way
}

// Change is a draft's whole form.
type Change struct {
	order.DraftContact
	Lines      []LineChange
	Add        int64 // a variant to add; 0: none
	Code       string
	DropCode   string
	LocationID int64  // the store whose prices hold; 0: as it is
	Country    string // where it is sent; empty: as it is
	DeliveryID int64
	Version    int64 // of the draft as it was shown; 0: whatever it is
}

var errChanged = fault.New(fault.Conflict,
	"Someone changed this draft in another window. Check what stands here now, then save again.")

// Save writes what a form says of a draft. What is wrong is said field by field, and the rest of it is kept.
func Save(ctx context.Context, db pg.DB, at origin.Origin, id int64, c Change) error {
	var form fault.Form
	err := pg.InTx(ctx, db, func(tx pgx.Tx) error {
		form = fault.Form{}
		return open(ctx, tx, id, func(o *opened) error { return o.save(ctx, at, c, &form) })
	})
	if err != nil {
		return err
	}
	return form.Err()
}

func (o *opened) save(ctx context.Context, at origin.Origin, c Change, form *fault.Form) error {
	if c.Version != 0 && c.Version != o.Version {
		return errChanged
	}
	if err := order.SetDraftContact(ctx, o.tx, o.ID, c.tidy()); err != nil {
		return err
	}
	if c.LocationID != 0 && c.LocationID != o.LocationID {
		if err := o.moveTo(ctx, c.LocationID, form); err != nil {
			return err
		}
	}
	if c.Country != "" {
		if err := cart.DeliverTo(ctx, o.tx, o.person, c.Country, postal.State(c.Country, c.Region),
			c.DeliveryID); err != nil {
			return err
		}
	}
	for _, line := range c.Lines {
		field := "quantity-" + strconv.FormatInt(line.LineID, 10)
		if line.Quantity < 0 || line.Quantity > cart.MaxQuantity {
			form.Add(field, "Enter a number from 0 to {most}.", text.Args{"most": cart.MaxQuantity})
			continue
		}
		err := cart.SetQuantity(ctx, o.tx, o.person, line.LineID, line.Quantity, 0)
		if err == nil && line.Quantity > 0 && line.Way.Method != "" {
			err = cart.SetWay(ctx, o.tx, o.person, line.LineID, line.Way)
		}
		if fault.As(err) != nil {
			form.Add(field, "It can’t be had that way. Choose another.")
		} else if err != nil {
			return err
		}
	}
	if c.Add != 0 {
		if err := o.add(ctx, at, c.Add, form); err != nil {
			return err
		}
	}
	if c.DropCode != "" {
		if err := cart.RemoveCode(ctx, o.tx, o.person, c.DropCode); err != nil {
			return err
		}
	}
	if strings.TrimSpace(c.Code) != "" {
		err := shopping.UseCode(ctx, o.tx, shopping.Shopper{Person: o.person, Address: "admin"}, c.Code)
		if fault.As(err) != nil {
			form.Add("code", "That code isn’t valid, or has expired.")
		} else if err != nil {
			return err
		}
	}
	return nil
}

// add puts a unit of a variant in, to go the way of what is there already, or of the order that it is added to.
func (o *opened) add(ctx context.Context, at origin.Origin, variantID int64, form *fault.Form) error {
	err := cart.Add(ctx, o.tx, o.CartID, cart.NewLine{VariantID: variantID, Quantity: 1, Channel: at.Channel})
	if fault.As(err) != nil {
		form.Add("find", "We can’t add this: it’s no longer on sale, or the draft is full.")
		return nil
	}
	if err != nil || o.with == nil || o.with.Method != quote.Ship {
		return err
	}
	return cart.SetDelivery(ctx, o.tx, o.CartID, variantID)
}

// moveTo has a draft priced at another store. Where something is in it, it has to deal in the same prices.
func (o *opened) moveTo(ctx context.Context, locationID int64, form *fault.Form) error {
	all, err := location.All(ctx, o.tx)
	if err != nil {
		return err
	}
	b, err := o.load(ctx, text.Source)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(all, func(l location.Location) bool { return l.ID == locationID && l.Kind == "store" })
	if i < 0 || b != nil && len(b.Lines) > 0 && (all[i].Currency != b.Home.Currency ||
		all[i].TaxIncluded != b.Home.TaxIncluded) {
		form.Add("store", "Choose a store with the same currency and tax, or begin another draft.")
		return nil
	}
	return cart.CollectAt(ctx, o.tx, o.person, locationID)
}

// tidy is a contact as it is kept.
func (c Change) tidy() order.DraftContact {
	return order.DraftContact{Name: text.Clean(c.Name, 100), Email: text.Clean(c.Email, 254),
		Phone: text.Clean(c.Phone, 40), Lines: text.Clean(c.DraftContact.Lines, 300), Town: text.Clean(c.Town, 80),
		Region: text.Clean(c.Region, 60), Postcode: text.Clean(c.Postcode, 20)}
}

// Sending is a draft that is to become an order.
type Sending struct {
	Expected int64         // minor units: the total that was shown
	Pay      string        // payment.Card: by the link; payment.PayAtPickup: when it is collected
	Lives    time.Duration // of the link
	Gateway  string
}

// Send places a draft. What is paid by the link waits for it, with its stock reserved, and the link is mailed; else it is
// confirmed. Sent twice it is one order.
func Send(ctx context.Context, db pg.DB, at origin.Origin, id int64, s Sending) (orderID int64, err error) {
	if !slices.Contains(order.LinkLives, s.Lives) {
		s.Lives = order.LinkLives[1]
	}
	for attempt := 1; ; attempt++ {
		err = pg.InTx(ctx, db, func(tx pgx.Tx) error {
			return open(ctx, tx, id, func(o *opened) (err error) {
				orderID, err = o.send(ctx, at, s)
				return err
			})
		})
		if attempt == 5 || !order.CodeTaken(err) {
			break
		}
	}
	if errors.Is(err, errSent) {
		d, again := order.DraftByID(ctx, db, id)
		if d != nil {
			return d.OrderID, again
		}
	}
	return orderID, err
}

func (o *opened) send(ctx context.Context, at origin.Origin, s Sending) (int64, error) {
	if s.Pay == payment.Card && strings.TrimSpace(o.Email) == "" {
		return 0, fault.Field("email", "Enter an email address: the link to pay goes there.")
	}
	if o.together() {
		s.Lives = order.LinkLives[0] // The parcel waits for nobody.
	}
	b, err := o.load(ctx, at.Language)
	if err != nil {
		return 0, err
	}
	country := ""
	if b != nil {
		country = b.Country
	}
	placed, err := checkout.PlaceInTx(ctx, o.tx, at, checkout.Request{CustomerID: o.person, CartID: o.CartID,
		Expected: s.Expected, Name: o.Name, Email: o.Email, Phone: o.Phone, Pay: s.Pay, Gateway: s.Gateway, Hold: s.Lives,
		Store: o.LocationID, Here: o.context(), To: postal.Address{Name: o.Name, Lines: o.Lines, Town: o.Town,
			Region: o.Region, Postcode: o.Postcode, Country: country}})
	if err != nil {
		return 0, err
	}
	if err := order.DraftBecame(ctx, o.tx, o.ID, placed.ID); err != nil {
		return 0, err
	}
	if err := staff.Log(ctx, o.tx, staff.Entry{AssociateID: at.AssociateID, Action: "order.drafted", Subject: "order",
		SubjectID: placed.ID, LocationID: cmp.Or(o.LocationID, at.LocationID),
		After: map[string]any{"draft": o.ID}}); err != nil {
		return 0, err
	}
	if placed.PaymentID == 0 {
		return placed.ID, nil
	}
	return placed.ID, jobs.Insert(ctx, o.tx, message.OrderMail{OrderID: placed.ID, Mail: message.MailPayLink})
}

// Drop removes a draft.
func Drop(ctx context.Context, db pg.DB, at origin.Origin, id int64) error {
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		if first, err := limit.Once(ctx, tx, "drop draft", at.Form); err != nil || !first {
			return err
		}
		d, err := order.LockDraft(ctx, tx, id)
		if err != nil {
			return err
		}
		switch {
		case d == nil:
			return nil // Somebody did it already.
		case d.OrderID != 0:
			return errSent
		}
		return order.DropDraft(ctx, tx, d)
	})
}
