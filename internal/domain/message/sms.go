package message

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// SMSProvider is a provider that sends text messages over HTTP, in one of two forms.
//
// The form "json" posts {"id", "from", "to", "text"} to URL with the secret as a bearer token; the id comes again when
// a message is tried again, in the Idempotency-Key too. The form "twilio" is Twilio's Messages resource: User is the
// account's SID, Secret its token, and From a number or the SID of a messaging service. It knows no id, so a message
// whose answer was lost may come twice.
type SMSProvider struct {
	Form         string
	URL          string
	User, Secret string
	From         string // a number in E.164, or a name where the country allows one
}

// twilio is where its API is, when no other address is set.
const twilio = "https://api.twilio.com"

var textsClient = &http.Client{Timeout: 10 * time.Second}

// Check says what is missing before the first message has to be sent.
func (t SMSProvider) Check() error {
	_, err := t.request(context.Background(), Mail{To: "+10000000000"})
	return err
}

// Send gives a message to the provider. An error says what the provider answered and never names the number.
func (t SMSProvider) Send(ctx context.Context, m Mail) error {
	request, err := t.request(ctx, m)
	if err != nil {
		return err
	}
	answer, err := textsClient.Do(request)
	if err != nil {
		return fmt.Errorf("reach the provider of text messages: %s", hide(err.Error(), m.To))
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, 2000))
	if err != nil {
		return fmt.Errorf("read what the provider of text messages answers: %w", err)
	}
	if answer.StatusCode/100 != 2 {
		return fmt.Errorf("the provider of text messages answered %d: %s", answer.StatusCode, hide(string(body), m.To))
	}
	return nil
}

func (t SMSProvider) request(ctx context.Context, m Mail) (*http.Request, error) {
	if t.From == "" || t.Secret == "" {
		return nil, fmt.Errorf("text messages by %s need a sender and a secret", t.Form)
	}
	switch t.Form {
	case "json":
		body, err := json.Marshal(map[string]string{"id": m.ID, "from": t.From, "to": m.To, "text": m.Text})
		if err != nil {
			return nil, err
		}
		return posting(ctx, t.URL, bytes.NewReader(body), http.Header{"Content-Type": {"application/json"},
			"Authorization": {"Bearer " + t.Secret}, "Idempotency-Key": {m.ID}})
	case "twilio":
		if t.User == "" {
			return nil, fmt.Errorf("text messages by twilio need the account's SID")
		}
		form := url.Values{"To": {m.To}, "Body": {m.Text}}
		if strings.HasPrefix(t.From, "MG") {
			form.Set("MessagingServiceSid", t.From)
		} else {
			form.Set("From", t.From)
		}
		address := strings.TrimSuffix(cmp.Or(t.URL, twilio), "/") + "/2010-04-01/Accounts/" + url.PathEscape(t.User) +
			"/Messages.json"
		request, err := posting(ctx, address, strings.NewReader(form.Encode()),
			http.Header{"Content-Type": {"application/x-www-form-urlencoded"}})
		if err == nil {
			request.SetBasicAuth(t.User, t.Secret)
		}
		return request, err
	}
	return nil, fmt.Errorf("text messages are sent by json or twilio, not %q", t.Form)
}

func posting(ctx context.Context, address string, body io.Reader, header http.Header) (*http.Request, error) {
	if to, err := url.Parse(address); err != nil || to.Host == "" {
		return nil, fmt.Errorf("the provider of text messages has no address")
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, body)
	if err != nil {
		return nil, fmt.Errorf("the provider of text messages has a strange address")
	}
	request.Header = header
	return request, nil
}

// hide takes a number out of what is logged and kept, however it is written there.
func hide(words, number string) string {
	plain := strings.TrimPrefix(number, "+")
	return strings.NewReplacer(number, "the recipient", url.QueryEscape(number), "the recipient", plain,
		"the recipient").Replace(words)
}
