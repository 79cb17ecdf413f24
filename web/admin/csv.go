package admin

import (
	"encoding/csv"
	"net/http"
	"strconv"
	"time"

	"counterpart/internal/flow/privacy"
	"counterpart/web/respond"
)

// download answers with a file of rows for a spreadsheet. What one would run is made harmless.
func download(name string, header []string, rows [][]string) respond.Answer {
	return func(w http.ResponseWriter, _ *http.Request) error {
		w.Header().Set("Content-Type", "text/csv; charset=utf-8")
		w.Header().Set("Content-Disposition", `attachment; filename="`+name+`.csv"`)
		out := csv.NewWriter(w)
		// Errors are the browser's leaving; Flush has nothing to add.
		_ = out.Write(header)
		for _, cells := range rows {
			for i := range cells {
				cells[i] = privacy.Harmless(cells[i])
			}
			_ = out.Write(cells)
		}
		out.Flush()
		return nil
	}
}

// stamp is a moment in a file; empty where it has not come.
func stamp(at *time.Time) string {
	if at == nil {
		return ""
	}
	return at.UTC().Format(time.RFC3339)
}

// ordinal is a number in a file that begins at 1; empty where there is none.
func ordinal(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}
