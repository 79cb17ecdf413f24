package admin

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"counterpart/internal/domain/location"
	"counterpart/internal/domain/message"
	"counterpart/internal/domain/order"
	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/staff"
	"counterpart/internal/flow/amendment"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/merge"
	"counterpart/internal/platform/money"
	"counterpart/internal/platform/postal"
	"counterpart/internal/platform/text"
	"counterpart/internal/query/admin"
	"counterpart/internal/query/shop"
	"counterpart/web/access"
	"counterpart/web/part"
	"counterpart/web/respond"
	"counterpart/web/ui"

	"github.com/a-h/templ"
)

// ordersView is the list of orders with what it was narrowed by.
type ordersView struct {
	listing
	Filter admin.OrderFilter
	Rows   []admin.OrderRow
	Stores []location.Location
	// Min and Max are the totals as they were typed.
	Min, Max string
}

// seenBy are the places whose orders somebody may see; nil: all.
func seenBy(r *http.Request) []int64 {
	who := access.Session(r.Context()).Associate
	if who.Role == staff.RoleAdmin {
		return nil
	}
	return append([]int64{}, who.Locations...)
}

func (p *Pages) orderFilter(r *http.Request) (admin.OrderFilter, error) {
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
		Late: q.Get("late") == "1", Held: q.Get("held") == "1", Due: q.Get("due") == "1",
		Ends: q.Get("ends") == "1", Way: one("way", []string{"pickup", "ship"}), Tag: typed(q.Get("tag")), From: day(q.Get("from")), To: day(q.Get("to")),
		Zone: access.Session(r.Context()).TimeZone, Stores: seenBy(r)}
	// Totals are in the store's currency, or the chain's first.
	currency, err := location.CurrencyOf(r.Context(), p.DB, f.Store)
	for name, into := range map[string]*int64{"min": &f.Min, "max": &f.Max} {
		if amount, err := money.Parse(typed(q.Get(name)), currency); err == nil {
			*into = max(amount.Minor, 0)
		}
	}
	return f, err
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
	filter, err := p.orderFilter(r)
	if err != nil {
		return nil, err
	}
	view := ordersView{listing: list, Filter: filter, Min: typed(list.query.Get("min")),
		Max: typed(list.query.Get("max"))}
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
	filter, err := p.orderFilter(r)
	if err != nil {
		return nil, err
	}
	rows, _, err := admin.Orders(r.Context(), p.DB, filter, admin.Page{Most: admin.CountUpTo})
	if err != nil {
		return nil, err
	}
	var cells [][]string
	for _, o := range rows {
		cells = append(cells, []string{strconv.FormatInt(o.Number, 10), o.PlacedAt.UTC().Format(time.RFC3339), o.Name,
			o.Email, string(o.Channel), o.Store, o.State, o.PaymentState, strings.Join(o.Fulfilments, " "),
			strconv.FormatBool(o.Returned), strconv.Itoa(o.Units), strconv.Itoa(o.Gone),
			money.New(o.Total, o.Currency).Plain(), money.New(o.Refunded, o.Currency).Plain(), o.Currency})
	}
	return download("orders", []string{"number", "placed_at", "name", "email", "channel", "store", "state", "payment",
		"fulfilment", "returned", "units", "cancelled_units", "total", "refunded", "currency"}, cells), nil
}

// orderView is an order's page, with what was typed into one of its forms.
type orderView struct {
	*admin.OrderPage
	editing
	lineID   int64  // whose form was sent
	line     string // which of its forms: cancel or move
	partID   int64
	parcelID int64
	base     string // the shop's own address
}

func (p *Pages) order(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return p.showOrder(r, orderView{}, nil)
}

func (p *Pages) showOrder(r *http.Request, v orderView, wrong *fault.Fault) (respond.Answer, error) {
	return p.showOrderOf(r, id(r, "id"), v, wrong)
}

