// Package staff is who works in the shop and where, in which role, how they prove who they are, and what they did. What
// a role opens is decided by the permissions of web/access.
package staff

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/limit"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/secret"
)

// Roles.
const (
	RoleAssociate = "associate"
	RoleManager   = "manager"
	RoleStock     = "stock"
	RoleMarketing = "marketing"
	RoleAdmin     = "admin"
)

// Roles in the order in which they are listed.
var Roles = []string{RoleAssociate, RoleManager, RoleStock, RoleMarketing, RoleAdmin}

// Associate is somebody who works here. Locations is where; an admin works everywhere.
type Associate struct {
	ID        int64
	Name      string
	Email     string
	Role      string
	Language  string // of their pages; empty: what the browser asks for
	Locations []int64
}

// WorksAt says whether they may act at a location.
func (a *Associate) WorksAt(locationID int64) bool {
	return a.Role == RoleAdmin || slices.Contains(a.Locations, locationID)
}

// Manages says whether they may allow what an associate may not.
func (a *Associate) Manages() bool { return a.Role == RoleManager || a.Role == RoleAdmin }

// Create writes an associate and fills in the id. The email must be normal. With an empty password they sign in once it
// is set.
func Create(ctx context.Context, tx pgx.Tx, a *Associate, password string) error {
	hash, err := secret.HashPassword(ctx, password)
	if err != nil {
		return err
	}
	err = tx.QueryRow(ctx, `
		INSERT INTO associate (name, email, role, password_hash)
		VALUES ($1, $2, $3, $4)
		RETURNING id`, a.Name, a.Email, a.Role, hash).Scan(&a.ID)
	if pg.Violates(err, "associate_email") {
		return fault.Field("email", "Someone on the staff already uses this address.")
	}
	if err != nil {
		return fmt.Errorf("create associate: %w", err)
	}
	return place(ctx, tx, a)
}

