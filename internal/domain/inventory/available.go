package inventory

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/platform/pg"
)

// Available is an SQL expression: the units of a row of stock_level, under this name in the statement, that can be sold.
// What is reserved for orders and the safety stock cannot.
func Available(row string) string {
	return "(" + row + ".on_hand - " + row + ".reserved - " + row + ".safety)"
}

// LevelOf is LockLevel without holding it.
func LevelOf(ctx context.Context, db pg.DB, variantID, locationID int64) (Level, error) {
	var l Level
	err := db.QueryRow(ctx, `
		SELECT on_hand, reserved, safety
		FROM stock_level
		WHERE variant_id = $1 AND location_id = $2 AND condition = 'sellable'`, variantID, locationID).Scan(&l.OnHand,
		&l.Reserved, &l.Safety)
	if err == pgx.ErrNoRows {
		return Level{}, nil
	}
	return l, err
}

// AvailableByLocation is how many of a variant are free at each location that has some.
func AvailableByLocation(ctx context.Context, db pg.DB, variantID int64) (map[int64]int, error) {
	rows, err := db.Query(ctx, `
		SELECT location_id, `+Available("stock_level")+`
		FROM stock_level
		WHERE variant_id = $1 AND condition = 'sellable' AND `+Available("stock_level")+` > 0`, variantID)
	if err != nil {
		return nil, fmt.Errorf("read what is free: %w", err)
	}
	free := map[int64]int{}
	var at int64
	var n int
	_, err = pgx.ForEachRow(rows, []any{&at, &n}, func() error {
		free[at] = n
		return nil
	})
	return free, err
}
