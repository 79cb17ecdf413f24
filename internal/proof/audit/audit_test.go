package audit_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"counterpart/internal/adapter/sandbox/sandboxtest"
	"counterpart/internal/domain/cart"
	"counterpart/internal/domain/catalog"
	"counterpart/internal/domain/credit"
	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/delivery"
	"counterpart/internal/domain/giftcard"
	"counterpart/internal/domain/history"
	"counterpart/internal/domain/loyalty"
	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/payment"
	"counterpart/internal/domain/promotion"
	"counterpart/internal/domain/quote"
	"counterpart/internal/domain/recommend"
	"counterpart/internal/flow/cancellation"
	"counterpart/internal/flow/checkout"
	"counterpart/internal/flow/person"
	"counterpart/internal/flow/pickup"
	"counterpart/internal/flow/returns"
	"counterpart/internal/flow/settle"
	"counterpart/internal/flow/shopping"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/pg/pgtest"
	"counterpart/internal/platform/postal"
	"counterpart/internal/proof/audit"
	"counterpart/internal/proof/sample"
	"counterpart/internal/query/basket"
)

var ctx = context.Background()

// corruptions are one for each rule. Where a constraint already refuses the row, the test takes it away first, which is
// what a restored dump or a careless migration does: the audit is the second line.
var corruptions = []struct{ rule, unguard, corrupt string }{
	{"on hand is the sum of its moves", "",
		`UPDATE stock_level SET on_hand = on_hand + 1 WHERE ctid = (SELECT min(ctid) FROM stock_level)`},
	{"on hand was never below zero", "",
		`INSERT INTO stock_move (variant_id, location_id, delta, cause, channel) SELECT variant_id, location_id, d, 'count', 'api' FROM (SELECT variant_id, location_id FROM stock_level LIMIT 1) l, (VALUES (-100), (100)) v (d)`},
	{"reserved is the sum of its unreleased reservations", "",
		`UPDATE stock_level SET reserved = reserved - 1 WHERE reserved > 0`},
	{"what is not sellable is not reserved, and 0 ≤ reserved ≤ on hand",
		`ALTER TABLE stock_level DROP CONSTRAINT stock_level_check`,
		`UPDATE stock_level SET reserved = on_hand + 1 WHERE reserved > 0`},
	{"no reservation is unreleased five minutes past its expiry", "",
		`UPDATE reservation SET expires_at = now() - interval '1 hour' WHERE released_at IS NULL`},
	{"an open unit has exactly one reservation, at its pickup location", "",
		`UPDATE reservation SET quantity = quantity + 1 WHERE released_at IS NULL`},
	{"a collected unit left stock exactly once", "",
		`INSERT INTO stock_move (variant_id, location_id, delta, cause, channel, order_line_id) SELECT variant_id, location_id, delta, cause, channel, order_line_id FROM stock_move WHERE cause = 'sale'`},
	{"an order's total is its lines less discounts, with shipping and added tax",
		`ALTER TABLE orders DROP CONSTRAINT orders_check1`, `UPDATE orders SET total = total + 1`},
	{"an order's header is the sum of its lines", "", `UPDATE order_line SET tax = tax + 1`},
	{"a line is the sum of its units", "", `UPDATE order_unit SET paid = paid + 1 WHERE n = 1`},
	{"captured ≤ authorised, refunded ≤ captured", `ALTER TABLE tender DROP CONSTRAINT tender_check1`,
		`UPDATE tender SET captured = authorised + 1`},
	{"a paid order's money is what it costs, an unpaid one has none", "",
		`UPDATE tender SET authorised = authorised - 1, captured = captured - 1 WHERE captured > refunded`},
	{"a collected order is paid, or its capture was requested", "",
		`UPDATE orders SET payment_state = 'due' WHERE payment_state = 'paid'`},
	{"a pay-at-pickup tender is open exactly while something is still to be collected unpaid", "",
		`UPDATE tender SET settled_at = now() WHERE kind = 'pay_at_pickup' AND settled_at IS NULL`},
	{"a fulfilment's state follows from its units", "",
		`UPDATE order_unit SET state = 'cancelled' WHERE state = 'open'`},
	{"an order is cancelled exactly when all its fulfilments are", "",
		`UPDATE orders SET state = 'cancelled', cancelled_at = now()`},
	{"a merged profile owns no open cart, list or address", "",
		`INSERT INTO address (customer_id, name, lines, town, country) SELECT id, 'Ada', '1 Mill Lane', 'Leeds', 'GB' FROM customer WHERE merged_into IS NOT NULL`},
	{"a merged profile has a merge that can be undone, one level deep", "", `UPDATE merge SET undone_at = now()`},
	{"no suspended or erased person is signed in", "",
		`UPDATE customer SET disabled_at = now() WHERE id IN (SELECT customer_id FROM session)`},
	{"no personal data of an erased customer remains", "",
		`UPDATE customer SET erased_at = now() WHERE id = (SELECT max(customer_id) FROM orders)`},
	{"an account can be signed in to", "", `UPDATE identity SET verified_at = NULL WHERE kind = 'email'`},
	{"a passkey exists exactly where its identity does", "",
		`INSERT INTO identity (customer_id, kind, value, source, verified_at) SELECT min(id), 'passkey', 'x', 'web', now() FROM customer`},
	{"the shop has an admin who can sign in", "",
		`INSERT INTO associate (name, email, role, password_hash, disabled_at) VALUES ('Ida', 'ida@example.com', 'admin', '', now())`},
	{"at most one open cart per person", `DROP INDEX cart_open`,
		`INSERT INTO cart (customer_id, code, channel) SELECT (SELECT min(customer_id) FROM cart), v.code, 'web' FROM (VALUES ('AAAAAAA2'), ('AAAAAAA3')) v (code)`},
	{"a cart made an order exactly when it says so, and one only", "",
		`UPDATE cart SET state = 'ordered' WHERE state = 'open'`},
	{"a cart's order is the cart owner's", "",
		`UPDATE orders SET customer_id = (SELECT max(id) FROM customer) WHERE id = (SELECT min(id) FROM orders)`},
	{"a ready fulfilment has a hold expiry and a shelf", "",
		`UPDATE fulfilment SET hold_until = NULL WHERE state = 'ready'`},
	{"a verified identity belongs to one customer", `DROP INDEX identity_verified`,
		`INSERT INTO identity (customer_id, kind, value, source, verified_at) SELECT id, 'email', 'same@example.com', 'web', now() FROM customer`},
	{"prices of a variant on a list do not overlap",
		`ALTER TABLE price DROP CONSTRAINT price_price_list_id_variant_id_valid_excl`,
		`INSERT INTO price (variant_id, price_list_id, amount) SELECT variant_id, price_list_id, 1 FROM price`},
	{"an unpaid order reserves no more than its units", "",
		`INSERT INTO reservation (order_line_id, variant_id, location_id, quantity, expires_at) SELECT order_line_id, variant_id, location_id, 1, expires_at FROM reservation WHERE expires_at IS NOT NULL AND released_at IS NULL`},
	{"a reservation without expiry belongs to a confirmed order", "",
		`UPDATE reservation SET expires_at = NULL WHERE expires_at IS NOT NULL AND released_at IS NULL`},
	{"a restocked return is back in stock exactly once, where it was restocked", "",
		`UPDATE returned_unit SET restocked = NOT restocked`},
	{"only collected units were returned", "",
		`UPDATE order_unit u SET state = 'cancelled' FROM returned_unit r WHERE r.order_line_id = u.order_line_id AND r.n = u.n`},
	{"a delivery is paid with its tax", "", `UPDATE fulfilment SET paid = paid + 1 WHERE method = 'ship'`},
	{"a discount is the sum of its shares, a unit's discount too", "", `UPDATE order_share SET amount = amount + 1`},
	{"an order's tenders cover it", "", `UPDATE tender SET authorised = authorised + 1 WHERE kind = 'pay_at_pickup'`},
	{"a tender of a gateway is what its payment says", "",
		`UPDATE payment SET state = 'authorised' WHERE state = 'captured'`},
	{"a tender's refunds are recorded, and no refund is stuck", "", `DELETE FROM refund`},
	{"an order stays placed only until its payment deadline", "",
		`UPDATE orders SET hold_until = NULL WHERE state = 'placed'`},
	{"a cancelled order took nothing, or gave it back", "",
		`UPDATE orders SET payment_state = 'due' WHERE state = 'cancelled'`},
	{"a return refunds what its units cost", "", `UPDATE return_ticket SET goods = goods + 1`},
	{"an allowance is the sum of its shares, and each unit's and delivery's reduction too", "",
		`UPDATE order_unit SET allowed = 1 WHERE paid > by_points`},
	{"a draft is a cart of its own until it is an order", "",
		`UPDATE cart SET state = 'draft' WHERE ctid = (SELECT min(ctid) FROM cart WHERE state = 'ordered')`},
	{"lists show of a product what its texts, pictures, variants and prices say", "",
		`UPDATE product_card SET dearest = dearest + 1 WHERE product_id = (SELECT min(product_id) FROM product_card)`},
	{"departments list what is in them", "", `UPDATE category_card SET popularity = popularity + 1`},
	{"a variant is listed as in stock exactly where some of it can be sold", "",
		`DELETE FROM in_stock WHERE variant_id = (SELECT min(variant_id) FROM in_stock)`},
	{"a person's figures are those of their orders", "",
		`UPDATE figuring SET timeline_to = (SELECT max(id) FROM timeline);
		DELETE FROM figure_changed;
		UPDATE merge SET at = at - interval '1 day', undone_at = undone_at - interval '1 day';
		INSERT INTO figure (customer_id, registered, consents, orders, web_orders, first_at, last_at)
		SELECT id, false, '{}', 1000, 1000, now(), now() FROM customer LIMIT 1`},
	{"what somebody asked to hear and was told is done with", "",
		`INSERT INTO watch (customer_id, variant_id, kind, medium, target, location_id, price, currency)
		SELECT (SELECT max(id) FROM customer), min(v.id), 'back', 'mail', 'ada@example.com', (SELECT min(id) FROM location), 1, 'GBP' FROM variant v;
		INSERT INTO outreach (customer_id, kind, medium, target, watch_id, state, sent_at)
		SELECT customer_id, 'back', 'mail', target, id, 'sent', now() FROM watch`},
	{"nobody who was forgotten has figures, predictions, segments, messages or reminders", "",
		`UPDATE customer SET erased_at = now() WHERE id = (SELECT min(id) FROM customer);
		INSERT INTO figure (customer_id, registered, consents) SELECT min(id), false, '{}' FROM customer`},
	{"of nobody who objects to profiling anything is predicted", "",
		`INSERT INTO consent (customer_id, purpose, medium, given, wording, source)
		SELECT id, 'objection', 'shop', true, 1, 'web' FROM customer WHERE merged_into IS NULL AND id NOT IN (SELECT survivor_id FROM merge);
		INSERT INTO prediction (customer_id, orders_90, orders_365, spend_365, active, predicted_on)
		SELECT id, 1, 2, 3, 0.5, now() FROM customer WHERE merged_into IS NULL AND id NOT IN (SELECT survivor_id FROM merge)`},
	{"an order counts in what is bought together for what somebody kept of it", "",
		`UPDATE basket SET products = products || 999::bigint`},
	{"two products were bought together as often both ways round, and no oftener than each", "",
		`UPDATE bought_with SET baskets = baskets + 1 WHERE product_id < other_id`},
	{"an exchange is paid by what came back for it", "",
		`UPDATE refund SET amount = amount + 1 WHERE how = 'exchange'`},
	{"points: a lot is the sum of its entries, none below zero", "",
		`UPDATE points_lot SET remaining = remaining - 1 WHERE remaining > 0`},
	{"points that pay for an order were spent on it, and are returned with it", "",
		`UPDATE tender SET points = points + 1 WHERE kind = 'points'`},
	{"points are earned once by collected units, and reversed for returned ones", "",
		`UPDATE points_entry SET order_id = NULL WHERE cause = 'earned'`},
	{"points that ended did so once, and what a visit brought back is a lot of its own", "",
		`UPDATE points_lot SET expired = expired + 1, expired_at = now(), points = points + 1`},
	{"a customer's tier is the one at which they stand, with its end where it has one", "",
		`INSERT INTO tier (title, position, counts) VALUES ('Gold', 1, 'grant');
		INSERT INTO standing (customer_id, tier_id, granted) SELECT min(id), (SELECT max(id) FROM tier), true FROM customer WHERE merged_into IS NULL`},
	{"a place for suggestions names departments that there are", "",
		`UPDATE slot SET never_in = '{999999}' WHERE place = 'cart'`},
	{"points that are owed are what returns left and orders paid", "",
		`INSERT INTO points_debt (customer_id, points) SELECT min(id), 7 FROM customer`},
	{"gift cards: a balance is the sum of its entries, none below zero", "",
		`UPDATE gift_card SET balance = balance + 1`},
	{"store credit: a balance is the sum of its entries, none below zero", "",
		`UPDATE credit SET balance = balance + 1`},
	{"what gift cards and credit paid of an order is what its tenders say", "",
		`UPDATE gift_card_entry SET order_id = NULL WHERE cause = 'spent'`},
	{"a unit that sold a gift card issued exactly one, when it was sent", "",
		`UPDATE gift_card SET order_line_id = NULL WHERE order_line_id IS NOT NULL`},
	{"a promotion is used no more than it may be, and its counter is its uses", "",
		`UPDATE promotion SET used = used - 1 WHERE used > 0`},
	{"a code is used no more than it may be, and its counter is its uses", "", `UPDATE coupon SET used = used + 1`},
	{"nobody used a promotion more often than one person, or one day, may", "",
		`UPDATE promotion_counter SET used = used + 1`},
	{"a use of a promotion is an order's discount, and given back with it", "",
		`UPDATE promotion_use SET released_at = now() WHERE released_at IS NULL`},
	{"a gateway's webhook event is processed", "",
		`INSERT INTO payment_event (gateway, event, kind, received_at) VALUES ('sandbox', 'ev_1', 'payment.capture', now() - interval '2 days')`},
	{"an order, its payments and its gift cards are of one currency", "", `UPDATE payment SET currency = 'EUR'`},
	{"no gateway keeps an authorisation that is no longer needed", "",
		`UPDATE payment SET state = 'authorised' WHERE state = 'captured'`},
	{"a refused refund has an open difference", "",
		`WITH x AS (INSERT INTO transfer (payment_id, kind, amount, state, settled_at) SELECT min(id), 'refund', 1, 'failed', now() FROM payment RETURNING id) UPDATE refund SET transfer_id = x.id, state = 'failed' FROM x WHERE refund.id = (SELECT min(id) FROM refund)`},
	{"an authorisation that expires soon was reported", "",
		`UPDATE payment SET state = 'authorised', lapses_at = now() + interval '1 hour', warned_at = NULL WHERE state = 'captured'`},
	{"a sold gift card was emailed to its recipient", "",
		`UPDATE gift_card SET code_hash = NULL, created_at = now() - interval '2 days'`},
	{"documents are numbered without gaps", "", `UPDATE document_series SET last = last + 1`},
	{"a document's tax is that of its lines", "",
		`INSERT INTO document (series, number, order_id, cause, currency, total, day, body) SELECT 'invoice', 99, min(id), 'order:0', 'GBP', 100, now(), '{}' FROM orders`},
	{"a fulfilment is undecided exactly while a shortage of it is open", "",
		`UPDATE fulfilment SET state = 'undecided', code = NULL, token = NULL WHERE id = (SELECT min(id) FROM fulfilment WHERE state = 'to_pick')`},
	{"a line that was split is of one order, variant and price", "",
		`UPDATE order_line SET split_from = (SELECT min(id) FROM order_line WHERE variant_id <> l.variant_id) FROM order_line l WHERE l.id = order_line.id AND order_line.id = (SELECT max(id) FROM order_line)`},
	{"the changes of reference data are counted in one row", "", `DELETE FROM reference_version`},
	{"a hold ends after it began, and only what was not collected is a no-show", "",
		`UPDATE fulfilment SET hold_until = ready_at - interval '1 day' WHERE state = 'ready'`},
	{"every constraint and index the rules rely on is in force", "",
		`ALTER TABLE tender ADD CONSTRAINT later CHECK (captured >= 0) NOT VALID`},
}

