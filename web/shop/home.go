package shop

import (
	"net/http"

	"counterpart/internal/query/shop"
	"counterpart/web/respond"
)

func (p *Pages) home(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	front, err := shop.Home(r.Context(), p.DB, p.Site.Visitor(r))
	if err != nil {
		return nil, err
	}
	return respond.Page(homePage(frame(r.Context(), &front.Visit, ""), front)), nil
}
