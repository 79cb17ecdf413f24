package access

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"counterpart/internal/domain/session"
)

// name adds the prefix that makes a browser refuse the cookie from anywhere but this host over HTTPS.
func (r *Routes) name(cookie string) string {
	if r.Secure {
		return "__Host-" + cookie
	}
	return cookie
}

func (r *Routes) set(w http.ResponseWriter, name, value string, age time.Duration) {
	http.SetCookie(w, &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: int(age.Seconds()), HttpOnly: true,
		Secure: r.Secure, SameSite: http.SameSiteLaxMode})
}

// RememberDevice gives the browser the cookie by which its cart is found again, for a quarter.
func (r *Routes) RememberDevice(w http.ResponseWriter, token string) {
	r.set(w, r.name("device"), token, 90*24*time.Hour)
}

// SignInShopper gives the browser a customer's session, and the new cookie of its device.
func (r *Routes) SignInShopper(w http.ResponseWriter, token, device string) {
	r.set(w, r.name("shopper"), token, session.ShopperLifetime)
	r.RememberDevice(w, device)
	r.set(w, r.name("start"), "", -time.Second)
}

// SignOutShopper takes both back: whoever uses the browser next is nobody.
func (r *Routes) SignOutShopper(w http.ResponseWriter) {
	r.set(w, r.name("shopper"), "", -time.Second)
	r.set(w, r.name("device"), "", -time.Second)
}

// ShopperToken is the cookie of the customer's session.
func (r *Routes) ShopperToken(req *http.Request) string { return r.shopperToken(req) }

func (r *Routes) shopperToken(req *http.Request) string { return r.read(req, "shopper") }

// Begin keeps the secret of a registration, so that only this browser can finish it with what was typed here.
func (r *Routes) Begin(w http.ResponseWriter, start string) {
	r.set(w, r.name("start"), start, time.Hour)
}

// Started is what Begin kept.
func (r *Routes) Started(req *http.Request) string { return r.read(req, "start") }

// RegisterDevice makes this browser one of a store's machines.
func (r *Routes) RegisterDevice(w http.ResponseWriter, token string) {
	r.set(w, r.name("machine"), token, 365*24*time.Hour)
}

// MachineToken is the cookie of a registered machine.
func (r *Routes) MachineToken(req *http.Request) string { return r.read(req, "machine") }

func (r *Routes) read(req *http.Request, name string) string {
	if cookie, err := req.Cookie(r.name(name)); err == nil && len(cookie.Value) <= 100 {
		return cookie.Value
	}
	return ""
}

// RememberStore keeps the store that the shopper chose. It holds no secret and writes no row.
func (r *Routes) RememberStore(w http.ResponseWriter, code string) {
	r.set(w, "store", code, 365*24*time.Hour)
}

func (r *Routes) staffToken(req *http.Request) string { return r.read(req, "staff") }

// SignIn gives the browser a session's cookie.
func (r *Routes) SignIn(w http.ResponseWriter, token string) {
	r.set(w, r.name("staff"), token, session.Lifetime)
}

// SignOut takes it back and answers which session it was.
func (r *Routes) SignOut(w http.ResponseWriter, req *http.Request) (token string) {
	r.set(w, r.name("staff"), "", -time.Second)
	return r.staffToken(req)
}

// StaffToken is the cookie of the session a request belongs to.
func (r *Routes) StaffToken(req *http.Request) string { return r.staffToken(req) }

type panicked struct {
	value any
	stack []byte
}

func (p panicked) Error() string { return fmt.Sprintf("panic: %v\n%s", p.value, p.stack) }

var requests = promauto.NewHistogramVec(prometheus.HistogramOpts{
	Name: "counterpart_request_seconds", Help: "How long requests took, by route.", Buckets: []float64{.001, .0025,
		.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5},
}, []string{"method", "route", "status"})

func observe(method, route string, status int, took time.Duration) {
	if route == "" {
		route = "none"
	}
	requests.WithLabelValues(method, route, strconv.Itoa(status/100)+"xx").Observe(took.Seconds())
}
