// Package vouchers is the gift cards that the shop gives and stops; each in the audit trail, with why.
package vouchers

import (
	"context"
	"fmt"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/giftcard"
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
	if reason = text.Clean(reason, 201); reason == "" || utf8.RuneCountInString(reason) > 200 {
		form.Add("reason", "Say why, in up to 200 characters.")
	}
	if amount.Minor < 1 || amount.Minor > money.MaxUnit {
		form.Add("amount", "Enter an amount above zero, such as 10.")
	}
	most, err := policy.RefundLimit(ctx, db, amount.Currency)
	if err != nil {
		return 0, err
	}
	if err := form.Err(); err != nil {
		return 0, err
	}
	err = pg.InTx(ctx, db, func(tx pgx.Tx) error {
		if first, err := limit.Once(ctx, tx, fmt.Sprint(at.AssociateID, "gift card"), at.Form); err != nil || !first {
			return err
		}
		if !unlimited {
			within, err := limit.Spend(ctx, tx, fmt.Sprint("given ", at.AssociateID, amount.Currency), amount.Minor, most.Minor)
			if err != nil {
				return err
			}
			if !within {
				return fault.Field("amount", "You can give up to {most} a day. Ask an admin.", text.Args{"most": most})
			}
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

// Disable stops a gift card for good, for a reason.
func Disable(ctx context.Context, db pg.DB, at origin.Origin, id int64, reason string) error {
	if reason = text.Clean(reason, 201); reason == "" || utf8.RuneCountInString(reason) > 200 {
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
