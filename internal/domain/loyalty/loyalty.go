// Package loyalty is the customer's points: earned when goods are handed over, spent like money, with a ledger behind
// every figure. How many an order earns is allocated to its units by quote.AllocatePoints, at the rate of policy.
package loyalty

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/platform/money"
	"counterpart/internal/platform/pg"
)

// Rates are what one shop does with points.
type Rates struct {
	Rate    int // points for each whole unit of a currency that is paid; 0: there are none
	Worth   int // so many points are worth one whole unit
	Minimum int // fewer are not spent
}

// Value of points in minor units of a currency, rounded down.
func (r Rates) Value(points int64, currency string) int64 {
	return points * unit(currency) / int64(r.Worth)
}

// For is how many points pay an amount: the fewest whose value is at least that.
func (r Rates) For(amount int64, currency string) int64 {
	one := unit(currency)
	return (amount*int64(r.Worth) + one - 1) / one
}

func unit(currency string) int64 {
	one := int64(1)
	for range money.Exponent(currency) {
		one *= 10
	}
	return one
}

// Balance is what a person has. Pending points can be seen, not spent. Ending is how many end first, EndsOn the last day on
// which those can be spent; nil: they don't end.
type Balance struct {
	Spendable, Pending int64
	Ending             int64
	EndsOn             *time.Time
}

// BalanceOf adds up a person's points, over all of their profiles.
func BalanceOf(ctx context.Context, db pg.DB, person int64) (b Balance, err error) {
	err = db.QueryRow(ctx, `
		SELECT spendable, pending, ending, ends_on
		FROM points_of(ARRAY(SELECT member FROM person_members($1) AS member))`,
		person).Scan(&b.Spendable, &b.Pending, &b.Ending, &b.EndsOn)
	if err != nil {
		return b, fmt.Errorf("add up points: %w", err)
	}
	return b, nil
}

// Grant is a lot of points: what an order earned, what was given back, what somebody gave.
type Grant struct {
	CustomerID  int64
	Points      int64
	Cause       string
	OrderID     int64
	AssociateID int64
	Form        string // of the page: sent twice, it is given once
	Vests       time.Time
	At          time.Time // the zero time: now
}

// Give adds a lot. None is written of no points.
func Give(ctx context.Context, tx pgx.Tx, g Grant) error {
	if g.Points == 0 {
		return nil
	}
	_, err := tx.Exec(ctx, `
		WITH lot AS (
			INSERT INTO points_lot (customer_id, order_id, points, remaining, vests_at, at)
			VALUES ($1, nullif($4::bigint, 0), $2, $2, $6, coalesce($8, now()))
			RETURNING id)
		INSERT INTO points_entry (lot_id, customer_id, delta, cause, order_id, associate_id, form, at)
		SELECT id, $1, $2, $3, nullif($4::bigint, 0), nullif($5::bigint, 0), nullif($7, ''), coalesce($8, now())
		FROM lot`, g.CustomerID, g.Points, g.Cause, g.OrderID, g.AssociateID, g.Vests, g.Form, orNow(g.At))
	if err != nil {
		return fmt.Errorf("give points: %w", err)
	}
	return nil
}

// orNow is nil where nothing is said: the database's clock.
func orNow(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	return &at
}

// ErrFew says that there are fewer points than were to be spent.
var ErrFew = errors.New("fewer points than that")

// Spend takes points from a person's vested lots, those that could be spent, and so end, first. The person is held by the
// caller, so two spendings
// follow one another; the table refuses a lot below zero all the same.
func Spend(ctx context.Context, tx pgx.Tx, person, points, orderID int64) error {
	taken, err := take(ctx, tx, taking{person: person, points: points, cause: "spent", orderID: orderID, vested: true})
	if err != nil {
		return err
	}
	if taken < points {
		return ErrFew
	}
	return nil
}

// Deduct takes earned points away again: first what this order earned and has ended, which nobody spent, then what else it
// earned, then the oldest others, pending or not. It answers how many there were; nobody's balance falls below zero.
func Deduct(ctx context.Context, tx pgx.Tx, person, points, orderID int64) (taken int64, err error) {
	ended, err := deductEnded(ctx, tx, points, orderID)
	if err != nil {
		return 0, err
	}
	taken, err = take(ctx, tx, taking{person: person, points: points - ended, cause: "taken_back", orderID: orderID, first: orderID})
	return ended + taken, err
}

