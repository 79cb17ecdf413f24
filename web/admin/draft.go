package admin

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"counterpart/internal/domain/cart"
	"counterpart/internal/domain/location"
	"counterpart/internal/domain/order"
	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/payment"
	"counterpart/internal/domain/quote"
	"counterpart/internal/flow/drafting"
	"counterpart/internal/flow/person"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/text"
	"counterpart/internal/query/admin"
	"counterpart/internal/query/basket"
	"counterpart/internal/query/counter"
	"counterpart/internal/query/shop"
	"counterpart/web/access"
	"counterpart/web/part"
	"counterpart/web/respond"
	"counterpart/web/ui"

	"github.com/a-h/templ"
)

// draftView is an order that is prepared, with what was typed where something is wrong.
type draftView struct {
	*drafting.View
	respond.Mistakes
	Stores []location.Location // whose prices can hold
	Words  string              // that were looked for
	Hits   []counter.Hit
	Typed  map[string]string // into fields that are wrong
	Code   string
	Pay    string
	Lives  string
	Cards  bool

	contact *order.DraftContact // as it was typed, where it was not kept
}

func (p *Pages) drafts(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	rows, err := admin.Drafts(r.Context(), p.DB, seenBy(r))
	if err != nil {
		return nil, err
	}
	return respond.Page(draftsPage(frame(r, text.T(r.Context(), "Drafts"), "orders"), rows)), nil
}

// onPhone is where an order comes from that staff take.
func onPhone(r *http.Request) origin.Origin {
	here := at(r)
	here.Channel = origin.Phone
	return here
}

// beginDraft begins an order for a customer, or one that adds to another.
func (p *Pages) beginDraft(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	b := drafting.Beginning{AddsTo: number64(r.PostFormValue("adds_to")), CustomerID: number64(r.PostFormValue("customer"))}
	stores, err := p.draftStores(r)
	if err != nil {
		return nil, err
	}
	if b.AddsTo != 0 {
		// Only an order that whoever asks may see is added to, at prices like its own.
		found, err := admin.Order(r.Context(), p.DB, b.AddsTo, seenBy(r))
		if err != nil {
			return nil, err
		}
		if found == nil {
			return nil, respond.NotFound()
		}
		stores = slices.DeleteFunc(stores, func(l location.Location) bool {
			return l.Currency != found.Currency || l.TaxIncluded != found.TaxIncluded
		})
	} else if err := p.draftFor(r, &b, stores); err != nil {
		return nil, err
	}
	for _, l := range stores {
		b.Stores = append(b.Stores, l.ID)
	}
	id, err := drafting.Begin(r.Context(), p.DB, onPhone(r), b)
	if f := fault.As(err); f != nil && b.AddsTo != 0 {
		return p.showOrderOf(r, b.AddsTo, orderView{}, f)
	}
	if err != nil {
		return nil, err
	}
	if id == 0 {
		return respond.See("/admin/orders/drafts"), nil
	}
	return respond.See(draftPath(id)), nil
}

// draftFor fills in what is known of the customer, and puts their own store first.
func (p *Pages) draftFor(r *http.Request, b *drafting.Beginning, stores []location.Location) error {
	if err := person.Open(r.Context(), p.DB, at(r), b.CustomerID, access.Session(r.Context()).Associate.Role); err != nil {
		return err
	}
	known, err := shop.ContactOf(r.Context(), p.DB, b.CustomerID)
	if err != nil {
		return err
	}
	b.Contact = order.DraftContact{Name: known.Name, Email: known.Email, Phone: known.Phone, Lines: known.To.Lines,
		Town: known.To.Town, Region: known.To.Region, Postcode: known.To.Postcode}
	b.Country = known.To.Country
	code, err := admin.StoreOf(r.Context(), p.DB, b.CustomerID)
	if i := slices.IndexFunc(stores, func(l location.Location) bool { return l.Code == code }); i > 0 {
		stores[0], stores[i] = stores[i], stores[0]
	}
	return err
}

// draftStores are those that whoever asks may see.
func (p *Pages) draftStores(r *http.Request) ([]location.Location, error) {
	all, err := location.All(r.Context(), p.DB)
	sees := seenBy(r)
	return slices.DeleteFunc(all, func(l location.Location) bool {
		return l.Kind != "store" || sees != nil && !slices.Contains(sees, l.ID)
	}), err
}

func draftPath(id int64) string { return "/admin/orders/drafts/" + strconv.FormatInt(id, 10) }

