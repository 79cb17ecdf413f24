// Package passkey asks authenticators to prove who somebody is, by WebAuthn.
package passkey

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"counterpart/internal/platform/fault"
)

// Site is the address that passkeys are made for. A nil one makes none.
type Site struct{ web *webauthn.WebAuthn }

// New makes passkeys for a shop's address. Nil where browsers allow none: an address that is a bare number.
func New(baseURL, shop string) (*Site, error) {
	u, err := url.Parse(baseURL)
	if err != nil {
		return nil, fmt.Errorf("read the shop's address: %w", err)
	}
	if u.Hostname() == "" || net.ParseIP(u.Hostname()) != nil {
		return nil, nil
	}
	web, err := webauthn.New(&webauthn.Config{RPID: u.Hostname(), RPDisplayName: shop,
		RPOrigins: []string{u.Scheme + "://" + u.Host}})
	if err != nil {
		return nil, fmt.Errorf("set up passkeys: %w", err)
	}
	return &Site{web}, nil
}

// Owner is whose passkeys they are: a handle that says nothing about them, a name for the authenticator's list, and
// what is known already.
type Owner struct {
	Handle []byte
	Name   string
	Known  [][]byte // credentials, as they were kept
}

func (o Owner) WebAuthnID() []byte          { return o.Handle }
func (o Owner) WebAuthnName() string        { return o.Name }
func (o Owner) WebAuthnDisplayName() string { return o.Name }
func (o Owner) WebAuthnCredentials() (all []webauthn.Credential) {
	for _, kept := range o.Known {
		var c webauthn.Credential
		if json.Unmarshal(kept, &c) == nil {
			all = append(all, c)
		}
	}
	return all
}

var errAnswer = fault.New(fault.Invalid, "The passkey was not accepted. Try again, or sign in another way.")

// Enrol is what a browser needs to make a passkey, and what we keep until it answers. With strict, the authenticator
// checks who holds it.
func (s *Site) Enrol(o Owner, strict bool) (options, kept json.RawMessage, err error) {
	known := make([]protocol.CredentialDescriptor, 0, len(o.Known))
	for _, c := range o.WebAuthnCredentials() {
		known = append(known, c.Descriptor())
	}
	creation, session, err := s.web.BeginRegistration(o, webauthn.WithExclusions(known),
		webauthn.WithAuthenticatorSelection(protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementRequired, UserVerification: verification(strict)}))
	if err != nil {
		return nil, nil, fmt.Errorf("begin a passkey: %w", err)
	}
	return both(creation, session)
}

// Enrolled reads the browser's answer: the credential's id and what is to be kept of it.
func (s *Site) Enrolled(o Owner, kept json.RawMessage, answer string) (id, credential []byte, err error) {
	var session webauthn.SessionData
	if err := json.Unmarshal(kept, &session); err != nil {
		return nil, nil, fmt.Errorf("read a challenge: %w", err)
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes([]byte(answer))
	if err != nil {
		return nil, nil, errAnswer
	}
	made, err := s.web.CreateCredential(o, session, parsed)
	if err != nil {
		return nil, nil, errAnswer
	}
	// A transport is whatever word the browser uses; those that nobody knows are of no use, and may hold what no column
	// takes.
	made.Transport = slices.DeleteFunc(made.Transport, func(t protocol.AuthenticatorTransport) bool {
		return !slices.Contains([]protocol.AuthenticatorTransport{protocol.USB, protocol.NFC, protocol.BLE,
			protocol.Hybrid, protocol.Internal, protocol.SmartCard}, t)
	})
	credential, err = json.Marshal(made)
	return made.ID, credential, err
}

// Ask is what a browser needs to prove a passkey: one of the owner's, or with nobody given any that was made for this
// address.
func (s *Site) Ask(o *Owner, strict bool) (options, kept json.RawMessage, err error) {
	var assertion *protocol.CredentialAssertion
	var session *webauthn.SessionData
	if o == nil {
		assertion, session, err = s.web.BeginDiscoverableLogin(webauthn.WithUserVerification(verification(strict)))
	} else {
		assertion, session, err = s.web.BeginLogin(*o, webauthn.WithUserVerification(verification(strict)))
	}
	if err != nil {
		return nil, nil, fmt.Errorf("ask for a passkey: %w", err)
	}
	return both(assertion, session)
}

// Proven checks the browser's answer with the owner whom find knows by the credential's id, and gives the credential as
// it is to be kept from now on: with its counter. One whose counter went backwards was copied, and is refused.
func (s *Site) Proven(kept json.RawMessage, answer string, find func(id []byte) (*Owner, error)) (id, credential []byte,
	err error) {
	var session webauthn.SessionData
	if err := json.Unmarshal(kept, &session); err != nil {
		return nil, nil, fmt.Errorf("read a challenge: %w", err)
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes([]byte(answer))
	if err != nil {
		return nil, nil, errAnswer
	}
	owner, err := find(parsed.RawID)
	if err != nil {
		return nil, nil, err
	}
	if owner == nil {
		return nil, nil, errAnswer
	}
	var used *webauthn.Credential
	if len(session.UserID) == 0 {
		used, err = s.web.ValidateDiscoverableLogin(func(_, handle []byte) (webauthn.User, error) {
			if !bytes.Equal(handle, owner.Handle) {
				return nil, errors.New("another handle")
			}
			return *owner, nil
		}, session, parsed)
	} else {
		used, err = s.web.ValidateLogin(*owner, session, parsed)
	}
	if err != nil || used.Authenticator.CloneWarning {
		return nil, nil, errAnswer
	}
	credential, err = json.Marshal(used)
	return used.ID, credential, err
}

func verification(strict bool) protocol.UserVerificationRequirement {
	if strict {
		return protocol.VerificationRequired
	}
	return protocol.VerificationPreferred
}

func both(options, session any) (json.RawMessage, json.RawMessage, error) {
	first, err := json.Marshal(options)
	if err != nil {
		return nil, nil, err
	}
	second, err := json.Marshal(session)
	return first, second, err
}
