// Package door is where staff come in: sign-in, the store they stand in, and the first set-up of a new shop.
package door

import (
	"crypto/subtle"
	"net/http"
	"strings"

	"counterpart/internal/fault"
	"counterpart/internal/location"
	"counterpart/internal/pg"
	"counterpart/internal/session"
	"counterpart/internal/setup"
	"counterpart/internal/staff"
	"counterpart/internal/text"
	"counterpart/web/gate"
	"counterpart/web/respond"
)

// Pages of the door. SetupToken opens the set-up of a shop that has none; empty once it has.
type Pages struct {
	DB         pg.DB
	Site       *gate.Routes
	SetupToken string
}

// Routes is the door's site map.
func (p *Pages) Routes(r *gate.Routes) {
	r.Get("/staff/sign-in", gate.Anyone, p.signInPage)
	r.Post("/staff/sign-in", gate.Anyone, p.signIn)
	r.Post("/staff/sign-out", gate.Anyone, p.signOut)
	r.Get("/staff/store", gate.Staff, p.storePage)
	r.Post("/staff/store", gate.Staff, p.chooseStore)
	r.Get("/setup", gate.Anyone, p.setupPage)
	r.Post("/setup", gate.Anyone, p.setup)
}

func (p *Pages) signInPage(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return respond.Page(signInPage(signInView{Next: r.URL.Query().Get("next")})), nil
}

type signInView struct {
	Next, Email string
	Wrong       string
	Fields      map[string]text.Message
}

func (p *Pages) signIn(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	view := signInView{Next: r.PostFormValue("next"), Email: r.PostFormValue("email")}
	associate, err := staff.SignIn(r.Context(), p.DB, view.Email, r.PostFormValue("password"), gate.From(r))
	if f := fault.As(err); f != nil {
		view.Fields = f.Fields
		if !f.Message.IsZero() {
			view.Wrong = respond.Sentence(r.Context(), f)
		}
		return respond.Wrong(f, signInPage(view)), nil
	}
	if err != nil {
		return nil, err
	}
	if old := p.Site.StaffToken(r); old != "" {
		if err := session.End(r.Context(), p.DB, old); err != nil {
			return nil, err
		}
	}
	store, to := int64(0), "/counter"
	if len(associate.Locations) > 0 {
		store = associate.Locations[0]
	}
	if associate.Role == staff.RoleAdmin {
		to = "/admin"
	}
	token, err := session.Begin(r.Context(), p.DB, associate.ID, store)
	if err != nil {
		return nil, err
	}
	p.Site.SignIn(w, token)
	return respond.See(gate.SafeNext(view.Next, to)), nil
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
	return respond.Page(storePage(mine, gate.Session(r.Context()).LocationID, gate.SafeNext(r.URL.Query().Get("next"), "/counter"))), nil
}

// mine are the stores where somebody works.
func (p *Pages) mine(r *http.Request) ([]location.Location, error) {
	all, err := location.All(r.Context(), p.DB)
	if err != nil {
		return nil, err
	}
	var mine []location.Location
	for _, l := range all {
		if l.Kind == "store" && gate.Session(r.Context()).Associate.WorksAt(l.ID) {
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
			return respond.See(gate.SafeNext(r.PostFormValue("next"), "/counter")), nil
		}
	}
	return nil, respond.NotFound()
}

type setupView struct {
	setup.Request
	Fields map[string]text.Message
}

// allowed says whether this is the link that was printed at the start of a shop that is not set up.
func (p *Pages) allowed(r *http.Request) error {
	shop, err := location.TheShop(r.Context(), p.DB)
	if err != nil {
		return err
	}
	if shop != nil || p.SetupToken == "" || subtle.ConstantTimeCompare([]byte(r.FormValue("token")), []byte(p.SetupToken)) != 1 {
		return respond.NotFound()
	}
	return nil
}

func (p *Pages) setupPage(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	if err := p.allowed(r); err != nil {
		return nil, err
	}
	return respond.Page(setupPage(p.SetupToken, setupView{Request: setup.Request{Country: "GB", Languages: []string{"en"}}})), nil
}

func (p *Pages) setup(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	if err := p.allowed(r); err != nil {
		return nil, err
	}
	request := setup.Request{
		Shop: r.PostFormValue("shop"), Languages: r.PostForm["language"], Store: r.PostFormValue("store"), Street: r.PostFormValue("street"), Town: r.PostFormValue("town"),
		Postcode: r.PostFormValue("postcode"), Country: r.PostFormValue("country"), Rate: strings.TrimSpace(r.PostFormValue("rate")),
		Name: r.PostFormValue("name"), Email: r.PostFormValue("email"), Password: r.PostFormValue("password"),
	}
	err := setup.Found(r.Context(), p.DB, request)
	if f := fault.As(err); f != nil {
		return respond.Wrong(f, setupPage(p.SetupToken, setupView{request, f.Fields})), nil
	}
	if err != nil {
		return nil, err
	}
	return respond.See("/staff/sign-in?next=/admin"), nil
}
