// Package advice finds what is worth saying to somebody who stands at a counter: at most three things, each with its
// reason and what to do now. It asks the database once, and only about people who agreed that staff see more than their
// purchases. A reason is a file of this package.
package advice

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/catalog"
	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/figure"
	"counterpart/internal/domain/hint"
	"counterpart/internal/domain/inventory"
	"counterpart/internal/domain/order"
	"counterpart/internal/platform/money"
	"counterpart/internal/platform/text"
)

// Most hints that are shown at once.
const Most = 3

// Hint is one of them.
type Hint struct {
	hint.Subject
	Why  text.Message // what is the case
	Do   text.Message // now; in the shop: why they see this
	Slug string       // of the product; empty: it is about none
	SKU  string       // of the variant that is there
	Title, Choice,
	Picture string
	Score float64 // expected margin, minor units
}

// found is what a reason finds, as the statement answers it.
type found struct {
	Reason    string
	ProductID int64
	N         int       // times, points, an order's number
	Days      int       // in which
	Amount    int64     // minor units
	Until     time.Time // the zero time: it has no end
	Because   string    // title of what it goes with
	Slug      string
	SKU       string
	Title     string
	Choice    string
	Picture   string
	Available int // here
	Bin       string
	Price     int64
	Cost      int64 // 0: nobody said
	Shown     int   // of its reason, in the last quarter
	Used      int
	Weight    int
	Currency  string
	Zone      string
}

func (f found) money(minor int64) money.Money { return money.New(minor, f.Currency) }

// reason is one thing that can be worth saying.
type reason struct {
	name string
	// prior is the share of those shown that are used, before anything is known.
	prior float64
	// find answers product_id, variant_id, n, days, amount, until and because_id of whatever it is about; 0 or NULL
	// where it has no such part. It may read me (ids; looks: they agreed to be remembered), here (location and price
	// list), carted and owned.
	find string
	why  func(f found) text.Message
	do   func(f found) text.Message
	// said is what the shop says of it to the person, and seen why they see it; nil: the shop says nothing of it.
	said, seen func(f found) text.Message
	// holds says whether what was found is worth saying; nil: always.
	holds   func(f found) bool
	ofOrder bool // it is about an order, whose id is the amount
	// worth is what the shop earns by it where it is about no product, minor units.
	worth func(f found) float64
}

// reasons in the order of their files.
var reasons = []reason{inCart, oftenViewed, goesWith, wished, pointsPay, returnEnds}

// Reasons are the names of all of them.
func Reasons() (names []string) {
	for _, r := range reasons {
		names = append(names, r.name)
	}
	return names
}

// strength is how many hints a prior counts as.
const strength = 20

// unknownMargin is the share of a price that is taken for margin where nobody said what a thing costs.
const unknownMargin = figure.UnknownMargin

// here is a location with its price list.
const here = `here AS MATERIALIZED (
		SELECT l.id, l.currency, l.time_zone, list.id AS list
		FROM location l
		JOIN price_list list ON list.currency = l.currency AND list.tax_included = l.tax_included
		WHERE l.id = @location)`

// shelf is the variant of c.product_id, or c.variant_id, of which most is here.
var shelf = `
		SELECT p.slug, v.sku, t.title, v.unit_cost,
			-- Of a product that comes in several kinds here, none is named: it was not this one that they looked at.
			CASE WHEN coalesce(c.variant_id, 0) <> 0 OR count(*) OVER () = 1
				THEN array_to_string(v.options, ', ') END AS choice,
			coalesce((SELECT key FROM picture WHERE id = v.picture_id), (
				SELECT key FROM picture WHERE product_id = p.id ORDER BY position LIMIT 1), '') AS picture,
			sum(` + inventory.Available("s") + `) OVER () AS available, bin.name AS bin, price.amount
		FROM product p
		JOIN variant v ON v.product_id = p.id AND v.active AND NOT v.gift_card
			AND (coalesce(c.variant_id, 0) = 0 OR v.id = c.variant_id)
		JOIN stock_level s ON s.variant_id = v.id AND s.location_id = here.id AND s.condition = 'sellable'
		CROSS JOIN LATERAL (SELECT here.list AS id) list` + catalog.NowOn + `
		CROSS JOIN LATERAL (
			SELECT title FROM product_text WHERE product_id = p.id
			ORDER BY language = @language DESC, language = 'en' DESC LIMIT 1) t
		LEFT JOIN bin ON bin.variant_id = v.id AND bin.location_id = here.id
		WHERE p.id = c.product_id AND p.status = 'active' AND price.amount IS NOT NULL
			AND ` + inventory.Available("s") + ` > 0
		ORDER BY ` + inventory.Available("s") + ` DESC, v.id
		LIMIT 1`

