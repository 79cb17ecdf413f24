// Package customer is who the shop knows: one profile a person, whichever way they came, and what happened with them.
package customer

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/origin"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/secret"
)

// Kinds of identity.
const (
	Email    = "email"
	Phone    = "phone"
	Card     = "card"
	Device   = "device"
	Passkey  = "passkey"
	External = "external"
)

// Members are the customers of a person, for a query with the argument @person: the surviving customer's id.
const Members = `SELECT member FROM person_members(@person) AS member`

// Visitor is whoever a browser stands for, as a lateral row (id, signed_in, name) for a query with the arguments
// @session, the digest of the session's cookie, and @device, the device's identity. A device alone opens a guest's
// profile, never one with an account and never one that became part of a person: what a cookie on a shared machine
// shows would be somebody else's.
const Visitor = `
	SELECT p.id, true AS signed_in, p.name
	FROM session s
	JOIN customer c ON c.id = s.customer_id
	JOIN customer p ON p.id = coalesce(c.merged_into, c.id)
	WHERE s.token_hash = @session AND s.expires_at > now() AND p.disabled_at IS NULL AND c.disabled_at IS NULL
	UNION ALL
	SELECT c.id, false, c.name
	FROM identity i
	JOIN customer c ON c.id = i.customer_id
	WHERE i.kind = 'device' AND i.value = @device AND i.verified_at IS NOT NULL
		AND c.registered_at IS NULL AND c.merged_into IS NULL AND c.disabled_at IS NULL AND c.erased_at IS NULL
	ORDER BY signed_in DESC
	LIMIT 1`

// Create makes a profile: at the first cart or contact, never at the first page.
func Create(ctx context.Context, tx pgx.Tx, name, language string, channel origin.Channel) (id int64, err error) {
	err = tx.QueryRow(ctx, `
		INSERT INTO customer (name, language, channel)
		VALUES ($1, $2, $3)
		RETURNING id`, name, language, channel).Scan(&id)
	if err != nil {
		return 0, fmt.Errorf("create a customer: %w", err)
	}
	return id, nil
}

// Identity is one way to recognise a customer. Value is normal: see NormalEmail and phone.Read.
type Identity struct {
	Kind     string
	Value    string
	Source   origin.Channel
	Verified bool
}

// Identify adds an identity that the customer does not have yet. A verified one that is somebody else's is refused by
// the unique index identity_verified.
func Identify(ctx context.Context, tx pgx.Tx, customerID int64, all ...Identity) error {
	batch := &pgx.Batch{}
	for _, i := range all {
		batch.Queue(`
			INSERT INTO identity (customer_id, kind, value, source, verified_at)
			VALUES (@customer, @kind, @value, @source, CASE WHEN @verified THEN now() END)
			ON CONFLICT (customer_id, kind, value) DO NOTHING`, pgx.NamedArgs{
			"customer": customerID, "kind": i.Kind, "value": i.Value, "source": i.Source, "verified": i.Verified})
	}
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("identify a customer: %w", err)
	}
	return nil
}

// ByVerified finds the one customer whose verified identity this is; 0 when there is none.
func ByVerified(ctx context.Context, db pg.DB, kind, value string) (id int64, err error) {
	err = db.QueryRow(ctx, `
		SELECT customer_id
		FROM identity
		WHERE kind = $1 AND value = $2 AND verified_at IS NOT NULL`, kind, value).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("find a customer: %w", err)
	}
	return id, nil
}

// ByDevice finds the guest whose browser has this cookie; 0 when it is nobody's, or somebody's who has an account by
// now.
func ByDevice(ctx context.Context, db pg.DB, token string) (id int64, err error) {
	if token == "" {
		return 0, nil
	}
	err = db.QueryRow(ctx, `SELECT id FROM (`+Visitor+`) guest`,
		pgx.NamedArgs{"session": nil, "device": DeviceValue(token)}).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("find a guest: %w", err)
	}
	return id, nil
}

