package advice

import "counterpart/internal/platform/text"

// oftenViewed is what they looked at again and again and did not buy. It needs their consent to be remembered, beside
// the one that staff see it.
var oftenViewed = reason{
	name: "viewed", prior: 0.25,
	find: `
		SELECT e.product_id, NULL::bigint, count(*), greatest(1, ceil(extract(epoch FROM now() - min(e.at)) / 86400))::int,
			NULL::bigint, NULL::timestamptz, NULL::bigint
		FROM me
		JOIN identity i ON i.kind = 'device' AND i.customer_id = ANY (me.ids)
		JOIN browse_event e ON e.device = i.value AND e.kind = 'viewed' AND e.at > now() - interval '9 days'
		WHERE me.looks AND NOT EXISTS (SELECT FROM owned WHERE owned.product_id = e.product_id AND owned.at > now() - interval '9 days')
			AND NOT EXISTS (SELECT FROM carted WHERE carted.product_id = e.product_id)
		GROUP BY e.product_id
		HAVING count(*) >= 3
		ORDER BY count(*) DESC
		LIMIT 6`,
	why: func(f found) text.Message {
		return text.P(f.Days, "Looked at {title} {times} times today", "Looked at {title} {times} times in {n} days",
			text.Args{"title": f.Title, "times": f.N})
	},
	do: thereIs,
}
