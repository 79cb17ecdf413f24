// Package session is somebody being signed in, at a counter, in an office or on their own phone: a row, so that ending
// it is one DELETE.
package session

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/staff"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/secret"
)

// Lifetime is a working day: no associate stays signed in overnight.
const Lifetime = 12 * time.Hour

// A shopper stays signed in for a quarter, and a fortnight without a visit ends it.
const (
	ShopperLifetime = 90 * 24 * time.Hour
	ShopperIdle     = 14 * 24 * time.Hour
)

// Methods of signing in.
const (
	ByPassword = "password"
	ByPasskey  = "passkey"
	ByCode     = "code" // a password and a one-time code
	ByPIN      = "pin"
	ByLink     = "link"
	ByOIDC     = "oidc"
)

// Session is who is signed in, and at which store's counter (0: at none).
type Session struct {
	Associate  staff.Associate
	LocationID int64
	DeviceID   int64 // the registered machine it was begun on; 0: none
	Method     string
	Enrolled   bool          // false: may do nothing but set up a second factor
	Locked     bool          // nobody touched it for as long as the shop allows
	Idle       time.Duration // how long that is
	Until      time.Time     // when a new one ends, if that is before its Lifetime
	TimeZone   string        // of the store where they are, or else of the chain's first
	seen       time.Time
}

// Zone is where their clocks are.
func (s *Session) Zone() *time.Location {
	zone, err := time.LoadLocation(s.TimeZone)
	if err != nil {
		return time.UTC
	}
	return zone
}

// Begin starts an associate's session and returns the secret of its cookie. It is always a new one, so a planted cookie
// is worth nothing.
func Begin(ctx context.Context, db pg.DB, s Session) (token string, err error) {
	token = secret.NewToken()
	_, err = db.Exec(ctx, `
		INSERT INTO session (token_hash, associate_id, location_id, device_id, method, enrolled, expires_at)
		VALUES (@token, @associate, nullif(@location::bigint, 0), nullif(@device::bigint, 0), @method, @enrolled,
			least(now() + @lifetime::interval, @until::timestamptz))`, pgx.NamedArgs{
		"token": secret.Digest(token), "associate": s.Associate.ID, "location": s.LocationID, "device": s.DeviceID, "method": s.Method, "enrolled": s.Enrolled, "lifetime": Lifetime, "until": until(s)})
	if err != nil {
		return "", fmt.Errorf("begin a session: %w", err)
	}
	return token, nil
}

func until(s Session) *time.Time {
	if s.Until.IsZero() {
		return nil
	}
	return &s.Until
}

// Fresh says whether a shopper's session began so short a time ago that it stands for who they are.
func Fresh(ctx context.Context, db pg.DB, token string, within time.Duration) (fresh bool, err error) {
	err = db.QueryRow(ctx, `
		SELECT EXISTS (SELECT FROM session WHERE token_hash = $1 AND customer_id IS NOT NULL AND expires_at > now()
			AND created_at > now() - $2::interval)`, secret.Digest(token), within).Scan(&fresh)
	return fresh, err
}

// Load reads who a cookie is, rights and all, at every request: what was taken away is gone at the next. Nil when it is
// nobody. A session that was begun on a machine ends when the machine is revoked.
func Load(ctx context.Context, db pg.DB, token string) (*Session, error) {
	if token == "" || len(token) > 100 {
		return nil, nil
	}
	row, err := pg.Row[struct {
		staff.Associate
		LocationID  int64
		DeviceID    int64
		Method      string
		Enrolled    bool
		Locked      bool
		IdleMinutes int
		SeenAt      time.Time
		TimeZone    string
	}](db.Query(ctx, `
		SELECT a.id, a.name, a.email, a.role, coalesce(a.language, '') AS language,
			ARRAY(SELECT location_id FROM associate_location WHERE associate_id = a.id) AS locations,
			coalesce(s.location_id, 0) AS location_id, coalesce(s.device_id, 0) AS device_id, s.method, s.enrolled,
			s.locked_at IS NOT NULL OR s.seen_at < now() - make_interval(mins => shop.idle) AS locked,
			shop.idle AS idle_minutes, s.seen_at,
			coalesce((SELECT time_zone FROM location WHERE id = s.location_id), (SELECT time_zone FROM location
				ORDER BY kind = 'store' DESC, id LIMIT 1), 'UTC') AS time_zone
		FROM session s
		CROSS JOIN (SELECT coalesce(max(idle_minutes), 10)::int AS idle FROM shop) shop
		JOIN associate a ON a.id = s.associate_id
		LEFT JOIN device d ON d.id = s.device_id
		WHERE s.token_hash = $1 AND s.expires_at > now() AND a.disabled_at IS NULL AND d.revoked_at IS NULL`,
		secret.Digest(token)))
	if err != nil {
		return nil, fmt.Errorf("read a session: %w", err)
	}
	if row == nil {
		return nil, nil
	}
	s := Session{Associate: row.Associate, LocationID: row.LocationID, DeviceID: row.DeviceID, Method: row.Method,
		Enrolled: row.Enrolled, Locked: row.Locked, Idle: time.Duration(row.IdleMinutes) * time.Minute,
		TimeZone: row.TimeZone, seen: row.SeenAt}
	if s.LocationID != 0 && !s.Associate.WorksAt(s.LocationID) {
		s.LocationID = 0
	}
	return &s, nil
}