// Change rewrites name, role and places of an associate. A shop keeps at least one admin who can sign in.
func Change(ctx context.Context, tx pgx.Tx, a *Associate, disabled bool) error {
	// One at a time, so that two admins cannot take each other's role away at once.
	if _, err := tx.Exec(ctx, `SELECT id FROM associate WHERE role = 'admin' ORDER BY id FOR UPDATE`); err != nil {
		return err
	}
	tag, err := tx.Exec(ctx, `
		UPDATE associate
		SET name = @name, role = @role, disabled_at = CASE WHEN @disabled THEN coalesce(disabled_at, now()) END
		WHERE id = @id AND (@role = 'admin' AND NOT @disabled OR EXISTS (SELECT FROM associate WHERE role = 'admin'
			AND disabled_at IS NULL AND id <> @id))`,
		pgx.NamedArgs{"id": a.ID, "name": a.Name, "role": a.Role, "disabled": disabled})
	if err != nil {
		return fmt.Errorf("change an associate: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return fault.Field("role", "This is the last admin. Make someone else an admin first.")
	}
	return place(ctx, tx, a)
}

func place(ctx context.Context, tx pgx.Tx, a *Associate) error {
	_, err := tx.Exec(ctx, `
		WITH gone AS (
			DELETE FROM associate_location
			WHERE associate_id = $1 AND location_id <> ALL($2::bigint[]))
		INSERT INTO associate_location (associate_id, location_id)
		SELECT $1, unnest($2::bigint[])
		ON CONFLICT DO NOTHING`, a.ID, append([]int64{}, a.Locations...))
	if err != nil {
		return fmt.Errorf("give an associate their locations: %w", err)
	}
	return nil
}

// Proofs is what an associate has beside the password.
type Proofs struct {
	TOTP     bool
	Passkeys int
	PIN      bool
}

// Second says whether a second factor is set up.
func (p Proofs) Second() bool { return p.TOTP || p.Passkeys > 0 }

// ProofsOf reads how somebody can prove who they are.
func ProofsOf(ctx context.Context, db pg.DB, associateID int64) (p Proofs, err error) {
	err = db.QueryRow(ctx, `
		SELECT totp_secret IS NOT NULL, (SELECT count(*) FROM associate_passkey WHERE associate_id = a.id),
			pin_hash IS NOT NULL
		FROM associate a
		WHERE a.id = $1`, associateID).Scan(&p.TOTP, &p.Passkeys, &p.PIN)
	return p, err
}

var (
	perAccount = limit.Rule{Max: 10, Window: 15 * time.Minute}
	perAddress = limit.Rule{Max: 50, Window: 15 * time.Minute}
	// from everywhere together, so that a thousand machines are no better than six
	perStrangers = limit.Rule{Max: 60, Window: time.Hour}
)

// From is where a sign-in comes from. Machine is the cookie of a registered machine, if any; Session says that the
// associate is signed in there already and proves it again.
type From struct {
	Network, Machine string
	Session          bool
}

// SignIn checks a password. Every wrong one gets the same answer after the same work, whether or not the account
// exists. A stranger's tries do not lock an account for whoever comes from a machine or network it knows, and those go
// first.
func SignIn(ctx context.Context, db pg.DB, typed, password string, from From) (*Associate, error) {
	email, ok := normal(typed)
	if !ok || len(password) > 4*secret.MaxPassword {
		email = "nobody" // It is looked for all the same, so that the answer takes as long.
	}
	place := limit.Place{Account: "staff:" + email, Network: from.Network, Devices: []string{from.Machine},
		Here: perAccount, Address: perAddress, Everyone: perStrangers}
	known, err := place.Try(ctx, db)
	if err != nil {
		return nil, err
	}
	if known || from.Session {
		ctx = secret.First(ctx)
	}
	a, hash, err := find(ctx, db, email)
	if err != nil {
		return nil, err
	}
	same, err := secret.Matches(ctx, password, hash)
	if err != nil {
		return nil, err
	}
	if !same || a.ID == 0 {
		return nil, wrong()
	}
	return a, place.Proven(ctx, db)
}

// normal is an address as it is kept: see customer.NormalEmail. What no address can hold never meets the database.
func normal(typed string) (string, bool) {
	email := strings.TrimSuffix(strings.ToLower(strings.TrimSpace(typed)), ".")
	return email, len(email) <= 254 && utf8.ValidString(email) && !strings.ContainsRune(email, 0)
}

func find(ctx context.Context, db pg.DB, email string) (*Associate, string, error) {
	row, err := pg.Row[struct {
		Associate
		PasswordHash string
	}](db.Query(ctx, `
		SELECT a.id, a.name, a.email, a.role, coalesce(a.language, '') AS language, a.password_hash,
			ARRAY(SELECT location_id FROM associate_location WHERE associate_id = a.id) AS locations
		FROM associate a
		WHERE a.email = $1 AND a.disabled_at IS NULL`, email))
	if err != nil {
		return nil, "", fmt.Errorf("find an associate: %w", err)
	}
	if row == nil {
		return &Associate{}, "", nil
	}
	return &row.Associate, row.PasswordHash, nil
}

// ByEmail finds an associate whom another system vouches for. Nil when nobody has the address.
func ByEmail(ctx context.Context, db pg.DB, email string) (*Associate, error) {
	email, ok := normal(email)
	if !ok {
		return nil, nil
	}
	a, _, err := find(ctx, db, email)
	if err != nil || a.ID == 0 {
		return nil, err
	}
	return a, nil
}

// ByID finds an associate who may sign in. Nil when there is none.
func ByID(ctx context.Context, db pg.DB, id int64) (*Associate, error) {
	var email string
	err := db.QueryRow(ctx, `SELECT email FROM associate WHERE id = $1`, id).Scan(&email)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return ByEmail(ctx, db, email)
}

// SetPassword replaces an associate's password.
func SetPassword(ctx context.Context, tx pgx.Tx, associateID int64, password string) error {
	if weak := secret.Weak(password); weak != "" {
		return fault.Field("password", weak)
	}
	hash, err := secret.HashPassword(ctx, password)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `
		UPDATE associate
		SET password_hash = $2
		WHERE id = $1`, associateID, hash)
	return err
}

func wrong() error {
	return fault.Field("password", "Email or password is incorrect.")
}

// SetLanguage sets the language that somebody reads their pages in.
func SetLanguage(ctx context.Context, tx pgx.Tx, associateID int64, language string) error {
	_, err := tx.Exec(ctx, `UPDATE associate SET language = $2 WHERE id = $1`, associateID, language)
	return err
}
