package figure_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"counterpart/internal/domain/browsing"
	"counterpart/internal/domain/customer"
	"counterpart/internal/domain/figure"
	"counterpart/internal/domain/history"
	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/recommend"
	"counterpart/internal/flow/cancellation"
	"counterpart/internal/flow/person"
	"counterpart/internal/flow/privacy"
	"counterpart/internal/platform/files"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/pg/pgtest"
	"counterpart/internal/proof/audit"
	"counterpart/internal/proof/sample"

	"counterpart/internal/domain/staff"
)

var ctx = context.Background()

func figures(t *testing.T, db *pgxpool.Pool) []string {
	t.Helper()
	rows, err := db.Query(ctx, `SELECT f::text FROM figure f ORDER BY customer_id`)
	require.NoError(t, err)
	all, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	return all
}

// account of somebody with a device that is remembered and a number in another system.
func account(t *testing.T, db *pgxpool.Pool, n int) (id int64) {
	t.Helper()
	id, _ = sample.Account(t, db, fmt.Sprint("Person ", n), fmt.Sprintf("person%d@example.com", n))
	require.NoError(t, pg.InTx(ctx, db, func(tx pgx.Tx) error {
		if err := customer.Verify(ctx, tx, id, "device", fmt.Sprint("device-", n), "web"); err != nil {
			return err
		}
		return customer.Verify(ctx, tx, id, customer.External, fmt.Sprint("till:", n), "web")
	}))
	return id
}

func TestWhatIsAddedUpAsItComesIsWhatIsAddedUpAnew(t *testing.T) {
	db, _ := pgtest.Database(t)
	s := sample.Stocked(t, db, 6)
	r := rand.New(rand.NewPCG(11, 13))
	var people, till, web, merges []int64
	for n := range 6 {
		people = append(people, account(t, db, n))
	}
	var products []int64
	rows, err := db.Query(ctx, `SELECT product_id FROM variant WHERE id = ANY ($1) ORDER BY id`, s.Variants)
	require.NoError(t, err)
	products, err = pgx.CollectRows(rows, pgx.RowTo[int64])
	require.NoError(t, err)
	now := time.Now()
	office := origin.Origin{Channel: origin.Counter, AssociateID: s.Bea.ID, LocationID: s.HarbourStreet.ID}
	standing := func() (some []int64) {
		rows, err := db.Query(ctx, `SELECT id FROM customer WHERE id = ANY ($1) AND merged_into IS NULL
			AND erased_at IS NULL ORDER BY id`, people)
		require.NoError(t, err)
		some, err = pgx.CollectRows(rows, pgx.RowTo[int64])
		require.NoError(t, err)
		return some
	}
	store, err := files.Open(t.TempDir())
	require.NoError(t, err)
	erased := false
	for step := range 300 {
		there := standing()
		one := there[r.IntN(len(there))]
		what := []string{"buy", "buy", "order", "cancel", "bring", "look", "look", "consent", "prefer", "merge", "unmerge", "past",
			"erase"}[r.IntN(13)]
		switch what {
		case "buy":
			till = append(till, s.Buy(t, one, true, r.Perm(6)[:1+r.IntN(3)]...))
		case "order":
			web = append(web, s.Buy(t, one, false, r.IntN(6)))
		case "cancel":
			if len(web) > 0 {
				k := r.IntN(len(web))
				require.NoError(t, cancellation.Order(ctx, db, origin.Origin{Channel: origin.Web}, web[k]))
				web = append(web[:k], web[k+1:]...)
			}
		case "bring":
			if len(till) > 0 {
				s.Bring(t, till[r.IntN(len(till))], r)
			}
		case "look":
			require.NoError(t, browsing.Write(ctx, db, []browsing.Event{{Device: fmt.Sprint("device-", r.IntN(6)), At: now,
				ProductID: products[r.IntN(6)]}, {Device: fmt.Sprint("device-", r.IntN(6)), At: now, Words: "mug"}}))
		case "consent":
			require.NoError(t, person.RecordConsent(ctx, db, one, customer.ConsentEntry{Purpose: customer.Personalisation,
				Medium: customer.InShop, Given: r.IntN(4) > 0, Source: origin.Web}))
		case "prefer":
			require.NoError(t, pg.InTx(ctx, db, func(tx pgx.Tx) error {
				return customer.Prefer(ctx, tx, one, "Shoe size", fmt.Sprint(36+r.IntN(9)), origin.Web)
			}))
		case "merge":
			if other := there[r.IntN(len(there))]; other != one && len(there) > 3 {
				id, err := person.Merge(ctx, db, office, customer.Merge{SurvivorID: one, AbsorbedID: other,
					Proof: customer.ByManager, Reason: "same", AssociateID: s.Bea.ID})
				require.NoError(t, err)
				merges = append(merges, id)
			}
		case "unmerge":
			if len(merges) > 0 {
				_, err := person.Unmerge(ctx, db, office, merges[len(merges)-1], "not the same")
				require.NoError(t, err)
				merges = merges[:len(merges)-1]
			}
		case "past":
			var sales []history.Sale
			for k := range 3 {
				sales = append(sales, history.Sale{Receipt: fmt.Sprint(step, "-", k), Code: fmt.Sprint("thing-", k),
					Person: fmt.Sprint("till:", r.IntN(6)), Day: now.AddDate(0, 0, -r.IntN(300)).Truncate(24 * time.Hour),
					Goods: true, Quantity: 2, Amount: 1999, Returned: r.IntN(2)})
			}
			_, _, err := history.Write(ctx, db, "till", "GBP", sales)
			require.NoError(t, err)
			require.NoError(t, figure.Ask(ctx, db))
			_, all, err := figure.Keep(ctx, db, now)
			require.NoError(t, err)
			require.True(t, all)
		case "erase":
			if step > 150 && !erased {
				for _, open := range web { // Who still has an order to collect is not forgotten.
					require.NoError(t, cancellation.Order(ctx, db, origin.Origin{Channel: origin.Web}, open))
				}
				web, erased = nil, true
				require.NoError(t, privacy.Erase(ctx, db, store, one, staff.Entry{AssociateID: s.Bea.ID}))
			}
		}
		_, err := figure.Update(ctx, db)
		require.NoError(t, err)
		asItCame := figures(t, db)
		require.NoError(t, figure.Rebuild(ctx, db))
		require.Equal(t, figures(t, db), asItCame, "step %d: %s", step, what)
		// As if ten minutes had passed: what was read is not read again.
		_, err = db.Exec(ctx, `
			UPDATE figuring
			SET timeline_to = (SELECT coalesce(max(id), 0) FROM timeline), customer_to = (SELECT max(id) FROM customer);
			UPDATE merge SET at = at - interval '1 hour', undone_at = undone_at - interval '1 hour'`)
		require.NoError(t, err)
	}
	require.True(t, erased)
	var spent, bought, looked int
	require.NoError(t, db.QueryRow(ctx, `SELECT sum(spent), sum(orders), sum(looks) FROM figure`).Scan(&spent, &bought, &looked))
	require.Positive(t, spent)
	require.Positive(t, bought)
	require.Positive(t, looked)
	// The same from the orders' side.
	var of int
	require.NoError(t, db.QueryRow(ctx, `
		SELECT coalesce(sum(u.paid - u.allowed), 0)
		FROM orders o
		JOIN order_line l ON l.order_id = o.id
		JOIN order_unit u ON u.order_line_id = l.id
		JOIN customer c ON c.id = o.customer_id AND c.erased_at IS NULL
		WHERE o.state = 'confirmed' AND u.state <> 'cancelled' AND NOT EXISTS (
			SELECT FROM returned_unit r WHERE r.order_line_id = u.order_line_id AND r.n = u.n)`).Scan(&of))
	var past int
	require.NoError(t, db.QueryRow(ctx, `
		SELECT coalesce(sum(round(amount::numeric * (quantity - returned) / quantity)), 0)
		FROM past_sale s
		JOIN identity i ON i.value = s.person AND i.kind = 'external'`).Scan(&past))
	require.Equal(t, of+past, spent)
	found, err := audit.Run(ctx, db)
	require.NoError(t, err)
	require.Empty(t, found)
}

