package admin

import (
	"cmp"
	"encoding/csv"
	"net/http"
	"strconv"
	"time"

	"counterpart/internal/domain/document"
	"counterpart/internal/flow/privacy"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/money"
	"counterpart/web/respond"
)

// journal is the tax of every day and rate, as an accountant takes it: what was invoiced, and what was credited with a
// minus.
func (p *Pages) journal(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	now := time.Now()
	var form fault.Form
	from, to := dayOf(r, "from", now.AddDate(0, -1, 0), &form), dayOf(r, "to", now, &form)
	if from.After(to) {
		form.Add("to", "The end date is before the start date.")
	}
	if err := form.Err(); err != nil {
		return nil, err
	}
	rows, err := document.Journal(r.Context(), p.DB, from, to)
	if err != nil {
		return nil, err
	}
	return func(w http.ResponseWriter, _ *http.Request) error {
		w.Header().Set("Content-Type", "text/csv; charset=utf-8")
		w.Header().Set("Content-Disposition", `attachment; filename="tax-journal.csv"`)
		out := csv.NewWriter(w)
		// Errors are the browser's leaving; Flush has nothing to add.
		_ = out.Write([]string{"day", "document", "currency", "rate", "per cent", "documents", "net", "tax", "gross"})
		for _, j := range rows {
			sign := int64(1)
			if j.Series == document.CreditNote {
				sign = -1
			}
			amount := func(minor int64) string { return money.New(sign*minor, j.Currency).Plain() }
			_ = out.Write([]string{j.Day.Format(time.DateOnly), j.Series, j.Currency,
				privacy.Harmless(cmp.Or(j.Name, "outside tax")),
				strconv.FormatFloat(float64(j.PPM)/10_000, 'f', -1, 64), strconv.Itoa(j.Count),
				amount(j.Net), amount(j.Tax), amount(j.Net + j.Tax)})
		}
		out.Flush()
		return nil
	}, nil
}

func dayOf(r *http.Request, name string, otherwise time.Time, form *fault.Form) time.Time {
	typed := r.URL.Query().Get(name)
	if typed == "" {
		return otherwise
	}
	day, err := time.Parse(time.DateOnly, typed)
	if err != nil || day.Year() < 2000 || day.Year() > 2200 {
		form.Add(name, "Enter a date, such as 2026-03-31.")
	}
	return day
}
