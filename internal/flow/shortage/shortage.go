// Package shortage is what happens when there is less than was promised: whose promise goes, and what its shopper wants
// instead.
package shortage

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/delivery"
	"counterpart/internal/domain/inventory"
	"counterpart/internal/domain/location"
	"counterpart/internal/domain/message"
	"counterpart/internal/domain/order"
	"counterpart/internal/domain/origin"
	"counterpart/internal/flow/settle"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/jobs"
	"counterpart/internal/platform/live"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/postal"
	"counterpart/internal/platform/text"
)

// offer keeps units that were not found open for the shopper to choose: another store, sending, or their money back. It
// answers false where nothing of them can be offered elsewhere: it is not a pickup.
func offer(ctx context.Context, tx pgx.Tx, at origin.Origin, f *order.Fulfilment, orderLineID int64,
	quantity int) (bool, error) {
	if f.Method != "pickup" {
		return false, nil
	}
	waiting, err := order.OfferChoice(ctx, tx, f, orderLineID, quantity)
	if err != nil || waiting == 0 {
		return false, err
	}
	return true, settle.Tell(ctx, tx, at, f, customer.Contacted,
		message.OrderMail{OrderID: f.OrderID, Mail: message.MailShort, LineID: waiting})
}

// Choice is what a shopper wants instead of what was not found.
type Choice struct {
	OrderID    int64
	ShortageID int64
	What       string         // store, ship or refund
	LocationID int64          // of the store
	To         postal.Address // where it is sent
	By         string         // shopper, staff or time
}

// Chose reads the value of a button: refund, ship, or store:12.
func (c *Choice) Chose(button string) {
	what, store, _ := strings.Cut(button, ":")
	c.What = what
	c.LocationID, _ = strconv.ParseInt(store, 10, 64) // What is no store is refused with the choice.
}

// Options are what can be chosen for a shortage, as it stands: stores that have it, the nearest first, and a place that
// can send it.
type Options struct {
	order.Shortage
	Stores  []location.Location
	MayShip bool
	Home    location.Location  // where it was not found
	Country string             // in which it can be sent
	From    *location.Location // the place that sends it
	Way     *delivery.Method
}

// OptionsOf reads the open shortages of an order with what can be chosen for each.
func OptionsOf(ctx context.Context, db pg.DB, orderID int64) (all []Options, err error) {
	open, err := order.Shortages(ctx, db, orderID)
	if err != nil || len(open) == 0 {
		return nil, err
	}
	places, err := location.All(ctx, db)
	if err != nil {
		return nil, err
	}
	for _, s := range open {
		o := Options{Shortage: s}
		i := slices.IndexFunc(places, func(l location.Location) bool { return l.ID == s.LocationID })
		home := places[i]
		o.Home, o.Country = home, home.Country
		free, err := inventory.AvailableByLocation(ctx, db, s.VariantID)
		if err != nil {
			return nil, err
		}
		for _, l := range places {
			// Where prices and taxes are others, it would be another order.
			if l.Currency != home.Currency || l.Country != home.Country || l.Region != home.Region ||
				free[l.ID] < s.Quantity {
				continue
			}
			if _, opens := l.ReadyBy(time.Now()); l.Kind == "store" && l.Pickup && opens && l.ID != home.ID {
				o.Stores = append(o.Stores, l)
			}
			if l.Ship && s.Paid && (o.From == nil || l.Kind == "warehouse") {
				o.From = &l
			}
		}
		slices.SortStableFunc(o.Stores, func(a, b location.Location) int {
			return cmp.Compare(home.Point().Kilometres(a.Point()), home.Point().Kilometres(b.Point()))
		})
		o.Stores = o.Stores[:min(5, len(o.Stores))]
		if o.From != nil {
			if o.Way, err = delivery.Cheapest(ctx, db, home.Currency, home.Country); err != nil {
				return nil, err
			}
		}
		o.MayShip = o.From != nil && o.Way != nil
		all = append(all, o)
	}
	return all, nil
}

var errDecided = fault.New(fault.Conflict, "This has already been decided. The page shows how it stands.")

// Decide does what was chosen for a shortage. It is decided once: the first who chooses, or the time.
func Decide(ctx context.Context, db pg.DB, at origin.Origin, c Choice) error {
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		h, err := order.LockOrder(ctx, tx, c.OrderID)
		if err != nil {
			return err
		}
		if h == nil {
			return order.ErrNotHere
		}
		all, err := OptionsOf(ctx, tx, c.OrderID)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(all, func(o Options) bool { return o.ID == c.ShortageID })
		if i < 0 {
			return errDecided
		}
		o := all[i]
		done, err := order.DecideShortage(ctx, tx, o.ID, c.What, c.By)
		if err != nil || !done {
			return errors.Join(err, errDecided)
		}
		switch c.What {
		case "store":
			return collectElsewhere(ctx, tx, h, o, c.LocationID)
		case "ship":
			return sendInstead(ctx, tx, h, o, c.To)
		case "refund":
			return refundShortage(ctx, tx, at, h, o)
		}
		return fault.New(fault.Invalid, "Choose another store, delivery or your money back.")
	})
}

