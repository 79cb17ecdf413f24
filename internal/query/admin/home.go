package admin

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/inventory"
	"counterpart/internal/domain/tax"
	"counterpart/internal/platform/pg"
)

// Today is the admin's start page: how the shop does, and what is to be done. Figures of no interest to a role are
// zero.
type Today struct {
	Sales      []Sales    // of today, by currency
	ByChannel  []Portion  // of today's sales
	ByStore    []Portion  // of today's sales
	Days       []DaySales // the last fourteen, today last
	Work       Work
	Missing    []tax.Missing // places without a rate
	ShopIs     Readiness
	FailedJobs int
}

// Sales are those of a day in one currency, beside those of the same weekday a week before up to the same hour. Amounts
// are minor units; what was cancelled is not counted.
type Sales struct {
	Currency     string
	Amount       int64
	Orders       int
	AmountBefore int64
	OrdersBefore int
}

// Portion is a part of a day's sales.
type Portion struct {
	Name     string // of a store, or a channel's own word
	Code     string // as the list of orders is narrowed by
	Currency string
	Amount   int64
	Orders   int
	Before   int64
}

// DaySales are those of a day in one currency.
type DaySales struct {
	Day      time.Time
	Currency string
	Amount   int64
	Orders   int
}

// Work is what is to be done, by what a list can be narrowed to.
type Work struct {
	Late, ToPick, ToSend, Ready, Undecided, Unpaid, OnHold int
	DueToday, EndToday                                     int // collections promised for today, holds that end today
	LowStock                                               int
	Differences, FailedRefunds                             int
	Drafts                                                 int
	UndrawnPictures, FailedPictures                        int
}

// Readiness is what a shop has of what it needs to sell.
type Readiness struct {
	Seller, Rate, Store, Hours, Product, Picture, Price, Stock, Delivery, Pages, Order bool

	Sample bool // sample goods stand in it
	Empty  bool // it has no goods of its own
}

// Ready says that nothing is missing.
func (r Readiness) Ready() bool {
	return r.Seller && r.Rate && r.Store && r.Hours && r.Product && r.Picture && r.Price && r.Stock && r.Delivery &&
		r.Pages && r.Order
}

