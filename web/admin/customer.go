package admin

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/location"
	"counterpart/internal/domain/loyalty"
	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/segment"
	"counterpart/internal/domain/staff"
	"counterpart/internal/flow/person"
	"counterpart/internal/flow/privacy"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/merge"
	"counterpart/internal/platform/money"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/text"
	"counterpart/internal/query/admin"
	"counterpart/internal/query/profile"
	"counterpart/web/access"
	"counterpart/web/respond"
	"counterpart/web/ui"

	"github.com/jackc/pgx/v5"
)

// customersView is the list with the rules that it was made by.
type customersView struct {
	listing
	Segment admin.Segment
	Spent   string // as typed
	Wrong   string // about it
	Stores  []location.Location
	Named   []segment.Segment
	MayAdd  bool
}

// segment reads what a request narrows the list of customers by. spent is what was typed as an amount, and wrong what
// is wrong with it.
func (p *Pages) segment(r *http.Request) (s admin.Segment, spent, wrong string, err error) {
	q := r.URL.Query()
	spent = typed(q.Get("spent"))
	s = admin.Segment{
		Words: typed(q.Get("q")), Orders: small(q.Get("orders")), Away: small(q.Get("away")),
		Within: small(q.Get("within")), Store: typed(q.Get("store")), Tag: typed(q.Get("tag")),
		Account: q.Get("account") == "1", News: q.Get("news") == "1", In: int64(small(q.Get("segment"))),
	}
	if s.Currency, err = location.CurrencyOf(r.Context(), p.DB, s.Store); err != nil {
		return s, spent, "", err
	}
	if amount, err := money.Parse(spent, s.Currency); err == nil {
		s.Spent = amount.Minor
	} else if spent != "" {
		wrong = text.T(r.Context(), "Enter an amount, such as 250.")
	}
	return s, spent, wrong, nil
}

func (p *Pages) customers(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	list, err := p.newListing(r, "customers", "/admin/customers")
	if err != nil {
		return nil, err
	}
	view := customersView{listing: list, MayAdd: access.Session(r.Context()).Associate.Role != staff.RoleMarketing}
	if view.Segment, view.Spent, view.Wrong, err = p.segment(r); err != nil {
		return nil, err
	}
	rows, total, err := admin.Customers(r.Context(), p.DB, view.Segment, view.page())
	if err != nil {
		return nil, err
	}
	view.Total = total
	rows = trimmed(&view.listing, rows, func(c admin.CustomerRow) int64 { return c.ID })
	if view.beyond(len(rows)) {
		return respond.See(view.address("", 0)), nil
	}
	if view.Named, err = segment.List(r.Context(), p.DB); err != nil {
		return nil, err
	}
	if view.Stores, err = location.All(r.Context(), p.DB); err != nil {
		return nil, err
	}
	return respond.Page(customersPage(frame(r, text.T(r.Context(), "Customers"), "customers"), view, rows)), nil
}

// customersCSV is the list as a file, as far as it is counted.
func (p *Pages) customersCSV(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	segment, _, _, err := p.segment(r)
	if err != nil {
		return nil, err
	}
	rows, _, err := admin.Customers(r.Context(), p.DB, segment, admin.Page{Most: admin.CountUpTo})
	if err != nil {
		return nil, err
	}
	var cells [][]string
	for _, c := range rows {
		last := ""
		if c.Last != nil {
			last = c.Last.UTC().Format(time.RFC3339)
		}
		cells = append(cells, []string{c.Name, c.Email, c.Phone, strconv.FormatBool(c.Registered),
			strings.Join(c.Tags, ", "), c.Store, strconv.Itoa(c.Orders), money.New(c.Spent, c.Currency).Plain(), c.Currency,
			last})
	}
	return download("customers", []string{"name", "email", "phone", "account", "tags", "store", "orders", "spent",
		"currency", "last_order"}, cells), nil
}

// small is a whole number of a rule; what is not one is no rule.
func small(typed string) int {
	n, err := strconv.Atoi(strings.TrimSpace(typed))
	if err != nil {
		return 0
	}
	return max(0, min(n, 100_000))
}