func (p *Pages) showOrderOf(r *http.Request, orderID int64, v orderView, wrong *fault.Fault) (respond.Answer, error) {
	var err error
	if v.OrderPage, err = admin.Order(r.Context(), p.DB, orderID, seenBy(r)); err != nil {
		return nil, err
	}
	if v.OrderPage == nil {
		return nil, respond.NotFound()
	}
	v.base = p.Base
	v.now = order.Contact{Name: v.Order.Name, Email: v.Order.Email, Phone: v.Order.Phone}.Fields()
	title := text.T(r.Context(), "Order {number}", text.Args{"number": v.Number})
	a := frame(r, title, "orders")
	if wrong != nil {
		if v.Form == "" {
			v.Take(r, wrong)
		}
		return respond.Wrong(wrong, orderPage(a, v, title)), nil
	}
	return respond.Page(orderPage(a, v, title)), nil
}

// slip is what is laid into a parcel, to be printed.
func (p *Pages) slip(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	found, err := admin.Order(r.Context(), p.DB, id(r, "id"), seenBy(r))
	if err != nil {
		return nil, err
	}
	if found == nil {
		return nil, respond.NotFound()
	}
	for _, f := range found.Parts {
		if f.ID == id(r, "part") && f.Method == "ship" {
			a := frame(r, text.T(r.Context(), "Packing slip"), "orders")
			return respond.Page(slipPage(a, orderView{OrderPage: found}, f)), nil
		}
	}
	return nil, respond.NotFound()
}

// amended does something with an order that whoever asks may see, and answers with its page.
func (p *Pages) amended(r *http.Request, v orderView, form string, edit merge.Edit, section string,
	amend func(orderID int64) error) (respond.Answer, error) {
	found, err := admin.Order(r.Context(), p.DB, id(r, "id"), seenBy(r))
	if err != nil {
		return nil, err
	}
	if found == nil {
		return nil, respond.NotFound()
	}
	if theirs(r, found, v) {
		err = amend(found.ID)
	} else {
		err = fault.New(fault.Denied, "That’s for {store} to change. Ask there, or an admin.",
			text.Args{"store": found.Home})
	}
	if f := fault.As(err); f != nil && f.Kind != fault.NotFound {
		v.refused(r, form, edit, f)
		return p.showOrder(r, v, f)
	}
	if err != nil {
		return nil, err
	}
	done := map[string]string{"refund": "refunded", "cancel": "cancelled", "mail": "mailed"}[form]
	return respond.See(fmt.Sprintf("/admin/orders/%d?done=%s%s", found.ID, cmp.Or(done, "kept"), section)), nil
}

// theirs says whether what is changed of an order lies in one of the places that whoever asks may see.
func theirs(r *http.Request, o *admin.OrderPage, v orderView) bool {
	stores := seenBy(r)
	if stores == nil {
		return true
	}
	part := v.partID
	for _, parcel := range o.Parcels {
		if parcel.ID == v.parcelID {
			part = parcel.FulfilmentID
		}
	}
	for _, l := range o.Lines {
		if l.ID == v.lineID {
			part = l.PartID
		}
	}
	if part == 0 {
		return slices.Contains(stores, o.HomeID)
	}
	return slices.ContainsFunc(o.Parts, func(f shop.Fulfilment) bool {
		return f.ID == part && slices.Contains(stores, f.LocationID)
	})
}

func (p *Pages) holdOrder(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return p.amended(r, orderView{}, "hold", merge.Edit{}, "", func(orderID int64) error {
		return amendment.Hold(r.Context(), p.DB, at(r), orderID, r.PostFormValue("reason"))
	})
}

func (p *Pages) releaseOrder(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return p.amended(r, orderView{}, "hold", merge.Edit{}, "", func(orderID int64) error {
		return amendment.Release(r.Context(), p.DB, at(r), orderID)
	})
}

func (p *Pages) setContact(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	edit := sentEdit(r, "name", "email", "phone")
	return p.amended(r, orderView{}, "contact", edit, "", func(orderID int64) error {
		return amendment.SetContact(r.Context(), p.DB, at(r), orderID, edit)
	})
}

