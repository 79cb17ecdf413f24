package web_test

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"counterpart/internal/domain/browsing"
	"counterpart/internal/domain/customer"
	"counterpart/internal/flow/person"
	"counterpart/internal/platform/pg"
	"counterpart/internal/proof/sample"

	"github.com/jackc/pgx/v5"
)

// sharedCache is a proxy before the shop that keeps for everybody whatever Cache-Control lets a shared cache keep (RFC 9111,
// section 3), however long. It looks at no Vary: many a content delivery network does not look at cookies.
type sharedCache struct {
	mu     sync.Mutex
	kept   map[string]*http.Response
	bodies map[string][]byte
	served int
}

func (c *sharedCache) keep(answer *http.Response) error {
	control := answer.Header.Get("Cache-Control")
	if answer.Request.Method != http.MethodGet || strings.Contains(control, "private") || strings.Contains(control, "no-store") ||
		strings.Contains(control, "no-cache") {
		return nil
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	answer.Body = io.NopCloser(bytes.NewReader(body))
	c.mu.Lock()
	defer c.mu.Unlock()
	key := answer.Request.URL.RequestURI()
	c.kept[key], c.bodies[key] = answer, body
	return nil
}

func (c *sharedCache) before(shop http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		answer, body := c.kept[r.URL.RequestURI()], c.bodies[r.URL.RequestURI()]
		if answer != nil && r.Method == http.MethodGet {
			c.served++
		}
		c.mu.Unlock()
		if answer == nil || r.Method != http.MethodGet {
			shop.ServeHTTP(w, r)
			return
		}
		maps.Copy(w.Header(), answer.Header)
		w.WriteHeader(answer.StatusCode)
		_, _ = w.Write(body)
	})
}

// Two people look at the same addresses through one proxy: of the first, whom the shop knows and advises, the second sees
// nothing.
func TestTwoPeopleBehindOneProxy(t *testing.T) {
	p := open(t)
	to, err := url.Parse(p.url)
	require.NoError(t, err)
	cache := &sharedCache{kept: map[string]*http.Response{}, bodies: map[string][]byte{}}
	proxy := httptest.NewServer(cache.before(&httputil.ReverseProxy{
		Rewrite:        func(r *httputil.ProxyRequest) { r.SetURL(to); r.Out.Host = r.In.Host },
		ModifyResponse: cache.keep}))
	t.Cleanup(proxy.Close)
	p.url = proxy.URL

	adaID, session := sample.Account(t, p.db, "Ada Fairweather", "ada@example.com")
	device := "her phone"
	require.NoError(t, pg.InTx(ctx, p.db, func(tx pgx.Tx) error {
		return customer.Identify(ctx, tx, adaID, customer.Identity{Kind: customer.Device, Value: customer.DeviceValue(device),
			Source: "web", Verified: true})
	}))
	require.NoError(t, person.RecordConsent(ctx, p.db, adaID, customer.ConsentEntry{Purpose: customer.Personalisation,
		Medium: customer.InShop, Given: true, Source: "web"}))
	var coat int64
	require.NoError(t, p.db.QueryRow(ctx, `SELECT product_id FROM variant WHERE id = $1`, p.Coat).Scan(&coat))
	for range 4 {
		require.NoError(t, browsing.Write(ctx, p.db, []browsing.Event{{Device: customer.DeviceValue(device), At: time.Now(), ProductID: coat}}))
	}
	ada, bob := p.visitor(t), p.visitor(t)
	ada.cookie("shopper", session)
	_, home, _ := ada.get("/")
	require.Contains(t, home, "Still thinking about it?", "she is advised")
	hers := []string{"Fairweather", "ada@example.com", "Still thinking about it?", "Hello, Ada"}
	said := 0
	for _, path := range []string{"/", "/d/kitchen", "/p/mug", "/cart", "/list", "/stores", "/search?q=mug", "/search?q=zzzz",
		"/account", "/account/privacy", "/account/details", "/account/activity", "/checkout"} {
		_, first, _ := ada.get(path)
		_, second, _ := bob.get(path)
		for _, word := range hers {
			if strings.Contains(first, word) {
				said++
			}
			require.NotContains(t, second, word, path)
		}
	}
	require.Greater(t, said, 5, "her pages say who she is")
	script := home[strings.Index(home, "/static/"):]
	script = script[:strings.IndexAny(script, `"'`)]
	for _, who := range []*visitor{ada, bob} {
		status, _, _ := who.get(script)
		require.Equal(t, http.StatusOK, status)
	}
	require.Positive(t, cache.served, "it is a cache")
}
