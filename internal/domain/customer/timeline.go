package customer

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/origin"
)

// Kinds of fact on a timeline.
const (
	Added     = "added"
	Bought    = "bought"
	Collected = "collected"
	Cancelled = "cancelled"
	Contacted = "contacted"

	Joined     = "joined"     // their cart took in the one of a device, at sign-in
	Registered = "registered" // has an account
	SignedIn   = "signed_in"
	SignedOut  = "signed_out"
	Verified   = "verified" // proved an identity, whose kind is the detail
	Removed    = "removed"  // took one away
	Secured    = "secured"  // changed how they sign in
	Agreed     = "consented"
	Withdrew   = "withdrew"
	Wished     = "wished"
	Noted      = "noted"  // staff wrote something down
	Opened     = "opened" // staff looked at the profile
	Merged     = "merged"
	Unmerged   = "unmerged"
	Exported   = "exported"
	Disabled   = "disabled"
	Enabled    = "enabled"
	Shipped    = "shipped"
	Returned   = "returned"
	Redeemed   = "redeemed" // spent points
)

// Fact is something that happened with a customer, in any channel. Zero means that it has no such part. Detail is a
// word of ours (a purpose, a kind of identity), never something that a person wrote.
type Fact struct {
	CustomerID  int64
	Kind        string
	Channel     origin.Channel
	LocationID  int64
	OrderID     int64
	VariantID   int64
	Quantity    int
	AssociateID int64
	Detail      string
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
		INSERT INTO timeline (customer_id, kind, channel, location_id, order_id, variant_id, quantity, associate_id,
			detail)
		VALUES (@customer, @kind, @channel, nullif(@location::bigint, 0), nullif(@order::bigint, 0),
			nullif(@variant::bigint, 0), nullif(@quantity::int, 0),
			nullif(@associate::bigint, 0), @detail)`,
		pgx.NamedArgs{"customer": f.CustomerID, "kind": f.Kind, "channel": f.Channel, "location": f.LocationID,
			"order": f.OrderID, "variant": f.VariantID, "quantity": f.Quantity,
			"associate": f.AssociateID, "detail": f.Detail}
}

// RecordOpening records that an associate looked at a profile, unless the same one did a moment ago: coming back from a
// form is no new look.
func RecordOpening(ctx context.Context, tx pgx.Tx, f Fact, moment time.Duration) (fresh bool, err error) {
	tag, err := tx.Exec(ctx, `
		INSERT INTO timeline (customer_id, kind, channel, location_id, associate_id)
		SELECT c.id, $2, $3, nullif($4::bigint, 0), $5
		FROM customer c
		WHERE c.id = $1 AND c.merged_into IS NULL AND c.erased_at IS NULL
			AND NOT EXISTS (SELECT FROM timeline WHERE associate_id = $5 AND kind = $2 AND customer_id = $1
				AND at > now() - $6::interval)`,
		f.CustomerID, f.Kind, f.Channel, f.LocationID, f.AssociateID, moment)
	if err != nil {
		return false, fmt.Errorf("record that a profile was opened: %w", err)
	}
	return tag.RowsAffected() == 1, nil
}
