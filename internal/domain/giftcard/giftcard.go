// Package giftcard is money that somebody paid before and somebody else may spend: a code, a balance, and the ledger
// behind it.
package giftcard

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/text"
)

// Card is a gift card as its owner sees it. Ends are the last letters of its code; nobody has the rest.
type Card struct {
	ID       int64
	Ends     string
	Currency string
	Balance  int64 // minor units
}

const letters = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ" // 32 of them: no 0, 1, I, O

// NewCode is sixteen letters in groups of four: 80 random bits.
func NewCode() string {
	b := make([]byte, 16)
	rand.Read(b)
	for i := range b {
		b[i] = letters[b[i]%32]
	}
	return string(b[:4]) + "-" + string(b[4:8]) + "-" + string(b[8:12]) + "-" + string(b[12:])
}

func hash(code string) ([]byte, bool) {
	code = strings.ToUpper(strings.NewReplacer(" ", "", "-", "").Replace(strings.TrimSpace(code)))
	if len(code) != 16 || strings.Trim(code, letters) != "" {
		return nil, false
	}
	sum := sha256.Sum256([]byte(code))
	return sum[:], true
}

// Find looks a code up. Nil for every reason why it is none: never was, was stopped, is of another currency.
func Find(ctx context.Context, db pg.DB, code, currency string) (*Card, error) {
	sum, ok := hash(code)
	if !ok {
		return nil, nil
	}
	var c Card
	err := db.QueryRow(ctx, `
		SELECT id, ends, currency::text, balance
		FROM gift_card
		WHERE code_hash = $1 AND disabled_at IS NULL AND ($2 = '' OR currency = $2)`, sum, currency).Scan(&c.ID,
		&c.Ends, &c.Currency, &c.Balance)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look a gift card up: %w", err)
	}
	return &c, nil
}

// New is a card to be made. OrderLineID and N name the unit that bought it, or are 0.
type New struct {
	Currency    string
	Amount      int64
	OrderID     int64
	OrderLineID int64
	N           int
	Recipient   string
	CustomerID  int64
	AssociateID int64  // who gave it for the shop; 0: somebody bought it
	Reason      string // why it was given
}

// Make writes a card without a code; the mail that brings it has one drawn.
func Make(ctx context.Context, tx pgx.Tx, n New) (id int64, err error) {
	err = tx.QueryRow(ctx, `
		WITH card AS (
			INSERT INTO gift_card (currency, issued, balance, order_line_id, n, recipient, customer_id, associate_id,
				reason)
			VALUES (@currency, @amount, @amount, nullif(@line::bigint, 0), nullif(@n, 0), @recipient,
				nullif(@customer::bigint, 0), nullif(@associate::bigint, 0), @reason)
			RETURNING id),
		entry AS (
			INSERT INTO gift_card_entry (gift_card_id, delta, cause, order_id)
			SELECT id, @amount, 'issued', nullif(@order::bigint, 0)
			FROM card)
		SELECT id
		FROM card`, pgx.NamedArgs{"currency": n.Currency, "amount": n.Amount, "line": n.OrderLineID, "n": n.N,
		"recipient": n.Recipient, "customer": n.CustomerID, "order": n.OrderID, "associate": n.AssociateID, "reason": n.Reason}).Scan(&id)
	if err != nil {
		return 0, fmt.Errorf("make a gift card: %w", err)
	}
	return id, nil
}

// Code draws a new code for a card that nobody has spent from; the one before is dead. Empty when it is too late for
// that.
func Code(ctx context.Context, db pg.DB, id int64) (code string, err error) {
	code = NewCode()
	sum, _ := hash(code)
	tag, err := db.Exec(ctx, `
		UPDATE gift_card
		SET code_hash = $2, ends = $3
		WHERE id = $1 AND balance = issued AND disabled_at IS NULL`, id, sum, code[len(code)-4:])
	if err != nil {
		return "", fmt.Errorf("draw a gift card's code: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return "", nil
	}
	return code, nil
}

// Spend takes an amount off a card. Where it has less, the work says so by what.
func Spend(w *pg.Work, what text.Message, cardID, amount, orderID int64) {
	w.Guard(what, `
		WITH card AS (
			UPDATE gift_card
			SET balance = balance - $2
			WHERE id = $1 AND balance >= $2 AND disabled_at IS NULL
			RETURNING id)
		INSERT INTO gift_card_entry (gift_card_id, delta, cause, order_id)
		SELECT id, -$2, 'spent', $3
		FROM card`, cardID, amount, orderID)
}

// Restore puts an amount back on the card it came from.
func Restore(ctx context.Context, tx pgx.Tx, cardID, amount, orderID int64) error {
	_, err := tx.Exec(ctx, `
		WITH card AS (
			UPDATE gift_card
			SET balance = balance + $2
			WHERE id = $1
			RETURNING id)
		INSERT INTO gift_card_entry (gift_card_id, delta, cause, order_id)
		SELECT id, $2, 'restored', $3
		FROM card`, cardID, amount, orderID)
	if err != nil {
		return fmt.Errorf("restore a gift card: %w", err)
	}
	return nil
}

// Void stops the card that a unit bought, where nothing was spent from it. False when something was: then it cannot
// come back.
func Void(ctx context.Context, tx pgx.Tx, orderLineID int64, n int, orderID int64) (bool, error) {
	tag, err := tx.Exec(ctx, `
		WITH card AS (
			UPDATE gift_card
			SET balance = 0, disabled_at = now()
			WHERE order_line_id = $1 AND n = $2 AND balance = issued AND disabled_at IS NULL
			RETURNING id, issued)
		INSERT INTO gift_card_entry (gift_card_id, delta, cause, order_id)
		SELECT id, -issued, 'voided', $3
		FROM card`, orderLineID, n, orderID)
	if err != nil {
		return false, fmt.Errorf("void a gift card: %w", err)
	}
	return tag.RowsAffected() == 1, nil
}

// Forget takes out to whom the cards were mailed that customers bought; the cards stay good.
func Forget(ctx context.Context, tx pgx.Tx, customers []int64) error {
	_, err := tx.Exec(ctx, `
		UPDATE gift_card
		SET recipient = '', reason = ''
		WHERE customer_id = ANY($1) OR lower(recipient) IN (
			SELECT value
			FROM identity
			WHERE kind = 'email' AND customer_id = ANY($1))`, customers)
	if err != nil {
		return fmt.Errorf("forget whom gift cards were for: %w", err)
	}
	return nil
}

// Disable stops a card for good: what is left on it goes. It answers how much that was; false where it is stopped
// already, or there is none.
func Disable(ctx context.Context, tx pgx.Tx, id int64) (left int64, done bool, err error) {
	err = tx.QueryRow(ctx, `
		WITH card AS (
			SELECT id, balance
			FROM gift_card
			WHERE id = $1 AND disabled_at IS NULL
			FOR UPDATE),
		entry AS (
			INSERT INTO gift_card_entry (gift_card_id, delta, cause)
			SELECT id, -balance, 'voided'
			FROM card
			WHERE balance > 0)
		UPDATE gift_card g
		SET disabled_at = now(), balance = 0
		FROM card
		WHERE g.id = card.id
		RETURNING card.balance`, id).Scan(&left)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("stop a gift card: %w", err)
	}
	return left, true, nil
}
