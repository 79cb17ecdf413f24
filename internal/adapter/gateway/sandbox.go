// Package gateway is how the shop speaks with those who take cards for it: the sandbox, and Stripe.
package gateway

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"counterpart/internal/domain/payment"
)

// Sandbox speaks with the sandbox over HTTP. Two secrets are valid at a time, so that one can be changed.
type Sandbox struct {
	Base    string
	Key     string
	Secrets []string
	Client  *http.Client
}

// Patient is a client that waits as long as a shopper does, and no longer: a second to connect, four in all.
func Patient() *http.Client {
	return &http.Client{
		Timeout: 4 * time.Second,
		Transport: &http.Transport{DialContext: (&net.Dialer{Timeout: time.Second}).DialContext,
			MaxIdleConnsPerHost: 16, IdleConnTimeout: 30 * time.Second},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func (s *Sandbox) Name() string { return "sandbox" }

type told struct {
	ID       string     `json:"id"`
	Key      string     `json:"key"`
	State    string     `json:"state"`
	Page     string     `json:"page"`
	Amount   int64      `json:"amount"`
	Currency string     `json:"currency"`
	Captured int64      `json:"captured"`
	Refunded int64      `json:"refunded"`
	Reason   string     `json:"reason"`
	Lapses   *time.Time `json:"lapses_at"`
	Error    string     `json:"error"`
}

func (s *Sandbox) call(ctx context.Context, method, path, key string, in any) (out told, err error) {
	var body io.Reader
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return out, err
		}
		body = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, method, s.Base+path, body)
	if err != nil {
		return out, err
	}
	request.Header.Set("Authorization", "Bearer "+s.Key)
	if key != "" {
		request.Header.Set("Idempotency-Key", key)
	}
	response, err := s.Client.Do(request)
	if err != nil {
		return out, fmt.Errorf("call the sandbox: %w", err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(io.LimitReader(response.Body, 1<<16)).Decode(&out); err != nil {
		return out, fmt.Errorf("read the sandbox's answer: %w", err)
	}
	switch response.StatusCode {
	case http.StatusOK:
		return out, nil
	case http.StatusConflict, http.StatusUnprocessableEntity:
		return out, &payment.Refused{Why: out.Error}
	}
	return out, fmt.Errorf("the sandbox answered %d: %s", response.StatusCode, out.Error)
}

func (s *Sandbox) Begin(ctx context.Context, b payment.Begin) (payment.Begun, error) {
	out, err := s.call(ctx, http.MethodPost, "/v1/payments", b.Key, map[string]any{
		"method": b.Method, "amount": b.Amount, "currency": b.Currency, "label": "Order " +
			b.Order, "back": b.Return, "expires_at": b.Expires.UTC()})
	return payment.Begun{Reference: out.ID, Page: out.Page}, err
}

// states of the sandbox in our words. A shopper who is with their bank is still paying.
var states = map[string]string{"open": payment.Started, "secure": payment.Started, "authorised": payment.Authorised,
	"captured": payment.Captured, "declined": payment.Declined, "void": payment.Voided}

func (s *Sandbox) Fetch(ctx context.Context, reference string) (payment.Status, error) {
	out, err := s.call(ctx, http.MethodGet, "/v1/payments/"+reference, "", nil)
	if err != nil {
		return payment.Status{}, err
	}
	status := payment.Status{State: states[out.State], Amount: out.Amount, Currency: out.Currency,
		Captured: out.Captured, Refunded: out.Refunded, Key: out.Key, Declined: out.Reason}
	if out.Lapses != nil {
		status.Lapses = *out.Lapses
	}
	return status, nil
}

func (s *Sandbox) Capture(ctx context.Context, reference, key string, amount int64) error {
	_, err := s.call(ctx, http.MethodPost, "/v1/payments/"+reference+"/capture", key, map[string]any{"amount": amount})
	return err
}

func (s *Sandbox) ClosePage(ctx context.Context, reference, key string) error {
	_, err := s.call(ctx, http.MethodPost, "/v1/payments/"+reference+"/close", key, map[string]any{})
	return err
}

func (s *Sandbox) Void(ctx context.Context, reference, key string) error {
	_, err := s.call(ctx, http.MethodPost, "/v1/payments/"+reference+"/void", key, map[string]any{})
	return err
}

func (s *Sandbox) Refund(ctx context.Context, reference, key string, amount int64) error {
	_, err := s.call(ctx, http.MethodPost, "/v1/payments/"+reference+"/refunds", key, map[string]any{"amount": amount})
	return err
}

// Tolerance is how old a message may be, or how far ahead its clock: what Stripe's own library allows.
const Tolerance = 300 * time.Second

func (s *Sandbox) VerifyWebhook(header http.Header, body []byte, now time.Time) (payment.Event, error) {
	all := header.Values("Sandbox-Signature")
	if len(all) != 1 {
		return payment.Event{}, payment.ErrForged
	}
	var at int64
	good := false
	parts := strings.Split(all[0], ",")
	for _, part := range parts {
		if value, ok := strings.CutPrefix(part, "t="); ok {
			at, _ = strconv.ParseInt(value, 10, 64)
		}
	}
	for _, part := range parts {
		value, ok := strings.CutPrefix(part, "v1=")
		given, err := hex.DecodeString(value)
		if !ok || err != nil {
			continue
		}
		for _, secret := range s.Secrets {
			mac := hmac.New(sha256.New, []byte(secret))
			fmt.Fprintf(mac, "%d.", at)
			mac.Write(body)
			good = good || hmac.Equal(mac.Sum(nil), given)
		}
	}
	if age := now.Sub(time.Unix(at, 0)); !good || age > Tolerance || age < -Tolerance {
		return payment.Event{}, payment.ErrForged
	}
	var m struct{ ID, Kind, Payment string }
	if err := json.Unmarshal(body, &m); err != nil || m.ID == "" {
		return payment.Event{}, errors.Join(payment.ErrForged, err)
	}
	return payment.Event{ID: m.ID, Kind: m.Kind, Reference: m.Payment}, nil
}
