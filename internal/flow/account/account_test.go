package account_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/message"
	"counterpart/internal/domain/message/catcher"
	"counterpart/internal/domain/origin"
	"counterpart/internal/flow/account"
	"counterpart/internal/flow/person"
	"counterpart/internal/platform/fault"
	"counterpart/internal/proof/audit"

	"counterpart/internal/flow/shopping"
	"counterpart/internal/platform/pg/pgtest"
	"counterpart/internal/platform/secret"
	"counterpart/internal/proof/sample"
	"counterpart/internal/work"
)

var ctx = context.Background()

// A shop with its jobs at work and its mail caught.
type shop struct {
	*sample.Chain
	db   *pgxpool.Pool
	mail *catcher.Catcher
}

func open(t *testing.T) *shop {
	t.Helper()
	pool, _ := pgtest.Database(t)
	mails, err := catcher.Start()
	require.NoError(t, err)
	t.Cleanup(func() { mails.Close() })
	client, err := work.Start(ctx, work.Tools{DB: pool, Sender: message.Sender{Host: "127.0.0.1", Port: mails.Port,
		From: "shop@example.com", TextGateway: "sms.localhost"}, BaseURL: "http://shop.example"})
	require.NoError(t, err)
	t.Cleanup(func() {
		stopping, cancel := context.WithTimeout(ctx, 20*time.Second)
		defer cancel()
		require.NoError(t, client.StopAndCancel(stopping))
	})
	return &shop{Chain: sample.Load(t, pool), db: pool, mail: mails}
}

// link waits for a mail to an address and answers with the last part of the link in it.
func (s *shop) link(t *testing.T, to, path string) string {
	t.Helper()
	shape := regexp.MustCompile(regexp.QuoteMeta("http://shop.example"+path) + `(\w+)`)
	return s.find(t, to, func(text string) string {
		if found := shape.FindStringSubmatch(text); found != nil {
			return found[1]
		}
		return ""
	})
}

func (s *shop) find(t *testing.T, to string, in func(text string) string) (found string) {
	t.Helper()
	require.Eventually(t, func() bool {
		for _, m := range s.mail.Mails() {
			if m.To == to && in(m.Text) != "" {
				found = in(m.Text)
				return true
			}
		}
		return false
	}, 15*time.Second, 10*time.Millisecond, "a mail to %s", to)
	return found
}

func (s *shop) sound(t *testing.T) {
	t.Helper()
	findings, err := audit.Run(ctx, s.db)
	require.NoError(t, err)
	require.Empty(t, findings)
}

const password = "the heron stood on Wharf Street"

var phone = account.Browser{From: "10.0.0.1", Agent: "Safari, iPhone"}

func (s *shop) register(t *testing.T, name, email string, b account.Browser) account.Begun {
	t.Helper()
	start, err := account.Register(ctx, s.db, account.Registration{Name: name, Email: email, Password: password}, b)
	require.NoError(t, err)
	begun, err := account.Confirm(ctx, s.db, origin.Origin{Channel: origin.Web, Language: "en"},
		s.link(t, email, "/begin/"), start, b)
	require.NoError(t, err)
	return begun
}

