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

// Balance is what a person has. Pending points can be seen, not spent.
type Balance struct{ Spendable, Pending int64 }

// BalanceOf adds up a person's points, over all of their profiles.
func BalanceOf(ctx context.Context, db pg.DB, person int64) (b Balance, err error) {
	err = db.QueryRow(ctx, `
		SELECT coalesce(sum(remaining) FILTER (WHERE vests_at <= now()), 0)::bigint,
			coalesce(sum(remaining) FILTER (WHERE vests_at > now()), 0)::bigint
		FROM points_lot
		WHERE remaining > 0 AND customer_id IN (SELECT member FROM person_members($1) AS member)`,
		person).Scan(&b.Spendable, &b.Pending)
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
	Vests       time.Time
}

// Give adds a lot. None is written of no points.
func Give(ctx context.Context, tx pgx.Tx, g Grant) error {
	if g.Points == 0 {
		return nil
	}
	_, err := tx.Exec(ctx, `
		WITH lot AS (
			INSERT INTO points_lot (customer_id, order_id, points, remaining, vests_at)
			VALUES ($1, nullif($4::bigint, 0), $2, $2, $6)
			RETURNING id)
		INSERT INTO points_entry (lot_id, customer_id, delta, cause, order_id, associate_id)
		SELECT id, $1, $2, $3, nullif($4::bigint, 0), nullif($5::bigint, 0)
		FROM lot`, g.CustomerID, g.Points, g.Cause, g.OrderID, g.AssociateID, g.Vests)
	if err != nil {
		return fmt.Errorf("give points: %w", err)
	}
	return nil
}

// ErrFew says that there are fewer points than were to be spent.
var ErrFew = errors.New("fewer points than that")

// Spend takes points from a person's vested lots, oldest first. The person is held by the caller, so two spendings
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

// Deduct takes earned points away again: first what this order earned, then the oldest others, pending or not. It
// answers how many there were; nobody's balance falls below zero.
func Deduct(ctx context.Context, tx pgx.Tx, person, points, orderID int64) (taken int64, err error) {
	return take(ctx, tx, taking{person: person, points: points, cause: "taken_back", orderID: orderID, first: orderID})
}

// taking is points that a person loses.
type taking struct {
	person, points int64
	cause          string
	orderID        int64
	first          int64 // the order whose lots go first
	vested         bool  // pending ones stay
}

func take(ctx context.Context, tx pgx.Tx, t taking) (taken int64, err error) {
	if t.points == 0 {
		return 0, nil
	}
	// The lots are held before they are added up: what is read is what is taken.
	err = tx.QueryRow(ctx, `
		WITH lots AS MATERIALIZED (
			SELECT id, customer_id, remaining, order_id
			FROM points_lot
			WHERE remaining > 0 AND (NOT $6 OR vests_at <= now()) AND customer_id IN (SELECT member
				FROM person_members($1) AS member)
			ORDER BY id
			FOR UPDATE),
		running AS (
			SELECT id, customer_id, remaining, sum(remaining) OVER (ORDER BY order_id IS DISTINCT
				FROM nullif($5::bigint, 0), id) - remaining AS before
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
			INSERT INTO points_entry (lot_id, customer_id, delta, cause, order_id)
			SELECT id, customer_id, -part, $3, $4
			FROM parts)
		SELECT coalesce(sum(part), 0)::bigint
		FROM parts`, t.person, t.points, t.cause, t.orderID, t.first, t.vested).Scan(&taken)
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

// Earn gives a customer what a handed-over part of an order earned; it can be spent when the goods cannot come back any
// more.
func Earn(ctx context.Context, tx pgx.Tx, customerID, points, orderID int64) error {
	if points == 0 {
		return nil
	}
	var vests time.Time
	if err := tx.QueryRow(ctx, `SELECT now() + make_interval(days => return_days) FROM shop`).Scan(&vests); err != nil {
		return fmt.Errorf("read how long goods can come back: %w", err)
	}
	return Give(ctx, tx, Grant{CustomerID: customerID, Points: points, Cause: "earned", OrderID: orderID, Vests: vests})
}

// Restore gives spent points back. They were spendable, so they are again.
func Restore(ctx context.Context, tx pgx.Tx, customerID, points, orderID int64) error {
	return Give(ctx, tx, Grant{CustomerID: customerID, Points: points, Cause: "restored", OrderID: orderID,
		Vests: time.Now().Add(-time.Second)})
}
