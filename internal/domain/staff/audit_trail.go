package staff

import (
	"context"
	"counterpart/internal/platform/text"
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
)

// Entry is a line of the audit trail: who did what to what, who allowed it, why, and what changed. Before and After
// name things by id and kind, never a person by name, so that the trail can be kept when somebody is forgotten.
type Entry struct {
	AssociateID int64 // 0: the customer, or the system
	ApprovedBy  int64
	Action      string
	Subject     string
	SubjectID   int64
	LocationID  int64
	Before      map[string]any
	After       map[string]any
	Reason      string
}

// Log appends to the audit trail; it belongs in the transaction of what was done.
func Log(ctx context.Context, tx pgx.Tx, e Entry) error {
	before, err := object(e.Before)
	if err != nil {
		return err
	}
	after, err := object(e.After)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO audit_entry (associate_id, approved_by, action, subject, subject_id, location_id, before, after,
			reason)
		VALUES (nullif(@by::bigint, 0), nullif(@approved::bigint, 0), @action, @subject, @id, nullif(@location::bigint,
			0), @before, @after, @reason)`, pgx.NamedArgs{
		"by": e.AssociateID, "approved": e.ApprovedBy, "action": e.Action, "subject": e.Subject, "id": e.SubjectID, "location": e.LocationID, "before": before, "after": after, "reason": e.Reason})
	if err != nil {
		return fmt.Errorf("write the audit trail: %w", err)
	}
	return nil
}

func object(m map[string]any) ([]byte, error) {
	if m == nil {
		return nil, nil
	}
	return json.Marshal(m)
}

// ForgetReasons takes what people wrote about customers, their orders and their gift cards out of the trail; what was
// done, by whom and when stays.
func ForgetReasons(ctx context.Context, tx pgx.Tx, customers []int64) error {
	for _, theirs := range []string{
		`subject = 'customer' AND (subject_id = ANY($1) OR (after ->> 'absorbed')::bigint = ANY($1))`,
		`subject = 'order' AND subject_id IN (SELECT id FROM orders WHERE customer_id = ANY($1))`,
		`subject = 'gift_card' AND subject_id IN (
			SELECT id
			FROM gift_card
			WHERE customer_id = ANY($1) OR lower(recipient) IN (
				SELECT value
				FROM identity
				WHERE kind = 'email' AND customer_id = ANY($1)))`,
	} {
		if _, err := tx.Exec(ctx, `UPDATE audit_entry SET reason = '' WHERE reason <> '' AND `+theirs, customers); err != nil {
			return fmt.Errorf("forget reasons in the audit trail: %w", err)
		}
	}
	return nil
}

// Reason tidies up why something is done; false where it is not said, or in more than 200 characters.
func Reason(typed string) (reason string, said bool) {
	reason = text.Clean(typed, 201)
	return reason, reason != "" && utf8.RuneCountInString(reason) <= 200
}
