package intake

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
)

// Complaint is what was left out or mended at a row of the file, or why a product or person was refused whole. Reason
// is the same for every row of the same kind, with a place for each of Args.
type Complaint struct {
	Row    int // the line of the file on which it begins
	Handle string
	Reason string
	Args   []any
	Whole  bool
}

// Sentence is the reason with what was in the row.
func (c Complaint) Sentence() string { return fmt.Sprintf(c.Reason, c.Args...) }

// Outcome is what became of the row, in a word.
func (c Complaint) Outcome() string {
	if c.Whole {
		return "refused"
	}
	return "notice"
}

// shown of one kind of complaint; the rest is counted.
const shown = 5

var verb = regexp.MustCompile(`“?%[qsdv]”?`)

// tellReasons sums complaints up by their reason, the most frequent first, with the first few rows of each.
func tellReasons(w io.Writer, all []Complaint, unread []string) {
	byReason := map[string][]Complaint{}
	var reasons []string
	for _, c := range all {
		if len(byReason[c.Reason]) == 0 {
			reasons = append(reasons, c.Reason)
		}
		byReason[c.Reason] = append(byReason[c.Reason], c)
	}
	slices.SortStableFunc(reasons, func(a, b string) int { return len(byReason[b]) - len(byReason[a]) })
	for _, reason := range reasons {
		rows := byReason[reason]
		fmt.Fprintf(w, "%d × %s: %s\n", len(rows), rows[0].Outcome(), verb.ReplaceAllString(reason, "…"))
		for _, c := range rows[:min(shown, len(rows))] {
			name := c.Handle
			if name != "" {
				name += ", "
			}
			fmt.Fprintf(w, "    row %d, %s%s\n", c.Row, name, c.Sentence())
		}
		if more := len(rows) - shown; more > 0 {
			fmt.Fprintf(w, "    and %d more\n", more)
		}
	}
	if len(unread) > 0 {
		fmt.Fprintf(w, "Columns that were not read: %s.\n", strings.Join(unread, ", "))
	}
}
