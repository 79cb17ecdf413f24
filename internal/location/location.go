// Package location is where the shop is: its stores and warehouses, when they are open and how soon they can have an order ready.
package location

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/geo"
	"counterpart/internal/pg"
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
}

// Hours of one weekday; Monday is 1. Opens and Closes are minutes after midnight in the location's own zone.
type Hours struct {
	Weekday     int
	Opens       int
	Closes      int
	Preparation int // minutes from an order to a staged parcel
}

// UnmarshalJSON reads the four numbers as a query brings them.
func (h *Hours) UnmarshalJSON(body []byte) error {
	var four [4]int
	if err := json.Unmarshal(body, &four); err != nil {
		return err
	}
	*h = Hours{four[0], four[1], four[2], four[3]}
	return nil
}

// Columns are a location's with its hours, in the order of the type's fields; loaders that show a store select them.
const Columns = `
	l.id, l.code, l.slug, l.kind, l.name, l.street, l.town, l.postcode, l.country::text, l.region, l.phone, l.latitude, l.longitude,
	l.time_zone, l.currency::text, l.tax_included, l.pickup, l.ship, l.takes_returns,
	coalesce((
		SELECT json_agg(ARRAY[weekday, opens, closes, preparation_minutes] ORDER BY weekday)
		FROM opening o
		WHERE o.location_id = l.id), '[]') AS hours`

// All locations, stores before warehouses, by name.
func All(ctx context.Context, db pg.DB) ([]Location, error) {
	rows, err := db.Query(ctx, `
		SELECT `+Columns+`
		FROM location l
		ORDER BY l.kind, l.name`)
	if err != nil {
		return nil, fmt.Errorf("list locations: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Location])
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
	return pgx.CollectExactlyOneRow(rows, pgx.RowToAddrOfStructByPos[Location])
}

// Create writes a location with its hours and fills in its id.
func Create(ctx context.Context, tx pgx.Tx, l *Location) error {
	if _, err := time.LoadLocation(l.TimeZone); err != nil {
		return fmt.Errorf("location %s: %w", l.Code, err)
	}
	err := tx.QueryRow(ctx, `
		INSERT INTO location (code, slug, kind, name, street, town, postcode, country, region, phone, latitude, longitude,
			time_zone, currency, tax_included, pickup, ship, takes_returns)
		VALUES (@code, @slug, @kind, @name, @street, @town, @postcode, @country, @region, @phone, @latitude, @longitude,
			@time_zone, @currency, @tax_included, @pickup, @ship, @takes_returns)
		RETURNING id`, pgx.NamedArgs{
		"code": l.Code, "slug": l.Slug, "kind": l.Kind, "name": l.Name, "street": l.Street, "town": l.Town, "postcode": l.Postcode,
		"country": l.Country, "region": l.Region, "phone": l.Phone, "latitude": l.Latitude, "longitude": l.Longitude, "time_zone": l.TimeZone,
		"currency": l.Currency, "tax_included": l.TaxIncluded, "pickup": l.Pickup, "ship": l.Ship, "takes_returns": l.TakesReturns,
	}).Scan(&l.ID)
	if err != nil {
		return fmt.Errorf("create location %s: %w", l.Code, err)
	}
	for _, h := range l.Hours {
		_, err := tx.Exec(ctx, `
			INSERT INTO opening (location_id, weekday, opens, closes, preparation_minutes)
			VALUES ($1, $2, $3, $4, $5)`, l.ID, h.Weekday, h.Opens, h.Closes, h.Preparation)
		if err != nil {
			return fmt.Errorf("create the hours of %s: %w", l.Code, err)
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

func (l *Location) on(day time.Time) (Hours, bool) {
	weekday := (int(day.Weekday())+6)%7 + 1
	for _, h := range l.Hours {
		if h.Weekday == weekday {
			return h, true
		}
	}
	return Hours{}, false
}

// at is a wall clock time of a day, which survives the nights when clocks change.
func at(day time.Time, minutes int) time.Time {
	return time.Date(day.Year(), day.Month(), day.Day(), minutes/60, minutes%60, 0, 0, day.Location())
}

// ReadyBy is when an order placed now can be collected: the day's preparation time counted from now or from opening,
// and from the next opening where it does not fit before closing. False where the location is never open.
func (l *Location) ReadyBy(now time.Time) (time.Time, bool) {
	now = now.In(l.Zone())
	for ahead := range 15 {
		day := now.AddDate(0, 0, ahead)
		hours, open := l.on(day)
		if !open {
			continue
		}
		begin := at(day, hours.Opens)
		if now.After(begin) {
			begin = now
		}
		ready := begin.Add(time.Duration(hours.Preparation) * time.Minute)
		if fits := !ready.After(at(day, hours.Closes)); fits || begin.Equal(at(day, hours.Opens)) {
			return roundUp(ready), true
		}
	}
	return time.Time{}, false
}

// KeepUntil is when something that is ready at a time is put back: closing time of the given number of days later, or of
// the next day on which the location opens.
func (l *Location) KeepUntil(ready time.Time, days int) time.Time {
	ready = ready.In(l.Zone())
	for ahead := days; ahead < days+14; ahead++ {
		day := ready.AddDate(0, 0, ahead)
		if hours, open := l.on(day); open {
			return at(day, hours.Closes)
		}
	}
	return ready.AddDate(0, 0, days)
}

// roundUp goes to the next five minutes: a promise to the second invites doubt.
func roundUp(t time.Time) time.Time {
	const step = 5 * time.Minute
	if rounded := t.Truncate(step); !rounded.Equal(t) {
		return rounded.Add(step)
	}
	return t
}

// OpenNow says whether the location is open, and when that next changes. The time is zero where it is never open.
func (l *Location) OpenNow(now time.Time) (open bool, changes time.Time) {
	now = now.In(l.Zone())
	for ahead := range 8 {
		day := now.AddDate(0, 0, ahead)
		hours, has := l.on(day)
		if !has {
			continue
		}
		opens, closes := at(day, hours.Opens), at(day, hours.Closes)
		if now.Before(opens) {
			return false, opens
		}
		if now.Before(closes) {
			return true, closes
		}
	}
	return false, time.Time{}
}
