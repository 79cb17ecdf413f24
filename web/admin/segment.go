package admin

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"counterpart/internal/domain/location"
	"counterpart/internal/domain/segment"
	"counterpart/internal/flow/settings"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/money"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/text"
	"counterpart/internal/query/admin"
	"counterpart/web/respond"

	"github.com/go-chi/chi/v5"
)

func (p *Pages) segments(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	all, err := segment.List(r.Context(), p.DB)
	if err != nil {
		return nil, err
	}
	return respond.Page(segmentsPage(frame(r, text.T(r.Context(), "Segments"), "segments"), all)), nil
}

// segmentView is the editor of one.
type segmentView struct {
	respond.Mistakes
	segment.Segment
	Stores     []location.Location
	Categories []admin.Category
	Count      int
	Estimate   int
	Late       bool
	Asked      bool
	Sample     []admin.SegmentPerson
	Places     int
	Addresses  int
	Located    int
}

func (p *Pages) newSegment(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	v := segmentView{Segment: segment.Segment{Living: true, Tree: segment.Tree{Groups: []segment.Group{{Match: segment.All,
		Conditions: []segment.Condition{{Field: "orders", Compare: segment.AtLeast, Number: 1}}}}}}}
	return p.showSegment(r, v, nil)
}

func (p *Pages) segmentPage(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	s, err := segment.ByID(r.Context(), p.DB, id(r, "id"))
	if err != nil {
		return nil, err
	}
	if s == nil {
		return nil, respond.NotFound()
	}
	return p.showSegment(r, segmentView{Segment: *s}, nil)
}

func (p *Pages) showSegment(r *http.Request, v segmentView, wrong *fault.Fault) (answer respond.Answer, err error) {
	ctx := r.Context()
	if v.Stores, err = location.All(ctx, p.DB); err != nil {
		return nil, err
	}
	if v.Categories, err = admin.Categories(ctx, p.DB); err != nil {
		return nil, err
	}
	if v.Tree.Currency == "" {
		if v.Tree.Currency, err = location.CurrencyOf(ctx, p.DB, ""); err != nil {
			return nil, err
		}
	}
	if v.Tree.Near() {
		if v.Places, v.Addresses, v.Located, err = admin.Located(ctx, p.DB); err != nil && !pg.TimedOut(err) {
			return nil, err
		}
	}
	if wrong == nil && v.Tree.Check() == nil {
		if v.Estimate, err = segment.Estimate(ctx, p.DB, v.Tree); err != nil {
			return nil, err
		}
		var ids []int64
		if v.Count, ids, v.Late, err = segment.Sample(ctx, p.DB, v.Tree, 8); err != nil {
			return nil, err
		}
		if v.Sample, err = admin.SegmentSample(ctx, p.DB, ids); err != nil {
			return nil, err
		}
		v.Asked = true
	}
	a := frame(r, text.T(ctx, "Segment"), "segments")
	if wrong != nil {
		v.Take(r, wrong)
		return respond.Wrong(wrong, segmentPage(a, v)), nil
	}
	return respond.Page(segmentPage(a, v)), nil
}

// saveSegment saves a segment, or changes the form of one and shows it again with whom it would have.
func (p *Pages) saveSegment(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	if err := r.ParseForm(); err != nil {
		return nil, fault.New(fault.Invalid, "We couldn’t read this form. Please try again.")
	}
	var form fault.Form
	v := segmentView{}
	if chi.URLParam(r, "id") != "" {
		s, err := segment.ByID(r.Context(), p.DB, id(r, "id"))
		if err != nil {
			return nil, err
		}
		if s == nil {
			return nil, respond.NotFound()
		}
		v.Segment = *s
		v.Version, _ = strconv.Atoi(r.PostFormValue("version"))
	}
	v.Title, v.Living = typed(r.PostFormValue("title")), r.PostFormValue("living") != "no"
	currency, err := location.CurrencyOf(r.Context(), p.DB, "")
	if err != nil {
		return nil, err
	}
	if v.Tree.Currency == "" {
		v.Tree.Currency = currency
	}
	v.Tree.Groups = v.read(r.PostForm, &form)
	do, which, _ := strings.Cut(r.PostFormValue("do"), " ")
	n, _ := strconv.Atoi(which)
	if err := admin.Resolve(r.Context(), p.DB, &v.Tree); err != nil {
		return nil, err
	}
	switch do {
	case "add":
		if n >= 0 && n < len(v.Tree.Groups) {
			g, spent := &v.Tree.Groups[n], segment.Fields[3]
			g.Conditions = append(g.Conditions, spent.Fresh())
		}
		return p.showSegment(r, v, nil)
	case "group":
		v.Tree.Groups = append(v.Tree.Groups, segment.Group{Match: segment.Any,
			Conditions: []segment.Condition{{Field: "last", Compare: segment.AtMost, Number: 90}}})
		return p.showSegment(r, v, nil)
	case "drop":
		v.drop(n)
		return p.showSegment(r, v, nil)
	case "count": // What is still to be filled in is no mistake yet.
		if f := fault.As(form.Err()); f != nil {
			return p.showSegment(r, v, f)
		}
		return p.showSegment(r, v, nil)
	}
	err = form.Err()
	if err == nil {
		err = settings.SaveSegment(r.Context(), p.DB, at(r), &v.Segment)
	}
	if f := fault.As(err); f != nil && f.Kind != fault.NotFound {
		if f.Kind == fault.Conflict && v.ID != 0 {
			// Saved again it replaces what the other did.
			now, failed := segment.ByID(r.Context(), p.DB, v.ID)
			if failed != nil {
				return nil, failed
			}
			if now != nil {
				v.Version = now.Version
			}
		}
		return p.showSegment(r, v, f)
	}
	if err != nil {
		return nil, err
	}
	return respond.See(fmt.Sprintf("/admin/segments/%d?done=kept", v.ID)), nil
}

