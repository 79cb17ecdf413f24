package location

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/text"
)

// Hours of one weekday, or of one interval of it where it has several; Monday is 1. Opens and Closes are minutes after
// midnight in the location's own zone.
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

// Special is a day that is not like its weekday. Without hours it is closed.
type Special struct {
	Day   string // as 2026-12-25
	Name  string
	Hours []Hours
}

// Specials are the days around now that are not like their weekday, in order.
type Specials []Special

// UnmarshalJSON reads rows of a day, its name, and an interval or nothing, as a query brings them.
func (s *Specials) UnmarshalJSON(body []byte) error {
	var rows []special
	if err := json.Unmarshal(body, &rows); err != nil {
		return err
	}
	*s = nil
	for _, r := range rows {
		s.add(r)
	}
	return nil
}

// HoursColumn and SpecialColumn read a location l's hours and its special days of the next weeks, as far as anything is
// promised ahead.
const (
	HoursColumn = `
	coalesce((
		SELECT json_agg(ARRAY[weekday, opens, closes, preparation_minutes] ORDER BY weekday, opens)
		FROM opening o
		WHERE o.location_id = l.id), '[]')`
	SpecialColumn = `
	coalesce((
		SELECT json_agg(json_build_object('d', day, 'n', name, 'o', opens, 'c', closes, 'p', preparation_minutes)
			ORDER BY day, opens)
		FROM special_day s
		WHERE s.location_id = l.id AND s.day BETWEEN current_date - 1 AND current_date + 45), '[]')`
)

// special is a row of a special day: an interval, or that it is closed.
type special struct {
	Day         string `json:"d"`
	Name        string `json:"n"`
	Opens       *int   `json:"o"`
	Closes      *int   `json:"c"`
	Preparation int    `json:"p"`
}

// add puts a row to its day. Rows come in order of days.
func (s *Specials) add(r special) {
	if n := len(*s); n == 0 || (*s)[n-1].Day != r.Day {
		*s = append(*s, Special{Day: r.Day, Name: r.Name})
	}
	last := &(*s)[len(*s)-1]
	if r.Opens != nil && r.Closes != nil {
		last.Hours = append(last.Hours, Hours{Opens: *r.Opens, Closes: *r.Closes, Preparation: r.Preparation})
	}
}

// On are the intervals in which the location is open on a day, in order; none: it is closed. name is that of a special
// day.
func (l *Location) On(day time.Time) (open []Hours, name string) {
	date := day.Format(time.DateOnly)
	for _, s := range l.Special {
		if s.Day == date {
			return s.Hours, s.Name
		}
	}
	weekday := (int(day.Weekday())+6)%7 + 1
	for _, h := range l.Hours {
		if h.Weekday == weekday {
			open = append(open, h)
		}
	}
	slices.SortFunc(open, func(a, b Hours) int { return cmp.Compare(a.Opens, b.Opens) })
	return open, ""
}

// Shut says whether a day is a special one on which nothing is done here: a bank holiday. A weekday without hours is
// not asked.
func (l *Location) Shut(day time.Time) bool {
	date := day.Format(time.DateOnly)
	return slices.ContainsFunc(l.Special, func(s Special) bool { return s.Day == date && len(s.Hours) == 0 })
}

// at is a wall clock time of a day, which survives the nights when clocks change.
func at(day time.Time, minutes int) time.Time {
	return time.Date(day.Year(), day.Month(), day.Day(), minutes/60, minutes%60, 0, 0, day.Location())
}

// ReadyBy is when an order placed now can be collected: the interval's preparation time counted from now or from
// opening, and from the next opening where it does not fit before closing. What takes longer than a day is open is
// ready when the day's last interval says. False where the location is never open.
func (l *Location) ReadyBy(now time.Time) (time.Time, bool) {
	now = now.In(l.Zone())
	for ahead := range 22 {
		day := now.AddDate(0, 0, ahead)
		open, _ := l.On(day)
		for i, hours := range open {
			opens, closes := at(day, hours.Opens), at(day, hours.Closes)
			begin := opens
			if now.After(begin) {
				begin = now
			}
			ready := begin.Add(time.Duration(hours.Preparation) * time.Minute)
			if fits := !ready.After(closes); fits || i == len(open)-1 && begin.Equal(opens) {
				return roundUp(ready), true
			}
		}
	}
	return time.Time{}, false
}

