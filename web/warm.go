package web

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/text"
	"counterpart/internal/query/basket"
	"counterpart/internal/query/shop"
)

// Warm has connections of the pool plan the statements of the pages that most ask for, before somebody waits for it: on
// a new connection the first page of each kind takes several times as long as the next. It holds as many connections
// while it works, so that each is another one, half of the pool at most; pages use the rest.
func Warm(ctx context.Context, pool *pgxpool.Pool) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	var held []*pgxpool.Conn
	defer func() {
		for _, conn := range held {
			conn.Release()
		}
	}()
	for range pool.Config().MaxConns / 2 {
		conn, err := pool.Acquire(ctx)
		if err != nil {
			return err
		}
		held = append(held, conn)
		if err := plan(ctx, conn.Conn()); err != nil {
			return err
		}
	}
	return nil
}

// plan reads each of the pages as a guest whom nobody knows.
func plan(ctx context.Context, db pg.DB) error {
	who := shop.Visitor{Language: text.Source, At: time.Now(), Device: "-"}
	front, err := shop.Home(ctx, db, who)
	if err != nil {
		return err
	}
	for _, d := range front.Departments[:min(1, len(front.Departments))] {
		for _, sort := range []string{"", "price"} {
			if _, err := shop.Category(ctx, db, who, shop.Filter{Category: d.Slug, Page: 1, Sort: sort}); err != nil {
				return err
			}
		}
		if _, err := shop.Category(ctx, db, who, shop.Filter{Category: d.Slug, Page: 1, InStock: true}); err != nil {
			return err
		}
	}
	for _, c := range front.New[:min(1, len(front.New))] {
		if _, err := shop.ProductPage(ctx, db, who, c.Slug, "", nil); err != nil {
			return err
		}
	}
	if _, err := shop.Search(ctx, db, who, shop.Filter{Words: front.Shop, Page: 1}); err != nil {
		return err
	}
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		_, err := basket.LockCart(ctx, tx, 0, basket.SaleContext{Known: front.Reference()}, nil, text.Source)
		return err
	})
}
