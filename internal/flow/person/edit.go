package person

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/credit"
	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/location"
	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/staff"
	"counterpart/internal/flow/vouchers"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/limit"
	"counterpart/internal/platform/live"
	"counterpart/internal/platform/merge"
	"counterpart/internal/platform/money"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/phone"
	"counterpart/internal/platform/text"
)

// Fields are what the admin edits of a person, as a form has it.
func Fields(ctx context.Context, db pg.DB, id int64) (map[string]string, error) {
	row, err := pg.Row[struct{ Name, Language, Company, VATNumber string }](db.Query(ctx, `
		SELECT name, language, company, vat_number
		FROM customer
		WHERE id = $1 AND merged_into IS NULL AND erased_at IS NULL`, id))
	if err != nil {
		return nil, fmt.Errorf("read a person's details: %w", err)
	}
	if row == nil {
		return nil, nil
	}
	return map[string]string{"name": row.Name, "language": row.Language, "company": row.Company,
		"vat_number": row.VATNumber}, nil
}

// check tidies a form up and says, field by field, what is wrong with it.
func check(f map[string]string, languages []string, form *fault.Form) map[string]string {
	tidy := map[string]string{"name": strings.Join(strings.Fields(text.Clean(f["name"], 101)), " "),
		"language": f["language"], "company": text.Clean(f["company"], 121)}
	if utf8.RuneCountInString(tidy["name"]) > 100 {
		form.Add("name", "That’s too long. Use up to {most} characters.", text.Args{"most": 100})
	}
	if utf8.RuneCountInString(tidy["company"]) > 120 {
		form.Add("company", "That’s too long. Use up to {most} characters.", text.Args{"most": 120})
	}
	if !slices.Contains(languages, tidy["language"]) {
		form.Add("language", "Choose from the list.")
	}
	number, ok := location.ReadVATNumber(f["vat_number"])
	if !ok {
		form.Add("vat_number", "Enter a VAT number, such as GB123456789.")
	}
	tidy["vat_number"] = number
	return tidy
}

// Edit merges a form onto a person's details.
func Edit(ctx context.Context, db pg.DB, at origin.Origin, id int64, edit merge.Edit) error {
	var languages []string
	if err := pg.Ask(ctx, db, location.Languages(&languages)); err != nil {
		return err
	}
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		if err := customer.LockActive(ctx, tx, id); err != nil {
			return err
		}
		now, err := Fields(ctx, tx, id)
		if err != nil {
			return err
		}
		merged, both := edit.Onto(now)
		if err := merge.Conflict(both); err != nil {
			return err
		}
		var form fault.Form
		after := check(merged, languages, &form)
		if err := form.Err(); err != nil {
			return err
		}
		_, is := merge.Changes(now, after)
		if len(is) == 0 {
			return nil
		}
		if err := customer.SetDetails(ctx, tx, id, customer.Details{Name: after["name"], Language: after["language"],
			Company: after["company"], VATNumber: after["vat_number"]}); err != nil {
			return err
		}
		line := entry(at, "customer.changed", id)
		line.LocationID, line.After = 0, merge.Fields(is)
		if err := staff.Log(ctx, tx, line); err != nil {
			return err
		}
		return live.Notify(ctx, tx, live.Customer(id))
	})
}

// New is somebody whom the admin writes down.
type New struct {
	Fields  map[string]string // name, language, company, vat_number, email, phone
	Country string            // where a phone number without a code is from
}