// Touch says that somebody is there. It writes once a minute at most.
func (s *Session) Touch(ctx context.Context, db pg.DB, token string) error {
	if time.Since(s.seen) < time.Minute {
		return nil
	}
	_, err := db.Exec(ctx, `
		UPDATE session
		SET seen_at = now()
		WHERE token_hash = $1 AND locked_at IS NULL AND seen_at < now()`, secret.Digest(token))
	return err
}

// LockScreen asks who is there before anything else is done.
func LockScreen(ctx context.Context, db pg.DB, token string) error {
	_, err := db.Exec(ctx, `
		UPDATE session
		SET locked_at = now()
		WHERE token_hash = $1`, secret.Digest(token))
	return err
}

// UnlockScreen goes on where the session was.
func UnlockScreen(ctx context.Context, db pg.DB, token string) error {
	_, err := db.Exec(ctx, `
		UPDATE session
		SET locked_at = NULL, seen_at = now()
		WHERE token_hash = $1`, secret.Digest(token))
	return err
}

// MoveTo puts the session at another store's counter.
func MoveTo(ctx context.Context, db pg.DB, token string, locationID int64) error {
	_, err := db.Exec(ctx, `
		UPDATE session
		SET location_id = $2
		WHERE token_hash = $1`, secret.Digest(token), locationID)
	return err
}

// End signs out, whoever it is.
func End(ctx context.Context, db pg.DB, token string) error {
	_, err := db.Exec(ctx, `
		DELETE FROM session
		WHERE token_hash = $1`, secret.Digest(token))
	return err
}

// EndAssociate signs an associate out everywhere.
func EndAssociate(ctx context.Context, tx pgx.Tx, associateID int64) error {
	_, err := tx.Exec(ctx, `
		DELETE FROM session
		WHERE associate_id = $1`, associateID)
	return err
}

// BeginShopper starts a customer's session and returns the secret of its cookie.
func BeginShopper(ctx context.Context, tx pgx.Tx, customerID int64, method, agent string) (token string, err error) {
	token = secret.NewToken()
	_, err = tx.Exec(ctx, `
		INSERT INTO session (token_hash, customer_id, method, agent, expires_at)
		VALUES ($1, $2, $3, $4, now() + $5)`, secret.Digest(token), customerID, method, agent, ShopperIdle)
	if err != nil {
		return "", fmt.Errorf("begin a shopper's session: %w", err)
	}
	return token, nil
}

// TouchShopper keeps a session of somebody who came back within a fortnight, up to a quarter after it began. It writes
// once a day at most.
func TouchShopper(ctx context.Context, db pg.DB, token string) error {
	_, err := db.Exec(ctx, `
		UPDATE session
		SET seen_at = now(), expires_at = least(created_at + $2::interval, now() + $3::interval)
		WHERE token_hash = $1 AND customer_id IS NOT NULL AND expires_at > now() AND seen_at < now() - interval '1 day'`, secret.Digest(token), ShopperLifetime, ShopperIdle)
	return err
}

// EndShopper signs a person out everywhere, but for one session that they keep; "" keeps none.
func EndShopper(ctx context.Context, tx pgx.Tx, person int64, keep string) (ended int64, err error) {
	tag, err := tx.Exec(ctx, `
		WITH begun AS (
			DELETE FROM challenge
			WHERE customer_id IN (`+customer.Members+`))
		DELETE FROM session
		WHERE customer_id IN (`+customer.Members+`) AND token_hash <> @keep`, pgx.NamedArgs{"person": person,
		"keep": secret.Digest(keep)})
	if err != nil {
		return 0, fmt.Errorf("sign a customer out everywhere: %w", err)
	}
	return tag.RowsAffected(), nil
}

// Sweep forgets sessions and challenges that are over.
func Sweep(ctx context.Context, db pg.DB) error {
	_, err := db.Exec(ctx, `
		WITH old AS (
			DELETE FROM challenge
			WHERE expires_at < now())
		DELETE FROM session
		WHERE expires_at < now()`)
	return err
}
