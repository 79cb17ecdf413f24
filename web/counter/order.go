package counter

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"counterpart/internal/domain/location"
	"counterpart/internal/domain/quote"
	"counterpart/internal/domain/rma"
	"counterpart/internal/domain/staff"
	"counterpart/internal/flow/dispatch"
	"counterpart/internal/flow/pickup"
	"counterpart/internal/flow/returns"
	"counterpart/internal/flow/settle"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/money"
	"counterpart/internal/platform/text"
	"counterpart/internal/query/counter"
	"counterpart/internal/query/shop"
	"counterpart/web/access"
	"counterpart/web/part"
	"counterpart/web/respond"
	"counterpart/web/ui"
)

// orderView is an order of any store and channel at a counter.
type orderView struct {
	respond.Mistakes
	*shop.Order
	Kind, Paying string // what was typed about a payment
	Here         *location.Location
	Now          time.Time
	Done         string
	// Of what was just done here, in minor units; a page that is opened later owes nobody change.
	Given, Change int64
	JustSold      bool
	Typed         string // where the receipt is to be emailed
	Link          string // the customer's own page of it
}

// onPhone says that it is a sale which the customer pays on their own phone, and that is not given out yet.
func (v orderView) onPhone() bool {
	return v.carriedOut() != 0 && (v.PaymentState == "pending" || v.PaymentState == "authorised" ||
		v.PaymentState == "paid")
}

// carriedOut is the part of a sale at this counter that has not left yet; 0: there is none.
func (v orderView) carriedOut() int64 {
	for _, f := range v.Parts {
		if f.Method == quote.CarryOut && (f.State == "to_pick" || f.State == "waiting") && f.Store.ID == v.Here.ID {
			return f.ID
		}
	}
	return 0
}

func (p *Pages) order(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return p.showOrder(r, orderView{}, nil)
}

func (p *Pages) showOrder(r *http.Request, v orderView, wrong *fault.Fault) (respond.Answer, error) {
	c, store, err := p.frame(r, text.T(r.Context(), "Order"))
	if err != nil {
		return nil, err
	}
	o, err := shop.OrderByID(r.Context(), p.DB, id(r, "id"))
	if err != nil {
		return nil, err
	}
	if o == nil {
		return nil, respond.NotFound()
	}
	v.Order, v.Here, v.Now, v.Done, v.Link = o, store, time.Now(), done(r), p.Base+"/orders/"+o.PublicID
	if wrong != nil {
		v.Take(r, wrong)
		return respond.Wrong(wrong, orderPage(c, v)), nil
	}
	switch r.URL.Query().Get("done") {
	case "sold", "paid":
		v.JustSold = true
		v.Given, v.Change = o.Change()
	case "returned":
		v.Change, err = counter.ChangeOfExchange(r.Context(), p.DB, o.ID, here(r).LocationID)
	}
	if err != nil {
		return nil, err
	}
	return respond.Page(orderPage(c, v)), nil
}

// payOrder takes the money of an order that is to be paid at a counter.
func (p *Pages) payOrder(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	v := orderView{Kind: typed(r, "kind"), Paying: typed(r, "given")}
	_, store, err := p.frame(r, "")
	if err != nil {
		return nil, err
	}
	paid := paidBy(r, v.Kind, v.Paying, store)
	_, err = settle.Charge(r.Context(), p.DB, here(r), id(r, "id"), paid)
	if f := fault.As(err); f != nil && f.Kind != fault.NotFound {
		return p.showOrder(r, v, f)
	}
	if err != nil {
		return nil, err
	}
	return respond.See(fmt.Sprintf("/counter/orders/%d?done=paid", id(r, "id"))), nil
}

// giveSale gives out what was paid on the customer's phone.
func (p *Pages) giveSale(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	v, err := p.readSale(r)
	if err != nil {
		return nil, err
	}
	err = pickup.HandOverSale(r.Context(), p.DB, here(r), v.carriedOut())
	if f := fault.As(err); f != nil && f.Kind != fault.NotFound {
		return p.showOrder(r, orderView{}, f)
	}
	if err != nil {
		return nil, err
	}
	return respond.See(fmt.Sprintf("/counter/orders/%d?done=sold", id(r, "id"))), nil
}

// voidSale takes a sale back that nobody has paid yet: it lies on the counter again, to be paid another way.
func (p *Pages) voidSale(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	v, err := p.readSale(r)
	if err != nil {
		return nil, err
	}
	err = p.Payments.ExpireOrder(r.Context(), v.ID)
	if f := fault.As(err); f != nil {
		return p.showOrder(r, orderView{}, f)
	}
	if err != nil {
		return nil, err
	}
	return respond.See(salePath(v.CustomerID)), nil
}

