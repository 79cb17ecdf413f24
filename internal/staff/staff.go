// Package staff is who works in the shop, what they may do, and where.
package staff

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/alexedwards/argon2id"
	"github.com/jackc/pgx/v5"

	"counterpart/internal/fault"
	"counterpart/internal/limit"
	"counterpart/internal/pg"
)

// Roles.
const (
	RoleAssociate = "associate"
	RoleManager   = "manager"
	RoleStock     = "stock"
	RoleMarketing = "marketing"
	RoleAdmin     = "admin"
)

// Associate is somebody who works here. Locations is where; an admin works everywhere.
type Associate struct {
	ID        int64
	Name      string
	Email     string
	Role      string
	Locations []int64
}

// WorksAt says whether they may act at a location.
func (a *Associate) WorksAt(locationID int64) bool {
	return a.Role == RoleAdmin || slices.Contains(a.Locations, locationID)
}

// Argon2id with 19 MiB and two passes, OWASP's first recommendation.
var hashing = &argon2id.Params{Memory: 19 * 1024, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}

// At most two hashes at once, so that a flood of sign-ins cannot take the machine from the shoppers.
var hashSlots = make(chan struct{}, 2)

// noPassword is compared where there is no such associate, so that both answers take as long.
var noPassword = sync.OnceValues(func() (string, error) {
	return argon2id.CreateHash("nobody has this password", hashing)
})

// Create writes an associate and fills in the id. The email must be normal.
func Create(ctx context.Context, tx pgx.Tx, a *Associate, password string) error {
	hash, err := argon2id.CreateHash(password, hashing)
	if err != nil {
		return fmt.Errorf("hash a password: %w", err)
	}
	err = tx.QueryRow(ctx, `
		INSERT INTO associate (name, email, role, password_hash)
		VALUES ($1, $2, $3, $4)
		RETURNING id`, a.Name, a.Email, a.Role, hash).Scan(&a.ID)
	if err != nil {
		return fmt.Errorf("create associate: %w", err)
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO associate_location (associate_id, location_id)
		SELECT $1, unnest($2::bigint[])`, a.ID, a.Locations)
	if err != nil {
		return fmt.Errorf("give an associate their locations: %w", err)
	}
	return nil
}

var (
	perAccount = limit.Rule{Max: 10, Window: 15 * time.Minute}
	perAddress = limit.Rule{Max: 50, Window: 15 * time.Minute}
)

// SignIn checks a password. Every wrong one gets the same answer after the same work, whether or not the account exists;
// from is the address it comes from, so that a stranger's tries do not lock an account out everywhere.
func SignIn(ctx context.Context, db pg.DB, email, password, from string) (*Associate, error) {
	email = strings.ToLower(strings.TrimSpace(email))
	if len(email) > 254 || len(password) > 1000 || strings.ContainsRune(email, 0) {
		return nil, wrong()
	}
	if err := limit.Take(ctx, db, "sign-in:from:"+from, perAddress); err != nil {
		return nil, err
	}
	if err := limit.Take(ctx, db, "sign-in:"+email+":"+from, perAccount); err != nil {
		return nil, err
	}
	hash, err := noPassword()
	if err != nil {
		return nil, err
	}
	var a Associate
	err = db.QueryRow(ctx, `
		SELECT a.id, a.name, a.email, a.role, a.password_hash, ARRAY(SELECT location_id FROM associate_location WHERE associate_id = a.id)
		FROM associate a
		WHERE a.email = $1 AND a.disabled_at IS NULL`, email).Scan(&a.ID, &a.Name, &a.Email, &a.Role, &hash, &a.Locations)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return nil, fmt.Errorf("find an associate: %w", err)
	}
	select {
	case hashSlots <- struct{}{}:
		defer func() { <-hashSlots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	same, err := argon2id.ComparePasswordAndHash(password, hash)
	if err != nil {
		return nil, fmt.Errorf("compare a password: %w", err)
	}
	if !same || a.ID == 0 {
		return nil, wrong()
	}
	return &a, limit.Forgive(ctx, db, "sign-in:"+email+":"+from)
}

func wrong() error {
	return fault.Field("password", "That email and password do not go together.")
}