// TestWhatACounterMadeBecomesTheAccount joins three profiles of one person the moment they prove the address they
// share: the one a counter made, the one of an earlier order, and the phone that they hold.
func TestWhatACounterMadeBecomesTheAccount(t *testing.T) {
	s := open(t)
	till, err := shopping.CreateCustomer(ctx, s.db, origin.Origin{Channel: origin.Counter, Language: "en"},
		shopping.NewCustomer{Name: "Ada Fairweather", Email: "ada@example.com", Country: "GB"})
	require.NoError(t, err)
	require.NoError(t, shopping.AddFor(ctx, s.db, origin.Origin{Channel: origin.Counter, Language: "en"}, till,
		shopping.Item{VariantID: s.Mug, Quantity: 2, LocationID: s.HarbourStreet.ID}))
	device, err := shopping.AddAsDevice(ctx, s.db, origin.Origin{Channel: origin.Web, Language: "en"}, "", 0,
		shopping.Item{VariantID: s.Mug, Quantity: 1})
	require.NoError(t, err)
	_, err = shopping.AddAsDevice(ctx, s.db, origin.Origin{Channel: origin.Web, Language: "en"}, device, 0,
		shopping.Item{VariantID: s.BlueMug, Quantity: 1})
	require.NoError(t, err)

	require.NoError(t, account.Invite(ctx, s.db, till, "ada@example.com"))
	onPhone := phone
	onPhone.Device = device
	begun, err := account.Claim(ctx, s.db, origin.Origin{Channel: origin.Web, Language: "en"},
		s.link(t, "ada@example.com", "/welcome/"), onPhone)

	require.NoError(t, err)
	require.Equal(t, till, begun.Person, "the profile from the counter is the account")
	require.Equal(t, 2, begun.Joined)
	require.Equal(t, "3 MUG-W, 1 MUG-B", s.cart(t, till))
	guest, err := customer.ByDevice(ctx, s.db, device)
	require.NoError(t, err)
	require.Zero(t, guest, "the old cookie opens nothing any more")
	_, err = account.Claim(ctx, s.db, origin.Origin{Channel: origin.Web, Language: "en"},
		s.link(t, "ada@example.com", "/welcome/"), onPhone)
	require.True(t, fault.Is(err, fault.NotFound), "a link works once")
	s.sound(t)
}

func (s *shop) cart(t *testing.T, person int64) (lines string) {
	t.Helper()
	require.NoError(t, s.db.QueryRow(ctx, `
		SELECT coalesce(string_agg(l.quantity || ' ' || v.sku, ', ' ORDER BY v.id), '')
		FROM cart c
		JOIN cart_line l ON l.cart_id = c.id
		JOIN variant v ON v.id = l.variant_id
		WHERE c.customer_id = $1 AND c.state = 'open'`, person).Scan(&lines))
	return lines
}

// TestAccountPreHijackingIsPrevented registers with somebody else's address and waits for them to open the link: the
// account that begins has no password, not the stranger's.
func TestAccountPreHijackingIsPrevented(t *testing.T) {
	s := open(t)
	_, err := account.Register(ctx, s.db, account.Registration{Name: "Mallory", Email: "ada@example.com",
		Password: password}, phone)
	require.NoError(t, err)

	begun, err := account.Confirm(ctx, s.db, origin.Origin{Channel: origin.Web, Language: "en"},
		s.link(t, "ada@example.com", "/begin/"), "not the secret of that browser", phone)
	require.NoError(t, err)

	_, err = account.SignIn(ctx, s.db, origin.Origin{Channel: origin.Web, Language: "en"}, "ada@example.com", password,
		phone)
	require.NotNil(t, fault.As(err), "the stranger stays outside")
	var name string
	require.NoError(t, s.db.QueryRow(ctx, `SELECT name FROM customer WHERE id = $1`, begun.Person).Scan(&name))
	require.Empty(t, name)
}

// TestOneLinkManyHands opens one link from fifty sides: one gets in.
func TestOneLinkManyHands(t *testing.T) {
	s := open(t)
	s.register(t, "Ada", "ada@example.com", phone)
	require.NoError(t, account.Forgotten(ctx, s.db, "ada@example.com", phone))
	token := s.link(t, "ada@example.com", "/reset/")

	var won atomic.Int32
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			_, err := account.Reset(ctx, s.db, origin.Origin{Channel: origin.Web, Language: "en"}, token,
				fmt.Sprintf("a new sentence, the %dth of fifty", i), phone)
			if err == nil {
				won.Add(1)
				return
			}
			assert.True(t, fault.Is(err, fault.NotFound) || errors.Is(err, secret.ErrBusy), "%v", err)
		})
	}
	wg.Wait()

	require.EqualValues(t, 1, won.Load())
	var sessions int
	require.NoError(t, s.db.QueryRow(ctx, `SELECT count(*) FROM session WHERE customer_id IS NOT NULL`).Scan(&sessions))
	require.Equal(t, 1, sessions, "a new password signs everything else out")
	s.find(t, "ada@example.com", func(text string) string {
		if strings.Contains(text, "Your password was changed") {
			return "told"
		}
		return ""
	})
	s.sound(t)
}

