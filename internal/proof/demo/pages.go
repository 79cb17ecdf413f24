package demo

import (
	"context"

	"counterpart/internal/domain/editorial"
)

// written are the demo's own pages: kind, then title and text in English and in Latvian.
var written = []struct{ kind, title, body, titul, teksts string }{
	{editorial.Terms, "Terms and conditions", `Aldous & Fern is a made-up shop: nothing here is really for sale.

## Your order

Your order is placed when you see its number. We charge your card when we send your parcel or when you collect.

## Prices

Prices include VAT. What you see in your cart is what you pay.

## Changing your mind

You may return what you bought within 30 days, in any of our stores. See [Returns](/pages/returns).`,
		"Noteikumi", `Aldous & Fern ir izdomāts veikals: šeit nekas netiek pārdots pa īstam.

## Jūsu pasūtījums

Pasūtījums ir pieņemts, kad redzat tā numuru. Karti debetējam, kad nosūtām sūtījumu vai kad jūs to saņemat veikalā.

## Cenas

Cenās ir iekļauts PVN. Jūs maksājat tik, cik redzat grozā.`},
	{editorial.Privacy, "Privacy notice", `We keep what we need to sell to you: your name, how to reach you, and what you bought.

- We use it for your orders, returns and points.
- We write to you about offers only if you said yes, and you can say no at any time.
- You can have a copy of everything, or have it erased, under [Your details](/account/details).`,
		"Privātuma paziņojums", `Mēs glabājam tikai to, kas vajadzīgs, lai jums pārdotu: vārdu, saziņas veidu un pirkumus.

- To lietojam pasūtījumiem, atgriešanai un punktiem.
- Par piedāvājumiem rakstām tikai tad, ja esat piekritis.`},
	{editorial.Delivery, "Delivery", `Standard delivery takes two to three working days. Orders placed before 14:00 leave the same day.

Collection from our stores is free. We write to you when your order is ready.`,
		"Piegāde", `Piegāde notiek divu līdz trīs darba dienu laikā. Saņemšana veikalā ir bez maksas.`},
	{editorial.Returns, "Returns", `Bring it back to any of our stores within 30 days, with your order number or the card you paid with.

We refund the way you paid. It takes up to five working days to reach your account.`,
		"Atgriešana", `Atnesiet preci uz jebkuru mūsu veikalu 30 dienu laikā. Naudu atmaksājam tā, kā maksājāt.`},
	{editorial.Accessibility, "Accessibility statement", `We want everybody to be able to shop here, and work to WCAG 2.2 at level AA.

Every page works with a keyboard and a screen reader, at 400 % zoom, and in dark mode. If something gets in your way, tell us in any store.`,
		"Piekļūstamības paziņojums", `Mēs vēlamies, lai šeit var iepirkties ikviens, un ievērojam WCAG 2.2 AA līmeni.`},
	{editorial.About, "About us", `Aldous & Fern sells things for the house from eight stores and this shop. It is the demonstration of Counterpart.`,
		"Par mums", `Aldous & Fern pārdod preces mājai. Tas ir Counterpart paraugveikals.`},
}

// pages writes them.
func (l *loader) pages(ctx context.Context) error {
	for _, w := range written {
		d := editorial.Draft{Kind: w.kind, Slug: w.kind, InFooter: true, Language: "en", Title: w.title, Body: w.body}
		id, err := editorial.Save(ctx, l.tx, editorial.Draft{}, d, 0)
		if err != nil {
			return err
		}
		d.ID, d.Language, d.Title, d.Body = id, "lv", w.titul, w.teksts
		if _, err := editorial.Save(ctx, l.tx, editorial.Draft{}, d, 0); err != nil {
			return err
		}
	}
	return nil
}
