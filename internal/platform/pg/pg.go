// Package pg is the way to the shop's one database: the pool, the transaction, and a server of our own where there is
// none.
package pg

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/golang-migrate/migrate/v4"
	migratepgx "github.com/golang-migrate/migrate/v4/database/pgx/v5"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"

	"counterpart/migrations"
)

// DB is a pool or a transaction. A read takes a DB; a write that only makes sense with others takes a pgx.Tx.
type DB interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
	SendBatch(ctx context.Context, batch *pgx.Batch) pgx.BatchResults
	Begin(ctx context.Context) (pgx.Tx, error)
}

// PoolSize is 16: on a hot stock row more connections only wait for one another.
const PoolSize = 16

// Config is how the shop talks to its database: sessions give up on slow statements, so that a page never hangs on a
// lock; a statement is planned once, because planning our pages takes as long as running them; and no page starts
// workers of its own beside the sixteen.
func Config(url string) (*pgxpool.Config, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("read the database address: %w", err)
	}
	if !strings.Contains(url, "pool_max_conns") {
		config.MaxConns = PoolSize
	}
	// A new connection plans every statement anew.
	config.MaxConnLifetime, config.MaxConnLifetimeJitter = 12*time.Hour, time.Hour
	// One that was used a moment ago is there still; pgx asks after a second.
	config.ShouldPing = func(_ context.Context, asked pgxpool.ShouldPingParams) bool {
		return asked.IdleDuration > 5*time.Second
	}
	for setting, value := range map[string]string{
		"application_name": "counterpart", "timezone": "UTC", "plan_cache_mode": "force_generic_plan",
		"max_parallel_workers_per_gather": "0",
		// of names that are nearly what was typed: at 0.5 twice as many are read
		"pg_trgm.strict_word_similarity_threshold": "0.54",
		"statement_timeout":                        "5s", "lock_timeout": "2s",
		"idle_in_transaction_session_timeout": "10s",
		// A page's statement is planned for rows that a fresh database only guesses at; compiling it would take longer
		// than running it.
		"jit": "off",
		// What is asked for all day stands in memory: there a row out of order costs hardly more than the next one.
		"random_page_cost": "1.1",
	} {
		if _, ok := config.ConnConfig.RuntimeParams[setting]; !ok {
			config.ConnConfig.RuntimeParams[setting] = value
		}
	}
	return config, nil
}

// Open connects a pool.
func Open(ctx context.Context, url string) (*pgxpool.Pool, error) {
	config, err := Config(url)
	if err != nil {
		return nil, err
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, fmt.Errorf("reach the database: %w", err)
	}
	return pool, nil
}

// ServerRole is who the running server is in the database; migrations/role.sql says what it may do.
const ServerRole = "counterpart_server"

// OpenServer connects a pool for the running server: it cannot change what is in a ledger, nor make tables. On our own
// server the role signs in itself; elsewhere the connection takes the role, which whoever can make it say anything can
// give back: an address of the role's own is better. Where the role could not be made it says so and works as whoever
// the address names.
func OpenServer(ctx context.Context, url string) (*pgxpool.Pool, error) {
	config, err := Config(url)
	if err != nil {
		return nil, err
	}
	if ours(config.ConnConfig.Host) {
		config.ConnConfig.User = ServerRole
	}
	AsServer(config)
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, fmt.Errorf("reach the database: %w", err)
	}
	return pool, nil
}

// AsServer has every connection of a pool take the server's role.
func AsServer(config *pgxpool.Config) {
	config.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
		var may bool
		err := conn.QueryRow(ctx,
			`SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1 AND pg_has_role(current_user, oid, 'MEMBER'))`,
			ServerRole).Scan(&may)
		if err == nil && !may {
			slog.WarnContext(ctx,
				"the server works as the owner of its tables: migrate once as somebody who may create roles", "role",
				ServerRole)
			return nil
		}
		if err == nil {
			_, err = conn.Exec(ctx, "SET ROLE "+ServerRole)
		}
		if err != nil {
			return fmt.Errorf("take the server's role: %w", err)
		}
		return nil
	}
}

