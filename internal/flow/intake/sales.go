package intake

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/figure"
	"counterpart/internal/domain/history"
	"counterpart/internal/domain/recommend"
	"counterpart/internal/platform/money"
	"counterpart/internal/platform/pg"
)

// salesHeadings are names that a column may have without a mapping. Of price and amount one is enough.
var salesHeadings = map[string][]string{
	"receipt": {"receipt", "invoice", "invoice_no", "order"}, "at": {"at", "date", "day", "invoice_ts"},
	"person": {"person", "customer", "customer_id"}, "code": {"code", "sku", "stock_code"},
	"quantity": {"quantity"}, "price": {"price", "unit_price"}, "amount": {"amount", "total"},
}

// salesColumns are what a column of a file of past sales can be mapped to.
var salesColumns = []string{"receipt", "at", "person", "code", "quantity", "price", "amount"}

// SalesOptions of an import of past sales. Source names where they are from: importing a source again changes what it
// wrote. Columns says for ours what theirs is called.
type SalesOptions struct {
	Source    string
	Currency  string
	Columns   map[string]string
	People    string // goes before their customer numbers, so that two systems' do not meet; "shopify:" for Shopify's
	Preset    string
	Forgotten func(kind, value string) bool // whose number it was who asked to be forgotten
	DryRun    bool
	Progress  func(rows int)
}

// salesPreset is what is particular to a known file.
type salesPreset struct {
	skip  func(receipt string) string // why a receipt is no sale, or nothing
	back  func(receipt string) bool   // a receipt of what came back
	goods func(code string) bool
}

// salesPresets are those by name. Without one, a row with a negative quantity came back and every code is goods.
var salesPresets = map[string]salesPreset{
	"": {
		skip:  func(string) string { return "" },
		back:  func(string) bool { return false },
		goods: func(string) bool { return true },
	},
	// Invoices of a British gift wholesaler (Chen 2019, doi:10.24432/C5CG6D).
	"online-retail": {
		skip: func(receipt string) string {
			if strings.HasPrefix(receipt, "A") {
				return "bad debt, not a sale"
			}
			return ""
		},
		back: func(receipt string) bool { return strings.HasPrefix(receipt, "C") },
		goods: func(code string) bool {
			for _, other := range []string{"POST", "DOT", "C2", "C3", "D", "M", "S", "B", "BANK CHARGES", "AMAZONFEE",
				"CRUK", "PADS"} {
				if code == other {
					return false
				}
			}
			return !strings.HasPrefix(code, "ADJUST") && !strings.HasPrefix(code, "TEST") &&
				!strings.HasPrefix(code, "GIFT")
		},
	},
}

// SalesReport is what an import of past sales did. Money is in minor units.
type SalesReport struct {
	Rows, Lines, Receipts, Buyers, Again int
	Written, Changed, Unchanged          int
	Codes, Sold                          int   // different codes, and those that are a SKU of this shop
	Gross, GrossKnown                    int64 // of every line, and of those with a person
	Cancelled, Returned                  int   // rows that took units back on the day, and later
	Unmatched                            int   // rows that took back what was not bought in the file, or part of it
	Refused                              map[string]int
	Currency                             string
	Unread                               []string
	Counted                              bool // what goes with what is counted anew within a minute of the server running
}

// Tell writes the report for a person.
func (r SalesReport) Tell(w io.Writer, dry bool) {
	reasons := make([]string, 0, len(r.Refused))
	for reason := range r.Refused {
		reasons = append(reasons, reason)
	}
	slices.SortFunc(reasons, func(a, b string) int { return cmp.Or(r.Refused[b]-r.Refused[a], strings.Compare(a, b)) })
	for _, reason := range reasons {
		fmt.Fprintf(w, "%d × refused: %s\n", r.Refused[reason], reason)
	}
	if len(r.Unread) > 0 {
		fmt.Fprintf(w, "Not read: %s\n", strings.Join(r.Unread, ", "))
	}
	fmt.Fprintf(w, "%d rows: %d lines of sales, %d rows cancelled on the day, %d returned later, "+
		"%d of what was not bought here.\n", r.Rows, r.Lines, r.Cancelled, r.Returned, r.Unmatched)
	fmt.Fprintf(w, "%d receipts with a customer, of %d customers; %d of them bought again.\n", r.Receipts, r.Buyers,
		r.Again)
	fmt.Fprintf(w, "Gross %s, %s of it with a customer.\n", money.New(r.Gross, r.Currency),
		money.New(r.GrossKnown, r.Currency))
	if dry {
		fmt.Fprintln(w, "Dry run, nothing was saved.")
		return
	}
	fmt.Fprintf(w, "%d rows written, %d changed, %d as they were.\n", r.Written, r.Changed, r.Unchanged)
	if r.Counted {
		fmt.Fprintln(w, "What goes with what is counted anew within a minute, while the shop runs.")
	}
	fmt.Fprintf(w, "%d different codes, %d of them SKUs of this shop.\n", r.Codes, r.Sold)
}

