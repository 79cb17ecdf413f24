package admin

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"counterpart/internal/domain/location"
	"counterpart/internal/domain/promotion"
	"counterpart/internal/domain/quote"
	"counterpart/internal/domain/segment"
	"counterpart/internal/flow/promote"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/money"
	"counterpart/internal/platform/text"
	"counterpart/internal/query/admin"
	"counterpart/web/respond"
)

func (p *Pages) savePromotion(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	if err := r.ParseForm(); err != nil {
		return nil, fault.New(fault.Invalid, "We couldn’t read this form. Please try again.")
	}
	v := promotionView{Typed: r.PostForm}
	written := fresh()
	if n := id(r, "id"); n != 0 {
		page, err := admin.PromotionByID(r.Context(), p.DB, n)
		if err != nil {
			return nil, err
		}
		if page == nil {
			return nil, respond.NotFound()
		}
		written = page
	}
	v.PromotionPage = written
	named := written.State != promotion.Live || written.Rule.Everything()
	err := p.readPromotion(r, &written.Promotion)
	if err == nil && !named && written.Rule.Everything() && r.PostFormValue("sure") != "1" {
		err = fault.Field("sure",
			"This promotion is live, and without products it applies to everything in the shop. Tick the box if that’s what you want.")
	}
	if err == nil {
		err = promote.Save(r.Context(), p.DB, at(r), &written.Promotion)
	}
	if f := fault.As(err); f != nil {
		return p.showPromotion(r, v, f)
	}
	if err != nil {
		return nil, err
	}
	return respond.See(fmt.Sprintf("/admin/promotions/%d?done=kept", written.ID)), nil
}

// readPromotion reads the sentence as it was filled in.
func (p *Pages) readPromotion(r *http.Request, to *promotion.Promotion) error {
	var form fault.Form
	one := func(name string) string { return typed(r.PostFormValue(name)) }
	count := func(name string) *int {
		if one(name) == "" {
			return nil
		}
		n, err := strconv.Atoi(one(name))
		if err != nil || n < 0 || n > 1_000_000_000 {
			form.Add(name, "Enter a whole number, or leave it empty.")
			n = 0
		}
		return &n
	}
	or := func(n *int) int {
		if n == nil {
			return 0
		}
		return *n
	}
	rule := quote.Rule{Currency: one("currency")}
	amount := func(name string) int64 {
		if one(name) == "" {
			return 0
		}
		m, err := money.Parse(one(name), rule.Currency)
		if err != nil {
			form.Add(name, "Enter an amount, such as 12.50.")
		}
		return m.Minor
	}
	zone, err := p.shopZone(r.Context())
	if err != nil {
		return err
	}
	when := func(name string) *time.Time {
		if one(name) == "" {
			return nil
		}
		t, err := time.ParseInLocation(text.LocalTime, one(name), zone)
		if err != nil || t.Year() < 2000 || t.Year() > 2200 {
			form.Add(name, "Enter a date and time, such as 2026-12-24 09:00.")
			return nil
		}
		return &t
	}
	e := &rule.Effect
	e.Kind, e.Percent, e.Amount = one("kind"), percent(one("percent"), &form), amount("amount")
	e.Buy, e.Get, e.Pieces, e.Times = or(count("buy")), or(count("get")), or(count("pieces")), or(count("times"))
	e.Steps = steps(one("steps"), rule.Currency, &form)
	if e.Variant, err = p.gift(r.Context(), one("gift"), &form); err != nil {
		return err
	}
	goods := func(kind, field string, names []string) (ids []int64) {
		found, failed := admin.Goods(r.Context(), p.DB, kind, names)
		err = failed
		if len(found.Unknown) > 0 {
			form.Add(field, "We can’t find {name}.", text.Args{"name": strings.Join(found.Unknown, ", ")})
		}
		return found.IDs
	}
	rule.Products = goods("product", "goods", words(one("products")))
	if err != nil {
		return err
	}
	rule.Categories = goods("category", "goods", ticked(r, "category"))
	if err != nil {
		return err
	}
	rule.Tags, rule.Segments, rule.Tiers = words(one("tags")), words(one("segments")), words(one("tiers"))
	rule.Quantity, rule.Subtotal, rule.FirstOrder = or(count("quantity")), amount("subtotal"), one("first_order") == "1"
	stores, err := location.All(r.Context(), p.DB)
	if err != nil {
		return err
	}
	for _, at := range r.PostForm["location"] {
		n, _ := strconv.ParseInt(at, 10, 64)
		if !slices.ContainsFunc(stores, func(l location.Location) bool { return l.ID == n }) {
			form.Add("location", "One of these stores no longer exists. Choose again.")
			break
		}
		rule.Locations = append(rule.Locations, n)
	}
	segments, err := segment.List(r.Context(), p.DB)
	if err != nil {
		return err
	}
	for _, at := range r.PostForm["in_segment"] {
		n, _ := strconv.ParseInt(at, 10, 64)
		if !slices.ContainsFunc(segments, func(s segment.Segment) bool { return s.ID == n }) {
			form.Add("in_segment", "One of these segments no longer exists. Choose again.")
			break
		}
		rule.InSegments = append(rule.InSegments, n)
	}
	for _, method := range []string{quote.Pickup, quote.Ship, quote.CarryOut} {
		if slices.Contains(r.PostForm["method"], method) {
			rule.Methods = append(rule.Methods, method)
		}
	}
	for day := 1; day <= 7; day++ {
		if slices.Contains(r.PostForm["weekday"], strconv.Itoa(day)) {
			rule.Weekdays = append(rule.Weekdays, day)
		}
	}
	rule.From, rule.Until = minutes(one("from"), "from", &form), minutes(one("until"), "until", &form)
	to.Title, to.Exclusion, to.NeedsCode, to.Rule = one("title"), one("exclusion"), one("needs_code") == "1", rule
	to.Priority = or(count("priority"))
	to.StartsAt, to.EndsAt = when("starts"), when("ends")
	to.MaxUses, to.MaxPerCustomer, to.MaxPerDay = count("max_uses"), count("max_per_customer"), count("max_per_day")
	to.Budget = nil
	if n := amount("budget"); n > 0 {
		to.Budget = &n
	}
	to.Combines = []quote.Level{}
	for _, level := range []quote.Level{quote.LineLevel, quote.OrderLevel, quote.ShippingLevel} {
		if slices.Contains(r.PostForm["combines"], string(level)) {
			to.Combines = append(to.Combines, level)
		}
	}
	if v := count("version"); v != nil && to.ID != 0 {
		to.Version = *v
	}
	return form.Err()
}

