package admin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"counterpart/internal/domain/delivery"
	"counterpart/internal/domain/location"
	"counterpart/internal/domain/policy"
	"counterpart/internal/domain/tax"
	"counterpart/internal/flow/settings"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/money"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/text"
	"counterpart/internal/query/admin"
	"counterpart/web/access"
	"counterpart/web/part"
	"counterpart/web/respond"
	"counterpart/web/ui"
)

// settingsView is what the shop decided about points, returns and deliveries. Typed keeps what a form said while
// something is wrong with it.
type settingsView struct {
	respond.Mistakes
	Policy   policy.Policy
	Methods  []delivery.Method
	Method   *delivery.Method // the one that is looked at; nil: a new one
	Form     string           // whose mistakes these are: policy, delivery
	Typed    map[string]string
	Money    []string // currencies of the shop
	Places   []location.Location
	Sellers  map[int64]location.Seller // the shop's under 0
	Rates    []tax.Rate
	Classes  []tax.Class
	Untaxed  []tax.Missing
	Planned  []tax.Planned
	Carriers string // one a line, as the form has them
}

func (p *Pages) settings(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return p.showSettings(r, settingsView{}, nil)
}

func (p *Pages) showSettings(r *http.Request, v settingsView, wrong *fault.Fault) (respond.Answer, error) {
	var err error
	if v.Policy, err = policy.Read(r.Context(), p.DB); err != nil {
		return nil, err
	}
	if v.Methods, err = admin.Deliveries(r.Context(), p.DB); err != nil {
		return nil, err
	}
	all, err := location.All(r.Context(), p.DB)
	if err != nil {
		return nil, err
	}
	v.Places = all
	if v.Sellers, err = location.Sellers(r.Context(), p.DB); err != nil {
		return nil, err
	}
	if v.Rates, err = tax.All(r.Context(), p.DB); err != nil {
		return nil, err
	}
	if v.Classes, err = tax.Classes(r.Context(), p.DB); err != nil {
		return nil, err
	}
	if v.Untaxed, err = admin.Untaxed(r.Context(), p.DB); err != nil {
		return nil, err
	}
	if err := pg.Ask(r.Context(), p.DB, tax.Plans(&v.Planned), admin.Carriers(&v.Carriers)); err != nil {
		return nil, err
	}
	for _, at := range all {
		if !slices.Contains(v.Money, at.Currency) {
			v.Money = append(v.Money, at.Currency)
		}
	}
	wanted, _ := strconv.ParseInt(r.URL.Query().Get("delivery"), 10, 64)
	if v.Form == "delivery" {
		wanted, _ = strconv.ParseInt(v.Typed["id"], 10, 64)
	}
	if i := slices.IndexFunc(v.Methods, func(m delivery.Method) bool { return m.ID == wanted }); i >= 0 {
		v.Method = &v.Methods[i]
	}
	a := frame(r, text.T(r.Context(), "Settings"), "settings")
	if wrong != nil {
		v.Take(r, wrong)
		return respond.Wrong(wrong, settingsPage(a, v)), nil
	}
	return respond.Page(settingsPage(a, v)), nil
}

// typedIn keeps a form as it was typed.
func typedIn(r *http.Request, names ...string) map[string]string {
	all := map[string]string{}
	for _, name := range names {
		all[name] = text.Clean(r.PostFormValue(name), 2000)
	}
	return all
}

func (p *Pages) savePolicy(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	before, err := policy.Read(r.Context(), p.DB)
	if err != nil {
		return nil, err
	}
	fields := []string{"points_rate", "points_worth", "points_minimum", "return_days", "keep_delivery",
		"shortage_hours"}
	for _, limit := range before.RefundLimits {
		fields = append(fields, "refund_limit_"+limit.Currency)
	}
	v := settingsView{Form: "policy", Typed: typedIn(r, fields...)}
	policy := policy.Policy{PointsRate: count(v.Typed["points_rate"]), PointsWorth: count(v.Typed["points_worth"]),
		PointsMinimum: count(v.Typed["points_minimum"]), ReturnDays: count(v.Typed["return_days"]),
		ShortageHours: count(v.Typed["shortage_hours"]), KeepDelivery: v.Typed["keep_delivery"] == "1"}
	for _, limit := range before.RefundLimits {
		amount, err := money.Parse(v.Typed["refund_limit_"+limit.Currency], limit.Currency)
		if err != nil {
			amount = money.New(-1, limit.Currency) // which no limit is
		}
		policy.RefundLimits = append(policy.RefundLimits, amount)
	}
	err = settings.SetPolicy(r.Context(), p.DB, at(r), policy)
	if f := fault.As(err); f != nil {
		return p.showSettings(r, v, f)
	}
	if err != nil {
		return nil, err
	}
	return respond.See("/admin/settings?done=kept"), nil
}

