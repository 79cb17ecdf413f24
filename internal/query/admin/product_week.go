package admin

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/inventory"
	"counterpart/internal/platform/pg"
)

// ProductWeek is what became of a product in a week, everywhere.
type ProductWeek struct {
	Week                  time.Time
	Sold, Returned, Looks int
}

// ProductPlace is what became of it at a place in the weeks shown, and what is there.
type ProductPlace struct {
	Name           string
	Sold, Returned int
	Revenue        int64
	Currency       string
	Available      int
	Recent         int // sold in the last 28 days
}

// Days of stock at the rate of the last 28 days; below zero: nothing was sold, so nobody knows.
func (p ProductPlace) Days() int {
	if p.Recent <= 0 {
		return -1
	}
	return p.Available * 28 / p.Recent
}

// ProductFigures are a product's by week and by place.
type ProductFigures struct {
	ID     int64
	Title  string
	Weeks  []ProductWeek
	Places []ProductPlace
}

// weeksShown is how many weeks a product's figures go back.
const weeksShown = 12

// FiguresOfProduct reads them in one round trip. Nil when there is none.
func FiguresOfProduct(ctx context.Context, db pg.DB, product int64) (*ProductFigures, error) {
	f := &ProductFigures{ID: product}
	batch := &pgx.Batch{}
	batch.Queue(`SELECT title FROM product_text WHERE product_id = $1 AND language = 'en'`, product).Query(func(rows pgx.Rows) error {
		for rows.Next() {
			if err := rows.Scan(&f.Title); err != nil {
				return err
			}
		}
		return rows.Err()
	})
	args := pgx.NamedArgs{"product": product, "weeks": weeksShown}
	pg.All(&f.Weeks, `
		SELECT w.week::date AS week, coalesce(sum(p.sold), 0)::int AS sold, coalesce(sum(p.returned), 0)::int AS returned,
			coalesce(sum(p.looks), 0)::int AS looks
		FROM generate_series(date_trunc('week', now() AT TIME ZONE 'UTC') - (@weeks - 1) * interval '7 days',
			date_trunc('week', now() AT TIME ZONE 'UTC'), interval '7 days') AS w (week)
		LEFT JOIN product_week p ON p.product_id = @product AND p.week = w.week::date
		GROUP BY w.week
		ORDER BY w.week DESC`, args)(batch)
	pg.All(&f.Places, `
		SELECT l.name, coalesce(sum(p.sold), 0)::int AS sold, coalesce(sum(p.returned), 0)::int AS returned,
			coalesce(sum(p.revenue), 0)::bigint AS revenue, l.currency::text AS currency, coalesce(stock.available, 0)::int AS available,
			coalesce(sum(p.sold) FILTER (WHERE p.week > (now() - interval '28 days')::date), 0)::int AS recent
		FROM location l
		LEFT JOIN product_week p ON p.location_id = l.id AND p.product_id = @product
			AND p.week > (now() - @weeks * interval '7 days')::date
		LEFT JOIN LATERAL (
			SELECT sum(`+inventory.Available("s")+`) AS available
			FROM stock_level s
			JOIN variant v ON v.id = s.variant_id AND v.product_id = @product
			WHERE s.location_id = l.id AND s.condition = 'sellable') stock ON true
		GROUP BY l.id, stock.available
		HAVING coalesce(sum(p.sold), 0) + coalesce(sum(p.returned), 0) > 0 OR coalesce(stock.available, 0) > 0
		ORDER BY 2 DESC, l.name`, args)(batch)
	if err := db.SendBatch(ctx, batch).Close(); err != nil {
		return nil, fmt.Errorf("read a product's figures: %w", err)
	}
	if f.Title == "" {
		return nil, nil
	}
	return f, nil
}
