// Package work is which job does what: the one place where a job's arguments meet the verb that they ask for.
package work

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"

	"counterpart/internal/domain/browsing"
	"counterpart/internal/domain/catalog"
	"counterpart/internal/domain/clientele"
	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/figure"
	"counterpart/internal/domain/gallery"
	"counterpart/internal/domain/hint"
	"counterpart/internal/domain/inventory"
	"counterpart/internal/domain/loyalty"
	"counterpart/internal/domain/message"
	"counterpart/internal/domain/outreach"
	"counterpart/internal/domain/predict"
	"counterpart/internal/domain/recommend"
	"counterpart/internal/domain/segment"
	"counterpart/internal/domain/session"
	"counterpart/internal/domain/tax"
	"counterpart/internal/flow/billing"
	"counterpart/internal/flow/notices"
	"counterpart/internal/flow/person"
	"counterpart/internal/flow/pickup"
	"counterpart/internal/flow/privacy"
	"counterpart/internal/flow/settle"
	"counterpart/internal/flow/shortage"
	"counterpart/internal/platform/files"
	"counterpart/internal/platform/jobs"
	"counterpart/internal/platform/limit"
	"counterpart/internal/platform/pg"
)

// Tools are what jobs work with.
type Tools struct {
	DB       *pgxpool.Pool
	Files    *files.Store
	Sender   message.Sender
	BaseURL  string
	Payments *settle.Payments
}

