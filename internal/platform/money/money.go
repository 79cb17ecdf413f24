// Package money is an amount in a currency: whole minor units, never a fraction.
package money

import (
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strconv"
	"strings"
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

var symbols = map[string]string{"GBP": "£", "EUR": "€", "USD": "$", "PLN": "zł", "CZK": "Kč", "JPY": "¥"}

// patterns says how a language writes an amount, after CLDR's standard currency patterns.
var patterns = map[string]struct {
	decimal, group string
	symbolLast     bool
}{
	"en": {".", ",", false},
	"de": {",", ".", true},
	"fr": {",", "\u202f", true},
	"lv": {",", "\u00a0", true},
	"pl": {",", "\u00a0", true},
	"ru": {",", "\u00a0", true},
	"cs": {",", "\u00a0", true},
	"az": {",", ".", true},
}

// In writes the amount as a language does: £1,234.50, 1.234,50 €.
func (m Money) In(language string) string {
	pattern, ok := patterns[language]
	if !ok {
		pattern = patterns["en"]
	}
	figure := m.figure(pattern.decimal, pattern.group)
	symbol, ok := symbols[m.Currency]
	if !ok {
		symbol = m.Currency + "\u00a0"
	}
	sign := ""
	if m.Minor < 0 {
		sign = "−"
	}
	if pattern.symbolLast {
		return sign + figure + "\u00a0" + strings.TrimSuffix(symbol, "\u00a0")
	}
	return sign + symbol + figure
}

func (m Money) String() string { return m.In("en") }

// Plain is the amount as a form field holds it: 1234.50.
func (m Money) Plain() string {
	sign := ""
	if m.Minor < 0 {
		sign = "-"
	}
	return sign + m.figure(".", "")
}

func (m Money) figure(decimal, group string) string {
	exponent := Exponent(m.Currency)
	digits := strconv.FormatUint(magnitude(m.Minor), 10)
	if len(digits) <= exponent {
		digits = strings.Repeat("0", exponent-len(digits)+1) + digits
	}
	whole, cents := digits[:len(digits)-exponent], digits[len(digits)-exponent:]
	if group != "" {
		for i := len(whole) - 3; i > 0; i -= 3 {
			whole = whole[:i] + group + whole[i:]
		}
	}
	if exponent == 0 {
		return whole
	}
	return whole + decimal + cents
}

func magnitude(n int64) uint64 {
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}

var errNotMoney = errors.New("not an amount of money")

// Parse reads what a person types into an amount field: 12, 12.5, 12.50, £1,234.50. It takes no sign, and no more
// decimals than the currency has.
func Parse(typed, currency string) (Money, error) {
	s := strings.TrimSpace(typed)
	s = strings.TrimPrefix(s, symbols[currency])
	s = strings.TrimSpace(s)
	exponent := Exponent(currency)

	whole, cents, hasPoint := strings.Cut(s, ".")
	if !hasPoint && exponent > 0 {
		// A single comma with the right number of digits behind it is a decimal comma.
		if head, tail, ok := strings.Cut(s, ","); ok && len(tail) == exponent && !strings.Contains(tail, ",") &&
			exponent != 3 {
			whole, cents = head, tail
		}
	}
	if groups := strings.Split(whole, ","); len(groups) > 1 {
		for i, group := range groups {
			if len(group) > 3 || group == "" || i > 0 && len(group) != 3 {
				return Money{}, errNotMoney
			}
		}
		whole = strings.Join(groups, "")
	}
	if whole == "" || len(whole) > 15 || len(cents) > exponent || hasPoint && cents == "" || !digitsOnly(whole) ||
		!digitsOnly(cents) {
		return Money{}, errNotMoney
	}
	minor, err := strconv.ParseInt(whole+cents+strings.Repeat("0", exponent-len(cents)), 10, 64)
	if err != nil {
		return Money{}, fmt.Errorf("%w: %s", errNotMoney, err)
	}
	return Money{minor, currency}, nil
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
