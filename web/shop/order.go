package shop

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"counterpart/internal/domain/order"
	"counterpart/internal/flow/cancellation"
	"counterpart/internal/flow/pickup"
	"counterpart/internal/flow/shopping"
	"counterpart/internal/flow/shortage"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/live"
	"counterpart/internal/platform/postal"
	"counterpart/internal/platform/text"
	"counterpart/internal/query/reference"
	"counterpart/internal/query/shop"
	"counterpart/web/part"
	"counterpart/web/respond"
)

// orderView is an order behind its unguessable link.
type orderView struct {
	*shop.Order
	Visit   *shop.Visit
	Later   bool // the page to pay could not be reached
	Sandbox bool
	Cards   bool
	Choices []shortage.Options // of what was not found
	To      postal.Address     // where it would be sent, as typed
	Chosen  int64              // the shortage whose form was sent
	Done    string
	Beside  []shop.Neighbour // what goes with it
	respond.Mistakes
}

func (p *Pages) readOrder(r *http.Request) (*shop.Order, error) { return p.readOrderWith(r, nil) }

// readOrderWith takes stores from what the process knows, which the page has asked whether it still holds; nil: it reads
// them.
func (p *Pages) readOrderWith(r *http.Request, known *reference.Data) (*shop.Order, error) {
	o, err := shop.OrderByLink(r.Context(), p.DB, words(chi.URLParam(r, "link")), known)
	if err == nil && o == nil {
		err = respond.NotFound()
	}
	return o, err
}

func (p *Pages) order(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return p.showOrder(r, nil)
}

// extend keeps a staged part for longer, once.
func (p *Pages) extend(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	o, err := p.readOrder(r)
	if err != nil {
		return nil, err
	}
	_, err = pickup.Extend(r.Context(), p.DB, o.ID, number(r.PostFormValue("part")))
	if f := fault.As(err); f != nil {
		return p.showOrder(r, f)
	}
	if err != nil {
		return nil, err
	}
	return respond.See("/orders/" + o.PublicID + "?done=extended"), nil
}

// choose says what becomes of what was not found.
func (p *Pages) choose(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	o, err := p.readOrder(r)
	if err != nil {
		return nil, err
	}
	to := postal.Address{Name: written(r, "name"), Lines: written(r, "lines"), Town: written(r, "town"),
		Region: written(r, "region"), Postcode: written(r, "postcode")}
	choice := shortage.Choice{OrderID: o.ID, ShortageID: number(r.PostFormValue("shortage")),
		To: to, By: "shopper"}
	choice.Chose(r.PostFormValue("what"))
	err = shortage.Decide(r.Context(), p.DB, here(r), choice)
	if f := fault.As(err); f != nil {
		return p.showOrderAs(r, orderView{To: to, Chosen: choice.ShortageID}, f)
	}
	if err != nil {
		return nil, err
	}
	return respond.See("/orders/" + o.PublicID + "?done=chosen"), nil
}

func (p *Pages) showOrder(r *http.Request, wrong *fault.Fault) (respond.Answer, error) {
	return p.showOrderAs(r, orderView{}, wrong)
}

