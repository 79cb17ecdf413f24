package catalog_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"counterpart/internal/domain/catalog"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/pg/pgtest"
	"counterpart/internal/proof/sample"
)

// priceAt is what a variant costs at a time, in pence; 0 where nothing holds.
func priceAt(t *testing.T, tx pgx.Tx, variant int64, at time.Time) (amount int64) {
	t.Helper()
	require.NoError(t, tx.QueryRow(t.Context(), `
		SELECT coalesce((SELECT p.amount FROM price p JOIN price_list l ON l.id = p.price_list_id
			WHERE p.variant_id = $1 AND l.currency = 'GBP' AND l.tax_included AND p.valid @> $2::timestamptz), 0)`,
		variant, at).Scan(&amount))
	return amount
}

func TestASaleReducesAPriceForItsTime(t *testing.T) {
	tx := pgtest.Tx(t)
	c := sample.Load(t, tx)
	regular := priceAt(t, tx, c.Mug, time.Now())
	now := time.Now()
	hour := func(n int) time.Time { return now.Add(time.Duration(n) * time.Hour) }
	plan := func(amount int64, from, until time.Time) error {
		return catalog.PlanSale(t.Context(), tx, c.Mug, catalog.Sale{Currency: "GBP", TaxIncluded: true, Amount: amount,
			From: from, Until: until}, 0)
	}
	expect := func(why string, prices ...int64) {
		t.Helper()
		for i, want := range prices {
			require.Equal(t, want, priceAt(t, tx, c.Mug, now.Add(time.Duration(i)*time.Hour+30*time.Minute)),
				"%s: hour %d", why, i)
		}
	}
	require.NoError(t, plan(regular-100, hour(1), hour(3)))
	expect("planned", regular, regular-100, regular-100, regular, regular)

	require.NoError(t, plan(regular-200, hour(2), hour(4)))
	expect("planned otherwise", regular, regular, regular-200, regular-200, regular)

	_, err := catalog.SetPrice(t.Context(), tx, c.Mug, catalog.Price{Currency: "GBP", TaxIncluded: true,
		Amount: regular + 300}, nil, 0)
	require.NoError(t, err)
	expect("the regular price changed around it", regular+300, regular+300, regular-200, regular-200, regular+300)

	require.NoError(t, plan(regular-300, now.Add(-time.Minute), hour(2)))
	expect("running", regular-300, regular-300, regular+300, regular+300)
	_, err = catalog.SetPrice(t.Context(), tx, c.Mug, catalog.Price{Currency: "GBP", TaxIncluded: true,
		Amount: regular}, nil, 0)
	require.NoError(t, err)
	expect("changed while it runs", regular-300, regular-300, regular)

	ended, err := catalog.EndSale(t.Context(), tx, c.Mug, "GBP", true, 0)
	require.NoError(t, err)
	require.True(t, ended)
	expect("ended", regular, regular, regular)
	ended, err = catalog.EndSale(t.Context(), tx, c.Mug, "GBP", true, 0)
	require.NoError(t, err)
	require.False(t, ended)

	for _, wrong := range []error{plan(regular, hour(1), hour(2)), plan(100, hour(2), hour(1)),
		plan(100, hour(-3), hour(-2)), plan(0, hour(1), hour(2))} {
		require.NotNil(t, fault.As(wrong))
	}
	expect("nothing wrong was written", regular, regular)
}