func weekly(t *testing.T, db *pgxpool.Pool) []string {
	t.Helper()
	rows, err := db.Query(ctx, `SELECT w::text FROM product_week w ORDER BY product_id, location_id, week`)
	require.NoError(t, err)
	all, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	return all
}

// What is counted by the hour is what is counted anew; it is what orders, returns and views say.
func TestWeeksOfProducts(t *testing.T) {
	db, _ := pgtest.Database(t)
	s := sample.Stocked(t, db, 3)
	r := rand.New(rand.NewPCG(5, 6))
	who := account(t, db, 1)
	require.NoError(t, person.RecordConsent(ctx, db, who, customer.ConsentEntry{Purpose: customer.Personalisation,
		Medium: customer.InShop, Given: true, Source: origin.Web}))
	var till, web []int64
	for step := range 40 {
		switch r.IntN(5) {
		case 0, 1:
			till = append(till, s.Buy(t, who, true, r.IntN(3)))
		case 2:
			web = append(web, s.Buy(t, who, false, r.IntN(3)))
		case 3:
			if len(web) > 0 {
				require.NoError(t, cancellation.Order(ctx, db, origin.Origin{Channel: origin.Web}, web[0]))
				web = web[1:]
			}
			require.NoError(t, browsing.Write(ctx, db, []browsing.Event{{Device: "device-1", At: time.Now(), ProductID: 1 + int64(r.IntN(3))}}))
		case 4:
			if len(till) > 0 {
				s.Bring(t, till[r.IntN(len(till))], r)
			}
		}
		if step%5 == 0 {
			// Some of it was some weeks ago.
			_, err := db.Exec(ctx, `UPDATE orders SET placed_at = placed_at - interval '9 days' WHERE id % 4 = 0 AND placed_at > now() - interval '2 days'`)
			require.NoError(t, err)
		}
		require.NoError(t, figure.CountWeeks(ctx, db, time.Now(), false))
		byHour := weekly(t, db)
		require.NoError(t, figure.CountWeeks(ctx, db, time.Now(), true))
		require.Equal(t, weekly(t, db), byHour)
	}
	var sold, returned, looks, units, back, seen int
	require.NoError(t, db.QueryRow(ctx, `SELECT sum(sold), sum(returned), sum(looks) FROM product_week`).Scan(&sold, &returned, &looks))
	require.NoError(t, db.QueryRow(ctx, `SELECT (SELECT count(*) FROM order_unit WHERE state <> 'cancelled'),
		(SELECT count(*) FROM returned_unit), (SELECT count(*) FROM browse_event WHERE kind = 'viewed')`).Scan(&units, &back, &seen))
	require.Equal(t, []int{units, back, seen}, []int{sold, returned, looks})
	require.Positive(t, back)
	require.Positive(t, seen)
}

