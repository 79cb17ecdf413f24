package shop

import (
	"net/http"

	"github.com/go-chi/chi/v5"

	"counterpart/internal/document"
	"counterpart/internal/money"
	"counterpart/web/respond"
)

// documentView is an invoice or a credit note, as it was issued.
type documentView struct{ document.Document }

func (v documentView) money(minor int64) money.Money { return money.New(minor, v.Currency) }

func (p *Pages) document(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	o, err := p.readOrder(r)
	if err != nil {
		return nil, err
	}
	all, err := document.OfOrder(r.Context(), p.DB, o.ID)
	if err != nil {
		return nil, err
	}
	for _, d := range all {
		if d.Series == chi.URLParam(r, "series") && d.Number == number(chi.URLParam(r, "number")) {
			return respond.Page(documentPage(documentView{d})), nil
		}
	}
	return nil, respond.NotFound()
}
