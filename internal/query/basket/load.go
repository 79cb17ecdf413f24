package basket

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/cart"
	"counterpart/internal/domain/catalog"
	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/delivery"
	"counterpart/internal/domain/giftcard"
	"counterpart/internal/domain/inventory"
	"counterpart/internal/domain/location"
	"counterpart/internal/domain/promotion"
	"counterpart/internal/domain/quote"
	"counterpart/internal/domain/tax"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/text"
)

// SaleContext is a counter at which the cart is looked at: what is collected is collected there, or carried out.
type SaleContext struct {
	LocationID int64 // 0: no counter
	CarryOut   bool
	Again      ReturnedPoints  // what came back in points and pays again
	Agreed     map[int64]int64 // by variant, the price of one that was agreed before: of an exchange for the same
	Email      string          // that the shopper gave; empty: none yet. Whoever used something up is known by it
}

// ReturnedPoints is points that come back in an exchange and pay for what is taken instead, with what they paid before:
// the customer spent them already, so neither the shop's minimum nor today's worth of a point is asked.
type ReturnedPoints struct{ Points, Value int64 }

// Sale is the location whose sale this is; 0: it is none.
func (h SaleContext) Sale() int64 {
	if h.CarryOut {
		return h.LocationID
	}
	return 0
}

// Load reads the customer's open cart. Nil when there is none.
func Load(ctx context.Context, db pg.DB, customerID int64, language string) (*Basket, error) {
	return LoadAt(ctx, db, customerID, SaleContext{}, language)
}

// LoadAt reads the cart as it is at a counter.
func LoadAt(ctx context.Context, db pg.DB, customerID int64, here SaleContext, language string) (*Basket, error) {
	return load(ctx, db, &pgx.Batch{}, asked{customerID: customerID, here: here, language: language}, nil)
}

// LockCart is LoadAt that holds the customer and the cart until the transaction ends. Each statement of the round trip
// sees what was committed when it began, so what is read after the lock is as it is under it. What was claimed ahead
// for this cart is there for it.
func LockCart(ctx context.Context, tx pgx.Tx, customerID int64, here SaleContext, ahead []inventory.Reservation,
	language string) (*Basket, error) {
	batch := &pgx.Batch{}
	cart.QueueLock(batch, customerID)
	return load(ctx, tx, batch, asked{customerID: customerID, here: here, language: language}, ahead)
}

// loading is a basket on its way.
type loading struct {
	*Basket
	here       SaleContext
	storeID    int64
	deliveryID int64
	shopper    quote.Shopper
	sums       []tax.Rate // of the standard class where it is delivered
	promotions []quote.Promotion
	gifts      []Line
	giftRates  [][]tax.Rate // of each gift, wherever
	methods    []delivery.Method
	stores     []location.Location
	asks       struct{ gifts, ways, cards bool } // what a second round trip is needed for
	nobody     bool
	tried      int64 // the gift of a promotion that is only tried
}

// asked is which cart is read, for whom and where.
type asked struct {
	customerID int64
	here       SaleContext
	language   string
	tried      int64 // the gift of a promotion that is only tried
}

func load(ctx context.Context, db pg.DB, batch *pgx.Batch, a asked, ahead []inventory.Reservation) (*Basket, error) {
	l, err := read(ctx, db, batch, a)
	if err != nil || l == nil {
		return nil, err
	}
	for _, c := range ahead {
		l.has(c)
	}
	l.place()
	l.price()
	return l.Basket, nil
}

func read(ctx context.Context, db pg.DB, batch *pgx.Batch, a asked) (*loading, error) {
	// What is not an address yet is nobody's.
	a.here.Email, _ = customer.NormalEmail(a.here.Email)
	l := &loading{Basket: &Basket{Now: time.Now()}, here: a.here, tried: a.tried}
	l.queueHead(batch, a.customerID)
	l.queueLines(batch, a.customerID, a.language)
	l.queuePromotions(batch, a.customerID)
	err := db.SendBatch(ctx, batch).Close()
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read a cart: %w", err)
	}
	return l, l.more(ctx, db, a.customerID, a.language)
}

