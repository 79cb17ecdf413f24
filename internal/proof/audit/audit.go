// Package audit proves that the books agree: each rule is a query that must find nothing.
package audit

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/platform/pg"
)

// Rule is one thing that is always true. Its query answers the rows for which it is not, as one text each.
type Rule struct {
	Name  string
	Query string
}

// Finding is a row that breaks a rule.
type Finding struct {
	Rule   string
	Detail string
}

// Run checks every rule on one snapshot of the database.
func Run(ctx context.Context, db pg.DB) ([]Finding, error) {
	tx, err := db.Begin(ctx)
	if err != nil {
		return nil, err
	}
	defer tx.Rollback(context.WithoutCancel(ctx))
	if _, nested := db.(pgx.Tx); !nested {
		if _, err := tx.Exec(ctx, `SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY`); err != nil {
			return nil, err
		}
		if _, err := tx.Exec(ctx, `SET LOCAL statement_timeout = '5min'`); err != nil {
			return nil, err
		}
	}
	var findings []Finding
	for _, rule := range Rules {
		rows, err := tx.Query(ctx, rule.Query)
		if err != nil {
			return nil, fmt.Errorf("audit %q: %w", rule.Name, err)
		}
		details, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return nil, fmt.Errorf("audit %q: %w", rule.Name, err)
		}
		for _, detail := range details {
			findings = append(findings, Finding{rule.Name, detail})
		}
	}
	return findings, nil
}

