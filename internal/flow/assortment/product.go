package assortment

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/catalog"
	"counterpart/internal/domain/gallery"
	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/staff"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/jobs"
	"counterpart/internal/platform/merge"
	"counterpart/internal/platform/pg"
)

var errNoProduct = fault.New(fault.NotFound, "We can’t find that product.")

// onProduct changes a product that nobody else changes meanwhile, and keeps in the audit trail what changed.
func onProduct(ctx context.Context, db pg.DB, at origin.Origin, productID int64, action string,
	write func(tx pgx.Tx) (before, after map[string]any, err error)) error {
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		found, err := catalog.Hold(ctx, tx, productID)
		if err != nil {
			return err
		}
		if !found {
			return errNoProduct
		}
		before, after, err := write(tx)
		if err != nil || len(after) == 0 {
			return err
		}
		return staff.Log(ctx, tx, staff.Entry{AssociateID: at.AssociateID, Action: action, Subject: "product",
			SubjectID: productID, Before: before, After: after})
	})
}

// SaveProduct merges a form onto a product's head and its texts in a language. Times of the form are local to zone.
func SaveProduct(ctx context.Context, db pg.DB, at origin.Origin, productID int64, language string,
	zone *time.Location, edit merge.Edit) error {
	return onProduct(ctx, db, at, productID, "product.changed", func(tx pgx.Tx) (was, is map[string]any, err error) {
		now, err := catalog.Fields(ctx, tx, productID, language, zone)
		if err != nil {
			return nil, nil, err
		}
		merged, both := edit.Onto(now)
		if err := merge.Conflict(both); err != nil {
			return nil, nil, err
		}
		var form fault.Form
		head := catalog.ReadHead(merged, zone, &form)
		if head.Status == "active" && now["status"] != "active" {
			if err := sellable(ctx, tx, productID, &form); err != nil {
				return nil, nil, err
			}
		}
		if err := form.Err(); err != nil {
			return nil, nil, err
		}
		if err := catalog.SaveHead(ctx, tx, productID, language, head); err != nil {
			return nil, nil, err
		}
		saved, err := catalog.Fields(ctx, tx, productID, language, zone)
		if err != nil {
			return nil, nil, err
		}
		was, is = merge.Changes(now, saved)
		return was, is, nil
	})
}

// sellable says what a product lacks to be put on sale.
func sellable(ctx context.Context, tx pgx.Tx, productID int64, form *fault.Form) error {
	grid, err := catalog.ReadGrid(ctx, tx, productID)
	if err != nil {
		return err
	}
	for _, row := range grid.Rows {
		if row.Active && len(row.Prices) > 0 {
			return nil
		}
	}
	form.Add("status", "Give at least one variant a price first.")
	return nil
}

// SaveOptions makes a product's variants those of every combination of its options.
func SaveOptions(ctx context.Context, db pg.DB, at origin.Origin, productID int64, options []catalog.Option) error {
	return onProduct(ctx, db, at, productID, "product.options", func(tx pgx.Tx) (was, is map[string]any, err error) {
		before, err := catalog.OptionsOf(ctx, tx, productID)
		if err != nil {
			return nil, nil, err
		}
		if _, err := catalog.SetOptions(ctx, tx, productID, options); err != nil {
			return nil, nil, err
		}
		return named(before), named(options), nil
	})
}

func named(options []catalog.Option) map[string]any {
	all := map[string]any{}
	for _, o := range options {
		all[o.Name] = o.Values
	}
	if len(all) == 0 {
		all["options"] = "none"
	}
	return all
}

// SaveGrid merges a form onto a product's variants.
func SaveGrid(ctx context.Context, db pg.DB, at origin.Origin, productID int64, edit merge.Edit) error {
	return onProduct(ctx, db, at, productID, "product.variants", func(tx pgx.Tx) (was, is map[string]any, err error) {
		grid, err := catalog.ReadGrid(ctx, tx, productID)
		if err != nil {
			return nil, nil, err
		}
		now := grid.Fields()
		merged, both := edit.Onto(now)
		if err := merge.Conflict(both); err != nil {
			return nil, nil, err
		}
		if err := catalog.SaveGrid(ctx, tx, productID, grid, merged, at.AssociateID); err != nil {
			return nil, nil, err
		}
		was, is = merge.Changes(now, merged)
		return was, is, nil
	})
}

// New is a product that somebody begins.
type New struct {
	Head    catalog.Head
	Options []catalog.Option
	Prices  []catalog.Price // of every variant
	Class   string          // of its tax
}

// Create begins a product as a draft, with a variant for every combination of its options.
func Create(ctx context.Context, db pg.DB, at origin.Origin, n New) (productID int64, err error) {
	err = pg.InTx(ctx, db, func(tx pgx.Tx) error {
		if productID, err = catalog.Begin(ctx, tx, n.Head, n.Options, n.Class); err != nil {
			return err
		}
		if err := catalog.SetAllPrices(ctx, tx, productID, n.Prices, at.AssociateID); err != nil {
			return err
		}
		return staff.Log(ctx, tx, staff.Entry{AssociateID: at.AssociateID, Action: "product.created", Subject: "product",
			SubjectID: productID, After: map[string]any{"title": n.Head.Title}})
	})
	return productID, err
}

