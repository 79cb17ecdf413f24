package admin

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"counterpart/internal/domain/catalog"
	"counterpart/internal/domain/location"
	"counterpart/internal/domain/staff"
	"counterpart/internal/domain/tax"
	"counterpart/internal/flow/assortment"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/merge"
	"counterpart/internal/platform/money"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/text"
	"counterpart/internal/query/admin"
	"counterpart/web/access"
	"counterpart/web/part"
	"counterpart/web/respond"
	"counterpart/web/ui"
)

// productsView is the list of products with what it was narrowed by.
type productsView struct {
	listing
	Filter      admin.ProductFilter
	Rows        []admin.ProductRow
	Departments []catalog.Department
	MayEdit     bool
}

func productFilter(r *http.Request) admin.ProductFilter {
	q := r.URL.Query()
	f := admin.ProductFilter{Words: typed(q.Get("q")), Empty: q.Get("empty") == "1", Places: seenBy(r)}
	if status := q.Get("status"); slices.Contains(catalog.Statuses, status) {
		f.Status = status
	}
	f.Department, _ = strconv.ParseInt(q.Get("department"), 10, 64)
	return f
}

func (p *Pages) products(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	list, err := p.newListing(r, "products", "/admin/products")
	if err != nil {
		return nil, err
	}
	v := productsView{listing: list, Filter: productFilter(r), MayEdit: mayEdit(r)}
	v.Columns = []column{{"brand", text.T(r.Context(), "Brand")}, {"status", text.T(r.Context(), "Status")},
		{"variants", text.T(r.Context(), "Variants")}, {"stock", text.T(r.Context(), "On hand")}}
	if v.Rows, v.Total, err = admin.Products(r.Context(), p.DB, v.Filter, v.page()); err != nil {
		return nil, err
	}
	v.Rows = trimmed(&v.listing, v.Rows, func(row admin.ProductRow) int64 { return row.ID })
	if v.beyond(len(v.Rows)) {
		return respond.See(v.address("", 0)), nil
	}
	if err := pg.Ask(r.Context(), p.DB, catalog.Departments(&v.Departments)); err != nil {
		return nil, err
	}
	return respond.Page(productsPage(frame(r, text.T(r.Context(), "Products"), "products"), v)), nil
}

// productsCSV is the list as a file, as far as it is counted.
func (p *Pages) productsCSV(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	rows, _, err := admin.Products(r.Context(), p.DB, productFilter(r), admin.Page{Most: admin.CountUpTo})
	if err != nil {
		return nil, err
	}
	var cells [][]string
	for _, row := range rows {
		cells = append(cells, []string{row.Slug, row.Title, row.Brand, row.Status, strconv.Itoa(row.Variants),
			strconv.Itoa(row.OnHand), strconv.Itoa(row.Reserved)})
	}
	return download("products", []string{"handle", "title", "brand", "status", "variants", "on_hand", "reserved"},
		cells), nil
}

// departmentOptions are the tree as a list to choose from, with none first.
func departmentOptions(departments []catalog.Department, none string) []ui.Option {
	all := []ui.Option{{Value: "0", Name: none}}
	for _, d := range departments {
		all = append(all, ui.Option{Value: strconv.FormatInt(d.ID, 10), Name: strings.Repeat("– ", d.Depth) + d.Name})
	}
	return all
}

// newProductView is the form that begins a product.
type newProductView struct {
	respond.Mistakes
	Typed       map[string]string
	Departments []catalog.Department
	Classes     []tax.Class
	Lists       []catalog.PriceList
}

func (p *Pages) newProduct(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return p.showNewProduct(r, newProductView{Typed: map[string]string{"class": "standard"}}, nil)
}

