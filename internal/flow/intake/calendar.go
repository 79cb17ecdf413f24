package intake

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"counterpart/internal/domain/location"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/text"
)

// maxDays that one calendar can bring.
const maxDays = 400

// Calendar reads days on which a shop is closed from an iCalendar file (RFC 5545), such as governments publish their bank
// holidays: whole days with their names, several days in a row as each of them. What is over is left out, and so is an
// event with a time of day.
func Calendar(file []byte, today time.Time) (days []location.Special, err error) {
	body := strings.NewReplacer("\r\n ", "", "\r\n\t", "", "\n ", "", "\n\t", "").Replace(string(file))
	if !strings.Contains(body, "BEGIN:VCALENDAR") {
		return nil, fault.Field("calendar", "That isn’t a calendar file. Choose one that ends in .ics, or a CSV file.")
	}
	var name, from, to string
	for line := range strings.Lines(body) {
		line = strings.TrimSpace(line)
		property, value, _ := strings.Cut(line, ":")
		property, _, _ = strings.Cut(strings.ToUpper(property), ";")
		switch {
		case line == "BEGIN:VEVENT":
			name, from, to = "", "", ""
		case property == "SUMMARY":
			name = text.Clean(strings.NewReplacer(`\,`, ",", `\;`, ";", `\n`, " ", `\\`, `\`).Replace(value), 60)
		case property == "DTSTART":
			from = value
		case property == "DTEND":
			to = value
		case line == "END:VEVENT":
			days = append(days, wholeDays(name, from, to, today)...)
			if len(days) > maxDays {
				return nil, fault.Field("calendar", "That calendar has more than {most} days to come. Choose a shorter one.",
					text.Args{"most": maxDays})
			}
		}
	}
	if len(days) == 0 {
		return nil, fault.Field("calendar", "There are no whole days to come in that calendar.")
	}
	return days, nil
}

// wholeDays are those of an event that are not over. Its end is the day after its last.
func wholeDays(name, from, to string, today time.Time) (days []location.Special) {
	const basic = "20060102"
	first, err := time.Parse(basic, from)
	if err != nil {
		return nil
	}
	end, err := time.Parse(basic, to)
	if err != nil || !end.After(first) {
		end = first.AddDate(0, 0, 1)
	}
	for day := first; day.Before(end) && len(days) <= maxDays; day = day.AddDate(0, 0, 1) {
		if date := day.Format(time.DateOnly); date >= today.Format(time.DateOnly) {
			days = append(days, location.Special{Day: date, Name: name})
		}
	}
	return days
}

// DaysCSV reads days that are not like their weekday from a CSV file with the columns date, name, opens, closes and
// preparation: a row for each interval; without times it is closed.
func DaysCSV(file []byte, _ time.Time) (days []location.Special, err error) {
	rows, err := newReader(bytes.NewReader(file), hoursHeadings, "date")
	if err != nil {
		return nil, fault.Field("calendar", "The file has no column called date.")
	}
	for {
		one, err := rows.read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fault.Field("calendar", "That file can’t be read as CSV.")
		}
		wrong := fault.Field("calendar", "Row {n} can’t be read: check its date and times.", text.Args{"n": one.n})
		_, day := dayOf(*one)
		if day == "" {
			return nil, wrong
		}
		i := slices.IndexFunc(days, func(s location.Special) bool { return s.Day == day })
		if i < 0 {
			i, days = len(days), append(days, location.Special{Day: day})
		}
		if name := text.Clean(one.get("name"), 60); name != "" {
			days[i].Name = name
		}
		if one.get("opens") == "" && one.get("closes") == "" {
			continue
		}
		h := location.Hours{Opens: minutes(one.get("opens")), Closes: minutes(one.get("closes"))}
		if typed := one.get("preparation"); typed != "" {
			if h.Preparation, err = strconv.Atoi(typed); err != nil {
				return nil, wrong
			}
		}
		if h.Opens < 0 || h.Closes < 0 {
			return nil, wrong
		}
		days[i].Hours = append(days[i].Hours, h)
	}
	if len(days) == 0 || len(days) > maxDays {
		return nil, fault.Field("calendar", "The file has no day, or more than {most}.", text.Args{"most": maxDays})
	}
	return days, nil
}