// more asks for what few carts have: gifts, a delivery, gift cards.
func (l *loading) more(ctx context.Context, db pg.DB, customerID int64, language string) error {
	batch := &pgx.Batch{}
	if l.asks.gifts || l.tried != 0 {
		l.queueGifts(batch, language, l.tried)
	}
	if l.asks.ways {
		l.queueWays(batch, customerID)
	}
	if l.asks.cards {
		l.queueCards(batch, customerID)
	}
	if batch.Len() == 0 {
		return nil
	}
	if err := db.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("read a cart: %w", err)
	}
	return nil
}

// queueHead asks for the cart, the stores that its lines name, and whom it belongs to.
func (l *loading) queueHead(batch *pgx.Batch, customerID int64) {
	batch.Queue(`
		SELECT c.id, c.code, coalesce(c.location_id, 0), home.id, coalesce(c.country, home.country)::text, CASE
			WHEN c.country IS NULL OR c.country = home.country AND c.region = '' THEN home.region ELSE c.region END,
			coalesce(c.delivery_id, 0), c.points, c.credit, shop.points_rate, shop.points_worth, shop.points_minimum,
			person.registered_at IS NOT NULL, person.tier,
			ARRAY(SELECT DISTINCT tag FROM customer_tag WHERE customer_id IN (SELECT member
				FROM person_members($1) AS member)),
			EXISTS (SELECT FROM orders WHERE state <> 'cancelled' AND customer_id IN (SELECT member
				FROM person_members($1) AS member))
				OR $3 <> '' AND EXISTS (SELECT FROM orders WHERE state <> 'cancelled' AND email <> ''
					AND lower(email) = lower($3)),
			coalesce(lots.spendable, 0), coalesce(lots.pending, 0),
			coalesce((SELECT sum(balance) FROM credit WHERE currency = home.currency AND customer_id IN (SELECT member
				FROM person_members($1) AS member)), 0)::bigint,
			ARRAY(SELECT code FROM cart_code WHERE cart_id = c.id ORDER BY code),
			EXISTS (SELECT FROM promotion WHERE state = 'live' AND rule -> 'effect' ->> 'kind' = 'gift'),
			EXISTS (SELECT FROM cart_line WHERE cart_id = c.id AND method = 'ship'),
			EXISTS (SELECT FROM cart_gift_card WHERE cart_id = c.id), `+customer.WalkIn+`, person.language
		FROM cart c
		JOIN customer person ON person.id = c.customer_id
		CROSS JOIN shop
		CROSS JOIN LATERAL home_location(c.location_id, $2::bigint) home
		LEFT JOIN LATERAL (
			SELECT sum(remaining) FILTER (WHERE vests_at <= now())::bigint AS spendable,
				sum(remaining) FILTER (WHERE vests_at > now())::bigint AS pending
			FROM points_lot
			WHERE remaining > 0 AND customer_id IN (SELECT member FROM person_members($1) AS member)) lots
				ON true
		WHERE c.customer_id = $1 AND c.state = 'open'`, customerID, l.here.LocationID, l.here.Email).
		QueryRow(func(row pgx.Row) error {
			return row.Scan(&l.CartID, &l.Code, &l.storeID, &l.Home.ID, &l.Country, &l.Region, &l.deliveryID, &l.Spend,
				&l.UseCredit, &l.Rates.Rate, &l.Rates.Worth, &l.Rates.Minimum,
				&l.shopper.Member, &l.shopper.Tier, &l.shopper.Tags, &l.shopper.Returned, &l.Points.Spendable,
				&l.Points.Pending, &l.Credit, &l.Codes,
				&l.asks.gifts, &l.asks.ways, &l.asks.cards, &l.nobody, &l.Language)
		})
	batch.Queue(`
		SELECT `+location.Columns+`
		FROM location l
		WHERE l.id IN (
			SELECT home.id
			FROM cart c
			CROSS JOIN LATERAL home_location(c.location_id, $2::bigint) home
			WHERE c.customer_id = $1 AND c.state = 'open'
			UNION
			SELECT cl.location_id
			FROM cart c
			JOIN cart_line cl ON cl.cart_id = c.id
			WHERE c.customer_id = $1 AND c.state = 'open' AND cl.location_id IS NOT NULL)
			OR l.ship AND EXISTS (
				SELECT
				FROM cart c
				JOIN cart_line cl ON cl.cart_id = c.id
				WHERE c.customer_id = $1 AND c.state = 'open' AND cl.method = 'ship')`, customerID,
		l.here.LocationID).Query(func(rows pgx.Rows) (err error) {
		l.stores, err = pgx.CollectRows(rows, pgx.RowToStructByName[location.Location])
		return err
	})
}

