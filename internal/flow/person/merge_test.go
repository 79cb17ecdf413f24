package person_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"counterpart/internal/domain/cart"
	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/origin"
	"counterpart/internal/flow/person"
	"counterpart/internal/flow/shopping"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/pg/pgtest"
	"counterpart/internal/proof/sample"
)

var ctx = context.Background()

// TestMergeThenUnmergeIsNothing merges profiles of every make in every order and takes the merges back, the last first:
// every row that a merge moves is as it was.
func TestMergeThenUnmergeIsNothing(t *testing.T) {
	tx := pgtest.Tx(t)
	c := sample.Load(t, tx)
	variants := []int64{c.Mug, c.BlueMug, c.Coat}
	rapid.Check(t, func(r *rapid.T) {
		err := pgx.BeginFunc(ctx, tx, func(sub pgx.Tx) error {
			people := make([]int64, rapid.IntRange(2, 4).Draw(r, "people"))
			for i := range people {
				people[i] = profile(r, sub, variants)
			}
			before := state(r, sub)
			var merges []int64
			for range rapid.IntRange(1, 4).Draw(r, "merges") {
				survivor, absorbed := rapid.SampledFrom(people).Draw(r, "survivor"), rapid.SampledFrom(people).Draw(r,
					"absorbed")
				id, err := person.Merge(ctx, sub, origin.Origin{Channel: origin.Counter},
					customer.Merge{SurvivorID: survivor, AbsorbedID: absorbed, Proof: customer.ByCode})
				if f := fault.As(err); f != nil {
					continue // Somebody who is part of another already, or the same one twice.
				}
				require.NoError(r, err)
				merges = append(merges, id)
				sound(r, sub)
			}
			for i := len(merges) - 1; i >= 0; i-- {
				_, err := person.Unmerge(ctx, sub, origin.Origin{Channel: origin.Counter}, merges[i], "")
				require.NoError(r, err)
				sound(r, sub)
			}
			require.Equal(r, before, state(r, sub))
			return errRollback
		})
		require.ErrorIs(r, err, errRollback)
	})
}

var errRollback = fmt.Errorf("the next one begins afresh")

// profile makes somebody with some of: a cart, wishes, things kept for later, an address.
func profile(r *rapid.T, tx pgx.Tx, variants []int64) int64 {
	id, err := customer.Create(ctx, tx, "Ada", "en", "web")
	require.NoError(r, err)
	for _, v := range variants {
		if n := rapid.SampledFrom([]int{0, 0, 1, 3, 60, 99}).Draw(r, "pieces"); n > 0 {
			require.NoError(r, shopping.AddFor(ctx, tx, origin.Origin{Channel: origin.Web, Language: "en"}, id,
				shopping.Item{VariantID: v, Quantity: n}))
		}
		for _, list := range []string{cart.WishList, cart.Later} {
			if rapid.Bool().Draw(r, list) {
				require.NoError(r, cart.Wish(ctx, tx, id, v, list, "web"))
			}
		}
	}
	if rapid.Bool().Draw(r, "address") {
		require.NoError(r, customer.PutAddress(ctx, tx, id, customer.Address{Name: "Ada", Lines: "1 Mill Lane",
			Town: "Leeds", Country: "GB"}))
	}
	return id
}

// state is every row that a merge may touch, without the times.
func state(r require.TestingT, db pg.DB) (all string) {
	require.NoError(r, db.QueryRow(ctx, `
		SELECT concat_ws(E'\n',
			(SELECT string_agg(format('customer %s into %s', id, merged_into), E'\n' ORDER BY id) FROM customer),
			(SELECT string_agg(format('cart %s of %s %s at %s', id, customer_id, state, location_id), E'\n' ORDER BY id)
				FROM cart),
			(SELECT string_agg(format('line %s in %s: %s × %s', id, cart_id, variant_id, quantity), E'\n'
				ORDER BY cart_id, variant_id) FROM cart_line WHERE cart_id IN (SELECT id FROM cart
				WHERE state <> 'joined')),
			(SELECT string_agg(format('wish %s of %s: %s %s × %s', id, customer_id, list, variant_id, quantity), E'\n'
				ORDER BY id) FROM wish),
			(SELECT string_agg(format('address %s of %s', id, customer_id), E'\n' ORDER BY id) FROM address))`).Scan(&all))
	return all
}

func sound(r require.TestingT, db pg.DB) {
	var wrong int
	require.NoError(r, db.QueryRow(ctx, `
		SELECT count(*)
		FROM customer c
		WHERE merged_into IS NOT NULL AND (
			EXISTS (SELECT FROM cart WHERE customer_id = c.id AND state = 'open') OR EXISTS (SELECT FROM wish
				WHERE customer_id = c.id) OR EXISTS (SELECT FROM address WHERE customer_id = c.id)
			OR EXISTS (SELECT FROM customer root WHERE root.id = c.merged_into AND root.merged_into IS NOT NULL))`).Scan(&wrong))
	require.Zero(r, wrong)
}

