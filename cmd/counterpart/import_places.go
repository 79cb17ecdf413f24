package main

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"counterpart/internal/flow/intake"
	"counterpart/internal/platform/pg"
)

type importPlaces struct {
	File    string `arg:"" type:"existingfile" help:"A CSV or a JSON list with latitude, longitude and a postcode or a town; also compressed with gzip (.gz)."`
	Country string `help:"Country of rows that don’t say it in two letters." default:"GB"`
}

func (i importPlaces) Run(ctx context.Context) (err error) {
	_, db, err := open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if _, err := pg.Migrate(db.URL); err != nil {
		return err
	}
	if i.Country = strings.ToUpper(i.Country); len(i.Country) != 2 {
		return fmt.Errorf("%q is no country: it has two letters, as GB", i.Country)
	}
	file, err := os.Open(i.File)
	if err != nil {
		return err
	}
	defer file.Close()
	var r io.Reader = file
	if strings.HasSuffix(i.File, ".gz") {
		if r, err = gzip.NewReader(file); err != nil {
			return fmt.Errorf("read %s: %w", i.File, err)
		}
	}
	report, err := intake.Places(ctx, db.Pool, r, i.Country)
	if err != nil {
		return err
	}
	report.Tell(os.Stdout)
	return nil
}
