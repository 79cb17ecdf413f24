package shop

import (
	"io"
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5"

	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/location"
	"counterpart/internal/domain/staff"
	"counterpart/internal/flow/account"
	"counterpart/internal/flow/person"
	"counterpart/internal/flow/privacy"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/text"
	"counterpart/internal/query/profile"
	"counterpart/internal/query/shop"
	"counterpart/web/access"
	"counterpart/web/respond"
)

// accountView is a page of the account with what was typed and what was done.
type accountView struct {
	*shop.Account
	Corner   string // which of them, for the list at the side
	Stores   []location.Location
	Typed    map[string]string
	Address  customer.Address // that is being written
	Code     int64            // the question of a code that was texted
	Passkeys bool
	Texts    bool // text messages can be sent
	Done     string
	respond.Mistakes
}

// typedOr is what was typed into a field of a form that came back, or what it holds.
func (v *accountView) typedOr(name, otherwise string) string {
	if typed, ok := v.Typed[name]; ok {
		return typed
	}
	return otherwise
}

// done are the sentences that a page says after something was done on it.
func (p *Pages) done(r *http.Request) string {
	switch r.URL.Query().Get("done") {
	case "details":
		return text.T(r.Context(), "Saved.")
	case "elsewhere":
		return text.T(r.Context(),
			"Your account is ready. You started in another browser, so please enter your name and password again here.")
	case "password":
		return text.T(r.Context(), "Your password has been changed, and all other devices signed out.")
	case "email":
		return text.T(r.Context(), "We’ve emailed both addresses. Open both links to confirm the change.")
	case "phone":
		return text.T(r.Context(), "Your number is confirmed.")
	case "passkey":
		return text.T(r.Context(), "Passkey added. Use it next time you sign in.")
	case "removed":
		return text.T(r.Context(), "Removed.")
	case "everywhere":
		return text.T(r.Context(), "All other devices have been signed out.")
	case "address":
		return text.T(r.Context(), "Address saved.")
	case "consent":
		return text.T(r.Context(), "Saved. You can change your mind here at any time.")
	case "export":
		return text.T(r.Context(), "We’re preparing your data and will email you a link in a minute or two.")
	}
	return ""
}

func (p *Pages) read(r *http.Request, corner shop.AccountCorner) (*accountView, error) {
	a, err := shop.AccountPage(r.Context(), p.DB, p.Site.Visitor(r), access.Person(r.Context()), corner)
	if err != nil {
		return nil, err
	}
	return &accountView{Account: a, Done: p.done(r), Passkeys: p.Passkeys != nil, Texts: p.Texts}, nil
}

func (p *Pages) account(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	view, err := p.read(r, shop.Overview)
	if err != nil {
		return nil, err
	}
	view.Corner = "/account"
	return respond.Page(accountPage(frame(r.Context(), &view.Visit, text.T(r.Context(), "Your account")), view)), nil
}

func (p *Pages) details(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return p.showDetails(r, nil, nil, 0)
}

func (p *Pages) showDetails(r *http.Request, typed map[string]string, f *fault.Fault, code int64) (respond.Answer,
	error) {
	view, err := p.read(r, shop.Details)
	if err != nil {
		return nil, err
	}
	if view.Stores, err = location.All(r.Context(), p.DB); err != nil {
		return nil, err
	}
	view.Corner, view.Typed, view.Code = "/account/details", typed, code
	s := frame(r.Context(), &view.Visit, text.T(r.Context(), "Your details"))
	if f != nil {
		view.Take(r, f)
		view.Done = ""
		return respond.Wrong(f, detailsPage(s, view)), nil
	}
	return respond.Page(detailsPage(s, view)), nil
}

// after sends the browser back to a page of the account, or shows the details again with what was wrong.
func (p *Pages) after(r *http.Request, err error, done string, names ...string) (respond.Answer, error) {
	if f := fault.As(err); f != nil {
		typed := map[string]string{}
		for _, name := range names {
			typed[name] = text.Clean(r.PostFormValue(name), 300)
		}
		return p.showDetails(r, typed, f, 0)
	}
	if err != nil {
		return nil, err
	}
	return respond.See("/account/details?done=" + done), nil
}

func (p *Pages) saveDetails(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	store := number(r.PostFormValue("store"))
	err := person.SaveDetails(r.Context(), p.DB, access.Person(r.Context()),
		person.DetailsForm{Name: r.PostFormValue("name"), Store: store, Language: r.PostFormValue("language")})
	return p.after(r, err, "details", "name")
}

func (p *Pages) saveSize(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	err := person.Prefer(r.Context(), p.DB, here(r), access.Person(r.Context()), r.PostFormValue("size-name"),
		r.PostFormValue("size-value"))
	return p.after(r, err, "details", "size-name", "size-value")
}

