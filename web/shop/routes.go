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
	"counterpart/web/access"
	"counterpart/web/layout"
	"counterpart/web/part"
)

// Pages are the shop's, with what they need.
type Pages struct {
	DB       pg.DB
	Site     *access.Routes
	Files    *files.Store
	Live     *live.Hub
	Trail    *browsing.Recorder // nil: nothing is remembered
	Passkeys *passkey.Site      // nil: there are none at this address
	Payments *settle.Payments   // where payments are settled
	Base     string             // the shop's own address
	Texts    bool               // text messages can be sent
	Caught   bool               // mail is caught, and shown at /dev/mail
}

// Routes is the site map of the shop.
func (p *Pages) Routes(r *access.Routes) {
	r.Get("/", access.Anyone, p.home)
	r.Get("/d/{slug}", access.Anyone, p.department)
	r.Get("/search", access.Anyone, p.search)
	r.Get("/p/{slug}", access.Anyone, p.product)
	r.Get("/files/{id}", access.Anyone, p.file)
	r.Post("/notices", access.Anyone, p.askNotice)
	r.Get("/notices/{token}", access.OwnLink, p.opened(noticeLink))
	r.Post("/notices/{token}", access.OwnLink, p.proveNotice)
	r.Get("/pages/{slug}", access.Anyone, p.page)
	r.Get("/look.css", access.Anyone, p.look)
	r.Get("/brand/{key}", access.Anyone, p.brand)
	r.Get("/stores", access.Anyone, p.stores)
	r.Post("/stores", access.Anyone, p.storesHere)
	r.Get("/stores/{slug}", access.Anyone, p.store)
	r.Post("/stores/{slug}/choose", access.Anyone, p.chooseStore)
	r.Get("/cart", access.Anyone, p.cart)
	r.Post("/cart", access.Anyone, p.addToCart)
	r.Post("/cart/lines/{id}", access.Anyone, p.changeLine)
	r.Get("/cart/events", access.Anyone, p.cartEvents)
	r.Get("/checkout", access.Anyone, p.checkout)
	r.Post("/checkout", access.Anyone, p.placeOrder)
	r.Get("/orders/{link}", access.OwnLink, p.order)
	r.Get("/orders/{link}/events", access.OwnLink, p.orderEvents)
	r.Get("/orders/{link}/calendar.ics", access.OwnLink, p.calendar)
	r.Get("/orders/{link}/documents/{series}/{number}", access.OwnLink, p.document)
	r.Get("/orders/{link}/receipt", access.OwnLink, p.receipt)
	r.Get("/orders/{link}/receipt.pdf", access.OwnLink, p.receipt)
	r.Get("/orders/{link}/paid", access.OwnLink, p.paid)
	r.Post("/orders/{link}/pay", access.OwnLink, p.payAgain)
	r.Post("/orders/{link}/cancel", access.OwnLink, p.cancelOrder)
	r.Post("/orders/{link}/again", access.OwnLink, p.orderAgain)
	r.Post("/orders/{link}/extend", access.OwnLink, p.extend)
	r.Post("/orders/{link}/choose", access.OwnLink, p.choose)
	r.Post("/cart/lines/{id}/way", access.Anyone, p.onCart(p.setWay))
	r.Post("/cart/lines/{id}/note", access.Anyone, p.onCart(p.setNote))
	r.Post("/cart/codes", access.Anyone, p.onCart(p.addCode))
	r.Post("/cart/codes/remove", access.Anyone, p.onCart(p.removeCode))
	r.Post("/cart/share", access.Anyone, p.share)
	r.Get("/carts/{word}", access.OwnLink, p.shared)
	r.Post("/carts/{word}", access.OwnLink, p.takeShared)
	r.Get("/gift-cards", access.Anyone, p.giftCards)
	r.Post("/gift-cards", access.Anyone, p.balance)
	r.Post("/cart/lines/{id}/later", access.Anyone, p.keepForLater)
	r.Get("/list", access.Anyone, p.list)
	r.Post("/list", access.Anyone, p.wish)
	r.Post("/list/{variant}/remove", access.Anyone, p.unwish)
	r.Post("/list/{variant}/cart", access.Anyone, p.fromList)
	r.Post("/remember", access.Anyone, p.remember)
	p.waysIn(r)
	p.accountRoutes(r)
}

