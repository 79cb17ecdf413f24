package advice

import "counterpart/internal/platform/text"

// FromViews is the reason that what somebody looked at gives.
const FromViews = "viewed"

// oftenViewed is what they looked at again and again and did not buy. It needs their consent to be remembered, beside
// the one that staff see it.
var oftenViewed = reason{
	name: FromViews, prior: 0.25,
	find: `
		SELECT e.product_id, NULL::bigint, count(*),
			1 + (now() AT TIME ZONE here.time_zone)::date - (min(e.at) AT TIME ZONE here.time_zone)::date,
			NULL::bigint, NULL::timestamptz, NULL::bigint
		FROM me
		CROSS JOIN here
		JOIN identity i ON i.kind = 'device' AND i.customer_id = ANY (me.ids)
		CROSS JOIN LATERAL (
			SELECT product_id, at
			FROM browse_event
			WHERE device = i.value AND kind = 'viewed' AND at > now() - interval '9 days'
			ORDER BY at DESC
			LIMIT 500) e
		WHERE me.looks AND NOT EXISTS (
			SELECT FROM owned WHERE owned.product_id = e.product_id)
			AND NOT EXISTS (SELECT FROM carted WHERE carted.product_id = e.product_id)
		GROUP BY e.product_id, here.time_zone
		HAVING count(*) >= 3
		ORDER BY count(*) DESC, e.product_id
		LIMIT 6`,
	why: func(f found) text.Message {
		return text.P(f.Days, "Looked at {title} {times} times today", "Looked at {title} {times} times in {n} days",
			text.Args{"title": f.Title, "times": f.N})
	},
	do:   thereIs,
	said: func(f found) text.Message { return text.M("Still thinking about it?") },
	seen: func(f found) text.Message {
		return text.P(f.Days, "You’ve looked at it {times} times today, and agreed that we save what you view.",
			"You’ve looked at it {times} times in {n} days, and agreed that we save what you view.", text.Args{"times": f.N})
	},
}
