package account

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/message"
	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/session"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/jobs"
	"counterpart/internal/platform/limit"
	"counterpart/internal/platform/passkey"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/secret"
	"counterpart/internal/platform/text"
)

var (
	errWrong = fault.Field("password", "Email or password is incorrect.")
	errShut  = fault.New(fault.Denied, "This account is suspended. Please ask in store and bring ID.")
)

// SignIn checks a password and begins a session. Every wrong one gets the same answer after the same work.
func SignIn(ctx context.Context, db pg.DB, at origin.Origin, typed, password string, b Browser) (begun Begun,
	err error) {
	email, ok := customer.NormalEmail(typed)
	if !ok || len(password) > 4*secret.MaxPassword {
		email = "nobody" // It is looked for all the same, so that the answer takes as long.
	}
	place := limit.Place{Account: "shopper:" + email, Network: b.From, Devices: []string{b.Device}, Here: perSignIn,
		Address: perAddress, Everyone: perAccount}
	known, err := place.Try(ctx, db)
	if err != nil {
		return begun, err
	}
	if known {
		ctx = secret.First(ctx)
	}
	a, err := customer.AccountOf(ctx, db, email)
	if err != nil {
		return begun, err
	}
	hash := ""
	if a != nil && !a.Disabled {
		hash = a.Hash
	}
	same, err := secret.Matches(ctx, password, hash)
	if err != nil {
		return begun, err
	}
	if !same {
		return begun, errWrong
	}
	err = pg.InTx(ctx, db, func(tx pgx.Tx) error {
		begun, err = begin(ctx, tx, at, a.ID, b, session.ByPassword)
		return err
	})
	if err != nil {
		return begun, err
	}
	place.Devices = append(place.Devices, begun.Device)
	return begun, place.Proven(ctx, db)
}

// SendLink mails a link to sign in with, or to begin with where the address has no account. The answer is the same.
func SendLink(ctx context.Context, db pg.DB, typed string, b Browser) (start string, err error) {
	var form fault.Form
	email := readEmail(&form, "email", typed)
	if err := form.Err(); err != nil {
		return "", err
	}
	if err := MayAsk(ctx, db, b, "link", email); err != nil {
		return "", err
	}
	return begins(ctx, db, email, wanted{}, customer.ToSignIn)
}

// OpenLink signs in with a link.
func OpenLink(ctx context.Context, db pg.DB, at origin.Origin, token string, b Browser) (begun Begun, err error) {
	err = pg.InTx(ctx, db, func(tx pgx.Tx) error {
		o, err := customer.Use(ctx, tx, customer.ToSignIn, token)
		if err != nil {
			return err
		}
		begun, err = prove(ctx, tx, at, proven{email: o.Target}, b)
		return err
	})
	return begun, err
}

// Forgotten mails the link with which a new password is chosen; where there is no account, a mail that says so.
func Forgotten(ctx context.Context, db pg.DB, typed string, b Browser) error {
	var form fault.Form
	email := readEmail(&form, "email", typed)
	if err := form.Err(); err != nil {
		return err
	}
	if err := MayAsk(ctx, db, b, "reset", email); err != nil {
		return err
	}
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		a, err := customer.AccountOf(ctx, tx, email)
		if err != nil {
			return err
		}
		o := customer.OneTime{Purpose: customer.Known, Target: email}
		if a != nil {
			o = customer.OneTime{Purpose: customer.ToReset, Target: email, CustomerID: a.Member}
		}
		_, err = ask(ctx, tx, o, resetLife)
		return err
	})
}

