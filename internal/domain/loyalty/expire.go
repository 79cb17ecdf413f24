package loyalty

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"counterpart/internal/platform/jobs"
	"counterpart/internal/platform/pg"
)

// slice is how many people are looked at at once.
const slice = 5000

// lastDays are the lots of people (of all that were merged into them) that have points, with the last day on which each
// can be spent.
const lastDays = `
	member AS MATERIALIZED (
		SELECT id, coalesce(merged_into, id) AS person
		FROM customer
		WHERE id = ANY (@people) OR merged_into = ANY (@people)),
	active AS (
		SELECT m.person, max(e.at) AS at
		FROM member m
		JOIN points_entry e ON e.customer_id = m.id AND e.cause IN ('earned', 'spent', 'revived')
		WHERE (SELECT expiry FROM programme) = 'inactivity'
		GROUP BY m.person),
	lot AS (
		SELECT l.id, l.customer_id, m.person, l.remaining, points_last_day(p.expiry, p.expiry_since, p.expiry_months,
			(SELECT time_zone FROM home_location(NULL, NULL)), l.vests_at, active.at) AS last_day
		FROM member m
		JOIN points_lot l ON l.customer_id = m.id AND l.remaining > 0
		CROSS JOIN programme p
		LEFT JOIN active ON active.person = m.person)`

// Warning is the job of telling somebody that points of theirs end.
type Warning struct {
	CustomerID int64  `json:"customer_id" river:"unique"`
	EndsOn     string `json:"ends_on" river:"unique"` // a date
	Last       bool   `json:"last" river:"unique"`
}

func (Warning) Kind() string { return "points_warning" }

// Daily ends the points whose last day is over, warns of those whose last day comes, and counts where everybody stands, once
// for the day that it is where the first store is. One that was interrupted begins again: what it did is done. It looks at
// people in slices, each a transaction of its own.
func Daily(ctx context.Context, db pg.DB, now time.Time) error {
	var today time.Time
	var due, expire, tiers bool
	if err := db.QueryRow(ctx, `
		SELECT today, swept_on IS DISTINCT FROM today, expiry <> 'never', EXISTS (SELECT FROM tier WHERE archived_at IS NULL)
		FROM programme, (SELECT ($1::timestamptz AT TIME ZONE time_zone)::date AS today FROM home_location(NULL, NULL)) home`,
		now).Scan(&today, &due, &expire, &tiers); err != nil || !due {
		return wrap(err)
	}
	if tiers {
		if err := StandAll(ctx, db, now); err != nil {
			return err
		}
	}
	for last := int64(0); expire; {
		rows, err := db.Query(ctx, `
			SELECT c.id
			FROM customer c
			WHERE c.id > $1 AND c.merged_into IS NULL AND EXISTS (
				SELECT
				FROM points_lot l
				WHERE l.remaining > 0 AND l.customer_id IN (SELECT id FROM customer m WHERE m.id = c.id OR m.merged_into = c.id))
			ORDER BY c.id
			LIMIT $2`, last, slice)
		if err != nil {
			return wrap(err)
		}
		people, err := pgx.CollectRows(rows, pgx.RowTo[int64])
		if err != nil {
			return wrap(err)
		}
		if len(people) == 0 {
			break
		}
		last = people[len(people)-1]
		if err := some(ctx, db, people, today, now); err != nil {
			return wrap(err)
		}
	}
	if _, err := db.Exec(ctx, `UPDATE programme SET swept_on = $1`, today); err != nil {
		return wrap(err)
	}
	_, err := db.Exec(ctx, `DELETE FROM points_warning WHERE at < $1::timestamptz - interval '400 days'`, now)
	return wrap(err)
}

func wrap(err error) error {
	if err != nil {
		return fmt.Errorf("end points: %w", err)
	}
	return nil
}

