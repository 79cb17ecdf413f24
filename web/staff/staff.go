// Package staff is where staff come in: sign-in and its second step, changing by PIN, the lock of a counter that nobody
// touched, the store they stand in, and the first set-up of a new shop.
package staff

import (
	"cmp"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"counterpart/internal/domain/location"
	"counterpart/internal/domain/session"
	"counterpart/internal/domain/staff"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/passkey"
	"counterpart/internal/platform/pg"
	"counterpart/web/access"
	"counterpart/web/respond"
)

// Pages of staff. SetupToken opens the set-up of a shop that has none; empty once it has. Passkeys and SignOn are
// nil where there are none.
type Pages struct {
	DB         pg.DB
	Site       *access.Routes
	Passkeys   *passkey.Site
	SignOn     *SignOn
	SetupToken string
}

// Routes is their site map.
func (p *Pages) Routes(r *access.Routes) {
	r.Get("/staff/sign-in", access.Anyone, p.signInPage)
	r.Post("/staff/sign-in", access.Anyone, p.signIn)
	r.Post("/staff/sign-in/code", access.Anyone, p.secondCode)
	r.Post("/staff/sign-in/passkey", access.Anyone, p.secondPasskey)
	r.Post("/staff/sign-out", access.Anyone, p.signOut)
	r.Get("/staff/change", access.Anyone, p.changePage)
	r.Post("/staff/change", access.Anyone, p.change)
	r.Post("/staff/change/unlock", access.Anyone, p.unlockMachine)
	r.Get("/staff/locked", access.Enrolling, p.lockedPage)
	r.Post("/staff/locked", access.Enrolling, p.lockedForm)
	r.Post("/staff/unlock", access.Enrolling, p.unlock)
	r.Post("/staff/lock", access.Staff, p.lock)
	r.Get("/staff/second", access.Enrolling, p.secondPage)
	r.Post("/staff/second/begin", access.Enrolling, p.beginTOTP)
	r.Post("/staff/second/code", access.Enrolling, p.keepTOTP)
	r.Post("/staff/second/passkey", access.Enrolling, p.beginPasskey)
	r.Post("/staff/second/passkey/keep", access.Enrolling, p.keepPasskey)
	r.Get("/staff/pin", access.Staff, p.pinPage)
	r.Post("/staff/pin", access.Staff, p.setPIN)
	r.Post("/staff/password", access.Staff, p.setPassword)
	r.Post("/staff/language", access.Staff, p.setLanguage)
	r.Get("/staff/machine", access.Manage, p.machinePage)
	r.Post("/staff/machine", access.ManageFully, p.registerMachine)
	r.Get("/staff/store", access.Staff, p.storePage)
	r.Post("/staff/store", access.Staff, p.chooseStore)
	r.Get("/setup", access.Anyone, p.setupPage)
	r.Post("/setup", access.Anyone, p.setup)
	if p.SignOn != nil {
		r.Get("/staff/sign-on", access.Anyone, p.signOn)
		r.Get("/staff/sign-on/back", access.Anyone, p.signedOn)
	}
}

type signInView struct {
	respond.Mistakes
	Next, Email     string
	SignOn, Machine bool
}

func (p *Pages) signInPage(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	machine, err := staff.DeviceOf(r.Context(), p.DB, p.Site.MachineToken(r))
	if err != nil {
		return nil, err
	}
	return respond.Page(signInPage(signInView{Next: r.URL.Query().Get("next"), SignOn: p.SignOn != nil,
		Machine: machine != nil})), nil
}

// secondView asks for the second factor. Challenge is the secret of the password having been right.
type secondView struct {
	respond.Mistakes
	Challenge, Next string
	TOTP            bool
	Options         string // for the authenticator, as JSON; empty where there is none
}

// half is what is kept between the password and the second factor.
type half struct {
	Passkey json.RawMessage `json:"passkey,omitempty"`
}

func (p *Pages) from(r *http.Request, session bool) staff.From {
	return staff.From{Network: access.From(r), Machine: p.Site.MachineToken(r), Session: session}
}

