package pg

import (
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"counterpart/internal/platform/text"
)

// Work is what a transaction still has to write, in one round trip and in the order in which it was added. A guarded
// statement says by name what it was about when it changed nothing; then the transaction must not be kept.
type Work struct {
	pgx.Batch
	missed []text.Message
}

// Guard adds a statement that has to change a row. What is named when it does not.
func (w *Work) Guard(what text.Message, sql string, args ...any) {
	w.Batch.Queue(sql, args...).Exec(func(tag pgconn.CommandTag) error {
		if tag.RowsAffected() == 0 {
			w.missed = append(w.missed, what)
		}
		return nil
	})
}

// Missed is the first guarded statement that changed nothing. It is known once the work was sent.
func (w *Work) Missed() (what text.Message, missed bool) {
	if len(w.missed) == 0 {
		return text.Message{}, false
	}
	return w.missed[0], true
}
