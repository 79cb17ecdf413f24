// Package clientele is an associate's own people: whom they look after, and what they want to be reminded of.
package clientele

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/pg"
)

var errOther = fault.New(fault.Conflict, "A colleague looks after this customer. Ask them, or a manager, to hand them over.")

// Take makes somebody an associate's client. A colleague’s they stay, while that one works here.
func Take(ctx context.Context, tx pgx.Tx, person, associateID int64) error {
	// Of a person who was two, what was said of the other holds as well.
	var of int64
	err := tx.QueryRow(ctx, `
		SELECT coalesce(max(k.associate_id), 0)
		FROM client k
		JOIN associate a ON a.id = k.associate_id AND a.disabled_at IS NULL
		WHERE k.customer_id IN (SELECT member FROM person_members($1) AS member) AND k.associate_id <> $2`, person, associateID).Scan(&of)
	if err != nil {
		return fmt.Errorf("read whose client somebody is: %w", err)
	}
	if of != 0 {
		return errOther
	}
	tag, err := tx.Exec(ctx, `
		INSERT INTO client AS c (customer_id, associate_id)
		VALUES ($1, $2)
		ON CONFLICT (customer_id) DO UPDATE SET associate_id = excluded.associate_id, since = now()
			WHERE c.associate_id = excluded.associate_id OR NOT EXISTS (
				SELECT FROM associate WHERE id = c.associate_id AND disabled_at IS NULL)`, person, associateID)
	if err != nil {
		return fmt.Errorf("take a client: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return errOther
	}
	return nil
}

// Leave lets a client go; what was to be done about them stays until it is done.
func Leave(ctx context.Context, tx pgx.Tx, person, associateID int64) error {
	tag, err := tx.Exec(ctx, `
		DELETE FROM client
		WHERE customer_id IN (SELECT member FROM person_members($1) AS member) AND associate_id = $2`, person, associateID)
	if err != nil {
		return fmt.Errorf("let a client go: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return fault.New(fault.Conflict, "They’re not in your client book.")
	}
	return nil
}

// HandOver gives all clients of an associate, and what is still to be done, to another.
func HandOver(ctx context.Context, tx pgx.Tx, from, to int64) (people int, err error) {
	var there bool
	if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM associate WHERE id = $1 AND disabled_at IS NULL
			AND role IN ('associate', 'manager', 'admin'))`, to).
		Scan(&there); err != nil {
		return 0, err
	}
	if !there || from == to {
		return 0, fault.Field("to", "Choose a colleague who serves customers.")
	}
	tag, err := tx.Exec(ctx, `UPDATE client SET associate_id = $2, since = now() WHERE associate_id = $1`, from, to)
	if err != nil {
		return 0, fmt.Errorf("hand clients over: %w", err)
	}
	if _, err := tx.Exec(ctx, `UPDATE follow_up SET associate_id = $2 WHERE associate_id = $1 AND done_at IS NULL`, from, to); err != nil {
		return 0, fmt.Errorf("hand reminders over: %w", err)
	}
	return int(tag.RowsAffected()), nil
}

// FollowUp is a reminder.
type FollowUp struct {
	ID       int64
	Person   int64
	DueOn    time.Time
	Body     string
	Yearly   bool
	Customer string // name
	Form     string `db:"-"` // of the page that it was written on: sent twice, it is written once
}

// Remind writes a reminder. What an associate writes down of somebody at all, they write down as their client's.
func Remind(ctx context.Context, tx pgx.Tx, f FollowUp, associateID int64, today time.Time) error {
	var form fault.Form
	f.Body = strings.TrimSpace(f.Body)
	if f.Body == "" || utf8.RuneCountInString(f.Body) > 200 {
		form.Add("reminder", "Write what to remember, up to 200 characters.")
	}
	if f.DueOn.Before(today) || f.DueOn.After(today.AddDate(3, 0, 0)) {
		form.Add("due", "Choose a day from today on, within three years.")
	}
	if err := form.Err(); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO follow_up (customer_id, associate_id, due_on, body, yearly, form)
		VALUES ($1, $2, $3, $4, $5, nullif($6, ''))
		ON CONFLICT (form) DO NOTHING`, f.Person, associateID, f.DueOn, f.Body, f.Yearly, f.Form)
	if err != nil {
		return fmt.Errorf("write a reminder: %w", err)
	}
	return nil
}

