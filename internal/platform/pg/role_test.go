package pg_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/pg/pgtest"
)

// What is in a ledger stays as it was written, whatever the server is made to say to the database.
func TestTheServerCannotRewriteLedgers(t *testing.T) {
	ctx := context.Background()
	owner, address := pgtest.Database(t)
	server := pgtest.Server(t, address)
	refused := func(statement string) {
		t.Helper()
		_, err := server.Exec(ctx, statement)
		require.ErrorContains(t, err, "42501", statement)
	}
	rows, err := owner.Query(ctx,
		`SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'`)
	require.NoError(t, err)
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	ledgers := []string{"stock_move", "document", "document_tax", "order_discount", "order_share", "returned_unit",
		"merge_move", "allowance", "allowance_share"}
	for _, table := range tables {
		if strings.HasSuffix(table, "_entry") {
			ledgers = append(ledgers, table)
		}
	}
	require.Len(t, ledgers, 14)
	for _, table := range ledgers {
		var column string
		require.NoError(t, owner.QueryRow(ctx,
			`SELECT column_name FROM information_schema.columns WHERE table_name = $1 AND is_identity = 'NO' AND column_name <> 'reason' ORDER BY ordinal_position LIMIT 1`, table).Scan(&column))
		refused(fmt.Sprintf(`UPDATE %s SET %s = %s`, table, column, column))
		refused(`DELETE FROM ` + table)
	}
	for _, table := range tables {
		refused(`TRUNCATE ` + table + ` CASCADE`)
		refused(`DROP TABLE ` + table + ` CASCADE`)
		refused(`ALTER TABLE ` + table + ` DISABLE TRIGGER ALL`)
	}
	refused(`CREATE TABLE mine (id int)`)
	refused(`UPDATE schema_migrations SET version = 1`)
	refused(`CREATE ROLE friend SUPERUSER`)
	refused(`COPY (SELECT 1) TO PROGRAM 'true'`)
	conn, err := server.Acquire(ctx)
	require.NoError(t, err)
	defer conn.Release()
	_, err = conn.Exec(ctx, `RESET ROLE`)
	require.NoError(t, err)
	_, err = conn.Exec(ctx, `DELETE FROM stock_move`)
	require.ErrorContains(t, err, "42501", "there is nobody behind the role")
	for _, frozen := range []string{`UPDATE order_unit SET paid = 0`, `UPDATE price SET amount = 1`,
		`UPDATE payment_event SET kind = ''`, `UPDATE refund SET amount = 0`, `UPDATE transfer SET amount = 0`,
		`UPDATE promotion_use SET amount = 0`,
		`UPDATE returned_unit SET n = 1`, `DELETE FROM price`, `DELETE FROM order_unit`, `DELETE FROM tender`, `DELETE FROM payment_event`} {
		refused(frozen)
	}
	var who string
	require.NoError(t, server.QueryRow(ctx, `SELECT current_user`).Scan(&who))
	require.Equal(t, pg.ServerRole, who)
}
