// Package segment is people by conditions over their figures and what they did: written as data, read as a sentence,
// asked in SQL by one evaluator.
package segment

import (
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/order"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/money"
)

// Tree is what has to hold: every group of it. Amounts are minor units of Currency.
type Tree struct {
	Currency string  `json:"currency,omitempty"`
	Groups   []Group `json:"groups"`
}

// How the conditions of a group are taken together.
const (
	All  = "all"
	Any  = "any"
	None = "none"
)

// Group is conditions of which all, one or none hold.
type Group struct {
	Match      string      `json:"match"`
	Conditions []Condition `json:"conditions"`
}

// Condition on one field. What a field uses of it, its kind says.
type Condition struct {
	Field   string   `json:"field"`
	Compare string   `json:"compare,omitempty"` // AtLeast, AtMost; Is, IsNot
	Number  int64    `json:"number,omitempty"`  // minor units for money
	Text    string   `json:"text,omitempty"`    // a tag, a tier, a consent, a SKU, a postcode
	IDs     []int64  `json:"ids,omitempty"`     // what Text names: variants' products, a department with those below it
	Label   string   `json:"label,omitempty"`   // of a product, when it was saved
	Days    int      `json:"days,omitempty"`    // 0: ever
	Place   int64    `json:"place,omitempty"`   // a store; 0: any
	Entered *Entered `json:"-"`                 // as it was typed, while it is edited
	// Where Text is, when it was saved.
	Latitude  float64 `json:"latitude,omitempty"`
	Longitude float64 `json:"longitude,omitempty"`
}

// Entered is what was typed into a condition's fields.
type Entered struct{ Number, Days string }

// Comparisons.
const (
	AtLeast = "at_least"
	AtMost  = "at_most"
	Is      = "is"
	IsNot   = "is_not"
)

// Kinds of field.
type Kind int

const (
	Number Kind = iota
	Money
	DaysAgo
	Percent
	Choice  // of texts
	Bought  // a product or department, within days, at a store
	Looked  // at a product so often within days, without buying it
	Nearby  // within kilometres of a postcode, a town or a store
	InStore // a store
)

// Field is something that a condition can be about.
type Field struct {
	Name string
	Kind Kind
	sql  string // of a number, or a text that is compared with @text
}

// Fields in the order in which they are offered.
var Fields = []Field{
	{"orders", Number, `f.orders`},
	{"web_orders", Number, `f.web_orders`},
	{"store_orders", Number, `f.store_orders`},
	{"spent", Money, `f.spent`},
	{"web_spent", Money, `f.web_spent`},
	{"store_spent", Money, `f.store_spent`},
	{"average", Money, `f.spent / nullif(f.orders, 0)`},
	{"margin", Money, `f.margin`},
	{"last", DaysAgo, `f.last_at`},
	{"first", DaysAgo, `f.first_at`},
	{"interval", Number, `f.interval_days`},
	{"promoted", Percent, `100 * f.promoted / nullif(f.orders, 0)`},
	{"returned", Percent, `100 * f.returned_units / nullif(f.units + f.returned_units, 0)`},
	{"visits", Number, `f.visits`},
	{"looks", Number, `f.looks`},
	{"looked_only", Number, `f.looked_only`},
	{"seen", DaysAgo, `f.seen_at`},
	{"expected_spend", Money, `e.spend_365`},
	{"active", Percent, `100 * e.active`},
	{"bought", Bought, ``},
	{"department", Bought, ``},
	{"looked", Looked, ``},
	{"near", Nearby, ``},
	{"tag", Choice, `f.customer_id IN (SELECT coalesce(c.merged_into, c.id) FROM customer_tag t JOIN customer c ON c.id = t.customer_id
		WHERE t.tag = lower(%s))`},
	{"tier", Choice, `f.customer_id IN (SELECT id FROM customer WHERE lower(tier) = lower(%s) AND merged_into IS NULL)`},
	{"consent", Choice, `%s = ANY (f.consents)`},
	{"account", Choice, `f.registered = (%s = 'yes')`},
	{"size", Choice, `EXISTS (SELECT FROM unnest(f.sizes) AS size WHERE lower(size) = lower(%s))`},
	{"store", InStore, `f.customer_id IN (SELECT id FROM customer WHERE location_id = %s::bigint)`},
}

// FieldOf is the field with a name.
func FieldOf(name string) (Field, bool) {
	i := slices.IndexFunc(Fields, func(f Field) bool { return f.Name == name })
	if i < 0 {
		return Field{}, false
	}
	return Fields[i], true
}

// predicted says whether it is asked of what is expected of somebody, e in a statement.
func (f Field) predicted() bool { return f.Name == "expected_spend" || f.Name == "active" }

// Compares are the comparisons that a field has.
func (f Field) Compares() []string {
	switch f.Kind {
	case Number, Money, Percent, DaysAgo:
		return []string{AtLeast, AtMost}
	}
	return []string{Is, IsNot}
}

// NeedsNumber says whether a condition on a field has a number.
func (f Field) NeedsNumber() bool { return !slices.Contains([]Kind{Choice, Bought, InStore}, f.Kind) }