func (p *Pages) signIn(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	view := signInView{Next: r.PostFormValue("next"), Email: r.PostFormValue("email"), SignOn: p.SignOn != nil}
	who, err := staff.SignIn(r.Context(), p.DB, view.Email, r.PostFormValue("password"), p.from(r, false))
	if f := fault.As(err); f != nil {
		view.Take(r, f)
		return respond.Wrong(f, signInPage(view)), nil
	}
	if err != nil {
		return nil, err
	}
	proofs, err := staff.ProofsOf(r.Context(), p.DB, who.ID)
	if err != nil {
		return nil, err
	}
	if !proofs.Second() {
		shop, err := location.ShopOf(r.Context(), p.DB)
		if err != nil {
			return nil, err
		}
		return p.enter(w, r, who, session.Session{Method: session.ByPassword, Enrolled: shop == nil ||
			!shop.SecondFactor}, view.Next)
	}
	second, err := p.askSecond(r, who, proofs, view.Next)
	if err != nil {
		return nil, err
	}
	return respond.Page(secondPage(second)), nil
}

func (p *Pages) askSecond(r *http.Request, who *staff.Associate, proofs staff.Proofs, next string) (secondView, error) {
	view := secondView{Next: next, TOTP: proofs.TOTP}
	var kept half
	if proofs.Passkeys > 0 && p.Passkeys != nil {
		owner, err := p.owner(r, who)
		if err != nil {
			return view, err
		}
		options, challenge, err := p.Passkeys.Ask(owner, true)
		if err != nil {
			return view, err
		}
		view.Options, kept.Passkey = string(options), challenge
	}
	data, err := json.Marshal(kept)
	if err != nil {
		return view, err
	}
	view.Challenge, err = session.Challenging(r.Context(), p.DB,
		session.Challenge{Purpose: session.StaffSecond, AssociateID: who.ID, Data: data})
	return view, err
}

func (p *Pages) owner(r *http.Request, who *staff.Associate) (*passkey.Owner, error) {
	keys, err := staff.Passkeys(r.Context(), p.DB, who.ID)
	if err != nil {
		return nil, err
	}
	owner := &passkey.Owner{Handle: []byte("staff" + strconv.FormatInt(who.ID, 10)), Name: who.Email}
	for _, k := range keys {
		owner.Known = append(owner.Known, k.Credential)
	}
	return owner, nil
}

// secondCode takes the code of an authenticator. The challenge outlives a wrong one, whose tries are counted.
func (p *Pages) secondCode(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	view := secondView{Challenge: r.PostFormValue("challenge"), Next: r.PostFormValue("next"), TOTP: true}
	c, err := session.ReadChallenge(r.Context(), p.DB, session.StaffSecond, view.Challenge)
	if err == nil {
		err = staff.CheckTOTP(r.Context(), p.DB, c.AssociateID, r.PostFormValue("code"), time.Now())
	}
	if err == nil {
		_, err = session.Answered(r.Context(), p.DB, session.StaffSecond, view.Challenge)
	}
	if f := fault.As(err); f != nil {
		view.Take(r, f)
		return respond.Wrong(f, secondPage(view)), nil
	}
	if err != nil {
		return nil, err
	}
	return p.enterAs(w, r, c.AssociateID, session.ByCode, view.Next)
}

func (p *Pages) secondPasskey(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	next := r.PostFormValue("next")
	c, err := session.Answered(r.Context(), p.DB, session.StaffSecond, r.PostFormValue("challenge"))
	if err != nil {
		return p.again(r, err, next)
	}
	who, err := staff.ByID(r.Context(), p.DB, c.AssociateID)
	if err != nil || who == nil || p.Passkeys == nil {
		return nil, cmp.Or(err, respond.NotFound())
	}
	var kept half
	if err := json.Unmarshal(c.Data, &kept); err != nil {
		return nil, err
	}
	if kept.Passkey == nil {
		return nil, respond.NotFound()
	}
	id, credential, err := p.Passkeys.Proven(kept.Passkey, r.PostFormValue("answer"),
		func([]byte) (*passkey.Owner, error) { return p.owner(r, who) })
	if err != nil {
		return p.again(r, err, next)
	}
	if err := staff.UsedPasskey(r.Context(), p.DB, id, credential); err != nil {
		return nil, err
	}
	return p.enterAs(w, r, who.ID, session.ByPasskey, next)
}

