package admin

import (
	"net/http"
	"strconv"

	"counterpart/internal/domain/catalog"
	"counterpart/internal/domain/staff"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/money"
	"counterpart/internal/platform/text"
	"counterpart/internal/query/admin"
	"counterpart/web/access"
	"counterpart/web/respond"
)

func (p *Pages) products(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	t := table{Words: typed(r.URL.Query().Get("q")), Page: page(r)}
	rows, total, err := admin.Products(r.Context(), p.DB, t.Words, t.Page)
	if err != nil {
		return nil, err
	}
	t.Total = total
	// What keeps something from being sold is said where everybody begins.
	untaxed, err := admin.Untaxed(r.Context(), p.DB)
	if err != nil {
		return nil, err
	}
	return respond.Page(productsPage(frame(r, text.T(r.Context(), "Products"), "products"), t, rows, untaxed)), nil
}

// productView is a product with what was typed as a price.
type productView struct {
	*admin.Product
	MayPrice bool
	Variant  int64 // whose price was typed
	Currency string
	Typed    string
	Wrong    string
}

func (p *Pages) product(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return p.showProduct(r, id(r, "id"), productView{}, nil)
}

func (p *Pages) showProduct(r *http.Request, productID int64, view productView, wrong *fault.Fault) (respond.Answer,
	error) {
	found, err := admin.ProductPage(r.Context(), p.DB, productID)
	if err != nil {
		return nil, err
	}
	if found == nil {
		return nil, respond.NotFound()
	}
	view.Product, view.MayPrice = found, access.Session(r.Context()).Associate.Role == staff.RoleAdmin
	a := frame(r, found.Title, "products")
	if wrong != nil {
		view.Wrong = respond.Sentence(r.Context(), wrong)
		return respond.Wrong(wrong, productPage(a, view)), nil
	}
	return respond.Page(productPage(a, view)), nil
}

// changePrice closes the price that holds and opens a new one; no amount is ever rewritten.
func (p *Pages) changePrice(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	view := productView{Variant: id(r, "id"), Currency: typed(r.PostFormValue("currency")),
		Typed: typed(r.PostFormValue("amount"))}
	included := r.PostFormValue("tax") == "included"
	productID, err := admin.ProductOf(r.Context(), p.DB, view.Variant, view.Currency, included)
	if err != nil {
		return nil, err
	}
	if productID == 0 {
		return nil, respond.NotFound()
	}
	amount, err := money.Parse(view.Typed, view.Currency)
	if err != nil || amount.Minor > money.MaxUnit || amount.Minor == 0 {
		return p.showProduct(r, productID, view, fault.New(fault.Invalid,
			"Enter a price above zero and up to {most}, such as 12.50.",
			text.Args{"most": money.New(money.MaxUnit, view.Currency)}))
	}
	price := catalog.Price{Currency: view.Currency, TaxIncluded: included, Amount: amount.Minor}
	var was *int64
	if shown, err := strconv.ParseInt(r.PostFormValue("was"), 10, 64); err == nil {
		was = &shown
	}
	changed, err := catalog.SetPrice(r.Context(), p.DB, view.Variant, price, was,
		access.Session(r.Context()).Associate.ID)
	if f := fault.As(err); f != nil {
		return p.showProduct(r, productID, view, f)
	}
	if err != nil {
		return nil, err
	}
	done := "price"
	if !changed {
		done = "same"
	}
	return respond.See("/admin/products/" + strconv.FormatInt(productID, 10) + "?done=" + done), nil
}
