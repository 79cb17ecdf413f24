// Package amendment is what the admin changes of an order that was placed: whom and where it goes to, which units, how
// they are got, whether it waits. Each change is in the audit trail, with why.
package amendment

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/delivery"
	"counterpart/internal/domain/inventory"
	"counterpart/internal/domain/location"
	"counterpart/internal/domain/message"
	"counterpart/internal/domain/order"
	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/staff"
	"counterpart/internal/flow/settle"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/jobs"
	"counterpart/internal/platform/limit"
	"counterpart/internal/platform/live"
	"counterpart/internal/platform/merge"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/postal"
	"counterpart/internal/platform/text"
)

// act changes an order that is locked, and keeps in the audit trail what changed. Without an after nothing did.
func act(ctx context.Context, db pg.DB, at origin.Origin, orderID int64, action string,
	write func(tx pgx.Tx, h *order.Held) (staff.Entry, error)) error {
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		h, err := order.LockOrder(ctx, tx, orderID)
		if err != nil {
			return err
		}
		if h == nil {
			return order.ErrNotHere
		}
		if first, err := limit.Once(ctx, tx, fmt.Sprint(at.AssociateID, action, orderID), at.Form); err != nil || !first {
			return err
		}
		entry, err := write(tx, h)
		if err != nil || entry.After == nil {
			return err
		}
		entry.AssociateID, entry.Action, entry.Subject, entry.SubjectID = at.AssociateID, action, "order", orderID
		entry.LocationID = h.LocationID
		return staff.Log(ctx, tx, entry)
	})
}

// reasonOf tidies up why something is done; it has to be said.
func reasonOf(typed string) (string, error) {
	reason, said := staff.Reason(typed)
	if !said {
		return "", fault.Field("reason", "Say why, in up to 200 characters.")
	}
	return reason, nil
}

// tellChanged wakes the pages that show an order and lets whoever ordered know how it stands.
func tellChanged(ctx context.Context, tx pgx.Tx, h *order.Held, places ...int64) error {
	topics := []string{live.Customer(h.CustomerID)}
	for _, place := range places {
		topics = append(topics, live.Queue(place))
	}
	if err := live.Notify(ctx, tx, topics...); err != nil {
		return err
	}
	if h.Email == "" {
		return nil
	}
	return jobs.Insert(ctx, tx, message.OrderMail{OrderID: h.ID, Mail: message.MailChanged, Again: rand.Text()[:8]})
}

// CancelUnits takes open units of a line out of an order. What was paid for them goes back; whoever ordered is told.
func CancelUnits(ctx context.Context, db pg.DB, at origin.Origin, orderID, orderLineID int64, quantity int,
	reason string) error {
	reason, err := reasonOf(reason)
	if err != nil {
		return err
	}
	return act(ctx, db, at, orderID, "order.units_cancelled", func(tx pgx.Tx, h *order.Held) (e staff.Entry, err error) {
		if h.State == order.Placed {
			return e, fault.New(fault.Conflict,
				"The customer is asked for the whole amount just now. Cancel the order and prepare it again, or wait until it’s paid.")
		}
		lines, err := order.OpenLines(ctx, tx, orderID)
		if err != nil {
			return e, err
		}
		if quantity < 1 || !slices.Contains(lines, orderLineID) {
			return e, fault.Field("quantity", "Enter how many to cancel, from those that are still open.")
		}
		cancelled, err := order.CancelUnits(ctx, tx, orderLineID, quantity)
		if err != nil {
			return e, err
		}
		if cancelled < int64(quantity) {
			return e, fault.Field("quantity", "Only {n} of this item are still open.", text.Args{"n": cancelled})
		}
		if err := settleCancelled(ctx, tx, at, h, quantity); err != nil {
			return e, err
		}
		e = staff.Entry{After: map[string]any{"line": orderLineID, "units": quantity}, Reason: reason}
		return e, inventory.ReleaseUnits(ctx, tx, orderLineID, quantity)
	})
}

