package web_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
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
