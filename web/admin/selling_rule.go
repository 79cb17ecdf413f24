package admin

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"counterpart/internal/domain/catalog"
	"counterpart/internal/flow/assortment"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/money"
	"counterpart/internal/platform/text"
	"counterpart/internal/query/admin"
	"counterpart/web/respond"
)

// setRule says how a variant is sold.
func (p *Pages) setRule(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	rule := catalog.SellingRule{Min: count(r.PostFormValue("min")), Max: count(r.PostFormValue("max")),
		GiftCard:  r.PostFormValue("gift_card") == "1",
		Untracked: r.PostFormValue("untracked") == "1", BackOrder: r.PostFormValue("back_order") == "1"}
	return p.changeVariant(r, func(variant int64) error {
		return assortment.SetSellingRule(r.Context(), p.DB, at(r), variant, rule)
	})
}

// setBreak sets, changes or ends a better price.
func (p *Pages) setBreak(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	currency, mode, _ := strings.Cut(typed(r.PostFormValue("list")), " ")
	b := catalog.Break{Currency: currency, TaxIncluded: mode == "included", From: count(r.PostFormValue("from")),
		Members: r.PostFormValue("members") == "1", Tier: typed(r.PostFormValue("tier"))}
	if in := r.PostFormValue("segment"); in != "" {
		n, err := strconv.ParseInt(in, 10, 64)
		if err != nil {
			n = -1 // one that does not exist
		}
		b.Segment = n
	}
	var wrong error
	if amount := strings.TrimSpace(r.PostFormValue("amount")); amount != "" {
		price, err := money.Parse(amount, currency)
		if err != nil || price.Minor < 1 || price.Minor > money.MaxUnit {
			wrong = fault.New(fault.Invalid,
				"Enter a price above zero and up to {most}, such as 12.50. Leave it empty to end the current price.",
				text.Args{"most": money.New(money.MaxUnit, currency)})
		}
		b.Amount = price.Minor
	}
	return p.changeVariant(r, func(variant int64) error {
		if wrong != nil {
			return wrong
		}
		return assortment.SetBreak(r.Context(), p.DB, at(r), variant, b)
	})
}

// changeVariant does it, and answers with the page of the variant's product.
func (p *Pages) changeVariant(r *http.Request, change func(variant int64) error) (respond.Answer, error) {
	variant := id(r, "id")
	product, err := admin.ProductOfVariant(r.Context(), p.DB, variant)
	if err != nil {
		return nil, err
	}
	if product == 0 {
		return nil, respond.NotFound()
	}
	err = change(variant)
	if f := fault.As(err); f != nil {
		return p.showProduct(r, product, productView{}, f)
	}
	if err != nil {
		return nil, err
	}
	return respond.See(fmt.Sprintf("/admin/products/%d?done=kept", product)), nil
}
