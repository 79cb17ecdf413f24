package person

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/staff"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/phone"
)

// mostDoubts is how many doubtful numbers one report names.
const mostDoubts = 1000

// RecheckPhones reads the numbers that stand in profiles again, once: an earlier reader took some for numbers of the
// wrong country. What no telephone can have is reported in the trail, for somebody to look at; nothing is changed, and
// nobody is joined.
func RecheckPhones(ctx context.Context, db pg.DB) error {
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `UPDATE shop SET phones_checked_at = now() WHERE phones_checked_at IS NULL`)
		if err != nil {
			return fmt.Errorf("begin to read numbers again: %w", err)
		}
		if tag.RowsAffected() == 0 {
			return nil // Done, or there is no shop yet.
		}
		rows, err := tx.Query(ctx, `
			SELECT coalesce(c.merged_into, c.id), i.value
			FROM identity i
			JOIN customer c ON c.id = i.customer_id
			WHERE i.kind = 'phone'
			ORDER BY 1, 2`)
		if err != nil {
			return fmt.Errorf("read numbers again: %w", err)
		}
		type known struct {
			Person int64
			Number string
		}
		all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[known])
		if err != nil {
			return fmt.Errorf("read numbers again: %w", err)
		}
		doubtful := 0
		for _, k := range all {
			if phone.Valid(k.Number) {
				continue
			}
			if doubtful++; doubtful > mostDoubts {
				continue
			}
			if err := staff.Log(ctx, tx, staff.Entry{Action: "phone.doubtful", Subject: "customer",
				SubjectID: k.Person}); err != nil {
				return err
			}
		}
		slog.InfoContext(ctx, "phone numbers were read again", "numbers", len(all), "doubtful", doubtful)
		return nil
	})
}
