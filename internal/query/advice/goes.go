package advice

import (
	"counterpart/internal/domain/recommend"
	"counterpart/internal/platform/text"
)

// goesWith is what others buy with what they have or have in the cart, by the rules of the counter's slot.
var goesWith = reason{
	name: "goes", prior: 0.1,
	find: `
		SELECT g.other_id, NULL::bigint, g.baskets, NULL::int, NULL::bigint, NULL::timestamptz, g.product_id
		FROM (
			SELECT DISTINCT ON (g.other_id) g.*
			FROM (
				SELECT product_id FROM carted
				UNION
				SELECT product_id FROM owned WHERE at > now() - interval '90 days') mine
			CROSS JOIN slot_rules('` + recommend.AtCounter + `') slot
			JOIN goes_with g ON g.product_id = mine.product_id AND g.why = 'bought'
			WHERE EXISTS (
				SELECT FROM in_stock, here WHERE in_stock.product_id = g.other_id AND in_stock.location_id = here.id)
				AND (slot.only_in = '{}' OR EXISTS (
					SELECT FROM product_category WHERE product_id = g.other_id AND category_id = ANY (slot.only_in)))
				AND (slot.never_in = '{}' OR NOT EXISTS (
					SELECT FROM product_category WHERE product_id = g.other_id AND category_id = ANY (slot.never_in)))
				AND NOT EXISTS (
					SELECT FROM owned WHERE owned.product_id = g.other_id AND at > now() - make_interval(days => slot.owned_days))
				AND NOT EXISTS (SELECT FROM carted WHERE carted.product_id = g.other_id)
			ORDER BY g.other_id, g.score DESC) g
		ORDER BY g.score DESC
		LIMIT 6`,
	why: func(f found) text.Message {
		return text.M("{title} goes with their {because}", text.Args{"title": f.Title, "because": f.Because})
	},
	do:   thereIs,
	said: func(f found) text.Message { return text.M("Goes with your {because}", text.Args{"because": f.Because}) },
	seen: func(f found) text.Message {
		return text.M("You have {because} or it’s in your cart, and others bought the two together.", text.Args{"because": f.Because})
	},
}
