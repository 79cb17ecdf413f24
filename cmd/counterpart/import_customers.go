package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"counterpart/internal/domain/location"
	"counterpart/internal/flow/intake"
	"counterpart/internal/flow/privacy"
	"counterpart/internal/platform/files"
	"counterpart/internal/platform/pg"
)

type importCustomers struct {
	File    string `arg:"" type:"existingfile" help:"The CSV."`
	Country string `help:"Country of phone numbers in rows without an address, as two letters. The first store's, if none is given."`
	Report  string `help:"File to write every notice into, as CSV." type:"path"`
	DryRun  bool   `help:"Validate the file without saving anything."`
}

func (i importCustomers) Run(ctx context.Context) (err error) {
	c, db, err := open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if _, err := pg.Migrate(db.URL); err != nil {
		return err
	}
	if i.Country == "" {
		if i.Country, err = location.CountryOf(ctx, db.Pool, ""); err != nil {
			return err
		}
	}
	store, err := files.Open(filepath.Join(c.Data, "files"))
	if err != nil {
		return err
	}
	forgotten, err := privacy.ErasureList(ctx, db.Pool, store)
	if err != nil {
		return err
	}
	file, err := os.Open(i.File)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	counted := &counter{Reader: file}
	bar := progress("Importing")
	report, err := intake.Customers(ctx, db.Pool, counted, intake.CustomerOptions{
		Country: i.Country, Forgotten: forgotten, DryRun: i.DryRun, Progress: func(int) {
			bar(min(0.99,
				float64(counted.n)/float64(max(1, info.Size()))))
		},
	})
	bar(1)
	report.Tell(os.Stdout, i.DryRun)
	if err := errors.Join(err, writeNotices(i.Report, report.Complaints)); err != nil {
		return err
	}
	if report.Refused > 0 {
		return fmt.Errorf("%d rows were refused; fix them and import the file again", report.Refused)
	}
	return nil
}
