package sandbox

import (
	"html/template"
	"net/http"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/jackc/pgx/v5"

	"counterpart/internal/platform/money"
)

// Cards that can be tried, and what comes of them. Any other number is refused.
var cards = []struct{ Number, Says, Reason string }{
	{"4242 4242 4242 4242", "is accepted", ""},
	{"4000 0000 0000 3220", "asks for 3-D Secure", "secure"},
	{"4000 0000 0000 0002", "is declined", "The card was declined."},
	{"4000 0000 0000 9995", "has insufficient funds", "There aren’t enough funds on the card."},
	{"4000 0000 0000 0069", "is expired", "The card has expired."},
	{"4000 0000 0000 9987", "was reported lost", "The card was declined."},
}

type pageView struct {
	ID, Label, Back, State, Wrong, Amount string
	Later                                 bool
	Cards                                 any
}

func (s *Server) read(r *http.Request) (v pageView, err error) {
	v.ID, v.Cards = chi.URLParam(r, "id"), cards
	rows, _ := s.DB.Query(r.Context(), `
		SELECT label, back, state, amount, currency, method, expires_at < now() AS over
		FROM sandbox.payment
		WHERE id = $1`, v.ID)
	row, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[struct {
		Label, Back, State, Currency, Method string
		Amount                               int64
		Over                                 bool
	}])
	v.Label, v.Back, v.State = row.Label, row.Back, row.State
	v.Amount, v.Later = money.New(row.Amount, row.Currency).String(), row.Method == "pay_later"
	if row.Over && (v.State == "open" || v.State == "secure") {
		v.State = "void"
	}
	return v, err
}

func (s *Server) page(w http.ResponseWriter, r *http.Request) {
	v, err := s.read(r)
	if err != nil {
		http.Error(w, "We can’t find that payment.", http.StatusNotFound)
		return
	}
	show(w, http.StatusOK, v)
}

func show(w http.ResponseWriter, status int, v pageView) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_ = hosted.Execute(w, v)
}

// pay takes the card's number. What follows depends on it alone, so that a test can choose.
func (s *Server) pay(w http.ResponseWriter, r *http.Request) {
	v, err := s.read(r)
	if err != nil || v.State != "open" {
		s.page(w, r)
		return
	}
	reason := "unknown"
	if v.Later {
		if reason = ""; r.PostFormValue("answer") != "yes" {
			reason = "Pay later was declined."
		}
	} else {
		typed := strings.ReplaceAll(strings.TrimSpace(r.PostFormValue("number")), " ", "")
		for _, c := range cards {
			if strings.ReplaceAll(c.Number, " ", "") == typed {
				reason = c.Reason
			}
		}
	}
	switch reason {
	case "unknown":
		v.Wrong = "Use one of the card numbers below."
		show(w, http.StatusUnprocessableEntity, v)
	case "secure":
		if _, err := s.DB.Exec(r.Context(),
			`UPDATE sandbox.payment SET state = 'secure' WHERE id = $1 AND state = 'open'`, v.ID); err != nil {
			http.Error(w, "Something went wrong.", http.StatusInternalServerError)
			return
		}
		http.Redirect(w, r, "/pay/"+v.ID, http.StatusSeeOther)
	default:
		s.finish(w, r, v, reason)
	}
}

// secure is the bank's question, and the shopper's answer.
func (s *Server) secure(w http.ResponseWriter, r *http.Request) {
	v, err := s.read(r)
	if err != nil || v.State != "secure" {
		s.page(w, r)
		return
	}
	reason := ""
	if r.PostFormValue("answer") != "yes" {
		reason = "Your bank didn’t approve the payment."
	}
	s.finish(w, r, v, reason)
}

