// Package outreach decides whether somebody may be written to about what is not owed to them, and keeps what was
// written and why. Messages about orders, security and law do not come here.
package outreach

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/catalog"
	"counterpart/internal/domain/customer"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/pg"
)

// Reasons why a message waits or is refused.
const (
	NoConsent = "no_consent" // they did not agree to it, or no longer
	NotTheirs = "not_theirs" // the address is not proven to be theirs
	Gone      = "gone"       // they are forgotten, or suspended
	Complaint = "complaint"  // an alert on their profile is open
	Bought    = "bought"     // they have bought it since
	Returned  = "returned"   // they have brought it back
	Quiet     = "quiet"      // it is night where they are
	Often     = "often"      // they were written to lately
	Outdated  = "outdated"   // what it says is no longer so
	Failing   = "failing"    // no server took it yet
	Failed    = "failed"     // and none will
)

// Kinds of message.
const (
	Back     = "back"
	Price    = "price"
	Personal = "personal" // an associate wrote it
)

// Letter is a message that is not owed, as far as the decision needs it.
type Letter struct {
	Person   int64
	Medium   string // customer.ByMail or customer.BySMS
	To       string
	WatchID  int64   // what they asked for: this is the consent; 0: it needs consent to marketing
	Products []int64 // what it is about
	Since    time.Time
}

// Verdict says whether it may go now. Of one that may not, Until is when to ask again; the zero time: it is refused.
type Verdict struct {
	Reason string // empty: it may
	Until  time.Time
}

// Held is the error of a message that may not go.
type Held struct{ Verdict }

func (h *Held) Error() string { return "held back: " + h.Reason }

// Rule is when, and how often, people are written to. Minutes are after midnight where they are.
type Rule struct {
	QuietFrom, QuietUntil int
	Most, Days            int
}

// RuleOf reads the shop's.
func RuleOf(ctx context.Context, db pg.DB) (r Rule, err error) {
	err = db.QueryRow(ctx, `SELECT quiet_from, quiet_until, most, days FROM outreach_rule`).Scan(&r.QuietFrom, &r.QuietUntil,
		&r.Most, &r.Days)
	if err != nil {
		return r, fmt.Errorf("read when people are written to: %w", err)
	}
	return r, nil
}

// SetRule writes it.
func SetRule(ctx context.Context, tx pgx.Tx, r Rule) error {
	var form fault.Form
	if r.Most < 1 || r.Most > 50 {
		form.Add("most", "Enter a whole number from 1 to 50.")
	}
	if r.Days < 1 || r.Days > 90 {
		form.Add("days", "Enter a whole number from 1 to 90.")
	}
	if err := form.Err(); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `UPDATE outreach_rule SET quiet_from = $1, quiet_until = $2, most = $3, days = $4`, r.QuietFrom,
		r.QuietUntil, r.Most, r.Days)
	if err != nil {
		return fmt.Errorf("write when people are written to: %w", err)
	}
	return nil
}

// facts are what is asked of the database, at once.
type facts struct {
	Gone, Agreed, Theirs, Complaint, Bought, Returned bool
	Zone                                              string
	Oldest                                            *time.Time // of the last Most messages within Days
	Today                                             int        // messages in 24 hours
}

// mostAsked is how many messages of any kind somebody gets in 24 hours, whatever they asked for.
const mostAsked = 5

