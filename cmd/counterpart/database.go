package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/caarlos0/env/v11"
	"github.com/jackc/pgx/v5/pgxpool"

	"counterpart/internal/platform/pg"
)

// config is what the environment says.
type config struct {
	Addr       string        `env:"COUNTERPART_ADDR" envDefault:"127.0.0.1:8080"`
	OpsAddr    string        `env:"COUNTERPART_OPS_ADDR"` // where metrics and health are served; none: there are no metrics
	Data       string        `env:"COUNTERPART_DATA" envDefault:".data"`
	URL        string        `env:"COUNTERPART_URL"` // the shop's address as shoppers see it
	Database   string        `env:"DATABASE_URL"`
	Owner      string        `env:"COUNTERPART_OWNER_URL"` // the same database as its owner, who migrates it; none: DATABASE_URL is the owner's
	SMTPHost   string        `env:"COUNTERPART_SMTP_HOST"` // none: mails are caught and shown
	SMTPPort   int           `env:"COUNTERPART_SMTP_PORT" envDefault:"587"`
	SMTPUser   string        `env:"COUNTERPART_SMTP_USER"`
	SMTPPass   string        `env:"COUNTERPART_SMTP_PASSWORD"`
	MailFrom   string        `env:"COUNTERPART_MAIL_FROM" envDefault:"shop@localhost"`
	Proxies    []string      `env:"COUNTERPART_TRUSTED_PROXIES"`             // addresses or networks whose X-Forwarded-For is believed
	DrainDelay time.Duration `env:"COUNTERPART_DRAIN_DELAY" envDefault:"1s"` // how long requests are still taken after readiness went off
	Contact    string        `env:"COUNTERPART_SECURITY_CONTACT"`            // of security.txt: an address as mailto: or https:; none: the page of stores
	Texts      string        `env:"COUNTERPART_SMS_GATEWAY"`                 // text messages are mails to the number at this host

	SMS       string `env:"COUNTERPART_SMS"` // json or twilio: text messages by a provider over HTTP, before the gateway
	SMSURL    string `env:"COUNTERPART_SMS_URL"`
	SMSUser   string `env:"COUNTERPART_SMS_USER"`
	SMSSecret string `env:"COUNTERPART_SMS_SECRET"`
	SMSFrom   string `env:"COUNTERPART_SMS_FROM"`

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

// database is the one that DATABASE_URL names, or our own in the data folder. Pool is its owner's: what is not the
// running server works on it.
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

// Supervise starts our own server again when it is gone, until the context ends.
func (db *database) Supervise(ctx context.Context) {
	if db.own != nil {
		db.own.Supervise(ctx)
	}
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

type migrate struct {
	Repair bool `help:"Repair a database whose last migration failed: says what it does, then does it."`
}

func (m migrate) Run(ctx context.Context) (err error) {
	_, db, err := open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if m.Repair {
		if err := repair(ctx, db); err != nil {
			return err
		}
	}
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

// repair takes the mark off a migration that failed. Each runs in one transaction, so nothing of it is there, and it is
// run again.
func repair(ctx context.Context, db *database) error {
	version, err := pg.SchemaVersion(ctx, db.Pool)
	if err == nil {
		fmt.Printf("The database is at version %d, and nothing is half applied.\n", version)
		return nil
	}
	if !errors.Is(err, pg.ErrDirty) {
		return err
	}
	fmt.Printf("Migration %d failed. It runs in one transaction, so nothing of it is in the database.\nThe version is set back to %d; then the migrations run from there.\n", version, version-1)
	return pg.Repair(db.URL)
}