// readSale reads an order that is a sale of this counter, not given out yet; one of another store is not found.
func (p *Pages) readSale(r *http.Request) (orderView, error) {
	_, store, err := p.frame(r, "")
	if err != nil {
		return orderView{}, err
	}
	o, err := shop.OrderByID(r.Context(), p.DB, id(r, "id"))
	if err != nil {
		return orderView{}, err
	}
	v := orderView{Order: o, Here: store}
	if o == nil || v.carriedOut() == 0 {
		return v, respond.NotFound()
	}
	return v, nil
}

// emailReceipt sends the receipt of a sale to an address that they say now.
func (p *Pages) emailReceipt(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	v := orderView{Typed: typed(r, "email")}
	err := pickup.EmailReceipt(r.Context(), p.DB, here(r), id(r, "id"), v.Typed)
	if f := fault.As(err); f != nil && f.Kind != fault.NotFound {
		return p.showOrder(r, v, f)
	}
	if err != nil {
		return nil, err
	}
	return respond.See(fmt.Sprintf("/counter/orders/%d?done=emailed", id(r, "id"))), nil
}

// canReturn says whether something of it may come back here.
func (v orderView) canReturn() bool {
	return v.Here.TakesReturns && v.PaymentState == "paid" && returnable(v.Order) > 0
}

func returnable(o *shop.Order) (n int) {
	for _, l := range o.Lines {
		n += l.Collected - l.Returned
	}
	return n
}

// returnView is a return being made: what was chosen, and what it would come to.
type returnView struct {
	respond.Mistakes
	*shop.Order
	Here         *location.Location
	Form         string
	Typed        map[string]string
	Article      string // what they want instead
	Hits         []counter.Hit
	Instead      []counter.Hit
	Result       *returns.Result // of a look; nil while nothing is chosen
	Managers     []staff.Associate
	Manager      int64
	Reason       string
	Kind         string
	Given        string
	AsCredit     bool
	SelfApproves bool
	Exchanges    []string // ids of what they take instead
}

func (p *Pages) returnPage(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return p.showReturn(r, returnView{Form: rand.Text()}, nil)
}

func (p *Pages) showReturn(r *http.Request, view returnView, wrong *fault.Fault) (respond.Answer, error) {
	c, store, err := p.frame(r, text.T(r.Context(), "Return"))
	if err != nil {
		return nil, err
	}
	if view.Order, err = shop.OrderByID(r.Context(), p.DB, id(r, "id")); err != nil {
		return nil, err
	}
	if view.Order == nil {
		return nil, respond.NotFound()
	}
	view.Here, view.SelfApproves = store, access.Session(r.Context()).Associate.Manages()
	if view.Result != nil && view.Result.NeedsApproval && !view.SelfApproves || wrong != nil &&
		!wrong.Fields["pin"].IsZero() {
		if view.Managers, err = staff.Managers(r.Context(), p.DB, store.ID); err != nil {
			return nil, err
		}
	}
	if wrong != nil {
		view.Take(r, wrong)
		return respond.Wrong(wrong, returnPage(c, view)), nil
	}
	return respond.Page(returnPage(c, view)), nil
}

// takeBack shows what a return comes to, and with “confirm” makes it. Both run the same code: what is shown is what is
// done.
func (p *Pages) takeBack(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	if err := r.ParseForm(); err != nil {
		return nil, fault.New(fault.Invalid, "We couldn’t read this form. Please try again.")
	}
	view := returnView{Form: typed(r, "form"), Typed: map[string]string{}, Article: typed(r, "article"),
		Reason: typed(r, "reason"), Kind: typed(r, "kind"), Given: typed(r, "given"),
		AsCredit: r.PostFormValue("credit") == "1"}
	for name := range r.PostForm {
		view.Typed[name] = typed(r, name)
	}
	view.Manager, _ = strconv.ParseInt(r.PostFormValue("manager"), 10, 64)
	_, store, err := p.frame(r, "")
	if err != nil {
		return nil, err
	}
	request, err := p.wanted(r, &view, store)
	if f := fault.As(err); f != nil {
		return p.showReturn(r, view, f)
	}
	if err != nil {
		return nil, err
	}
	looked, err := returns.Preview(r.Context(), p.DB, here(r), request)
	if f := fault.As(err); f != nil {
		return p.showReturn(r, view, f)
	}
	if err != nil {
		return nil, err
	}
	view.Result = looked
	if r.PostFormValue("confirm") == "" || len(view.Hits) > 0 {
		return p.showReturn(r, view, nil)
	}
	request.Seen = typed(r, "seen")
	_, err = returns.Make(r.Context(), p.DB, here(r), request)
	if f := fault.As(err); f != nil {
		return p.showReturn(r, view, f)
	}
	if err != nil {
		return nil, err
	}
	return respond.See(fmt.Sprintf("/counter/orders/%d?done=returned", request.OrderID)), nil
}

