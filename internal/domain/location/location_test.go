package location

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func leeds() *Location {
	l := &Location{TimeZone: "Europe/London"}
	for weekday := 1; weekday <= 6; weekday++ {
		l.Hours = append(l.Hours, Hours{Weekday: weekday, Opens: 9 * 60, Closes: 18 * 60, Preparation: 120})
	}
	return l
}

func clock(t *testing.T, s string) time.Time {
	t.Helper()
	zone, err := time.LoadLocation("Europe/London")
	require.NoError(t, err)
	at, err := time.ParseInLocation("2006-01-02 15:04", s, zone)
	require.NoError(t, err)
	return at
}

func TestPromiseKeepsToOpeningHours(t *testing.T) {
	for ordered, ready := range map[string]string{
		"2026-11-20 12:08": "2026-11-20 14:10", // open: from now, rounded up
		"2026-11-20 03:00": "2026-11-20 11:00", // before opening: from opening
		"2026-11-20 16:00": "2026-11-20 18:00", // just fits
		"2026-11-20 16:01": "2026-11-21 11:00", // does not fit: tomorrow
		"2026-11-21 17:00": "2026-11-23 11:00", // closed on Sunday
		"2026-10-24 17:30": "2026-10-26 11:00", // across the night when clocks go back
		"2027-03-27 17:30": "2027-03-29 11:00", // and forward
	} {
		got, ok := leeds().ReadyBy(clock(t, ordered))
		require.True(t, ok)
		require.Equal(t, clock(t, ready).UTC(), got.UTC(), "ordered at "+ordered)
	}
}

func TestStoreThatIsNeverOpenPromisesNothing(t *testing.T) {
	_, ok := (&Location{TimeZone: "Europe/Riga"}).ReadyBy(time.Now())
	require.False(t, ok)
}

func TestPreparationLongerThanTheDayStillEnds(t *testing.T) {
	slow := &Location{TimeZone: "Europe/London", Hours: []Hours{{Weekday: 5, Opens: 600, Closes: 660,
		Preparation: 2880}}}
	got, ok := slow.ReadyBy(clock(t, "2026-11-18 12:00"))
	require.True(t, ok)
	require.Equal(t, clock(t, "2026-11-22 10:00").UTC(), got.UTC())
}

func TestReadyOrdersAreKeptToClosingTime(t *testing.T) {
	require.Equal(t, clock(t, "2026-11-23 18:00").UTC(), leeds().KeepUntil(clock(t, "2026-11-20 14:10"), 3).UTC())
	require.Equal(t, clock(t, "2026-11-23 18:00").UTC(), leeds().KeepUntil(clock(t, "2026-11-19 09:30"), 3).UTC(),
		"closed on Sunday: Monday")
}

func TestOpenUntil(t *testing.T) {
	open, until := leeds().OpenNow(clock(t, "2026-11-20 12:00"))
	require.True(t, open)
	require.Equal(t, clock(t, "2026-11-20 18:00").UTC(), until.UTC())
	open, next := leeds().OpenNow(clock(t, "2026-11-22 12:00"))
	require.False(t, open)
	require.Equal(t, clock(t, "2026-11-23 09:00").UTC(), next.UTC())
}

// bistro has lunch and dinner, is closed on Sundays, shut on Christmas Day and open for lunch only on Boxing Day.
func bistro() *Location {
	l := &Location{TimeZone: "Europe/London"}
	for weekday := 1; weekday <= 6; weekday++ {
		l.Hours = append(l.Hours, Hours{Weekday: weekday, Opens: 17 * 60, Closes: 21 * 60, Preparation: 60},
			Hours{Weekday: weekday, Opens: 12 * 60, Closes: 15 * 60, Preparation: 60})
	}
	l.Special = Specials{{Day: "2026-12-25", Name: "Christmas Day"},
		{Day: "2026-12-26", Name: "Boxing Day", Hours: []Hours{{Opens: 12 * 60, Closes: 15 * 60, Preparation: 60}}}}
	return l
}

func TestEveryPromiseKnowsBreaksAndHolidays(t *testing.T) {
	for ordered, ready := range map[string]string{
		"2026-11-20 12:30": "2026-11-20 13:30", // within lunch
		"2026-11-20 14:30": "2026-11-20 18:00", // does not fit before the break: from the evening's opening
		"2026-11-20 16:00": "2026-11-20 18:00", // in the break
		"2026-11-20 20:30": "2026-11-21 13:00",
		"2026-12-24 20:30": "2026-12-26 13:00", // shut on Christmas Day
		"2026-12-26 14:30": "2026-12-28 13:00", // Boxing Day has no evening, and Sunday is closed
	} {
		got, ok := bistro().ReadyBy(clock(t, ordered))
		require.True(t, ok)
		require.Equal(t, clock(t, ready).UTC(), got.UTC(), "ordered at "+ordered)
	}
	require.Equal(t, clock(t, "2026-12-26 15:00").UTC(), bistro().KeepUntil(clock(t, "2026-12-23 13:00"), 2).UTC(),
		"Christmas Day is no day to collect")
	for at, want := range map[string]struct {
		open    bool
		changes string
	}{
		"2026-11-20 13:00": {true, "2026-11-20 15:00"}, "2026-11-20 15:30": {false,
			"2026-11-20 17:00"}, "2026-12-25 13:00": {false, "2026-12-26 12:00"}, "2026-12-26 18:00": {false,
			"2026-12-28 12:00"},
	} {
		open, changes := bistro().OpenNow(clock(t, at))
		require.Equal(t, want.open, open, at)
		require.Equal(t, clock(t, want.changes).UTC(), changes.UTC(), at)
	}
	require.True(t, bistro().Shut(clock(t, "2026-12-25 00:00")))
	require.False(t, bistro().Shut(clock(t, "2026-12-26 00:00")))
}