// again is the first page of the sign-in with what went wrong on the second.
func (p *Pages) again(r *http.Request, err error, next string) (respond.Answer, error) {
	f := fault.As(err)
	if f == nil {
		return nil, err
	}
	view := signInView{Next: next, SignOn: p.SignOn != nil}
	view.Wrong = respond.Sentence(r.Context(), f)
	return respond.Wrong(f, signInPage(view)), nil
}

func (p *Pages) enterAs(w http.ResponseWriter, r *http.Request, associateID int64, method, next string) (respond.Answer,
	error) {
	who, err := staff.ByID(r.Context(), p.DB, associateID)
	if err != nil || who == nil {
		return nil, cmp.Or(err, respond.NotFound())
	}
	return p.enter(w, r, who, session.Session{Method: method, Enrolled: true}, next)
}

// enter begins a session, always a new one, on the machine and at the store where the browser stands.
func (p *Pages) enter(w http.ResponseWriter, r *http.Request, who *staff.Associate, s session.Session,
	next string) (respond.Answer, error) {
	machine, err := staff.DeviceOf(r.Context(), p.DB, p.Site.MachineToken(r))
	if err != nil {
		return nil, err
	}
	if old := p.Site.StaffToken(r); old != "" {
		if err := session.End(r.Context(), p.DB, old); err != nil {
			return nil, err
		}
	}
	s.Associate = *who
	if len(who.Locations) > 0 {
		s.LocationID = who.Locations[0]
	}
	if machine != nil && who.WorksAt(machine.LocationID) {
		s.DeviceID, s.LocationID = machine.ID, machine.LocationID
		if s.Method != session.ByPIN && s.Enrolled {
			if err := staff.FullSignIn(r.Context(), p.DB, machine.ID, who.ID); err != nil {
				return nil, err
			}
		}
	}
	if s.Method != session.ByPIN {
		if err := staff.ForgivePIN(r.Context(), p.DB, who.ID, s.DeviceID); err != nil {
			return nil, err
		}
	}
	token, err := session.Begin(r.Context(), p.DB, s)
	if err != nil {
		return nil, err
	}
	p.Site.SignIn(w, token)
	if !s.Enrolled {
		return respond.See("/staff/second"), nil
	}
	return respond.See(access.SafeNext(next, home(who.Role))), nil
}

// home is where somebody's work begins.
func home(role string) string {
	switch role {
	case staff.RoleAdmin, staff.RoleStock, staff.RoleMarketing:
		return "/admin"
	}
	return "/counter"
}

func (p *Pages) signOut(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	if err := session.End(r.Context(), p.DB, p.Site.SignOut(w, r)); err != nil {
		return nil, err
	}
	return respond.See("/staff/sign-in"), nil
}

func (p *Pages) storePage(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	mine, err := p.mine(r)
	if err != nil {
		return nil, err
	}
	return respond.Page(storePage(mine, access.Session(r.Context()).LocationID,
		access.SafeNext(r.URL.Query().Get("next"), "/counter"))), nil
}

// mine are the places where somebody works: stores, and warehouses that send.
func (p *Pages) mine(r *http.Request) ([]location.Location, error) {
	all, err := location.All(r.Context(), p.DB)
	if err != nil {
		return nil, err
	}
	var mine []location.Location
	for _, l := range all {
		if (l.Kind == "store" || l.Ship) && access.Session(r.Context()).Associate.WorksAt(l.ID) {
			mine = append(mine, l)
		}
	}
	return mine, nil
}

func (p *Pages) chooseStore(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	mine, err := p.mine(r)
	if err != nil {
		return nil, err
	}
	for _, l := range mine {
		if l.Code == r.PostFormValue("store") {
			if err := session.MoveTo(r.Context(), p.DB, p.Site.StaffToken(r), l.ID); err != nil {
				return nil, err
			}
			return respond.See(access.SafeNext(r.PostFormValue("next"), "/counter")), nil
		}
	}
	return nil, respond.NotFound()
}
