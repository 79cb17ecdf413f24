// Package recommend counts what goes with what: from baskets of all channels and of the time before this shop, less
// what was cancelled or came back.
package recommend

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/order"
	"counterpart/internal/platform/jobs"
	"counterpart/internal/platform/pg"
)

const (
	// Largest basket that says something: a longer one is a restaurant's order or a stock booking.
	Largest = 60
	// Kept of a product, for pages that show some of them. Of sixty hardly anything is lost against keeping all (measure
	// recommend), of 24 two hits in a hundred.
	Kept = 60
	// Support is how many baskets have to have two products for one to be named beside the other.
	Support = 3
)

// weight of a basket of so many products, in millionths: 1/ln(1 + size).
const weight = `round(1000000 / ln(1 + size))::bigint`

// basketsOfOrders are the products of orders of which a unit was kept. Gift cards and gifts go with nothing.
const basketsOfOrders = `
	SELECT l.order_id, array_agg(DISTINCT v.product_id ORDER BY v.product_id) AS products
	FROM order_line l
	JOIN variant v ON v.id = l.variant_id AND NOT v.gift_card
	WHERE NOT l.gift AND ` + order.LineKept

// Rebuild counts everything anew and ranks it. It waits for whoever counts; pages read what was there until it is done.
func Rebuild(ctx context.Context, db pg.DB) error { return alone(ctx, db, rebuild) }

// alone has one count at a time: it waits for whoever counts.
func alone(ctx context.Context, db pg.DB, do func(ctx context.Context, tx pgx.Tx) error) error {
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		if err := run(ctx, tx, "wait for whoever counts", `SET LOCAL lock_timeout = 0`,
			`SELECT FROM recommending FOR UPDATE`); err != nil {
			return err
		}
		return do(ctx, tx)
	})
}

func rebuild(ctx context.Context, tx pgx.Tx) error {
	if err := run(ctx, tx, "read baskets",
		`SET LOCAL statement_timeout = '30min'`, `SET LOCAL work_mem = '128MB'`,
		`DELETE FROM basket_changed`,
		`INSERT INTO basket AS kept (order_id, products)
		SELECT o.id, coalesce(b.products, '{}')
		FROM orders o
		LEFT JOIN (`+basketsOfOrders+` GROUP BY l.order_id) b ON b.order_id = o.id
		ON CONFLICT (order_id) DO UPDATE SET products = excluded.products WHERE kept.products <> excluded.products`,
		`CREATE TEMP TABLE IF NOT EXISTS learning (products bigint[] NOT NULL, size integer NOT NULL) ON COMMIT DROP`,
		`TRUNCATE learning`,
		`INSERT INTO learning (products, size) SELECT products, cardinality(products) FROM basket WHERE products <> '{}'`,
		// Of a receipt everything counts for its size, what this shop does not sell too.
		`INSERT INTO learning (products, size)
		SELECT array_agg(DISTINCT v.product_id) FILTER (WHERE v.product_id IS NOT NULL), count(DISTINCT s.code)
		FROM past_sale s
		LEFT JOIN variant v ON sku_key(v.sku) = sku_key(s.code) AND NOT v.gift_card
		WHERE s.goods AND s.quantity > s.cancelled + s.returned
		GROUP BY s.source, s.receipt, s.day
		HAVING count(v.product_id) > 0`); err != nil {
		return err
	}
	if err := Learn(ctx, tx); err != nil {
		return err
	}
	return run(ctx, tx, "rank what was viewed together and what is alike", viewed, like,
		`UPDATE recommending SET counted_at = now()`)
}

// count is what learning says of products, alone and two by two. What is there already is brought in line with it.
var count = []string{
	`WITH now AS (
		SELECT product AS product_id, sum(` + weight + `)::bigint AS weight, count(*)::int AS baskets
		FROM learning
		CROSS JOIN unnest(products) AS product
		WHERE size <= ` + largest + `
		GROUP BY product),
	gone AS (
		DELETE FROM bought b WHERE NOT EXISTS (SELECT FROM now WHERE now.product_id = b.product_id))
	INSERT INTO bought AS b (product_id, weight, baskets)
	SELECT product_id, weight, baskets FROM now
	ON CONFLICT (product_id) DO UPDATE SET weight = excluded.weight, baskets = excluded.baskets
		WHERE (b.weight, b.baskets) IS DISTINCT FROM (excluded.weight, excluded.baskets)`,
	`WITH now AS MATERIALIZED (
		SELECT one AS product_id, other AS other_id, sum(` + weight + `)::bigint AS weight, count(*)::int AS baskets
		FROM learning
		CROSS JOIN unnest(products) AS one
		CROSS JOIN unnest(products) AS other
		WHERE size <= ` + largest + ` AND one <> other
		GROUP BY one, other),
	gone AS (
		DELETE FROM bought_with b
		WHERE NOT EXISTS (SELECT FROM now WHERE now.product_id = b.product_id AND now.other_id = b.other_id))
	INSERT INTO bought_with AS b (product_id, other_id, weight, baskets)
	SELECT product_id, other_id, weight, baskets FROM now
	ON CONFLICT (product_id, other_id) DO UPDATE SET weight = excluded.weight, baskets = excluded.baskets
		WHERE (b.weight, b.baskets) IS DISTINCT FROM (excluded.weight, excluded.baskets)`,
}