func (p *Pages) showOrderAs(r *http.Request, typed orderView, wrong *fault.Fault) (respond.Answer, error) {
	// The visit first: it asks whether what the process knows still holds.
	visit, err := shop.VisitOf(r.Context(), p.DB, p.Site.Visitor(r))
	if err != nil {
		return nil, err
	}
	o, err := p.readOrderWith(r, visit.Reference())
	if err != nil {
		return nil, err
	}
	view := &typed
	view.Order, view.Visit, view.Later, view.Sandbox, view.Cards = o, visit, r.URL.Query().Get("pay") == "later", p.sandbox(), p.Payments.Takes()
	if slices.ContainsFunc(o.Parts, func(f shop.Fulfilment) bool { return f.State == "undecided" }) {
		if view.Choices, err = shortage.OptionsOf(r.Context(), p.DB, o.ID); err != nil {
			return nil, err
		}
	}
	if view.Beside, err = shop.BesideOrder(r.Context(), p.DB, o, visit, language(r)); err != nil {
		return nil, err
	}
	switch r.URL.Query().Get("done") {
	case "extended":
		view.Done = text.T(r.Context(), "Done. We’ll hold it a little longer.")
	case "chosen":
		view.Done = text.T(r.Context(), "Thank you. We’ve changed your order.")
	}
	s := frame(r.Context(), visit, text.T(r.Context(), "Order {number}", text.Args{"number": o.Number}))
	s.Sandbox = view.Sandbox && (o.State == "placed" || view.lost())
	if wrong != nil {
		view.Take(r, wrong)
		return respond.Wrong(wrong, orderPage(s, view)), nil
	}
	return respond.Page(orderPage(s, view)), nil
}

// paid is where the gateway sends the browser back to. What the address says is not believed: the gateway is asked.
func (p *Pages) paid(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	o, err := p.readOrder(r)
	if err != nil {
		return nil, err
	}
	if o.Attempt != nil && p.Payments.Takes() && (o.State == "placed" || o.ToPay > 0) {
		// Should the gateway not answer now, its message or the poller settles it; the page says how it stands.
		ctx, cancel := context.WithTimeout(r.Context(), 4*time.Second)
		defer cancel()
		_ = p.Payments.Settle(ctx, o.Attempt.ID)
	}
	return respond.See("/orders/" + o.PublicID), nil
}

// payAgain opens the page to pay once more, or another attempt after one that was declined.
func (p *Pages) payAgain(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	o, err := p.readOrder(r)
	if err != nil {
		return nil, err
	}
	if o.Prepared {
		if err := order.Agree(r.Context(), p.DB, o.ID, number(r.PostFormValue("terms"))); err != nil {
			return nil, err
		}
	}
	paymentID, err := p.Payments.Retry(r.Context(), o.ID, r.PostFormValue("pay"))
	if f := fault.As(err); f != nil {
		return p.showOrder(r, f)
	}
	if err != nil {
		return nil, err
	}
	return p.toPayment(r, o.PublicID, paymentID)
}

// cancelOrder is the owner calling it off, while nothing of it is staged or sent.
func (p *Pages) cancelOrder(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	o, err := p.readOrder(r)
	if err != nil {
		return nil, err
	}
	err = cancellation.Order(r.Context(), p.DB, here(r), o.ID)
	if f := fault.As(err); f != nil {
		return p.showOrder(r, f)
	}
	if err != nil {
		return nil, err
	}
	return respond.See("/orders/" + o.PublicID), nil
}

