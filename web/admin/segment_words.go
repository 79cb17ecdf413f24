package admin

import (
	"cmp"
	"context"
	"slices"
	"strconv"

	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/segment"
	"counterpart/internal/platform/money"
	"counterpart/internal/platform/text"
	"counterpart/internal/query/admin"
)

// fieldName is what a field is called.
func fieldName(ctx context.Context, name string) string {
	switch name {
	case "orders":
		return text.T(ctx, "Orders")
	case "web_orders":
		return text.T(ctx, "Orders online")
	case "store_orders":
		return text.T(ctx, "Orders in store")
	case "spent":
		return text.T(ctx, "Total spend")
	case "web_spent":
		return text.T(ctx, "Spend online")
	case "store_spent":
		return text.T(ctx, "Spend in store")
	case "average":
		return text.T(ctx, "Average order")
	case "margin":
		return text.T(ctx, "Margin")
	case "last":
		return text.T(ctx, "Last order")
	case "first":
		return text.T(ctx, "First order")
	case "interval":
		return text.T(ctx, "Usual days between orders")
	case "promoted":
		return text.T(ctx, "Orders with a promotion, per cent")
	case "returned":
		return text.T(ctx, "Items returned, per cent")
	case "visits":
		return text.T(ctx, "Days browsing online")
	case "looks":
		return text.T(ctx, "Product views")
	case "looked_only":
		return text.T(ctx, "Products viewed and not bought")
	case "seen":
		return text.T(ctx, "Last browsed")
	case "expected_spend":
		return text.T(ctx, "Expected spend in a year")
	case "active":
		return text.T(ctx, "Likely still a customer, per cent")
	case "bought":
		return text.T(ctx, "Bought a product")
	case "department":
		return text.T(ctx, "Bought from a department")
	case "looked":
		return text.T(ctx, "Viewed and didn’t buy")
	case "near":
		return text.T(ctx, "Lives near")
	case "tag":
		return text.T(ctx, "Tag")
	case "tier":
		return text.T(ctx, "Tier")
	case "consent":
		return text.T(ctx, "Consent")
	case "account":
		return text.T(ctx, "Account")
	case "size":
		return text.T(ctx, "Size")
	case "store":
		return text.T(ctx, "Home store")
	}
	return name
}

func compareName(ctx context.Context, f segment.Field, compare string) string {
	switch compare {
	case segment.AtLeast:
		if f.Kind == segment.DaysAgo {
			return text.T(ctx, "at least this many days ago")
		}
		return text.T(ctx, "at least")
	case segment.AtMost:
		if f.Kind == segment.DaysAgo {
			return text.T(ctx, "at most this many days ago")
		}
		return text.T(ctx, "at most")
	}
	not := compare == segment.IsNot
	switch f.Kind {
	case segment.Bought, segment.Looked:
		if not {
			return text.T(ctx, "didn’t")
		}
		return text.T(ctx, "did")
	case segment.Nearby:
		if not {
			return text.T(ctx, "doesn’t")
		}
		return text.T(ctx, "does")
	}
	if not {
		return text.T(ctx, "isn’t")
	}
	return text.T(ctx, "is")
}

func matchName(ctx context.Context, match string) string {
	switch match {
	case segment.Any:
		return text.T(ctx, "At least one of these")
	case segment.None:
		return text.T(ctx, "None of these")
	}
	return text.T(ctx, "All of these")
}

// sentence is a condition as it reads.
func (v segmentView) sentence(ctx context.Context, c segment.Condition) string {
	f, _ := segment.FieldOf(c.Field)
	not := c.Compare == segment.IsNot
	name := fieldName(ctx, c.Field)
	switch f.Kind {
	case segment.Money:
		return atLeast(ctx, c, name, money.New(c.Number, v.Tree.Currency).In(text.Content(ctx)))
	case segment.Number, segment.Percent:
		return atLeast(ctx, c, name, strconv.FormatInt(c.Number, 10))
	case segment.DaysAgo:
		if c.Compare == segment.AtMost {
			return text.N(ctx, int(c.Number), "{field}: in the last day", "{field}: in the last {n} days", text.Args{"field": name})
		}
		return text.N(ctx, int(c.Number), "{field}: at least a day ago", "{field}: at least {n} days ago", text.Args{"field": name})
	case segment.Bought:
		return v.boughtSentence(ctx, c, not)
	case segment.Looked:
		args := text.Args{"name": cmp.Or(c.Label, c.Text), "times": c.Number}
		if not {
			return text.T(ctx, "didn’t view {name} {times} times without buying it", args)
		}
		if c.Days > 0 {
			return text.N(ctx, c.Days, "viewed {name} at least {times} times in a day and didn’t buy it",
				"viewed {name} at least {times} times in {n} days and didn’t buy it", args)
		}
		return text.T(ctx, "viewed {name} at least {times} times and didn’t buy it", args)
	case segment.Nearby:
		if not {
			return text.T(ctx, "doesn’t live within {km} km of {place}", text.Args{"km": c.Number, "place": c.Text})
		}
		return text.T(ctx, "lives within {km} km of {place}", text.Args{"km": c.Number, "place": c.Text})
	case segment.InStore:
		if not {
			return text.T(ctx, "home store isn’t {store}", text.Args{"store": v.store(c.Place)})
		}
		return text.T(ctx, "home store is {store}", text.Args{"store": v.store(c.Place)})
	}
	value := c.Text
	switch c.Field {
	case "consent":
		value = consentName(ctx, c.Text)
	case "account":
		if (c.Text == "yes") != not {
			return text.T(ctx, "has an account")
		}
		return text.T(ctx, "has no account")
	}
	if not {
		return text.T(ctx, "{field} isn’t {value}", text.Args{"field": name, "value": value})
	}
	return text.T(ctx, "{field} is {value}", text.Args{"field": name, "value": value})
}

