package customer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/origin"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/pg"
)

// Account is what a sign-in needs to know. ID is the person's; Hash is empty where there is no password.
type Account struct {
	ID       int64
	Member   int64 // the customer whose password it is
	Hash     string
	Disabled bool
}

// AccountOf finds who signs in with an email: only a verified one does. Nil when it is nobody's.
func AccountOf(ctx context.Context, db pg.DB, email string) (*Account, error) {
	var a Account
	err := db.QueryRow(ctx, `
		SELECT coalesce(c.merged_into, c.id), c.id, coalesce(p.hash, ''), c.disabled_at IS NOT NULL
			OR root.disabled_at IS NOT NULL
		FROM identity i
		JOIN customer c ON c.id = i.customer_id
		JOIN customer root ON root.id = coalesce(c.merged_into, c.id)
		LEFT JOIN password p ON p.customer_id = c.id
		WHERE i.kind = 'email' AND i.value = $1 AND i.verified_at IS NOT NULL AND c.registered_at IS NOT NULL`,
		email).Scan(&a.ID, &a.Member, &a.Hash, &a.Disabled)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("find an account: %w", err)
	}
	return &a, nil
}

// Register says that a customer has an account from now on. The name is kept where one is known already.
func Register(ctx context.Context, tx pgx.Tx, customerID int64, name string) error {
	_, err := tx.Exec(ctx, `
		UPDATE customer
		SET registered_at = coalesce(registered_at, now()), name = CASE WHEN $2 = '' OR name <> ''
			AND registered_at IS NOT NULL THEN name ELSE $2 END
		WHERE id = $1`, customerID, name)
	if err != nil {
		return fmt.Errorf("register a customer: %w", err)
	}
	return nil
}

// SetPassword replaces the password of a customer by its hash.
func SetPassword(ctx context.Context, tx pgx.Tx, customerID int64, hash string) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO password (customer_id, hash)
		VALUES ($1, $2)
		ON CONFLICT (customer_id) DO UPDATE SET hash = excluded.hash, changed_at = now()`, customerID, hash)
	if err != nil {
		return fmt.Errorf("set a password: %w", err)
	}
	return nil
}

// errTaken is the answer where a verified identity is somebody else's already.
var errTaken = fault.New(fault.Conflict, "This already belongs to another profile.")

// Verify says that an identity is proven to be this customer's. It is refused where another customer has proven it.
func Verify(ctx context.Context, tx pgx.Tx, customerID int64, kind, value string, source origin.Channel) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO identity AS i (customer_id, kind, value, source, verified_at)
		VALUES ($1, $2, $3, $4, now())
		ON CONFLICT (customer_id, kind, value) DO UPDATE SET verified_at = coalesce(i.verified_at, now())`, customerID,
		kind, value, source)
	if pg.Violates(err, "identity_verified") {
		return errTaken
	}
	if err != nil {
		return fmt.Errorf("verify an identity: %w", err)
	}
	return nil
}

// Forget takes an identity away from a person.
func Forget(ctx context.Context, tx pgx.Tx, person int64, kind, value string) error {
	_, err := tx.Exec(ctx, `
		DELETE FROM identity
		WHERE customer_id IN (`+Members+`) AND kind = @kind AND value = @value`, pgx.NamedArgs{"person": person,
		"kind": kind, "value": value})
	if err != nil {
		return fmt.Errorf("forget an identity: %w", err)
	}
	return nil
}

