package shop

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-chi/chi/v5"

	"counterpart/internal/domain/browsing"
	"counterpart/internal/domain/catalog"
	"counterpart/internal/domain/customer"
	"counterpart/internal/platform/geo"
	"counterpart/internal/platform/text"
	"counterpart/internal/query/shop"
	"counterpart/web/respond"
)

// productView is a product with what the shopper typed about where they are, and what went wrong with adding it.
type productView struct {
	*shop.Product
	Near  string
	Place string // what Near was found to be
	Wrong string
}

func (p *Pages) product(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	view, err := p.readProduct(r, chi.URLParam(r, "slug"), r.URL.Query().Get("v"))
	if err != nil {
		return nil, err
	}
	if view.Remember {
		p.Trail.Note(browsing.Event{Device: customer.DeviceValue(p.Site.Visitor(r).Device), At: view.At,
			ProductID: view.ID})
	}
	return respond.Page(productPage(frame(r.Context(), &view.Visit, view.Title), view)), nil
}

func (p *Pages) readProduct(r *http.Request, slug, sku string) (*productView, error) {
	view := &productView{Near: words(r.FormValue("near"))}
	var near *geo.Place
	if place, ok := geo.Find(view.Near); ok {
		near, view.Place = &place, place.Name
	}
	found, err := shop.ProductPage(r.Context(), p.DB, p.Site.Visitor(r), words(slug), words(sku), near)
	if err != nil {
		return nil, err
	}
	if found == nil {
		return nil, respond.NotFound()
	}
	view.Product = found
	return view, nil
}

// address of this product with a variant, keeping where the shopper is.
func (v *productView) address(sku string) string {
	q := url.Values{"v": {sku}}
	if v.Near != "" {
		q.Set("near", v.Near)
	}
	return "/p/" + v.Slug + "?" + q.Encode()
}

// shown is the gallery: the chosen variant's picture first.
func (v *productView) shown() []shop.Picture {
	var first, rest []shop.Picture
	for _, picture := range v.Pictures {
		if chosen := v.Variant(); chosen != nil && picture.ID == chosen.Picture {
			first = append(first, picture)
		} else {
			rest = append(rest, picture)
		}
	}
	return append(first, rest...)
}

func (v *productView) paragraphs() []string {
	var all []string
	for _, paragraph := range strings.Split(v.Description, "\n\n") {
		if paragraph = strings.TrimSpace(paragraph); paragraph != "" {
			all = append(all, paragraph)
		}
	}
	return all
}

// A swatch is an option's value as something to choose.
type swatch struct {
	Value, URL, Picture string
	Current, Gone       bool
}

// swatches of an option; with pictures where each value has one of its own.
func (v *productView) swatches(option int) []swatch {
	var all []swatch
	keys := map[int64]string{}
	for _, picture := range v.Pictures {
		keys[picture.ID] = picture.Key
	}
	distinct := map[string]bool{}
	for _, value := range v.Values(option) {
		s := swatch{Value: value, Gone: true}
		if variant := v.With(option, value); variant != nil {
			s.URL, s.Picture = v.address(variant.SKU), keys[variant.Picture]
			s.Gone = !variant.GiftCard && !variant.BackOrder && variant.Available <= 0 &&
				(v.Visit.Chosen || variant.Anywhere <= 0)
			distinct[s.Picture] = true
		}
		if chosen := v.Variant(); chosen != nil && option < len(chosen.Options) {
			s.Current = chosen.Options[option] == value
		}
		all = append(all, s)
	}
	if len(distinct) < len(all) || len(all) < 2 {
		for i := range all {
			all[i].Picture = ""
		}
	}
	return all
}

// facts is the definition list below the page.
func (v *productView) facts(ctx context.Context) [][2]string {
	var facts [][2]string
	if v.Brand != "" {
		facts = append(facts, [2]string{text.T(ctx, "Brand"), v.Brand})
	}
	if chosen := v.Variant(); chosen != nil {
		if chosen.Grams > 0 {
			facts = append(facts, [2]string{text.T(ctx, "Weight"), weight(ctx, chosen.Grams)})
		}
		facts = append(facts, [2]string{text.T(ctx, "Product code"), chosen.SKU})
		if chosen.GTIN != "" {
			facts = append(facts, [2]string{text.T(ctx, "Barcode"), catalog.Printed(chosen.GTIN)})
		}
	}
	return facts
}

func weight(ctx context.Context, grams int) string {
	if grams >= 1000 {
		return text.T(ctx, "{n} kg", text.Args{"n": text.Decimal{Value: float64(grams) / 1000, Digits: 1}})
	}
	return text.T(ctx, "{n} g", text.Args{"n": grams})
}

// collects says which way is offered first: collection, where the chosen store has it, or where there is nothing to
// send.
func (v *productView) collects() bool {
	mine := v.Mine()
	return mine == nil || mine.Available > 0 && mine.Pickup || v.Variant().Sendable == 0
}
