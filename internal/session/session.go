// Package session is an associate being signed in at a counter or an office: a row, so that ending it is one DELETE.
package session

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/pg"
	"counterpart/internal/staff"
)

// Lifetime is a working day: nobody stays signed in overnight.
const Lifetime = 12 * time.Hour

// Session is who is signed in, and at which store's counter (0: at none).
type Session struct {
	Associate  staff.Associate
	LocationID int64
}

// NewToken is a secret of 130 bits for a cookie or a link.
func NewToken() string { return rand.Text() }

// Hash is how a secret is stored and looked up.
func Hash(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}

// Begin starts a session and returns the secret of its cookie. It is always a new one, so a planted cookie is worth nothing.
func Begin(ctx context.Context, db pg.DB, associateID, locationID int64) (token string, err error) {
	token = NewToken()
	_, err = db.Exec(ctx, `
		INSERT INTO session (token_hash, associate_id, location_id, expires_at)
		VALUES ($1, $2, nullif($3::bigint, 0), now() + $4)`, Hash(token), associateID, locationID, Lifetime)
	if err != nil {
		return "", fmt.Errorf("begin a session: %w", err)
	}
	return token, nil
}

// Load reads who a cookie is, rights and all, at every request: what was taken away is gone at the next. Nil when it is nobody.
func Load(ctx context.Context, db pg.DB, token string) (*Session, error) {
	if token == "" || len(token) > 100 {
		return nil, nil
	}
	var s Session
	err := db.QueryRow(ctx, `
		SELECT a.id, a.name, a.email, a.role, ARRAY(SELECT location_id FROM associate_location WHERE associate_id = a.id), coalesce(s.location_id, 0)
		FROM session s
		JOIN associate a ON a.id = s.associate_id
		WHERE s.token_hash = $1 AND s.expires_at > now() AND a.disabled_at IS NULL`, Hash(token)).
		Scan(&s.Associate.ID, &s.Associate.Name, &s.Associate.Email, &s.Associate.Role, &s.Associate.Locations, &s.LocationID)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read a session: %w", err)
	}
	if s.LocationID != 0 && !s.Associate.WorksAt(s.LocationID) {
		s.LocationID = 0
	}
	return &s, nil
}

// MoveTo puts the session at another store's counter.
func MoveTo(ctx context.Context, db pg.DB, token string, locationID int64) error {
	_, err := db.Exec(ctx, `
		UPDATE session
		SET location_id = $2
		WHERE token_hash = $1`, Hash(token), locationID)
	return err
}

// End signs out.
func End(ctx context.Context, db pg.DB, token string) error {
	_, err := db.Exec(ctx, `
		DELETE FROM session
		WHERE token_hash = $1`, Hash(token))
	return err
}

// Sweep forgets sessions that are over.
func Sweep(ctx context.Context, db pg.DB) error {
	_, err := db.Exec(ctx, `
		DELETE FROM session
		WHERE expires_at < now()`)
	return err
}