// IsVerified says whether an address or number is a person's own, verified.
func IsVerified(ctx context.Context, db pg.DB, person int64, kind, value string) (proven bool, err error) {
	err = db.QueryRow(ctx, `
		SELECT EXISTS (
			SELECT
			FROM identity
			WHERE customer_id IN (`+Members+`) AND kind = @kind AND value = @value AND verified_at IS NOT NULL)`,
		pgx.NamedArgs{"person": person, "kind": kind, "value": value}).Scan(&proven)
	if err != nil {
		return false, fmt.Errorf("ask whose address it is: %w", err)
	}
	return proven, nil
}

// Root is the person a customer belongs to: the surviving customer's id. 0 when there is no such customer.
func Root(ctx context.Context, db pg.DB, customerID int64) (root int64, err error) {
	err = db.QueryRow(ctx, `
		SELECT coalesce(merged_into, id)
		FROM customer
		WHERE id = $1`, customerID).Scan(&root)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("find a person: %w", err)
	}
	return root, nil
}

// CanBeFound says whether somebody can be looked up again: by email, phone or card. What they are owed would be lost
// otherwise.
func CanBeFound(ctx context.Context, db pg.DB, customerID int64) (found bool, err error) {
	err = db.QueryRow(ctx, `
		SELECT EXISTS (
			SELECT
			FROM customer c
			JOIN identity i ON i.customer_id = c.id
			WHERE (c.id = $1 OR c.merged_into = $1 OR c.id = (SELECT merged_into FROM customer WHERE id = $1))
				AND i.kind IN ('email', 'phone', 'card'))`, customerID).Scan(&found)
	if err != nil {
		return false, fmt.Errorf("look how a customer is found: %w", err)
	}
	return found, nil
}

// LockActive keeps a customer from being merged or erased until the transaction ends, and refuses where that has
// happened.
func LockActive(ctx context.Context, tx pgx.Tx, customerID int64) error {
	var id int64
	err := tx.QueryRow(ctx, `
		SELECT id
		FROM customer
		WHERE id = $1 AND merged_into IS NULL AND erased_at IS NULL
		FOR KEY SHARE`, customerID).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		return fault.New(fault.NotFound, "This customer no longer exists. Search for them again.")
	}
	return err
}

// LockRow keeps everybody else from changing a customer until the transaction ends, whatever became of them.
func LockRow(ctx context.Context, tx pgx.Tx, customerID int64) error {
	_, err := tx.Exec(ctx, `
		SELECT id
		FROM customer
		WHERE id = $1
		FOR UPDATE`, customerID)
	return err
}

// cardPrefix is GS1's 28: numbers that a company gives within its own walls. Scanners read a card like any barcode.
const cardPrefix = "28"

// IssueCard gives a customer a loyalty card where they have none, and answers with its number: thirteen figures, the
// last of them GS1's check digit.
func IssueCard(ctx context.Context, tx pgx.Tx, customerID int64) (string, error) {
	n, err := rand.Int(rand.Reader, big.NewInt(10_000_000_000))
	if err != nil {
		return "", err
	}
	number := withCheckDigit(fmt.Sprintf("%s%010d", cardPrefix, n))
	err = tx.QueryRow(ctx, `
		WITH given AS (
			INSERT INTO identity (customer_id, kind, value, source, verified_at)
			SELECT $1, 'card', $2, 'shop', now()
			WHERE NOT EXISTS (SELECT FROM identity WHERE customer_id = $1 AND kind = 'card')
			RETURNING value)
		SELECT value FROM given
		UNION ALL
		SELECT value FROM identity WHERE customer_id = $1 AND kind = 'card'
		LIMIT 1`, customerID, number).Scan(&number)
	if err != nil {
		return "", fmt.Errorf("give a card: %w", err)
	}
	return number, nil
}

// NormalCard is a card's number as it is kept. False when the check digit is wrong or it is none of ours.
func NormalCard(typed string) (string, bool) {
	number := strings.NewReplacer(" ", "", "-", "").Replace(strings.TrimSpace(typed))
	if len(number) != 13 || !strings.HasPrefix(number, cardPrefix) || strings.Trim(number, "0123456789") != "" {
		return "", false
	}
	return number, withCheckDigit(number[:12]) == number
}

