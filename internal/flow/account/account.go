// Package account is a shopper's way in: beginning with an account, proving an address, signing in and out, and
// changing how.
package account

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/cart"
	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/message"
	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/session"
	"counterpart/internal/flow/person"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/jobs"
	"counterpart/internal/platform/limit"
	"counterpart/internal/platform/live"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/secret"
	"counterpart/internal/query/basket"
)

// Browser is where somebody comes from: the cookie of its guest, its address, and how it calls itself.
type Browser struct {
	Device string
	From   string
	Agent  string
}

// Begun is a sign-in: the secrets of two new cookies, and what became of the cart.
type Begun struct {
	Person  int64
	Session string
	Device  string
	Joined  int // kinds of things that came into the cart from this device
	Later   int // of them, what cannot be had now and was saved for later
	// Elsewhere says that the link was opened in another browser than the one that registered, so that what was typed
	// there was not kept.
	Elsewhere bool
}

// Lives of links and codes.
const (
	registerLife = time.Hour
	signInLife   = 15 * time.Minute
	resetLife    = time.Hour
	changeLife   = time.Hour
	claimLife    = 7 * 24 * time.Hour
	codeLife     = 10 * time.Minute
)

var (
	perSource = limit.Rule{Max: 30, Window: time.Hour}
	perLetter = limit.Rule{Max: 4, Window: time.Hour}
	perSignIn = limit.Rule{Max: 10, Window: 15 * time.Minute}
	// from everywhere together, so that a thousand machines are no better than ten
	perAccount = limit.Rule{Max: 100, Window: time.Hour}
	perAddress = limit.Rule{Max: 50, Window: 15 * time.Minute}
	perCode    = limit.Rule{Max: 5, Window: codeLife}
)

// begin signs a person in on a browser. The guest that the browser was becomes part of them when it was nothing but a
// device; one who gave a name keeps their own profile, and only the cart comes along. Both cookies are new ones: the
// old device's opens nothing.
func begin(ctx context.Context, tx pgx.Tx, at origin.Origin, who int64, b Browser, method string) (Begun, error) {
	begun := Begun{Person: who}
	guest, err := customer.ByDevice(ctx, tx, b.Device)
	if err != nil {
		return begun, err
	}
	if guest != 0 && guest != who {
		if err := takeCart(ctx, tx, at, guest, who, &begun); err != nil {
			return begun, err
		}
	}
	if begun.Session, err = session.BeginShopper(ctx, tx, who, method, b.Agent); err != nil {
		return begun, err
	}
	begun.Device = secret.NewToken()
	if err := customer.Identify(ctx, tx, who, customer.Identity{Kind: customer.Device,
		Value: customer.DeviceValue(begun.Device), Source: at.Channel, Verified: true}); err != nil {
		return begun, err
	}
	batch := &pgx.Batch{}
	customer.Fact{CustomerID: who, Kind: customer.SignedIn, Channel: at.Channel, Detail: method}.Queue(batch)
	if begun.Joined > 0 {
		customer.Fact{CustomerID: who, Kind: customer.Joined, Channel: at.Channel, Quantity: begun.Joined}.Queue(batch)
	}
	live.QueueNotify(batch, live.Customer(who))
	return begun, tx.SendBatch(ctx, batch).Close()
}

// takeCart brings the cart of a browser's guest to the person. What of it cannot be had now is saved for later.
func takeCart(ctx context.Context, tx pgx.Tx, at origin.Origin, guest, who int64, begun *Begun) error {
	brought, err := basket.Load(ctx, tx, guest, "en")
	if err != nil {
		return err
	}
	anonymous, err := customer.IsAnonymous(ctx, tx, guest)
	if err != nil {
		return err
	}
	if anonymous {
		_, err = person.Merge(ctx, tx, at, customer.Merge{SurvivorID: who, AbsorbedID: guest,
			Proof: customer.ByVerifiedIdentity, Reason: "signed in on the device"})
	} else {
		_, err = cart.Join(ctx, tx, guest, who, at.Channel)
	}
	if err != nil || brought == nil {
		return err
	}
	begun.Joined = len(brought.Lines)
	fresh := map[int64]bool{}
	for _, line := range brought.Lines {
		fresh[line.VariantID] = true
	}
	now, err := basket.Load(ctx, tx, who, "en")
	if err != nil || now == nil {
		return err
	}
	var gone []int64
	for _, line := range now.Lines {
		if fresh[line.VariantID] && (line.Gone || line.Available == 0) {
			gone = append(gone, line.ID)
		}
	}
	if len(gone) > 0 {
		begun.Later = len(gone)
		return cart.SaveForLater(ctx, tx, who, gone...)
	}
	return nil
}

// claim makes every profile that has this address or number, unproven and nobody's, part of the person who just proved
// it.
func claim(ctx context.Context, tx pgx.Tx, at origin.Origin, who int64, kind, value string) error {
	others, err := customer.Claimable(ctx, tx, kind, value)
	if err != nil {
		return err
	}
	for _, other := range others {
		if other == who {
			continue
		}
		// Somebody looked at these two and parted them: a link does not know better.
		parted, err := customer.WasUnmerged(ctx, tx, who, other)
		if err != nil {
			return err
		}
		if parted {
			continue
		}
		m := customer.Merge{SurvivorID: who, AbsorbedID: other, Proof: customer.ByVerifiedIdentity,
			Reason: "proved the " + kind}
		if _, err := person.Merge(ctx, tx, at, m); err != nil {
			return err
		}
	}
	return nil
}

// ask writes a link down and has it sent.
func ask(ctx context.Context, tx pgx.Tx, o customer.OneTime, life time.Duration) (int64, error) {
	id, err := customer.Ask(ctx, tx, o, life)
	if err != nil {
		return 0, err
	}
	return id, jobs.Insert(ctx, tx, message.AccountMail{OneTimeID: id})
}

func readEmail(form *fault.Form, field, typed string) string {
	email, ok := customer.NormalEmail(typed)
	if !ok {
		form.Add(field, "Enter a valid email address, such as ada@example.com.")
	}
	return email
}

// MayAsk counts who asks for letters, by where they come from and by whom the letter would reach.
func MayAsk(ctx context.Context, db pg.DB, b Browser, what, target string) error {
	if err := limit.Attempt(ctx, db, "letters:from:"+b.From, perSource); err != nil {
		return err
	}
	return limit.Attempt(ctx, db, fmt.Sprintf("letters:%s:%s", what, target), perLetter)
}