// TestWhatCameLaterStaysWithTheSurvivor adds, removes and buys between a merge and its undoing.
func TestWhatCameLaterStaysWithTheSurvivor(t *testing.T) {
	tx := pgtest.Tx(t)
	c := sample.Load(t, tx)
	ada := c.Ada(t, tx, c.Mug, 2, c.HarbourStreet)
	guest := c.Ada(t, tx, c.Mug, 3, c.HarbourStreet)
	require.NoError(t, shopping.AddFor(ctx, tx, origin.Origin{Channel: origin.Web, Language: "en"}, guest,
		shopping.Item{VariantID: c.BlueMug, Quantity: 1}))

	id, err := person.Merge(ctx, tx, origin.Origin{Channel: origin.Counter},
		customer.Merge{SurvivorID: ada, AbsorbedID: guest, Proof: customer.ByCode})
	require.NoError(t, err)
	require.Equal(t, "5 MUG-W, 1 MUG-B", cartOf(t, tx, ada))
	require.Empty(t, cartOf(t, tx, guest))
	require.NoError(t, shopping.AddFor(ctx, tx, origin.Origin{Channel: origin.Web, Language: "en"}, ada,
		shopping.Item{VariantID: c.Coat, Quantity: 1}))
	_, err = tx.Exec(ctx,
		`DELETE FROM cart_line WHERE variant_id = $1 AND cart_id = (SELECT id FROM cart WHERE customer_id = $2 AND state = 'open')`, c.BlueMug, ada)
	require.NoError(t, err)

	_, err = person.Unmerge(ctx, tx, origin.Origin{Channel: origin.Counter}, id, "")
	require.NoError(t, err)
	require.Equal(t, "2 MUG-W, 1 COAT", cartOf(t, tx, ada), "the coat came later")
	require.Equal(t, "3 MUG-W", cartOf(t, tx, guest), "the blue mug was taken out meanwhile")
	_, err = person.Unmerge(ctx, tx, origin.Origin{Channel: origin.Counter}, id, "")
	require.True(t, fault.Is(err, fault.NotFound), "a merge is undone once")
}

func cartOf(t *testing.T, db pg.DB, customerID int64) (lines string) {
	t.Helper()
	require.NoError(t, db.QueryRow(ctx, `
		SELECT coalesce(string_agg(l.quantity || ' ' || v.sku, ', ' ORDER BY v.id), '')
		FROM cart c
		JOIN cart_line l ON l.cart_id = c.id
		JOIN variant v ON v.id = l.variant_id
		WHERE c.customer_id = $1 AND c.state = 'open'`, customerID).Scan(&lines))
	return lines
}

// TestMergesAndCartsRace merges a profile from many sides while things are put into its cart: one merge wins, no unit
// is lost, and nobody who is part of another has a cart.
func TestMergesAndCartsRace(t *testing.T) {
	db, _ := pgtest.Database(t)
	c := sample.Load(t, db)
	for round := range 20 {
		guest := c.Ada(t, db, c.Mug, 1, c.HarbourStreet)
		survivors := make([]int64, 6)
		for i := range survivors {
			survivors[i] = c.Ada(t, db, c.BlueMug, 1, c.HarbourStreet)
		}
		var won, added atomic.Int32
		var wg sync.WaitGroup
		for _, s := range survivors {
			wg.Go(func() {
				_, err := person.Merge(ctx, db, origin.Origin{Channel: origin.Counter},
					customer.Merge{SurvivorID: s, AbsorbedID: guest, Proof: customer.ByCode})
				if err == nil {
					won.Add(1)
					return
				}
				assert.True(t, fault.Is(err, fault.Conflict), "%v", err)
			})
			wg.Go(func() {
				err := shopping.AddFor(ctx, db, origin.Origin{Channel: origin.Web, Language: "en"}, guest,
					shopping.Item{VariantID: c.Mug, Quantity: 1})
				if err == nil {
					added.Add(1)
					return
				}
				assert.True(t, fault.Is(err, fault.NotFound), "%v", err)
			})
		}
		wg.Wait()
		require.EqualValues(t, 1, won.Load(), "round %d", round)
		sound(t, db)
		var mugs int32
		require.NoError(t, db.QueryRow(ctx, `
			SELECT coalesce(sum(l.quantity), 0)
			FROM cart_line l
			JOIN cart c ON c.id = l.cart_id
			JOIN customer p ON p.id = $1 AND c.customer_id = p.merged_into
			WHERE c.state = 'open' AND l.variant_id = $2`, guest, c.Mug).Scan(&mugs))
		require.Equal(t, 1+added.Load(), mugs, "every piece that was answered with yes is there")
	}
}
