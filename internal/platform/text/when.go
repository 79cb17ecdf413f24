package text

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/go-playground/locales"
	"github.com/go-playground/locales/az"
	"github.com/go-playground/locales/cs"
	"github.com/go-playground/locales/de"
	"github.com/go-playground/locales/en"
	"github.com/go-playground/locales/fr"
	"github.com/go-playground/locales/lv"
	"github.com/go-playground/locales/pl"
	"github.com/go-playground/locales/ru"
	tags "golang.org/x/text/language"
	"golang.org/x/text/language/display"
)

// The names of months and weekdays and the separators of numbers, after CLDR.
var cldr = map[string]locales.Translator{
	"az": az.New(), "cs": cs.New(), "de": de.New(), "en": en.New(), "fr": fr.New(), "lv": lv.New(), "pl": pl.New(),
	"ru": ru.New(),
}

func namesOf(language string) locales.Translator {
	if n, ok := cldr[language]; ok {
		return n
	}
	return cldr[Source]
}

// Value is an argument that each language writes in its own way: a date, an amount, a number.
type Value interface{ In(language string) string }

// Say writes a value in the language of the request.
func Say(ctx context.Context, v Value) string { return v.In(Language(ctx)) }

// Moment is a time as people write it. It is said in the time's own zone; the zero time is an empty word.
type Moment struct {
	at   time.Time
	form Message
}

// In says the moment in a language.
func (m Moment) In(language string) string {
	if m.at.IsZero() {
		return ""
	}
	name := namesOf(language)
	return M(m.form.Key, Args{
		"day": m.at.Day(), "month": name.MonthWide(m.at.Month()), "mon": name.MonthAbbreviated(m.at.Month()),
		"year": m.at.Year(), "weekday": name.WeekdayWide(m.at.Weekday()),
		"wd": name.WeekdayAbbreviated(m.at.Weekday()), "time": m.at.Format("15:04"),
		"exactly": m.at.Format("15:04:05"),
	}).In(language)
}

// Date is 2 January 2006.
func Date(t time.Time) Moment { return Moment{t, M("{day} {month} {year}")} }

// ShortDate is 2 Jan 2006.
func ShortDate(t time.Time) Moment { return Moment{t, M("{day} {mon} {year}")} }

// DateTime is 2 January 2006, 15:04.
func DateTime(t time.Time) Moment { return Moment{t, M("{day} {month} {year}, {time}")} }

// ShortDateTime is 2 Jan 2006 15:04.
func ShortDateTime(t time.Time) Moment { return Moment{t, M("{day} {mon} {year} {time}")} }

// Exactly is 2 Jan 2006 15:04:05.
func Exactly(t time.Time) Moment { return Moment{t, M("{day} {mon} {year} {exactly}")} }

// Day is Monday 2 January.
func Day(t time.Time) Moment { return Moment{t, M("{weekday} {day} {month}")} }

// DayTime is Monday 2 January, 15:04.
func DayTime(t time.Time) Moment { return Moment{t, M("{weekday} {day} {month}, {time}")} }

// ShortDay is 2 Jan.
func ShortDay(t time.Time) Moment { return Moment{t, M("{day} {mon}")} }

// ShortDayTime is 2 Jan 15:04.
func ShortDayTime(t time.Time) Moment { return Moment{t, M("{day} {mon} {time}")} }

// WeekdayTime is Mon 15:04.
func WeekdayTime(t time.Time) Moment { return Moment{t, M("{wd} {time}")} }

// Weekday is Monday.
func Weekday(t time.Time) Moment { return Moment{t, M("{weekday}")} }

// Month is Jan 2006.
func Month(t time.Time) Moment { return Moment{t, M("{mon} {year}")} }

// Clock is 15:04.
func Clock(t time.Time) Moment { return Moment{t, M("{time}")} }

// Seconds is 15:04:05.
func Seconds(t time.Time) Moment { return Moment{t, M("{exactly}")} }

// Decimal is a number with so many digits behind the point.
type Decimal struct {
	Value  float64
	Digits uint64
}

// In writes the number in a language.
func (d Decimal) In(language string) string { return namesOf(language).FmtNumber(d.Value, d.Digits) }

// List is several things in a row.
type List []string

// In writes the list in a language.
func (l List) In(language string) string { return strings.Join(l, M(", ").In(language)) }

// And is several things, the last one after “and”.
type And []string

// In says them in a language.
func (a And) In(language string) string {
	if len(a) < 2 {
		return strings.Join(a, "")
	}
	last := len(a) - 1
	return M("{some} and {last}", Args{"some": List(a[:last]), "last": a[last]}).In(language)
}

// Minute of a day, from 0 to 1440, as a clock shows it.
type Minute int

// In writes the minute in a language.
func (m Minute) In(language string) string { return M("{time}", Args{"time": m.Plain()}).In(language) }

// Plain is the minute as a form field holds it: 09:30.
func (m Minute) Plain() string { return fmt.Sprintf("%02d:%02d", m/60, m%60) }

// Country is an ISO 3166 code with the name that the shop has for it in English.
type Country struct{ Code, English string }

// In names the country in a language, after CLDR.
func (c Country) In(language string) string {
	if language != Source && language != Pseudo {
		if region, err := tags.ParseRegion(c.Code); err == nil {
			if name := display.Regions(tags.Make(language)).Name(region); name != "" {
				return name
			}
		}
	}
	return c.English
}

// Distance is how far, in kilometres, as a country measures it: in miles in Britain and America. Below zero it is not
// known, and an empty word.
type Distance struct {
	Kilometres float64
	Country    string
}

// In says the distance in a language.
func (d Distance) In(language string) string {
	if d.Kilometres < 0 {
		return ""
	}
	miles := d.Country == "GB" || d.Country == "US"
	n := Decimal{Value: d.Kilometres}
	if miles {
		n.Value /= 1.609344
	}
	if n.Value < 10 {
		n.Digits = 1
	}
	if miles {
		return M("{n} miles", Args{"n": n}).In(language)
	}
	return M("{n} km", Args{"n": n}).In(language)
}

// LocalTime is the layout of what a form's field of a day with a time holds (HTML, datetime-local).
const LocalTime = "2006-01-02T15:04"
