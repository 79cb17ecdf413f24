package catalog

import (
	"context"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/text"
)

// Department is a branch of the tree of what is sold. One that is in no menu is a collection, reached by a link.
type Department struct {
	ID       int64
	ParentID int64 // 0: it is at the top
	Slug     string
	Name     string            // in English
	Names    map[string]string // by language
	InMenu   bool
	Depth    int
	Products int // in it, at any status
}

// Departments are the whole tree in the order in which it is shown.
func Departments(into *[]Department) pg.Question {
	return pg.All(into, `
		WITH RECURSIVE tree AS (
			SELECT id, 0::bigint AS parent_id, slug, in_menu, 0 AS depth, ARRAY[position::bigint, id] AS path
			FROM category
			WHERE parent_id IS NULL
			UNION ALL
			SELECT c.id, c.parent_id, c.slug, c.in_menu, tree.depth + 1, tree.path || ARRAY[c.position::bigint, c.id]
			FROM category c
			JOIN tree ON tree.id = c.parent_id)
		SELECT tree.id, tree.parent_id, tree.slug, tree.in_menu, tree.depth,
			coalesce((SELECT name FROM category_text WHERE category_id = tree.id
				ORDER BY language = 'en' DESC, language LIMIT 1), tree.slug) AS name,
			coalesce((SELECT jsonb_object_agg(language, name) FROM category_text WHERE category_id = tree.id),
				'{}') AS names,
			(SELECT count(*) FROM product_category WHERE category_id = tree.id)::int AS products
		FROM tree
		ORDER BY tree.path`)
}

// Fields are a department's as a form has it.
func (d *Department) Fields(languages []string) map[string]string {
	f := map[string]string{"slug": d.Slug, "in_menu": flag(d.InMenu), "parent": strconv.FormatInt(d.ParentID, 10)}
	for _, language := range languages {
		f["name_"+language] = d.Names[language]
	}
	return f
}

// ReadDepartment reads a form and says, field by field, what is wrong with it.
func ReadDepartment(f map[string]string, languages []string, form *fault.Form) Department {
	d := Department{Slug: Slug(f["slug"]), InMenu: f["in_menu"] == "1", Names: map[string]string{}}
	for _, language := range languages {
		name := text.Clean(f["name_"+language], 81)
		if len([]rune(name)) > 80 || language == "en" && name == "" {
			form.Add("name_"+language, "Enter a name, up to 80 characters.")
		}
		if name != "" {
			d.Names[language] = name
		}
	}
	if d.Slug == "" {
		d.Slug = Slug(d.Names["en"])
	}
	if d.Slug == "" && d.Names["en"] != "" {
		form.Add("slug", "Enter an address with at least one letter or digit, such as morning-mug.")
	}
	var err error
	if d.ParentID, err = strconv.ParseInt(f["parent"], 10, 64); err != nil && f["parent"] != "" {
		form.Add("parent", "Choose from the list.")
	}
	return d
}

// SaveDepartment writes a department; one without an id is a new one, the last of its branch, and gets one.
func SaveDepartment(ctx context.Context, tx pgx.Tx, d *Department) error {
	if err := holdTree(ctx, tx); err != nil {
		return err
	}
	if err := fits(ctx, tx, d.ID, d.ParentID); err != nil {
		return err
	}
	args := pgx.NamedArgs{"id": d.ID, "slug": d.Slug, "parent": d.ParentID, "in_menu": d.InMenu}
	if d.ID == 0 {
		err := tx.QueryRow(ctx, `
			INSERT INTO category (parent_id, slug, in_menu, position)
			SELECT nullif(@parent::bigint, 0), @slug, @in_menu, coalesce(max(position), 0) + 1
			FROM category
			WHERE coalesce(parent_id, 0) = @parent
			RETURNING id`, args).Scan(&d.ID)
		if err != nil {
			return slugFault(err, "save a department")
		}
	} else {
		batch := &pgx.Batch{}
		queueFormerSlug(batch, "category", args)
		batch.Queue(`
			UPDATE category
			SET slug = @slug, parent_id = nullif(@parent::bigint, 0), in_menu = @in_menu
			WHERE id = @id`, args)
		if err := tx.SendBatch(ctx, batch).Close(); err != nil {
			return slugFault(err, "save a department")
		}
	}
	batch := &pgx.Batch{}
	for language, name := range d.Names {
		batch.Queue(`
			INSERT INTO category_text (category_id, language, name)
			VALUES ($1, $2, $3)
			ON CONFLICT (category_id, language) DO UPDATE SET name = excluded.name`, d.ID, language, name)
	}
	batch.Queue(`DELETE FROM category_text WHERE category_id = $1 AND NOT language = ANY ($2)`, d.ID, keys(d.Names))
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("name a department: %w", err)
	}
	return indexBelow(ctx, tx, d.ID)
}

func keys(m map[string]string) []string {
	all := []string{}
	for key := range m {
		all = append(all, key)
	}
	return all
}