var largest, support, kept = fmt.Sprint(Largest), fmt.Sprint(Support), fmt.Sprint(Kept)

// rank writes the best of every product, or of those that a condition on pair names, by the cosine: the weight of what
// has both over the geometric mean of what has each. Shrinkage, recency and a milder denominator were tried on two
// windows of a year of invoices and did no better.
func rank(which string) string {
	return `
	WITH scored AS (
		SELECT pair.product_id, pair.other_id, pair.baskets,
			pair.weight / sqrt(own.weight::float8 * other.weight) AS score
		FROM bought_with pair
		JOIN bought own ON own.product_id = pair.product_id
		JOIN bought other ON other.product_id = pair.other_id
		WHERE pair.baskets >= ` + support + which + `),
	ranked AS (
		SELECT *, row_number() OVER (PARTITION BY product_id ORDER BY score DESC, other_id) AS position
		FROM scored),
	best AS (
		SELECT *
		FROM ranked
		WHERE position <= ` + kept + `),
	gone AS (
		DELETE FROM goes_with pair
		WHERE why = 'bought'` + which + ` AND NOT EXISTS (
			SELECT FROM best WHERE best.product_id = pair.product_id AND best.other_id = pair.other_id))
	INSERT INTO goes_with AS g (product_id, other_id, why, score, baskets, position)
	SELECT product_id, other_id, 'bought', score, baskets, position
	FROM best
	ON CONFLICT (product_id, other_id) DO UPDATE
		SET why = excluded.why, score = excluded.score, baskets = excluded.baskets, position = excluded.position
		WHERE (g.why, g.score, g.baskets, g.position)
			IS DISTINCT FROM (excluded.why, excluded.score, excluded.baskets, excluded.position)`
}

// viewed fills up what few have bought with what was looked at on one day by one device, of people who agreed that it is
// kept: the cosine, as of baskets. At night only. Less than three devices name nothing: it would say what somebody did.
var viewed = `
	WITH visit AS MATERIALIZED (
		SELECT device, products, cardinality(products) AS size
		FROM (
			SELECT device, array_agg(DISTINCT product_id) AS products
			FROM browse_event
			WHERE kind = 'viewed' AND at > now() - interval '60 days'
			GROUP BY device, (at AT TIME ZONE 'UTC')::date) v
		WHERE cardinality(products) <= 30),
	alone AS MATERIALIZED (
		SELECT product AS id, sum(` + weight + `) AS weight
		FROM visit
		CROSS JOIN unnest(products) AS product
		GROUP BY product),
	few AS MATERIALIZED (
		SELECT p.id
		FROM product p
		WHERE p.status = 'active' AND (SELECT count(*) FROM goes_with WHERE product_id = p.id AND why = 'bought') < 8),
	pair AS (
		SELECT few.id AS product_id, other AS other_id, sum(` + weight + `) AS weight, count(DISTINCT device) AS devices
		FROM visit
		CROSS JOIN unnest(products) AS one
		JOIN few ON few.id = one
		CROSS JOIN unnest(products) AS other
		WHERE one <> other
		GROUP BY few.id, other
		HAVING count(DISTINCT device) >= ` + support + `),
	best AS (
		SELECT *
		FROM (
			SELECT pair.product_id, pair.other_id, pair.devices, pair.weight / sqrt(own.weight::float8 * other.weight) AS score,
				row_number() OVER (PARTITION BY pair.product_id
					ORDER BY pair.weight / sqrt(own.weight::float8 * other.weight) DESC, pair.other_id) AS n
			FROM pair
			JOIN alone own ON own.id = pair.product_id
			JOIN alone other ON other.id = pair.other_id
			WHERE NOT EXISTS (SELECT FROM variant WHERE product_id = pair.other_id AND gift_card) AND NOT EXISTS (
				SELECT FROM goes_with WHERE product_id = pair.product_id AND other_id = pair.other_id AND why = 'bought')) ranked
		WHERE n <= 8),
	gone AS (
		DELETE FROM goes_with g
		WHERE why = 'viewed' AND NOT EXISTS (
			SELECT FROM best WHERE best.product_id = g.product_id AND best.other_id = g.other_id))
	INSERT INTO goes_with AS g (product_id, other_id, why, score, baskets, position)
	SELECT product_id, other_id, 'viewed', score, devices, ` + kept + ` + n
	FROM best
	ON CONFLICT (product_id, other_id) DO UPDATE
		SET why = excluded.why, score = excluded.score, baskets = excluded.baskets, position = excluded.position
		WHERE (g.why, g.score, g.baskets, g.position)
			IS DISTINCT FROM (excluded.why, excluded.score, excluded.baskets, excluded.position)`

