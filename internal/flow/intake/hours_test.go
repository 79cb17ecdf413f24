package intake_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"counterpart/internal/domain/location"
	"counterpart/internal/flow/intake"
)

const hoursFile = "location,weekday,date,opens,closes,preparation,name\n" +
	"HAR,1,,12:00,15:00,60,\nhar,Monday,,17:00,21:00,60,\nHAR,sun,,,,,\n" +
	"Mill Lane,,2026-12-25,,,,Christmas Day\nMIL,,2026-12-26,11:00,16:00,30,Boxing Day\n"

func TestHoursComeInFromAFile(t *testing.T) {
	b := newBench(t)
	report, err := intake.Hours(ctx, b.db, strings.NewReader(hoursFile), false)
	require.NoError(t, err)
	require.Empty(t, report.Complaints)
	require.Equal(t, []int{5, 2, 2}, []int{report.Rows, report.Weekdays, report.Days})
	require.Equal(t, "720-900 1020-1260", b.one(t,
		`SELECT string_agg(opens || '-' || closes, ' ' ORDER BY opens) FROM opening o JOIN location l ON l.id = o.location_id WHERE code = 'HAR' AND weekday = 1`))
	require.Equal(t, "0", b.one(t,
		`SELECT count(*)::text FROM opening o JOIN location l ON l.id = o.location_id WHERE code = 'HAR' AND weekday = 7`), "a row without times closes the day")
	require.Equal(t, "1", b.one(t,
		`SELECT count(*)::text FROM opening o JOIN location l ON l.id = o.location_id WHERE code = 'HAR' AND weekday = 2`), "days that are not named stay")
	require.Equal(t, "Christmas Day: closed, Boxing Day: 660",
		b.one(t, `SELECT string_agg(name || ': ' || coalesce(opens::text, 'closed'), ', ' ORDER BY day) FROM special_day`))

	_, err = intake.Hours(ctx, b.db, strings.NewReader(hoursFile), false)
	require.NoError(t, err, "a second import says the same")
	require.Equal(t, "2", b.one(t, `SELECT count(*)::text FROM special_day`))
	all, err := location.All(ctx, b.db)
	require.NoError(t, err)
	require.NotEmpty(t, all)
}

func TestHoursThatCannotBeAreSaidSo(t *testing.T) {
	for name, c := range map[string]struct{ row, reason string }{
		"nowhere":       {"XXX,1,,9:00,17:00,60,\n", "no location"},
		"no day":        {"HAR,8,,9:00,17:00,60,\n", "weekday"},
		"no date":       {"HAR,,2026-13-01,9:00,17:00,60,\n", "date"},
		"backwards":     {"HAR,1,,17:00,9:00,60,\n", "closing comes after"},
		"in words":      {"HAR,1,,noon,17:00,60,\n", "cannot be read"},
		"overlap":       {"HAR,1,,9:00,13:00,60,\nHAR,1,,12:00,17:00,60,\n", "overlap"},
		"open and shut": {"HAR,1,,9:00,13:00,60,\nHAR,1,,,,,\n", "closes the day"},
		"a week":        {"HAR,1,,9:00,17:00,99999,\n", "Preparation"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			report, err := intake.Hours(ctx, b.db,
				strings.NewReader("location,weekday,date,opens,closes,preparation,name\n"+c.row), false)
			require.NoError(t, err, name)
			require.Len(t, report.Complaints, 1, name)
			require.Contains(t, report.Complaints[0].Sentence(), c.reason, name)
			require.Equal(t, "0 1439", b.one(t,
				`SELECT opens || ' ' || closes FROM opening o JOIN location l ON l.id = o.location_id WHERE code = 'HAR' AND weekday = 1`), name)
		})
	}
}
