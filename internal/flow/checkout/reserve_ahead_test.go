package checkout_test

import (
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"counterpart/internal/domain/inventory"
	"counterpart/internal/domain/origin"
	"counterpart/internal/flow/checkout"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/pg/pgtest"
	"counterpart/internal/proof/sample"
)

// Sixty-four at a time want a mug of which there are two hundred; two in three of them get one, the others are told.
// What is claimed together is sold to the last unit.
func TestHotRowBatchingSellsExactly(t *testing.T) {
	db, address := pgtest.Database(t)
	c := sample.Load(t, db)
	_, err := db.Exec(ctx, `WITH l AS (UPDATE stock_level SET on_hand = 200 WHERE variant_id = $1 AND location_id = $2
		AND condition = 'sellable' RETURNING variant_id, location_id)
		INSERT INTO stock_move (variant_id, location_id, delta, cause, channel) SELECT variant_id, location_id, 190,
			'receipt', 'api' FROM l`, c.Mug, c.HarbourStreet.ID)
	require.NoError(t, err)
	requests := make(chan checkout.Request, 300)
	for range cap(requests) {
		requests <- request(t, db, c.Ada(t, db, c.Mug, 1, c.HarbourStreet))
	}
	close(requests)

	// The shelf is held until some wait for it together: how fast the machine is decides nothing. Nobody gives up
	// before.
	patient, err := pg.Open(ctx, withPatience(address))
	require.NoError(t, err)
	defer patient.Close()
	held, err := db.Begin(ctx)
	require.NoError(t, err)
	_, err = held.Exec(ctx, `SELECT FROM stock_level WHERE variant_id = $1 FOR UPDATE`, c.Mug)
	require.NoError(t, err)
	var sold, told atomic.Int64
	var clients sync.WaitGroup
	client := func() {
		clients.Go(func() {
			for r := range requests {
				switch _, err := checkout.Place(ctx, patient, origin.Origin{Channel: origin.Web, Language: "en"}, r); {
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
	for started := 1; ; started++ {
		require.LessOrEqual(t, started, 64, "nobody waits together")
		client()
		var together bool
		require.NoError(t, db.QueryRow(ctx,
			`SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%reserved + $3::integer%')`).Scan(&together))
		if together {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	require.NoError(t, held.Rollback(ctx))
	clients.Wait()

	require.Equal(t, []int64{200, 100}, []int64{sold.Load(), told.Load()})
	var together int
	require.NoError(t, db.QueryRow(ctx,
		`SELECT count(*) FROM reservation r JOIN order_line l ON l.id = r.order_line_id JOIN orders o ON o.id = l.order_id WHERE r.created_at < o.placed_at`).Scan(&together))
	require.Positive(t, together, "nobody was served ahead")
	onHand, reserved := level(t, db, c.Mug, c.HarbourStreet.ID)
	require.Equal(t, []int{200, 200}, []int{onHand, reserved})
	sound(t, db)
}

// withPatience is a database's address for a pool that waits for as long as it takes.
func withPatience(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		panic(err)
	}
	q := u.Query()
	for name, value := range map[string]string{"lock_timeout": "60s", "statement_timeout": "60s",
		"idle_in_transaction_session_timeout": "60s", "pool_max_conns": "80"} {
		q.Set(name, value)
	}
	u.RawQuery = q.Encode()
	return u.String()
}

func TestBatchedReservationsAreTakenOrReleased(t *testing.T) {
	db, _ := pgtest.Database(t)
	c := sample.Load(t, db)
	claim := inventory.Reservation{VariantID: c.Mug, LocationID: c.HarbourStreet.ID, Quantity: 2}

	claims := make([]inventory.Reservation, 7)
	var clients sync.WaitGroup
	for i := range claims {
		clients.Go(func() {
			var err error
			claims[i], err = inventory.ReserveBatched(ctx, db, claim)
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

	require.NoError(t, inventory.ReleaseBatched(ctx, db, claims))
	require.NoError(t, inventory.ReleaseBatched(ctx, db, claims), "twice is once")
	_, reserved = level(t, db, c.Mug, c.HarbourStreet.ID)
	require.Zero(t, reserved)

	// Whoever dies after claiming takes nothing with them.
	claim.Quantity = 10
	lost, err := inventory.ReserveBatched(ctx, db, claim)
	require.NoError(t, err)
	require.NotZero(t, lost.Claimed)
	_, err = db.Exec(ctx, `UPDATE reservation SET expires_at = now() - interval '1 second' WHERE id = $1`, lost.Claimed)
	require.NoError(t, err)
	_, err = checkout.Place(ctx, db, origin.Origin{Channel: origin.Web, Language: "en"},
		request(t, db, c.Ada(t, db, c.Mug, 1, c.HarbourStreet)))
	require.NoError(t, err)
	sound(t, db)
	require.Less(t, inventory.Ahead, time.Minute)
}
