package audit_test

import (
	"context"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"counterpart/internal/audit"
	"counterpart/internal/basket"
	"counterpart/internal/checkout"
	"counterpart/internal/customer"
	"counterpart/internal/payment"
	"counterpart/internal/person"
	"counterpart/internal/pg"
	"counterpart/internal/pg/pgtest"
	"counterpart/internal/pickup"
	"counterpart/internal/sample"
)

var ctx = context.Background()

// corruptions are one for each rule. Where a constraint already refuses the row, the test takes it away first, which is what a
// restored dump or a careless migration does: the audit is the second line.
var corruptions = []struct{ rule, unguard, corrupt string }{
	{"on hand is the sum of its moves", "", `UPDATE stock_level SET on_hand = on_hand + 1 WHERE ctid = (SELECT min(ctid) FROM stock_level)`},
	{"on hand was never below zero", "", `INSERT INTO stock_move (variant_id, location_id, delta, cause, channel) SELECT variant_id, location_id, d, 'count', 'api' FROM (SELECT variant_id, location_id FROM stock_level LIMIT 1) l, (VALUES (-100), (100)) v (d)`},
	{"reserved is the sum of its unreleased reservations", "", `UPDATE stock_level SET reserved = reserved - 1 WHERE reserved > 0`},
	{"what is not sellable is not reserved, and 0 ≤ reserved ≤ on hand", `ALTER TABLE stock_level DROP CONSTRAINT stock_level_check`, `UPDATE stock_level SET reserved = on_hand + 1 WHERE reserved > 0`},
	{"no reservation is unreleased five minutes past its expiry", "", `UPDATE reservation SET expires_at = now() - interval '1 hour' WHERE released_at IS NULL`},
	{"an open piece is reserved where it will be collected, once", "", `UPDATE reservation SET quantity = quantity + 1 WHERE released_at IS NULL`},
	{"what was handed over left the shelf, once", "", `INSERT INTO stock_move (variant_id, location_id, delta, cause, channel, order_line_id) SELECT variant_id, location_id, delta, cause, channel, order_line_id FROM stock_move WHERE cause = 'sale'`},
	{"an order's total is its lines less discounts, with shipping and added tax", `ALTER TABLE orders DROP CONSTRAINT orders_check1`, `UPDATE orders SET total = total + 1`},
	{"an order's header is the sum of its lines", "", `UPDATE order_line SET tax = tax + 1`},
	{"a line's pieces sum to the line", "", `UPDATE order_unit SET paid = paid + 1 WHERE n = 1`},
	{"captured ≤ authorised, refunded ≤ captured", `ALTER TABLE tender DROP CONSTRAINT tender_check1`, `UPDATE tender SET captured = authorised + 1`},
	{"a paid order's money is what it costs, an unpaid one has none", "", `UPDATE tender SET authorised = authorised - 1, captured = captured - 1 WHERE captured > 0`},
	{"what was handed over is paid, or its money has been asked for", "", `UPDATE orders SET payment_state = 'due' WHERE payment_state = 'paid'`},
	{"a promise to pay is open exactly while something is to be collected unpaid", "", `UPDATE tender SET settled_at = now() WHERE kind = 'pay_at_pickup' AND settled_at IS NULL`},
	{"a part's state is what its pieces say", "", `UPDATE order_unit SET state = 'cancelled' WHERE state = 'open'`},
	{"an order is cancelled exactly when all its parts are", "", `UPDATE orders SET state = 'cancelled', cancelled_at = now()`},
	{"whoever is part of another owns no open cart, list or address", "", `INSERT INTO address (customer_id, name, lines, town, country) SELECT id, 'Ada', '1 Mill Lane', 'Leeds', 'GB' FROM customer WHERE merged_into IS NOT NULL`},
	{"whoever is part of another is so by a merge that can be undone, and by one step", "", `UPDATE merge SET undone_at = now()`},
	{"nobody who is shut out or forgotten is signed in", "", `UPDATE customer SET disabled_at = now() WHERE id IN (SELECT customer_id FROM session)`},
	{"nothing names whoever was forgotten", "", `UPDATE customer SET erased_at = now() WHERE id = (SELECT max(customer_id) FROM orders)`},
	{"an account can be signed in to", "", `UPDATE identity SET verified_at = NULL WHERE kind = 'email'`},
	{"a passkey is kept exactly where its identity is", "", `INSERT INTO identity (customer_id, kind, value, source, verified_at) SELECT min(id), 'passkey', 'x', 'web', now() FROM customer`},
	{"the shop has an admin who can sign in", "", `INSERT INTO associate (name, email, role, password_hash, disabled_at) VALUES ('Ida', 'ida@example.com', 'admin', '', now())`},
	{"one open cart a person", `DROP INDEX cart_open`, `INSERT INTO cart (customer_id, code, channel) SELECT (SELECT min(customer_id) FROM cart), v.code, 'web' FROM (VALUES ('AAAAAAA2'), ('AAAAAAA3')) v (code)`},
	{"a cart made an order exactly when it says so, and one only", "", `UPDATE cart SET state = 'ordered' WHERE state = 'open'`},
	{"a cart's order is the cart owner's", "", `UPDATE orders SET customer_id = (SELECT max(id) FROM customer) WHERE id = (SELECT min(id) FROM orders)`},
	{"a ready order says until when it is kept and where", "", `UPDATE fulfilment SET hold_until = NULL WHERE state = 'ready'`},
	{"a verified identity belongs to one customer", `DROP INDEX identity_verified`, `INSERT INTO identity (customer_id, kind, value, source, verified_at) SELECT id, 'email', 'same@example.com', 'web', now() FROM customer`},
	{"prices of a variant on a list do not overlap", `ALTER TABLE price DROP CONSTRAINT price_price_list_id_variant_id_valid_excl`, `INSERT INTO price (variant_id, price_list_id, amount) SELECT variant_id, price_list_id, 1 FROM price`},
	{"every constraint and index that guards the books is in force", "", `ALTER TABLE tender ADD CONSTRAINT later CHECK (captured >= 0) NOT VALID`},
}

