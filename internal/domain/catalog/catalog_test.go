package catalog

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"counterpart/internal/platform/pg/pgtest"
)

func mug() Product {
	return Product{
		Slug: "mug", Title: "Stoneware mug", Language: "en", Brand: new("Kiln"), Options: []string{"Colour"},
		Categories: []Category{{Path: []string{"Kitchen", "Mugs"}}},
		Pictures:   []Picture{{Source: "mug.webp", Original: "abcd.webp"}},
		Variants: []Variant{
			{SKU: "MUG-W", Options: []string{"White"}, TaxClass: "standard", GTIN: "04006381333931",
				Picture: "mug.webp", Prices: []Price{{"GBP", true, 1200, nil}}},
			{SKU: "MUG-B", Options: []string{"Blue"}, TaxClass: "standard",
				Prices: []Price{{"GBP", true, 1200, new(int64(1500))}}},
		},
	}
}

func TestPuttingAProductTwiceChangesNothing(t *testing.T) {
	ctx, tx := context.Background(), pgtest.Tx(t)
	require.NoError(t, OpenPriceList(ctx, tx, "GBP", true))

	first, err := Put(ctx, tx, mug())
	require.NoError(t, err)
	second, err := Put(ctx, tx, mug())
	require.NoError(t, err)

	require.True(t, first.Created)
	require.False(t, second.Created)
	require.False(t, second.Changed)
	require.Equal(t, first.Variants, second.Variants)
	require.Len(t, first.Undrawn, 1)
	require.Empty(t, second.Undrawn)
}

func TestAbsentTextsAreKept(t *testing.T) {
	ctx, tx := context.Background(), pgtest.Tx(t)
	require.NoError(t, OpenPriceList(ctx, tx, "GBP", true))
	_, err := Put(ctx, tx, mug())
	require.NoError(t, err)

	bare := Product{Slug: "mug", Title: "Stoneware mug", Language: "en"}
	_, err = Put(ctx, tx, bare)
	require.NoError(t, err)

	var brand string
	require.NoError(t, tx.QueryRow(ctx, `SELECT brand FROM product WHERE slug = 'mug'`).Scan(&brand))
	require.Equal(t, "Kiln", brand)
}

func TestSKUBelongsToOneProductInAnyCase(t *testing.T) {
	ctx, tx := context.Background(), pgtest.Tx(t)
	require.NoError(t, OpenPriceList(ctx, tx, "GBP", true))
	_, err := Put(ctx, tx, mug())
	require.NoError(t, err)

	thief := mug()
	thief.Slug, thief.Variants = "cup", []Variant{{SKU: "mug-w", TaxClass: "standard"}}
	_, err = Put(ctx, tx, thief)

	require.ErrorIs(t, err, ErrTaken)
}

func TestPriceHistoryIsKeptWithoutGapOrOverlap(t *testing.T) {
	ctx := context.Background()
	pool, _ := pgtest.Database(t)
	tx, err := pool.Begin(ctx)
	require.NoError(t, err)
	require.NoError(t, OpenPriceList(ctx, tx, "GBP", true))
	put, err := Put(ctx, tx, mug())
	require.NoError(t, err)
	require.NoError(t, tx.Commit(ctx))
	id := put.Variants["MUG-W"]

	done := make(chan error)
	for i := range 20 {
		go func() {
			_, err := SetPrice(ctx, pool, id, Price{"GBP", true, int64(1000 + i), nil}, nil, 0)
			done <- err
		}()
	}
	for range 20 {
		require.NoError(t, <-done)
	}

	var open, rows, gaps int
	require.NoError(t, pool.QueryRow(ctx, `
		SELECT count(*) FILTER (WHERE upper_inf(valid)), count(*), count(*) FILTER (WHERE next IS NOT NULL
			AND upper(valid) <> next)
		FROM (SELECT valid, lead(lower(valid)) OVER (ORDER BY lower(valid)) AS next FROM price WHERE variant_id = $1) p`, id).Scan(&open, &rows, &gaps))
	require.Equal(t, 1, open)
	require.Equal(t, 21, rows)
	require.Zero(t, gaps)

	changed, err := SetPrice(ctx, pool, id, Price{"USD", false, 1, nil}, nil, 0)
	require.Error(t, err)
	require.False(t, changed)
}

func TestBarcodesAreOneNumberWhateverTheirLength(t *testing.T) {
	for scanned, want := range map[string]string{
		"4006381333931": "04006381333931", "075678164125": "00075678164125", "0075678164125": "00075678164125",
		"09506000134352": "09506000134352", "9521 2345 43213": "09521234543213",
	} {
		got, ok := GTIN(scanned)
		require.True(t, ok, scanned)
		require.Equal(t, want, got)
	}
	for _, scanned := range []string{"", "4006381333932", "400638133393", "12345", "٤٠٠٦٣٨١٣٣٣٩٣١", "00000000000000",
		"400638133393a"} {
		_, ok := GTIN(scanned)
		require.False(t, ok, scanned)
	}
}

func TestSlugs(t *testing.T) {
	require.Equal(t, "chaz-kangaroo-hoodie", Slug("  Chaz Kangaroo — Hoodie! "))
	require.Equal(t, "krūze-zaļa", Slug("Krūze (zaļa)"))
	require.Equal(t, "", Slug("!?"))
}
