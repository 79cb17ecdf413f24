package person

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/message"
	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/outreach"
	"counterpart/internal/domain/staff"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/jobs"
	"counterpart/internal/platform/limit"
	"counterpart/internal/platform/live"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/phone"
	"counterpart/internal/query/counter"
)

// entry is a line of the audit trail about a person.
func entry(at origin.Origin, action string, person int64) staff.Entry {
	return staff.Entry{AssociateID: at.AssociateID, LocationID: at.LocationID, Action: action, Subject: "customer",
		SubjectID: person}
}

// How many profiles one associate may open within an hour, by role: more than anybody serves. At half of it there is an
// alert in the trail.
var perHour = map[string]int{staff.RoleAssociate: 60, staff.RoleManager: 120, staff.RoleMarketing: 120,
	staff.RoleAdmin: 240}

// Open writes down that an associate looks at somebody's profile: a record that the person can read. Whoever opens one
// profile after the other is refused.
func Open(ctx context.Context, db pg.DB, at origin.Origin, person int64, role string) error {
	scope, rule := fmt.Sprintf("profiles:%d", at.AssociateID), limit.Rule{Max: max(perHour[role],
		perHour[staff.RoleAssociate]), Window: time.Hour}
	var fresh bool
	err := pg.InTx(ctx, db, func(tx pgx.Tx) (err error) {
		fresh, err = customer.RecordOpening(ctx, tx, customer.Fact{CustomerID: person, Kind: customer.Opened,
			Channel: at.Channel, LocationID: at.LocationID, AssociateID: at.AssociateID}, 5*time.Minute)
		if err != nil || !fresh {
			return err
		}
		err = limit.Check(ctx, tx, scope, rule)
		if fault.Is(err, fault.TooMany) {
			return fault.New(fault.TooMany, "You’ve opened many profiles in the last hour. Ask a manager.")
		}
		return err
	})
	if err != nil || !fresh {
		return err
	}
	opened, err := limit.Count(ctx, db, scope, rule)
	if err != nil || opened != rule.Max/2 && opened != rule.Max {
		return err
	}
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		return staff.Log(ctx, tx, staff.Entry{AssociateID: at.AssociateID, LocationID: at.LocationID,
			Action: "profiles.many", Subject: "associate", SubjectID: at.AssociateID,
			After: map[string]any{"opened": opened, "minutes": 60}})
	})
}

var perMerge = limit.Rule{Max: 5, Window: 15 * time.Minute}

// AskMerge sends a code to what two profiles share; whoever can say it at the counter is both. The answer names the
// question.
func AskMerge(ctx context.Context, db pg.DB, one, other int64, kind string) (question int64, target string, err error) {
	_, shared, err := counter.Compare(ctx, db, one, other)
	if err != nil {
		return 0, "", err
	}
	for _, s := range shared {
		if s.Kind == kind && s.Enough {
			target = s.Value
		}
	}
	if target == "" {
		return 0, "", fault.New(fault.Conflict,
			"A code isn’t enough here: one profile has an account and has never verified the shared details. Ask a manager to approve it.")
	}
	if err := limit.Attempt(ctx, db, "merge:"+target, perMerge); err != nil {
		return 0, "", err
	}
	err = pg.InTx(ctx, db, func(tx pgx.Tx) error {
		ask := customer.OneTime{Purpose: customer.ForMerge, CustomerID: one, Target: target,
			Payload: []byte(pairOf(one, other))}
		if question, err = customer.Ask(ctx, tx, ask, 15*time.Minute); err != nil {
			return err
		}
		return jobs.Insert(ctx, tx, message.AccountMail{OneTimeID: question})
	})
	return question, target, err
}

// pairOf names two profiles, whichever comes first, as the database writes it back.
func pairOf(one, other int64) string {
	return fmt.Sprintf(`{"one": %d, "other": %d}`, min(one, other), max(one, other))
}

// SpokenCode is a code that a customer said, and the question it answers.
type SpokenCode struct {
	Question int64
	Code     string
}

// MergeByCode merges two profiles once the code is said.
func MergeByCode(ctx context.Context, db pg.DB, at origin.Origin, one, other int64,
	said SpokenCode) (survivor int64, err error) {
	// Whose said.Question it is comes first, so that nobody uses up the tries of another's.
	o, err := customer.ReadOneTime(ctx, db, said.Question)
	if err != nil {
		return 0, err
	}
	if o == nil || o.Purpose != customer.ForMerge || string(o.Payload) != pairOf(one, other) {
		return 0, customer.ErrCode
	}
	if err := limit.Attempt(ctx, db, fmt.Sprintf("code:%d", said.Question), perMerge); err != nil {
		return 0, err
	}
	err = pg.InTx(ctx, db, func(tx pgx.Tx) error {
		if _, err := customer.UseCode(ctx, tx, customer.ForMerge, said.Question,
			strings.ReplaceAll(strings.TrimSpace(said.Code), " ", "")); err != nil {
			return err
		}
		survivor, err = mergeInto(ctx, tx, at, one, other, customer.Merge{Proof: customer.ByCode,
			AssociateID: at.AssociateID})
		return err
	})
	return survivor, err
}

