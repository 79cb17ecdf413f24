package web_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"counterpart/internal/domain/staff"
	"counterpart/internal/proof/sample"
)

// hire is somebody with a role who is signed in.
func (p *place) hire(t testing.TB, name, role string, places ...int64) *visitor {
	t.Helper()
	a := staff.Associate{Name: name, Email: strings.ToLower(name) + "@example.com", Role: role, Locations: places}
	require.NoError(t, pgx.BeginFunc(ctx, p.db, func(tx pgx.Tx) error {
		return staff.Create(ctx, tx, &a, sample.Password)
	}))
	v := p.visitor(t)
	v.signIn(a.Email)
	return v
}

// TestOrdersInTheAdmin finds orders by everything that the list can be narrowed by, goes through its pages without a
// gap, and shows a manager those of their own stores only.
func TestOrdersInTheAdmin(t *testing.T) {
	p := open(t)
	admin := p.hire(t, "Ida", staff.RoleAdmin)
	here := p.hire(t, "Hal", staff.RoleManager, p.HarbourStreet.ID)
	there := p.hire(t, "Mia", staff.RoleManager, p.MillLane.ID)

	_, body, _ := admin.get("/admin/orders")
	require.Contains(t, body, "No orders yet")
	shopper := p.visitor(t)
	form := shopper.fill(p, p.Mug)
	form.Set("name", "=HYPERLINK(1)")
	_, _, to := shopper.post("/checkout", form)
	public := strings.TrimPrefix(to, "/orders/")
	var id, number int64
	require.NoError(t, p.db.QueryRow(ctx, `SELECT id, number FROM orders WHERE public_id = $1`, public).Scan(&id,
		&number))

	row := fmt.Sprintf(`href="/admin/orders/%d"`, id)
	for query, found := range map[string]bool{
		"": true, fmt.Sprint("q=", number): true, "q=MUG-W": true, "q=hyperlink": true, "q=nobody": false,
		"q=" + url.QueryEscape(form.Get("email")): true, "q=other@example.com": false, "state=confirmed": true,
		"state=cancelled": false, "payment=due": true, "payment=paid": false, "fulfilment=to_pick": true,
		"fulfilment=ready": false, "channel=web": true, "channel=counter": false, "store=HAR": true, "store=MIL": false,
		"returned=1": false, "late=1": false, "from=2020-01-01": true, "to=2020-01-01": false,
		"state=nonsense": true, "from=nonsense": true,
	} {
		status, body, _ := admin.get("/admin/orders?" + query)
		require.Equal(t, http.StatusOK, status, query)
		require.Equal(t, found, strings.Contains(body, row), query)
		if !found {
			require.Contains(t, body, "No orders found", query)
		}
	}
	_, file, _ := admin.get("/admin/orders.csv?state=confirmed")
	require.Contains(t, file, fmt.Sprint(number))
	require.NotContains(t, file, ",=HYPERLINK", "a spreadsheet would run it")

	page := fmt.Sprintf("/admin/orders/%d", id)
	_, body, _ = admin.get(page)
	for _, word := range []string{fmt.Sprint("Order ", number), "HYPERLINK", "Harbour Street", "To pick",
		"To pay in store"} {
		require.Contains(t, body, word)
	}
	_, body, _ = here.get("/admin/orders")
	require.Contains(t, body, row)
	status, _, _ := here.get(page)
	require.Equal(t, http.StatusOK, status)
	_, body, _ = there.get("/admin/orders")
	require.NotContains(t, body, row)
	status, _, _ = there.get(page)
	require.Equal(t, http.StatusNotFound, status)
	_, file, _ = there.get("/admin/orders.csv")
	require.NotContains(t, file, fmt.Sprint(number))

	// Page by page to the end and back, each order once.
	_, err := p.db.Exec(ctx, `
		INSERT INTO orders (public_id, customer_id, channel, location_id, currency, tax_included, state, payment_state,
			lines,
			tax, total, name)
		SELECT 'o' || n || repeat('x', 24), customer_id, 'counter', location_id, currency, tax_included, 'confirmed',
			'paid', 0, 0,
			0, 'Many'
		FROM orders, generate_series(1, 120) n
		WHERE id = $1`, id)
	require.NoError(t, err)
	seen := map[string]bool{}
	address, pages := "/admin/orders?q=Many", 0
	for address != "" {
		_, body, _ := admin.get(address)
		pages++
		for _, part := range strings.Split(body, `href="/admin/orders/`)[1:] {
			one, _, _ := strings.Cut(part, `"`)
			if one == "drafts" {
				continue
			}
			require.False(t, seen[one], "%s twice", one)
			seen[one] = true
		}
		address = ""
		if _, rest, found := strings.Cut(body, `rel="next" href="`); found {
			address, _, _ = strings.Cut(rest, `"`)
			address = strings.ReplaceAll(address, "&amp;", "&")
		}
	}
	require.Len(t, seen, 120)
	require.Greater(t, pages, 2)
	_, body, _ = admin.get(fmt.Sprintf("/admin/orders?after=%d", id))
	require.Contains(t, body, `rel="next"`)
	_, body, _ = admin.get("/admin/orders?last=1")
	require.Contains(t, body, row, "the oldest is on the last page")
	require.NotContains(t, body, `rel="next"`)

	// A list that somebody narrowed is kept under a name, and is theirs alone.
	status, _, back := admin.post("/admin/views", url.Values{"list": {"orders"}, "name": {"Late ones"},
		"query": {"late=1&before=5&without=channel"}})
	require.Equal(t, http.StatusSeeOther, status)
	require.Equal(t, "/admin/orders?late=1&without=channel&done=view", back)
	_, body, _ = admin.get("/admin/orders")
	require.Contains(t, body, "Late ones")
	_, body, _ = here.get("/admin/orders")
	require.NotContains(t, body, "Late ones")
	_, body, _ = admin.get("/admin/orders?without=channel")
	require.NotContains(t, body, `<th scope="col">Channel</th>`)
}

