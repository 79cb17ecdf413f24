package catalog

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/text"
)

// Attribute is something that a retailer says of products in the same words: material, capacity, dishwasher safe.
type Attribute struct {
	ID    int64
	Name  string
	Kind  string // text, number, yes_no
	Unit  string // of a number
	Facet bool   // lists are narrowed by it
}

// AttributeKinds there are.
var AttributeKinds = []string{"text", "number", "yes_no"}

// AttributeValue is what an attribute says of a product.
type AttributeValue struct {
	Attribute
	Value string // as it is shown, without its unit; yes of yes_no. Empty: nothing
}

// Attributes there are, in their order.
func Attributes(into *[]Attribute) pg.Question {
	return pg.All(into, `SELECT id, name, kind, unit, facet FROM attribute ORDER BY position, id`)
}

// AttributesOf are all attributes, each with what it says of a product.
func AttributesOf(productID int64, into *[]AttributeValue) pg.Question {
	return pg.All(into, `
		SELECT a.id, a.name, a.kind, a.unit, a.facet, coalesce(v.value, '') AS value
		FROM attribute a
		LEFT JOIN product_attribute v ON v.attribute_id = a.id AND v.product_id = $1
		ORDER BY a.position, a.id`, productID)
}

// SaveAttribute writes an attribute; one without an id is a new one, and gets one.
func SaveAttribute(ctx context.Context, tx pgx.Tx, a *Attribute) error {
	a.Name, a.Unit = text.Clean(a.Name, 61), text.Clean(a.Unit, 21)
	var form fault.Form
	if a.Name == "" || len([]rune(a.Name)) > 60 {
		form.Add("attribute_name", "Enter a name, up to 60 characters.")
	}
	if !slices.Contains(AttributeKinds, a.Kind) {
		form.Add("attribute_kind", "Choose from the list.")
	}
	if len([]rune(a.Unit)) > 20 {
		form.Add("attribute_unit", "That’s too long. Use up to {most} characters.", text.Args{"most": 20})
	}
	if err := form.Err(); err != nil {
		return err
	}
	if a.Kind != "number" {
		a.Unit = ""
	}
	err := tx.QueryRow(ctx, `
		WITH changed AS (
			UPDATE attribute SET name = @name, unit = @unit, facet = @facet WHERE id = @id AND kind = @kind
			RETURNING id),
		made AS (
			INSERT INTO attribute (name, kind, unit, facet, position)
			SELECT @name, @kind, @unit, @facet, coalesce((SELECT max(position) FROM attribute), 0) + 1
			WHERE @id = 0
			RETURNING id)
		SELECT id FROM changed UNION ALL SELECT id FROM made`, pgx.NamedArgs{"id": a.ID, "name": a.Name,
		"kind": a.Kind, "unit": a.Unit, "facet": a.Facet}).Scan(&a.ID)
	var violated *pgconn.PgError
	switch {
	case errors.As(err, &violated) && violated.ConstraintName == "attribute_name":
		return fault.Field("attribute_name", "There is one with this name already.")
	case errors.Is(err, pgx.ErrNoRows):
		return fault.Field("attribute_kind", "The kind of an attribute can’t change once it’s in use. Add another one.")
	case err != nil:
		return fmt.Errorf("save an attribute: %w", err)
	}
	return facets(ctx, tx, `id IN (SELECT product_id FROM product_attribute WHERE attribute_id = $1)`, a.ID)
}

// SetAttributes writes what attributes say of a product, as a form's fields attribute.N have it, and says of each what
// is wrong with it.
func SetAttributes(ctx context.Context, tx pgx.Tx, productID int64, f map[string]string, form *fault.Form) error {
	var all []Attribute
	if err := pg.Ask(ctx, tx, Attributes(&all)); err != nil {
		return err
	}
	batch := &pgx.Batch{}
	for _, a := range all {
		field := Cell("attribute", a.ID)
		typed, sent := f[field]
		value := text.Clean(typed, 201)
		switch {
		case !sent:
			continue
		case value == "":
		case len([]rune(value)) > 200:
			form.Add(field, "That’s too long. Use up to {most} characters.", text.Args{"most": 200})
		case a.Kind == "number":
			value = strings.Replace(value, ",", ".", 1)
			if _, err := strconv.ParseFloat(value, 64); err != nil || strings.Trim(value, "0123456789.-") != "" {
				form.Add(field, "Enter a number, such as 0.35.")
			}
		case a.Kind == "yes_no" && value != "yes" && value != "no":
			form.Add(field, "Choose from the list.")
		}
		batch.Queue(`DELETE FROM product_attribute WHERE product_id = $1 AND attribute_id = $2 AND value <> $3`,
			productID, a.ID, value)
		batch.Queue(`
			INSERT INTO product_attribute (product_id, attribute_id, value)
			SELECT $1, $2, $3
			WHERE $3 <> ''
			ON CONFLICT DO NOTHING`, productID, a.ID, value)
	}
	if err := form.Err(); err != nil {
		return err
	}
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("write a product's attributes: %w", err)
	}
	if err := facets(ctx, tx, `id = $1`, productID); err != nil {
		return err
	}
	return Index(ctx, tx, productID)
}

// facets writes on products what lists are narrowed by.
func facets(ctx context.Context, tx pgx.Tx, which string, arg any) error {
	_, err := tx.Exec(ctx, `
		UPDATE product p
		SET facet_names = said.names, facet_values = said.values
		FROM (
			SELECT q.id, coalesce(array_agg(a.name ORDER BY a.position, a.id) FILTER (WHERE a.facet), '{}') AS names,
				coalesce(array_agg(concat_ws(' ', v.value, nullif(a.unit, '')) ORDER BY a.position, a.id)
					FILTER (WHERE a.facet), '{}') AS values
			FROM (SELECT id FROM product WHERE `+which+`) q
			LEFT JOIN product_attribute v ON v.product_id = q.id
			LEFT JOIN attribute a ON a.id = v.attribute_id
			GROUP BY q.id) said
		WHERE p.id = said.id AND (p.facet_names, p.facet_values) IS DISTINCT FROM (said.names, said.values)`, arg)
	if err != nil {
		return fmt.Errorf("write facets: %w", err)
	}
	return nil
}
