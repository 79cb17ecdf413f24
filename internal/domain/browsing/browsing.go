// Package browsing records what is looked at and searched for, of those who agreed to it.
package browsing

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/platform/pg"
)

// Event is a browse event: a product that was viewed, or words that were searched for.
type Event struct {
	Device    string // as the identity has it: see customer.DeviceValue
	At        time.Time
	ProductID int64
	Words     string
}

// Recorder collects browse events and writes them in batches after the pages are answered. It is lossy on purpose: when
// the database is slow, events are dropped and pages are not.
type Recorder struct {
	events chan Event
	done   chan struct{}
}

const (
	trailRoom  = 4096
	trailBatch = 500
	trailPause = time.Second
)

// New writes until the context ends; then it writes what it has. Wait waits for that.
func New(ctx context.Context, db pg.DB) *Recorder {
	t := &Recorder{events: make(chan Event, trailRoom), done: make(chan struct{})}
	go t.run(ctx, db)
	return t
}

// Note keeps an event in mind; it never waits. A nil trail, and a browser that is nobody's, leave none.
func (t *Recorder) Note(s Event) {
	if t == nil || s.Device == "" {
		return
	}
	select {
	case t.events <- s:
	default: // Full: the page matters more.
	}
}

// Wait returns when everything that was noted before the end is written.
func (t *Recorder) Wait() { <-t.done }

func (t *Recorder) run(ctx context.Context, db pg.DB) {
	defer close(t.done)
	tick := time.NewTicker(trailPause)
	defer tick.Stop()
	var batch []Event
	flush := func() {
		if len(batch) == 0 {
			return
		}
		writing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if err := Write(writing, db, batch); err != nil {
			slog.Warn("browse events were dropped", "events", len(batch), "error", err)
		}
		batch = batch[:0]
	}
	for {
		select {
		case s := <-t.events:
			if batch = append(batch, s); len(batch) == trailBatch {
				flush()
			}
		case <-tick.C:
			flush()
		case <-ctx.Done():
			for len(t.events) > 0 {
				batch = append(batch, <-t.events)
			}
			flush()
			return
		}
	}
}

// Write writes events of devices whose person agrees to it at this moment, whatever the page thought a second ago.
func Write(ctx context.Context, db pg.DB, all []Event) error {
	devices, times, products, words := make([]string, len(all)), make([]time.Time, len(all)), make([]int64,
		len(all)), make([]string, len(all))
	for i, s := range all {
		devices[i], times[i], products[i], words[i] = s.Device, s.At, s.ProductID, s.Words
	}
	_, err := db.Exec(ctx, `
		WITH agreed AS (
			SELECT i.value, i.customer_id
			FROM identity i
			JOIN customer c ON c.id = i.customer_id
			WHERE i.kind = 'device' AND i.verified_at IS NOT NULL AND i.value IN (SELECT DISTINCT unnest($1::text[]))
				AND consented(coalesce(c.merged_into, c.id), 'personalisation', 'shop')),
		marked AS (
			INSERT INTO figure_changed (person) SELECT DISTINCT customer_id FROM agreed)
		INSERT INTO browse_event (device, at, kind, product_id, words)
		SELECT device, at, CASE WHEN product = 0 THEN 'searched' ELSE 'viewed' END, nullif(product, 0), words
		FROM unnest($1::text[], $2::timestamptz[], $3::bigint[], $4::text[]) AS e (device, at, product, words)
		JOIN agreed ON agreed.value = e.device`, devices, times, products, words)
	if err != nil {
		return fmt.Errorf("write browse events: %w", err)
	}
	return nil
}

// KeepMonths is how long browse events are kept: whole months, by dropping their table.
const KeepMonths = 6

// TurnMonths makes the tables of this month and the next and drops those that are older than KeepMonths.
func TurnMonths(ctx context.Context, db pg.DB, now time.Time) error {
	for _, month := range []time.Time{now, now.AddDate(0, 0, 32-now.Day())} {
		if _, err := db.Exec(ctx, `SELECT browse_event_month($1::date)`, month); err != nil {
			return fmt.Errorf("make a month for browse events: %w", err)
		}
	}
	if _, err := db.Exec(ctx, `SELECT browse_event_drop($1::date)`,
		now.AddDate(0, -KeepMonths, 1-now.Day())); err != nil {
		return fmt.Errorf("drop old months: %w", err)
	}
	return nil
}

// Forget drops every browse event of a person's devices: they withdrew, or asked to be forgotten.
func Forget(ctx context.Context, tx pgx.Tx, person int64) error {
	_, err := tx.Exec(ctx, `
		WITH marked AS (
			INSERT INTO figure_changed (person) VALUES (@person))
		DELETE FROM browse_event
		WHERE device IN (SELECT value FROM identity WHERE kind = 'device' AND customer_id IN (
			SELECT member FROM person_members(@person) AS member))`,
		pgx.NamedArgs{"person": person})
	return err
}