// levels of a variant, where there is something, or where it is to be collected.
var levels = `
	coalesce((
		SELECT json_agg(json_build_object('l', s.location_id, 'a', ` + inventory.Available("s") + `))
		FROM stock_level s
		WHERE s.variant_id = v.id AND s.condition = 'sellable' AND ` + inventory.Available("s") + ` > 0), '[]')`

func (l *loading) queueLines(batch *pgx.Batch, customerID int64, language string) {
	batch.Queue(`
		SELECT cl.id, v.id, product.id, product.slug, v.sku, t.title, v.options, coalesce(pic.key, ''), cl.quantity,
			v.min_quantity, v.max_quantity,
			NOT v.active OR product.status <> 'active' OR price.amount IS NULL,
			CASE WHEN v.gift_card THEN 'mail' WHEN $4 AND cl.method = 'pickup' AND coalesce(cl.location_id, $3) = $3
				THEN 'carry_out' ELSE cl.method END,
			coalesce(CASE WHEN $4 THEN coalesce(cl.location_id, $3) WHEN $3 <> 0 THEN $3 END, cl.location_id,
				c.location_id, 0),
			coalesce(price.amount, 0), v.grams, v.gift_card, cl.note, product.tags,
			`+catalog.Categories+`,
			coalesce((
				SELECT json_agg(json_build_object('From', b.from_quantity, 'Members', b.members, 'Amount', b.amount))
				FROM price_break b
				WHERE b.variant_id = v.id AND b.price_list_id = list.id AND b.valid @> statement_timestamp()), '[]'),
			`+levels+`,
			dest.country::text, dest.region, v.tax_class, coalesce(rate.name, ''), coalesce(rate.ppm, 0),
				rate.ppm IS NULL, NOT v.tracked, v.back_order
		FROM cart c
		CROSS JOIN LATERAL home_location(c.location_id, $3::bigint) home
		JOIN cart_line cl ON cl.cart_id = c.id
		LEFT JOIN location at ON at.id = CASE WHEN $4 THEN coalesce(cl.location_id, $3) ELSE coalesce(nullif($3::bigint,
			0), cl.location_id, c.location_id) END
		JOIN variant v ON v.id = cl.variant_id
		JOIN product ON product.id = v.product_id
		CROSS JOIN LATERAL (
			SELECT CASE WHEN cl.method = 'ship' THEN coalesce(c.country, home.country) ELSE coalesce(at.country,
				home.country) END AS country,
				CASE WHEN cl.method = 'ship' THEN CASE WHEN c.country IS NULL OR c.country = home.country
					AND c.region = '' THEN home.region ELSE c.region END ELSE coalesce(at.region,
					home.region) END AS region) dest
		JOIN LATERAL (
			SELECT title
			FROM product_text
			WHERE product_id = product.id
			ORDER BY language = $2 DESC, language = 'en' DESC
			LIMIT 1) t ON true
		LEFT JOIN picture pic ON pic.id = coalesce(v.picture_id, (SELECT id FROM picture WHERE product_id = product.id
			ORDER BY position LIMIT 1))
		LEFT JOIN price_list list ON list.currency = home.currency
			AND list.tax_included = home.tax_included`+catalog.NowOn+`
		LEFT JOIN LATERAL (
			SELECT name, ppm
			FROM tax_rate
			WHERE country = dest.country AND region IN (dest.region, '') AND tax_class = v.tax_class
			ORDER BY region = dest.region DESC
			LIMIT 1) rate ON true
		WHERE c.customer_id = $1 AND c.state = 'open' AND coalesce(cl.sold_at, 0) = CASE WHEN $4 THEN $3::bigint
			ELSE 0 END
		ORDER BY cl.added_at, cl.id`, customerID, language, l.here.LocationID,
		l.here.CarryOut).Query(func(rows pgx.Rows) error {
		for rows.Next() {
			var line Line
			var breaks, at []byte
			if err := rows.Scan(&line.ID, &line.VariantID, &line.ProductID, &line.Slug, &line.SKU, &line.Title,
				&line.Options, &line.Picture, &line.Quantity, &line.Min, &line.Max, &line.Gone,
				&line.Method, &line.LocationID, &line.UnitPrice, &line.Grams, &line.GiftCard, &line.Note, &line.Tags,
				&line.Categories, &breaks, &at,
				&line.Rate.Country, &line.Rate.Region, &line.Rate.Class, &line.Rate.Name, &line.Rate.PPM, &line.Untaxed, &line.Untracked, &line.BackOrder); err != nil {
				return err
			}
			if err := errors.Join(json.Unmarshal(breaks, &line.Breaks), json.Unmarshal(at, &line.levels)); err != nil {
				return err
			}
			l.Lines = append(l.Lines, line)
		}
		return rows.Err()
	})
}

