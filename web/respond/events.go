package respond

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"counterpart/internal/platform/live"
)

// beat keeps proxies from closing a quiet stream.
const beat = 20 * time.Second

// Events is a stream that says “changed” when one of the topics may have changed, for at most so long: the browser then
// comes again, and is asked again who it is.
func Events(hub *live.Hub, atMost time.Duration, topics ...string) Answer {
	return func(w http.ResponseWriter, r *http.Request) error {
		woken, leave := hub.Subscribe(topics...)
		defer leave()
		controller := http.NewResponseController(w)
		if err := controller.SetWriteDeadline(time.Time{}); err != nil {
			return fmt.Errorf("open a stream: %w", err)
		}
		header := w.Header()
		header.Set("Content-Type", "text/event-stream")
		header.Set("Cache-Control", "no-store")
		header.Set("X-Accel-Buffering", "no")
		end, tick := time.NewTimer(atMost), time.NewTicker(beat)
		defer end.Stop()
		defer tick.Stop()
		line := "retry: 1000\n\n"
		for {
			if !Still(r.Context()) {
				goodbye(w, controller)
				return nil
			}
			if _, err := fmt.Fprint(w, line); err != nil {
				return nil // The browser went away.
			}
			if err := controller.Flush(); err != nil {
				return nil
			}
			select {
			case <-woken:
				line = "event: changed\ndata: 1\n\n"
			case <-tick.C:
				line = ": still here\n\n"
			case <-hub.Closed():
				goodbye(w, controller)
				return nil
			case <-end.C:
				goodbye(w, controller)
				return nil
			case <-r.Context().Done():
				return nil
			}
		}
	}
}

// goodbye tells the browser that the stream ends on purpose; it comes again by itself.
func goodbye(w http.ResponseWriter, controller *http.ResponseController) {
	_, _ = fmt.Fprint(w, "event: goodbye\ndata: 1\n\n") // The browser may have gone.
	_ = controller.Flush()
}

type stillKey struct{}

// WithStill gives a stream the question whether whoever opened it may still see it.
func WithStill(ctx context.Context, still func() bool) context.Context {
	return context.WithValue(ctx, stillKey{}, still)
}

// Still asks it; a stream without the question is anybody's.
func Still(ctx context.Context) bool {
	still, ok := ctx.Value(stillKey{}).(func() bool)
	return !ok || still()
}
