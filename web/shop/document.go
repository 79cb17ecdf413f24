package shop

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"counterpart/internal/domain/document"
	"counterpart/internal/domain/location"
	"counterpart/internal/domain/policy"
	"counterpart/internal/platform/money"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/text"
	"counterpart/internal/query/counter"
	"counterpart/internal/query/shop"
	"counterpart/web/part"
	"counterpart/web/respond"
)

// sheet is a paper for a customer: an invoice, a credit note or a receipt. The page and the PDF say the same.
type sheet struct {
	Title   string
	About   []string
	Shop    string
	Logo    string // key of the picture that stands for the shop's name; empty: the name in letters
	Seller  []string
	Buyer   []string
	Columns [4]string
	Rows    []sheetRow
	Sums    []sheetSum
	Notes   []string // below the sums
	Square  string   // what its QR code says; empty: none
	Narrow  bool     // printed on a roll of 80 mm
	Address string   // of this page
}

// sheetRow is what was sold, or what came back.
type sheetRow struct {
	What, Detail, Pieces, Tax, Amount string
}

type sheetSum struct {
	Name, Amount string
	Total        bool
}

// document shows an invoice or a credit note as it was issued.
func (p *Pages) document(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	o, err := p.readOrder(r)
	if err != nil {
		return nil, err
	}
	all, err := document.OfOrder(r.Context(), p.DB, o.ID)
	if err != nil {
		return nil, err
	}
	typed, pdf := strings.CutSuffix(chi.URLParam(r, "number"), ".pdf")
	for _, d := range all {
		if d.Series == chi.URLParam(r, "series") && d.Number == number(typed) {
			return p.answerSheet(w, r, documentSheet(r.Context(), o, d),
				fmt.Sprintf("%s-%d", strings.ReplaceAll(d.Series, "_", "-"), d.Number), pdf)
		}
	}
	return nil, respond.NotFound()
}

// receipt shows what was paid and how, with the square by which a counter finds the order. There is one as soon as an
// order is paid.
func (p *Pages) receipt(w http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	o, err := p.readOrder(r)
	if err != nil {
		return nil, err
	}
	if o.PaymentState != "paid" {
		return nil, respond.NotFound()
	}
	s, err := p.receiptOf(r.Context(), o)
	if err != nil {
		return nil, err
	}
	return p.answerSheet(w, r, s, fmt.Sprintf("receipt-%d", o.Number), strings.HasSuffix(r.URL.Path, ".pdf"))
}

func columns(ctx context.Context) [4]string {
	return [4]string{text.T(ctx, "Item"), text.T(ctx, "Qty"), text.T(ctx, "Tax"), text.T(ctx, "Amount")}
}

// answerSheet shows a sheet under the shop's logo, as a page or printed.
func (p *Pages) answerSheet(w http.ResponseWriter, r *http.Request, s sheet, name string, pdf bool) (respond.Answer,
	error) {
	var theme location.Theme
	if err := pg.Ask(r.Context(), p.DB, location.ThemeOf(&theme)); err != nil {
		return nil, err
	}
	s.Logo = theme.Logo
	if !pdf {
		return respond.Page(sheetPage(s)), nil
	}
	var logo io.Reader
	if s.Logo != "" {
		// Without its picture the sheet has the shop's name in letters.
		if file, err := p.Files.Open(s.Logo); err == nil {
			defer file.Close()
			logo = file
		}
	}
	body, err := printed(s, logo)
	if err != nil {
		return nil, err
	}
	w.Header().Set("Content-Type", "application/pdf")
	w.Header().Set("Content-Disposition", fmt.Sprintf(`inline; filename="%s.pdf"`, name))
	_, _ = w.Write(body) // The browser may have gone; there is nobody to tell.
	return respond.Done, nil
}

func documentSheet(ctx context.Context, o *shop.Order, d document.Document) sheet {
	amount := func(minor int64) string { return money.New(minor, d.Currency).In(text.Content(ctx)) }
	s := sheet{
		Columns: columns(ctx), Title: part.DocumentName(ctx, d.Series) + " " +
			fmt.Sprint(d.Number), Shop: d.Body.Shop, Seller: sellerLines(ctx, d.Body), Buyer: buyerLines(ctx, d.Body),
		Address: fmt.Sprintf("/orders/%s/documents/%s/%d", o.PublicID, d.Series, d.Number),
		About: []string{text.Say(ctx, text.Date(d.Day)), text.T(ctx, "Order {number}",
			text.Args{"number": d.Body.Order})},
	}
	if d.Body.Corrects != 0 {
		s.About = append(s.About, text.T(ctx, "Corrects invoice {number}", text.Args{"number": d.Body.Corrects}))
	}
	for _, l := range d.Body.Lines {
		title := l.Title
		if l.Reduced {
			title = text.T(ctx, "Price reduction: {title}", text.Args{"title": l.Title})
		}
		s.Rows = append(s.Rows, sheetRow{title, l.SKU, fmt.Sprint(l.Quantity), l.TaxName, amount(l.Paid)})
	}
	for _, t := range d.Body.Taxes {
		s.Sums = append(s.Sums, sheetSum{Name: text.T(ctx, "{tax} on {net}",
			text.Args{"tax": t.Name, "net": money.New(t.Net, d.Currency)}), Amount: amount(t.Tax)})
	}
	s.Sums = append(s.Sums, sheetSum{Name: text.T(ctx, "Total"), Amount: amount(d.Total), Total: true})
	return s
}

