package counter

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"counterpart/internal/domain/cart"
	"counterpart/internal/domain/location"
	"counterpart/internal/domain/payment"
	"counterpart/internal/domain/quote"
	"counterpart/internal/flow/checkout"
	"counterpart/internal/flow/person"
	"counterpart/internal/flow/shopping"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/money"
	"counterpart/internal/platform/postal"
	"counterpart/internal/platform/text"
	"counterpart/internal/query/advice"
	"counterpart/internal/query/basket"
	"counterpart/internal/query/counter"
	"counterpart/internal/query/shop"
	"counterpart/web/respond"
	"counterpart/web/ui"

	"github.com/jackc/pgx/v5"
)

// saleView is a sale in progress with what was typed.
type saleView struct {
	respond.Mistakes
	CustomerID int64
	counter.Sale
	Store       *location.Location
	Basket      *basket.Basket
	Online      *basket.Basket // what else lies in the customer's cart
	Words       string         // SKU, barcode or name to add
	Hits        []counter.Hit
	Who         string // whom to attach
	People      []counter.Hit
	Code        string
	Points      string
	Kind, Given string
	Email       string
	Phone       string
	To          postal.Address      // where something of it is sent
	Stores      []location.Location // at which something of it can be collected
	Phones      bool                // it can be paid on the customer's own phone
	Beside      []advice.Beside     // what goes with it, on a shelf here
}

// newSale begins a sale for whoever stands there, and leaves without a name unless they give one.
func (p *Pages) newSale(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	id, err := shopping.WalkIn(r.Context(), p.DB, here(r))
	if err != nil {
		return nil, err
	}
	return respond.See(salePath(id)), nil
}

func salePath(customerID int64) string {
	return "/counter/sales/" + strconv.FormatInt(customerID, 10)
}

func (p *Pages) sale(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return p.showSale(r, saleView{}, nil)
}

// standing is a cart looked at from this counter.
func (p *Pages) standing(r *http.Request) basket.SaleContext {
	return basket.SaleContext{LocationID: here(r).LocationID, Known: p.Site.Reference(r.Context())}
}

// atCounter is what lies on this counter, to be carried out.
func (p *Pages) atCounter(r *http.Request) basket.SaleContext {
	at := p.standing(r)
	at.CarryOut = true
	return at
}

func (p *Pages) showSale(r *http.Request, view saleView, wrong *fault.Fault) (respond.Answer, error) {
	c, store, err := p.frame(r, text.T(r.Context(), "Sale"))
	if err != nil {
		return nil, err
	}
	view.CustomerID, view.Store, c.Scans = id(r, "id"), store, true
	view.Sale, view.Phones = *saleOf(r), p.Payments.Takes()
	if view.Basket, err = basket.LoadAt(r.Context(), p.DB, view.CustomerID, p.atCounter(r),
		text.Content(r.Context())); err != nil {
		return nil, err
	}
	if view.Name != "" {
		// A named customer's points and cart are on the page: it counts as looking at their profile.
		if err := person.Open(r.Context(), p.DB, here(r), view.CustomerID, role(r)); err != nil {
			return nil, err
		}
		known, err := shop.ContactOf(r.Context(), p.DB, view.CustomerID)
		if err != nil {
			return nil, err
		}
		view.Email, view.Phone = cmp.Or(view.Email, known.Email), cmp.Or(view.Phone, known.Phone)
		if view.Online, err = basket.LoadAt(r.Context(), p.DB, view.CustomerID,
			p.standing(r), text.Content(r.Context())); err != nil {
			return nil, err
		}
	}
	if err := p.ways(r, &view); err != nil {
		return nil, err
	}
	if view.Beside, err = p.beside(r, view.Basket, view.CustomerID); err != nil {
		return nil, err
	}
	if wrong != nil {
		view.Take(r, wrong)
		return respond.Wrong(wrong, salePage(c, view)), nil
	}
	return respond.Page(salePage(c, view)), nil
}