func atLeast(ctx context.Context, c segment.Condition, field, value string) string {
	args := text.Args{"field": field, "value": value}
	if c.Compare == segment.AtMost {
		return text.T(ctx, "{field}: at most {value}", args)
	}
	return text.T(ctx, "{field}: at least {value}", args)
}

func (v segmentView) boughtSentence(ctx context.Context, c segment.Condition, not bool) string {
	name := cmp.Or(c.Label, c.Text)
	if i := slices.IndexFunc(v.Categories, func(k admin.Category) bool { return c.Field == "department" && k.Slug == c.Text }); i >= 0 {
		name = v.Categories[i].Name
	}
	args := text.Args{"name": name, "days": c.Days, "store": v.store(c.Place)}
	switch {
	case not && c.Days > 0 && c.Place != 0:
		return text.T(ctx, "didn’t buy {name} at {store} in the last {days} days", args)
	case not && c.Days > 0:
		return text.T(ctx, "didn’t buy {name} in the last {days} days", args)
	case not && c.Place != 0:
		return text.T(ctx, "never bought {name} at {store}", args)
	case not:
		return text.T(ctx, "never bought {name}", args)
	case c.Days > 0 && c.Place != 0:
		return text.T(ctx, "bought {name} at {store} in the last {days} days", args)
	case c.Days > 0:
		return text.T(ctx, "bought {name} in the last {days} days", args)
	case c.Place != 0:
		return text.T(ctx, "bought {name} at {store}", args)
	}
	return text.T(ctx, "bought {name}", args)
}

func (v segmentView) store(id int64) string {
	for _, l := range v.Stores {
		if l.ID == id {
			return l.Name
		}
	}
	return ""
}

func consentName(ctx context.Context, value string) string {
	for _, c := range customer.Choices {
		if c.Purpose+":"+c.Medium == value {
			return text.T(ctx, c.Title)
		}
	}
	return value
}

func numberName(ctx context.Context, f segment.Field) string {
	switch f.Kind {
	case segment.Money:
		return text.T(ctx, "Amount")
	case segment.Looked:
		return text.T(ctx, "Times")
	case segment.Nearby:
		return text.T(ctx, "Kilometres")
	case segment.DaysAgo:
		return text.T(ctx, "Days")
	}
	return text.T(ctx, "Number")
}

func (v segmentView) unit(ctx context.Context, f segment.Field) string {
	switch f.Kind {
	case segment.Money:
		return v.Tree.Currency
	case segment.Looked:
		return text.T(ctx, "times")
	case segment.Nearby:
		return text.T(ctx, "km")
	case segment.DaysAgo:
		return text.T(ctx, "days")
	case segment.Percent:
		return "%"
	}
	return ""
}

func wordsName(ctx context.Context, field string) string {
	switch field {
	case "bought", "looked":
		return text.T(ctx, "SKU")
	case "near":
		return text.T(ctx, "Postcode, town or store")
	}
	return fieldName(ctx, field)
}

// exact is how well “near” knows where people live.
func (v segmentView) exact(ctx context.Context) string {
	if v.Places > 0 && v.Addresses == 0 {
		return text.T(ctx, "Distances are from the middle of a postcode area or town.")
	}
	if v.Places == 0 {
		return text.T(ctx, "There’s no list of places yet, so only stores are known. Whoever runs the server imports one.")
	}
	return text.T(ctx, "Distances are from the middle of a postcode area or town. We can place {found} of {all} saved addresses.",
		text.Args{"found": v.Located, "all": v.Addresses})
}
