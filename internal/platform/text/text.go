// Package text is what the shop says to people: a sentence in the source language is the key, its arguments have names.
package text

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/cases"
	tags "golang.org/x/text/language"
	"golang.org/x/text/language/display"
)

// Source is the language the keys are written in; a sentence that has no translation is said in it.
const Source = "en"

// Args are the named arguments of a sentence. A value with a method In(language) is written as that language does.
type Args map[string]any

// Message is a sentence that has not been said yet: it can wait in an error or a job until the language is known. With
// a Plural it has a count, and Key says it of one.
type Message struct {
	Key    string
	Sense  string // which of the key's meanings, where English has one word for several
	Plural string
	N      int
	Args   Args
}

func M(key string, args ...Args) Message {
	message := Message{Key: key}
	if len(args) > 0 {
		message.Args = args[0]
	}
	return message
}

// P is a sentence about a count, which it may name as {n}. Languages have from one to six forms for it (CLDR).
func P(n int, one, other string, args ...Args) Message {
	all := Args{"n": n}
	for _, more := range args {
		maps.Copy(all, more)
	}
	return Message{Key: one, Plural: other, N: n, Args: all}
}

func (m Message) IsZero() bool { return m.Key == "" }

// In says the message in a language.
func (m Message) In(language string) string {
	words := sentence(m, language)
	if language == Pseudo {
		language = Source // Arguments are what the shop keeps, or money and dates as English writes them.
	}
	return fill(words, m.Args, language)
}

// fill puts arguments into a sentence.
func fill(sentence string, args Args, language string) string {
	if !strings.Contains(sentence, "{") {
		return sentence
	}
	var out strings.Builder
	for {
		head, rest, found := strings.Cut(sentence, "{")
		out.WriteString(head)
		if !found {
			return out.String()
		}
		name, tail, closed := strings.Cut(rest, "}")
		if !closed {
			out.WriteString("{" + rest)
			return out.String()
		}
		out.WriteString(say(args[name], language))
		sentence = tail
	}
}

func say(value any, language string) string {
	switch value := value.(type) {
	case interface{ In(string) string }:
		return value.In(language)
	case string:
		return value
	}
	return fmt.Sprint(value)
}

// T says a sentence in the language of the request.
func T(ctx context.Context, key string, args ...Args) string {
	return M(key, args...).In(Language(ctx))
}

// S says a word in one of its senses: the “Change” of a banknote is another word than that of a form.
func S(ctx context.Context, sense, key string) string {
	return Message{Key: key, Sense: sense}.In(Language(ctx))
}

// N says a sentence with a count, which it may name as {n}.
func N(ctx context.Context, n int, one, other string, args ...Args) string {
	return P(n, one, other, args...).In(Language(ctx))
}

// Clean is what somebody typed as far as it can be stored and shown: valid UTF-8 without NUL and without the signs that
// turn the words around them, trimmed, at most so many letters.
func Clean(typed string, most int) string {
	typed = strings.Map(func(r rune) rune {
		if r == 0 || r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069' {
			return -1
		}
		return r
	}, strings.ToValidUTF8(typed, ""))
	if runes := []rune(typed); len(runes) > most {
		typed = string(runes[:most])
	}
	return strings.TrimSpace(typed)
}

type zoneKey struct{}

// WithZone sets the clocks by which a request is answered: those of the store where whoever asks works.
func WithZone(ctx context.Context, zone *time.Location) context.Context {
	return context.WithValue(ctx, zoneKey{}, zone)
}

// Zone is UTC where nobody said anything else.
func Zone(ctx context.Context) *time.Location {
	if zone, ok := ctx.Value(zoneKey{}).(*time.Location); ok {
		return zone
	}
	return time.UTC
}

type languageKey struct{}

// WithLanguage sets the language in which a request is answered.
func WithLanguage(ctx context.Context, language string) context.Context {
	return context.WithValue(ctx, languageKey{}, language)
}

// Content is the language in which what the shop keeps is wanted: nobody writes products in the pseudo-language.
func Content(ctx context.Context) string {
	if language := Language(ctx); language != Pseudo {
		return language
	}
	return Source
}

// Language in which the request is answered.
func Language(ctx context.Context) string {
	if language, ok := ctx.Value(languageKey{}).(string); ok {
		return language
	}
	return Source
}

type offeredKey struct{}

// WithOffered sets the languages that the page can be read in.
func WithOffered(ctx context.Context, languages []string) context.Context {
	return context.WithValue(ctx, offeredKey{}, languages)
}

// Offered are the languages that the page can be read in.
func Offered(ctx context.Context) []string {
	languages, _ := ctx.Value(offeredKey{}).([]string)
	return languages
}

type pathKey struct{}

// WithPath sets where the page stands, without its language.
func WithPath(ctx context.Context, path string) context.Context {
	return context.WithValue(ctx, pathKey{}, path)
}

type postedKey struct{}

// WithPosted says that the page answers a form: its own address is not where it can be read again.
func WithPosted(ctx context.Context) context.Context {
	return context.WithValue(ctx, postedKey{}, true)
}

// Posted says whether the page answers a form.
func Posted(ctx context.Context) bool { return ctx.Value(postedKey{}) != nil }

// Translated is where the page stands in another language.
func Translated(ctx context.Context, language string) string {
	path, _ := ctx.Value(pathKey{}).(string)
	return "/" + language + path
}

// Name is what a language calls itself.
func Name(language string) string {
	return cases.Title(tags.Make(language)).String(display.Self.Name(tags.Make(language)))
}

// Languages that have sentences, the source language first.
func Languages() []string {
	return append([]string{Source}, slices.Sorted(maps.Keys(catalogs()))...)
}