// Start works jobs until the client is stopped.
func Start(ctx context.Context, t Tools) (*jobs.Client, error) {
	if t.Payments == nil {
		// Nothing is paid by card; orders end in time all the same.
		t.Payments = &settle.Payments{DB: t.DB, Base: t.BaseURL}
	}
	workers := river.NewWorkers()
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, job *river.Job[message.OrderMail]) error {
		return orderMail(ctx, t, job.Args)
	}))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, job *river.Job[message.AccountMail]) error {
		return accountMail(ctx, t, job.Args)
	}))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, job *river.Job[message.Notice]) error {
		return notice(ctx, t, job.Args)
	}))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, job *river.Job[privacy.Export]) error {
		return privacy.BuildExport(ctx, t.DB, t.Files, job.Args.ExportID)
	}))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, _ *river.Job[turnMonths]) error {
		return errors.Join(browsing.TurnMonths(ctx, t.DB, time.Now()), person.RecheckPhones(ctx, t.DB), hint.Sweep(ctx, t.DB),
			outreach.Sweep(ctx, t.DB), clientele.Sweep(ctx, t.DB),
			privacy.Sweep(ctx, t.DB, t.Files))
	}))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, job *river.Job[gallery.Job]) error {
		return gallery.Render(ctx, t.DB, t.Files, job.Args.PictureID)
	}))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, _ *river.Job[sweep]) error {
		for _, step := range []func(context.Context, pg.DB) error{inventory.SweepExpired, limit.Sweep, session.Sweep,
			customer.SweepOneTime, catalog.Publish, tax.ApplyPlans} {
			if err := step(ctx, t.DB); err != nil {
				return err
			}
		}
		return nil
	}))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, _ *river.Job[popular]) error {
		return errors.Join(catalog.CountPopular(ctx, t.DB), hint.Learn(ctx, t.DB), figure.CountWeeks(ctx, t.DB, time.Now(), false))
	}))
	river.AddWorker(workers, &pointsKeeper{db: t.DB})
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, job *river.Job[loyalty.Warning]) error {
		return warnOfPoints(ctx, t, job.Args)
	}))
	river.AddWorker(workers, &stander{db: t.DB})
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, job *river.Job[loyalty.TierWarning]) error {
		return warnOfTier(ctx, t, job.Args)
	}))
	river.AddWorker(workers, &basketCounter{db: t.DB})
	river.AddWorker(workers, &figureKeeper{db: t.DB})
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, _ *river.Job[sendNotices]) error {
		return notices.Send(ctx, t.DB, notices.Tools{Sender: t.Sender, Base: t.BaseURL})
	}))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, job *river.Job[settle.CardMail]) error {
		return cardMail(ctx, t, job.Args)
	}))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, job *river.Job[settle.Job]) error {
		return t.Payments.Transfer(ctx, job.Args.TransferID)
	}))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, job *river.Job[settle.DocumentsJob]) error {
		return billing.IssueDocuments(ctx, t.DB, job.Args.OrderID)
	}))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, job *river.Job[settle.EventJob]) error {
		return t.Payments.Event(ctx, job.Args.EventID, job.Attempt >= 5)
	}))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, _ *river.Job[sweepPayments]) error {
		return errors.Join(t.Payments.Sweep(ctx), t.Payments.Poll(ctx), t.Payments.Resume(ctx),
			pickup.Remind(ctx, t.DB),
			pickup.Expire(ctx, t.DB), shortage.DecideOverdue(ctx, t.DB))
	}))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, _ *river.Job[reconcilePayments]) error {
		return t.Payments.Reconcile(ctx)
	}))
	return jobs.Start(ctx, t.DB, workers, []*river.PeriodicJob{
		river.NewPeriodicJob(river.PeriodicInterval(often), func() (river.JobArgs,
			*river.InsertOpts) {
			return sweepPayments{}, nil
		}, &river.PeriodicJobOpts{RunOnStart: true}),
		river.NewPeriodicJob(river.PeriodicInterval(hourly),
			func() (river.JobArgs, *river.InsertOpts) { return reconcilePayments{}, nil }, nil),
		river.NewPeriodicJob(river.PeriodicInterval(time.Minute),
			func() (river.JobArgs, *river.InsertOpts) { return sweep{}, nil }, nil),
		river.NewPeriodicJob(river.PeriodicInterval(time.Hour),
			func() (river.JobArgs, *river.InsertOpts) { return popular{}, nil }, nil),
		river.NewPeriodicJob(river.PeriodicInterval(hourly),
			func() (river.JobArgs, *river.InsertOpts) { return keepPoints{}, nil },
			&river.PeriodicJobOpts{RunOnStart: true}),
		river.NewPeriodicJob(river.PeriodicInterval(time.Minute),
			func() (river.JobArgs, *river.InsertOpts) { return countBaskets{}, nil },
			&river.PeriodicJobOpts{RunOnStart: true}),
		river.NewPeriodicJob(river.PeriodicInterval(time.Minute),
			func() (river.JobArgs, *river.InsertOpts) { return keepFigures{}, nil },
			&river.PeriodicJobOpts{RunOnStart: true}),
		river.NewPeriodicJob(river.PeriodicInterval(time.Minute),
			func() (river.JobArgs, *river.InsertOpts) { return sendNotices{}, nil }, nil),
		river.NewPeriodicJob(river.PeriodicInterval(24*time.Hour),
			func() (river.JobArgs, *river.InsertOpts) { return turnMonths{}, nil },
			&river.PeriodicJobOpts{RunOnStart: true}),
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

// keepPoints ends points, and warns of it.
type keepPoints struct{}

func (keepPoints) Kind() string { return "keep_points" }

type pointsKeeper struct {
	river.WorkerDefaults[keepPoints]
	db *pgxpool.Pool
}

// Timeout of a million members.
func (k *pointsKeeper) Timeout(*river.Job[keepPoints]) time.Duration { return 30 * time.Minute }

func (k *pointsKeeper) Work(ctx context.Context, _ *river.Job[keepPoints]) error {
	_, err := pg.Alone(ctx, k.db, "keep_points", func(ctx context.Context) error { return loyalty.Daily(ctx, k.db, time.Now()) })
	return err
}

// stander counts tiers: of one person soon after they bought or brought something back, of everybody after a tier changed.
type stander struct {
	river.WorkerDefaults[loyalty.Standing]
	db *pgxpool.Pool
}

// Timeout of a million members.
func (s *stander) Timeout(*river.Job[loyalty.Standing]) time.Duration { return 30 * time.Minute }

func (s *stander) Work(ctx context.Context, job *river.Job[loyalty.Standing]) error {
	if job.Args.CustomerID == 0 {
		return loyalty.StandAll(ctx, s.db, time.Now())
	}
	return loyalty.Stand(ctx, s.db, []int64{job.Args.CustomerID}, time.Now())
}

// countBaskets keeps what goes with what.
type countBaskets struct{}

func (countBaskets) Kind() string { return "count_baskets" }

type basketCounter struct {
	river.WorkerDefaults[countBaskets]
	db *pgxpool.Pool
}

// Timeout of a count of everything: a million orders take minutes.
func (c *basketCounter) Timeout(*river.Job[countBaskets]) time.Duration { return 30 * time.Minute }

func (c *basketCounter) Work(ctx context.Context, _ *river.Job[countBaskets]) error {
	return recommend.Keep(ctx, c.db, time.Now())
}

// sendNotices tells people what they asked to be told, and sends what waits.
type sendNotices struct{}

func (sendNotices) Kind() string { return "send_notices" }

// keepFigures keeps what people did added up, whom segments have, and what is to be expected.
type keepFigures struct{}

func (keepFigures) Kind() string { return "keep_figures" }

type figureKeeper struct {
	river.WorkerDefaults[keepFigures]
	db *pgxpool.Pool
}

// Timeout of a count of everybody: a million people take minutes.
func (k *figureKeeper) Timeout(*river.Job[keepFigures]) time.Duration { return 30 * time.Minute }

func (k *figureKeeper) Work(ctx context.Context, _ *river.Job[keepFigures]) error {
	_, err := pg.Alone(ctx, k.db, "keep_figures", k.keep)
	return err
}

func (k *figureKeeper) keep(ctx context.Context) error {
	now := time.Now()
	ids, all, err := figure.Keep(ctx, k.db, now)
	if err != nil {
		return err
	}
	if err := segment.Refresh(ctx, k.db, ids, all); err != nil {
		if !all {
			err = errors.Join(err, figure.Again(ctx, k.db, ids))
		}
		return err
	}
	if err := predict.Keep(ctx, k.db, now); err != nil || !all {
		return err
	}
	return figure.CountWeeks(ctx, k.db, now, true)
}
