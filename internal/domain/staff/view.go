package staff

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/text"
)

// View is a list of the admin as somebody narrowed it, under a name of theirs.
type View struct {
	ID    int64
	List  string
	Name  string
	Query string // as it stands in the address
}

// MaxViews of one list that somebody can keep.
const MaxViews = 20

// Views that somebody keeps of a list, by name.
func Views(ctx context.Context, db pg.DB, associateID int64, list string) ([]View, error) {
	rows, err := db.Query(ctx, `
		SELECT id, list, name, query
		FROM saved_view
		WHERE associate_id = $1 AND list = $2
		ORDER BY name`, associateID, list)
	if err != nil {
		return nil, fmt.Errorf("list saved views: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[View])
}

// SaveView keeps a view, in the place of one with its name.
func SaveView(ctx context.Context, db pg.DB, associateID int64, v View) error {
	if v.Name = text.Clean(v.Name, 41); v.Name == "" || len([]rune(v.Name)) > 40 {
		return fault.New(fault.Invalid, "Enter a name for the view, up to 40 characters.")
	}
	if len(v.Query) > 2000 {
		return fault.New(fault.Invalid, "That list is narrowed by too much to be saved.")
	}
	tag, err := db.Exec(ctx, `
		INSERT INTO saved_view (associate_id, list, name, query)
		SELECT $1, $2, $3, $4
		WHERE (SELECT count(*) FROM saved_view WHERE associate_id = $1 AND list = $2 AND name <> $3) < $5
		ON CONFLICT (associate_id, list, name) DO UPDATE SET query = excluded.query`, associateID, v.List, v.Name,
		v.Query, MaxViews)
	if err != nil {
		return fmt.Errorf("save a view: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return fault.New(fault.Invalid, "You can keep up to {most} views of a list. Remove one first.",
			text.Args{"most": MaxViews})
	}
	return nil
}

// DropView forgets a view of somebody's, and answers which it was; the zero View where it is not theirs.
func DropView(ctx context.Context, db pg.DB, associateID, id int64) (v View, err error) {
	err = db.QueryRow(ctx, `DELETE FROM saved_view WHERE associate_id = $1 AND id = $2 RETURNING id, list, name, query`,
		associateID, id).Scan(&v.ID, &v.List, &v.Name, &v.Query)
	if errors.Is(err, pgx.ErrNoRows) {
		return View{}, nil
	}
	if err != nil {
		return View{}, fmt.Errorf("forget a view: %w", err)
	}
	return v, nil
}
