package pg

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// Statement is SQL with named arguments whose names were replaced by numbers once, and not at every call: of the large
// statements of pages that takes a tenth of the page's time.
type Statement struct {
	sql   string
	names []string
}

// Named makes a statement of SQL with @name for each of its arguments. It panics where a name is not used or another
// one is.
func Named(sql string, names ...string) Statement {
	values := pgx.StrictNamedArgs{}
	for _, name := range names {
		values[name] = name
	}
	numbered, order, err := values.RewriteQuery(context.Background(), nil, sql, nil)
	if err != nil {
		panic(err) // A statement is written with the program, and made when it starts.
	}
	s := Statement{sql: numbered}
	for _, name := range order {
		s.names = append(s.names, name.(string))
	}
	return s
}

// Queue adds the statement to a batch. What is not among its arguments is ignored.
func (s Statement) Queue(batch *pgx.Batch, args pgx.NamedArgs) *pgx.QueuedQuery {
	values := make([]any, len(s.names))
	for i, name := range s.names {
		values[i] = args[name]
	}
	return batch.Queue(s.sql, values...)
}
