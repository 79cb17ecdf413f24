package account

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/session"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/secret"
)

// Registration is what somebody writes who begins with an account. Without a password they sign in by links, or make a
// passkey later.
type Registration struct {
	Name, Email, Password string
}

// wanted is what a registration keeps until its address is proven. Start is the digest of a secret that only the
// browser has which asked: whoever opens the link elsewhere gets an account of their own making, never one with a
// stranger's password.
type wanted struct {
	Name  string `json:"name,omitempty"`
	Hash  string `json:"hash,omitempty"`
	Start string `json:"start"`
}

// Register sends the link with which an account begins; the answer is a secret for the browser. Whether the address has
// an account already is said by mail only: the answer, and the work, are the same.
func Register(ctx context.Context, db pg.DB, r Registration, b Browser) (start string, err error) {
	var form fault.Form
	name := strings.Join(strings.Fields(r.Name), " ")
	if name == "" || utf8.RuneCountInString(name) > 100 || !utf8.ValidString(name) || strings.ContainsRune(name, 0) {
		form.Add("name", "Enter your name, up to 100 characters.")
	}
	email := readEmail(&form, "email", r.Email)
	if r.Password != "" {
		if weak := secret.Weak(r.Password); weak != "" {
			form.Add("password", weak)
		}
	}
	if err := form.Err(); err != nil {
		return "", err
	}
	if err := MayAsk(ctx, db, b, "register", email); err != nil {
		return "", err
	}
	hash := ""
	if r.Password != "" {
		if hash, err = secret.HashPassword(ctx, r.Password); err != nil {
			return "", err
		}
	}
	return begins(ctx, db, email, wanted{Name: name, Hash: hash}, customer.Known)
}

// begins asks for the link of an account to be, or for the purpose given where there is one already.
func begins(ctx context.Context, db pg.DB, email string, w wanted, known string) (start string, err error) {
	start = secret.NewToken()
	w.Start = hex.EncodeToString(secret.Digest(start))
	payload, err := json.Marshal(w)
	if err != nil {
		return "", err
	}
	err = pg.InTx(ctx, db, func(tx pgx.Tx) error {
		a, err := customer.AccountOf(ctx, tx, email)
		if err != nil {
			return err
		}
		o, life := customer.OneTime{Purpose: customer.ToRegister, Target: email, Payload: payload}, registerLife
		if a != nil {
			o, life = customer.OneTime{Purpose: known, Target: email, CustomerID: a.ID}, signInLife
		}
		_, err = ask(ctx, tx, o, life)
		return err
	})
	return start, err
}

// Confirm opens a registration's link: the address is proven, and the account begins with it. Profiles that the counter
// or a guest made with this address become theirs.
func Confirm(ctx context.Context, db pg.DB, at origin.Origin, token, start string, b Browser) (begun Begun, err error) {
	err = pg.InTx(ctx, db, func(tx pgx.Tx) error {
		o, err := customer.Use(ctx, tx, customer.ToRegister, token)
		if err != nil {
			return err
		}
		var w wanted
		if err := json.Unmarshal(o.Payload, &w); err != nil {
			return fmt.Errorf("read a registration: %w", err)
		}
		same := start != "" && w.Start == hex.EncodeToString(secret.Digest(start))
		begun, err = prove(ctx, tx, at, proven{email: o.Target, wanted: w, same: same}, b)
		return err
	})
	return begun, err
}

// Claim opens the link that the counter sent: the profile it made becomes an account.
func Claim(ctx context.Context, db pg.DB, at origin.Origin, token string, b Browser) (begun Begun, err error) {
	err = pg.InTx(ctx, db, func(tx pgx.Tx) error {
		o, err := customer.Use(ctx, tx, customer.ToClaim, token)
		if err != nil {
			return err
		}
		begun, err = prove(ctx, tx, at, proven{email: o.Target, made: o.CustomerID}, b)
		return err
	})
	return begun, err
}

// proven is an email that somebody owns.
type proven struct {
	email  string
	made   int64  // the profile that was made for them, if one was
	wanted wanted // what they typed when they asked to register
	same   bool   // in this browser
}

