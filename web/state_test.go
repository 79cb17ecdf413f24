package web_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"counterpart/internal/adapter/sandbox/sandboxtest"
	"counterpart/internal/domain/inventory"
)

// B11: everything that can be asked of an order, of an order in every state: what does not fit is refused in words and
// changes nothing, what fits is done once.
func TestWhatDoesNotFitAnOrderChangesNothing(t *testing.T) {
	s := openInStorm(t)
	bea := s.visitor(t)
	bea.signIn(s.Bea.Email)
	_, err := s.db.Exec(ctx, `UPDATE location SET takes_returns = true`)
	require.NoError(t, err)

	require.NoError(t, pgx.BeginFunc(ctx, s.db, func(tx pgx.Tx) error {
		return inventory.Receive(ctx, tx, []inventory.Move{{VariantID: s.Mug, LocationID: s.HarbourStreet.ID,
			Delta: 200}}, inventory.Reason{Channel: "api"})
	}))

	type made struct {
		visitor           *visitor
		link, code        string
		order, part, line int64
	}
	order := func(pay string) made {
		v := s.visitor(t)
		form := v.fill(s.place, s.Mug)
		form.Set("pay", pay)
		_, _, to := v.post("/checkout", form)
		if pay == "card" {
			require.Contains(t, to, s.company.URL)
		}
		m := made{visitor: v}
		require.NoError(t, s.db.QueryRow(ctx, `
			SELECT o.id, o.public_id, f.id, l.id, coalesce(f.code, '')
			FROM orders o
			JOIN fulfilment f ON f.order_id = o.id
			JOIN order_line l ON l.order_id = o.id
			ORDER BY o.id DESC
			LIMIT 1`).Scan(&m.order, &m.link, &m.part, &m.line, &m.code))
		return m
	}
	post := func(path string, form url.Values) {
		t.Helper()
		status, _, _ := bea.post(path, form)
		require.Equal(t, http.StatusSeeOther, status, path)
	}
	ready := func() made {
		m := order("pay_at_pickup")
		post(fmt.Sprintf("/counter/pickups/%d/ready", m.part), url.Values{"place": {"A1"}})
		return m
	}
	collected := func() made {
		m := ready()
		post(fmt.Sprintf("/counter/pickups/%d/handover", m.part), url.Values{"code": {m.code}, "kind": {"terminal"}})
		return m
	}
	states := map[string]func() made{
		"not paid": func() made { return order("card") },
		"declined": func() made {
			m := order("card")
			var page string
			require.NoError(t, s.db.QueryRow(ctx, `SELECT page FROM payment WHERE order_id = $1`, m.order).Scan(&page))
			s.company.Pay(page, sandboxtest.Declined)
			m.visitor.get("/orders/" + m.link + "/paid")
			return m
		},
		"to pick":   func() made { return order("pay_at_pickup") },
		"ready":     ready,
		"collected": collected,
		"cancelled": func() made {
			m := order("pay_at_pickup")
			m.visitor.post("/orders/"+m.link+"/cancel", nil)
			return m
		},
		"returned": func() made {
			m := collected()
			post(fmt.Sprintf("/counter/orders/%d/return", m.order),
				url.Values{"form": {fmt.Sprintf("%027d", m.order)}, "confirm": {"1"},
					fmt.Sprintf("quantity-%d", m.line): {"1"}, fmt.Sprintf("reason-%d",
						m.line): {"other"}, fmt.Sprintf("grade-%d", m.line): {"sellable"}})
			return m
		},
	}
	type act struct {
		name string
		fits string // the states, with commas
		do   func(m made) (int, string, string)
	}
	acts := []act{
		{"pay", "not paid,declined", func(m made) (int, string,
			string) {
			return m.visitor.post("/orders/"+m.link+"/pay", nil)
		}},
		{"cancel", "not paid,declined,to pick", func(m made) (int, string,
			string) {
			return m.visitor.post("/orders/"+m.link+"/cancel", nil)
		}},
		{"pay at a counter", "to pick,ready", func(m made) (int, string, string) {
			return bea.post(fmt.Sprintf("/counter/orders/%d/pay", m.order), url.Values{"kind": {"terminal"}})
		}},
		{"ready", "to pick", func(m made) (int, string, string) {
			return bea.post(fmt.Sprintf("/counter/pickups/%d/ready", m.part), url.Values{"place": {"A1"}})
		}},
		{"not found", "to pick", func(m made) (int, string, string) {
			return bea.post(fmt.Sprintf("/counter/pickups/%d/missing", m.part),
				url.Values{"line": {fmt.Sprint(m.line)}, "quantity": {"1"}})
		}},
		{"hand over", "ready", func(m made) (int, string, string) {
			return bea.post(fmt.Sprintf("/counter/pickups/%d/handover", m.part),
				url.Values{"code": {m.code}, "kind": {"terminal"}})
		}},
		{"cancel at the counter", "to pick,ready", func(m made) (int, string, string) {
			return bea.post(fmt.Sprintf("/counter/pickups/%d/cancel", m.part), nil)
		}},
		{"send", "", func(m made) (int, string, string) {
			return bea.post(fmt.Sprintf("/counter/pickups/%d/send", m.part), url.Values{"carrier": {"Parcel Post"}})
		}},
		{"return", "collected", func(m made) (int, string, string) {
			return bea.post(fmt.Sprintf("/counter/orders/%d/return", m.order),
				url.Values{"form": {fmt.Sprintf("%026d", m.order)}, "confirm": {"1"},
					fmt.Sprintf("quantity-%d", m.line): {"1"}, fmt.Sprintf("reason-%d",
						m.line): {"other"}, fmt.Sprintf("grade-%d", m.line): {"sellable"}})
		}},
	}
	tried := 0
	for name, make := range states {
		for _, a := range acts {
			m := make()
			before := s.state(t)
			status, body, _ := a.do(m)
			what := fmt.Sprintf("%s of one that is %s", a.name, name)
			tried++
			if strings.Contains(","+a.fits+",", ","+name+",") {
				require.Equal(t, http.StatusSeeOther, status, what)
				if what != "pay of one that is not paid" { // whose page is there already
					require.NotEqual(t, before, s.state(t), what)
				}
			} else {
				require.True(t, status >= 400 && status < 500, "%s: %d", what, status)
				require.Contains(t, body, "<h1", what)
				require.Equal(t, before, s.state(t), what)
			}
			// And once more, as a back button does: whatever it answers, it is not done twice.
			before = s.state(t)
			status, _, _ = a.do(m)
			require.Less(t, status, 500, what)
			if a.name != "pay" {
				require.Equal(t, before, s.state(t), "%s, twice", what)
			}
		}
	}
	t.Logf("%d pairs of state and act", tried)
	s.sound(t)
}

