package order

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/origin"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/text"
)

// Fulfilment states.
const (
	Unpaid    = "waiting"   // for the payment
	Undecided = "undecided" // for the shopper, who chooses what becomes of what was not found
	ToPick    = "to_pick"
	Ready     = "ready"
	Collected = "collected"
	Shipped   = "shipped"
	Gone      = "cancelled"
)

// Fulfilment is a part of an order as a verb needs it, held until the transaction ends.
type Fulfilment struct {
	ID           int64
	OrderID      int64
	CustomerID   int64
	LocationID   int64
	Method       string
	State        string
	Code         string
	Token        string
	Currency     string
	PaymentState string
	HasEmail     bool
	OnHold       string  // why the order is on hold; empty: it is not
	Due          int64   // what of the whole order is to be paid when it is handed over, minor units
	OpenLines    []int64 // lines with units that are neither handed over nor cancelled
}

// ToPay is what is still to be paid of an order o that is to be paid when it is handed over: what it costs as it
// stands, less what was set aside for it. Points count for the units that are paid with them, and for no others. For
// loaders, too.
const ToPay = `
	CASE o.payment_state WHEN 'due' THEN greatest(0,
		coalesce((
			SELECT sum(u.paid - u.by_points)
			FROM order_line l
			JOIN order_unit u ON u.order_line_id = l.id
			WHERE l.order_id = o.id AND u.state <> 'cancelled' AND NOT EXISTS (SELECT FROM returned_unit r
				WHERE r.order_line_id = u.order_line_id AND r.n = u.n)), 0)
		+ coalesce((SELECT sum(paid) FROM fulfilment WHERE order_id = o.id AND state <> 'cancelled' AND NOT refunded),
			0)
		- coalesce((SELECT sum(authorised) FROM tender WHERE order_id = o.id AND kind NOT IN ('pay_at_pickup',
			'points')), 0))
	ELSE 0 END::bigint`

// LockFulfilment locks the order and reads one of its parts at a location. Nil when there is no such part there.
func LockFulfilment(ctx context.Context, tx pgx.Tx, id, locationID int64) (*Fulfilment, error) {
	// The order's row first, by itself: what is read next must be as it is once we hold the lock.
	var orderID int64
	err := tx.QueryRow(ctx, `
		SELECT o.id
		FROM orders o
		WHERE o.id = (SELECT order_id FROM fulfilment WHERE id = $1 AND location_id = $2)
		FOR UPDATE`, id, locationID).Scan(&orderID)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("lock an order: %w", err)
	}
	f, err := pg.Row[Fulfilment](tx.Query(ctx, `
		SELECT f.id, f.order_id, o.customer_id, f.location_id, f.method, f.state, coalesce(f.code, '') AS code,
			coalesce(f.token, '') AS token, o.currency::text, o.payment_state, o.email <> '' AS has_email,
			o.hold_reason AS on_hold,`+ToPay+` AS due,
			coalesce(array_agg(DISTINCT l.id) FILTER (WHERE u.state = 'open'), '{}') AS open_lines
		FROM fulfilment f
		JOIN orders o ON o.id = f.order_id
		JOIN order_line l ON l.fulfilment_id = f.id
		JOIN order_unit u ON u.order_line_id = l.id
		WHERE f.id = $1
		GROUP BY f.id, o.id`, id))
	if err != nil {
		return nil, fmt.Errorf("read a fulfilment: %w", err)
	}
	return f, nil
}

// Stopped is the fault of handing over or sending what is on hold; nil where it is not.
func (f *Fulfilment) Stopped() error {
	if f.OnHold == "" {
		return nil
	}
	return fault.New(fault.Conflict, "This order is on hold: {reason}. Ask a manager to release it.",
		text.Args{"reason": f.OnHold})
}

// Held is an order that is locked until the transaction ends.
type Held struct {
	ID           int64
	PublicID     string
	CustomerID   int64
	LocationID   int64
	CartID       int64
	Currency     string
	State        string
	PaymentState string
	Total        int64
	Email        string
	Language     string
	Channel      origin.Channel
}

// LockOrder holds an order. Nil when there is none.
func LockOrder(ctx context.Context, tx pgx.Tx, id int64) (*Held, error) {
	h, err := pg.Row[Held](tx.Query(ctx, `
		SELECT id, public_id, customer_id, location_id, coalesce(cart_id, 0) AS cart_id, currency::text, state,
			payment_state, total, email, language, channel
		FROM orders
		WHERE id = $1
		FOR UPDATE`, id))
	if err != nil {
		return nil, fmt.Errorf("lock an order: %w", err)
	}
	return h, nil
}