// InTx runs fn in one transaction: a new one on a pool, a savepoint on a transaction. Work that lost a deadlock or a
// serialization race is run again, so fn must not talk to anybody but the database.
func InTx(ctx context.Context, db DB, fn func(tx pgx.Tx) error) error {
	_, nested := db.(pgx.Tx)
	for attempt := 1; ; attempt++ {
		err := pgx.BeginFunc(ctx, db, fn)
		if nested || attempt == 3 || !lostRace(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(time.Duration(attempt) * time.Duration(5+rand.IntN(20)) * time.Millisecond):
		}
	}
}

// Away says whether an error is the database not being there, or not answering in time: nobody's mistake, and over in a
// while. A statement that it gave up on counts.
func Away(err error) bool {
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) {
		// query_canceled, lock_not_available, an operator who stopped it, and what Refused says
		return slices.Contains([]string{"57014", "55P03", "57P01", "57P02", "57P03"}, pgErr.Code) || Refused(err)
	}
	var network net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.As(err, &network)
}

// Refused says whether the database answers and cannot work: its disk is full, it has no memory or connections left, or
// it is only read from, as a standby is.
func Refused(err error) bool {
	var pgErr *pgconn.PgError
	return errors.As(err, &pgErr) && (strings.HasPrefix(pgErr.Code, "53") || pgErr.Code == "25006" ||
		pgErr.Code == "58030")
}

func lostRace(err error) bool {
	var pgErr *pgconn.PgError
	return errors.As(err, &pgErr) && (pgErr.Code == "40001" || pgErr.Code == "40P01")
}

// TooLarge says whether an error is a number that does not fit its column.
func TooLarge(err error) bool {
	var pgErr *pgconn.PgError
	return errors.As(err, &pgErr) && pgErr.Code == "22003"
}

// Alone does something that only one process at a time is to do, and answers whether this one did: while another does
// it, nothing happens. It ends with the process.
func Alone(ctx context.Context, pool *pgxpool.Pool, name string, do func(ctx context.Context) error) (did bool, err error) {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return false, err
	}
	defer conn.Release()
	if err := conn.QueryRow(ctx, `SELECT pg_try_advisory_lock(hashtext('alone'), hashtext($1))`, name).Scan(&did); err != nil {
		return false, fmt.Errorf("ask whether another does it: %w", err)
	}
	if !did {
		return false, nil
	}
	defer func() {
		// Also where what was done was called off.
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if _, failed := conn.Exec(ending, `SELECT pg_advisory_unlock(hashtext('alone'), hashtext($1))`, name); failed != nil {
			_ = conn.Conn().Close(ending) // The lock goes with it.
		}
	}()
	return true, do(ctx)
}

// TimedOut says whether an error is a statement that took longer than it may.
func TimedOut(err error) bool {
	var pgErr *pgconn.PgError
	return errors.As(err, &pgErr) && pgErr.Code == "57014"
}

// Violates says whether an error is the named constraint or unique index refusing a row.
func Violates(err error, constraint string) bool {
	var pgErr *pgconn.PgError
	return errors.As(err, &pgErr) && pgErr.ConstraintName == constraint
}

// Migrate brings the schema to this build's version and says how many steps away it was. It waits for another process
// that is doing the same.
func Migrate(url string) (applied bool, err error) {
	m, err := migrator(url)
	if err != nil {
		return false, err
	}
	defer m.Close()
	newer, err := serves(url, m)
	if err != nil || newer {
		return false, err
	}
	err = m.Up()
	if err != nil && !errors.Is(err, migrate.ErrNoChange) {
		return false, fmt.Errorf("migrate: %w", err)
	}
	return err == nil, grant(url)
}

// serves says whether the schema is newer than this build, and fails where it says that this build is too old for it.
func serves(url string, m *migrate.Migrate) (newer bool, err error) {
	version, dirty, err := m.Version()
	if errors.Is(err, migrate.ErrNilVersion) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read the schema's version: %w", err)
	}
	if dirty {
		return false, fmt.Errorf("migration %d failed before (%w): run counterpart migrate --repair", version, ErrDirty)
	}
	if version <= migrations.Latest() {
		return false, nil
	}
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return false, fmt.Errorf("reach the database: %w", err)
	}
	defer conn.Close(ctx)
	return true, compatible(ctx, conn, version)
}

