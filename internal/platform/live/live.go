// Package live tells open pages that something they show has changed; what changed they read again.
package live

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

const channel = "counterpart"

// Topics that pages listen to.
func Queue(location int64) string    { return fmt.Sprintf("queue:%d", location) }
func Customer(customer int64) string { return fmt.Sprintf("customer:%d", customer) }

// Notify says, when the transaction commits, that topics changed.
func Notify(ctx context.Context, tx pgx.Tx, topics ...string) error {
	batch := &pgx.Batch{}
	QueueNotify(batch, topics...)
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("notify: %w", err)
	}
	return nil
}

// QueueNotify is Notify in a batch that the caller sends.
func QueueNotify(batch *pgx.Batch, topics ...string) {
	batch.Queue(`
		SELECT pg_notify($1, topic)
		FROM unnest($2::text[]) AS topic`, channel, topics)
}

// Hub is one listening connection for all pages of this process.
type Hub struct {
	mu   sync.Mutex
	subs map[string]map[chan struct{}]struct{}

	closing sync.Once
	closed  chan struct{}
}

// Close ends every stream of this process, with a word: the browser comes again, to whoever serves then.
func (h *Hub) Close() { h.closing.Do(func() { close(h.closed) }) }

// Closed is closed by Close.
func (h *Hub) Closed() <-chan struct{} { return h.closed }

// Listen keeps listening until the context ends. While the connection is away pages miss nothing for good: when it is
// back, every one of them is told to look again.
func Listen(ctx context.Context, url string) *Hub {
	hub := &Hub{subs: map[string]map[chan struct{}]struct{}{}, closed: make(chan struct{})}
	go func() {
		for wait := 50 * time.Millisecond; ctx.Err() == nil; wait = min(2*wait, 5*time.Second) {
			err := hub.listen(ctx, url, func() { wait = 50 * time.Millisecond })
			if ctx.Err() == nil {
				slog.Warn("live updates: listening again", "error", err)
				select {
				case <-ctx.Done():
				case <-time.After(wait):
				}
			}
		}
	}()
	return hub
}

func (h *Hub) listen(ctx context.Context, url string, connected func()) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, "LISTEN "+channel); err != nil {
		return err
	}
	connected()
	h.wakeAll()
	for {
		notification, err := conn.WaitForNotification(ctx)
		if err != nil {
			return err
		}
		h.wake(notification.Payload)
	}
}

// Subscribe gives a channel that has a value when one of the topics may have changed. Many changes before the page
// looked are one. Call the function when the page has gone.
func (h *Hub) Subscribe(topics ...string) (<-chan struct{}, func()) {
	woken := make(chan struct{}, 1)
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, topic := range topics {
		if h.subs[topic] == nil {
			h.subs[topic] = map[chan struct{}]struct{}{}
		}
		h.subs[topic][woken] = struct{}{}
	}
	return woken, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		for _, topic := range topics {
			delete(h.subs[topic], woken)
			if len(h.subs[topic]) == 0 {
				delete(h.subs, topic)
			}
		}
	}
}

func (h *Hub) wake(topic string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for woken := range h.subs[topic] {
		nudge(woken)
	}
}

func (h *Hub) wakeAll() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, subs := range h.subs {
		for woken := range subs {
			nudge(woken)
		}
	}
}

func nudge(woken chan struct{}) {
	select {
	case woken <- struct{}{}:
	default:
	}
}
