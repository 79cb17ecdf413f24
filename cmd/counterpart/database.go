package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/caarlos0/env/v11"
	"github.com/jackc/pgx/v5/pgxpool"

	"counterpart/internal/pg"
)

// config is what the environment says.
type config struct {
	Addr     string   `env:"COUNTERPART_ADDR" envDefault:"127.0.0.1:8080"`
	Data     string   `env:"COUNTERPART_DATA" envDefault:".data"`
	URL      string   `env:"COUNTERPART_URL"` // the shop's address as shoppers see it
	Database string   `env:"DATABASE_URL"`
	Owner    string   `env:"COUNTERPART_OWNER_URL"` // the same database as its owner, who migrates it; none: DATABASE_URL is the owner's
	SMTPHost string   `env:"COUNTERPART_SMTP_HOST"` // none: mails are caught and shown
	SMTPPort int      `env:"COUNTERPART_SMTP_PORT" envDefault:"587"`
	SMTPUser string   `env:"COUNTERPART_SMTP_USER"`
	SMTPPass string   `env:"COUNTERPART_SMTP_PASSWORD"`
	MailFrom string   `env:"COUNTERPART_MAIL_FROM" envDefault:"shop@localhost"`
	Proxies  []string `env:"COUNTERPART_TRUSTED_PROXIES"` // addresses or networks whose X-Forwarded-For is believed
	Texts    string   `env:"COUNTERPART_SMS_GATEWAY"`     // text messages are mails to the number at this host

	Payments      string `env:"COUNTERPART_PAYMENTS"`     // sandbox, stripe or none; the demo's is sandbox
	SandboxAddr   string `env:"COUNTERPART_SANDBOX_ADDR"` // the port after the shop's, where nothing is said
	SandboxURL    string `env:"COUNTERPART_SANDBOX_URL"`  // of one that runs elsewhere; none: it is started
	SandboxKey    string `env:"COUNTERPART_SANDBOX_KEY"`
	SandboxSecret string `env:"COUNTERPART_SANDBOX_SECRET"` // two, parted by a space, while one is changed for the other
	StripeKey     string `env:"COUNTERPART_STRIPE_KEY"`
	StripeSecret  string `env:"COUNTERPART_STRIPE_SECRET"` // of the webhook's endpoint; likewise two

	SignOn       string `env:"COUNTERPART_OIDC_ISSUER"` // a company's own sign-in for staff
	SignOnClient string `env:"COUNTERPART_OIDC_CLIENT_ID"`
	SignOnSecret string `env:"COUNTERPART_OIDC_CLIENT_SECRET"`
}

// database is the one that DATABASE_URL names, or our own in the data folder. Pool is its owner's: what is not the running server works on it.
type database struct {
	URL  string
	Pool *pgxpool.Pool
	own  *pg.Server
}

func open(ctx context.Context) (config, *database, error) {
	var c config
	if err := env.Parse(&c); err != nil {
		return c, nil, err
	}
	db := &database{URL: cmp.Or(c.Owner, c.Database)}
	if db.URL == "" {
		own, err := pg.Start(ctx, filepath.Join(c.Data, "postgres"), pg.Options{})
		if err != nil {
			return c, nil, err
		}
		db.own, db.URL, c.Database = own, own.URL, own.URL
	}
	pool, err := pg.Open(ctx, db.URL)
	if err != nil {
		return c, nil, errors.Join(err, db.Close())
	}
	db.Pool = pool
	return c, db, nil
}

func (db *database) Close() error {
	if db.Pool != nil {
		db.Pool.Close()
	}
	if db.own == nil {
		return nil
	}
	return db.own.Stop()
}

type migrate struct{}

func (migrate) Run(ctx context.Context) (err error) {
	_, db, err := open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	applied, err := pg.Migrate(db.URL)
	if err != nil {
		return err
	}
	if !applied {
		fmt.Println("The database is up to date.")
		return nil
	}
	fmt.Println("The database is migrated.")
	return nil
}
