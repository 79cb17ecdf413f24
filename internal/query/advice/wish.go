package advice

import "counterpart/internal/platform/text"

// wished is what is on their wish list and on a shelf here; where its price has come down since, that is said.
var wished = reason{
	name: "wish", prior: 0.2,
	find: `
		SELECT v.product_id, v.id, NULL::int, NULL::int, CASE WHEN then_price.amount > price.amount
			THEN then_price.amount - price.amount END, NULL::timestamptz, NULL::bigint
		FROM me
		JOIN wish w ON w.customer_id = ANY (me.ids) AND w.list = 'wish'
		JOIN variant v ON v.id = w.variant_id
		CROSS JOIN here
		CROSS JOIN LATERAL (SELECT here.list AS id) list
		LEFT JOIN LATERAL (
			SELECT p.amount FROM price p
			WHERE p.variant_id = v.id AND p.price_list_id = list.id AND p.valid @> statement_timestamp()) price ON true
		LEFT JOIN LATERAL (
			SELECT p.amount FROM price p
			WHERE p.variant_id = v.id AND p.price_list_id = list.id AND p.valid @> w.added_at) then_price ON true
		WHERE EXISTS (
			SELECT FROM in_stock WHERE variant_id = v.id AND product_id = v.product_id AND location_id = here.id)
			AND NOT EXISTS (SELECT FROM owned WHERE owned.product_id = v.product_id AND owned.at > w.added_at)
		ORDER BY w.id DESC
		LIMIT 10`,
	why: func(f found) text.Message {
		if f.Amount > 0 {
			return text.M("On their wish list, and {amount} less than when they added it: {title}",
				text.Args{"title": f.Title, "amount": f.money(f.Amount)})
		}
		return text.M("On their wish list: {title}", text.Args{"title": f.Title})
	},
	do: thereIs,
	said: func(f found) text.Message {
		if f.Amount > 0 {
			return text.M("On your list, and {amount} less than when you added it", text.Args{"amount": f.money(f.Amount)})
		}
		return text.M("On your list, and in stock in your store")
	},
	seen: func(found) text.Message { return text.M("You put it on your list.") },
}
