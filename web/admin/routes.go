// Package admin is the office: products and their prices, stock at every location, and the ledger behind each figure.
package admin

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/go-chi/chi/v5"

	"counterpart/internal/catalog"
	"counterpart/internal/fault"
	"counterpart/internal/location"
	"counterpart/internal/money"
	"counterpart/internal/office"
	"counterpart/internal/pg"
	"counterpart/internal/session"
	"counterpart/internal/staff"
	"counterpart/internal/stocktake"
	"counterpart/internal/text"
	"counterpart/web/gate"
	"counterpart/web/layout"
	"counterpart/web/respond"
)

// Pages are the admin's.
type Pages struct {
	DB   pg.DB
	Site *gate.Routes
}

// Routes is the site map of the admin.
func (p *Pages) Routes(r *gate.Routes) {
	r.Get("/admin", gate.Stock, p.home)
	r.Get("/admin/products", gate.Stock, p.products)
	r.Get("/admin/products/{id}", gate.Stock, p.product)
	r.Post("/admin/variants/{id}/price", gate.Admin, p.changePrice)
	r.Get("/admin/stock", gate.Stock, p.stock)
	r.Get("/admin/stock/{location}/{variant}", gate.Stock, p.ledger)
	r.Post("/admin/stock/{location}/{variant}/receive", gate.Stock, p.receive)
	r.Post("/admin/stock/{location}/{variant}/count", gate.Stock, p.count)
}

func frame(r *http.Request, title, section string) layout.Admin {
	a := layout.Admin{Title: title, Section: section, Associate: gate.Session(r.Context()).Associate.Name}
	switch r.URL.Query().Get("done") {
	case "price":
		a.Done = text.T(r.Context(), "The new price holds from now on. The old one stays in the history.")
	case "same":
		a.Done = text.T(r.Context(), "That was the price already. Nothing changed.")
	case "received":
		a.Done = text.T(r.Context(), "Booked in.")
	case "counted":
		a.Done = text.T(r.Context(), "The figure is corrected, and the ledger says why.")
	}
	return a
}

