package payment

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/platform/pg"
)

// States of an attempt, and of the gateway's view of it. They only move forward.
const (
	Started    = "started"
	Authorised = "authorised"
	Captured   = "captured"
	Declined   = "declined"
	Voided     = "void"
)

// Attempt to be paid through a gateway. Its id is the key under which the gateway knows it.
type Attempt struct {
	ID        int64
	OrderID   int64
	Gateway   string
	Method    string
	Currency  string
	Amount    int64
	State     string
	Reference string
	Page      string
	Declined  string
	CreatedAt time.Time
}

// Key under which the gateway knows the attempt.
func (a *Attempt) Key() string { return keyPrefix + strconv.FormatInt(a.ID, 10) }

const keyPrefix = "payment-"

// NewAttempt is what a gateway is about to be asked for.
type NewAttempt struct {
	OrderID  int64
	Gateway  string
	Method   string
	Currency string
	Amount   int64 // minor units
}

// StartAttempt writes an attempt down, before anybody is called.
func StartAttempt(ctx context.Context, tx pgx.Tx, n NewAttempt) (id int64, err error) {
	err = tx.QueryRow(ctx, `
		INSERT INTO payment (order_id, gateway, method, currency, amount)
		VALUES ($1, $2, $3, $4, $5)
		RETURNING id`, n.OrderID, n.Gateway, n.Method, n.Currency, n.Amount).Scan(&id)
	if err != nil {
		return 0, fmt.Errorf("write a payment: %w", err)
	}
	return id, nil
}

const attemptColumns = `p.id, p.order_id, p.gateway, p.method, p.currency::text, p.amount, p.state, coalesce(p.reference, '') AS reference, p.page, p.declined, p.created_at`

// AttemptByID reads an attempt. Nil when there is none.
func AttemptByID(ctx context.Context, db pg.DB, id int64) (*Attempt, error) {
	return attempt(ctx, db, `WHERE p.id = $1`, id)
}

// AttemptAt reads an attempt by the gateway's name for it, or by its key. Nil when there is none.
func AttemptAt(ctx context.Context, db pg.DB, gateway, reference string) (*Attempt, error) {
	if digits, ok := strings.CutPrefix(reference, keyPrefix); ok {
		id, err := strconv.ParseInt(digits, 10, 64)
		if err != nil {
			return nil, nil
		}
		return attempt(ctx, db, `WHERE p.gateway = $1 AND p.id = $2`, gateway, id)
	}
	return attempt(ctx, db, `WHERE p.gateway = $1 AND p.reference = $2`, gateway, reference)
}

// LastAttempt of an order. Nil when it has none.
func LastAttempt(ctx context.Context, db pg.DB, orderID int64) (*Attempt, error) {
	return attempt(ctx, db, `WHERE p.order_id = $1 ORDER BY p.id DESC LIMIT 1`, orderID)
}

func attempt(ctx context.Context, db pg.DB, where string, args ...any) (*Attempt, error) {
	rows, err := db.Query(ctx, `SELECT `+attemptColumns+` FROM payment p `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read a payment: %w", err)
	}
	a, err := pgx.CollectExactlyOneRow(rows, pgx.RowToAddrOfStructByName[Attempt])
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	return a, err
}

// Opened writes down what the gateway called an attempt, and its page.
func Opened(ctx context.Context, db pg.DB, id int64, b Begun) error {
	_, err := db.Exec(ctx, `
		UPDATE payment
		SET reference = $2, page = $3
		WHERE id = $1 AND reference IS NULL`, id, b.Reference, b.Page)
	if err != nil {
		return fmt.Errorf("write a payment's page: %w", err)
	}
	return nil
}

// from says from which states an attempt moves to another.
var from = map[string][]string{
	Authorised: {Started}, Captured: {Started, Authorised}, Declined: {Started}, Voided: {Started, Authorised},
}

// SetAttemptState takes an attempt forward. False when it was there, or further, already.
func SetAttemptState(ctx context.Context, tx pgx.Tx, id int64, s Status) (bool, error) {
	var lapses *time.Time
	if !s.Lapses.IsZero() {
		lapses = &s.Lapses
	}
	tag, err := tx.Exec(ctx, `
		UPDATE payment
		SET state = $2, declined = $3, lapses_at = coalesce($4, lapses_at), settled_at = now()
		WHERE id = $1 AND state = ANY ($5)`, id, s.State, s.Declined, lapses, from[s.State])
	if err != nil {
		return false, fmt.Errorf("move a payment: %w", err)
	}
	return tag.RowsAffected() == 1, nil
}

// Kinds of transfer.
const (
	ToCapture = "capture"
	ToVoid    = "void"
	ToRefund  = "refund"
)

// Transfer is something that a gateway is asked to do with an attempt's money.
type Transfer struct {
	ID        int64
	PaymentID int64
	TenderID  int64
	Kind      string
	Amount    int64
	State     string
}

// Key under which the gateway knows the transfer.
func (t *Transfer) Key() string { return "transfer-" + strconv.FormatInt(t.ID, 10) }

