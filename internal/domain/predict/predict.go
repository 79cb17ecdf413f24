package predict

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/order"
	"counterpart/internal/platform/jobs"
	"counterpart/internal/platform/pg"
)

// Purchase is what somebody bought on a day: a person of this shop, or one of the time before it whom nobody here is.
type Purchase struct {
	Person   int64  // 0: nobody of this shop
	Before   string // their number in a past system
	Currency string
	Day      time.Time
	Amount   int64
}

// purchases of everybody, by person and day. Who objects to profiling is not among them.
const purchases = `
	WITH objects AS (` + objectors + `),
	sale AS (
		SELECT coalesce(c.merged_into, c.id) AS person, '' AS before, o.currency::text AS currency,
			(o.placed_at AT TIME ZONE 'UTC')::date AS day, ` + order.AmountKept + ` AS amount
		FROM orders o
		JOIN customer c ON c.id = o.customer_id AND c.erased_at IS NULL
		WHERE o.state = 'confirmed' AND $1 = '' AND ` + order.AnyKept + `
		UNION ALL
		SELECT coalesce(who.person, 0), CASE WHEN who.person IS NULL THEN s.source || ' ' || s.person ELSE '' END,
			s.currency::text, s.day, round(s.amount::numeric * (s.quantity - s.cancelled - s.returned) / s.quantity)
		FROM past_sale s
		LEFT JOIN (
			SELECT i.value, coalesce(c.merged_into, c.id) AS person
			FROM identity i
			JOIN customer c ON c.id = i.customer_id
			WHERE i.kind = 'external' AND i.verified_at IS NOT NULL) who ON who.value = s.person
		WHERE s.person <> '' AND s.quantity > s.cancelled + s.returned AND ($1 = '' OR s.source = $1))
	SELECT person, before, currency, day, sum(amount)::bigint AS amount
	FROM sale
	WHERE person NOT IN (SELECT * FROM objects)
	GROUP BY person, before, currency, day
	ORDER BY person, before, currency, day`

// Buyer is a person with what they bought, by day.
type Buyer struct {
	Person    int64
	Purchases []Purchase
}

// Buyers are everybody who bought something, or of one source of past sales.
func Buyers(ctx context.Context, db pg.DB, source string) (all []Buyer, err error) {
	rows, err := db.Query(ctx, purchases, source)
	if err != nil {
		return nil, fmt.Errorf("read purchases: %w", err)
	}
	var p, last Purchase
	_, err = pgx.ForEachRow(rows, []any{&p.Person, &p.Before, &p.Currency, &p.Day, &p.Amount}, func() error {
		if len(all) == 0 || p.Person != last.Person || p.Before != last.Before || p.Currency != last.Currency {
			all = append(all, Buyer{Person: p.Person})
		}
		b := &all[len(all)-1]
		b.Purchases = append(b.Purchases, p)
		last = p
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read purchases: %w", err)
	}
	return all, nil
}

// Currency in which they bought.
func (b Buyer) Currency() string { return b.Purchases[0].Currency }

// Until is a buyer's history up to a day, which is not part of it. False when they had bought nothing by then.
func (b Buyer) Until(day time.Time) (h History, known bool) {
	var first, last time.Time
	sum := 0.0
	for _, p := range b.Purchases {
		if !p.Day.Before(day) {
			break
		}
		if first.IsZero() {
			first = p.Day
		} else {
			h.Repeats++
		}
		sum += float64(p.Amount)
		last = p.Day
	}
	if first.IsZero() {
		return h, false
	}
	h.Recency, h.Age = last.Sub(first).Hours()/24, day.Sub(first).Hours()/24
	h.Mean = sum / float64(h.Repeats+1)
	return h, true
}

// Within is what they bought in so many days before a day.
func (b Buyer) Within(day time.Time, days int) (purchases, amount float64) {
	from := day.AddDate(0, 0, -days)
	for _, p := range b.Purchases {
		if p.Day.Before(day) && !p.Day.Before(from) {
			purchases++
			amount += float64(p.Amount)
		}
	}
	return purchases, amount
}

// Expect is what a buyer is expected to do in so many days from a day on: the mean of what the model says and of what
// they did in as many days before. Two forecasts together err less than either (Bates, Granger 1969); measure value
// shows by how much. False of whom nothing is known.
func (m Model) Expect(b Buyer, day time.Time, days int) (purchases, amount float64, known bool) {
	h, known := b.Until(day)
	if !known {
		return 0, 0, false
	}
	n := m.Purchases(h, float64(days))
	purchases, amount = b.Within(day, days)
	return (n + purchases) / 2, (n*m.Amount(h) + amount) / 2, true
}

// Enough is how many people who came again a shop needs before anything is said of one.
const Enough = 30

// Keep learns once a night, and again where that failed.
func Keep(ctx context.Context, db pg.DB, now time.Time) error {
	var learned *time.Time
	if err := db.QueryRow(ctx, `SELECT learned_at FROM figuring`).Scan(&learned); err != nil {
		return fmt.Errorf("read when it was learned what is to be expected: %w", err)
	}
	if !jobs.Nightly(learned, now) {
		return nil
	}
	return Learn(ctx, db, now)
}

// Learn fits a model to the buyers of each currency and writes what is expected of people of this shop, in the currency
// of their figures. Where few came again nothing is expected of anybody.
func Learn(ctx context.Context, db pg.DB, now time.Time) error {
	today := now.UTC().Truncate(24 * time.Hour)
	tomorrow := today.AddDate(0, 0, 1)
	var buyers []Buyer
	err := pg.InTx(ctx, db, func(tx pgx.Tx) (err error) {
		if _, err := tx.Exec(ctx, `SET LOCAL statement_timeout = '10min'; SET LOCAL work_mem = '128MB'`); err != nil {
			return err
		}
		buyers, err = Buyers(ctx, tx, "")
		return err
	})
	if err != nil {
		return err
	}
	histories, again := map[string][]History{}, map[string]int{}
	for _, b := range buyers {
		if h, known := b.Until(tomorrow); known {
			histories[b.Currency()] = append(histories[b.Currency()], h)
			if h.Repeats > 0 {
				again[b.Currency()]++
			}
		}
	}
	models := map[string]Model{}
	for currency, all := range histories {
		if again[currency] >= Enough {
			models[currency] = Fit(all)
		}
	}
	var rows [][]any
	for _, b := range buyers {
		m, there := models[b.Currency()]
		if !there || b.Person == 0 {
			continue
		}
		if row := m.row(b, today); row != nil {
			rows = append(rows, row)
		}
	}
	for some := range slices.Chunk(rows, chunk) {
		if err := pg.InTx(ctx, db, func(tx pgx.Tx) error { return write(ctx, tx, some) }); err != nil {
			return err
		}
	}
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `
			SET LOCAL statement_timeout = '5min';
			DELETE FROM prediction WHERE customer_id IN (`+objectors+`);
			UPDATE figuring SET learned_at = now()`)
		if err == nil {
			_, err = tx.Exec(ctx, `DELETE FROM prediction WHERE predicted_on < $1`, today)
		}
		if err != nil {
			return fmt.Errorf("take away old predictions: %w", err)
		}
		return nil
	})
}

