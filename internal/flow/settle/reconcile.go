package settle

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/order"
	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/payment"
	"counterpart/internal/domain/staff"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/jobs"
	"counterpart/internal/platform/pg"
)

// Sweep ends what was placed and not paid in time. The gateway is asked first, and a page that is still open is closed
// before its order is cancelled, so that nobody pays for an order that is gone. Where it cannot be reached the order
// waits.
func (o *Payments) Sweep(ctx context.Context) error {
	rows, err := o.DB.Query(ctx, `
		SELECT id
		FROM orders
		WHERE state = 'placed' AND hold_until <= now()
		ORDER BY hold_until
		LIMIT 200`)
	if err != nil {
		return fmt.Errorf("list orders that are over: %w", err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return err
	}
	var failed error
	for _, id := range ids {
		failed = errors.Join(failed, o.expire(ctx, id))
	}
	return failed
}

// ExpireOrder ends an order that nobody has paid yet, before its time is over: whoever sells it takes the money another
// way. Where somebody has paid meanwhile it stays, and the fault says so.
func (o *Payments) ExpireOrder(ctx context.Context, orderID int64) error {
	if err := o.expire(ctx, orderID); err != nil {
		return errors.Join(errUnreachable, err)
	}
	var state string
	if err := o.DB.QueryRow(ctx, `SELECT state FROM orders WHERE id = $1`, orderID).Scan(&state); err != nil {
		return fmt.Errorf("read an order's state: %w", err)
	}
	if state != order.Cancelled {
		return fault.New(fault.Conflict, "They’ve just paid. Hand over the goods.")
	}
	return nil
}

func (o *Payments) expire(ctx context.Context, orderID int64) error {
	// Its time is over, whoever says so: what the gateway answers from now on ends it.
	if _, err := o.DB.Exec(ctx, `
		UPDATE orders
		SET hold_until = now()
		WHERE id = $1 AND state = 'placed' AND hold_until > now()`, orderID); err != nil {
		return fmt.Errorf("end an order's time: %w", err)
	}
	a, err := payment.LastAttempt(ctx, o.DB, orderID)
	if err != nil {
		return err
	}
	if a != nil && a.State == payment.Started && a.Reference != "" && o.Takes() && o.Gateway.Name() == a.Gateway {
		err := o.Gateway.ClosePage(ctx, a.Reference, a.Key()+"-over")
		if _, refused := payment.IsRefused(err); err != nil && !refused {
			return fmt.Errorf("close the page of payment %d: %w", a.ID, err)
		}
		return o.Settle(ctx, a.ID)
	}
	return pg.InTx(ctx, o.DB, func(tx pgx.Tx) error {
		h, err := hold(ctx, tx, orderID)
		if err != nil || h.State != order.Placed {
			return err
		}
		if a != nil {
			if _, err := payment.SetAttemptState(ctx, tx, a.ID, payment.Status{State: payment.Voided}); err != nil {
				return err
			}
		}
		return CancelUnpaid(ctx, tx, h)
	})
}

// Poll looks at attempts whose message has not come: those that are open for more than a moment.
func (o *Payments) Poll(ctx context.Context) error {
	return o.each(ctx, `
		SELECT id
		FROM payment
		WHERE state = 'started' AND reference IS NOT NULL AND created_at < now() - interval '15 seconds'
			-- Pages of links stay open for most of a day: a twelfth of the old ones each time.
			AND (created_at > now() - interval '30 minutes' OR id % 12 = (extract(epoch FROM now())::bigint / 5) % 12)
		ORDER BY id
		LIMIT 200`, o.Settle)
}

// Resume asks again for transfers whose job was lost.
func (o *Payments) Resume(ctx context.Context) error {
	return o.each(ctx, `
		SELECT id
		FROM transfer
		WHERE state = 'asked' AND at < now() - interval '15 seconds'
		ORDER BY id
		LIMIT 200`, o.Transfer)
}

func (o *Payments) each(ctx context.Context, query string, do func(context.Context, int64) error) error {
	if !o.Takes() {
		return nil
	}
	rows, err := o.DB.Query(ctx, query)
	if err != nil {
		return fmt.Errorf("list payments: %w", err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return err
	}
	var failed error
	away := 0
	for _, id := range ids {
		err := do(ctx, id)
		failed = errors.Join(failed, err)
		if away++; err == nil {
			away = 0
		}
		if away == patience {
			break // The gateway is away. Each call waits seconds for it, and others wait for this worker.
		}
	}
	return failed
}

// patience is how many calls may fail one after the other before a round is given up.
const patience = 3

// Reconcile compares what we wrote down with the gateway's book, for every payment that is open or was settled in the
// last days, and notes differences.
func (o *Payments) Reconcile(ctx context.Context) error {
	if err := o.warn(ctx); err != nil {
		return err
	}
	return o.each(ctx, `
		SELECT id
		FROM payment
		WHERE reference IS NOT NULL AND (state IN ('started', 'authorised') OR settled_at > now() - interval '3 days')
		ORDER BY id`, o.Compare)
}

// Compare settles one payment and then compares its figures with the gateway's.
func (o *Payments) Compare(ctx context.Context, paymentID int64) error {
	if err := o.Settle(ctx, paymentID); err != nil {
		return err
	}
	a, err := payment.AttemptByID(ctx, o.DB, paymentID)
	if err != nil || a == nil || a.Reference == "" {
		return err
	}
	s, err := o.Gateway.Fetch(ctx, a.Reference)
	if err != nil {
		return err
	}
	var captured, refunded int64
	var under bool
	err = o.DB.QueryRow(ctx, `
		SELECT coalesce((SELECT sum(captured) FROM tender WHERE payment_id = $1), 0)::bigint,
			coalesce((SELECT sum(amount) FROM transfer WHERE payment_id = $1 AND kind = 'refund' AND state = 'done'),
				0)::bigint,
			EXISTS (SELECT FROM transfer WHERE payment_id = $1 AND state = 'asked')`, paymentID).Scan(&captured,
		&refunded, &under)
	if err != nil {
		return fmt.Errorf("add up payment %d: %w", paymentID, err)
	}
	if under {
		return nil // What is under way is compared when it is over.
	}
	if captured != s.Captured {
		err = payment.Difference{Kind: "captured", PaymentID: a.ID, Reference: a.Reference, Ours: captured,
			Theirs: s.Captured}.Note(ctx, o.DB)
	}
	if err == nil && refunded != s.Refunded {
		err = payment.Difference{Kind: "refunded", PaymentID: a.ID, Reference: a.Reference, Ours: refunded,
			Theirs: s.Refunded}.Note(ctx, o.DB)
	}
	return err
}

// warn notes promises that lapse within a day and a half: somebody has to hand over, or the money is gone.
func (o *Payments) warn(ctx context.Context) error {
	_, err := o.DB.Exec(ctx, `
		WITH soon AS (
			UPDATE payment
			SET warned_at = now()
			WHERE state = 'authorised' AND warned_at IS NULL AND lapses_at < now() + interval '36 hours'
			RETURNING id, reference, amount, lapses_at)
		INSERT INTO difference (kind, payment_id, reference, ours, theirs, detail)
		SELECT 'lapses', id, reference, amount, amount, to_char(lapses_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI"Z"')
		FROM soon
		ON CONFLICT (kind, reference) WHERE closed_at IS NULL DO NOTHING`)
	if err != nil {
		return fmt.Errorf("warn of what lapses: %w", err)
	}
	return nil
}

// ResolveDifference says what somebody did about one, and whether it is to be asked for again. Not found where it is
// closed already.
func ResolveDifference(ctx context.Context, db pg.DB, at origin.Origin, id int64, note string, again bool) error {
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		closed, err := closeDifference(ctx, tx, id, at.AssociateID, note, again)
		if err != nil {
			return err
		}
		if !closed {
			return fault.New(fault.NotFound, "This has already been closed.")
		}
		return staff.Log(ctx, tx, staff.Entry{AssociateID: at.AssociateID, Action: "difference.closed",
			Subject: "difference", SubjectID: id, Reason: note})
	})
}

