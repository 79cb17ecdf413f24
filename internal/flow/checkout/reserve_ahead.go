package checkout

import (
	"context"
	"log/slog"
	"sync"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/inventory"
	"counterpart/internal/platform/pg"
	"counterpart/internal/query/basket"
)

// reserveAhead claims what many want just now before the transaction, so that it need not wait for the shelf that they
// all wait for. Where it gets nothing, the transaction asks again and says so. Done gives back what no order took: it
// failed, was there already, or is sent from elsewhere.
func reserveAhead(ctx context.Context, db pg.DB, r Request) (ahead []inventory.Reservation, done func(), err error) {
	contended := inventory.Contended()
	if _, nested := db.(pgx.Tx); nested || len(contended) == 0 || r.Here.CarryOut {
		return nil, func() {}, nil
	}
	// One cart claims once, however often it is sent: or its copies would take the last units from each other.
	leave, err := alone(ctx, r.CartID)
	if err != nil {
		return nil, func() {}, err
	}
	done = func() {
		defer leave()
		if len(ahead) == 0 {
			return
		}
		if err := inventory.ReleaseBatched(context.WithoutCancel(ctx), db, ahead); err != nil {
			slog.WarnContext(ctx, "what was claimed ahead ends by itself", "error", err)
		}
	}
	wanted, err := basket.Wanted(ctx, db, r.CustomerID, r.CartID, r.Here, contended)
	if err != nil {
		return nil, done, err
	}
	for _, c := range wanted {
		c, err := inventory.ReserveBatched(ctx, db, c)
		if err != nil {
			return ahead, done, err
		}
		if c.Claimed != 0 {
			ahead = append(ahead, c)
		}
	}
	return ahead, done, nil
}

// busy are the carts that this process is ordering under contention.
var busy = struct {
	sync.Mutex
	carts map[int64]chan struct{}
}{carts: map[int64]chan struct{}{}}

// alone waits until nobody else orders a cart.
func alone(ctx context.Context, cart int64) (leave func(), err error) {
	for {
		busy.Lock()
		other := busy.carts[cart]
		if other == nil {
			mine := make(chan struct{})
			busy.carts[cart] = mine
			busy.Unlock()
			return func() {
				busy.Lock()
				defer busy.Unlock()
				delete(busy.carts, cart)
				close(mine)
			}, nil
		}
		busy.Unlock()
		select {
		case <-other:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
