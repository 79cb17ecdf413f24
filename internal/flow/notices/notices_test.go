package notices_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/inventory"
	"counterpart/internal/domain/message"
	"counterpart/internal/domain/message/catcher"
	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/outreach"
	"counterpart/internal/flow/account"
	"counterpart/internal/flow/notices"
	"counterpart/internal/flow/person"
	"counterpart/internal/flow/shopping"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/pg/pgtest"
	"counterpart/internal/proof/audit"
	"counterpart/internal/proof/sample"
	"counterpart/internal/work"
)

var (
	ctx  = context.Background()
	noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
)

// place is a shop whose first thing is sold out, with somebody who has an account.
type place struct {
	*sample.Shelf
	ada   int64
	mails *catcher.Catcher
	now   time.Time
}

func open(t *testing.T) *place {
	t.Helper()
	db, _ := pgtest.Database(t)
	p := &place{Shelf: sample.Stocked(t, db, 3), now: time.Now().UTC()}
	if h := p.now.Hour(); h >= 19 || h < 9 { // by day, wherever the clock of whoever runs this is
		p.now = p.now.Truncate(24 * time.Hour).Add(36 * time.Hour)
	}
	var err error
	p.mails, err = catcher.Start()
	require.NoError(t, err)
	t.Cleanup(func() { p.mails.Close() })
	p.ada, _ = sample.Account(t, db, "Ada", "ada@example.com")
	p.stock(t, 0, -500)
	return p
}

func (p *place) stock(t *testing.T, thing, delta int) {
	t.Helper()
	require.NoError(t, pg.InTx(ctx, p.DB, func(tx pgx.Tx) error {
		if delta < 0 {
			_, err := tx.Exec(ctx, `
				INSERT INTO stock_move (variant_id, location_id, delta, cause, channel) VALUES ($1, $2, $3, 'count', 'api')`,
				p.Variants[thing], p.HarbourStreet.ID, delta)
			if err != nil {
				return err
			}
			_, err = tx.Exec(ctx, `UPDATE stock_level SET on_hand = on_hand + $3 WHERE variant_id = $1 AND location_id = $2`,
				p.Variants[thing], p.HarbourStreet.ID, delta)
			return err
		}
		return inventory.Receive(ctx, tx, []inventory.Move{{VariantID: p.Variants[thing], LocationID: p.HarbourStreet.ID,
			Delta: delta}}, inventory.Reason{Channel: "api", Reason: "came in"})
	}))
}

func (p *place) ask(t *testing.T, who int64, thing int, kind, email string) (sent bool, err error) {
	t.Helper()
	_, sent, err = notices.Ask(ctx, p.DB, origin.Origin{Channel: origin.Web, Language: "en"}, shopping.Shopper{Person: who},
		account.Browser{From: "192.0.2.1"}, notices.Wish{VariantID: p.Variants[thing], LocationID: p.HarbourStreet.ID, Kind: kind,
			Email: email})
	return sent, err
}

func (p *place) tools() notices.Tools {
	return notices.Tools{Sender: message.Sender{Host: "127.0.0.1", Port: p.mails.Port, From: "shop@example.com"},
		Base: "http://shop.example", Now: func() time.Time { return p.now }}
}

func (p *place) send(t *testing.T) {
	t.Helper()
	require.NoError(t, notices.Send(ctx, p.DB, p.tools()))
}

// held is why the last message waits or was refused.
func (p *place) held(t *testing.T) (reason, state string) {
	t.Helper()
	require.NoError(t, p.DB.QueryRow(ctx, `SELECT reason, state FROM outreach ORDER BY id DESC LIMIT 1`).Scan(&reason, &state))
	return reason, state
}

func (p *place) price(t *testing.T, thing int, amount int64) {
	t.Helper()
	_, err := p.DB.Exec(ctx, `UPDATE price SET amount = $2 WHERE variant_id = $1`, p.Variants[thing], amount)
	require.NoError(t, err)
}

