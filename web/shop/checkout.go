package shop

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"counterpart/internal/domain/cart"
	"counterpart/internal/domain/payment"
	"counterpart/internal/domain/quote"
	"counterpart/internal/flow/checkout"
	"counterpart/internal/flow/shopping"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/postal"
	"counterpart/internal/platform/text"
	"counterpart/internal/query/basket"
	"counterpart/internal/query/shop"
	"counterpart/web/part"
	"counterpart/web/respond"
	"counterpart/web/ui"
)

// checkoutView is the checkout's page with what was typed and what is wrong with it.
type checkoutView struct {
	cartView
	Name, Email, Phone string
	To                 postal.Address
	Pay                string
	Cards              bool // the shop takes cards
	Sandbox            bool // and no money moves
	VAT                string
	Code, GiftCode     string
	Points             string
}

func (p *Pages) checkout(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	view, err := p.readCart(r)
	if err != nil {
		return nil, err
	}
	if !view.Basket.Ready() && !view.Basket.Misdirected() {
		return respond.See("/cart"), nil
	}
	v := &checkoutView{cartView: *view}
	if view.SignedIn {
		known, err := shop.ContactOf(r.Context(), p.DB, view.CustomerID)
		if err != nil {
			return nil, err
		}
		v.Name, v.Email, v.Phone, v.To = known.Name, known.Email, known.Phone, known.To
		// Their own country is where it goes, until they say otherwise.
		if view.Basket.Has(quote.Ship) && v.To.Country != "" && v.To.Country != view.Basket.Country {
			v.To = postal.Address{Country: view.Basket.Country}
		}
	}
	v.To.Country = view.Basket.Country
	return p.checkoutAnswer(r, v, nil)
}

func (p *Pages) checkoutAnswer(r *http.Request, v *checkoutView, f *fault.Fault) (respond.Answer, error) {
	v.Cards, v.Sandbox = p.Payments.Takes(), p.sandbox()
	if v.Pay == "" {
		v.Pay = payment.PayAtPickup
		if v.Basket.Prepaid() {
			v.Pay = payment.Card
		}
	}
	s := frame(r.Context(), v.Visit, text.T(r.Context(), "Checkout"))
	s.Sandbox = v.Sandbox
	if v.Basket.Misdirected() {
		why := v.Basket.Blocked()
		f = &fault.Fault{Kind: fault.Invalid, Fields: map[string]text.Message{"country": why}}
	}
	if f == nil {
		return respond.Page(checkoutPage(s, v)), nil
	}
	v.Take(r, f)
	return respond.Wrong(f, checkoutPage(s, v)), nil
}

func (p *Pages) sandbox() bool { return p.Payments.Takes() && p.Payments.Gateway.Name() == "sandbox" }