// TestRegisteringOneAddressFromManySides confirms ten registrations of one address at once: one account.
func TestRegisteringOneAddressFromManySides(t *testing.T) {
	s := open(t)
	tokens, starts := make([]string, 4), make([]string, 4)
	for i := range tokens {
		start, err := account.Register(ctx, s.db, account.Registration{Name: "Ada", Email: "ada@example.com",
			Password: password}, phone)
		require.NoError(t, err)
		starts[i] = start
		known := strings.Join(tokens, " ")
		tokens[i] = s.find(t, "ada@example.com", func(text string) string {
			found := regexp.MustCompile(`/begin/(\w+)`).FindStringSubmatch(text)
			if found == nil || strings.Contains(known, found[1]) {
				return ""
			}
			return found[1]
		})
	}

	var wg sync.WaitGroup
	for i := range tokens {
		wg.Go(func() {
			if _, err := account.Confirm(ctx, s.db, origin.Origin{Channel: origin.Web, Language: "en"}, tokens[i],
				starts[i], phone); err != nil {
				assert.NotNil(t, fault.As(err), "%v", err)
			}
		})
	}
	wg.Wait()

	var accounts, owners int
	require.NoError(t, s.db.QueryRow(ctx,
		`SELECT count(*) FILTER (WHERE registered_at IS NOT NULL), (SELECT count(*) FROM identity WHERE kind = 'email' AND verified_at IS NOT NULL) FROM customer`).Scan(&accounts, &owners))
	require.Equal(t, []int{1, 1}, []int{accounts, owners})
	s.sound(t)
}

// TestAccountEnumerationIsPrevented compares every way in that takes an address, for one that has an
// account and one that has none.
func TestAccountEnumerationIsPrevented(t *testing.T) {
	s := open(t)
	s.register(t, "Ada", "ada@example.com", phone)
	for name, try := range map[string]func(email string) error{
		"sign in": func(email string) error {
			_, err := account.SignIn(ctx, s.db, origin.Origin{Channel: origin.Web, Language: "en"}, email,
				"wrong, wrong and wrong again", phone)
			return err
		},
		"link":  func(email string) error { _, err := account.SendLink(ctx, s.db, email, phone); return err },
		"reset": func(email string) error { return account.Forgotten(ctx, s.db, email, phone) },
		"register": func(email string) error {
			_, err := account.Register(ctx, s.db, account.Registration{Name: "Ada", Email: email, Password: password},
				phone)
			return err
		},
	} {
		known, unknown := try("ada@example.com"), try("nobody@example.com")
		require.Equal(t, known, unknown, name)
	}
}

// TestAnEmailChangesAtBothAddresses needs both links, in either order and at once, and leaves one proven address.
func TestAnEmailChangesAtBothAddresses(t *testing.T) {
	s := open(t)
	for round, order := range []string{"old first", "new first", "at once"} {
		old, fresh := fmt.Sprintf("ada%d@example.com", round), fmt.Sprintf("ada%d@example.org", round)
		begun := s.register(t, "Ada", old, phone)
		proof := account.Proof{Person: begun.Person, Email: old, Password: "not the password at all",
			Session: begun.Session}
		require.NotNil(t, fault.As(account.ChangeEmail(ctx, s.db, proof, fresh, phone)), "the password is asked for")
		proof.Password = password
		require.NoError(t, account.ChangeEmail(ctx, s.db, proof, fresh, phone))
		links := []func() (bool, error){
			func() (bool, error) {
				return account.AgreeEmail(ctx, s.db, origin.Origin{Channel: origin.Web, Language: "en"},
					customer.OldEmail, s.link(t, old, "/email/old/"))
			},
			func() (bool, error) {
				return account.AgreeEmail(ctx, s.db, origin.Origin{Channel: origin.Web, Language: "en"},
					customer.NewEmail, s.link(t, fresh, "/email/new/"))
			},
		}
		if order == "new first" {
			links[0], links[1] = links[1], links[0]
		}
		if order == "at once" {
			var changed atomic.Int32
			var wg sync.WaitGroup
			for _, open := range links {
				wg.Go(func() {
					done, err := open()
					assert.NoError(t, err)
					if done {
						changed.Add(1)
					}
				})
			}
			wg.Wait()
			require.EqualValues(t, 1, changed.Load(), order)
		} else {
			done, err := links[0]()
			require.NoError(t, err)
			require.False(t, done, "one of two changes nothing")
			done, err = links[1]()
			require.NoError(t, err)
			require.True(t, done)
		}
		_, err := account.SignIn(ctx, s.db, origin.Origin{Channel: origin.Web, Language: "en"}, old, password, phone)
		require.NotNil(t, fault.As(err))
		_, err = account.SignIn(ctx, s.db, origin.Origin{Channel: origin.Web, Language: "en"}, fresh, password, phone)
		require.NoError(t, err)
	}
	s.sound(t)
}

