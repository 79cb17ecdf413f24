package segment

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/pg"
	"counterpart/internal/platform/text"
)

// Segment is a tree with a name and whom it had when it was asked last.
type Segment struct {
	ID        int64
	Title     string
	Tree      Tree
	Living    bool
	Version   int
	Members   int
	CountedAt *time.Time
}

const columns = `id, title, tree, living, version, counted_at,
	(SELECT count(*) FROM segment_member WHERE segment_id = segment.id)::int AS members`

// List is all that are not archived.
func List(ctx context.Context, db pg.DB) ([]Segment, error) {
	rows, err := db.Query(ctx, `SELECT `+columns+` FROM segment WHERE archived_at IS NULL ORDER BY lower(title)`)
	if err != nil {
		return nil, fmt.Errorf("list segments: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[Segment])
}

// ByID reads a segment. Nil when there is none.
func ByID(ctx context.Context, db pg.DB, id int64) (*Segment, error) {
	rows, err := db.Query(ctx, `SELECT `+columns+` FROM segment WHERE id = $1 AND archived_at IS NULL`, id)
	if err != nil {
		return nil, fmt.Errorf("read a segment: %w", err)
	}
	s, err := pgx.CollectExactlyOneRow(rows, pgx.RowToAddrOfStructByName[Segment])
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	return s, err
}

var (
	errChanged = fault.New(fault.Conflict, "Someone else has changed this segment meanwhile. Save again to replace what they did, or open it afresh to see it.")
)

// Save writes a segment, from the version that was read, and asks it.
func Save(ctx context.Context, tx pgx.Tx, s *Segment, associateID int64) error {
	s.Title = strings.TrimSpace(s.Title)
	if s.Title == "" || utf8.RuneCountInString(s.Title) > 60 {
		return fault.Field("title", "Enter a name, up to 60 characters.")
	}
	if err := s.Tree.Check(); err != nil {
		return err
	}
	var taken bool
	if err := tx.QueryRow(ctx, `SELECT EXISTS (
			SELECT FROM segment WHERE lower(title) = lower($1) AND archived_at IS NULL AND id <> $2)`, s.Title, s.ID).Scan(&taken); err != nil {
		return err
	}
	if taken {
		return fault.Field("title", "There is another segment with this name.")
	}
	var err error
	if s.ID == 0 {
		err = tx.QueryRow(ctx, `
			INSERT INTO segment (title, tree, living, created_by)
			VALUES ($1, $2, $3, nullif($4::bigint, 0))
			RETURNING id, version`, s.Title, s.Tree, s.Living, associateID).Scan(&s.ID, &s.Version)
	} else {
		err = tx.QueryRow(ctx, `
			UPDATE segment
			SET title = $2, tree = $3, living = $4, version = version + 1
			WHERE id = $1 AND version = $5 AND archived_at IS NULL
			RETURNING version`, s.ID, s.Title, s.Tree, s.Living, s.Version).Scan(&s.Version)
	}
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return errChanged
	case pg.Violates(err, "segment_title"):
		return fault.Field("title", "There is another segment with this name.")
	case err != nil:
		return fmt.Errorf("save a segment: %w", err)
	}
	if err := refresh(ctx, tx, s, nil); err != nil {
		return err
	}
	return tx.QueryRow(ctx, `SELECT count(*) FROM segment_member WHERE segment_id = $1`, s.ID).Scan(&s.Members)
}

// Hold keeps segments from being archived until the transaction ends, for something that names them.
func Hold(ctx context.Context, tx pgx.Tx, ids ...int64) error {
	var gone bool
	if err := tx.QueryRow(ctx, `
		WITH held AS (SELECT id FROM segment WHERE id = ANY ($1) AND archived_at IS NULL FOR SHARE)
		SELECT EXISTS (SELECT FROM unnest($1::bigint[]) AS named WHERE named NOT IN (SELECT id FROM held))`,
		ids).Scan(&gone); err != nil {
		return fmt.Errorf("hold segments: %w", err)
	}
	if gone {
		return fault.New(fault.Invalid, "One of these segments no longer exists. Choose again.")
	}
	return nil
}

// Archive takes a segment out of use. One that a promotion or a price names stays.
func Archive(ctx context.Context, tx pgx.Tx, id int64) error {
	if _, err := tx.Exec(ctx, `SELECT FROM segment WHERE id = $1 FOR UPDATE`, id); err != nil {
		return fmt.Errorf("hold a segment: %w", err)
	}
	var promoted, priced string
	if err := tx.QueryRow(ctx, `
		SELECT coalesce((
				SELECT min(title) FROM promotion WHERE state <> 'ended' AND rule->'in_segments' @> to_jsonb($1::bigint)), ''),
			coalesce((
				SELECT min(v.sku)
				FROM price_break b
				JOIN variant v ON v.id = b.variant_id
				WHERE b.segment_id = $1 AND upper_inf(b.valid)), '')`, id).Scan(&promoted, &priced); err != nil {
		return err
	}
	switch {
	case promoted != "":
		return fault.New(fault.Conflict, "The promotion “{title}” uses this segment. Change that first.", text.Args{"title": promoted})
	case priced != "":
		return fault.New(fault.Conflict, "A price of {sku} is for this segment. End that first.", text.Args{"sku": priced})
	}
	tag, err := tx.Exec(ctx, `UPDATE segment SET archived_at = now() WHERE id = $1 AND archived_at IS NULL`, id)
	if err != nil {
		return fmt.Errorf("archive a segment: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return errChanged
	}
	_, err = tx.Exec(ctx, `DELETE FROM segment_member WHERE segment_id = $1`, id)
	return err
}

// Estimate is how many people a tree has, without asking facts of all: by the planner.
func Estimate(ctx context.Context, db pg.DB, t Tree) (n int, err error) {
	args := pgx.NamedArgs{}
	where := t.where(args, false)
	var plan []struct {
		Plan struct {
			Rows float64 `json:"Plan Rows"`
		}
	}
	if err := db.QueryRow(ctx, `EXPLAIN (FORMAT JSON) SELECT FROM figure f WHERE `+where, args).Scan(&plan); err != nil {
		return 0, fmt.Errorf("estimate a segment: %w", err)
	}
	if len(plan) == 0 {
		return 0, nil
	}
	return int(plan[0].Plan.Rows), nil
}

// Patience is how long a count may take while somebody waits for the page.
const Patience = 8 * time.Second

// Sample is how many people a tree has now, with some of them. Late says that it took too long to count.
func Sample(ctx context.Context, db pg.DB, t Tree, most int) (n int, ids []int64, late bool, err error) {
	args := pgx.NamedArgs{"most": most}
	where := t.where(args, false)
	err = pg.InTx(ctx, db, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, fmt.Sprintf(`SET LOCAL statement_timeout = '%dms'; SET LOCAL work_mem = '64MB'`,
			Patience.Milliseconds())); err != nil {
			return err
		}
		return tx.QueryRow(ctx, `
			WITH found AS MATERIALIZED (SELECT f.customer_id AS id FROM figure f WHERE `+where+`)
			SELECT (SELECT count(*) FROM found), ARRAY(SELECT id FROM found ORDER BY hashint8(id) LIMIT @most)`, args).
			Scan(&n, &ids)
	})
	if pg.TimedOut(err) {
		return 0, nil, true, nil
	}
	if err != nil {
		return 0, nil, false, fmt.Errorf("count a segment: %w", err)
	}
	return n, ids, false, nil
}

