package web_test

import (
	"bytes"
	"io"
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

// sharedCache is a proxy before the shop that keeps for everybody whatever HTTP lets a shared cache keep (RFC 9111,
// sections 3 and 4), however long.
type sharedCache struct {
	mu     sync.Mutex
	kept   map[string]*http.Response
	bodies map[string][]byte
	served int
}

func (c *sharedCache) key(r *http.Request, vary string) string {
	key := r.URL.RequestURI()
	for _, name := range strings.Split(vary, ",") {
		key += "\n" + strings.Join(r.Header.Values(strings.TrimSpace(name)), ",")
	}
	return key
}

func (c *sharedCache) keep(answer *http.Response) error {
	control := answer.Header.Get("Cache-Control")
	if answer.Request.Method != http.MethodGet || strings.Contains(control, "private") || strings.Contains(control, "no-store") ||
		strings.Contains(control, "no-cache") || answer.Header.Get("Vary") == "*" {
		return nil
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	answer.Body = io.NopCloser(bytes.NewReader(body))
	c.mu.Lock()
	defer c.mu.Unlock()
	key := c.key(answer.Request, answer.Header.Get("Vary"))
	c.kept[key], c.bodies[key] = answer, body
	return nil
}

func (c *sharedCache) before(shop http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, vary := range []string{"", "Accept-Encoding", "Accept-Encoding, Accept-Language", "Cookie"} {
			key := c.key(r, vary)
			if answer := c.kept[key]; answer != nil && answer.Header.Get("Vary") == vary && r.Method == http.MethodGet {
				c.served++
				for name, values := range answer.Header {
					w.Header()[name] = values
				}
				w.WriteHeader(answer.StatusCode)
				_, _ = w.Write(c.bodies[key])
				return
			}
		}
		c.mu.Unlock()
		shop.ServeHTTP(w, r)
		c.mu.Lock()
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
