package staff

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"counterpart/internal/domain/location"
	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/session"
	"counterpart/internal/domain/staff"
	"counterpart/internal/flow/staffadmin"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/text"
	"counterpart/web/access"
	"counterpart/web/respond"
)

// machineView is the page on which a manager makes this browser one of a store's machines.
type machineView struct {
	respond.Mistakes
	Stores  []location.Location
	Current int64
	Name    string
	Known   *staff.Device
}

func (p *Pages) machinePage(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return p.showMachine(r, machineView{}, nil)
}

func (p *Pages) showMachine(r *http.Request, view machineView, f *fault.Fault) (respond.Answer, error) {
	var err error
	if view.Stores, err = p.mine(r); err != nil {
		return nil, err
	}
	if view.Known, err = staff.DeviceOf(r.Context(), p.DB, p.Site.MachineToken(r)); err != nil {
		return nil, err
	}
	view.Current = access.Session(r.Context()).LocationID
	if f != nil {
		view.Take(r, f)
		return respond.Wrong(f, machinePage(view)), nil
	}
	return respond.Page(machinePage(view)), nil
}

func (p *Pages) registerMachine(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	mine, err := p.mine(r)
	if err != nil {
		return nil, err
	}
	view := machineView{Name: r.PostFormValue("name")}
	at := slices.IndexFunc(mine, func(l location.Location) bool { return l.Code == r.PostFormValue("store") })
	if at < 0 {
		return p.showMachine(r, view, fault.Field("store", "Choose one of your stores."))
	}
	by := access.Session(r.Context()).Associate
	token, err := staffadmin.RegisterDevice(r.Context(), p.DB, origin.Origin{Channel: origin.Counter,
		LocationID: mine[at].ID, AssociateID: by.ID}, view.Name)
	if f := fault.As(err); f != nil {
		return p.showMachine(r, view, f)
	}
	if err != nil {
		return nil, err
	}
	p.Site.RegisterDevice(w, token)
	// Whoever registered it signs in on it once more, and is then among those who can change by PIN.
	if err := session.End(r.Context(), p.DB, p.Site.SignOut(w, r)); err != nil {
		return nil, err
	}
	return respond.See("/staff/sign-in"), nil
}

// changeView is a registered machine asking who is there.
type changeView struct {
	respond.Mistakes
	Machine  *staff.Device
	People   []staff.Associate
	Managers []staff.Associate
	Chosen   int64
	Next     string
	Reason   string
}

func (p *Pages) changePage(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return p.showChange(r, changeView{Next: r.URL.Query().Get("next")}, nil)
}

func (p *Pages) showChange(r *http.Request, view changeView, f *fault.Fault) (respond.Answer, error) {
	var err error
	if view.Machine, err = staff.DeviceOf(r.Context(), p.DB, p.Site.MachineToken(r)); err != nil {
		return nil, err
	}
	if view.Machine == nil {
		return respond.See("/staff/sign-in"), nil
	}
	if view.People, err = staff.OnDuty(r.Context(), p.DB, view.Machine.ID); err != nil {
		return nil, err
	}
	if view.Machine.Locked {
		if view.Managers, err = staff.Managers(r.Context(), p.DB, view.Machine.LocationID); err != nil {
			return nil, err
		}
	}
	if f != nil {
		view.Take(r, f)
		return respond.Wrong(f, changePage(view)), nil
	}
	return respond.Page(changePage(view)), nil
}

// change signs somebody in by PIN on a machine where they signed in fully today. The one before is signed out.
func (p *Pages) change(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	view := changeView{Chosen: number(r.PostFormValue("associate")), Next: r.PostFormValue("next")}
	machine, err := staff.DeviceOf(r.Context(), p.DB, p.Site.MachineToken(r))
	if err != nil {
		return nil, err
	}
	if machine == nil {
		return respond.See("/staff/sign-in"), nil
	}
	if machine.Locked {
		return p.showChange(r, view, nil)
	}
	people, err := staff.OnDuty(r.Context(), p.DB, machine.ID)
	if err != nil {
		return nil, err
	}
	who := slices.IndexFunc(people, func(a staff.Associate) bool { return a.ID == view.Chosen })
	if who < 0 {
		return p.showChange(r, view, fault.Field("pin", "Choose who you are."))
	}
	err = staff.CheckPIN(r.Context(), p.DB, view.Chosen, machine.ID, r.PostFormValue("pin"))
	if f := fault.As(err); f != nil {
		return p.showChange(r, view, f)
	}
	if err != nil {
		return nil, err
	}
	until, err := staff.FullUntil(r.Context(), p.DB, machine.ID, view.Chosen)
	if err != nil {
		return nil, err
	}
	return p.enter(w, r, &people[who], session.Session{Method: session.ByPIN, Enrolled: true, Until: until}, view.Next)
}

