package access

import (
	"sync"
	"time"
)

// rush knows how many requests are under way and how fast they are answered, and so how long a new one would wait. Tills,
// payments and the admin are counted, and let in whatever the queue.
type rush struct {
	mu       sync.Mutex
	underWay int
	gap      time.Duration // between two answers, while there was always something to do
	last     time.Time     // when the last was given
}

const (
	// longest is how long a shopper waits for an answer; who would wait longer is told at once, and can come back.
	longest = 2 * time.Second
	// busy is how many requests keep the processors and the pool of connections at work: with fewer, the time between
	// two answers says nothing.
	busy = 16
	// firstGap is what is believed before anything was measured.
	firstGap = 3 * time.Millisecond
)

// enter counts a request. False: it would wait too long, and is not counted. Whoever comes first is never refused.
func (q *rush) enter(first bool) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.gap == 0 {
		q.gap = firstGap
	}
	if !first && q.underWay >= 2*busy && time.Duration(q.underWay)*q.gap > longest {
		return false
	}
	q.underWay++
	return true
}

// leave says that a request was answered. What one answer says counts for a thirty-second.
func (q *rush) leave(now time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.underWay >= busy && !q.last.IsZero() {
		q.gap += (min(now.Sub(q.last), longest) - q.gap) / 32
	}
	q.underWay--
	q.last = now
}
