package admin

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/staff"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/money"
	"counterpart/internal/platform/text"
	"counterpart/internal/proof/demo"
	"counterpart/internal/query/admin"
	"counterpart/web/access"
	"counterpart/web/part"
	"counterpart/web/respond"
	"counterpart/web/static"
)

// homeView is the start page of somebody with a role.
type homeView struct {
	*admin.Today
	respond.Mistakes
	Role string
	Name string
}

func (v homeView) sells() bool   { return v.Role == staff.RoleAdmin || v.Role == staff.RoleManager }
func (v homeView) shelves() bool { return v.sells() || v.Role == staff.RoleStock }
func (v homeView) boss() bool    { return v.Role == staff.RoleAdmin }

func (p *Pages) home(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return p.showHome(r, nil)
}

func (p *Pages) showHome(r *http.Request, wrong *fault.Fault) (respond.Answer, error) {
	who := access.Session(r.Context())
	if who.Associate.Role == staff.RoleMarketing {
		return respond.See("/admin/customers"), nil
	}
	today, err := admin.TodayPage(r.Context(), p.DB, who.TimeZone, seenBy(r))
	if err != nil {
		return nil, err
	}
	first, _, _ := strings.Cut(who.Associate.Name, " ")
	a, v := frame(r, text.T(r.Context(), "Home"), "home"), homeView{Today: today, Role: who.Associate.Role, Name: first}
	if wrong != nil {
		v.Take(r, wrong)
		return respond.Wrong(wrong, homePage(a, v)), nil
	}
	return respond.Page(homePage(a, v)), nil
}

// sampleGoods fills an empty shop to try it with, or takes what that was away again.
func (p *Pages) sampleGoods(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	var err error
	if r.PostFormValue("do") == "remove" {
		err = demo.RemoveSampleGoods(r.Context(), p.DB, at(r))
	} else {
		err = demo.AddSampleGoods(r.Context(), p.DB, p.Files, static.Objects(), at(r))
	}
	if f := fault.As(err); f != nil {
		return p.showHome(r, f)
	}
	if err != nil {
		return nil, err
	}
	return respond.See("/admin?done=kept"), nil
}

// task is a figure of what is to be done, with the list that makes it.
type task struct {
	Count      int
	Name, Link string
	Tone       string // late, wait, or nothing
}

// tasks are those of a role that there are any of, the most urgent first.
func (v homeView) tasks(ctx context.Context) []task {
	w := v.Work
	var all []task
	add := func(on bool, n int, name, link, tone string) {
		if on && n > 0 {
			all = append(all, task{n, name, link, tone})
		}
	}
	add(v.sells(), w.Late, text.T(ctx, "late"), "/admin/orders?late=1", "late")
	add(v.sells(), w.OnHold, text.T(ctx, "on hold"), "/admin/orders?held=1", "late")
	add(v.sells(), w.Undecided, text.T(ctx, "customer to choose"), "/admin/orders?fulfilment=undecided", "wait")
	add(v.sells(), w.ToPick, text.T(ctx, "to pick"), "/admin/orders?fulfilment=to_pick&way=pickup", "")
	add(v.sells(), w.DueToday, text.T(ctx, "promised for today"), "/admin/orders?due=1", "")
	add(v.sells(), w.ToSend, text.T(ctx, "to send"), "/admin/orders?fulfilment=to_pick&way=ship", "")
	add(v.sells(), w.Ready, text.T(ctx, "ready to collect"), "/admin/orders?fulfilment=ready", "")
	add(v.sells(), w.EndToday, text.T(ctx, "holds that end today"), "/admin/orders?ends=1", "wait")
	add(v.sells(), w.Unpaid, text.T(ctx, "waiting for payment"), "/admin/orders?state=placed", "")
	add(v.boss(), w.Differences, text.T(ctx, "payments to look at"), "/admin/payments", "late")
	add(v.boss(), w.FailedRefunds, text.T(ctx, "refunds that failed"), "/admin/payments", "late")
	add(v.shelves(), w.LowStock, text.T(ctx, "low or out of stock"), "/admin/stock?low=1", "wait")
	add(v.boss(), w.Drafts, text.T(ctx, "draft products"), "/admin/products?status=draft", "")
	add(v.boss(), w.FailedPictures, text.T(ctx, "pictures that can’t be shown"), "/admin/products", "wait")
	add(v.boss(), w.UndrawnPictures, text.T(ctx, "pictures being prepared"), "/admin/products", "")
	add(v.boss(), v.FailedJobs, text.T(ctx, "background jobs that failed"), "/admin/jobs", "late")
	return all
}