// beside reads what goes with what lies on the counter.
func (p *Pages) beside(r *http.Request, b *basket.Basket, person int64) (all []advice.Beside, err error) {
	if b == nil || len(b.Lines) == 0 {
		return nil, nil
	}
	products := make([]int64, len(b.Lines))
	for i, line := range b.Lines {
		products[i] = line.ProductID
	}
	batch := &pgx.Batch{}
	advice.QueueSale(batch, products, person, here(r).LocationID, text.Content(r.Context()), &all)
	if err := p.DB.SendBatch(r.Context(), batch).Close(); err != nil {
		return nil, fmt.Errorf("read what goes with a sale: %w", err)
	}
	return all, nil
}

// ways reads at which other stores something of the sale can be collected, and where it would be sent.
func (p *Pages) ways(r *http.Request, view *saleView) error {
	if view.Basket == nil {
		return nil
	}
	all, err := location.All(r.Context(), p.DB)
	if err != nil {
		return err
	}
	for _, l := range all {
		if l.ID != view.Store.ID && l.Kind == "store" && l.Pickup && l.Currency == view.Store.Currency &&
			l.TaxIncluded == view.Store.TaxIncluded {
			view.Stores = append(view.Stores, l)
		}
	}
	if view.Basket.Has(quote.Ship) && view.To.Lines == "" && !view.Nobody {
		known, err := shop.ContactOf(r.Context(), p.DB, view.CustomerID)
		if err != nil {
			return err
		}
		if known.To.Country == view.Basket.Country {
			view.To = known.To
		}
	}
	return nil
}

type saleKey struct{}

// ofHere runs a page of a sale where the sale is this store's, and answers as if there were none where it is another's.
func (p *Pages) ofHere(page respond.Handler) respond.Handler {
	return func(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
		s, err := counter.SaleAt(r.Context(), p.DB, id(r, "id"), here(r).LocationID)
		if err != nil {
			return nil, err
		}
		if s == nil {
			return nil, respond.NotFound()
		}
		return page(w, r.WithContext(context.WithValue(r.Context(), saleKey{}, s)))
	}
}

func saleOf(r *http.Request) *counter.Sale { return r.Context().Value(saleKey{}).(*counter.Sale) }

// afterSale answers a form of a sale: the page again with what was wrong, or afresh.
func (p *Pages) afterSale(r *http.Request, err error, view saleView) (respond.Answer, error) {
	if f := fault.As(err); f != nil {
		return p.showSale(r, view, f)
	}
	if err != nil {
		return nil, err
	}
	return respond.See(salePath(id(r, "id"))), nil
}

// scan takes a barcode, a SKU or a few words: one article goes into the sale, several are listed to choose from.
func (p *Pages) scan(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	view := saleView{Words: typed(r, "article")}
	articles, err := counter.Articles(r.Context(), p.DB, view.Words, here(r).LocationID)
	missing := fault.Field("article", "We can’t find a product with that barcode, SKU or name.")
	if of, no := strconv.ParseInt(r.PostFormValue("of"), 10, 64); no == nil {
		articles, err = counter.KindsHere(r.Context(), p.DB, of, here(r).LocationID, text.Content(r.Context()))
		missing = fault.Field("article", "There’s none of it left here.")
	}
	if err != nil {
		return nil, err
	}
	if len(articles) == 0 {
		return p.showSale(r, view, missing)
	}
	if len(articles) > 1 {
		view.Hits = articles
		return p.showSale(r, view, nil)
	}
	item := shopping.Item{VariantID: articles[0].ID, Quantity: 1, LocationID: here(r).LocationID, InHand: true}
	return p.afterSale(r, shopping.AddFor(r.Context(), p.DB, here(r), id(r, "id"), item), view)
}

// saleLine changes how many there are, or takes a line of the customer's online cart into the sale: 0, all of them.
func (p *Pages) saleLine(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	if r.PostFormValue("do") == "take" {
		return p.afterSale(r, cart.TakeInHand(r.Context(), p.DB, id(r, "id"), id(r, "line"), here(r).LocationID),
			saleView{})
	}
	if r.PostFormValue("do") == "way" {
		return p.afterSale(r, p.setWay(r), saleView{})
	}
	quantity, err := strconv.Atoi(strings.TrimSpace(r.PostFormValue("quantity")))
	if err != nil || quantity < 0 || quantity > cart.MaxQuantity {
		err = fault.New(fault.Invalid, "Choose a quantity from 0 to 99.")
	} else {
		err = cart.SetQuantity(r.Context(), p.DB, id(r, "id"), id(r, "line"), quantity, here(r).LocationID)
	}
	return p.afterSale(r, err, saleView{})
}

