package intake

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/location"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/text"
)

var hoursHeadings = map[string][]string{
	"location": {"location", "store"}, "weekday": {"weekday"}, "date": {"date",
		"day"}, "opens": {"opens"}, "closes": {"closes"}, "preparation": {"preparation",
		"preparation minutes"}, "name": {"name"},
}

// HoursReport is what an import of opening hours did.
type HoursReport struct {
	Rows, Weekdays, Days int
	Complaints           []Complaint
	Unread               []string
}

// Tell writes the report for a person: the complaints by reason, then the sum.
func (r HoursReport) Tell(w io.Writer, dry bool) {
	tellReasons(w, r.Complaints, r.Unread)
	if dry {
		fmt.Fprint(w, "Dry run, nothing was kept. ")
	}
	fmt.Fprintf(w, "%d rows: hours of %d weekdays and %d special days written.\n", r.Rows, r.Weekdays, r.Days)
}

// span is a weekday or a date of one location, with all its rows.
type span struct {
	location int64
	weekday  int
	special  location.Special
	row      row
	wrong    bool
	closed   bool
}

// Hours reads opening hours: a row for each interval, of a weekday (1 to 7 or its name) or of a date. What a file says
// of a day takes the place of what was there; a row without times is a day on which the location is closed. Days that
// the file does not name stay.
func Hours(ctx context.Context, db pg.DB, r io.Reader, dry bool) (report HoursReport, err error) {
	rows, err := newReader(r, hoursHeadings, "location")
	if err != nil {
		return report, err
	}
	report.Unread = rows.unread
	places, err := location.All(ctx, db)
	if err != nil {
		return report, err
	}
	var spans []*span
	for {
		one, err := rows.read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return report, err
		}
		report.Rows++
		complain := func(reason string, args ...any) {
			report.Complaints = append(report.Complaints, Complaint{Row: one.n, Handle: one.get("location"),
				Reason: reason, Args: args, Whole: true})
		}
		i := slices.IndexFunc(places, func(l location.Location) bool {
			return strings.EqualFold(l.Code, one.get("location")) || strings.EqualFold(l.Name, one.get("location"))
		})
		if i < 0 {
			complain("there is no location called %q", one.get("location"))
			continue
		}
		s := &span{location: places[i].ID, row: *one}
		if s.weekday, s.special.Day = dayOf(*one); s.weekday == 0 && s.special.Day == "" {
			complain("neither %q is a weekday nor %q a date such as 2026-12-25", one.get("weekday"), one.get("date"))
			continue
		}
		if k := slices.IndexFunc(spans, func(o *span) bool {
			return o.location == s.location && o.weekday == s.weekday && o.special.Day == s.special.Day
		}); k >= 0 {
			s = spans[k]
		} else {
			spans = append(spans, s)
		}
		if name := text.Clean(one.get("name"), 60); name != "" {
			s.special.Name = name
		}
		if one.get("opens") == "" && one.get("closes") == "" {
			s.closed = true
			continue
		}
		opens, closes := minutes(one.get("opens")), minutes(one.get("closes"))
		preparation, err := strconv.Atoi(one.get("preparation"))
		if one.get("preparation") == "" {
			preparation, err = 0, nil
		}
		if opens < 0 || closes < 0 || err != nil {
			complain("the times %q to %q, or the minutes of preparation %q, cannot be read", one.get("opens"),
				one.get("closes"), one.get("preparation"))
			s.wrong = true
			continue
		}
		s.special.Hours = append(s.special.Hours, location.Hours{Weekday: s.weekday, Opens: opens, Closes: closes,
			Preparation: preparation})
	}
	err = pg.InTx(ctx, db, func(tx pgx.Tx) error {
		for _, s := range spans {
			if err := s.write(ctx, tx, &report); err != nil {
				return err
			}
		}
		if dry {
			return errDryRun
		}
		return nil
	})
	if err == errDryRun {
		err = nil
	}
	return report, err
}

// write puts a day down, all of it or nothing.
func (s *span) write(ctx context.Context, tx pgx.Tx, report *HoursReport) (err error) {
	if s.wrong {
		return nil // A day half read would be open when it is not.
	}
	if s.closed && len(s.special.Hours) > 0 {
		report.Complaints = append(report.Complaints, Complaint{Row: s.row.n, Handle: s.row.get("location"),
			Reason: "a row closes the day and another opens it", Whole: true})
		return nil
	}
	if s.weekday != 0 {
		err = location.SetHours(ctx, tx, s.location, s.weekday, s.special.Hours)
	} else {
		err = location.SetSpecial(ctx, tx, s.location, s.special)
	}
	if f := fault.As(err); f != nil {
		report.Complaints = append(report.Complaints, Complaint{Row: s.row.n, Handle: s.row.get("location"),
			Reason: "%s", Args: []any{f.Error()}, Whole: true})
		return nil
	}
	if err == nil && s.weekday != 0 {
		report.Weekdays++
	} else if err == nil {
		report.Days++
	}
	return err
}

// dayOf is the weekday of a row, or its date.
func dayOf(r row) (weekday int, date string) {
	if typed := r.get("date"); typed != "" {
		day, err := time.Parse(time.DateOnly, typed)
		if err != nil || day.Year() < 2000 || day.Year() > 2200 {
			return 0, ""
		}
		return 0, day.Format(time.DateOnly)
	}
	typed := r.get("weekday")
	if n, err := strconv.Atoi(typed); err == nil && n >= 1 && n <= 7 {
		return n, ""
	}
	for n := 1; n <= 7; n++ {
		if name := time.Weekday(n % 7).String(); strings.EqualFold(typed, name) || len(typed) >= 3 &&
			strings.EqualFold(typed, name[:min(len(typed), len(name))]) {
			return n, ""
		}
	}
	return 0, ""
}

// minutes of a day as people write them: 9:00, 09.30, 17, 24:00. Below zero where they are none.
func minutes(typed string) int {
	hour, minute, _ := strings.Cut(strings.ReplaceAll(typed, ".", ":"), ":")
	h, err := strconv.Atoi(hour)
	m := 0
	if err == nil && minute != "" {
		m, err = strconv.Atoi(minute)
	}
	if err != nil || h < 0 || h > 24 || m < 0 || m > 59 || h == 24 && m > 0 {
		return -1
	}
	return 60*h + m
}