// Add writes somebody down. What somebody has proven already belongs to them, and is said.
func Add(ctx context.Context, db pg.DB, at origin.Origin, n New) (id int64, err error) {
	var languages []string
	if err := pg.Ask(ctx, db, location.Languages(&languages)); err != nil {
		return 0, err
	}
	var form fault.Form
	f := check(n.Fields, languages, &form)
	if f["name"] == "" {
		form.Add("name", "Enter a name, up to {most} characters.", text.Args{"most": 100})
	}
	var known []customer.Identity
	for _, kind := range []string{customer.Email, customer.Phone} {
		typed := strings.TrimSpace(n.Fields[kind])
		if typed == "" {
			continue
		}
		value, ok := customer.NormalEmail(typed)
		if kind == customer.Phone {
			value, ok = phone.Read(typed, n.Country)
		}
		if !ok {
			form.Add(kind, map[string]string{customer.Email: "Enter a valid email address, such as ada@example.com.",
				customer.Phone: "Enter a phone number, such as 0113 496 0000."}[kind])
			continue
		}
		owner, err := customer.ByVerified(ctx, db, kind, value)
		if err != nil {
			return 0, err
		}
		if owner != 0 {
			form.Add(kind, "There is a customer with this already. Find them in the list.")
		}
		known = append(known, customer.Identity{Kind: kind, Value: value, Source: at.Channel})
	}
	if err := form.Err(); err != nil {
		return 0, err
	}
	err = pg.InTx(ctx, db, func(tx pgx.Tx) error {
		if first, err := limit.Once(ctx, tx, fmt.Sprint(at.AssociateID, "customer"), at.Form); err != nil || !first {
			return err
		}
		if id, err = customer.Create(ctx, tx, f["name"], f["language"], at.Channel); err != nil {
			return err
		}
		if err := customer.SetDetails(ctx, tx, id, customer.Details{Name: f["name"], Language: f["language"],
			Company: f["company"], VATNumber: f["vat_number"]}); err != nil {
			return err
		}
		if err := customer.Identify(ctx, tx, id, known...); err != nil {
			return err
		}
		line := entry(at, "customer.added", id)
		line.LocationID = 0
		return staff.Log(ctx, tx, line)
	})
	return id, err
}

// GiveCredit gives somebody credit to spend with the shop, for a reason. Above the refund limit only an admin may.
func GiveCredit(ctx context.Context, db pg.DB, at origin.Origin, id int64, amount money.Money, reason string,
	unlimited bool) error {
	var form fault.Form
	reason, said := staff.Reason(reason)
	if !said {
		form.Add("credit_reason", "Say why, in up to 200 characters.")
	}
	if err := vouchers.Amount(ctx, db, amount, "credit_amount", "credit_currency", &form); err != nil {
		return err
	}
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		if err := customer.LockActive(ctx, tx, id); err != nil {
			return err
		}
		if first, err := limit.Once(ctx, tx, fmt.Sprint(at.AssociateID, "credit", id), at.Form); err != nil || !first {
			return err
		}
		if err := vouchers.Within(ctx, tx, at, amount, "credit_amount", unlimited); err != nil {
			return err
		}
		if err := credit.Give(ctx, tx, credit.Grant{CustomerID: id, Currency: amount.Currency, Amount: amount.Minor,
			Cause: "given", AssociateID: at.AssociateID}); err != nil {
			return err
		}
		line := entry(at, "customer.credit", id)
		line.LocationID, line.Reason = 0, reason
		line.After = map[string]any{"amount": amount.Plain(), "currency": amount.Currency}
		if err := staff.Log(ctx, tx, line); err != nil {
			return err
		}
		return live.Notify(ctx, tx, live.Customer(id))
	})
}

// SaveAddressFor keeps an address in somebody's book for them.
func SaveAddressFor(ctx context.Context, db pg.DB, at origin.Origin, id int64, a customer.Address) error {
	if err := SaveAddress(ctx, db, id, a); err != nil {
		return renamedFields(err)
	}
	return changed(ctx, db, at, "customer.address", id, nil)
}

// DropAddressFor takes an address out of somebody's book for them.
func DropAddressFor(ctx context.Context, db pg.DB, at origin.Origin, id, addressID int64) error {
	if err := customer.DropAddress(ctx, db, id, addressID); err != nil {
		return err
	}
	return changed(ctx, db, at, "customer.address", id, map[string]any{"removed": addressID})
}

func changed(ctx context.Context, db pg.DB, at origin.Origin, action string, id int64, after map[string]any) error {
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		line := entry(at, action, id)
		line.LocationID, line.After = 0, after
		return staff.Log(ctx, tx, line)
	})
}

// renamedFields has the fields of an address stand apart from those of the person on the same page.
func renamedFields(err error) error {
	f := fault.As(err)
	if f == nil {
		return err
	}
	for _, field := range []string{"name", "phone"} {
		if message, ok := f.Fields[field]; ok {
			f.Fields["to_"+field] = message
			delete(f.Fields, field)
		}
	}
	return f
}
