// Package fault is a person's mistake or bad luck, said in one plain sentence with what they can do now.
package fault

import (
	"errors"
	"time"

	"counterpart/internal/platform/text"
)

// Kind says what sort of bad luck it is; web/respond turns it into an HTTP status, and nobody else does.
type Kind int

const (
	Invalid  Kind = iota // what was typed cannot be used
	NotFound             // there is no such thing, or it is not theirs: the same answer
	Conflict             // it was true a moment ago
	Denied               // they may not
	TooMany              // they tried too often
	NotYet               // there is nothing to show before somebody has set it up
)

// Fault carries a sentence for the page, or one for each field that was wrong, or both.
type Fault struct {
	Kind    Kind
	Message text.Message
	Fields  map[string]text.Message
	After   time.Duration // when it can be tried again, of TooMany; 0: soon
	// Now is what fields of a form say that somebody else saved while it was filled in; see package merge.
	Now map[string]string
}

func (f *Fault) Error() string {
	if !f.Message.IsZero() {
		return f.Message.In(text.Source)
	}
	for _, message := range f.Fields {
		return message.In(text.Source)
	}
	return "fault"
}

func New(kind Kind, key string, args ...text.Args) *Fault {
	return &Fault{Kind: kind, Message: text.M(key, args...)}
}

// Field is a fault about one field of a form; the field's name is the name of its input.
func Field(name, key string, args ...text.Args) *Fault {
	return &Fault{Kind: Invalid, Fields: map[string]text.Message{name: text.M(key, args...)}}
}

// Form collects what is wrong with a form, field by field. The first fault of a field is the one that is shown.
type Form struct{ fields map[string]text.Message }

func (f *Form) Add(name, key string, args ...text.Args) {
	if f.fields == nil {
		f.fields = map[string]text.Message{}
	}
	if _, ok := f.fields[name]; !ok {
		f.fields[name] = text.M(key, args...)
	}
}

// Err is nil when nothing was wrong.
func (f *Form) Err() error {
	if len(f.fields) == 0 {
		return nil
	}
	return &Fault{Kind: Invalid, Fields: f.fields}
}

// As finds the fault in an error, or nil.
func As(err error) *Fault {
	var f *Fault
	if errors.As(err, &f) {
		return f
	}
	return nil
}

// Is says whether an error is a fault of this kind.
func Is(err error, kind Kind) bool {
	f := As(err)
	return f != nil && f.Kind == kind
}
