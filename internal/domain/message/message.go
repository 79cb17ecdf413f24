// Package message is what the shop writes to people: the texts, and the sender that posts them.
package message

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	netmail "net/mail"
	"strings"
	"time"

	"github.com/wneessen/go-mail"

	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/location"
	"counterpart/internal/domain/outreach"
	"counterpart/internal/platform/pg"
)

// OrderMail is the job of telling somebody about their order. Mail is one of the constants below; of what follows, a
// mail has what it is about.
type OrderMail struct {
	OrderID      int64  `json:"order_id" river:"unique"`
	Mail         string `json:"mail" river:"unique"`
	LineID       int64  `json:"line_id,omitempty" river:"unique"`
	FulfilmentID int64  `json:"fulfilment_id,omitempty" river:"unique"`
	TransferID   int64  `json:"transfer_id,omitempty" river:"unique"`
	ReturnID     int64  `json:"return_id,omitempty" river:"unique"`
	Reminder     int    `json:"reminder,omitempty" river:"unique"` // the first or second about a hold
	Again        string `json:"again,omitempty" river:"unique"`    // names one that somebody has sent once more
}

func (OrderMail) Kind() string { return "order_mail" }

// Once is what is recorded once a mail was sent: the same is not sent again.
func (m OrderMail) Once() string {
	if m.Again != "" {
		first := m
		first.Again = ""
		return first.Once() + ":" + m.Again
	}
	switch {
	case m.Reminder != 0:
		return fmt.Sprintf("%s:%d%d", m.Mail, m.FulfilmentID, m.Reminder)
	case m.LineID+m.FulfilmentID+m.TransferID+m.ReturnID != 0:
		return fmt.Sprintf("%s:%d", m.Mail, m.LineID+m.FulfilmentID+m.TransferID+m.ReturnID)
	}
	return m.Mail
}

// MarshalJSON also says the one number by which a server of the version before knows what a mail is about: while an
// update is under way, either may get the job.
func (m OrderMail) MarshalJSON() ([]byte, error) {
	type plain OrderMail
	line := m.LineID + m.FulfilmentID + m.TransferID + m.ReturnID
	if m.Reminder != 0 {
		line = line*10 + int64(m.Reminder)
	}
	return json.Marshal(struct {
		plain
		Line int64 `json:"line,omitempty"`
	}{plain(m), line})
}

// UnmarshalJSON also reads jobs that were queued when one number stood for all of these.
func (m *OrderMail) UnmarshalJSON(written []byte) error {
	type plain OrderMail
	var of struct {
		plain
		Line int64 `json:"line"`
	}
	if err := json.Unmarshal(written, &of); err != nil {
		return err
	}
	*m = OrderMail(of.plain)
	if m.LineID+m.FulfilmentID+m.TransferID+m.ReturnID != 0 {
		return nil
	}
	switch m.Mail {
	case MailShort:
		m.LineID += of.Line
	case MailRefunded:
		m.TransferID += of.Line
	case MailReturned:
		m.ReturnID += of.Line
	case MailHold:
		m.FulfilmentID, m.Reminder = m.FulfilmentID+of.Line/10, m.Reminder+int(of.Line%10)
	default:
		m.FulfilmentID += of.Line
	}
	return nil
}

// Mails about an order.
const (
	MailConfirmed = "confirmed"
	MailReady     = "ready"
	MailShort     = "short"
	MailCancelled = "cancelled"
	MailCollected = "collected"
	MailShipped   = "shipped"
	MailUnpaid    = "unpaid"
	MailHold      = "hold"      // it ends soon
	MailExpired   = "expired"   // nobody came
	MailTakenOff  = "taken_off" // units that were not found, and what they cost given back
	MailInstead   = "instead"   // what was chosen for what was not found
	MailPayAgain  = "pay_again"
	MailPayLink   = "pay_link" // staff prepared it: it is to be paid by its link
	MailReduced   = "reduced"  // a part of the price goes back without a return, not by a gateway
	MailRefunded  = "refunded"
	MailReturned  = "returned"
	MailChanged   = "changed" // somebody on the staff changed it
)

// Purpose says why somebody is written to. A message without one is not sent.
type Purpose string

const (
	OfOrder    Purpose = "order"    // about something they ordered
	OfSecurity Purpose = "security" // about who signs in as them
	OfLaw      Purpose = "law"      // what the law has us tell or give them
	OfPoints   Purpose = "points"   // about what a member stands to lose
	OfNews     Purpose = "news"     // everything else: needs their consent for the medium
	OfAsked    Purpose = "asked"    // what they asked to be told once
)

// Mail is a message that can be posted, or texted where Medium says so. ID makes a second copy recognisable as the same
// message. Person is whom it is for; news cannot be sent without.
type Mail struct {
	ID      string
	Purpose Purpose
	Medium  string // customer.ByMail where nothing is said, or customer.BySMS
	Person  int64
	To      string
	From    *location.Sender // where it was read already as whom the shop writes
	Subject string
	Text    string
	// Of what is not owed: what they asked for, which products it is about, and since when.
	WatchID  int64
	Products []int64
	Since    time.Time
}

