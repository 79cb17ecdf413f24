package advice

import (
	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/hint"
	"counterpart/internal/domain/order"
	"counterpart/internal/domain/recommend"
	"counterpart/internal/platform/money"
	"counterpart/internal/platform/text"
)

// Beside is a product on a shelf here that goes with what lies on the counter. Its price is the buyer's, before promotions.
type Beside struct {
	Hint
	Price   money.Money
	Several bool // it comes in several kinds here
}

var besideSale = `
	WITH ` + here + `,
	buyer AS MATERIALIZED (
		SELECT c.registered_at IS NOT NULL AS member, lower(c.tier) AS tier, ARRAY(
			SELECT segment_id FROM segment_member WHERE customer_id IN (
				SELECT member FROM person_members(c.id) AS member)) AS segments
		FROM customer c
		WHERE c.id = @person),
	me AS MATERIALIZED (
		SELECT ARRAY(SELECT member FROM person_members(@person) AS member) AS ids
		WHERE consented(@person, '` + customer.Clienteling + `', 'shop')
			AND NOT consented(@person, '` + customer.Objection + `', 'shop'))
	SELECT near.id AS product_id, near.why, (
			SELECT title FROM product_text WHERE product_id = near.because
			ORDER BY language = @language DESC, language = 'en' DESC LIMIT 1) AS because, there.slug, there.sku, there.title,
		coalesce(there.choice, '') AS choice, there.choice IS NULL AS several, there.picture,
		there.available::int AS available, coalesce(there.bin, '') AS bin,
		least(there.amount, (
			SELECT min(b.amount)
			FROM buyer
			JOIN variant v ON v.sku = there.sku
			JOIN price_break b ON b.variant_id = v.id AND b.price_list_id = here.list AND b.from_quantity = 1
				AND b.valid @> statement_timestamp() AND (NOT b.members OR buyer.member)
				AND (b.tier = '' OR lower(b.tier) = buyer.tier)
				AND (b.segment_id IS NULL OR b.segment_id = ANY (buyer.segments)))) AS price,
		here.currency::text AS currency, slot.fewest
	FROM here
	CROSS JOIN slot_rules('` + recommend.InSale + `') slot
	CROSS JOIN LATERAL (` + recommend.Together + `100) near
	CROSS JOIN LATERAL (SELECT near.id AS product_id, 0 AS variant_id) c
	CROSS JOIN LATERAL (` + shelf + `) there
	WHERE (slot.only_in = '{}' OR EXISTS (
			SELECT FROM product_category WHERE product_id = near.id AND category_id = ANY (slot.only_in)))
		AND (slot.never_in = '{}' OR NOT EXISTS (
			SELECT FROM product_category WHERE product_id = near.id AND category_id = ANY (slot.never_in)))
		AND NOT EXISTS (
			SELECT
			FROM me
			JOIN orders o ON o.customer_id = ANY (me.ids) AND o.placed_at > now() - make_interval(days => slot.owned_days)
			JOIN order_line l ON l.order_id = o.id AND NOT l.gift
			JOIN variant v ON v.id = l.variant_id AND v.product_id = near.id
			WHERE ` + order.LineKept + `)
	ORDER BY near.n
	LIMIT (SELECT most FROM slot_rules('` + recommend.InSale + `'))`

// QueueSale asks for what goes with products that lie on a counter and is on a shelf there, by the rules of that place,
// without what the person has, where they agreed that staff see it.
func QueueSale(batch *pgx.Batch, products []int64, person, locationID int64, language string, all *[]Beside) {
	batch.Queue(besideSale, pgx.NamedArgs{"products": products, "person": person, "location": locationID,
		"language": language}).Query(func(rows pgx.Rows) error {
		near, err := pgx.CollectRows(rows, pgx.RowToStructByName[struct {
			ProductID                                            int64
			Why, Because, Slug, SKU, Title, Choice, Picture, Bin string
			Several                                              bool
			Available                                            int
			Price                                                int64
			Fewest                                               int
			Currency                                             string
		}])
		if len(near) > 0 && len(near) < near[0].Fewest && near[0].Why != recommend.Chosen {
			near = nil
		}
		for _, n := range near {
			with := text.Args{"title": n.Because}
			why := text.M("Goes with {title}", with)
			switch n.Why {
			case recommend.Chosen:
				why = text.M("Chosen by us with {title}", with)
			case recommend.Viewed:
				why = text.M("Often viewed with {title}", with)
			case recommend.Alike:
				why = text.M("Similar to {title}", with)
			}
			*all = append(*all, Beside{Price: money.New(n.Price, n.Currency), Several: n.Several, Hint: Hint{Subject: hint.Subject{ProductID: n.ProductID}, Why: why,
				Do: thereIs(found{Available: n.Available, Bin: n.Bin}), Slug: n.Slug, SKU: n.SKU, Title: n.Title,
				Choice: n.Choice, Picture: n.Picture}})
		}
		return err
	})
}