func some(ctx context.Context, db pg.DB, people []int64, today, now time.Time) error {
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		args := pgx.NamedArgs{"people": people, "today": today, "now": now}
		rows, err := tx.Query(ctx, `WITH `+lastDays+` SELECT DISTINCT person FROM lot WHERE last_day < @today ORDER BY 1`, args)
		if err != nil {
			return err
		}
		ending, err := pgx.CollectRows(rows, pgx.RowTo[int64])
		if err != nil {
			return err
		}
		if len(ending) > 0 {
			if err := end(ctx, tx, ending, today, now); err != nil {
				return err
			}
		}
		rows, err = tx.Query(ctx, `
			WITH `+lastDays+`,
			first AS (SELECT person, min(last_day) AS day FROM lot GROUP BY person)
			INSERT INTO points_warning (customer_id, ends_on, last, at)
			SELECT f.person, f.day, f.day - @today::date <= p.warn_last, @now
			FROM first f
			CROSS JOIN programme p
			JOIN customer c ON c.id = f.person AND c.registered_at IS NOT NULL AND c.disabled_at IS NULL
			WHERE f.day BETWEEN @today::date AND @today::date + p.warn_first
			ON CONFLICT DO NOTHING
			RETURNING customer_id, ends_on::text, last`, args)
		if err != nil {
			return err
		}
		warnings, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Warning])
		if err != nil || len(warnings) == 0 {
			return err
		}
		all := make([]river.JobArgs, len(warnings))
		for i, w := range warnings {
			all[i] = w
		}
		return jobs.Insert(ctx, tx, all...)
	})
}

// end takes what is over, once nobody else changes these people: what they earned or spent until then is known. Locks are
// taken in the order of ids, as everywhere.
func end(ctx context.Context, tx pgx.Tx, people []int64, today, now time.Time) error {
	if _, err := tx.Exec(ctx, `SELECT FROM customer WHERE id = ANY ($1) OR merged_into = ANY ($1) ORDER BY id FOR UPDATE`, people); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `
		WITH `+lastDays+`,
		held AS (
			SELECT l.id, l.customer_id, l.remaining
			FROM points_lot l
			WHERE l.id IN (SELECT id FROM lot WHERE last_day < @today) AND l.remaining > 0
			ORDER BY l.id
			FOR UPDATE),
		less AS (
			UPDATE points_lot l
			SET remaining = 0, expired = l.expired + held.remaining, expired_at = @now
			FROM held
			WHERE l.id = held.id)
		INSERT INTO points_entry (lot_id, customer_id, delta, cause, at)
		SELECT id, customer_id, -remaining, 'expired', @now
		FROM held`, pgx.NamedArgs{"people": people, "today": today, "now": now})
	return err
}

// Revivable is how many points that ended a visit brings back, at a time, and until when it can.
func Revivable(ctx context.Context, db pg.DB, person int64, now time.Time) (points int64, until *time.Time, err error) {
	err = db.QueryRow(ctx, `
		SELECT coalesce(sum(l.expired), 0)::bigint, min(l.expired_at + make_interval(days => p.grace_days))
		FROM points_lot l
		CROSS JOIN programme p
		WHERE l.expired > 0 AND l.revived_at IS NULL AND l.expired_at > $2::timestamptz - make_interval(days => p.grace_days)
			AND l.customer_id IN (SELECT member FROM person_members($1) AS member)`, person, now).Scan(&points, &until)
	if err != nil {
		return 0, nil, fmt.Errorf("read what points ended: %w", err)
	}
	return points, until, nil
}

// Revive brings back points of a person that ended within the time of grace: they visit. Each comes back once; they live as
// if they were new. It answers how many they were.
func Revive(ctx context.Context, tx pgx.Tx, person int64, now time.Time) (points int64, err error) {
	err = tx.QueryRow(ctx, `
		WITH held AS (
			SELECT l.id
			FROM points_lot l
			CROSS JOIN programme p
			WHERE l.expired > 0 AND l.revived_at IS NULL AND l.expired_at > $2::timestamptz - make_interval(days => p.grace_days)
				AND l.customer_id IN (SELECT member FROM person_members($1) AS member)
			ORDER BY l.id
			FOR UPDATE OF l),
		back AS (
			UPDATE points_lot l
			SET revived_at = $2
			FROM held
			WHERE l.id = held.id
			RETURNING l.expired)
		SELECT coalesce(sum(expired), 0)::bigint FROM back`, person, now).Scan(&points)
	if err != nil {
		return 0, fmt.Errorf("bring points back: %w", err)
	}
	return points, Give(ctx, tx, Grant{CustomerID: person, Points: points, Cause: "revived", Vests: now.Add(-time.Second), At: now})
}
