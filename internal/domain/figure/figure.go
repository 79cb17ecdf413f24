// Package figure adds up what people did, in every channel and before this shop: one row for each, kept as facts arrive
// and counted anew at night. Both ways of counting are the same statement.
package figure

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/order"
	"counterpart/internal/domain/origin"
	"counterpart/internal/platform/jobs"
	"counterpart/internal/platform/pg"
)

// UnknownMargin is the share of a price without tax that is taken for margin where nobody said what a thing costs.
const UnknownMargin = 0.4

var unknownMargin = fmt.Sprint(UnknownMargin)

// Channels that have figures of their own, as a statement names them.
const (
	web   = "'" + string(origin.Web) + "'"
	store = "'" + string(origin.Counter) + "'"
)

// count adds up people @ids into a table tally; who is part of another, forgotten, or nobody yet is not in it.
var count = `
	WITH person AS MATERIALIZED (
		SELECT c.id, c.registered_at IS NOT NULL AS registered
		FROM customer c
		WHERE c.id = ANY (@ids) AND c.merged_into IS NULL AND c.erased_at IS NULL AND (c.name <> ''
			OR EXISTS (
				SELECT
				FROM customer m
				JOIN identity i ON i.customer_id = m.id AND i.kind <> 'device'
				WHERE m.id = c.id OR m.merged_into = c.id))),
	member AS MATERIALIZED (
		SELECT id AS person, id FROM person
		UNION ALL
		SELECT person.id, c.id FROM customer c JOIN person ON c.merged_into = person.id),
	unit AS MATERIALIZED (
		SELECT m.person, o.id AS order_id, v.product_id, u.paid - u.allowed AS paid,
			(u.paid - u.allowed - u.tax + u.allowed_tax) AS net, v.unit_cost, ` + order.UnitKept + ` AS kept,
			u.state = 'cancelled' AS cancelled, array_position(p.options, 'Size') AS sized, v.options
		FROM member m
		JOIN orders o ON o.customer_id = m.id AND o.state = 'confirmed'
		JOIN order_line l ON l.order_id = o.id
		JOIN order_unit u ON u.order_line_id = l.id
		JOIN variant v ON v.id = l.variant_id
		JOIN product p ON p.id = v.product_id),
	past AS MATERIALIZED (
		SELECT m.person, s.source, s.receipt, s.day, s.currency::text AS currency, s.quantity, s.amount, s.returned,
			s.quantity - s.cancelled - s.returned AS kept, v.product_id
		FROM member m
		JOIN identity i ON i.customer_id = m.id AND i.kind = 'external' AND i.verified_at IS NOT NULL
		JOIN past_sale s ON s.person = i.value
		LEFT JOIN variant v ON sku_key(v.sku) = sku_key(s.code)),
	sale AS MATERIALIZED (
		SELECT m.person, o.currency::text AS currency, o.channel, o.placed_at AS at, kept.units,
			` + order.AmountKept + ` AS amount, kept.goods, kept.margin,
			EXISTS (SELECT FROM order_discount d WHERE d.order_id = o.id) AS promoted, o.discount
		FROM member m
		JOIN orders o ON o.customer_id = m.id AND o.state = 'confirmed'
		JOIN (
			SELECT order_id, count(*) AS units, sum(paid) AS goods,
				sum(net - coalesce(unit_cost, round(net * (1 - ` + unknownMargin + `)))) AS margin
			FROM unit
			WHERE kept
			GROUP BY order_id) kept ON kept.order_id = o.id
		UNION ALL
		SELECT person, currency, 'past', day::timestamp AT TIME ZONE 'UTC', sum(kept),
			sum(round(amount::numeric * kept / quantity)), sum(round(amount::numeric * kept / quantity)),
			sum(round(` + unknownMargin + ` * amount::numeric * kept / quantity)), false, 0
		FROM past
		GROUP BY person, source, receipt, day, currency
		HAVING sum(kept) > 0),
	main AS (
		SELECT DISTINCT ON (person) person, currency
		FROM (SELECT person, currency, count(*) AS n FROM sale GROUP BY person, currency) s
		ORDER BY person, n DESC, currency),
	total AS (
		SELECT s.person, main.currency, count(*) AS orders, count(*) FILTER (WHERE channel = ` + web + `) AS web_orders,
			count(*) FILTER (WHERE channel = ` + store + `) AS store_orders, sum(units) AS units,
			sum(amount) FILTER (WHERE own) AS spent, sum(amount) FILTER (WHERE own AND channel = ` + web + `) AS web_spent,
			sum(amount) FILTER (WHERE own AND channel = ` + store + `) AS store_spent, sum(goods) FILTER (WHERE own) AS goods,
			sum(margin) FILTER (WHERE own) AS margin, min(at) AS first_at, max(at) AS last_at,
			count(*) FILTER (WHERE promoted) AS promoted, sum(discount) FILTER (WHERE own) AS discount
		FROM (SELECT sale.*, sale.currency = main.currency AS own FROM sale JOIN main USING (person)) s
		JOIN main USING (person)
		GROUP BY s.person, main.currency),
	gap AS (
		SELECT person, round(percentile_cont(0.5) WITHIN GROUP (ORDER BY days))::int AS days
		FROM (
			SELECT person, day - lag(day) OVER (PARTITION BY person ORDER BY day) AS days
			FROM (SELECT DISTINCT person, (at AT TIME ZONE 'UTC')::date AS day FROM sale) d) g
		WHERE days IS NOT NULL
		GROUP BY person
		HAVING count(*) >= 2),
	owned AS MATERIALIZED (
		SELECT person, product_id, sum(paid) AS paid
		FROM (
			SELECT person, product_id, paid FROM unit WHERE kept
			UNION ALL
			SELECT person, product_id, amount FROM past WHERE kept > 0 AND product_id IS NOT NULL) o
		GROUP BY person, product_id),
	department AS (
		SELECT person, array_agg(category_id ORDER BY n) AS ids
		FROM (
			SELECT o.person, c.category_id, row_number() OVER (PARTITION BY o.person ORDER BY sum(o.paid) DESC, c.category_id) AS n
			FROM owned o
			JOIN product_category c ON c.product_id = o.product_id
			GROUP BY o.person, c.category_id) ranked
		WHERE n <= 3
		GROUP BY person),
	size AS (
		SELECT person, array_agg(DISTINCT size ORDER BY size) AS sizes
		FROM (
			SELECT person, options[sized] AS size FROM unit WHERE kept AND sized IS NOT NULL AND options[sized] <> ''
			GROUP BY 1, 2 HAVING count(*) >= 2
			UNION
			SELECT m.person, p.value FROM member m JOIN preference p ON p.customer_id = m.id AND p.name ILIKE '%size%') s
		GROUP BY person),
	back AS (
		SELECT person, sum(units) AS units, sum(amount) AS amount
		FROM (
			SELECT unit.person, 1 AS units, paid AS amount FROM unit WHERE NOT kept AND NOT cancelled
			UNION ALL
			SELECT person, returned, round(amount::numeric * returned / quantity) FROM past WHERE returned > 0) r
		GROUP BY person),
	look AS (
		SELECT m.person, count(DISTINCT (e.at AT TIME ZONE 'UTC')::date) AS visits,
			count(*) FILTER (WHERE e.kind = 'viewed') AS looks,
			count(DISTINCT e.product_id) FILTER (WHERE owned.product_id IS NULL) AS looked_only, max(e.at) AS seen_at
		FROM member m
		JOIN identity i ON i.customer_id = m.id AND i.kind = 'device' AND i.verified_at IS NOT NULL
		JOIN browse_event e ON e.device = i.value
		LEFT JOIN owned ON owned.person = m.person AND owned.product_id = e.product_id
		GROUP BY m.person),
	agreed AS (
		SELECT person, array_agg(said ORDER BY said) FILTER (WHERE given) AS said
		FROM (
			SELECT DISTINCT ON (m.person, c.purpose, c.medium) m.person, c.purpose || ':' || c.medium AS said, c.given
			FROM member m
			JOIN consent c ON c.customer_id = m.id
			ORDER BY m.person, c.purpose, c.medium, c.id DESC) last
		GROUP BY person)
	INSERT INTO tally (customer_id, registered, consents, currency, orders, web_orders, store_orders, units, spent,
		web_spent, store_spent, goods, margin, first_at, last_at, interval_days, departments, sizes, promoted, discount,
		returned_units, returned, visits, looks, looked_only, seen_at)
	SELECT p.id, p.registered, coalesce(agreed.said, '{}'), coalesce(t.currency, ''), coalesce(t.orders, 0),
		coalesce(t.web_orders, 0), coalesce(t.store_orders, 0), coalesce(t.units, 0), coalesce(t.spent, 0),
		coalesce(t.web_spent, 0), coalesce(t.store_spent, 0), coalesce(t.goods, 0), coalesce(t.margin, 0), t.first_at,
		t.last_at, nullif(gap.days, 0), coalesce(d.ids, '{}'), coalesce(size.sizes, '{}'), coalesce(t.promoted, 0),
		coalesce(t.discount, 0), coalesce(back.units, 0), coalesce(back.amount, 0), coalesce(look.visits, 0),
		coalesce(look.looks, 0), coalesce(look.looked_only, 0), look.seen_at
	FROM person p
	LEFT JOIN agreed ON agreed.person = p.id
	LEFT JOIN total t ON t.person = p.id
	LEFT JOIN gap ON gap.person = p.id
	LEFT JOIN department d ON d.person = p.id
	LEFT JOIN size ON size.person = p.id
	LEFT JOIN back ON back.person = p.id
	LEFT JOIN look ON look.person = p.id`

