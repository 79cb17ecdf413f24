package measure_test

import (
	"compress/gzip"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"counterpart/internal/flow/intake"
	"counterpart/internal/platform/pg/pgtest"
	"counterpart/internal/proof/measure"
)

// On a year of a wholesaler's invoices: what ships has the smaller error per person than what anybody would guess.
func TestValueOnAYearOfInvoices(t *testing.T) {
	file, err := os.Open("../../../../shared/data/sales/online_retail_2009_2010.csv.gz")
	if os.IsNotExist(err) {
		t.Skip("the invoices are not here")
	}
	require.NoError(t, err)
	defer file.Close()
	r, err := gzip.NewReader(file)
	require.NoError(t, err)
	db := pgtest.Tx(t)
	_, err = intake.Sales(ctx, db, r, intake.SalesOptions{Source: "invoices", Currency: "GBP", Preset: "online-retail"})
	require.NoError(t, err)
	v, err := measure.Value(ctx, db, measure.Split{Days: 90})
	require.NoError(t, err)
	require.Greater(t, v.Asked, 3000)
	ours := v.Rows[3]
	for _, baseline := range v.Rows[:2] {
		require.Less(t, ours.Purchases, baseline.Purchases, baseline.Name)
		require.Less(t, ours.Amount, baseline.Amount, baseline.Name)
	}
}