func TestBackInStockIsToldOnce(t *testing.T) {
	p := open(t)
	sent, err := p.ask(t, p.ada, 0, outreach.Back, "")
	require.NoError(t, err)
	require.False(t, sent, "her address is proven")
	p.send(t)
	require.Empty(t, p.mails.Mails(), "it is not back")
	p.stock(t, 0, 5)
	p.send(t)
	require.Len(t, p.mails.Mails(), 1)
	mail := p.mails.Mails()[0]
	require.Equal(t, "ada@example.com", mail.To)
	require.Contains(t, mail.Text, "A thing is back in stock. You asked us on")
	require.Contains(t, mail.Text, "http://shop.example/p/thing-0?v=THING-0")
	for range 3 {
		p.send(t)
	}
	p.stock(t, 0, -5)
	p.send(t)
	p.stock(t, 0, 5)
	p.send(t)
	require.Len(t, p.mails.Mails(), 1, "told once")
	var said int
	require.NoError(t, p.DB.QueryRow(ctx, `SELECT count(*) FROM timeline WHERE customer_id = $1 AND kind = 'contacted'
		AND detail = 'back'`, p.ada).Scan(&said))
	require.Equal(t, 1, said)
	_, err = p.ask(t, p.ada, 0, outreach.Back, "")
	require.Equal(t, fault.Conflict, fault.As(err).Kind, "it is there")
	// Asked again, it is told again.
	p.stock(t, 0, -5)
	_, err = p.ask(t, p.ada, 0, outreach.Back, "")
	require.NoError(t, err)
	p.stock(t, 0, 5)
	p.send(t)
	require.Len(t, p.mails.Mails(), 2)
	found, err := audit.Run(ctx, p.DB)
	require.NoError(t, err)
	require.Empty(t, found)
}

func TestAPriceDropIsToldOnce(t *testing.T) {
	p := open(t)
	_, err := p.ask(t, p.ada, 1, outreach.Price, "")
	require.NoError(t, err)
	p.price(t, 1, 1200)
	p.send(t)
	require.Empty(t, p.mails.Mails(), "dearer")
	p.price(t, 1, 750)
	p.send(t)
	p.send(t)
	require.Len(t, p.mails.Mails(), 1)
	require.Contains(t, p.mails.Mails()[0].Text, "A thing now costs £7.50. It was £10.00")
}

// An address that somebody typed is proven first: nobody can have another written to.
func TestAnAddressIsProvenFirst(t *testing.T) {
	p := open(t)
	client, err := work.Start(ctx, work.Tools{DB: p.DB, Sender: p.tools().Sender, BaseURL: "http://shop.example"})
	require.NoError(t, err)
	t.Cleanup(func() {
		stopping, cancel := context.WithTimeout(ctx, 20*time.Second)
		defer cancel()
		require.NoError(t, client.StopAndCancel(stopping))
	})
	sent, err := p.ask(t, 0, 0, outreach.Back, "guest@example.com")
	require.NoError(t, err)
	require.True(t, sent)
	p.stock(t, 0, 5)
	p.send(t)
	var token string
	require.Eventually(t, func() bool {
		for _, m := range p.mails.Mails() {
			if found := regexp.MustCompile(`/notices/(\w+)`).FindStringSubmatch(m.Text); found != nil {
				token = found[1]
			}
		}
		return token != ""
	}, 15*time.Second, 20*time.Millisecond)
	require.Len(t, p.mails.Mails(), 1, "only the link")
	require.NoError(t, notices.Prove(ctx, p.DB, token))
	require.Error(t, notices.Prove(ctx, p.DB, token), "it works once")
	p.send(t)
	require.Len(t, p.mails.Mails(), 2)
	require.Equal(t, "guest@example.com", p.mails.Mails()[1].To)
	for _, email := range []string{"no address", "a@b@c", strings.Repeat("a", 400) + "@example.com"} {
		_, err := p.ask(t, 0, 0, outreach.Back, email)
		require.NotNil(t, fault.As(err), email)
	}
	_, err = p.ask(t, 0, 0, "bogus", "x@example.com")
	require.NotNil(t, fault.As(err))
}

