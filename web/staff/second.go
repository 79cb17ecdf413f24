package staff

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

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

// enrolView is the page of somebody's second factors; with a secret, the one of an authenticator that is being set up.
type enrolView struct {
	respond.Mistakes
	Proofs             staff.Proofs
	Keys               []staff.KeptPasskey
	Must, CanPasskey   bool
	Challenge          string
	Secret, SecretLink string
	Done, Home         string
}

func (p *Pages) secondPage(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	view := enrolView{}
	if r.URL.Query().Get("done") != "" {
		view.Done = text.T(r.Context(), "Set up. You’ll need it every time you sign in.")
		view.Home = home(access.Session(r.Context()).Associate.Role)
	}
	return p.showEnrol(r, view, nil)
}

func (p *Pages) showEnrol(r *http.Request, view enrolView, f *fault.Fault) (respond.Answer, error) {
	s := access.Session(r.Context())
	var err error
	if view.Proofs, err = staff.ProofsOf(r.Context(), p.DB, s.Associate.ID); err != nil {
		return nil, err
	}
	if view.Keys, err = staff.Passkeys(r.Context(), p.DB, s.Associate.ID); err != nil {
		return nil, err
	}
	view.Must, view.CanPasskey = !s.Enrolled, p.Passkeys != nil
	if f != nil {
		view.Take(r, f)
		return respond.Wrong(f, enrolPage(view)), nil
	}
	return respond.Page(enrolPage(view)), nil
}

// fresh says whether somebody may change how they sign in: with the first factor only where there is no second yet, and
// never by a PIN.
func fresh(s *session.Session, proofs staff.Proofs) error {
	if s.Locked || s.Method == session.ByPIN || proofs.Second() && s.Method != session.ByCode &&
		s.Method != session.ByPasskey {
		return fault.New(fault.Denied, "Sign in again with your password and second factor first.")
	}
	return nil
}

type pendingTOTP struct {
	Key []byte `json:"key"`
}

// beginTOTP shows a new secret to scan. It is kept once a first code proves that it was.
func (p *Pages) beginTOTP(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	s := access.Session(r.Context())
	if err := p.mayEnrol(r); err != nil {
		return nil, err
	}
	data, err := json.Marshal(pendingTOTP{staff.NewTOTPSecret()})
	if err != nil {
		return nil, err
	}
	challenge, err := session.Challenging(r.Context(), p.DB,
		session.Challenge{Purpose: session.StaffEnrol, AssociateID: s.Associate.ID, Data: data})
	if err != nil {
		return nil, err
	}
	return p.showTOTP(r, challenge, nil)
}

func (p *Pages) mayEnrol(r *http.Request) error {
	s := access.Session(r.Context())
	proofs, err := staff.ProofsOf(r.Context(), p.DB, s.Associate.ID)
	if err != nil {
		return err
	}
	return fresh(s, proofs)
}

func (p *Pages) showTOTP(r *http.Request, challenge string, f *fault.Fault) (respond.Answer, error) {
	pending, err := p.pending(r, challenge)
	if err != nil {
		return nil, err
	}
	shop, err := location.ShopOf(r.Context(), p.DB)
	if err != nil || shop == nil {
		return nil, cmp.Or(err, respond.NotFound())
	}
	view := enrolView{Challenge: challenge, Secret: staff.TOTPText(pending.Key),
		SecretLink: staff.TOTPLink(shop.Name, access.Session(r.Context()).Associate.Email, pending.Key)}
	return p.showEnrol(r, view, f)
}

func (p *Pages) pending(r *http.Request, challenge string) (pending pendingTOTP, err error) {
	c, err := session.ReadChallenge(r.Context(), p.DB, session.StaffEnrol, challenge)
	if err != nil {
		return pending, err
	}
	if c.AssociateID != access.Session(r.Context()).Associate.ID {
		return pending, respond.NotFound()
	}
	return pending, json.Unmarshal(c.Data, &pending)
}

func (p *Pages) keepTOTP(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	challenge, who := r.PostFormValue("challenge"), access.Session(r.Context()).Associate
	if err := p.mayEnrol(r); err != nil {
		return nil, err
	}
	pending, err := p.pending(r, challenge)
	if err != nil {
		return nil, err
	}
	err = p.enrolled(r, "totp", func(ctx context.Context, tx pgx.Tx) error {
		return staff.EnrolTOTP(ctx, tx, who.ID, pending.Key, r.PostFormValue("code"), time.Now())
	})
	if f := fault.As(err); f != nil {
		return p.showTOTP(r, challenge, f)
	}
	if err != nil {
		return nil, err
	}
	if _, err := session.Answered(r.Context(), p.DB, session.StaffEnrol, challenge); err != nil {
		return nil, err
	}
	return p.enterEnrolled(w, r, session.ByCode)
}

// enrolled writes a second factor of whoever is signed in.
func (p *Pages) enrolled(r *http.Request, what string, write func(context.Context, pgx.Tx) error) error {
	return staffadmin.EnrolFactor(r.Context(), p.DB, here(r), what, write)
}

// here is the origin of what staff do about their own sign-in.
func here(r *http.Request) origin.Origin { return access.Origin(r.Context()) }