// TodayPage reads the start page. places are those whose orders and stock whoever looks may see; nil: all. Days are by
// zone.
func TodayPage(ctx context.Context, db pg.DB, zone string, places []int64) (*Today, error) {
	t := &Today{}
	args := pgx.NamedArgs{"zone": zone, "places": places, "all": places == nil}
	// Whole orders count where they were made; the parts to be done where they are.
	const mine = ` AND (@all OR o.location_id = ANY (@places))`
	const here = ` AND (@all OR f.location_id = ANY (@places))`
	const days = `
		WITH clock AS (
			SELECT date_trunc('day', now() AT TIME ZONE @zone) AS today, now() AT TIME ZONE @zone AS now),
		sold AS (
			SELECT o.currency::text AS currency, o.channel, o.location_id, o.total,
				date_trunc('day', o.placed_at AT TIME ZONE @zone) AS day, o.placed_at AT TIME ZONE @zone AS at
			FROM orders o
			CROSS JOIN clock
			WHERE o.placed_at >= (clock.today - interval '13 days') AT TIME ZONE @zone AND o.state = 'confirmed'` + mine + `)`
	const now = `FILTER (WHERE sold.day = clock.today)`
	const then = `FILTER (WHERE sold.day = clock.today - interval '7 days' AND sold.at <= clock.now - interval '7 days')`
	err := pg.Ask(ctx, db,
		pg.All(&t.Sales, days+`
			SELECT currency, coalesce(sum(total) `+now+`, 0)::bigint AS amount, (count(*) `+now+`)::int AS orders,
				coalesce(sum(total) `+then+`, 0)::bigint AS amount_before, (count(*) `+then+`)::int AS orders_before
			FROM sold
			CROSS JOIN clock
			GROUP BY currency
			ORDER BY 2 DESC, 1`, args),
		pg.All(&t.ByChannel, days+`
			SELECT sold.channel AS name, sold.channel AS code, currency, coalesce(sum(total) `+now+`, 0)::bigint AS amount,
				(count(*) `+now+`)::int AS orders, coalesce(sum(total) `+then+`, 0)::bigint AS before
			FROM sold
			CROSS JOIN clock
			GROUP BY sold.channel, currency
			HAVING count(*) `+now+` > 0 OR count(*) `+then+` > 0
			ORDER BY 4 DESC, 1`, args),
		pg.All(&t.ByStore, days+`
			SELECT l.name, l.code, sold.currency, coalesce(sum(total) `+now+`, 0)::bigint AS amount,
				(count(*) `+now+`)::int AS orders, coalesce(sum(total) `+then+`, 0)::bigint AS before
			FROM sold
			CROSS JOIN clock
			JOIN location l ON l.id = sold.location_id
			GROUP BY l.id, sold.currency
			HAVING count(*) `+now+` > 0 OR count(*) `+then+` > 0
			ORDER BY 4 DESC, 1`, args),
		pg.All(&t.Days, days+`
			SELECT d.day, c.currency, coalesce(sum(sold.total), 0)::bigint AS amount, count(sold.day)::int AS orders
			FROM clock
			CROSS JOIN generate_series(clock.today - interval '13 days', clock.today, interval '1 day') AS d (day)
			CROSS JOIN (SELECT DISTINCT currency FROM sold) c
			LEFT JOIN sold ON sold.day = d.day AND sold.currency = c.currency
			GROUP BY d.day, c.currency
			ORDER BY c.currency, d.day`, args),
		one(&t.Work, `
			SELECT count(*) FILTER (WHERE f.state = 'to_pick' AND f.ready_by < now())::int AS late,
				count(*) FILTER (WHERE f.state = 'to_pick' AND f.method = 'pickup')::int AS to_pick,
				count(*) FILTER (WHERE f.state = 'to_pick' AND f.method = 'ship')::int AS to_send,
				count(*) FILTER (WHERE f.state = 'ready')::int AS ready,
				count(*) FILTER (WHERE f.state = 'undecided')::int AS undecided,
				count(*) FILTER (WHERE f.state = 'to_pick' AND (f.ready_by AT TIME ZONE @zone)::date
					= (now() AT TIME ZONE @zone)::date)::int AS due_today,
				count(*) FILTER (WHERE f.state = 'ready' AND (f.hold_until AT TIME ZONE @zone)::date
					= (now() AT TIME ZONE @zone)::date)::int AS end_today,
				(SELECT count(*) FROM orders o WHERE o.state = 'placed'`+mine+`)::int AS unpaid,
				(SELECT count(*) FROM orders o WHERE o.held_at IS NOT NULL AND o.state <> 'cancelled'`+mine+`)::int AS on_hold,
				(SELECT count(*) FROM (
					SELECT
					FROM stock_level s
					JOIN variant v ON v.id = s.variant_id AND v.active AND v.tracked AND NOT v.gift_card
					JOIN product p ON p.id = v.product_id AND p.status = 'active'
					WHERE s.condition = 'sellable' AND `+Low("s")+` AND (@all OR s.location_id = ANY (@places))
					LIMIT 1000) low)::int AS low_stock,
				(SELECT count(*) FROM difference WHERE closed_at IS NULL)::int AS differences,
				(SELECT count(*) FROM refund WHERE state = 'failed')::int AS failed_refunds,
				(SELECT count(*) FROM product WHERE status = 'draft')::int AS drafts,
				(SELECT count(*) FROM picture WHERE key IS NULL AND failed IS NULL)::int AS undrawn_pictures,
				(SELECT count(*) FROM picture WHERE failed IS NOT NULL)::int AS failed_pictures
			FROM fulfilment f
			WHERE f.state IN ('to_pick', 'ready', 'undecided')`+here, args),
		one(&t.ShopIs, `
			SELECT coalesce((SELECT legal_name <> '' FROM shop), false) AS seller,
				EXISTS (SELECT FROM tax_rate r JOIN location l ON l.country = r.country AND l.closed_at IS NULL) AS rate,
				EXISTS (SELECT FROM location WHERE kind = 'store' AND closed_at IS NULL AND street <> '') AS store,
				EXISTS (SELECT FROM opening) AS hours,
				EXISTS (SELECT FROM product WHERE status = 'active' AND NOT sample) AS product,
				EXISTS (SELECT FROM picture k JOIN product p ON p.id = k.product_id WHERE k.key IS NOT NULL AND NOT p.sample)
					AS picture,
				EXISTS (SELECT FROM price r JOIN variant v ON v.id = r.variant_id JOIN product p ON p.id = v.product_id
					WHERE upper_inf(r.valid) AND NOT p.sample) AS price,
				EXISTS (SELECT FROM stock_level s JOIN variant v ON v.id = s.variant_id JOIN product p ON p.id = v.product_id
					WHERE s.on_hand > 0 AND NOT p.sample) AS stock,
				EXISTS (SELECT FROM product WHERE sample AND status <> 'archived') AS sample,
				NOT EXISTS (SELECT FROM product WHERE NOT sample) AS empty,
				EXISTS (SELECT FROM delivery WHERE active) OR NOT EXISTS (SELECT FROM location
					WHERE ship AND closed_at IS NULL) AS delivery,
				EXISTS (SELECT FROM page WHERE kind = 'terms') AND EXISTS (SELECT FROM page WHERE kind = 'privacy') AS pages,
				EXISTS (SELECT FROM orders WHERE state <> 'cancelled') AS order`, nil),
		pg.Value(&t.FailedJobs, `SELECT count(*)::int FROM river_job WHERE state IN ('discarded', 'retryable')`))
	if err != nil {
		return nil, fmt.Errorf("read the start page: %w", err)
	}
	t.Missing, err = Untaxed(ctx, db)
	return t, err
}

