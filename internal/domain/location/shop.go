package location

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/platform/pg"
)

// Shop is the chain itself.
type Shop struct {
	Name      string
	Languages []string
	Demo      bool
	// SecondFactor says that nobody works here on a password alone.
	SecondFactor bool
}

// ShopOf is the chain, or nil where nobody has set it up yet.
func ShopOf(ctx context.Context, db pg.DB) (*Shop, error) {
	var shop Shop
	err := db.QueryRow(ctx, `
		SELECT name, languages, demo, second_factor
		FROM shop`).Scan(&shop.Name, &shop.Languages, &shop.Demo, &shop.SecondFactor)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the shop: %w", err)
	}
	return &shop, nil
}

// CreateShop writes the chain's one row. It answers false where there is one already, also to a second caller a moment
// later.
func CreateShop(ctx context.Context, tx pgx.Tx, shop Shop) (bool, error) {
	tag, err := tx.Exec(ctx, `
		INSERT INTO shop (name, languages, demo, second_factor, phones_checked_at)
		VALUES ($1, $2, $3, $4, now())
		ON CONFLICT DO NOTHING`, shop.Name, shop.Languages, shop.Demo, shop.SecondFactor)
	if err != nil {
		return false, fmt.Errorf("found the shop: %w", err)
	}
	return tag.RowsAffected() == 1, nil
}

// CountryOf is the country of the store with a code, else of the chain's first store: where a phone number is from that
// stands beside no address. Empty while there is no store.
func CountryOf(ctx context.Context, db pg.DB, code string) (country string, err error) {
	err = db.QueryRow(ctx,
		`SELECT coalesce((SELECT country::text FROM location ORDER BY code = $1 DESC, kind = 'store' DESC, id LIMIT 1), '')`, code).Scan(&country)
	if err != nil {
		return "", fmt.Errorf("read a store's country: %w", err)
	}
	return country, nil
}

// CurrencyOf is the currency of a store by its code, or of the chain's first.
func CurrencyOf(ctx context.Context, db pg.DB, code string) (currency string, err error) {
	err = db.QueryRow(ctx,
		`SELECT coalesce((SELECT currency::text FROM location ORDER BY code = $1 DESC, kind = 'store' DESC, id LIMIT 1), '')`, code).Scan(&currency)
	if err != nil {
		return "", fmt.Errorf("read a store's currency: %w", err)
	}
	return currency, nil
}

// ForgetKey makes what the list of the forgotten says of them unreadable to whoever has the list alone.
func ForgetKey(ctx context.Context, db pg.DB) (key string, err error) {
	err = db.QueryRow(ctx, `SELECT forget_key FROM shop`).Scan(&key)
	if err != nil {
		return "", fmt.Errorf("read the shop: %w", err)
	}
	return key, nil
}

// Languages in which the shop writes its products.
func Languages(into *[]string) pg.Question {
	return pg.Value(into, `SELECT coalesce((SELECT languages FROM shop), '{en}')`)
}
