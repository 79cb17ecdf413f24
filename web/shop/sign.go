package shop

import (
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5"

	"counterpart/internal/domain/customer"
	"counterpart/internal/flow/account"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/text"
	"counterpart/internal/query/shop"
	"counterpart/web/access"
	"counterpart/web/layout"
	"counterpart/web/respond"
)

// signView is a page on the way in: what was typed, and what is wrong with it.
type signView struct {
	Name, Email, Next string
	Token, Action     string // of a link that was opened
	Title, Button     string
	Passkeys          bool
	respond.Mistakes
}

// browser is where the request comes from, for a sign-in.
func (p *Pages) browser(r *http.Request) account.Browser {
	return account.Browser{Device: p.Site.Visitor(r).Device, From: access.From(r), Agent: agent(r.UserAgent())}
}

// agent is how a browser calls itself, as far as its owner recognises it.
func agent(header string) string {
	name, on := "A browser", ""
	for _, b := range [][2]string{{"Edg/", "Edge"}, {"Firefox/", "Firefox"}, {"Chrome/", "Chrome"},
		{"Safari/", "Safari"}} {
		if strings.Contains(header, b[0]) {
			name = b[1]
			break
		}
	}
	for _, o := range [][2]string{{"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"},
		{"Windows", "Windows"}, {"Mac OS", "Mac"}, {"Linux", "Linux"}} {
		if strings.Contains(header, o[0]) {
			on = ", " + o[1]
			break
		}
	}
	return name + on
}

func (p *Pages) signFrame(r *http.Request, title string) (layout.Shop, error) {
	visit, err := shop.VisitOf(r.Context(), p.DB, p.Site.Visitor(r))
	if err != nil {
		return layout.Shop{}, err
	}
	return frame(r.Context(), visit, title), nil
}

func (p *Pages) signInPage(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return p.showSignIn(r, signView{Next: r.URL.Query().Get("next")}, nil)
}

func (p *Pages) showSignIn(r *http.Request, view signView, f *fault.Fault) (respond.Answer, error) {
	s, err := p.signFrame(r, text.T(r.Context(), "Sign in"))
	if err != nil {
		return nil, err
	}
	view.Passkeys = p.Passkeys != nil
	if f != nil {
		view.Take(r, f)
		return respond.Wrong(f, signInPage(s, view)), nil
	}
	return respond.Page(signInPage(s, view)), nil
}

// signIn checks the password, or mails a link where that is what was asked for.
func (p *Pages) signIn(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	view := signView{Email: text.Clean(r.PostFormValue("email"), 300), Next: r.PostFormValue("next")}
	if r.PostFormValue("by") == "link" {
		start, err := account.SendLink(r.Context(), p.DB, view.Email, p.browser(r))
		return p.mailed(w, r, start, err, func(f *fault.Fault) (respond.Answer,
			error) {
			return p.showSignIn(r, view, f)
		})
	}
	begun, err := account.SignIn(r.Context(), p.DB, here(r), view.Email, r.PostFormValue("password"), p.browser(r))
	if f := fault.As(err); f != nil {
		return p.showSignIn(r, view, f)
	}
	if err != nil {
		return nil, err
	}
	return p.begun(w, r, begun, view.Next)
}

// mailed is the one answer to everything that is answered by mail.
func (p *Pages) mailed(w http.ResponseWriter, r *http.Request, start string, err error,
	wrong func(*fault.Fault) (respond.Answer, error)) (respond.Answer, error) {
	if f := fault.As(err); f != nil {
		return wrong(f)
	}
	if err != nil {
		return nil, err
	}
	if start != "" {
		p.Site.Begin(w, start)
	}
	return respond.See("/check-your-mail"), nil
}

func (p *Pages) checkMail(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	s, err := p.signFrame(r, text.T(r.Context(), "Check your email"))
	if err != nil {
		return nil, err
	}
	return respond.Page(checkMailPage(s, p.Caught)), nil
}

