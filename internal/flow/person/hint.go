package person

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/hint"
	"counterpart/internal/domain/location"
	"counterpart/internal/domain/origin"
	"counterpart/internal/platform/live"
	"counterpart/internal/platform/pg"
	"counterpart/internal/query/advice"
)

// RecordShown keeps that an associate was shown what is worth saying to somebody.
func RecordShown(ctx context.Context, db pg.DB, at origin.Origin, person int64, store *location.Location,
	all []advice.Hint) error {
	about := make([]hint.Subject, len(all))
	for i, h := range all {
		about[i] = h.Subject
	}
	return hint.Show(ctx, db, at, person, time.Now().In(store.Zone()), about)
}

// MarkHint keeps what became of one: it was said, comes later, or is not wanted.
func MarkHint(ctx context.Context, db pg.DB, at origin.Origin, person int64, about hint.Subject, mark string) error {
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		if err := customer.LockActive(ctx, tx, person); err != nil {
			return err
		}
		if err := hint.Mark(ctx, tx, at, person, about, mark); err != nil {
			return err
		}
		return live.Notify(ctx, tx, live.Customer(person))
	})
}