func number64(s string) int64 {
	n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

func (p *Pages) draft(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return p.showDraft(r, draftView{}, nil)
}

func (p *Pages) showDraft(r *http.Request, v draftView, wrong *fault.Fault) (respond.Answer, error) {
	d, err := p.visibleDraft(r)
	if err != nil {
		return nil, err
	}
	if d.OrderID != 0 {
		return respond.See(fmt.Sprintf("/admin/orders/%d", d.OrderID)), nil
	}
	if v.View, err = drafting.Look(r.Context(), p.DB, d.ID, text.Content(r.Context())); err != nil {
		return nil, err
	}
	if v.contact != nil {
		v.View.DraftContact = *v.contact
	}
	if v.Stores, err = p.draftStores(r); err != nil {
		return nil, err
	}
	v.Cards, v.Words = p.Gateway != "", typed(r.URL.Query().Get("find"))
	if v.Words == "" {
		v.Words = typed(r.PostForm.Get("find"))
	}
	if v.Hits, err = counter.Articles(r.Context(), p.DB, v.Words, v.LocationID); err != nil {
		return nil, err
	}
	title := text.T(r.Context(), "New order")
	if v.With != nil {
		title = text.T(r.Context(), "Add to order {number}", text.Args{"number": v.With.Number})
	}
	a := frame(r, title, "orders")
	if wrong != nil {
		v.Take(r, wrong)
		return respond.Wrong(wrong, draftPage(a, v, title)), nil
	}
	return respond.Page(draftPage(a, v, title)), nil
}

// visibleDraft is the draft of the address, where whoever asks may see its store.
func (p *Pages) visibleDraft(r *http.Request) (*order.Draft, error) {
	d, err := order.DraftByID(r.Context(), p.DB, id(r, "id"))
	if err != nil {
		return nil, err
	}
	if sees := seenBy(r); d == nil || sees != nil && !slices.Contains(sees, d.LocationID) {
		return nil, respond.NotFound()
	}
	return d, nil
}

// saveDraft keeps the whole form and then does what its button says: nothing more, add, take out, or send.
func (p *Pages) saveDraft(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	d, err := p.visibleDraft(r)
	if err != nil {
		return nil, err
	}
	if d.OrderID != 0 {
		return respond.See(fmt.Sprintf("/admin/orders/%d", d.OrderID)), nil
	}
	do, which, _ := strings.Cut(r.PostFormValue("do"), ":")
	v := draftView{Typed: map[string]string{}, Code: typed(r.PostFormValue("code")), Pay: r.PostFormValue("pay"),
		Lives: r.PostFormValue("lives")}
	change := draftChange(r, d, v, do, which)
	if sees := seenBy(r); change.LocationID != 0 && sees != nil && !slices.Contains(sees, change.LocationID) {
		change.LocationID = 0
	}
	if err := drafting.Save(r.Context(), p.DB, onPhone(r), d.ID, change); fault.As(err) != nil {
		v.contact = &change.DraftContact
		return p.showDraft(r, v, fault.As(err))
	} else if err != nil {
		return nil, err
	}
	if do == "send" {
		return p.sendDraft(r, d.ID, v)
	}
	to := draftPath(d.ID)
	if words := typed(r.PostFormValue("find")); words != "" {
		return respond.See(to + "?find=" + url.QueryEscape(words) + "#find"), nil
	}
	return respond.See(to), nil
}

// draftChange is what the form says. Where it has no address, because nothing was sent yet, the kept one stays.
func draftChange(r *http.Request, d *order.Draft, v draftView, do, which string) drafting.Change {
	contact := d.DraftContact
	for name, into := range map[string]*string{"name": &contact.Name, "email": &contact.Email, "phone": &contact.Phone,
		"lines": &contact.Lines, "town": &contact.Town, "region": &contact.Region, "postcode": &contact.Postcode} {
		if r.PostForm.Has(name) {
			*into = strings.ReplaceAll(typed(r.PostForm.Get(name)), "\r\n", "\n")
		}
	}
	c := drafting.Change{DraftContact: contact,
		Code: v.Code, Country: typed(r.PostFormValue("country")), LocationID: number64(r.PostFormValue("store")),
		DeliveryID: number64(r.PostFormValue("delivery")), Version: number64(r.PostFormValue("version"))}
	for name := range r.PostForm {
		line, ok := strings.CutPrefix(name, "quantity-")
		if !ok || number64(line) == 0 {
			continue
		}
		v.Typed[name] = typed(r.PostForm.Get(name))
		change := drafting.LineChange{LineID: number64(line), Quantity: count(v.Typed[name])}
		if do == "remove" && which == line {
			change.Quantity = 0
		}
		way, place, _ := strings.Cut(r.PostForm.Get("way-"+line), ":")
		change.Way = cart.Way{Method: way, LocationID: number64(place)}
		c.Lines = append(c.Lines, change)
	}
	slices.SortFunc(c.Lines, func(a, b drafting.LineChange) int { return int(a.LineID - b.LineID) })
	switch do {
	case "add":
		c.Add = number64(which)
	case "drop-code":
		c.DropCode = typed(which)
	}
	return c
}

func (p *Pages) sendDraft(r *http.Request, draftID int64, v draftView) (respond.Answer, error) {
	days := max(0, min(count(v.Lives), 30))
	s := drafting.Sending{Expected: number64(r.PostFormValue("total")), Pay: payment.Card, Gateway: p.Gateway,
		Lives: time.Duration(days) * 24 * time.Hour}
	if v.Pay == payment.PayAtPickup {
		s.Pay = payment.PayAtPickup
	}
	orderID, err := drafting.Send(r.Context(), p.DB, onPhone(r), draftID, s)
	if f := fault.As(err); f != nil {
		return p.showDraft(r, v, f)
	}
	if err != nil {
		return nil, err
	}
	done := "sent"
	if strings.TrimSpace(r.PostFormValue("email")) == "" {
		done = "placed"
	}
	return respond.See(fmt.Sprintf("/admin/orders/%d?done=%s", orderID, done)), nil
}

func (p *Pages) dropDraft(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	d, err := p.visibleDraft(r)
	if err != nil {
		return nil, err
	}
	if err := drafting.Drop(r.Context(), p.DB, at(r), d.ID); fault.As(err) != nil {
		return p.showDraft(r, draftView{}, fault.As(err))
	} else if err != nil {
		return nil, err
	}
	return respond.See("/admin/orders/drafts"), nil
}

func (v draftView) path(rest string) templ.SafeURL { return templ.SafeURL(draftPath(v.ID) + rest) }

// value is what a field shows: what was typed, where it is wrong, else what is kept.
func (v draftView) value(name, kept string) string {
	if typed, ok := v.Typed[name]; ok && !v.Fields[name].IsZero() {
		return typed
	}
	return kept
}

func (v draftView) way(l basket.Line) string {
	if l.Method == quote.Pickup {
		return fmt.Sprintf("pickup:%d", l.LocationID)
	}
	return l.Method
}

// wayOptions are how a line can be had: sent, or collected at any store of the same prices.
func (v draftView) wayOptions(ctx context.Context, l basket.Line) (all []ui.Option) {
	if !l.NoShip {
		all = append(all, ui.Option{Value: quote.Ship, Name: text.T(ctx, "Delivery")})
	}
	if l.NoPickup {
		return all
	}
	for _, s := range v.Stores {
		if s.Pickup && s.Currency == v.Basket.Home.Currency && s.TaxIncluded == v.Basket.Home.TaxIncluded {
			all = append(all, ui.Option{Value: fmt.Sprintf("pickup:%d", s.ID),
				Name: text.T(ctx, "Collect at {store}", text.Args{"store": s.Name})})
		}
	}
	return all
}

func (v draftView) storeOptions() (all []ui.Option) {
	for _, l := range v.Stores {
		all = append(all, ui.Option{Value: strconv.FormatInt(l.ID, 10), Name: l.Name})
	}
	return all
}

func (v draftView) countryOptions(ctx context.Context) (all []ui.Option) {
	for _, country := range v.Basket.Countries {
		all = append(all, ui.Option{Value: country, Name: part.Country(ctx, country)})
	}
	return all
}

func (v draftView) deliveryOptions(ctx context.Context) (all []ui.Option) {
	for _, way := range v.Basket.Ways {
		all = append(all, ui.Option{Value: strconv.FormatInt(way.ID, 10),
			Name: way.Name + ", " + part.Free(ctx, v.Basket.Quote.In(way.Charge))})
	}
	return all
}

func (v draftView) chosenWay() string {
	if v.Basket.Way == nil {
		return ""
	}
	return strconv.FormatInt(v.Basket.Way.ID, 10)
}

// lives are how long a link can be good for: a day, where a parcel may leave meanwhile.
func (v draftView) lives(ctx context.Context) (all []ui.Option) {
	choices := order.LinkLives
	if v.With != nil {
		choices = choices[:1]
	}
	for _, life := range choices {
		days := int(life / (24 * time.Hour))
		all = append(all, ui.Option{Value: strconv.Itoa(days), Name: text.N(ctx, days, "{n} day", "{n} days")})
	}
	return all
}