// UnitKept says whether unit u of an order line is the customer's, in a statement: neither cancelled nor returned.
const UnitKept = `u.state <> 'cancelled' AND NOT EXISTS (SELECT FROM returned_unit r
					WHERE r.order_line_id = u.order_line_id AND r.n = u.n)`

// AmountKept is what order o costs as it stands, in a statement: see Owing.
const AmountKept = `(coalesce((
				SELECT sum(u.paid - u.allowed)
				FROM order_line l
				JOIN order_unit u ON u.order_line_id = l.id
				WHERE l.order_id = o.id AND ` + UnitKept + `), 0)::bigint
			+ coalesce((SELECT sum(paid - allowed) FROM fulfilment WHERE order_id = o.id AND state <> 'cancelled'
				AND NOT refunded), 0)::bigint
			+ coalesce((SELECT sum(shortfall) FROM return_ticket WHERE order_id = o.id), 0)::bigint)`

// AnyKept says whether anything of order o stays with the customer, in a statement.
const AnyKept = `EXISTS (
				SELECT
				FROM order_line l
				JOIN order_unit u ON u.order_line_id = l.id
				WHERE l.order_id = o.id AND ` + UnitKept + `)`

// LineKept says whether a unit of order line l was neither cancelled nor returned, in a statement.
const LineKept = `EXISTS (
				SELECT
				FROM order_unit u
				WHERE u.order_line_id = l.id AND ` + UnitKept + `)`

// AmountOwed is what an order costs as it stands: the units that are neither cancelled nor returned, the deliveries
// that were not given back, and what returns kept. Of that, byPoints is paid in points.
func AmountOwed(ctx context.Context, tx pgx.Tx, orderID int64) (owing, byPoints int64, err error) {
	err = tx.QueryRow(ctx, `
		SELECT `+AmountKept+`,
			coalesce((
				SELECT sum(u.by_points)
				FROM order_line l
				JOIN order_unit u ON u.order_line_id = l.id
				WHERE l.order_id = o.id AND `+UnitKept+`), 0)::bigint
		FROM orders o
		WHERE o.id = $1`,
		orderID).Scan(&owing, &byPoints)
	if err != nil {
		return 0, 0, fmt.Errorf("add up an order: %w", err)
	}
	return owing, byPoints, nil
}

// AmountDue is what is still to be paid of an order, or 0 where it is not to be paid here.
func AmountDue(ctx context.Context, tx pgx.Tx, orderID int64) (due int64, err error) {
	err = tx.QueryRow(ctx, `
		SELECT `+ToPay+`
		FROM orders o
		WHERE o.id = $1`, orderID).Scan(&due)
	if err != nil {
		return 0, fmt.Errorf("add up what is due: %w", err)
	}
	return due, nil
}

// RefundDelivery gives the charges of deliveries up when nothing of the order stays with the customer, where the shop
// does so. It answers how much that is.
func RefundDelivery(ctx context.Context, tx pgx.Tx, orderID int64) (charges int64, err error) {
	err = tx.QueryRow(ctx, `
		WITH all_back AS (
			UPDATE fulfilment f
			SET refunded = true
			WHERE f.order_id = $1 AND f.paid > 0 AND NOT f.refunded AND f.state <> 'cancelled'
				AND NOT (SELECT keep_delivery FROM shop) AND NOT EXISTS (
				SELECT
				FROM order_line l
				JOIN order_unit u ON u.order_line_id = l.id
				WHERE l.order_id = $1 AND `+UnitKept+`)
			RETURNING paid - allowed AS charge)
		SELECT coalesce(sum(charge), 0)::bigint
		FROM all_back`, orderID).Scan(&charges)
	if err != nil {
		return 0, fmt.Errorf("give the delivery up: %w", err)
	}
	return charges, nil
}

// Confirm says that an order's money is promised or here: its parts can be picked. False when it was not waiting any
// more.
func Confirm(ctx context.Context, tx pgx.Tx, orderID int64, paymentState string) (bool, error) {
	tag, err := tx.Exec(ctx, `
		UPDATE orders
		SET state = 'confirmed', payment_state = $2, hold_until = NULL
		WHERE id = $1 AND state = 'placed'`, orderID, paymentState)
	if err != nil || tag.RowsAffected() == 0 {
		return false, err
	}
	rows, err := tx.Query(ctx, `
		SELECT id
		FROM fulfilment
		WHERE order_id = $1 AND state = 'waiting'
		ORDER BY id`, orderID)
	if err != nil {
		return false, err
	}
	parts, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return false, err
	}
	for _, id := range parts {
		_, err := tx.Exec(ctx, `
			UPDATE fulfilment
			SET state = 'to_pick', code = CASE method WHEN 'pickup' THEN $2 END
			WHERE id = $1`, id, newCode())
		if err != nil {
			return false, fmt.Errorf("confirm a part: %w", err)
		}
	}
	return true, nil
}

