package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"counterpart/internal/files"
	"counterpart/internal/pg"
	"counterpart/internal/work"
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
	sender, mails, err := post(c)
	if err != nil {
		return err
	}
	if mails != nil {
		defer mails.Close()
	}
	pool, err := pg.OpenServer(ctx, c.Database)
	if err != nil {
		return err
	}
	defer pool.Close()
	site, err := windows(ctx, pool, store, c, mails)
	if err != nil {
		return err
	}
	if site.Office, err = office(ctx, pool, db.Pool, c); err != nil {
		return err
	}
	// Jobs outlive the signal: what has begun is finished before the pool closes.
	jobs, err := work.Start(context.WithoutCancel(ctx), work.Tools{DB: pool, Files: store, Sender: sender, BaseURL: c.URL, Office: site.Office})
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
