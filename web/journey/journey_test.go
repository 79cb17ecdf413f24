package journey

import (
	"context"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// TestFromThePhoneToTheCounter is the whole journey, in two browsers at once: find it, reserve it, see it arrive at the
// counter, fetch it, hand it over against the code, and find the stock moved.
func TestFromThePhoneToTheCounter(t *testing.T) {
	p := open(t)
	shopper, associate := p.person(t, 390, 844), p.person(t, 1280, 800)
	ctx := context.Background()
	stock := func() (onHand, reserved int) {
		require.NoError(t, p.DB.QueryRow(ctx, `
			SELECT on_hand, reserved
			FROM stock_level s
			JOIN variant v ON v.id = s.variant_id
			JOIN location l ON l.id = s.location_id
			WHERE v.sku = 'AF102-01' AND l.code = 'LDS'`).Scan(&onHand, &reserved))
		return onHand, reserved
	}
	onHand, reserved := stock()
	require.GreaterOrEqual(t, onHand-reserved, 2, "the demo has mugs at Leeds")

	// The shopper looks for a mug, misspelt, and says where they are.
	shopper.visit("/search?q=mornig+mug")
	shopper.sees("Morning mug")
	shopper.click(`a[href="/p/morning-mug"]`)
	shopper.write("#near", "LS6")
	shopper.do(chromedp.Click(chromedp.CSS(`.near button`)))
	shopper.sees("Distances from Leeds")
	shopper.click(`form[action="/stores/leeds/choose"] button`)
	shopper.sees("Collect at Leeds")
	shopper.click("#add button")
	shopper.sees("Added to your cart")

	// At the counter, the code of the cart opens the same cart; what is added there shows on the phone within a second.
	cartCode := strings.ReplaceAll(shopper.text(".go-on .code"), " ", "")
	associate.signIn(p.Accounts["Priya"])
	associate.search(cartCode)
	associate.sees("Morning mug")
	began := time.Now()
	associate.write("#f-article", "AF150-01")
	associate.click(".add-article button")
	shopper.sees("Bartholomew Bear")
	t.Logf("the phone showed it %v after the scan was sent", time.Since(began).Round(time.Millisecond))
	shopper.click(`.line:nth-child(2) button[value="0"]`)
	shopper.eventually(`!document.body.innerText.includes("Bartholomew")`)
	associate.eventually(`!document.querySelector(".customer-cart").innerText.includes("Bartholomew")`)

	// The order arrives in the queue without anybody asking for it.
	associate.visit("/counter")
	shopper.click(`a[href="/checkout"]`)
	shopper.write("#f-name", "Ada Fairweather")
	shopper.write("#f-email", "not an address")
	shopper.script(`document.querySelector("#checkout").noValidate = true`)
	shopper.click(`button[name="place"]`)
	shopper.sees("Enter a valid email address")
	require.Equal(t, "Ada Fairweather", shopper.value("#f-name"), "what was typed is kept")
	shopper.write("#f-email", "ada@example.com")
	began = time.Now()
	shopper.click(`button[name="place"]`)
	associate.sees("Ada Fairweather")
	t.Logf("the queue showed it %v after the order was sent", time.Since(began).Round(time.Millisecond))
	require.Less(t, time.Since(began), 5*time.Second)
	shopper.sees("Reserved. We’re setting it aside.")
	code := strings.ReplaceAll(shopper.text(".pickup-code .code"), " ", "")
	require.Regexp(t, regexp.MustCompile(`^\d{6}$`), code)
	newOnHand, newReserved := stock()
	require.Equal(t, []int{onHand, reserved + 1}, []int{newOnHand, newReserved})

	// The associate fetches it and says where it is; the shopper's page and a mail say so.
	associate.search("Fairweather")
	associate.visit("/counter")
	associate.openRow("Ada Fairweather")
	associate.write("#f-place", "Shelf B2")
	associate.pickAll()
	associate.click(".pickup-do .is-large")
	associate.sees("We’ve told the customer")
	shopper.sees("Ready for you at Leeds")
	p.mailed(t, "ada@example.com", "is ready at", code[:3]+" "+code[3:])

	// A wrong code does not say why; the right one, with cash, gives change.
	associate.openRow("Ada Fairweather")
	associate.write("#f-code", wrong(code))
	associate.do(chromedp.Click(chromedp.CSS(`.tenders label:has([value="cash"])`)))
	associate.write("#f-given", "20")
	associate.click(".pickup-do .is-large")
	associate.sees("That code doesn’t match this order")
	associate.search(code)
	require.Equal(t, code, associate.value("#f-code"), "whoever was found by the code has shown it")
	associate.do(chromedp.Click(chromedp.CSS(`.tenders label:has([value="cash"])`)))
	associate.write("#f-given", "20.00")
	associate.click(".pickup-do .is-large")
	associate.sees("Give £6.00 change")
	associate.visit("/counter?done=collected&change=99900&currency=GBP")
	require.NotContains(t, associate.text("body"), "999", "an address puts no change into our mouth")
	shopper.sees("Collected. Enjoy!")
	newOnHand, newReserved = stock()
	require.Equal(t, []int{onHand - 1, reserved}, []int{newOnHand, newReserved})

	// The office sees why the figure fell.
	admin := p.person(t, 1280, 800)
	admin.signIn(p.Accounts["Imogen"])
	admin.visit("/admin/stock?at=LDS&q=AF102-01")
	admin.click(".table tbody a")
	admin.sees("Sold")
	admin.sees("-1")
	clean(t, p)
}

// TestWithoutScript goes from the shelf to the order with JavaScript off.
func TestWithoutScript(t *testing.T) {
	p := open(t)
	shopper := p.person(t, 390, 844)
	shopper.scriptless()

	shopper.visit("/p/morning-mug")
	shopper.press(`form[action="/stores/leeds/choose"] button`, "Collect at Leeds")
	shopper.press("#add button", "Added to your cart")
	shopper.press(`button[aria-label^="Increase quantity"]`, "£28.00")
	shopper.press(`a[href="/checkout"]`, "In store")
	shopper.do(chromedp.SendKeys(chromedp.CSS("#f-name"), "Ada"),
		chromedp.SendKeys(chromedp.CSS("#f-email"), "ada@example.com"))
	shopper.press(`button[name="place"]`, "Reserved. We’re setting it aside.")
	clean(t, p)
}

func wrong(code string) string {
	if code == "000000" {
		return "111111"
	}
	return "000000"
}

// search types into the counter's box and opens what is found.
// pickAll ticks everything that is to be fetched.
func (p *person) pickAll() {
	p.t.Helper()
	p.do(chromedp.WaitVisible(chromedp.CSS("[data-tick]")))
	p.script(`document.querySelectorAll("[data-left]").forEach(line => { for (let n = Number(line.dataset.left); n > 0; n--) line.querySelector("[data-tick] button").click() })`)
	p.eventually(`[...document.querySelectorAll(".tick")].every(tick => tick.ariaPressed === "true")`)
}

func (p *person) search(words string) {
	p.t.Helper()
	p.write("#q", words)
	_, err := chromedp.Run(p.ctx, chromedp.Evaluate[bool](`window.stillHere = true`))
	require.NoError(p.t, err)
	p.script(`document.querySelector(".counter-search").requestSubmit()`)
	p.eventually("window.stillHere !== true && document.readyState === 'complete'")
}

func (p *person) openRow(name string) {
	p.t.Helper()
	p.sees(name)
	_, err := chromedp.Run(p.ctx,
		chromedp.Evaluate[bool](`window.stillHere = true; [...document.querySelectorAll("a.row")].filter(a => a.innerText.includes("`+name+`")).at(-1).click(); true`))
	require.NoError(p.t, err)
	p.eventually("window.stillHere !== true && document.readyState === 'complete'")
}

func (p *person) value(selector string) string {
	p.t.Helper()
	out, err := chromedp.Run(p.ctx, chromedp.Evaluate[string]("document.querySelector('"+selector+"').value"))
	require.NoError(p.t, err)
	return out
}

func (p *place) mailed(t *testing.T, to string, words ...string) {
	t.Helper()
	require.Eventually(t, func() bool {
		for _, m := range p.Mail.Mails() {
			found := m.To == to
			for _, word := range words {
				found = found && strings.Contains(m.Subject+"\n"+m.Text, word)
			}
			if found {
				return true
			}
		}
		return false
	}, patience, 20*time.Millisecond, "a mail to %s with %v", to, words)
}

func (p *person) script(code string) {
	p.t.Helper()
	_, err := chromedp.Run(p.ctx, chromedp.Evaluate[bool](code+"; true"))
	require.NoError(p.t, err)
}

// scriptless turns JavaScript off for pages to come.
func (p *person) scriptless() {
	p.t.Helper()
	p.do(func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, t, emulation.SetScriptExecutionDisabled,
			emulation.SetScriptExecutionDisabledParams{Value: true})
		return chromedp.Void{}, err
	})
}

// press is click where the page cannot be asked by script: it waits for words of the page that comes.
func (p *person) press(selector, words string) {
	p.t.Helper()
	p.do(chromedp.Click(chromedp.CSS(selector)),
		chromedp.WaitVisible(chromedp.Search("//*[contains(text(), '"+words+"')]")))
}
