// Package settle keeps an order's money in step with the order: what is promised when it is placed, taken when goods
// are handed over, and given back when they are cancelled or return.
package settle

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/credit"
	"counterpart/internal/domain/giftcard"
	"counterpart/internal/domain/loyalty"
	"counterpart/internal/domain/order"
	"counterpart/internal/domain/payment"
	"counterpart/internal/domain/promotion"
	"counterpart/internal/platform/jobs"
)

// Job asks a gateway for a transfer that was written down.
type Job struct {
	TransferID int64 `json:"transfer_id"`
}

func (Job) Kind() string { return "transfer" }

// DocumentsJob has an order's documents brought in step with it.
type DocumentsJob struct {
	OrderID int64 `json:"order_id"`
}

func (DocumentsJob) Kind() string { return "documents" }

// atGateway are the kinds of tender that somebody else takes for us.
func atGateway(kind string) bool { return kind == payment.Card || kind == payment.PayLater }

// held are the kinds that are set aside when the order is placed, and taken when it is paid.
func held(kind string) bool {
	return kind == payment.GiftCard || kind == payment.Credit || kind == payment.Points
}

// HandedOver is what follows for the money when a part of an order was handed over or sent: the whole order is paid
// now, and the part's points are earned. The order is locked.
func HandedOver(ctx context.Context, tx pgx.Tx, orderID, fulfilmentID, customerID int64) error {
	if err := CapturePayment(ctx, tx, orderID); err != nil {
		return err
	}
	points, err := order.EarnedBy(ctx, tx, fulfilmentID)
	if err != nil {
		return err
	}
	if err := loyalty.Earn(ctx, tx, customerID, points, orderID); err != nil {
		return err
	}
	return loyalty.Moved(ctx, tx, customerID)
}

// CapturePayment takes the money of an order that is authorised. Where a gateway holds a part of it, it is asked, and
// the rest follows its answer.
func CapturePayment(ctx context.Context, tx pgx.Tx, orderID int64) error {
	h, err := order.LockOrder(ctx, tx, orderID)
	if err != nil || h.PaymentState != order.Authorised {
		return err
	}
	owing, byPoints, err := order.AmountOwed(ctx, tx, orderID)
	if err != nil {
		return err
	}
	tenders, err := payment.Tenders(ctx, tx, orderID)
	if err != nil {
		return err
	}
	take := parts(tenders, owing, byPoints)
	for i, t := range tenders {
		if !atGateway(t.Kind) || t.Authorised == 0 {
			continue
		}
		if take[i] > 0 {
			return ask(ctx, tx, payment.Transfer{PaymentID: t.PaymentID, TenderID: t.ID, Kind: payment.ToCapture,
				Amount: take[i]})
		}
		// What was set aside pays all that is left: the gateway may let its promise go.
		if err := ask(ctx, tx, payment.Transfer{PaymentID: t.PaymentID, TenderID: t.ID, Kind: payment.ToVoid,
			Amount: t.Authorised}); err != nil {
			return err
		}
	}
	return SetPaid(ctx, tx, h, tenders, take)
}

// RecordTender records money that was taken at the counter for an order that was to be paid there, with what was set
// aside for it. The order is locked.
func RecordTender(ctx context.Context, tx pgx.Tx, orderID int64, taken payment.New) error {
	h, err := order.LockOrder(ctx, tx, orderID)
	if err != nil {
		return err
	}
	tenders, err := payment.Tenders(ctx, tx, orderID)
	if err != nil {
		return err
	}
	owing, byPoints, err := order.AmountOwed(ctx, tx, orderID)
	if err != nil {
		return err
	}
	if taken.Amount > 0 {
		taken.Captured = true
		batch := &pgx.Batch{}
		payment.Queue(batch, orderID, taken)
		if err := tx.SendBatch(ctx, batch).Close(); err != nil {
			return fmt.Errorf("take a payment: %w", err)
		}
	}
	return SetPaid(ctx, tx, h, tenders, parts(tenders, owing, byPoints))
}

// ask writes a transfer down with the job that carries it out.
func ask(ctx context.Context, tx pgx.Tx, t payment.Transfer) error {
	id, err := payment.RequestTransfer(ctx, tx, t)
	if err != nil || id == 0 {
		return err
	}
	return jobs.Insert(ctx, tx, Job{id})
}