// personView is a customer in the office with what was typed.
type personView struct {
	*admin.Customer
	Role       string
	Managers   []staff.Associate
	Typed      string
	Tiers      []loyalty.Tier
	GrantTyped map[string]string
	Manager    int64
	Languages  []string
	Money      []string // currencies of the shop
	Addresses  []customer.Address
	Address    customer.Address // the one that is edited; id 0: a new one
	editing
}

func (p *Pages) customer(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return p.showPerson(r, personView{}, nil)
}

func (p *Pages) showPerson(r *http.Request, view personView, wrong *fault.Fault) (respond.Answer, error) {
	found, err := admin.CustomerPage(r.Context(), p.DB, id(r, "id"))
	if err != nil {
		return nil, err
	}
	if found == nil {
		return p.elsewhere(r)
	}
	s := access.Session(r.Context())
	view.Customer, view.Role = found, s.Associate.Role
	if view.Role == staff.RoleMarketing {
		view.Timeline, view.Perhaps, view.Merges, view.Sittings = nil, nil, nil, nil
	} else if view.Managers, err = staff.Managers(r.Context(), p.DB, s.LocationID); err != nil {
		return nil, err
	}
	if found.ErasedAt == nil {
		office := at(r)
		office.LocationID = 0
		if err := person.Open(r.Context(), p.DB, office, found.ID, view.Role); err != nil {
			return nil, err
		}
	}
	if view.Tiers, err = loyalty.Tiers(r.Context(), p.DB); err != nil {
		return nil, err
	}
	if err := p.details(r, &view); err != nil {
		return nil, err
	}
	title := named(r.Context(), found.Name)
	if wrong != nil {
		if view.Form == "" {
			view.Take(r, wrong)
		}
		return respond.Wrong(wrong, personPage(frame(r, title, "customers"), view, title)), nil
	}
	return respond.Page(personPage(frame(r, title, "customers"), view, title)), nil
}

// elsewhere is where a profile went that is part of another one now.
func (p *Pages) elsewhere(r *http.Request) (respond.Answer, error) {
	root, err := customer.Root(r.Context(), p.DB, id(r, "id"))
	if err != nil {
		return nil, err
	}
	if root == 0 || root == id(r, "id") {
		return nil, respond.NotFound()
	}
	return respond.See("/admin/customers/" + strconv.FormatInt(root, 10)), nil
}

// at is where the request's associate stands.
func at(r *http.Request) origin.Origin {
	here := access.Origin(r.Context())
	here.Form = r.PostForm.Get("form")
	return here
}

func (p *Pages) afterPerson(r *http.Request, err error, done string, view personView) (respond.Answer, error) {
	if wrong := fault.As(err); wrong != nil {
		return p.showPerson(r, view, wrong)
	}
	if err != nil {
		return nil, err
	}
	return respond.See("/admin/customers/" + strconv.FormatInt(id(r, "id"), 10) + "?done=" + done), nil
}

func (p *Pages) tag(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	err := person.Tag(r.Context(), p.DB, at(r), id(r, "id"), r.PostFormValue("tag"), r.PostFormValue("off") != "1")
	return p.afterPerson(r, err, "kept", personView{Typed: typed(r.PostFormValue("tag"))})
}

// consent takes down what somebody said by letter or on the phone.
func (p *Pages) consent(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	here := at(r)
	who, err := customer.Root(r.Context(), p.DB, id(r, "id"))
	if err != nil {
		return nil, err
	}
	if who == 0 || who != id(r, "id") {
		return nil, respond.NotFound()
	}
	err = person.RecordConsent(r.Context(), p.DB, who, customer.ConsentEntry{
		Purpose: r.PostFormValue("purpose"), Medium: r.PostFormValue("medium"), Given: r.PostFormValue("given") == "yes", Source: "phone", AssociateID: here.AssociateID, LocationID: here.LocationID})
	return p.afterPerson(r, err, "kept", personView{})
}

