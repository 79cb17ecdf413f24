package customer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/platform/fault"
	"counterpart/internal/platform/pg"
)

// Proofs of a merge: a verified identity of one that the other has too, a code sent to what both share, or a manager's
// word.
const (
	ByVerifiedIdentity = "verified"
	ByCode             = "code"
	ByManager          = "manager"
)

// Merge is two profiles becoming one person. The absorbed one keeps its rows; the survivor is where things happen from
// now on.
type Merge struct {
	ID          int64
	SurvivorID  int64
	AbsorbedID  int64
	Proof       string
	Reason      string
	AssociateID int64
	ApprovedBy  int64
	At          time.Time
}

// Kinds of what a merge moved.
const (
	MovedMember  = "member"       // somebody who had been merged into the absorbed profile before
	MovedCart    = "cart"         // the survivor's cart that took the lines in
	ClosedCart   = "cart_closed"  // the absorbed profile's cart
	MovedLine    = "line"         // units of a variant that were added to it
	MovedWish    = "wish"         // a row that changed hands
	DroppedWish  = "wish_dropped" // one that the survivor had too
	MovedAddress = "address"
)

// Moved is a line of a merge's log.
type Moved struct {
	What  string
	RowID int64
	Data  map[string]any
}

var (
	errNotApart = fault.New(fault.Conflict,
		"These profiles are already merged, or one of them has been merged into another.")
	errNotLast = fault.New(fault.Conflict, "This merge can’t be undone yet. Undo the later merge first.")
)

// BeginMerge locks both profiles, lowest id first, and makes the absorbed one part of the survivor. Both have to stand
// for themselves.
func BeginMerge(ctx context.Context, tx pgx.Tx, m Merge) (id int64, err error) {
	rows, err := tx.Query(ctx, `
		SELECT id
		FROM customer
		WHERE id IN ($1, $2) AND merged_into IS NULL AND erased_at IS NULL
		ORDER BY id
		FOR UPDATE`, m.SurvivorID, m.AbsorbedID)
	if err != nil {
		return 0, fmt.Errorf("lock two profiles: %w", err)
	}
	apart, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return 0, err
	}
	if len(apart) != 2 {
		return 0, errNotApart
	}
	err = tx.QueryRow(ctx, `
		INSERT INTO merge (survivor_id, absorbed_id, proof, reason, associate_id, approved_by)
		VALUES ($1, $2, $3, $4, nullif($5::bigint, 0), nullif($6::bigint, 0))
		RETURNING id`, m.SurvivorID, m.AbsorbedID, m.Proof, m.Reason, m.AssociateID, m.ApprovedBy).Scan(&id)
	if err != nil {
		return 0, fmt.Errorf("write a merge: %w", err)
	}
	_, err = tx.Exec(ctx, `
		WITH members AS (
			UPDATE customer
			SET merged_into = $2
			WHERE merged_into = $3
			RETURNING id),
		addresses AS (
			UPDATE address
			SET customer_id = $2
			WHERE customer_id = $3
			RETURNING id),
		absorbed AS (
			UPDATE customer
			SET merged_into = $2
			WHERE id = $3)
		INSERT INTO merge_move (merge_id, what, row_id)
		SELECT $1::bigint, 'member', id FROM members
		UNION ALL
		SELECT $1, 'address', id FROM addresses`, id, m.SurvivorID, m.AbsorbedID)
	if err != nil {
		return 0, fmt.Errorf("merge two profiles: %w", err)
	}
	return id, nil
}

// LogMoves keeps what other nouns moved for a merge.
func LogMoves(ctx context.Context, tx pgx.Tx, mergeID int64, moves []Moved) error {
	batch := &pgx.Batch{}
	for _, m := range moves {
		data, err := json.Marshal(m.Data)
		if err != nil {
			return err
		}
		if m.Data == nil {
			data = []byte("{}")
		}
		batch.Queue(`
			INSERT INTO merge_move (merge_id, what, row_id, data)
			VALUES ($1, $2, $3, $4)`, mergeID, m.What, m.RowID, data)
	}
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("log a merge: %w", err)
	}
	return nil
}