// parts is how much of each tender an order takes: in points what its units were paid with in points, and of the others
// the oldest first.
func parts(tenders []payment.Tender, owing, byPoints int64) []int64 {
	take := make([]int64, len(tenders))
	rest := owing - byPoints
	for i, t := range tenders {
		if t.Kind == payment.Points {
			take[i] = min(t.Authorised, byPoints)
			continue
		}
		take[i] = min(t.Authorised, rest)
		rest -= take[i]
	}
	return take
}

// SetPaid takes what was set aside, gives back what of it is not needed any more, and says that the order is paid. What
// a gateway took is on its tender already.
func SetPaid(ctx context.Context, tx pgx.Tx, h *order.Held, tenders []payment.Tender, take []int64) error {
	for i, t := range tenders {
		if !held(t.Kind) {
			continue
		}
		if err := payment.Capture(ctx, tx, t.ID, take[i]); err != nil {
			return err
		}
		if err := restore(ctx, tx, h, &tenders[i], t.Authorised-take[i]); err != nil {
			return err
		}
	}
	if err := payment.EndPayAtPickup(ctx, tx, h.ID); err != nil {
		return err
	}
	if err := order.SetPayment(ctx, tx, h.ID, order.Paid); err != nil {
		return err
	}
	h.PaymentState = order.Paid
	return jobs.Insert(ctx, tx, DocumentsJob{h.ID})
}

// restore puts a part of what was set aside back where it came from, before it was taken. It answers nothing about
// points: those of a tender go back in proportion, the last of them with the last of its amount.
func restore(ctx context.Context, tx pgx.Tx, h *order.Held, t *payment.Tender, amount int64) error {
	if amount == 0 {
		return nil
	}
	switch t.Kind {
	case payment.GiftCard:
		return giftcard.Restore(ctx, tx, t.GiftCardID, amount, h.ID)
	case payment.Credit:
		return credit.Give(ctx, tx, credit.Grant{CustomerID: h.CustomerID, Currency: h.Currency, Amount: amount,
			Cause: "restored", OrderID: h.ID})
	case payment.Points:
		// What is never taken is given back as if it were refunded: the tender keeps count of it.
		points := t.Points * amount / t.Authorised
		if err := payment.PointsBack(ctx, tx, t.ID, points); err != nil {
			return err
		}
		return givePoints(ctx, tx, h, points)
	}
	return nil
}

func givePoints(ctx context.Context, tx pgx.Tx, h *order.Held, points int64) error {
	if points == 0 {
		return nil
	}
	return loyalty.Restore(ctx, tx, h.CustomerID, points, h.ID)
}

// VoidPayment gives up an order's money before any of it was taken: what was set aside goes back, a gateway is told,
// and its promotions can be used again.
func VoidPayment(ctx context.Context, tx pgx.Tx, h *order.Held) error {
	tenders, err := payment.Tenders(ctx, tx, h.ID)
	if err != nil {
		return err
	}
	for i, t := range tenders {
		if held(t.Kind) {
			if err := restore(ctx, tx, h, &tenders[i], t.Authorised); err != nil {
				return err
			}
		}
	}
	if err := payment.EndPayAtPickup(ctx, tx, h.ID); err != nil {
		return err
	}
	a, err := payment.LastAttempt(ctx, tx, h.ID)
	if err != nil {
		return err
	}
	if a != nil && (a.State == payment.Started && a.Reference != "" || a.State == payment.Authorised) {
		if err := ask(ctx, tx, payment.Transfer{PaymentID: a.ID, Kind: payment.ToVoid, Amount: a.Amount}); err != nil {
			return err
		}
	}
	if err := order.SetPayment(ctx, tx, h.ID, order.Void); err != nil {
		return err
	}
	h.PaymentState = order.Void
	return nil
}

// RefundCancelled brings the money in line after units were cancelled: an order of which nothing is left is given up, a
// paid one gives back what its units cost. What is only promised is asked for later, and less of it. The order is
// locked.
func RefundCancelled(ctx context.Context, tx pgx.Tx, orderID int64) (gone bool, err error) {
	if gone, err = order.Settle(ctx, tx, orderID); err != nil {
		return false, err
	}
	h, err := order.LockOrder(ctx, tx, orderID)
	if err != nil {
		return false, err
	}
	switch {
	case h.PaymentState == order.Paid:
		_, err = RefundExcess(ctx, tx, h, Back{})
	case gone && h.PaymentState != order.Void:
		err = VoidPayment(ctx, tx, h)
	}
	if err == nil && gone {
		err = promotion.Release(ctx, tx, orderID)
	}
	return gone, err
}