func (p *Pages) tagOrder(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return p.amended(r, orderView{}, "tags", sentEdit(r, "tags"), "", func(orderID int64) error {
		return amendment.SetTags(r.Context(), p.DB, at(r), orderID, r.PostFormValue("tags"))
	})
}

func (p *Pages) noteOrder(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return p.amended(r, orderView{}, "note", sentEdit(r, "note"), "#notes", func(orderID int64) error {
		return amendment.AddNote(r.Context(), p.DB, at(r), orderID, strings.ReplaceAll(r.PostFormValue("note"), "\r\n",
			"\n"))
	})
}

// mailOrder sends a mail once more: confirmed, or that of a part, as ready:12.
func (p *Pages) mailOrder(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	mail, part, _ := strings.Cut(r.PostFormValue("mail"), ":")
	of, _ := strconv.ParseInt(part, 10, 64)
	return p.amended(r, orderView{}, "mail", merge.Edit{}, "#mails", func(orderID int64) error {
		return amendment.Resend(r.Context(), p.DB, at(r), orderID, of, mail)
	})
}

func (p *Pages) setAddress(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	edit := sentEdit(r, "to_name", "lines", "town", "region", "postcode")
	return p.amended(r, orderView{partID: id(r, "part")}, "address", edit, "", func(orderID int64) error {
		return amendment.SetAddress(r.Context(), p.DB, at(r), orderID, id(r, "part"), edit)
	})
}

func (p *Pages) setTracking(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	edit := sentEdit(r, "carrier", "tracking")
	return p.amended(r, orderView{partID: id(r, "part")}, "tracking", edit, "", func(orderID int64) error {
		return amendment.SetTracking(r.Context(), p.DB, at(r), orderID, id(r, "part"), r.PostFormValue("carrier"),
			r.PostFormValue("tracking"), r.PostFormValue("do") == "another")
	})
}

func (p *Pages) removeParcel(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return p.amended(r, orderView{parcelID: id(r, "parcel")}, "tracking", merge.Edit{}, "", func(orderID int64) error {
		return amendment.RemoveParcel(r.Context(), p.DB, at(r), orderID, id(r, "parcel"))
	})
}

func (p *Pages) cancelUnits(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	v := orderView{lineID: id(r, "line"), line: "cancel"}
	return p.amended(r, v, "line", sentEdit(r, "quantity", "reason"), "#lines", func(orderID int64) error {
		return amendment.CancelUnits(r.Context(), p.DB, at(r), orderID, v.lineID, count(r.PostFormValue("quantity")),
			r.PostFormValue("reason"))
	})
}

func (p *Pages) cancelOrder(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return p.amended(r, orderView{}, "cancel", sentEdit(r, "reason"), "", func(orderID int64) error {
		return amendment.Cancel(r.Context(), p.DB, at(r), orderID, r.PostFormValue("reason"))
	})
}

// refundOrder gives a part of the price back: of everything, of the delivery, or of a line by its id.
func (p *Pages) refundOrder(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	edit := sentEdit(r, "amount", "of", "reason")
	refund := amendment.Refund{Amount: edit.Mine["amount"], Reason: edit.Mine["reason"],
		Delivery:  edit.Mine["of"] == "delivery",
		Unlimited: access.Session(r.Context()).Associate.Role == staff.RoleAdmin}
	if edit.Mine["of"] != "" && !refund.Delivery {
		refund.LineID = number64(edit.Mine["of"])
	}
	return p.amended(r, orderView{}, "refund", edit, "#refund", func(orderID int64) error {
		return amendment.GiveBack(r.Context(), p.DB, at(r), orderID, refund)
	})
}

// reducible says whether a part of the price can go back although the goods stay.
func (v orderView) reducible() bool {
	return v.PaymentState == order.Paid && slices.ContainsFunc(v.Lines, func(l shop.OrderLine) bool {
		return l.Quantity > l.Cancelled+l.Returned
	})
}

