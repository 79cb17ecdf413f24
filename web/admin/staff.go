package admin

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"counterpart/internal/domain/clientele"
	"counterpart/internal/domain/location"
	"counterpart/internal/domain/staff"
	"counterpart/internal/flow/person"
	"counterpart/internal/flow/staffadmin"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/text"
	"counterpart/internal/query/admin"
	"counterpart/web/access"
	"counterpart/web/respond"
)

// staffView is who works here, with the form of somebody new.
type staffView struct {
	Colleagues []admin.AssociateRow // who can look after their clients
	Clients    int
	Rows       []admin.AssociateRow
	Locations  []location.Location
	Form       staffadmin.Form
	Password   string // of somebody who was just added: shown once
	For        string
	respond.Mistakes
}

func (p *Pages) staff(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return p.showStaff(r, staffView{Form: staffadmin.Form{Role: staff.RoleAssociate}}, nil)
}

func (p *Pages) showStaff(r *http.Request, view staffView, wrong *fault.Fault) (respond.Answer, error) {
	var err error
	if view.Rows, err = admin.Associates(r.Context(), p.DB, 0); err != nil {
		return nil, err
	}
	if view.Locations, err = location.All(r.Context(), p.DB); err != nil {
		return nil, err
	}
	a := frame(r, text.T(r.Context(), "Staff"), "staff")
	if wrong != nil {
		view.Take(r, wrong)
		return respond.Wrong(wrong, staffPage(a, view)), nil
	}
	return respond.Page(staffPage(a, view)), nil
}

func form(r *http.Request) staffadmin.Form {
	f := staffadmin.Form{Name: typed(r.PostFormValue("name")), Email: typed(r.PostFormValue("email")),
		Role: r.PostFormValue("role"), Disabled: r.PostFormValue("disabled") == "1"}
	for _, value := range r.PostForm["location"] {
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			n = -1 // It is no place of ours, which the check says.
		}
		f.Locations = append(f.Locations, n)
	}
	return f
}

// hire adds somebody. The answer is the page itself and no redirect: the first password is shown this once.
func (p *Pages) hire(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	view := staffView{Form: form(r)}
	password, err := staffadmin.Hire(r.Context(), p.DB, view.Form, access.Session(r.Context()).Associate.ID)
	if wrong := fault.As(err); wrong != nil {
		return p.showStaff(r, view, wrong)
	}
	if err != nil {
		return nil, err
	}
	return p.showStaff(r, staffView{Password: password, For: view.Form.Name,
		Form: staffadmin.Form{Role: staff.RoleAssociate}}, nil)
}

// one is the associate of the address.
func (p *Pages) one(r *http.Request) (row admin.AssociateRow, err error) {
	rows, err := admin.Associates(r.Context(), p.DB, max(id(r, "id"), -1))
	if err != nil || len(rows) != 1 || id(r, "id") == 0 {
		return row, cmp.Or(err, respond.NotFound())
	}
	return rows[0], nil
}

func (p *Pages) associate(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return p.showAssociate(r, staffView{}, nil, false)
}

func (p *Pages) showAssociate(r *http.Request, view staffView, wrong *fault.Fault, typed bool) (respond.Answer, error) {
	row, err := p.one(r)
	if err != nil {
		return nil, err
	}
	view.Rows = []admin.AssociateRow{row}
	if !typed {
		view.Form = staffadmin.Form{Name: row.Name, Email: row.Email, Role: row.Role, Locations: row.Locations,
			Disabled: row.Disabled}
	}
	if view.Locations, err = location.All(r.Context(), p.DB); err != nil {
		return nil, err
	}
	everybody, err := admin.Associates(r.Context(), p.DB, 0)
	if err != nil {
		return nil, err
	}
	if view.Clients, err = clientele.Count(r.Context(), p.DB, row.ID); err != nil {
		return nil, err
	}
	for _, other := range everybody {
		if view.Clients > 0 && other.ID != row.ID && !other.Disabled &&
			slices.Contains([]string{staff.RoleAdmin, staff.RoleManager, staff.RoleAssociate}, other.Role) {
			view.Colleagues = append(view.Colleagues, other)
		}
	}
	a := frame(r, row.Name, "staff")
	if wrong != nil {
		view.Take(r, wrong)
		return respond.Wrong(wrong, associatePage(a, view)), nil
	}
	return respond.Page(associatePage(a, view)), nil
}

func (p *Pages) changeAssociate(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	row, err := p.one(r)
	if err != nil {
		return nil, err
	}
	before := staffadmin.Form{Role: row.Role, Locations: row.Locations, Disabled: row.Disabled}
	changed := form(r)
	err = staffadmin.Change(r.Context(), p.DB, row.ID, changed, before, access.Session(r.Context()).Associate.ID)
	if wrong := fault.As(err); wrong != nil {
		changed.Email = row.Email
		return p.showAssociate(r, staffView{Form: changed}, wrong, true)
	}
	if err != nil {
		return nil, err
	}
	return respond.See(fmt.Sprintf("/admin/staff/%d?done=kept", row.ID)), nil
}

