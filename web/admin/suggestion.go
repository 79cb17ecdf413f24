package admin

import (
	"context"
	"net/http"
	"strconv"

	"github.com/go-chi/chi/v5"

	"counterpart/internal/domain/hint"
	"counterpart/internal/domain/recommend"
	"counterpart/internal/flow/settings"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/text"
	"counterpart/internal/query/admin"
	"counterpart/internal/query/advice"
	"counterpart/web/respond"
)

// suggestionsView is what the counter suggests, with what was typed of one kind.
type suggestionsView struct {
	respond.Mistakes
	Rows   []admin.SuggestionRow
	Slots  []recommend.Slot
	Reason string // whose form was sent
	Weight string
}

func (p *Pages) suggestions(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return p.showSuggestions(r, suggestionsView{}, nil)
}

func (p *Pages) showSuggestions(r *http.Request, v suggestionsView, wrong *fault.Fault) (answer respond.Answer, err error) {
	if v.Rows, err = admin.Suggestions(r.Context(), p.DB, advice.Reasons()); err != nil {
		return nil, err
	}
	if v.Slots, err = recommend.Slots(r.Context(), p.DB); err != nil {
		return nil, err
	}
	a := frame(r, text.T(r.Context(), "Suggestions"), "suggestions")
	if wrong != nil {
		v.Take(r, wrong)
		return respond.Wrong(wrong, suggestionsPage(a, v)), nil
	}
	return respond.Page(suggestionsPage(a, v)), nil
}

func (p *Pages) setSuggestion(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	v := suggestionsView{Reason: chi.URLParam(r, "reason"), Weight: typed(r.PostFormValue("weight"))}
	err := settings.SetSuggestion(r.Context(), p.DB, at(r), hint.Setting{Reason: v.Reason,
		Active: r.PostFormValue("active") == "yes", Weight: count(v.Weight)})
	if f := fault.As(err); f != nil && f.Kind != fault.NotFound {
		return p.showSuggestions(r, v, f)
	}
	if err != nil {
		return nil, err
	}
	return respond.See("/admin/suggestions?done=kept"), nil
}

// kindOf is what the office calls a reason, and when it is given.
func kindOf(ctx context.Context, reason string) (name, when string) {
	switch reason {
	case "cart":
		return text.T(ctx, "In their cart"), text.T(ctx, "It lies in their cart online and is on a shelf here.")
	case "viewed":
		return text.T(ctx, "Looked at often"), text.T(ctx, "Three times or more in nine days, not bought, and here. Needs their consent to be remembered.")
	case "goes":
		return text.T(ctx, "Goes with"), text.T(ctx, "Others bought it with what they have, at least three times, and it is here.")
	case "wish":
		return text.T(ctx, "On their wish list"), text.T(ctx, "It is here now; a lower price is said.")
	case "points":
		return text.T(ctx, "Points"), text.T(ctx, "Their points pay at least half of their cart.")
	case "return":
		return text.T(ctx, "Return ends"), text.T(ctx, "What they bought can be brought back for three more days at most.")
	}
	return reason, ""
}

// value is what the field of a reason's weight shows.
func (v suggestionsView) value(row admin.SuggestionRow) string {
	if v.Reason == row.Reason && v.Weight != "" {
		return v.Weight
	}
	return strconv.Itoa(row.Weight)
}

// ofThose is the share of those shown, in whole per cent.
func ofThose(part, of int) string {
	if of == 0 {
		return ""
	}
	return strconv.Itoa((100*part+of/2)/of) + " %"
}
