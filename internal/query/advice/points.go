package advice

import (
	"counterpart/internal/domain/loyalty"
	"counterpart/internal/platform/text"
)

// pointsPay is that their points pay at least half of what lies in their cart. N is the points, Days how many are worth
// one unit, Amount what the cart costs.
var pointsPay = reason{
	name: "points", prior: 0.15, worth: func(f found) float64 { return unknownMargin * float64(f.Amount) },
	find: `
		SELECT NULL::bigint, NULL::bigint, points.spendable, shop.points_worth, cart.total, NULL::timestamptz, NULL::bigint
		FROM here
		CROSS JOIN shop
		CROSS JOIN LATERAL (
			SELECT sum(remaining) AS spendable
			FROM me
			JOIN points_lot lot ON lot.customer_id = ANY (me.ids) AND lot.remaining > 0 AND lot.vests_at <= now()) points
		CROSS JOIN LATERAL (
			SELECT sum(carted.quantity * price.amount) AS total
			FROM carted
			JOIN price ON price.variant_id = carted.variant_id AND price.price_list_id = here.list
				AND price.valid @> statement_timestamp()) cart
		WHERE points.spendable >= shop.points_minimum AND cart.total > 0`,
	holds: func(f found) bool { return 2*pointsWorth(f) >= f.Amount },
	why: func(f found) text.Message {
		return text.M("Their {points} points pay {amount} of what’s in their cart",
			text.Args{"points": f.N, "amount": f.money(min(pointsWorth(f), f.Amount))})
	},
	do: func(found) text.Message { return text.M("Offer to use them in the sale") },
	said: func(f found) text.Message {
		return text.M("Your {points} points pay {amount} of what’s in your cart",
			text.Args{"points": f.N, "amount": f.money(min(pointsWorth(f), f.Amount))})
	},
	seen: func(found) text.Message { return text.M("Your points are worth at least half of your cart.") },
}

func pointsWorth(f found) int64 {
	return loyalty.Rates{Worth: f.Days}.Value(int64(f.N), f.Currency)
}
