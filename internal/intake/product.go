package intake

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html"

	"counterpart/internal/catalog"
	"counterpart/internal/money"
)

// incoming is one product on its way from rows to the catalogue.
type incoming struct {
	options    Options
	root       *os.Root
	first      row
	product    catalog.Product
	quantities map[string]int
	pictures   map[string]bool
	complaints []Complaint
	refused    bool
}

func (in *incoming) refuse(r row, reason string, args ...any) {
	in.refused = true
	in.complaints = append(in.complaints, Complaint{r.n, r.get("handle"), fmt.Sprintf(reason, args...), true})
}

func (in *incoming) leaveOut(r row, reason string) {
	in.complaints = append(in.complaints, Complaint{r.n, r.get("handle"), reason, false})
}

// Limits of what one product can be.
const (
	maxVariants = 2048
	maxTitle    = 255
	maxText     = 100_000
	maxCell     = 255
)

func (in *incoming) read(group []row) {
	in.first = group[0]
	in.quantities, in.pictures = map[string]int{}, map[string]bool{}
	for _, r := range group {
		for column, cell := range r.cells {
			if !utf8.ValidString(cell) || strings.ContainsAny(cell, "\x00\ufffd") {
				in.refuse(r, "the column %s is not readable text: save the file as UTF-8", column)
				return
			}
			if most := map[bool]int{true: maxText, false: 10 * maxCell}[column == "description"]; utf8.RuneCountInString(cell) > most {
				in.refuse(r, "the column %s has more than %d letters", column, most)
				return
			}
		}
	}
	in.readHead(in.first)
	for _, r := range group {
		in.readPicture(r)
		in.readVariant(r)
	}
	if len(in.product.Variants) == 0 && !in.refused {
		in.refuse(in.first, "it has no variant: a row with a price is missing")
	}
	if len(in.product.Variants) > maxVariants {
		in.refuse(in.first, "it has more than %d variants", maxVariants)
	}
}

func (in *incoming) readHead(r row) {
	p := &in.product
	p.Title, p.Language = r.get("title"), "en"
	if p.Title == "" {
		in.refuse(r, "the title is missing")
	}
	if utf8.RuneCountInString(p.Title) > maxTitle {
		in.refuse(r, "the title has more than %d letters", maxTitle)
	}
	if p.Slug = catalog.Slug(r.get("handle")); p.Slug == "" {
		p.Slug = catalog.Slug(p.Title)
	}
	if p.Slug == "" {
		in.refuse(r, "neither handle nor title has a letter for the address of its page")
	}
	text := func(column string) *string {
		if !r.has(column) {
			return nil
		}
		return new(r.get(column))
	}
	p.Brand = text("vendor")
	if r.has("description") {
		p.Description = new(plain(r.get("description")))
	}
	p.Status = in.status(r)
	if path := categoryPath(r); path != nil {
		p.Categories = []catalog.Category{{Path: path}}
	}
	if r.has("tags") {
		p.Tags = []string{}
		for tag := range strings.SplitSeq(r.get("tags"), ",") {
			if tag = strings.TrimSpace(tag); tag != "" && !slices.Contains(p.Tags, tag) {
				p.Tags = append(p.Tags, tag)
			}
		}
	}
	for _, column := range []string{"option1 name", "option2 name", "option3 name"} {
		// A product without options has one that is called Title.
		if name := r.get(column); name != "" && !(name == "Title" && r.get("option1") == "Default Title") {
			if slices.Contains(p.Options, name) {
				in.refuse(r, "the option %s stands twice", name)
			}
			p.Options = append(p.Options, name)
		}
	}
	if p.Options == nil {
		p.Options = []string{}
	}
}

func (in *incoming) status(r row) *string {
	switch strings.ToLower(r.get("status")) {
	case "active":
		if strings.EqualFold(r.get("published"), "false") {
			return new("draft")
		}
		return new("active")
	case "draft", "archived":
		return new(strings.ToLower(r.get("status")))
	case "":
		if strings.EqualFold(r.get("published"), "false") {
			return new("draft")
		}
		return nil
	}
	in.refuse(r, "the status %q is not active, draft or archived", r.get("status"))
	return nil
}

// categoryPath is “Men > Tops” from the department down; where there is no category, the type stands for one.
func categoryPath(r row) []string {
	text := r.get("category")
	if text == "" {
		text = r.get("type")
	}
	var path []string
	for name := range strings.SplitSeq(text, ">") {
		if name = strings.TrimSpace(name); name != "" && catalog.Slug(name) != "" {
			path = append(path, name)
		}
	}
	return path
}

func (in *incoming) readPicture(r row) {
	for _, column := range []string{"picture", "variant picture"} {
		name := r.get(column)
		if name == "" || in.pictures[name] {
			continue
		}
		in.pictures[name] = true
		key, why := in.keepPicture(name)
		if why != "" {
			in.leaveOut(r, why)
			continue
		}
		alt := in.product.Title
		if column == "picture" && r.get("alt") != "" {
			alt = r.get("alt")
		}
		in.product.Pictures = append(in.product.Pictures, catalog.Picture{Source: name, Original: key, Alt: alt})
	}
}

