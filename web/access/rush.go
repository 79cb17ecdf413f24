package access

import (
	"counterpart/web/respond"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// rush knows how long requests wait for a connection to the database, and so whether a new one would wait too long. What
// waits for a slow browser or another company holds no connection, and counts for nothing.
type rush struct {
	stat func() *pgxpool.Stat // nil: there is no pool, and nobody is refused

	mu    sync.Mutex
	since time.Time // when it was looked at
	gave  int64     // connections given until then, to those who had to wait
	wait  time.Duration
	mean  time.Duration // that those waited who were given one between the last two looks
}

const (
	// longest is what a request may wait for each connection. It takes two or three, one after the other: whoever would
	// wait two seconds for an answer is told at once, and can come back.
	longest = 700 * time.Millisecond
	// look is how often it is looked at.
	look = 250 * time.Millisecond
)

// full says whether a shopper would wait too long.
func (q *rush) full(now time.Time) bool {
	if q.stat == nil {
		return false
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if now.Sub(q.since) >= look {
		s := q.stat()
		gave, wait := s.EmptyAcquireCount(), s.EmptyAcquireWaitTime()
		q.mean = 0
		if gave > q.gave {
			q.mean = (wait - q.wait) / time.Duration(gave-q.gave)
		}
		if s.AcquiredConns() < s.MaxConns() {
			q.mean = 0 // Whoever comes now waits for nobody.
		}
		q.since, q.gave, q.wait = now, gave, wait
	}
	return q.mean > longest
}

// queued refuses at once what would wait too long. What a till, the office or somebody with a link of their own asks
// for, a payment among them, always waits its turn.
func (r *Routes) queued(p Permission, serve http.HandlerFunc) http.HandlerFunc {
	first := p.whose == associate || p.Name == OwnLink.Name
	refuse := respond.HTTP(func(_ http.ResponseWriter, req *http.Request) (respond.Answer, error) {
		return nil, errors.Join(respond.ErrRush, readForm(req)) // Read, so that the form can be offered again.
	}, r.page)
	return func(w http.ResponseWriter, req *http.Request) {
		if !first && r.rush.full(time.Now()) {
			refuse(w, req)
			return
		}
		serve(w, req)
	}
}