// Done ends a reminder; a yearly one comes again, once however often it is sent.
func Done(ctx context.Context, tx pgx.Tx, id, associateID int64) error {
	var f FollowUp
	err := tx.QueryRow(ctx, `
		UPDATE follow_up
		SET done_at = now()
		WHERE id = $1 AND associate_id = $2 AND done_at IS NULL
		RETURNING customer_id, due_on, body, yearly`, id, associateID).Scan(&f.Person, &f.DueOn, &f.Body, &f.Yearly)
	if errors.Is(err, pgx.ErrNoRows) {
		return fault.New(fault.NotFound, "That reminder is done already, or isn’t yours.")
	}
	if err != nil {
		return fmt.Errorf("end a reminder: %w", err)
	}
	if !f.Yearly {
		return nil
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO follow_up (customer_id, associate_id, due_on, body, yearly)
		VALUES ($1, $2, $3::date + interval '1 year', $4, true)`, f.Person, associateID, f.DueOn, f.Body)
	return err
}

// Client is a line of an associate's book.
type Client struct {
	ID     int64
	Name   string
	Since  time.Time
	LastAt *time.Time // of an order, as figures have it
	Orders int
	NextOn *time.Time // expected, where somebody may be foretold
	Due    *time.Time // of the next reminder
	What   string
}

// Book is an associate's clients, those with something due first, and what is due by a day.
func Book(ctx context.Context, db pg.DB, associateID int64, until time.Time) (clients []Client, due []FollowUp, err error) {
	err = pg.Ask(ctx, db, pg.All(&due, `
		SELECT f.id, coalesce(c.merged_into, c.id) AS person, f.due_on, f.body, f.yearly, p.name AS customer
		FROM follow_up f
		JOIN customer c ON c.id = f.customer_id
		JOIN customer p ON p.id = coalesce(c.merged_into, c.id)
		WHERE f.associate_id = @associate AND f.done_at IS NULL AND f.due_on <= @until
		ORDER BY f.due_on, f.id
		LIMIT 100`, pgx.NamedArgs{"associate": associateID, "until": until}),
		pg.All(&clients, `
		SELECT p.id, p.name, k.since, f.last_at, coalesce(f.orders, 0) AS orders, e.next_on, next.due_on AS due,
			coalesce(next.body, '') AS what
		FROM client k
		JOIN customer c ON c.id = k.customer_id
		JOIN customer p ON p.id = coalesce(c.merged_into, c.id)
		LEFT JOIN figure f ON f.customer_id = p.id
		LEFT JOIN prediction e ON e.customer_id = p.id AND consented(p.id, 'clienteling', 'shop')
			AND NOT consented(p.id, 'objection', 'shop')
		LEFT JOIN LATERAL (
			SELECT due_on, body
			FROM follow_up
			WHERE customer_id = k.customer_id AND associate_id = k.associate_id AND done_at IS NULL
			ORDER BY due_on
			LIMIT 1) next ON true
		WHERE k.associate_id = @associate
		ORDER BY next.due_on NULLS LAST, lower(p.name), p.id
		LIMIT 500`, pgx.NamedArgs{"associate": associateID}))
	if err != nil {
		return nil, nil, fmt.Errorf("read an associate's clients: %w", err)
	}
	return clients, due, nil
}

// Count is how many clients an associate has.
func Count(ctx context.Context, db pg.DB, associateID int64) (n int, err error) {
	err = db.QueryRow(ctx, `SELECT count(*) FROM client WHERE associate_id = $1`, associateID).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count clients: %w", err)
	}
	return n, nil
}

// Keep is for how long what was done is kept.
const Keep = 365 * 24 * time.Hour

// Sweep takes away what was done long ago.
func Sweep(ctx context.Context, db pg.DB) error {
	if _, err := db.Exec(ctx, `DELETE FROM follow_up WHERE done_at < now() - $1::interval`, Keep); err != nil {
		return fmt.Errorf("take away old reminders: %w", err)
	}
	return nil
}
