package account

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/message"
	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/session"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/jobs"
	"counterpart/internal/platform/limit"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/phone"
	"counterpart/internal/platform/secret"
)

// Proof is somebody who is signed in saying once more who they are, before something changes by which they could be
// locked out: by the password, or where there is none by having signed in a moment ago. Email is the proven one it
// belongs to.
type Proof struct {
	Person   int64
	Email    string
	Password string
	Session  string // goes on when everything else is signed out
}

// Check says whether it is them.
func (p Proof) Check(ctx context.Context, db pg.DB) error {
	_, err := p.check(ctx, db)
	return err
}

// freshFor is how long having signed in stands for who somebody is.
const freshFor = 15 * time.Minute

func (p Proof) check(ctx context.Context, db pg.DB) (*customer.Account, error) {
	if err := limit.Attempt(ctx, db, fmt.Sprintf("proof:%d", p.Person), perSignIn); err != nil {
		return nil, err
	}
	a, err := customer.AccountOf(ctx, db, p.Email)
	if err != nil {
		return nil, err
	}
	if a == nil || a.ID != p.Person {
		return nil, fault.New(fault.Conflict, "Your email address has since changed. Reload the page and try again.")
	}
	if a.Hash == "" {
		fresh, err := session.Fresh(ctx, db, p.Session, freshFor)
		if err != nil {
			return nil, err
		}
		if !fresh {
			return nil, fault.New(fault.Denied,
				"You signed in a while ago. Sign out, sign in again with an email link, then try this again.")
		}
	} else {
		same, err := secret.Matches(ctx, p.Password, a.Hash)
		if err != nil {
			return nil, err
		}
		if !same {
			return nil, fault.Field("current", "That password is incorrect.")
		}
	}
	return a, limit.Reset(ctx, db, fmt.Sprintf("proof:%d", p.Person))
}

// ChangePassword sets or replaces the password of somebody who is signed in.
func ChangePassword(ctx context.Context, db pg.DB, at origin.Origin, p Proof, password string) error {
	if weak := secret.Weak(password); weak != "" {
		return fault.Field("password", weak)
	}
	a, err := p.check(ctx, db)
	if err != nil {
		return err
	}
	hash, err := secret.HashPassword(ctx, password)
	if err != nil {
		return err
	}
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		return setPassword(ctx, tx, at, a, hash, p.Session)
	})
}

// pair is the two halves of a change of address.
type pair struct {
	Pair string `json:"pair"`
	Old  string `json:"old"`
	New  string `json:"new"`
}

// ChangeEmail asks at both addresses. Where the new one is somebody's account already its owner is told, and the page
// says the same.
func ChangeEmail(ctx context.Context, db pg.DB, p Proof, typed string, b Browser) error {
	var form fault.Form
	email := readEmail(&form, "email", typed)
	if email != "" && email == p.Email {
		form.Add("email", "That’s already your email address.")
	}
	if err := form.Err(); err != nil {
		return err
	}
	a, err := p.check(ctx, db)
	if err != nil {
		return err
	}
	if err := MayAsk(ctx, db, b, "change", fmt.Sprint(p.Person)); err != nil {
		return err
	}
	payload, err := json.Marshal(pair{secret.NewToken(), p.Email, email})
	if err != nil {
		return err
	}
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		if err := customer.Revoke(ctx, tx, p.Person, customer.OldEmail, customer.NewEmail); err != nil {
			return err
		}
		taken, err := customer.ByVerified(ctx, tx, customer.Email, email)
		if err != nil {
			return err
		}
		to := customer.OneTime{Purpose: customer.NewEmail, CustomerID: a.Member, Target: email, Payload: payload}
		if taken != 0 {
			to = customer.OneTime{Purpose: customer.Known, Target: email}
		}
		for _, o := range []customer.OneTime{{Purpose: customer.OldEmail, CustomerID: a.Member, Target: p.Email,
			Payload: payload}, to} {
			if _, err := ask(ctx, tx, o, changeLife); err != nil {
				return err
			}
		}
		return nil
	})
}

