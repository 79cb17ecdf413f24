package admin

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"counterpart/internal/domain/location"
	"counterpart/internal/domain/promotion"
	"counterpart/internal/domain/quote"
	"counterpart/internal/domain/segment"
	"counterpart/internal/flow/promote"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/money"
	"counterpart/internal/platform/text"
	"counterpart/internal/query/admin"
	"counterpart/internal/query/basket"
	"counterpart/internal/query/counter"
	"counterpart/web/respond"
)

// promotionsView lists what the shop gives away.
type promotionsView struct {
	Rows []admin.PromotionRow
	Now  time.Time
}

func (p *Pages) promotions(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	rows, err := admin.Promotions(r.Context(), p.DB)
	if err != nil {
		return nil, err
	}
	return respond.Page(promotionsPage(frame(r, text.T(r.Context(), "Promotions"), "promotions"),
		promotionsView{rows, time.Now()})), nil
}

// promotionsCSV is the list as a file. What they cost stands once for each currency.
func (p *Pages) promotionsCSV(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	rows, err := admin.Promotions(r.Context(), p.DB)
	if err != nil {
		return nil, err
	}
	var cells [][]string
	for _, row := range rows {
		costs := make([]string, len(row.Cost))
		for i, sum := range row.Cost {
			costs[i] = money.New(sum.Amount, sum.Currency).Plain() + " " + sum.Currency
		}
		cells = append(cells, []string{row.Title, row.Phase(time.Now()), stamp(row.StartsAt), stamp(row.EndsAt),
			strconv.FormatBool(row.NeedsCode), strconv.Itoa(row.Codes), strconv.Itoa(row.Uses), strings.Join(costs, "; ")})
	}
	return download("promotions", []string{"title", "state", "starts_at", "ends_at", "needs_code", "codes", "uses", "cost"},
		cells), nil
}

// promotionView is one of them with what was typed, and what it would do to a cart.
type promotionView struct {
	respond.Mistakes
	*admin.PromotionPage
	Typed      map[string][]string // nil: nothing was
	Categories []admin.Category
	Stores     []location.Location
	Segments   []segment.Segment
	Currencies []string
	Collides   []admin.PromotionRow
	Try        string // code of a cart
	Tried      *basket.Basket
	Now        time.Time
}

func (p *Pages) newPromotion(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return p.showPromotion(r, promotionView{PromotionPage: fresh()}, nil)
}

// fresh is a promotion that nobody has written yet: it goes together with everything.
func fresh() *admin.PromotionPage {
	page := &admin.PromotionPage{}
	page.State, page.Combines = promotion.Draft, []quote.Level{quote.LineLevel, quote.OrderLevel, quote.ShippingLevel}
	page.Rule.Effect.Kind = quote.Percent
	return page
}

func (p *Pages) promotion(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return p.showPromotion(r, promotionView{Try: typed(r.URL.Query().Get("cart"))}, nil)
}

func (p *Pages) showPromotion(r *http.Request, v promotionView, wrong *fault.Fault) (_ respond.Answer, err error) {
	ctx := r.Context()
	if v.PromotionPage == nil {
		if v.PromotionPage, err = admin.PromotionByID(ctx, p.DB, id(r, "id")); err != nil {
			return nil, err
		}
	}
	if v.PromotionPage == nil {
		return nil, respond.NotFound()
	}
	if v.Categories, err = admin.Categories(ctx, p.DB); err != nil {
		return nil, err
	}
	if v.Stores, err = location.All(ctx, p.DB); err != nil {
		return nil, err
	}
	if v.Segments, err = segment.List(ctx, p.DB); err != nil {
		return nil, err
	}
	for _, s := range v.Stores {
		if !slices.Contains(v.Currencies, s.Currency) {
			v.Currencies = append(v.Currencies, s.Currency)
		}
	}
	v.Now = time.Now()
	if v.ID != 0 {
		if v.Collides, err = p.collisions(ctx, v.PromotionPage); err != nil {
			return nil, err
		}
	}
	if v.Try != "" && v.ID != 0 && wrong == nil {
		if wrong, err = p.try(ctx, &v); err != nil {
			return nil, err
		}
	}
	a := frame(r, text.T(ctx, "Promotion"), "promotions")
	if wrong != nil {
		v.Take(r, wrong)
		return respond.Wrong(wrong, promotionPage(a, v)), nil
	}
	return respond.Page(promotionPage(a, v)), nil
}

