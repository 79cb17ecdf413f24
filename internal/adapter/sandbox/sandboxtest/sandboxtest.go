// Package sandboxtest runs the sandbox as a process of its own, as a payment company is, and plays the shopper on its
// page.
package sandboxtest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"counterpart/internal/adapter/gateway"
)

// Company is a running sandbox.
type Company struct {
	URL string
	t   testing.TB
}

const (
	key    = "a key of the tests"
	secret = "a-secret-of-the-tests"
)

// Cards that can be tried.
const (
	Good     = "4242 4242 4242 4242"
	Secure   = "4000 0000 0000 3220"
	Declined = "4000 0000 0000 0002"
)

// Binary is the built server, for tests that run it as a process.
func Binary(t testing.TB) (path string) {
	t.Helper()
	path, err := binary()
	require.NoError(t, err)
	return path
}

var binary = sync.OnceValues(func() (string, error) {
	root, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("", "sandbox")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "counterpart")
	build := exec.Command("go", "build", "-o", path, "./cmd/counterpart")
	build.Dir = strings.TrimSpace(string(root))
	out, err := build.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build the sandbox: %w: %s", err, out)
	}
	return path, nil
})

// Start runs a sandbox with its book in a database. shop is where its messages go, or empty.
func Start(t testing.TB, database, shop string) *Company {
	t.Helper()
	command := exec.Command(Binary(t), "sandbox")
	command.Env = append(os.Environ(), "DATABASE_URL="+database, "COUNTERPART_SANDBOX_ADDR=127.0.0.1:0",
		"COUNTERPART_SANDBOX_KEY="+key, "COUNTERPART_SANDBOX_SECRET="+secret, "COUNTERPART_URL="+shop)
	command.Stderr = os.Stderr
	out, err := command.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	t.Cleanup(func() {
		_ = command.Process.Signal(os.Interrupt)
		_ = command.Wait()
	})
	lines := bufio.NewScanner(out)
	require.True(t, lines.Scan(), "the sandbox says where it is")
	go func() { _, _ = io.Copy(io.Discard, out) }()
	return &Company{URL: strings.TrimSpace(lines.Text()), t: t}
}

// Gateway is how the shop speaks with it.
func (c *Company) Gateway() *gateway.Sandbox { return c.GatewayAt(c.URL) }

// PatientGateway is Gateway with the time that a shop gives it: for tests that wait for what happens, on any machine.
func (c *Company) PatientGateway() *gateway.Sandbox {
	return &gateway.Sandbox{Base: c.URL, Key: key, Secrets: []string{secret}, Client: gateway.Patient()}
}

// GatewayAt is Gateway through another address: a proxy's.
func (c *Company) GatewayAt(base string) *gateway.Sandbox {
	client := gateway.Patient()
	client.Timeout = 2 * time.Second
	return &gateway.Sandbox{Base: base, Key: key, Secrets: []string{secret}, Client: client}
}

// Secret with which it signs.
func (c *Company) Secret() string { return secret }

// Key with which a shop calls it.
func (c *Company) Key() string { return key }

// Plant has the next calls of an operation go wrong; none takes what is left of a fault away.
func (c *Company) Plant(operation, kind string, count int) {
	body, _ := json.Marshal(map[string]any{"operation": operation, "kind": kind, "count": count})
	request, err := http.NewRequest(http.MethodPost, c.URL+"/v1/faults", bytes.NewReader(body))
	require.NoError(c.t, err)
	request.Header.Set("Authorization", "Bearer "+key)
	response, err := http.DefaultClient.Do(request)
	require.NoError(c.t, err)
	response.Body.Close()
	require.Equal(c.t, http.StatusOK, response.StatusCode)
}

// Pay is a shopper on the page of a payment: they type a card and answer their bank. A payment to be paid later is
// agreed to.
func (c *Company) Pay(page, card string) {
	browser := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	post := func(address string, form url.Values) {
		response, err := browser.PostForm(address, form)
		require.NoError(c.t, err)
		response.Body.Close()
		require.Equal(c.t, http.StatusSeeOther, response.StatusCode, "the page took it")
	}
	post(page, url.Values{"number": {card}, "answer": {"yes"}})
	if card == Secure {
		post(page+"/secure", url.Values{"answer": {"yes"}})
	}
}
