// Package limit counts tries of what can be guessed (sign-ins, pickup codes) so that nobody tries them all.
package limit

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/pg"
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

// Attempt counts one try. It is one statement on its own, outside any transaction that could take it back, and refuses
// with fault.TooMany once the tries are used up; refused tries are not counted.
func Attempt(ctx context.Context, db pg.DB, scope string, rule Rule) error {
	_, err := Count(ctx, db, scope, rule)
	return err
}

// spentFor is errSpent with the time until the window is over.
func spentFor(ctx context.Context, db pg.DB, scope string) error {
	var rest time.Duration
	err := db.QueryRow(ctx, `SELECT coalesce(max(expires_at) - now(), '0') FROM try WHERE scope = $1`,
		key(scope)).Scan(&rest)
	if err != nil {
		return fmt.Errorf("look at tries: %w", err)
	}
	spent := *errSpent
	spent.After = max(rest, time.Second)
	return &spent
}

// Count is Attempt, and answers how many there were.
func Count(ctx context.Context, db pg.DB, scope string, rule Rule) (tries int, err error) {
	err = db.QueryRow(ctx, `
		INSERT INTO try AS t (scope, tries, expires_at)
		VALUES ($1, 1, now() + $2)
		ON CONFLICT (scope) DO UPDATE
		SET tries = CASE WHEN t.expires_at <= now() THEN 1 ELSE t.tries + 1 END,
		    expires_at = CASE WHEN t.expires_at <= now() THEN now() + $2 ELSE t.expires_at END
		WHERE t.expires_at <= now() OR t.tries < $3
		RETURNING tries`, key(scope), rule.Window, rule.Max).Scan(&tries)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, spentFor(ctx, db, scope)
	}
	if err != nil {
		return 0, fmt.Errorf("count a try: %w", err)
	}
	return tries, nil
}

// Check refuses like Attempt where the tries are used up, and counts nothing.
func Check(ctx context.Context, db pg.DB, scope string, rule Rule) error {
	var spent bool
	err := db.QueryRow(ctx, `
		SELECT EXISTS (SELECT FROM try WHERE scope = $1 AND expires_at > now() AND tries >= $2)`, key(scope),
		rule.Max).Scan(&spent)
	if err != nil {
		return fmt.Errorf("look at tries: %w", err)
	}
	if spent {
		return spentFor(ctx, db, scope)
	}
	return nil
}

// Reset gives back the tries of a scope after a success.
func Reset(ctx context.Context, db pg.DB, scope string) error {
	_, err := db.Exec(ctx, `
		DELETE FROM try
		WHERE scope = $1`, key(scope))
	return err
}

// Sweep forgets scopes whose window is over, and places that nobody came from for long.
func Sweep(ctx context.Context, db pg.DB) error {
	_, err := db.Exec(ctx, `
		WITH places AS (DELETE FROM known_place WHERE seen_at < now() - interval '90 days')
		DELETE FROM try
		WHERE expires_at < now()`)
	return err
}

// Known answers the first of the places from which an account was signed in to before; "" where it knows none.
func Known(ctx context.Context, db pg.DB, account string, places ...string) (string, error) {
	keys := make([]string, len(places))
	for i, place := range places {
		keys[i] = key(place)
	}
	var at int
	err := db.QueryRow(ctx, `
		SELECT coalesce(min(array_position($2::text[], place)), 0)
		FROM known_place
		WHERE account = $1 AND place = ANY($2)`, key(account), keys).Scan(&at)
	if err != nil {
		return "", fmt.Errorf("look for a known place: %w", err)
	}
	if at == 0 {
		return "", nil
	}
	return places[at-1], nil
}

// Remember keeps the places from which somebody proved to be an account's owner.
func Remember(ctx context.Context, db pg.DB, account string, places ...string) error {
	keys := make([]string, len(places))
	for i, place := range places {
		keys[i] = key(place)
	}
	_, err := db.Exec(ctx, `
		INSERT INTO known_place (account, place)
		SELECT DISTINCT $1, unnest($2::text[])
		ON CONFLICT (account, place) DO UPDATE
		SET seen_at = now()`, key(account), keys)
	if err != nil {
		return fmt.Errorf("remember a place: %w", err)
	}
	return nil
}

