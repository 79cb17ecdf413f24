package admin

import (
	"net/http"

	"counterpart/internal/query/admin"
	"counterpart/web/respond"
)

// productFigures is what became of a product by week and by place.
func (p *Pages) productFigures(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	f, err := admin.FiguresOfProduct(r.Context(), p.DB, id(r, "id"))
	if err != nil {
		return nil, err
	}
	if f == nil {
		return nil, respond.NotFound()
	}
	return respond.Page(productFiguresPage(frame(r, f.Title, "products"), f)), nil
}
