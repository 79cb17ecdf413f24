// Package access guards every page: who may come in, what a request may carry, what a browser may do with the
// answer.
package access

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/session"
	"counterpart/internal/domain/staff"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/text"
	"counterpart/internal/query/reference"
	"counterpart/internal/query/shop"
	"counterpart/web/respond"
)

// Permission says who a route is for. The zero permission lets nobody in, and a route with it does not start.
type Permission struct {
	Name  string
	whose principal
	allow func(s *session.Session) error
}

// principal is whose session a permission asks for.
type principal int

const (
	nobody principal = iota
	shopper
	associate
)

var (
	// Anyone may see it.
	Anyone = Permission{"anyone", nobody, open}
	// OwnLink routes show what the unguessable part of their address belongs to; having it is the proof.
	OwnLink = Permission{"own link", nobody, open}
	// Shopper is a customer who is signed in; everything they reach is their own.
	Shopper = Permission{"shopper", shopper, open}
	// Enrolling is staff who gave their password and may still have to set up the second factor, or to unlock.
	Enrolling = Permission{"enrolling", associate, signedIn}
	// Staff is anybody who is signed in and works.
	Staff = Permission{"staff", associate, working}
	// Counter is staff at the counter of a store where they work, who serve customers.
	Counter = Permission{"counter", associate, func(s *session.Session) error {
		if err := roles(staff.RoleAssociate, staff.RoleManager, staff.RoleAdmin)(s); err != nil {
			return err
		}
		if s.LocationID == 0 {
			return errNoStore
		}
		return nil
	}}
	// Stockroom is staff where goods are picked, packed and sent: at the counter of a store, or in a warehouse. Whoever
	// looks after the shelves does that, too.
	Stockroom = Permission{"stockroom", associate, func(s *session.Session) error {
		if err := roles(staff.RoleAssociate, staff.RoleManager, staff.RoleAdmin, staff.RoleStock)(s); err != nil {
			return err
		}
		if s.LocationID == 0 {
			return errNoStore
		}
		return nil
	}}
	// Manage is who answers for a store: its managers, and admins.
	Manage = Permission{"manage", associate, roles(staff.RoleAdmin, staff.RoleManager)}
	// Stock is who looks after the shelves: admins, managers, stock keepers.
	Stock = Permission{"stock", associate, roles(staff.RoleAdmin, staff.RoleManager, staff.RoleStock)}
	// People is who looks after customers in the office: admins, managers, marketing.
	People = Permission{"people", associate, roles(staff.RoleAdmin, staff.RoleManager, staff.RoleMarketing)}
	// Market is who decides what the shop gives away: admins, marketing.
	Market = Permission{"market", associate, roles(staff.RoleAdmin, staff.RoleMarketing)}
	// Office is who has anything to do in the office at all.
	Office = Permission{"office", associate, roles(staff.RoleAdmin, staff.RoleManager, staff.RoleStock,
		staff.RoleMarketing)}
	// Admin is who sets prices and products.
	Admin = Permission{"admin", associate, roles(staff.RoleAdmin)}
	// ManageFully and AdminFully are for what gives power or cannot be taken back: a PIN, which others may have seen,
	// is not enough.
	ManageFully = Permission{"manage, fully", associate, fully(roles(staff.RoleAdmin, staff.RoleManager))}
	AdminFully  = Permission{"admin, fully", associate, fully(roles(staff.RoleAdmin))}
)

type redirect struct{ to string }

func (r redirect) Error() string { return "go to " + r.to }

var (
	errSignIn  = redirect{"/staff/sign-in"}
	errNoStore = redirect{"/staff/store"}
	errSecond  = redirect{"/staff/second"}
	errLocked  = redirect{"/staff/locked"}
	errShopper = redirect{"/sign-in"}
)

func open(*session.Session) error { return nil }

func signedIn(s *session.Session) error {
	if s == nil {
		return errSignIn
	}
	return nil
}

func working(s *session.Session) error {
	switch {
	case s == nil:
		return errSignIn
	case !s.Enrolled:
		return errSecond
	case s.Locked:
		return errLocked
	}
	return nil
}

func fully(allow func(*session.Session) error) func(*session.Session) error {
	return func(s *session.Session) error {
		if err := allow(s); err != nil {
			return err
		}
		if s.Method == session.ByPIN {
			return fault.New(fault.Denied, "A PIN isn’t enough for this. Sign in with your password.")
		}
		return nil
	}
}