// Place counts the tries at an account from a place. Where the account is known there, nobody elsewhere can use the
// tries up; strangers share each address's and the account's.
type Place struct {
	Account  string
	Network  string   // of the request
	Devices  []string // other things by which the account may know whoever asks: the cookie of a device
	Here     Rule     // of the account from one place
	Address  Rule     // of a network, whatever the account
	Everyone Rule     // of the account, from all strangers together
}

// Try counts one, and answers whether the account is known there.
func (p Place) Try(ctx context.Context, db pg.DB) (known bool, err error) {
	place, err := Known(ctx, db, p.Account, p.places()...)
	if err != nil {
		return false, err
	}
	if place != "" {
		return true, Attempt(ctx, db, p.Account+":"+place, p.Here)
	}
	if err := Attempt(ctx, db, p.kind()+":"+p.Network, p.Address); err != nil {
		return false, err
	}
	if err := Attempt(ctx, db, p.Account+":"+p.Network, p.Here); err != nil {
		return false, err
	}
	return false, Attempt(ctx, db, p.Account, p.Everyone)
}

// Proven gives the tries of this place back and remembers it.
func (p Place) Proven(ctx context.Context, db pg.DB) error {
	for _, place := range p.places() {
		if err := Reset(ctx, db, p.Account+":"+place); err != nil {
			return err
		}
	}
	return Remember(ctx, db, p.Account, p.places()...)
}

func (p Place) places() []string {
	var all []string // devices first: a network may be shared with whoever guesses
	for _, device := range p.Devices {
		if device != "" {
			all = append(all, "device:"+device)
		}
	}
	return append(all, p.Network)
}

// kind is the part of an account's scope that all accounts of its kind share.
func (p Place) kind() string {
	kind, _, _ := strings.Cut(p.Account, ":")
	return kind + ":from"
}

// Return undoes one Attempt, because the try was a good one.
func Return(ctx context.Context, db pg.DB, scope string) error {
	_, err := db.Exec(ctx, `
		UPDATE try
		SET tries = greatest(tries - 1, 0)
		WHERE scope = $1`, key(scope))
	return err
}

// Once says whether a form with a token is sent for the first time in a day. It is asked inside the transaction that
// does what the form says, so that one sent twice, or at the same time, does it once. A form without a token always is.
func Once(ctx context.Context, tx pgx.Tx, scope, token string) (first bool, err error) {
	if token == "" {
		return true, nil
	}
	tag, err := tx.Exec(ctx, `
		INSERT INTO try (scope, tries, expires_at)
		VALUES ($1, 1, now() + interval '1 day')
		ON CONFLICT (scope) DO NOTHING`, key("form "+scope+" "+token))
	if err != nil {
		return false, fmt.Errorf("note that a form was sent: %w", err)
	}
	return tag.RowsAffected() == 1, nil
}

// Spend adds an amount to what a scope has spent within a day from its first, and says whether that stays within most.
// It is asked inside the transaction that spends it.
func Spend(ctx context.Context, tx pgx.Tx, scope string, amount, most int64) (within bool, err error) {
	if amount > most || most > math.MaxInt32 {
		return amount <= most, nil
	}
	tag, err := tx.Exec(ctx, `
		INSERT INTO try AS t (scope, tries, expires_at)
		VALUES ($1, $2, now() + interval '1 day')
		ON CONFLICT (scope) DO UPDATE
		SET tries = CASE WHEN t.expires_at <= now() THEN excluded.tries ELSE t.tries + excluded.tries END,
		    expires_at = CASE WHEN t.expires_at <= now() THEN excluded.expires_at ELSE t.expires_at END
		WHERE t.expires_at <= now() OR t.tries + excluded.tries <= $3`, key("spent "+scope), amount, most)
	if err != nil {
		return false, fmt.Errorf("count what was spent: %w", err)
	}
	return tag.RowsAffected() == 1, nil
}