func TestEveryRuleCatchesItsCorruption(t *testing.T) {
	pool, address := pgtest.Database(t)
	story(t, pool)
	trade(t, pool, address)
	together(t, pool)
	require.NoError(t, recommend.Rebuild(ctx, pool))
	tx, err := pool.Begin(ctx)
	require.NoError(t, err)
	t.Cleanup(func() { _ = tx.Rollback(ctx) })
	found, err := audit.Run(ctx, tx)
	require.NoError(t, err)
	require.Empty(t, found, "the story is sound")

	covered := map[string]bool{}
	for _, c := range corruptions {
		covered[c.rule] = true
		t.Run(c.rule, func(t *testing.T) {
			err := pgx.BeginFunc(ctx, tx, func(sub pgx.Tx) error {
				if c.unguard != "" {
					// Deferred work of this transaction has to be done before a table can be altered.
					_, err := sub.Exec(ctx, `SET CONSTRAINTS ALL IMMEDIATE`)
					require.NoError(t, err)
					_, err = sub.Exec(ctx, c.unguard)
					require.NoError(t, err)
				}
				tag, err := sub.Exec(ctx, c.corrupt)
				require.NoError(t, err)
				if !strings.HasPrefix(tag.String(), "ALTER") {
					require.NotZero(t, tag.RowsAffected(), "the corruption did something")
				}
				findings, err := audit.Run(ctx, sub)
				require.NoError(t, err)
				var rules []string
				for _, f := range findings {
					rules = append(rules, f.Rule)
				}
				require.Contains(t, rules, c.rule)
				return pgx.ErrTxClosed // Any error takes it back.
			})
			require.Error(t, err)
		})
	}
	for _, rule := range audit.Rules {
		require.True(t, covered[rule.Name], "no corruption shows that %q is caught", rule.Name)
	}
}

