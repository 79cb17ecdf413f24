package customer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/browsing"
	"counterpart/internal/platform/pg"
)

// AskExport writes down that somebody wants a copy of everything.
func AskExport(ctx context.Context, tx pgx.Tx, person, askedBy int64, life time.Duration) (id int64, err error) {
	err = tx.QueryRow(ctx, `
		INSERT INTO export (customer_id, asked_by, expires_at)
		VALUES ($1, nullif($2::bigint, 0), now() + $3)
		RETURNING id`, person, askedBy, life).Scan(&id)
	if err != nil {
		return 0, fmt.Errorf("ask for a copy: %w", err)
	}
	return id, nil
}

// ExportFor is the person whose copy is to be made, and the file it goes to: written down before there is one, so that
// no file is ever without its row. 0 when it is made already or not wanted any more.
func ExportFor(ctx context.Context, db pg.DB, id int64, key string) (person int64, file string, err error) {
	err = db.QueryRow(ctx, `
		UPDATE export e
		SET file = coalesce(e.file, $2)
		FROM customer c
		WHERE e.id = $1 AND c.id = e.customer_id AND e.made_at IS NULL AND e.expires_at > now()
		RETURNING coalesce(c.merged_into, c.id), e.file`, id, key).Scan(&person, &file)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, "", nil
	}
	return person, file, err
}

// ExportMade says that a copy is there. False when it is not wanted any more.
func ExportMade(ctx context.Context, tx pgx.Tx, id int64) (bool, error) {
	tag, err := tx.Exec(ctx, `
		UPDATE export
		SET made_at = now()
		WHERE id = $1 AND made_at IS NULL`, id)
	return err == nil && tag.RowsAffected() == 1, err
}

// ExportFile is where a copy lies, or "".
func ExportFile(ctx context.Context, db pg.DB, id int64) (key string, err error) {
	err = db.QueryRow(ctx,
		`SELECT coalesce(file, '') FROM export WHERE id = $1 AND made_at IS NOT NULL AND expires_at > now()`,
		id).Scan(&key)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", nil
	}
	return key, err
}

// OverExports are the files of copies that are over; DropExport forgets one of them, once its file is gone.
func OverExports(ctx context.Context, db pg.DB) ([]string, error) {
	rows, err := db.Query(ctx, `SELECT coalesce(file, '') FROM export WHERE expires_at < now()`)
	if err != nil {
		return nil, fmt.Errorf("find old copies: %w", err)
	}
	return keys(rows)
}

func DropExport(ctx context.Context, db pg.DB, file string) error {
	_, err := db.Exec(ctx, `DELETE FROM export WHERE file = $1`, file)
	return err
}

// keys are the files among the rows that have one.
func keys(rows pgx.Rows) (all []string, err error) {
	found, err := pgx.CollectRows(rows, pgx.RowTo[string])
	for _, key := range found {
		if key != "" {
			all = append(all, key)
		}
	}
	return all, err
}

