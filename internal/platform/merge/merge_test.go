package merge_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/merge"
)

type fields = map[string]string

func TestTwoPeopleWhoChangeDifferentFieldsBothKeepTheirs(t *testing.T) {
	mine := merge.Edit{Was: fields{"title": "Mug", "brand": "Fern"}, Mine: fields{"title": "Jug", "brand": "Fern"}}
	merged, both := mine.Onto(fields{"title": "Mug", "brand": "Aldous"})
	require.Equal(t, fields{"title": "Jug", "brand": "Aldous"}, merged)
	require.Empty(t, both)
	require.NoError(t, merge.Conflict(both))
}

func TestWhatBothChangedIsAsked(t *testing.T) {
	mine := merge.Edit{Was: fields{"title": "Mug"}, Mine: fields{"title": "Jug"}}
	_, both := mine.Onto(fields{"title": "Beaker"})
	require.Equal(t, fields{"title": "Beaker"}, both)
	require.Equal(t, fields{"title": "Beaker"}, fault.As(merge.Conflict(both)).Now)

	again := merge.Edit{Was: both, Mine: fields{"title": "Jug"}}
	merged, both := again.Onto(fields{"title": "Beaker"})
	require.Empty(t, both, "who saw it may")
	require.Equal(t, "Jug", merged["title"])

	_, both = mine.Onto(fields{"title": "Jug"})
	require.Empty(t, both, "both meant the same")
}

func TestAFieldThatWasNotSentStays(t *testing.T) {
	merged, both := merge.Edit{Mine: fields{"title": "Jug"}}.Onto(fields{"title": "Mug", "brand": "Fern"})
	require.Equal(t, fields{"title": "Jug", "brand": "Fern"}, merged)
	require.Empty(t, both)
	was, is := merge.Changes(fields{"title": "Mug", "brand": "Fern"}, merged)
	require.Equal(t, map[string]any{"title": "Mug"}, was)
	require.Equal(t, map[string]any{"title": "Jug"}, is)
}