// Cancel takes all that is still open out of an order, staged or not; what was handed over or sent stays. What was paid
// for it goes back; whoever ordered is told.
func Cancel(ctx context.Context, db pg.DB, at origin.Origin, orderID int64, reason string) error {
	reason, err := reasonOf(reason)
	if err != nil {
		return err
	}
	return act(ctx, db, at, orderID, "order.cancelled", func(tx pgx.Tx, h *order.Held) (e staff.Entry, err error) {
		lines, err := order.OpenLines(ctx, tx, orderID)
		if err != nil {
			return e, err
		}
		units := 0
		for _, line := range lines {
			cancelled, err := order.CancelUnits(ctx, tx, line, 1<<30)
			if err != nil {
				return e, err
			}
			units += int(cancelled)
		}
		if units == 0 {
			return e, fault.New(fault.Conflict, "There’s nothing left to cancel: it was handed over, sent or cancelled.")
		}
		if err := settleCancelled(ctx, tx, at, h, units); err != nil {
			return e, err
		}
		return staff.Entry{After: map[string]any{"units": units}, Reason: reason}, inventory.Release(ctx, tx, lines)
	})
}

// settleCancelled brings the money in line after units were cancelled, writes it down and tells whoever ordered.
func settleCancelled(ctx context.Context, tx pgx.Tx, at origin.Origin, h *order.Held, units int) error {
	gone, err := settle.RefundCancelled(ctx, tx, h.ID)
	if err != nil {
		return err
	}
	if err := customer.Record(ctx, tx, customer.Fact{CustomerID: h.CustomerID, Kind: customer.Cancelled,
		Channel: at.Channel, LocationID: at.LocationID, OrderID: h.ID, Quantity: units}); err != nil {
		return err
	}
	if gone {
		return settle.Tell(ctx, tx, at, &order.Fulfilment{OrderID: h.ID, CustomerID: h.CustomerID,
			LocationID: h.LocationID}, customer.Contacted, message.OrderMail{OrderID: h.ID,
			Mail: message.MailCancelled})
	}
	return tellChanged(ctx, tx, h, h.LocationID)
}

// SetContact merges a form onto whom an order is handed to, and how they are reached.
func SetContact(ctx context.Context, db pg.DB, at origin.Origin, orderID int64, edit merge.Edit) error {
	return act(ctx, db, at, orderID, "order.contact", func(tx pgx.Tx, h *order.Held) (e staff.Entry, err error) {
		before, err := order.ContactOf(ctx, tx, orderID)
		if err != nil {
			return e, err
		}
		now := before.Fields()
		merged, both := edit.Onto(now)
		if err := merge.Conflict(both); err != nil {
			return e, err
		}
		var form fault.Form
		after := order.Contact{Name: text.Clean(merged["name"], 121), Phone: text.Clean(merged["phone"], 41)}
		if after.Name == "" || utf8.RuneCountInString(after.Name) > 120 {
			form.Add("name", "Enter a name, up to 120 characters.")
		}
		if merged["email"] != "" {
			var ok bool
			if after.Email, ok = customer.NormalEmail(merged["email"]); !ok {
				form.Add("email", "Enter a valid email address, such as ada@example.com.")
			}
		}
		if utf8.RuneCountInString(after.Phone) > 40 {
			form.Add("phone", "That’s too long. Use up to {most} characters.", text.Args{"most": 40})
		}
		if after.Email == "" && before.Email != "" {
			form.Add("email", "Enter where we can write to: mails about this order go there.")
		}
		if err := form.Err(); err != nil {
			return e, err
		}
		_, is := merge.Changes(now, after.Fields())
		if len(is) == 0 {
			return e, nil
		}
		if err := order.SetContact(ctx, tx, orderID, after); err != nil {
			return e, err
		}
		return staff.Entry{After: merge.Fields(is)}, live.Notify(ctx, tx, live.Customer(h.CustomerID),
			live.Queue(h.LocationID))
	})
}

var errLeft = fault.New(fault.Conflict, "This part has left already, or was cancelled. The page shows how it stands.")

