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
const slice = 500

// patient lets a slice take longer, and wait longer for somebody, than a page may.
const patient = `SET LOCAL statement_timeout = '5min'; SET LOCAL lock_timeout = '1min'`

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
	if expire {
		if err := walk(ctx, db, `
			SELECT DISTINCT customer_id FROM points_lot WHERE remaining > 0 AND customer_id > $1 ORDER BY customer_id LIMIT $2`,
			func(people []int64) error { return some(ctx, db, people, today, now) }); err != nil {
			return wrap(err)
		}
	}
	if tiers {
		if err := StandAll(ctx, db, now); err != nil {
			return err
		}
	}
	if _, err := db.Exec(ctx, `UPDATE programme SET swept_on = $1`, today); err != nil {
		return wrap(err)
	}
	_, err := db.Exec(ctx, `DELETE FROM points_warning WHERE at < $1::timestamptz - interval '400 days'`, now)
	return wrap(err)
}

// walk does something with the persons that a statement's customers are, a slice after the other. It may come to the same
// person twice, where several profiles are theirs.
func walk(ctx context.Context, db pg.DB, statement string, do func(people []int64) error) error {
	for last := int64(0); ; {
		rows, err := db.Query(ctx, `
			SELECT array_agg(DISTINCT coalesce(c.merged_into, c.id)), max(c.id)
			FROM (`+statement+`) found (id)
			JOIN customer c ON c.id = found.id`, last, slice)
		if err != nil {
			return err
		}
		found, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[struct {
			People []int64
			Last   *int64
		}])
		if err != nil || found.Last == nil {
			return err
		}
		last = *found.Last
		if err := do(found.People); err != nil {
			return err
		}
	}
}

func wrap(err error) error {
	if err != nil {
		return fmt.Errorf("end points: %w", err)
	}
	return nil
}

func some(ctx context.Context, db pg.DB, people []int64, today, now time.Time) error {
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, patient); err != nil {
			return err
		}
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
			JOIN customer c ON c.id = f.person AND c.disabled_at IS NULL AND c.erased_at IS NULL
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
	return points, give(ctx, tx, person, Grant{CustomerID: person, Points: points, Cause: "revived", Vests: now.Add(-time.Second), At: now})
}
