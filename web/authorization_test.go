package web_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/staff"
	"counterpart/internal/domain/task"
	"counterpart/internal/flow/person"
	"counterpart/internal/proof/sample"
)

// The twelve who come to every route.
const (
	anonymous         = "anonymous"
	guestOwnLink      = "guest with own link"
	guestOtherLink    = "guest with another's"
	owner             = "owner"
	otherShopper      = "other shopper"
	disabledShopper   = "disabled shopper"
	associateHere     = "associate of this store"
	associateThere    = "associate of another store"
	manager           = "manager"
	admin             = "admin"
	disabledAssociate = "disabled associate"
	unknownDevice     = "unknown device"
)

var principals = []string{anonymous, guestOwnLink, guestOtherLink, owner, otherShopper, disabledShopper, associateHere,
	associateThere, manager, admin, disabledAssociate, unknownDevice}

// What a request is answered: let in, sent to one of the two sign-ins, told that it is not for them, or that there is
// no such thing.
const (
	in          = "in"
	signIn      = "sign-in"
	staffSignIn = "staff sign-in"
	denied      = "403"
	absent      = "404"
)

// byPolicy is who each policy lets in; nobody else.
var byPolicy = map[string]map[string]string{
	"anyone":        all(in),
	"own link":      only(absent, nil, guestOwnLink),
	"shopper":       only(signIn, nil, owner, otherShopper),
	"enrolling":     only(staffSignIn, nil, associateHere, associateThere, manager, admin),
	"staff":         only(staffSignIn, nil, associateHere, associateThere, manager, admin),
	"counter":       only(staffSignIn, nil, associateHere, associateThere, manager, admin),
	"stockroom":     only(staffSignIn, nil, associateHere, associateThere, manager, admin),
	"manage":        only(staffSignIn, []string{associateHere, associateThere}, manager, admin),
	"stock":         only(staffSignIn, []string{associateHere, associateThere}, manager, admin),
	"people":        only(staffSignIn, []string{associateHere, associateThere}, manager, admin),
	"office":        only(staffSignIn, []string{associateHere, associateThere}, manager, admin),
	"manage, fully": only(staffSignIn, []string{associateHere, associateThere}, manager, admin),
	"admin, fully":  only(staffSignIn, []string{associateHere, associateThere, manager}, admin),
	"market":        only(staffSignIn, []string{associateHere, associateThere, manager}, admin),
	"admin":         only(staffSignIn, []string{associateHere, associateThere, manager}, admin),
}

func all(answer string) map[string]string {
	m := map[string]string{}
	for _, p := range principals {
		m[p] = answer
	}
	return m
}

func only(otherwise string, refused []string, letIn ...string) map[string]string {
	m := all(otherwise)
	for _, p := range refused {
		m[p] = denied
	}
	for _, p := range letIn {
		m[p] = in
	}
	return m
}

