package settings

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/catalog"
	"counterpart/internal/domain/location"
	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/staff"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/merge"
	"counterpart/internal/platform/pg"
)

var errNoPlace = fault.New(fault.NotFound, "We can’t find that store or warehouse.")

// OpenPlace opens a store or a warehouse; it answers its id. What is sold there needs prices in its currency.
func OpenPlace(ctx context.Context, db pg.DB, at origin.Origin, typed map[string]string) (id int64, err error) {
	var form fault.Form
	l := location.Read(typed, &form)
	if l.Slug = catalog.Slug(l.Slug); l.Slug == "" {
		l.Slug = catalog.Slug(l.Name)
	}
	if l.Slug == "" && l.Name != "" {
		form.Add("name", "The name needs at least one letter or digit.")
	}
	if err := form.Err(); err != nil {
		return 0, err
	}
	err = change(ctx, db, at, func(tx pgx.Tx) (staff.Entry, error) {
		if err := catalog.OpenPriceList(ctx, tx, l.Currency, l.TaxIncluded); err != nil {
			return staff.Entry{}, err
		}
		if err := location.Create(ctx, tx, l); err != nil {
			return staff.Entry{}, err
		}
		_, is := merge.Changes(nil, l.Fields())
		return staff.Entry{Action: "place.opened", Subject: "location", SubjectID: l.ID, LocationID: l.ID, After: is}, nil
	})
	return l.ID, err
}

// SavePlace merges a form onto a store or a warehouse. Where it has traded, its currency and kind of tax stay.
func SavePlace(ctx context.Context, db pg.DB, at origin.Origin, id int64, edit merge.Edit) error {
	return change(ctx, db, at, func(tx pgx.Tx) (staff.Entry, error) {
		if err := holdPlace(ctx, tx, id); err != nil {
			return staff.Entry{}, err
		}
		before, err := location.ByID(ctx, tx, id)
		if err != nil {
			return staff.Entry{}, err
		}
		now := before.Fields()
		merged, both := edit.Onto(now)
		if err := merge.Conflict(both); err != nil {
			return staff.Entry{}, err
		}
		var form fault.Form
		after := location.Read(merged, &form)
		after.ID = id
		if after.Slug = catalog.Slug(merged["slug"]); after.Slug == "" {
			form.Add("slug", "Enter an address with at least one letter or digit, such as morning-mug.")
		}
		if after.Currency != before.Currency || after.TaxIncluded != before.TaxIncluded {
			traded, err := location.Traded(ctx, tx, id)
			if err != nil {
				return staff.Entry{}, err
			}
			if traded {
				form.Add("currency", "It has orders already, so its currency and kind of tax stay. Open another one instead.")
			}
		}
		if err := form.Err(); err != nil {
			return staff.Entry{}, err
		}
		if err := catalog.OpenPriceList(ctx, tx, after.Currency, after.TaxIncluded); err != nil {
			return staff.Entry{}, err
		}
		if err := location.Save(ctx, tx, after); err != nil {
			return staff.Entry{}, err
		}
		was, is := merge.Changes(now, after.Fields())
		return staff.Entry{Action: "place.changed", Subject: "location", SubjectID: id, LocationID: id, Before: was,
			After: is}, nil
	})
}

// holdPlace locks a location that is not closed down.
func holdPlace(ctx context.Context, tx pgx.Tx, id int64) error {
	var found int64
	err := tx.QueryRow(ctx, `SELECT id FROM location WHERE id = $1 AND closed_at IS NULL FOR NO KEY UPDATE`, id).
		Scan(&found)
	if errors.Is(err, pgx.ErrNoRows) {
		return errNoPlace
	}
	if err != nil {
		return fmt.Errorf("hold a location: %w", err)
	}
	return nil
}

// ClosePlace closes a store or a warehouse down for good.
func ClosePlace(ctx context.Context, db pg.DB, at origin.Origin, id int64) error {
	return change(ctx, db, at, func(tx pgx.Tx) (staff.Entry, error) {
		return staff.Entry{Action: "place.closed", Subject: "location", SubjectID: id, LocationID: id},
			location.Close(ctx, tx, id)
	})
}

// SetSpecialDays writes days that are not like their weekday.
func SetSpecialDays(ctx context.Context, db pg.DB, at origin.Origin, id int64, days []location.Special) error {
	return change(ctx, db, at, func(tx pgx.Tx) (staff.Entry, error) {
		if err := holdPlace(ctx, tx, id); err != nil {
			return staff.Entry{}, err
		}
		names := map[string]any{}
		for _, day := range days {
			if err := location.SetSpecial(ctx, tx, id, day); err != nil {
				return staff.Entry{}, err
			}
			names[day.Day] = day.Name + " " + location.WriteHours(day.Hours)
		}
		return staff.Entry{Action: "place.days", Subject: "location", SubjectID: id, LocationID: id, After: names}, nil
	})
}

// RemoveSpecialDay has a day be like its weekday again.
func RemoveSpecialDay(ctx context.Context, db pg.DB, at origin.Origin, id int64, day string) error {
	return change(ctx, db, at, func(tx pgx.Tx) (staff.Entry, error) {
		return staff.Entry{Action: "place.days", Subject: "location", SubjectID: id, LocationID: id,
			Before: map[string]any{"day": day}}, location.RemoveSpecial(ctx, tx, id, day)
	})
}