func TestWhatHoldsAMessageBack(t *testing.T) {
	news := func(p *place) {
		require.NoError(t, person.RecordConsent(ctx, p.DB, p.ada, customer.ConsentEntry{Purpose: customer.Marketing,
			Medium: customer.ByMail, Given: true, Source: origin.Web}))
	}
	write := func(t *testing.T, p *place, skus ...string) {
		t.Helper()
		_, err := notices.Write(ctx, p.DB, p.At, p.ada, notices.Letter{Body: "The mug is here.", Medium: customer.ByMail,
			SKUs: skus}, p.now)
		require.NoError(t, err)
	}
	for name, c := range map[string]struct {
		reason, state string
		does          func(t *testing.T, p *place)
	}{
		"nothing": {"", "sent", func(t *testing.T, p *place) { news(p); write(t, p) }},
		"consent withdrawn since": {outreach.NoConsent, "refused", func(t *testing.T, p *place) {
			news(p)
			write(t, p)
			require.NoError(t, person.RecordConsent(ctx, p.DB, p.ada, customer.ConsentEntry{Purpose: customer.Marketing,
				Medium: customer.ByMail, Given: false, Source: origin.Web}))
		}},
		"an address that is theirs no longer": {outreach.NotTheirs, "refused", func(t *testing.T, p *place) {
			news(p)
			write(t, p)
			_, err := p.DB.Exec(ctx, `UPDATE identity SET verified_at = NULL WHERE kind = 'email'`)
			require.NoError(t, err)
		}},
		"an open alert": {outreach.Complaint, "waiting", func(t *testing.T, p *place) {
			news(p)
			write(t, p)
			require.NoError(t, person.AddNote(ctx, p.DB, p.At, p.ada, "alert", "The coat came torn."))
		}},
		"bought in the meantime": {outreach.Bought, "refused", func(t *testing.T, p *place) {
			news(p)
			write(t, p, "thing-1")
			p.Buy(t, p.ada, true, 1)
		}},
		"brought back": {outreach.Returned, "refused", func(t *testing.T, p *place) {
			news(p)
			order := p.Buy(t, p.ada, true, 1)
			_, err := p.DB.Exec(ctx, `
				WITH r AS (
					INSERT INTO return_ticket (form, order_id, location_id, channel, goods, refund)
					VALUES ('x', $1, $2, 'counter', 0, 0) RETURNING id)
				INSERT INTO returned_unit (order_line_id, n, return_id, reason, grade, restocked)
				SELECT u.order_line_id, u.n, r.id, 'other', 'sellable', false
				FROM r, order_unit u JOIN order_line l ON l.id = u.order_line_id WHERE l.order_id = $1`, order, p.HarbourStreet.ID)
			require.NoError(t, err)
			write(t, p, "thing-1")
		}},
		"night": {outreach.Quiet, "waiting", func(t *testing.T, p *place) {
			news(p)
			write(t, p)
			p.now = p.now.Truncate(24 * time.Hour).Add(47 * time.Hour)
		}},
		"written to lately": {outreach.Often, "waiting", func(t *testing.T, p *place) {
			news(p)
			write(t, p)
			p.send(t)
			_, err := p.DB.Exec(ctx, `UPDATE outreach SET sent_at = $1`, p.now.Add(-47*time.Hour))
			require.NoError(t, err)
			write(t, p)
		}},
		"written to some days ago": {"", "sent", func(t *testing.T, p *place) {
			news(p)
			write(t, p)
			p.send(t)
			_, err := p.DB.Exec(ctx, `UPDATE outreach SET sent_at = $1`, p.now.Add(-73*time.Hour))
			require.NoError(t, err)
			write(t, p)
		}},
		"suspended": {outreach.Gone, "refused", func(t *testing.T, p *place) {
			news(p)
			write(t, p)
			_, err := p.DB.Exec(ctx, `UPDATE customer SET disabled_at = now() WHERE id = $1`, p.ada)
			require.NoError(t, err)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			p := open(t)
			c.does(t, p)
			p.send(t)
			reason, state := p.held(t)
			require.Equal(t, []string{c.reason, c.state}, []string{reason, state})
			before := len(p.mails.Mails())
			p.send(t)
			require.Len(t, p.mails.Mails(), before)
		})
	}
}

