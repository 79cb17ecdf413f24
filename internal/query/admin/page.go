package admin

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/platform/pg"
)

// Page is a part of a list: what comes after a row, or before one, or the end; else the beginning. A list goes on from
// a row, not from a number of rows: its last page costs what its first does.
type Page struct {
	Before int64 // the list goes on behind the row with this id
	After  int64 // or ends in front of it
	Last   bool
	Most   int
}

// limit is written into the statement: the planner then knows that a page is short.
func (p Page) limit() string { return fmt.Sprint("LIMIT ", p.Most) }

// ascending is walk of a list in ascending order.
func (p Page) ascending(key, edge string, args pgx.NamedArgs) (condition, direction string) {
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

// conditions are what narrows a list. Words of a closed list are written into them, so that the planner knows how many
// rows have each: statements are planned once for all arguments.
type conditions struct {
	find []string // as they are asked to find what matches, in any order
	walk []string // as they are asked of a row that was read in the list's order
}

func (c *conditions) add(condition string) { c.addBoth(condition, condition) }

func (c *conditions) addBoth(find, walk string) {
	c.find, c.walk = append(c.find, find), append(c.walk, walk)
}

func all(conditions []string) string {
	return strings.Join(append([]string{"true"}, conditions...), "\n\t\t\tAND ")
}

// matching finds what a list is narrowed to: how many there are, counted to CountUpTo, and, where they are fewer, their
// ids. So many are soon met when the list is read in its order; few may lie far apart, and are sorted instead.
func matching(ctx context.Context, db pg.DB, key, from string, args pgx.NamedArgs) (ids []int64, total int, err error) {
	err = db.QueryRow(ctx, fmt.Sprintf(`
		SELECT count(*), CASE WHEN count(*) < %d THEN coalesce(array_agg(id), '{}') END
		FROM (SELECT %s AS id FROM %s LIMIT %d) matching`, CountUpTo, key, from, CountUpTo), args).Scan(&total, &ids)
	return ids, total, err
}