// setWay says how they get a line: they carry it out, it is sent, or they collect it at another store.
func (p *Pages) setWay(r *http.Request) error {
	method, store := "pickup", int64(0)
	switch way := r.PostFormValue("way"); way {
	case "carry":
	case "ship":
		method = way
	default:
		var err error
		if store, err = strconv.ParseInt(way, 10, 64); err != nil {
			return fault.New(fault.Invalid, "Choose how the customer gets it.")
		}
	}
	return cart.SetWay(r.Context(), p.DB, id(r, "id"), id(r, "line"),
		cart.Way{Method: method, LocationID: store, SoldAt: here(r).LocationID})
}

// saleTowards puts codes, gift cards, points or credit towards the sale, or takes them away.
func (p *Pages) saleTowards(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	view := saleView{Code: typed(r, "code"), Points: typed(r, "points")}
	return p.afterSale(r, p.towards(r, view), view)
}

func (p *Pages) towards(r *http.Request, view saleView) error {
	ctx, customer := r.Context(), id(r, "id")
	trier := shopping.Shopper{Person: customer, Address: fmt.Sprintf("%d:%d", here(r).LocationID, here(r).AssociateID)}
	what, which, _ := strings.Cut(r.PostFormValue("do"), ":")
	switch what {
	case "code":
		// One box takes both: sixteen letters are a gift card, anything else is a promotion's code.
		if len(strings.NewReplacer(" ", "", "-", "").Replace(view.Code)) == 16 {
			_, store, err := p.frame(r, "")
			if err != nil {
				return err
			}
			err = shopping.UseGiftCard(ctx, p.DB, trier, view.Code, store.Currency)
			if f := fault.As(err); f != nil && !f.Fields["gift_card"].IsZero() {
				f.Fields["code"] = f.Fields["gift_card"]
			}
			return err
		}
		return shopping.UseCode(ctx, p.DB, trier, view.Code)
	case "drop-code":
		return cart.RemoveCode(ctx, p.DB, customer, text.Clean(which, 64))
	case "drop-gift-card":
		n, _ := strconv.ParseInt(which, 10, 64)
		return cart.RemoveGiftCard(ctx, p.DB, customer, n)
	case "country":
		return cart.DeliverTo(ctx, p.DB, customer, typed(r, "country"), typed(r, "region"), 0)
	case "points":
		points, err := strconv.ParseInt(strings.TrimSpace("0"+view.Points), 10, 64)
		if err != nil {
			return fault.Field("points", "Enter a whole number of points.")
		}
		return cart.SpendPoints(ctx, p.DB, customer, points, r.PostFormValue("credit") == "1")
	}
	return fault.New(fault.Invalid, "We didn’t understand that. Please check the page and try again.")
}

// attach gives the sale to a customer: what is in it joins their cart.
func (p *Pages) attach(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	view := saleView{Who: typed(r, "who")}
	into, _ := strconv.ParseInt(r.PostFormValue("customer"), 10, 64)
	if into == 0 {
		hits, err := counter.Search(r.Context(), p.DB, view.Who, here(r).LocationID)
		if err != nil {
			return nil, err
		}
		for _, h := range hits {
			if h.Kind == "customer" {
				view.People = append(view.People, h)
			}
		}
		if len(view.People) == 0 {
			return p.showSale(r, view, fault.Field("who",
				"No customer matches that name, phone, email or card. Sell without one, or create a new customer."))
		}
		// A name, or a part of a number, is somebody's guess: the person is shown before their points and prices come
		// into the sale.
		if len(view.People) > 1 || !counter.Names(view.Who) {
			return p.showSale(r, view, nil)
		}
		into = view.People[0].ID
	}
	err := shopping.Attach(r.Context(), p.DB, here(r), id(r, "id"), into)
	if f := fault.As(err); f != nil {
		return p.showSale(r, view, f)
	}
	if err != nil {
		return nil, err
	}
	return respond.See(salePath(into)), nil
}

