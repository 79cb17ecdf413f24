package gate

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	tags "golang.org/x/text/language"

	"counterpart/internal/domain/location"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/text"
)

// offer is the languages that pages can be read in here: those that the shop was set up for and that have sentences.
// It changes with the shop's settings, so it is read again after a few seconds, by one request; the others go on with
// what is known.
type offer struct {
	db      pg.DB
	reading sync.Mutex
	known   atomic.Pointer[offered]
}

type offered struct {
	languages []string
	matcher   tags.Matcher
	until     time.Time
}

const offerAge = 10 * time.Second

func (o *offer) get(ctx context.Context) *offered {
	known := o.known.Load()
	if time.Now().Before(known.until) || !o.reading.TryLock() {
		return known
	}
	defer o.reading.Unlock()
	next := &offered{languages: []string{text.Source}, until: time.Now().Add(offerAge)}
	shop, err := location.ShopOf(ctx, o.db)
	switch {
	case err != nil: // The page's own statement says what is wrong.
		next = &offered{known.languages, known.matcher, time.Now().Add(time.Second)}
		o.known.Store(next)
		return next
	case shop == nil:
		next.until = time.Time{} // It is about to be set up.
	default:
		for _, language := range text.Languages() {
			if language != text.Source && slices.Contains(shop.Languages, language) {
				next.languages = append(next.languages, language)
			}
		}
	}
	all := make([]tags.Tag, len(next.languages))
	for i, language := range next.languages {
		all[i] = tags.Make(language)
	}
	next.matcher = tags.NewMatcher(all)
	o.known.Store(next)
	return next
}

// inLanguage answers in the language that the address begins with (/lv/p/mug), else the one that was chosen in this
// browser before, else the one that the browser asks for. For a developer, on their own machine, the cookie may ask for
// the pseudo-language, too.
func (r *Routes) inLanguage(next http.Handler) http.Handler {
	offer := &offer{db: r.DB}
	offer.known.Store(&offered{languages: []string{text.Source}})
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if strings.HasPrefix(req.URL.Path, "/static/") || strings.HasPrefix(req.URL.Path, "/pictures/") {
			next.ServeHTTP(w, req)
			return
		}
		offered := offer.get(req.Context())
		languages := offered.languages
		ctx := text.WithOffered(req.Context(), languages)
		language := ""
		if first, rest, _ := strings.Cut(strings.TrimPrefix(req.URL.Path, "/"), "/"); slices.Contains(languages, first) {
			language = first
			// Only the path is another one: what a form sends and a query asks is the same in every language.
			address := *req.URL
			address.Path, address.RawPath = "/"+strings.TrimLeft(rest, "/"), ""
			req = req.Clone(ctx)
			req.URL = &address
			r.RememberLanguage(w, language)
		}
		if cookie, err := req.Cookie("language"); language == "" && err == nil {
			if slices.Contains(languages, cookie.Value) || r.Local && cookie.Value == text.Pseudo {
				language = cookie.Value
			}
		}
		if language == "" {
			language = text.Source
			// Parsing costs more than looking a sentence up, so whoever asks for English first is not asked twice.
			if wants := req.Header.Get("Accept-Language"); len(languages) > 1 && wants != "" && len(wants) <= 200 &&
				!strings.HasPrefix(wants, text.Source) {
				_, i := tags.MatchStrings(offered.matcher, wants)
				language = languages[i]
			}
		}
		w.Header().Add("Vary", "Accept-Language")
		ctx = text.WithPath(text.WithLanguage(ctx, language), path(req.URL, req.Method))
		next.ServeHTTP(w, req.WithContext(ctx))
	})
}

// path is where the same page stands in another language, which a form that was sent has none of.
func path(address *url.URL, method string) string {
	if method != http.MethodGet {
		return "/"
	}
	return address.RequestURI()
}

// RememberLanguage keeps the language that somebody reads the shop in.
func (r *Routes) RememberLanguage(w http.ResponseWriter, language string) {
	http.SetCookie(w, &http.Cookie{Name: "language", Value: language, Path: "/", MaxAge: int((365 * 24 * time.Hour).Seconds()),
		Secure: r.Secure, SameSite: http.SameSiteLaxMode})
}

// HasLanguage says whether a language was chosen in this browser.
func (r *Routes) HasLanguage(req *http.Request) bool {
	_, err := req.Cookie("language")
	return err == nil
}