// objectors are people who object to profiling.
const objectors = `
	SELECT coalesce(c.merged_into, c.id)
	FROM (SELECT DISTINCT customer_id FROM consent WHERE purpose = 'objection') o
	JOIN customer c ON c.id = o.customer_id
	WHERE consented(coalesce(c.merged_into, c.id), 'objection', 'shop')`

// chunk is how many predictions are written at once: whoever is in it cannot be forgotten meanwhile.
const chunk = 1000

// farthest amount that is foretold, minor units: what is beyond says that the model does not fit.
const farthest = 1e12

// row of a prediction. Nil where the model says nothing that makes sense.
func (m Model) row(b Buyer, today time.Time) []any {
	tomorrow := today.AddDate(0, 0, 1)
	h, known := b.Until(tomorrow)
	quarter, _, _ := m.Expect(b, tomorrow, 90)
	year, spend, _ := m.Expect(b, tomorrow, 365)
	active := m.Active(h)
	for _, x := range []float64{quarter, year, spend, active} {
		if !known || math.IsNaN(x) || x < 0 || x > farthest {
			return nil
		}
	}
	var next any // where nothing is to be expected for a year there is no day
	if days := 90 / max(quarter, 0.01); days <= 365 {
		next = today.AddDate(0, 0, int(math.Ceil(days)))
	}
	return []any{b.Person, b.Currency(), quarter, year, int64(spend), min(active, 1), next, today}
}

func write(ctx context.Context, tx pgx.Tx, rows [][]any) error {
	if _, err := tx.Exec(ctx, `
		CREATE TEMP TABLE IF NOT EXISTS expected (LIKE prediction, currency text NOT NULL) ON COMMIT DROP;
		TRUNCATE expected`); err != nil {
		return err
	}
	if _, err := tx.CopyFrom(ctx, pgx.Identifier{"expected"}, []string{"customer_id", "currency", "orders_90", "orders_365",
		"spend_365", "active", "next_on", "predicted_on"}, pgx.CopyFromRows(rows)); err != nil {
		return fmt.Errorf("write predictions: %w", err)
	}
	// Whoever is merged, forgotten or objects at this moment is waited for, and has none.
	if _, err := tx.Exec(ctx, `
		DELETE FROM expected WHERE customer_id NOT IN (
			SELECT id FROM customer WHERE id IN (SELECT customer_id FROM expected) AND merged_into IS NULL AND erased_at IS NULL
			ORDER BY id
			FOR KEY SHARE)`); err != nil {
		return fmt.Errorf("write predictions: %w", err)
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO prediction (customer_id, orders_90, orders_365, spend_365, active, next_on, predicted_on)
		SELECT e.customer_id, e.orders_90, e.orders_365, e.spend_365, e.active, e.next_on, e.predicted_on
		FROM expected e
		JOIN figure f ON f.customer_id = e.customer_id AND f.currency = e.currency
		WHERE e.customer_id NOT IN (`+objectors+`)
		ORDER BY e.customer_id
		ON CONFLICT (customer_id) DO UPDATE SET orders_90 = excluded.orders_90, orders_365 = excluded.orders_365,
			spend_365 = excluded.spend_365, active = excluded.active, next_on = excluded.next_on,
			predicted_on = excluded.predicted_on`)
	if err != nil {
		return fmt.Errorf("write predictions: %w", err)
	}
	return nil
}

// Forget takes away what is expected of a person: they object.
func Forget(ctx context.Context, tx pgx.Tx, person int64) error {
	if _, err := tx.Exec(ctx, `DELETE FROM prediction WHERE customer_id = $1`, person); err != nil {
		return fmt.Errorf("forget a prediction: %w", err)
	}
	return nil
}