// placeOrder is safe to send twice: the cart it names makes one order, and every copy is sent to that. With “do” it
// changes what pays or where it is sent, and shows the page again with everything that was typed.
func (p *Pages) placeOrder(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	customerID, err := shop.CustomerOf(r.Context(), p.DB, p.Site.Visitor(r))
	if err != nil {
		return nil, err
	}
	if customerID == 0 {
		return respond.See("/cart"), nil
	}
	request := checkout.Request{
		CustomerID: customerID, CartID: number(r.PostFormValue("cart")), Expected: number(r.PostFormValue("total")),
		Name: written(r, "name"), Email: written(r, "email"), Phone: written(r, "phone"), VATNumber: written(r,
			"vat_number"), Pay: r.PostFormValue("pay"), TermsID: number(r.PostFormValue("terms")),
		To: postal.Address{Lines: written(r, "lines"), Town: written(r, "town"), Region: written(r, "region"),
			Postcode: written(r, "postcode"), Country: cleanCountry(r.PostFormValue("country"))},
	}
	request.Here.Known = p.Site.Reference(r.Context())
	if rest := r.PostFormValue("rest"); rest != "" {
		request.Rest = new(number(rest))
	}
	if p.Payments.Takes() {
		request.Gateway = p.Payments.Gateway.Name()
	}
	if do := r.PostFormValue("do"); do != "" {
		err := p.towards(r, customerID, do, request.To)
		f := fault.As(err)
		if err != nil && f == nil {
			return nil, err
		}
		return p.checkoutAgain(r, request, f)
	}
	if what, err := p.unapplied(r, customerID, request.To); what != "" || err != nil {
		f := fault.As(err)
		if err != nil && f == nil {
			return nil, err
		}
		return p.checkoutAgain(r, request, cmp.Or(f, fault.New(fault.Conflict,
			"We’ve applied what you entered. Check the new total, then place your order.")))
	}
	if request.To.Country != "" {
		// Tax and delivery follow the address: should it have changed, the total that was shown is compared with the
		// one that holds.
		if err := cart.DeliverTo(r.Context(), p.DB, customerID, request.To.Country, region(request.To),
			number(r.PostFormValue("delivery"))); err != nil {
			return nil, err
		}
	}
	placed, err := checkout.Place(r.Context(), p.DB, here(r), request)
	if f := fault.As(err); f != nil {
		return p.checkoutAgain(r, request, f)
	}
	if err != nil {
		return nil, err
	}
	return p.toPayment(r, placed.PublicID, placed.PaymentID)
}

// region is what tax may depend on: a state that is written in two letters, as its tables have it.
func region(to postal.Address) string { return postal.State(to.Country, to.Region) }

func cleanCountry(typed string) string {
	typed = strings.ToUpper(strings.TrimSpace(typed))
	if len(typed) != 2 || strings.Trim(typed, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return ""
	}
	return typed
}

// toPayment sends the browser to the gateway's page, or to the order where nothing is to be paid now or the page cannot
// be reached.
func (p *Pages) toPayment(r *http.Request, publicID string, paymentID int64) (respond.Answer, error) {
	if paymentID == 0 {
		return respond.See("/orders/" + publicID), nil
	}
	page, err := p.Payments.Page(r.Context(), paymentID)
	if f := fault.As(err); f != nil || page == "" {
		return respond.See("/orders/" + publicID + "?pay=later"), nil
	}
	if err != nil {
		return nil, err
	}
	return respond.See(page), nil
}

// unapplied applies what was typed as a code, a gift card or points and not yet added: whoever types a code and orders
// means to use it. It answers what that was, or nothing.
func (p *Pages) unapplied(r *http.Request, customerID int64, to postal.Address) (what string, err error) {
	for _, field := range [][2]string{{"code", "code"}, {"gift_card", "gift-card"}} {
		if strings.TrimSpace(r.PostFormValue(field[0])) != "" {
			return field[1], p.towards(r, customerID, field[1], to)
		}
	}
	// The field is empty until points are spent: what is in it was typed.
	if typed := strings.TrimSpace(r.PostFormValue("points")); typed != "" {
		view, err := p.readCart(r)
		if err != nil || view.Basket == nil || typed == strconv.FormatInt(view.Basket.Spend, 10) {
			return "", err
		}
		return "points", p.towards(r, customerID, "points", to)
	}
	return "", nil
}

