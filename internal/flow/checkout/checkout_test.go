package checkout_test

import (
	"context"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"counterpart/internal/domain/catalog"
	"counterpart/internal/domain/inventory"
	"counterpart/internal/domain/location"
	"counterpart/internal/domain/order"
	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/payment"
	"counterpart/internal/flow/checkout"
	"counterpart/internal/flow/pickup"
	"counterpart/internal/flow/settle"
	"counterpart/internal/flow/shopping"
	"counterpart/internal/flow/shortage"
	"counterpart/internal/flow/stocktake"
	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/pg/pgtest"
	"counterpart/internal/proof/audit"
	"counterpart/internal/proof/sample"
	"counterpart/internal/query/basket"
)

var ctx = context.Background()

func request(t testing.TB, db pg.DB, customerID int64) checkout.Request {
	t.Helper()
	b, err := basket.Load(ctx, db, customerID, "en")
	require.NoError(t, err)
	require.NotNil(t, b)
	return checkout.Request{CustomerID: customerID, CartID: b.CartID, Expected: b.Quote.Total, Name: "Ada",
		Email: "ada@example.com", Pay: payment.PayAtPickup}
}

func sound(t testing.TB, db pg.DB) {
	t.Helper()
	findings, err := audit.Run(ctx, db)
	require.NoError(t, err)
	require.Empty(t, findings)
}

// place reserves some of a variant for a new Ada and answers with the order's part.
func place(t testing.TB, db pg.DB, c *sample.Chain, variant int64, quantity int,
	at location.Location) (fulfilmentID int64) {
	t.Helper()
	link, err := checkout.Place(ctx, db, origin.Origin{Channel: origin.Web, Language: "en"},
		request(t, db, c.Ada(t, db, variant, quantity, at)))
	require.NoError(t, err)
	require.NoError(t, db.QueryRow(ctx,
		`SELECT f.id FROM fulfilment f JOIN orders o ON o.id = f.order_id WHERE o.public_id = $1`,
		link.PublicID).Scan(&fulfilmentID))
	return fulfilmentID
}

func level(t testing.TB, db pg.DB, variant, at int64) (onHand, reserved int) {
	t.Helper()
	require.NoError(t, db.QueryRow(ctx,
		`SELECT on_hand, reserved FROM stock_level WHERE variant_id = $1 AND location_id = $2 AND condition = 'sellable'`, variant, at).Scan(&onHand, &reserved))
	return onHand, reserved
}

func TestAnOrderReservesItsStock(t *testing.T) {
	tx := pgtest.Tx(t)
	c := sample.Load(t, tx)

	place(t, tx, c, c.Mug, 3, c.HarbourStreet)

	onHand, reserved := level(t, tx, c.Mug, c.HarbourStreet.ID)
	require.Equal(t, []int{10, 3}, []int{onHand, reserved})
	sound(t, tx)
}

func TestTaxIsAddedInNewYork(t *testing.T) {
	tx := pgtest.Tx(t)
	c := sample.Load(t, tx)

	place(t, tx, c, c.Mug, 2, c.Broadway)

	var total, tax int64
	var currency string
	require.NoError(t, tx.QueryRow(ctx, `SELECT total, tax, currency FROM orders`).Scan(&total, &tax, &currency))
	require.Equal(t, []int64{3266, 266}, []int64{total, tax})
	require.Equal(t, "USD", currency)
	sound(t, tx)
}

func TestAPriceThatChangedMeanwhileIsShownFirst(t *testing.T) {
	tx := pgtest.Tx(t)
	c := sample.Load(t, tx)
	r := request(t, tx, c.Ada(t, tx, c.Mug, 1, c.HarbourStreet))
	_, err := catalog.SetPrice(ctx, tx, c.Mug, catalog.Price{Currency: "GBP", TaxIncluded: true, Amount: 1300}, nil, 0)
	require.NoError(t, err)

	_, err = checkout.Place(ctx, tx, origin.Origin{Channel: origin.Web, Language: "en"}, r)

	require.True(t, fault.Is(err, fault.Conflict))
	require.Contains(t, err.Error(), "£13.00")
	require.Contains(t, err.Error(), "£12.00")
	sound(t, tx)
}

