package checkout

import (
	"cmp"
	"slices"
	"time"

	"counterpart/internal/domain/order"
	"counterpart/internal/domain/payment"
	"counterpart/internal/domain/quote"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/money"
	"counterpart/internal/platform/text"
	"counterpart/internal/query/basket"
)

// tenders are how an order is paid when it is placed.
type tenders struct {
	parts   basket.Tenders
	all     []payment.New
	attempt int64 // for a gateway, when the order is there
	change  int64
	state   string // of the order's payment
}

// pay parts the total among what the shopper put towards it and the way they chose for the rest.
func pay(b *basket.Basket, r Request) (t tenders, err error) {
	t.parts = b.Tenders()
	rest := t.parts.Rest - r.Exchange
	if r.Rest != nil && *r.Rest != t.parts.Rest {
		return t, fault.New(fault.Conflict,
			"A gift card, points or credit have since been spent elsewhere. There’s now {rest} left to pay; it was {before}.",
			text.Args{"rest": b.Quote.In(t.parts.Rest), "before": b.Quote.In(*r.Rest)})
	}
	if rest < 0 {
		return t, fault.New(fault.Conflict, "The return is worth more than this costs.")
	}
	now := true // it is here, all of it
	switch {
	case rest == 0:
	case r.Pay == payment.Card || r.Pay == payment.PayLater:
		if r.Gateway == "" {
			return t, fault.Field("pay", "We can’t take cards at the moment. Choose another payment method.")
		}
		t.attempt, t.state, now = rest, order.Pending, false
	case r.Pay == payment.PayAtPickup:
		if b.Has(quote.CarryOut) {
			return t, fault.Field("pay", "Items leaving the store have to be paid for now. Choose a payment method.")
		}
		if b.Prepaid() {
			return t, fault.Field("pay",
				"This order has to be paid now, because part of it is delivered, emailed or collected from another store. Choose a payment method.")
		}
		t.all, t.state, now = append(t.all, payment.New{Kind: payment.PayAtPickup, Amount: rest}), order.Due, false
	case r.at.AssociateID != 0 && r.Pay == payment.Terminal:
		t.all = append(t.all, payment.New{Kind: payment.Terminal, Amount: rest, Captured: true,
			AssociateID: r.at.AssociateID})
	case r.at.AssociateID != 0 && r.Pay == payment.Cash:
		if r.Given > money.MaxUnit || r.Given < 0 {
			return t, fault.Field("given", "That amount is too high. Please check it.")
		}
		if !r.Sure && !money.Likely(r.Given, rest, b.Quote.Currency) {
			return t, unlikely(b.Quote.In(r.Given), b.Quote.In(rest))
		}
		cash := min(r.Given, rest)
		if cash < rest && !r.Split {
			return t, fault.Field("given", "{missing} short: {due} is due.",
				text.Args{"missing": b.Quote.In(rest - cash), "due": b.Quote.In(rest)})
		}
		if cash > 0 {
			t.all = append(t.all, payment.New{Kind: payment.Cash, Amount: cash, Captured: true, Given: r.Given,
				AssociateID: r.at.AssociateID})
		}
		if cash < rest {
			t.all = append(t.all, payment.New{Kind: payment.Terminal, Amount: rest - cash, Captured: true,
				AssociateID: r.at.AssociateID})
		}
		t.change = r.Given - cash
	default:
		return t, fault.Field("pay", "Choose a payment method.")
	}
	if now {
		t.state = order.Paid
	}
	set := []payment.New{}
	if t.parts.Points > 0 {
		set = append(set, payment.New{Kind: payment.Points, Amount: t.parts.PointsValue, Points: t.parts.Points,
			Captured: now})
	}
	for _, part := range t.parts.Cards {
		set = append(set, payment.New{Kind: payment.GiftCard, Amount: part.Amount, GiftCardID: part.Card.ID,
			Captured: now})
	}
	if t.parts.Credit > 0 {
		set = append(set, payment.New{Kind: payment.Credit, Amount: t.parts.Credit, Captured: now})
	}
	if r.Exchange > 0 {
		set = append(set, payment.New{Kind: payment.Exchange, Amount: r.Exchange, Captured: true,
			AssociateID: r.at.AssociateID})
	}
	t.all = append(set, t.all...)
	return t, nil
}

// unlikely asks whether so much cash was really given.
func unlikely(given, due money.Money) error {
	return fault.Field("sure", "That would be {change} change. Did they really give you {given}?",
		text.Args{"change": money.New(given.Minor-due.Minor, due.Currency), "given": given})
}

// language in which an order's mails and papers are: the profile's of whoever has an account or is served by staff, who
// have a language of their own, else that of the page.
func language(r Request, b *basket.Basket) string {
	if b.Member || r.at.AssociateID != 0 {
		return b.Language
	}
	return r.at.Language
}