// owned are routes whose address names something that belongs to one principal, or to one store: for everybody else
// whom the policy lets in it is not there.
var owned = map[string][]string{
	"POST /cart/lines/{id}": {owner}, "POST /cart/lines/{id}/later": {owner}, "POST /list/{variant}/cart": {owner},
	"POST /account/passkeys/{id}/remove": {}, "POST /account/addresses/{id}/remove": {owner},
	"POST /cart/lines/{id}/way": {owner}, "POST /cart/lines/{id}/note": {owner}, "GET /carts/{word}": {},
	"POST /carts/{word}": {}, "POST /counter/pickups/{id}/send": {associateHere, manager, admin},
	"POST /orders/{link}/extend": {}, // nothing of it is held
	"GET /counter/sales/{id}":    {associateHere, manager, admin}, "POST /counter/sales/{id}/scan": {associateHere,
		manager, admin}, "POST /counter/sales/{id}/lines/{line}": {associateHere, manager, admin},
	"POST /counter/sales/{id}/towards": {associateHere, manager,
		admin}, "POST /counter/sales/{id}/attach": {associateHere, manager,
		admin}, "POST /counter/sales/{id}/pay": {associateHere, manager, admin},
	"POST /counter/tasks/{id}/take": {associateHere, manager, admin}, "POST /counter/tasks/{id}/done": {associateHere,
		manager, admin},
	// it is no sale that waits for its payment
	"POST /counter/orders/{id}/give": {}, "POST /counter/orders/{id}/void": {},
	"GET /admin/orders/{id}": {}, "GET /admin/orders/{id}/slip/{part}": {}, "POST /admin/orders/{id}/hold": {},
	"POST /admin/orders/{id}/release": {}, "POST /admin/orders/{id}/contact": {}, "POST /admin/orders/{id}/tags": {},
	"POST /admin/orders/{id}/notes": {}, "POST /admin/orders/{id}/mail": {},
	"POST /admin/orders/{id}/parts/{part}/address": {}, "POST /admin/orders/{id}/parts/{part}/tracking": {},
	"POST /admin/orders/{id}/parcels/{parcel}/remove": {}, "POST /admin/orders/{id}/lines/{line}/cancel": {},
	"GET /admin/orders/drafts/{id}": {}, "POST /admin/orders/drafts/{id}": {}, "POST /admin/orders/drafts/{id}/drop": {},
	"POST /admin/orders/{id}/cancel": {}, "POST /admin/orders/{id}/refund": {},
	"POST /admin/orders/{id}/lines/{line}/move": {}, "GET /admin/promotions/{id}": {}, "POST /admin/promotions/{id}": {},
	"POST /admin/promotions/{id}/copy": {},
	"POST /admin/promotions/{id}/move": {}, "POST /admin/promotions/{id}/codes": {},
	"POST /admin/payments/{id}/close":                {admin},
	"GET /orders/{link}/documents/{series}/{number}": {},
	"GET /orders/{link}/receipt":                     {}, // it is not paid
	"GET /orders/{link}/receipt.pdf":                 {},
	"GET /cart/events":                               {owner, guestOwnLink, guestOtherLink, otherShopper},
	"GET /setup":                                     {}, "POST /setup": {}, "POST /sign-in/passkey": {},
	"POST /sign-in/passkey/ask": {}, "POST /account/passkeys/ask": {}, "POST /account/passkeys": {},
	"POST /staff/sign-in/passkey": principals, "POST /staff/second/passkey": {}, "POST /staff/second/passkey/keep": {},
	"POST /staff/store":         {},
	"GET /counter/pickups/{id}": {associateHere, manager, admin}, "POST /counter/pickups/{id}/ready": {associateHere,
		manager, admin}, "POST /counter/pickups/{id}/missing": {}, "POST /counter/pickups/{id}/pick": {associateHere,
		manager, admin},
	"POST /counter/pickups/{id}/choose": {associateHere, manager,
		admin}, "POST /counter/pickups/{id}/handover": {associateHere, manager,
		admin}, "POST /counter/pickups/{id}/cancel": {associateHere, manager, admin},
	"POST /counter/customers/{id}/lines/{line}": {associateHere, associateThere, manager, admin},
	"POST /counter/customers/{id}/identities/{identity}/remove": {associateHere, associateThere, manager,
		admin}, "POST /counter/customers/{id}/notes/{note}/close": {associateHere, associateThere, manager, admin},
	"POST /counter/customers/{id}/hints": {associateHere, associateThere, manager, admin},
	"GET /notices/{token}":               {}, "POST /notices/{token}": {}, "POST /account/notices/{id}/withdraw": {},
	"GET /counter/customers/{id}/history":                    {associateHere, associateThere, manager, admin},
	"POST /counter/customers/{id}/client":                    {associateHere, associateThere, manager, admin},
	"POST /counter/customers/{id}/reminders":                 {associateHere, associateThere, manager, admin},
	"POST /counter/customers/{id}/reminders/{reminder}/done": {}, "POST /counter/book/{reminder}/done": {},
	"POST /counter/customers/{id}/messages": {associateHere, associateThere, manager, admin},
	"POST /admin/suggestions/{reason}":      {},
	"GET /admin/tiers/{id}":                 {}, "POST /admin/tiers/{id}": {}, "POST /admin/tiers/{id}/archive": {},
	"POST /counter/customers/{id}/points":        {associateHere, associateThere, manager, admin},
	"POST /counter/customers/{id}/points/revive": {associateHere, associateThere, manager, admin},
	"GET /admin/suggestions/places/{place}":      {}, "POST /admin/suggestions/places/{place}": {},
	"GET /admin/segments/{id}": {}, "POST /admin/segments/{id}": {}, "POST /admin/segments/{id}/archive": {},
	"POST /counter/customers/{id}/list/{variant}/cart": {}, "POST /admin/customers/{id}/unmerge": {},
	"POST /admin/devices/{id}/revoke": {manager, admin}, "POST /admin/devices/{id}/unlock": {manager, admin},
	"POST /admin/stock/{location}/{variant}/receive": {manager,
		admin}, "POST /admin/stock/{location}/{variant}/count": {manager,
		admin}, "GET /admin/stock/{location}/{variant}": {manager, admin},
	"POST /admin/customers/{id}/addresses/{address}/remove": {},
	"POST /admin/stock/{location}/{variant}/move":           {manager, admin},
	"POST /admin/stock/{location}/{variant}/shelf":          {manager, admin},
	"POST /admin/products/{id}/pictures/{picture}":          {}, "POST /admin/departments/{id}/move": {}, "POST /admin/places/{id}": {}, "POST /admin/views/{id}/remove": {}, "GET /files/{id}": {},
	"POST /admin/products/{id}/files/{file}/remove": {}, "POST /admin/settings/tax/plans/{plan}/remove": {},
	"GET /pages/{slug}": {}, "GET /brand/{key}": {}, "GET /admin/pages/{id}": {}, "POST /admin/pages/{id}": {},
}