func (p *Pages) showNewProduct(r *http.Request, v newProductView, wrong *fault.Fault) (respond.Answer, error) {
	err := pg.Ask(r.Context(), p.DB, catalog.Departments(&v.Departments), tax.AllClasses(&v.Classes),
		catalog.PriceLists(&v.Lists))
	if err != nil {
		return nil, err
	}
	a := frame(r, text.T(r.Context(), "New product"), "products")
	if wrong != nil {
		v.Take(r, wrong)
		return respond.Wrong(wrong, newProductPage(a, v)), nil
	}
	return respond.Page(newProductPage(a, v)), nil
}

// createProduct begins a product with a variant for every combination of its options.
func (p *Pages) createProduct(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	v := newProductView{Typed: typedIn(r, "title", "brand", "department", "class", "option1", "values1", "option2",
		"values2", "option3", "values3")}
	v.Typed["description"] = text.Clean(r.PostFormValue("description"), 20_001)
	var lists []catalog.PriceList
	var classes []tax.Class
	if err := pg.Ask(r.Context(), p.DB, catalog.PriceLists(&lists), tax.AllClasses(&classes)); err != nil {
		return nil, err
	}
	var form fault.Form
	n := assortment.New{Options: catalog.ReadOptions(v.Typed, &form), Class: v.Typed["class"]}
	fields := catalog.Head{Status: "draft", Pickup: true, Ship: true, Slug: catalog.Slug(v.Typed["title"])}.Fields(time.UTC)
	fields["title"], fields["brand"], fields["description"] = v.Typed["title"], v.Typed["brand"], v.Typed["description"]
	fields["categories"] = strings.TrimPrefix(v.Typed["department"], "0")
	if fields["slug"] == "" {
		fields["slug"] = "item"
	}
	n.Head = catalog.ReadHead(fields, time.UTC, &form)
	if !slices.ContainsFunc(classes, func(c tax.Class) bool { return c.Code == n.Class }) {
		form.Add("class", "Choose from the list.")
	}
	for _, list := range lists {
		name := "price_" + strconv.FormatInt(list.ID, 10)
		v.Typed[name] = typed(r.PostFormValue(name))
		if v.Typed[name] == "" {
			continue
		}
		amount, err := money.Parse(v.Typed[name], list.Currency)
		if err != nil || amount.Minor < 1 || amount.Minor > money.MaxUnit {
			form.Add(name, "Enter a price above zero and up to {most}, such as 12.50.",
				text.Args{"most": money.New(money.MaxUnit, list.Currency)})
		}
		n.Prices = append(n.Prices, catalog.Price{Currency: list.Currency, TaxIncluded: list.TaxIncluded,
			Amount: amount.Minor})
	}
	var productID int64
	err := form.Err()
	if err == nil {
		productID, err = assortment.Create(r.Context(), p.DB, at(r), n)
	}
	if f := fault.As(err); f != nil {
		return p.showNewProduct(r, v, f)
	}
	if err != nil {
		return nil, err
	}
	return respond.See(productAddress(productID, "created")), nil
}

func productAddress(id int64, done string) string {
	return fmt.Sprintf("/admin/products/%d?done=%s", id, done)
}

// productView is a product's page, with what was typed into one of its forms.
type productView struct {
	*admin.Product
	editing
	Language string
	MayEdit  bool
	MayCost  bool // may see what things cost
	Zone     *time.Location
	Options  map[string]string // as their form has them
}

func (p *Pages) product(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	return p.showProduct(r, id(r, "id"), productView{}, nil)
}

// languageOf is which texts of a product are edited.
func languageOf(r *http.Request) string {
	if language := r.FormValue("language"); len(language) == 2 && strings.Trim(language, "abcdefghijklmnopqrstuvwxyz") == "" {
		return language
	}
	return text.Source
}