func (p *Pages) orderAgain(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	o, err := p.readOrder(r)
	if err != nil {
		return nil, err
	}
	who, err := p.who(r)
	if err != nil {
		return nil, err
	}
	token, err := shopping.OrderAgain(r.Context(), p.DB, here(r), who, o.ID)
	if err != nil {
		return nil, err
	}
	if token != "" {
		p.Site.RememberDevice(w, token)
	}
	return respond.See("/cart"), nil
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
	f := o.Fulfilment
	for _, one := range o.Parts {
		if one.Method == "pickup" {
			f = one
			break
		}
	}
	if f.ReadyBy == nil {
		return nil, respond.NotFound()
	}
	begin := *f.ReadyBy
	if f.ReadyAt != nil {
		begin = *f.ReadyAt
	}
	const stamp = "20060102T150405Z"
	lines := []string{
		"BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Counterpart//Pickup//EN", "BEGIN:VEVENT", "UID:" + o.PublicID +
			"@counterpart",
		"DTSTAMP:" + o.PlacedAt.UTC().Format(stamp), "DTSTART:" + begin.UTC().Format(stamp), "DTEND:" +
			begin.Add(30*time.Minute).UTC().Format(stamp),
		"SUMMARY:" + calendarText(text.T(r.Context(), "Collect order {number}", text.Args{"number": o.Number})),
		"LOCATION:" + calendarText(fmt.Sprintf("%s, %s, %s %s", f.Store.Name, f.Store.Street, f.Store.Town,
			f.Store.Postcode)),
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

func zoned(f shop.Fulfilment, t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.In(f.Store.Zone())
}

// headline says how the whole order stands.
func (v *orderView) headline(ctx context.Context) string {
	if v.State == "cancelled" {
		return text.T(ctx, "This order is cancelled")
	}
	if v.State == "placed" {
		if v.declined() {
			return text.T(ctx, "Payment unsuccessful")
		}
		if v.Prepared {
			return text.T(ctx, "Your order is ready to pay")
		}
		return text.T(ctx, "Not paid yet")
	}
	if len(v.Parts) == 1 {
		return v.partHeadline(ctx, v.Parts[0])
	}
	done := true
	for _, f := range v.Parts {
		if f.State == "undecided" {
			return text.T(ctx, "Your choice, please")
		}
		done = done && (f.State == "collected" || f.State == "shipped" || f.State == "cancelled")
	}
	if done {
		return text.T(ctx, "Everything’s with you or on its way")
	}
	return text.T(ctx, "Thank you. We’re on it.")
}

func (v *orderView) declined() bool { return v.Attempt != nil && v.Attempt.State == "declined" }

// lost says that the order was confirmed on a promise that was not kept: it is to be paid once more.
func (v *orderView) lost() bool {
	return v.State == "confirmed" && v.ToPay > 0 && v.Attempt != nil
}

// keptUntil is when the items of an order that is not paid go back on the shelf: with the day, where it is not today.
func (v *orderView) keptUntil(ctx context.Context) string {
	until := v.HoldUntil.In(v.Store.Zone())
	if !v.Prepared {
		return text.T(ctx, "Your items are reserved until {time}.", text.Args{"time": text.Clock(until)})
	}
	return text.T(ctx, "Your items are reserved until {day}, {time}.",
		text.Args{"day": part.Day(ctx, until, v.Visit.At), "time": text.Clock(until)})
}

// open is what is to be paid online.
func (v *orderView) open() int64 {
	if v.lost() {
		return v.ToPay
	}
	return v.Attempt.Amount
}

func (v *orderView) partHeadline(ctx context.Context, f shop.Fulfilment) string {
	store := text.Args{"store": f.Store.Name}
	switch f.Method + ":" + f.State {
	case "pickup:ready":
		return text.T(ctx, "Ready for you at {store}", store)
	case "pickup:collected":
		return text.T(ctx, "Collected. Enjoy!")
	case "pickup:undecided":
		return text.T(ctx, "Your choice, please")
	case "pickup:to_pick":
		return text.T(ctx, "Reserved. We’re setting it aside.")
	case "ship:to_pick":
		return text.T(ctx, "We’re packing it")
	case "ship:shipped":
		return text.T(ctx, "On its way to you")
	case "carry_out:collected":
		return text.T(ctx, "Bought at {store}", store)
	case "mail:shipped":
		return text.T(ctx, "Sent by email")
	}
	if f.State == "cancelled" {
		return text.T(ctx, "Cancelled")
	}
	return text.T(ctx, "Awaiting payment")
}

// sentence says what happens next with a part.
func (v *orderView) sentence(ctx context.Context, f shop.Fulfilment) string {
	say := func(t *time.Time) text.Args {
		at := zoned(f, t)
		return text.Args{"day": part.Day(ctx, at, v.Visit.At), "time": text.Clock(at), "email": v.mailOrPhone(),
			"store": f.Store.Name}
	}
	switch f.Method + ":" + f.State {
	case "pickup:ready":
		return text.T(ctx, "We’ll hold it until {day}, {time}.", say(f.HoldUntil))
	case "pickup:collected", "carry_out:collected":
		return text.T(ctx, "Collected {day} at {time}.", say(f.CollectedAt))
	case "pickup:to_pick":
		if f.ReadyBy.Before(v.Visit.At) {
			return text.T(ctx, "Sorry, this is taking longer than we promised. We’ll let you know as soon as it’s ready.")
		}
		return text.T(ctx, "Ready {day} by {time}. We’ll contact you at {email} as soon as it is.", say(f.ReadyBy))
	case "ship:to_pick", "ship:waiting":
		return text.T(ctx, "Arrives {days}.", text.Args{"days": v.days(ctx, f)})
	case "ship:shipped":
		return text.T(ctx, "Sent {day} with {carrier}. Arrives {days}.",
			text.Args{"day": part.Day(ctx, zoned(f, f.ShippedAt), v.Visit.At), "carrier": f.Carrier,
				"days": v.days(ctx, f)})
	case "mail:shipped":
		return text.T(ctx, "Your gift cards are being emailed.")
	}
	if f.State == "undecided" {
		return text.T(ctx, "We couldn’t find it in the store. Choose what you’d like instead.")
	}
	if f.State == "cancelled" && f.ExpiredAt != nil {
		return text.T(ctx, "It wasn’t collected in time, so we put it back. Anything you’ve paid will be refunded.")
	}
	if f.State == "cancelled" {
		if v.PaymentState == "paid" {
			return text.T(ctx, "Anything you’ve paid will be refunded to your original payment method.")
		}
		return text.T(ctx, "You won’t be charged.")
	}
	return ""
}

func (v *orderView) days(ctx context.Context, f shop.Fulfilment) string {
	from, by, _ := f.Days()
	return part.Days(ctx, from, by, v.Visit.At)
}

func (v *orderView) mailOrPhone() string {
	if v.Email != "" {
		return v.Email
	}
	return v.Phone
}

type step struct {
	Name, When string
	Done       bool
}

func (v *orderView) steps(ctx context.Context, f shop.Fulfilment) []step {
	when := func(t *time.Time) string {
		at := zoned(f, t)
		if at.IsZero() {
			return ""
		}
		return part.Day(ctx, at, v.Visit.At) + ", " + text.Say(ctx, text.Clock(at))
	}
	switch {
	case f.State == "cancelled" || f.State == "waiting" || f.State == "undecided":
		return nil
	case f.Method == "pickup":
		return []step{
			{text.T(ctx, "Reserved"), when(&v.PlacedAt), true},
			{text.T(ctx, "Ready"), when(f.ReadyAt), f.ReadyAt != nil},
			{text.T(ctx, "Collected"), when(f.CollectedAt), f.CollectedAt != nil},
		}
	case f.Method == "ship":
		return []step{
			{text.T(ctx, "Ordered"), when(&v.PlacedAt), true},
			{text.T(ctx, "Sent"), when(f.ShippedAt), f.ShippedAt != nil},
			{text.T(ctx, "Arrives"), v.days(ctx, f), false},
		}
	}
	return nil
}

// mayExtend says whether a staged part can be kept for longer.
func (v *orderView) mayExtend(f shop.Fulfilment) bool {
	return f.Method == "pickup" && f.State == "ready" && f.ExtendedAt == nil && f.HoldUntil != nil &&
		f.HoldUntil.After(v.Visit.At)
}

func (v *orderView) fetchable(f shop.Fulfilment) bool {
	return f.Method == "pickup" && (f.State == "to_pick" || f.State == "ready")
}

// what is in a part, in one line.
func (v *orderView) what(ctx context.Context, f shop.Fulfilment) string {
	var all []string
	for _, l := range v.LinesOf(f.ID) {
		all = append(all, fmt.Sprintf("%d × %s", l.Quantity, l.Title))
	}
	return text.Say(ctx, text.List(all))
}

// earns is how many points the order's units earn that were not cancelled or returned.
func (v *orderView) earns() int { return int(v.Earns) }