// MarkReady says that a part is staged at a place; it is kept until the given time. False when it is not to be picked
// any more.
func MarkReady(ctx context.Context, tx pgx.Tx, id, associateID int64, place string, holdUntil time.Time) (bool, error) {
	tag, err := tx.Exec(ctx, `
		UPDATE fulfilment
		SET state = 'ready', ready_at = now(), ready_associate_id = $2, place = $3, hold_until = $4
		WHERE id = $1 AND state = 'to_pick' AND method = 'pickup'`, id, associateID, place, holdUntil)
	return tag.RowsAffected() == 1, err
}

// MarkCollected says that the open units of a ready part were handed over. False when it is not ready any more.
func MarkCollected(ctx context.Context, tx pgx.Tx, id, associateID int64, proof string) (bool, error) {
	tag, err := tx.Exec(ctx, `
		WITH handed AS (
			UPDATE fulfilment
			SET state = 'collected', collected_at = now(), collected_associate_id = $2, proof = $3
			WHERE id = $1 AND state = 'ready'
			RETURNING id)
		UPDATE order_unit u
		SET state = 'collected'
		FROM order_line l, handed
		WHERE l.fulfilment_id = handed.id AND u.order_line_id = l.id AND u.state = 'open'`, id, associateID, proof)
	return tag.RowsAffected() > 0, err
}

// MarkCarriedOut says that a part left the store with whoever bought it. False when it did already.
func MarkCarriedOut(ctx context.Context, tx pgx.Tx, id, associateID int64) (bool, error) {
	tag, err := tx.Exec(ctx, `
		WITH handed AS (
			UPDATE fulfilment
			SET state = 'collected', collected_at = now(), collected_associate_id = nullif($2::bigint, 0)
			WHERE id = $1 AND state = 'to_pick' AND method = 'carry_out'
			RETURNING id)
		UPDATE order_unit u
		SET state = 'carried_out'
		FROM order_line l, handed
		WHERE l.fulfilment_id = handed.id AND u.order_line_id = l.id AND u.state = 'open'`, id, associateID)
	return tag.RowsAffected() > 0, err
}

// MarkShipped says that the open units of a part were sent. Of a gift card that is its mail. False when it is not to be
// sent any more.
func MarkShipped(ctx context.Context, tx pgx.Tx, id, associateID int64, carrier, tracking string) (bool, error) {
	tag, err := tx.Exec(ctx, `
		WITH handed AS (
			UPDATE fulfilment
			SET state = 'shipped', shipped_at = now(), shipped_associate_id = nullif($2::bigint, 0),
				carrier = coalesce(nullif($3, ''), carrier), tracking = $4
			WHERE id = $1 AND state = 'to_pick' AND method IN ('ship', 'mail')
			RETURNING id)
		UPDATE order_unit u
		SET state = 'shipped'
		FROM order_line l, handed
		WHERE l.fulfilment_id = handed.id AND u.order_line_id = l.id AND u.state = 'open'`, id, associateID, carrier,
		tracking)
	return tag.RowsAffected() > 0, err
}

// CancelUnits takes the last open units of a line back, and answers how many there were. What the line's part and order
// are after that, Settle says.
func CancelUnits(ctx context.Context, tx pgx.Tx, orderLineID int64, quantity int) (cancelled int64, err error) {
	tag, err := tx.Exec(ctx, `
		UPDATE order_unit
		SET state = 'cancelled'
		WHERE order_line_id = $1 AND n IN (
			SELECT n
			FROM order_unit
			WHERE order_line_id = $1 AND state = 'open'
			ORDER BY n DESC
			LIMIT $2)`, orderLineID, quantity)
	if err != nil {
		return 0, fmt.Errorf("cancel pieces: %w", err)
	}
	_, err = tx.Exec(ctx, `
		UPDATE shortage s
		SET choice = 'refund', decided_by = 'order', decided_at = now()
		WHERE order_line_id = $1 AND decided_at IS NULL AND NOT EXISTS (SELECT FROM order_unit WHERE order_line_id = $1
			AND state = 'open')`, orderLineID)
	if err != nil {
		return 0, fmt.Errorf("close a shortage: %w", err)
	}
	return tag.RowsAffected(), nil
}

