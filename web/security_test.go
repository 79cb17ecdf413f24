package web_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/staff"
	"counterpart/internal/platform/secret"
	"counterpart/internal/proof/sample"
)

// cookies of the browser by name.
func (v *visitor) cookies() map[string]string {
	u, err := url.Parse(v.base)
	require.NoError(v.t, err)
	all := map[string]string{}
	for _, c := range v.client.Jar.Cookies(u) {
		all[c.Name] = c.Value
	}
	return all
}

// member is somebody with an account and a password.
func (p *place) member(t *testing.T, email string) (id int64) {
	t.Helper()
	id, _ = sample.Account(t, p.db, "Ada", email)
	hash, err := secret.HashPassword(ctx, sample.Password)
	require.NoError(t, err)
	require.NoError(t, pgx.BeginFunc(ctx, p.db, func(tx pgx.Tx) error {
		return customer.SetPassword(ctx, tx, id,
			hash)
	}))
	return id
}

// TestSessionFixationIsRefused signs in on browsers where somebody put cookies before: every one is new after it,
// and the planted ones, and the ones from before a second sign-in, open nothing.
func TestSessionFixationIsRefused(t *testing.T) {
	p := open(t)
	p.member(t, "ada@example.com")
	const planted = "PLANTEDPLANTEDPLANTEDPLANT"
	for name, way := range map[string]struct{ cookie, path, email, inside string }{
		"shopper": {"shopper", "/sign-in", "ada@example.com", "/account"}, "staff": {"staff", "/staff/sign-in",
			p.Bea.Email, "/counter"},
	} {
		t.Run(name, func(t *testing.T) {
			v := p.visitor(t)
			v.cookie(way.cookie, planted)
			v.cookie("device", planted)
			form := url.Values{"email": {way.email}, "password": {sample.Password}}
			status, _, _ := v.post(way.path, form)
			require.Equal(t, http.StatusSeeOther, status)
			first := v.cookies()[way.cookie]
			require.NotEqual(t, planted, first)
			if name == "shopper" {
				require.NotEqual(t, planted, v.cookies()["device"])
			}
			v.post(way.path, form)
			second := v.cookies()[way.cookie]
			require.NotEqual(t, first, second)

			thief := p.visitor(t)
			thief.cookie(way.cookie, planted)
			status, _, _ = thief.get(way.inside)
			require.Equal(t, http.StatusSeeOther, status)
			thief.cookie(way.cookie, second)
			status, _, _ = thief.get(way.inside)
			require.Equal(t, http.StatusOK, status, "the test would see a cookie that opens")
			v.post(strings.Replace(way.path, "sign-in", "sign-out", 1), nil)
			status, _, _ = thief.get(way.inside)
			require.Equal(t, http.StatusSeeOther, status, "signed out is signed out everywhere this session was")
		})
	}
}

// TestCrossSiteRequestForgeryIsRefused sends every form from other origins, as somebody who may: refused, and nothing
// changes.
func TestCrossSiteRequestForgeryIsRefused(t *testing.T) {
	p := open(t)
	w := p.stage(t)
	before := p.state(t)
	sent := 0
	for _, route := range p.site.Routes().All() {
		if route.Method != http.MethodPost {
			continue
		}
		for _, head := range []http.Header{
			{"Origin": {"https://evil.example"}}, {"Origin": {"null"}}, {"Origin": {"http://sub." +
				strings.TrimPrefix(p.url,
					"http://")}}, {"Sec-Fetch-Site": {"cross-site"}}, {"Sec-Fetch-Site": {"same-site"}},
		} {
			for _, who := range []string{owner, admin} {
				r, err := http.NewRequest(http.MethodPost, p.url+w.fill[who].Replace(route.Pattern),
					strings.NewReader("sure=yes&quantity=1"))
				require.NoError(t, err)
				r.Header = head.Clone()
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				status, _, _ := w.people[who].send(r)
				sent++
				assert.Equal(t, http.StatusForbidden, status, "%s with %v as %s", route.Pattern, head, who)
			}
		}
	}
	require.Equal(t, before, p.state(t))
	t.Logf("%d forms from elsewhere refused", sent)
}

