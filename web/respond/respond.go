// Package respond turns what a handler answers into HTTP, in one place: a page, another address, or what went wrong.
package respond

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/a-h/templ"
	"github.com/go-chi/chi/v5"

	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/text"
)

// Handler reads a request, calls one noun, verb or reader, and answers.
type Handler func(w http.ResponseWriter, r *http.Request) (Answer, error)

// Answer writes itself.
type Answer func(w http.ResponseWriter, r *http.Request) error

// ErrorPage is the page of a status with its sentence and, where we made the mistake, the id of the log line.
type ErrorPage func(status int, sentence, id string) templ.Component

// Page answers 200 with a component.
func Page(c templ.Component) Answer { return Status(http.StatusOK, c) }

// Status answers with a component. It is rendered whole before the first byte is sent: a page is never cut in half by
// an error.
func Status(status int, c templ.Component) Answer {
	return func(w http.ResponseWriter, r *http.Request) error {
		buffer := buffers.Get().(*bytes.Buffer)
		defer buffers.Put(buffer)
		buffer.Reset()
		if err := c.Render(r.Context(), buffer); err != nil {
			return err
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(status)
		_, _ = w.Write(buffer.Bytes()) // The browser may have gone; there is nobody to tell.
		return nil
	}
}

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// See sends the browser on with GET, after a POST that did something.
func See(url string) Answer {
	return func(w http.ResponseWriter, r *http.Request) error {
		http.Redirect(w, r, url, http.StatusSeeOther)
		return nil
	}
}

// Moved sends whoever comes by a former address on to the one that holds, for good.
func Moved(url string) Answer {
	return func(w http.ResponseWriter, r *http.Request) error {
		http.Redirect(w, r, url, http.StatusMovedPermanently)
		return nil
	}
}

// Done is an answer that was written already.
func Done(http.ResponseWriter, *http.Request) error { return nil }

// Nothing answers a script of ours that only wants to know that it was done.
func Nothing(w http.ResponseWriter, _ *http.Request) error {
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// Wrong is the same page again after a fault in what was typed: 422, or 409 when something changed meanwhile.
func Wrong(f *fault.Fault, c templ.Component) Answer {
	return func(w http.ResponseWriter, r *http.Request) error {
		retry(w, f)
		return Status(status(f.Kind), c)(w, r)
	}
}

// retry says when to come again, in seconds, to whom it may be said.
func retry(w http.ResponseWriter, f *fault.Fault) {
	switch f.Kind {
	case fault.TooMany:
		w.Header().Set("Retry-After", strconv.Itoa(max(int(f.After.Seconds()), 5)))
	case fault.NotYet:
		w.Header().Set("Retry-After", "5")
	}
}

// ErrRush says that more is asked for than can be answered in good time.
var ErrRush = errors.New("too much is asked for at once")

// refused is when the database last said that it cannot work.
var refused atomic.Int64

// Refused says whether the database said in the last ten seconds that it cannot work, whatever it answers to a question
// that needs no room.
func Refused() bool { return time.Since(time.Unix(0, refused.Load())) < 10*time.Second }

func status(kind fault.Kind) int {
	switch kind {
	case fault.NotFound:
		return http.StatusNotFound
	case fault.Conflict:
		return http.StatusConflict
	case fault.Denied:
		return http.StatusForbidden
	case fault.TooMany:
		return http.StatusTooManyRequests
	case fault.NotYet:
		return http.StatusServiceUnavailable
	}
	return http.StatusUnprocessableEntity
}

// NotFound is the one answer for what does not exist and for what is somebody else's.
func NotFound() error {
	return fault.New(fault.NotFound, "We can’t find that page. It may have moved or no longer exist.")
}

// HTTP makes a handler of net/http.
func HTTP(h Handler, page ErrorPage) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		answer, err := h(w, r)
		if err == nil {
			err = answer(w, r)
		}
		if err != nil {
			fail(w, r, err, page)
		}
	}
}

func fail(w http.ResponseWriter, r *http.Request, err error, page ErrorPage) {
	ctx := r.Context()
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		// The browser went away, or we are stopping: whoever still reads this must not take it for done.
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	code, sentence, id := http.StatusInternalServerError, "", ""
	var tooLarge *http.MaxBytesError
	switch f := fault.As(err); {
	case f != nil:
		code, sentence = status(f.Kind), Sentence(ctx, f)
		retry(w, f)
	case errors.As(err, &tooLarge):
		code, sentence = http.StatusRequestEntityTooLarge, text.T(ctx, "That’s too much for this page. Send less.")
	case errors.Is(err, ErrRush):
		code, sentence = http.StatusServiceUnavailable, text.T(ctx,
			"Lots of people are shopping at the moment. Your cart is safe: please try again in a few seconds.")
		w.Header().Set("Retry-After", "3")
		r = r.WithContext(context.WithValue(ctx, resendKey{}, resend(r)))
	case pg.Away(err):
		id = noted(r, err)
		if pg.Refused(err) {
			refused.Store(time.Now().UnixNano())
		}
		code, sentence = http.StatusServiceUnavailable, text.T(ctx,
			"We can’t reach our system at the moment. Wait a little and try again: nothing will happen twice.")
		w.Header().Set("Retry-After", "5")
		r = r.WithContext(context.WithValue(ctx, resendKey{}, resend(r)))
	default:
		id = noted(r, err)
		sentence = text.T(ctx, "Something went wrong on our side. Nothing you entered is lost: go back and try again.")
	}
	if err := Status(code, page(code, sentence, id))(w, r); err != nil {
		http.Error(w, "Something went wrong.", http.StatusInternalServerError)
	}
}

// noted writes down what failed and answers the id of the line. It has the pattern, not the path: a path may hold
// somebody's link.
func noted(r *http.Request, err error) (id string) {
	id = rand.Text()[:8]
	slog.ErrorContext(r.Context(), "request failed", "id", id, "method", r.Method, "route",
		chi.RouteContext(r.Context()).RoutePattern(), "error", err)
	return id
}

type resendKey struct{}

// Resend is a form that could not be taken, for the page that says so to offer it again. Nil where there was none, or
// one with a secret in it.
func Resend(ctx context.Context) url.Values {
	form, _ := ctx.Value(resendKey{}).(url.Values)
	return form
}

// secrets are never written into a page.
var secrets = []string{"password", "current", "pin", "unlock-secret"}

func resend(r *http.Request) url.Values {
	for _, name := range secrets {
		if r.PostForm.Has(name) {
			return nil
		}
	}
	return r.PostForm
}

// Sentence is what a fault says when there is no field to say it beside.
func Sentence(ctx context.Context, f *fault.Fault) string {
	if !f.Message.IsZero() {
		return f.Message.In(text.Language(ctx))
	}
	for _, message := range f.Fields {
		return message.In(text.Language(ctx))
	}
	return ""
}

// JSON answers a script of ours.
func JSON(value any) Answer {
	return func(w http.ResponseWriter, r *http.Request) error {
		body, err := json.Marshal(value)
		if err != nil {
			return err
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		_, _ = w.Write(body) // The browser may have gone; there is nobody to tell.
		return nil
	}
}

// Mistakes is what a form's fault says above the form and beside its fields; the views of forms embed it.
type Mistakes struct {
	Wrong  string
	Fields map[string]text.Message
}

// Take keeps what a fault says, in the request's language.
func (m *Mistakes) Take(r *http.Request, f *fault.Fault) {
	m.Fields = f.Fields
	if !f.Message.IsZero() {
		m.Wrong = Sentence(r.Context(), f)
	}
}