// queuePromotions asks for what applies by itself and for what the typed codes open, and for who may not use it any
// more.
func (l *loading) queuePromotions(batch *pgx.Batch, customerID int64) {
	batch.Queue(`
		SELECT `+promotion.Columns+`, coalesce(code.code, ''), coalesce(code.id, 0),
			CASE
				WHEN code.code IS NOT NULL AND (p.state <> 'live' OR code.disabled_at IS NOT NULL OR code.owner <> $1
					OR code.used >= code.max_uses) THEN 'code'
				WHEN p.used >= p.max_uses THEN 'uses'
				WHEN p.max_per_customer IS NOT NULL AND $4 AND `+customer.WalkIn+` THEN 'nobody'
				WHEN (SELECT sum(used) FROM promotion_counter WHERE promotion_id = p.id
					AND key IN (SELECT 'person:' || id FROM customer WHERE id = $1
					OR merged_into = $1)) >= p.max_per_customer
					OR $3 <> '' AND (SELECT used FROM promotion_counter WHERE promotion_id = p.id
						AND key = 'email:' || encode(sha256(convert_to((SELECT forget_key FROM shop) || $3, 'UTF8')),
						'hex')) >= p.max_per_customer THEN 'customer'
				WHEN (SELECT used FROM promotion_counter WHERE promotion_id = p.id
					AND key = 'day:' || (now() AT TIME ZONE home.time_zone)::date) >= p.max_per_day THEN 'day'
				ELSE '' END
		FROM cart c
		CROSS JOIN LATERAL home_location(c.location_id, $2::bigint) home
		CROSS JOIN promotion p
		LEFT JOIN LATERAL (
			SELECT cp.id, cp.code, cp.disabled_at, cp.used, cp.max_uses, (SELECT coalesce(o.merged_into, o.id)
				FROM customer o WHERE o.id = cp.customer_id) AS owner
			FROM cart_code cc
			JOIN coupon cp ON cp.code = cc.code
			WHERE cc.cart_id = c.id AND cp.promotion_id = p.id) code ON true
		WHERE c.customer_id = $1 AND c.state = 'open'
			AND (code.code IS NOT NULL OR p.state = 'live' AND NOT p.needs_code AND (p.starts_at IS NULL
				OR p.starts_at <= now()) AND (p.ends_at IS NULL OR p.ends_at > now()))`,
		customerID, l.here.LocationID, promotion.NormalMailbox(l.here.Email), l.here.CarryOut).Query(func(rows pgx.Rows) error {
		for rows.Next() {
			var p promotion.Promotion
			var code, barred string
			var couponID int64
			if err := rows.Scan(&p.ID, &p.Title, &p.State, &p.Priority, &p.Exclusion, &p.Combines, &p.StartsAt,
				&p.EndsAt, &p.NeedsCode, &p.Rule, &p.MaxUses, &p.MaxPerCustomer,
				&p.MaxPerDay, &p.Budget, &p.Used, &p.Spent, &p.Version, &code, &couponID, &barred); err != nil {
				return err
			}
			q := p.InQuote()
			q.Code, q.CouponID, q.Barred = code, couponID, whyBarred[barred]
			l.promotions = append(l.promotions, q)
		}
		return rows.Err()
	})
}

var whyBarred = map[string]text.Message{
	"code":     text.M("This code is no longer valid"),
	"uses":     text.M("This offer has been fully redeemed"),
	"customer": text.M("You’ve already used this offer"),
	"nobody":   text.M("One per customer: add the customer to the sale first"),
	"day":      text.M("Fully redeemed for today"),
}

