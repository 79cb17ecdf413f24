// Package audit proves that the books agree: each rule is a query that must find nothing.
package audit

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/pg"
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
		SELECT format('variant %s at location %s: on hand %s, moves %s', coalesce(l.variant_id, m.variant_id), coalesce(l.location_id, m.location_id), l.on_hand, m.sum)
		FROM stock_level l
		FULL JOIN (SELECT variant_id, location_id, condition, sum(delta) AS sum FROM stock_move GROUP BY 1, 2, 3) m
			ON (m.variant_id, m.location_id, m.condition) = (l.variant_id, l.location_id, l.condition)
		WHERE coalesce(l.on_hand, 0) <> coalesce(m.sum, 0)`},
	{"on hand was never below zero", `
		SELECT DISTINCT format('variant %s at location %s after move %s: %s', variant_id, location_id, id, running)
		FROM (SELECT *, sum(delta) OVER (PARTITION BY variant_id, location_id, condition ORDER BY id) AS running FROM stock_move) m
		WHERE running < 0`},
	{"reserved is the sum of its unreleased reservations", `
		SELECT format('variant %s at location %s: reserved %s, reservations %s', coalesce(l.variant_id, r.variant_id), coalesce(l.location_id, r.location_id), l.reserved, r.sum)
		FROM (SELECT * FROM stock_level WHERE condition = 'sellable') l
		FULL JOIN (SELECT variant_id, location_id, sum(quantity) AS sum FROM reservation WHERE released_at IS NULL GROUP BY 1, 2) r
			ON (r.variant_id, r.location_id) = (l.variant_id, l.location_id)
		WHERE coalesce(l.reserved, 0) <> coalesce(r.sum, 0)`},
	{"what is not sellable is not reserved, and 0 ≤ reserved ≤ on hand", `
		SELECT format('variant %s at location %s (%s): reserved %s of %s', variant_id, location_id, condition, reserved, on_hand)
		FROM stock_level
		WHERE reserved NOT BETWEEN 0 AND on_hand OR condition <> 'sellable' AND reserved > 0`},
	{"no reservation is unreleased five minutes past its expiry", `
		SELECT format('reservation %s expired %s', id, expires_at)
		FROM reservation
		WHERE released_at IS NULL AND expires_at < now() - interval '5 minutes'`},
	{"an open piece is reserved where it will be collected, once", `
		SELECT format('order line %s: %s open, %s reserved', l.id, coalesce(u.open, 0), coalesce(r.sum, 0))
		FROM order_line l
		JOIN fulfilment f ON f.id = l.fulfilment_id
		LEFT JOIN (SELECT order_line_id, count(*) AS open FROM order_unit WHERE state = 'open' GROUP BY 1) u ON u.order_line_id = l.id
		LEFT JOIN (SELECT order_line_id, location_id, variant_id, sum(quantity) AS sum FROM reservation WHERE released_at IS NULL GROUP BY 1, 2, 3) r ON r.order_line_id = l.id
		WHERE coalesce(u.open, 0) <> coalesce(r.sum, 0) OR r.location_id <> f.location_id OR r.variant_id <> l.variant_id`},
	{"collected pieces left the shelf, once", `
		SELECT format('order line %s: %s collected, %s moved', l.id, coalesce(u.n, 0), coalesce(-m.sum, 0))
		FROM order_line l
		LEFT JOIN (SELECT order_line_id, count(*) AS n FROM order_unit WHERE state IN ('collected', 'carried_out') GROUP BY 1) u ON u.order_line_id = l.id
		LEFT JOIN (SELECT order_line_id, sum(delta) AS sum FROM stock_move WHERE cause = 'sale' GROUP BY 1) m ON m.order_line_id = l.id
		WHERE coalesce(u.n, 0) <> coalesce(-m.sum, 0)`},
	{"an order's total is its lines less discounts, with shipping and added tax", `
		SELECT format('order %s: total %s', number, total)
		FROM orders
		WHERE total <> lines - discount + shipping + CASE WHEN tax_included THEN 0 ELSE tax END`},
	{"an order's header is the sum of its lines", `
		SELECT format('order %s: lines %s of %s, discount %s of %s, tax %s of %s', o.number, l.amount, o.lines, l.discount, o.discount, l.tax, o.tax)
		FROM orders o
		LEFT JOIN (SELECT order_id, sum(amount) AS amount, sum(discount) AS discount, sum(tax) AS tax FROM order_line GROUP BY 1) l ON l.order_id = o.id
		WHERE (l.amount, l.discount, l.tax) IS DISTINCT FROM (o.lines, o.discount, o.tax)`},
	{"a line's pieces sum to the line", `
		SELECT format('order line %s: %s pieces of %s, paid %s, tax %s of %s', l.id, u.n, l.quantity, u.paid, u.tax, l.tax)
		FROM order_line l
		JOIN orders o ON o.id = l.order_id
		LEFT JOIN (SELECT order_line_id, count(*) AS n, sum(paid) AS paid, sum(tax) AS tax, sum(discount) AS discount FROM order_unit GROUP BY 1) u ON u.order_line_id = l.id
		WHERE (u.n, u.paid, u.tax, u.discount) IS DISTINCT FROM
			(l.quantity::bigint, l.amount - l.discount + CASE WHEN o.tax_included THEN 0 ELSE l.tax END, l.tax::numeric, l.discount::numeric)`},
	{"captured ≤ authorised, refunded ≤ captured", `
		SELECT format('tender %s: %s of %s, %s back', id, captured, authorised, refunded)
		FROM tender
		WHERE captured NOT BETWEEN 0 AND authorised OR refunded NOT BETWEEN 0 AND captured`},
	{"a paid order's money is what its pieces cost, an unpaid one has none", `
		SELECT format('order %s (%s): %s taken, pieces %s', o.number, o.payment_state, coalesce(t.taken, 0), coalesce(u.cost, 0))
		FROM orders o
		LEFT JOIN (SELECT order_id, sum(captured - refunded) AS taken FROM tender GROUP BY 1) t ON t.order_id = o.id
		LEFT JOIN (
			SELECT l.order_id, sum(u.paid) AS cost
			FROM order_line l
			JOIN order_unit u ON u.order_line_id = l.id
			WHERE u.state <> 'cancelled'
			GROUP BY 1) u ON u.order_id = o.id
		WHERE coalesce(t.taken, 0) <> CASE o.payment_state WHEN 'paid' THEN coalesce(u.cost, 0) + o.shipping ELSE 0 END`},
	{"what was handed over is paid", `
		SELECT DISTINCT format('order %s has pieces that were handed over unpaid', o.number)
		FROM orders o
		JOIN order_line l ON l.order_id = o.id
		JOIN order_unit u ON u.order_line_id = l.id
		WHERE u.state IN ('collected', 'carried_out') AND o.payment_state <> 'paid'`},
	{"a promise to pay is open exactly while something is to be collected unpaid", `
		SELECT format('order %s: promise %s', o.number, t.id)
		FROM orders o
		JOIN tender t ON t.order_id = o.id AND t.kind = 'pay_at_pickup'
		WHERE (t.settled_at IS NULL) <> (o.payment_state = 'due' AND o.state <> 'cancelled')`},
	{"a part's state is what its pieces say", `
		SELECT format('fulfilment %s: %s', f.id, f.state)
		FROM fulfilment f
		LEFT JOIN (
			SELECT l.fulfilment_id, count(*) FILTER (WHERE u.state = 'open') AS open, count(*) FILTER (WHERE u.state IN ('collected', 'carried_out')) AS handed
			FROM order_line l
			JOIN order_unit u ON u.order_line_id = l.id
			GROUP BY 1) u ON u.fulfilment_id = f.id
		WHERE f.state IS DISTINCT FROM CASE
			WHEN u.handed > 0 AND u.open = 0 THEN 'collected'
			WHEN u.open = 0 THEN 'cancelled'
			WHEN f.state IN ('to_pick', 'ready') THEN f.state
			END`},
	{"an order is cancelled exactly when all its parts are", `
		SELECT format('order %s: %s', o.number, o.state)
		FROM orders o
		WHERE (o.state = 'cancelled') <> NOT EXISTS (SELECT FROM fulfilment f WHERE f.order_id = o.id AND f.state <> 'cancelled')`},
	{"one open cart a person", `
		SELECT format('customer %s: %s open carts', coalesce(p.merged_into, p.id), count(*))
		FROM cart
		JOIN customer p ON p.id = cart.customer_id
		WHERE cart.state = 'open'
		GROUP BY coalesce(p.merged_into, p.id)
		HAVING count(*) > 1`},
	{"whoever is part of another owns no open cart, list or address", `
		SELECT format('customer %s, part of %s', id, merged_into)
		FROM customer c
		WHERE merged_into IS NOT NULL AND (
			EXISTS (SELECT FROM cart WHERE customer_id = c.id AND state = 'open') OR EXISTS (SELECT FROM wish WHERE customer_id = c.id) OR EXISTS (SELECT FROM address WHERE customer_id = c.id))`},
	{"whoever is part of another is so by a merge that can be undone, and by one step", `
		SELECT format('customer %s, part of %s', c.id, c.merged_into)
		FROM customer c
		JOIN customer root ON root.id = c.merged_into
		WHERE root.merged_into IS NOT NULL OR NOT EXISTS (SELECT FROM merge WHERE absorbed_id = c.id AND undone_at IS NULL)
		UNION ALL
		SELECT format('merge %s holds, and customer %s stands alone', m.id, m.absorbed_id)
		FROM merge m
		JOIN customer c ON c.id = m.absorbed_id
		WHERE m.undone_at IS NULL AND c.merged_into IS NULL`},
	{"nobody who is shut out or forgotten is signed in", `
		SELECT format('session of associate %s, customer %s', s.associate_id, s.customer_id)
		FROM session s
		LEFT JOIN associate a ON a.id = s.associate_id
		LEFT JOIN customer c ON c.id = s.customer_id
		WHERE s.expires_at > now() AND (a.disabled_at IS NOT NULL OR c.disabled_at IS NOT NULL OR c.erased_at IS NOT NULL)`},
	{"nothing names whoever was forgotten", `
		SELECT format('customer %s', c.id)
		FROM customer c
		WHERE c.erased_at IS NOT NULL AND (
			c.name <> '' OR c.registered_at IS NOT NULL OR EXISTS (SELECT FROM identity WHERE customer_id = c.id) OR EXISTS (SELECT FROM password WHERE customer_id = c.id)
			OR EXISTS (SELECT FROM address WHERE customer_id = c.id) OR EXISTS (SELECT FROM note WHERE customer_id = c.id) OR EXISTS (SELECT FROM wish WHERE customer_id = c.id)
			OR EXISTS (SELECT FROM one_time WHERE customer_id = c.id) OR EXISTS (SELECT FROM timeline WHERE customer_id = c.id) OR EXISTS (SELECT FROM consent WHERE customer_id = c.id)
			OR EXISTS (SELECT FROM orders WHERE customer_id = c.id AND (name <> '' OR email <> '' OR phone <> '')))`},
	{"an account can be signed in to", `
		SELECT format('customer %s has an account and no proven email', c.id)
		FROM customer c
		WHERE c.registered_at IS NOT NULL AND NOT EXISTS (
			SELECT
			FROM identity i
			JOIN customer m ON m.id = i.customer_id
			WHERE coalesce(m.merged_into, m.id) = coalesce(c.merged_into, c.id) AND i.kind = 'email' AND i.verified_at IS NOT NULL)`},
	{"a passkey is kept exactly where its identity is", `
		SELECT format('identity %s', i.id)
		FROM identity i
		FULL JOIN passkey k ON k.identity_id = i.id
		WHERE (i.kind = 'passkey') IS DISTINCT FROM (k.identity_id IS NOT NULL)`},
	{"the shop has an admin who can sign in", `
		SELECT 'no admin'
		WHERE EXISTS (SELECT FROM associate) AND EXISTS (SELECT FROM associate WHERE role = 'admin') AND NOT EXISTS (SELECT FROM associate WHERE role = 'admin' AND disabled_at IS NULL)`},
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
	{"a ready order says until when it is kept and where", `
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
		JOIN price b ON b.variant_id = a.variant_id AND b.price_list_id = a.price_list_id AND b.id > a.id AND b.valid && a.valid`},
	{"every constraint and index that guards the books is in force", `
		SELECT format('constraint %s on %s is not validated', conname, conrelid::regclass)
		FROM pg_constraint
		WHERE NOT convalidated AND connamespace = current_schema()::regnamespace
		UNION ALL
		SELECT format('index %s is not valid', indexrelid::regclass)
		FROM pg_index
		WHERE NOT indisvalid`},
}
