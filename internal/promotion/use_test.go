package promotion_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"counterpart/internal/promotion"
)

func TestOneMailboxHoweverItIsSpelt(t *testing.T) {
	for _, spelt := range []string{"fredq@gmail.com", "Fred.Q@Gmail.com", "f.redq+sale@googlemail.com", " FREDQ@googlemail.com "} {
		require.Equal(t, "fredq@gmail.com", promotion.Mailbox(spelt))
	}
	require.NotEqual(t, promotion.Mailbox("fredq@example.com"), promotion.Mailbox("fredq@example.org"))
	require.Empty(t, promotion.Mailbox(" "))
}
