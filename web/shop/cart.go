package shop

import (
	"net/http"
	"slices"
	"time"

	"github.com/go-chi/chi/v5"

	"counterpart/internal/domain/cart"
	"counterpart/internal/domain/location"
	"counterpart/internal/flow/shopping"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/live"
	"counterpart/internal/platform/text"
	"counterpart/internal/query/basket"
	"counterpart/internal/query/profile"
	"counterpart/internal/query/shop"
	"counterpart/web/respond"
)

// cartView is the cart's page. Added is what was just put into it.
type cartView struct {
	*shop.Visit
	Basket *basket.Basket
	Later  []profile.ViewedProduct
	Places []location.Location // at which something can be collected
	respond.Mistakes
	Code   string           // that was typed
	Beside []shop.Neighbour // what goes with what is in the cart
	Added  bool
	Joined string // what became of the cart of a device at sign-in
}

func (p *Pages) cart(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	view, err := p.readCart(r)
	if err != nil {
		return nil, err
	}
	view.Added, view.Joined = r.URL.Query().Get("added") == "1", r.URL.Query().Get("joined")
	if view.CustomerID != 0 {
		if view.Later, view.Beside, err = shop.BesideCart(r.Context(), p.DB, view.Visit, language(r)); err != nil {
			return nil, err
		}
	}
	if view.Basket != nil {
		all, err := location.All(r.Context(), p.DB)
		if err != nil {
			return nil, err
		}
		view.Places = slices.DeleteFunc(all, func(at location.Location) bool {
			return !at.Pickup ||
				at.Currency != view.Basket.Home.Currency
		})
	}
	return p.cartPage(r, view), nil
}

func (p *Pages) readCart(r *http.Request) (*cartView, error) { return p.readCartOf(r, "") }

// readCartOf reads the cart as it is for whoever gave this email address.
func (p *Pages) readCartOf(r *http.Request, email string) (*cartView, error) {
	who := p.Site.Visitor(r)
	who.Taste = true
	visit, err := shop.VisitOf(r.Context(), p.DB, who)
	if err != nil {
		return nil, err
	}
	view := &cartView{Visit: visit}
	if visit.CustomerID != 0 {
		view.Basket, err = basket.LoadAt(r.Context(), p.DB, visit.CustomerID, basket.SaleContext{Email: email,
			Known: visit.Reference()}, language(r))
	}
	return view, err
}

func (p *Pages) cartPage(r *http.Request, view *cartView) respond.Answer {
	return respond.Page(cartPage(frame(r.Context(), view.Visit, text.T(r.Context(), "Cart")), view))
}

// wrongCart is the cart with what was wrong.
func (p *Pages) wrongCart(r *http.Request, f *fault.Fault) (respond.Answer, error) {
	view, err := p.readCart(r)
	if err != nil {
		return nil, err
	}
	view.Take(r, f)
	view.Code = text.Clean(r.PostFormValue("code"), 64)
	return respond.Wrong(f, cartPage(frame(r.Context(), view.Visit, text.T(r.Context(), "Cart")), view)), nil
}

// addToCart puts a variant into the cart of this browser; the first time it makes the cart.
func (p *Pages) addToCart(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	who := p.Site.Visitor(r)
	whose, err := shop.WhoseCart(r.Context(), p.DB, who)
	if err != nil {
		return nil, err
	}
	item := shopping.Item{VariantID: number(r.PostFormValue("variant")),
		Quantity: int(clamp(number(r.PostFormValue("quantity")))), Ship: r.PostFormValue("way") == "ship",
		LocationID: whose.StoreID}
	token := ""
	if whose.SignedIn {
		err = shopping.AddFor(r.Context(), p.DB, here(r), whose.CustomerID, item)
	} else {
		token, err = shopping.AddAsDevice(r.Context(), p.DB, here(r), who.Device, whose.CustomerID, item)
	}
	if f := fault.As(err); f != nil {
		return p.notAdded(r, f)
	}
	if err != nil {
		return nil, err
	}
	if token != "" {
		p.Site.RememberDevice(w, token)
	}
	return respond.See("/cart?added=1"), nil
}

// notAdded is the product's page again with what was wrong, or the cart's where it is not known which product it was.
func (p *Pages) notAdded(r *http.Request, f *fault.Fault) (respond.Answer, error) {
	slug, sku := productOf(back(r, ""))
	view, err := p.readProduct(r, slug, sku)
	if slug == "" || fault.Is(err, fault.NotFound) {
		return p.wrongCart(r, f)
	}
	if err != nil {
		return nil, err
	}
	view.Wrong = respond.Sentence(r.Context(), f)
	return respond.Wrong(f, productPage(frame(r.Context(), &view.Visit, view.Title), view)), nil
}

func (p *Pages) changeLine(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	customerID, err := shop.CustomerOf(r.Context(), p.DB, p.Site.Visitor(r))
	if err != nil {
		return nil, err
	}
	typed := r.PostFormValue("quantity")
	quantity := number(typed)
	if typed == "" || quantity < 0 || quantity > cart.MaxQuantity || quantity == 0 && typed != "0" {
		err = fault.New(fault.Invalid, "“{typed}” isn’t a quantity. Choose one from 0 to 99.",
			text.Args{"typed": short(typed)})
	} else {
		err = cart.SetQuantity(r.Context(), p.DB, customerID, number(chi.URLParam(r, "id")), int(quantity), 0)
	}
	f := fault.As(err)
	if err != nil && f == nil {
		return nil, err
	}
	if f == nil {
		return respond.See("/cart"), nil
	}
	return p.wrongCart(r, f)
}

// cartEvents tells the cart's page when its cart changed elsewhere: at the counter, on another device.
func (p *Pages) cartEvents(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	customerID, err := shop.CustomerOf(r.Context(), p.DB, p.Site.Visitor(r))
	if err != nil {
		return nil, err
	}
	if customerID == 0 {
		return nil, respond.NotFound()
	}
	return respond.Events(p.Live, time.Hour, live.Customer(customerID)), nil
}

func clamp(n int64) int64 { return max(-1, min(n, 1<<20)) }

// short is what somebody typed, in a sentence.
func short(typed string) string {
	if runes := []rune(typed); len(runes) > 20 {
		return string(runes[:20]) + "…"
	}
	return typed
}