// refundable are what a part of the price can be given back of.
func (v orderView) refundable(ctx context.Context) []ui.Option {
	all := []ui.Option{{Name: text.T(ctx, "the whole order")}}
	for _, l := range v.Lines {
		if l.Quantity > l.Cancelled+l.Returned {
			all = append(all, ui.Option{Value: strconv.FormatInt(l.ID, 10), Name: lineName(l)})
		}
	}
	if slices.ContainsFunc(v.Parts, func(f shop.Fulfilment) bool { return f.Paid > 0 && f.State != "cancelled" }) {
		all = append(all, ui.Option{Value: "delivery", Name: text.T(ctx, "delivery")})
	}
	return all
}

// moveLine has units collected or sent from elsewhere: a target is pickup:3 or ship:3.
func (p *Pages) moveLine(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	v := orderView{lineID: id(r, "line"), line: "move"}
	edit := sentEdit(r, "quantity", "target", "to_name", "lines", "town", "postcode")
	way, place, _ := strings.Cut(edit.Mine["target"], ":")
	if way != "ship" && way != "pickup" {
		place = "" // which no place has
	}
	move := amendment.Move{LineID: v.lineID, Quantity: count(edit.Mine["quantity"]), Ship: way == "ship",
		To: postal.Address{Name: edit.Mine["to_name"], Lines: edit.Mine["lines"], Town: edit.Mine["town"],
			Postcode: edit.Mine["postcode"]}}
	move.LocationID, _ = strconv.ParseInt(place, 10, 64)
	return p.amended(r, v, "line", edit, "#lines", func(orderID int64) error {
		return amendment.MoveLine(r.Context(), p.DB, at(r), orderID, move)
	})
}

// open says whether anything of the order is still to be handed over or sent.
func (v orderView) open() bool {
	return v.State != "cancelled" && slices.ContainsFunc(v.Lines, func(l shop.OrderLine) bool { return l.Open > 0 })
}

func (v orderView) returnable() bool {
	return slices.ContainsFunc(v.Lines, func(l shop.OrderLine) bool { return l.Collected > l.Returned })
}

// movable says whether a line is still to be picked, so that it can come from elsewhere.
func (v orderView) movable(l shop.OrderLine) bool {
	return slices.ContainsFunc(v.Parts, func(f shop.Fulfilment) bool {
		return f.ID == l.PartID && f.State == "to_pick" && (f.Method == "pickup" || f.Method == "ship")
	})
}

func (v orderView) act(what string) templ.SafeURL {
	return templ.SafeURL(fmt.Sprintf("/admin/orders/%d/%s", v.ID, what))
}

func (v orderView) lineAct(lineID int64, what string) templ.SafeURL {
	return v.act(fmt.Sprintf("lines/%d/%s", lineID, what))
}

// lineValue is what a field of a line's form shows.
func (v orderView) lineValue(lineID int64, name, holds string) string {
	if typed, sent := v.sent.Mine[name]; sent && v.Form == "line" && v.lineID == lineID {
		return typed
	}
	return holds
}

func (v orderView) lineSaid(ctx context.Context, lineID int64, form, name string) string {
	if v.Form != "line" || v.lineID != lineID || v.line != form {
		return ""
	}
	return v.said(ctx, name)
}

// inLine tells the fields of a line's forms apart.
func inLine(form string, lineID int64) string { return fmt.Sprintf("%s-%d-", form, lineID) }

// typedIn is what was typed into a field of a form that was refused.
func (v orderView) typedIn(form, name string) string {
	if v.Form != form {
		return ""
	}
	return v.sent.Mine[name]
}

func (v orderView) saidOf(ctx context.Context, form, name string) string {
	if v.Form != form {
		return ""
	}
	return v.said(ctx, name)
}

func (v orderView) partValue(partID int64, name, holds string) string {
	if typed, sent := v.sent.Mine[name]; sent && v.Form == "tracking" && v.partID == partID {
		return typed
	}
	return holds
}

