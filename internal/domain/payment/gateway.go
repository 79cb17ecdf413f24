package payment

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// Gateway is somebody who takes cards for us. Every call that changes something carries a key of ours and can be
// repeated under it; a call whose answer was lost is not known to have failed.
type Gateway interface {
	Name() string
	// Begin opens a page on which a shopper pays an attempt.
	Begin(ctx context.Context, p Begin) (Begun, error)
	// Fetch asks what became of it. What a browser or a message says is never believed, only this.
	Fetch(ctx context.Context, reference string) (Status, error)
	// ClosePage ends a page on which nobody has paid yet; where somebody has, it is refused and nothing changes.
	ClosePage(ctx context.Context, reference, key string) error
	Capture(ctx context.Context, reference, key string, amount int64) error
	// Void gives up what was not captured: an open page closes, an authorisation ends.
	Void(ctx context.Context, reference, key string) error
	Refund(ctx context.Context, reference, key string, amount int64) error
	// VerifyWebhook checks who sent a message and says what it is about. The body is as it came.
	VerifyWebhook(header http.Header, body []byte, now time.Time) (Event, error)
}

// Begin is an attempt as a gateway hears of it. Amount is in minor units.
type Begin struct {
	Key      string
	Method   string // card or pay_later
	Amount   int64
	Currency string
	Order    string // its public number
	Email    string
	Language string
	Return   string // where the shopper comes back to, paid or not
	Expires  time.Time
}

// Begun is the gateway's name for the attempt, and its page.
type Begun struct{ Reference, Page string }

// Status is what a gateway says of an attempt. State is one of the states of a payment.
type Status struct {
	State    string
	Amount   int64 // authorised
	Currency string
	Captured int64
	Refunded int64
	Key      string // the one it was begun under
	Declined string
	Lapses   time.Time // zero: not said
}

// Event is a message of a gateway: its id, so that it counts once, and what it is about: the gateway's name for an
// attempt, or the key of one.
type Event struct{ ID, Kind, Reference string }

// Refused is an answer that will be the same however often it is asked: what it says is why.
type Refused struct{ Why string }

func (r *Refused) Error() string { return "the gateway refused: " + r.Why }

// IsRefused says whether an error is a final no, and why.
func IsRefused(err error) (why string, refused bool) {
	var r *Refused
	if errors.As(err, &r) {
		return r.Why, true
	}
	return "", false
}

// ErrForged is an event whose signature does not hold.
var ErrForged = errors.New("the message is not signed by the gateway")
