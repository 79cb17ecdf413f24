// Package shop is what a shopper sees in a browser: find something, see which store has it, reserve it, collect it.
package shop

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"counterpart/internal/browse"
	"counterpart/internal/files"
	"counterpart/internal/live"
	"counterpart/internal/pg"
	"counterpart/internal/text"
	"counterpart/web/gate"
	"counterpart/web/layout"
	"counterpart/web/part"
)

// Pages are the shop's, with what they need.
type Pages struct {
	DB    pg.DB
	Site  *gate.Routes
	Files *files.Store
	Live  *live.Hub
}

// Routes is the site map of the shop.
func (p *Pages) Routes(r *gate.Routes) {
	r.Get("/", gate.Anyone, p.home)
	r.Get("/d/{slug}", gate.Anyone, p.department)
	r.Get("/search", gate.Anyone, p.search)
	r.Get("/p/{slug}", gate.Anyone, p.product)
	r.Get("/stores", gate.Anyone, p.stores)
	r.Get("/stores/{slug}", gate.Anyone, p.store)
	r.Post("/stores/{slug}/choose", gate.Anyone, p.chooseStore)
	r.Get("/cart", gate.Anyone, p.cart)
	r.Post("/cart", gate.Anyone, p.addToCart)
	r.Post("/cart/lines/{id}", gate.Anyone, p.changeLine)
	r.Get("/cart/events", gate.Anyone, p.cartEvents)
	r.Get("/checkout", gate.Anyone, p.checkout)
	r.Post("/checkout", gate.Anyone, p.placeOrder)
	r.Get("/orders/{link}", gate.OwnLink, p.order)
	r.Get("/orders/{link}/events", gate.OwnLink, p.orderEvents)
	r.Get("/orders/{link}/calendar.ics", gate.OwnLink, p.calendar)
}

// frame is what the edges of every page show.
func frame(ctx context.Context, v *browse.Visit, title string) layout.Shop {
	s := layout.Shop{Title: title, Name: v.Shop, Pieces: v.Pieces, Demo: v.Demo}
	for _, d := range v.Departments {
		s.Departments = append(s.Departments, layout.Link{Name: d.Name, URL: "/d/" + d.Slug})
	}
	if v.Chosen {
		s.Store, s.StoreNote = v.Store.Name, part.Open(ctx, &v.Store, v.At)
	}
	return s
}

// number reads a whole number from a query or a form; what is not one is 0.
func number(s string) int64 {
	n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// words is what was typed into a search box.
func words(typed string) string { return text.Clean(typed, 100) }

// back is the page a form was sent from, when it is one of ours.
func back(r *http.Request, otherwise string) string {
	return gate.SafeNext(r.PostFormValue("back"), otherwise)
}

func language(r *http.Request) string { return text.Language(r.Context()) }

func pageNumber(n int) string { return strconv.Itoa(n) }

// safeBack is a page of ours to return to, or "".
func safeBack(next string) string { return gate.SafeNext(next, "") }

// productOf is the product and variant that a page of ours shows.
func productOf(address string) (slug, sku string) {
	u, err := url.Parse(address)
	if err != nil || !strings.HasPrefix(u.Path, "/p/") {
		return "", ""
	}
	return strings.TrimPrefix(u.Path, "/p/"), u.Query().Get("v")
}