// SetAddress merges a form onto where a part is sent, while it has not left. Its country stays: tax and charges were
// reckoned with it.
func SetAddress(ctx context.Context, db pg.DB, at origin.Origin, orderID, fulfilmentID int64, edit merge.Edit) error {
	return act(ctx, db, at, orderID, "order.address", func(tx pgx.Tx, h *order.Held) (e staff.Entry, err error) {
		part, err := order.PartOf(ctx, tx, orderID, fulfilmentID)
		if err != nil {
			return e, err
		}
		if part == nil || part.Method != "ship" {
			return e, order.ErrNotHere
		}
		now := addressFields(part.Address)
		merged, both := edit.Onto(now)
		if err := merge.Conflict(both); err != nil {
			return e, err
		}
		to := postal.Address{Name: merged["to_name"], Lines: merged["lines"], Town: merged["town"],
			Region: merged["region"], Postcode: merged["postcode"], Country: part.Country}
		var form fault.Form
		postal.Check(&to, &form)
		if to.Region != part.Region && part.Country == "US" {
			form.Add("region", "The state stays: sales tax was reckoned with it. Cancel the order and place a new one.")
		}
		if err := form.Err(); err != nil {
			return e, renamed(err)
		}
		done, err := order.SetAddress(ctx, tx, fulfilmentID, to)
		if err != nil {
			return e, err
		}
		if !done {
			return e, errLeft
		}
		_, is := merge.Changes(now, addressFields(to))
		if len(is) == 0 {
			return e, nil
		}
		return staff.Entry{After: merge.Fields(is)}, tellChanged(ctx, tx, h, part.LocationID)
	})
}

func addressFields(a postal.Address) map[string]string {
	return map[string]string{"to_name": a.Name, "lines": a.Lines, "town": a.Town, "region": a.Region,
		"postcode": a.Postcode}
}

// renamed has the name of an address' field stand apart from that of the order's contact.
func renamed(err error) error {
	f := fault.As(err)
	if message, ok := f.Fields["name"]; ok {
		f.Fields["to_name"] = message
		delete(f.Fields, "name")
	}
	return f
}

// Move is what is to be got another way.
type Move struct {
	LineID     int64
	Quantity   int
	LocationID int64 // where it is collected, or sent from
	Ship       bool
	To         postal.Address // of what is sent
}

// MoveLine has open units of a line collected at another store, or sent instead, at no charge.
func MoveLine(ctx context.Context, db pg.DB, at origin.Origin, orderID int64, move Move) error {
	return act(ctx, db, at, orderID, "order.moved", func(tx pgx.Tx, h *order.Held) (e staff.Entry, err error) {
		line, err := order.LineToMove(ctx, tx, orderID, move.LineID)
		if err != nil {
			return e, err
		}
		if line == nil {
			return e, fault.New(fault.Conflict,
				"This item can’t be moved any more: it’s staged, on its way, or being decided about.")
		}
		if move.Quantity < 1 || move.Quantity > line.Open {
			return e, fault.Field("quantity", "Only {n} of this item are still open.", text.Args{"n": line.Open})
		}
		target, err := targetOf(ctx, tx, h, line, move)
		if err != nil {
			return e, err
		}
		moved, err := order.MoveLine(ctx, tx, orderID, move.LineID, line, move.Quantity, target)
		if err != nil {
			return e, err
		}
		if err := tellChanged(ctx, tx, h, line.LocationID, target.LocationID); err != nil {
			return e, err
		}
		e = staff.Entry{Before: map[string]any{"method": line.Method, "location": line.LocationID},
			After: map[string]any{"line": moved, "units": move.Quantity, "method": target.Method,
				"location": target.LocationID}}
		return e, claimAnew(ctx, tx, line, move, moved, target.LocationID)
	})
}

// claimAnew gives up what the units had reserved and reserves them where they come from now, the shelves last of all.
func claimAnew(ctx context.Context, tx pgx.Tx, line *order.Movable, move Move, moved, locationID int64) error {
	if line.WithoutStock {
		return nil
	}
	if err := inventory.ReleaseUnits(ctx, tx, move.LineID, move.Quantity); err != nil {
		return err
	}
	short, err := inventory.Reserve(ctx, tx, nil, []inventory.Reservation{{OrderLineID: moved,
		VariantID: line.VariantID, LocationID: locationID, Quantity: move.Quantity}})
	if err == nil && len(short) > 0 {
		err = fault.Field("target", "There aren’t {n} of {title} there. Choose another place.",
			text.Args{"n": move.Quantity, "title": line.Title})
	}
	return err
}