func roles(allowed ...string) func(*session.Session) error {
	return func(s *session.Session) error {
		if err := working(s); err != nil {
			return err
		}
		for _, role := range allowed {
			if s.Associate.Role == role {
				return nil
			}
		}
		return fault.New(fault.Denied, "You don’t have access to this page. Ask an admin if you need it.")
	}
}

// Routes registers pages; it is the only way to the router, so every page has a permission.
type Routes struct {
	DB     pg.DB
	Secure bool // behind HTTPS: cookies say so
	// Proxies are those whose word on where a request comes from is taken.
	Proxies []netip.Prefix
	// PayAt is the origin of the page where cards are taken, if any.
	PayAt string
	// Hooks take messages that other companies' servers sign and post. A browser's cross-origin post is refused like
	// any other.
	Hooks map[string]http.HandlerFunc
	// Local says that this is a developer's own machine.
	Local bool
	page  respond.ErrorPage
	mux   chi.Router
	rush  rush

	reference *reference.Keeper // what hardly anything changes, kept for all pages
	offered   atomic.Pointer[offered]
	all       []Route

	uploads map[string]bool // patterns that take files

	open    sync.Mutex
	streams map[string]int // open ones, by who opened them
}

// MaxStreams is how many pages one person, or one address, may have kept up to date at once.
const (
	MaxStreams        = 20
	MaxAddressStreams = 200
)

// stream opens one for as long as whoever opened it may see it, and so many of them a person.
func (r *Routes) stream(w http.ResponseWriter, req, admitted *http.Request, p Permission,
	h respond.Handler) (respond.Answer, error) {
	who := "address " + From(req)
	if s := Session(admitted.Context()); s != nil {
		who = "associate " + strconv.FormatInt(s.Associate.ID, 10)
	} else if token := cmp.Or(r.shopperToken(req), r.read(req, "device")); token != "" {
		who = "browser " + token
	}
	most := map[string]int{who: MaxStreams, "from " + From(req): MaxAddressStreams}
	if !r.enter(most) {
		return nil, fault.New(fault.TooMany, "Too many pages are open. Close some and reload.")
	}
	answer, err := h(w, admitted)
	if err != nil {
		r.leave(most)
		return nil, err
	}
	shopper := r.shopperToken(req) != ""
	ctx := respond.WithStill(admitted.Context(), func() bool {
		asked, cancel := context.WithTimeout(req.Context(), Patience)
		defer cancel()
		if _, err := r.admit(req.WithContext(asked), p); err != nil {
			return false
		}
		if !shopper {
			return true
		}
		me, err := shop.SignedIn(asked, r.DB, r.Visitor(req))
		return err != nil || me != 0
	})
	return func(w http.ResponseWriter, _ *http.Request) error {
		defer r.leave(most)
		return answer(w, admitted.WithContext(ctx))
	}, nil
}

// forStaff has an answer tell the time by the store's clocks, in the language of whoever works there.
func forStaff(answer respond.Answer, zone *time.Location, language string) respond.Answer {
	return func(w http.ResponseWriter, r *http.Request) error {
		return answer(w, r.WithContext(text.WithLanguage(text.WithZone(r.Context(), zone), language)))
	}
}

func (r *Routes) enter(most map[string]int) bool {
	r.open.Lock()
	defer r.open.Unlock()
	for who, n := range most {
		if r.streams[who] >= n {
			return false
		}
	}
	for who := range most {
		r.streams[who]++
	}
	return true
}

func (r *Routes) leave(most map[string]int) {
	r.open.Lock()
	defer r.open.Unlock()
	for who := range most {
		if r.streams[who]--; r.streams[who] == 0 {
			delete(r.streams, who)
		}
	}
}

// isSomebody says whether a request carries anything by which we know whose it is.
func (r *Routes) isSomebody(req *http.Request) bool {
	for _, name := range []string{"device", "shopper", "start", "machine", "staff"} {
		if r.read(req, name) != "" {
			return true
		}
	}
	return false
}

// Route is one line of the site map.
type Route struct {
	Method, Pattern string
	Permission      Permission
}

// NewRoutes starts an empty site.
func NewRoutes(db pg.DB, secure bool, page respond.ErrorPage) *Routes {
	r := &Routes{DB: db, Secure: secure, page: page, mux: chi.NewRouter(), streams: map[string]int{},
		uploads:   map[string]bool{},
		reference: &reference.Keeper{DB: db}}
	if pool, ok := db.(*pgxpool.Pool); ok {
		r.rush.stat = pool.Stat
	}
	r.mux.NotFound(respond.HTTP(func(http.ResponseWriter, *http.Request) (respond.Answer, error) {
		return nil,
			respond.NotFound()
	}, page))
	r.mux.MethodNotAllowed(r.wrongMethod)
	return r
}

