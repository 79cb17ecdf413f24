package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"counterpart/internal/platform/pg/pgtest"
	books "counterpart/internal/proof/audit"
	"counterpart/internal/proof/sample"
)

// TestKilledServerLosesNoAnsweredOrder kills the server without warning in the middle of checkouts, again and again:
// every order a shopper was shown is there afterwards, and the books agree.
func TestKilledServerLosesNoAnsweredOrder(t *testing.T) {
	binary := build(t)
	pool, address := pgtest.Database(t)
	chain := sample.Load(t, pool)
	_, err := pool.Exec(context.Background(), `
		WITH l AS (UPDATE stock_level SET on_hand = on_hand + 5000 WHERE variant_id = $1 AND location_id = $2
			RETURNING 1)
		INSERT INTO stock_move (variant_id, location_id, delta, cause, channel) SELECT $1, $2, 5000, 'receipt', 'api'
			FROM l`, chain.Mug, chain.HarbourStreet.ID)
	require.NoError(t, err)

	var mu sync.Mutex
	answered := map[string]bool{}
	for round := range 5 {
		base, server := start(t, binary, address)
		stop := make(chan struct{})
		var shoppers sync.WaitGroup
		for range 8 {
			shoppers.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
					}
					if link := buy(base, chain.Mug); link != "" {
						mu.Lock()
						answered[link] = true
						mu.Unlock()
					}
				}
			})
		}
		time.Sleep(time.Duration(300+rand.IntN(500)) * time.Millisecond)
		require.NoError(t, server.Process.Signal(syscall.SIGKILL))
		close(stop)
		shoppers.Wait()
		server.Wait()
		require.NotEmpty(t, answered, "round %d", round)
	}

	t.Logf("%d orders were answered over five kills", len(answered))
	for link := range answered {
		var there bool
		require.NoError(t, pool.QueryRow(context.Background(),
			`SELECT EXISTS (SELECT FROM orders WHERE public_id = $1)`, link).Scan(&there))
		require.True(t, there, link)
	}
	findings, err := books.Run(context.Background(), pool)
	require.NoError(t, err)
	require.Empty(t, findings)
}

// build makes the program that is tested.
func build(t *testing.T) (binary string) {
	t.Helper()
	binary = filepath.Join(t.TempDir(), "counterpart")
	build := exec.Command("go", "build", "-o", binary, ".")
	build.Stderr = os.Stderr
	require.NoError(t, build.Run())
	return binary
}

// start runs a server on any free port and waits until it says where it is.
func start(t *testing.T, binary, database string) (base string, server *exec.Cmd) {
	t.Helper()
	server = exec.Command(binary, "serve")
	server.Env = append(os.Environ(), "DATABASE_URL="+database, "COUNTERPART_ADDR=127.0.0.1:0",
		"COUNTERPART_DATA="+t.TempDir())
	server.Stderr = io.Discard
	out, err := server.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, server.Start())
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if found := regexp.MustCompile(`Shop\s+(http://\S+)/`).FindStringSubmatch(lines.Text()); found != nil {
			go io.Copy(io.Discard, out)
			return found[1], server
		}
	}
	require.Fail(t, "the server did not start")
	return "", nil
}

var (
	cartField  = regexp.MustCompile(`name="cart" value="(\d+)"`)
	totalField = regexp.MustCompile(`name="total" value="(\d+)"`)
)

// buy goes from the shelf to the order; empty where the server died on the way.
func buy(base string, variant int64) (link string) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return ""
	}
	client := &http.Client{Jar: jar, Timeout: 5 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	post := func(path string, form url.Values) string {
		answer, err := client.PostForm(base+path, form)
		if err != nil {
			return ""
		}
		answer.Body.Close()
		return answer.Header.Get("Location")
	}
	post("/stores/harbour-street/choose", nil)
	post("/cart", url.Values{"variant": {fmt.Sprint(variant)}, "quantity": {"1"}})
	answer, err := client.Get(base + "/checkout")
	if err != nil {
		return ""
	}
	defer answer.Body.Close()
	page, err := io.ReadAll(answer.Body)
	if err != nil {
		return ""
	}
	cart, total := cartField.FindSubmatch(page), totalField.FindSubmatch(page)
	if cart == nil || total == nil {
		return ""
	}
	location := post("/checkout", url.Values{"cart": {string(cart[1])}, "total": {string(total[1])}, "name": {"Ada"},
		"email": {"ada@example.com"}, "pay": {"pay_at_pickup"}})
	return strings.TrimPrefix(location, "/orders/")
}