func TestTwoWhoAddUpDoItOnce(t *testing.T) {
	db, _ := pgtest.Database(t)
	s := sample.Stocked(t, db, 3)
	one := account(t, db, 1)
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			switch {
			case i < 3:
				s.Buy(t, account(t, db, 10+i), true, i%3)
			case i == 4:
				assert.NoError(t, figure.Rebuild(ctx, db))
			default:
				_, err := figure.Update(ctx, db)
				assert.NoError(t, err)
			}
		})
	}
	group.Wait()
	s.Buy(t, one, true, 0, 1)
	_, err := figure.Update(ctx, db)
	require.NoError(t, err)
	together := figures(t, db)
	require.Len(t, together, 4)
	require.NoError(t, figure.Rebuild(ctx, db))
	require.Equal(t, figures(t, db), together)
}

// TestMain is the process that the next test kills, where FIGURES_OF says of which database.
func TestMain(m *testing.M) {
	address := os.Getenv("FIGURES_OF")
	if address == "" {
		os.Exit(m.Run())
	}
	db, err := pgxpool.New(ctx, address)
	for err == nil {
		if err = figure.Rebuild(ctx, db); err == nil {
			err = recommend.Rebuild(ctx, db)
		}
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// A process that counts everybody anew is killed without warning, again and again; facts arrive meanwhile. Whoever counts
// next comes to the same as if nobody had been killed.
func TestKilledWhileEverybodyIsCounted(t *testing.T) {
	db, address := pgtest.Database(t)
	s := sample.Stocked(t, db, 4)
	people := []int64{account(t, db, 1), account(t, db, 2), account(t, db, 3)}
	_, err := db.Exec(ctx, `INSERT INTO customer (name, channel) SELECT 'Nobody ' || n, 'web' FROM generate_series(1, 20000) n`)
	require.NoError(t, err)
	r := rand.New(rand.NewPCG(3, 5))
	begun := 0
	for range pgtest.Rounds(6, 30) {
		counting := exec.Command(os.Args[0])
		counting.Env = append(os.Environ(), "FIGURES_OF="+address)
		require.NoError(t, counting.Start())
		s.Buy(t, people[r.IntN(3)], true, r.IntN(4), r.IntN(4))
		time.Sleep(time.Duration(r.IntN(600)) * time.Millisecond)
		var counted int
		require.NoError(t, db.QueryRow(ctx, `SELECT count(*) FROM figure`).Scan(&counted))
		if counted > 0 && counted < 20003 {
			begun++
		}
		require.NoError(t, counting.Process.Kill())
		_ = counting.Wait()
		_, err := figure.Update(ctx, db)
		require.NoError(t, err)
		var orders int
		require.NoError(t, db.QueryRow(ctx, `
			SELECT (SELECT sum(orders) FROM figure) - (SELECT count(*) FROM orders WHERE customer_id = ANY ($1))`, people).Scan(&orders))
		require.Zero(t, orders, "what happened is added up at once")
		if _, err = db.Exec(ctx, `DELETE FROM figure WHERE customer_id <> ALL ($1)`, people); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("killed in the middle %d times", begun)
	_, err = recommend.Update(ctx, db)
	require.NoError(t, err)
	before := figures(t, db)
	require.NoError(t, figure.Rebuild(ctx, db))
	require.NoError(t, recommend.Rebuild(ctx, db))
	after := figures(t, db)
	for _, line := range before {
		require.Contains(t, after, line)
	}
	found, err := audit.Run(ctx, db)
	require.NoError(t, err)
	require.Empty(t, found)
}
