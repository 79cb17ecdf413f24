package admin

import "github.com/jackc/pgx/v5"

// Page is a part of a list: what comes after a row, or before one, or the end; else the beginning. A list goes on from
// a row, not from a number of rows: its last page costs what its first does.
type Page struct {
	Before int64 // the list goes on behind the row with this id
	After  int64 // or ends in front of it
	Last   bool
	Most   int
}

// ascending is walk of a list in ascending order.
func (p Page) ascending(key, edge string, args pgx.NamedArgs) (condition, direction string) {
	args["most"] = p.Most
	switch {
	case p.Last:
		return "", "DESC"
	case p.After != 0:
		args["edge"] = p.After
		return " AND " + key + " < " + edge, "DESC"
	case p.Before != 0:
		args["edge"] = p.Before
		return " AND " + key + " > " + edge, "ASC"
	}
	return "", "ASC"
}

// walk is the condition and the direction in which a list in descending order of a key is read. The edge is the
// argument @edge.
func (p Page) walk(key, edge string, args pgx.NamedArgs) (condition, direction string) {
	args["most"] = p.Most
	switch {
	case p.Last:
		return "", "ASC"
	case p.After != 0:
		args["edge"] = p.After
		return " AND " + key + " > " + edge, "ASC"
	case p.Before != 0:
		args["edge"] = p.Before
		return " AND " + key + " < " + edge, "DESC"
	}
	return "", "DESC"
}