// proof is who is signed in saying it once more.
func (p *Pages) proof(r *http.Request) (account.Proof, error) {
	me, err := profile.Load(r.Context(), p.DB, access.Person(r.Context()))
	if err != nil {
		return account.Proof{}, err
	}
	return account.Proof{Person: me.ID, Email: me.Proven(customer.Email), Password: r.PostFormValue("current"),
		Session: p.Site.ShopperToken(r)}, nil
}

func (p *Pages) changePassword(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	proof, err := p.proof(r)
	if err != nil {
		return nil, err
	}
	return p.after(r, account.ChangePassword(r.Context(), p.DB, here(r), proof, r.PostFormValue("password")),
		"password")
}

func (p *Pages) changeEmail(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	proof, err := p.proof(r)
	if err != nil {
		return nil, err
	}
	return p.after(r, account.ChangeEmail(r.Context(), p.DB, proof, r.PostFormValue("email"), p.browser(r)), "email",
		"email")
}

func (p *Pages) askPhone(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	country, err := location.CountryOf(r.Context(), p.DB, p.Site.Visitor(r).StoreCode)
	if err != nil {
		return nil, err
	}
	id, err := account.AskPhone(r.Context(), p.DB, access.Person(r.Context()), r.PostFormValue("phone"), country,
		p.browser(r))
	if err != nil {
		return p.after(r, err, "", "phone")
	}
	return p.showDetails(r, nil, nil, id)
}

func (p *Pages) provePhone(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	id := number(r.PostFormValue("question"))
	err := account.ProvePhone(r.Context(), p.DB, here(r), access.Person(r.Context()), id, r.PostFormValue("code"))
	if f := fault.As(err); f != nil {
		return p.showDetails(r, nil, f, id)
	}
	return p.after(r, err, "phone")
}

func (p *Pages) enrolPasskey(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	if p.Passkeys == nil {
		return nil, respond.NotFound()
	}
	proof, err := p.proof(r)
	if err != nil {
		return nil, err
	}
	options, challenge, err := account.EnrolPasskey(r.Context(), p.DB, p.Passkeys, proof)
	if f := fault.As(err); f != nil {
		return p.showDetails(r, nil, f, 0)
	}
	if err != nil {
		return nil, err
	}
	return respond.JSON(map[string]any{"options": options, "challenge": challenge}), nil
}

func (p *Pages) keepPasskey(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	if p.Passkeys == nil {
		return nil, respond.NotFound()
	}
	err := account.KeepPasskey(r.Context(), p.DB, here(r), p.Passkeys, access.Person(r.Context()),
		account.PasskeyAnswer{Challenge: r.PostFormValue("challenge"), Answer: r.PostFormValue("answer"),
			Name: agent(r.UserAgent())})
	return p.after(r, err, "passkey")
}

func (p *Pages) dropPasskey(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	proof, err := p.proof(r)
	if err != nil {
		return nil, err
	}
	return p.after(r, account.DropPasskey(r.Context(), p.DB, here(r), proof, number(chi.URLParam(r, "id"))), "removed")
}

func (p *Pages) everywhere(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	_, err := account.Everywhere(r.Context(), p.DB, here(r), access.Person(r.Context()), p.Site.ShopperToken(r))
	return p.after(r, err, "everywhere")
}

func (p *Pages) addresses(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return p.showAddresses(r, nil, nil)
}

func (p *Pages) showAddresses(r *http.Request, typed *customer.Address, f *fault.Fault) (respond.Answer, error) {
	view, err := p.read(r, shop.AddressBook)
	if err != nil {
		return nil, err
	}
	view.Corner = "/account/addresses"
	view.Address.Country, view.Address.Name = view.Store.Country, view.Person.Name
	if edit := number(r.URL.Query().Get("edit")); edit != 0 {
		for _, a := range view.Addresses {
			if a.ID == edit {
				view.Address = a
			}
		}
	}
	s := frame(r.Context(), &view.Visit, text.T(r.Context(), "Your addresses"))
	if f != nil {
		view.Address = *typed
		view.Take(r, f)
		return respond.Wrong(f, addressesPage(s, view)), nil
	}
	return respond.Page(addressesPage(s, view)), nil
}

func (p *Pages) saveAddress(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	a := customer.Address{ID: number(r.PostFormValue("id"))}
	for name, into := range map[string]*string{"name": &a.Name, "lines": &a.Lines, "town": &a.Town, "region": &a.Region,
		"postcode": &a.Postcode, "country": &a.Country, "phone": &a.Phone} {
		*into = text.Clean(r.PostFormValue(name), 1000)
	}
	err := person.SaveAddress(r.Context(), p.DB, access.Person(r.Context()), a)
	if f := fault.As(err); f != nil {
		return p.showAddresses(r, &a, f)
	}
	if err != nil {
		return nil, err
	}
	return respond.See("/account/addresses?done=address"), nil
}

func (p *Pages) dropAddress(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	if err := customer.DropAddress(r.Context(), p.DB, access.Person(r.Context()),
		number(chi.URLParam(r, "id"))); err != nil {
		return nil, err
	}
	return respond.See("/account/addresses?done=removed"), nil
}