func (v orderView) partSaid(ctx context.Context, partID int64, name string) string {
	if v.Form != "tracking" || v.partID != partID {
		return ""
	}
	return v.said(ctx, name)
}

// ofPart is the form of a part's address.
func (v orderView) ofPart(f shop.Fulfilment) editing {
	e := editing{now: map[string]string{"to_name": f.Name, "lines": f.Lines, "town": f.Town, "region": f.Region,
		"postcode": f.Postcode}}
	if v.Form == "address" && v.partID == f.ID {
		e.Mistakes, e.Form, e.sent, e.both = v.Mistakes, v.Form, v.sent, v.both
	}
	return e
}

// wrongPart is what is wrong with a form of a part, above it.
func (v orderView) wrongPart(form string, partID int64) templ.Component {
	if v.partID != partID {
		return templ.NopComponent
	}
	return v.wrong(form)
}

func (v orderView) tagsValue() string {
	if v.Form == "tags" {
		return v.sent.Mine["tags"]
	}
	return strings.Join(v.Tags, ", ")
}

// link is the customer's own page of the order.
func (v orderView) link() string { return v.base + "/orders/" + v.PublicID }

// addable says whether something can be added that goes with what of the order has not left.
func (v orderView) addable() bool {
	return v.State == "confirmed" && slices.ContainsFunc(v.Parts, func(f shop.Fulfilment) bool {
		return (f.Method == "pickup" || f.Method == "ship") && (f.State == "to_pick" || f.State == "ready")
	})
}

// mailOptions are the mails that can be sent once more.
func (v orderView) mailOptions(ctx context.Context) []ui.Option {
	if v.State == "cancelled" {
		return nil
	}
	first := message.MailConfirmed
	if v.State == "placed" && v.Prepared {
		first = message.MailPayLink
	}
	all := []ui.Option{{Value: first, Name: part.OrderMail(ctx, first)}}
	for _, f := range v.Parts {
		for state, mail := range map[string]string{"ready": message.MailReady, "shipped": message.MailShipped} {
			if f.State == state {
				all = append(all, ui.Option{Value: fmt.Sprintf("%s:%d", mail, f.ID),
					Name: part.OrderMail(ctx, mail) + ", " + f.Store.Name})
			}
		}
	}
	return all
}

// targets are where something can be collected or sent from.
func (v orderView) targets(ctx context.Context) (all []ui.Option) {
	for _, l := range v.Places {
		if l.Kind == "store" && l.Pickup {
			all = append(all, ui.Option{Value: fmt.Sprintf("pickup:%d", l.ID),
				Name: text.T(ctx, "collect at {store}", text.Args{"store": l.Name})})
		}
	}
	for _, l := range v.Places {
		if l.Ship {
			all = append(all, ui.Option{Value: fmt.Sprintf("ship:%d", l.ID),
				Name: text.T(ctx, "send from {store}", text.Args{"store": l.Name})})
		}
	}
	return all
}

func lineName(l shop.OrderLine) string {
	if l.Options == "" {
		return l.Title
	}
	return l.Title + ", " + l.Options
}

// wayName is how a part is got.
func wayName(ctx context.Context, method string) string {
	switch method {
	case "pickup":
		return text.T(ctx, "Collection")
	case "ship":
		return text.T(ctx, "Delivery")
	}
	return part.Method(ctx, method)
}

// overdue says that a collection was promised for a time that is over, and is not ready.
func overdue(f shop.Fulfilment, now time.Time) bool {
	return f.State == "to_pick" && f.ReadyBy != nil && f.ReadyBy.Before(now)
}

// amountSaid is what is wrong with an amount that a list is narrowed by.
func amountSaid(ctx context.Context, typed string) string {
	if _, err := money.Parse(typed, "GBP"); typed != "" && err != nil {
		return text.T(ctx, "Enter an amount, such as 12.50.")
	}
	return ""
}