func TestWhatCannotBeHadIsSaidAndNothingIsKept(t *testing.T) {
	tx := pgtest.Tx(t)
	c := sample.Load(t, tx)
	place(t, tx, c, c.Mug, 1, c.MillLane)
	late := request(t, tx, c.Ada(t, tx, c.Mug, 2, c.MillLane))

	_, err := checkout.Place(ctx, tx, origin.Origin{Channel: origin.Web, Language: "en"}, late)

	require.ErrorIs(t, err, checkout.ErrShort)
	require.Contains(t, fault.As(err).Error(), "Only 1 Stoneware mug left at Mill Lane")
	b, err := basket.Load(ctx, tx, late.CustomerID, "en")
	require.NoError(t, err)
	require.Len(t, b.Lines, 1, "the cart is as it was")
	sound(t, tx)
}

func TestExpiredReservationsAreReleased(t *testing.T) {
	tx := pgtest.Tx(t)
	c := sample.Load(t, tx)
	place(t, tx, c, c.Coat, 1, c.HarbourStreet)
	_, err := tx.Exec(ctx, `UPDATE reservation SET expires_at = now() - interval '1 minute'`)
	require.NoError(t, err)
	late := request(t, tx, c.Ada(t, tx, c.Coat, 1, c.HarbourStreet))

	_, err = checkout.Place(ctx, tx, origin.Origin{Channel: origin.Web, Language: "en"}, late)

	require.NoError(t, err)
	onHand, reserved := level(t, tx, c.Coat, c.HarbourStreet.ID)
	require.Equal(t, []int{1, 1}, []int{onHand, reserved})
}

func TestBadContactsAreSaidBesideTheirFields(t *testing.T) {
	tx := pgtest.Tx(t)
	c := sample.Load(t, tx)
	r := request(t, tx, c.Ada(t, tx, c.Mug, 1, c.HarbourStreet))
	r.Name, r.Email, r.Phone = " ", "nobody", "call me"

	_, err := checkout.Place(ctx, tx, origin.Origin{Channel: origin.Web, Language: "en"}, r)

	require.Len(t, fault.As(err).Fields, 3)
	sound(t, tx)
}

func TestOneCartMakesOneOrder(t *testing.T) {
	pool, _ := pgtest.Database(t)
	c := sample.Load(t, pool)
	r := request(t, pool, c.Ada(t, pool, c.Mug, 1, c.HarbourStreet))

	links := map[string]int{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			link, err := checkout.Place(ctx, pool, origin.Origin{Channel: origin.Web, Language: "en"}, r)
			for pg.Away(err) { // On a busy machine the wait for the cart is too long for one of fifty: they send it again.
				link, err = checkout.Place(ctx, pool, origin.Origin{Channel: origin.Web, Language: "en"}, r)
			}
			require.NoError(t, err)
			mu.Lock()
			defer mu.Unlock()
			links[link.PublicID]++
		})
	}
	wg.Wait()

	require.Len(t, links, 1)
	onHand, reserved := level(t, pool, c.Mug, c.HarbourStreet.ID)
	require.Equal(t, []int{10, 1}, []int{onHand, reserved})
	sound(t, pool)
}

func TestCartsOfManyLinesNeverDeadlock(t *testing.T) {
	pool, _ := pgtest.Database(t)
	c := sample.Load(t, pool)
	var requests []checkout.Request
	for i := range 30 {
		first, second := c.Mug, c.BlueMug
		if i%2 == 1 {
			first, second = second, first
		}
		ada := c.Ada(t, pool, first, 1, c.HarbourStreet)
		require.NoError(t, shopping.AddFor(ctx, pool, origin.Origin{Channel: origin.Web, Language: "en"}, ada,
			shopping.Item{VariantID: second, Quantity: 1, LocationID: c.HarbourStreet.ID}))
		requests = append(requests, request(t, pool, ada))
	}

	results := make(chan error, len(requests))
	for _, r := range requests {
		go func() {
			_, err := checkout.Place(ctx, pool, origin.Origin{Channel: origin.Web, Language: "en"}, r)
			results <- err
		}()
	}
	won := 0
	for range requests {
		if err := <-results; err == nil {
			won++
		} else {
			require.ErrorIs(t, err, checkout.ErrShort)
		}
	}

	require.Equal(t, 10, won)
	var deadlocks int
	require.NoError(t, pool.QueryRow(ctx,
		`SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`).Scan(&deadlocks))
	require.Zero(t, deadlocks)
	sound(t, pool)
}