// AgreeEmail opens one of the two links; the second of them makes the change, and then everything is signed out.
func AgreeEmail(ctx context.Context, db pg.DB, at origin.Origin, purpose, token string) (changed bool, err error) {
	err = pg.InTx(ctx, db, func(tx pgx.Tx) error {
		o, err := customer.Use(ctx, tx, purpose, token)
		if err != nil {
			return err
		}
		// Both links at once: whoever comes second waits here and sees that the first was used.
		if err := customer.LockRow(ctx, tx, o.CustomerID); err != nil {
			return err
		}
		if changed, err = customer.Both(ctx, tx, o); err != nil || !changed {
			return err
		}
		var p pair
		if err := json.Unmarshal(o.Payload, &p); err != nil {
			return err
		}
		return moveEmail(ctx, tx, at, o, p)
	})
	return changed, err
}

func moveEmail(ctx context.Context, tx pgx.Tx, at origin.Origin, o *customer.OneTime, p pair) error {
	who, err := customer.Root(ctx, tx, o.CustomerID)
	if err != nil {
		return err
	}
	if err := customer.Verify(ctx, tx, o.CustomerID, customer.Email, p.New, at.Channel); err != nil {
		return err
	}
	if err := customer.Forget(ctx, tx, who, customer.Email, p.Old); err != nil {
		return err
	}
	for _, fact := range []customer.Fact{{Kind: customer.Verified, Detail: customer.Email},
		{Kind: customer.Removed, Detail: customer.Email}} {
		fact.CustomerID, fact.Channel = who, at.Channel
		if err := customer.Record(ctx, tx, fact); err != nil {
			return err
		}
	}
	if _, err := session.EndShopper(ctx, tx, who, ""); err != nil {
		return err
	}
	return jobs.Insert(ctx, tx, message.Notice{Person: who, About: message.NoticeEmail, Former: o.ID})
}

// AskPhone sends a code to a number; the answer names the question.
func AskPhone(ctx context.Context, db pg.DB, person int64, typed, country string, b Browser) (id int64, err error) {
	number, ok := phone.Read(typed, country)
	if !ok {
		return 0, fault.Field("phone", "Enter a valid phone number, such as 0113 496 0999.")
	}
	if err := MayAsk(ctx, db, b, "phone", number); err != nil {
		return 0, err
	}
	if err := limit.Attempt(ctx, db, fmt.Sprintf("letters:phone-of:%d", person), perLetter); err != nil {
		return 0, err
	}
	err = pg.InTx(ctx, db, func(tx pgx.Tx) error {
		id, err = ask(ctx, tx, customer.OneTime{Purpose: customer.ForPhone, CustomerID: person, Target: number},
			codeLife)
		return err
	})
	return id, err
}

// ProvePhone takes the code. Profiles that the counter made with this number become theirs.
func ProvePhone(ctx context.Context, db pg.DB, at origin.Origin, person, id int64, code string) error {
	// Whose question it is comes first, so that nobody uses up the tries of another's.
	if o, err := customer.ReadOneTime(ctx, db, id); err != nil || o == nil || o.Purpose != customer.ForPhone ||
		o.CustomerID != person {
		return cmp.Or[error](err, customer.ErrCode)
	}
	if err := limit.Attempt(ctx, db, fmt.Sprintf("code:%d", id), perCode); err != nil {
		return err
	}
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		o, err := customer.UseCode(ctx, tx, customer.ForPhone, id, strings.ReplaceAll(strings.TrimSpace(code), " ", ""))
		if err != nil {
			return err
		}
		if err := customer.Verify(ctx, tx, person, customer.Phone, o.Target, at.Channel); err != nil {
			return err
		}
		if err := customer.Record(ctx, tx, customer.Fact{CustomerID: person, Kind: customer.Verified,
			Channel: at.Channel, Detail: customer.Phone}); err != nil {
			return err
		}
		return claim(ctx, tx, at, person, customer.Phone, o.Target)
	})
}

// DropPasskey takes a passkey away, after the proof that every change of the ways in wants.
func DropPasskey(ctx context.Context, db pg.DB, at origin.Origin, p Proof, identityID int64) error {
	if _, err := p.check(ctx, db); err != nil {
		return err
	}
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		if err := customer.DropPasskey(ctx, tx, p.Person, identityID); err != nil {
			return err
		}
		return customer.Record(ctx, tx, customer.Fact{CustomerID: p.Person, Kind: customer.Removed, Channel: at.Channel,
			Detail: customer.Passkey})
	})
}