// wrongMethod answers 405 with the methods that an address has.
func (r *Routes) wrongMethod(w http.ResponseWriter, req *http.Request) {
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost} {
		if r.mux.Match(chi.NewRouteContext(), method, req.URL.Path) {
			allowed = append(allowed, method)
		}
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	page := r.page(http.StatusMethodNotAllowed, text.T(req.Context(),
		"This page can’t be used like that. Go back and try again."), "")
	if err := respond.Status(http.StatusMethodNotAllowed, page)(w, req); err != nil {
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
	}
}

func (r *Routes) Get(pattern string, p Permission, h respond.Handler) {
	r.add(http.MethodGet, pattern, p, h)
}
func (r *Routes) Post(pattern string, p Permission, h respond.Handler) {
	r.add(http.MethodPost, pattern, p, h)
}

// Upload takes files: larger bodies than a form's, and longer to arrive. The handler reads the parts as they come.
func (r *Routes) Upload(pattern string, p Permission, h respond.Handler) {
	r.uploads[pattern] = true
	r.add(http.MethodPost, pattern, p, h)
}

// All is the site map.
func (r *Routes) All() []Route { return r.all }

// Patience is how long a page may take: whoever waits longer thinks that it is broken. What is under way then is given
// up, and can be sent again.
const Patience = 5 * time.Second

// UploadPatience is how long files may take to arrive.
const UploadPatience = 2 * time.Minute

func (r *Routes) add(method, pattern string, p Permission, h respond.Handler) {
	if p.allow == nil {
		panic("access: " + method + " " + pattern + " has no permission")
	}
	r.all = append(r.all, Route{method, pattern, p})
	stream := strings.HasSuffix(pattern, "/events")
	guarded := func(w http.ResponseWriter, req *http.Request) (respond.Answer, error) {
		malformed := readForm(req) // first, so that it can be offered again whatever goes wrong
		if !stream {
			patience := Patience
			if r.uploads[pattern] {
				patience = UploadPatience
				controller := http.NewResponseController(w)
				// Where the server sets no deadlines, as in tests, there is none to put off.
				_ = errors.Join(controller.SetReadDeadline(time.Now().Add(patience)),
					controller.SetWriteDeadline(time.Now().Add(patience)))
			}
			in, cancel := context.WithTimeout(req.Context(), patience)
			defer cancel()
			req = req.WithContext(in)
		}
		if p.Name != Anyone.Name || req.Method == http.MethodPost || r.isSomebody(req) {
			// What a principal sees is for nobody's cache, the back button's included.
			w.Header().Set("Cache-Control", "no-store")
		} else {
			// The same address shows another store's prices: see RememberStore.
			w.Header().Set("Cache-Control", "private, no-cache")
		}
		admitted, err := r.admit(req, p)
		if to, ok := err.(redirect); ok {
			return turned(req, to), nil
		}
		if err != nil {
			return nil, err
		}
		if malformed != nil {
			return nil, malformed
		}
		if stream {
			return r.stream(w, req, admitted, p, h)
		}
		answer, err := h(w, admitted)
		if s := Session(admitted.Context()); s != nil && err == nil {
			return forStaff(answer, s.Zone(), text.Language(admitted.Context())), nil
		}
		return answer, err
	}
	serve := respond.HTTP(guarded, r.page)
	if !stream {
		serve = r.queued(p, serve)
	}
	r.mux.Method(method, pattern, serve)
	if method == http.MethodGet {
		r.mux.Method(http.MethodHead, pattern, serve)
	}
}

// admit finds out who a request is from, as far as its permission wants to know, and lets them in or not.
func (r *Routes) admit(req *http.Request, p Permission) (*http.Request, error) {
	ctx := req.Context()
	switch p.whose {
	case associate:
		s, err := session.Load(ctx, r.DB, r.staffToken(req))
		if err != nil {
			return nil, err
		}
		if err := p.allow(s); err != nil {
			return nil, err
		}
		// A page that keeps itself up to date is not somebody who is there.
		if !strings.HasSuffix(req.URL.Path, "/events") && req.Header.Get("HX-Request") == "" && !s.Locked {
			if err := s.Touch(ctx, r.DB, r.staffToken(req)); err != nil {
				return nil, err
			}
		}
		if s.Associate.Language != "" && slices.Contains(text.Offered(ctx), s.Associate.Language) {
			ctx = text.WithLanguage(ctx, s.Associate.Language)
		}
		return req.WithContext(context.WithValue(ctx, sessionKey{}, s)), nil
	case shopper:
		me, err := shop.SignedIn(ctx, r.DB, r.Visitor(req))
		if err != nil {
			return nil, err
		}
		if me == 0 {
			return nil, errShopper
		}
		if err := session.TouchShopper(ctx, r.DB, r.shopperToken(req)); err != nil {
			return nil, err
		}
		return req.WithContext(context.WithValue(ctx, personKey{}, me)), nil
	}
	return req, p.allow(nil)
}

