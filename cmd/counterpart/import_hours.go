package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"counterpart/internal/flow/intake"
	"counterpart/internal/platform/pg"
)

type importHours struct {
	File   string `arg:"" type:"existingfile" help:"The CSV: location, weekday or date, opens, closes, preparation (minutes), name. A row without times closes the day."`
	Report string `help:"File to write every notice into, as CSV." type:"path"`
	DryRun bool   `help:"Validate the file without saving anything."`
}

func (i importHours) Run(ctx context.Context) (err error) {
	_, db, err := open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if _, err := pg.Migrate(db.URL); err != nil {
		return err
	}
	file, err := os.Open(i.File)
	if err != nil {
		return err
	}
	defer file.Close()
	report, err := intake.Hours(ctx, db.Pool, file, i.DryRun)
	report.Tell(os.Stdout, i.DryRun)
	if err := errors.Join(err, writeNotices(i.Report, report.Complaints)); err != nil {
		return err
	}
	if n := len(report.Complaints); n > 0 {
		return fmt.Errorf("%d rows were refused; fix them and import the file again", n)
	}
	return nil
}
