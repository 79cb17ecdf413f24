package admin

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"

	"counterpart/internal/domain/editorial"
	"counterpart/internal/domain/location"
	"counterpart/internal/flow/settings"
	"counterpart/internal/flow/setup"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/merge"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/text"
	"counterpart/web/respond"
	"counterpart/web/ui"

	"github.com/a-h/templ"
)

// contentListView are the retailer's own pages, and the kinds that nobody has written yet.
type contentListView struct {
	Pages   []editorial.Page
	Missing []string
}

func (p *Pages) contentPages(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	var v contentListView
	if err := pg.Ask(r.Context(), p.DB, editorial.All(&v.Pages)); err != nil {
		return nil, err
	}
	for _, kind := range editorial.Kinds {
		if kind != editorial.Other && !slices.ContainsFunc(v.Pages, func(w editorial.Page) bool { return w.Kind == kind }) {
			v.Missing = append(v.Missing, kind)
		}
	}
	return respond.Page(contentListPage(frame(r, text.T(r.Context(), "Pages"), "pages"), v)), nil
}

// contentView is one of them in a language, or the form of a new one.
type contentView struct {
	editing
	ID        int64 // 0: it is a new one
	Kind      string
	Language  string
	Languages []string
	Slug      string
	Versions  []editorial.Version
}

func (p *Pages) newContent(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return p.showContent(r, contentView{Kind: typed(r.URL.Query().Get("kind")), Language: text.Source}, nil)
}

func (p *Pages) content(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	if id(r, "id") == 0 {
		return nil, respond.NotFound()
	}
	return p.showContent(r, contentView{ID: id(r, "id"), Language: typed(r.URL.Query().Get("language"))}, nil)
}

func (p *Pages) showContent(r *http.Request, v contentView, wrong *fault.Fault) (respond.Answer, error) {
	var all []editorial.Page
	err := pg.Ask(r.Context(), p.DB, location.Languages(&v.Languages), editorial.All(&all),
		editorial.VersionsOf(v.ID, v.languageOr(), &v.Versions))
	if err != nil {
		return nil, err
	}
	title := text.T(r.Context(), "New page")
	d := editorial.Draft{InFooter: true}
	if v.ID != 0 {
		i := slices.IndexFunc(all, func(w editorial.Page) bool { return w.ID == v.ID })
		if i < 0 {
			return nil, respond.NotFound()
		}
		v.Kind, v.Slug = all[i].Kind, all[i].Slug
		d.Slug, d.InFooter = all[i].Slug, all[i].InFooter
		if len(v.Versions) > 0 {
			d.Title, d.Body = v.Versions[0].Title, v.Versions[0].Body
		}
		title = contentKind(r.Context(), v.Kind)
		if v.Kind == editorial.Other {
			title = titleOf(r.Context(), all[i])
		}
	} else {
		if !slices.Contains(editorial.Kinds, v.Kind) {
			v.Kind = editorial.Other
		}
		if v.Kind != editorial.Other {
			title = contentKind(r.Context(), v.Kind)
			d.Title, d.Slug = title, v.Kind
		}
	}
	v.Language = v.languageOr()
	v.now = d.Fields()
	a := frame(r, title, "pages")
	if wrong != nil {
		return respond.Wrong(wrong, contentPage(a, v)), nil
	}
	return respond.Page(contentPage(a, v)), nil
}

// languageOr is the language that a page is written in, English where none of the shop's was chosen.
func (v contentView) languageOr() string {
	if !slices.Contains(languageCodes(), v.Language) {
		return text.Source
	}
	return v.Language
}

// languageCodes are those of the languages that texts can be written in.
func languageCodes() (codes []string) {
	for _, l := range setup.Languages {
		codes = append(codes, l.Code)
	}
	return codes
}

// titleOf is a page's title in the reader's language.
func titleOf(ctx context.Context, w editorial.Page) string {
	t, _ := w.In(text.Content(ctx))
	return t.Title
}

// contentLanguages are the languages that a page is written in.
func contentLanguages(ctx context.Context, w editorial.Page) string {
	var names text.List
	for _, language := range slices.Sorted(maps.Keys(w.Texts)) {
		names = append(names, text.Name(language))
	}
	return text.Say(ctx, names)
}

func contentAction(v contentView) templ.SafeURL {
	if v.ID == 0 {
		return "/admin/pages"
	}
	return templ.SafeURL(fmt.Sprintf("/admin/pages/%d", v.ID))
}

var contentFields = []string{"title", "body", "slug", "in_footer"}

// addContent writes a new page. Nothing of it is there yet, so everything that was sent is meant.
func (p *Pages) addContent(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	edit := sentEdit(r, contentFields...)
	edit.Was = nil
	return p.keepContent(r, 0, edit)
}

func (p *Pages) saveContent(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	if id(r, "id") == 0 {
		return nil, respond.NotFound()
	}
	return p.keepContent(r, id(r, "id"), sentEdit(r, contentFields...))
}

func (p *Pages) keepContent(r *http.Request, pageID int64, edit merge.Edit) (respond.Answer, error) {
	v := contentView{ID: pageID, Kind: typed(r.PostFormValue("kind")), Language: typed(r.PostFormValue("language"))}
	var spoken []string
	if err := pg.Ask(r.Context(), p.DB, location.Languages(&spoken)); err != nil {
		return nil, err
	}
	if !slices.Contains(spoken, v.Language) {
		v.Language = text.Source
	}
	saved, err := settings.SavePage(r.Context(), p.DB, at(r), pageID, v.Kind, v.Language, edit)
	if f := fault.As(err); f != nil && f.Kind != fault.NotFound {
		v.refused(r, "page", edit, f)
		return p.showContent(r, v, f)
	}
	if err != nil {
		return nil, err
	}
	return respond.See(fmt.Sprintf("/admin/pages/%d?done=kept&language=%s", saved, url.QueryEscape(v.Language))), nil
}

// contentKind is a kind of page in words.
func contentKind(ctx context.Context, kind string) string {
	switch kind {
	case editorial.Terms:
		return text.T(ctx, "Terms and conditions")
	case editorial.Privacy:
		return text.T(ctx, "Privacy notice")
	case editorial.Imprint:
		return text.T(ctx, "Legal notice")
	case editorial.Returns:
		return text.T(ctx, "Returns")
	case editorial.Delivery:
		return text.T(ctx, "Delivery")
	case editorial.About:
		return text.T(ctx, "About us")
	case editorial.FAQ:
		return text.T(ctx, "Questions and answers")
	case editorial.Accessibility:
		return text.T(ctx, "Accessibility statement")
	}
	return text.T(ctx, "Own page")
}

func fontOptions(ctx context.Context) []ui.Option {
	return []ui.Option{{Value: "sans", Name: text.T(ctx, "Sans serif (Inter)")},
		{Value: "serif", Name: text.T(ctx, "Serif (Source Serif)")}}
}
