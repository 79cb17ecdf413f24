package admin

import (
	"net/http"
	"strconv"

	"counterpart/internal/domain/loyalty"
	"counterpart/internal/flow/settings"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/money"
	"counterpart/internal/platform/text"
	"counterpart/internal/query/admin"
	"counterpart/web/respond"
)

// pointsView is how points live, as it was typed, and what they come to.
type pointsView struct {
	respond.Mistakes
	loyalty.Programme
	admin.PointsFigures
	Typed map[string]string
	Tiers []loyalty.Tier
}

// numbers of the form, by their fields.
var pointsNumbers = []string{"expiry_months", "warn_first", "warn_last", "grace_days", "adjust_limit"}

func (v *pointsView) number(field string) *int {
	return map[string]*int{"expiry_months": &v.ExpiryMonths, "warn_first": &v.WarnFirst, "warn_last": &v.WarnLast,
		"grace_days": &v.GraceDays, "adjust_limit": &v.AdjustLimit}[field]
}

func (p *Pages) points(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	programme, err := loyalty.ReadProgramme(r.Context(), p.DB)
	if err != nil {
		return nil, err
	}
	v := pointsView{Programme: programme, Typed: map[string]string{}}
	for _, field := range pointsNumbers {
		v.Typed[field] = strconv.Itoa(*v.number(field))
	}
	return p.showPoints(r, v, nil)
}

func (p *Pages) showPoints(r *http.Request, v pointsView, wrong *fault.Fault) (_ respond.Answer, err error) {
	if v.PointsFigures, err = admin.Points(r.Context(), p.DB); err != nil {
		return nil, err
	}
	if v.Tiers, err = admin.Tiers(r.Context(), p.DB); err != nil {
		return nil, err
	}
	a := frame(r, text.T(r.Context(), "Points"), "points")
	if wrong != nil {
		v.Take(r, wrong)
		return respond.Wrong(wrong, pointsPage(a, v)), nil
	}
	return respond.Page(pointsPage(a, v)), nil
}

func (p *Pages) setPoints(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	v := pointsView{Typed: map[string]string{}, Programme: loyalty.Programme{Vesting: typed(r.PostFormValue("vesting")),
		Expiry: typed(r.PostFormValue("expiry")), Debt: typed(r.PostFormValue("debt"))}}
	for _, field := range pointsNumbers {
		v.Typed[field] = typed(r.PostFormValue(field))
		*v.number(field) = count(v.Typed[field])
	}
	v.Version = count(r.PostFormValue("version"))
	err := settings.SetProgramme(r.Context(), p.DB, at(r), v.Programme)
	if f := fault.As(err); f != nil {
		if f.Kind == fault.Conflict {
			now, err := loyalty.ReadProgramme(r.Context(), p.DB)
			if err != nil {
				return nil, err
			}
			v.Version = now.Version // They have been told: who saves again replaces it.
		}
		return p.showPoints(r, v, f)
	}
	if err != nil {
		return nil, err
	}
	return respond.See("/admin/points?done=kept"), nil
}

// worth is what points are worth, in the first store's currency.
func (v pointsView) worth(points int64) money.Money {
	return money.New(loyalty.Rates{Worth: v.Worth}.Value(points, v.Currency), v.Currency)
}
