package shop

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/cart"
	"counterpart/internal/domain/customer"
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
	case Overview:
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

// BesideCart is what a person saved for later, and, in a language, what goes with what lies in their cart.
func BesideCart(ctx context.Context, db pg.DB, visit *Visit, language string) (later []profile.ViewedProduct, goes []Neighbour, err error) {
	batch := &pgx.Batch{}
	profile.QueueWishes(batch, visit.CustomerID, visit.Store.ID, cart.Later, &later)
	if len(visit.InCart) > 0 {
		queueGoesWith(batch, visit.InCart, visit.Reference().PriceLists[visit.Store.ID], language, &goes)
	}
	if err := wrap(db.SendBatch(ctx, batch).Close()); err != nil {
		return nil, nil, err
	}
	return later, beside(goes, visit.InCart), nil
}

// BesideOrder is what goes with what an order has, in a language: by the order alone, because whoever has its link reads
// it.
func BesideOrder(ctx context.Context, db pg.DB, o *Order, visit *Visit, language string) (goes []Neighbour, err error) {
	ref := visit.Reference()
	if ref == nil || o.State == "cancelled" {
		return nil, nil
	}
	products := make([]int64, len(o.Lines))
	for i, line := range o.Lines {
		products[i] = line.ProductID
	}
	batch := &pgx.Batch{}
	queueGoesWith(batch, products, ref.PriceLists[visit.Store.ID], language, &goes)
	if err := db.SendBatch(ctx, batch).Close(); err != nil {
		return nil, fmt.Errorf("read what goes with an order: %w", err)
	}
	return beside(goes, products), nil
}

// queueGoesWith asks what goes best with several products together, and with which of them each goes best.
func queueGoesWith(batch *pgx.Batch, products []int64, list int64, language string, goes *[]Neighbour) {
	batch.Queue(`
		SELECT card.product_id AS id, card.slug, coalesce(card.titles ->> $3, card.title) AS title, card.picture, near.why,
			coalesce(because.titles ->> $3, because.title) AS because
		FROM (
			SELECT g.other_id AS id, sum(g.score) AS score, 'bought' AS why,
				(array_agg(g.product_id ORDER BY g.score DESC))[1] AS because
			FROM goes_with g
			WHERE g.product_id = ANY ($1) AND g.why = 'bought' AND g.other_id <> ALL ($1)
			GROUP BY g.other_id) near
		JOIN product_card card ON card.product_id = near.id AND card.price_list_id = $2 AND `+holds("card")+`
		JOIN product_card because ON because.product_id = near.because AND because.price_list_id = $2
			AND `+holds("because")+`
		WHERE card.always <> '{}' OR EXISTS (SELECT FROM in_stock WHERE product_id = card.product_id)
		ORDER BY near.score DESC, card.product_id
		LIMIT `+fmt.Sprint(Besides), products, list, language).Query(func(rows pgx.Rows) (err error) {
		*goes, err = pgx.CollectRows(rows, pgx.RowToStructByName[Neighbour])
		return err
	})
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
