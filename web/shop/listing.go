package shop

import (
	"net/http"
	"net/url"
	"slices"

	"github.com/go-chi/chi/v5"

	"counterpart/internal/domain/browsing"
	"counterpart/internal/domain/customer"
	"counterpart/internal/platform/money"
	"counterpart/internal/query/advice"
	"counterpart/internal/query/shop"
	"counterpart/web/respond"
)

// listing is a page of a list with the address it was asked for by, from which its links are made.
type listing struct {
	For    []advice.Hint    // what is suggested where nothing was found
	Beside []shop.Neighbour // and what goes with what they have before them
	*shop.Listing
	URL   *url.URL
	Min   string // as typed
	Max   string
	Wrong string // about the price bounds
}

func (p *Pages) department(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	l := p.filter(r)
	l.Filter.Category = words(chi.URLParam(r, "slug"))
	found, err := shop.Category(r.Context(), p.DB, p.Site.Visitor(r), l.Filter)
	if err != nil {
		return nil, err
	}
	if found == nil {
		return p.moved(r, "category", l.Filter.Category, "/d/")
	}
	l.Listing = found
	if l.beyond() {
		return respond.See(l.page(l.last())), nil
	}
	s := frame(r.Context(), &found.Visit, found.Title)
	s.Current = "/d/" + found.Filter.Category
	return respond.Page(departmentPage(s, l)), nil
}

func (p *Pages) search(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	l := p.filter(r)
	l.Filter.Words = words(r.URL.Query().Get("q"))
	found, err := shop.Search(r.Context(), p.DB, p.Site.Visitor(r), l.Filter)
	if err != nil {
		return nil, err
	}
	if len(found.Codes) == 1 {
		return respond.See("/p/" + found.Codes[0].Slug + "?" + url.Values{"v": {found.Codes[0].SKU}}.Encode()), nil
	}
	l.Listing = found
	if l.beyond() {
		return respond.See(l.page(l.last())), nil
	}
	if found.Remember && l.Filter.Words != "" {
		p.Trail.Note(browsing.Event{Device: customer.DeviceValue(p.Site.Visitor(r).Device), At: found.At,
			Words: l.Filter.Words})
	}
	if found.Total == 0 && l.Filter.Words != "" {
		if l.For, err = found.Advise(r.Context(), p.DB, language(r)); err != nil {
			return nil, err
		}
		if l.Beside, err = shop.BesideSearch(r.Context(), p.DB, p.Site.Visitor(r), language(r)); err != nil {
			return nil, err
		}
	}
	l.Beside = slices.DeleteFunc(l.Beside, func(n shop.Neighbour) bool {
		return slices.ContainsFunc(l.For, func(h advice.Hint) bool { return h.Slug == n.Slug })
	})
	s := frame(r.Context(), &found.Visit, l.Filter.Words)
	s.Words = l.Filter.Words
	return respond.Page(searchPage(s, l)), nil
}

// filter reads what was chosen: o.Colour=Moss, min, max, stock, sort, page. What makes no sense does not restrict.
func (p *Pages) filter(r *http.Request) *listing {
	q := r.URL.Query()
	l := &listing{Listing: &shop.Listing{}, URL: r.URL, Min: q.Get("min"), Max: q.Get("max")}
	f := &l.Filter
	f.Options = map[string][]string{}
	for name, values := range q {
		if len(name) > 2 && name[:2] == "o." && len(f.Options) < 8 {
			var kept []string
			for _, value := range values[:min(len(values), 20)] {
				if value = words(value); value != "" {
					kept = append(kept, value)
				}
			}
			if len(kept) > 0 {
				f.Options[words(name[2:])] = kept
			}
		}
	}
	currency := p.Site.Visitor(r).Currency(r.Context())
	f.Min, f.Max = l.bound(l.Min, currency), l.bound(l.Max, currency)
	f.InStock = q.Get("stock") == "1"
	if sort := q.Get("sort"); slices.Contains([]string{"new", "price", "price-down"}, sort) {
		f.Sort = sort
	}
	f.Page = int(max(1, min(number(q.Get("page")), 1000)))
	return l
}

// bound reads a price in the currency of the page.
func (l *listing) bound(typed, currency string) int64 {
	if typed == "" {
		return 0
	}
	amount, err := money.Parse(typed, currency)
	if err != nil || amount.Minor > money.MaxUnit {
		l.Wrong = typed
		return 0
	}
	return amount.Minor
}

func (l *listing) last() int {
	return max(1, (l.Total+shop.PerPage-1)/shop.PerPage)
}

// beyond says that there are products, though none on a page that far.
func (l *listing) beyond() bool { return len(l.Cards) == 0 && l.Total > 0 && l.Filter.Page > l.last() }

// pillID names a value's box, so that a list that is renewed keeps it apart from the one that stands in its place now.
func pillID(name, value string) string {
	return "o-" + url.QueryEscape(name) + "-" + url.QueryEscape(value)
}

func (l *listing) chosen(name, value string) bool {
	return slices.Contains(l.Filter.Options[name], value)
}

// wide is the same list without anything that narrows it.
func (l *listing) wide() string {
	q := url.Values{}
	if l.Filter.Words != "" {
		q.Set("q", l.Filter.Words)
	}
	return (&url.URL{Path: l.URL.Path, RawQuery: q.Encode()}).String()
}

func (l *listing) page(n int) string {
	q := l.URL.Query()
	q.Set("page", pageNumber(n))
	return (&url.URL{Path: l.URL.Path, RawQuery: q.Encode()}).String()
}
