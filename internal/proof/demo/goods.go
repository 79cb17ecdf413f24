package demo

import (
	"context"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/catalog"
	"counterpart/internal/domain/gallery"
	"counterpart/internal/domain/inventory"
	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/staff"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/files"
	"counterpart/internal/platform/jobs"
	"counterpart/internal/platform/pg"
)

// sampled are the goods of the demo that an empty shop can be tried with: some of each kind, with and without options.
var sampled = []string{"harbour-teapot", "morning-mug", "cellar-wine-glass", "one-egg-pan", "bread-basket", "beeswax-candle",
	"reading-chair", "fell-coat", "lambswool-scarf", "walking-socks", "bear", "jigsaw", "potted-fig", "sewn-notebook"}

// sampleStock is how many of each variant lie in the first store.
const sampleStock = 12

// AddSampleGoods puts goods into a shop that has none of its own, to try it with: priced on each of its price lists, and
// in stock at its first store.
func AddSampleGoods(ctx context.Context, db pg.DB, store *files.Store, objects fs.FS, at origin.Origin) error {
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtext('sample goods'))`); err != nil {
			return fmt.Errorf("wait for sample goods: %w", err)
		}
		var own, there bool
		var place int64
		if err := tx.QueryRow(ctx, `
			SELECT EXISTS (SELECT FROM product WHERE NOT sample),
				EXISTS (SELECT FROM product WHERE sample AND status <> 'archived'),
				coalesce((SELECT min(id) FROM location WHERE kind = 'store' AND closed_at IS NULL), 0)`).Scan(&own, &there,
			&place); err != nil {
			return fmt.Errorf("look for goods: %w", err)
		}
		switch {
		case there:
			return nil // Somebody did it already.
		case own:
			return fault.New(fault.Conflict, "Your shop has products of its own, so it isn’t mixed with sample ones.")
		case place == 0:
			return fault.New(fault.Conflict, "Open a store first: sample products need a shelf.")
		}
		l := &loader{tx: tx, store: store, objects: objects, originals: map[string]string{}, progress: func(float64) {}}
		ids, err := l.sampleGoods(ctx, place)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE product SET sample = true WHERE id = ANY ($1)`, ids); err != nil {
			return fmt.Errorf("mark sample goods: %w", err)
		}
		return staff.Log(ctx, tx, staff.Entry{AssociateID: at.AssociateID, Action: "sample.added", Subject: "shop",
			After: map[string]any{"products": len(ids)}})
	})
}

func (l *loader) sampleGoods(ctx context.Context, place int64) (ids []int64, err error) {
	rows, err := l.tx.Query(ctx, `SELECT currency::text, tax_included FROM price_list ORDER BY id`)
	if err != nil {
		return nil, fmt.Errorf("list price lists: %w", err)
	}
	lists, err := pgx.CollectRows(rows, pgx.RowToStructByPos[struct {
		Currency    string
		TaxIncluded bool
	}])
	if err != nil {
		return nil, fmt.Errorf("list price lists: %w", err)
	}
	var moves []inventory.Move
	for n, slug := range sampled {
		i := items[slices.IndexFunc(items, func(i item) bool { return i.Slug == slug })]
		p, err := l.product(n, i)
		if err != nil {
			return nil, err
		}
		p.Slug, p.AgeDays = "sample-"+i.Slug, 0
		for k := range p.Variants {
			v := &p.Variants[k]
			v.SKU, v.GTIN = strings.Replace(v.SKU, "AF", "SAMPLE-", 1), ""
			v.Prices = nil
			for _, list := range lists {
				v.Prices = append(v.Prices, catalog.Price{Currency: list.Currency, TaxIncluded: list.TaxIncluded,
					Amount: i.Pence})
			}
		}
		put, err := catalog.Put(ctx, l.tx, p)
		if err != nil {
			return nil, err
		}
		ids = append(ids, put.ProductID)
		for _, id := range put.Variants {
			moves = append(moves, inventory.Move{VariantID: id, LocationID: place, Delta: sampleStock})
		}
		for _, id := range put.Undrawn {
			if err := jobs.Insert(ctx, l.tx, gallery.Job{PictureID: id}); err != nil {
				return nil, err
			}
		}
	}
	slices.SortFunc(moves, func(a, b inventory.Move) int { return int(a.VariantID - b.VariantID) })
	return ids, inventory.Receive(ctx, l.tx, moves, inventory.Reason{Channel: origin.API, Reason: "sample products"})
}

