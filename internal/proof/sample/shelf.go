package sample

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"counterpart/internal/domain/catalog"
	"counterpart/internal/domain/inventory"
	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/payment"
	"counterpart/internal/flow/checkout"
	"counterpart/internal/flow/returns"
	"counterpart/internal/flow/shopping"
	"counterpart/internal/platform/pg"
	"counterpart/internal/query/basket"
)

// Shelf is a chain with a number of things on a shelf of its first store.
type Shelf struct {
	*Chain
	DB       *pgxpool.Pool
	Variants []int64
	At       origin.Origin
}

// Stocked makes it, with 500 of each.
func Stocked(t testing.TB, db *pgxpool.Pool, n int) *Shelf {
	t.Helper()
	ctx := context.Background()
	s := &Shelf{Chain: Load(t, db), DB: db}
	s.At = origin.Origin{Channel: origin.Counter, AssociateID: s.Bea.ID, LocationID: s.HarbourStreet.ID, Language: "en"}
	_, err := db.Exec(ctx, `UPDATE location SET takes_returns = true`)
	require.NoError(t, err)
	require.NoError(t, pg.InTx(ctx, db, func(tx pgx.Tx) error {
		for i := range n {
			sku := fmt.Sprintf("THING-%d", i)
			made, err := catalog.Put(ctx, tx, catalog.Product{Slug: fmt.Sprintf("thing-%d", i), Title: "A thing", Language: "en",
				Categories: []catalog.Category{{Path: []string{"Kitchen"}}}, Variants: []catalog.Variant{{SKU: sku,
					TaxClass: "standard", Prices: []catalog.Price{{Currency: "GBP", TaxIncluded: true, Amount: 1000}}}}})
			require.NoError(t, err)
			s.Variants = append(s.Variants, made.Variants[sku])
			require.NoError(t, inventory.Receive(ctx, tx, []inventory.Move{{VariantID: made.Variants[sku],
				LocationID: s.HarbourStreet.ID, Delta: 500}}, inventory.Reason{Channel: "api", Reason: "opening stock"}))
		}
		return nil
	}))
	return s
}

// Buy places one of each, carried out and paid in cash, or to be collected; 0: for somebody new.
func (s *Shelf) Buy(t testing.TB, person int64, carried bool, things ...int) (id int64) {
	t.Helper()
	ctx := context.Background()
	if person == 0 {
		person = s.Ada(t, s.DB, s.Mug, 1, s.HarbourStreet)
	}
	require.NoError(t, pg.InTx(ctx, s.DB, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM cart_line WHERE cart_id IN (SELECT id FROM cart WHERE customer_id = $1)`, person)
		return err
	}))
	at := origin.Origin{Channel: origin.Web, Language: "en"}
	here, pay := basket.SaleContext{}, payment.PayAtPickup
	if carried {
		at, here, pay = s.At, basket.SaleContext{LocationID: s.HarbourStreet.ID, CarryOut: true}, payment.Cash
	}
	for _, thing := range things {
		require.NoError(t, shopping.AddFor(ctx, s.DB, at, person, shopping.Item{VariantID: s.Variants[thing], Quantity: 1,
			LocationID: s.HarbourStreet.ID, InHand: carried}))
	}
	b, err := basket.LoadAt(ctx, s.DB, person, here, "en")
	require.NoError(t, err)
	placed, err := checkout.Place(ctx, s.DB, at, checkout.Request{CustomerID: person, CartID: b.CartID,
		Expected: b.Quote.Total, Name: "Ada", Email: "ada@example.com", Pay: pay, Given: b.Quote.Total, Here: here})
	require.NoError(t, err)
	return placed.ID
}

// Bring takes one unit of a random line of a sale back.
func (s *Shelf) Bring(t testing.TB, order int64, r *rand.Rand) {
	t.Helper()
	ctx := context.Background()
	rows, err := s.DB.Query(ctx, `
		SELECT l.id
		FROM order_line l
		JOIN order_unit u ON u.order_line_id = l.id AND u.state = 'carried_out'
		WHERE l.order_id = $1 AND NOT EXISTS (SELECT FROM returned_unit WHERE order_line_id = l.id)
		ORDER BY l.id`, order)
	require.NoError(t, err)
	lines, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	require.NoError(t, err)
	if len(lines) == 0 {
		return
	}
	_, err = returns.Make(ctx, s.DB, s.At, returns.Request{Form: fmt.Sprint(order, r.Int64()), OrderID: order, SelfApproves: true,
		Wants: []returns.ReturnLine{{LineID: lines[r.IntN(len(lines))], Quantity: 1, Reason: "other", Grade: "sellable",
			Restock: true}}})
	require.NoError(t, err)
}