// sellerLines are the company that sold, its numbers, and the store where that was.
func sellerLines(ctx context.Context, b document.Body) []string {
	lines := slices.Clone(b.Seller)
	if b.Company != "" {
		lines = append(lines, text.T(ctx, "Company number {number}", text.Args{"number": b.Company}))
	}
	if b.VAT != "" {
		lines = append(lines, text.T(ctx, "VAT number {number}", text.Args{"number": b.VAT}))
	}
	return append(lines, b.Store...)
}

func buyerLines(ctx context.Context, b document.Body) []string {
	if b.BuyerVAT == "" {
		return b.Buyer
	}
	return append(slices.Clone(b.Buyer), text.T(ctx, "VAT number {number}", text.Args{"number": b.BuyerVAT}))
}

// receiptOf is a receipt with who sold: as the invoice froze it, and before there is one, as it stands.
func (p *Pages) receiptOf(ctx context.Context, o *shop.Order) (sheet, error) {
	issued, err := document.OfOrder(ctx, p.DB, o.ID)
	if err != nil {
		return sheet{}, err
	}
	policy, err := policy.Read(ctx, p.DB)
	if err != nil {
		return sheet{}, err
	}
	var body document.Body
	if len(issued) > 0 {
		body = issued[0].Body
	} else {
		seller, err := location.SellerAt(ctx, p.DB, o.Store.ID)
		if err != nil {
			return sheet{}, err
		}
		shop, err := location.ShopOf(ctx, p.DB)
		if err != nil {
			return sheet{}, err
		}
		body = document.Body{Shop: shop.Name, Seller: seller.Label(), Company: seller.CompanyNumber,
			VAT: seller.VATNumber, Store: []string{o.Store.Name, o.Store.Street,
				strings.TrimSpace(o.Store.Town + " " + o.Store.Postcode)}}
	}
	s := receiptSheet(ctx, o)
	s.Shop, s.Seller = body.Shop, sellerLines(ctx, body)
	var last time.Time
	for _, f := range o.Parts {
		if f.CollectedAt != nil && f.CollectedAt.After(last) {
			last = *f.CollectedAt
		}
	}
	if by := last.AddDate(0, 0, policy.ReturnDays); !last.IsZero() && policy.ReturnDays > 0 {
		s.Notes = append(s.Notes, text.T(ctx, "Return by {day}",
			text.Args{"day": text.Date(by.In(o.Store.Zone()))}))
	}
	return s, nil
}

func receiptSheet(ctx context.Context, o *shop.Order) sheet {
	amount := func(minor int64) string { return o.Money(minor).In(text.Content(ctx)) }
	at := o.PlacedAt.In(o.Store.Zone())
	s := sheet{
		Columns: columns(ctx), Title: text.T(ctx, "Receipt"), About: []string{text.Say(ctx, text.DateTime(at)),
			text.T(ctx, "Order {number}", text.Args{"number": o.Number})},
		Narrow: true, Square: counter.ReceiptPrefix + o.PublicID, Address: "/orders/" + o.PublicID + "/receipt",
	}
	if o.Name != "" {
		s.Buyer = []string{o.Name}
	}
	taxes := map[string]int64{}
	var names []string
	count := func(name string, tax int64) {
		if tax == 0 {
			return
		}
		if _, ok := taxes[name]; !ok {
			names = append(names, name)
		}
		taxes[name] += tax
	}
	total := int64(0)
	for _, l := range o.Lines {
		kept := l.Quantity - l.Cancelled
		if kept == 0 {
			continue
		}
		detail := l.SKU
		if l.Options != "" {
			detail = l.Options + " · " + detail
		}
		s.Rows = append(s.Rows, sheetRow{l.Title, detail, fmt.Sprintf("%d × %s", kept, amount(l.UnitPrice)), l.TaxName,
			amount(l.Kept)})
		total += l.Kept
		count(l.TaxName, l.KeptTax)
	}
	for _, f := range o.Parts {
		if f.Method == "ship" && f.State != "cancelled" {
			s.Rows = append(s.Rows, sheetRow{text.T(ctx, "Delivery"), f.Carrier, "1", "", amount(f.Paid)})
			total += f.Paid
			count(f.TaxName, f.Tax)
		}
	}
	s.Sums = append(s.Sums, sheetSum{Name: text.T(ctx, "Total"), Amount: amount(total), Total: true})
	for _, name := range names {
		s.Sums = append(s.Sums, sheetSum{Name: text.T(ctx, "{tax} included", text.Args{"tax": name}),
			Amount: amount(taxes[name])})
	}
	for _, t := range o.Tenders {
		if t.Captured > 0 {
			s.Sums = append(s.Sums, sheetSum{Name: part.TenderDetail(ctx, t), Amount: amount(t.Captured)})
		}
	}
	if given, change := o.Change(); change > 0 {
		s.Sums = append(s.Sums, sheetSum{Name: text.T(ctx, "Cash given"), Amount: amount(given)},
			sheetSum{Name: text.S(ctx, "money", "Change"), Amount: amount(change)})
	}
	if back := o.Refunded(); back > 0 {
		s.Sums = append(s.Sums, sheetSum{Name: text.T(ctx, "Refunded"), Amount: amount(-back)})
	}
	return s
}
