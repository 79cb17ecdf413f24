package pg

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Question puts statements into a batch and takes their answers. What a page shows of several packages it asks in one
// round trip.
type Question func(batch *pgx.Batch)

// Ask asks questions in one round trip.
func Ask(ctx context.Context, db DB, questions ...Question) error {
	batch := &pgx.Batch{}
	for _, ask := range questions {
		ask(batch)
	}
	if err := db.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("ask the database: %w", err)
	}
	return nil
}

// All is a question whose rows are read into a list by the names of their columns.
func All[T any](into *[]T, sql string, args ...any) Question {
	return func(batch *pgx.Batch) {
		batch.Queue(sql, args...).Query(func(rows pgx.Rows) (err error) {
			*into, err = pgx.CollectRows(rows, pgx.RowToStructByName[T])
			return err
		})
	}
}

// One is a question whose row, if there is one, is read into a struct by the names of its columns; else it stays nil.
func One[T any](into **T, sql string, args ...any) Question {
	return func(batch *pgx.Batch) {
		batch.Queue(sql, args...).Query(func(rows pgx.Rows) (err error) {
			*into, err = Row[T](rows, nil)
			return err
		})
	}
}

// Value is a question whose one row has one column.
func Value[T any](into *T, sql string, args ...any) Question {
	return func(batch *pgx.Batch) {
		batch.Queue(sql, args...).QueryRow(func(row pgx.Row) error { return row.Scan(into) })
	}
}
