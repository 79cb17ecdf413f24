package staff

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"counterpart/internal/domain/session"
	"counterpart/internal/domain/staff"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/limit"
	"counterpart/internal/platform/secret"
	"counterpart/web/access"
	"counterpart/web/respond"
)

// SignOn is a company's own sign-in, by OpenID Connect: whoever it vouches for by email, and who works here, comes in.
// It stands for both factors.
type SignOn struct {
	config   oauth2.Config
	verifier *oidc.IDTokenVerifier
}

// NewSignOn reads what the issuer says of itself.
func NewSignOn(ctx context.Context, issuer, clientID, clientSecret, baseURL string) (*SignOn, error) {
	provider, err := oidc.NewProvider(ctx, issuer)
	if err != nil {
		return nil, fmt.Errorf("reach the company's sign-in: %w", err)
	}
	return &SignOn{
		config: oauth2.Config{
			ClientID: clientID, ClientSecret: clientSecret, Endpoint: provider.Endpoint(), RedirectURL: baseURL +
				"/staff/sign-on/back", Scopes: []string{oidc.ScopeOpenID, "email"},
		},
		verifier: provider.Verifier(&oidc.Config{ClientID: clientID}),
	}, nil
}

// sent is what is kept while somebody is away at their company's page.
type sent struct {
	Nonce    string `json:"nonce"`
	Verifier string `json:"verifier"`
	Browser  string `json:"browser"`
}

// signOn sends the browser to the company's page. The state is bound to this browser by a cookie, so that nobody is
// signed in as somebody else by a link.
func (p *Pages) signOn(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	if err := limit.Attempt(r.Context(), p.DB, "sign-on:from:"+access.From(r),
		limit.Rule{Max: 60, Window: 15 * time.Minute}); err != nil {
		return nil, err
	}
	browser := secret.NewToken()
	s := sent{Nonce: secret.NewToken(), Verifier: oauth2.GenerateVerifier(), Browser: digest(browser)}
	data, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	state, err := session.Challenging(r.Context(), p.DB, session.Challenge{Purpose: session.OIDC, Data: data})
	if err != nil {
		return nil, err
	}
	p.Site.Begin(w, browser)
	return respond.See(p.SignOn.config.AuthCodeURL(state, oidc.Nonce(s.Nonce),
		oauth2.S256ChallengeOption(s.Verifier))), nil
}

var errSignOn = fault.New(fault.Denied, "Your company sign-in isn’t linked to a staff account here. Ask an admin.")

func (p *Pages) signedOn(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	c, err := session.Answered(r.Context(), p.DB, session.OIDC, r.URL.Query().Get("state"))
	if err != nil {
		return p.again(r, err, "")
	}
	var s sent
	if err := json.Unmarshal(c.Data, &s); err != nil {
		return nil, err
	}
	if s.Browser != digest(p.Site.Started(r)) {
		return p.again(r, errSignOn, "")
	}
	token, err := p.SignOn.config.Exchange(r.Context(), r.URL.Query().Get("code"), oauth2.VerifierOption(s.Verifier))
	if err != nil {
		return p.again(r, errSignOn, "")
	}
	raw, _ := token.Extra("id_token").(string)
	identity, err := p.SignOn.verifier.Verify(r.Context(), raw)
	if err != nil || identity.Nonce != s.Nonce {
		return p.again(r, errSignOn, "")
	}
	var claims struct {
		Email    string `json:"email"`
		Verified bool   `json:"email_verified"`
	}
	if err := identity.Claims(&claims); err != nil || !claims.Verified {
		return p.again(r, errSignOn, "")
	}
	who, err := staff.ByEmail(r.Context(), p.DB, claims.Email)
	if err != nil {
		return nil, err
	}
	if who == nil {
		return p.again(r, errSignOn, "")
	}
	return p.enter(w, r, who, session.Session{Method: session.ByOIDC, Enrolled: true}, home(who.Role))
}

func digest(token string) string {
	sum := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
