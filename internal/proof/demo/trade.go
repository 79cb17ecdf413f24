package demo

import (
	"context"
	"time"

	"counterpart/internal/domain/catalog"
	"counterpart/internal/domain/delivery"
	"counterpart/internal/domain/gallery"
	"counterpart/internal/domain/giftcard"
	"counterpart/internal/domain/promotion"
	"counterpart/internal/domain/quote"
	"counterpart/internal/platform/jobs"
)

// trade is how the demo sells: deliveries, gift cards, and promotions of several kinds.
func (l *loader) trade(ctx context.Context) error {
	for i, m := range []delivery.Method{
		{Name: "Standard delivery", Countries: []string{"GB"}, Currency: "GBP", Carrier: "Parcel Post", MinDays: 2,
			MaxDays: 3, Rates: rates(395, 1495, 7500)},
		{Name: "Next working day", Countries: []string{"GB"}, Currency: "GBP", Carrier: "Swift & Sons", MinDays: 1,
			MaxDays: 1, Rates: []delivery.Rate{{MaxGrams: 10_000, Charge: 795}}},
		{Name: "Delivery abroad", Countries: []string{"IE", "DE", "FR", "NL"}, Currency: "GBP", Carrier: "Parcel Post",
			MinDays: 4, MaxDays: 7, Rates: []delivery.Rate{{MaxGrams: 10_000, Charge: 1250}}},
		{Name: "Piegāde", Countries: []string{"LV", "LT", "EE", "DE", "PL", "FI"}, Currency: "EUR",
			Carrier: "Baltijas pasts", MinDays: 2, MaxDays: 4, Rates: rates(450, 1690, 8500)},
		{Name: "Ground delivery", Countries: []string{"US"}, Currency: "USD", Carrier: "Parcel Post", MinDays: 3,
			MaxDays: 5, Rates: rates(595, 2495, 9900)},
	} {
		m.Cutoff, m.Position, m.Active = 14*60, i, true
		if err := delivery.Save(ctx, l.tx, &m); err != nil {
			return err
		}
	}
	if err := l.giftCards(ctx); err != nil {
		return err
	}
	return l.promotions(ctx)
}

// rates is a charge, one for what is heavy, and nothing from an amount on.
func rates(light, heavy, freeFrom int64) []delivery.Rate {
	return []delivery.Rate{{MaxGrams: 10_000, Charge: light}, {MaxGrams: 10_000, FromSubtotal: freeFrom},
		{MaxGrams: 60_000, Charge: heavy}}
}

func (l *loader) giftCards(ctx context.Context) error {
	original, err := l.original(giftObject)
	if err != nil {
		return err
	}
	p := catalog.Product{
		Slug: "gift-card", Title: "Gift card", Language: "en", Brand: new(Name), Status: new("active"),
		Options: []string{"Worth"}, Tags: []string{},
		Description: new("They choose. You get the credit. Arrives by email within a minute, can be spent online or in any of our stores, all at once or bit by bit, and never expires."),
		Categories: []catalog.Category{{Path: []string{"Home & Living",
			"Gifts"}}}, Pictures: []catalog.Picture{{Source: giftObject, Original: original, Alt: "Gift card"}},
	}
	for _, worth := range []struct {
		sku, name string
		minor     int64
	}{{"GIFT-10", "10", 1000}, {"GIFT-25", "25", 2500}, {"GIFT-50", "50", 5000}, {"GIFT-100", "100", 10000}} {
		p.Variants = append(p.Variants, catalog.Variant{SKU: worth.sku, Options: []string{worth.name}, TaxClass: "zero",
			Picture: giftObject,
			Prices: []catalog.Price{{Currency: "GBP", TaxIncluded: true, Amount: worth.minor},
				{Currency: "EUR", TaxIncluded: true, Amount: worth.minor}, {Currency: "USD", Amount: worth.minor}}})
	}
	put, err := catalog.Put(ctx, l.tx, p)
	if err != nil {
		return err
	}
	for _, id := range put.Undrawn {
		if err := jobs.Insert(ctx, l.tx, gallery.Job{PictureID: id}); err != nil {
			return err
		}
	}
	for _, id := range put.Variants {
		if err := catalog.LikeMoney(ctx, l.tx, id); err != nil {
			return err
		}
	}
	// One to try with, whose code stands in the guide to the demo.
	id, err := giftcard.Make(ctx, l.tx, giftcard.New{Currency: "GBP", Amount: 5000})
	if err != nil {
		return err
	}
	code, err := giftcard.Code(ctx, l.tx, id)
	l.card = code
	return err
}