// OpenLines of an order: those with units that are neither handed over nor cancelled.
func OpenLines(ctx context.Context, tx pgx.Tx, orderID int64) ([]int64, error) {
	rows, err := tx.Query(ctx, `
		SELECT DISTINCT l.id
		FROM order_line l
		JOIN order_unit u ON u.order_line_id = l.id
		WHERE l.order_id = $1 AND u.state = 'open'
		ORDER BY l.id`, orderID)
	if err != nil {
		return nil, fmt.Errorf("list open lines: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowTo[int64])
}

// Settle derives the states of an order's parts and of the order from its units: a part with nothing but cancelled
// units is cancelled, an order with nothing but cancelled parts is. It is the one writer of those two facts.
func Settle(ctx context.Context, tx pgx.Tx, orderID int64) (cancelled bool, err error) {
	_, err = tx.Exec(ctx, `
		UPDATE fulfilment f
		SET state = 'cancelled', cancelled_at = now()
		WHERE f.order_id = $1 AND f.state IN ('waiting', 'undecided', 'to_pick', 'ready') AND NOT EXISTS (
			SELECT
			FROM order_line l
			JOIN order_unit u ON u.order_line_id = l.id
			WHERE l.fulfilment_id = f.id AND u.state <> 'cancelled')`, orderID)
	if err != nil {
		return false, fmt.Errorf("settle an order's parts: %w", err)
	}
	tag, err := tx.Exec(ctx, `
		UPDATE orders o
		SET state = 'cancelled', cancelled_at = now(), hold_until = NULL
		WHERE o.id = $1 AND o.state <> 'cancelled' AND NOT EXISTS (
			SELECT
			FROM fulfilment f
			WHERE f.order_id = o.id AND f.state <> 'cancelled')`, orderID)
	if err != nil {
		return false, fmt.Errorf("settle an order: %w", err)
	}
	return tag.RowsAffected() == 1, nil
}

// SetPayment writes the payment axis of an order.
func SetPayment(ctx context.Context, tx pgx.Tx, orderID int64, state string) error {
	_, err := tx.Exec(ctx, `
		UPDATE orders
		SET payment_state = $2
		WHERE id = $1 AND payment_state <> $2`, orderID, state)
	if err != nil {
		return fmt.Errorf("write an order's payment: %w", err)
	}
	return nil
}

// EarnedBy is how many points the handed-over units of a part earn.
func EarnedBy(ctx context.Context, tx pgx.Tx, fulfilmentID int64) (points int64, err error) {
	err = tx.QueryRow(ctx, `
		SELECT coalesce(sum(u.points), 0)::bigint
		FROM order_line l
		JOIN order_unit u ON u.order_line_id = l.id
		WHERE l.fulfilment_id = $1 AND u.state IN ('collected', 'carried_out', 'shipped')`, fulfilmentID).Scan(&points)
	return points, err
}

// HandedOver says whether something of an order is with the customer, or was.
func HandedOver(ctx context.Context, tx pgx.Tx, orderID int64) (handed bool, err error) {
	err = tx.QueryRow(ctx, `
		SELECT EXISTS (SELECT FROM fulfilment WHERE order_id = $1 AND state IN ('collected', 'shipped'))`,
		orderID).Scan(&handed)
	return handed, err
}

// HasBegun says whether a part of an order is staged, handed over or sent already.
func HasBegun(ctx context.Context, tx pgx.Tx, orderID int64) (begun bool, err error) {
	err = tx.QueryRow(ctx, `
		SELECT EXISTS (SELECT FROM fulfilment WHERE order_id = $1 AND state NOT IN ('waiting', 'undecided', 'to_pick',
			'cancelled'))`, orderID).Scan(&begun)
	return begun, err
}

// UnreservedLine is a line of which nothing is reserved, with how many units are open: it is not tracked, or comes
// later.
type UnreservedLine struct {
	LineID, VariantID int64
	Quantity          int
}

// UnreservedLines are those of some lines that were sold without stock.
func UnreservedLines(ctx context.Context, tx pgx.Tx, lines []int64) ([]UnreservedLine, error) {
	rows, err := tx.Query(ctx, `
		SELECT l.id, l.variant_id, count(*)::int
		FROM order_line l
		JOIN order_unit u ON u.order_line_id = l.id AND u.state = 'open'
		WHERE l.id = ANY ($1) AND l.without_stock
		GROUP BY l.id
		ORDER BY l.variant_id`, lines)
	if err != nil {
		return nil, fmt.Errorf("list lines without stock: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[UnreservedLine])
}

// CountStaged is how many of a variant lie ready for their shoppers at a location.
func CountStaged(ctx context.Context, db pg.DB, variantID, locationID int64) (n int, err error) {
	err = db.QueryRow(ctx, `
		SELECT coalesce(sum(r.quantity), 0)::int
		FROM reservation r
		JOIN order_line l ON l.id = r.order_line_id
		JOIN fulfilment f ON f.id = l.fulfilment_id AND f.state = 'ready'
		WHERE r.variant_id = $1 AND r.location_id = $2 AND r.released_at IS NULL`, variantID, locationID).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count what is staged: %w", err)
	}
	return n, nil
}