// targetOf is where a line goes, and that it can: prices and taxes have to be the same there.
func targetOf(ctx context.Context, tx pgx.Tx, h *order.Held, line *order.Movable, move Move) (t order.Target, err error) {
	all, err := location.All(ctx, tx)
	if err != nil {
		return t, err
	}
	home, err := location.ByID(ctx, tx, h.LocationID)
	if err != nil {
		return t, err
	}
	i := slices.IndexFunc(all, func(l location.Location) bool { return l.ID == move.LocationID })
	if i < 0 || all[i].Currency != home.Currency || all[i].Country != home.Country || all[i].Region != home.Region {
		return t, fault.Field("target", "Choose from the list.")
	}
	place := all[i]
	if !move.Ship {
		readyBy, opens := place.ReadyBy(time.Now())
		if place.Kind != "store" || !place.Pickup || !opens {
			return t, fault.Field("target", "{store} doesn’t offer collection. Choose another store.",
				text.Args{"store": place.Name})
		}
		if line.Method == "pickup" && line.LocationID == place.ID {
			return t, fault.Field("target", "It’s collected there already. Choose another place.")
		}
		return order.Target{Method: "pickup", LocationID: place.ID, ReadyBy: readyBy}, nil
	}
	if !place.Ship {
		return t, fault.Field("target", "{store} doesn’t send orders. Choose another place.",
			text.Args{"store": place.Name})
	}
	if line.Method == "ship" && line.LocationID == place.ID {
		return t, fault.Field("target", "It’s sent from there already. Choose another place.")
	}
	if h.PaymentState != order.Paid && h.PaymentState != order.Authorised {
		return t, fault.Field("target", "What’s paid in store can’t be sent. The customer has to pay first.")
	}
	move.To.Country = place.Country
	var form fault.Form
	postal.Check(&move.To, &form)
	if err := form.Err(); err != nil {
		return t, renamed(err)
	}
	way, err := delivery.Cheapest(ctx, tx, place.Currency, place.Country)
	if err != nil {
		return t, err
	}
	if way == nil {
		return t, fault.Field("target", "No delivery method goes there. Add one in the settings first.")
	}
	from, by := way.Arrives(time.Now().In(place.Zone()), place.Shut)
	return order.Target{Method: "ship", LocationID: place.ID, DeliveryID: way.ID, To: move.To, From: from, By: by}, nil
}

// Hold stops an order: it is neither staged nor sent nor handed over until it is released.
func Hold(ctx context.Context, db pg.DB, at origin.Origin, orderID int64, reason string) error {
	reason, err := reasonOf(reason)
	if err != nil {
		return err
	}
	return setHold(ctx, db, at, orderID, "order.held", reason)
}

// Release lets an order that was on hold go on.
func Release(ctx context.Context, db pg.DB, at origin.Origin, orderID int64) error {
	return setHold(ctx, db, at, orderID, "order.released", "")
}

func setHold(ctx context.Context, db pg.DB, at origin.Origin, orderID int64, action, reason string) error {
	return act(ctx, db, at, orderID, action, func(tx pgx.Tx, h *order.Held) (e staff.Entry, err error) {
		done, err := order.SetHold(ctx, tx, orderID, reason)
		if err != nil {
			return e, err
		}
		if !done {
			return e, fault.New(fault.Conflict, "Someone did that already. The page shows how it stands.")
		}
		return staff.Entry{After: map[string]any{"held": true}, Reason: reason}, live.Notify(ctx, tx,
			live.Queue(h.LocationID))
	})
}

// AddNote writes something down about an order, for staff.
func AddNote(ctx context.Context, db pg.DB, at origin.Origin, orderID int64, body string) error {
	return pg.InTx(ctx, db, func(tx pgx.Tx) error { return order.AddNote(ctx, tx, orderID, at.AssociateID, body) })
}

// SetTags gives an order its tags, parted by commas.
func SetTags(ctx context.Context, db pg.DB, at origin.Origin, orderID int64, typed string) error {
	tags, err := order.ReadTags(typed)
	if err != nil {
		return err
	}
	return act(ctx, db, at, orderID, "order.tagged", func(tx pgx.Tx, _ *order.Held) (staff.Entry, error) {
		return staff.Entry{After: map[string]any{"tags": len(tags)}}, order.SetTags(ctx, tx, orderID, tags)
	})
}

