// Package tax is what a state adds to a price, or what is already in it: the rate of a class of goods in a place.
package tax

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
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
