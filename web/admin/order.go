package admin

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"counterpart/internal/domain/location"
	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/staff"
	"counterpart/internal/platform/money"
	"counterpart/internal/platform/text"
	"counterpart/internal/query/admin"
	"counterpart/web/access"
	"counterpart/web/part"
	"counterpart/web/respond"
	"counterpart/web/ui"
)

// ordersView is the list of orders with what it was narrowed by.
type ordersView struct {
	Filter admin.OrderFilter
	Rows   []admin.OrderRow
	Total  int
	Stores []location.Location
	query  url.Values
	newer  bool // there are newer ones than this page's
	older  bool
}

// seenBy are the places whose orders somebody may see; nil: all.
func seenBy(r *http.Request) []int64 {
	who := access.Session(r.Context()).Associate
	if who.Role == staff.RoleAdmin {
		return nil
	}
	return append([]int64{}, who.Locations...)
}

func orderFilter(r *http.Request) admin.OrderFilter {
	q := r.URL.Query()
	one := func(name string, known []string) string {
		if value := q.Get(name); slices.Contains(known, value) {
			return value
		}
		return ""
	}
	f := admin.OrderFilter{Words: typed(q.Get("q")), State: one("state", admin.OrderStates),
		Payment: one("payment", admin.PaymentStates), Fulfilment: one("fulfilment", admin.FulfilmentStates),
		Channel: one("channel", channels()), Store: typed(q.Get("store")), Returned: q.Get("returned") == "1",
		Late: q.Get("late") == "1", From: day(q.Get("from")), To: day(q.Get("to")),
		Zone: access.Session(r.Context()).TimeZone, Stores: seenBy(r)}
	f.Before, _ = strconv.ParseInt(q.Get("before"), 10, 64)
	f.After, _ = strconv.ParseInt(q.Get("after"), 10, 64)
	f.Before, f.After = max(f.Before, 0), max(f.After, 0)
	return f
}

func channels() (all []string) {
	for _, c := range origin.All {
		all = append(all, string(c))
	}
	return all
}

func (p *Pages) orders(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	view := ordersView{Filter: orderFilter(r), query: r.URL.Query()}
	view.Filter.Most = admin.PerPage + 1 // One more says that there is another page.
	var err error
	if view.Rows, view.Total, err = admin.Orders(r.Context(), p.DB, view.Filter); err != nil {
		return nil, err
	}
	more := len(view.Rows) > admin.PerPage
	switch {
	case view.Filter.After != 0:
		view.newer, view.older = more, true
		if more {
			view.Rows = view.Rows[1:]
		}
	default:
		view.newer, view.older = view.Filter.Before != 0, more
		if more {
			view.Rows = view.Rows[:admin.PerPage]
		}
	}
	if len(view.Rows) == 0 && (view.Filter.Before != 0 || view.Filter.After != 0) {
		return respond.See(view.address("", 0)), nil
	}
	if view.Stores, err = location.All(r.Context(), p.DB); err != nil {
		return nil, err
	}
	if sees := view.Filter.Stores; sees != nil {
		view.Stores = slices.DeleteFunc(view.Stores, func(l location.Location) bool {
			return !slices.Contains(sees,
				l.ID)
		})
	}
	return respond.Page(ordersPage(frame(r, text.T(r.Context(), "Orders"), "orders"), view)), nil
}

// address of the list with what it is narrowed by, from an edge on: before or after an order.
func (v ordersView) address(edge string, id int64) string {
	q := url.Values{}
	for name, values := range v.query {
		if name != "before" && name != "after" && len(values) > 0 && values[0] != "" {
			q.Set(name, values[0])
		}
	}
	if edge != "" {
		q.Set(edge, strconv.FormatInt(id, 10))
	}
	if len(q) == 0 {
		return "/admin/orders"
	}
	return "/admin/orders?" + q.Encode()
}

func (v ordersView) csvAddress() string {
	return strings.Replace(v.address("", 0), "/admin/orders", "/admin/orders.csv", 1)
}

// narrowed says whether anything narrows the list.
func (v ordersView) narrowed() bool { return v.address("", 0) != "/admin/orders" }

// options of a filter, with none first.
func options(ctx context.Context, any string, values []string, name func(context.Context, string) string) []ui.Option {
	all := []ui.Option{{Name: any}}
	for _, value := range values {
		all = append(all, ui.Option{Value: value, Name: name(ctx, value)})
	}
	return all
}

func channelName(ctx context.Context, channel string) string {
	return part.Channel(ctx, origin.Channel(channel))
}

func (v ordersView) storeOptions(ctx context.Context) []ui.Option {
	all := []ui.Option{{Name: text.T(ctx, "any store")}}
	for _, l := range v.Stores {
		all = append(all, ui.Option{Value: l.Code, Name: l.Name})
	}
	return all
}

// fulfilments of an order in words.
func fulfilments(ctx context.Context, states []string) string {
	names := make(text.List, len(states))
	for i, state := range states {
		names[i] = part.FulfilmentState(ctx, state)
	}
	return text.Say(ctx, names)
}

// ordersCSV is the list as a file, as far as it is counted.
func (p *Pages) ordersCSV(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	filter := orderFilter(r)
	filter.Before, filter.After, filter.Most = 0, 0, admin.CountUpTo
	rows, _, err := admin.Orders(r.Context(), p.DB, filter)
	if err != nil {
		return nil, err
	}
	var cells [][]string
	for _, o := range rows {
		cells = append(cells, []string{strconv.FormatInt(o.Number, 10), o.PlacedAt.UTC().Format(time.RFC3339), o.Name,
			o.Email, string(o.Channel), o.Store, o.State, o.PaymentState, strings.Join(o.Fulfilments, " "),
			strconv.FormatBool(o.Returned), strconv.Itoa(o.Units), money.New(o.Total, o.Currency).Plain(), o.Currency})
	}
	return download("orders", []string{"number", "placed_at", "name", "email", "channel", "store", "state", "payment",
		"fulfilment", "returned", "units", "total", "currency"}, cells), nil
}

func (p *Pages) order(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	o, err := admin.Order(r.Context(), p.DB, id(r, "id"), seenBy(r))
	if err != nil {
		return nil, err
	}
	if o == nil {
		return nil, respond.NotFound()
	}
	title := text.T(r.Context(), "Order {number}", text.Args{"number": o.Number})
	return respond.Page(orderPage(frame(r, title, "orders"), o, title)), nil
}