// step is one of what a shop needs before it can sell.
type step struct {
	Done             bool
	Title, Why, Link string
}

func (v homeView) steps(ctx context.Context) []step {
	s := v.ShopIs
	return []step{
		{s.Seller, text.T(ctx, "Say who sells"), text.T(ctx, "Legal name and address, for invoices."), "/admin/settings#seller"},
		{s.Store && s.Hours, text.T(ctx, "Complete your first store"), text.T(ctx, "Address and opening hours, for promises."), "/admin/places"},
		{s.Rate, text.T(ctx, "Check the tax rates"), text.T(ctx, "Nothing is sold where a rate is missing."), "/admin/settings#tax"},
		{s.Delivery, text.T(ctx, "Add a delivery method"), text.T(ctx, "Countries, charges and days."), "/admin/settings#delivery"},
		{s.Product && s.Price, text.T(ctx, "Put the first product on sale"), text.T(ctx, "Title, options, price."), "/admin/products/new"},
		{s.Picture, text.T(ctx, "Add a picture"), text.T(ctx, "Drop it on the product’s page."), "/admin/products"},
		{s.Stock, text.T(ctx, "Book in stock"), text.T(ctx, "What’s on the shelves of your store."), "/admin/stock"},
		{s.Pages, text.T(ctx, "Write your terms and privacy page"), text.T(ctx, "The checkout links to them."), "/admin/pages"},
		{s.Order, text.T(ctx, "Place a test order"), text.T(ctx, "In your shop, and hand it over at the counter."), "/"},
	}
}

func left(steps []step) (n int) {
	for _, s := range steps {
		if !s.Done {
			n++
		}
	}
	return n
}

// against says how an amount stands to that of a week ago.
func against(ctx context.Context, now, before int64, currency string) string {
	if before == 0 {
		return text.T(ctx, "nothing this time last week")
	}
	args := text.Args{"before": money.New(before, currency), "percent": abs((now - before) * 100 / before)}
	if now > 10*before {
		return text.T(ctx, "{before} this time last week", args)
	}
	if now >= before {
		return text.T(ctx, "{percent}% more than {before} this time last week", args)
	}
	return text.T(ctx, "{percent}% less than {before} this time last week", args)
}

func abs(n int64) int64 { return max(n, -n) }

// share is how wide the bar of an amount is, in hundredths of the largest.
func share(amount int64, all []admin.Portion) int {
	var most int64
	for _, p := range all {
		most = max(most, p.Amount, p.Before)
	}
	if most == 0 {
		return 0
	}
	return int(amount * 100 / most)
}

// series are the days of one currency.
func (v homeView) series(currency string) (all []admin.DaySales) {
	for _, d := range v.Days {
		if d.Currency == currency {
			all = append(all, d)
		}
	}
	return all
}

// finding is what a chart of days shows, as its title.
func finding(ctx context.Context, days []admin.DaySales) string {
	var week, before int64
	for i, d := range days {
		if i >= len(days)-7 {
			week += d.Amount
		} else {
			before += d.Amount
		}
	}
	if len(days) == 0 || week == 0 && before == 0 {
		return text.T(ctx, "No sales in the last 14 days")
	}
	return text.T(ctx, "{week} in the last 7 days, {before} in the 7 days before",
		text.Args{"week": money.New(week, days[0].Currency), "before": money.New(before, days[0].Currency)})
}

// bars are the heights of the days, in hundredths of the best.
func bars(days []admin.DaySales) []int {
	var most int64 = 1
	for _, d := range days {
		most = max(most, d.Amount)
	}
	all := make([]int, len(days))
	for i, d := range days {
		all[i] = int(d.Amount * 100 / most)
	}
	return all
}

func portionName(ctx context.Context, p admin.Portion, channel bool) string {
	if channel {
		return part.Channel(ctx, origin.Channel(p.Name))
	}
	return p.Name
}

// jobs lists what failed in the background.
func (p *Pages) jobs(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	all, err := admin.FailedJobs(r.Context(), p.DB)
	if err != nil {
		return nil, err
	}
	return respond.Page(jobsPage(frame(r, text.T(r.Context(), "Background jobs"), "home"), all)), nil
}

