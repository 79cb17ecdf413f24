package checkout_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"counterpart/internal/checkout"
	"counterpart/internal/fault"
	"counterpart/internal/inventory"
	"counterpart/internal/pg/pgtest"
	"counterpart/internal/sample"
)

// Sixty-four at a time want a mug of which there are two hundred; two in three of them get one, the others are told. What is claimed together is sold to the last piece.
func TestARushSellsWhatThereIs(t *testing.T) {
	db, _ := pgtest.Database(t)
	c := sample.Load(t, db)
	_, err := db.Exec(ctx, `WITH l AS (UPDATE stock_level SET on_hand = 200 WHERE variant_id = $1 AND location_id = $2 AND condition = 'sellable' RETURNING variant_id, location_id)
		INSERT INTO stock_move (variant_id, location_id, delta, cause, channel) SELECT variant_id, location_id, 190, 'receipt', 'api' FROM l`, c.Mug, c.HarbourStreet.ID)
	require.NoError(t, err)
	requests := make(chan checkout.Request, 300)
	for range cap(requests) {
		requests <- request(t, db, c.Ada(t, db, c.Mug, 1, c.HarbourStreet))
	}
	close(requests)

	var sold, told atomic.Int64
	var clients sync.WaitGroup
	for range 64 {
		clients.Go(func() {
			for r := range requests {
				switch _, err := checkout.Place(ctx, db, r); {
				case err == nil:
					sold.Add(1)
				case fault.As(err) != nil:
					told.Add(1)
				default:
					t.Error(err)
				}
			}
		})
	}
	clients.Wait()

	require.Equal(t, []int64{200, 100}, []int64{sold.Load(), told.Load()})
	var together int
	require.NoError(t, db.QueryRow(ctx, `SELECT count(*) FROM reservation r JOIN order_line l ON l.id = r.order_line_id JOIN orders o ON o.id = l.order_id WHERE r.created_at < o.placed_at`).Scan(&together))
	require.Positive(t, together, "nobody was served ahead")
	onHand, reserved := level(t, db, c.Mug, c.HarbourStreet.ID)
	require.Equal(t, []int{200, 200}, []int{onHand, reserved})
	sound(t, db)
}

func TestWhatIsClaimedAheadIsTakenOrLetGo(t *testing.T) {
	db, _ := pgtest.Database(t)
	c := sample.Load(t, db)
	claim := inventory.Claim{VariantID: c.Mug, LocationID: c.HarbourStreet.ID, Quantity: 2}

	claims := make([]inventory.Claim, 7)
	var clients sync.WaitGroup
	for i := range claims {
		clients.Go(func() {
			var err error
			claims[i], err = inventory.ClaimAhead(ctx, db, claim)
			require.NoError(t, err)
		})
	}
	clients.Wait()

	granted := 0
	for _, c := range claims {
		if c.Claimed != 0 {
			granted++
		}
	}
	_, reserved := level(t, db, c.Mug, c.HarbourStreet.ID)
	require.Equal(t, 2*granted, reserved, "of ten")
	require.LessOrEqual(t, granted, 5)

	require.NoError(t, inventory.LetGo(ctx, db, claims))
	require.NoError(t, inventory.LetGo(ctx, db, claims), "twice is once")
	_, reserved = level(t, db, c.Mug, c.HarbourStreet.ID)
	require.Zero(t, reserved)

	// Whoever dies after claiming takes nothing with them.
	claim.Quantity = 10
	lost, err := inventory.ClaimAhead(ctx, db, claim)
	require.NoError(t, err)
	require.NotZero(t, lost.Claimed)
	_, err = db.Exec(ctx, `UPDATE reservation SET expires_at = now() - interval '1 second' WHERE id = $1`, lost.Claimed)
	require.NoError(t, err)
	_, err = checkout.Place(ctx, db, request(t, db, c.Ada(t, db, c.Mug, 1, c.HarbourStreet)))
	require.NoError(t, err)
	sound(t, db)
	require.Less(t, inventory.Ahead, time.Minute)
}
