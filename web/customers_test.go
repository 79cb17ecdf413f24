package web_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"counterpart/internal/domain/staff"
	"counterpart/internal/proof/sample"
)

func TestACustomerIsWrittenDownAndKept(t *testing.T) {
	p := open(t)
	boss := p.boss(t, "ida@example.com")
	status, body, _ := boss.post("/admin/customers", url.Values{"name": {""}, "email": {"nobody"}, "language": {"en"},
		"vat_number": {"!"}})
	require.Equal(t, http.StatusUnprocessableEntity, status)
	for _, sentence := range []string{"Enter a name", "valid email address", "Enter a VAT number"} {
		require.Contains(t, body, sentence)
	}
	require.Contains(t, body, `value="nobody"`)
	status, _, address := boss.post("/admin/customers", url.Values{"name": {"Ben Fairfax"}, "email": {"ben@example.com"},
		"language": {"en"}, "company": {"Fairfax & Sons"}, "vat_number": {"gb 123 4567 89"}})
	require.Equal(t, http.StatusSeeOther, status)
	path, _, _ := strings.Cut(address, "?")
	_, body, _ = boss.get(path)
	require.Contains(t, body, `value="Fairfax &amp; Sons"`)
	require.Contains(t, body, `value="GB123456789"`)

	// Two people, one customer.
	joe := p.boss(t, "joe@example.com")
	idas, joes := formOf(t, body, path), formOf(t, body, path)
	idas.Set("name", "Benjamin Fairfax")
	joes.Set("name", "B. Fairfax")
	joes.Set("company", "")
	status, _, _ = boss.post(path, idas)
	require.Equal(t, http.StatusSeeOther, status)
	status, body, _ = joe.post(path, joes)
	require.Equal(t, http.StatusConflict, status)
	require.Contains(t, body, "Someone else saved: Benjamin Fairfax")

	status, _, _ = boss.post(path+"/addresses", url.Values{"to_name": {"Ben"}, "lines": {"1 Mill Lane"}, "town": {"Leeds"},
		"country": {"gb"}})
	require.Equal(t, http.StatusSeeOther, status)
	status, body, _ = boss.post(path+"/addresses", url.Values{"to_name": {""}, "lines": {"1 Mill Lane"}})
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Contains(t, body, "recipient’s name")

	// Credit has a reason and, for all but admins, a limit; it is given as often as it was meant.
	manager := staff.Associate{Name: "Mia", Email: "mia@example.com", Role: staff.RoleManager,
		Locations: []int64{p.HarbourStreet.ID}}
	require.NoError(t, pgx.BeginFunc(ctx, p.db, func(tx pgx.Tx) error {
		return staff.Create(ctx, tx, &manager, sample.Password)
	}))
	mia := p.visitor(t)
	mia.signIn(manager.Email)
	give := func(who *visitor, amount, reason string) (int, string) {
		status, body, _ := who.post(path+"/credit", url.Values{"credit_amount": {amount}, "credit_currency": {"GBP"},
			"credit_reason": {reason}})
		return status, body
	}
	status, body = give(mia, "5000", "sorry")
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Contains(t, body, "Ask an admin")
	status, _ = give(boss, "10", "")
	require.Equal(t, http.StatusUnprocessableEntity, status)
	var giving sync.WaitGroup
	for range 8 {
		giving.Go(func() {
			status, body := give(mia, "2.50", "late delivery")
			assert.Equal(t, http.StatusSeeOther, status, body)
		})
	}
	giving.Wait()
	var balance int64
	require.NoError(t, p.db.QueryRow(ctx, `SELECT sum(balance) FROM credit`).Scan(&balance))
	require.EqualValues(t, 2000, balance)
	p.sound(t)
}

func TestAGiftCardIsGivenAndStopped(t *testing.T) {
	p := open(t)
	boss := p.boss(t, "ida@example.com")
	status, _, _ := boss.post("/admin/gift-cards", url.Values{"amount": {"25"}, "currency": {"GBP"},
		"to": {"ben@example.com"}, "reason": {"competition"}})
	require.Equal(t, http.StatusSeeOther, status)
	_, body, _ := boss.get("/admin/gift-cards?q=ben@example.com")
	require.Contains(t, body, "£25.00")
	require.Contains(t, body, "competition")
	var id int64
	require.NoError(t, p.db.QueryRow(ctx, `SELECT id FROM gift_card`).Scan(&id))
	stop := fmt.Sprintf("/admin/gift-cards/%d/disable", id)
	status, _, _ = boss.post(stop, url.Values{"reason": {" "}})
	require.Equal(t, http.StatusUnprocessableEntity, status)
	var stopping sync.WaitGroup
	for range 6 {
		stopping.Go(func() {
			status, _, _ := boss.post(stop, url.Values{"reason": {"sent to the wrong person"}})
			assert.Contains(t, []int{http.StatusSeeOther, http.StatusConflict}, status)
		})
	}
	stopping.Wait()
	p.sound(t)
}

