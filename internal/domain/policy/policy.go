// Package policy is the shop's settings for points, returns, refunds and shortages.
package policy

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/money"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/text"
)

// Policy is what the shop does with points and with what comes back.
type Policy struct {
	PointsRate    int // for each whole unit of a currency; 0: there are none
	PointsWorth   int // so many are worth one whole unit
	PointsMinimum int // fewer are not spent
	ReturnDays    int // how long something can come back; points are pending until then
	// RefundLimits are the amounts above which a manager agrees, one for each currency of the shop.
	RefundLimits  []money.Money `db:"-"`
	ShortageHours int           // in which a shopper chooses what becomes of what was not found
	KeepDelivery  bool          // the charge of a delivery is not given back when everything returns
}

// Read reads them.
func Read(ctx context.Context, db pg.DB) (p Policy, err error) {
	rows, _ := db.Query(ctx, `
		SELECT points_rate, points_worth, points_minimum, return_days, keep_delivery, shortage_hours
		FROM shop`)
	p, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Policy])
	if err != nil {
		return p, fmt.Errorf("read the shop's policies: %w", err)
	}
	rows, err = db.Query(ctx, `
		SELECT DISTINCT l.currency::text, r.amount
		FROM location l
		LEFT JOIN refund_limit r ON r.currency = l.currency
		ORDER BY 1`)
	if err != nil {
		return p, fmt.Errorf("read the limits of refunds: %w", err)
	}
	var currency string
	var amount *int64
	_, err = pgx.ForEachRow(rows, []any{&currency, &amount}, func() error {
		p.RefundLimits = append(p.RefundLimits, limitOf(currency, amount))
		return nil
	})
	if err != nil {
		return p, fmt.Errorf("read the limits of refunds: %w", err)
	}
	return p, nil
}

// RefundLimit is the amount of a currency above which a manager agrees to a refund.
func RefundLimit(ctx context.Context, db pg.DB, currency string) (money.Money, error) {
	var amount *int64
	err := db.QueryRow(ctx, `SELECT (SELECT amount FROM refund_limit WHERE currency = $1)`, currency).Scan(&amount)
	if err != nil {
		return money.Money{}, fmt.Errorf("read the limit of refunds: %w", err)
	}
	return limitOf(currency, amount), nil
}

// limitOf is a hundred whole units where nobody decided otherwise.
func limitOf(currency string, amount *int64) money.Money {
	if amount != nil {
		return money.New(*amount, currency)
	}
	hundred := int64(100)
	for range money.Exponent(currency) {
		hundred *= 10
	}
	return money.New(hundred, currency)
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
	for _, limit := range p.RefundLimits {
		if limit.Minor < 0 || limit.Minor > money.MaxUnit {
			form.Add("refund_limit_"+limit.Currency, "Enter an amount from 0 to {most}, such as 50.00.",
				text.Args{"most": money.New(money.MaxUnit, limit.Currency)})
		}
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
			keep_delivery = @keep, shortage_hours = @shortage`,
		pgx.NamedArgs{"rate": p.PointsRate, "worth": p.PointsWorth, "minimum": p.PointsMinimum, "days": p.ReturnDays,
			"keep": p.KeepDelivery, "shortage": p.ShortageHours})
	if err != nil {
		return fmt.Errorf("change the shop's policies: %w", err)
	}
	for _, limit := range p.RefundLimits {
		_, err := tx.Exec(ctx, `
			INSERT INTO refund_limit (currency, amount) VALUES ($1, $2)
			ON CONFLICT (currency) DO UPDATE SET amount = EXCLUDED.amount`, limit.Currency, limit.Minor)
		if err != nil {
			return fmt.Errorf("change a limit of refunds: %w", err)
		}
	}
	return nil
}