// Rules are those of DESIGN's invariants whose tables exist, in its order.
var Rules = []Rule{
	{"on hand is the sum of its moves", `
		SELECT format('variant %s at location %s: on hand %s, moves %s', coalesce(l.variant_id, m.variant_id),
			coalesce(l.location_id, m.location_id), l.on_hand, m.sum)
		FROM stock_level l
		FULL JOIN (SELECT variant_id, location_id, condition, sum(delta) AS sum FROM stock_move GROUP BY 1, 2, 3) m
			ON (m.variant_id, m.location_id, m.condition) = (l.variant_id, l.location_id, l.condition)
		WHERE coalesce(l.on_hand, 0) <> coalesce(m.sum, 0)`},
	{"on hand was never below zero", `
		SELECT DISTINCT format('variant %s at location %s after move %s: %s', variant_id, location_id, id, running)
		FROM (SELECT *, sum(delta) OVER (PARTITION BY variant_id, location_id, condition ORDER BY id) AS running
			FROM stock_move) m
		WHERE running < 0`},
	{"reserved is the sum of its unreleased reservations", `
		SELECT format('variant %s at location %s: reserved %s, reservations %s', coalesce(l.variant_id, r.variant_id),
			coalesce(l.location_id, r.location_id), l.reserved, r.sum)
		FROM (SELECT * FROM stock_level WHERE condition = 'sellable') l
		FULL JOIN (SELECT variant_id, location_id, sum(quantity) AS sum FROM reservation WHERE released_at IS NULL
			GROUP BY 1, 2) r
			ON (r.variant_id, r.location_id) = (l.variant_id, l.location_id)
		WHERE coalesce(l.reserved, 0) <> coalesce(r.sum, 0)`},
	{"what is not sellable is not reserved, and 0 ≤ reserved ≤ on hand", `
		SELECT format('variant %s at location %s (%s): reserved %s of %s', variant_id, location_id, condition, reserved,
			on_hand)
		FROM stock_level
		WHERE reserved NOT BETWEEN 0 AND on_hand OR condition <> 'sellable' AND reserved > 0`},
	{"no reservation is unreleased five minutes past its expiry", `
		SELECT format('reservation %s expired %s', id, expires_at)
		FROM reservation
		WHERE released_at IS NULL AND expires_at < now() - interval '5 minutes'`},
	{"an open unit has exactly one reservation, at its pickup location", `
		SELECT format('order line %s: %s open, %s reserved', l.id, coalesce(u.open, 0), coalesce(r.sum, 0))
		FROM order_line l
		JOIN fulfilment f ON f.id = l.fulfilment_id
		LEFT JOIN (SELECT order_line_id, count(*) AS open FROM order_unit WHERE state = 'open' GROUP BY 1) u
			ON u.order_line_id = l.id
		LEFT JOIN (SELECT order_line_id, location_id, variant_id, sum(quantity) AS sum FROM reservation
			WHERE released_at IS NULL GROUP BY 1, 2, 3) r ON r.order_line_id = l.id
		JOIN orders o ON o.id = l.order_id
		WHERE f.method <> 'mail' AND CASE WHEN l.without_stock OR f.state = 'undecided' THEN 0 ELSE coalesce(u.open,
			0) END <> coalesce(r.sum, 0) AND o.state <> 'placed' OR r.location_id <> f.location_id
			OR r.variant_id <> l.variant_id`},
	{"an unpaid order reserves no more than its units", `
		SELECT format('order line %s: %s open, %s reserved', l.id, u.open, r.sum)
		FROM order_line l
		JOIN orders o ON o.id = l.order_id AND o.state = 'placed'
		JOIN (SELECT order_line_id, count(*) FILTER (WHERE state = 'open') AS open FROM order_unit GROUP BY 1) u
			ON u.order_line_id = l.id
		JOIN (SELECT order_line_id, sum(quantity) AS sum FROM reservation WHERE released_at IS NULL GROUP BY 1) r
			ON r.order_line_id = l.id
		WHERE r.sum > u.open`},
	{"a reservation without expiry belongs to a confirmed order", `
		SELECT format('reservation %s', r.id)
		FROM reservation r
		LEFT JOIN order_line l ON l.id = r.order_line_id
		LEFT JOIN orders o ON o.id = l.order_id
		WHERE r.released_at IS NULL AND (r.expires_at IS NULL) <> coalesce(o.state = 'confirmed', false)`},
	{"a collected unit left stock exactly once", `
		SELECT format('order line %s: %s handed over, %s moved', l.id, coalesce(u.n, 0), coalesce(-m.sum, 0))
		FROM order_line l
		JOIN fulfilment f ON f.id = l.fulfilment_id AND f.method <> 'mail'
		LEFT JOIN (SELECT order_line_id, count(*) AS n FROM order_unit WHERE state IN ('collected', 'carried_out',
			'shipped') GROUP BY 1) u ON u.order_line_id = l.id
		LEFT JOIN (SELECT order_line_id, sum(delta) AS sum FROM stock_move WHERE cause = 'sale' GROUP BY 1) m
			ON m.order_line_id = l.id
		WHERE coalesce(u.n, 0) <> coalesce(-m.sum, 0)`},
	{"a restocked return is back in stock exactly once, where it was restocked", `
		SELECT format('order line %s: %s restocked, %s moved', coalesce(r.order_line_id, m.order_line_id), coalesce(r.n,
			0), coalesce(m.sum, 0))
		FROM (SELECT order_line_id, count(*) FILTER (WHERE restocked) AS n FROM returned_unit GROUP BY 1) r
		FULL JOIN (SELECT order_line_id, sum(delta) AS sum FROM stock_move WHERE cause = 'return' GROUP BY 1) m
			ON m.order_line_id = r.order_line_id
		WHERE coalesce(r.n, 0) <> coalesce(m.sum, 0)`},
	{"only collected units were returned", `
		SELECT format('piece %s of order line %s is %s', r.n, r.order_line_id, u.state)
		FROM returned_unit r
		JOIN order_unit u ON u.order_line_id = r.order_line_id AND u.n = r.n
		WHERE u.state NOT IN ('collected', 'carried_out', 'shipped')`},
	{"an order's total is its lines less discounts, with shipping and added tax", `
		SELECT format('order %s: total %s', number, total)
		FROM orders
		WHERE total <> lines - discount + shipping + CASE WHEN tax_included THEN 0 ELSE tax END`},
	{"an order's header is the sum of its lines", `
		SELECT format('order %s: lines %s of %s, discount %s of %s, tax %s + %s of %s, shipping %s of %s', o.number,
			l.amount, o.lines, l.discount, o.discount, l.tax, f.tax, o.tax, f.charge, o.shipping)
		FROM orders o
		LEFT JOIN (SELECT order_id, sum(amount) AS amount, sum(discount) AS discount, sum(tax) AS tax FROM order_line
			GROUP BY 1) l ON l.order_id = o.id
		LEFT JOIN (SELECT order_id, sum(tax) AS tax, sum(charge - discount) AS charge FROM fulfilment GROUP BY 1) f
			ON f.order_id = o.id
		WHERE (l.amount, l.discount, l.tax + f.tax, f.charge) IS DISTINCT FROM (o.lines::numeric, o.discount::numeric,
			o.tax::numeric, o.shipping::numeric)`},
	{"a delivery is paid with its tax", `
		SELECT format('fulfilment %s: paid %s', f.id, f.paid)
		FROM fulfilment f
		JOIN orders o ON o.id = f.order_id
		WHERE f.paid <> f.charge - f.discount + CASE WHEN o.tax_included THEN 0 ELSE f.tax END`},
	{"a discount is the sum of its shares, a unit's discount too", `
		SELECT format('discount %s of order %s: %s of %s', d.id, d.order_id, coalesce(s.sum, 0), d.amount)
		FROM order_discount d
		LEFT JOIN (SELECT order_discount_id, sum(amount) AS sum FROM order_share GROUP BY 1) s
			ON s.order_discount_id = d.id
		WHERE d.level <> 'shipping' AND coalesce(s.sum, 0) <> d.amount
		UNION ALL
		SELECT format('piece %s of order line %s: shares %s of %s', u.n, u.order_line_id, coalesce(s.sum, 0),
			u.discount)
		FROM order_unit u
		LEFT JOIN (SELECT order_line_id, n, sum(amount) AS sum FROM order_share GROUP BY 1, 2) s
			ON s.order_line_id = u.order_line_id AND s.n = u.n
		WHERE coalesce(s.sum, 0) <> u.discount
		UNION ALL
		SELECT format('shipping discounts of order %s: %s of %s', f.order_id, coalesce(d.sum, 0), f.sum)
		FROM (SELECT order_id, sum(discount) AS sum FROM fulfilment GROUP BY 1) f
		LEFT JOIN (SELECT order_id, sum(amount) AS sum FROM order_discount WHERE level = 'shipping' GROUP BY 1) d
			ON d.order_id = f.order_id
		WHERE coalesce(d.sum, 0) <> f.sum`},
	{"a line is the sum of its units", `
		SELECT format('order line %s: %s pieces of %s, paid %s, tax %s of %s', l.id, u.n, l.quantity, u.paid, u.tax,
			l.tax)
		FROM order_line l
		JOIN orders o ON o.id = l.order_id
		LEFT JOIN (SELECT order_line_id, count(*) AS n, sum(paid) AS paid, sum(tax) AS tax, sum(discount) AS discount
			FROM order_unit GROUP BY 1) u ON u.order_line_id = l.id
		WHERE (u.n, u.paid, u.tax, u.discount) IS DISTINCT FROM
			(l.quantity::bigint, l.amount - l.discount + CASE WHEN o.tax_included THEN 0 ELSE l.tax END, l.tax::numeric,
				l.discount::numeric)`},
	{"captured ≤ authorised, refunded ≤ captured", `
		SELECT format('tender %s: %s of %s, %s back', id, captured, authorised, refunded)
		FROM tender
		WHERE captured NOT BETWEEN 0 AND authorised OR refunded NOT BETWEEN 0 AND captured`},
	{"a paid order's money is what it costs, an unpaid one has none", `
		SELECT format('order %s (%s): %s taken, costs %s', o.number, o.payment_state, coalesce(t.taken, 0),
			coalesce(u.cost, 0) + coalesce(f.cost, 0) + coalesce(r.kept, 0))
		FROM orders o
		LEFT JOIN (SELECT order_id, sum(captured - refunded) AS taken FROM tender GROUP BY 1) t ON t.order_id = o.id
		LEFT JOIN (
			SELECT l.order_id, sum(u.paid - u.allowed) AS cost
			FROM order_line l
			JOIN order_unit u ON u.order_line_id = l.id
			WHERE u.state <> 'cancelled' AND NOT EXISTS (SELECT FROM returned_unit b
				WHERE b.order_line_id = u.order_line_id AND b.n = u.n)
			GROUP BY 1) u ON u.order_id = o.id
		LEFT JOIN (SELECT order_id, sum(paid - allowed) AS cost FROM fulfilment WHERE state <> 'cancelled' AND NOT refunded
			GROUP BY 1) f ON f.order_id = o.id
		LEFT JOIN (SELECT order_id, sum(shortfall) AS kept FROM return_ticket GROUP BY 1) r ON r.order_id = o.id
		WHERE coalesce(t.taken, 0) <> CASE o.payment_state WHEN 'paid' THEN coalesce(u.cost, 0) + coalesce(f.cost,
			0) + coalesce(r.kept, 0) ELSE 0 END`},
	{"an order's tenders cover it", `
		SELECT format('order %s (%s): %s promised of %s', o.number, o.payment_state, coalesce(t.sum, 0), o.total)
		FROM orders o
		LEFT JOIN (SELECT order_id, sum(authorised) AS sum FROM tender WHERE kind <> 'pay_at_pickup'
			OR settled_at IS NULL GROUP BY 1) t ON t.order_id = o.id
		LEFT JOIN (SELECT order_id, sum(amount) AS sum FROM payment WHERE state = 'started' GROUP BY 1) p
			ON p.order_id = o.id
		CROSS JOIN LATERAL (
			SELECT coalesce((SELECT sum(u.paid) FROM order_line l JOIN order_unit u ON u.order_line_id = l.id
				WHERE l.order_id = o.id AND u.state <> 'cancelled'), 0)
				+ coalesce((SELECT sum(paid) FROM fulfilment WHERE order_id = o.id AND state <> 'cancelled'),
					0) AS cost) c
		WHERE o.payment_state IN ('authorised', 'due') AND coalesce(t.sum, 0) NOT BETWEEN c.cost AND o.total
			OR o.payment_state = 'pending' AND coalesce(t.sum, 0) + coalesce(p.sum, 0) > o.total`},
	{"a collected order is paid, or its capture was requested", `
		SELECT DISTINCT format('order %s has pieces that were handed over unpaid', o.number)
		FROM orders o
		JOIN order_line l ON l.order_id = o.id
		JOIN order_unit u ON u.order_line_id = l.id
		WHERE u.state IN ('collected', 'carried_out', 'shipped') AND o.payment_state <> 'paid' AND NOT EXISTS (
			SELECT
			FROM payment p
			JOIN transfer x ON x.payment_id = p.id AND x.kind = 'capture' AND x.state <> 'failed'
			WHERE p.order_id = o.id AND o.payment_state = 'authorised') AND NOT EXISTS (
			SELECT
			FROM payment p
			JOIN difference d ON d.payment_id = p.id AND d.kind IN ('captured', 'lapsed') AND d.closed_at IS NULL
			WHERE p.order_id = o.id)`},
	{"an order, its payments and its gift cards are of one currency", `
		SELECT format('order %s in %s: %s', o.number, o.currency, x.currency)
		FROM orders o
		JOIN (
			SELECT order_id, currency FROM payment
			UNION ALL
			SELECT t.order_id, g.currency FROM tender t JOIN gift_card g ON g.id = t.gift_card_id
			UNION ALL
			SELECT order_id, currency FROM document) x ON x.order_id = o.id
		WHERE x.currency <> o.currency`},
	{"no gateway keeps an authorisation that is no longer needed", `
		SELECT format('order %s (%s, %s): payment %s is %s', o.number, o.state, o.payment_state, p.id, p.state)
		FROM payment p
		JOIN orders o ON o.id = p.order_id
		WHERE p.state = 'authorised' AND o.payment_state <> 'authorised' AND NOT EXISTS (SELECT FROM transfer
			WHERE payment_id = p.id AND kind = 'void')`},
	{"a refused refund has an open difference", `
		SELECT format('refund %s of %s', r.id, r.amount)
		FROM refund r
		JOIN transfer x ON x.id = r.transfer_id
		WHERE r.state = 'failed' AND NOT EXISTS (SELECT FROM difference WHERE payment_id = x.payment_id
			AND kind = 'refunded' AND closed_at IS NULL)`},
	{"an authorisation that expires soon was reported", `
		SELECT format('payment %s lapses %s', id, lapses_at)
		FROM payment
		WHERE state = 'authorised' AND warned_at IS NULL AND lapses_at < now() + interval '30 hours'`},
	{"a sold gift card was emailed to its recipient", `
		SELECT format('gift card %s since %s', id, created_at)
		FROM gift_card
		WHERE code_hash IS NULL AND disabled_at IS NULL AND created_at < now() - interval '1 day'`},
	{"a pay-at-pickup tender is open exactly while something is still to be collected unpaid", `
		SELECT format('order %s: promise %s', o.number, t.id)
		FROM orders o
		JOIN tender t ON t.order_id = o.id AND t.kind = 'pay_at_pickup'
		WHERE (t.settled_at IS NULL) <> (o.payment_state = 'due' AND o.state <> 'cancelled')`},
	{"a tender of a gateway is what its payment says", `
		SELECT format('tender %s: captured %s, payment %s is %s', t.id, t.captured, p.id, p.state)
		FROM tender t
		JOIN payment p ON p.id = t.payment_id
		WHERE (t.captured > 0) <> (p.state = 'captured') OR t.authorised NOT IN (p.amount, 0) OR t.authorised = 0
			AND p.state <> 'void'`},
	{"a tender's refunds are recorded, and no refund is stuck", `
		SELECT format('tender %s: %s refunded, %s written', t.id, t.refunded, coalesce(r.sum, 0))
		FROM tender t
		LEFT JOIN (SELECT tender_id, sum(amount) AS sum FROM refund GROUP BY 1) r ON r.tender_id = t.id
		WHERE coalesce(r.sum, 0) <> t.refunded
		UNION ALL
		SELECT format('refund %s and its transfer %s do not agree', r.id, x.id)
		FROM refund r
		JOIN transfer x ON x.id = r.transfer_id
		WHERE x.state <> r.state OR x.amount <> r.amount OR x.kind <> 'refund'
		UNION ALL
		SELECT format('transfer %s is asked for since %s', id, at)
		FROM transfer
		WHERE state = 'asked' AND at < now() - interval '1 day'`},
	{"an order stays placed only until its payment deadline", `
		SELECT format('order %s: until %s', number, hold_until)
		FROM orders
		WHERE (state = 'placed') <> (hold_until IS NOT NULL) OR (state = 'placed') <> (payment_state = 'pending')
			OR state = 'placed' AND hold_until < now() - interval '1 hour'`},
	{"a cancelled order took nothing, or gave it back", `
		SELECT format('order %s: %s', number, payment_state)
		FROM orders
		WHERE state = 'cancelled' AND payment_state NOT IN ('void', 'paid') OR state = 'confirmed'
			AND payment_state IN ('void', 'pending')`},
	{"a return refunds what its units cost", `
		SELECT format('return %s: goods %s of %s, back %s of %s', r.number, r.goods, coalesce(u.paid, 0),
			coalesce(f.sum, 0), r.goods + r.delivery - r.shortfall)
		FROM return_ticket r
		LEFT JOIN (
			SELECT b.return_id, sum(u.paid - u.allowed) AS paid
			FROM returned_unit b
			JOIN order_unit u ON u.order_line_id = b.order_line_id AND u.n = b.n
			GROUP BY 1) u ON u.return_id = r.id
		LEFT JOIN (SELECT return_id, sum(amount) AS sum, sum(amount) FILTER (WHERE how <> 'points') AS money FROM refund
			GROUP BY 1) f ON f.return_id = r.id
		WHERE coalesce(u.paid, 0) <> r.goods OR coalesce(f.sum, 0) <> r.goods + r.delivery - r.shortfall
			OR coalesce(f.money, 0) <> r.refund`},
	{"an allowance is the sum of its shares, and each unit's and delivery's reduction too", `
		SELECT format('allowance %s of order %s: %s of %s', a.id, a.order_id, coalesce(s.sum, 0), a.amount)
		FROM allowance a
		LEFT JOIN (SELECT allowance_id, sum(amount) AS sum FROM allowance_share GROUP BY 1) s ON s.allowance_id = a.id
		WHERE coalesce(s.sum, 0) <> a.amount
		UNION ALL
		SELECT format('piece %s of order line %s: %s of %s', u.n, u.order_line_id, coalesce(s.sum, 0), u.allowed)
		FROM order_unit u
		JOIN order_line l ON l.id = u.order_line_id
		LEFT JOIN (SELECT order_line_id, n, sum(amount) AS sum, sum(tax) AS tax FROM allowance_share GROUP BY 1, 2) s
			ON s.order_line_id = coalesce(l.split_from, l.id) AND s.n = u.n
		WHERE (coalesce(s.sum, 0), coalesce(s.tax, 0)) <> (u.allowed, u.allowed_tax)
		UNION ALL
		SELECT format('fulfilment %s: %s of %s', f.id, coalesce(s.sum, 0), f.allowed)
		FROM fulfilment f
		LEFT JOIN (SELECT fulfilment_id, sum(amount) AS sum, sum(tax) AS tax FROM allowance_share GROUP BY 1) s
			ON s.fulfilment_id = f.id
		WHERE (coalesce(s.sum, 0), coalesce(s.tax, 0)) <> (f.allowed, f.allowed_tax)`},
	{"lists show of a product what its texts, pictures, variants and prices say", `
		WITH stored AS (
			SELECT c.product_id, c.price_list_id, c.until,
				to_jsonb(c) || CASE WHEN c.since <= statement_timestamp() THEN '{"since": "-infinity"}'::jsonb
					ELSE '{}' END AS row
			FROM product_card c
			WHERE c.until > statement_timestamp()),
		computed AS (
			SELECT c.product_id, c.price_list_id, c.until, to_jsonb(c) AS row
			FROM (SELECT array_agg(id) AS ids FROM product GROUP BY id / 500) batch
			CROSS JOIN LATERAL product_cards(batch.ids, statement_timestamp()) c)
		SELECT format('product %s on price list %s until %s: %s instead of %s', product_id, price_list_id, until,
			coalesce(s.row::text, 'nothing'), coalesce(c.row::text, 'nothing'))
		FROM stored s
		FULL JOIN computed c USING (product_id, price_list_id, until)
		WHERE s.row IS DISTINCT FROM c.row
		UNION ALL
		SELECT format('product %s is marked as being changed', product_id)
		FROM product_changed`},
	{"departments list what is in them", `
		SELECT format('category %s, product %s on price list %s until %s', category_id, product_id, price_list_id, until)
		FROM category_card s
		FULL JOIN category_cards(ARRAY(SELECT id FROM product)) c USING (category_id, product_id, price_list_id, until)
		WHERE (s.since, s.popularity, s.cheapest, s.dearest, s.facets, s.always)
			IS DISTINCT FROM (c.since, c.popularity, c.cheapest, c.dearest, c.facets, c.always)`},
	{"an order counts in what is bought together for what somebody kept of it", `
		SELECT format('order %s: %s, kept %s', b.order_id, b.products, kept.products)
		FROM basket b
		LEFT JOIN LATERAL (
			SELECT array_agg(DISTINCT v.product_id ORDER BY v.product_id) AS products
			FROM order_line l
			JOIN variant v ON v.id = l.variant_id AND NOT v.gift_card
			WHERE l.order_id = b.order_id AND NOT l.gift AND EXISTS (
				SELECT
				FROM order_unit u
				LEFT JOIN returned_unit r ON r.order_line_id = u.order_line_id AND r.n = u.n
				WHERE u.order_line_id = l.id AND u.state <> 'cancelled' AND r.n IS NULL)) kept ON true
		WHERE b.products <> coalesce(kept.products, '{}')
			AND NOT EXISTS (SELECT FROM basket_changed WHERE order_id = b.order_id)`},
	{"two products were bought together as often both ways round, and no oftener than each", `
		SELECT format('products %s and %s', p.product_id, p.other_id)
		FROM bought_with p
		LEFT JOIN bought_with back ON back.product_id = p.other_id AND back.other_id = p.product_id
		LEFT JOIN bought own ON own.product_id = p.product_id
		WHERE (back.weight, back.baskets) IS DISTINCT FROM (p.weight, p.baskets) OR own.baskets IS NULL
			OR own.baskets < p.baskets OR own.weight < p.weight`},
	{"a person's figures are those of their orders", `
		WITH pending AS (
			SELECT unnest(ARRAY[m.id, m.merged_into]) AS id
			FROM (
				SELECT person FROM figure_changed
				UNION
				SELECT t.customer_id FROM timeline t, figuring WHERE t.id > figuring.timeline_to
				UNION
				SELECT unnest(ARRAY[survivor_id, absorbed_id]) FROM merge
				WHERE greatest(at, undone_at) > now() - interval '10 minutes') c
			JOIN customer m ON m.id = c.person)
		SELECT format('customer %s: %s online and %s in store, counted %s and %s', f.customer_id, kept.web, kept.store, f.web_orders,
			f.store_orders)
		FROM figure f
		CROSS JOIN LATERAL (
			SELECT count(*) FILTER (WHERE o.channel = 'web') AS web, count(*) FILTER (WHERE o.channel = 'counter') AS store
			FROM orders o
			WHERE o.customer_id IN (SELECT member FROM person_members(f.customer_id) AS member) AND o.state = 'confirmed'
				AND EXISTS (
					SELECT
					FROM order_line l
					JOIN order_unit u ON u.order_line_id = l.id
					LEFT JOIN returned_unit r ON r.order_line_id = u.order_line_id AND r.n = u.n
					WHERE l.order_id = o.id AND u.state <> 'cancelled' AND r.n IS NULL)) kept
		WHERE (f.web_orders, f.store_orders) <> (kept.web, kept.store)
			AND f.customer_id NOT IN (SELECT id FROM pending WHERE id IS NOT NULL)`},
	{"what somebody asked to hear and was told is done with", `
		SELECT format('message %s of watch %s, which %s', o.id, w.id, coalesce(w.ended, 'is open'))
		FROM outreach o
		JOIN watch w ON w.id = o.watch_id
		WHERE o.state = 'sent' AND w.ended IS DISTINCT FROM 'told'`},
	{"nobody who was forgotten has figures, predictions, segments, messages or reminders", `
		SELECT format('customer %s: %s', c.id, t.what)
		FROM (
			SELECT customer_id, 'figures' AS what FROM figure
			UNION ALL
			SELECT customer_id, 'a prediction' FROM prediction
			UNION ALL
			SELECT customer_id, 'a segment' FROM segment_member
			UNION ALL
			SELECT customer_id, 'a watch' FROM watch
			UNION ALL
			SELECT customer_id, 'a message' FROM outreach
			UNION ALL
			SELECT customer_id, 'a reminder' FROM follow_up
			UNION ALL
			SELECT customer_id, 'somebody who looks after them' FROM client) t
		JOIN customer c ON c.id = t.customer_id AND c.erased_at IS NOT NULL`},
	{"of nobody who objects to profiling anything is predicted", `
		SELECT format('customer %s', p.customer_id)
		FROM prediction p
		WHERE consented(p.customer_id, 'objection', 'shop')
			AND NOT EXISTS (SELECT FROM merge WHERE survivor_id = p.customer_id AND at > now() - interval '10 minutes')`},
	{"a variant is listed as in stock exactly where some of it can be sold", `
		SELECT format('variant %s at location %s', variant_id, location_id)
		FROM in_stock i
		FULL JOIN (
			SELECT v.product_id, s.location_id, s.variant_id
			FROM stock_level s
			JOIN variant v ON v.id = s.variant_id
			WHERE s.condition = 'sellable' AND s.on_hand - s.reserved - s.safety > 0) s
			USING (product_id, location_id, variant_id)
		WHERE i IS NULL OR s IS NULL`},
	{"an exchange is paid by what came back for it", `
		SELECT format('return %s: %s towards order %s, which has %s', r.number, coalesce(f.sum, 0), r.exchange_id,
			coalesce(t.sum, 0))
		FROM return_ticket r
		LEFT JOIN (SELECT return_id, sum(amount) AS sum FROM refund WHERE how = 'exchange' GROUP BY 1) f
			ON f.return_id = r.id
		LEFT JOIN (SELECT order_id, sum(authorised) AS sum FROM tender WHERE kind = 'exchange' GROUP BY 1) t
			ON t.order_id = r.exchange_id
		WHERE coalesce(f.sum, 0) <> coalesce(t.sum, 0)`},
	{"points: a lot is the sum of its entries, none below zero", `
		SELECT format('lot %s: %s of %s', l.id, l.remaining, coalesce(e.sum, 0))
		FROM points_lot l
		FULL JOIN (SELECT lot_id, sum(delta) AS sum FROM points_entry GROUP BY 1) e ON e.lot_id = l.id
		WHERE coalesce(l.remaining, -1) <> coalesce(e.sum, 0) OR l.remaining < 0`},
	{"points that pay for an order were spent on it, and are returned with it", `
		SELECT format('order %s: spent %s, back %s, tenders %s, %s back', o.number, coalesce(e.spent, 0),
			coalesce(e.restored, 0), coalesce(t.points, 0), coalesce(t.back, 0))
		FROM orders o
		LEFT JOIN (SELECT order_id, -sum(delta) FILTER (WHERE cause = 'spent') AS spent,
			sum(delta) FILTER (WHERE cause = 'restored') AS restored FROM points_entry GROUP BY 1) e
			ON e.order_id = o.id
		LEFT JOIN (SELECT order_id, sum(points) AS points, sum(points_back) AS back FROM tender WHERE kind = 'points'
			GROUP BY 1) t ON t.order_id = o.id
		WHERE (coalesce(e.spent, 0), coalesce(e.restored, 0)) <> (coalesce(t.points, 0), coalesce(t.back, 0))`},
	{"points are earned once by collected units, and reversed for returned ones", `
		SELECT format('order %s: earned %s of %s, taken back %s of at most %s', o.number, coalesce(e.earned, 0),
			coalesce(u.points, 0), coalesce(e.taken, 0), coalesce(b.points, 0))
		FROM orders o
		LEFT JOIN (SELECT order_id, sum(delta) FILTER (WHERE cause = 'earned') AS earned,
			-sum(delta) FILTER (WHERE cause = 'taken_back') AS taken FROM points_entry GROUP BY 1) e
			ON e.order_id = o.id
		LEFT JOIN (
			SELECT l.order_id, sum(u.points) AS points
			FROM order_line l
			JOIN order_unit u ON u.order_line_id = l.id
			WHERE u.state IN ('collected', 'carried_out', 'shipped')
			GROUP BY 1) u ON u.order_id = o.id
		LEFT JOIN (
			SELECT l.order_id, sum(u.points) AS points
			FROM returned_unit b
			JOIN order_unit u ON u.order_line_id = b.order_line_id AND u.n = b.n
			JOIN order_line l ON l.id = u.order_line_id
			GROUP BY 1) b ON b.order_id = o.id
		WHERE coalesce(e.earned, 0) <> coalesce(u.points, 0) OR coalesce(e.taken, 0) > coalesce(b.points, 0)`},
	{"points that ended did so once, and what a visit brought back is a lot of its own", `
		SELECT format('lot %s: ended %s of %s', l.id, l.expired, coalesce(e.sum, 0))
		FROM points_lot l
		LEFT JOIN (SELECT lot_id, -sum(delta) AS sum FROM points_entry WHERE cause = 'expired' GROUP BY 1) e ON e.lot_id = l.id
		WHERE l.expired <> coalesce(e.sum, 0)
		UNION ALL
		SELECT format('person %s: brought back %s of %s', person, back, ended)
		FROM (
			SELECT person, sum(back) AS back, sum(ended) AS ended
			FROM (
				SELECT coalesce(c.merged_into, c.id) AS person, 0 AS back, l.expired AS ended
				FROM points_lot l
				JOIN customer c ON c.id = l.customer_id
				WHERE l.revived_at IS NOT NULL
				UNION ALL
				SELECT coalesce(c.merged_into, c.id), e.delta, 0
				FROM points_entry e
				JOIN customer c ON c.id = e.customer_id
				WHERE e.cause = 'revived') b
			GROUP BY person) b
		WHERE back <> ended`},
	{"a customer's tier is the one at which they stand, with its end where it has one", `
		SELECT format('customer %s: %s, stands at %s', c.id, c.tier, coalesce(t.title, 'none'))
		FROM standing s
		JOIN customer c ON c.id = s.customer_id AND c.merged_into IS NULL AND c.erased_at IS NULL
		LEFT JOIN tier t ON t.id = s.tier_id
		WHERE c.tier <> coalesce(t.title, '') AND t.archived_at IS NULL
			OR s.tier_id IS NOT NULL AND NOT s.granted AND (s.kept_until IS NULL OR s.ends_on < s.kept_until)`},
	{"a place for suggestions names departments that there are", `
		SELECT format('place %s: department %s', s.place, named)
		FROM slot s
		CROSS JOIN LATERAL unnest(s.only_in || s.never_in) AS named
		WHERE NOT EXISTS (SELECT FROM category WHERE id = named)`},
	{"points that are owed are what returns left and orders paid", `
		SELECT format('customer %s: owes %s of %s', d.customer_id, d.points, coalesce(e.sum, 0))
		FROM points_debt d
		LEFT JOIN (SELECT customer_id, sum(delta) AS sum FROM points_debt_entry GROUP BY 1) e ON e.customer_id = d.customer_id
		WHERE d.points <> coalesce(e.sum, 0)
		UNION ALL
		SELECT format('order %s: paid %s of points, took %s', coalesce(d.order_id, e.order_id), coalesce(d.paid, 0), coalesce(e.taken, 0))
		FROM (SELECT order_id, -sum(delta) AS paid FROM points_debt_entry WHERE delta < 0 GROUP BY 1) d
		FULL JOIN (SELECT order_id, -sum(delta) AS taken FROM points_entry WHERE cause = 'debt' GROUP BY 1) e
			ON coalesce(e.order_id, 0) = coalesce(d.order_id, 0)
		WHERE coalesce(d.paid, 0) <> coalesce(e.taken, 0)`},
	{"gift cards: a balance is the sum of its entries, none below zero", `
		SELECT format('gift card %s: %s of %s', g.id, g.balance, coalesce(e.sum, 0))
		FROM gift_card g
		LEFT JOIN (SELECT gift_card_id, sum(delta) AS sum FROM gift_card_entry GROUP BY 1) e ON e.gift_card_id = g.id
		WHERE g.balance <> coalesce(e.sum, 0) OR g.balance < 0`},
	{"store credit: a balance is the sum of its entries, none below zero", `
		SELECT format('credit of customer %s: %s of %s', c.customer_id, c.balance, coalesce(e.sum, 0))
		FROM credit c
		LEFT JOIN (SELECT customer_id, currency, sum(delta) AS sum FROM credit_entry GROUP BY 1, 2) e ON (e.customer_id,
			e.currency) = (c.customer_id, c.currency)
		WHERE c.balance <> coalesce(e.sum, 0) OR c.balance < 0`},
	{"what gift cards and credit paid of an order is what its tenders say", `
		SELECT format('order %s: %s spent, tenders %s', o.number, coalesce(e.sum, 0), coalesce(t.sum, 0))
		FROM orders o
		LEFT JOIN (
			SELECT order_id, -sum(delta) AS sum
			FROM (
				SELECT order_id, delta FROM gift_card_entry WHERE cause IN ('spent', 'restored')
				UNION ALL
				SELECT order_id, delta FROM credit_entry WHERE cause IN ('spent', 'restored')) both_books
			GROUP BY 1) e ON e.order_id = o.id
		LEFT JOIN (
			SELECT t.order_id, sum(CASE WHEN o.payment_state = 'paid' THEN t.captured - coalesce(b.back, 0)
				WHEN o.payment_state = 'void' THEN 0 ELSE t.authorised END) AS sum
			FROM tender t
			JOIN orders o ON o.id = t.order_id
			LEFT JOIN (SELECT tender_id, sum(amount) FILTER (WHERE how = 'gift_card') AS back FROM refund GROUP BY 1) b
				ON b.tender_id = t.id
			WHERE t.kind IN ('gift_card', 'credit')
			GROUP BY 1) t ON t.order_id = o.id
		WHERE coalesce(e.sum, 0) <> coalesce(t.sum, 0)`},
	{"a unit that sold a gift card issued exactly one, when it was sent", `
		SELECT format('order line %s: %s sent, %s cards', l.id, coalesce(u.n, 0), coalesce(g.n, 0))
		FROM order_line l
		JOIN fulfilment f ON f.id = l.fulfilment_id AND f.method = 'mail'
		LEFT JOIN (SELECT order_line_id, count(*) AS n FROM order_unit WHERE state = 'shipped' GROUP BY 1) u
			ON u.order_line_id = l.id
		LEFT JOIN (SELECT order_line_id, count(*) AS n FROM gift_card GROUP BY 1) g ON g.order_line_id = l.id
		WHERE coalesce(u.n, 0) <> coalesce(g.n, 0)`},
	{"a promotion is used no more than it may be, and its counter is its uses", `
		SELECT format('promotion %s: used %s of %s, counted %s; spent %s of %s, counted %s', p.id, coalesce(u.n, 0),
			p.max_uses, p.used, coalesce(u.spent, 0), p.budget, p.spent)
		FROM promotion p
		LEFT JOIN (SELECT promotion_id, count(*) AS n, sum(amount) AS spent FROM promotion_use WHERE released_at IS NULL
			GROUP BY 1) u ON u.promotion_id = p.id
		WHERE p.counted AND (p.used <> coalesce(u.n, 0) OR p.spent <> coalesce(u.spent, 0) OR p.used > p.max_uses
			OR p.spent > p.budget)`},
	{"a code is used no more than it may be, and its counter is its uses", `
		SELECT format('coupon %s: used %s of %s, counted %s', c.id, coalesce(u.n, 0), c.max_uses, c.used)
		FROM coupon c
		LEFT JOIN (SELECT coupon_id, count(*) AS n FROM promotion_use WHERE released_at IS NULL
			AND coupon_id IS NOT NULL GROUP BY 1) u ON u.coupon_id = c.id
		WHERE c.used <> coalesce(u.n, 0) OR c.used > c.max_uses`},
	{"nobody used a promotion more often than one person, or one day, may", `
		SELECT format('promotion %s: %s %s times, counted %s', p.id, k.key, k.n, c.used)
		FROM (
			SELECT promotion_id, key, count(*) AS n
			FROM promotion_use, LATERAL (VALUES ('person:' || person_id), ('email:' || nullif(email_key, '')),
				('day:' || day)) k (key)
			WHERE released_at IS NULL AND key IS NOT NULL
			GROUP BY 1, 2) k
		JOIN promotion p ON p.id = k.promotion_id
		LEFT JOIN promotion_counter c ON c.promotion_id = k.promotion_id AND c.key = k.key
		WHERE (CASE WHEN k.key LIKE 'day:%' THEN p.max_per_day ELSE p.max_per_customer END) IS NOT NULL
			AND (k.n > CASE WHEN k.key LIKE 'day:%' THEN p.max_per_day ELSE p.max_per_customer END OR c.used IS DISTINCT
				FROM k.n)`},
	{"a use of a promotion is an order's discount, and given back with it", `
		SELECT format('order %s, promotion %s', coalesce(d.order_id, u.order_id), coalesce(d.promotion_id,
			u.promotion_id))
		FROM order_discount d
		FULL JOIN promotion_use u ON (u.order_id, u.promotion_id) = (d.order_id, d.promotion_id)
		JOIN orders o ON o.id = coalesce(d.order_id, u.order_id)
		WHERE d.amount IS DISTINCT FROM u.amount OR (u.released_at IS NULL) = (o.state = 'cancelled')`},
	{"a gateway's webhook event is processed", `
		SELECT format('event %s of %s', event, received_at)
		FROM payment_event
		WHERE applied_at IS NULL AND received_at < now() - interval '1 day'`},
	{"documents are numbered without gaps", `
		SELECT format('%s: %s of %s, last %s', s.series, count(d.id), coalesce(max(d.number), 0), s.last)
		FROM document_series s
		LEFT JOIN document d ON d.series = s.series
		GROUP BY s.series, s.last
		HAVING count(d.id) <> s.last OR coalesce(max(d.number), 0) <> s.last`},
	{"a document's tax is that of its lines", `
		SELECT format('%s %s: %s', d.series, d.number, d.total)
		FROM document d
		LEFT JOIN (SELECT document_id, sum(net + tax) AS gross FROM document_tax GROUP BY 1) t ON t.document_id = d.id
		WHERE coalesce(t.gross, 0) <> d.total`},
	{"a fulfilment's state follows from its units", `
		SELECT format('fulfilment %s: %s', f.id, f.state)
		FROM fulfilment f
		LEFT JOIN (
			SELECT l.fulfilment_id, count(*) FILTER (WHERE u.state = 'open') AS open,
				count(*) FILTER (WHERE u.state IN ('collected', 'carried_out', 'shipped')) AS handed
			FROM order_line l
			JOIN order_unit u ON u.order_line_id = l.id
			GROUP BY 1) u ON u.fulfilment_id = f.id
		WHERE f.state IS DISTINCT FROM CASE
			WHEN u.handed > 0 AND u.open = 0 AND f.method IN ('ship', 'mail') THEN 'shipped'
			WHEN u.handed > 0 AND u.open = 0 THEN 'collected'
			WHEN u.open = 0 THEN 'cancelled'
			WHEN f.state IN ('waiting', 'undecided', 'to_pick', 'ready') THEN f.state
			END`},
	{"an order is cancelled exactly when all its fulfilments are", `
		SELECT format('order %s: %s', o.number, o.state)
		FROM orders o
		WHERE (o.state = 'cancelled') <> NOT EXISTS (SELECT FROM fulfilment f WHERE f.order_id = o.id
			AND f.state <> 'cancelled')`},
	{"a draft is a cart of its own until it is an order", `
		SELECT format('cart %s is %s, draft %s, order %s', c.id, c.state, d.id, d.order_id)
		FROM cart c
		FULL JOIN draft_order d ON d.cart_id = c.id
		LEFT JOIN orders o ON o.id = d.order_id
		WHERE c.state = 'aside' OR (c.state = 'draft') IS DISTINCT FROM (d.id IS NOT NULL AND d.order_id IS NULL)
			OR d.order_id IS NOT NULL AND o.cart_id IS DISTINCT FROM c.id`},
	{"at most one open cart per person", `
		SELECT format('customer %s: %s open carts', coalesce(p.merged_into, p.id), count(*))
		FROM cart
		JOIN customer p ON p.id = cart.customer_id
		WHERE cart.state = 'open'
		GROUP BY coalesce(p.merged_into, p.id)
		HAVING count(*) > 1`},
	{"a merged profile owns no open cart, list or address", `
		SELECT format('customer %s, part of %s', id, merged_into)
		FROM customer c
		WHERE merged_into IS NOT NULL AND (
			EXISTS (SELECT FROM cart WHERE customer_id = c.id AND state = 'open') OR EXISTS (SELECT FROM wish
				WHERE customer_id = c.id) OR EXISTS (SELECT FROM address WHERE customer_id = c.id))`},
	{"a merged profile has a merge that can be undone, one level deep", `
		SELECT format('customer %s, part of %s', c.id, c.merged_into)
		FROM customer c
		JOIN customer root ON root.id = c.merged_into
		WHERE root.merged_into IS NOT NULL OR NOT EXISTS (SELECT FROM merge WHERE absorbed_id = c.id
			AND undone_at IS NULL)
		UNION ALL
		SELECT format('merge %s holds, and customer %s stands alone', m.id, m.absorbed_id)
		FROM merge m
		JOIN customer c ON c.id = m.absorbed_id
		WHERE m.undone_at IS NULL AND c.merged_into IS NULL`},
	{"no suspended or erased person is signed in", `
		SELECT format('session of associate %s, customer %s', s.associate_id, s.customer_id)
		FROM session s
		LEFT JOIN associate a ON a.id = s.associate_id
		LEFT JOIN customer c ON c.id = s.customer_id
		WHERE s.expires_at > now() AND (a.disabled_at IS NOT NULL OR c.disabled_at IS NOT NULL
			OR c.erased_at IS NOT NULL)`},
	{"no personal data of an erased customer remains", `
		SELECT format('customer %s', c.id)
		FROM customer c
		WHERE c.erased_at IS NOT NULL AND (
			c.name <> '' OR c.registered_at IS NOT NULL OR EXISTS (SELECT FROM identity WHERE customer_id = c.id)
				OR EXISTS (SELECT FROM password WHERE customer_id = c.id)
			OR EXISTS (SELECT FROM address WHERE customer_id = c.id) OR EXISTS (SELECT FROM note
				WHERE customer_id = c.id) OR EXISTS (SELECT FROM wish WHERE customer_id = c.id)
			OR EXISTS (SELECT FROM hint WHERE customer_id = c.id)
			OR EXISTS (SELECT FROM one_time WHERE customer_id = c.id) OR EXISTS (SELECT FROM timeline
				WHERE customer_id = c.id) OR EXISTS (SELECT FROM consent WHERE customer_id = c.id)
			OR EXISTS (SELECT FROM orders WHERE customer_id = c.id AND (name <> '' OR email <> '' OR phone <> '')))`},
	{"an account can be signed in to", `
		SELECT format('customer %s has an account and no proven email', c.id)
		FROM customer c
		WHERE c.registered_at IS NOT NULL AND NOT EXISTS (
			SELECT
			FROM identity i
			JOIN customer m ON m.id = i.customer_id
			WHERE coalesce(m.merged_into, m.id) = coalesce(c.merged_into, c.id) AND i.kind = 'email'
				AND i.verified_at IS NOT NULL)`},
	{"a passkey exists exactly where its identity does", `
		SELECT format('identity %s', i.id)
		FROM identity i
		FULL JOIN passkey k ON k.identity_id = i.id
		WHERE (i.kind = 'passkey') IS DISTINCT FROM (k.identity_id IS NOT NULL)`},
	{"the shop has an admin who can sign in", `
		SELECT 'no admin'
		WHERE EXISTS (SELECT FROM associate) AND EXISTS (SELECT FROM associate WHERE role = 'admin')
			AND NOT EXISTS (SELECT FROM associate WHERE role = 'admin' AND disabled_at IS NULL)`},
	{"a cart made an order exactly when it says so, and one only", `
		SELECT format('cart %s: %s, %s orders', c.id, c.state, count(o.id))
		FROM cart c
		LEFT JOIN orders o ON o.cart_id = c.id
		GROUP BY c.id
		HAVING count(o.id) <> CASE c.state WHEN 'ordered' THEN 1 ELSE 0 END`},
	{"a cart's order is the cart owner's", `
		SELECT format('order %s of cart %s', o.number, c.id)
		FROM orders o
		JOIN cart c ON c.id = o.cart_id
		WHERE o.customer_id <> c.customer_id`},
	{"a ready fulfilment has a hold expiry and a shelf", `
		SELECT format('fulfilment %s', id)
		FROM fulfilment
		WHERE state = 'ready' AND (hold_until IS NULL OR place = '' OR ready_at IS NULL)`},
	{"a verified identity belongs to one customer", `
		SELECT format('%s of %s customers', kind, count(*))
		FROM identity
		WHERE verified_at IS NOT NULL
		GROUP BY kind, value
		HAVING count(*) > 1`},
	{"prices of a variant on a list do not overlap", `
		SELECT format('variant %s, prices %s and %s', a.variant_id, a.id, b.id)
		FROM price a
		JOIN price b ON b.variant_id = a.variant_id AND b.price_list_id = a.price_list_id AND b.id > a.id
			AND b.valid && a.valid`},
	{"every constraint and index the rules rely on is in force", `
		SELECT format('constraint %s on %s is not validated', conname, conrelid::regclass)
		FROM pg_constraint
		WHERE NOT convalidated AND connamespace = current_schema()::regnamespace
		UNION ALL
		SELECT format('index %s is not valid', indexrelid::regclass)
		FROM pg_index
		WHERE NOT indisvalid`},
	{"a fulfilment is undecided exactly while a shortage of it is open", `
		SELECT format('fulfilment %s is %s with %s open shortages', f.id, f.state, count(s.id))
		FROM fulfilment f
		LEFT JOIN shortage s ON s.fulfilment_id = f.id AND s.decided_at IS NULL
		GROUP BY f.id
		HAVING (f.state = 'undecided') <> (count(s.id) > 0)`},
	{"the changes of reference data are counted in one row", `
		SELECT format('%s rows count the changes of reference data', count(*))
		FROM reference_version
		HAVING count(*) <> 1`},
	{"a line that was split is of one order, variant and price", `
		SELECT format('order line %s was split from %s', s.id, l.id)
		FROM order_line s
		JOIN order_line l ON l.id = s.split_from
		WHERE (s.order_id, s.variant_id, s.unit_price, s.tax_ppm) IS DISTINCT FROM (l.order_id, l.variant_id,
			l.unit_price, l.tax_ppm) OR l.split_from IS NOT NULL
		UNION ALL
		SELECT format('unit %s of order line %s is twice there', u.n, coalesce(l.split_from, l.id))
		FROM order_line l
		JOIN order_unit u ON u.order_line_id = l.id
		GROUP BY coalesce(l.split_from, l.id), u.n
		HAVING count(*) > 1`},
	{"a hold ends after it began, and only what was not collected is a no-show", `
		SELECT format('fulfilment %s: ready %s, held until %s', id, ready_at, hold_until)
		FROM fulfilment
		WHERE hold_until < ready_at OR extended_at < ready_at OR expired_at IS NOT NULL AND (collected_at IS NOT NULL
			OR hold_until IS NULL OR expired_at < hold_until)`},
}
