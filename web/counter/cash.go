package counter

import (
	"net/http"
	"strings"

	"counterpart/internal/platform/money"
	"counterpart/web/respond"
)

// cashView is what the fields for cash need: what is due, and what was typed. The field is empty until somebody types:
// a figure that stands in it already would be typed into, or believed.
type cashView struct {
	respond.Mistakes
	Due   money.Money
	Given string
}

// notes are what somebody would lay down for it: the exact amount, then the next notes or round sums up.
func (v cashView) notes() []money.Money {
	all := []money.Money{v.Due}
	for _, step := range money.Notes(v.Due.Currency) {
		up := money.New((v.Due.Minor/step.Minor+1)*step.Minor, v.Due.Currency)
		if len(all) < 4 && up.Minor > all[len(all)-1].Minor && money.Likely(up.Minor, v.Due.Minor, v.Due.Currency) {
			all = append(all, up)
		}
	}
	return all
}

// padKeys of the number pad, as they lie on a till.
var padKeys = strings.Fields("7 8 9 4 5 6 1 2 3 . 0 ⌫")

// sure says that whoever typed an unlikely sum meant it.
func sure(r *http.Request) bool { return r.PostFormValue("sure") == "1" }
