package assortment

import (
	"context"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/catalog"
	"counterpart/internal/domain/gallery"
	"counterpart/internal/domain/origin"
	"counterpart/internal/platform/jobs"
	"counterpart/internal/platform/pg"
)

// AddPictures puts originals that were accepted at the end of a product's pictures; a job draws their sizes.
func AddPictures(ctx context.Context, db pg.DB, at origin.Origin, productID int64, originals []string) error {
	return onProduct(ctx, db, at, productID, "product.pictures", func(tx pgx.Tx) (was, is map[string]any, err error) {
		added := 0
		for _, original := range originals {
			id, err := catalog.AddPicture(ctx, tx, productID, original)
			if err != nil {
				return nil, nil, err
			}
			if id == 0 {
				continue
			}
			added++
			if err := jobs.Insert(ctx, tx, gallery.Job{PictureID: id}); err != nil {
				return nil, nil, err
			}
		}
		if added == 0 {
			return nil, nil, nil
		}
		return nil, map[string]any{"added": added}, nil
	})
}

// OrderPictures puts a product's pictures in an order.
func OrderPictures(ctx context.Context, db pg.DB, at origin.Origin, productID int64, ids []int64) error {
	return onProduct(ctx, db, at, productID, "product.pictures", func(tx pgx.Tx) (was, is map[string]any, err error) {
		return nil, map[string]any{"order": ids}, catalog.OrderPictures(ctx, tx, productID, ids)
	})
}

// SetPicture says what a picture shows, and which part of it.
func SetPicture(ctx context.Context, db pg.DB, at origin.Origin, productID, pictureID int64, alt string,
	crop catalog.Crop) error {
	return onProduct(ctx, db, at, productID, "product.pictures", func(tx pgx.Tx) (was, is map[string]any, err error) {
		draw, err := catalog.SetPicture(ctx, tx, productID, pictureID, alt, crop)
		if err == nil && draw {
			err = jobs.Insert(ctx, tx, gallery.Job{PictureID: pictureID})
		}
		return nil, map[string]any{"picture": pictureID, "alt": alt}, err
	})
}

// RemovePicture takes a picture away.
func RemovePicture(ctx context.Context, db pg.DB, at origin.Origin, productID, pictureID int64) error {
	return onProduct(ctx, db, at, productID, "product.pictures", func(tx pgx.Tx) (was, is map[string]any, err error) {
		return nil, map[string]any{"removed": pictureID}, catalog.RemovePicture(ctx, tx, productID, pictureID)
	})
}