// ErrNoConsent is why news is not sent: they did not agree, or no longer, or it is not their proven address.
var ErrNoConsent = errors.New("no consent for this message")

// Sender posts over SMTP. TLS is used where the server offers it. Text messages are mails to the number at TextGateway,
// as the gateways of phone companies take them; without one none can be sent.
type Sender struct {
	Host        string
	Port        int
	User        string
	Pass        string
	From        string
	TextGateway string
	SMS         *SMSProvider     // a provider over HTTP, which goes before the gateway
	Now         func() time.Time // nil: time.Now; nights and frequency go by it
}

// Send asks whether the message may be sent, at this moment, and has one conversation with the server; an error means
// that it may not have taken it. There is no other way to post something.
func (s Sender) Send(ctx context.Context, db pg.DB, m Mail) error {
	if m.Medium == "" {
		m.Medium = customer.ByMail
	}
	if err := s.allowed(ctx, db, m); err != nil {
		return err
	}
	if m.Medium == customer.BySMS && s.SMS != nil {
		return s.SMS.Send(ctx, m)
	}
	if m.Medium == customer.BySMS {
		if s.TextGateway == "" {
			return errors.New("no text message can be sent: there is no gateway for them")
		}
		m.To, m.Subject = strings.TrimPrefix(m.To, "+")+"@"+s.TextGateway, ""
	}
	if m.From == nil {
		from, err := location.SenderOf(ctx, db)
		if err != nil {
			return err
		}
		m.From = &from
	}
	return s.post(ctx, *m.From, m)
}

func (s Sender) allowed(ctx context.Context, db pg.DB, m Mail) error {
	switch m.Purpose {
	case OfOrder, OfSecurity, OfLaw, OfPoints:
		return nil
	case OfNews, OfAsked:
	default:
		return fmt.Errorf("a message without a purpose is not sent: %q", m.Purpose)
	}
	if (m.Purpose == OfAsked) != (m.WatchID != 0) {
		return fmt.Errorf("a message that was asked for says by what: %w", ErrNoConsent)
	}
	now := time.Now
	if s.Now != nil {
		now = s.Now
	}
	since := m.Since
	if since.IsZero() {
		since = now()
	}
	verdict, err := outreach.May(ctx, db, outreach.Letter{Person: m.Person, Medium: m.Medium, To: m.To, WatchID: m.WatchID,
		Products: m.Products, Since: since}, now())
	switch {
	case err != nil:
		return err
	case verdict.Reason == outreach.NoConsent || verdict.Reason == outreach.NotTheirs:
		return errors.Join(&outreach.Held{Verdict: verdict}, ErrNoConsent)
	case verdict.Reason != "":
		return &outreach.Held{Verdict: verdict}
	}
	return nil
}

func (s Sender) post(ctx context.Context, from location.Sender, m Mail) error {
	message := mail.NewMsg()
	address, err := netmail.ParseAddress(s.From)
	if err != nil {
		return fmt.Errorf("sender's address: %w", err)
	}
	if err := message.FromFormat(cmp.Or(from.Name, address.Name), address.Address); err != nil {
		return fmt.Errorf("sender's address: %w", err)
	}
	if from.ReplyTo != "" {
		if err := message.ReplyTo(from.ReplyTo); err != nil {
			return fmt.Errorf("address for answers: %w", err)
		}
	}
	if message.To(m.To) != nil {
		return errors.New("the recipient's address cannot be written to")
	}
	message.Subject(m.Subject)
	message.SetMessageIDWithValue(m.ID)
	message.SetBodyString(mail.TypeTextPlain, m.Text)
	options := []mail.Option{mail.WithPort(s.Port), mail.WithTLSPolicy(mail.TLSOpportunistic),
		mail.WithTimeout(10 * time.Second), mail.WithHELO("counterpart")}
	if s.User != "" {
		options = append(options, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(s.User),
			mail.WithPassword(s.Pass))
	}
	client, err := mail.NewClient(s.Host, options...)
	if err != nil {
		return fmt.Errorf("mail server: %w", err)
	}
	if err := client.DialAndSendWithContext(ctx, message); err != nil {
		// What the server says names the recipient, and is kept with the job: it must not.
		return fmt.Errorf("post a mail: %s", strings.ReplaceAll(err.Error(), m.To, "the recipient"))
	}
	return nil
}

// Record notes that a mail about an order was posted.
func Record(ctx context.Context, db pg.DB, orderID int64, kind string) error {
	_, err := db.Exec(ctx, `
		INSERT INTO message (order_id, kind)
		VALUES ($1, $2)
		ON CONFLICT DO NOTHING`, orderID, kind)
	return err
}
