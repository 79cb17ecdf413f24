package quote

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"counterpart/internal/money"
	"counterpart/internal/tax"
)

func TestHeaderLinesAndUnitsAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		included := rapid.Bool().Draw(t, "tax included")
		items := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Item {
			return Item{
				Quantity:  rapid.IntRange(1, 99).Draw(t, "quantity"),
				UnitPrice: rapid.Int64Range(0, money.MaxUnit).Draw(t, "unit price"),
				Rate:      tax.Rate{Name: "VAT", PPM: rapid.SampledFrom([]int64{0, 50_000, 88_750, 200_000, 210_000}).Draw(t, "rate")},
			}
		}), 0, 50).Draw(t, "items")

		q := Price(Place{"GBP", included}, items)

		var sum, taxes, units int64
		for _, line := range q.Lines {
			require.GreaterOrEqual(t, line.Tax, int64(0))
			sum += line.Amount
			var unitTax int64
			for _, unit := range line.Units {
				require.LessOrEqual(t, unit.Tax, unit.Paid)
				units += unit.Paid
				unitTax += unit.Tax
			}
			require.Equal(t, line.Tax, unitTax)
		}
		for _, line := range q.Taxes {
			taxes += line.Amount
		}
		require.Equal(t, sum, q.Sum)
		require.Equal(t, taxes, q.Tax)
		require.Equal(t, units, q.Total)
	})
}

func TestTaxIsIncludedInBritainAndAddedInNewYork(t *testing.T) {
	leeds := Price(Place{"GBP", true}, []Item{{Quantity: 3, UnitPrice: 999, Rate: tax.Rate{Name: "VAT", PPM: 200_000}}})
	require.Equal(t, int64(2997), leeds.Total)
	require.Equal(t, int64(500), leeds.Tax)

	brooklyn := Price(Place{"USD", false}, []Item{{Quantity: 3, UnitPrice: 999, Rate: tax.Rate{Name: "Sales tax", PPM: 88_750}}})
	require.Equal(t, int64(266), brooklyn.Tax)
	require.Equal(t, int64(3263), brooklyn.Total)
}
