// Package staffadmin is who works here changing: coming, going, another role, other stores, a lost phone; and the
// machines they work on.
package staffadmin

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/location"
	"counterpart/internal/domain/session"
	"counterpart/internal/domain/staff"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/secret"
)

// Form is what an admin writes about an associate.
type Form struct {
	Name, Email, Role string
	Locations         []int64
	Disabled          bool
}

func (f *Form) check(ctx context.Context, db pg.DB, fresh bool) error {
	var form fault.Form
	f.Name = strings.Join(strings.Fields(f.Name), " ")
	if f.Name == "" || utf8.RuneCountInString(f.Name) > 80 || !utf8.ValidString(f.Name) ||
		strings.ContainsRune(f.Name, 0) {
		form.Add("name", "Enter a name, up to 80 characters.")
	}
	if fresh {
		email, ok := customer.NormalEmail(f.Email)
		if !ok {
			form.Add("email", "Enter a valid email address, such as ada@example.com.")
		}
		f.Email = email
	}
	if !slices.Contains(staff.Roles, f.Role) {
		form.Add("role", "Choose a role from the list.")
	}
	all, err := location.All(ctx, db)
	if err != nil {
		return err
	}
	for _, id := range f.Locations {
		if !slices.ContainsFunc(all, func(l location.Location) bool { return l.ID == id }) {
			form.Add("location", "Choose from the list.")
		}
	}
	if len(f.Locations) == 0 && f.Role != staff.RoleAdmin && f.Role != staff.RoleMarketing {
		form.Add("location", "Choose where they work.")
	}
	return form.Err()
}

// Hire adds an associate and answers with a first password, which is shown once. They change it, and set up their
// second factor, when they come in.
func Hire(ctx context.Context, db pg.DB, f Form, by int64) (password string, err error) {
	if err := f.check(ctx, db, true); err != nil {
		return "", err
	}
	password = firstPassword()
	err = pg.InTx(ctx, db, func(tx pgx.Tx) error {
		a := staff.Associate{Name: f.Name, Email: f.Email, Role: f.Role, Locations: f.Locations}
		if err := staff.Create(ctx, tx, &a, password); err != nil {
			return err
		}
		return staff.Log(ctx, tx, staff.Entry{AssociateID: by, Action: "associate.hired", Subject: "associate",
			SubjectID: a.ID, After: f.facts()})
	})
	return password, err
}

// firstPassword is four groups of four, easy to read out.
func firstPassword() string {
	t := strings.ToLower(secret.NewToken())
	return t[:4] + "-" + t[4:8] + "-" + t[8:12] + "-" + t[12:16]
}

func (f Form) facts() map[string]any {
	return map[string]any{"role": f.Role, "locations": f.Locations, "disabled": f.Disabled}
}

// Change changes what an associate may do and where. It holds at their next request; whoever is shut out is signed out
// at once.
func Change(ctx context.Context, db pg.DB, id int64, f Form, before Form, by int64) error {
	if err := f.check(ctx, db, false); err != nil {
		return err
	}
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		a := staff.Associate{ID: id, Name: f.Name, Role: f.Role, Locations: f.Locations}
		if err := staff.Change(ctx, tx, &a, f.Disabled); err != nil {
			return err
		}
		if f.Disabled {
			if err := session.EndAssociate(ctx, tx, id); err != nil {
				return err
			}
		}
		return staff.Log(ctx, tx, staff.Entry{AssociateID: by, Action: "associate.changed", Subject: "associate",
			SubjectID: id, Before: before.facts(), After: f.facts()})
	})
}

// ResetPassword gives an associate a new first password and takes their second factors and PIN away: the phone is lost,
// and an admin knows who asks.
func ResetPassword(ctx context.Context, db pg.DB, id, by int64) (password string, err error) {
	if id == by {
		return "", fault.New(fault.Denied,
			"Change your own password under “PIN and password”. Another admin can reset it for you.")
	}
	password = firstPassword()
	err = pg.InTx(ctx, db, func(tx pgx.Tx) error {
		if err := staff.SetPassword(ctx, tx, id, password); err != nil {
			return err
		}
		if err := staff.ClearSecond(ctx, tx, id); err != nil {
			return err
		}
		if err := session.EndAssociate(ctx, tx, id); err != nil {
			return err
		}
		return staff.Log(ctx, tx, staff.Entry{AssociateID: by, Action: "associate.renewed", Subject: "associate",
			SubjectID: id})
	})
	return password, err
}

// Revoke takes a machine's registration away; Unlock lets PINs be tried on it again.
func Revoke(ctx context.Context, db pg.DB, deviceID, locationID, by int64) error {
	return device(ctx, db, staff.Entry{AssociateID: by, Action: "device.revoked", SubjectID: deviceID,
		LocationID: locationID},
		staff.RevokeDevice)
}

func Unlock(ctx context.Context, db pg.DB, deviceID, locationID, by int64) error {
	return device(ctx, db, staff.Entry{AssociateID: by, Action: "device.unlocked", SubjectID: deviceID,
		LocationID: locationID},
		staff.UnlockDevice)
}

func device(ctx context.Context, db pg.DB, line staff.Entry, do func(context.Context, pgx.Tx, int64) error) error {
	line.Subject = "device"
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		if err := do(ctx, tx, line.SubjectID); err != nil {
			return err
		}
		return staff.Log(ctx, tx, line)
	})
}
