// Package work is which job does what: the one place where a job's arguments meet the verb that they ask for.
package work

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"

	"counterpart/internal/browse"
	"counterpart/internal/catalog"
	"counterpart/internal/customer"
	"counterpart/internal/files"
	"counterpart/internal/gallery"
	"counterpart/internal/inventory"
	"counterpart/internal/jobs"
	"counterpart/internal/limit"
	"counterpart/internal/location"
	"counterpart/internal/message"
	"counterpart/internal/pg"
	"counterpart/internal/privacy"
	"counterpart/internal/session"
)

// Tools are what jobs work with.
type Tools struct {
	DB      *pgxpool.Pool
	Files   *files.Store
	Sender  message.Sender
	BaseURL string
}

// Start works jobs until the client is stopped.
func Start(ctx context.Context, t Tools) (*jobs.Client, error) {
	workers := river.NewWorkers()
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, job *river.Job[message.OrderMail]) error {
		return orderMail(ctx, t, job.Args)
	}))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, job *river.Job[message.Letter]) error {
		return letter(ctx, t, job.Args)
	}))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, job *river.Job[message.Notice]) error {
		return notice(ctx, t, job.Args)
	}))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, job *river.Job[privacy.Export]) error {
		return privacy.Make(ctx, t.DB, t.Files, job.Args.ExportID)
	}))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, _ *river.Job[turnMonths]) error {
		return errors.Join(customer.TurnMonths(ctx, t.DB, time.Now()), privacy.Sweep(ctx, t.DB, t.Files))
	}))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, job *river.Job[gallery.Job]) error {
		return gallery.Draw(ctx, t.DB, t.Files, job.Args.PictureID)
	}))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, _ *river.Job[sweep]) error {
		for _, step := range []func(context.Context, pg.DB) error{inventory.SweepExpired, limit.Sweep, session.Sweep, customer.SweepOneTime} {
			if err := step(ctx, t.DB); err != nil {
				return err
			}
		}
		return nil
	}))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, _ *river.Job[popular]) error {
		return catalog.CountPopular(ctx, t.DB)
	}))
	return jobs.Start(ctx, t.DB, workers, []*river.PeriodicJob{
		river.NewPeriodicJob(river.PeriodicInterval(time.Minute), func() (river.JobArgs, *river.InsertOpts) { return sweep{}, nil }, nil),
		river.NewPeriodicJob(river.PeriodicInterval(time.Hour), func() (river.JobArgs, *river.InsertOpts) { return popular{}, nil }, nil),
		river.NewPeriodicJob(river.PeriodicInterval(24*time.Hour), func() (river.JobArgs, *river.InsertOpts) { return turnMonths{}, nil }, &river.PeriodicJobOpts{RunOnStart: true}),
	})
}

// sweep tidies up what nothing depends on: it makes pages truer, never sales.
type sweep struct{}

func (sweep) Kind() string { return "sweep" }

// turnMonths makes the tables of browse events ahead, drops those that are too old, and forgets copies that are over.
type turnMonths struct{}

func (turnMonths) Kind() string { return "turn_months" }

type popular struct{}

func (popular) Kind() string { return "count_popular" }

// orderMail posts a mail about an order, once: a job that runs again after it was posted finds it recorded. Between the
// posting and the record there is a moment in which a crash sends a second copy, with the same Message-ID.
func orderMail(ctx context.Context, t Tools, args message.OrderMail) error {
	kind := args.Mail
	if args.Line != 0 {
		kind = fmt.Sprintf("%s:%d", args.Mail, args.Line)
	}
	if sent, err := message.Sent(ctx, t.DB, args.OrderID, kind); err != nil || sent {
		return err
	}
	o, err := browse.OrderByID(ctx, t.DB, args.OrderID)
	if err != nil {
		return err
	}
	if o == nil || o.Email == "" {
		return nil // There is nobody to write to: the counter has their phone number.
	}
	shop, err := location.TheShop(ctx, t.DB)
	if err != nil {
		return err
	}
	subject, body := message.Compose(args.Mail, about(o, shop, t.BaseURL, args.Line))
	mail := message.Mail{Purpose: message.OfOrder, ID: fmt.Sprintf("%s-%s@counterpart", o.PublicID, kind), To: o.Email, Subject: subject, Text: body}
	if err := t.Sender.Send(ctx, t.DB, mail); err != nil {
		return err
	}
	return pg.InTx(ctx, t.DB, func(tx pgx.Tx) error { return message.Record(ctx, tx, o.ID, kind) })
}

func about(o *browse.Order, shop *location.Shop, base string, line int64) message.About {
	f := o.Fulfilment
	zone := o.Store.Zone()
	a := message.About{
		Language: o.Language, Shop: shop.Name, Number: o.Number, Name: o.Name, Link: base + "/orders/" + o.PublicID, Code: f.Code,
		Store: shop.Name + " " + o.Store.Name, Street: o.Store.Street, Town: o.Store.Town, Total: o.Money(o.Total - o.Missing()), Due: o.Money(o.Due()),
		StillOpens: o.State != "cancelled",
	}
	if f.ReadyBy != nil {
		a.ReadyBy = f.ReadyBy.In(zone)
	}
	if f.HoldUntil != nil {
		a.HoldUntil = f.HoldUntil.In(zone)
	}
	for _, l := range o.Lines {
		name := l.Title
		if l.Options != "" {
			name += " (" + l.Options + ")"
		}
		if kept := l.Quantity - l.Cancelled; kept > 0 {
			a.Lines = append(a.Lines, fmt.Sprintf("  %d × %s, %s", kept, name, o.Money(l.Kept)))
		}
		if l.ID == line {
			a.Missing = name
			a.Link = base + "/p/" + l.Slug
		}
	}
	return a
}