func (p *Pages) points(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	view, err := p.read(r, shop.Points)
	if err != nil {
		return nil, err
	}
	view.Corner = "/account/points"
	return respond.Page(pointsPage(frame(r.Context(), &view.Visit, text.T(r.Context(), "Points")), view)), nil
}

// revivePoints brings back points that ended lately.
func (p *Pages) revivePoints(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	if _, err := person.RevivePoints(r.Context(), p.DB, here(r), access.Person(r.Context())); err != nil {
		return nil, err
	}
	return respond.See("/account/points"), nil
}

func (p *Pages) privacy(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return p.showPrivacy(r, nil)
}

func (p *Pages) showPrivacy(r *http.Request, f *fault.Fault) (respond.Answer, error) {
	view, err := p.read(r, shop.Privacy)
	if err != nil {
		return nil, err
	}
	view.Corner = "/account/privacy"
	s := frame(r.Context(), &view.Visit, text.T(r.Context(), "Privacy"))
	if f != nil {
		view.Take(r, f)
		return respond.Wrong(f, privacyPage(s, view)), nil
	}
	return respond.Page(privacyPage(s, view)), nil
}

func (p *Pages) consent(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	err := person.RecordConsent(r.Context(), p.DB, access.Person(r.Context()), answer(r))
	if f := fault.As(err); f != nil {
		return p.showPrivacy(r, f)
	}
	if err != nil {
		return nil, err
	}
	return respond.See("/account/privacy?done=consent#" + answer(r).Purpose + "-" + answer(r).Medium), nil
}

func answer(r *http.Request) customer.ConsentEntry {
	return customer.ConsentEntry{Purpose: r.PostFormValue("purpose"), Medium: r.PostFormValue("medium"),
		Given: r.PostFormValue("given") == "yes", Source: "web"}
}

func (p *Pages) activity(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	view, err := p.read(r, shop.Activity)
	if err != nil {
		return nil, err
	}
	view.Corner = "/account/privacy"
	for i := range view.Timeline {
		view.Timeline[i].Associate = "" // Who of the staff it was is between them and the shop.
	}
	return respond.Page(activityPage(frame(r.Context(), &view.Visit, text.T(r.Context(), "Your activity")), view)), nil
}

func (p *Pages) askExport(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	err := privacy.RequestExport(r.Context(), p.DB, here(r), access.Person(r.Context()), staff.Entry{})
	if f := fault.As(err); f != nil {
		return p.showPrivacy(r, f)
	}
	if err != nil {
		return nil, err
	}
	return respond.See("/account/privacy?done=export"), nil
}

// erase forgets whoever asks, after their password and a tick.
func (p *Pages) erase(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	proof, err := p.proof(r)
	if err != nil {
		return nil, err
	}
	if r.PostFormValue("sure") != "yes" {
		return p.showPrivacy(r, fault.Field("sure", "Tick the box to confirm."))
	}
	if err = proof.Check(r.Context(), p.DB); err == nil {
		err = privacy.Erase(r.Context(), p.DB, p.Files, proof.Person, staff.Entry{})
	}
	if f := fault.As(err); f != nil {
		return p.showPrivacy(r, f)
	}
	if err != nil {
		return nil, err
	}
	p.Site.SignOutShopper(w)
	return respond.See("/goodbye"), nil
}

func (p *Pages) goodbye(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	s, err := p.signFrame(r, text.T(r.Context(), "Your data has been deleted"))
	if err != nil {
		return nil, err
	}
	return respond.Page(goodbyePage(s)), nil
}

// exportPage is the link to somebody's copy: it only looks.
func (p *Pages) exportPage(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	token := chi.URLParam(r, "token")
	if _, err := customer.Peek(r.Context(), p.DB, customer.ForExport, token); err != nil {
		return p.dead(r, err)
	}
	s, err := p.signFrame(r, text.T(r.Context(), "Your data"))
	if err != nil {
		return nil, err
	}
	return respond.Page(linkPage(s, signView{Action: "/export/" + token, Title: text.T(r.Context(), "Your data"),
		Button: text.T(r.Context(), "Download")})), nil
}

func (p *Pages) export(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	file, err := privacy.OpenExport(r.Context(), p.DB, p.Files, chi.URLParam(r, "token"))
	if fault.As(err) != nil {
		return p.dead(r, err)
	}
	if err != nil {
		return nil, err
	}
	return func(w http.ResponseWriter, r *http.Request) error {
		defer file.Close()
		w.Header().Set("Content-Type", "application/zip")
		w.Header().Set("Content-Disposition", `attachment; filename="my-data.zip"`)
		_, _ = io.Copy(w, file) // The browser may have gone; there is nobody to tell.
		return nil
	}, nil
}

// grouped writes a card's number as it is printed.
func grouped(card string) string {
	if len(card) != 13 {
		return card
	}
	return card[:1] + " " + card[1:7] + " " + card[7:]
}

func lines(s string) []string { return strings.Split(s, "\n") }
