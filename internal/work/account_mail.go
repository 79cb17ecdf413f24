package work

import (
	"context"
	"encoding/json"
	"fmt"

	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/location"
	"counterpart/internal/domain/message"
	"counterpart/internal/domain/outreach"
	"counterpart/internal/platform/secret"
	"counterpart/internal/platform/text"
)

// paths of the links in letters.
var paths = map[string]string{
	customer.ToRegister: "/begin/", customer.ToSignIn: "/sign-in/", customer.ToReset: "/reset/",
	customer.OldEmail: "/email/old/", customer.NewEmail: "/email/new/",
	customer.ToClaim: "/welcome/", customer.ForExport: "/export/", customer.ToWatch: "/notices/",
}

// accountMail makes the secret of a link or code and sends it. Should the job run again after the mail went out, the second
// mail has a new secret and the first is dead.
func accountMail(ctx context.Context, t Tools, args message.AccountMail) error {
	o, err := customer.ReadOneTime(ctx, t.DB, args.OneTimeID)
	if err != nil || o == nil {
		return err
	}
	about, err := aboutPerson(ctx, t, o.CustomerID)
	if err != nil {
		return err
	}
	if o.Purpose == customer.ToWatch {
		about.Name = "" // see notices: whoever typed the address may call themselves anything
		if about.Product, err = outreach.About(ctx, t.DB, o.Payload, about.Language); err != nil {
			return err
		}
	}
	m := message.Mail{ID: fmt.Sprintf("letter-%d-%s@counterpart", o.ID, secret.NewCode()), Purpose: message.OfSecurity,
		To: o.Target, Person: o.CustomerID}
	if o.Purpose == customer.ForExport {
		m.Purpose = message.OfLaw
	}
	if o.Purpose == customer.OldEmail {
		var p pair
		if err := json.Unmarshal(o.Payload, &p); err != nil {
			return err
		}
		about.NewAddress = p.New
	}
	switch path, linked := paths[o.Purpose]; {
	case linked:
		token := secret.NewToken()
		about.Link = t.BaseURL + path + token
		err = customer.Issue(ctx, t.DB, o.ID, token)
	case o.Purpose != customer.Known:
		about.Code = secret.NewCode()
		err = customer.Issue(ctx, t.DB, o.ID, customer.Code(o.ID, about.Code))
		if o.Target != "" && o.Target[0] == '+' {
			m.Medium = customer.BySMS
		}
	}
	if err != nil {
		return err
	}
	m.Subject, m.Text = message.ComposeAccountMail(o.Purpose, about)
	return t.Sender.Send(ctx, t.DB, m)
}

// notice tells a person at every address they have proven, and at the one they gave up.
func notice(ctx context.Context, t Tools, args message.Notice) error {
	about, err := aboutPerson(ctx, t, args.Person)
	if err != nil {
		return err
	}
	_, _, addresses, err := customer.Contacts(ctx, t.DB, args.Person, customer.Email)
	if err != nil {
		return err
	}
	if args.Former != 0 {
		var former string
		if former, err = formerEmail(ctx, t, args.Former); err != nil {
			return err
		}
		if former != "" {
			gone := about
			gone.Former = true
			subject, body := message.ComposeNotice(args.About, gone)
			m := message.Mail{ID: fmt.Sprintf("notice-%d-%s@counterpart", args.Person, secret.NewCode()),
				Purpose: message.OfSecurity, To: former, Person: args.Person, Subject: subject, Text: body}
			if err := t.Sender.Send(ctx, t.DB, m); err != nil {
				return err
			}
		}
	}
	subject, body := message.ComposeNotice(args.About, about)
	for _, to := range addresses {
		m := message.Mail{ID: fmt.Sprintf("notice-%d-%s@counterpart", args.Person, secret.NewCode()),
			Purpose: message.OfSecurity, To: to, Person: args.Person, Subject: subject, Text: body}
		if err := t.Sender.Send(ctx, t.DB, m); err != nil {
			return err
		}
	}
	return nil
}

// pair is a change of address, as it was asked for.
type pair struct {
	Old string `json:"old"`
	New string `json:"new"`
}

func formerEmail(ctx context.Context, t Tools, oneTimeID int64) (string, error) {
	payload, err := customer.PayloadOf(ctx, t.DB, oneTimeID)
	if err != nil || payload == nil {
		return "", err
	}
	var p pair
	return p.Old, json.Unmarshal(payload, &p)
}

func aboutPerson(ctx context.Context, t Tools, customerID int64) (a message.AboutAccount, err error) {
	shop, err := location.ShopOf(ctx, t.DB)
	if err != nil {
		return a, err
	}
	a = message.AboutAccount{Language: text.Source, Shop: shop.Name, Base: t.BaseURL}
	if customerID == 0 {
		return a, nil
	}
	name, language, _, err := customer.Contacts(ctx, t.DB, customerID, customer.Email)
	if language != "" {
		a.Name, a.Language = name, language
	}
	return a, err
}