// What waits goes when the night or the days are over, once.
func TestWhatWaitsGoesLater(t *testing.T) {
	p := open(t)
	_, err := p.ask(t, p.ada, 0, outreach.Back, "")
	require.NoError(t, err)
	p.stock(t, 0, 5)
	day := p.now.Truncate(24 * time.Hour).Add(24 * time.Hour)
	p.now = day.Add(23 * time.Hour)
	p.send(t)
	require.Empty(t, p.mails.Mails())
	p.now = day.Add(31*time.Hour + 59*time.Minute)
	p.send(t)
	require.Empty(t, p.mails.Mails())
	p.now = day.Add(32*time.Hour + time.Minute)
	p.send(t)
	require.Len(t, p.mails.Mails(), 1)

	// Sold out again before the morning: it is not said, and said when it is back.
	p.stock(t, 0, -5)
	_, err = p.ask(t, p.ada, 0, outreach.Back, "")
	require.NoError(t, err)
	p.stock(t, 0, 5)
	p.now = day.Add(47 * time.Hour)
	p.send(t)
	p.stock(t, 0, -5)
	p.now = day.Add(57 * time.Hour)
	p.send(t)
	require.Len(t, p.mails.Mails(), 1)
	p.stock(t, 0, 5)
	p.send(t)
	require.Len(t, p.mails.Mails(), 2)
}

// Asked again by another way it goes that way; what an alert held goes once that is closed; sent twice it is written once;
// and of a person who was two and asked twice, one message is enough.
func TestAskingAgain(t *testing.T) {
	p := open(t)
	require.NoError(t, pg.InTx(ctx, p.DB, func(tx pgx.Tx) error {
		return customer.Verify(ctx, tx, p.ada, customer.Email, "ada.new@example.com", "web")
	}))
	_, err := p.ask(t, p.ada, 0, outreach.Back, "ada@example.com")
	require.NoError(t, err)
	_, err = p.DB.Exec(ctx, `UPDATE watch SET target = 'ada@example.com', proven_at = now()`)
	require.NoError(t, err)
	p.stock(t, 0, 5)
	day := p.now
	p.now = day.Truncate(24 * time.Hour).Add(23 * time.Hour)
	p.send(t)
	reason, _ := p.held(t)
	require.Equal(t, outreach.Quiet, reason)
	p.stock(t, 0, -5)
	_, err = p.ask(t, p.ada, 0, outreach.Back, "")
	require.NoError(t, err)
	p.stock(t, 0, 5)
	p.now = day.Add(24 * time.Hour)
	p.send(t)
	require.Len(t, p.mails.Mails(), 1)
	require.Equal(t, "ada.new@example.com", p.mails.Mails()[0].To)

	// An alert, closed.
	p.stock(t, 0, -5)
	_, err = p.ask(t, p.ada, 0, outreach.Back, "")
	require.NoError(t, err)
	p.stock(t, 0, 5)
	require.NoError(t, person.AddNote(ctx, p.DB, p.At, p.ada, "alert", "Torn."))
	p.send(t)
	reason, _ = p.held(t)
	require.Equal(t, outreach.Complaint, reason)
	var note int64
	require.NoError(t, p.DB.QueryRow(ctx, `SELECT id FROM note WHERE closed_at IS NULL`).Scan(&note))
	require.NoError(t, person.CloseNote(ctx, p.DB, p.At, p.ada, note))
	p.send(t)
	require.Len(t, p.mails.Mails(), 2)

	// Sent twice.
	require.NoError(t, person.RecordConsent(ctx, p.DB, p.ada, customer.ConsentEntry{Purpose: customer.Marketing,
		Medium: customer.ByMail, Given: true, Source: origin.Web}))
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			_, err := notices.Write(ctx, p.DB, p.At, p.ada, notices.Letter{Body: "Hello", Medium: customer.ByMail, Form: "one"}, p.now)
			assert.NoError(t, err)
		})
	}
	group.Wait()
	var letters int
	require.NoError(t, p.DB.QueryRow(ctx, `SELECT count(*) FROM outreach WHERE kind = 'personal'`).Scan(&letters))
	require.Equal(t, 1, letters)

	// Two who become one.
	ben, _ := sample.Account(t, p.DB, "Ben", "ben@example.com")
	p.stock(t, 0, -5)
	for _, who := range []int64{p.ada, ben} {
		_, err := p.ask(t, who, 0, outreach.Back, "")
		require.NoError(t, err)
	}
	_, err = person.Merge(ctx, p.DB, p.At, customer.Merge{SurvivorID: p.ada, AbsorbedID: ben, Proof: customer.ByManager,
		Reason: "same", AssociateID: p.Bea.ID})
	require.NoError(t, err)
	p.stock(t, 0, 5)
	before := len(p.mails.Mails())
	p.send(t)
	p.send(t)
	told := 0
	for _, m := range p.mails.Mails()[before:] {
		if strings.Contains(m.Text, "back in stock") {
			told++
		}
	}
	require.Equal(t, 1, told)
	var open int
	require.NoError(t, p.DB.QueryRow(ctx, `SELECT count(*) FROM watch WHERE ended_at IS NULL`).Scan(&open))
	require.Zero(t, open)
}

