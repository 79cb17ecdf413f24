// Package shopping is putting things into a cart; the first thing makes a stranger a customer.
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
)

// Item is what is put into a cart. LocationID is the store it was chosen for, or 0.
type Item struct {
	VariantID  int64
	Quantity   int
	Ship       bool // it is to be sent
	InHand     bool // it is there, at the counter of the location
	LocationID int64
}

// AddAsDevice adds for the customer whose browser has this cookie. Where there is no such customer one is made, with a
// new cookie: the answer is the cookie's value, or "" when the old one stays.
func AddAsDevice(ctx context.Context, db pg.DB, at origin.Origin, token string, item Item) (newToken string,
	err error) {
	err = pg.InTx(ctx, db, func(tx pgx.Tx) error {
		var customerID int64
		if customerID, newToken, err = (Shopper{Device: token}).guest(ctx, tx, at); err != nil {
			return err
		}
		return add(ctx, tx, at, customerID, item)
	})
	return newToken, err
}

// AddFor adds to the open cart of a customer whom an associate serves.
func AddFor(ctx context.Context, db pg.DB, at origin.Origin, customerID int64, item Item) error {
	return pg.InTx(ctx, db, func(tx pgx.Tx) error { return add(ctx, tx, at, customerID, item) })
}

func add(ctx context.Context, tx pgx.Tx, at origin.Origin, customerID int64, item Item) error {
	if item.Quantity < 1 || item.Quantity > cart.MaxQuantity {
		return fault.Field("quantity", "Choose a quantity from 1 to 99.")
	}
	cartID, err := cart.Open(ctx, tx, customerID, item.LocationID, at.Channel)
	if err != nil {
		return err
	}
	soldAt := int64(0)
	if item.InHand {
		soldAt = item.LocationID
	}
	if err := cart.Add(ctx, tx, cartID, cart.NewLine{VariantID: item.VariantID, Quantity: item.Quantity,
		Channel: at.Channel, SoldAt: soldAt}); err != nil {
		return err
	}
	if item.Ship {
		if err := cart.SetDelivery(ctx, tx, cartID, item.VariantID); err != nil {
			return err
		}
	}
	batch := &pgx.Batch{}
	customer.Fact{CustomerID: customerID, Kind: customer.Added, Channel: at.Channel, LocationID: item.LocationID,
		VariantID: item.VariantID, Quantity: item.Quantity}.Queue(batch)
	live.QueueNotify(batch, live.Customer(customerID))
	return tx.SendBatch(ctx, batch).Close()
}