// like fills up what few have bought with the most popular products of the same category, the nearest in words first:
// what is new goes with something too.
const like = `
	WITH few AS (
		SELECT p.id, own.title
		FROM product p
		JOIN product_text own ON own.product_id = p.id AND own.language = 'en'
		WHERE p.status = 'active' AND (SELECT count(*) FROM goes_with WHERE product_id = p.id AND why <> 'alike') < 8),
	top AS MATERIALIZED (
		SELECT category_id, product_id, title
		FROM (
			SELECT c.category_id, c.product_id, t.title, row_number() OVER (PARTITION BY c.category_id
				ORDER BY max(c.popularity) DESC, c.product_id) AS n
			FROM category_card c
			JOIN product_text t ON t.product_id = c.product_id AND t.language = 'en'
			WHERE NOT EXISTS (SELECT FROM variant WHERE product_id = c.product_id AND gift_card)
			GROUP BY c.category_id, c.product_id, t.title) popular
		WHERE n <= 40),
	near AS (
		SELECT few.id AS product_id, top.product_id AS other_id,
			max(0.001 + strict_word_similarity(few.title, top.title))::real AS score
		FROM few
		JOIN product_category mine ON mine.product_id = few.id
		JOIN top ON top.category_id = mine.category_id AND top.product_id <> few.id
		WHERE NOT EXISTS (SELECT FROM goes_with WHERE product_id = few.id AND other_id = top.product_id AND why <> 'alike')
		GROUP BY few.id, top.product_id),
	best AS (
		SELECT product_id, other_id, score, 100 + n AS position
		FROM (SELECT *, row_number() OVER (PARTITION BY product_id ORDER BY score DESC, other_id) AS n FROM near) ranked
		WHERE n <= 8),
	gone AS (
		DELETE FROM goes_with g
		WHERE why = 'alike' AND NOT EXISTS (
			SELECT FROM best WHERE best.product_id = g.product_id AND best.other_id = g.other_id))
	INSERT INTO goes_with AS g (product_id, other_id, why, score, position)
	SELECT product_id, other_id, 'alike', score, position
	FROM best
	ON CONFLICT (product_id, other_id) DO UPDATE
		SET why = excluded.why, score = excluded.score, baskets = 0, position = excluded.position
		WHERE (g.why, g.score, g.position) IS DISTINCT FROM (excluded.why, excluded.score, excluded.position)`

// Learn counts and ranks what a table learning of this connection says: its baskets with their sizes. Where the tables
// that it writes are shadowed by temporary ones, it writes those.
func Learn(ctx context.Context, tx pgx.Tx) error {
	return run(ctx, tx, "learn what goes with what", append(slices.Clone(count), rank(``))...)
}

