package access

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"
	tags "golang.org/x/text/language"

	"counterpart/internal/domain/location"
	"counterpart/internal/platform/text"
)

// offered are the languages that pages can be read in here: those that the shop was set up for and that have sentences.
type offered struct {
	shop      *location.Shop
	languages []string
	matcher   tags.Matcher
}

var english = &offered{languages: []string{text.Source}}

func offeredBy(shop *location.Shop) *offered {
	o := &offered{shop: shop, languages: []string{text.Source}}
	for _, language := range text.Languages() {
		if language != text.Source && slices.Contains(shop.Languages, language) {
			o.languages = append(o.languages, language)
		}
	}
	all := make([]tags.Tag, len(o.languages))
	for i, language := range o.languages {
		all[i] = tags.Make(language)
	}
	o.matcher = tags.NewMatcher(all)
	return o
}

// offer is what is offered now. Where that cannot be read, the page itself will say so, in English.
func (r *Routes) offer(ctx context.Context) *offered {
	data := r.reference.Peek(ctx)
	if data == nil || data.Shop == nil {
		return english
	}
	known := r.offered.Load()
	if known == nil || known.shop != data.Shop {
		known = offeredBy(data.Shop)
		r.offered.Store(known)
	}
	return known
}

// inLanguage answers in the language that the address begins with (/lv/p/mug), else the one that was chosen in this
// browser before, else the one that the browser asks for. For a developer, on their own machine, the cookie may ask for
// the pseudo-language, too.
func (r *Routes) inLanguage(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		offered := r.offer(req.Context())
		languages := offered.languages
		ctx := text.WithOffered(req.Context(), languages)
		language := ""
		if first, rest, _ := strings.Cut(strings.TrimPrefix(req.URL.Path, "/"), "/"); slices.Contains(languages,
			first) {
			language = first
			// Only the path is another one: what a form sends and a query asks is the same in every language.
			address := *req.URL
			address.Path, address.RawPath = "/"+strings.TrimLeft(rest, "/"), ""
			req = req.Clone(ctx)
			req.URL = &address
			chi.RouteContext(ctx).RoutePath = address.Path // which the router took from the address as it was
			r.RememberLanguage(w, language)
		}
		if cookie, err := req.Cookie("language"); language == "" && err == nil {
			if slices.Contains(languages, cookie.Value) || r.Local && cookie.Value == text.Pseudo {
				language = cookie.Value
			}
		}
		if language == "" {
			language = text.Source
			// Parsing costs more than a page's sentences, so only a browser that names another language is read.
			if wants := req.Header.Get("Accept-Language"); len(wants) <= 200 && slices.ContainsFunc(languages[1:],
				func(l string) bool { return strings.Contains(wants, l) }) {
				_, i := tags.MatchStrings(offered.matcher, wants)
				language = languages[i]
			}
		}
		w.Header().Set("Vary", "Accept-Language, Cookie")
		ctx = text.WithPath(text.WithLanguage(ctx, language), r.path(req, languages))
		if req.Method == http.MethodPost {
			ctx = text.WithPosted(ctx)
		}
		next.ServeHTTP(w, req.WithContext(ctx))
	})
}

// path is where the same page stands in another language. What answers a form is read again on the page with the form.
func (r *Routes) path(req *http.Request, languages []string) string {
	if req.Method != http.MethodPost {
		return req.URL.RequestURI()
	}
	from, err := url.Parse(req.Referer())
	if err != nil || from.Host != req.Host {
		return "/"
	}
	path := from.RequestURI()
	for _, language := range languages {
		if rest, ok := strings.CutPrefix(path, "/"+language+"/"); ok {
			path = "/" + rest
		}
	}
	return SafeNext(path, "/")
}

// RememberLanguage keeps the language that somebody reads the shop in.
func (r *Routes) RememberLanguage(w http.ResponseWriter, language string) {
	http.SetCookie(w, &http.Cookie{Name: "language", Value: language, Path: "/",
		MaxAge: int((365 * 24 * time.Hour).Seconds()),
		Secure: r.Secure, SameSite: http.SameSiteLaxMode})
}

// HasLanguage says whether a language was chosen in this browser.
func (r *Routes) HasLanguage(req *http.Request) bool {
	_, err := req.Cookie("language")
	return err == nil
}