// once are links that work once: the table asks for them with one that was used.
var once = []string{"{token}"}

// TestAuthorizationMatrix sends every route as each of the twelve, first where it has to be refused, with what it changed
// looked at after each, then where it is let in. A route whose policy the table does not know fails.
func TestAuthorizationMatrix(t *testing.T) {
	p := open(t)
	w := p.stage(t)
	asked, refused, done := 0, 0, map[string]bool{}
	before := p.state(t)
	for _, letIn := range []bool{false, true} {
		for _, route := range p.site.Routes().All() {
			name := route.Method + " " + route.Pattern
			expected, known := byPolicy[route.Permission.Name]
			require.True(t, known, "%s: the table does not know the policy %q", name, route.Permission.Name)
			for _, who := range principals {
				want := expected[who]
				if owners, ok := owned[name]; ok && want == in && !slices.Contains(owners, who) {
					want = absent
				}
				if slices.ContainsFunc(once, func(part string) bool { return strings.Contains(route.Pattern, part) }) {
					want = absent
				}
				if (want == in) != letIn || letIn && leaves(name) {
					continue
				}
				status, body, location := w.send(who, route.Method, route.Pattern)
				asked++
				got := answer(status, location)
				if want == in && route.Method == http.MethodPost && got == absent &&
					(!strings.Contains(route.Pattern, "{") || done[name]) {
					// An empty form of something that has no address named nothing; and what one of them took away is
					// gone for the next.
					got = in
				}
				done[name] = done[name] || got == in
				if !assert.Equal(t, want, got, "%s as %s: %d %s", name, who, status, location) && testing.Verbose() {
					t.Log(body)
				}
				if !letIn {
					refused++
					if after := p.state(t); !assert.Equal(t, before, after,
						"%s as %s was refused and changed something", name, who) {
						before = after
					}
				}
			}
		}
	}
	t.Logf("%d routes × %d principals: %d requests asked, %d of them refused, no row changed by those",
		len(p.site.Routes().All()), len(principals), asked, refused)
	_, err := p.db.Exec(ctx,
		`DELETE FROM session`) // Two were shut out behind the back of the verbs, which end sessions.
	require.NoError(t, err)
	p.sound(t)
}

// leaves says whether a route, let in, would end what the table stands on: a sign-out, somebody being forgotten.
func leaves(name string) bool {
	for _, part := range []string{"sign-out", "/staff/lock", "/events", "/erase", "/renew", "/revoke", "/staff/machine",
		"POST /staff/sign-in", "/remember"} {
		if strings.Contains(name, part) {
			return true
		}
	}
	return false
}

func answer(status int, location string) string {
	switch {
	case status == http.StatusSeeOther && strings.HasPrefix(location, "/sign-in?"):
		return signIn
	case status == http.StatusSeeOther && strings.HasPrefix(location, "/staff/sign-in?"):
		return staffSignIn
	case status == http.StatusForbidden:
		return denied
	case status == http.StatusNotFound:
		return absent
	case status < 500:
		return in
	}
	return fmt.Sprint(status)
}

// world is the twelve with what belongs to them.
type world struct {
	*place
	people map[string]*visitor
	fill   map[string]*strings.Replacer // by principal
}

