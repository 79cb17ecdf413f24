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

// Each role's start page says what is theirs to do; every figure leads to a list that has as many.
func TestHomeSaysWhatIsToBeDone(t *testing.T) {
	p := open(t)
	boss := p.boss(t, "ida@example.com")
	status, body, _ := boss.get("/admin")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, "steps left until your shop can sell")
	require.Contains(t, body, "No sales in the last 14 days")

	shopper := p.visitor(t)
	for range 3 {
		v := p.visitor(t)
		status, _, _ := v.post("/checkout", v.fill(p, p.Mug))
		require.Equal(t, http.StatusSeeOther, status)
	}
	_, body, _ = boss.get("/admin")
	require.Contains(t, body, `<b>3</b> <span>to pick</span>`)
	require.Contains(t, body, "3 orders")
	require.Contains(t, body, "nothing this time last week")
	_, list, _ := boss.get("/admin/orders?fulfilment=to_pick&way=pickup")
	require.Equal(t, 3, strings.Count(list, `<th scope="row"`))

	// A manager of another store has nothing of it, and a stock keeper no sales.
	for role, place := range map[string]int64{staff.RoleManager: p.MillLane.ID, staff.RoleStock: p.HarbourStreet.ID} {
		a := staff.Associate{Name: "Kit", Email: role + "@example.com", Role: role, Locations: []int64{place}}
		require.NoError(t, pgx.BeginFunc(ctx, p.db, func(tx pgx.Tx) error {
			return staff.Create(ctx, tx, &a, sample.Password)
		}))
		v := p.visitor(t)
		v.signIn(a.Email)
		_, body, _ = v.get("/admin")
		require.NotContains(t, body, "to pick", role)
		require.NotContains(t, body, "steps left", role)
		require.Equal(t, role == staff.RoleManager, strings.Contains(body, "Sales today"), role)
	}
	_ = shopper

	// The command menu finds orders, products, settings.
	var number int64
	require.NoError(t, p.db.QueryRow(ctx, `SELECT max(number) FROM orders`).Scan(&number))
	for words, found := range map[string]string{fmt.Sprint(number): "/admin/orders/", "stoneware": "/admin/products/",
		"MUG-W": "/admin/products/", "tax": "/admin/settings#tax", "zzzz": "Nothing found"} {
		_, body, _ = boss.get("/admin/find?q=" + url.QueryEscape(words))
		require.Contains(t, body, found, words)
	}
}

func TestStockIsSeenEverywhereAtOnce(t *testing.T) {
	p := open(t)
	boss := p.boss(t, "ida@example.com")
	_, body, _ := boss.get("/admin/stock")
	require.Contains(t, body, "Stock everywhere")
	require.Contains(t, body, fmt.Sprintf(`href="/admin/stock/HAR/%d"`, p.Mug))
	shelf := fmt.Sprintf("/admin/stock/HAR/%d", p.Mug)
	status, _, _ := boss.post(shelf+"/shelf", url.Values{"safety": {"3"}, "bin": {"A3-12"}})
	require.Equal(t, http.StatusSeeOther, status)
	status, body, _ = boss.post(shelf+"/shelf", url.Values{"safety": {"many"}, "bin": {"A3-12"}})
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Contains(t, body, `value="many"`)
	_, body, _ = boss.get("/admin/stock?at=HAR&q=A3")
	require.Contains(t, body, "A3-12")
	status, _, _ = boss.post(shelf+"/move", url.Values{"from": {"sellable"}, "to": {"damaged"}, "quantity": {"1"},
		"reason": {"chipped"}})
	require.Equal(t, http.StatusSeeOther, status)
	_, body, _ = boss.get(shelf + "?cause=condition")
	require.Contains(t, body, "chipped")
	require.NotContains(t, body, "opening stock")
	status, body, _ = boss.get("/admin/stock.csv")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, "HAR available")
	p.sound(t)
}
