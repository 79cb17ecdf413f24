package main

import (
	"context"
	"errors"
	"io"
	"os"

	"counterpart/internal/platform/pg"
	"counterpart/internal/proof/measure"
)

type measures struct {
	Recommend measureRecommend `cmd:"" help:"What goes with what, beside popularity, co-purchase and plain cosine. Example: counterpart measure recommend"`
	Value     measureValue     `cmd:"" help:"What people are expected to buy, beside the last period again and their own rate. Example: counterpart measure value"`
}

// measuring is what of the past is asked about.
type measuring struct {
	Source string `help:"Past sales of this import only. Default: all."`
	Days   int    `help:"How many days at the end are asked about." default:"90"`
}

func (m measuring) run(ctx context.Context, do func(db pg.DB, s measure.Split) (asked int, tell func(io.Writer), err error)) (err error) {
	_, db, err := open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	asked, tell, err := do(db.Pool, measure.Split{Source: m.Source, Days: m.Days})
	if err != nil {
		return err
	}
	if asked == 0 {
		return errors.New("there are too few past sales: import some with counterpart import sales")
	}
	tell(os.Stdout)
	return nil
}

type measureRecommend struct{ measuring }

func (m measureRecommend) Run(ctx context.Context) error {
	return m.run(ctx, func(db pg.DB, s measure.Split) (int, func(io.Writer), error) {
		table, err := measure.Recommend(ctx, db, s)
		return table.Asked, table.Tell, err
	})
}

type measureValue struct{ measuring }

func (m measureValue) Run(ctx context.Context) error {
	return m.run(ctx, func(db pg.DB, s measure.Split) (int, func(io.Writer), error) {
		table, err := measure.Value(ctx, db, s)
		return table.Asked, table.Tell, err
	})
}
