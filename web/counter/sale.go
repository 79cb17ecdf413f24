package counter

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"counterpart/internal/basket"
	"counterpart/internal/browse"
	"counterpart/internal/cart"
	"counterpart/internal/checkout"
	"counterpart/internal/desk"
	"counterpart/internal/fault"
	"counterpart/internal/location"
	"counterpart/internal/money"
	"counterpart/internal/payment"
	"counterpart/internal/shopping"
	"counterpart/internal/text"
	"counterpart/web/respond"
)

// saleView is a sale in progress with what was typed.
type saleView struct {
	respond.Mistakes
	CustomerID  int64
	Name        string // of the customer; empty: nobody is attached
	Store       *location.Location
	Basket      *basket.Basket
	Online      *basket.Basket // what else lies in the customer's cart
	Words       string         // SKU, barcode or name to add
	Hits        []desk.Hit
	Who         string // whom to attach
	People      []desk.Hit
	Code        string
	Points      string
	Kind, Given string
	Email       string
}

// newSale begins a sale for whoever stands there, and leaves without a name unless they give one.
func (p *Pages) newSale(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	id, err := shopping.WalkIn(r.Context(), p.DB, here(r).LocationID)
	if err != nil {
		return nil, err
	}
	return respond.See(salePath(id)), nil
}

func salePath(customerID int64) string {
	return "/counter/sales/" + strconv.FormatInt(customerID, 10)
}

func (p *Pages) sale(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return p.showSale(r, saleView{}, nil)
}

func atCounter(r *http.Request) basket.Here {
	return basket.Here{LocationID: here(r).LocationID, CarryOut: true}
}

func (p *Pages) showSale(r *http.Request, view saleView, wrong *fault.Fault) (respond.Answer, error) {
	c, store, err := p.frame(r, text.T(r.Context(), "Sale"))
	if err != nil {
		return nil, err
	}
	view.CustomerID, view.Store, c.Scans = id(r, "id"), store, true
	var there bool
	if view.Name, there, err = desk.NameOf(r.Context(), p.DB, view.CustomerID); err != nil {
		return nil, err
	}
	if !there {
		return nil, respond.NotFound()
	}
	if view.Basket, err = basket.LoadAt(r.Context(), p.DB, view.CustomerID, atCounter(r), text.Language(r.Context())); err != nil {
		return nil, err
	}
	if view.Name != "" {
		known, err := browse.ContactOf(r.Context(), p.DB, view.CustomerID)
		if err != nil {
			return nil, err
		}
		view.Email = cmp.Or(view.Email, known.Email)
		if view.Online, err = basket.LoadAt(r.Context(), p.DB, view.CustomerID, basket.Here{LocationID: here(r).LocationID}, text.Language(r.Context())); err != nil {
			return nil, err
		}
	}
	if wrong != nil {
		view.Take(r, wrong)
		return respond.Wrong(wrong, salePage(c, view)), nil
	}
	return respond.Page(salePage(c, view)), nil
}

// afterSale answers a form of a sale: the page again with what was wrong, or afresh.
func (p *Pages) afterSale(r *http.Request, err error, view saleView) (respond.Answer, error) {
	if f := fault.As(err); f != nil {
		return p.showSale(r, view, f)
	}
	if err != nil {
		return nil, err
	}
	return respond.See(salePath(id(r, "id"))), nil
}

// scan takes a barcode, a SKU or a few words: one article goes into the sale, several are listed to choose from.
func (p *Pages) scan(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	view := saleView{Words: typed(r, "article")}
	articles, err := desk.Articles(r.Context(), p.DB, view.Words, here(r).LocationID)
	if err != nil {
		return nil, err
	}
	if len(articles) == 0 {
		return p.showSale(r, view, fault.Field("article", "We can’t find a product with that barcode, SKU or name."))
	}
	if len(articles) > 1 {
		view.Hits = articles
		return p.showSale(r, view, nil)
	}
	item := shopping.Item{VariantID: articles[0].ID, Quantity: 1, LocationID: here(r).LocationID, InHand: true, Channel: "counter", Language: text.Language(r.Context())}
	return p.afterSale(r, shopping.AddFor(r.Context(), p.DB, id(r, "id"), item), view)
}

// saleLine changes how many there are, or takes a line of the customer's online cart into the sale: 0, all of them.
func (p *Pages) saleLine(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	if r.PostFormValue("do") == "take" {
		return p.afterSale(r, cart.TakeInHand(r.Context(), p.DB, id(r, "id"), id(r, "line")), saleView{})
	}
	quantity, err := strconv.Atoi(strings.TrimSpace(r.PostFormValue("quantity")))
	if err != nil || quantity < 0 || quantity > cart.MaxQuantity {
		err = fault.New(fault.Invalid, "Choose a quantity from 0 to 99.")
	} else {
		err = cart.SetQuantity(r.Context(), p.DB, id(r, "id"), id(r, "line"), quantity)
	}
	return p.afterSale(r, err, saleView{})
}

