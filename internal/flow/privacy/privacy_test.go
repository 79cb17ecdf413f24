package privacy_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
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

	"counterpart/internal/domain/browsing"
	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/history"
	"counterpart/internal/domain/message"
	"counterpart/internal/domain/message/catcher"
	"counterpart/internal/domain/order"
	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/payment"
	"counterpart/internal/domain/staff"
	"counterpart/internal/flow/account"
	"counterpart/internal/flow/amendment"
	"counterpart/internal/flow/checkout"
	"counterpart/internal/flow/drafting"
	"counterpart/internal/flow/person"
	"counterpart/internal/flow/pickup"
	"counterpart/internal/flow/privacy"
	"counterpart/internal/flow/settle"
	"counterpart/internal/flow/shopping"
	"counterpart/internal/flow/vouchers"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/files"
	"counterpart/internal/platform/merge"
	"counterpart/internal/platform/money"
	"counterpart/internal/platform/pg/pgtest"
	"counterpart/internal/proof/audit"
	"counterpart/internal/proof/sample"
	"counterpart/internal/query/basket"
	"counterpart/internal/work"
)

var ctx = context.Background()

// The canary is somebody whose every word occurs nowhere else.
const (
	canaryName   = "Zephyrine Quillfeather"
	canaryEmail  = "zephyrine@canary.example"
	canaryPhone  = "+441134969876"
	canaryWords  = "xylographic teapots"
	canaryNote   = "prefers the velocipede entrance"
	canaryStreet = "17 Umbelliferous Row"
	canaryNumber = "hoopoe-1742" // in the system from before
)

var traces = []string{"ephyrine", "uillfeather", "canary.example", "4969876", "xylographic", "velocipede",
	"mbelliferous", "gnomonic", "hoopoe"}

type place struct {
	*sample.Chain
	db    *pgxpool.Pool
	files *files.Store
	mail  *catcher.Catcher
}

func open(t *testing.T) *place {
	t.Helper()
	pool, _ := pgtest.Database(t)
	store, err := files.Open(t.TempDir())
	require.NoError(t, err)
	mails, err := catcher.Start()
	require.NoError(t, err)
	t.Cleanup(func() { mails.Close() })
	client, err := work.Start(ctx, work.Tools{DB: pool, Files: store,
		Sender:  message.Sender{Host: "127.0.0.1", Port: mails.Port, From: "shop@example.com"},
		BaseURL: "http://shop.example"})
	require.NoError(t, err)
	t.Cleanup(func() {
		stopping, cancel := context.WithTimeout(ctx, 20*time.Second)
		defer cancel()
		require.NoError(t, client.StopAndCancel(stopping))
	})
	return &place{sample.Load(t, pool), pool, store, mails}
}

