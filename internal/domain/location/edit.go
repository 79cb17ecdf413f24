package location

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/geo"
	"counterpart/internal/platform/money"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/text"
)

// Fields are a location as a form has it, with a field of opening hours for each weekday.
func (l *Location) Fields() map[string]string {
	f := map[string]string{"name": l.Name, "code": l.Code, "kind": l.Kind, "slug": l.Slug, "street": l.Street,
		"town": l.Town, "postcode": l.Postcode, "country": l.Country, "region": l.Region, "phone": l.Phone,
		"latitude": "", "longitude": "", "time_zone": l.TimeZone, "currency": l.Currency,
		"tax_included": flag(l.TaxIncluded), "pickup": flag(l.Pickup), "ship": flag(l.Ship),
		"takes_returns": flag(l.TakesReturns), "preparation": ""}
	if l.Latitude != 0 || l.Longitude != 0 {
		f["latitude"] = strconv.FormatFloat(l.Latitude, 'f', -1, 64)
		f["longitude"] = strconv.FormatFloat(l.Longitude, 'f', -1, 64)
	}
	for weekday := 1; weekday <= 7; weekday++ {
		var open []Hours
		for _, h := range l.Hours {
			if h.Weekday == weekday {
				open = append(open, h)
			}
		}
		f[fmt.Sprintf("day%d", weekday)] = WriteHours(open)
	}
	if len(l.Hours) > 0 {
		f["preparation"] = strconv.Itoa(l.Hours[0].Preparation)
	}
	return f
}

func flag(on bool) string {
	if on {
		return "1"
	}
	return ""
}

// WriteHours are intervals of a day as a form has them: 09:00–13:00, 14:00–18:00. Empty: closed.
func WriteHours(open []Hours) string {
	open = slices.Clone(open)
	slices.SortFunc(open, func(a, b Hours) int { return cmp.Compare(a.Opens, b.Opens) })
	all := make([]string, len(open))
	for i, h := range open {
		all[i] = text.Minute(h.Opens).Plain() + "–" + text.Minute(h.Closes).Plain()
	}
	return strings.Join(all, ", ")
}

var interval = regexp.MustCompile(`^(\d{1,2})(?:[:.](\d{2}))?\s*(?:-|–|—|to)\s*(\d{1,2})(?:[:.](\d{2}))?$`)

// ReadHours reads intervals of a day: 9-17, or 09:00–13:00, 14:00–18:00. Nothing, or a word for it, is closed. False where
// they cannot be read.
func ReadHours(typed string, preparation int) (open []Hours, ok bool) {
	typed = strings.TrimSpace(strings.ToLower(typed))
	if typed == "" || typed == "closed" || typed == "-" || typed == "–" {
		return nil, true
	}
	for one := range strings.FieldsFuncSeq(typed, func(r rune) bool { return r == ',' || r == ';' || r == '&' }) {
		m := interval.FindStringSubmatch(strings.TrimSpace(one))
		if m == nil {
			return nil, false
		}
		minute := func(hour, minutes string) int {
			h, _ := strconv.Atoi(hour)
			n, _ := strconv.Atoi(cmp.Or(minutes, "0"))
			if n > 59 {
				return -1
			}
			return 60*h + n
		}
		open = append(open, Hours{Opens: minute(m[1], m[2]), Closes: minute(m[3], m[4]), Preparation: preparation})
	}
	return open, checkHours(open) == nil
}

var (
	codeShape    = regexp.MustCompile(`^[A-Z0-9]{2,12}$`)
	currencyCode = regexp.MustCompile(`^[A-Z]{3}$`)
)

