// Package location is where the shop is: its stores and warehouses, when they are open and how soon they can have an
// order ready.
package location

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/platform/geo"
	"counterpart/internal/platform/pg"
)

// Location is a store or a warehouse. Currency and tax mode are its own.
type Location struct {
	ID           int64
	Code         string
	Slug         string
	Kind         string
	Name         string
	Street       string
	Town         string
	Postcode     string
	Country      string // ISO 3166-1 alpha-2
	Region       string // a state where tax differs by state, else empty
	Phone        string
	Latitude     float64
	Longitude    float64
	TimeZone     string
	Currency     string
	TaxIncluded  bool
	Pickup       bool
	Ship         bool
	TakesReturns bool
	Hours        []Hours
	Special      Specials // days of the next weeks that are not like their weekday
}

// Columns are a location's with its hours and special days, in the order of the type's fields; loaders that show a
// store select them.
const Columns = `
	l.id, l.code, l.slug, l.kind, l.name, l.street, l.town, l.postcode, l.country::text, l.region, l.phone, l.latitude,
	l.longitude, l.time_zone, l.currency::text, l.tax_included, l.pickup, l.ship, l.takes_returns,` + HoursColumn + ` AS hours,` +
	SpecialColumn + ` AS special`

// All locations that are not closed down, stores before warehouses, by name.
func All(ctx context.Context, db pg.DB) ([]Location, error) {
	rows, err := db.Query(ctx, `
		SELECT `+Columns+`
		FROM location l
		WHERE l.closed_at IS NULL
		ORDER BY l.kind, l.name`)
	if err != nil {
		return nil, fmt.Errorf("list locations: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[Location])
}

// ByID reads one that exists.
func ByID(ctx context.Context, db pg.DB, id int64) (*Location, error) {
	rows, err := db.Query(ctx, `
		SELECT `+Columns+`
		FROM location l
		WHERE l.id = $1`, id)
	if err != nil {
		return nil, fmt.Errorf("read location %d: %w", id, err)
	}
	return pgx.CollectExactlyOneRow(rows, pgx.RowToAddrOfStructByName[Location])
}

// Create writes a location with its hours and fills in its id.
func Create(ctx context.Context, tx pgx.Tx, l *Location) error {
	if _, err := time.LoadLocation(l.TimeZone); err != nil {
		return fmt.Errorf("location %s: %w", l.Code, err)
	}
	err := tx.QueryRow(ctx, `
		INSERT INTO location (code, slug, kind, name, street, town, postcode, country, region, phone, latitude,
			longitude,
			time_zone, currency, tax_included, pickup, ship, takes_returns)
		VALUES (@code, @slug, @kind, @name, @street, @town, @postcode, @country, @region, @phone, @latitude, @longitude,
			@time_zone, @currency, @tax_included, @pickup, @ship, @takes_returns)
		RETURNING id`, l.args()).Scan(&l.ID)
	if err != nil {
		return taken(err, "create location "+l.Code)
	}
	for weekday := 1; weekday <= 7; weekday++ {
		open := slices.DeleteFunc(slices.Clone(l.Hours), func(h Hours) bool { return h.Weekday != weekday })
		if err := SetHours(ctx, tx, l.ID, weekday, open); err != nil {
			return fmt.Errorf("create the hours of %s: %w", l.Code, err)
		}
	}
	for _, s := range l.Special {
		if err := SetSpecial(ctx, tx, l.ID, s); err != nil {
			return fmt.Errorf("create the special days of %s: %w", l.Code, err)
		}
	}
	return nil
}

func (l *Location) Point() geo.Point { return geo.Point{Latitude: l.Latitude, Longitude: l.Longitude} }

// A time zone is read from disk once.
var zones sync.Map

// Zone is where the location's clocks are; a page about it speaks in this zone.
func (l *Location) Zone() *time.Location {
	if zone, ok := zones.Load(l.TimeZone); ok {
		return zone.(*time.Location)
	}
	zone, err := time.LoadLocation(l.TimeZone)
	if err != nil {
		zone = time.UTC // Create refuses zones that do not exist; a row from elsewhere still has a page.
	}
	zones.Store(l.TimeZone, zone)
	return zone
}
