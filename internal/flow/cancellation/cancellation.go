// Package cancellation is an order that its owner does not want any more.
package cancellation

import (
	"context"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/inventory"
	"counterpart/internal/domain/message"
	"counterpart/internal/domain/order"
	"counterpart/internal/domain/origin"
	"counterpart/internal/flow/settle"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/pg"
)

// Order cancels a whole order for its owner, while nothing of it is staged, handed over or sent. What was paid goes
// back.
func Order(ctx context.Context, db pg.DB, at origin.Origin, orderID int64) error {
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		h, err := order.LockOrder(ctx, tx, orderID)
		if err != nil {
			return err
		}
		begun, err := order.HasBegun(ctx, tx, orderID)
		if err != nil {
			return err
		}
		if h == nil || begun || h.State == order.Cancelled {
			return fault.New(fault.Conflict,
				"This order can’t be cancelled any more: it’s ready, on its way or already cancelled. You can return it to any store.")
		}
		lines, err := order.OpenLines(ctx, tx, orderID)
		if err != nil {
			return err
		}
		for _, line := range lines {
			if _, err := order.CancelUnits(ctx, tx, line, 1<<30); err != nil {
				return err
			}
		}
		if _, err := settle.RefundCancelled(ctx, tx, orderID); err != nil {
			return err
		}
		f := &order.Fulfilment{OrderID: orderID, CustomerID: h.CustomerID, LocationID: h.LocationID}
		if err := settle.Tell(ctx, tx, at, f, customer.Cancelled,
			message.OrderMail{OrderID: orderID, Mail: message.MailCancelled}); err != nil {
			return err
		}
		return inventory.Release(ctx, tx, lines)
	})
}
