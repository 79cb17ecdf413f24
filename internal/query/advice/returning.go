package advice

import (
	"time"

	"counterpart/internal/platform/text"
)

// returnEnds is that something they bought can be brought back for a few days only: asking now keeps a customer, and a
// size that does not fit can be exchanged today.
var returnEnds = reason{
	name: "return", prior: 0.1, worth: 300,
	find: `
		SELECT NULL::bigint, NULL::bigint, o.number, NULL::int, NULL::bigint, handed.at + make_interval(days => shop.return_days), NULL::bigint
		FROM me
		CROSS JOIN shop
		JOIN orders o ON o.customer_id = ANY (me.ids) AND o.state = 'confirmed'
			AND o.placed_at > now() - make_interval(days => shop.return_days + 60)
		JOIN LATERAL (
			SELECT max(coalesce(f.collected_at, f.shipped_at)) AS at
			FROM fulfilment f
			WHERE f.order_id = o.id) handed ON true
		WHERE handed.at + make_interval(days => shop.return_days) BETWEEN now() AND now() + interval '3 days'
			AND NOT EXISTS (SELECT FROM return_ticket WHERE order_id = o.id)
		ORDER BY handed.at
		LIMIT 1`,
	why: func(f found) text.Message {
		zone, err := time.LoadLocation(f.Zone)
		if err != nil {
			zone = time.UTC
		}
		return text.M("Order {number} can be brought back until {date}",
			text.Args{"number": f.N, "date": text.Day(f.Until.In(zone))})
	},
	do: func(found) text.Message { return text.M("Ask whether all is well") },
}
