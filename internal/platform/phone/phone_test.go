package phone

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNumbersBelongToTheCountryTheyWereTypedIn(t *testing.T) {
	for _, one := range []struct{ typed, country, want string }{
		{"0113 496 0999", "GB", "+441134960999"},
		{"+44 (0)113 496 0999", "GB", "+441134960999"},
		{"+44 (0)113 496 0999", "LV", "+441134960999"},
		{"(0)113 496 0999", "GB", "+441134960999"},
		{"0044 113 4960999", "GB", "+441134960999"},
		{"0044 113 4960999", "US", "+441134960999"},
		{"+371 2000 0000", "GB", "+37120000000"},
		{"06 12345678", "NL", "+31612345678"},
		{"612 345 678", "ES", "+34612345678"},
		{"06 1234 5678", "IT", "+390612345678"}, // in Italy the zero stays
		{"20 000 001", "LV", "+37120000001"},
		{"(212) 555-0123", "US", "+12125550123"},
		{"011 44 113 496 0999", "US", "+441134960999"},
		{"8 912 345 67 89", "RU", "+79123456789"},
		{"0113 496 0999 ext. 12", "GB", "+441134960999"},
		{"0113 496 0999 x12", "GB", "+441134960999"},
		{"0113 496 0999;ext=12", "GB", "+441134960999"},
		{"0113\u00a0496\u20090999", "GB", "+441134960999"}, // no-break and thin spaces
		{"\u202a0113\u3000496\u202f0999\u202c", "GB", "+441134960999"},
		{"０１１３ ４９６ ０９９９", "GB", "+441134960999"},
		{"0113–496–0999", "GB", "+441134960999"},
		{"01 23 45 67 89", "FR", "+33123456789"},
		{"030/123456", "DE", "+4930123456"},
	} {
		got, ok := Read(one.typed, one.country)
		require.True(t, ok, "%s in %s", one.typed, one.country)
		require.Equal(t, one.want, got, "%s in %s", one.typed, one.country)
	}
}

func TestWhatIsNoNumberIsNotMadeOne(t *testing.T) {
	for _, typed := range []string{"", "call me", "123", "+123456789012345678", "🙂", "12 Mill Lane", "1-800-FLOWERS",
		"+", "00", "ext. 12", "\x00", "0113 496", "+44", "٠٠"} {
		got, ok := Read(typed, "GB")
		require.False(t, ok, "%q became %s", typed, got)
	}
	_, ok := Read("0113 496 0999", "")
	require.False(t, ok, "nothing says which country it is in")
}

func FuzzRead(f *testing.F) {
	f.Add("+44 (0)113 496 0999 ext. 5", "GB")
	f.Add("06 1234 5678", "IT")
	f.Fuzz(func(t *testing.T, typed, country string) {
		if number, ok := Read(typed, country); ok {
			require.Regexp(t, `^\+[0-9]{5,17}$`, number)
			again, ok := Read(number, country)
			require.True(t, ok)
			require.Equal(t, number, again)
		}
	})
}