// keep brings figures in line with the tally of @ids. Whoever is forgotten or merged at this moment is waited for, and
// has none afterwards.
const keep = `
	WITH sure AS (
		SELECT id FROM customer WHERE id IN (SELECT customer_id FROM tally) AND merged_into IS NULL AND erased_at IS NULL
		ORDER BY id
		FOR KEY SHARE),
	gone AS (
		DELETE FROM figure WHERE customer_id = ANY (@ids) AND customer_id NOT IN (SELECT customer_id FROM tally)),
	unforeseen AS (
		DELETE FROM prediction
		WHERE customer_id = ANY (@ids) AND (customer_id NOT IN (SELECT customer_id FROM tally)
			OR customer_id IN (SELECT customer_id FROM tally WHERE 'objection:shop' = ANY (consents))))
	INSERT INTO figure AS f
	SELECT tally.* FROM tally JOIN sure ON sure.id = tally.customer_id
	ORDER BY tally.customer_id
	ON CONFLICT (customer_id) DO UPDATE SET registered = excluded.registered, consents = excluded.consents,
		currency = excluded.currency, orders = excluded.orders, web_orders = excluded.web_orders,
		store_orders = excluded.store_orders, units = excluded.units, spent = excluded.spent,
		web_spent = excluded.web_spent, store_spent = excluded.store_spent, goods = excluded.goods,
		margin = excluded.margin, first_at = excluded.first_at, last_at = excluded.last_at,
		interval_days = excluded.interval_days, departments = excluded.departments, sizes = excluded.sizes,
		promoted = excluded.promoted, discount = excluded.discount, returned_units = excluded.returned_units,
		returned = excluded.returned, visits = excluded.visits, looks = excluded.looks,
		looked_only = excluded.looked_only, seen_at = excluded.seen_at
		WHERE f.* IS DISTINCT FROM excluded.*`

