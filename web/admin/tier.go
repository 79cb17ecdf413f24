package admin

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"counterpart/internal/domain/loyalty"
	"counterpart/internal/flow/person"
	"counterpart/internal/flow/settings"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/money"
	"counterpart/internal/platform/text"
	"counterpart/internal/query/admin"
	"counterpart/web/respond"

	"github.com/go-chi/chi/v5"
)

// tierView is a tier as it was typed.
type tierView struct {
	respond.Mistakes
	loyalty.Tier
	Typed      map[string]string
	Currencies []string
}

func (p *Pages) newTier(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return p.showTier(r, tierView{Tier: loyalty.Tier{Counts: loyalty.BySpend, Position: 1},
		Typed: map[string]string{"position": "1", "return_days": "0"}}, nil)
}

func (p *Pages) tier(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	found, err := loyalty.TierByID(r.Context(), p.DB, id(r, "id"))
	if err != nil {
		return nil, err
	}
	if found == nil {
		return nil, respond.NotFound()
	}
	v := tierView{Tier: *found, Typed: map[string]string{"position": strconv.Itoa(found.Position), "return_days": strconv.Itoa(found.ReturnDays)}}
	switch {
	case found.Counts == loyalty.BySpend:
		v.Typed["threshold"] = money.New(found.Threshold, found.Currency).Plain()
	case found.Threshold != 0:
		v.Typed["threshold"] = strconv.FormatInt(found.Threshold, 10)
	}
	return p.showTier(r, v, nil)
}

func (p *Pages) showTier(r *http.Request, v tierView, wrong *fault.Fault) (_ respond.Answer, err error) {
	if v.Currencies, err = admin.Currencies(r.Context(), p.DB); err != nil {
		return nil, err
	}
	title := v.Title
	if v.ID == 0 {
		title = text.T(r.Context(), "New tier")
	}
	a := frame(r, title, "points")
	if wrong != nil {
		v.Take(r, wrong)
		return respond.Wrong(wrong, tierPage(a, v)), nil
	}
	return respond.Page(tierPage(a, v)), nil
}

func (p *Pages) saveTier(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	if chi.URLParam(r, "id") != "" {
		found, err := loyalty.TierByID(r.Context(), p.DB, id(r, "id"))
		if err != nil {
			return nil, err
		}
		if found == nil {
			return nil, respond.NotFound()
		}
	}
	v := tierView{Typed: map[string]string{}}
	for _, field := range []string{"position", "threshold", "return_days"} {
		v.Typed[field] = typed(r.PostFormValue(field))
	}
	v.Tier = loyalty.Tier{ID: id(r, "id"), Title: typed(r.PostFormValue("title")), Counts: typed(r.PostFormValue("counts")),
		Benefit: typed(r.PostFormValue("benefit")), Contact: typed(r.PostFormValue("contact")), Currency: typed(r.PostFormValue("currency")),
		Position: count(v.Typed["position"]), ReturnDays: count(v.Typed["return_days"]), Version: count(r.PostFormValue("version"))}
	switch v.Counts {
	case loyalty.BySpend:
		if amount, err := money.Parse(v.Typed["threshold"], v.Currency); err == nil {
			v.Threshold = amount.Minor
		}
	case loyalty.ByPoints, loyalty.ByVisits:
		v.Threshold = int64(count(strings.ReplaceAll(v.Typed["threshold"], ",", "")))
	}
	err := settings.SaveTier(r.Context(), p.DB, at(r), &v.Tier)
	if f := fault.As(err); f != nil {
		if f.Kind == fault.Conflict {
			now, err := loyalty.TierByID(r.Context(), p.DB, v.ID)
			if err != nil {
				return nil, err
			}
			if now == nil {
				return nil, respond.NotFound()
			}
			v.Version = now.Version // They have been told: who saves again replaces it.
		}
		return p.showTier(r, v, f)
	}
	if err != nil {
		return nil, err
	}
	return respond.See("/admin/points?done=kept"), nil
}

func (p *Pages) archiveTier(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	if err := settings.ArchiveTier(r.Context(), p.DB, at(r), id(r, "id")); err != nil {
		return nil, err
	}
	return respond.See("/admin/points?done=kept"), nil
}

// grantTier gives a customer a tier, or takes away what staff gave.
func (p *Pages) grantTier(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	v := personView{GrantTyped: map[string]string{"tier": typed(r.PostFormValue("tier")), "until": typed(r.PostFormValue("until")),
		"reason": typed(r.PostFormValue("reason"))}}
	tierID, err := strconv.ParseInt(r.PostFormValue("tier"), 10, 64) // 0 takes away
	if err != nil || tierID < 0 {
		return p.afterPerson(r, fault.Field("tier", "Choose a tier."), "kept", v)
	}
	var until *time.Time
	if day := r.PostFormValue("until"); day != "" {
		t, err := time.Parse(time.DateOnly, day)
		if err != nil || t.Before(time.Now().AddDate(0, 0, -1)) || t.Year() > 2200 {
			return p.afterPerson(r, fault.Field("until", "Enter a date from today on."), "kept", v)
		}
		until = &t
	}
	return p.afterPerson(r, person.GrantTier(r.Context(), p.DB, at(r), id(r, "id"), tierID, until, v.GrantTyped["reason"]), "kept", v)
}
