// Package stripetest stands in for Stripe: every call is first checked by stripe-mock, Stripe's own server of its
// published interface, and answered with its published object; what stripe-mock does not do, remember, is added here.
package stripetest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/stripe/stripe-go/v85/webhook"

	"counterpart/internal/adapter/gateway"
)

// Version of stripe-mock that the tests install.
const version = "github.com/stripe/stripe-mock@v0.203.0"

// Secrets of the webhook's endpoint: the old one, and the one that replaces it.
const (
	OldSecret = "whsec_the_old_one"
	Secret    = "whsec_of_the_tests"
)

// Account of the tests at Stripe.
const Account = "shop.example"

// Company is an account at Stripe.
type Company struct {
	URL string
	// Calls that changed something, as method and path, those that came again under their key included.
	Calls []string

	t        testing.TB
	mock     string
	mu       sync.Mutex
	sessions map[string]*session
	answered map[string][]byte
	events   int
}

type session struct {
	id, intent, key, currency  string
	status                     string // open, complete, expired
	paid                       string // requires_capture, succeeded, canceled
	amount, captured, refunded int64
	refunds                    []map[string]any
}

var binary = sync.OnceValues(func() (string, error) {
	bin, err := os.MkdirTemp("", "stripe-mock")
	if err != nil {
		return "", err
	}
	install := exec.Command("go", "install", version)
	install.Env = append(install.Environ(), "GOBIN="+bin, "GOFLAGS=")
	if out, err := install.CombinedOutput(); err != nil {
		return "", fmt.Errorf("install stripe-mock: %w: %s", err, out)
	}
	return filepath.Join(bin, "stripe-mock"), nil
})

// Start installs stripe-mock and brings it up, behind what remembers.
func Start(t testing.TB) *Company {
	t.Helper()
	path, err := binary()
	require.NoError(t, err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := listener.Addr().String()
	require.NoError(t, listener.Close())
	command := exec.Command(path, "-http-addr", address)
	require.NoError(t, command.Start())
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	})
	require.Eventually(t, func() bool {
		c, err := net.Dial("tcp", address)
		if err == nil {
			c.Close()
		}
		return err == nil
	}, 20*time.Second, 20*time.Millisecond)
	c := &Company{t: t, mock: "http://" + address, sessions: map[string]*session{}, answered: map[string][]byte{}}
	server := httptest.NewServer(http.HandlerFunc(c.serve))
	t.Cleanup(server.Close)
	c.URL = server.URL
	return c
}

// Gateway is how the shop speaks with it.
func (c *Company) Gateway() *gateway.Stripe {
	return gateway.NewStripe("sk_test_123", []string{OldSecret, Secret}, Account, c.URL)
}

// Pay is the shopper on the page: their bank promises the money.
func (c *Company) Pay(reference string) { c.set(reference, "complete", "requires_capture") }

// Drop is what happens to a promise that nobody captured in its days.
func (c *Company) Drop(reference string) { c.set(reference, "complete", "canceled") }

func (c *Company) set(reference, status, paid string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.sessions[reference]
	s.status, s.paid = status, paid
}

// Message of a kind about a session, or about the payment behind it, signed now.
func (c *Company) Message(kind, reference string) (http.Header, []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.events++
	s := c.sessions[reference]
	object := map[string]any{"id": s.id, "object": "checkout.session",
		"metadata": map[string]string{"counterpart": s.key}}
	if !strings.HasPrefix(kind, "checkout.session.") {
		object["id"], object["object"] = s.intent, "payment_intent"
	}
	body, err := json.Marshal(map[string]any{"id": fmt.Sprintf("evt_%d", c.events), "object": "event", "type": kind,
		"api_version": "2020-08-27", "data": map[string]any{"object": object}})
	require.NoError(c.t, err)
	return Sign(body, Secret, time.Now()), body
}

// Sign a message with a secret, as of a time.
func Sign(body []byte, secret string, at time.Time) http.Header {
	signed := webhook.GenerateTestSignedPayload(&webhook.UnsignedPayload{Payload: body, Secret: secret, Timestamp: at})
	return http.Header{"Stripe-Signature": {signed.Header}}
}

