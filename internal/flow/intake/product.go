package intake

import (
	"context"
	"fmt"
	"hash/fnv"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html"

	"counterpart/internal/domain/catalog"
	"counterpart/internal/platform/money"
	"counterpart/internal/platform/pg"
)

// incoming is one product on its way from rows to the catalogue.
type incoming struct {
	options    Options
	root       *os.Root
	first      row
	product    catalog.Product
	rows       []row // of each variant
	quantities map[string]int
	pictures   map[string]bool
	complaints []Complaint
	refused    bool // the whole product: it has no title, or nothing that can be sold
}

// refuse leaves the product out; notice says what of it was left out or mended.
func (in *incoming) refuse(r row, reason string, args ...any) {
	in.refused = true
	in.complain(r, true, reason, args...)
}

func (in *incoming) notice(r row, reason string, args ...any) {
	in.complain(r, false, reason, args...)
}

func (in *incoming) complain(r row, whole bool, reason string, args ...any) {
	in.complaints = append(in.complaints, Complaint{Row: r.n, Handle: r.get("handle"), Reason: reason, Args: args,
		Whole: whole})
}

// Limits of what one product can be.
const (
	maxVariants = 2048
	maxTitle    = 255
	maxText     = 100_000
	maxCell     = 255
)

// read takes what the rows say. Whatever is optional and cannot be read is left out with a notice; only a missing title
// refuses a product, and only a missing price a variant.
func (in *incoming) read(group []row) {
	in.first = group[0]
	in.quantities, in.pictures = map[string]int{}, map[string]bool{}
	for _, r := range group {
		in.readable(r)
	}
	in.readHead(in.first)
	for _, r := range group {
		in.readPicture(r)
		in.readVariant(r)
	}
	if len(in.product.Variants) == 0 && !in.refused {
		in.refuse(in.first, "it has no variant that can be sold: a row with a price is missing")
	}
	in.tellApart()
}

// readable takes out of a row what cannot be kept, and cuts what is longer than any page shows.
func (in *incoming) readable(r row) {
	for column, cell := range r.cells {
		if !utf8.ValidString(cell) || strings.ContainsAny(cell, "\x00\ufffd") {
			cell = strings.Map(func(c rune) rune {
				if c == 0 || c == '\ufffd' {
					return -1
				}
				return c
			}, strings.ToValidUTF8(cell, ""))
			in.notice(r, "the column %s had characters that cannot be read, which were left out: save the file as UTF-8", column)
		}
		if most := map[bool]int{true: maxText,
			false: 10 * maxCell}[column == "description"]; utf8.RuneCountInString(cell) > most {
			cell = string([]rune(cell)[:most])
			in.notice(r, "the column %s was cut after %d characters", column, most)
		}
		r.cells[column] = cell
	}
}

