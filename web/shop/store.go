package shop

import (
	"cmp"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/go-chi/chi/v5"

	"counterpart/internal/domain/cart"
	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/location"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/geo"
	"counterpart/internal/platform/text"
	"counterpart/internal/query/shop"
	"counterpart/web/respond"
)

// storeList is all stores, the nearest first where the shopper said where they are.
type storeList struct {
	*shop.Visit
	Stores      []storeEntry
	Near, Place string
	Back        string
	Locate      bool // they agreed that their position is used
	Positioned  bool // the distances are from it
	Wrong       string
}

type storeEntry struct {
	*location.Location
	Kilometres float64
}

func (p *Pages) stores(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	list, err := p.storeList(r)
	if err != nil {
		return nil, err
	}
	list.Near = words(r.URL.Query().Get("near"))
	if place, ok := geo.Find(list.Near); ok {
		list.Place = place.Name
		list.from(place.Point)
	}
	return respond.Page(storesPage(frame(r.Context(), list.Visit, text.T(r.Context(), "Stores")), list)), nil
}

// storesHere sorts by the position that the browser gave. It comes in the body, so that no log and no history has it,
// and is forgotten with the answer.
func (p *Pages) storesHere(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	list, err := p.storeList(r)
	if err != nil {
		return nil, err
	}
	latitude, err1 := strconv.ParseFloat(r.PostFormValue("latitude"), 64)
	longitude, err2 := strconv.ParseFloat(r.PostFormValue("longitude"), 64)
	var f *fault.Fault
	if !list.Locate {
		f = fault.New(fault.Invalid, "We only use your location once you’ve agreed.")
	} else if err1 != nil || err2 != nil || !(math.Abs(latitude) <= 90 && math.Abs(longitude) <= 180) {
		f = fault.New(fault.Invalid, "Your browser didn’t share your location. Enter a postcode or town instead.")
	}
	if f != nil {
		list.Wrong = respond.Sentence(r.Context(), f)
		return respond.Wrong(f, storesPage(frame(r.Context(), list.Visit, text.T(r.Context(), "Stores")), list)), nil
	}
	list.Positioned = true
	list.from(geo.Point{Latitude: latitude, Longitude: longitude})
	return respond.Page(storesPage(frame(r.Context(), list.Visit, text.T(r.Context(), "Stores")), list)), nil
}

func (p *Pages) storeList(r *http.Request) (*storeList, error) {
	visit, all, err := shop.Stores(r.Context(), p.DB, p.Site.Visitor(r))
	if err != nil {
		return nil, err
	}
	list := &storeList{Visit: visit, Back: safeBack(r.FormValue("back"))}
	if visit.CustomerID != 0 {
		if list.Locate, err = customer.Consented(r.Context(), p.DB, visit.CustomerID, customer.Location,
			customer.InShop); err != nil {
			return nil, err
		}
	}
	for i := range all {
		list.Stores = append(list.Stores, storeEntry{&all[i], -1})
	}
	slices.SortFunc(list.Stores, func(a, b storeEntry) int { return cmp.Compare(a.Name, b.Name) })
	return list, nil
}

// address is the list's own, with the page that somebody came from.
func (l *storeList) address() string {
	if l.Back == "" {
		return "/stores"
	}
	return "/stores?" + url.Values{"back": {l.Back}}.Encode()
}

// from puts the nearest store first.
func (l *storeList) from(here geo.Point) {
	for i := range l.Stores {
		l.Stores[i].Kilometres = here.Kilometres(l.Stores[i].Point())
	}
	slices.SortStableFunc(l.Stores, func(a, b storeEntry) int { return cmp.Compare(a.Kilometres, b.Kilometres) })
}

func (p *Pages) store(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	visit, all, err := shop.Stores(r.Context(), p.DB, p.Site.Visitor(r))
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
	_, all, err := shop.Stores(r.Context(), p.DB, who)
	if err != nil {
		return nil, err
	}
	for i := range all {
		if all[i].Slug != chi.URLParam(r, "slug") {
			continue
		}
		customerID, err := shop.CustomerOf(r.Context(), p.DB, who)
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
