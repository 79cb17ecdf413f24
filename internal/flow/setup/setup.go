// Package setup is the first day of a shop: its name, its first store, and the person who runs it.
package setup

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/catalog"
	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/location"
	"counterpart/internal/domain/staff"
	"counterpart/internal/domain/tax"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/geo"
	"counterpart/internal/platform/money"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/secret"
	"counterpart/internal/platform/text"
)

// Country where a first store can be. Rate is its standard rate of value added tax in parts per million; where tax is
// added, the rate is the place's own and has to be given.
type Country struct {
	Code, Name, Currency, Zone, Tax string
	Included                        bool
	Rate                            int64
}

// Countries as of November 2026, by the member states' published standard rates.
var Countries = []Country{
	{"GB", "United Kingdom", "GBP", "Europe/London", "VAT", true, 200_000},
	{"IE", "Ireland", "EUR", "Europe/Dublin", "VAT", true, 230_000},
	{"LV", "Latvia", "EUR", "Europe/Riga", "PVN", true, 210_000},
	{"LT", "Lithuania", "EUR", "Europe/Vilnius", "PVM", true, 210_000},
	{"PL", "Poland", "PLN", "Europe/Warsaw", "VAT", true, 230_000},
	{"CZ", "Czechia", "CZK", "Europe/Prague", "DPH", true, 210_000},
	{"DE", "Germany", "EUR", "Europe/Berlin", "MwSt.", true, 190_000},
	{"FR", "France", "EUR", "Europe/Paris", "TVA", true, 200_000},
	{"US", "United States", "USD", "America/New_York", "Sales tax", false, 0},
}

// Label is a country as the form lists it.
func (c Country) Label(ctx context.Context) string {
	if c.Included {
		return text.T(ctx, "{country}: {currency}, prices include tax",
			text.Args{"country": c.Name, "currency": c.Currency})
	}
	return text.T(ctx, "{country}: {currency}, tax is added", text.Args{"country": c.Name, "currency": c.Currency})
}

// Language that a shop can have.
type Language struct{ Code, Name string }

// Languages that product texts can be written in. Pages are read in those of them that have sentences, see text.Languages.
var Languages = []Language{{"en", "English"}, {"lv", "Latviešu"}, {"pl", "Polski"}, {"ru", "Русский"},
	{"cs", "Čeština"}, {"az", "Azərbaycanca"}, {"de", "Deutsch"}, {"fr", "Français"}}

// Request is what the set-up asks for.
type Request struct {
	Shop                                   string
	Languages                              []string
	Store, Street, Town, Postcode, Country string
	Rate                                   string // percent, or empty
	LegalName, Address, Company, VAT       string // who sells: what invoices say
	Name, Email, Password                  string
}

// OpenShop makes the shop, its first store and its first admin; where there is a shop already it does nothing and says
// so.
func OpenShop(ctx context.Context, db pg.DB, r Request) error {
	country, rate, email, err := check(r)
	if err != nil {
		return err
	}
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		fresh, err := location.CreateShop(ctx, tx, location.Shop{Name: strings.TrimSpace(r.Shop),
			Languages: r.Languages, SecondFactor: true})
		if err != nil {
			return err
		}
		if !fresh {
			return fault.New(fault.Conflict, "This shop has already been set up. Sign in instead.")
		}
		if err := tax.Set(ctx, tx, tax.Rate{Country: country.Code, Class: "standard",
			Name: fmt.Sprintf("%s %s%%", country.Tax, percent(rate)), PPM: rate}); err != nil {
			return err
		}
		// What is zero-rated is sold at 0 % because somebody wrote so, not because nobody did.
		if err := tax.Set(ctx, tx, tax.Rate{Country: country.Code, Class: "zero", Name: "Zero rate"}); err != nil {
			return err
		}
		if err := location.SetSeller(ctx, tx, 0, seller(r)); err != nil {
			return err
		}
		if err := catalog.OpenPriceList(ctx, tx, country.Currency, country.Included); err != nil {
			return err
		}
		store := firstStore(r, country)
		if err := location.Create(ctx, tx, store); err != nil {
			return err
		}
		admin := staff.Associate{Name: strings.TrimSpace(r.Name), Email: email, Role: staff.RoleAdmin,
			Locations: []int64{store.ID}}
		return staff.Create(ctx, tx, &admin, r.Password)
	})
}