// read is the groups as the form has them.
func (v *segmentView) read(form url.Values, wrong *fault.Form) (groups []segment.Group) {
	at := func(name string, i int) string {
		if i < len(form[name]) {
			return typed(form[name][i])
		}
		return ""
	}
	for i := range min(len(form["match"]), segment.Most) {
		groups = append(groups, segment.Group{Match: at("match", i)})
	}
	for i := range min(len(form["field"]), segment.Most+1) {
		g, err := strconv.Atoi(at("in", i))
		if err != nil || g < 0 || g >= len(groups) {
			continue
		}
		f, ok := segment.FieldOf(at("field", i))
		if was, there := segment.FieldOf(at("was", i)); ok && there && (was.Kind != f.Kind || was.Kind == segment.Choice && was.Name != f.Name) {
			// What was typed belongs to a field of another kind.
			groups[g].Conditions = append(groups[g].Conditions, f.Fresh())
			continue
		}
		c := segment.Condition{Field: at("field", i), Compare: at("compare", i), Text: at("text", i),
			Entered: &segment.Entered{Number: at("number", i), Days: at("days", i)}}
		if ok && !slices.Contains(f.Compares(), c.Compare) {
			c.Compare = f.Compares()[0]
		}
		c.Place = -1 // It is refused as one that is not there.
		if n, err := strconv.ParseInt(cmp.Or(at("place", i), "0"), 10, 64); err == nil {
			c.Place = n
		}
		field := fmt.Sprint("c", i)
		if c.Entered.Days != "" {
			n, err := strconv.Atoi(c.Entered.Days)
			if err != nil || n < 1 {
				wrong.Add(field, "Enter a number of days from 1 to 10,000, or leave it empty.")
			}
			c.Days = max(n, 0)
		}
		if number := c.Entered.Number; number != "" && ok && f.NeedsNumber() {
			if f.Kind == segment.Money {
				amount, err := money.Parse(number, v.Tree.Currency)
				if err != nil {
					wrong.Add(field, f.Wrong())
				}
				c.Number = amount.Minor
			} else if n, err := strconv.ParseInt(number, 10, 64); err == nil {
				c.Number = n
			} else {
				wrong.Add(field, f.Wrong())
			}
		}
		groups[g].Conditions = append(groups[g].Conditions, c)
	}
	return groups
}

// drop takes out condition n, and a group that is empty then.
func (v *segmentView) drop(n int) {
	i := 0
	if n < 0 {
		return
	}
	for g := range v.Tree.Groups {
		group := &v.Tree.Groups[g]
		if n < i+len(group.Conditions) {
			group.Conditions = slices.Delete(group.Conditions, n-i, n-i+1)
			if len(group.Conditions) == 0 && len(v.Tree.Groups) > 1 {
				v.Tree.Groups = slices.Delete(v.Tree.Groups, g, g+1)
			}
			return
		}
		i += len(group.Conditions)
	}
}

func (p *Pages) archiveSegment(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	err := settings.ArchiveSegment(r.Context(), p.DB, at(r), id(r, "id"))
	if f := fault.As(err); f != nil && f.Kind != fault.NotFound {
		s, failed := segment.ByID(r.Context(), p.DB, id(r, "id"))
		if failed != nil {
			return nil, failed
		}
		if s == nil {
			return nil, respond.NotFound()
		}
		return p.showSegment(r, segmentView{Segment: *s}, f)
	}
	if err != nil {
		return nil, err
	}
	return respond.See("/admin/segments?done=kept"), nil
}

// number is what a condition's number shows.
func (v segmentView) number(c segment.Condition) string {
	if c.Entered != nil {
		return c.Entered.Number
	}
	f, _ := segment.FieldOf(c.Field)
	if f.Kind == segment.Money {
		return money.New(c.Number, v.Tree.Currency).Plain()
	}
	return strconv.FormatInt(c.Number, 10)
}

func (v segmentView) days(c segment.Condition) string {
	if c.Entered != nil {
		return c.Entered.Days
	}
	return figure(c.Days)
}

// post is where the form goes.
func (v segmentView) post() string {
	if v.ID == 0 {
		return "/admin/segments"
	}
	return fmt.Sprintf("/admin/segments/%d", v.ID)
}

// first is the number of the first condition of a group.
func (v segmentView) first(group int) (n int) {
	for _, g := range v.Tree.Groups[:group] {
		n += len(g.Conditions)
	}
	return n
}
