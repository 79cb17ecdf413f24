package settle

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/cart"
	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/giftcard"
	"counterpart/internal/domain/inventory"
	"counterpart/internal/domain/message"
	"counterpart/internal/domain/order"
	"counterpart/internal/domain/payment"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/jobs"
	"counterpart/internal/platform/live"
)

// Confirmed is what follows when an order is confirmed after it was placed: it is told, it shows in the queues, and
// gift cards go out. The order is locked.
func Confirmed(ctx context.Context, tx pgx.Tx, h *order.Held) error {
	rows, err := tx.Query(ctx, `
		SELECT DISTINCT location_id
		FROM fulfilment
		WHERE order_id = $1`, h.ID)
	if err != nil {
		return fmt.Errorf("list an order's places: %w", err)
	}
	places, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return err
	}
	batch := &pgx.Batch{}
	customer.Fact{CustomerID: h.CustomerID, Kind: customer.Bought, Channel: h.Channel, LocationID: h.LocationID,
		OrderID: h.ID}.Queue(batch)
	live.QueueNotify(batch, live.Customer(h.CustomerID))
	for _, place := range places {
		live.QueueNotify(batch, live.Queue(place))
	}
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("tell of an order: %w", err)
	}
	if err := tell(ctx, tx, h, message.MailConfirmed); err != nil {
		return err
	}
	return MailCards(ctx, tx, h)
}

func tell(ctx context.Context, tx pgx.Tx, h *order.Held, mail string) error {
	if h.Email == "" {
		return nil
	}
	return jobs.Insert(ctx, tx, message.OrderMail{OrderID: h.ID, Mail: mail})
}

func refundMail(h *order.Held, t *payment.Transfer) message.OrderMail {
	return message.OrderMail{OrderID: h.ID, Mail: message.MailRefunded, TransferID: t.ID}
}

// CardMail is the job of mailing a gift card.
type CardMail struct {
	CardID int64 `json:"card_id"`
}

func (CardMail) Kind() string { return "gift_card_mail" }

// MailCards makes the gift cards of a confirmed order and has them mailed: that is how they are handed over.
func MailCards(ctx context.Context, tx pgx.Tx, h *order.Held) error {
	rows, err := tx.Query(ctx, `
		SELECT f.id, l.id, u.n, l.unit_price, coalesce(nullif(l.note, ''), o.email)
		FROM fulfilment f
		JOIN orders o ON o.id = f.order_id
		JOIN order_line l ON l.fulfilment_id = f.id
		JOIN order_unit u ON u.order_line_id = l.id
		WHERE f.order_id = $1 AND f.method = 'mail' AND f.state = 'to_pick' AND u.state = 'open'
		ORDER BY l.id, u.n`, h.ID)
	if err != nil {
		return fmt.Errorf("list gift cards to mail: %w", err)
	}
	type piece struct {
		Part, Line int64
		N          int
		Amount     int64
		To         string
	}
	pieces, err := pgx.CollectRows(rows, pgx.RowToStructByPos[piece])
	if err != nil || len(pieces) == 0 {
		return err
	}
	for _, p := range pieces {
		id, err := giftcard.Make(ctx, tx, giftcard.New{Currency: h.Currency, Amount: p.Amount, OrderID: h.ID,
			OrderLineID: p.Line, N: p.N, Recipient: p.To, CustomerID: h.CustomerID})
		if err != nil {
			return err
		}
		if err := jobs.Insert(ctx, tx, CardMail{id}); err != nil {
			return err
		}
	}
	if _, err := order.MarkShipped(ctx, tx, pieces[0].Part, 0, "", ""); err != nil {
		return fmt.Errorf("mark gift cards as sent: %w", err)
	}
	return HandedOver(ctx, tx, h.ID, pieces[0].Part, h.CustomerID)
}

// keep makes an order's claims on stock last. Claims whose time was over are made again, where the shelves still have
// enough; false when they have not.
func keep(ctx context.Context, tx pgx.Tx, h *order.Held) (bool, error) {
	lines, err := order.OpenLines(ctx, tx, h.ID)
	if err != nil {
		return false, err
	}
	if err := inventory.ConfirmReservations(ctx, tx, lines); err != nil {
		return false, err
	}
	rows, err := tx.Query(ctx, `
		SELECT l.id AS order_line_id, l.variant_id, f.location_id, (count(*) - coalesce((SELECT sum(quantity)
			FROM reservation
			WHERE order_line_id = l.id AND released_at IS NULL), 0))::integer AS quantity,
				NULL::timestamptz AS expires_at, 0::bigint AS claimed
		FROM order_line l
		JOIN fulfilment f ON f.id = l.fulfilment_id
		JOIN order_unit u ON u.order_line_id = l.id
		WHERE l.id = ANY ($1) AND u.state = 'open' AND f.method <> 'mail' AND NOT l.without_stock
		GROUP BY l.id, f.location_id`, lines)
	if err != nil {
		return false, fmt.Errorf("look for lost claims: %w", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[inventory.Reservation])
	if err != nil {
		return false, fmt.Errorf("look for lost claims: %w", err)
	}
	var lost []inventory.Reservation
	for _, claim := range all {
		if claim.Quantity > 0 {
			lost = append(lost, claim)
		}
	}
	if len(lost) == 0 {
		return true, nil
	}
	short, err := inventory.Reserve(ctx, tx, nil, lost)
	return len(short) == 0, err
}

// CancelUnpaid cancels an order that will not be paid, or whose goods went while it was being paid, and puts what was
// in it into the customer's cart again. The customer and the order are locked.
func CancelUnpaid(ctx context.Context, tx pgx.Tx, h *order.Held) error {
	lines, err := order.OpenLines(ctx, tx, h.ID)
	if err != nil {
		return err
	}
	for _, line := range lines {
		if _, err := order.CancelUnits(ctx, tx, line, 1<<30); err != nil {
			return err
		}
	}
	if _, err := RefundCancelled(ctx, tx, h.ID); err != nil {
		return err
	}
	// What staff prepared was never in their cart.
	prepared, _, err := order.Prepared(ctx, tx, h.ID)
	if err != nil {
		return err
	}
	if !prepared {
		if err := again(ctx, tx, h); err != nil {
			return err
		}
	}
	if err := tell(ctx, tx, h, message.MailUnpaid); err != nil {
		return err
	}
	if err := live.Notify(ctx, tx, live.Customer(h.CustomerID)); err != nil {
		return err
	}
	return inventory.Release(ctx, tx, lines)
}

func again(ctx context.Context, tx pgx.Tx, h *order.Held) error {
	if h.CartID == 0 {
		return nil
	}
	root, err := customer.Root(ctx, tx, h.CustomerID)
	if err != nil {
		return err
	}
	into, err := cart.Open(ctx, tx, root, 0, h.Channel)
	if fault.Is(err, fault.NotFound) {
		return nil // They were forgotten meanwhile.
	}
	if err != nil {
		return err
	}
	return cart.Refill(ctx, tx, h.CartID, into)
}
