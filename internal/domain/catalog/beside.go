package catalog

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/text"
)

// File stands beside a product: instructions, a size guide.
type File struct {
	ID    int64
	Title string
	Key   string // in the file store
	Bytes int
}

// MaxFiles of a product.
const MaxFiles = 10

// FilesOf are a product's.
func FilesOf(productID int64, into *[]File) pg.Question {
	return pg.All(into, `SELECT id, title, key, bytes FROM product_file WHERE product_id = $1 ORDER BY id`, productID)
}

// FileByID is one that a product on sale has; nil where there is none.
func FileByID(ctx context.Context, db pg.DB, id int64) (*File, error) {
	return pg.Row[File](db.Query(ctx, `
		SELECT f.id, f.title, f.key, f.bytes
		FROM product_file f
		JOIN product p ON p.id = f.product_id AND p.status = 'active'
		WHERE f.id = $1`, id))
}

// AddFile puts a file beside a product.
func AddFile(ctx context.Context, tx pgx.Tx, productID int64, f File) error {
	if f.Title = text.Clean(f.Title, 101); f.Title == "" || len([]rune(f.Title)) > 100 {
		return fault.Field("file_title", "Enter a title, up to {most} characters.", text.Args{"most": 100})
	}
	tag, err := tx.Exec(ctx, `
		INSERT INTO product_file (product_id, title, key, bytes)
		SELECT $1, $2, $3, $4
		WHERE (SELECT count(*) FROM product_file WHERE product_id = $1) < $5
		ON CONFLICT (product_id, key) DO UPDATE SET title = excluded.title`, productID, f.Title, f.Key, f.Bytes,
		MaxFiles)
	if err != nil {
		return fmt.Errorf("add a file: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return fault.Field("file", "A product can have up to {most} files. Remove one first.",
			text.Args{"most": MaxFiles})
	}
	return nil
}

// RemoveFile takes one away.
func RemoveFile(ctx context.Context, tx pgx.Tx, productID, fileID int64) error {
	tag, err := tx.Exec(ctx, `DELETE FROM product_file WHERE product_id = $1 AND id = $2`, productID, fileID)
	if err != nil {
		return fmt.Errorf("remove a file: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return fault.New(fault.NotFound, "That file isn’t there any more.")
	}
	return nil
}

// Related is a product that somebody chose to be shown beside another.
type Related struct {
	ID     int64
	Slug   string
	Title  string
	Status string
}

// MaxRelated products beside one.
const MaxRelated = 8

// RelatedTo are those beside a product, in their order.
func RelatedTo(productID int64, into *[]Related) pg.Question {
	return pg.All(into, `
		SELECT p.id, p.slug, p.status, coalesce((SELECT title FROM product_text WHERE product_id = p.id
			ORDER BY language = 'en' DESC, language LIMIT 1), p.slug) AS title
		FROM product_related r
		JOIN product p ON p.id = r.related_id
		WHERE r.product_id = $1
		ORDER BY r.position, p.id`, productID)
}

// SetRelated chooses the products beside one, by their addresses, in an order.
func SetRelated(ctx context.Context, tx pgx.Tx, productID int64, slugs []string) error {
	if len(slugs) > MaxRelated {
		return fault.Field("related", "Choose up to {most} products.", text.Args{"most": MaxRelated})
	}
	rows, err := tx.Query(ctx, `SELECT slug FROM product WHERE slug = ANY ($1) AND id <> $2`, slugs, productID)
	if err != nil {
		return fmt.Errorf("find products: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("find products: %w", err)
	}
	for _, slug := range slugs {
		if !slices.Contains(found, slug) {
			return fault.Field("related", "We can’t find a product with the address {slug}.",
				text.Args{"slug": slug})
		}
	}
	batch := &pgx.Batch{}
	batch.Queue(`DELETE FROM product_related WHERE product_id = $1`, productID)
	batch.Queue(`
		INSERT INTO product_related (product_id, related_id, position)
		SELECT DISTINCT ON (p.id) $1, p.id, given.n
		FROM unnest($2::text[]) WITH ORDINALITY AS given (slug, n)
		JOIN product p ON p.slug = given.slug
		ORDER BY p.id, given.n`, productID, slugs)
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("choose related products: %w", err)
	}
	return nil
}
