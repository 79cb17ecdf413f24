package staff

import (
	"crypto/subtle"
	"net/http"
	"strings"

	"counterpart/internal/domain/location"
	"counterpart/internal/flow/setup"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/text"
	"counterpart/web/respond"
)

type setupView struct {
	setup.Request
	Fields map[string]text.Message
}

// allowed says whether this is the link that was printed at the start of a shop that is not set up.
func (p *Pages) allowed(r *http.Request) error {
	shop, err := location.ShopOf(r.Context(), p.DB)
	if err != nil {
		return err
	}
	if shop != nil || p.SetupToken == "" || subtle.ConstantTimeCompare([]byte(r.FormValue("token")),
		[]byte(p.SetupToken)) != 1 {
		return respond.NotFound()
	}
	return nil
}

func (p *Pages) setupPage(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	if err := p.allowed(r); err != nil {
		return nil, err
	}
	return respond.Page(setupPage(p.SetupToken, setupView{Request: setup.Request{Country: "GB",
		Languages: []string{"en"}}})), nil
}

func (p *Pages) setup(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	if err := p.allowed(r); err != nil {
		return nil, err
	}
	request := setup.Request{
		Shop: r.PostFormValue("shop"), Languages: r.PostForm["language"], Store: r.PostFormValue("store"),
		Street: r.PostFormValue("street"), Town: r.PostFormValue("town"),
		Postcode: r.PostFormValue("postcode"), Country: r.PostFormValue("country"),
		Rate:      strings.TrimSpace(r.PostFormValue("rate")),
		LegalName: r.PostFormValue("legal_name"), Address: r.PostFormValue("seller_address"),
		Company: r.PostFormValue("company_number"), VAT: r.PostFormValue("vat_number"),
		Name: r.PostFormValue("name"), Email: r.PostFormValue("email"), Password: r.PostFormValue("password"),
	}
	err := setup.OpenShop(r.Context(), p.DB, request)
	if f := fault.As(err); f != nil {
		return respond.Wrong(f, setupPage(p.SetupToken, setupView{request, f.Fields})), nil
	}
	if err != nil {
		return nil, err
	}
	return respond.See("/staff/sign-in?next=/admin"), nil
}
