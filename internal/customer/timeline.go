package customer

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Kinds of fact on a timeline.
const (
	Added     = "added"
	Bought    = "bought"
	Collected = "collected"
	Cancelled = "cancelled"
	Contacted = "contacted"
)

// Fact is something that happened with a customer, in any channel. Zero means that it has no such part.
type Fact struct {
	CustomerID int64
	Kind       string
	Channel    string
	LocationID int64
	OrderID    int64
	VariantID  int64
	Quantity   int
}

// Record appends a fact; it belongs in the transaction of what happened.
func Record(ctx context.Context, tx pgx.Tx, f Fact) error {
	sql, args := f.insert()
	if _, err := tx.Exec(ctx, sql, args); err != nil {
		return fmt.Errorf("record that a customer %s: %w", f.Kind, err)
	}
	return nil
}

// Queue appends a fact in a batch that the caller sends.
func (f Fact) Queue(batch *pgx.Batch) {
	sql, args := f.insert()
	batch.Queue(sql, args)
}

func (f Fact) insert() (string, pgx.NamedArgs) {
	return `
		INSERT INTO timeline (customer_id, kind, channel, location_id, order_id, variant_id, quantity)
		VALUES (@customer, @kind, @channel, nullif(@location::bigint, 0), nullif(@order::bigint, 0), nullif(@variant::bigint, 0), nullif(@quantity::int, 0))`,
		pgx.NamedArgs{"customer": f.CustomerID, "kind": f.Kind, "channel": f.Channel, "location": f.LocationID, "order": f.OrderID, "variant": f.VariantID, "quantity": f.Quantity}
}