// prove is whoever opened a link being the owner of an email: signed in where there is an account, and with a new one
// where there is none.
func prove(ctx context.Context, tx pgx.Tx, at origin.Origin, p proven, b Browser) (Begun, error) {
	a, err := customer.AccountOf(ctx, tx, p.email)
	if err != nil {
		return Begun{}, err
	}
	if a != nil {
		if a.Disabled {
			return Begun{}, errShut
		}
		// Every other link to the address is dead with this one.
		if err := customer.RevokeTo(ctx, tx, p.email); err != nil {
			return Begun{}, err
		}
		if err := claim(ctx, tx, at, a.ID, customer.Email, p.email); err != nil {
			return Begun{}, err
		}
		return begin(ctx, tx, at, a.ID, b, session.ByLink)
	}
	who, err := base(ctx, tx, at, p, b)
	if err != nil {
		return Begun{}, err
	}
	if err := customer.Verify(ctx, tx, who, customer.Email, p.email, at.Channel); err != nil {
		return Begun{}, err
	}
	name := ""
	if p.same {
		name = p.wanted.Name
	}
	if err := customer.Register(ctx, tx, who, name); err != nil {
		return Begun{}, err
	}
	if p.same && p.wanted.Hash != "" {
		if err := customer.SetPassword(ctx, tx, who, p.wanted.Hash); err != nil {
			return Begun{}, err
		}
	}
	if _, err := customer.IssueCard(ctx, tx, who); err != nil {
		return Begun{}, err
	}
	for _, fact := range []customer.Fact{{Kind: customer.Verified, Detail: customer.Email},
		{Kind: customer.Registered}} {
		fact.CustomerID, fact.Channel = who, at.Channel
		if err := customer.Record(ctx, tx, fact); err != nil {
			return Begun{}, err
		}
	}
	if err := claim(ctx, tx, at, who, customer.Email, p.email); err != nil {
		return Begun{}, err
	}
	if err := customer.RevokeTo(ctx, tx, p.email); err != nil {
		return Begun{}, err
	}
	begun, err := begin(ctx, tx, at, who, b, session.ByLink)
	begun.Elsewhere = !p.same && p.wanted.Start != "" && (p.wanted.Name != "" || p.wanted.Hash != "")
	return begun, err
}

// base is the profile that becomes the account: the one made for it, else this browser's own guest, else one that waits
// with this address, else a new one.
func base(ctx context.Context, tx pgx.Tx, at origin.Origin, p proven, b Browser) (int64, error) {
	waiting, err := customer.Claimable(ctx, tx, customer.Email, p.email)
	if err != nil {
		return 0, err
	}
	for _, id := range waiting {
		if id == p.made {
			return id, customer.LockActive(ctx, tx, id)
		}
	}
	if p.same {
		guest, err := customer.ByDevice(ctx, tx, b.Device)
		if err != nil {
			return 0, err
		}
		if guest != 0 {
			anonymous, err := customer.IsAnonymous(ctx, tx, guest)
			if err != nil {
				return 0, err
			}
			if anonymous || slices.Contains(waiting, guest) {
				return guest, customer.LockActive(ctx, tx, guest)
			}
		}
	}
	if len(waiting) > 0 {
		return waiting[0], customer.LockActive(ctx, tx, waiting[0])
	}
	return customer.Create(ctx, tx, "", at.Language, at.Channel)
}

// Invite sends the link with which somebody whom the counter made a profile for takes it over on their phone. An
// address that was written down after there were orders is not theirs by that alone: whoever adds their own would get
// the history.
func Invite(ctx context.Context, db pg.DB, customerID int64, email string) error {
	first, err := customer.GivenAtFirst(ctx, db, customerID, customer.Email, email)
	if err != nil {
		return err
	}
	if !first {
		return fault.Field("contact",
			"This email address already has an account, or was added after their orders. They can place an order with it, or a manager can merge the profiles.")
	}
	if err := MayAsk(ctx, db, Browser{From: fmt.Sprintf("counter:%d", customerID)}, "claim", email); err != nil {
		return err
	}
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		_, err := ask(ctx, tx, customer.OneTime{Purpose: customer.ToClaim, CustomerID: customerID, Target: email},
			claimLife)
		return err
	})
}
