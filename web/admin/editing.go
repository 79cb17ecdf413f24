package admin

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/merge"
	"counterpart/internal/platform/text"
	"counterpart/web/respond"
	"counterpart/web/ui"
)

// editing is a form that changes something that exists, which somebody else may change meanwhile: what holds now, and
// what was typed while something is wrong with it. See package merge.
type editing struct {
	respond.Mistakes
	Form string // which form of the page was sent; empty: none
	now  map[string]string
	sent merge.Edit
	both map[string]string // what somebody else saved meanwhile
}

// sentEdit reads a form's fields with what it showed when it was opened. names are those that a form always has.
func sentEdit(r *http.Request, names ...string) merge.Edit {
	e := merge.Edit{Was: map[string]string{}, Mine: map[string]string{}}
	read := func(name string) string {
		values := r.PostForm[name]
		for i := range values {
			values[i] = text.Clean(strings.ReplaceAll(values[i], "\r\n", "\n"), 25_000)
		}
		if name == "categories" {
			return joinedIDs(values)
		}
		if name == "languages" {
			return strings.Join(values, ",")
		}
		if len(values) == 0 {
			return ""
		}
		return values[len(values)-1]
	}
	for name := range r.PostForm {
		if field, ok := strings.CutPrefix(name, "was."); ok {
			e.Was[field], e.Mine[field] = read(name), read(field)
		}
	}
	for _, name := range names {
		if _, shown := e.Was[name]; !shown && r.PostForm.Has(name) {
			e.Mine[name] = read(name)
		}
	}
	return e
}

// joinedIDs are ticked ids in order, as one field.
func joinedIDs(values []string) string {
	var ids []int64
	for _, value := range values {
		for one := range strings.SplitSeq(value, ",") {
			if n, err := strconv.ParseInt(one, 10, 64); err == nil && !slices.Contains(ids, n) {
				ids = append(ids, n)
			}
		}
	}
	slices.Sort(ids)
	all := make([]string, len(ids))
	for i, id := range ids {
		all[i] = strconv.FormatInt(id, 10)
	}
	return strings.Join(all, ",")
}

// refused keeps what was sent, for the page that says what is wrong with it.
func (e *editing) refused(r *http.Request, form string, sent merge.Edit, wrong *fault.Fault) {
	e.Form, e.sent, e.both = form, sent, wrong.Now
	e.Take(r, wrong)
}

// changed says whether a field was sent with something else than it showed.
func (e editing) changed(name string) bool {
	mine, sent := e.sent.Mine[name]
	was, shown := e.sent.Was[name]
	return sent && (!shown || mine != was)
}

// Value is what a field shows: what was typed while something is wrong with the form, else what holds.
func (e editing) Value(name string) string {
	if e.changed(name) {
		return e.sent.Mine[name]
	}
	return e.now[name]
}

// was is what a field says that it showed: of one that somebody else changed, what stands beside it now.
func (e editing) was(name string) string {
	if was, shown := e.sent.Was[name]; shown && e.changed(name) {
		if _, conflict := e.both[name]; !conflict {
			return was
		}
	}
	return e.now[name]
}

// said is what is wrong with a field, or what somebody else saved there.
func (e editing) said(ctx context.Context, name string) string {
	if now, conflict := e.both[name]; conflict {
		if now == "" {
			return text.T(ctx, "Someone else has emptied this meanwhile.")
		}
		return text.T(ctx, "Someone else saved: {value}", text.Args{"value": now})
	}
	return ui.Said(ctx, e.Fields, name)
}

// input is a field of the form.
func (e editing) input(ctx context.Context, i ui.Input) ui.Input {
	i.Value, i.Error = e.Value(i.Name), e.said(ctx, i.Name)
	if i.Autocomplete == "" {
		i.Autocomplete = "off"
	}
	return i
}

// choice is a list of the form.
func (e editing) choice(ctx context.Context, c ui.Choice) ui.Choice {
	c.Value, c.Error = e.Value(c.Name), e.said(ctx, c.Name)
	return c
}