// canary lives: an account, an order that was collected, another profile of theirs, an address, notes, consents, what
// they looked at.
func (p *place) canary(t *testing.T) (who int64) {
	t.Helper()
	who, _ = sample.Account(t, p.db, canaryName, canaryEmail)
	at := origin.Origin{Channel: origin.Counter, AssociateID: p.Bea.ID, LocationID: p.HarbourStreet.ID}
	device := "the cookie of the canary's phone"
	require.NoError(t, pgx.BeginFunc(ctx, p.db, func(tx pgx.Tx) error {
		return customer.Identify(ctx, tx, who, customer.Identity{Kind: customer.Device,
			Value: customer.DeviceValue(device), Source: "web", Verified: true})
	}))
	require.NoError(t, pgx.BeginFunc(ctx, p.db, func(tx pgx.Tx) error {
		return customer.Identify(ctx, tx, who, customer.Identity{Kind: customer.External, Value: canaryNumber,
			Source: "import", Verified: true})
	}))
	_, _, err := history.Write(ctx, p.db, "till", "GBP", []history.Sale{{Receipt: "1", Code: "OLD-MUG", Day: time.Now(),
		Person: canaryNumber, Goods: true, Quantity: 1, Amount: 500}})
	require.NoError(t, err)
	require.NoError(t, person.AddIdentity(ctx, p.db, at, who, canaryPhone, "GB"))
	require.NoError(t, person.SaveAddress(ctx, p.db, who, customer.Address{Name: canaryName, Lines: canaryStreet,
		Town: "Leeds", Country: "GB"}))
	require.NoError(t, person.AddNote(ctx, p.db, at, who, "note", canaryNote))
	_, err = drafting.Begin(ctx, p.db, at, drafting.Beginning{CustomerID: who, Stores: []int64{p.HarbourStreet.ID},
		Contact: order.DraftContact{Name: canaryName, Email: canaryEmail, Phone: canaryPhone, Lines: canaryStreet}, Country: "GB"})
	require.NoError(t, err)
	require.NoError(t, person.Tag(ctx, p.db, at, who, "gnomonic", true))
	require.NoError(t, person.Prefer(ctx, p.db, origin.Origin{Channel: origin.Web, Language: "en"}, who,
		"gnomonic hats", "58"))
	require.NoError(t, person.RecordConsent(ctx, p.db, who, customer.ConsentEntry{Purpose: customer.Personalisation,
		Medium: customer.InShop, Given: true, Source: "web"}))
	require.NoError(t, browsing.Write(ctx, p.db, []browsing.Event{{Device: customer.DeviceValue(device),
		At: time.Now(), Words: canaryWords}}))
	_, err = shopping.Wish(ctx, p.db, origin.Origin{Channel: origin.Web, Language: "en"},
		shopping.Shopper{Person: who}, p.BlueMug)
	require.NoError(t, err)
	till, err := shopping.CreateCustomer(ctx, p.db, origin.Origin{Channel: origin.Counter, Language: "en"},
		shopping.NewCustomer{Name: canaryName, Email: canaryEmail, Phone: canaryPhone, Country: "GB"})
	require.NoError(t, err)
	p.buy(t, till)
	_, err = person.Merge(ctx, p.db, origin.Origin{Channel: origin.Counter, LocationID: p.HarbourStreet.ID},
		customer.Merge{SurvivorID: who, AbsorbedID: till, Proof: customer.ByManager, Reason: "I know " + canaryName,
			AssociateID: p.Bea.ID, ApprovedBy: p.Bea.ID})
	require.NoError(t, err)
	p.buy(t, who)
	var latest int64
	require.NoError(t, p.db.QueryRow(ctx, `SELECT max(id) FROM orders`).Scan(&latest))
	require.NoError(t, amendment.AddNote(ctx, p.db, at, latest, "For "+canaryName+": "+canaryNote))
	require.NoError(t, amendment.SetTags(ctx, p.db, at, latest, "velocipede entrance"))
	require.NoError(t, amendment.SetContact(ctx, p.db, at, latest, merge.Edit{Mine: map[string]string{"phone": canaryPhone + " ext. 9"}}))
	require.NoError(t, person.Edit(ctx, p.db, at, who, merge.Edit{Mine: map[string]string{"company": canaryName + " Ltd"}}))
	_, err = vouchers.Give(ctx, p.db, at, money.New(500, "GBP"), canaryEmail, "for "+canaryName, true)
	require.NoError(t, err)
	require.NoError(t, account.Forgotten(ctx, p.db, canaryEmail, account.Browser{From: "10.0.0.1"}))
	_, err = account.SignIn(ctx, p.db, origin.Origin{Channel: origin.Web, Language: "en"}, canaryEmail,
		"not the password, not at all", account.Browser{From: "10.0.0.1"})
	require.Error(t, err)
	return who
}