// place of the admin that the command menu can go to.
type destination struct {
	Name, Link, Key string
	allow           func(layoutMay map[string]bool) bool
}

// destinations that somebody may go to, and that have the words in their name.
func destinations(ctx context.Context, may map[string]bool, words string) (found []destination) {
	can := func(what string) func(map[string]bool) bool {
		return func(m map[string]bool) bool { return m[what] }
	}
	for _, d := range []destination{
		{text.T(ctx, "Home"), "/admin", "", nil},
		{text.T(ctx, "Orders"), "/admin/orders", "", can("manage")},
		{text.T(ctx, "Orders that are late"), "/admin/orders?late=1", "", can("manage")},
		{text.T(ctx, "Orders on hold"), "/admin/orders?held=1", "", can("manage")},
		{text.T(ctx, "Products"), "/admin/products", "", can("stock")},
		{text.T(ctx, "New product"), "/admin/products/new", "", can("admin")},
		{text.T(ctx, "Departments and attributes"), "/admin/departments", "", can("admin")},
		{text.T(ctx, "Stock"), "/admin/stock", "", can("stock")},
		{text.T(ctx, "Low stock"), "/admin/stock?low=1", "", can("stock")},
		{text.T(ctx, "Customers"), "/admin/customers", "", can("people")},
		{text.T(ctx, "Promotions"), "/admin/promotions", "", can("market")},
		{text.T(ctx, "New promotion"), "/admin/promotions/new", "", can("market")},
		{text.T(ctx, "Payments"), "/admin/payments", "", can("admin")},
		{text.T(ctx, "Stores and warehouses"), "/admin/places", "", can("admin")},
		{text.T(ctx, "New store or warehouse"), "/admin/places/new", "", can("admin")},
		{text.T(ctx, "Settings"), "/admin/settings", "", can("admin")},
		{text.T(ctx, "Name, colours and logo"), "/admin/look", "", can("admin")},
		{text.T(ctx, "Opening hours and holidays"), "/admin/places", "", can("admin")},
		{text.T(ctx, "Book in and count stock"), "/admin/stock", "", can("stock")},
		{text.T(ctx, "Gift cards"), "/admin/gift-cards", "", can("manage")},
		{text.T(ctx, "New customer"), "/admin/customers/new", "", can("manage")},
		{text.T(ctx, "Points and returns"), "/admin/settings", "", can("admin")},
		{text.T(ctx, "Pages"), "/admin/pages", "", can("admin")},
		{text.T(ctx, "Tax rates"), "/admin/settings#tax", "", can("admin")},
		{text.T(ctx, "Delivery methods"), "/admin/settings#delivery", "", can("admin")},
		{text.T(ctx, "Seller details"), "/admin/settings#seller", "", can("admin")},
		{text.T(ctx, "Staff"), "/admin/staff", "", can("admin")},
		{text.T(ctx, "Devices"), "/admin/devices", "", can("manage")},
		{text.T(ctx, "Audit trail"), "/admin/trail", "", can("manage")},
		{text.T(ctx, "Background jobs"), "/admin/jobs", "", can("admin")},
		{text.T(ctx, "Counter"), "/counter", "", can("stock")},
		{text.T(ctx, "Shop"), "/", "", nil},
	} {
		if (d.allow == nil || d.allow(may)) && (words == "" || strings.Contains(strings.ToLower(d.Name),
			strings.ToLower(words))) {
			found = append(found, d)
		}
	}
	return found
}

// findView is what the command menu found.
type findView struct {
	Words string
	Hits  []admin.Hit
	Go    []destination
}

func (p *Pages) find(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	a := frame(r, text.T(r.Context(), "Find"), "")
	v := findView{Words: typed(r.URL.Query().Get("q"))}
	v.Go = destinations(r.Context(), a.May, v.Words)
	if v.Words != "" {
		var err error
		if v.Hits, err = admin.Find(r.Context(), p.DB, v.Words, seenBy(r), a.May["manage"], a.May["people"],
			a.May["stock"]); err != nil {
			return nil, err
		}
	}
	return respond.Page(findPage(a, v)), nil
}

func hitLink(h admin.Hit) string { return fmt.Sprintf("/admin/%ss/%d", h.Kind, h.ID) }

func hitKind(ctx context.Context, kind string) string {
	switch kind {
	case "order":
		return text.T(ctx, "Order")
	case "customer":
		return text.T(ctx, "Customer")
	}
	return text.T(ctx, "Product")
}
