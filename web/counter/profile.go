package counter

import (
	"cmp"
	"net/http"
	"strconv"

	"counterpart/internal/domain/cart"
	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/staff"
	"counterpart/internal/flow/account"
	"counterpart/internal/flow/person"
	"counterpart/internal/flow/shopping"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/text"
	"counterpart/internal/query/counter"
	"counterpart/internal/query/profile"
	"counterpart/web/respond"
)

// afterCustomer sends the browser back to the customer, or shows them again with what was wrong and what was typed.
func (p *Pages) afterCustomer(r *http.Request, err error, done, field string) (respond.Answer, error) {
	if wrong := fault.As(err); wrong != nil {
		return p.showCustomer(r, customerView{Typed: typed(r, field)}, wrong)
	}
	if err != nil {
		return nil, err
	}
	to := "/counter/customers/" + strconv.FormatInt(id(r, "id"), 10)
	if done != "" {
		to += "?done=" + done
	}
	return respond.See(to), nil
}

func (p *Pages) identify(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	_, store, err := p.frame(r, "")
	if err != nil {
		return nil, err
	}
	return p.afterCustomer(r, person.AddIdentity(r.Context(), p.DB, here(r), id(r, "id"), typed(r, "contact"),
		store.Country), "", "contact")
}

func (p *Pages) unidentify(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return p.afterCustomer(r, person.RemoveIdentity(r.Context(), p.DB, here(r), id(r, "id"), id(r, "identity")), "", "")
}

// invite mails the link with which somebody takes their profile over to their phone.
func (p *Pages) invite(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	who, err := profile.Load(r.Context(), p.DB, id(r, "id"))
	if err == profile.ErrNobody {
		return nil, respond.NotFound()
	}
	if err != nil {
		return nil, err
	}
	email := who.First(customer.Email)
	if email == "" {
		return p.afterCustomer(r, fault.Field("contact", "Add an email address first. The link is sent there."), "",
			"contact")
	}
	return p.afterCustomer(r, account.Invite(r.Context(), p.DB, who.ID, email), "invited", "")
}

// consent takes down what somebody says at the counter, either way.
func (p *Pages) consent(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	here := here(r)
	answer := customer.ConsentEntry{
		Purpose: r.PostFormValue("purpose"), Medium: r.PostFormValue("medium"),
		Given: r.PostFormValue("given") == "yes", Source: "counter",
		AssociateID: here.AssociateID, LocationID: here.LocationID,
	}
	who, err := customer.Root(r.Context(), p.DB, id(r, "id"))
	if err != nil {
		return nil, err
	}
	if who == 0 || who != id(r, "id") {
		return nil, respond.NotFound()
	}
	return p.afterCustomer(r, person.RecordConsent(r.Context(), p.DB, who, answer), "", "")
}

func (p *Pages) saveSize(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	err := person.Prefer(r.Context(), p.DB, here(r), id(r, "id"), r.PostFormValue("size-name"),
		r.PostFormValue("size-value"))
	return p.afterCustomer(r, err, "", "size-name")
}

func (p *Pages) writeNote(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return p.afterCustomer(r, person.AddNote(r.Context(), p.DB, here(r), id(r, "id"), r.PostFormValue("kind"),
		r.PostFormValue("body")), "", "body")
}

func (p *Pages) closeNote(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return p.afterCustomer(r, person.CloseNote(r.Context(), p.DB, here(r), id(r, "id"), id(r, "note")), "", "")
}

// fromList puts something from their wish list into their cart, where they agreed that staff see it.
func (p *Pages) fromList(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	agreed, err := customer.Consented(r.Context(), p.DB, id(r, "id"), customer.Clienteling, customer.InShop)
	if err != nil {
		return nil, err
	}
	if !agreed {
		return nil, respond.NotFound()
	}
	list := cart.WishList
	if r.PostFormValue("list") == cart.Later {
		list = cart.Later
	}
	return p.afterCustomer(r, shopping.TakeFromList(r.Context(), p.DB, here(r), id(r, "id"), id(r, "variant"), list),
		"", "")
}

// compareView is two profiles side by side, and how they become one.
type compareView struct {
	respond.Mistakes
	Sides    []counter.Side
	Shared   []profile.PossibleDuplicate
	Managers []staff.Associate
	Question int64
	Sent     string // what the code went to
	Manager  int64
	Reason   string
}

func (p *Pages) compare(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return p.showCompare(r, compareView{}, nil)
}

func (p *Pages) showCompare(r *http.Request, view compareView, wrong *fault.Fault) (respond.Answer, error) {
	c, store, err := p.frame(r, text.T(r.Context(), "Possible duplicate"))
	if err != nil {
		return nil, err
	}
	if view.Sides, view.Shared, err = counter.Compare(r.Context(), p.DB, id(r, "id"), id(r, "other")); err != nil {
		return nil, err
	}
	if view.Sides == nil {
		return nil, respond.NotFound()
	}
	for _, side := range view.Sides {
		if err := person.Open(r.Context(), p.DB, here(r), side.ID, role(r)); err != nil {
			return nil, err
		}
	}
	if view.Managers, err = staff.Managers(r.Context(), p.DB, store.ID); err != nil {
		return nil, err
	}
	if wrong != nil {
		view.Take(r, wrong)
		return respond.Wrong(wrong, comparePage(c, view, store)), nil
	}
	return respond.Page(comparePage(c, view, store)), nil
}

func (p *Pages) askMerge(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	question, target, err := person.AskMerge(r.Context(), p.DB, id(r, "id"), id(r, "other"), r.PostFormValue("kind"))
	if wrong := fault.As(err); wrong != nil {
		return p.showCompare(r, compareView{}, wrong)
	}
	if err != nil {
		return nil, err
	}
	return p.showCompare(r, compareView{Question: question, Sent: target}, nil)
}

// merge makes one person of two profiles: by the code that was said, or on a manager's word.
func (p *Pages) merge(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	view := compareView{Reason: typed(r, "reason"), Sent: typed(r, "sent")}
	view.Question, _ = strconv.ParseInt(r.PostFormValue("question"), 10, 64)
	view.Manager, _ = strconv.ParseInt(r.PostFormValue("manager"), 10, 64)
	var survivor int64
	var err error
	if view.Question != 0 {
		survivor, err = person.MergeByCode(r.Context(), p.DB, here(r), id(r, "id"), id(r, "other"),
			person.SpokenCode{Question: view.Question, Code: r.PostFormValue("code")})
	} else {
		// What a manager may allow is to merge profiles that look alike, not any two: the page has to show what they
		// share.
		if _, shared, found := counter.Compare(r.Context(), p.DB, id(r, "id"), id(r, "other")); found != nil ||
			shared == nil {
			return nil, cmp.Or(found, respond.NotFound())
		}
		word := staff.Approval{AskedBy: here(r).AssociateID, ManagerID: view.Manager, PIN: r.PostFormValue("pin"),
			Reason: view.Reason}
		survivor, err = person.MergeApproved(r.Context(), p.DB, here(r), id(r, "id"), id(r, "other"), word)
	}
	if wrong := fault.As(err); wrong != nil {
		return p.showCompare(r, view, wrong)
	}
	if err != nil {
		return nil, err
	}
	return respond.See("/counter/customers/" + strconv.FormatInt(survivor, 10) + "?done=merged"), nil
}
