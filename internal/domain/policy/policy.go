// Package policy is what the shop decides about points, returns and shortages.
package policy

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/pg"
)

// Policy is what the shop does with points and with what comes back.
type Policy struct {
	PointsRate    int   // for each whole unit of a currency; 0: there are none
	PointsWorth   int   // so many are worth one whole unit
	PointsMinimum int   // fewer are not spent
	ReturnDays    int   // how long something can come back; points are pending until then
	RefundLimit   int64 // in hundredths of a whole unit of any currency; above it a manager agrees
	ShortageHours int   // in which a shopper chooses what becomes of what was not found
	KeepDelivery  bool  // the charge of a delivery is not given back when everything returns
}

// Read reads them.
func Read(ctx context.Context, db pg.DB) (p Policy, err error) {
	err = db.QueryRow(ctx, `
		SELECT points_rate, points_worth, points_minimum, return_days, refund_limit, keep_delivery, shortage_hours
		FROM shop`).Scan(&p.PointsRate, &p.PointsWorth, &p.PointsMinimum, &p.ReturnDays, &p.RefundLimit,
		&p.KeepDelivery, &p.ShortageHours)
	if err != nil {
		return p, fmt.Errorf("read the shop's policies: %w", err)
	}
	return p, nil
}

// Set changes them, from now on: points that were earned and goods that were sold keep what held when they were.
func Set(ctx context.Context, tx pgx.Tx, p Policy) error {
	var form fault.Form
	if p.PointsRate < 0 || p.PointsRate > 1000 {
		form.Add("points_rate", "Enter a number from 0 (no points) to 1,000.")
	}
	if p.PointsWorth < 1 || p.PointsWorth > 100_000 {
		form.Add("points_worth", "Enter a number from 1 to 100,000.")
	}
	if p.PointsMinimum < 1 || p.PointsMinimum > 1_000_000 {
		form.Add("points_minimum", "Enter a number from 1 to 1,000,000.")
	}
	if p.ReturnDays < 0 || p.ReturnDays > 3650 {
		form.Add("return_days", "Enter a number of days from 0 to 3,650.")
	}
	if p.RefundLimit < 0 || p.RefundLimit > 100_000_000 {
		form.Add("refund_limit", "Enter an amount from 0 to 1,000,000.")
	}
	if p.ShortageHours < 1 || p.ShortageHours > 336 {
		form.Add("shortage_hours", "Enter a number of hours from 1 to 336.")
	}
	if err := form.Err(); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `
		UPDATE shop
		SET points_rate = @rate, points_worth = @worth, points_minimum = @minimum, return_days = @days,
			refund_limit = @limit, keep_delivery = @keep, shortage_hours = @shortage`,
		pgx.NamedArgs{"rate": p.PointsRate, "worth": p.PointsWorth, "minimum": p.PointsMinimum, "days": p.ReturnDays,
			"limit": p.RefundLimit, "keep": p.KeepDelivery, "shortage": p.ShortageHours})
	if err != nil {
		return fmt.Errorf("change the shop's policies: %w", err)
	}
	return nil
}
