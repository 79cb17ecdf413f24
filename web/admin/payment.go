package admin

import (
	"net/http"

	"counterpart/internal/flow/settle"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/money"
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

// paymentsCSV is the list of differences as a file.
func (p *Pages) paymentsCSV(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	rows, err := admin.Differences(r.Context(), p.DB)
	if err != nil {
		return nil, err
	}
	var cells [][]string
	for _, d := range rows {
		ours, theirs := "", ""
		if d.Currency != "" {
			ours, theirs = money.New(d.Ours, d.Currency).Plain(), money.New(d.Theirs, d.Currency).Plain()
		}
		cells = append(cells, []string{d.Kind, ordinal(d.Number), d.Reference, ours, theirs, d.Currency, d.Detail,
			stamp(&d.FoundAt), stamp(d.ClosedAt), d.ClosedBy, d.Note})
	}
	return download("payments", []string{"kind", "order", "reference", "ours", "theirs", "currency", "detail", "found_at",
		"closed_at", "closed_by", "note"}, cells), nil
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
	err := settle.ResolveDifference(r.Context(), p.DB, at(r), id(r, "id"), note, again)
	if err != nil {
		return nil, err
	}
	return respond.See("/admin/payments?done=kept"), nil
}
