package staff_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"counterpart/internal/domain/staff"
	"counterpart/internal/flow/staffadmin"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/pg/pgtest"
	"counterpart/internal/proof/sample"
)

var ctx = context.Background()

func inTx(t *testing.T, db *pgxpool.Pool, do func(pgx.Tx) error) {
	t.Helper()
	require.NoError(t, pgx.BeginFunc(ctx, db, do))
}

// TestCodesAreThoseOfRFC6238 uses the test vectors of its appendix B, whose last six figures are ours.
func TestCodesAreThoseOfRFC6238(t *testing.T) {
	key := []byte("12345678901234567890")
	for at, want := range map[int64]string{59: "287082", 1111111109: "081804", 1111111111: "050471",
		1234567890: "005924", 2000000000: "279037", 20000000000: "353130"} {
		require.Equal(t, want, staff.TOTPCode(key, time.Unix(at, 0)))
	}
}

// TestACodeWorksOnce sends one code fifty times at once.
func TestACodeWorksOnce(t *testing.T) {
	db, _ := pgtest.Database(t)
	c := sample.Load(t, db)
	key, now := staff.NewTOTPSecret(), time.Now()
	inTx(t, db, func(tx pgx.Tx) error {
		return staff.EnrolTOTP(ctx, tx, c.Bea.ID, key, staff.TOTPCode(key, now.Add(-30*time.Second)),
			now.Add(-30*time.Second))
	})

	var won atomic.Int32
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			err := staff.CheckTOTP(ctx, db, c.Bea.ID, staff.TOTPCode(key, now), now)
			if err == nil {
				won.Add(1)
				return
			}
			assert.NotNil(t, fault.As(err), "%v", err)
		})
	}
	wg.Wait()

	require.EqualValues(t, 1, won.Load())
	later := now.Add(10 * time.Minute)
	require.NotNil(t, fault.As(staff.CheckTOTP(ctx, db, c.Bea.ID, staff.TOTPCode(key, now), later)),
		"an old code is no code")
}

// TestPINsAreCountedOutAndSoAreMachines guesses PINs from many sides: five tries for each associate, ten wrong ones in
// a row for the machine.
func TestPINsAreCountedOutAndSoAreMachines(t *testing.T) {
	db, _ := pgtest.Database(t)
	c := sample.Load(t, db)
	var device int64
	var token string
	people := []staff.Associate{c.Bea}
	for i := range 2 {
		a := staff.Associate{Name: "Ann", Email: fmt.Sprintf("ann%d@example.com", i), Role: staff.RoleAssociate,
			Locations: []int64{c.HarbourStreet.ID}}
		inTx(t, db, func(tx pgx.Tx) error { return staff.Create(ctx, tx, &a, sample.Password) })
		people = append(people, a)
	}
	inTx(t, db, func(tx pgx.Tx) (err error) {
		for _, a := range people {
			require.NoError(t, staff.SetPIN(ctx, tx, a.ID, "4071"))
		}
		device, token, err = staff.RegisterDevice(ctx, tx, "Till 1", c.HarbourStreet.ID, c.Bea.ID)
		return err
	})
	for _, pin := range []string{"1234", "0000", "9876", "12", "1234567", "12a4", ""} {
		err := pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error { return staff.SetPIN(ctx, tx, c.Bea.ID, pin) })
		require.NotNil(t, fault.As(err), pin)
	}
	require.NoError(t, staff.CheckPIN(ctx, db, c.Bea.ID, device, "4071"))

	var told, counted atomic.Int32
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			f := fault.As(staff.CheckPIN(ctx, db, c.Bea.ID, device, "5555"))
			if assert.NotNil(t, f) && f.Fields["pin"].Key == "That PIN is incorrect." {
				told.Add(1)
			} else {
				counted.Add(1)
			}
		})
	}
	wg.Wait()
	require.Equal(t, []int32{5, 15}, []int32{told.Load(), counted.Load()})
	require.NotNil(t, fault.As(staff.CheckPIN(ctx, db, c.Bea.ID, device, "4071")), "the right one comes too late")
	d, err := staff.DeviceOf(ctx, db, token)
	require.NoError(t, err)
	require.False(t, d.Locked)
	for _, a := range people[1:] {
		for range 5 {
			require.NotNil(t, fault.As(staff.CheckPIN(ctx, db, a.ID, device, "5555")))
		}
	}
	d, err = staff.DeviceOf(ctx, db, token)
	require.NoError(t, err)
	require.True(t, d.Locked)
	require.NoError(t, staffadmin.Unlock(ctx, db, device, c.HarbourStreet.ID, c.Bea.ID))
	require.NoError(t, staffadmin.Revoke(ctx, db, device, c.HarbourStreet.ID, c.Bea.ID))
	d, err = staff.DeviceOf(ctx, db, token)
	require.NoError(t, err)
	require.Nil(t, d)
}