func add(ctx context.Context, tx pgx.Tx, ids []int64) error {
	if _, err := tx.Exec(ctx, `CREATE TEMP TABLE IF NOT EXISTS tally (LIKE figure INCLUDING DEFAULTS) ON COMMIT DROP; TRUNCATE tally`); err != nil {
		return err
	}
	for _, statement := range []string{count, keep} {
		if _, err := tx.Exec(ctx, statement, pgx.NamedArgs{"ids": ids}); err != nil {
			return err
		}
	}
	return nil
}

// hold has one count at a time. What is read afterwards has everything that the count before it saw.
func hold(ctx context.Context, tx pgx.Tx) error {
	if _, err := tx.Exec(ctx, `SELECT FROM figuring FOR UPDATE`); err != nil {
		return fmt.Errorf("wait for whoever adds up: %w", err)
	}
	return nil
}

// chunk is how many people are counted in one transaction.
const chunk = 1000

// settled is how long a transaction may be under way while the timeline is read past it.
const settled = "10 minutes"

// marks are how far the timeline and customers can be read past: what lies behind is seen by all.
func marks(ctx context.Context, db pg.DB) (timeline, customers int64, err error) {
	err = db.QueryRow(ctx, `
		SELECT greatest(f.timeline_to, coalesce((
				SELECT max(id) FROM timeline WHERE id > f.timeline_to AND at < now() - interval '`+settled+`'), 0)),
			greatest(f.customer_to, coalesce((
				SELECT max(id) FROM customer WHERE id > f.customer_to AND created_at < now() - interval '`+settled+`'), 0))
		FROM figuring f`).Scan(&timeline, &customers)
	return timeline, customers, err
}

