// Package dispatch is the way of an order out of the back door: packed, handed to a carrier, and the shopper told.
package dispatch

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/inventory"
	"counterpart/internal/domain/message"
	"counterpart/internal/domain/order"
	"counterpart/internal/domain/origin"
	"counterpart/internal/flow/settle"
	"counterpart/internal/flow/shortage"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/jobs"
	"counterpart/internal/platform/live"
	"counterpart/internal/platform/pg"
)

// Send says that everything open of a part left with a carrier. The whole order is paid now, and the goods leave the
// shelf.
func Send(ctx context.Context, db pg.DB, at origin.Origin, fulfilmentID int64, carrier, tracking string) error {
	carrier, tracking = strings.Join(strings.Fields(carrier), " "), strings.Join(strings.Fields(tracking), " ")
	var form fault.Form
	if carrier == "" || utf8.RuneCountInString(carrier) > 60 {
		form.Add("carrier", "Enter the carrier, up to 60 characters.")
	}
	if utf8.RuneCountInString(tracking) > 60 {
		form.Add("tracking", "That tracking number is too long. Use up to 60 characters.")
	}
	if err := form.Err(); err != nil {
		return err
	}
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		f, err := order.LockFulfilment(ctx, tx, fulfilmentID, at.LocationID)
		if err != nil {
			return err
		}
		if f == nil {
			return fault.New(fault.NotFound, "We can’t find that order at this store.")
		}
		if err := f.Stopped(); err != nil {
			return err
		}
		if f.PaymentState != order.Authorised && f.PaymentState != order.Paid {
			return fault.New(fault.Conflict,
				"This order isn’t paid, so it can’t be sent. The customer can pay again on the order page or at a counter.")
		}
		loose, err := order.UnreservedLines(ctx, tx, f.OpenLines)
		if err != nil {
			return err
		}
		done, err := order.MarkShipped(ctx, tx, f.ID, at.AssociateID, carrier, tracking)
		if err != nil {
			return fmt.Errorf("mark a parcel as sent: %w", err)
		}
		if !done {
			return fault.New(fault.Conflict, "This parcel has already been sent, or was cancelled.")
		}
		if err := settle.HandedOver(ctx, tx, f.OrderID, f.ID, f.CustomerID); err != nil {
			return err
		}
		fact := customer.Fact{CustomerID: f.CustomerID, Kind: customer.Shipped, Channel: at.Channel,
			LocationID: f.LocationID, OrderID: f.OrderID}
		if err := customer.Record(ctx, tx, fact); err != nil {
			return err
		}
		if err := live.Notify(ctx, tx, live.Queue(f.LocationID), live.Customer(f.CustomerID)); err != nil {
			return err
		}
		if err := jobs.Insert(ctx, tx, message.OrderMail{OrderID: f.OrderID, Mail: message.MailShipped,
			FulfilmentID: f.ID}); err != nil {
			return err
		}
		return shortage.HandOverStock(ctx, tx, f, loose, inventory.Reason{Channel: at.Channel,
			AssociateID: at.AssociateID})
	})
}