// saleTowards puts codes, gift cards, points or credit towards the sale, or takes them away.
func (p *Pages) saleTowards(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	view := saleView{Code: typed(r, "code"), Points: typed(r, "points")}
	return p.afterSale(r, p.towards(r, view), view)
}

func (p *Pages) towards(r *http.Request, view saleView) error {
	ctx, customer := r.Context(), id(r, "id")
	trier := shopping.Trier{Person: customer, Address: here(r).Name}
	what, which, _ := strings.Cut(r.PostFormValue("do"), ":")
	switch what {
	case "code":
		// One box takes both: sixteen letters are a gift card, anything else is a promotion's code.
		if len(strings.NewReplacer(" ", "", "-", "").Replace(view.Code)) == 16 {
			_, store, err := p.frame(r, "")
			if err != nil {
				return err
			}
			err = shopping.UseCard(ctx, p.DB, trier, view.Code, store.Currency)
			if f := fault.As(err); f != nil && !f.Fields["gift_card"].IsZero() {
				f.Fields["code"] = f.Fields["gift_card"]
			}
			return err
		}
		return shopping.UseCode(ctx, p.DB, trier, view.Code)
	case "drop-code":
		return cart.RemoveCode(ctx, p.DB, customer, text.Clean(which, 64))
	case "drop-gift-card":
		n, _ := strconv.ParseInt(which, 10, 64)
		return cart.RemoveGiftCard(ctx, p.DB, customer, n)
	case "points":
		points, err := strconv.Atoi(strings.TrimSpace("0" + view.Points))
		if err != nil {
			return fault.Field("points", "Enter a whole number of points.")
		}
		return cart.Spend(ctx, p.DB, customer, points, r.PostFormValue("credit") == "1")
	}
	return fault.New(fault.Invalid, "We didn’t understand that. Please check the page and try again.")
}

// attach gives the sale to a customer: what is in it joins their cart.
func (p *Pages) attach(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	view := saleView{Who: typed(r, "who")}
	into, _ := strconv.ParseInt(r.PostFormValue("customer"), 10, 64)
	if into == 0 {
		hits, err := desk.Search(r.Context(), p.DB, view.Who, here(r).LocationID)
		if err != nil {
			return nil, err
		}
		for _, h := range hits {
			if h.Kind == "customer" {
				view.People = append(view.People, h)
			}
		}
		if len(view.People) == 0 {
			return p.showSale(r, view, fault.Field("who", "No customer matches that name, phone, email or card. Sell without one, or create a new customer."))
		}
		if len(view.People) > 1 {
			return p.showSale(r, view, nil)
		}
		into = view.People[0].ID
	}
	err := shopping.Attach(r.Context(), p.DB, id(r, "id"), into)
	if f := fault.As(err); f != nil {
		return p.showSale(r, view, f)
	}
	if err != nil {
		return nil, err
	}
	return respond.See(salePath(into)), nil
}

// paySale takes the money and makes the order: what is in the sale leaves the store.
func (p *Pages) paySale(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	view := saleView{Kind: typed(r, "kind"), Given: typed(r, "given"), Email: typed(r, "email")}
	_, store, err := p.frame(r, "")
	if err != nil {
		return nil, err
	}
	cartID, _ := strconv.ParseInt(r.PostFormValue("cart"), 10, 64)
	total, _ := strconv.ParseInt(r.PostFormValue("total"), 10, 64)
	request := checkout.Request{
		CustomerID: id(r, "id"), CartID: cartID, Expected: total, Email: view.Email, Pay: view.Kind, Channel: "counter", AssociateID: here(r).AssociateID, Here: atCounter(r), Language: text.Language(r.Context()),
	}
	if rest, err := strconv.ParseInt(r.PostFormValue("rest"), 10, 64); err == nil {
		request.Rest = &rest
	}
	if view.Kind == "split" {
		request.Pay, request.Split = payment.Cash, true
	}
	if request.Pay == payment.Cash {
		given, err := money.Parse(view.Given, store.Currency)
		if err != nil {
			return p.showSale(r, view, fault.Field("given", "Enter an amount, such as 20 or 12.50."))
		}
		request.Given = given.Minor
	}
	placed, err := checkout.Place(r.Context(), p.DB, request)
	if f := fault.As(err); f != nil {
		return p.showSale(r, view, f)
	}
	if err != nil {
		return nil, err
	}
	return respond.See(fmt.Sprintf("/counter/orders/%d?done=sold", placed.ID)), nil
}

// kept is what a field holds: what was typed, else the amount itself.
func (v saleView) given() string {
	if v.Given != "" {
		return v.Given
	}
	return v.Basket.Quote.In(v.Basket.Tenders().Rest).Plain()
}

func (v saleView) who(ctx context.Context) string {
	if v.Name != "" {
		return v.Name
	}
	return text.T(ctx, "No customer")
}

func (v saleView) points() string {
	if v.Points != "" {
		return v.Points
	}
	if v.Basket.Spend > 0 {
		return fmt.Sprint(v.Basket.Spend)
	}
	return ""
}
