package advice

import (
	"math"
	"time"

	"counterpart/internal/platform/money"
	"counterpart/internal/platform/text"
)

// returnEnds is that something they bought can be brought back for a few days only: asking now keeps a customer, and a
// size that does not fit can be exchanged today. N is the order's number, Amount its id.
var returnEnds = reason{
	name: "return", ofOrder: true, prior: 0.1,
	worth: func(f found) float64 { return 3 * math.Pow10(money.Exponent(f.Currency)) },
	find: `
		SELECT NULL::bigint, NULL::bigint, o.number, NULL::int, o.id,
			handed.at + make_interval(days => return_days_of(o.customer_id)), NULL::bigint
		FROM me
		CROSS JOIN shop
		JOIN orders o ON o.customer_id = ANY (me.ids) AND o.state = 'confirmed'
			AND o.placed_at > now() - make_interval(days => shop.return_days + 425)
		JOIN LATERAL (
			SELECT min(coalesce(f.collected_at, f.shipped_at)) AS at -- of the part that was handed over first
			FROM fulfilment f
			WHERE f.order_id = o.id) handed ON true
		WHERE handed.at + make_interval(days => return_days_of(o.customer_id)) BETWEEN now() AND now() + interval '3 days'
			AND NOT EXISTS (SELECT FROM return_ticket WHERE order_id = o.id)
		ORDER BY handed.at
		LIMIT 1`,
	why: func(f found) text.Message {
		return text.M("Order {number} can be brought back until {date}", text.Args{"number": f.N, "date": lastDay(f)})
	},
	do: func(found) text.Message { return text.M("Ask whether all is well") },
	said: func(f found) text.Message {
		return text.M("All well with order {number}? You can bring it back until {date}", text.Args{"number": f.N, "date": lastDay(f)})
	},
	seen: func(found) text.Message { return text.M("The time to return it ends in three days or less.") },
}

// lastDay on which it can be brought back, by the clock of the store.
func lastDay(f found) text.Moment {
	zone, err := time.LoadLocation(f.Zone)
	if err != nil {
		zone = time.UTC
	}
	return text.Day(f.Until.In(zone))
}