// Read reads a form and says, field by field, what is wrong with it. Where a point is not given, it is that of the
// postcode or the town.
func Read(f map[string]string, form *fault.Form) *Location {
	l := &Location{Name: text.Clean(f["name"], 81), Code: strings.ToUpper(text.Clean(f["code"], 13)), Kind: f["kind"],
		Slug: f["slug"], Street: text.Clean(f["street"], 121), Town: text.Clean(f["town"], 81),
		Postcode: text.Clean(f["postcode"], 21), Country: strings.ToUpper(text.Clean(f["country"], 3)),
		Region: strings.ToUpper(text.Clean(f["region"], 61)), Phone: text.Clean(f["phone"], 41),
		TimeZone: text.Clean(f["time_zone"], 61), Currency: strings.ToUpper(text.Clean(f["currency"], 4)),
		TaxIncluded: f["tax_included"] == "1", Pickup: f["pickup"] == "1", Ship: f["ship"] == "1",
		TakesReturns: f["takes_returns"] == "1"}
	for field, most := range map[string]int{"name": 80, "street": 120, "town": 80, "postcode": 20, "phone": 40} {
		if utf8.RuneCountInString(text.Clean(f[field], most+1)) > most {
			form.Add(field, "That’s too long. Use up to {most} characters.", text.Args{"most": most})
		}
	}
	if l.Name == "" {
		form.Add("name", "Enter a name, up to 80 characters.")
	}
	if !codeShape.MatchString(l.Code) {
		form.Add("code", "Enter a short code of 2 to 12 letters and digits, such as LDS.")
	}
	if l.Kind != "store" && l.Kind != "warehouse" {
		form.Add("kind", "Choose from the list.")
	}
	if l.Town == "" {
		form.Add("town", "Enter the town.")
	}
	if len(l.Country) != 2 || strings.Trim(l.Country, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		form.Add("country", "Enter a country as two letters, such as GB.")
	}
	if len([]rune(l.Region)) > 60 {
		form.Add("region", "Enter a state as two letters, such as NY, or leave it empty for the whole country.")
	}
	if !currencyCode.MatchString(l.Currency) || !money.Known(l.Currency) {
		form.Add("currency", "Enter a currency as three letters, such as GBP.")
	}
	if _, err := time.LoadLocation(l.TimeZone); err != nil || l.TimeZone == "" || l.TimeZone == "Local" {
		form.Add("time_zone", "Enter a time zone, such as Europe/London.")
	}
	l.readPoint(f, form)
	l.readWeek(f, form)
	return l
}

func (l *Location) readPoint(f map[string]string, form *fault.Form) {
	latitude, longitude := strings.TrimSpace(f["latitude"]), strings.TrimSpace(f["longitude"])
	if latitude == "" && longitude == "" {
		place, ok := geo.Find(l.Postcode)
		if !ok {
			place, ok = geo.Find(l.Town)
		}
		if !ok || l.Country != "GB" {
			form.Add("latitude", "We don’t know where that is. Enter its latitude and longitude, such as 53.8 and -1.55.")
			return
		}
		l.Latitude, l.Longitude = place.Latitude, place.Longitude
		return
	}
	var errs [2]error
	l.Latitude, errs[0] = strconv.ParseFloat(strings.Replace(latitude, ",", ".", 1), 64)
	l.Longitude, errs[1] = strconv.ParseFloat(strings.Replace(longitude, ",", ".", 1), 64)
	if errs[0] != nil || !(l.Latitude >= -90 && l.Latitude <= 90) {
		form.Add("latitude", "Enter a latitude from -90 to 90, such as 53.8.")
	}
	if errs[1] != nil || !(l.Longitude >= -180 && l.Longitude <= 180) {
		form.Add("longitude", "Enter a longitude from -180 to 180, such as -1.55.")
	}
}

func (l *Location) readWeek(f map[string]string, form *fault.Form) {
	preparation := 0
	if typed := strings.TrimSpace(f["preparation"]); typed != "" {
		var err error
		if preparation, err = strconv.Atoi(typed); err != nil || preparation < 0 || preparation > 7*24*60 {
			form.Add("preparation", "Enter the minutes an order takes to be ready, from 0 to 10080.")
			preparation = 0
		}
	}
	for weekday := 1; weekday <= 7; weekday++ {
		field := fmt.Sprintf("day%d", weekday)
		open, ok := ReadHours(f[field], preparation)
		if !ok {
			form.Add(field, "Enter hours such as 09:00–18:00, or 09:00–13:00, 14:00–18:00. Leave it empty when closed.")
		}
		for i := range open {
			open[i].Weekday = weekday
		}
		l.Hours = append(l.Hours, open...)
	}
}

// Traded says whether a location has orders or stock: then its currency and kind of tax stay.
func Traded(ctx context.Context, db pg.DB, id int64) (traded bool, err error) {
	err = db.QueryRow(ctx, `
		SELECT EXISTS (SELECT FROM orders WHERE location_id = $1) OR EXISTS (SELECT FROM fulfilment
			WHERE location_id = $1)`, id).Scan(&traded)
	if err != nil {
		return false, fmt.Errorf("ask whether a location has traded: %w", err)
	}
	return traded, nil
}

// Save changes a location with its hours.
func Save(ctx context.Context, tx pgx.Tx, l *Location) error {
	_, err := tx.Exec(ctx, `
		UPDATE location
		SET code = @code, slug = @slug, kind = @kind, name = @name, street = @street, town = @town,
			postcode = @postcode, country = @country, region = @region, phone = @phone, latitude = @latitude,
			longitude = @longitude, time_zone = @time_zone, currency = @currency, tax_included = @tax_included,
			pickup = @pickup, ship = @ship, takes_returns = @takes_returns
		WHERE id = @id`, l.args())
	if err != nil {
		return taken(err, "save a location")
	}
	for weekday := 1; weekday <= 7; weekday++ {
		open := slices.DeleteFunc(slices.Clone(l.Hours), func(h Hours) bool { return h.Weekday != weekday })
		if err := SetHours(ctx, tx, l.ID, weekday, open); err != nil {
			return err
		}
	}
	return nil
}

