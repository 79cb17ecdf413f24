package admin

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"counterpart/internal/domain/gallery"
	"counterpart/internal/domain/location"
	"counterpart/internal/flow/settings"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/merge"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/text"
	"counterpart/web/respond"
)

// lookView is what the shop is called and how it looks.
type lookView struct {
	Look    editing
	Details editing
	Logo    string
	Wrong   string // with a logo
}

func (p *Pages) look(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return p.showLook(r, lookView{}, nil)
}

func (p *Pages) showLook(r *http.Request, v lookView, wrong *fault.Fault) (respond.Answer, error) {
	var theme location.Theme
	var details *location.Details
	err := pg.Ask(r.Context(), p.DB, location.ThemeOf(&theme), location.DetailsOf(&details))
	if err != nil {
		return nil, err
	}
	if details == nil {
		return nil, respond.NotFound()
	}
	v.Look.now, v.Details.now, v.Logo = theme.Fields(), details.Fields(), theme.Logo
	a := frame(r, text.T(r.Context(), "Name and look"), "look")
	if wrong != nil {
		return respond.Wrong(wrong, lookPage(a, v)), nil
	}
	return respond.Page(lookPage(a, v)), nil
}

var lookFields = []string{"accent", "ground", "ink", "text_font", "display_font", "header_links", "footer_links"}

func (p *Pages) saveLook(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	edit := sentEdit(r, lookFields...)
	var v lookView
	return p.afterLook(r, &v, &v.Look, "look", edit, settings.SetTheme(r.Context(), p.DB, at(r), edit))
}

var detailFields = []string{"shop_name", "languages", "sender_name", "reply_to", "idle_minutes", "write_off_limit",
	"second_factor"}

func (p *Pages) saveDetails(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	edit := sentEdit(r, detailFields...)
	var v lookView
	return p.afterLook(r, &v, &v.Details, "details", edit,
		settings.SetDetails(r.Context(), p.DB, at(r), languageCodes(), edit))
}

func (p *Pages) afterLook(r *http.Request, v *lookView, form *editing, name string, edit merge.Edit, err error) (
	respond.Answer, error) {
	if f := fault.As(err); f != nil {
		form.refused(r, name, edit, f)
		return p.showLook(r, *v, f)
	}
	if err != nil {
		return nil, err
	}
	return respond.See("/admin/look?done=kept"), nil
}

// setLogo takes the picture that stands for the shop's name.
func (p *Pages) setLogo(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	err := p.takeLogo(r)
	if f := fault.As(err); f != nil {
		return p.showLook(r, lookView{Wrong: text.Say(r.Context(), f.Message)}, f)
	}
	if err != nil {
		return nil, err
	}
	return respond.See("/admin/look?done=kept"), nil
}

func (p *Pages) takeLogo(r *http.Request) error {
	sent, _, err := uploads(r, gallery.MaxBytes, 1)
	if err != nil {
		return err
	}
	if len(sent) == 0 {
		return fault.New(fault.Invalid, "Choose a file first.")
	}
	key, err := gallery.AcceptLogo(r.Context(), p.Files, sent[0].Name, sent[0].Content)
	if err != nil {
		return err
	}
	return settings.SetLogo(r.Context(), p.DB, at(r), key)
}

func (p *Pages) removeLogo(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	if err := settings.SetLogo(r.Context(), p.DB, at(r), ""); err != nil {
		return nil, err
	}
	return respond.See("/admin/look?done=kept"), nil
}

// swatch is the colour that a field has, as far as it is one.
func (v lookView) swatch(name string) string {
	return cmp.Or(location.Colour(v.Look.Value(name)), location.DefaultColours[name])
}

// speaks says whether the shop's texts are written in a language.
func (v lookView) speaks(code string) bool {
	return slices.Contains(strings.Split(v.Details.Value("languages"), ","), code)
}
