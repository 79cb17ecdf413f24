package admin

import (
	"net/http"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/staff"
	"counterpart/internal/flow/settle"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/text"
	"counterpart/internal/query/admin"
	"counterpart/web/respond"
)

// paymentsView lists where the payment company's book and ours do not agree.
type paymentsView struct {
	respond.Mistakes
	Rows []admin.Difference
}

func (p *Pages) payments(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return p.showPayments(r, nil)
}

func (p *Pages) showPayments(r *http.Request, wrong *fault.Fault) (respond.Answer, error) {
	rows, err := admin.Differences(r.Context(), p.DB)
	if err != nil {
		return nil, err
	}
	v := paymentsView{Rows: rows}
	a := frame(r, text.T(r.Context(), "Payments"), "payments")
	if wrong != nil {
		v.Take(r, wrong)
		return respond.Wrong(wrong, paymentsPage(a, v)), nil
	}
	return respond.Page(paymentsPage(a, v)), nil
}

// closeDifference says what somebody did about one.
func (p *Pages) closeDifference(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	note, again := typed(r.PostFormValue("note")), r.PostFormValue("again") != ""
	if again && note == "" {
		note = text.T(r.Context(), "Requested again")
	}
	if note == "" {
		return p.showPayments(r, fault.New(fault.Invalid, "Enter a short note on what was done."))
	}
	err := pg.InTx(r.Context(), p.DB, func(tx pgx.Tx) error {
		closed, err := settle.CloseDifference(r.Context(), tx, id(r, "id"), who(r), note, again)
		if err != nil {
			return err
		}
		if !closed {
			return respond.NotFound()
		}
		return staff.Log(r.Context(), tx, staff.Entry{AssociateID: who(r), Action: "difference.closed",
			Subject: "difference", SubjectID: id(r, "id"), Reason: note})
	})
	if err != nil {
		return nil, err
	}
	return respond.See("/admin/payments?done=kept"), nil
}

// setTier gives a customer a tier, or takes it away.
func (p *Pages) setTier(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	tier := text.Clean(r.PostFormValue("tier"), 30)
	err := pg.InTx(r.Context(), p.DB, func(tx pgx.Tx) error {
		if err := customer.SetTier(r.Context(), tx, id(r, "id"), tier); err != nil {
			return err
		}
		return staff.Log(r.Context(), tx, staff.Entry{AssociateID: who(r), Action: "customer.tier", Subject: "customer",
			SubjectID: id(r, "id"), After: map[string]any{"tier": tier}})
	})
	if err != nil {
		return nil, err
	}
	return respond.See("/admin/customers/" + idText(r) + "?done=kept"), nil
}
