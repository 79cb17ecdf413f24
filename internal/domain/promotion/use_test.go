package promotion_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"counterpart/internal/domain/promotion"
)

func TestOneMailboxHoweverItIsSpelt(t *testing.T) {
	for _, spelt := range []string{"fredq@gmail.com", "Fred.Q@Gmail.com", "f.redq+sale@googlemail.com",
		" FREDQ@googlemail.com "} {
		require.Equal(t, "fredq@gmail.com", promotion.NormalMailbox(spelt))
	}
	require.NotEqual(t, promotion.NormalMailbox("fredq@example.com"), promotion.NormalMailbox("fredq@example.org"))
	require.NotEqual(t, promotion.NormalMailbox("ab.cd@company.example"),
		promotion.NormalMailbox("abcd@company.example"), "two people")
	require.NotEqual(t, promotion.NormalMailbox("ab+cd@company.example"), promotion.NormalMailbox("ab@company.example"))
	require.Equal(t, promotion.NormalMailbox("user@example.com"), promotion.NormalMailbox("User@Example.com."))
	require.Empty(t, promotion.NormalMailbox(" "))
}