// Named are the identities of a person by which another system could bring them back.
func Named(ctx context.Context, tx pgx.Tx, person int64) ([]Identity, error) {
	rows, err := tx.Query(ctx, `
		SELECT kind, value, source, verified_at IS NOT NULL
		FROM identity i
		WHERE kind IN ('email', 'phone', 'external') AND customer_id IN (`+Members+`) AND (verified_at IS NOT NULL
			OR NOT EXISTS (
			SELECT
			FROM identity proven -- what somebody else proved to be theirs is not this person's, whoever typed it
			WHERE proven.kind = i.kind AND proven.value = i.value AND proven.verified_at IS NOT NULL))`,
		pgx.NamedArgs{"person": person})
	if err != nil {
		return nil, fmt.Errorf("read how somebody is known: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Identity])
}

// CreatedAt is a customer and when they were made.
type CreatedAt struct {
	ID        int64
	CreatedAt time.Time
}

// LockPerson holds every profile of a person, the person's own first, as merges do. None, when they are part of another
// or forgotten already.
func LockPerson(ctx context.Context, tx pgx.Tx, person int64) ([]CreatedAt, error) {
	// The condition is asked again of the row that is locked: who waited here for another erasure finds it done.
	var own CreatedAt
	err := tx.QueryRow(ctx, `
		SELECT id, created_at
		FROM customer
		WHERE id = $1 AND merged_into IS NULL AND erased_at IS NULL
		FOR UPDATE`, person).Scan(&own.ID, &own.CreatedAt)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("lock a person: %w", err)
	}
	rows, err := tx.Query(ctx, `
		SELECT id, created_at
		FROM customer
		WHERE merged_into = $1
		ORDER BY id
		FOR UPDATE`, person)
	if err != nil {
		return nil, fmt.Errorf("lock a person: %w", err)
	}
	members, err := pgx.CollectRows(rows, pgx.RowToStructByPos[CreatedAt])
	return append([]CreatedAt{own}, members...), err
}

// Exists says whether a customer is there, not forgotten, and the one that was made at that time.
func Exists(ctx context.Context, db pg.DB, id int64, createdAt time.Time) (there bool, err error) {
	err = db.QueryRow(ctx, `
		SELECT EXISTS (SELECT FROM customer WHERE id = $1 AND created_at = $2 AND erased_at IS NULL)`, id,
		createdAt).Scan(&there)
	return there, err
}

// ForgetAll takes everything that names the profiles of a person out of this noun's tables, and answers with the files
// of copies that were made for them. What is left is a number and the day.
func ForgetAll(ctx context.Context, tx pgx.Tx, person int64, ids []int64) (copies []string, err error) {
	if err := browsing.Forget(ctx, tx, person); err != nil {
		return nil, err
	}
	rows, err := tx.Query(ctx, `
		DELETE FROM export
		WHERE customer_id = ANY($1)
		RETURNING coalesce(file, '')`, ids)
	if err != nil {
		return nil, fmt.Errorf("forget copies: %w", err)
	}
	if copies, err = keys(rows); err != nil {
		return nil, err
	}
	batch := &pgx.Batch{}
	// Links to an address of theirs, also ones that were asked for before we knew whose it is.
	batch.Queue(`DELETE FROM one_time WHERE customer_id = ANY($1) OR target IN (
		SELECT value
		FROM identity i
		WHERE customer_id = ANY($1) AND kind IN ('email', 'phone') AND (verified_at IS NOT NULL OR NOT EXISTS (
			SELECT
			FROM identity proven
			WHERE proven.kind = i.kind AND proven.value = i.value AND proven.verified_at IS NOT NULL)))`, ids)
	// What they bought before this shop stays bought, by nobody.
	batch.Queue(`UPDATE past_sale SET person = '' WHERE person IN (
		SELECT value
		FROM identity
		WHERE customer_id = ANY($1) AND kind = 'external' AND verified_at IS NOT NULL)`, ids)
	// What they asked to hear as guests of other devices, at an address that is theirs.
	const asked = `SELECT w.id FROM watch w JOIN identity i ON i.value = w.target AND i.verified_at IS NOT NULL AND i.customer_id = ANY($1)`
	batch.Queue(`DELETE FROM outreach WHERE watch_id IN (`+asked+`)`, ids)
	batch.Queue(`DELETE FROM watch WHERE id IN (`+asked+`)`, ids)
	for _, table := range []string{"identity", "password", "address", "consent", "preference", "note", "customer_tag",
		"timeline", "hint", "figure", "prediction", "points_warning", "standing", "tier_grant", "outreach", "watch", "segment_member", "client", "follow_up"} {
		batch.Queue("DELETE FROM "+table+" WHERE customer_id = ANY($1)", ids)
	}
	batch.Queue(`UPDATE merge SET reason = '' WHERE survivor_id = ANY($1) OR absorbed_id = ANY($1)`, ids)
	batch.Queue(`
		UPDATE customer
		SET name = '', tier = '', company = '', vat_number = '', language = 'en', location_id = NULL, registered_at = NULL, disabled_at = NULL, erased_at = now()
		WHERE id = ANY($1)`, ids)
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return nil, fmt.Errorf("forget a person: %w", err)
	}
	return copies, nil
}
