package journey

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"counterpart/internal/platform/text"
)

// TestAnOrderInLatvian goes from the home page to the receipt in Latvian: no sentence on the way is left in English,
// the mails are in the shopper's language, and the counter is not.
func TestAnOrderInLatvian(t *testing.T) {
	p := open(t)
	shopper, associate := p.person(t, 390, 844), p.person(t, 1280, 800)
	associate.signIn(p.Accounts["Priya"])
	shopper.visit("/lv")
	shopper.sees("Iecienītākās preces")
	require.Equal(t, "lv", shopper.attribute("html", "lang"))
	shopper.fits("home in Latvian")
	shopper.lookAt("lv-home")

	// The language stays without its prefix, and the other one is a link away.
	shopper.visit("/d/kitchen-table")
	shopper.sees("Filtrēt un kārtot")
	shopper.sees("Virtuve un galds")
	shopper.fits("department in Latvian")
	shopper.lookAt("lv-department")
	require.Equal(t, "/en/d/kitchen-table", shopper.attribute(`.shop-languages a[hreflang="en"]`, "href"))

	shopper.visit("/p/morning-mug")
	shopper.click(`form[action="/stores/leeds/choose"] button`)
	shopper.sees("Saņemt veikalā Leeds")
	shopper.fits("product in Latvian")
	shopper.lookAt("lv-product")
	shopper.click("#add button")
	shopper.sees("Ielikts grozā")
	shopper.sees("14,00\u00a0£")
	shopper.fits("cart in Latvian")
	shopper.lookAt("lv-cart")
	shopper.click(`a[href="/checkout"]`)
	shopper.sees("Jūsu dati")
	shopper.script(`document.querySelector("#checkout").noValidate = true`)
	shopper.write("#f-email", "nav adrese")
	shopper.click(`button[name="place"]`)
	shopper.sees("Ievadiet vārdu.")
	shopper.sees("Ievadiet derīgu e-pasta adresi")
	shopper.fits("checkout in Latvian")
	shopper.lookAt("lv-checkout")
	shopper.write("#f-name", "Ilze Ozoliņa")
	shopper.write("#f-email", "ilze@example.com")
	shopper.click(`button[name="place"]`)
	shopper.sees("Rezervēts. Jau atliekam.")
	order := shopper.location()[len(shopper.url):]
	shopper.fits("order in Latvian")
	shopper.lookAt("lv-order")
	p.mailed(t, "ilze@example.com", "ir rezervēts", "Labdien, Ilze Ozoliņa!", "Kopā: ")
	code := strings.ReplaceAll(shopper.text(".pickup-code .code"), " ", "")

	// The counter works in English, and the shopper reads on in Latvian.
	associate.visit("/counter")
	associate.openRow("Ilze Ozoliņa")
	associate.sees("Ordered")
	associate.write("#f-place", "Shelf B2")
	associate.pickAll()
	associate.click(".pickup-do .is-large")
	shopper.sees("Gatavs jums veikalā Leeds")
	p.mailed(t, "ilze@example.com", "ir gatavs", code[:3]+" "+code[3:])
	associate.search(code)
	associate.do(chromedp.Click(chromedp.CSS(`.tenders label:has([value="cash"])`)))
	associate.write("#f-given", "20,00")
	associate.click(".pickup-do .is-large")
	associate.sees("Give £6.00 change")
	shopper.sees("Saņemts. Lai noder!")
	p.mailed(t, "ilze@example.com", "ir saņemts", "Samaksāts: ")
	shopper.visit(order + "/receipt")
	shopper.sees("Čeks")
	shopper.lookAt("lv-receipt")

	assert.Empty(t, text.Untranslated("lv"))
	shopper.visit("/en" + order)
	shopper.sees("Collected. Enjoy!")

	// An associate chooses for herself, wherever she stands.
	associate.visit("/staff/pin")
	associate.do(chromedp.Click(chromedp.CSS(`details:has([name="language"]) summary`)))
	associate.script(`document.querySelector('[name="language"]').value = "lv"`)
	associate.click(`form[action="/staff/language"] button`)
	associate.eventually(`document.documentElement.lang === "lv"`)
	clean(t, p)
}

func (p *person) attribute(selector, name string) (value string) {
	p.t.Helper()
	value, err := chromedp.Run(p.ctx,
		chromedp.Evaluate[string](`document.querySelector(`+"`"+selector+"`"+`).getAttribute("`+name+`")`))
	require.NoError(p.t, err)
	return value
}
