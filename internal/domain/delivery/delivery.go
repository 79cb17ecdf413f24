// Package delivery is how goods are sent: where to, how long it takes and what it costs.
package delivery

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/money"
	"counterpart/internal/platform/pg"
)

// Method is a way of sending to some countries. Days are working days from the day it leaves.
type Method struct {
	ID        int64
	Name      string
	Countries []string
	Currency  string
	Carrier   string
	MinDays   int
	MaxDays   int
	Cutoff    int // minute of the day
	Position  int
	Active    bool
	Rates     []Rate
}

// Rate is a charge for goods up to a weight, from an amount on. Charge and amount are minor units.
type Rate struct {
	MaxGrams     int   `json:"max_grams"`
	FromSubtotal int64 `json:"from_subtotal"`
	Charge       int64 `json:"charge"`
}

// Columns of a Method, of a delivery d, for loaders that collect by position.
const Columns = `
	d.id, d.name, d.countries::text[], d.currency::text, d.carrier, d.min_days, d.max_days, d.cutoff, d.position, d.active,
	coalesce((
		SELECT json_agg(json_build_object('max_grams', r.max_grams, 'from_subtotal', r.from_subtotal, 'charge',
			r.charge) ORDER BY r.max_grams, r.from_subtotal DESC)
		FROM delivery_rate r
		WHERE r.delivery_id = d.id), '[]') AS rates`

// Charge is what it costs to send goods of a weight and an amount: the lightest rate that carries them, of those the
// one for the largest amount. False where they are too heavy.
func (m *Method) Charge(grams int, subtotal int64) (charge int64, ok bool) {
	best := -1
	for i, r := range m.Rates {
		if grams > r.MaxGrams || subtotal < r.FromSubtotal {
			continue
		}
		if best < 0 || r.MaxGrams < m.Rates[best].MaxGrams || r.MaxGrams == m.Rates[best].MaxGrams &&
			r.FromSubtotal > m.Rates[best].FromSubtotal {
			best = i
		}
	}
	if best < 0 {
		return 0, false
	}
	return m.Rates[best].Charge, true
}

// Arrives says on which days goods arrive that are ordered now, by the clock of where they leave from. They leave and
// arrive on working days; what is ordered before the cutoff leaves the same day. shut says which days are holidays
// there; nil: none.
func (m *Method) Arrives(now time.Time, shut func(day time.Time) bool) (from, by time.Time) {
	working := func(day time.Time) bool {
		return day.Weekday() != time.Saturday && day.Weekday() != time.Sunday && (shut == nil || !shut(day))
	}
	after := func(day time.Time, days int) time.Time {
		for days > 0 {
			day = day.AddDate(0, 0, 1)
			if working(day) {
				days--
			}
		}
		return day
	}
	leaves := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location())
	if !working(leaves) || now.Hour()*60+now.Minute() >= m.Cutoff {
		leaves = after(leaves, 1)
	}
	return after(leaves, m.MinDays), after(leaves, m.MaxDays)
}

var country = regexp.MustCompile(`^[A-Z]{2}$`)

// Save writes a method with its rates, new or changed.
func Save(ctx context.Context, tx pgx.Tx, m *Method) error {
	var form fault.Form
	if m.Name == "" {
		form.Add("name", "Enter a name customers will see, such as “Standard delivery”.")
	}
	if len(m.Countries) == 0 || slices.ContainsFunc(m.Countries,
		func(c string) bool { return !country.MatchString(c) }) {
		form.Add("countries", "Enter two-letter country codes, such as GB.")
	}
	if utf8.RuneCountInString(m.Name) > 60 || utf8.RuneCountInString(m.Carrier) > 60 {
		form.Add("name", "That’s too long. Use up to 60 characters each for name and carrier.")
	}
	if m.MinDays < 0 || m.MaxDays < m.MinDays || m.MaxDays > 120 {
		form.Add("days", "Enter the minimum and maximum number of working days.")
	}
	for _, r := range m.Rates {
		if r.MaxGrams < 0 || r.FromSubtotal < 0 || r.FromSubtotal > money.MaxUnit || r.Charge < 0 ||
			r.Charge > money.MaxUnit {
			form.Add("rates", "Enter amounts the shop could take: none is that high.")
		}
	}
	if len(m.Rates) == 0 {
		form.Add("rates", "Enter at least one rate: the weight limit in grams, and the charge.")
	}
	if err := form.Err(); err != nil {
		return err
	}
	err := tx.QueryRow(ctx, `
		INSERT INTO delivery (id, name, countries, currency, carrier, min_days, max_days, cutoff, position, active)
		OVERRIDING SYSTEM VALUE
		VALUES (coalesce(nullif(@id::bigint, 0), nextval(pg_get_serial_sequence('delivery', 'id'))), @name, @countries,
			@currency, @carrier, @min, @max, @cutoff, @position, @active)
		ON CONFLICT (id) DO UPDATE
		SET name = excluded.name, countries = excluded.countries, currency = excluded.currency,
			carrier = excluded.carrier, min_days = excluded.min_days, max_days = excluded.max_days,
			cutoff = excluded.cutoff, position = excluded.position, active = excluded.active
		RETURNING id`, pgx.NamedArgs{"id": m.ID, "name": m.Name, "countries": m.Countries, "currency": m.Currency,
		"carrier": m.Carrier, "min": m.MinDays, "max": m.MaxDays,
		"cutoff": m.Cutoff, "position": m.Position, "active": m.Active}).Scan(&m.ID)
	if err != nil {
		return fmt.Errorf("write a delivery: %w", err)
	}
	batch := &pgx.Batch{}
	batch.Queue(`
		DELETE FROM delivery_rate
		WHERE delivery_id = $1`, m.ID)
	for _, r := range m.Rates {
		batch.Queue(`
			INSERT INTO delivery_rate (delivery_id, max_grams, from_subtotal, charge)
			VALUES ($1, $2, $3, $4)
			ON CONFLICT (delivery_id, max_grams, from_subtotal) DO UPDATE SET charge = excluded.charge`, m.ID,
			r.MaxGrams, r.FromSubtotal, r.Charge)
	}
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("write a delivery's rates: %w", err)
	}
	return nil
}

// Cheapest is the way in which something is sent that the shop pays for; nil where nothing is sent there.
func Cheapest(ctx context.Context, db pg.DB, currency, country string) (*Method, error) {
	rows, err := db.Query(ctx, `
		SELECT `+Columns+`
		FROM delivery d
		WHERE d.active AND d.currency = $1 AND $2 = ANY (d.countries)
		ORDER BY (SELECT min(charge) FROM delivery_rate WHERE delivery_id = d.id AND from_subtotal = 0), d.position,
			d.id
		LIMIT 1`, currency, country)
	if err != nil {
		return nil, fmt.Errorf("choose a delivery: %w", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToAddrOfStructByName[Method])
	if err != nil || len(all) == 0 {
		return nil, err
	}
	return all[0], nil
}

// SetCarriers says which carriers' parcels can be followed, and at which addresses, with {number} in each.
func SetCarriers(ctx context.Context, tx pgx.Tx, names, addresses []string) error {
	batch := &pgx.Batch{}
	batch.Queue(`DELETE FROM carrier WHERE NOT name = ANY ($1)`, names)
	batch.Queue(`
		INSERT INTO carrier (name, tracking)
		SELECT * FROM unnest($1::text[], $2::text[])
		ON CONFLICT (name) DO UPDATE SET tracking = excluded.tracking`, names, addresses)
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("change the carriers: %w", err)
	}
	return nil
}
