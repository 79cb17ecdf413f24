package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"counterpart/internal/domain/location"
	"counterpart/internal/flow/intake"
	"counterpart/internal/flow/privacy"
	"counterpart/internal/platform/files"
	"counterpart/internal/platform/pg"
)

type imports struct {
	Customers importCustomers `cmd:"" help:"Import customers from Shopify's customer CSV. Example: counterpart import customers customers.csv"`
	Hours     importHours     `cmd:"" help:"Import opening hours and special days from a CSV. Example: counterpart import hours hours.csv"`
	Places    importPlaces    `cmd:"" help:"Import where postcodes and towns are, for segments by distance. Example: counterpart import places outcodes.csv"`
	Products  importProducts  `cmd:"" help:"Import products from Shopify's product CSV. Example: counterpart import products catalogue.csv --location LDS"`
	Sales     importSales     `cmd:"" help:"Import sales from before this shop, for figures and recommendations. Example: counterpart import sales sales.csv.gz --preset online-retail"`
}

type importProducts struct {
	File     string `arg:"" type:"existingfile" help:"The CSV. Pictures are read from the same folder."`
	Location string `help:"Code of the store whose currency the prices are in and which receives the opening stock. Default: the first store."`
	Report   string `help:"File to write every notice into, as CSV." type:"path"`
	DryRun   bool   `help:"Validate the file without saving anything."`
}

func (i importProducts) Run(ctx context.Context) (err error) {
	c, db, err := open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if _, err := pg.Migrate(db.URL); err != nil {
		return err
	}
	at, err := i.location(ctx, db)
	if err != nil {
		return err
	}
	store, err := files.Open(filepath.Join(c.Data, "files"))
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
	report, err := intake.Products(ctx, db.Pool, counted, intake.Options{
		Location: at, Pictures: filepath.Dir(i.File), Files: store, DryRun: i.DryRun,
		Progress: func(int) { bar(min(0.99, float64(counted.n)/float64(max(1, info.Size())))) },
	})
	bar(1)
	report.Tell(os.Stdout, at, i.DryRun)
	if err := errors.Join(err, writeNotices(i.Report, report.Complaints)); err != nil {
		return err
	}
	if report.Refused > 0 {
		return fmt.Errorf("%d products were refused; fix their rows and import the file again", report.Refused)
	}
	return nil
}

func (i importProducts) location(ctx context.Context, db *database) (*location.Location, error) {
	all, err := location.All(ctx, db.Pool)
	if err != nil {
		return nil, err
	}
	var first *location.Location
	for k := range all {
		if all[k].Code == i.Location {
			return &all[k], nil
		}
		if first == nil || all[k].Kind == "store" && all[k].ID < first.ID {
			first = &all[k]
		}
	}
	if first == nil {
		return nil, errors.New("there is no store yet: start the shop and set it up first")
	}
	if i.Location != "" {
		return nil, fmt.Errorf("there is no location with the code %s", i.Location)
	}
	return first, nil
}

// writeNotices writes everything that an import left out or mended into a file, a row each.
func writeNotices(path string, all []intake.Complaint) error {
	if path == "" {
		return nil
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	out := csv.NewWriter(file)
	_ = out.Write([]string{"row", "handle", "outcome", "reason"}) // Flush keeps the first error for Error.
	for _, c := range all {
		_ = out.Write([]string{strconv.Itoa(c.Row), privacy.Harmless(c.Handle), c.Outcome(),
			privacy.Harmless(c.Sentence())})
	}
	out.Flush()
	return errors.Join(out.Error(), file.Close())
}

// counter knows how much of a file was read.
type counter struct {
	io.Reader
	n int64
}

func (c *counter) Read(b []byte) (int, error) {
	n, err := c.Reader.Read(b)
	c.n += int64(n)
	return n, err
}
