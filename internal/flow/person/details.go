package person

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"golang.org/x/text/language"

	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/location"
	"counterpart/internal/domain/origin"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/live"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/phone"
	"counterpart/internal/platform/text"
)

// DetailsForm is what somebody says of themselves. Store 0 is none.
type DetailsForm struct {
	Name     string
	Store    int64
	Language string
}

// SaveDetails keeps name, store and language of a person.
func SaveDetails(ctx context.Context, db pg.DB, person int64, d DetailsForm) error {
	var form fault.Form
	name := strings.Join(strings.Fields(d.Name), " ")
	if name == "" || utf8.RuneCountInString(name) > 100 || !utf8.ValidString(name) || strings.ContainsRune(name, 0) {
		form.Add("name", "Enter your name, up to 100 characters.")
	}
	shop, err := location.ShopOf(ctx, db)
	if err != nil {
		return err
	}
	if shop == nil || !slices.Contains(shop.Languages, d.Language) {
		form.Add("language", "Choose from the list.")
	}
	if d.Store != 0 {
		if store, err := location.ByID(ctx, db, d.Store); err != nil || store.Kind != "store" {
			form.Add("store", "Choose from the list.")
		}
	}
	if err := form.Err(); err != nil {
		return err
	}
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		if err := customer.LockActive(ctx, tx, person); err != nil {
			return err
		}
		if err := customer.Rename(ctx, tx, person, name); err != nil {
			return err
		}
		if err := customer.ChooseStore(ctx, tx, person, d.Store); err != nil {
			return err
		}
		if err := customer.SetLanguage(ctx, tx, person, d.Language); err != nil {
			return err
		}
		return live.Notify(ctx, tx, live.Customer(person))
	})
}

// Prefer keeps what somebody said they wear or like, to a colleague at a counter or in the browser; an empty value
// takes it back.
func Prefer(ctx context.Context, db pg.DB, at origin.Origin, person int64, name, value string) error {
	name, value = text.Clean(name, 60), text.Clean(value, 60)
	if name == "" {
		return fault.Field("size-name", "Enter what the size is for, such as “shoes”, “shirts” or “rings”.")
	}
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		if err := customer.LockActive(ctx, tx, person); err != nil {
			return err
		}
		if err := customer.Prefer(ctx, tx, person, name, value, at.Channel); err != nil {
			return err
		}
		return live.Notify(ctx, tx, live.Customer(person))
	})
}

// SaveAddress keeps an address as its country writes it: no name and no place is refused for its letters.
func SaveAddress(ctx context.Context, db pg.DB, person int64, a customer.Address) error {
	var form fault.Form
	if a.Name == "" {
		form.Add("name", "Enter the recipient’s name.")
	}
	if a.Lines = strings.TrimSpace(strings.ReplaceAll(a.Lines, "\r\n", "\n")); a.Lines == "" {
		form.Add("lines", "Enter the street address.")
	}
	if a.Town == "" {
		form.Add("town", "Enter the town or village.")
	}
	for field, value := range map[string]string{"name": a.Name, "town": a.Town, "region": a.Region,
		"postcode": a.Postcode, "phone": a.Phone} {
		if utf8.RuneCountInString(value) > 120 {
			form.Add(field, "That’s too long for a label. Use up to 120 characters.")
		}
	}
	if utf8.RuneCountInString(a.Lines) > 400 || strings.Count(a.Lines, "\n") > 4 {
		form.Add("lines", "That’s too long for a label. Use up to five lines.")
	}
	a.Country = strings.ToUpper(a.Country)
	if country, err := language.ParseRegion(a.Country); err != nil || len(a.Country) != 2 || !country.IsCountry() {
		form.Add("country", "Enter a two-letter country code, such as GB or LV.")
	}
	if a.Phone != "" {
		phone, ok := phone.Read(a.Phone, a.Country)
		if !ok {
			form.Add("phone", "Enter a valid phone number, such as 0113 496 0999.")
		}
		if ok {
			a.Phone = phone
		}
	}
	if err := form.Err(); err != nil {
		return err
	}
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		if err := customer.LockActive(ctx, tx, person); err != nil {
			return err
		}
		return customer.PutAddress(ctx, tx, person, a)
	})
}
