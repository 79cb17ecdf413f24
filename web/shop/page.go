package shop

import (
	"context"
	"fmt"
	"hash/fnv"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"counterpart/internal/domain/editorial"
	"counterpart/internal/domain/location"
	"counterpart/internal/platform/files"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/text"
	"counterpart/internal/query/shop"
	"counterpart/web/respond"
)

// pageView is one of the retailer's pages: as it stands, or as it stood in a version that somebody agreed to.
type pageView struct {
	editorial.Version
	Old bool
}

func (p *Pages) page(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	visit, err := shop.VisitOf(r.Context(), p.DB, p.Site.Visitor(r))
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(visit.Pages, func(page editorial.Page) bool { return page.Slug == words(chi.URLParam(r, "slug")) })
	if i < 0 {
		return nil, respond.NotFound()
	}
	now, _ := visit.Pages[i].In(language(r))
	version := now.VersionID
	if asked, err := strconv.ParseInt(r.URL.Query().Get("version"), 10, 64); err == nil {
		version = asked
	}
	found, err := editorial.VersionByID(r.Context(), p.DB, version)
	if err != nil {
		return nil, err
	}
	if found == nil || found.PageID != visit.Pages[i].ID {
		return nil, respond.NotFound()
	}
	s := frame(r.Context(), visit, found.Title)
	return respond.Page(contentPage(s, pageView{*found, found.ID != now.VersionID})), nil
}

// namedPage is a page of the retailer's as another page links it.
type namedPage struct{ Title, Address, Version string }

// page is the retailer's page of a kind, in the language of whoever reads; its address is empty where there is none.
func (v *checkoutView) page(ctx context.Context, kind string) namedPage {
	return pageOf(ctx, v.Visit, kind)
}

// pageOf is the page of a kind that the retailer wrote, or nothing.
func pageOf(ctx context.Context, visit *shop.Visit, kind string) (n namedPage) {
	for _, p := range visit.Pages {
		if p.Kind == kind {
			t, _ := p.In(text.Content(ctx))
			n = namedPage{t.Title, "/pages/" + p.Slug, strconv.FormatInt(t.VersionID, 10)}
		}
	}
	return n
}

// lookAddress is that of the stylesheet of a theme: another theme has another.
func lookAddress(f location.Theme) string {
	sum := fnv.New32a()
	fmt.Fprint(sum, f.Accent, f.Ground, f.Ink, f.TextFont, f.DisplayFont)
	return fmt.Sprintf("/look.css?v=%08x", sum.Sum32())
}

// look is the shop's own colours and fonts. In the dark they give way to ours, which are made for it.
func (p *Pages) look(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	var f location.Theme
	if err := pg.Ask(r.Context(), p.DB, location.ThemeOf(&f)); err != nil {
		return nil, err
	}
	css := stylesheet(f)
	return func(w http.ResponseWriter, _ *http.Request) error {
		w.Header().Set("Content-Type", "text/css; charset=utf-8")
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		fmt.Fprint(w, css)
		return nil
	}, nil
}

// stylesheet sets the roles of the tokens that a theme chose. Its colours are six hex digits each.
func stylesheet(f location.Theme) string {
	var b strings.Builder
	b.WriteString(":root {")
	if f.Ground != "" {
		fmt.Fprintf(&b, " --paper: light-dark(#%s, oklch(18%% 0.008 80)); --surface: light-dark(color-mix(in oklab, #%s 35%%, white), oklch(22.5%% 0.009 80)); --sunk: light-dark(color-mix(in oklab, #%s 94%%, black), oklch(26%% 0.009 80));", f.Ground, f.Ground, f.Ground)
	}
	if f.Ink != "" {
		fmt.Fprintf(&b, " --ink: light-dark(#%s, oklch(94%% 0.006 85));", f.Ink)
	}
	if f.Accent != "" {
		fmt.Fprintf(&b, " --green: light-dark(#%s, oklch(76%% 0.12 160)); --green-deep: light-dark(color-mix(in oklab, #%s 84%%, black), oklch(83%% 0.10 160)); --on-green: light-dark(white, oklch(20%% 0.04 160));", f.Accent, f.Accent)
	}
	fonts := map[string]string{"sans": `"Inter", "Inter Fallback", system-ui, sans-serif`,
		"serif": `"Source Serif", "Serif Fallback", Georgia, serif`}
	fmt.Fprintf(&b, " --font-text: %s; --font-display: %s; }\n", fonts[f.TextFont], fonts[f.DisplayFont])
	return b.String()
}

// brand is the shop's logo and the icons that are made of it.
func (p *Pages) brand(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	key := chi.URLParam(r, "key")
	if !strings.HasPrefix(key, "logo-") || !files.ValidKey(key) {
		return nil, respond.NotFound()
	}
	content, err := p.Files.Open(key)
	if err != nil {
		return nil, respond.NotFound()
	}
	return func(w http.ResponseWriter, r *http.Request) error {
		defer content.Close()
		w.Header().Set("Content-Type", "image/png")
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		http.ServeContent(w, r, "", time.Time{}, content)
		return nil
	}, nil
}
