package basket

import (
	"cmp"
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/location"
	"counterpart/internal/domain/quote"
	"counterpart/internal/domain/tax"
	"counterpart/internal/platform/pg"
)

// place says of every line where it comes from and whether there is enough.
func (l *loading) place() {
	l.CarryOut, l.Member, l.again = l.here.CarryOut, l.head.Member, l.here.Again
	if l.head.WalkIn && l.CarryOut {
		l.Rates.Rate = 0 // Nobody is promised points who could not be found again to spend them.
	}
	l.Stores = map[int64]*location.Location{}
	for i := range l.stores {
		l.Stores[l.stores[i].ID] = &l.stores[i]
	}
	l.Home = *l.Stores[l.Home.ID]
	if l.here.LocationID != 0 {
		l.head.StoreID = l.here.LocationID
	}
	l.Store = l.Stores[l.head.StoreID]
	l.From = l.sender()
	for i := range l.Lines {
		line := &l.Lines[i]
		if price, ok := l.here.Agreed[line.VariantID]; ok && !line.Gone {
			line.UnitPrice, line.Breaks, line.Agreed = price, nil, true
		}
		best := 0
		for _, at := range line.levels {
			best = max(best, at.Available)
			if at.Location == line.LocationID && line.Method != quote.Ship || line.Method == quote.Ship &&
				l.From != nil && at.Location == l.From.ID {
				line.Available = at.Available
			}
		}
		if line.LocationID == 0 && line.Method == quote.Pickup {
			line.Available = best
		}
		if line.Method == quote.Ship && l.From != nil {
			line.LocationID = l.From.ID
		}
		if line.Method == Mail {
			line.LocationID = l.Home.ID
		}
		line.Elsewhere = best >= line.Quantity && !line.Enough() && !line.Gone
	}
	grams, subtotal := 0, int64(0)
	for _, line := range l.Lines {
		if line.Method == quote.Ship {
			grams, subtotal = grams+line.Grams*line.Quantity, subtotal+line.UnitPrice*int64(line.Quantity)
		}
	}
	if l.From == nil || !l.Has(quote.Ship) {
		return
	}
	for _, m := range l.methods {
		for _, country := range m.Countries {
			if !slices.Contains(l.Countries, country) {
				l.Countries = append(l.Countries, country)
			}
		}
		if !slices.Contains(m.Countries, l.Country) {
			continue
		}
		if _, taxed := rateAt(l.sums, l.Country, l.Region); !taxed {
			continue
		}
		if charge, ok := m.Charge(grams, subtotal); ok {
			if m.ID != 0 && l.here.Together == (Parcel{m.ID, l.From.ID, l.Country}) {
				charge = 0
			}
			way := Way{Method: m, Charge: charge}
			way.From, way.By = m.Arrives(l.Now.In(l.From.Zone()), l.From.Shut)
			l.Ways = append(l.Ways, way)
		}
	}
	slices.SortStableFunc(l.Ways, func(a, b Way) int {
		return cmp.Or(cmp.Compare(a.Position, b.Position), cmp.Compare(a.Charge, b.Charge), cmp.Compare(a.ID, b.ID))
	})
	for i := range l.Ways {
		if l.Way == nil || l.Ways[i].ID == l.head.DeliveryID {
			l.Way = &l.Ways[i]
		}
	}
}

// sender is the place that sends the cart: the one that has most of its lines in full, so that it travels in one
// parcel; of those a warehouse before a store.
func (l *loading) sender() (best *location.Location) {
	most := -1
	for i := range l.stores {
		at := &l.stores[i]
		if !at.Ship || at.Currency != l.Home.Currency {
			continue
		}
		full := 0
		for _, line := range l.Lines {
			if line.Method == quote.Ship && line.Untracked {
				full++
			}
			for _, level := range line.levels {
				if line.Method == quote.Ship && level.Location == at.ID && level.Available >= line.Quantity {
					full++
				}
			}
		}
		if full > most || full == most && at.Kind == "warehouse" && best.Kind != "warehouse" {
			best, most = at, full
		}
	}
	return best
}

