package message

import (
	"strings"

	"counterpart/internal/customer"
	"counterpart/internal/text"
)

// Letter is the job of sending a link or code that works once. Its secret is made when it is written.
type Letter struct {
	OneTimeID int64 `json:"one_time_id" river:"unique"`
}

func (Letter) Kind() string { return "letter" }

// Notice is the job of telling a person that something about their account changed, so that they can object if it was not them. It goes to
// every address they have proven, and to one that they have just given up where Former names the one-time row that knows it.
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

// AboutLetter is what letters and notices speak of.
type AboutLetter struct {
	Language, Shop, Name, Link, Code, Base string
	NewAddress                             string // of somebody whose address is about to change
	Former                                 bool   // this goes to the address that was given up
}

// ComposeLetter writes the letter for a purpose.
func ComposeLetter(purpose string, a AboutLetter) (subject, body string) {
	say := func(key string) string {
		return text.M(key, text.Args{"shop": a.Shop, "name": a.Name, "link": a.Link, "code": Grouped(a.Code), "new": a.NewAddress}).In(a.Language)
	}
	var lines []string
	link := func(what string) { lines = append(lines, say(what), "", "    "+a.Link, "") }
	notMe := say("If it was not you, do nothing: without the link nothing happens.")
	switch purpose {
	case customer.ToRegister:
		subject = say("Your account at {shop}")
		link("open this link to begin with your account. It works once, for an hour:")
		lines = append(lines, notMe)
	case customer.ToSignIn:
		subject = say("Sign in to {shop}")
		link("open this link to sign in. It works once, for a quarter of an hour:")
		lines = append(lines, notMe)
	case customer.ToReset:
		subject = say("A new password for {shop}")
		link("open this link to choose a new password. It works once, for an hour:")
		lines = append(lines, notMe)
	case customer.OldEmail:
		subject = say("Your address at {shop} is about to change")
		link("somebody who is signed in as you asked us to write to {new} from now on. If that was you, agree here, and open the link that we sent there too:")
		lines = append(lines, say("If it was not you, do nothing, and change your password."))
	case customer.NewEmail:
		subject = say("Your new address at {shop}")
		link("open this link to have us write to this address from now on. We also ask at the address you had before:")
		lines = append(lines, notMe)
	case customer.ToClaim:
		subject = say("Your profile at {shop}")
		link("we made a profile for you at the counter. Open this link to see your cart, your orders and your card on your phone. It works once, for a week:")
		lines = append(lines, notMe)
	case customer.ForPhone:
		body = say("{code} is your code for {shop}. Nobody of ours asks for it.")
	case customer.ForMerge:
		subject = say("Your code for {shop}")
		body = say("{code} is the code that a colleague at the counter of {shop} asks you for. It makes one profile of two that are yours. If nobody is asking, do nothing.")
	case customer.ForExport:
		subject = say("Your data at {shop}")
		link("what we know about you is put together. The link works for a week:")
	case customer.Known:
		subject = say("About your account at {shop}")
		lines = append(lines, say("somebody asked for something with this address that cannot be: either there is an account already, or there is none. Nothing was changed."), "",
			say("If it was you, sign in here, or have a link mailed to you:"), "", "    "+a.Base+"/sign-in")
	}
	if body != "" {
		return subject, body + "\n"
	}
	return subject, letter(say, a, lines)
}

// ComposeNotice writes a notice.
func ComposeNotice(about string, a AboutLetter) (subject, body string) {
	say := func(key string) string {
		return text.M(key, text.Args{"shop": a.Shop, "name": a.Name}).In(a.Language)
	}
	subject = say("Your account at {shop} was changed")
	if a.Former {
		return subject, letter(say, a, []string{say("we write to another address of yours from now on, as was agreed at both. If it was not you, come to one of our stores, or call: this address opens nothing any more.")})
	}
	lines := []string{say(map[string]string{
		NoticePassword: "your password was changed, and everything that was signed in with the old one is signed out.",
		NoticeEmail:    "the address we write to was changed.",
		NoticePasskey:  "a passkey was added to your account.",
	}[about]), "", say("If it was not you, have a new password mailed to you at once:"), "", "    " + a.Base + "/forgotten"}
	return subject, letter(say, a, lines)
}

func letter(say func(string) string, a AboutLetter, lines []string) string {
	hello := say("Hello,")
	if a.Name != "" {
		hello = say("Hello {name},")
	}
	return strings.Join(append(append([]string{hello, ""}, lines...), "", a.Shop), "\n") + "\n"
}
