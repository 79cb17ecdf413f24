// Package tax is what a state adds to a price, or what is already in it: the rate of a class of goods in a place.
package tax

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/postal"
	"counterpart/internal/platform/text"
)

// Rate in parts per million: 20 % is 200,000, New York City's 8.875 % is 88,750.
type Rate struct {
	Country string
	Region  string
	Class   string
	Name    string
	PPM     int64
}

const million = 1_000_000

// Contained is the tax inside an amount that includes it, rounded half up to a minor unit.
func (r Rate) Contained(gross int64) int64 {
	return (2*gross*r.PPM + million + r.PPM) / (2 * (million + r.PPM))
}

// OnTop is the tax to add to an amount without it, rounded half up to a minor unit.
func (r Rate) OnTop(net int64) int64 { return (2*net*r.PPM + million) / (2 * million) }

// Missing is a place that the shop serves and a class of goods that it sells, for which nobody has written a rate:
// there it cannot be sold. 0 % is a rate.
type Missing struct{ Country, Region, Class string }

// Check tidies a rate up and says, field by field, what is wrong with it.
func Check(r *Rate, form *fault.Form) {
	r.Country, r.Region = strings.ToUpper(text.Clean(r.Country, 3)), strings.ToUpper(text.Clean(r.Region, 61))
	r.Name = text.Clean(r.Name, 41)
	if len(r.Country) != 2 || strings.Trim(r.Country, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		form.Add("country", "Enter a country as two letters, such as GB.")
	}
	if len([]rune(r.Region)) > 60 || r.Country == "US" && r.Region != "" && len(postal.State("US", r.Region)) != 2 {
		form.Add("region", "Enter a state as two letters, such as NY, or leave it empty for the whole country.")
	}
	r.Region = postal.State(r.Country, r.Region)
	if r.Name == "" || len([]rune(r.Name)) > 40 {
		form.Add("tax_name", "Enter how receipts show it, such as VAT 20%.")
	}
	if r.PPM < 0 || r.PPM > 500_000 {
		form.Add("percent", "Enter a percentage from 0 to 50, such as 8.875.")
	}
}

// All rates, by place and class.
func All(ctx context.Context, db pg.DB) ([]Rate, error) {
	rows, err := db.Query(ctx, `
		SELECT country::text, region, tax_class, name, ppm
		FROM tax_rate
		ORDER BY country, region, tax_class`)
	if err != nil {
		return nil, fmt.Errorf("list tax rates: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Rate])
}

// Class of goods that are taxed alike.
type Class struct{ Code, Name string }

// Classes there are.
func Classes(ctx context.Context, db pg.DB) (all []Class, err error) {
	err = pg.Ask(ctx, db, AllClasses(&all))
	return all, err
}

// AllClasses are the classes there are.
func AllClasses(into *[]Class) pg.Question {
	return pg.All(into, `SELECT code, name FROM tax_class ORDER BY code`)
}

// Set writes a rate, or changes it.
func Set(ctx context.Context, tx pgx.Tx, r Rate) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO tax_rate (country, region, tax_class, name, ppm)
		VALUES (@country, @region, @class, @name, @ppm)
		ON CONFLICT (country, region, tax_class) DO UPDATE SET name = excluded.name, ppm = excluded.ppm`,
		pgx.NamedArgs{"country": r.Country, "region": r.Region, "class": r.Class, "name": r.Name, "ppm": r.PPM})
	if err != nil {
		return fmt.Errorf("set tax rate %s %s: %w", r.Country, r.Class, err)
	}
	return nil
}

// AddClass adds a class of goods; one that is there already is said.
func AddClass(ctx context.Context, tx pgx.Tx, c Class) error {
	tag, err := tx.Exec(ctx, `INSERT INTO tax_class (code, name) VALUES ($1, $2) ON CONFLICT DO NOTHING`, c.Code, c.Name)
	if err != nil {
		return fmt.Errorf("add a tax class: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return fault.Field("class_name", "There is one with this name already.")
	}
	return nil
}

// Planned is a rate that holds from a time on.
type Planned struct {
	ID int64
	Rate
	StartsAt time.Time
}

// Plans are the rates to come, the next first.
func Plans(into *[]Planned) pg.Question {
	return pg.All(into, `
		SELECT id, country::text, region, tax_class AS class, name, ppm, starts_at
		FROM tax_plan
		ORDER BY starts_at, id`)
}

// Plan writes a rate that holds from a time on, in the place of one for the same time.
func Plan(ctx context.Context, tx pgx.Tx, r Rate, starts time.Time) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO tax_plan (country, region, tax_class, name, ppm, starts_at)
		VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (country, region, tax_class, starts_at) DO UPDATE SET name = excluded.name, ppm = excluded.ppm`,
		r.Country, r.Region, r.Class, r.Name, r.PPM, starts)
	if err != nil {
		return fmt.Errorf("plan a tax rate: %w", err)
	}
	return nil
}

// DropPlan calls a planned rate off.
func DropPlan(ctx context.Context, tx pgx.Tx, id int64) error {
	tag, err := tx.Exec(ctx, `DELETE FROM tax_plan WHERE id = $1`, id)
	if err != nil {
		return fmt.Errorf("call a tax rate off: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return fault.New(fault.NotFound, "That planned rate isn’t there any more.")
	}
	return nil
}

// ApplyPlans sets the planned rates whose time has come, in the order of their times. What was sold keeps its rate.
func ApplyPlans(ctx context.Context, db pg.DB) error {
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `
			WITH due AS (
				DELETE FROM tax_plan
				WHERE starts_at <= now()
				RETURNING *)
			SELECT id, country::text, region, tax_class AS class, name, ppm, starts_at
			FROM due
			ORDER BY starts_at, id`)
		if err != nil {
			return fmt.Errorf("read planned tax rates: %w", err)
		}
		due, err := pgx.CollectRows(rows, pgx.RowToStructByName[Planned])
		if err != nil {
			return fmt.Errorf("read planned tax rates: %w", err)
		}
		for _, p := range due {
			if err := Set(ctx, tx, p.Rate); err != nil {
				return err
			}
		}
		return nil
	})
}
