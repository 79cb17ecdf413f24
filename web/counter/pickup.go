package counter

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"counterpart/internal/domain/location"
	"counterpart/internal/domain/payment"
	"counterpart/internal/flow/pickup"
	"counterpart/internal/flow/settle"
	"counterpart/internal/flow/shortage"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/money"
	"counterpart/internal/platform/text"
	"counterpart/internal/query/counter"
	"counterpart/internal/query/shop"
	"counterpart/web/respond"
)

// pickupView is an order at its counter with what was typed.
type pickupView struct {
	respond.Mistakes
	*shop.Order
	Place, Code, Kind, Given string
	Carrier, Tracking        string
	Done                     string
	Line                     int64 // of which something was not found
	Now                      time.Time
	Free                     []string // places where it could be put
	Choices                  []shortage.Options
}

func (p *Pages) pickup(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return p.showPickup(r, id(r, "id"), pickupView{Done: done(r)})
}

func (p *Pages) showPickup(r *http.Request, fulfilmentID int64, view pickupView) (respond.Answer, error) {
	return p.pickupAnswer(r, fulfilmentID, view, nil)
}

func (p *Pages) pickupAnswer(r *http.Request, fulfilmentID int64, view pickupView, wrong *fault.Fault) (respond.Answer,
	error) {
	c, store, err := p.frame(r, text.T(r.Context(), "Collection"))
	if err != nil {
		return nil, err
	}
	view.Order, err = shop.OrderAt(r.Context(), p.DB, fulfilmentID, store.ID)
	if err != nil {
		return nil, err
	}
	if view.Order == nil {
		return nil, respond.NotFound()
	}
	view.Now = time.Now()
	if view.Fulfilment.Method == "pickup" && view.Fulfilment.State == "to_pick" {
		if view.Free, err = counter.FreePlaces(r.Context(), p.DB, store.ID); err != nil {
			return nil, err
		}
	}
	if slices.ContainsFunc(view.Parts, func(f shop.Fulfilment) bool { return f.State == "undecided" }) {
		if view.Choices, err = shortage.OptionsOf(r.Context(), p.DB, view.ID); err != nil {
			return nil, err
		}
	}
	if wrong != nil {
		view.Take(r, wrong)
		return respond.Wrong(wrong, pickupPage(c, view)), nil
	}
	return respond.Page(pickupPage(c, view)), nil
}

// after answers a form about a pickup: the page again with what was wrong, or on to the next thing.
func (p *Pages) after(r *http.Request, err error, view pickupView, next string) (respond.Answer, error) {
	if wrong := fault.As(err); wrong != nil && wrong.Kind != fault.NotFound {
		return p.pickupAnswer(r, id(r, "id"), view, wrong)
	}
	if err != nil {
		return nil, err
	}
	return respond.See(next), nil
}

func (p *Pages) ready(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	// A button names a free place; what was typed goes before it.
	view := pickupView{Place: cmp.Or(typed(r, "place"), typed(r, "free"))}
	err := pickup.Ready(r.Context(), p.DB, here(r), id(r, "id"), view.Place)
	return p.after(r, err, view, "/counter?done=ready")
}

func (p *Pages) pick(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	line, _ := strconv.ParseInt(r.PostFormValue("line"), 10, 64)
	picked, err := strconv.Atoi(r.PostFormValue("picked"))
	if err != nil || picked < 0 || picked > 9999 {
		err = fault.New(fault.Invalid, "Choose how many you’ve picked.")
	} else {
		err = pickup.Pick(r.Context(), p.DB, here(r), id(r, "id"), line, picked)
	}
	return p.after(r, err, pickupView{}, fmt.Sprintf("/counter/pickups/%d", id(r, "id")))
}

func (p *Pages) missing(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	line, _ := strconv.ParseInt(r.PostFormValue("line"), 10, 64)
	quantity, err := strconv.Atoi(strings.TrimSpace(r.PostFormValue("quantity")))
	if err != nil || quantity < 1 || quantity > 99 {
		err = fault.Field("quantity", "Choose how many are missing, from 1 to 99.")
	} else {
		err = pickup.NotFound(r.Context(), p.DB, here(r), id(r, "id"), line, quantity)
	}
	return p.after(r, err, pickupView{Line: line}, "/counter/pickups/"+strconv.FormatInt(id(r, "id"),
		10)+"?done=missing")
}

// choose is a customer saying at the counter what they want instead of what was not found.
func (p *Pages) choose(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	o, err := shop.OrderAt(r.Context(), p.DB, id(r, "id"), here(r).LocationID)
	if err != nil {
		return nil, err
	}
	if o == nil {
		return nil, respond.NotFound()
	}
	choice := shortage.Choice{OrderID: o.ID, By: "staff"}
	choice.ShortageID, _ = strconv.ParseInt(r.PostFormValue("shortage"), 10, 64)
	choice.Chose(r.PostFormValue("what"))
	err = shortage.Decide(r.Context(), p.DB, here(r), choice)
	return p.after(r, err, pickupView{}, fmt.Sprintf("/counter/pickups/%d?done=chosen", id(r, "id")))
}

func (p *Pages) cancel(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	err := pickup.Cancel(r.Context(), p.DB, here(r), id(r, "id"))
	return p.after(r, err, pickupView{}, "/counter?done=cancelled")
}

func (p *Pages) handOver(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	view := pickupView{Code: typed(r, "code"), Kind: typed(r, "kind"), Given: typed(r, "given")}
	_, store, err := p.frame(r, "")
	if err != nil {
		return nil, err
	}
	paid := paidBy(r, view.Kind, view.Given, store)
	_, err = pickup.HandOver(r.Context(), p.DB, here(r), id(r, "id"), view.Code, paid)
	return p.after(r, err, view, fmt.Sprintf("/counter/pickups/%d?done=collected", id(r, "id")))
}

func paidBy(r *http.Request, kind, given string, store *location.Location) settle.CounterPayment {
	paid := settle.CounterPayment{Kind: kind, Sure: sure(r)}
	if kind == payment.Cash {
		amount, err := money.Parse(given, store.Currency)
		paid.Given, paid.Wrong = amount.Minor, err != nil
	}
	return paid
}

// done is what was just done, in words. An address names it by a key, so that nobody can put words into our mouth.
func done(r *http.Request) string {
	switch r.URL.Query().Get("done") {
	case "ready":
		return text.T(r.Context(), "Ready. We’ve told the customer.")
	case "missing":
		return text.T(r.Context(), "Done. We’ve told the customer.")
	case "chosen":
		return text.T(r.Context(), "Done. We’ve told the customer.")
	case "cancelled":
		return text.T(r.Context(), "Cancelled. Put the goods back on the shelf.")
	case "points":
		return text.T(r.Context(), "Points changed.")
	case "reserved":
		return text.T(r.Context(), "Reserved. It’s now in the queue.")
	case "sent":
		return text.T(r.Context(), "Sent. We’ve told the customer.")
	case "phone":
		return text.T(r.Context(), "The sale waits for its payment.")
	case "emailed":
		return text.T(r.Context(), "We’ve emailed the receipt.")
	case "sold":
		return text.T(r.Context(), "Sold and paid.")
	case "paid":
		return text.T(r.Context(), "Paid.")
	case "returned":
		return text.T(r.Context(), "Returned.")
	case "collected":
		return text.T(r.Context(), "Collected and paid.")
	case "invited":
		return text.T(r.Context(), "We’ve emailed them the link.")
	case "merged":
		return text.T(r.Context(), "The profiles are merged. An admin can undo it.")
	}
	return ""
}
