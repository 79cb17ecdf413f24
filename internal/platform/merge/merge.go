// Package merge lets two people edit one thing: what only one of them changed is kept, what both changed is asked.
package merge

import (
	"maps"
	"slices"
	"strings"

	"counterpart/internal/platform/fault"
)

// Edit is a form, field by field: what it showed when it was opened, and what was sent. A field without a Was was not
// shown, and whoever sends it means it whatever stands there.
type Edit struct{ Was, Mine map[string]string }

// Onto puts an edit on what holds now. A field that was not sent, or was sent as it was shown, stays as it is now. both
// are those that somebody else changed meanwhile and this edit changes to something else, with what they say now.
func (e Edit) Onto(now map[string]string) (merged, both map[string]string) {
	merged, both = make(map[string]string, len(now)), map[string]string{}
	for field, holds := range now {
		merged[field] = holds
		mine, sent := e.Mine[field]
		was, shown := e.Was[field]
		if !sent || shown && mine == was {
			continue
		}
		if shown && holds != was && holds != mine {
			both[field] = holds
		}
		merged[field] = mine
	}
	return merged, both
}

// Changes are the fields in which two states differ, as the audit trail keeps them.
func Changes(before, after map[string]string) (was, is map[string]any) {
	was, is = map[string]any{}, map[string]any{}
	for field, value := range after {
		if before[field] != value {
			was[field], is[field] = before[field], value
		}
	}
	return was, is
}

// Fields are the names of the fields that changed, for the audit trail where what they say is somebody's own: the trail
// is never rewritten, and has to keep nothing that a person can have forgotten.
func Fields(is map[string]any) map[string]any {
	return map[string]any{"fields": strings.Join(slices.Sorted(maps.Keys(is)), ", ")}
}

// Conflict is the fault of fields that two people changed; nil where there are none.
func Conflict(both map[string]string) error {
	if len(both) == 0 {
		return nil
	}
	f := fault.New(fault.Conflict,
		"Someone else changed the same thing while you were editing. Compare both below, then save what’s right.")
	f.Now = both
	return f
}
