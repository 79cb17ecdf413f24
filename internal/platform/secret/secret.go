// Package secret makes and checks what only one person should know: passwords, PINs, links that work once.
package secret

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"math/big"
	"slices"
	"sync"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"
	"golang.org/x/text/unicode/norm"

	"counterpart/internal/platform/fault"
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

// At most two hashes at once, so that a flood of sign-ins cannot take the machine from the shoppers. Whoever is known
// goes before strangers, and few wait: the others are told at once to come again.
var slots = lanes{free: 2, room: [2]int{16, 6}}

// ErrBusy is told to whom there is no room to wait for.
var ErrBusy = fault.New(fault.NotYet, "Many people are signing in at the moment. Wait a few seconds and try again.")

// nobody's password is compared where there is no account, so that both answers take as long.
var nobody = sync.OnceValues(func() (string, error) {
	return argon2id.CreateHash("nobody has this password", hashing)
})

// HashPassword hashes a password or a PIN, waiting for a slot. Different ways to type the same letters are one
// password.
func HashPassword(ctx context.Context, password string) (string, error) {
	if err := slots.take(ctx); err != nil {
		return "", err
	}
	defer slots.leave()
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
	if err := slots.take(ctx); err != nil {
		return false, err
	}
	defer slots.leave()
	same, err := argon2id.ComparePasswordAndHash(norm.NFC.String(password), hash)
	if err != nil {
		return false, fmt.Errorf("compare a password: %w", err)
	}
	return same && known, nil
}

type firstKey struct{}

// First lets what is hashed with this context go before strangers: staff, a till, a device or network that the account
// knows.
func First(ctx context.Context) context.Context { return context.WithValue(ctx, firstKey{}, true) }

// lanes are two bounded queues for the same slots; the first lane is served first.
type lanes struct {
	mu      sync.Mutex
	free    int
	room    [2]int // how many may wait in each lane
	waiting [2][]chan struct{}
}

func (l *lanes) take(ctx context.Context) error {
	lane := 1
	if ctx.Value(firstKey{}) != nil {
		lane = 0
	}
	l.mu.Lock()
	if l.free > 0 {
		l.free--
		l.mu.Unlock()
		return nil
	}
	if len(l.waiting[lane]) >= l.room[lane] {
		l.mu.Unlock()
		return ErrBusy
	}
	turn := make(chan struct{})
	l.waiting[lane] = append(l.waiting[lane], turn)
	l.mu.Unlock()
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
	}
	l.mu.Lock()
	i := slices.Index(l.waiting[lane], turn)
	if i >= 0 {
		l.waiting[lane] = slices.Delete(l.waiting[lane], i, i+1)
	}
	l.mu.Unlock()
	if i < 0 { // Its turn came in this moment.
		l.leave()
	}
	return ctx.Err()
}

func (l *lanes) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for lane := range l.waiting {
		if len(l.waiting[lane]) > 0 {
			close(l.waiting[lane][0])
			l.waiting[lane] = l.waiting[lane][1:]
			return
		}
	}
	l.free++
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
