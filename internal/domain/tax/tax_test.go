package tax

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTaxIsRoundedHalfUp(t *testing.T) {
	vat := Rate{PPM: 200_000}
	require.Equal(t, int64(167), vat.Contained(1000), "£10.00 holds £1.666…")
	require.Equal(t, int64(0), vat.Contained(2))
	require.Equal(t, int64(1), vat.Contained(3), "half a penny goes up")
	require.Equal(t, int64(0), vat.Contained(0))
	city := Rate{PPM: 88_750}
	require.Equal(t, int64(89), city.OnTop(1000))
	require.Equal(t, int64(0), Rate{}.OnTop(1000))
	require.Equal(t, int64(0), Rate{}.Contained(1000))
}