// TestDraftsInTheAdmin prepares orders as those who may, and sends their forms whatever a browser could send.
func TestDraftsInTheAdmin(t *testing.T) {
	p := open(t)
	here := p.hire(t, "Hal", staff.RoleManager, p.HarbourStreet.ID)
	there := p.hire(t, "Mia", staff.RoleManager, p.MillLane.ID)
	ada, _ := sample.Account(t, p.db, "Ada Byron", "ada.byron@example.com")

	for _, customer := range []string{"", "0", "999999", "x", "-1"} {
		status, _, _ := here.post("/admin/orders/drafts", url.Values{"customer": {customer}})
		require.Equal(t, http.StatusNotFound, status, customer)
		status, _, _ = here.post("/admin/orders/drafts", url.Values{"adds_to": {customer}, "customer": {"0"}})
		require.Equal(t, http.StatusNotFound, status, customer)
	}
	status, _, draft := here.post("/admin/orders/drafts", url.Values{"customer": {fmt.Sprint(ada)}})
	require.Equal(t, http.StatusSeeOther, status)
	_, body, _ := here.get(draft)
	require.Contains(t, body, "ada.byron@example.com")
	_, body, _ = here.get("/admin/orders/drafts")
	require.Contains(t, body, draft)
	_, body, _ = there.get("/admin/orders/drafts")
	require.NotContains(t, body, draft)
	for _, path := range []string{draft, draft + "/drop"} {
		status, _, _ = there.post(path, url.Values{"do": {"send"}})
		require.Equal(t, http.StatusNotFound, status, "another store's")
	}
	status, _, _ = here.post(draft, url.Values{"do": {fmt.Sprint("add:", p.Mug)}})
	require.Equal(t, http.StatusSeeOther, status)
	var line int64
	require.NoError(t, p.db.QueryRow(ctx, `SELECT max(id) FROM cart_line`).Scan(&line))

	good := url.Values{"name": {"Ada Byron"}, "email": {"ada.byron@example.com"}, "phone": {""}, fmt.Sprint("quantity-", line): {"1"},
		fmt.Sprint("way-", line): {fmt.Sprint("pickup:", p.HarbourStreet.ID)}, "pay": {"pay_at_pickup"}, "do": {"save"}}
	for _, field := range []string{"do", "name", "email", "phone", "lines", "town", "region", "postcode", "country", "store",
		"delivery", "code", "find", "pay", "lives", "total", fmt.Sprint("quantity-", line), fmt.Sprint("way-", line),
		"quantity-9", "way-9", "quantity-x"} {
		for _, bad := range []string{"", "0", "-1", "9999999999999999999999", "\x00", "\xff\xfe", strings.Repeat("x", 5000),
			"<script>alert(1)</script>", "pickup:999", "ship", "add:x", "add:1", "remove:" + fmt.Sprint(line), "drop-code:x",
			"send", "💥"} {
			form := url.Values{}
			for name, values := range good {
				form[name] = values
			}
			form.Set(field, bad)
			status, body, _ := here.post(draft, form)
			require.Less(t, status, 500, "%s = %.20q", field, bad)
			require.NotContains(t, body, "<script>alert", field)
			// Put back what the form took out.
			if status, _, _ := here.get(draft); status == http.StatusSeeOther {
				t.Fatalf("%s = %.20q sent the order: nobody agreed to its total", field, bad)
			}
			_, err := p.db.Exec(ctx, `INSERT INTO cart_line (id, cart_id, variant_id, quantity, channel) OVERRIDING SYSTEM VALUE
				SELECT $1, cart_id, $2, 1, 'phone' FROM draft_order WHERE order_id IS NULL AND NOT EXISTS (SELECT FROM cart_line
					WHERE id = $1) ON CONFLICT DO NOTHING`, line, p.Mug)
			require.NoError(t, err)
		}
	}
	_, body, _ = here.get(draft)
	_, total, _ := strings.Cut(body, `name="total" value="`)
	total, _, _ = strings.Cut(total, `"`)
	good.Set("total", total)
	good.Set("do", "send")
	status, _, order := here.post(draft, good)
	require.Equal(t, http.StatusSeeOther, status)
	require.Contains(t, order, "done=sent")
	status, _, again := here.post(draft, good)
	require.Equal(t, http.StatusSeeOther, status)
	require.Equal(t, strings.TrimSuffix(order, "?done=sent"), again, "sent twice it is one order")
	p.sound(t)
}