type queries interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// compatible fails where a schema that is newer than this build needs a newer one.
func compatible(ctx context.Context, db queries, version uint) error {
	var since uint
	if err := db.QueryRow(ctx, `SELECT since FROM schema_compatible`).Scan(&since); err != nil {
		return fmt.Errorf("read what the schema is compatible with: %w", err)
	}
	if since > migrations.Latest() {
		return fmt.Errorf("the database is at version %d, which builds before %d cannot serve; this build is %d: run a newer one", version, since, migrations.Latest())
	}
	return nil
}

// Ready says whether this build can serve on the database as it is: migrated far enough, or further by a build that
// says ours may, whole, and written to.
func Ready(ctx context.Context, db DB) error {
	version, err := SchemaVersion(ctx, db)
	if err != nil {
		return err
	}
	if version < migrations.Latest() {
		return fmt.Errorf("the schema is at %d, this build needs %d", version, migrations.Latest())
	}
	if version > migrations.Latest() {
		if err := compatible(ctx, db, version); err != nil {
			return err
		}
	}
	var only bool
	if err := db.QueryRow(ctx, `SELECT current_setting('transaction_read_only')::boolean`).Scan(&only); err != nil {
		return fmt.Errorf("ask whether the database is written to: %w", err)
	}
	if only {
		return errors.New("the database is read only")
	}
	return nil
}

// Repair takes the mark off a migration that failed; it was rolled back, and Migrate runs it again.
func Repair(url string) error {
	m, err := migrator(url)
	if err != nil {
		return err
	}
	defer m.Close()
	version, dirty, err := m.Version()
	if err != nil {
		return fmt.Errorf("read the schema's version: %w", err)
	}
	if !dirty {
		return nil
	}
	before := int(version) - 1
	if before == 0 {
		before = -1 // to golang-migrate: no version at all
	}
	if err := m.Force(before); err != nil {
		return fmt.Errorf("set the schema's version: %w", err)
	}
	return nil
}

// ErrDirty is a migration that failed, and was rolled back.
var ErrDirty = errors.New("half applied")

// grant says what the running server may do, also to what a migration just made.
func grant(url string) error {
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return fmt.Errorf("reach the database: %w", err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, migrations.Role); err != nil {
		return fmt.Errorf("say what the server may do: %w", err)
	}
	return nil
}

var literal = strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`)

// Literal keeps what somebody typed from being a pattern for LIKE.
func Literal(typed string) string { return literal.Replace(typed) }

// MigrateTo moves the schema up or down to one version; 0 takes everything away.
func MigrateTo(url string, version uint) error {
	m, err := migrator(url)
	if err != nil {
		return err
	}
	defer m.Close()
	if version == 0 {
		err = m.Down()
	} else {
		err = m.Migrate(version)
	}
	if err != nil && !errors.Is(err, migrate.ErrNoChange) {
		return fmt.Errorf("migrate to %d: %w", version, err)
	}
	return nil
}

func migrator(url string) (*migrate.Migrate, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("read the database address: %w", err)
	}
	config.RuntimeParams["lock_timeout"] = "10s"
	source, err := migrations.Source()
	if err != nil {
		return nil, err
	}
	driver, err := migratepgx.WithInstance(stdlib.OpenDB(*config), &migratepgx.Config{})
	if err != nil {
		return nil, fmt.Errorf("reach the database: %w", err)
	}
	return migrate.NewWithInstance("embedded", source, "postgres", driver)
}

// SchemaVersion is what the database says of itself; a half-applied step counts as an error.
func SchemaVersion(ctx context.Context, db DB) (uint, error) {
	var version uint
	var dirty bool
	err := db.QueryRow(ctx, `
		SELECT version, dirty
		FROM schema_migrations`).Scan(&version, &dirty)
	if err != nil {
		return 0, fmt.Errorf("read the schema's version: %w", err)
	}
	if dirty {
		return version, fmt.Errorf("schema version %d: %w", version, ErrDirty)
	}
	return version, nil
}
