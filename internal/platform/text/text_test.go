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

func TestLatvianHasThreeForms(t *testing.T) {
	for n, want := range map[int]string{0: "0 preču", 1: "1 prece", 2: "2 preces", 10: "10 preču", 11: "11 preču",
		21: "21 prece", 22: "22 preces"} {
		require.Equal(t, want, P(n, "{n} item", "{n} items").In("lv"))
	}
	require.Equal(t, "No such sentence", M("No such sentence").In("lv"), "what has no translation is said in English")
}

func TestThePseudoLanguageIsLongerAndKeepsArguments(t *testing.T) {
	said := M("{n} left at {store}", Args{"n": 2, "store": "Leeds"}).In(Pseudo)
	require.Contains(t, said, "2 ļéƒ"[:5])
	require.Contains(t, said, "Leeds", "an argument is data")
	require.Greater(t, len([]rune(said)), len("2 left at Leeds")*13/10)
	require.True(t, Plain("left"))
	require.False(t, Plain(M("left").In(Pseudo)))
}
