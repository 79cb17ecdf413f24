package work

import (
	"context"
	"fmt"
	"time"

	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/location"
	"counterpart/internal/domain/loyalty"
	"counterpart/internal/domain/message"
	"counterpart/internal/platform/money"
)

// warnOfPoints tells somebody at the addresses they have proven that points of theirs end; nothing where they have been
// spent since, or no longer end that day.
func warnOfPoints(ctx context.Context, t Tools, w loyalty.Warning) error {
	balance, err := loyalty.BalanceOf(ctx, t.DB, w.CustomerID)
	if err != nil || balance.EndsOn == nil || balance.EndsOn.Format(time.DateOnly) != w.EndsOn {
		return err
	}
	about, err := aboutPerson(ctx, t, w.CustomerID)
	if err != nil {
		return err
	}
	rates, err := loyalty.RatesOf(ctx, t.DB)
	if err != nil {
		return err
	}
	programme, err := loyalty.ReadProgramme(ctx, t.DB)
	if err != nil {
		return err
	}
	currency, err := location.CurrencyOf(ctx, t.DB, "")
	if err != nil {
		return err
	}
	_, _, addresses, err := customer.Contacts(ctx, t.DB, w.CustomerID, customer.Email)
	if err != nil {
		return err
	}
	subject, body := message.ComposePointsWarning(message.AboutPoints{AboutAccount: about, Ending: int(balance.Ending),
		EndsOn: *balance.EndsOn, Last: w.Last,
		Worth: money.New(rates.Value(balance.Ending, currency), currency), GraceDays: programme.GraceDays})
	for i, to := range addresses {
		if err := t.Sender.Send(ctx, t.DB, message.Mail{ID: fmt.Sprintf("points-%d-%s-%t-%d@counterpart", w.CustomerID, w.EndsOn, w.Last, i),
			Purpose: message.OfPoints, To: to, Person: w.CustomerID, Subject: subject, Text: body}); err != nil {
			return err
		}
	}
	return nil
}

// warnOfTier tells somebody until when they keep their tier, and what keeps it; nothing where they keep it longer by now.
func warnOfTier(ctx context.Context, t Tools, w loyalty.TierWarning) error {
	s, err := loyalty.StandingOf(ctx, t.DB, w.CustomerID)
	if err != nil || s == nil || s.KeptUntil == nil || s.KeptUntil.Format(time.DateOnly) != w.KeptUntil {
		return err
	}
	about, err := aboutPerson(ctx, t, w.CustomerID)
	if err != nil {
		return err
	}
	_, _, addresses, err := customer.Contacts(ctx, t.DB, w.CustomerID, customer.Email)
	if err != nil {
		return err
	}
	subject, body := message.ComposeTierWarning(about, s.Title, *s.KeptUntil, *s.EndsOn)
	for i, to := range addresses {
		if err := t.Sender.Send(ctx, t.DB, message.Mail{ID: fmt.Sprintf("tier-%d-%s-%d@counterpart", w.CustomerID, w.KeptUntil, i),
			Purpose: message.OfPoints, To: to, Person: w.CustomerID, Subject: subject, Text: body}); err != nil {
			return err
		}
	}
	return nil
}
