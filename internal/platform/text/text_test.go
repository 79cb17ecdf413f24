package text

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

type shout string

func (s shout) In(language string) string { return language + ":" + string(s) }

func TestArgumentsAreSaidInTheLanguage(t *testing.T) {
	require.Equal(t, "2 left at Leeds", M("{n} left at {store}", Args{"n": 2, "store": "Leeds"}).In("en"))
	require.Equal(t, "pay de:five", M("pay {sum}", Args{"sum": shout("five")}).In("de"))
	require.Equal(t, "a { that stays", M("a { that stays").In("en"))
	require.Equal(t, "an argument's braces {n} stay", M("an argument's braces {x} stay", Args{"x": "{n}"}).In("en"))
}

func TestCountsPickTheirSentence(t *testing.T) {
	ctx := context.Background()
	require.Equal(t, "1 item", N(ctx, 1, "{n} item", "{n} items"))
	require.Equal(t, "0 items", N(ctx, 0, "{n} item", "{n} items"))
}