// May decides. One process at a time sends, so that two messages do not both find room.
func May(ctx context.Context, db pg.DB, l Letter, now time.Time) (Verdict, error) {
	rule, err := RuleOf(ctx, db)
	if err != nil {
		return Verdict{}, err
	}
	products := l.Products
	if products == nil {
		products = []int64{}
	}
	rows, err := db.Query(ctx, `
		WITH me AS MATERIALIZED (SELECT ARRAY(SELECT member FROM person_members(@person) AS member) AS ids),
		kept AS (
			SELECT EXISTS (
					SELECT FROM returned_unit r WHERE r.order_line_id = u.order_line_id AND r.n = u.n) AS back, o.placed_at
			FROM me
			JOIN orders o ON o.customer_id = ANY (me.ids) AND o.state <> 'cancelled'
			JOIN order_line l ON l.order_id = o.id
			JOIN order_unit u ON u.order_line_id = l.id AND u.state <> 'cancelled'
			JOIN variant v ON v.id = l.variant_id AND v.product_id = ANY (@products::bigint[]))
		SELECT NOT EXISTS (
				SELECT FROM customer c WHERE c.id = @person AND c.merged_into IS NULL AND c.erased_at IS NULL
					AND c.disabled_at IS NULL) AS gone,
			CASE WHEN @watch::bigint > 0 THEN EXISTS (
				SELECT FROM watch w, me WHERE w.id = @watch AND w.customer_id = ANY (me.ids) AND w.ended_at IS NULL)
				ELSE consented(@person, 'marketing', @medium) END AS agreed,
			CASE WHEN @watch > 0 THEN EXISTS (
				SELECT FROM watch w WHERE w.id = @watch AND w.target = @to AND w.medium = @medium AND w.proven_at IS NOT NULL)
				ELSE EXISTS (
				SELECT FROM identity i, me WHERE i.customer_id = ANY (me.ids) AND i.value = @to AND i.verified_at IS NOT NULL
					AND i.kind = CASE @medium WHEN 'sms' THEN 'phone' ELSE 'email' END) END AS theirs,
			EXISTS (
				SELECT FROM note n, me WHERE n.customer_id = ANY (me.ids) AND n.kind = 'alert' AND n.closed_at IS NULL) AS complaint,
			EXISTS (SELECT FROM kept WHERE NOT back AND placed_at > @since) AS bought,
			EXISTS (SELECT FROM kept WHERE back) AND NOT EXISTS (SELECT FROM kept WHERE NOT back) AS returned,
			coalesce((
				SELECT h.time_zone FROM customer c, home_location(c.location_id, NULL) h WHERE c.id = @person), 'UTC') AS zone,
			(SELECT min(sent_at) FROM (
				SELECT o.sent_at FROM outreach o, me
				WHERE o.customer_id = ANY (me.ids) AND o.state = 'sent' AND o.sent_at > @now::timestamptz - make_interval(days => @days)
				ORDER BY o.sent_at DESC
				LIMIT @most) last
			HAVING count(*) >= @most) AS oldest,
			(SELECT count(*) FROM outreach o, me
				WHERE o.customer_id = ANY (me.ids) AND o.state = 'sent' AND o.sent_at > @now::timestamptz - interval '1 day')::int AS today`, pgx.NamedArgs{"person": l.Person, "products": products, "watch": l.WatchID,
		"medium": l.Medium, "to": l.To, "since": l.Since, "days": rule.Days, "most": rule.Most, "now": now})
	if err != nil {
		return Verdict{}, fmt.Errorf("ask whether somebody may be written to: %w", err)
	}
	f, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[facts])
	if err != nil {
		return Verdict{}, fmt.Errorf("ask whether somebody may be written to: %w", err)
	}
	return f.verdict(l, rule, now), nil
}

func (f facts) verdict(l Letter, rule Rule, now time.Time) Verdict {
	switch {
	case f.Gone:
		return Verdict{Reason: Gone}
	case !f.Theirs:
		return Verdict{Reason: NotTheirs}
	case !f.Agreed:
		return Verdict{Reason: NoConsent}
	case f.Bought:
		return Verdict{Reason: Bought}
	case f.Returned && l.WatchID == 0: // Who asks to hear of it again has changed their mind.
		return Verdict{Reason: Returned}
	case f.Complaint:
		return Verdict{Complaint, now.Add(24 * time.Hour)}
	}
	if until := rule.quiet(now, zone(f.Zone)); !until.IsZero() {
		return Verdict{Quiet, until}
	}
	// What they asked for counts and does not wait: it would be over. But nobody wants a hundred when a sale begins.
	if f.Today >= mostAsked && l.WatchID != 0 {
		return Verdict{Often, now.Add(6 * time.Hour)}
	}
	if f.Oldest != nil && l.WatchID == 0 {
		return Verdict{Often, f.Oldest.Add(time.Duration(rule.Days) * 24 * time.Hour)}
	}
	return Verdict{}
}

func zone(name string) *time.Location {
	at, err := time.LoadLocation(name)
	if err != nil {
		return time.UTC
	}
	return at
}

// quiet is until when the night lasts; the zero time: it is day.
func (r Rule) quiet(now time.Time, at *time.Location) time.Time {
	local := now.In(at)
	minute := local.Hour()*60 + local.Minute()
	night := minute >= r.QuietFrom && minute < r.QuietUntil
	if r.QuietFrom > r.QuietUntil {
		night = minute >= r.QuietFrom || minute < r.QuietUntil
	}
	if !night {
		return time.Time{}
	}
	until := time.Date(local.Year(), local.Month(), local.Day(), r.QuietUntil/60, r.QuietUntil%60, 0, 0, at)
	if !until.After(now) {
		until = time.Date(local.Year(), local.Month(), local.Day()+1, r.QuietUntil/60, r.QuietUntil%60, 0, 0, at)
	}
	return until
}

