package checkout

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/location"
	"counterpart/internal/domain/quote"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/phone"
	"counterpart/internal/platform/postal"
	"counterpart/internal/platform/text"
	"counterpart/internal/query/basket"
)

type contact struct {
	name, email, phone, vat string
	to                      postal.Address
}

// checkContact says, field by field, what is missing. Whoever carries the goods out of the store need not say who they
// are.
func checkContact(r Request, b *basket.Basket) (contact, error) {
	var form fault.Form
	leaves := b.CarryOut && !b.Has(quote.Ship) && !b.Has(quote.Pickup) // all of it, now, in their hands
	c := contact{name: strings.Join(strings.Fields(text.Clean(r.Name, 1000)), " "), to: r.To}
	switch {
	case !strings.ContainsFunc(c.name, unicode.IsGraphic) && !leaves:
		form.Add("name", "Enter a name.")
	case utf8.RuneCountInString(c.name) > 100:
		form.Add("name", "That name is too long. Use up to 100 characters.")
	case !utf8.ValidString(c.name) || strings.ContainsRune(c.name, 0):
		form.Add("name", "That name has a character we can’t use.")
	}
	ok := true
	if strings.TrimSpace(r.Email) != "" {
		if c.email, ok = customer.NormalEmail(r.Email); !ok {
			form.Add("email", "Enter a valid email address, such as ada@example.com.")
		}
	} else if r.at.AssociateID == 0 || b.Has(basket.Mail) {
		form.Add("email", "Enter your email address.")
	}
	if strings.TrimSpace(r.Phone) != "" {
		country := b.Home.Country
		if b.Has(quote.Ship) {
			country = b.Country // the address that it stands beside
		}
		if c.phone, ok = phone.Read(r.Phone, country); !ok {
			form.Add("phone", "Enter a valid phone number, such as 0113 496 0999.")
		}
	} else if strings.TrimSpace(r.Email) == "" && r.at.AssociateID != 0 && !leaves {
		form.Add("phone", "Enter an email address or phone number, so we can tell them when it’s ready.")
	}
	if c.vat, ok = location.ReadVATNumber(text.Clean(r.VATNumber, 40)); !ok {
		form.Add("vat_number", "Enter a VAT number, such as GB123456789, or leave it empty.")
	}
	if b.Has(quote.Ship) {
		c.to.Name, c.to.Country = c.name, b.Country
		postal.Check(&c.to, &form)
	}
	return c, form.Err()
}
