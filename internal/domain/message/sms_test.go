package message

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// provider is a company that sends text messages: it keeps a book of what it sent, knows its customers, and fails when
// it is told to.
type provider struct {
	*httptest.Server
	status atomic.Int32
	sent   chan map[string]string
}

func open(t *testing.T) *provider {
	t.Helper()
	p := &provider{sent: make(chan map[string]string, 10)}
	p.status.Store(http.StatusCreated)
	mux := http.NewServeMux()
	mux.HandleFunc("POST /send", func(w http.ResponseWriter, r *http.Request) {
		var m map[string]string
		if r.Header.Get("Authorization") != "Bearer the-secret" || json.NewDecoder(r.Body).Decode(&m) != nil ||
			m["id"] != r.Header.Get("Idempotency-Key") {
			http.Error(w, "who are you", http.StatusUnauthorized)
			return
		}
		p.answer(w, m)
	})
	mux.HandleFunc("POST /2010-04-01/Accounts/{sid}/Messages.json", func(w http.ResponseWriter, r *http.Request) {
		user, secret, _ := r.BasicAuth()
		if user != r.PathValue("sid") || user != "AC1" || secret != "the-secret" {
			http.Error(w, `{"code": 20003}`, http.StatusUnauthorized)
			return
		}
		p.answer(w, map[string]string{"from": r.FormValue("From"), "service": r.FormValue("MessagingServiceSid"),
			"to": r.FormValue("To"), "text": r.FormValue("Body")})
	})
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

func (p *provider) answer(w http.ResponseWriter, m map[string]string) {
	if status := int(p.status.Load()); status != http.StatusCreated {
		http.Error(w, "not to "+m["to"], status)
		return
	}
	p.sent <- m
	w.WriteHeader(http.StatusCreated)
}

func TestTextMessagesByHTTP(t *testing.T) {
	ctx, p := context.Background(), open(t)
	m := Mail{ID: "one", To: "+441134960999", Text: "Your code is 123456 – don’t share it."}
	plain := SMSProvider{Form: "json", URL: p.URL + "/send", Secret: "the-secret", From: "Fold"}
	require.NoError(t, plain.Check())
	require.NoError(t, plain.Send(ctx, m))
	require.Equal(t, map[string]string{"id": "one", "from": "Fold", "to": m.To, "text": m.Text}, <-p.sent)

	twilio := SMSProvider{Form: "twilio", URL: p.URL, User: "AC1", Secret: "the-secret", From: "+441134960000"}
	require.NoError(t, twilio.Send(ctx, m))
	require.Equal(t, map[string]string{"from": "+441134960000", "service": "", "to": m.To, "text": m.Text}, <-p.sent)
	twilio.From = "MG77"
	require.NoError(t, twilio.Send(ctx, m))
	require.Equal(t, map[string]string{"from": "", "service": "MG77", "to": m.To, "text": m.Text}, <-p.sent)

	for _, status := range []int{http.StatusBadRequest, http.StatusTooManyRequests, http.StatusBadGateway} {
		p.status.Store(int32(status))
		for _, form := range []SMSProvider{plain, twilio} {
			err := form.Send(ctx, m)
			require.ErrorContains(t, err, "answered")
			require.NotContains(t, err.Error(), "1134960999", "the number stays out of logs")
		}
	}
	p.Close()
	require.Error(t, plain.Send(ctx, m))
	for _, wrong := range []SMSProvider{{Form: "pigeon", From: "x", Secret: "x"}, {Form: "json", From: "x"},
		{Form: "json", From: "x", Secret: "x"}, {Form: "twilio", From: "x", Secret: "x"}} {
		require.Error(t, wrong.Check())
	}
}
