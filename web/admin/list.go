package admin

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"counterpart/internal/domain/staff"
	"counterpart/internal/platform/fault"
	"counterpart/internal/query/admin"
	"counterpart/web/access"
	"counterpart/web/respond"
)

// listing is what every list has around its rows: what it is narrowed by, its edges, the views that somebody saved,
// the columns they want.
type listing struct {
	Path    string // of the page
	Name    string // of the list, as saved views have it
	Total   int
	Views   []staff.View
	Columns []column // that can be left out
	query   url.Values
	newer   bool // there are rows before this page's
	older   bool
	first   int64
	last    int64
}

// column of a list that can be left out.
type column struct{ Name, Title string }

// newListing reads what a request asks of a list.
func (p *Pages) newListing(r *http.Request, name, path string) (listing, error) {
	l := listing{Path: path, Name: name, query: r.URL.Query()}
	var err error
	l.Views, err = staff.Views(r.Context(), p.DB, at(r).AssociateID, name)
	return l, err
}

// edges are the ids before and after which the page goes on; 0: the first page.
func (l listing) edges() (before, after int64) {
	before, _ = strconv.ParseInt(l.query.Get("before"), 10, 64)
	after, _ = strconv.ParseInt(l.query.Get("after"), 10, 64)
	return max(before, 0), max(after, 0)
}

// page is the part of the list that is asked for, with one row more than a page has.
func (l listing) page() admin.Page {
	before, after := l.edges()
	return admin.Page{Before: before, After: after, Last: l.query.Has("last"), Most: admin.PerPage + 1}
}

// trimmed is a page of rows of which one more than it holds was read, and notes whether there are others around it.
func trimmed[T any](l *listing, rows []T, id func(T) int64) []T {
	before, after := l.edges()
	more := len(rows) > admin.PerPage
	switch {
	case after != 0 || l.query.Has("last"):
		l.newer, l.older = more, after != 0
		if more {
			rows = rows[1:]
		}
	default:
		l.newer, l.older = before != 0, more
		if more {
			rows = rows[:admin.PerPage]
		}
	}
	if len(rows) > 0 {
		l.first, l.last = id(rows[0]), id(rows[len(rows)-1])
	}
	return rows
}

// beyond says that a page lies beyond the list's end.
func (l listing) beyond(rows int) bool {
	return rows == 0 && (l.query.Has("before") || l.query.Has("after"))
}

// kept is what the list is narrowed by, without where it stands and what was just done.
func (l listing) kept() url.Values {
	q := url.Values{}
	for name, values := range l.query {
		if slices.Contains([]string{"before", "after", "last", "done", "page"}, name) {
			continue
		}
		for _, value := range values {
			if value != "" && len(value) <= 200 {
				q.Add(name, value)
			}
		}
	}
	return q
}

// address of the list with what it is narrowed by, from an edge on: before or after a row.
func (l listing) address(edge string, id int64) string {
	q := l.kept()
	switch edge {
	case "":
	case "last":
		q.Set("last", "1")
	default:
		q.Set(edge, strconv.FormatInt(id, 10))
	}
	if len(q) == 0 {
		return l.Path
	}
	return l.Path + "?" + q.Encode()
}

func (l listing) csvAddress() string {
	return strings.Replace(l.address("", 0), l.Path, l.Path+".csv", 1)
}

// narrowed says whether anything narrows the list.
func (l listing) narrowed() bool {
	q := l.kept()
	q.Del("without")
	return len(q) > 0
}

// Shows says whether a column is wanted.
func (l listing) Shows(name string) bool { return !slices.Contains(l.query["without"], name) }

// saveView keeps a list as it is narrowed under a name.
func (p *Pages) saveView(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	query, err := url.ParseQuery(r.PostFormValue("query"))
	if err != nil {
		query = url.Values{}
	}
	l := listing{query: query}
	view := staff.View{List: r.PostFormValue("list"), Name: typed(r.PostFormValue("name")), Query: l.kept().Encode()}
	path, ok := lists[view.List]
	if !ok {
		return nil, respond.NotFound()
	}
	l.Path = path
	if err := staff.SaveView(r.Context(), p.DB, at(r).AssociateID, view); err != nil {
		return nil, err
	}
	return respond.See(withDone(l.address("", 0), "view")), nil
}

// dropView forgets a view.
func (p *Pages) dropView(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	view, err := staff.DropView(r.Context(), p.DB, at(r).AssociateID, id(r, "id"))
	if err != nil {
		return nil, err
	}
	path, ok := lists[view.List]
	if !ok {
		return nil, fault.New(fault.NotFound, "We can’t find that view.")
	}
	return respond.See(path), nil
}

// lists that can be saved, and where they are.
var lists = map[string]string{"orders": "/admin/orders", "products": "/admin/products", "stock": "/admin/stock",
	"customers": "/admin/customers"}

func withDone(address, done string) string {
	if strings.Contains(address, "?") {
		return address + "&done=" + done
	}
	return address + "?done=" + done
}

// mayEdit says whether somebody sets prices and products.
func mayEdit(r *http.Request) bool {
	return access.Session(r.Context()).Associate.Role == staff.RoleAdmin
}