func run(ctx context.Context, tx pgx.Tx, what string, statements ...string) error {
	for _, statement := range statements {
		if _, err := tx.Exec(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
	}
	return nil
}

// changes are orders that were counted otherwise than they are now, or not yet.
const changes = `
	CREATE TEMP TABLE delta ON COMMIT DROP AS
	WITH dirty AS (
		DELETE FROM basket_changed
		RETURNING order_id
	), which AS (
		SELECT order_id FROM dirty
		UNION
		SELECT o.id FROM orders o
		WHERE o.placed_at > now() - interval '2 days' AND NOT EXISTS (SELECT FROM basket WHERE order_id = o.id)),
	now AS (` + basketsOfOrders + ` AND l.order_id IN (SELECT order_id FROM which) GROUP BY l.order_id)
	SELECT which.order_id, coalesce(b.products, '{}') AS before, coalesce(now.products, '{}') AS after
	FROM which
	JOIN orders o ON o.id = which.order_id
	LEFT JOIN basket b ON b.order_id = which.order_id
	LEFT JOIN now ON now.order_id = which.order_id
	WHERE b.order_id IS NULL OR b.products IS DISTINCT FROM coalesce(now.products, '{}')`

// moved is what a change of baskets adds and takes away.
const moved = `
	SELECT products, cardinality(products) AS size, sign
	FROM (SELECT after AS products, 1 AS sign FROM delta UNION ALL SELECT before, -1 FROM delta) AS change
	WHERE cardinality(products) BETWEEN 1 AND `

// Update counts what was bought, cancelled and brought back since, and ranks the products it is about and those that
// name them. It answers how many orders that was.
func Update(ctx context.Context, db pg.DB) (orders int, err error) {
	err = alone(ctx, db, func(ctx context.Context, tx pgx.Tx) (err error) {
		orders, err = update(ctx, tx)
		return err
	})
	return orders, err
}

func update(ctx context.Context, tx pgx.Tx) (orders int, err error) {
	if err := run(ctx, tx, "find what changed", `SET LOCAL statement_timeout = '5min'`,
		`DROP TABLE IF EXISTS pg_temp.delta`, changes); err != nil {
		return 0, err
	}
	if err := tx.QueryRow(ctx, `SELECT count(*) FROM delta`).Scan(&orders); err != nil || orders == 0 {
		return 0, err
	}
	const touched = ` AND pair.product_id IN (SELECT product FROM touched)`
	return orders, run(ctx, tx, "count what changed",
		`INSERT INTO basket (order_id, products) SELECT order_id, after FROM delta
		ON CONFLICT (order_id) DO UPDATE SET products = excluded.products`,
		`MERGE INTO bought b
		USING (
			SELECT product, sum(sign * `+weight+`) AS weight, sum(sign) AS baskets
			FROM (`+moved+largest+`) AS m
			CROSS JOIN unnest(products) AS product
			GROUP BY product) AS m ON b.product_id = m.product
		WHEN MATCHED AND b.baskets + m.baskets = 0 THEN DELETE
		WHEN MATCHED THEN UPDATE SET weight = b.weight + m.weight, baskets = b.baskets + m.baskets
		WHEN NOT MATCHED AND m.baskets > 0 THEN INSERT (product_id, weight, baskets) VALUES (m.product, m.weight, m.baskets)`,
		`MERGE INTO bought_with b
		USING (
			SELECT one, other, sum(sign * `+weight+`) AS weight, sum(sign) AS baskets
			FROM (`+moved+largest+`) AS m
			CROSS JOIN unnest(products) AS one
			CROSS JOIN unnest(products) AS other
			WHERE one <> other
			GROUP BY one, other) AS m ON b.product_id = m.one AND b.other_id = m.other
		WHEN MATCHED AND b.baskets + m.baskets = 0 THEN DELETE
		WHEN MATCHED THEN UPDATE SET weight = b.weight + m.weight, baskets = b.baskets + m.baskets
		WHEN NOT MATCHED AND m.baskets > 0 THEN INSERT (product_id, other_id, weight, baskets)
			VALUES (m.one, m.other, m.weight, m.baskets)`,
		`DROP TABLE IF EXISTS pg_temp.touched`,
		`CREATE TEMP TABLE touched ON COMMIT DROP AS
		WITH own AS (
			SELECT DISTINCT product FROM delta CROSS JOIN unnest(before || after) AS product)
		SELECT product FROM own
		UNION
		-- Those that name them; where very many name a bestseller, the rest at night.
		(SELECT g.product_id
		FROM goes_with g
		JOIN own ON own.product = g.other_id
		LIMIT 2000)`,
		rank(touched))
}

// Ask has everything counted anew within a minute: past sales came in. False while it is being counted: then it is at
// night.
func Ask(ctx context.Context, db pg.DB) (asked bool, err error) {
	tag, err := db.Exec(ctx, `
		UPDATE recommending
		SET counted_at = NULL
		WHERE one IN (SELECT one FROM recommending FOR UPDATE SKIP LOCKED)`)
	if err != nil {
		return false, fmt.Errorf("ask for a count: %w", err)
	}
	return tag.RowsAffected() == 1, nil
}

// Keep counts what is new, and everything once a night: between one and five in UTC, or when it was not for two days.
// While another process counts it does nothing.
func Keep(ctx context.Context, db pg.DB, now time.Time) error {
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		var counted *time.Time
		err := tx.QueryRow(ctx, `SELECT counted_at FROM recommending FOR UPDATE SKIP LOCKED`).Scan(&counted)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read when it was counted what goes with what: %w", err)
		}
		if jobs.Nightly(counted, now) {
			return rebuild(ctx, tx)
		}
		_, err = update(ctx, tx)
		return err
	})
}
