package advice

import "counterpart/internal/platform/text"

// inCart is what lies in their cart and on a shelf here: they came with it in mind.
var inCart = reason{
	name: "cart", prior: 0.35,
	find: `
		SELECT product_id, variant_id, quantity, NULL::int, NULL::bigint, NULL::timestamptz, NULL::bigint
		FROM carted`,
	why: func(f found) text.Message { return text.M("In their cart: {title}", text.Args{"title": f.Title}) },
	do:  thereIs,
}
