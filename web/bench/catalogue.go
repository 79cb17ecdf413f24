package main

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// catalogueOf adds so many products, in the departments of the demo, on the first price list and in stock in one store;
// then it rests until the disk is quiet again.
func catalogueOf(n int, prefix string) []string {
	these := `slug LIKE '` + prefix + `-%'`
	return []string{
		fmt.Sprintf(`INSERT INTO product (slug, status, options, popularity) SELECT '%s-' || n, 'active', '{Colour}', n %% 97 FROM generate_series(1, %d) n`, prefix, n),
		`INSERT INTO product_text (product_id, language, title, description, keywords)
		SELECT id, 'en', (ARRAY['Copper','Linen','Oak','Steel','Glass','Cotton','Slate','Willow'])[1 + id % 8] || ' ' || (ARRAY['kettle','throw','stool','lamp','bowl','apron','tray','hamper','rug'])[1 + id % 9] || ' ' || id, 'A thing to have.', 'generated' FROM product WHERE ` + these,
		`INSERT INTO product_category (category_id, product_id) SELECT c.id, p.id FROM product p JOIN LATERAL (SELECT id FROM category WHERE parent_id IS NULL ORDER BY id OFFSET p.id % 6 LIMIT 1) c ON true WHERE ` + these,
		`INSERT INTO variant (product_id, position, sku, options) SELECT p.id, k, 'GEN-' || p.id || '-' || k, ARRAY[(ARRAY['Moss','Ink'])[k]] FROM product p, generate_series(1, 2) k WHERE ` + these,
		`INSERT INTO price (variant_id, price_list_id, amount) SELECT v.id, 1, 1000 + v.id % 5000 FROM variant v JOIN product p ON p.id = v.product_id WHERE ` + these,
		`INSERT INTO stock_move (variant_id, location_id, delta, cause, channel) SELECT v.id, 2, 5, 'receipt', 'api' FROM variant v JOIN product p ON p.id = v.product_id WHERE ` + these,
		`INSERT INTO stock_level (variant_id, location_id, on_hand) SELECT v.id, 2, 5 FROM variant v JOIN product p ON p.id = v.product_id WHERE ` + these,
		`VACUUM ANALYZE`, `CHECKPOINT`,
	}
}

// pages of the shop whose time should not depend on how many products it has.
var pages = []string{"/p/morning-mug", "/d/clothing", "/d/clothing?page=20", "/d/clothing?sort=price",
	"/d/clothing?sort=new&page=3", "/d/clothing?stock=1", "/d/clothing?o.Colour=Moss",
	"/d/clothing?o.Colour=Moss&stock=1&sort=price", "/d/clothing?min=20&max=30", "/search?q=wool", "/search?q=kettle",
	"/search?q=kettle&sort=price", "/search?q=kettle&o.Colour=Moss&stock=1", "/"}

// large makes a hundred thousand products and asks the same pages again; and each as the first of its kind on a
// connection, of a server that has only just begun.
func (b *bench) large(ctx context.Context) error {
	timed := func() (map[string]float64, error) {
		all := map[string]float64{}
		for _, path := range pages {
			b.rest()
			r, err := b.turn(ctx, get(path), 1)
			if err != nil {
				return nil, err
			}
			all[path] = r.at(.5)
		}
		return all, nil
	}
	small, err := timed()
	if err != nil {
		return err
	}
	if err := b.run(ctx, catalogueOf(100_000, "many")); err != nil {
		return err
	}
	many, err := timed()
	if err != nil {
		return err
	}
	fmt.Printf("\none connection, median ms: 5,000 products → 105,000; and there the first on its connection\n")
	for _, path := range pages {
		first, err := b.first(path)
		if err != nil {
			return err
		}
		fmt.Printf("  %-46s %6.2f → %6.2f  (× %.1f)  first %5.0f\n", path, small[path], many[path],
			many[path]/small[path], first)
	}
	fmt.Printf("memory %d MB\n", b.server.memory())
	return nil
}

// first is how long a page takes, in ms, that is the first of its kind on the connections of a new server.
func (b *bench) first(path string) (float64, error) {
	server, err := startChild(b.database, "shop", b.company.base)
	if err != nil {
		return 0, err
	}
	defer server.stop()
	c := &client{Client: &http.Client{Transport: &http.Transport{DisableCompression: true}}, b: b}
	began := time.Now()
	_, _, err = c.fetch(server.base, http.MethodGet, path, nil, &shop)
	return float64(time.Since(began).Microseconds()) / 1000, err
}

// run runs statements one after the other, however long they take.
func (b *bench) run(ctx context.Context, statements []string) error {
	conn, err := b.db.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	for _, statement := range append([]string{`SET statement_timeout = '10min'`}, statements...) {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return err
		}
	}
	_, err = conn.Exec(ctx, `RESET statement_timeout`)
	return err
}
