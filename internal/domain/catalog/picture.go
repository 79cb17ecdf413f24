package catalog

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/platform/pg"
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
}

// UndrawnPicture reads one; nil when it was drawn meanwhile, or is gone.
func UndrawnPicture(ctx context.Context, db pg.DB, id int64) (*Undrawn, error) {
	var p Undrawn
	err := db.QueryRow(ctx, `
		SELECT p.id, product.slug, p.original, p.tint
		FROM picture p
		JOIN product ON product.id = p.product_id
		WHERE p.id = $1 AND p.key IS NULL`, id).Scan(&p.ID, &p.Slug, &p.Original, &p.Tint)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read picture %d: %w", id, err)
	}
	return &p, nil
}

// Drawn records where the sizes are; original guards against a picture that was replaced while it was drawn.
func Drawn(ctx context.Context, db pg.DB, p Undrawn, key string) error {
	_, err := db.Exec(ctx, `
		UPDATE picture
		SET key = $3, failed = NULL
		WHERE id = $1 AND original = $2`, p.ID, p.Original, key)
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
