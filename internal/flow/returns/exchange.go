package returns

import (
	"context"
	"slices"

	"counterpart/internal/domain/cart"
	"counterpart/internal/flow/checkout"
	"counterpart/internal/platform/fault"
	"counterpart/internal/query/basket"
)

// instead is what they take instead, without empty lines.
func (t *taking) instead() (all []ExchangeLine) {
	for _, i := range t.Exchange {
		if i.VariantID != 0 && i.Quantity > 0 {
			all = append(all, i)
		}
	}
	return all
}

func (t *taking) here() basket.SaleContext {
	return basket.SaleContext{LocationID: t.at.LocationID, CarryOut: true, Again: t.again, Agreed: t.agreed}
}

// price puts what they take instead into a cart of its own, while the customer's open one stands aside, and asks what
// it costs: the same question as in every sale.
func (t *taking) price(ctx context.Context) error {
	if _, err := cart.SetAside(ctx, t.tx, t.person); err != nil {
		return err
	}
	id, err := cart.Open(ctx, t.tx, t.person, t.at.LocationID, t.at.Channel)
	if err != nil {
		return err
	}
	for _, i := range t.instead() {
		if err := cart.Add(ctx, t.tx, id, cart.NewLine{VariantID: i.VariantID, Quantity: i.Quantity,
			Channel: t.at.Channel, SoldAt: t.at.LocationID}); err != nil {
			return err
		}
	}
	b, err := basket.LoadAt(ctx, t.tx, t.person, t.here(), t.at.Language)
	if err != nil {
		return err
	}
	// What costs today what the returned cost then is had for what was paid for that: an exchange for the same price is
	// even, whatever promotion it was bought in.
	if t.agree(b); len(t.agreed) > 0 {
		if b, err = basket.LoadAt(ctx, t.tx, t.person, t.here(), t.at.Language); err != nil {
			return err
		}
	}
	if b.Quote.Currency != t.Currency {
		return fault.New(fault.Conflict,
			"It was paid in another currency, so it can’t be exchanged here. Refund it, then sell the replacement.")
	}
	t.Costs, t.rest, t.makes = b.Quote.Total, b.Tenders().Rest, b.Earns()
	return nil
}

// agree finds the lines of the exchange that are had for what was paid for as many returned units of the same price.
func (t *taking) agree(b *basket.Basket) {
	free := slices.Clone(t.units)
	t.agreed, t.same = map[int64]int64{}, 0
	for _, line := range b.Lines {
		var paired []unit
		rest := free[:0:0]
		for _, p := range free {
			// A price that was reduced because of what was wrong with it is not that of another one.
			same := p.Listed == line.UnitPrice && p.Allowed == 0 && !p.GiftCard && !line.GiftCard
			if same && len(paired) < line.Quantity && (len(paired) == 0 || paired[0].Paid == p.Paid) {
				paired = append(paired, p)
			} else {
				rest = append(rest, p)
			}
		}
		if len(paired) < line.Quantity || b.Quote.Currency != t.Currency {
			continue
		}
		if price, ok := priceOf(paired[0], line, b.Quote.TaxIncluded); ok {
			t.agreed[line.VariantID], free = price, rest
			for _, p := range paired {
				t.same += p.Points
			}
		}
	}
}

// priceOf is the price of the list that comes to what was paid for a unit. Where tax is added, there may be none: some
// totals no price comes to.
func priceOf(p unit, line basket.Line, taxIncluded bool) (int64, bool) {
	if taxIncluded {
		return p.Paid, true
	}
	for price := max(p.Paid-p.Tax-1, 0); price <= p.Paid-p.Tax+1; price++ {
		if price+line.Rate.OnTop(price) == p.Paid {
			return price, true
		}
	}
	return 0, false
}

// sell makes the order of what they take instead, paid by what came back and, where that is too little, by what they
// lay down.
func (t *taking) sell(ctx context.Context, exchange int64) (orderID int64, err error) {
	b, err := basket.LoadAt(ctx, t.tx, t.person, t.here(), t.at.Language)
	if err != nil {
		return 0, err
	}
	t.Due = b.Tenders().Rest - exchange
	placed, err := checkout.PlaceInTx(ctx, t.tx, t.at, checkout.Request{
		CustomerID: t.person, CartID: b.CartID, Expected: b.Quote.Total, Pay: t.Pay, Given: t.Given, Sure: t.Sure,
		Here: t.here(), Exchange: exchange,
	})
	if err != nil {
		return 0, err
	}
	t.Order, t.Change = placed.PublicID, placed.Change
	return placed.ID, cart.BringBack(ctx, t.tx, t.person)
}
