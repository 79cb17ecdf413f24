package promotion_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"counterpart/internal/domain/promotion"
)

func TestOneMailboxHoweverItIsSpelt(t *testing.T) {
	for _, spelt := range []string{"fredq@gmail.com", "Fred.Q@Gmail.com", "f.redq+sale@googlemail.com", " FREDQ@googlemail.com "} {
		require.Equal(t, "fredq@gmail.com", promotion.Mailbox(spelt))
	}
	require.NotEqual(t, promotion.Mailbox("fredq@example.com"), promotion.Mailbox("fredq@example.org"))
	require.NotEqual(t, promotion.Mailbox("ab.cd@company.example"), promotion.Mailbox("abcd@company.example"), "two people")
	require.NotEqual(t, promotion.Mailbox("ab+cd@company.example"), promotion.Mailbox("ab@company.example"))
	require.Equal(t, promotion.Mailbox("user@example.com"), promotion.Mailbox("User@Example.com."))
	require.Empty(t, promotion.Mailbox(" "))
}
