package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/files"
	"counterpart/internal/platform/pg"
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
	// Everything that runs outlives the signal: what has begun is finished before the pool closes.
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	db.Supervise(running)
	site, err := windows(running, pool, store, c, mails)
	if err != nil {
		return err
	}
	if site.Payments, err = office(running, pool, db.Pool, c); err != nil {
		return err
	}
	jobs, err := work.Start(running, work.Tools{DB: pool, Files: store, Sender: sender, BaseURL: c.URL,
		Payments: site.Payments})
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler: site.Handler(), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second,
		WriteTimeout: 30 * time.Second,
		IdleTimeout:  time.Minute, MaxHeaderBytes: 32 << 10,
		BaseContext: func(net.Listener) context.Context { return running },
		ErrorLog:    slog.NewLogLogger(slog.Default().Handler(), slog.LevelWarn),
	}
	failed := make(chan error, 2)
	go func() { failed <- server.Serve(listener) }()
	go func() {
		// A shop that is not set up has no pages yet.
		if err := web.Warm(running, pool); err != nil && fault.As(err) == nil {
			slog.Warn("connections are not warm", "error", err)
		}
	}()
	if c.OpsAddr != "" {
		ops, err := operations(c.OpsAddr, site, failed)
		if err != nil {
			return err
		}
		defer ops.Close()
	}
	announce(c, site)

	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	// Readiness goes first, while requests are still taken: a load balancer stops sending them here before the door
	// closes.
	site.Draining.Store(true)
	slog.Info("stopping: requests that are under way are answered", "at_most", drainTime)
	time.Sleep(c.DrainDelay)
	site.Live.Close()
	drain, cancel := context.WithTimeout(running, drainTime)
	defer cancel()
	err = errors.Join(server.Shutdown(drain), jobs.Stop(drain))
	if err != nil {
		slog.Warn("stopped with work unfinished", "error", err)
		err = errors.Join(err, server.Close())
	}
	stop()
	site.Trail.Wait()
	return err
}

// drainTime is how long what is under way has to finish after SIGTERM.
const drainTime = 20 * time.Second

// operations serves metrics and health on an address of their own, which is not the public's.
func operations(address string, site web.Site, failed chan<- error) (*http.Server, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("COUNTERPART_OPS_ADDR: %w", err)
	}
	server := &http.Server{Handler: site.Operations(), ReadHeaderTimeout: 5 * time.Second,
		WriteTimeout: 10 * time.Second, IdleTimeout: time.Minute}
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			failed <- err
		}
	}()
	slog.Info("operations", "address", listener.Addr().String())
	return server, nil
}
