package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"counterpart/internal/adapter/gateway"
	"counterpart/internal/adapter/sandbox"
	"counterpart/internal/domain/location"
	"counterpart/internal/flow/settle"
)

// office settles payments with the gateway that COUNTERPART_PAYMENTS names. The demo runs on the sandbox, which it
// starts, with its book in tables of the owner's; without the setting no other shop takes cards.
func office(ctx context.Context, pool, owner *pgxpool.Pool, c config) (*settle.Payments, error) {
	o := &settle.Payments{DB: pool, Base: c.URL}
	if c.Payments == "" {
		shop, err := location.ShopOf(ctx, pool)
		if err != nil {
			return nil, err
		}
		if shop != nil && shop.Demo {
			c.Payments = "sandbox"
		}
	}
	switch c.Payments {
	case "", "none":
		return o, nil
	case "stripe":
		return o, withStripe(o, c)
	case "sandbox":
	default:
		return nil, fmt.Errorf("COUNTERPART_PAYMENTS is sandbox, stripe or none, not %q", c.Payments)
	}
	base, key, secret := c.SandboxURL, c.SandboxKey, c.SandboxSecret
	if base == "" {
		var err error
		if base, key, secret, err = startSandbox(ctx, owner, c); err != nil {
			return nil, err
		}
	}
	page, err := url.Parse(base)
	if err != nil {
		return nil, fmt.Errorf("COUNTERPART_SANDBOX_URL: %w", err)
	}
	o.PayAt = page.Scheme + "://" + page.Host
	o.Gateway = &gateway.Sandbox{Base: base, Key: key, Secrets: strings.Fields(secret), Client: gateway.Patient()}
	return o, nil
}

func withStripe(o *settle.Payments, c config) error {
	shop, err := url.Parse(c.URL)
	secrets := strings.Fields(c.StripeSecret)
	safe := err == nil && shop.Host != "" && (shop.Scheme == "https" || strings.HasPrefix(c.StripeKey, "sk_test_"))
	if !safe || c.StripeKey == "" || len(secrets) == 0 || len(secrets) > 2 {
		return errors.New("COUNTERPART_PAYMENTS=stripe needs COUNTERPART_URL with https, COUNTERPART_STRIPE_KEY, and in COUNTERPART_STRIPE_SECRET one or two signing secrets of its webhook")
	}
	o.PayAt = gateway.StripePage
	o.Gateway = gateway.NewStripe(c.StripeKey, secrets, shop.Host, "")
	return nil
}

// startSandbox is the payment company of a demo: a server of its own beside the shop, with its own book in the same
// Postgres.
func startSandbox(ctx context.Context, pool *pgxpool.Pool, c config) (base, key, secret string, err error) {
	salt, err := location.ForgetKey(ctx, pool)
	if err != nil {
		return "", "", "", err
	}
	key, secret = derived(salt, "sandbox key"), derived(salt, "sandbox secret")
	listener, err := net.Listen("tcp", besides(c))
	if err != nil {
		return "", "", "", fmt.Errorf("start the sandbox: %w", err)
	}
	base = "http://" + named(listener.Addr().String())
	return base, key, secret, serveSandbox(ctx, listener, &sandbox.Server{DB: pool, Base: base, Key: key,
		Secret: secret, Hook: c.URL + "/webhooks/sandbox"})
}

// besides is where the sandbox listens: at the port after the shop's, so that the page of an order is there again after
// a restart.
func besides(c config) string {
	if c.SandboxAddr != "" {
		return c.SandboxAddr
	}
	host, port, err := net.SplitHostPort(c.Addr)
	n, _ := strconv.Atoi(port)
	if err != nil || n == 0 {
		return "127.0.0.1:0"
	}
	return net.JoinHostPort(host, strconv.Itoa(n+1))
}

func derived(salt, what string) string {
	mac := hmac.New(sha256.New, []byte(salt))
	mac.Write([]byte(what))
	return hex.EncodeToString(mac.Sum(nil))
}

// serveSandbox serves in the background until the context ends.
func serveSandbox(ctx context.Context, listener net.Listener, s *sandbox.Server) error {
	if err := s.Open(ctx); err != nil {
		return errors.Join(err, listener.Close())
	}
	server := &http.Server{Handler: s.Handler(), ReadHeaderTimeout: 5 * time.Second, WriteTimeout: 30 * time.Second}
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			slog.Error("the sandbox stopped", "error", err)
		}
	}()
	go func() {
		s.Deliver(ctx)
		_ = server.Close()
	}()
	return nil
}

// sandboxCommand runs the sandbox as a process of its own.
type sandboxCommand struct{}

func (sandboxCommand) Run(ctx context.Context) (err error) {
	c, db, err := open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	listener, err := net.Listen("tcp", besides(c))
	if err != nil {
		return err
	}
	base := "http://" + named(listener.Addr().String())
	s := &sandbox.Server{DB: db.Pool, Base: base, Key: c.SandboxKey, Secret: c.SandboxSecret}
	if c.URL != "" {
		s.Hook = c.URL + "/webhooks/sandbox"
	}
	if err := serveSandbox(ctx, listener, s); err != nil {
		return err
	}
	fmt.Println(base) // Whoever waits for this line may use it: its tables are there.
	<-ctx.Done()
	return nil
}