// RequestTransfer writes a transfer down, before anybody is called. A capture or giving up that was asked for already
// is not asked for again: then the answer is 0.
func RequestTransfer(ctx context.Context, tx pgx.Tx, t Transfer) (id int64, err error) {
	err = tx.QueryRow(ctx, `
		INSERT INTO transfer (payment_id, tender_id, kind, amount)
		VALUES ($1, nullif($2::bigint, 0), $3, $4)
		ON CONFLICT (payment_id, kind) WHERE kind <> 'refund' AND state <> 'failed' DO NOTHING
		RETURNING id`, t.PaymentID, t.TenderID, t.Kind, t.Amount).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("write a transfer: %w", err)
	}
	return id, nil
}

// TransferByID reads a transfer. Nil when there is none.
func TransferByID(ctx context.Context, db pg.DB, id int64) (*Transfer, error) {
	rows, err := db.Query(ctx, `
		SELECT id, payment_id, coalesce(tender_id, 0) AS tender_id, kind, amount, state
		FROM transfer
		WHERE id = $1`, id)
	if err != nil {
		return nil, fmt.Errorf("read a transfer: %w", err)
	}
	t, err := pgx.CollectExactlyOneRow(rows, pgx.RowToAddrOfStructByName[Transfer])
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	return t, err
}

// EndTransfer writes down what came of a transfer, and of the refund that it was for. False when it had ended already.
func EndTransfer(ctx context.Context, tx pgx.Tx, id int64, problem string) (bool, error) {
	state := "done"
	if problem != "" {
		state = "failed"
	}
	tag, err := tx.Exec(ctx, `
		WITH ended AS (
			UPDATE transfer
			SET state = $2, problem = $3, settled_at = now()
			WHERE id = $1 AND state = 'asked'
			RETURNING id),
		refunded AS (
			UPDATE refund
			SET state = $2, settled_at = now()
			WHERE transfer_id = (SELECT id FROM ended))
		SELECT id
		FROM ended`, id, state, problem)
	if err != nil {
		return false, fmt.Errorf("end a transfer: %w", err)
	}
	return tag.RowsAffected() == 1, nil
}

// RetryTransfer writes a refused refund of a payment down once more. 0 where none was refused.
func RetryTransfer(ctx context.Context, tx pgx.Tx, paymentID int64) (transferID int64, err error) {
	err = tx.QueryRow(ctx, `
		WITH refused AS (
			SELECT r.id, x.payment_id, x.tender_id, x.amount
			FROM refund r
			JOIN transfer x ON x.id = r.transfer_id
			WHERE x.payment_id = $1 AND r.state = 'failed'
			ORDER BY r.id
			LIMIT 1
			FOR UPDATE OF r),
		asked AS (
			INSERT INTO transfer (payment_id, tender_id, kind, amount)
			SELECT payment_id, tender_id, 'refund', amount
			FROM refused
			RETURNING id)
		UPDATE refund
		SET transfer_id = asked.id, state = 'asked', settled_at = NULL
		FROM asked, refused
		WHERE refund.id = refused.id
		RETURNING asked.id`, paymentID).Scan(&transferID)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("ask for a refund again: %w", err)
	}
	return transferID, nil
}

// Difference is where a gateway's book and ours do not agree.
type Difference struct {
	Kind      string // amount, captured, refunded, unknown, event, late, lapses
	PaymentID int64
	Reference string
	Ours      int64
	Theirs    int64
	Detail    string
}

// Note writes a difference down for somebody to close; one that is open already is not written again.
func (d Difference) Note(ctx context.Context, db pg.DB) error {
	_, err := db.Exec(ctx, `
		INSERT INTO difference (kind, payment_id, reference, ours, theirs, detail)
		VALUES ($1, nullif($2::bigint, 0), $3, $4, $5, $6)
		ON CONFLICT (kind, reference) WHERE closed_at IS NULL DO NOTHING`, d.Kind, d.PaymentID, d.Reference, d.Ours,
		d.Theirs, d.Detail)
	if err != nil {
		return fmt.Errorf("note a difference: %w", err)
	}
	return nil
}

// CloseLateAuthorisation closes what was noted about a promise that came too late: the gateway let it go.
func CloseLateAuthorisation(ctx context.Context, tx pgx.Tx, paymentID int64) error {
	_, err := tx.Exec(ctx, `
		UPDATE difference
		SET closed_at = now(), note = 'The gateway let it go: nothing was taken.'
		WHERE payment_id = $1 AND kind = 'late' AND closed_at IS NULL`, paymentID)
	if err != nil {
		return fmt.Errorf("close a difference: %w", err)
	}
	return nil
}

// CloseDifference says that somebody dealt with one, and how, and answers the payment that it was about. False when it
// was closed already.
func CloseDifference(ctx context.Context, tx pgx.Tx, id, associateID int64, note string) (paymentID int64, closed bool,
	err error) {
	err = tx.QueryRow(ctx, `
		UPDATE difference
		SET closed_at = now(), closed_by = $2, note = $3
		WHERE id = $1 AND closed_at IS NULL
		RETURNING coalesce(payment_id, 0)`, id, associateID, note).Scan(&paymentID)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("close a difference: %w", err)
	}
	return paymentID, true, nil
}
