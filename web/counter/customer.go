package counter

import (
	"cmp"
	"crypto/rand"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"counterpart/internal/domain/hint"
	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/payment"

	"counterpart/internal/domain/cart"
	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/location"
	"counterpart/internal/flow/checkout"
	"counterpart/internal/flow/person"
	"counterpart/internal/flow/shopping"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/live"
	"counterpart/internal/platform/text"
	"counterpart/internal/query/counter"
	"counterpart/web/respond"
)

// customerView is a customer at the counter with what was typed.
type customerView struct {
	respond.Mistakes
	*counter.Person
	Store              *location.Location
	Words              string // SKU, barcode or name to add
	Hits               []counter.Hit
	Name, Email, Phone string
	Typed              string // contact, note
	PointsTyped        string
	Reason             string // why points are given or taken
	Form               string // of the page: sent twice, points are given once
	Done               string
	Share              string // the link that opens their cart
	Now                time.Time
}

func (p *Pages) customer(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return p.showCustomer(r, customerView{Done: done(r)}, nil)
}

func (p *Pages) showCustomer(r *http.Request, view customerView, wrong *fault.Fault) (respond.Answer, error) {
	c, store, err := p.frame(r, text.T(r.Context(), "Customer"))
	if err != nil {
		return nil, err
	}
	view.Person, err = counter.Profile(r.Context(), p.DB, id(r, "id"), p.standing(r), text.Content(r.Context()))
	if err != nil {
		return nil, err
	}
	if view.Person == nil {
		return p.elsewhere(r)
	}
	if view.ErasedAt != nil {
		return nil, respond.NotFound()
	}
	view.Form = cmp.Or(view.Form, rand.Text())
	if err := person.Open(r.Context(), p.DB, here(r), view.ID, role(r)); err != nil {
		return nil, err
	}
	view.Store, view.Now = store, time.Now()
	if err := person.RecordShown(r.Context(), p.DB, here(r), view.ID, store, append(view.Hints, view.Withheld...)); err != nil {
		// Whoever stands at the counter does not wait for our figures.
		slog.WarnContext(r.Context(), "which suggestions were shown was not kept", "error", err)
	}
	if view.Name == "" && view.Email == "" && view.Phone == "" {
		view.Name, view.Email, view.Phone = view.Person.Name, view.First(customer.Email), view.First(customer.Phone)
	}
	if wrong != nil {
		view.Take(r, wrong)
		return respond.Wrong(wrong, customerPage(c, view)), nil
	}
	return respond.Page(customerPage(c, view)), nil
}

// markHint keeps what became of a suggestion.
func (p *Pages) markHint(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	about := hint.Subject{Reason: typed(r, "reason")}
	about.ProductID, _ = strconv.ParseInt(r.PostFormValue("product"), 10, 64)
	about.OrderID, _ = strconv.ParseInt(r.PostFormValue("order"), 10, 64)
	return p.afterCustomer(r, person.MarkHint(r.Context(), p.DB, here(r), id(r, "id"), about, r.PostFormValue("mark")), "", "")
}

// elsewhere is where a profile went that is part of another one now.
func (p *Pages) elsewhere(r *http.Request) (respond.Answer, error) {
	root, err := customer.Root(r.Context(), p.DB, id(r, "id"))
	if err != nil {
		return nil, err
	}
	if root == 0 || root == id(r, "id") {
		return nil, respond.NotFound()
	}
	return respond.See("/counter/customers/" + strconv.FormatInt(root, 10)), nil
}

func (p *Pages) customerEvents(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return respond.Events(p.Live, 15*time.Minute, live.Customer(id(r, "id"))), nil
}

