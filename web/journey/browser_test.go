// Package journey drives the shop in a real browser, as the people do for whom it is made.
package journey

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"counterpart/internal/adapter/sandbox/sandboxtest"
	"counterpart/internal/domain/browsing"
	"counterpart/internal/domain/gallery"
	"counterpart/internal/domain/message"
	"counterpart/internal/domain/message/catcher"
	"counterpart/internal/flow/settle"
	"counterpart/internal/platform/files"
	"counterpart/internal/platform/live"
	"counterpart/internal/platform/passkey"
	"counterpart/internal/platform/pg/pgtest"
	"counterpart/internal/proof/audit"
	"counterpart/internal/proof/demo"
	"counterpart/internal/work"
	"counterpart/web"
	"counterpart/web/static"
)

// A place is a whole shop for a test: the demo on a database of its own, jobs at work, mail caught.
type place struct {
	Company  *sandboxtest.Company
	URL      string
	DB       *pgxpool.Pool
	Mail     *catcher.Catcher
	Accounts map[string]demo.Account // by first name
	browser  context.Context
}

func open(t *testing.T) *place {
	t.Helper()
	once, err := loaded()
	require.NoError(t, err)
	pool, address := pgtest.Copy(t, once.database)
	folder := t.TempDir()
	require.NoError(t, os.CopyFS(folder, os.DirFS(once.folder)))
	p := serve(t, pool, address, folder, "")
	for _, a := range once.accounts {
		first, _, _ := strings.Cut(a.Name, " ")
		p.Accounts[first] = a
	}
	return p
}

// serve brings a shop up on a database, with files in a folder. A shop that is not set up yet is, by a link with the token.
func serve(t *testing.T, pool *pgxpool.Pool, address, folder, setupToken string) *place {
	t.Helper()
	require.True(t, static.Built(), "build the assets first: make generate")
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	store, err := files.Open(folder)
	require.NoError(t, err)
	mails, err := catcher.Start()
	require.NoError(t, err)
	t.Cleanup(func() { mails.Close() })

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	// By name, because browsers make no passkeys for a number.
	p := &place{URL: fmt.Sprintf("http://localhost:%d", listener.Addr().(*net.TCPAddr).Port), DB: pool, Mail: mails,
		Accounts: map[string]demo.Account{}}
	p.Company = sandboxtest.Start(t, address, p.URL)
	// What serves has the rights that it has in a shop, and no more.
	served := pgtest.Server(t, address)
	office := &settle.Payments{DB: served, Gateway: p.Company.PatientGateway(), Base: p.URL, PayAt: p.Company.URL}
	passkeys, err := passkey.New(p.URL, demo.Name)
	require.NoError(t, err)
	site := web.Site{DB: served, Files: store, Live: live.Listen(ctx, address), Mail: mails, BaseURL: p.URL,
		Trail: browsing.New(ctx, served), Passkeys: passkeys, Payments: office, Texts: true, SetupToken: setupToken}
	sender := message.Sender{Host: "127.0.0.1", Port: mails.Port, From: "shop@example.com",
		TextGateway: "sms.localhost"}
	client, err := work.Start(context.WithoutCancel(ctx), work.Tools{DB: served, Files: store, Sender: sender,
		BaseURL: p.URL, Payments: office})
	require.NoError(t, err)
	server := &http.Server{Handler: site.Handler()}
	go server.Serve(listener) // It ends with Close.
	t.Cleanup(func() {
		server.Close()
		stopping, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		require.NoError(t, client.StopAndCancel(stopping))
	})
	p.browser, err = chromium()
	require.NoError(t, err)
	return p
}

// template is the demo as it was loaded, once for all tests: each takes a copy of the database and of the pictures.
type template struct {
	database, folder string
	accounts         []demo.Account
}

var loaded = sync.OnceValues(func() (template, error) {
	var of template
	folder, err := os.MkdirTemp("", "counterpart-demo-")
	if err != nil {
		return of, err
	}
	of.folder = folder
	of.database, err = pgtest.Template(func(pool *pgxpool.Pool) error {
		store, err := files.Open(folder)
		if err != nil {
			return err
		}
		if of.accounts, err = demo.Load(context.Background(), pool, store, static.Objects(),
			func(float64) {}); err != nil {
			return err
		}
		return draw(pool, store)
	})
	return of, err
})

