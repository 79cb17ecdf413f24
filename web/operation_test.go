package web_test

import (
	"bufio"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"counterpart/internal/domain/staff"
	"counterpart/internal/proof/sample"
)

// TestWhatAGuestSeesIsForNobodysCache walks a guest's pages: the device cookie says whose they are.
func TestWhatAGuestSeesIsForNobodysCache(t *testing.T) {
	p := open(t)
	guest := p.visitor(t)
	cache := func(path string) string {
		answer, err := guest.client.Get(p.url + path)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		require.Equal(t, http.StatusOK, answer.StatusCode, path)
		return answer.Header.Get("Cache-Control")
	}
	require.Equal(t, "private, no-cache", cache("/p/mug"), "nobody yet")
	guest.fill(p, p.Mug)
	for _, path := range []string{"/", "/d/kitchen", "/p/mug", "/cart", "/checkout", "/list", "/stores",
		"/search?q=mug"} {
		require.Equal(t, "no-store", cache(path), path)
	}
}

// TestAWrongMethodIsSaidSo asks with methods that an address does not have.
func TestAWrongMethodIsSaidSo(t *testing.T) {
	p := open(t)
	for path, allowed := range map[string]string{"/cart/codes": "POST", "/stores/harbour-street/choose": "POST",
		"/livez": "", "/d/kitchen": "GET, HEAD"} {
		method := http.MethodDelete
		if allowed == "POST" {
			method = http.MethodGet
		}
		r, err := http.NewRequest(method, p.url+path, nil)
		require.NoError(t, err)
		answer, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		require.Equal(t, []any{http.StatusMethodNotAllowed, allowed},
			[]any{answer.StatusCode, answer.Header.Get("Allow")}, path)
	}
}

// TestAStreamEndsWithTheSession signs out while a page is kept up to date, and opens more of them than anybody has.
func TestAStreamEndsWithTheSession(t *testing.T) {
	p := open(t)
	_, token := sample.Account(t, p.db, "Ada", "ada@example.com")
	ada := p.visitor(t)
	ada.cookie("shopper", token)
	ada.fill(p, p.Mug)
	var streams []*http.Response
	for range 20 {
		answer, err := ada.client.Get(p.url + "/cart/events")
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, answer.StatusCode)
		streams = append(streams, answer)
	}
	status, _, _ := ada.glance("/cart/events")
	require.Equal(t, http.StatusTooManyRequests, status)
	for _, stream := range streams[1:] {
		require.NoError(t, stream.Body.Close())
	}
	require.Eventually(t, func() bool {
		status, _, _ := ada.glance("/cart/events")
		return status == http.StatusOK
	}, 10*time.Second, 10*time.Millisecond, "a place is free again")

	other := p.visitor(t)
	other.cookie("shopper", token)
	other.post("/sign-out", nil)
	ada.post("/cart", url.Values{"variant": {"1"}, "quantity": {"1"}})
	_, err := p.db.Exec(ctx, `SELECT pg_notify('counterpart', 'customer:' || customer_id) FROM cart`)
	require.NoError(t, err)
	lines, last := bufio.NewScanner(streams[0].Body), ""
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "event:") {
			last = lines.Text()
		}
	}
	require.Equal(t, "event: goodbye", last, "the session is over, and nothing more is told")
}

// TestAPromotionForEverythingAsks puts one live that names no goods, and one that does.
func TestAPromotionForEverythingAsks(t *testing.T) {
	p := open(t)
	boss := p.visitor(t)
	a := staff.Associate{Name: "Ida", Email: "ida@example.com", Role: staff.RoleAdmin}
	require.NoError(t, pgx.BeginFunc(ctx, p.db, func(tx pgx.Tx) error {
		return staff.Create(ctx, tx, &a,
			sample.Password)
	}))
	boss.signIn(a.Email)
	state := func(id int64) (state string) {
		require.NoError(t, p.db.QueryRow(ctx, `SELECT state FROM promotion WHERE id = $1`, id).Scan(&state))
		return state
	}
	var all, some int64
	require.NoError(t, p.db.QueryRow(ctx,
		`INSERT INTO promotion (title, rule) VALUES ('All', '{"effect": {"kind": "percent", "percent": 1000}}') RETURNING id`).Scan(&all))
	require.NoError(t, p.db.QueryRow(ctx,
		`INSERT INTO promotion (title, rule) VALUES ('Some', '{"tags": ["wool"], "effect": {"kind": "percent", "percent": 1000}}') RETURNING id`).Scan(&some))
	_, body, _ := boss.get("/admin/promotions")
	require.Contains(t, body, "10% off, everything in the shop")
	status, body, _ := boss.post(fmt.Sprintf("/admin/promotions/%d/move", all), url.Values{"to": {"live"}})
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Contains(t, body, "Go live for everything")
	require.Equal(t, "draft", state(all))
	boss.post(fmt.Sprintf("/admin/promotions/%d/move", all), url.Values{"to": {"live"}, "sure": {"1"}})
	boss.post(fmt.Sprintf("/admin/promotions/%d/move", some), url.Values{"to": {"live"}})
	require.Equal(t, []string{"live", "live"}, []string{state(all), state(some)})
}
