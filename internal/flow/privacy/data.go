package privacy

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"archive/zip"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/customer"
	"counterpart/internal/platform/pg"
)

// dataset is a part of what we know about a person: everything a table holds of them, in words and figures that they
// can read.
type dataset struct {
	name  string
	query string
}

const theirs = ` IN (` + customer.Members + `)`

// datasets are all of it. A test compares them with the tables that name a customer, so that a new one is not
// forgotten.
var datasets = []dataset{
	{"customer", `SELECT id, name, company, vat_number, language, channel, created_at, registered_at, disabled_at, merged_into FROM customer WHERE id` + theirs + ` ORDER BY id`},
	{"identity", `SELECT kind, CASE WHEN kind = 'device' THEN '' ELSE value END AS value, source, verified_at, created_at FROM identity WHERE customer_id` + theirs + ` ORDER BY id`},
	{"password", `SELECT changed_at FROM password WHERE customer_id` + theirs + ` ORDER BY customer_id`},
	{"passkey", `SELECT k.name, i.created_at, k.used_at FROM passkey k JOIN identity i ON i.id = k.identity_id WHERE i.customer_id` + theirs + ` ORDER BY i.id`},
	{"session", `SELECT agent, method, created_at, seen_at, expires_at FROM session WHERE customer_id` + theirs +
		` ORDER BY created_at`},
	{"one_time", `SELECT purpose, target, created_at, expires_at, used_at FROM one_time WHERE customer_id` + theirs +
		` ORDER BY id`},
	{"address", `SELECT name, lines, town, region, postcode, country, phone, created_at FROM address WHERE customer_id` + theirs + ` ORDER BY id`},
	{"consent", `SELECT purpose, medium, given, wording, source, at FROM consent WHERE customer_id` + theirs +
		` ORDER BY id`},
	{"preference", `SELECT name, value, source, at FROM preference WHERE customer_id` + theirs + ` ORDER BY name`},
	{"note", `SELECT kind, body, at, closed_at FROM note WHERE customer_id` + theirs + ` ORDER BY id`},
	{"customer_tag", `SELECT tag FROM customer_tag WHERE customer_id` + theirs + ` ORDER BY tag`},
	{"merge", `SELECT survivor_id, absorbed_id, proof, at, undone_at FROM merge WHERE survivor_id` + theirs +
		` OR absorbed_id` + theirs + ` ORDER BY id`},
	{"export", `SELECT asked_at, expires_at FROM export WHERE customer_id` + theirs + ` ORDER BY id`},
	{"cart", `SELECT c.code, c.state, c.created_at, v.sku, t.title, l.quantity, l.channel, l.added_at
		FROM cart c JOIN cart_line l ON l.cart_id = c.id JOIN variant v ON v.id = l.variant_id JOIN product_text t
			ON t.product_id = v.product_id AND t.language = 'en'
		WHERE c.customer_id` + theirs + ` ORDER BY c.id, l.id`},
	{"wish", `SELECT w.list, v.sku, t.title, w.quantity, w.added_at
		FROM wish w JOIN variant v ON v.id = w.variant_id JOIN product_text t ON t.product_id = v.product_id
			AND t.language = 'en' WHERE w.customer_id` + theirs + ` ORDER BY w.id`},
	{"orders", `SELECT o.number, o.channel, l.name AS store, o.state, o.payment_state, o.currency, o.lines, o.discount,
		o.shipping, o.tax, o.total, o.name, o.email, o.phone, o.vat_number, o.placed_at, o.cancelled_at
		FROM orders o JOIN location l ON l.id = o.location_id WHERE o.customer_id` + theirs + ` ORDER BY o.id`},
	{"order_line", `SELECT o.number, l.sku, l.title, l.options, l.quantity, l.unit_price, l.amount, l.discount,
		l.tax_name, l.tax, f.method, f.state, f.ready_by, f.ready_at, f.collected_at
		FROM orders o JOIN order_line l ON l.order_id = o.id JOIN fulfilment f ON f.id = l.fulfilment_id
			WHERE o.customer_id` + theirs + ` ORDER BY l.id`},
	{"tender", `SELECT o.number, t.kind, t.authorised, t.captured, t.refunded, t.at FROM orders o JOIN tender t ON t.order_id = o.id WHERE o.customer_id` + theirs + ` ORDER BY t.id`},
	{"fulfilment", `SELECT o.number, f.method, f.name, f.lines, f.town, f.region, f.postcode, f.country, f.paid,
		f.carrier, f.tracking, f.shipped_at, f.hold_until, f.extended_at, f.expired_at
		FROM orders o JOIN fulfilment f ON f.order_id = o.id WHERE o.customer_id` + theirs + ` ORDER BY f.id`},
	{"order_note", `SELECT o.number, n.body, n.created_at
		FROM orders o JOIN order_note n ON n.order_id = o.id WHERE o.customer_id` + theirs + ` ORDER BY n.id`},
	{"order_tag", `SELECT o.number, t.tag
		FROM orders o JOIN order_tag t ON t.order_id = o.id WHERE o.customer_id` + theirs + ` ORDER BY o.id, t.tag`},
	{"parcel", `SELECT o.number, p.carrier, p.tracking, p.created_at
		FROM orders o JOIN fulfilment f ON f.order_id = o.id JOIN parcel p ON p.fulfilment_id = f.id
			WHERE o.customer_id` + theirs + ` ORDER BY p.id`},
	{"draft_order", `SELECT d.id, o.number, d.name, d.email, d.phone, d.lines, d.town, d.region, d.postcode, d.created_at
		FROM draft_order d LEFT JOIN orders o ON o.id = d.order_id WHERE d.customer_id` + theirs + ` ORDER BY d.id`},
	{"allowance", `SELECT o.number, a.amount, a.at
		FROM orders o JOIN allowance a ON a.order_id = o.id WHERE o.customer_id` + theirs + ` ORDER BY a.id`},
	{"shortage", `SELECT o.number, l.title, s.quantity, s.decide_by, s.choice, s.decided_by, s.decided_at
		FROM shortage s JOIN orders o ON o.id = s.order_id JOIN order_line l ON l.id = s.order_line_id
			WHERE o.customer_id` + theirs + ` ORDER BY s.id`},
	{"promotion_use", `SELECT o.number, p.title, c.code, u.amount, u.at, u.released_at
		FROM promotion_use u JOIN orders o ON o.id = u.order_id JOIN promotion p ON p.id = u.promotion_id LEFT
			JOIN coupon c ON c.id = u.coupon_id WHERE o.customer_id` + theirs + ` ORDER BY u.id`},
	{"coupon", `SELECT code, max_uses, used, created_at FROM coupon WHERE customer_id` + theirs + ` ORDER BY id`},
	{"gift_card", `SELECT ends, currency, issued, balance, recipient, created_at FROM gift_card WHERE customer_id` +
		theirs + ` ORDER BY id`},
	{"credit", `SELECT currency, balance FROM credit WHERE customer_id` + theirs + ` ORDER BY currency`},
	{"credit_entry", `SELECT currency, delta, cause, at FROM credit_entry WHERE customer_id` + theirs + ` ORDER BY id`},
	{"points_lot", `SELECT points, remaining, expired, expired_at, revived_at, vests_at, at FROM points_lot WHERE customer_id` + theirs +
		` ORDER BY id`},
	{"points_entry", `SELECT o.number, e.delta, e.cause, e.reason, e.at FROM points_entry e LEFT JOIN orders o ON o.id = e.order_id WHERE e.customer_id` + theirs + ` ORDER BY e.id`},
	{"points_debt", `SELECT points FROM points_debt WHERE customer_id` + theirs},
	{"points_debt_entry", `SELECT o.number, e.delta, e.at FROM points_debt_entry e JOIN orders o ON o.id = e.order_id WHERE e.customer_id` + theirs + ` ORDER BY e.id`},
	{"standing", `SELECT t.title, s.since, s.kept_until, s.ends_on, s.granted, s.gap, s.gap_by FROM standing s LEFT JOIN tier t ON t.id = s.tier_id WHERE s.customer_id` + theirs},
	{"tier_grant", `SELECT t.title, g.until, g.at, g.ended_at FROM tier_grant g JOIN tier t ON t.id = g.tier_id WHERE g.customer_id` + theirs + ` ORDER BY g.id`},
	{"points_warning", `SELECT ends_on, last, at FROM points_warning WHERE customer_id` + theirs + ` ORDER BY ends_on, last`},
	{"return_ticket", `SELECT r.number, o.number AS order, l.name AS store, r.goods, r.delivery, r.refund,
		r.points_back, r.points_taken, r.at
		FROM return_ticket r JOIN orders o ON o.id = r.order_id JOIN location l ON l.id = r.location_id
			WHERE o.customer_id` + theirs + ` ORDER BY r.id`},
	{"document", `SELECT o.number, d.series, d.number AS document, d.currency, d.total, d.day FROM document d JOIN orders o ON o.id = d.order_id WHERE o.customer_id` + theirs + ` ORDER BY d.id`},
	{"message", `SELECT o.number, m.kind, m.sent_at FROM orders o JOIN message m ON m.order_id = o.id WHERE o.customer_id` + theirs + ` ORDER BY m.id`},
	{"timeline", `SELECT f.at, f.kind, f.channel, l.name AS store, o.number AS order, t.title, f.quantity, f.detail
		FROM timeline f LEFT JOIN location l ON l.id = f.location_id LEFT JOIN orders o ON o.id = f.order_id LEFT
			JOIN variant v ON v.id = f.variant_id
		LEFT JOIN product_text t ON t.product_id = v.product_id AND t.language = 'en' WHERE f.customer_id` + theirs +
		` ORDER BY f.id`},
	{"browse_event", `SELECT e.at, e.kind, t.title, e.words
		FROM browse_event e LEFT JOIN product_text t ON t.product_id = e.product_id AND t.language = 'en'
		WHERE e.device IN (SELECT value FROM identity WHERE kind = 'device' AND customer_id` + theirs +
		`) ORDER BY e.at`},
	{"hint", `SELECT h.shown_at, h.reason, t.title, h.mark, h.marked_at
		FROM hint h LEFT JOIN product_text t ON t.product_id = h.product_id AND t.language = 'en' WHERE h.customer_id` +
		theirs + ` ORDER BY h.id`},
	{"figure", `SELECT currency, orders, web_orders, store_orders, units, spent, margin, first_at, last_at, interval_days, sizes,
			promoted, discount, returned_units, returned, visits, looks, looked_only, seen_at
		FROM figure WHERE customer_id` + theirs},
	{"prediction", `SELECT predicted_on, orders_90, orders_365, spend_365, active, next_on FROM prediction WHERE customer_id` + theirs},
	{"segment_member", `SELECT s.title, m.since
		FROM segment_member m JOIN segment s ON s.id = m.segment_id WHERE m.customer_id` + theirs},
	{"watch", `SELECT w.kind, t.title, w.medium, w.target, w.asked_at, w.proven_at, w.ended, w.ended_at
		FROM watch w JOIN variant v ON v.id = w.variant_id
		LEFT JOIN product_text t ON t.product_id = v.product_id AND t.language = 'en' WHERE w.customer_id` + theirs + ` ORDER BY w.id`},
	{"client", `SELECT a.name AS associate, k.since FROM client k JOIN associate a ON a.id = k.associate_id WHERE k.customer_id` +
		theirs},
	{"follow_up", `SELECT due_on, body, yearly, made_at, done_at FROM follow_up WHERE customer_id` + theirs + ` ORDER BY id`},
	{"outreach", `SELECT kind, medium, target, body, state, reason, made_at, sent_at FROM outreach WHERE customer_id` + theirs +
		` ORDER BY id`},
	{"past_sale", `SELECT day, receipt, code, quantity, currency, amount, cancelled, returned
		FROM past_sale
		WHERE person IN (SELECT value FROM identity WHERE kind = 'external' AND verified_at IS NOT NULL AND customer_id` +
		theirs + `) ORDER BY day, receipt, code`},
}