// draw does what the shop's jobs would do in every copy: a hundred and fifty pictures in all their sizes.
func draw(pool *pgxpool.Pool, store *files.Store) error {
	ctx := context.Background()
	rows, err := pool.Query(ctx, `SELECT id FROM picture WHERE key IS NULL ORDER BY id`)
	if err != nil {
		return err
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return err
	}
	var drawing errgroup.Group
	drawing.SetLimit(runtime.NumCPU())
	for _, id := range ids {
		drawing.Go(func() error { return gallery.Render(ctx, pool, store, id) })
	}
	if err := drawing.Wait(); err != nil {
		return err
	}
	_, err = pool.Exec(ctx, `DELETE FROM river_job WHERE kind = $1`, gallery.Job{}.Kind())
	return err
}

func TestMain(m *testing.M) {
	code := m.Run()
	closeBrowser()
	if of, err := loaded(); err == nil {
		os.RemoveAll(of.folder)
	}
	os.Exit(code)
}

// chromium is one for all tests: each person in them has a window, and a store of cookies, of their own. It ends with
// the tests.
var chromium = sync.OnceValues(func() (context.Context, error) {
	binary := ""
	for _, name := range []string{"chromium", "google-chrome", "chromium-browser"} {
		if found, err := exec.LookPath(name); err == nil {
			binary = found
			break
		}
	}
	if binary == "" {
		return nil, errors.New("no Chromium on this machine: make test installs it")
	}
	profile, err := os.MkdirTemp("", "counterpart-chromium-")
	if err != nil {
		return nil, err
	}
	options := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(binary), chromedp.Headless, chromedp.NoSandbox, chromedp.UserDataDir(profile),
		chromedp.Flag("disable-gpu", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync",
			true), chromedp.Flag("no-first-run", true), chromedp.Flag("disable-dev-shm-usage",
			true), chromedp.Flag("hide-scrollbars", true),
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	window, closeWindow := chromedp.NewContext(allocator)
	closeBrowser = func() {
		closeWindow()
		stop()
		os.RemoveAll(profile)
	}
	return window, chromedp.Do(window, chromedp.Navigate("about:blank"))
})

var closeBrowser = func() {}

// A person has a browser window of their own: cookies and all.
type person struct {
	t   *testing.T
	ctx context.Context
	url string
}

func (p *place) person(t *testing.T, width, height int64) *person {
	t.Helper()
	ctx, cancel := chromedp.NewContext(p.browser, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	who := &person{t, ctx, p.URL}
	// The first step opens the window, which lives as long as the context it is given: so no deadline here.
	require.NoError(t, chromedp.Do(ctx, chromedp.Navigate("about:blank")))
	who.do(chromedp.EmulateViewport(width, height))
	return who
}

// patience is longer than the pauses before a job's third try. Only what fails takes it.
const patience = 3 * time.Minute

func (p *person) do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		if dir := os.Getenv("SHOTS"); dir != "" {
			p.shot(filepath.Join(dir, "failed-"+p.t.Name()+".png"))
		}
		require.NoError(p.t, err, "on %s:\n%s", p.location(), p.text("body"))
	}
}

func (p *person) visit(path string) { p.t.Helper(); p.do(chromedp.Navigate(p.url + path)) }

// click follows a link or presses a button, and waits for the page that comes of it.
func (p *person) click(selector string) {
	p.t.Helper()
	p.do(chromedp.WaitVisible(chromedp.CSS(selector)))
	_, err := chromedp.Run(p.ctx, chromedp.Evaluate[bool](`window.stillHere = true`))
	require.NoError(p.t, err)
	p.do(chromedp.Click(chromedp.CSS(selector)))
	p.eventually("window.stillHere !== true && document.readyState === 'complete'")
}

func (p *person) write(selector, words string) {
	p.t.Helper()
	p.do(chromedp.WaitVisible(chromedp.CSS(selector)))
	_, err := chromedp.Run(p.ctx, chromedp.Evaluate[bool](fmt.Sprintf("document.querySelector(%q).value = ''; true",
		selector)))
	require.NoError(p.t, err)
	p.do(chromedp.SendKeys(chromedp.CSS(selector), words))
}

// eventually waits until a script says true.
func (p *person) eventually(script string) {
	p.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		ok, err := chromedp.Run(p.ctx, chromedp.Evaluate[bool]("Boolean("+script+")"))
		if err == nil && ok {
			return
		}
		if time.Now().After(deadline) {
			require.Failf(p.t, "it never came true", "%s (%v) on %s:\n%s", script, err, p.location(), p.text("body"))
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func (p *person) sees(words string) {
	p.t.Helper()
	p.eventually(fmt.Sprintf("document.body.innerText.includes(%q)", words))
}

func (p *person) text(selector string) string {
	out, err := chromedp.Run(p.ctx,
		chromedp.Evaluate[string](fmt.Sprintf("(document.querySelector(%q) || {innerText: ''}).innerText", selector)))
	if err != nil {
		return err.Error()
	}
	return out
}

func (p *person) location() string {
	out, _ := chromedp.Run(p.ctx, chromedp.Location()) // Only for a failure's message.
	return out
}

func (p *person) dark(on bool) {
	p.t.Helper()
	scheme := "light"
	if on {
		scheme = "dark"
	}
	p.do(func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia,
			emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme",
				Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}}})
		return chromedp.Void{}, err
	})
}

