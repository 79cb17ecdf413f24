// Package web is the shop's windows put together: the shop, the counter and the office on one address.
package web

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"counterpart/internal/domain/browsing"
	"counterpart/internal/domain/location"
	"counterpart/internal/domain/message/catcher"
	"counterpart/internal/domain/payment"
	"counterpart/internal/flow/settle"
	"counterpart/internal/platform/files"
	"counterpart/internal/platform/live"
	"counterpart/internal/platform/passkey"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/text"
	"counterpart/web/access"
	"counterpart/web/admin"
	"counterpart/web/counter"
	"counterpart/web/dev"
	"counterpart/web/layout"
	"counterpart/web/respond"
	"counterpart/web/shop"
	"counterpart/web/staff"
	"counterpart/web/static"
)

// Site is what the pages need. Mail is the catcher of a development shop, or nil; so are Trail, Passkeys and SignOn
// where there are none. Texts says whether text messages can be sent.
type Site struct {
	DB         *pgxpool.Pool
	Files      *files.Store
	Live       *live.Hub
	Mail       *catcher.Catcher
	Trail      *browsing.Recorder
	Passkeys   *passkey.Site
	SignOn     *staff.SignOn
	Payments   *settle.Payments // where payments are settled; nil: nothing is paid by card
	Texts      bool
	Proxies    []netip.Prefix // whose X-Forwarded-For is believed
	BaseURL    string
	Contact    string // of security.txt; empty: the page of stores
	SetupToken string
	Draining   *atomic.Bool
}

// Routes is the whole site map.
func (s Site) Routes() *access.Routes {
	r := access.NewRoutes(s.DB, strings.HasPrefix(s.BaseURL, "https://"), layout.Error)
	r.Proxies, r.Local = s.Proxies, s.Mail != nil
	if s.Payments == nil {
		s.Payments = &settle.Payments{DB: s.DB, Base: s.BaseURL}
	}
	r.PayAt, r.Hooks = s.Payments.PayAt, map[string]http.HandlerFunc{"/webhooks/{gateway}": s.paymentWebhook}
	(&shop.Pages{DB: s.DB, Site: r, Files: s.Files, Live: s.Live, Trail: s.Trail, Passkeys: s.Passkeys,
		Payments: s.Payments, Base: s.BaseURL, Texts: s.Texts, Caught: s.Mail != nil}).Routes(r)
	(&staff.Pages{DB: s.DB, Site: r, Passkeys: s.Passkeys, SignOn: s.SignOn, SetupToken: s.SetupToken}).Routes(r)
	(&counter.Pages{DB: s.DB, Site: r, Live: s.Live, Payments: s.Payments, Base: s.BaseURL}).Routes(r)
	office := &admin.Pages{DB: s.DB, Site: r, Files: s.Files, Base: s.BaseURL}
	if s.Payments.Takes() {
		office.Gateway = s.Payments.Gateway.Name()
	}
	office.Routes(r)
	if s.Mail != nil {
		(&dev.Pages{Mail: s.Mail}).Routes(r)
	}
	return r
}

// Handler is the site with everything that is not a page.
func (s Site) Handler() http.Handler {
	return s.Routes().Handler(map[string]http.HandlerFunc{
		"/static/{name}":            static.Serve,
		"/pictures/{name}":          shop.Pictures(s.Files),
		"/manifest.webmanifest":     s.manifest,
		"/livez":                    func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") },
		"/readyz":                   s.ready,
		"/robots.txt":               robots,
		"/favicon.ico":              favicon,
		"/.well-known/security.txt": s.security,
		"/.well-known/change-password": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/account/details", http.StatusFound)
		},
	})
}

// Operations is what whoever runs the shop looks at, on an address that the public does not reach.
func (s Site) Operations() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.Handler())
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", s.ready)
	return mux
}

// robots keeps crawlers out of what is somebody's own.
func robots(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprint(w, "User-agent: *\n")
	for _, path := range []string{"/account", "/admin", "/cart", "/carts/", "/checkout", "/counter", "/list", "/lists/",
		"/orders/", "/search", "/setup", "/sign-in", "/staff"} {
		fmt.Fprintf(w, "Disallow: %s\n", path)
		for _, language := range text.Languages() {
			fmt.Fprintf(w, "Disallow: /%s%s\n", language, path)
		}
	}
}

// favicon answers browsers that ask for it without having read a page.
func favicon(w http.ResponseWriter, r *http.Request) {
	http.Redirect(w, r, static.Path("mark.svg"), http.StatusFound)
}

// security is the file of RFC 9116: where to report a weakness.
func (s Site) security(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprintf(w, "Contact: %s\nExpires: %s\nPreferred-Languages: en\nCanonical: %s/.well-known/security.txt\n",
		cmp.Or(s.Contact, s.BaseURL+"/stores"), time.Now().AddDate(0, 6, 0).UTC().Format(time.RFC3339), s.BaseURL)
}

// paymentWebhook takes a message of a payment gateway. It is kept, and dealt with by a job; what is not signed is refused.
func (s Site) paymentWebhook(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<18))
	if err == nil {
		err = s.Payments.Receive(r.Context(), chi.URLParam(r, "gateway"), r.Header, body)
	}
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		http.Error(w, "larger than anything we are told", http.StatusRequestEntityTooLarge)
	case errors.Is(err, payment.ErrForged):
		http.Error(w, "not signed by anybody we know", http.StatusBadRequest)
	case err != nil:
		slog.ErrorContext(r.Context(), "a gateway's message was not kept", "error", err)
		http.Error(w, "not kept: send it again", http.StatusInternalServerError)
	default:
		fmt.Fprintln(w, "kept")
	}
}

// ready says whether a load balancer should send people here: the database answers, has our schema, and we are not
// stopping.
func (s Site) ready(w http.ResponseWriter, r *http.Request) {
	if err := s.check(r.Context()); err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ok")
}

func (s Site) check(ctx context.Context) error {
	if s.Draining != nil && s.Draining.Load() {
		return fmt.Errorf("stopping")
	}
	if respond.Refused() {
		return errors.New("the database cannot work")
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	if err := pg.Ready(ctx, s.DB); err != nil {
		slog.WarnContext(ctx, "not ready", "error", err)
		return errors.New("not ready: see the log")
	}
	return nil
}

// manifest says what the shop is called, and how it looks, where somebody keeps it on their phone.
func (s Site) manifest(w http.ResponseWriter, r *http.Request) {
	var theme location.Theme
	var shop *location.Details
	if err := pg.Ask(r.Context(), s.DB, location.ThemeOf(&theme), location.DetailsOf(&shop)); err != nil {
		slog.ErrorContext(r.Context(), "manifest", "error", err)
	}
	name, ground := "Counterpart", "#"+cmp.Or(theme.Ground, location.DefaultColours["ground"])
	if shop != nil {
		name = shop.Name
	}
	icon := map[string]string{"src": static.Path("mark.svg"), "sizes": "any", "type": "image/svg+xml"}
	if theme.Logo != "" {
		icon = map[string]string{"src": "/brand/" + theme.Logo, "sizes": "any", "type": "image/png"}
	}
	w.Header().Set("Content-Type", "application/manifest+json")
	_ = json.NewEncoder(w).Encode(map[string]any{"name": name, "short_name": name, "start_url": "/",
		"display": "standalone", "background_color": ground, "theme_color": ground, "icons": []any{icon}})
}