// TestAManagerApprovesWhereTheyWork asks for a word at their store and at another, with the wrong PIN and without a
// reason.
func TestAManagerApprovesWhereTheyWork(t *testing.T) {
	db, _ := pgtest.Database(t)
	c := sample.Load(t, db)
	inTx(t, db, func(tx pgx.Tx) error { return staff.SetPIN(ctx, tx, c.Bea.ID, "4071") })
	word := staff.Approval{ManagerID: c.Bea.ID, PIN: "4071", Reason: "they showed a passport"}

	require.NoError(t, staff.Approve(ctx, db, word, c.HarbourStreet.ID, 0))
	require.NotNil(t, fault.As(staff.Approve(ctx, db, word, c.MillLane.ID, 0)))
	silent, wrong := word, word
	silent.Reason, wrong.PIN = " ", "4072"
	require.NotNil(t, fault.As(staff.Approve(ctx, db, silent, c.HarbourStreet.ID, 0)))
	require.NotNil(t, fault.As(staff.Approve(ctx, db, wrong, c.HarbourStreet.ID, 0)))
	_, err := db.Exec(ctx, `UPDATE associate SET role = 'associate' WHERE id = $1`, c.Bea.ID)
	require.NoError(t, err)
	require.NotNil(t, fault.As(staff.Approve(ctx, db, word, c.HarbourStreet.ID, 0)),
		"a right that was taken away is gone at once")
}

// TestTheLastAdminStays has three admins shut one another out at once: one is left.
func TestTheLastAdminStays(t *testing.T) {
	db, _ := pgtest.Database(t)
	c := sample.Load(t, db)
	for round := range 5 {
		_, err := db.Exec(ctx, `UPDATE associate SET disabled_at = now() WHERE role = 'admin'`)
		require.NoError(t, err)
		admins := make([]staff.Associate, 3)
		for i := range admins {
			admins[i] = staff.Associate{Name: "Ida", Email: fmt.Sprintf("ida%d-%d@example.com", round, i),
				Role: staff.RoleAdmin}
			inTx(t, db, func(tx pgx.Tx) error { return staff.Create(ctx, tx, &admins[i], sample.Password) })
		}
		var wg sync.WaitGroup
		for _, a := range admins {
			form := staffadmin.Form{Name: a.Name, Role: staff.RoleAdmin, Disabled: true}
			wg.Go(func() {
				if err := staffadmin.Change(ctx, db, a.ID, form, form, c.Bea.ID); err != nil {
					assert.NotNil(t, fault.As(err), "%v", err)
				}
			})
		}
		wg.Wait()
		var left int
		require.NoError(t, db.QueryRow(ctx,
			`SELECT count(*) FROM associate WHERE role = 'admin' AND disabled_at IS NULL`).Scan(&left))
		require.Equal(t, 1, left)
	}
}

// TestStrangersDoNotKeepStaffOut sends 160 wrong passwords from 40 addresses at once, while somebody signs in from a
// machine that knows them.
func TestStrangersDoNotKeepStaffOut(t *testing.T) {
	db, _ := pgtest.Database(t)
	c := sample.Load(t, db)
	till := staff.From{Network: "10.0.0.1", Machine: "the till"}
	_, err := staff.SignIn(ctx, db, c.Bea.Email, sample.Password, till)
	require.NoError(t, err)
	var wg sync.WaitGroup
	for i := range 160 {
		wg.Go(func() {
			_, err := staff.SignIn(ctx, db, c.Bea.Email, "wrong, wrong and wrong again",
				staff.From{Network: fmt.Sprintf("192.0.2.%d", i%40)})
			assert.NotNil(t, fault.As(err), "everybody is told something: %v", err)
		})
	}
	for range 5 {
		_, err := staff.SignIn(ctx, db, c.Bea.Email, sample.Password, till)
		require.NoError(t, err)
	}
	wg.Wait()
	_, err = staff.SignIn(ctx, db, c.Bea.Email, sample.Password, staff.From{Network: "192.0.2.99"})
	require.True(t, fault.Is(err, fault.TooMany), "from elsewhere the account rests: %v", err)
	_, err = staff.SignIn(ctx, db, c.Bea.Email, sample.Password,
		staff.From{Network: "198.51.100.7", Machine: "the till"})
	require.NoError(t, err, "the machine is known, wherever it is")
}
