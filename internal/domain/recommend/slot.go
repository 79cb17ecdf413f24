package recommend

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/pg"
)

// Places in which products are suggested.
const (
	OnProduct = "product"
	InCart    = "cart"
	OnOrder   = "order"
	OnSearch  = "search"   // that found nothing
	AtCounter = "customer" // their page at the counter
	InSale    = "sale"
)

// Places are all of them.
var Places = []string{OnProduct, InCart, OnOrder, OnSearch, AtCounter, InSale}

// Why a product stands beside another: by hand, because both were bought or looked at together, or because they are alike.
// In this order they are shown.
const (
	Chosen = "chosen"
	Bought = "bought"
	Viewed = "viewed"
	Alike  = "alike"
)

// Sources are all of them.
var Sources = []string{Chosen, Bought, Viewed, Alike}

// Together is what goes with @products by the rules of slot, of which it is a subquery: a product's id, why, its score, the
// one of them that it goes with best (because), and n, the first being the best.
const Together = `
			SELECT *, row_number() OVER (ORDER BY array_position('{chosen,bought,viewed,alike}', why), score DESC, id) AS n
			FROM (
				SELECT related_id AS id, 'chosen' AS why, max(1000 - position)::float8 AS score, min(product_id) AS because
				FROM product_related
				WHERE product_id = ANY (@products::bigint[])
				GROUP BY related_id
				UNION ALL
				SELECT other_id, why, sum(score), (array_agg(product_id ORDER BY score DESC, product_id))[1]
				FROM goes_with
				WHERE product_id = ANY (@products::bigint[])
				GROUP BY other_id, why) named
			WHERE why = ANY (slot.sources) AND id <> ALL (@products::bigint[])
			ORDER BY n
			LIMIT `

// Slot is a place with its rules.
type Slot struct {
	Place     string
	Active    bool
	Fewest    int // fewer are not shown
	Most      int
	OwnedDays int  // what somebody bought in so many days is left out
	InStore   bool // only what is in stock in the store
	OnlyIn    []int64
	NeverIn   []int64 // categories, with those below them
	Sources   []string
	Version   int
}

const slotColumns = `place, active, fewest, most, owned_days, in_store, only_in, never_in, sources, version`

// Slots are all places, in their order.
func Slots(ctx context.Context, db pg.DB) ([]Slot, error) {
	rows, err := db.Query(ctx, `SELECT `+slotColumns+` FROM slot ORDER BY array_position($1, place)`, Places)
	if err != nil {
		return nil, fmt.Errorf("read places for suggestions: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[Slot])
}

// SlotAt is the rules of a place; nil where there is none such.
func SlotAt(ctx context.Context, db pg.DB, place string) (*Slot, error) {
	if !slices.Contains(Places, place) {
		return nil, nil
	}
	rows, err := db.Query(ctx, `SELECT `+slotColumns+` FROM slot WHERE place = $1`, place)
	if err != nil {
		return nil, fmt.Errorf("read a place for suggestions: %w", err)
	}
	return pgx.CollectExactlyOneRow(rows, pgx.RowToAddrOfStructByName[Slot])
}

// SaveSlot keeps the rules of a place, where nobody changed them since they were read.
func SaveSlot(ctx context.Context, tx pgx.Tx, s Slot) error {
	var form fault.Form
	if s.Fewest < 1 || s.Fewest > 12 {
		form.Add("fewest", "Enter a number from 1 to 12.")
	}
	if s.Most < 1 || s.Most > 12 {
		form.Add("most", "Enter a number from 1 to 12.")
	} else if s.Most < s.Fewest && s.Fewest <= 12 {
		form.Add("most", "The maximum can’t be less than the minimum.")
	}
	if s.OwnedDays < 0 || s.OwnedDays > 365 {
		form.Add("owned", "Enter days, from 0 to 365.")
	}
	if len(s.Sources) == 0 {
		form.Add("source", "Choose at least one, or switch the place off.")
	}
	for _, id := range s.OnlyIn {
		if slices.Contains(s.NeverIn, id) {
			form.Add("never", "A department can’t be both the only one and left out.")
			break
		}
	}
	if err := form.Err(); err != nil {
		return err
	}
	tag, err := tx.Exec(ctx, `
		UPDATE slot
		SET active = $2, fewest = $3, most = $4, owned_days = $5, in_store = $6, only_in = coalesce($7::bigint[], '{}'),
			never_in = coalesce($8::bigint[], '{}'),
			sources = $9, version = version + 1
		WHERE place = $1 AND version = $10`, s.Place, s.Active, s.Fewest, s.Most, s.OwnedDays, s.InStore, s.OnlyIn, s.NeverIn,
		s.Sources, s.Version)
	if err != nil {
		return fmt.Errorf("save a place for suggestions: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return fault.New(fault.Conflict, "Someone else has changed this place meanwhile. Save again to replace what they did, or open it afresh to see it.")
	}
	return nil
}