// UndoMerge parts two profiles again as far as this noun's own rows go, and answers with the log for the others. A
// merge that is part of a later one waits for that to be undone.
func UndoMerge(ctx context.Context, tx pgx.Tx, mergeID, associateID int64) (m Merge, moves []Moved, err error) {
	err = tx.QueryRow(ctx, `
		SELECT id, survivor_id, absorbed_id, at
		FROM merge
		WHERE id = $1 AND undone_at IS NULL
		FOR UPDATE`, mergeID).Scan(&m.ID, &m.SurvivorID, &m.AbsorbedID, &m.At)
	if errors.Is(err, pgx.ErrNoRows) {
		return m, nil, fault.New(fault.NotFound, "This merge has already been undone.")
	}
	if err != nil {
		return m, nil, fmt.Errorf("read a merge: %w", err)
	}
	// The profiles in the order in which a merge locks them.
	if _, err := tx.Exec(ctx, `SELECT id FROM customer WHERE id IN ($1, $2) ORDER BY id FOR UPDATE`, m.SurvivorID,
		m.AbsorbedID); err != nil {
		return m, nil, err
	}
	tag, err := tx.Exec(ctx, `
		UPDATE customer absorbed
		SET merged_into = NULL
		FROM customer survivor
		WHERE absorbed.id = $1 AND absorbed.merged_into = $2 AND survivor.id = $2 AND survivor.merged_into IS NULL
			AND absorbed.erased_at IS NULL`, m.AbsorbedID, m.SurvivorID)
	if err != nil {
		return m, nil, fmt.Errorf("part two profiles: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return m, nil, errNotLast
	}
	_, err = tx.Exec(ctx, `
		WITH done AS (
			UPDATE merge
			SET undone_at = now(), undone_by = nullif($4::bigint, 0)
			WHERE id = $1),
		members AS (
			UPDATE customer
			SET merged_into = $3
			WHERE merged_into = $2 AND id IN (SELECT row_id FROM merge_move WHERE merge_id = $1 AND what = 'member'))
		UPDATE address
		SET customer_id = $3
		WHERE customer_id = $2 AND id IN (SELECT row_id FROM merge_move WHERE merge_id = $1 AND what = 'address')`,
		m.ID, m.SurvivorID, m.AbsorbedID, associateID)
	if err != nil {
		return m, nil, fmt.Errorf("undo a merge: %w", err)
	}
	rows, err := tx.Query(ctx, `
		SELECT what, row_id, data
		FROM merge_move
		WHERE merge_id = $1
		ORDER BY what, row_id`, m.ID)
	if err != nil {
		return m, nil, fmt.Errorf("read a merge's log: %w", err)
	}
	moves, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Moved])
	return m, moves, err
}

// WasUnmerged says whether two profiles were one person once, and somebody undid it.
func WasUnmerged(ctx context.Context, db pg.DB, one, other int64) (parted bool, err error) {
	err = db.QueryRow(ctx, `
		SELECT EXISTS (SELECT FROM merge WHERE undone_at IS NOT NULL AND (survivor_id, absorbed_id) IN (($1, $2), ($2,
			$1)))`, one, other).Scan(&parted)
	return parted, err
}

// MergesOf are the merges of a person that hold, the latest first.
func MergesOf(ctx context.Context, db pg.DB, person int64) ([]Merge, error) {
	rows, err := db.Query(ctx, `
		SELECT id, survivor_id, absorbed_id, proof, reason, coalesce(associate_id, 0) AS associate_id,
			coalesce(approved_by, 0) AS approved_by, at
		FROM merge
		WHERE undone_at IS NULL AND survivor_id = $1
		ORDER BY id DESC`, person)
	if err != nil {
		return nil, fmt.Errorf("read merges: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[Merge])
}
