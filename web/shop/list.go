package shop

import (
	"context"
	"net/http"

	"github.com/go-chi/chi/v5"
	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/cart"
	"counterpart/internal/domain/customer"
	"counterpart/internal/flow/person"
	"counterpart/internal/flow/shopping"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/text"
	"counterpart/internal/query/shop"
	"counterpart/web/respond"
)

// listView is somebody's list with what went wrong.
type listView struct {
	*shop.Lists
	Wrong string
	Added bool
}

func (p *Pages) list(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return p.showList(r, nil)
}

func (p *Pages) showList(r *http.Request, f *fault.Fault) (respond.Answer, error) {
	lists, err := shop.ListsPage(r.Context(), p.DB, p.Site.Visitor(r))
	if err != nil {
		return nil, err
	}
	view := &listView{Lists: lists, Added: r.URL.Query().Get("added") == "1"}
	s := frame(r.Context(), lists.Visit, text.T(r.Context(), "Your list"))
	if f != nil {
		view.Wrong = respond.Sentence(r.Context(), f)
		return respond.Wrong(f, listPage(s, view)), nil
	}
	return respond.Page(listPage(s, view)), nil
}

// who is whoever a form is from: the person who is signed in, or the guest of the browser.
func (p *Pages) who(r *http.Request) (shopping.Shopper, error) {
	who := p.Site.Visitor(r)
	me, err := shop.SignedIn(r.Context(), p.DB, who)
	return shopping.Shopper{Person: me, Device: who.Device}, err
}

func (p *Pages) wish(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	who, err := p.who(r)
	if err != nil {
		return nil, err
	}
	token, err := shopping.Wish(r.Context(), p.DB, here(r), who, number(r.PostFormValue("variant")))
	return p.listed(w, r, token, err, "/list?added=1")
}

func (p *Pages) listed(w http.ResponseWriter, r *http.Request, token string, err error, to string) (respond.Answer,
	error) {
	if f := fault.As(err); f != nil {
		return p.showList(r, f)
	}
	if err != nil {
		return nil, err
	}
	if token != "" {
		p.Site.RememberDevice(w, token)
	}
	return respond.See(to), nil
}

// ofList is which list a form speaks of.
func ofList(r *http.Request) string {
	if r.PostFormValue("list") == cart.Later {
		return cart.Later
	}
	return cart.WishList
}

func (p *Pages) unwish(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	me, err := shop.CustomerOf(r.Context(), p.DB, p.Site.Visitor(r))
	if err != nil {
		return nil, err
	}
	err = cart.Unwish(r.Context(), p.DB, me, number(chi.URLParam(r, "variant")), ofList(r))
	return p.listed(w, r, "", err, back(r, "/list"))
}

func (p *Pages) fromList(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	me, err := shop.CustomerOf(r.Context(), p.DB, p.Site.Visitor(r))
	if err != nil {
		return nil, err
	}
	err = shopping.TakeFromList(r.Context(), p.DB, here(r), me, number(chi.URLParam(r, "variant")), ofList(r))
	return p.listed(w, r, "", err, "/cart?added=1")
}

func (p *Pages) keepForLater(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	me, err := shop.CustomerOf(r.Context(), p.DB, p.Site.Visitor(r))
	if err != nil {
		return nil, err
	}
	err = shopping.KeepForLater(r.Context(), p.DB, me, number(chi.URLParam(r, "id")))
	f := fault.As(err)
	if f == nil {
		return p.listed(w, r, "", err, "/cart")
	}
	return p.wrongCart(r, f)
}

// remember is a guest, or somebody who is signed in, agreeing that we keep what they look at, or use where they are, or
// taking it back.
func (p *Pages) remember(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	who, err := p.who(r)
	if err != nil {
		return nil, err
	}
	a := customer.ConsentEntry{Purpose: customer.Personalisation, Medium: customer.InShop,
		Given: r.PostFormValue("given") == "yes", Source: "web"}
	if r.PostFormValue("purpose") == customer.Location {
		a.Purpose = customer.Location
	}
	token, err := shopping.Become(r.Context(), p.DB, here(r), who,
		func(ctx context.Context, tx pgx.Tx, id int64) error { return person.RecordConsent(ctx, tx, id, a) })
	return p.listed(w, r, token, err, back(r, "/list"))
}
