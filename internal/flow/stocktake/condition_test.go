package stocktake_test

import (
	"context"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"counterpart/internal/domain/inventory"
	"counterpart/internal/domain/origin"
	"counterpart/internal/flow/stocktake"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/pg/pgtest"
	"counterpart/internal/proof/audit"
	"counterpart/internal/proof/sample"
)

// Units change their condition and are written off, by many at once: never more than are free, and the ledger says
// where each went.
func TestUnitsChangeTheirConditionAndAreWrittenOff(t *testing.T) {
	ctx := context.Background()
	db, _ := pgtest.Database(t)
	c := sample.Load(t, db)
	at := origin.Origin{Channel: origin.Counter}
	o := c.Order(t, db, c.Mug, 2, c.HarbourStreet)
	require.NotZero(t, o.Order)
	var free int
	require.NoError(t, db.QueryRow(ctx, `SELECT on_hand - reserved FROM stock_level WHERE variant_id = $1
		AND location_id = $2 AND condition = 'sellable'`, c.Mug, c.HarbourStreet.ID).Scan(&free))
	move := func(n int, from, to string) error {
		return stocktake.Move(ctx, db, at, stocktake.Transfer{VariantID: c.Mug, LocationID: c.HarbourStreet.ID, From: from,
			To: to, Quantity: n, Reason: "dropped"})
	}
	require.NotNil(t, fault.As(move(free+1, inventory.Sellable, inventory.Damaged)), "the rest is promised")
	require.NotNil(t, fault.As(move(1, inventory.Sellable, inventory.Sellable)))
	require.NotNil(t, fault.As(move(1, inventory.Damaged, "")), "none is damaged yet")
	require.NoError(t, move(2, inventory.Sellable, inventory.Damaged))
	require.NoError(t, move(1, inventory.Damaged, inventory.Sellable), "it was only dusty")
	require.NoError(t, move(1, inventory.Damaged, ""))
	require.NotNil(t, fault.As(move(51, inventory.Sellable, "")), "more than somebody may")

	var moving sync.WaitGroup
	for range 30 {
		moving.Go(func() {
			for _, err := range []error{move(3, inventory.Sellable, inventory.OnHold), move(1, inventory.OnHold, "")} {
				assert.True(t, err == nil || fault.As(err) != nil, "%v", err)
			}
		})
	}
	moving.Wait()
	findings, err := audit.Run(ctx, db)
	require.NoError(t, err)
	require.Empty(t, findings)
	var below bool
	require.NoError(t, pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		return tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM stock_level WHERE on_hand < reserved)`).Scan(&below)
	}))
	require.False(t, below)
}

// TestConditionsThatChangeBothWaysWaitForEachOther moves units to damaged and back at the same time: all are answered.
func TestConditionsThatChangeBothWaysWaitForEachOther(t *testing.T) {
	ctx := context.Background()
	db, _ := pgtest.Database(t)
	c := sample.Load(t, db)
	at := origin.Origin{Channel: origin.Counter}
	move := func(from, to string) error {
		return stocktake.Move(ctx, db, at, stocktake.Transfer{VariantID: c.Mug, LocationID: c.HarbourStreet.ID, From: from,
			To: to, Quantity: 1, Reason: "dropped"})
	}
	require.NoError(t, pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		return inventory.Receive(ctx, tx, []inventory.Move{{VariantID: c.Mug, LocationID: c.HarbourStreet.ID, Delta: 100}},
			inventory.Reason{Channel: origin.API})
	}))
	for range 10 {
		require.NoError(t, move(inventory.Sellable, inventory.Damaged))
	}
	for range pgtest.Rounds(10, 200) {
		pgtest.AtOnce(8, func(i int) {
			if i%2 == 0 {
				assert.NoError(t, move(inventory.Sellable, inventory.Damaged))
				return
			}
			err := move(inventory.Damaged, inventory.Sellable)
			assert.True(t, err == nil || fault.As(err) != nil, "%v", err)
		})
	}
	findings, err := audit.Run(ctx, db)
	require.NoError(t, err)
	require.Empty(t, findings)
}
