package staffadmin

import (
	"context"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/session"
	"counterpart/internal/domain/staff"
	"counterpart/internal/platform/pg"
)

// own is a change that somebody makes of their own sign-in, with its line in the audit trail.
func own(ctx context.Context, db pg.DB, at origin.Origin, action string, after map[string]any,
	write func(ctx context.Context, tx pgx.Tx) error) error {
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		if err := write(ctx, tx); err != nil {
			return err
		}
		return staff.Log(ctx, tx, staff.Entry{AssociateID: at.AssociateID, Action: action, Subject: "associate",
			SubjectID: at.AssociateID, After: after})
	})
}

// EnrolFactor writes somebody's second factor.
func EnrolFactor(ctx context.Context, db pg.DB, at origin.Origin, kind string,
	write func(ctx context.Context, tx pgx.Tx) error) error {
	return own(ctx, db, at, "associate.second_factor", map[string]any{"added": kind}, write)
}

// SetPIN writes somebody's own PIN.
func SetPIN(ctx context.Context, db pg.DB, at origin.Origin, pin string) error {
	return own(ctx, db, at, "associate.pin", nil, func(ctx context.Context, tx pgx.Tx) error {
		return staff.SetPIN(ctx, tx, at.AssociateID, pin)
	})
}

// SetLanguage sets the language that somebody reads their pages in.
func SetLanguage(ctx context.Context, db pg.DB, at origin.Origin, language string) error {
	return own(ctx, db, at, "associate.language", map[string]any{"language": language},
		func(ctx context.Context, tx pgx.Tx) error {
			return staff.SetLanguage(ctx, tx, at.AssociateID, language)
		})
}

// SetPassword replaces somebody's own password. Every session of theirs ends.
func SetPassword(ctx context.Context, db pg.DB, at origin.Origin, password string) error {
	return own(ctx, db, at, "associate.password", nil, func(ctx context.Context, tx pgx.Tx) error {
		if err := staff.SetPassword(ctx, tx, at.AssociateID, password); err != nil {
			return err
		}
		return session.EndAssociate(ctx, tx, at.AssociateID)
	})
}

// RegisterDevice makes a machine one of a location's, and answers the secret of its cookie.
func RegisterDevice(ctx context.Context, db pg.DB, at origin.Origin, name string) (token string, err error) {
	err = pg.InTx(ctx, db, func(tx pgx.Tx) error {
		var id int64
		if id, token, err = staff.RegisterDevice(ctx, tx, name, at.LocationID, at.AssociateID); err != nil {
			return err
		}
		return staff.Log(ctx, tx, staff.Entry{AssociateID: at.AssociateID, Action: "device.registered",
			Subject: "device", SubjectID: id, LocationID: at.LocationID})
	})
	return token, err
}

// UnlockOnTheSpot lets PINs be tried on a machine again: a manager who stands there says so with their own.
func UnlockOnTheSpot(ctx context.Context, db pg.DB, at origin.Origin, word staff.Approval) error {
	if err := staff.ApproveUnlocking(ctx, db, word, at.LocationID, at.DeviceID); err != nil {
		return err
	}
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		if err := staff.UnlockDevice(ctx, tx, at.DeviceID); err != nil {
			return err
		}
		return staff.Log(ctx, tx, staff.Entry{AssociateID: word.ManagerID, ApprovedBy: word.ManagerID,
			Action: "device.unlocked", Subject: "device", SubjectID: at.DeviceID, LocationID: at.LocationID,
			Reason: word.Reason})
	})
}
