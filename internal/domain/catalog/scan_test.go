package catalog

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAScanIsReadHoweverItIsSent(t *testing.T) {
	const mug = "04006381333931"
	for _, sent := range []string{
		"4006381333931", " 4006381333931\n", "]E04006381333931", "]C10104006381333931",
		"]d20104006381333931\x1d17271231", "(01)04006381333931(17)271231",
		"]C1\x1d0104006381333931", "0104006381333931", "21ABC\x1d0104006381333931", "]Q30104006381333931",
		"]e00104006381333931",
		"https://id.example.org/01/04006381333931", "https://shop.example/01/04006381333931/10/LOT?17=271231",
		"]Q3https://example.com/path/01/04006381333931", "http://dl.example/gtin/4006381333931",
		"04006381333931", "400638133393", // the check digit left out
		"4006-3813-33931",
	} {
		require.Contains(t, Scan(sent).GTINs, mug, "%q", sent)
	}
	require.Contains(t, Scan("172712310104006381333931").GTINs, mug, "an expiry date before the GTIN")
	require.Contains(t, Scan("75678164125").GTINs, "00075678164125", "leading zeros lost in a spreadsheet")
	require.Contains(t, Scan("00075678164125").GTINs, "00075678164125")
	require.Contains(t, Scan("96385074").GTINs, "00000096385074", "GTIN-8")
	require.Contains(t, Scan("9638507").GTINs, "00000096385074", "GTIN-8 without its check digit")
}

func TestASKUIsReadInAnySpelling(t *testing.T) {
	for _, typed := range []string{"MUG-W", "mug w", "Mug–W", "mugw", "]C1MUG-W", "'MUG-W", "M U G W"} {
		require.Equal(t, "MUGW", Scan(typed).Key, typed)
	}
	require.Equal(t, "51255", Scan("51255").Key)
	require.Empty(t, Scan("51255").GTINs, "a house code is no GTIN")
	require.Empty(t, Scan("https://example.com/products/mug").GTINs)
	require.Empty(t, Scan("").Key)
}

func FuzzScan(f *testing.F) {
	f.Add("]C10104006381333931\x1d10ABC")
	f.Add("https://id.example.org/01/04006381333931")
	f.Fuzz(func(t *testing.T, typed string) {
		for _, gtin := range Scan(typed).GTINs {
			_, ok := GTIN(gtin)
			require.True(t, ok, gtin)
			require.Len(t, gtin, 14)
		}
	})
}
