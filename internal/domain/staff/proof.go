package staff

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/limit"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/secret"
)

// One-time codes by RFC 6238: HMAC-SHA-1, six figures, a new one every 30 seconds.
const totpPeriod = 30

// NewTOTPSecret is a secret for an authenticator: 160 bits, as RFC 4226 recommends.
func NewTOTPSecret() []byte {
	b := make([]byte, 20)
	rand.Read(b)
	return b
}

// TOTPText is a secret as it is typed into an authenticator, and TOTPLink as it is scanned.
func TOTPText(key []byte) string {
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(key)
}

func TOTPLink(shop, email string, key []byte) string {
	q := url.Values{"secret": {TOTPText(key)}, "issuer": {shop}}
	return "otpauth://totp/" + url.PathEscape(shop+":"+email) + "?" + q.Encode()
}

// TOTPCode is the code of a moment.
func TOTPCode(key []byte, at time.Time) string { return totp(key, at.Unix()/totpPeriod) }

func totp(key []byte, step int64) string {
	mac := hmac.New(sha1.New, key)
	var counter [8]byte
	binary.BigEndian.PutUint64(counter[:], uint64(step))
	mac.Write(counter[:])
	sum := mac.Sum(nil)
	offset := sum[len(sum)-1] & 0x0f
	n := binary.BigEndian.Uint32(sum[offset:offset+4]) & 0x7fffffff
	return fmt.Sprintf("%06d", n%1_000_000)
}

// stepOf is the step a code belongs to: now, or one before or after, because clocks differ. False when it is none of
// them.
func stepOf(key []byte, code string, at time.Time) (int64, bool) {
	now := at.Unix() / totpPeriod
	for _, step := range []int64{now, now - 1, now + 1} {
		if hmac.Equal([]byte(totp(key, step)), []byte(code)) {
			return step, true
		}
	}
	return 0, false
}

var (
	errTOTP = fault.Field("code", "That code is incorrect. Codes change every 30 seconds, and each works once.")
	perTOTP = limit.Rule{Max: 10, Window: 15 * time.Minute}
)

// EnrolTOTP keeps an authenticator once a first code proves that it was read.
func EnrolTOTP(ctx context.Context, tx pgx.Tx, associateID int64, key []byte, code string, at time.Time) error {
	step, ok := stepOf(key, figures(code), at)
	if !ok {
		return errTOTP
	}
	_, err := tx.Exec(ctx, `
		UPDATE associate
		SET totp_secret = $2, totp_step = $3
		WHERE id = $1`, associateID, key, step)
	return err
}