// enterEnrolled begins a new session that is worth more than the one that set the factor up.
func (p *Pages) enterEnrolled(w http.ResponseWriter, r *http.Request, method string) (respond.Answer, error) {
	return p.enterAs(w, r, access.Session(r.Context()).Associate.ID, method, "/staff/second?done=1")
}

// beginPasskey answers with what the browser needs to make a passkey.
func (p *Pages) beginPasskey(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	s := access.Session(r.Context())
	if p.Passkeys == nil {
		return nil, respond.NotFound()
	}
	if err := p.mayEnrol(r); err != nil {
		return nil, err
	}
	owner, err := p.owner(r, &s.Associate)
	if err != nil {
		return nil, err
	}
	options, kept, err := p.Passkeys.Enrol(*owner, true)
	if err != nil {
		return nil, err
	}
	challenge, err := session.Challenging(r.Context(), p.DB,
		session.Challenge{Purpose: session.StaffEnrol, AssociateID: s.Associate.ID, Data: kept})
	if err != nil {
		return nil, err
	}
	return respond.JSON(map[string]any{"options": options, "challenge": challenge}), nil
}

func (p *Pages) keepPasskey(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	s := access.Session(r.Context())
	if p.Passkeys == nil {
		return nil, respond.NotFound()
	}
	if err := p.mayEnrol(r); err != nil {
		return nil, err
	}
	c, err := session.Answered(r.Context(), p.DB, session.StaffEnrol, r.PostFormValue("challenge"))
	if err != nil {
		return p.refusedPasskey(r, err)
	}
	owner, err := p.owner(r, &s.Associate)
	if err != nil {
		return nil, err
	}
	if c.AssociateID != s.Associate.ID {
		return nil, respond.NotFound()
	}
	id, credential, err := p.Passkeys.Enrolled(*owner, c.Data, r.PostFormValue("answer"))
	if err != nil {
		return p.refusedPasskey(r, err)
	}
	name := text.Clean(r.PostFormValue("name"), 60)
	if name == "" {
		name = text.T(r.Context(), "Passkey")
	}
	err = p.enrolled(r, "passkey", func(ctx context.Context, tx pgx.Tx) error {
		return staff.AddPasskey(ctx, tx, s.Associate.ID, id, name, credential)
	})
	if err != nil {
		return p.refusedPasskey(r, err)
	}
	return p.enterEnrolled(w, r, session.ByPasskey)
}

func (p *Pages) refusedPasskey(r *http.Request, err error) (respond.Answer, error) {
	f := fault.As(err)
	if f == nil {
		return nil, err
	}
	return p.showEnrol(r, enrolView{}, f)
}

type pinView struct {
	respond.Mistakes
	Has  bool
	Done string
}

func (p *Pages) pinPage(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return p.showPIN(r, pinView{Done: r.URL.Query().Get("done")}, nil)
}

func (p *Pages) showPIN(r *http.Request, view pinView, f *fault.Fault) (respond.Answer, error) {
	proofs, err := staff.ProofsOf(r.Context(), p.DB, access.Session(r.Context()).Associate.ID)
	if err != nil {
		return nil, err
	}
	view.Has = proofs.PIN
	if f != nil {
		view.Take(r, f)
		return respond.Wrong(f, pinPage(view)), nil
	}
	return respond.Page(pinPage(view)), nil
}

// setPIN keeps somebody's own PIN, after their password: a session that was left open is not enough.
func (p *Pages) setPIN(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	who := access.Session(r.Context()).Associate
	_, err := staff.SignIn(r.Context(), p.DB, who.Email, r.PostFormValue("password"), p.from(r, true))
	if err == nil {
		err = staffadmin.SetPIN(r.Context(), p.DB, here(r), r.PostFormValue("pin"))
	}
	if f := fault.As(err); f != nil {
		return p.showPIN(r, pinView{}, f)
	}
	if err != nil {
		return nil, err
	}
	return respond.See("/staff/pin?done=1"), nil
}

// setLanguage keeps the language that somebody reads the counter and the admin in, whichever till they stand at.
func (p *Pages) setLanguage(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	language := r.PostFormValue("language")
	if !slices.Contains(text.Offered(r.Context()), language) {
		return p.showPIN(r, pinView{}, fault.Field("language", "Choose from the list."))
	}
	if err := staffadmin.SetLanguage(r.Context(), p.DB, here(r), language); err != nil {
		return nil, err
	}
	return respond.See("/staff/pin?done=language"), nil
}

// setPassword replaces somebody's own password, after the one they have. Every session of theirs ends.
func (p *Pages) setPassword(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	who := access.Session(r.Context()).Associate
	_, err := staff.SignIn(r.Context(), p.DB, who.Email, r.PostFormValue("current"), p.from(r, true))
	if f := fault.As(err); f != nil && !f.Fields["password"].IsZero() {
		err = fault.Field("current", "That password is incorrect.")
	}
	if err == nil {
		err = staffadmin.SetPassword(r.Context(), p.DB, here(r), r.PostFormValue("password"))
	}
	if f := fault.As(err); f != nil {
		if message, ok := f.Fields["password"]; ok {
			f.Fields["new-password"] = message
			delete(f.Fields, "password")
		}
		return p.showPIN(r, pinView{}, f)
	}
	if err != nil {
		return nil, err
	}
	return respond.See("/staff/sign-in"), nil
}
