package admin

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/go-chi/chi/v5"

	"counterpart/internal/domain/inventory"
	"counterpart/internal/domain/location"
	"counterpart/internal/flow/stocktake"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/secret"
	"counterpart/internal/platform/text"
	"counterpart/internal/query/admin"
	"counterpart/web/access"
	"counterpart/web/respond"
)

// places are the locations whose shelves this associate looks after.
func (p *Pages) places(r *http.Request) ([]location.Location, error) {
	all, err := location.All(r.Context(), p.DB)
	if err != nil {
		return nil, err
	}
	var mine []location.Location
	for _, l := range all {
		if access.Session(r.Context()).Associate.WorksAt(l.ID) {
			mine = append(mine, l)
		}
	}
	return mine, nil
}

// stockView is the list of stock: of one place, or of all beside each other.
type stockView struct {
	listing
	Filter admin.StockFilter
	Places []location.Location
	At     *location.Location // nil: all
	Rows   []admin.StockRow
}

func (p *Pages) stockFilter(r *http.Request) (v stockView, err error) {
	if v.Places, err = p.places(r); err != nil {
		return v, err
	}
	if len(v.Places) == 0 {
		return v, respond.NotFound()
	}
	q := r.URL.Query()
	v.Filter = admin.StockFilter{Words: typed(q.Get("q")), Low: q.Get("low") == "1"}
	for i := range v.Places {
		v.Filter.Places = append(v.Filter.Places, v.Places[i].ID)
		if v.Places[i].Code == q.Get("at") || len(v.Places) == 1 {
			v.At, v.Filter.Location = &v.Places[i], v.Places[i].ID
		}
	}
	return v, nil
}

func (p *Pages) stock(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	v, err := p.stockFilter(r)
	if err != nil {
		return nil, err
	}
	if v.listing, err = p.newListing(r, "stock", "/admin/stock"); err != nil {
		return nil, err
	}
	if v.Rows, v.Total, err = admin.Stock(r.Context(), p.DB, v.Filter, v.page()); err != nil {
		return nil, err
	}
	v.Rows = trimmed(&v.listing, v.Rows, func(row admin.StockRow) int64 { return row.VariantID })
	if v.beyond(len(v.Rows)) {
		return respond.See(v.address("", 0)), nil
	}
	return respond.Page(stockPage(frame(r, text.T(r.Context(), "Stock"), "stock"), v)), nil
}

// stockCSV is the list as a file, as far as it is counted.
func (p *Pages) stockCSV(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	v, err := p.stockFilter(r)
	if err != nil {
		return nil, err
	}
	rows, _, err := admin.Stock(r.Context(), p.DB, v.Filter, admin.Page{Most: admin.CountUpTo})
	if err != nil {
		return nil, err
	}
	header := []string{"sku", "title", "options"}
	if v.At != nil {
		header = append(header, "on_hand", "reserved", "safety", "available", "bin")
	} else {
		for _, place := range v.Places {
			header = append(header, place.Code+" on_hand", place.Code+" available")
		}
	}
	var cells [][]string
	for _, row := range rows {
		line := []string{row.SKU, row.Title, row.Choice}
		if v.At != nil {
			line = append(line, strconv.Itoa(row.OnHand), strconv.Itoa(row.Reserved), strconv.Itoa(row.Safety),
				strconv.Itoa(row.Free), row.Bin)
		} else {
			for _, place := range v.Places {
				line = append(line, strconv.Itoa(row.At[place.ID].OnHand), strconv.Itoa(row.At[place.ID].Free))
			}
		}
		cells = append(cells, line)
	}
	return download("stock", header, cells), nil
}

// placeAddress is the list of another place, narrowed alike; an empty code is that of all.
func (v stockView) placeAddress(code string) string {
	q := v.kept()
	q.Del("at")
	if code != "" {
		q.Set("at", code)
	}
	if len(q) == 0 {
		return v.Path
	}
	return v.Path + "?" + q.Encode()
}

// ledgerView is a shelf with what was typed about it.
type ledgerView struct {
	*admin.Ledger
	Place           *location.Location
	Received, Note  string
	Counted, Reason string
	ReceiveFields   map[string]text.Message
	CountFields     map[string]text.Message
	MoveFields      map[string]text.Message
	ShelfFields     map[string]text.Message
	Typed           map[string]string
	Wrong           string
	Form            string
	Cause           string
	listing
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
	view.listing = listing{Path: r.URL.Path, query: r.URL.Query()}
	if r.Method == http.MethodPost {
		view.query = url.Values{}
	}
	if cause := view.query.Get("cause"); slices.Contains(admin.Causes, cause) {
		view.Cause = cause
	}
	found, err := admin.LedgerPage(r.Context(), p.DB, id(r, "variant"), place.ID, view.Cause, view.page())
	if err != nil {
		return nil, err
	}
	if found == nil {
		return nil, respond.NotFound()
	}
	found.Moves = trimmed(&view.listing, found.Moves, func(m admin.Move) int64 { return m.ID })
	view.Ledger, view.Place, view.Form = found, place, secret.NewToken()
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
	return p.change(r, view, view.Received, view.Note, "received",
		func(c stocktake.Change) error { return stocktake.Receive(r.Context(), p.DB, at(r), c) })
}

