package main

import (
	"fmt"
	"os"
	"path/filepath"

	"counterpart/web"
)

// announce says where everything is, and who may sign in.
func announce(c config, site web.Site) {
	fmt.Printf("\n  Shop     %s/\n  Counter  %s/counter\n  Admin    %s/admin\n", c.URL, c.URL, c.URL)
	if site.Mail != nil {
		fmt.Printf("  Mail     %s/dev/mail   (caught, not sent)\n", c.URL)
	}
	if site.SetupToken != "" {
		fmt.Printf("\n  This shop is not set up yet. Open this link, once:\n  %s/setup?token=%s\n", c.URL, site.SetupToken)
	}
	if accounts, err := os.ReadFile(filepath.Join(c.Data, accountsFile)); err == nil {
		fmt.Printf("\n%s", accounts)
	}
	fmt.Print("\n  Ctrl-C stops everything.\n\n")
}