// Claimable are the profiles that become a person's when they prove this email or phone: each has it unproven, has no
// account, is part of nobody, and has proven nothing else by which somebody could be reached.
func Claimable(ctx context.Context, tx pgx.Tx, kind, value string) ([]int64, error) {
	rows, err := tx.Query(ctx, `
		SELECT c.id
		FROM identity i
		JOIN customer c ON c.id = i.customer_id
		WHERE i.kind = $1 AND i.value = $2 AND i.verified_at IS NULL AND c.registered_at IS NULL
			AND c.merged_into IS NULL AND c.erased_at IS NULL AND c.disabled_at IS NULL
			AND NOT EXISTS (SELECT FROM identity other WHERE other.customer_id = c.id AND other.kind = $1
				AND other.value <> $2)
			AND ($1 <> 'phone' OR NOT EXISTS (SELECT FROM identity other WHERE other.customer_id = c.id
				AND other.kind = 'email')) -- a number may be a household's: whoever gave an address claims by that
			AND NOT EXISTS (SELECT FROM identity other WHERE other.customer_id = c.id AND other.kind IN ('email',
				'phone', 'passkey') AND other.verified_at IS NOT NULL)
		ORDER BY c.id
		LIMIT 20`, kind, value)
	if err != nil {
		return nil, fmt.Errorf("find profiles to claim: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowTo[int64])
}

// GivenAtFirst says whether a customer gave an address or number themselves: with an order, when their profile was
// made, or before it had any history.
func GivenAtFirst(ctx context.Context, db pg.DB, customerID int64, kind, value string) (first bool, err error) {
	err = db.QueryRow(ctx, `
		SELECT EXISTS (
			SELECT
			FROM identity i
			JOIN customer c ON c.id = i.customer_id
			WHERE i.customer_id = $1 AND i.kind = $2 AND i.value = $3 AND c.registered_at IS NULL
				AND NOT EXISTS (SELECT FROM identity WHERE kind = $2 AND value = $3 AND verified_at IS NOT NULL
					AND customer_id <> $1)
				AND (i.source <> $4 OR i.created_at <= c.created_at + interval '10 minutes' OR NOT EXISTS (SELECT
					FROM timeline WHERE customer_id = $1 AND kind = 'bought')))`, customerID, kind, value,
		origin.Counter).Scan(&first)
	return first, err
}

// DropPasskeys forgets every passkey of a person that came after a time: what was added while the account was in other
// hands.
func DropPasskeys(ctx context.Context, tx pgx.Tx, person int64, since time.Time) error {
	_, err := tx.Exec(ctx, `
		DELETE FROM identity
		WHERE kind = 'passkey' AND created_at >= @since AND customer_id IN (`+Members+`)`,
		pgx.NamedArgs{"person": person, "since": since})
	if err != nil {
		return fmt.Errorf("drop passkeys: %w", err)
	}
	return nil
}

// IsAnonymous says whether a guest is nothing but a device: nobody wrote a name or a way to reach them.
func IsAnonymous(ctx context.Context, tx pgx.Tx, customerID int64) (anonymous bool, err error) {
	err = tx.QueryRow(ctx, `
		SELECT NOT EXISTS (SELECT FROM identity WHERE customer_id = $1 AND kind <> 'device')`,
		customerID).Scan(&anonymous)
	return anonymous, err
}

// WalkIn is, in a statement, whether customer $1 is a sale at a counter to which nobody belongs yet: there is nothing
// by which they could be known, not even a device.
const WalkIn = `(EXISTS (SELECT FROM customer WHERE id = $1 AND channel = '` + string(origin.Counter) +
	`' AND name = '') AND NOT EXISTS (SELECT FROM identity WHERE customer_id = $1))`

// IsWalkIn asks that.
func IsWalkIn(ctx context.Context, tx pgx.Tx, customerID int64) (walkIn bool, err error) {
	err = tx.QueryRow(ctx, `
		SELECT `+WalkIn, customerID).Scan(&walkIn)
	return walkIn, err
}

// Rename changes what a customer is called.
func Rename(ctx context.Context, tx pgx.Tx, customerID int64, name string) error {
	_, err := tx.Exec(ctx, `
		UPDATE customer
		SET name = $2
		WHERE id = $1`, customerID, name)
	return err
}

// ChooseStore keeps the store a customer calls theirs; 0 for none.
func ChooseStore(ctx context.Context, db pg.DB, customerID, locationID int64) error {
	_, err := db.Exec(ctx, `
		UPDATE customer
		SET location_id = nullif($2::bigint, 0)
		WHERE id = $1`, customerID, locationID)
	return err
}

// LanguageOf is the language a customer is written to in.
func LanguageOf(ctx context.Context, db pg.DB, customerID int64) (language string, err error) {
	err = db.QueryRow(ctx, `SELECT language FROM customer WHERE id = $1`, customerID).Scan(&language)
	return language, err
}

// SetLanguage sets the language a customer is written to in.
func SetLanguage(ctx context.Context, tx pgx.Tx, customerID int64, language string) error {
	_, err := tx.Exec(ctx, `
		UPDATE customer
		SET language = $2
		WHERE id = $1`, customerID, language)
	return err
}

// SetDisabled shuts a person's account, or opens it again. Their sessions are the caller's to end.
func SetDisabled(ctx context.Context, tx pgx.Tx, person int64, disabled bool) error {
	_, err := tx.Exec(ctx, `
		UPDATE customer
		SET disabled_at = CASE WHEN @disabled THEN now() END
		WHERE id IN (`+Members+`)`, pgx.NamedArgs{"person": person, "disabled": disabled})
	return err
}

// NewPasskey is what an authenticator gave. ID, in base64url, is its identity.
type NewPasskey struct {
	ID         string
	Name       string
	Credential []byte
}

// AddPasskey keeps a passkey.
func AddPasskey(ctx context.Context, tx pgx.Tx, source origin.Channel, customerID int64, p NewPasskey) error {
	tag, err := tx.Exec(ctx, `
		WITH known AS (
			INSERT INTO identity (customer_id, kind, value, source, verified_at)
			VALUES ($1, 'passkey', $2, $5, now())
			RETURNING id)
		INSERT INTO passkey (identity_id, name, credential)
		SELECT id, $3, $4
		FROM known`, customerID, p.ID, p.Name, p.Credential, source)
	if pg.Violates(err, "identity_verified") || pg.Violates(err, "identity_customer_id_kind_value_key") {
		return fault.New(fault.Conflict, "This passkey has already been added.")
	}
	if err != nil || tag.RowsAffected() != 1 {
		return fmt.Errorf("keep a passkey: %w", err)
	}
	return nil
}

// PasskeyOf finds a passkey by its id: the person it signs in and what was kept of it, locked until the transaction
// ends.
func PasskeyOf(ctx context.Context, tx pgx.Tx, credentialID string) (person, member int64, credential []byte,
	err error) {
	err = tx.QueryRow(ctx, `
		SELECT coalesce(c.merged_into, c.id), c.id, k.credential
		FROM identity i
		JOIN passkey k ON k.identity_id = i.id
		JOIN customer c ON c.id = i.customer_id
		JOIN customer root ON root.id = coalesce(c.merged_into, c.id)
		WHERE i.kind = 'passkey' AND i.value = $1 AND i.verified_at IS NOT NULL AND c.disabled_at IS NULL
			AND root.disabled_at IS NULL
		FOR UPDATE OF k`, credentialID).Scan(&person, &member, &credential)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, 0, nil, nil
	}
	return person, member, credential, err
}

// UsedPasskey keeps the authenticator's counter.
func UsedPasskey(ctx context.Context, tx pgx.Tx, credentialID string, credential []byte) error {
	_, err := tx.Exec(ctx, `
		UPDATE passkey
		SET credential = $2, used_at = now()
		FROM identity i
		WHERE i.id = passkey.identity_id AND i.kind = 'passkey' AND i.value = $1`, credentialID, credential)
	return err
}

// DropPasskey forgets a passkey of a person.
func DropPasskey(ctx context.Context, tx pgx.Tx, person, identityID int64) error {
	tag, err := tx.Exec(ctx, `
		DELETE FROM identity
		WHERE id = @id AND kind = 'passkey' AND customer_id IN (`+Members+`)`, pgx.NamedArgs{"person": person,
		"id": identityID})
	if err != nil {
		return fmt.Errorf("drop a passkey: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return fault.New(fault.NotFound, "That passkey has already been removed.")
	}
	return nil
}

// DropUnproven takes away an email or phone number of a person that nobody has proven.
func DropUnproven(ctx context.Context, tx pgx.Tx, person, identityID int64) error {
	tag, err := tx.Exec(ctx, `
		DELETE FROM identity
		WHERE id = @id AND kind IN ('email', 'phone') AND verified_at IS NULL AND customer_id IN (`+Members+`)`,
		pgx.NamedArgs{"person": person, "id": identityID})
	if err != nil {
		return fmt.Errorf("drop an identity: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return fault.New(fault.NotFound,
			"That’s already been removed, or it’s verified and only the customer can remove it.")
	}
	return nil
}

// OlderFirst says which of two profiles survives a merge: the one with an account, else the one that was there first.
func OlderFirst(ctx context.Context, tx pgx.Tx, one, other int64) (survivor, absorbed int64, err error) {
	err = tx.QueryRow(ctx, `
		SELECT (array_agg(id ORDER BY registered_at IS NULL, id))[1], (array_agg(id ORDER BY registered_at IS NULL,
			id))[2]
		FROM customer
		WHERE id IN ($1, $2)
		HAVING count(*) = 2`, one, other).Scan(&survivor, &absorbed)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, 0, errNotApart
	}
	return survivor, absorbed, err
}

// Details are what the admin keeps of somebody.
type Details struct {
	Name      string
	Language  string
	Company   string // that they buy for; empty: for themselves
	VATNumber string
}

// SetDetails writes them.
func SetDetails(ctx context.Context, tx pgx.Tx, customerID int64, d Details) error {
	_, err := tx.Exec(ctx, `
		UPDATE customer
		SET name = $2, language = $3, company = $4, vat_number = $5
		WHERE id = $1`, customerID, d.Name, d.Language, d.Company, d.VATNumber)
	if err != nil {
		return fmt.Errorf("write a customer's details: %w", err)
	}
	return nil
}