// Back says how an excess goes back. Without an associate nobody can hand out cash: then it becomes credit.
type Back struct {
	ReturnID    int64
	AssociateID int64
	AsCredit    bool  // the customer takes credit instead of money
	Exchange    int64 // so much pays what they took instead
	Nameless    bool  // nobody could find them again: what an exchange paid is cash, for credit would be lost
}

// RefundExcess gives back what an order took beyond what it costs now: in points what its units were paid with in
// points, and of the others the newest first. It answers what goes back how. The order is locked and paid.
func RefundExcess(ctx context.Context, tx pgx.Tx, h *order.Held, back Back) (refunds []payment.Refund, err error) {
	if _, err := order.RefundDelivery(ctx, tx, h.ID); err != nil {
		return nil, err
	}
	owing, byPoints, err := order.AmountOwed(ctx, tx, h.ID)
	if err != nil {
		return nil, err
	}
	tenders, err := payment.Tenders(ctx, tx, h.ID)
	if err != nil {
		return nil, err
	}
	refunds, err = Plan(tenders, owing, byPoints, back)
	if err != nil {
		return nil, fmt.Errorf("order %d: %w", h.ID, err)
	}
	if err := jobs.Insert(ctx, tx, DocumentsJob{h.ID}); err != nil {
		return nil, err
	}
	for _, r := range refunds {
		transfer, err := r.Give(ctx, tx)
		if err != nil {
			return nil, err
		}
		switch r.How {
		case payment.Card, payment.PayLater:
			err = jobs.Insert(ctx, tx, Job{transfer})
		case payment.GiftCard:
			i := slices.IndexFunc(tenders, func(t payment.Tender) bool { return t.ID == r.TenderID })
			err = giftcard.Restore(ctx, tx, tenders[i].GiftCardID, r.Amount, h.ID)
		case payment.Credit:
			err = credit.Give(ctx, tx, credit.Grant{CustomerID: h.CustomerID, Currency: h.Currency, Amount: r.Amount,
				Cause: "refunded", OrderID: h.ID, AssociateID: back.AssociateID})
		case payment.Points:
			err = givePoints(ctx, tx, h, r.Points)
		}
		if err != nil {
			return nil, err
		}
	}
	return refunds, nil
}

// Plan says what goes back how, without doing it: a return shows it before it is confirmed.
func Plan(tenders []payment.Tender, owing, byPoints int64, back Back) (refunds []payment.Refund, err error) {
	excess := -owing
	for _, t := range tenders {
		excess += t.Captured - t.Refunded
	}
	exchange := back.Exchange
	for i := len(tenders) - 1; i >= 0 && excess > 0; i-- {
		if t := tenders[i]; t.Kind == payment.Points {
			if part := min(t.Captured-t.Refunded-byPoints, excess); part > 0 {
				// Points in proportion, rounded down; the last of them go back with the last of the amount.
				points := t.Points*(t.Authorised-t.Captured+t.Refunded+part)/t.Authorised - t.PointsBack
				refunds, excess = append(refunds, payment.Refund{TenderID: t.ID, ReturnID: back.ReturnID,
					How: payment.Points, Amount: part, Points: points, AssociateID: back.AssociateID}), excess-part
			}
		}
	}
	for i := len(tenders) - 1; i >= 0 && excess > 0; i-- {
		t := tenders[i]
		part := min(t.Captured-t.Refunded, excess)
		if t.Kind == payment.Points || part <= 0 {
			continue
		}
		excess -= part
		if swapped := min(part, exchange); swapped > 0 {
			refunds = append(refunds, payment.Refund{TenderID: t.ID, ReturnID: back.ReturnID, How: payment.Exchange,
				Amount: swapped, AssociateID: back.AssociateID})
			exchange, part = exchange-swapped, part-swapped
		}
		if part == 0 {
			continue
		}
		r := payment.Refund{TenderID: t.ID, ReturnID: back.ReturnID, How: t.Kind, Amount: part,
			AssociateID: back.AssociateID}
		switch {
		case t.Kind == payment.Exchange && back.Nameless && back.AssociateID != 0:
			r.How = payment.Cash
		case back.AsCredit, t.Kind == payment.Exchange, back.AssociateID == 0 &&
			(t.Kind == payment.Cash || t.Kind == payment.Terminal):
			r.How = payment.Credit
		case atGateway(t.Kind):
			r.PaymentID = t.PaymentID
		}
		refunds = append(refunds, r)
	}
	if excess != 0 {
		return nil, fmt.Errorf("%d more would go back than was taken", excess)
	}
	return refunds, nil
}
