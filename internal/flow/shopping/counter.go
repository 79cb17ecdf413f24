package shopping

import (
	"context"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/origin"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/phone"
)

// NewCustomer is what somebody says of themselves. Country is that of the store: a phone number is read as one of it.
type NewCustomer struct{ Name, Email, Phone, Country string }

// CreateCustomer makes the profile of somebody who stands at a counter or is on the phone: a way to reach them, a name
// if they say it, and a card.
func CreateCustomer(ctx context.Context, db pg.DB, at origin.Origin, n NewCustomer) (id int64, err error) {
	name, email, number, country := n.Name, n.Email, n.Phone, n.Country
	var form fault.Form
	name = strings.Join(strings.Fields(name), " ")
	if utf8.RuneCountInString(name) > 100 || !utf8.ValidString(name) || strings.ContainsRune(name, 0) {
		form.Add("name", "Enter the name, up to 100 characters.")
	}
	var identities []customer.Identity
	for _, typed := range []struct {
		kind, value, wrong string
		read               func() (string, bool)
	}{
		{customer.Email, email, "Enter a valid email address, such as ada@example.com.",
			func() (string, bool) { return customer.NormalEmail(email) }},
		{customer.Phone, number, "Enter a valid phone number, such as 0113 496 0999.",
			func() (string, bool) { return phone.Read(number, country) }},
	} {
		if strings.TrimSpace(typed.value) == "" {
			continue
		}
		value, ok := typed.read()
		if !ok {
			form.Add(typed.kind, typed.wrong)
		}
		identities = append(identities, customer.Identity{Kind: typed.kind, Value: value, Source: at.Channel})
	}
	if len(identities) == 0 {
		form.Add("phone", "Enter a phone number or email address, so we can tell them when it’s ready.")
	}
	if err := form.Err(); err != nil {
		return 0, err
	}
	err = pg.InTx(ctx, db, func(tx pgx.Tx) error {
		if id, err = customer.Create(ctx, tx, name, at.Language, at.Channel); err != nil {
			return err
		}
		if err := customer.Identify(ctx, tx, id, identities...); err != nil {
			return err
		}
		_, err = customer.IssueCard(ctx, tx, id)
		return err
	})
	return id, err
}