// count reads a whole number of a form; what is not one is −1, which nothing takes.
func count(s string) int {
	n, err := strconv.Atoi(strings.TrimSpace(s))
	if err != nil {
		return -1
	}
	return n
}

func (p *Pages) saveDelivery(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	v := settingsView{Form: "delivery", Typed: typedIn(r, "id", "name", "carrier", "countries", "currency", "min_days",
		"max_days", "cutoff", "rates", "active")}
	m, err := method(v.Typed)
	if err == nil {
		err = p.known(r, m)
	}
	if err == nil {
		err = settings.SaveDelivery(r.Context(), p.DB, at(r), &m)
	}
	if f := fault.As(err); f != nil && f.Kind != fault.NotFound {
		return p.showSettings(r, v, f)
	}
	if err != nil {
		return nil, err
	}
	return respond.See(fmt.Sprintf("/admin/settings?delivery=%d&done=kept", m.ID)), nil
}

// saveSeller writes who sells, of the shop or of one location.
func (p *Pages) saveSeller(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	v := settingsView{Form: "seller", Typed: typedIn(r, "location", "legal_name", "seller_address", "company_number",
		"vat_number")}
	place, err := strconv.ParseInt(v.Typed["location"], 10, 64)
	if err != nil {
		place = -1
	}
	s := location.Seller{LegalName: v.Typed["legal_name"], Address: v.Typed["seller_address"],
		CompanyNumber: v.Typed["company_number"], VATNumber: v.Typed["vat_number"]}
	return p.afterSettings(r, v, settings.SetSeller(r.Context(), p.DB, at(r), place, s), "seller")
}

// saveTax writes the rate of a class in a place. What was sold keeps the rate it was sold at.
func (p *Pages) saveTax(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	v := settingsView{Form: "tax", Typed: typedIn(r, "country", "region", "class", "tax_name", "percent", "from")}
	ppm, err := money.ParsePercent(v.Typed["percent"])
	if err != nil {
		ppm = -1 // which no rate is
	}
	rate := tax.Rate{Country: v.Typed["country"], Region: v.Typed["region"], Class: v.Typed["class"],
		Name: v.Typed["tax_name"], PPM: ppm}
	if v.Typed["from"] == "" {
		err = settings.SetTaxRate(r.Context(), p.DB, at(r), rate)
	} else {
		err = settings.PlanTaxRate(r.Context(), p.DB, at(r), rate, v.Typed["from"], access.Session(r.Context()).Zone())
	}
	return p.afterSettings(r, v, err, "tax")
}

// afterSettings shows what is wrong with a form of the settings, or that it was saved.
func (p *Pages) afterSettings(r *http.Request, v settingsView, err error, section string) (respond.Answer, error) {
	if f := fault.As(err); f != nil && f.Kind != fault.NotFound {
		return p.showSettings(r, v, f)
	}
	if err != nil {
		return nil, err
	}
	return respond.See("/admin/settings?done=kept#" + section), nil
}

func (p *Pages) dropTaxPlan(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return p.afterSettings(r, settingsView{}, settings.DropTaxPlan(r.Context(), p.DB, at(r), id(r, "plan")), "tax")
}

func (p *Pages) addTaxClass(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	v := settingsView{Form: "class", Typed: typedIn(r, "class_name")}
	return p.afterSettings(r, v, settings.AddTaxClass(r.Context(), p.DB, at(r), v.Typed["class_name"]), "tax")
}

// saveCarriers writes where parcels are followed.
func (p *Pages) saveCarriers(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	v := settingsView{Form: "carriers", Typed: map[string]string{"carriers": text.Clean(r.PostFormValue("carriers"), 8000)}}
	return p.afterSettings(r, v, settings.SetCarriers(r.Context(), p.DB, at(r), v.Typed["carriers"]), "carriers")
}

// place of a tax rate, as the list names it.
func placeName(ctx context.Context, country, region string) string {
	if region == "" {
		return part.Country(ctx, country)
	}
	return part.Country(ctx, country) + ", " + region
}

// missing names the first few places where something cannot be sold.
func missing(ctx context.Context, all []tax.Missing) string {
	var names []string
	for _, m := range all {
		if name := placeName(ctx, m.Country, m.Region) + " (" + m.Class + ")"; len(names) < 5 {
			names = append(names, name)
		}
	}
	if len(all) > len(names) {
		names = append(names, "…")
	}
	return text.Say(ctx, text.List(names))
}

func ratePercent(ppm int64) string {
	return strconv.FormatFloat(float64(ppm)/10_000, 'f', -1, 64) + " %"
}