// paySale takes the money and makes the order: what is in the sale leaves the store.
func (p *Pages) paySale(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	view := saleView{Kind: typed(r, "kind"), Given: typed(r, "given"), Email: typed(r, "email"),
		Phone: typed(r, "phone"),
		To: postal.Address{Name: typed(r, "name"), Lines: text.Clean(r.PostFormValue("lines"), 500),
			Town: typed(r, "town"), Region: typed(r, "region"), Postcode: typed(r, "postcode")}}
	_, store, err := p.frame(r, "")
	if err != nil {
		return nil, err
	}
	cartID, _ := strconv.ParseInt(r.PostFormValue("cart"), 10, 64)
	total, _ := strconv.ParseInt(r.PostFormValue("total"), 10, 64)
	request := checkout.Request{
		CustomerID: id(r, "id"), CartID: cartID, Expected: total, Name: view.To.Name, Email: view.Email,
		Phone: view.Phone, To: view.To, Pay: view.Kind, Sure: sure(r), Here: p.atCounter(r),
	}
	if rest, err := strconv.ParseInt(r.PostFormValue("rest"), 10, 64); err == nil {
		request.Rest = &rest
	}
	if p.Payments.Takes() {
		request.Gateway = p.Payments.Gateway.Name()
	}
	if view.Kind == "split" {
		request.Pay, request.Split = payment.Cash, true
	}
	if request.Pay == payment.Cash && view.Given == "" {
		return p.showSale(r, view, fault.Field("given", "How much did they give you? Enter the amount, or tap a note."))
	}
	if request.Pay == payment.Cash {
		given, err := money.Parse(view.Given, store.Currency)
		if err != nil {
			return p.showSale(r, view, fault.Field("given", "Enter an amount, such as 20 or 12.50."))
		}
		request.Given = given.Minor
	}
	placed, err := checkout.Place(r.Context(), p.DB, here(r), request)
	if f := fault.As(err); f != nil {
		return p.showSale(r, view, f)
	}
	if err != nil {
		return nil, err
	}
	if placed.PaymentID != 0 {
		return respond.See(fmt.Sprintf("/counter/orders/%d?done=phone", placed.ID)), nil
	}
	return respond.See(fmt.Sprintf("/counter/orders/%d?done=sold", placed.ID)), nil
}

func (v saleView) cash() cashView {
	return cashView{Mistakes: v.Mistakes, Due: v.Basket.Quote.In(v.Basket.Tenders().Rest), Given: v.Given}
}

// way is how they get a line, as the form has it.
func (v saleView) way(l basket.Line) string {
	switch {
	case l.Method == quote.CarryOut:
		return "carry"
	case l.Method == quote.Ship:
		return quote.Ship
	}
	return strconv.FormatInt(l.LocationID, 10)
}

// wayOptions are all ways to get a line.
func (v saleView) wayOptions(ctx context.Context, l basket.Line) []ui.Option {
	all := []ui.Option{{Value: "carry", Name: text.T(ctx, "Takes it now")},
		{Value: quote.Ship, Name: text.T(ctx, "Send it")}}
	for _, s := range v.Stores {
		if l.At(s.ID) < l.Quantity && !l.Untracked && !l.BackOrder && v.way(l) != strconv.FormatInt(s.ID, 10) {
			continue // It cannot be promised there.
		}
		all = append(all, ui.Option{Value: strconv.FormatInt(s.ID, 10),
			Name: text.T(ctx, "Collect at {store} ({n})", text.Args{"store": s.Name, "n": l.At(s.ID)})})
	}
	return all
}

func (v saleView) who(ctx context.Context) string {
	if v.Name != "" {
		return v.Name
	}
	return text.T(ctx, "No customer")
}

func (v saleView) points() string {
	if v.Points != "" {
		return v.Points
	}
	if v.Basket.Spend > 0 {
		return fmt.Sprint(v.Basket.Spend)
	}
	return ""
}
