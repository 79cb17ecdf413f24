package intake

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"counterpart/internal/domain/customer"
	"counterpart/internal/flow/person"
	"counterpart/internal/platform/pg/pgtest"
	"counterpart/internal/proof/sample"
)

const oldCustomers = "First Name,Last Name,Email,Accepts Marketing,Company,Address1,Address2,City,Province,Province Code,Country,Country Code,Zip,Phone,Total Spent,Total Orders,Tags,Note,Tax Exempt\n" +
	"Ada,Fairweather,Ada@Example.com,yes,,1 Mill Lane,,Leeds,,,United Kingdom,GB,LS6 1AA,'0113 496 0999,12.00,1,\"Trade, local artist\",\"Likes tea;\nno sugar\",no\n" +
	"Ben,,not an address,no,,,,,,,,,,,0,0,,,no\n" +
	",,,,,,,,,,,,,,,,,,\n" +
	"=cmd(),<script>,cora@example.com,yes,,,,,,,,,,+371 2000 0000,0,0,,,no\n" +
	"Nobody,,,no,,,,,,,,,,,0,0,,,no\n"

const newCustomers = "\ufeffCustomer ID;First Name;Last Name;Email;Accepts Email Marketing;Default Address Address1;Default Address City;Default Address Country Code;Default Address Zip;Default Address Phone;Phone;Accepts SMS Marketing;Note;Tags\n" +
	"7001;Dace;Kalniņa;dace@example.lv;yes;Brīvības iela 1;Rīga;LV;LV-1010;20000001;;yes;;vip\n" +
	"7002;Dace;Kalniņa;dace@example.lv;no;;;;;;;no;;\n"

func TestCustomersComeInOnce(t *testing.T) {
	for name, file := range map[string]string{"old headings": oldCustomers, "new headings": newCustomers} {
		t.Run(name, func(t *testing.T) {
			ctx := context.Background()
			tx := pgtest.Tx(t)
			sample.Load(t, tx)

			dry, err := Customers(ctx, tx, strings.NewReader(file), CustomerOptions{Country: "GB", DryRun: true})
			require.NoError(t, err)
			var n int
			require.NoError(t, tx.QueryRow(ctx, `SELECT count(*) FROM customer`).Scan(&n))
			require.Zero(t, n, "a dry run keeps nothing")
			report, err := Customers(ctx, tx, strings.NewReader(file), CustomerOptions{Country: "GB"})
			require.NoError(t, err)
			require.Equal(t, dry, report, "and says what would happen")
			again, err := Customers(ctx, tx, strings.NewReader(file), CustomerOptions{Country: "GB"})
			require.NoError(t, err)

			require.Equal(t, map[string]int{"old headings": 4, "new headings": 2}[name], report.Created,
				"whoever has a name is somebody")
			require.Zero(t, report.Refused)
			require.Equal(t, []int{0, 0, report.Created}, []int{again.Created, again.Updated, again.Unchanged},
				"a second import changes nothing")
			if name == "old headings" {
				require.Equal(t, 4, report.Rows)
			}
			var proven int
			require.NoError(t, tx.QueryRow(ctx,
				`SELECT count(*) FROM identity WHERE kind IN ('email', 'phone') AND verified_at IS NOT NULL`).Scan(&proven))
			require.Zero(t, proven, "a file proves nothing")
		})
	}
}

// TestAnImportBringsNoConsentBack takes a consent back and imports the file that had it again.
func TestAnImportBringsNoConsentBack(t *testing.T) {
	ctx := context.Background()
	tx := pgtest.Tx(t)
	sample.Load(t, tx)
	_, err := Customers(ctx, tx, strings.NewReader(newCustomers), CustomerOptions{Country: "GB"})
	require.NoError(t, err)
	var dace int64
	require.NoError(t, tx.QueryRow(ctx,
		`SELECT customer_id FROM identity WHERE kind = 'external' AND value = 'shopify:7001'`).Scan(&dace))
	given, err := customer.Consented(ctx, tx, dace, customer.Marketing, customer.ByMail)
	require.NoError(t, err)
	require.True(t, given)

	require.NoError(t, person.RecordConsent(ctx, tx, dace, customer.ConsentEntry{Purpose: customer.Marketing,
		Medium: customer.ByMail, Given: false, Source: "web"}))
	_, err = Customers(ctx, tx, strings.NewReader(newCustomers), CustomerOptions{Country: "GB"})
	require.NoError(t, err)
	given, err = customer.Consented(ctx, tx, dace, customer.Marketing, customer.ByMail)
	require.NoError(t, err)
	require.False(t, given)
}

// TestANumberMakesNobodySomebodyElse imports people of three countries whose numbers the shop's own country would read
// as one.
func TestANumberMakesNobodySomebodyElse(t *testing.T) {
	ctx := context.Background()
	tx := pgtest.Tx(t)
	sample.Load(t, tx)
	const file = "First Name,Last Name,Email,Country Code,Phone\n" +
		"Ana,,,ES,612 345 678\nBas,,,NL,06 1234 5678\nCarla,,,IT,06 1234 5678\n" +
		"Ann,Smith,family@example.com,GB,\nBob,Smith,family@example.com,GB,\n" +
		"Tom,,,NL,612\n,,,NL,\n"
	report, err := Customers(ctx, tx, strings.NewReader(file), CustomerOptions{Country: "GB"})
	require.NoError(t, err)

	require.Equal(t, 6, report.Created, "two people share an address, three numbers are three")
	require.Equal(t, 1, report.Refused, "a row that says nothing of anybody")
	var numbers string
	require.NoError(t, tx.QueryRow(ctx,
		`SELECT string_agg(value, ' ' ORDER BY id) FROM identity WHERE kind = 'phone' AND source = 'import'`).Scan(&numbers))
	require.Equal(t, "+34612345678 +31612345678 +390612345678", numbers)
	require.Contains(t, report.Complaints[0].Sentence(), `"612" is no phone number in NL`)
	again, err := Customers(ctx, tx, strings.NewReader(file), CustomerOptions{Country: "GB"})
	require.NoError(t, err)
	require.Equal(t, 6, again.Unchanged)
}

// TestTheTextMarkOfASpreadsheetIsNoName reads cells that a spreadsheet marked as text, and names that begin with an
// apostrophe.
func TestTheTextMarkOfASpreadsheetIsNoName(t *testing.T) {
	for cell, want := range map[[2]string]string{
		{"sku", "'12412"}: "12412", {"sku", "'ABC"}: "ABC", {"note", "'=cmd()"}: "=cmd()", {"city",
			"'s-Hertogenbosch"}: "'s-Hertogenbosch", {"last", "'t Hooft"}: "'t Hooft",
		{"phone", "'+44 113 496 0999"}: "+44 113 496 0999", {"zip", "'01234"}: "01234", {"first", "'"}: "'",
	} {
		require.Equal(t, want, unmarked(cell[0], cell[1]), cell)
	}
}

func FuzzCustomers(f *testing.F) {
	f.Add(oldCustomers)
	f.Add(newCustomers)
	f.Fuzz(func(t *testing.T, file string) {
		rows, err := newReader(strings.NewReader(file), customerHeadings, "email", "phone")
		if err != nil {
			return
		}
		for {
			one, err := rows.read()
			if err != nil {
				return
			}
			in, _, whole := readCustomer(*one, "GB")
			require.True(t, whole || in.Key != "")
			require.NotContains(t, in.Name+in.Note, "\x00")
		}
	})
}