func (p *place) stage(t *testing.T) *world {
	w := &world{place: p, people: map[string]*visitor{}, fill: map[string]*strings.Replacer{}}
	for _, who := range principals {
		w.people[who] = p.visitor(t)
	}
	own, other := w.people[guestOwnLink], w.people[guestOtherLink]
	_, _, link := own.post("/checkout", own.fill(p, p.Mug))
	require.Contains(t, link, "/orders/")
	own.fill(p, p.BlueMug)
	other.fill(p, p.Mug)
	var fulfilment int64
	require.NoError(t, p.db.QueryRow(ctx, `SELECT id FROM fulfilment`).Scan(&fulfilment))

	customers := map[string]int64{}
	for who, email := range map[string]string{owner: "ada@example.com", otherShopper: "ben@example.com",
		disabledShopper: "cora@example.com"} {
		id, token := sample.Account(t, p.db, who, email)
		customers[who] = id
		w.people[who].cookie("shopper", token)
		if who == disabledShopper {
			require.NoError(t, pgx.BeginFunc(ctx, p.db, func(tx pgx.Tx) error {
				return customer.SetDisabled(ctx, tx, id,
					true)
			}))
		}
	}
	w.people[owner].fill(p, p.Coat)
	w.people[owner].fill(p, p.Mug)
	w.people[otherShopper].fill(p, p.BlueMug)
	w.people[owner].post("/list", url.Values{"variant": {fmt.Sprint(p.Mug)}})
	require.NoError(t, person.SaveAddress(ctx, p.db, customers[owner],
		customer.Address{Name: "Ada", Lines: "1 Mill Lane", Town: "Leeds", Country: "GB"}))

	hire := func(name, role string, at int64) staff.Associate {
		a := staff.Associate{Name: name, Email: strings.ReplaceAll(name, " ", "") + "@example.com", Role: role,
			Locations: []int64{at}}
		require.NoError(t, pgx.BeginFunc(ctx, p.db, func(tx pgx.Tx) error {
			return staff.Create(ctx, tx, &a,
				sample.Password)
		}))
		w.people[name].signIn(a.Email)
		return a
	}
	here := hire(associateHere, staff.RoleAssociate, p.HarbourStreet.ID)
	hire(associateThere, staff.RoleAssociate, p.MillLane.ID)
	hire(manager, staff.RoleManager, p.HarbourStreet.ID)
	hire(admin, staff.RoleAdmin, p.HarbourStreet.ID)
	gone := hire(disabledAssociate, staff.RoleAdmin, p.HarbourStreet.ID)
	_, err := p.db.Exec(ctx, `UPDATE associate SET disabled_at = now() WHERE id = $1`, gone.ID)
	require.NoError(t, err)
	for _, name := range []string{"machine", "staff", "shopper", "device"} {
		w.people[unknownDevice].cookie(name, "MADEUPMADEUPMADEUPMADEUPMA")
	}

	at := origin.Origin{Channel: origin.Counter, AssociateID: here.ID, LocationID: p.HarbourStreet.ID}
	require.NoError(t, person.AddNote(ctx, p.db, at, customers[owner], "alert", "waits for a call"))
	require.NoError(t, person.AddIdentity(ctx, p.db, at, customers[owner], "0113 496 0999", "GB"))
	require.NoError(t, person.AddIdentity(ctx, p.db, at, customers[otherShopper], "0113 496 0999", "GB"))
	var device int64
	require.NoError(t, pgx.BeginFunc(ctx, p.db, func(tx pgx.Tx) (err error) {
		device, _, err = staff.RegisterDevice(ctx, tx, "Till 1", p.HarbourStreet.ID, p.Bea.ID)
		return err
	}))
	one := func(query string) (id int64) {
		require.NoError(t, p.db.QueryRow(ctx, query, customers[owner]).Scan(&id), query)
		return id
	}
	line := one(`SELECT min(l.id) FROM cart_line l JOIN cart c ON c.id = l.cart_id WHERE c.customer_id = $1`)
	address, note := one(`SELECT id FROM address WHERE customer_id = $1`), one(`SELECT id FROM note WHERE customer_id = $1`)
	require.NoError(t, person.AddIdentity(ctx, p.db, at, customers[owner], "old@example.com", "GB"))
	identity := one(`SELECT id FROM identity WHERE customer_id = $1 AND verified_at IS NULL AND kind = 'email'`)
	_, _, sale := w.people[associateHere].post("/counter/sales", nil)
	require.Contains(t, sale, "/counter/sales/")
	w.people[associateHere].post(sale+"/scan", url.Values{"article": {"MUG-W"}})
	sold := one(`SELECT max(id) FROM cart_line WHERE sold_at IS NOT NULL AND $1::bigint IS NOT NULL`)
	require.NoError(t, pgx.BeginFunc(ctx, p.db, func(tx pgx.Tx) error {
		return task.Add(ctx, tx, task.New{LocationID: p.HarbourStreet.ID, Kind: task.Recount, Cause: "variant:1",
			VariantID: p.Mug, DueAt: time.Now()})
	}))
	job := one(`SELECT id FROM task WHERE $1::bigint IS NOT NULL`)
	for _, who := range principals {
		to := strings.TrimPrefix(link, "/orders/")
		if who != guestOwnLink {
			to = strings.Repeat("A", len(to))
		}
		w.fill[who] = strings.NewReplacer(
			"/cart/lines/{id}/later", fmt.Sprintf("/cart/lines/%d/later",
				line+1), "/list/{variant}/remove", fmt.Sprintf("/list/%d/remove", p.BlueMug),
			"/cart/lines/{id}", fmt.Sprintf("/cart/lines/%d",
				line), "/account/addresses/{id}", fmt.Sprintf("/account/addresses/%d",
				address), "/account/passkeys/{id}", "/account/passkeys/1",
			"/counter/sales/{id}/lines/{line}", fmt.Sprintf("%s/lines/%d", sale,
				sold), "/counter/sales/{id}", sale, "/counter/tasks/{id}", fmt.Sprintf("/counter/tasks/%d", job),
			"/counter/customers/{id}", fmt.Sprintf("/counter/customers/%d",
				customers[owner]), "/admin/customers/{id}", fmt.Sprintf("/admin/customers/%d", customers[owner]),
			"/counter/orders/{id}", fmt.Sprintf("/counter/orders/%d",
				one(`SELECT id FROM orders WHERE $1::bigint IS NOT NULL`)), "{word}", "AAAA",
			"/counter/pickups/{id}", fmt.Sprintf("/counter/pickups/%d",
				fulfilment), "/admin/staff/{id}", fmt.Sprintf("/admin/staff/%d",
				here.ID), "/admin/devices/{id}", fmt.Sprintf("/admin/devices/%d", device),
			"/admin/products/{id}", "/admin/products/1", "/admin/promotions/{id}", "/admin/promotions/1", "{coupon}",
			"1", "/admin/variants/{id}", fmt.Sprintf("/admin/variants/%d", p.Mug), "{other}",
			fmt.Sprint(customers[otherShopper]), "{line}", fmt.Sprint(line),
			"{identity}", fmt.Sprint(identity), "{note}", fmt.Sprint(note), "{variant}", fmt.Sprint(p.Mug),
			"{location}", "HAR", "{sku}", "MUG-W", "/p/{slug}", "/p/mug", "/d/{slug}", "/d/kitchen", "{slug}",
			"harbour-street",
			"{link}", to, "{token}", "AAAAAAAAAAAAAAAAAAAAAAAAAA")
	}
	return w
}

