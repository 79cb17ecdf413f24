package staff_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"counterpart/internal/platform/pg/pgtest"
	"counterpart/internal/proof/sample"
	"counterpart/web/access"
	"counterpart/web/layout"
	"counterpart/web/respond"
	"counterpart/web/staff"
)

// issuer is a company's sign-in: it says who somebody is, signed, to whoever brings the code that it gave out.
type issuer struct {
	*httptest.Server
	key    *rsa.PrivateKey
	claims map[string]any
	asked  url.Values // what the browser was sent there with
}

func newIssuer(t *testing.T) *issuer {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	i := &issuer{key: key, claims: map[string]any{}}
	mux := http.NewServeMux()
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, r *http.Request) {
		json.NewEncoder(w).Encode(map[string]any{"issuer": i.URL, "authorization_endpoint": i.URL + "/ask",
			"token_endpoint": i.URL + "/token", "jwks_uri": i.URL + "/keys",
			"id_token_signing_alg_values_supported": []string{"RS256"}})
	})
	mux.HandleFunc("/keys", func(w http.ResponseWriter, r *http.Request) {
		json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "one",
			Algorithm: "RS256", Use: "sig"}}})
	})
	mux.HandleFunc("/token", func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("code") != "good" || r.FormValue("code_verifier") == "" {
			http.Error(w, `{"error":"invalid_grant"}`, http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(map[string]any{"access_token": "x", "token_type": "Bearer", "id_token": i.token(t)})
	})
	i.Server = httptest.NewServer(mux)
	t.Cleanup(i.Close)
	return i
}

func (i *issuer) token(t *testing.T) string {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256,
		Key: jose.JSONWebKey{Key: i.key, KeyID: "one"}}, nil)
	require.NoError(t, err)
	claims := map[string]any{"iss": i.URL, "aud": "counterpart", "sub": "1", "exp": time.Now().Add(time.Minute).Unix(),
		"iat": time.Now().Unix(), "nonce": i.asked.Get("nonce")}
	for name, value := range i.claims {
		claims[name] = value
	}
	body, err := json.Marshal(claims)
	require.NoError(t, err)
	signed, err := signer.Sign(body)
	require.NoError(t, err)
	compact, err := signed.CompactSerialize()
	require.NoError(t, err)
	return compact
}

// TestACompanysSignInVouchesForThoseWhoWorkHere signs in through it, and is refused with whatever is wrong: somebody
// who does not work here, an unproven address, another nonce, audience or issuer, a code that is none, a state that was
// used, and a browser that did not ask.
func TestACompanysSignInVouchesForThoseWhoWorkHere(t *testing.T) {
	ctx := context.Background()
	pool, _ := pgtest.Database(t)
	chain := sample.Load(t, pool)
	i := newIssuer(t)
	routes := access.NewRoutes(pool, false, layout.Error)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter,
		r *http.Request) {
		routes.Handler(nil).ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	signOn, err := staff.NewSignOn(ctx, i.URL, "counterpart", "secret", server.URL)
	require.NoError(t, err)
	(&staff.Pages{DB: pool, Site: routes, SignOn: signOn}).Routes(routes)
	routes.Get("/counter", access.Counter, func(http.ResponseWriter, *http.Request) (respond.Answer,
		error) {
		return respond.Nothing, nil
	})

	browser := func() *http.Client {
		jar, err := cookiejar.New(nil)
		require.NoError(t, err)
		return &http.Client{Jar: jar, CheckRedirect: func(*http.Request,
			[]*http.Request) error {
			return http.ErrUseLastResponse
		}}
	}
	get := func(c *http.Client, path string) (int, string) {
		answer, err := c.Get(server.URL + path)
		require.NoError(t, err)
		answer.Body.Close()
		return answer.StatusCode, answer.Header.Get("Location")
	}
	ask := func(c *http.Client) string {
		_, location := get(c, "/staff/sign-on")
		require.True(t, strings.HasPrefix(location, i.URL+"/ask?"), location)
		to, err := url.Parse(location)
		require.NoError(t, err)
		i.asked = to.Query()
		require.Equal(t, "S256", i.asked.Get("code_challenge_method"))
		return "/staff/sign-on/back?state=" + i.asked.Get("state") + "&code="
	}
	good := map[string]any{"email": strings.ToUpper(chain.Bea.Email), "email_verified": true}

	c := browser()
	i.claims = good
	back := ask(c)
	status, location := get(c, back+"good")
	require.Equal(t, []any{http.StatusSeeOther, "/counter"}, []any{status, location})
	status, _ = get(c, "/counter")
	require.Equal(t, http.StatusNoContent, status)
	status, _ = get(c, back+"good")
	require.Equal(t, http.StatusConflict, status, "a state works once")

	for why, claims := range map[string]map[string]any{
		"does not work here": {"email": "mallory@example.com",
			"email_verified": true}, "not proven": {"email": chain.Bea.Email, "email_verified": false}, "no email": {},
		"another nonce": {"email": chain.Bea.Email, "email_verified": true,
			"nonce": "x"}, "another audience": {"email": chain.Bea.Email, "email_verified": true, "aud": "x"},
		"another issuer": {"email": chain.Bea.Email, "email_verified": true,
			"iss": "https://evil.example"}, "too old": {"email": chain.Bea.Email, "email_verified": true, "exp": 1},
	} {
		c := browser()
		i.claims = claims
		status, _ := get(c, ask(c)+"good")
		require.Equal(t, http.StatusForbidden, status, why)
		status, _ = get(c, "/counter")
		require.Equal(t, http.StatusSeeOther, status, why)
	}
	i.claims = good
	c = browser()
	status, _ = get(c, ask(c)+"bad")
	require.Equal(t, http.StatusForbidden, status)
	back = ask(browser())
	status, _ = get(browser(), back+"good")
	require.Equal(t, http.StatusForbidden, status, "a browser that did not ask is not signed in by a link")
}