// Two processes send what is due once, and two messages to one person do not both find room.
func TestTwoWhoSendSendOnce(t *testing.T) {
	p := open(t)
	_, err := p.ask(t, p.ada, 0, outreach.Back, "")
	require.NoError(t, err)
	p.stock(t, 0, 5)
	require.NoError(t, person.RecordConsent(ctx, p.DB, p.ada, customer.ConsentEntry{Purpose: customer.Marketing,
		Medium: customer.ByMail, Given: true, Source: origin.Web}))
	for n := range 3 {
		_, err := notices.Write(ctx, p.DB, p.At, p.ada, notices.Letter{Body: fmt.Sprint("Letter ", n), Medium: customer.ByMail}, p.now)
		require.NoError(t, err)
	}
	var group sync.WaitGroup
	for range 6 {
		group.Go(func() { assert.NoError(t, notices.Send(ctx, p.DB, p.tools())) })
	}
	group.Wait()
	back, letters := 0, 0
	for _, m := range p.mails.Mails() {
		if strings.Contains(m.Text, "back in stock") {
			back++
		} else {
			letters++
		}
	}
	require.Equal(t, 1, back)
	require.LessOrEqual(t, letters, 1, "one in three days")
}

// What an associate picked out is a cart of its own behind the link; bad input is said beside its field.
func TestAnAssociateWrites(t *testing.T) {
	p := open(t)
	letter := notices.Letter{Body: "The mug you asked for is here.", Medium: customer.ByMail, SKUs: []string{"THING-1", "thing-2"}}
	_, err := notices.Write(ctx, p.DB, p.At, p.ada, letter, p.now)
	require.Contains(t, fault.As(err).Fields, "medium", "she did not agree")
	require.NoError(t, person.RecordConsent(ctx, p.DB, p.ada, customer.ConsentEntry{Purpose: customer.Marketing,
		Medium: customer.ByMail, Given: true, Source: origin.Web}))
	for field, change := range map[string]func(*notices.Letter){
		"body": func(l *notices.Letter) { l.Body = " " }, "products": func(l *notices.Letter) { l.SKUs = []string{"NO-SUCH"} },
		"medium": func(l *notices.Letter) { l.Medium = customer.BySMS }} {
		wrong := letter
		change(&wrong)
		_, err := notices.Write(ctx, p.DB, p.At, p.ada, wrong, p.now)
		require.Contains(t, fault.As(err).Fields, field)
	}
	v, err := notices.Write(ctx, p.DB, p.At, p.ada, letter, p.now)
	require.NoError(t, err)
	require.Empty(t, v.Reason)
	p.send(t)
	require.Len(t, p.mails.Mails(), 1)
	word := regexp.MustCompile(`/carts/(\w+)`).FindStringSubmatch(p.mails.Mails()[0].Text)
	require.NotNil(t, word)
	_, err = shopping.TakeShared(ctx, p.DB, origin.Origin{Channel: origin.Web, Language: "en"}, shopping.Shopper{Person: p.ada}, word[1])
	require.NoError(t, err)
	var lines int
	require.NoError(t, p.DB.QueryRow(ctx, `SELECT count(*) FROM cart_line l JOIN cart c ON c.id = l.cart_id
		WHERE c.customer_id = $1`, p.ada).Scan(&lines))
	require.Equal(t, 2, lines)
	v, err = notices.Write(ctx, p.DB, p.At, p.ada, letter, p.now)
	require.NoError(t, err)
	require.Equal(t, outreach.Often, v.Reason, "said at once")
	found, err := audit.Run(ctx, p.DB)
	require.NoError(t, err)
	require.Empty(t, found)
}