// least and most are the bounds of a field's number.
func (f Field) least() int64 {
	if f.Kind == Looked || f.Kind == Nearby {
		return 1
	}
	return 0
}

func (f Field) most() int64 {
	switch f.Kind {
	case Money:
		return 1000 * money.MaxUnit
	case Percent:
		return 100
	case Looked:
		return 1000
	case Nearby:
		return 20_000
	}
	return 1_000_000
}

// Wrong is what is said of a number that cannot be.
func (f Field) Wrong() string {
	switch f.Kind {
	case Money:
		return "Enter an amount, such as 250."
	case Percent:
		return "Enter a percentage from 0 to 100."
	case Looked:
		return "Enter how many times: a whole number from 1 to 1,000."
	case Nearby:
		return "Enter a distance in kilometres from 1 to 20,000."
	}
	return "Enter a whole number from 0 to 1,000,000."
}

// Fresh is a condition on a field as somebody begins with it.
func (f Field) Fresh() Condition {
	c := Condition{Field: f.Name, Compare: f.Compares()[0]}
	switch f.Kind {
	case Number, Percent:
		c.Number = 1
	case Money:
		c.Number = 10_000
	case DaysAgo:
		c.Compare, c.Number = AtMost, 90
	case Looked:
		c.Number, c.Days = 3, 30
	case Nearby:
		c.Number = 10
	}
	if f.Name == "account" {
		c.Text = "yes"
	}
	return c
}

// Near says whether a tree asks where people live.
func (t Tree) Near() bool {
	return slices.ContainsFunc(t.Groups, func(g Group) bool {
		return slices.ContainsFunc(g.Conditions, func(c Condition) bool { return c.Field == "near" })
	})
}

// Most conditions of one segment.
const Most = 20

// Check says what of a tree cannot be asked. Field of a fault is "c" and the number of the condition.
func (t Tree) Check() error {
	var form fault.Form
	n := 0
	for _, g := range t.Groups {
		if !slices.Contains([]string{All, Any, None}, g.Match) {
			form.Add("title", "Choose from the list.")
		}
		for _, c := range g.Conditions {
			at := fmt.Sprint("c", n)
			n++
			f, ok := FieldOf(c.Field)
			switch {
			case !ok || !slices.Contains(f.Compares(), c.Compare):
				form.Add(at, "Choose from the list.")
			case c.Days < 0 || c.Days > 10_000:
				form.Add(at, "Enter a number of days from 1 to 10,000, or leave it empty.")
			case f.NeedsNumber() && (c.Number < f.least() || c.Number > f.most() || c.Entered != nil && c.Entered.Number == ""):
				form.Add(at, f.Wrong())
			case f.Kind == InStore && c.Place <= 0 || c.Place < 0:
				form.Add(at, "Choose a store.")
			case f.Kind == Choice && c.Text == "" || c.Field == "consent" && !slices.Contains(Consents(), c.Text) ||
				c.Field == "account" && c.Text != "yes" && c.Text != "no":
				form.Add(at, "Choose or enter a value.")
			case (f.Kind == Bought || f.Kind == Looked) && len(c.IDs) == 0:
				form.Add(at, "We can’t find that product or department. Enter a SKU, or choose a department.")
			case f.Kind == Nearby && c.Latitude == 0 && c.Longitude == 0:
				form.Add(at, "We don’t know where that is. Enter a postcode or town from your list of places.")
			}
		}
	}
	if n == 0 {
		form.Add("title", "Add at least one condition.")
	}
	if n > Most {
		form.Add("title", "That’s too many conditions. Use 20 at most.")
	}
	return form.Err()
}

// where is the tree as a condition on figure f, with its arguments; some: of people @ids only, whose profiles are @of, so
// that facts are looked up of these.
func (t Tree) where(args pgx.NamedArgs, some bool) string {
	args["currency"] = t.Currency
	var groups []string
	n := 0
	for _, g := range t.Groups {
		var all []string
		for _, c := range g.Conditions {
			all = append(all, c.sql(n, args, some))
			n++
		}
		switch {
		case len(all) == 0:
		case g.Match == Any:
			groups = append(groups, "("+strings.Join(all, " OR ")+")")
		case g.Match == None:
			groups = append(groups, "NOT ("+strings.Join(all, " OR ")+")")
		default:
			groups = append(groups, "("+strings.Join(all, " AND ")+")")
		}
	}
	if len(groups) == 0 {
		return "false"
	}
	return strings.Join(groups, " AND ")
}

