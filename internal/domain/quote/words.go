package quote

import (
	"slices"
	"time"

	"counterpart/internal/platform/text"
)

// list says several names one after the other.
func list(names []string) text.And { return text.And(names) }

var weekdays = [...]string{"Sundays", "Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays"}

type daysOf []int

func days(all []int) daysOf { return daysOf(all) }

func (d daysOf) In(language string) string {
	var names []string
	for _, day := range slices.Sorted(slices.Values(d)) {
		names = append(names, text.M(weekdays[day%7]).In(language))
	}
	return text.And(names).In(language)
}

var singular = [...]string{"on Sunday", "on Monday", "on Tuesday", "on Wednesday", "on Thursday", "on Friday",
	"on Saturday"}

// day names a day as somebody would who stands in the shop: near ones by their weekday.
func (w *work) day(t time.Time) text.Message {
	t, now := t.In(w.in.Place.Zone), w.in.Now.In(w.in.Place.Zone)
	if apart := t.Sub(now).Abs(); apart < 6*24*time.Hour {
		if t.YearDay() == now.YearDay() && t.Year() == now.Year() {
			return text.M("today")
		}
		return text.M(singular[t.Weekday()])
	}
	return text.M("on {date}", text.Args{"date": text.Date(t)})
}