func (v settingsView) placeOptions(ctx context.Context) []ui.Option {
	all := []ui.Option{{Value: "0", Name: text.T(ctx, "The whole business")}}
	for _, at := range v.Places {
		all = append(all, ui.Option{Value: strconv.FormatInt(at.ID, 10), Name: at.Name})
	}
	return all
}

func (v settingsView) classOptions() (all []ui.Option) {
	for _, c := range v.Classes {
		all = append(all, ui.Option{Value: c.Code, Name: c.Name})
	}
	return all
}

// known refuses a delivery that is not there, and money that the shop does not take.
func (p *Pages) known(r *http.Request, m delivery.Method) error {
	all, err := admin.Deliveries(r.Context(), p.DB)
	if err != nil {
		return err
	}
	if m.ID != 0 && !slices.ContainsFunc(all, func(other delivery.Method) bool { return other.ID == m.ID }) {
		return respond.NotFound()
	}
	places, err := location.All(r.Context(), p.DB)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(places, func(at location.Location) bool { return at.Currency == m.Currency }) {
		return fault.Field("currency", "Choose a currency that one of our locations uses.")
	}
	return nil
}

// method reads a way of delivery from a form.
func method(typed map[string]string) (m delivery.Method, err error) {
	var form fault.Form
	m = delivery.Method{Name: typed["name"], Carrier: typed["carrier"], Currency: typed["currency"],
		MinDays: count(typed["min_days"]), MaxDays: count(typed["max_days"]), Active: typed["active"] == "1"}
	m.ID, _ = strconv.ParseInt(typed["id"], 10, 64)
	for country := range strings.FieldsFuncSeq(strings.ToUpper(typed["countries"]),
		func(r rune) bool { return r == ',' || r == ' ' || r == '\n' }) {
		if !slices.Contains(m.Countries, country) {
			m.Countries = append(m.Countries, country)
		}
	}
	var hours, minutes int
	if n, err := fmt.Sscanf(typed["cutoff"], "%d:%d", &hours, &minutes); n != 2 || err != nil || hours < 0 ||
		hours > 23 || minutes < 0 || minutes > 59 {
		form.Add("cutoff", "Enter the same-day dispatch cut-off, such as 14:00.")
	}
	m.Cutoff = hours*60 + minutes
	for line := range strings.Lines(typed["rates"]) {
		if strings.TrimSpace(line) == "" {
			continue
		}
		rate, err := readRate(line, m.Currency)
		if err != nil {
			form.Add("rates", "“{line}” isn’t a rate. Enter the weight limit in grams, the minimum order and the charge, such as 2000, 0, 3.95.", text.Args{"line": strings.TrimSpace(line)})
			break
		}
		m.Rates = append(m.Rates, rate)
	}
	return m, form.Err()
}

var errRate = errors.New("not a rate")

func readRate(line, currency string) (rate delivery.Rate, err error) {
	fields := strings.Split(line, ",")
	if len(fields) != 3 {
		return rate, errRate
	}
	rate.MaxGrams = count(fields[0])
	from, errFrom := money.Parse(strings.TrimSpace(fields[1]), currency)
	charge, errCharge := money.Parse(strings.TrimSpace(fields[2]), currency)
	if rate.MaxGrams < 1 || rate.MaxGrams > 10_000_000 || errFrom != nil || errCharge != nil || from.Minor < 0 ||
		charge.Minor < 0 {
		return rate, errRate
	}
	rate.FromSubtotal, rate.Charge = from.Minor, charge.Minor
	return rate, nil
}

// field is what a form's field shows: what was typed while something is wrong with it, else what holds.
func (v settingsView) field(form, name, holds string) string {
	if v.Form == form {
		return v.Typed[name]
	}
	return holds
}

// method is the one that is looked at, or a new one.
func (v settingsView) method() delivery.Method {
	if v.Method != nil {
		return *v.Method
	}
	return delivery.Method{MinDays: 2, MaxDays: 3, Cutoff: 14 * 60, Active: true, Currency: v.Money[0]}
}

func rates(m delivery.Method) string {
	var b strings.Builder
	for _, r := range m.Rates {
		fmt.Fprintf(&b, "%d, %s, %s\n", r.MaxGrams, money.New(r.FromSubtotal, m.Currency).Plain(),
			money.New(r.Charge, m.Currency).Plain())
	}
	return b.String()
}

// cheapest is the lowest charge of a method.
func cheapest(m delivery.Method) money.Money {
	low := money.New(0, m.Currency)
	for i, r := range m.Rates {
		if i == 0 || r.Charge < low.Minor {
			low.Minor = r.Charge
		}
	}
	return low
}
