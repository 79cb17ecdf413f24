package basket

import (
	"context"
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
	"counterpart/internal/domain/loyalty"
	"counterpart/internal/domain/promotion"
	"counterpart/internal/domain/quote"
	"counterpart/internal/domain/tax"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/text"
	"counterpart/internal/query/reference"
)

// SaleContext is a counter at which the cart is looked at: what is collected is collected there, or carried out.
type SaleContext struct {
	LocationID int64 // 0: no counter
	CarryOut   bool
	Again      ReturnedPoints  // what came back in points and pays again
	Agreed     map[int64]int64 // by variant, the price of one that was agreed before: of an exchange for the same
	Together   Parcel          // that it travels in, which has not left: its delivery is paid already
	Email      string          // that the shopper gave; empty: none yet. Whoever used something up is known by it
	Known      *reference.Data // what the process knows of stores and promotions; nil: it is read
}

// ReturnedPoints is points that come back in an exchange and pay for what is taken instead, with what they paid before:
// the customer spent them already, so neither the shop's minimum nor today's worth of a point is asked.
type ReturnedPoints struct{ Points, Value int64 }

// Parcel is what something can travel in: how it is delivered, from where and to which country.
type Parcel struct {
	DeliveryID int64 // 0: there is none
	LocationID int64
	Country    string
}

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
	head       head
	here       SaleContext
	sums       []tax.Rate // of the standard class where it is delivered
	promotions []quote.Promotion
	gifts      []giftRow
	methods    []delivery.Method
	stores     []location.Location
	tried      int64 // the gift of a promotion that is only tried
}

// head is the row of a cart and whom it belongs to.
type head struct {
	quote.Shopper
	loyalty.Rates
	loyalty.Balance

	CartID, StoreID, HomeID, DeliveryID, Spend, Credit, Version int64

	Code, Country, Region, Language string
	Codes                           []string
	UseCredit, WalkIn               bool
	Gifts, Ways, Cards              bool // what a second round trip is needed for
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
	if a.here.Known == nil {
		l.queueStores(batch, a.customerID)
		l.queuePromotions(batch, a.customerID)
	}
	err := db.SendBatch(ctx, batch).Close()
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read a cart: %w", err)
	}
	if known := a.here.Known; known != nil && known.Version != l.head.Version {
		a.here.Known = nil // Under the same locks, where there are any.
		return read(ctx, db, &pgx.Batch{}, a)
	}
	return l, l.more(ctx, db, a.customerID, a.language)
}

