package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"counterpart/internal/domain/location"
	"counterpart/internal/platform/files"
	"counterpart/internal/proof/demo"
	"counterpart/web/static"
)

const accountsFile = "demo-accounts.txt"

// loadDemo fills our own database, or one that was asked for, when there is no shop in it yet.
func (s serve) loadDemo(ctx context.Context, db *database, store *files.Store, c config) error {
	if db.own == nil && !s.Demo {
		return nil
	}
	shop, err := location.ShopOf(ctx, db.Pool)
	if err != nil || shop != nil {
		return err
	}
	accounts, err := demo.Load(ctx, db.Pool, store, static.Objects(), progress("Loading the demo shop"))
	if err != nil {
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "  Demo sign-ins\n")
	for _, a := range accounts {
		where := "everywhere"
		switch {
		case len(a.Stores) > 0:
			where = strings.Join(a.Stores, ", ")
		case a.Role == demo.Shopper:
			where = "at " + c.URL + "/sign-in"
		}
		if a.PIN != "" {
			where += ", PIN " + a.PIN
		}
		fmt.Fprintf(&b, "  %-10s %-30s %s   (%s, %s)\n", a.Role, a.Email, a.Password, a.Name, where)
	}
	return os.WriteFile(filepath.Join(c.Data, accountsFile), []byte(b.String()), 0o600)
}

// progress draws a bar that fills as its share goes to one.
func progress(what string) func(float64) {
	const width = 30
	last := -1
	return func(share float64) {
		if n := int(share * width); n != last {
			last = n
			fmt.Printf("\r%s [%s%s] %3.0f%%", what, strings.Repeat("█", n), strings.Repeat("·", width-n), 100*share)
		}
		if share >= 1 {
			fmt.Println()
		}
	}
}