func (l *loader) promotions(ctx context.Context) error {
	var mug, teapot int64
	err := l.tx.QueryRow(ctx,
		`SELECT (SELECT id FROM product WHERE slug = 'morning-mug'), (SELECT id FROM product WHERE slug = 'harbour-teapot')`).Scan(&mug, &teapot)
	if err != nil {
		return err
	}
	everything := []quote.Level{quote.LineLevel, quote.OrderLevel, quote.ShippingLevel}
	soon := time.Now().AddDate(0, 0, 12).Truncate(24 * time.Hour)
	for _, p := range []struct {
		promotion.Promotion
		code string
		live bool
	}{
		{promotion.Promotion{Title: "Buy two mugs, get a third half price", Priority: 10,
			Rule: quote.Rule{Products: []int64{mug}, Effect: quote.Effect{Kind: quote.BuyGet, Buy: 2, Get: 1,
				Percent: 5000}}}, "", true},
		{promotion.Promotion{Title: "Free standard delivery",
			Rule: quote.Rule{Currency: "GBP", Subtotal: 5000, Methods: []string{quote.Ship},
				Effect: quote.Effect{Kind: quote.CheaperDelivery, Percent: 10000}}}, "", true},
		{promotion.Promotion{Title: "Tea for two", Priority: 5,
			Rule: quote.Rule{Currency: "GBP", Products: []int64{mug, teapot},
				Effect: quote.Effect{Kind: quote.Bundle, Amount: 5000}}}, "", true},
		{promotion.Promotion{Title: "Welcome: 10% off", MaxPerCustomer: new(1), Exclusion: "codes",
			Rule: quote.Rule{FirstOrder: true, Effect: quote.Effect{Kind: quote.Percent,
				Percent: 1000}}}, "WELCOME10", true},
		{promotion.Promotion{Title: "£5 off", MaxUses: new(500), Budget: new(int64(250_000)), Exclusion: "codes",
			Rule: quote.Rule{Currency: "GBP", Subtotal: 4000,
				Effect: quote.Effect{Kind: quote.Amount, Amount: 500}}}, "FERN5", true},
		{promotion.Promotion{Title: "Gold: double points", Rule: quote.Rule{Tiers: []string{"Gold"},
			Effect: quote.Effect{Kind: quote.Points, Times: 2}}}, "", true},
		{promotion.Promotion{Title: "Spend more, save more", StartsAt: &soon,
			Rule: quote.Rule{Currency: "GBP", Effect: quote.Effect{Kind: quote.TieredSpend,
				Steps: []quote.Step{{From: 10000, Amount: 1000}, {From: 20000, Percent: 1500}}}}}, "", true},
		{promotion.Promotion{Title: "Free candle with large orders",
			Rule: quote.Rule{Currency: "GBP", Subtotal: 15000,
				Effect: quote.Effect{Kind: quote.Gift, Variant: l.variantOf("Beeswax candle")}}}, "", false},
	} {
		p.Combines, p.NeedsCode = everything, p.code != ""
		if err := promotion.Save(ctx, l.tx, &p.Promotion, 0); err != nil {
			return err
		}
		if p.code != "" {
			if err := promotion.AddCode(ctx, l.tx, promotion.Coupon{PromotionID: p.ID, Code: p.code}); err != nil {
				return err
			}
		}
		if p.live {
			if err := promotion.Move(ctx, l.tx, p.ID, promotion.Live); err != nil {
				return err
			}
		}
	}
	return nil
}

func (l *loader) variantOf(title string) int64 {
	for _, v := range l.variants {
		if v.title == title {
			return v.id
		}
	}
	panic("demo: no " + title)
}