func (p *person) shot(file string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	require.NoError(p.t, err)
	require.NoError(p.t, os.MkdirAll(filepath.Dir(file), 0o755))
	require.NoError(p.t, os.WriteFile(file, png, 0o644))
}

// signIn signs an associate in, or the demo's shopper.
func (p *person) signIn(a demo.Account) {
	p.t.Helper()
	if a.Role == demo.Shopper {
		p.visit("/sign-in")
	} else {
		p.visit("/staff/sign-in")
	}
	p.write("#f-email", a.Email)
	p.write("#f-password", a.Password)
	p.click(`form[action$="sign-in"]:not([role]) button`)
}

var axeOnce = sync.OnceValues(func() ([]byte, error) { return os.ReadFile("../node_modules/axe-core/axe.min.js") })

// accessible asks axe, and that nothing is wider than the window.
// tallRows names the rows of lists that take more of a wide window than three lines and a picture need.
const tallRows = `innerWidth < 1000 ? "" : [...document.querySelectorAll(".table-frame tbody tr, .queue li, .results li")]
	.filter(row => !row.querySelector("textarea, form") && row.getBoundingClientRect().height > 110).map(row => Math.round(row.getBoundingClientRect().height) + " px: " + row.innerText.slice(0, 60)).join("\n")`

// accessible asks axe for everything that it knows, and whether the page fits its window.
func (p *person) accessible(name string) {
	p.t.Helper()
	p.ask(name, `["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]`)
	p.fits(name)
}

// ask has axe look at the page for some of its rules.
func (p *person) ask(name, rules string) {
	p.t.Helper()
	there, err := chromedp.Run(p.ctx, chromedp.Evaluate[bool]("Boolean(window.axe)"))
	require.NoError(p.t, err)
	if !there {
		axe, err := axeOnce()
		require.NoError(p.t, err)
		_, err = chromedp.Run(p.ctx, chromedp.Evaluate[bool](string(axe)+";true"))
		require.NoError(p.t, err)
	}
	_, err = chromedp.Run(p.ctx,
		chromedp.Evaluate[bool](`window.axeFound = null; axe.run(document, {runOnly: `+rules+`}).then(r => { window.axeFound = r.violations.map(v => v.id + ": " + v.nodes.map(n => n.html.slice(0, 160) + " " + (n.any[0]?.message || "")).join(" | ")).join("\n") }); true`))
	require.NoError(p.t, err)
	p.eventually("window.axeFound !== null")
	found, err := chromedp.Run(p.ctx, chromedp.Evaluate[string]("window.axeFound"))
	require.NoError(p.t, err)
	assert.Empty(p.t, found, name)
}

// tooWide names what reaches beyond the window, where the page does.
const tooWide = `document.documentElement.scrollWidth <= innerWidth + 1 ? "" : [...document.querySelectorAll("body *")]
	.filter(e => e.getBoundingClientRect().right > innerWidth + 1).map(e => e.tagName + "." + e.className + ": " + e.innerText?.slice(0, 40)).slice(-3).join("\n")`

func (p *person) fits(name string) {
	p.t.Helper()
	wide, err := chromedp.Run(p.ctx, chromedp.Evaluate[string](tooWide))
	require.NoError(p.t, err)
	assert.Empty(p.t, wide, "%s is wider than its window", name)
	scrolls, err := chromedp.Run(p.ctx,
		chromedp.Evaluate[bool](`Boolean(document.querySelector(".room-counter")) && innerWidth > 900 && document.documentElement.scrollHeight > innerHeight + 1`))
	require.NoError(p.t, err)
	assert.False(p.t, scrolls, "%s: a counter's page scrolls", name)
	tall, err := chromedp.Run(p.ctx, chromedp.Evaluate[string](tallRows))
	require.NoError(p.t, err)
	assert.Empty(p.t, tall, "%s has rows that are too tall", name)
}

func clean(t *testing.T, p *place) {
	t.Helper()
	findings, err := audit.Run(context.Background(), p.DB)
	require.NoError(t, err)
	require.Empty(t, findings)
}

func (p *person) resize(width, height int64) {
	p.t.Helper()
	p.do(chromedp.EmulateViewport(width, height))
}