func (c *Company) serve(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	status, object := c.ask(r, body)
	if status != http.StatusOK {
		c.t.Logf("stripe-mock refuses %s %s: %v", r.Method, r.URL, object)
		answer(w, status, object)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	form, _ := url.ParseQuery(string(body))
	parts := strings.Split(strings.TrimPrefix(r.URL.Path, "/v1/"), "/")
	if r.Method == http.MethodGet {
		c.read(w, r, parts, object)
		return
	}
	c.Calls = append(c.Calls, r.Method+" "+r.URL.Path)
	key := r.Header.Get("Idempotency-Key")
	if text, again := c.answered[key]; again && key != "" {
		_, _ = w.Write(text)
		return
	}
	if refusal := c.change(parts, form, key, object); refusal != "" {
		answer(w, http.StatusBadRequest, map[string]any{"error": map[string]any{"type": "invalid_request_error",
			"message": refusal}})
		return
	}
	text, _ := json.Marshal(object)
	c.answered[key] = text
	_, _ = w.Write(text)
}

// ask is stripe-mock's answer: whether the call is one that Stripe would take, and the object as Stripe publishes it.
func (c *Company) ask(r *http.Request, body []byte) (int, map[string]any) {
	request, err := http.NewRequestWithContext(r.Context(), r.Method, c.mock+r.URL.RequestURI(), bytes.NewReader(body))
	require.NoError(c.t, err)
	request.Header = r.Header.Clone()
	response, err := http.DefaultClient.Do(request)
	require.NoError(c.t, err)
	defer response.Body.Close()
	object := map[string]any{}
	require.NoError(c.t, json.NewDecoder(response.Body).Decode(&object))
	return response.StatusCode, object
}

func (c *Company) read(w http.ResponseWriter, r *http.Request, parts []string, object map[string]any) {
	if parts[0] == "refunds" {
		for _, s := range c.sessions {
			if s.intent == r.URL.Query().Get("payment_intent") {
				object["data"], object["has_more"] = s.refunds, false
			}
		}
		answer(w, http.StatusOK, object)
		return
	}
	s := c.sessions[parts[2]]
	s.show(object)
	answer(w, http.StatusOK, object)
}

// change does what was asked, where Stripe would; otherwise it says why not.
func (c *Company) change(parts []string, form url.Values, key string, object map[string]any) (refusal string) {
	if len(parts) == 2 && parts[1] == "sessions" {
		n := strconv.Itoa(len(c.sessions) + 1)
		amount, _ := strconv.ParseInt(form.Get("line_items[0][price_data][unit_amount]"), 10, 64)
		s := &session{id: "cs_test_" + n, intent: "pi_" + n, key: form.Get("client_reference_id"), status: "open",
			amount: amount, currency: form.Get("line_items[0][price_data][currency]")}
		c.sessions[s.id] = s
		s.show(object)
		object["url"] = gateway.StripePage + "/c/pay/" + s.id
		return ""
	}
	for _, s := range c.sessions {
		switch {
		case parts[0] == "checkout" && parts[2] == s.id:
			if s.status != "open" {
				return "Only Checkout Sessions with a status in [\"open\"] can be expired."
			}
			s.status = "expired"
		case parts[0] == "payment_intents" && parts[1] == s.intent:
			if s.paid != "requires_capture" {
				return "This PaymentIntent could not be changed because it has a status of " + s.paid + "."
			}
			s.paid = "canceled"
			if parts[2] == "capture" {
				s.paid = "succeeded"
				s.captured, _ = strconv.ParseInt(form.Get("amount_to_capture"), 10, 64)
			}
		case parts[0] == "refunds" && form.Get("payment_intent") == s.intent:
			amount, _ := strconv.ParseInt(form.Get("amount"), 10, 64)
			if s.refunded+amount > s.captured {
				return "Refund amount is greater than unrefunded amount on charge."
			}
			s.refunded += amount
			s.refunds = append(s.refunds, map[string]any{"id": "re_" + key, "object": "refund", "amount": amount,
				"metadata": map[string]string{"counterpart": form.Get("metadata[counterpart]")}})
		}
	}
	return ""
}

// show writes what is remembered over the published object.
func (s *session) show(object map[string]any) {
	object["id"], object["status"], object["client_reference_id"] = s.id, s.status, s.key
	object["currency"], object["amount_total"], object["payment_intent"] = s.currency, s.amount, nil
	if s.paid == "" {
		return
	}
	taken := s.amount
	if s.paid == "succeeded" {
		taken = s.captured
	}
	// What was not captured of a promise counts as refunded.
	charge := map[string]any{"id": "ch_" + s.intent, "object": "charge", "amount": s.amount,
		"amount_captured": s.captured, "amount_refunded": s.refunded + s.amount - taken,
		"payment_method_details": map[string]any{"type": "card",
			"card": map[string]any{"capture_before": time.Now().Add(7 * 24 * time.Hour).Unix()}}}
	object["payment_intent"] = map[string]any{"id": s.intent, "object": "payment_intent", "status": s.paid,
		"amount": s.amount, "amount_received": s.captured, "latest_charge": charge}
}

func answer(w http.ResponseWriter, status int, object map[string]any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(object)
}