func (p *Pages) showProduct(r *http.Request, productID int64, v productView, wrong *fault.Fault) (respond.Answer,
	error) {
	v.Language = languageOf(r)
	found, err := admin.ProductPage(r.Context(), p.DB, productID, v.Language)
	if err != nil {
		return nil, err
	}
	if found == nil {
		return nil, respond.NotFound()
	}
	if !slices.Contains(found.Languages, v.Language) {
		return nil, respond.NotFound()
	}
	who := access.Session(r.Context())
	v.Product, v.Zone = found, who.Zone()
	v.MayEdit = who.Associate.Role == staff.RoleAdmin
	v.MayCost = v.MayEdit || who.Associate.Role == staff.RoleManager
	v.now = found.Head.Fields(v.Zone)
	for name, value := range found.Grid.Fields() {
		v.now[name] = value
	}
	for _, a := range found.Attributes {
		v.now[catalog.Cell("attribute", a.ID)] = a.Value
	}
	if v.Options == nil {
		v.Options = optionFields(found)
	}
	a := frame(r, found.Title(), "products")
	if wrong != nil {
		if v.Form == "" {
			v.Take(r, wrong)
		}
		return respond.Wrong(wrong, productPage(a, v)), nil
	}
	return respond.Page(productPage(a, v)), nil
}

// optionFields are a product's options as their form has them.
func optionFields(p *admin.Product) map[string]string {
	f := map[string]string{}
	for i, o := range p.Grid.Options(p.Row.Options) {
		f[fmt.Sprintf("option%d", i+1)] = o.Name
		f[fmt.Sprintf("values%d", i+1)] = strings.Join(o.Values, ", ")
	}
	return f
}

// edited sends an edit of one of the page's forms to what it changes, and answers with the page.
func (p *Pages) edited(r *http.Request, form string, edit merge.Edit, save func() error, section string) (
	respond.Answer, error) {
	err := save()
	if f := fault.As(err); f != nil && f.Kind != fault.NotFound {
		var v productView
		v.refused(r, form, edit, f)
		return p.showProduct(r, id(r, "id"), v, f)
	}
	if err != nil {
		return nil, err
	}
	address := productAddress(id(r, "id"), "kept")
	if language := languageOf(r); language != text.Source {
		address += "&language=" + language
	}
	return respond.See(address + section), nil
}

func (p *Pages) saveProduct(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	edit := sentEdit(r, "title", "description", "seo_title", "seo_description", "slug", "brand", "status",
		"publish_at", "tags", "categories", "minimum_age", "pickup", "ship", "origin_country", "customs_code")
	shop, err := location.ShopOf(r.Context(), p.DB)
	if err != nil {
		return nil, err
	}
	language := languageOf(r)
	if shop == nil || !slices.Contains(shop.Languages, language) {
		return nil, respond.NotFound()
	}
	return p.edited(r, "product", edit, func() error {
		return assortment.SaveProduct(r.Context(), p.DB, at(r), id(r, "id"), language,
			access.Session(r.Context()).Zone(), edit)
	}, "")
}

func (p *Pages) saveOptions(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	typed := typedIn(r, "option1", "values1", "option2", "values2", "option3", "values3")
	var form fault.Form
	options := catalog.ReadOptions(typed, &form)
	err := form.Err()
	if err == nil {
		err = assortment.SaveOptions(r.Context(), p.DB, at(r), id(r, "id"), options)
	}
	if f := fault.As(err); f != nil && f.Kind != fault.NotFound {
		v := productView{Options: typed}
		v.refused(r, "options", merge.Edit{}, f)
		return p.showProduct(r, id(r, "id"), v, f)
	}
	if err != nil {
		return nil, err
	}
	return respond.See(productAddress(id(r, "id"), "kept") + "#variants"), nil
}

func (p *Pages) saveVariants(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	edit := sentEdit(r)
	return p.edited(r, "variants", edit, func() error {
		return assortment.SaveGrid(r.Context(), p.DB, at(r), id(r, "id"), edit)
	}, "#variants")
}

func (p *Pages) saveAttributes(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	edit := sentEdit(r)
	return p.edited(r, "attributes", edit, func() error {
		return assortment.SetAttributes(r.Context(), p.DB, at(r), id(r, "id"), edit)
	}, "#attributes")
}

