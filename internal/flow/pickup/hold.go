package pickup

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/inventory"
	"counterpart/internal/domain/location"
	"counterpart/internal/domain/message"
	"counterpart/internal/domain/order"
	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/task"
	"counterpart/internal/flow/settle"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/jobs"
	"counterpart/internal/platform/live"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/text"
)

// reminders are sent so long before a hold ends.
var reminders = []time.Duration{24 * time.Hour, 4 * time.Hour}

// beforeLapse is how long before a card's authorisation lapses a hold ends at the latest: until then the goods are
// handed over and the money is captured.
const beforeLapse = time.Hour

// Remind tells shoppers whose hold ends soon. Each is told once for each of the two times; a hold that was shorter from
// the start skips the earlier one.
func Remind(ctx context.Context, db pg.DB) error {
	for i, before := range reminders {
		rows, err := db.Query(ctx, `
			SELECT id
			FROM fulfilment
			WHERE state = 'ready' AND reminded < $1 AND hold_until > now() AND hold_until <= now() + $2
				AND ready_at < hold_until - $2
			ORDER BY hold_until
			LIMIT 500`, i+1, before)
		if err != nil {
			return fmt.Errorf("list holds that end soon: %w", err)
		}
		ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
		if err != nil {
			return fmt.Errorf("list holds that end soon: %w", err)
		}
		for _, id := range ids {
			err := pg.InTx(ctx, db, func(tx pgx.Tx) error {
				orderID, err := order.Reminded(ctx, tx, id, i+1)
				if err != nil || orderID == 0 {
					return err
				}
				return jobs.Insert(ctx, tx, message.OrderMail{OrderID: orderID, Mail: message.MailHold,
					FulfilmentID: id, Reminder: i + 1})
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// Extend keeps a staged pickup for as long again, once, and never past the time at which the card's authorisation
// lapses. The answer is when it ends now.
func Extend(ctx context.Context, db pg.DB, orderID, fulfilmentID int64) (until time.Time, err error) {
	err = pg.InTx(ctx, db, func(tx pgx.Tx) error {
		h, err := order.LockOrder(ctx, tx, orderID)
		if err != nil {
			return err
		}
		if h == nil {
			return order.ErrNotHere
		}
		hold, err := order.HoldOf(ctx, tx, orderID, fulfilmentID)
		if err != nil {
			return err
		}
		switch {
		case hold == nil:
			return order.ErrNotHere
		case hold.State != order.Ready || !hold.Until.After(time.Now()):
			return fault.New(fault.Conflict, "This order isn’t waiting for collection any more.")
		case hold.Extended:
			return fault.New(fault.Conflict,
				"We’ve already extended this once. Collect it by {time}, or ask the store.",
				text.Args{"time": text.DayTime(hold.Until.In(hold.Zone()))})
		}
		store, err := location.ByID(ctx, tx, hold.LocationID)
		if err != nil {
			return err
		}
		until = store.KeepUntil(hold.Until, order.HoldDays)
		if hold.Lapses != nil && until.After(hold.Lapses.Add(-beforeLapse)) {
			until = hold.Lapses.Add(-beforeLapse).Truncate(time.Minute)
		}
		if !until.After(hold.Until) {
			return fault.New(fault.Conflict,
				"Your payment authorisation ends soon, so we can’t hold it any longer. Please collect it in time, or cancel and order again.")
		}
		done, err := order.ExtendHold(ctx, tx, fulfilmentID, until)
		if err != nil || !done {
			return errors.Join(err, order.ErrNotHere)
		}
		return live.Notify(ctx, tx, live.Queue(hold.LocationID), live.Customer(h.CustomerID))
	})
	return until, err
}

// Expire ends the holds that are over: what was not collected is cancelled, with money, points and codes as for any
// cancelled order, the shopper is told, and the store puts the goods back.
func Expire(ctx context.Context, db pg.DB) error {
	return jobs.Each(ctx, db, `
		SELECT id, location_id
		FROM fulfilment
		WHERE state = 'ready' AND hold_until <= now()
		ORDER BY hold_until
		LIMIT 200`, func(fulfilmentID, locationID int64) error {
		return expire(ctx, db, origin.Job(), fulfilmentID, locationID)
	})
}

func expire(ctx context.Context, db pg.DB, at origin.Origin, fulfilmentID, locationID int64) error {
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		f, err := order.LockFulfilment(ctx, tx, fulfilmentID, locationID)
		if err != nil || f == nil {
			return err
		}
		// Whoever waited for the order looks again: it may have been collected, extended or cancelled.
		over, err := order.HoldEnded(ctx, tx, fulfilmentID)
		if err != nil || !over {
			return err
		}
		for _, line := range f.OpenLines {
			if _, err := order.CancelUnits(ctx, tx, line, 1<<30); err != nil {
				return err
			}
		}
		if _, err := settle.RefundCancelled(ctx, tx, f.OrderID); err != nil {
			return err
		}
		if err := order.NoShow(ctx, tx, fulfilmentID); err != nil {
			return err
		}
		if err := task.Add(ctx, tx, task.New{LocationID: f.LocationID, Kind: task.Restock,
			Cause: fmt.Sprintf("fulfilment:%d", f.ID), OrderID: f.OrderID,
			DueAt: time.Now().Add(24 * time.Hour)}); err != nil {
			return err
		}
		if err := settle.Tell(ctx, tx, at, f, customer.Cancelled,
			message.OrderMail{OrderID: f.OrderID, Mail: message.MailExpired, FulfilmentID: f.ID}); err != nil {
			return err
		}
		return inventory.Release(ctx, tx, f.OpenLines)
	})
}