// TestOpenRedirectsAreRefused signs in with every kind of address to go to next: the answer stays on this site.
func TestOpenRedirectsAreRefused(t *testing.T) {
	p := open(t)
	p.member(t, "ada@example.com")
	for _, next := range []string{"//evil.example", `/\evil.example`, `\\evil.example`, "https://evil.example",
		"https:evil.example", "javascript:alert(1)", "/%0d%0aX: y", "/\t/evil.example", "//evil.example/%2e%2e",
		"/..//evil.example",
		"http://localhost@evil.example", "////evil.example", " //evil.example", "/\n/evil.example", strings.Repeat("/",
			600), "data:text/html,x"} {
		for path, email := range map[string]string{"/sign-in": "ada@example.com", "/staff/sign-in": p.Bea.Email} {
			_, _, location := p.visitor(t).post(path, url.Values{"email": {email}, "password": {sample.Password},
				"next": {next}})
			to, err := url.Parse(location)
			require.NoError(t, err)
			require.Empty(t, to.Host+to.Scheme, next)
			require.True(t, strings.HasPrefix(location, "/") && !strings.HasPrefix(location, "//") &&
				!strings.HasPrefix(location, `/\`), "%q → %q", next, location)
		}
	}
}

// TestRevocationTakesEffectAtOnce takes a role, a store and the whole sign-in away between two clicks.
func TestRevocationTakesEffectAtOnce(t *testing.T) {
	p := open(t)
	v := p.visitor(t)
	v.signIn(p.Bea.Email)
	status, _, _ := v.get("/admin/customers")
	require.Equal(t, http.StatusOK, status)
	change := func(sql string) {
		_, err := p.db.Exec(ctx, sql, p.Bea.ID)
		require.NoError(t, err)
	}
	change(`UPDATE associate SET role = 'associate' WHERE id = $1`)
	status, _, _ = v.get("/admin/customers")
	require.Equal(t, http.StatusForbidden, status)
	change(`DELETE FROM associate_location WHERE associate_id = $1`)
	_, _, location := v.get("/counter")
	require.Contains(t, location, "/staff/store")
	change(`UPDATE associate SET disabled_at = now() WHERE id = $1`)
	_, _, location = v.get("/counter")
	require.Contains(t, location, "/staff/sign-in")
}

// TestPINSwitchGivesNoPrivilege changes to an admin by PIN: what gives power is refused until they sign in fully.
func TestPINSwitchGivesNoPrivilege(t *testing.T) {
	p := open(t)
	ida := staff.Associate{Name: "Ida", Email: "ida@example.com", Role: staff.RoleAdmin,
		Locations: []int64{p.HarbourStreet.ID}}
	require.NoError(t, pgx.BeginFunc(ctx, p.db, func(tx pgx.Tx) error {
		if err := staff.Create(ctx, tx, &ida, sample.Password); err != nil {
			return err
		}
		return staff.SetPIN(ctx, tx, ida.ID, "4071")
	}))
	v := p.visitor(t)
	v.signIn(ida.Email)
	_, _, location := v.post("/staff/machine", url.Values{"name": {"Till 1"}, "store": {"HAR"}})
	require.Equal(t, "/staff/sign-in", location)
	v.signIn(ida.Email)
	_, _, location = v.post("/staff/change", url.Values{"associate": {fmt.Sprint(ida.ID)}, "pin": {"4071"}})
	require.Equal(t, "/admin", location)

	status, _, _ := v.get("/admin/customers")
	require.Equal(t, http.StatusOK, status)
	before := p.state(t)
	for _, path := range []string{"/admin/staff", fmt.Sprintf("/admin/staff/%d", p.Bea.ID),
		fmt.Sprintf("/admin/staff/%d/renew", p.Bea.ID), "/admin/customers/1/erase", "/admin/customers/1/unmerge",
		"/staff/machine", "/staff/second/begin"} {
		status, _, _ := v.post(path, url.Values{"sure": {"yes"}, "name": {"x"}, "store": {"HAR"}, "role": {"admin"}})
		require.Equal(t, http.StatusForbidden, status, path)
	}
	require.Equal(t, before, p.state(t))
}

// TestEveryResponseHasSecurityHeaders looks at the head of every page: a policy for scripts, no sniffing, no frames, and nothing
// kept of what is somebody's own.
func TestEveryResponseHasSecurityHeaders(t *testing.T) {
	p := open(t)
	w := p.stage(t)
	for _, route := range p.site.Routes().All() {
		if route.Method != http.MethodGet || strings.HasSuffix(route.Pattern, "/events") {
			continue
		}
		for _, who := range []string{anonymous, owner, admin} {
			answer, err := w.people[who].client.Get(p.url + w.fill[who].Replace(route.Pattern))
			require.NoError(t, err)
			answer.Body.Close()
			head := answer.Header
			require.Contains(t, head.Get("Content-Security-Policy"), "script-src 'self'", route.Pattern)
			require.NotContains(t, head.Get("Content-Security-Policy"), "unsafe", route.Pattern)
			require.Equal(t, []string{"nosniff", "same-origin", "same-origin"},
				[]string{head.Get("X-Content-Type-Options"), head.Get("Referrer-Policy"),
					head.Get("Cross-Origin-Opener-Policy")}, route.Pattern)
			if route.Pattern == "/look.css" {
				continue // The shop's colours are everybody's, and their address says which.
			}
			if who == owner || !slices.Contains([]string{"anyone"}, route.Permission.Name) {
				require.Equal(t, "no-store", head.Get("Cache-Control"), "%s as %s", route.Pattern, who)
			}
		}
	}
}

// TestInsecureDirectObjectReferencesAreRefused puts ids of somebody else's things into addresses and forms, where the policy lets the
// sender in: they are not there, and nothing changes.
func TestInsecureDirectObjectReferencesAreRefused(t *testing.T) {
	p := open(t)
	w := p.stage(t)
	one := func(query string) (id int64) {
		require.NoError(t, p.db.QueryRow(ctx, query).Scan(&id), query)
		return id
	}
	address, note := one(`SELECT id FROM address`), one(`SELECT id FROM note`)
	identity := one(`SELECT id FROM identity WHERE kind = 'phone' AND verified_at IS NULL ORDER BY id LIMIT 1`)
	ada, ben := one(`SELECT customer_id FROM identity WHERE value = 'ada@example.com' AND verified_at IS NOT NULL`), one(`SELECT customer_id FROM identity WHERE value = 'ben@example.com'`)
	line := one(fmt.Sprintf(`SELECT min(l.id) FROM cart_line l JOIN cart c ON c.id = l.cart_id WHERE c.customer_id = %d`, ada))
	cart := one(fmt.Sprintf(`SELECT id FROM cart WHERE customer_id = %d`, ada))
	require.NoError(t, pgx.BeginFunc(ctx, p.db, func(tx pgx.Tx) error {
		_, err := customer.BeginMerge(ctx, tx, customer.Merge{SurvivorID: ada,
			AbsorbedID: one(`SELECT max(id) FROM customer WHERE registered_at IS NULL AND merged_into IS NULL`),
			Proof:      customer.ByCode})
		return err
	}))
	merge := one(`SELECT id FROM merge`)
	at := fmt.Sprintf("/counter/customers/%d", ben)
	before := p.state(t)
	for _, try := range []struct {
		who, path string
		form      url.Values
	}{
		{otherShopper, "/account/addresses", url.Values{"id": {fmt.Sprint(address)}, "name": {"Ben"},
			"lines": {"1 Mill Lane"}, "town": {"Leeds"}, "country": {"GB"}}},
		{otherShopper, fmt.Sprintf("/account/addresses/%d/remove", address), nil}, {otherShopper,
			fmt.Sprintf("/cart/lines/%d", line), url.Values{"quantity": {"9"}}}, {otherShopper,
			fmt.Sprintf("/cart/lines/%d/later", line), nil},
		{otherShopper, fmt.Sprintf("/list/%d/cart", p.Mug), nil}, {guestOwnLink, fmt.Sprintf("/cart/lines/%d", line),
			url.Values{"quantity": {"9"}}},
		{manager, at + fmt.Sprintf("/lines/%d", line), url.Values{"quantity": {"9"}}}, {manager,
			at + fmt.Sprintf("/notes/%d/close", note), nil}, {manager,
			at + fmt.Sprintf("/identities/%d/remove", identity), nil},
		{manager, fmt.Sprintf("/admin/customers/%d/unmerge", ben),
			url.Values{"merge": {fmt.Sprint(merge)}, "reason": {"x"}}},
		{manager, fmt.Sprintf("/counter/customers/%d/merge/%d", ben, p.Bea.ID+1000),
			url.Values{"manager": {"1"}, "pin": {"1"}, "reason": {"x"}}},
	} {
		status, _, _ := w.people[try.who].post(try.path, try.form)
		require.Equal(t, http.StatusNotFound, status, "%s %s", try.who, try.path)
	}
	status, body, _ := w.people[otherShopper].post("/checkout",
		url.Values{"cart": {fmt.Sprint(cart)}, "total": {"18900"}, "name": {"Ben"}, "email": {"ben@example.com"},
			"pay": {"pay_at_pickup"}})
	require.Equal(t, http.StatusConflict, status)
	require.NotContains(t, body, "/orders/")
	status, _, _ = w.people[otherShopper].post("/account/phone/code", url.Values{"question": {"1"}, "code": {"000000"}})
	require.Equal(t, http.StatusUnprocessableEntity, status)
	_, err := p.db.Exec(ctx,
		`DELETE FROM timeline WHERE kind = 'opened'`) // That the manager looked is written down, as it should be.
	require.NoError(t, err)
	require.Equal(t, before, p.state(t))
}
