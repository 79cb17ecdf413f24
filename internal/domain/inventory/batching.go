package inventory

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/platform/pg"
)

// Batching of hot rows: many concurrent reservations of one stock level would each wait for its row and for a flush of
// the log. Here they are collected and made in one statement. Which rows are hot is known to this process only and
// saves time only: the guarded UPDATE decides, as it always does.
const (
	hotThreshold = 3               // waiting reservations that make a stock level hot
	hotFor       = 2 * time.Second // since the last of them
	// is how long a batched reservation lives without an order; longer than any request may take
	Ahead    = 30 * time.Second
	maxBatch = 64 // reservations in one statement
)

type levelKey struct{ variantID, locationID int64 }

var hot = struct {
	sync.Mutex
	waiting map[levelKey]int
	until   map[levelKey]time.Time
	batches map[poolLevel]*pending
}{waiting: map[levelKey]int{}, until: map[levelKey]time.Time{}, batches: map[poolLevel]*pending{}}

// poolLevel is a shelf of one database.
type poolLevel struct {
	db pg.DB
	levelKey
}

// trackWaiting counts a reservation that is about to wait for its row; leave says that it got its answer.
func trackWaiting(c Reservation) (leave func()) {
	at := levelKey{c.VariantID, c.LocationID}
	hot.Lock()
	defer hot.Unlock()
	hot.waiting[at]++
	if hot.waiting[at] > hotThreshold {
		hot.until[at] = time.Now().Add(hotFor)
	}
	return func() {
		hot.Lock()
		defer hot.Unlock()
		if hot.waiting[at]--; hot.waiting[at] == 0 {
			delete(hot.waiting, at)
		}
	}
}

// Contended are the variants under contention, with the locations at which they are.
func Contended() map[int64][]int64 {
	hot.Lock()
	defer hot.Unlock()
	var all map[int64][]int64
	for at, until := range hot.until {
		if time.Now().After(until) {
			delete(hot.until, at)
			continue
		}
		if all == nil {
			all = map[int64][]int64{}
		}
		all[at.variantID] = append(all[at.variantID], at.locationID)
	}
	return all
}

// together are claims on one shelf that are made in one statement. The first who comes makes them, for everybody who
// came while it was busy with those before.
type pending struct {
	next []*request
	busy bool
}

type request struct {
	quantity int
	id       int64 // of the reservation; 0: not granted
	err      error
	done     chan struct{}
}

// ReserveBatched reserves stock before the order that wants it is written, in one statement with whoever else wants it
// now. The reservation has no order line and expires after Ahead; Reserve gives it a line. Its Claimed is 0 where there
// was not enough for the whole batch: then each is reserved by itself.
func ReserveBatched(ctx context.Context, db pg.DB, c Reservation) (Reservation, error) {
	at := poolLevel{db, levelKey{c.VariantID, c.LocationID}}
	w := &request{quantity: c.Quantity, done: make(chan struct{})}
	hot.Lock()
	t := hot.batches[at]
	if t == nil {
		t = &pending{}
		hot.batches[at] = t
	}
	t.next = append(t.next, w)
	if len(t.next) > 1 {
		hot.until[at.levelKey] = time.Now().Add(hotFor)
	}
	leads := !t.busy
	t.busy = true
	hot.Unlock()
	if leads {
		// Others depend on it: it goes on when its own request is gone.
		go flush(context.WithoutCancel(ctx), at, t)
	}
	select {
	case <-w.done:
		c.Claimed = w.id
		return c, w.err
	case <-ctx.Done():
		return c, ctx.Err() // what may have been claimed ends by itself
	}
}

func flush(ctx context.Context, at poolLevel, t *pending) {
	for {
		hot.Lock()
		now := t.next[:min(len(t.next), maxBatch)]
		t.next = slices.Clone(t.next[len(now):])
		if len(now) == 0 {
			t.busy = false
			delete(hot.batches, at)
			hot.Unlock()
			return
		}
		hot.Unlock()
		err := reserveBatch(ctx, at, now)
		for _, w := range now {
			w.err = err
			close(w.done)
		}
	}
}

func reserveBatch(ctx context.Context, at poolLevel, requests []*request) error {
	quantities, total := make([]int, len(requests)), 0
	for i, w := range requests {
		quantities[i], total = w.quantity, total+w.quantity
	}
	rows, err := at.db.Query(ctx, `
		WITH level AS (
			UPDATE stock_level
			SET reserved = reserved + $3::integer
			WHERE variant_id = $1 AND location_id = $2 AND condition = 'sellable' AND `+Available("stock_level")+` >= $3
			RETURNING variant_id, location_id)
		INSERT INTO reservation (variant_id, location_id, quantity, expires_at)
		SELECT variant_id, location_id, quantity, now() + $5 * interval '1 second'
		FROM level, unnest($4::integer[]) AS quantity
		RETURNING id, quantity`, at.variantID, at.locationID, total, quantities, Ahead.Seconds())
	if err != nil {
		return fmt.Errorf("reserve a batch: %w", err)
	}
	var id int64
	var quantity int
	_, err = pgx.ForEachRow(rows, []any{&id, &quantity}, func() error {
		// One reservation is as good as another of the same quantity.
		i := slices.IndexFunc(requests, func(w *request) bool { return w.id == 0 && w.quantity == quantity })
		requests[i].id = id
		return nil
	})
	if err != nil {
		return fmt.Errorf("reserve a batch: %w", err)
	}
	return nil
}

// ReleaseBatched releases batched reservations that no order took.
func ReleaseBatched(ctx context.Context, db pg.DB, ahead []Reservation) error {
	batch := &pgx.Batch{}
	for _, c := range inOrder(ahead) {
		batch.Queue(`
			WITH gone AS (
				UPDATE reservation
				SET released_at = now(), release = 'cancelled'
				WHERE id = $1 AND order_line_id IS NULL AND released_at IS NULL
				RETURNING variant_id, location_id, quantity)
			UPDATE stock_level l
			SET reserved = reserved - gone.quantity
			FROM gone
			WHERE l.variant_id = gone.variant_id AND l.location_id = gone.location_id AND l.condition = 'sellable'`,
			c.Claimed)
	}
	if err := db.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("release batched reservations: %w", err)
	}
	return nil
}

// Same says whether a claim is for the same goods.
func (c Reservation) Same(other Reservation) bool {
	return c.VariantID == other.VariantID && c.LocationID == other.LocationID && c.Quantity == other.Quantity
}