func collectElsewhere(ctx context.Context, tx pgx.Tx, h *order.Held, o Options, locationID int64) error {
	i := slices.IndexFunc(o.Stores, func(l location.Location) bool { return l.ID == locationID })
	if i < 0 {
		return fault.New(fault.Conflict, "That store no longer has it. Choose another one.")
	}
	store := o.Stores[i]
	readyBy, _ := store.ReadyBy(time.Now())
	if err := order.MoveToStore(ctx, tx, o.FulfilmentID, store.ID, readyBy); err != nil {
		return err
	}
	return claimInstead(ctx, tx, h, o, store.ID)
}

func sendInstead(ctx context.Context, tx pgx.Tx, h *order.Held, o Options, to postal.Address) error {
	if !o.MayShip {
		return fault.New(fault.Conflict, "We can’t send this at the moment. Choose another store or your money back.")
	}
	to.Country = o.Country
	var form fault.Form
	postal.Check(&to, &form)
	if err := form.Err(); err != nil {
		return err
	}
	from, by := o.Way.Arrives(time.Now().In(o.From.Zone()), o.From.Shut)
	address := order.Address{Name: to.Name, Lines: to.Lines, Town: to.Town, Region: to.Region, Postcode: to.Postcode,
		Country: to.Country}
	if err := order.MoveToDelivery(ctx, tx, order.Delivery{FulfilmentID: o.FulfilmentID, LocationID: o.From.ID,
		DeliveryID: o.Way.ID, To: address, From: from, By: by}); err != nil {
		return err
	}
	return claimInstead(ctx, tx, h, o, o.From.ID)
}

// claimInstead reserves the goods where they come from now, last of all.
func claimInstead(ctx context.Context, tx pgx.Tx, h *order.Held, o Options, locationID int64) error {
	if err := live.Notify(ctx, tx, live.Queue(locationID), live.Customer(h.CustomerID)); err != nil {
		return err
	}
	if h.Email != "" {
		if err := jobs.Insert(ctx, tx, message.OrderMail{OrderID: h.ID, Mail: message.MailInstead,
			FulfilmentID: o.FulfilmentID}); err != nil {
			return err
		}
	}
	short, err := inventory.Reserve(ctx, tx, nil, []inventory.Reservation{{OrderLineID: o.LineID,
		VariantID: o.VariantID, LocationID: locationID, Quantity: o.Quantity}})
	if err == nil && len(short) > 0 {
		err = fault.New(fault.Conflict,
			"Someone just bought the last {title} there. Choose another store or your money back.",
			text.Args{"title": o.Title})
	}
	return err
}

// refundShortage takes what was not found out of the order, and gives back what it cost.
func refundShortage(ctx context.Context, tx pgx.Tx, at origin.Origin, h *order.Held, o Options) error {
	if _, err := order.CancelUnits(ctx, tx, o.LineID, 1<<30); err != nil {
		return err
	}
	if _, err := settle.RefundCancelled(ctx, tx, h.ID); err != nil {
		return err
	}
	f := &order.Fulfilment{ID: o.FulfilmentID, OrderID: h.ID, CustomerID: h.CustomerID, LocationID: o.LocationID}
	return settle.Tell(ctx, tx, at, f, customer.Cancelled, message.OrderMail{OrderID: h.ID, Mail: message.MailTakenOff,
		LineID: o.LineID})
}

// DecideOverdue gives the money back of what nobody has chosen anything for in time.
func DecideOverdue(ctx context.Context, db pg.DB) error {
	return jobs.Each(ctx, db, `
		SELECT order_id, id
		FROM shortage
		WHERE decided_at IS NULL AND decide_by <= now()
		ORDER BY decide_by
		LIMIT 200`, func(orderID, shortageID int64) error {
		err := Decide(ctx, db, origin.Job(), Choice{OrderID: orderID, ShortageID: shortageID, What: "refund",
			By: "time"})
		if fault.As(err) != nil {
			return nil // Somebody chose in this moment.
		}
		return err
	})
}

// MarkShort says that units of an order that is locked are not there, and tells the shopper: of a pickup they choose
// what becomes of them, of what is sent they are taken out and given back. The shelf is the caller's, last.
func MarkShort(ctx context.Context, tx pgx.Tx, at origin.Origin, f *order.Fulfilment, orderLineID int64,
	quantity int) error {
	if quantity > 0 {
		offered, err := offer(ctx, tx, at, f, orderLineID, quantity)
		if err != nil || offered {
			return err
		}
	}
	cancelled, err := order.CancelUnits(ctx, tx, orderLineID, quantity)
	if err != nil {
		return err
	}
	if cancelled < int64(quantity) || quantity < 1 {
		return fault.Field("quantity", "Only {n} of this item still to pick.", text.Args{"n": cancelled})
	}
	if _, err := settle.RefundCancelled(ctx, tx, f.OrderID); err != nil {
		return err
	}
	return settle.Tell(ctx, tx, at, f, customer.Contacted, message.OrderMail{OrderID: f.OrderID,
		Mail: message.MailShort, LineID: orderLineID})
}
