package admin

import (
	"context"
	"net/http"

	"counterpart/internal/domain/location"
	"counterpart/internal/flow/vouchers"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/merge"
	"counterpart/internal/platform/money"
	"counterpart/internal/platform/text"
	"counterpart/internal/query/admin"
	"counterpart/web/respond"
	"counterpart/web/ui"
)

// giftCardsView is the list of gift cards, with what was typed to give one.
type giftCardsView struct {
	listing
	editing
	Rows  []admin.GiftCardRow
	Words string
	Money []string // currencies of the shop
	card  int64    // whose form was sent
}

func (p *Pages) giftCards(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return p.showGiftCards(r, giftCardsView{}, nil)
}

func (p *Pages) showGiftCards(r *http.Request, v giftCardsView, wrong *fault.Fault) (respond.Answer, error) {
	var err error
	if v.listing, err = p.newListing(r, "gift-cards", "/admin/gift-cards"); err != nil {
		return nil, err
	}
	v.Words = typed(v.query.Get("q"))
	if v.Rows, v.Total, err = admin.GiftCards(r.Context(), p.DB, v.Words, v.page()); err != nil {
		return nil, err
	}
	v.Rows = trimmed(&v.listing, v.Rows, func(c admin.GiftCardRow) int64 { return c.ID })
	if v.beyond(len(v.Rows)) {
		return respond.See(v.address("", 0)), nil
	}
	all, err := location.All(r.Context(), p.DB)
	if err != nil {
		return nil, err
	}
	v.Money = moneyOf(all)
	a := frame(r, text.T(r.Context(), "Gift cards"), "gift-cards")
	if wrong != nil {
		return respond.Wrong(wrong, giftCardsPage(a, v)), nil
	}
	return respond.Page(giftCardsPage(a, v)), nil
}

// giftCardsCSV is the list as a file, as far as it is counted; of a code only its last four letters.
func (p *Pages) giftCardsCSV(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	rows, _, err := admin.GiftCards(r.Context(), p.DB, typed(r.URL.Query().Get("q")), admin.Page{Most: admin.CountUpTo})
	if err != nil {
		return nil, err
	}
	var cells [][]string
	for _, c := range rows {
		cells = append(cells, []string{c.Ends, c.Currency, money.New(c.Issued, c.Currency).Plain(),
			money.New(c.Balance, c.Currency).Plain(), c.Recipient, c.GivenBy, c.Reason, ordinal(c.Order), stamp(&c.CreatedAt),
			stamp(c.DisabledAt)})
	}
	return download("gift-cards", []string{"ends", "currency", "issued", "balance", "recipient", "given_by", "reason", "order",
		"created_at", "disabled_at"}, cells), nil
}

// moneyOf are the currencies of locations, each once.
func moneyOf(all []location.Location) (currencies []string) {
	seen := map[string]bool{}
	for _, l := range all {
		if !seen[l.Currency] {
			seen[l.Currency] = true
			currencies = append(currencies, l.Currency)
		}
	}
	return currencies
}

func (p *Pages) giveGiftCard(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	edit := sentEdit(r, "amount", "currency", "to", "reason")
	amount, err := money.Parse(edit.Mine["amount"], edit.Mine["currency"])
	if err != nil {
		amount = money.New(0, edit.Mine["currency"])
	}
	_, err = vouchers.Give(r.Context(), p.DB, at(r), amount, edit.Mine["to"], edit.Mine["reason"], mayEdit(r))
	if f := fault.As(err); f != nil {
		return p.refusedCard(r, "give", edit, 0, f)
	}
	if err != nil {
		return nil, err
	}
	return respond.See("/admin/gift-cards?done=given"), nil
}

func (p *Pages) refusedCard(r *http.Request, form string, edit merge.Edit, card int64, f *fault.Fault) (respond.Answer,
	error) {
	v := giftCardsView{card: card}
	v.refused(r, form, edit, f)
	return p.showGiftCards(r, v, f)
}

func (p *Pages) disableGiftCard(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	edit := sentEdit(r, "reason")
	err := vouchers.Disable(r.Context(), p.DB, at(r), id(r, "id"), edit.Mine["reason"])
	if f := fault.As(err); f != nil {
		return p.refusedCard(r, "disable", edit, id(r, "id"), f)
	}
	if err != nil {
		return nil, err
	}
	return respond.See("/admin/gift-cards?done=kept"), nil
}

func moneyOptions(currencies []string) (all []ui.Option) {
	for _, c := range currencies {
		all = append(all, ui.Option{Value: c, Name: c})
	}
	return all
}

// cardSaid is what is wrong with the form of a card.
func (v giftCardsView) cardSaid(ctx context.Context, card int64) string {
	if v.editing.Form != "disable" || v.card != card {
		return ""
	}
	return v.said(ctx, "reason")
}