// movement is a row that takes units back.
type movement struct {
	person, code string
	at           time.Time
	quantity     int
}

// key of a line of a receipt. Their numbers begin again in some systems.
type key struct {
	receipt, code string
	day           time.Time
}

// bought is a line with the moment at which it was bought, which only matching needs.
type bought struct {
	history.Sale
	at time.Time
}

// salesChunk rows are written in one transaction.
const salesChunk = 20_000

// Sales reads a file of past sales whole, matches what came back with what was bought, and writes it in chunks. The
// same file again writes the same rows, so that one that was interrupted is simply imported again.
func Sales(ctx context.Context, db pg.DB, r io.Reader, o SalesOptions) (report SalesReport, err error) {
	report.Refused, report.Currency = map[string]int{}, o.Currency
	preset, ok := salesPresets[o.Preset]
	if !ok {
		return report, fmt.Errorf("there is no preset called %q", o.Preset)
	}
	headings := map[string][]string{}
	for ours, theirs := range salesHeadings {
		headings[ours] = theirs
	}
	for ours, theirs := range o.Columns {
		if !slices.Contains(salesColumns, ours) {
			return report, fmt.Errorf("a column can be mapped to %s, not to %q", strings.Join(salesColumns, ", "), ours)
		}
		headings[ours] = []string{theirs}
	}
	rows, err := newReader(r, headings, "code")
	if err != nil {
		return report, err
	}
	for _, needed := range []string{"receipt", "at", "quantity"} {
		if !slices.Contains(rows.columns, needed) {
			return report, fmt.Errorf("%w: it has no column for %s; say which with --columns %s=HEADING", ErrFile, needed,
				needed)
		}
	}
	if !slices.Contains(rows.columns, "price") && !slices.Contains(rows.columns, "amount") {
		return report, fmt.Errorf("%w: it has no column for price or amount; say which with --columns price=HEADING", ErrFile)
	}
	report.Unread = rows.unread
	lines, back, err := readSales(rows, preset, o, &report)
	if err != nil {
		return report, err
	}
	takeBack(lines, back, &report)
	sum(lines, &report)
	for _, line := range lines {
		// What came back was matched by then: who is forgotten leaves their purchases as they were.
		if line.Person != "" && o.Forgotten != nil && o.Forgotten(customer.External, line.Person) {
			line.Person = ""
		}
	}
	if o.DryRun {
		return report, nil
	}
	for chunk := range slices.Chunk(lines, salesChunk) {
		all := make([]history.Sale, len(chunk))
		for i, line := range chunk {
			all[i] = line.Sale
		}
		written, changed, err := history.Write(ctx, db, o.Source, o.Currency, all)
		if err != nil {
			return report, err
		}
		report.Written, report.Changed = report.Written+written, report.Changed+changed
		report.Unchanged += len(all) - written - changed
	}
	if report.Codes, report.Sold, err = history.Known(ctx, db, o.Source); err != nil {
		return report, err
	}
	if report.Written+report.Changed > 0 {
		if report.Counted, err = recommend.Ask(ctx, db); err == nil {
			err = figure.Ask(ctx, db)
		}
	}
	return report, err
}

func readSales(rows *reader, preset salesPreset, o SalesOptions, report *SalesReport) (lines []*bought,
	back []movement, err error) {
	at := map[key]*bought{}
	words := map[string]string{} // one copy of each word, of half a million rows
	kept := func(s string) string {
		if w, ok := words[s]; ok {
			return w
		}
		s = strings.Clone(s)
		words[s] = s
		return s
	}
	decimals := money.Exponent(o.Currency)
	for {
		row, err := rows.read()
		if errors.Is(err, io.EOF) {
			return lines, back, nil
		}
		if err != nil {
			return nil, nil, fmt.Errorf("%w: %v", ErrFile, err)
		}
		report.Rows++
		if o.Progress != nil && report.Rows%10_000 == 0 {
			o.Progress(report.Rows)
		}
		line, moved, why := readSale(row, preset, decimals, rows.csv.Comma == ';')
		if why != "" {
			report.Refused[why]++
			continue
		}
		if line.Person != "" {
			line.Person = o.People + line.Person
		}
		if moved {
			back = append(back, movement{kept(line.Person), kept(line.Code), line.at, line.Quantity})
			continue
		}
		report.Lines++
		k := key{kept(line.Receipt), kept(line.Code), line.Day}
		one := at[k]
		if one == nil {
			line.Receipt, line.Code, line.Person = k.receipt, k.code, kept(line.Person)
			one = &line
			at[k] = one
			lines = append(lines, one)
			continue
		}
		if one.Quantity+line.Quantity > math.MaxInt32 {
			report.Refused["more of one thing on a receipt than can be counted"]++
			continue
		}
		one.Quantity, one.Amount = one.Quantity+line.Quantity, one.Amount+line.Amount
	}
}

