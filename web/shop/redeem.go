package shop

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/go-chi/chi/v5"

	"counterpart/internal/domain/cart"
	"counterpart/internal/flow/shopping"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/money"
	"counterpart/internal/platform/text"
	"counterpart/internal/query/shop"
	"counterpart/web/access"
	"counterpart/web/respond"
)

// onCart does something with the cart of whoever is looking and shows it again.
func (p *Pages) onCart(do func(r *http.Request, customerID int64) error) respond.Handler {
	return func(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
		customerID, err := shop.CustomerOf(r.Context(), p.DB, p.Site.Visitor(r))
		if err != nil {
			return nil, err
		}
		if customerID == 0 {
			return nil, respond.NotFound() // A stranger has no cart.
		}
		err = do(r, customerID)
		if f := fault.As(err); f != nil {
			return p.wrongCart(r, f)
		}
		if err != nil {
			return nil, err
		}
		return respond.See("/cart"), nil
	}
}

// setWay says how a line is to be had: “ship”, or the id of the store where it is collected.
func (p *Pages) setWay(r *http.Request, customerID int64) error {
	way, store := r.PostFormValue("way"), int64(0)
	if way != "ship" && way != "pickup" {
		if store = number(way); store == 0 {
			return fault.New(fault.Invalid, "Choose collection or delivery.")
		}
		way = "pickup"
	}
	return cart.SetWay(r.Context(), p.DB, customerID, number(chi.URLParam(r, "id")),
		cart.Way{Method: way, LocationID: store})
}

func (p *Pages) setNote(r *http.Request, customerID int64) error {
	return cart.SetNote(r.Context(), p.DB, customerID, number(chi.URLParam(r, "id")),
		text.Clean(r.PostFormValue("note"), 301))
}

func (p *Pages) addCode(r *http.Request, customerID int64) error {
	return shopping.UseCode(r.Context(), p.DB, trier(r, customerID), text.Clean(r.PostFormValue("code"), 64))
}

func (p *Pages) removeCode(r *http.Request, customerID int64) error {
	return cart.RemoveCode(r.Context(), p.DB, customerID, text.Clean(r.PostFormValue("code"), 64))
}

func trier(r *http.Request, customerID int64) shopping.Shopper {
	return shopping.Shopper{Person: customerID, Address: access.From(r)}
}

// share shows the link under which this cart can be copied.
func (p *Pages) share(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	customerID, err := shop.CustomerOf(r.Context(), p.DB, p.Site.Visitor(r))
	if err != nil {
		return nil, err
	}
	word, err := cart.Share(r.Context(), p.DB, customerID)
	if f := fault.As(err); f != nil {
		return p.wrongCart(r, f)
	}
	if err != nil {
		return nil, err
	}
	return respond.See("/carts/" + word), nil
}

// sharedView is a cart behind its link.
type sharedView struct {
	*shop.Visit
	Word  string
	Link  string
	Mine  bool
	Lines []shop.SharedLine
}

func (p *Pages) shared(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	visit, err := shop.VisitOf(r.Context(), p.DB, p.Site.Visitor(r))
	if err != nil {
		return nil, err
	}
	view := &sharedView{Visit: visit, Word: words(chi.URLParam(r, "word"))}
	view.Link = p.Base + "/carts/" + view.Word
	owner := int64(0)
	if owner, view.Lines, err = shop.SharedCart(r.Context(), p.DB, view.Word, language(r)); err != nil {
		return nil, err
	}
	if owner == 0 {
		return nil, respond.NotFound()
	}
	view.Mine = owner == visit.CustomerID
	return respond.Page(sharedPage(frame(r.Context(), visit, text.T(r.Context(), "Someone shared a cart with you")),
		view)), nil
}

func (p *Pages) takeShared(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	who, err := p.who(r)
	if err != nil {
		return nil, err
	}
	token, err := shopping.TakeShared(r.Context(), p.DB, here(r), who, words(chi.URLParam(r, "word")))
	if err != nil {
		return nil, err
	}
	if token != "" {
		p.Site.RememberDevice(w, token)
	}
	return respond.See("/cart"), nil
}

// giftCardView is the page on which somebody sees what is left on a card.
type giftCardView struct {
	*shop.Visit
	respond.Mistakes
	Typed   string
	Balance string
	Ends    string
}

func (p *Pages) giftCards(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return p.giftCardPage(r, giftCardView{}, nil)
}

func (p *Pages) giftCardPage(r *http.Request, view giftCardView, wrong *fault.Fault) (respond.Answer, error) {
	visit, err := shop.VisitOf(r.Context(), p.DB, p.Site.Visitor(r))
	if err != nil {
		return nil, err
	}
	view.Visit = visit
	page := func() *giftCardView { return &view }
	if wrong != nil {
		view.Take(r, wrong)
		return respond.Wrong(wrong, giftCardsPage(frame(r.Context(), visit, text.T(r.Context(), "Gift cards")),
			page())), nil
	}
	return respond.Page(giftCardsPage(frame(r.Context(), visit, text.T(r.Context(), "Gift cards")), page())), nil
}

// balance says what is left on a card. It is asked by POST, so that no address keeps a code.
func (p *Pages) balance(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	customerID, err := shop.CustomerOf(r.Context(), p.DB, p.Site.Visitor(r))
	if err != nil {
		return nil, err
	}
	typed := text.Clean(r.PostFormValue("gift_card"), 40)
	card, err := shopping.LookUpGiftCard(r.Context(), p.DB, trier(r, customerID), typed, "")
	if f := fault.As(err); f != nil {
		return p.giftCardPage(r, giftCardView{Typed: typed}, f)
	}
	if err != nil {
		return nil, err
	}
	return p.giftCardPage(r, giftCardView{Balance: money.New(card.Balance, card.Currency).In(language(r)),
		Ends: card.Ends}, nil)
}

func whole(s string) int {
	n, err := strconv.Atoi(strings.TrimSpace(s))
	if err != nil {
		return -1
	}
	return n
}