// buy places an order and has it collected.
func (p *place) buy(t *testing.T, who int64) {
	t.Helper()
	require.NoError(t, shopping.AddFor(ctx, p.db, origin.Origin{Channel: origin.Web, Language: "en"}, who,
		shopping.Item{VariantID: p.Mug, Quantity: 1, LocationID: p.HarbourStreet.ID}))
	b, err := basket.Load(ctx, p.db, who, "en")
	require.NoError(t, err)
	link, err := checkout.Place(ctx, p.db, origin.Origin{Channel: origin.Web, Language: "en"},
		checkout.Request{CustomerID: who, CartID: b.CartID, Expected: b.Quote.Total, Name: canaryName,
			Email: canaryEmail, Phone: canaryPhone, Pay: payment.PayAtPickup})
	require.NoError(t, err)
	var fulfilment int64
	var code string
	require.NoError(t, p.db.QueryRow(ctx,
		`SELECT f.id, f.code FROM fulfilment f JOIN orders o ON o.id = f.order_id WHERE o.public_id = $1`,
		link.PublicID).Scan(&fulfilment, &code))
	desk := origin.Origin{Channel: origin.Counter, LocationID: p.HarbourStreet.ID, AssociateID: p.Bea.ID,
		Language: "en"}
	require.NoError(t, pickup.Ready(ctx, p.db, desk, fulfilment, "A1"))
	_, err = pickup.HandOver(ctx, p.db, desk, fulfilment, code, settle.CounterPayment{Kind: payment.Terminal})
	require.NoError(t, err)
}

// dump is every row of every table as text.
func (p *place) dump(t *testing.T) string {
	t.Helper()
	rows, err := p.db.Query(ctx,
		`SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE' ORDER BY 1`)
	require.NoError(t, err)
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	var all strings.Builder
	for _, table := range tables {
		var body string
		require.NoError(t, p.db.QueryRow(ctx, fmt.Sprintf(`SELECT coalesce(string_agg(r::text, E'\n'), '') FROM %s r`,
			pgx.Identifier{table}.Sanitize())).Scan(&body))
		fmt.Fprintf(&all, "== %s\n%s\n", table, body)
	}
	return all.String()
}

// money is what the law has us keep: every amount of every order, tax line and tender, and every move of stock.
func (p *place) money(t *testing.T) (all string) {
	t.Helper()
	require.NoError(t, p.db.QueryRow(ctx, `
		SELECT concat_ws(E'\n',
			(SELECT string_agg(format('%s %s %s %s %s', number, currency, lines, tax, total), ';' ORDER BY id)
				FROM orders),
			(SELECT string_agg(format('%s %s %s %s', sku, quantity, amount, tax), ';' ORDER BY id) FROM order_line),
			(SELECT string_agg(format('%s %s %s', order_line_id, paid, tax), ';' ORDER BY order_line_id, n)
				FROM order_unit),
			(SELECT string_agg(format('%s %s', kind, captured), ';' ORDER BY id) FROM tender),
			(SELECT string_agg(format('%s %s', variant_id, delta), ';' ORDER BY id) FROM stock_move))`).Scan(&all))
	return all
}

func (p *place) sound(t *testing.T) {
	t.Helper()
	findings, err := audit.Run(ctx, p.db)
	require.NoError(t, err)
	require.Empty(t, findings)
}

// idle waits until no job is left to run, because a job that is cut off may be between two rows.
func (p *place) idle(t *testing.T) {
	t.Helper()
	require.Eventually(t, func() bool {
		var left int
		require.NoError(t, p.db.QueryRow(ctx,
			`SELECT count(*) FROM river_job WHERE state IN ('available', 'running', 'retryable')`).Scan(&left))
		return left == 0
	}, 20*time.Second, 20*time.Millisecond)
}