// closeDifference says that somebody dealt with a difference, and how; again asks the gateway once more for a refund
// that it refused. False when it was closed already.
func closeDifference(ctx context.Context, tx pgx.Tx, differenceID, associateID int64, note string, again bool) (bool,
	error) {
	paymentID, closed, err := payment.CloseDifference(ctx, tx, differenceID, associateID, note)
	if err != nil || !closed || !again {
		return closed, err
	}
	transfer, err := payment.RetryTransfer(ctx, tx, paymentID)
	if err != nil || transfer == 0 {
		return closed, err
	}
	return closed, jobs.Insert(ctx, tx, Job{transfer})
}

// Retry begins another attempt for an order whose last one was declined, while its goods are kept, or whose promise was
// lost. It answers the new attempt.
func (o *Payments) Retry(ctx context.Context, orderID int64, method string) (paymentID int64, err error) {
	if !o.Takes() {
		return 0, errUnreachable
	}
	err = pg.InTx(ctx, o.DB, func(tx pgx.Tx) error {
		h, err := hold(ctx, tx, orderID)
		if err != nil {
			return err
		}
		a, err := payment.LastAttempt(ctx, tx, orderID)
		if err != nil {
			return err
		}
		lost := h.State == order.Confirmed && h.PaymentState == order.Due
		if h.State != order.Placed && !lost || a == nil {
			return errNothingToPay
		}
		if a.State == payment.Started && (a.Reference != "" || time.Since(a.CreatedAt) < unopened) {
			paymentID = a.ID
			return nil
		}
		if a.State == payment.Started {
			if _, err := payment.SetAttemptState(ctx, tx, a.ID, payment.Status{State: payment.Voided}); err != nil {
				return err
			}
		}
		if method != payment.Card && method != payment.PayLater {
			method = a.Method
		}
		amount := a.Amount
		if lost {
			if amount, err = order.AmountDue(ctx, tx, orderID); err != nil {
				return err
			}
			if amount == 0 {
				return errNothingToPay
			}
		}
		paymentID, err = payment.StartAttempt(ctx, tx, payment.NewAttempt{OrderID: orderID, Gateway: o.Gateway.Name(),
			Method: method, Currency: a.Currency, Amount: amount})
		return err
	})
	return paymentID, err
}
