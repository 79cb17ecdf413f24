// Package secret makes and checks what only one person should know: passwords, PINs, links that work once.
package secret

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"math/big"
	"sync"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"
	"golang.org/x/text/unicode/norm"
)

// NewToken is a secret of 130 bits for a cookie or a link.
func NewToken() string { return rand.Text() }

// NewCode is six figures to be read aloud. It needs counted tries and a short life.
func NewCode() string {
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		panic(err) // The system's source of randomness does not fail.
	}
	return fmt.Sprintf("%06d", n)
}

// Digest is how a token is stored and looked up, so that a copy of the database opens nothing.
func Digest(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}

// Argon2id with 19 MiB and two passes, OWASP's first recommendation.
var hashing = &argon2id.Params{Memory: 19 * 1024, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}

// At most two hashes at once, so that a flood of sign-ins cannot take the machine from the shoppers.
var slots = make(chan struct{}, 2)

// nobody's password is compared where there is no account, so that both answers take as long.
var nobody = sync.OnceValues(func() (string, error) {
	return argon2id.CreateHash("nobody has this password", hashing)
})

// HashPassword hashes a password or a PIN, waiting for a slot. Different ways to type the same letters are one password.
func HashPassword(ctx context.Context, password string) (string, error) {
	if err := take(ctx); err != nil {
		return "", err
	}
	defer func() { <-slots }()
	hash, err := argon2id.CreateHash(norm.NFC.String(password), hashing)
	if err != nil {
		return "", fmt.Errorf("hash a password: %w", err)
	}
	return hash, nil
}

// Matches compares a password with its hash. With an empty hash it does the same work and answers false.
func Matches(ctx context.Context, password, hash string) (bool, error) {
	known := hash != ""
	if !known {
		var err error
		if hash, err = nobody(); err != nil {
			return false, err
		}
	}
	if err := take(ctx); err != nil {
		return false, err
	}
	defer func() { <-slots }()
	same, err := argon2id.ComparePasswordAndHash(norm.NFC.String(password), hash)
	if err != nil {
		return false, fmt.Errorf("compare a password: %w", err)
	}
	return same && known, nil
}

func take(ctx context.Context) error {
	select {
	case slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// MinPassword and MaxPassword letters make a password, as NIST SP 800-63B-4 has it for a password alone.
const (
	MinPassword = 15
	MaxPassword = 500
)

// Weak says why a password cannot be used: the key of a sentence, or "".
func Weak(password string) string {
	n := utf8.RuneCountInString(password)
	switch {
	case n < MinPassword:
		return "Use at least 15 characters. A short sentence is easy to remember."
	case n > MaxPassword:
		return "That’s too long. Use up to 500 characters."
	case Common(password):
		return "That password is too easy to guess. Try a sentence only you would write."
	}
	return ""
}
