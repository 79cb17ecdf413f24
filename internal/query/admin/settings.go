package admin

import "counterpart/internal/platform/pg"

// Carriers are those whose parcels can be followed, one a line as a form has them: a name, a bar and an address.
func Carriers(into *string) pg.Question {
	return pg.Value(into, `SELECT coalesce(string_agg(name || ' | ' || tracking, E'\n' ORDER BY name), '') FROM carrier`)
}
