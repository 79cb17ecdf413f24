package money

// notes are the banknotes that people pay with, in whole units, the smallest first. Larger ones exist and are seldom
// taken.
var notes = map[string][]int64{
	"GBP": {5, 10, 20, 50}, "EUR": {5, 10, 20, 50, 100}, "USD": {1, 5, 10, 20, 50, 100}, "PLN": {10, 20, 50, 100,
		200}, "CZK": {100, 200, 500, 1000, 2000}, "JPY": {1000, 5000, 10000},
}

// Notes of a currency in minor units; none where we do not know them.
func Notes(currency string) []Money {
	one := int64(1)
	for range Exponent(currency) {
		one *= 10
	}
	var all []Money
	for _, note := range notes[currency] {
		all = append(all, New(note*one, currency))
	}
	return all
}

// Likely says whether somebody would lay down so much for what is due: nobody gives a note that comes back whole as
// change.
func Likely(given, due int64, currency string) bool {
	all := Notes(currency)
	if len(all) == 0 {
		return true
	}
	return given-due < all[len(all)-1].Minor
}