// KeepUntil is when something that is ready at a time is put back: closing time of the given number of days later, or
// of the next day on which the location opens.
func (l *Location) KeepUntil(ready time.Time, days int) time.Time {
	ready = ready.In(l.Zone())
	for ahead := days; ahead < days+21; ahead++ {
		day := ready.AddDate(0, 0, ahead)
		if open, _ := l.On(day); len(open) > 0 {
			return at(day, open[len(open)-1].Closes)
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
	for ahead := range 22 {
		day := now.AddDate(0, 0, ahead)
		intervals, _ := l.On(day)
		for _, hours := range intervals {
			opens, closes := at(day, hours.Opens), at(day, hours.Closes)
			if now.Before(opens) {
				return false, opens
			}
			if now.Before(closes) {
				return true, closes
			}
		}
	}
	return false, time.Time{}
}

// checkHours says what is wrong with intervals of one day, or nothing.
func checkHours(open []Hours) *fault.Fault {
	sorted := slices.Clone(open)
	slices.SortFunc(sorted, func(a, b Hours) int { return cmp.Compare(a.Opens, b.Opens) })
	for i, h := range sorted {
		switch {
		case h.Opens < 0 || h.Closes > 24*60 || h.Closes <= h.Opens:
			return fault.New(fault.Invalid, "Opening hours run from 00:00 to 24:00, and closing comes after opening.")
		case h.Preparation < 0 || h.Preparation > 7*24*60:
			return fault.New(fault.Invalid, "Preparation takes from 0 minutes to 7 days.")
		case i > 0 && h.Opens < sorted[i-1].Closes:
			return fault.New(fault.Invalid, "Opening hours of one day overlap.")
		}
	}
	return nil
}

// SetHours writes a weekday's intervals in the place of those it had; none: it is closed.
func SetHours(ctx context.Context, tx pgx.Tx, locationID int64, weekday int, open []Hours) error {
	if weekday < 1 || weekday > 7 {
		return fault.New(fault.Invalid, "A weekday is a number from 1, Monday, to 7, Sunday.")
	}
	if f := checkHours(open); f != nil {
		return f
	}
	batch := &pgx.Batch{}
	batch.Queue(`DELETE FROM opening WHERE location_id = $1 AND weekday = $2`, locationID, weekday)
	for _, h := range open {
		batch.Queue(`
			INSERT INTO opening (location_id, weekday, opens, closes, preparation_minutes)
			VALUES ($1, $2, $3, $4, $5)`, locationID, weekday, h.Opens, h.Closes, h.Preparation)
	}
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("write the hours of a location: %w", err)
	}
	return nil
}

// SetSpecial writes a day in the place of what was said of it; without hours it is closed.
func SetSpecial(ctx context.Context, tx pgx.Tx, locationID int64, s Special) error {
	if _, err := time.Parse(time.DateOnly, s.Day); err != nil {
		return fault.New(fault.Invalid, "A day is written like 2026-12-25.")
	}
	if f := checkHours(s.Hours); f != nil {
		return f
	}
	s.Name = text.Clean(s.Name, 60)
	batch := &pgx.Batch{}
	batch.Queue(`DELETE FROM special_day WHERE location_id = $1 AND day = $2`, locationID, s.Day)
	const row = `
		INSERT INTO special_day (location_id, day, name, opens, closes, preparation_minutes)
		VALUES ($1, $2, $3, $4, $5, $6)`
	if len(s.Hours) == 0 {
		batch.Queue(row, locationID, s.Day, s.Name, nil, nil, 0)
	}
	for _, h := range s.Hours {
		batch.Queue(row, locationID, s.Day, s.Name, h.Opens, h.Closes, h.Preparation)
	}
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("write a special day: %w", err)
	}
	return nil
}
