// Package shop is what a shopper sees in a browser: find something, see which store has it, reserve it, collect it.
package shop

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"counterpart/internal/domain/browsing"
	"counterpart/internal/domain/origin"
	"counterpart/internal/flow/settle"
	"counterpart/internal/platform/files"
	"counterpart/internal/platform/live"
	"counterpart/internal/platform/passkey"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/text"
	"counterpart/internal/query/shop"
	"counterpart/web/gate"
	"counterpart/web/layout"
	"counterpart/web/part"
)

// Pages are the shop's, with what they need.
type Pages struct {
	DB       pg.DB
	Site     *gate.Routes
	Files    *files.Store
	Live     *live.Hub
	Trail    *browsing.Recorder // nil: nothing is remembered
	Passkeys *passkey.Site      // nil: there are none at this address
	Office   *settle.Payments   // where payments are settled
	Base     string             // the shop's own address
	Texts    bool               // text messages can be sent
	Caught   bool               // mail is caught, and shown at /dev/mail
}

// Routes is the site map of the shop.
func (p *Pages) Routes(r *gate.Routes) {
	r.Get("/", gate.Anyone, p.home)
	r.Get("/d/{slug}", gate.Anyone, p.department)
	r.Get("/search", gate.Anyone, p.search)
	r.Get("/p/{slug}", gate.Anyone, p.product)
	r.Get("/stores", gate.Anyone, p.stores)
	r.Post("/stores", gate.Anyone, p.storesHere)
	r.Get("/stores/{slug}", gate.Anyone, p.store)
	r.Post("/stores/{slug}/choose", gate.Anyone, p.chooseStore)
	r.Get("/cart", gate.Anyone, p.cart)
	r.Post("/cart", gate.Anyone, p.addToCart)
	r.Post("/cart/lines/{id}", gate.Anyone, p.changeLine)
	r.Get("/cart/events", gate.Anyone, p.cartEvents)
	r.Get("/checkout", gate.Anyone, p.checkout)
	r.Post("/checkout", gate.Anyone, p.placeOrder)
	r.Get("/orders/{link}", gate.OwnLink, p.order)
	r.Get("/orders/{link}/events", gate.OwnLink, p.orderEvents)
	r.Get("/orders/{link}/calendar.ics", gate.OwnLink, p.calendar)
	r.Get("/orders/{link}/documents/{series}/{number}", gate.OwnLink, p.document)
	r.Get("/orders/{link}/receipt", gate.OwnLink, p.receipt)
	r.Get("/orders/{link}/receipt.pdf", gate.OwnLink, p.receipt)
	r.Get("/orders/{link}/paid", gate.OwnLink, p.paid)
	r.Post("/orders/{link}/pay", gate.OwnLink, p.payAgain)
	r.Post("/orders/{link}/cancel", gate.OwnLink, p.cancelOrder)
	r.Post("/orders/{link}/again", gate.OwnLink, p.orderAgain)
	r.Post("/orders/{link}/extend", gate.OwnLink, p.extend)
	r.Post("/orders/{link}/choose", gate.OwnLink, p.choose)
	r.Post("/cart/lines/{id}/way", gate.Anyone, p.onCart(p.setWay))
	r.Post("/cart/lines/{id}/note", gate.Anyone, p.onCart(p.setNote))
	r.Post("/cart/codes", gate.Anyone, p.onCart(p.addCode))
	r.Post("/cart/codes/remove", gate.Anyone, p.onCart(p.removeCode))
	r.Post("/cart/share", gate.Anyone, p.share)
	r.Get("/carts/{word}", gate.OwnLink, p.shared)
	r.Post("/carts/{word}", gate.OwnLink, p.takeShared)
	r.Get("/gift-cards", gate.Anyone, p.giftCards)
	r.Post("/gift-cards", gate.Anyone, p.balance)
	r.Post("/cart/lines/{id}/later", gate.Anyone, p.keepForLater)
	r.Get("/list", gate.Anyone, p.list)
	r.Post("/list", gate.Anyone, p.wish)
	r.Post("/list/{variant}/remove", gate.Anyone, p.unwish)
	r.Post("/list/{variant}/cart", gate.Anyone, p.fromList)
	r.Post("/remember", gate.Anyone, p.remember)
	p.waysIn(r)
	p.accountRoutes(r)
}

