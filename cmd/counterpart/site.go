package main

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync/atomic"

	"github.com/jackc/pgx/v5/pgxpool"

	"counterpart/internal/domain/browsing"
	"counterpart/internal/domain/location"
	"counterpart/internal/domain/message"
	"counterpart/internal/domain/message/catcher"
	"counterpart/internal/platform/files"
	"counterpart/internal/platform/live"
	"counterpart/internal/platform/passkey"
	"counterpart/internal/platform/secret"
	"counterpart/web"
	"counterpart/web/staff"
)

// post is the way mail leaves: the server that is set, or a catcher that keeps it.
func post(c config) (message.Sender, *catcher.Catcher, error) {
	sender := message.Sender{Host: c.SMTPHost, Port: c.SMTPPort, User: c.SMTPUser, Pass: c.SMTPPass, From: c.MailFrom,
		TextGateway: c.Texts}
	if c.SMS != "" {
		sender.SMS = &message.SMSProvider{Form: c.SMS, URL: c.SMSURL, User: c.SMSUser, Secret: c.SMSSecret,
			From: c.SMSFrom}
		if err := sender.SMS.Check(); err != nil {
			return sender, nil, fmt.Errorf("COUNTERPART_SMS: %w", err)
		}
	}
	if c.SMTPHost != "" {
		return sender, nil, nil
	}
	mails, err := catcher.Start()
	if err != nil {
		return sender, nil, err
	}
	sender.Host, sender.Port, sender.TextGateway = "127.0.0.1", mails.Port, "sms.localhost"
	if !local(c.URL) {
		slog.Warn("no email is sent: COUNTERPART_SMTP_HOST is not set")
	}
	return sender, mails, nil
}

// windows is everything that the pages need.
func windows(ctx context.Context, pool *pgxpool.Pool, store *files.Store, c config,
	mails *catcher.Catcher) (site web.Site, err error) {
	site = web.Site{DB: pool, Files: store, Live: live.Listen(ctx, c.Database), BaseURL: c.URL, Contact: c.Contact,
		Draining: &atomic.Bool{}, Texts: c.Texts != "" || c.SMS != "", Trail: browsing.New(ctx, pool)}
	// Caught mails hold codes and names: they are shown on the developer's own machine and nowhere else.
	if mails != nil && local(c.URL) {
		site.Mail, site.Texts = mails, true
	}
	if site.Proxies, err = networks(c.Proxies); err != nil {
		return site, fmt.Errorf("COUNTERPART_TRUSTED_PROXIES: %w", err)
	}
	shop, err := location.ShopOf(ctx, pool)
	if err != nil {
		return site, err
	}
	name := ""
	if shop == nil {
		site.SetupToken = secret.NewToken()
	} else {
		name = shop.Name
	}
	if site.Passkeys, err = passkey.New(c.URL, cmp.Or(name, "Counterpart")); err != nil {
		return site, err
	}
	if c.SignOn != "" {
		site.SignOn, err = staff.NewSignOn(ctx, c.SignOn, c.SignOnClient, c.SignOnSecret, c.URL)
	}
	return site, err
}

// networks are addresses and networks as they are written in a setting.
func networks(typed []string) (all []netip.Prefix, err error) {
	for _, one := range typed {
		network, err := netip.ParsePrefix(one)
		if address, wrong := netip.ParseAddr(one); wrong == nil {
			network, err = address.Prefix(address.BitLen())
		}
		if err != nil {
			return nil, err
		}
		all = append(all, network)
	}
	return all, nil
}

// named is this machine by name: browsers make no passkeys for a number.
func named(address string) string {
	if host, port, err := net.SplitHostPort(address); err == nil && (host == "127.0.0.1" || host == "::1") {
		return net.JoinHostPort("localhost", port)
	}
	return address
}