// waysIn are the pages by which somebody becomes who they are. Links are opened by GET and used by POST.
func (p *Pages) waysIn(r *access.Routes) {
	r.Get("/sign-in", access.Anyone, p.signInPage)
	r.Post("/sign-in", access.Anyone, p.signIn)
	r.Post("/sign-in/passkey", access.Anyone, p.signInByPasskey)
	r.Post("/sign-in/passkey/ask", access.Anyone, p.askPasskey)
	r.Get("/sign-in/{token}", access.OwnLink, p.opened(signInLink))
	r.Post("/sign-in/{token}", access.OwnLink, p.openSignIn)
	r.Get("/register", access.Anyone, p.registerPage)
	r.Post("/register", access.Anyone, p.register)
	r.Get("/check-your-mail", access.Anyone, p.checkMail)
	r.Get("/begin/{token}", access.OwnLink, p.opened(beginLink))
	r.Post("/begin/{token}", access.OwnLink, p.begin)
	r.Get("/welcome/{token}", access.OwnLink, p.opened(claimLink))
	r.Post("/welcome/{token}", access.OwnLink, p.welcome)
	r.Get("/forgotten", access.Anyone, p.forgottenPage)
	r.Post("/forgotten", access.Anyone, p.forgotten)
	r.Get("/reset/{token}", access.OwnLink, p.resetPage)
	r.Post("/reset/{token}", access.OwnLink, p.reset)
	r.Get("/email/old/{token}", access.OwnLink, p.opened(oldLink))
	r.Post("/email/old/{token}", access.OwnLink, p.agreeEmail(oldLink))
	r.Get("/email/new/{token}", access.OwnLink, p.opened(newLink))
	r.Post("/email/new/{token}", access.OwnLink, p.agreeEmail(newLink))
	r.Get("/email/done", access.Anyone, p.emailDone)
	r.Get("/goodbye", access.Anyone, p.goodbye)
	r.Get("/export/{token}", access.OwnLink, p.exportPage)
	r.Post("/export/{token}", access.OwnLink, p.export)
}

// accountRoutes are everything that is somebody's own.
func (p *Pages) accountRoutes(r *access.Routes) {
	r.Post("/sign-out", access.Shopper, p.signOut)
	r.Get("/account", access.Shopper, p.account)
	r.Get("/account/details", access.Shopper, p.details)
	r.Post("/account/details", access.Shopper, p.saveDetails)
	r.Post("/account/sizes", access.Shopper, p.saveSize)
	r.Post("/account/password", access.Shopper, p.changePassword)
	r.Post("/account/email", access.Shopper, p.changeEmail)
	r.Post("/account/phone", access.Shopper, p.askPhone)
	r.Post("/account/phone/code", access.Shopper, p.provePhone)
	r.Post("/account/passkeys/ask", access.Shopper, p.enrolPasskey)
	r.Post("/account/passkeys", access.Shopper, p.keepPasskey)
	r.Post("/account/passkeys/{id}/remove", access.Shopper, p.dropPasskey)
	r.Post("/account/sign-out-everywhere", access.Shopper, p.everywhere)
	r.Get("/account/addresses", access.Shopper, p.addresses)
	r.Post("/account/addresses", access.Shopper, p.saveAddress)
	r.Post("/account/addresses/{id}/remove", access.Shopper, p.dropAddress)
	r.Get("/account/points", access.Shopper, p.points)
	r.Post("/account/points/revive", access.Shopper, p.revivePoints)
	r.Get("/account/privacy", access.Shopper, p.privacy)
	r.Post("/account/consent", access.Shopper, p.consent)
	r.Post("/account/notices/{id}/withdraw", access.Shopper, p.withdrawNotice)
	r.Get("/account/activity", access.Shopper, p.activity)
	r.Post("/account/export", access.Shopper, p.askExport)
	r.Post("/account/erase", access.Shopper, p.erase)
}

// frame is what the edges of every page show.
func frame(ctx context.Context, v *shop.Visit, title string) layout.Shop {
	s := layout.Shop{Title: title, Name: v.Shop, Pieces: v.Units, Demo: v.Demo, SignedIn: v.SignedIn, Person: v.Name}
	for _, d := range v.Departments {
		s.Departments = append(s.Departments, layout.Link{Name: d.Name, URL: "/d/" + d.Slug})
	}
	for _, l := range v.Theme.HeaderLinks {
		s.Header = append(s.Header, layout.Link{Name: l.Name, URL: l.Address})
	}
	for _, p := range v.Pages {
		if t, _ := p.In(text.Content(ctx)); p.InFooter && t.Title != "" {
			s.Footer = append(s.Footer, layout.Link{Name: t.Title, URL: "/pages/" + p.Slug})
		}
	}
	for _, l := range v.Theme.FooterLinks {
		s.Footer = append(s.Footer, layout.Link{Name: l.Name, URL: l.Address})
	}
	s.Logo = v.Theme.Logo
	if !v.Theme.Plain() {
		s.Look = lookAddress(v.Theme)
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
	return access.SafeNext(r.PostFormValue("back"), otherwise)
}

// here is the origin of what a shopper does in a browser.
func here(r *http.Request) origin.Origin {
	return origin.Origin{Channel: origin.Web, Language: language(r)}
}

func language(r *http.Request) string { return text.Content(r.Context()) }

func pageNumber(n int) string { return strconv.Itoa(n) }

// safeBack is a page of ours to return to, or "".
func safeBack(next string) string { return access.SafeNext(next, "") }

// productOf is the product and variant that a page of ours shows.
func productOf(address string) (slug, sku string) {
	u, err := url.Parse(address)
	if err != nil || !strings.HasPrefix(u.Path, "/p/") {
		return "", ""
	}
	return strings.TrimPrefix(u.Path, "/p/"), u.Query().Get("v")
}
