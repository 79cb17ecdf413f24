// Package measure tells how well predictions do, on the shop's own past: learned from what was before a day, and asked
// about what came after it.
package measure

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/recommend"
	"counterpart/internal/platform/pg"
)

// Split of the past. Days at its end are asked about.
type Split struct {
	Source string // of past sales; empty: all
	Days   int
}

// Shown is how many products a slot may name, and which baskets are asked about: smaller ones have too little to hide.
const (
	Shown    = 10
	smallest = 6
)

// Row is how one way to recommend did.
type Row struct {
	Name                             string
	Hits, Precision, Recall, Covered float64 // shares of one
}

// Recommended is a table of all of them, on the same baskets.
type Recommended struct {
	Learned, Asked, Items int
	From                  time.Time // of what was asked about
	Rows                  []Row
}

// Tell writes the table.
func (r Recommended) Tell(w io.Writer) {
	fmt.Fprintf(w, "Learned from %d baskets of %d products before %s; asked about %d later baskets of %d to %d, half of each shown.\n\n",
		r.Learned, r.Items, r.From.Format(time.DateOnly), r.Asked, smallest, recommend.Largest)
	fmt.Fprintf(w, "%-34s %10s %10s %8s %9s\n", "", "hits at 10", "precision", "recall", "coverage")
	for _, row := range r.Rows {
		fmt.Fprintf(w, "%-34s %10.3f %10.3f %8.3f %8.0f%%\n", row.Name, row.Hits, row.Precision, row.Recall, 100*row.Covered)
	}
}

type receipt struct {
	day   time.Time
	codes []int64
}

// Recommend measures what goes with what. Nothing is kept: it counts in temporary tables with the statements that the
// shop's own are counted with.
func Recommend(ctx context.Context, db pg.DB, s Split) (r Recommended, err error) {
	var m model
	var after []receipt
	err = pg.InTx(ctx, db, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `
			SET LOCAL statement_timeout = '30min'; SET LOCAL work_mem = '128MB';
			CREATE TEMP TABLE learning (products bigint[] NOT NULL, size integer NOT NULL) ON COMMIT DROP;
			CREATE TEMP TABLE bought (LIKE public.bought INCLUDING ALL) ON COMMIT DROP;
			CREATE TEMP TABLE bought_with (LIKE public.bought_with INCLUDING ALL) ON COMMIT DROP;
			CREATE TEMP TABLE goes_with (LIKE public.goes_with INCLUDING ALL) ON COMMIT DROP`); err != nil {
			return err
		}
		all, err := receipts(ctx, tx, s.Source)
		if err != nil || len(all) == 0 {
			return err
		}
		r.From = all[len(all)-1].day.AddDate(0, 0, 1-s.Days)
		cut, _ := slices.BinarySearchFunc(all, r.From, func(b receipt, day time.Time) int { return b.day.Compare(day) })
		before := all[:cut]
		after = all[cut:]
		if _, err := tx.CopyFrom(ctx, pgx.Identifier{"learning"}, []string{"products", "size"},
			pgx.CopyFromSlice(len(before), func(i int) ([]any, error) {
				return []any{before[i].codes, len(before[i].codes)}, nil
			})); err != nil {
			return err
		}
		if err := recommend.Learn(ctx, tx); err != nil {
			return err
		}
		m, err = load(ctx, tx)
		r.Learned, r.Items = len(before), len(m.own)
		return err
	})
	if err == nil {
		r.compare(m, after)
	}
	return r, err
}

// receipts with their goods, by day. Codes are numbered without a join: how many sales there are is not known to the
// planner where they were written a moment ago.
func receipts(ctx context.Context, tx pgx.Tx, source string) (all []receipt, err error) {
	rows, err := tx.Query(ctx, `
		SELECT day, array_agg(code ORDER BY code)
		FROM (
			SELECT source, receipt, day, dense_rank() OVER (ORDER BY code) AS code
			FROM past_sale
			WHERE goods AND quantity > cancelled + returned AND ($1 = '' OR source = $1)) s
		GROUP BY source, receipt, day
		ORDER BY day, source, receipt`, source)
	if err != nil {
		return nil, fmt.Errorf("read past sales: %w", err)
	}
	var b receipt
	_, err = pgx.ForEachRow(rows, []any{&b.day, &b.codes}, func() error {
		all = append(all, b)
		b.codes = nil
		return nil
	})
	return all, err
}

// model is what was learned. Ids are small and dense, so that a slice holds what is known of each.
type model struct {
	own     map[int64]counted
	pairs   map[int64][]pair // by what is shown
	ours    map[int64][]pair
	popular []int64
}

