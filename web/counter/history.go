package counter

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"counterpart/internal/domain/clientele"
	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/location"
	"counterpart/internal/flow/notices"
	"counterpart/internal/flow/person"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/text"
	"counterpart/internal/query/counter"
	"counterpart/web/part"
	"counterpart/web/respond"
)

// historyView is what happened with somebody, and the forms about them with what was typed.
type historyView struct {
	respond.Mistakes
	*counter.History
	Store    *location.Location
	Done     string
	Held     string // why a message that was written waits
	Due      string
	Reminder string
	Body     string
	Products string
	Medium   string
}

func (p *Pages) history(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	v := historyView{Done: done(r)}
	if reason, ok := strings.CutPrefix(r.URL.Query().Get("done"), "written-"); ok {
		v.Done, v.Held = text.T(r.Context(), "Your message is on its way."), ""
		if reason != "" {
			v.Done, v.Held = "", part.HeldBecause(r.Context(), reason)
		}
	}
	return p.showHistory(r, v, nil)
}

func (p *Pages) showHistory(r *http.Request, v historyView, wrong *fault.Fault) (respond.Answer, error) {
	c, store, err := p.frame(r, text.T(r.Context(), "History"))
	if err != nil {
		return nil, err
	}
	v.History, err = counter.HistoryPage(r.Context(), p.DB, id(r, "id"), here(r).AssociateID, r.URL.Query().Get("part"),
		text.Content(r.Context()))
	if err != nil {
		return nil, err
	}
	if v.History == nil {
		return p.elsewhere(r)
	}
	if v.ErasedAt != nil {
		return nil, respond.NotFound()
	}
	if err := person.Open(r.Context(), p.DB, here(r), v.ID, role(r)); err != nil {
		return nil, err
	}
	v.Store = store
	if wrong != nil {
		v.Take(r, wrong)
		return respond.Wrong(wrong, historyPage(c, v)), nil
	}
	return respond.Page(historyPage(c, v)), nil
}

// afterHistory is the page again, with what was wrong or what was done.
func (p *Pages) afterHistory(r *http.Request, v historyView, err error, done string) (respond.Answer, error) {
	if f := fault.As(err); f != nil && f.Kind != fault.NotFound {
		return p.showHistory(r, v, f)
	}
	if err != nil {
		return nil, err
	}
	return respond.See(fmt.Sprintf("/counter/customers/%d/history?done=%s", id(r, "id"), done)), nil
}

func (p *Pages) takeClient(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return p.afterHistory(r, historyView{}, person.TakeClient(r.Context(), p.DB, here(r), id(r, "id"),
		r.PostFormValue("take") == "yes"), "kept")
}

// today at the associate's store.
func today(store *location.Location) time.Time {
	now := time.Now().In(store.Zone())
	return time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, time.UTC)
}

func (p *Pages) remind(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	_, store, err := p.frame(r, "")
	if err != nil {
		return nil, err
	}
	v := historyView{Due: typed(r, "due"), Reminder: text.Clean(r.PostFormValue("reminder"), 1000)}
	f := clientele.FollowUp{Person: id(r, "id"), Body: v.Reminder, Yearly: r.PostFormValue("yearly") == "yes", Form: typed(r, "form")}
	f.DueOn, _ = time.Parse(time.DateOnly, v.Due) // The zero day is refused with a sentence.
	return p.afterHistory(r, v, person.Remind(r.Context(), p.DB, here(r), f, today(store)), "kept")
}

func (p *Pages) doneReminding(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return p.afterHistory(r, historyView{}, person.DoneReminding(r.Context(), p.DB, here(r), id(r, "reminder")), "kept")
}

func (p *Pages) writeTo(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	v := historyView{Body: text.Clean(r.PostFormValue("body"), 4000), Products: typed(r, "products"), Medium: customer.ByMail}
	if r.PostFormValue("medium") == customer.BySMS {
		v.Medium = customer.BySMS
	}
	verdict, err := notices.Write(r.Context(), p.DB, here(r), id(r, "id"), notices.Letter{Body: v.Body, Medium: v.Medium, Form: typed(r, "form"),
		SKUs: strings.FieldsFunc(v.Products, func(c rune) bool { return c == ',' || c == ';' || c == ' ' })}, time.Now())
	return p.afterHistory(r, v, err, "written-"+verdict.Reason)
}

// bookView is an associate's own people.
type bookView struct {
	respond.Mistakes
	Clients []clientele.Client
	Due     []clientele.FollowUp
	Store   *location.Location
	Today   time.Time
}

func (p *Pages) book(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return p.showBook(r, nil)
}

func (p *Pages) showBook(r *http.Request, wrong *fault.Fault) (respond.Answer, error) {
	c, store, err := p.frame(r, text.T(r.Context(), "Your clients"))
	if err != nil {
		return nil, err
	}
	v := bookView{Store: store, Today: today(store)}
	if v.Clients, v.Due, err = clientele.Book(r.Context(), p.DB, here(r).AssociateID, v.Today.AddDate(0, 0, 7)); err != nil {
		return nil, err
	}
	if wrong != nil {
		v.Take(r, wrong)
		return respond.Wrong(wrong, bookPage(c, v)), nil
	}
	return respond.Page(bookPage(c, v)), nil
}

func (p *Pages) doneInBook(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	err := person.DoneReminding(r.Context(), p.DB, here(r), id(r, "reminder"))
	if f := fault.As(err); f != nil && f.Kind != fault.NotFound {
		return p.showBook(r, f)
	}
	if err != nil {
		return nil, err
	}
	return respond.See("/counter/book"), nil
}

func partName(ctx context.Context, name string) string {
	switch name {
	case counter.OfOrders:
		return text.T(ctx, "Orders")
	case counter.OfViews:
		return text.T(ctx, "Browsing and lists")
	case counter.OfMessages:
		return text.T(ctx, "Messages")
	case counter.OfStaff:
		return text.T(ctx, "Staff")
	case counter.OfAccount:
		return text.T(ctx, "Account and consent")
	}
	return text.T(ctx, "Everything")
}

func (v historyView) path(what string) string {
	return fmt.Sprintf("/counter/customers/%d/%s", v.ID, what)
}

// due is a day in words, and how late it is.
func due(ctx context.Context, day, today time.Time) string {
	switch days := int(day.Sub(today).Hours() / 24); {
	case days < 0:
		return text.N(ctx, -days, "{n} day overdue", "{n} days overdue")
	case days == 0:
		return text.T(ctx, "today")
	case days == 1:
		return text.T(ctx, "tomorrow")
	}
	return text.Say(ctx, text.Day(day))
}

func times(ctx context.Context, l counter.Looked) string {
	if l.Days <= 1 {
		return text.N(ctx, l.Times, "once", "{n} times in a day")
	}
	return text.N(ctx, l.Times, "once", "{n} times in {days} days", text.Args{"days": l.Days})
}

func mediumName(ctx context.Context, medium string) string {
	if medium == customer.BySMS {
		return text.T(ctx, "by text message")
	}
	return text.T(ctx, "by email")
}
