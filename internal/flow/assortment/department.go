package assortment

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/catalog"
	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/staff"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/merge"
	"counterpart/internal/platform/pg"
)

// SaveDepartment merges a form onto a department; 0 makes a new one. It answers its id.
func SaveDepartment(ctx context.Context, db pg.DB, at origin.Origin, id int64, languages []string,
	edit merge.Edit) (int64, error) {
	err := pg.InTx(ctx, db, func(tx pgx.Tx) error {
		before := &catalog.Department{InMenu: true}
		if id != 0 {
			var all []catalog.Department
			if err := pg.Ask(ctx, tx, catalog.Departments(&all)); err != nil {
				return err
			}
			i := slices.IndexFunc(all, func(d catalog.Department) bool { return d.ID == id })
			if i < 0 {
				return fault.New(fault.NotFound, "We can’t find that department.")
			}
			before = &all[i]
		}
		now := before.Fields(languages)
		merged, both := edit.Onto(now)
		if err := merge.Conflict(both); err != nil {
			return err
		}
		var form fault.Form
		d := catalog.ReadDepartment(merged, languages, &form)
		if err := form.Err(); err != nil {
			return err
		}
		d.ID = id
		if err := catalog.SaveDepartment(ctx, tx, &d); err != nil {
			return err
		}
		id = d.ID
		was, is := merge.Changes(now, d.Fields(languages))
		return staff.Log(ctx, tx, staff.Entry{AssociateID: at.AssociateID, Action: "department.changed",
			Subject: "department", SubjectID: id, Before: was, After: is})
	})
	return id, err
}

// MoveDepartment puts a department into another place of the tree.
func MoveDepartment(ctx context.Context, db pg.DB, at origin.Origin, id, parentID, beforeID int64) error {
	return change(ctx, db, staff.Entry{AssociateID: at.AssociateID, Action: "department.moved", Subject: "department",
		SubjectID: id, After: map[string]any{"parent": parentID, "before": beforeID}}, func(tx pgx.Tx) error {
		return catalog.MoveDepartment(ctx, tx, id, parentID, beforeID)
	})
}

// RemoveDepartment takes a department away.
func RemoveDepartment(ctx context.Context, db pg.DB, at origin.Origin, id int64) error {
	return change(ctx, db, staff.Entry{AssociateID: at.AssociateID, Action: "department.removed", Subject: "department",
		SubjectID: id}, func(tx pgx.Tx) error {
		return catalog.RemoveDepartment(ctx, tx, id)
	})
}

// SaveAttribute writes something that can be said of products.
func SaveAttribute(ctx context.Context, db pg.DB, at origin.Origin, a *catalog.Attribute) error {
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		if err := catalog.SaveAttribute(ctx, tx, a); err != nil {
			return err
		}
		return staff.Log(ctx, tx, staff.Entry{AssociateID: at.AssociateID, Action: "attribute.changed",
			Subject: "attribute", SubjectID: a.ID, After: map[string]any{"name": a.Name, "kind": a.Kind, "unit": a.Unit,
				"facet": a.Facet}})
	})
}