func setMarks(ctx context.Context, db pg.DB, timeline, customers int64, whole bool) error {
	_, err := db.Exec(ctx, `
		UPDATE figuring
		SET timeline_to = greatest(timeline_to, $1), customer_to = greatest(customer_to, $2),
			counted_at = CASE WHEN $3 THEN now() ELSE counted_at END`, timeline, customers, whole)
	return err
}

// some counts a few people in one transaction, so that nothing waits for long.
func some(ctx context.Context, db pg.DB, ids []int64) error {
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SET LOCAL statement_timeout = '5min'; SET LOCAL work_mem = '64MB'`); err != nil {
			return err
		}
		if err := hold(ctx, tx); err != nil {
			return err
		}
		// Before they are counted: what happens afterwards is noted again.
		if _, err := tx.Exec(ctx, `DELETE FROM figure_changed WHERE person = ANY ($1)`, ids); err != nil {
			return err
		}
		return add(ctx, tx, ids)
	})
}

// Rebuild counts everybody anew; one that was interrupted begins again.
func Rebuild(ctx context.Context, db pg.DB) error {
	err := func() error {
		timeline, customers, err := marks(ctx, db)
		if err != nil {
			return err
		}
		for last := int64(0); ; {
			rows, err := db.Query(ctx, `SELECT id FROM customer WHERE id > $1 ORDER BY id LIMIT $2`, last, chunk)
			if err != nil {
				return err
			}
			ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
			if err != nil {
				return err
			}
			if len(ids) == 0 {
				return setMarks(ctx, db, timeline, customers, true)
			}
			last = ids[len(ids)-1]
			if err := some(ctx, db, ids); err != nil {
				return err
			}
		}
	}()
	if err != nil {
		return fmt.Errorf("add up what people did: %w", err)
	}
	return nil
}

// Update counts people of whom something changed, and answers whose figures may be others now.
func Update(ctx context.Context, db pg.DB) (ids []int64, err error) {
	var timeline, customers int64
	err = pg.InTx(ctx, db, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SET LOCAL statement_timeout = '1min'`); err != nil {
			return err
		}
		if timeline, customers, err = marks(ctx, tx); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, `
			WITH named AS (
				SELECT person AS id FROM figure_changed
				UNION
				SELECT t.customer_id FROM timeline t, figuring f WHERE t.id > f.timeline_to
				UNION
				SELECT c.id FROM customer c, figuring f WHERE c.id > f.customer_to
				UNION
				SELECT unnest(ARRAY[survivor_id, absorbed_id]) FROM merge
				WHERE at > now() - interval '`+settled+`' OR undone_at > now() - interval '`+settled+`')
			SELECT id FROM named
			UNION
			SELECT c.merged_into FROM named JOIN customer c ON c.id = named.id WHERE c.merged_into IS NOT NULL
			ORDER BY 1`)
		if err != nil {
			return err
		}
		ids, err = pgx.CollectRows(rows, pgx.RowTo[int64])
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("find whose figures changed: %w", err)
	}
	for few := range slices.Chunk(ids, chunk) {
		if err := some(ctx, db, few); err != nil {
			return nil, fmt.Errorf("add up what changed: %w", err)
		}
	}
	if err := setMarks(ctx, db, timeline, customers, false); err != nil {
		return nil, fmt.Errorf("add up what changed: %w", err)
	}
	return ids, nil
}

// Again has people counted again within a minute: something that follows from their figures failed.
func Again(ctx context.Context, db pg.DB, ids []int64) error {
	_, err := db.Exec(ctx, `INSERT INTO figure_changed (person) SELECT unnest($1::bigint[])`, ids)
	return err
}

// Ask has everybody counted anew within a minute.
func Ask(ctx context.Context, db pg.DB) error {
	if _, err := db.Exec(ctx, `UPDATE figuring SET counted_at = NULL`); err != nil {
		return fmt.Errorf("ask for a count of figures: %w", err)
	}
	return nil
}

// Keep counts what is new, and everybody once a night (between one and five in UTC) or when it was not for two days.
// all says that everybody was counted.
func Keep(ctx context.Context, db pg.DB, now time.Time) (ids []int64, all bool, err error) {
	var counted *time.Time
	err = db.QueryRow(ctx, `SELECT counted_at FROM figuring`).Scan(&counted)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("read when figures were counted: %w", err)
	}
	if jobs.Nightly(counted, now) {
		return nil, true, Rebuild(ctx, db)
	}
	ids, err = Update(ctx, db)
	return ids, false, err
}
