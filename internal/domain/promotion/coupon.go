package promotion

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/pg"
)

// Coupon is a code that opens a promotion.
type Coupon struct {
	ID          int64
	PromotionID int64
	Code        string
	Batch       string
	CustomerID  int64 // personal; 0: anybody's
	MaxUses     *int
	Used        int
	Disabled    bool
}

var written = regexp.MustCompile(`^[A-Z0-9-]{3,32}$`)

// ReadCode is a code as it is kept, from how it is typed. False when it cannot be one: letters that only look like ours
// are not ours.
func ReadCode(typed string) (string, bool) {
	code := strings.ToUpper(strings.ReplaceAll(strings.TrimSpace(typed), " ", ""))
	return code, written.MatchString(code)
}

// AddCode gives a promotion a code of the shop's choosing.
func AddCode(ctx context.Context, tx pgx.Tx, c Coupon) error {
	code, ok := ReadCode(c.Code)
	if !ok {
		return fault.Field("code", "Use 3 to 32 characters: A to Z, digits and hyphens.")
	}
	if c.MaxUses != nil && *c.MaxUses < 1 {
		return fault.Field("uses", "Enter a whole number above zero, or leave it empty.")
	}
	tag, err := tx.Exec(ctx, `
		INSERT INTO coupon (promotion_id, code, batch, customer_id, max_uses)
		VALUES ($1, $2, $3, nullif($4::bigint, 0), $5)
		ON CONFLICT (code) DO NOTHING`, c.PromotionID, code, c.Batch, c.CustomerID, c.MaxUses)
	if err != nil {
		return fmt.Errorf("write a code: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return fault.Field("code", "This code already exists, here or in another promotion.")
	}
	return nil
}

// MaxBatch is how many codes are made at once.
const MaxBatch = 10_000

// AddBatch makes codes that work once each: a prefix and ten drawn letters, 50 bits, with counted tries.
func AddBatch(ctx context.Context, tx pgx.Tx, promotionID int64, prefix, batch string, n int) error {
	prefix, ok := ReadCode(prefix + "-X")
	if !ok || len(prefix) > 16 {
		return fault.Field("prefix", "Use up to 14 characters: A to Z and digits.")
	}
	if n < 1 || n > MaxBatch {
		return fault.Field("count", "Enter a number from 1 to 10,000.")
	}
	codes := make([]string, n)
	for i := range codes {
		codes[i] = strings.TrimPrefix(strings.TrimSuffix(prefix, "X"), "-") + rand.Text()[:10]
	}
	tag, err := tx.Exec(ctx, `
		INSERT INTO coupon (promotion_id, code, batch, max_uses)
		SELECT $1, code, $3, 1
		FROM unnest($2::text[]) AS code`, promotionID, codes, batch)
	if err != nil {
		return fmt.Errorf("write codes: %w", err)
	}
	if tag.RowsAffected() != int64(n) {
		return errors.New("codes: some were not written")
	}
	return nil
}

// DisableCode takes a code out of use, for new orders.
func DisableCode(ctx context.Context, db pg.DB, promotionID, couponID int64) error {
	_, err := db.Exec(ctx, `
		UPDATE coupon
		SET disabled_at = coalesce(disabled_at, now())
		WHERE id = $1 AND promotion_id = $2`, couponID, promotionID)
	return err
}

// CodeApplies says whether a code opens something for this person at all. One answer for every reason why not.
func CodeApplies(ctx context.Context, db pg.DB, code string, person int64) (opens bool, err error) {
	err = db.QueryRow(ctx, `
		SELECT EXISTS (
			SELECT
			FROM coupon c
			JOIN promotion p ON p.id = c.promotion_id
			WHERE c.code = $1 AND c.disabled_at IS NULL AND p.state = 'live' AND (p.ends_at IS NULL
				OR p.ends_at > now() - interval '30 days')
				AND (c.customer_id IS NULL OR (SELECT coalesce(merged_into, id) FROM customer
					WHERE id = c.customer_id) = $2))`, code, person).Scan(&opens)
	if err != nil {
		return false, fmt.Errorf("try a code: %w", err)
	}
	return opens, nil
}