var statement = build()

func build() string {
	var finds []string
	for _, r := range reasons {
		finds = append(finds, fmt.Sprintf(`
		SELECT '%s' AS reason, c.product_id, c.variant_id, c.n, c.days, c.amount, c.until, c.because_id
		FROM (%s) AS c (product_id, variant_id, n, days, amount, until, because_id)`, r.name, r.find))
	}
	return `
	WITH me AS MATERIALIZED (
		SELECT ARRAY(SELECT member FROM person_members(@person) AS member) AS ids,
			consented(@person, 'personalisation', 'shop') AS looks
		WHERE consented(@person, @purpose, 'shop') AND NOT consented(@person, 'objection', 'shop')),
	` + here + `,
	carted AS MATERIALIZED (
		SELECT v.product_id, v.id AS variant_id, line.quantity, line.added_at
		FROM me
		JOIN cart ON cart.customer_id = ANY (me.ids) AND cart.state = 'open'
		JOIN cart_line line ON line.cart_id = cart.id AND line.sold_at IS NULL
		JOIN variant v ON v.id = line.variant_id),
	owned AS MATERIALIZED (
		SELECT v.product_id, max(o.placed_at) AS at
		FROM me
		JOIN orders o ON o.customer_id = ANY (me.ids) AND o.state <> 'cancelled'
			AND o.placed_at > now() - interval '1 year'
		JOIN order_line l ON l.order_id = o.id AND NOT l.gift
		JOIN variant v ON v.id = l.variant_id
		WHERE ` + order.LineKept + `
		GROUP BY v.product_id),
	candidate AS (` + strings.Join(finds, `
		UNION ALL`) + `)
	SELECT c.reason, coalesce(c.product_id, 0) AS product_id, coalesce(c.n, 0)::int AS n,
		coalesce(c.days, 0)::int AS days,
		coalesce(c.amount, 0)::bigint AS amount, coalesce(c.until, '0001-01-01'::timestamptz) AS until,
		coalesce((
			SELECT title FROM product_text WHERE product_id = c.because_id
			ORDER BY language = @language DESC, language = 'en' DESC LIMIT 1), '') AS because,
		coalesce(there.slug, '') AS slug, coalesce(there.sku, '') AS sku, coalesce(there.title, '') AS title,
		coalesce(there.choice, '') AS choice, coalesce(there.picture, '') AS picture,
		coalesce(there.available, 0)::int AS available, coalesce(there.bin, '') AS bin, coalesce(there.amount, 0) AS price,
		coalesce(there.unit_cost, 0)::bigint AS cost, coalesce(setting.shown, 0) AS shown,
		coalesce(setting.used, 0) AS used, coalesce(setting.weight, 100) AS weight,
		here.currency::text AS currency, here.time_zone AS zone
	FROM candidate c
	CROSS JOIN here
	LEFT JOIN hint_reason setting ON setting.reason = c.reason
	LEFT JOIN LATERAL (` + shelf + `) there ON true
	WHERE coalesce(setting.active, true) AND (coalesce(c.product_id, 0) = 0 OR there.sku IS NOT NULL)
		AND NOT EXISTS (
			SELECT
			FROM me
			JOIN hint ON hint.customer_id = ANY (me.ids) AND hint.product_id = coalesce(c.product_id, 0)
				AND (hint.reason = c.reason OR hint.product_id <> 0) AND hint.order_id IN (0, c.amount)
			WHERE hint.marked_at > now() - CASE hint.mark WHEN 'used' THEN interval '30 days'
				WHEN 'later' THEN interval '3 days' ELSE interval '90 days' END)`
}