// A server that refuses, and one that is not there, lose nothing.
func TestAServerThatIsNotThere(t *testing.T) {
	p := open(t)
	_, err := p.ask(t, p.ada, 0, outreach.Back, "")
	require.NoError(t, err)
	p.stock(t, 0, 5)
	tools := p.tools()
	tools.Sender.Port = 1
	require.NoError(t, notices.Send(ctx, p.DB, tools))
	reason, state := p.held(t)
	require.Equal(t, []string{outreach.Failing, "waiting"}, []string{reason, state})
	p.now = p.now.Add(16 * time.Minute)
	p.send(t)
	require.Len(t, p.mails.Mails(), 1)

	// One that is never taken is given up, and says so.
	_, err = p.DB.Exec(ctx, `DELETE FROM outreach`)
	require.NoError(t, err)
	p.stock(t, 0, -5)
	_, err = p.ask(t, p.ada, 0, outreach.Back, "")
	require.NoError(t, err)
	p.stock(t, 0, 5)
	for range 12 {
		_, err := p.DB.Exec(ctx, `UPDATE outreach SET due_at = $1 WHERE state = 'waiting'`, p.now)
		require.NoError(t, err)
		require.NoError(t, notices.Send(ctx, p.DB, tools))
	}
	reason, state = p.held(t)
	require.Equal(t, []string{outreach.Failed, "refused"}, []string{reason, state})
}

// There is no way round: what is asked for names by what, and another's watch does not do.
func TestNoWayRound(t *testing.T) {
	p := open(t)
	p.now = noon
	ben, _ := sample.Account(t, p.DB, "Ben", "ben@example.com")
	_, err := p.ask(t, p.ada, 0, outreach.Back, "")
	require.NoError(t, err)
	sender := p.tools().Sender
	sender.Now = func() time.Time { return noon }
	good := message.Mail{ID: "x@example.com", Purpose: message.OfAsked, Person: p.ada, To: "ada@example.com", WatchID: 1, Subject: "x",
		Text: "x"}
	for why, change := range map[string]func(*message.Mail){
		"without what was asked for": func(m *message.Mail) { m.WatchID = 0 },
		"as news":                    func(m *message.Mail) { m.Purpose, m.WatchID = message.OfNews, 0 },
		"news with a watch":          func(m *message.Mail) { m.Purpose = message.OfNews },
		"to another":                 func(m *message.Mail) { m.Person, m.To = ben, "ben@example.com" },
		"to another address":         func(m *message.Mail) { m.To = "ben@example.com" },
		"by another medium":          func(m *message.Mail) { m.Medium = customer.BySMS },
		"what nobody asked for":      func(m *message.Mail) { m.WatchID = 99 },
	} {
		m := good
		change(&m)
		require.Error(t, sender.Send(ctx, p.DB, m), why)
	}
	require.Empty(t, p.mails.Mails())
	require.NoError(t, sender.Send(ctx, p.DB, good))
	require.NoError(t, notices.Withdraw(ctx, p.DB, p.ada, 1))
	require.True(t, errors.Is(sender.Send(ctx, p.DB, good), message.ErrNoConsent), "withdrawn")
	require.Error(t, notices.Withdraw(ctx, p.DB, ben, 1))
}
