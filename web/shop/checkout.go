package shop

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"counterpart/internal/browse"
	"counterpart/internal/checkout"
	"counterpart/internal/fault"
	"counterpart/internal/live"
	"counterpart/internal/text"
	"counterpart/web/respond"
)

// checkoutView is the checkout's page with what was typed and what is wrong with it.
type checkoutView struct {
	cartView
	Name, Email, Phone string
}

func (p *Pages) checkout(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	view, err := p.readCart(r)
	if err != nil {
		return nil, err
	}
	if view.Basket == nil || !view.Basket.Ready() {
		return respond.See("/cart"), nil
	}
	v := &checkoutView{cartView: *view}
	if view.SignedIn {
		known, err := browse.ContactOf(r.Context(), p.DB, view.CustomerID)
		if err != nil {
			return nil, err
		}
		v.Name, v.Email, v.Phone = known.Name, known.Email, known.Phone
	}
	return respond.Page(checkoutPage(frame(r.Context(), view.Visit, text.T(r.Context(), "Checkout")), v)), nil
}

// placeOrder is safe to send twice: the cart it names makes one order, and every copy is sent to that.
func (p *Pages) placeOrder(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	customerID, err := browse.CustomerOf(r.Context(), p.DB, p.Site.Visitor(r))
	if err != nil {
		return nil, err
	}
	if customerID == 0 {
		return respond.See("/cart"), nil
	}
	request := checkout.Request{
		CustomerID: customerID, CartID: number(r.PostFormValue("cart")), Expected: number(r.PostFormValue("total")),
		Name: r.PostFormValue("name"), Email: r.PostFormValue("email"), Phone: r.PostFormValue("phone"), Channel: "web", Language: language(r),
	}
	link, err := checkout.Place(r.Context(), p.DB, request)
	if f := fault.As(err); f != nil {
		return p.notPlaced(r, request, f)
	}
	if err != nil {
		return nil, err
	}
	return respond.See("/orders/" + link), nil
}

// notPlaced shows the checkout again with everything that was typed, or the cart where that is what has to change.
func (p *Pages) notPlaced(r *http.Request, request checkout.Request, f *fault.Fault) (respond.Answer, error) {
	view, err := p.readCart(r)
	if err != nil {
		return nil, err
	}
	if view.Basket == nil || !view.Basket.Ready() {
		view.Wrong = respond.Sentence(r.Context(), f)
		return respond.Wrong(f, cartPage(frame(r.Context(), view.Visit, text.T(r.Context(), "Cart")), view)), nil
	}
	v := &checkoutView{cartView: *view, Name: request.Name, Email: request.Email, Phone: request.Phone}
	v.Take(r, f)
	return respond.Wrong(f, checkoutPage(frame(r.Context(), view.Visit, text.T(r.Context(), "Checkout")), v)), nil
}

// orderView is an order behind its unguessable link.
type orderView struct {
	*browse.Order
	Visit *browse.Visit
}

func (p *Pages) readOrder(r *http.Request) (*browse.Order, error) {
	o, err := browse.OrderByLink(r.Context(), p.DB, words(chi.URLParam(r, "link")))
	if err == nil && o == nil {
		err = respond.NotFound()
	}
	return o, err
}

func (p *Pages) order(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	o, err := p.readOrder(r)
	if err != nil {
		return nil, err
	}
	visit, err := browse.Look(r.Context(), p.DB, p.Site.Visitor(r))
	if err != nil {
		return nil, err
	}
	title := text.T(r.Context(), "Order {number}", text.Args{"number": o.Number})
	return respond.Page(orderPage(frame(r.Context(), visit, title), &orderView{o, visit})), nil
}

func (p *Pages) orderEvents(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	o, err := p.readOrder(r)
	if err != nil {
		return nil, err
	}
	return respond.Events(p.Live, time.Hour, live.Customer(o.CustomerID)), nil
}

// calendar is the collection as an entry for a calendar (RFC 5545). The same UID again moves the entry.
func (p *Pages) calendar(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	o, err := p.readOrder(r)
	if err != nil {
		return nil, err
	}
	begin := *o.Fulfilment.ReadyBy
	if o.Fulfilment.ReadyAt != nil {
		begin = *o.Fulfilment.ReadyAt
	}
	const stamp = "20060102T150405Z"
	lines := []string{
		"BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Counterpart//Pickup//EN", "BEGIN:VEVENT", "UID:" + o.PublicID + "@counterpart",
		"DTSTAMP:" + o.PlacedAt.UTC().Format(stamp), "DTSTART:" + begin.UTC().Format(stamp), "DTEND:" + begin.Add(30*time.Minute).UTC().Format(stamp),
		"SUMMARY:" + calendarText(text.T(r.Context(), "Collect order {number}", text.Args{"number": o.Number})),
		"LOCATION:" + calendarText(fmt.Sprintf("%s, %s, %s %s", o.Store.Name, o.Store.Street, o.Store.Town, o.Store.Postcode)),
		"END:VEVENT", "END:VCALENDAR", "",
	}
	w.Header().Set("Content-Type", "text/calendar; charset=utf-8")
	w.Header().Set("Content-Disposition", fmt.Sprintf(`attachment; filename="order-%d.ics"`, o.Number))
	fmt.Fprint(w, strings.Join(lines, "\r\n"))
	return respond.Done, nil
}

func calendarText(s string) string {
	return strings.NewReplacer(`\`, `\\`, ";", `\;`, ",", `\,`, "\n", `\n`).Replace(s)
}