// CheckTOTP takes a code: the same one again, also at the same moment from elsewhere, is refused.
func CheckTOTP(ctx context.Context, db pg.DB, associateID int64, code string, at time.Time) error {
	if err := limit.Attempt(ctx, db, fmt.Sprintf("totp:%d", associateID), perTOTP); err != nil {
		return err
	}
	var key []byte
	err := db.QueryRow(ctx, `SELECT totp_secret FROM associate WHERE id = $1 AND totp_secret IS NOT NULL`,
		associateID).Scan(&key)
	if errors.Is(err, pgx.ErrNoRows) {
		return errTOTP
	}
	if err != nil {
		return fmt.Errorf("read an authenticator: %w", err)
	}
	step, ok := stepOf(key, figures(code), at)
	if !ok {
		return errTOTP
	}
	tag, err := db.Exec(ctx, `
		UPDATE associate
		SET totp_step = $2
		WHERE id = $1 AND totp_step < $2`, associateID, step)
	if err != nil {
		return fmt.Errorf("use a code: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return errTOTP
	}
	return limit.Reset(ctx, db, fmt.Sprintf("totp:%d", associateID))
}

func figures(code string) string { return strings.NewReplacer(" ", "", "-", "").Replace(code) }

// KeptPasskey is an authenticator of an associate.
type KeptPasskey struct {
	ID         int64
	Name       string
	CreatedAt  time.Time
	UsedAt     *time.Time
	Credential []byte
}

// Passkeys of an associate.
func Passkeys(ctx context.Context, db pg.DB, associateID int64) ([]KeptPasskey, error) {
	rows, err := db.Query(ctx, `
		SELECT id, name, created_at, used_at, credential
		FROM associate_passkey
		WHERE associate_id = $1
		ORDER BY id`, associateID)
	if err != nil {
		return nil, fmt.Errorf("read passkeys: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[KeptPasskey])
}

// AddPasskey keeps what an authenticator gave.
func AddPasskey(ctx context.Context, tx pgx.Tx, associateID int64, credentialID []byte, name string,
	credential []byte) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO associate_passkey (associate_id, credential_id, name, credential)
		VALUES ($1, $2, $3, $4)`, associateID, credentialID, name, credential)
	if pg.Violates(err, "associate_passkey_credential_id_key") {
		return fault.New(fault.Conflict, "This passkey has already been added.")
	}
	return err
}

// UsedPasskey keeps the authenticator's counter.
func UsedPasskey(ctx context.Context, db pg.DB, credentialID, credential []byte) error {
	_, err := db.Exec(ctx, `
		UPDATE associate_passkey
		SET credential = $2, used_at = now()
		WHERE credential_id = $1`, credentialID, credential)
	return err
}

// ClearSecond takes an associate's second factors away: the phone is lost, and an admin has seen who asks.
func ClearSecond(ctx context.Context, tx pgx.Tx, associateID int64) error {
	_, err := tx.Exec(ctx, `
		WITH keys AS (
			DELETE FROM associate_passkey
			WHERE associate_id = $1)
		UPDATE associate
		SET totp_secret = NULL, pin_hash = NULL
		WHERE id = $1`, associateID)
	return err
}

// A PIN has so many tries on a device; then it wants the password, which sets them back.
var perPIN = limit.Rule{Max: 5, Window: 12 * time.Hour}

var errPIN = fault.Field("pin", "That PIN is incorrect.")

// SetPIN keeps a PIN of four to six figures.
func SetPIN(ctx context.Context, tx pgx.Tx, associateID int64, pin string) error {
	if len(pin) < 4 || len(pin) > 6 || strings.Trim(pin, "0123456789") != "" {
		return fault.Field("pin", "Use four to six digits.")
	}
	if simple(pin) {
		return fault.Field("pin", "That PIN is too easy to guess. Don’t use repeated or consecutive digits.")
	}
	hash, err := secret.HashPassword(ctx, pin)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `
		UPDATE associate
		SET pin_hash = $2
		WHERE id = $1`, associateID, hash)
	return err
}

func simple(pin string) bool {
	same, up, down := true, true, true
	for i := 1; i < len(pin); i++ {
		step := int(pin[i]) - int(pin[i-1])
		same, up, down = same && step == 0, up && step == 1, down && step == -1
	}
	return same || up || down
}

// CheckPIN checks the PIN of an associate on a device (0: none). Wrong ones are counted for both, and a machine that is
// locked takes none.
func CheckPIN(ctx context.Context, db pg.DB, associateID, deviceID int64, pin string) error {
	return checkUnlocked(ctx, db, pinScope(associateID, deviceID), associateID, deviceID, pin)
}

func checkUnlocked(ctx context.Context, db pg.DB, scope string, associateID, deviceID int64, pin string) error {
	var locked bool
	if err := db.QueryRow(ctx, `SELECT EXISTS (SELECT FROM device WHERE id = $1 AND locked_at IS NOT NULL)`,
		deviceID).Scan(&locked); err != nil {
		return fmt.Errorf("look at a device: %w", err)
	}
	if locked {
		return fault.Field("pin", "Too many wrong PINs on this device. Ask a manager to unlock it.")
	}
	return checkPIN(ctx, db, scope, associateID, deviceID, pin)
}

func checkPIN(ctx context.Context, db pg.DB, scope string, associateID, deviceID int64, pin string) error {
	if err := limit.Attempt(ctx, db, scope, perPIN); err != nil {
		return fault.Field("pin", "Too many wrong PINs. Sign in with your password.")
	}
	var hash string
	err := db.QueryRow(ctx, `
		SELECT coalesce(pin_hash, '')
		FROM associate
		WHERE id = $1 AND disabled_at IS NULL`, associateID).Scan(&hash)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return fmt.Errorf("read a PIN: %w", err)
	}
	same, err := secret.Matches(secret.First(ctx), pin, hash)
	if err != nil {
		return err
	}
	if !same {
		if err := failed(ctx, db, deviceID); err != nil {
			return err
		}
		return errPIN
	}
	if err := succeeded(ctx, db, deviceID); err != nil {
		return err
	}
	return limit.Reset(ctx, db, scope)
}

// ForgivePIN gives an associate their tries on a device back.
func ForgivePIN(ctx context.Context, db pg.DB, associateID, deviceID int64) error {
	return limit.Reset(ctx, db, pinScope(associateID, deviceID))
}

func pinScope(associateID, deviceID int64) string {
	return fmt.Sprintf("pin:%d:%d", associateID, deviceID)
}

// Approval is a manager's word for what an associate may not do alone: given there and then, with their PIN and a
// reason. Tries are counted for whoever asks, so that an associate who guesses keeps the manager from nobody else. What
// was refused is in the audit trail.
type Approval struct {
	AskedBy   int64
	ManagerID int64
	PIN       string
	Reason    string
}

// Approve checks an approval at a location and answers with it when it holds. Managers approve where they work, admins
// everywhere.
func Approve(ctx context.Context, db pg.DB, a Approval, locationID, deviceID int64) error {
	return approve(ctx, db, a, locationID, deviceID, checkUnlocked)
}

// ApproveUnlocking is Approve on a machine that takes no PIN but this one: the manager's who unlocks it.
func ApproveUnlocking(ctx context.Context, db pg.DB, a Approval, locationID, deviceID int64) error {
	return approve(ctx, db, a, locationID, deviceID, checkPIN)
}

func approve(ctx context.Context, db pg.DB, a Approval, locationID, deviceID int64,
	check func(context.Context, pg.DB, string, int64, int64, string) error) error {
	var form fault.Form
	if a.ManagerID == 0 {
		form.Add("manager", "Choose the manager approving this.")
	}
	if strings.TrimSpace(a.Reason) == "" {
		form.Add("reason", "Enter a reason.")
	}
	if err := form.Err(); err != nil {
		return err
	}
	manager, err := ByID(ctx, db, a.ManagerID)
	if err != nil {
		return err
	}
	if manager == nil || !manager.Manages() || !manager.WorksAt(locationID) {
		return fault.Field("manager", "Choose the manager approving this.")
	}
	err = check(ctx, db, fmt.Sprintf("approve:%d:%d", a.AskedBy, a.ManagerID), a.ManagerID, deviceID, a.PIN)
	if fault.As(err) == nil {
		return err
	}
	entry := Entry{AssociateID: a.AskedBy, Action: "approval.refused", Subject: "associate", SubjectID: a.ManagerID,
		LocationID: locationID}
	return errors.Join(err, pg.InTx(ctx, db, func(tx pgx.Tx) error { return Log(ctx, tx, entry) }))
}