func desk(c *sample.Chain) origin.Origin {
	return origin.Origin{Channel: origin.Counter, LocationID: c.HarbourStreet.ID, AssociateID: c.Bea.ID, Language: "en"}
}

func codeOf(t testing.TB, db pg.DB, fulfilmentID int64) (code string) {
	t.Helper()
	require.NoError(t, db.QueryRow(ctx, `SELECT code FROM fulfilment WHERE id = $1`, fulfilmentID).Scan(&code))
	return code
}

func TestTwoAssociatesHandOverOnce(t *testing.T) {
	pool, _ := pgtest.Database(t)
	c := sample.Load(t, pool)
	f := place(t, pool, c, c.Mug, 2, c.HarbourStreet)
	require.NoError(t, pickup.Ready(ctx, pool, desk(c), f, "Shelf A1"))
	code := codeOf(t, pool, f)

	results := make(chan error, 4)
	for i := range 4 {
		at := desk(c)
		at.DeviceID = int64(i + 1)
		go func() {
			_, err := pickup.HandOver(ctx, pool, at, f, code, settle.CounterPayment{Kind: payment.Cash, Given: 3000})
			results <- err
		}()
	}
	won := 0
	for range 4 {
		if err := <-results; err == nil {
			won++
		} else {
			require.True(t, fault.Is(err, fault.Conflict) || fault.Is(err, fault.TooMany), err)
		}
	}

	require.Equal(t, 1, won)
	onHand, reserved := level(t, pool, c.Mug, c.HarbourStreet.ID)
	require.Equal(t, []int{8, 0}, []int{onHand, reserved})
	sound(t, pool)
}

func TestReadyAndNotFoundAndCancelRace(t *testing.T) {
	pool, _ := pgtest.Database(t)
	c := sample.Load(t, pool)
	for range 5 {
		f := place(t, pool, c, c.Mug, 1, c.HarbourStreet)
		var line int64
		require.NoError(t, pool.QueryRow(ctx, `SELECT id FROM order_line WHERE fulfilment_id = $1`, f).Scan(&line))
		var wg sync.WaitGroup
		for _, act := range []func() error{
			func() error { return pickup.Ready(ctx, pool, desk(c), f, "Shelf A1") },
			func() error { return pickup.NotFound(ctx, pool, desk(c), f, line, 1) },
			func() error { return pickup.Cancel(ctx, pool, desk(c), f) },
		} {
			wg.Go(func() {
				if err := act(); err != nil {
					require.NotNil(t, fault.As(err), "%v", err)
				}
			})
		}
		wg.Wait()
		sound(t, pool)
	}
}

func TestNotFoundTellsTheShopperAndBooksTheDifference(t *testing.T) {
	tx := pgtest.Tx(t)
	c := sample.Load(t, tx)
	f := place(t, tx, c, c.Mug, 3, c.HarbourStreet)
	var line int64
	require.NoError(t, tx.QueryRow(ctx, `SELECT id FROM order_line`).Scan(&line))

	require.NoError(t, pickup.NotFound(ctx, tx, desk(c), f, line, 1))

	onHand, reserved := level(t, tx, c.Mug, c.HarbourStreet.ID)
	require.Equal(t, []int{9, 2}, []int{onHand, reserved})
	var mails int
	require.NoError(t, tx.QueryRow(ctx,
		`SELECT count(*) FROM river_job WHERE kind = 'order_mail' AND args->>'mail' = 'short'`).Scan(&mails))
	require.Equal(t, 1, mails)
	require.Equal(t, []string{"2 to_pick", "1 undecided"}, parts(t, tx), "the third is the shopper's choice")
	sound(t, tx)

	require.NoError(t, pickup.Ready(ctx, tx, desk(c), f, "A1"))
	_, err := pickup.HandOver(ctx, tx, desk(c), f, codeOf(t, tx, f), settle.CounterPayment{Kind: payment.Terminal})
	require.True(t, fault.Is(err, fault.Conflict), "nobody pays for what is neither here nor chosen: %v", err)
	var orderID, missing int64
	require.NoError(t, tx.QueryRow(ctx, `SELECT order_id, id FROM shortage`).Scan(&orderID, &missing))
	require.NoError(t, shortage.Decide(ctx, tx, origin.Origin{Channel: origin.Web, Language: "en"},
		shortage.Choice{OrderID: orderID, ShortageID: missing, What: "refund", By: "staff"}))
	change, err := pickup.HandOver(ctx, tx, desk(c), f, codeOf(t, tx, f),
		settle.CounterPayment{Kind: payment.Cash, Given: 2500})
	require.NoError(t, err)
	require.Equal(t, "£1.00", change.String(), "two of three mugs are paid")
	sound(t, tx)
}