func (p *Pages) saveRelated(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	edit := sentEdit(r, "related")
	var slugs []string
	for slug := range strings.FieldsFuncSeq(edit.Mine["related"], func(r rune) bool { return r == ',' || r == '\n' }) {
		// A page's address may be pasted whole.
		if slug = strings.TrimSpace(slug[strings.LastIndex(slug, "/")+1:]); slug != "" && !slices.Contains(slugs, slug) {
			slugs = append(slugs, slug)
		}
	}
	return p.edited(r, "related", edit, func() error {
		return assortment.SetRelated(r.Context(), p.DB, at(r), id(r, "id"), slugs)
	}, "#related")
}

func (p *Pages) duplicateProduct(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	found, err := admin.ProductPage(r.Context(), p.DB, id(r, "id"), text.Source)
	if err != nil {
		return nil, err
	}
	if found == nil {
		return nil, respond.NotFound()
	}
	title := text.Clean(text.T(r.Context(), "Copy of {title}", text.Args{"title": found.Title()}), 255)
	copied, err := assortment.Duplicate(r.Context(), p.DB, at(r), id(r, "id"), title)
	if err != nil {
		return nil, err
	}
	return respond.See(productAddress(copied, "duplicated")), nil
}

// saleOf reads which variants a sale is of, and on which list.
func saleOf(r *http.Request) (variants []int64, sale catalog.Sale) {
	for _, value := range r.PostForm["sale_variant"] {
		if n, err := strconv.ParseInt(value, 10, 64); err == nil {
			variants = append(variants, n)
		}
	}
	var mode string
	sale.Currency, mode, _ = strings.Cut(typed(r.PostFormValue("sale_list")), " ")
	sale.TaxIncluded = mode == "included"
	return variants, sale
}

func (p *Pages) planSale(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	edit := sentEdit(r, "sale_list", "sale_price", "sale_from", "sale_until")
	variants, sale := saleOf(r)
	zone := access.Session(r.Context()).Zone()
	return p.edited(r, "sale", edit, func() error {
		var form fault.Form
		amount, err := money.Parse(typed(r.PostFormValue("sale_price")), sale.Currency)
		if err != nil || amount.Minor < 1 || amount.Minor > money.MaxUnit {
			form.Add("sale_price", "Enter a price above zero and up to {most}, such as 12.50.",
				text.Args{"most": money.New(money.MaxUnit, sale.Currency)})
		}
		sale.Amount = amount.Minor
		for field, into := range map[string]*time.Time{"sale_from": &sale.From, "sale_until": &sale.Until} {
			value := strings.TrimSpace(r.PostFormValue(field))
			if value == "" && field == "sale_from" {
				continue // from now on
			}
			at, err := time.ParseInLocation(text.LocalTime, value, zone)
			if err != nil || at.Year() < 2000 || at.Year() > 2200 {
				form.Add(field, "Enter a day and time, such as 2026-12-01 09:00.")
			}
			*into = at
		}
		if err := form.Err(); err != nil {
			return err
		}
		if variants, err = p.ownVariants(r, variants); err != nil {
			return err
		}
		return assortment.PlanSale(r.Context(), p.DB, at(r), id(r, "id"), variants, sale)
	}, "#sale")
}

// ownVariants are those of the page's product.
func (p *Pages) ownVariants(r *http.Request, ids []int64) (own []int64, err error) {
	grid, err := catalog.ReadGrid(r.Context(), p.DB, id(r, "id"))
	if err != nil {
		return nil, err
	}
	for _, row := range grid.Rows {
		if slices.Contains(ids, row.ID) {
			own = append(own, row.ID)
		}
	}
	return own, nil
}

func (p *Pages) endSale(_ http.ResponseWriter, r *http.Request) (respond.Answer, error) {
	variants, sale := saleOf(r)
	return p.edited(r, "sale", merge.Edit{}, func() error {
		own, err := p.ownVariants(r, variants)
		if err != nil {
			return err
		}
		return assortment.EndSale(r.Context(), p.DB, at(r), id(r, "id"), own, sale.Currency, sale.TaxIncluded)
	}, "#sale")
}

