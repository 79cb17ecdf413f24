package journey

import (
	"context"
	"counterpart/internal/domain/recommend"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// TestFromTheCounterToThePhone is one profile in every channel: made at the counter from an email, filled there, opened
// on the phone with the same cart, joined with what a till had made of the same person, and parted again in the office.
func TestFromTheCounterToThePhone(t *testing.T) {
	p := open(t)
	associate, phone := p.person(t, 1280, 800), p.person(t, 390, 844)

	// At the counter: nobody has this address, so a profile is made from it and something put into its cart.
	associate.signIn(p.Accounts["Priya"])
	associate.search("grace.holloway@example.com")
	associate.sees("No results")
	require.Equal(t, "grace.holloway@example.com", associate.value("#f-email"),
		"what was searched for need not be typed again")
	began := time.Now()
	associate.write("#f-name", "Grace Holloway")
	associate.write("#f-phone", "0113 496 0123")
	associate.click(".welcome form .button")
	associate.sees("Live cart")
	t.Logf("a customer was made in %v, typing and all", time.Since(began).Round(time.Millisecond))
	grace := id(associate.location())
	associate.write("#f-article", "AF102-01")
	associate.click(".add-article button")
	associate.sees("Morning mug")
	associate.click(`form[action$="/invite"] button`)
	associate.sees("We’ve emailed them the link")

	// On the phone: a guest's cart is there already; the mailed link makes the two one, and what is added shows at the
	// counter.
	phone.visit("/p/bear")
	phone.click("#add button")
	phone.visit(p.link(t, "grace.holloway@example.com", "/welcome/"))
	phone.sees("Your profile is here")
	phone.click(".sign .button")
	phone.sees("Morning mug")
	phone.sees("Bartholomew Bear")
	associate.sees("Bartholomew Bear")
	phone.click(`button[aria-label="Increase quantity of Morning mug"]`)
	associate.eventually(`[...document.querySelectorAll(".customer-cart .line")].some(l => l.innerText.includes("Morning mug") && l.innerText.includes("2"))`)
	phone.visit("/account")
	phone.sees("Hello, Grace Holloway")
	card := strings.ReplaceAll(phone.text(".card-show .code"), " ", "")
	require.Regexp(t, regexp.MustCompile(`^28\d{11}$`), card)
	associate.search(card)
	associate.sees("Grace Holloway")

	// A till made the same person once more. The phone number is proven on one side, so a code to it is enough.
	phone.visit("/account/details")
	phone.write("#f-phone", "0113 496 0123")
	phone.click(`form[action="/account/phone"] button`)
	phone.write("#f-code", p.texted(t, "441134960123"))
	phone.click(`form[action="/account/phone/code"] button`)
	phone.sees("Your number is confirmed")
	associate.search("nobody at all")
	associate.write("#f-name", "G. Holloway")
	associate.write("#f-phone", "0113 496 0123")
	associate.click(".welcome form .button")
	associate.sees("Possible duplicate: Grace Holloway")
	double := id(associate.location())
	associate.write("#f-article", "AF101-01")
	associate.click(".add-article button")
	associate.click(".perhaps")
	associate.sees("Are these the same person?")
	before := len(p.Mail.Mails())
	associate.click(`form[action$="/code"] button`)
	associate.sees("Ask them to read it out")
	require.Eventually(t, func() bool { return len(p.Mail.Mails()) > before }, patience, 10*time.Millisecond)
	associate.write("#f-code", p.texted(t, "441134960123"))
	associate.click(`.compare-how form .button`)
	associate.sees("The profiles are merged")
	require.Equal(t, grace, id(associate.location()), "the account survives")
	phone.visit("/cart")
	phone.eventually(`document.querySelectorAll(".cart .line").length === 3`)
	associate.visit("/counter/customers/" + double)
	require.Equal(t, grace, id(associate.location()), "the old address leads to the person")

	// In the office the two are parted again: what the till had put into the cart goes back, the rest stays.
	admin := p.person(t, 1280, 800)
	admin.signIn(p.Accounts["Imogen"])
	admin.visit("/admin/customers/" + grace)
	admin.sees("Merged profiles")
	admin.write(`form[action$="/unmerge"] [name="reason"]`, "they are cousins")
	admin.click(`form[action$="/unmerge"] button`)
	admin.sees("The profiles are separate again")
	phone.visit("/account")
	phone.sees("Sign in")
	associate.visit("/counter/customers/" + grace)
	associate.eventually(`document.querySelectorAll(".customer-cart .line").length === 2`)
	associate.visit("/counter/customers/" + double)
	associate.eventually(`document.querySelectorAll(".customer-cart .line").length === 1`)
	associate.sees("Possible duplicate: Grace Holloway")
	admin.visit("/admin/trail?action=customer.")
	admin.sees("profiles separated")
	admin.sees("they are cousins")
	clean(t, p)
}

// id is the number at the end of a customer's address.
func id(address string) string {
	return regexp.MustCompile(`customers/(\d+)`).FindStringSubmatch(address)[1]
}

// link waits for a mail and answers with the path of the link in it.
func (p *place) link(t *testing.T, to, path string) (found string) {
	t.Helper()
	shape := regexp.MustCompile(regexp.QuoteMeta(p.URL) + `(` + path + `\w+)`)
	require.Eventually(t, func() bool {
		for _, m := range p.Mail.Mails() {
			if match := shape.FindStringSubmatch(m.Text); match != nil && m.To == to {
				found = match[1]
				return true
			}
		}
		return false
	}, patience, 20*time.Millisecond, "a mail to %s with %s", to, path)
	return found
}

// texted is the code in the last text message to a number.
func (p *place) texted(t *testing.T, number string) (code string) {
	t.Helper()
	require.Eventually(t, func() bool {
		for _, m := range p.Mail.Mails() {
			if strings.HasPrefix(m.To, number+"@") {
				code = strings.ReplaceAll(m.Text[:7], " ", "")
				return true
			}
		}
		return false
	}, patience, 20*time.Millisecond, "a text message to %s", number)
	return code
}

// TestWhatWasLookedAtIsWorthSaying: somebody comes back to a product on the phone; at the counter it is said, with where
// it stands and only while they agree, and what became of it is kept.
func TestWhatWasLookedAtIsWorthSaying(t *testing.T) {
	p := open(t)
	// The two that Leeds has most of.
	rows, err := p.DB.Query(context.Background(), `
		SELECT p.slug, min(t.title), (array_agg(v.sku ORDER BY s.on_hand - s.reserved - s.safety DESC))[1]
		FROM product p
		JOIN product_text t ON t.product_id = p.id AND t.language = 'en'
		JOIN variant v ON v.product_id = p.id
		JOIN stock_level s ON s.variant_id = v.id AND s.condition = 'sellable'
		JOIN location l ON l.id = s.location_id AND l.code = 'LDS'
		GROUP BY p.id
		ORDER BY max(s.on_hand - s.reserved - s.safety) DESC
		LIMIT 2`)
	require.NoError(t, err)
	things, err := pgx.CollectRows(rows, pgx.RowToStructByPos[struct{ Slug, Title, SKU string }])
	require.NoError(t, err)
	associate, phone := p.person(t, 1280, 800), p.person(t, 390, 844)
	associate.signIn(p.Accounts["Priya"])
	associate.search("mina.teale@example.com")
	associate.write("#f-name", "Mina Teale")
	associate.click(".welcome form .button")
	associate.sees("Live cart")
	mina := "/counter/customers/" + id(associate.location())
	associate.click(`form[action$="/invite"] button`)
	associate.sees("We’ve emailed them the link")
	phone.visit(p.link(t, "mina.teale@example.com", "/welcome/"))
	phone.click(".sign .button")
	for _, purpose := range []string{"personalisation", "clienteling"} {
		phone.visit("/account/privacy")
		phone.click(fmt.Sprintf("#%s-shop button", purpose))
		phone.eventually(fmt.Sprintf(`document.querySelector("#%s-shop button").value === "no"`, purpose))
	}
	for range 4 {
		phone.visit("/p/" + things[0].Slug)
		phone.visit("/")
	}
	require.Eventually(t, func() bool {
		associate.visit(mina)
		return strings.Contains(associate.text("body"), "Looked at "+things[0].Title+" 4 times today")
	}, patience, 300*time.Millisecond)
	require.Regexp(t, `\d+ here, at [A-Z]\d\d`, associate.text(".hints"))
	// The shop says it to her too, in its own words, and why.
	phone.visit("/")
	phone.sees("Still thinking about it?")
	phone.fits("suggested")
	phone.do(chromedp.Click(chromedp.CSS(".suggested summary")))
	phone.sees("You’ve looked at it 4 times today, and agreed that we save what you view.")
	stranger := p.person(t, 390, 844)
	stranger.visit("/")
	require.NotContains(t, stranger.text("body"), "Still thinking about it?")
	associate.click(`.hints button[value="used"]`)
	associate.eventually(`!document.querySelector(".hints")`)

	// She takes it, and the office sees what became of the suggestion.
	office := p.person(t, 1280, 800)
	office.signIn(p.Accounts["Imogen"])
	figures := `tr:has(form[action$="/suggestions/viewed"])`
	office.visit("/admin/suggestions")
	require.Regexp(t, `^1\s+1\s+100 %\s+0\s+0\s+0\s`, office.text(figures+" td:nth-child(2)")+" "+
		office.text(figures+" td:nth-child(3)")+" "+office.text(figures+" td:nth-child(4)")+" "+
		office.text(figures+" td:nth-child(5)")+" "+office.text(figures+" td:nth-child(6)"))
	associate.visit("/counter/sales/" + id(mina))
	associate.write("#f-article", things[0].SKU)
	associate.click(".add-article button")
	associate.paidInCash()
	office.visit("/admin/suggestions")
	require.Regexp(t, `^1\s+100 %\s+£[1-9]`, office.text(figures+" td:nth-child(6)"), "sold, with its margin")

	// What is withdrawn on the phone is gone from the counter.
	for range 3 {
		phone.visit("/p/" + things[1].Slug)
		phone.visit("/")
	}
	require.Eventually(t, func() bool {
		associate.visit(mina)
		return strings.Contains(associate.text("body"), "Looked at "+things[1].Title)
	}, patience, 300*time.Millisecond)
	phone.visit("/account/privacy")
	phone.click("#clienteling-shop button")
	phone.eventually(`document.querySelector("#clienteling-shop button").value === "yes"`)
	associate.visit(mina)
	associate.sees("Live cart")
	require.NotContains(t, associate.text("body"), things[1].Title)
}

// paidInCash takes what a sale costs.
func (p *person) paidInCash() {
	p.t.Helper()
	p.do(chromedp.Click(chromedp.CSS(`.tenders label:has([value="cash"])`)))
	p.write("#f-given", regexp.MustCompile(`[\d.]+`).FindString(p.text(`.sale-pay form[action$="/pay"] .is-large`)))
	p.click(`.sale-pay form[action$="/pay"] .is-large`)
	p.sees("Sold and paid.")
}

// TestThreePeopleAreShownDifferentThings: somebody new, somebody who has one of what is suggested and agreed that we
// remember it, and somebody who has another in the cart, look at one product and at their carts side by side.
func TestThreePeopleAreShownDifferentThings(t *testing.T) {
	p := open(t)
	var slug, sku string
	var others []struct{ Slug, Title, SKU string }
	require.NoError(t, recommend.Rebuild(context.Background(), p.DB))
	require.NoError(t, p.DB.QueryRow(context.Background(), `
		SELECT p.slug, min(v.sku)
		FROM product p
		JOIN goes_with g ON g.product_id = p.id AND g.why = 'bought'
		JOIN variant v ON v.product_id = p.id
		JOIN stock_level s ON s.variant_id = v.id AND s.condition = 'sellable' AND s.on_hand - s.reserved - s.safety > 3
		JOIN location l ON l.id = s.location_id AND l.code = 'LDS'
		GROUP BY p.id
		ORDER BY count(DISTINCT g.other_id) DESC, p.id
		LIMIT 1`).Scan(&slug, &sku))
	rows, err := p.DB.Query(context.Background(), `
		SELECT p.slug, t.title, v.sku
		FROM goes_with g
		JOIN product p ON p.id = g.other_id
		JOIN product_text t ON t.product_id = p.id AND t.language = 'en'
		JOIN LATERAL (
			SELECT v.sku
			FROM variant v
			JOIN stock_level s ON s.variant_id = v.id AND s.condition = 'sellable' AND s.on_hand - s.reserved - s.safety > 1
			JOIN location l ON l.id = s.location_id AND l.code = 'LDS'
			WHERE v.product_id = p.id AND v.active
			LIMIT 1) v ON true
		WHERE g.product_id = (SELECT id FROM product WHERE slug = $1) AND g.why = 'bought'
		ORDER BY g.position
		LIMIT 2`, slug)
	require.NoError(t, err)
	others, err = pgx.CollectRows(rows, pgx.RowToStructByPos[struct{ Slug, Title, SKU string }])
	require.NoError(t, err)
	require.Len(t, others, 2)

	stranger, ada, bob := p.person(t, 390, 844), p.person(t, 390, 844), p.person(t, 390, 844)
	ada.signIn(p.Accounts["Ada"])
	ada.visit("/account/privacy")
	ada.script(`const agree = document.querySelector("#personalisation-shop button"); if (agree.value === "yes") agree.click()`)
	ada.eventually(`document.querySelector("#personalisation-shop button").value === "no"`)
	associate := p.person(t, 1280, 800)
	associate.signIn(p.Accounts["Priya"])
	associate.visit("/counter")
	associate.click(".counter-sale button")
	associate.write("#f-article", others[0].SKU)
	associate.click(".add-article button")
	associate.write("#f-who", p.Accounts["Ada"].Email)
	associate.click(`.sale-who form button`)
	associate.sees("Ada")
	associate.paidInCash()
	bob.visit("/p/" + others[1].Slug + "?v=" + others[1].SKU)
	bob.click("#add button")
	bob.sees("Added to your cart")

	why := regexp.MustCompile(`(?m)^Often .*$`)
	shown := func(who *person, page string) string {
		who.visit(page)
		return why.ReplaceAllString(who.text(".beside"), "")
	}
	product := "/p/" + slug + "?v=" + sku
	require.Contains(t, shown(stranger, product), others[0].Title)
	require.Contains(t, stranger.text(".beside"), others[1].Title)
	require.NotContains(t, shown(ada, product), others[0].Title, "she has it")
	require.Contains(t, shown(bob, product), others[0].Title)
	require.NotContains(t, bob.text(".beside"), others[1].Title, "it is in the cart")
	for _, who := range []*person{stranger, ada, bob} {
		who.visit(product)
		who.click("#add button")
		who.sees("Added to your cart")
	}
	require.Contains(t, shown(stranger, "/cart"), others[0].Title)
	require.NotContains(t, shown(ada, "/cart"), others[0].Title)
	require.NotContains(t, shown(bob, "/cart"), others[1].Title)
	bob.fits("cart beside")
	clean(t, p)
}

// TestAPasskeyOpensTheAccount makes a passkey with an authenticator that the browser plays, signs out, and signs in
// with it.
func TestAPasskeyOpensTheAccount(t *testing.T) {
	p := open(t)
	shopper := p.person(t, 390, 844)
	shopper.authenticator()
	shopper.signIn(p.Accounts["Ada"])
	shopper.visit("/account/details")
	shopper.write("#passkey-current", "not my password at all")
	shopper.tap(`form[data-passkey-make] button`)
	shopper.sees("That password is incorrect")
	shopper.visit("/account/details")
	shopper.write("#passkey-current", p.Accounts["Ada"].Password)
	shopper.tap(`form[data-passkey-make] button`)
	shopper.sees("Passkey added")
	p.mailed(t, p.Accounts["Ada"].Email, "A passkey was added")

	shopper.click(`form[action="/sign-out"] button`)
	shopper.visit("/account")
	shopper.sees("New here?")
	shopper.tap(`form[data-passkey-ask] button`)
	shopper.sees("Hello, Ada")
	shopper.visit("/account/activity")
	shopper.sees("Changed: passkey")
	clean(t, p)
}

// TestAnAssociateNeedsTheirPasskey sets a passkey up as the second factor and is asked for it at the next sign-in.
func TestAnAssociateNeedsTheirPasskey(t *testing.T) {
	p := open(t)
	associate := p.person(t, 1280, 800)
	associate.authenticator()
	associate.signIn(p.Accounts["Priya"])
	associate.visit("/staff/second")
	associate.tap(`form[data-passkey-make] button`)
	associate.sees("You’ll need it every time you sign in")
	associate.visit("/counter")
	associate.script(`document.querySelector('form[action="/staff/sign-out"]').submit()`)
	associate.sees("Staff sign-in")
	associate.signIn(p.Accounts["Priya"])
	associate.sees("One more step")
	associate.visit("/counter")
	associate.sees("Staff sign-in")
	associate.signIn(p.Accounts["Priya"])
	associate.tap(`form[data-passkey-get] button`)
	associate.sees("Ready to collect")
}

// TestTheLockKeepsTheWork registers a machine, changes associates on it by PIN, leaves a form half-written, and finds
// it whole after the lock; a form that is sent into the lock is sent on after it.
func TestTheLockKeepsTheWork(t *testing.T) {
	p := open(t)
	ctx := context.Background()
	counter := p.person(t, 1280, 800)
	tomasz, priya := p.Accounts["Tomasz"], p.Accounts["Priya"]
	counter.signIn(tomasz)
	counter.visit("/staff/machine")
	counter.write("#f-name", "Till 2")
	counter.click(".plain form .button")
	for _, who := range []string{"Tomasz", "Priya"} {
		counter.signIn(p.Accounts[who])
		counter.visit("/counter")
	}
	counter.script(`document.querySelector('form[action="/staff/lock"]').submit()`)
	counter.sees("Who’s there?")
	counter.do(chromedp.Click(chromedp.Search(`//label[contains(., "` + tomasz.Name + `")]`)))
	counter.write("#f-pin", "9999")
	counter.click(".plain form .button")
	counter.sees("That PIN is incorrect")
	counter.do(chromedp.Click(chromedp.Search(`//label[contains(., "` + priya.Name + `")]`)))
	counter.write("#f-pin", priya.PIN)
	counter.click(".plain form .button")
	counter.sees("Ready to collect")
	counter.sees(priya.Name)

	// Nobody is there for a minute: the page locks over itself, and the half-written note is still there after the PIN.
	_, err := p.DB.Exec(ctx, `UPDATE shop SET idle_minutes = 1`)
	require.NoError(t, err)
	var ada int64
	require.NoError(t, p.DB.QueryRow(ctx, `SELECT customer_id FROM password`).Scan(&ada))
	customer := fmt.Sprintf("/counter/customers/%d", ada)
	counter.visit(customer)
	counter.script(`document.querySelector("[data-idle]").dataset.idle = "1"`)
	counter.write("#f-body", "half a sentence")
	counter.eventually(`document.querySelector("dialog.lock").open`)
	counter.script(`document.querySelector("[data-idle]").dataset.idle = "60"`)
	counter.write("#lock-secret", "9999")
	counter.script(`document.querySelector("dialog.lock form").requestSubmit()`)
	counter.eventually(`!document.querySelector("dialog.lock .field-error").hidden`)
	counter.write("#lock-secret", priya.PIN)
	counter.script(`document.querySelector("dialog.lock form").requestSubmit()`)
	counter.eventually(`!document.querySelector("dialog.lock").open`)
	require.Equal(t, "half a sentence", counter.value("#f-body"))

	// Without the script's help: the form meets the lock on the server, and is sent on once the PIN is right.
	counter.visit(customer)
	counter.write("#f-body", "Wants to be called on Tuesday.")
	_, err = p.DB.Exec(ctx, `UPDATE session SET seen_at = now() - interval '2 minutes'`)
	require.NoError(t, err)
	counter.click(".note-form button")
	counter.sees("Everything’s as you left it")
	counter.write("#f-unlock-secret", priya.PIN)
	counter.click(`form[action="/staff/unlock"] button`)
	counter.sees("Wants to be called on Tuesday.")
	clean(t, p)
}

// TestTheNearestStoreByPosition: the browser's position sorts the stores once it was agreed to, and stops doing so when
// that is taken back.
func TestTheNearestStoreByPosition(t *testing.T) {
	p := open(t)
	shopper := p.person(t, 390, 844)
	shopper.standsAt(53.80, -1.55)
	shopper.visit("/stores")
	require.NotContains(t, shopper.text("main"), "Sort by my location")
	shopper.tap("[data-here] button")
	shopper.tap("form[data-position] button")
	shopper.sees("Distances from your location")
	require.Contains(t, shopper.text(".stores .store"), "Leeds")
	require.Equal(t, "/stores", strings.TrimPrefix(shopper.location(), p.URL), "the position is in no address")

	shopper.tap(`form[action="/remember"] button`)
	shopper.sees("You can turn it off here at any time")
	require.NotContains(t, shopper.text("main"), "Sort by my location")
	clean(t, p)
}

func (p *person) standsAt(latitude, longitude float64) {
	p.t.Helper()
	p.do(func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		accuracy := 10.0
		if _, err := cdp.Call(ctx, t, emulation.SetGeolocationOverride,
			emulation.SetGeolocationOverrideParams{Latitude: &latitude, Longitude: &longitude,
				Accuracy: &accuracy}); err != nil {
			return chromedp.Void{}, err
		}
		c := chromedp.FromContext(p.ctx)
		_, err := cdp.Call(ctx, c.Browser, browser.SetPermission, browser.SetPermissionParams{
			Permission: &browser.PermissionDescriptor{Name: "geolocation"}, Setting: "granted", Origin: p.url,
			BrowserContextID: c.BrowserContextID,
		})
		return chromedp.Void{}, err
	})
}

// authenticator gives the window a phone's fingerprint reader, as far as it can tell.
func (p *person) authenticator() {
	p.t.Helper()
	p.do(func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		if _, err := cdp.Call(ctx, t, webauthn.Enable, webauthn.EnableParams{}); err != nil {
			return chromedp.Void{}, err
		}
		_, err := cdp.Call(ctx, t, webauthn.AddVirtualAuthenticator,
			webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
				Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal,
				HasResidentKey: true, HasUserVerification: true, IsUserVerified: true,
				AutomaticPresenceSimulation: true,
			}})
		return chromedp.Void{}, err
	})
}

// tap presses what a script answers to: no page has to come of it at once.
func (p *person) tap(selector string) {
	p.t.Helper()
	p.do(chromedp.WaitVisible(chromedp.CSS(selector)), chromedp.Click(chromedp.CSS(selector)))
}