// TestAPhoneIsProvenByItsCode tries wrong codes until they are counted out, and joins what a counter made with the
// number.
func TestAPhoneIsProvenByItsCode(t *testing.T) {
	s := open(t)
	begun := s.register(t, "Ada", "ada@example.com", phone)
	till, err := shopping.CreateCustomer(ctx, s.db, origin.Origin{Channel: origin.Counter, Language: "en"},
		shopping.NewCustomer{Name: "A. Fairweather", Phone: "0113 496 0999", Country: "GB"})
	require.NoError(t, err)
	code := func(question int64) string {
		require.NotZero(t, question)
		return s.find(t, "441134960999@sms.localhost", func(text string) string {
			return strings.ReplaceAll(text[:7], " ", "")
		})
	}
	question, err := account.AskPhone(ctx, s.db, begun.Person, "0113 496 0999", "GB", phone)
	require.NoError(t, err)
	right := code(question)
	for range 5 {
		err := account.ProvePhone(ctx, s.db, origin.Origin{Channel: origin.Web, Language: "en"}, begun.Person, question,
			wrong(right))
		require.NotNil(t, fault.As(err))
	}
	require.True(t, fault.Is(account.ProvePhone(ctx, s.db, origin.Origin{Channel: origin.Web, Language: "en"},
		begun.Person, question, right), fault.TooMany), "the right one comes too late")

	again, err := account.AskPhone(ctx, s.db, begun.Person, "0113 496 0999", "GB", phone)
	require.NoError(t, err)
	require.Eventually(t, func() bool { return code(again) != right }, 10*time.Second, 10*time.Millisecond)
	other, _ := sample.Account(t, s.db, "Ben", "ben@example.com")
	require.NotNil(t, fault.As(account.ProvePhone(ctx, s.db, origin.Origin{Channel: origin.Web, Language: "en"}, other,
		again, code(again))), "another’s code is no code")
	require.NoError(t, account.ProvePhone(ctx, s.db, origin.Origin{Channel: origin.Web, Language: "en"}, begun.Person,
		again, code(again)))
	root, err := customer.Root(ctx, s.db, till)
	require.NoError(t, err)
	require.Equal(t, begun.Person, root)
	s.sound(t)
}

func wrong(code string) string {
	if code == "000000" {
		return "111111"
	}
	return "000000"
}

// TestSignInBruteForceIsLimited lets ten tries from one place through, and the eleventh with the right password no more;
// another place still may.
func TestSignInBruteForceIsLimited(t *testing.T) {
	s := open(t)
	s.register(t, "Ada", "ada@example.com", phone)
	for range 10 {
		_, err := account.SignIn(ctx, s.db, origin.Origin{Channel: origin.Web, Language: "en"}, "ada@example.com",
			"wrong, wrong and wrong again", phone)
		require.True(t, fault.Is(err, fault.Invalid), "%v", err)
	}
	_, err := account.SignIn(ctx, s.db, origin.Origin{Channel: origin.Web, Language: "en"}, "ada@example.com", password,
		phone)
	require.True(t, fault.Is(err, fault.TooMany))
	elsewhere := phone
	elsewhere.From = "10.0.0.2"
	_, err = account.SignIn(ctx, s.db, origin.Origin{Channel: origin.Web, Language: "en"}, "ada@example.com", password,
		elsewhere)
	require.NoError(t, err)
}