// statusName is a product's status in words.
func statusName(ctx context.Context, status string) string {
	switch status {
	case "active":
		return text.T(ctx, "On sale")
	case "archived":
		return text.T(ctx, "Archived")
	}
	return text.T(ctx, "Draft")
}

func (v productView) classOptions() (all []ui.Option) {
	for _, c := range v.Classes {
		all = append(all, ui.Option{Value: c.Code, Name: c.Name})
	}
	return all
}

func (v productView) statusOptions(ctx context.Context) (all []ui.Option) {
	for _, status := range catalog.Statuses {
		all = append(all, ui.Option{Value: status, Name: statusName(ctx, status)})
	}
	return all
}

func (v productView) pictureOptions(ctx context.Context) []ui.Option {
	all := []ui.Option{{Name: text.T(ctx, "first")}}
	for i, pic := range v.Pictures {
		all = append(all, ui.Option{Value: strconv.FormatInt(pic.ID, 10),
			Name: text.T(ctx, "picture {n}", text.Args{"n": i + 1})})
	}
	return all
}

// listValue names a price list in a form.
func listValue(l catalog.PriceList) string {
	return l.Currency + " " + map[bool]string{true: "included", false: "added"}[l.TaxIncluded]
}

// inDepartment says whether a department is ticked.
func (v productView) inDepartment(id int64) bool {
	return slices.Contains(strings.Split(v.Value("categories"), ","), strconv.FormatInt(id, 10))
}

func (v productView) address() string { return fmt.Sprintf("/admin/products/%d", v.Row.ID) }

// relatedValue are the related products' addresses, one a line.
func (v productView) relatedValue() string {
	if v.Form == "related" {
		return v.sent.Mine["related"]
	}
	var slugs []string
	for _, r := range v.Related {
		slugs = append(slugs, r.Slug)
	}
	return strings.Join(slugs, "\n")
}

// onSale are the variants that have a sale running or planned.
type onSale struct {
	Row  catalog.GridRow
	List catalog.PriceList
	Sale *catalog.GridSale
}

func (v productView) sales() (all []onSale) {
	for _, row := range v.Grid.Rows {
		for _, list := range v.Grid.Lists {
			if price := row.Prices[list.ID]; price.Sale != nil {
				all = append(all, onSale{row, list, price.Sale})
			}
		}
	}
	return all
}

func contentUnitName(ctx context.Context, unit string) string { return part.ContentUnit(ctx, unit) }

// variantName is a variant's options, or that there is nothing to choose.
func (v productView) variantName(ctx context.Context, row catalog.GridRow) string {
	if len(row.Options) == 0 {
		return text.T(ctx, "The product")
	}
	return strings.Join(row.Options, ", ")
}

// margin of a variant in its first price without tax that is on the costs' currency; empty where it is not known.
func (v productView) margin(row catalog.GridRow) string {
	for _, list := range v.Grid.Lists {
		price := row.Prices[list.ID]
		if row.UnitCost == nil || price.Amount == 0 || list.Currency != v.Grid.Currency {
			continue
		}
		net := price.Amount
		if list.TaxIncluded {
			net -= tax.Rate{PPM: v.Product.Grid.PPM[row.TaxClass]}.Contained(net)
		}
		if net <= 0 {
			return ""
		}
		return strconv.FormatInt((net-*row.UnitCost)*100/net, 10) + " %"
	}
	return ""
}

func (v productView) listOptions(ctx context.Context) (all []ui.Option) {
	for _, list := range v.Grid.Lists {
		all = append(all, ui.Option{Value: listValue(list), Name: list.Currency + ", " + taxMode(ctx, list.TaxIncluded)})
	}
	return all
}

func (v productView) optionMistakes() map[string]text.Message {
	if v.Form != "options" {
		return nil
	}
	return v.Mistakes.Fields
}