func (s *Server) finish(w http.ResponseWriter, r *http.Request, v pageView, reason string) {
	hold := s.Hold
	if hold == 0 {
		hold = 7 * 24 * time.Hour
	}
	err := pgx.BeginFunc(r.Context(), s.DB, func(tx pgx.Tx) error {
		var amount int64
		if err := tx.QueryRow(r.Context(), `SELECT amount FROM sandbox.payment WHERE id = $1 FOR UPDATE`,
			v.ID).Scan(&amount); err != nil {
			return err
		}
		kind, update := "authorise", `state = 'authorised', lapses_at = $2, reason = $3 WHERE id = $1 AND state IN ('open', 'secure') AND expires_at > now()`
		if reason != "" {
			kind, update = "decline", `state = 'declined', lapses_at = $2, reason = $3 WHERE id = $1 AND state IN ('open', 'secure')`
		}
		_, err := s.move(r.Context(), tx, entry{v.ID, kind, amount}, update, time.Now().Add(hold), reason)
		return err
	})
	if err != nil {
		http.Error(w, "Something went wrong.", http.StatusInternalServerError)
		return
	}
	http.Redirect(w, r, v.Back, http.StatusSeeOther)
}

var hosted = template.Must(template.New("page").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Pay {{.Amount}} · Sandbox</title>
<style>
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; --ink: light-dark(#201d18, #eceae6); --line: light-dark(#dbd7d0, #46423c); --paper: light-dark(#f3f1ec, #191715); --card: light-dark(#fff, #23201d) }
body { margin: 0; background: var(--paper); color: var(--ink) }
main { max-width: 26rem; margin: 8vh auto; padding: 2rem; background: var(--card); border-radius: 12px; box-shadow: 0 1px 2px #0002, 0 8px 32px #0001 }
p.test { margin: -2rem -2rem 1.5rem; padding: .5rem 2rem; border-radius: 12px 12px 0 0; background: light-dark(#6b4d00, #4b3a0c); color: #fff; font-size: .875rem }
h1 { font-size: 1.75rem; margin: 0 0 .25rem } .muted { color: light-dark(#66615a, #a9a39b) }
label { display: block; font-weight: 600; margin: 1.25rem 0 .25rem } input { box-sizing: border-box; width: 100%; padding: .75rem; font: inherit; border: 1px solid var(--line); border-radius: 6px; background: none; color: inherit }
button { width: 100%; margin-top: 1rem; padding: .875rem; font: inherit; font-weight: 600; border: 0; border-radius: 6px; background: light-dark(#1f5f43, #7cc7a1); color: light-dark(#fff, #10241a) } button.quiet { background: none; color: inherit; border: 1px solid var(--line) }
dl { margin: 1.5rem 0 0; font-size: .875rem } dt { font-variant-numeric: tabular-nums; float: left; clear: left; margin-right: .75rem } dd { margin: 0 } .wrong { color: light-dark(#a3271c, #f0998f) }
</style></head><body><main>
<p class="test">Sandbox: no real money moves here.</p>
<h1>{{.Amount}}</h1><p class="muted">{{.Label}}</p>
{{if eq .State "open"}}
  {{if .Later}}
  <form method="post"><p>Pay in 30 days. Do you accept the terms a real provider would show here?</p><button name="answer" value="yes">Agree and pay later</button><button class="quiet" name="answer" value="no">Decline</button></form>
  {{else}}
  <form method="post"><label for="number">Card number</label><input id="number" name="number" inputmode="numeric" autocomplete="off" required autofocus>{{with .Wrong}}<p class="wrong">{{.}}</p>{{end}}<button>Pay {{.Amount}}</button></form>
  <dl>{{range .Cards}}<dt>{{.Number}}</dt><dd>{{.Says}}</dd>{{end}}</dl>
  {{end}}
{{else if eq .State "secure"}}
  <form method="post" action="/pay/{{.ID}}/secure"><h2>Your bank needs to check it’s you</h2><p>Approve {{.Amount}}?</p><button name="answer" value="yes">Approve</button><button class="quiet" name="answer" value="no">Decline</button></form>
{{else}}
  <p>This payment is no longer open.</p>
{{end}}
<p><a class="muted" href="{{.Back}}">Back to the shop</a></p>
</main></body></html>`))
