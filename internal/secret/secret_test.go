package secret

import (
	"context"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCommonPasswordsAreRefused(t *testing.T) {
	for _, common := range []string{"passwordpassword", "Password123456789", "123456789012345", "111111111111111", "qwertyuiopasdfghjkl", "P4ssw0rd!P4ssw0rd!", "iloveyouiloveyou", "abcdefghijklmnop", "letmeinletmein1", "                    ", "abababababababab", "Summer2026Summer2026"} {
		require.NotEmpty(t, Weak(common), common)
	}
	for _, good := range []string{"a sentence to remember", "the heron stood on Wharf Street", "nine mugs and a teapot, blue", "как хорошо в деревне летом", "zsK4-9dmw-Qp71-xx8v"} {
		require.Empty(t, Weak(good), good)
	}
	require.NotEmpty(t, Weak("short"))
}

func TestTheSameLettersAreOnePassword(t *testing.T) {
	ctx := context.Background()
	hash, err := HashPassword(ctx, "caf\u00e9 au lait s'il vous plaît")
	require.NoError(t, err)

	same, err := Matches(ctx, "cafe\u0301 au lait s'il vous plaît", hash)
	require.NoError(t, err)
	require.True(t, same)
	same, err = Matches(ctx, "nobody has this password", "")
	require.NoError(t, err)
	require.False(t, same, "an account that does not exist has no password")
}

func TestCodesAreSixFigures(t *testing.T) {
	for range 100 {
		require.Regexp(t, regexp.MustCompile(`^[0-9]{6}$`), NewCode())
	}
}