// RemoveSampleGoods takes them away again: off sale and out of every list, their stock written off, their departments
// gone where nothing else is in them. What was ordered of them to try the shop stays in its orders and their ledgers.
func RemoveSampleGoods(ctx context.Context, db pg.DB, at origin.Origin) error {
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `
			UPDATE product
			SET status = 'archived', publish_at = NULL
			WHERE sample AND status <> 'archived'
			RETURNING id`)
		if err != nil {
			return fmt.Errorf("archive sample goods: %w", err)
		}
		ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
		if err != nil || len(ids) == 0 {
			return err
		}
		levels, err := tx.Query(ctx, `
			SELECT s.variant_id, s.location_id, (s.reserved - s.on_hand)::int AS delta
			FROM stock_level s
			JOIN variant v ON v.id = s.variant_id
			WHERE v.product_id = ANY ($1) AND s.condition = 'sellable' AND s.on_hand > s.reserved
			ORDER BY s.variant_id, s.location_id
			FOR UPDATE OF s`, ids)
		if err != nil {
			return fmt.Errorf("read the stock of sample goods: %w", err)
		}
		left, err := pgx.CollectRows(levels, pgx.RowToStructByNameLax[inventory.Move])
		if err != nil {
			return fmt.Errorf("read the stock of sample goods: %w", err)
		}
		for _, m := range left {
			m.Cause = "count"
			if _, err := inventory.AdjustOnHand(ctx, tx, m, inventory.Reason{Channel: at.Channel,
				AssociateID: at.AssociateID, Reason: "sample products taken away"}); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, `
			DELETE FROM cart_line l
			USING variant v
			WHERE v.id = l.variant_id AND v.product_id = ANY ($1)
				AND l.cart_id IN (SELECT id FROM cart WHERE state IN ('open', 'draft'))`, ids); err != nil {
			return fmt.Errorf("take sample goods out of carts: %w", err)
		}
		if err := removeEmptied(ctx, tx, ids); err != nil {
			return err
		}
		return staff.Log(ctx, tx, staff.Entry{AssociateID: at.AssociateID, Action: "sample.removed", Subject: "shop",
			After: map[string]any{"products": len(ids)}})
	})
}

// removeEmptied removes the departments that products were in, and those above them, where nothing else is in them.
func removeEmptied(ctx context.Context, tx pgx.Tx, products []int64) error {
	rows, err := tx.Query(ctx, `
		WITH RECURSIVE above AS (
			SELECT DISTINCT c.id, c.parent_id, 0 AS height
			FROM product_category pc
			JOIN category c ON c.id = pc.category_id
			WHERE pc.product_id = ANY ($1)
			UNION
			SELECT c.id, c.parent_id, above.height + 1
			FROM above
			JOIN category c ON c.id = above.parent_id)
		SELECT id
		FROM above
		WHERE NOT EXISTS (SELECT FROM product_category WHERE category_id = above.id AND product_id <> ALL ($1))
		GROUP BY id
		ORDER BY max(height), id`, products)
	if err != nil {
		return fmt.Errorf("list departments: %w", err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return fmt.Errorf("list departments: %w", err)
	}
	for _, id := range ids {
		// One that others are in, or that a promotion is about, stays.
		if err := catalog.RemoveDepartment(ctx, tx, id); err != nil && fault.As(err) == nil {
			return err
		}
	}
	return nil
}
