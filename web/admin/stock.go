package admin

import (
	"cmp"
	"net/http"
	"strconv"

	"github.com/go-chi/chi/v5"

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
	rows, total, err := admin.Stock(r.Context(), p.DB, at.ID, t.Words, t.Page)
	if err != nil {
		return nil, err
	}
	t.Total = total
	return respond.Page(stockPage(frame(r, text.T(r.Context(), "Stock"), "stock"), t, places, at, rows)), nil
}

// ledgerView is a shelf with what was typed about it.
type ledgerView struct {
	*admin.Ledger
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
	found, err := admin.LedgerPage(r.Context(), p.DB, id(r, "variant"), place.ID)
	if err != nil {
		return nil, err
	}
	if found == nil {
		return nil, respond.NotFound()
	}
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
	if known, err := admin.LedgerPage(r.Context(), p.DB, id(r, "variant"), place.ID); err != nil || known == nil {
		return nil, cmp.Or(err, respond.NotFound())
	}
	n, err := strconv.Atoi(quantity)
	if err != nil {
		n = -1
	}
	err = apply(stocktake.Change{VariantID: id(r, "variant"), LocationID: place.ID, Quantity: n, Reason: reason,
		Form: typed(r.PostFormValue("form"))})
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
	return respond.See("/admin/stock/" + place.Code + "/" + strconv.FormatInt(id(r, "variant"), 10) + "?done=" +
		done), nil
}
