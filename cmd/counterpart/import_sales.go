package main

import (
	"cmp"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	"counterpart/internal/flow/intake"
	"counterpart/internal/flow/privacy"
	"counterpart/internal/platform/files"
	"counterpart/internal/platform/money"
	"counterpart/internal/platform/pg"
)

type importSales struct {
	File     string            `arg:"" type:"existingfile" help:"The CSV, or the same compressed with gzip (.gz)."`
	Source   string            `help:"Name of where the sales are from. Importing a source again changes what it wrote. Default: the file's name."`
	Columns  map[string]string `help:"What the file calls receipt, at, person, code, quantity, price or amount. Example: --columns code=Article --columns at=Day"`
	People   string            `help:"What goes before the file's customer numbers, so that they join the profiles of an import: shopify: for Shopify's. Default: the source and a colon."`
	Preset   string            `help:"What is particular to a known file: online-retail."`
	Currency string            `help:"Currency of the amounts, as three letters. Default: the first store's."`
	DryRun   bool              `help:"Read and match everything without saving anything."`
}

func (i importSales) Run(ctx context.Context) (err error) {
	c, db, err := open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if _, err := pg.Migrate(db.URL); err != nil {
		return err
	}
	first, err := (importProducts{}).location(ctx, db) // A shop that is not set up has none.
	if err != nil {
		return err
	}
	if i.Currency = strings.ToUpper(cmp.Or(i.Currency, first.Currency)); !money.Known(i.Currency) {
		return fmt.Errorf("%q is no currency: it has three letters, as GBP", i.Currency)
	}
	if i.Source == "" {
		i.Source, _, _ = strings.Cut(filepath.Base(i.File), ".")
	}
	if i.People == "" {
		i.People = i.Source + ":"
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
	var r io.Reader = counted
	if strings.HasSuffix(i.File, ".gz") {
		if r, err = gzip.NewReader(counted); err != nil {
			return fmt.Errorf("read %s: %w", i.File, err)
		}
	}
	debug.SetGCPercent(50) // The file is in memory whole, so that returns find their purchases.
	bar := progress("Importing")
	report, err := intake.Sales(ctx, db.Pool, r, intake.SalesOptions{Source: i.Source, Currency: i.Currency,
		Columns: i.Columns, People: i.People, Preset: i.Preset, Forgotten: forgotten, DryRun: i.DryRun, Progress: func(int) {
			bar(min(0.99, float64(counted.n)/float64(max(1, info.Size()))))
		}})
	if err != nil {
		return err
	}
	bar(1)
	report.Tell(os.Stdout, i.DryRun)
	return nil
}