func (p *Pages) renew(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	row, err := p.one(r)
	if err != nil {
		return nil, err
	}
	password, err := staffadmin.ResetPassword(r.Context(), p.DB, row.ID, access.Session(r.Context()).Associate.ID)
	if wrong := fault.As(err); wrong != nil {
		return p.showAssociate(r, staffView{}, wrong, false)
	}
	if err != nil {
		return nil, err
	}
	return p.showAssociate(r, staffView{Password: password, For: row.Name}, nil, false)
}

// mine are the machines that somebody may look after: a manager's own stores', all for an admin.
func (p *Pages) mine(r *http.Request) ([]admin.DeviceRow, error) {
	all, err := admin.Devices(r.Context(), p.DB)
	if err != nil {
		return nil, err
	}
	who := access.Session(r.Context()).Associate
	return slices.DeleteFunc(all, func(d admin.DeviceRow) bool { return !who.WorksAt(d.LocationID) }), nil
}

func (p *Pages) devices(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	rows, err := p.mine(r)
	if err != nil {
		return nil, err
	}
	return respond.Page(devicesPage(frame(r, text.T(r.Context(), "Devices"), "devices"), rows)), nil
}

func (p *Pages) revoke(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return p.device(r, func(d admin.DeviceRow, by int64) error {
		return staffadmin.Revoke(r.Context(), p.DB, d.ID, d.LocationID, by)
	})
}

func (p *Pages) unlock(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return p.device(r, func(d admin.DeviceRow, by int64) error {
		return staffadmin.Unlock(r.Context(), p.DB, d.ID, d.LocationID, by)
	})
}

func (p *Pages) device(r *http.Request, do func(admin.DeviceRow, int64) error) (respond.Answer, error) {
	rows, err := p.mine(r)
	if err != nil {
		return nil, err
	}
	for _, d := range rows {
		if d.ID == id(r, "id") {
			if err := do(d, access.Session(r.Context()).Associate.ID); err != nil {
				return nil, err
			}
			return respond.See("/admin/devices?done=kept"), nil
		}
	}
	return nil, respond.NotFound()
}

// trailView is the audit trail with its filter.
type trailView struct {
	Filter admin.TrailFilter
	Rows   []admin.TrailRow
	More   bool
	People []admin.AssociateRow
	Query  url.Values
}

func (v trailView) pageAt(n int) string {
	q := url.Values{}
	for name, values := range v.Query {
		q[name] = values
	}
	q.Set("page", strconv.Itoa(n))
	return "/admin/trail?" + q.Encode()
}

// last is a page that is certainly there: the trail is not counted.
func (v trailView) last() int {
	if v.More {
		return v.Filter.Page + 1
	}
	return v.Filter.Page
}

func (p *Pages) readTrail(r *http.Request, all bool) (view trailView, err error) {
	q := r.URL.Query()
	view.Query = q
	view.Filter = admin.TrailFilter{Action: typed(q.Get("action")), From: day(q.Get("from")), To: day(q.Get("to")),
		Page: page(r), All: all}
	view.Filter.By, _ = strconv.ParseInt(q.Get("by"), 10, 64)
	who := access.Session(r.Context()).Associate
	var stores []int64
	if who.Role != staff.RoleAdmin {
		stores = append([]int64{}, who.Locations...)
	}
	view.Rows, view.More, err = admin.Trail(r.Context(), p.DB, view.Filter, who.ID, stores)
	return view, err
}

// day is a date as a browser's field sends it, or "".
func day(typed string) string {
	at, err := time.Parse(time.DateOnly, typed)
	if err != nil || at.Year() < 1900 || at.Year() > 3000 {
		return ""
	}
	return typed
}

func (p *Pages) trail(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	view, err := p.readTrail(r, false)
	if err != nil {
		return nil, err
	}
	if view.People, err = admin.Associates(r.Context(), p.DB, 0); err != nil {
		return nil, err
	}
	return respond.Page(trailPage(frame(r, text.T(r.Context(), "Audit trail"), "trail"), view)), nil
}

func (p *Pages) trailCSV(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	view, err := p.readTrail(r, true)
	if err != nil {
		return nil, err
	}
	var cells [][]string
	for _, e := range view.Rows {
		cells = append(cells, []string{e.At.UTC().Format(time.RFC3339), e.By, e.Approved, e.Action, e.Subject,
			strconv.FormatInt(e.Of, 10), e.Store, e.Before, e.After, e.Reason})
	}
	return download("audit-trail", []string{"at", "by", "approved by", "action", "subject", "id", "store", "before",
		"after", "reason"}, cells), nil
}

// handOver gives somebody's clients to a colleague.
func (p *Pages) handOver(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	to, _ := strconv.ParseInt(r.PostFormValue("to"), 10, 64)
	if _, err := p.one(r); err != nil {
		return nil, err
	}
	_, err := person.HandOver(r.Context(), p.DB, at(r), id(r, "id"), to)
	if f := fault.As(err); f != nil {
		return p.showAssociate(r, staffView{}, f, false)
	}
	if err != nil {
		return nil, err
	}
	return respond.See(fmt.Sprintf("/admin/staff/%d?done=kept", id(r, "id"))), nil
}
