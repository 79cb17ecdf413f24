package message

import (
	"strings"
	"time"

	"counterpart/internal/domain/customer"
	"counterpart/internal/platform/money"
	"counterpart/internal/platform/text"
)

// AccountMail is the job of sending a link or code that works once. Its secret is made when it is written.
type AccountMail struct {
	OneTimeID int64 `json:"one_time_id" river:"unique"`
}

func (AccountMail) Kind() string { return "letter" }

// Notice is the job of telling a person that something about their account changed, so that they can object if it was
// not them. It goes to every address they have proven, and to one that they have just given up where Former names the
// one-time row that knows it.
type Notice struct {
	Person int64  `json:"person"`
	About  string `json:"about"`
	Former int64  `json:"former,omitempty"`
}

func (Notice) Kind() string { return "notice" }

// What a notice is about.
const (
	NoticePassword = "password"
	NoticeEmail    = "email"
	NoticePasskey  = "passkey"
)

// AboutAccount is what letters and notices speak of.
type AboutAccount struct {
	Language, Shop, Name, Link, Code, Base string
	Product                                string // that they want to hear of
	NewAddress                             string // of somebody whose address is about to change
	Former                                 bool   // this goes to the address that was given up
}

// ComposeAccountMail writes the letter for a purpose.
func ComposeAccountMail(purpose string, a AboutAccount) (subject, body string) {
	say := func(key string) string {
		return text.M(key, text.Args{"shop": a.Shop, "name": a.Name, "link": a.Link, "code": Grouped(a.Code),
			"new": a.NewAddress, "product": a.Product}).In(a.Language)
	}
	var lines []string
	link := func(what string) { lines = append(lines, say(what), "", "    "+a.Link, "") }
	notMe := say("If this wasn’t you, you can ignore this email: nothing happens without the link.")
	switch purpose {
	case customer.ToRegister:
		subject = say("Your account at {shop}")
		link("Open this link to create your account. It works once and expires in an hour:")
		lines = append(lines, notMe)
	case customer.ToSignIn:
		subject = say("Sign in to {shop}")
		link("Open this link to sign in. It works once and expires in 15 minutes:")
		lines = append(lines, notMe)
	case customer.ToReset:
		subject = say("Reset your {shop} password")
		link("Open this link to choose a new password. It works once and expires in an hour:")
		lines = append(lines, notMe)
	case customer.OldEmail:
		subject = say("Confirm the change of your email address at {shop}")
		link("Someone signed in to your account asked us to change your email address to {new}. If that was you, confirm it here, then open the link we sent to the new address too:")
		lines = append(lines, say("If this wasn’t you, don’t open the link, and change your password."))
	case customer.NewEmail:
		subject = say("Confirm your new email address at {shop}")
		link("Open this link to confirm this as your new email address. We’ve also asked you to confirm at your old one:")
		lines = append(lines, notMe)
	case customer.ToClaim:
		subject = say("Your profile at {shop}")
		link("We’ve created a profile for you in store. Open this link to see your cart, your orders and your card on your phone. It works once and expires in a week:")
		lines = append(lines, notMe)
	case customer.ForPhone:
		body = say("{code} is your {shop} code. Our staff will never ask you for it.")
	case customer.ForMerge:
		subject = say("Your code for {shop}")
		body = say("{code} is the code our staff at the {shop} counter are asking you for. It merges two profiles of yours into one. If nobody is asking, ignore this message.")
	case customer.ForExport:
		subject = say("Your data at {shop}")
		link("The copy of your data is ready. This link works for a week:")
	case customer.ToWatch:
		subject = say("Confirm your email address for {shop}")
		link("You asked us to let you know about {product}. Open this link to confirm that this address is yours. It works for a week:")
		lines = append(lines, notMe)
	case customer.Known:
		subject = say("About your account at {shop}")
		lines = append(lines,
			say("Someone used this address for a request we can’t carry out: either there’s already an account, or there’s none. Nothing has changed."), "",
			say("If that was you, sign in here or ask for an email link:"), "", "    "+a.Base+"/sign-in")
	}
	if body != "" {
		return subject, body + "\n"
	}
	return subject, letter(say, a, lines)
}

// ComposeNotice writes a notice.
func ComposeNotice(about string, a AboutAccount) (subject, body string) {
	say := func(key string) string {
		return text.M(key, text.Args{"shop": a.Shop, "name": a.Name}).In(a.Language)
	}
	subject = say("Your account at {shop} was changed")
	if a.Former {
		return subject, letter(say, a,
			[]string{say("Your email address has been changed, as confirmed at both addresses. If this wasn’t you, visit or call one of our stores: you can no longer sign in with this address.")})
	}
	lines := []string{say(map[string]string{
		NoticePassword: "Your password was changed, and all other devices have been signed out.",
		NoticeEmail:    "Your email address was changed.",
		NoticePasskey:  "A passkey was added to your account.",
	}[about]), "", say("If this wasn’t you, reset your password straight away:"), "", "    " + a.Base + "/forgotten"}
	return subject, letter(say, a, lines)
}

// AboutPoints is what a warning of points speaks of.
type AboutPoints struct {
	AboutAccount
	Ending    int // points
	EndsOn    time.Time
	Worth     money.Money // of those
	GraceDays int
	Last      bool
}

// ComposePointsWarning writes it.
func ComposePointsWarning(a AboutPoints) (subject, body string) {
	args := text.Args{"shop": a.Shop, "name": a.Name, "day": text.Date(a.EndsOn), "worth": a.Worth}
	say := func(key string) string { return text.M(key, args).In(a.Language) }
	subject = text.P(a.Ending, "{n} point at {shop} expires on {day}", "{n} points at {shop} expire on {day}", args).In(a.Language)
	if a.Last {
		subject = text.P(a.Ending, "Last chance: {n} point at {shop} expires on {day}",
			"Last chance: {n} points at {shop} expire on {day}", args).In(a.Language)
	}
	lines := []string{text.P(a.Ending, "You can spend {n} point, worth {worth}, up to and including {day}, online or in any of our stores.",
		"You can spend {n} points, worth {worth}, up to and including {day}, online or in any of our stores.", args).In(a.Language)}
	if a.GraceDays > 0 {
		lines = append(lines, "", text.P(a.GraceDays, "If you miss that day, a visit within {n} day afterwards brings them back.",
			"If you miss that day, a visit within {n} days afterwards brings them back.", args).In(a.Language))
	}
	lines = append(lines, "", say("Your points:"), "", "    "+a.Base+"/account")
	return subject, letter(say, a.AboutAccount, lines)
}

// ComposeTierWarning writes until when somebody keeps a tier.
func ComposeTierWarning(a AboutAccount, tier string, kept, ends time.Time) (subject, body string) {
	args := text.Args{"shop": a.Shop, "name": a.Name, "tier": tier, "day": text.Date(kept), "ends": text.Date(ends)}
	say := func(key string) string { return text.M(key, args).In(a.Language) }
	return say("You’re {tier} at {shop} until {day}"), letter(say, a, []string{
		say("You keep {tier} until {day}, and a month longer as a courtesy, until {ends}. What you buy until then can keep it for another year."), "",
		say("How far it is:"), "", "    " + a.Base + "/account/points"})
}

func letter(say func(string) string, a AboutAccount, lines []string) string {
	hello := say("Hello,")
	if a.Name != "" {
		hello = say("Hello {name},")
	}
	return strings.Join(append(append([]string{hello, ""}, lines...), "", a.Shop), "\n") + "\n"
}
