package access

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestOnlyOurProxiesAreBelieved asks where requests come from that say where they come from.
func TestOnlyOurProxiesAreBelieved(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	for _, c := range []struct{ peer, says, want string }{
		{"203.0.113.9:1", "198.51.100.1", "203.0.113.9"}, {"10.0.0.1:1", "198.51.100.1", "198.51.100.1"}, {"10.0.0.1:1",
			"1.2.3.4, 198.51.100.1", "198.51.100.1"},
		{"10.0.0.1:1", "1.2.3.4, 198.51.100.1, 10.0.0.7", "198.51.100.1"}, {"10.0.0.1:1", "",
			"10.0.0.1"}, {"10.0.0.1:1", "nonsense", "10.0.0.1"}, {"10.0.0.1:1", "10.0.0.5", "10.0.0.1"},
		{"[::1]:1", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"}, {"[2001:db8::1]:1", "198.51.100.1", "2001:db8::/64"},
	} {
		got := ""
		handler := throughProxies(trusted)(http.HandlerFunc(func(_ http.ResponseWriter,
			r *http.Request) {
			got = From(r)
		}))
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = c.peer
		r.Header.Set("X-Forwarded-For", c.says)
		handler.ServeHTTP(httptest.NewRecorder(), r)
		require.Equal(t, c.want, got, "%s says %q", c.peer, c.says)
	}
}
