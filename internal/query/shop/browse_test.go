package shop

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"counterpart/internal/domain/catalog"
	"counterpart/internal/domain/location"
	"counterpart/internal/platform/geo"
	"counterpart/internal/platform/pg/pgtest"
	"counterpart/internal/proof/sample"
)

var ctx = context.Background()

func titles(cards []Card) (all []string) {
	for _, c := range cards {
		all = append(all, c.Title)
	}
	return all
}

func TestSearchForgivesTyping(t *testing.T) {
	tx := pgtest.Tx(t)
	sample.Load(t, tx)
	for typed, want := range map[string]string{
		"mug": "Stoneware mug", "mugs": "Stoneware mug", "STONE": "Stoneware mug", "stonewa": "Stoneware mug",
		"mgu": "", "stonewear": "Stoneware mug", "stnoeware": "Stoneware mug",
		"cota": "", "haborur": "Harbour coat", "harbor coat": "Harbour coat", "blue mug": "Stoneware mug",
		"kitchen": "Stoneware mug",
	} {
		l, err := Search(ctx, tx, Visitor{Language: "en", At: time.Now()}, Filter{Words: typed, Page: 1})
		require.NoError(t, err, typed)
		if want == "" {
			continue // So short and so wrong that anything may come; it must only not fail.
		}
		require.Equal(t, []string{want}, titles(l.Cards), typed)
	}
}

func TestSearchTakesNothingForAnOperator(t *testing.T) {
	tx := pgtest.Tx(t)
	sample.Load(t, tx)
	for _, typed := range []string{"mug & | !", "mug:*", "'; DROP TABLE product; --", "(((", "\\", "mug <-> coat", "%",
		"🙂"} {
		_, err := Search(ctx, tx, Visitor{Language: "en", At: time.Now()}, Filter{Words: typed, Page: 1})
		require.NoError(t, err, typed)
	}
}

func TestFiltersAreTrueOfOneVariant(t *testing.T) {
	tx := pgtest.Tx(t)
	c := sample.Load(t, tx)
	who := Visitor{Language: "en", StoreCode: c.MillLane.Code, At: time.Now()}
	list := func(f Filter) []string {
		f.Category, f.Page = "kitchen", 1
		l, err := Category(ctx, tx, who, f)
		require.NoError(t, err)
		return titles(l.Cards)
	}

	require.Len(t, list(Filter{Options: map[string][]string{"Colour": {"White"}}, InStock: true}), 1)
	require.Empty(t, list(Filter{Options: map[string][]string{"Colour": {"Blue"}}, InStock: true}),
		"Mill Lane has only white ones")
	require.Len(t, list(Filter{Min: 1250}), 1)
	require.Empty(t, list(Filter{Min: 1251}))
	require.Empty(t, list(Filter{Options: map[string][]string{"Colour": {"White"}}, Min: 1250}),
		"the dearer one is blue")
}

func TestThePageNamesAStoreThatHasIt(t *testing.T) {
	tx := pgtest.Tx(t)
	c := sample.Load(t, tx)
	leeds, _ := geo.Find("LS1")

	p, err := ProductPage(ctx, tx, Visitor{Language: "en", StoreCode: c.MillLane.Code, At: time.Now()}, "mug", "MUG-B",
		&leeds)

	require.NoError(t, err)
	require.Equal(t, "Mill Lane", p.Stores[0].Name, "the chosen store leads")
	require.Zero(t, p.Stores[0].Available)
	require.Equal(t, "Harbour Street", p.Stores[1].Name)
	require.Equal(t, 10, p.Stores[1].Available)
	require.Len(t, p.Stores, 2, "New York sells in another currency")
}

func TestStoresOfAPageKeepTheirOwnHoursAndSpecialDays(t *testing.T) {
	tx := pgtest.Tx(t)
	c := sample.Load(t, tx)
	day := func(ahead int) string { return time.Now().AddDate(0, 0, ahead).Format(time.DateOnly) }
	short := []location.Hours{{Opens: 600, Closes: 720, Preparation: 30}, {Opens: 780, Closes: 840, Preparation: 30}}
	require.NoError(t, location.SetSpecial(ctx, tx, c.MillLane.ID,
		location.Special{Day: day(3), Name: "Fair", Hours: short}))
	require.NoError(t, location.SetSpecial(ctx, tx, c.MillLane.ID, location.Special{Day: day(1), Name: "Stocktaking"}))
	require.NoError(t, location.SetSpecial(ctx, tx, c.HarbourStreet.ID,
		location.Special{Day: day(1), Name: "Stocktaking"}))
	all, err := location.All(ctx, tx)
	require.NoError(t, err)

	for range 2 {
		p, err := ProductPage(ctx, tx, Visitor{Language: "en", StoreCode: c.MillLane.Code, At: time.Now()}, "mug", "",
			nil)
		require.NoError(t, err)
		require.NotEmpty(t, p.Stores)
		for _, s := range p.Stores {
			i := slices.IndexFunc(all, func(l location.Location) bool { return l.ID == s.ID })
			require.Equal(t, all[i].Hours, s.Hours)
			require.Equal(t, all[i].Special, s.Special)
		}
		// And again, with what was read before at hand.
		require.NoError(t, location.SetSpecial(ctx, tx, c.HarbourStreet.ID,
			location.Special{Day: day(2), Name: "Open house", Hours: short}))
		all, err = location.All(ctx, tx)
		require.NoError(t, err)
	}
}

func TestAReductionShowsTheLowestPriceOfTheThirtyDaysBefore(t *testing.T) {
	tx := pgtest.Tx(t)
	c := sample.Load(t, tx)
	// 80 until 20 days ago, then 100, now 90: the reduction to 90 may not boast of 100.
	_, err := tx.Exec(ctx, `DELETE FROM price WHERE variant_id = $1`, c.Mug)
	require.NoError(t, err)
	_, err = tx.Exec(ctx, `
		INSERT INTO price (variant_id, price_list_id, amount, valid)
		SELECT $1::bigint, list.id, amount, tstzrange(now() - since, now() - until)
		FROM price_list list, (VALUES (8000, interval '100 days', interval '20 days'), (10000, interval '20 days',
			interval '1 day')) v (amount, since, until)
		WHERE list.currency = 'GBP'
		UNION ALL
		SELECT $1::bigint, list.id, 9000, tstzrange(now() - interval '1 day', NULL)
		FROM price_list list
		WHERE list.currency = 'GBP'`, c.Mug)
	require.NoError(t, err)
	p, err := ProductPage(ctx, tx, Visitor{Language: "en", At: time.Now()}, "mug", "MUG-W", nil)
	require.NoError(t, err)
	require.Equal(t, int64(9000), p.Variant().Amount)
	require.Zero(t, p.Variant().Was)

	_, err = catalog.SetPrice(ctx, tx, c.Mug, catalog.Price{Currency: "GBP", TaxIncluded: true, Amount: 7000}, nil, 0)
	require.NoError(t, err)
	p, err = ProductPage(ctx, tx, Visitor{Language: "en", At: time.Now()}, "mug", "MUG-W", nil)
	require.NoError(t, err)
	require.Equal(t, []int64{7000, 8000}, []int64{p.Variant().Amount, p.Variant().Was})
}
