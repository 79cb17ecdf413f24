package person_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"counterpart/internal/flow/person"
	"counterpart/internal/platform/pg/pgtest"
	"counterpart/internal/proof/sample"
)

// TestStoredNumbersAreReadAgain has a Dutch number that was once taken for a British one: it is reported, and stays
// where it is.
func TestStoredNumbersAreReadAgain(t *testing.T) {
	ctx := context.Background()
	db, _ := pgtest.Database(t)
	c := sample.Load(t, db)
	ada := c.Ada(t, db, c.Mug, 1, c.HarbourStreet)
	_, err := db.Exec(ctx,
		`INSERT INTO identity (customer_id, kind, value, source) VALUES ($1, 'phone', '+44612345678', 'web'), ($1, 'phone', '+441134960999', 'web'), ($1, 'phone', '+31612345678', 'web')`, ada)
	require.NoError(t, err)
	_, err = db.Exec(ctx, `UPDATE shop SET phones_checked_at = NULL`)
	require.NoError(t, err)
	count := func() (customers, numbers, reported int) {
		require.NoError(t, db.QueryRow(ctx, `
			SELECT (SELECT count(*) FROM customer WHERE merged_into IS NULL), (SELECT count(*) FROM identity
				WHERE kind = 'phone'),
				(SELECT count(*) FROM audit_entry WHERE action = 'phone.doubtful' AND subject_id = $1)`,
			ada).Scan(&customers, &numbers, &reported))
		return customers, numbers, reported
	}
	customers, numbers, _ := count()
	for range 2 {
		require.NoError(t, person.RecheckPhones(ctx, db))
		people, kept, reported := count()
		require.Equal(t, []int{customers, numbers, 1}, []int{people, kept, reported})
	}
}