// try prices the cart with this code, or the order with this number, as if the promotion were live now and needed no
// code.
func (p *Pages) try(ctx context.Context, v *promotionView) (*fault.Fault, error) {
	q := v.InQuote()
	q.NeedsCode, q.Starts, q.Ends = false, time.Time{}, time.Time{}
	if v.MaxUses != nil && v.Used >= *v.MaxUses {
		q.Barred = text.M("This offer has been fully redeemed")
	}
	if number, err := strconv.ParseInt(strings.TrimPrefix(v.Try, "#"), 10, 64); err == nil {
		v.Tried, err = basket.SimulateOrder(ctx, p.DB, number, q)
		if v.Tried != nil || err != nil {
			return nil, err
		}
	}
	customerID, err := counter.CartOwner(ctx, p.DB, v.Try)
	if err != nil {
		return nil, err
	}
	if customerID == 0 {
		return fault.Field("cart",
			"We can’t find an open cart with this code or an order with this number. The eight-letter code is on the cart page."), nil
	}
	v.Tried, err = basket.Simulate(ctx, p.DB, customerID, q, text.Content(ctx))
	return nil, err
}

// collisions are live promotions that speak of some of the same goods at the same time.
func (p *Pages) collisions(ctx context.Context, page *admin.PromotionPage) (all []admin.PromotionRow, err error) {
	rows, err := admin.Promotions(ctx, p.DB)
	for _, other := range rows {
		if other.ID != page.ID && other.State == promotion.Live && other.Overlaps(&page.Promotion) {
			all = append(all, other)
		}
	}
	return all, err
}

// movePromotion takes it live, pauses it, or ends it.
func (p *Pages) movePromotion(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	to := typed(r.PostFormValue("to"))
	err := promote.Move(r.Context(), p.DB, at(r), id(r, "id"), to, r.PostFormValue("sure") == "1")
	return p.afterPromotion(r, err, "kept")
}

func (p *Pages) copyPromotion(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	copied, err := promote.Copy(r.Context(), p.DB, at(r), id(r, "id"))
	if err != nil {
		return nil, err
	}
	return respond.See(fmt.Sprintf("/admin/promotions/%d", copied)), nil
}

// addCodes adds one code of the shop's choosing, or a batch that is drawn.
func (p *Pages) addCodes(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return p.afterPromotion(r, p.addCode(r, id(r, "id")), "kept")
}

func (p *Pages) addCode(r *http.Request, promotionID int64) error {
	page, err := promotion.ByID(r.Context(), p.DB, promotionID)
	if err != nil || page == nil {
		return respondNotFound(err)
	}
	if prefix := typed(r.PostFormValue("prefix")); prefix != "" {
		n, err := strconv.Atoi(strings.TrimSpace(r.PostFormValue("count")))
		if err != nil {
			return fault.Field("count", "Enter a number from 1 to 10,000.")
		}
		return promote.AddCodes(r.Context(), p.DB, at(r), promotionID, prefix, n)
	}
	c := promotion.Coupon{PromotionID: promotionID, Code: typed(r.PostFormValue("code"))}
	if uses := strings.TrimSpace(r.PostFormValue("uses")); uses != "" {
		n, err := strconv.Atoi(uses)
		if err != nil || n < 1 || n > 1_000_000_000 {
			return fault.Field("uses", "Enter a whole number above zero, or leave it empty.")
		}
		c.MaxUses = &n
	}
	if email := typed(r.PostFormValue("customer")); email != "" {
		if c.CustomerID, err = counter.ByEmail(r.Context(), p.DB, email); err != nil {
			return err
		}
		if c.CustomerID == 0 {
			return fault.Field("customer", "No customer has verified this address.")
		}
	}
	return promote.AddCode(r.Context(), p.DB, at(r), c)
}

func respondNotFound(err error) error {
	if err == nil {
		err = respond.NotFound()
	}
	return err
}

func (p *Pages) disableCode(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return p.afterPromotion(r, promote.DisableCode(r.Context(), p.DB, at(r), id(r, "id"), id(r, "coupon")), "kept")
}

func (p *Pages) afterPromotion(r *http.Request, err error, done string) (respond.Answer, error) {
	if f := fault.As(err); f != nil && f.Kind != fault.NotFound {
		return p.showPromotion(r, promotionView{Typed: r.PostForm}, f)
	}
	if err != nil {
		return nil, err
	}
	return respond.See(fmt.Sprintf("/admin/promotions/%d?done=%s", id(r, "id"), done)), nil
}
