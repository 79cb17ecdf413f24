// Package limit counts tries of what can be guessed (sign-ins, pickup codes) so that nobody tries them all.
package limit

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/fault"
	"counterpart/internal/pg"
)

// Rule is how many tries a scope has within a window that begins with its first try.
type Rule struct {
	Max    int
	Window time.Duration
}

var errSpent = fault.New(fault.TooMany, "Too many attempts. Wait a few minutes and try again.")

// key is how a scope is kept: its hash, because scopes name addresses and people.
func key(scope string) string {
	sum := sha256.Sum256([]byte(scope))
	return hex.EncodeToString(sum[:])
}

// Take counts one try. It is one statement on its own, outside any transaction that could take it back, and refuses
// with fault.TooMany once the tries are used up; refused tries are not counted.
func Take(ctx context.Context, db pg.DB, scope string, rule Rule) error {
	var tries int
	err := db.QueryRow(ctx, `
		INSERT INTO try AS t (scope, tries, expires_at)
		VALUES ($1, 1, now() + $2)
		ON CONFLICT (scope) DO UPDATE
		SET tries = CASE WHEN t.expires_at <= now() THEN 1 ELSE t.tries + 1 END,
		    expires_at = CASE WHEN t.expires_at <= now() THEN now() + $2 ELSE t.expires_at END
		WHERE t.expires_at <= now() OR t.tries < $3
		RETURNING tries`, key(scope), rule.Window, rule.Max).Scan(&tries)
	if errors.Is(err, pgx.ErrNoRows) {
		return errSpent
	}
	if err != nil {
		return fmt.Errorf("count a try: %w", err)
	}
	return nil
}

// Check refuses like Take where the tries are used up, and counts nothing.
func Check(ctx context.Context, db pg.DB, scope string, rule Rule) error {
	var spent bool
	err := db.QueryRow(ctx, `
		SELECT EXISTS (SELECT FROM try WHERE scope = $1 AND expires_at > now() AND tries >= $2)`, key(scope), rule.Max).Scan(&spent)
	if err != nil {
		return fmt.Errorf("look at tries: %w", err)
	}
	if spent {
		return errSpent
	}
	return nil
}

// Forgive gives back the tries of a scope after a success.
func Forgive(ctx context.Context, db pg.DB, scope string) error {
	_, err := db.Exec(ctx, `
		DELETE FROM try
		WHERE scope = $1`, key(scope))
	return err
}

// Sweep forgets scopes whose window is over.
func Sweep(ctx context.Context, db pg.DB) error {
	_, err := db.Exec(ctx, `
		DELETE FROM try
		WHERE expires_at < now()`)
	return err
}

// GiveBack undoes one Take, because the try was a good one.
func GiveBack(ctx context.Context, db pg.DB, scope string) error {
	_, err := db.Exec(ctx, `
		UPDATE try
		SET tries = greatest(tries - 1, 0)
		WHERE scope = $1`, key(scope))
	return err
}
