package sandbox

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// planted is what goes wrong with the next calls of an operation: 500_before, 500_after, timeout_before, timeout_after,
// reset_after. For the operation “webhook” it is never, late, twice, forged.
type planted string

// plant has the next so many calls of an operation go wrong.
func (s *Server) plant(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Operation string `json:"operation"`
		Kind      string `json:"kind"`
		Count     int    `json:"count"`
	}
	if json.NewDecoder(r.Body).Decode(&in) != nil {
		say(w, http.StatusBadRequest, answer{Error: "That is no fault."})
		return
	}
	query := `INSERT INTO sandbox.fault (operation, kind, remaining) VALUES ($1, $2, $3)`
	if in.Count == 0 {
		query = `DELETE FROM sandbox.fault WHERE $1 = '' OR operation = $1 AND $2::text IS NOT NULL AND $3::integer IS NOT NULL`
	}
	if _, err := s.DB.Exec(r.Context(), query, in.Operation, in.Kind, in.Count); err != nil {
		say(w, http.StatusInternalServerError, answer{Error: err.Error()})
		return
	}
	say(w, http.StatusOK, answer{})
}

// fault takes the next planted fault of an operation, if there is one.
func (s *Server) fault(ctx context.Context, operation string) planted {
	var kind string
	// An error here is the same as no fault: what follows fails by itself.
	_ = s.DB.QueryRow(ctx, `
		UPDATE sandbox.fault
		SET remaining = remaining - 1
		WHERE id = (SELECT id FROM sandbox.fault WHERE operation = $1 AND remaining > 0 ORDER BY id LIMIT 1 FOR UPDATE)
		RETURNING kind`, operation).Scan(&kind)
	return planted(kind)
}

// strike answers wrongly, or not at all, when it is this fault's moment.
func (p planted) strike(w http.ResponseWriter, r *http.Request, moment string) bool {
	kind, when, _ := strings.Cut(string(p), "_")
	if when != moment {
		return false
	}
	switch kind {
	case "500":
		say(w, http.StatusInternalServerError, answer{Error: "Something went wrong here."})
	case "timeout":
		select {
		case <-r.Context().Done():
		case <-time.After(20 * time.Second):
		}
	case "reset":
		panic(http.ErrAbortHandler)
	}
	return true
}