// Refresh asks living segments again: about some people, or about all.
func Refresh(ctx context.Context, db pg.DB, ids []int64, all bool) (failed error) {
	if !all && len(ids) == 0 {
		return nil
	}
	segments, err := List(ctx, db)
	if err != nil {
		return err
	}
	for _, s := range segments {
		if !s.Living {
			continue
		}
		some := ids
		if all {
			some = nil
		}
		if err := pg.InTx(ctx, db, func(tx pgx.Tx) error {
			// As it is now: whoever changes it holds it.
			rows, err := tx.Query(ctx, `SELECT `+columns+` FROM segment WHERE id = $1 AND archived_at IS NULL AND living FOR UPDATE`, s.ID)
			if err != nil {
				return err
			}
			now, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Segment])
			if errors.Is(err, pgx.ErrNoRows) {
				return nil
			}
			if err != nil {
				return err
			}
			return refresh(ctx, tx, &now, some)
		}); err != nil {
			// The others are asked all the same.
			failed = errors.Join(failed, fmt.Errorf("ask segment %d: %w", s.ID, err))
		}
	}
	return failed
}

// refresh brings the members of a segment in line with its tree: of some people, or of all where none are named.
func refresh(ctx context.Context, tx pgx.Tx, s *Segment, ids []int64) error {
	if _, err := tx.Exec(ctx, `SET LOCAL statement_timeout = '2min'; SET LOCAL work_mem = '64MB'`); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `CREATE TEMP TABLE IF NOT EXISTS fitting (id bigint NOT NULL) ON COMMIT DROP; TRUNCATE fitting`); err != nil {
		return err
	}
	args, of := pgx.NamedArgs{"ids": ids}, ""
	if ids != nil {
		var members []int64
		if err := tx.QueryRow(ctx, `SELECT ARRAY(SELECT id FROM customer WHERE id = ANY ($1) OR merged_into = ANY ($1))`, ids).
			Scan(&members); err != nil {
			return err
		}
		args["of"], of = members, "f.customer_id = ANY (@ids) AND "
	}
	if _, err := tx.Exec(ctx, `
		INSERT INTO fitting
		SELECT f.customer_id
		FROM figure f
		WHERE `+of+s.Tree.where(args, ids != nil), args); err != nil {
		return fmt.Errorf("ask a segment: %w", err)
	}
	only := ""
	if ids != nil {
		only = " AND customer_id = ANY (@ids)"
	}
	args = pgx.NamedArgs{"ids": ids, "segment": s.ID}
	// Whoever is merged or forgotten at this moment is waited for, and does not join.
	err := tx.QueryRow(ctx, `
		WITH sure AS (
			SELECT id
			FROM customer c
			WHERE id IN (SELECT id FROM fitting) AND merged_into IS NULL AND erased_at IS NULL
				AND NOT EXISTS (SELECT FROM segment_member WHERE segment_id = @segment AND customer_id = c.id)
			ORDER BY id
			FOR KEY SHARE),
		gone AS (
			DELETE FROM segment_member WHERE segment_id = @segment`+only+` AND customer_id NOT IN (SELECT id FROM fitting)),
		come AS (
			INSERT INTO segment_member (segment_id, customer_id)
			SELECT @segment, id FROM sure
			ON CONFLICT DO NOTHING)
		UPDATE segment SET counted_at = now() WHERE id = @segment
		RETURNING counted_at`, args).Scan(&s.CountedAt)
	if err != nil {
		return fmt.Errorf("ask a segment: %w", err)
	}
	return nil
}
