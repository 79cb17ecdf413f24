// Package dev is for whoever builds the shop: the mails that were caught. It is not there in production.
package dev

import (
	"net/http"

	"counterpart/internal/domain/message/catcher"
	"counterpart/web/access"
	"counterpart/web/respond"
)

// Pages are there only where mails are caught.
type Pages struct{ Mail *catcher.Catcher }

// Routes of the development pages.
func (p *Pages) Routes(r *access.Routes) {
	r.Get("/dev/mail", access.Anyone, p.mail)
}

func (p *Pages) mail(http.ResponseWriter, *http.Request) (respond.Answer, error) {
	return respond.Page(mailPage(p.Mail.Mails())), nil
}