// begun gives the browser its two new cookies, both of which replace whatever it had, and says what became of the cart.
func (p *Pages) begun(w http.ResponseWriter, r *http.Request, b account.Begun, next string) (respond.Answer, error) {
	p.Site.SignInShopper(w, b.Session, b.Device)
	if !p.Site.HasLanguage(r) {
		language, err := customer.LanguageOf(r.Context(), p.DB, b.Person)
		if err != nil {
			return nil, err
		}
		p.Site.RememberLanguage(w, language)
	}
	if p.Site.Visitor(r).StoreCode == "" {
		code, err := shop.StoreOf(r.Context(), p.DB, b.Person)
		if err != nil {
			return nil, err
		}
		if code != "" {
			p.Site.RememberStore(w, code)
		}
	}
	if b.Elsewhere {
		return respond.See("/account/details?done=elsewhere"), nil
	}
	if b.Later > 0 {
		return respond.See("/cart?joined=later"), nil
	}
	if b.Joined > 0 && next == "" {
		return respond.See("/cart?joined=1"), nil
	}
	return respond.See(access.SafeNext(next, "/account")), nil
}

func (p *Pages) askPasskey(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	if p.Passkeys == nil {
		return nil, respond.NotFound()
	}
	options, challenge, err := account.AskPasskey(r.Context(), p.DB, p.Passkeys, p.browser(r))
	if f := fault.As(err); f != nil {
		return p.showSignIn(r, signView{}, f)
	}
	if err != nil {
		return nil, err
	}
	return respond.JSON(map[string]any{"options": options, "challenge": challenge}), nil
}

func (p *Pages) signInByPasskey(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	if p.Passkeys == nil {
		return nil, respond.NotFound()
	}
	next := r.PostFormValue("next")
	begun, err := account.ByPasskey(r.Context(), p.DB, here(r), p.Passkeys, account.PasskeyAnswer{
		Challenge: r.PostFormValue("challenge"), Answer: r.PostFormValue("answer")}, p.browser(r))
	if f := fault.As(err); f != nil {
		return p.showSignIn(r, signView{Next: next}, f)
	}
	if err != nil {
		return nil, err
	}
	return p.begun(w, r, begun, next)
}

func (p *Pages) registerPage(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return p.showRegister(r, signView{}, nil)
}

func (p *Pages) showRegister(r *http.Request, view signView, f *fault.Fault) (respond.Answer, error) {
	s, err := p.signFrame(r, text.T(r.Context(), "Create an account"))
	if err != nil {
		return nil, err
	}
	if f != nil {
		view.Take(r, f)
		return respond.Wrong(f, registerPage(s, view)), nil
	}
	return respond.Page(registerPage(s, view)), nil
}

func (p *Pages) register(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	view := signView{Name: text.Clean(r.PostFormValue("name"), 200), Email: text.Clean(r.PostFormValue("email"), 300)}
	start, err := account.Register(r.Context(), p.DB, account.Registration{Name: view.Name, Email: view.Email,
		Password: r.PostFormValue("password")}, p.browser(r))
	return p.mailed(w, r, start, err, func(f *fault.Fault) (respond.Answer,
		error) {
		return p.showRegister(r, view, f)
	})
}

func (p *Pages) forgottenPage(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return p.showForgotten(r, signView{}, nil)
}

func (p *Pages) showForgotten(r *http.Request, view signView, f *fault.Fault) (respond.Answer, error) {
	s, err := p.signFrame(r, text.T(r.Context(), "Forgotten password"))
	if err != nil {
		return nil, err
	}
	if f != nil {
		view.Take(r, f)
		return respond.Wrong(f, forgottenPage(s, view)), nil
	}
	return respond.Page(forgottenPage(s, view)), nil
}

func (p *Pages) forgotten(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	view := signView{Email: text.Clean(r.PostFormValue("email"), 300)}
	err := account.Forgotten(r.Context(), p.DB, view.Email, p.browser(r))
	return p.mailed(w, r, "", err, func(f *fault.Fault) (respond.Answer, error) { return p.showForgotten(r, view, f) })
}

// A link's page: what it is for, what its button says, and what pressing it does.
type link struct {
	purpose, path, title, button string
}

var (
	beginLink  = link{customer.ToRegister, "/begin/", "Create your account", "Create account"}
	signInLink = link{customer.ToSignIn, "/sign-in/", "Sign in", "Sign in on this device"}
	claimLink  = link{customer.ToClaim, "/welcome/", "Your profile is here", "Open on this device"}
	oldLink    = link{customer.OldEmail, "/email/old/", "Change your email address", "Confirm the change"}
	newLink    = link{customer.NewEmail, "/email/new/", "Change your email address", "Confirm this address"}
)