func check(r Request) (country Country, rate int64, email string, err error) {
	var form fault.Form
	named := func(field, value, sentence string) {
		value = strings.TrimSpace(value)
		if value == "" || utf8.RuneCountInString(value) > 80 || strings.ContainsRune(value, 0) ||
			!utf8.ValidString(value) {
			form.Add(field, sentence)
		}
	}
	named("shop", r.Shop, "Enter the name of your shop, up to 80 characters.")
	named("store", r.Store, "Enter the name of the store, up to 80 characters.")
	named("town", r.Town, "Enter the town.")
	named("name", r.Name, "Enter your name, up to 80 characters.")
	if catalog.Slug(r.Store) == "" {
		form.Add("store", "The name needs at least one letter or digit.")
	}
	for field, value := range map[string]string{"street": r.Street, "postcode": r.Postcode} {
		if utf8.RuneCountInString(value) > 120 || strings.ContainsRune(value, 0) || !utf8.ValidString(value) {
			form.Add(field, "That doesn’t fit on a receipt. Use up to 120 characters.")
		}
	}
	for _, code := range r.Languages {
		if !slices.ContainsFunc(Languages, func(l Language) bool { return l.Code == code }) {
			form.Add("language", "Choose from the list.")
		}
	}
	if !slices.Contains(r.Languages, "en") {
		form.Add("language", "For now English has to be one of them: it’s the fallback language.")
	}
	i := slices.IndexFunc(Countries, func(c Country) bool { return c.Code == r.Country })
	if i < 0 {
		form.Add("country", "Choose a country from the list.")
		i = 0
	}
	country = Countries[i]
	rate = country.Rate
	if r.Rate != "" {
		var err error
		if rate, err = money.ParsePercent(r.Rate); err != nil || rate > 500_000 {
			form.Add("rate", "Enter the rate as a percentage from 0 to 50, such as 8.875.")
		}
	} else if !country.Included {
		form.Add("rate", "Tax is added here at a local rate. Enter it as a percentage.")
	}
	email, ok := customer.NormalEmail(r.Email)
	if !ok {
		form.Add("email", "Enter a valid email address, such as ada@example.com.")
	}
	who := seller(r)
	location.CheckSeller(&who, true, &form)
	if weak := secret.Weak(r.Password); weak != "" {
		form.Add("password", weak)
	}
	return country, rate, email, form.Err()
}

// seller is who sells; without an address of its own it sits in its first store.
func seller(r Request) location.Seller {
	s := location.Seller{LegalName: r.LegalName, Address: r.Address, CompanyNumber: r.Company, VATNumber: r.VAT}
	if strings.TrimSpace(s.Address) == "" {
		s.Address = strings.TrimSpace(r.Street + "\n" + strings.TrimSpace(r.Town+" "+r.Postcode))
	}
	return s
}

func percent(ppm int64) string { return strconv.FormatFloat(float64(ppm)/10_000, 'f', -1, 64) }

// firstStore is open on weekdays from nine to six with two hours to prepare, until somebody says otherwise.
func firstStore(r Request, c Country) *location.Location {
	place, _ := geo.Find(r.Postcode)
	if place.Name == "" {
		place, _ = geo.Find(r.Town)
	}
	l := &location.Location{
		Code: "S1", Slug: catalog.Slug(r.Store), Kind: "store", Name: strings.TrimSpace(r.Store),
		Street: strings.TrimSpace(r.Street), Town: strings.TrimSpace(r.Town),
		Postcode: strings.TrimSpace(r.Postcode), Country: c.Code, Latitude: place.Latitude, Longitude: place.Longitude,
		TimeZone: c.Zone,
		Currency: c.Currency, TaxIncluded: c.Included, Pickup: true, Ship: true, TakesReturns: true,
	}
	for weekday := 1; weekday <= 6; weekday++ {
		l.Hours = append(l.Hours, location.Hours{Weekday: weekday, Opens: 9 * 60, Closes: 18 * 60, Preparation: 120})
	}
	return l
}
