package shop

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/cart"
	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/loyalty"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/postal"
	"counterpart/internal/platform/secret"
	"counterpart/internal/query/advice"
	"counterpart/internal/query/profile"
)

// Account is what somebody who is signed in sees of themselves. What a page does not show is not read.
type Account struct {
	Visit
	Person    profile.Person
	For       []advice.Hint // what the shop suggests
	Watches   []profile.Watch
	Messages  []profile.Message
	Consents  []profile.Consent
	Orders    []profile.Order
	Sizes     []profile.Size
	Addresses []customer.Address
	Sittings  []profile.SignedInSession
	Timeline  []profile.Fact
	Points    profile.PointsLife
	Standing  *loyalty.Stands // nil: it was never counted
	Statement []profile.PointsEntry
	Searched  []profile.Searched
}

// A Corner is a page of the account.
type AccountCorner int

const (
	Overview AccountCorner = iota
	Details
	AddressBook
	Privacy
	Activity
	Points
)

// AccountPage reads one page of an account in one round trip.
func AccountPage(ctx context.Context, db pg.DB, who Visitor, person int64, corner AccountCorner) (*Account, error) {
	return page(ctx, db, who, func(who Visitor) (*Account, error) { return accountPage(ctx, db, who, person, corner) })
}

func accountPage(ctx context.Context, db pg.DB, who Visitor, person int64, corner AccountCorner) (*Account, error) {
	a := &Account{}
	batch := &pgx.Batch{}
	profile.Queue(batch, person, &a.Person)
	switch corner {
	case Points:
		profile.QueueStanding(batch, person, &a.Standing)
		profile.QueuePointsLife(batch, person, &a.Points)
		profile.QueuePointsStatement(batch, person, 100, &a.Statement)
	case Overview:
		profile.QueueStanding(batch, person, &a.Standing)
		profile.QueuePointsLife(batch, person, &a.Points)
		profile.QueueOrders(batch, person, 50, &a.Orders)
	case Details:
		profile.QueueSizes(batch, person, &a.Sizes)
		profile.QueueSignedInSessions(batch, person, secret.Digest(who.Session), &a.Sittings)
	case AddressBook:
		profile.QueueAddresses(batch, person, &a.Addresses)
	case Privacy:
		profile.QueueConsents(batch, person, &a.Consents)
		profile.QueueWatches(batch, person, who.Language, &a.Watches)
		profile.QueueMessages(batch, person, who.Language, 20, &a.Messages)
	case Activity:
		profile.QueueTimeline(batch, person, 100, &a.Timeline)
		profile.QueueSearched(batch, person, &a.Searched)
	}
	err := send(ctx, db, batch, who, &a.Visit, false)
	if errors.Is(err, pgx.ErrNoRows) && a.Person.ID == 0 {
		return nil, fault.New(fault.NotFound, "This profile has been merged into another. Sign in again.")
	}
	if err == nil && corner == Overview {
		err = a.advise(ctx, db, who.Language, &a.For)
	}
	return a, err
}

// Lists are somebody's wish list, what they keep for later, and what they looked at.
type Lists struct {
	*Visit
	Wishes, Later, Viewed []profile.ViewedProduct
}

// ListsPage reads the lists of whoever is looking, guest or signed in.
func ListsPage(ctx context.Context, db pg.DB, who Visitor) (*Lists, error) {
	visit, err := VisitOf(ctx, db, who)
	if err != nil {
		return nil, err
	}
	l := &Lists{Visit: visit}
	if visit.CustomerID == 0 {
		return l, nil
	}
	batch := &pgx.Batch{}
	profile.QueueWishes(batch, visit.CustomerID, visit.Store.ID, cart.WishList, &l.Wishes)
	profile.QueueWishes(batch, visit.CustomerID, visit.Store.ID, cart.Later, &l.Later)
	if visit.Remember {
		profile.QueueViewed(batch, visit.CustomerID, visit.Store.ID, &l.Viewed)
	}
	return l, wrap(db.SendBatch(ctx, batch).Close())
}

func wrap(err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	return fmt.Errorf("read lists: %w", err)
}

// Contact is how somebody who is signed in can be reached, and where, for a form that would else ask them again.
type Contact struct {
	Name, Email, Phone string
	To                 postal.Address // their newest address, if they have one
}

// ContactOf reads it.
func ContactOf(ctx context.Context, db pg.DB, person int64) (Contact, error) {
	p, err := profile.Load(ctx, db, person)
	if errors.Is(err, profile.ErrNobody) {
		return Contact{}, nil
	}
	if err != nil {
		return Contact{}, err
	}
	c := Contact{Name: p.Name, Email: p.First(customer.Email), Phone: p.First(customer.Phone)}
	var addresses []customer.Address
	batch := &pgx.Batch{}
	profile.QueueAddresses(batch, person, &addresses)
	if err := wrap(db.SendBatch(ctx, batch).Close()); err != nil || len(addresses) == 0 {
		return c, err
	}
	a := addresses[0]
	c.To = postal.Address{Name: a.Name, Lines: a.Lines, Town: a.Town, Region: a.Region, Postcode: a.Postcode,
		Country: a.Country}
	return c, nil
}

// StoreOf is the code of the store that a person calls theirs, or "".
func StoreOf(ctx context.Context, db pg.DB, person int64) (code string, err error) {
	err = db.QueryRow(ctx, `
		SELECT l.code
		FROM customer c
		JOIN location l ON l.id = c.location_id
		WHERE c.id = $1`, person).Scan(&code)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", nil
	}
	return code, err
}
