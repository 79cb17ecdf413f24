package settle

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/payment"
	"counterpart/internal/platform/jobs"
	"counterpart/internal/platform/pg"
)

// EventJob deals with a message of a gateway that was kept.
type EventJob struct {
	EventID int64 `json:"event_id"`
}

func (EventJob) Kind() string { return "payment_event" }

// Receive checks a gateway's message and keeps it, with the job that deals with it. One that came before changes
// nothing.
func (o *Payments) Receive(ctx context.Context, name string, header http.Header, body []byte) error {
	gateway, err := o.gateway(name)
	if err != nil {
		return errors.Join(payment.ErrForged, err)
	}
	e, err := gateway.VerifyWebhook(header, body, time.Now())
	if err != nil {
		return err
	}
	return pg.InTx(ctx, o.DB, func(tx pgx.Tx) error {
		id, err := payment.Receive(ctx, tx, name, e)
		if err != nil || id == 0 {
			return err
		}
		return jobs.Insert(ctx, tx, EventJob{id})
	})
}

// Event deals with a kept message: it says where to look, and nothing else that it says is believed. One about a
// payment that nobody knows is a difference; it may be ours before its answer came, so it is looked at again for a
// while.
func (o *Payments) Event(ctx context.Context, id int64, last bool) error {
	gateway, e, applied, err := payment.EventByID(ctx, o.DB, id)
	if err != nil || applied {
		return err
	}
	if e.Reference == "" {
		return payment.MarkEventApplied(ctx, o.DB, id, "not about a payment")
	}
	a, err := payment.AttemptAt(ctx, o.DB, gateway, e.Reference)
	if err != nil {
		return err
	}
	if a == nil && !last {
		return fmt.Errorf("event %d is about a payment that is not known yet", id)
	}
	if a == nil {
		if err := (payment.Difference{Kind: "unknown", Reference: e.Reference, Detail: e.Kind}).Note(ctx,
			o.DB); err != nil {
			return err
		}
		return payment.MarkEventApplied(ctx, o.DB, id, "unknown payment")
	}
	// Something may have been done at the gateway that we did not ask for, such as a refund: then the books differ, and
	// somebody is told.
	if err := o.Compare(ctx, a.ID); err != nil {
		return err
	}
	return payment.MarkEventApplied(ctx, o.DB, id, "settled")
}