// parts are the lines of the only order, with the state of their fulfilments.
func parts(t *testing.T, tx pgx.Tx) []string {
	t.Helper()
	rows, err := tx.Query(ctx,
		`SELECT l.quantity || ' ' || f.state FROM order_line l JOIN fulfilment f ON f.id = l.fulfilment_id ORDER BY l.position`)
	require.NoError(t, err)
	all, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	return all
}

func TestPickupCodeBruteForceIsLimited(t *testing.T) {
	tx := pgtest.Tx(t)
	c := sample.Load(t, tx)
	f := place(t, tx, c, c.Mug, 1, c.HarbourStreet)
	require.NoError(t, pickup.Ready(ctx, tx, desk(c), f, "A1"))
	code := codeOf(t, tx, f)
	bad := "000000"
	if code == bad {
		bad = "111111"
	}
	paid := settle.CounterPayment{Kind: payment.Terminal}

	for range 5 {
		_, err := pickup.HandOver(ctx, tx, desk(c), f, bad, paid)
		require.Contains(t, err.Error(), "doesn’t match this order")
	}
	_, err := pickup.HandOver(ctx, tx, desk(c), f, code, paid)

	require.True(t, fault.Is(err, fault.TooMany), "the right code comes too late")
	sound(t, tx)
}

func TestAnotherStoresOrderIsNotFound(t *testing.T) {
	tx := pgtest.Tx(t)
	c := sample.Load(t, tx)
	f := place(t, tx, c, c.Mug, 1, c.MillLane)

	require.True(t, fault.Is(pickup.Ready(ctx, tx, desk(c), f, "A1"), fault.NotFound))
	_, err := pickup.HandOver(ctx, tx, desk(c), f, codeOf(t, tx, f),
		settle.CounterPayment{Kind: payment.Cash, Given: 1200})
	require.True(t, fault.Is(err, fault.NotFound))
}

func TestACountBelowWhatIsPromisedShortensTheYoungest(t *testing.T) {
	tx := pgtest.Tx(t)
	c := sample.Load(t, tx)
	old := place(t, tx, c, c.Mug, 4, c.HarbourStreet)
	young := place(t, tx, c, c.Mug, 4, c.HarbourStreet)

	require.NoError(t, stocktake.Count(ctx, tx, origin.Origin{Channel: origin.Counter, AssociateID: c.Bea.ID},
		stocktake.Change{VariantID: c.Mug, LocationID: c.HarbourStreet.ID, Quantity: 5, Reason: "counted"}))

	open := func(f int64) (n int) {
		require.NoError(t, tx.QueryRow(ctx,
			`SELECT count(*) FROM order_unit u JOIN order_line l ON l.id = u.order_line_id WHERE l.fulfilment_id = $1 AND u.state = 'open'`, f).Scan(&n))
		return n
	}
	require.Equal(t, []int{4, 1}, []int{open(old), open(young)})
	onHand, reserved := level(t, tx, c.Mug, c.HarbourStreet.ID)
	require.Equal(t, []int{5, 5}, []int{onHand, reserved})
	sound(t, tx)
}

