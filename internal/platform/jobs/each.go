package jobs

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/platform/pg"
)

// Each does something about what is due, one transaction each; what fails does not keep the others waiting.
func Each(ctx context.Context, db pg.DB, due string, do func(a, b int64) error) error {
	rows, err := db.Query(ctx, due)
	if err != nil {
		return fmt.Errorf("list what is due: %w", err)
	}
	type pair struct{ A, B int64 }
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[pair])
	if err != nil {
		return fmt.Errorf("list what is due: %w", err)
	}
	var failed error
	for _, d := range all {
		failed = errors.Join(failed, do(d.A, d.B))
	}
	return failed
}