// Reset chooses a new password by a link. Everything that was signed in is signed out, every other link is dead, and
// the owner is told.
func Reset(ctx context.Context, db pg.DB, at origin.Origin, token, password string, b Browser) (begun Begun,
	err error) {
	if weak := secret.Weak(password); weak != "" {
		return begun, fault.Field("password", weak)
	}
	hash, err := secret.HashPassword(ctx, password)
	if err != nil {
		return begun, err
	}
	err = pg.InTx(ctx, db, func(tx pgx.Tx) error {
		o, err := customer.Use(ctx, tx, customer.ToReset, token)
		if err != nil {
			return err
		}
		a, err := customer.AccountOf(ctx, tx, o.Target)
		if err != nil {
			return err
		}
		if a == nil || a.Disabled {
			return errShut
		}
		if err := setPassword(ctx, tx, at, a, hash, ""); err != nil {
			return err
		}
		// Whoever could not get in may have been kept out by somebody who did: their passkeys go too, and links to the
		// address.
		if err := customer.DropPasskeys(ctx, tx, a.ID, time.Time{}); err != nil {
			return err
		}
		if err := customer.RevokeTo(ctx, tx, o.Target); err != nil {
			return err
		}
		begun, err = begin(ctx, tx, at, a.ID, b, session.ByLink)
		return err
	})
	return begun, err
}

// setPassword replaces a password with all that follows from it; the session named by keep goes on.
func setPassword(ctx context.Context, tx pgx.Tx, at origin.Origin, a *customer.Account, hash, keep string) error {
	who := a.ID
	if err := customer.SetPassword(ctx, tx, a.Member, hash); err != nil {
		return err
	}
	if _, err := session.EndShopper(ctx, tx, who, keep); err != nil {
		return err
	}
	if err := revoke(ctx, tx, who); err != nil {
		return err
	}
	if err := customer.Record(ctx, tx, customer.Fact{CustomerID: who, Kind: customer.Secured, Channel: at.Channel,
		Detail: "password"}); err != nil {
		return err
	}
	return jobs.Insert(ctx, tx, message.Notice{Person: who, About: message.NoticePassword})
}

// revoke makes every link that is on its way to a person worthless, also those that were asked for before we knew whose
// the address is.
func revoke(ctx context.Context, tx pgx.Tx, person int64) error {
	if err := customer.Revoke(ctx, tx, person, customer.ToReset, customer.ToSignIn, customer.ToClaim, customer.OldEmail,
		customer.NewEmail); err != nil {
		return err
	}
	_, _, addresses, err := customer.Contacts(ctx, tx, person, customer.Email)
	for _, address := range addresses {
		if err := customer.RevokeTo(ctx, tx, address); err != nil {
			return err
		}
	}
	return err
}

// SignOut ends one session; Everywhere ends all of a person but for the one that asks.
func SignOut(ctx context.Context, db pg.DB, at origin.Origin, person int64, token string) error {
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		if err := session.End(ctx, tx, token); err != nil {
			return err
		}
		return customer.Record(ctx, tx, customer.Fact{CustomerID: person, Kind: customer.SignedOut,
			Channel: at.Channel})
	})
}

func Everywhere(ctx context.Context, db pg.DB, at origin.Origin, person int64, keep string) (ended int64, err error) {
	err = pg.InTx(ctx, db, func(tx pgx.Tx) error {
		if ended, err = session.EndShopper(ctx, tx, person, keep); err != nil {
			return err
		}
		if err := revoke(ctx, tx, person); err != nil {
			return err
		}
		return customer.Record(ctx, tx, customer.Fact{CustomerID: person, Kind: customer.SignedOut, Channel: at.Channel,
			Detail: "everywhere"})
	})
	return ended, err
}

// handle is what an authenticator knows an account by. It says nothing about the person.
func handle(customerID int64) []byte {
	return binary.BigEndian.AppendUint64([]byte("shopper"), uint64(customerID))
}

