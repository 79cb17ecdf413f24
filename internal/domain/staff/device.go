package staff

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/secret"
	"counterpart/internal/platform/text"
)

// Device is a machine at a counter that a manager registered: associates change on it by PIN.
type Device struct {
	ID         int64
	Name       string
	LocationID int64
	Locked     bool
}

// DeviceFailures is how many wrong PINs in a row, whoever's, lock a machine until a manager unlocks it.
const DeviceFailures = 10

// RegisterDevice makes this machine one of a store's and answers with the secret of its cookie.
func RegisterDevice(ctx context.Context, tx pgx.Tx, name string, locationID, by int64) (id int64, token string,
	err error) {
	name = text.Clean(name, 40)
	if name == "" {
		return 0, "", fault.Field("name", "Name the device, such as “Till 2” or “Window tablet”.")
	}
	token = secret.NewToken()
	err = tx.QueryRow(ctx, `
		INSERT INTO device (token_hash, name, location_id, registered_by)
		VALUES ($1, $2, $3, $4)
		RETURNING id`, secret.Digest(token), name, locationID, by).Scan(&id)
	if err != nil {
		return 0, "", fmt.Errorf("register a device: %w", err)
	}
	return id, token, nil
}

// DeviceOf finds a machine by its cookie. Nil when it is not, or no longer, one of ours.
func DeviceOf(ctx context.Context, db pg.DB, token string) (*Device, error) {
	if token == "" || len(token) > 100 {
		return nil, nil
	}
	var d Device
	err := db.QueryRow(ctx, `
		SELECT id, name, location_id, locked_at IS NOT NULL
		FROM device
		WHERE token_hash = $1 AND revoked_at IS NULL`, secret.Digest(token)).Scan(&d.ID, &d.Name, &d.LocationID,
		&d.Locked)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("find a device: %w", err)
	}
	return &d, nil
}

// UnlockDevice lets PINs be tried on a machine again.
func UnlockDevice(ctx context.Context, tx pgx.Tx, id int64) error {
	_, err := tx.Exec(ctx, `
		UPDATE device
		SET locked_at = NULL, failures = 0
		WHERE id = $1`, id)
	return err
}

// RevokeDevice takes a machine's registration away; sessions begun on it are over at their next request.
func RevokeDevice(ctx context.Context, tx pgx.Tx, id int64) error {
	_, err := tx.Exec(ctx, `
		UPDATE device
		SET revoked_at = coalesce(revoked_at, now())
		WHERE id = $1`, id)
	return err
}

func failed(ctx context.Context, db pg.DB, deviceID int64) error {
	_, err := db.Exec(ctx, `
		UPDATE device
		SET failures = failures + 1, locked_at = CASE WHEN failures + 1 >= $2 THEN coalesce(locked_at, now())
			ELSE locked_at END
		WHERE id = $1`, deviceID, DeviceFailures)
	return err
}

func succeeded(ctx context.Context, db pg.DB, deviceID int64) error {
	_, err := db.Exec(ctx, `
		UPDATE device
		SET failures = 0
		WHERE id = $1 AND failures > 0 AND locked_at IS NULL`, deviceID)
	return err
}

// PINHours is how long a full sign-in on a machine lets a PIN do there: a working day.
const PINHours = 12

// FullSignIn keeps that somebody proved who they are on a machine with everything they have.
func FullSignIn(ctx context.Context, db pg.DB, deviceID, associateID int64) error {
	_, err := db.Exec(ctx, `
		INSERT INTO device_associate (device_id, associate_id)
		VALUES ($1, $2)
		ON CONFLICT (device_id, associate_id) DO UPDATE SET full_at = now()`, deviceID, associateID)
	return err
}

// OnDuty are the associates who can change to one another on a machine by PIN, by name.
func OnDuty(ctx context.Context, db pg.DB, deviceID int64) ([]Associate, error) {
	return list(db.Query(ctx, `
		SELECT a.id, a.name, a.email, a.role, coalesce(a.language, '') AS language,
			ARRAY(SELECT location_id FROM associate_location WHERE associate_id = a.id) AS locations
		FROM device_associate d
		JOIN associate a ON a.id = d.associate_id
		JOIN device ON device.id = d.device_id
		WHERE d.device_id = $1 AND d.full_at > now() - make_interval(hours => $2) AND a.pin_hash IS NOT NULL
			AND a.disabled_at IS NULL
			AND (a.role = 'admin' OR EXISTS (SELECT FROM associate_location WHERE associate_id = a.id
				AND location_id = device.location_id))
			AND (a.totp_secret IS NOT NULL OR NOT coalesce((SELECT second_factor FROM shop), false) OR EXISTS (SELECT
				FROM associate_passkey WHERE associate_id = a.id))
		ORDER BY a.name, a.id
		LIMIT 100`, deviceID, PINHours))
}

// FullUntil is when somebody's full sign-in on a machine is over, and their PIN there with it.
func FullUntil(ctx context.Context, db pg.DB, deviceID, associateID int64) (until time.Time, err error) {
	err = db.QueryRow(ctx, `
		SELECT full_at + make_interval(hours => $3)
		FROM device_associate
		WHERE device_id = $1 AND associate_id = $2`, deviceID, associateID, PINHours).Scan(&until)
	return until, err
}

// Managers are those who can approve something at a location.
func Managers(ctx context.Context, db pg.DB, locationID int64) ([]Associate, error) {
	return list(db.Query(ctx, `
		SELECT id, name, email, role, coalesce(language, '') AS language,
			'{}'::bigint[] AS locations
		FROM associate a
		WHERE pin_hash IS NOT NULL AND disabled_at IS NULL
			AND (role = 'admin' OR role = 'manager' AND EXISTS (SELECT FROM associate_location WHERE associate_id = a.id
				AND location_id = $1))
		ORDER BY role = 'admin', name, id
		LIMIT 50`, locationID))
}

func list(rows pgx.Rows, err error) ([]Associate, error) {
	if err != nil {
		return nil, fmt.Errorf("list associates: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[Associate])
}
