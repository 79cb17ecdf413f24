package clientele_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"counterpart/internal/domain/clientele"
	"counterpart/internal/domain/origin"
	"counterpart/internal/flow/person"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/pg/pgtest"
	"counterpart/internal/proof/audit"
	"counterpart/internal/proof/sample"
)

var ctx = context.Background()

func TestAClientBook(t *testing.T) {
	db, _ := pgtest.Database(t)
	c := sample.Load(t, db)
	ada, _ := sample.Account(t, db, "Ada", "ada@example.com")
	var colleague int64
	require.NoError(t, db.QueryRow(ctx, `
		INSERT INTO associate (name, email, role, password_hash)
		SELECT 'Cleo', 'cleo@example.com', role, password_hash FROM associate WHERE id = $1 RETURNING id`, c.Bea.ID).Scan(&colleague))
	bea := origin.Origin{Channel: origin.Counter, AssociateID: c.Bea.ID, LocationID: c.HarbourStreet.ID}
	cleo := bea
	cleo.AssociateID = colleague
	require.NoError(t, person.TakeClient(ctx, db, bea, ada, true))
	require.NoError(t, person.TakeClient(ctx, db, bea, ada, true), "twice is once")
	require.Equal(t, fault.Conflict, fault.As(person.TakeClient(ctx, db, cleo, ada, true)).Kind)

	today := time.Date(2026, 11, 27, 0, 0, 0, 0, time.UTC)
	for _, f := range []clientele.FollowUp{{Body: " ", DueOn: today}, {Body: "x", DueOn: today.AddDate(0, 0, -1)}, {Body: "x"},
		{Body: "x", DueOn: today.AddDate(4, 0, 0)}, {Body: strings.Repeat("x", 201), DueOn: today}} {
		f.Person = ada
		require.NotEmpty(t, fault.As(person.Remind(ctx, db, bea, f, today)).Fields)
	}
	require.NoError(t, person.Remind(ctx, db, bea, clientele.FollowUp{Person: ada, Body: "Birthday", DueOn: today, Yearly: true}, today))
	require.NoError(t, person.Remind(ctx, db, bea, clientele.FollowUp{Person: ada, Body: "Call", DueOn: today.AddDate(0, 0, 9)}, today))
	clients, due, err := clientele.Book(ctx, db, c.Bea.ID, today.AddDate(0, 0, 7))
	require.NoError(t, err)
	require.Len(t, due, 1)
	require.Equal(t, "Birthday", clients[0].What)

	// Sent twice at once, it is done once and comes again once.
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() { _ = person.DoneReminding(ctx, db, bea, due[0].ID) })
	}
	group.Wait()
	var open int
	require.NoError(t, db.QueryRow(ctx, `SELECT count(*) FROM follow_up WHERE done_at IS NULL AND body = 'Birthday'
		AND due_on = '2027-11-27'`).Scan(&open))
	require.Equal(t, 1, open)
	require.Error(t, person.DoneReminding(ctx, db, cleo, due[0].ID+1), "another's")

	_, err = person.HandOver(ctx, db, bea, c.Bea.ID, c.Bea.ID)
	require.NotNil(t, fault.As(err))
	people, err := person.HandOver(ctx, db, bea, c.Bea.ID, colleague)
	require.NoError(t, err)
	require.Equal(t, 1, people)
	clients, _, err = clientele.Book(ctx, db, colleague, today.AddDate(2, 0, 0))
	require.NoError(t, err)
	require.Len(t, clients, 1)
	require.Equal(t, "Call", clients[0].What)
	// Whose associate left is free to be taken.
	_, err = db.Exec(ctx, `UPDATE associate SET disabled_at = now() WHERE id = $1`, colleague)
	require.NoError(t, err)
	require.NoError(t, person.TakeClient(ctx, db, bea, ada, true))
	require.NoError(t, person.TakeClient(ctx, db, bea, ada, false))
	found, err := audit.Run(ctx, db)
	require.NoError(t, err)
	require.Empty(t, found)
}
