package loyalty

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/pg"
)

// When points that were earned can be spent.
const (
	VestReturns = "returns" // when what earned them cannot come back any more
	VestAtOnce  = "at_once"
)

// When points end.
const (
	ExpireNever      = "never"
	ExpireLot        = "lot"        // so many months after they could be spent
	ExpireInactivity = "inactivity" // so many months after their owner earned or spent last
)

// What becomes of points that were spent before what earned them came back.
const (
	DebtRefund = "refund" // their worth is kept from the refund
	DebtOwe    = "owe"    // what is given next pays them
)

// Programme is how points live.
type Programme struct {
	Vesting      string
	Expiry       string
	ExpiryMonths int
	ExpirySince  *time.Time // the day on which the rule began; nil: points don't end
	WarnFirst    int        // days before the last one
	WarnLast     int
	GraceDays    int // in which a visit brings points back that ended
	AdjustLimit  int // points that staff give or take; above it a manager does
	Debt         string
	Version      int
}

const programmeColumns = `vesting, expiry, expiry_months, expiry_since, warn_first, warn_last, grace_days, adjust_limit, debt, version`

// ReadProgramme reads it.
func ReadProgramme(ctx context.Context, db pg.DB) (p Programme, err error) {
	rows, err := db.Query(ctx, `SELECT `+programmeColumns+` FROM programme`)
	if err != nil {
		return p, fmt.Errorf("read the points programme: %w", err)
	}
	return pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Programme])
}

// SaveProgramme changes it, where nobody did since it was read. A rule for expiry that is new, or shorter than before,
// begins today: nothing ends before a whole period of it.
func SaveProgramme(ctx context.Context, tx pgx.Tx, p Programme) error {
	var form fault.Form
	if p.Vesting != VestReturns && p.Vesting != VestAtOnce {
		form.Add("vesting", "Choose when points can be spent.")
	}
	if p.Expiry != ExpireNever && p.Expiry != ExpireLot && p.Expiry != ExpireInactivity {
		form.Add("expiry", "Choose when points expire.")
	}
	if p.ExpiryMonths < 1 || p.ExpiryMonths > 120 {
		form.Add("expiry_months", "Enter months, from 1 to 120.")
	}
	if p.WarnFirst < 2 || p.WarnFirst > 90 {
		form.Add("warn_first", "Enter days, from 2 to 90.")
	}
	if p.WarnLast < 1 || p.WarnLast >= p.WarnFirst && p.WarnFirst >= 2 {
		form.Add("warn_last", "Enter fewer days than for the first warning, at least 1.")
	}
	if p.GraceDays < 0 || p.GraceDays > 365 {
		form.Add("grace_days", "Enter days, from 0 to 365.")
	}
	if p.AdjustLimit < 0 || p.AdjustLimit > 1_000_000 {
		form.Add("adjust_limit", "Enter points, from 0 to 1,000,000.")
	}
	if p.Debt != DebtRefund && p.Debt != DebtOwe {
		form.Add("debt", "Choose what happens to points that are already spent.")
	}
	if err := form.Err(); err != nil {
		return err
	}
	tag, err := tx.Exec(ctx, `
		UPDATE programme
		SET vesting = $1, expiry = $2, expiry_months = $3, warn_first = $4, warn_last = $5, grace_days = $6, adjust_limit = $7,
			debt = $8, version = version + 1,
			expiry_since = CASE WHEN $2 = 'never' THEN NULL
				WHEN $2 = expiry AND $3 >= expiry_months THEN expiry_since
				ELSE (now() AT TIME ZONE (SELECT time_zone FROM home_location(NULL, NULL)))::date END
		WHERE version = $9`, p.Vesting, p.Expiry, p.ExpiryMonths, p.WarnFirst, p.WarnLast, p.GraceDays, p.AdjustLimit, p.Debt,
		p.Version)
	if err != nil {
		return fmt.Errorf("save the points programme: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return fault.New(fault.Conflict, "Someone else has changed the programme meanwhile. Save again to replace what they did, or open it afresh to see it.")
	}
	return nil
}
