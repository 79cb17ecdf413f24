package customer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/secret"
)

// Purposes of links and codes that work once.
const (
	ToRegister = "register"
	ToSignIn   = "sign_in"
	ToReset    = "reset"
	OldEmail   = "email_old"
	NewEmail   = "email_new"
	ToClaim    = "claim"
	ForPhone   = "phone"
	ForMerge   = "merge"
	ForExport  = "export"
	ToWatch    = "watch" // asked to be told something at an address that is not proven
	Known      = "known" // no link at all: somebody tried what cannot be, and is told by mail rather than on the page
)

// OneTime is a link or code that works once, sent to an address which it thereby proves.
type OneTime struct {
	ID         int64
	Purpose    string
	CustomerID int64 // 0: nobody's yet
	Target     string
	Payload    json.RawMessage
	CreatedAt  time.Time
}

// errLink is the one sentence for every reason why a link is wrong.
var errLink = fault.New(fault.NotFound, "This link has expired or already been used. Please request a new one.")

// ErrCode is the one sentence for every reason why a code is wrong.
var ErrCode error = fault.Field("code", "That code isn’t right, or has expired. Check it, or request a new one.")

// Ask writes down that a link or code is to be sent. Its secret is made when the message is written, so that no job
// carries it.
func Ask(ctx context.Context, tx pgx.Tx, o OneTime, life time.Duration) (id int64, err error) {
	if o.Payload == nil {
		o.Payload = json.RawMessage("{}")
	}
	err = tx.QueryRow(ctx, `
		INSERT INTO one_time (purpose, customer_id, target, payload, expires_at)
		VALUES ($1, nullif($2::bigint, 0), $3, $4, now() + $5)
		RETURNING id`, o.Purpose, o.CustomerID, o.Target, o.Payload, life).Scan(&id)
	if err != nil {
		return 0, fmt.Errorf("ask for a link: %w", err)
	}
	return id, nil
}

// ReadOneTime reads what a message is about. Nil when it is over: used, expired or gone.
func ReadOneTime(ctx context.Context, db pg.DB, id int64) (*OneTime, error) {
	return one(db.Query(ctx, `
		SELECT id, purpose, coalesce(customer_id, 0) AS customer_id, target, payload, created_at
		FROM one_time
		WHERE id = $1 AND used_at IS NULL AND expires_at > now()`, id))
}

// Issue gives a link or code its secret. A message that is sent again has a new one, and the old one is dead.
func Issue(ctx context.Context, db pg.DB, id int64, secretText string) error {
	_, err := db.Exec(ctx, `
		UPDATE one_time
		SET token_hash = $2
		WHERE id = $1 AND used_at IS NULL`, id, secret.Digest(secretText))
	return err
}

// Code is how a code of six figures is kept: it works with its own question only.
func Code(id int64, code string) string { return fmt.Sprintf("%d:%s", id, code) }

// Peek reads a link without using it: mail programs look at links before people do, so a page asks for a click.
func Peek(ctx context.Context, db pg.DB, purpose, token string) (*OneTime, error) {
	o, err := one(db.Query(ctx, `
		SELECT id, purpose, coalesce(customer_id, 0) AS customer_id, target, payload, created_at
		FROM one_time
		WHERE token_hash = $1 AND purpose = $2 AND used_at IS NULL AND expires_at > now()`, secret.Digest(token),
		purpose))
	if err == nil && o == nil {
		err = errLink
	}
	return o, err
}

// Use takes a link: of many who come with it, one gets it.
func Use(ctx context.Context, tx pgx.Tx, purpose, token string) (*OneTime, error) {
	o, err := use(ctx, tx, purpose, token)
	if err == nil && o == nil {
		err = errLink
	}
	return o, err
}

// UseCode takes a code that was typed. Its tries are counted by the caller, outside the transaction.
func UseCode(ctx context.Context, tx pgx.Tx, purpose string, id int64, code string) (*OneTime, error) {
	o, err := use(ctx, tx, purpose, Code(id, code))
	if err == nil && o == nil {
		err = ErrCode
	}
	return o, err
}

func use(ctx context.Context, tx pgx.Tx, purpose, token string) (*OneTime, error) {
	return one(tx.Query(ctx, `
		UPDATE one_time
		SET used_at = now()
		WHERE token_hash = $1 AND purpose = $2 AND used_at IS NULL AND expires_at > now()
		RETURNING id, purpose, coalesce(customer_id, 0) AS customer_id, target, payload, created_at`,
		secret.Digest(token), purpose))
}

func one(rows pgx.Rows, err error) (*OneTime, error) {
	if err != nil {
		return nil, fmt.Errorf("read a link: %w", err)
	}
	o, err := pgx.CollectExactlyOneRow(rows, pgx.RowToAddrOfStructByName[OneTime])
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read a link: %w", err)
	}
	return o, nil
}

// Both says whether the other half of a pair (an email's change, asked at the old address and the new) was used
// already.
func Both(ctx context.Context, tx pgx.Tx, o *OneTime) (both bool, err error) {
	err = tx.QueryRow(ctx, `
		SELECT EXISTS (
			SELECT
			FROM one_time
			WHERE customer_id = $1 AND id <> $2 AND payload ->> 'pair' = $3::jsonb ->> 'pair' AND used_at IS NOT NULL
				AND expires_at > now())`, o.CustomerID, o.ID, o.Payload).Scan(&both)
	return both, err
}

// Revoke makes what was sent for some purposes to a person worthless.
func Revoke(ctx context.Context, tx pgx.Tx, person int64, purposes ...string) error {
	_, err := tx.Exec(ctx, `
		UPDATE one_time
		SET used_at = now()
		WHERE customer_id IN (`+Members+`) AND used_at IS NULL AND purpose = ANY(@purposes)`,
		pgx.NamedArgs{"person": person, "purposes": purposes})
	return err
}

// RevokeTo makes every link that was sent to an address worthless, whoever it was for. One that is being used at this
// moment is let be: the two would wait for each other, and the identity that both prove decides between them.
func RevokeTo(ctx context.Context, tx pgx.Tx, target string) error {
	_, err := tx.Exec(ctx, `
		UPDATE one_time
		SET used_at = now()
		WHERE id IN (
			SELECT id
			FROM one_time
			WHERE target = $1 AND used_at IS NULL AND purpose <> 'export'
			FOR UPDATE SKIP LOCKED)`, target)
	return err
}

// SweepOneTime forgets what has been over for a day, with the addresses it went to.
func SweepOneTime(ctx context.Context, db pg.DB) error {
	_, err := db.Exec(ctx, `
		DELETE FROM one_time
		WHERE expires_at < now() - interval '1 day'`)
	return err
}

// PayloadOf is what a link or code was asked with, also after it was used. Nil when it is swept.
func PayloadOf(ctx context.Context, db pg.DB, id int64) (payload json.RawMessage, err error) {
	err = db.QueryRow(ctx, `SELECT payload FROM one_time WHERE id = $1`, id).Scan(&payload)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	return payload, err
}