// deductEnded undoes the end of points that an order earned and takes them back.
func deductEnded(ctx context.Context, tx pgx.Tx, points, orderID int64) (taken int64, err error) {
	if points == 0 {
		return 0, nil
	}
	err = tx.QueryRow(ctx, `
		WITH lots AS MATERIALIZED (
			SELECT id, customer_id, expired
			FROM points_lot
			WHERE order_id = $2 AND expired > 0 AND revived_at IS NULL
			ORDER BY id
			FOR UPDATE),
		running AS (
			SELECT id, customer_id, expired, sum(expired) OVER (ORDER BY id) - expired AS before
			FROM lots),
		parts AS (
			SELECT id, customer_id, least(expired, $1 - before)::integer AS part
			FROM running
			WHERE before < $1),
		less AS (
			UPDATE points_lot l
			SET expired = l.expired - p.part, expired_at = CASE WHEN l.expired > p.part THEN l.expired_at END
			FROM parts p
			WHERE l.id = p.id),
		entries AS (
			INSERT INTO points_entry (lot_id, customer_id, delta, cause, order_id)
			SELECT id, customer_id, part, 'expired', NULL
			FROM parts
			UNION ALL
			SELECT id, customer_id, -part, 'taken_back', $2
			FROM parts)
		SELECT coalesce(sum(part), 0)::bigint
		FROM parts`, points, orderID).Scan(&taken)
	if err != nil {
		return 0, fmt.Errorf("take back points that ended: %w", err)
	}
	return taken, nil
}

// taking is points that a person loses.
type taking struct {
	person, points int64
	cause          string
	orderID        int64
	first          int64 // the order whose lots go first
	vested         bool  // pending ones stay
	associateID    int64
	form           string
}

func take(ctx context.Context, tx pgx.Tx, t taking) (taken int64, err error) {
	if t.points == 0 {
		return 0, nil
	}
	// The lots are held before they are added up: what is read is what is taken.
	err = tx.QueryRow(ctx, `
		WITH lots AS MATERIALIZED (
			SELECT id, customer_id, remaining, order_id, vests_at
			FROM points_lot
			WHERE remaining > 0 AND (NOT $6 OR vests_at <= now()) AND customer_id IN (SELECT member
				FROM person_members($1) AS member)
			ORDER BY id
			FOR UPDATE),
		running AS (
			SELECT id, customer_id, remaining, sum(remaining) OVER (ORDER BY order_id IS DISTINCT
				FROM nullif($5::bigint, 0), CASE WHEN $6 THEN vests_at END, id) - remaining AS before
			FROM lots),
		parts AS (
			SELECT id, customer_id, least(remaining, $2 - before)::integer AS part
			FROM running
			WHERE before < $2),
		less AS (
			UPDATE points_lot l
			SET remaining = l.remaining - p.part
			FROM parts p
			WHERE l.id = p.id),
		entries AS (
			INSERT INTO points_entry (lot_id, customer_id, delta, cause, order_id, associate_id, form)
			SELECT id, customer_id, -part, $3, nullif($4::bigint, 0), nullif($7::bigint, 0), nullif($8, '')
			FROM parts)
		SELECT coalesce(sum(part), 0)::bigint
		FROM parts`, t.person, t.points, t.cause, t.orderID, t.first, t.vested, t.associateID, t.form).Scan(&taken)
	if err != nil {
		return 0, fmt.Errorf("take points: %w", err)
	}
	return taken, nil
}

// RatesOf reads what the shop does with points.
func RatesOf(ctx context.Context, db pg.DB) (r Rates, err error) {
	err = db.QueryRow(ctx, `
		SELECT points_rate, points_worth, points_minimum
		FROM shop`).Scan(&r.Rate, &r.Worth, &r.Minimum)
	if err != nil {
		return r, fmt.Errorf("read what points are worth: %w", err)
	}
	return r, nil
}

// Earn gives a customer what a handed-over part of an order earned. It can be spent when the goods cannot come back any
// more, or at once, as the programme has it. What they owe is paid from it first, and what ended lately comes back: they
// visit.
func Earn(ctx context.Context, tx pgx.Tx, customerID, points, orderID int64) error {
	if points == 0 {
		return nil
	}
	var now, vests time.Time
	var person int64
	var behind bool // they owe, or have points that ended
	if err := tx.QueryRow(ctx, `
		SELECT now(), CASE p.vesting WHEN 'at_once' THEN now() ELSE now() + make_interval(days => return_days_of(c.id)) END,
			coalesce(c.merged_into, c.id), EXISTS (
				SELECT FROM points_debt WHERE points > 0 AND customer_id = ANY (same.ids)) OR EXISTS (
				SELECT FROM points_lot WHERE expired > 0 AND revived_at IS NULL AND customer_id = ANY (same.ids)
					AND expired_at > now() - make_interval(days => p.grace_days))
		FROM programme p
		JOIN customer c ON c.id = $1
		CROSS JOIN LATERAL (SELECT ARRAY(SELECT member FROM person_members(coalesce(c.merged_into, c.id)) AS member) AS ids) same`,
		customerID).Scan(&now, &vests, &person, &behind); err != nil {
		return fmt.Errorf("read when points can be spent: %w", err)
	}
	err := Give(ctx, tx, Grant{CustomerID: customerID, Points: points, Cause: "earned", OrderID: orderID, Vests: vests})
	if err != nil || !behind {
		return err
	}
	if _, err := Revive(ctx, tx, person, now); err != nil {
		return err
	}
	return pay(ctx, tx, person, points, orderID)
}

