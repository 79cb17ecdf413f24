package catalog

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/text"
)

// Widths of the drawn sizes in pixels: a thumbnail, a card, a page.
var Widths = []int{160, 480, 1080}

// PictureURL is the address of one drawn size.
func PictureURL(key string, width int) string { return fmt.Sprintf("/pictures/%s-%d.jpg", key, width) }

// Undrawn is a picture that waits for its sizes.
type Undrawn struct {
	ID       int64
	Slug     string
	Original string
	Tint     string
	Crop
}

// Crop is the part of an original that is shown at 4:5: where it begins and how wide it is, in thousandths of the
// original's width and height. Without a width it is the whole.
type Crop struct {
	CropLeft, CropTop, CropWidth int
}

// UndrawnPicture reads one; nil when it was drawn meanwhile, or is gone.
func UndrawnPicture(ctx context.Context, db pg.DB, id int64) (*Undrawn, error) {
	p, err := pg.Row[Undrawn](db.Query(ctx, `
		SELECT p.id, product.slug, p.original, p.tint, p.crop_left, p.crop_top, p.crop_width
		FROM picture p
		JOIN product ON product.id = p.product_id
		WHERE p.id = $1 AND p.key IS NULL`, id))
	if err != nil {
		return nil, fmt.Errorf("read picture %d: %w", id, err)
	}
	return p, nil
}

// Undrawns are the pictures of a product that wait for their sizes.
func Undrawns(ctx context.Context, db pg.DB, productID int64) ([]int64, error) {
	rows, err := db.Query(ctx, `SELECT id FROM picture WHERE product_id = $1 AND key IS NULL AND failed IS NULL`,
		productID)
	if err != nil {
		return nil, fmt.Errorf("list undrawn pictures: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowTo[int64])
}

// Drawn records where the sizes are; original and crop guard against a picture that was changed while it
// was drawn.
func Drawn(ctx context.Context, db pg.DB, p Undrawn, key string) error {
	_, err := db.Exec(ctx, `
		UPDATE picture
		SET key = $3, failed = NULL
		WHERE id = $1 AND original = $2 AND (crop_left, crop_top, crop_width) = ($4, $5, $6)`, p.ID, p.Original, key,
		p.CropLeft, p.CropTop, p.CropWidth)
	return err
}

// NotDrawn records why a picture cannot be shown; the product keeps its ground.
func NotDrawn(ctx context.Context, db pg.DB, p Undrawn, why string) error {
	_, err := db.Exec(ctx, `
		UPDATE picture
		SET failed = $2
		WHERE id = $1`, p.ID, why)
	return err
}

// MaxPictures of a product.
const MaxPictures = 30

// AddPicture puts an original at the end of a product's pictures and answers its id; 0 where it is there already.
func AddPicture(ctx context.Context, tx pgx.Tx, productID int64, original string) (id int64, err error) {
	var n int
	if err := tx.QueryRow(ctx, `SELECT count(*) FROM picture WHERE product_id = $1`, productID).Scan(&n); err != nil {
		return 0, fmt.Errorf("count pictures: %w", err)
	}
	if n >= MaxPictures {
		return 0, fault.New(fault.Invalid, "A product can have up to {most} pictures. Remove one first.",
			text.Args{"most": MaxPictures})
	}
	err = tx.QueryRow(ctx, `
		INSERT INTO picture (product_id, position, source, original)
		SELECT $1, coalesce(max(position), 0) + 1, $2, $2
		FROM picture
		WHERE product_id = $1
		ON CONFLICT (product_id, source) DO NOTHING
		RETURNING id`, productID, original).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("add a picture: %w", err)
	}
	return id, nil
}

// OrderPictures puts a product's pictures in an order; those that are not named come after.
func OrderPictures(ctx context.Context, tx pgx.Tx, productID int64, ids []int64) error {
	_, err := tx.Exec(ctx, `
		UPDATE picture p
		SET position = ordered.n
		FROM (
			SELECT id, row_number() OVER (ORDER BY array_position($2::bigint[], id), position, id) AS n
			FROM picture
			WHERE product_id = $1) ordered
		WHERE p.id = ordered.id AND p.position <> ordered.n`, productID, ids)
	if err != nil {
		return fmt.Errorf("order pictures: %w", err)
	}
	return nil
}

// SetPicture says what a picture shows and which part of it; it answers whether it has to be drawn again. False, and a
// fault, where it is not one of the product's.
func SetPicture(ctx context.Context, tx pgx.Tx, productID, pictureID int64, alt string, crop Crop) (draw bool,
	err error) {
	alt = text.Clean(alt, 301)
	if len([]rune(alt)) > 300 {
		return false, fault.Field("alt", "That’s too long. Use up to {most} characters.", text.Args{"most": 300})
	}
	if crop.CropLeft < 0 || crop.CropTop < 0 || crop.CropTop > 999 || crop.CropLeft > 999 || crop.CropWidth < 0 ||
		crop.CropWidth > 0 && crop.CropWidth < 100 || crop.CropLeft+crop.CropWidth > 1000 {
		return false, fault.Field("crop", "Choose a part of the picture, at least a tenth of its width.")
	}
	err = tx.QueryRow(ctx, `
		WITH before AS (
			SELECT (crop_left, crop_top, crop_width) IS DISTINCT FROM (@left::smallint, @top::smallint,
				@width::smallint) AS differs
			FROM picture
			WHERE id = @id AND product_id = @product)
		UPDATE picture
		SET alt = @alt, crop_left = @left, crop_top = @top, crop_width = @width,
			key = CASE WHEN before.differs THEN NULL ELSE key END, failed = NULL
		FROM before
		WHERE id = @id
		RETURNING before.differs`, pgx.NamedArgs{"id": pictureID, "product": productID, "alt": alt,
		"left": crop.CropLeft, "top": crop.CropTop, "width": crop.CropWidth}).Scan(&draw)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, fault.New(fault.NotFound, "We can’t find that picture.")
	}
	if err != nil {
		return false, fmt.Errorf("change a picture: %w", err)
	}
	return draw, nil
}

// RemovePicture takes a picture away; variants that showed it show the product's first. Its files stay: other products
// may show the same.
func RemovePicture(ctx context.Context, tx pgx.Tx, productID, pictureID int64) error {
	batch := &pgx.Batch{}
	batch.Queue(`UPDATE variant SET picture_id = NULL WHERE product_id = $1 AND picture_id = $2`, productID, pictureID)
	batch.Queue(`DELETE FROM picture WHERE product_id = $1 AND id = $2`, productID, pictureID)
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("remove a picture: %w", err)
	}
	return nil
}