// EnrolPasskey begins a passkey: what the browser needs, and the challenge's secret. A new way in wants proof like any
// other change of them.
func EnrolPasskey(ctx context.Context, db pg.DB, site *passkey.Site, p Proof) (options json.RawMessage,
	challenge string, err error) {
	if _, err := p.check(ctx, db); err != nil {
		return nil, "", err
	}
	options, kept, err := site.Enrol(passkey.Owner{Handle: handle(p.Person), Name: p.Email}, false)
	if err != nil {
		return nil, "", err
	}
	challenge, err = session.Challenging(ctx, db, session.Challenge{Purpose: session.CustomerEnrol,
		CustomerID: p.Person, Data: kept})
	return options, challenge, err
}

// PasskeyAnswer is what a browser says to a challenge; of a new passkey, with its name.
type PasskeyAnswer struct{ Challenge, Answer, Name string }

// KeepPasskey takes the browser's answer.
func KeepPasskey(ctx context.Context, db pg.DB, at origin.Origin, site *passkey.Site, person int64,
	a PasskeyAnswer) error {
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		c, err := session.Answered(ctx, tx, session.CustomerEnrol, a.Challenge)
		if err != nil {
			return err
		}
		if c.CustomerID != person {
			return fault.New(fault.NotFound, "There’s nothing to confirm here.")
		}
		id, credential, err := site.Enrolled(passkey.Owner{Handle: handle(person), Name: a.Name}, c.Data, a.Answer)
		if err != nil {
			return err
		}
		if a.Name = text.Clean(a.Name, 60); a.Name == "" {
			a.Name = "Passkey"
		}
		if err := customer.AddPasskey(ctx, tx, at.Channel, person, customer.NewPasskey{
			ID: base64.RawURLEncoding.EncodeToString(id), Name: a.Name, Credential: credential}); err != nil {
			return err
		}
		if err := customer.Record(ctx, tx, customer.Fact{CustomerID: person, Kind: customer.Secured,
			Channel: at.Channel, Detail: "passkey"}); err != nil {
			return err
		}
		return jobs.Insert(ctx, tx, message.Notice{Person: person, About: message.NoticePasskey})
	})
}

// AskPasskey begins a sign-in with whatever passkey the browser has for this shop.
func AskPasskey(ctx context.Context, db pg.DB, site *passkey.Site, b Browser) (options json.RawMessage,
	challenge string, err error) {
	if err := limit.Attempt(ctx, db, "passkey:from:"+b.From,
		limit.Rule{Max: 60, Window: perSignIn.Window}); err != nil {
		return nil, "", err
	}
	options, kept, err := site.Ask(nil, false)
	if err != nil {
		return nil, "", err
	}
	challenge, err = session.Challenging(ctx, db, session.Challenge{Purpose: session.CustomerSignIn, Data: kept})
	return options, challenge, err
}

// ByPasskey signs in with the browser's answer.
func ByPasskey(ctx context.Context, db pg.DB, at origin.Origin, site *passkey.Site, a PasskeyAnswer,
	b Browser) (begun Begun, err error) {
	if err := limit.Attempt(ctx, db, "shopper:from:"+b.From, perAddress); err != nil {
		return begun, err
	}
	err = pg.InTx(ctx, db, func(tx pgx.Tx) error {
		c, err := session.Answered(ctx, tx, session.CustomerSignIn, a.Challenge)
		if err != nil {
			return err
		}
		var who int64
		id, credential, err := site.Proven(c.Data, a.Answer, func(id []byte) (*passkey.Owner, error) {
			person, member, kept, err := customer.PasskeyOf(ctx, tx, base64.RawURLEncoding.EncodeToString(id))
			if err != nil || person == 0 {
				return nil, err
			}
			who = person
			return &passkey.Owner{Handle: handle(member), Known: [][]byte{kept}}, nil
		})
		if err != nil {
			return err
		}
		if err := customer.UsedPasskey(ctx, tx, base64.RawURLEncoding.EncodeToString(id), credential); err != nil {
			return err
		}
		begun, err = begin(ctx, tx, at, who, b, session.ByPasskey)
		return err
	})
	return begun, err
}
