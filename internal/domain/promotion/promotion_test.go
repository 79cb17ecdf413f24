package promotion_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"counterpart/internal/domain/promotion"
	"counterpart/internal/domain/quote"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/pg/pgtest"
)

var ctx = context.Background()

// A kind that no rule is checked for could be saved with anything in it.
func TestEveryEffectIsValidated(t *testing.T) {
	tx := pgtest.Tx(t)
	for _, kind := range quote.Kinds {
		err := promotion.Save(ctx, tx, &promotion.Promotion{Title: "Spring",
			Rule: quote.Rule{Effect: quote.Effect{Kind: kind}}}, 0)
		f := fault.As(err)
		require.NotNil(t, f, "an empty %q can be saved", kind)
		require.NotContains(t, f.Fields, "kind", "%q is not known", kind)
	}
	require.Contains(t, fault.As(promotion.Save(ctx, tx, &promotion.Promotion{Title: "Spring"}, 0)).Fields, "kind")
}