// waysIn are the pages by which somebody becomes who they are. Links are opened by GET and used by POST.
func (p *Pages) waysIn(r *gate.Routes) {
	r.Get("/sign-in", gate.Anyone, p.signInPage)
	r.Post("/sign-in", gate.Anyone, p.signIn)
	r.Post("/sign-in/passkey", gate.Anyone, p.signInByPasskey)
	r.Post("/sign-in/passkey/ask", gate.Anyone, p.askPasskey)
	r.Get("/sign-in/{token}", gate.OwnLink, p.opened(signInLink))
	r.Post("/sign-in/{token}", gate.OwnLink, p.openSignIn)
	r.Get("/register", gate.Anyone, p.registerPage)
	r.Post("/register", gate.Anyone, p.register)
	r.Get("/check-your-mail", gate.Anyone, p.checkMail)
	r.Get("/begin/{token}", gate.OwnLink, p.opened(beginLink))
	r.Post("/begin/{token}", gate.OwnLink, p.begin)
	r.Get("/welcome/{token}", gate.OwnLink, p.opened(claimLink))
	r.Post("/welcome/{token}", gate.OwnLink, p.welcome)
	r.Get("/forgotten", gate.Anyone, p.forgottenPage)
	r.Post("/forgotten", gate.Anyone, p.forgotten)
	r.Get("/reset/{token}", gate.OwnLink, p.resetPage)
	r.Post("/reset/{token}", gate.OwnLink, p.reset)
	r.Get("/email/old/{token}", gate.OwnLink, p.opened(oldLink))
	r.Post("/email/old/{token}", gate.OwnLink, p.agreeEmail(oldLink))
	r.Get("/email/new/{token}", gate.OwnLink, p.opened(newLink))
	r.Post("/email/new/{token}", gate.OwnLink, p.agreeEmail(newLink))
	r.Get("/email/done", gate.Anyone, p.emailDone)
	r.Get("/goodbye", gate.Anyone, p.goodbye)
	r.Get("/export/{token}", gate.OwnLink, p.exportPage)
	r.Post("/export/{token}", gate.OwnLink, p.export)
}

// accountRoutes are everything that is somebody's own.
func (p *Pages) accountRoutes(r *gate.Routes) {
	r.Post("/sign-out", gate.Shopper, p.signOut)
	r.Get("/account", gate.Shopper, p.account)
	r.Get("/account/details", gate.Shopper, p.details)
	r.Post("/account/details", gate.Shopper, p.saveDetails)
	r.Post("/account/sizes", gate.Shopper, p.saveSize)
	r.Post("/account/password", gate.Shopper, p.changePassword)
	r.Post("/account/email", gate.Shopper, p.changeEmail)
	r.Post("/account/phone", gate.Shopper, p.askPhone)
	r.Post("/account/phone/code", gate.Shopper, p.provePhone)
	r.Post("/account/passkeys/ask", gate.Shopper, p.enrolPasskey)
	r.Post("/account/passkeys", gate.Shopper, p.keepPasskey)
	r.Post("/account/passkeys/{id}/remove", gate.Shopper, p.dropPasskey)
	r.Post("/account/sign-out-everywhere", gate.Shopper, p.everywhere)
	r.Get("/account/addresses", gate.Shopper, p.addresses)
	r.Post("/account/addresses", gate.Shopper, p.saveAddress)
	r.Post("/account/addresses/{id}/remove", gate.Shopper, p.dropAddress)
	r.Get("/account/privacy", gate.Shopper, p.privacy)
	r.Post("/account/consent", gate.Shopper, p.consent)
	r.Get("/account/activity", gate.Shopper, p.activity)
	r.Post("/account/export", gate.Shopper, p.askExport)
	r.Post("/account/erase", gate.Shopper, p.erase)
}

// frame is what the edges of every page show.
func frame(ctx context.Context, v *shop.Visit, title string) layout.Shop {
	s := layout.Shop{Title: title, Name: v.Shop, Pieces: v.Units, Demo: v.Demo, SignedIn: v.SignedIn, Person: v.Name}
	for _, d := range v.Departments {
		s.Departments = append(s.Departments, layout.Link{Name: d.Name, URL: "/d/" + d.Slug})
	}
	if v.Chosen {
		s.Store, s.StoreNote = v.Store.Name, part.Open(ctx, &v.Store, v.At)
	}
	return s
}

// number reads a whole number from a query or a form; what is not one is 0.
func number(s string) int64 {
	n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// words is what was typed into a search box.
func words(typed string) string { return text.Clean(typed, 100) }

// written is a field of a form as it can be stored; longer than any field takes, so that whoever checks it still sees
// that it was too long.
func written(r *http.Request, name string) string { return text.Clean(r.PostFormValue(name), 1000) }

// back is the page a form was sent from, when it is one of ours.
func back(r *http.Request, otherwise string) string {
	return gate.SafeNext(r.PostFormValue("back"), otherwise)
}

// here is the origin of what a shopper does in a browser.
func here(r *http.Request) origin.Origin {
	return origin.Origin{Channel: origin.Web, Language: language(r)}
}

func language(r *http.Request) string { return text.Content(r.Context()) }

func pageNumber(n int) string { return strconv.Itoa(n) }

// safeBack is a page of ours to return to, or "".
func safeBack(next string) string { return gate.SafeNext(next, "") }

// productOf is the product and variant that a page of ours shows.
func productOf(address string) (slug, sku string) {
	u, err := url.Parse(address)
	if err != nil || !strings.HasPrefix(u.Path, "/p/") {
		return "", ""
	}
	return strings.TrimPrefix(u.Path, "/p/"), u.Query().Get("v")
}