// holdTree has changes of the tree happen one after the other: two at once could make a circle.
func holdTree(ctx context.Context, tx pgx.Tx) error {
	if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtext('category tree'))`); err != nil {
		return fmt.Errorf("hold the tree of departments: %w", err)
	}
	return nil
}

// fits refuses a branch that does not exist, that is below what is to be put into it, or that is too deep.
func fits(ctx context.Context, tx pgx.Tx, id, parentID int64) error {
	if parentID == 0 {
		return nil
	}
	var exists, below bool
	var depth int
	err := tx.QueryRow(ctx, `
		WITH RECURSIVE up AS (
			SELECT id, parent_id FROM category WHERE id = $1
			UNION
			SELECT c.id, c.parent_id FROM category c JOIN up ON up.parent_id = c.id)
		SELECT count(*) > 0, coalesce(bool_or(id = $2), false), count(*) FROM up`, parentID, id).
		Scan(&exists, &below, &depth)
	switch {
	case err != nil:
		return fmt.Errorf("look above a department: %w", err)
	case !exists:
		return fault.Field("parent", "Choose from the list.")
	case below:
		return fault.Field("parent", "A department can’t be inside itself. Choose another.")
	case depth >= 5:
		return fault.Field("parent", "Departments go up to five levels deep. Choose another.")
	}
	return nil
}

// indexBelow brings the search up to date for the products of a branch.
func indexBelow(ctx context.Context, tx pgx.Tx, id int64) error {
	rows, err := tx.Query(ctx, `
		WITH RECURSIVE down AS (
			SELECT $1::bigint AS id
			UNION
			SELECT c.id FROM category c JOIN down ON down.id = c.parent_id)
		SELECT DISTINCT product_id
		FROM product_category
		WHERE category_id IN (SELECT id FROM down)
		ORDER BY 1
		LIMIT 2000`, id)
	if err != nil {
		return fmt.Errorf("list a department's products: %w", err)
	}
	products, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return fmt.Errorf("list a department's products: %w", err)
	}
	for _, product := range products {
		if err := Index(ctx, tx, product); err != nil {
			return err
		}
	}
	return nil
}

// MoveDepartment puts a department into a branch (0: the top) before one of its departments (0: at the end).
func MoveDepartment(ctx context.Context, tx pgx.Tx, id, parentID, beforeID int64) error {
	if err := holdTree(ctx, tx); err != nil {
		return err
	}
	if err := fits(ctx, tx, id, parentID); err != nil {
		return err
	}
	tag, err := tx.Exec(ctx, `UPDATE category SET parent_id = nullif($2::bigint, 0) WHERE id = $1`, id, parentID)
	if err != nil {
		return fmt.Errorf("move a department: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return fault.New(fault.NotFound, "We can’t find that department.")
	}
	_, err = tx.Exec(ctx, `
		WITH branch AS (
			SELECT c.id, row_number() OVER (ORDER BY CASE
				WHEN c.id <> $1 THEN (c.position, c.id, 1)
				WHEN before.id IS NULL THEN (2147483647, 0::bigint, 0)
				ELSE (before.position, before.id, 0) END) AS n
			FROM category c
			LEFT JOIN category before ON before.id = $3
			WHERE coalesce(c.parent_id, 0) = $2)
		UPDATE category c
		SET position = branch.n
		FROM branch
		WHERE c.id = branch.id AND c.position <> branch.n`, id, parentID, beforeID)
	if err != nil {
		return fmt.Errorf("order departments: %w", err)
	}
	return nil
}

// RemoveDepartment takes a department away; its products stay in their others. One with departments in it, or that a
// promotion speaks of, stays.
func RemoveDepartment(ctx context.Context, tx pgx.Tx, id int64) error {
	if err := holdTree(ctx, tx); err != nil {
		return err
	}
	var below, promoted, suggested bool
	err := tx.QueryRow(ctx, `
		SELECT EXISTS (SELECT FROM category WHERE parent_id = $1), EXISTS (SELECT FROM promotion
			WHERE state IN ('live', 'paused') AND rule -> 'categories' @> to_jsonb($1::bigint)),
			EXISTS (SELECT FROM slot WHERE $1 = ANY (only_in || never_in))`, id).
		Scan(&below, &promoted, &suggested)
	switch {
	case err != nil:
		return fmt.Errorf("look into a department: %w", err)
	case below:
		return fault.New(fault.Conflict, "This department has others inside it. Move or remove them first.")
	case promoted:
		return fault.New(fault.Conflict, "A promotion applies to this department. End it, or change it, first.")
	case suggested:
		return fault.New(fault.Conflict, "A place for suggestions names this department. Change that first, under Suggestions.")
	}
	products, err := productsIn(ctx, tx, id)
	if err != nil {
		return err
	}
	batch := &pgx.Batch{}
	batch.Queue(`DELETE FROM product_category WHERE category_id = $1`, id)
	batch.Queue(`DELETE FROM category_text WHERE category_id = $1`, id)
	batch.Queue(`DELETE FROM former_slug WHERE kind = 'category' AND subject_id = $1`, id)
	batch.Queue(`DELETE FROM category WHERE id = $1`, id)
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("remove a department: %w", err)
	}
	for _, product := range products {
		if err := Index(ctx, tx, product); err != nil {
			return err
		}
	}
	return nil
}

func productsIn(ctx context.Context, tx pgx.Tx, id int64) ([]int64, error) {
	rows, err := tx.Query(ctx, `SELECT product_id FROM product_category WHERE category_id = $1 ORDER BY 1 LIMIT 2000`,
		id)
	if err != nil {
		return nil, fmt.Errorf("list a department's products: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowTo[int64])
}
