package pg_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"counterpart/internal/pg"
	"counterpart/internal/pg/pgtest"
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
			SELECT format('%s.%s %s %s %s', table_name, column_name, data_type, is_nullable, column_default) FROM information_schema.columns WHERE table_schema = 'public'
			UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
			UNION ALL SELECT format('%s %s', conrelid::regclass, pg_get_constraintdef(oid)) FROM pg_constraint WHERE connamespace = 'public'::regnamespace) s (line)`).Scan(&all))
	return all
}
