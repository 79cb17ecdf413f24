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

// A rush is many who want the same goods of one shelf at once. One after the other they would all wait for one row and one disk; together they ask for it once.
// What is known of a rush is this process's own and only saves time: the guard in the table decides, as it always does.
const (
	crowd   = 3                // that wait for a shelf make a rush of it
	lasting = 2 * time.Second  // after the last crowd
	Ahead   = 30 * time.Second // is how long a claim made ahead of its order holds; longer than any request may take
	gang    = 64               // claims at most go together
)

type shelf struct{ variantID, locationID int64 }

var rush = struct {
	sync.Mutex
	waiting map[shelf]int
	until   map[shelf]time.Time
	gangs   map[door]*together
}{waiting: map[shelf]int{}, until: map[shelf]time.Time{}, gangs: map[door]*together{}}

// door is a shelf of one database.
type door struct {
	db pg.DB
	shelf
}

// enter says that a claim is about to wait for its shelf, leave that it got its answer.
func enter(c Claim) (leave func()) {
	at := shelf{c.VariantID, c.LocationID}
	rush.Lock()
	defer rush.Unlock()
	rush.waiting[at]++
	if rush.waiting[at] > crowd {
		rush.until[at] = time.Now().Add(lasting)
	}
	return func() {
		rush.Lock()
		defer rush.Unlock()
		if rush.waiting[at]--; rush.waiting[at] == 0 {
			delete(rush.waiting, at)
		}
	}
}

// Rushed are the variants that many want right now, with the locations at which they do.
func Rushed() map[int64][]int64 {
	rush.Lock()
	defer rush.Unlock()
	var all map[int64][]int64
	for at, until := range rush.until {
		if time.Now().After(until) {
			delete(rush.until, at)
			continue
		}
		if all == nil {
			all = map[int64][]int64{}
		}
		all[at.variantID] = append(all[at.variantID], at.locationID)
	}
	return all
}

// together are claims on one shelf that are made in one statement. The first who comes makes them, for everybody who came while it was busy with those before.
type together struct {
	next []*wish
	busy bool
}

type wish struct {
	quantity int
	id       int64 // of the reservation; 0: not granted
	err      error
	done     chan struct{}
}

// ClaimAhead claims goods before the order that wants them is written, together with whoever else wants them now. The reservation has no owner and ends by itself;
// Reserve gives it one. Its Claimed is 0 where the shelf did not have enough for everybody who asked: then each asks for itself.
func ClaimAhead(ctx context.Context, db pg.DB, c Claim) (Claim, error) {
	at := door{db, shelf{c.VariantID, c.LocationID}}
	w := &wish{quantity: c.Quantity, done: make(chan struct{})}
	rush.Lock()
	t := rush.gangs[at]
	if t == nil {
		t = &together{}
		rush.gangs[at] = t
	}
	t.next = append(t.next, w)
	if len(t.next) > 1 {
		rush.until[at.shelf] = time.Now().Add(lasting)
	}
	leads := !t.busy
	t.busy = true
	rush.Unlock()
	if leads {
		// Others depend on it: it goes on when its own request is gone.
		go lead(context.WithoutCancel(ctx), at, t)
	}
	select {
	case <-w.done:
		c.Claimed = w.id
		return c, w.err
	case <-ctx.Done():
		return c, ctx.Err() // what may have been claimed ends by itself
	}
}

func lead(ctx context.Context, at door, t *together) {
	for {
		rush.Lock()
		now := t.next[:min(len(t.next), gang)]
		t.next = slices.Clone(t.next[len(now):])
		if len(now) == 0 {
			t.busy = false
			delete(rush.gangs, at)
			rush.Unlock()
			return
		}
		rush.Unlock()
		err := claimTogether(ctx, at, now)
		for _, w := range now {
			w.err = err
			close(w.done)
		}
	}
}

func claimTogether(ctx context.Context, at door, wishes []*wish) error {
	quantities, total := make([]int, len(wishes)), 0
	for i, w := range wishes {
		quantities[i], total = w.quantity, total+w.quantity
	}
	rows, err := at.db.Query(ctx, `
		WITH level AS (
			UPDATE stock_level
			SET reserved = reserved + $3::integer
			WHERE variant_id = $1 AND location_id = $2 AND condition = 'sellable' AND on_hand - reserved - safety >= $3
			RETURNING variant_id, location_id)
		INSERT INTO reservation (variant_id, location_id, quantity, expires_at)
		SELECT variant_id, location_id, quantity, now() + $5 * interval '1 second'
		FROM level, unnest($4::integer[]) AS quantity
		RETURNING id, quantity`, at.variantID, at.locationID, total, quantities, Ahead.Seconds())
	if err != nil {
		return fmt.Errorf("claim together: %w", err)
	}
	var id int64
	var quantity int
	_, err = pgx.ForEachRow(rows, []any{&id, &quantity}, func() error {
		// One reservation is as good as another of the same quantity.
		i := slices.IndexFunc(wishes, func(w *wish) bool { return w.id == 0 && w.quantity == quantity })
		wishes[i].id = id
		return nil
	})
	if err != nil {
		return fmt.Errorf("claim together: %w", err)
	}
	return nil
}

// LetGo gives back what was claimed ahead and found no order.
func LetGo(ctx context.Context, db pg.DB, ahead []Claim) error {
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
			WHERE l.variant_id = gone.variant_id AND l.location_id = gone.location_id AND l.condition = 'sellable'`, c.Claimed)
	}
	if err := db.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("let go of what was claimed ahead: %w", err)
	}
	return nil
}

// Same says whether a claim is for the same goods.
func (c Claim) Same(other Claim) bool {
	return c.VariantID == other.VariantID && c.LocationID == other.LocationID && c.Quantity == other.Quantity
}