// B2: what a form says beside what it asks for is not believed: two orders, one with every word that means money or
// power, are the same.
func TestMassAssignmentIsRefused(t *testing.T) {
	p := open(t)
	extras := url.Values{"price": {"1"}, "unit_price": {"1"}, "amount": {"1"}, "discount": {"1199"}, "shipping": {"0"},
		"tax": {"0"}, "paid": {"1"}, "state": {"confirmed"}, "payment_state": {"paid"},
		"customer_id": {"1"}, "associate_id": {fmt.Sprint(p.Bea.ID)}, "channel": {"counter"}, "location_id": {"3"},
		"currency": {"USD"}, "role": {"admin"}, "tier": {"Gold"}, "created_at": {"2001-01-01"},
		"placed_at": {"2001-01-01"},
		"public_id": {"MINE"}, "number": {"1"}, "exchange": {"1200"}, "hold": {"1000000"}, "gateway": {"none"}, "given": {"1200"}, "verified_at": {"now"}, "balance": {"100000"}, "points_rate": {"100"}, "approved_by": {"1"}, "carry_out": {"1"}, "split": {"1"}}
	orderOf := func(more url.Values) string {
		v := p.visitor(t)
		v.post("/stores/harbour-street/choose", more)
		add := url.Values{"variant": {fmt.Sprint(p.Mug)}, "quantity": {"1"}}
		for k, values := range more {
			add[k] = values
		}
		v.post("/cart", add)
		_, body, _ := v.get("/checkout")
		form := url.Values{"cart": {cartField.FindStringSubmatch(body)[1]},
			"total": {totalField.FindStringSubmatch(body)[1]}, "name": {"Ada"}, "email": {"ada@example.com"},
			"pay": {"pay_at_pickup"}}
		for k, values := range more {
			form[k] = values
		}
		status, _, _ := v.post("/checkout", form)
		require.Equal(t, http.StatusSeeOther, status)
		var row string
		require.NoError(t, p.db.QueryRow(ctx, `
			SELECT (to_jsonb(o) - 'id' - 'number' - 'public_id' - 'cart_id' - 'customer_id' - 'placed_at')::text || (to_jsonb(f) - 'id' - 'order_id' - 'code' - 'token' - 'ready_by')::text
				|| (to_jsonb(l) - 'id' - 'order_id' - 'fulfilment_id')::text || (to_jsonb(t) - 'id' - 'order_id' - 'at')::text
				|| (SELECT (to_jsonb(c) - 'id' - 'created_at')::text FROM customer c WHERE c.id = o.customer_id)
			FROM orders o
			JOIN fulfilment f ON f.order_id = o.id
			JOIN order_line l ON l.order_id = o.id
			JOIN tender t ON t.order_id = o.id
			WHERE o.placed_at > now() - interval '1 minute'
			ORDER BY o.id DESC
			LIMIT 1`).Scan(&row))
		return row
	}
	plain := orderOf(nil)
	require.Equal(t, plain, orderOf(extras))
	for name, values := range extras {
		require.Equal(t, plain, orderOf(url.Values{name: values}), name)
		_, err := p.db.Exec(ctx, `WITH l AS (UPDATE stock_level SET on_hand = on_hand + 1 WHERE variant_id = $1
			AND location_id = $2 AND condition = 'sellable' RETURNING variant_id, location_id)
			INSERT INTO stock_move (variant_id, location_id, delta, cause, channel) SELECT variant_id, location_id, 1,
				'receipt', 'api' FROM l`, p.Mug, p.HarbourStreet.ID)
		require.NoError(t, err)
	}
	p.sound(t)
}