// price computes the quote.
func (l *loading) price() {
	in := quote.Input{Now: l.Now, Shopper: l.head.Shopper, Promotions: l.promotions,
		Place: quote.Place{Currency: l.Home.Currency, TaxIncluded: l.Home.TaxIncluded, Zone: l.Home.Zone()}}
	for _, line := range l.Lines {
		in.Items = append(in.Items, line.item())
	}
	if l.Way != nil {
		rate, _ := rateAt(l.sums, l.Country, l.Region) // place offers no way without one
		in.Deliveries = []quote.Delivery{{Charge: l.Way.Charge, Rate: rate}}
	}
	l.giveable(&in)
	l.Quote = quote.Price(in)
	for _, line := range l.Quote.Lines[len(l.Lines):] {
		for _, gift := range l.gifts {
			if gift.VariantID == line.VariantID {
				gift.Method, gift.LocationID, gift.Rate = line.Method, line.LocationID, line.Rate
				l.Gifts = append(l.Gifts, gift.Line)
				break
			}
		}
	}
}

func (line *Line) item() quote.Item {
	return quote.Item{VariantID: line.VariantID, ProductID: line.ProductID, Categories: line.Categories,
		Tags: line.Tags, Quantity: line.Quantity, UnitPrice: line.UnitPrice,
		Breaks: line.Breaks, Rate: line.Rate, Method: line.Method, LocationID: line.LocationID,
		LikeMoney: line.GiftCard, Settled: line.Agreed}
}

// giveable adds the gifts that are in stock where the first goods of the cart come from: that is how they travel.
func (l *loading) giveable(in *quote.Input) {
	i := slices.IndexFunc(l.Lines, func(line Line) bool { return line.Method != Mail && line.LocationID != 0 })
	if i < 0 {
		return
	}
	with := l.Lines[i]
	kept := l.gifts[:0]
	for _, gift := range l.gifts {
		if gift.Currency != l.Home.Currency || gift.TaxIncluded != l.Home.TaxIncluded {
			continue
		}
		left := 0
		for _, at := range gift.Levels {
			if at.Location == with.LocationID {
				left = at.Available
			}
		}
		for _, line := range l.Lines {
			if line.VariantID == gift.VariantID && line.LocationID == with.LocationID && !l.CarryOut {
				left -= line.Quantity
			}
		}
		rate, taxed := rateAt(gift.Rates, with.Rate.Country, with.Rate.Region)
		if left < 1 || !taxed {
			continue
		}
		gift.Method, gift.LocationID, gift.Rate = with.Method, with.LocationID, rate
		kept = append(kept, gift)
		item := gift.item()
		item.Quantity = left
		in.Gifts = append(in.Gifts, item)
	}
	l.gifts = kept
}

// rateAt is the rate of a region, else its country's. False where nobody has written one: that is not the same as a
// rate of nothing.
func rateAt(rates []tax.Rate, country, region string) (found tax.Rate, ok bool) {
	for _, r := range rates {
		if r.Country == country && (r.Region == region || r.Region == "" && !ok) {
			found, ok = r, true
		}
	}
	return found, ok
}

// Simulate prices a customer's open cart as if one promotion more were live: what an admin looks at before it is. Nil
// when there is no cart.
func Simulate(ctx context.Context, db pg.DB, customerID int64, p quote.Promotion, language string) (*Basket, error) {
	l, err := read(ctx, db, &pgx.Batch{}, asked{customerID: customerID, language: language, tried: p.Effect.Variant})
	if err != nil || l == nil {
		return nil, err
	}
	l.promotions = append(slices.DeleteFunc(l.promotions, func(other quote.Promotion) bool { return other.ID == p.ID }),
		p)
	l.place()
	l.price()
	return l.Basket, nil
}