// welcome makes the profile of somebody new.
func (p *Pages) welcome(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	c, store, err := p.frame(r, text.T(r.Context(), "New customer"))
	if err != nil {
		return nil, err
	}
	view := welcomeView{Name: typed(r, "name"), Email: typed(r, "email"), Phone: typed(r, "phone")}
	customerID, err := shopping.CreateCustomer(r.Context(), p.DB, here(r),
		shopping.NewCustomer{Name: view.Name, Email: view.Email, Phone: view.Phone, Country: store.Country})
	if wrong := fault.As(err); wrong != nil {
		view.Take(r, wrong)
		return respond.Wrong(wrong, welcomePage(c, view)), nil
	}
	if err != nil {
		return nil, err
	}
	return respond.See("/counter/customers/" + strconv.FormatInt(customerID, 10)), nil
}

type welcomeView struct {
	respond.Mistakes
	Name, Email, Phone string
}

// addToCart takes a scan or a few words: one article goes into the cart, several are listed to choose from.
func (p *Pages) addToCart(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	view := customerView{Words: typed(r, "article")}
	articles, err := counter.Articles(r.Context(), p.DB, view.Words, here(r).LocationID)
	if err != nil {
		return nil, err
	}
	if len(articles) != 1 {
		view.Hits = articles
		if len(articles) == 0 {
			return p.showCustomer(r, view, fault.Field("article",
				"We can’t find a product with that barcode, SKU or name."))
		}
		return p.showCustomer(r, view, nil)
	}
	item := shopping.Item{VariantID: articles[0].ID, Quantity: 1, LocationID: here(r).LocationID}
	return p.afterCart(r, shopping.AddFor(r.Context(), p.DB, here(r), id(r, "id"), item))
}

func (p *Pages) changeLine(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	quantity, err := strconv.Atoi(strings.TrimSpace(r.PostFormValue("quantity")))
	if err != nil || quantity < 0 || quantity > cart.MaxQuantity {
		return p.showCustomer(r, customerView{}, fault.New(fault.Invalid, "Choose a quantity from 0 to 99."))
	}
	return p.afterCart(r, cart.SetQuantity(r.Context(), p.DB, id(r, "id"), id(r, "line"), quantity, 0))
}

func (p *Pages) afterCart(r *http.Request, err error) (respond.Answer, error) {
	if wrong := fault.As(err); wrong != nil && wrong.Kind != fault.NotFound {
		return p.showCustomer(r, customerView{}, wrong)
	}
	if err != nil {
		return nil, err
	}
	return respond.See("/counter/customers/" + strconv.FormatInt(id(r, "id"), 10)), nil
}

// share shows the square that opens what lies in this cart on the customer's own phone.
func (p *Pages) share(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	word, err := cart.Share(r.Context(), p.DB, id(r, "id"))
	if wrong := fault.As(err); wrong != nil {
		return p.showCustomer(r, customerView{}, wrong)
	}
	if err != nil {
		return nil, err
	}
	return p.showCustomer(r, customerView{Share: p.Base + "/carts/" + word}, nil)
}

// reserve is the same checkout as the shopper's, at this store, for whoever stands here or is on the phone.
func (p *Pages) reserve(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	view := customerView{Name: typed(r, "name"), Email: typed(r, "email"), Phone: typed(r, "phone")}
	at := here(r)
	if r.PostFormValue("channel") == "phone" {
		at.Channel = origin.Phone
	}
	cartID, _ := strconv.ParseInt(r.PostFormValue("cart"), 10, 64)
	total, _ := strconv.ParseInt(r.PostFormValue("total"), 10, 64)
	_, err := checkout.Place(r.Context(), p.DB, at, checkout.Request{
		CustomerID: id(r, "id"), CartID: cartID, Expected: total, Name: view.Name, Email: view.Email, Phone: view.Phone,
		Pay: payment.PayAtPickup, Here: p.standing(r),
	})
	if wrong := fault.As(err); wrong != nil {
		return p.showCustomer(r, view, wrong)
	}
	if err != nil {
		return nil, err
	}
	return respond.See("/counter/customers/" + strconv.FormatInt(id(r, "id"), 10) + "?done=reserved"), nil
}
