package postal

import (
	"testing"

	"github.com/stretchr/testify/require"

	"counterpart/internal/platform/fault"
)

func TestPostcodesAreWrittenAsTheirCountryDoes(t *testing.T) {
	for country, codes := range map[string][2]string{
		"GB": {"ls1 4dt", "LS1 4DT"}, "IE": {"d02x285", "D02 X285"}, "US": {"100011234", "10001-1234"}, "CA": {"k1a0b1",
			"K1A 0B1"}, "NL": {"1012ab", "1012 AB"},
		"PL": {"00950", "00-950"}, "PT": {"1000205", "1000-205"}, "CZ": {"11000", "110 00"}, "LV": {"lv-1050",
			"LV-1050"}, "JP": {"1000001", "100-0001"}, "SE": {"11455", "114 55"},
		"BR": {"01310100", "01310-100"}, "DE": {"10115", "10115"}, "AZ": {"az1000", "AZ 1000"}, "HK": {"anything",
			""}, "ZZ": {"as 1t is", "AS 1T IS"},
	} {
		got, ok := Of(country).Postcode(codes[0])
		require.True(t, ok, country)
		require.Equal(t, codes[1], got, country)
	}
	for country, wrong := range map[string]string{"GB": "12345", "US": "1234", "DE": "1011", "LV": "1050",
		"PL": "ABCDE"} {
		_, ok := Of(country).Postcode(wrong)
		require.False(t, ok, country)
	}
	require.GreaterOrEqual(t, len(Known()), 30)
}

func TestNobodyIsRefusedForTheirLetters(t *testing.T) {
	for _, name := range []string{"Ñusta Çağlar-O’Brien", "Иван Петров", "李小龍", "X Æ A-12", "ᚱᚢᚾᚨ", "O",
		"Jean-Luc d'Arc, Jr.", "نور"} {
		var form fault.Form
		a := Address{Name: name, Lines: " Ulica Świętokrzyska 1 / 2\n\n  apt. 3 ", Town: "Łódź", Postcode: "90 001",
			Country: "pl"}

		Check(&a, &form)

		require.NoError(t, form.Err(), name)
		require.Equal(t, []string{name, "Ulica Świętokrzyska 1 / 2", "apt. 3", "90-001 Łódź", "Poland"}, a.Label())
	}
}

func TestWhatIsMissingIsSaidBesideItsField(t *testing.T) {
	var form fault.Form
	Check(&Address{Country: "US", Postcode: "x"}, &form)

	f := fault.As(form.Err())
	for _, field := range []string{"name", "lines", "town", "region", "postcode"} {
		require.Contains(t, f.Fields, field)
	}
	require.Equal(t, []string{"1000001", "Tokyo", "Chiyoda", "1-1", "Hana", "Japan"},
		Address{Name: "Hana", Lines: "1-1", Town: "Chiyoda", Region: "Tokyo", Postcode: "1000001",
			Country: "JP"}.Label())
}

func FuzzCheck(f *testing.F) {
	f.Add("Ada", "1 Mill Lane", "Leeds", "", "LS1 4DT", "GB")
	f.Fuzz(func(t *testing.T, name, lines, town, region, postcode, country string) {
		var form fault.Form
		a := Address{name, lines, town, region, postcode, country}
		Check(&a, &form)
		a.Label()
	})
}