func TestErasureIsComplete(t *testing.T) {
	p := open(t)
	who := p.canary(t)
	require.NoError(t, privacy.RequestExport(ctx, p.db, origin.Origin{Channel: origin.Web, Language: "en"}, who,
		staff.Entry{}))
	p.link(t)
	p.idle(t)
	before := p.dump(t)
	for _, trace := range traces {
		require.Contains(t, before, trace, "the canary was there")
	}
	kept := p.money(t)

	require.NoError(t, privacy.Erase(ctx, p.db, p.files, who, staff.Entry{AssociateID: p.Bea.ID}))

	// Invoices and credit notes are what tax law has a shop keep, with the buyer's name as it was written: the one
	// table that still names them.
	after := p.dump(t)
	before, paper, _ := strings.Cut(after, "== document\n")
	_, rest, _ := strings.Cut(paper, "== ")
	after = before + rest
	for _, trace := range traces {
		if i := strings.Index(after, trace); i >= 0 {
			table := after[strings.LastIndex(after[:i], "== "):i]
			t.Errorf("%q is still there, in %.40s: …%s…", trace, table, after[max(0, i-100):min(len(after), i+60)])
		}
	}
	require.NotContains(t, after, customer.DeviceValue("the cookie of the canary's phone"))
	require.Equal(t, kept, p.money(t), "money, tax and stock are as they were")
	copies, err := p.files.List("export-")
	require.NoError(t, err)
	require.Empty(t, copies, "the copy that was made is gone")
	require.True(t, fault.Is(privacy.Erase(ctx, p.db, p.files, who, staff.Entry{}), fault.NotFound),
		"nobody is forgotten twice")
	p.sound(t)
}

// TestTheCopyHasEverything reads the zip from the mailed link and finds every word of the canary's in the JSON and the
// tables.
func TestTheCopyHasEverything(t *testing.T) {
	p := open(t)
	who := p.canary(t)
	require.NoError(t, privacy.RequestExport(ctx, p.db, origin.Origin{Channel: origin.Web, Language: "en"}, who,
		staff.Entry{}))
	token := p.link(t)

	file, err := privacy.OpenExport(ctx, p.db, p.files, token)
	require.NoError(t, err)
	body, err := io.ReadAll(file)
	require.NoError(t, err)
	require.NoError(t, file.Close())
	archive, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	require.NoError(t, err)

	var tables strings.Builder
	for _, f := range archive.File {
		content, err := f.Open()
		require.NoError(t, err)
		read, err := io.ReadAll(content)
		require.NoError(t, err)
		if f.Name == "everything.json" {
			var all map[string][]map[string]any
			require.NoError(t, json.Unmarshal(read, &all))
			require.Len(t, all["orders"], 2, "of both profiles")
			for _, word := range []string{canaryName, canaryEmail, canaryPhone, canaryWords, canaryNote, canaryStreet,
				"gnomonic", "MUG-B", "OLD-MUG"} {
				require.Contains(t, string(read), word)
			}
			continue
		}
		tables.Write(read)
	}
	for _, word := range []string{canaryName, canaryEmail, canaryWords, canaryNote, canaryStreet} {
		require.Contains(t, tables.String(), word)
	}
	require.Contains(t, tables.String(), "'"+canaryPhone, "a spreadsheet takes no number for a formula")
	_, err = privacy.OpenExport(ctx, p.db, p.files, "another link")
	require.True(t, fault.Is(err, fault.NotFound))
	_, err = p.db.Exec(ctx, `UPDATE one_time SET expires_at = now() WHERE purpose = 'export'`)
	require.NoError(t, err)
	_, err = privacy.OpenExport(ctx, p.db, p.files, token)
	require.True(t, fault.Is(err, fault.NotFound), "the link expires")
}

func (p *place) link(t *testing.T) (token string) {
	t.Helper()
	shape := regexp.MustCompile(`http://shop\.example/export/(\w+)`)
	require.Eventually(t, func() bool {
		for _, m := range p.mail.Mails() {
			if found := shape.FindStringSubmatch(m.Text); found != nil && m.To == canaryEmail {
				token = found[1]
				return true
			}
		}
		return false
	}, 20*time.Second, 20*time.Millisecond)
	return token
}