// Waiting is a message whose time has come.
type Waiting struct {
	ID, Person, WatchID  int64
	Kind, Medium, Target string
	Products             []int64
	Body, Link           string
	Language             string
	Name                 string
	Title, Choice        string // of what was watched
	Slug, SKU            string
	Store, Associate     string
	Price, Was           int64
	Currency             string
	AskedAt              time.Time
	Stands               bool // it is still so
	Tries                int  // that failed
}

// lease is how long whoever claimed a message has it: longer than a server may take for it.
const lease = 10 * time.Minute

// Next claims the next message that is due, for some minutes: it is sent without holding anything. Nil when there is
// none.
func Next(ctx context.Context, db pg.DB, now time.Time) (w *Waiting, err error) {
	err = pg.InTx(ctx, db, func(tx pgx.Tx) error {
		w, err = next(ctx, tx, now)
		return err
	})
	return w, err
}

func next(ctx context.Context, tx pgx.Tx, now time.Time) (*Waiting, error) {
	var id, person int64
	err := tx.QueryRow(ctx, `
		UPDATE outreach o
		SET due_at = $2
		FROM customer m
		WHERE m.id = o.customer_id AND o.id = (
			SELECT id FROM outreach
			WHERE state = 'waiting' AND due_at <= $1
			ORDER BY due_at, id
			LIMIT 1
			FOR UPDATE SKIP LOCKED)
		RETURNING o.id, coalesce(m.merged_into, m.id)`, now, now.Add(lease)).Scan(&id, &person)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("claim the next message: %w", err)
	}
	rows, err := tx.Query(ctx, `
		SELECT o.id, $2::bigint AS person, coalesce(o.watch_id, 0) AS watch_id, o.kind, o.medium, o.target, o.products, o.body,
			o.link, c.language, c.name, coalesce(t.title, '') AS title, coalesce(array_to_string(v.options, ', '), '') AS choice,
			coalesce(p.slug, '') AS slug, coalesce(v.sku, '') AS sku, coalesce(l.name, '') AS store,
			coalesce(a.name, '') AS associate, coalesce(price.amount, 0) AS price, coalesce(w.price, 0) AS was,
			coalesce(w.currency, '')::text AS currency, coalesce(w.asked_at, o.made_at) AS asked_at,
			w.id IS NULL OR `+due+` AS stands, o.tries
		FROM outreach o
		JOIN customer c ON c.id = $2
		LEFT JOIN watch w ON w.id = o.watch_id
		LEFT JOIN variant v ON v.id = w.variant_id
		LEFT JOIN product p ON p.id = v.product_id
		LEFT JOIN LATERAL (
			SELECT title FROM product_text WHERE product_id = p.id
			ORDER BY language = c.language DESC, language = 'en' DESC LIMIT 1) t ON true
		LEFT JOIN location l ON l.id = o.location_id
		LEFT JOIN associate a ON a.id = o.associate_id
		LEFT JOIN price_list list ON list.currency = l.currency AND list.tax_included = l.tax_included`+catalog.NowOn+`
		WHERE o.id = $1`, id, person)
	if err != nil {
		return nil, fmt.Errorf("read a message: %w", err)
	}
	w, err := pgx.CollectExactlyOneRow(rows, pgx.RowToAddrOfStructByName[Waiting])
	if err != nil {
		return nil, fmt.Errorf("read a message: %w", err)
	}
	return w, nil
}

// Sent keeps that it went; what they asked for is done with, also where they asked as two.
func (w *Waiting) Sent(ctx context.Context, db pg.DB, now time.Time) error {
	_, err := db.Exec(ctx, `
		WITH sent AS (
			UPDATE outreach SET state = 'sent', sent_at = $3, reason = '' WHERE id = $1)
		UPDATE watch other
		SET ended_at = now(), ended = 'told'
		FROM watch own
		WHERE own.id = $2 AND other.variant_id = own.variant_id AND other.kind = own.kind AND other.ended_at IS NULL
			AND other.customer_id IN (SELECT member FROM person_members($4) AS member)`, w.ID, w.WatchID, now, w.Person)
	if err != nil {
		return fmt.Errorf("keep that a message went: %w", err)
	}
	return nil
}

// most tries of a message; after the first it waits for a quarter of an hour, then twice as long each time.
const mostTries = 8

