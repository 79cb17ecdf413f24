package admin

import (
	"context"
	"net/http"
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
	listing
	Filter admin.OrderFilter
	Rows   []admin.OrderRow
	Stores []location.Location
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
	return f
}

func channels() (all []string) {
	for _, c := range origin.All {
		all = append(all, string(c))
	}
	return all
}

func (p *Pages) orders(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	list, err := p.newListing(r, "orders", "/admin/orders")
	if err != nil {
		return nil, err
	}
	view := ordersView{listing: list, Filter: orderFilter(r)}
	view.Columns = []column{{"email", text.T(r.Context(), "Email")}, {"payment", text.T(r.Context(), "Payment")},
		{"fulfilment", text.T(r.Context(), "Fulfilment")}, {"channel", text.T(r.Context(), "Channel")}}
	if view.Rows, view.Total, err = admin.Orders(r.Context(), p.DB, view.Filter, view.page()); err != nil {
		return nil, err
	}
	view.Rows = trimmed(&view.listing, view.Rows, func(o admin.OrderRow) int64 { return o.ID })
	if view.beyond(len(view.Rows)) {
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
	rows, _, err := admin.Orders(r.Context(), p.DB, filter, admin.Page{Most: admin.CountUpTo})
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
