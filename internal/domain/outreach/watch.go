package outreach

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/catalog"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/pg"
)

// Watch is what somebody asked to be told.
type Watch struct {
	ID         int64
	CustomerID int64
	VariantID  int64
	Kind       string // Back or Price
	Medium     string
	Target     string
	LocationID int64
	Proven     bool
}

// errUnsold is why a thing cannot be watched.
var errUnsold = fault.New(fault.NotFound, "This product is no longer available.")

var errThere = fault.New(fault.Conflict, "It’s in stock now: you can buy it straight away.")

// most watches of one person that are open.
const mostWatches = 100

// Ask writes down what somebody wants to be told. Asked again, the address is the one that was said last. fresh says
// that the address has still to be proven.
func Ask(ctx context.Context, tx pgx.Tx, w Watch) (id int64, fresh bool, err error) {
	var open int
	if err := tx.QueryRow(ctx, `SELECT count(*) FROM watch WHERE customer_id = $1 AND ended_at IS NULL`, w.CustomerID).
		Scan(&open); err != nil {
		return 0, false, err
	}
	if open >= mostWatches {
		return 0, false, fault.New(fault.Conflict, "You’ve reached the limit. Remove something first.")
	}
	var proven *time.Time
	err = tx.QueryRow(ctx, `
		INSERT INTO watch AS w (customer_id, variant_id, kind, medium, target, location_id, price, currency, proven_at)
		SELECT @customer, v.id, @kind, @medium, @target, l.id, price.amount, l.currency, CASE WHEN @proven OR EXISTS (
			-- They opened a link to this address before.
			SELECT FROM watch WHERE customer_id = @customer AND target = @target AND proven_at IS NOT NULL) THEN now() END
		FROM variant v
		JOIN product p ON p.id = v.product_id AND p.status = 'active'
		CROSS JOIN home_location(nullif(@location::bigint, 0), NULL) l
		JOIN price_list list ON list.currency = l.currency AND list.tax_included = l.tax_included`+catalog.NowOn+`
		WHERE v.id = @variant AND v.active AND NOT v.gift_card AND price.amount IS NOT NULL
		ON CONFLICT (customer_id, variant_id, kind) WHERE ended_at IS NULL DO UPDATE
			SET medium = excluded.medium, target = excluded.target, location_id = excluded.location_id,
				price = excluded.price, currency = excluded.currency, asked_at = now(),
				proven_at = CASE WHEN w.target = excluded.target THEN coalesce(w.proven_at, excluded.proven_at)
					ELSE excluded.proven_at END
		RETURNING id, proven_at`, pgx.NamedArgs{"customer": w.CustomerID, "variant": w.VariantID, "kind": w.Kind, "medium": w.Medium,
		"target": w.Target, "location": w.LocationID, "proven": w.Proven}).Scan(&id, &proven)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, false, errUnsold
	}
	if err == nil && w.Kind == Back {
		var there bool
		err = tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM watch w WHERE w.id = $1 AND `+due+`)`, id).Scan(&there)
		if there {
			return 0, false, errThere
		}
	}
	if err == nil {
		// What waits goes where it was asked for last.
		_, err = tx.Exec(ctx, `DELETE FROM outreach WHERE watch_id = $1 AND state = 'waiting'`, id)
	}
	if err != nil {
		return 0, false, fmt.Errorf("write what somebody wants to be told: %w", err)
	}
	return id, proven == nil, nil
}

// Prove says that an address of a watch is who asked's.
func Prove(ctx context.Context, tx pgx.Tx, id int64, target string) error {
	tag, err := tx.Exec(ctx, `UPDATE watch SET proven_at = now()
		WHERE id = $1 AND target = $2 AND ended_at IS NULL AND proven_at IS NULL`, id, target)
	if err != nil {
		return fmt.Errorf("prove an address: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return fault.New(fault.NotFound, "This link has expired or already been used. Please request a new one.")
	}
	return nil
}

// Withdraw ends a watch of a person.
func Withdraw(ctx context.Context, tx pgx.Tx, person, id int64) error {
	tag, err := tx.Exec(ctx, `
		WITH ended AS (
			UPDATE watch w
			SET ended_at = now(), ended = 'withdrawn'
			FROM watch named
			WHERE named.id = $1 AND w.variant_id = named.variant_id AND w.kind = named.kind AND w.ended_at IS NULL
				AND named.customer_id IN (SELECT member FROM person_members($2) AS member)
				AND w.customer_id IN (SELECT member FROM person_members($2) AS member)
			RETURNING w.id),
		gone AS (
			DELETE FROM outreach WHERE state = 'waiting' AND watch_id IN (SELECT id FROM ended))
		SELECT FROM ended`, id, person)
	if err != nil {
		return fmt.Errorf("withdraw a watch: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return fault.New(fault.NotFound, "You’re not waiting for this any more.")
	}
	return nil
}

// due is what a watch waits for, of watch w: the thing can be bought where they looked or be delivered, or it costs less.
const due = `(w.kind = 'back' AND EXISTS (
			SELECT
			FROM in_stock s
			JOIN location l ON l.id = s.location_id
			JOIN location home ON home.id = w.location_id
			WHERE s.variant_id = w.variant_id AND (s.location_id = w.location_id OR l.ship AND l.country = home.country))
		OR w.kind = 'price' AND EXISTS (
			SELECT
			FROM location l
			JOIN price_list list ON list.currency = l.currency AND list.tax_included = l.tax_included
			JOIN variant v ON v.id = w.variant_id` + catalog.NowOn + `
			WHERE l.id = w.location_id AND price.amount < w.price))
		AND EXISTS (SELECT FROM variant v JOIN product p ON p.id = v.product_id WHERE v.id = w.variant_id AND v.active
			AND p.status = 'active')`

// Find queues a message for every watch whose time has come. Of a person who was two and asked twice, one is enough.
func Find(ctx context.Context, db pg.DB) error {
	err := pg.InTx(ctx, db, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SET LOCAL statement_timeout = '1min'`); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `
			INSERT INTO outreach (customer_id, kind, medium, target, watch_id, location_id, products)
			SELECT DISTINCT ON (coalesce(c.merged_into, c.id), w.variant_id, w.kind)
				w.customer_id, w.kind, w.medium, w.target, w.id, w.location_id, ARRAY[v.product_id]
			FROM watch w
			JOIN customer c ON c.id = w.customer_id
			JOIN variant v ON v.id = w.variant_id
			WHERE w.ended_at IS NULL AND w.proven_at IS NOT NULL
				AND NOT EXISTS (SELECT FROM outreach WHERE watch_id = w.id) AND `+due+`
			ORDER BY coalesce(c.merged_into, c.id), w.variant_id, w.kind, w.id DESC
			ON CONFLICT (watch_id) DO NOTHING`)
		return err
	})
	if err != nil {
		return fmt.Errorf("find whom to tell: %w", err)
	}
	return nil
}

// About is what a watch is about, by what the link to its address keeps.
func About(ctx context.Context, db pg.DB, payload json.RawMessage, language string) (title string, err error) {
	err = db.QueryRow(ctx, `
		SELECT t.title
		FROM watch w
		JOIN variant v ON v.id = w.variant_id
		JOIN product_text t ON t.product_id = v.product_id
		WHERE w.id = ($1::jsonb ->> 'watch')::bigint
		ORDER BY t.language = $2 DESC, t.language = 'en' DESC
		LIMIT 1`, payload, language).Scan(&title)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read what somebody wants to hear of: %w", err)
	}
	return title, nil
}
