package shop

import (
	"slices"

	"counterpart/internal/domain/promotion"
	"counterpart/internal/domain/quote"
)

// Offer is what one unit costs whoever looks, by the same quote as a cart's, and why that is less than the price list
// says.
type Offer struct {
	Pays    int64    // with what the price list says where nothing applies; without tax where that comes on top
	List    int64    // what the price list says
	Why     []string // titles of the promotions that are in it
	Member  bool     // a members' price is in it
	Own     bool     // a price for a segment that they are in
	Members int64    // what members would pay, where that is less; else 0
	More    []string // titles of promotions that it is part of, once there is more in the cart
}

// Less says whether it costs less than the price list says.
func (o Offer) Less() bool { return o.Pays < o.List }

// facts are what promotions may ask of whoever looks.
type facts struct {
	shopper quote.Shopper
	barred  []int64 // promotions that they used as often as one may
}

// priced is what a quote has to know of one unit, as a statement answers it.
type priced struct {
	Product    int64         `json:"product"`
	Tags       []string      `json:"tags"`
	Categories []int64       `json:"categories"`
	Breaks     []quote.Break `json:"breaks"`
}

// quoteOne prices one unit for the visit, collected at its store.
func (v *Visit) quoteOne(variantID, amount int64, giftCard bool, p priced, open []promotion.Promotion) Offer {
	item := quote.Item{VariantID: variantID, ProductID: p.Product, Categories: p.Categories, Tags: p.Tags,
		Breaks: p.Breaks, Quantity: 1, UnitPrice: amount, Method: quote.Pickup, LocationID: v.Store.ID,
		LikeMoney: giftCard}
	in := quote.Input{Place: quote.Place{Currency: v.Store.Currency, TaxIncluded: v.Store.TaxIncluded,
		Zone: v.Store.Zone()}, Now: v.At, Shopper: v.facts.shopper, Items: []quote.Item{item}}
	for _, one := range open {
		if !slices.Contains(v.facts.barred, one.ID) {
			in.Promotions = append(in.Promotions, one.InQuote())
		}
	}
	q := quote.Price(in)
	o := Offer{Pays: q.Sum - q.Discount, List: amount, Member: q.Lines[0].UnitPrice < amount && in.Shopper.Member}
	if o.Own = slices.ContainsFunc(p.Breaks, func(b quote.Break) bool {
		return b.Segment != 0 && b.Amount == q.Lines[0].UnitPrice && b.Amount < amount
	}); o.Own {
		o.Member = false
	}
	for _, d := range q.Discounts {
		if d.Level != quote.ShippingLevel {
			o.Why = append(o.Why, d.Promotion.Title)
		}
	}
	for _, miss := range q.Missed {
		if miss.Near && miss.Promotion.About(&item) {
			o.More = append(o.More, miss.Promotion.Title)
		}
	}
	if !in.Shopper.Member && slices.ContainsFunc(p.Breaks, func(b quote.Break) bool { return b.Members }) {
		in.Shopper.Member = true
		if members := quote.Price(in); members.Sum-members.Discount < o.Pays {
			o.Members = members.Sum - members.Discount
		}
	}
	return o
}

// quoteCards prices the cards of a page.
func (v *Visit) quoteCards(cards []Card, open []promotion.Promotion) {
	for i := range cards {
		c := &cards[i]
		c.Offer = v.quoteOne(c.Variant, c.From, c.ByMail, c.Priced, open)
	}
}
