package measure

import (
	"context"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/predict"
	"counterpart/internal/platform/pg"
)

// Expected is a way to say how many purchases somebody makes in the days that were kept back, and what they come to,
// with its errors: the mean of their sizes per person, and the total it says for all.
type Expected struct {
	Name                   string
	Purchases, Amount      float64 // mean absolute error per person; Amount in minor units
	SquarePurchases        float64 // root of the mean squared error
	SquareAmount           float64
	TotalPurchases, Totals float64 // said, of those that came
}

// Valued is a table of them, on the same people.
type Valued struct {
	Asked        int
	From         time.Time
	Days         int
	Bought, Came float64 // purchases of those asked about, and what they came to
	Currency     string
	Model        predict.Model
	Rows         []Expected
}

// Tell writes the table.
func (v Valued) Tell(w io.Writer) {
	fmt.Fprintf(w, "Learned from %d people before %s; asked about the %d days from then. They bought on %.0f days, for %.2f %s.\n\n",
		v.Asked, v.From.Format(time.DateOnly), v.Days, v.Bought, v.Came/100, v.Currency)
	fmt.Fprintf(w, "%-34s %22s %22s %18s\n", "", "error in purchases", "error in amount", "total said / came")
	fmt.Fprintf(w, "%-34s %11s %10s %11s %10s %9s %8s\n", "per person:", "mean", "rms", "mean", "rms", "purchases", "amount")
	for _, r := range v.Rows {
		fmt.Fprintf(w, "%-34s %11.3f %10.3f %11.2f %10.2f %8.0f%% %7.0f%%\n", r.Name, r.Purchases, r.SquarePurchases, r.Amount/100,
			r.SquareAmount/100, 100*r.TotalPurchases/max(v.Bought, 1), 100*r.Totals/max(v.Came, 1))
	}
}

// Value measures what is expected of people: learned from what was before the last days, asked about these.
func Value(ctx context.Context, db pg.DB, s Split) (v Valued, err error) {
	var buyers []predict.Buyer
	err = pg.InTx(ctx, db, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SET LOCAL statement_timeout = '30min'; SET LOCAL work_mem = '128MB'`); err != nil {
			return err
		}
		buyers, err = predict.Buyers(ctx, tx, s.Source)
		return err
	})
	if err != nil || len(buyers) == 0 {
		return v, err
	}
	var last time.Time
	for _, b := range buyers {
		if end := b.Purchases[len(b.Purchases)-1].Day; end.After(last) {
			last = end
		}
	}
	v.Days, v.From, v.Currency = s.Days, last.AddDate(0, 0, 1-s.Days), buyers[0].Purchases[0].Currency
	type asked struct {
		predict.History
		recent, recentAmount, bought, came, all, amount, expected, worth float64
		of                                                               predict.Buyer
	}
	var people []asked
	var histories []predict.History
	for _, b := range buyers {
		h, known := b.Until(v.From)
		if !known {
			continue
		}
		a := asked{History: h, of: b}
		for _, p := range b.Purchases {
			switch {
			case !p.Day.Before(v.From):
				a.bought++
				a.came += float64(p.Amount)
			default:
				a.all++
				a.amount += float64(p.Amount)
			}
		}
		a.recent, a.recentAmount = b.Within(v.From, s.Days)
		v.Bought, v.Came = v.Bought+a.bought, v.Came+a.came
		histories, people = append(histories, h), append(people, a)
	}
	v.Asked = len(people)
	v.Model = predict.Fit(histories)
	for i := range people {
		people[i].expected, people[i].worth, _ = v.Model.Expect(people[i].of, v.From, s.Days)
	}
	days := float64(s.Days)
	for _, w := range []struct {
		name string
		say  func(a asked) (purchases, amount float64)
	}{
		{"the last such period again", func(a asked) (float64, float64) { return a.recent, a.recentAmount }},
		{"own average × own rate", func(a asked) (float64, float64) {
			rate := a.all / max(a.Age, days) * days
			return rate, rate * a.amount / a.all
		}},
		{"BG/NBD with gamma-gamma", func(a asked) (float64, float64) {
			n := v.Model.Purchases(a.History, days)
			return n, n * v.Model.Amount(a.History)
		}},
		{"as the shop expects it", func(a asked) (float64, float64) { return a.expected, a.worth }},
	} {
		r := Expected{Name: w.name}
		for _, a := range people {
			n, amount := w.say(a)
			r.TotalPurchases, r.Totals = r.TotalPurchases+n, r.Totals+amount
			r.Purchases += math.Abs(n - a.bought)
			r.Amount += math.Abs(amount - a.came)
			r.SquarePurchases += (n - a.bought) * (n - a.bought)
			r.SquareAmount += (amount - a.came) * (amount - a.came)
		}
		n := float64(max(1, len(people)))
		r.Purchases, r.Amount = r.Purchases/n, r.Amount/n
		r.SquarePurchases, r.SquareAmount = math.Sqrt(r.SquarePurchases/n), math.Sqrt(r.SquareAmount/n)
		v.Rows = append(v.Rows, r)
	}
	return v, nil
}
