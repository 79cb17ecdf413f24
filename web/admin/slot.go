package admin

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/go-chi/chi/v5"

	"counterpart/internal/domain/recommend"
	"counterpart/internal/flow/settings"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/text"
	"counterpart/internal/query/admin"
	"counterpart/web/respond"
)

// slotView is a place in which products are suggested, with its rules as they were typed.
type slotView struct {
	respond.Mistakes
	recommend.Slot
	FewestTyped, MostTyped, Owned string
	Categories                    []admin.Category
}

func (p *Pages) slot(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	s, err := recommend.SlotAt(r.Context(), p.DB, chi.URLParam(r, "place"))
	if err != nil {
		return nil, err
	}
	if s == nil {
		return nil, respond.NotFound()
	}
	return p.showSlot(r, slotView{Slot: *s, FewestTyped: strconv.Itoa(s.Fewest), MostTyped: strconv.Itoa(s.Most),
		Owned: strconv.Itoa(s.OwnedDays)}, nil)
}

func (p *Pages) showSlot(r *http.Request, v slotView, wrong *fault.Fault) (_ respond.Answer, err error) {
	if v.Categories, err = admin.Categories(r.Context(), p.DB); err != nil {
		return nil, err
	}
	name, _ := placeOf(r.Context(), v.Place)
	a := frame(r, name, "suggestions")
	if wrong != nil {
		v.Take(r, wrong)
		return respond.Wrong(wrong, slotPage(a, v)), nil
	}
	return respond.Page(slotPage(a, v)), nil
}

func (p *Pages) setSlot(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	now, err := recommend.SlotAt(r.Context(), p.DB, chi.URLParam(r, "place"))
	if err != nil {
		return nil, err
	}
	if now == nil {
		return nil, respond.NotFound()
	}
	v := slotView{FewestTyped: typed(r.PostFormValue("fewest")), MostTyped: typed(r.PostFormValue("most")),
		Owned: typed(r.PostFormValue("owned"))}
	v.Slot = recommend.Slot{Place: now.Place, Active: r.PostFormValue("active") == "yes", Fewest: now.Fewest, Most: now.Most,
		InStore: now.InStore, Sources: now.Sources}
	v.OwnedDays, v.Version = count(v.Owned), count(r.PostFormValue("version"))
	if v.Place != recommend.AtCounter {
		v.Fewest, v.Most, v.Sources = count(v.FewestTyped), count(v.MostTyped), nil
		for _, source := range recommend.Sources {
			if slices.Contains(r.PostForm["source"], source) {
				v.Sources = append(v.Sources, source)
			}
		}
	}
	if v.choosesStore() {
		v.InStore = r.PostFormValue("in_store") == "yes"
	}
	all, err := admin.Categories(r.Context(), p.DB)
	if err != nil {
		return nil, err
	}
	for _, c := range all {
		id := strconv.FormatInt(c.ID, 10)
		if slices.Contains(r.PostForm["only"], id) {
			v.OnlyIn = append(v.OnlyIn, c.ID)
		}
		if slices.Contains(r.PostForm["never"], id) {
			v.NeverIn = append(v.NeverIn, c.ID)
		}
	}
	if len(v.OnlyIn) < len(r.PostForm["only"]) || len(v.NeverIn) < len(r.PostForm["never"]) {
		return p.showSlot(r, v, fault.Field("never", "One of these departments no longer exists. Choose again."))
	}
	err = settings.SetSlot(r.Context(), p.DB, at(r), v.Slot)
	if f := fault.As(err); f != nil {
		if f.Kind == fault.Conflict {
			v.Version = now.Version // They have been told: who saves again replaces it.
		}
		return p.showSlot(r, v, f)
	}
	if err != nil {
		return nil, err
	}
	return respond.See("/admin/suggestions?done=kept"), nil
}

// choosesStore says whether it can be chosen that only what is in the store is shown: at a counter nothing else is.
func (v slotView) choosesStore() bool {
	return v.Place != recommend.AtCounter && v.Place != recommend.InSale
}

// placeOf is what the office calls a place, and where that is.
func placeOf(ctx context.Context, place string) (name, where string) {
	switch place {
	case recommend.OnProduct:
		return text.T(ctx, "Product page"), text.T(ctx, "“Goes well with”, below a product.")
	case recommend.InCart:
		return text.T(ctx, "Cart"), text.T(ctx, "“Goes well with your cart”.")
	case recommend.OnOrder:
		return text.T(ctx, "Order page"), text.T(ctx, "After an order. The same for everyone who opens the order.")
	case recommend.OnSearch:
		return text.T(ctx, "Search without a result"), text.T(ctx, "What goes with their cart, or with what they viewed last.")
	case recommend.AtCounter:
		return text.T(ctx, "Customer at the counter"), text.T(ctx, "The suggestion “goes with”, of what is on a shelf there; in their own “For you” as well.")
	case recommend.InSale:
		return text.T(ctx, "Sale at the counter"), text.T(ctx, "What goes with what was scanned and is on a shelf there.")
	}
	return place, ""
}

// sourceOf is what the office calls a source, and what it is.
func sourceOf(ctx context.Context, source string) string {
	switch source {
	case recommend.Chosen:
		return text.T(ctx, "Chosen by hand")
	case recommend.Bought:
		return text.T(ctx, "Bought together")
	case recommend.Viewed:
		return text.T(ctx, "Viewed together")
	case recommend.Alike:
		return text.T(ctx, "Similar products")
	}
	return source
}

func sourcesOf(ctx context.Context, sources []string) string {
	var all []string
	for _, source := range recommend.Sources {
		if slices.Contains(sources, source) {
			all = append(all, sourceOf(ctx, source))
		}
	}
	return strings.Join(all, " · ")
}
