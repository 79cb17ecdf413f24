package admin

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"counterpart/internal/domain/outreach"
	"counterpart/internal/flow/settings"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/text"
	"counterpart/internal/query/admin"
	"counterpart/web/respond"
)

// messagesView is when people are written to, as it is or as it was typed, and what was written lately.
type messagesView struct {
	respond.Mistakes
	Rows        []admin.MessageRow
	Counts      []admin.MessageCount
	Waiting     int
	From, Until string
	Most, Days  string
}

func (p *Pages) messages(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	rule, err := outreach.RuleOf(r.Context(), p.DB)
	if err != nil {
		return nil, err
	}
	return p.showMessages(r, messagesView{From: clock(rule.QuietFrom), Until: clock(rule.QuietUntil), Most: strconv.Itoa(rule.Most),
		Days: strconv.Itoa(rule.Days)}, nil)
}

func (p *Pages) showMessages(r *http.Request, v messagesView, wrong *fault.Fault) (answer respond.Answer, err error) {
	if v.Rows, v.Counts, v.Waiting, err = admin.Messages(r.Context(), p.DB); err != nil {
		return nil, err
	}
	a := frame(r, text.T(r.Context(), "Messages"), "messages")
	if wrong != nil {
		v.Take(r, wrong)
		return respond.Wrong(wrong, messagesPage(a, v)), nil
	}
	return respond.Page(messagesPage(a, v)), nil
}

func (p *Pages) setMessages(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	v := messagesView{From: typed(r.PostFormValue("quiet_from")), Until: typed(r.PostFormValue("quiet_until")),
		Most: typed(r.PostFormValue("most")), Days: typed(r.PostFormValue("days"))}
	var form fault.Form
	at0 := func(field, value string) int {
		t, err := time.Parse("15:04", value)
		if err != nil {
			form.Add(field, "Enter a time, such as 20:00.")
		}
		return t.Hour()*60 + t.Minute()
	}
	rule := outreach.Rule{QuietFrom: at0("quiet_from", v.From), QuietUntil: at0("quiet_until", v.Until)}
	rule.Most, _ = strconv.Atoi(v.Most) // 0 is refused with a sentence.
	rule.Days, _ = strconv.Atoi(v.Days)
	err := form.Err()
	if err == nil {
		err = settings.SetOutreach(r.Context(), p.DB, at(r), rule)
	}
	if f := fault.As(err); f != nil {
		return p.showMessages(r, v, f)
	}
	if err != nil {
		return nil, err
	}
	return respond.See("/admin/messages?done=kept"), nil
}

// clock is a minute of the day as a field of time has it.
func clock(minute int) string { return fmt.Sprintf("%02d:%02d", minute/60, minute%60) }