// sql never answers NULL, so that it can be negated.
func (c Condition) sql(n int, args pgx.NamedArgs, some bool) string {
	f, ok := FieldOf(c.Field)
	if !ok {
		return "false"
	}
	name := func(what string, value any) string {
		key := fmt.Sprint(what, n)
		args[key] = value
		return "@" + key
	}
	compare := ">="
	if c.Compare == AtMost {
		compare = "<="
	}
	not := ""
	if c.Compare == IsNot {
		not = "NOT "
	}
	of := func(column string) string {
		if some {
			return " AND " + column + " = ANY (@of)"
		}
		return ""
	}
	if f.predicted() {
		currency := ""
		if f.Kind == Money {
			currency = "f.currency = @currency::text AND "
		}
		return "(" + currency + "f.customer_id IN (SELECT e.customer_id FROM prediction e WHERE " + f.sql + " " + compare + " " +
			name("n", c.Number) + "::bigint))"
	}
	switch f.Kind {
	case Number, Percent:
		return "coalesce(" + f.sql + " " + compare + " " + name("n", c.Number) + "::bigint, false)"
	case Money:
		// An amount says nothing about whoever pays in another currency; nothing is nothing in each.
		return "coalesce((f.currency = @currency::text OR f.orders = 0) AND coalesce(" + f.sql + ", 0) " + compare + " " + name("n", c.Number) +
			"::bigint, false)"
	case DaysAgo:
		if c.Compare == AtMost {
			return "coalesce(" + f.sql + " >= now() - make_interval(days => " + name("n", c.Number) + "::int), false)"
		}
		return "coalesce(" + f.sql + " <= now() - make_interval(days => " + name("n", c.Number) + "::int), false)"
	case Choice:
		return not + "coalesce(" + fmt.Sprintf(f.sql, name("t", c.Text)+"::text") + ", false)"
	case InStore:
		return not + fmt.Sprintf(f.sql, name("p", c.Place))
	case Bought:
		return not + c.bought(name, of)
	case Looked:
		return not + `f.customer_id IN (
			SELECT coalesce(c.merged_into, c.id)
			FROM browse_event e
			JOIN identity i ON i.kind = 'device' AND i.value = e.device AND i.verified_at IS NOT NULL
			JOIN customer c ON c.id = i.customer_id
			WHERE e.kind = 'viewed' AND e.product_id = ANY (` + name("i", c.IDs) + `::bigint[])
				AND e.at > now() - make_interval(days => ` + name("d", window(c.Days)) + `::int)` + of("i.customer_id") + `
			GROUP BY 1
			HAVING count(*) >= ` + name("n", c.Number) + `::bigint) AND NOT ` + c.bought(name, of)
	case Nearby:
		return not + `f.customer_id IN (
			SELECT coalesce(c.merged_into, c.id)
			FROM address a
			JOIN customer c ON c.id = a.customer_id
			JOIN place p ON p.country = a.country AND (p.kind = 'postcode' AND p.key IN (upper(replace(a.postcode, ' ', '')),
					upper(split_part(a.postcode, ' ', 1))) OR p.kind = 'town' AND p.key = upper(a.town)
					AND NOT EXISTS (SELECT FROM place WHERE country = a.country AND kind = 'postcode'
						AND key IN (upper(replace(a.postcode, ' ', '')), upper(split_part(a.postcode, ' ', 1)))))
			WHERE kilometres(p.latitude, p.longitude, ` + name("lat", c.Latitude) + `::float8, ` + name("lon", c.Longitude) +
			`::float8) <= ` + name("n", c.Number) + `::float8` + of("a.customer_id") + `)`
	}
	return "false"
}

// window of so many days: browse events and sales without one are asked about as far as they go back.
func window(days int) int {
	if days == 0 {
		return 36_500
	}
	return days
}

// bought says whether they kept one of the products, within days and at a store where these are said.
func (c Condition) bought(name func(string, any) string, of func(string) string) string {
	ids, days := name("i", c.IDs), name("d", window(c.Days))
	which := `v.product_id = ANY (` + ids + `::bigint[])`
	if c.Field == "department" {
		which = `v.product_id IN (
				SELECT product_id FROM product_category WHERE category_id = ANY (` + ids + `::bigint[]))`
	}
	past := ""
	if c.Place == 0 {
		past = `
			UNION
			SELECT coalesce(c.merged_into, c.id)
			FROM past_sale s
			JOIN identity i ON i.kind = 'external' AND i.value = s.person AND i.verified_at IS NOT NULL
			JOIN customer c ON c.id = i.customer_id
			JOIN variant v ON sku_key(v.sku) = sku_key(s.code) AND ` + which + `
			WHERE s.person <> '' AND s.quantity > s.cancelled + s.returned AND s.day > now() - make_interval(days => ` + days + `::int)` + of("i.customer_id")
	}
	return `f.customer_id IN (
			SELECT coalesce(c.merged_into, c.id)
			FROM orders o
			JOIN customer c ON c.id = o.customer_id
			JOIN order_line l ON l.order_id = o.id
			JOIN variant v ON v.id = l.variant_id AND ` + which + `
			WHERE o.state = 'confirmed' AND o.placed_at > now() - make_interval(days => ` + days + `::int)
				AND ` + name("p", c.Place) + `::bigint IN (0, o.location_id) AND ` + order.LineKept + of("o.customer_id") + past + `)`
}

// Consents that a condition can name.
func Consents() (all []string) {
	for _, c := range customer.Choices {
		all = append(all, c.Purpose+":"+c.Medium)
	}
	return all
}