// shopZone is the clock by which promotions begin and end: the first store's.
func (p *Pages) shopZone(ctx context.Context) (*time.Location, error) {
	all, err := location.All(ctx, p.DB)
	if err != nil || len(all) == 0 {
		return time.UTC, err
	}
	first := all[0]
	for _, l := range all {
		if l.Kind == "store" && l.ID < first.ID {
			first = l
		}
	}
	return first.Zone(), nil
}

func (p *Pages) gift(ctx context.Context, sku string, form *fault.Form) (int64, error) {
	if sku == "" {
		return 0, nil
	}
	found, err := admin.Goods(ctx, p.DB, "variant", []string{sku})
	if err != nil || len(found.IDs) == 0 {
		form.Add("gift", "We can’t find this SKU.")
		return 0, err
	}
	return found.IDs[0], nil
}

// percent reads 12.5 as 1250 hundredths.
func percent(s string, form *fault.Form) int64 {
	if s = strings.TrimSuffix(s, "%"); s == "" {
		return 0
	}
	ppm, err := money.ParsePercent(s)
	if err != nil || ppm%100 != 0 || ppm > 1_000_000 {
		form.Add("percent", "Enter a percentage from 0.01 to 100.")
		return 0
	}
	return ppm / 100
}

// steps reads “50 = 5; 100 = 15%”.
func steps(s, currency string, form *fault.Form) (all []quote.Step) {
	for _, part := range strings.Split(s, ";") {
		if strings.TrimSpace(part) == "" {
			continue
		}
		from, off, ok := strings.Cut(part, "=")
		m, err := money.Parse(from, currency)
		step := quote.Step{From: m.Minor}
		if off = strings.TrimSpace(off); strings.HasSuffix(off, "%") {
			step.Percent = percent(off, form)
		} else if cut, failed := money.Parse(off, currency); failed == nil {
			step.Amount = cut.Minor
		} else {
			ok = false
		}
		if !ok || err != nil || len(all) > 20 {
			form.Add("steps", "Enter tiers as “50 = 5; 100 = 15%”.")
			return nil
		}
		all = append(all, step)
	}
	return all
}

func minutes(s, field string, form *fault.Form) int {
	if s == "" {
		return 0
	}
	t, err := time.Parse("15:04", s)
	if err != nil {
		form.Add(field, "Enter a time, such as 14:00.")
	}
	return t.Hour()*60 + t.Minute()
}

// ticked are the values of boxes.
func ticked(r *http.Request, name string) (all []string) {
	for _, value := range r.PostForm[name] {
		if value = typed(value); value != "" && len(all) < 200 {
			all = append(all, value)
		}
	}
	return all
}

// words parts what was typed at commas.
func words(s string) (all []string) {
	for _, word := range strings.Split(s, ",") {
		if word = strings.TrimSpace(word); word != "" && len(all) < 200 {
			all = append(all, word)
		}
	}
	return all
}
