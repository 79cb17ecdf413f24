package promotion

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/text"

	"github.com/jackc/pgx/v5"
)

// Use is an order's use of a promotion.
type Use struct {
	OrderID     int64
	PromotionID int64
	CouponID    int64
	Amount      int64 // minor units
	Person      int64
	Email       string
	Day         time.Time // of the store
}

// NormalMailbox is an email address as limits count it. Gmail delivers to one mailbox whatever dots stand in the name
// and whatever follows a plus; every other provider decides for itself, so elsewhere two spellings are two people.
func NormalMailbox(email string) string {
	email = strings.TrimSuffix(strings.ToLower(strings.TrimSpace(email)), ".")
	local, domain, _ := strings.Cut(email, "@")
	if domain != "gmail.com" && domain != "googlemail.com" {
		return email
	}
	local, _, _ = strings.Cut(local, "+")
	return strings.ReplaceAll(local, ".", "") + "@gmail.com"
}

// ErrGone says that a promotion cannot be used any more: its last use or its last penny went to somebody else.
var ErrGone = errors.New("the promotion has run out")

// Claim writes a use if every limit still has room for it: the promotion's, the code's, the person's, the mailbox's and
// the day's. Where one has not, the work says so by what. Uses of one order are claimed in the order of their
// promotions.
func Claim(w *pg.Work, what text.Message, u Use) {
	w.Guard(what, `
		WITH limited AS (
			UPDATE promotion
			SET used = used + 1, spent = spent + @amount
			WHERE id = @promotion AND counted AND state = 'live' AND (ends_at IS NULL OR ends_at > now())
				AND (max_uses IS NULL OR used < max_uses) AND (budget IS NULL OR spent + @amount <= budget)
			RETURNING id, max_per_customer, max_per_day),
		free AS (
			SELECT id, max_per_customer, max_per_day
			FROM promotion
			WHERE id = @promotion AND NOT counted AND state = 'live' AND (ends_at IS NULL OR ends_at > now())
			FOR SHARE),
		p AS (
			SELECT * FROM limited
			UNION ALL
			SELECT * FROM free),
		coded AS (
			UPDATE coupon
			SET used = used + 1
			WHERE id = @coupon AND promotion_id = (SELECT id FROM p) AND disabled_at IS NULL AND (max_uses IS NULL
				OR used < max_uses)
			RETURNING id),
		mailbox AS (
			SELECT CASE WHEN @email = '' THEN '' ELSE encode(sha256(convert_to((SELECT forget_key FROM shop) || @email,
				'UTF8')), 'hex') END AS key),
		wanted AS (
			SELECT k.key, k.most
			FROM p, mailbox, LATERAL (VALUES
				('day:' || @day::date, p.max_per_day),
				('email:' || nullif(mailbox.key, ''), p.max_per_customer),
				('person:' || @person::bigint, p.max_per_customer)) k (key, most)
			WHERE k.key IS NOT NULL AND k.most IS NOT NULL),
		counted AS (
			INSERT INTO promotion_counter AS c (promotion_id, key, used)
			SELECT @promotion, key, 1
			FROM wanted
			ORDER BY key
			ON CONFLICT (promotion_id, key) DO UPDATE
			SET used = c.used + 1
			WHERE c.used < (SELECT most FROM wanted WHERE key = c.key)
			RETURNING key)
		INSERT INTO promotion_use (promotion_id, coupon_id, order_id, amount, person_id, email_key, day)
		SELECT p.id, nullif(@coupon::bigint, 0), @order, @amount, @person, mailbox.key, @day
		FROM p, mailbox
		WHERE (@coupon = 0 OR EXISTS (SELECT FROM coded)) AND (SELECT count(*) FROM counted) = (SELECT count(*)
			FROM wanted)`, pgx.NamedArgs{"promotion": u.PromotionID, "coupon": u.CouponID, "order": u.OrderID,
		"amount": u.Amount, "person": u.Person, "email": NormalMailbox(u.Email), "day": u.Day.Format(time.DateOnly)})
}

// Release gives the uses of an order back. It is called when a whole order is cancelled before any of it was handed
// over, and then only: a return does not bring a coupon back.
func Release(ctx context.Context, tx pgx.Tx, orderID int64) error {
	// The promotions first, in their order: whoever sets a limit meanwhile counts these uses, or waits until they are
	// gone.
	_, err := tx.Exec(ctx, `
		SELECT
		FROM promotion
		WHERE id IN (SELECT promotion_id FROM promotion_use WHERE order_id = $1 AND released_at IS NULL)
		ORDER BY id
		FOR UPDATE`, orderID)
	if err != nil {
		return fmt.Errorf("hold promotions: %w", err)
	}
	rows, err := tx.Query(ctx, `
		UPDATE promotion_use
		SET released_at = now()
		WHERE order_id = $1 AND released_at IS NULL
		RETURNING promotion_id, coalesce(coupon_id, 0) AS coupon_id, amount, 'person:' || person_id AS person,
			'email:' || email_key AS email, 'day:' || day AS day`, orderID)
	if err != nil {
		return fmt.Errorf("release promotions: %w", err)
	}
	type used struct {
		PromotionID, CouponID, Amount int64
		Person, Email, Day            string
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[used])
	if err != nil {
		return fmt.Errorf("release promotions: %w", err)
	}
	batch := &pgx.Batch{}
	for _, u := range all {
		batch.Queue(`
			UPDATE promotion
			SET used = used - 1, spent = spent - $2
			WHERE id = $1 AND counted`, u.PromotionID, u.Amount)
		batch.Queue(`
			UPDATE coupon
			SET used = used - 1
			WHERE id = $1`, u.CouponID)
		// A limit that was set meanwhile counted this use, one that was taken away has no counter.
		batch.Queue(`
			UPDATE promotion_counter
			SET used = used - 1
			WHERE promotion_id = $1 AND key = ANY ($2)`, u.PromotionID, []string{u.Person, u.Email, u.Day})
	}
	if batch.Len() == 0 {
		return nil
	}
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("release promotions: %w", err)
	}
	return nil
}