// withCheckDigit is GS1's: figures weighted 1 and 3 by turns, what is missing to the next ten.
func withCheckDigit(twelve string) string {
	sum := 0
	for i, r := range twelve {
		sum += int(r-'0') * (1 + 2*(i%2))
	}
	return twelve + strconv.Itoa((10-sum%10)%10)
}

// DeviceValue is how a device's cookie is kept as an identity: its hash, so that the table opens no browser.
func DeviceValue(token string) string {
	return hex.EncodeToString(secret.Digest(token))
}

// QueueContact keeps, in a batch that the caller sends, how somebody says they can be reached: as identities that
// nobody has verified yet. Empty parts are left out, and so is what somebody else proved to be theirs. Somebody with an
// account keeps the name and the ways to reach them that they gave it: they may be buying for another.
func QueueContact(batch *pgx.Batch, id int64, name, email, phone string, source origin.Channel) {
	batch.Queue(`
		WITH named AS (
			UPDATE customer
			SET name = $5
			WHERE id = $1 AND $5 <> '' AND name <> $5 AND (registered_at IS NULL OR name = ''))
		INSERT INTO identity (customer_id, kind, value, source)
		SELECT $1, kind, value, $4
		FROM (VALUES ('email', $2::text), ('phone', $3::text)) AS given (kind, value)
		WHERE value <> '' AND NOT EXISTS (
			SELECT
			FROM identity proven
			WHERE proven.kind = given.kind AND proven.value = given.value AND proven.verified_at IS NOT NULL
				AND proven.customer_id <> $1)
			AND NOT EXISTS (SELECT FROM customer WHERE id = $1 AND registered_at IS NOT NULL)
		ON CONFLICT (customer_id, kind, value) DO NOTHING`, id, email, phone, source, name)
}

// NormalEmail is an address as it is compared: trimmed, in lower case, without the dot of a fully qualified domain.
// False when it cannot be one.
func NormalEmail(typed string) (string, bool) {
	email := strings.TrimSuffix(strings.ToLower(strings.TrimSpace(typed)), ".")
	name, domain, ok := strings.Cut(email, "@")
	if !ok || name == "" || len(email) > 254 || len(name) > 64 || !strings.Contains(domain, ".") ||
		strings.HasPrefix(domain, ".") || strings.HasSuffix(domain, ".") ||
		strings.ContainsAny(email, " \t\r\n,;<>()[]\\\"\x00") || strings.Contains(domain, "@") ||
		strings.Contains(domain, "..") {
		return "", false
	}
	for _, r := range email {
		if r < ' ' || r == 0x7f || r == '\u202e' || r == '\ufffd' {
			return "", false
		}
	}
	return email, true
}

// Name of a customer, or nothing.
func Name(ctx context.Context, db pg.DB, id int64) (name string, err error) {
	if err := db.QueryRow(ctx, `SELECT name FROM customer WHERE id = $1`, id).Scan(&name); err != nil {
		return "", fmt.Errorf("read a customer's name: %w", err)
	}
	return name, nil
}

// Contacts are the proven addresses or numbers of a person, with their name and language.
func Contacts(ctx context.Context, db pg.DB, person int64, kind string) (name, language string, values []string,
	err error) {
	err = db.QueryRow(ctx, `
		SELECT name, language, ARRAY(
			SELECT value
			FROM identity
			WHERE customer_id IN (`+Members+`) AND kind = @kind AND verified_at IS NOT NULL
			ORDER BY id)
		FROM customer
		WHERE id = @person`, pgx.NamedArgs{"person": person, "kind": kind}).Scan(&name, &language, &values)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", "", nil, nil
	}
	if err != nil {
		return "", "", nil, fmt.Errorf("read how to reach a customer: %w", err)
	}
	return name, language, values, nil
}

// Scope names a customer where tries are counted.
func Scope(customerID int64) string { return "customer:" + strconv.FormatInt(customerID, 10) }

// Occupy keeps every other checkout and payment of a customer waiting until the transaction ends. Rows that only name
// the customer do not wait.
func Occupy(ctx context.Context, tx pgx.Tx, customerID int64) error {
	_, err := tx.Exec(ctx, `
		SELECT id
		FROM customer
		WHERE id = $1
		FOR NO KEY UPDATE`, customerID)
	return err
}
