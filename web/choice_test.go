package web_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"counterpart/internal/domain/delivery"
	"counterpart/internal/domain/origin"
	"counterpart/internal/flow/pickup"
)

// TestAChoiceIsMadeOnceOverHTTP sends every choice for what was not found at once: one is taken, the others are told,
// on a page that shows how it stands.
func TestAChoiceIsMadeOnceOverHTTP(t *testing.T) {
	p := open(t)
	for round := range 2 {
		v := p.visitor(t)
		_, _, to := v.post("/checkout", v.fill(p, p.Mug))
		var part, line, shortage int64
		require.NoError(t, p.db.QueryRow(ctx, `
			SELECT f.id, l.id
			FROM orders o JOIN fulfilment f ON f.order_id = o.id JOIN order_line l ON l.order_id = o.id
			WHERE o.public_id = $1`, strings.TrimPrefix(to, "/orders/")).Scan(&part, &line))
		require.NoError(t, pickup.NotFound(ctx, p.db, origin.Origin{Channel: origin.Counter,
			LocationID: p.HarbourStreet.ID, AssociateID: p.Bea.ID, Language: "en"}, part, line, 1))
		require.NoError(t, p.db.QueryRow(ctx, `SELECT id FROM shortage WHERE decided_at IS NULL`).Scan(&shortage))
		_, body, _ := v.get(to)
		require.Contains(t, body, "Collect at Mill Lane")
		// Enter in the address is no choice of a store, and a page that refused a choice can be read again.
		_, sending, found := strings.Cut(body, `name="lines"`)
		if found {
			inForm, _, _ := strings.Cut(sending, "</form>")
			require.Contains(t, inForm, `value="ship"`)
			require.NotContains(t, inForm, `value="store:`)
		}
		status, refused, _ := v.post(to+"/choose", url.Values{"shortage": {"0"}, "what": {"nothing"}})
		require.GreaterOrEqual(t, status, 400)
		require.Contains(t, refused, "data-posted")
		require.Contains(t, refused, `data-page="`+to+`"`)
		require.NotContains(t, body, "data-posted")
		form := func(what string) url.Values {
			return url.Values{"shortage": {between(body, `name="shortage" value="`, `"`)}, "what": {what}}
		}
		mill := between(body, `name="what" value="`, `"`) // the nearest store is first
		var done, told int
		var mu sync.Mutex
		var all sync.WaitGroup
		for _, what := range []string{mill, "refund", mill, "refund", "ship", "nothing", mill, "refund"} {
			all.Go(func() {
				status, body, _ := v.post(to+"/choose", form(what))
				mu.Lock()
				defer mu.Unlock()
				switch {
				case status == http.StatusSeeOther:
					done++
				case status == http.StatusConflict || status == http.StatusUnprocessableEntity:
					told++
				default:
					assert.Fail(t, "neither done nor told", "round %d, %s: %d\n%s", round, what, status, body)
				}
			})
		}
		all.Wait()
		require.Equal(t, []int{1, 7}, []int{done, told})
	}
	p.sound(t)
}

func between(body, before, after string) string {
	_, rest, _ := strings.Cut(body, before)
	found, _, _ := strings.Cut(rest, after)
	return found
}

// TestAWrongPlaceCanBeChanged sends a cart to where nothing goes: the checkout says so beside the country, and takes
// another.
func TestAWrongPlaceCanBeChanged(t *testing.T) {
	p := open(t)
	require.NoError(t, pgx.BeginFunc(ctx, p.db, func(tx pgx.Tx) error {
		return delivery.Save(ctx, tx, &delivery.Method{Name: "Standard", Countries: []string{"GB", "US"},
			Currency: "GBP", Carrier: "Parcel Post", MinDays: 2, MaxDays: 3, Cutoff: 840, Active: true,
			Rates: []delivery.Rate{{MaxGrams: 30_000, Charge: 395}}})
	}))
	_, err := p.db.Exec(ctx, `UPDATE location SET ship = true WHERE id = $1`, p.HarbourStreet.ID)
	require.NoError(t, err)
	v := p.visitor(t)
	v.fill(p, p.Mug)
	var line int64
	require.NoError(t, p.db.QueryRow(ctx, `SELECT max(id) FROM cart_line`).Scan(&line))
	v.post(fmt.Sprintf("/cart/lines/%d/way", line), url.Values{"way": {"ship"}})
	for _, place := range []url.Values{{"country": {"US"}, "region": {"CA"}}, {"country": {"PL"}}} {
		place.Set("do", "address")
		status, body, _ := v.post("/checkout", place)
		require.Equal(t, http.StatusUnprocessableEntity, status)
		require.Contains(t, body, `name="country"`)
		require.Contains(t, body, "field-error")
		status, _, _ = v.get("/checkout")
		require.Equal(t, http.StatusUnprocessableEntity, status, "the form stays within reach")
	}
	_, body, _ := v.get("/cart")
	require.Contains(t, body, "Change the address")
	status, _, _ := v.post("/checkout", url.Values{"do": {"address"}, "country": {"GB"}})
	require.Equal(t, http.StatusOK, status)
}

// TestASaleLeavesWhatIsStaged sells the last free units and one more at the till: what is ready on its shelf stays its
// shopper's.
func TestASaleLeavesWhatIsStaged(t *testing.T) {
	p := open(t)
	bea, v := p.visitor(t), p.visitor(t)
	bea.signIn(p.Bea.Email)
	_, _, to := v.post("/checkout", v.fill(p, p.Mug))
	var part int64
	require.NoError(t, p.db.QueryRow(ctx,
		`SELECT f.id FROM orders o JOIN fulfilment f ON f.order_id = o.id WHERE o.public_id = $1`,
		strings.TrimPrefix(to, "/orders/")).Scan(&part))
	bea.post(fmt.Sprintf("/counter/pickups/%d/ready", part), url.Values{"place": {"A1"}})
	var onHand int
	require.NoError(t, p.db.QueryRow(ctx, `SELECT on_hand FROM stock_level WHERE variant_id = $1 AND location_id = $2`,
		p.Mug, p.HarbourStreet.ID).Scan(&onHand))
	_, _, sale := bea.post("/counter/sales", nil)
	bea.post(sale+"/scan", url.Values{"article": {"MUG-W"}})
	var line int64
	require.NoError(t, p.db.QueryRow(ctx, `SELECT max(id) FROM cart_line WHERE sold_at IS NOT NULL`).Scan(&line))
	bea.post(fmt.Sprintf("%s/lines/%d", sale, line), url.Values{"quantity": {fmt.Sprint(onHand)}})
	_, body, _ := bea.get(sale)
	require.Contains(t, body, "free here: is this one reserved?")
	cart, total := between(body, `name="cart" value="`, `"`), between(body, `name="total" value="`, `"`)
	status, _, _ := bea.post(sale+"/pay", url.Values{"cart": {cart}, "total": {total}, "kind": {"terminal"}})
	require.Equal(t, http.StatusSeeOther, status)
	var state string
	require.NoError(t, p.db.QueryRow(ctx, `SELECT state FROM fulfilment WHERE id = $1`, part).Scan(&state))
	require.Equal(t, "ready", state)
	p.sound(t)
}