// TestWhatIsGivenIsGivenOnceAndWithinADaysLimit sends forms twice and more at the same time, and as a manager up to the
// limit of a day, which gift cards and credit share.
func TestWhatIsGivenIsGivenOnceAndWithinADaysLimit(t *testing.T) {
	p := open(t)
	boss := p.boss(t, "ida@example.com")
	ada, _ := sample.Account(t, p.db, "Ada", "ada@example.com")
	count := func(table string) (n int) {
		require.NoError(t, p.db.QueryRow(ctx, `SELECT count(*) FROM `+table).Scan(&n))
		return n
	}
	_, body, _ := boss.get("/admin/gift-cards")
	card := url.Values{"form": {regexp.MustCompile(`name="form" value="(\w+)"`).FindStringSubmatch(body)[1]}}
	for name, value := range map[string]string{"amount": "7", "currency": "GBP", "to": "ben@example.com", "reason": "competition"} {
		card.Set(name, value)
	}
	_, body, _ = boss.get(fmt.Sprintf("/admin/customers/%d", ada))
	credit := formOf(t, body, fmt.Sprintf("/admin/customers/%d/credit", ada))
	for name, value := range map[string]string{"credit_amount": "7.77", "credit_currency": "GBP", "credit_reason": "sorry"} {
		credit.Set(name, value)
	}
	people := count("customer")
	_, body, _ = boss.get("/admin/customers/new")
	customer := formOf(t, body, "/admin/customers")
	customer.Set("name", "Carl Twice")
	var sending sync.WaitGroup
	for range 5 {
		for path, form := range map[string]url.Values{"/admin/gift-cards": card, "/admin/customers": customer,
			fmt.Sprintf("/admin/customers/%d/credit", ada): credit} {
			sending.Go(func() {
				status, _, _ := boss.post(path, form)
				assert.Equal(t, http.StatusSeeOther, status, path)
			})
		}
	}
	sending.Wait()
	require.Equal(t, []int{1, 1, people + 1}, []int{count("gift_card"), count("credit_entry"), count("customer")})
	card.Set("form", "another")
	card.Set("currency", "JPY")
	status, body, _ := boss.post("/admin/gift-cards", card)
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Contains(t, body, "Choose from the list.", "no store sells in it")

	manager := staff.Associate{Name: "Hal", Email: "hal@example.com", Role: staff.RoleManager, Locations: []int64{p.HarbourStreet.ID}}
	require.NoError(t, pgx.BeginFunc(ctx, p.db, func(tx pgx.Tx) error { return staff.Create(ctx, tx, &manager, sample.Password) }))
	hal := p.visitor(t)
	hal.signIn(manager.Email)
	var limit int64
	require.NoError(t, p.db.QueryRow(ctx, `SELECT coalesce((SELECT amount FROM refund_limit WHERE currency = 'GBP'), 10000)`).Scan(&limit))
	half := fmt.Sprintf("%d.00", limit/200)
	var given, refused atomic.Int64
	for i := range 6 {
		sending.Go(func() {
			path, form := "/admin/gift-cards", url.Values{"amount": {half}, "currency": {"GBP"}, "to": {"ben@example.com"}, "reason": {"competition"}}
			if i%2 == 0 {
				path, form = fmt.Sprintf("/admin/customers/%d/credit", ada), url.Values{"credit_amount": {half}, "credit_currency": {"GBP"}, "credit_reason": {"sorry"}}
			}
			status, _, _ := hal.post(path, form)
			map[int]*atomic.Int64{http.StatusSeeOther: &given, http.StatusUnprocessableEntity: &refused}[status].Add(1)
		})
	}
	sending.Wait()
	require.Equal(t, []int64{2, 4}, []int64{given.Load(), refused.Load()}, "twice half a day's limit")
	p.sound(t)
}