func (w *world) send(who, method, pattern string) (status int, body, location string) {
	path := w.fill[who].Replace(pattern)
	if method == http.MethodGet && strings.HasSuffix(path, "/events") {
		return w.people[who].glance(path)
	}
	if method == http.MethodGet {
		return w.people[who].get(path)
	}
	return w.people[who].post(path, url.Values{"quantity": {"1"}, "back": {"/"}, "way": {"ship"}})
}

// glance asks for a stream and leaves when its head has come.
func (v *visitor) glance(path string) (int, string, string) {
	answer, err := v.client.Get(v.base + path)
	require.NoError(v.t, err)
	answer.Body.Close()
	return answer.StatusCode, "", answer.Header.Get("Location")
}

// state is every row that a refused request could have touched, as one hash: all our tables but those that count tries
// and say who was here.
func (p *place) state(t *testing.T) (hash string) {
	t.Helper()
	var query string
	require.NoError(t, p.db.QueryRow(ctx, `
		SELECT 'SELECT md5(string_agg(h, ''|'')) FROM (' || string_agg(format('(SELECT %L || coalesce(md5(string_agg(r::text, ''|'' ORDER BY r::text)), '''') AS h FROM %I r)', table_name, table_name), ' UNION ALL ' ORDER BY table_name) || ') every'
		FROM information_schema.tables
		WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND table_name !~ '^river_'
			AND table_name !~ '^browse_event_' AND table_name NOT IN ('try', 'session', 'challenge',
			'schema_migrations')`).Scan(&query))
	require.NoError(t, p.db.QueryRow(ctx, query).Scan(&hash))
	return hash
}
