package counter

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/cart"
	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/hint"
	"counterpart/internal/domain/loyalty"
	"counterpart/internal/domain/origin"
	"counterpart/internal/platform/pg"
	"counterpart/internal/query/advice"
	"counterpart/internal/query/basket"
	"counterpart/internal/query/profile"
)

// Person is a customer as the counter sees them: who they are, their cart and their orders by the associate's role;
// what they looked at, their lists and the sizes that their purchases say only where they agreed to it.
type Person struct {
	profile.Person
	Basket     *basket.Basket
	LastChange *time.Time     // of the cart
	CartFrom   origin.Channel // channel of the cart's last line
	Orders     []profile.Order
	Worth      []profile.LifetimeValue
	NoShows    int // collections that were held to the end and given up
	Notes      []customer.Note
	Consents   []profile.Consent
	Perhaps    []profile.PossibleDuplicate
	Sizes      []profile.Size
	Wishes     []profile.ViewedProduct
	Later      []profile.ViewedProduct
	Viewed     []profile.ViewedProduct
	Searched   []profile.Searched
	Hints      []advice.Hint // what is worth saying
	Standing   *loyalty.Stands
	Life       profile.PointsLife // what else there is of their points
	Withheld   []advice.Hint      // what would be, but for the holdout
	Sees       bool               // they agreed that staff see the last five
}

// Profile reads a customer with everything that a counter shows of them, in two round trips. Nil when there is none, or
// when they are part of another.
func Profile(ctx context.Context, db pg.DB, person int64, here basket.SaleContext, language string) (*Person, error) {
	locationID := here.LocationID
	p := &Person{}
	batch := &pgx.Batch{}
	profile.Queue(batch, person, &p.Person)
	batch.Queue(`
		SELECT cart.updated_at, coalesce((SELECT channel FROM cart_line WHERE cart_id = cart.id ORDER BY added_at DESC
			LIMIT 1), '')
		FROM cart
		WHERE customer_id = $1 AND state = 'open'`, person).Query(func(rows pgx.Rows) error {
		for rows.Next() {
			if err := rows.Scan(&p.LastChange, &p.CartFrom); err != nil {
				return err
			}
		}
		return rows.Err()
	})
	profile.QueueOrders(batch, person, 20, &p.Orders)
	profile.QueueLifetimeValue(batch, person, &p.Worth)
	profile.QueueNoShows(batch, person, &p.NoShows)
	profile.QueueNotes(batch, person, &p.Notes)
	profile.QueueConsents(batch, person, &p.Consents)
	profile.QueuePossibleDuplicates(batch, person, &p.Perhaps)
	profile.QueueSizes(batch, person, &p.Sizes)
	profile.QueueWishes(batch, person, locationID, cart.WishList, &p.Wishes)
	profile.QueueWishes(batch, person, locationID, cart.Later, &p.Later)
	profile.QueueViewed(batch, person, locationID, &p.Viewed)
	profile.QueueSearched(batch, person, &p.Searched)
	profile.QueuePointsLife(batch, person, &p.Life)
	profile.QueueStanding(batch, person, &p.Standing)
	advice.Queue(batch, person, locationID, language, &p.Hints)
	err := db.SendBatch(ctx, batch).Close()
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read a customer: %w", err)
	}
	p.withhold()
	if hint.Held(person) {
		p.Hints, p.Withheld = nil, p.Hints
	}
	p.Basket, err = basket.LoadAt(ctx, db, person, here, language)
	return p, err
}

// withhold takes away what they did not agree to show. What they said to us themselves, staff may know.
func (p *Person) withhold() {
	p.Sees = profile.Agreed(p.Consents, customer.Clienteling, customer.InShop)
	if !p.Sees {
		var stated []profile.Size
		for _, size := range p.Sizes {
			if size.Stated {
				stated = append(stated, size)
			}
		}
		p.Sizes, p.Wishes, p.Later = stated, nil, nil
	}
	if !p.Sees || !profile.Agreed(p.Consents, customer.Personalisation, customer.InShop) {
		p.Viewed, p.Searched = nil, nil
	}
}

// Waiting are the orders that lie ready or are being fetched.
func (p *Person) Waiting() (all []profile.Order) {
	for _, o := range p.Orders {
		if o.Waiting() {
			all = append(all, o)
		}
	}
	return all
}

// Served is somebody whose profile an associate opened lately.
type Served struct {
	ID   int64
	Name string
	At   time.Time
}

// LastServed are the last three.
func LastServed(ctx context.Context, db pg.DB, associateID int64) ([]Served, error) {
	rows, err := db.Query(ctx, `
		SELECT c.id, c.name, latest.at
		FROM (
			SELECT customer_id, max(at) AS at
			FROM (
				SELECT customer_id, at
				FROM timeline
				WHERE associate_id = $1 AND kind = 'opened'
				ORDER BY id DESC
				LIMIT 20) opened
			GROUP BY customer_id) latest
		JOIN customer c ON c.id = latest.customer_id AND c.merged_into IS NULL AND c.erased_at IS NULL
		ORDER BY latest.at DESC
		LIMIT 3`, associateID)
	if err != nil {
		return nil, fmt.Errorf("read who was served last: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Served])
}

// Side is one of two profiles that may be one person, as they are compared.
type Side struct {
	profile.Person
	Orders []profile.Order
	Worth  []profile.LifetimeValue
	Lines  int // kinds of things in the open cart
}

// Compare reads two profiles side by side, and what they share. Nil when one of them is not there, or they share
// nothing.
func Compare(ctx context.Context, db pg.DB, one, other int64) (sides []Side, shared []profile.PossibleDuplicate,
	err error) {
	sides = make([]Side, 2)
	batch := &pgx.Batch{}
	for i, id := range []int64{one, other} {
		profile.Queue(batch, id, &sides[i].Person)
		profile.QueueOrders(batch, id, 5, &sides[i].Orders)
		profile.QueueLifetimeValue(batch, id, &sides[i].Worth)
		batch.Queue(`
			SELECT count(*)
			FROM cart
			JOIN cart_line l ON l.cart_id = cart.id
			WHERE cart.customer_id = $1 AND cart.state = 'open'`,
			id).QueryRow(func(row pgx.Row) error { return row.Scan(&sides[i].Lines) })
	}
	var perhaps []profile.PossibleDuplicate
	profile.QueuePossibleDuplicates(batch, one, &perhaps)
	err = db.SendBatch(ctx, batch).Close()
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("compare two profiles: %w", err)
	}
	for _, p := range perhaps {
		if p.ID == other {
			shared = append(shared, p)
		}
	}
	if len(shared) == 0 {
		return nil, nil, nil
	}
	return sides, shared, nil
}
