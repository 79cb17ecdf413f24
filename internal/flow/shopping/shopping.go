// Package shopping is putting things into a cart; the first thing makes a stranger a customer.
package shopping

import (
	"context"
	"errors"
	"fmt"

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
// new cookie: the answer is the cookie's value, or "" when the old one stays. known is whom the cookie stood for a
// moment ago; 0: nobody asked.
func AddAsDevice(ctx context.Context, db pg.DB, at origin.Origin, token string, known int64, item Item) (newToken string,
	err error) {
	if known != 0 {
		// Another tab may be signing in with this guest at this moment; then the guest is nobody any more.
		if err := AddFor(ctx, db, at, known, item); !errors.Is(err, cart.ErrNoCustomer) {
			return "", err
		}
	}
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
	line := cart.NewLine{VariantID: item.VariantID, Quantity: item.Quantity, Channel: at.Channel}
	if item.InHand {
		line.SoldAt = item.LocationID
	}
	var cartID int64
	var added bool
	adding := &pgx.Batch{}
	cart.QueueOpen(adding, customerID, item.LocationID, at.Channel, &cartID)
	cart.QueueAdd(adding, customerID, line, &added)
	if item.Ship {
		cart.QueueDelivery(adding, customerID, item.VariantID)
	}
	if err := tx.SendBatch(ctx, adding).Close(); err != nil {
		return fmt.Errorf("add to a cart: %w", err)
	}
	switch {
	case cartID == 0:
		return cart.ErrNoCustomer
	case !added:
		return cart.ErrNotAdded
	}
	batch := &pgx.Batch{}
	customer.Fact{CustomerID: customerID, Kind: customer.Added, Channel: at.Channel, LocationID: item.LocationID,
		VariantID: item.VariantID, Quantity: item.Quantity}.Queue(batch)
	live.QueueNotify(batch, live.Customer(customerID))
	return tx.SendBatch(ctx, batch).Close()
}