type counted struct {
	weight  float64
	baskets int
}

type pair struct {
	other   int64
	weight  float64 // of bought_with, or the score of goes_with
	baskets float64
}

func load(ctx context.Context, tx pgx.Tx) (m model, err error) {
	m = model{own: map[int64]counted{}, pairs: map[int64][]pair{}, ours: map[int64][]pair{}}
	var id, weight int64
	var baskets int
	rows, err := tx.Query(ctx, `SELECT product_id, weight, baskets FROM bought ORDER BY baskets DESC, product_id`)
	if err != nil {
		return m, err
	}
	if _, err := pgx.ForEachRow(rows, []any{&id, &weight, &baskets}, func() error {
		m.own[id] = counted{float64(weight), baskets}
		m.popular = append(m.popular, id)
		return nil
	}); err != nil {
		return m, err
	}
	for table, into := range map[string]map[int64][]pair{
		`SELECT product_id, other_id, weight::float8, baskets::float8 FROM bought_with`: m.pairs,
		`SELECT product_id, other_id, score::float8, baskets::float8 FROM goes_with`:    m.ours} {
		rows, err := tx.Query(ctx, table)
		if err != nil {
			return m, err
		}
		var p pair
		if _, err := pgx.ForEachRow(rows, []any{&id, &p.other, &p.weight, &p.baskets}, func() error {
			into[id] = append(into[id], p)
			return nil
		}); err != nil {
			return m, err
		}
	}
	return m, nil
}

// way to recommend: it adds to the score of what goes with one product that is shown.
type way struct {
	name string
	add  func(m *model, shown int64, add func(other int64, score float64))
}

var ways = []way{
	{"popularity", func(m *model, _ int64, add func(int64, float64)) {
		for i, id := range m.popular[:min(len(m.popular), Shown+recommend.Largest)] {
			add(id, 1/float64(1+i))
		}
	}},
	{"co-purchase", func(m *model, shown int64, add func(int64, float64)) {
		for _, p := range m.pairs[shown] {
			add(p.other, p.baskets)
		}
	}},
	{"plain cosine, 1/ln(1 + size)", func(m *model, shown int64, add func(int64, float64)) {
		for _, p := range m.pairs[shown] {
			add(p.other, p.weight/math.Sqrt(m.own[shown].weight*m.own[p.other].weight))
		}
	}},
	{"as the shop shows it", func(m *model, shown int64, add func(int64, float64)) {
		for _, p := range m.ours[shown] {
			add(p.other, p.weight)
		}
	}},
}

// compare asks every way about the same halves of the same baskets.
func (r *Recommended) compare(m model, after []receipt) {
	type asked struct{ shown, hidden []int64 }
	var all []asked
	for i, b := range after {
		if len(b.codes) < smallest || len(b.codes) > recommend.Largest {
			continue
		}
		codes := slices.Clone(b.codes)
		slices.SortFunc(codes, func(a, c int64) int { return cmp.Or(cmp.Compare(mixed(i, a), mixed(i, c)), cmp.Compare(a, c)) })
		half := len(codes) / 2
		all = append(all, asked{codes[:half], codes[half:]})
	}
	r.Asked = len(all)
	for _, w := range ways {
		row, named := Row{Name: w.name}, map[int64]bool{}
		for _, a := range all {
			scores := map[int64]float64{}
			for _, shown := range a.shown {
				w.add(&m, shown, func(other int64, score float64) { scores[other] += score })
			}
			for _, shown := range a.shown {
				delete(scores, shown)
			}
			hits := 0
			for _, id := range best(scores) {
				named[id] = true
				if slices.Contains(a.hidden, id) {
					hits++
				}
			}
			if hits > 0 {
				row.Hits++
			}
			row.Precision += float64(hits) / Shown
			row.Recall += float64(hits) / float64(len(a.hidden))
		}
		n := float64(max(1, len(all)))
		row.Hits, row.Precision, row.Recall = row.Hits/n, row.Precision/n, row.Recall/n
		row.Covered = float64(len(named)) / float64(max(1, r.Items))
		r.Rows = append(r.Rows, row)
	}
}

// mixed is a number that stays the same for the same basket and code and follows no order of codes, which families of
// variants have: splitmix64 (Steele, Lea, Flood 2014).
func mixed(basket int, code int64) uint64 {
	z := uint64(basket)<<32 + uint64(code) + 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

func best(scores map[int64]float64) []int64 {
	ids := make([]int64, 0, len(scores))
	for id := range scores {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b int64) int { return cmp.Or(cmp.Compare(scores[b], scores[a]), cmp.Compare(a, b)) })
	return ids[:min(Shown, len(ids))]
}
