package pg

import (
	"errors"

	"github.com/jackc/pgx/v5"
)

// Row reads the one row of a query into a struct by the names of its columns. Nil when there is none.
func Row[T any](rows pgx.Rows, err error) (*T, error) {
	if err != nil {
		return nil, err
	}
	value, err := pgx.CollectExactlyOneRow(rows, pgx.RowToAddrOfStructByName[T])
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	return value, err
}
