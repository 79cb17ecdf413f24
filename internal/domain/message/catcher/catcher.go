// Package catcher is a mail server that delivers nothing: it keeps the last mails so that a developer can read them.
package catcher

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"slices"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
)

// Mail as it was caught.
type Mail struct {
	At      time.Time
	To      string
	Subject string
	Text    string
}

// Catcher listens on a port of this machine.
type Catcher struct {
	Port   int
	server *smtp.Server
	mu     sync.Mutex
	mails  []Mail
}

const keep = 200

// Start listens on any free port of the loopback address.
func Start() (*Catcher, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("catch mail: %w", err)
	}
	c := &Catcher{Port: listener.Addr().(*net.TCPAddr).Port}
	c.server = smtp.NewServer(backend{c})
	c.server.Domain = "localhost"
	c.server.MaxMessageBytes = 1 << 20
	c.server.ReadTimeout, c.server.WriteTimeout = 10*time.Second, 10*time.Second
	go c.server.Serve(listener) // It ends with Close, and has nothing to tell then.
	return c, nil
}

func (c *Catcher) Close() error { return c.server.Close() }

// Mails are the last ones, the newest first.
func (c *Catcher) Mails() []Mail {
	c.mu.Lock()
	defer c.mu.Unlock()
	mails := slices.Clone(c.mails)
	slices.Reverse(mails)
	return mails
}

type backend struct{ c *Catcher }

func (b backend) NewSession(*smtp.Conn) (smtp.Session, error) { return &session{c: b.c}, nil }

type session struct {
	c  *Catcher
	to string
}

func (s *session) Mail(string, *smtp.MailOptions) error { return nil }
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = to
	return nil
}
func (s *session) Reset()        { s.to = "" }
func (s *session) Logout() error { return nil }

func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	message, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return err
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(message.Header.Get("Subject"))
	if err != nil {
		return err
	}
	body := io.Reader(message.Body)
	if message.Header.Get("Content-Transfer-Encoding") == "quoted-printable" {
		body = quotedprintable.NewReader(body)
	}
	text, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	s.c.mails = append(s.c.mails, Mail{time.Now(), s.to, subject, string(text)})
	if len(s.c.mails) > keep {
		s.c.mails = s.c.mails[1:]
	}
	return nil
}