// Failed keeps that no server took it: it is tried again, and given up in the end.
func (w *Waiting) Failed(ctx context.Context, db pg.DB, now time.Time) error {
	_, err := db.Exec(ctx, `
		UPDATE outreach
		SET tries = tries + 1, due_at = $3, reason = CASE WHEN tries + 1 >= $2 THEN $5 ELSE $4 END,
			state = CASE WHEN tries + 1 >= $2 THEN 'refused' ELSE state END
		WHERE id = $1`, w.ID, mostTries, now.Add(15*time.Minute<<w.Tries), Failing, Failed)
	if err != nil {
		return fmt.Errorf("keep that a message failed: %w", err)
	}
	return nil
}

// Hold keeps that it did not go: until later, or for good. What is no longer so is taken away, and said when it is so again.
func (w *Waiting) Hold(ctx context.Context, db pg.DB, v Verdict) error {
	var err error
	switch {
	case v.Reason == Outdated:
		_, err = db.Exec(ctx, `DELETE FROM outreach WHERE id = $1`, w.ID)
	case v.Until.IsZero():
		_, err = db.Exec(ctx, `
			WITH refused AS (
				UPDATE outreach SET state = 'refused', reason = $2 WHERE id = $1)
			UPDATE watch SET ended_at = now(), ended = 'lapsed' WHERE id = $3 AND ended_at IS NULL`, w.ID, v.Reason, w.WatchID)
	default:
		_, err = db.Exec(ctx, `UPDATE outreach SET due_at = $2, reason = $3 WHERE id = $1`, w.ID, v.Until, v.Reason)
	}
	if err != nil {
		return fmt.Errorf("hold a message back: %w", err)
	}
	return nil
}

// Release lets go what waited because something was to be put right with a person, where nothing is any more.
func Release(ctx context.Context, tx pgx.Tx, person int64) error {
	_, err := tx.Exec(ctx, `
		UPDATE outreach
		SET due_at = now(), reason = ''
		WHERE state = 'waiting' AND reason = $2 AND customer_id IN (SELECT member FROM person_members($1) AS member)
			AND NOT EXISTS (
				SELECT FROM note WHERE customer_id IN (SELECT member FROM person_members($1) AS member) AND kind = 'alert'
					AND closed_at IS NULL)`, person, Complaint)
	if err != nil {
		return fmt.Errorf("release messages: %w", err)
	}
	return nil
}

// Keep is for how long messages and what was asked for are kept once they are over.
const Keep = 365 * 24 * time.Hour

// Unproven is for how long a link to an address may wait to be opened.
const Unproven = 7 * 24 * time.Hour

// Sweep takes away what is too old: what waited for a year is not to come.
func Sweep(ctx context.Context, db pg.DB) error {
	_, err := db.Exec(ctx, `
		WITH old AS (
			DELETE FROM outreach WHERE made_at < now() - $1::interval)
		DELETE FROM watch w
		WHERE (w.proven_at IS NULL AND w.asked_at < now() - $2::interval OR w.asked_at < now() - $1::interval)
			AND NOT EXISTS (SELECT FROM outreach o WHERE o.watch_id = w.id AND o.made_at >= now() - $1::interval)`, Keep, Unproven)
	if err != nil {
		return fmt.Errorf("take away old messages: %w", err)
	}
	return nil
}

// Media of a person: what they proved, the newest first.
func Media(ctx context.Context, db pg.DB, person int64) (email, phone string, err error) {
	err = db.QueryRow(ctx, `
		SELECT coalesce((
				SELECT value FROM identity WHERE customer_id IN (`+customer.Members+`) AND kind = 'email'
					AND verified_at IS NOT NULL ORDER BY verified_at DESC LIMIT 1), ''),
			coalesce((
				SELECT value FROM identity WHERE customer_id IN (`+customer.Members+`) AND kind = 'phone'
					AND verified_at IS NOT NULL ORDER BY verified_at DESC LIMIT 1), '')`, pgx.NamedArgs{"person": person}).
		Scan(&email, &phone)
	if err != nil {
		return "", "", fmt.Errorf("read where to write to somebody: %w", err)
	}
	return email, phone, nil
}

// Write queues what an associate wrote on a form; sent twice, it is queued once.
func Write(ctx context.Context, tx pgx.Tx, w Waiting, associateID, locationID int64, form string) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO outreach (customer_id, kind, medium, target, associate_id, location_id, products, body, link, form)
		VALUES ($1, 'personal', $2, $3, nullif($4::bigint, 0), nullif($5::bigint, 0), $6, $7, $8, nullif($9, ''))
		ON CONFLICT (form) DO NOTHING`, w.Person, w.Medium, w.Target, associateID, locationID, w.Products, w.Body, w.Link, form)
	if err != nil {
		return fmt.Errorf("write a message: %w", err)
	}
	return nil
}
