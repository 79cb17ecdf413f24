package main

import (
	"context"
	"fmt"
	"time"

	"counterpart/internal/query/admin"
)

// adminList is one way to read one of the admin's lists: the ids of what it shows, in its order.
type adminList struct {
	name string
	read func(ctx context.Context, page admin.Page) (ids []int64, total int, err error)
}

// lists asks for the first, the next, the previous and the last page of the admin's lists, with and without filters, in
// the demo and with 100,000 products, a million customers and a million orders more. It reads as the pages do, in this
// process; the median of nine, or the first of one that takes more than half a second; 3,000 stands for more.
func (b *bench) lists(ctx context.Context) error {
	orders := func(name string, f admin.OrderFilter) adminList {
		f.Zone = "Europe/London"
		return adminList{"orders " + name, func(ctx context.Context, page admin.Page) (ids []int64, total int, err error) {
			rows, total, err := admin.Orders(ctx, b.db, f, page)
			for _, row := range rows {
				ids = append(ids, row.ID)
			}
			return ids, total, err
		}}
	}
	products := func(name string, f admin.ProductFilter) adminList {
		return adminList{"products " + name, func(ctx context.Context, page admin.Page) (ids []int64, total int, err error) {
			rows, total, err := admin.Products(ctx, b.db, f, page)
			for _, row := range rows {
				ids = append(ids, row.ID)
			}
			return ids, total, err
		}}
	}
	stock := func(name string, f admin.StockFilter) adminList {
		return adminList{"stock " + name, func(ctx context.Context, page admin.Page) (ids []int64, total int, err error) {
			rows, total, err := admin.Stock(ctx, b.db, f, page)
			for _, row := range rows {
				ids = append(ids, row.VariantID)
			}
			return ids, total, err
		}}
	}
	customers := func(name string, s admin.Segment) adminList {
		s.Currency = "GBP"
		return adminList{"customers " + name, func(ctx context.Context, page admin.Page) (ids []int64, total int, err error) {
			rows, total, err := admin.Customers(ctx, b.db, s, page)
			for _, row := range rows {
				ids = append(ids, row.ID)
			}
			return ids, total, err
		}}
	}
	today := time.Now().Format(time.DateOnly)
	all := []adminList{orders("all", admin.OrderFilter{}), orders("by state", admin.OrderFilter{State: "confirmed"}),
		orders("by payment", admin.OrderFilter{Payment: "due"}), orders("by fulfilment", admin.OrderFilter{Fulfilment: "to_pick"}),
		orders("late", admin.OrderFilter{Late: true}), orders("on hold", admin.OrderFilter{Held: true}),
		orders("by channel", admin.OrderFilter{Channel: "counter"}), orders("by store", admin.OrderFilter{Store: "LDS"}),
		orders("by day", admin.OrderFilter{From: today, To: today}), orders("by total", admin.OrderFilter{Min: 100_00, Max: 200_00}),
		orders("by tag", admin.OrderFilter{Tag: "gift"}), orders("by name", admin.OrderFilter{Words: "Ada"}),
		orders("by email", admin.OrderFilter{Words: "ada.abara.0@example.com"}),
		products("all", admin.ProductFilter{}), products("by word", admin.ProductFilter{Words: "mug"}),
		products("by status", admin.ProductFilter{Status: "draft"}), products("by department", admin.ProductFilter{Department: 1}),
		products("empty", admin.ProductFilter{Empty: true}), stock("everywhere", admin.StockFilter{}),
		stock("in one place", admin.StockFilter{Location: 2}), stock("by word", admin.StockFilter{Words: "mug"}),
		stock("low in one place", admin.StockFilter{Location: 2, Low: true}), customers("all", admin.Segment{}),
		customers("by name", admin.Segment{Words: "Ada Abara"}), customers("by tag", admin.Segment{Tag: "trade"}),
		customers("with an account", admin.Segment{Account: true}), customers("by orders", admin.Segment{Orders: 3})}
	small, err := b.readLists(ctx, all)
	if err != nil {
		return err
	}
	if err := b.grow(ctx); err != nil {
		return err
	}
	grown, err := b.readLists(ctx, all)
	if err != nil {
		return err
	}
	fmt.Printf("\nlists of the admin, median ms of nine: small shop → large shop\n")
	fmt.Printf("  %-28s %20s %20s %20s %20s\n", "", "first", "next", "previous", "last")
	for i, list := range all {
		fmt.Printf("  %-28s", list.name)
		for k := range small[i] {
			fmt.Printf(" %6.1f → %6.1f ×%4.1f", small[i][k], grown[i][k], grown[i][k]/max(small[i][k], 0.1))
		}
		fmt.Println()
	}
	return nil
}