func (p *Pages) shut(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	reason := typed(r.PostFormValue("reason"))
	shut := r.PostFormValue("shut") == "1"
	var err error
	if shut && reason == "" {
		err = fault.Field("shut-reason", "Enter a reason.")
	} else {
		err = person.SetDisabled(r.Context(), p.DB, at(r), id(r, "id"), shut, reason)
	}
	return p.afterPerson(r, err, "kept", personView{})
}

// export has a copy of everything mailed to the customer, on a manager's word given there and then.
func (p *Pages) export(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	here := at(r)
	view := personView{Typed: typed(r.PostFormValue("reason"))}
	view.Manager, _ = strconv.ParseInt(r.PostFormValue("manager"), 10, 64)
	err := staff.Approve(r.Context(), p.DB, staff.Approval{AskedBy: here.AssociateID, ManagerID: view.Manager,
		PIN: r.PostFormValue("pin"), Reason: view.Typed}, here.LocationID, here.DeviceID)
	if err == nil {
		err = privacy.RequestExport(r.Context(), p.DB, at(r), id(r, "id"),
			staff.Entry{AssociateID: here.AssociateID, ApprovedBy: view.Manager, LocationID: here.LocationID,
				Reason: view.Typed})
	}
	return p.afterPerson(r, err, "exported", view)
}

func (p *Pages) unmerge(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	mergeID, _ := strconv.ParseInt(r.PostFormValue("merge"), 10, 64)
	merges, err := customer.MergesOf(r.Context(), p.DB, id(r, "id"))
	if err != nil {
		return nil, err
	}
	for _, m := range merges {
		if m.ID == mergeID {
			if typed(r.PostFormValue("reason")) == "" {
				return p.showPerson(r, personView{}, fault.New(fault.Invalid,
					"Enter a reason for separating the profiles."))
			}
			_, err := person.Unmerge(r.Context(), p.DB, at(r), mergeID, typed(r.PostFormValue("reason")))
			return p.afterPerson(r, err, "unmerged", personView{})
		}
	}
	return nil, respond.NotFound()
}

func (p *Pages) erase(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	here := at(r)
	var err error
	if r.PostFormValue("sure") != "yes" {
		err = fault.Field("sure", "Tick the box to confirm.")
	} else {
		err = privacy.Erase(r.Context(), p.DB, p.Files, id(r, "id"),
			staff.Entry{AssociateID: here.AssociateID, LocationID: here.LocationID})
	}
	if err == nil {
		return respond.See("/admin/customers?done=erased"), nil
	}
	return p.afterPerson(r, err, "", personView{})
}

// details reads what the forms of a person's page edit.
func (p *Pages) details(r *http.Request, v *personView) error {
	all, err := location.All(r.Context(), p.DB)
	if err != nil {
		return err
	}
	v.Money = moneyOf(all)
	if v.now, err = person.Fields(r.Context(), p.DB, v.ID); err != nil {
		return err
	}
	if err := pg.Ask(r.Context(), p.DB, location.Languages(&v.Languages),
		func(batch *pgx.Batch) { profile.QueueAddresses(batch, v.ID, &v.Addresses) }); err != nil {
		return err
	}
	edited, _ := strconv.ParseInt(r.FormValue("address"), 10, 64)
	for _, a := range v.Addresses {
		if a.ID == edited {
			v.Address = a
		}
	}
	return nil
}

// newCustomerView is the form of somebody who is written down.
type newCustomerView struct {
	editing
	Languages []string
}

func (p *Pages) newCustomer(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return p.showNewCustomer(r, newCustomerView{}, nil)
}

func (p *Pages) showNewCustomer(r *http.Request, v newCustomerView, wrong *fault.Fault) (respond.Answer, error) {
	if err := pg.Ask(r.Context(), p.DB, location.Languages(&v.Languages)); err != nil {
		return nil, err
	}
	v.now = map[string]string{"language": text.Source}
	a := frame(r, text.T(r.Context(), "New customer"), "customers")
	if wrong != nil {
		return respond.Wrong(wrong, newCustomerPage(a, v)), nil
	}
	return respond.Page(newCustomerPage(a, v)), nil
}

