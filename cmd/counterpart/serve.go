package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"counterpart/internal/files"
	"counterpart/internal/live"
	"counterpart/internal/location"
	"counterpart/internal/message"
	"counterpart/internal/message/catcher"
	"counterpart/internal/pg"
	"counterpart/internal/secret"
	"counterpart/internal/work"
	"counterpart/web"
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
		settings.URL = "http://" + listener.Addr().String()
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
	sender := message.Sender{Host: c.SMTPHost, Port: c.SMTPPort, User: c.SMTPUser, Pass: c.SMTPPass, From: c.MailFrom}
	if c.SMTPHost == "" {
		mails, err := catcher.Start()
		if err != nil {
			return err
		}
		defer mails.Close()
		sender.Host, sender.Port = "127.0.0.1", mails.Port
		// Caught mails hold codes and names: they are shown on the developer's own machine and nowhere else.
		if local(c.URL) {
			site.Mail = mails
		} else {
			slog.Warn("no mail is sent: COUNTERPART_SMTP_HOST is not set")
		}
	}
	shop, err := location.TheShop(ctx, db.Pool)
	if err != nil {
		return err
	}
	if shop == nil {
		site.SetupToken = secret.NewToken()
	}
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
	return errors.Join(server.Shutdown(drain), jobs.Stop(drain))
}
