package admin

import (
	"context"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"counterpart/internal/domain/quote"
	"counterpart/web/ui"
)

// An effect that the form does not offer, or that nothing says in words, is not finished.
func TestEveryEffectHasItsWords(t *testing.T) {
	ctx := context.Background()
	for _, kind := range quote.Kinds {
		require.True(t, slices.ContainsFunc(kinds(ctx), func(o ui.Option) bool {
			return o.Value == kind &&
				o.Name != ""
		}),
			"the form does not offer %q", kind)
		words := effect(ctx, quote.Rule{Currency: "GBP", Effect: quote.Effect{Kind: kind, Percent: 1000, Amount: 100}})
		require.NotEqual(t, kind, words, "nothing says what %q does", kind)
	}
	require.Len(t, kinds(ctx), len(quote.Kinds))
}