func TestOptionsMakeVariantsAndKeepWhatWasThere(t *testing.T) {
	tx := pgtest.Tx(t)
	sample.Load(t, tx)
	id, err := catalog.Begin(t.Context(), tx, catalog.Head{Title: "Morning mug"}, nil, "standard")
	require.NoError(t, err)
	require.NoError(t, catalog.SetAllPrices(t.Context(), tx, id, []catalog.Price{{Currency: "GBP", TaxIncluded: true,
		Amount: 1200}}, 0))
	skus := func() (all []string) {
		t.Helper()
		grid, err := catalog.ReadGrid(t.Context(), tx, id)
		require.NoError(t, err)
		for _, row := range grid.Rows {
			if row.Active {
				require.NotEmpty(t, row.Prices, "%s has the price of the first", row.SKU)
				all = append(all, row.SKU+" "+join(row.Options))
			}
		}
		return all
	}
	set := func(options ...catalog.Option) {
		t.Helper()
		_, err := catalog.SetOptions(t.Context(), tx, id, options)
		require.NoError(t, err)
	}
	// While a sale runs: what is made meanwhile has the regular price.
	var first int64
	require.NoError(t, tx.QueryRow(t.Context(), `SELECT id FROM variant WHERE product_id = $1`, id).Scan(&first))
	require.NoError(t, catalog.PlanSale(t.Context(), tx, first, catalog.Sale{Currency: "GBP", TaxIncluded: true, Amount: 900,
		From: time.Now().Add(-time.Minute), Until: time.Now().Add(time.Hour)}, 0))
	defer func() {
		var other int64
		require.NoError(t, tx.QueryRow(t.Context(), `SELECT max(id) FROM variant WHERE product_id = $1`, id).Scan(&other))
		require.NotEqual(t, first, other)
		require.EqualValues(t, 1200, priceAt(t, tx, other, time.Now()))
	}()
	require.Equal(t, []string{"MORNING-MUG "}, skus())

	set(catalog.Option{Name: "Size", Values: []string{"S", "L"}})
	require.Equal(t, []string{"MORNING-MUG S", "MORNING-MUG-L L"}, skus(), "what there was has the first value")

	set(catalog.Option{Name: "Size", Values: []string{"S", "L"}}, catalog.Option{Name: "Glaze", Values: []string{"Moss",
		"Chalk"}})
	require.Equal(t, []string{"MORNING-MUG S/Moss", "MORNING-MUG-S-CHALK S/Chalk", "MORNING-MUG-L L/Moss",
		"MORNING-MUG-L-CHALK L/Chalk"}, skus())

	set(catalog.Option{Name: "Size", Values: []string{"S", "L"}}, catalog.Option{Name: "Glaze", Values: []string{"Fern",
		"Chalk"}})
	require.Equal(t, []string{"MORNING-MUG S/Fern", "MORNING-MUG-S-CHALK S/Chalk", "MORNING-MUG-L L/Fern",
		"MORNING-MUG-L-CHALK L/Chalk"}, skus(), "a value has a new name")

	set(catalog.Option{Name: "Size", Values: []string{"L"}}, catalog.Option{Name: "Glaze", Values: []string{"Chalk",
		"Fern"}})
	require.Equal(t, []string{"MORNING-MUG-L-CHALK L/Chalk", "MORNING-MUG-L L/Fern"}, skus(), "S went off sale")

	set(catalog.Option{Name: "Size", Values: []string{"S", "L"}}, catalog.Option{Name: "Glaze", Values: []string{"Chalk",
		"Fern"}})
	require.Equal(t, []string{"MORNING-MUG-S-CHALK S/Chalk", "MORNING-MUG S/Fern", "MORNING-MUG-L-CHALK L/Chalk",
		"MORNING-MUG-L L/Fern"}, skus(), "and came back")
}

func join(values []string) (all string) {
	for i, value := range values {
		if i > 0 {
			all += "/"
		}
		all += value
	}
	return all
}

func TestDepartmentsMoveAndNeverMakeACircle(t *testing.T) {
	tx := pgtest.Tx(t)
	ids := map[string]int64{}
	add := func(name, parent string) {
		t.Helper()
		d := catalog.Department{Slug: catalog.Slug(name), Names: map[string]string{"en": name}, ParentID: ids[parent],
			InMenu: true}
		require.NoError(t, catalog.SaveDepartment(t.Context(), tx, &d))
		ids[name] = d.ID
	}
	add("Home", "")
	add("Kitchen", "Home")
	add("Mugs", "Kitchen")
	add("Garden", "")
	tree := func() (all []string) {
		t.Helper()
		var found []catalog.Department
		batch := &pgx.Batch{}
		catalog.Departments(&found)(batch)
		require.NoError(t, tx.SendBatch(t.Context(), batch).Close())
		for _, d := range found {
			all = append(all, "--------"[:d.Depth]+d.Name)
		}
		return all
	}
	require.Equal(t, []string{"Home", "-Kitchen", "--Mugs", "Garden"}, tree())
	require.NoError(t, catalog.MoveDepartment(t.Context(), tx, ids["Garden"], 0, ids["Home"]))
	require.Equal(t, []string{"Garden", "Home", "-Kitchen", "--Mugs"}, tree())
	require.NoError(t, catalog.MoveDepartment(t.Context(), tx, ids["Mugs"], ids["Home"], ids["Kitchen"]))
	require.Equal(t, []string{"Garden", "Home", "-Mugs", "-Kitchen"}, tree())
	require.NoError(t, catalog.MoveDepartment(t.Context(), tx, ids["Mugs"], ids["Kitchen"], 0))
	for _, into := range []string{"Kitchen", "Mugs", "Home"} {
		require.NotNil(t, fault.As(catalog.MoveDepartment(t.Context(), tx, ids["Home"], ids[into], 0)), into)
	}
	require.NotNil(t, fault.As(catalog.RemoveDepartment(t.Context(), tx, ids["Kitchen"])), "it has Mugs inside")
	require.NoError(t, catalog.RemoveDepartment(t.Context(), tx, ids["Mugs"]))
	require.Equal(t, []string{"Garden", "Home", "-Kitchen"}, tree())
}
