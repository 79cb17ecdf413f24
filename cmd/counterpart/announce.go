package main

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"

	"counterpart/web"
)

// local says whether a shop's address is this machine's own.
func local(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

// announce says where everything is, and who may sign in.
func announce(c config, site web.Site) {
	fmt.Printf("\n  Shop     %s/\n  Counter  %s/counter\n  Admin    %s/admin\n", c.URL, c.URL, c.URL)
	if site.Mail != nil {
		fmt.Printf("  Email    %s/dev/mail   (caught, not sent)\n", c.URL)
	}
	if site.SetupToken != "" {
		fmt.Printf("\n  This shop is not set up yet. Open this link, once:\n  %s/setup?token=%s\n", c.URL,
			site.SetupToken)
	}
	if accounts, err := os.ReadFile(filepath.Join(c.Data, accountsFile)); err == nil {
		fmt.Printf("\n%s", accounts)
	}
	fmt.Print("\n  Ctrl-C stops everything.\n\n")
}