// queueGifts asks for what live promotions give for nothing.
func (l *loading) queueGifts(batch *pgx.Batch, language string, tried int64) {
	batch.Queue(`
		SELECT v.id, product.id, product.slug, v.sku, t.title, v.options, coalesce(pic.key, ''), v.grams, v.tax_class,
			list.currency::text, list.tax_included, price.amount, `+levels+`,
			coalesce((SELECT json_agg(json_build_object('Country', country::text, 'Region', region, 'Name', name, 'PPM',
				ppm)) FROM tax_rate WHERE tax_class = v.tax_class), '[]')
		FROM variant v
		JOIN product ON product.id = v.product_id
		JOIN LATERAL (
			SELECT title
			FROM product_text
			WHERE product_id = product.id
			ORDER BY language = $1 DESC, language = 'en' DESC
			LIMIT 1) t ON true
		LEFT JOIN picture pic ON pic.id = coalesce(v.picture_id, (SELECT id FROM picture WHERE product_id = product.id
			ORDER BY position LIMIT 1))
		CROSS JOIN price_list list`+catalog.NowOn+`
		WHERE v.active AND price.amount IS NOT NULL AND v.id IN (
			SELECT (rule -> 'effect' ->> 'variant')::bigint
			FROM promotion
			WHERE state = 'live' AND rule -> 'effect' ->> 'kind' = 'gift'
			UNION
			SELECT $2::bigint)`, language, tried).Query(func(rows pgx.Rows) error {
		for rows.Next() {
			line := Line{Quantity: 1, Min: 1, Max: 1}
			var currency string
			var included bool
			var at, rates []byte
			if err := rows.Scan(&line.VariantID, &line.ProductID, &line.Slug, &line.SKU, &line.Title, &line.Options,
				&line.Picture, &line.Grams, &line.Rate.Class, &currency, &included, &line.UnitPrice, &at,
				&rates); err != nil {
				return err
			}
			var all []tax.Rate
			if err := errors.Join(json.Unmarshal(at, &line.levels), json.Unmarshal(rates, &all)); err != nil {
				return err
			}
			line.Note, line.Gone = currency, included // until the cart's home is known
			l.gifts, l.giftRates = append(l.gifts, line), append(l.giftRates, all)
		}
		return rows.Err()
	})
}

// queueWays asks how it can be sent, and what tax its charge has there.
func (l *loading) queueWays(batch *pgx.Batch, customerID int64) {
	batch.Queue(`
		SELECT `+delivery.Columns+`
		FROM cart c
		CROSS JOIN LATERAL home_location(c.location_id, $2::bigint) home
		JOIN delivery d ON d.active AND d.currency = home.currency
		WHERE c.customer_id = $1 AND c.state = 'open'`, customerID,
		l.here.LocationID).Query(func(rows pgx.Rows) (err error) {
		l.methods, err = pgx.CollectRows(rows, pgx.RowToStructByName[delivery.Method])
		return err
	})
	batch.Queue(`
		SELECT r.country::text, r.region, r.tax_class, r.name, r.ppm
		FROM cart c
		CROSS JOIN LATERAL home_location(c.location_id, $2::bigint) home
		JOIN tax_rate r ON r.country = coalesce(c.country, home.country) AND r.tax_class = 'standard'
		WHERE c.customer_id = $1 AND c.state = 'open'`, customerID,
		l.here.LocationID).Query(func(rows pgx.Rows) (err error) {
		l.sums, err = pgx.CollectRows(rows, pgx.RowToStructByPos[tax.Rate])
		return err
	})
}

func (l *loading) queueCards(batch *pgx.Batch, customerID int64) {
	batch.Queue(`
		SELECT g.id, g.ends, g.currency::text, g.balance
		FROM cart c
		JOIN cart_gift_card cg ON cg.cart_id = c.id
		JOIN gift_card g ON g.id = cg.gift_card_id AND g.disabled_at IS NULL
		CROSS JOIN LATERAL home_location(c.location_id, $2::bigint) home
		WHERE c.customer_id = $1 AND c.state = 'open' AND g.currency = home.currency
		ORDER BY cg.added_at, g.id`, customerID, l.here.LocationID).Query(func(rows pgx.Rows) (err error) {
		l.Cards, err = pgx.CollectRows(rows, pgx.RowToStructByPos[giftcard.Card])
		return err
	})
}
