// Package money is an amount in a currency: whole minor units, never a fraction.
package money

import (
	"errors"
	"fmt"
	"math/bits"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/bojanz/currency"
)

// MaxUnit is the dearest thing the shop sells, in minor units. With quantities below a hundred every product with a tax
// rate in parts per million still fits an int64.
const MaxUnit = 10_000_000_000

// Money is an amount in minor units (pence, cents) of an ISO 4217 currency.
type Money struct {
	Minor    int64
	Currency string
}

func New(minor int64, currency string) Money { return Money{minor, currency} }

// Known says whether a code is a currency's (ISO 4217).
func Known(code string) bool { return currency.IsValid(code) }

// Exponent is how many decimals a currency is written with, after ISO 4217's list of minor units.
func Exponent(currency string) int {
	switch currency {
	case "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF":
		return 0
	case "BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND":
		return 3
	}
	return 2
}

// symbols are those that a shop writes for a currency, whoever reads it.
var symbols = map[string]string{"GBP": "£", "EUR": "€", "USD": "$", "PLN": "zł", "CZK": "Kč", "JPY": "¥"}

// pattern is how a locale writes the amounts of a currency.
type pattern struct {
	prefix, suffix, decimal, group string
	grouped                        int // digits of the whole from which on they are grouped
}

var patterns sync.Map // of language and currency

// patternOf reads a pattern from an amount that the library wrote, once: filling it in takes a tenth of the time that
// writing every amount by the library does.
func patternOf(language, code string) pattern {
	type key struct{ language, code string }
	if known, ok := patterns.Load(key{language, code}); ok {
		return known.(pattern)
	}
	write := currency.NewFormatter(currency.NewLocale(language))
	write.SymbolMap = symbols
	sample := func(number string) string {
		amount, err := currency.NewAmount(number, code)
		if err != nil { // A code that ISO 4217 does not have is written as it is.
			amount, _ = currency.NewAmount(number, "EUR")
			write.SymbolMap = map[string]string{"EUR": code}
		}
		return write.Format(amount)
	}
	written := sample("1234567.89")
	begin, end := strings.Index(written, "1"), strings.LastIndex(written, "9")+1
	p := pattern{prefix: written[:begin], suffix: written[end:], grouped: 4}
	number := written[begin:end]
	p.group = number[1:strings.Index(number, "2")]
	p.decimal = number[strings.Index(number, "7")+1 : strings.Index(number, "8")]
	if strings.Contains(sample("1234"), "1234") {
		p.grouped = 5
	}
	patterns.Store(key{language, code}, p)
	return p
}

// In writes the amount as a locale does, after CLDR: £1,234.50, 1.234,50 €. The locale is a language, or a language
// and a country: de, de-CH.
func (m Money) In(locale string) string {
	p := patternOf(locale, m.Currency)
	written := p.prefix + m.figure(p) + p.suffix
	if m.Minor < 0 {
		return "−" + written
	}
	return written
}

func (m Money) String() string { return m.In("en") }

// Plain is the amount as a form field holds it: 1234.50.
func (m Money) Plain() string {
	sign := ""
	if m.Minor < 0 {
		sign = "-"
	}
	return sign + m.figure(pattern{decimal: "."})
}

func (m Money) figure(p pattern) string {
	exponent := Exponent(m.Currency)
	digits := strconv.FormatUint(magnitude(m.Minor), 10)
	if len(digits) <= exponent {
		digits = strings.Repeat("0", exponent-len(digits)+1) + digits
	}
	whole, cents := digits[:len(digits)-exponent], digits[len(digits)-exponent:]
	if p.group != "" && len(whole) >= p.grouped {
		for i := len(whole) - 3; i > 0; i -= 3 {
			whole = whole[:i] + p.group + whole[i:]
		}
	}
	if exponent == 0 {
		return whole
	}
	return whole + p.decimal + cents
}

func magnitude(n int64) uint64 {
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}

var errNotMoney = errors.New("not an amount of money")

