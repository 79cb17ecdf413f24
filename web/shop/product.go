package shop

import (
	"cmp"
	"context"
	"math"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/go-chi/chi/v5"

	"counterpart/internal/domain/browsing"
	"counterpart/internal/domain/catalog"
	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/recommend"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/geo"
	"counterpart/internal/platform/text"
	"counterpart/internal/query/shop"
	"counterpart/web/part"
	"counterpart/web/respond"
)

// productView is a product with what the shopper typed about where they are, and what went wrong with adding it.
type productView struct {
	*shop.Product
	Near   string
	Place  string // what Near was found to be
	Wrong  string
	Notice noticeView
}

func (p *Pages) product(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	view, err := p.readProduct(r, chi.URLParam(r, "slug"), r.URL.Query().Get("v"))
	if fault.Is(err, fault.NotFound) {
		return p.moved(r, "product", words(chi.URLParam(r, "slug")), "/p/")
	}
	if err != nil {
		return nil, err
	}
	if view.Remember {
		p.Trail.Note(browsing.Event{Device: customer.DeviceValue(p.Site.Visitor(r).Device), At: view.At,
			ProductID: view.ID})
	}
	s := frame(r.Context(), &view.Visit, cmp.Or(view.SEOTitle, view.Title))
	s.Description = view.SEODescription
	return respond.Page(productPage(s, view)), nil
}

func (p *Pages) readProduct(r *http.Request, slug, sku string) (*productView, error) {
	view := &productView{Near: words(r.FormValue("near"))}
	view.Notice.Done = r.URL.Query().Get("notice")
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

// moved leads to where a page went that had an address before; else it answers that there is none.
func (p *Pages) moved(r *http.Request, kind, slug, path string) (respond.Answer, error) {
	now, err := catalog.FormerSlug(r.Context(), p.DB, kind, slug)
	if err != nil {
		return nil, err
	}
	if now == "" {
		return nil, respond.NotFound()
	}
	address := path + url.PathEscape(now)
	if r.URL.RawQuery != "" {
		address += "?" + r.URL.RawQuery
	}
	return respond.Moved(address), nil
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
	for _, a := range v.Beside.Attributes {
		facts = append(facts, [2]string{a.Name, said(ctx, a)})
	}
	if v.MinimumAge > 0 {
		facts = append(facts, [2]string{text.T(ctx, "Minimum age"), text.N(ctx, v.MinimumAge, "{n} year", "{n} years")})
	}
	return facts
}

// said is what an attribute says.
func said(ctx context.Context, a shop.Attribute) string {
	switch {
	case a.Kind == "yes_no" && a.Value == "yes":
		return text.T(ctx, "Yes")
	case a.Kind == "yes_no":
		return text.T(ctx, "No")
	case a.Unit != "":
		return a.Value + "\u00a0" + a.Unit
	}
	return a.Value
}

// perUnit is the price of one kilogram, litre, metre or item; empty where it is not told.
func (v *productView) perUnit(ctx context.Context, one *shop.Variant) string {
	if one.Content <= 0 {
		return ""
	}
	price := v.Money(int64(math.Round(float64(one.Offer.Pays) / one.Content)))
	return text.T(ctx, "{price} per {unit}", text.Args{"price": price, "unit": part.ContentUnit(ctx, one.Unit)})
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
	return v.Pickup && (mine == nil || mine.Available > 0 && mine.Pickup || v.Variant().Sendable == 0)
}

// file is one to read beside a product. It is downloaded, never shown as a page of ours.
func (p *Pages) file(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	n, err := strconv.ParseInt(chi.URLParam(r, "id"), 10, 64)
	if err != nil {
		return nil, respond.NotFound()
	}
	found, err := catalog.FileByID(r.Context(), p.DB, n)
	if err != nil {
		return nil, err
	}
	if found == nil {
		return nil, respond.NotFound()
	}
	content, err := p.Files.Open(found.Key)
	if err != nil {
		return nil, respond.NotFound()
	}
	return func(w http.ResponseWriter, r *http.Request) error {
		defer content.Close()
		w.Header().Set("Content-Type", "application/pdf")
		w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment",
			map[string]string{"filename": found.Title + ".pdf"}))
		http.ServeContent(w, r, "", time.Time{}, content)
		return nil
	}, nil
}

// whyBeside says why a product is shown beside another.
func whyBeside(ctx context.Context, n shop.Neighbour) string {
	with, alone := text.Args{"title": n.Because}, n.Because == ""
	switch {
	case n.Why == recommend.Bought && alone:
		return text.T(ctx, "Often bought together")
	case n.Why == recommend.Bought:
		return text.T(ctx, "Often bought with {title}", with)
	case n.Why == recommend.Viewed && alone:
		return text.T(ctx, "Often viewed together")
	case n.Why == recommend.Viewed:
		return text.T(ctx, "Often viewed with {title}", with)
	case n.Why == recommend.Alike:
		return text.T(ctx, "You may also like this")
	case alone:
		return text.T(ctx, "Chosen by us")
	}
	return text.T(ctx, "Chosen by us with {title}", with)
}
