// Package predict says what is to be expected of a person: how many orders, what they come to, whether they still buy
// here. It learns from the shop's own past only.
package predict

import (
	"math"
	"slices"
)

// History is what is known of how somebody buys. Days with several orders are one purchase.
type History struct {
	Repeats int     // purchases after the first
	Recency float64 // days from the first to the last
	Age     float64 // days from the first until now
	Mean    float64 // of all purchases, minor units
}

// Model is BG/NBD for how often (Fader, Hardie, Lee 2005, “Counting your customers the easy way”) and gamma-gamma for
// how much (Fader, Hardie 2013). Time is in days, amounts in minor units.
type Model struct {
	R, Alpha, A, B float64
	P, Q, Gamma    float64
}

// most histories that a fit reads; more change nothing that can be seen.
const most = 20_000

// Fit finds the parameters by maximum likelihood.
func Fit(all []History) (m Model) {
	sample := all
	if len(all) > most {
		sample = make([]History, 0, most)
		for i := range most {
			sample = append(sample, all[i*len(all)/most])
		}
	}
	best := simplex([]float64{0, 4, 0, 1}, func(p []float64) float64 {
		m := Model{R: math.Exp(p[0]), Alpha: math.Exp(p[1]), A: math.Exp(p[2]), B: math.Exp(p[3])}
		sum := 0.0
		for _, h := range sample {
			sum -= m.likelihood(h)
		}
		return sum + penalty(p, len(sample))
	})
	m = Model{R: math.Exp(best[0]), Alpha: math.Exp(best[1]), A: math.Exp(best[2]), B: math.Exp(best[3])}
	var paid []History
	scale := 0.0
	for _, h := range sample {
		if h.Mean > 0 {
			paid = append(paid, h)
			scale += h.Mean
		}
	}
	if len(paid) == 0 {
		return m
	}
	scale /= float64(len(paid))
	best = simplex([]float64{1, 1, 0}, func(p []float64) float64 {
		m := Model{P: math.Exp(p[0]), Q: math.Exp(p[1]), Gamma: math.Exp(p[2])}
		sum := 0.0
		for _, h := range paid {
			sum -= m.amounts(float64(h.Repeats+1), h.Mean/scale)
		}
		return sum + penalty(p, len(paid))
	})
	m.P, m.Q, m.Gamma = math.Exp(best[0]), math.Exp(best[1]), math.Exp(best[2])*scale
	return m
}

// penalty keeps parameters of a small past from running away: half a thousandth of their squared logarithms.
func penalty(p []float64, n int) (sum float64) {
	for _, x := range p {
		sum += x * x
	}
	return 0.0005 * sum * float64(n)
}

func gammaln(x float64) float64 { y, _ := math.Lgamma(x); return y }

// likelihood is the logarithm of it: equation 6 of the paper.
func (m Model) likelihood(h History) float64 {
	x := float64(h.Repeats)
	alive := -(m.R + x) * math.Log(m.Alpha+h.Age)
	both := alive
	if h.Repeats > 0 {
		gone := math.Log(m.A) - math.Log(m.B+x-1) - (m.R+x)*math.Log(m.Alpha+h.Recency)
		high := max(alive, gone)
		both = high + math.Log(math.Exp(alive-high)+math.Exp(gone-high))
	}
	return gammaln(m.R+x) - gammaln(m.R) + m.R*math.Log(m.Alpha) + gammaln(m.A+m.B) + gammaln(m.B+x) - gammaln(m.B) -
		gammaln(m.A+m.B+x) + both
}

// amounts is the logarithm of the likelihood of a mean amount over so many repeats.
func (m Model) amounts(x, mean float64) float64 {
	return gammaln(m.P*x+m.Q) - gammaln(m.P*x) - gammaln(m.Q) + m.Q*math.Log(m.Gamma) + (m.P*x-1)*math.Log(mean) +
		m.P*x*math.Log(x) - (m.P*x+m.Q)*math.Log(m.Gamma+mean*x)
}

// Active is the probability that somebody still buys here.
func (m Model) Active(h History) float64 {
	if h.Repeats == 0 {
		return 1 // The model lets nobody go before their second purchase.
	}
	x := float64(h.Repeats)
	return 1 / (1 + m.A/(m.B+x-1)*math.Pow((m.Alpha+h.Age)/(m.Alpha+h.Recency), m.R+x))
}

// Purchases are those to be expected in the next days: equation 10 of the paper.
func (m Model) Purchases(h History, days float64) float64 {
	x := float64(h.Repeats)
	a := m.A
	if math.Abs(a-1) < 1e-4 {
		a = 1 + 1e-4
	}
	share := math.Pow((m.Alpha+h.Age)/(m.Alpha+h.Age+days), m.R+x)
	n := (a + m.B + x - 1) / (a - 1) * (1 - share*hypergeometric(m.R+x, m.B+x, a+m.B+x-1, days/(m.Alpha+h.Age+days)))
	return max(0, n*m.Active(h))
}

// Amount is what one purchase is expected to come to, minor units.
func (m Model) Amount(h History) float64 {
	x := float64(h.Repeats + 1)
	if m.P*x+m.Q <= 1 {
		return h.Mean
	}
	// Near where the formula has no value it is not believed.
	return min(m.P*(m.Gamma+h.Mean*x)/(m.P*x+m.Q-1), max(10*h.Mean, m.Gamma))
}

// hypergeometric is 2F1(a, b; c; z) for 0 <= z < 1 by its series.
func hypergeometric(a, b, c, z float64) float64 {
	sum, term := 1.0, 1.0
	for j := 1.0; j < 5000; j++ {
		term *= (a + j - 1) * (b + j - 1) / (c + j - 1) * z / j
		sum += term
		if math.Abs(term) < 1e-10*math.Abs(sum) {
			break
		}
	}
	return sum
}

// simplex minimises a function from a point on (Nelder, Mead 1965).
func simplex(start []float64, f func([]float64) float64) []float64 {
	type point struct {
		at    []float64
		value float64
	}
	eval := func(at []float64) point {
		v := f(at)
		if math.IsNaN(v) {
			v = math.Inf(1)
		}
		return point{at, v}
	}
	n := len(start)
	points := []point{eval(start)}
	for i := range n {
		at := slices.Clone(start)
		at[i]++
		points = append(points, eval(at))
	}
	between := func(a, b []float64, t float64) []float64 {
		at := make([]float64, n)
		for i := range at {
			at[i] = a[i] + t*(b[i]-a[i])
		}
		return at
	}
	for range 400 {
		slices.SortFunc(points, func(a, b point) int {
			switch {
			case a.value < b.value:
				return -1
			case a.value > b.value:
				return 1
			}
			return 0
		})
		worst := points[n]
		if math.Abs(worst.value-points[0].value) < 1e-9*(1+math.Abs(points[0].value)) {
			break
		}
		centre := make([]float64, n)
		for _, p := range points[:n] {
			for i := range centre {
				centre[i] += p.at[i] / float64(n)
			}
		}
		reflected := eval(between(centre, worst.at, -1))
		switch {
		case reflected.value < points[0].value:
			if further := eval(between(centre, worst.at, -2)); further.value < reflected.value {
				reflected = further
			}
			points[n] = reflected
		case reflected.value < points[n-1].value:
			points[n] = reflected
		default:
			if nearer := eval(between(centre, worst.at, 0.5)); nearer.value < worst.value {
				points[n] = nearer
				continue
			}
			for i := 1; i <= n; i++ {
				points[i] = eval(between(points[0].at, points[i].at, 0.5))
			}
		}
	}
	return points[0].at
}
