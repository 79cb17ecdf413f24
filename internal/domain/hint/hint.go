// Package hint keeps what staff were told was worth saying to somebody, and what became of it: what each reason is
// worth is learned from it.
package hint

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/origin"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/pg"
)

// Marks that an associate gives a hint.
const (
	Used  = "used"
	Later = "later"
	No    = "no"
)

// Subject is what a hint is about: a reason, and the product or order it names; 0: none.
type Subject struct {
	Reason    string
	ProductID int64
	OrderID   int64
}

// holdout is one in how many people of whom nothing is said, so that it can be told what saying it earns.
const holdout = 10

// Held says whether a person is in the holdout: by a hash of their number (splitmix64; Steele, Lea, Flood 2014), so that
// they stay in it or out of it.
func Held(person int64) bool {
	z := uint64(1897)<<32 + uint64(person) + 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return (z^z>>31)%holdout == 0
}

// Show keeps that hints were shown, or would have been but for the holdout, each once a day of the store.
func Show(ctx context.Context, db pg.DB, at origin.Origin, person int64, day time.Time, all []Subject) error {
	if len(all) == 0 {
		return nil
	}
	reasons, products, orders := make([]string, len(all)), make([]int64, len(all)), make([]int64, len(all))
	for i, s := range all {
		reasons[i], products[i], orders[i] = s.Reason, s.ProductID, s.OrderID
	}
	_, err := db.Exec(ctx, `
		INSERT INTO hint (customer_id, reason, product_id, order_id, location_id, associate_id, day, held)
		SELECT c.id, shown.reason, shown.product, shown.of_order, $5, $6, $7, $8
		FROM customer c
		CROSS JOIN unnest($2::text[], $3::bigint[], $4::bigint[]) AS shown (reason, product, of_order)
		WHERE c.id = $1 AND c.erased_at IS NULL AND consented(c.id, 'clienteling', 'shop')
			AND NOT consented(c.id, 'objection', 'shop')
		FOR KEY SHARE OF c SKIP LOCKED -- of somebody who is merged or forgotten at this moment nothing is kept
		ON CONFLICT DO NOTHING`, person, reasons, products, orders, at.LocationID, at.AssociateID, day, Held(person))
	if err != nil {
		return fmt.Errorf("keep which hints were shown: %w", err)
	}
	return nil
}

// Mark keeps what an associate says of the hint that was shown last at their counter; said again, the last word holds.
func Mark(ctx context.Context, tx pgx.Tx, at origin.Origin, person int64, s Subject, mark string) error {
	if !slices.Contains([]string{Used, Later, No}, mark) {
		return fault.New(fault.Invalid, "Choose what became of this suggestion.")
	}
	tag, err := tx.Exec(ctx, `
		UPDATE hint
		SET mark = $4, marked_at = now()
		WHERE id = (
			SELECT id
			FROM hint
			WHERE customer_id IN (SELECT member FROM person_members($1) AS member) AND reason = $2 AND product_id = $3
				AND order_id = $5 AND location_id = $6 AND NOT held
			ORDER BY shown_at DESC
			LIMIT 1)`, person, s.Reason, s.ProductID, mark,
		s.OrderID, at.LocationID)
	if err != nil {
		return fmt.Errorf("mark a hint: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return fault.New(fault.NotFound, "This suggestion is no longer there.")
	}
	return nil
}

// Forget takes away a person's hints of some reasons: they withdrew the consent that these need.
func Forget(ctx context.Context, tx pgx.Tx, person int64, reasons ...string) error {
	_, err := tx.Exec(ctx, `
		DELETE FROM hint
		WHERE customer_id IN (SELECT member FROM person_members($1) AS member) AND reason = ANY ($2)`, person, reasons)
	if err != nil {
		return fmt.Errorf("forget hints: %w", err)
	}
	return nil
}

// Keep is for how long hints are kept: they rest and are learned from for a quarter.
const Keep = 100 * 24 * time.Hour

// Sweep takes away those that are too old.
func Sweep(ctx context.Context, db pg.DB) error {
	if _, err := db.Exec(ctx, `DELETE FROM hint WHERE shown_at < now() - $1::interval`, Keep); err != nil {
		return fmt.Errorf("take away old hints: %w", err)
	}
	return nil
}

// Learn counts how often each reason was shown and used in the last quarter.
func Learn(ctx context.Context, db pg.DB) error {
	_, err := db.Exec(ctx, `
		INSERT INTO hint_reason AS r (reason, shown, used)
		SELECT reason, count(shown_at), count(*) FILTER (WHERE mark = 'used')
		FROM (
			SELECT reason, shown_at, mark FROM hint WHERE shown_at > now() - interval '90 days' AND NOT held
			UNION ALL
			SELECT reason, NULL, NULL FROM hint_reason) h
		GROUP BY reason
		ON CONFLICT (reason) DO UPDATE SET shown = excluded.shown, used = excluded.used
			WHERE (r.shown, r.used) IS DISTINCT FROM (excluded.shown, excluded.used)`)
	if err != nil {
		return fmt.Errorf("count hints: %w", err)
	}
	return nil
}

// Setting is what the retailer says of a reason. Weight is in per cent of what was learned.
type Setting struct {
	Reason string
	Active bool
	Weight int
}

// Set keeps it.
func Set(ctx context.Context, tx pgx.Tx, s Setting) error {
	if s.Weight < 0 || s.Weight > 1000 {
		return fault.Field("weight", "Enter a number from 0 to 1,000.")
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO hint_reason (reason, active, weight)
		VALUES ($1, $2, $3)
		ON CONFLICT (reason) DO UPDATE SET active = excluded.active, weight = excluded.weight`, s.Reason, s.Active,
		s.Weight)
	if err != nil {
		return fmt.Errorf("set a reason for hints: %w", err)
	}
	return nil
}