// Duplicate makes a draft like a product: texts, departments, options, prices, pictures; not stock, codes or sales.
func Duplicate(ctx context.Context, db pg.DB, at origin.Origin, productID int64, title string) (copyID int64,
	err error) {
	err = pg.InTx(ctx, db, func(tx pgx.Tx) error {
		if copyID, err = catalog.Duplicate(ctx, tx, productID, title); err != nil {
			return err
		}
		if copyID == 0 {
			return errNoProduct
		}
		undrawn, err := catalog.Undrawns(ctx, tx, copyID)
		if err != nil {
			return err
		}
		for _, id := range undrawn {
			if err := jobs.Insert(ctx, tx, gallery.Job{PictureID: id}); err != nil {
				return err
			}
		}
		return staff.Log(ctx, tx, staff.Entry{AssociateID: at.AssociateID, Action: "product.created", Subject: "product",
			SubjectID: copyID, After: map[string]any{"title": title, "like": productID}})
	})
	return copyID, err
}

// PlanSale reduces the price of variants of a product for a time.
func PlanSale(ctx context.Context, db pg.DB, at origin.Origin, productID int64, variants []int64,
	sale catalog.Sale) error {
	return onProduct(ctx, db, at, productID, "price.sale", func(tx pgx.Tx) (was, is map[string]any, err error) {
		if len(variants) == 0 {
			return nil, nil, fault.Field("sale_variant", "Choose at least one variant.")
		}
		for _, id := range variants {
			if err := catalog.PlanSale(ctx, tx, id, sale, at.AssociateID); err != nil {
				return nil, nil, err
			}
		}
		return nil, map[string]any{"variants": variants, "currency": sale.Currency, "amount": sale.Amount,
			"from": sale.From, "until": sale.Until}, nil
	})
}

// EndSale ends the sale of variants of a product, or calls it off.
func EndSale(ctx context.Context, db pg.DB, at origin.Origin, productID int64, variants []int64, currency string,
	taxIncluded bool) error {
	return onProduct(ctx, db, at, productID, "price.sale_ended", func(tx pgx.Tx) (was, is map[string]any, err error) {
		for _, id := range variants {
			if _, err := catalog.EndSale(ctx, tx, id, currency, taxIncluded, at.AssociateID); err != nil {
				return nil, nil, fmt.Errorf("end a sale: %w", err)
			}
		}
		return nil, map[string]any{"variants": variants, "currency": currency}, nil
	})
}

// SetAttributes merges a form onto what attributes say of a product.
func SetAttributes(ctx context.Context, db pg.DB, at origin.Origin, productID int64, edit merge.Edit) error {
	return onProduct(ctx, db, at, productID, "product.attributes", func(tx pgx.Tx) (was, is map[string]any, err error) {
		var all []catalog.AttributeValue
		if err := pg.Ask(ctx, tx, catalog.AttributesOf(productID, &all)); err != nil {
			return nil, nil, err
		}
		now := map[string]string{}
		for _, a := range all {
			now[catalog.Cell("attribute", a.ID)] = a.Value
		}
		merged, both := edit.Onto(now)
		if err := merge.Conflict(both); err != nil {
			return nil, nil, err
		}
		var form fault.Form
		if err := catalog.SetAttributes(ctx, tx, productID, merged, &form); err != nil {
			return nil, nil, err
		}
		was, is = merge.Changes(now, merged)
		return was, is, nil
	})
}

// AddFile puts a file beside a product.
func AddFile(ctx context.Context, db pg.DB, at origin.Origin, productID int64, file catalog.File) error {
	return onProduct(ctx, db, at, productID, "product.files", func(tx pgx.Tx) (was, is map[string]any, err error) {
		return nil, map[string]any{"added": file.Title}, catalog.AddFile(ctx, tx, productID, file)
	})
}

// RemoveFile takes a file away.
func RemoveFile(ctx context.Context, db pg.DB, at origin.Origin, productID, fileID int64) error {
	return onProduct(ctx, db, at, productID, "product.files", func(tx pgx.Tx) (was, is map[string]any, err error) {
		return nil, map[string]any{"removed": fileID}, catalog.RemoveFile(ctx, tx, productID, fileID)
	})
}

// SetRelated chooses the products that are shown beside one, by their addresses.
func SetRelated(ctx context.Context, db pg.DB, at origin.Origin, productID int64, slugs []string) error {
	return onProduct(ctx, db, at, productID, "product.related", func(tx pgx.Tx) (was, is map[string]any, err error) {
		return nil, map[string]any{"related": slugs}, catalog.SetRelated(ctx, tx, productID, slugs)
	})
}