// frozen is the order with everything that is frozen in it.
func frozen(r Request, who contact, b *basket.Basket, t tenders) (order.New, error) {
	q := &b.Quote
	n := order.New{
		CartID: b.CartID, CustomerID: r.CustomerID, Channel: r.at.Channel, AssociateID: r.at.AssociateID,
		Currency: q.Currency, TaxIncluded: q.TaxIncluded, Language: language(r, b),
		PaymentState: t.state, Sum: q.Sum, Discount: q.Discount, Shipping: q.Shipping, Tax: q.Tax, Total: q.Total,
		Name: who.name, Email: who.email, Phone: who.phone, VATNumber: who.vat, TermsID: r.TermsID,
	}
	if t.attempt != 0 {
		until := time.Now().Add(cmp.Or(r.Hold, Hold))
		n.HoldUntil = &until
	}
	if err := parts(&n, r, who, b); err != nil {
		return n, err
	}
	byPoints, earned := q.AllocatePoints(t.parts.PointsValue, b.Rates.Rate)
	all := append(slices.Clone(b.Lines), b.Gifts...)
	for i, priced := range q.Lines {
		line := all[i]
		nl := order.NewLine{
			Part: partOf(&n, line), VariantID: line.VariantID, SKU: line.SKU, Title: line.Title, Options: line.Choice(),
			Quantity: priced.Quantity, UnitPrice: priced.UnitPrice, ListPrice: priced.ListPrice,
			Amount: priced.Amount, Discount: priced.Discount, Tax: priced.Tax, TaxName: priced.Rate.Name,
			TaxPPM: priced.Rate.PPM, Gift: priced.Gift, Note: line.Note,
			// What is carried out once it is paid on the customer's own phone is in their hands: nothing has to be kept
			// for it.
			WithoutStock: line.WithoutStock() && !priced.Gift || line.Method == quote.CarryOut && t.attempt != 0,
		}
		for k, unit := range priced.Units {
			nl.Units = append(nl.Units, order.Unit{Paid: unit.Paid, Tax: unit.Tax, Discount: unit.Discount,
				ByPoints: byPoints[i][k], Points: earned[i][k]})
		}
		n.Lines = append(n.Lines, nl)
	}
	for _, d := range q.Discounts {
		nd := order.Discount{PromotionID: d.Promotion.ID, Level: string(d.Level), Title: d.Promotion.Title,
			Code: d.Promotion.Code, Amount: d.Amount}
		if d.Level != quote.ShippingLevel {
			for _, s := range d.Shares {
				nd.Shares = append(nd.Shares, order.Share{Line: s.Line, N: s.N, Amount: s.Amount})
			}
		}
		n.Discounts = append(n.Discounts, nd)
	}
	return n, nil
}

// parts groups the lines by how and where they are handed over.
func parts(n *order.New, r Request, who contact, b *basket.Basket) error {
	for _, line := range b.Lines {
		if partOf(n, line) >= 0 {
			continue
		}
		p := order.NewFulfilment{Method: line.Method, LocationID: line.LocationID}
		switch line.Method {
		case quote.Pickup:
			store := b.Stores[line.LocationID]
			readyBy, open := store.ReadyBy(b.Now.Add(later(b, line)))
			if !open {
				return fault.New(fault.Conflict, "{store} has no opening hours. Choose another store.",
					text.Args{"store": store.Name})
			}
			p.ReadyBy = &readyBy
		case quote.Ship:
			priced := b.Quote.Deliveries[0]
			from, by := b.Way.From.Add(later(b, line)), b.Way.By.Add(later(b, line))
			p.DeliveryID, p.Carrier, p.From, p.By = b.Way.ID, b.Way.Carrier, &from, &by
			p.To = order.Address{Name: who.to.Name, Lines: who.to.Lines, Town: who.to.Town, Region: who.to.Region,
				Postcode: who.to.Postcode, Country: who.to.Country}
			p.Charge, p.Discount, p.Paid, p.Tax, p.TaxName, p.TaxPPM = priced.Charge, priced.Discount, priced.Paid, priced.Tax, priced.Rate.Name, priced.Rate.PPM
		}
		n.Parts = append(n.Parts, p)
	}
	n.LocationID = cmp.Or(r.Store, n.Parts[0].LocationID)
	return nil
}

// BackOrderTime is how much later something is promised that is not there yet.
const BackOrderTime = 14 * 24 * time.Hour

// later is how much later a part is promised than one that is in stock: a line of it has to come first.
func later(b *basket.Basket, part basket.Line) time.Duration {
	for _, line := range b.Lines {
		if line.Method == part.Method && line.LocationID == part.LocationID && line.WithoutStock() && !line.Untracked {
			return BackOrderTime
		}
	}
	return 0
}

func partOf(n *order.New, line basket.Line) int {
	return slices.IndexFunc(n.Parts, func(p order.NewFulfilment) bool {
		return p.Method == line.Method &&
			p.LocationID == line.LocationID
	})
}

// inOrder are discounts in the order in which their promotions are claimed: everybody's the same.
func inOrder(all []quote.Discount) []quote.Discount {
	sorted := slices.Clone(all)
	slices.SortFunc(sorted, func(a, b quote.Discount) int { return cmp.Compare(a.Promotion.ID, b.Promotion.ID) })
	return sorted
}

// nameOf is what a shopper knows a discount by.
func nameOf(d quote.Discount) text.Message {
	if d.Promotion.Code != "" {
		return text.M("{code}", text.Args{"code": d.Promotion.Code})
	}
	return text.M("“{title}”", text.Args{"title": d.Promotion.Title})
}
