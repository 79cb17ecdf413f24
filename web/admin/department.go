package admin

import (
	"context"
	"net/http"
	"slices"
	"strconv"

	"counterpart/internal/domain/catalog"
	"counterpart/internal/domain/location"
	"counterpart/internal/flow/assortment"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/text"
	"counterpart/web/respond"
	"counterpart/web/ui"
)

// departmentsView is the tree of departments and what can be said of products, with what was typed.
type departmentsView struct {
	editing
	All        []catalog.Department
	Attributes []catalog.Attribute
	Languages  []string
	Edited     *catalog.Department // the one that is looked at; nil: a new one
	Attribute  *catalog.Attribute
}

func (p *Pages) departments(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return p.showDepartments(r, departmentsView{}, nil)
}

func (p *Pages) showDepartments(r *http.Request, v departmentsView, wrong *fault.Fault) (respond.Answer, error) {
	if err := pg.Ask(r.Context(), p.DB, catalog.Departments(&v.All), catalog.Attributes(&v.Attributes),
		location.Languages(&v.Languages)); err != nil {
		return nil, err
	}
	number := func(name string) int64 {
		n, _ := strconv.ParseInt(r.FormValue(name), 10, 64)
		return n
	}
	edited := catalog.Department{InMenu: true}
	if i := slices.IndexFunc(v.All, func(d catalog.Department) bool { return d.ID == number("department") }); i >= 0 {
		v.Edited, edited = &v.All[i], v.All[i]
	}
	if i := slices.IndexFunc(v.Attributes, func(a catalog.Attribute) bool { return a.ID == number("attribute") }); i >= 0 {
		v.Attribute = &v.Attributes[i]
	}
	v.now = edited.Fields(v.Languages)
	a := frame(r, text.T(r.Context(), "Departments"), "products")
	if wrong != nil {
		if v.Form == "" {
			v.Take(r, wrong)
		}
		return respond.Wrong(wrong, departmentsPage(a, v)), nil
	}
	return respond.Page(departmentsPage(a, v)), nil
}

func (p *Pages) saveDepartment(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	var languages []string
	if err := pg.Ask(r.Context(), p.DB, location.Languages(&languages)); err != nil {
		return nil, err
	}
	names := []string{"slug", "parent", "in_menu"}
	for _, language := range languages {
		names = append(names, "name_"+language)
	}
	edit := sentEdit(r, names...)
	department, _ := strconv.ParseInt(r.PostFormValue("department"), 10, 64)
	_, err := assortment.SaveDepartment(r.Context(), p.DB, at(r), department, languages, edit)
	if f := fault.As(err); f != nil && f.Kind != fault.NotFound {
		var v departmentsView
		v.refused(r, "department", edit, f)
		return p.showDepartments(r, v, f)
	}
	if err != nil {
		return nil, err
	}
	return respond.See("/admin/departments?done=kept"), nil
}

// moveDepartment puts a department elsewhere: under another, before another, or one step along.
func (p *Pages) moveDepartment(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	var all []catalog.Department
	if err := pg.Ask(r.Context(), p.DB, catalog.Departments(&all)); err != nil {
		return nil, err
	}
	i := slices.IndexFunc(all, func(d catalog.Department) bool { return d.ID == id(r, "id") })
	if i < 0 {
		return nil, respond.NotFound()
	}
	parent, before, ok := target(all, all[i], r.PostFormValue("to"))
	if !ok {
		parent, _ = strconv.ParseInt(r.PostFormValue("parent"), 10, 64)
		before, _ = strconv.ParseInt(r.PostFormValue("before"), 10, 64)
	}
	return p.afterDepartment(r, assortment.MoveDepartment(r.Context(), p.DB, at(r), all[i].ID, parent, before))
}

// target is where a step takes a department: up or down among its own, in below the one before it, or out of its branch.
func target(all []catalog.Department, d catalog.Department, step string) (parent, before int64, ok bool) {
	var own []catalog.Department
	for _, other := range all {
		if other.ParentID == d.ParentID {
			own = append(own, other)
		}
	}
	i := slices.IndexFunc(own, func(other catalog.Department) bool { return other.ID == d.ID })
	at := func(n int) int64 {
		if n >= 0 && n < len(own) {
			return own[n].ID
		}
		return 0
	}
	switch {
	case step == "up" && i > 0:
		return d.ParentID, at(i - 1), true
	case step == "down" && i < len(own)-1:
		return d.ParentID, at(i + 2), true
	case step == "in" && i > 0:
		return own[i-1].ID, 0, true
	case step == "out" && d.ParentID != 0:
		above := all[slices.IndexFunc(all, func(other catalog.Department) bool { return other.ID == d.ParentID })]
		next := int64(0)
		for k, other := range all {
			if other.ParentID == above.ParentID && k > slices.Index(idsOf(all), above.ID) {
				next = other.ID
				break
			}
		}
		return above.ParentID, next, true
	case step == "up" || step == "down" || step == "in" || step == "out":
		return d.ParentID, at(i + 1), true // It is at the edge already.
	}
	return 0, 0, false
}

func idsOf(all []catalog.Department) (ids []int64) {
	for _, d := range all {
		ids = append(ids, d.ID)
	}
	return ids
}

func (p *Pages) removeDepartment(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return p.afterDepartment(r, assortment.RemoveDepartment(r.Context(), p.DB, at(r), id(r, "id")))
}

func (p *Pages) afterDepartment(r *http.Request, err error) (respond.Answer, error) {
	if f := fault.As(err); f != nil && f.Kind != fault.NotFound {
		return p.showDepartments(r, departmentsView{}, f)
	}
	if err != nil {
		return nil, err
	}
	return respond.See("/admin/departments?done=kept"), nil
}

func (p *Pages) saveAttribute(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	a := catalog.Attribute{Name: r.PostFormValue("attribute_name"), Kind: r.PostFormValue("attribute_kind"),
		Unit: r.PostFormValue("attribute_unit"), Facet: r.PostFormValue("attribute_facet") == "1"}
	a.ID, _ = strconv.ParseInt(r.PostFormValue("attribute"), 10, 64)
	err := assortment.SaveAttribute(r.Context(), p.DB, at(r), &a)
	if f := fault.As(err); f != nil && f.Kind != fault.NotFound {
		var v departmentsView
		v.refused(r, "attribute", sentEdit(r, "attribute_name", "attribute_kind", "attribute_unit"), f)
		return p.showDepartments(r, v, f)
	}
	if err != nil {
		return nil, err
	}
	return respond.See("/admin/departments?done=kept#attributes"), nil
}

func attributeKind(ctx context.Context, kind string) string {
	switch kind {
	case "number":
		return text.T(ctx, "Number")
	case "yes_no":
		return text.T(ctx, "Yes or no")
	}
	return text.T(ctx, "Words")
}

// attributeValue is what a field of the attribute's form shows.
func (v departmentsView) attributeValue(name string) string {
	if v.Form == "attribute" {
		return v.sent.Mine["attribute_"+name]
	}
	if v.Attribute == nil {
		return map[string]string{"kind": "text"}[name]
	}
	return map[string]string{"name": v.Attribute.Name, "kind": v.Attribute.Kind, "unit": v.Attribute.Unit}[name]
}

// parentOptions are where a department can be.
func (v departmentsView) parentOptions(ctx context.Context) []ui.Option {
	return departmentOptions(v.All, text.T(ctx, "at the top"))
}
