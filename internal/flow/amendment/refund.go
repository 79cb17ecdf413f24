package amendment

import (
	"context"
	"crypto/rand"
	"slices"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/message"
	"counterpart/internal/domain/order"
	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/payment"
	"counterpart/internal/domain/staff"
	"counterpart/internal/flow/settle"
	"counterpart/internal/flow/vouchers"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/jobs"
	"counterpart/internal/platform/live"
	"counterpart/internal/platform/money"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/text"
)

// Refund is what goes back of an order although nothing comes back.
type Refund struct {
	Amount    string // as it was typed
	LineID    int64  // of this line alone
	Delivery  bool   // of the deliveries alone
	Reason    string
	Unlimited bool // whoever asks may give back any amount
}

// GiveBack refunds a part of what a paid order cost, to where the money came from, for a reason. What its units cost is
// less by it from then on: a return gives back the rest. Whoever is not unlimited gives up to the refund limit a day.
func GiveBack(ctx context.Context, db pg.DB, at origin.Origin, orderID int64, r Refund) error {
	reason, said := staff.Reason(r.Reason)
	return act(ctx, db, at, orderID, "order.refunded", func(tx pgx.Tx, h *order.Held) (e staff.Entry, err error) {
		if h.PaymentState != order.Paid {
			return e, fault.New(fault.Conflict,
				"The payment hasn’t been taken yet, so there’s nothing to refund. Cancel units instead.")
		}
		var form fault.Form
		amount, err := money.Parse(r.Amount, h.Currency)
		if err != nil || amount.Minor < 1 {
			form.Add("amount", "Enter an amount above zero, such as 10.")
		}
		if !said {
			form.Add("reason", "Say why, in up to 200 characters.")
		}
		if err := form.Err(); err != nil {
			return e, err
		}
		all, err := order.Reducibles(ctx, tx, orderID)
		if err != nil {
			return e, err
		}
		all = slices.DeleteFunc(all, func(one order.Reducible) bool {
			return r.LineID != 0 && one.LineID != r.LineID || r.Delivery && one.LineID != 0
		})
		most := int64(0)
		for _, one := range all {
			most += one.Most
		}
		if amount.Minor > most {
			return e, fault.Field("amount", "You can refund up to {most} of this.",
				text.Args{"most": money.New(most, h.Currency)})
		}
		if err := vouchers.Within(ctx, tx, at, amount, "amount", r.Unlimited); err != nil {
			return e, err
		}
		if err := order.Allow(ctx, tx, orderID, at.AssociateID, amount.Minor, all); err != nil {
			return e, err
		}
		// Nobody stands at a drawer: what was paid in store becomes credit, where the customer can be found again.
		refunds, err := settle.RefundExcess(ctx, tx, h, settle.Back{})
		if err != nil {
			return e, err
		}
		if slices.ContainsFunc(refunds, func(r payment.Refund) bool { return r.How == payment.Credit }) {
			found, err := customer.CanBeFound(ctx, tx, h.CustomerID)
			if err != nil {
				return e, err
			}
			if !found {
				return e, fault.New(fault.Conflict,
					"This was paid in store, so it goes back as store credit, and nobody could find this customer’s. Add their email or phone to their profile first.")
			}
		}
		// What goes through a gateway is told when it has taken it.
		if h.Email != "" && !slices.ContainsFunc(refunds, func(r payment.Refund) bool { return r.PaymentID != 0 }) {
			if err := jobs.Insert(ctx, tx, message.OrderMail{OrderID: orderID, Mail: message.MailReduced,
				Again: rand.Text()[:8]}); err != nil {
				return e, err
			}
		}
		return staff.Entry{After: map[string]any{"amount": amount.Plain(), "currency": h.Currency}, Reason: reason},
			live.Notify(ctx, tx, live.Customer(h.CustomerID))
	})
}
