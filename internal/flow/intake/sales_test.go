package intake_test

import (
	"compress/gzip"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"counterpart/internal/flow/intake"
	"counterpart/internal/platform/pg/pgtest"
)

func TestPastSalesAreMatchedWithWhatCameBack(t *testing.T) {
	db := pgtest.Tx(t)
	file := `receipt,date,customer,sku,quantity,price
1,2025-01-10,7,mug,3,2.50
1,2025-01-10,7,MUG,1,2.50
1,2025-01-10,7,jug,1,9.99
2,2025-01-12,7,MUG,2,2.50
3,2025-01-12,7,MUG,-1,2.50
4,2025-02-01,7,MUG,-4,2.50
5,2025-02-01,8,MUG,-1,2.50
6,2025-02-01,,MUG,1,1.01
7,someday,8,MUG,1,1
8,2025-02-01,8,MUG,two,1
9,2025-02-01,8,MUG,1,free
10,2025-02-01,8,MUG,1,0
11,2025-02-01,,MUG,-9,0
`
	o := intake.SalesOptions{Source: "till", Currency: "GBP", People: "till:"}
	report, err := intake.Sales(ctx, db, strings.NewReader(file), o)
	require.NoError(t, err)
	require.Equal(t, map[string]int{"no date that can be read": 1, "no quantity that can be read": 1,
		"no price that can be read": 1, "given for nothing": 1,
		"a booking of stock, not a sale: no customer and no price": 1}, report.Refused)
	require.Equal(t, []int{5, 4, 2, 1, 1}, []int{report.Lines, report.Written, report.Receipts, report.Buyers, report.Again})
	require.Equal(t, []int{1, 1, 1}, []int{report.Cancelled, report.Returned, report.Unmatched})
	require.EqualValues(t, 1000+999+500+101, report.Gross)

	// The later return took the second receipt's last mug first, then three of the first one's.
	var held string
	const all = `SELECT string_agg(format('%s %s %s-%s-%s=%s', receipt, code, quantity, cancelled, returned, amount), ', ' ORDER BY receipt, code) FROM past_sale`
	require.NoError(t, db.QueryRow(ctx, all).Scan(&held))
	require.Equal(t, "1 JUG 1-0-0=999, 1 MUG 4-0-3=1000, 2 MUG 2-1-1=500, 6 MUG 1-0-0=101", held)

	again, err := intake.Sales(ctx, db, strings.NewReader(file), o)
	require.NoError(t, err)
	require.Equal(t, []int{0, 0, 4}, []int{again.Written, again.Changed, again.Unchanged})
	changed, err := intake.Sales(ctx, db, strings.NewReader(strings.Replace(file, "7,MUG,2,2.50", "7,MUG,2,3.00", 1)), o)
	require.NoError(t, err)
	require.Equal(t, []int{0, 1, 3}, []int{changed.Written, changed.Changed, changed.Unchanged})

	o.Forgotten = func(_, value string) bool { return value == "till:7" }
	_, err = intake.Sales(ctx, db, strings.NewReader(file), o)
	require.NoError(t, err)
	var named int
	require.NoError(t, db.QueryRow(ctx, `SELECT count(*) FROM past_sale WHERE person <> ''`).Scan(&named))
	require.Zero(t, named, "who asked to be forgotten does not come back with a file")
	require.NoError(t, db.QueryRow(ctx, all).Scan(&held))
	require.Equal(t, "1 JUG 1-0-0=999, 1 MUG 4-0-3=1000, 2 MUG 2-1-1=500, 6 MUG 1-0-0=101", held,
		"what they brought back stays brought back")
}

func TestAFileOfSalesHasToSayWhatIsWhat(t *testing.T) {
	db := pgtest.Tx(t)
	for file, why := range map[string]string{
		"":                                "it is empty",
		"a,b\n1,2\n":                      "no column called Code",
		"sku,receipt,quantity\n":          "--columns at=HEADING",
		"sku,receipt,date,quantity\n":     "no column for price or amount",
		"sku,sku,receipt,date,quantity\n": "appears twice",
	} {
		_, err := intake.Sales(ctx, db, strings.NewReader(file), intake.SalesOptions{Source: "x", Currency: "GBP"})
		require.ErrorContains(t, err, why, file)
	}
	report, err := intake.Sales(ctx, db, strings.NewReader("Bon;Tag;Artikel;Stück;Summe\nA1;2024-05-01;x1;3;7,47\n"),
		intake.SalesOptions{Source: "x", Currency: "EUR", Columns: map[string]string{"receipt": "Bon", "at": "Tag",
			"code": "Artikel", "quantity": "Stück", "amount": "Summe"}})
	require.NoError(t, err)
	require.EqualValues(t, 747, report.Gross)
	_, err = intake.Sales(ctx, db, strings.NewReader("sku\n"), intake.SalesOptions{Columns: map[string]string{"colour": "x"}})
	require.ErrorContains(t, err, `not to "colour"`)
	_, err = intake.Sales(ctx, db, strings.NewReader("sku\n"), intake.SalesOptions{Preset: "other"})
	require.ErrorContains(t, err, `no preset called "other"`)
}

// A year of a wholesaler's invoices, where they lie beside the project: the totals are those that its description gives.
func TestAYearOfInvoices(t *testing.T) {
	file, err := os.Open("../../../../shared/data/sales/online_retail_2009_2010.csv.gz")
	if os.IsNotExist(err) {
		t.Skip("the invoices are not here")
	}
	require.NoError(t, err)
	defer file.Close()
	r, err := gzip.NewReader(file)
	require.NoError(t, err)
	db := pgtest.Tx(t)
	report, err := intake.Sales(ctx, db, r, intake.SalesOptions{Source: "invoices", Currency: "GBP", Preset: "online-retail"})
	require.NoError(t, err)
	require.Equal(t, []int{525_461, 511_565, 19_213, 4_312}, []int{report.Rows, report.Lines, report.Receipts, report.Buyers})
	require.InDelta(t, 67.1, 100*float64(report.Again)/float64(report.Buyers), 0.05)
	require.EqualValues(t, 10_305_892, report.Gross/100)
	require.EqualValues(t, 8_832_003, report.GrossKnown/100)
	var gross int64
	require.NoError(t, db.QueryRow(ctx, `SELECT sum(amount) FROM past_sale`).Scan(&gross))
	require.Equal(t, report.Gross, gross, "what was written is what was read")
	t.Logf("%+v", report)
}