// wanted reads the form: what comes back, and what they take instead.
func (p *Pages) wanted(r *http.Request, view *returnView, store *location.Location) (returns.Request, error) {
	request := returns.Request{Form: view.Form, OrderID: id(r, "id"), AsCredit: view.AsCredit, Pay: view.Kind,
		Sure:         sure(r),
		SelfApproves: access.Session(r.Context()).Associate.Manages()}
	if len(view.Form) < 20 {
		return request, fault.New(fault.Invalid, "This form isn’t valid. Please open the page again.")
	}
	var form fault.Form
	for name, value := range view.Typed {
		line, ok := strings.CutPrefix(name, "quantity-")
		lineID, err := strconv.ParseInt(line, 10, 64)
		if !ok || err != nil || value == "" {
			continue
		}
		n, err := strconv.Atoi(value)
		if err != nil || n < 0 || n > 99 {
			form.Add(name, "Choose how many to return.")
			continue
		}
		request.Wants = append(request.Wants, returns.ReturnLine{LineID: lineID, Quantity: n,
			Reason: view.Typed["reason-"+line], Grade: view.Typed["grade-"+line],
			Restock: view.Typed["restock-"+line] == "1"})
	}
	if view.Given != "" {
		given, err := money.Parse(view.Given, store.Currency)
		if err != nil {
			form.Add("given", "Enter an amount, such as 20 or 12.50.")
		}
		request.Given = given.Minor
	}
	if word := typed(r, "pin"); word != "" {
		request.Approval = &staff.Approval{AskedBy: here(r).AssociateID, ManagerID: view.Manager, PIN: word,
			Reason: view.Reason}
	}
	view.Exchanges = r.PostForm["instead"]
	if view.Article != "" {
		hits, err := counter.Articles(r.Context(), p.DB, view.Article, here(r).LocationID)
		if err != nil {
			return request, err
		}
		switch {
		case len(hits) == 0:
			form.Add("article", "We can’t find a product with that barcode, SKU or name.")
		case len(hits) > 1:
			view.Hits = hits
		default:
			view.Exchanges, view.Article = append(view.Exchanges, strconv.FormatInt(hits[0].ID, 10)), ""
		}
	}
	for _, instead := range view.Exchanges {
		variant, _ := strconv.ParseInt(instead, 10, 64)
		hit, err := counter.ArticleByID(r.Context(), p.DB, variant)
		if err != nil {
			return request, err
		}
		if hit != nil && len(request.Exchange) < 20 {
			request.Exchange, view.Instead = append(request.Exchange,
				returns.ExchangeLine{VariantID: variant, Quantity: 1}), append(view.Instead, *hit)
		}
	}
	return request, form.Err()
}

// send says that a parcel left with a carrier.
func (p *Pages) send(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	view := pickupView{Carrier: typed(r, "carrier"), Tracking: typed(r, "tracking")}
	err := dispatch.Send(r.Context(), p.DB, here(r), id(r, "id"), view.Carrier, view.Tracking)
	return p.after(r, err, view, "/counter?done=sent")
}

// typed is what stands in a field of the form.
func (v returnView) field(name, otherwise string) string {
	if typed, ok := v.Typed[name]; ok {
		return typed
	}
	return otherwise
}

func reasons(ctx context.Context) (all []ui.Option) {
	for _, reason := range rma.Reasons {
		all = append(all, ui.Option{Value: reason, Name: part.ReturnReason(ctx, reason)})
	}
	return all
}

func grades(ctx context.Context) (all []ui.Option) {
	for _, grade := range rma.Grades {
		all = append(all, ui.Option{Value: grade, Name: part.Condition(ctx, grade)})
	}
	return all
}

func managers(list []staff.Associate) (all []ui.Option) {
	for _, a := range list {
		all = append(all, ui.Option{Value: fmt.Sprint(a.ID), Name: a.Name})
	}
	return all
}