// TestWhatCannotBeHadIsKeptForLater signs in on a device whose cart has something that was sold out and something that
// is not sold any more.
func TestWhatCannotBeHadIsKeptForLater(t *testing.T) {
	s := open(t)
	s.register(t, "Ada", "ada@example.com", phone)
	device := ""
	for _, v := range []int64{s.Mug, s.BlueMug, s.Coat} {
		token, err := shopping.AddAsDevice(ctx, s.db, origin.Origin{Channel: origin.Web, Language: "en"}, device, 0,
			shopping.Item{VariantID: v, Quantity: 1})
		require.NoError(t, err)
		if token != "" {
			device = token
		}
	}
	_, err := s.db.Exec(ctx, `UPDATE variant SET active = false WHERE id = $1`, s.BlueMug)
	require.NoError(t, err)
	_, err = s.db.Exec(ctx, `
		WITH gone AS (
			UPDATE stock_level SET on_hand = 0 WHERE variant_id = $1
			RETURNING location_id)
		INSERT INTO stock_move (variant_id, location_id, delta, cause, channel) SELECT $1, location_id, -1, 'count',
			'api' FROM gone`, s.Coat)
	require.NoError(t, err)

	b := phone
	b.Device = device
	begun, err := account.SignIn(ctx, s.db, origin.Origin{Channel: origin.Web, Language: "en"}, "ada@example.com",
		password, b)

	require.NoError(t, err)
	require.Equal(t, []int{3, 2}, []int{begun.Joined, begun.Later})
	require.Equal(t, "1 MUG-W", s.cart(t, begun.Person))
	s.sound(t)
}

// TestNewsNeedsConsent tries to get round it: no purpose, no consent, another medium, another's address, an address
// that is not proven, and a consent that was taken back between the writing and the sending.
func TestNewsNeedsConsent(t *testing.T) {
	s := open(t)
	ada, _ := sample.Account(t, s.db, "Ada", "ada@example.com")
	ben, _ := sample.Account(t, s.db, "Ben", "ben@example.com")
	sender := message.Sender{Host: "127.0.0.1", Port: s.mail.Port, From: "shop@example.com",
		TextGateway: "sms.localhost", Now: func() time.Time { return time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC) }}
	news := message.Mail{ID: "news@example.com", Purpose: message.OfNews, Person: ada, To: "ada@example.com",
		Subject: "New mugs", Text: "They are blue."}
	say := func(given bool) {
		require.NoError(t, person.RecordConsent(ctx, s.db, ada,
			customer.ConsentEntry{Purpose: customer.Marketing, Medium: customer.ByMail, Given: given, Source: "web"}))
	}
	refused := func(m message.Mail, why string) {
		t.Helper()
		require.Error(t, sender.Send(ctx, s.db, m), why)
	}
	before := len(s.mail.Mails())

	refused(news, "nobody agreed")
	say(true)
	for why, change := range map[string]func(*message.Mail){
		"no purpose":             func(m *message.Mail) { m.Purpose = "" },
		"a purpose of one’s own": func(m *message.Mail) { m.Purpose = "urgent" },
		"another medium":         func(m *message.Mail) { m.Medium = customer.BySMS },
		"another’s address":      func(m *message.Mail) { m.To = "ben@example.com" },
		"another person":         func(m *message.Mail) { m.Person = ben },
		"nobody":                 func(m *message.Mail) { m.Person = 0 },
	} {
		m := news
		change(&m)
		refused(m, why)
	}
	require.NoError(t, pgx.BeginFunc(ctx, s.db, func(tx pgx.Tx) error {
		return customer.Identify(ctx, tx, ada, customer.Identity{Kind: customer.Email, Value: "typed@example.com",
			Source: "counter"})
	}))
	unproven := news
	unproven.To = "typed@example.com"
	refused(unproven, "an address that somebody typed")
	say(false)
	require.True(t, errors.Is(sender.Send(ctx, s.db, news), message.ErrNoConsent), "taken back")
	require.Equal(t, before, len(s.mail.Mails()), "nothing went out")

	say(true)
	require.NoError(t, sender.Send(ctx, s.db, news))
	order := message.Mail{ID: "order@example.com", Purpose: message.OfOrder, To: "nobody@example.com",
		Subject: "Your order", Text: "It is ready."}
	require.NoError(t, sender.Send(ctx, s.db, order), "about an order nobody is asked")
	require.Equal(t, before+2, len(s.mail.Mails()))
}
