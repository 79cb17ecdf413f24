package loyalty

import (
	"context"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/jobs"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/text"
)

// What a tier is reached by, in 12 months.
const (
	ByPoints = "points"
	BySpend  = "spend"
	ByVisits = "visits" // days with an order
	ByGrant  = "grant"  // staff give it
)

// Tier of the programme. Threshold is points, minor units of Currency, or days.
type Tier struct {
	ID         int64
	Title      string
	Position   int // the higher, the better
	Counts     string
	Threshold  int64
	Currency   string
	Benefit    string // in a few words: “delivery is free”
	ReturnDays int    // more than others have
	Contact    string // whom they can call
	Version    int
	Holders    int `db:"-"`
}

const tierColumns = `id, title, position, counts, coalesce(threshold, 0) AS threshold, coalesce(currency::text, '') AS currency, benefit,
	return_days, contact, version`

// Tiers are all of them, the best first.
func Tiers(ctx context.Context, db pg.DB) ([]Tier, error) {
	rows, err := db.Query(ctx, `SELECT `+tierColumns+` FROM tier WHERE archived_at IS NULL ORDER BY position DESC, id`)
	if err != nil {
		return nil, fmt.Errorf("read tiers: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[Tier])
}

// TierByID is one that is not archived, or nil.
func TierByID(ctx context.Context, db pg.DB, id int64) (*Tier, error) {
	rows, err := db.Query(ctx, `SELECT `+tierColumns+` FROM tier WHERE id = $1 AND archived_at IS NULL`, id)
	if err != nil {
		return nil, fmt.Errorf("read a tier: %w", err)
	}
	t, err := pgx.CollectExactlyOneRow(rows, pgx.RowToAddrOfStructByName[Tier])
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	return t, err
}

// SaveTier writes one, new or changed where nobody changed it since it was read. Everybody's standing is counted anew within
// the hour. One whose title changes takes it along to those who hold it; prices and promotions name tiers by title.
func SaveTier(ctx context.Context, tx pgx.Tx, t *Tier) error {
	var form fault.Form
	if t.Title = text.Clean(t.Title, 31); t.Title == "" || utf8.RuneCountInString(t.Title) > 30 {
		form.Add("title", "Enter a name, up to 30 characters.")
	}
	if t.Benefit = text.Clean(t.Benefit, 81); utf8.RuneCountInString(t.Benefit) > 80 {
		form.Add("benefit", "Use up to 80 characters.")
	}
	if t.Contact = text.Clean(t.Contact, 101); utf8.RuneCountInString(t.Contact) > 100 {
		form.Add("contact", "Use up to 100 characters.")
	}
	switch t.Counts {
	case ByPoints, BySpend, ByVisits:
		if t.Threshold < 1 || t.Threshold > 10_000_000_000 {
			form.Add("threshold", "Enter a number above zero.")
		}
	case ByGrant:
		t.Threshold = 0
	default:
		form.Add("counts", "Choose how the tier is reached.")
	}
	if t.Counts != BySpend {
		t.Currency = ""
	}
	if t.Counts == BySpend {
		var known bool
		if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM price_list WHERE currency = $1)`, t.Currency).Scan(&known); err != nil {
			return fmt.Errorf("read currencies: %w", err)
		}
		if !known {
			form.Add("currency", "Choose a currency of the shop.")
		}
	}
	if t.ReturnDays < 0 || t.ReturnDays > 365 {
		form.Add("return_days", "Enter days, from 0 to 365.")
	}
	if t.Position < 1 || t.Position > 99 {
		form.Add("position", "Enter a number from 1 to 99.")
	}
	if err := form.Err(); err != nil {
		return err
	}
	args := pgx.NamedArgs{"id": t.ID, "title": t.Title, "position": t.Position, "counts": t.Counts, "threshold": t.Threshold,
		"currency": t.Currency, "benefit": t.Benefit, "days": t.ReturnDays, "contact": t.Contact, "version": t.Version}
	var err error
	if t.ID == 0 {
		err = tx.QueryRow(ctx, `
			INSERT INTO tier (title, position, counts, threshold, currency, benefit, return_days, contact)
			VALUES (@title, @position, @counts, nullif(@threshold::bigint, 0), nullif(@currency, ''), @benefit, @days, @contact)
			RETURNING id, version`, args).Scan(&t.ID, &t.Version)
	} else {
		err = tx.QueryRow(ctx, `
			UPDATE tier
			SET title = @title, position = @position, counts = @counts, threshold = nullif(@threshold::bigint, 0),
				currency = nullif(@currency, ''), benefit = @benefit, return_days = @days, contact = @contact, version = version + 1
			WHERE id = @id AND version = @version AND archived_at IS NULL
			RETURNING version`, args).Scan(&t.Version)
	}
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return fault.New(fault.Conflict, "Someone else has changed this tier meanwhile. Save again to replace what they did, or open it afresh to see it.")
	case pg.Violates(err, "tier_title"):
		return fault.Field("title", "There is another tier with this name.")
	case err != nil:
		return fmt.Errorf("save a tier: %w", err)
	}
	if _, err := tx.Exec(ctx, `
		UPDATE customer
		SET tier = $2
		WHERE id IN (
			SELECT c.id
			FROM standing s
			JOIN customer c ON c.id = s.customer_id AND c.merged_into IS NULL AND c.tier <> $2
			WHERE s.tier_id = $1
			ORDER BY c.id
			FOR NO KEY UPDATE OF c)`, t.ID, t.Title); err != nil {
		return fmt.Errorf("name a tier on those who hold it: %w", err)
	}
	return standAgain(ctx, tx)
}

// ArchiveTier takes a tier out of the programme: whoever holds it holds the next that they reached.
func ArchiveTier(ctx context.Context, tx pgx.Tx, id int64) error {
	tag, err := tx.Exec(ctx, `UPDATE tier SET archived_at = now() WHERE id = $1 AND archived_at IS NULL`, id)
	if err != nil {
		return fmt.Errorf("archive a tier: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return fault.New(fault.NotFound, "There is no such tier.")
	}
	return standAgain(ctx, tx)
}

// standAgain has everybody's standing counted anew, by a job.
func standAgain(ctx context.Context, tx pgx.Tx) error { return jobs.Insert(ctx, tx, Standing{}) }

// Moved has a person's standing counted anew soon, where the programme has tiers: they bought, or brought something back.
func Moved(ctx context.Context, tx pgx.Tx, customerID int64) error {
	var person int64
	err := tx.QueryRow(ctx, `
		SELECT coalesce(merged_into, id) FROM customer
		WHERE id = $1 AND EXISTS (SELECT FROM tier WHERE archived_at IS NULL)`, customerID).Scan(&person)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read whose tier to count: %w", err)
	}
	return jobs.Insert(ctx, tx, Standing{CustomerID: person})
}

// Standing is the job of counting where a person stands; 0: everybody.
type Standing struct {
	CustomerID int64 `json:"customer_id"`
}

func (Standing) Kind() string { return "standing" }

// GrantTier gives somebody a tier, up to and including a day where it has an end; the tier that was given before ends. 0
// takes it away.
func GrantTier(ctx context.Context, tx pgx.Tx, person, tierID, associateID int64, until *time.Time) error {
	if _, err := tx.Exec(ctx, `
		UPDATE tier_grant SET ended_at = now()
		WHERE ended_at IS NULL AND customer_id IN (SELECT member FROM person_members($1) AS member)`, person); err != nil {
		return fmt.Errorf("end a tier that was given: %w", err)
	}
	if tierID != 0 {
		tag, err := tx.Exec(ctx, `
			INSERT INTO tier_grant (customer_id, tier_id, until, associate_id)
			SELECT $1, id, $3, nullif($4::bigint, 0) FROM tier WHERE id = $2 AND archived_at IS NULL`, person, tierID, until, associateID)
		if err != nil {
			return fmt.Errorf("give a tier: %w", err)
		}
		if tag.RowsAffected() == 0 {
			return fault.Field("tier", "There is no such tier any more. Choose again.")
		}
	}
	return stand(ctx, tx, []int64{person}, time.Now())
}

// Stand counts anew where people stand, at a time.
func Stand(ctx context.Context, db pg.DB, people []int64, now time.Time) error {
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, patient); err != nil {
			return fmt.Errorf("count tiers: %w", err)
		}
		return stand(ctx, tx, people, now)
	})
}

// StandAll counts it of everybody, in slices, each a transaction of its own.
func StandAll(ctx context.Context, db pg.DB, now time.Time) error {
	err := walk(ctx, db, `
		SELECT id FROM (SELECT DISTINCT customer_id AS id FROM orders WHERE customer_id > $1 ORDER BY 1 LIMIT $2) bought
		UNION
		SELECT id FROM (SELECT customer_id AS id FROM standing WHERE customer_id > $1 ORDER BY 1 LIMIT $2) stands
		UNION
		SELECT id FROM (SELECT DISTINCT customer_id AS id FROM tier_grant WHERE customer_id > $1 ORDER BY 1 LIMIT $2) given
		ORDER BY id
		LIMIT $2`, func(people []int64) error { return Stand(ctx, db, people, now) })
	if err != nil {
		return fmt.Errorf("count everybody's tier: %w", err)
	}
	return nil
}

// standing counts where @people stand @now, and answers whose tier ends within 30 days and was not said to. It is one
// statement for one person and for everybody, so that a count anew is the same. What counts is what was kept of orders, at
// the time they were placed: so facts may come in any order. A tier is reached by the order with which the twelve months up
// to it come to the threshold, and kept for twelve months after the last such order, and a month of grace.
const standing = `
	WITH home AS MATERIALIZED (
		SELECT time_zone AS zone, (@now::timestamptz AT TIME ZONE time_zone)::date AS today FROM home_location(NULL, NULL)),
	member AS MATERIALIZED (
		SELECT id, coalesce(merged_into, id) AS person
		FROM customer
		WHERE (id = ANY (@people) OR merged_into = ANY (@people)) AND erased_at IS NULL),
	bought AS MATERIALIZED (
		SELECT m.person, o.id, o.currency::text AS currency, o.placed_at AS at, sum(u.paid) AS paid, sum(u.points) AS points
		FROM member m
		JOIN orders o ON o.customer_id = m.id AND o.placed_at <= @now
		JOIN order_line l ON l.order_id = o.id
		JOIN order_unit u ON u.order_line_id = l.id AND u.state IN ('collected', 'carried_out', 'shipped')
		WHERE NOT EXISTS (SELECT FROM returned_unit r WHERE r.order_line_id = u.order_line_id AND r.n = u.n)
		GROUP BY m.person, o.id),
	fact AS (
		SELECT person, 'points' AS counts, '' AS currency, at, points::bigint AS amount FROM bought
		UNION ALL
		SELECT person, 'spend', currency, at, paid::bigint FROM bought
		UNION ALL
		SELECT person, 'visits', '', min(at), 1 FROM bought, home GROUP BY person, (at AT TIME ZONE zone)::date),
	rolling AS (
		SELECT person, counts, currency, at, sum(amount) OVER (PARTITION BY person, counts, currency ORDER BY at
			RANGE BETWEEN interval '12 months' PRECEDING AND CURRENT ROW) AS total
		FROM fact),
	reached AS (
		SELECT r.person, t.id, t.position, ((max(r.at) AT TIME ZONE zone)::date + interval '12 months')::date AS kept_until
		FROM rolling r
		JOIN tier t ON t.archived_at IS NULL AND t.counts = r.counts AND coalesce(t.currency::text, '') = r.currency
			AND r.total >= t.threshold
		CROSS JOIN home
		GROUP BY r.person, t.id, zone),
	held AS (
		SELECT person, id, position, kept_until, (kept_until + interval '1 month')::date AS ends_on, false AS granted
		FROM reached
		UNION ALL
		SELECT m.person, t.id, t.position, g.until, g.until, true
		FROM member m
		JOIN tier_grant g ON g.customer_id = m.id AND g.ended_at IS NULL
		JOIN tier t ON t.id = g.tier_id AND t.archived_at IS NULL),
	best AS (
		SELECT DISTINCT ON (person) held.*
		FROM held, home
		WHERE ends_on IS NULL OR ends_on >= today
		ORDER BY person, position DESC, ends_on DESC NULLS FIRST, granted),
	total AS (
		SELECT person, counts, currency, sum(amount) AS amount, min(at) AS oldest
		FROM fact
		WHERE at > @now::timestamptz - interval '12 months'
		GROUP BY person, counts, currency),
	next AS (
		SELECT DISTINCT ON (m.person) m.person, t.id, t.threshold - coalesce(total.amount, 0) AS gap,
			((total.oldest AT TIME ZONE zone)::date + interval '12 months')::date - 1 AS gap_by
		FROM (SELECT DISTINCT person FROM member) m
		CROSS JOIN home
		LEFT JOIN best ON best.person = m.person
		JOIN tier t ON t.archived_at IS NULL AND t.counts <> 'grant' AND t.position > coalesce(best.position, 0)
		LEFT JOIN total ON total.person = m.person AND total.counts = t.counts AND total.currency = coalesce(t.currency::text, '')
		WHERE t.threshold > coalesce(total.amount, 0)
		ORDER BY m.person, t.position, t.id),
	stood AS (
		INSERT INTO standing AS s (customer_id, tier_id, since, kept_until, ends_on, granted, next_id, gap, gap_by)
		SELECT m.person, best.id, @now, best.kept_until, best.ends_on, coalesce(best.granted, false), next.id, next.gap, next.gap_by
		FROM (SELECT DISTINCT person FROM member) m
		LEFT JOIN best ON best.person = m.person
		LEFT JOIN next ON next.person = m.person
		ON CONFLICT (customer_id) DO UPDATE
		SET tier_id = excluded.tier_id, kept_until = excluded.kept_until, ends_on = excluded.ends_on, granted = excluded.granted,
			next_id = excluded.next_id, gap = excluded.gap, gap_by = excluded.gap_by,
			since = CASE WHEN s.tier_id IS DISTINCT FROM excluded.tier_id THEN excluded.since ELSE s.since END
		WHERE (s.tier_id, s.kept_until, s.ends_on, s.granted, s.next_id, s.gap, s.gap_by) IS DISTINCT FROM (excluded.tier_id,
			excluded.kept_until, excluded.ends_on, excluded.granted, excluded.next_id, excluded.gap, excluded.gap_by)),
	named AS (
		UPDATE customer c
		SET tier = coalesce(t.title, '')
		FROM (SELECT DISTINCT person FROM member) m
		LEFT JOIN best ON best.person = m.person
		LEFT JOIN tier t ON t.id = best.id
		WHERE c.id = m.person AND c.tier <> coalesce(t.title, ''))
	SELECT best.person, best.kept_until
	FROM best
	CROSS JOIN home
	JOIN customer c ON c.id = best.person AND c.disabled_at IS NULL
	LEFT JOIN standing s ON s.customer_id = best.person
	WHERE NOT best.granted AND best.kept_until BETWEEN today AND today + 30 AND s.warned_for IS DISTINCT FROM best.kept_until`

// stand counts it, and has people told whose tier ends. Nobody else changes these people meanwhile.
func stand(ctx context.Context, tx pgx.Tx, people []int64, now time.Time) error {
	args := pgx.NamedArgs{"people": people, "now": now}
	if _, err := tx.Exec(ctx, `SELECT FROM customer WHERE id = ANY (@people) ORDER BY id FOR NO KEY UPDATE`, args); err != nil {
		return fmt.Errorf("hold whose tier is counted: %w", err)
	}
	rows, err := tx.Query(ctx, standing, args)
	if err != nil {
		return fmt.Errorf("count tiers: %w", err)
	}
	ending, err := pgx.CollectRows(rows, pgx.RowToStructByPos[struct {
		Person int64
		Until  time.Time
	}])
	if err != nil {
		return fmt.Errorf("count tiers: %w", err)
	}
	var all []river.JobArgs
	for _, e := range ending {
		if _, err := tx.Exec(ctx, `UPDATE standing SET warned_for = $2 WHERE customer_id = $1`, e.Person, e.Until); err != nil {
			return fmt.Errorf("note a warning of a tier's end: %w", err)
		}
		all = append(all, TierWarning{CustomerID: e.Person, KeptUntil: e.Until.Format(time.DateOnly)})
	}
	if len(all) == 0 {
		return nil
	}
	return jobs.Insert(ctx, tx, all...)
}

// TierWarning is the job of telling somebody that their tier ends.
type TierWarning struct {
	CustomerID int64  `json:"customer_id" river:"unique"`
	KeptUntil  string `json:"kept_until" river:"unique"`
}

func (TierWarning) Kind() string { return "tier_warning" }

// Stands is where somebody stands: their tier, how long they keep it, and how far the next is. Gap is points, minor units or
// days, as the next tier counts.
type Stands struct {
	Title      string // empty: none yet
	Benefit    string
	Contact    string
	Granted    bool
	KeptUntil  *time.Time
	EndsOn     *time.Time // with the month of grace
	Next       string     // empty: there is none
	NextCounts string
	Currency   string // of Gap, where it is money
	NextGives  string
	Gap        int64
	GapBy      *time.Time
}

// StandsQuery reads it of @person.
const StandsQuery = `
	SELECT coalesce(t.title, '') AS title, coalesce(t.benefit, '') AS benefit, coalesce(t.contact, '') AS contact, s.granted,
		s.kept_until, s.ends_on, coalesce(n.title, '') AS next, coalesce(n.counts, '') AS next_counts,
		coalesce(n.currency::text, '') AS currency, coalesce(n.benefit, '') AS next_gives, coalesce(s.gap, 0) AS gap, s.gap_by
	FROM standing s
	LEFT JOIN tier t ON t.id = s.tier_id
	LEFT JOIN tier n ON n.id = s.next_id AND n.archived_at IS NULL
	WHERE s.customer_id = @person`

// StandingOf is where a person stands; nil: it was never counted.
func StandingOf(ctx context.Context, db pg.DB, person int64) (*Stands, error) {
	rows, err := db.Query(ctx, StandsQuery, pgx.NamedArgs{"person": person})
	if err != nil {
		return nil, fmt.Errorf("read where somebody stands: %w", err)
	}
	s, err := pgx.CollectExactlyOneRow(rows, pgx.RowToAddrOfStructByName[Stands])
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	return s, err
}
