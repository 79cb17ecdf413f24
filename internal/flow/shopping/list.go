package shopping

import (
	"context"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/cart"
	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/origin"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/live"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/secret"
)

// Shopper is whoever a browser or a till stands for: a person, or with 0 the guest of a device, who may not exist yet.
// Address is where tries of codes are counted.
type Shopper struct {
	Person  int64
	Device  string
	Address string
}

// guest finds the person, or makes a guest with a new cookie where there is none.
func (s Shopper) guest(ctx context.Context, tx pgx.Tx, at origin.Origin) (id int64, newToken string, err error) {
	if s.Person != 0 {
		return s.Person, "", customer.LockActive(ctx, tx, s.Person)
	}
	if id, err = customer.ByDevice(ctx, tx, s.Device); err != nil {
		return 0, "", err
	}
	if id != 0 {
		// Another tab may be signing in with this guest at this moment; then the guest is nobody any more, and a new
		// one is made.
		if err := customer.LockActive(ctx, tx, id); !fault.Is(err, fault.NotFound) {
			return id, "", err
		}
	}
	newToken = secret.NewToken()
	if id, err = customer.Create(ctx, tx, "", at.Language, at.Channel); err != nil {
		return 0, "", err
	}
	return id, newToken, customer.Identify(ctx, tx, id, customer.Identity{Kind: customer.Device,
		Value: customer.DeviceValue(newToken), Source: at.Channel, Verified: true})
}

// Wish puts a variant on the wish list; the first wish makes a stranger a customer. The answer is a new cookie, or "".
func Wish(ctx context.Context, db pg.DB, at origin.Origin, s Shopper, variantID int64) (newToken string, err error) {
	err = pg.InTx(ctx, db, func(tx pgx.Tx) error {
		var id int64
		if id, newToken, err = s.guest(ctx, tx, at); err != nil {
			return err
		}
		if err := cart.Wish(ctx, tx, id, variantID, cart.WishList, at.Channel); err != nil {
			return err
		}
		batch := &pgx.Batch{}
		customer.Fact{CustomerID: id, Kind: customer.Wished, Channel: at.Channel, VariantID: variantID}.Queue(batch)
		live.QueueNotify(batch, live.Customer(id))
		return tx.SendBatch(ctx, batch).Close()
	})
	return newToken, err
}

// Become does something for whoever is looking, who has to be somebody for it: a stranger becomes a guest. The answer is
// a new cookie, or "".
func Become(ctx context.Context, db pg.DB, at origin.Origin, s Shopper,
	do func(ctx context.Context, tx pgx.Tx, person int64) error) (newToken string, err error) {
	err = pg.InTx(ctx, db, func(tx pgx.Tx) error {
		var id int64
		if id, newToken, err = s.guest(ctx, tx, at); err != nil {
			return err
		}
		return do(ctx, tx, id)
	})
	return newToken, err
}

// KeepForLater takes a line out of the cart and keeps it on the list of later.
func KeepForLater(ctx context.Context, db pg.DB, customerID, lineID int64) error {
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		if err := customer.LockActive(ctx, tx, customerID); err != nil {
			return err
		}
		if err := cart.SaveForLater(ctx, tx, customerID, lineID); err != nil {
			return err
		}
		return live.Notify(ctx, tx, live.Customer(customerID))
	})
}

// TakeFromList puts something from a list into the cart.
func TakeFromList(ctx context.Context, db pg.DB, at origin.Origin, customerID, variantID int64, list string) error {
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		if err := cart.FromList(ctx, tx, customerID, variantID, list, at.Channel); err != nil {
			return err
		}
		batch := &pgx.Batch{}
		customer.Fact{CustomerID: customerID, Kind: customer.Added, Channel: at.Channel, LocationID: at.LocationID,
			VariantID: variantID, Quantity: 1}.Queue(batch)
		live.QueueNotify(batch, live.Customer(customerID))
		return tx.SendBatch(ctx, batch).Close()
	})
}