// Owe notes points that a person spent before what earned them came back: what they are given next pays them.
func Owe(ctx context.Context, tx pgx.Tx, person, points, orderID int64) error {
	if points == 0 {
		return nil
	}
	_, err := tx.Exec(ctx, `
		WITH owed AS (
			INSERT INTO points_debt AS d (customer_id, points)
			VALUES ($1, $2)
			ON CONFLICT (customer_id) DO UPDATE SET points = d.points + excluded.points
			RETURNING customer_id)
		INSERT INTO points_debt_entry (customer_id, delta, order_id)
		SELECT customer_id, $2, $3
		FROM owed`, person, points, orderID)
	if err != nil {
		return fmt.Errorf("note points that are owed: %w", err)
	}
	return nil
}

// pay takes what a person owes from points that they have just been given.
func pay(ctx context.Context, tx pgx.Tx, person, points, orderID int64) error {
	var paid int64
	err := tx.QueryRow(ctx, `
		WITH debts AS MATERIALIZED (
			SELECT customer_id, points
			FROM points_debt
			WHERE points > 0 AND customer_id IN (SELECT member FROM person_members($1) AS member)
			ORDER BY customer_id
			FOR UPDATE),
		running AS (
			SELECT customer_id, points, sum(points) OVER (ORDER BY customer_id) - points AS before
			FROM debts),
		parts AS (
			SELECT customer_id, least(points, $2 - before)::integer AS part
			FROM running
			WHERE before < $2),
		less AS (
			UPDATE points_debt d
			SET points = d.points - p.part
			FROM parts p
			WHERE d.customer_id = p.customer_id
			RETURNING d.customer_id, p.part),
		entries AS (
			INSERT INTO points_debt_entry (customer_id, delta, order_id)
			SELECT customer_id, -part, nullif($3::bigint, 0)
			FROM less)
		SELECT coalesce(sum(part), 0)::bigint
		FROM less`, person, points, orderID).Scan(&paid)
	if err != nil {
		return fmt.Errorf("pay points that are owed: %w", err)
	}
	_, err = take(ctx, tx, taking{person: person, points: paid, cause: "debt", orderID: orderID, first: orderID})
	return err
}

// give gives points, and takes what the person owes from them at once: nobody owes points and has some to spend.
func give(ctx context.Context, tx pgx.Tx, person int64, g Grant) error {
	if err := Give(ctx, tx, g); err != nil {
		return err
	}
	return pay(ctx, tx, person, g.Points, g.OrderID)
}

// Adjust gives points that can be spent at once, or takes some, on the word of somebody on the staff. It answers how many it
// was: nobody's balance falls below zero.
func Adjust(ctx context.Context, tx pgx.Tx, a Grant) (points int64, err error) {
	a.Cause = "adjusted"
	if a.Points >= 0 {
		a.Vests = time.Now().Add(-time.Second)
		return a.Points, give(ctx, tx, a.CustomerID, a)
	}
	taken, err := take(ctx, tx, taking{person: a.CustomerID, points: -a.Points, cause: a.Cause, associateID: a.AssociateID,
		form: a.Form})
	return -taken, err
}

// Restore gives spent points back. They were spendable, so they are again, and end when they would have.
func Restore(ctx context.Context, tx pgx.Tx, customerID, points, orderID int64) error {
	var vests time.Time
	var person int64
	if err := tx.QueryRow(ctx, `
		SELECT coalesce(merged_into, id), coalesce((
			SELECT max(l.vests_at) FROM points_entry e JOIN points_lot l ON l.id = e.lot_id
			WHERE e.order_id = $2 AND e.cause = 'spent'), now() - interval '1 second')
		FROM customer
		WHERE id = $1`, customerID, orderID).Scan(&person, &vests); err != nil {
		return fmt.Errorf("read when points were spent: %w", err)
	}
	return give(ctx, tx, person, Grant{CustomerID: customerID, Points: points, Cause: "restored", OrderID: orderID, Vests: vests})
}

// Adjusted is how many points an associate gave to or took from a person in the last 24 hours, and whether a page was sent
// before.
func Adjusted(ctx context.Context, db pg.DB, person, associateID int64, form string) (points int64, again bool, err error) {
	err = db.QueryRow(ctx, `
		SELECT coalesce(sum(abs(delta)) FILTER (WHERE associate_id = $2 AND at > now() - interval '24 hours'), 0)::bigint,
			coalesce(bool_or(form = nullif($3, '')), false)
		FROM points_entry
		WHERE cause = 'adjusted' AND customer_id IN (SELECT member FROM person_members($1) AS member)`, person, associateID, form).
		Scan(&points, &again)
	if err != nil {
		return 0, false, fmt.Errorf("read what points staff gave: %w", err)
	}
	return points, again, nil
}
