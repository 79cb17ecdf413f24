package text

import (
	"context"
	"testing"
	"time"

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

func TestAWordHasItsSense(t *testing.T) {
	ctx := WithLanguage(context.Background(), "lv")
	require.Equal(t, "Mainīt", T(ctx, "Change"))
	require.Equal(t, "Atlikums", S(ctx, "money", "Change"))
	require.Equal(t, "Change", S(context.Background(), "money", "Change"))
}

func TestDatesAreWrittenAsTheLanguageDoes(t *testing.T) {
	at := time.Date(2026, 11, 7, 9, 5, 0, 0, time.UTC)
	for _, c := range []struct {
		value       Value
		en, latvian string
	}{
		{Date(at), "7 November 2026", "2026. gada 7. novembris"},
		{DayTime(at), "Saturday 7 November, 09:05", "sestdiena, 7. novembris, 09:05"},
		{ShortDate(at), "7 Nov 2026", "7. nov. 2026"},
		{Clock(at), "09:05", "09:05"},
		{Minute(9*60 + 5), "09:05", "09:05"},
		{Decimal{Value: 1.5, Digits: 1}, "1.5", "1,5"},
		{Distance{Kilometres: 2, Country: "LV"}, "2.0 km", "2,0 km"},
		{Distance{Kilometres: 2, Country: "GB"}, "1.2 miles", "1,2 jūdžu attālumā"},
		{Distance{Kilometres: -1, Country: "GB"}, "", ""},
		{Country{Code: "DE", English: "Germany"}, "Germany", "Vācija"},
		{Date(time.Time{}), "", ""},
	} {
		require.Equal(t, []string{c.en, c.latvian}, []string{c.value.In("en"), c.value.In("lv")})
	}
	require.Equal(t, "tea, milk and sugar", And{"tea", "milk", "sugar"}.In("en"))
	require.Equal(t, "tēja, piens un cukurs", And{"tēja", "piens", "cukurs"}.In("lv"))
	require.Equal(t, "tea", And{"tea"}.In("en"))
}
