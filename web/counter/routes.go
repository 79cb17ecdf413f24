// Package counter is what an associate sees in the store: who is here, what waits, what there is; everything in one
// place.
package counter

import (
	"net/http"
	"strconv"
	"time"

	"github.com/go-chi/chi/v5"

	"counterpart/internal/domain/location"
	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/staff"
	"counterpart/internal/domain/task"
	"counterpart/internal/flow/pickup"
	"counterpart/internal/flow/settle"
	"counterpart/internal/platform/live"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/text"
	"counterpart/internal/query/counter"
	"counterpart/web/access"
	"counterpart/web/layout"
	"counterpart/web/respond"
)

// Pages are the counter's.
type Pages struct {
	DB   pg.DB
	Site *access.Routes
	Live *live.Hub
	// where payments are settled: what is taken online is taken here too, on the customer's own phone
	Payments *settle.Payments
	Base     string // the shop's own address
}

// Routes is the site map of the counter.
func (p *Pages) Routes(r *access.Routes) {
	r.Get("/counter", access.Stockroom, p.queue)
	r.Get("/counter/events", access.Stockroom, p.queueEvents)
	r.Get("/counter/search", access.Counter, p.afresh)
	r.Post("/counter/search", access.Counter, p.search)
	r.Get("/counter/pickups/{id}", access.Stockroom, p.pickup)
	r.Post("/counter/pickups/{id}/ready", access.Stockroom, p.ready)
	r.Post("/counter/pickups/{id}/pick", access.Stockroom, p.pick)
	r.Post("/counter/pickups/{id}/missing", access.Stockroom, p.missing)
	r.Post("/counter/pickups/{id}/choose", access.Counter, p.choose)
	r.Post("/counter/pickups/{id}/handover", access.Counter, p.handOver)
	r.Post("/counter/pickups/{id}/cancel", access.Counter, p.cancel)
	r.Post("/counter/pickups/{id}/send", access.Stockroom, p.send)
	r.Post("/counter/tasks/{id}/take", access.Stockroom, p.takeTask)
	r.Post("/counter/tasks/{id}/done", access.Stockroom, p.finishTask)
	r.Post("/counter/sales", access.Counter, p.newSale)
	r.Get("/counter/sales/{id}", access.Counter, p.ofHere(p.sale))
	r.Post("/counter/sales/{id}/scan", access.Counter, p.ofHere(p.scan))
	r.Post("/counter/sales/{id}/lines/{line}", access.Counter, p.ofHere(p.saleLine))
	r.Post("/counter/sales/{id}/towards", access.Counter, p.ofHere(p.saleTowards))
	r.Post("/counter/sales/{id}/attach", access.Counter, p.ofHere(p.attach))
	r.Post("/counter/sales/{id}/pay", access.Counter, p.ofHere(p.paySale))
	r.Post("/counter/orders/{id}/give", access.Counter, p.giveSale)
	r.Post("/counter/orders/{id}/void", access.Counter, p.voidSale)
	r.Post("/counter/orders/{id}/receipt", access.Counter, p.emailReceipt)
	r.Get("/counter/orders/{id}", access.Counter, p.order)
	r.Post("/counter/orders/{id}/pay", access.Counter, p.payOrder)
	r.Get("/counter/orders/{id}/return", access.Counter, p.returnPage)
	r.Post("/counter/orders/{id}/return", access.Counter, p.takeBack)
	r.Get("/counter/articles/{sku}", access.Stockroom, p.article)
	r.Post("/counter/customers", access.Counter, p.welcome)
	r.Get("/counter/customers/{id}", access.Counter, p.customer)
	r.Get("/counter/customers/{id}/events", access.Counter, p.customerEvents)
	r.Post("/counter/customers/{id}/cart", access.Counter, p.addToCart)
	r.Post("/counter/customers/{id}/lines/{line}", access.Counter, p.changeLine)
	r.Post("/counter/customers/{id}/share", access.Counter, p.share)
	r.Post("/counter/customers/{id}/reserve", access.Counter, p.reserve)
	r.Post("/counter/customers/{id}/identities", access.Counter, p.identify)
	r.Post("/counter/customers/{id}/identities/{identity}/remove", access.Counter, p.unidentify)
	r.Post("/counter/customers/{id}/invite", access.Counter, p.invite)
	r.Post("/counter/customers/{id}/consent", access.Counter, p.consent)
	r.Post("/counter/customers/{id}/sizes", access.Counter, p.saveSize)
	r.Post("/counter/customers/{id}/notes", access.Counter, p.writeNote)
	r.Post("/counter/customers/{id}/notes/{note}/close", access.Counter, p.closeNote)
	r.Post("/counter/customers/{id}/list/{variant}/cart", access.Counter, p.fromList)
	r.Post("/counter/customers/{id}/hints", access.Counter, p.markHint)
	r.Get("/counter/customers/{id}/history", access.Counter, p.history)
	r.Post("/counter/customers/{id}/points", access.Counter, p.adjustPoints)
	r.Post("/counter/customers/{id}/points/revive", access.Counter, p.revivePoints)
	r.Post("/counter/customers/{id}/client", access.Counter, p.takeClient)
	r.Post("/counter/customers/{id}/reminders", access.Counter, p.remind)
	r.Post("/counter/customers/{id}/reminders/{reminder}/done", access.Counter, p.doneReminding)
	r.Post("/counter/customers/{id}/messages", access.Counter, p.writeTo)
	r.Get("/counter/book", access.Counter, p.book)
	r.Post("/counter/book/{reminder}/done", access.Counter, p.doneInBook)
	r.Get("/counter/customers/{id}/merge/{other}", access.Counter, p.compare)
	r.Post("/counter/customers/{id}/merge/{other}/code", access.Counter, p.askMerge)
	r.Post("/counter/customers/{id}/merge/{other}", access.Counter, p.merge)
}

