package shop

import (
	"cmp"
	"net/http"
	"slices"

	"github.com/go-chi/chi/v5"

	"counterpart/internal/browse"
	"counterpart/internal/cart"
	"counterpart/internal/geo"
	"counterpart/internal/location"
	"counterpart/web/respond"
)

// storeList is all stores, the nearest first where the shopper said where they are.
type storeList struct {
	*browse.Visit
	Stores      []storeEntry
	Near, Place string
	Back        string
}

type storeEntry struct {
	*location.Location
	Kilometres float64
}

func (p *Pages) stores(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	visit, all, err := browse.Stores(r.Context(), p.DB, p.Site.Visitor(r))
	if err != nil {
		return nil, err
	}
	list := &storeList{Visit: visit, Near: words(r.URL.Query().Get("near")), Back: safeBack(r.URL.Query().Get("back"))}
	place, found := geo.Find(list.Near)
	if found {
		list.Place = place.Name
	}
	for i := range all {
		entry := storeEntry{&all[i], -1}
		if found {
			entry.Kilometres = place.Kilometres(all[i].Point())
		}
		list.Stores = append(list.Stores, entry)
	}
	slices.SortStableFunc(list.Stores, func(a, b storeEntry) int {
		return cmp.Or(cmp.Compare(a.Kilometres, b.Kilometres), cmp.Compare(a.Name, b.Name))
	})
	return respond.Page(storesPage(frame(r.Context(), visit, "Stores"), list)), nil
}

func (p *Pages) store(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	visit, all, err := browse.Stores(r.Context(), p.DB, p.Site.Visitor(r))
	if err != nil {
		return nil, err
	}
	for i := range all {
		if all[i].Slug == chi.URLParam(r, "slug") {
			return respond.Page(storePage(frame(r.Context(), visit, all[i].Name), visit, &all[i])), nil
		}
	}
	return nil, respond.NotFound()
}

// chooseStore keeps the choice in the browser, and in the cart where there is one.
func (p *Pages) chooseStore(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	who := p.Site.Visitor(r)
	_, all, err := browse.Stores(r.Context(), p.DB, who)
	if err != nil {
		return nil, err
	}
	for i := range all {
		if all[i].Slug != chi.URLParam(r, "slug") {
			continue
		}
		customerID, err := browse.CustomerOf(r.Context(), p.DB, who)
		if err != nil {
			return nil, err
		}
		if customerID != 0 {
			if err := cart.CollectAt(r.Context(), p.DB, customerID, all[i].ID); err != nil {
				return nil, err
			}
		}
		p.Site.RememberStore(w, all[i].Code)
		return respond.See(back(r, "/stores/"+all[i].Slug)), nil
	}
	return nil, respond.NotFound()
}