// turned sends somebody to where they can make up for what is missing. A form that met a locked counter goes along, to
// be sent again once it is unlocked.
func turned(req *http.Request, to redirect) respond.Answer {
	address := to.to + "?next=" + url.QueryEscape(next(req))
	if to == errLocked && req.Method == http.MethodPost {
		address = to.to + "?next=" + url.QueryEscape(req.URL.RequestURI())
		return func(w http.ResponseWriter, r *http.Request) error {
			http.Redirect(w, r, address, http.StatusTemporaryRedirect)
			return nil
		}
	}
	return respond.See(address)
}

// readForm reads a form before anybody looks at it, so that one that is no form is said so once.
func readForm(r *http.Request) error {
	err := r.ParseForm()
	var tooLarge *http.MaxBytesError
	if err == nil || errors.As(err, &tooLarge) {
		return err
	}
	return fault.New(fault.Invalid,
		"Your browser sent something we couldn’t read. Go back, reload the page and try again.")
}

// next is where somebody wanted to go; a form that was sent is not sent again.
func next(r *http.Request) string {
	if r.Method != http.MethodGet {
		room := "/" + strings.SplitN(strings.TrimPrefix(r.URL.Path, "/"), "/", 2)[0]
		if room == "/sign-out" {
			room = "/account"
		}
		return room
	}
	return r.URL.RequestURI()
}

// SafeNext keeps a redirect inside the site.
func SafeNext(next, otherwise string) string {
	if len(next) < 2 || next[0] != '/' || next[1] == '/' || next[1] == '\\' || strings.ContainsAny(next, "\\\r\n\t") ||
		len(next) > 500 {
		return otherwise
	}
	if u, err := url.Parse(next); err != nil || u.Host != "" || u.Scheme != "" {
		return otherwise
	}
	return next
}

type sessionKey struct{}

// Session is who is signed in; never nil behind a permission that asks for staff.
func Session(ctx context.Context) *session.Session {
	s, _ := ctx.Value(sessionKey{}).(*session.Session)
	return s
}

// Origin is where whoever is signed in works: of a request behind a permission that asks for staff.
func Origin(ctx context.Context) origin.Origin {
	s := Session(ctx)
	return origin.Origin{Channel: origin.Counter, LocationID: s.LocationID, AssociateID: s.Associate.ID,
		DeviceID: s.DeviceID, Language: text.Content(ctx)}
}

type personKey struct{}

// Person is the customer who is signed in; never 0 behind the permission Shopper.
func Person(ctx context.Context) int64 {
	id, _ := ctx.Value(personKey{}).(int64)
	return id
}

// Handler is the whole site behind its guards. raw serves what is not a page: assets, health, metrics.
func (r *Routes) Handler(raw map[string]http.HandlerFunc) http.Handler {
	outer := chi.NewRouter()
	outer.Use(throughProxies(r.Proxies), recoverer(r.page), securityHeaders(r.Secure, r.PayAt), logged, limitBody)
	for pattern, serve := range raw {
		outer.Get(pattern, serve)
	}
	for pattern, serve := range r.Hooks {
		outer.Post(pattern, serve)
	}
	outer.MethodNotAllowed(r.wrongMethod)
	if os.Getenv("TEMPL_DEV_MODE") == "" {
		outer.Mount("/", packed().Handler(r.inLanguage(r.mux)))
	} else {
		outer.Mount("/", r.inLanguage(r.mux)) // The proxy of `make dev` puts its reload script into pages, and loses compressed ones.
	}
	guard := http.NewCrossOriginProtection()
	guard.SetDenyHandler(securityHeaders(r.Secure, r.PayAt)(respond.HTTP(func(http.ResponseWriter,
		*http.Request) (respond.Answer, error) {
		return nil, fault.New(fault.Denied,
			"This was sent from another site, so we’ve ignored it. Open the page here and try again.")
	}, r.page)))
	return guard.Handler(outer)
}

