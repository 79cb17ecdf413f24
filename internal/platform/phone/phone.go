// Package phone reads a phone number as people write it, with the habits of the country it was written in.
package phone

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/nyaruka/phonenumbers"
)

// An extension is dialled after somebody answered: it is not part of the number.
var extension = regexp.MustCompile(`(?i)[\s,]*(?:;\s*ext\s*=|\be?xt(?:ensi[oó]n)?\b\.?|доб\.?|#|\bx)[\s:.]*\p{Nd}{1,9}\s*#?$`)

// most is how long a number may be with everything people write around it.
const most = 60

// Read is a number as E.164: + and up to 15 digits. country (ISO 3166-1 alpha-2) is that of the address or store it was
// typed beside; a number that names its own country needs none. False when it cannot be a number there: the number of
// digits is wrong, or there are letters in it.
func Read(typed, country string) (e164 string, ok bool) {
	typed = strings.TrimSpace(typed)
	if utf8.RuneCountInString(typed) > most || !utf8.ValidString(typed) {
		return "", false
	}
	// Marks that turn the direction of writing come along when a number is copied from a page.
	typed = strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Cf, r):
			return -1
		case unicode.IsSpace(r):
			return ' '
		}
		return r
	}, extension.ReplaceAllString(typed, ""))
	// The library reads letters as keys of a telephone, and would find a number in “12 Mill Lane”.
	if strings.ContainsFunc(typed, func(r rune) bool {
		return !unicode.IsDigit(r) &&
			!strings.ContainsRune(" ()-‐‑‒–—./+＋", r)
	}) {
		return "", false
	}
	typed = strings.ReplaceAll(typed, "(0)", " ") // +44 (0)113: the zero is for callers at home
	if e164, ok = read(typed, country); ok {
		return e164, true
	}
	// Most countries dial 00 before a foreign number. People write it where theirs dials something else, too.
	if abroad, yes := strings.CutPrefix(strings.TrimLeft(typed, " ("), "00"); yes {
		return read("+"+abroad, country)
	}
	return "", false
}

// Valid says whether somebody in the number's own country can have it: its range is in use there. New ranges come into
// use, so a form asks for less.
func Valid(e164 string) bool {
	number, err := phonenumbers.Parse(e164, "")
	return err == nil && phonenumbers.IsValidNumber(number)
}

func read(typed, country string) (string, bool) {
	number, err := phonenumbers.Parse(typed, country)
	if err != nil || phonenumbers.IsPossibleNumberWithReason(number) != phonenumbers.IS_POSSIBLE {
		return "", false
	}
	// What still begins with a zero is right where the zero belongs to the number, as in Italy; elsewhere digits are
	// missing behind the trunk zero.
	if number.GetItalianLeadingZero() && !phonenumbers.IsValidNumber(number) {
		return "", false
	}
	return phonenumbers.Format(number, phonenumbers.E164), true
}