// trade is a day on which everything was sold, paid and brought back in every way.
func trade(t *testing.T, pool *pgxpool.Pool, address string) {
	t.Helper()
	company := sandboxtest.Start(t, address, "")
	office := &settle.Payments{DB: pool, Gateway: company.Gateway(), Base: "http://shop.example"}
	var c struct{ Mug, Coat, Card, Harbour, Bea int64 }
	require.NoError(t, pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		require.NoError(t, tx.QueryRow(ctx,
			`SELECT (SELECT id FROM variant WHERE sku = 'MUG-B'), (SELECT id FROM variant WHERE sku = 'COAT'), l.id, (SELECT min(id) FROM associate) FROM location l WHERE code = 'HAR'`).Scan(&c.Mug, &c.Coat, &c.Harbour, &c.Bea))
		_, err := tx.Exec(ctx, `UPDATE location SET ship = true, takes_returns = true`)
		require.NoError(t, err)
		put, err := catalog.Put(ctx, tx, catalog.Product{Slug: "gift-card", Title: "Gift card", Language: "en",
			Categories: []catalog.Category{{Path: []string{"Gifts"}}}, Variants: []catalog.Variant{
				{SKU: "GIFT", TaxClass: "zero", Prices: []catalog.Price{{Currency: "GBP", TaxIncluded: true,
					Amount: 2500}}}}})
		require.NoError(t, err)
		c.Card = put.Variants["GIFT"]
		require.NoError(t, catalog.LikeMoney(ctx, tx, c.Card))
		require.NoError(t, delivery.Save(ctx, tx, &delivery.Method{Name: "Standard", Countries: []string{"GB"},
			Currency: "GBP", Carrier: "Post", MinDays: 1, MaxDays: 2, Active: true,
			Rates: []delivery.Rate{{MaxGrams: 9000, Charge: 395}}}))
		p := promotion.Promotion{Title: "Ten per cent", NeedsCode: true, MaxUses: new(9), MaxPerCustomer: new(8),
			MaxPerDay: new(8), Combines: []quote.Level{quote.LineLevel, quote.OrderLevel, quote.ShippingLevel},
			Rule: quote.Rule{Effect: quote.Effect{Kind: quote.Percent, Percent: 1000}}}
		require.NoError(t, promotion.Save(ctx, tx, &p, 0))
		require.NoError(t, promotion.AddCode(ctx, tx, promotion.Coupon{PromotionID: p.ID, Code: "TEN",
			MaxUses: new(9)}))
		return promotion.Move(ctx, tx, p.ID, promotion.Live)
	}))
	shop := func(pay string, here basket.SaleContext, variants ...int64) (checkout.Placed, int64) {
		var ada int64
		var code string
		require.NoError(t, pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) (err error) {
			if ada, err = customer.Create(ctx, tx, "Ada", "en", "web"); err != nil {
				return err
			}
			require.NoError(t, customer.Identify(ctx, tx, ada,
				customer.Identity{Kind: customer.Phone, Value: "+441134960123", Source: "counter"}))
			id, err := giftcard.Make(ctx, tx, giftcard.New{Currency: "GBP", Amount: 300})
			require.NoError(t, err)
			code, err = giftcard.Code(ctx, tx, id)
			require.NoError(t, err)
			require.NoError(t, credit.Give(ctx, tx, credit.Grant{CustomerID: ada, Currency: "GBP", Amount: 100,
				Cause: "given"}))
			return loyalty.Give(ctx, tx, loyalty.Grant{CustomerID: ada, Points: 200, Cause: "given",
				Vests: time.Now().Add(-time.Hour)})
		}))
		for _, v := range variants {
			require.NoError(t, shopping.AddFor(ctx, pool, origin.Origin{Channel: origin.Web, Language: "en"}, ada,
				shopping.Item{VariantID: v, Quantity: 1, LocationID: c.Harbour, Ship: v == c.Coat}))
		}
		require.NoError(t, shopping.UseCode(ctx, pool, shopping.Shopper{Person: ada}, "TEN"))
		require.NoError(t, shopping.UseGiftCard(ctx, pool, shopping.Shopper{Person: ada}, code, "GBP"))
		require.NoError(t, cart.SpendPoints(ctx, pool, ada, 150, true))
		if here.CarryOut {
			require.NoError(t, cart.TakeInHand(ctx, pool, ada, 0, c.Harbour))
		}
		b, err := basket.LoadAt(ctx, pool, ada, here, "en")
		require.NoError(t, err)
		placed, err := checkout.Place(ctx, pool, origin.Origin{Channel: origin.Web,
			AssociateID: map[bool]int64{true: c.Bea}[here.LocationID != 0],
			Language:    "en"}, checkout.Request{CustomerID: ada, CartID: b.CartID, Expected: b.Quote.Total,
			Name:  "Ada",
			Email: "ada@example.com", Pay: pay, Given: 100_00, Sure: true, Gateway: "sandbox",
			To: postal.Address{Lines: "1 Mill Lane", Town: "Leeds", Postcode: "LS1 6QD"}, Here: here})
		require.NoError(t, err)
		return placed, ada
	}
	pay := func(placed checkout.Placed) {
		page, err := office.Page(ctx, placed.PaymentID)
		require.NoError(t, err)
		company.Pay(page, sandboxtest.Good)
		require.NoError(t, office.Settle(ctx, placed.PaymentID))
		rows, err := pool.Query(ctx, `SELECT id FROM transfer WHERE state = 'asked'`)
		require.NoError(t, err)
		ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
		require.NoError(t, err)
		for _, id := range ids {
			require.NoError(t, office.Transfer(ctx, id))
		}
	}
	mixed, _ := shop(payment.Card, basket.SaleContext{}, c.Mug, c.Coat, c.Card)
	pay(mixed)
	off, _ := shop(payment.Card, basket.SaleContext{}, c.Mug)
	pay(off)
	require.NoError(t, cancellation.Order(ctx, pool, origin.Origin{Channel: origin.Web, Language: "en"}, off.ID))
	shop(payment.Card, basket.SaleContext{}, c.Mug) // is still being paid
	sold, _ := shop(payment.Cash, basket.SaleContext{LocationID: c.Harbour, CarryOut: true}, c.Mug)
	var line, blue int64
	require.NoError(t, pool.QueryRow(ctx,
		`SELECT min(id), (SELECT id FROM variant WHERE sku = 'MUG-W') FROM order_line WHERE order_id = $1`,
		sold.ID).Scan(&line, &blue))
	_, err := returns.Make(ctx, pool, origin.Origin{Channel: origin.Counter, LocationID: c.Harbour, AssociateID: c.Bea,
		Language: "en"}, returns.Request{Form: "a form of the story, once", OrderID: sold.ID, SelfApproves: true,
		Pay: payment.Cash, Given: 100_00, Sure: true,
		Wants: []returns.ReturnLine{{LineID: line, Quantity: 1, Reason: "faulty", Grade: "damaged",
			Restock: true}}, Exchange: []returns.ExchangeLine{{VariantID: blue, Quantity: 1}}})
	require.NoError(t, err)
}

