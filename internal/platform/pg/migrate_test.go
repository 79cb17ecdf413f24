package pg_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/pg/pgtest"
	"counterpart/migrations"
)

// TestMigrationsGoDownAndUpAgain takes every step of ours back and forward, and finds the same schema.
func TestMigrationsGoDownAndUpAgain(t *testing.T) {
	address := pgtest.Empty(t, "template1")
	applied, err := pg.Migrate(address)
	require.NoError(t, err)
	require.True(t, applied)
	before := schema(t, address)

	require.NoError(t, pg.MigrateTo(address, 8))
	require.NotEqual(t, before, schema(t, address))
	again, err := pg.Migrate(address)
	require.NoError(t, err)
	require.True(t, again)

	require.Equal(t, before, schema(t, address))
	conn, err := pgx.Connect(context.Background(), address)
	require.NoError(t, err)
	defer conn.Close(context.Background())
	var version uint
	require.NoError(t, conn.QueryRow(context.Background(), `SELECT version FROM schema_migrations`).Scan(&version))
	require.Equal(t, migrations.Latest(), version)
	applied, err = pg.Migrate(address)
	require.NoError(t, err)
	require.False(t, applied)
}

// schema is every column, index and constraint as text.
func schema(t *testing.T, address string) (all string) {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, address)
	require.NoError(t, err)
	defer conn.Close(ctx)
	require.NoError(t, conn.QueryRow(ctx, `
		SELECT string_agg(line, E'\n' ORDER BY line)
		FROM (
			SELECT format('%s.%s %s %s %s', table_name, column_name, data_type, is_nullable, column_default)
				FROM information_schema.columns WHERE table_schema = 'public'
			UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
			UNION ALL SELECT format('%s %s', conrelid::regclass, pg_get_constraintdef(oid)) FROM pg_constraint
				WHERE connamespace = 'public'::regnamespace) s (line)`).Scan(&all))
	return all
}

// TestAnOlderBuildServesWhereTheNewerSaysSo stands in front of a schema that a newer build made.
func TestAnOlderBuildServesWhereTheNewerSaysSo(t *testing.T) {
	ctx := context.Background()
	pool, address := pgtest.Database(t)
	require.NoError(t, pg.Ready(ctx, pool))
	newer := migrations.Latest() + 3
	_, err := pool.Exec(ctx, `UPDATE schema_migrations SET version = $1`, newer)
	require.NoError(t, err)
	applied, err := pg.Migrate(address)
	require.NoError(t, err, "the newer build says that this one may")
	require.False(t, applied)
	require.NoError(t, pg.Ready(ctx, pool))

	_, err = pool.Exec(ctx, `UPDATE schema_compatible SET since = $1`, newer)
	require.NoError(t, err)
	_, err = pg.Migrate(address)
	require.ErrorContains(t, err, "run a newer one")
	require.Error(t, pg.Ready(ctx, pool))
}

// TestAFailedMigrationIsRepaired leaves the mark of one that failed: it was rolled back whole.
func TestAFailedMigrationIsRepaired(t *testing.T) {
	ctx := context.Background()
	pool, address := pgtest.Database(t)
	before := schema(t, address)
	require.NoError(t, pg.MigrateTo(address, migrations.Latest()-1))
	_, err := pool.Exec(ctx, `UPDATE schema_migrations SET version = $1, dirty = true`, migrations.Latest())
	require.NoError(t, err)
	require.ErrorIs(t, pg.Ready(ctx, pool), pg.ErrDirty)
	_, err = pg.Migrate(address)
	require.ErrorContains(t, err, "migrate --repair")

	require.NoError(t, pg.Repair(address))
	applied, err := pg.Migrate(address)
	require.NoError(t, err)
	require.True(t, applied)
	require.Equal(t, before, schema(t, address))
	require.NoError(t, pg.Ready(ctx, pool))
}

// TestADatabaseThatCannotWorkIsAway asks one that is only read from.
func TestADatabaseThatCannotWorkIsAway(t *testing.T) {
	ctx := context.Background()
	pool, _ := pgtest.Database(t)
	_, err := pool.Exec(ctx,
		`DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', current_database()); END $$`)
	require.NoError(t, err)
	pool.Reset()
	require.ErrorContains(t, pg.Ready(ctx, pool), "read only")
	_, err = pool.Exec(ctx, `DELETE FROM try`)
	require.True(t, pg.Away(err), "%v", err)
	for code, away := range map[string]bool{"53100": true, "53200": true, "53300": true, "25006": true, "57P01": true,
		"23505": false, "22003": false} {
		require.Equal(t, away, pg.Away(&pgconn.PgError{Code: code}), code)
	}
}
