package person_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/staff"
	"counterpart/internal/flow/person"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/pg/pgtest"
	"counterpart/internal/proof/sample"
)

// TestProfilesOpenedInARow opens one after the other: at half of what the role may there is an alert, then no more; a
// reload of the same one does not count.
func TestProfilesOpenedInARow(t *testing.T) {
	ctx := context.Background()
	db, _ := pgtest.Database(t)
	c := sample.Load(t, db)
	rows, err := db.Query(ctx,
		`INSERT INTO customer (channel, name) SELECT 'counter', 'Somebody ' || n FROM generate_series(1, 130) n RETURNING id`)
	require.NoError(t, err)
	people, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	require.NoError(t, err)
	for role, most := range map[string]int{staff.RoleAssociate: 60, staff.RoleManager: 120} {
		a := staff.Associate{Name: role, Email: role + "@example.com", Role: role,
			Locations: []int64{c.HarbourStreet.ID}}
		require.NoError(t, pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
			return staff.Create(ctx, tx, &a,
				sample.Password)
		}))
		at := origin.Origin{Channel: origin.Counter, AssociateID: a.ID, LocationID: c.HarbourStreet.ID}
		alerts := func() (n int) {
			require.NoError(t, db.QueryRow(ctx,
				`SELECT count(*) FROM audit_entry WHERE action = 'profiles.many' AND subject_id = $1`, a.ID).Scan(&n))
			return n
		}
		for i, who := range people[:most] {
			require.NoError(t, person.Open(ctx, db, at, who, role))
			require.NoError(t, person.Open(ctx, db, at, who, role), "a reload")
			require.Equal(t, i+1 >= most/2, alerts() > 0)
		}
		err := person.Open(ctx, db, at, people[most], role)
		require.True(t, fault.Is(err, fault.TooMany), "%v", err)
		require.Equal(t, 2, alerts())
	}
}
