// Package pgtest gives a test a real Postgres: a transaction that is rolled back, or a database of its own.
package pgtest

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"counterpart/internal/platform/pg"
	"counterpart/migrations"
)

// Tx is a transaction on the migrated template's sibling, rolled back when the test ends. Verbs that open a transaction
// get a savepoint, so a test can do one thing after another inside it.
func Tx(t testing.TB) pgx.Tx {
	t.Helper()
	pool, err := shared()
	require.NoError(t, err)
	tx, err := pool.Begin(context.Background())
	require.NoError(t, err)
	t.Cleanup(func() { _ = tx.Rollback(context.Background()) })
	// There is one shop: a test that makes it waits for another package's that has, which may take longer than a page
	// waits for a lock.
	// What is kept at the end of a transaction is kept after every statement of this one, which has no end.
	_, err = tx.Exec(context.Background(),
		`SET LOCAL lock_timeout = '60s'; SET LOCAL statement_timeout = '60s'; SET LOCAL idle_in_transaction_session_timeout = 0; SET CONSTRAINTS product_changed IMMEDIATE`)
	require.NoError(t, err)
	return tx
}

// Database is a database of the test's own, for what several connections do at once, and for LISTEN. The second value
// is its address.
func Database(t testing.TB) (*pgxpool.Pool, string) {
	t.Helper()
	return Copy(t, template(t))
}

// Template makes a database that tests of one package copy, with what a function puts into it. Its name is the answer;
// it goes with the server, as other templates do.
func Template(fill func(pool *pgxpool.Pool) error) (name string, err error) {
	from, err := migrated()
	if err != nil {
		return "", err
	}
	name = "filled_" + strings.ToLower(rand.Text()[:12])
	if err := admin(fmt.Sprintf("CREATE DATABASE %s TEMPLATE %s", name, from)); err != nil {
		return "", err
	}
	pool, err := pg.Open(context.Background(), address(name))
	if err != nil {
		return "", err
	}
	defer pool.Close()
	return name, fill(pool)
}

// Copy is Database, made from another template.
func Copy(t testing.TB, from string) (*pgxpool.Pool, string) {
	t.Helper()
	ctx := context.Background()
	address := Empty(t, from)
	pool, err := pg.Open(ctx, address)
	require.NoError(t, err)
	// Close waits for connections that are in use, and a test that failed half way may hold one.
	t.Cleanup(func() { go pool.Close() })
	return pool, address
}

// Server is a database as the running server sees it, without the rights of its owner.
func Server(t testing.TB, address string) *pgxpool.Pool {
	t.Helper()
	pool, err := pg.OpenServer(context.Background(), address)
	require.NoError(t, err)
	t.Cleanup(func() { go pool.Close() })
	return pool
}

// Empty is a new database made from another one (template1: with nothing in it), dropped when the test ends.
func Empty(t testing.TB, from string) string {
	t.Helper()
	name := "test_" + strings.ToLower(rand.Text()[:12])
	require.NoError(t, admin(fmt.Sprintf("CREATE DATABASE %s TEMPLATE %s", name, from)))
	t.Cleanup(func() { require.NoError(t, admin(fmt.Sprintf("DROP DATABASE %s WITH (FORCE)", name))) })
	return address(name)
}

func template(t testing.TB) string {
	t.Helper()
	name, err := migrated()
	require.NoError(t, err)
	return name
}

var shared = sync.OnceValues(func() (*pgxpool.Pool, error) {
	if _, err := migrated(); err != nil {
		return nil, err
	}
	return pg.Open(context.Background(), address("shared_"+migrations.Fingerprint()))
})

// migrated makes, once for each schema, a template to clone and a sibling for transactions; test binaries run side by
// side, so it happens under a lock.
var migrated = sync.OnceValues(func() (string, error) {
	if os.Getenv("TEST_DATABASE_URL") == "" {
		return "", fmt.Errorf("no database to test on: run `make test`, or `go run ./internal/platform/pg/pgtest/with go test ./...`")
	}
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, address(""))
	if err != nil {
		return "", err
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, `SELECT pg_advisory_lock(20261121)`); err != nil {
		return "", err
	}
	name := "template_" + migrations.Fingerprint()
	var exists bool
	if err := conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)`,
		name).Scan(&exists); err != nil || exists {
		return name, err
	}
	building := name + "_building"
	for _, statement := range []string{"DROP DATABASE IF EXISTS " + building, "CREATE DATABASE " + building} {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return "", err
		}
	}
	if _, err := pg.Migrate(address(building)); err != nil {
		return "", err
	}
	sibling := "shared_" + migrations.Fingerprint()
	for _, statement := range []string{
		"DROP DATABASE IF EXISTS " + sibling,
		fmt.Sprintf("CREATE DATABASE %s TEMPLATE %s", sibling, building),
		fmt.Sprintf("ALTER DATABASE %s RENAME TO %s", building, name),
	} {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return "", err
		}
	}
	return name, nil
})

func admin(statement string) error {
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, address(""))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, statement)
	return err
}

// address is TEST_DATABASE_URL with another database's name.
func address(database string) string {
	u, err := url.Parse(os.Getenv("TEST_DATABASE_URL"))
	if err != nil {
		panic(err)
	}
	if database != "" {
		u.Path = "/" + database
	}
	return u.String()
}