func (l *Location) args() pgx.NamedArgs {
	return pgx.NamedArgs{"id": l.ID, "code": l.Code, "slug": l.Slug, "kind": l.Kind, "name": l.Name,
		"street": l.Street, "town": l.Town, "postcode": l.Postcode, "country": l.Country, "region": l.Region,
		"phone": l.Phone, "latitude": l.Latitude, "longitude": l.Longitude, "time_zone": l.TimeZone,
		"currency": l.Currency, "tax_included": l.TaxIncluded, "pickup": l.Pickup, "ship": l.Ship,
		"takes_returns": l.TakesReturns}
}

// taken says that a code or an address is another location's.
func taken(err error, what string) error {
	var violated *pgconn.PgError
	if errors.As(err, &violated) && violated.Code == "23505" {
		field := "code"
		if violated.ConstraintName == "location_slug_key" {
			field = "slug"
		}
		return fault.Field(field, "Another location has this already. Choose another.")
	}
	return fmt.Errorf("%s: %w", what, err)
}

// Close closes a location down for good: nothing new is made there, and what was stays. Orders that wait there have to
// be dealt with first, and one store has to stay.
func Close(ctx context.Context, tx pgx.Tx, id int64) error {
	// One at a time, and after the orders that are being placed: what they make counts.
	if _, err := tx.Exec(ctx, `SELECT FROM location ORDER BY id FOR UPDATE`); err != nil {
		return fmt.Errorf("hold locations: %w", err)
	}
	var open bool
	var waiting, others int
	err := tx.QueryRow(ctx, `
		SELECT EXISTS (SELECT FROM location WHERE id = $1 AND closed_at IS NULL), (SELECT count(*) FROM fulfilment WHERE location_id = $1 AND state IN ('to_pick', 'ready', 'undecided',
				'waiting'))::int,
			(SELECT count(*) FROM location WHERE kind = 'store' AND closed_at IS NULL AND id <> $1)::int`, id).
		Scan(&open, &waiting, &others)
	switch {
	case err != nil:
		return fmt.Errorf("look at a location: %w", err)
	case !open:
		return fault.New(fault.NotFound, "We can’t find that store or warehouse.")
	case waiting > 0:
		return fault.New(fault.Conflict, "{n} orders still wait here. Hand them over, send or cancel them first.",
			text.Args{"n": waiting})
	case others == 0:
		return fault.New(fault.Conflict, "This is the only store. Open another one first.")
	}
	batch := &pgx.Batch{}
	batch.Queue(`
		UPDATE location
		SET closed_at = now(), pickup = false, ship = false, takes_returns = false
		WHERE id = $1 AND closed_at IS NULL`, id)
	batch.Queue(`UPDATE cart SET location_id = NULL WHERE location_id = $1 AND state = 'open'`, id)
	batch.Queue(`
		UPDATE cart_line l
		SET location_id = NULL
		FROM cart c
		WHERE c.id = l.cart_id AND c.state = 'open' AND l.location_id = $1`, id)
	batch.Queue(`UPDATE customer SET location_id = NULL WHERE location_id = $1`, id)
	batch.Queue(`UPDATE session SET location_id = NULL WHERE location_id = $1`, id)
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("close a location down: %w", err)
	}
	return nil
}

// RemoveSpecial takes out what was said of a day: it is like its weekday again.
func RemoveSpecial(ctx context.Context, tx pgx.Tx, locationID int64, day string) error {
	if _, err := time.Parse(time.DateOnly, day); err != nil {
		return fault.New(fault.Invalid, "A day is written like 2026-12-25.")
	}
	tag, err := tx.Exec(ctx, `DELETE FROM special_day WHERE location_id = $1 AND day = $2`, locationID, day)
	if err != nil {
		return fmt.Errorf("take out a special day: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return fault.New(fault.NotFound, "That day isn’t in the list any more.")
	}
	return nil
}

// SpecialDays are all of a location from today on, further ahead than pages promise.
func SpecialDays(ctx context.Context, db pg.DB, locationID int64) (all Specials, err error) {
	err = db.QueryRow(ctx, `
		SELECT coalesce(json_agg(json_build_object('d', day, 'n', name, 'o', opens, 'c', closes, 'p',
			preparation_minutes) ORDER BY day, opens), '[]')
		FROM special_day
		WHERE location_id = $1 AND day >= current_date - 1`, locationID).Scan(&all)
	if err != nil {
		return nil, fmt.Errorf("list special days: %w", err)
	}
	return all, nil
}
