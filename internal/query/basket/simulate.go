package basket

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/catalog"
	"counterpart/internal/domain/location"
	"counterpart/internal/domain/promotion"
	"counterpart/internal/domain/quote"
	"counterpart/internal/platform/pg"
)

// SimulateOrder prices a past order again as if one promotion more had been live then, with those that are live now and
// need no code, and those whose codes it used: what an admin looks at before they let it loose. What was ordered, at
// its prices of then; who ordered it, as they are now. Nil where there is no such order.
func SimulateOrder(ctx context.Context, db pg.DB, number int64, p quote.Promotion) (*Basket, error) {
	past, err := pg.Row[struct {
		quote.Shopper
		ID          int64
		Currency    string
		TaxIncluded bool
		TimeZone    string
		PlacedAt    time.Time
	}](db.Query(ctx, `
		SELECT o.id, o.currency::text, o.tax_included, at.time_zone, o.placed_at,
			person.registered_at IS NOT NULL AS member, person.tier,
			ARRAY(SELECT DISTINCT tag FROM customer_tag WHERE customer_id IN (SELECT member
				FROM person_members(person.id) AS member)) AS tags,
			ARRAY(SELECT DISTINCT segment_id FROM segment_member WHERE customer_id IN (SELECT member
				FROM person_members(person.id) AS member)) AS segments,
			EXISTS (SELECT FROM orders e WHERE e.id < o.id AND e.state <> 'cancelled'
				AND e.customer_id IN (SELECT member FROM person_members(person.id) AS member)) AS returned
		FROM orders o
		JOIN location at ON at.id = o.location_id
		JOIN customer c ON c.id = o.customer_id
		JOIN customer person ON person.id = coalesce(c.merged_into, c.id)
		WHERE o.number = $1`, number))
	if err != nil {
		return nil, fmt.Errorf("read a past order: %w", err)
	}
	if past == nil {
		return nil, nil
	}
	b := &Basket{Now: past.PlacedAt}
	b.Home.Currency, b.Home.TaxIncluded, b.Home.TimeZone = past.Currency, past.TaxIncluded, past.TimeZone
	in := quote.Input{Shopper: past.Shopper, Now: past.PlacedAt,
		Place: quote.Place{Currency: past.Currency, TaxIncluded: past.TaxIncluded, Zone: b.Home.Zone()}}
	batch := &pgx.Batch{}
	batch.Queue(`
		SELECT l.variant_id, v.product_id, product.tags, l.title, l.quantity, coalesce(nullif(l.list_price, 0),
			l.unit_price) AS unit_price, l.tax_name, l.tax_ppm, f.method, f.location_id, v.gift_card,
			`+catalog.Categories+` AS categories
		FROM order_line l
		JOIN fulfilment f ON f.id = l.fulfilment_id
		JOIN variant v ON v.id = l.variant_id
		JOIN product ON product.id = v.product_id
		WHERE l.order_id = $1 AND NOT l.gift
		ORDER BY l.position`, past.ID).Query(func(rows pgx.Rows) error {
		lines, err := pgx.CollectRows(rows, pgx.RowToStructByNameLax[lineRow])
		for _, row := range lines {
			line := row.line()
			b.Lines, in.Items = append(b.Lines, line), append(in.Items, line.item())
		}
		return err
	})
	batch.Queue(`
		SELECT charge, tax_name, tax_ppm
		FROM fulfilment
		WHERE order_id = $1 AND method = 'ship'`, past.ID).Query(func(rows pgx.Rows) error {
		for rows.Next() {
			var d quote.Delivery
			if err := rows.Scan(&d.Charge, &d.Rate.Name, &d.Rate.PPM); err != nil {
				return err
			}
			in.Deliveries = append(in.Deliveries, d)
		}
		return rows.Err()
	})
	batch.Queue(`
		SELECT `+promotion.Columns+`
		FROM promotion p
		WHERE p.state = 'live' AND NOT p.needs_code AND (p.starts_at IS NULL OR p.starts_at <= now())
			AND (p.ends_at IS NULL OR p.ends_at > now())
			OR p.id IN (SELECT promotion_id FROM order_discount WHERE order_id = $1 AND code <> '')`,
		past.ID).Query(func(rows pgx.Rows) error {
		live, err := pgx.CollectRows(rows, pgx.RowToStructByName[promotion.Promotion])
		for _, other := range live {
			if q := other.InQuote(); q.ID != p.ID {
				q.Starts, q.Ends = time.Time{}, time.Time{}
				in.Promotions = append(in.Promotions, q)
			}
		}
		return err
	})
	batch.Queue(`
		SELECT promotion_id, code
		FROM order_discount
		WHERE order_id = $1 AND code <> ''`, past.ID).Query(func(rows pgx.Rows) error {
		var id int64
		var code string
		_, err := pgx.ForEachRow(rows, []any{&id, &code}, func() error {
			for i := range in.Promotions {
				if in.Promotions[i].ID == id {
					in.Promotions[i].Code, in.Promotions[i].Budget = code, -1
				}
			}
			return nil
		})
		return err
	})
	if err := db.SendBatch(ctx, batch).Close(); err != nil {
		return nil, fmt.Errorf("read a past order: %w", err)
	}
	in.Promotions = append(in.Promotions, p)
	if p.Effect.Kind == quote.Gift && len(in.Items) > 0 {
		// Whether the gift was in stock then nobody knows: it is shown as if.
		in.Gifts = []quote.Item{{VariantID: p.Effect.Variant, Quantity: 1, Rate: in.Items[0].Rate,
			Method: in.Items[0].Method, LocationID: in.Items[0].LocationID}}
	}
	b.Quote = quote.Price(in)
	b.Stores = map[int64]*location.Location{}
	return b, nil
}