// Queue asks for what is worth saying to a person at a location, in a batch that the caller sends: in the words of
// whoever stands there with them, who sees it where they agreed to that.
func Queue(batch *pgx.Batch, person, locationID int64, language string, hints *[]Hint) {
	queue(batch, person, locationID, language, customer.Clienteling, hints)
}

// QueueOwn asks for the same in the words of the shop, for the person themselves, where they agreed to be remembered.
func QueueOwn(batch *pgx.Batch, person, locationID int64, language string, hints *[]Hint) {
	queue(batch, person, locationID, language, customer.Personalisation, hints)
}

func queue(batch *pgx.Batch, person, locationID int64, language, purpose string, hints *[]Hint) {
	batch.Queue(statement, pgx.NamedArgs{"person": person, "location": locationID, "language": language, "purpose": purpose}).
		Query(func(rows pgx.Rows) error {
			all, err := pgx.CollectRows(rows, pgx.RowToStructByName[found])
			*hints = best(all, purpose == customer.Personalisation)
			return err
		})
}

// best are those with the highest expected margin, no product and no reason twice; own: in the words of the shop.
func best(all []found, own bool) (hints []Hint) {
	for _, f := range all {
		i := slices.IndexFunc(reasons, func(r reason) bool { return r.name == f.Reason })
		if i < 0 {
			continue
		}
		r := reasons[i]
		if r.holds != nil && !r.holds(f) {
			continue
		}
		why, do := r.why, r.do
		if own {
			why, do = r.said, r.seen
		}
		if why == nil {
			continue
		}
		hints = append(hints, Hint{Subject: f.subject(r), Why: why(f),
			Do: do(f), Slug: f.Slug, SKU: f.SKU, Title: f.Title, Choice: f.Choice, Picture: f.Picture,
			Score: f.margin(r) * f.probability(r) * float64(f.Weight) / 100})
	}
	slices.SortStableFunc(hints, func(a, b Hint) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.Reason, b.Reason), cmp.Compare(a.ProductID, b.ProductID))
	})
	var kept []Hint
	for _, h := range hints {
		again := slices.ContainsFunc(kept, func(k Hint) bool {
			return k.Reason == h.Reason || k.ProductID != 0 && k.ProductID == h.ProductID
		})
		if !again && len(kept) < Most && h.Score > 0 {
			kept = append(kept, h)
		}
	}
	return kept
}

func (f found) subject(r reason) hint.Subject {
	s := hint.Subject{Reason: f.Reason, ProductID: f.ProductID}
	if r.ofOrder {
		s.OrderID = f.Amount
	}
	return s
}

// margin is what the shop earns if they take it, minor units.
func (f found) margin(r reason) float64 {
	switch {
	case f.ProductID == 0:
		return r.worth(f)
	case f.Cost > 0:
		return float64(max(0, f.Price-f.Cost))
	}
	return unknownMargin * float64(f.Price)
}

// probability that it is used: the mean of a beta distribution whose prior is the reason's.
func (f found) probability(r reason) float64 {
	return (float64(f.Used) + strength*r.prior) / (float64(f.Shown) + strength)
}

// thereIs is what to do about something on a shelf here.
func thereIs(f found) text.Message {
	if f.Bin != "" {
		return text.M("{n} here, at {bin}", text.Args{"n": f.Available, "bin": f.Bin})
	}
	return text.M("{n} here in the store", text.Args{"n": f.Available})
}