func (p *Pages) count(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	view := ledgerView{Counted: typed(r.PostFormValue("quantity")), Reason: typed(r.PostFormValue("reason"))}
	return p.change(r, view, view.Counted, view.Reason, "counted",
		func(c stocktake.Change) error { return stocktake.Count(r.Context(), p.DB, at(r), c) })
}

func (p *Pages) change(r *http.Request, view ledgerView, quantity, reason, done string,
	apply func(stocktake.Change) error) (respond.Answer, error) {
	place, err := p.shelf(r)
	if err != nil {
		return nil, err
	}
	if known, err := admin.ProductOfVariant(r.Context(), p.DB, id(r, "variant")); err != nil || known == 0 {
		return nil, cmp.Or(err, respond.NotFound())
	}
	n, err := strconv.Atoi(quantity)
	if err != nil {
		n = -1
	}
	err = apply(stocktake.Change{VariantID: id(r, "variant"), LocationID: place.ID, Quantity: n, Reason: reason,
		Form: typed(r.PostFormValue("form"))})
	if wrong := fault.As(err); wrong != nil {
		switch done {
		case "received":
			view.ReceiveFields = wrong.Fields
		case "counted":
			view.CountFields = wrong.Fields
		default:
			view.MoveFields = wrong.Fields
		}
		return p.showLedger(r, view, wrong)
	}
	if err != nil {
		return nil, err
	}
	return respond.See("/admin/stock/" + place.Code + "/" + strconv.FormatInt(id(r, "variant"), 10) + "?done=" +
		done), nil
}

// move changes the condition of units, or writes them off.
func (p *Pages) moveStock(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	view := ledgerView{Typed: typedIn(r, "quantity", "reason", "from", "to")}
	return p.change(r, view, view.Typed["quantity"], view.Typed["reason"], "kept", func(c stocktake.Change) error {
		to := view.Typed["to"]
		if to == "write_off" {
			to = ""
		} else if to == "" {
			to = "nowhere" // which is not in the list
		}
		return stocktake.Move(r.Context(), p.DB, at(r), stocktake.Transfer{VariantID: c.VariantID,
			LocationID: c.LocationID, From: view.Typed["from"], To: to, Quantity: c.Quantity, Reason: c.Reason,
			Form: c.Form, Unlimited: mayEdit(r)})
	})
}

// setShelf says how a place keeps a variant: safety stock, aisle and bin.
func (p *Pages) setShelf(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	place, err := p.shelf(r)
	if err != nil {
		return nil, err
	}
	if known, err := admin.ProductOfVariant(r.Context(), p.DB, id(r, "variant")); err != nil || known == 0 {
		return nil, cmp.Or(err, respond.NotFound())
	}
	view := ledgerView{Typed: typedIn(r, "safety", "bin")}
	err = stocktake.SetShelf(r.Context(), p.DB, at(r), stocktake.Shelf{VariantID: id(r, "variant"),
		LocationID: place.ID, Safety: count(view.Typed["safety"]), Bin: view.Typed["bin"]})
	if wrong := fault.As(err); wrong != nil {
		view.ShelfFields = wrong.Fields
		return p.showLedger(r, view, wrong)
	}
	if err != nil {
		return nil, err
	}
	return respond.See(fmt.Sprintf("/admin/stock/%s/%d?done=kept", place.Code, id(r, "variant"))), nil
}

// conditionName is a condition of units in words.
func conditionName(ctx context.Context, condition string) string {
	switch condition {
	case inventory.OnHold:
		return text.T(ctx, "On hold")
	case inventory.Damaged:
		return text.T(ctx, "Damaged")
	}
	return text.T(ctx, "Sellable")
}

// moveValue is what a field of the form of conditions shows.
func (v ledgerView) moveValue(name, holds string) string {
	if v.MoveFields != nil {
		return v.Typed[name]
	}
	return holds
}

func (v ledgerView) shelfValue(name, holds string) string {
	if v.ShelfFields != nil {
		return v.Typed[name]
	}
	return holds
}