// opened is the page of a link. It only looks: mail programs open links before people do, so a click is asked for.
func (p *Pages) opened(l link) respond.Handler {
	return func(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
		token := chi.URLParam(r, "token")
		if _, err := customer.Peek(r.Context(), p.DB, l.purpose, token); err != nil {
			return p.dead(r, err)
		}
		s, err := p.signFrame(r, text.T(r.Context(), l.title))
		if err != nil {
			return nil, err
		}
		return respond.Page(linkPage(s, signView{Action: l.path + token, Title: text.T(r.Context(), l.title),
			Button: text.T(r.Context(), l.button)})), nil
	}
}

// dead is a link that does not work any more: the way to a new one is beside the sentence.
func (p *Pages) dead(r *http.Request, err error) (respond.Answer, error) {
	f := fault.As(err)
	if f == nil {
		return nil, err
	}
	s, err := p.signFrame(r, text.T(r.Context(), "This link has expired"))
	if err != nil {
		return nil, err
	}
	return respond.Wrong(f, deadLinkPage(s, respond.Sentence(r.Context(), f))), nil
}

func (p *Pages) open(w http.ResponseWriter, r *http.Request, begin func(token string) (account.Begun, error),
	next string) (respond.Answer, error) {
	begun, err := begin(chi.URLParam(r, "token"))
	if fault.As(err) != nil {
		return p.dead(r, err)
	}
	if err != nil {
		return nil, err
	}
	return p.begun(w, r, begun, next)
}

func (p *Pages) begin(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return p.open(w, r, func(token string) (account.Begun, error) {
		return account.Confirm(r.Context(), p.DB, here(r), token, p.Site.Started(r), p.browser(r))
	}, "")
}

func (p *Pages) openSignIn(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return p.open(w, r, func(token string) (account.Begun, error) {
		return account.OpenLink(r.Context(), p.DB, here(r), token, p.browser(r))
	}, "")
}

func (p *Pages) welcome(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return p.open(w, r, func(token string) (account.Begun, error) {
		return account.Claim(r.Context(), p.DB, here(r), token, p.browser(r))
	}, "/cart")
}

func (p *Pages) agreeEmail(l link) respond.Handler {
	return func(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
		changed, err := account.AgreeEmail(r.Context(), p.DB, here(r), l.purpose, chi.URLParam(r, "token"))
		if fault.As(err) != nil {
			return p.dead(r, err)
		}
		if err != nil {
			return nil, err
		}
		done := "half"
		if changed {
			done = "changed"
		}
		return respond.See("/email/done?is=" + done), nil
	}
}

func (p *Pages) emailDone(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	s, err := p.signFrame(r, text.T(r.Context(), "Your email address"))
	if err != nil {
		return nil, err
	}
	return respond.Page(emailDonePage(s, r.URL.Query().Get("is") == "changed")), nil
}

func (p *Pages) resetPage(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	token := chi.URLParam(r, "token")
	if _, err := customer.Peek(r.Context(), p.DB, customer.ToReset, token); err != nil {
		return p.dead(r, err)
	}
	return p.showReset(r, signView{Token: token}, nil)
}

func (p *Pages) showReset(r *http.Request, view signView, f *fault.Fault) (respond.Answer, error) {
	s, err := p.signFrame(r, text.T(r.Context(), "New password"))
	if err != nil {
		return nil, err
	}
	if f != nil {
		view.Take(r, f)
		return respond.Wrong(f, resetPage(s, view)), nil
	}
	return respond.Page(resetPage(s, view)), nil
}

func (p *Pages) reset(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	token := chi.URLParam(r, "token")
	if _, err := customer.Peek(r.Context(), p.DB, customer.ToReset, token); err != nil {
		return p.dead(r, err)
	}
	begun, err := account.Reset(r.Context(), p.DB, here(r), token, r.PostFormValue("password"), p.browser(r))
	if f := fault.As(err); f != nil {
		if f.Kind == fault.NotFound {
			return p.dead(r, err)
		}
		return p.showReset(r, signView{Token: token}, f)
	}
	if err != nil {
		return nil, err
	}
	return p.begun(w, r, begun, "/account")
}

func (p *Pages) signOut(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	if err := account.SignOut(r.Context(), p.DB, here(r), access.Person(r.Context()),
		p.Site.ShopperToken(r)); err != nil {
		return nil, err
	}
	p.Site.SignOutShopper(w)
	return respond.See("/"), nil
}
