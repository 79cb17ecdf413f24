package session

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

// Challenge is half of something that a browser has to finish: what an authenticator signs, or a password that was
// right and waits for the second factor. It works once.
type Challenge struct {
	Purpose     string
	AssociateID int64
	CustomerID  int64
	Data        json.RawMessage
}

// Purposes of challenges.
const (
	CustomerEnrol  = "customer_enrol"
	CustomerSignIn = "customer_sign_in"
	StaffEnrol     = "staff_enrol"
	StaffSecond    = "staff_second"
	OIDC           = "oidc"
)

// ChallengeLife is as long as people look for their phone.
const ChallengeLife = 10 * time.Minute

var errChallenge = fault.New(fault.Conflict, "That took too long, or has already been done. Start again.")

// Challenging keeps a challenge and answers with its secret.
func Challenging(ctx context.Context, db pg.DB, c Challenge) (token string, err error) {
	token = secret.NewToken()
	if c.Data == nil {
		c.Data = json.RawMessage("{}")
	}
	_, err = db.Exec(ctx, `
		INSERT INTO challenge (token_hash, purpose, associate_id, customer_id, data, expires_at)
		VALUES ($1, $2, nullif($3::bigint, 0), nullif($4::bigint, 0), $5, now() + $6)`, secret.Digest(token), c.Purpose,
		c.AssociateID, c.CustomerID, c.Data, ChallengeLife)
	if err != nil {
		return "", fmt.Errorf("keep a challenge: %w", err)
	}
	return token, nil
}

// ReadChallenge looks at a challenge without using it.
func ReadChallenge(ctx context.Context, db pg.DB, purpose, token string) (*Challenge, error) {
	return challenge(db.Query(ctx, `
		SELECT purpose, coalesce(associate_id, 0), coalesce(customer_id, 0), data
		FROM challenge
		WHERE token_hash = $1 AND purpose = $2 AND expires_at > now()`, secret.Digest(token), purpose))
}

// Answered takes a challenge: of many answers, one counts.
func Answered(ctx context.Context, db pg.DB, purpose, token string) (*Challenge, error) {
	return challenge(db.Query(ctx, `
		DELETE FROM challenge
		WHERE token_hash = $1 AND purpose = $2 AND expires_at > now()
		RETURNING purpose, coalesce(associate_id, 0), coalesce(customer_id, 0), data`, secret.Digest(token), purpose))
}

func challenge(rows pgx.Rows, err error) (*Challenge, error) {
	if err != nil {
		return nil, fmt.Errorf("read a challenge: %w", err)
	}
	c, err := pgx.CollectExactlyOneRow(rows, pgx.RowToAddrOfStructByPos[Challenge])
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, errChallenge
	}
	if err != nil {
		return nil, fmt.Errorf("read a challenge: %w", err)
	}
	return c, nil
}
