package shop

import (
	"context"
	"net/http"
	"net/url"

	"github.com/go-chi/chi/v5"

	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/outreach"
	"counterpart/internal/flow/notices"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/text"
	"counterpart/internal/query/profile"
	"counterpart/internal/query/shop"
	"counterpart/web/access"
	"counterpart/web/part"
	"counterpart/web/respond"
)

// noticeView is the form with which somebody asks to be told, with what was typed into it.
type noticeView struct {
	respond.Mistakes
	Kind   string // of the form that was sent
	Email  string
	Medium string
	Done   string // "asked", or "link": a link to the address was sent
}

// out says whether the chosen variant cannot be had where the shopper looks.
func (v *productView) out(chosen *shop.Variant) bool {
	mine := v.Mine()
	here := mine != nil && mine.Pickup && mine.Available > 0
	return !chosen.GiftCard && !chosen.BackOrder && !here && (v.Delivery == nil || chosen.Sendable <= 0)
}

// askNotice writes down that somebody wants to be told when a thing is back or costs less.
func (p *Pages) askNotice(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	who, err := p.who(r)
	if err != nil {
		return nil, err
	}
	whose, err := shop.WhoseCart(r.Context(), p.DB, p.Site.Visitor(r))
	if err != nil {
		return nil, err
	}
	wish := notices.Wish{VariantID: number(r.PostFormValue("variant")), LocationID: whose.StoreID, Kind: r.PostFormValue("kind"),
		Medium: r.PostFormValue("medium"), Email: text.Clean(r.PostFormValue("email"), 300)}
	token, sent, err := notices.Ask(r.Context(), p.DB, here(r), who, p.browser(r), wish)
	slug, sku := productOf(back(r, ""))
	if f := fault.As(err); f != nil && slug != "" {
		view, err := p.readProduct(r, slug, sku)
		if err != nil {
			return nil, err
		}
		view.Notice = noticeView{Kind: wish.Kind, Email: wish.Email, Medium: wish.Medium}
		view.Notice.Take(r, f)
		return respond.Wrong(f, productPage(frame(r.Context(), &view.Visit, view.Title), view)), nil
	}
	if err != nil {
		return nil, err
	}
	if token != "" {
		p.Site.RememberDevice(w, token)
	}
	if slug == "" {
		return respond.See("/"), nil
	}
	done := "asked"
	if sent {
		done = "link"
	}
	return respond.See("/p/" + url.PathEscape(slug) + "?" + url.Values{"v": {sku}, "notice": {done}}.Encode() + "#notice"), nil
}

var noticeLink = link{customer.ToWatch, "/notices/", "Confirm your email address", "Confirm this address"}

// proveNotice opens the link to an address.
func (p *Pages) proveNotice(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	if err := notices.Prove(r.Context(), p.DB, chi.URLParam(r, "token")); err != nil {
		return p.dead(r, err)
	}
	s, err := p.signFrame(r, text.T(r.Context(), "Confirmed"))
	if err != nil {
		return nil, err
	}
	return respond.Page(noticeProvenPage(s)), nil
}

// withdrawNotice ends what somebody asked for.
func (p *Pages) withdrawNotice(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	err := notices.Withdraw(r.Context(), p.DB, access.Person(r.Context()), number(chi.URLParam(r, "id")))
	if f := fault.As(err); f != nil {
		return p.showPrivacy(r, f)
	}
	if err != nil {
		return nil, err
	}
	return respond.See("/account/privacy?done=kept#messages"), nil
}

// asked is what somebody waits for, in words.
func asked(kind string) text.Message {
	if kind == outreach.Price {
		return text.M("when the price drops")
	}
	return text.M("when it’s back in stock")
}

// whatNext is said once somebody asked.
func whatNext(ctx context.Context, v *productView) string {
	if v.SignedIn {
		return text.T(ctx, "We’ll let you know. It’s one message, and you can stop it under Privacy in your account.")
	}
	return text.T(ctx, "We’ll let you know. It’s one message, and nothing else.")
}

// told are messages that went, and those that they asked for: what waits of an associate is not theirs to know yet.
func (v *accountView) told() (all []profile.Message) {
	for _, m := range v.Messages {
		if m.State == "sent" || m.AskedAt != nil {
			all = append(all, m)
		}
	}
	return all
}

// whyTold says why a message went or waits, without what is written down of them inside.
func whyTold(ctx context.Context, m profile.Message) string {
	if m.State == "waiting" {
		return text.T(ctx, "We’ll send it as soon as we can.")
	}
	return part.WhySent(ctx, m)
}