// frame is what the edges of every counter page show, and the store it stands in.
func (p *Pages) frame(r *http.Request, title string) (layout.Counter, *location.Location, error) {
	s := access.Session(r.Context())
	all, err := location.All(r.Context(), p.DB)
	if err != nil {
		return layout.Counter{}, nil, err
	}
	for i := range all {
		if all[i].ID == s.LocationID {
			c := layout.Counter{Title: title, Store: all[i].Name, Associate: s.Associate.Name,
				Admin: s.Associate.Role != staff.RoleAssociate, Idle: int(s.Idle.Seconds())}
			c.Manages, c.Serves = s.Associate.Manages(), s.Associate.Role != staff.RoleStock
			return c, &all[i], nil
		}
	}
	return layout.Counter{}, nil, respond.NotFound()
}

// here is where the request's associate stands.
func here(r *http.Request) origin.Origin { return access.Origin(r.Context()) }

// role is what the request's associate is here.
func role(r *http.Request) string { return access.Session(r.Context()).Associate.Role }

func id(r *http.Request, name string) int64 {
	n, err := strconv.ParseInt(chi.URLParam(r, name), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// typed is what was written into a field.
func typed(r *http.Request, name string) string { return text.Clean(r.PostFormValue(name), 200) }

func (p *Pages) queue(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	c, store, err := p.frame(r, text.T(r.Context(), "Queue"))
	if err != nil {
		return nil, err
	}
	waiting, err := counter.Queue(r.Context(), p.DB, store.ID)
	if err != nil {
		return nil, err
	}
	view := newQueue(waiting, store, done(r))
	if view.Tasks, err = counter.Tasks(r.Context(), p.DB, store.ID); err != nil {
		return nil, err
	}
	view.Me, view.Serves = here(r).AssociateID, c.Serves
	if view.Served, err = counter.LastServed(r.Context(), p.DB, here(r).AssociateID); err != nil {
		return nil, err
	}
	return respond.Page(queuePage(c, view)), nil
}

// queueView parts the queue by what is to be done.
type queueView struct {
	Pick, Ready []counter.Waiting
	Served      []counter.Served // whose profiles this associate opened last
	Tasks       []counter.Task
	Me          int64 // whose tasks are their own
	Serves      bool  // customers, too
	Store       *location.Location
	Now         time.Time
	Done        string
}

// takeTask says who does a task; finishTask that it is done.
func (p *Pages) takeTask(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return p.afterTask(r, task.Take(r.Context(), p.DB, id(r, "id"), here(r).LocationID, here(r).AssociateID))
}

func (p *Pages) finishTask(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return p.afterTask(r, task.Done(r.Context(), p.DB, id(r, "id"), here(r).LocationID, here(r).AssociateID))
}

func (p *Pages) afterTask(r *http.Request, err error) (respond.Answer, error) {
	if err != nil {
		return nil, err
	}
	return respond.See("/counter"), nil
}

func newQueue(waiting []counter.Waiting, store *location.Location, done string) queueView {
	q := queueView{Store: store, Now: time.Now(), Done: done}
	for _, w := range waiting {
		if w.State == "ready" {
			q.Ready = append(q.Ready, w)
		} else {
			q.Pick = append(q.Pick, w)
		}
	}
	return q
}

func (p *Pages) queueEvents(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return respond.Events(p.Live, 15*time.Minute, live.Queue(here(r).LocationID)), nil
}

// afresh is where a reload after a search lands: what was typed may have been a code, so no address keeps it.
func (p *Pages) afresh(http.ResponseWriter, *http.Request) (respond.Answer, error) {
	return respond.See("/counter"), nil
}

// search opens what the words name when it is one thing, and lists when it is several. Codes typed here are counted.
func (p *Pages) search(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	words := text.Clean(r.PostFormValue("q"), 80)
	if words == "" {
		return respond.See("/counter"), nil
	}
	c, store, err := p.frame(r, text.T(r.Context(), "Search"))
	if err != nil {
		return nil, err
	}
	c.Words = words
	code := counter.CountedSearch(words)
	if code {
		if err := pickup.CountCodeAttempt(r.Context(), p.DB, here(r)); err != nil {
			return nil, err
		}
	}
	hits, err := counter.Search(r.Context(), p.DB, words, store.ID)
	if err != nil {
		return nil, err
	}
	if code {
		for _, h := range hits {
			if h.Kind == "pickup" {
				if err := pickup.MayOpen(r.Context(), p.DB, h.ID); err != nil {
					return nil, err
				}
			}
		}
	}
	if code && len(hits) > 0 {
		if err := pickup.ReturnCodeAttempt(r.Context(), p.DB, here(r)); err != nil {
			return nil, err
		}
	}
	if len(hits) != 1 {
		status := http.StatusOK
		if len(hits) == 0 {
			status = http.StatusNotFound
		}
		return respond.Status(status, searchPage(c, words, hits, store)), nil
	}
	if hits[0].Kind == "pickup" && code {
		// Whoever was found by the code has shown it; it need not be typed twice.
		return p.showPickup(r, hits[0].ID, pickupView{Code: words})
	}
	return respond.See(address(hits[0])), nil
}

func address(h counter.Hit) string {
	switch h.Kind {
	case "pickup":
		return "/counter/pickups/" + strconv.FormatInt(h.ID, 10)
	case "order":
		return "/counter/orders/" + strconv.FormatInt(h.ID, 10)
	case "customer":
		return "/counter/customers/" + strconv.FormatInt(h.ID, 10)
	}
	return "/counter/articles/" + h.SKU
}

func (p *Pages) article(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	c, store, err := p.frame(r, text.T(r.Context(), "Item"))
	if err != nil {
		return nil, err
	}
	found, err := counter.FindArticle(r.Context(), p.DB, text.Clean(chi.URLParam(r, "sku"), 100), store.ID)
	if err != nil {
		return nil, err
	}
	if found == nil {
		return nil, respond.NotFound()
	}
	return respond.Page(articlePage(c, found, store)), nil
}