func TestEveryRuleCatchesItsCorruption(t *testing.T) {
	tx := pgtest.Tx(t)
	story(t, tx)
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

// story is a chain with an order of each kind: to pick, ready, collected, and an account that took a guest's open cart in.
func story(t *testing.T, db pg.DB) {
	t.Helper()
	c := sample.Load(t, db)
	desk := pickup.Desk{LocationID: c.HarbourStreet.ID, AssociateID: c.Bea.ID, Name: "test"}
	for _, state := range []string{"to_pick", "ready", "collected"} {
		ada := c.Ada(t, db, c.Mug, 2, c.HarbourStreet)
		b, err := basket.Load(ctx, db, ada, "en")
		require.NoError(t, err)
		link, err := checkout.Place(ctx, db, checkout.Request{CustomerID: ada, CartID: b.CartID, Expected: b.Quote.Total, Name: "Ada", Email: "ada@example.com", Pay: payment.PayAtPickup, Channel: "web", Language: "en"})
		require.NoError(t, err)
		var fulfilment int64
		var code string
		require.NoError(t, db.QueryRow(ctx, `SELECT f.id, f.code FROM fulfilment f JOIN orders o ON o.id = f.order_id WHERE o.public_id = $1`, link.PublicID).Scan(&fulfilment, &code))
		if state != "to_pick" {
			require.NoError(t, pickup.Ready(ctx, db, desk, fulfilment, "A1"))
		}
		if state == "collected" {
			_, err := pickup.HandOver(ctx, db, desk, fulfilment, code, pickup.Payment{Kind: payment.Terminal})
			require.NoError(t, err)
		}
	}
	guest := c.Ada(t, db, c.Coat, 1, c.HarbourStreet)
	account, _ := sample.Account(t, db, "Ada", "ada@example.org")
	_, err := person.Merge(ctx, db, customer.Merge{SurvivorID: account, AbsorbedID: guest, Proof: customer.ByCode}, "counter", c.HarbourStreet.ID)
	require.NoError(t, err)
}