// story is a chain with an order of each kind: to pick, ready, collected, and an account that took a guest's open cart
// in.
func story(t *testing.T, db pg.DB) {
	t.Helper()
	c := sample.Load(t, db)
	desk := origin.Origin{Channel: origin.Counter, LocationID: c.HarbourStreet.ID, AssociateID: c.Bea.ID,
		Language: "en"}
	for _, state := range []string{"to_pick", "ready", "collected"} {
		ada := c.Ada(t, db, c.Mug, 2, c.HarbourStreet)
		b, err := basket.Load(ctx, db, ada, "en")
		require.NoError(t, err)
		link, err := checkout.Place(ctx, db, origin.Origin{Channel: origin.Web, Language: "en"},
			checkout.Request{CustomerID: ada, CartID: b.CartID, Expected: b.Quote.Total, Name: "Ada",
				Email: "ada@example.com", Pay: payment.PayAtPickup})
		require.NoError(t, err)
		var fulfilment int64
		var code string
		require.NoError(t, db.QueryRow(ctx,
			`SELECT f.id, f.code FROM fulfilment f JOIN orders o ON o.id = f.order_id WHERE o.public_id = $1`,
			link.PublicID).Scan(&fulfilment, &code))
		if state != "to_pick" {
			require.NoError(t, pickup.Ready(ctx, db, desk, fulfilment, "A1"))
		}
		if state == "collected" {
			_, err := pickup.HandOver(ctx, db, desk, fulfilment, code, settle.CounterPayment{Kind: payment.Terminal})
			require.NoError(t, err)
		}
	}
	guest := c.Ada(t, db, c.Coat, 1, c.HarbourStreet)
	account, _ := sample.Account(t, db, "Ada", "ada@example.org")
	_, err := person.Merge(ctx, db, origin.Origin{Channel: origin.Counter, LocationID: c.HarbourStreet.ID},
		customer.Merge{SurvivorID: account, AbsorbedID: guest, Proof: customer.ByCode})
	require.NoError(t, err)
}

// together has two things bought with one another before this shop.
func together(t *testing.T, db pg.DB) {
	t.Helper()
	var before []history.Sale
	for _, receipt := range []string{"1", "2"} {
		for _, sku := range []string{"MUG-B", "COAT"} {
			before = append(before, history.Sale{Receipt: receipt, Code: sku, Day: time.Now(), Goods: true, Quantity: 1, Amount: 100})
		}
	}
	_, _, err := history.Write(ctx, db, "till", "GBP", before)
	require.NoError(t, err)
}
