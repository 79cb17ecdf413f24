package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"counterpart/internal/customer"
	"counterpart/internal/files"
	"counterpart/internal/live"
	"counterpart/internal/location"
	"counterpart/internal/message"
	"counterpart/internal/message/catcher"
	"counterpart/internal/passkey"
	"counterpart/internal/pg"
	"counterpart/internal/secret"
	"counterpart/internal/work"
	"counterpart/web"
	"counterpart/web/door"
	"counterpart/web/static"
)

type serve struct {
	Demo bool `help:"Load the demo shop into an empty database that DATABASE_URL names; our own gets it anyway."`
}

func (s serve) Run(ctx context.Context) (err error) {
	if !static.Built() {
		return errors.New("this binary was built without its assets: run make build")
	}
	slog.SetDefault(slog.New(slog.NewJSONHandler(os.Stderr, nil)))
	settings, db, err := open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if _, err := pg.Migrate(db.URL); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", settings.Addr)
	if err != nil {
		return err
	}
	if settings.URL == "" {
		settings.URL = "http://" + named(listener.Addr().String())
	}
	store, err := files.Open(filepath.Join(settings.Data, "files"))
	if err != nil {
		return err
	}
	if err := s.loadDemo(ctx, db, store, settings); err != nil {
		return err
	}
	return s.run(ctx, db, store, settings, listener)
}

func (s serve) run(ctx context.Context, db *database, store *files.Store, c config, listener net.Listener) error {
	site := web.Site{DB: db.Pool, Files: store, Live: live.Listen(ctx, db.URL), BaseURL: c.URL, Draining: &atomic.Bool{}}
	sender := message.Sender{Host: c.SMTPHost, Port: c.SMTPPort, User: c.SMTPUser, Pass: c.SMTPPass, From: c.MailFrom, TextGateway: c.Texts}
	if c.SMTPHost == "" {
		mails, err := catcher.Start()
		if err != nil {
			return err
		}
		defer mails.Close()
		sender.Host, sender.Port, sender.TextGateway = "127.0.0.1", mails.Port, "sms.localhost"
		// Caught mails hold codes and names: they are shown on the developer's own machine and nowhere else.
		if local(c.URL) {
			site.Mail = mails
		} else {
			slog.Warn("no mail is sent: COUNTERPART_SMTP_HOST is not set")
		}
	}
	for _, typed := range c.Proxies {
		network, err := netip.ParsePrefix(typed)
		if address, wrong := netip.ParseAddr(typed); wrong == nil {
			network, err = address.Prefix(address.BitLen())
		}
		if err != nil {
			return fmt.Errorf("COUNTERPART_TRUSTED_PROXIES: %w", err)
		}
		site.Proxies = append(site.Proxies, network)
	}
	site.Texts = sender.TextGateway != ""
	name, err := s.proofs(ctx, db, c, &site)
	if err != nil {
		return err
	}
	if name == "" {
		site.SetupToken = secret.NewToken()
	}
	site.Trail = customer.NewTrail(ctx, db.Pool)
	// Jobs outlive the signal: what has begun is finished before the pool closes.
	jobs, err := work.Start(context.WithoutCancel(ctx), work.Tools{DB: db.Pool, Files: store, Sender: sender, BaseURL: c.URL})
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler: site.Handler(), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second,
		IdleTimeout: time.Minute, MaxHeaderBytes: 32 << 10, BaseContext: func(net.Listener) context.Context { return ctx },
		ErrorLog: slog.NewLogLogger(slog.Default().Handler(), slog.LevelWarn),
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	announce(c, site)

	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	site.Draining.Store(true)
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
	defer cancel()
	err = errors.Join(server.Shutdown(drain), jobs.Stop(drain))
	site.Trail.Wait()
	return err
}

// proofs sets up passkeys and the company's sign-in, and answers with the name of the shop, or "" where nobody has set it up.
func (s serve) proofs(ctx context.Context, db *database, c config, site *web.Site) (name string, err error) {
	shop, err := location.TheShop(ctx, db.Pool)
	if err != nil {
		return "", err
	}
	if shop != nil {
		name = shop.Name
	}
	if site.Passkeys, err = passkey.New(c.URL, cmp.Or(name, "Counterpart")); err != nil {
		return "", err
	}
	if c.SignOn != "" {
		site.SignOn, err = door.NewSignOn(ctx, c.SignOn, c.SignOnClient, c.SignOnSecret, c.URL)
	}
	return name, err
}

// named is this machine by name: browsers make no passkeys for a number.
func named(address string) string {
	if host, port, err := net.SplitHostPort(address); err == nil && (host == "127.0.0.1" || host == "::1") {
		return net.JoinHostPort("localhost", port)
	}
	return address
}