// readVariant reads a row that sells something. One that has neither option nor SKU nor price only brings a picture.
func (in *incoming) readVariant(r row) {
	values := []string{}
	for i := range in.product.Options {
		value := r.get(fmt.Sprintf("option%d", i+1))
		if utf8.RuneCountInString(value) > maxCell {
			in.refuse(r, "the value of %s has more than %d letters", in.product.Options[i], maxCell)
			return
		}
		values = append(values, value)
	}
	given := slices.ContainsFunc(values, func(v string) bool { return v != "" })
	if !given && r.get("sku") == "" && r.get("price") == "" {
		return
	}
	if len(in.product.Options) > 0 && values[0] == "Default Title" {
		// Some exports add a row for the product as a whole, with the SKU of a variant and a price of its own. It is not one more thing to buy.
		in.leaveOut(r, "a “Default Title” among named variants is the product as a whole: only its picture was read")
		return
	}
	if slices.Contains(values, "") {
		in.refuse(r, "the value of %s is missing", in.product.Options[slices.Index(values, "")])
		return
	}
	v := catalog.Variant{SKU: r.get("sku"), Options: values, TaxClass: "standard", Picture: r.get("variant picture")}
	if v.SKU == "" {
		v.SKU = strings.ToUpper(catalog.Slug(strings.Join(append([]string{in.product.Slug}, values...), " ")))
	}
	if utf8.RuneCountInString(v.SKU) > maxCell {
		in.refuse(r, "the SKU has more than %d letters", maxCell)
	}
	for _, other := range in.product.Variants {
		if strings.EqualFold(other.SKU, v.SKU) {
			in.refuse(r, "the SKU %s stands twice", v.SKU)
		}
		if slices.Equal(other.Options, v.Options) {
			in.refuse(r, "there are two variants %q", strings.Join(values, " / "))
		}
	}
	if code := r.get("barcode"); code != "" {
		gtin, ok := catalog.GTIN(strings.TrimPrefix(code, "'"))
		if !ok {
			in.refuse(r, "the barcode %s is wrong: its digits do not add up", code)
		}
		v.GTIN = gtin
	}
	if strings.EqualFold(r.get("taxable"), "false") {
		v.TaxClass = "zero"
	}
	v.Grams = in.whole(r, "grams", "weight")
	if price, ok := in.price(r); ok {
		v.Prices = []catalog.Price{price}
	}
	if cost := r.get("cost"); cost != "" {
		if amount, err := money.Parse(cost, in.options.Location.Currency); err != nil {
			in.refuse(r, "the cost %q is not an amount", cost)
		} else {
			v.UnitCost = &amount.Minor
		}
	}
	in.quantities[v.SKU] = in.whole(r, "quantity", "quantity")
	in.product.Variants = append(in.product.Variants, v)
}

func (in *incoming) price(r row) (catalog.Price, bool) {
	at := in.options.Location
	if r.get("price") == "" {
		if r.has("price") {
			in.refuse(r, "the price is missing")
		}
		return catalog.Price{}, false
	}
	amount, err := money.Parse(r.get("price"), at.Currency)
	if err != nil || amount.Minor > money.MaxUnit {
		in.refuse(r, "the price %q is not an amount in %s", r.get("price"), at.Currency)
		return catalog.Price{}, false
	}
	price := catalog.Price{Currency: at.Currency, TaxIncluded: at.TaxIncluded, Amount: amount.Minor}
	if compare := r.get("compare"); compare != "" {
		before, err := money.Parse(compare, at.Currency)
		switch {
		case err != nil || before.Minor > money.MaxUnit:
			in.refuse(r, "the compare-at price %q is not an amount in %s", compare, at.Currency)
		case before.Minor > amount.Minor:
			price.CompareAt = &before.Minor
		}
	}
	return price, true
}

// whole reads a number of pieces or grams. Shopify writes sold-out-and-beyond as a number below zero: none are on the shelf.
func (in *incoming) whole(r row, column, name string) int {
	text := strings.TrimSuffix(r.get(column), ".0")
	if text == "" {
		return 0
	}
	n, err := strconv.Atoi(text)
	if err != nil || n > 10_000_000 {
		in.refuse(r, "the %s %q is not a whole number", name, r.get(column))
		return 0
	}
	return max(n, 0)
}

// plain is the text of an HTML description: paragraphs and list items parted by an empty line, all else left out.
func plain(markup string) string {
	tokens := html.NewTokenizer(strings.NewReader(markup))
	var out strings.Builder
	skip := 0
	for {
		switch tokens.Next() {
		case html.ErrorToken:
			return tidy(out.String())
		case html.TextToken:
			if skip == 0 {
				out.WriteString(strings.Join(strings.Fields(" "+tokens.Token().Data+" "), " ") + " ")
			}
		case html.StartTagToken, html.SelfClosingTagToken, html.EndTagToken:
			token := tokens.Token()
			switch token.Data {
			case "p", "div", "br", "li", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6", "tr":
				out.WriteString("\n\n")
			case "script", "style":
				if token.Type == html.StartTagToken {
					skip++
				} else if token.Type == html.EndTagToken && skip > 0 {
					skip--
				}
			}
		}
	}
}

func tidy(text string) string {
	var paragraphs []string
	for paragraph := range strings.SplitSeq(text, "\n\n") {
		if paragraph = strings.Join(strings.Fields(paragraph), " "); paragraph != "" {
			paragraphs = append(paragraphs, strings.NewReplacer(" .", ".", " ,", ",").Replace(paragraph))
		}
	}
	return strings.Join(paragraphs, "\n\n")
}
