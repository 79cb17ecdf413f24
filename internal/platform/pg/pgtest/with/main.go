// With starts a throwaway Postgres, runs a command that finds it in TEST_DATABASE_URL, and takes it away again.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"counterpart/internal/platform/pg"
)

func main() {
	code, err := run()
	if err != nil {
		fmt.Fprintln(os.Stderr, "with:", err)
	}
	os.Exit(code)
}

func run() (int, error) {
	if len(os.Args) < 2 {
		return 2, errors.New("say what to run: with go test")
	}
	// The command hears Ctrl-C itself; we wait for it and then clean up.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	dir, err := os.MkdirTemp("", "counterpart-test-")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil {
		return 1, err
	}
	// DURABLE=1 keeps fsync on, for measuring.
	server, err := pg.Start(ctx, dir, pg.Options{Disposable: os.Getenv("DURABLE") == ""})
	if err != nil {
		return 1, err
	}
	defer server.Stop()

	command := exec.Command(os.Args[1], os.Args[2:]...)
	command.Stdin, command.Stdout, command.Stderr = os.Stdin, os.Stdout, os.Stderr
	command.Env = append(os.Environ(), "TEST_DATABASE_URL="+server.URL)
	if err := command.Run(); err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return exit.ExitCode(), nil
		}
		return 1, err
	}
	return 0, nil
}