func (in *incoming) readHead(r row) {
	p := &in.product
	p.Title, p.Language = r.get("title"), "en"
	if p.Title == "" {
		in.refuse(r, "the title is missing")
	}
	if utf8.RuneCountInString(p.Title) > maxTitle {
		p.Title = string([]rune(p.Title)[:maxTitle])
		in.notice(r, "the title was cut after %d characters", maxTitle)
	}
	// The address of its page: from what has a letter or a digit for it.
	for _, name := range []string{r.get("handle"), p.Title, r.get("sku")} {
		if p.Slug == "" {
			p.Slug = catalog.Slug(name)
		}
	}
	if p.Slug == "" {
		hash := fnv.New32a()
		hash.Write([]byte(r.get("handle") + p.Title))
		p.Slug = fmt.Sprintf("item-%08x", hash.Sum32())
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
	p.Options = []string{}
	for _, column := range []string{"option1 name", "option2 name", "option3 name"} {
		// A product without options has one that is called Title.
		if name := r.get(column); name != "" && !(name == "Title" && r.get("option1") == "Default Title") {
			if slices.Contains(p.Options, name) {
				in.notice(r, "the option %q appears twice: the second one is called %q", name, name+" 2")
				name += " 2"
			}
			p.Options = append(p.Options, name)
		}
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
	in.notice(r, "the status %q is not active, draft or archived: it came in as a draft", r.get("status"))
	return new("draft")
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
		if why.reason != "" {
			in.notice(r, why.reason, why.args...)
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
			value = string([]rune(value)[:maxCell])
			in.notice(r, "the value of %s was cut after %d characters", in.product.Options[i], maxCell)
		}
		values = append(values, value)
	}
	given := slices.ContainsFunc(values, func(v string) bool { return v != "" })
	if !given && r.get("sku") == "" && r.get("price") == "" {
		return
	}
	if len(in.product.Options) > 0 && values[0] == "Default Title" {
		// Some exports add a row for the product as a whole, with the SKU of a variant and a price of its own. It is
		// not one more thing to buy.
		in.notice(r, "a “Default Title” among named variants is the product as a whole: only its picture was read")
		return
	}
	prices, sold := in.prices(r)
	if !sold {
		return
	}
	if len(in.product.Variants) == maxVariants {
		in.notice(r, "it has more than %d variants: this one was left out", maxVariants)
		return
	}
	v := catalog.Variant{SKU: r.get("sku"), Options: values, TaxClass: "standard", Picture: r.get("variant picture"),
		Prices: prices}
	if v.SKU == "" {
		v.SKU = strings.ToUpper(catalog.Slug(strings.Join(append([]string{in.product.Slug}, values...), " ")))
	}
	if utf8.RuneCountInString(v.SKU) > maxCell {
		v.SKU = string([]rune(v.SKU)[:maxCell])
		in.notice(r, "the SKU was cut after %d characters", maxCell)
	}
	v.GTIN, v.Code = in.barcode(r)
	if strings.EqualFold(r.get("taxable"), "false") {
		v.TaxClass = "zero"
	}
	v.Grams = in.whole(r, "grams", "weight")
	if cost := r.get("cost"); cost != "" {
		if amount, err := money.Parse(cost, in.options.Location.Currency); err != nil || amount.Minor > money.MaxUnit {
			in.notice(r, "the cost %q is not an amount: it was left out", cost)
		} else {
			v.UnitCost = &amount.Minor
		}
	}
	// Shopify keeps no stock of what names no tracker.
	if r.has("tracker") {
		v.Tracked = new(r.get("tracker") != "")
	}
	if r.has("policy") {
		policy := strings.ToLower(r.get("policy"))
		v.BackOrder = new(policy == "continue" || policy == "true" || policy == "yes")
	}
	in.product.Variants, in.rows = append(in.product.Variants, v), append(in.rows, r)
}

// tellApart gives variants that are called alike names of their own, so that none is lost.
func (in *incoming) tellApart() {
	p := &in.product
	if len(p.Options) == 0 && len(p.Variants) > 1 {
		p.Options = []string{"Item"}
		for i := range p.Variants {
			p.Variants[i].Options = []string{p.Variants[i].SKU}
		}
		in.notice(in.first, "its variants have no options to tell them apart: each is shown by its SKU")
	}
	seen := map[string]bool{}
	for i := range p.Variants {
		v := &p.Variants[i]
		for k, value := range v.Options {
			if value == "" {
				v.Options[k] = "–"
				in.notice(in.rows[i], "the value of %s is missing: a dash stands for it", p.Options[k])
			}
		}
		alike := func() string { return strings.ToLower(strings.Join(v.Options, "\x00")) }
		if last := len(v.Options) - 1; last >= 0 && seen[alike()] {
			was := v.Options[last]
			for n := 2; seen[alike()]; n++ {
				v.Options[last] = fmt.Sprintf("%s (%d)", was, n)
			}
			in.notice(in.rows[i], "another variant is called %q, too: this one is %q", was, v.Options[last])
		}
		seen[alike()] = true
	}
}

// barcode reads the cell: a GTIN; one that lost its leading zeros in a spreadsheet, which stays findable as it was
// typed; or a code of the retailer's own.
func (in *incoming) barcode(r row) (gtin, own string) {
	typed := r.get("barcode")
	if typed == "" {
		return "", ""
	}
	if gtin, ok := catalog.GTIN(typed); ok {
		return gtin, ""
	}
	key := catalog.Key(typed)
	if utf8.RuneCountInString(key) > 80 || key == "" {
		in.notice(r, "the barcode %q cannot be scanned: it was left out", typed)
		return "", ""
	}
	if gtin, ok := catalog.Completed(key); ok {
		return gtin, typed
	}
	if strings.Trim(key, "0123456789") == "" && len(key) >= 12 {
		in.notice(r, "the barcode %s is no GTIN, its check digit does not fit: it was kept as a code of your own",
			typed)
	}
	return "", typed
}

// prices of a row. sold is false where it names no price that can be asked for: then it sells nothing.
func (in *incoming) prices(r row) (all []catalog.Price, sold bool) {
	at := in.options.Location
	if r.get("price") == "" {
		if r.has("price") {
			in.notice(r, "the price is missing: this variant was left out")
			return nil, false
		}
		return nil, true // A file without the column keeps what is there.
	}
	amount, err := money.Parse(r.get("price"), at.Currency)
	if err != nil || amount.Minor > money.MaxUnit {
		in.notice(r, "the price %q is not an amount in %s: this variant was left out", r.get("price"), at.Currency)
		return nil, false
	}
	price := catalog.Price{Currency: at.Currency, TaxIncluded: at.TaxIncluded, Amount: amount.Minor}
	if compare := r.get("compare"); compare != "" {
		before, err := money.Parse(compare, at.Currency)
		switch {
		case err != nil || before.Minor > money.MaxUnit:
			in.notice(r, "the compare-at price %q is not an amount in %s: it was left out", compare, at.Currency)
		case before.Minor > amount.Minor:
			price.CompareAt = &before.Minor
		}
	}
	return []catalog.Price{price}, true
}

// whole reads a number of units or grams. Shopify writes sold-out-and-beyond as a number below zero: none are on the
// shelf.
func (in *incoming) whole(r row, column, name string) int {
	text := strings.TrimSuffix(r.get(column), ".0")
	if text == "" {
		return 0
	}
	n, err := strconv.Atoi(text)
	if err != nil || n > 10_000_000 {
		in.notice(r, "the %s %q is not a whole number: it was left out", name, r.get(column))
		return 0
	}
	return max(n, 0)
}

// settleCodes gives a SKU that another product has a suffix, and leaves a barcode that another variant has with that
// one. What is called the same in a second import is called the same again, so that it changes nothing.
func (in *incoming) settleCodes(ctx context.Context, db pg.DB) error {
	p := &in.product
	mine := map[string]bool{} // SKUs that the file gives this product
	for _, v := range p.Variants {
		mine[strings.ToUpper(v.SKU)] = true
	}
	taken, codes := map[string]bool{}, map[string]string{} // by variants of this product before
	owners, err := in.owners(ctx, db, "")
	if err != nil {
		return err
	}
	for i := range p.Variants {
		v, r := &p.Variants[i], in.rows[i]
		was := v.SKU
		free := func(sku string) bool {
			owner, there := owners["sku:"+strings.ToUpper(sku)]
			return !taken[strings.ToUpper(sku)] && (!there || owner.Slug == p.Slug)
		}
		for n := 2; !free(v.SKU); n++ {
			v.SKU = fmt.Sprintf("%s-%d", was, n)
			if mine[strings.ToUpper(v.SKU)] {
				continue // another row of the file is called so
			}
			if _, asked := owners["sku:"+strings.ToUpper(v.SKU)]; !asked {
				more, err := in.owners(ctx, db, v.SKU)
				if err != nil {
					return err
				}
				for name, owner := range more {
					owners[name] = owner
				}
			}
		}
		if v.SKU != was {
			other := p.Slug
			if owner, there := owners["sku:"+strings.ToUpper(was)]; there {
				other = owner.Slug
			}
			in.notice(r, "the SKU %s is %s’s already: here it is %s", was, other, v.SKU)
		}
		taken[strings.ToUpper(v.SKU)] = true
		// A barcode stays with whoever had it first.
		left := func(name, shown string) bool {
			owner, there := owners[name]
			first, earlier := codes[name]
			if there && (owner.Slug != p.Slug || !strings.EqualFold(owner.SKU, v.SKU)) {
				in.notice(r, "the barcode %s is %s’s already (%s): it was left out of %s", shown, owner.Slug, owner.SKU,
					p.Slug)
				return true
			}
			if earlier {
				in.notice(r, "the barcode %s is %s’s already (%s): it was left out of %s", shown, p.Slug, first, v.SKU)
				return true
			}
			codes[name] = v.SKU
			return false
		}
		if v.GTIN != "" && left("gtin:"+v.GTIN, catalog.Printed(v.GTIN)) {
			v.GTIN = ""
		}
		if v.Code != "" && left("own:"+catalog.Key(v.Code), v.Code) {
			v.Code = ""
		}
		in.quantities[v.SKU] = in.whole(r, "quantity", "quantity")
	}
	return nil
}

// owners asks who has the codes of this product already, or who has one more SKU.
func (in *incoming) owners(ctx context.Context, db pg.DB, sku string) (map[string]catalog.Owner, error) {
	if sku != "" {
		return catalog.Owners(ctx, db, []string{strings.ToUpper(sku)}, nil, nil)
	}
	var skus, gtins, keys []string
	for _, v := range in.product.Variants {
		skus, gtins, keys = append(skus, strings.ToUpper(v.SKU)), append(gtins, v.GTIN), append(keys,
			catalog.Key(v.Code))
	}
	return catalog.Owners(ctx, db, skus, gtins, keys)
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
