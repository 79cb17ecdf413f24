// Package intake brings a shop's products and customers in from files: Shopify's CSVs, with their old headings or their
// new ones.
package intake

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/catalog"
	"counterpart/internal/domain/gallery"
	"counterpart/internal/domain/inventory"
	"counterpart/internal/domain/location"
	"counterpart/internal/domain/origin"
	"counterpart/internal/platform/files"
	"counterpart/internal/platform/jobs"
	"counterpart/internal/platform/pg"
)

// Options of an import. The location gives prices their currency and tax mode, and takes the opening stock.
type Options struct {
	Location *location.Location
	Pictures string // the folder that picture paths are relative to
	Files    *files.Store
	DryRun   bool // try everything, keep nothing
	Progress func(rows int)
}

// Report is what an import did, and each row of which something was left out.
type Report struct {
	Rows, Created, Updated, Unchanged, Refused int // of products, but for Rows
	Pictures                                   int // new or changed
	Complaints                                 []Complaint
	Unread                                     []string // headings of the file that mean nothing here
}

// Tell writes the report for a person: the complaints by reason, then the sum.
func (r Report) Tell(w io.Writer, at *location.Location, dry bool) {
	tellReasons(w, r.Complaints, r.Unread)
	if dry {
		fmt.Fprint(w, "Dry run, nothing was saved. ")
	}
	fmt.Fprintf(w, "%d rows: %d new products, %d changed, %d unchanged, %d refused; %d pictures to process; prices in %s at %s.\n",
		r.Rows, r.Created, r.Updated, r.Unchanged, r.Refused, r.Pictures, at.Currency, at.Name)
}

var errDryRun = errors.New("dry run")

// Products reads a file product by product, each in a transaction of its own: all of a product or nothing. A second
// import of the same file changes nothing; quantities are booked only for variants that are new. The error is about the
// file, never about a row.
func Products(ctx context.Context, db pg.DB, r io.Reader, o Options) (report Report, err error) {
	rows, err := newReader(r, productHeadings, "title")
	if err != nil {
		return report, err
	}
	report.Unread = rows.unread
	if o.DryRun {
		// One transaction around all, so that what two products of the file quarrel about shows as well.
		err = pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
			if err := products(ctx, tx, rows, o, &report); err != nil {
				return err
			}
			return errDryRun
		})
		if errors.Is(err, errDryRun) {
			err = nil
		}
		return report, err
	}
	err = products(ctx, db, rows, o, &report)
	return report, err
}

func products(ctx context.Context, db pg.DB, rows *reader, o Options, report *Report) error {
	root, err := os.OpenRoot(o.Pictures)
	if err != nil {
		return fmt.Errorf("open the folder of the pictures: %w", err)
	}
	defer root.Close()
	seen := map[string]row{}
	for {
		group, err := rows.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		report.Rows += len(group)
		first := group[0]
		in := &incoming{options: o, root: root}
		handle := first.get("handle")
		if key := catalog.Slug(handle); handle != "" {
			if head, again := seen[key]; again {
				in.notice(first, "its rows are not together: they were added to the product of the same handle")
				for column, cell := range head.cells {
					if first.get(column) == "" && slices.Contains(headColumns, column) {
						first.cells[column] = cell
					}
				}
			} else {
				seen[key] = first
			}
		}
		in.read(group)
		if err := in.put(ctx, db, report); err != nil {
			return err
		}
		if o.Progress != nil {
			o.Progress(report.Rows)
		}
	}
}

// put writes a product that was read without a complaint that refuses it.
func (in *incoming) put(ctx context.Context, db pg.DB, report *Report) error {
	var outcome catalog.Outcome
	if !in.refused {
		err := pg.InTx(ctx, db, func(tx pgx.Tx) (err error) {
			if err := in.settleCodes(ctx, tx); err != nil {
				return err
			}
			if outcome, err = catalog.Put(ctx, tx, in.product); err != nil {
				return err
			}
			return in.follow(ctx, tx, outcome)
		})
		switch {
		case errors.Is(err, catalog.ErrTaken):
			in.refuse(in.first, "another import took one of its codes at the same moment: import the file again")
		case err != nil:
			return fmt.Errorf("row %d: %w", in.first.n, err)
		}
	}
	report.Complaints = append(report.Complaints, in.complaints...)
	switch {
	case in.refused:
		report.Refused++
	case outcome.Created:
		report.Created++
	case outcome.Changed:
		report.Updated++
	default:
		report.Unchanged++
	}
	report.Pictures += len(outcome.Undrawn)
	return nil
}

// follow books the opening stock of new variants and asks for the pictures to be drawn.
func (in *incoming) follow(ctx context.Context, tx pgx.Tx, outcome catalog.Outcome) error {
	var moves []inventory.Move
	for _, v := range in.product.Variants {
		if n := in.quantities[v.SKU]; n > 0 && outcome.New[v.SKU] {
			moves = append(moves, inventory.Move{VariantID: outcome.Variants[v.SKU], LocationID: in.options.Location.ID,
				Delta: n})
		}
	}
	if len(moves) > 0 {
		if err := inventory.Receive(ctx, tx, moves, inventory.Reason{Channel: origin.API,
			Reason: "opening stock"}); err != nil {
			return err
		}
	}
	if strings.EqualFold(in.first.get("gift card"), "true") {
		for _, id := range outcome.Variants {
			if err := catalog.LikeMoney(ctx, tx, id); err != nil {
				return err
			}
		}
	}
	for _, id := range outcome.Undrawn {
		if err := jobs.Insert(ctx, tx, gallery.Job{PictureID: id}); err != nil {
			return err
		}
	}
	return nil
}

// why a picture was left out; nothing where it was not.
type why struct {
	reason string
	args   []any
}

// keepPicture reads a picture from beside the file into the store.
func (in *incoming) keepPicture(name string) (string, why) {
	not := func(reason string, args ...any) (string, why) { return "", why{reason, args} }
	if in.root == nil {
		return not("there is no pictures folder")
	}
	if strings.Contains(name, "://") {
		return not("pictures are read from the file's folder, and this one is a URL")
	}
	file, err := in.root.Open(filepath.FromSlash(name))
	if errors.Is(err, fs.ErrNotExist) {
		return not("there is no picture %s", name)
	}
	if err != nil {
		return not("the picture %s cannot be opened", name)
	}
	defer file.Close()
	body, err := io.ReadAll(io.LimitReader(file, gallery.MaxBytes+1))
	switch {
	case err != nil:
		return not("the picture %s cannot be read", name)
	case len(body) == 0:
		return not("the picture %s is empty", name)
	case len(body) > gallery.MaxBytes:
		return not("the picture %s is larger than 20 MB", name)
	}
	key, err := gallery.StoreOriginal(in.options.Files, body)
	if err != nil {
		return not("the picture %s cannot be kept: %v", name, err)
	}
	return key, why{}
}
