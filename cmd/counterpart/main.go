// Counterpart is the shop: one program for its website, its counters and its office.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	_ "time/tzdata" // a store's clock must be right on machines without a zone database

	"github.com/alecthomas/kong"
)

type commands struct {
	Serve   serve          `cmd:"" help:"Run the shop. Example: counterpart serve"`
	Migrate migrate        `cmd:"" help:"Migrate the database to this build's version. Example: DATABASE_URL=postgres://localhost/shop counterpart migrate"`
	Import  imports        `cmd:"" help:"Import a shop's data from files."`
	Erase   erase          `cmd:"" help:"Erase customers again after restoring a backup. Example: counterpart erase --replay"`
	Audit   audit          `cmd:"" help:"Check the data's consistency; exits 1 and lists the rows that break a rule. Example: counterpart audit"`
	Lists   rewriteLists   `cmd:"" name:"rewrite-lists" help:"Write anew what departments and searches are read from, after a change behind the program's back. Example: counterpart rewrite-lists"`
	Measure measures       `cmd:"" help:"Tell how well predictions do on the shop's own past."`
	Sandbox sandboxCommand `cmd:"" help:"Run the payment sandbox as a process of its own. Example: COUNTERPART_SANDBOX_ADDR=127.0.0.1:8081 counterpart sandbox"`
	Version version        `cmd:"" help:"Print the build version. Example: counterpart version"`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends it at once
	var c commands
	parsed := kong.Parse(&c, kong.Name("counterpart"), kong.UsageOnError(), kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Description("A shop on the web and at the counter, on one database.\n\nExample: counterpart serve"))
	if err := parsed.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "counterpart:", err)
		os.Exit(1)
	}
}

type version struct{}

func (version) Run() error {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return fmt.Errorf("this build has no version information")
	}
	fmt.Println("counterpart", info.Main.Version, info.GoVersion)
	return nil
}