// write puts everything about a person into a zip: one JSON file with all of it, and a CSV for each part.
func write(ctx context.Context, db pg.DB, person int64, out io.Writer) error {
	archive := zip.NewWriter(out)
	all := map[string]any{}
	for _, d := range datasets {
		columns, rows, err := d.read(ctx, db, person)
		if err != nil {
			return err
		}
		objects := make([]map[string]any, len(rows))
		for i, row := range rows {
			objects[i] = map[string]any{}
			for k, column := range columns {
				objects[i][column] = row[k]
			}
		}
		all[d.name] = objects
		file, err := archive.Create(d.name + ".csv")
		if err != nil {
			return err
		}
		if err := table(file, columns, rows); err != nil {
			return err
		}
	}
	file, err := archive.Create("everything.json")
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(file)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(all); err != nil {
		return err
	}
	return archive.Close()
}

func (d dataset) read(ctx context.Context, db pg.DB, person int64) (columns []string, all [][]any, err error) {
	rows, err := db.Query(ctx, d.query, pgx.NamedArgs{"person": person})
	if err != nil {
		return nil, nil, fmt.Errorf("read %s: %w", d.name, err)
	}
	defer rows.Close()
	for _, field := range rows.FieldDescriptions() {
		columns = append(columns, field.Name)
	}
	for rows.Next() {
		values, err := rows.Values()
		if err != nil {
			return nil, nil, fmt.Errorf("read %s: %w", d.name, err)
		}
		all = append(all, values)
	}
	return columns, all, rows.Err()
}

func table(out io.Writer, columns []string, rows [][]any) error {
	w := csv.NewWriter(out)
	if err := w.Write(columns); err != nil {
		return err
	}
	for _, row := range rows {
		cells := make([]string, len(row))
		for i, value := range row {
			cells[i] = cell(value)
		}
		if err := w.Write(cells); err != nil {
			return err
		}
	}
	w.Flush()
	return w.Error()
}

// cell is a value as a spreadsheet may read it: what would be taken for a formula is not.
func cell(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case time.Time:
		return v.UTC().Format(time.RFC3339)
	case string:
		return Harmless(v)
	}
	return fmt.Sprint(value)
}

// Harmless keeps a spreadsheet from running what somebody wrote.
func Harmless(s string) string {
	trimmed := strings.TrimLeft(s, " \t\r\n\"'")
	if s != "" && (strings.ContainsRune("\t\r\n", rune(s[0])) || trimmed != "" &&
		strings.ContainsAny(trimmed[:1], "=+-@|%") || strings.HasPrefix(trimmed, "＝") ||
		strings.HasPrefix(trimmed, "＋") || strings.HasPrefix(trimmed, "－") || strings.HasPrefix(trimmed, "＠")) {
		return "'" + s
	}
	return s
}