func TestCountsAndCheckoutsRace(t *testing.T) {
	pool, _ := pgtest.Database(t)
	c := sample.Load(t, pool)
	var requests []checkout.Request
	for range 12 {
		requests = append(requests, request(t, pool, c.Ada(t, pool, c.Mug, 1, c.HarbourStreet)))
	}
	var wg sync.WaitGroup
	for _, r := range requests {
		wg.Go(func() {
			if _, err := checkout.Place(ctx, pool, origin.Origin{Channel: origin.Web, Language: "en"}, r); err != nil {
				require.NotNil(t, fault.As(err), "%v", err)
			}
		})
	}
	for _, n := range []int{4, 8, 2} {
		wg.Go(func() {
			err := stocktake.Count(ctx, pool, origin.Origin{Channel: origin.Counter, AssociateID: c.Bea.ID},
				stocktake.Change{VariantID: c.Mug, LocationID: c.HarbourStreet.ID, Quantity: n, Reason: "counted"})
			if err != nil {
				require.NotNil(t, fault.As(err), "%v", err)
			}
		})
	}
	wg.Wait()
	sound(t, pool)
}

func TestCorrectRefusesBelowReserved(t *testing.T) {
	tx := pgtest.Tx(t)
	c := sample.Load(t, tx)
	place(t, tx, c, c.Mug, 8, c.HarbourStreet)

	done, err := inventory.AdjustOnHand(ctx, tx, inventory.Move{VariantID: c.Mug, LocationID: c.HarbourStreet.ID,
		Delta: -3, Cause: "count"}, inventory.Reason{Channel: "counter", Reason: "test"})

	require.NoError(t, err)
	require.False(t, done)
	sound(t, tx)
}

func TestCancellingPutsEverythingBack(t *testing.T) {
	tx := pgtest.Tx(t)
	c := sample.Load(t, tx)
	f := place(t, tx, c, c.Mug, 2, c.HarbourStreet)
	require.NoError(t, pickup.Ready(ctx, tx, desk(c), f, "A1"))

	require.NoError(t, pickup.Cancel(ctx, tx, desk(c), f))

	onHand, reserved := level(t, tx, c.Mug, c.HarbourStreet.ID)
	require.Equal(t, []int{10, 0}, []int{onHand, reserved})
	var state string
	require.NoError(t, tx.QueryRow(ctx, `SELECT state FROM orders`).Scan(&state))
	require.Equal(t, order.Cancelled, state)
	sound(t, tx)
	require.True(t, fault.Is(pickup.Cancel(ctx, tx, desk(c), f), fault.Conflict))
}

func TestADeliverySentTwiceIsBookedOnce(t *testing.T) {
	pool, _ := pgtest.Database(t)
	c := sample.Load(t, pool)
	delivery := stocktake.Change{VariantID: c.Mug, LocationID: c.HarbourStreet.ID, Quantity: 5, Form: "the same form"}

	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			require.NoError(t, stocktake.Receive(ctx, pool, origin.Origin{Channel: origin.Counter}, delivery))
		})
	}
	wg.Wait()

	onHand, _ := level(t, pool, c.Mug, c.HarbourStreet.ID)
	require.Equal(t, 15, onHand)
	sound(t, pool)
}

// Mails and papers are in the customer's language: a profile's, else the page's, and never that of whoever serves them.
func TestMailsAreInTheCustomersLanguage(t *testing.T) {
	tx := pgtest.Tx(t)
	c := sample.Load(t, tx)
	for _, one := range []struct {
		name, profile, page, want string
		account, served           bool
	}{
		{"a guest", "en", "lv", "lv", false, false},
		{"an account", "en", "lv", "en", true, false},
		{"an account in Latvian", "lv", "en", "lv", true, false},
		{"somebody whom a Latvian associate serves", "en", "lv", "en", false, true},
	} {
		ada := c.Ada(t, tx, c.Mug, 1, c.HarbourStreet)
		_, err := tx.Exec(ctx,
			`UPDATE customer SET language = $2, registered_at = CASE WHEN $3 THEN now() END WHERE id = $1`,
			ada, one.profile, one.account)
		require.NoError(t, err)
		at := origin.Origin{Channel: origin.Web, Language: one.page}
		if one.served {
			at = origin.Origin{Channel: origin.Counter, LocationID: c.HarbourStreet.ID, AssociateID: c.Bea.ID,
				Language: one.page}
		}
		placed, err := checkout.Place(ctx, tx, at, request(t, tx, ada))
		require.NoError(t, err, one.name)
		var language string
		require.NoError(t, tx.QueryRow(ctx, `SELECT language FROM orders WHERE id = $1`, placed.ID).Scan(&language))
		require.Equal(t, one.want, language, one.name)
	}
}
