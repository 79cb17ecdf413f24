package main

import (
	"context"
	"errors"
	"os"

	"counterpart/internal/proof/measure"
)

type measures struct {
	Value     measureValue     `cmd:"" help:"What people are expected to buy, beside the last period again and their own rate. Example: counterpart measure value"`
	Recommend measureRecommend `cmd:"" help:"What goes with what, beside popularity, co-purchase and plain cosine. Example: counterpart measure recommend"`
}

type measureRecommend struct {
	Source string `help:"Past sales of this import only. Default: all."`
	Days   int    `help:"How many days at the end are asked about." default:"90"`
}

func (m measureRecommend) Run(ctx context.Context) (err error) {
	_, db, err := open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	table, err := measure.Recommend(ctx, db.Pool, measure.Split{Source: m.Source, Days: m.Days})
	if err != nil {
		return err
	}
	if table.Asked == 0 {
		return errors.New("there are too few past sales: import some with counterpart import sales")
	}
	table.Tell(os.Stdout)
	return nil
}

type measureValue struct {
	Source string `help:"Past sales of this import only. Default: all."`
	Days   int    `help:"How many days at the end are asked about." default:"90"`
}

func (m measureValue) Run(ctx context.Context) (err error) {
	_, db, err := open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	table, err := measure.Value(ctx, db.Pool, measure.Split{Source: m.Source, Days: m.Days})
	if err != nil {
		return err
	}
	if table.Asked == 0 {
		return errors.New("there are too few past sales: import some with counterpart import sales")
	}
	table.Tell(os.Stdout)
	return nil
}