// The Content-Security-Policy: our own files, no inline script or style, nobody frames us.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; " +
	"manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

func securityHeaders(secure bool, payAt string) func(http.Handler) http.Handler {
	// A browser follows a form's redirect only to where forms may go: to pay is to leave for the gateway's page.
	policy := strings.Replace(contentPolicy, "form-action 'self'", strings.TrimSpace("form-action 'self' "+payAt), 1)
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			header := w.Header()
			header.Set("Content-Security-Policy", policy)
			header.Set("X-Content-Type-Options", "nosniff")
			header.Set("Referrer-Policy", "same-origin")
			header.Set("Cross-Origin-Opener-Policy", "same-origin")
			header.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(self)")
			if secure {
				header.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
			}
			next.ServeHTTP(w, r)
		})
	}
}

// MaxBody is what a form may weigh, and MaxUpload one with files. What is not a form's is read by nobody but an upload's
// handler, piece by piece.
const (
	MaxBody   = 256 << 10
	MaxUpload = 128 << 20
)

func limitBody(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		most := int64(MaxBody)
		if strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data") {
			most = MaxUpload
		}
		r.Body = http.MaxBytesReader(w, r.Body, most)
		next.ServeHTTP(w, r)
	})
}

func recoverer(page respond.ErrorPage) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer func() {
				if p := recover(); p != nil && p != http.ErrAbortHandler {
					respond.HTTP(func(http.ResponseWriter, *http.Request) (respond.Answer, error) {
						return nil, panicked{p, debug.Stack()}
					}, page)(w, r)
				}
			}()
			next.ServeHTTP(w, r)
		})
	}
}

// logged writes one line a request: the pattern, never the path, because a path may hold somebody's link.
func logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begin := time.Now()
		wrapped := middleware.NewWrapResponseWriter(w, r.ProtoMajor)
		next.ServeHTTP(wrapped, r)
		took := time.Since(begin)
		route := chi.RouteContext(r.Context()).RoutePattern()
		observe(r.Method, route, wrapped.Status(), took)
		slog.DebugContext(r.Context(), "request", "method", r.Method, "route", route, "status", wrapped.Status(),
			"bytes", wrapped.BytesWritten(), "took", took)
	})
}

// From is the address a request comes from, for counting tries. Of IPv6 it is the network: a household has as many
// addresses as it likes.
func From(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	if ip, err := netip.ParseAddr(host); err == nil && ip.Is6() && !ip.Is4In6() {
		if network, err := ip.Prefix(64); err == nil {
			return network.String()
		}
	}
	return host
}

// throughProxies takes the client's address from X-Forwarded-For where the request comes from a proxy of ours: the last
// address in it that no proxy of ours has. What a client writes there itself stands before that, and is not believed.
func throughProxies(trusted []netip.Prefix) func(http.Handler) http.Handler {
	ours := func(address string) bool {
		ip, err := netip.ParseAddr(strings.TrimSpace(address))
		return err == nil && slices.ContainsFunc(trusted, func(p netip.Prefix) bool { return p.Contains(ip.Unmap()) })
	}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if host, port, err := net.SplitHostPort(r.RemoteAddr); err == nil && ours(host) {
				hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
				for _, hop := range slices.Backward(hops) {
					if hop = strings.TrimSpace(hop); !ours(hop) {
						if _, err := netip.ParseAddr(hop); err == nil {
							r.RemoteAddr = net.JoinHostPort(hop, port)
						}
						break
					}
				}
			}
			next.ServeHTTP(w, r)
		})
	}
}

// Reference is what the process knows of what hardly anything changes; nil where it could not be read.
func (r *Routes) Reference(ctx context.Context) *reference.Data {
	data, err := r.reference.Get(ctx)
	if err != nil {
		return nil
	}
	return data
}

// Visitor is what a shopper's browser brings along.
func (r *Routes) Visitor(req *http.Request) shop.Visitor {
	who := shop.Visitor{Language: text.Content(req.Context()), At: time.Now(), Reference: r.reference}
	if cookie, err := req.Cookie(r.name("device")); err == nil && len(cookie.Value) <= 100 {
		who.Device = cookie.Value
	}
	who.Session = r.shopperToken(req)
	if cookie, err := req.Cookie("store"); err == nil && storeCode(cookie.Value) {
		who.StoreCode = cookie.Value
	}
	return who
}

// storeCode keeps out what cannot be one before it meets the database.
func storeCode(code string) bool {
	return len(code) >= 2 && len(code) <= 12 && strings.Trim(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == ""
}