// one is a question whose one row is read into a struct by the names of its columns.
func one[T any](into *T, sql string, args pgx.NamedArgs) pg.Question {
	return func(batch *pgx.Batch) {
		read := func(rows pgx.Rows) (err error) {
			*into, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[T])
			return err
		}
		if args == nil {
			batch.Queue(sql).Query(read)
			return
		}
		batch.Queue(sql, args).Query(read)
	}
}

// Low says, in a statement, that a level has no more than is kept back, or nothing that can be sold.
func Low(level string) string {
	return `(` + inventory.Available(level) + ` <= 0 OR ` + level + `.safety > 0 AND ` + level + `.on_hand - ` + level +
		`.reserved <= ` + level + `.safety)`
}

// Job is one that failed, and waits to be tried again or was given up.
type Job struct {
	ID        int64
	Kind      string
	State     string
	Attempt   int
	CreatedAt time.Time
	Error     string
}

// FailedJobs are the newest that failed.
func FailedJobs(ctx context.Context, db pg.DB) (jobs []Job, err error) {
	err = pg.Ask(ctx, db, pg.All(&jobs, `
		SELECT id, kind, state::text AS state, attempt::int AS attempt, created_at,
			coalesce(errors[cardinality(errors)] ->> 'error', '') AS error
		FROM river_job
		WHERE state IN ('discarded', 'retryable')
		ORDER BY id DESC
		LIMIT 100`))
	return jobs, err
}

// Hit is something that the command menu found.
type Hit struct {
	Kind   string // order, customer, product
	ID     int64
	Title  string
	Detail string
}

// Find looks for orders, customers and products by what somebody types. stores are those whose orders they may see;
// nil: all. What a role may not see is not asked.
func Find(ctx context.Context, db pg.DB, words string, stores []int64, orders, people, products bool) (hits []Hit,
	err error) {
	if orders {
		found, _, err := Orders(ctx, db, OrderFilter{Words: words, Zone: "UTC", Stores: stores}, Page{Most: 5})
		if err != nil {
			return nil, err
		}
		for _, o := range found {
			hits = append(hits, Hit{"order", o.ID, fmt.Sprint(o.Number), o.Name})
		}
	}
	var some []Hit
	ask := []pg.Question{}
	if products {
		where, args := ProductFilter{Words: words}.where()
		ask = append(ask, pg.All(&some, `
			SELECT 'product' AS kind, p.id, t.title, p.brand AS detail
			FROM product p
			JOIN product_text t ON t.product_id = p.id AND t.language = 'en'
			WHERE `+all(where.find)+`
			ORDER BY p.popularity DESC, p.id DESC
			LIMIT 5`, args))
	}
	var persons []Hit
	if people {
		ask = append(ask, pg.All(&persons, `
			SELECT 'customer' AS kind, c.id, c.name AS title, coalesce((SELECT min(value) FROM identity
				WHERE customer_id = c.id AND kind = 'email'), '') AS detail
			FROM customer c
			WHERE c.merged_into IS NULL AND c.erased_at IS NULL AND (c.id IN (SELECT customer_id FROM identity
					WHERE kind IN ('email', 'phone') AND value = lower($1))
				OR c.name <> '' AND plain_name(c.name) LIKE plain_name($2))
			ORDER BY c.id DESC
			LIMIT 5`, words, pg.Literal(words)+"%"))
	}
	if len(ask) == 0 {
		return hits, nil
	}
	if err := pg.Ask(ctx, db, ask...); err != nil {
		return nil, fmt.Errorf("find: %w", err)
	}
	return append(append(hits, some...), persons...), nil
}