// more asks for what few carts have: gifts, a delivery, gift cards, codes; and for what the process does not know.
func (l *loading) more(ctx context.Context, db pg.DB, customerID int64, language string) error {
	batch := &pgx.Batch{}
	if l.here.Known != nil {
		if !l.knownStores() {
			l.queueStores(batch, customerID)
		}
		if !l.knownPromotions() {
			l.queuePromotions(batch, customerID)
		}
	}
	if l.head.Gifts || l.tried != 0 {
		l.queueGifts(batch, language, l.tried)
	}
	if l.head.Ways {
		l.queueWays(batch, customerID)
	}
	if l.head.Cards {
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

// queueHead asks for the cart and whom it belongs to.
func (l *loading) queueHead(batch *pgx.Batch, customerID int64) {
	batch.Queue(`
		SELECT c.id AS cart_id, c.code, coalesce(c.location_id, 0) AS store_id, home.id AS home_id,
			coalesce(c.country, home.country)::text AS country, CASE
			WHEN c.country IS NULL OR c.country = home.country AND c.region = '' THEN home.region ELSE c.region
				END AS region,
			coalesce(c.delivery_id, 0) AS delivery_id, c.points AS spend, c.credit AS use_credit,
			shop.points_rate AS rate, shop.points_worth AS worth, shop.points_minimum AS minimum,
			person.registered_at IS NOT NULL AS member, person.tier,
			ARRAY(SELECT DISTINCT tag FROM customer_tag WHERE customer_id = ANY (same.ids)) AS tags,
			ARRAY(SELECT DISTINCT segment_id FROM segment_member WHERE customer_id = ANY (same.ids)) AS segments,
			EXISTS (SELECT FROM orders WHERE state <> 'cancelled' AND customer_id = ANY (same.ids))
				OR $3 <> '' AND EXISTS (SELECT FROM orders WHERE state <> 'cancelled' AND email <> ''
					AND lower(email) = lower($3)) AS returned,
			lots.spendable, lots.pending, lots.ending, lots.ends_on,
			coalesce((SELECT sum(balance) FROM credit WHERE currency = home.currency AND customer_id = ANY (same.ids)),
				0)::bigint AS credit,
			ARRAY(SELECT code FROM cart_code WHERE cart_id = c.id ORDER BY code) AS codes,
			EXISTS (SELECT FROM promotion WHERE state = 'live' AND rule -> 'effect' ->> 'kind' = 'gift') AS gifts,
			EXISTS (SELECT FROM cart_line WHERE cart_id = c.id AND method = 'ship') AS ways,
			EXISTS (SELECT FROM cart_gift_card WHERE cart_id = c.id) AS cards, `+customer.WalkIn+` AS walk_in,
			person.language, `+reference.Version+` AS version
		FROM cart c
		JOIN customer person ON person.id = c.customer_id
		CROSS JOIN LATERAL (SELECT ARRAY(SELECT member FROM person_members($1) AS member) AS ids OFFSET 0) same
		CROSS JOIN shop
		CROSS JOIN LATERAL home_location(c.location_id, $2::bigint) home
		CROSS JOIN LATERAL points_of(same.ids) lots
		WHERE c.customer_id = $1 AND c.state = 'open'`, customerID, l.here.LocationID, l.here.Email).
		Query(func(rows pgx.Rows) error {
			row, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[head])
			l.head = row
			l.CartID, l.Code, l.Country, l.Region, l.Codes = row.CartID, row.Code, row.Country, row.Region, row.Codes
			l.Spend, l.UseCredit, l.Credit, l.Language = row.Spend, row.UseCredit, row.Credit, row.Language
			l.Home.ID, l.Rates, l.Points = row.HomeID, row.Rates, row.Balance
			return err
		})
}

// queueStores asks for the stores that the cart and its lines name, and for those that send.
func (l *loading) queueStores(batch *pgx.Batch, customerID int64) {
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
		WHERE s.variant_id = v.id AND s.condition = 'sellable' AND ` + inventory.Available("s") + ` > 0), '[]') AS levels`

// lineRow is a line as a statement answers it.
type lineRow struct {
	Line

	TaxCountry, TaxRegion, TaxClass, TaxName string

	TaxPPM int64
	Levels []level
}

// giftRow is what a promotion gives for nothing, on one price list.
type giftRow struct {
	lineRow
	Currency    string
	TaxIncluded bool
	Rates       []tax.Rate // wherever
}

func (r *lineRow) line() Line {
	r.Rate = tax.Rate{Country: r.TaxCountry, Region: r.TaxRegion, Class: r.TaxClass, Name: r.TaxName, PPM: r.TaxPPM}
	r.levels = r.Levels
	return r.Line
}

func (l *loading) queueLines(batch *pgx.Batch, customerID int64, language string) {
	batch.Queue(`
		SELECT cl.id, v.id AS variant_id, product.id AS product_id, product.slug, v.sku, t.title, v.options,
			coalesce(pic.key, '') AS picture, cl.quantity, v.min_quantity AS min, v.max_quantity AS max,
			NOT v.active OR product.status <> 'active' OR price.amount IS NULL AS gone,
			CASE WHEN v.gift_card THEN 'mail' WHEN $4 AND cl.method = 'pickup' AND coalesce(cl.location_id, $3) = $3
				THEN 'carry_out' ELSE cl.method END AS method,
			coalesce(CASE WHEN $4 THEN coalesce(cl.location_id, $3) WHEN $3 <> 0 THEN $3 END, cl.location_id,
				c.location_id, 0) AS location_id,
			coalesce(price.amount, 0) AS unit_price, v.grams, v.gift_card, cl.note, product.tags,
			CASE WHEN $5 THEN `+catalog.Categories+` ELSE '{}' END AS categories,
			coalesce((
				SELECT json_agg(json_build_object('From', b.from_quantity, 'Members', b.members, 'Tier', b.tier,
					'Segment', coalesce(b.segment_id, 0), 'Amount', b.amount))
				FROM price_break b
				WHERE b.variant_id = v.id AND b.price_list_id = list.id AND b.valid @> statement_timestamp()), '[]')
				AS breaks,
			`+levels+`,
			dest.country::text AS tax_country, dest.region AS tax_region, v.tax_class,
			coalesce(rate.name, '') AS tax_name, coalesce(rate.ppm, 0) AS tax_ppm, rate.ppm IS NULL AS untaxed,
			NOT v.tracked AS untracked, v.back_order, NOT product.pickup AS no_pickup, NOT product.ship AS no_ship
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
		l.here.CarryOut, l.here.Known == nil || l.here.Known.ByCategory).Query(func(rows pgx.Rows) error {
		lines, err := pgx.CollectRows(rows, pgx.RowToStructByNameLax[lineRow])
		for i := range lines {
			l.Lines = append(l.Lines, lines[i].line())
		}
		return err
	})
}

// queuePromotions asks for what applies by itself and for what the typed codes open, and for who may not use it any
// more.
func (l *loading) queuePromotions(batch *pgx.Batch, customerID int64) {
	batch.Queue(`
		SELECT `+promotion.Columns+`, coalesce(code.code, '') AS code, coalesce(code.id, 0) AS coupon_id,
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
				ELSE '' END AS barred
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
		customerID, l.here.LocationID, promotion.NormalMailbox(l.here.Email),
		l.here.CarryOut).Query(func(rows pgx.Rows) error {
		all, err := pgx.CollectRows(rows, pgx.RowToStructByName[struct {
			promotion.Promotion
			Code, Barred string
			CouponID     int64
		}])
		for i := range all {
			q := all[i].InQuote()
			q.Code, q.CouponID, q.Barred = all[i].Code, all[i].CouponID, whyBarred[all[i].Barred]
			l.promotions = append(l.promotions, q)
		}
		return err
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
		SELECT v.id AS variant_id, product.id AS product_id, product.slug, v.sku, t.title, v.options,
			coalesce(pic.key, '') AS picture, v.grams, v.tax_class, 1 AS quantity, 1 AS min, 1 AS max,
			list.currency::text, list.tax_included, price.amount AS unit_price, `+levels+`,
			coalesce((SELECT json_agg(json_build_object('Country', country::text, 'Region', region, 'Name', name, 'PPM',
				ppm)) FROM tax_rate WHERE tax_class = v.tax_class), '[]') AS rates
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
			SELECT $2::bigint)`, language, tried).Query(func(rows pgx.Rows) (err error) {
		l.gifts, err = pgx.CollectRows(rows, pgx.RowToStructByNameLax[giftRow])
		return err
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