// resendable are the mails that can be sent once more, and whether they are about one part.
var resendable = map[string]bool{message.MailConfirmed: false, message.MailReady: true, message.MailShipped: true,
	message.MailPayLink: false}

// Resend has a mail about an order sent once more, as it reads now.
func Resend(ctx context.Context, db pg.DB, at origin.Origin, orderID, fulfilmentID int64, mail string) error {
	ofPart, ok := resendable[mail]
	if !ok {
		return fault.New(fault.Invalid, "That email can’t be sent again.")
	}
	return act(ctx, db, at, orderID, "order.mailed", func(tx pgx.Tx, h *order.Held) (e staff.Entry, err error) {
		if h.Email == "" {
			return e, fault.New(fault.Invalid, "There’s no email address on this order. Add one first.")
		}
		again := message.OrderMail{OrderID: orderID, Mail: mail, Again: rand.Text()[:8]}
		if ofPart {
			part, err := order.PartOf(ctx, tx, orderID, fulfilmentID)
			if err != nil {
				return e, err
			}
			if part == nil || mail == message.MailReady && part.State != order.Ready ||
				mail == message.MailShipped && part.State != order.Shipped {
				return e, fault.New(fault.Conflict, "That email no longer says how the order stands.")
			}
			again.FulfilmentID = fulfilmentID
		}
		return staff.Entry{After: map[string]any{"mail": mail}}, jobs.Insert(ctx, tx, again)
	})
}

// SetTracking corrects the carrier and the number of a parcel that was sent, and tells whoever waits for it.
func SetTracking(ctx context.Context, db pg.DB, at origin.Origin, orderID, fulfilmentID int64, carrier, tracking string,
	another bool) error {
	carrier, tracking = strings.Join(strings.Fields(carrier), " "), strings.Join(strings.Fields(tracking), " ")
	var form fault.Form
	if carrier == "" || utf8.RuneCountInString(text.Clean(carrier, 61)) > 60 {
		form.Add("carrier", "Enter the carrier, up to 60 characters.")
	}
	if utf8.RuneCountInString(text.Clean(tracking, 61)) > 60 || another && tracking == "" {
		form.Add("tracking", "Enter the tracking number, up to 60 characters.")
	}
	if err := form.Err(); err != nil {
		return err
	}
	carrier, tracking = text.Clean(carrier, 60), text.Clean(tracking, 60)
	return act(ctx, db, at, orderID, "order.tracking", func(tx pgx.Tx, h *order.Held) (e staff.Entry, err error) {
		part, err := order.PartOf(ctx, tx, orderID, fulfilmentID)
		if err != nil {
			return e, err
		}
		if part == nil {
			return e, order.ErrNotHere
		}
		write := order.SetTracking
		if another {
			write = order.AddParcel
		}
		done, err := write(ctx, tx, fulfilmentID, carrier, tracking)
		if err != nil {
			return e, err
		}
		if !done {
			return e, fault.New(fault.Conflict, "It hasn’t been sent yet, has this number already, or has as many parcels as it may.")
		}
		if h.Email != "" {
			if err := jobs.Insert(ctx, tx, message.OrderMail{OrderID: orderID, Mail: message.MailShipped,
				FulfilmentID: fulfilmentID, Again: rand.Text()[:8]}); err != nil {
				return e, err
			}
		}
		return staff.Entry{Before: map[string]any{"carrier": part.Carrier, "tracking": part.Tracking},
			After: map[string]any{"carrier": carrier, "tracking": tracking, "another": another}}, nil
	})
}

// RemoveParcel takes a parcel away that was added.
func RemoveParcel(ctx context.Context, db pg.DB, at origin.Origin, orderID, parcelID int64) error {
	return act(ctx, db, at, orderID, "order.tracking", func(tx pgx.Tx, _ *order.Held) (staff.Entry, error) {
		return staff.Entry{After: map[string]any{"removed": parcelID}}, order.RemoveParcel(ctx, tx, orderID, parcelID)
	})
}