// TestEveryTableOfACustomerIsInTheCopy compares the copy with the schema, so that a new table is not forgotten.
func TestEveryTableOfACustomerIsInTheCopy(t *testing.T) {
	p := open(t)
	who := p.canary(t)
	rows, err := p.db.Query(ctx, `
		SELECT DISTINCT table_name::text
		FROM information_schema.columns
		WHERE table_schema = 'public' AND column_name IN ('customer_id', 'survivor_id') AND table_name <> 'challenge'`)
	require.NoError(t, err)
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	require.NoError(t, privacy.RequestExport(ctx, p.db, origin.Origin{Channel: origin.Web, Language: "en"}, who,
		staff.Entry{}))
	file, err := privacy.OpenExport(ctx, p.db, p.files, p.link(t))
	require.NoError(t, err)
	defer file.Close()
	body, err := io.ReadAll(file)
	require.NoError(t, err)
	archive, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	require.NoError(t, err)
	for _, table := range tables {
		_, err := archive.Open(table + ".csv")
		require.NoError(t, err, "%s names a customer and is not in their copy", table)
	}
}

// TestARestoredBackupForgetsAgain brings the canary back as a backup would, beside a newcomer who got a number of the
// erased, and replays the list.
func TestARestoredBackupForgetsAgain(t *testing.T) {
	p := open(t)
	who := p.canary(t)
	p.idle(t)
	require.NoError(t, privacy.Erase(ctx, p.db, p.files, who, staff.Entry{}))

	// The backup has them with the time at which they were made; somebody else has the same number and another time.
	_, err := p.db.Exec(ctx, `UPDATE customer SET name = $2, erased_at = NULL WHERE id = $1`, who, canaryName)
	require.NoError(t, err)
	var second int64
	require.NoError(t, p.db.QueryRow(ctx,
		`UPDATE customer SET name = 'Newcomer', erased_at = NULL, merged_into = NULL, created_at = now() WHERE merged_into = $1 RETURNING id`, who).Scan(&second))

	n, err := privacy.ReapplyErasures(ctx, p.db, p.files)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	var names []string
	require.NoError(t, p.db.QueryRow(ctx, `SELECT array_agg(name ORDER BY id) FROM customer WHERE id IN ($1, $2)`, who,
		second).Scan(&names))
	require.ElementsMatch(t, []string{"", "Newcomer"}, names)
	n, err = privacy.ReapplyErasures(ctx, p.db, p.files)
	require.NoError(t, err)
	require.Zero(t, n, "a second replay finds nobody")
}

// TestForgettingWaitsForOrders races erasures with the checkout of the same person: either the order is there and they
// are, or neither.
func TestForgettingWaitsForOrders(t *testing.T) {
	p := open(t)
	for round := range 30 {
		email := fmt.Sprintf("ada%d@example.com", round)
		who, _ := sample.Account(t, p.db, "Ada", email)
		require.NoError(t, shopping.AddFor(ctx, p.db, origin.Origin{Channel: origin.Web, Language: "en"}, who,
			shopping.Item{VariantID: []int64{p.Mug, p.BlueMug}[round%2], Quantity: 1, LocationID: p.HarbourStreet.ID}))
		b, err := basket.Load(ctx, p.db, who, "en")
		require.NoError(t, err)
		if !b.Ready() {
			break // The shelves are empty; enough was raced.
		}
		var ordered, erased atomic.Int32
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				_, err := checkout.Place(ctx, p.db, origin.Origin{Channel: origin.Web, Language: "en"},
					checkout.Request{CustomerID: who, CartID: b.CartID, Expected: b.Quote.Total, Name: "Ada",
						Email: email, Pay: payment.PayAtPickup})
				if err == nil {
					ordered.Add(1)
				} else {
					assert.NotNil(t, fault.As(err), "%v", err)
				}
			})
			wg.Go(func() {
				if err := privacy.Erase(ctx, p.db, p.files, who, staff.Entry{}); err == nil {
					erased.Add(1)
				} else {
					assert.NotNil(t, fault.As(err), "%v", err)
				}
			})
		}
		wg.Wait()
		require.True(t, (ordered.Load() > 0) != (erased.Load() == 1), "round %d: %d ordered, %d erased", round,
			ordered.Load(), erased.Load())
	}
	p.sound(t)
}
