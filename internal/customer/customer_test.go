package customer

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPhonesBecomeE164(t *testing.T) {
	for typed, want := range map[string]string{
		"0113 496 0999": "+441134960999", "+44 (0)113 496 0999": "+441134960999", "0044 113 4960999": "+441134960999", "+371 2000 0000": "+37120000000",
	} {
		got, ok := NormalPhone(typed, "GB")
		require.True(t, ok, typed)
		require.Equal(t, want, got, typed)
	}
	for _, typed := range []string{"", "call me", "123", "+123456789012345678", "٠١١٣٤٩٦٠٩٩٩", "🙂"} {
		_, ok := NormalPhone(typed, "GB")
		require.False(t, ok, typed)
	}
}

func TestEmailsAreCompared(t *testing.T) {
	got, ok := NormalEmail("  Ada@Example.COM ")
	require.True(t, ok)
	require.Equal(t, "ada@example.com", got)
	for _, typed := range []string{"", "ada", "ada@", "@example.com", "a@b", "a b@example.com", "a@b@c.de", "a@b.de\r\nBcc: x@y.z", "a@..", "\u202eada@example.com"} {
		_, ok := NormalEmail(typed)
		require.False(t, ok, typed)
	}
}
