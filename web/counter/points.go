package counter

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"counterpart/internal/domain/staff"
	"counterpart/internal/flow/person"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/text"
	"counterpart/web/respond"
)

// adjustPoints gives points or takes some, with a reason.
func (p *Pages) adjustPoints(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	view := customerView{PointsTyped: typed(r, "points"), Reason: typed(r, "reason"), Form: text.Clean(r.PostFormValue("form"), 64)}
	points, err := strconv.ParseInt(strings.NewReplacer("−", "-", "+", "", " ", "").Replace(view.PointsTyped), 10, 64)
	if err != nil {
		points = 0 // It is refused as none.
	}
	_, err = person.AdjustPoints(r.Context(), p.DB, here(r), person.Adjustment{Person: id(r, "id"), Points: points,
		Reason: view.Reason, Form: view.Form, Manager: role(r) == staff.RoleManager || role(r) == staff.RoleAdmin})
	if f := fault.As(err); f != nil && f.Kind != fault.NotFound {
		return p.showCustomer(r, view, f)
	}
	if err != nil {
		return nil, err
	}
	return respond.See(fmt.Sprintf("/counter/customers/%d?done=points", id(r, "id"))), nil
}

// revivePoints brings back points that ended lately: the customer is here.
func (p *Pages) revivePoints(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	if _, err := person.RevivePoints(r.Context(), p.DB, here(r), id(r, "id")); err != nil {
		return nil, err
	}
	return respond.See(fmt.Sprintf("/counter/customers/%d?done=points", id(r, "id"))), nil
}