// Parse reads what a person types into an amount field, in any of the ways that Europe and America write it: 12, 12.5,
// £1,234.50, 1.234,50 €, 1 234,50 zł. It takes no sign, and no more decimals than the currency has. Of both a point and
// a comma the last is the decimal one. A single comma before three digits groups thousands, a single point is refused
// there: it could be either.
func Parse(typed, code string) (Money, error) {
	s := strings.TrimSpace(typed)
	for _, word := range []string{symbols[code], code} {
		if word != "" {
			s = strings.TrimSpace(strings.TrimSuffix(strings.TrimPrefix(s, word), word))
		}
	}
	exponent := Exponent(code)
	whole, cents, hasCents := s, "", false
	group := ","
	if at := strings.LastIndexAny(s, ".,"); at >= 0 {
		mark, behind := s[at:at+1], s[at+1:]
		other := map[string]string{".": ",", ",": "."}[mark]
		switch alone := strings.Count(s, mark) == 1; {
		case strings.Contains(s, other) || alone && (mark == "." || len(behind) != 3):
			whole, cents, hasCents, group = s[:at], behind, true, other
		case alone && exponent == 3:
			return Money{}, errNotMoney // 1,500 dinars are either.
		default:
			group = mark
		}
	}
	for _, space := range []string{" ", "\u00a0", "\u202f", "’", "'"} {
		if !strings.Contains(whole, group) && strings.Contains(whole, space) {
			group = space
		}
	}
	if groups := strings.Split(whole, group); len(groups) > 1 {
		for i, digits := range groups {
			if len(digits) > 3 || digits == "" || i > 0 && len(digits) != 3 || i == 0 && digits[0] == '0' {
				return Money{}, errNotMoney
			}
		}
		whole = strings.Join(groups, "")
	}
	if whole == "" || len(whole) > 15 || len(cents) > exponent || hasCents && cents == "" || !digitsOnly(whole) ||
		!digitsOnly(cents) {
		return Money{}, errNotMoney
	}
	minor, err := strconv.ParseInt(whole+cents+strings.Repeat("0", exponent-len(cents)), 10, 64)
	if err != nil {
		return Money{}, fmt.Errorf("%w: %s", errNotMoney, err)
	}
	return Money{minor, code}, nil
}

var percentage = regexp.MustCompile(`^(\d{1,3})(?:[.,](\d{1,4}))?$`)

// ParsePercent reads a percentage with at most four decimals, in parts per million. Nobody groups its digits: 0,5 and
// 0.50 are a half, and so many decimals are no thousands.
func ParsePercent(typed string) (ppm int64, err error) {
	m := percentage.FindStringSubmatch(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(typed), "%")))
	if m == nil {
		return 0, errNotMoney
	}
	return strconv.ParseInt(m[1]+(m[2] + "0000")[:4], 10, 64)
}

func digitsOnly(s string) bool {
	for _, r := range s {
		if r < '0' || r > '9' {
			return false
		}
	}
	return true
}

// Split divides a total over weights by largest remainder: the parts sum to the total, a weight of zero gets nothing,
// and of two equal remainders the earlier position gets the spare unit. A total below zero or weights that sum to
// nothing are a mistake of the caller and panic.
func Split(total int64, weights []int64) []int64 {
	var sum uint64
	for _, weight := range weights {
		if weight < 0 {
			panic("money: a weight below zero")
		}
		sum += uint64(weight)
	}
	if total < 0 || sum == 0 && total != 0 {
		panic("money: nothing to split, or nobody to split it over")
	}

	parts := make([]int64, len(weights))
	if sum == 0 {
		return parts
	}
	remainders := make([]uint64, len(weights))
	left := total
	for i, weight := range weights {
		high, low := bits.Mul64(uint64(total), uint64(weight))
		part, remainder := bits.Div64(high, low, sum)
		parts[i], remainders[i] = int64(part), remainder
		left -= int64(part)
	}

	byRemainder := make([]int, len(weights))
	for i := range byRemainder {
		byRemainder[i] = i
	}
	slices.SortStableFunc(byRemainder, func(a, b int) int {
		switch {
		case remainders[a] > remainders[b]:
			return -1
		case remainders[a] < remainders[b]:
			return 1
		}
		return 0
	})
	for _, i := range byRemainder[:left] {
		parts[i]++
	}
	return parts
}