// readLists measures the four pages of each list.
func (b *bench) readLists(ctx context.Context, all []adminList) (took [][4]float64, err error) {
	const most = 50
	for _, list := range all {
		patient, stop := context.WithTimeout(ctx, 3*time.Second)
		first, _, err := list.read(patient, admin.Page{Most: most})
		late := patient.Err() != nil
		stop()
		if err != nil && !late {
			return nil, fmt.Errorf("%s: %w", list.name, err)
		}
		pages := [4]admin.Page{{Most: most}, {Most: most}, {Most: most}, {Most: most, Last: true}}
		if len(first) > 0 {
			pages[1].Before, pages[2].After = first[len(first)-1], first[len(first)-1]
		}
		var ms [4]float64
		for k, page := range pages {
			var tries []float64
			for range 9 {
				began := time.Now()
				patient, stop := context.WithTimeout(ctx, 3*time.Second)
				_, _, err := list.read(patient, page)
				late := patient.Err() != nil
				stop()
				if err != nil && !late {
					return nil, fmt.Errorf("%s: %w", list.name, err)
				}
				tries = append(tries, float64(time.Since(began).Microseconds())/1000)
				if tries[0] > 500 {
					break
				}
			}
			ms[k] = median(tries)
		}
		took = append(took, ms)
	}
	return took, nil
}

// grow adds a million customers, a million orders of theirs that were collected, and a hundred thousand products.
func (b *bench) grow(ctx context.Context) error {
	began := time.Now()
	conn, err := b.db.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	for _, statement := range append([]string{
		`SET statement_timeout = '20min'`,
		`CREATE TABLE bench_buyer AS SELECT n, nextval(pg_get_serial_sequence('customer', 'id')) AS id FROM generate_series(1, 1000000) n`,
		`INSERT INTO customer (id, name, channel) OVERRIDING SYSTEM VALUE SELECT id, 'Buyer ' || n, 'web' FROM bench_buyer`,
		`INSERT INTO identity (customer_id, kind, value, source) SELECT id, 'email', 'buyer' || n || '@example.com', 'web' FROM bench_buyer`,
		`INSERT INTO orders (public_id, customer_id, channel, location_id, currency, tax_included, state, payment_state, lines, tax, total, name, email, placed_at)
			SELECT 'bench-' || n, bench_buyer.id, (ARRAY['web', 'counter', 'phone'])[1 + n % 3], s.id, s.currency, s.tax_included, 'confirmed', 'paid', 1000 + n % 30000, 0, 1000 + n % 30000,
				'Buyer ' || n, 'buyer' || n || '@example.com', now() - n * interval '30 seconds' - interval '1 day'
			FROM bench_buyer JOIN LATERAL (SELECT id, currency, tax_included FROM location WHERE kind = 'store' AND tax_included ORDER BY id OFFSET n % 8 LIMIT 1) s ON true
			ORDER BY n DESC`,
		`INSERT INTO fulfilment (order_id, method, location_id, state, collected_at) SELECT id, 'carry_out', location_id, 'collected', placed_at FROM orders WHERE public_id LIKE 'bench-%'`,
	}, catalogueOf(100_000, "many")...) {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return err
		}
	}
	fmt.Printf("\n100,000 products, 1,000,000 customers and 1,000,000 orders made in %.0f s\n", time.Since(began).Seconds())
	return nil
}
