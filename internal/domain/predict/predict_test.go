package predict_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/figure"
	"counterpart/internal/domain/history"
	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/predict"
	"counterpart/internal/flow/person"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/pg/pgtest"
	"counterpart/internal/proof/sample"
)

var ctx = context.Background()

// drawn is somebody who buys as the model says: at a rate of their own, until they go.
func drawn(r *rand.Rand, m predict.Model, days float64) (bought []float64) {
	rate := gamma(r, m.R) / m.Alpha
	one, other := gamma(r, m.A), gamma(r, m.B)
	goes := one / (one + other)
	for day := 0.0; day < days; day += r.ExpFloat64() / rate {
		bought = append(bought, day)
		if len(bought) > 1 && r.Float64() < goes {
			break
		}
	}
	return bought
}

// gamma with this shape and scale one (Marsaglia, Tsang 2000).
func gamma(r *rand.Rand, shape float64) float64 {
	if shape < 1 {
		return gamma(r, shape+1) * math.Pow(r.Float64(), 1/shape)
	}
	d := shape - 1.0/3
	for {
		x := r.NormFloat64()
		v := math.Pow(1+x/math.Sqrt(9*d), 3)
		if v > 0 && math.Log(r.Float64()) < x*x/2+d-d*v+d*math.Log(v) {
			return d * v
		}
	}
}

// Of people who buy as the model says it finds how often: the number of purchases in the year after is foretold.
func TestTheModelFindsWhatItWasDrawnFrom(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 5))
	truth := predict.Model{R: 0.8, Alpha: 60, A: 0.7, B: 2.5}
	var all []predict.History
	var later []float64
	for range 6000 {
		bought := drawn(r, truth, 730)
		h, after := predict.History{Age: 365, Mean: 2000 + 1000*r.Float64()}, 0.0
		for _, day := range bought[1:] {
			if day < 365 {
				h.Repeats, h.Recency = h.Repeats+1, day
			} else {
				after++
			}
		}
		all, later = append(all, h), append(later, after)
	}
	m := predict.Fit(all)
	said, came := 0.0, 0.0
	for i, h := range all {
		said, came = said+m.Purchases(h, 365), came+later[i]
		require.GreaterOrEqual(t, m.Active(h), 0.0)
		require.LessOrEqual(t, m.Active(h), 1.0)
	}
	require.InEpsilon(t, came, said, 0.08)
	require.InEpsilon(t, truth.R, m.R, 0.25)
	require.InEpsilon(t, truth.Alpha, m.Alpha, 0.25)
	// Who came often and then not for long is less likely to come than who came as often until now.
	gone, there := predict.History{Repeats: 8, Recency: 120, Age: 365}, predict.History{Repeats: 8, Recency: 350, Age: 365}
	require.Less(t, m.Active(gone), m.Active(there)/2)
	require.Less(t, m.Purchases(gone, 90), m.Purchases(there, 90))
}

// Figures of the paper: Fader, Hardie, Lee 2005, of the CDNOW customers, in weeks.
func TestTheModelSaysWhatThePaperSays(t *testing.T) {
	m := predict.Model{R: 0.243, Alpha: 4.414, A: 0.793, B: 2.426}
	require.InDelta(t, 1.226, m.Purchases(predict.History{Repeats: 2, Recency: 30.43, Age: 38.86}, 39), 0.003)
}

func TestPredictionsAreOfPeopleWhoDoNotObject(t *testing.T) {
	db, _ := pgtest.Database(t)
	sample.Load(t, db)
	now := time.Now()
	r := rand.New(rand.NewPCG(1, 2))
	var sales []history.Sale
	for n := range 60 {
		for k := range 2 + r.IntN(5) {
			sales = append(sales, history.Sale{Receipt: fmt.Sprint(n, "-", k), Code: "x", Person: fmt.Sprint("till:", n),
				Day: now.AddDate(0, 0, -r.IntN(300)).Truncate(24 * time.Hour), Goods: true, Quantity: 1, Amount: int64(1000 + r.IntN(3000))})
		}
	}
	_, _, err := history.Write(ctx, db, "till", "GBP", sales)
	require.NoError(t, err)
	var people []int64
	for n := range 3 {
		id, _ := sample.Account(t, db, "A person", fmt.Sprintf("p%d@example.com", n))
		require.NoError(t, pg.InTx(ctx, db, func(tx pgx.Tx) error {
			return customer.Verify(ctx, tx, id, customer.External, fmt.Sprint("till:", n), "web")
		}))
		people = append(people, id)
	}
	predicted := func() (ids []int64) {
		require.NoError(t, figure.Rebuild(ctx, db))
		require.NoError(t, predict.Learn(ctx, db, now))
		rows, err := db.Query(ctx, `SELECT customer_id FROM prediction WHERE orders_365 > 0 AND spend_365 > 0 ORDER BY 1`)
		require.NoError(t, err)
		ids, err = pgx.CollectRows(rows, pgx.RowTo[int64])
		require.NoError(t, err)
		return ids
	}
	require.Equal(t, people, predicted())
	require.NoError(t, person.RecordConsent(ctx, db, people[1], customer.ConsentEntry{Purpose: customer.Objection,
		Medium: customer.InShop, Given: true, Source: origin.Web}))
	var n int
	require.NoError(t, db.QueryRow(ctx, `SELECT count(*) FROM prediction WHERE customer_id = $1`, people[1]).Scan(&n))
	require.Zero(t, n, "at once")
	require.Equal(t, []int64{people[0], people[2]}, predicted())
	_, err = person.Merge(ctx, db, origin.Origin{Channel: origin.Web}, customer.Merge{SurvivorID: people[0], AbsorbedID: people[1],
		Proof: customer.ByVerifiedIdentity})
	require.NoError(t, err)
	require.Equal(t, []int64{people[2]}, predicted(), "one of the two objected")
}