var saleTimes = []string{time.DateTime, time.DateOnly, time.RFC3339, "02/01/2006 15:04", "02/01/2006",
	"2006-01-02 15:04"}

// readSale reads a row; why says what is wrong with it, the same for all rows of the kind.
func readSale(r *row, preset salesPreset, decimals int, comma bool) (b bought, moved bool, why string) {
	b.Receipt, b.Code, b.Person = r.get("receipt"), strings.ToUpper(r.get("code")), r.get("person")
	switch {
	case b.Receipt == "" || b.Code == "":
		return b, false, "no receipt or code"
	case len(b.Receipt) > 100 || len(b.Code) > 100 || len(b.Person) > 100:
		return b, false, "a receipt, code or customer of more than 100 letters"
	case strings.ContainsRune(b.Receipt+b.Code+b.Person, 0):
		return b, false, "a character that cannot be stored"
	}
	if why := preset.skip(b.Receipt); why != "" {
		return b, false, why
	}
	var err error
	for _, layout := range saleTimes {
		if b.at, err = time.Parse(layout, r.get("at")); err == nil {
			break
		}
	}
	if err != nil || b.at.Year() < 1900 || b.at.Year() > 2200 {
		return b, false, "no date that can be read"
	}
	if b.at.After(time.Now().Add(24 * time.Hour)) {
		return b, false, "a date that is to come"
	}
	b.Day, b.Goods = b.at.Truncate(24*time.Hour), preset.goods(b.Code)
	quantity, err := strconv.ParseInt(r.get("quantity"), 10, 32)
	if err != nil {
		return b, false, "no quantity that can be read"
	}
	each := r.get("price")
	times := float64(quantity)
	if r.has("amount") {
		each, times = r.get("amount"), 1
		if quantity < 0 && !strings.HasPrefix(each, "-") {
			times = -1
		}
	}
	if comma && strings.Contains(each, ",") { // as they are written where a semicolon parts cells: 1.250,00
		each = strings.ReplaceAll(strings.ReplaceAll(each, ".", ""), ",", ".")
	}
	price, err := strconv.ParseFloat(each, 64)
	if err != nil || math.IsNaN(price) || math.Abs(price*times) > float64(money.MaxUnit) {
		return b, false, "no price that can be read"
	}
	moved = preset.back(b.Receipt) || quantity < 0
	switch {
	case preset.back(b.Receipt) && quantity > 0:
		return b, false, "a credit note with a positive quantity"
	case moved && b.Person == "" && price == 0:
		return b, false, "a booking of stock, not a sale: no customer and no price"
	case quantity == 0:
		return b, false, "no quantity"
	case moved:
		b.Quantity = -int(quantity)
		return b, true, ""
	case price == 0 && b.Person == "":
		return b, false, "a booking of stock, not a sale: no customer and no price"
	case price == 0:
		return b, false, "given for nothing"
	case price < 0:
		return b, false, "a negative price"
	}
	b.Quantity, b.Amount = int(quantity), int64(math.Round(price*times*math.Pow10(decimals)))
	return b, false, ""
}

// takeBack matches what came back with the person's latest earlier purchases of the code: on the same day it was a
// cancellation, later a return.
func takeBack(lines []*bought, back []movement, report *SalesReport) {
	type whose struct{ person, code string }
	by := map[whose][]*bought{}
	for _, line := range lines {
		if line.Person != "" {
			w := whose{line.Person, line.Code}
			by[w] = append(by[w], line)
		}
	}
	for _, all := range by {
		slices.SortStableFunc(all, func(a, b *bought) int { return a.at.Compare(b.at) })
	}
	slices.SortStableFunc(back, func(a, b movement) int { return a.at.Compare(b.at) })
	for _, m := range back {
		all, left := by[whose{m.person, m.code}], m.quantity
		day, later := m.at.Truncate(24*time.Hour), false
		for i := len(all) - 1; i >= 0 && left > 0; i-- {
			line := all[i]
			if line.at.After(m.at) {
				continue
			}
			n := min(left, line.Quantity-line.Cancelled-line.Returned)
			if line.Day.Equal(day) {
				line.Cancelled += n
			} else {
				line.Returned += n
				later = later || n > 0
			}
			left -= n
		}
		switch {
		case left > 0:
			report.Unmatched++
		case later:
			report.Returned++
		default:
			report.Cancelled++
		}
	}
}

// sum adds up what a retailer compares with their own books.
func sum(lines []*bought, report *SalesReport) {
	receipts := map[key]bool{}
	orders := map[string]int{}
	for _, line := range lines {
		report.Gross += line.Amount
		if line.Person == "" {
			continue
		}
		report.GrossKnown += line.Amount
		if k := (key{receipt: line.Receipt, day: line.Day}); !receipts[k] {
			receipts[k] = true
			orders[line.Person]++
		}
	}
	report.Receipts, report.Buyers = len(receipts), len(orders)
	for _, n := range orders {
		if n > 1 {
			report.Again++
		}
	}
}