func (p *Pages) addCustomer(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	edit := sentEdit(r, "name", "language", "company", "vat_number", "email", "phone")
	country, err := location.CountryOf(r.Context(), p.DB, "")
	if err != nil {
		return nil, err
	}
	added, err := person.Add(r.Context(), p.DB, at(r), person.New{Fields: edit.Mine, Country: country})
	if f := fault.As(err); f != nil {
		var v newCustomerView
		v.refused(r, "customer", merge.Edit{Mine: edit.Mine}, f)
		return p.showNewCustomer(r, v, f)
	}
	if err != nil {
		return nil, err
	}
	if added == 0 { // It was sent twice, and is there.
		return respond.See("/admin/customers"), nil
	}
	return respond.See(fmt.Sprintf("/admin/customers/%d?done=kept", added)), nil
}

// editedPerson does something with one of the forms of a person's page, and answers with it.
func (p *Pages) editedPerson(r *http.Request, form string, edit merge.Edit, err error) (respond.Answer, error) {
	if f := fault.As(err); f != nil && f.Kind != fault.NotFound {
		var v personView
		v.refused(r, form, edit, f)
		return p.showPerson(r, v, f)
	}
	if err != nil {
		return nil, err
	}
	return respond.See("/admin/customers/" + idText(r) + "?done=kept"), nil
}

func (p *Pages) editCustomer(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	edit := sentEdit(r, "name", "language", "company", "vat_number")
	return p.editedPerson(r, "details", edit, person.Edit(r.Context(), p.DB, at(r), id(r, "id"), edit))
}

func (p *Pages) saveAddressOf(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	edit := sentEdit(r, "to_name", "lines", "town", "region", "postcode", "country", "to_phone")
	a := customer.Address{Name: edit.Mine["to_name"], Lines: edit.Mine["lines"], Town: edit.Mine["town"],
		Region: edit.Mine["region"], Postcode: edit.Mine["postcode"], Country: edit.Mine["country"],
		Phone: edit.Mine["to_phone"]}
	a.ID, _ = strconv.ParseInt(r.PostFormValue("address"), 10, 64)
	return p.editedPerson(r, "address", edit, person.SaveAddressFor(r.Context(), p.DB, at(r), id(r, "id"), a))
}

func (p *Pages) dropAddress(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return p.editedPerson(r, "address", merge.Edit{}, person.DropAddressFor(r.Context(), p.DB, at(r), id(r, "id"),
		id(r, "address")))
}

func (p *Pages) giveCredit(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	edit := sentEdit(r, "credit_amount", "credit_currency", "credit_reason")
	currency := edit.Mine["credit_currency"]
	amount, err := money.Parse(edit.Mine["credit_amount"], currency)
	if err != nil {
		amount = money.New(0, currency)
	}
	return p.editedPerson(r, "credit", edit, person.GiveCredit(r.Context(), p.DB, at(r), id(r, "id"), amount,
		edit.Mine["credit_reason"], mayEdit(r)))
}

func (p *Pages) noteCustomer(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	edit := sentEdit(r, "body")
	office := at(r)
	office.LocationID = 0
	return p.editedPerson(r, "note", edit, person.AddNote(r.Context(), p.DB, office, id(r, "id"), "note",
		edit.Mine["body"]))
}

func languageOptions(languages []string) (all []ui.Option) {
	for _, language := range languages {
		all = append(all, ui.Option{Value: language, Name: text.Name(language)})
	}
	return all
}

// ofAddress is the form of an address: the one that is edited, or a new one.
func (v personView) ofAddress() editing {
	a := v.Address
	e := editing{now: map[string]string{"to_name": a.Name, "lines": a.Lines, "town": a.Town, "region": a.Region,
		"postcode": a.Postcode, "country": a.Country, "to_phone": a.Phone}}
	if v.Form == "address" {
		e.Mistakes, e.Form, e.sent, e.both = v.Mistakes, v.Form, v.sent, v.both
	}
	return e
}
