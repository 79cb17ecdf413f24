package geo

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPostcodesAndTownsAreFound(t *testing.T) {
	for typed, want := range map[string]string{
		"LS6": "Leeds", "ls6 2ab": "Leeds", "LS62AB": "Leeds", " Leeds ": "Leeds", "S1": "Sheffield",
		"W1A 1AA":        "West London",
		"stoke on trent": "Stoke-on-Trent", "edinb": "Edinburgh", "Kings Lynn": "King's Lynn", "riga": "Riga",
	} {
		place, ok := Find(typed)
		require.True(t, ok, typed)
		require.Equal(t, want, place.Name, typed)
	}
	for _, typed := range []string{"", "zz9", "12", "x", "xyzzy", "🙂", "le"} {
		_, ok := Find(typed)
		require.False(t, ok, typed)
	}
}

func TestDistanceIsWhatTheMapSays(t *testing.T) {
	leeds, _ := Find("Leeds")
	york, _ := Find("York")
	require.InDelta(t, 35.6, leeds.Kilometres(york.Point), 1.5)
	require.Zero(t, leeds.Kilometres(leeds.Point))
}

func FuzzFind(f *testing.F) {
	f.Add("LS6 2AB")
	f.Fuzz(func(t *testing.T, typed string) { Find(typed) })
}