// MergeApproved merges two profiles on a manager's word.
func MergeApproved(ctx context.Context, db pg.DB, at origin.Origin, one, other int64,
	word staff.Approval) (survivor int64, err error) {
	if err := staff.Approve(ctx, db, word, at.LocationID, at.DeviceID); err != nil {
		return 0, err
	}
	err = pg.InTx(ctx, db, func(tx pgx.Tx) error {
		survivor, err = mergeInto(ctx, tx, at, one, other, customer.Merge{Proof: customer.ByManager, Reason: word.Reason,
			AssociateID: at.AssociateID, ApprovedBy: word.ManagerID})
		return err
	})
	return survivor, err
}

// mergeInto keeps the one with an account, else the older one.
func mergeInto(ctx context.Context, tx pgx.Tx, at origin.Origin, one, other int64, m customer.Merge) (survivor int64,
	err error) {
	m.SurvivorID, m.AbsorbedID, err = customer.OlderFirst(ctx, tx, one, other)
	if err != nil {
		return 0, err
	}
	_, err = Merge(ctx, tx, at, m)
	return m.SurvivorID, err
}

// AddIdentity adds an email or a phone number that somebody gave at a counter: unproven, until they open what is sent
// to it.
func AddIdentity(ctx context.Context, db pg.DB, at origin.Origin, person int64, typed, country string) error {
	identity := customer.Identity{Source: at.Channel}
	if email, ok := customer.NormalEmail(typed); ok {
		identity.Kind, identity.Value = customer.Email, email
	} else if phone, ok := phone.Read(typed, country); ok {
		identity.Kind, identity.Value = customer.Phone, phone
	} else {
		return fault.Field("contact", "Enter a valid email address or phone number.")
	}
	return change(ctx, db, about(at, person, "customer.identified", map[string]any{"kind": identity.Kind}),
		func(ctx context.Context, tx pgx.Tx) error {
			return customer.Identify(ctx, tx, person, identity)
		})
}

// RemoveIdentity takes an identity away that was written down wrongly. A proven one is its owner's to take away.
func RemoveIdentity(ctx context.Context, db pg.DB, at origin.Origin, person, identityID int64) error {
	return change(ctx, db, about(at, person, "customer.unidentified", map[string]any{"identity": identityID}),
		func(ctx context.Context, tx pgx.Tx) error {
			return customer.DropUnproven(ctx, tx, person, identityID)
		})
}

// CloseNote deals with an alert, or strikes out a note.
func CloseNote(ctx context.Context, db pg.DB, at origin.Origin, person, noteID int64) error {
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		if err := customer.CloseNote(ctx, tx, person, noteID, at.AssociateID); err != nil {
			return err
		}
		if err := outreach.Release(ctx, tx, person); err != nil {
			return err
		}
		return live.Notify(ctx, tx, live.Customer(person))
	})
}

// AddNote adds a note.
func AddNote(ctx context.Context, db pg.DB, at origin.Origin, person int64, kind, body string) error {
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		if err := customer.LockActive(ctx, tx, person); err != nil {
			return err
		}
		if err := customer.Write(ctx, tx, at, person, kind, body); err != nil {
			return err
		}
		return live.Notify(ctx, tx, live.Customer(person))
	})
}

// Tag groups customers by a word.
func Tag(ctx context.Context, db pg.DB, at origin.Origin, person int64, tag string, on bool) error {
	return change(ctx, db, about(at, person, "customer.tagged", map[string]any{"on": on}),
		func(ctx context.Context, tx pgx.Tx) error {
			return customer.Tag(ctx, tx, person, tag, on)
		})
}

// about is the line of the audit trail about a change of somebody's profile.
func about(at origin.Origin, person int64, action string, after map[string]any) staff.Entry {
	line := entry(at, action, person)
	line.After = after
	return line
}

// change is a change of somebody's profile by staff, with its line in the audit trail.
func change(ctx context.Context, db pg.DB, line staff.Entry, write func(context.Context, pgx.Tx) error) error {
	person := line.SubjectID
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		if err := customer.LockActive(ctx, tx, person); err != nil {
			return err
		}
		if err := write(ctx, tx); err != nil {
			return err
		}
		if err := staff.Log(ctx, tx, line); err != nil {
			return err
		}
		return live.Notify(ctx, tx, live.Customer(person))
	})
}
