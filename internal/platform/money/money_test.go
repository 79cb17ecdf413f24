package money

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestAmountsReadAsPeopleWriteThem(t *testing.T) {
	for typed, want := range map[string]int64{
		"12": 1200, "12.5": 1250, "12.50": 1250, " £1,234.50 ": 123450, "0": 0, "0.05": 5, "12,50": 1250,
		"1,234": 123400, "1.234,50": 123450, "1 234,50": 123450, "1\u00a0234,5": 123450, "12,5": 1250,
		"1.234.567,8": 123456780,
		"1’234.50":    123450, "GBP 12": 1200, "12.50 £": 1250, "1,234,567": 123456700,
	} {
		got, err := Parse(typed, "GBP")
		require.NoError(t, err, typed)
		require.Equal(t, want, got.Minor, typed)
	}
	for _, typed := range []string{"", "-1", "1.234", "1e3", "٣", "NaN", "1,23,4", "1.", ".", "12 50",
		"99999999999999999", "+5", "1,2345", "1.234", "1,23.4", "1.234,567", "1 2 3", "1 234 5", "1,", ",5", "1.234.56", "12 345.678,9", "1,234 567", "0,500", "0 500", "0’500", "0.500,5", "0,999", "012,345"} {
		_, err := Parse(typed, "GBP")
		require.Error(t, err, typed)
	}
	_, err := Parse("1,500", "KWD")
	require.Error(t, err, "a comma before three digits is either, where there are three decimals")
	dinars, err := Parse("1.500", "KWD")
	require.NoError(t, err)
	require.Equal(t, int64(1500), dinars.Minor)
	yen, err := Parse("1,500", "JPY")
	require.NoError(t, err)
	require.Equal(t, int64(1500), yen.Minor)
}

func TestAmountsAreWrittenAsTheLanguageDoes(t *testing.T) {
	require.Equal(t, "£1,234.50", New(123450, "GBP").String())
	require.Equal(t, "−£0.05", New(-5, "GBP").String())
	require.Equal(t, "1.234,50\u00a0€", New(123450, "EUR").In("de"))
	require.Equal(t, "¥1,500", New(1500, "JPY").String())
	require.Equal(t, "1234.50", New(123450, "USD").Plain())
	require.Equal(t, "−£92,233,720,368,547,758.08", New(-1<<63, "GBP").String())
	for locale, want := range map[string]string{
		"en": "€12,345.60", "en-IE": "€12,345.60", "de": "12.345,60 €", "de-AT": "€ 12.345,60", "de-CH": "€ 12'345.60",
		"fr": "12_345,60 €", "lv": "12 345,60 €", "pl": "12 345,60 €", "cs": "12 345,60 €", "ru": "12 345,60 €",
		"az": "12.345,60 €", "nl": "€ 12.345,60", "sv": "12 345,60 €",
	} {
		want = strings.NewReplacer(" ", "\u00a0", "_", "\u202f").Replace(want)
		require.Equal(t, want, New(1234560, "EUR").In(locale), locale)
	}
	require.Equal(t, "1234,50\u00a0zł", New(123450, "PLN").In("pl"), "four digits are not grouped there")
	require.Equal(t, "5,00\u00a0QQQ", New(500, "QQQ").In("lv"), "no such currency")
}

func TestPartsSumToTheWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		weights := rapid.SliceOfN(rapid.Int64Range(0, 1<<40), 1, 50).Draw(t, "weights")
		var sum int64
		for _, weight := range weights {
			sum += weight
		}
		if sum == 0 {
			t.Skip("nobody to split it over")
		}
		total := rapid.Int64Range(0, sum).Draw(t, "total")

		parts := Split(total, weights)

		var got int64
		for i, part := range parts {
			require.GreaterOrEqual(t, part, int64(0))
			require.LessOrEqual(t, part, weights[i], "a part is never more than its base")
			got += part
		}
		require.Equal(t, total, got)
	})
}

func TestSpareCentNeverGoesToWhatIsFree(t *testing.T) {
	require.Equal(t, []int64{0, 34, 33, 33}, Split(100, []int64{0, 100, 100, 100}))
}

func FuzzParse(f *testing.F) {
	f.Add("12.50")
	f.Add("1,234")
	f.Fuzz(func(t *testing.T, typed string) {
		amount, err := Parse(typed, "GBP")
		if err != nil {
			return
		}
		again, err := Parse(amount.Plain(), "GBP")
		require.NoError(t, err)
		require.Equal(t, amount, again)
	})
}

func TestPercentages(t *testing.T) {
	for typed, want := range map[string]int64{"10": 100_000, "0,5": 5000, "0.50": 5000, "12,25 %": 122_500,
		"100": 1_000_000, "8.875": 88_750, "0,050": 500} {
		got, err := ParsePercent(typed)
		require.NoError(t, err, typed)
		require.Equal(t, want, got, typed)
	}
	for _, typed := range []string{"", "%", "-1", "1,00000", "1.000,5", "1e1", "٣", "1000"} {
		_, err := ParsePercent(typed)
		require.Error(t, err, typed)
	}
}
