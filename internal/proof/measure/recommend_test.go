package measure_test

import (
	"compress/gzip"
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"counterpart/internal/domain/history"
	"counterpart/internal/flow/intake"
	"counterpart/internal/platform/pg/pgtest"
	"counterpart/internal/proof/measure"
)

var ctx = context.Background()

// Two kinds of shopper buy one of two halves of a range: whatever goes with what is seen, and the bestseller of all says
// little.
func TestWhatGoesTogetherIsFound(t *testing.T) {
	db := pgtest.Tx(t)
	var sales []history.Sale
	first := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	for receipt := range 200 {
		for k := range 8 {
			code := fmt.Sprintf("%c%02d", "AB"[receipt%2], (receipt*3+k*7)%20)
			sales = append(sales, history.Sale{Receipt: fmt.Sprint(receipt), Code: code, Day: first.AddDate(0, 0, receipt),
				Goods: true, Quantity: 1, Amount: 100})
		}
	}
	_, _, err := history.Write(ctx, db, "till", "GBP", sales)
	require.NoError(t, err)
	table, err := measure.Recommend(ctx, db, measure.Split{Days: 50})
	require.NoError(t, err)
	require.Equal(t, []int{150, 50, 40}, []int{table.Learned, table.Asked, table.Items})
	by := map[string]measure.Row{}
	for _, row := range table.Rows {
		by[row.Name] = row
	}
	require.Greater(t, by["as the shop shows it"].Recall, 1.5*by["popularity"].Recall)
	require.InDelta(t, by["plain cosine, 1/ln(1 + size)"].Recall, by["as the shop shows it"].Recall, 0.01)
	var kept int
	require.NoError(t, db.QueryRow(ctx, `SELECT count(*) FROM public.bought`).Scan(&kept))
	require.Zero(t, kept, "measuring keeps nothing")
}

// On a year of a wholesaler's invoices, where they lie beside the project: what ships is as good as plain cosine, and
// better than the others, by more than chance.
func TestOnAYearOfInvoices(t *testing.T) {
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
	table, err := measure.Recommend(ctx, db, measure.Split{Days: 30})
	require.NoError(t, err)
	require.Greater(t, table.Asked, 1500)
	rows := table.Rows
	require.Greater(t, rows[3].Hits, rows[1].Hits+0.03)
	require.Greater(t, rows[3].Hits, rows[0].Hits+0.2)
	require.InDelta(t, rows[2].Hits, rows[3].Hits, 0.02)
}