// towards changes what is put towards the total, or where it goes.
func (p *Pages) towards(r *http.Request, customerID int64, do string, to postal.Address) error {
	ctx, t := r.Context(), trier(r, customerID)
	what, which, _ := strings.Cut(do, ":")
	switch what {
	case "address":
		return cart.DeliverTo(ctx, p.DB, customerID, to.Country, region(to), number(r.PostFormValue("delivery")))
	case "code":
		return shopping.UseCode(ctx, p.DB, t, text.Clean(r.PostFormValue("code"), 64))
	case "drop-code":
		return cart.RemoveCode(ctx, p.DB, customerID, text.Clean(which, 64))
	case "gift-card":
		view, err := p.readCart(r)
		if err != nil || view.Basket == nil {
			return err
		}
		return shopping.UseGiftCard(ctx, p.DB, t, text.Clean(r.PostFormValue("gift_card"), 40),
			view.Basket.Quote.Currency)
	case "drop-gift-card":
		return cart.RemoveGiftCard(ctx, p.DB, customerID, number(which))
	case "points", "all-points":
		points := int64(whole(cmp.Or(strings.TrimSpace(r.PostFormValue("points")), "0")))
		view, err := p.readCart(r)
		if err != nil || view.Basket == nil {
			return err
		}
		if what == "all-points" {
			points = view.Basket.Points.Spendable
		}
		if !view.SignedIn {
			return fault.New(fault.Denied, "Sign in to spend points or store credit.")
		}
		if least := view.Basket.Rates.Minimum; points > 0 && points < int64(least) {
			return fault.Field("points", "You can spend points from {n} up.", text.Args{"n": least})
		}
		return cart.SpendPoints(ctx, p.DB, customerID, points, r.PostFormValue("credit") == "1")
	}
	return fault.New(fault.Invalid, "We didn’t understand that. Please check the page and try again.")
}

// checkoutAgain shows the checkout again with everything that was typed, or the cart where that is what has to change.
func (p *Pages) checkoutAgain(r *http.Request, request checkout.Request, f *fault.Fault) (respond.Answer, error) {
	view, err := p.readCartOf(r, request.Email)
	if err != nil {
		return nil, err
	}
	if f != nil && !view.Basket.Ready() && !view.Basket.Misdirected() {
		view.Wrong = respond.Sentence(r.Context(), f)
		return respond.Wrong(f, cartPage(frame(r.Context(), view.Visit, text.T(r.Context(), "Cart")), view)), nil
	}
	if !view.Basket.Ready() && !view.Basket.Misdirected() {
		return respond.See("/cart"), nil
	}
	v := &checkoutView{cartView: *view, Name: request.Name, Email: request.Email, Phone: request.Phone,
		VAT: request.VATNumber, To: request.To, Pay: request.Pay,
		Code: r.PostFormValue("code"), GiftCode: r.PostFormValue("gift_card"), Points: r.PostFormValue("points")}
	v.To.Country = view.Basket.Country
	if f == nil {
		v.Code, v.GiftCode = "", ""
	}
	return p.checkoutAnswer(r, v, f)
}

func countries(ctx context.Context, v *checkoutView) (all []ui.Option) {
	for _, f := range postal.Known() {
		for _, country := range v.Basket.Countries {
			if f.Country == country {
				all = append(all, ui.Option{Value: f.Country, Name: part.Country(ctx, f.Country)})
			}
		}
	}
	return all
}

// pickups are the stores at which something is collected, in the order of the lines.
func pickups(b *basket.Basket) (stores []int64) {
	for _, l := range b.Lines {
		if l.Method == quote.Pickup && !slices.Contains(stores, l.LocationID) {
			stores = append(stores, l.LocationID)
		}
	}
	return stores
}

// place is what the button does.
func (v *checkoutView) place(ctx context.Context) string {
	total := text.Args{"total": v.Basket.Quote.In(v.Basket.Quote.Total)}
	switch {
	case v.Basket.Tenders().Rest > 0 && v.Pay == payment.PayAtPickup:
		return text.T(ctx, "Reserve, {total}", total)
	case v.Basket.Tenders().Rest > 0:
		return text.T(ctx, "Order and pay {total}", text.Args{"total": v.Basket.Quote.In(v.Basket.Tenders().Rest)})
	}
	return text.T(ctx, "Place order for {total}", total)
}

func (v *checkoutView) points() string {
	if v.Points != "" {
		return v.Points
	}
	if v.Basket.Spend > 0 {
		return fmt.Sprint(v.Basket.Spend)
	}
	return "" // Nothing is spent that nobody asked for: a suggestion would be sent with the order.
}

// doing is what a field's button asks for.
func doing(name string) string { return strings.ReplaceAll(name, "_", "-") }
