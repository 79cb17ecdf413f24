package customer

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEmailsAreCompared(t *testing.T) {
	got, ok := NormalEmail("  Ada@Example.COM ")
	require.True(t, ok)
	require.Equal(t, "ada@example.com", got)
	got, ok = NormalEmail("user@example.com.")
	require.True(t, ok)
	require.Equal(t, "user@example.com", got)
	for _, typed := range []string{"ada@example.com..", "ada@.example.com", "", "ada", "ada@", "@example.com", "a@b",
		"a b@example.com", "a@b@c.de", "a@b.de\r\nBcc: x@y.z", "a@..", "\u202eada@example.com"} {
		_, ok := NormalEmail(typed)
		require.False(t, ok, typed)
	}
}