// unlockMachine is a manager's word that a machine on which PINs were guessed may be used again.
func (p *Pages) unlockMachine(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	view := changeView{Reason: text.Clean(r.PostFormValue("reason"), 200), Chosen: number(r.PostFormValue("manager"))}
	machine, err := staff.DeviceOf(r.Context(), p.DB, p.Site.MachineToken(r))
	if err != nil {
		return nil, err
	}
	if machine == nil || !machine.Locked {
		return respond.See("/staff/change"), nil
	}
	err = staffadmin.UnlockOnTheSpot(r.Context(), p.DB, origin.Origin{Channel: origin.Counter,
		LocationID: machine.LocationID, DeviceID: machine.ID}, staff.Approval{ManagerID: view.Chosen,
		PIN: r.PostFormValue("pin"), Reason: view.Reason})
	if f := fault.As(err); f != nil {
		return p.showChange(r, view, f)
	}
	if err != nil {
		return nil, err
	}
	return respond.See("/staff/change"), nil
}

func number(typed string) int64 {
	n, err := strconv.ParseInt(typed, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// lockedView is a counter that nobody touched for a while. Kept is a form that met the lock: it is sent again once the
// counter is unlocked.
type lockedView struct {
	respond.Mistakes
	Name  string
	Next  string
	PIN   bool
	Kept  url.Values
	Again bool
}

func (p *Pages) lockedPage(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return p.showLocked(r, lockedView{Next: r.URL.Query().Get("next")}, nil)
}

// lockedForm is a form that met the lock on its way: its fields are kept in the page.
func (p *Pages) lockedForm(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return p.showLocked(r, lockedView{Next: r.URL.Query().Get("next"), Kept: r.PostForm, Again: true}, nil)
}

func (p *Pages) showLocked(r *http.Request, view lockedView, f *fault.Fault) (respond.Answer, error) {
	s := access.Session(r.Context())
	if !s.Locked && f == nil && !view.Again {
		return respond.See(access.SafeNext(view.Next, home(s.Associate.Role))), nil
	}
	proofs, err := staff.ProofsOf(r.Context(), p.DB, s.Associate.ID)
	if err != nil {
		return nil, err
	}
	view.Name, view.PIN = s.Associate.Name, proofs.PIN && s.DeviceID != 0
	if f != nil {
		view.Take(r, f)
		return respond.Wrong(f, lockedPage(view)), nil
	}
	return respond.Page(lockedPage(view)), nil
}

// unlock asks who is there: by PIN on a registered machine, else by password. A form that waited is sent on by the
// browser, body and all.
func (p *Pages) unlock(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	s := access.Session(r.Context())
	view := lockedView{Next: r.PostFormValue("unlock-next"), Again: r.PostFormValue("unlock-again") == "1"}
	proofs, err := staff.ProofsOf(r.Context(), p.DB, s.Associate.ID)
	if err != nil {
		return nil, err
	}
	if proofs.PIN && s.DeviceID != 0 {
		err = staff.CheckPIN(r.Context(), p.DB, s.Associate.ID, s.DeviceID, r.PostFormValue("unlock-secret"))
	} else {
		_, err = staff.SignIn(r.Context(), p.DB, s.Associate.Email, r.PostFormValue("unlock-secret"), p.from(r, true))
	}
	if f := fault.As(err); f != nil {
		view.Kept = url.Values{}
		for name, values := range r.PostForm {
			if len(name) < 7 || name[:7] != "unlock-" {
				view.Kept[name] = values
			}
		}
		return p.showLocked(r, view, f)
	}
	if err != nil {
		return nil, err
	}
	if err := session.UnlockScreen(r.Context(), p.DB, p.Site.StaffToken(r)); err != nil {
		return nil, err
	}
	if r.Header.Get("X-In-Place") != "" {
		return respond.Nothing, nil
	}
	to := access.SafeNext(view.Next, home(s.Associate.Role))
	if view.Again {
		return func(w http.ResponseWriter, r *http.Request) error {
			http.Redirect(w, r, to, http.StatusTemporaryRedirect)
			return nil
		}, nil
	}
	return respond.See(to), nil
}

// lock is leaving the counter for a moment.
func (p *Pages) lock(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	if err := session.LockScreen(r.Context(), p.DB, p.Site.StaffToken(r)); err != nil {
		return nil, err
	}
	if r.Header.Get("X-In-Place") != "" {
		return respond.Nothing, nil
	}
	machine, err := staff.DeviceOf(r.Context(), p.DB, p.Site.MachineToken(r))
	if err != nil {
		return nil, err
	}
	if machine != nil {
		return respond.See("/staff/change"), nil
	}
	return respond.See("/staff/locked"), nil
}
