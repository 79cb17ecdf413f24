// Package vouchers is the gift cards that the shop gives and stops; each in the audit trail, with why.
package vouchers

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/giftcard"
	"counterpart/internal/domain/location"
	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/policy"
	"counterpart/internal/domain/staff"
	"counterpart/internal/flow/settle"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/jobs"
	"counterpart/internal/platform/limit"
	"counterpart/internal/platform/money"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/text"
)

// Give makes a gift card and mails it. Above the refund limit only an admin may.
func Give(ctx context.Context, db pg.DB, at origin.Origin, amount money.Money, to, reason string, unlimited bool) (
	id int64, err error) {
	var form fault.Form
	email, ok := customer.NormalEmail(to)
	if !ok {
		form.Add("to", "Enter a valid email address, such as ada@example.com.")
	}
	reason, said := staff.Reason(reason)
	if !said {
		form.Add("reason", "Say why, in up to 200 characters.")
	}
	if err := Amount(ctx, db, amount, "amount", "currency", &form); err != nil {
		return 0, err
	}
	err = pg.InTx(ctx, db, func(tx pgx.Tx) error {
		if first, err := limit.Once(ctx, tx, fmt.Sprint(at.AssociateID, "gift card"), at.Form); err != nil || !first {
			return err
		}
		if err := Within(ctx, tx, at, amount, "amount", unlimited); err != nil {
			return err
		}
		if id, err = giftcard.Make(ctx, tx, giftcard.New{Currency: amount.Currency, Amount: amount.Minor,
			Recipient: email, AssociateID: at.AssociateID, Reason: reason}); err != nil {
			return err
		}
		if err := staff.Log(ctx, tx, staff.Entry{AssociateID: at.AssociateID, Action: "giftcard.given",
			Subject: "gift_card", SubjectID: id, Reason: reason, After: map[string]any{"amount": amount.Plain(),
				"currency": amount.Currency}}); err != nil {
			return err
		}
		return jobs.Insert(ctx, tx, settle.CardMail{CardID: id})
	})
	return id, err
}

// Amount adds to a form what is wrong with an amount that is to be given, and answers what is wrong with the whole form.
func Amount(ctx context.Context, db pg.DB, amount money.Money, field, currencyField string, form *fault.Form) error {
	takes, err := location.Takes(ctx, db, amount.Currency)
	if err != nil {
		return err
	}
	if !takes {
		form.Add(currencyField, "Choose from the list.")
	} else if amount.Minor < 1 || amount.Minor > money.MaxUnit {
		form.Add(field, "Enter an amount above zero, such as 10.")
	}
	return form.Err()
}

// Within counts an amount towards what an associate may give in a day, gift cards and credit together: as much as the
// refund limit of its currency. Who is unlimited may give any.
func Within(ctx context.Context, tx pgx.Tx, at origin.Origin, amount money.Money, field string, unlimited bool) error {
	if unlimited {
		return nil
	}
	most, err := policy.RefundLimit(ctx, tx, amount.Currency)
	if err != nil {
		return err
	}
	within, err := limit.Spend(ctx, tx, fmt.Sprint("given ", at.AssociateID, amount.Currency), amount.Minor, most.Minor)
	if err == nil && !within {
		err = fault.Field(field, "You can give up to {most} a day. Ask an admin.", text.Args{"most": most})
	}
	return err
}

// Disable stops a gift card for good, for a reason.
func Disable(ctx context.Context, db pg.DB, at origin.Origin, id int64, reason string) error {
	reason, said := staff.Reason(reason)
	if !said {
		return fault.Field("reason", "Say why, in up to 200 characters.")
	}
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		left, done, err := giftcard.Disable(ctx, tx, id)
		if err != nil {
			return err
		}
		if !done {
			return fault.New(fault.Conflict, "This gift card has been stopped already.")
		}
		return staff.Log(ctx, tx, staff.Entry{AssociateID: at.AssociateID, Action: "giftcard.disabled",
			Subject: "gift_card", SubjectID: id, Reason: reason, After: map[string]any{"left": left}})
	})
}
