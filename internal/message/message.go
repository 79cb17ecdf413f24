// Package message is what the shop writes to people: the texts, and the sender that posts them.
package message

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/wneessen/go-mail"

	"counterpart/internal/pg"
)

// OrderMail is the job of telling somebody about their order. Kind is one of the constants below; Line names the order
// line it is about, where it is about one.
type OrderMail struct {
	OrderID int64  `json:"order_id" river:"unique"`
	Mail    string `json:"mail" river:"unique"`
	Line    int64  `json:"line,omitempty" river:"unique"`
}

func (OrderMail) Kind() string { return "order_mail" }

// Mails about an order.
const (
	MailConfirmed = "confirmed"
	MailReady     = "ready"
	MailShort     = "short"
	MailCancelled = "cancelled"
	MailCollected = "collected"
)

// Mail is a message that can be posted. ID makes a second copy recognisable as the same message.
type Mail struct {
	ID      string
	To      string
	Subject string
	Text    string
}

// Sender posts over SMTP. TLS is used where the server offers it.
type Sender struct {
	Host string
	Port int
	User string
	Pass string
	From string
}

// Send has one conversation with the server; an error means that it may not have taken the mail.
func (s Sender) Send(ctx context.Context, m Mail) error {
	message := mail.NewMsg()
	if err := message.From(s.From); err != nil {
		return fmt.Errorf("sender's address: %w", err)
	}
	if err := message.To(m.To); err != nil {
		return fmt.Errorf("recipient's address: %w", err)
	}
	message.Subject(m.Subject)
	message.SetMessageIDWithValue(m.ID)
	message.SetBodyString(mail.TypeTextPlain, m.Text)
	options := []mail.Option{mail.WithPort(s.Port), mail.WithTLSPolicy(mail.TLSOpportunistic), mail.WithTimeout(10 * time.Second), mail.WithHELO("counterpart")}
	if s.User != "" {
		options = append(options, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(s.User), mail.WithPassword(s.Pass))
	}
	client, err := mail.NewClient(s.Host, options...)
	if err != nil {
		return fmt.Errorf("mail server: %w", err)
	}
	if err := client.DialAndSendWithContext(ctx, message); err != nil {
		return fmt.Errorf("post a mail: %w", err)
	}
	return nil
}

// Sent says whether this mail about an order was posted already.
func Sent(ctx context.Context, db pg.DB, orderID int64, kind string) (sent bool, err error) {
	err = db.QueryRow(ctx, `
		SELECT EXISTS (SELECT FROM message WHERE order_id = $1 AND kind = $2)`, orderID, kind).Scan(&sent)
	return sent, err
}

// Record notes that a mail about an order was posted.
func Record(ctx context.Context, tx pgx.Tx, orderID int64, kind string) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO message (order_id, kind)
		VALUES ($1, $2)
		ON CONFLICT DO NOTHING`, orderID, kind)
	return err
}
