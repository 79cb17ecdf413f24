package returns

import (
	"context"

	"counterpart/internal/basket"
	"counterpart/internal/cart"
	"counterpart/internal/checkout"
	"counterpart/internal/fault"
)

// instead is what they take instead, without empty lines.
func (t *taking) instead() (all []Instead) {
	for _, i := range t.Exchange {
		if i.VariantID != 0 && i.Quantity > 0 {
			all = append(all, i)
		}
	}
	return all
}

func (t *taking) here() basket.Here {
	return basket.Here{LocationID: t.Desk.LocationID, CarryOut: true}
}

// price puts what they take instead into a cart of its own, while the customer's open one stands aside, and asks what it costs: the same question as in every sale.
func (t *taking) price(ctx context.Context) error {
	if _, err := cart.Aside(ctx, t.tx, t.person); err != nil {
		return err
	}
	id, err := cart.Open(ctx, t.tx, t.person, t.Desk.LocationID, "counter")
	if err != nil {
		return err
	}
	for _, i := range t.instead() {
		if err := cart.Add(ctx, t.tx, id, i.VariantID, i.Quantity, "counter", true); err != nil {
			return err
		}
	}
	b, err := basket.LoadAt(ctx, t.tx, t.person, t.here(), t.Language)
	if err != nil {
		return err
	}
	if b.Quote.Currency != t.Currency {
		return fault.New(fault.Conflict, "It was paid in another currency, so it can’t be exchanged here. Refund it, then sell the replacement.")
	}
	t.Costs = b.Quote.Total
	return nil
}

// sell makes the order of what they take instead, paid by what came back and, where that is too little, by what they lay down.
func (t *taking) sell(ctx context.Context, exchange int64) (orderID int64, err error) {
	b, err := basket.LoadAt(ctx, t.tx, t.person, t.here(), t.Language)
	if err != nil {
		return 0, err
	}
	t.Due = b.Quote.Total - exchange
	placed, err := checkout.Within(ctx, t.tx, checkout.Request{
		CustomerID: t.person, CartID: b.CartID, Expected: b.Quote.Total, Pay: t.Pay, Given: t.Given, Channel: "counter", AssociateID: t.Desk.AssociateID, Here: t.here(), Language: t.Language, Exchange: exchange,
	})
	if err != nil {
		return 0, err
	}
	t.Order, t.Change = placed.PublicID, placed.Change
	return placed.ID, cart.Return(ctx, t.tx, t.person)
}