func id(r *http.Request, name string) int64 {
	n, err := strconv.ParseInt(chi.URLParam(r, name), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

func typed(s string) string { return text.Clean(s, 300) }

func page(r *http.Request) int {
	n, err := strconv.Atoi(r.URL.Query().Get("page"))
	if err != nil {
		return 1
	}
	return max(1, min(n, 100_000))
}

func (p *Pages) home(http.ResponseWriter, *http.Request) (respond.Answer, error) {
	return respond.See("/admin/products"), nil
}

// table is a list with its search box and pages.
type table struct {
	Words       string
	Page, Total int
	Location    string
}

func (t table) last() int { return max(1, (t.Total+office.PerPage-1)/office.PerPage) }

func (t table) address(path string) func(int) string {
	return func(page int) string {
		q := url.Values{"page": {strconv.Itoa(page)}}
		if t.Words != "" {
			q.Set("q", t.Words)
		}
		if t.Location != "" {
			q.Set("at", t.Location)
		}
		return path + "?" + q.Encode()
	}
}

func (p *Pages) products(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	t := table{Words: typed(r.URL.Query().Get("q")), Page: page(r)}
	rows, total, err := office.Products(r.Context(), p.DB, t.Words, t.Page)
	if err != nil {
		return nil, err
	}
	t.Total = total
	return respond.Page(productsPage(frame(r, text.T(r.Context(), "Products"), "products"), t, rows)), nil
}

// productView is a product with what was typed as a price.
type productView struct {
	*office.Product
	MayPrice bool
	Variant  int64 // whose price was typed
	Currency string
	Typed    string
	Wrong    string
}

func (p *Pages) product(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return p.showProduct(r, id(r, "id"), productView{}, nil)
}

func (p *Pages) showProduct(r *http.Request, productID int64, view productView, wrong *fault.Fault) (respond.Answer, error) {
	found, err := office.ProductPage(r.Context(), p.DB, productID)
	if err != nil {
		return nil, err
	}
	if found == nil {
		return nil, respond.NotFound()
	}
	view.Product, view.MayPrice = found, gate.Session(r.Context()).Associate.Role == staff.RoleAdmin
	a := frame(r, found.Title, "products")
	if wrong != nil {
		view.Wrong = respond.Sentence(r.Context(), wrong)
		return respond.Wrong(wrong, productPage(a, view)), nil
	}
	return respond.Page(productPage(a, view)), nil
}

// changePrice closes the price that holds and opens a new one; no amount is ever rewritten.
func (p *Pages) changePrice(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	view := productView{Variant: id(r, "id"), Currency: typed(r.PostFormValue("currency")), Typed: typed(r.PostFormValue("amount"))}
	included := r.PostFormValue("tax") == "included"
	productID, err := office.ProductOf(r.Context(), p.DB, view.Variant, view.Currency, included)
	if err != nil {
		return nil, err
	}
	if productID == 0 {
		return nil, respond.NotFound()
	}
	amount, err := money.Parse(view.Typed, view.Currency)
	if err != nil || amount.Minor > money.MaxUnit || amount.Minor == 0 {
		return p.showProduct(r, productID, view, fault.New(fault.Invalid, "Write a price above zero, in figures, such as 12.50."))
	}
	price := catalog.Price{Currency: view.Currency, TaxIncluded: included, Amount: amount.Minor}
	changed, err := catalog.SetPrice(r.Context(), p.DB, view.Variant, price, gate.Session(r.Context()).Associate.ID)
	if err != nil {
		return nil, err
	}
	done := "price"
	if !changed {
		done = "same"
	}
	return respond.See("/admin/products/" + strconv.FormatInt(productID, 10) + "?done=" + done), nil
}

// places are the locations whose shelves this associate looks after.
func (p *Pages) places(r *http.Request) ([]location.Location, error) {
	all, err := location.All(r.Context(), p.DB)
	if err != nil {
		return nil, err
	}
	var mine []location.Location
	for _, l := range all {
		if gate.Session(r.Context()).Associate.WorksAt(l.ID) {
			mine = append(mine, l)
		}
	}
	return mine, nil
}

func (p *Pages) stock(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	places, err := p.places(r)
	if err != nil {
		return nil, err
	}
	if len(places) == 0 {
		return nil, respond.NotFound()
	}
	at := &places[0]
	for i := range places {
		if places[i].Code == r.URL.Query().Get("at") {
			at = &places[i]
		}
	}
	t := table{Words: typed(r.URL.Query().Get("q")), Page: page(r), Location: at.Code}
	rows, total, err := office.Stock(r.Context(), p.DB, at.ID, t.Words, t.Page)
	if err != nil {
		return nil, err
	}
	t.Total = total
	return respond.Page(stockPage(frame(r, text.T(r.Context(), "Stock"), "stock"), t, places, at, rows)), nil
}

// ledgerView is a shelf with what was typed about it.
type ledgerView struct {
	*office.Ledger
	Place           *location.Location
	Received, Note  string
	Counted, Reason string
	ReceiveFields   map[string]text.Message
	CountFields     map[string]text.Message
	Wrong           string
	Form            string
}

func (p *Pages) ledger(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return p.showLedger(r, ledgerView{}, nil)
}

// shelf finds the location of the address among those this associate looks after; another's is not found.
func (p *Pages) shelf(r *http.Request) (*location.Location, error) {
	places, err := p.places(r)
	if err != nil {
		return nil, err
	}
	for i := range places {
		if places[i].Code == chi.URLParam(r, "location") {
			return &places[i], nil
		}
	}
	return nil, respond.NotFound()
}

func (p *Pages) showLedger(r *http.Request, view ledgerView, wrong *fault.Fault) (respond.Answer, error) {
	place, err := p.shelf(r)
	if err != nil {
		return nil, err
	}
	found, err := office.LedgerPage(r.Context(), p.DB, id(r, "variant"), place.ID)
	if err != nil {
		return nil, err
	}
	if found == nil {
		return nil, respond.NotFound()
	}
	view.Ledger, view.Place, view.Form = found, place, session.NewToken()
	a := frame(r, found.Title, "stock")
	if wrong != nil {
		if !wrong.Message.IsZero() {
			view.Wrong = respond.Sentence(r.Context(), wrong)
		}
		return respond.Wrong(wrong, ledgerPage(a, view)), nil
	}
	return respond.Page(ledgerPage(a, view)), nil
}

func (p *Pages) receive(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	view := ledgerView{Received: typed(r.PostFormValue("quantity")), Note: typed(r.PostFormValue("reason"))}
	return p.change(r, view, view.Received, view.Note, "received", func(c stocktake.Change) error { return stocktake.Receive(r.Context(), p.DB, c) })
}

func (p *Pages) count(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	view := ledgerView{Counted: typed(r.PostFormValue("quantity")), Reason: typed(r.PostFormValue("reason"))}
	return p.change(r, view, view.Counted, view.Reason, "counted", func(c stocktake.Change) error { return stocktake.Count(r.Context(), p.DB, c) })
}

func (p *Pages) change(r *http.Request, view ledgerView, quantity, reason, done string, apply func(stocktake.Change) error) (respond.Answer, error) {
	place, err := p.shelf(r)
	if err != nil {
		return nil, err
	}
	if known, err := office.LedgerPage(r.Context(), p.DB, id(r, "variant"), place.ID); err != nil || known == nil {
		return nil, errOr(err, respond.NotFound())
	}
	n, err := strconv.Atoi(quantity)
	if err != nil {
		n = -1
	}
	err = apply(stocktake.Change{VariantID: id(r, "variant"), LocationID: place.ID, Quantity: n, Reason: reason, AssociateID: gate.Session(r.Context()).Associate.ID, Form: typed(r.PostFormValue("form"))})
	if wrong := fault.As(err); wrong != nil {
		if done == "received" {
			view.ReceiveFields = wrong.Fields
		} else {
			view.CountFields = wrong.Fields
		}
		return p.showLedger(r, view, wrong)
	}
	if err != nil {
		return nil, err
	}
	return respond.See("/admin/stock/" + place.Code + "/" + strconv.FormatInt(id(r, "variant"), 10) + "?done=" + done), nil
}

func errOr(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}
