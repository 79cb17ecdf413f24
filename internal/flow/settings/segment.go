package settings

import (
	"context"

	"github.com/jackc/pgx/v5"

	"counterpart/internal/domain/origin"
	"counterpart/internal/domain/segment"
	"counterpart/internal/domain/staff"
	"counterpart/internal/platform/pg"
	"counterpart/internal/query/admin"
)

// SaveSegment writes a segment with what its words name, and asks it.
func SaveSegment(ctx context.Context, db pg.DB, at origin.Origin, s *segment.Segment) error {
	if err := admin.Resolve(ctx, db, &s.Tree); err != nil {
		return err
	}
	return change(ctx, db, at, func(tx pgx.Tx) (staff.Entry, error) {
		err := segment.Save(ctx, tx, s, at.AssociateID)
		return staff.Entry{Action: "segment.kept", Subject: "segment", SubjectID: s.ID,
			After: map[string]any{"title": s.Title, "living": s.Living, "people": s.Members}}, err
	})
}

// ArchiveSegment takes a segment out of use.
func ArchiveSegment(ctx context.Context, db pg.DB, at origin.Origin, id int64) error {
	return change(ctx, db, at, func(tx pgx.Tx) (staff.Entry, error) {
		return staff.Entry{Action: "segment.archived", Subject: "segment", SubjectID: id}, segment.Archive(ctx, tx, id)
	})
}
