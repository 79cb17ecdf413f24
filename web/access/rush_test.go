package access

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"counterpart/internal/platform/pg/pgtest"
	"counterpart/web/layout"
	"counterpart/web/respond"
)

// Sixteen connections, and a hundred who want one for a third of a second each: the last would wait two seconds, and is
// told so. Whoever has a link of their own is let in; when the queue is short again, so is everybody.
func TestWhoWouldWaitTooLongIsRefused(t *testing.T) {
	ctx := context.Background()
	db, _ := pgtest.Database(t)
	r := NewRoutes(db, false, layout.Error)
	answer := func(w http.ResponseWriter, _ *http.Request) (respond.Answer, error) {
		return respond.Nothing, nil
	}
	r.Get("/anybody", Anyone, answer)
	r.Get("/link", OwnLink, answer)
	site := r.Handler(nil)
	ask := func(path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		site.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		return w
	}
	require.Equal(t, http.StatusNoContent, ask("/anybody").Code)

	stop, end := context.WithCancel(ctx)
	var queue sync.WaitGroup
	for range 100 {
		queue.Go(func() {
			for stop.Err() == nil {
				_, _ = db.Exec(stop, `SELECT pg_sleep(0.3)`) // It ends with the test.
			}
		})
	}
	require.Eventually(t, func() bool { return ask("/anybody").Code == http.StatusServiceUnavailable }, 20*time.Second,
		50*time.Millisecond)
	refused := ask("/anybody")
	require.Equal(t, http.StatusServiceUnavailable, refused.Code)
	require.Equal(t, "3", refused.Header().Get("Retry-After"))
	require.Contains(t, refused.Body.String(), "Your cart is safe")
	require.Equal(t, http.StatusNoContent, ask("/link").Code)
	end()
	queue.Wait()
	require.Eventually(t, func() bool { return ask("/anybody").Code == http.StatusNoContent }, 10*time.Second,
		50*time.Millisecond)
}

// What is slow elsewhere, a browser that sends its form a letter at a time or a gateway, is no reason to refuse anybody.
func TestNobodyIsRefusedWhereTheDatabaseIsNotBusy(t *testing.T) {
	db, _ := pgtest.Database(t)
	r := NewRoutes(db, false, layout.Error)
	leave := make(chan struct{})
	r.Get("/slow", Anyone, func(http.ResponseWriter, *http.Request) (respond.Answer, error) {
		<-leave
		return respond.Nothing, nil
	})
	r.Get("/quick", Anyone, func(http.ResponseWriter, *http.Request) (respond.Answer, error) { return respond.Nothing, nil })
	site := r.Handler(nil)
	var waiting sync.WaitGroup
	for range 200 {
		waiting.Go(func() {
			site.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/slow", nil))
		})
	}
	for range 20 {
		w := httptest.NewRecorder()
		site.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/quick", nil))
		require.Equal(t, http.StatusNoContent, w.Code)
		time.Sleep(50 * time.Millisecond)
	}
	close(leave)
	waiting.Wait()
}
